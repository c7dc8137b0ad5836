//! Applying a reducer to events, one after the other.

use crate::{
    model::{EventKey, Json, RecordedEvent},
    replay::reducer::{Failure, Reducer},
    store::{EventStore, StoreResult},
    work::Work,
};

/// Events are fetched this many at a time: enough to make the cost of a read small, few enough
/// that a cancelled seek ends within a frame.
pub(crate) const BATCH: usize = 256;

/// What a fold made.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The state after the last event.
    pub state: Json,
    /// How many events were applied.
    pub applied: u64,
    /// Those that were not, by how many events lie behind them, themselves included.
    pub failed: Vec<(usize, Failure)>,
    /// The last event of the history.
    pub last: Option<RecordedEvent>,
}

/// Folds the events of a history, given by their keys in order, from the reducer's first state.
pub fn fold(
    store: &dyn EventStore,
    keys: impl IntoIterator<Item = EventKey>,
    reducer: &dyn Reducer,
    work: &Work,
) -> StoreResult<Folded> {
    let mut folded = Folded { state: reducer.initial(), applied: 0, failed: Vec::new(), last: None };
    let mut index = 0;
    visit(store, keys, work, |event| {
        index += 1;
        let Some(event) = event else { return };
        match reducer.apply(&mut folded.state, &event) {
            Ok(()) => folded.applied += 1,
            Err(failure) => folded.failed.push((index, failure)),
        }
        folded.last = Some(event);
    })?;
    Ok(folded)
}

/// Hands each event to `each`, in the order of the keys; `None` for one that is gone.
pub(crate) fn visit(
    store: &dyn EventStore,
    keys: impl IntoIterator<Item = EventKey>,
    work: &Work,
    mut each: impl FnMut(Option<RecordedEvent>),
) -> StoreResult<()> {
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        let batch: Vec<EventKey> = keys.by_ref().take(BATCH).collect();
        for event in store.fetch(work, &batch)? {
            each(event);
        }
        work.advance(batch.len() as u64)?;
    }
    Ok(())
}
