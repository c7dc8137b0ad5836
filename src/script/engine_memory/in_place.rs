//! Objects, arrays and texts read where they lie, in the engine's own memory.
//!
//! Asking the engine for each name and value takes longer than most handlers. How its memory is laid out is
//! known for one version alone; where [`Layout::find`] does not find that version, nothing is read in place.

use std::{
    ffi::{CStr, c_void},
    marker::PhantomData,
    ptr::{self, NonNull},
    rc::Rc,
    sync::Arc,
};

use rquickjs::{Ctx, Object, Value, qjs};

use crate::script::engine_memory::{Anchor, Key, LiveKey};

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
    key: qjs::JSAtom,
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

/// Proof that this build of the engine lays out its memory as it is known here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout(());

impl Layout {
    pub(crate) fn find(ctx: &Ctx<'_>) -> Option<Self> {
        // SAFETY: the version is a text that lives for ever.
        let version = unsafe { CStr::from_ptr(qjs::JS_GetVersion()) };
        let is_known = version == VERSION
            && cfg!(target_endian = "little")
            && size_of::<usize>() == 8
            && size_of::<qjs::JSValue>() == 16;
        let is_found = || Ok::<_, rquickjs::Error>(counts_references(ctx)? && text_is_found(ctx)?);
        (is_known && is_found().unwrap_or(false)).then_some(Self(()))
    }
}

/// Whether the count of references to an object stands in the four bytes before it.
fn counts_references(ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
    let object = Object::new(ctx.clone())?;
    // SAFETY: no allocator of the engine hands out an object without so many bytes before it: a header of ours,
    // or the count.
    let count = || unsafe { count_of(qjs::JS_VALUE_GET_PTR(object.as_raw())) };
    let one = count();
    let second = object.clone();
    let two = count();
    drop(second);
    Ok((one, two, count()) == (1, 2, 1))
}

/// # Safety
/// It is a live object.
unsafe fn count_of(object: *const c_void) -> i32 {
    // SAFETY: the caller says so.
    unsafe { object.cast::<i32>().sub(1).read_unaligned() }
}

/// Whether the characters of a text begin where they are looked for: the head is longer in some builds. The
/// text is long enough to hold the place in all of them.
fn text_is_found(ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
    let digits: String = (0..50).map(|number| char::from(b'0' + number % 10)).collect();
    let text: Value<'_> = ctx.eval(format!("'{digits}'.concat('.')"))?;
    // SAFETY: a text of that length takes more memory than any head and what is compared here.
    let found = unsafe {
        let behind = qjs::JS_VALUE_GET_PTR(text.as_raw()).cast::<TextHead>().add(1).cast::<[u8; 10]>();
        qjs::JS_VALUE_GET_NORM_TAG(text.as_raw()) == qjs::JS_TAG_STRING
            && behind.read_unaligned() == *b"0123456789"
    };
    Ok(found)
}

/// What stands by while memory is read: it cannot make the engine do anything.
///
/// # Safety
/// Nothing in it leads to a context of an engine.
pub(super) unsafe trait Bystander {}

// SAFETY: names, sizes, and an image, which is made of trees of ours, of `Held` texts and numbers.
unsafe impl Bystander for crate::script::plain_data::Beside<'_> {}

/// Reads an object in place. Nothing if it is not of the anchor's engine.
///
/// What reads is no closure and has only a [`Bystander`] with it, so nothing can run in the engine meanwhile: all
/// that is seen stays where it is and as it is for as long as `'q`.
#[expect(private_bounds, reason = "nobody outside may say who stands by")]
pub(crate) fn in_place<S: Bystander, R>(
    _: Layout,
    anchor: &Rc<Anchor>,
    object: &Object<'_>,
    beside: &mut S,
    read: for<'q> fn(Seen<'q>, Sight<'q>, &mut S) -> R,
) -> Option<R> {
    let ctx = object.ctx().as_raw();
    let sight = Sight { ctx, anchor };
    // SAFETY: it is an object.
    let place = unsafe { qjs::JS_VALUE_GET_PTR(object.as_raw()) };
    anchor.is_of(ctx).then(|| read(Seen { place: place.cast(), alive: PhantomData }, sight, beside))
}

