//! Rebuilds: several at once, the rest waiting their turn, each to be stopped and gone on with.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::{
    model::StreamName,
    project::sections::OnFailureEntry,
    projection::{
        Definition, OnFailure, Progress, ReadModel, RebuildError, RebuildOptions, Scratch, ScratchError,
        rebuild, still_holds,
    },
    session::{
        job::{Job, Slot},
        notice::{Notices, chain},
        opened::Opened,
        projections::{Extent, ProjectionQuestion, job},
        view::Stage,
    },
    store::{EventStore, StoreError, StoreResult},
    work::Work,
};

/// Rebuilds that run at once. More would take the workers from what a drag of the cursor asks.
const MOST_AT_ONCE: usize = 3;

/// What was made of a projection.
pub(super) struct Run {
    /// Which slot its jobs have.
    pub(super) number: u16,
    pub(super) stage: Stage,
    place: Place,
    pub(super) options: RebuildOptions,
    /// What of the events was asked for.
    pub(super) extent: Extent,
    /// How far it came.
    pub(super) progress: Option<Arc<Progress>>,
    model: Option<ReadModel>,
    /// What made it, or is about to.
    definition: Option<Definition>,
    /// Which definition it was made by.
    pub(super) fingerprint: Option<Arc<str>>,
    /// Why it could not go on.
    pub(super) trouble: Option<Arc<str>>,
    /// Rises whenever there are other rows to read.
    pub(super) generation: u64,
}

/// Where a read model is made. The job makes the database, since making files is no work for a session.
#[derive(Clone, Default)]
struct Place {
    scratch: Arc<OnceLock<Scratch>>,
    /// Held by the one job that writes.
    turn: Arc<Mutex<()>>,
}

/// A rebuild that is asked for.
pub struct Rebuilding {
    number: u16,
    place: Place,
    definition: Definition,
    store: Arc<dyn EventStore>,
    options: RebuildOptions,
    /// How many events the store has, as far as that is known.
    events: u64,
    wish: Wish,
}

/// What is to be done about a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Make it, or go on with it.
    Make,
    /// Open what there is.
    Look,
    /// Open what there is if the store still has the events that it was made of.
    Check,
}

/// What a rebuild came to.
pub struct Rebuilt {
    number: u16,
    fingerprint: Arc<str>,
    model: Option<ReadModel>,
    trouble: Option<Arc<str>>,
    /// Whether it was made of other events than the store has now.
    is_void: bool,
}

impl Run {
    /// The read model as it was when it was last looked at; it can be read while more is written.
    pub(super) fn model(&self) -> Option<&ReadModel> {
        self.model.as_ref()
    }

    /// How many events lie behind what was made; nothing if nothing was.
    pub(super) fn count(&self) -> Option<u64> {
        self.progress.as_ref().map(|progress| progress.count)
    }

    /// Whether a part of the events was left out on purpose.
    pub(super) fn is_part(&self) -> bool {
        self.options.from > 0 || self.options.until.is_some() || self.options.only.is_some()
    }

    /// Whether it follows the store: nothing was left out, nothing failed.
    fn follows(&self) -> bool {
        let is_whole = self.options.until.is_none();
        is_whole && self.stage == Stage::Idle && self.progress.as_ref().is_some_and(|found| found.is_complete)
    }
}

