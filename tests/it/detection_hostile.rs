//! Detection of odd, damaged and hostile databases, and mappings made by hand.

use std::{collections::BTreeMap, fs};

use rusqlite::{Connection, OpenFlags};
use timeglass::{
    model::Pointer,
    store::{
        detect::{DetectError, complete, detect, preview},
        layout::{Detection, Form, Layout, Role, Source, TableKind, Unwrap},
    },
    work::Work,
};

use crate::support::fixture;

fn memory(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch(sql).expect("SQL");
    connection
}

fn found(connection: &Connection) -> Layout {
    match detect(connection, &Work::default()).expect("can be looked at") {
        Detection::Found { layout, .. } => layout,
        other => panic!("{other:#?}"),
    }
}

fn column(name: &str) -> Source {
    Source::Column { table: None, column: name.into() }
}

/// 200 events in 20 streams in a table of this name.
fn events(table: &str) -> String {
    format!(
        "CREATE TABLE {table} (id INTEGER PRIMARY KEY, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT, created_at TEXT);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
         INSERT INTO {table} SELECT i + 1, 'account-' || (i % 20), 1 + i / 20, CASE WHEN i < 20 THEN 'Opened' ELSE 'Paid' END,
           json_object('n', i), datetime('2024-01-01', i || ' minutes') FROM n;"
    )
}

#[test]
fn names_of_any_kind_are_read() {
    let layout = found(&memory(&events("\"a \"\"b'; DROP TABLE x; -- 表 %s\"")));
    assert_eq!(&*layout.events.table, "a \"b'; DROP TABLE x; -- 表 %s");
    let connection = memory(&events("events"));
    connection.execute_batch("PRAGMA writable_schema = ON").expect("a pragma");
    connection
        .execute(
            "UPDATE sqlite_schema SET name = 'ev' || char(0) || 'x', tbl_name = 'ev' || char(0) || 'x'",
            [],
        )
        .expect("a hostile schema");
    detect(&connection, &Work::default()).map(drop).unwrap_or(());
}

#[test]
fn views_count_only_where_no_table_fits() {
    let with_view = memory(&format!(
        "{} CREATE VIEW events_recent AS SELECT * FROM events; CREATE VIEW broken AS SELECT * FROM gone;
         CREATE TRIGGER events_guard BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'no'); END;",
        events("events")
    ));
    let layout = found(&with_view);
    assert_eq!(&*layout.events.table, "events");
    let kinds = layout.tables.iter().filter(|note| note.kind == TableKind::View).count();
    assert_eq!(kinds, 2);

    let flat = memory(&format!(
        "{} CREATE TABLE kinds (k INTEGER PRIMARY KEY, label TEXT); INSERT INTO kinds VALUES (1, 'Opened'), (2, 'Paid');
         CREATE TABLE raw (a INTEGER PRIMARY KEY, b TEXT, c INTEGER, k INTEGER, z TEXT);
         INSERT INTO raw SELECT id, stream_id, version, CASE event_type WHEN 'Opened' THEN 1 ELSE 2 END, data FROM e; DROP TABLE e;
         CREATE VIEW event_records AS SELECT a AS id, b AS aggregate_id, c AS sequence_number, label AS event_type, z AS payload FROM raw JOIN kinds USING (k);",
        events("e")
    ));
    let layout = found(&flat);
    assert_eq!(&*layout.events.table, "event_records");
    assert_eq!(
        layout.events.role(Role::Version).map(|mapping| mapping.source.to_string()).as_deref(),
        Some("sequence_number")
    );
}

#[test]
fn damage_ends_in_a_layout_or_a_reason() {
    let whole = fs::read(fixture("seed-000").path).expect("bytes");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.sqlite");
    let mut answers = 0;
    for (name, bytes) in [
        ("cut in half", whole.get(..whole.len() / 2).unwrap_or_default().to_vec()),
        ("noise in the middle", with_noise(&whole, whole.len() / 3, 40_000)),
        ("noise near the start", with_noise(&whole, 8192, 4096)),
        ("noise in the schema", with_noise(&whole, 200, 3000)),
    ] {
        fs::write(&path, bytes).expect("room");
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
        match detect(&connection, &Work::default()) {
            Ok(_) => answers += 1,
            Err(DetectError::Sqlite(err)) => assert!(!err.to_string().is_empty(), "{name}"),
            Err(err) => panic!("{name}: {err}"),
        }
    }
    assert!(answers >= 2, "only {answers} of 4 damaged files were looked at");
}

fn with_noise(bytes: &[u8], from: usize, length: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, byte) in bytes.iter_mut().enumerate().skip(from).take(length) {
        *byte = byte.wrapping_mul(31).wrapping_add(at as u8);
    }
    bytes
}

