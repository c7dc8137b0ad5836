//! The statements of an SQL projection, run over the events of a store.

use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, Statement as Prepared,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    model::{EventKey, GlobalPosition, Timestamp},
    projection::{
        Definition, EventFailure, OnFailure, Progress, RebuildError, RebuildOptions, Scratch,
        compile::{self, Parameter, Ready, said},
        definition::SqlSource,
        guard::{Guard, Phase},
        history::{self, TableFacts},
        record::{self, MOST_FAILURES, Record, StoreMark},
        resume,
    },
    store::{
        EventStore, KeyRange, ScanKey, ScanRow, StoreError,
        read::{Body, EventRow, Onward, Wanted},
    },
    work::{Cancelled, Work},
};

/// Events handled between two commits; a killed process loses no more than these.
const BATCH_EVENTS: u64 = 100_000;

/// Steps of SQLite's machine between two commits, where events take many.
const BATCH_STEPS: u64 = 30_000_000;

/// Runs a projection, or goes on with it.
pub(super) fn run(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    source: &SqlSource,
    (scratch, options): (&Scratch, &RebuildOptions),
) -> Result<Progress, RebuildError> {
    let (connection, guard) = scratch.writer(work)?;
    let wrap = |doing: &str| scratch.failed(doing);
    let mark = StoreMark::of(store)?;
    let kept = record::load(&connection).map_err(wrap("its progress was read"))?;
    let mut record = match resume::usable(work, store, definition, options, (kept, &mark))? {
        Some(record) => record,
        None => begin_anew(&connection, &guard, definition, source, (scratch, options))?,
    };
    record.store = mark;
    if record.progress.is_complete {
        return Ok(record.progress);
    }
    record::save(&connection, &record).map_err(wrap("its progress was kept"))?;
    let ready = compile::prepare(&connection, &guard, definition, source)?;
    let mut pass = Pass::new(&connection, &guard, source, (scratch, store, work), ready, record)?;
    pass.pass_over(store)?;
    while pass.go(store)? == Ending::Undone {}
    let progress = pass.record.progress.clone();
    drop(pass);
    if !options.without_history {
        guard.begin_event();
        let indexed = history::index(&connection);
        if let Err(err) = indexed {
            // Reading makes it, if the work was withdrawn now.
            if !work.is_cancelled() {
                return Err(wrap("the history was put in order")(err).into());
            }
        }
    }
    Ok(progress)
}

/// Empties the scratch database, and makes the tables: the projection's and ours.
fn begin_anew(
    connection: &Connection,
    guard: &Guard,
    definition: &Definition,
    source: &SqlSource,
    (scratch, options): (&Scratch, &RebuildOptions),
) -> Result<Record, RebuildError> {
    let doing = "its tables were made";
    scratch.clear(connection)?;
    let transaction = connection.unchecked_transaction().map_err(scratch.failed(doing))?;
    compile::make_tables(connection, guard, definition, source)?;
    let record = Record {
        fingerprint: Arc::clone(&definition.fingerprint),
        options: options.clone(),
        ..Record::default()
    };
    let make = || {
        if let Ok(facts) = TableFacts::read(connection, &definition.name)? {
            let with_history = !options.without_history;
            history::install(connection, &definition.name, &facts, &definition.key, with_history)?;
        }
        record::create(connection)?;
        record::save(connection, &record)
    };
    make().and_then(|()| transaction.commit()).map_err(scratch.failed(doing))?;
    Ok(record)
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// As far as it could go.
    Done,
    /// SQLite undid the whole batch because of one event: it has to be run again, and to end before that event.
    Undone,
}

/// One run over the rest of the events.
struct Pass<'c> {
    connection: &'c Connection,
    guard: &'c Guard,
    scratch: &'c Scratch,
    store: &'c dyn EventStore,
    work: &'c Work,
    source: &'c SqlSource,
    ready: Vec<Ready<'c>>,
    /// The statements of each event type, in the order of the file.
    by_type: Vec<(Arc<str>, Vec<usize>)>,
    now: Option<Prepared<'c>>,
    savepoint: [Prepared<'c>; 3],
    record: Record,
    last: LastKey,
    /// Events handled since the last commit.
    batch: u64,
    /// Where the batch has to end, since the event there undoes it.
    end_before: Option<u64>,
    ending: Ending,
    trouble: Option<RebuildError>,
    stream: String,
    time: String,
}

/// The last event met; not made a key before it is kept.
enum LastKey {
    None,
    Integer(i64),
    Other(EventKey),
}

/// What became of an event.
enum Handled {
    Yes,
    Failed(EventFailure),
    Undone,
}