impl Rebuilding {
    /// Rebuilds as far as it goes, and opens what there is.
    pub(super) fn run(self, work: &Work) -> StoreResult<Rebuilt> {
        // One that was withdrawn a moment ago may still be putting its last batch away.
        let turn = Arc::clone(&self.place.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rebuilt = Rebuilt {
            number: self.number,
            fingerprint: Arc::clone(&self.definition.fingerprint),
            model: None,
            trouble: None,
            is_void: false,
        };
        let scratch = match (self.place.scratch.get(), self.wish) {
            (Some(scratch), _) => scratch.clone(),
            (None, Wish::Look) => return Ok(rebuilt),
            (None, Wish::Check) => return Ok(Rebuilt { is_void: true, ..rebuilt }),
            (None, Wish::Make) => match Scratch::temporary() {
                Ok(scratch) => self.place.scratch.get_or_init(|| scratch).clone(),
                Err(err) => return Ok(Rebuilt { trouble: Some(chain(&err).into()), ..rebuilt }),
            },
        };
        let done = match self.wish {
            Wish::Look => Ok(true),
            Wish::Check => still_holds(work, &*self.store, &scratch),
            Wish::Make => {
                work.expect_total(self.options.until.unwrap_or(self.events));
                rebuild(work, &*self.store, &self.definition, &scratch, &self.options).map(|_| true)
            }
        };
        match done {
            Ok(true) => (),
            Ok(false) => return Ok(Rebuilt { is_void: true, ..rebuilt }),
            Err(RebuildError::Cancelled(cancelled)) => return Err(StoreError::Cancelled(cancelled)),
            Err(err) => rebuilt.trouble = Some(chain(&err).into()),
        }
        match ReadModel::open(&scratch, &self.definition) {
            Ok(model) => rebuilt.model = Some(model),
            Err(err) => {
                let untold = |err: &ScratchError| Arc::from(chain(err));
                rebuilt.trouble.get_or_insert_with(|| untold(&err));
            }
        }
        Ok(rebuilt)
    }
}

impl Opened {
    /// Rebuilds a projection anew.
    pub(super) fn rebuild_model(&mut self, name: &Arc<str>, extent: Extent) -> Vec<Job> {
        let mut options = RebuildOptions::default();
        match extent {
            // A partition has a name, and is asked for with it.
            Extent::Whole | Extent::Partition => (),
            Extent::FromCursor => options.from = self.model_count().saturating_sub(1),
            Extent::UntilCursor => options.until = Some(self.model_count()),
            Extent::ChosenStream => options.only = self.chosen_stream_name(),
        }
        self.rebuild_with(name, extent, options)
    }

    /// Rebuilds one partition anew: a stream, or one that the definition makes of events of any stream.
    pub(super) fn rebuild_partition(&mut self, name: &Arc<str>, partition: &Arc<str>) -> Vec<Job> {
        let only = StreamName { category: None, id: Arc::clone(partition), stored: None };
        let options = RebuildOptions { only: Some(Arc::new(only)), ..RebuildOptions::default() };
        self.rebuild_with(name, Extent::Partition, options)
    }

    fn rebuild_with(&mut self, name: &Arc<str>, extent: Extent, options: RebuildOptions) -> Vec<Job> {
        let Some(on_failure) = self.failure_choice(name) else { return Vec::new() };
        let options = RebuildOptions { on_failure, ..options };
        let mut jobs = self.stop_rebuild(name);
        let number = self.run_number(name);
        // A new place: what was made before may still be read.
        let run = Run {
            number,
            stage: Stage::Queued,
            place: Place::default(),
            options,
            extent,
            progress: None,
            model: None,
            definition: None,
            fingerprint: None,
            trouble: None,
            generation: self.projections.runs.get(name).map_or(0, |run| run.generation + 1),
        };
        self.projections.runs.insert(Arc::clone(name), run);
        if self.projections.chosen.as_ref() == Some(name) {
            self.forget_model_rows();
        }
        jobs.extend(self.start_queued());
        jobs
    }

    pub(super) fn rebuild_all(&mut self) -> Vec<Job> {
        let listed = self.projections.list.iter().filter(|listed| listed.definition.is_some());
        let names: Vec<Arc<str>> = listed.map(|listed| Arc::clone(&listed.name)).collect();
        names.iter().flat_map(|name| self.rebuild_model(name, Extent::Whole)).collect()
    }

