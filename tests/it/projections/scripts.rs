//! Projections in JavaScript: their states at any time, what they write, and going on where a run stopped.

use std::{fmt::Write as _, path::Path, sync::Arc};

use proptest::prelude::{ProptestConfig, Strategy, proptest};
use timeglass::{
    model::{Json, Stored, StreamName},
    projection::{
        Definition, OnFailure, OutputKind, OutputQuery, Outputs, Progress, ReadModel, RebuildError,
        RebuildOptions, RowKey, RowsQuery, Scratch, rebuild,
    },
    script::{EngineVersion, Envelope, Limits, Options, Runner, Step},
    store::{
        EventStore,
        memory::{MemoryStore, event},
    },
    work::Work,
};

use super::stage::Stopping;

/// Projections of every kind. The engine version comes first.
const SOURCES: &[(i64, &str)] = &[
    (
        2,
        "fromAll().when({ $init: () => ({ n: 0 }), A(s, e) { s.n += e.data.n; log('a ' + s.n); return s; } })",
    ),
    (
        2,
        "fromCategory('order').foreachStream().when({ $init: () => ({ seen: {}, list: [] }), \
         $any(s, e) { s.seen[e.data.n] = e.eventType; s.list.push(e.data.n); if (e.data.n > 6) delete s.seen[3]; \
         if (e.eventType === 'B') emit('out-' + e.streamId, 'Seen', s, { by: e.streamId, none: null }); \
         if (e.eventType === 'C') linkTo('links', e); return s; } })",
    ),
    (
        2,
        "fromAll().partitionBy(e => e.data.n % 3 ? 'p' + e.data.n % 3 : null).when({ $init: () => [], \
         A(s, e) { s.unshift(e.data); if (s.length > 4) s.pop(); return s; }, B: s => s.reverse() })",
    ),
    (
        2,
        "fromCategory('order').foreachStream().when({ $init: () => ({ n: 0 }), \
         $initShared: () => ({ all: 0, text: 'x'.repeat(300) }), \
         A(s, e) { s[0].n += 1; s[1].all += e.data.n; return s; }, B(s) { s[1].all = 0; return s; } })",
    ),
    (
        2,
        "const text = 'y'.repeat(400); fromAll().when({ $init: () => ({ text, inner: { n: 0, keep: [1, 2, 3] } }), \
         A(s, e) { s.inner.n = e.data.n; return s; }, B: s => ({ ...s, inner: { ...s.inner, b: 1 } }), \
         C(s) { s.text = s.text.length > 500 ? text : s.text + 'z'.repeat(60); return s; } })",
    ),
    // Variables outside the handlers: no run can go on from states alone.
    (
        2,
        "let seen = 0; fromAll().foreachStream().when({ $init: () => ({}), \
         $any(s) { seen += 1; s.seen = seen; return s; } })",
    ),
    (
        1,
        "fromAll().foreachStream().when({ $init: () => ({ n: 0 }), A(s, e) { s.n += e.data.n; return s; } })\
         .filterBy(s => s.n % 2 === 0).transformBy(s => ({ twice: s.n * 2 })).outputState()",
    ),
    // Its handlers, and what is made of its states, fail now and then.
    (
        2,
        "fromAll().foreachStream().when({ $init: () => ({ n: 0 }), \
         A(s, e) { if (e.data.n === 5) throw new Error('five'); s.n += 1; return s; }, B: s => () => s })",
    ),
    (
        1,
        "fromAll().foreachStream().when({ $init: () => ({ n: 0 }), A(s, e) { s.n += e.data.n; return s; } })\
         .transformBy(s => { if (s.n % 5 === 4) throw new Error('no'); return s; })",
    ),
];

fn definition_of(engine: i64, source: &str) -> Definition {
    let options = Options { engine: EngineVersion::from_number(engine).unwrap(), ..Options::frozen(Some(7)) };
    defined("states.js", source, &options)
}

fn defined(file: &str, source: &str, options: &Options) -> Definition {
    Definition::parse(Path::new(file), source, options).unwrap().remove(0)
}

fn store_of(events: &[(usize, usize, i64)]) -> MemoryStore {
    MemoryStore::new(events.iter().zip(1..).map(|((stream, kind, n), position)| {
        let stream = StreamName::of(["order", "order", "cart"][*stream], ["1", "2", "3"][*stream]);
        event(position, &stream, position, ["A", "B", "C"][*kind], Json::object([("n", Json::from(*n))]))
    }))
}

fn events() -> impl Strategy<Value = Vec<(usize, usize, i64)>> {
    proptest::collection::vec((0..3_usize, 0..3_usize, 0..9_i64), 0..40)
}

