//! Every store against the one suite.

use std::sync::Arc;

use timeglass::{
    model::{EventKey, GlobalPosition, Json, KeyPart, RecordedEvent, StreamName},
    store::{
        conformance::check_store,
        memory::{MemoryStore, event},
    },
    work::Work,
};

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
