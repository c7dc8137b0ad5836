//! Kinds of objects of ours: how the engine is told of them, and how it asks them.

use std::{cell::Cell, ffi::c_int, marker::PhantomData, mem::MaybeUninit, ptr, ptr::NonNull, rc::Rc};

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

use crate::script::engine_memory::{Anchor, Atom, Key, Maker};

/// What answers for an object when the engine does not find an ordinary property of it.
///
/// What an object shows so can neither be written nor taken away.
pub(crate) trait Exotic: Sized + 'static {
    /// The value of a property, if it has it; otherwise the prototypes are asked.
    fn get<'js>(&self, call: &Call<'_, 'js>, key: Key) -> Result<Option<Value<'js>>>;

    /// Whether it has that property of its own, and not as an ordinary one. Then `get` tells its value.
    fn has(&self, _key: Key) -> bool {
        false
    }

    /// The names of the properties for which `has` says yes.
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// A property is going to be defined. Whether that is done already.
    fn define(&self, _call: &Call<'_, '_>, _key: Key, _asks: Asks) -> Result<bool> {
        Ok(false)
    }
}

/// What the definition of a property asks for, in the engine's own bits.
#[derive(Clone, Copy)]
pub(crate) struct Asks(u32);

impl Asks {
    /// Whether it leaves a property as it is that is listed, and neither written nor taken away.
    #[inline]
    pub(crate) fn for_what_is_shown(self) -> bool {
        let asks = qjs::JS_PROP_HAS_GET | qjs::JS_PROP_HAS_SET | qjs::JS_PROP_HAS_VALUE;
        let more = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
        let listed = qjs::JS_PROP_HAS_ENUMERABLE | qjs::JS_PROP_ENUMERABLE;
        self.0 & (asks | more) == 0 && self.0 & listed != qjs::JS_PROP_HAS_ENUMERABLE
    }
}

/// A question of the engine about an object of ours.
pub(crate) struct Call<'a, 'js> {
    pub(crate) ctx: Ctx<'js>,
    /// Live as long as the call, being the engine's own.
    object: qjs::JSValue,
    members: &'a Members,
}

/// So many values an object of ours can keep.
pub(crate) const MOST_MEMBERS: usize = 16;

/// Values that an object of ours refers to; they live as long as it does.
type Members = [Cell<Option<qjs::JSValue>>; MOST_MEMBERS];

/// What an object of ours is made with.
struct Inside<T> {
    members: Members,
    exotic: T,
}

impl<'js> Call<'_, 'js> {
    /// A value that the object keeps.
    #[inline]
    pub(crate) fn kept(&self, place: usize) -> Option<Value<'js>> {
        let raw = self.members.get(place)?.get()?;
        // SAFETY: the object refers to it, and is live; counted once more.
        Some(unsafe { counted(&self.ctx, raw) })
    }

    /// Makes the object keep a value, if there is nothing in that place.
    #[inline]
    pub(crate) fn keep(&self, place: usize, value: &Value<'js>) {
        let Some(member) = self.members.get(place).filter(|member| member.get().is_none()) else { return };
        // SAFETY: the value is live, and counted once more, for the object.
        member.set(Some(unsafe { qjs::JS_DupValue(self.ctx.as_raw().as_ptr(), value.as_raw()) }));
    }

    /// Whether properties may be added to the object.
    #[inline]
    pub(crate) fn is_extensible(&self) -> bool {
        // SAFETY: the object is live, and no proxy.
        unsafe { qjs::JS_IsExtensible(self.ctx.as_raw().as_ptr(), self.object) == 1 }
    }

    #[inline]
    pub(crate) fn object(&self) -> Result<Object<'js>> {
        // SAFETY: the object is live, and counted once more.
        unsafe { counted(&self.ctx, self.object) }.into_object().ok_or(Error::Unknown)
    }
}

/// # Safety
/// The value is live and of that engine.
unsafe fn counted<'js>(ctx: &Ctx<'js>, raw: qjs::JSValue) -> Value<'js> {
    // SAFETY: the caller says so; counted once for the answer.
    unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), raw)) }
}

/// A kind of object of ours, in one engine.
pub(crate) struct Class<T> {
    id: u32,
    anchor: Rc<Anchor>,
    of: PhantomData<T>,
}

