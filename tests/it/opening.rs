//! What is read of a store before its first rows are there: the same however large it is, and little enough for a
//! file that nobody has read since the machine was started.
#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use timeglass::{
    model::EventQuery,
    project::open::{Opening, open},
    sample::{self, SampleOptions, Shape},
    store::PageFrom,
    work::Work,
};

/// Rows of the first screens.
const FIRST_ROWS: usize = 200;

/// How many bytes this thread has asked the system for so far.
fn read_so_far() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/io").expect("what a thread has read");
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("bytes read");
    line.trim().parse().expect("a number")
}

/// What is read to open a store of so many events and to have its first rows.
fn read_to_open(folder: &Path, events: u64) -> u64 {
    let path = folder.join(format!("{events}.sqlite"));
    let options = SampleOptions { events, ..SampleOptions::of(Shape::Mixed) };
    sample::write(&path, &options, &Work::default()).expect("a sample store");
    let before = read_so_far();
    let opening = open(&path, None, &Work::default()).expect("a store");
    let Opening::Store(found) = opening else { panic!("no store was found") };
    let rows = found.store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, FIRST_ROWS);
    assert_eq!(rows.expect("rows").len(), FIRST_ROWS);
    read_so_far() - before
}

#[test]
fn the_first_rows_cost_the_same_in_a_small_store_and_in_a_large_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let [small, large] = [10_000, 60_000].map(|events| read_to_open(folder.path(), events));
    assert!(large < 1_800_000, "{large} bytes read");
    assert!(large < small + small / 4, "{small} bytes read of the small store, {large} of the large one");
}
