//! Expressions over a state and an event: what a user watches or looks for, without a whole script.
//!
//! An expression sees `state` and `event` alone and keeps nothing from one call to the next, so that what
//! it gives at a step does not depend on which steps were looked at before. It has no clock and no chance.

use std::{sync::Arc, time::Duration};

use rquickjs::{Ctx, Object, Persistent, Value};

use crate::{
    model::{Failure, Json, RecordedEvent},
    script::{
        encode::encode,
        engine::{Ended, Engine},
        envelope::Envelope,
        event_object::event_object,
        loading::Kept,
        options::{Limits, Options},
        raw::{self, Access},
        step::Fault,
        tokens::{TokenKind, text_of, tokens},
    },
    work::Work,
};

/// A call of an expression is stopped after this time: a whole history is to be looked at.
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// Lines that stand before the expression in what the engine is given.
const LINES_BEFORE: u32 = 1;

/// A JavaScript expression over `state` and `event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: Arc<str>,
    /// Whether it reads the state, and the event: what it does not read is not made.
    reads: [bool; 2],
}

impl Expression {
    /// Reads an expression.
    ///
    /// Fails if it is empty, or closes a bracket that it did not open. Other mistakes are found by the engine.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let found = tokens(text);
        let mut depth = 0_u32;
        let mut is_empty = true;
        for token in found.iter().filter(|token| token.kind != TokenKind::Comment) {
            is_empty = false;
            match (token.kind, text_of(text, token)) {
                (TokenKind::Punctuation, "(" | "[" | "{") => depth += 1,
                (TokenKind::Punctuation, ")" | "]" | "}") => {
                    depth = depth.checked_sub(1).ok_or_else(|| place(text, token.range.start))?;
                }
                _ => (),
            }
        }
        if is_empty {
            return Err(Failure::new("there is no expression"));
        }
        let names = |wanted: &str| {
            found.iter().any(|token| token.kind == TokenKind::Name && text_of(text, token) == wanted)
        };
        // Arguments can be had without their names.
        let reads = [names("state") || names("arguments"), names("event") || names("arguments")];
        Ok(Self { text: text.into(), reads })
    }

    /// The text as the user wrote it.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether the engine understands it.
    ///
    /// Fails with its mistake, and its place.
    pub fn check(&self, work: &Work) -> Result<(), Failure> {
        let evaluator = Evaluator::start(std::slice::from_ref(self), work)?;
        evaluator.ready.into_iter().try_for_each(|ready| ready.map(drop))
    }

    /// Whether what it gives depends on the event, and not on the state alone.
    #[must_use]
    pub fn reads_event(&self) -> bool {
        let [_, event] = self.reads;
        event
    }
}

/// A bracket that was never opened.
fn place(text: &str, at: usize) -> Failure {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    let failure = Failure::new("SyntaxError: this bracket was never opened");
    Failure { line: Some(line), column: Some(column), ..failure }
}

/// An engine that evaluates expressions. It stays in the thread that made it.
pub struct Evaluator {
    expressions: Vec<Expression>,
    options: Options,
    work: Work,
    // Before the engine, so that what belongs to it is let go first.
    ready: Vec<Result<Kept, Failure>>,
    engine: Engine,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("expressions", &self.expressions).finish_non_exhaustive()
    }
}

impl Evaluator {
    /// Prepares expressions; calls stop when `work` is cancelled. One that the engine does not understand
    /// fails whenever it is asked.
    ///
    /// Fails only if no engine can be made.
    pub fn start(expressions: &[Expression], work: &Work) -> Result<Self, Failure> {
        let limits = Limits { call: LONGEST_CALL, loading: LONGEST_CALL, ..Limits::default() };
        // As the newest database has it: what is not a number is null, and data may be any JSON.
        let options = Options { limits, quirks: Some((26, 2, 0)), ..Options::frozen(None) };
        let engine = Engine::new("expression", &options, work)?;
        let ready = compiled(&engine, expressions);
        Ok(Self { expressions: expressions.to_vec(), options, work: work.clone(), ready, engine })
    }

