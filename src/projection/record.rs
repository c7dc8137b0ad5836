//! How far a rebuild came, kept beside what it made and in the same transactions.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params, types::Value};

use crate::{
    model::{EventKey, KeyPart},
    projection::{EventFailure, OnFailure, Progress, RebuildOptions, definition::fingerprint},
    store::{EventStore, StoreResult},
    work::Work,
};

/// Changes when an older scratch database cannot be continued.
const FORMAT: i64 = 3;

/// So many failures are kept; the others are counted.
pub(super) const MOST_FAILURES: usize = 1_000;

/// What a scratch database says about the rebuild in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// The definition that ran.
    pub(super) fingerprint: Arc<str>,
    /// How it ran.
    pub(super) options: RebuildOptions,
    /// How far it came.
    pub(super) progress: Progress,
    /// The last event that lies behind.
    pub(super) last: Option<EventKey>,
    /// What that event is, in short; empty before the first.
    pub(super) last_is: Arc<str>,
    /// The store's name and head when the events up to here were read.
    pub(super) store: StoreMark,
}

/// Tells one state of one store from others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StoreMark {
    name: Arc<str>,
    head: Vec<u64>,
}

impl StoreMark {
    /// The store as it is now.
    pub(super) fn of(store: &dyn EventStore) -> StoreResult<Self> {
        let description = store.describe();
        let path = description.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        Ok(Self { name: path.unwrap_or_else(|| description.name.clone()).into(), head: store.head()?.0 })
    }
}

impl Record {
    /// This event is the last one that lies behind now.
    pub(super) fn reach(&mut self, store: &dyn EventStore, last: EventKey) -> StoreResult<()> {
        self.last_is = digest(store, &last)?;
        self.last = Some(last);
        Ok(())
    }
}

/// What tells an event from another one at its place in another store: everything that was recorded of it.
pub(super) fn digest(store: &dyn EventStore, key: &EventKey) -> StoreResult<Arc<str>> {
    // No work of the caller's: it counts the events that lie behind, and a batch is kept even if it is withdrawn.
    let event = store.fetch(&Work::default(), std::slice::from_ref(key))?.into_iter().next().flatten();
    let Some(event) = event else { return Ok("".into()) };
    let parts = [
        event.stream.full().to_string(),
        format!("{:?} {:?} {:?}", event.version, event.event_id, event.time),
        event.event_type.to_string(),
        format!("{:?}", event.data.stored),
    ];
    Ok(fingerprint(parts.iter().map(String::as_str)))
}

/// Makes the tables that a record is kept in.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE timeglass_run (id INTEGER PRIMARY KEY, format INTEGER, fingerprint TEXT, \
           from_count INTEGER, until_count INTEGER, only_category TEXT, only_id TEXT, only_stored TEXT, \
           skips INTEGER, without_history INTEGER, \
           count INTEGER, handled INTEGER, failed INTEGER, is_complete INTEGER, store TEXT, head TEXT, last_is TEXT);\
         CREATE TABLE timeglass_last (part INTEGER PRIMARY KEY, value);\
         CREATE TABLE timeglass_failure (number INTEGER PRIMARY KEY, count INTEGER, event TEXT, \
           directive TEXT, line INTEGER, message TEXT);",
    )
}

/// What is kept; nothing in a database that is empty or of another format.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<Record>> {
    let is_there = connection
        .query_row("SELECT 1 FROM sqlite_master WHERE name = 'timeglass_run'", [], |_| Ok(()))
        .optional()?;
    if is_there.is_none() {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| {
        let only_id: Option<String> = row.get("only_id")?;
        let text = |name: &str| row.get::<_, Option<String>>(name).map(|text| text.map(Arc::from));
        let only = match only_id {
            None => None,
            Some(id) => Some(Arc::new(crate::model::StreamName {
                category: text("only_category")?,
                id: id.into(),
                stored: text("only_stored")?,
            })),
        };
        let head: String = row.get("head")?;
        Ok(Record {
            fingerprint: row.get::<_, String>("fingerprint")?.into(),
            options: RebuildOptions {
                from: count(row, "from_count")?,
                until: row.get::<_, Option<i64>>("until_count")?.map(|until| until.max(0) as u64),
                only,
                on_failure: if row.get("skips")? { OnFailure::Skip } else { OnFailure::Stop },
                without_history: row.get("without_history")?,
            },
            progress: Progress {
                count: count(row, "count")?,
                handled: count(row, "handled")?,
                failures: Vec::new(),
                failed: count(row, "failed")?,
                is_complete: row.get("is_complete")?,
            },
            last: None,
            last_is: row.get::<_, String>("last_is")?.into(),
            store: StoreMark {
                name: row.get::<_, String>("store")?.into(),
                head: head.split_whitespace().filter_map(|part| part.parse().ok()).collect(),
            },
        })
    };
    let record = connection
        .query_row("SELECT * FROM timeglass_run WHERE id = 1 AND format = ?1", [FORMAT], read)
        .optional()?;
    let Some(mut record) = record else { return Ok(None) };
    record.progress.failures = load_failures(connection)?;
    record.last = load_last(connection)?;
    Ok(Some(record))
}

