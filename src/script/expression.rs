//! Watches and predicates: expressions over a state and an event.

use std::sync::Arc;

use rquickjs::{Ctx, Object, Persistent, Value};

use crate::{
    model::{Failure, Json, RecordedEvent, Timestamp},
    script::{
        build::build_once,
        encode::encode,
        engine::{Ended, Engine},
        engine_memory::{self as memory, Access, Kind},
        envelope::Envelope,
        event_object::event_object,
        loading::Kept,
        options::Options,
        step::Fault,
        tokens::{TokenKind, text_of, tokens},
    },
    work::Work,
};

/// An expression in JavaScript over `state` and `event`, known to compile: `state.total > 100`,
/// `event.data.items.length`. What an event has is what handlers see of it, and `type`, `stream`, `id`,
/// `version`, `position`, `time` and `actor` as listings name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: Arc<str>,
    /// Whether it cannot change the state that it is given.
    only_reads: bool,
    /// Whether it names the event; what it does not name is not made.
    reads_event: bool,
}

/// The line that stands before the expression when it is compiled.
const OPENING: &str = "(function (state, event) { \"use strict\"; return (\n";
const CLOSING: &str = "\n); })";

/// Built-in functions and operators that change what they are given.
const CHANGING: &[&str] = &[
    "=",
    "+=",
    "-=",
    "*=",
    "/=",
    "%=",
    "**=",
    "<<=",
    ">>=",
    ">>>=",
    "&=",
    "|=",
    "^=",
    "&&=",
    "||=",
    "??=",
    "++",
    "--",
    "delete",
    "push",
    "pop",
    "shift",
    "unshift",
    "splice",
    "sort",
    "reverse",
    "fill",
    "copyWithin",
    "set",
    "add",
    "clear",
    "assign",
    "defineProperty",
    "defineProperties",
    "setPrototypeOf",
    "freeze",
    "seal",
    "preventExtensions",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "Reflect",
    "function",
    "class",
];

impl Expression {
    /// Reads an expression.
    ///
    /// Fails with the place of the mistake.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        check_brackets(text)?;
        let reads_event = reads_event(text);
        let expression = Self { text: text.into(), only_reads: only_reads(text), reads_event };
        let engine = Engine::new("", &Options::frozen(None), &Work::default())?;
        engine.with(|ctx| expression.compile(&engine, ctx).map(drop))?;
        Ok(expression)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    fn compile(&self, engine: &Engine, ctx: &Ctx<'_>) -> Result<Kept, Failure> {
        let source = format!("{OPENING}{}{CLOSING}", self.text);
        let value = engine.eval(ctx, &source, engine.host.options.limits.loading);
        let value = value.map_err(|ended| failure(&self.text, ended))?;
        let function = value.as_function().ok_or_else(|| Failure::new("this is no expression"))?;
        Ok(Persistent::save(ctx, function.clone()))
    }
}

/// Whether what an expression gives may depend on the event, and not on the state alone.
#[must_use]
pub fn reads_event(text: &str) -> bool {
    // The arguments can be had without their names, too.
    let found = tokens(text);
    let mut names = found.iter().filter(|token| token.kind == TokenKind::Name);
    names.any(|token| matches!(text_of(text, token), "event" | "arguments"))
}

/// A bracket too many would close what stands around the expression.
fn check_brackets(text: &str) -> Result<(), Failure> {
    let mut open = Vec::new();
    let mut is_empty = true;
    for token in tokens(text).iter().filter(|token| token.kind != TokenKind::Comment) {
        is_empty = false;
        if token.kind != TokenKind::Punctuation {
            continue;
        }
        let word = text_of(text, token);
        match word {
            "(" | "[" | "{" => open.push(word),
            ")" | "]" | "}" if open.pop().is_none() => {
                let before = text.get(..token.range.start).unwrap_or_default();
                let line = before.matches('\n').count() as u32 + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
                let message = format!("`{word}` closes nothing");
                return Err(Failure { line: Some(line), column: Some(column), ..Failure::new(message) });
            }
            _ => {}
        }
    }
    if is_empty { Err(Failure::new("there is no expression")) } else { Ok(()) }
}