impl<T: Exotic> Class<T> {
    const METHODS: &'static qjs::JSClassExoticMethods = &qjs::JSClassExoticMethods {
        get_own_property: Some(own_property::<T>),
        get_own_property_names: Some(own_names::<T>),
        delete_property: Some(delete::<T>),
        define_own_property: Some(define::<T>),
        has_property: None,
        get_property: Some(get::<T>),
        set_property: None,
    };

    /// Makes the kind known to an engine. Once for each engine.
    pub(crate) fn register(ctx: &Ctx<'_>, anchor: &Rc<Anchor>) -> Result<Self> {
        if !anchor.is_of(ctx.as_raw()) {
            return Err(Error::UnrelatedRuntime);
        }
        let definition = qjs::JSClassDef {
            class_name: c"Object".as_ptr(),
            finalizer: Some(finish::<T>),
            gc_mark: Some(mark::<T>),
            call: None,
            exotic: ptr::from_ref(Self::METHODS).cast_mut(),
        };
        let mut id = 0;
        // SAFETY: the engine is live; it copies the definition and the name, and only reads the methods,
        // which live for ever.
        unsafe {
            qjs::JS_NewClassID(anchor.runtime(), &raw mut id);
            if qjs::JS_NewClass(anchor.runtime(), id, &raw const definition) < 0 {
                return Err(Error::Exception);
            }
        }
        Ok(Self { id, anchor: Rc::clone(anchor), of: PhantomData })
    }

    /// The number of the kind, as [`class_of`](super::class_of) tells it.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn new_object<'js>(&self, prototype: &Object<'js>, exotic: T) -> Result<Object<'js>> {
        let ctx = prototype.ctx();
        if !self.anchor.is_of(ctx.as_raw()) {
            return Err(Error::UnrelatedRuntime);
        }
        // SAFETY: context and prototype are live, and the class was registered for what the object takes over.
        let value = unsafe {
            let raw = qjs::JS_NewObjectProtoClass(ctx.as_raw().as_ptr(), prototype.as_raw(), self.id);
            if qjs::JS_IsException(raw) {
                return Err(Error::Exception);
            }
            let inside = Inside { members: Members::default(), exotic };
            qjs::JS_SetOpaque(raw, Box::into_raw(Box::new(inside)).cast());
            Value::from_raw(ctx.clone(), raw)
        };
        value.into_object().ok_or(Error::Unknown)
    }
}

/// # Safety
/// The object is live and of the kind for `T`; the answer is used no longer than it is.
unsafe fn inside<'a, T>(object: qjs::JSValue) -> Option<&'a Inside<T>> {
    // SAFETY: it was made with what it keeps, or keeps nothing if it could not be made.
    unsafe { qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<Inside<T>>().as_ref() }
}

/// Asks what answers for an object.
///
/// # Safety
/// Context and object are live as long as this runs, and the object is of the kind for `T`.
unsafe fn ask<T: Exotic, R>(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    answer: impl for<'js> FnOnce(&Call<'_, 'js>, &T) -> R,
) -> Option<R> {
    // SAFETY: the caller says so. The engine is locked by whoever runs it, and the answer is for any `'js`, so
    // that nothing of this context is mistaken for anything else.
    unsafe {
        let inside = inside::<T>(object)?;
        let call = Call { ctx: Ctx::from_raw(NonNull::new(ctx)?), object, members: &inside.members };
        Some(answer(&call, &inside.exotic))
    }
}

/// The engine lets go of an object: of its members, and of what it was made with.
unsafe extern "C" fn finish<T>(runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: called once for each object of this kind, which owns both; nobody uses it any more.
    unsafe {
        let inside = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<Inside<T>>();
        if inside.is_null() {
            return;
        }
        let inside = Box::from_raw(inside);
        for value in inside.members.iter().filter_map(Cell::take) {
            qjs::JS_FreeValueRT(runtime, value);
        }
    }
}

/// Tells the engine's collector of cycles what an object refers to.
unsafe extern "C" fn mark<T>(
    runtime: *mut qjs::JSRuntime,
    object: qjs::JSValue,
    mark: Option<unsafe extern "C" fn(*mut qjs::JSRuntime, *mut qjs::JSGCObjectHeader)>,
) {
    // SAFETY: the engine asks about a live object; the members are live as long as it is.
    unsafe {
        for value in inside::<T>(object).iter().flat_map(|inside| &inside.members).filter_map(Cell::get) {
            qjs::JS_MarkValue(runtime, value, mark);
        }
    }
}

/// Called by the engine for a property that is no ordinary one of the object.
unsafe extern "C" fn get<T: Exotic>(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls with live arguments, which it keeps counting itself; the answer is counted for it.
    unsafe {
        let answer = ask::<T, _>(ctx, object, |call, exotic| {
            let found = exotic.get(call, Key(key))?;
            Ok::<_, Error>(found.map(|value| qjs::JS_DupValue(ctx, value.as_raw())))
        });
        match answer {
            Some(Ok(Some(value))) => value,
            Some(Err(_)) => qjs::JS_EXCEPTION,
            Some(Ok(None)) | None => inherited(ctx, object, key, receiver),
        }
    }
}

