//! Plain data of the engine, read where it lies.
//!
//! After every event a state has to be known to be plain data that nobody else refers to, and the state
//! before it has to come back if the next event fails. Asking the engine for each name and value takes
//! longer than most handlers, so objects, arrays and texts are read in the engine's own memory, and what
//! was there is kept as an [`Image`]: values as the engine has them, compared word by word the next time.
//! The tree that an image stands for is made only when somebody wants it, and shares what did not change.
//!
//! How the engine lays out its memory is known for one version of it alone. [`can_be_read`] looks for that
//! version and tries samples; where it says no, nothing is read in place.

#![expect(unsafe_code, reason = "reads the engine's memory; each step says why it is sound")]

use std::{
    ffi::{CStr, c_void},
    sync::Arc,
};

use rquickjs::{Ctx, Value, qjs};

use crate::{
    model::{Array, Json, Number},
    script::{
        event_object::MAX_DEPTH,
        host::{Host, Plain},
        number_text::script_number,
        raw::{Key, Kind, Names, index_of, kind},
    },
};

/// The version whose memory is known here.
const VERSION: &CStr = c"0.16.2";

/// An object, as far as it is read.
#[repr(C)]
struct ObjectHead {
    links: [*const c_void; 2],
    flags: u8,
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
const FAST_ARRAY: u8 = 1 << 4;

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
struct PropertyHead {
    /// The upper six bits say how it may be used.
    flags: u32,
    key: Key,
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
enum Characters<'a> {
    /// The first 256 of Unicode.
    Narrow(&'a [u8]),
    Wide(&'a [u16]),
}

/// What the engine held for a state when it was last looked at.
///
/// To be dropped before the engine.
pub(crate) struct Image {
    root: Node,
}

/// An object or an array.
struct Node {
    is_array: bool,
    runtime: *mut qjs::JSRuntime,
    /// Where the object lay; a hint where an item went, no more.
    address: usize,
    slots: Vec<Slot>,
    json: Option<Json>,
    /// The last tree of an array, for the next one to share with.
    before: Option<Array>,
}

/// A member or an item.
struct Slot {
    key: Key,
    /// A text is held by this slot, an object is not.
    value: qjs::JSValue,
    node: Option<Box<Node>>,
    json: Option<Json>,
}

/// Looks whether `value` is an object or array just as reading JSON would make it, to which nobody else
/// refers; if so, makes `image` say what it holds. Otherwise the image stays as it was.
pub(crate) fn look(host: &Host, value: &Value<'_>, image: &mut Option<Image>) -> bool {
    let plain = host.plain.get();
    if !plain.is_readable || kind(value) != Kind::Object {
        return false;
    }
    let mut names = host.names.borrow_mut();
    // No character takes more than six bytes as text.
    let most = host.options.limits.state / 6;
    let mut looking = Looking { ctx: value.ctx(), plain, names: &mut names, size: 0, most };
    // SAFETY: the value is a live object of an engine whose memory was seen to be readable, and nothing
    // runs in the engine meanwhile. The second walk reads what the first one found to be plain.
    unsafe {
        let object = object_of(value.as_raw());
        if !looking.is_plain(object, 0) {
            return false;
        }
        let runtime = qjs::JS_GetRuntime(value.ctx().as_raw().as_ptr());
        match image {
            Some(image) => {
                image.root.follow(object);
            }
            None => *image = Some(Image { root: Node::of(object, runtime) }),
        }
    }
    true
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
    is_known && sample_is_read(ctx, Plain { is_readable: true, ..plain }).unwrap_or(false)
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
    let root =
        unsafe { Node::of(object_of(sample.as_value().as_raw()), qjs::JS_GetRuntime(ctx.as_raw().as_ptr())) };
    let text = Image { root }.json(&names).to_compact();
    Ok(text == format!("{EXPECTED}{}y\"}}", "x".repeat(2000)))
}

impl Image {
    /// The tree that it stands for.
    pub(crate) fn json(&mut self, names: &Names) -> Json {
        self.root.json(names)
    }

    /// Takes over the parts of `json` that say what the image says, so that its tree shares them.
    pub(crate) fn share(&mut self, json: &Json, names: &Names) {
        self.root.share(json, names);
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").finish_non_exhaustive()
    }
}

/// # Safety
/// The value is an object.
unsafe fn object_of(value: qjs::JSValue) -> *const ObjectHead {
    // SAFETY: the caller says what it is.
    unsafe { qjs::JS_VALUE_GET_PTR(value).cast() }
}

/// The properties of an object, by key and place; deleted ones are left out.
///
/// # Safety
/// The object is live, and the engine does not run as long as the answer is used.
unsafe fn properties<'a>(
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
unsafe fn items<'a>(object: *const ObjectHead) -> &'a [qjs::JSValue] {
    // SAFETY: a fast array has so many items there.
    unsafe { slice_of((*object).items, (*object).items_count as usize) }
}

/// # Safety
/// The value is a live text that is no rope, and the engine does not run as long as the answer is used.
unsafe fn characters<'a>(value: qjs::JSValue) -> Characters<'a> {
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
unsafe fn text_of(value: qjs::JSValue) -> Arc<str> {
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

fn same_bits(left: qjs::JSValue, right: qjs::JSValue) -> bool {
    // SAFETY: both are so many bytes, read as such.
    unsafe {
        let bytes = |value: &qjs::JSValue| std::ptr::from_ref(value).cast::<[u64; 2]>().read_unaligned();
        bytes(&left) == bytes(&right)
    }
}

fn tag_of(value: qjs::JSValue) -> i32 {
    // SAFETY: reads a tag.
    unsafe { qjs::JS_VALUE_GET_NORM_TAG(value) }
}

fn is_text(value: qjs::JSValue) -> bool {
    matches!(tag_of(value), qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE)
}

/// The first walk: whether all of it is plain.
struct Looking<'a, 'js> {
    ctx: &'a Ctx<'js>,
    plain: Plain,
    names: &'a mut Names,
    /// At least as many characters as its text has.
    size: usize,
    most: usize,
}

impl Looking<'_, '_> {
    /// # Safety
    /// The object is live, and the memory can be read.
    unsafe fn is_plain(&mut self, object: *const ObjectHead, depth: usize) -> bool {
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
                    let mut wide = Vec::new();
                    gather(value, &mut wide);
                    self.size += wide.len() + 2;
                    return char::decode_utf16(wide).all(|character| character.is_ok());
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

impl Node {
    /// # Safety
    /// The object was found to be plain just now.
    unsafe fn of(object: *const ObjectHead, runtime: *mut qjs::JSRuntime) -> Self {
        let mut node =
            Self { is_array: false, runtime, address: 0, slots: Vec::new(), json: None, before: None };
        // SAFETY: the caller says so.
        unsafe { node.follow(object) };
        node
    }

    /// Makes it say what the object holds; tells whether that is anything else.
    ///
    /// # Safety
    /// The object was found to be plain just now.
    unsafe fn follow(&mut self, object: *const ObjectHead) -> bool {
        // SAFETY: the caller says so.
        let is_array = unsafe { (*object).flags & FAST_ARRAY != 0 };
        let mut is_changed = self.is_array != is_array || self.address == 0;
        if is_changed {
            self.cut(0);
            self.is_array = is_array;
        }
        self.address = object.addr();
        let mut count = 0;
        // SAFETY: as above.
        unsafe {
            if is_array {
                is_changed |= self.drop_first_if_gone(object);
                for item in items(object) {
                    is_changed |= self.follow_slot(count, 0, *item);
                    count += 1;
                }
            } else {
                for (property, value) in properties(object) {
                    is_changed |= self.follow_slot(count, property.key, value);
                    count += 1;
                }
            }
        }
        if count < self.slots.len() {
            self.cut(count);
            is_changed = true;
        }
        if is_changed {
            self.json = None;
        }
        is_changed
    }

    /// Where the first item was taken out of a list, the others moved up.
    ///
    /// # Safety
    /// The object is a plain array.
    unsafe fn drop_first_if_gone(&mut self, array: *const ObjectHead) -> bool {
        // SAFETY: the caller says so.
        let first = unsafe { items(array) }.first().copied();
        let address = first.filter(|first| tag_of(*first) == qjs::JS_TAG_OBJECT).map(|first| {
            // SAFETY: the tag says that it is an object.
            unsafe { object_of(first) }.addr()
        });
        let second = self.slots.get(1).and_then(|slot| slot.node.as_ref()).map(|node| node.address);
        let is_gone = address.is_some() && address == second;
        if is_gone {
            let mut first = self.slots.remove(0);
            self.let_go(&mut first);
        }
        is_gone
    }

    /// # Safety
    /// The value is a member or item of a plain object.
    unsafe fn follow_slot(&mut self, place: usize, key: Key, value: qjs::JSValue) -> bool {
        // SAFETY: the caller says so; texts are live on both sides, since slots hold theirs.
        unsafe {
            if self.slots.get(place).is_some_and(|slot| slot.key != key) {
                self.cut(place);
            }
            let runtime = self.runtime;
            let Some(slot) = self.slots.get_mut(place) else {
                self.slots.push(Slot::of(key, value, runtime));
                return true;
            };
            if tag_of(value) == qjs::JS_TAG_OBJECT
                && let Some(node) = &mut slot.node
            {
                let is_changed = node.follow(object_of(value));
                if is_changed {
                    slot.json = None;
                }
                return is_changed;
            }
            if slot.node.is_none() && slot.says(value) {
                return false;
            }
            let mut old = std::mem::replace(slot, Slot::of(key, value, runtime));
            self.let_go(&mut old);
            true
        }
    }

    /// Forgets the members from that place on.
    fn cut(&mut self, place: usize) {
        while self.slots.len() > place {
            if let Some(mut slot) = self.slots.pop() {
                self.let_go(&mut slot);
            }
        }
    }

    /// Gives back what a slot holds.
    fn let_go(&self, slot: &mut Slot) {
        if is_text(slot.value) {
            // SAFETY: the slot counted the text once, and is not used any more; the engine is still there.
            unsafe { qjs::JS_FreeValueRT(self.runtime, slot.value) };
        }
        slot.value = qjs::JS_NULL;
    }

    fn json(&mut self, names: &Names) -> Json {
        if let Some(json) = &self.json {
            return json.clone();
        }
        let json = if self.is_array {
            let items: Vec<Json> = self.slots.iter_mut().map(|slot| slot.json(names)).collect();
            let array = match &self.before {
                Some(before) => Array::sharing(items, before),
                None => items.into(),
            };
            self.before = Some(array.clone());
            Json::Array(array)
        } else {
            let mut members: Vec<(Key, Arc<str>, Json)> = Vec::with_capacity(self.slots.len());
            for slot in &mut self.slots {
                let json = slot.json(names);
                members.push((slot.key, names.known(slot.key), json));
            }
            // Whole numbers come first and in their order, as the language lists them.
            if members.iter().any(|(_, name, _)| array_index(name).is_some()) {
                members.sort_by_key(|(_, name, _)| array_index(name).map_or((1, 0), |index| (0, index)));
            }
            Json::object(members.into_iter().map(|(_, name, json)| (name, json)))
        };
        self.json = Some(json.clone());
        json
    }

    fn share(&mut self, json: &Json, names: &Names) -> bool {
        let is_same = match json {
            Json::Array(items) if self.is_array => {
                self.before = Some(items.clone());
                let mut is_same = items.len() == self.slots.len();
                for (slot, item) in self.slots.iter_mut().zip(items.iter()) {
                    is_same &= slot.share(item, names);
                }
                is_same
            }
            Json::Object(object) if !self.is_array => {
                let mut is_same = object.len() == self.slots.len();
                for (slot, (name, member)) in self.slots.iter_mut().zip(object.iter()) {
                    is_same = names.is(slot.key, name) && slot.share(member, names) && is_same;
                }
                is_same
            }
            _ => false,
        };
        if is_same {
            self.json = Some(json.clone());
        }
        is_same
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.cut(0);
    }
}

/// The number that a name is, if the language counts it among the places of an array.
fn array_index(name: &str) -> Option<u32> {
    if !name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    name.parse().ok().filter(|index: &u32| *index < u32::MAX && index.to_string() == *name)
}

impl Slot {
    /// # Safety
    /// The value is a member or item of a plain object.
    unsafe fn of(key: Key, value: qjs::JSValue, runtime: *mut qjs::JSRuntime) -> Self {
        // SAFETY: the caller says so; a text is counted once more, for the slot.
        unsafe {
            if tag_of(value) == qjs::JS_TAG_OBJECT {
                let node = Some(Box::new(Node::of(object_of(value), runtime)));
                return Self { key, value: qjs::JS_NULL, node, json: None };
            }
            if is_text(value) {
                qjs::JS_DupValueRT(runtime, value);
            }
            Self { key, value, node: None, json: None }
        }
    }

    /// Whether it says what the value says.
    ///
    /// # Safety
    /// The value is live and no object.
    unsafe fn says(&self, value: qjs::JSValue) -> bool {
        if same_bits(self.value, value) {
            return true;
        }
        let is_text = |value| tag_of(value) == qjs::JS_TAG_STRING;
        // SAFETY: the caller says so, and the slot holds its text.
        is_text(self.value) && is_text(value) && unsafe { characters(self.value) == characters(value) }
    }

    fn json(&mut self, names: &Names) -> Json {
        if let Some(json) = &self.json {
            return json.clone();
        }
        let json = match &mut self.node {
            Some(node) => node.json(names),
            None => scalar(self.value),
        };
        self.json = Some(json.clone());
        json
    }

    fn share(&mut self, json: &Json, names: &Names) -> bool {
        let is_same = match (&mut self.node, json) {
            (Some(node), json) => node.share(json, names),
            (None, Json::Array(_) | Json::Object(_)) => false,
            (None, json) => match (scalar(self.value), json) {
                (Json::Null, Json::Null) => true,
                (Json::Bool(own), Json::Bool(other)) => own == *other,
                (Json::Number(own), Json::Number(other)) => own.as_str() == other.as_str(),
                (Json::Text(own), Json::Text(other)) => own == *other,
                _ => false,
            },
        };
        if is_same {
            self.json = Some(json.clone());
        }
        is_same
    }
}

/// What is neither an object nor an array, as JSON.
fn scalar(value: qjs::JSValue) -> Json {
    // SAFETY: the tag says what there is, and whoever has the value holds its text.
    unsafe {
        match tag_of(value) {
            qjs::JS_TAG_BOOL => Json::Bool(qjs::JS_VALUE_GET_BOOL(value)),
            qjs::JS_TAG_INT => Json::Number(Number::from_valid(&qjs::JS_VALUE_GET_INT(value).to_string())),
            qjs::JS_TAG_FLOAT64 => {
                Json::Number(Number::from_valid(&script_number(qjs::JS_VALUE_GET_FLOAT64(value))))
            }
            qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => Json::Text(text_of(value)),
            _ => Json::Null,
        }
    }
}
