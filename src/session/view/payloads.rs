//! What a search of payloads found.

use std::sync::Arc;

use crate::{model::Zone, store::search::SearchHit};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PayloadsView {
    /// Whether there is an index, so that hits can be gone to.
    pub is_ready: bool,
    /// The chosen stream.
    pub stream: Option<Arc<str>>,
    /// The filters of the events panel, in words.
    pub filters: Vec<String>,
    /// Whether the newest events come first.
    pub newest_first: bool,
    /// In which zone times are shown.
    pub zone: Zone,
    /// Which search of this window it is; nothing while nothing was looked for.
    pub number: Option<u64>,
    /// "3 hits; 100 000 of 1 000 000 events".
    pub summary: String,
    /// Whether all was looked at.
    pub is_over: bool,
    /// Whether it was stopped on the way.
    pub is_stopped: bool,
    /// What was found so far.
    pub hits: Arc<Vec<SearchHit>>,
    /// The row that was gone to last.
    pub chosen: Option<usize>,
    /// What could not be read, in words.
    pub troubles: Vec<String>,
    /// The id that was looked for beside the payloads: "correlation id 4711".
    pub sought_id: Option<String>,
    /// How long searching all events takes; nothing if they are soon searched.
    pub estimate: Option<Arc<str>>,
    /// How long reading the ids of all events takes; nothing if they are soon read.
    pub id_estimate: Option<Arc<str>>,
}
