//! Reducers in JavaScript: over a stream, from a stored state, with what they keep outside their states.

use std::sync::Arc;

use timeglass::{
    model::{Encoding, EventKey, Json, Payload, RecordedEvent, Stored, StreamName, StreamVersion},
    replay::{Folding, Reducer as _, Scripted},
    script::{Options, Script},
    work::Work,
};

fn event(version: i64, event_type: &str, data: Option<&str>) -> RecordedEvent {
    let data = data.map_or_else(Payload::absent, |text| Payload {
        stored: Stored::Text(text.as_bytes().into()),
        encoding: Encoding::JsonText,
        is_unwrapped: false,
        decoded: Json::parse(text.as_bytes()).map_err(|err| err.to_string().into()),
    });
    RecordedEvent {
        key: EventKey::integer(version),
        position: None,
        stream: Arc::new(StreamName::of("order", "4")),
        version: Some(StreamVersion(version)),
        event_type: event_type.into(),
        schema_version: None,
        time: None,
        event_id: None,
        correlation_id: None,
        causation_id: None,
        actor: None,
        data,
        metadata: Payload::absent(),
        troubles: Vec::new(),
    }
}

fn reducer(source: &str) -> Scripted {
    Scripted::new(Script::load_reducer("order.js", source, &Options::frozen(None), &Work::default()).unwrap())
}

const ORDER: &str = "({
  $init() { return { n: 0, kept: { a: [1] } }; },
  Placed(s, e) { s.n++; s.who = e.data?.who; log('placed ' + e.partition); return s; },
  Failed(s) { s.n = 99; throw new TypeError('no'); },
})";