/// Called by the engine for a property that it does not find among the ordinary ones.
unsafe extern "C" fn own_property<T: Exotic>(
    ctx: *mut qjs::JSContext,
    found: *mut qjs::JSPropertyDescriptor,
    object: qjs::JSValue,
    key: qjs::JSAtom,
) -> c_int {
    // SAFETY: as of `get`; the place for the answer is the engine's own, or there is none.
    unsafe {
        if !inside::<T>(object).is_some_and(|inside| inside.exotic.has(Key(key))) {
            return 0;
        }
        if found.is_null() {
            return 1;
        }
        let value = get::<T>(ctx, object, key, object);
        if qjs::JS_IsException(value) {
            return -1;
        }
        let flags = qjs::JS_PROP_ENUMERABLE as c_int;
        let (getter, setter) = (qjs::JS_UNDEFINED, qjs::JS_UNDEFINED);
        found.write(qjs::JSPropertyDescriptor { flags, value, getter, setter });
        1
    }
}

/// Called by the engine to list what is not among the ordinary properties.
unsafe extern "C" fn own_names<T: Exotic>(
    ctx: *mut qjs::JSContext,
    table: *mut *mut qjs::JSPropertyEnum,
    length: *mut u32,
    object: qjs::JSValue,
) -> c_int {
    // SAFETY: as of `get`, with places for the answer; the engine takes over the table, which comes from its own
    // memory, and the keys.
    unsafe {
        table.write(ptr::null_mut());
        length.write(0);
        let answer = ask::<T, _>(ctx, object, |call, exotic| {
            let maker = Maker::of(&call.ctx);
            let names = exotic.names();
            let atoms: Vec<Atom<'_>> =
                names.iter().map(|name| maker.atom(name.as_bytes())).collect::<Result<_>>()?;
            if atoms.is_empty() {
                return Ok(());
            }
            let size = (atoms.len() * size_of::<qjs::JSPropertyEnum>()) as qjs::size_t;
            let made = qjs::js_malloc(ctx, size).cast::<qjs::JSPropertyEnum>();
            if made.is_null() {
                return Err(Error::Allocation);
            }
            table.write(made);
            length.write(atoms.len() as u32);
            for (index, atom) in atoms.into_iter().enumerate() {
                made.add(index).write(qjs::JSPropertyEnum { is_enumerable: true, atom: atom.into_raw() });
            }
            Ok(())
        });
        if matches!(answer, Some(Err(_))) { -1 } else { 0 }
    }
}

/// Called by the engine to take away what is not among the ordinary properties: what is shown stays.
unsafe extern "C" fn delete<T: Exotic>(
    _: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
) -> c_int {
    // SAFETY: as of `get`.
    let is_shown = unsafe { inside::<T>(object) }.is_some_and(|inside| inside.exotic.has(Key(key)));
    c_int::from(!is_shown)
}

/// Called by the engine to define a property.
unsafe extern "C" fn define<T: Exotic>(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    value: qjs::JSValue,
    getter: qjs::JSValue,
    setter: qjs::JSValue,
    flags: c_int,
) -> c_int {
    // SAFETY: as of `get`.
    unsafe {
        match ask::<T, _>(ctx, object, |call, exotic| exotic.define(call, Key(key), Asks(flags as u32))) {
            Some(Ok(true)) => 1,
            Some(Err(_)) => -1,
            Some(Ok(false)) | None => {
                let flags = flags | qjs::JS_PROP_NO_EXOTIC as c_int;
                qjs::JS_DefineProperty(ctx, object, key, value, getter, setter, flags)
            }
        }
    }
}

/// What the prototypes say, as the engine itself would ask them.
///
/// # Safety
/// All arguments are live.
unsafe fn inherited(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the caller vouches for the arguments; each value taken is given back once.
    unsafe {
        let mut prototype = qjs::JS_GetPrototype(ctx, object);
        while qjs::JS_IsObject(prototype) {
            let mut found = MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
            let answer = qjs::JS_GetOwnProperty(ctx, found.as_mut_ptr(), prototype, key);
            if answer != 0 {
                qjs::JS_FreeValue(ctx, prototype);
                if answer < 0 {
                    return qjs::JS_EXCEPTION;
                }
                let found = found.assume_init();
                if (found.flags as u32 & qjs::JS_PROP_GETSET) == 0 {
                    return found.value;
                }
                let value = if qjs::JS_IsUndefined(found.getter) {
                    qjs::JS_UNDEFINED
                } else {
                    qjs::JS_Call(ctx, found.getter, receiver, 0, ptr::null_mut())
                };
                qjs::JS_FreeValue(ctx, found.getter);
                qjs::JS_FreeValue(ctx, found.setter);
                return value;
            }
            let next = qjs::JS_GetPrototype(ctx, prototype);
            qjs::JS_FreeValue(ctx, prototype);
            prototype = next;
        }
        if qjs::JS_IsException(prototype) { prototype } else { qjs::JS_UNDEFINED }
    }
}
