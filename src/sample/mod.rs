//! Makes sample stores: the same bytes from the same options, on every machine.
//!
//! It knows no clock and no foreign randomness. Damage is put in on purpose, by name, in exactly
//! one place each, so that a test can say whether it was found and nothing else.

mod bank;
mod calendar;
mod damage;
mod doc;
mod draft;
mod indexes;
mod laid;
mod many;
mod mixed;
mod pages;
mod rng;
mod shop;
mod space;
mod wide;
mod words;
mod write;

use std::path::PathBuf;

use crate::work::Cancelled;

pub use write::write;

/// What a sample store is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shape {
    /// Customers, carts, orders, products and store credit over months.
    #[default]
    Shop,
    /// Bank accounts with transfers between them.
    Bank,
    /// One stream with all the events.
    Long,
    /// Large nested payloads and states.
    Wide,
    /// A stream for every fifty events, a few large and most small.
    Many,
    /// All of them, in the proportions of the large benchmarks.
    Mixed,
}

/// One way to damage a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DamageKind {
    /// A stream lacks a version.
    VersionGap,
    /// Two events of a stream have one version.
    DuplicateVersion,
    /// Two events have one global position; the table then has no primary key.
    DuplicatePosition,
    /// An event is older than the one before it.
    TimeBackwards,
    /// The data of an event ends in the middle.
    InvalidJson,
    /// The data of an event holds a byte that is not UTF-8.
    InvalidUtf8,
    /// An event belongs to no stream.
    NullStream,
    /// A snapshot's state is not what the events give.
    SnapshotMismatch,
    /// A snapshot of a stream that does not exist.
    SnapshotOrphan,
    /// A snapshot of a version that its stream has not reached.
    SnapshotAhead,
    /// An event of a type that occurs nowhere else.
    UnknownType,
    /// An event was caused by one that does not exist.
    DanglingCausation,
    /// A row of the read model is not what the events give.
    ReadModelMismatch,
    /// The read model lacks a row.
    ReadModelMissingRow,
    /// A projection claims to have handled events that do not exist.
    CheckpointAhead,
    /// The file ends in the middle of a page.
    TruncatedFile,
    /// A page of the events table holds rubbish.
    CorruptPage,
}

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOptions {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How many events.
    pub events: u64,
    /// What it is about.
    pub shape: Shape,
    /// A snapshot of each stream after so many of its events; 0 makes none.
    pub snapshot_every: u32,
    /// What to damage; a kind that stands twice damages two places.
    pub damage: Vec<DamageKind>,
}

/// One thing that was damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// How.
    pub kind: DamageKind,
    /// The table, or `file`.
    pub table: &'static str,
    /// The row: the position of an event, the key of another row, the number of a page.
    pub key: String,
    /// The stream, if it is about one.
    pub stream: Option<String>,
    /// The stream version it had before, if it is about an event or snapshot.
    pub version: Option<i64>,
    /// What was done, as a sentence without full stop.
    pub detail: String,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleReport {
    /// Events written.
    pub events: u64,
    /// Streams they are in.
    pub streams: u64,
    /// Snapshots written.
    pub snapshots: u64,
    /// Rows of `order_summaries`.
    pub read_model_rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// What was damaged, in the order asked for.
    pub damage: Vec<Damage>,
}

/// Why no sample was made; nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The work was withdrawn; never shown.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// There is such a file already.
    #[error("{} exists already; a sample is never written over another file", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk is too small.
    #[error("{} would take about {}, and the disk has {} left", path.display(), in_words(*needed), in_words(*free))]
    NoRoom {
        /// Which file.
        path: PathBuf,
        /// How many bytes it would take.
        needed: u64,
        /// How many the disk has left.
        free: u64,
    },
    /// SQLite failed.
    #[error("SQLite failed in {} while {doing}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What we were doing.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The sample has nothing that could be damaged in this way.
    #[error("nothing to damage by {}: {lacks}", kind.key())]
    NothingToDamage {
        /// How it should have been damaged.
        kind: DamageKind,
        /// What the sample lacks.
        lacks: &'static str,
    },
}

/// "6.7 GB"; powers of ten, as disks are sold.
fn in_words(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] = [Self::Shop, Self::Bank, Self::Long, Self::Wide, Self::Many, Self::Mixed];

    /// The name on the command line.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Bank => "bank",
            Self::Long => "long",
            Self::Wide => "wide",
            Self::Many => "many",
            Self::Mixed => "mixed",
        }
    }

    /// Reads [`Shape::key`].
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.key() == key)
    }

    /// Whether types and times are indexed as well, as in stores that are large.
    #[must_use]
    pub fn is_indexed(self) -> bool {
        matches!(self, Self::Mixed)
    }

    /// A sensible distance between snapshots: short lives need near ones.
    #[must_use]
    pub fn snapshot_every(self) -> u32 {
        match self {
            Self::Shop => 5,
            Self::Bank => 25,
            Self::Long | Self::Wide | Self::Many | Self::Mixed => 100,
        }
    }
}

impl DamageKind {
    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::VersionGap,
        Self::DuplicateVersion,
        Self::DuplicatePosition,
        Self::TimeBackwards,
        Self::InvalidJson,
        Self::InvalidUtf8,
        Self::NullStream,
        Self::SnapshotMismatch,
        Self::SnapshotOrphan,
        Self::SnapshotAhead,
        Self::UnknownType,
        Self::DanglingCausation,
        Self::ReadModelMismatch,
        Self::ReadModelMissingRow,
        Self::CheckpointAhead,
        Self::TruncatedFile,
        Self::CorruptPage,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::VersionGap => "version-gap",
            Self::DuplicateVersion => "duplicate-version",
            Self::DuplicatePosition => "duplicate-position",
            Self::TimeBackwards => "time-backwards",
            Self::InvalidJson => "invalid-json",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::NullStream => "null-stream",
            Self::SnapshotMismatch => "snapshot-mismatch",
            Self::SnapshotOrphan => "snapshot-orphan",
            Self::SnapshotAhead => "snapshot-ahead",
            Self::UnknownType => "unknown-type",
            Self::DanglingCausation => "dangling-causation",
            Self::ReadModelMismatch => "read-model-mismatch",
            Self::ReadModelMissingRow => "read-model-missing-row",
            Self::CheckpointAhead => "checkpoint-ahead",
            Self::TruncatedFile => "truncated-file",
            Self::CorruptPage => "corrupt-page",
        }
    }

    /// Reads [`DamageKind::key`].
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

impl SampleOptions {
    /// A thousand events of a shape from seed 1, undamaged.
    #[must_use]
    pub fn of(shape: Shape) -> Self {
        Self { seed: 1, events: 1000, shape, snapshot_every: shape.snapshot_every(), damage: Vec::new() }
    }
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self::of(Shape::default())
    }
}
