//! Whether a state in the engine is plain data: all of it as reading JSON would make it, and nobody else refers
//! to any of it. Then an image of it says all that there is to say.

use std::rc::Rc;

use rquickjs::{Ctx, Object, Value};

use crate::script::{
    engine_memory::{
        Anchor, Characters, FREE, LENGTH_OF_ARRAY, Layout, Seen, SeenText, SeenValue, Sight, in_place,
    },
    event_object::MAX_DEPTH,
    host::{Host, Plain},
    image::{Compared, Comparison, Image, Mark, Node, Slot, size_of_text},
    meter::Meter,
    names::Names,
};

/// What stands by while a state is looked at.
pub(crate) struct Beside<'a> {
    plain: Plain,
    names: &'a mut Names,
    image: &'a mut Option<Image>,
    meter: &'a Rc<Meter>,
    /// Members and items in all.
    slots: usize,
    /// At least as many characters as its text has.
    size: usize,
    /// A longer text is not plain.
    most: usize,
    /// Which look at the image this is.
    look: u64,
}

/// Looks whether an object is plain data; if so, makes `image` say what it holds. Otherwise the image stays as it
/// was. A state whose text is longer than allowed is not plain.
pub(crate) fn look(host: &Host, anchor: &Rc<Anchor>, object: &Object<'_>, image: &mut Option<Image>) -> bool {
    let plain = host.plain.get();
    let Some(layout) = plain.layout else { return false };
    let names = &mut *host.names.borrow_mut();
    // No character takes more than six bytes as text.
    let most = host.options.limits.state / 6;
    let mut beside = Beside { plain, names, image, meter: &host.meter, slots: 0, size: 0, most, look: 0 };
    in_place(layout, anchor, object, &mut beside, see).unwrap_or(false)
}

fn see(object: Seen<'_>, sight: Sight<'_>, beside: &mut Beside<'_>) -> bool {
    let mut image = beside.image.take();
    let (known, look) = image.as_mut().map(Image::compare).unzip();
    beside.look = look.unwrap_or_default();
    let is_plain = beside.is_plain(object, sight, 0, known);
    if is_plain {
        let names = &*beside.names;
        match &mut image {
            Some(image) => image.follow(object, sight, names),
            None => image = Some(Image::of(object, sight, names, beside.meter)),
        }
        if let Some(image) = &mut image {
            image.note_slots(beside.slots);
        }
    }
    *beside.image = image;
    is_plain
}

/// How to read plain data, if this build of the engine is the known one, and samples come out right.
///
/// The host has to know what plain data looks like, and knows how to read it afterwards.
pub(crate) fn readable(ctx: &Ctx<'_>, anchor: &Rc<Anchor>, host: &Host) -> Option<Layout> {
    let layout = Layout::find(ctx)?;
    host.plain.set(Plain { layout: Some(layout), ..host.plain.get() });
    samples_are_read(ctx, anchor, host).unwrap_or(false).then_some(layout)
}

/// Reads samples both ways.
fn samples_are_read(ctx: &Ctx<'_>, anchor: &Rc<Anchor>, host: &Host) -> rquickjs::Result<bool> {
    const SAMPLE: &str = r#"({ gone: 1, a: 1, b: -2.5, c: "text", d: "naïve", e: "日本", f: [true, null, { g: [] }],
        h: {}, i: "x".repeat(2000) + "y", "7": false })"#;
    const EXPECTED: &str = r#"{"7":false,"a":1,"b":-2.5,"c":"text","d":"naïve","e":"日本","f":[true,null,{"g":[]}],"h":{},"i":""#;
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
        let Some(odd) = value.as_object() else { return Ok(false) };
        if look(host, anchor, odd, &mut None) {
            return Ok(false);
        }
    }
    let sample: Object<'_> = ctx.eval(SAMPLE)?;
    sample.remove("gone")?;
    let mut image = None;
    let is_plain = look(host, anchor, &sample, &mut image);
    let text = image.map(|mut image| image.json(&host.names.borrow()).to_compact()).unwrap_or_default();
    Ok(is_plain && text == format!("{EXPECTED}{}y\"}}", "x".repeat(2000)))
}

