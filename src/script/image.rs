//! What the engine holds for a state, kept beside it.
//!
//! After every event a state has to be known to be plain data that nobody else refers to, and the state
//! before it has to come back if the next event fails. So what was there is kept as an [`Image`]: numbers and texts
//! as the engine has them, compared with what lies there the next time. That comparison and the proof that all is
//! plain are one walk, which leaves the image as it is; a second one follows what changed, and nothing else. The
//! tree that an image stands for is made only when somebody wants it, and shares what did not change.

use std::{rc::Rc, sync::Arc};

use crate::{
    model::{Array, Json, Number},
    script::{
        engine_memory::{Bits, Held, Key, Seen, SeenPart, SeenProperty, SeenValue, Sight},
        meter::Meter,
        names::Names,
        number_text::script_number,
    },
};

/// What the engine held for a state when it was last looked at.
pub(crate) struct Image {
    root: Node,
    /// How often it was compared with what lies in the engine.
    looks: u64,
    /// What it takes, about; and who is told of it.
    bytes: usize,
    meter: Rc<Meter>,
}

/// An object or an array.
#[derive(Default)]
pub(crate) struct Node {
    is_array: bool,
    /// Where the object lay; a hint where an item went, no more. 0 before it was looked at.
    address: usize,
    slots: Vec<Slot>,
    json: Option<Json>,
    /// The last tree of an array, for the next one to share with.
    before: Option<Array>,
    /// The look that found nothing changed in it.
    same_at: u64,
}

/// A member or an item.
pub(crate) struct Slot {
    /// None for an item.
    mark: Mark,
    /// What stood there; nothing of an object or an array, which may be another one by now in the same place.
    bits: Bits,
    /// At most so many characters for its name and what it holds, parts of an object or array left out.
    size: usize,
    /// Those of the name alone.
    name: usize,
    content: Content,
    json: Option<Json>,
}

/// Which property it is, and how it may be used. The default is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    access: u32,
    key: Key,
}

/// What a member or an item is.
enum Content {
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    /// With its length.
    Text(Held, usize),
    Node(Box<Node>),
}

/// How many characters the parts of a text take at most.
pub(crate) mod size_of_text {
    pub(crate) const WORD: usize = 5;
    pub(crate) const INT: usize = 11;
    pub(crate) const FLOAT: usize = 25;
    pub(crate) const QUOTES: usize = 2;
    /// Quotes, colon and comma.
    pub(crate) const BESIDE_NAME: usize = 4;
    /// Of a name that is a number.
    pub(crate) const INDEX: usize = 10;
}

/// What stands by to follow what changed.
#[derive(Clone, Copy)]
struct Guide<'a> {
    sight: Sight<'a>,
    names: &'a Names,
    look: u64,
}

/// The slots of a node beside what lies in the engine, one by one.
#[derive(Default)]
pub(crate) struct Comparison<'n> {
    slots: std::slice::IterMut<'n, Slot>,
    is_same: bool,
}

/// A slot beside a value.
pub(crate) enum Compared<'n> {
    /// It says what the value says.
    Same,
    /// Both are objects or arrays.
    Nodes(&'n mut Node),
    /// It says something else.
    Other,
}

impl Image {
    /// Of an object that was found to be plain just now.
    pub(crate) fn of(object: Seen<'_>, sight: Sight<'_>, names: &Names, meter: &Rc<Meter>) -> Self {
        let root = Node::of(object, Guide { sight, names, look: 0 });
        Self { root, looks: 0, bytes: 0, meter: Rc::clone(meter) }
    }

    /// Begins to compare it with what lies in the engine; the number of this look.
    pub(crate) fn compare(&mut self) -> (&mut Node, u64) {
        self.looks += 1;
        (&mut self.root, self.looks)
    }

    /// It has so many members and items in all.
    pub(crate) fn note_slots(&mut self, slots: usize) {
        let bytes = slots * size_of::<Slot>();
        if bytes != self.bytes {
            self.meter.note_images(self.bytes, bytes);
            self.bytes = bytes;
        }
    }

