//! Values and names made for an engine, counted by the compiler: what nobody takes over is given back.

use std::{marker::PhantomData, mem::ManuallyDrop, ptr::NonNull, rc::Rc};

use rquickjs::{Ctx, Error, Result, Value, qjs};

use crate::script::{
    engine_memory::Anchor,
    spread::{mixed_name, place_of},
};

/// Where values are made. It is as good as the context that it was made of, and costs no count.
#[derive(Clone, Copy)]
pub(crate) struct Maker<'js> {
    pub(super) ctx: NonNull<qjs::JSContext>,
    /// Names one engine: that of a context is never the same for two, and cannot be stretched.
    brand: PhantomData<fn(&'js ()) -> &'js ()>,
}

/// A value that was made and belongs to nobody else yet.
pub(crate) struct Made<'js> {
    raw: qjs::JSValue,
    maker: Maker<'js>,
}

/// A property key, told from others. Only [`Atom`] and [`LiveKey`](super::LiveKey) can be used as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Key(pub(super) qjs::JSAtom);

/// How the engine itself writes small integers as keys.
pub(super) const IS_INTEGER: u32 = 1 << 31;

impl Key {
    /// The small integer that it is, if it is one.
    #[inline]
    pub(crate) fn index(self) -> Option<u32> {
        (self.0 & IS_INTEGER != 0).then_some(self.0 & !IS_INTEGER)
    }

    /// A number for it. Small, unless it is an integer.
    #[inline]
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A name made into a property key, counted.
pub(crate) struct Atom<'js> {
    raw: qjs::JSAtom,
    maker: Maker<'js>,
}

impl<'js> Maker<'js> {
    #[inline]
    pub(crate) fn of(ctx: &Ctx<'js>) -> Self {
        Self { ctx: ctx.as_raw(), brand: PhantomData }
    }

    #[inline]
    fn made(self, raw: qjs::JSValue) -> Result<Made<'js>> {
        // SAFETY: reads a tag.
        if unsafe { qjs::JS_IsException(raw) } {
            return Err(Error::Exception);
        }
        Ok(Made { raw, maker: self })
    }

    #[inline]
    pub(crate) fn object(self) -> Result<Made<'js>> {
        // SAFETY: the context is live as long as its brand is in reach; the value is ours.
        self.made(unsafe { qjs::JS_NewObject(self.ctx.as_ptr()) })
    }

    #[inline]
    pub(crate) fn array(self) -> Result<Made<'js>> {
        // SAFETY: as of `object`.
        self.made(unsafe { qjs::JS_NewArray(self.ctx.as_ptr()) })
    }

    /// A text in UTF-8. The engine makes whole characters of bytes that are none.
    #[inline]
    pub(crate) fn text(self, text: &[u8]) -> Result<Made<'js>> {
        let (first, length) = (text.as_ptr().cast(), text.len() as qjs::size_t);
        // SAFETY: as of `object`; so many bytes are there, and they are copied.
        self.made(unsafe { qjs::JS_NewStringLen(self.ctx.as_ptr(), first, length) })
    }

    #[inline]
    pub(crate) fn int(self, number: i32) -> Made<'js> {
        Made { raw: qjs::JS_MKVAL(qjs::JS_TAG_INT, number), maker: self }
    }

    #[inline]
    pub(crate) fn float(self, number: f64) -> Made<'js> {
        Made { raw: qjs::JS_NewFloat64(number), maker: self }
    }

    #[inline]
    pub(crate) fn bool(self, value: bool) -> Made<'js> {
        Made { raw: if value { qjs::JS_TRUE } else { qjs::JS_FALSE }, maker: self }
    }

    #[inline]
    pub(crate) fn null(self) -> Made<'js> {
        Made { raw: qjs::JS_NULL, maker: self }
    }

    /// The key of a name in UTF-8.
    #[inline]
    pub(crate) fn atom(self, name: &[u8]) -> Result<Atom<'js>> {
        let ctx = self.ctx.as_ptr();
        let raw = if name.is_ascii() {
            // SAFETY: as of `text`.
            unsafe { qjs::JS_NewAtomLen(ctx, name.as_ptr().cast(), name.len() as qjs::size_t) }
        } else {
            // The short way takes bytes beyond ASCII for characters if there is a name of these.
            let text = self.text(name)?;
            // SAFETY: context and text are live.
            unsafe { qjs::JS_ValueToAtom(ctx, text.raw) }
        };
        if raw == 0 { Err(Error::Exception) } else { Ok(Atom { raw, maker: self }) }
    }
}

impl<'js> Made<'js> {
    /// A value that was handed over already, counted once more.
    #[inline]
    pub(crate) fn of(value: &Value<'js>) -> Self {
        let maker = Maker::of(value.ctx());
        // SAFETY: context and value are live.
        let raw = unsafe { qjs::JS_DupValue(maker.ctx.as_ptr(), value.as_raw()) };
        Self { raw, maker }
    }

