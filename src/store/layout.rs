//! Which tables and columns of a store play which role.
//!
//! Everything that reads a store reads through this mapping; no other code knows a column's name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::model::Pointer;

/// A part that a column plays in an events table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Place in the whole log.
    GlobalPosition,
    /// The stream: its whole name, or the id beside a category.
    Stream,
    /// The kind of stream.
    Category,
    /// Place in the stream.
    Version,
    /// The event type.
    EventType,
    /// The domain data.
    Data,
    /// Data about the data.
    Metadata,
    /// When it was recorded.
    Time,
    /// The event's own id.
    EventId,
    /// What it belongs together with.
    CorrelationId,
    /// What caused it.
    CausationId,
    /// Version of the event's shape.
    SchemaVersion,
    /// Who did it.
    Actor,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A column of the events table, or of a joined table.
    Column {
        /// The joined table; `None` for the events table itself.
        table: Option<Arc<str>>,
        /// The column as it is spelled there.
        column: Arc<str>,
    },
    /// A place inside the JSON of a column of the events table, before [`Unwrap`] takes anything off.
    Json {
        /// The column that holds the JSON.
        column: Arc<str>,
        /// Where in it.
        path: Pointer,
    },
    /// SQLite's own row number; the table names no such column.
    RowId,
    /// The part of the stream's name before the first of these separators.
    StreamPrefix {
        /// One character: `-`, `|`, `/`, `$`, `_` or `:`.
        separator: char,
    },
    /// The class in an event type like `module:Class.Event`.
    TypeClass,
    /// The name of the one member in the JSON of a column, as in `{"MoneyDeposited": {…}}`.
    TypeTag {
        /// The column that holds the JSON.
        column: Arc<str>,
    },
}

/// How the values of a role are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As it stands: text, or a number as its digits.
    #[default]
    Plain,
    /// 16 bytes that are a UUID.
    UuidBytes,
    /// 16 bytes that are a UUID with its first three fields in little-endian order.
    GuidBytes,
    /// ISO 8601 text.
    Iso,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// Microseconds since 1970.
    EpochMicros,
    /// Nanoseconds since 1970.
    EpochNanos,
    /// Julian day.
    JulianDay,
    /// The milliseconds inside a UUID of version 7.
    UuidV7,
    /// The milliseconds inside a ULID.
    Ulid,
}

/// One role, played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where its values come from.
    pub source: Source,
    /// How they are written.
    pub form: Form,
    /// Why we think so, as a sentence without full stop: "integer, unique with `originator_id`".
    pub evidence: String,
    /// Whether another reading is nearly as good.
    pub is_uncertain: bool,
}

/// What makes the global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The columns of the events table to sort by; together unique. `rowid` where it says so.
    pub columns: Vec<Arc<str>>,
    /// Why this order, and how sure it is.
    pub evidence: String,
    /// Whether the store itself promises this order (a position column, a sortable id).
    pub is_certain: bool,
}

/// A table joined to the events table: the streams table, or the link table of Rails Event Store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The other table.
    pub table: Arc<str>,
    /// Column of the events table, and the column of the other table that equals it.
    pub on: (Arc<str>, Arc<str>),
    /// Whether the other table has several rows an event, of which only those count that have a
    /// version and no `$` before their stream: it links events to streams.
    pub is_link: bool,
}

/// What a library wraps around the domain data, taken off before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwrap {
    /// `{"_type_": …, "_data_": …}` becomes its data, at every depth.
    TypedValues,
    /// `{"MoneyDeposited": {…}}` becomes its one member.
    TypeTag,
    /// These members are about the event and not of the domain; the rest is the data.
    Without(Vec<Arc<str>>),
}

/// The events table and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsTable {
    /// Its name.
    pub table: Arc<str>,
    /// Tables that hold the older part of the same log, with the same columns, oldest first.
    pub archives: Vec<Arc<str>>,
    /// Tables that it needs to be complete.
    pub joins: Vec<Join>,
    /// Which role is played by what.
    pub roles: BTreeMap<Role, Mapping>,
    /// The global order.
    pub order: Order,
    /// What to take off the data before it is shown.
    pub unwrap: Vec<Unwrap>,
}

/// A table of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotsTable {
    /// Its name.
    pub table: Arc<str>,
    /// The stream's id or whole name; `None` if it is keyed by something else.
    pub stream: Option<Mapping>,
    /// The kind of stream.
    pub category: Option<Mapping>,
    /// The stream version.
    pub version: Option<Mapping>,
    /// The state.
    pub state: Mapping,
    /// When it was stored.
    pub time: Option<Mapping>,
    /// What tells it from others of the same stream, such as a projection's name.
    pub label: Option<Mapping>,
}

/// A table that says how far projections are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointsTable {
    /// Its name.
    pub table: Arc<str>,
    /// The projection's name; `None` where the table is about one alone.
    pub name: Option<Mapping>,
    /// What was handled last: a global position or an event's id. In a set of marks, the event marked.
    pub position: Mapping,
    /// The owner's word for how it is.
    pub status: Option<Mapping>,
    /// What went wrong, in the owner's words.
    pub error: Option<Mapping>,
    /// When it was written.
    pub time: Option<Mapping>,
    /// Whether each row marks one event as handled, instead of saying which was the last.
    pub is_set: bool,
}

