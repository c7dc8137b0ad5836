//! The few things of the engine that its safe interface does not offer, behind safe functions:
//! properties without running getters, errors that no `catch` sees, texts without a copy, trees built
//! quickly, and an object whose absent members are made when they are first read.

#![expect(unsafe_code, reason = "the engine's C interface; each call says why it is sound")]

use std::{mem::MaybeUninit, ptr, ptr::NonNull, rc::Rc, sync::Arc};

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

pub(crate) use crate::script::repaired_text::repaired;
use crate::{
    model::Json,
    script::{
        allocator::Meter,
        event_object::{self, EventCell},
        number_text::small_number,
    },
};

/// What a value is, apart from the kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Undefined,
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    Text,
    BigInt,
    Symbol,
    Object,
    Other,
}

/// What an own property holds.
pub(crate) enum Property<'js> {
    /// A value, and whether it may be written, listed and taken away, as those that reading JSON makes.
    Data(Value<'js>, bool),
    Accessor,
}

/// A property key of the engine, not counted: it lives as long as what it was read from.
pub(crate) type Key = u32;

pub(crate) fn kind(value: &Value<'_>) -> Kind {
    let raw = value.as_raw();
    // SAFETY: reading the tag of a live value, and the payload that the tag says is there.
    unsafe {
        match qjs::JS_VALUE_GET_NORM_TAG(raw) {
            qjs::JS_TAG_UNDEFINED => Kind::Undefined,
            qjs::JS_TAG_NULL => Kind::Null,
            qjs::JS_TAG_BOOL => Kind::Bool(qjs::JS_VALUE_GET_BOOL(raw)),
            qjs::JS_TAG_INT => Kind::Int(qjs::JS_VALUE_GET_INT(raw)),
            qjs::JS_TAG_FLOAT64 => Kind::Float(qjs::JS_VALUE_GET_FLOAT64(raw)),
            qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => Kind::Text,
            qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => Kind::BigInt,
            qjs::JS_TAG_SYMBOL => Kind::Symbol,
            qjs::JS_TAG_OBJECT => Kind::Object,
            _ => Kind::Other,
        }
    }
}

