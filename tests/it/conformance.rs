//! Every store against the one suite.

use std::sync::Arc;

use timeglass::{
    model::{EventKey, EventQuery, GlobalPosition, Json, KeyPart, RecordedEvent, StreamName},
    project::open::{Opening, open},
    sample::{self, SampleOptions, Shape},
    store::{
        PageFrom,
        conformance::check_store,
        memory::{MemoryStore, event},
    },
    work::Work,
};

use crate::support::{all_fixtures, fixture};

fn check(events: Vec<RecordedEvent>) {
    let store = MemoryStore::new(events);
    let expected = store.events().to_vec();
    check_store(&store, &expected, &Work::default()).unwrap();
}

/// Events of three streams in two categories and one without.
fn history(len: i64) -> Vec<RecordedEvent> {
    let streams = [StreamName::of("order", "1"), StreamName::of("user", "1"), StreamName::plain("odd")];
    (0..len)
        .map(|number| {
            let stream = &streams[(number % 7 % 3) as usize];
            let name = ["Placed", "Paid", "Shipped"][(number % 5 % 3) as usize];
            event(number * 2 + 1, stream, number, name, Json::object([("n", Json::from(number))]))
        })
        .collect()
}

#[test]
fn the_memory_store_keeps_every_promise() {
    for len in [0, 1, 2, 13, 100] {
        check(history(len));
    }
}

#[test]
fn so_it_does_without_versions_times_and_positions() {
    let mut events = history(30);
    for (number, event) in events.iter_mut().enumerate() {
        event.version = event.version.filter(|_| number % 3 == 0);
        event.time = event.time.filter(|_| number % 4 != 0);
        event.position = None;
    }
    check(events);
}

#[test]
fn so_it_does_with_keys_of_texts_and_of_several_parts() {
    let mut events = history(25);
    for (number, event) in events.iter_mut().enumerate() {
        let id: Arc<str> = format!("0190{number:04}").into();
        event.position = Some(GlobalPosition::Text(Arc::clone(&id)));
        event.key = EventKey(Arc::from([KeyPart::Text(id)]));
    }
    check(events.clone());
    for (number, event) in events.iter_mut().enumerate() {
        let part = number as i64 / 4;
        event.position = Some(GlobalPosition::Number(part));
        event.key = EventKey(Arc::from([KeyPart::Integer(part), KeyPart::Integer(number as i64)]));
    }
    check(events);
}

/// What a store says of itself, joined from large pages; the suite then asks in every other way.
fn check_sqlite(path: &std::path::Path, name: &str) {
    let work = Work::default();
    let Ok(Opening::Store(opened)) = open(path, None, &work) else { panic!("{name} is not opened") };
    let all = opened.store.page(&work, &EventQuery::default(), &PageFrom::Start, usize::MAX).unwrap();
    assert!(!all.is_empty(), "{name}");
    assert!(all.is_sorted_by(|left, right| left.key < right.key), "{name}");
    check_store(&*opened.store, &all, &work).unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
}

/// Every second fixture, so that two processors share the work.
fn check_every_second_fixture(start: usize) {
    let names = all_fixtures();
    for name in names.iter().skip(start).step_by(2) {
        check_sqlite(&fixture(name).path, name);
    }
}

#[test]
fn so_does_a_sqlite_file_of_every_layout() {
    check_every_second_fixture(0);
}

#[test]
fn so_does_a_sqlite_file_of_every_other_layout() {
    check_every_second_fixture(1);
}

#[test]
fn so_does_a_sample_of_every_shape() {
    let folder = tempfile::tempdir().unwrap();
    for shape in Shape::ALL {
        let path = folder.path().join(format!("{}.sqlite", shape.key()));
        let options = SampleOptions { events: 120, ..SampleOptions::of(shape) };
        sample::write(&path, &options, &Work::default()).unwrap();
        check_sqlite(&path, shape.key());
    }
}

#[test]
fn so_does_a_damaged_one() {
    check_sqlite("sample-data/damaged.sqlite".as_ref(), "damaged.sqlite");
}
