//! Watches and predicates over states and events.

use std::time::Duration;

use timeglass::{
    model::Json,
    script::{Evaluator, Expression, Options},
    work::Work,
};

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

/// Evaluates an expression over states, one after the other, in one evaluator.
#[track_caller]
fn check(expression: &str, states: &[&str], expected: &str) {
    let expression = Expression::parse(expression).unwrap();
    let mut options = Options::frozen(None);
    options.limits.call = Duration::from_millis(200);
    let mut evaluator = Evaluator::start(&[expression], &options, &Work::default()).unwrap();
    let values: Vec<String> = states
        .iter()
        .map(|state| match evaluator.value(0, &json(state), None) {
            Ok(value) => value.to_compact(),
            Err(failure) => failure.to_string(),
        })
        .collect();
    assert_eq!(values.join(" "), expected);
}

#[test]
fn values_follow_the_state() {
    check("state.a + 1", &[r#"{"a":1}"#, r#"{"a":2,"b":[]}"#, r#"{"b":1}"#], "2 3 NaN is not a JSON value");
    check(
        "Object.keys(state)",
        &[r#"{"a":1}"#, r#"{"a":1,"b":2}"#, r#"{"b":2}"#, "[1]"],
        r#"["a"] ["a","b"] ["b"] ["0"]"#,
    );
    check(
        "state",
        &["[1,[2]]", "[1,[2,3],4]", "[1]", "{}", "7", "null"],
        "[1,[2]] [1,[2,3],4] [1] {} 7 null",
    );
    check(
        "state.list.map((x) => x.n).join()",
        &[r#"{"list":[{"n":1}]}"#, r#"{"list":[{"n":2},{"n":3}]}"#],
        r#""1" "2,3""#,
    );
    check("event", &["1"], "null");
    check("state.missing", &["{}"], "null");
}

#[test]
fn what_an_expression_changes_is_forgotten() {
    check(
        "(state.n++, state.list.push(1), state)",
        &[r#"{"n":1,"list":[]}"#, r#"{"n":1,"list":[]}"#],
        r#"{"n":2,"list":[1]} {"n":2,"list":[1]}"#,
    );
    check("state.list.sort()[0]", &[r#"{"list":[3,1]}"#, r#"{"list":[3,1]}"#], "1 1");
}

#[test]
fn mistakes_have_their_place() {
    let place = |text: &str| Expression::parse(text).unwrap_err().to_string();
    assert_eq!(place("state.a +"), "1:10: the expression is not finished");
    assert_eq!(place("1) + (2"), "1:2: `)` closes nothing");
    assert_eq!(place(" // nothing"), "there is no expression");
    check("state.a.b", &["{}"], "1:1: TypeError: cannot read property 'b' of undefined");
    check("\n nope", &["{}"], "2:2: ReferenceError: nope is not defined");
    check(
        "(() => { for (;;) {} })()",
        &["{}", "{}"],
        "1:1: a call into the script took longer than 200 ms 1:1: a call into the script took longer than 200 ms",
    );
    check(
        "Math.random()",
        &["{}"],
        "1:6: Math.random: a reducer has no chance, so that the same events make the same state; set a seed to give it one",
    );
}

#[test]
fn predicates_hold_as_conditions_do() {
    let holds = |text: &str| {
        let mut evaluator =
            Evaluator::start(&[Expression::parse(text).unwrap()], &Options::frozen(None), &Work::default())
                .unwrap();
        evaluator.holds(0, &json(r#"{"a":[]}"#), None).unwrap()
    };
    let found =
        ["state.a", "''", "'x'", "0", "-0.0", "NaN", "1n", "0n", "null", "undefined", "state.a.length === 0"]
            .map(holds);
    assert_eq!(found, [true, false, true, false, false, false, true, false, false, false, true]);
}
