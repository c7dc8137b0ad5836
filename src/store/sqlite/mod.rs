//! Event stores in SQLite files: read by any layout, live or at rest, and never touched.
//!
//! `file` and `access` read without a lock and prove that they saw one state; `plan`, `facts` and
//! `filter` make the statements; `walk` goes along the global order, past damage; `rows` turns
//! rows into events; `scan` and `read` hand them out without making any.

mod about;
mod access;
mod bare;
mod bodies;
mod checkpoints;
mod covered;
mod direct;
mod explore;
mod facts;
mod file;
mod filter;
mod guard;
mod head;
mod identity;
mod idle;
mod picked;
mod pieces;
mod plan;
mod quiet;
mod read;
mod records;
mod rows;
mod scan;
mod search;
mod snapshots;
mod spelled;
mod tables;
mod value;
mod walk;

use std::{path::Path, sync::Arc};

use crate::{
    model::{
        Checkpoint, EventKey, EventQuery, KeyPart, RecordedEvent, Stored, StoredSnapshot, StreamName,
        TableShape,
    },
    store::{
        Description, EventStore, EventsHead, Head, Identity, KeyRange, PageFrom, Scanner, StoreResult,
        bodies::{Bodies, BodyBatch},
        covered::Covered,
        layout::{Candidate, Detection, Layout, TableNote},
        read::{EventRow, Onward, Wanted},
        search::{Found, Sieve},
        snapshots::{SnapshotPlace, VisitedSnapshot},
    },
    work::Work,
};

pub use bare::{Bare, BareResult};
pub use direct::Way;
pub use explore::{MappingError, SqliteFile};
pub use head::events_head;
pub use quiet::{Alone, alone};

pub(crate) use access::uri;
pub(crate) use guard::bound_statements;
pub(crate) use plan::quote;
pub(crate) use tables::read_shape;
pub(crate) use value::{Bound, stored};

use access::Access;
use filter::{Filter, answers};
use plan::Plan;
use rows::{Cells, Fields};
use snapshots::Snapshots;
use walk::{Gather, Walk};

/// The most rows that one batch of a page looks at.
const MOST_ROWS: usize = 2048;

/// An event store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    access: Access,
    plan: Plan,
    description: Description,
    way: Way,
}

/// What a file turned out to be.
#[derive(Debug)]
pub enum Opened {
    /// An event store.
    Found {
        /// The store, read through the best layout or the given one.
        store: Box<SqliteStore>,
        /// Other readings that came close, with their score beside the best one's, from 0 to 1.
        rivals: Vec<(f64, Layout)>,
    },
    /// A database without an events table, as far as can be told.
    NotFound {
        /// The best candidate and what it lacks.
        nearest: Option<Box<Candidate>>,
        /// Every table of the database.
        tables: Vec<TableNote>,
        /// What is odd about the file itself.
        problems: Vec<String>,
    },
}

impl SqliteStore {
    /// Opens a file by `choice`, or by the layout that detection finds.
    pub fn open(path: &Path, choice: Option<&Layout>, work: &Work) -> StoreResult<Opened> {
        let file = SqliteFile::open(path, work)?;
        if let Some(layout) = choice {
            let store = Box::new(Self::over(file.access, layout, work)?);
            return Ok(Opened::Found { store, rivals: Vec::new() });
        }
        match file.detect(work)? {
            Detection::Found { layout, rivals } => {
                let store = Box::new(Self::over(file.access, &layout, work)?);
                Ok(Opened::Found { store, rivals })
            }
            Detection::NotFound { nearest, tables } => {
                Ok(Opened::NotFound { nearest: nearest.map(Box::new), tables, problems: file.problems()? })
            }
        }
    }

    /// Opens a file whose layout is known.
    pub fn with_layout(path: &Path, layout: &Layout, work: &Work) -> StoreResult<Self> {
        let access = Access::open(path, work)?;
        Self::over(access, layout, work)
    }

    fn over(access: Access, layout: &Layout, work: &Work) -> StoreResult<Self> {
        let plan =
            access.read(work, "looking at the tables", |connection| Plan::new(connection, &layout.events))?;
        let mut problems = access.problems()?;
        problems.extend(plan.problems.iter().cloned());
        let path = access.path().to_owned();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let layout = Arc::new(layout.clone());
        let description = Description { name, path: Some(path), layout, problems };
        Ok(Self { access, plan, description, way: Way::default() })
    }

    /// This store, read in one way only. All of them give the same; tests hold them against each other, and
    /// benchmarks compare what they cost.
    #[must_use]
    pub fn by(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// How many pages of the file were decoded by ourselves since it was opened.
    #[must_use]
    pub fn pages_read(&self) -> u64 {
        self.access.pages_read()
    }
}

/// Events that answer a query, in the order of the walk.
struct Events<'a> {
    plan: &'a Plan,
    query: Option<&'a EventQuery>,
    found: Vec<RecordedEvent>,
}

