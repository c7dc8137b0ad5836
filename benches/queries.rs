//! What single questions cost: opening, a page anywhere, a filter, a histogram.
//!
//! `store.rs` beside this file compares whole tasks with the `sqlite3` shell; `README.md` says how
//! to run both.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use divan::Bencher;
use timeglass::{
    jobs::ThreadLanes,
    model::{EventKey, EventQuery},
    project::open::{Opening, open},
    sample::{SampleOptions, Shape, write},
    store::{EventStore, PageFrom, index::Index},
    work::Work,
};

/// As many rows as a window shows, with some to scroll.
const PAGE: usize = 200;

fn main() {
    eprintln!("{} events in {}", events(), path().display());
    divan::main();
}

/// `TIMEGLASS_BENCH_EVENTS`, or 100 000.
fn events() -> u64 {
    std::env::var("TIMEGLASS_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

/// The store to measure; made once and kept among the build's own files.
fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("bench-{}.sqlite", events()));
        if !path.exists() {
            let options = SampleOptions { events: events(), ..SampleOptions::of(Shape::Mixed) };
            write(&path, &options, &Work::default()).expect("a sample store");
        }
        path
    })
}

fn store() -> Arc<dyn EventStore> {
    match open(path(), None, &Work::default()).expect("the sample store") {
        Opening::Store(opened) => opened.store,
        Opening::NoEvents { .. } => std::process::abort(),
    }
}

/// Opening by detection, and the first rows: what a user waits for.
#[divan::bench]
fn open_and_first_rows() -> usize {
    store().page(&Work::default(), &EventQuery::default(), &PageFrom::Start, PAGE).expect("a page").len()
}

#[divan::bench_group(sample_count = 5, sample_size = 1)]
mod whole_store {
    use super::{Arc, Bencher, Index, ThreadLanes, Work, store};

    /// The complete index on one lane.
    #[divan::bench]
    fn index_alone(bencher: Bencher<'_, '_>) {
        let store = store();
        bencher.bench(|| Index::build(&*store, &Work::default()).expect("an index").len());
    }

    /// The complete index as the window builds it.
    #[divan::bench]
    fn index_on_lanes(bencher: Bencher<'_, '_>) {
        let store = store();
        bencher.bench(|| {
            let work = Work::with_lanes(Arc::new(ThreadLanes));
            Index::build(&*store, &work).expect("an index").len()
        });
    }
}

/// A page of the event table costs the same wherever it is taken.
#[divan::bench(args = [0, 25, 50, 75, 100])]
fn page_at_percent(bencher: Bencher<'_, '_>, percent: usize) {
    let store = store();
    let from = match key_at(&*store, percent) {
        Some(key) if percent < 100 => PageFrom::After(key),
        Some(key) => PageFrom::Before(key),
        None => PageFrom::Start,
    };
    let work = Work::default();
    bencher.bench(|| store.page(&work, &EventQuery::default(), &from, PAGE).expect("a page").len());
}

fn key_at(store: &dyn EventStore, percent: usize) -> Option<EventKey> {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(|| Index::build(store, &Work::default()).expect("an index"));
    index.key((index.len().checked_sub(1)? * percent / 100) as u32)
}

/// Choosing events on the columns of the index.
#[divan::bench]
fn filter_by_type(bencher: Bencher<'_, '_>) {
    let index = Index::build(&*store(), &Work::default()).expect("an index");
    let types = index.types().iter().take(1).map(|info| Arc::clone(&info.name)).collect();
    let query = EventQuery { types, ..EventQuery::default() };
    bencher.bench(|| index.filter(&query, &Work::default()).expect("an answer").map(|found| found.len()));
}

/// The density over time, as the timeline draws it.
#[divan::bench]
fn histogram_of_all(bencher: Bencher<'_, '_>) {
    let index = Index::build(&*store(), &Work::default()).expect("an index");
    bencher.bench(|| index.histogram(None, 1000, &Work::default()).expect("a histogram").counts.len());
}
