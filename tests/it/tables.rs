//! Any table of a store, whatever it is called and made of, row by row.

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use timeglass::{
    model::Stored,
    store::{EventStore as _, StoreError, read::Onward, sqlite::SqliteStore},
    work::Work,
};

use crate::sqlite_store::open;

const EVENTS: &str = "CREATE TABLE events (position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
         version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream_id, version));
     WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 20)
     INSERT INTO events SELECT i + 1, 'order-' || (i % 2), i / 2, 'Placed', '{\"n\":' || i || '}' FROM n;";

fn store(path: &Path, tables: &str) -> (Connection, SqliteStore) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(EVENTS).unwrap();
    connection.execute_batch(tables).unwrap();
    let store = open(path);
    (connection, store)
}

fn rows(store: &SqliteStore, table: &str, columns: &[&str]) -> Result<Vec<Vec<Stored>>, StoreError> {
    let columns: Vec<Arc<str>> = columns.iter().map(|column| Arc::from(*column)).collect();
    let mut rows = Vec::new();
    let work = Work::default();
    store.table_rows(&work, table, &columns, &mut |row| {
        rows.push(row.to_vec());
        Onward::On
    })?;
    assert_eq!(work.progress().0, rows.len() as u64);
    Ok(rows)
}

/// Tells rows as SQLite tells them in one read.
fn check(connection: &Connection, store: &SqliteStore, table: &str, columns: &[&str]) -> usize {
    let names: Vec<String> =
        columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let sql = format!("SELECT {} FROM \"{}\"", names.join(", "), table.replace('"', "\"\""));
    let mut statement = connection.prepare(&sql).unwrap();
    let mut expected: Vec<String> = statement
        .query_map([], |row| {
            Ok((0..columns.len())
                .map(|at| match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Null => Stored::Null,
                    rusqlite::types::ValueRef::Integer(number) => Stored::Integer(number),
                    rusqlite::types::ValueRef::Real(number) => Stored::Real(number),
                    rusqlite::types::ValueRef::Text(bytes) => Stored::Text(bytes.into()),
                    rusqlite::types::ValueRef::Blob(bytes) => Stored::Blob(bytes.into()),
                })
                .collect::<Vec<_>>())
        })
        .unwrap()
        .map(|row| format!("{:?}", row.unwrap()))
        .collect();
    let mut found: Vec<String> =
        rows(store, table, columns).unwrap().iter().map(|row| format!("{row:?}")).collect();
    expected.sort();
    found.sort();
    assert_eq!(found.len(), expected.len(), "{table}");
    assert!(found == expected, "{table}");
    found.len()
}

