//! Reading events out of a database, and never writing to it.
//!
//! [`EventStore`] is the one trait; [`memory`] is its simplest correct form and the oracle for all
//! others; `conformance` is the suite that every store passes. Nothing here knows threads.

pub mod bodies;
pub mod cache;
pub mod conformance;
mod copied;
pub mod covered;
pub mod decode;
pub mod detect;
pub mod index;
pub mod layout;
pub mod memory;
pub mod pages;
pub mod read;
pub mod search;
pub mod snapshots;
pub mod sqlite;

use std::{borrow::Cow, path::PathBuf, sync::Arc};

use crate::{
    model::{
        Checkpoint, EventKey, EventQuery, GlobalPosition, KeyPart, RecordedEvent, Stored, StoredSnapshot,
        StreamName, StreamVersion, TableShape, Timestamp,
    },
    work::{Cancelled, Work},
};

pub use cache::Identity;

use bodies::{Bodies, BodyBatch};
use copied::OnceSettled;
use covered::Covered;
use layout::Layout;
use read::{EventRow, Onward, Wanted};
use search::{Found, Sieve};
use snapshots::{SnapshotPlace, VisitedSnapshot};

/// Why a store could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The work was withdrawn; never shown.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// There is no file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It is a folder.
    #[error("{} is a folder", path.display())]
    IsFolder {
        /// Which.
        path: PathBuf,
    },
    /// The file may not be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the file can only be read from a copy, and that could not be written.
    #[error("there is no room for a copy of {} in {}", path.display(), folder.display())]
    NoCopy {
        /// Which.
        path: PathBuf,
        /// Where the copy was to lie.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{} is empty", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// The file is no SQLite database, or an encrypted one.
    #[error("{} is not a SQLite database: {guess}", path.display())]
    NotSqlite {
        /// Which.
        path: PathBuf,
        /// What it looks like: "gzip", "text", "encrypted or random bytes".
        guess: String,
    },
    /// The database is damaged where we have to read.
    #[error("{} is damaged while {doing}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What we were doing.
        doing: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Any other answer of SQLite.
    #[error("SQLite failed in {} while {doing}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What we were doing.
        doing: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// What can only be read at once is larger than we take in.
    #[error("{} holds more than {mebibytes} MiB, found while {doing}", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// What we were doing.
        doing: String,
        /// How much we take in.
        mebibytes: usize,
    },
    /// Another process changed the file faster than we could read it.
    #[error("{} changed while {doing}, again and again", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
        /// What we were doing.
        doing: String,
    },
}

/// Where a page starts, in global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageFrom {
    /// The first events, forwards.
    Start,
    /// The last events, backwards.
    End,
    /// The events after this key, forwards.
    After(EventKey),
    /// The events before this key, backwards.
    Before(EventKey),
}

/// A range of global order: after `after`, up to and including `until`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// Not this one, but all behind it.
    pub after: Option<EventKey>,
    /// This one, and none behind it.
    pub until: Option<EventKey>,
}

/// The key of an event as a scan meets it: not copied, since most are one number and a scan meets
/// millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanKey<'a> {
    /// One integer.
    Integer(i64),
    /// Any other.
    Parts(&'a [KeyPart]),
}

/// One event as a scan meets it, borrowed from the database's own memory.
#[derive(Debug, Clone)]
pub struct ScanRow<'a> {
    /// Its key.
    pub key: ScanKey<'a>,
    /// Its place in the whole log.
    pub position: Option<GlobalPosition>,
    /// The kind of its stream.
    pub category: Option<&'a str>,
    /// The id of its stream.
    pub id: &'a str,
    /// The store's own name of its stream; `None` where type and id are separate columns.
    pub stored: Option<&'a str>,
    /// Its place in the stream.
    pub version: Option<StreamVersion>,
    /// Its type.
    pub event_type: &'a str,
    /// Its time.
    pub time: Option<Timestamp>,
}

/// Numbers for names, so that they need not be looked up again: rows of one scanner with the same number
/// have the same name. Names without a number have to be compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownNames {
    /// Of the stream: its category, id and stored name.
    pub stream: Option<u32>,
    /// Of the event type.
    pub event_type: Option<u32>,
}

