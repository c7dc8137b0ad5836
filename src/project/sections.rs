//! What a user keeps about one store besides its layout: reducers, watches, conditions, bookmarks,
//! the trail and branches, as plain data.
//!
//! ```toml
//! [reducers]                       # by category; paths from the folder of this file
//! order = "reducers/order.js"
//!
//! [scripts]
//! on_failure = "stop"              # or "go on"
//!
//! [[bookmark]]
//! stream = "order-17"
//! count = 4
//! note = "paid twice"
//! ```

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

/// Everything that is kept besides the layout.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sections {
    /// Which reducer makes the states of which category. Paths start at the folder of the project
    /// file; the empty name stands for streams without a category.
    pub reducers: BTreeMap<Arc<str>, PathBuf>,
    /// How scripts run.
    pub scripts: ScriptsEntry,
    /// What is followed over a history.
    #[serde(rename = "watch")]
    pub watches: Vec<WatchEntry>,
    /// What histories are searched for.
    #[serde(rename = "condition")]
    pub conditions: Vec<ConditionEntry>,
    /// Places with notes.
    #[serde(rename = "bookmark")]
    pub bookmarks: Vec<BookmarkEntry>,
    /// Where the user stood, the oldest first.
    pub trail: Vec<PlaceEntry>,
    /// Branches of histories.
    #[serde(rename = "branch")]
    pub branches: Vec<BranchEntry>,
    /// Projections, and how their stored tables are compared.
    #[serde(rename = "projection")]
    pub projections: Vec<ProjectionEntry>,
    /// How stored snapshots are compared, by category.
    #[serde(rename = "snapshot")]
    pub snapshots: Vec<SnapshotEntry>,
    /// What was published, the oldest first.
    #[serde(rename = "published")]
    pub published: Vec<PublishedEntry>,
}

/// A projection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectionEntry {
    /// The file that defines it, from the folder of the project file: `.sql` or JavaScript.
    pub file: PathBuf,
    /// Which of the file's projections; without it, all of them, each by its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The stored table it is compared with; without it, the one that is called as the projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<Arc<str>>,
    /// Its name in the table of checkpoints; without it, its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Arc<str>>,
    /// Columns that are called otherwise: stored = rebuilt. The state of a projection in JavaScript is read
    /// by JSON Pointers: `total = "/total"`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Arc<str>, Arc<str>>,
    /// Stored columns that are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Arc<str>>,
    /// What happens at an event that it cannot handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailureEntry>,
}

/// How the stored snapshots of a category are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotEntry {
    /// The category; `None` means all that have no entry of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Arc<str>>,
    /// Where in the stored state the aggregate's own state stands, as a JSON Pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Arc<str>>,
    /// Fields that are called otherwise: JSON Pointer in the whole stored state = JSON Pointer in the replayed
    /// one; a bare name is a member of the root.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Arc<str>, Arc<str>>,
    /// Fields of either that are not compared, as JSON Pointers or bare names; `*` stands for every item of an
    /// array.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Arc<str>>,
}

/// Something that was written into the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublishedEntry {
    /// When, RFC 3339.
    pub time: Arc<str>,
    /// What: the projection, or the snapshot's stream and version.
    pub subject: Arc<str>,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Where the copy from before lies.
    pub backup: PathBuf,
}

/// How scripts run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptsEntry {
    /// The engine version of the projection dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineEntry>,
    /// What happens to the rest of a history when an event cannot be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailureEntry>,
    /// Randomness and the clock are refused to scripts unless this seeds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// How long one call into a script may take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_limit_ms: Option<u32>,
    /// How long all calls of one run may take together, such as those of a fold, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_limit_s: Option<u32>,
    /// How much memory one engine may use, in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_mib: Option<u32>,
}

/// An engine version of the projection dialect: 1 or 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum EngineEntry {
    /// The first.
    V1,
    /// The second.
    V2,
}

impl TryFrom<u32> for EngineEntry {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            _ => Err(format!("there is no engine version {number}; it is 1 or 2")),
        }
    }
}

impl From<EngineEntry> for u32 {
    fn from(engine: EngineEntry) -> Self {
        match engine {
            EngineEntry::V1 => 1,
            EngineEntry::V2 => 2,
        }
    }
}

/// What happens to the rest of a history when an event cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailureEntry {
    /// It goes on from the state before that event.
    #[serde(rename = "go on")]
    GoOn,
    /// No later event is applied.
    #[serde(rename = "stop")]
    Stop,
}

/// Something followed over a history: a path or an expression, one of both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchEntry {
    /// What the user calls it; empty means by its path or expression.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: Arc<str>,
    /// The category it is for; `None` means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Arc<str>>,
    /// A JSON Pointer into the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Arc<str>>,
    /// A JSON Pointer into the event's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Arc<str>>,
    /// A JavaScript expression over `state` and `event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Arc<str>>,
    /// Whether the event table has a column for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub column: bool,
}

/// What a history is searched for: one of its members is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionEntry {
    /// The category it is for; `None` means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Arc<str>>,
    /// An event type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<Arc<str>>,
    /// A JavaScript expression over the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Arc<str>>,
    /// A JavaScript expression over the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Arc<str>>,
    /// A JavaScript expression over the state: it was false before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes: Option<Arc<str>>,
    /// A JSON Pointer into the state: it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Arc<str>>,
    /// For a change: the old value, as JSON, if only that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Arc<str>>,
    /// For a change: the new value, as JSON, if only that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Arc<str>>,
    /// Whether it is left out for now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// A place in a history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceEntry {
    /// The stream, by its whole name; `None` means the whole store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Arc<str>>,
    /// How many events lie behind.
    pub count: usize,
    /// The version of the last of them, if it has one: the place is found by it when events before
    /// it came or went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A place with a note.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BookmarkEntry {
    /// The place.
    #[serde(flatten)]
    pub place: PlaceEntry,
    /// What the user wrote.
    #[serde(default)]
    pub note: Arc<str>,
}

/// A branch of a stream's history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchEntry {
    /// What the user calls it.
    pub name: Arc<str>,
    /// The stream, by its whole name.
    pub stream: Arc<str>,
    /// Another reducer than the category's, from the folder of the project file; empty means the merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reducer: Option<PathBuf>,
    /// What is different.
    #[serde(default, rename = "edit")]
    pub edits: Vec<EditEntry>,
}

/// One difference of a branch from the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditEntry {
    /// What is done.
    pub what: EditKind,
    /// To which event, by its count in the truth; for an insertion, after which.
    pub event: usize,
    /// What that event looked like, so that no other is taken for it; without it, whichever stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenEntry>,
    /// For a move: after which event it stands then, by its count in the truth; 0 means before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// What that one looked like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seen: Option<SeenEntry>,
    /// The new event type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<Arc<str>>,
    /// The new data, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Arc<str>>,
    /// The new metadata, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Arc<str>>,
    /// Whether it is left out for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// What an event looked like when an edit named it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenEntry {
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: Arc<str>,
    /// Its version, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// When it was recorded, if the store says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Arc<str>>,
}

/// What an edit of a branch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditKind {
    /// The event did not happen.
    LeaveOut,
    /// It happened otherwise.
    Change,
    /// Another event happened.
    Insert,
    /// It happened at another place.
    Move,
}
