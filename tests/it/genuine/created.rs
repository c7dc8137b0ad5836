//! Snapshots that we would store, written into copies of the stores and read back.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, types::Value};
use timeglass::{
    model::{self, StoredSnapshot, StreamName, StreamVersion},
    publish::{Edits, TableEdits},
    replay::{History, OnFailure, StreamEvents},
    snapshot::{NewSnapshot, Verdict, creation::creation_in},
    work::Work,
};

use super::{
    table::{ROWS, Row},
    verdicts::{Indexed, indexed, mapping, standards, verify},
};
use crate::support::fixture;

/// The state of a stream after so many events, as a snapshot to be stored.
fn new_snapshot(row: &Row, (store, index): &Indexed, stream: u32, count: usize) -> NewSnapshot {
    let info = index.stream(stream).unwrap();
    let standards = standards(row);
    let standard = &standards[info.name.category.as_deref().unwrap_or_default()];
    let events = StreamEvents::new(Arc::clone(store), Arc::clone(index), stream);
    let history = History::new(Arc::new(events), Arc::clone(&standard.reducer), OnFailure::GoOn, 1 << 20);
    let step = history.step_at(count, &Work::default()).unwrap();
    let event = step.event.unwrap();
    NewSnapshot {
        stream: Arc::clone(&info.name),
        // Where events have none, the table has no place for it either.
        version: event.version.unwrap_or(StreamVersion(0)),
        state: step.after,
        time: event.time,
    }
}

/// The edits for a new snapshot of the longest stream that has a reducer.
fn edits(
    row: &Row,
    opened: &Indexed,
    count: impl Fn(usize) -> usize,
) -> (NewSnapshot, Result<Edits, String>) {
    let (store, index) = opened;
    let known = standards(row);
    let streams = (0..).zip(index.streams());
    let with_reducer =
        streams.filter(|(_, info)| known.contains_key(info.name.category.as_deref().unwrap_or_default()));
    let (stream, _) = with_reducer.max_by_key(|(_, info)| info.events).unwrap();
    let new = new_snapshot(row, opened, stream, count(index.stream_events(stream).len()));
    let edits = creation_in(&**store, &mapping(row), &new, &Work::default()).unwrap();
    (new, edits)
}

fn write(path: &Path, edits: &Edits) {
    let database = Connection::open(path).unwrap();
    for table in &edits.tables {
        write_table(&database, table);
    }
}