fn only_reads(text: &str) -> bool {
    let found = tokens(text);
    let mut before = "";
    for token in found.iter().filter(|token| token.kind != TokenKind::Comment) {
        let word = text_of(text, token);
        // What is called by a computed name might be anything.
        if CHANGING.contains(&word) || (before == "]" && word == "(") {
            return false;
        }
        before = word;
    }
    true
}

/// The places in an expression, without the line that stands before it. What the language misses after
/// it is missed at its end.
fn failure(text: &str, ended: Ended) -> Failure {
    let Failure { message, line, column, .. } = ended.failure;
    let lines = text.split('\n').count() as u32;
    let end = text.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    let place = line.zip(column).map(|(line, column)| match line.saturating_sub(1).max(1) {
        line if line > lines => (lines, end),
        line => (line, column),
    });
    let (line, column) = place.unzip();
    // What stands behind it is ours, and was not typed.
    let message = if place == Some((lines, end)) && message.contains("unexpected token") {
        "the expression is not finished".into()
    } else {
        message
    };
    Failure { message, file: None, line, column }
}

/// Expressions in an engine, to be asked for state after state. It stays in the thread that made it.
pub struct Evaluator {
    expressions: Vec<(Kept, Expression)>,
    /// The last state that was asked about, as the engine has it.
    last: Option<(Json, Persistent<Value<'static>>)>,
    is_spent: bool,
    // After what belongs to it, so that it is let go last.
    engine: Engine,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("expressions", &self.expressions.len()).finish_non_exhaustive()
    }
}

impl Evaluator {
    /// Compiles the expressions. Calls stop when `work` is cancelled.
    ///
    /// Fails only if an engine cannot be made.
    pub fn start(expressions: &[Expression], options: &Options, work: &Work) -> Result<Self, Failure> {
        let engine = Engine::new("", options, work)?;
        let compiled = engine.with(|ctx| {
            let compile =
                |expression: &Expression| Ok((expression.compile(&engine, ctx)?, expression.clone()));
            expressions.iter().map(compile).collect::<Result<Vec<_>, Failure>>()
        })?;
        Ok(Self { expressions: compiled, last: None, is_spent: false, engine })
    }

    /// Whether the last call took too much time or memory: then it is better to start anew without that
    /// expression than to ask it again.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// The value of the expression with that index; null if it is undefined.
    ///
    /// Fails if the expression throws or takes too long, or if its value cannot be written as JSON.
    pub fn value(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<Json, Failure> {
        self.ask(which, state, event, |engine, ctx, value| match encode(&engine.host, value, None) {
            Ok(json) => Ok(json.unwrap_or_default()),
            Err(refusal) => Err(engine.refused(ctx, refusal)),
        })
    }

    /// Whether the expression with that index holds, as `if` would take its value.
    ///
    /// Fails as [`value`](Self::value) does.
    pub fn holds(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Failure> {
        self.ask(which, state, event, |_, _, value| Ok(is_truthy(value)))
    }

    fn ask<R>(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
        read: impl FnOnce(&Engine, &Ctx<'_>, &Value<'_>) -> Result<R, Ended>,
    ) -> Result<R, Failure> {
        let Some((function, expression)) = self.expressions.get(which) else {
            return Err(Failure::new("there is no such expression"));
        };
        let (engine, last) = (&self.engine, &mut self.last);
        let answer = engine.with(|ctx| {
            let state = live_state(engine, ctx, last, state)?;
            let event = match event.filter(|_| expression.reads_event) {
                None => Value::new_null(ctx.clone()),
                Some(event) => engine.guard(ctx, |ctx| live_event(engine, ctx, event))?,
            };
            let value = engine.call(ctx, function, &[state, event])?;
            read(engine, ctx, &value)
        });
        if !expression.only_reads {
            self.last = None;
        }
        self.engine.host.forget_output();
        if let Err(ended) = &answer {
            self.is_spent = ended.fault == Fault::ExecutionTimeout || self.engine.is_spent();
        }
        answer.map_err(|ended| failure(&expression.text, ended))
    }
}

/// The event as handlers see it, and its head by the names that listings use.
fn live_event<'js>(engine: &Engine, ctx: &Ctx<'js>, event: &RecordedEvent) -> rquickjs::Result<Value<'js>> {
    let envelope = Arc::new(Envelope::of_history(event));
    let value = event_object(&engine.host, ctx, &envelope, Some(&envelope.stream), true)?;
    let Some(object) = value.as_object() else { return Ok(value) };
    let head = [
        ("type", Json::from(Arc::clone(&event.event_type))),
        ("stream", Json::from(event.stream.full())),
        ("id", Json::from(Arc::clone(&event.stream.id))),
        ("version", Json::from(event.version.map(|version| version.0))),
        ("position", Json::from(event.position.clone())),
        ("time", Json::from(event.time.map(Timestamp::to_rfc3339))),
        ("actor", Json::from(event.actor.clone())),
    ];
    for (name, json) in head {
        memory::define(object, name, &build_once(ctx, &json)?, Access::ReadOnly)?;
    }
    Ok(value)
}