/// Our counts are never negative; a stranger's file may say anything.
fn count(row: &rusqlite::Row<'_>, name: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(name).map(|number| number.max(0) as u64)
}

fn load_failures(connection: &Connection) -> rusqlite::Result<Vec<EventFailure>> {
    let sql = "SELECT count, event, directive, line, message FROM timeglass_failure ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let text = |row: &rusqlite::Row<'_>, at: usize| row.get::<_, String>(at).map(Arc::from);
    let failures = statement.query_map([], |row| {
        Ok(EventFailure {
            count: row.get::<_, i64>(0)?.max(0) as u64,
            event: text(row, 1)?,
            directive: text(row, 2)?,
            line: row.get(3)?,
            message: text(row, 4)?,
        })
    })?;
    failures.collect()
}

fn load_last(connection: &Connection) -> rusqlite::Result<Option<EventKey>> {
    let mut statement = connection.prepare("SELECT value FROM timeglass_last ORDER BY part")?;
    let parts = statement.query_map([], |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => KeyPart::Integer(number),
            Value::Text(text) => KeyPart::Text(text.into()),
            Value::Blob(bytes) => KeyPart::Blob(bytes.into()),
            Value::Null | Value::Real(_) => KeyPart::Null,
        })
    })?;
    let parts: Vec<KeyPart> = parts.collect::<rusqlite::Result<_>>()?;
    Ok((!parts.is_empty()).then(|| EventKey(parts.into())))
}

/// Keeps it, inside the transaction of what it tells about.
pub(super) fn save(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let (options, progress) = (&record.options, &record.progress);
    let only = options.only.as_deref();
    let head: Vec<String> = record.store.head.iter().map(u64::to_string).collect();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO timeglass_run VALUES \
             (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            FORMAT,
            &*record.fingerprint,
            options.from as i64,
            options.until.map(|until| until as i64),
            only.and_then(|only| only.category.as_deref()),
            only.map(|only| &*only.id),
            only.and_then(|only| only.stored.as_deref()),
            options.on_failure == OnFailure::Skip,
            options.without_history,
            progress.count as i64,
            progress.handled as i64,
            progress.failed as i64,
            progress.is_complete,
            &*record.store.name,
            head.join(" "),
            &*record.last_is,
        ])?;
    connection.prepare_cached("DELETE FROM timeglass_last")?.execute([])?;
    let parts = record.last.iter().flat_map(|key| key.0.iter());
    for part in parts {
        let value = match part {
            KeyPart::Null => Value::Null,
            KeyPart::Integer(number) => Value::Integer(*number),
            KeyPart::Text(text) => Value::Text(text.to_string()),
            KeyPart::Blob(bytes) => Value::Blob(bytes.to_vec()),
        };
        connection.prepare_cached("INSERT INTO timeglass_last (value) VALUES (?1)")?.execute([value])?;
    }
    save_failures(connection, &progress.failures)
}

/// Failures are only added, or taken off the end where an event is tried again.
fn save_failures(connection: &Connection, failures: &[EventFailure]) -> rusqlite::Result<()> {
    let kept: i64 = connection
        .prepare_cached("SELECT count(*) FROM timeglass_failure")?
        .query_row([], |row| row.get(0))?;
    let known = (kept.max(0) as usize).min(failures.len());
    connection.prepare_cached("DELETE FROM timeglass_failure WHERE number > ?1")?.execute([known as i64])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO timeglass_failure (count, event, directive, line, message) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for failure in failures.iter().skip(known) {
        insert.execute(params![
            failure.count as i64,
            &*failure.event,
            &*failure.directive,
            failure.line,
            &*failure.message
        ])?;
    }
    Ok(())
}