fn write_table(database: &Connection, edits: &TableEdits) {
    let quoted = |name: &str| format!("\"{name}\"");
    for row in &edits.inserts {
        let names: Vec<String> = row.iter().map(|(name, _)| quoted(name)).collect();
        let holders = vec!["?"; row.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({holders})", quoted(&edits.table), names.join(", "));
        let values = row.iter().map(|(_, value)| bound(value));
        assert_eq!(database.execute(&sql, rusqlite::params_from_iter(values)).unwrap(), 1);
    }
    for edit in &edits.updates {
        let pairs = |pairs: &[(Arc<str>, model::Stored)], between: &str, sign: &str| {
            let all: Vec<String> =
                pairs.iter().map(|(name, _)| format!("{} {sign} ?", quoted(name))).collect();
            all.join(between)
        };
        let sql = format!(
            "UPDATE {} SET {} WHERE {}",
            quoted(&edits.table),
            pairs(&edit.values, ", ", "="),
            pairs(&edit.place.is, " AND ", "IS")
        );
        let values = edit.values.iter().chain(&edit.place.is).map(|(_, value)| bound(value));
        assert_eq!(database.execute(&sql, rusqlite::params_from_iter(values)).unwrap(), 1, "{sql}");
    }
    assert!(edits.deletes.is_empty());
}

fn bound(value: &model::Stored) -> Value {
    match value {
        model::Stored::Null => Value::Null,
        model::Stored::Integer(number) => Value::Integer(*number),
        model::Stored::Real(number) => Value::Real(*number),
        model::Stored::Text(bytes) => Value::Text(String::from_utf8(bytes.to_vec()).unwrap()),
        model::Stored::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// Inserts or updates of a snapshot, after so many events, or why there are none.
fn told(edits: &Result<Edits, String>) -> String {
    match edits {
        Ok(edits) => {
            let rows = |table: &TableEdits| match (table.inserts.len(), table.updates.len()) {
                (1, 0) => "insert",
                (0, 1) => "update",
                _ => "something else",
            };
            edits.tables.iter().map(rows).collect::<Vec<_>>().join(", ")
        }
        Err(why) => why.clone(),
    }
}

fn is_its(snapshot: &StoredSnapshot, new: &NewSnapshot) -> bool {
    let is_same = |name: &Arc<StreamName>| name.full() == new.stream.full() || name.id == new.stream.id;
    snapshot.stream.as_ref().is_some_and(is_same) && snapshot.version == Some(new.version)
}

/// What becomes of a new snapshot at the end of a long stream, and that verification agrees with it then.
fn check(store: &str, expected: &str) {
    let row = ROWS.iter().find(|row| row.store == store).unwrap();
    let unpacked = fixture(store);
    // Not after the last event, where a table of the newest may have one already.
    let (new, edits) = edits(row, &indexed(&unpacked.path), |events| events - 1);
    assert_eq!(told(&edits), expected, "{store}");
    let Ok(edits) = edits else { return };
    write(&unpacked.path, &edits);
    let (snapshots, checks) = verify(row, &indexed(&unpacked.path), usize::MAX);
    let found: Vec<Verdict> = snapshots
        .iter()
        .zip(&checks)
        .filter(|(snapshot, _)| is_its(snapshot, &new))
        .map(|(_, check)| check.verdict)
        .collect();
    // One in each table that was written to.
    assert_eq!(found, vec![Verdict::Agrees; edits.tables.len()], "{store}: {:?}", new.stream);
    let encodings: std::collections::BTreeSet<String> =
        snapshots.iter().map(|snapshot| snapshot.state.encoding.to_string()).collect();
    assert_eq!(encodings.len(), 1, "{store}: {encodings:?}");
}

#[test]
fn the_seeds_take_a_new_snapshot() {
    check("seed-000", "insert");
    check("seed-001", "update");
    check("seed-002", "update");
    check("seed-002-jsonb", "update");
    check("seed-003", "insert");
    check("seed-004", "states are stored as Python pickle, which is read and never written");
}

#[test]
fn so_do_genuine_libraries_where_nothing_has_to_be_made_up() {
    let made_up = |column: &str| format!("the column {column} needs a value that would have to be made up");
    check("eventsource-py", "update");
    check("ddl-schemeless-expo", "insert");
    check("ddl-spatie-laravel", "insert");
    check("ddl-wolkenkit", "insert");
    check("sqlite-es", &made_up("current_snapshot"));
    check("event-store-adapter-rs", "update, update");
    check("eventsourcing-sqlalchemy", "states are wrapped in a form of the library's own");
    check("eventsourcing", "states are wrapped in a form of the library's own");
    check("activegraph", "snapshots has no column for the stream");
    check("blessql", "the store has no table of snapshots");
    check("evtstore", "the store keeps states inside its events, which are never written");
}

/// A wrong snapshot is put right where it stands.
#[test]
fn a_snapshot_of_the_same_version_is_replaced() {
    let row = ROWS.iter().find(|row| row.store == "seed-000-defects").unwrap();
    let unpacked = fixture(row.store);
    let opened = indexed(&unpacked.path);
    let (new, edits) = edits(row, &opened, |_| 200);
    assert_eq!((new.version.0, told(&edits).as_str()), (200, "update"));
    let wrong = |opened: &Indexed| {
        let checks = verify(row, opened, usize::MAX).1;
        checks.iter().filter(|check| check.verdict == Verdict::Differs).count()
    };
    assert_eq!(wrong(&opened), 1);
    write(&unpacked.path, &edits.unwrap());
    assert_eq!(wrong(&indexed(&unpacked.path)), 0);
}
