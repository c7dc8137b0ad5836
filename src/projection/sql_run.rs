//! The statements of an SQL projection, run over the events of a store.

use std::{ops::Range, sync::Arc};

use rusqlite::Connection;

use crate::{
    model::EventKey,
    projection::{
        Definition, EventFailure, OnFailure, Progress, RebuildError, RebuildOptions, Scratch,
        compile::{self, said},
        definition::SqlSource,
        guard::{Guard, Phase},
        history::{self, KeyRule},
        journal::Journal,
        record::{self, MOST_FAILURES, Record, StoreMark},
        recorder::Recorder,
        resume,
        sql_event::{Failed, Fault, Handlers, is_interrupt, is_ours},
        table_facts::TableFacts,
    },
    store::{
        EventStore, KeyRange, ScanKey, StoreError,
        read::{EventRow, Onward, Wanted},
    },
    work::{Cancelled, Work},
};

/// Events handled before the first commit, and at most between two; a killed process loses no more than these.
///
/// Each commit writes every page that its batch touched, so they grow apart as a rebuild gets longer.
const BATCH_EVENTS: Range<u64> = 100_000..800_000;

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
    let (mut connection, guard) = scratch.writer(work)?;
    let wrap = |doing: &str| scratch.failed(doing);
    let journal = (!options.without_history).then(|| Journal::attach(&mut connection, &definition.name));
    let journal = journal.transpose().map_err(wrap("it was opened"))?;
    let mark = StoreMark::of(store)?;
    let kept = record::load(&connection).map_err(wrap("its progress was read"))?;
    let mut record = match resume::usable(work, store, definition, options, (kept, &mark))? {
        Some(record) => record,
        None => begin_anew((&connection, &guard, journal.as_ref()), definition, source, (scratch, options))?,
    };
    record.store = mark;
    if record.progress.is_complete {
        return Ok(record.progress);
    }
    record::save(&connection, &record).map_err(wrap("its progress was kept"))?;
    let ready = compile::prepare(&connection, &guard, definition, source)?;
    let started = || -> rusqlite::Result<(Handlers<'_>, Option<Recorder<'_>>)> {
        let recorder = recorder(&connection, journal.as_ref(), definition)?;
        Ok((Handlers::new(&connection, source, ready)?, recorder))
    };
    let (handlers, recorder) = started().map_err(wrap("it was got ready"))?;
    let mut pass = Pass {
        connection: &connection,
        guard: &guard,
        scratch,
        store,
        work,
        definition,
        source,
        handlers,
        recorder,
        record,
        last: LastKey::None,
        batch: 0,
        most: BATCH_EVENTS.start,
        end_before: None,
        ending: Ending::Done,
        trouble: None,
    };
    pass.pass_over(store)?;
    while pass.go(store)? == Ending::Undone {}
    let progress = pass.record.progress.clone();
    drop(pass);
    if !options.without_history {
        guard.begin_event();
        let indexed = history::index(&connection, &definition.key);
        if let Err(err) = indexed {
            // Reading makes it, if the work was withdrawn now.
            if !work.is_cancelled() {
                return Err(wrap("the history was put in order")(err).into());
            }
        }
    }
    Ok(progress)
}

/// Who writes the history, if it is wanted.
fn recorder<'c>(
    connection: &'c Connection,
    journal: Option<&Journal>,
    definition: &Definition,
) -> rusqlite::Result<Option<Recorder<'c>>> {
    match (journal, TableFacts::read(connection, &definition.name)?) {
        (Some(journal), Ok(facts)) => Recorder::new(connection, journal, definition, &facts).map(Some),
        (None, _) | (_, Err(_)) => Ok(None),
    }
}

