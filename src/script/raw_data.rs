//! Plain data of the engine, read where it lies.
//!
//! Asking the engine for each name and value takes longer than most handlers, so objects, arrays and texts are
//! read in the engine's own memory. How that is laid out is known for one version of the engine alone:
//! [`can_be_read`] looks for that version and tries samples; where it says no, nothing is read in place.

#![expect(unsafe_code, reason = "reads the engine's memory; each step says why it is sound")]

use std::{
    ffi::{CStr, c_void},
    sync::Arc,
};

use rquickjs::{Ctx, Value, qjs};

use crate::script::{
    event_object::MAX_DEPTH,
    host::Plain,
    raw::{Key, Names, index_of},
    raw_image::Image,
};

/// The version whose memory is known here.
const VERSION: &CStr = c"0.16.2";

/// An object, as far as it is read.
#[repr(C)]
pub(crate) struct ObjectHead {
    links: [*const c_void; 2],
    pub(crate) flags: u8,
    more_flags: u8,
    class: u16,
    shape: *const ShapeHead,
    /// The values of its properties, in the order of the shape's.
    values: *const qjs::JSValue,
    weak_references: *const c_void,
    items_room: u32,
    /// The items, if it is a fast array.
    items: *const qjs::JSValue,
    items_count: u32,
}

const EXTENSIBLE: u8 = 1 << 1;
pub(crate) const FAST_ARRAY: u8 = 1 << 4;

/// What objects of the same properties share. Behind it follow a hash table, and the properties.
#[repr(C)]
struct ShapeHead {
    links: [*const c_void; 2],
    is_hashed: u8,
    hash: u32,
    hash_mask: u32,
    room: i32,
    /// Deleted ones among them.
    count: i32,
    deleted: i32,
    next: *const c_void,
    prototype: *const c_void,
}

/// A property of a shape.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PropertyHead {
    /// The upper six bits say how it may be used.
    flags: u32,
    pub(crate) key: Key,
}

/// A text. Behind it follow its characters, or where they are.
#[repr(C)]
struct TextHead {
    length: u32,
    kind: u32,
    next: u32,
    weak_references: *const c_void,
    links: [*const c_void; 2],
}

const WIDE: u32 = 1 << 31;

/// A text of two others.
#[repr(C)]
struct RopeHead {
    length: u32,
    is_wide: u8,
    depth: u8,
    left: qjs::JSValue,
    right: qjs::JSValue,
}

