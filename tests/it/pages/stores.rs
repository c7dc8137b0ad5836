//! Event stores by pages and through SQLite: every fixture, every sample shape, every damage of ours; and
//! while others write.

use std::path::Path;

use rusqlite::Connection;
use timeglass::{
    sample::{self, DamageKind, SampleOptions, Shape},
    store::{
        EventStore as _, KeyRange,
        pages::{PageFile, Refusal},
        sqlite::SqliteStore,
    },
    work::Work,
};

use super::{both, ranges, told};
use crate::{
    sqlite_store::open,
    support::{all_fixtures, fixture},
};

/// Compares both ways of reading; says whether pages were decoded at all.
fn check(path: &Path, name: &str) -> bool {
    let Some((pages, sql)) = both(path, None) else { return false };
    for range in ranges(&sql) {
        let expected = told(&sql, &range).expect("what SQLite tells");
        let found = told(&pages, &range).expect("what the pages tell");
        for (line, expected) in found.iter().zip(&expected) {
            assert_eq!(line, expected, "{name}, {range:?}");
        }
        assert_eq!(found.len(), expected.len(), "{name}, {range:?}");
    }
    assert_eq!(sql.pages_read(), 0, "{name}: SQLite alone");
    pages.pages_read() > 0
}

/// Fixtures that are left to SQLite, each for a reason.
const BY_SQL: &[&str] = &[
    // Keyed by other columns than the row number.
    "ddl-akka-persistence-jdbc",
    "ddl-eventually-rs",
    // Streams or categories are looked up in other tables.
    "ddl-marten",
    "ddl-rails-event-store",
    "ddl-sqlstreamstore-sqlite",
    // Keyed by other columns again.
    "schemeless-typeorm",
    "seed-001",
];

#[test]
fn every_fixture_tells_the_same_by_its_pages() {
    let by_sql: Vec<String> =
        all_fixtures().into_iter().filter(|name| !check(&fixture(name).path, name)).collect();
    assert_eq!(by_sql, BY_SQL);
}

fn sample(folder: &Path, options: &SampleOptions) -> std::path::PathBuf {
    let path = folder.join(format!("{}-{}.sqlite", options.shape.key(), options.damage.len()));
    sample::write(&path, options, &Work::default()).expect("a sample store");
    path
}

#[test]
fn every_sample_shape_tells_the_same_by_its_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    for shape in [Shape::Shop, Shape::Bank, Shape::Long, Shape::Wide, Shape::Many, Shape::Mixed] {
        let path = sample(folder.path(), &SampleOptions { events: 700, ..SampleOptions::of(shape) });
        assert!(check(&path, shape.key()), "{}: by pages", shape.key());
    }
}

#[test]
fn damaged_samples_tell_the_same_by_their_pages() {
    for damage in DamageKind::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SampleOptions { events: 600, damage: vec![damage], ..SampleOptions::of(Shape::Shop) };
        check(&sample(folder.path(), &options), damage.key());
    }
}

#[test]
fn a_store_with_something_in_its_log_is_left_to_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = sample(folder.path(), &SampleOptions { events: 100, ..SampleOptions::of(Shape::Shop) });
    let writer = Connection::open(&path).expect("a writer");
    writer.pragma_update(None, "journal_mode", "wal").expect("a log");
    writer.execute("UPDATE events SET type = 'Changed' WHERE position = 7", []).expect("a change");
    assert!(matches!(PageFile::open(&path), Err(Refusal::LogPending)));
    assert!(!check(&path, "with a log"), "pages alone would miss the change");
    let store = open(&path);
    let mut changed = 0;
    let visit =
        &mut |row: &timeglass::store::ScanRow<'_>| changed += usize::from(row.event_type == "Changed");
    store.scan(&Work::default(), &KeyRange::default(), visit).expect("a scan");
    assert_eq!(changed, 1);
    writer.close().expect("the last one writes the log back");
    assert!(check(&path, "without its log"));
}

/// Writes between batches, and looks whether each row is told once, as it is before or after.
fn check_writer(journal: &str, change: &str) -> SqliteStore {
    let folder = tempfile::tempdir().expect("a folder");
    let path = sample(folder.path(), &SampleOptions { events: 6_000, ..SampleOptions::of(Shape::Shop) });
    let writer = Connection::open(&path).expect("a writer");
    writer.pragma_update(None, "journal_mode", journal).expect("a journal mode");
    let store = open(&path);
    let (mut positions, mut last) = (Vec::new(), String::new());
    let visit = &mut |row: &timeglass::store::ScanRow<'_>| {
        positions.push(format!("{:?}", row.key));
        if positions.len() == 100 {
            writer.execute_batch(change).expect("nobody holds the writer up");
        }
        row.event_type.clone_into(&mut last);
    };
    let troubles = store.scan(&Work::default(), &KeyRange::default(), visit).expect("a scan");
    assert!(troubles.is_empty(), "{journal}: {troubles:?}");
    let expected: Vec<String> = (1..=6_000).map(|position| format!("Integer({position})")).collect();
    assert!(positions == expected, "{journal}: every row once");
    assert_eq!(last, "Changed", "{journal}: batches after the change see it");
    store
}

#[test]
fn a_writer_between_two_batches_is_noticed() {
    // The change moves every page of the table, and the table itself.
    let change =
        "UPDATE events SET type = 'Changed', data = data || printf('%1500s', ' ') WHERE position > 5000;
                  VACUUM;";
    let store = check_writer("delete", change);
    assert!(store.pages_read() > 0);
    check_writer("truncate", change);
    check_writer("wal", change);
}