/// The engine that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'q> {
    ctx: NonNull<qjs::JSContext>,
    anchor: &'q Rc<Anchor>,
}

impl<'q> Sight<'q> {
    #[inline]
    pub(crate) fn key(self, property: SeenProperty<'q>) -> LiveKey<'q> {
        LiveKey { ctx: self.ctx, raw: property.head.key, alive: PhantomData }
    }

    #[inline]
    pub(crate) fn hold(self, text: SeenText<'q>) -> Held {
        // SAFETY: the text is live, and of this engine; counted once more.
        let raw = unsafe { qjs::JS_DupValueRT(self.anchor.runtime(), text.raw) };
        Held { raw, anchor: Rc::clone(self.anchor) }
    }
}

/// An object in place.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'q> {
    /// A live object, of a known layout, that nothing changes for as long as `'q`. So are those of all methods.
    place: *const ObjectHead,
    alive: PhantomData<&'q ()>,
}

/// A value in place.
#[derive(Clone, Copy)]
pub(crate) enum SeenValue<'q> {
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    Text(SeenText<'q>),
    Object(Seen<'q>),
    Other,
}

/// What stands in the place of a value, not yet looked at.
#[derive(Clone, Copy)]
pub(crate) struct SeenPart<'q> {
    raw: qjs::JSValue,
    alive: PhantomData<&'q ()>,
}

/// What stood in the place of a value, to compare: where the same stands again, it is the same number or word, or
/// the same text or object unless that one ended meanwhile. The default stands nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits(i64, usize);

impl Default for Bits {
    fn default() -> Self {
        // The engine's tags are small numbers.
        Self(i64::MIN, 0)
    }
}

impl<'q> SeenPart<'q> {
    #[inline]
    pub(crate) fn value(self) -> SeenValue<'q> {
        SeenValue::of(self.raw)
    }

    #[inline]
    pub(crate) fn bits(self) -> Bits {
        // SAFETY: reads the tag and all eight bytes beside it, whatever they say; a known layout has them so.
        unsafe { Bits(self.raw.tag, qjs::JS_VALUE_GET_PTR(self.raw).addr()) }
    }
}

/// An own property in place.
#[derive(Clone, Copy)]
pub(crate) struct SeenProperty<'q> {
    head: PropertyHead,
    part: SeenPart<'q>,
}

impl<'q> Seen<'q> {
    #[inline]
    pub(crate) fn address(self) -> usize {
        self.place.addr()
    }

    #[inline]
    pub(crate) fn class(self) -> u32 {
        // SAFETY: see the field.
        u32::from(unsafe { (*self.place).class })
    }

    /// Where its prototype lies.
    #[inline]
    pub(crate) fn prototype(self) -> usize {
        // SAFETY: see the field; every object has a shape.
        unsafe { (*(*self.place).shape).prototype.addr() }
    }

    /// Whether only one thing refers to it, counted or not.
    #[inline]
    pub(crate) fn has_one_owner(self) -> bool {
        // SAFETY: see the field.
        unsafe { count_of(self.place.cast()) == 1 && (*self.place).weak_references.is_null() }
    }

    #[inline]
    pub(crate) fn is_extensible(self) -> bool {
        // SAFETY: see the field.
        unsafe { (*self.place).flags & EXTENSIBLE != 0 }
    }

    #[inline]
    pub(crate) fn is_fast_array(self) -> bool {
        // SAFETY: see the field.
        unsafe { (*self.place).flags & FAST_ARRAY != 0 }
    }

