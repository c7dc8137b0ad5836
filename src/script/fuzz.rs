//! The quick ways through the engine's memory, tried with random data beside the plain ways, and with memory
//! refused at each allocation in turn.
//!
//! An engine has to give back all that it took: whatever was counted once too often keeps memory, and whatever was
//! counted once too rarely ends the process.

use std::{rc::Rc, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::select,
    test_runner::{RngSeed, TestCaseResult},
};
use rquickjs::{Ctx, Function, Object, Value};

use crate::{
    model::Json,
    script::{
        build::build,
        build_text::build_text,
        encode::encode,
        engine::Engine,
        envelope::Envelope,
        event_object::{MAX_DEPTH, event_object, is_deeper_than},
        image::Image,
        json_scan::is_plain_json,
        meter::Meter,
        options::Options,
        plain_data::look,
    },
    work::Work,
};

/// The same cases each time, unless `PROPTEST_RNG_SEED` and `PROPTEST_CASES` ask for others.
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let rng_seed = if given.rng_seed == RngSeed::Random { RngSeed::Fixed(5) } else { given.rng_seed };
    ProptestConfig { rng_seed, failure_persistence: None, ..given }
}

/// Whether two values say the same, to the order, the access and the sign of nothing.
const SAME: &str = "(function same(a, b) {
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    const names = Reflect.ownKeys(a), others = Reflect.ownKeys(b);
    return names.length === others.length && names.every((name, place) => {
        const x = Object.getOwnPropertyDescriptor(a, name), y = Object.getOwnPropertyDescriptor(b, name);
        return name === others[place] && x.writable === y.writable && x.enumerable === y.enumerable
            && x.configurable === y.configurable && 'value' in x && 'value' in y && same(x.value, y.value);
    });
})";

fn engine() -> Engine {
    Engine::new("none.js", &Options::default(), &Work::default()).unwrap()
}

/// Runs in an engine of its own, which has to give everything back.
fn in_engine(run: impl Fn(&Engine) -> TestCaseResult) -> TestCaseResult {
    let engine = engine();
    let meter: Rc<Meter> = Rc::clone(&engine.host.meter);
    run(&engine)?;
    // By now all caches are filled that the same once more would fill.
    run(&engine)?;
    let before = blocks(&engine);
    run(&engine)?;
    prop_assert_eq!(blocks(&engine), before, "blocks of memory in use, and bytes");
    drop(engine);
    prop_assert_eq!((meter.lost(), meter.used()), (0, 0), "bytes that were not given back");
    Ok(())
}

/// How much the engine itself says to have handed out: blocks and bytes.
fn blocks(engine: &Engine) -> (i64, i64) {
    let runtime = engine.runtime();
    runtime.run_gc();
    let usage = runtime.memory_usage();
    (usage.malloc_count, usage.malloc_size)
}

fn same<'js>(ctx: &Ctx<'js>, left: &Value<'js>, right: &Value<'js>) -> bool {
    let same: Function<'js> = ctx.eval(SAME).unwrap();
    same.call((left.clone(), right.clone())).unwrap()
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "12",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "0.1",
    "1.5e3",
    "1E-7",
    "-0.0",
    "1e21",
    "123456789012345",
    "1234567890123456",
    "9007199254740993",
    "1e308",
    "1e999",
    "-1e999",
    "0.30000000000000004",
    "5e-324",
    "-9.9e-9",
    "100000000000000000000000000000",
    "01",
    "1.",
    "+1",
];

const PIECES: &[&str] = &[
    "a",
    "zz",
    "\\n",
    "\\u0041",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\udc00",
    "\\\"",
    "\\\\",
    "\\/",
    "é",
    "日本",
    "😀",
    "\\u0000",
    "Ã©",
    " ",
    "ÿ",
    "\\b\\f\\r\\t",
    "\u{2028}",
    "\u{7f}",
];