/// The number of an object's class; no object has none.
pub(crate) fn class_of(value: &Value<'_>) -> u32 {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

/// Where an object lies: the same for the same object, as long as it lives.
pub(crate) fn address(value: &Value<'_>) -> usize {
    // SAFETY: reads the pointer of a live value; callers ask for objects only, and never follow it.
    unsafe { qjs::JS_VALUE_GET_PTR(value.as_raw()) }.addr()
}

/// How often an object is referred to, our own value counted. Only where [`counts_references`] says so.
pub(crate) fn references(object: &Object<'_>) -> i32 {
    // SAFETY: the count stands in the four bytes before each object, as the check at the engine's start
    // has seen for this build of the engine.
    unsafe { qjs::JS_VALUE_GET_PTR(object.as_raw()).cast::<i32>().sub(1).read_unaligned() }
}

/// Whether [`references`] tells the truth in this build of the engine.
pub(crate) fn counts_references(ctx: &Ctx<'_>) -> bool {
    let Ok(object) = Object::new(ctx.clone()) else { return false };
    let one = references(&object);
    let second = object.clone();
    let two = references(&object);
    drop(second);
    (one, two, references(&object)) == (1, 2, 1)
}

/// Whether properties may be added to an object.
pub(crate) fn is_extensible(object: &Object<'_>) -> bool {
    // SAFETY: asks about a live object that is no proxy.
    unsafe { qjs::JS_IsExtensible(object.ctx().as_raw().as_ptr(), object.as_raw()) == 1 }
}

/// Where an object's prototype lies. Not for proxies.
pub(crate) fn prototype_address(object: &Object<'_>) -> usize {
    let ctx = object.ctx().as_raw().as_ptr();
    // SAFETY: the object is live; the prototype is given back, and its address is not followed.
    unsafe {
        let prototype = qjs::JS_GetPrototype(ctx, object.as_raw());
        let address = if qjs::JS_IsObject(prototype) { qjs::JS_VALUE_GET_PTR(prototype).addr() } else { 0 };
        qjs::JS_FreeValue(ctx, prototype);
        address
    }
}

/// Makes an error object pass every `catch` and `finally`.
pub(crate) fn make_uncatchable(error: &Value<'_>) {
    // SAFETY: marks a live object; what is no error is left alone.
    unsafe { qjs::JS_SetUncatchableError(error.ctx().as_raw().as_ptr(), error.as_raw()) };
}

/// Hands the text of a string over: UTF-8, but half a surrogate pair comes in three bytes of its own.
/// Nothing if it is no string, or memory ran out.
pub(crate) fn with_text<R>(value: &Value<'_>, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
    if kind(value) != Kind::Text {
        return None;
    }
    let ctx = value.ctx().as_raw().as_ptr();
    let mut length: qjs::size_t = 0;
    // SAFETY: the value is a live string, and the pointer is given back below.
    let text = unsafe { qjs::JS_ToCStringLen2(ctx, &raw mut length, value.as_raw(), false) };
    if text.is_null() {
        return None;
    }
    // SAFETY: the engine says that so many bytes are there, until they are given back.
    let answer = read(unsafe { std::slice::from_raw_parts(text.cast(), length as usize) });
    // SAFETY: given back once, and not used any more.
    unsafe { qjs::JS_FreeCString(ctx, text) };
    Some(answer)
}

/// Own property keys of an object, in the order of the language; given back when dropped.
pub(crate) struct Keys<'a, 'js> {
    object: &'a Object<'js>,
    table: *mut qjs::JSPropertyEnum,
    length: u32,
}

/// The own keys of an object, symbols last; hidden ones, too. Runs user code if it is a proxy.
pub(crate) fn own_keys<'a, 'js>(object: &'a Object<'js>) -> Result<Keys<'a, 'js>> {
    let mut keys = Keys { object, table: ptr::null_mut(), length: 0 };
    let wanted = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_SYMBOL_MASK) as i32;
    let ctx = object.ctx().as_raw().as_ptr();
    // SAFETY: the object is live; table and length are ours, and are given back in `drop`.
    let answer = unsafe {
        qjs::JS_GetOwnPropertyNames(ctx, &raw mut keys.table, &raw mut keys.length, object.as_raw(), wanted)
    };
    if answer < 0 { Err(Error::Exception) } else { Ok(keys) }
}

impl<'js> Keys<'_, 'js> {
    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    pub(crate) fn key(&self, index: usize) -> Option<Key> {
        // SAFETY: the engine made a table of that length; an index beyond it is not read.
        (index < self.len() && !self.table.is_null()).then(|| unsafe { (*self.table.add(index)).atom })
    }

    /// The property of that key, without running a getter; nothing if it is gone.
    pub(crate) fn property(&self, key: Key) -> Result<Option<Property<'js>>> {
        own_property(self.object, key)
    }
}

impl Drop for Keys<'_, '_> {
    fn drop(&mut self) {
        if !self.table.is_null() {
            // SAFETY: the table came from the engine with that length, and is given back once.
            unsafe {
                qjs::JS_FreePropertyEnum(self.object.ctx().as_raw().as_ptr(), self.table, self.length);
            }
        }
    }
}

/// An own property without running a getter.
pub(crate) fn own_property<'js>(object: &Object<'js>, key: Key) -> Result<Option<Property<'js>>> {
    let ctx = object.ctx();
    let mut found = MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
    // SAFETY: the object is live, the key belongs to this engine, and the place is ours.
    let answer =
        unsafe { qjs::JS_GetOwnProperty(ctx.as_raw().as_ptr(), found.as_mut_ptr(), object.as_raw(), key) };
    if answer < 0 {
        return Err(Error::Exception);
    }
    if answer == 0 {
        return Ok(None);
    }
    // SAFETY: a positive answer says that all of it was filled in, with values that are ours now: getter
    // and setter are undefined unless the flag says that there are some.
    unsafe {
        let found = found.assume_init();
        if (found.flags as u32 & qjs::JS_PROP_GETSET) == 0 {
            let is_free = (found.flags as u32 & qjs::JS_PROP_C_W_E) == qjs::JS_PROP_C_W_E;
            return Ok(Some(Property::Data(Value::from_raw(ctx.clone(), found.value), is_free)));
        }
        let raw = ctx.as_raw().as_ptr();
        qjs::JS_FreeValue(raw, found.value);
        qjs::JS_FreeValue(raw, found.getter);
        qjs::JS_FreeValue(raw, found.setter);
    }
    Ok(Some(Property::Accessor))
}

