//! The event catalog, and reducers scaffolded from it.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use timeglass::{
    model::{Json, Object, RecordedEvent, StreamName},
    project::open::{Opening, open},
    replay::{OnFailure, Scripted, Sequence as _, StreamEvents, fold},
    schema::{Catalog, handlers, scaffold, types_by_category},
    script::{Options, Script},
    store::{
        EventStore,
        index::Index,
        memory::{MemoryStore, event},
    },
    work::Work,
};

use crate::support::{all_fixtures, fixture};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/shop.sqlite");

pub(crate) fn shop() -> (Arc<dyn EventStore>, Index) {
    let Opening::Store(opened) = open(Path::new(SHOP), None, &Work::default()).unwrap() else {
        panic!("the sample is a store")
    };
    let index = Index::build(&*opened.store, &Work::default()).unwrap();
    (opened.store, index)
}

/// The reducer that is written for streams `thing-1` with these events.
pub(crate) fn written(events: &[(&str, &str)]) -> String {
    let (store, index) = memory(events);
    let catalog = Catalog::read(&store, &index, Some("thing"), None, &Work::default()).unwrap();
    scaffold(&catalog)
}

pub(crate) fn memory(events: &[(&str, &str)]) -> (MemoryStore, Index) {
    let stream = StreamName::of("thing", "1");
    let made = (1..).zip(events).map(|(version, (event_type, data))| -> RecordedEvent {
        event(version, &stream, version, event_type, Json::parse(data.as_bytes()).unwrap())
    });
    let store = MemoryStore::new(made);
    let index = Index::build(&store, &Work::default()).unwrap();
    (store, index)
}