const NAMES: &[&str] = &[
    "a",
    "b",
    "list",
    "0",
    "1",
    "10",
    "007",
    "4294967294",
    "4294967295",
    "2147483648",
    "__proto__",
    "constructor",
    "length",
    "toString",
    "",
    "é",
    "Ã©",
    "日",
    "\\u00e9",
    "\\ud800",
    "hasOwnProperty",
    "-1",
    "1.5",
    "a_name_that_is_longer_than_any_that_is_kept_by_those_who_read_names_again",
];

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// JSON, nearly all of it well-formed.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec!["null", "true", "false", "{}", "[]", "[ ]", "\"\""]).prop_map(str::to_owned),
        select(NUMBERS).prop_map(str::to_owned),
        any::<i32>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|n| n.to_string()),
        text(),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let name = prop_oneof![3 => select(NAMES).prop_map(|name| format!("\"{name}\"")), 1 => text()];
        let member = (name, inner.clone()).prop_map(|(name, value)| format!("{name}: {value}"));
        let between = || select(vec![",", ", ", " ,\n\t"]);
        prop_oneof![
            (vec(inner, 0..6), between()).prop_map(|(items, between)| format!("[{}]", items.join(between))),
            (vec(member, 0..6), between())
                .prop_map(|(members, between)| format!("{{{}}}", members.join(between))),
        ]
    })
}

/// The same, or with a byte of it changed.
fn any_text() -> impl Strategy<Value = String> {
    let damage = prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (json_text(), damage).prop_map(|(text, damage)| {
        let mut bytes = text.into_bytes();
        if let Some((at, byte)) = damage
            && let Some(changed) =
                (!bytes.is_empty()).then(|| at.index(bytes.len())).and_then(|at| bytes.get_mut(at))
        {
            *changed = byte & 0x7f;
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #![proptest_config(config())]

    /// A text that is built at once is what the language's own reader makes of it.
    #[test]
    fn a_text_becomes_what_reading_it_gives(texts in vec(any_text(), 1..4)) {
        in_engine(|engine| engine.with(|ctx| {
            for text in &texts {
                let built = build_text(ctx, &engine.host, text);
                prop_assert!(built.is_some() || !is_plain_json(text), "{text} was refused");
                let Some(built) = built else { continue };
                let read = ctx.json_parse(text.as_bytes());
                prop_assert!(read.is_ok(), "{text} is no JSON");
                prop_assert!(same(ctx, &built.unwrap(), &read.unwrap()), "{text}");
            }
            Ok(())
        }))?;
    }

    /// A tree that is built is what the language's own reader makes of its text.
    #[test]
    fn a_tree_becomes_what_reading_its_text_gives(texts in vec(json_text(), 1..4)) {
        in_engine(|engine| engine.with(|ctx| {
            let trees = texts.iter().filter_map(|text| Json::parse(text.as_bytes()).ok());
            for tree in trees.filter(|tree| !is_deeper_than(tree, MAX_DEPTH)) {
                let text = tree.to_compact();
                let (built, _) = build(ctx, &mut engine.host.atoms.borrow_mut(), &tree).unwrap();
                let read = ctx.json_parse(text.as_bytes()).unwrap();
                prop_assert!(same(ctx, &built, &read), "{text}");
            }
            Ok(())
        }))?;
    }

    /// An image says of every state what writing it anew says, whatever the script did in between.
    #[test]
    fn an_image_says_what_writing_the_state_says(first in expression(), changes in vec(change(), 0..12)) {
        in_engine(|engine| engine.with(|ctx| followed(engine, ctx, &first, &changes)))?;
    }

    /// The same, of changes deep inside a state that has much to leave as it is.
    #[test]
    fn an_image_follows_what_changes_deep_inside(changes in vec(deep_change(), 1..12)) {
        in_engine(|engine| engine.with(|ctx| followed(engine, ctx, DEEP, &changes)))?;
    }

    /// Nobody can tell an event whose members are made when they are read from one that has them all.
    #[test]
    fn members_of_an_event_come_when_they_are_read(data in json_text(), acts in vec(act(), 0..10)) {
        in_engine(|engine| engine.with(|ctx| {
            let [lazy, settled] = [false, true].map(|is_settled| acted(engine, ctx, &data, &acts, is_settled));
            prop_assert_eq!(lazy, settled);
            Ok(())
        }))?;
    }
}

/// What a script may put into a state.
fn expression() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "undefined",
        "NaN",
        "-0",
        "1n",
        "Infinity",
        "new Date(0)",
        "Symbol('x')",
        "() => 1",
        "/x/",
        "[1, , 2]",
        "Object.freeze({})",
        "Object.freeze([1])",
        "Object.seal({ a: 1 })",
        "new Proxy({}, {})",
        "shared",
        "shared.list",
        "({ get a() { return 1; } })",
        "({ get a() { throw 1; } })",
        "new Map([[1, 2]])",
        "Object.create(null)",
        "Object.create({ a: 1 })",
        "'\\ud800'",
        "'x'.repeat(300) + 'é'",
        "('日'.repeat(300) + 'y')",
        "new P()",
        "P.from([1])",
        "[1, 2].concat([3])",
        "[1].concat(new Array(3))",
        "Object.assign([1], { extra: 1 })",
        "new Uint8Array(2)",
        "Object(1)",
        "'abcdef'.slice(1, 4)",
        "('x'.repeat(40)).slice(3)",
        "1e3",
        "0.5",
        "4294967296",
        "({ a: 1, gone: 2, b: 3 })",
        "({ [Symbol.iterator]: 1 })",
        "Array.from({ length: 20 }, (_, i) => ({ i }))",
        "new Error('x')",
        "arguments",
        "String.fromCharCode(0xe9)",
        "(delete shared.t, shared)",
    ]);
    prop_oneof![3 => json_text(), 1 => odd.prop_map(str::to_owned)]
}

