//! The SQL of a projection made ready: its tables made, its statements checked and prepared.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, Statement as Prepared};

use crate::{
    projection::{
        Definition, DefinitionError, clock,
        definition::{SqlSource, Statement},
        guard::{Guard, OURS, Phase, TOO_LONG, is_ours},
        history::{self, KeyRule},
        journal::Journal,
        sql_text::{Token, TokenKind, tokens},
        table_facts::{TableFacts, check_key},
    },
    work::Work,
};

/// A value of the event that a statement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parameter {
    Position,
    Stream,
    Category,
    StreamId,
    Version,
    Type,
    Time,
    Data,
    Metadata,
    EventId,
    CorrelationId,
    CausationId,
}

const PARAMETERS: [(&str, Parameter); 12] = [
    (":position", Parameter::Position),
    (":stream", Parameter::Stream),
    (":category", Parameter::Category),
    (":stream_id", Parameter::StreamId),
    (":version", Parameter::Version),
    (":type", Parameter::Type),
    (":time", Parameter::Time),
    (":data", Parameter::Data),
    (":metadata", Parameter::Metadata),
    (":event_id", Parameter::EventId),
    (":correlation_id", Parameter::CorrelationId),
    (":causation_id", Parameter::CausationId),
];

/// A statement ready to run.
pub(super) struct Ready<'c> {
    /// What SQLite made of it.
    pub(super) prepared: Prepared<'c>,
    /// What its parameters are, by their number.
    pub(super) parameters: Vec<Parameter>,
    /// Its place among the handlers, for messages.
    pub(super) handler: usize,
    /// Its first line.
    pub(super) line: u32,
}

/// Runs a section in an empty database in memory, and says which columns are the key.
pub(super) fn try_out(
    definition: &Definition,
    source: &SqlSource,
    line: u32,
    is_key_given: bool,
) -> Result<Vec<Arc<str>>, DefinitionError> {
    let place = Place { definition, line, directive: projection_directive(definition) };
    let ours = |err: rusqlite::Error| place.mistake(format!("an empty database cannot be made: {err}"));
    let mut connection = Connection::open_in_memory().map_err(ours)?;
    let guard = Guard::set_up(&mut connection, &Work::default()).map_err(ours)?;
    Journal::attach(&mut connection, &definition.name).map_err(ours)?;
    make_tables(&connection, &guard, definition, source)?;
    let facts = TableFacts::read(&connection, &definition.name)
        .map_err(ours)?
        .map_err(|reason| place.mistake(reason))?;
    let key = if is_key_given { definition.key.clone() } else { facts.primary_key.clone() };
    check_key(&facts, &key).map_err(|reason| place.mistake(reason))?;
    history::install(&connection, &definition.name, &facts, &key, (KeyRule::of(source), true))
        .map_err(|err| place.mistake(format!("its history cannot be kept: {}", said(&err))))?;
    prepare(&connection, &guard, definition, source)?;
    Ok(facts.spelled(&key))
}

/// Runs everything before the first `@on`.
pub(super) fn make_tables(
    connection: &Connection,
    guard: &Guard,
    definition: &Definition,
    source: &SqlSource,
) -> Result<(), DefinitionError> {
    let directive = projection_directive(definition);
    for statement in &source.setup {
        let place = Place { definition, line: statement.line, directive: Arc::clone(&directive) };
        let sql = clock::with_defaults(&statement.sql);
        check_words(statement).and_then(|()| check_clock(&sql)).map_err(|reason| place.mistake(reason))?;
        guard.enter(Phase::Setup);
        guard.begin_event();
        let outcome = connection.prepare(&sql).and_then(|mut prepared| {
            if prepared.parameter_count() > 0 {
                return Ok(Some("there is no event yet: parameters belong under an `@on`"));
            }
            if prepared.column_count() > 0 {
                return Ok(Some("a statement that answers with rows does nothing here"));
            }
            if !begins_with(statement, &["CREATE", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"]) {
                return Ok(Some("a projection makes tables and rows before the first `@on`; nothing else"));
            }
            if our_name(statement).is_some() {
                return Ok(Some("names that start with `timeglass_` are ours"));
            }
            prepared.raw_execute().map(|_| None)
        });
        let refusal = guard.refusal();
        guard.enter(Phase::Ours);
        match outcome {
            Ok(None) => (),
            Ok(Some(reason)) => return Err(place.mistake(reason.to_owned())),
            Err(err) => return Err(place.refused(&sql, &err, refusal.as_deref())),
        }
    }
    Ok(())
}

/// Prepares the statements of all handlers, in the order of the file.
pub(super) fn prepare<'c>(
    connection: &'c Connection,
    guard: &Guard,
    definition: &Definition,
    source: &SqlSource,
) -> Result<Vec<Ready<'c>>, DefinitionError> {
    let mut found = Vec::new();
    for (number, handler) in source.handlers.iter().enumerate() {
        for statement in &handler.statements {
            let place = Place { definition, line: statement.line, directive: handler.directive() };
            check_words(statement)
                .and_then(|()| check_clock(&statement.sql))
                .map_err(|reason| place.mistake(reason))?;
            guard.enter(Phase::Event);
            let prepared = connection.prepare(&statement.sql);
            let refusal = guard.refusal();
            guard.enter(Phase::Ours);
            let prepared = prepared.map_err(|err| place.refused(&statement.sql, &err, refusal.as_deref()))?;
            if prepared.column_count() > 0 {
                let reason =
                    "a statement that answers with rows does nothing here; write INSERT, UPDATE or DELETE";
                return Err(place.mistake(reason.to_owned()));
            }
            if !begins_with(statement, &["INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"]) {
                return Err(
                    place.mistake("an event inserts, updates and deletes rows; nothing else".to_owned())
                );
            }
            if let Some(name) = our_name(statement) {
                return Err(place.mistake(format!("{name}: names that start with `{OURS}` are ours")));
            }
            let parameters = parameters(&prepared).map_err(|reason| place.mistake(reason))?;
            found.push(Ready { prepared, parameters, handler: number, line: statement.line });
        }
    }
    Ok(found)
}