/// The key of an array's item.
pub(crate) fn index_key(index: u32) -> Option<Key> {
    // How the engine itself writes small integers as keys.
    const IS_INTEGER: u32 = 1 << 31;
    (index < IS_INTEGER).then_some(index | IS_INTEGER)
}

/// Names of keys, read once each.
#[derive(Default)]
pub(crate) struct Names(Vec<Option<Arc<str>>>);

impl Names {
    /// Keys beyond are read each time: nobody has so many names.
    const MOST: usize = 1 << 16;

    /// The name of a key; nothing for a symbol, or if memory ran out.
    pub(crate) fn name(&mut self, ctx: &Ctx<'_>, key: Key) -> Option<Arc<str>> {
        let place = key as usize;
        if let Some(Some(name)) = self.0.get(place) {
            return Some(Arc::clone(name));
        }
        // SAFETY: the key is live, being in use by the object that it was read from.
        let value = unsafe { Value::from_raw(ctx.clone(), qjs::JS_AtomToValue(ctx.as_raw().as_ptr(), key)) };
        let name: Arc<str> = with_text(&value, |text| repaired(text).into())?;
        if place < Self::MOST {
            if self.0.len() <= place {
                self.0.resize(place + 1, None);
            }
            if let Some(entry) = self.0.get_mut(place) {
                // SAFETY: counted once more and never given back, so that the key keeps its meaning as
                // long as the engine lives; the engine's end does not mind.
                unsafe { qjs::JS_DupAtom(ctx.as_raw().as_ptr(), key) };
                *entry = Some(Arc::clone(&name));
            }
        }
        Some(name)
    }
}

/// Builds the value that reading the text of `json` would give.
/// Tells beside it whether some number lost digits.
pub(crate) fn build<'js>(ctx: &Ctx<'js>, json: &Json) -> Result<(Value<'js>, bool)> {
    let mut builder = Builder { ctx: ctx.as_raw().as_ptr(), lost_digits: false };
    let raw = builder.value(json)?;
    // SAFETY: the value was made in this context just now and is ours.
    Ok((unsafe { Value::from_raw(ctx.clone(), raw) }, builder.lost_digits))
}

struct Builder {
    ctx: *mut qjs::JSContext,
    lost_digits: bool,
}

impl Builder {
    fn value(&mut self, json: &Json) -> Result<qjs::JSValue> {
        let raw = match json {
            Json::Null => qjs::JS_NULL,
            Json::Bool(true) => qjs::JS_TRUE,
            Json::Bool(false) => qjs::JS_FALSE,
            Json::Number(number) => {
                let text = number.as_str();
                if let Some(small) = small_number(text) {
                    return Ok(qjs::JS_MKVAL(qjs::JS_TAG_INT, small));
                }
                let value = number.as_f64();
                // Fifteen digits always fit.
                if text.len() > 15 && !crate::script::rounding::is_exact(text, value) {
                    self.lost_digits = true;
                }
                qjs::JS_NewFloat64(value)
            }
            // SAFETY: the context is live and the bytes are there.
            Json::Text(text) => unsafe {
                qjs::JS_NewStringLen(self.ctx, text.as_ptr().cast(), text.len() as qjs::size_t)
            },
            Json::Array(items) => return self.array(items),
            Json::Object(object) => return self.object(object),
        };
        checked(raw)
    }

    fn array(&mut self, items: &crate::model::Array) -> Result<qjs::JSValue> {
        // SAFETY: the context is live.
        let array = checked(unsafe { qjs::JS_NewArray(self.ctx) })?;
        for (index, item) in (0_u32..).zip(items) {
            let defined = self.value(item).and_then(|value| {
                // SAFETY: array and value are live; the value is taken over, even on failure.
                let answer = unsafe {
                    let all = qjs::JS_PROP_C_W_E as i32;
                    qjs::JS_DefinePropertyValueUint32(self.ctx, array, index, value, all)
                };
                if answer < 0 { Err(Error::Exception) } else { Ok(()) }
            });
            if let Err(err) = defined {
                // SAFETY: the array is ours and not used any more.
                unsafe { qjs::JS_FreeValue(self.ctx, array) };
                return Err(err);
            }
        }
        Ok(array)
    }

