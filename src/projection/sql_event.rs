//! The statements of an SQL projection, run at one event.

use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, Statement as Prepared,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    model::{GlobalPosition, Timestamp},
    projection::{
        compile::{Parameter, Ready},
        definition::SqlSource,
    },
    store::{
        ScanRow,
        read::{Body, EventRow, Wanted},
    },
};

/// What runs at each event type, ready to run.
pub(super) struct Handlers<'c> {
    connection: &'c Connection,
    ready: Vec<Ready<'c>>,
    /// The statements of each event type, in the order of the file.
    by_type: Vec<(Arc<str>, Vec<usize>)>,
    savepoint: [Prepared<'c>; 3],
    stream: String,
    time: String,
}

/// A statement that could not run, by the place of its handler and its line.
pub(super) struct Failed {
    pub(super) handler: usize,
    pub(super) line: u32,
    pub(super) fault: Fault,
}

impl<'c> Handlers<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        source: &SqlSource,
        ready: Vec<Ready<'c>>,
    ) -> rusqlite::Result<Self> {
        let savepoint = [
            connection.prepare("SAVEPOINT timeglass_event")?,
            connection.prepare("ROLLBACK TO timeglass_event")?,
            connection.prepare("RELEASE timeglass_event")?,
        ];
        let mut by_type: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for (number, statement) in ready.iter().enumerate() {
            let handler = source.handlers.get(statement.handler);
            for name in handler.into_iter().flat_map(|handler| &handler.types) {
                match by_type.iter_mut().find(|(own, _)| own == name) {
                    Some((_, statements)) if statements.last() == Some(&number) => (),
                    Some((_, statements)) => statements.push(number),
                    None => by_type.push((Arc::clone(name), vec![number])),
                }
            }
        }
        Ok(Self { connection, ready, by_type, savepoint, stream: String::new(), time: String::new() })
    }

    /// The event types that something runs at.
    pub(super) fn types(&self) -> Vec<Arc<str>> {
        self.by_type.iter().map(|(name, _)| Arc::clone(name)).collect()
    }

    /// What runs at events of this type, if anything does.
    pub(super) fn at(&self, event_type: &str) -> Option<usize> {
        self.by_type.iter().position(|(name, _)| **name == *event_type)
    }

    /// What the statements ask for; ids and metadata only if one of them does.
    pub(super) fn wanted<'t>(&self, types: &'t [Arc<str>]) -> Wanted<'t> {
        let is_rest = |parameter: &Parameter| {
            matches!(
                parameter,
                Parameter::Metadata | Parameter::EventId | Parameter::CorrelationId | Parameter::CausationId
            )
        };
        let has_rest = self.ready.iter().any(|ready| ready.parameters.iter().any(is_rest));
        if has_rest { Wanted::Types(types) } else { Wanted::Data(types) }
    }

    /// Runs what [`Self::at`] found; all of it takes effect, or none. Fails only if the database does.
    pub(super) fn run(&mut self, at: usize, row: &EventRow<'_>) -> rusqlite::Result<Option<Failed>> {
        let statements = self.by_type.get(at).map(|(_, statements)| &**statements).unwrap_or_default();
        let [begin, undo, end] = &mut self.savepoint;
        let is_several = statements.len() > 1;
        if is_several {
            begin.raw_execute()?;
        }
        spell_stream(&mut self.stream, &row.head);
        self.time.clear();
        let mut texts = Texts { stream: &self.stream, time: &mut self.time };
        for number in statements {
            let Some(ready) = self.ready.get_mut(*number) else { continue };
            let Err(fault) = run_statement(ready, row, &mut texts) else { continue };
            if is_several && !self.connection.is_autocommit() {
                undo.raw_execute()?;
                end.raw_execute()?;
            }
            return Ok(Some(Failed { handler: ready.handler, line: ready.line, fault }));
        }
        if is_several {
            end.raw_execute()?;
        }
        Ok(None)
    }

    /// `OrderPlaced 17@order-4`: the event that was run last.
    pub(super) fn label(&self, head: &ScanRow<'_>) -> Arc<str> {
        label(head, &self.stream)
    }
}