    /// The items, if it is a fast array.
    #[inline]
    pub(crate) fn items(self) -> impl ExactSizeIterator<Item = SeenPart<'q>> {
        let items: &'q [qjs::JSValue] = if self.is_fast_array() {
            // SAFETY: see the field; a fast array has so many items there.
            unsafe { slice_of((*self.place).items, (*self.place).items_count as usize) }
        } else {
            &[]
        };
        items.iter().map(|raw| SeenPart { raw: *raw, alive: PhantomData })
    }

    /// The own properties, by key and place; deleted ones are left out.
    #[inline]
    pub(crate) fn properties(self) -> impl Iterator<Item = SeenProperty<'q>> {
        // SAFETY: see the field. An object has as many values as its shape has properties. Those lie behind
        // the shape's hash table, which has one entry more than the mask says.
        let (heads, values): (&'q [PropertyHead], &'q [qjs::JSValue]) = unsafe {
            let shape = (*self.place).shape;
            let count = (*shape).count.max(0) as usize;
            let table = shape.add(1).cast::<u32>();
            let first = table.add((*shape).hash_mask as usize + 1).cast::<PropertyHead>();
            (slice_of(first, count), slice_of((*self.place).values, count))
        };
        let property = |(head, raw): (&PropertyHead, &qjs::JSValue)| SeenProperty {
            head: *head,
            part: SeenPart { raw: *raw, alive: PhantomData },
        };
        heads.iter().zip(values).filter(|(head, _)| head.key != 0).map(property)
    }
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

impl<'q> SeenProperty<'q> {
    #[inline]
    pub(crate) fn key(self) -> Key {
        Key(self.head.key)
    }

    /// How it may be used, in the engine's own bits.
    #[inline]
    pub(crate) fn access(self) -> u32 {
        self.head.flags >> 26
    }

    /// What stands in its place; a value only for data, as its access tells.
    #[inline]
    pub(crate) fn bits(self) -> Bits {
        self.part.bits()
    }

    /// What holds its value; nothing unless it is data, as its access tells.
    #[inline]
    pub(crate) fn part(self) -> Option<SeenPart<'q>> {
        (self.access() & !(qjs::JS_PROP_C_W_E | LENGTH) == 0).then_some(self.part)
    }

    /// What it holds; only for data.
    #[inline]
    pub(crate) fn value(self) -> SeenValue<'q> {
        self.part().map_or(SeenValue::Other, SeenPart::value)
    }
}

/// Access of a member like any other.
pub(crate) const FREE: u32 = qjs::JS_PROP_C_W_E;

/// Access of the length of an array, as the engine marks it.
pub(crate) const LENGTH_OF_ARRAY: u32 = qjs::JS_PROP_WRITABLE | LENGTH;
const LENGTH: u32 = 1 << 3;

impl SeenValue<'_> {
    /// What lies there, to be seen for as long as the object is that it is part of.
    #[inline]
    fn of(raw: qjs::JSValue) -> Self {
        // SAFETY: the tag says what there is. Whatever the value refers to is kept alive by what it is part of.
        unsafe {
            match qjs::JS_VALUE_GET_NORM_TAG(raw) {
                qjs::JS_TAG_NULL => Self::Null,
                qjs::JS_TAG_BOOL => Self::Bool(qjs::JS_VALUE_GET_BOOL(raw)),
                qjs::JS_TAG_INT => Self::Int(qjs::JS_VALUE_GET_INT(raw)),
                qjs::JS_TAG_FLOAT64 => Self::Float(qjs::JS_VALUE_GET_FLOAT64(raw)),
                qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => {
                    Self::Text(SeenText { raw, alive: PhantomData })
                }
                qjs::JS_TAG_OBJECT => {
                    Self::Object(Seen { place: qjs::JS_VALUE_GET_PTR(raw).cast(), alive: PhantomData })
                }
                _ => Self::Other,
            }
        }
    }
}

/// A text in place: in one piece, or of many.
#[derive(Clone, Copy)]
pub(crate) struct SeenText<'q> {
    /// A live text, of a known layout, that nothing changes for as long as `'q`.
    raw: qjs::JSValue,
    alive: PhantomData<&'q ()>,
}