impl Gather for Events<'_> {
    fn restart(&mut self) {
        self.found.clear();
    }

    fn row(&mut self, key: &[KeyPart], row: Cells<'_>) {
        let fields = Fields::new(row, &self.plan.full);
        let mut event = fields.head(EventKey(key.into()));
        if self.query.is_none_or(|query| answers(&event, query)) {
            fields.fill(&mut event, &self.plan.events.unwrap);
            self.found.push(event);
        }
    }
}

impl EventStore for SqliteStore {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn head(&self) -> StoreResult<Head> {
        self.access.head()
    }

    fn events_head(&self, work: &Work) -> StoreResult<EventsHead> {
        self.look_at_head(work)
    }

    fn identity(&self) -> StoreResult<Option<Identity>> {
        self.access.identity(&self.description.layout.events).map(Some)
    }

    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        let (forwards, key) = match from {
            PageFrom::Start => (true, None),
            PageFrom::After(key) => (true, Some(key)),
            PageFrom::End => (false, None),
            PageFrom::Before(key) => (false, Some(key)),
        };
        let walk = Walk::new(&self.plan, &self.plan.full, forwards, key);
        let mut walk = walk.filtered(Filter::new(&self.plan, query));
        let mut reader = self.access.reader(work);
        let mut gather = Events { plan: &self.plan, query: Some(query), found: Vec::new() };
        let mut page: Vec<RecordedEvent> = Vec::new();
        let mut size = limit.min(MOST_ROWS);
        while page.len() < limit && !walk.is_over() {
            let damage = walk.troubles.len();
            let rows = walk.step(&mut reader, size, &mut gather)?;
            page.append(&mut gather.found);
            if let (Some(event), Some(trouble)) = (page.last_mut(), walk.troubles.get(damage)) {
                event.troubles.push(trouble.as_str().into());
            }
            work.advance(rows as u64)?;
            size = (size * 2).min(MOST_ROWS);
        }
        page.truncate(limit);
        if !forwards {
            page.reverse();
        }
        Ok(page)
    }

    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        bodies::fetch_events((&self.access, work), (&self.plan, self.way), keys)
    }

    fn fetch_bodies(
        &self,
        work: &Work,
        keys: &[EventKey],
        bodies: Bodies,
        batch: &mut BodyBatch,
    ) -> StoreResult<()> {
        bodies::fetch((&self.access, work), (&self.plan, self.way), (keys, bodies), batch)
    }

    fn about_how_many(&self, work: &Work, after: Option<&EventKey>) -> StoreResult<Option<u64>> {
        about::how_many((&self.access, work), &self.plan, after)
    }

    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        scan::ranges(&self.access, work, &self.plan, after, parts)
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(scan::RangeScanner::new(&self.access, &self.plan, self.way))
    }

    fn covered(&self, work: &Work) -> StoreResult<Option<Covered>> {
        match self.way {
            Way::Quickest => covered::covered(&self.access, work, &self.plan),
            Way::Tables | Way::Sql => Ok(None),
        }
    }

    fn read(
        &self,
        work: &Work,
        range: &KeyRange,
        wanted: Wanted<'_>,
        visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
    ) -> StoreResult<Vec<String>> {
        read::read((&self.access, work), (&self.plan, self.way), range, wanted, visit)
    }

    fn search(
        &self,
        work: &Work,
        range: &KeyRange,
        sieve: &Sieve,
        visit: &mut dyn FnMut(&Found<'_>) -> Onward,
    ) -> StoreResult<Vec<String>> {
        search::search((&self.access, work), (&self.plan, self.way), range, sieve, visit)
    }

    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        Snapshots::new((&self.access, work), &self.plan, &self.description.layout).visit(stream, visit)
    }

    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        Snapshots::new((&self.access, work), &self.plan, &self.description.layout).fetch(places)
    }

    fn checkpoints(&self, work: &Work) -> StoreResult<Vec<Checkpoint>> {
        checkpoints::read(&self.access, work, &self.plan, &self.description.layout)
    }

    fn event_of_id(&self, work: &Work, id: &str) -> StoreResult<Option<EventKey>> {
        checkpoints::event_of_id(&self.access, work, &self.plan, id)
            .unwrap_or_else(|| crate::store::read::event_of_id(self, work, id))
    }

    fn table_shape(&self, work: &Work, table: &str) -> StoreResult<Option<TableShape>> {
        tables::shape(&self.access, work, table)
    }

    fn table_rows(
        &self,
        work: &Work,
        table: &str,
        columns: &[Arc<str>],
        visit: &mut dyn FnMut(&[Stored]) -> Onward,
    ) -> StoreResult<()> {
        tables::rows(&self.access, work, table, columns, visit)
    }

    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        tables::count(&self.access, work, &self.description.layout)
    }
}
