//! The tables in which a run of a script keeps what it made: states with their history, and what was written
//! beside them.

use rusqlite::{Connection, Statement, params};

use crate::{
    model::Json,
    script::{Emitted, Metadata},
};

const TABLES: &str = "
CREATE TABLE timeglass_partition (
  partition INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  born INTEGER NOT NULL UNIQUE,
  since INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  whole_bytes INTEGER NOT NULL,
  deltas INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE TABLE timeglass_step (
  count INTEGER PRIMARY KEY,
  partition INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX timeglass_step_partition ON timeglass_step (partition);
CREATE TABLE timeglass_shared (
  count INTEGER PRIMARY KEY,
  whole INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE timeglass_result (
  number INTEGER PRIMARY KEY,
  count INTEGER NOT NULL UNIQUE,
  partition INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX timeglass_result_partition ON timeglass_result (partition);
CREATE TABLE timeglass_emitted (
  number INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  partition TEXT NOT NULL,
  stream TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  is_json INTEGER NOT NULL,
  is_link INTEGER NOT NULL,
  metadata TEXT
) STRICT;
CREATE INDEX timeglass_emitted_count ON timeglass_emitted (count);
CREATE TABLE timeglass_log (
  number INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  partition TEXT NOT NULL,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX timeglass_log_count ON timeglass_log (count);
CREATE TABLE timeglass_fault (
  number INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  partition TEXT NOT NULL,
  kind TEXT NOT NULL,
  event TEXT NOT NULL,
  handler TEXT NOT NULL,
  message TEXT NOT NULL,
  file TEXT,
  line INTEGER,
  col INTEGER
) STRICT;
CREATE INDEX timeglass_fault_count ON timeglass_fault (count);
CREATE TABLE timeglass_script (
  id INTEGER PRIMARY KEY,
  is_resumable INTEGER NOT NULL,
  shared TEXT,
  whole INTEGER NOT NULL,
  whole_bytes INTEGER NOT NULL,
  deltas INTEGER NOT NULL
) STRICT;
";

/// Makes the tables, empty.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)
}

/// Whether a run of a script was kept there.
pub(super) fn exist(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'timeglass_script'";
    connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)? > 0))
}

/// A partition as it stands in its table.
pub(super) struct PartitionRow<'a> {
    pub(super) id: i64,
    pub(super) name: &'a str,
    pub(super) born: u64,
    pub(super) since: u64,
    pub(super) whole: u64,
    pub(super) whole_bytes: usize,
    pub(super) deltas: u32,
    pub(super) state: &'a str,
}

/// A fault as it stands in its table.
pub(super) struct FaultRow<'a> {
    pub(super) count: u64,
    pub(super) partition: &'a str,
    pub(super) kind: &'a str,
    pub(super) event: &'a str,
    pub(super) handler: &'a str,
    pub(super) failure: &'a crate::model::Failure,
}

/// Everything that a run writes, prepared once.
pub(super) struct Writer<'c> {
    partition: Statement<'c>,
    step: Statement<'c>,
    shared: Statement<'c>,
    result: Statement<'c>,
    emitted: Statement<'c>,
    log: Statement<'c>,
    fault: Statement<'c>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            partition: connection.prepare(
                "INSERT INTO timeglass_partition VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                 ON CONFLICT (partition) DO UPDATE SET since = excluded.since, whole = excluded.whole, \
                 whole_bytes = excluded.whole_bytes, deltas = excluded.deltas, state = excluded.state",
            )?,
            step: connection.prepare("INSERT INTO timeglass_step VALUES (?1, ?2, ?3, ?4)")?,
            shared: connection.prepare("INSERT INTO timeglass_shared VALUES (?1, ?2, ?3)")?,
            result: connection.prepare("INSERT INTO timeglass_result (count, partition, body) VALUES (?1, ?2, ?3)")?,
            emitted: connection.prepare(
                "INSERT INTO timeglass_emitted (count, partition, stream, type, data, is_json, is_link, metadata) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            log: connection
                .prepare("INSERT INTO timeglass_log (count, partition, line) VALUES (?1, ?2, ?3)")?,
            fault: connection.prepare(
                "INSERT INTO timeglass_fault (count, partition, kind, event, handler, message, file, line, col) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
        })
    }

    pub(super) fn partition(&mut self, row: &PartitionRow<'_>) -> rusqlite::Result<()> {
        let PartitionRow { id, name, born, since, whole, whole_bytes, deltas, state } = *row;
        let numbers = (born as i64, since as i64, whole as i64, whole_bytes as i64);
        self.partition
            .execute(params![id, name, numbers.0, numbers.1, numbers.2, numbers.3, deltas, state])
            .map(|_| ())
    }

    pub(super) fn step(
        &mut self,
        count: u64,
        partition: i64,
        whole: u64,
        body: &str,
    ) -> rusqlite::Result<()> {
        self.step.execute(params![count as i64, partition, whole as i64, body]).map(|_| ())
    }

    pub(super) fn shared(&mut self, count: u64, whole: u64, body: &str) -> rusqlite::Result<()> {
        self.shared.execute(params![count as i64, whole as i64, body]).map(|_| ())
    }

    pub(super) fn result(&mut self, count: u64, partition: i64, body: &Json) -> rusqlite::Result<()> {
        self.result.execute(params![count as i64, partition, body.to_compact()]).map(|_| ())
    }

    pub(super) fn emitted(&mut self, count: u64, partition: &str, event: &Emitted) -> rusqlite::Result<()> {
        let Emitted { stream, event_type, data, is_json, is_link, metadata } = event;
        let metadata = metadata.as_ref().map(|entries| metadata_json(entries).to_compact());
        self.emitted
            .execute(params![count as i64, partition, stream, event_type, data, is_json, is_link, metadata])
            .map(|_| ())
    }

    pub(super) fn log(&mut self, count: u64, partition: &str, line: &str) -> rusqlite::Result<()> {
        self.log.execute(params![count as i64, partition, line]).map(|_| ())
    }

    pub(super) fn fault(&mut self, row: &FaultRow<'_>) -> rusqlite::Result<()> {
        let FaultRow { count, partition, kind, event, handler, failure } = *row;
        let crate::model::Failure { message, file, line, column } = failure;
        self.fault
            .execute(params![count as i64, partition, kind, event, handler, message, file, line, column])
            .map(|_| ())
    }
}

/// The object that goes with an emitted event.
pub(super) fn metadata_json(entries: &Metadata) -> Json {
    Json::object(entries.iter().map(|(name, text)| (std::sync::Arc::clone(name), Json::from(text.clone()))))
}
