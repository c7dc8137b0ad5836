//! The kind of object that an event is to a script: its members are made when somebody reads them.
//!
//! Most handlers read two or three of fifteen. So nothing is there at first but the promise of eleven
//! members, and of four that join them when they are read; what is asked about them is answered from what
//! the object keeps. As soon as a script does anything to the object's own properties, all that it has by
//! then become ordinary ones, in their order, and the engine goes on alone.

#![expect(unsafe_code, reason = "the engine's C interface; each call says why it is sound")]

use std::{
    cell::{Cell, RefCell},
    ffi::c_int,
    ptr,
    ptr::NonNull,
    rc::Rc,
};

use rquickjs::{Ctx, Object, Result, Value, qjs};

use crate::script::{
    event_object::{self, EventCell, LATE, MEMBERS},
    raw::{Key, Property, class_of, own_property},
    raw_class::{Finalizer, finish, inherited, new_object, register},
};

/// Members in all.
const ALL: usize = MEMBERS.len() + LATE.len();

/// The kind of object that an event is to a script, and the keys of its members, late ones last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EventClass {
    class: u32,
    keys: [Key; ALL],
}

/// What an event object keeps.
struct Kept {
    cell: EventCell,
    keys: [Key; ALL],
    /// Members that were made, by their place among the keys.
    made: [Cell<Option<qjs::JSValue>>; ALL],
    /// Late members in the order in which they were first read.
    late: RefCell<Vec<usize>>,
    /// Whether the members are ordinary properties by now.
    is_settled: Cell<bool>,
}

impl EventClass {
    /// Makes the kind known to an engine. Once for each engine.
    pub(crate) fn register(ctx: &Ctx<'_>) -> Result<Self> {
        const FINISH: Finalizer = finish_event;
        let class = register(ctx, &METHODS, FINISH, Some(mark_event))?;
        let ctx = ctx.as_raw().as_ptr();
        let mut keys = [0; ALL];
        for (key, name) in keys.iter_mut().zip(MEMBERS.iter().chain(&LATE)) {
            // SAFETY: the context is live. Never given back: keys keep their meaning as long as the engine lives.
            *key = unsafe { qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t) };
        }
        Ok(Self { class, keys })
    }

    pub(crate) fn is_event(&self, value: &Value<'_>) -> bool {
        class_of(value) == self.class
    }

    /// An event object of which nothing has been read yet.
    pub(crate) fn new_object<'js>(&self, prototype: &Object<'js>, cell: EventCell) -> Result<Object<'js>> {
        let kept = Kept {
            cell,
            keys: self.keys,
            made: Default::default(),
            late: RefCell::default(),
            is_settled: Cell::new(false),
        };
        // SAFETY: the class was registered for what it keeps.
        unsafe { new_object(prototype, self.class, Rc::new(kept)) }
    }
}

static METHODS: qjs::JSClassExoticMethods = qjs::JSClassExoticMethods {
    get_own_property: Some(own_member),
    get_own_property_names: Some(own_names),
    delete_property: Some(delete_member),
    define_own_property: Some(define_member),
    has_property: None,
    get_property: Some(get_member),
    set_property: None,
};

unsafe extern "C" fn finish_event(runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: called once for each object of this kind, which keeps what it was made with and owns the
    // members that were made.
    unsafe {
        if let Some(kept) = kept_of(object) {
            for made in &kept.made {
                if let Some(value) = made.take() {
                    qjs::JS_FreeValueRT(runtime, value);
                }
            }
        }
        finish::<Kept>(object);
    }
}

/// Tells the engine's collector of cycles what the object refers to.
unsafe extern "C" fn mark_event(
    runtime: *mut qjs::JSRuntime,
    object: qjs::JSValue,
    mark: Option<unsafe extern "C" fn(*mut qjs::JSRuntime, *mut qjs::JSGCObjectHeader)>,
) {
    // SAFETY: the engine asks about a live object; the members are live as long as it is.
    unsafe {
        let Some(kept) = kept_of(object) else { return };
        for value in kept.made.iter().filter_map(Cell::get) {
            qjs::JS_MarkValue(runtime, value, mark);
        }
    }
}

/// # Safety
/// The object is live and of this kind; the answer is used no longer than it is.
unsafe fn kept_of<'a>(object: qjs::JSValue) -> Option<&'a Kept> {
    // SAFETY: it was made with what it keeps, or keeps nothing if it could not be made.
    unsafe { qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<Kept>().as_ref() }
}

impl Kept {
    fn place_of(&self, key: Key) -> Option<usize> {
        self.keys.iter().position(|known| *known == key)
    }

