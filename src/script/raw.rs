//! The few things of the engine that its safe interface does not offer, behind safe functions:
//! properties without running getters, errors that no `catch` sees, texts without a copy.
//!
//! Beside it, `raw_class` makes kinds of objects of ours, `raw_event` the one that events are, `raw_build`
//! builds values of texts and trees, and `raw_image` reads plain data where it lies.

#![expect(unsafe_code, reason = "the engine's C interface; each call says why it is sound")]

use std::{mem::MaybeUninit, ptr, sync::Arc};

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

pub(crate) use crate::script::repaired_text::repaired;

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
    Data(Value<'js>),
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
            return Ok(Some(Property::Data(Value::from_raw(ctx.clone(), found.value))));
        }
        let raw = ctx.as_raw().as_ptr();
        qjs::JS_FreeValue(raw, found.value);
        qjs::JS_FreeValue(raw, found.getter);
        qjs::JS_FreeValue(raw, found.setter);
    }
    Ok(Some(Property::Accessor))
}

/// How the engine itself writes small integers as keys.
const IS_INTEGER: u32 = 1 << 31;

/// The key of an array's item.
pub(crate) fn index_key(index: u32) -> Option<Key> {
    (index < IS_INTEGER).then_some(index | IS_INTEGER)
}

/// The small integer that a key is, if it is one.
pub(crate) fn index_of(key: Key) -> Option<u32> {
    (key & IS_INTEGER != 0).then_some(key & !IS_INTEGER)
}

/// Names of keys, read once each.
#[derive(Default)]
pub(crate) struct Names(Vec<Option<Name>>);

struct Name {
    text: Arc<str>,
    /// Whether the text says all that the engine's says: no half of a surrogate pair is in it.
    is_whole: bool,
}

impl Names {
    /// Keys beyond are read each time: nobody has so many names.
    const MOST: usize = 1 << 16;

    /// The name of a key; nothing for a symbol, or if memory ran out.
    pub(crate) fn name(&mut self, ctx: &Ctx<'_>, key: Key) -> Option<Arc<str>> {
        let place = key as usize;
        if let Some(Some(name)) = self.0.get(place) {
            return Some(Arc::clone(&name.text));
        }
        // SAFETY: the key is live, being in use by the object that it was read from.
        let value = unsafe { Value::from_raw(ctx.clone(), qjs::JS_AtomToValue(ctx.as_raw().as_ptr(), key)) };
        let (name, is_whole): (Arc<str>, _) =
            with_text(&value, |text| (repaired(text).into(), std::str::from_utf8(text).is_ok()))?;
        if place < Self::MOST {
            if self.0.len() <= place {
                self.0.resize_with(place + 1, || None);
            }
            if let Some(entry) = self.0.get_mut(place) {
                // SAFETY: counted once more and never given back, so that the key keeps its meaning as
                // long as the engine lives; the engine's end does not mind.
                unsafe { qjs::JS_DupAtom(ctx.as_raw().as_ptr(), key) };
                *entry = Some(Name { text: Arc::clone(&name), is_whole });
            }
        }
        Some(name)
    }

    /// How long the name is, if it is one that is read once and says all that the engine's says.
    pub(crate) fn length(&mut self, ctx: &Ctx<'_>, key: Key) -> Option<usize> {
        let place = key as usize;
        if self.0.get(place).is_none_or(Option::is_none) {
            if place >= Self::MOST {
                return None;
            }
            self.name(ctx, key)?;
        }
        let name = self.0.get(place)?.as_ref()?;
        name.is_whole.then_some(name.text.len())
    }

    /// The name of a key that was asked for before; digits for a small integer.
    pub(crate) fn known(&self, key: Key) -> Arc<str> {
        if let Some(index) = index_of(key) {
            return index.to_string().into();
        }
        let name = self.0.get(key as usize).and_then(Option::as_ref);
        name.map(|name| Arc::clone(&name.text)).unwrap_or_default()
    }

    /// Whether that is the name of a key that was asked for before.
    pub(crate) fn is(&self, key: Key, name: &str) -> bool {
        match self.0.get(key as usize).and_then(Option::as_ref) {
            Some(known) => *known.text == *name,
            None => *self.known(key) == *name,
        }
    }
}

/// # Safety
/// Context and object are live, the value is owned; it is taken over.
pub(crate) unsafe fn define_raw(
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
