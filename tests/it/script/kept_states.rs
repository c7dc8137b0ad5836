//! A state may stay in the engine from one event to the next, but no script can tell.

use timeglass::{
    model::Json,
    script::{Envelope, Options, Runner, Script},
    work::Work,
};

/// Runs a handler on six events, once so that states may stay, once so that they are read anew each time.
#[track_caller]
fn check(before: &str, init: &str, body: &str) {
    let source =
        format!("{before}\nfromAll().when({{ $init() {{ return {init}; }}, A(s, e) {{ {body} }} }});");
    let run = |source: &str| {
        let script = Script::load("kept.js", source, &Options::default(), &Work::default()).unwrap();
        let mut runner = Runner::start(&script, &Work::default()).unwrap();
        let steps = (0..6).map(|number| {
            let event = format!(
                r#"{{"eventType":"A","streamId":"s","sequenceNumber":{number},"data":"{{\"n\":{number},\"list\":[{number}]}}"}}"#
            );
            let event = Envelope::from_case(&Json::parse(event.as_bytes()).unwrap()).unwrap();
            runner.feed(&event).to_json().to_compact()
        });
        steps.collect::<Vec<_>>()
    };
    // Whoever names the global object might reach things that see objects without referring to them.
    assert_eq!(run(&source), run(&format!("{source}\n// globalThis")), "{source}");
}

#[test]
fn no_script_can_tell_a_kept_state_from_one_that_is_read_anew() {
    check("", "{ n: 0 }", "s.n++; return s;");
    check("", "{ n: 0 }", "s.n++;");
    check("let last;", "{ n: 0 }", "log(last === s); last = s; s.n++; return s;");
    check("let last;", "{ a: { n: 0 } }", "log(last === s.a); last = s.a; s.a.n++; return s;");
    check("let last;", "{ a: [[0]] }", "log(last === s.a[0]); last = s.a[0]; s.a[0].push(1); return s;");
    check("let last;", "{ n: 0 }", "log(last?.() === s); last = () => s; s.n++; return s;");
    check("let last = [];", "{ n: 0 }", "log(last.includes(s)); last.push(s); s.n++; return { ...s };");
    check("", "{ n: 0 }", "log(Object.keys(s).join(), 'gone' in s); s.gone = undefined; s.n++; return s;");
    check("", "{ n: [] }", "log(s.n.length, s.n.extra); s.n.extra = 1; s.n.push(1); return s;");
    check("", "{ n: [] }", "log(1 in s.n); s.n[e.data.n * 2] = 1; return s;");
    check("", "{ n: 0 }", "log(Object.isFrozen(s)); return Object.freeze({ n: s.n + 1 });");
    check("", "{ n: 0 }", "log(Object.isExtensible(s)); return Object.preventExtensions({ n: s.n + 1 });");
    check("", "{ a: { n: 0 } }", "log(Object.isSealed(s.a)); return { a: Object.seal({ n: s.a.n + 1 }) };");
    check(
        "",
        "{ n: 0 }",
        "log(Object.keys(s).join()); Object.defineProperty(s, 'h', { value: 1 }); return s;",
    );
    check(
        "",
        "{ n: 0 }",
        "log(Object.keys(s).join()); return Object.defineProperty({}, 'h', { value: 1, enumerable: true });",
    );
    check(
        "class P { constructor(n) { this.n = n; } }",
        "new P(1)",
        "log(s instanceof P); return new P(s.n + 1);",
    );
    check("class P extends Array {}", "{ l: [] }", "log(s.l instanceof P); return { l: P.from([1]) };");
    check(
        "",
        "{ n: 0 }",
        "log(Object.getPrototypeOf(s) === null); return Object.assign(Object.create(null), { n: 1 });",
    );
    check("", "{ d: new Date(0) }", "log(typeof s.d.getTime); return { d: new Date(1), b: Object(1) };");
    check("", "{ n: 0 }", "log(typeof s.n); return { n: 5n };");
    check("", "{ n: 0 }", "log(Object.is(s.n, -0)); return { n: -0 };");
    check("", "{ t: '' }", "log(s.t.charCodeAt(0)); return { t: '\\ud800' };");
    check("", "{ a: 1, b: 1 }", "log(s.a === s.b); const x = { v: 1 }; return { a: x, b: x };");
    check("", "{}", "log(JSON.stringify(s)); s[10 - e.data.n] = 1; s['k' + e.data.n] = 1; return s;");
    check("", "{}", "log(s.data === e.data); s.data = e.data; return s;");
    check("", "{}", "log(JSON.stringify(s)); return e.data;");
    check("", "{ n: 0 }", "s.n++; if (e.data.n === 2) throw new Error('no'); return s;");
    check("", "{ n: 0 }", "s.n++; if (e.data.n === 2) return { n: NaN }; return s;");
    check("const seen = new WeakSet();", "{ n: 0 }", "log(seen.has(s)); seen.add(s); s.n++; return s;");
    check(
        "let g; function* make(s) { yield s; yield s; }",
        "{ n: 0 }",
        "log(g?.next().value === s); g = make(s); g.next(); s.n++; return s;",
    );
    check("", "{ n: 0 }", "Promise.resolve(s).then(() => s); s.n++; return s;");
    check("let last;", "{ n: 0 }", "log(last?.[0] === s); last = arguments; s.n++; return s;");
    check(
        "let bound;",
        "{ n: 0 }",
        "log(bound?.() === s); bound = (function () { return this; }).bind(s); s.n++; return s;",
    );
}
