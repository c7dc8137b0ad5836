//! What the engine's safe interface does not tell about a value, or not without running getters or copying.

use std::{marker::PhantomData, mem::MaybeUninit, ptr, ptr::NonNull};

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

use crate::script::engine_memory::{Atom, Key, Maker, making::IS_INTEGER};

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

/// Where an object lies: the same for the same object, as long as it lives. Nothing for other values.
pub(crate) fn address(value: &Value<'_>) -> usize {
    // SAFETY: reads the pointer of a live object, and does not follow it.
    if value.is_object() { unsafe { qjs::JS_VALUE_GET_PTR(value.as_raw()) }.addr() } else { 0 }
}

/// Whether properties may be added to an object. Runs user code if it is a proxy.
pub(crate) fn is_extensible(object: &Object<'_>) -> bool {
    // SAFETY: asks about a live object.
    unsafe { qjs::JS_IsExtensible(object.ctx().as_raw().as_ptr(), object.as_raw()) == 1 }
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
    // SAFETY: the value is a live string of that context.
    unsafe { with_text_of(value.ctx().as_raw(), value.as_raw(), read) }
}

/// # Safety
/// The value is a live string, and the context one of its engine's.
pub(super) unsafe fn with_text_of<R>(
    ctx: NonNull<qjs::JSContext>,
    text: qjs::JSValue,
    read: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let mut length: qjs::size_t = 0;
    // SAFETY: the caller says so, and the pointer is given back below.
    let text = unsafe { qjs::JS_ToCStringLen2(ctx.as_ptr(), &raw mut length, text, false) };
    if text.is_null() {
        return None;
    }
    // SAFETY: the engine says that so many bytes are there, until they are given back.
    let answer = read(unsafe { std::slice::from_raw_parts(text.cast(), length as usize) });
    // SAFETY: given back once, and not used any more.
    unsafe { qjs::JS_FreeCString(ctx.as_ptr(), text) };
    Some(answer)
}

/// A property key that is alive, since what it was read from has it.
#[derive(Clone, Copy)]
pub(crate) struct LiveKey<'k> {
    pub(super) ctx: NonNull<qjs::JSContext>,
    pub(super) raw: qjs::JSAtom,
    pub(super) alive: PhantomData<&'k ()>,
}

impl LiveKey<'_> {
    pub(crate) fn key(self) -> Key {
        Key(self.raw)
    }

    /// Hands its name over as [`with_text`] does. Nothing for a symbol, or if memory ran out.
    pub(crate) fn with_name<R>(self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let ctx = self.ctx.as_ptr();
        // SAFETY: key and context are alive; the value is ours, and given back. No script runs for either.
        unsafe {
            let value = qjs::JS_AtomToValue(ctx, self.raw);
            let is_text = qjs::JS_VALUE_GET_NORM_TAG(value) == qjs::JS_TAG_STRING;
            let answer = if is_text { with_text_of(self.ctx, value, read) } else { None };
            qjs::JS_FreeValue(ctx, value);
            answer
        }
    }

    /// Counts it once more, never to be given back, so that the key keeps its meaning as long as the engine
    /// lives; the engine's end does not mind.
    pub(crate) fn keep(self) {
        // SAFETY: key and context are alive.
        unsafe { qjs::JS_DupAtom(self.ctx.as_ptr(), self.raw) };
    }
}

/// Own property keys of an object, in the order of the language.
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

    pub(crate) fn iter(&self) -> impl Iterator<Item = LiveKey<'_>> {
        let count = if self.table.is_null() { 0 } else { self.len() };
        // SAFETY: the engine made a table of that length, which is ours until it is given back.
        (0..count).map(|index| LiveKey {
            ctx: self.object.ctx().as_raw(),
            raw: unsafe { (*self.table.add(index)).atom },
            alive: PhantomData,
        })
    }

    /// The property of a key, without running a getter; nothing if it is gone.
    pub(crate) fn property(&self, key: LiveKey<'_>) -> Result<Option<Property<'js>>> {
        if key.ctx != self.object.ctx().as_raw() {
            return Err(Error::UnrelatedRuntime);
        }
        // SAFETY: the key is alive, and of this engine.
        unsafe { own_property_of(self.object, key.raw) }
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
pub(crate) fn own_property<'js>(object: &Object<'js>, name: &str) -> Result<Option<Property<'js>>> {
    let atom = Maker::of(object.ctx()).atom(name.as_bytes())?;
    // SAFETY: the key is alive, and of this engine.
    unsafe { own_property_of(object, atom.raw()) }
}

/// An own item without running a getter.
pub(crate) fn own_item<'js>(object: &Object<'js>, index: u32) -> Result<Option<Property<'js>>> {
    if index >= IS_INTEGER {
        return Err(Error::Unknown);
    }
    // SAFETY: this is how the engine writes small integers as keys; those are not counted.
    unsafe { own_property_of(object, index | IS_INTEGER) }
}

/// # Safety
/// The key is alive, and of the object's engine.
unsafe fn own_property_of<'js>(object: &Object<'js>, key: qjs::JSAtom) -> Result<Option<Property<'js>>> {
    let ctx = object.ctx();
    let raw = ctx.as_raw().as_ptr();
    let mut found = MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
    // SAFETY: the object is live, the caller vouches for the key, and the place is ours.
    let answer = unsafe { qjs::JS_GetOwnProperty(raw, found.as_mut_ptr(), object.as_raw(), key) };
    match answer {
        ..0 => return Err(Error::Exception),
        0 => return Ok(None),
        _ => {}
    }
    // SAFETY: a positive answer says that all of it was filled in, with values that are ours now: getter
    // and setter are undefined unless the flag says that there are some.
    unsafe {
        let found = found.assume_init();
        if (found.flags as u32 & qjs::JS_PROP_GETSET) == 0 {
            return Ok(Some(Property::Data(Value::from_raw(ctx.clone(), found.value))));
        }
        qjs::JS_FreeValue(raw, found.value);
        qjs::JS_FreeValue(raw, found.getter);
        qjs::JS_FreeValue(raw, found.setter);
    }
    Ok(Some(Property::Accessor))
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
    /// As `ReadOnly`, and without asking an [`Exotic`](super::Exotic) object.
    Settled,
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
        Access::Settled => qjs::JS_PROP_ENUMERABLE | qjs::JS_PROP_NO_EXOTIC,
    };
    let atom: Atom<'js> = Maker::of(object.ctx()).atom(name.as_bytes())?;
    let ctx = object.ctx().as_raw().as_ptr();
    // SAFETY: object, value and key are live and of one engine; the value is counted once more, for the object.
    let answer = unsafe {
        let owned = qjs::JS_DupValue(ctx, value.as_raw());
        qjs::JS_DefinePropertyValue(ctx, object.as_raw(), atom.raw(), owned, flags as i32)
    };
    if answer < 0 { Err(Error::Exception) } else { Ok(()) }
}

/// Takes an own property away, if that is allowed.
pub(crate) fn remove(object: &Object<'_>, name: &str) {
    let Ok(atom) = Maker::of(object.ctx()).atom(name.as_bytes()) else { return };
    // SAFETY: object and key are live and of one engine.
    unsafe { qjs::JS_DeleteProperty(object.ctx().as_raw().as_ptr(), object.as_raw(), atom.raw(), 0) };
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