impl<'c> Pass<'c> {
    fn new(
        connection: &'c Connection,
        guard: &'c Guard,
        source: &'c SqlSource,
        (scratch, store, work): (&'c Scratch, &'c dyn EventStore, &'c Work),
        ready: Vec<Ready<'c>>,
        record: Record,
    ) -> Result<Self, RebuildError> {
        let prepare = |sql: &str| connection.prepare(sql).map_err(scratch.failed("it was got ready"));
        let now = (!record.options.without_history)
            .then(|| prepare("UPDATE timeglass_now SET count = ?1 WHERE id = 1"))
            .transpose()?;
        let savepoint = [
            prepare("SAVEPOINT timeglass_event")?,
            prepare("ROLLBACK TO timeglass_event")?,
            prepare("RELEASE timeglass_event")?,
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
        Ok(Self {
            connection,
            guard,
            scratch,
            store,
            work,
            source,
            ready,
            by_type,
            now,
            savepoint,
            record,
            last: LastKey::None,
            batch: 0,
            end_before: None,
            ending: Ending::Done,
            trouble: None,
            stream: String::new(),
            time: String::new(),
        })
    }

    /// Counts the events before the one it starts with.
    fn pass_over(&mut self, store: &dyn EventStore) -> Result<(), RebuildError> {
        let from = self.record.options.from.min(self.record.options.until.unwrap_or(u64::MAX));
        if self.record.progress.count >= from {
            return Ok(());
        }
        let range = KeyRange { after: self.record.last.clone(), until: None };
        let mut last = None;
        store.read(self.work, &range, Wanted::Types(&[]), &mut |row| {
            self.record.progress.count += 1;
            let is_enough = self.record.progress.count >= from;
            if is_enough {
                last = Some(row.head.key.to_key());
            }
            if is_enough { Onward::Enough } else { Onward::On }
        })?;
        if self.record.progress.count < from {
            // Events may still come; what was passed over is counted again then.
            self.record.progress.count = 0;
            return Ok(());
        }
        match last {
            Some(last) => Ok(self.record.reach(store, last)?),
            None => Ok(()),
        }
    }

    /// What the statements ask for; ids and metadata only if one of them does.
    fn wanted<'t>(&self, types: &'t [Arc<str>]) -> Wanted<'t> {
        let is_rest = |parameter: &Parameter| {
            matches!(
                parameter,
                Parameter::Metadata | Parameter::EventId | Parameter::CorrelationId | Parameter::CausationId
            )
        };
        let has_rest = self.ready.iter().any(|ready| ready.parameters.iter().any(is_rest));
        if has_rest { Wanted::Types(types) } else { Wanted::Data(types) }
    }