/// Takes the rows of a scan as they are met. What is read while somebody writes may prove void: rows count only
/// once they are settled.
pub trait RowSink {
    /// The next row, and what is known of its names. Where [`Self::knows_stream`] said so, the texts of its stream's
    /// name may be empty.
    fn push(&mut self, row: &ScanRow<'_>, known: KnownNames);

    /// Whether a stream's number is enough to tell which it is: of many streams, finding the texts costs as much as
    /// the rest of a row.
    fn knows_stream(&self, _number: u32) -> bool {
        false
    }

    /// The rows since the last [`Self::settle`] were void. They come again, and may be others.
    fn take_back(&mut self);

    /// The rows so far stand.
    fn settle(&mut self);
}

/// Scans a store, range after range. It remembers the names that it met: their numbers hold for all its scans.
pub trait Scanner: Send {
    /// Meets every event of a range in global order, without payloads where roles allow, and counts
    /// them on `work`, which is also where it stops.
    /// Returns the troubles met, in words, at most a hundred.
    fn scan(&mut self, work: &Work, range: &KeyRange, sink: &mut dyn RowSink) -> StoreResult<Vec<String>>;
}

impl ScanRow<'_> {
    /// The store's own name of its stream, or `<category>-<id>`, as [`StreamName::full`] says it.
    #[must_use]
    pub fn full_name(&self) -> Cow<'_, str> {
        match (self.stored, self.category) {
            (Some(stored), _) => stored.into(),
            (None, Some(category)) => format!("{category}-{}", self.id).into(),
            (None, None) => self.id.into(),
        }
    }

    /// Whether that is its [full name](Self::full_name), without putting it together.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        match (self.stored, self.category) {
            (Some(stored), _) => stored == name,
            (None, Some(category)) => {
                let rest = name.strip_prefix(category).and_then(|rest| rest.strip_prefix('-'));
                rest == Some(self.id)
            }
            (None, None) => self.id == name,
        }
    }
}

impl<'a> ScanKey<'a> {
    /// The key of these parts.
    #[must_use]
    pub fn of(parts: &'a [KeyPart]) -> Self {
        match parts {
            [KeyPart::Integer(number)] => Self::Integer(*number),
            parts => Self::Parts(parts),
        }
    }

    /// What `ask` says of the parts.
    pub fn with_parts<T>(self, ask: impl FnOnce(&[KeyPart]) -> T) -> T {
        match self {
            Self::Integer(number) => ask(&[KeyPart::Integer(number)]),
            Self::Parts(parts) => ask(parts),
        }
    }

    /// The key to keep.
    #[must_use]
    pub fn to_key(self) -> EventKey {
        self.with_parts(|parts| EventKey(parts.into()))
    }
}

/// What the store knows of itself without reading events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The name to show: the file's name.
    pub name: String,
    /// The file, if it is one.
    pub path: Option<PathBuf>,
    /// The layout through which it is read.
    pub layout: Arc<Layout>,
    /// What is wrong or uncertain about the file as a whole.
    pub problems: Vec<String>,
}

/// Changes when the store may have new events; equal means surely the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head(pub Vec<u64>);

/// How many events there are and which is the last, table by table. Equal means that none came at the
/// end and that as many came as went before it, which in a log is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventsHead {
    /// The tables of the log, oldest first.
    pub parts: Vec<PartHead>,
}

/// What one table of the log holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PartHead {
    /// Its name.
    pub table: Arc<str>,
    /// How many rows.
    pub rows: u64,
    /// The last row's place in the global order; empty without rows.
    pub last: Vec<Stored>,
}

impl EventsHead {
    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }
}

