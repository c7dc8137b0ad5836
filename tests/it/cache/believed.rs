//! Which index from the cache is believed, after all that can happen to a store.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    time::SystemTime,
};

use proptest::prelude::*;
use timeglass::{
    model::Timestamp,
    store::{
        EventStore as _,
        cache::{Cache, Found, Saved},
        index::Index,
    },
    work::Work,
};

use super::{Stage, facts, word};

/// Keeps the index of a store, lets something happen to it, and says what is found then. Whatever it is, in
/// the end it says what the store says.
#[track_caller]
fn check(stage: &Stage, happens: impl FnOnce(&Stage), expected: &str) {
    stage.keep();
    happens(stage);
    let found = stage.find();
    let said = word(&found);
    assert!(said.starts_with(expected), "{said}, not {expected}");
    assert_in_the_end(stage, found);
}

#[track_caller]
fn assert_in_the_end(stage: &Stage, found: Found) {
    let truth = stage.truth();
    let is_likely = matches!(found, Found::Likely { .. });
    match found {
        Found::Proven { index, .. } => assert_eq!(facts(&index), truth),
        Found::Likely { index, .. } => {
            let checked = stage.cache().check(&stage.store(), &index, &Work::default()).unwrap();
            assert_eq!(facts(&checked.index), truth, "what replaces it");
            if checked.differs_at.is_none() {
                assert_eq!(facts(&index), truth, "it was said to be right");
            }
        }
        Found::Nothing(_) => (),
    }
    // The command line waits for proof, and what it made is there for the next.
    let (index, _) = stage.cache().proven(&stage.store(), &Work::default()).unwrap();
    assert_eq!(facts(&index), truth, "proven");
    let again = stage.find();
    assert_eq!(word(&again), "proven", "after a scan (likely before: {is_likely})");
    let Found::Proven { index, .. } = again else { return };
    assert_eq!(facts(&index), truth, "proven and kept");
}

#[test]
fn a_store_that_nobody_touched_is_believed() {
    check(&Stage::new(100), |_| (), "proven");
    check(&Stage::without_position(100), |_| (), "proven");
    check(&Stage::new(100), |stage| drop(fs::read(&stage.path)), "proven");
}

#[test]
fn a_store_that_grew_is_caught_up_with_and_checked() {
    check(&Stage::new(100), |stage| stage.append(7), "likely, 7 since");
    check(&Stage::without_position(100), |stage| stage.append(1000), "likely, 1000 since");
    check(&Stage::new(1000), |stage| stage.execute("CREATE INDEX types ON events (type)"), "likely, 0 since");
}

#[test]
fn a_store_with_a_log_is_believed_and_caught_up_with() {
    let stage = Stage::new(100);
    let owner = stage.connection();
    owner.pragma_update(None, "journal_mode", "wal").unwrap();
    stage.append(3);
    check(&stage, |_| (), "proven");
    check(&stage, |stage| stage.append(5), "likely, 5 since");
    check(&stage, |stage| stage.execute("UPDATE events SET type = 'Other' WHERE position = 1"), "nothing");
    drop(owner);
    check(&stage, |_| (), "proven");
}

#[test]
fn what_changes_the_past_is_noticed() {
    let past = |sql: &'static str| move |stage: &Stage| stage.execute(sql);
    check(
        &Stage::new(100),
        past("UPDATE events SET type = 'Changed' WHERE position = 50"),
        "nothing: its events",
    );
    check(&Stage::new(100), past("DELETE FROM events WHERE position = 50"), "nothing: its events");
    check(&Stage::new(100), past("DELETE FROM events WHERE position = 100"), "nothing: its events");
    check(
        &Stage::new(100),
        past("INSERT INTO events SELECT -5, 'x-1', 1, type, data, created_at FROM events WHERE position = 1"),
        "likely",
    );
    check(
        &Stage::new(1000),
        past(
            "DROP TABLE events; CREATE TABLE events (position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (stream_id, version)); INSERT INTO events VALUES (1, 'order-1', 1, 'A', '{}', '2024-01-01T00:00:00Z')",
        ),
        "nothing",
    );
}

/// Of 20 000 events a sample of 250 misses most, and only the scan finds the one that changed.
#[test]
fn a_change_that_no_sample_meets_is_found_by_the_scan() {
    let stage = Stage::new(20_000);
    stage.keep();
    let mut missed = 0;
    for position in [777, 5_432, 12_345, 19_001] {
        stage.execute(&format!("UPDATE events SET type = 'Changed' WHERE position = {position}"));
        stage.append(3);
        if let Found::Likely { index, caught_up: 3, .. } = stage.find() {
            missed += 1;
            let checked = stage.cache().check(&stage.store(), &index, &Work::default()).unwrap();
            assert_eq!(checked.differs_at, Some(position - 1));
        } else {
            stage.keep();
        }
    }
    assert!(missed > 0, "the sample met all of them");
    assert_in_the_end(&stage, stage.find());
}