fn skipping() -> RebuildOptions {
    RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() }
}

fn text(value: &Stored) -> String {
    String::from_utf8(value.bytes().to_vec()).unwrap()
}

fn key_of(partition: &str) -> RowKey {
    RowKey(Arc::from([Stored::Text(partition.as_bytes().into())]))
}

/// The rows as of a count: partition, state, and since when.
fn rows(model: &ReadModel, count: u64) -> Vec<(String, String, u64)> {
    let query = RowsQuery { count, limit: usize::MAX, ..RowsQuery::default() };
    let rows = model.rows_at(&Work::default(), &query).unwrap();
    assert_eq!(rows.len() as u64, model.len_at(&Work::default(), count).unwrap());
    rows.iter().map(|row| (text(&row.values[0]), text(&row.values[1]), row.since)).collect()
}

/// Everything that a scratch database says of a run.
fn told(scratch: &Scratch, definition: &Definition) -> String {
    let work = Work::default();
    let model = ReadModel::open(scratch, definition).unwrap();
    let mut told = format!("{:?}\n", model.progress());
    for count in 0..=model.progress().count {
        write!(told, "{count} {:?}", rows(&model, count)).unwrap();
        let shared = model.shared_at(&Work::default(), count).unwrap();
        writeln!(told, " {:?}", shared.map(|(since, state)| (since, state.to_compact()))).unwrap();
    }
    for (name, ..) in rows(&model, u64::MAX) {
        writeln!(told, "{:?}", model.history(&work, &key_of(&name)).unwrap()).unwrap();
    }
    let outputs = Outputs::open(scratch);
    for kind in OutputKind::ALL {
        let query = OutputQuery { kind, limit: 1000, ..OutputQuery::default() };
        writeln!(told, "{:?}", outputs.page(&work, &query).unwrap()).unwrap();
    }
    told
}

fn rebuilt(store: &dyn EventStore, definition: &Definition, options: &RebuildOptions) -> Scratch {
    let scratch = Scratch::temporary().unwrap();
    rebuild(&Work::default(), store, definition, &scratch, options).unwrap();
    scratch
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn states_of_any_time_are_those_that_the_script_had(events in events()) {
        let store = store_of(&events);
        for (engine, source) in SOURCES {
            let definition = definition_of(*engine, source);
            let scratch = rebuilt(&store, &definition, &skipping());
            let model = ReadModel::open(&scratch, &definition).unwrap();
            let timeglass::projection::Kind::Script(script) = &definition.kind else { panic!() };
            let mut runner = Runner::start(script, &Work::default()).unwrap();
            for (count, event) in (1..).zip(store.events()) {
                runner.feed(&Arc::new(Envelope::from(event)));
                let expected: Vec<(String, String)> =
                    runner.states().map(|(name, state)| (name.to_string(), state.to_compact())).collect();
                let mut found: Vec<(String, String)> =
                    rows(&model, count).into_iter().map(|(name, state, _)| (name, state)).collect();
                found.sort();
                assert_eq!(found, expected, "{source} at {count}");
                let shared = model.shared_at(&Work::default(), count).unwrap().map(|(_, state)| state.to_compact());
                assert_eq!(shared, runner.shared_state().map(Json::to_compact), "{source} at {count}");
            }
        }
    }

    #[test]
    fn a_run_stopped_anywhere_and_continued_is_the_whole_run(events in events(), stops in proptest::collection::vec(0..20_u64, 1..4)) {
        let store = store_of(&events);
        for (engine, source) in SOURCES {
            let definition = definition_of(*engine, source);
            let whole = told(&rebuilt(&store, &definition, &skipping()), &definition);
            let withdrawn = Scratch::temporary().unwrap();
            for stop in &stops {
                let stopping = Stopping { store: store.clone(), after: *stop };
                let answer = rebuild(&Work::default(), &stopping, &definition, &withdrawn, &skipping());
                assert!(matches!(answer, Ok(_) | Err(RebuildError::Cancelled(_))), "{answer:?}");
            }
            rebuild(&Work::default(), &store, &definition, &withdrawn, &skipping()).unwrap();
            assert_eq!(told(&withdrawn, &definition), whole, "withdrawn {source}");
            let bounded = Scratch::temporary().unwrap();
            for until in stops.iter().scan(0, |sum, stop| { *sum += stop; Some(*sum) }) {
                let options = RebuildOptions { until: Some(until), ..skipping() };
                rebuild(&Work::default(), &store, &definition, &bounded, &options).unwrap();
            }
            rebuild(&Work::default(), &store, &definition, &bounded, &skipping()).unwrap();
            assert_eq!(told(&bounded, &definition), whole, "bounded {source}");
        }
    }

    #[test]
    fn as_of_is_a_run_until_then(events in events(), until in 0..40_u64) {
        let store = store_of(&events);
        for (engine, source) in SOURCES {
            let definition = definition_of(*engine, source);
            let whole = ReadModel::open(&rebuilt(&store, &definition, &skipping()), &definition).unwrap();
            for without_history in [false, true] {
                let options = RebuildOptions { until: Some(until), without_history, ..skipping() };
                let part = ReadModel::open(&rebuilt(&store, &definition, &options), &definition).unwrap();
                assert_eq!(rows(&part, until), rows(&whole, until), "{source}");
            }
        }
    }
}