fn parameters(prepared: &Prepared<'_>) -> Result<Vec<Parameter>, String> {
    let mut found = Vec::new();
    for number in 1..=prepared.parameter_count() {
        let name = prepared.parameter_name(number).unwrap_or("?");
        match PARAMETERS.iter().find(|(own, _)| *own == name) {
            Some((_, parameter)) => found.push(*parameter),
            None => {
                let all: Vec<&str> = PARAMETERS.iter().map(|(own, _)| *own).collect();
                return Err(format!("there is no parameter `{name}`; there are {}", all.join(" ")));
            }
        }
    }
    Ok(found)
}

fn begins_with(statement: &Statement, words: &[&str]) -> bool {
    let code = tokens(&statement.sql).into_iter().find(Token::is_code);
    code.is_some_and(|first| words.iter().any(|word| first.is_word(word)))
}

/// A name in a statement that is kept for us. The guard sees what a statement reaches, but takes whatever is
/// called as one of our triggers for it, and a statement may call a part of itself anything.
fn our_name(statement: &Statement) -> Option<&str> {
    let is_named = |token: &Token<'_>| {
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Text);
        is_name && is_ours(token.text.trim_start_matches(['"', '`', '[', '\'']))
    };
    tokens(&statement.sql).into_iter().find(is_named).map(|token| token.text)
}

/// Conflict rules that undo more or less than one event.
fn check_words(statement: &Statement) -> Result<(), String> {
    let code: Vec<Token<'_>> = tokens(&statement.sql).into_iter().filter(Token::is_code).collect();
    for pair in code.windows(2) {
        let [before, word] = pair else { continue };
        let decides = before.is_word("OR") || before.is_word("CONFLICT") || before.text == "(";
        let is_half = word.is_word("FAIL") && (decides && before.text != "(");
        let raises = before.text == "(" && (word.is_word("FAIL") || word.is_word("ROLLBACK"));
        if is_half || raises || (decides && word.is_word("ROLLBACK")) {
            let word = word.text.to_ascii_uppercase();
            return Err(format!(
                "`{word}` undoes another part than the event; write ABORT, IGNORE or REPLACE"
            ));
        }
    }
    Ok(())
}

/// The clock in so many words; any other way to it is found when the statement runs, or by the guard.
fn check_clock(sql: &str) -> Result<(), String> {
    if clock::is_called(sql) { Err(clock::REFUSAL.to_owned()) } else { Ok(()) }
}

fn projection_directive(definition: &Definition) -> Arc<str> {
    format!("@projection {}", definition.name).into()
}

/// Where a mistake is looked for.
struct Place<'a> {
    definition: &'a Definition,
    line: u32,
    directive: Arc<str>,
}

impl Place<'_> {
    fn mistake(&self, message: String) -> DefinitionError {
        DefinitionError {
            file: Arc::clone(&self.definition.file),
            line: self.line,
            message,
            directive: Some(Arc::clone(&self.directive)),
        }
    }

    /// What SQLite, or our guard, said about a statement, with the line inside it if that is known.
    fn refused(&self, sql: &str, err: &rusqlite::Error, refusal: Option<&str>) -> DefinitionError {
        let mut mistake = self.mistake(refusal.map_or_else(|| said(err), str::to_owned));
        if let (rusqlite::Error::SqlInputError { offset, .. }, None) = (err, refusal) {
            let before = usize::try_from(*offset).ok().and_then(|offset| sql.get(..offset));
            let lines = before.map_or(0, |before| before.bytes().filter(|byte| *byte == b'\n').count());
            mistake.line = mistake.line.saturating_add(lines as u32);
        }
        mistake
    }
}

/// What SQLite said, without the statement.
pub(super) fn said(err: &rusqlite::Error) -> String {
    match err {
        rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::OperationInterrupted => {
            TOO_LONG.to_owned()
        }
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}
