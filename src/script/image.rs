//! What the engine holds for a state, kept beside it.
//!
//! After every event a state has to be known to be plain data that nobody else refers to, and the state
//! before it has to come back if the next event fails. So what was there is kept as an [`Image`]: numbers and texts
//! as the engine has them, compared with what lies there the next time. The tree that an image stands for is made
//! only when somebody wants it, and shares what did not change.

use std::{rc::Rc, sync::Arc};

use crate::{
    model::{Array, Json, Number},
    script::{
        engine_memory::{Held, Key, Seen, SeenValue, Sight},
        meter::Meter,
        names::Names,
        number_text::script_number,
    },
};

/// What the engine held for a state when it was last looked at.
pub(crate) struct Image {
    root: Node,
    /// What it takes, about; and who is told of it.
    bytes: usize,
    meter: Rc<Meter>,
}

/// An object or an array.
#[derive(Default)]
struct Node {
    is_array: bool,
    /// Where the object lay; a hint where an item went, no more. 0 before it was looked at.
    address: usize,
    slots: Vec<Slot>,
    json: Option<Json>,
    /// The last tree of an array, for the next one to share with.
    before: Option<Array>,
}

/// A member or an item.
struct Slot {
    key: Key,
    content: Content,
    json: Option<Json>,
}

/// What a member or an item is.
enum Content {
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    Text(Held),
    Node(Box<Node>),
}

impl Image {
    /// Of an object that was found to be plain just now.
    pub(crate) fn of(object: Seen<'_>, sight: Sight<'_>, meter: &Rc<Meter>) -> Self {
        Self { root: Node::of(object, sight), bytes: 0, meter: Rc::clone(meter) }
    }

    /// It has so many members and items in all.
    pub(crate) fn note_slots(&mut self, slots: usize) {
        let bytes = slots * size_of::<Slot>();
        if bytes != self.bytes {
            self.meter.note_images(self.bytes, bytes);
            self.bytes = bytes;
        }
    }

    /// Says what an object holds that was found to be plain just now.
    pub(crate) fn follow(&mut self, object: Seen<'_>, sight: Sight<'_>) {
        self.root.follow(object, sight);
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

impl Drop for Image {
    fn drop(&mut self) {
        self.note_slots(0);
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").finish_non_exhaustive()
    }
}

impl Node {
    fn of(object: Seen<'_>, sight: Sight<'_>) -> Self {
        let mut node = Self::default();
        node.follow(object, sight);
        node
    }

    /// Makes it say what the object holds; tells whether that is anything else.
    fn follow(&mut self, object: Seen<'_>, sight: Sight<'_>) -> bool {
        let is_array = object.is_fast_array();
        let mut is_changed = self.is_array != is_array || self.address == 0;
        if is_changed {
            self.slots.clear();
            self.is_array = is_array;
        }
        self.address = object.address();
        let mut count = 0;
        if is_array {
            is_changed |= self.drop_first_if_gone(object);
            for item in object.items() {
                is_changed |= self.follow_slot(count, Key::default(), &item, sight);
                count += 1;
            }
        } else {
            for property in object.properties() {
                is_changed |= self.follow_slot(count, property.key(), &property.value(), sight);
                count += 1;
            }
        }
        if count < self.slots.len() {
            self.slots.truncate(count);
            is_changed = true;
        }
        if is_changed {
            self.json = None;
        }
        is_changed
    }

    /// Where the first item was taken out of a list, the others moved up.
    fn drop_first_if_gone(&mut self, array: Seen<'_>) -> bool {
        let Some(SeenValue::Object(first)) = array.items().next() else { return false };
        let is_gone = match self.slots.get(1).map(|slot| &slot.content) {
            Some(Content::Node(second)) => second.address == first.address(),
            _ => false,
        };
        if is_gone {
            self.slots.remove(0);
        }
        is_gone
    }

    fn follow_slot(&mut self, place: usize, key: Key, value: &SeenValue<'_>, sight: Sight<'_>) -> bool {
        if self.slots.get(place).is_some_and(|slot| slot.key != key) {
            self.slots.truncate(place);
        }
        let Some(slot) = self.slots.get_mut(place) else {
            self.slots.push(Slot { key, content: Content::of(value, sight), json: None });
            return true;
        };
        let is_changed = match (&mut slot.content, value) {
            (Content::Node(node), SeenValue::Object(object)) => node.follow(*object, sight),
            (content, value) if content.says(value) => return false,
            (content, value) => {
                *content = Content::of(value, sight);
                true
            }
        };
        if is_changed {
            slot.json = None;
        }
        is_changed
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

/// The number that a name is, if the language counts it among the places of an array.
fn array_index(name: &str) -> Option<u32> {
    if !name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    name.parse().ok().filter(|index: &u32| *index < u32::MAX && index.to_string() == *name)
}

impl Slot {
    fn json(&mut self, names: &Names) -> Json {
        if let Some(json) = &self.json {
            return json.clone();
        }
        let json = match &mut self.content {
            Content::Node(node) => node.json(names),
            content => content.scalar(),
        };
        self.json = Some(json.clone());
        json
    }

    fn share(&mut self, json: &Json, names: &Names) -> bool {
        let is_same = match (&mut self.content, json) {
            (Content::Node(node), json) => node.share(json, names),
            (_, Json::Array(_) | Json::Object(_)) => false,
            (content, json) => match (content.scalar(), json) {
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

impl Content {
    fn of(value: &SeenValue<'_>, sight: Sight<'_>) -> Self {
        match value {
            // Nothing else is plain.
            SeenValue::Null | SeenValue::Other => Self::Null,
            SeenValue::Bool(value) => Self::Bool(*value),
            SeenValue::Int(number) => Self::Int(*number),
            SeenValue::Float(number) => Self::Float(*number),
            SeenValue::Text(text) => Self::Text(sight.hold(*text)),
            SeenValue::Object(object) => Self::Node(Box::new(Node::of(*object, sight))),
        }
    }

    /// Whether it says what the value says, which is no object.
    fn says(&self, value: &SeenValue<'_>) -> bool {
        match (self, value) {
            (Self::Null, SeenValue::Null) => true,
            (Self::Bool(own), SeenValue::Bool(other)) => own == other,
            (Self::Int(own), SeenValue::Int(other)) => own == other,
            (Self::Float(own), SeenValue::Float(other)) => own.to_bits() == other.to_bits(),
            (Self::Text(own), SeenValue::Text(other)) => own.says(*other),
            _ => false,
        }
    }

    /// As JSON, unless it is an object or an array.
    fn scalar(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => Json::Number(Number::from_valid(&number.to_string())),
            Self::Float(number) => Json::Number(Number::from_valid(&script_number(*number))),
            Self::Text(text) => Json::Text(text.to_text()),
            Self::Null | Self::Node(_) => Json::Null,
        }
    }
}
