//! A rebuild that is stopped anywhere and goes on makes what a whole one makes.

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use timeglass::{
    model::RecordedEvent,
    projection::RebuildError,
    projection::{Definition, OnFailure, ReadModel, RebuildOptions, Scratch, ScratchError, rebuild},
    store::memory::MemoryStore,
    work::Work,
};

use super::stage::{Stopping, definition, everything, made, run, sorted, store, table, try_run};

/// Keys that come and go, move, replace each other; several statements an event; a log without keys.
const WILD: &str = "\
-- @projection t key: id
CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n < 40), slot INTEGER UNIQUE);
CREATE TABLE seen (n INTEGER);
-- @on Put
INSERT INTO t VALUES (:stream_id, 1, :position) ON CONFLICT (id) DO UPDATE SET n = n + 1;
-- @on Replace
INSERT OR REPLACE INTO t VALUES (:stream_id, :data, :data);
-- @on Many
INSERT INTO seen VALUES (:position);
UPDATE t SET n = n + :data WHERE id >= :stream_id;
UPDATE t SET n = n - :data WHERE id > :stream_id;
-- @on Delete
DELETE FROM t WHERE id = :stream_id;
-- @on Clear
DELETE FROM t;
-- @on Rename
UPDATE OR REPLACE t SET id = 'a' WHERE id = :stream_id;
";

const LOG: &str = "\
-- @projection log
CREATE TABLE log (id TEXT, n INTEGER);
-- @on Put, Many
INSERT INTO log VALUES (:stream_id, :data);
-- @on Replace
UPDATE log SET n = :data WHERE id = :stream_id;
-- @on Delete
DELETE FROM log WHERE id = :stream_id;
-- @on Clear
DELETE FROM log WHERE rowid = (SELECT max(rowid) FROM log);
";

fn events() -> impl Strategy<Value = Vec<RecordedEvent>> {
    let kind = prop_oneof![
        3 => Just("Put"),
        2 => Just("Replace"),
        2 => Just("Many"),
        2 => Just("Delete"),
        1 => Just("Clear"),
        1 => Just("Rename"),
        1 => Just("Other"),
    ];
    let one = (kind, "[abc]", 0..20_u8);
    proptest::collection::vec(one, 0..24).prop_map(|drafts| {
        let made =
            |(position, (kind, id, n)): (i64, (&str, String, u8))| made(position, &id, kind, &n.to_string());
        (1..).zip(drafts).map(made).collect()
    })
}

fn skip() -> RebuildOptions {
    RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() }
}

/// The history, asked in every way, against rebuilds without one.
pub(super) fn check_history(store: &MemoryStore, definition: &Definition) {
    let scratch = Scratch::temporary().unwrap();
    let whole = run(store, definition, &scratch, &skip());
    let model = ReadModel::open(&scratch, definition).unwrap();
    for count in 0..=whole.count {
        // The oracle keeps no history: the table itself, at that count.
        let scratch = Scratch::temporary().unwrap();
        let options = RebuildOptions { until: Some(count), without_history: true, ..skip() };
        assert_eq!(run(store, definition, &scratch, &options).count, count);
        let plain = ReadModel::open(&scratch, definition).unwrap();
        assert_eq!(sorted(&model, count), sorted(&plain, count), "as of {count}");
    }
    for row in super::stage::all_rows(&model, whole.count) {
        let history = model.history(&Work::default(), &row.key).unwrap();
        let mut state = None;
        for count in 0..=whole.count {
            if let Some(change) = history.iter().find(|change| change.count == count) {
                assert_eq!(change.before, state);
                assert_ne!(change.after, state);
                state.clone_from(&change.after);
            }
            let at = model.row_at(&Work::default(), &row.key, count).unwrap();
            let live = at.filter(|row| !row.is_deleted);
            assert_eq!(live.as_ref().map(|row| &row.values), state.as_ref(), "{:?} at {count}", row.key);
            let since = history.iter().rev().find(|change| change.count <= count).map(|change| change.count);
            assert_eq!(live.map(|row| row.since), state.as_ref().and(since));
        }
    }
}

/// A rebuild stopped at these counts and withdrawn in the middle of another one, against a whole one.
pub(super) fn check_resume(store: &MemoryStore, definition: &Definition, stops: &[u64], after: u64) {
    let scratch = Scratch::temporary().unwrap();
    let whole = run(store, definition, &scratch, &skip());
    let expected = everything(&ReadModel::open(&scratch, definition).unwrap(), whole.count);
    let scratch = Scratch::temporary().unwrap();
    for stop in stops {
        let options = RebuildOptions { until: Some(*stop), ..skip() };
        run(store, definition, &scratch, &options);
    }
    let stopping = Stopping { store: store.clone(), after };
    let stopped = rebuild(&Work::default(), &stopping, definition, &scratch, &skip());
    assert!(matches!(stopped, Ok(_) | Err(RebuildError::Cancelled(_))), "{stopped:?}");
    let progress = run(store, definition, &scratch, &skip());
    assert_eq!(progress, whole);
    assert_eq!(everything(&ReadModel::open(&scratch, definition).unwrap(), whole.count), expected);
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]

    #[test]
    fn the_history_is_what_the_table_was(events in events()) {
        let store = MemoryStore::new(events);
        check_history(&store, &definition(WILD));
        check_history(&store, &definition(LOG));
    }

    #[test]
    fn stopping_and_going_on_makes_no_difference(
        events in events(), stops in proptest::collection::vec(0..30_u64, 0..3), after in 0..20_u64
    ) {
        let store = MemoryStore::new(events);
        check_resume(&store, &definition(WILD), &stops, after);
        check_resume(&store, &definition(LOG), &stops, after);
    }
}