#[test]
fn a_failure_stops_the_run_before_its_event() {
    let store = store_of(&[(0, 0, 1), (0, 0, 5), (1, 0, 2)]);
    let definition = definition_of(2, SOURCES[7].1);
    let scratch = Scratch::temporary().unwrap();
    let stopped =
        rebuild(&Work::default(), &store, &definition, &scratch, &RebuildOptions::default()).unwrap();
    assert_eq!((stopped.count, stopped.handled, stopped.failed, stopped.is_complete), (1, 1, 1, false));
    // Once more it meets the same event, and counts it once.
    let again = rebuild(&Work::default(), &store, &definition, &scratch, &RebuildOptions::default()).unwrap();
    assert_eq!(again, stopped);
    let failure = &again.failures[0];
    assert_eq!((&*failure.event, &*failure.message, failure.line), ("A 2@order-1", "five", Some(1)));
    let skipped = rebuild(&Work::default(), &store, &definition, &scratch, &skipping()).unwrap();
    assert_eq!((skipped.count, skipped.handled, skipped.failed, skipped.is_complete), (3, 2, 1, true));
    let whole = rebuilt(&store, &definition, &skipping());
    assert_eq!(told(&scratch, &definition), told(&whole, &definition));
}

#[test]
fn one_stream_or_partition_can_be_taken_alone() {
    let store = store_of(&[(0, 0, 1), (1, 0, 2), (2, 0, 4), (0, 0, 5)]);
    let check = |source: &str, only: &StreamName, from: u64, expected: &[(&str, &str)]| {
        let definition = definition_of(2, source);
        let options = RebuildOptions { from, only: Some(Arc::new(only.clone())), ..skipping() };
        let model = ReadModel::open(&rebuilt(&store, &definition, &options), &definition).unwrap();
        let found: Vec<(String, String)> =
            rows(&model, 4).into_iter().map(|(name, state, _)| (name, state)).collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect();
        assert_eq!(found, expected);
    };
    let sum = "fromAll().foreachStream().when({ $init: () => 0, A: (s, e) => s + e.data.n })";
    check(sum, &StreamName::of("order", "1"), 0, &[("order-1", "6")]);
    check(sum, &StreamName::of("order", "1"), 1, &[("order-1", "5")]);
    let parity = "fromAll().partitionBy(e => e.data.n % 2 ? 'odd' : 'even')\
                  .when({ $init: () => 0, A: (s, e) => s + e.data.n })";
    check(parity, &StreamName::plain("even"), 0, &[("even", "6")]);
    check(parity, &StreamName::of("order", "1"), 0, &[("odd", "6")]);
}

#[test]
fn a_grown_store_is_caught_up_with_and_another_definition_starts_anew() {
    let mut store = store_of(&[(0, 0, 1), (1, 1, 2)]);
    let definition = definition_of(2, SOURCES[1].1);
    let scratch = rebuilt(&store, &definition, &skipping());
    store.append(event(3, &StreamName::of("order", "1"), 3, "C", Json::object([("n", Json::from(7_i64))])));
    rebuild(&Work::default(), &store, &definition, &scratch, &skipping()).unwrap();
    assert_eq!(told(&scratch, &definition), told(&rebuilt(&store, &definition, &skipping()), &definition));
    let other = definition_of(2, SOURCES[0].1);
    rebuild(&Work::default(), &store, &other, &scratch, &skipping()).unwrap();
    assert_eq!(told(&scratch, &other), told(&rebuilt(&store, &other, &skipping()), &other));
    // A store whose events are others is not gone on with.
    let replaced = store_of(&[(2, 0, 1), (2, 0, 2)]);
    rebuild(&Work::default(), &replaced, &other, &scratch, &skipping()).unwrap();
    assert_eq!(told(&scratch, &other), told(&rebuilt(&replaced, &other, &skipping()), &other));
}