    /// Says what an object holds that was found to be plain by the latest look.
    pub(crate) fn follow(&mut self, object: Seen<'_>, sight: Sight<'_>, names: &Names) {
        self.root.follow(object, Guide { sight, names, look: self.looks });
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

impl Mark {
    #[inline]
    pub(crate) fn of(property: SeenProperty<'_>) -> Self {
        Self { access: property.access(), key: property.key() }
    }
}

impl<'n> Comparison<'n> {
    /// The slot of the next member or item, if all slots until now were for those that lie there.
    #[inline]
    pub(crate) fn next(&mut self, mark: Mark) -> Option<&'n mut Slot> {
        let slot = self.slots.next().filter(|slot| slot.mark == mark);
        if slot.is_none() {
            *self = Self::default();
        }
        slot
    }

    /// What is compared is not the same.
    #[inline]
    pub(crate) fn differs(&mut self) {
        self.is_same = false;
    }

    /// Whether all was the same, and nothing is left.
    #[inline]
    pub(crate) fn ends_same(self) -> bool {
        self.is_same && self.slots.len() == 0
    }
}

impl Slot {
    fn of(mark: Mark, name: usize, bits: Bits, content: Content) -> Self {
        let (bits, size) = match &content {
            Content::Node(_) => (Bits::default(), name),
            content => (bits, name + content.size()),
        };
        Self { mark, bits, size, name, content, json: None }
    }

    /// At most so many characters, without the parts of an object or array.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Those of the member's name and what is beside it.
    #[inline]
    pub(crate) fn name(&self) -> usize {
        self.name
    }

    /// Whether the very same number, word or text stands there; it is held, so no other can be in its place.
    #[inline]
    pub(crate) fn still_has(&self, bits: Bits) -> bool {
        self.bits == bits
    }

    #[inline]
    pub(crate) fn compare(&mut self, value: &SeenValue<'_>) -> Compared<'_> {
        match (&mut self.content, value) {
            (Content::Node(node), SeenValue::Object(_)) => Compared::Nodes(node),
            (content, value) if content.says(value) => Compared::Same,
            _ => Compared::Other,
        }
    }
}

impl Node {
    fn of(object: Seen<'_>, guide: Guide<'_>) -> Self {
        let mut node = Self::default();
        node.follow(object, guide);
        node
    }

