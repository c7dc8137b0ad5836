//! Where stored read models no longer agree with the events.

use std::sync::Arc;

use crate::projection::drift::Drift;

/// What the panel shows of the chosen projection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriftView {
    /// The projection; empty if none is chosen.
    pub projection: Arc<str>,
    /// How far its comparison came.
    pub stage: DriftStage,
    /// The stored table that it is compared with.
    pub table: Option<Arc<str>>,
    /// What came out.
    pub drift: Option<Arc<Drift>>,
    /// What came out in one sentence.
    pub summary: String,
    /// How the tables were compared, one sentence a line.
    pub notes: Arc<[String]>,
    /// Why the tables cannot be compared; in words.
    pub refused: Option<Arc<str>>,
    /// Whether the rebuild, the definition or the project file changed since.
    pub is_outdated: bool,
    /// Whether only a part of the events was rebuilt, on purpose.
    pub is_part: bool,
    /// A file name for a report, without its ending.
    pub report_path: String,
    /// A text for the clipboard, with its number.
    pub copied: Option<(u64, Arc<str>)>,
    /// How long what is to be done next takes: rebuilding, or comparing; nothing if it is soon done.
    pub estimate: Option<Arc<str>>,
}

/// How far a comparison came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriftStage {
    /// No projection is chosen.
    #[default]
    Nothing,
    /// The store has a table, but nothing says what makes it.
    NoDefinition,
    /// Nothing was rebuilt yet.
    NotRebuilt,
    /// A rebuild is under way.
    Rebuilding,
    /// There is something to compare.
    Ready,
    /// It is being compared.
    Comparing,
}