/// What a script may do to a state.
fn change() -> impl Strategy<Value = String> {
    let fixed = select(vec![
        "if (Array.isArray(s.list)) s.list.shift();",
        "if (Array.isArray(s.list)) s.list.reverse();",
        "if (Array.isArray(s.list)) s.list.length = 1;",
        "s.list = s.list.slice(1);",
        "delete s.a;",
        "delete s['0'];",
        "s.b = s.a;",
        "s.a = undefined;",
        "s = { ...s };",
        "s = [s];",
        "Object.freeze(s.a);",
        "Object.freeze(s);",
        "s.t = (s.t || '') + 'é';",
        "s.t = (s.t || 'x') + s.t;",
        "s.t = s.t + '日';",
        "s.self = s;",
        "keep = s.a;",
        "keep = undefined;",
        "s.n = (s.n | 0) + 1;",
        "s.n = (s.n || 0) + 0.1;",
        "Object.setPrototypeOf(Object(s.a), null);",
        "Object.defineProperty(s, 'h', { value: 1, configurable: true });",
        "s.x = keep;",
        "s.list = [s.list, s.list];",
        "Object.preventExtensions(s);",
        "weak = new WeakRef(s);",
        "s.n = -0;",
        "Array.prototype.extra = 1;",
        "let x = s; for (let i = 0; i < 70; i++) x = x.x = {};",
        "s.t = 'x'.repeat(3);",
        "s = s.list || s;",
    ]);
    prop_oneof![
        2 => fixed.prop_map(str::to_owned),
        2 => expression().prop_map(|value| format!("s.a = {value};")),
        1 => expression().prop_map(|value| format!("(s.list ||= []).push({value});")),
        1 => (select(NAMES), expression()).prop_map(|(name, value)| format!("s[\"{name}\"] = {value};")),
    ]
}

/// A state of several levels.
const DEEP: &str = "{ a: { b: { c: [1, { d: 2 }, 'x'], e: 'x' }, '7': 1.5 }, \
                    list: [{ n: 1 }, { n: 2 }, { n: 3, m: {} }], t: 't', z: null }";

/// What a script may do to that state, far from its root.
fn deep_change() -> impl Strategy<Value = String> {
    let fixed = select(vec![
        "s.a.b.c[1].d += 1;",
        "s.a.b.c[0] = s.a.b.c[0] + 0.5;",
        "s.a.b.c.push({ d: s.a.b.c.length });",
        "s.a.b.c.shift();",
        "s.a.b.c.length = 1;",
        "s.a.b.c = s.a.b.c.map((item) => item);",
        "s.a.b.e += 'ü';",
        "s.a.b.e = 'y' + s.a.b.e;",
        "s.a.b = { ...s.a.b };",
        "s.a.b = { e: 'x', ...s.a.b };",
        "s.a.b.c = { d: 1 };",
        "s.a.b.c = [{ d: 1 }, { d: 1 }];",
        "delete s.a.b.e;",
        "delete s.a['7'];",
        "s.a['5'] = true;",
        "s.list.shift();",
        "s.list.push({ n: s.list.length });",
        "s.list.push(s.list.shift());",
        "s.list.at(-1).n = -1;",
        "s.list[0].m = { k: [] };",
        "s.list[1].m.k.push(null);",
        "s.list = s.list.slice(1).concat({ n: 9 });",
        "Object.freeze(s.list[0]);",
        "s.list[0] = { n: s.list[0].n };",
        "s.list.at(-1).n = undefined;",
        "s.list.at(-1).n = false;",
        "s.t = s.t === 't' ? 'u' : 't';",
        "keep = s.list[0];",
        "keep = undefined;",
    ]);
    fixed.prop_map(str::to_owned)
}

