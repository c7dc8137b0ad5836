//! Values of the engine, made of JSON: of our trees, and of texts at once.

#![expect(unsafe_code, reason = "the engine's C interface; each call says why it is sound")]

use rquickjs::{Ctx, Error, Result, Value, qjs};

use crate::{
    model::{Array, Json},
    script::{
        event_object::MAX_DEPTH,
        json_scan::{EXACT, is_number, number_length, plain_length},
        number_text::small_number,
        raw::Key,
    },
};

/// Keys of member names, each made once: the names of events are few.
///
/// A name has one place; where two names meet, the later one takes it. The default has no places.
#[derive(Default)]
pub(crate) struct Keys(Vec<Option<Known>>);

struct Known {
    name: Box<[u8]>,
    key: Key,
}

impl Keys {
    const PLACES: usize = 1024;

    /// Longer names are made each time.
    const LONGEST: usize = 64;

    /// Keys that are kept.
    pub(crate) fn kept() -> Self {
        Self((0..Self::PLACES).map(|_| None).collect())
    }

    /// The key of a name, counted for the caller; 0 if memory ran out.
    fn key(&mut self, ctx: *mut qjs::JSContext, name: &[u8]) -> Key {
        // SAFETY: the context is live and the bytes are there; keys are counted once for whoever has them.
        unsafe {
            let made = || qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t);
            if name.len() > Self::LONGEST {
                return made();
            }
            let Some(place) = self.0.get_mut(hash(name) % Self::PLACES) else { return made() };
            if let Some(known) = place
                && *known.name == *name
            {
                return qjs::JS_DupAtom(ctx, known.key);
            }
            let key = made();
            if key != 0 {
                // Kept until another name takes the place, or the engine ends, which does not mind.
                let kept = Known { name: name.into(), key: qjs::JS_DupAtom(ctx, key) };
                if let Some(old) = place.replace(kept) {
                    qjs::JS_FreeAtom(ctx, old.key);
                }
            }
            key
        }
    }
}

/// Spreads names over places; no more is needed of it.
fn hash(name: &[u8]) -> usize {
    let mixed = name.iter().fold(name.len() as u64, |hash, byte| {
        (hash.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    (mixed >> 32) as usize
}

/// Builds the value that reading the text of `json` would give, with no keys kept.
pub(crate) fn build_once<'js>(ctx: &Ctx<'js>, json: &Json) -> Result<Value<'js>> {
    build(ctx, &mut Keys::default(), json).map(|(value, _)| value)
}

/// Builds the value that reading the text of `json` would give.
/// Tells beside it whether some number lost digits.
pub(crate) fn build<'js>(ctx: &Ctx<'js>, keys: &mut Keys, json: &Json) -> Result<(Value<'js>, bool)> {
    let mut builder = Builder { ctx: ctx.as_raw().as_ptr(), keys, lost_digits: false };
    let raw = builder.value(json)?;
    // SAFETY: the value was made in this context just now and is ours.
    Ok((unsafe { Value::from_raw(ctx.clone(), raw) }, builder.lost_digits))
}

struct Builder<'a> {
    ctx: *mut qjs::JSContext,
    keys: &'a mut Keys,
    lost_digits: bool,
}

