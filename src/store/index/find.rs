//! Finding the stream that a user means.

use std::sync::Arc;

use crate::{
    model::{StreamInfo, StreamName},
    store::index::{Index, nearest_names, order},
};

/// So many suggestions help; more are a list to search through.
const NEAREST: usize = 5;

/// What was found for a text that should name a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundStream {
    /// This stream.
    One(u32),
    /// None; these names come near, the nearest first.
    None {
        /// At most five names.
        nearest: Vec<Arc<str>>,
    },
    /// Several, such as one id in two categories.
    Several(Vec<u32>),
}

impl Index {
    /// The stream that a user means by a name, by `<category>-<id>` or by a bare id.
    ///
    /// A stream's own whole name wins over ids that are spelled the same.
    #[must_use]
    pub fn find_stream(&self, text: &str) -> FoundStream {
        let numbered = || self.streams.iter().zip(0_u32..);
        let answering: Vec<u32> =
            numbered().filter(|(info, _)| info.name.answers_to(text)).map(|(_, number)| number).collect();
        let is_exact = |number: &u32| self.stream(*number).is_some_and(|info| *info.name.full() == *text);
        let exact: Vec<u32> = answering.iter().copied().filter(is_exact).collect();
        match (exact.as_slice(), answering.as_slice()) {
            ([one], _) | (_, [one]) => FoundStream::One(*one),
            (_, []) => FoundStream::None { nearest: self.nearest_streams(text) },
            (_, _) => FoundStream::Several(answering),
        }
    }

    /// The one stream that a user means, as [`Self::find_stream`] finds it, without names that come near.
    #[must_use]
    pub fn stream_meant(&self, text: &str) -> Option<u32> {
        let only = || {
            let mut answering = self.streams.iter().zip(0..).filter(|(info, _)| info.name.answers_to(text));
            let (_, only) = answering.next()?;
            answering.next().is_none().then_some(only)
        };
        self.stream_called(text).or_else(only)
    }

    /// How many of a stream's events its event of this version ends; nothing if it has none of this version.
    #[must_use]
    pub fn count_of_version(&self, stream: u32, version: i64) -> Option<usize> {
        let events = self.stream_events(stream);
        let version_of = |ordinal: &u32| self.version(*ordinal);
        // Events stand in version order, so the place is found without a walk.
        let place =
            events.partition_point(|ordinal| version_of(ordinal).is_some_and(|found| found < version));
        (version_of(events.get(place)?) == Some(version)).then_some(place + 1)
    }

    /// The stream of this whole name. Where names are made as usual, of a category, a sign and an id, it is found
    /// without a walk.
    #[must_use]
    pub fn stream_called(&self, name: &str) -> Option<u32> {
        let find = |category: Option<&Arc<str>>, id: &str| {
            let stored = [Some(Arc::from(name)), None].into_iter();
            let mut names =
                stored.map(|stored| StreamName { category: category.cloned(), id: id.into(), stored });
            names.find_map(|own| self.stream_number(&own).filter(|_| *own.full() == *name))
        };
        let inside = |category: &Arc<str>| {
            let mut rest = name.strip_prefix(&**category)?.chars();
            rest.next()?;
            find(Some(category), rest.as_str())
        };
        let categories = || self.categories().iter().filter_map(|info| info.name.as_ref());
        let found = find(None, name).or_else(|| categories().find_map(inside));
        let is_it = |(info, _): &(&StreamInfo, u32)| *info.name.full() == *name;
        found.or_else(|| self.streams.iter().zip(0..).find(is_it).map(|(_, number)| number))
    }

    /// The number of the stream of exactly this name.
    #[must_use]
    pub fn stream_number(&self, name: &StreamName) -> Option<u32> {
        order::find(&self.by_name, &self.streams, name)
    }

    fn nearest_streams(&self, text: &str) -> Vec<Arc<str>> {
        let whole = nearest_names(text, self.streams.iter().map(|info| info.name.full()), NEAREST);
        if !whole.is_empty() {
            return whole;
        }
        // A bare id with a slip in it: its names are offered whole.
        let ids = nearest_names(text, self.streams.iter().map(|info| Arc::clone(&info.name.id)), NEAREST);
        let owner = |id: &Arc<str>| self.streams.iter().find(|info| info.name.id == *id);
        ids.iter().filter_map(owner).map(|info| info.name.full()).collect()
    }
}