/// The state as a value of the engine; what it shares with the last one is taken from there.
fn live_state<'js>(
    engine: &Engine,
    ctx: &Ctx<'js>,
    last: &mut Option<(Json, Persistent<Value<'static>>)>,
    state: &Json,
) -> Result<Value<'js>, Ended> {
    let value = match last.take() {
        Some((before, kept)) => engine.guard(ctx, |ctx| update(&kept.restore(ctx)?, &before, state))?,
        None => engine.guard(ctx, |ctx| build_once(ctx, state))?,
    };
    *last = Some((state.clone(), Persistent::save(ctx, value.clone())));
    Ok(value)
}

/// Turns the value of `before` into that of `after`, touching only what differs.
fn update<'js>(live: &Value<'js>, before: &Json, after: &Json) -> rquickjs::Result<Value<'js>> {
    if before.is_same_node(after) {
        return Ok(live.clone());
    }
    match (live.as_object(), before, after) {
        (Some(object), Json::Object(old), Json::Object(new)) if starts_with_names_of(new, old) => {
            for (index, (name, member)) in new.iter().enumerate() {
                update_member(object, name, old.member(index).map(|(_, old)| old), member)?;
            }
            Ok(live.clone())
        }
        (Some(object), Json::Array(old), Json::Array(new)) if new.len() >= old.len() => {
            for (index, item) in new.iter().enumerate() {
                update_member(object, &index.to_string(), old.get(index), item)?;
            }
            Ok(live.clone())
        }
        _ => build_once(live.ctx(), after),
    }
}

fn update_member<'js>(
    object: &Object<'js>,
    name: &str,
    old: Option<&Json>,
    new: &Json,
) -> rquickjs::Result<()> {
    let value = match old {
        Some(old) if old.is_same_node(new) => return Ok(()),
        Some(old) if old.len().is_some() => {
            let live: Value<'js> = object.get(name)?;
            update(&live, old, new)?
        }
        Some(_) | None => build_once(object.ctx(), new)?,
    };
    memory::define(object, name, &value, Access::Free)
}

/// Whether the members of `old` come first in `new`, each name once: then the order of the live object
/// stays right.
fn starts_with_names_of(new: &crate::model::Object, old: &crate::model::Object) -> bool {
    new.len() >= old.len() && old.iter().zip(new.iter()).all(|((old, _), (new, _))| old == new)
}

/// Whether `if` would take the value for true.
fn is_truthy(value: &Value<'_>) -> bool {
    match memory::kind(value) {
        Kind::Undefined | Kind::Null | Kind::Other => false,
        Kind::Bool(value) => value,
        Kind::Int(number) => number != 0,
        Kind::Float(number) => number != 0.0 && !number.is_nan(),
        Kind::Text => memory::with_text(value, |text| !text.is_empty()).unwrap_or(false),
        Kind::BigInt => crate::script::encode::bigint_digits(value).is_some_and(|digits| digits != "0"),
        Kind::Symbol | Kind::Object => true,
    }
}