/// Empties the scratch database, and makes the tables: the projection's and ours.
fn begin_anew(
    (connection, guard, journal): (&Connection, &Guard, Option<&Journal>),
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
            let rules = (KeyRule::of(source), journal.is_some());
            history::install(connection, &definition.name, &facts, &definition.key, rules)?;
            if let Some(mut recorder) = recorder(connection, journal, definition)? {
                recorder.keep_first_rows(definition, &facts)?;
            }
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
    definition: &'c Definition,
    source: &'c SqlSource,
    handlers: Handlers<'c>,
    recorder: Option<Recorder<'c>>,
    record: Record,
    last: LastKey,
    /// Events handled since the last commit.
    batch: u64,
    /// So many of them end the batch.
    most: u64,
    /// Where the batch has to end, since the event there undoes it.
    end_before: Option<u64>,
    ending: Ending,
    trouble: Option<RebuildError>,
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

impl Pass<'_> {
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

    fn go(&mut self, store: &dyn EventStore) -> Result<Ending, RebuildError> {
        let until = self.record.options.until.unwrap_or(u64::MAX);
        let is_short = self.record.progress.count < self.record.options.from.min(until);
        self.begin()?;
        self.ending = Ending::Done;
        if self.record.progress.count < until && !is_short {
            let range = KeyRange { after: self.record.last.clone(), until: None };
            let types = self.handlers.types();
            let wanted = self.handlers.wanted(&types);
            let read = store.read(self.work, &range, wanted, &mut |row| {
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
        if let Some(recorder) = &mut self.recorder {
            recorder.look_again().map_err(self.scratch.failed("its history was read"))?;
        }
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
        let is_wanted = || {
            self.source.category.as_deref().is_none_or(|own| row.head.category == Some(own))
                && self.record.options.only.as_deref().is_none_or(|only| {
                    *only.id == *row.head.id
                        && only.category.as_deref() == row.head.category
                        && only.stored.as_deref() == row.head.stored
                })
        };
        // Of an event that nothing runs at no more than its type is known.
        let at = self.handlers.at(row.head.event_type).filter(|_| is_wanted());
        if let Some(at) = at {
            if self.end_before == Some(count) {
                self.commit()?;
                self.begin()?;
            }
            match self.handle(row, at)? {
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
        if self.batch >= self.most || self.guard.batch_steps() >= BATCH_STEPS {
            self.most = (self.most * 2).min(BATCH_EVENTS.end);
            self.commit()?;
            self.begin()?;
        }
        Ok(Onward::On)
    }

    /// Runs the statements of an event, and writes down what they did; all of it takes effect, or nothing.
    fn handle(&mut self, row: &EventRow<'_>, at: usize) -> Result<Handled, RebuildError> {
        self.guard.begin_event();
        let ran = self.handlers.run(at, row).map_err(self.scratch.failed("an event was handled"))?;
        let Some(Failed { handler, line, fault }) = ran else {
            self.keep_history()?;
            return Ok(Handled::Yes);
        };
        if let Some(recorder) = &self.recorder {
            recorder.forget();
        }
        if self.work.is_cancelled() && fault.is_interrupt() && !self.guard.is_too_long() {
            return Err(Cancelled.into());
        }
        let message = match fault {
            Fault::Unreadable(reason) => reason,
            Fault::Sqlite(err) if is_ours(&err) => {
                return Err(self.scratch.failed("an event was handled")(err).into());
            }
            Fault::Sqlite(err) => self.worded(said(&err)),
        };
        if self.connection.is_autocommit() {
            if self.batch > 0 {
                return Ok(Handled::Undone);
            }
            // It was the first of its batch: nothing else is lost.
            self.begin()?;
        }
        let directive = self.source.handlers.get(handler).map(|handler| handler.directive());
        Ok(Handled::Failed(EventFailure {
            count: self.record.progress.count,
            event: self.handlers.label(&row.head),
            directive: directive.unwrap_or_default(),
            line: Some(line),
            message: message.into(),
        }))
    }

    fn keep_history(&mut self) -> Result<(), RebuildError> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let count = self.record.progress.count as i64 + 1;
        let Err(err) = self.guard.as_ours(|| recorder.keep_event(count)) else { return Ok(()) };
        // A row without its history must not be kept: back to the last commit.
        if !self.connection.is_autocommit() {
            let undone = self.guard.as_ours(|| self.connection.execute_batch("ROLLBACK"));
            undone.map_err(self.scratch.failed("a batch was undone"))?;
        }
        if self.work.is_cancelled() && is_interrupt(&err) {
            return Err(Cancelled.into());
        }
        Err(self.scratch.failed("the history was written")(err).into())
    }

    /// What SQLite says about a row without a key, in our words.
    fn worded(&self, said: String) -> String {
        let is_about = |name: &&Arc<str>| {
            said.strip_prefix("NOT NULL constraint failed: ")
                .and_then(|column| column.strip_prefix(&*self.definition.name)?.strip_prefix('.'))
                .is_some_and(|column| *column == ***name)
        };
        match self.definition.key.iter().find(is_about) {
            Some(name) => history::no_key(name),
            None => said,
        }
    }
}
