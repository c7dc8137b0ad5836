//! Damaged and hostile files: each gets a clear message or a partial view with its troubles.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rusqlite::Connection;
use timeglass::{
    model::{EventQuery, RecordedEvent},
    store::{
        EventStore as _, KeyRange, PageFrom,
        layout::{EventsTable, Layout, Mapping, Order, Role, Source},
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

use crate::{sqlite_store::open, support::fixture};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Everything from the start.
fn everything(store: &SqliteStore) -> Vec<RecordedEvent> {
    store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, 100_000).expect("a page")
}

/// What a scan meets, and its troubles.
fn scan(store: &SqliteStore) -> (u64, Vec<String>) {
    let mut count = 0;
    let troubles = store.scan(&Work::default(), &KeyRange::default(), &mut |_| count += 1).expect("a scan");
    (count, troubles)
}

/// Opens a file that is no event store at all, and compares what is said.
fn check_refused(bytes: &[u8], expected: &str) {
    let folder = folder();
    let path = folder.path().join("file.sqlite");
    fs::write(&path, bytes).expect("a file");
    let error = SqliteStore::open(&path, None, &Work::default()).expect_err("no store");
    assert!(error.to_string().contains(expected), "{error:?}");
}

#[test]
fn what_is_no_database_is_named() {
    check_refused(b"", "is empty");
    check_refused(b"\x1f\x8b\x08\0\0\0\0\0", "compressed with gzip");
    check_refused(b"PK\x03\x04 and so on", "zip archive");
    check_refused(b"id,type,data\n1,Opened,{}\n", "is not a SQLite database: it is text");
    check_refused(b"SQLite format 3\0", "ends within the header");
    check_refused(&[0; 4096], "zero bytes");
    let random: Vec<u8> =
        (0..8192_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    check_refused(&random, "encrypted or random bytes");
    // A header, and nothing that fits it.
    let mut header = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20".to_vec();
    header.resize(8192, 0xa5);
    check_refused(&header, "damaged while");
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let folder = folder();
    let say =
        |path: &Path| SqliteStore::open(path, None, &Work::default()).expect_err("no store").to_string();
    assert!(say(&folder.path().join("none.sqlite")).contains("there is no file"));
    assert!(say(folder.path()).contains("is a folder"));
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("a file");
    assert!(say(&file.join("below.sqlite")).contains("there is no file"), "a path below a file");
    assert!(say(Path::new("a\0b")).contains("cannot be read"), "a path that no system takes");
}

/// Permission bits do not bind the superuser, so a file whose owner says no is opened by a child
/// that is somebody else where we are the superuser, and by ourselves where we are not.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const PATH: &str = "TIMEGLASS_TEST_READS";
    if let Some(path) = std::env::var_os(PATH) {
        let error = SqliteStore::open(Path::new(&path), None, &Work::default()).expect_err("no store");
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(error.source().is_some_and(|source| source.to_string().contains("denied")), "{error:?}");
        return;
    }
    let fixture = fixture("seed-003");
    fs::set_permissions(&fixture.path, fs::Permissions::from_mode(0o000)).expect("permissions");
    fs::set_permissions(fixture.folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    // The test binary may lie where the other user cannot reach it.
    let binary = fixture.folder.path().join("it");
    fs::copy(std::env::current_exe().expect("this binary"), &binary).expect("a copy");
    let mut child = Command::new(&binary);
    child.args(["--exact", "hostile::a_file_without_permission_is_named"]).env(PATH, &fixture.path);
    child.current_dir(fixture.folder.path());
    if fs::read(&fixture.path).is_ok() {
        child.uid(65_534);
    }
    let output = child.output().expect("a second process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A table of `rows` events in the plainest layout, filled by SQL.
fn plain(path: &Path, rows: i64) -> Connection {
    let connection = Connection::open(path).expect("a new database");
    connection
        .execute_batch(
            "CREATE TABLE events (
                 id INTEGER PRIMARY KEY, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT,
                 metadata TEXT, created_at TEXT
             );",
        )
        .expect("a table");
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
             INSERT INTO events (stream_id, version, event_type, data, metadata, created_at)
             SELECT 'account-' || (i % 5), i / 5 + 1, CASE WHEN i < 5 THEN 'Opened' ELSE 'Deposited' END,
                    json_object('amount', i, 'note', printf('%.*c', 60, 'n')),
                    json_object('correlation_id', printf('c%06d', i / 3)),
                    strftime('%Y-%m-%dT%H:%M:%SZ', 1700000000 + i, 'unixepoch')
             FROM n",
            [rows],
        )
        .expect("rows");
    connection
}

/// The plain layout, given by hand.
fn plain_layout() -> Layout {
    let role = |role, column| (role, Mapping::column(column, "given"));
    Layout {
        name: "plain".into(),
        events: EventsTable {
            table: "events".into(),
            archives: Vec::new(),
            joins: Vec::new(),
            roles: [
                role(Role::GlobalPosition, "id"),
                role(Role::Stream, "stream_id"),
                role(Role::Version, "version"),
                role(Role::EventType, "event_type"),
                role(Role::Data, "data"),
                role(Role::Metadata, "metadata"),
                role(Role::Time, "created_at"),
            ]
            .into(),
            order: Order { columns: vec!["id".into()], evidence: "given".into(), is_certain: true },
            unwrap: Vec::new(),
        },
        snapshots: Vec::new(),
        checkpoints: Vec::new(),
        tables: Vec::new(),
        problems: Vec::new(),
    }
}

fn by_hand(path: &Path, layout: &Layout) -> SqliteStore {
    SqliteStore::with_layout(path, layout, &Work::default()).expect("a store")
}

/// A file with 2000 plain events, and where it lies.
fn plain_file(change: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("plain.sqlite");
    let connection = plain(&path, 2000);
    connection.execute_batch(change).expect("a change");
    connection.close().expect("a clean end");
    (folder, path)
}

#[test]
fn a_truncated_file_shows_what_is_left() {
    let (_folder, path) = plain_file("");
    let bytes = fs::read(&path).expect("the file");
    fs::write(&path, &bytes[..bytes.len() / 2 + 100]).expect("a shorter file");
    let store = by_hand(&path, &plain_layout());
    let problems = &store.describe().problems;
    assert!(problems.iter().any(|problem| problem.contains("cut off")), "{problems:?}");
    let events = everything(&store);
    assert!((500..1500).contains(&events.len()), "{} events", events.len());
    assert!(events.iter().all(|event| event.data.json().is_some()));
    let (count, troubles) = scan(&store);
    assert_eq!(count as usize, events.len());
    assert!(troubles.iter().any(|trouble| trouble.contains("cannot be read")), "{troubles:?}");
    // With no hint, too.
    assert_eq!(everything(&open(&path)).len(), events.len());
}

#[test]
fn a_corrupt_page_in_the_middle_is_passed_in_both_directions() {
    let (_folder, path) = plain_file("");
    let mut bytes = fs::read(&path).expect("the file");
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    fs::write(&path, bytes).expect("a damaged file");
    let store = by_hand(&path, &plain_layout());
    let (count, troubles) = scan(&store);
    assert!((1950..2000).contains(&count), "{count} events");
    assert!(troubles[0].contains("between key") && troubles[0].contains("malformed"), "{troubles:?}");
    let forwards = everything(&store);
    assert_eq!(forwards.len() as u64, count);
    assert_eq!(forwards.last().and_then(|event| event.version).map(|version| version.0), Some(400));
    let is_told =
        |event: &RecordedEvent| event.troubles.iter().any(|trouble| trouble.contains("between key"));
    assert_eq!(forwards.iter().filter(|event| is_told(event)).count(), 1, "said beside the gap");
    let backwards =
        store.page(&Work::default(), &EventQuery::default(), &PageFrom::End, 100_000).expect("a page");
    let keys = |events: &[RecordedEvent]| events.iter().map(|event| event.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&forwards), keys(&backwards));
    // The missing ones are gone when asked for, and the rest is there.
    let missing = timeglass::model::EventKey::integer(
        (1..2000)
            .find(|id| !forwards.iter().any(|event| event.key == timeglass::model::EventKey::integer(*id)))
            .expect("a missing key"),
    );
    let fetched = store.fetch(&Work::default(), &[missing, forwards[0].key.clone()]).expect("events");
    assert!(fetched[0].is_none() && fetched[1].is_some());
    assert_eq!(everything(&open(&path)).len() as u64, count);
}

#[test]
fn a_huge_payload_and_a_deep_one_are_payloads() {
    let (_folder, path) = plain_file(
        "INSERT INTO events VALUES (5000, 'account-1', 9000, 'Huge', zeroblob(104857600), NULL, NULL)",
    );
    let connection = Connection::open(&path).expect("the store");
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    connection
        .execute("INSERT INTO events VALUES (5001, 'account-1', 9001, 'Deep', ?1, ?1, NULL)", [deep])
        .expect("a row");
    connection.close().expect("a clean end");
    let store = open(&path);
    let last = store.page(&Work::default(), &EventQuery::default(), &PageFrom::End, 2).expect("a page");
    assert_eq!(last[0].data.stored.bytes().len(), 104_857_600);
    let reason = last[1].data.decoded.as_ref().expect_err("too deep");
    assert!(reason.contains("nested deeper"), "{reason}");
    assert_eq!(scan(&store).0, 2002);
}

#[test]
fn odd_rows_are_shown_with_what_is_odd() {
    let (_folder, path) = plain_file(
        "INSERT INTO events VALUES (5000, NULL, 1, 'NoStream', '{}', NULL, '2024-01-01');
         INSERT INTO events VALUES (5001, CAST(x'61ff' AS TEXT), 1, CAST(x'62fe' AS TEXT), CAST(x'7b22ff' AS TEXT),
                                    NULL, '2024-01-01');
         INSERT INTO events VALUES (5002, 'account-1', 'many', 7, 3.5, x'00', 'yesterday');
         INSERT INTO events VALUES (5003, 17, 2.0, NULL, NULL, NULL, 1700000000);
         INSERT INTO events VALUES (5004, x'00ff', -9223372036854775808, '', '', '', '');",
    );
    let mut layout = plain_layout();
    if let Some(time) = layout.events.roles.get_mut(&Role::Time) {
        time.form = timeglass::store::layout::Form::Iso;
    }
    let store = by_hand(&path, &layout);
    let last = store.page(&Work::default(), &EventQuery::default(), &PageFrom::End, 5).expect("a page");
    let shown: Vec<String> = last
        .iter()
        .map(|event| {
            let version = event.version.map(|version| version.0);
            format!("{} {version:?} {:?} {:?}", event.stream.full(), event.event_type, event.troubles)
        })
        .collect();
    let expected = [
        "(null) Some(1) \"NoStream\" [\"the event has no stream\"]",
        "a\u{fffd} Some(1) \"b\u{fffd}\" [\"the event type is not valid UTF-8\", \"the stream is not valid UTF-8\"]",
        "account-1 None \"7\" [\"the version is no whole number: many\", \"the time cannot be read as ISO 8601: yesterday\"]",
        "17 Some(2) \"\" [\"the time cannot be read as ISO 8601: 1700000000\"]",
        "00ff Some(-9223372036854775808) \"\" [\"the time cannot be read as ISO 8601: \"]",
    ];
    assert_eq!(shown, expected);
    let (count, troubles) = scan(&store);
    assert_eq!(count, 2005);
    assert_eq!(troubles.len(), 7, "{troubles:#?}");
    // Each odd stream can be asked for.
    for event in &last {
        let query = EventQuery { stream: Some(std::sync::Arc::clone(&event.stream)), ..Default::default() };
        let found = store.page(&Work::default(), &query, &PageFrom::End, 1).expect("a page");
        assert_eq!(found.first().map(|event| &event.stream), Some(&event.stream));
    }
}

#[test]
fn duplicate_positions_lose_no_event() {
    let folder = folder();
    let path = folder.path().join("twice.sqlite");
    let connection = Connection::open(&path).expect("a new database");
    connection
        .execute_batch(
            "CREATE TABLE events (position INTEGER, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT);
             CREATE INDEX by_position ON events (position);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
             INSERT INTO events SELECT i / 10, 'account-' || (i % 5), i / 5 + 1, 'Deposited', '{}' FROM n;",
        )
        .expect("rows");
    connection.close().expect("a clean end");
    let mut layout = plain_layout();
    layout.events.roles.retain(|role, _| !matches!(role, Role::Time | Role::Metadata));
    layout.events.roles.insert(Role::GlobalPosition, Mapping::column("position", "given"));
    layout.events.order.columns = vec!["position".into()];
    let store = by_hand(&path, &layout);
    let joined = crate::sqlite_store::read(&store, &EventQuery::default(), 7);
    assert_eq!(joined.len(), 1000);
    assert!(joined.is_sorted_by(|left, right| left.key < right.key));
    // Rows without a position make the row number the order, and that is said.
    let connection = Connection::open(&path).expect("the store");
    connection.execute_batch("UPDATE events SET position = NULL WHERE version = 3").expect("a change");
    connection.close().expect("a clean end");
    let store = by_hand(&path, &layout);
    assert_eq!(crate::sqlite_store::read(&store, &EventQuery::default(), 7).len(), 1000);
    let problems = &store.describe().problems;
    assert!(problems.iter().any(|problem| problem.contains("rows without")), "{problems:?}");
}

#[test]
fn an_archive_continues_the_log() {
    let (_folder, path) = plain_file(
        "CREATE TABLE events_old AS SELECT * FROM events WHERE id <= 700;
         DELETE FROM events WHERE id <= 690;",
    );
    let mut layout = plain_layout();
    layout.events.archives = vec!["events_old".into()];
    let store = by_hand(&path, &layout);
    for size in [1, 64, 700, 5000] {
        let joined = crate::sqlite_store::read(&store, &EventQuery::default(), size);
        assert_eq!(joined.len(), 2010);
        assert!(joined.is_sorted_by(|left, right| left.key < right.key));
    }
    let ranges = store.ranges(&Work::default(), None, 4).expect("ranges");
    let mut count = 0;
    for range in &ranges {
        store.scan(&Work::default(), range, &mut |_| count += 1).expect("a scan");
    }
    assert_eq!(count, 2010);
}

#[test]
fn nothing_in_the_schema_runs() {
    let (folder, path) = plain_file(
        "ALTER TABLE events ADD COLUMN twice TEXT GENERATED ALWAYS AS (upper(event_type)) VIRTUAL;
         CREATE VIEW \"events \" AS SELECT * FROM events;
         CREATE VIEW event_store AS SELECT hex(randomblob(100)) AS id, load_extension('x') AS stream_id FROM events;
         CREATE TRIGGER \"on events\" AFTER INSERT ON events BEGIN DELETE FROM events; END;
         CREATE TABLE \"a\"\"b'; DROP TABLE events; --\" (\"x\"\"y\" INTEGER PRIMARY KEY, \"\" TEXT);
         CREATE TABLE \"日本\" (\"列\" TEXT);",
    );
    let before = fs::read(&path).expect("the file");
    let store = open(&path);
    assert_eq!(&*store.describe().layout.events.table, "events");
    assert_eq!(scan(&store).0, 2000);
    let counts = store.table_counts(&Work::default()).expect("counts");
    let layout = &store.describe().layout;
    for (note, count) in layout.tables.iter().zip(counts) {
        match &*note.table {
            "events" => assert_eq!(count, Some(2000)),
            "event_store" | "events " => assert_eq!(count, None, "no view is run"),
            _ => assert_eq!(count, Some(0), "{}", note.table),
        }
    }
    assert!(before == fs::read(&path).expect("the file"));
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

/// Puts bytes into the file's own text of its schema, where SQL cannot.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(path).expect("the file");
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes.splice(at..at + to.len(), to.iter().copied());
    }
    fs::write(path, bytes).expect("a patched file");
}

