//! Conditions: running forward and backward to where something holds.

use std::sync::Arc;

use crate::{
    model::Zone,
    replay::{Condition, Hit, StreamHit, Which},
    session::{pieces::Pieces, view::RowHead},
    store::index::Index,
};

/// What the panel shows.
#[derive(Debug, Clone, Default)]
pub struct ConditionsView {
    /// The chosen stream.
    pub stream: Option<u32>,
    /// The category whose conditions are shown; `Some(None)` means streams without one.
    pub category: Option<Option<Arc<str>>>,
    /// All categories, to choose from while no stream is chosen.
    pub categories: Arc<[Option<Arc<str>>]>,
    /// All event types, to choose from.
    pub types: Arc<[Arc<str>]>,
    /// The conditions.
    pub rows: Arc<[ConditionView]>,
    /// "3 hits in 231 events"; empty while nothing is looked for.
    pub summary: String,
    /// Whether the list was stopped on the way.
    pub is_stopped: bool,
    /// The hits in the chosen stream.
    pub hits: Pieces<Hit>,
    /// The conditions that they meet.
    pub conditions: Arc<[Condition]>,
    /// The row of the hit at the cursor.
    pub here: Option<usize>,
    /// What was found in many streams.
    pub search: Option<SearchView>,
    /// The index, to say what a hit is.
    pub index: Option<Arc<Index>>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// How long searching the streams of the category takes; nothing if they are soon searched.
    pub of_category: Option<Arc<str>>,
    /// The same of all streams.
    pub of_store: Option<Arc<str>>,
    /// The same of the chosen stream.
    pub of_stream: Option<Arc<str>>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionView {
    /// Its place in the list, for actions.
    pub place: usize,
    /// What it looks for.
    pub text: String,
    /// Whether it is looked for now.
    pub is_on: bool,
    /// How many hits it has; nothing while it is not looked for.
    pub hits: Option<u64>,
    /// Where it failed first, and how often.
    pub fault: Option<String>,
}

/// What a search in many streams found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchView {
    /// Which search of this window it is.
    pub number: u64,
    /// Where: "All streams of `order`".
    pub title: String,
    /// "3 of 48 streams".
    pub summary: String,
    /// Whether all were looked at.
    pub is_over: bool,
    /// Whether it was stopped on the way.
    pub is_stopped: bool,
    /// The first hit of each stream that has one.
    pub hits: Pieces<StreamHit>,
    /// The row of the chosen stream among them.
    pub chosen: Option<usize>,
    /// The conditions that they meet.
    pub conditions: Arc<[Condition]>,
    /// Conditions that could not be asked everywhere, in words.
    pub faults: Vec<String>,
}

impl ConditionsView {
    /// The event of a hit in the chosen stream.
    #[must_use]
    pub fn head(&self, hit: Hit) -> Option<RowHead> {
        let index = self.index.as_ref()?;
        self.head_of(*index.stream_events(self.stream?).get(hit.count.checked_sub(1)?)?)
    }

    /// An event, by its number in global order.
    #[must_use]
    pub fn head_of(&self, ordinal: u32) -> Option<RowHead> {
        RowHead::of(self.index.as_ref()?, ordinal, self.zone)
    }
}

/// Which conditions are met, in words.
#[must_use]
pub fn met_words(conditions: &[Condition], which: Which) -> String {
    let met = which.places().filter_map(|place| conditions.get(place));
    met.map(ToString::to_string).collect::<Vec<_>>().join(" · ")
}