    /// What an expression gives; `None` if that is undefined.
    pub fn value(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<Option<Json>, Failure> {
        if self.engine.is_spent() {
            self.engine = Engine::new("expression", &self.options, &self.work)?;
            let broken = std::mem::take(&mut self.ready);
            self.ready = compiled(&self.engine, &self.expressions);
            // What took too much time or memory once is not tried again.
            for (now, before) in self.ready.iter_mut().zip(broken) {
                if before.is_err() {
                    *now = before;
                }
            }
        }
        let (Some(expression), Some(ready)) = (self.expressions.get(which), self.ready.get(which)) else {
            return Ok(None);
        };
        let function = ready.as_ref().map_err(Failure::clone)?;
        let [reads_state, reads_event] = expression.reads;
        let [state, event] = [
            Some(state).filter(|_| reads_state).map(Argument::State),
            event.filter(|_| reads_event).map(Argument::Event),
        ];
        let engine = &self.engine;
        let found = engine.with(|ctx| {
            let arguments = [argument(engine, ctx, state)?, argument(engine, ctx, event)?];
            let value = engine.call(ctx, function, &arguments)?;
            engine.host.begin_call(LONGEST_CALL);
            encode(&engine.host, &value, None).map_err(|refusal| engine.refused(ctx, refusal))
        });
        found.map_err(|ended| {
            let failure = placed(ended.failure);
            if ended.fault == Fault::ExecutionTimeout || engine.is_spent() {
                // A million events would take as many seconds.
                if let Some(ready) = self.ready.get_mut(which) {
                    *ready = Err(failure.clone());
                }
            }
            failure
        })
    }
}

enum Argument<'a> {
    State(&'a Json),
    Event(&'a RecordedEvent),
}

/// The functions that the expressions are made into.
fn compiled(engine: &Engine, expressions: &[Expression]) -> Vec<Result<Kept, Failure>> {
    engine.with(|ctx| {
        let compile = |expression: &Expression| {
            // Strict, so that a name that is misspelt is a failure and no new variable.
            let source =
                format!("\"use strict\"; (function (state, event) {{ return (\n{}\n); }})", expression.text);
            let value = engine
                .eval(ctx, &source, LONGEST_CALL)
                .map_err(|ended| within(placed(ended.failure), &expression.text))?;
            let function = value.into_function().ok_or_else(|| Failure::new("this is no expression"))?;
            Ok(Persistent::save(ctx, function))
        };
        let ready = expressions.iter().map(compile).collect();
        // Nothing is carried from one call to the next.
        drop(engine.eval(ctx, "Object.preventExtensions(globalThis)", LONGEST_CALL));
        ready
    })
}

fn argument<'js>(engine: &Engine, ctx: &Ctx<'js>, given: Option<Argument<'_>>) -> Result<Value<'js>, Ended> {
    engine.guard(ctx, |ctx| match given {
        None => Ok(Value::new_undefined(ctx.clone())),
        Some(Argument::State(state)) => raw::build(ctx, state).map(|(value, _)| value),
        Some(Argument::Event(event)) => event_value(engine, ctx, event),
    })
}

/// The event as handlers see it, and its head by the names that listings use.
fn event_value<'js>(engine: &Engine, ctx: &Ctx<'js>, event: &RecordedEvent) -> rquickjs::Result<Value<'js>> {
    let envelope = Envelope::of_history(event);
    let category = event.stream.category.as_deref().unwrap_or_else(|| envelope.category());
    let value = event_object(&engine.host, ctx, &envelope, &envelope.stream, category)?;
    let Some(object) = value.as_object() else { return Ok(value) };
    let head = [
        ("type", Json::from(Arc::clone(&event.event_type))),
        ("stream", Json::from(event.stream.full())),
        ("id", Json::from(Arc::clone(&event.stream.id))),
        ("version", Json::from(event.version.map(|version| version.0))),
        ("position", Json::from(event.position.clone())),
        ("time", Json::from(event.time.map(crate::model::Timestamp::to_rfc3339))),
        ("actor", Json::from(event.actor.clone())),
    ];
    for (name, json) in head {
        define(ctx, object, name, &json)?;
    }
    Ok(value)
}

fn define<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str, json: &Json) -> rquickjs::Result<()> {
    let (value, _) = raw::build(ctx, json)?;
    raw::define(object, name, value, Access::ReadOnly)
}