#[test]
fn names_that_sql_cannot_spell_harm_nobody() {
    for evil in [b"ev\0l", b"ev\xffl", b"\0\0\0\0"] {
        let (_folder, path) = plain_file("CREATE TABLE evil (evil TEXT); INSERT INTO evil VALUES ('x');");
        patch(&path, b"evil", evil);
        let store = by_hand(&path, &plain_layout());
        assert_eq!(scan(&store).0, 2000, "{evil:?}");
        // Whatever detection makes of it, it says so and ends.
        if let Ok(Opened::Found { store, .. }) = SqliteStore::open(&path, None, &Work::default()) {
            assert_eq!(scan(&store).0, 2000, "{evil:?}");
            store.table_counts(&Work::default()).expect("counts");
        }
    }
}

#[test]
fn hundreds_of_columns_are_no_trouble() {
    let columns: Vec<String> =
        (0..900).map(|at| format!("ALTER TABLE events ADD COLUMN c{at} TEXT;")).collect();
    let (_folder, path) = plain_file(&format!("BEGIN; {} COMMIT", columns.concat()));
    let store = open(&path);
    assert_eq!(scan(&store).0, 2000);
    assert_eq!(everything(&store).len(), 2000);
}

#[test]
fn a_mapping_to_what_is_not_there_is_an_error_and_no_panic() {
    let (_folder, path) = plain_file("");
    let mut layout = plain_layout();
    layout.events.roles.insert(Role::Actor, Mapping::column("no such column", "given"));
    let store = SqliteStore::with_layout(&path, &layout, &Work::default()).expect("known when it is read");
    let error =
        store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, 1).expect_err("no column");
    assert!(error.source().is_some_and(|source| source.to_string().contains("no such column")), "{error:?}");
    layout.events.table = "nowhere".into();
    layout
        .events
        .roles
        .insert(Role::Actor, Mapping { source: Source::RowId, ..Mapping::column("x", "given") });
    let store = SqliteStore::with_layout(&path, &layout, &Work::default());
    let failed = store.and_then(|store| store.scan(&Work::default(), &KeyRange::default(), &mut |_| ()));
    assert!(failed.is_err());
}

#[test]
fn cancelled_work_ends() {
    let (_folder, path) = plain_file("");
    let store = by_hand(&path, &plain_layout());
    let work = Work::default();
    work.cancel();
    let cancelled = store.scan(&work, &KeyRange::default(), &mut |_| ());
    assert!(matches!(cancelled, Err(timeglass::store::StoreError::Cancelled(_))));
    let work = Work::default();
    let stop = work.clone();
    let mut seen = 0;
    let cancelled = store.scan(&work, &KeyRange::default(), &mut |_| {
        seen += 1;
        stop.cancel();
    });
    assert!(matches!(cancelled, Err(timeglass::store::StoreError::Cancelled(_))));
    assert!(seen < 2000);
}