/// The characters of a text.
#[derive(PartialEq)]
pub(crate) enum Characters<'a> {
    /// The first 256 of Unicode.
    Narrow(&'a [u8]),
    Wide(&'a [u16]),
}

impl<'q> SeenText<'q> {
    #[inline]
    fn rope(self) -> Option<&'q RopeHead> {
        // SAFETY: see the field.
        unsafe {
            (qjs::JS_VALUE_GET_NORM_TAG(self.raw) == qjs::JS_TAG_STRING_ROPE)
                .then(|| &*qjs::JS_VALUE_GET_PTR(self.raw).cast::<RopeHead>())
        }
    }

    /// How many characters it has, without looking at them.
    #[inline]
    pub(crate) fn length(self) -> usize {
        match (self.rope(), self.in_one_piece()) {
            (Some(rope), _) => rope.length as usize,
            (None, Some(Characters::Wide(wide))) => wide.len(),
            (None, Some(Characters::Narrow(narrow))) => narrow.len(),
            (None, None) => 0,
        }
    }

    #[inline]
    pub(crate) fn is_wide(self) -> bool {
        match self.rope() {
            Some(rope) => rope.is_wide != 0,
            None => matches!(self.in_one_piece(), Some(Characters::Wide(_))),
        }
    }

    /// Its characters, unless it is made of many pieces.
    #[inline]
    pub(crate) fn in_one_piece(self) -> Option<Characters<'q>> {
        if self.rope().is_some() {
            return None;
        }
        // SAFETY: see the field. The characters stand behind the head, or a piece of another text is named there,
        // or their place.
        unsafe {
            let head: *const TextHead = qjs::JS_VALUE_GET_PTR(self.raw).cast();
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
            Some(if (*head).length & WIDE == 0 {
                Characters::Narrow(slice_of(first, count))
            } else {
                Characters::Wide(slice_of(first.cast(), count))
            })
        }
    }

    /// Adds its characters.
    pub(crate) fn gather(self, wide: &mut Vec<u16>) {
        if let Some(rope) = self.rope() {
            for half in [rope.left, rope.right] {
                Self { raw: half, alive: PhantomData }.gather(wide);
            }
            return;
        }
        match self.in_one_piece() {
            Some(Characters::Narrow(narrow)) => wide.extend(narrow.iter().map(|byte| u16::from(*byte))),
            Some(Characters::Wide(more)) => wide.extend_from_slice(more),
            None => {}
        }
    }

    #[inline]
    fn to_text(self) -> Arc<str> {
        if let Some(Characters::Narrow(narrow)) = self.in_one_piece() {
            return match str::from_utf8(narrow) {
                Ok(text) if narrow.is_ascii() => text.into(),
                _ => narrow.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
            };
        }
        let mut wide = Vec::new();
        self.gather(&mut wide);
        String::from_utf16_lossy(&wide).into()
    }
}

/// A text of an engine that is held outside of it, whatever becomes of the engine.
///
/// A text that is held is never written to: the engine appends in place only where nobody else counts.
pub(crate) struct Held {
    raw: qjs::JSValue,
    anchor: Rc<Anchor>,
}

impl Held {
    /// As it lies now; nothing runs while one of our own methods looks.
    #[inline]
    fn seen(&self) -> SeenText<'_> {
        SeenText { raw: self.raw, alive: PhantomData }
    }

    /// Whether it says what the other one says, as far as that can be told at once.
    #[inline]
    pub(crate) fn says(&self, text: SeenText<'_>) -> bool {
        // SAFETY: reads two pointers and tags.
        let is_one = unsafe {
            ptr::eq(qjs::JS_VALUE_GET_PTR(self.raw), qjs::JS_VALUE_GET_PTR(text.raw))
                && qjs::JS_VALUE_GET_NORM_TAG(self.raw) == qjs::JS_VALUE_GET_NORM_TAG(text.raw)
        };
        is_one || self.seen().in_one_piece().is_some_and(|own| text.in_one_piece() == Some(own))
    }

    #[inline]
    pub(crate) fn to_text(&self) -> Arc<str> {
        self.seen().to_text()
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the text was counted for this, once, and its engine is alive.
        unsafe { qjs::JS_FreeValueRT(self.anchor.runtime(), self.raw) };
    }
}
