//! A reducer in JavaScript: a [`Script`] folded over one stream.
//!
//! Starting an engine takes longer than folding to the nearest keyframe. So an engine that a fold is done
//! with stays warm for the next fold by the same script on the same thread, if nothing in it tells that it
//! was used.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::{
        changes::StepNotes,
        envelopes::RowEnvelopes,
        reducer::{Applied, Fed, Feed, Folding, Reducer, Rounding},
    },
    script::{Envelope, Runner, Script, Step, are_engines_too_large, is_plain_json},
    store::read::{Body, EventRow},
    work::Work,
};

/// A reducer that the user wrote.
#[derive(Debug, Clone)]
pub struct Scripted {
    script: Script,
}

impl Scripted {
    /// The script should have been loaded by [`Script::load_reducer`].
    #[must_use]
    pub fn new(script: Script) -> Self {
        Self { script }
    }

    /// The script.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }
}

impl Reducer for Scripted {
    fn name(&self) -> Arc<str> {
        Arc::clone(self.script.name())
    }

    fn start<'w>(&self, work: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        if let Some(waiting) = take_warm(&self.script, work) {
            return Ok(Box::new(Fold(waiting)));
        }
        let mut runner = Runner::start(&self.script, work).map_err(|err| err.failure)?;
        runner.watch_globals();
        let initial = runner.initial_state()?;
        let running = Rc::new(RefCell::new(Running { runner, initial, envelopes: RowEnvelopes::default() }));
        if self.script.keeps_to_itself() {
            keep_warm(&running);
        }
        Ok(Box::new(Fold(running)))
    }

    fn handles(&self, event_type: &str) -> bool {
        self.script.handles(event_type)
    }
}

/// An engine, and the state before the first event.
struct Running {
    runner: Runner,
    initial: Json,
    envelopes: RowEnvelopes,
}

/// So many engines stay warm on a thread.
const MOST_WARM: usize = 3;

thread_local! {
    /// Engines of this thread, in use or waiting for the next fold; the one started last at the end.
    static WARM: RefCell<Vec<Rc<RefCell<Running>>>> = const { RefCell::new(Vec::new()) };
}

/// An engine of that script that waits on this thread, if it is as a new one would be.
fn take_warm(script: &Script, work: &Work) -> Option<Rc<RefCell<Running>>> {
    let mut warm = WARM.take();
    let place = warm.iter().position(|running| {
        Rc::strong_count(running) == 1
            && running.try_borrow().is_ok_and(|running| running.runner.script().is_same(script))
    });
    let taken = place.map(|place| warm.remove(place));
    let taken = taken.filter(|running| running.try_borrow_mut().is_ok_and(|mut running| running.begin(work)));
    warm.extend(taken.clone());
    WARM.set(warm);
    taken
}

fn keep_warm(running: &Rc<RefCell<Running>>) {
    let mut warm = WARM.take();
    // Those in use are let go by their folds.
    warm.push(Rc::clone(running));
    let surplus = warm.len().saturating_sub(MOST_WARM);
    warm.drain(..surplus);
    WARM.set(warm);
}

/// Lets go of engines of this thread that nobody uses, the one started first at first, as long as all engines
/// take too much.
fn bound_warm() {
    let mut warm = WARM.take();
    while are_engines_too_large() {
        let Some(idle) = warm.iter().position(|running| Rc::strong_count(running) == 1) else { break };
        warm.remove(idle);
    }
    WARM.set(warm);
}

impl Running {
    /// Begins anew, if that comes to the same as starting another engine.
    fn begin(&mut self, work: &Work) -> bool {
        if !self.runner.begin_anew(work) {
            return false;
        }
        if self.runner.is_seeded() {
            // The first state takes its share of chance, as it does in a new engine.
            match self.runner.initial_state() {
                Ok(initial) => self.initial = initial,
                Err(_) => return false,
            }
        }
        true
    }

    fn state(&mut self) -> Json {
        self.runner.state(ONLY).unwrap_or(&self.initial).clone()
    }
}

/// The event of a row as handlers see it; nothing if the whole event might say anything else.
fn envelope<'e>(envelopes: &'e mut RowEnvelopes, row: &EventRow<'_>) -> Option<&'e Arc<Envelope>> {
    // An event without data has the data null, so that handlers run for it, too.
    let data = text_of(row.data, row.is_plain)?.unwrap_or("null");
    let metadata = text_of(row.metadata, row.is_plain)?;
    Some(envelopes.next(row, true, (Some(data), metadata)))
}

/// The text of a payload, if there is one; nothing at all where the whole event might give another.
fn text_of(body: Body<'_>, is_plain: bool) -> Option<Option<&str>> {
    match body {
        Body::Absent => Some(None),
        Body::Json(text) if is_plain || is_plain_json(text) => Some(Some(text)),
        Body::Json(_) | Body::Unreadable(_) => None,
    }
}

/// A fold by a script. All events are of one stream, so there is one state.
struct Fold(Rc<RefCell<Running>>);

/// The one partition of a reducer's run.
const ONLY: &str = "";

impl Folding for Fold {
    fn state(&mut self) -> Json {
        self.0.borrow_mut().state()
    }

    fn resume(&mut self, state: &Json, count: usize) {
        let mut running = self.0.borrow_mut();
        // As long as nothing was stored, the script makes its first state itself.
        if count == 0 || (*state == running.initial && !running.runner.has_created()) {
            running.runner.clear_state(ONLY);
        } else {
            running.runner.set_state(ONLY, state.clone());
        }
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        applied(self.0.borrow_mut().runner.advance(&Arc::new(Envelope::of_history(event))))
    }

    fn feed(&self) -> Feed {
        Feed::Rows
    }

    fn apply_row(&mut self, row: &EventRow<'_>, _: Option<&mut StepNotes<'_>>) -> Fed {
        let mut running = self.0.borrow_mut();
        let running = &mut *running;
        let Some(event) = envelope(&mut running.envelopes, row) else { return Fed::WantsEvent };
        applied(running.runner.advance(event)).map_or_else(Fed::Failed, Fed::Applied)
    }

    fn is_resumable(&mut self) -> bool {
        let running = self.0.borrow();
        // `$created` runs for the first event that is handled, which the state alone does not tell.
        let is_settled = !running.runner.has_created() || running.runner.has_state(ONLY);
        is_settled && !running.runner.carries_over()
    }
}

/// What a step did besides changing the state.
fn applied(step: Step) -> Result<Applied, Failure> {
    match step {
        Step::Processed(step) => {
            let roundings = step.roundings.into_iter().map(|found| Rounding {
                path: found.path,
                stored: found.stored,
                became: found.became,
            });
            Ok(Applied { is_unhandled: false, logs: step.logs, roundings: roundings.collect() })
        }
        Step::Skipped(_) => Ok(Applied { is_unhandled: true, ..Applied::default() }),
        Step::Faulted(step) => Err(step.failure),
    }
}

impl Drop for Fold {
    fn drop(&mut self) {
        // What waits takes no more memory than an engine does.
        let is_reusable = self.0.try_borrow_mut().is_ok_and(|mut running| {
            running.runner.forget_states();
            running.runner.is_small()
        });
        if !is_reusable || are_engines_too_large() {
            let mut warm = WARM.take();
            warm.retain(|running| !Rc::ptr_eq(running, &self.0));
            WARM.set(warm);
            bound_warm();
        }
    }
}
