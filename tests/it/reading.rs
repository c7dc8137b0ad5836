//! Reading on in a store of large and odd payloads says what reading page by page says.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, params, types::Value};
use timeglass::{
    model::{EventKey, KeyPart},
    store::{
        EventStore as _, KeyRange,
        bodies::{Bodies, BodyBatch},
        layout::{Mapping, Role},
        read::{Body, Onward, Wanted, read_by_pages},
        sqlite::{SqliteStore, Way},
    },
    work::Work,
};

use crate::sqlite_store::open;

/// Events with large payloads and small ones, in types that SQL compares otherwise than we do.
fn large_store(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
                 version INTEGER NOT NULL, event_type NOT NULL COLLATE NOCASE, data, metadata,
                 event_id TEXT, correlation_id TEXT, UNIQUE (stream_id, version));
             BEGIN",
        )
        .unwrap();
    let kinds: [Value; 6] = [
        Value::Text("Placed".into()),
        Value::Text("placed".into()),
        Value::Text("Customer's".into()),
        Value::Text("Grown".into()),
        Value::Integer(7),
        Value::Blob(b"Placed".to_vec()),
    ];
    for number in 0..1500_i64 {
        let kind = &kinds[usize::try_from(number * 3 % 7 % 6).unwrap()];
        let size = match number % 50 {
            0 => 300_000,
            1..10 => 9_000,
            _ => 1_400,
        };
        let text = "y".repeat(size);
        let data = match number % 9 {
            0 => Value::Text(format!("{{\"n\":{number},")),
            1 => Value::Text(format!("plain {number}")),
            2 => Value::Blob(format!("{{\"n\": {number}, \"t\": \"{text}\"}}").into()),
            // `[true,true,true,true,true]` in SQLite's own form.
            3 => Value::Blob(b"[\x01\x01\x01\x01\x01".to_vec()),
            4 => Value::Null,
            5 => Value::Integer(number),
            _ => Value::Text(format!(" {{\"n\": {number}.50, \"t\": \"{text}\"}}")),
        };
        connection
            .prepare_cached("INSERT INTO events VALUES (?, ?, ?, ?, ?, '{\"m\":  1}', ?, NULL)")
            .unwrap()
            .execute(params![
                number + 1,
                format!("order-{}", number % 40),
                number / 40,
                kind,
                data,
                format!("id-{number}")
            ])
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn check(store: &SqliteStore, wanted: Wanted<'_>) -> (usize, usize) {
    let (work, range) = (Work::default(), KeyRange::default());
    let mut expected = Vec::new();
    read_by_pages(store, &work, &range, wanted, &mut |row| {
        expected.push(format!("{row:?}"));
        Onward::On
    })
    .unwrap();
    let mut number = 0;
    let mut bodies = 0;
    store
        .read(&work, &range, wanted, &mut |row| {
            assert_eq!(format!("{row:?}"), expected[number]);
            number += 1;
            bodies += usize::from(row.event_id.is_some());
            Onward::On
        })
        .unwrap();
    assert_eq!(number, expected.len());
    (number, bodies)
}

#[test]
fn large_payloads_of_some_types_are_read_as_by_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.sqlite");
    large_store(&path);
    let found = open(&path);
    // The types are too odd to be found.
    let mut layout = (*found.describe().layout).clone();
    layout.events.roles.insert(Role::EventType, Mapping::column("event_type", "chosen"));
    let store = SqliteStore::with_layout(&path, &layout, &Work::default()).unwrap();
    assert_eq!(check(&store, Wanted::All), (1500, 1500));
    let types = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
    let kinds = ["Placed", "placed", "Customer's", "Grown", "7"];
    let counted = kinds.map(|name| check(&store, Wanted::Types(&types(&[name]))).1);
    assert!(counted.iter().all(|events| *events > 100), "{counted:?}");
    assert_eq!(counted.iter().sum::<usize>(), 1500, "every event is of one type");
    check(&store, Wanted::Types(&types(&["Grown", "7", "\u{fffd}", "no\0ne"])));
    assert_eq!(check(&store, Wanted::Types(&[])), (1500, 0));
}

