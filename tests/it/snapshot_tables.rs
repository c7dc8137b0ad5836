//! Tables of snapshots of any form, met a batch at a time and fetched by place.

use std::path::Path;

use rusqlite::Connection;
use timeglass::{
    model::{StoredSnapshot, StreamName},
    store::{EventStore as _, read::Onward, snapshots::SnapshotPlace, sqlite::SqliteStore},
    work::Work,
};

use crate::sqlite_store::open;

/// Some states are so long that a batch ends in the middle of the table.
const SNAPSHOTS: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 300)
     INSERT INTO snapshots SELECT 'order-' || (i % 7), i / 7, json_object('n', i, 'text',
         printf('%.*c', CASE i % 50 WHEN 0 THEN 1500000 ELSE 20 END, 'x')), '2024-05-01T10:00:00Z' FROM n";

const COLUMNS: &str = "stream TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
     created_at TEXT NOT NULL";

/// A store whose table of snapshots is declared so, and the connection that wrote it.
fn store(path: &Path, declared: &str) -> (Connection, SqliteStore) {
    let connection = Connection::open(path).unwrap();
    let events = "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
             version INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream, version));
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 300)
         INSERT INTO events SELECT i + 1, 'order-' || (i % 7), i / 7, 'Placed', '{\"n\":' || i || '}' FROM n;";
    connection.execute_batch(events).unwrap();
    connection.execute_batch(&format!("{declared}; {SNAPSHOTS}")).unwrap();
    let store = open(path);
    (connection, store)
}

/// Everything that is met, and where it stands.
fn met(store: &SqliteStore, stream: Option<&StreamName>) -> Vec<(SnapshotPlace, StoredSnapshot)> {
    let mut met = Vec::new();
    store
        .visit_snapshots(&Work::default(), stream, &mut |visited| {
            assert_eq!(visited.len(), visited.decoded().state.stored.bytes().len() as u64);
            met.push((visited.place.clone(), visited.decoded()));
            Onward::On
        })
        .unwrap();
    met
}

/// Stream, version and length, in order.
fn told(snapshots: &[StoredSnapshot]) -> Vec<(String, i64, usize)> {
    let mut told: Vec<_> = snapshots
        .iter()
        .map(|snapshot| {
            let stream = snapshot.stream.as_ref().unwrap().full().to_string();
            (stream, snapshot.version.unwrap().0, snapshot.state.stored.bytes().len())
        })
        .collect();
    told.sort();
    told
}

/// A table declared so is met as SQLite tells it, all of it and of one stream; and what was met is fetched.
fn check(declared: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (connection, store) = store(&folder.path().join("shop.sqlite"), declared);
    let asked = |condition: &str| -> Vec<(String, i64, usize)> {
        let sql = format!(
            "SELECT stream, version, octet_length(state) FROM snapshots {condition} ORDER BY stream, version"
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, usize::try_from(row.get::<_, i64>(2)?).unwrap()))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let (places, all): (Vec<_>, Vec<_>) = met(&store, None).into_iter().unzip();
    assert_eq!(told(&all), asked(""), "{declared}");
    assert_eq!(all.len(), 300, "{declared}");
    let names = all.iter().filter_map(|snapshot| snapshot.stream.clone());
    let stream = names.into_iter().find(|name| &*name.full() == "order-3").unwrap();
    let (_, of_stream): (Vec<_>, Vec<_>) = met(&store, Some(&stream)).into_iter().unzip();
    assert_eq!(told(&of_stream), asked("WHERE stream = 'order-3'"), "{declared}");

    let fetch = |places: &[SnapshotPlace]| store.fetch_snapshots(&Work::default(), places).unwrap();
    let backwards: Vec<SnapshotPlace> = places.iter().rev().cloned().collect();
    let fetched = fetch(&backwards);
    assert!(fetched.iter().flatten().eq(all.iter().rev()), "{declared}");
    assert_eq!(fetched.len(), all.len());

    let mut met = 0;
    let enough = store.visit_snapshots(&Work::default(), None, &mut |_| {
        met += 1;
        if met == 170 { Onward::Enough } else { Onward::On }
    });
    assert!(enough.is_ok() && met == 170, "{declared}: {met}");
}

#[test]
fn tables_of_any_form_are_met_and_fetched() {
    let table = |rest: &str| format!("CREATE TABLE snapshots ({COLUMNS}{rest}");
    check(&table(", PRIMARY KEY (stream, version))"));
    check(&table(", PRIMARY KEY (stream, version)) WITHOUT ROWID"));
    check(&table(")"));
    check(&table("); CREATE INDEX by_version ON snapshots (version, stream)"));
}

#[test]
fn what_is_gone_is_not_fetched_and_what_changed_is_fetched_as_it_is_now() {
    for rest in [")", ", PRIMARY KEY (stream, version)) WITHOUT ROWID"] {
        let folder = tempfile::tempdir().unwrap();
        let declared = format!("CREATE TABLE snapshots ({COLUMNS}{rest}");
        let (connection, store) = store(&folder.path().join("shop.sqlite"), &declared);
        let (places, _): (Vec<_>, Vec<_>) = met(&store, None).into_iter().take(5).unzip();
        let before = store.fetch_snapshots(&Work::default(), &places).unwrap();
        let name = |at: usize| {
            let found: &StoredSnapshot = before[at].as_ref().unwrap();
            (found.stream.as_ref().unwrap().full().to_string(), found.version.unwrap().0)
        };
        let (gone, changed) = (name(1), name(3));
        connection.execute("DELETE FROM snapshots WHERE stream = ? AND version = ?", gone).unwrap();
        let change = "UPDATE snapshots SET state = '{}' WHERE stream = ? AND version = ?";
        connection.execute(change, changed).unwrap();
        let after = store.fetch_snapshots(&Work::default(), &places).unwrap();
        assert_eq!(after[1], None, "{rest}");
        assert_eq!(&*after[3].as_ref().unwrap().state.stored.bytes(), b"{}", "{rest}");
        assert_eq!([&after[0], &after[2], &after[4]], [&before[0], &before[2], &before[4]], "{rest}");
    }
}

#[test]
fn rows_that_were_enough_are_the_last_that_are_met() {
    let folder = tempfile::tempdir().unwrap();
    let declared = format!("CREATE TABLE snapshots ({COLUMNS})");
    let (_connection, store) = store(&folder.path().join("shop.sqlite"), &declared);
    let (work, mut met) = (Work::default(), 0);
    let read = store.table_rows(&work, "snapshots", &["version".into()], &mut |_| {
        met += 1;
        if met == 140 { Onward::Enough } else { Onward::On }
    });
    assert!(read.is_ok());
    assert_eq!((met, work.progress().0), (140, 140));
}