    /// Whether that member is one of the object's own.
    fn is_own(&self, place: usize) -> bool {
        place < MEMBERS.len() || self.made.get(place).is_some_and(|made| made.get().is_some())
    }

    /// The value of a member, counted for the caller.
    fn value(&self, ctx: &Ctx<'_>, object: qjs::JSValue, place: usize) -> Result<qjs::JSValue> {
        let raw = ctx.as_raw().as_ptr();
        if let Some(made) = self.made.get(place).and_then(Cell::get) {
            // SAFETY: the member is live; counted once more for the caller.
            return Ok(unsafe { qjs::JS_DupValue(raw, made) });
        }
        let value = match place.checked_sub(MEMBERS.len()) {
            None => event_object::read_member(&self.cell, ctx, place)?,
            Some(late) => match self.twin(ctx, object, late) {
                Some(value) => value,
                None => {
                    event_object::read_late(&self.cell, ctx, LATE.get(late).copied().unwrap_or_default())?
                }
            },
        };
        // SAFETY: both are live, and counted once more: for the object, and for the caller.
        unsafe {
            let is_kept = place < MEMBERS.len() || qjs::JS_IsExtensible(raw, object) == 1;
            if is_kept && let Some(made) = self.made.get(place) {
                if place >= MEMBERS.len() {
                    self.late.borrow_mut().push(place);
                }
                made.set(Some(qjs::JS_DupValue(raw, value.as_raw())));
            }
            Ok(qjs::JS_DupValue(raw, value.as_raw()))
        }
    }

    /// `body` and `data` are one value: what was read under the one name is taken for the other.
    fn twin<'js>(&self, ctx: &Ctx<'js>, object: qjs::JSValue, late: usize) -> Option<Value<'js>> {
        let other = match *LATE.get(late)? {
            "body" => "data",
            "data" => "body",
            _ => return None,
        };
        let place = MEMBERS.len() + LATE.iter().position(|name| *name == other)?;
        let counted = |value| {
            // SAFETY: the value is live, and counted once more.
            unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), value)) }
        };
        if !self.is_settled.get() {
            return self.made.get(place)?.get().map(counted);
        }
        // By now it may be anything that the script has put there.
        match own_property(counted(object).as_object()?, *self.keys.get(place)?) {
            Ok(Some(Property::Data(value))) => Some(value),
            Ok(Some(Property::Accessor) | None) | Err(_) => None,
        }
    }

    /// Makes ordinary properties of all members that the object has. Nothing of the script runs.
    ///
    /// # Safety
    /// The object is live, and keeps this.
    unsafe fn settle(&self, ctx: &Ctx<'_>, object: qjs::JSValue) -> Result<()> {
        if self.is_settled.get() {
            return Ok(());
        }
        let raw = ctx.as_raw().as_ptr();
        let late = self.late.borrow().clone();
        for place in (0..MEMBERS.len()).chain(late) {
            let value = self.value(ctx, object, place)?;
            let Some(key) = self.keys.get(place) else { continue };
            let flags = (qjs::JS_PROP_ENUMERABLE | qjs::JS_PROP_NO_EXOTIC) as c_int;
            // SAFETY: object and key are live; the value is taken over.
            if unsafe { qjs::JS_DefinePropertyValue(raw, object, *key, value, flags) } < 0 {
                return Err(rquickjs::Error::Exception);
            }
        }
        self.is_settled.set(true);
        Ok(())
    }
}

/// Called by the engine for a member that is no ordinary property of the object.
unsafe extern "C" fn get_member(
    raw: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls with live arguments, which it keeps counting itself.
    unsafe {
        let (Some(context), Some(kept)) = (NonNull::new(raw), kept_of(object)) else {
            return qjs::JS_UNDEFINED;
        };
        let Some(place) = kept.place_of(key) else { return inherited(raw, object, key, receiver) };
        let ctx = Ctx::from_raw(context);
        let Ok(value) = kept.value(&ctx, object, place) else { return qjs::JS_EXCEPTION };
        if kept.is_settled.get() && kept.is_own(place) {
            let kept = qjs::JS_DupValue(raw, value);
            let flags = (qjs::JS_PROP_ENUMERABLE | qjs::JS_PROP_NO_EXOTIC) as c_int;
            qjs::JS_DefinePropertyValue(raw, object, key, kept, flags);
        }
        value
    }
}