#[test]
fn a_vacuumed_store_is_read_anew_where_its_events_moved() {
    let holes = "DELETE FROM events WHERE rowid % 3 = 0";
    let stage = Stage::without_position(3000);
    stage.execute(holes);
    check(&stage, |stage| stage.execute("VACUUM"), "nothing: it became smaller");
    // Without a gap the events stay where they were, but the pages are filled better.
    check(&Stage::without_position(3000), |stage| stage.execute("VACUUM"), "nothing: it became smaller");
    // Whether they moved is SQLite's choice; in the end what is shown is what is there.
    let stage = Stage::without_position(3000);
    stage.execute(holes);
    check(
        &stage,
        |stage| {
            stage.execute("VACUUM");
            stage.append(5000);
        },
        "",
    );
}

#[test]
fn another_file_in_its_place_is_not_the_store() {
    check(
        &Stage::new(100),
        |stage| {
            let other = Stage::new(150);
            fs::rename(&other.path, stage.path.with_extension("new"))
                .or_else(|_| fs::copy(&other.path, stage.path.with_extension("new")).map(|_| ()))
                .unwrap();
            fs::rename(stage.path.with_extension("new"), &stage.path).unwrap();
        },
        "nothing: another file lies in its place",
    );
    check(
        &Stage::new(100),
        |stage| {
            // The same bytes, but nobody knows that without reading all of them.
            let copy = stage.path.with_extension("copy");
            fs::copy(&stage.path, &copy).unwrap();
            fs::rename(copy, &stage.path).unwrap();
        },
        "nothing: another file lies in its place",
    );
}

#[test]
fn an_earlier_state_is_not_taken_for_the_later_one() {
    let stage = Stage::new(3000);
    let earlier = fs::read(&stage.path).unwrap();
    let modified = fs::metadata(&stage.path).unwrap().modified().unwrap();
    stage.execute("UPDATE events SET data = '{}'");
    check(&stage, |stage| put_back(stage, &earlier, modified), "nothing: it is an earlier state");
    let stage = Stage::new(3000);
    let earlier = fs::read(&stage.path).unwrap();
    stage.append(3000);
    let modified = fs::metadata(&stage.path).unwrap().modified().unwrap();
    check(&stage, |stage| put_back(stage, &earlier, modified), "nothing: it became smaller");
}