/// Every answer of a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// What was found; nothing where damage was in the way, whose words are handed to `note`.
pub fn unless_damaged<T>(found: StoreResult<T>, note: impl FnOnce(String)) -> StoreResult<Option<T>> {
    match found {
        Err(err @ StoreError::Damaged { .. }) => {
            note(err.to_string());
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// A store of events, read-only.
///
/// Global order is the order of [`EventKey`]. An answer may list trouble in rows; `Err` means that
/// the store could not be asked. Every call may be made from any thread. Between calls nothing is held
/// that a writer would notice; an idle connection may wait for the next call.
pub trait EventStore: Send + Sync {
    /// Its name, layout and problems.
    fn describe(&self) -> &Description;

    /// A cheap look at whether anything may have changed.
    fn head(&self) -> StoreResult<Head>;

    /// How many events there are and which is the last, by looking into the tables. What publishing relies
    /// on; a store that is not published into has none.
    fn events_head(&self, _work: &Work) -> StoreResult<EventsHead> {
        Ok(EventsHead::default())
    }

    /// What proves later that the store still holds what it holds now, without reading events; `None` if
    /// nothing does.
    fn identity(&self) -> StoreResult<Option<Identity>> {
        Ok(None)
    }

    /// Up to `limit` events that answer `query`, in global order whichever way the page was taken.
    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>>;

    /// These events, in the order asked for; `None` for one that is gone. Each counts as a step of
    /// the work.
    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>>;

    /// Adds what these events hold beside their heads to a batch, in the order asked for: nothing for one that
    /// is gone. Each counts as a step of the work.
    fn fetch_bodies(
        &self,
        work: &Work,
        keys: &[EventKey],
        bodies: Bodies,
        batch: &mut BodyBatch,
    ) -> StoreResult<()> {
        for event in self.fetch(work, keys)? {
            batch.push_event(event.as_ref(), bodies);
        }
        Ok(())
    }

    /// About how many events there are after `after`, without counting them; `None` if only counting would tell.
    fn about_how_many(&self, _work: &Work, _after: Option<&EventKey>) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    /// Cuts global order into about `parts` ranges of similar size that together hold every event
    /// after `after`; fewer, if the store cannot cut.
    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>>;

    /// What scans it.
    fn scanner(&self) -> Box<dyn Scanner + '_>;

    /// Scans a range, and has every event visited once.
    fn scan(
        &self,
        work: &Work,
        range: &KeyRange,
        visit: &mut dyn FnMut(&ScanRow<'_>),
    ) -> StoreResult<Vec<String>> {
        self.scanner().scan(work, range, &mut OnceSettled::new(visit))
    }

    /// What a scan of all events tells, if the store's own indexes hold all of it: a fraction of the work.
    ///
    /// `None` where they do not, or where anything is unusual; a scan tells what. The pieces run side by side
    /// on the lanes of `work`, which counts the events.
    fn covered(&self, _work: &Work) -> StoreResult<Option<Covered>> {
        Ok(None)
    }

    /// Meets the events of a range in global order with the payloads that are wanted, until the visitor has
    /// enough, and counts them on `work`. Returns the troubles met, in words, at most a hundred.
    fn read(
        &self,
        work: &Work,
        range: &KeyRange,
        wanted: Wanted<'_>,
        visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
    ) -> StoreResult<Vec<String>> {
        read::read_by_pages(self, work, range, wanted, visit)
    }

    /// Meets, in global order, the events of a range whose payloads hold what is looked for, until the visitor
    /// has enough; counts on `work` the events that were looked at. Returns the troubles met, in words, at most a
    /// hundred.
    fn search(
        &self,
        work: &Work,
        range: &KeyRange,
        sieve: &Sieve,
        visit: &mut dyn FnMut(&Found<'_>) -> Onward,
    ) -> StoreResult<Vec<String>> {
        search::search_by_reading(self, work, range, sieve, visit)
    }

    /// The first event with this id of its own; `None` if there is none. May read every event.
    fn event_of_id(&self, work: &Work, id: &str) -> StoreResult<Option<EventKey>> {
        read::event_of_id(self, work, id)
    }

    /// The checkpoints of the owner's projections, by table and name; a store without tables has none. Damage is an
    /// error here, too.
    fn checkpoints(&self, _work: &Work) -> StoreResult<Vec<Checkpoint>> {
        Ok(Vec::new())
    }

    /// A table of the database as it is declared; `None` if there is none of that name.
    fn table_shape(&self, _work: &Work, _table: &str) -> StoreResult<Option<TableShape>> {
        Ok(None)
    }

    /// Meets the rows of a table with the values of these columns, in no promised order, until the visitor has
    /// enough, and counts them on `work`.
    ///
    /// Rows come in batches, each of one moment: of a table that is written meanwhile, later rows are of a
    /// later moment; [`EventStore::head`] before and after tells. A view comes at once, and fails if it is too
    /// large. Damage in the table is an error, since the rows before it are not the table.
    fn table_rows(
        &self,
        _work: &Work,
        _table: &str,
        _columns: &[Arc<str>],
        _visit: &mut dyn FnMut(&[Stored]) -> Onward,
    ) -> StoreResult<()> {
        Ok(())
    }

    /// Meets the stored snapshots of one stream, or of all, in no promised order, until the visitor has enough.
    ///
    /// They come in batches bounded by their bytes, each of one moment. Damage in a table of snapshots is an
    /// error, since the snapshots before it are not all there are; they were visited, for whoever shows them
    /// and says so.
    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()>;

    /// These snapshots, in the order asked for, as they are now; `None` for one that is gone. All of them are in
    /// memory together: [`snapshots::each_fetched`] asks for a few at a time.
    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>>;

    /// How many rows each table of the layout has, in the layout's order; `None` where unreadable.
    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>>;
}