#[test]
fn large_states_are_kept_by_what_changed() {
    let events: Vec<(usize, usize, i64)> = (0..400).map(|number| (0, 0, number % 9)).collect();
    let store = store_of(&events);
    let source = "fromAll().when({ $init: () => ({ rows: Array.from({ length: 4000 }, (_, i) => ({ i, text: 'row ' + i })) }), \
                  A(s, e) { s.rows[e.sequenceNumber].text = 'n' + e.data.n; return s; } })";
    let definition = definition_of(2, source);
    let scratch = rebuilt(&store, &definition, &skipping());
    let model = ReadModel::open(&scratch, &definition).unwrap();
    let state = rows(&model, 400)[0].1.len() as u64;
    let bytes = std::fs::metadata(scratch.path()).unwrap().len();
    assert!(bytes < 20 * state, "{bytes} bytes for 400 states of {state}");
    let row = model.row_at(&Work::default(), &key_of(""), 200).unwrap().unwrap();
    assert_eq!(row.since, 200);
    let found = Json::parse(&row.values[1].bytes()).unwrap();
    let row =
        |number: usize| found.get("rows").unwrap().as_array().unwrap().get(number).unwrap().to_compact();
    assert_eq!(
        (row(200), row(201)),
        (r#"{"i":200,"text":"n1"}"#.to_owned(), r#"{"i":201,"text":"row 201"}"#.to_owned())
    );
}

#[test]
fn scripts_that_never_end_or_grow_without_bound_are_failures() {
    let store = store_of(&[(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 4)]);
    let source = "fromAll().when({ $init: () => ({ n: 0 }), A(s) { s.n += 1; return s; }, \
                  B() { for (;;) {} }, C: () => 'x'.repeat(10 << 20) })";
    let limits = Limits { call: std::time::Duration::from_millis(50), state: 1 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::frozen(None) };
    let definition = defined("endless.js", source, &options);
    let scratch = rebuilt(&store, &definition, &skipping());
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!(rows(&model, 4), [(String::new(), r#"{"n":2}"#.to_owned(), 4)]);
    let messages: Vec<&str> = model.progress().failures.iter().map(|failure| &*failure.message).collect();
    assert_eq!(
        messages,
        [
            "a call into the script took longer than 50 ms",
            "the value takes more than the 1048576 bytes allowed"
        ]
    );
    // A state of ten megabytes is allowed by default.
    let limits = Limits { call: limits.call, ..Limits::default() };
    let definition = defined("large.js", source, &Options { limits, ..Options::frozen(None) });
    let model = ReadModel::open(&rebuilt(&store, &definition, &skipping()), &definition).unwrap();
    assert_eq!(rows(&model, 3)[0].1.len(), (10 << 20) + 2);
}

#[test]
fn outputs_are_counted_searched_and_paged() {
    let store = store_of(&[(0, 1, 1), (1, 2, 2), (0, 1, 3), (2, 1, 4), (1, 1, 5)]);
    let definition = definition_of(2, SOURCES[1].1);
    let scratch = rebuilt(&store, &definition, &skipping());
    let (outputs, work) = (Outputs::open(&scratch), Work::default());
    let counts = outputs.counts(&work, None).unwrap();
    assert_eq!((counts.emitted, counts.logs, counts.failures, counts.results), (4, 0, 0, 0));
    assert_eq!(outputs.counts(&work, Some(2)).unwrap().emitted, 2);
    let page = |query: OutputQuery| -> Vec<String> {
        let page = outputs.page(&Work::default(), &query).unwrap();
        page.iter().map(|output| output.to_json().to_compact()).collect()
    };
    let all = page(OutputQuery { limit: 10, ..OutputQuery::default() });
    assert_eq!(
        all,
        [
            r#"{"count":1,"partition":"order-1","stream":"out-order-1","type":"Seen","data":{"seen":{"1":"B"},"list":[1]},"isLink":false,"metadata":{"by":"order-1","none":null}}"#,
            r#"{"count":2,"partition":"order-2","stream":"links","type":"$>","data":"2@order-2","isLink":true,"metadata":null}"#,
            r#"{"count":3,"partition":"order-1","stream":"out-order-1","type":"Seen","data":{"seen":{"1":"B","3":"B"},"list":[1,3]},"isLink":false,"metadata":{"by":"order-1","none":null}}"#,
            r#"{"count":5,"partition":"order-2","stream":"out-order-2","type":"Seen","data":{"seen":{"2":"C","5":"B"},"list":[2,5]},"isLink":false,"metadata":{"by":"order-2","none":null}}"#,
        ]
    );
    let first = page(OutputQuery { limit: 2, ..OutputQuery::default() });
    let second = page(OutputQuery { limit: 2, after: 2, ..OutputQuery::default() });
    assert_eq!([first, second].concat(), all);
    assert_eq!(page(OutputQuery { limit: 9, until: Some(2), ..OutputQuery::default() }), all[..2]);
    assert_eq!(
        page(OutputQuery { limit: 9, partition: Some("order-2".into()), ..OutputQuery::default() }),
        [&*all[1], &*all[3]]
    );
    assert_eq!(
        page(OutputQuery { limit: 9, contains: "LINKS".into(), ..OutputQuery::default() }),
        [&*all[1]]
    );
}

#[test]
fn rows_are_found_by_name_or_state() {
    let store = store_of(&[(0, 0, 1), (1, 0, 2), (2, 0, 3)]);
    let source =
        "fromAll().foreachStream().when({ $init: () => ({}), A: (s, e) => ({ n: 'N' + e.data.n }) })";
    let definition = definition_of(2, source);
    let model = ReadModel::open(&rebuilt(&store, &definition, &skipping()), &definition).unwrap();
    let found = |contains: &str, first: u64| -> Vec<String> {
        let query = RowsQuery { count: 3, first, limit: 10, contains: contains.into() };
        model.rows_at(&Work::default(), &query).unwrap().iter().map(|row| text(&row.values[0])).collect()
    };
    assert_eq!(found("", 1), ["order-2", "cart-3"]);
    assert_eq!(found("ORDER", 0), ["order-1", "order-2"]);
    assert_eq!(found("ORDER", 1), ["order-2"]);
    assert_eq!(found("n3", 0), ["cart-3"]);
}

/// Final states of conformance cases come out of a rebuild as they do out of the runtime itself.
#[test]
fn conformance_cases_end_in_their_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kurrent-projections");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let json = Json::parse(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let Some((definition, store)) = plain_case(&json) else { continue };
        let scratch = rebuilt(&store, &definition, &skipping());
        let model = ReadModel::open(&scratch, &definition).unwrap();
        let timeglass::projection::Kind::Script(script) = &definition.kind else { panic!() };
        let mut runner = Runner::start(script, &Work::default()).unwrap();
        let mut emitted = 0;
        for event in store.events() {
            if let Step::Processed(step) = runner.feed(&Arc::new(Envelope::from(event))) {
                emitted += step.emitted.len() as u64;
            }
        }
        let mut found = rows(&model, u64::MAX);
        found.sort();
        let found: Vec<(String, String)> = found.into_iter().map(|(name, state, _)| (name, state)).collect();
        let expected: Vec<(String, String)> =
            runner.states().map(|(name, state)| (name.to_string(), state.to_compact())).collect();
        assert_eq!(found, expected, "{:?} {:?}", json.get("name"), model.progress());
        assert_eq!(Outputs::open(&scratch).counts(&Work::default(), None).unwrap().emitted, emitted);
        compared += 1;
    }
    assert!(compared > 50, "{compared} cases");
}

/// A case whose events a store can hold as they are, under a frozen world.
fn plain_case(json: &Json) -> Option<(Definition, MemoryStore)> {
    let case = timeglass::script::Case::from_json(json).ok()?;
    let options = Options { world: timeglass::script::World::Frozen { seed: Some(1) }, ..case.options };
    let is_plain = |event: &Json| {
        let text = event.get("data").and_then(Json::as_text);
        text.is_some_and(|text| Json::parse(text.as_bytes()).is_ok())
            && event.get("linkMetadata").is_none_or(|link| matches!(link, Json::Null))
            && !matches!(event.get("isJson"), Some(Json::Bool(false)))
    };
    let listed = json.get("events")?.as_array()?;
    if listed.is_empty() || !listed.iter().all(is_plain) || !case.initial_state.is_empty() {
        return None;
    }
    let definition = Definition::parse(Path::new("case.js"), &case.source, &options).ok()?.remove(0);
    let events = listed.iter().zip(1..).map(|(found, position)| {
        let text = |name: &str| found.get(name).and_then(Json::as_text).unwrap_or_default().to_owned();
        let data = Json::parse(text("data").as_bytes()).unwrap();
        event(position, &StreamName::plain(&text("streamId")), position, &text("eventType"), data)
    });
    Some((definition, MemoryStore::new(events)))
}

#[test]
fn progress_of_nothing_is_nothing() {
    let definition = definition_of(2, SOURCES[0].1);
    let model = ReadModel::open(&Scratch::temporary().unwrap(), &definition).unwrap();
    assert_eq!(*model.progress(), Progress::default());
    assert_eq!(model.len_at(&Work::default(), 9).unwrap(), 0);
}