/// The characters of a text.
#[derive(PartialEq)]
pub(crate) enum Characters<'a> {
    /// The first 256 of Unicode.
    Narrow(&'a [u8]),
    Wide(&'a [u16]),
}

/// Whether the engine's memory is laid out as it is known here.
pub(crate) fn can_be_read(ctx: &Ctx<'_>, plain: Plain) -> bool {
    // SAFETY: the version is a text that lives for ever.
    let version = unsafe { CStr::from_ptr(qjs::JS_GetVersion()) };
    let is_known = version == VERSION
        && plain.counts_references
        && cfg!(target_endian = "little")
        && size_of::<usize>() == 8
        && size_of::<qjs::JSValue>() == 16;
    let is_read = || {
        Ok::<_, rquickjs::Error>(
            text_is_found(ctx)? && sample_is_read(ctx, Plain { is_readable: true, ..plain })?,
        )
    };
    is_known && is_read().unwrap_or(false)
}

/// Whether the characters of a text begin where they are looked for: the head is longer in some builds. The
/// text is long enough to hold the place in all of them.
fn text_is_found(ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
    let digits: String = (0..50).map(|number| char::from(b'0' + number % 10)).collect();
    let text: Value<'_> = ctx.eval(format!("'{digits}'.concat('.')"))?;
    // SAFETY: a text of that length takes more memory than any head and what is compared here.
    let found = unsafe {
        let behind = qjs::JS_VALUE_GET_PTR(text.as_raw()).cast::<TextHead>().add(1).cast::<[u8; 10]>();
        tag_of(text.as_raw()) == qjs::JS_TAG_STRING && behind.read_unaligned() == *b"0123456789"
    };
    Ok(found)
}

/// Reads samples both ways.
fn sample_is_read(ctx: &Ctx<'_>, plain: Plain) -> rquickjs::Result<bool> {
    const SAMPLE: &str = r#"({ gone: 1, a: 1, b: -2.5, c: "text", d: "naïve", e: "日本", f: [true, null, { g: [] }],
        h: {}, i: "x".repeat(2000) + "y", "7": false })"#;
    const EXPECTED: &str = r#"{"7":false,"a":1,"b":-2.5,"c":"text","d":"naïve","e":"日本","f":[true,null,{"g":[]}],"h":{},"i":""#;
    let sample: rquickjs::Object<'_> = ctx.eval(SAMPLE)?;
    sample.remove("gone")?;
    let mut names = Names::default();
    let mut is_plain = |value: &Value<'_>| {
        let mut looking = Looking { ctx, plain, names: &mut names, size: 0, most: usize::MAX };
        // SAFETY: the version is the known one, and the value is a live object.
        unsafe { looking.is_plain(object_of(value.as_raw()), 0) }
    };
    let mut is_told_apart = is_plain(sample.as_value());
    for odd in [
        "[1, , 2]",
        "Object.freeze({})",
        "({ get a() { return 1; } })",
        "Object.create({ a: 1 })",
        "[undefined]",
        "(() => { const a = {}; return { a, b: a }; })()",
        "new Date(0)",
        "({ [Symbol.iterator]: 1 })",
        "[String.fromCharCode(0xd800)]",
        "(() => { const a = [1]; a.length = 3; return a; })()",
        "({ a: 1n })",
        "[NaN]",
        "/x/",
    ] {
        let value: Value<'_> = ctx.eval(odd)?;
        is_told_apart &= !is_plain(&value);
    }
    if !is_told_apart {
        return Ok(false);
    }
    // SAFETY: as above; the sample was found to be plain.
    let text = unsafe { Image::of(sample.as_value()) }.json(&names).to_compact();
    Ok(text == format!("{EXPECTED}{}y\"}}", "x".repeat(2000)))
}

/// # Safety
/// The value is an object.
pub(crate) unsafe fn object_of(value: qjs::JSValue) -> *const ObjectHead {
    // SAFETY: the caller says what it is.
    unsafe { qjs::JS_VALUE_GET_PTR(value).cast() }
}

/// The properties of an object, by key and place; deleted ones are left out.
///
/// # Safety
/// The object is live, and the engine does not run as long as the answer is used.
pub(crate) unsafe fn properties<'a>(
    object: *const ObjectHead,
) -> impl Iterator<Item = (PropertyHead, qjs::JSValue)> + 'a {
    // SAFETY: a live object has a shape, and as many values as the shape has properties. Those lie behind
    // the shape's hash table, which has one entry more than the mask says.
    let (properties, values) = unsafe {
        let shape = (*object).shape;
        let count = (*shape).count.max(0) as usize;
        let table = shape.add(1).cast::<u32>();
        let first = table.add((*shape).hash_mask as usize + 1).cast::<PropertyHead>();
        (slice_of(first, count), slice_of((*object).values, count))
    };
    properties.iter().copied().zip(values.iter().copied()).filter(|(property, _)| property.key != 0)
}