impl Beside<'_> {
    /// What is known of the object by now is noted to be the same, or not; it is not changed.
    fn is_plain(
        &mut self,
        object: Seen<'_>,
        sight: Sight<'_>,
        depth: usize,
        known: Option<&mut Node>,
    ) -> bool {
        self.size += 2;
        let may_be =
            object.has_one_owner() && depth < MAX_DEPTH && object.is_extensible() && self.size <= self.most;
        if !may_be {
            return false;
        }
        let (class, prototype) = (object.class(), object.prototype());
        let is_array = class == self.plain.array_class && prototype == self.plain.array_prototype;
        if !is_array && (class != self.plain.object_class || prototype != self.plain.object_prototype) {
            return false;
        }
        let Some(known) = known else {
            return self.has_plain_parts(object, is_array, sight, depth, &mut Comparison::default());
        };
        let mut beside = known.compare(object, is_array);
        let is_plain = self.has_plain_parts(object, is_array, sight, depth, &mut beside);
        if is_plain && beside.ends_same() {
            known.note_same(self.look);
        }
        is_plain
    }

    fn has_plain_parts(
        &mut self,
        object: Seen<'_>,
        is_array: bool,
        sight: Sight<'_>,
        depth: usize,
        known: &mut Comparison<'_>,
    ) -> bool {
        let is_plain = if is_array {
            self.is_plain_array(object, sight, depth, known)
        } else {
            self.has_plain_members(object, sight, depth, known)
        };
        is_plain && self.size <= self.most
    }

    fn has_plain_members(
        &mut self,
        object: Seen<'_>,
        sight: Sight<'_>,
        depth: usize,
        known: &mut Comparison<'_>,
    ) -> bool {
        for property in object.properties() {
            self.slots += 1;
            let slot = known.next(Mark::of(property));
            if let Some(slot) = &slot
                && slot.still_has(property.bits())
            {
                self.size += slot.size();
                continue;
            }
            if property.access() != FREE {
                return false;
            }
            let length = match (&slot, property.key().index()) {
                (Some(slot), _) => slot.name(),
                (None, Some(_)) => size_of_text::INDEX + size_of_text::BESIDE_NAME,
                (None, None) => match self.names.length(sight.key(property)) {
                    Some(length) => length + size_of_text::BESIDE_NAME,
                    None => return false,
                },
            };
            self.size += length;
            if !self.is_plain_part(property.value(), sight, depth, slot, known) {
                return false;
            }
        }
        true
    }

    fn is_plain_array(
        &mut self,
        array: Seen<'_>,
        sight: Sight<'_>,
        depth: usize,
        known: &mut Comparison<'_>,
    ) -> bool {
        if !array.is_fast_array() {
            return false;
        }
        let items = array.items();
        // Its length, and no other property.
        let mut own = array.properties();
        let has_length = own.next().is_some_and(|property| {
            property.access() == LENGTH_OF_ARRAY
                && matches!(property.value(), SeenValue::Int(length) if length as usize == items.len())
        });
        if !has_length || own.next().is_some() {
            return false;
        }
        self.size += items.len();
        self.slots += items.len();
        for item in items {
            let slot = known.next(Mark::default());
            if let Some(slot) = &slot
                && slot.still_has(item.bits())
            {
                self.size += slot.size();
            } else if !self.is_plain_part(item.value(), sight, depth, slot, known) {
                return false;
            }
        }
        true
    }

    /// Looks at a member or an item beside what is known of it. The name is counted already.
    fn is_plain_part(
        &mut self,
        value: SeenValue<'_>,
        sight: Sight<'_>,
        depth: usize,
        slot: Option<&mut Slot>,
        known: &mut Comparison<'_>,
    ) -> bool {
        let Some(slot) = slot else { return self.is_plain_value(value, sight, depth) };
        let parts = slot.size() - slot.name();
        match (slot.compare(&value), value) {
            (Compared::Same, _) => {
                self.size += parts;
                true
            }
            (Compared::Nodes(node), SeenValue::Object(object)) => {
                let is_plain = self.is_plain(object, sight, depth + 1, Some(&mut *node));
                if !node.is_same(self.look) {
                    known.differs();
                }
                is_plain
            }
            (Compared::Nodes(_) | Compared::Other, value) => {
                known.differs();
                self.is_plain_value(value, sight, depth)
            }
        }
    }

    fn is_plain_value(&mut self, value: SeenValue<'_>, sight: Sight<'_>, depth: usize) -> bool {
        match value {
            SeenValue::Null | SeenValue::Bool(_) => self.size += size_of_text::WORD,
            SeenValue::Int(_) => self.size += size_of_text::INT,
            SeenValue::Float(number) => {
                self.size += size_of_text::FLOAT;
                return number.is_finite();
            }
            SeenValue::Text(text) => {
                self.size += text.length() + size_of_text::QUOTES;
                // It may be far longer than it takes memory.
                if self.size <= self.most && text.is_wide() {
                    return is_whole(text);
                }
            }
            SeenValue::Object(object) => return self.is_plain(object, sight, depth + 1, None),
            SeenValue::Other => return false,
        }
        self.size <= self.most
    }
}

/// Whether no half of a surrogate pair is in a text.
fn is_whole(text: SeenText<'_>) -> bool {
    let is_whole = |wide: &[u16]| char::decode_utf16(wide.iter().copied()).all(|character| character.is_ok());
    if let Some(Characters::Wide(wide)) = text.in_one_piece() {
        return is_whole(wide);
    }
    let mut wide = Vec::new();
    text.gather(&mut wide);
    is_whole(&wide)
}

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
        assert!(engine.host.plain.get().layout.is_some());
    }
}