#[test]
fn a_bare_object_is_a_reducer() {
    let reducer = reducer(ORDER);
    assert!(reducer.handles("Placed") && !reducer.handles("Other"));
    let work = Work::default();
    let mut fold = reducer.start(&work).unwrap();
    assert_eq!(fold.state().to_compact(), r#"{"n":0,"kept":{"a":[1]}}"#);
    let applied = fold.apply(&event(0, "Placed", Some(r#"{"who":"ann"}"#))).unwrap();
    assert_eq!(applied.logs, ["placed order-4".into()]);
    let before = fold.state();
    assert!(fold.apply(&event(1, "Other", None)).unwrap().is_unhandled);
    let failure = fold.apply(&event(2, "Failed", Some("{}"))).unwrap_err();
    assert_eq!(failure.to_string(), "order.js:4:35: TypeError: no");
    assert!(fold.state().is_same_node(&before), "a failed event changes nothing");
    fold.apply(&event(3, "Placed", None)).unwrap();
    assert_eq!(fold.state().to_compact(), r#"{"n":2,"kept":{"a":[1]}}"#);
    assert!(fold.state().get("kept").unwrap().is_same_node(before.get("kept").unwrap()), "nodes are shared");
}

#[test]
fn a_fold_goes_on_from_a_stored_state() {
    let reducer = reducer(ORDER);
    let work = Work::default();
    let (mut first, mut second) = (reducer.start(&work).unwrap(), reducer.start(&work).unwrap());
    first.apply(&event(0, "Placed", Some(r#"{"who":"ann"}"#))).unwrap();
    assert!(first.is_resumable());
    second.resume(&first.state(), 1);
    for fold in [&mut first, &mut second] {
        fold.apply(&event(1, "Placed", Some(r#"{"who":"bob"}"#))).unwrap();
        assert_eq!(fold.state().to_compact(), r#"{"n":2,"kept":{"a":[1]},"who":"bob"}"#);
    }
    second.resume(&Json::object::<&str>([]), 0);
    assert_eq!(second.state().to_compact(), r#"{"n":0,"kept":{"a":[1]}}"#);
}

/// Whether a fold of two events may be resumed.
#[track_caller]
fn check_resumable(source: &str, expected: bool) {
    let reducer = reducer(source);
    let work = Work::default();
    let mut fold: Box<dyn Folding> = reducer.start(&work).unwrap();
    for version in 0..2 {
        fold.apply(&event(version, "A", Some("{}"))).unwrap();
    }
    assert_eq!(fold.is_resumable(), expected, "{source}");
}

#[test]
fn what_is_kept_outside_the_state_is_noticed() {
    let handlers = "fromAll().foreachStream().when({ A(s, e) { $; return { n: (s.n ?? 0) + 1 }; } });";
    let check = |before: &str, inside: &str, expected: bool| {
        check_resumable(&format!("{before}\n{}", handlers.replace('$', inside)), expected);
    };
    check("", "", true);
    check("const rate = 2; function f() { return rate; }", "f()", true);
    check(
        "const rules = { a: (s) => f(s), b: function (s) { return s; } }; function f(s) { return s; }",
        "rules.a(1)",
        true,
    );
    check("const stop = new Set(['a']); const m = new Map([[1, { a: 1 }]]);", "stop.has('a')", true);
    check("let n = 0;", "n++", false);
    check("const list = [];", "list.push(1)", false);
    check("const seen = new Set();", "seen.add(1)", false);
    check("const seen = new Map([[1, {}]]);", "seen.get(1).x = 1", false);
    check("", "globalThis.count = 1", false);
    check("", "count = 1", false);
    check("function f() {}", "f.count = (f.count ?? 0) + 1", false);
    check("const next = (() => { let n = 0; return () => ++n; })();", "next()", false);
    check("const box = new (class { #n = 0; up() { this.#n++; } })();", "box.up()", false);
    check("class C { static n = 0; }", "C.n++", false);
    check("const when = new Date(0);", "when.setTime(5)", false);
    check_resumable(
        "(() => { let n = 0; fromAll().foreachStream().when({ A() { return { n: n++ }; } }); })();",
        false,
    );
}

#[test]
fn reducers_of_another_kind_are_refused() {
    let why = |source: &str| {
        Script::load_reducer("r.js", source, &Options::frozen(None), &Work::default())
            .unwrap_err()
            .to_string()
    };
    assert!(
        why("fromAll().partitionBy(e => 'x').when({ A() {} })")
            .contains("partitionBy belongs to a projection")
    );
    assert!(why("fromAll().when({ A() {} })").contains("add .foreachStream()"));
    assert!(why("fromAll().foreachStream().when({ $initShared() {}, A() {} })").contains("shared state"));
    assert!(why("1 + 1").contains("there are no handlers"));
    assert_eq!(why("({ A() { }"), "r.js:1:11: SyntaxError: Unexpected end of input");
}

#[test]
fn reducers_have_neither_clock_nor_chance_without_a_seed() {
    let work = Work::default();
    let run = |options: &Options, body: &str| {
        let source = format!("({{ A(s, e) {{ return {{ v: {body} }}; }} }})");
        let reducer = Scripted::new(Script::load_reducer("r.js", &source, options, &work).unwrap());
        let mut fold = reducer.start(&work).unwrap();
        fold.apply(&event(0, "A", Some("{}")))
            .map(|_| fold.state().to_compact())
            .map_err(|err| err.to_string())
    };
    for body in ["Math.random()", "Date.now()", "new Date()", "Date()"] {
        let why = run(&Options::frozen(None), body).unwrap_err();
        assert!(why.contains("the same events make the same state"), "{body}: {why}");
    }
    assert_eq!(
        run(&Options::frozen(None), "new Date(0).toISOString()").unwrap(),
        r#"{"v":"1970-01-01T00:00:00.000Z"}"#
    );
    let seeded = Options::frozen(Some(7));
    assert_eq!(run(&seeded, "Math.random()"), run(&seeded, "Math.random()"));
    assert_ne!(run(&seeded, "Math.random()"), run(&Options::frozen(Some(8)), "Math.random()"));
}

#[test]
fn numbers_that_lose_digits_are_named() {
    let reducer = reducer("({ A(s, e) { return { id: e.data.id }; } })");
    let work = Work::default();
    let mut fold = reducer.start(&work).unwrap();
    let data = r#"{"id":12345678901234567890,"fits":0.1,"list":[1.00000000000000000001]}"#;
    let applied = fold.apply(&event(0, "A", Some(data))).unwrap();
    let found: Vec<String> =
        applied.roundings.iter().map(|r| format!("{} {} became {}", r.path, r.stored, r.became)).collect();
    assert_eq!(
        found,
        ["/id 12345678901234567890 became 12345678901234567000", "/list/0 1.00000000000000000001 became 1"]
    );
}

/// Folds the same events three times in a row on this thread, with another script in between.
#[track_caller]
fn check_again(source: &str, seed: Option<u64>) {
    let script =
        |source| Script::load_reducer("r.js", source, &Options::frozen(seed), &Work::default()).unwrap();
    let (reducer, other) =
        (Scripted::new(script(source)), Scripted::new(script("({ A: () => ({ o: 1 }) })")));
    let work = Work::default();
    let run = |reducer: &Scripted| {
        let mut fold = reducer.start(&work).unwrap();
        let mut told = vec![format!("{}", fold.state().to_compact())];
        for version in 0..4 {
            let applied = fold.apply(&event(version, "A", Some(r#"{"who":"ann"}"#)));
            told.push(format!("{applied:?} {}", fold.state().to_compact()));
        }
        told
    };
    let first = run(&reducer);
    assert_eq!(run(&other).len(), 5);
    assert_eq!(run(&reducer), first, "{source}");
    // Two at once have an engine each.
    let held = reducer.start(&work).unwrap();
    assert_eq!(run(&reducer), first, "{source}");
    drop(held);
    assert_eq!(run(&reducer), first, "{source}");
}

#[test]
fn an_engine_that_was_used_before_is_as_good_as_new() {
    let handlers = "fromAll().foreachStream().when({ $init() { return { n: 0 }; }, A(s, e) { s.n++; INSIDE; return s; } });";
    let check = |before: &str, inside: &str| {
        check_again(&format!("{before}\n{}", handlers.replace("INSIDE", inside)), None);
    };
    check("", "log(s.n)");
    check("let n = 0;", "s.m = ++n");
    check("", "count = (globalThis.count ?? 0) + 1; s.m = count");
    check("", "s.m = Math.count = (Math.count ?? 0) + 1");
    check("", "s.m = (Array.prototype.count ?? 0); Array.prototype.count = s.m + 1");
    check("", "s.m = ([].__proto__.count ?? 0); [].__proto__.count = s.m + 1");
    check("", "s.m = ({}).constructor.count ?? 0; ({}).constructor.count = s.m + 1");
    check("", "if (s.n === 2) throw new Error('no')");
    check("", "if (s.n === 2) while (e) { s.x = [s.x]; if (s.n++ > 100) throw 1; }");
    check("function f() {}", "f.count = (f.count ?? 0) + 1; s.m = f.count");
    check_again("({ $init: () => ({ n: Math.random() }), A: (s) => { s.n += Math.random(); } })", Some(7));
    check_again(
        "({ $init: () => ({ l: [] }), A: (s) => { s.l.push(Date.now() === Date.now()); } })",
        Some(7),
    );
}