/// # Safety
/// So many values are there for as long as the slice is used; none need not be anywhere.
unsafe fn slice_of<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if count == 0 || first.is_null() {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// # Safety
/// The object is a live fast array, and the engine does not run as long as the answer is used.
pub(crate) unsafe fn items<'a>(object: *const ObjectHead) -> &'a [qjs::JSValue] {
    // SAFETY: a fast array has so many items there.
    unsafe { slice_of((*object).items, (*object).items_count as usize) }
}

/// # Safety
/// The value is a live text that is no rope, and the engine does not run as long as the answer is used.
pub(crate) unsafe fn characters<'a>(value: qjs::JSValue) -> Characters<'a> {
    // SAFETY: the characters stand behind the head, or a piece of another text is named there, or their place.
    unsafe {
        let head: *const TextHead = qjs::JS_VALUE_GET_PTR(value).cast();
        let behind = head.add(1);
        let first: *const u8 = match (*head).kind >> 28 & 3 {
            0 => behind.cast(),
            1 => {
                let parent = *behind.cast::<*const TextHead>();
                let start = *behind.cast::<*const c_void>().add(1).cast::<u32>();
                parent.add(1).cast::<u8>().add(start as usize)
            }
            _ => *behind.cast::<*const u8>(),
        };
        let count = ((*head).length & !WIDE) as usize;
        if (*head).length & WIDE == 0 {
            Characters::Narrow(slice_of(first, count))
        } else {
            Characters::Wide(slice_of(first.cast(), count))
        }
    }
}

/// Adds the characters of a text.
///
/// # Safety
/// The value is a live text.
unsafe fn gather(value: qjs::JSValue, wide: &mut Vec<u16>) {
    // SAFETY: the caller says so; both halves of a rope are live texts.
    unsafe {
        if qjs::JS_VALUE_GET_NORM_TAG(value) == qjs::JS_TAG_STRING_ROPE {
            let rope: *const RopeHead = qjs::JS_VALUE_GET_PTR(value).cast();
            gather((*rope).left, wide);
            gather((*rope).right, wide);
            return;
        }
        match characters(value) {
            Characters::Narrow(narrow) => wide.extend(narrow.iter().map(|byte| u16::from(*byte))),
            Characters::Wide(more) => wide.extend_from_slice(more),
        }
    }
}

/// A text as ours.
///
/// # Safety
/// The value is a live text.
pub(crate) unsafe fn text_of(value: qjs::JSValue) -> Arc<str> {
    // SAFETY: the caller says so.
    unsafe {
        if qjs::JS_VALUE_GET_NORM_TAG(value) == qjs::JS_TAG_STRING
            && let Characters::Narrow(narrow) = characters(value)
        {
            return match std::str::from_utf8(narrow) {
                Ok(text) if narrow.is_ascii() => text.into(),
                _ => narrow.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
            };
        }
        let mut wide = Vec::new();
        gather(value, &mut wide);
        String::from_utf16_lossy(&wide).into()
    }
}

pub(crate) fn same_bits(left: qjs::JSValue, right: qjs::JSValue) -> bool {
    // SAFETY: both are so many bytes, read as such.
    unsafe {
        let bytes = |value: &qjs::JSValue| std::ptr::from_ref(value).cast::<[u64; 2]>().read_unaligned();
        bytes(&left) == bytes(&right)
    }
}

pub(crate) fn tag_of(value: qjs::JSValue) -> i32 {
    // SAFETY: reads a tag.
    unsafe { qjs::JS_VALUE_GET_NORM_TAG(value) }
}

pub(crate) fn is_text(value: qjs::JSValue) -> bool {
    matches!(tag_of(value), qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE)
}

/// A walk that finds out whether all of a value is as reading JSON would make it, and nobody else refers to it.
pub(crate) struct Looking<'a, 'js> {
    pub(crate) ctx: &'a Ctx<'js>,
    pub(crate) plain: Plain,
    pub(crate) names: &'a mut Names,
    /// At least as many characters as its text has.
    pub(crate) size: usize,
    /// A longer text is not plain.
    pub(crate) most: usize,
}

impl Looking<'_, '_> {
    /// # Safety
    /// The object is live, and the memory can be read.
    pub(crate) unsafe fn is_plain(&mut self, object: *const ObjectHead, depth: usize) -> bool {
        // SAFETY: the caller says so; the count stands in the four bytes before each object.
        let (class, flags, prototype, is_free) = unsafe {
            let is_free =
                object.cast::<i32>().sub(1).read_unaligned() == 1 && (*object).weak_references.is_null();
            ((*object).class, (*object).flags, (*(*object).shape).prototype.addr(), is_free)
        };
        self.size += 2;
        if !is_free || depth >= MAX_DEPTH || flags & EXTENSIBLE == 0 || self.size > self.most {
            return false;
        }
        let class = u32::from(class);
        // SAFETY: as above.
        unsafe {
            if class == self.plain.object_class && prototype == self.plain.object_prototype {
                properties(object).all(|(property, value)| self.is_plain_member(property, value, depth))
            } else if class == self.plain.array_class && prototype == self.plain.array_prototype {
                self.is_plain_array(object, depth)
            } else {
                false
            }
        }
    }

    /// # Safety
    /// As of `is_plain`.
    unsafe fn is_plain_member(&mut self, property: PropertyHead, value: qjs::JSValue, depth: usize) -> bool {
        if property.flags >> 26 != qjs::JS_PROP_C_W_E {
            return false;
        }
        let length = match index_of(property.key) {
            Some(_) => 10,
            None => match self.names.length(self.ctx, property.key) {
                Some(length) => length,
                None => return false,
            },
        };
        self.size += length + 4;
        // SAFETY: as of the caller.
        unsafe { self.is_plain_value(value, depth) }
    }

    /// # Safety
    /// The array is live, and the memory can be read.
    unsafe fn is_plain_array(&mut self, array: *const ObjectHead, depth: usize) -> bool {
        // SAFETY: the caller says so.
        unsafe {
            if (*array).flags & FAST_ARRAY == 0 {
                return false;
            }
            let items = items(array);
            // Its length, and no other property.
            let mut own = properties(array);
            let has_length = own.next().is_some_and(|(property, length)| {
                property.flags >> 26 == qjs::JS_PROP_WRITABLE | LENGTH
                    && tag_of(length) == qjs::JS_TAG_INT
                    && qjs::JS_VALUE_GET_INT(length) as usize == items.len()
            });
            if !has_length || own.next().is_some() {
                return false;
            }
            self.size += items.len();
            items.iter().all(|item| self.is_plain_value(*item, depth))
        }
    }

    /// # Safety
    /// The value is live, and the memory can be read.
    unsafe fn is_plain_value(&mut self, value: qjs::JSValue, depth: usize) -> bool {
        // SAFETY: the caller says so, and the tag says what there is.
        unsafe {
            match tag_of(value) {
                qjs::JS_TAG_NULL | qjs::JS_TAG_BOOL => self.size += 5,
                qjs::JS_TAG_INT => self.size += 11,
                qjs::JS_TAG_FLOAT64 => {
                    self.size += 25;
                    return qjs::JS_VALUE_GET_FLOAT64(value).is_finite();
                }
                qjs::JS_TAG_STRING => match characters(value) {
                    Characters::Narrow(narrow) => self.size += narrow.len() + 2,
                    Characters::Wide(wide) => {
                        self.size += wide.len() + 2;
                        return char::decode_utf16(wide.iter().copied()).all(|character| character.is_ok());
                    }
                },
                qjs::JS_TAG_STRING_ROPE => {
                    let rope: *const RopeHead = qjs::JS_VALUE_GET_PTR(value).cast();
                    self.size += (*rope).length as usize + 2;
                    // It may be far longer than it takes memory.
                    if (*rope).is_wide != 0 && self.size <= self.most {
                        let mut wide = Vec::new();
                        gather(value, &mut wide);
                        return char::decode_utf16(wide).all(|character| character.is_ok());
                    }
                }
                qjs::JS_TAG_OBJECT => return self.is_plain(object_of(value), depth + 1),
                _ => return false,
            }
        }
        self.size <= self.most
    }
}

/// How the engine marks the length of an array.
const LENGTH: u32 = 1 << 3;

#[cfg(test)]
mod tests {
    use crate::{
        script::{engine::Engine, options::Options},
        work::Work,
    };

    /// Were it not so, everything would still be right, and slow.
    #[test]
    fn this_build_of_the_engine_can_be_read() {
        let engine = Engine::new("none.js", &Options::default(), &Work::default()).unwrap();
        assert!(engine.host.plain.get().is_readable);
    }
}