/// A mistake that the engine sees only behind the end of an expression lies in its end.
fn within(failure: Failure, text: &str) -> Failure {
    match failure.line {
        Some(line) if line as usize > text.lines().count() => {
            Failure::new("SyntaxError: the expression ends too early")
        }
        _ => failure,
    }
}

/// A failure with its place in the expression instead of in what the engine was given.
fn placed(failure: Failure) -> Failure {
    let line = failure.line.and_then(|line| line.checked_sub(LINES_BEFORE)).filter(|line| *line > 0);
    let column = line.and(failure.column);
    Failure { file: None, line, column, message: failure.message }
}

#[cfg(test)]
mod tests {
    use super::{Evaluator, Expression};
    use crate::{
        model::{Failure, Json, StreamName},
        store::memory::event,
        work::Work,
    };

    const STATE: &str = r#"{"total":-5,"items":[{"sku":"a"},{"sku":"b"}],"big":12345678901234567890}"#;

    fn asked(texts: &[&str]) -> Vec<Result<Option<Json>, Failure>> {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
        let event = event(7, &StreamName::of("order", "4"), 3, "OrderPaid", read(r#"{"amount":250}"#));
        let expressions: Vec<Expression> =
            texts.iter().map(|text| Expression::parse(text).unwrap()).collect();
        let mut evaluator = Evaluator::start(&expressions, &Work::default()).unwrap();
        (0..texts.len()).map(|which| evaluator.value(which, &read(STATE), Some(&event))).collect()
    }

    fn check(text: &str, expected: &str) {
        let found = match asked(&[text]).remove(0) {
            Ok(Some(value)) => value.to_compact(),
            Ok(None) => "undefined".to_owned(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn an_expression_sees_state_and_event() {
        check("state.total < 0", "true");
        check("state.items.length", "2");
        check("state.items.map(item => item.sku)", r#"["a","b"]"#);
        check("state.missing", "undefined");
        check("state.missing / 2", "null");
        check("event.data.amount > 100 && state.total < 0", "true");
        check("event.type + ' ' + event.eventType", r#""OrderPaid OrderPaid""#);
        check("`${event.stream} ${event.version} ${event.position}`", r#""order-4 3 7""#);
        check("event.time", r#""2023-11-14T22:13:27Z""#);
        check("// a remark\n state.total", "-5");
        check("{ a: 1 }", r#"{"a":1}"#);
        check("typeof process + typeof require + typeof console", r#""undefinedundefinedundefined""#);
    }

    #[test]
    fn a_mistake_says_where_it_is() {
        check("totl < 0", "1:1: ReferenceError: totl is not defined");
        check("1 +\n state.a.b", "2:2: TypeError: cannot read property 'b' of undefined");
        check("x = 1", "1:1: ReferenceError: x is not defined");
        check(
            "Math.random()",
            "Math.random: a reducer has no chance, so that the same events make the same state; set a seed to give it one",
        );
        for text in ["", " // only a remark", "1) + (2", "}"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        let Err(failure) = asked(&["1 +"]).remove(0) else { panic!("it is not whole") };
        assert!(failure.message.starts_with("SyntaxError"), "{failure}");
    }

    #[test]
    fn an_expression_does_not_change_what_others_see() {
        let found = asked(&[
            "state.items.reverse()[0].sku",
            "state.items[0].sku",
            "(() => { globalThis.seen = 1; return 1 })()",
            "typeof seen",
        ]);
        let shown: Vec<String> = found
            .iter()
            .map(|value| {
                value.as_ref().map_or_else(ToString::to_string, |value| value.clone().unwrap().to_compact())
            })
            .collect();
        assert_eq!([&shown[0], &shown[1], &shown[3]], [r#""b""#, r#""a""#, r#""undefined""#]);
    }

    #[test]
    fn an_endless_expression_is_stopped_once_and_the_others_go_on() {
        let found = asked(&["(() => { for (;;) {} })()", "state.total"]);
        assert!(found[0].as_ref().unwrap_err().message.contains("took longer than 1000 ms"));
        assert_eq!(found[1].as_ref().unwrap().as_ref().unwrap().to_compact(), "-5");
    }
}