/// Called by the engine for a property that it does not find among the ordinary ones.
unsafe extern "C" fn own_member(
    raw: *mut qjs::JSContext,
    found: *mut qjs::JSPropertyDescriptor,
    object: qjs::JSValue,
    key: qjs::JSAtom,
) -> c_int {
    // SAFETY: the engine calls with live arguments; the place for the answer is its own, or there is none.
    unsafe {
        let (Some(context), Some(kept)) = (NonNull::new(raw), kept_of(object)) else { return 0 };
        let place = kept.place_of(key).filter(|place| !kept.is_settled.get() && kept.is_own(*place));
        let Some(place) = place else { return 0 };
        if found.is_null() {
            return 1;
        }
        let ctx = Ctx::from_raw(context);
        let Ok(value) = kept.value(&ctx, object, place) else { return -1 };
        found.write(qjs::JSPropertyDescriptor {
            flags: qjs::JS_PROP_ENUMERABLE as c_int,
            value,
            getter: qjs::JS_UNDEFINED,
            setter: qjs::JS_UNDEFINED,
        });
        1
    }
}

/// Called by the engine to list what is not among the ordinary properties.
unsafe extern "C" fn own_names(
    raw: *mut qjs::JSContext,
    table: *mut *mut qjs::JSPropertyEnum,
    length: *mut u32,
    object: qjs::JSValue,
) -> c_int {
    // SAFETY: the engine calls with live arguments and places for the answer; it takes over the table,
    // which comes from its own memory, and the keys, counted once more.
    unsafe {
        table.write(ptr::null_mut());
        length.write(0);
        let Some(kept) = kept_of(object).filter(|kept| !kept.is_settled.get()) else { return 0 };
        let late = kept.late.borrow();
        let count = MEMBERS.len() + late.len();
        let made = qjs::js_malloc(raw, (count * size_of::<qjs::JSPropertyEnum>()) as qjs::size_t);
        let made = made.cast::<qjs::JSPropertyEnum>();
        if made.is_null() {
            return -1;
        }
        for (index, place) in (0..MEMBERS.len()).chain(late.iter().copied()).enumerate() {
            let key = kept.keys.get(place).copied().unwrap_or_default();
            let atom = qjs::JS_DupAtom(raw, key);
            made.add(index).write(qjs::JSPropertyEnum { is_enumerable: true, atom });
        }
        table.write(made);
        length.write(count as u32);
        0
    }
}

/// Called by the engine to take away what is not among the ordinary properties: members stay.
unsafe extern "C" fn delete_member(_: *mut qjs::JSContext, object: qjs::JSValue, key: qjs::JSAtom) -> c_int {
    // SAFETY: the engine calls with live arguments.
    let kept = unsafe { kept_of(object) }.filter(|kept| !kept.is_settled.get());
    let is_own = kept.is_some_and(|kept| kept.place_of(key).is_some_and(|place| kept.is_own(place)));
    c_int::from(!is_own)
}

/// Called by the engine to define what is not among the ordinary properties.
unsafe extern "C" fn define_member(
    raw: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    value: qjs::JSValue,
    getter: qjs::JSValue,
    setter: qjs::JSValue,
    flags: c_int,
) -> c_int {
    // SAFETY: the engine calls with live arguments, which it keeps counting itself.
    unsafe {
        let (Some(context), Some(kept)) = (NonNull::new(raw), kept_of(object)) else { return 0 };
        let ctx = Ctx::from_raw(context);
        let is_open = qjs::JS_IsExtensible(raw, object) == 1;
        if is_open && kept.settle(&ctx, object).is_err() {
            return -1;
        }
        let is_promised =
            !kept.is_settled.get() && kept.place_of(key).is_some_and(|place| kept.is_own(place));
        if is_promised && stays_as_it_is(flags as u32) {
            return 1;
        }
        let flags = flags | qjs::JS_PROP_NO_EXOTIC as c_int;
        qjs::JS_DefineProperty(raw, object, key, value, getter, setter, flags)
    }
}

/// Whether a definition leaves a member as it is: listed, neither written nor taken away. Nothing else is
/// asked of the members of an object that was sealed or frozen before they became ordinary.
fn stays_as_it_is(flags: u32) -> bool {
    let asks = qjs::JS_PROP_HAS_GET | qjs::JS_PROP_HAS_SET | qjs::JS_PROP_HAS_VALUE;
    let more = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
    let hides =
        flags & (qjs::JS_PROP_HAS_ENUMERABLE | qjs::JS_PROP_ENUMERABLE) == qjs::JS_PROP_HAS_ENUMERABLE;
    flags & (asks | more) == 0 && !hides
}