/// Names and data as nobody would choose them.
const ODD: &[(&str, &str)] = &[
    ("order.placed", r#"{"order id":1,"total":12.50,"__proto__":{"a":1},"note":null}"#),
    ("order.placed", r#"{"order id":2,"total":3,"lines":[{"sku":"a\u2028b"}],"note":"*/ \n // x"}"#),
    ("$init", r#"{"a":1}"#),
    ("get", r#"{"constructor":"x","length":1}"#),
    ("", r#"{"deep":{"a":{"b":{"c":{"d":{"e":1}}}}}}"#),
    ("2", r#"["a","b"]"#),
    ("counted", "17"),
    ("Größer\u{2028}als", "{}"),
];

fn check(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../golden/schema", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_reducer_for_orders_is_written_from_their_events() {
    let (store, index) = shop();
    let read = || Catalog::read(&*store, &index, Some("order"), None, &Work::default()).unwrap();
    let text = scaffold(&read());
    assert_eq!(text, scaffold(&read()), "the same events give the same text");
    check("order", &text);
}

#[test]
fn odd_names_and_data_are_written_so_that_they_load() {
    let text = written(ODD);
    check("odd", &text);
}

#[test]
fn a_type_with_more_events_than_are_read_takes_over_whatever_comes() {
    let data = (0..1000).map(|number| format!("{{\"n\":{number}}}")).collect::<Vec<_>>();
    let text = written(&data.iter().map(|data| ("Counted", &**data)).collect::<Vec<_>>());
    assert!(text.contains("// 1000 events, 200 of them read"), "{text}");
    assert!(text.contains("Object.assign(s, e.data);"), "{text}");
}

#[test]
fn single_types_are_written_to_be_put_into_a_reducer() {
    let (store, index) = memory(&[("A", r#"{"a":1}"#), ("B", r#"{"b":1}"#)]);
    let only = [Arc::from("B")];
    let catalog = Catalog::read(&store, &index, Some("thing"), Some(&only), &Work::default()).unwrap();
    let text: Vec<String> = handlers(&catalog, "  ")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(text, ["", "// 1 event", "B(s, e) {", "s.b = e.data.b; // number: 1", "},"]);
}

#[test]
fn types_are_counted_by_category() {
    let (_, index) = shop();
    let found = types_by_category(&index, &Work::default()).unwrap();
    assert_eq!(found.len(), index.categories().len());
    for (types, info) in found.iter().zip(index.categories()) {
        assert_eq!(types.category, info.name);
        assert_eq!(types.types.iter().map(|(_, count)| count).sum::<u64>(), info.events);
    }
    let orders = found.iter().find(|types| types.category.as_deref() == Some("order")).unwrap();
    assert_eq!(&*orders.types[0].0, "OrderPlaced");
}

#[test]
fn reading_stops_when_it_is_withdrawn() {
    let (store, index) = shop();
    let work = Work::default();
    work.cancel();
    assert!(Catalog::read(&*store, &index, Some("order"), None, &work).is_err());
    assert!(types_by_category(&index, &work).is_err());
}

/// What taking over every member of every event makes.
fn shallow(events: &[RecordedEvent]) -> Json {
    let mut state = Object::default();
    // An event type that is called like that cannot have a handler.
    let handled = events.iter().filter(|event| &*event.event_type != "$init");
    for object in handled.filter_map(|event| event.data.json()?.as_object()) {
        for (name, value) in object.iter().filter(|(name, _)| &***name != "__proto__") {
            state.insert(Arc::clone(name), value.clone());
        }
    }
    Json::Object(Arc::new(state))
}

/// Whether all that `least` holds is in `state`, objects being allowed to hold more.
fn holds(state: &Json, least: &Json) -> bool {
    match (state, least) {
        (Json::Object(state), Json::Object(least)) => {
            least.iter().all(|(name, value)| state.get(name).is_some_and(|own| holds(own, value)))
        }
        (Json::Number(state), Json::Number(least)) => state.as_f64().to_bits() == least.as_f64().to_bits(),
        (Json::Array(state), Json::Array(least)) => {
            state.len() == least.len()
                && state.iter().zip(least.iter()).all(|(state, least)| holds(state, least))
        }
        _ => state == least,
    }
}

/// Writes a reducer for each category, and holds its states against the shallow merge. Returns how
/// many streams were compared.
fn check_store(name: &str, store: &Arc<dyn EventStore>, index: &Arc<Index>) -> usize {
    let work = Work::default();
    let mut compared = 0;
    for info in index.categories() {
        let catalog = Catalog::read(&**store, index, info.name.as_deref(), None, &work).unwrap();
        let text = scaffold(&catalog);
        let script = Script::load_reducer("made.js", &text, &Options::frozen(None), &work)
            .unwrap_or_else(|err| panic!("{name}: {err}\n{text}"));
        let reducer = Scripted::new(script);
        let own = (0..).zip(index.streams()).filter(|(_, stream)| stream.name.category == info.name);
        for (stream, info) in own.take(5) {
            let events = StreamEvents::new(Arc::clone(store), Arc::clone(index), stream);
            let mut held = Vec::new();
            events
                .visit(0..events.len(), &work, &mut |_, event| {
                    held.extend(event);
                    ControlFlow::Continue(())
                })
                .unwrap();
            let folded = fold(&events, events.len(), &reducer, OnFailure::GoOn, &work).unwrap();
            assert_eq!(folded.failed, [], "{name} {}:\n{text}", info.name.full());
            let least = shallow(&held);
            assert!(
                holds(&folded.state, &least),
                "{name}: {} is less than {}",
                folded.state.to_compact(),
                least.to_compact()
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn a_scaffold_makes_at_least_what_a_shallow_merge_makes_in_every_store_there_is() {
    let (store, index) = shop();
    assert!(check_store("shop", &store, &Arc::new(index)) >= 15);
    let mut compared = 0;
    for name in all_fixtures() {
        let fixture = fixture(&name);
        let Ok(Opening::Store(opened)) = open(&fixture.path, None, &Work::default()) else { continue };
        let index = Arc::new(Index::build(&*opened.store, &Work::default()).unwrap());
        compared += check_store(&name, &opened.store, &index);
    }
    assert!(compared > 50, "{compared} streams");
}

#[test]
fn odd_names_and_data_load_and_keep_their_values() {
    let (store, index) = memory(ODD);
    check_store("odd", &(Arc::new(store) as Arc<dyn EventStore>), &Arc::new(index));
}
