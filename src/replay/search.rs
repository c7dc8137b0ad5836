//! Running along a history to where conditions are met, in either direction.

use std::ops::{ControlFlow, Range};

use crate::{
    model::Json,
    replay::{
        condition::{Condition, Hit, Matcher, Need, Seen, Which},
        history::History,
        probe::Fault,
    },
    store::StoreResult,
    work::Work,
};

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// The steps that meet a condition, in the order of the history.
    pub hits: Vec<Hit>,
    /// Conditions that could not be asked everywhere: their places, and what went wrong first.
    pub faults: Vec<(usize, Fault)>,
    /// How many events were looked at.
    pub searched: u64,
    /// Conditions that name a place at which something was found, whatever it was.
    pub present: Which,
}

/// A backward run looks at this many events at least before it goes further down.
const LEAST_BLOCK: usize = 256;

/// Every step after `range.start` up to and including `range.end` that meets a condition.
pub fn hits(
    history: &History,
    conditions: &[Condition],
    range: Range<usize>,
    work: &Work,
) -> StoreResult<Findings> {
    run(history, conditions, range, work, false)
}

/// The first step behind `after` events that meets a condition.
pub fn next_hit(
    history: &History,
    conditions: &[Condition],
    after: usize,
    work: &Work,
) -> StoreResult<Findings> {
    work.expect_total(history.len().saturating_sub(after) as u64);
    run(history, conditions, after..history.len(), work, true)
}

/// The last step that meets a condition and has fewer than `before` events behind it.
///
/// The blocks between keyframes are looked at from the end down, so that a near hit is found soon.
pub fn previous_hit(
    history: &History,
    conditions: &[Condition],
    before: usize,
    work: &Work,
) -> StoreResult<Findings> {
    let mut end = before.saturating_sub(1).min(history.len());
    let mut found = Findings::default();
    while end > 0 {
        // A history that cannot be resumed is folded from its start for each block, so that the
        // blocks grow: as few as doubling gives.
        let distance = history.figures().distance;
        let block = match history.unresumable_at() {
            None => (4 * distance).max(LEAST_BLOCK),
            Some(_) => (found.searched as usize).max(LEAST_BLOCK),
        };
        let start = end.saturating_sub(block);
        let block = run(history, conditions, start..end, work, false)?;
        found.searched += block.searched;
        found.present = found.present.or(block.present);
        merge_faults(&mut found.faults, block.faults);
        if let Some(hit) = block.hits.last() {
            found.hits.push(*hit);
            break;
        }
        end = start;
    }
    Ok(found)
}

/// Adds what went wrong elsewhere; what lies first in the history is kept.
pub fn merge_faults(found: &mut Vec<(usize, Fault)>, others: Vec<(usize, Fault)>) {
    for (place, fault) in others {
        match found.iter_mut().find(|(own, _)| *own == place) {
            Some((_, own)) => {
                let times = own.times + fault.times;
                if fault.count < own.count {
                    *own = fault;
                }
                own.times = times;
            }
            None => found.push((place, fault)),
        }
    }
}

fn run(
    history: &History,
    conditions: &[Condition],
    range: Range<usize>,
    work: &Work,
    is_first_enough: bool,
) -> StoreResult<Findings> {
    let mut matcher = Matcher::start(conditions, work);
    let mut found = Findings::default();
    let mut look = |seen: Option<Seen<'_>>| {
        found.searched += 1;
        let Some(seen) = seen else { return ControlFlow::Continue(()) };
        let which = matcher.meets(&seen);
        if which.is_none() {
            return ControlFlow::Continue(());
        }
        found.hits.push(Hit { count: seen.count, which });
        if is_first_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let events = history.events();
    match Condition::needs(conditions) {
        Need::Type if events.event_type(1).is_some() => {
            let nothing = [&Json::Null; 2];
            for count in range.start + 1..=range.end.min(history.len()) {
                work.advance(1)?;
                let event_type = events.event_type(count).unwrap_or_default();
                let seen = Seen { count, event_type: &event_type, event: None, states: nothing };
                if look(Some(seen)).is_break() {
                    break;
                }
            }
        }
        Need::Type | Need::Event => events.visit(range, work, &mut |count, event| {
            look(event.as_ref().map(|event| Seen::event(count, event)))
        })?,
        Need::State => history.walk(range, work, &mut |step| look(Seen::of(&step)))?,
    }
    // What an expression said when it was interrupted says nothing about an event.
    work.advance(0)?;
    found.faults = matcher.take_faults();
    found.present = matcher.present();
    Ok(found)
}
