//! Columns from indexes against a scan of the same store.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use timeglass::{
    jobs::ThreadLanes,
    model::{StreamName, Timestamp},
    sample::{self, SampleOptions, Shape},
    store::{
        EventStore as _, KeyRange,
        covered::{Covered, CoveredDigits, CoveredTimes},
        sqlite::{SqliteStore, Way},
    },
    work::Work,
};

use super::both;
use crate::support::{all_fixtures, fixture};

/// What is said of one event: key, position, stream, version, type, time.
type Line = (i64, bool, StreamName, Option<i64>, String, Option<(i64, u8)>);

fn scanned(store: &SqliteStore) -> (Vec<Line>, Vec<String>) {
    let mut lines = Vec::new();
    let visit = &mut |row: &timeglass::store::ScanRow<'_>| {
        let key = match row.key {
            timeglass::store::ScanKey::Integer(key) => key,
            timeglass::store::ScanKey::Parts(_) => panic!("a key of several parts"),
        };
        let stream = StreamName {
            category: row.category.map(Arc::from),
            id: row.id.into(),
            stored: row.stored.map(Arc::from),
        };
        lines.push((
            key,
            row.position.is_some(),
            stream,
            row.version.map(|version| version.0),
            row.event_type.to_owned(),
            row.time.map(|time| (time.nanos(), time.digits())),
        ));
    };
    let troubles = store.scan(&Work::default(), &KeyRange::default(), visit).expect("a scan");
    (lines, troubles)
}

fn spelled_out(covered: &Covered) -> Vec<Line> {
    let time = |times: &CoveredTimes, at: usize| {
        let digits = match &times.digits {
            CoveredDigits::Same(digits) => *digits,
            CoveredDigits::Each(each) => each[at],
        };
        (times.nanos[at] != CoveredTimes::MISSING).then(|| Timestamp::from_nanos(times.nanos[at], digits))
    };
    (0..covered.len())
        .map(|at| {
            let types = covered.types.as_ref();
            (
                covered.keys.get(at as u32).expect("a key"),
                covered.has_positions,
                (*covered.stream_names[covered.streams[at] as usize]).clone(),
                covered.versions.as_ref().map(|versions| i64::from(versions[at])),
                types.map_or(String::new(), |types| covered.type_names[usize::from(types[at])].to_string()),
                covered
                    .times
                    .as_ref()
                    .and_then(|times| time(times, at))
                    .map(|time| (time.nanos(), time.digits())),
            )
        })
        .collect()
}

/// Streams and types in the order of their first events, and each stream's events by version.
fn check_order(covered: &Covered, lines: &[Line], name: &str) {
    let mut firsts: Vec<&StreamName> = Vec::new();
    let mut types: Vec<&String> = Vec::new();
    let mut postings: BTreeMap<&StreamName, Vec<(Option<i64>, u32)>> = BTreeMap::new();
    for (line, ordinal) in lines.iter().zip(0..) {
        if !postings.contains_key(&line.2) {
            firsts.push(&line.2);
        }
        postings.entry(&line.2).or_default().push((line.3, ordinal));
        if !types.contains(&&line.4) {
            types.push(&line.4);
        }
    }
    assert!(covered.stream_names.iter().map(|name| &**name).eq(firsts.iter().copied()), "{name}: streams");
    if covered.types.is_some() {
        assert!(
            covered.type_names.iter().map(|name| name.to_string()).eq(types.into_iter().cloned()),
            "{name}: types"
        );
    }
    let mut start = 0;
    for (stream, end) in firsts.iter().zip(&covered.posting_ends) {
        let mut expected = postings.remove(stream).expect("its events");
        expected.sort_unstable();
        let own = &covered.postings[start..*end as usize];
        assert!(own.iter().eq(expected.iter().map(|(_, ordinal)| ordinal)), "{name}: {stream:?}");
        start = *end as usize;
    }
    assert_eq!((start, covered.posting_ends.len()), (lines.len(), firsts.len()), "{name}");
}