    fn object(&mut self, members: &crate::model::Object) -> Result<qjs::JSValue> {
        // SAFETY: the context is live.
        let object = checked(unsafe { qjs::JS_NewObject(self.ctx) })?;
        for (name, member) in members.iter() {
            let defined = self.value(member).and_then(|value| {
                // SAFETY: object, name and value are live; the value is taken over, even on failure.
                unsafe { define_raw(self.ctx, object, name, value, qjs::JS_PROP_C_W_E) }
            });
            if let Err(err) = defined {
                // SAFETY: the object is ours and not used any more.
                unsafe { qjs::JS_FreeValue(self.ctx, object) };
                return Err(err);
            }
        }
        Ok(object)
    }
}

fn checked(raw: qjs::JSValue) -> Result<qjs::JSValue> {
    // SAFETY: reads a tag.
    if unsafe { qjs::JS_IsException(raw) } { Err(Error::Exception) } else { Ok(raw) }
}

/// # Safety
/// Context and object are live, the value is owned; it is taken over.
unsafe fn define_raw(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    name: &str,
    value: qjs::JSValue,
    flags: u32,
) -> Result<()> {
    // SAFETY: the caller vouches for context, object and value; the key is given back once.
    unsafe {
        let key = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t);
        if key == 0 {
            qjs::JS_FreeValue(ctx, value);
            return Err(Error::Exception);
        }
        let answer = qjs::JS_DefinePropertyValue(ctx, object, key, value, flags as i32);
        qjs::JS_FreeAtom(ctx, key);
        if answer < 0 { Err(Error::Exception) } else { Ok(()) }
    }
}

/// How a property may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// As any other.
    Free,
    /// Not listed, but free otherwise, as built-in functions are.
    Hidden,
    /// Neither written nor taken away, but listed.
    ReadOnly,
    /// Neither written nor taken away nor listed.
    Fixed,
}

/// Defines an own property, whatever stands in the way on the prototypes.
pub(crate) fn define<'js>(
    object: &Object<'js>,
    name: &str,
    value: &Value<'js>,
    access: Access,
) -> Result<()> {
    let flags = match access {
        Access::Free => qjs::JS_PROP_C_W_E,
        Access::Hidden => qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE,
        Access::ReadOnly => qjs::JS_PROP_ENUMERABLE,
        Access::Fixed => 0,
    };
    let ctx = object.ctx().as_raw().as_ptr();
    // SAFETY: object and value are live; the value is counted once more, for the object.
    unsafe {
        let owned = qjs::JS_DupValue(ctx, value.as_raw());
        define_raw(ctx, object.as_raw(), name, owned, flags)
    }
}

/// Takes an own property away, if that is allowed.
pub(crate) fn remove(object: &Object<'_>, name: &str) {
    let ctx = object.ctx().as_raw().as_ptr();
    // SAFETY: the object is live; the key is given back once.
    unsafe {
        let key = qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t);
        qjs::JS_DeleteProperty(ctx, object.as_raw(), key, 0);
        qjs::JS_FreeAtom(ctx, key);
    }
}

/// The kind of object that an event is to a script, and the keys it answers late.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EventClass {
    class: u32,
    keys: [Key; event_object::LATE.len()],
    members: [Key; event_object::MEMBERS.len()],
}

