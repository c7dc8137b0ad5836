//! Running a script over the events of a store.

use std::sync::Arc;

use rusqlite::Connection;

use crate::{
    model::{EventKey, StreamName},
    projection::{
        Definition, DefinitionError, EventFailure, OnFailure, Progress, RebuildError, RebuildOptions,
        Scratch, ScratchError,
        guard::Guard,
        record::{self, MOST_FAILURES, Record, StoreMark},
        resume,
        scripted::{
            envelopes::Envelopes,
            ledger::{Ledger, forget_faults_ahead},
            states::States,
            tables::{self, FaultRow, Writer},
        },
    },
    script::{Envelope, Faulted, Processed, Runner, Script, Step},
    store::{
        EventStore, KeyRange, StoreError,
        read::{EventRow, Onward, Wanted},
    },
    work::{Cancelled, Work},
};

/// So many events are one transaction.
const BATCH: u64 = 4096;

/// And no more bytes of states than about so many.
const BATCH_BYTES: usize = 32 << 20;

/// So many faults are kept; the rest are only counted.
const FAULTS: u64 = 10_000;

/// Runs a script over the events of a store, and goes on where an earlier run stopped if that comes to the
/// same: if the script kept variables outside its handlers, it starts anew.
pub(crate) fn run(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    script: &Script,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Result<Progress, RebuildError> {
    let (connection, guard) = scratch.writer(work)?;
    let mark = StoreMark::of(store)?;
    let (mut record, ledger) = match kept(work, store, definition, options, (&connection, scratch, &mark))? {
        Some(kept) => kept,
        None => begin_anew(&connection, definition, scratch, options)?,
    };
    record.store = mark;
    if record.progress.is_complete {
        return Ok(record.progress);
    }
    let runner = Runner::start(script, work).map_err(|err| unloadable(definition, &err.failure))?;
    let writer = Writer::new(&connection).map_err(scratch.failed("it was got ready"))?;
    let mut run = Run {
        work,
        store,
        scratch,
        connection: &connection,
        guard: &guard,
        until: options.until.unwrap_or(u64::MAX),
        runner,
        envelopes: Envelopes::new(script),
        writer,
        states: States::new(!options.without_history, script.options().engine),
        record,
        last: Last::Unchanged,
        trouble: None,
    };
    run.take_up(ledger)?;
    run.go()
}

/// What an earlier run left, if going on from there comes to what a whole run comes to.
fn kept(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    options: &RebuildOptions,
    (connection, scratch, mark): (&Connection, &Scratch, &StoreMark),
) -> Result<Option<(Record, Ledger)>, RebuildError> {
    let failed = || scratch.failed("its progress was read");
    let kept = record::load(connection).map_err(failed())?;
    if !tables::exist(connection).map_err(failed())? {
        return Ok(None);
    }
    let ledger = Ledger::read(connection).map_err(failed())?;
    let usable = resume::usable(work, store, definition, options, (kept, mark))?;
    // A run that is at its end needs nothing to go on from.
    let goes_on = |record: &Record| ledger.is_resumable || record.progress.is_complete;
    Ok(usable.filter(goes_on).map(|record| (record, ledger)))
}

/// Empties the scratch database, and makes the tables.
fn begin_anew(
    connection: &Connection,
    definition: &Definition,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Result<(Record, Ledger), RebuildError> {
    scratch.clear(connection)?;
    let record = Record {
        fingerprint: Arc::clone(&definition.fingerprint),
        options: options.clone(),
        ..Record::default()
    };
    let ledger = Ledger { is_resumable: true, shared: None };
    let make = || {
        let transaction = connection.unchecked_transaction()?;
        tables::make(connection)?;
        record::create(connection)?;
        record::save(connection, &record)?;
        ledger.write(connection)?;
        transaction.commit()
    };
    make().map_err(scratch.failed("its tables were made"))?;
    Ok((record, ledger))
}

fn unloadable(definition: &Definition, failure: &crate::model::Failure) -> DefinitionError {
    DefinitionError {
        file: Arc::clone(&definition.file),
        line: failure.line.unwrap_or(1),
        message: failure.message.to_string(),
        directive: None,
    }
}

/// The last event that lies behind, kept as cheaply as it is met.
enum Last {
    /// What the ledger says.
    Unchanged,
    Integer(i64),
    Key(EventKey),
}

/// Why a run ends before the store does.
enum Trouble {
    /// An event failed, and the run stops at failures.
    Fault,
    Cancelled,
    Store(StoreError),
    Scratch(ScratchError),
}

impl Trouble {
    /// What the caller is told; a fault is written down, and no error.
    fn error(self) -> Option<RebuildError> {
        match self {
            Self::Fault => None,
            Self::Cancelled => Some(Cancelled.into()),
            Self::Store(err) => Some(err.into()),
            Self::Scratch(err) => Some(err.into()),
        }
    }
}

struct Run<'a> {
    work: &'a Work,
    store: &'a dyn EventStore,
    scratch: &'a Scratch,
    connection: &'a Connection,
    guard: &'a Guard,
    until: u64,
    runner: Runner,
    envelopes: Envelopes,
    writer: Writer<'a>,
    states: States,
    record: Record,
    last: Last,
    trouble: Option<Trouble>,
}

impl Run<'_> {
    /// Puts in place what an earlier run left.
    fn take_up(&mut self, ledger: Ledger) -> Result<(), RebuildError> {
        let failed = || self.scratch.failed("it was taken up again");
        self.runner.watch_globals();
        self.states.take_up(self.connection, &mut self.runner).map_err(failed())?;
        if let Some(shared) = ledger.shared {
            self.runner.set_shared_state(shared.last.clone());
            self.states.take_up_shared(shared);
        }
        forget_faults_ahead(self.connection, self.record.progress.count).map_err(failed())?;
        Ok(())
    }

    fn go(mut self) -> Result<Progress, RebuildError> {
        self.begin()?;
        let range = KeyRange { after: self.record.last.clone(), until: None };
        let wanted = self.envelopes.wanted();
        let wanted = wanted.as_deref().map_or(Wanted::All, Wanted::Types);
        let (work, store) = (self.work, self.store);
        let read = store.read(work, &range, wanted, &mut |row| match self.event(row) {
            Ok(onward) => onward,
            Err(trouble) => {
                self.trouble = Some(trouble);
                Onward::Enough
            }
        });
        let trouble = match (self.trouble.take(), read) {
            (Some(trouble), _) => Some(trouble),
            (None, Err(StoreError::Cancelled(_))) => Some(Trouble::Cancelled),
            (None, Err(err)) => Some(Trouble::Store(err)),
            (None, Ok(_)) => None,
        };
        if let Some(Trouble::Scratch(err)) = trouble {
            return Err(err.into());
        }
        self.record.progress.is_complete = trouble.is_none();
        let unkept = self.commit().err();
        match unkept.or(trouble).and_then(Trouble::error) {
            None => Ok(self.record.progress),
            Some(err) => Err(err),
        }
    }

    fn begin(&self) -> Result<(), ScratchError> {
        self.guard.begin_event();
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(self.scratch.failed("a batch was begun"))
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        // However much there is to write, it is written, even if the work was withdrawn.
        self.guard.begin_event();
        match std::mem::replace(&mut self.last, Last::Unchanged) {
            Last::Unchanged => {}
            Last::Integer(number) => self.reach(EventKey::integer(number))?,
            Last::Key(key) => self.reach(key)?,
        }
        let ledger =
            Ledger { is_resumable: self.runner.is_resumable(), shared: self.states.shared().cloned() };
        let connection = self.connection;
        self.states
            .write(&mut self.writer)
            .and_then(|()| record::save(connection, &self.record))
            .and_then(|()| ledger.write(connection))
            .and_then(|()| connection.execute_batch("COMMIT"))
            .map_err(self.scratch.failed("a batch was kept"))
            .map_err(Trouble::Scratch)
    }

    fn reach(&mut self, last: EventKey) -> Result<(), Trouble> {
        self.record.reach(self.store, last).map_err(Trouble::Store)
    }

    /// Meets one event; all that comes of it, or nothing, is written.
    fn event(&mut self, row: &EventRow<'_>) -> Result<Onward, Trouble> {
        let count = self.record.progress.count;
        if count >= self.until {
            return Ok(Onward::Enough);
        }
        if count >= self.record.options.from && self.envelopes.may_reach(row) {
            self.feed(row, count)?;
        }
        self.record.progress.count = count + 1;
        self.last = match row.head.key {
            crate::store::ScanKey::Integer(number) => Last::Integer(number),
            key => Last::Key(key.to_key()),
        };
        let is_end = count + 1 >= self.until;
        if is_end || (count + 1).is_multiple_of(BATCH) || self.states.pending_bytes() > BATCH_BYTES {
            self.commit()?;
            self.begin().map_err(Trouble::Scratch)?;
        }
        Ok(if is_end { Onward::Enough } else { Onward::On })
    }

    fn feed(&mut self, row: &EventRow<'_>, before: u64) -> Result<(), Trouble> {
        let envelope = self.envelopes.envelope(row, self.store).map_err(|err| match err {
            StoreError::Cancelled(_) => Trouble::Cancelled,
            err => Trouble::Store(err),
        })?;
        if let Some(only) = self.record.options.only.clone()
            && !self.is_wanted(&only, &envelope)
        {
            return Ok(());
        }
        match self.runner.feed(&envelope) {
            Step::Skipped(_) => Ok(()),
            Step::Processed(step) => {
                self.record.progress.handled += 1;
                let keep = self.keep(&step, before + 1);
                keep.map_err(self.scratch.failed("a step was kept")).map_err(Trouble::Scratch)
            }
            // Nothing of it happened: the next run meets the event again.
            Step::Faulted(_) if self.work.is_cancelled() => Err(Trouble::Cancelled),
            Step::Faulted(fault) => self.fault(&fault, &envelope, before),
        }
    }

    /// Whether an event is of the one stream or partition that is wanted.
    fn is_wanted(&mut self, only: &StreamName, envelope: &Arc<Envelope>) -> bool {
        let name = only.full();
        if *envelope.stream == *name {
            return true;
        }
        // A partition that cannot be found out is not the one.
        self.runner.script().definition().by_custom_partitions
            && matches!(self.runner.partition_of(envelope), Ok(Some(partition)) if partition == name)
    }

    fn keep(&mut self, step: &Processed, count: u64) -> rusqlite::Result<()> {
        self.states.keep(&mut self.writer, step, count)?;
        for event in &step.emitted {
            self.writer.emitted(count, &step.partition, event)?;
        }
        step.logs.iter().try_for_each(|line| self.writer.log(count, &step.partition, line))
    }

    fn fault(&mut self, fault: &Faulted, envelope: &Envelope, before: u64) -> Result<(), Trouble> {
        let handler: Arc<str> = envelope.event_type.as_ref().into();
        let label = envelope.label();
        let partition = fault.partition.as_deref().unwrap_or_default();
        let progress = &mut self.record.progress;
        progress.failed += 1;
        if progress.failures.len() < MOST_FAILURES {
            progress.failures.push(EventFailure {
                count: before,
                event: label.as_str().into(),
                directive: Arc::clone(&handler),
                line: fault.failure.line,
                message: Arc::clone(&fault.failure.message),
            });
        }
        if progress.failed <= FAULTS || self.record.options.on_failure == OnFailure::Stop {
            let row = FaultRow {
                count: before,
                partition,
                kind: fault.fault.name(),
                event: &label,
                handler: &handler,
                failure: &fault.failure,
            };
            self.writer
                .fault(&row)
                .map_err(self.scratch.failed("a fault was kept"))
                .map_err(Trouble::Scratch)?;
        }
        match self.record.options.on_failure {
            OnFailure::Stop => Err(Trouble::Fault),
            OnFailure::Skip => {
                // A transform that fails leaves the state that its handler made.
                self.states
                    .keep_after_fault(&mut self.writer, partition, &mut self.runner, before + 1)
                    .and_then(|()| {
                        fault.logs.iter().try_for_each(|line| self.writer.log(before + 1, partition, line))
                    })
                    .map_err(self.scratch.failed("a step was kept"))
                    .map_err(Trouble::Scratch)
            }
        }
    }
}