/// Compares the columns with a scan; says whether there were any.
fn check(path: &Path, layout: Option<&timeglass::store::layout::Layout>, name: &str) -> bool {
    let Some((pages, sql)) = both(path, layout) else { return false };
    assert_eq!(sql.covered(&Work::default()).expect("an answer"), None, "{name}: SQLite alone");
    let alone = pages.covered(&Work::default()).expect("an answer");
    let beside = pages.covered(&Work::with_lanes(Arc::new(ThreadLanes))).expect("an answer");
    assert!(alone == beside, "{name}: the same with lanes");
    let Some(covered) = alone else { return false };
    let (lines, troubles) = scanned(&sql);
    assert!(troubles.is_empty(), "{name}: {troubles:?}");
    for (found, expected) in spelled_out(&covered).iter().zip(&lines) {
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(covered.len(), lines.len(), "{name}");
    check_order(&covered, &lines, name);
    true
}

/// An index over every column that a sample store lacks one for.
fn with_indexes(path: &Path) {
    let connection = Connection::open(path).expect("the store");
    connection
        .execute_batch(
            "CREATE INDEX IF NOT EXISTS by_stream ON events (stream, version);
             CREATE INDEX IF NOT EXISTS by_type ON events (type);
             CREATE INDEX IF NOT EXISTS by_time ON events (recorded_at);",
        )
        .expect("indexes");
}

#[test]
fn every_sample_shape_is_covered_once_it_has_indexes() {
    let folder = tempfile::tempdir().expect("a folder");
    for shape in Shape::ALL {
        let path = folder.path().join(shape.key());
        let options = SampleOptions { events: 3_000, ..SampleOptions::of(shape) };
        sample::write(&path, &options, &Work::default()).expect("a sample store");
        with_indexes(&path);
        assert!(check(&path, None, shape.key()), "{}", shape.key());
        let connection = Connection::open(&path).expect("the store");
        connection.execute_batch("DELETE FROM events WHERE position % 7 = 3 OR position < 5").expect("holes");
        assert!(check(&path, None, shape.key()), "{} with holes", shape.key());
    }
}

#[test]
fn fixtures_that_are_covered_are_told_as_a_scan_tells_them() {
    let covered: Vec<String> =
        all_fixtures().into_iter().filter(|name| check(&fixture(name).path, None, name)).collect();
    assert_eq!(covered, ["eventsource-py", "seed-000", "seed-000-defects"]);
}

/// What is planted into a covered store, so that it is no longer.
fn check_left_to_a_scan(sql: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.sqlite");
    let options = SampleOptions { events: 400, ..SampleOptions::of(Shape::Bank) };
    sample::write(&path, &options, &Work::default()).expect("a sample store");
    with_indexes(&path);
    let layout = Arc::clone(&both(&path, None).expect("a store").0.describe().layout);
    assert!(check(&path, Some(&layout), "sound"));
    let connection = Connection::open(&path).expect("the store");
    connection.execute_batch(sql).expect(sql);
    drop(connection);
    let store =
        SqliteStore::with_layout(&path, &layout, &Work::default()).expect("a store").by(Way::Quickest);
    let covered = store.covered(&Work::default()).expect("an answer");
    assert!(covered.is_none(), "{sql}");
}

#[test]
fn what_a_scan_has_to_tell_is_left_to_it() {
    check_left_to_a_scan("DROP INDEX by_type");
    check_left_to_a_scan("DROP INDEX by_type; CREATE INDEX part ON events (type) WHERE version > 1");
    check_left_to_a_scan("DROP INDEX by_type; CREATE INDEX made ON events (lower(type))");
    check_left_to_a_scan("DROP INDEX by_type; CREATE INDEX other ON events (type COLLATE NOCASE)");
    check_left_to_a_scan("DROP INDEX by_time; CREATE INDEX down ON events (recorded_at DESC)");
    check_left_to_a_scan("UPDATE events SET recorded_at = 'yesterday' WHERE position = 200");
    check_left_to_a_scan("UPDATE events SET type = CAST(x'ff41' AS TEXT) WHERE position = 200");
    check_left_to_a_scan("UPDATE events SET stream = CAST(x'ff41' AS TEXT) WHERE position = 200");
    check_left_to_a_scan("UPDATE events SET version = 'three' WHERE position = 200");
    check_left_to_a_scan("UPDATE events SET version = 1 << 40 WHERE position = 200");
    check_left_to_a_scan("UPDATE events SET position = 1 << 60 WHERE position = 400");
    check_left_to_a_scan("DELETE FROM events");
    // An index that does not say what the table says.
    check_left_to_a_scan(
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX by_type ON events (event_id)' WHERE name = 'by_type';
         PRAGMA writable_schema = RESET; REINDEX by_type; PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX by_type ON events (type)' WHERE name = 'by_type'",
    );
}

#[test]
fn a_few_rows_far_apart_are_left_to_a_scan() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sparse.sqlite");
    let connection = Connection::open(&path).expect("a store");
    // Keys at even distances, where somebody might look for them.
    connection
        .execute_batch(
            "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
                 type TEXT NOT NULL, data TEXT NOT NULL, recorded_at TEXT NOT NULL, UNIQUE (stream, version));
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 65)
             INSERT INTO events SELECT 1 + i * 100000, 'order-' || (i % 5), i / 5 + 1, 'Noted', '{}',
                 '2024-03-01T00:00:00Z' FROM n;",
        )
        .expect("some events");
    connection.close().expect("a file at rest");
    with_indexes(&path);
    let (pages, sql) = both(&path, None).expect("a store");
    assert_eq!(pages.covered(&Work::default()).expect("an answer"), None, "nothing is made for the holes");
    assert_eq!(scanned(&sql).0.len(), 65);
    // Close together they are covered.
    Connection::open(&path)
        .expect("the store")
        .execute("UPDATE events SET position = position / 1000", [])
        .expect("numbers");
    assert!(check(&path, None, "close together"));
}