impl Builder<'_> {
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

    fn array(&mut self, items: &Array) -> Result<qjs::JSValue> {
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
                unsafe { add_member(self.ctx, object, self.keys.key(self.ctx, name.as_bytes()), value) }
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
/// Context, object and key are live; key and value are taken over.
unsafe fn add_member(
    ctx: *mut qjs::JSContext,
    object: qjs::JSValue,
    key: Key,
    value: qjs::JSValue,
) -> Result<()> {
    // SAFETY: the caller says so.
    unsafe {
        if key == 0 {
            qjs::JS_FreeValue(ctx, value);
            return Err(Error::Exception);
        }
        let answer = qjs::JS_DefinePropertyValue(ctx, object, key, value, qjs::JS_PROP_C_W_E as i32);
        qjs::JS_FreeAtom(ctx, key);
        if answer < 0 { Err(Error::Exception) } else { Ok(()) }
    }
}

/// # Safety
/// Context and array are live; the value is taken over.
unsafe fn add_item(
    ctx: *mut qjs::JSContext,
    array: qjs::JSValue,
    index: u32,
    value: qjs::JSValue,
) -> Result<()> {
    // SAFETY: the caller says so.
    let answer =
        unsafe { qjs::JS_DefinePropertyValueUint32(ctx, array, index, value, qjs::JS_PROP_C_W_E as i32) };
    if answer < 0 { Err(Error::Exception) } else { Ok(()) }
}

/// Builds the value that a JSON text says, without a tree in between.
///
/// Nothing for a text that needs a closer look: one that is not JSON, or too deep, or spells characters by
/// number, or has numbers of so many digits that some may be lost.
pub(crate) fn build_text<'js>(ctx: &Ctx<'js>, keys: &mut Keys, text: &str) -> Option<Result<Value<'js>>> {
    let mut reader = Reader {
        ctx: ctx.as_raw().as_ptr(),
        keys,
        text: text.as_bytes(),
        at: 0,
        depth: 0,
        scratch: Vec::new(),
    };
    let raw = match reader.value() {
        Ok(raw) => raw,
        Err(Stop::Odd) => return None,
        Err(Stop::Thrown) => return Some(Err(Error::Exception)),
    };
    // SAFETY: the value was made in this context just now and is ours.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    reader.spaces();
    (reader.at == text.len()).then_some(Ok(value))
}

/// Why reading went no further.
enum Stop {
    /// Somebody else has to look.
    Odd,
    /// The engine threw.
    Thrown,
}

impl From<Error> for Stop {
    fn from(_: Error) -> Self {
        Self::Thrown
    }
}

type Read<T> = std::result::Result<T, Stop>;

struct Reader<'a> {
    ctx: *mut qjs::JSContext,
    keys: &'a mut Keys,
    text: &'a [u8],
    at: usize,
    depth: usize,
    scratch: Vec<u8>,
}

