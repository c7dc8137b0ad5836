//! A reducer in JavaScript: a [`Script`] folded over one stream.

use std::sync::Arc;

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::reducer::{Applied, Folding, Reducer, Rounding},
    script::{Envelope, Runner, Script, Step},
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
        let mut runner = Runner::start(&self.script, work).map_err(|err| err.failure)?;
        runner.watch_globals();
        let initial = runner.initial_state()?;
        Ok(Box::new(Running { runner, initial }))
    }

    fn handles(&self, event_type: &str) -> bool {
        self.script.handles(event_type)
    }
}

/// A fold by a script. All events are of one stream, so there is one state.
struct Running {
    runner: Runner,
    initial: Json,
}

/// The one partition of a reducer's run.
const ONLY: &str = "";

impl Folding for Running {
    fn state(&mut self) -> Json {
        self.runner.state(ONLY).unwrap_or(&self.initial).clone()
    }

    fn resume(&mut self, state: &Json, count: usize) {
        // As long as nothing was stored, the script makes its first state itself.
        if count == 0 || (*state == self.initial && !self.runner.has_created()) {
            self.runner.clear_state(ONLY);
        } else {
            self.runner.set_state(ONLY, state.clone());
        }
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        match self.runner.feed(&Envelope::of_history(event)) {
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

    fn is_resumable(&mut self) -> bool {
        // `$created` runs for the first event that is handled, which the state alone does not tell.
        let is_settled = !self.runner.has_created() || self.runner.state(ONLY).is_some();
        is_settled && !self.runner.carries_over()
    }
}