#[test]
fn odd_values_do_no_harm() {
    let connection = memory(&format!(
        "{} INSERT INTO events VALUES (NULL, NULL, NULL, NULL, NULL, NULL), (NULL, 'account-1', 'x', x'ff', CAST(x'ff7b' AS TEXT), 'soon'),
           (9223372036854775807, 'account-2', -9223372036854775808, 'Paid', '{{', 9e999);",
        events("events")
    ));
    let layout = found(&connection);
    assert_eq!(
        layout.events.role(Role::Version).map(|mapping| mapping.source.to_string()).as_deref(),
        Some("version")
    );

    let columns: Vec<String> = (0..900).map(|at| format!("c{at} TEXT")).collect();
    let wide =
        memory(&format!("CREATE TABLE wide ({}); INSERT INTO wide (c1) VALUES ('x');", columns.join(", ")));
    assert!(matches!(detect(&wide, &Work::default()), Ok(Detection::NotFound { .. })));
}

#[test]
fn withdrawn_work_stops() {
    let work = Work::default();
    work.cancel();
    assert!(matches!(detect(&memory(&events("events")), &work), Err(DetectError::Cancelled(_))));
}

#[test]
fn a_mapping_by_hand_is_completed() {
    let connection = memory(
        "CREATE TABLE zettel (n INTEGER PRIMARY KEY, wer TEXT, was TEXT, nummer INTEGER, inhalt TEXT, wann INTEGER);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
         INSERT INTO zettel SELECT i + 1, 'konto-' || (i % 20), CASE WHEN i < 20 THEN 'Offen' ELSE 'Bezahlt' END, 1 + i / 20,
           json_object('_type_', 'x', '_data_', json_object('kind', 'a', 'n', i)), 1704067200000 + i FROM n;",
    );
    let chosen = BTreeMap::from([
        (Role::Stream, Some(column("wer"))),
        (Role::EventType, Some(column("was"))),
        (Role::Version, Some(column("nummer"))),
        (Role::Time, Some(column("wann"))),
        (Role::EventId, None),
    ]);
    let layout = complete(&connection, "zettel", &chosen, &Work::default()).expect("a layout");
    let events = &layout.events;
    let source = |role: Role| events.role(role).map(|mapping| mapping.source.to_string());
    assert_eq!(source(Role::Stream).as_deref(), Some("wer"));
    assert_eq!(source(Role::Data).as_deref(), Some("inhalt"));
    assert_eq!(source(Role::GlobalPosition).as_deref(), Some("n"));
    assert_eq!(source(Role::Category).as_deref(), Some("stream before \"-\""));
    assert_eq!(source(Role::EventId), None);
    assert_eq!(events.role(Role::Time).map(|mapping| mapping.form), Some(Form::EpochMillis));
    assert_eq!(events.unwrap, [Unwrap::TypedValues]);

    let inside =
        Source::Json { column: "inhalt".into(), path: Pointer::parse("/_data_/kind").expect("a path") };
    let chosen = BTreeMap::from([(Role::EventType, Some(inside)), (Role::Stream, Some(column("wer")))]);
    let layout = complete(&connection, "zettel", &chosen, &Work::default()).expect("a layout");
    assert_eq!(
        layout.events.role(Role::EventType).map(|m| m.source.to_string()).as_deref(),
        Some("inhalt._data_.kind")
    );

    let chosen = BTreeMap::from([(Role::Stream, Some(column("nobody")))]);
    let err = complete(&connection, "zettel", &chosen, &Work::default()).map(drop);
    assert_eq!(err.expect_err("no column").to_string(), "table `zettel` has no column `nobody`");
    let err = complete(&connection, "gone", &BTreeMap::new(), &Work::default()).map(drop);
    assert_eq!(err.expect_err("no table").to_string(), "there is no table `gone`");
}

#[test]
fn a_preview_is_bounded() {
    let connection = memory(
        "CREATE TABLE t (\"a b\" TEXT, b BLOB, c REAL); INSERT INTO t VALUES (printf('%.*c', 100000, 'x'), zeroblob(100000), 1.5), (NULL, x'7b7d', 2);
         INSERT INTO t SELECT * FROM t; INSERT INTO t SELECT * FROM t;",
    );
    let shown = preview(&connection, "t", 3).expect("a preview");
    assert_eq!(shown.columns.iter().map(|name| &**name).collect::<Vec<_>>(), ["a b", "b", "c"]);
    assert_eq!(shown.rows.len(), 3);
    let first: Vec<_> =
        shown.rows[0].iter().map(|cell| cell.as_ref().map(|text| text.chars().count())).collect();
    assert_eq!(first, [Some(201), Some(203), Some(3)]);
    assert_eq!(shown.rows[1], [None, Some("{}".into()), Some("2.0".into())]);
}