impl EventClass {
    /// Makes the kind known to an engine. Once for each engine.
    pub(crate) fn register(ctx: &Ctx<'_>) -> Result<Self> {
        let class = register(ctx, &EVENT_METHODS, finish_event)?;
        let ctx = ctx.as_raw().as_ptr();
        // SAFETY: the context is live. Never given back: the keys keep their meaning as long as the engine lives.
        let key =
            |name: &str| unsafe { qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t) };
        Ok(Self { class, keys: event_object::LATE.map(key), members: event_object::MEMBERS.map(key) })
    }

    /// Defines a member that is there from the start, by its place among [`MEMBERS`](event_object::MEMBERS).
    pub(crate) fn define(&self, object: &Object<'_>, place: usize, value: &Value<'_>) -> Result<()> {
        let Some(key) = self.members.get(place).filter(|key| **key != 0) else { return Err(Error::Unknown) };
        let (ctx, listed) = (object.ctx().as_raw().as_ptr(), qjs::JS_PROP_ENUMERABLE as i32);
        // SAFETY: object and value are live; the value is counted once more, for the object.
        let answer = unsafe {
            let owned = qjs::JS_DupValue(ctx, value.as_raw());
            qjs::JS_DefinePropertyValue(ctx, object.as_raw(), *key, owned, listed)
        };
        if answer < 0 { Err(Error::Exception) } else { Ok(()) }
    }

    pub(crate) fn is_event(&self, value: &Value<'_>) -> bool {
        class_of(value) == self.class
    }

    /// An event object with nothing but its late members.
    pub(crate) fn new_object<'js>(
        &self,
        prototype: &Object<'js>,
        cell: Rc<EventCell>,
    ) -> Result<Object<'js>> {
        // SAFETY: the class was registered for cells.
        unsafe { new_object(prototype, self.class, cell) }
    }
}

/// Makes a kind of object known to an engine.
fn register(
    ctx: &Ctx<'_>,
    methods: &'static qjs::JSClassExoticMethods,
    finalizer: unsafe extern "C" fn(*mut qjs::JSRuntime, qjs::JSValue),
) -> Result<u32> {
    let definition = qjs::JSClassDef {
        class_name: c"Object".as_ptr(),
        finalizer: Some(finalizer),
        gc_mark: None,
        call: None,
        exotic: ptr::from_ref(methods).cast_mut(),
    };
    let mut class = 0;
    // SAFETY: the engine is live; it copies the definition and the name, and only reads the methods,
    // which live for ever.
    unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_NewClassID(runtime, &raw mut class);
        if qjs::JS_NewClass(runtime, class, &raw const definition) < 0 {
            return Err(Error::Exception);
        }
    }
    Ok(class)
}

/// An object of a class of ours, with what it keeps.
///
/// # Safety
/// The class was registered with a finalizer that gives back one count of a `T`.
unsafe fn new_object<'js, T>(prototype: &Object<'js>, class: u32, kept: Rc<T>) -> Result<Object<'js>> {
    let ctx = prototype.ctx();
    // SAFETY: context and prototype are live; the object takes over one count of what it keeps.
    let value = unsafe {
        let raw = qjs::JS_NewObjectProtoClass(ctx.as_raw().as_ptr(), prototype.as_raw(), class);
        if qjs::JS_IsException(raw) {
            return Err(Error::Exception);
        }
        qjs::JS_SetOpaque(raw, Rc::into_raw(kept).cast_mut().cast());
        Value::from_raw(ctx.clone(), raw)
    };
    value.into_object().ok_or(Error::Unknown)
}

/// An object that looks at the stack whenever it is asked to become a number.
///
/// The engine asks its `Error.stackTraceLimit` so, each time it makes an error: also when the stack is
/// used up, and before any user code could catch that. It stands for the number that `valueOf` of the
/// prototype gives.
pub(crate) fn depth_watch<'js>(prototype: &Object<'js>, meter: Rc<Meter>) -> Result<Object<'js>> {
    let class = register(prototype.ctx(), &WATCH_METHODS, finish_watch)?;
    // SAFETY: the class was registered for meters just now.
    unsafe { new_object(prototype, class, meter) }
}

unsafe extern "C" {
    /// The engine's door for its own standard library. Exported, but named in no header.
    fn js_std_cmd(command: std::ffi::c_int, ...) -> usize;
}

/// Where the last throw that was not caught came from, in the form of `Error.stack`. Other than that it
/// is known for whatever was thrown, not for errors only.
pub(crate) fn take_back_trace<'js>(ctx: &Ctx<'js>) -> Value<'js> {
    const BACK_TRACE: std::ffi::c_int = 2;
    let mut trace = qjs::JS_UNDEFINED;
    // SAFETY: this command takes a context and a place for a value, which is ours afterwards.
    unsafe {
        js_std_cmd(BACK_TRACE, ctx.as_raw().as_ptr(), &raw mut trace);
        Value::from_raw(ctx.clone(), trace)
    }
}