    /// Goes on where a rebuild stopped, or takes in what is new.
    pub(super) fn continue_rebuild(&mut self, name: &Arc<str>) -> Vec<Job> {
        let Some(on_failure) = self.failure_choice(name) else { return Vec::new() };
        let Some(run) = self.projections.runs.get_mut(name) else {
            return self.rebuild_model(name, Extent::Whole);
        };
        if run.stage != Stage::Idle {
            return Vec::new();
        }
        run.options.on_failure = on_failure;
        run.options.until = None;
        if run.extent == Extent::UntilCursor {
            run.extent = Extent::Whole;
        }
        run.stage = Stage::Queued;
        self.start_queued()
    }

    /// Stops one; what it left is looked at by a job in its slot, which withdraws it.
    pub(super) fn stop_rebuild(&mut self, name: &Arc<str>) -> Vec<Job> {
        let stage = self.projections.runs.get(name).map_or(Stage::Idle, |run| run.stage);
        match stage {
            Stage::Idle | Stage::Stopping => Vec::new(),
            // What is not known to be true is not shown.
            Stage::Checking => {
                self.projections.runs.remove(name);
                Vec::new()
            }
            Stage::Queued => {
                if let Some(run) = self.projections.runs.get_mut(name) {
                    run.stage = Stage::Idle;
                }
                Vec::new()
            }
            Stage::Running => {
                let jobs = self.rebuild_job(name, Wish::Look).into_iter().collect();
                if let Some(run) = self.projections.runs.get_mut(name) {
                    run.stage = Stage::Stopping;
                }
                jobs
            }
        }
    }

    pub(super) fn stop_rebuilds(&mut self) -> Vec<Job> {
        let names: Vec<Arc<str>> = self.projections.runs.keys().map(Arc::clone).collect();
        // Those that wait first: they must not start when the others end.
        for run in self.projections.runs.values_mut().filter(|run| run.stage == Stage::Queued) {
            run.stage = Stage::Idle;
        }
        names.iter().flat_map(|name| self.stop_rebuild(name)).collect()
    }

    pub(super) fn take_rebuilt(&mut self, rebuilt: Rebuilt, notices: &mut Notices) -> Vec<Job> {
        if rebuilt.is_void {
            return self.drop_void(rebuilt.number, notices);
        }
        let mut was_checked = false;
        let found = self.projections.runs.iter_mut().find(|(_, run)| run.number == rebuilt.number);
        if let Some((name, run)) = found {
            was_checked = run.stage == Stage::Checking;
            run.stage = Stage::Idle;
            run.trouble = rebuilt.trouble;
            run.fingerprint = Some(rebuilt.fingerprint);
            if let Some(model) = rebuilt.model {
                run.progress = Some(Arc::new(model.progress().clone()));
                run.model = Some(model);
            }
            run.generation += 1;
            if self.projections.chosen.as_ref() == Some(name) {
                self.projections.rows.outdate();
                self.projections.story.outdate();
            }
        }
        let mut jobs = self.start_queued();
        if was_checked && self.index.is_some() {
            jobs.extend(self.catch_up());
        }
        jobs.extend(self.history_again());
        jobs
    }

    pub(super) fn rebuild_crashed(&mut self, number: u16) {
        if let Some(run) = self.projections.runs.values_mut().find(|run| run.number == number) {
            run.stage = Stage::Idle;
            run.trouble = Some("the rebuild crashed; this is a fault of Timeglass".into());
        }
    }

    /// The store has grown: what was complete and is looked at from the end takes in what is new.
    pub(super) fn catch_up(&mut self) -> Vec<Job> {
        if !self.cursor.is_following {
            return Vec::new();
        }
        // Another definition would make it anew; that is for the user to ask.
        let list = &self.projections.list;
        let is_current = |name: &str, run: &Run| {
            let listed = list.iter().find(|listed| *listed.name == *name);
            let definition = listed.and_then(|listed| listed.definition.as_ref());
            definition.map(|definition| &definition.fingerprint) == run.fingerprint.as_ref()
        };
        for (name, run) in &mut self.projections.runs {
            if run.follows() && is_current(name, run) {
                run.stage = Stage::Queued;
            }
        }
        self.start_queued()
    }

