//! Scripts that do not mean well, or go wrong in the worst way. Each ends in a fault, within its limits,
//! and the next event is handled as if nothing had happened.

use std::{sync::Arc, time::Duration};

use timeglass::{
    model::Json,
    script::{Envelope, Options, Runner, Script, Step},
    work::Work,
};

fn options() -> Options {
    let mut options = Options::default();
    options.limits.call = Duration::from_millis(200);
    options.limits.memory = 64 << 20;
    options.limits.state = 1 << 20;
    options
}

fn event(event_type: &str, data: &str) -> Arc<Envelope> {
    let text = format!(
        r#"{{"eventType":"{event_type}","streamId":"order-1","sequenceNumber":7,"isJson":true,"data":{}}}"#,
        Json::from(data).to_compact()
    );
    Arc::new(Envelope::from_case(&Json::parse(text.as_bytes()).unwrap()).unwrap())
}

fn start(source: &str) -> Runner {
    let script = Script::load("hostile.js", source, &options(), &Work::default()).unwrap();
    Runner::start(&script, &Work::default()).unwrap()
}

#[track_caller]
fn check(body: &str, fault: &str, message: &str) {
    check_within(Duration::from_millis(200), body, fault, message);
}

/// As `check`, with time for whatever is not a matter of time.
#[track_caller]
fn check_slow(body: &str, fault: &str, message: &str) {
    check_within(Duration::from_mins(1), body, fault, message);
}