/// Writes into the file itself, as `cp -p` over it does, and sets its time back.
fn put_back(stage: &Stage, bytes: &[u8], modified: SystemTime) {
    fs::write(&stage.path, bytes).unwrap();
    File::options().append(true).open(&stage.path).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_byte_changed_without_a_trace_but_one_is_noticed() {
    let stage = Stage::new(60);
    let modified = fs::metadata(&stage.path).unwrap().modified().unwrap();
    let bytes = fs::read(&stage.path).unwrap();
    let at = bytes.windows(11).rposition(|window| window == b"OrderPlaced").expect("an event type");
    check(
        &stage,
        |stage| {
            let file = File::options().write(true).open(&stage.path).unwrap();
            file.write_all_at(b"OrderPLaced", at as u64).unwrap();
            file.set_modified(modified).unwrap();
        },
        "nothing: its events",
    );
    // The same bytes once more: nothing is another, but nobody knows without looking.
    check(
        &stage,
        |stage| {
            let file = File::options().write(true).open(&stage.path).unwrap();
            file.write_all_at(b"OrderPLaced", at as u64).unwrap();
        },
        "likely, 0 since",
    );
}

#[test]
fn a_file_that_was_cut_off_is_not_believed() {
    let stage = Stage::new(3000);
    stage.keep();
    let size = fs::metadata(&stage.path).unwrap().len();
    File::options().write(true).open(&stage.path).unwrap().set_len(size - 8192).unwrap();
    assert_eq!(word(&stage.find()), "nothing: it became smaller");
}

/// A file that was written in this very moment may be written again without its times moving on.
#[test]
fn a_store_that_was_just_written_is_not_proven_by_its_times() {
    fn now() -> Timestamp {
        let file = tempfile::tempfile().unwrap().metadata().unwrap().modified().unwrap();
        let since = file.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_epoch(i64::try_from(since.as_secs()).unwrap(), 0).unwrap()
    }
    let stage = Stage::new(50);
    let young = stage.cache().with_clock(now);
    let (_, saved) = young.make(&stage.store(), &Work::default()).unwrap();
    assert!(matches!(saved, Saved::Written(_)));
    assert_eq!(word(&stage.find()), "likely, 0 since", "kept, but to be checked");
    stage.keep();
    assert_eq!(word(&stage.find()), "proven", "kept when it was at rest");
}

#[test]
fn a_store_that_was_written_while_it_was_scanned_is_checked() {
    let stage = Stage::new(50);
    let store = stage.store();
    let before = stage.cache().before(&store).unwrap().unwrap();
    let index = Index::build(&store, &Work::default()).unwrap();
    stage.append(4);
    let saved = stage.cache().save(&store, &index, &before, &Work::default()).unwrap();
    assert!(matches!(saved, Saved::Written(_)));
    assert_eq!(word(&stage.find()), "likely, 4 since");
    assert_in_the_end(&stage, stage.find());
}

#[test]
fn another_layout_is_another_index() {
    let stage = Stage::new(50);
    stage.keep();
    let store = stage.store();
    let mut layout = (*store.describe().layout).clone();
    layout.events.roles.remove(&timeglass::store::layout::Role::Time);
    let other =
        timeglass::store::sqlite::SqliteStore::with_layout(&stage.path, &layout, &Work::default()).unwrap();
    let found = stage.cache().find(&other, &Work::default()).unwrap();
    assert_eq!(word(&found), "nothing: it is read through another layout");
}

#[test]
fn a_link_leads_to_the_same_store() {
    let stage = Stage::new(50);
    stage.keep();
    let link = stage.folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(&stage.path, &link).unwrap();
    let found = stage.cache().find(&super::open(&link), &Work::default()).unwrap();
    assert_eq!(word(&found), "proven");
}

/// What may happen to a store between two openings.
#[derive(Debug, Clone)]
enum Change {
    Append(i64),
    Update(i64),
    Delete(i64),
    Vacuum,
    Log(bool),
    Touch,
    Restore,
    KeepOpenLonger,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (1_i64..40).prop_map(Change::Append),
        2 => (1_i64..300).prop_map(Change::Update),
        1 => (1_i64..300).prop_map(Change::Delete),
        1 => Just(Change::Vacuum),
        1 => any::<bool>().prop_map(Change::Log),
        1 => Just(Change::Touch),
        1 => Just(Change::Restore),
        1 => Just(Change::KeepOpenLonger),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_answer_depends_on_the_cache(
        has_position in any::<bool>(),
        rounds in prop::collection::vec((prop::collection::vec(change(), 0..4), any::<bool>()), 1..6),
    ) {
        let stage = if has_position { Stage::new(200) } else { Stage::without_position(200) };
        let backup = fs::read(&stage.path).unwrap();
        let mut owners = Vec::new();
        for (changes, is_kept) in rounds {
            if is_kept {
                stage.keep();
            }
            for change in changes {
                happen(&stage, &change, &backup, &mut owners);
            }
            assert_in_the_end(&stage, stage.find());
        }
    }
}

fn happen(stage: &Stage, change: &Change, backup: &[u8], owners: &mut Vec<rusqlite::Connection>) {
    match change {
        Change::Append(events) => stage.append(*events),
        Change::Update(row) => {
            stage.execute(&format!("UPDATE events SET created_at = '2025-01-01' WHERE rowid = {row}"));
        }
        Change::Delete(row) => stage.execute(&format!("DELETE FROM events WHERE rowid = {row}")),
        Change::Vacuum => stage.execute("VACUUM"),
        Change::Log(has_log) => {
            owners.clear();
            let mode = if *has_log { "wal" } else { "delete" };
            stage.connection().pragma_update(None, "journal_mode", mode).unwrap();
        }
        Change::Touch => {
            let file = File::options().append(true).open(&stage.path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        Change::Restore => {
            owners.clear();
            // A log beside it would not belong to it.
            stage.connection().pragma_update(None, "journal_mode", "delete").unwrap();
            fs::write(&stage.path, backup).unwrap();
        }
        Change::KeepOpenLonger => {
            let owner = stage.connection();
            owner.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
            owners.push(owner);
        }
    }
}

/// The default of everything but the folder: nothing is kept of a store that is scanned in no time.
#[test]
fn small_stores_are_not_kept() {
    let stage = Stage::new(100);
    let cache = Cache::new(stage.cache_folder(), Cache::BOUND);
    let (_, saved) = cache.make(&stage.store(), &Work::default()).unwrap();
    assert_eq!(saved, Saved::TooSmall);
    assert!(!stage.cache_folder().exists(), "not even a folder is made");
}