#[test]
fn a_writer_meanwhile_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.sqlite");
    let options = SampleOptions { events: 2_000, ..SampleOptions::of(Shape::Shop) };
    sample::write(&path, &options, &Work::default()).expect("a sample store");
    with_indexes(&path);
    let (store, _) = both(&path, None).expect("a store");
    let writer = Connection::open(&path).expect("a writer");
    writer.pragma_update(None, "journal_mode", "wal").expect("a log");
    writer.execute("UPDATE events SET type = 'Changed' WHERE position = 7", []).expect("a change");
    assert!(store.covered(&Work::default()).expect("an answer").is_none(), "with something in the log");
    writer.close().expect("the last one writes the log back");
    let covered = store.covered(&Work::default()).expect("an answer").expect("columns");
    assert!(covered.type_names.iter().any(|name| &**name == "Changed"));
    let work = Work::default();
    work.cancel();
    assert!(store.covered(&work).is_err(), "cancelled");
}

/// A store of another form: a category beside the id, and times that come in several precisions or not at all.
#[derive(Debug, Clone)]
struct Event {
    gap: u8,
    category: Option<u8>,
    stream: u8,
    version: i32,
    kind: u8,
    time: Option<(u32, u8)>,
}

fn event() -> impl Strategy<Value = Event> {
    (0..3_u8, proptest::option::weighted(0.9, 0..3_u8), 0..9_u8, -4..40_i32, 0..5_u8).prop_flat_map(
        |(gap, category, stream, version, kind)| {
            let time = proptest::option::weighted(0.9, (any::<u32>(), 0..3_u8));
            time.prop_map(move |time| Event { gap, category, stream, version, kind, time })
        },
    )
}

fn write(path: &Path, events: &[Event], first: i64, page_size: u16, more: &str) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "page_size", page_size).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_type TEXT, stream_id TEXT NOT NULL,
                 stream_version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT);
             CREATE INDEX a ON events (stream_type, stream_id, stream_version{more});
             CREATE INDEX b ON events (created_at);
             CREATE INDEX c ON events (event_type, stream_id);
             BEGIN;"
        ))
        .unwrap();
    let mut key = first;
    for event in events {
        key += i64::from(event.gap) + 1;
        let time = event.time.map(|(seconds, form)| {
            let day = seconds % 28 + 1;
            match form {
                0 => format!("2024-02-{day:02}T10:11:{:02}Z", seconds % 60),
                1 => format!("2024-02-{day:02}T10:11:12.{:03}Z", seconds % 1000),
                _ => format!("2024-02-{day:02} 10:11:12.{:06}", seconds % 1_000_000),
            }
        });
        connection
            .prepare_cached("INSERT INTO events VALUES (?, ?, ?, ?, ?, '{}', ?)")
            .unwrap()
            .execute((
                key,
                event.category.map(|category| ["Order", "User", "order"][usize::from(category)]),
                format!("stream-{}", "é".repeat(usize::from(event.stream))),
                event.version,
                format!("Type{}", event.kind),
                time,
            ))
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn layout() -> timeglass::store::layout::Layout {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clear.sqlite");
    let events: Vec<Event> = (0..60_u8)
        .map(|at| Event {
            gap: 0,
            category: Some(at % 3),
            stream: at % 3,
            version: i32::from(at / 3),
            kind: at % 5,
            time: Some((u32::from(at), 0)),
        })
        .collect();
    write(&path, &events, 0, 4096, "");
    let (store, _) = both(&path, None).unwrap();
    (*store.describe().layout).clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_stores_are_told_as_a_scan_tells_them(
        events in vec(event(), 1..300),
        first in prop_oneof![Just(0_i64), -1_000..1_000_i64, Just(i64::MIN), Just(i64::MAX - 2_000)],
        page_size in prop_oneof![Just(512_u16), Just(4096)],
        is_wide in proptest::bool::weighted(0.2),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("random.sqlite");
        write(&path, &events, first, page_size, if is_wide { ", event_type" } else { "" });
        // A column behind the version sorts events of equal versions otherwise than we do.
        prop_assert!(check(&path, Some(&layout()), "random") || is_wide);
    }
}