/// Own members are found first, and without these methods; only what is missing is asked for.
const fn methods(
    get_property: unsafe extern "C" fn(
        *mut qjs::JSContext,
        qjs::JSValue,
        qjs::JSAtom,
        qjs::JSValue,
    ) -> qjs::JSValue,
) -> qjs::JSClassExoticMethods {
    qjs::JSClassExoticMethods {
        get_own_property: None,
        get_own_property_names: None,
        delete_property: None,
        define_own_property: None,
        has_property: None,
        get_property: Some(get_property),
        set_property: None,
    }
}

static EVENT_METHODS: qjs::JSClassExoticMethods = methods(get_late);
static WATCH_METHODS: qjs::JSClassExoticMethods = methods(look_at_depth);

unsafe extern "C" fn finish_event(_runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: called once for each object of this kind.
    unsafe { finish::<EventCell>(object) };
}

unsafe extern "C" fn finish_watch(_runtime: *mut qjs::JSRuntime, object: qjs::JSValue) {
    // SAFETY: called once for each object of this kind.
    unsafe { finish::<Meter>(object) };
}

/// # Safety
/// The object keeps one count of a `T`, or nothing if it could not be made; it is not used any more.
unsafe fn finish<T>(object: qjs::JSValue) {
    // SAFETY: the caller vouches for what the object keeps.
    unsafe {
        let kept = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<T>();
        if !kept.is_null() {
            drop(Rc::from_raw(kept));
        }
    }
}

/// Called by the engine as it makes an error.
unsafe extern "C" fn look_at_depth(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls with live arguments; the meter lives as long as the object.
    unsafe {
        let meter = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<Meter>();
        if let Some(meter) = meter.as_ref() {
            meter.look_at_depth();
        }
        inherited(ctx, object, key, receiver)
    }
}

/// Called by the engine for a member that an event object does not have itself.
unsafe extern "C" fn get_late(
    raw: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: qjs::JSAtom,
    receiver: qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls with live arguments, which it keeps counting itself; the cell lives as
    // long as the object.
    unsafe {
        let Some(context) = NonNull::new(raw) else { return qjs::JS_UNDEFINED };
        let cell = qjs::JS_GetOpaque(object, qjs::JS_GetClassID(object)).cast::<EventCell>();
        if let Some(cell) = cell.as_ref() {
            let late = cell.host.event_class.get().keys.iter().position(|known| *known == key);
            if let Some(name) = late.and_then(|at| event_object::LATE.get(at)) {
                let ctx = Ctx::from_raw(context);
                let Ok(value) = late_value(cell, &ctx, object, name) else { return qjs::JS_EXCEPTION };
                let listed = qjs::JS_PROP_ENUMERABLE as i32;
                let answer = qjs::JS_DupValue(raw, value.as_raw());
                let kept = qjs::JS_DupValue(raw, value.as_raw());
                qjs::JS_DefinePropertyValue(raw, object, key, kept, listed);
                return answer;
            }
        }
        inherited(raw, object, key, receiver)
    }
}

/// `body` and `data` are one value: what was read under the one name is taken for the other.
///
/// # Safety
/// The object is live and of our kind.
unsafe fn late_value<'js>(
    cell: &EventCell,
    ctx: &Ctx<'js>,
    object: qjs::JSValue,
    name: &str,
) -> Result<Value<'js>> {
    let twin = match name {
        "body" => Some("data"),
        "data" => Some("body"),
        _ => None,
    };
    let keys = cell.host.event_class.get().keys;
    let twin = twin.and_then(|twin| event_object::LATE.iter().position(|late| *late == twin));
    if let Some(key) = twin.and_then(|at| keys.get(at)) {
        // SAFETY: the object is live, and counted once more for the value that is dropped here.
        let object = unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), object)) };
        if let Some(object) = object.as_object()
            && let Some(Property::Data(value, _)) = own_property(object, *key)?
        {
            return Ok(value);
        }
    }
    event_object::read_late(cell, ctx, name)
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