/// Looks at a state after each change, and holds what the image says against what is written.
fn followed(engine: &Engine, ctx: &Ctx<'_>, first: &str, changes: &[String]) -> TestCaseResult {
    let host = &engine.host;
    let prelude = "var s, keep, weak, shared = { list: [1], t: 1 }, P = class extends Array {}; s = keep = weak = void 0";
    let _nothing: Value<'_> = ctx.eval(prelude).unwrap();
    let mut image: Option<Image> = None;
    let mut said: Option<Json> = None;
    let start = format!("s = ({first});");
    for change in std::iter::once(&start).chain(changes) {
        let source = format!(
            "(function () {{ try {{ {change} }} catch {{}} }})(); (() => {{ const now = s; s = undefined; return now; }})()"
        );
        // A text that is no expression of the language leaves the state as it was.
        let Ok(state) = ctx.eval::<Value<'_>, _>(&*source) else {
            drop(ctx.catch());
            continue;
        };
        if let Some(object) = state.as_object()
            && look(host, &engine.anchor, object, &mut image)
        {
            let json = image.as_mut().unwrap().json(&host.names.borrow());
            let written = encode(host, &state, said.as_ref());
            prop_assert!(written.is_ok(), "{change}: it is plain and cannot be written");
            prop_assert_eq!(
                json.to_compact(),
                written.unwrap().unwrap_or_default().to_compact(),
                "{}",
                change
            );
            said = Some(json);
        } else if let Some(image) = &mut image {
            let still = image.json(&host.names.borrow());
            prop_assert_eq!(Some(still.to_compact()), said.as_ref().map(Json::to_compact), "{}", change);
        }
        ctx.globals().set("s", state).unwrap();
    }
    // An image may outlive everything that it was made of.
    ctx.run_gc();
    if let (Some(image), Some(said)) = (&mut image, said) {
        prop_assert_eq!(image.json(&host.names.borrow()).to_compact(), said.to_compact());
    }
    Ok(())
}

const MEMBERS: &[&str] = &[
    "partition",
    "created",
    "bodyRaw",
    "streamId",
    "eventType",
    "isJson",
    "sequenceNumber",
    "body",
    "data",
    "metadata",
    "linkMetadata",
    "category",
    "nothing",
    "toString",
    "0",
];

/// What a handler may do with an event.
fn act() -> impl Strategy<Value = String> {
    let of_one = select(vec![
        "log(e['NAME']);",
        "log('NAME' in e);",
        "log(delete e['NAME']);",
        "e['NAME'] = 5;",
        "log(e.hasOwnProperty('NAME'));",
        "log(Object.getOwnPropertyDescriptor(e, 'NAME'));",
        "log(e.propertyIsEnumerable('NAME'));",
        "Object.defineProperty(e, 'NAME', { value: 1 });",
        "log(Reflect.defineProperty(e, 'NAME', {}));",
        "log(Reflect.defineProperty(e, 'NAME', { enumerable: true }));",
        "log(Reflect.set(e, 'NAME', 2));",
        "log(Reflect.get(e, 'NAME', {}));",
        "e['NAME'].x = 1;",
        "log(Object.create(e)['NAME']);",
    ]);
    let of_all = select(vec![
        "log(Reflect.ownKeys(e));",
        "log(Object.keys(e));",
        "log(JSON.stringify(e));",
        "log({ ...e });",
        "for (const name in e) log(name);",
        "Object.freeze(e);",
        "Object.seal(e);",
        "Object.preventExtensions(e);",
        "log(Object.isFrozen(e), Object.isSealed(e));",
        "log(e.data === e.body);",
        "Object.setPrototypeOf(e, { nothing: 7 });",
        "log(Object.assign({}, e));",
        "log(structured(e.data));",
        "e[Symbol.iterator] = 1;",
        "e.self = e;",
        "log(Object.entries(e).length);",
        "e.data.list = [1];",
        "log(e + '');",
    ]);
    prop_oneof![
        3 => (of_one, select(MEMBERS)).prop_map(|(act, name)| act.replace("NAME", name)),
        1 => of_all.prop_map(str::to_owned),
    ]
}

