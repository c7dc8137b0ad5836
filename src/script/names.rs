//! Names of the engine's property keys, read once each.

use std::sync::Arc;

use crate::script::{
    engine_memory::{Key, LiveKey},
    image::size_of_text,
    repaired_text::repaired,
};

/// Names of keys, read once each.
#[derive(Default)]
pub(crate) struct Names(Vec<Option<Name>>);

struct Name {
    text: Arc<str>,
    /// Whether the text says all that the engine's says: no half of a surrogate pair is in it.
    is_whole: bool,
}

impl Names {
    /// Keys beyond are read each time: nobody has so many names.
    const MOST: usize = 1 << 16;

    /// The name of a key; nothing for a symbol, or if memory ran out.
    pub(crate) fn name(&mut self, live: LiveKey<'_>) -> Option<Arc<str>> {
        let place = live.key().place();
        if let Some(Some(name)) = self.0.get(place) {
            return Some(Arc::clone(&name.text));
        }
        let (name, is_whole): (Arc<str>, _) =
            live.with_name(|text| (repaired(text).into(), str::from_utf8(text).is_ok()))?;
        if place < Self::MOST {
            if self.0.len() <= place {
                self.0.resize_with(place + 1, || None);
            }
            if let Some(entry) = self.0.get_mut(place) {
                live.keep();
                *entry = Some(Name { text: Arc::clone(&name), is_whole });
            }
        }
        Some(name)
    }

    /// How long the name is, if it is one that is read once and says all that the engine's says.
    pub(crate) fn length(&mut self, live: LiveKey<'_>) -> Option<usize> {
        let place = live.key().place();
        if self.0.get(place).is_none_or(Option::is_none) {
            if place >= Self::MOST {
                return None;
            }
            self.name(live)?;
        }
        let name = self.0.get(place)?.as_ref()?;
        name.is_whole.then_some(name.text.len())
    }

    /// How long the name of a key is that was asked for before.
    pub(crate) fn length_of_known(&self, key: Key) -> usize {
        if key.index().is_some() {
            return size_of_text::INDEX;
        }
        self.0.get(key.place()).and_then(Option::as_ref).map_or(0, |name| name.text.len())
    }

    /// The name of a key that was asked for before; digits for a small integer.
    pub(crate) fn known(&self, key: Key) -> Arc<str> {
        if let Some(index) = key.index() {
            return index.to_string().into();
        }
        let name = self.0.get(key.place()).and_then(Option::as_ref);
        name.map(|name| Arc::clone(&name.text)).unwrap_or_default()
    }

    /// Whether that is the name of a key that was asked for before.
    pub(crate) fn is(&self, key: Key, name: &str) -> bool {
        match self.0.get(key.place()).and_then(Option::as_ref) {
            Some(known) => *known.text == *name,
            None => *self.known(key) == *name,
        }
    }
}