    /// Its slots, to be compared with what an object or array has.
    #[inline]
    pub(crate) fn compare(&mut self, object: Seen<'_>, is_array: bool) -> Comparison<'_> {
        if self.is_array != is_array {
            return Comparison::default();
        }
        let is_moved = is_array && self.is_first_gone(object);
        let is_same = self.address == object.address() && !is_moved;
        let slots = self.slots.get_mut(usize::from(is_moved)..).unwrap_or_default();
        Comparison { slots: slots.iter_mut(), is_same }
    }

    /// A look found nothing changed in it.
    #[inline]
    pub(crate) fn note_same(&mut self, look: u64) {
        self.same_at = look;
    }

    #[inline]
    pub(crate) fn is_same(&self, look: u64) -> bool {
        self.same_at == look
    }

    /// Makes it say what the object holds; tells whether that is anything else.
    fn follow(&mut self, object: Seen<'_>, guide: Guide<'_>) -> bool {
        if guide.look > 0 && self.same_at == guide.look {
            return false;
        }
        let is_array = object.is_fast_array();
        let mut is_changed = self.is_array != is_array || self.address == 0;
        if is_changed {
            self.slots.clear();
            self.is_array = is_array;
        }
        let mut count = 0;
        if is_array {
            if self.is_first_gone(object) {
                self.slots.remove(0);
                is_changed = true;
            }
            for item in object.items() {
                is_changed |= self.follow_slot(count, Mark::default(), item, guide);
                count += 1;
            }
        } else {
            for property in object.properties() {
                // Plain data has no other properties.
                let Some(part) = property.part() else { continue };
                is_changed |= self.follow_slot(count, Mark::of(property), part, guide);
                count += 1;
            }
        }
        self.address = object.address();
        if count < self.slots.len() {
            self.slots.truncate(count);
            is_changed = true;
        }
        if is_changed {
            self.json = None;
        }
        is_changed
    }

    /// Whether the first item was taken out of a list, so that the others moved up.
    fn is_first_gone(&self, array: Seen<'_>) -> bool {
        let Some(Content::Node(second)) = self.slots.get(1).map(|slot| &slot.content) else { return false };
        let first = array.items().next().map(SeenPart::value);
        matches!(first, Some(SeenValue::Object(first)) if second.address == first.address())
    }

    /// Makes a slot say what a member or an item holds; tells whether that is anything else.
    fn follow_slot(&mut self, place: usize, mark: Mark, part: SeenPart<'_>, guide: Guide<'_>) -> bool {
        if self.slots.get(place).is_some_and(|slot| slot.mark != mark) {
            self.slots.truncate(place);
        }
        let bits = part.bits();
        let Some(slot) = self.slots.get_mut(place) else {
            let is_item = mark == Mark::default();
            let name = || guide.names.length_of_known(mark.key) + size_of_text::BESIDE_NAME;
            let name = if is_item { 0 } else { name() };
            self.slots.push(Slot::of(mark, name, bits, Content::of(&part.value(), guide)));
            return true;
        };
        if slot.still_has(bits) {
            return false;
        }
        let value = part.value();
        let is_changed = match (&mut slot.content, &value) {
            (Content::Node(node), SeenValue::Object(object)) => node.follow(*object, guide),
            (content, value) if content.says(value) => return false,
            (_, value) => {
                *slot = Slot::of(mark, slot.name, bits, Content::of(value, guide));
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
            let mut members: Vec<(Arc<str>, Json)> = Vec::with_capacity(self.slots.len());
            for slot in &mut self.slots {
                let json = slot.json(names);
                members.push((names.known(slot.mark.key), json));
            }
            // Whole numbers come first and in their order, as the language lists them.
            if members.iter().any(|(name, _)| array_index(name).is_some()) {
                members.sort_by_key(|(name, _)| array_index(name).map_or((1, 0), |index| (0, index)));
            }
            Json::object(members)
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
                    is_same = names.is(slot.mark.key, name) && slot.share(member, names) && is_same;
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
    fn of(value: &SeenValue<'_>, guide: Guide<'_>) -> Self {
        match value {
            // Nothing else is plain.
            SeenValue::Null | SeenValue::Other => Self::Null,
            SeenValue::Bool(value) => Self::Bool(*value),
            SeenValue::Int(number) => Self::Int(*number),
            SeenValue::Float(number) => Self::Float(*number),
            SeenValue::Text(text) => Self::Text(guide.sight.hold(*text), text.length()),
            SeenValue::Object(object) => Self::Node(Box::new(Node::of(*object, guide))),
        }
    }

    /// Whether it says what the value says, which is no object.
    fn says(&self, value: &SeenValue<'_>) -> bool {
        match (self, value) {
            (Self::Null, SeenValue::Null) => true,
            (Self::Bool(own), SeenValue::Bool(other)) => own == other,
            (Self::Int(own), SeenValue::Int(other)) => own == other,
            (Self::Float(own), SeenValue::Float(other)) => own.to_bits() == other.to_bits(),
            (Self::Text(own, _), SeenValue::Text(other)) => own.says(*other),
            _ => false,
        }
    }

    /// At most so many characters, counted as [`plain_data`](super::plain_data) counts them.
    fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => size_of_text::WORD,
            Self::Int(_) => size_of_text::INT,
            Self::Float(_) => size_of_text::FLOAT,
            Self::Text(_, length) => length + size_of_text::QUOTES,
            Self::Node(_) => 0,
        }
    }

    /// As JSON, unless it is an object or an array.
    fn scalar(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => Json::Number(Number::from_valid(&number.to_string())),
            Self::Float(number) => Json::Number(Number::from_valid(&script_number(*number))),
            Self::Text(text, _) => Json::Text(text.to_text()),
            Self::Null | Self::Node(_) => Json::Null,
        }
    }
}