/// What a handler sees that does all that to an event, whose members are ordinary from the start or not.
fn acted(engine: &Engine, ctx: &Ctx<'_>, data: &str, acts: &[String], is_settled: bool) -> String {
    let mut event = Envelope {
        event_type: "Happened".into(),
        stream: "order-1".into(),
        is_json: true,
        sequence_number: 7,
        ..Envelope::default()
    };
    event.set_texts(Some(data), Some("{\"$by\":1}"));
    let event = Arc::new(event);
    let event = event_object(&engine.host, ctx, &event, None, true).unwrap();
    let first = if is_settled { "Reflect.defineProperty(e, 'partition', {});" } else { "" };
    let each = acts.iter().map(|act| format!("try {{ {act} }} catch (err) {{ log(err.name); }}"));
    let acts = each.collect::<Vec<_>>().join("\n");
    let source = format!(
        "(function (e) {{ {first} const seen = [], met = []; const show = (value) => typeof value === 'bigint' || typeof \
         value === 'symbol' ? typeof value : JSON.stringify(value, (_, v) => {{ if (typeof v === 'object' && v !== null) \
         {{ if (met.includes(v)) return 'again'; met.push(v); }} return v; }}); \
         const log = (...values) => {{ met.length = 0; seen.push(values.map(show).join()); }};\n{acts} \
         return seen.join('\\n'); }})"
    );
    let handler: Function<'_> = ctx.eval(&*source).unwrap();
    engine.host.begin_call(std::time::Duration::from_mins(1));
    let seen: rquickjs::Result<String> = handler.call((event,));
    let answer = seen.unwrap_or_else(|err| {
        drop(ctx.catch());
        err.to_string()
    });
    format!("{answer} {:?}", engine.host.take_poison().map(|poison| poison.message))
}

/// Values of many kinds, deep and wide.
const MANY: &str = r#"{"name": "a text", "other": "naïve 日本 😀", "é": [1, 2.5, -0, 1e300, true, null], "0": {}, "7": [],
    "list": [{"a": 1, "b": [[[{"c": "d"}]]]}, {"a": 2, "b": []}, "x\ny"], "m1": 1, "m2": 2, "m3": 3, "m4": 4, "m5": 5,
    "m6": 6, "m7": 7, "m8": 8, "m9": 9, "m10": {"n1": 1, "n2": 2, "n3": 3, "n4": 4, "n5": 5, "n6": 6, "n7": 7}}"#;

/// Many of these, with names of their own.
fn large() -> String {
    let each = (0..24).map(|number| MANY.replace("\"m", &format!("\"m{number}_")));
    format!("{{\"all\":[{}]}}", each.collect::<Vec<_>>().join(","))
}

/// Runs with a refusal of each block in turn until it comes through, each time in an engine of its own; counts them.
/// Whatever comes of a refusal is said, and everything is given back.
///
/// The engine asks for memory by pages that it fills itself, so what it has filled before is shifted a little, too.
/// It may lose so many bytes by itself.
fn refused(
    prepare: &str,
    lost: usize,
    run: impl for<'js> Fn(&Engine, &Ctx<'js>, Object<'js>) -> Result<(), String>,
) -> usize {
    let mut refusals = 0;
    for shift in 0..4 {
        for count in 0.. {
            assert!(count < 10_000, "it never comes through");
            let engine = engine();
            let meter = Rc::clone(&engine.host.meter);
            let (is_refused, came) = engine.with(|ctx| {
                let shift = format!(
                    "var shift = Array.from({{ length: {} }}, (_, i) => ({{ a: [], t: 't' + i }}));",
                    shift * 7
                );
                let _shifted: Value<'_> = ctx.eval(shift).unwrap();
                let prepared: Object<'_> = ctx.eval(prepare).unwrap();
                meter.grant(Some(count));
                let came = run(&engine, ctx, prepared);
                let is_refused = meter.is_exhausted();
                meter.grant(None);
                drop(ctx.catch());
                engine.host.take_poison();
                (is_refused, came)
            });
            drop(engine);
            assert!(meter.lost() <= lost, "{} bytes were not given back after {count} blocks", meter.lost());
            assert_eq!(meter.used(), 0);
            if !is_refused {
                assert_eq!(came, Ok(()), "after {count} blocks");
                break;
            }
            // It may come through without that block: a cache is not filled, or a table not widened.
            refusals += usize::from(came.is_err());
        }
    }
    refusals
}

