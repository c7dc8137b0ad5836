//! Watches: paths and expressions followed over the whole history.

use std::{collections::BTreeMap, sync::Arc};

use crate::replay::{Series, Sketch};

/// What watches found after events of the table: by ordinal, and by what is followed.
pub type WatchCells = BTreeMap<u32, BTreeMap<String, Arc<str>>>;

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchesView {
    /// The chosen stream; empty while none is.
    pub stream: Arc<str>,
    /// The watches of its category.
    pub rows: Arc<[WatchView]>,
    /// How many events its history has.
    pub events: usize,
    /// How many of them lie behind the cursor.
    pub here: usize,
    /// How far the history was looked at, while not all of it was.
    pub progress: Option<String>,
    /// Whether it was stopped on the way.
    pub is_stopped: bool,
    /// How long following one more along the history takes; nothing if that is soon done.
    pub estimate: Option<Arc<str>>,
}

/// One watch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchView {
    /// Its place in the list, for actions.
    pub place: usize,
    /// What the user calls it; else what it follows.
    pub name: String,
    /// What it follows.
    pub text: String,
    /// The value before the step at the cursor, if the step changed it.
    pub before: Option<Arc<str>>,
    /// The value at the cursor; `—` where there is none.
    pub value: Arc<str>,
    /// Why there is none.
    pub reason: Option<Arc<str>>,
    /// What was found along the history.
    pub series: Arc<Series>,
    /// The same, ready to be drawn.
    pub sketch: Arc<Sketch>,
    /// Where the expression failed first, and how often.
    pub fault: Option<String>,
    /// Whether the event table has a column for it.
    pub is_column: bool,
    /// Whether what is drawn is of a history that is being made anew.
    pub is_old: bool,
}