#[test]
fn every_kind_of_table_is_met_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, store) = store(
        &folder.path().join("shop.sqlite"),
        "CREATE TABLE many (id INTEGER PRIMARY KEY, name TEXT, amount);
         WITH RECURSIVE n (i) AS (SELECT -3000 UNION ALL SELECT i + 1 FROM n LIMIT 9000)
         INSERT INTO many SELECT i * 3, 'row ' || i, i / 2.0 FROM n;
         CREATE TABLE keyed (b TEXT COLLATE NOCASE, a, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 6000)
         INSERT INTO keyed SELECT CASE i % 3 WHEN 0 THEN CAST(x'ff41' AS TEXT) ELSE 'B' END || i,
             CASE i % 4 WHEN 0 THEN i WHEN 1 THEN i / 3.0 WHEN 2 THEN 'T' || (i % 7) ELSE x'00ff' END, i FROM n;
         CREATE TABLE wide (v); INSERT INTO wide SELECT zeroblob(700000) FROM events, (SELECT 1 UNION SELECT 2);
         CREATE TABLE \"od\"\"d 'name\" (\"a \"\"b\", rowid TEXT, \"select\" GENERATED ALWAYS AS (1 + 1));
         INSERT INTO \"od\"\"d 'name\" SELECT i, 'same' FROM (SELECT id AS i FROM many LIMIT 500);
         CREATE TABLE hidden (rowid, _rowid_, oid); INSERT INTO hidden SELECT 1, 2, 3 FROM many;
         CREATE VIEW seen AS SELECT name || '!' AS name, count(*) AS n FROM many GROUP BY 1;
         CREATE TABLE empty (a);",
    );
    assert_eq!(check(&connection, &store, "many", &["id", "name", "amount"]), 9000);
    assert_eq!(check(&connection, &store, "MANY", &["Name"]), 9000);
    assert_eq!(check(&connection, &store, "keyed", &["a", "b", "v"]), 6000);
    assert_eq!(check(&connection, &store, "wide", &["v"]), 40);
    assert_eq!(check(&connection, &store, "od\"d 'name", &["select", "a \"b", "rowid"]), 500);
    assert_eq!(check(&connection, &store, "hidden", &["oid"]), 9000);
    assert_eq!(check(&connection, &store, "seen", &["name", "n"]), 9000);
    assert_eq!(check(&connection, &store, "empty", &["a"]), 0);
    assert_eq!(rows(&store, "many", &[]).unwrap().len(), 9000);
    assert!(rows(&store, "many", &["no such column"]).is_err());
    assert!(rows(&store, "no such table", &["a"]).is_err());
    let shape = store.table_shape(&Work::default(), "OD\"D 'NAME").unwrap().unwrap();
    let names: Vec<&str> = shape.columns.iter().map(|column| &*column.name).collect();
    assert_eq!((&*shape.table, names), ("od\"d 'name", vec!["a \"b", "rowid", "select"]));
    assert_eq!(store.table_shape(&Work::default(), "no such table").unwrap(), None);
}

#[test]
fn a_view_without_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_connection, store) = store(
        &folder.path().join("shop.sqlite"),
        "CREATE VIEW endless AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT zeroblob(1000000) AS v FROM n;",
    );
    let error = rows(&store, "endless", &["v"]).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { mebibytes: 64, .. }), "{error:?}");
}

/// Rows that are there all the time are met once, whatever happens around them.
#[test]
fn a_table_that_grows_meanwhile_is_met_without_gaps() {
    for journal in ["wal", "delete"] {
        let folder = tempfile::tempdir().unwrap();
        let (connection, store) = store(
            &folder.path().join("shop.sqlite"),
            &format!(
                "PRAGMA journal_mode = {journal}; CREATE TABLE list (id INTEGER PRIMARY KEY, name TEXT)"
            ),
        );
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                    INSERT INTO list SELECT i * 2, 'first' FROM n";
        connection.execute_batch(fill).unwrap();
        let (mut met, mut odd) = (Vec::new(), 1);
        store
            .table_rows(&Work::default(), "list", &["id".into(), "name".into()], &mut |row| {
                if row[1] == Stored::Text(Arc::from(*b"first")) {
                    met.push(row[0].clone());
                }
                if met.len() % 100 == 0 {
                    connection.execute("INSERT INTO list VALUES (?, 'later')", [odd]).unwrap();
                    odd += 2;
                }
                Onward::On
            })
            .unwrap();
        let expected: Vec<Stored> = (1..=5000).map(|id| Stored::Integer(id * 2)).collect();
        assert!(met == expected, "{journal}: {} rows", met.len());
    }
}

#[test]
fn a_damaged_table_is_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let (connection, whole) = store(
        &path,
        "CREATE TABLE list (id INTEGER PRIMARY KEY, name TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
         INSERT INTO list SELECT i, 'name ' || i FROM n",
    );
    assert_eq!(rows(&whole, "list", &["name"]).unwrap().len(), 5000);
    drop(connection);
    let mut bytes = std::fs::read(&path).unwrap();
    let page = bytes.len() / 4096 * 2 / 3 * 4096;
    bytes[page..page + 4096].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    let store = open(&path);
    let error = rows(&store, "list", &["name"]).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("reading \"list\""), "{error}");
}
