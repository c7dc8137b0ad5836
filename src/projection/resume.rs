//! Whether an earlier rebuild can go on, or has to start anew.

use crate::{
    model::EventKey,
    projection::{
        Definition, OnFailure, RebuildError, RebuildOptions, Scratch,
        record::{self, Record, StoreMark},
    },
    store::{EventStore, KeyRange},
    work::Work,
};

/// The kept record, if the rebuild that is asked for goes on from there: the same definition, the same
/// choice of events, and a store in which the last event is the same and exactly as many lie before it as then.
///
/// Counts the events that lie behind on `work`.
pub(super) fn usable(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    options: &RebuildOptions,
    (kept, mark): (Option<Record>, &StoreMark),
) -> Result<Option<Record>, RebuildError> {
    let Some(mut record) = kept.filter(|record| is_same_rebuild(record, definition, options)) else {
        return Ok(None);
    };
    let count = record.progress.count;
    let is_same_store = record.store == *mark;
    if !is_of(work, store, &record, mark)? {
        return Ok(None);
    }
    if is_same_store {
        work.goes_on_from(count);
    }
    let is_whole = options.until == Some(count) || (is_same_store && options.until == record.options.until);
    record.progress.is_complete &= is_whole;
    // The event that stopped it is tried again.
    let is_tried_again = record.progress.failures.last().is_some_and(|failure| failure.count == count);
    if is_tried_again {
        record.progress.failures.pop();
        record.progress.failed = record.progress.failed.saturating_sub(1);
    }
    record.options = options.clone();
    Ok(Some(record))
}

/// Whether what lies in a scratch database is still true of a store: its last event is the same, and exactly as
/// many lie before it as then. Nothing is true that no rebuild began.
///
/// Counts the events that lie behind on `work`, where they have to be counted.
pub fn still_holds(work: &Work, store: &dyn EventStore, scratch: &Scratch) -> Result<bool, RebuildError> {
    if !scratch.path().exists() {
        return Ok(false);
    }
    let kept = record::load(&scratch.reader(work)?).map_err(scratch.failed("its progress was read"))?;
    let Some(record) = kept else { return Ok(false) };
    is_of(work, store, &record, &StoreMark::of(store)?)
}

fn is_of(
    work: &Work,
    store: &dyn EventStore,
    record: &Record,
    mark: &StoreMark,
) -> Result<bool, RebuildError> {
    if let Some(last) = &record.last
        && record::digest(store, last)? != record.last_is
    {
        return Ok(false);
    }
    let is_same_store = record.store == *mark;
    Ok(is_same_store || lies_behind(work, store, record.last.as_ref(), record.progress.count)?)
}

fn is_same_rebuild(record: &Record, definition: &Definition, options: &RebuildOptions) -> bool {
    let own = &record.options;
    let is_within = options.until.is_none_or(|until| until >= record.progress.count);
    // What was skipped would have stopped it.
    let skipped =
        record.progress.failures.first().is_some_and(|failure| failure.count < record.progress.count);
    record.fingerprint == definition.fingerprint
        && own.from == options.from
        && own.only == options.only
        && own.without_history == options.without_history
        && is_within
        && (options.on_failure == OnFailure::Skip || !skipped)
}

/// Whether the store has exactly `count` events up to this one.
fn lies_behind(
    work: &Work,
    store: &dyn EventStore,
    last: Option<&EventKey>,
    count: u64,
) -> Result<bool, RebuildError> {
    let Some(last) = last else { return Ok(count == 0) };
    let (mut met, mut is_last) = (0_u64, false);
    let range = KeyRange { after: None, until: Some(last.clone()) };
    store.scan(work, &range, &mut |row| {
        met += 1;
        is_last = row.key.with_parts(|parts| parts == &*last.0);
    })?;
    Ok(met == count && is_last)
}
