//! Writes a story into a database file.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, Statement, params};

use crate::{
    sample::{
        DamageKind, SampleError, SampleOptions, SampleReport, Shape,
        bank::Bank,
        calendar::push_time,
        damage,
        doc::push_reference,
        draft::{Draft, Telling},
        many::Many,
        mixed::Mixed,
        shop::Shop,
        wide::Wide,
    },
    work::Work,
};

/// Events in one transaction; also how often progress is told and cancelling is noticed.
const BATCH: u64 = 10_000;

/// Something that tells events one after the other, in the order of time.
pub(crate) trait Story {
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
/// The same options give the same bytes. On any error, and when cancelled, no file is left.
pub fn write(path: &Path, options: &SampleOptions, work: &Work) -> Result<SampleReport, SampleError> {
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
    let database = Database::create(path)?;
    database.make_tables(options)?;
    let mut story = story(options);
    let mut report = database.write_events(story.as_mut(), work)?;
    database.finish(story.as_ref(), options, &mut report)?;
    report.damage = damage::in_tables(&database, options)?;
    let path = database.path;
    // Dropping it instead would hide a failure to write the last pages.
    database.connection.close().map_err(|(_, source)| SampleError::Sqlite {
        path: path.clone(),
        doing: "closing it",
        source,
    })?;
    damage::in_file(&path, options, &mut report.damage)?;
    let unwritable = |source| SampleError::Unwritable { path: path.clone(), source };
    report.bytes = fs::metadata(&path).map_err(unwritable)?.len();
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
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| SampleError::Sqlite { path: path.to_owned(), doing: "creating it", source };
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        // No journal: a sample that was not finished is removed, never repaired.
        connection
            .execute_batch(
                "PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE;
                 PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                 PRAGMA cache_size = -65536; PRAGMA application_id = 1414353747; PRAGMA user_version = 1;",
            )
            .map_err(failed)?;
        Ok(Self { path: path.to_owned(), connection })
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

    fn write_events(&self, story: &mut dyn Story, work: &Work) -> Result<SampleReport, SampleError> {
        const WRITING: &str = "writing the events";
        let mut writer = self.doing(WRITING, Writer::new(&self.connection))?;
        let mut draft = Draft::default();
        let mut is_told = false;
        while !is_told {
            self.doing(WRITING, self.connection.execute_batch("BEGIN"))?;
            let before = writer.events;
            while writer.events - before < BATCH {
                if !story.tell(&mut draft) {
                    is_told = true;
                    break;
                }
                self.doing(WRITING, writer.write(&draft))?;
            }
            self.doing(WRITING, self.connection.execute_batch("COMMIT"))?;
            work.advance(writer.events - before)?;
        }
        Ok(SampleReport {
            events: writer.events,
            streams: writer.streams,
            snapshots: writer.snapshots,
            read_model_rows: 0,
            bytes: 0,
            damage: Vec::new(),
        })
    }

    /// The index, after the events because sorting once is quicker than inserting everywhere, and
    /// the read model.
    fn finish(
        &self,
        story: &dyn Story,
        options: &SampleOptions,
        report: &mut SampleReport,
    ) -> Result<(), SampleError> {
        let is_unique = !options.damage.contains(&DamageKind::DuplicateVersion);
        let unique = if is_unique { "UNIQUE " } else { "" };
        let sql = format!("CREATE {unique}INDEX events_stream_version ON events (stream, version)");
        self.doing("making the index", self.connection.execute_batch(&sql))?;
        if story.has_read_model() {
            self.doing("making the read model", self.write_read_model(story, report))?;
        }
        Ok(())
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

/// Prepared statements, and what they have written.
struct Writer<'a> {
    insert_event: Statement<'a>,
    insert_snapshot: Statement<'a>,
    time: String,
    id: String,
    events: u64,
    streams: u64,
    snapshots: u64,
}

impl<'a> Writer<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert_event: connection.prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?,
            insert_snapshot: connection.prepare("INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4)")?,
            time: String::new(),
            id: String::new(),
            events: 0,
            streams: 0,
            snapshots: 0,
        })
    }

    fn write(&mut self, draft: &Draft) -> rusqlite::Result<()> {
        self.events += 1;
        self.streams += u64::from(draft.version == 1);
        self.time.clear();
        push_time(&mut self.time, draft.time);
        self.id.clear();
        draft.id.push(&mut self.id);
        self.insert_event.execute(params![
            self.events as i64,
            draft.stream,
            draft.version,
            draft.event_type,
            draft.data.as_str(),
            draft.metadata.as_str(),
            self.time,
            self.id,
        ])?;
        if draft.has_state {
            self.snapshots += 1;
            self.insert_snapshot.execute(params![
                draft.stream,
                draft.version,
                draft.state.as_str(),
                self.time
            ])?;
        }
        Ok(())
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
