//! A state may stay in the engine from one event to the next, but no script can tell.

use std::sync::Arc;

use timeglass::{
    model::Json,
    script::{Envelope, Options, Runner, Script, Step},
    work::Work,
};

/// Runs a handler on six events: so that states may stay, so that they stay unwritten but for every third, and
/// so that they are read anew each time.
#[track_caller]
fn check(before: &str, init: &str, body: &str) {
    let source =
        format!("{before}\nfromAll().when({{ $init() {{ return {init}; }}, A(s, e) {{ {body} }} }});");
    let run = |source: &str, is_quiet: bool| {
        let script = Script::load("kept.js", source, &Options::default(), &Work::default()).unwrap();
        let mut runner = Runner::start(&script, &Work::default()).unwrap();
        let mut written = Vec::new();
        for number in 0..6 {
            let event = format!(
                r#"{{"eventType":"A","streamId":"s","sequenceNumber":{number},"data":"{{\"n\":{number},\"list\":[{number}]}}"}}"#
            );
            let event = Arc::new(Envelope::from_case(&Json::parse(event.as_bytes()).unwrap()).unwrap());
            let step = if is_quiet { runner.advance(&event) } else { runner.feed(&event) };
            let (logs, fault) = match step {
                Step::Processed(step) => (step.logs, None),
                Step::Skipped(reason) => panic!("{reason:?}"),
                Step::Faulted(step) => (step.logs, Some(step.failure.to_string())),
            };
            let state = (number % 3 == 2).then(|| runner.state("").map(Json::to_compact));
            written.push((logs, fault, state));
        }
        written
    };
    // Whoever names the global object might reach things that see objects without referring to them.
    let anew = run(&format!("{source}\n// globalThis"), false);
    assert_eq!(run(&source, false), anew, "{source}");
    assert_eq!(run(&source, true), anew, "{source}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of scripts")]
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
    check(
        "",
        "{ n: 0 }",
        "s.n++; if (e.data.n === 3) { s.gone = 1; s.list.push(1); throw 1; } s.list = e.data.list;",
    );
    check("", "{ n: 0, t: '' }", "s.n += 0.1; s.t += 'aé日'[e.data.n % 3]; s.u = s.t + s.t;");
    check("", "{ l: [] }", "s.l.push({ n: e.data.n, l: e.data.list }); if (s.l.length > 2) s.l.shift();");
    check("", "{ l: [1, 2, 3, 4, 5, 6] }", "s.l.splice(e.data.n % 3, 1); s.m = s.l.slice(1);");
    check("", "{ m: {} }", "s.m['k' + e.data.n] = { n: 1 }; delete s.m['k' + (e.data.n - 2)];");
    check("", "{ m: {} }", "s.m[e.data.n] = 1; s.m.z = 1; s.m[4294967294] = 1; s.m[4294967295] = 2;");
    check("", "{ a: {} }", "if (e.data.n % 2) { s.a = [1]; } else { s.a = { '0': 1 }; }");
    check("", "{ a: 1 }", "return e.data.n % 2 ? [s, 1] : { a: 1 };");
    check(
        "",
        "{ n: 0 }",
        "s.n++; if (e.data.n === 2) return 5; if (e.data.n === 3) return '{\"n\":7}'; return s;",
    );
    check("", "{ n: 0 }", "s.self = e.data.n === 2 ? s : 0; s.n++;");
    check("", "{ n: 0 }", "let x = s; for (let i = 0; i < 20 * e.data.n; i++) x = x.x = {}; s.n++;");
    check("", "{ l: [] }", "s.l.push(1); s.l.length = e.data.n * 2;");
    check(
        "",
        "{ l: [1] }",
        "Object.defineProperty(s.l, 'length', { writable: false }); log(s.l.length); s.l = [1, 2];",
    );
    check(
        "",
        "{ n: 0 }",
        "s.t = String.fromCharCode(0xd83d) + (e.data.n % 2 ? String.fromCharCode(0xde00) : ''); log(s.t.length);",
    );
    check(
        "",
        "{ t: '0123456789' }",
        "if (s.t.length < 1e8) s.t += s.t; if (e.data.n === 4) s.t = '日本' + s.t + '日本';",
    );
    check("", "{ t: '0123456789' }", "for (let i = 0; i < 27; i++) s.t += s.t;");
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
