//! Finding the stream that a user means.

use std::sync::Arc;

use crate::{
    model::StreamName,
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