/// What a table of the database is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableKind {
    /// The events.
    Events,
    /// An older part of the events.
    Archive,
    /// Links events to streams.
    Links,
    /// One row a stream.
    Streams,
    /// Stored snapshots.
    Snapshots,
    /// How far projections are.
    Checkpoints,
    /// What a projection makes.
    ReadModel,
    /// Registered event schemas.
    Schemas,
    /// A record of schema or event migrations.
    Migrations,
    /// Handled or waiting commands.
    Commands,
    /// Ids of events that were handled already.
    Processed,
    /// Messages to be sent.
    Outbox,
    /// Messages that could not be handled.
    DeadLetters,
    /// A view.
    View,
    /// Something else.
    Other,
}

/// What was found out about one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNote {
    /// Its name.
    pub table: Arc<str>,
    /// What it is for.
    pub kind: TableKind,
    /// Why we think so.
    pub evidence: String,
    /// Its columns, with declared types.
    pub columns: Vec<(Arc<str>, Arc<str>)>,
}

/// The layout of a store, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// A short name: the profile's, or one made of the stream and version columns.
    pub name: Arc<str>,
    /// The events.
    pub events: EventsTable,
    /// The snapshots.
    pub snapshots: Vec<SnapshotsTable>,
    /// How far the owner's projections are.
    pub checkpoints: Vec<CheckpointsTable>,
    /// Every table of the database.
    pub tables: Vec<TableNote>,
    /// What is uncertain or odd, for the user to know.
    pub problems: Vec<String>,
}

/// What detection says of a database.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection {
    /// An event store; `rivals` are other readings that came close, best first.
    Found {
        /// The best reading.
        layout: Layout,
        /// Others nearly as good, with their score beside the best one's, from 0 to 1.
        rivals: Vec<(f64, Layout)>,
    },
    /// No events table, and what came nearest.
    NotFound {
        /// The best candidate and what it lacks.
        nearest: Option<Candidate>,
        /// Every table of the database.
        tables: Vec<TableNote>,
    },
}

/// A table that might have been the events table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub table: Arc<str>,
    /// The reading of it, for the mapping dialog to start from; roles may be missing.
    pub layout: Layout,
    /// Why it is not taken for an events table.
    pub shortfalls: Vec<String>,
}

impl Role {
    /// All roles, the most telling first.
    pub const ALL: [Self; 13] = [
        Self::Stream,
        Self::Category,
        Self::Version,
        Self::GlobalPosition,
        Self::EventType,
        Self::Data,
        Self::Metadata,
        Self::Time,
        Self::EventId,
        Self::CorrelationId,
        Self::CausationId,
        Self::SchemaVersion,
        Self::Actor,
    ];

    /// The name in project files and machine output.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::GlobalPosition => "global_position",
            Self::Stream => "stream",
            Self::Category => "category",
            Self::Version => "version",
            Self::EventType => "event_type",
            Self::Data => "data",
            Self::Metadata => "metadata",
            Self::Time => "time",
            Self::EventId => "event_id",
            Self::CorrelationId => "correlation_id",
            Self::CausationId => "causation_id",
            Self::SchemaVersion => "schema_version",
            Self::Actor => "actor",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::GlobalPosition => "Global position",
            Self::Stream => "Stream",
            Self::Category => "Category",
            Self::Version => "Stream version",
            Self::EventType => "Event type",
            Self::Data => "Data",
            Self::Metadata => "Metadata",
            Self::Time => "Time",
            Self::EventId => "Event id",
            Self::CorrelationId => "Correlation id",
            Self::CausationId => "Causation id",
            Self::SchemaVersion => "Schema version",
            Self::Actor => "Actor",
        }
    }

    /// Reads [`Role::key`].
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }
}

impl TableKind {
    /// The name for people and machine output.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Archive => "archive",
            Self::Links => "links",
            Self::Streams => "streams",
            Self::Snapshots => "snapshots",
            Self::Checkpoints => "checkpoints",
            Self::ReadModel => "read model",
            Self::Schemas => "schemas",
            Self::Migrations => "migrations",
            Self::Commands => "commands",
            Self::Processed => "processed events",
            Self::Outbox => "outbox",
            Self::DeadLetters => "dead letters",
            Self::View => "view",
            Self::Other => "other",
        }
    }
}

impl Mapping {
    /// A mapping to a plain column of the events table.
    #[must_use]
    pub fn column(column: &str, evidence: impl Into<String>) -> Self {
        Self {
            source: Source::Column { table: None, column: column.into() },
            form: Form::Plain,
            evidence: evidence.into(),
            is_uncertain: false,
        }
    }
}

impl EventsTable {
    /// What plays a role, if anything does.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&Mapping> {
        self.roles.get(&role)
    }
}

/// `event_version`, `streams.id_original`, `metadata.correlation_id`, `rowid`, `stream before "-"`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { table: None, column } => f.write_str(column),
            Self::Column { table: Some(table), column } => write!(f, "{table}.{column}"),
            Self::Json { column, path } => {
                f.write_str(column)?;
                path.segments().iter().try_for_each(|segment| write!(f, ".{segment}"))
            }
            Self::RowId => f.write_str("rowid"),
            Self::StreamPrefix { separator } => write!(f, "stream before \"{separator}\""),
            Self::TypeClass => f.write_str("class in the event type"),
            Self::TypeTag { column } => write!(f, "name of the one member of {column}"),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::UuidBytes => "UUID in 16 bytes",
            Self::GuidBytes => "GUID in 16 bytes, little-endian",
            Self::Iso => "ISO 8601",
            Self::EpochSeconds => "seconds since 1970",
            Self::EpochMillis => "milliseconds since 1970",
            Self::EpochMicros => "microseconds since 1970",
            Self::EpochNanos => "nanoseconds since 1970",
            Self::JulianDay => "Julian day",
            Self::UuidV7 => "time in the UUID",
            Self::Ulid => "time in the ULID",
        })
    }
}