/// The visitor may take its time, and the store may grow meanwhile: what was there is met once and in order.
#[test]
fn a_store_that_grows_meanwhile_is_read_without_gaps() {
    for journal in ["wal", "delete"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growing.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal};
                 CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
                     version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL,
                     UNIQUE (stream_id, version));
                 WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 3000)
                 INSERT INTO events SELECT i + 1, 'order-' || (i % 7), i / 7, 'Placed', '{{\"n\":' || i || '}}' FROM n"
            ))
            .unwrap();
        let store = open(&path);
        let (mut next, mut number) = (0, 3000);
        store
            .read(&Work::default(), &KeyRange::default(), Wanted::All, &mut |row| {
                assert_eq!(row.data, Body::Json(&format!("{{\"n\":{next}}}")), "{journal}");
                next += 1;
                if next % 100 == 0 && number < 3300 {
                    let insert = "INSERT INTO events VALUES (?1 + 1, 'order-' || (?1 % 7), ?1 / 7, 'Placed', \
                                  '{\"n\":' || ?1 || '}')";
                    connection.execute(insert, [number]).unwrap();
                    number += 1;
                }
                Onward::On
            })
            .unwrap();
        // What came in time is met, too; what came while the last batch was handed out is not.
        assert!((3000..=number).contains(&next), "{journal}: {next} of {number}");
    }
}

/// What a store tells of these events: whole, their bodies, and their data alone.
fn by_key(store: &SqliteStore, keys: &[EventKey]) -> String {
    let work = Work::default();
    let mut told = format!("{:?}", store.fetch(&work, keys).unwrap());
    for bodies in [Bodies::Data, Bodies::All] {
        let mut batch = BodyBatch::default();
        store.fetch_bodies(&work, keys, bodies, &mut batch).unwrap();
        told.push('\n');
        told.extend(batch.iter().map(|body| format!("{body:?}")));
    }
    told
}

fn check_by_key(store: &SqliteStore, sql: &SqliteStore) -> String {
    let keys = |numbers: Vec<i64>| numbers.into_iter().map(EventKey::integer).collect::<Vec<_>>();
    let mut told = String::new();
    for keys in [
        keys((1..=1500).collect()),
        keys((1..=1500).step_by(9).collect()),
        keys(vec![1499, 3, 3, 2000, 700, -1, i64::MAX, 700, 1]),
        keys(vec![]),
        vec![EventKey::integer(5), EventKey([KeyPart::Text("5".into())].into()), EventKey::integer(6)],
    ] {
        let found = by_key(store, &keys);
        assert!(found == by_key(sql, &keys), "{} keys", keys.len());
        told.push_str(&found);
    }
    assert_eq!(sql.pages_read(), 0);
    told
}

#[test]
fn events_by_key_are_the_same_from_pages_as_through_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.sqlite");
    large_store(&path);
    let (store, sql) = (open(&path), open(&path).by(Way::Sql));
    let first = check_by_key(&store, &sql);
    let read = store.pages_read();
    assert!(read > 1000, "only {read} pages");
    let written = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    written(
        "UPDATE events SET data = '{\"new\":1}' WHERE global_position % 9 = 1; DELETE FROM events WHERE global_position = 700",
    );
    let second = check_by_key(&store, &sql);
    assert!(second != first && second.contains("\\\"new\\\":1"));
    // The table moves to other pages.
    written(
        "CREATE TABLE other AS SELECT 1; ALTER TABLE events RENAME TO old; \
         CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL, \
             version INTEGER NOT NULL, event_type NOT NULL COLLATE NOCASE, data, metadata, \
             event_id TEXT, correlation_id TEXT, UNIQUE (stream_id, version)); \
         INSERT INTO events SELECT * FROM old WHERE global_position % 2 = 1; DROP TABLE old; VACUUM",
    );
    assert!(check_by_key(&store, &sql) != second);
    assert!(store.pages_read() > read);
    // A log beside the file: its pages say nothing any more.
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; UPDATE events SET data = '{\"newer\":1}'").unwrap();
    let read = store.pages_read();
    assert!(check_by_key(&store, &sql).contains("newer"));
    assert_eq!(store.pages_read(), read);
}