impl Reader<'_> {
    fn value(&mut self) -> Read<qjs::JSValue> {
        self.spaces();
        match self.text.get(self.at) {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.text_value(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", qjs::JS_TRUE),
            Some(b'f') => self.word(b"false", qjs::JS_FALSE),
            Some(b'n') => self.word(b"null", qjs::JS_NULL),
            _ => Err(Stop::Odd),
        }
    }

    fn nested(&mut self, read: fn(&mut Self, qjs::JSValue) -> Read<()>) -> Read<qjs::JSValue> {
        if self.depth == MAX_DEPTH {
            return Err(Stop::Odd);
        }
        // SAFETY: the context is live.
        let made = unsafe {
            if self.text.get(self.at) == Some(&b'{') {
                qjs::JS_NewObject(self.ctx)
            } else {
                qjs::JS_NewArray(self.ctx)
            }
        };
        let value = checked(made)?;
        self.depth += 1;
        self.at += 1;
        let answer = read(self, value);
        self.depth -= 1;
        if let Err(stop) = answer {
            // SAFETY: the value is ours and not used any more.
            unsafe { qjs::JS_FreeValue(self.ctx, value) };
            return Err(stop);
        }
        Ok(value)
    }

    fn object(&mut self, object: qjs::JSValue) -> Read<()> {
        self.spaces();
        if self.skip(b'}') {
            return Ok(());
        }
        loop {
            self.spaces();
            let key = self.key()?;
            self.spaces();
            let value = if self.skip(b':') { self.value() } else { Err(Stop::Odd) };
            match value {
                // SAFETY: object, key and value are live and ours; key and value are taken over.
                Ok(value) => unsafe { add_member(self.ctx, object, key, value) }?,
                Err(stop) => {
                    // SAFETY: the key is ours and not used any more.
                    unsafe { qjs::JS_FreeAtom(self.ctx, key) };
                    return Err(stop);
                }
            }
            self.spaces();
            if self.skip(b'}') {
                return Ok(());
            }
            if !self.skip(b',') {
                return Err(Stop::Odd);
            }
        }
    }

    fn array(&mut self, array: qjs::JSValue) -> Read<()> {
        self.spaces();
        if self.skip(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            let value = self.value()?;
            // SAFETY: array and value are live and ours; the value is taken over.
            unsafe { add_item(self.ctx, array, index, value) }?;
            index += 1;
            self.spaces();
            if self.skip(b']') {
                return Ok(());
            }
            if !self.skip(b',') {
                return Err(Stop::Odd);
            }
        }
    }

    fn key(&mut self) -> Read<Key> {
        if self.text.get(self.at) != Some(&b'"') {
            return Err(Stop::Odd);
        }
        let (start, end) = self.run()?;
        let name = self.text.get(start..end).unwrap_or_default();
        if !self.skip(b'"') {
            return Err(Stop::Odd);
        }
        match self.keys.key(self.ctx, name) {
            0 => Err(Stop::Thrown),
            key => Ok(key),
        }
    }

    fn text_value(&mut self) -> Read<qjs::JSValue> {
        let (start, end) = self.run()?;
        if !self.skip(b'"') {
            return self.escaped(start, end);
        }
        made_text(self.ctx, self.text.get(start..end).unwrap_or_default())
    }

    /// A text in which something is escaped, after its first plain characters.
    fn escaped(&mut self, start: usize, end: usize) -> Read<qjs::JSValue> {
        self.scratch.clear();
        self.scratch.extend_from_slice(self.text.get(start..end).unwrap_or_default());
        loop {
            if !self.skip(b'\\') {
                return Err(Stop::Odd);
            }
            let escape = self.text.get(self.at).ok_or(Stop::Odd)?;
            self.scratch.push(match escape {
                b'"' | b'\\' | b'/' => *escape,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => return Err(Stop::Odd),
            });
            // What follows is read as if a text began here.
            let (start, end) = self.run()?;
            self.scratch.extend_from_slice(self.text.get(start..end).unwrap_or_default());
            if self.skip(b'"') {
                return made_text(self.ctx, &self.scratch);
            }
        }
    }

    /// The plain characters behind the next one: where they begin and end.
    fn run(&mut self) -> Read<(usize, usize)> {
        let start = self.at + 1;
        let rest = self.text.get(start..).ok_or(Stop::Odd)?;
        let end = start + plain_length(rest).ok_or(Stop::Odd)?;
        self.at = end;
        Ok((start, end))
    }

    fn number(&mut self) -> Read<qjs::JSValue> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = number_length(rest);
        let text = rest.get(..length).and_then(|number| std::str::from_utf8(number).ok()).ok_or(Stop::Odd)?;
        if length > EXACT || !is_number(text.as_bytes()) {
            return Err(Stop::Odd);
        }
        self.at += length;
        if let Some(small) = small_number(text) {
            return Ok(qjs::JS_MKVAL(qjs::JS_TAG_INT, small));
        }
        Ok(qjs::JS_NewFloat64(text.parse().ok().ok_or(Stop::Odd)?))
    }

    fn word(&mut self, word: &[u8], value: qjs::JSValue) -> Read<qjs::JSValue> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Stop::Odd);
        }
        self.at += word.len();
        Ok(value)
    }

    fn spaces(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn skip(&mut self, expected: u8) -> bool {
        let is_there = self.text.get(self.at) == Some(&expected);
        self.at += usize::from(is_there);
        is_there
    }
}

fn made_text(ctx: *mut qjs::JSContext, text: &[u8]) -> Read<qjs::JSValue> {
    // SAFETY: the context is live and the bytes are there.
    let made = unsafe { qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as qjs::size_t) };
    Ok(checked(made)?)
}