const COUNTS: &str = "\
-- @projection counts key: id
CREATE TABLE counts (id TEXT PRIMARY KEY, n INTEGER);
-- @on A
INSERT INTO counts VALUES (:stream_id, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1;
";

#[test]
fn a_grown_store_is_caught_up_with_and_another_one_is_not() {
    let definition = definition(COUNTS);
    let scratch = Scratch::temporary().unwrap();
    let mut grown = store(&[("a", "A", "{}"), ("b", "A", "{}")]);
    let options = RebuildOptions::default();
    assert_eq!(run(&grown, &definition, &scratch, &options).handled, 2);
    grown.append(made(9, "a", "A", "{}"));
    let work = Work::default();
    let progress = rebuild(&work, &grown, &definition, &scratch, &options).unwrap();
    assert_eq!((progress.count, progress.handled), (3, 3));
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!(table(&model, 3), ["a 2", "b 1"]);
    // An event that comes late, before the others, makes all counts others.
    grown.append(made(0, "z", "A", "{}"));
    assert_eq!(run(&grown, &definition, &scratch, &options).count, 4);
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!(table(&model, 4), ["z 1", "a 2", "b 1"]);
    let other = store(&[("q", "A", "{}")]);
    assert_eq!(run(&other, &definition, &scratch, &options).count, 1);
    assert_eq!(table(&ReadModel::open(&scratch, &definition).unwrap(), 1), ["q 1"]);
}

#[test]
fn another_definition_starts_anew() {
    let scratch = Scratch::temporary().unwrap();
    let store = store(&[("a", "A", "{}"), ("a", "B", "{}")]);
    run(&store, &definition(COUNTS), &scratch, &RebuildOptions::default());
    let changed = definition(&COUNTS.replace("@on A", "@on B"));
    let progress = run(&store, &changed, &scratch, &RebuildOptions::default());
    assert_eq!((progress.count, progress.handled), (2, 1));
    assert_eq!(table(&ReadModel::open(&scratch, &changed).unwrap(), 2), ["a 1"]);
}

#[test]
fn a_file_stays_and_a_foreign_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.sqlite");
    let (store, definition) = (store(&[("a", "A", "{}"), ("a", "A", "{}")]), definition(COUNTS));
    let until = RebuildOptions { until: Some(1), ..RebuildOptions::default() };
    run(&store, &definition, &Scratch::at(&path), &until);
    let progress = run(&store, &definition, &Scratch::at(&path), &RebuildOptions::default());
    assert_eq!(progress.handled, 2);
    let model = ReadModel::open(&Scratch::at(&path), &definition).unwrap();
    assert_eq!((table(&model, 1), table(&model, 2)), (vec!["a 1".to_owned()], vec!["a 2".to_owned()]));
    let fixture = crate::support::fixture("seed-000");
    let before = std::fs::read(&fixture.path).unwrap();
    let refused = try_run(&store, &definition, &Scratch::at(&fixture.path), &RebuildOptions::default());
    assert!(matches!(refused, Err(RebuildError::Scratch(ScratchError::Foreign { .. }))), "{refused:?}");
    assert!(ReadModel::open(&Scratch::at(&fixture.path), &definition).is_err());
    assert_eq!(std::fs::read(&fixture.path).unwrap(), before);
    assert_eq!(std::fs::read_dir(fixture.folder.path()).unwrap().count(), 1, "nothing beside it");
}

#[test]
fn a_store_with_other_events_at_the_same_places_starts_anew() {
    let definition = definition(COUNTS);
    let scratch = Scratch::temporary().unwrap();
    let options = RebuildOptions::default();
    run(&store(&[("a", "A", "{}"), ("b", "A", "{}")]), &definition, &scratch, &options);
    // As many events, and more of them, with the same positions.
    for (other, expected) in [
        (store(&[("x", "A", "{}"), ("y", "A", "{}")]), vec!["x 1", "y 1"]),
        (store(&[("p", "A", "{}"), ("q", "A", "{}"), ("p", "A", "{}")]), vec!["p 2", "q 1"]),
    ] {
        let count = run(&other, &definition, &scratch, &options).count;
        assert_eq!(table(&ReadModel::open(&scratch, &definition).unwrap(), count), expected);
    }
}
