//! The tree of streams.

use std::sync::Arc;

use crate::{
    model::{Timestamp, Zone},
    session::{action::StreamSort, view::grouped},
    store::index::Index,
};

/// The streams panel.
#[derive(Debug, Clone, Default)]
pub struct StreamsView {
    /// The lines of the tree, in order.
    pub lines: Arc<Vec<StreamLine>>,
    /// The filter as typed.
    pub filter: String,
    /// What is wrong with the filter.
    pub filter_error: Option<String>,
    /// The order.
    pub sort: StreamSort,
    /// Whether the order is turned round.
    pub is_descending: bool,
    /// The chosen stream.
    pub chosen: Option<u32>,
    /// How many streams pass the filter, and how many there are: "12 of 48 streams".
    pub summary: String,
    /// Whether indexing was stopped, and not all streams are known.
    pub is_stopped: bool,
    /// Whether the index is still being built.
    pub is_counting: bool,
    /// Events of each stream up to the cursor; `None` while the cursor is at the end.
    pub as_of: Option<Arc<Vec<u32>>>,
    /// Where the lines' texts come from.
    pub index: Option<Arc<Index>>,
    /// In which zone times are shown.
    pub zone: Zone,
}

impl StreamsView {
    /// Whether a stream has no event yet at the cursor.
    #[must_use]
    pub fn is_future(&self, stream: u32) -> bool {
        self.as_of.as_ref().and_then(|counts| counts.get(stream as usize)) == Some(&0)
    }

    /// The texts of a stream's line.
    #[must_use]
    pub fn text(&self, stream: u32) -> Option<StreamText> {
        let info = self.index.as_ref()?.streams().get(stream as usize)?;
        let show = |time: Option<Timestamp>| time.map(|time| time.to_display(self.zone)).unwrap_or_default();
        let as_of = self.as_of.as_ref().and_then(|counts| counts.get(stream as usize).copied());
        let events = match as_of {
            Some(count) if u64::from(count) != info.events => {
                format!("{} / {}", grouped(u64::from(count)), grouped(info.events))
            }
            _ => grouped(info.events),
        };
        Some(StreamText {
            label: Arc::clone(&info.name.id),
            full: info.name.full(),
            events,
            first: show(info.first_time),
            last: show(info.last_time),
        })
    }
}

/// A line of the tree of streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamLine {
    /// A category.
    Category {
        /// Its name; `None` for streams without one.
        name: Option<Arc<str>>,
        /// How many of its streams pass the filter.
        streams: u64,
        /// How many events they have.
        events: u64,
        /// Whether its streams are listed below it.
        is_open: bool,
    },
    /// A stream, by its number in the index.
    Stream(u32),
}

/// The texts of a stream's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamText {
    /// The id, or the whole name where there is no category.
    pub label: Arc<str>,
    /// The whole name.
    pub full: Arc<str>,
    /// How many events: "231", or "118 / 231" while the cursor stands in the past.
    pub events: String,
    /// Its first time.
    pub first: String,
    /// Its last time.
    pub last: String,
}
