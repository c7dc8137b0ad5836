//! Writes a story into a database file.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, params};

use crate::{
    sample::{
        DamageKind, SampleError, SampleOptions, SampleReport, Shape,
        bank::Bank,
        calendar::push_time,
        damage,
        doc::push_reference,
        draft::{Draft, Telling},
        indexes::Laid,
        laid::{Laying, Roots},
        many::Many,
        mixed::Mixed,
        shop::Shop,
        space,
        wide::Wide,
    },
    work::{Piece, Work},
};

/// Events in one transaction; also how often progress is told and cancelling is noticed.
const BATCH: usize = 10_000;

const CREATING: &str = "creating it";

/// Something that tells events one after the other, in the order of time.
pub(crate) trait Story: Send {
    /// Fills in the next event; false if there are no more.
    fn tell(&mut self, draft: &mut Draft) -> bool;

    /// Whether the store has projections and their tables.
    fn has_read_model(&self) -> bool {
        false
    }

    /// The rows of the read model as of now.
    fn summaries(
        &self,
        _visit: &mut dyn FnMut(&Summary<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        Ok(())
    }
}

/// A row of `order_summaries`.
pub(crate) struct Summary<'a> {
    pub(crate) order: u64,
    pub(crate) customer: u64,
    pub(crate) customer_name: &'a str,
    pub(crate) status: &'a str,
    pub(crate) item_count: i64,
    pub(crate) total_cents: i64,
    pub(crate) placed_at: i64,
    pub(crate) updated_at: i64,
}

/// Writes a sample store to a file that must not exist yet.
///
/// The same options give the same bytes. On any error, and when cancelled, no file is left. Where the
/// work has lanes, the next events are told while the last ones are written.
pub fn write(path: &Path, options: &SampleOptions, work: &Work) -> Result<SampleReport, SampleError> {
    space::check(path, options)?;
    match fs::File::create_new(path) {
        Ok(_) => (),
        Err(err) if err.kind() == ErrorKind::AlreadyExists => {
            return Err(SampleError::Exists { path: path.to_owned() });
        }
        Err(source) => return Err(SampleError::Unwritable { path: path.to_owned(), source }),
    }
    let outcome = fill(path, options, work);
    if outcome.is_err() {
        // The first error is the one to tell; a file that cannot be removed is seen by itself.
        fs::remove_file(path).ok();
    }
    outcome
}

fn fill(path: &Path, options: &SampleOptions, work: &Work) -> Result<SampleReport, SampleError> {
    work.expect_total(options.events);
    let mut database = Database::create(path)?;
    database.make_tables(options)?;
    let mut story = story(options);
    let mut report = SampleReport::default();
    if options.shape.is_indexed() {
        (database, report) = database.lay_down(story.as_mut(), options, work)?;
    } else {
        database.write_events(story.as_mut(), &mut report, work)?;
        database.make_index(options)?;
    }
    if story.has_read_model() {
        database.doing("making the read model", database.write_read_model(story.as_ref(), &mut report))?;
    }
    report.damage = damage::in_tables(&database, options)?;
    database.close()?;
    damage::in_file(path, options, &mut report.damage)?;
    let unwritable = |source| SampleError::Unwritable { path: path.to_owned(), source };
    report.bytes = fs::metadata(path).map_err(unwritable)?.len();
    Ok(report)
}

fn story(options: &SampleOptions) -> Box<dyn Story> {
    let telling = Telling::of(options);
    match options.shape {
        Shape::Shop => Box::new(Shop::new(telling)),
        Shape::Bank => Box::new(Bank::new(telling)),
        Shape::Long => Box::new(Bank::one_long_stream(telling)),
        Shape::Wide => Box::new(Wide::new(telling)),
        Shape::Many => Box::new(Many::new(telling, telling.events / 50)),
        Shape::Mixed => Box::new(Mixed::new(telling)),
    }
}

/// The database being made.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

impl Database {
    fn create(path: &Path) -> Result<Self, SampleError> {
        let database = Self::open(path)?;
        let sql = "PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE;
                   PRAGMA application_id = 1414353747; PRAGMA user_version = 1;";
        database.doing(CREATING, database.connection.execute_batch(sql))?;
        Ok(database)
    }

