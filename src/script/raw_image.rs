//! What the engine holds for a state, kept beside it.
//!
//! After every event a state has to be known to be plain data that nobody else refers to, and the state
//! before it has to come back if the next event fails. So what was there is kept as an [`Image`]: values as the
//! engine has them, compared word by word the next time. The tree that an image stands for is made only when
//! somebody wants it, and shares what did not change.

#![expect(unsafe_code, reason = "holds values of the engine; each step says why it is sound")]

use std::sync::Arc;

use rquickjs::{Value, qjs};

use crate::{
    model::{Array, Json, Number},
    script::{
        host::Host,
        number_text::script_number,
        raw::{Key, Kind, Names, kind},
        raw_data::{
            FAST_ARRAY, Looking, ObjectHead, characters, is_text, items, object_of, properties, same_bits,
            tag_of, text_of,
        },
    },
};

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
        match image {
            Some(image) => {
                image.root.follow(object);
            }
            None => *image = Some(Image::of(value)),
        }
    }
    true
}

impl Image {
    /// # Safety
    /// The value is an object of an engine whose memory can be read, and was found to be plain just now.
    pub(crate) unsafe fn of(value: &Value<'_>) -> Self {
        // SAFETY: the caller says so.
        unsafe {
            let runtime = qjs::JS_GetRuntime(value.ctx().as_raw().as_ptr());
            Self { root: Node::of(object_of(value.as_raw()), runtime) }
        }
    }

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
