//! Finding the stream that a user means.

use std::{collections::BTreeMap, sync::Arc};

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
            (_, [one]) => FoundStream::One(*one),
            // One id that was written with two categories: neither stream is the whole.
            ([_], _) if self.is_shared(text, &answering) => FoundStream::Several(answering),
            ([one], _) => FoundStream::One(*one),
            (_, []) => FoundStream::None { nearest: self.nearest_streams(text) },
            (_, _) => FoundStream::Several(answering),
        }
    }

    /// Whether the store holds a text as the id of several of these streams, where categories stand apart.
    fn is_shared(&self, text: &str, streams: &[u32]) -> bool {
        let infos = || streams.iter().filter_map(|stream| self.stream(*stream));
        infos().filter(|info| info.name.category.is_some() && **info.name.cell() == *text).count() > 1
            && infos().any(|info| info.name.stored.is_none())
    }

    /// Ids whose events seem to be one history that was written with several categories: no version occurs
    /// twice, and together they leave no more gaps than one history would. At most so many.
    #[must_use]
    pub fn torn_streams(&self, most: usize) -> Vec<(Arc<str>, Vec<u32>)> {
        let mut of_id: BTreeMap<&Arc<str>, Vec<u32>> = BTreeMap::new();
        if self.categories().len() < 2 {
            return Vec::new();
        }
        for (info, number) in self.streams.iter().zip(0..) {
            of_id.entry(info.name.cell()).or_default().push(number);
        }
        let torn = of_id.into_iter().filter(|(_, parts)| parts.len() > 1 && self.is_torn(parts));
        torn.take(most).map(|(id, parts)| (Arc::clone(id), parts)).collect()
    }

    fn is_torn(&self, parts: &[u32]) -> bool {
        let infos = || parts.iter().filter_map(|part| self.stream(*part));
        let (first, last) =
            (infos().filter_map(|info| info.first_version), infos().filter_map(|info| info.last_version));
        let (Some(first), Some(last)) = (first.min(), last.max()) else { return false };
        let begin = infos().filter(|info| info.first_version == Some(first)).count();
        let events: u64 = infos().map(|info| info.events).sum();
        begin == 1 && events <= (last.0 - first.0).unsigned_abs() + 1
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