    fn open(path: &Path) -> Result<Self, SampleError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| SampleError::Sqlite { path: path.to_owned(), doing: CREATING, source };
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        let database = Self { path: path.to_owned(), connection };
        // No journal: a sample that was not finished is removed, never repaired.
        let sql = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                   PRAGMA cache_size = -65536;";
        database.doing(CREATING, database.connection.execute_batch(sql))?;
        Ok(database)
    }

    /// Dropping it instead would hide a failure to write the last pages.
    fn close(self) -> Result<PathBuf, SampleError> {
        let Self { path, connection } = self;
        match connection.close() {
            Ok(()) => Ok(path),
            Err((_, source)) => Err(SampleError::Sqlite { path, doing: "closing it", source }),
        }
    }

    /// Says where and at what SQLite failed.
    pub(crate) fn doing<T>(
        &self,
        doing: &'static str,
        result: rusqlite::Result<T>,
    ) -> Result<T, SampleError> {
        result.map_err(|source| SampleError::Sqlite { path: self.path.clone(), doing, source })
    }

    /// The tables, as strict as the damage allows.
    fn make_tables(&self, options: &SampleOptions) -> Result<(), SampleError> {
        let has = |kind| options.damage.contains(&kind);
        let key = if has(DamageKind::DuplicatePosition) { "NOT NULL" } else { "PRIMARY KEY" };
        let stream = if has(DamageKind::NullStream) { "" } else { " NOT NULL" };
        let sql = format!(
            "BEGIN;
CREATE TABLE events (
  position INTEGER {key},
  stream TEXT{stream},
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  metadata TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  event_id TEXT NOT NULL
);
CREATE TABLE snapshots (
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (stream, version)
);
COMMIT;"
        );
        self.doing("making the tables", self.connection.execute_batch(&sql))
    }

    /// Writes all events in transactions.
    fn write_events(
        &mut self,
        story: &mut dyn Story,
        report: &mut SampleReport,
        work: &Work,
    ) -> Result<(), SampleError> {
        let Self { path, connection } = self;
        let failed = |source| SampleError::Sqlite { path: path.clone(), doing: "writing the events", source };
        // Borrowed as one's own: a connection goes to another thread, but is not shared.
        in_batches(story, work, |told| told.write(&mut *connection, report).map_err(failed))
    }

    /// The index, after the events because sorting once is quicker than inserting everywhere.
    fn make_index(&self, options: &SampleOptions) -> Result<(), SampleError> {
        let is_unique = !options.damage.contains(&DamageKind::DuplicateVersion);
        let unique = if is_unique { "UNIQUE " } else { "" };
        let sql = format!("CREATE {unique}INDEX events_stream_version ON events (stream, version)");
        self.doing("making the index", self.connection.execute_batch(&sql))
    }

    /// All events and indexes as pages of ours, and the indexes' names in the schema.
    fn lay_down(
        self,
        story: &mut dyn Story,
        options: &SampleOptions,
        work: &Work,
    ) -> Result<(Self, SampleReport), SampleError> {
        let roots = self.doing("making the tables", self.roots())?;
        let path = self.close()?;
        let unwritable = |source| SampleError::Unwritable { path: path.clone(), source };
        let has_positions = options.damage.contains(&DamageKind::DuplicatePosition);
        let mut laying = Laying::behind(&path, &roots, has_positions).map_err(unwritable)?;
        in_batches(story, work, |told| {
            told.drafts().try_for_each(|draft| laying.push(draft)).map_err(unwritable)
        })?;
        let (report, laid) = laying.finish(work).map_err(unwritable)?;
        work.advance(0)?;
        let database = Self::open(&path)?;
        let named = || {
            let connection = &database.connection;
            connection.execute_batch("PRAGMA writable_schema = ON")?;
            for Laid { name, root, sql } in laid {
                let into = "INSERT INTO sqlite_schema VALUES ('index', ?1, 'events', ?2, ?3)";
                connection.execute(into, params![name, root, sql])?;
            }
            connection.execute_batch("PRAGMA writable_schema = RESET")
        };
        database.doing("making the indexes", named())?;
        Ok((database, report))
    }

    /// Where SQLite has the tables that it made.
    fn roots(&self) -> rusqlite::Result<Roots> {
        let root = |name: &str| {
            let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
            self.connection.query_row(sql, [name], |row| row.get(0))
        };
        Ok(Roots {
            events: root("events")?,
            snapshots: root("snapshots")?,
            snapshots_index: root("sqlite_autoindex_snapshots_1")?,
        })
    }

    fn write_read_model(&self, story: &dyn Story, report: &mut SampleReport) -> rusqlite::Result<()> {
        self.connection.execute_batch(
            "BEGIN;
CREATE TABLE order_summaries (
  order_id TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  status TEXT NOT NULL,
  item_count INTEGER NOT NULL,
  total_cents INTEGER NOT NULL,
  placed_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE TABLE projection_checkpoints (
  projection TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  status TEXT NOT NULL,
  updated_at TEXT NOT NULL
);",
        )?;
        let mut insert =
            self.connection.prepare("INSERT INTO order_summaries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        let mut rows = 0;
        story.summaries(&mut |row| {
            rows += 1;
            insert.execute(params![
                reference("order", row.order),
                reference("customer", row.customer),
                row.customer_name,
                row.status,
                row.item_count,
                row.total_cents,
                time(row.placed_at),
                time(row.updated_at),
            ])?;
            Ok(())
        })?;
        report.read_model_rows = rows;
        self.connection.execute(
            "INSERT INTO projection_checkpoints
             SELECT 'order_summaries', position, 'running', recorded_at FROM events
             ORDER BY position DESC LIMIT 1",
            [],
        )?;
        self.connection.execute_batch("COMMIT")
    }
}

/// Events that are told and not yet written; its buffers are used again and again.
#[derive(Default)]
struct Batch {
    drafts: Vec<Draft>,
    len: usize,
}

/// Tells a batch on one lane while the one before it is written on another.
fn in_batches(
    story: &mut dyn Story,
    work: &Work,
    mut write: impl FnMut(&Batch) -> Result<(), SampleError> + Send,
) -> Result<(), SampleError> {
    let (mut told, mut next) = (Batch::default(), Batch::default());
    told.fill(story);
    while told.len > 0 {
        let mut outcome = Ok(());
        let telling: Piece<'_> = Box::new(|| next.fill(story));
        let writing: Piece<'_> = Box::new(|| outcome = write(&told));
        work.run(vec![telling, writing]);
        outcome?;
        work.advance(told.len as u64)?;
        std::mem::swap(&mut told, &mut next);
    }
    Ok(())
}

impl Batch {
    /// Takes the next events from a story; none if it has ended.
    fn fill(&mut self, story: &mut dyn Story) {
        self.drafts.resize_with(BATCH, Draft::default);
        self.len = self.drafts.iter_mut().map_while(|draft| story.tell(draft).then_some(())).count();
    }

    fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.drafts.iter().take(self.len)
    }

    /// Writes them in one transaction.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "a connection goes to another thread, but is not shared"
    )]
    fn write(&self, connection: &mut Connection, report: &mut SampleReport) -> rusqlite::Result<()> {
        connection.execute_batch("BEGIN")?;
        let mut events =
            connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        let mut snapshots = connection.prepare_cached("INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4)")?;
        for draft in self.drafts() {
            report.events += 1;
            report.streams += u64::from(draft.version == 1);
            events.execute(params![
                report.events as i64,
                draft.stream,
                draft.version,
                draft.event_type,
                draft.data.as_str(),
                draft.metadata.as_str(),
                draft.recorded_at,
                draft.event_id,
            ])?;
            if draft.has_state {
                report.snapshots += 1;
                snapshots.execute(params![
                    draft.stream,
                    draft.version,
                    draft.state.as_str(),
                    draft.recorded_at
                ])?;
            }
        }
        drop((events, snapshots));
        connection.execute_batch("COMMIT")
    }
}

fn reference(kind: &str, number: u64) -> String {
    let mut text = String::new();
    push_reference(&mut text, kind, number);
    text
}

fn time(micros: i64) -> String {
    let mut text = String::new();
    push_time(&mut text, micros);
    text
}