fn said(err: &rquickjs::Error) -> String {
    format!("refused: {err}")
}

#[test]
fn a_text_that_is_built_may_be_refused_memory_anywhere() {
    let large = large();
    let refusals = refused("({})", 0, |engine, ctx, _| {
        let built = build_text(ctx, &engine.host, &large);
        built.unwrap().map(drop).map_err(|err| said(&err))
    });
    assert!(refusals > 50, "{refusals}");
}

#[test]
fn a_tree_that_is_built_may_be_refused_memory_anywhere() {
    let tree = Json::parse(large().as_bytes()).unwrap();
    let refusals = refused("({})", 0, |engine, ctx, _| {
        build(ctx, &mut engine.host.atoms.borrow_mut(), &tree).map(drop).map_err(|err| said(&err))
    });
    assert!(refusals > 50, "{refusals}");
}

#[test]
fn a_state_that_is_looked_at_and_written_may_be_refused_memory_anywhere() {
    // The engine forgets a text when it has no memory to hand it out; its allocator does not.
    let state = format!(
        "Object.assign({}, {{ long: 'é'.repeat(2000), wide: '日'.repeat(900), rope: '日'.repeat(400) + 'x'.repeat(9000) }}, \
         Object.fromEntries(Array.from({{ length: 200 }}, (_, i) => ['k' + i, [i]])))",
        large()
    );
    let refusals = refused(&state, 40_000, |engine, _, state| {
        let (host, mut image) = (&engine.host, None);
        let is_plain = look(host, &engine.anchor, &state, &mut image);
        let written = encode(host, state.as_value(), None).map_err(|refusal| format!("{refusal:?}"))?;
        if !is_plain {
            return Err("refused".to_owned());
        }
        let json = image.unwrap().json(&host.names.borrow());
        assert_eq!(json.to_compact(), written.unwrap_or_default().to_compact());
        Ok(())
    });
    assert!(refusals > 5, "{refusals}");
}

#[test]
fn an_event_may_be_refused_memory_anywhere() {
    let reads = "({ read(e) { return [e.data.all, e.body, e.metadata, e.streamId, Object.keys(e).length, \
                 Object.getOwnPropertyDescriptor(e, 'created'), (e.own = 1, e.linkMetadata), Object.freeze(e)].length; } })";
    let mut event = Envelope { event_type: "Happened".into(), is_json: true, ..Envelope::default() };
    event.set_texts(Some(&large()), Some("{\"$by\":1}"));
    let event = Arc::new(event);
    let refusals = refused(reads, 0, |engine, ctx, handlers| {
        let event = event_object(&engine.host, ctx, &event, None, true).map_err(|err| said(&err))?;
        let read: Function<'_> = handlers.get("read").map_err(|err| said(&err))?;
        read.call::<_, i32>((event,)).map(drop).map_err(|err| said(&err))
    });
    assert!(refusals > 50, "{refusals}");
}

/// A state that is held, in an image and as a value, keeps its texts and nothing else.
#[test]
fn an_image_may_outlive_its_engine() {
    let engine = engine();
    let meter = Rc::clone(&engine.host.meter);
    let mut image = None;
    let names = engine.with(|ctx| {
        let state: Object<'_> = ctx.eval(format!("({MANY})")).unwrap();
        let host = &engine.host;
        assert!(look(host, &engine.anchor, &state, &mut image));
        host.names.take()
    });
    drop(engine);
    let expected = Json::parse(MANY.replace(", -0, 1e300", ", 0, 1e+300").as_bytes()).unwrap();
    let mut said = image.unwrap();
    let json = said.json(&names);
    assert_eq!(json.get("other"), expected.get("other"));
    drop(said);
    assert_eq!((meter.lost(), meter.used()), (0, 0));
}