/// Why a statement did not run.
pub(super) enum Fault {
    /// A payload that it asks for cannot be read.
    Unreadable(String),
    Sqlite(rusqlite::Error),
}

impl Fault {
    pub(super) fn is_interrupt(&self) -> bool {
        matches!(self, Self::Sqlite(err) if is_interrupt(err))
    }
}

/// Texts that are put together, once an event.
struct Texts<'a> {
    stream: &'a str,
    /// Empty until it is asked for.
    time: &'a mut String,
}

fn run_statement(ready: &mut Ready<'_>, row: &EventRow<'_>, texts: &mut Texts<'_>) -> Result<(), Fault> {
    let head = &row.head;
    for (number, parameter) in ready.parameters.iter().enumerate() {
        let value = match parameter {
            Parameter::Position => match &head.position {
                None => ValueRef::Null,
                Some(GlobalPosition::Number(number)) => ValueRef::Integer(*number),
                Some(GlobalPosition::Text(text)) => ValueRef::Text(text.as_bytes()),
            },
            Parameter::Stream => ValueRef::Text(texts.stream.as_bytes()),
            Parameter::Category => text(head.category),
            Parameter::StreamId => ValueRef::Text(head.id.as_bytes()),
            Parameter::Version => head.version.map_or(ValueRef::Null, |version| ValueRef::Integer(version.0)),
            Parameter::Type => ValueRef::Text(head.event_type.as_bytes()),
            Parameter::Time => match head.time {
                None => ValueRef::Null,
                Some(time) => spelled(texts.time, time),
            },
            Parameter::Data => body("data", row.data)?,
            Parameter::Metadata => body("metadata", row.metadata)?,
            Parameter::EventId => text(row.event_id),
            Parameter::CorrelationId => text(row.correlation_id),
            Parameter::CausationId => text(row.causation_id),
        };
        let bound = ready.prepared.raw_bind_parameter(number + 1, ToSqlOutput::Borrowed(value));
        bound.map_err(Fault::Sqlite)?;
    }
    ready.prepared.raw_execute().map(|_| ()).map_err(Fault::Sqlite)
}

fn text(text: Option<&str>) -> ValueRef<'_> {
    text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
}

fn body<'a>(name: &str, body: Body<'a>) -> Result<ValueRef<'a>, Fault> {
    match body {
        Body::Absent => Ok(ValueRef::Null),
        Body::Json(text) => Ok(ValueRef::Text(text.as_bytes())),
        Body::Unreadable(reason) => Err(Fault::Unreadable(format!("its {name} cannot be read: {reason}"))),
    }
}

/// RFC 3339 in UTC with the stored precision: what SQLite's date functions read.
fn spelled(buffer: &mut String, time: Timestamp) -> ValueRef<'_> {
    if buffer.is_empty() {
        time.write_rfc3339(buffer);
    }
    ValueRef::Text(buffer.as_bytes())
}

/// The stream's own name, or `<category>-<id>`.
fn spell_stream(buffer: &mut String, head: &ScanRow<'_>) {
    buffer.clear();
    match (head.stored, head.category) {
        (Some(stored), _) => buffer.push_str(stored),
        (None, Some(category)) => {
            buffer.push_str(category);
            buffer.push('-');
            buffer.push_str(head.id);
        }
        (None, None) => buffer.push_str(head.id),
    }
}

/// `OrderPlaced 17@order-4`.
fn label(head: &ScanRow<'_>, stream: &str) -> Arc<str> {
    match head.version {
        Some(version) => format!("{} {version}@{stream}", head.event_type).into(),
        None => format!("{} @{stream}", head.event_type).into(),
    }
}

/// Whether it was stopped before its end.
pub(super) fn is_interrupt(err: &rusqlite::Error) -> bool {
    err.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// Whether the scratch database failed, and not the statement.
pub(super) fn is_ours(err: &rusqlite::Error) -> bool {
    matches!(
        err.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::ReadOnly
                | ErrorCode::NotADatabase
        )
    )
}
