//! Running a script over the events of a store.

use std::sync::Arc;

use rusqlite::Connection;

use crate::{
    model::{EventKey, EventQuery, StreamName},
    projection::{
        Definition, DefinitionError, OnFailure, Progress, RebuildError, RebuildOptions, Scratch, ScratchError,
        scripted::{
            envelopes::Envelopes,
            ledger::{Ledger, event_failure, forget_failures_ahead, names_another},
            states::States,
            tables::{self, FaultRow, Writer, failed},
        },
    },
    script::{Envelope, Faulted, Processed, Runner, Script, Step},
    store::{
        EventStore, KeyRange, PageFrom, StoreError,
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
    let connection = tables::open(scratch)?;
    let identity = identity(definition, options);
    let kept = kept(work, store, &connection, scratch)?.filter(|kept| *kept.identity == *identity);
    let until = options.until.unwrap_or(u64::MAX);
    // What was rebuilt with its history answers for every moment before, too.
    if let Some(kept) = &kept
        && kept.progress.count >= until
        && (kept.progress.count == until || !options.without_history)
    {
        return Ok(kept.progress.clone());
    }
    if let Some(kept) = &kept
        && kept.progress.is_complete
        && !has_more(work, store, kept)?
    {
        return Ok(kept.progress.clone());
    }
    let goes_on = |kept: &Ledger| kept.is_resumable && kept.progress.count <= until;
    let ledger = match kept.filter(goes_on) {
        Some(kept) => kept,
        None => {
            tables::make(&connection).map_err(failed(scratch, "making tables"))?;
            Ledger { identity, is_resumable: true, ..Ledger::default() }
        }
    };
    let runner = Runner::start(script, work).map_err(|err| unloadable(definition, &err.failure))?;
    let writer = Writer::new(&connection).map_err(failed(scratch, "preparing"))?;
    let mut run = Run {
        work,
        store,
        scratch,
        connection: &connection,
        options,
        until,
        runner,
        envelopes: Envelopes::new(script),
        writer,
        states: States::new(!options.without_history, script.options().engine),
        ledger,
        last: Last::Unchanged,
        trouble: None,
    };
    run.take_up()?;
    run.go()
}

/// Which runs may go on from another: what happens at a failure and how far it went make no difference.
fn identity(definition: &Definition, options: &RebuildOptions) -> Arc<str> {
    let only = options.only.as_ref().map(|stream| stream.full());
    let RebuildOptions { from, without_history, .. } = options;
    format!("script 1 {from} {only:?} {without_history} {}", definition.fingerprint).into()
}

fn unloadable(definition: &Definition, failure: &crate::model::Failure) -> DefinitionError {
    DefinitionError {
        file: Arc::clone(&definition.file),
        line: failure.line.unwrap_or(1),
        message: failure.message.to_string(),
        directive: None,
    }
}

/// What an earlier run left, if the store still has the event that it came to.
fn kept(
    work: &Work,
    store: &dyn EventStore,
    connection: &Connection,
    scratch: &Scratch,
) -> Result<Option<Ledger>, RebuildError> {
    let failed = failed(scratch, "reading how far it came");
    if !tables::exist(connection).map_err(&failed)? {
        return Ok(None);
    }
    let Some(ledger) = Ledger::read(connection).map_err(&failed)? else { return Ok(None) };
    let Some(last) = &ledger.last else { return Ok(Some(ledger)) };
    let found = store.fetch(&Work::default(), std::slice::from_ref(last))?;
    work.advance(0)?;
    let is_there = found.into_iter().flatten().next().is_some_and(|event| {
        *Envelope::from(&event).label() == *ledger.last_label
    });
    Ok(is_there.then_some(ledger))
}

/// Whether the store has events behind the last one.
fn has_more(work: &Work, store: &dyn EventStore, kept: &Ledger) -> Result<bool, RebuildError> {
    let from = kept.last.clone().map_or(PageFrom::Start, PageFrom::After);
    Ok(!store.page(work, &EventQuery::default(), &from, 1)?.is_empty())
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

struct Run<'a> {
    work: &'a Work,
    store: &'a dyn EventStore,
    scratch: &'a Scratch,
    connection: &'a Connection,
    options: &'a RebuildOptions,
    until: u64,
    runner: Runner,
    envelopes: Envelopes,
    writer: Writer<'a>,
    states: States,
    ledger: Ledger,
    last: Last,
    trouble: Option<Trouble>,
}

impl Run<'_> {
    /// Puts in place what an earlier run left.
    fn take_up(&mut self) -> Result<(), RebuildError> {
        self.runner.watch_globals();
        let failed = failed(self.scratch, "taking up an earlier run");
        self.states.take_up(self.connection, &mut self.runner).map_err(&failed)?;
        if let Some((state, ..)) = &self.ledger.shared {
            self.runner.set_shared_state(state.clone());
            self.states.take_up_shared(&self.ledger);
        }
        let progress = &mut self.ledger.progress;
        progress.is_complete = false;
        let gone = forget_failures_ahead(self.connection, progress.count).map_err(&failed)?;
        progress.failed = progress.failed.saturating_sub(gone);
        progress.failures.retain(|failure| failure.count < progress.count);
        self.work.advance(progress.count)?;
        Ok(())
    }

    fn go(mut self) -> Result<Progress, RebuildError> {
        self.begin()?;
        let range = KeyRange { after: self.ledger.last.clone(), until: None };
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
        self.ledger.progress.is_complete = trouble.is_none();
        self.name_last();
        self.commit()?;
        match trouble {
            None | Some(Trouble::Fault) => Ok(self.ledger.progress),
            Some(Trouble::Cancelled) => Err(Cancelled.into()),
            Some(Trouble::Store(err)) => Err(err.into()),
            Some(Trouble::Scratch(err)) => Err(err.into()),
        }
    }

    fn begin(&self) -> Result<(), ScratchError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed(self.scratch, "beginning a batch"))
    }

    /// Notes what the last event is that lies behind, as the store has it now.
    fn name_last(&mut self) {
        self.note_last();
        let Some(last) = &self.ledger.last else { return };
        // One that cannot be read is no event to go on from.
        let found = self.store.fetch(&Work::default(), std::slice::from_ref(last)).unwrap_or_default();
        let label = found.first().and_then(Option::as_ref).map(|event| Envelope::from(event).label());
        self.ledger.last_label = label.unwrap_or_default().into();
    }

    fn note_last(&mut self) {
        match std::mem::replace(&mut self.last, Last::Unchanged) {
            Last::Unchanged => {}
            Last::Integer(number) => self.ledger.last = Some(EventKey::integer(number)),
            Last::Key(key) => self.ledger.last = Some(key),
        }
    }

    fn commit(&mut self) -> Result<(), ScratchError> {
        self.note_last();
        self.ledger.is_resumable = self.runner.is_resumable();
        self.ledger.shared = self.states.shared();
        let connection = self.connection;
        self.states
            .write(&mut self.writer)
            .and_then(|()| self.ledger.write(connection))
            .and_then(|()| connection.execute_batch("COMMIT"))
            .map_err(failed(self.scratch, "ending a batch"))
    }

    /// Meets one event; all that comes of it, or nothing, is written.
    fn event(&mut self, row: &EventRow<'_>) -> Result<Onward, Trouble> {
        let count = self.ledger.progress.count;
        if count >= self.until {
            return Ok(Onward::Enough);
        }
        if count >= self.options.from && self.envelopes.may_reach(row) {
            self.feed(row, count)?;
        }
        self.ledger.progress.count = count + 1;
        self.last = match row.head.key {
            crate::store::ScanKey::Integer(number) => Last::Integer(number),
            key => Last::Key(key.to_key()),
        };
        let is_end = count + 1 >= self.until;
        if is_end || (count + 1).is_multiple_of(BATCH) || self.states.pending_bytes() > BATCH_BYTES {
            self.ledger.last_label = Envelopes::label(row).into();
            let next = |run: &mut Self| run.commit().and_then(|()| run.begin());
            next(self).map_err(Trouble::Scratch)?;
        }
        Ok(if is_end { Onward::Enough } else { Onward::On })
    }

    fn feed(&mut self, row: &EventRow<'_>, before: u64) -> Result<(), Trouble> {
        let envelope = self.envelopes.envelope(row, self.store).map_err(|err| match err {
            StoreError::Cancelled(_) => Trouble::Cancelled,
            err => Trouble::Store(err),
        })?;
        if let Some(only) = &self.options.only
            && !self.is_wanted(only, &envelope)
        {
            return Ok(());
        }
        match self.runner.feed(&envelope) {
            Step::Skipped(_) => Ok(()),
            Step::Processed(step) => {
                self.ledger.progress.handled += 1;
                let keep = self.keep(&step, before + 1);
                keep.map_err(failed(self.scratch, "keeping a step")).map_err(Trouble::Scratch)
            }
            // Nothing of it happened: the next run meets the event again.
            Step::Faulted(_) if self.work.is_cancelled() => Err(Trouble::Cancelled),
            Step::Faulted(fault) => self.fault(&fault, &envelope, before),
        }
    }

    /// Whether an event is of the one stream or partition that is wanted.
    fn is_wanted(&mut self, only: &StreamName, envelope: &Envelope) -> bool {
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
        let progress = &mut self.ledger.progress;
        progress.failed += 1;
        if names_another(progress) {
            let failure = event_failure(before, &label, Arc::clone(&handler), &fault.failure);
            progress.failures.push(failure);
        }
        if progress.failed <= FAULTS || self.options.on_failure == OnFailure::Stop {
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
                .map_err(failed(self.scratch, "keeping a fault"))
                .map_err(Trouble::Scratch)?;
        }
        match self.options.on_failure {
            OnFailure::Stop => Err(Trouble::Fault),
            OnFailure::Skip => {
                // A transform that fails leaves the state that its handler made.
                self.states
                    .keep_after_fault(&mut self.writer, partition, &self.runner, before + 1)
                    .and_then(|()| {
                        fault.logs.iter().try_for_each(|line| self.writer.log(before + 1, partition, line))
                    })
                    .map_err(failed(self.scratch, "keeping a step"))
                    .map_err(Trouble::Scratch)
            }
        }
    }
}