    /// Another choice about failures: what stopped at one goes on without it.
    pub(super) fn failure_choice_changed(&mut self, name: &str) -> Vec<Job> {
        let Some((name, run)) = self.projections.runs.get_key_value(name) else { return Vec::new() };
        let has_stopped = run
            .progress
            .as_ref()
            .is_some_and(|progress| !progress.is_complete && !progress.failures.is_empty());
        let name = Arc::clone(name);
        let skips = self.failure_choice(&name) == Some(OnFailure::Skip);
        if skips && has_stopped { self.continue_rebuild(&name) } else { Vec::new() }
    }

    /// How a read model that was made before the store was read afresh is looked at.
    pub(super) fn check_jobs(&self) -> Vec<Job> {
        self.projections.runs.keys().filter_map(|name| self.rebuild_job(name, Wish::Check)).collect()
    }

    pub(super) fn drop_run(&mut self, name: &str) -> Vec<Job> {
        let jobs = self.stop_rebuild(&name.into());
        self.projections.runs.remove(name);
        jobs
    }

    /// What a projection does about failures; nothing if there is no definition of it.
    pub(super) fn failure_choice(&self, name: &str) -> Option<OnFailure> {
        let listed = self.projections.list.iter().find(|listed| *listed.name == *name)?;
        listed.definition.as_ref()?;
        let choice = listed.entry.as_ref().and_then(|entry| entry.on_failure);
        Some(match choice {
            Some(OnFailureEntry::GoOn) => OnFailure::Skip,
            Some(OnFailureEntry::Stop) | None => OnFailure::Stop,
        })
    }

    /// The name of the chosen stream.
    pub(super) fn chosen_stream_name(&self) -> Option<Arc<StreamName>> {
        Some(Arc::clone(&self.index.as_ref()?.stream(self.browse.focus?)?.name))
    }

    fn run_number(&mut self, name: &str) -> u16 {
        if let Some(run) = self.projections.runs.get(name) {
            return run.number;
        }
        self.projections.next_number = self.projections.next_number.wrapping_add(1);
        self.projections.next_number
    }

    /// Starts as many of those that wait as may run at once.
    pub(super) fn start_queued(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        loop {
            let runs = &self.projections.runs;
            let running =
                runs.values().filter(|run| !matches!(run.stage, Stage::Idle | Stage::Queued)).count();
            let next =
                runs.iter().find(|(_, run)| run.stage == Stage::Queued).map(|(name, _)| Arc::clone(name));
            let Some(name) = next.filter(|_| running < MOST_AT_ONCE) else { return jobs };
            let job = self.rebuild_job(&name, Wish::Make);
            let definition = self.definition_of(&name);
            if let Some(run) = self.projections.runs.get_mut(&name) {
                run.definition = definition;
                run.stage = if job.is_some() { Stage::Running } else { Stage::Idle };
            }
            jobs.extend(job);
        }
    }

    fn rebuild_job(&self, name: &str, wish: Wish) -> Option<Job> {
        let run = self.projections.runs.get(name)?;
        let definition = match wish {
            Wish::Make => self.definition_of(name)?,
            Wish::Look | Wish::Check => run.definition.clone()?,
        };
        let rebuilding = Rebuilding {
            number: run.number,
            place: run.place.clone(),
            definition,
            store: Arc::clone(&self.store),
            options: run.options.clone(),
            events: self.index.as_ref().map_or(0, |index| index.len() as u64),
            wish,
        };
        Some(job(Slot::Rebuild(run.number), ProjectionQuestion::Rebuild(Box::new(rebuilding))))
    }

    fn definition_of(&self, name: &str) -> Option<Definition> {
        self.projections.list.iter().find(|listed| *listed.name == *name)?.definition.clone()
    }
}