    /// Defines a member, whatever stands in the way on the prototypes.
    #[inline]
    pub(crate) fn define(&self, name: &Atom<'js>, value: Self) -> Result<()> {
        let (ctx, all) = (self.maker.ctx.as_ptr(), qjs::JS_PROP_C_W_E as i32);
        // SAFETY: the brand says that all are of one engine, and alive; the value is taken over, even on
        // failure. What is no object throws.
        let answer = unsafe { qjs::JS_DefinePropertyValue(ctx, self.raw, name.raw, value.into_raw(), all) };
        if answer < 0 { Err(Error::Exception) } else { Ok(()) }
    }

    /// Defines an item.
    #[inline]
    pub(crate) fn define_item(&self, index: u32, value: Self) -> Result<()> {
        let (ctx, all) = (self.maker.ctx.as_ptr(), qjs::JS_PROP_C_W_E as i32);
        // SAFETY: as of `define`.
        let answer =
            unsafe { qjs::JS_DefinePropertyValueUint32(ctx, self.raw, index, value.into_raw(), all) };
        if answer < 0 { Err(Error::Exception) } else { Ok(()) }
    }

    #[inline]
    pub(crate) fn into_value(self, ctx: &Ctx<'js>) -> Value<'js> {
        // SAFETY: the value is of that engine, as its brand says, and ours to hand over.
        unsafe { Value::from_raw(ctx.clone(), self.into_raw()) }
    }

    #[inline]
    fn into_raw(self) -> qjs::JSValue {
        ManuallyDrop::new(self).raw
    }
}

impl Drop for Made<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it was counted for this, once, and is not used any more.
        unsafe { qjs::JS_FreeValue(self.maker.ctx.as_ptr(), self.raw) };
    }
}

impl Atom<'_> {
    /// Never to be given back, so that the key keeps its meaning as long as the engine lives; the engine's end
    /// does not mind.
    #[inline]
    pub(crate) fn keep(self) -> Key {
        Key(self.into_raw())
    }

    /// The key that it is, to be told from others.
    #[inline]
    pub(crate) fn key(&self) -> Key {
        Key(self.raw)
    }

    /// Alive as long as the atom is.
    #[inline]
    pub(super) fn raw(&self) -> qjs::JSAtom {
        self.raw
    }

    #[inline]
    pub(super) fn into_raw(self) -> qjs::JSAtom {
        ManuallyDrop::new(self).raw
    }
}

impl Drop for Atom<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as of `Made`.
        unsafe { qjs::JS_FreeAtom(self.maker.ctx.as_ptr(), self.raw) };
    }
}

/// Keys of member names, each made once: the names of events are few.
///
/// A name has one place; where two names meet, the later one takes it. The default has no places.
#[derive(Default)]
pub(crate) struct Atoms {
    places: Vec<Option<Known>>,
    /// Whose keys these are.
    anchor: Option<Rc<Anchor>>,
}

struct Known {
    name: Box<[u8]>,
    raw: qjs::JSAtom,
}

impl Atoms {
    const PLACES: usize = 1024;

    /// Longer names are made each time.
    const LONGEST: usize = 64;

    /// Places for the keys of one engine.
    pub(crate) fn kept(anchor: &Rc<Anchor>) -> Self {
        Self { places: (0..Self::PLACES).map(|_| None).collect(), anchor: Some(Rc::clone(anchor)) }
    }

    /// The key of a name.
    #[inline]
    pub(crate) fn atom<'js>(&mut self, maker: Maker<'js>, name: &[u8]) -> Result<Atom<'js>> {
        let is_known = self.anchor.as_ref().is_some_and(|anchor| anchor.is_of(maker.ctx));
        if !is_known || name.len() > Self::LONGEST {
            return maker.atom(name);
        }
        let Some(place) = self.places.get_mut(place_of(mixed_name(name), Self::PLACES)) else {
            return maker.atom(name);
        };
        let again = |raw: qjs::JSAtom| {
            // SAFETY: the context is live and the key is one of its engine's; counted once more.
            Atom { raw: unsafe { qjs::JS_DupAtom(maker.ctx.as_ptr(), raw) }, maker }
        };
        if let Some(known) = place
            && *known.name == *name
        {
            return Ok(again(known.raw));
        }
        let atom = maker.atom(name)?;
        let kept = Known { name: name.into(), raw: again(atom.raw).into_raw() };
        if let Some(old) = place.replace(kept) {
            drop(Atom { raw: old.raw, maker });
        }
        Ok(atom)
    }
}

impl Drop for Atoms {
    #[inline]
    fn drop(&mut self) {
        let Some(anchor) = &self.anchor else { return };
        for known in self.places.iter().flatten() {
            // SAFETY: the key was counted once for its place, and its engine is alive.
            unsafe { qjs::JS_FreeAtomRT(anchor.runtime(), known.raw) };
        }
    }
}