    fn go(&mut self, store: &dyn EventStore) -> Result<Ending, RebuildError> {
        let until = self.record.options.until.unwrap_or(u64::MAX);
        let is_short = self.record.progress.count < self.record.options.from.min(until);
        self.begin()?;
        self.ending = Ending::Done;
        if self.record.progress.count < until && !is_short {
            let range = KeyRange { after: self.record.last.clone(), until: None };
            let types: Vec<Arc<str>> = self.by_type.iter().map(|(name, _)| Arc::clone(name)).collect();
            let read = store.read(self.work, &range, self.wanted(&types), &mut |row| {
                self.meet(row).unwrap_or_else(|trouble| {
                    self.trouble = Some(trouble);
                    Onward::Enough
                })
            });
            if let Err(err) = read {
                self.trouble.get_or_insert_with(|| match err {
                    StoreError::Cancelled(cancelled) => cancelled.into(),
                    err => err.into(),
                });
            }
        }
        if self.ending == Ending::Undone {
            return self.begin_again();
        }
        let is_stopped = self.record.progress.failures.last().is_some_and(|failure| {
            failure.count == self.record.progress.count && self.record.options.on_failure == OnFailure::Stop
        });
        self.record.progress.is_complete = self.trouble.is_none() && !is_stopped;
        // Whatever stopped it, all events up to here took effect wholly.
        if !self.connection.is_autocommit() {
            self.commit()?;
        }
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => Ok(Ending::Done),
        }
    }

    /// Goes back to the last commit.
    fn begin_again(&mut self) -> Result<Ending, RebuildError> {
        self.guard.enter(Phase::Ours);
        let kept = record::load(self.connection).map_err(self.scratch.failed("its progress was read"))?;
        let (options, store) = (self.record.options.clone(), std::mem::take(&mut self.record.store));
        self.record = Record { options, store, ..kept.unwrap_or_default() };
        self.last = LastKey::None;
        Ok(Ending::Undone)
    }

    fn begin(&mut self) -> Result<(), RebuildError> {
        self.batch = 0;
        self.guard.enter(Phase::Ours);
        self.guard.begin_batch();
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(self.scratch.failed("a batch was begun"))?;
        self.guard.enter(Phase::Event);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RebuildError> {
        self.guard.enter(Phase::Ours);
        match std::mem::replace(&mut self.last, LastKey::None) {
            LastKey::None => (),
            LastKey::Integer(number) => self.record.reach(self.store, EventKey::integer(number))?,
            LastKey::Other(key) => self.record.reach(self.store, key)?,
        }
        self.guard.begin_event();
        record::save(self.connection, &self.record)
            .and_then(|()| self.connection.execute_batch("COMMIT"))
            .map_err(self.scratch.failed("a batch was kept"))?;
        Ok(())
    }

    fn meet(&mut self, row: &EventRow<'_>) -> Result<Onward, RebuildError> {
        let count = self.record.progress.count;
        if self.record.options.until.is_some_and(|until| count >= until) {
            return Ok(Onward::Enough);
        }
        if self.work.is_cancelled() {
            return Err(Cancelled.into());
        }
        let is_wanted = self.source.category.as_deref().is_none_or(|own| row.head.category == Some(own))
            && self.record.options.only.as_deref().is_none_or(|only| {
                *only.id == *row.head.id
                    && only.category.as_deref() == row.head.category
                    && only.stored.as_deref() == row.head.stored
            });
        let handler = self.by_type.iter().position(|(name, _)| **name == *row.head.event_type);
        if let (true, Some(handler)) = (is_wanted, handler) {
            if self.end_before == Some(count) {
                self.commit()?;
                self.begin()?;
            }
            match self.handle(row, handler)? {
                Handled::Yes => self.record.progress.handled += 1,
                Handled::Undone => {
                    self.end_before = Some(count);
                    self.ending = Ending::Undone;
                    return Ok(Onward::Enough);
                }
                Handled::Failed(failure) => {
                    let progress = &mut self.record.progress;
                    progress.failed += 1;
                    if progress.failures.len() < MOST_FAILURES {
                        progress.failures.push(failure);
                    }
                    if self.record.options.on_failure == OnFailure::Stop {
                        return Ok(Onward::Enough);
                    }
                }
            }
            self.batch += 1;
        }
        self.record.progress.count += 1;
        self.last = match row.head.key {
            ScanKey::Integer(number) => LastKey::Integer(number),
            ScanKey::Parts(_) => LastKey::Other(row.head.key.to_key()),
        };
        if self.batch >= BATCH_EVENTS || self.guard.batch_steps() >= BATCH_STEPS {
            self.commit()?;
            self.begin()?;
        }
        Ok(Onward::On)
    }

    /// Runs the statements of an event; all of them take effect, or none.
    fn handle(&mut self, row: &EventRow<'_>, handler: usize) -> Result<Handled, RebuildError> {
        self.guard.begin_event();
        let statements = self.by_type.get(handler).map(|(_, statements)| &**statements).unwrap_or_default();
        let broke = |doing| self.scratch.failed(doing);
        if let Some(now) = &mut self.now {
            let count = self.record.progress.count as i64 + 1;
            now.execute([count]).map_err(broke("an event was begun"))?;
        }
        let [begin, undo, end] = &mut self.savepoint;
        let is_several = statements.len() > 1;
        if is_several {
            begin.raw_execute().map_err(broke("an event was begun"))?;
        }
        let head = &row.head;
        spell_stream(&mut self.stream, head);
        self.time.clear();
        let mut texts = Texts { stream: &self.stream, time: &mut self.time };
        let mut failed = None;
        for number in statements {
            let Some(ready) = self.ready.get_mut(*number) else { continue };
            if let Err(fault) = run_statement(ready, row, &mut texts) {
                failed = Some((ready.handler, ready.line, fault));
                break;
            }
        }
        let Some((handler, line, fault)) = failed else {
            if is_several {
                end.raw_execute().map_err(broke("an event was ended"))?;
            }
            return Ok(Handled::Yes);
        };
        if self.work.is_cancelled() && fault.is_interrupt() && !self.guard.is_too_long() {
            return Err(Cancelled.into());
        }
        let is_undone = self.connection.is_autocommit();
        if is_several && !is_undone {
            undo.raw_execute().and_then(|_| end.raw_execute()).map_err(broke("an event was undone"))?;
        }
        let message = match fault {
            Fault::Unreadable(reason) => reason,
            Fault::Sqlite(err) if is_ours(&err) => return Err(broke("an event was handled")(err).into()),
            Fault::Sqlite(err) => said(&err),
        };
        if is_undone {
            if self.batch > 0 {
                return Ok(Handled::Undone);
            }
            // It was the first of its batch: nothing else is lost.
            self.begin()?;
        }
        let directive = self.source.handlers.get(handler).map(|handler| handler.directive());
        Ok(Handled::Failed(EventFailure {
            count: self.record.progress.count,
            event: label(head, &self.stream),
            directive: directive.unwrap_or_default(),
            line: Some(line),
            message: message.into(),
        }))
    }
}

/// Why a statement did not run.
enum Fault {
    /// A payload that it asks for cannot be read.
    Unreadable(String),
    Sqlite(rusqlite::Error),
}

impl Fault {
    fn is_interrupt(&self) -> bool {
        matches!(self, Self::Sqlite(err)
            if err.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
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

/// Whether the scratch database failed, and not the statement.
fn is_ours(err: &rusqlite::Error) -> bool {
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