/// Runs a handler with this body between two harmless events.
#[track_caller]
fn check_within(call: Duration, body: &str, fault: &str, message: &str) {
    let source = format!(
        "var kept = [];\nfromAll().when({{\n$init() {{ return {{ n: 0 }}; }},\nOk(s) {{ s.n++; return s; }},\nBad(s, e) {{ {body}\n}} }});"
    );
    let mut options = options();
    options.limits.call = call;
    let script = Script::load("hostile.js", &source, &options, &Work::default()).unwrap();
    let mut runner = Runner::start(&script, &Work::default()).unwrap();
    assert!(matches!(runner.feed(&event("Ok", "{}")), Step::Processed(_)));
    let Step::Faulted(faulted) = runner.feed(&event("Bad", "{}")) else { panic!("no fault: {body}") };
    assert_eq!(faulted.fault.name(), fault, "{body}: {}", faulted.failure);
    assert!(faulted.failure.message.contains(message), "{body}: {}", faulted.failure);
    assert!(faulted.logs.is_empty(), "{body}: {:?}", faulted.logs);
    let Step::Processed(after) = runner.feed(&event("Ok", "{}")) else { panic!("spoiled: {body}") };
    assert_eq!(after.state.to_compact(), r#"{"n":2}"#, "{body}");
}

#[test]
fn endless_loops_end_whatever_catches() {
    check("for (;;) {}", "execution-timeout", "200 ms");
    check("try { for (;;) {} } catch (x) { log('caught'); }", "execution-timeout", "");
    check("try { for (;;) {} } finally { for (;;) {} }", "execution-timeout", "");
    check("for (;;) { try { for (;;) {} } catch (x) {} }", "execution-timeout", "");
    check("[2, 1].sort(() => { for (;;) {} })", "execution-timeout", "");
    check("new Promise(() => { for (;;) {} }); log('after')", "execution-timeout", "");
    check("(async () => { for (;;) {} })(); log('after')", "execution-timeout", "");
    check(
        "function* g() { try { for (;;) {} } finally { log('closed'); } } [...g()]",
        "execution-timeout",
        "",
    );
    check("JSON.stringify({ toJSON() { for (;;) {} } })", "execution-timeout", "");
    check("return { get x() { for (;;) {} } };", "handler-error", "getter");
    check("/^(a+)+$/.test('a'.repeat(60) + 'b')", "execution-timeout", "");
    check("'a'.repeat(60).replace(/(a*)*$/, () => { for (;;) {} })", "execution-timeout", "");
    check("return new Proxy({}, { ownKeys() { for (;;) {} } });", "execution-timeout", "");
}

#[test]
fn endless_recursion_ends_whatever_catches() {
    check_slow("function f(n) { return 1 + f(n + 1); } f(0)", "handler-error", "too deep");
    check_slow("function f() { try { f(); } catch (x) { log('caught'); } } f()", "handler-error", "too deep");
    check_slow("function f() { try { f(); } finally { f(); } } f()", "handler-error", "too deep");
    check_slow("class A { get x() { return this.x; } } new A().x", "handler-error", "too deep");
    check_slow("const f = () => [1].map(f); f()", "handler-error", "too deep");
    check_slow("const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x", "handler-error", "too deep");
    check_slow("const o = { toString() { return '' + o; } }; '' + o", "handler-error", "too deep");
    check_slow(
        "const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o)",
        "handler-error",
        "too deep",
    );
    check_slow("JSON.parse('['.repeat(100000))", "handler-error", "");
    check_slow(
        "let a = []; for (let i = 0; i < 100000; i++) a = [a]; JSON.stringify(a)",
        "handler-error",
        "",
    );
    check_slow(
        "let a = []; for (let i = 0; i < 100000; i++) a = [a]; return a;",
        "state-serialization-error",
        "64 levels",
    );
    check_slow("new RegExp('('.repeat(50000) + ')'.repeat(50000))", "handler-error", "");
}

#[test]
fn memory_bombs_end() {
    check_slow("const a = []; for (;;) a.push({ x: 1, y: [1, 2, 3] })", "handler-error", "64 MiB");
    check_slow("for (;;) kept.push({ x: 1, y: [1, 2, 3] })", "handler-error", "64 MiB");
    check_slow("let t = 'x'; for (;;) t += t", "handler-error", "");
    check_slow("'x'.repeat(2 ** 29)", "handler-error", "64 MiB");
    check_slow(
        "try { 'x'.repeat(2 ** 29) } catch (x) { return { caught: true }; }",
        "handler-error",
        "64 MiB",
    );
    check_slow("new Array(1e9).fill(0)", "handler-error", "");
    check_slow("new Uint8Array(2 ** 30)", "handler-error", "64 MiB");
    check_slow("new ArrayBuffer(2 ** 31)", "handler-error", "");
    check_slow("'x'.repeat(1e7).split('')", "handler-error", "64 MiB");
    check_slow("Array.from({ length: 1e9 })", "handler-error", "");
    check_slow("new Array(5e7).join('ab')", "handler-error", "64 MiB");
    check_slow("'x'.padStart(2 ** 29)", "handler-error", "64 MiB");
    check_slow("const m = new Map(); for (let i = 0; ; i++) m.set(i, i)", "handler-error", "64 MiB");
    check_slow("let o = {}; for (let i = 0; ; i++) o['k' + i] = i", "handler-error", "64 MiB");
    check_slow("2n ** 100000000n", "handler-error", "");
    check_slow("let a = new Array(1e9); return a;", "state-serialization-error", "");
    check_slow(
        "let a = {}; for (let i = 0; i < 40; i++) a = { l: a, r: a }; return a;",
        "state-serialization-error",
        "bytes",
    );
    check_slow(
        "let a = {}; for (let i = 0; i < 40; i++) a = { l: a, r: a }; emit('x', 'T', a);",
        "state-serialization-error",
        "bytes",
    );
}

#[test]
fn values_that_cannot_be_stored() {
    check("s.self = s; return s;", "state-serialization-error", "contains itself");
    check("return { a: [{}] , get b() { log('read'); return 1; } };", "handler-error", "getter");
    check("return { [Symbol('x')]: 1 };", "handler-error", "symbol");
    check("return Symbol('x');", "state-serialization-error", "symbol");
    check("return { a: NaN };", "state-serialization-error", "NaN");
    check("return new Proxy({}, { ownKeys() { throw new Error('no keys'); } });", "handler-error", "no keys");
    check(
        "return Object.defineProperty([], 0, { get() { log('read'); return 1; } });",
        "handler-error",
        "getter",
    );
}

#[test]
fn host_errors_pass_every_catch() {
    check(
        "try { emit('', 'T', {}); } catch (x) { log('caught'); } finally { log('finally'); }",
        "handler-error",
        "blank",
    );
    check("new Promise(() => emit(1)); log('after');", "handler-error", "emit needs");
    check("(async () => { await emit(1); })(); log('after');", "handler-error", "emit needs");
    check(
        "function* g() { try { yield 1; } finally { log('closed'); } } for (const x of g()) emit(1);",
        "handler-error",
        "",
    );
    check(
        "try { log({ a: 1n, b: Symbol('x') }); } catch (x) { log('caught'); }",
        "state-serialization-error",
        "symbol",
    );
}

#[test]
fn our_functions_do_not_lean_on_what_scripts_can_change() {
    let source = "
        Object.defineProperty(Object.prototype, 'n', { set() { throw new Error('set'); }, get() { return 41; } });
        Object.prototype.polluted = 1;
        Array.prototype.push = Array.prototype.map = Array.prototype[Symbol.iterator] = () => { throw new Error('array'); };
        JSON.parse = JSON.stringify = () => { throw new Error('json'); };
        Function.prototype.call = Function.prototype.apply = () => { throw new Error('call'); };
        Object.keys = Reflect.ownKeys = Reflect.apply = Object.getOwnPropertyNames = () => { throw new Error('keys'); };
        Object.defineProperty(Array.prototype, '0', { set() { throw new Error('zero'); } });
        globalThis.Object = globalThis.Array = globalThis.Symbol = globalThis.Reflect = globalThis.String = undefined;
        Function.prototype.toString = () => 'x';
        fromStreams(['order-1']).when({
            $init() { return { list: [1] }; },
            A(s, e) { log(s, e.data, e.metadata); emit('out', 'T', e.data, { a: 1 }); s.seen = e.data.n; s.date = new Date(0).getFullYear(); return s; },
        });";
    let mut runner = start(source);
    let Step::Processed(step) = runner.feed(&event("A", r#"{"n":5,"__proto__":{"x":1}}"#)) else {
        panic!("faulted")
    };
    assert_eq!(step.state.to_compact(), r#"{"list":[1],"seen":5,"date":1970}"#);
    assert_eq!(&*step.emitted[0].data, r#"{"n":5,"__proto__":{"x":1}}"#);
}

#[test]
fn nothing_of_the_host_can_be_reached() {
    let source = "fromAll().when({ A() {
        const tries = {
            eval: () => eval('1'), indirect: () => (0, eval)('1'), f: () => new Function('return 1')(),
            g: () => (function* () {}).constructor('yield 1'), a: () => (async () => {}).constructor('1'),
            own: () => log.constructor('return 1')(),
        };
        const seen = {};
        for (const name in tries) { try { tries[name](); seen[name] = 'ran'; } catch (x) { seen[name] = x.constructor.name; } }
        seen.value = eval(5);
        seen.names = Object.getOwnPropertyNames(globalThis).filter((n) => /^(std|os|bjson|scriptArgs|print|console|load|import)/.test(n));
        seen.instance = (() => 1) instanceof Function;
        return seen;
    } });";
    let Step::Processed(step) = start(source).feed(&event("A", "{}")) else { panic!("faulted") };
    assert_eq!(
        step.state.to_compact(),
        r#"{"eval":"TypeError","indirect":"TypeError","f":"TypeError","g":"TypeError","a":"TypeError","own":"TypeError","value":5,"names":[],"instance":true}"#
    );
    let load = |source: &str| Script::load("x.js", source, &options(), &Work::default()).map(|_| ());
    assert!(load("import('os')").is_ok(), "it gives a promise, which nobody waits for");
    assert!(load("import x from 'os'").is_err());
    assert!(load("import.meta").is_err());
}

#[test]
fn loading_has_limits_too() {
    let load = |source: &str| {
        let mut options = options();
        options.limits.loading = Duration::from_millis(150);
        let err = Script::load("load.js", source, &options, &Work::default()).unwrap_err();
        (err.kind.name(), err.failure.to_string())
    };
    assert_eq!(load("for (;;) {}").0, "compilation-timeout");
    assert_eq!(load("try { for (;;) {} } catch (x) {} fromAll().when({});").0, "compilation-timeout");
    assert_eq!(
        load("function f() { f(); } try { f(); } catch (x) {} fromAll().when({});").0,
        "invalid-projection"
    );
    assert_eq!(load(&"(".repeat(100_000)).0, "invalid-projection");
    assert_eq!(load(&"[".repeat(100_000)).0, "invalid-projection");
    assert_eq!(
        load("let a = 1;\nlet b = 2 +;\n").1,
        "load.js:2:12: SyntaxError: unexpected token in expression: ';'"
    );
}

#[test]
fn a_run_stops_when_its_work_is_cancelled() {
    let mut options = options();
    options.limits.call = Duration::from_mins(10);
    let source = "fromAll().when({ Loop() { for (;;) {} }, A() { return { a: 1 }; } });";
    let script = Script::load("long.js", source, &options, &Work::default()).unwrap();
    let work = Work::default();
    let mut runner = Runner::start(&script, &work).unwrap();
    assert!(matches!(runner.feed(&event("A", "{}")), Step::Processed(_)));
    std::thread::scope(|scope| {
        scope.spawn(|| work.cancel());
        let Step::Faulted(faulted) = runner.feed(&event("Loop", "{}")) else { panic!("it ended by itself") };
        assert_eq!(faulted.fault.name(), "cancelled");
    });
    assert_eq!(runner.state("").unwrap().to_compact(), r#"{"a":1}"#);
}

#[test]
fn a_whole_run_may_be_limited() {
    let mut options = options();
    options.limits.run = Some(Duration::from_millis(100));
    let source = "fromAll().when({ A() { for (let i = 0; i < 1e6; i++); return null; } });";
    let script = Script::load("run.js", source, &options, &Work::default()).unwrap();
    let mut runner = Runner::start(&script, &Work::default()).unwrap();
    let faulted = (0..1000).find_map(|_| match runner.feed(&event("A", "{}")) {
        Step::Faulted(faulted) => Some(faulted),
        _ => None,
    });
    assert_eq!(&*faulted.unwrap().failure.message, "the whole run took longer than 100 ms");
}
