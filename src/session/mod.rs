//! Everything the window shows, without a pixel.
//!
//! The session is a fold itself: [`Session::apply`] takes what the user asked for or what a job
//! found, and returns the jobs to start. It does no I/O, reads no clock and knows no window, so a
//! test or a report can replay any sequence of inputs.

mod across;
pub mod action;
mod answering;
mod asked;
mod bars;
pub mod blame;
pub mod bookmarks;
mod browse;
pub mod cache;
pub mod compare;
pub mod conditions;
mod cursor;
pub mod discards;
pub mod drift;
pub mod estimates;
mod event_rows;
mod filters;
mod go_to;
mod hits;
mod info;
pub mod job;
pub mod keep;
mod mapping;
pub(crate) mod memory;
mod named;
pub mod notice;
mod opened;
mod origin;
pub mod payloads;
pub mod pieces;
pub mod projections;
pub mod publish;
mod rows;
pub mod scale;
pub mod scripts;
pub mod settings;
mod shell;
pub mod snapshots;
mod states;
pub mod stream_lines;
mod streams;
mod timeline;
mod trail;
pub mod verify;
pub mod view;
mod watched;
pub mod watches;
pub mod what_if;
pub mod workspace;

use std::{path::PathBuf, sync::Arc, time::Duration};

use action::Action;
use asked::AskedSlots;
use cache::CacheAnswer;
use discards::Discards;
use job::{Answer, Job, Slot};
use mapping::Mapping;
use notice::Notices;
use opened::Opened;
use projections::Carried;
use settings::Settings;
use view::{NoEventsView, View};
use workspace::Workspace;

pub use opened::Rest;

use crate::store::{EventStore, cache::Checked};

/// What happened: the user asked for something, a job ended, time passed.
pub enum Input {
    /// The user asked for this.
    Action(Action),
    /// A job found this.
    Answer(Slot, Answer),
    /// A job of ours crashed; the text says how.
    Crash(Slot, String),
    /// A job of ours did so many steps in so much time.
    Measured {
        /// Where its answer belonged.
        slot: Slot,
        /// How many events it went through, or rows.
        steps: u64,
        /// How long that took.
        time: Duration,
    },
    /// So much time has passed since the last such input.
    Tick(Duration),
}

/// Everything the window shows.
pub struct Session {
    place: Place,
    mapping: Option<Mapping>,
    /// What was rebuilt of a store that is being read afresh.
    carried: Option<Carried>,
    notices: Notices,
    workspace: Workspace,
    /// A project file other than the one beside the store.
    project: Option<PathBuf>,
    /// Where the sample store lies or is to be made.
    sample: PathBuf,
    settings: Settings,
    /// What a job is to let go of.
    discards: Discards,
    asked: AskedSlots,
    /// A store whose index from the cache proved wrong: it is opened anew without one.
    distrusted: Option<PathBuf>,
    view: View,
}

/// Where the user is.
enum Place {
    /// Nothing is open.
    Welcome,
    /// A file is being opened.
    Opening(PathBuf),
    /// A database without events.
    NoEvents(Arc<NoEventsView>),
    /// A store.
    Store(Box<Opened>),
}

impl Session {
    /// A session with nothing open. `sample` is where the sample store lies or is to be made.
    #[must_use]
    pub fn new(workspace: Workspace, project: Option<PathBuf>, sample: PathBuf) -> Self {
        let mut session = Self {
            place: Place::Welcome,
            mapping: None,
            carried: None,
            notices: Notices::default(),
            workspace,
            project,
            sample,
            settings: Settings::default(),
            discards: Discards::default(),
            asked: AskedSlots::default(),
            distrusted: None,
            view: View::default(),
        };
        session.refresh();
        session
    }

    /// Takes one input and returns the jobs to start, the later ones in a slot replacing the earlier.
    pub fn apply(&mut self, input: Input) -> Vec<Job> {
        let mut jobs = match input {
            Input::Action(Action::Shell(action)) => self.apply_shell(action),
            Input::Action(Action::Mapping(action)) => self.apply_mapping(action),
            Input::Action(Action::Browse(action)) => {
                self.with_store(|store, notices| store.browse(action, notices))
            }
            Input::Action(Action::Cursor(action)) => self.with_store(|store, _| store.move_cursor(&action)),
            Input::Action(Action::Scripts(action)) => {
                self.with_store(|store, notices| store.apply_scripts(action, notices))
            }
            Input::Action(Action::Blame(action)) => {
                self.with_store(|store, notices| store.apply_blame(action, notices))
            }
            Input::Action(Action::Watches(action)) => {
                self.with_store(|store, notices| store.apply_watches(action, notices))
            }
            Input::Action(Action::Conditions(action)) => {
                self.with_store(|store, notices| store.apply_conditions(action, notices))
            }
            Input::Action(Action::Payloads(action)) => {
                self.with_store(|store, notices| store.apply_payloads(action, notices))
            }
            Input::Action(Action::Compare(action)) => {
                self.with_store(|store, notices| store.apply_compare(action, notices))
            }
            Input::Action(Action::WhatIf(action)) => {
                self.with_store(|store, notices| store.apply_what_if(action, notices))
            }
            Input::Action(Action::Bookmarks(action)) => {
                self.with_store(|store, notices| store.apply_bookmarks(action, notices))
            }
            Input::Action(Action::Projections(action)) => {
                self.with_store(|store, notices| store.apply_projections(action, notices))
            }
            Input::Action(Action::Drift(action)) => {
                self.with_store(|store, notices| store.apply_drift(action, notices))
            }
            Input::Action(Action::Publish(action)) => {
                self.with_store(|store, notices| store.apply_publish(action, notices))
            }
            Input::Action(Action::Verify(action)) => {
                self.with_store(|store, notices| store.apply_verify(action, notices))
            }
            Input::Action(Action::Settings(action)) => self.apply_settings(&action),
            Input::Answer(slot, answer) => self.apply_answer(slot, answer),
            Input::Measured { slot, .. } if self.asked.is_of_left(slot) => Vec::new(),
            Input::Measured { slot, steps, time } => self.with_store(|store, _| {
                store.note_speed(slot, steps, time);
                Vec::new()
            }),
            Input::Crash(slot, text) => self.crashed(slot, &text),
            Input::Tick(elapsed) => {
                self.notices.age(elapsed);
                self.with_store(|store, _| store.tick(elapsed))
            }
        };
        if let Place::Store(store) = &mut self.place {
            store.settle_ticks();
        }
        // The view holds a share of what is shown until it is made anew.
        self.refresh();
        jobs.extend(self.discards.job());
        jobs.extend(self.with_store(|store, _| store.discards.job().into_iter().collect()));
        self.asked.start(&jobs, self.has_store());
        jobs
    }

    /// Whether a store was left since the last call: whatever still works on it can be stopped, but for what
    /// [outlives it](Slot::outlives_store).
    pub fn take_left(&mut self) -> bool {
        self.asked.take_left()
    }

    /// Whether nothing has to be done until something looks otherwise: nothing plays, nothing waits.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.resting_store().is_some()
    }

    /// What to look at while that is so.
    #[must_use]
    pub fn at_rest(&self) -> Option<Rest> {
        self.resting_store().map(Opened::watched)
    }

    fn resting_store(&self) -> Option<&Opened> {
        match &self.place {
            Place::Store(store) if !self.notices.need_time() && store.is_at_rest() => Some(store),
            Place::Store(_) | Place::Welcome | Place::Opening(_) | Place::NoEvents(_) => None,
        }
    }

    /// What the window shows now.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What is kept between runs.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn with_store(&mut self, answer: impl FnOnce(&mut Opened, &mut Notices) -> Vec<Job>) -> Vec<Job> {
        match &mut self.place {
            Place::Store(store) => answer(store, &mut self.notices),
            Place::Welcome | Place::Opening(_) | Place::NoEvents(_) => Vec::new(),
        }
    }

    fn apply_answer(&mut self, slot: Slot, answer: Answer) -> Vec<Job> {
        if self.asked.is_of_left(slot) {
            return self.refuse(answer);
        }
        match answer {
            Answer::Opened(opening) => self.opened(*opening),
            Answer::OpenFailed(path, err) => self.open_failed(&path, &err),
            Answer::SampleMade(path) => self.open(path),
            Answer::SampleFailed(text) => {
                self.notices.error("The sample store cannot be made", text, "Open a file of your own");
                Vec::new()
            }
            Answer::Preview(preview) => {
                self.mapping = self.mapping.take().map(|mapping| mapping.with_preview(*preview));
                Vec::new()
            }
            Answer::Cache(CacheAnswer::Size(size)) => {
                self.take_cache_size(size);
                Vec::new()
            }
            // A check may end after its store was closed.
            Answer::Cache(CacheAnswer::Checked(_, store)) if !self.shows(&store) => Vec::new(),
            Answer::Cache(CacheAnswer::Checked(Checked { differs_at: Some(ordinal), .. }, _)) => {
                self.open_without_cache(ordinal)
            }
            Answer::PastChanged(ordinal) => self.open_without_cache(ordinal),
            Answer::Failed(err) => self.with_store(|store, notices| {
                if store.is_news(slot) {
                    notices.store_error(&err);
                }
                store.job_failed(slot)
            }),
            found => self.with_store(|store, notices| store.take(found, notices)),
        }
    }

    /// What is said of a store that was left is let go of; only that something was not written is told.
    fn refuse(&mut self, answer: Answer) -> Vec<Job> {
        if let Answer::KeepFailed(err) = &answer {
            self.notices.project_error(err);
        }
        self.discards.put(answer);
        Vec::new()
    }

    fn crashed(&mut self, slot: Slot, text: &str) -> Vec<Job> {
        self.notices.crash(slot.label(), text);
        if self.asked.is_of_left(slot) {
            return Vec::new();
        }
        if slot == Slot::Open && matches!(self.place, Place::Opening(_)) {
            self.place = Place::Welcome;
        }
        self.with_store(|store, _| store.job_failed(slot))
    }

    /// What is still to be written when the window closes.
    #[must_use]
    pub fn parting_jobs(&mut self) -> Vec<Job> {
        self.with_store(|store, _| {
            store.keep_trail();
            store.last_keep_job().into_iter().collect()
        })
    }

    /// Whether a store is open.
    #[must_use]
    pub fn has_store(&self) -> bool {
        matches!(self.place, Place::Store(_))
    }

    /// Whether a file is being opened.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        matches!(self.place, Place::Opening(_))
    }

    /// Whether indexing the open store was stopped.
    #[must_use]
    pub fn can_index_rest(&self) -> bool {
        self.store().is_some_and(Opened::is_stopped)
    }

    /// Whether a file is open, with or without events.
    #[must_use]
    pub fn has_file(&self) -> bool {
        matches!(self.place, Place::Store(_) | Place::NoEvents(_))
    }

    /// Whether a stream is chosen.
    #[must_use]
    pub fn has_stream(&self) -> bool {
        self.store().is_some_and(Opened::has_stream)
    }

    /// Whether there is an event at the cursor.
    #[must_use]
    pub fn has_event(&self) -> bool {
        self.view.event.is_some()
    }

    /// Whether a state is shown.
    #[must_use]
    pub fn has_state(&self) -> bool {
        self.view.state.state.is_some()
    }

    /// Whether a reducer stands in the editor. Not whether its text is unsaved: what was typed in this very
    /// frame is not known of yet when its keys are taken.
    #[must_use]
    pub fn has_reducer_text(&self) -> bool {
        self.view.scripts.editor.is_some()
    }

    /// Whether a path is pinned for blame.
    #[must_use]
    pub fn has_question(&self) -> bool {
        self.view.blame.path.is_some()
    }

    /// Whether there are writes of that path to go to.
    #[must_use]
    pub fn has_writes(&self) -> bool {
        self.store().is_some_and(|store| store.blame.has_writes())
    }

    /// Whether the events are filtered.
    #[must_use]
    pub fn has_filters(&self) -> bool {
        !self.view.events.filters.is_empty()
    }

    /// Whether there is a condition to look for.
    #[must_use]
    pub fn has_any_condition(&self) -> bool {
        self.view.conditions.rows.iter().any(|row| row.is_on)
    }

    /// Whether there is a condition to run to in the chosen stream.
    #[must_use]
    pub fn has_condition(&self) -> bool {
        self.has_stream() && self.has_any_condition()
    }

    /// Whether the window stands on a branch.
    #[must_use]
    pub fn is_on_branch(&self) -> bool {
        self.view.what_if.is_standing
    }

    /// Whether there is a branch of the chosen stream.
    #[must_use]
    pub fn has_branch(&self) -> bool {
        self.view.compare.has_branch
    }

    /// Whether a branch is compared with the truth, and differs.
    #[must_use]
    pub fn has_parted(&self) -> bool {
        self.view.what_if.outcome.as_ref().is_some_and(|outcome| outcome.has_parted)
    }

    /// Whether a change of a branch can be taken back.
    #[must_use]
    pub fn can_undo_branch(&self) -> bool {
        self.view.what_if.can_undo
    }

    /// Whether a change of a branch can be done again.
    #[must_use]
    pub fn can_redo_branch(&self) -> bool {
        self.view.what_if.can_redo
    }

    /// Whether two histories are compared, and differ.
    #[must_use]
    pub fn has_differences(&self) -> bool {
        self.view.compare.has_parted
    }

    /// Whether the chosen projection can be rebuilt.
    #[must_use]
    pub fn can_rebuild(&self) -> bool {
        self.view.projections.detail.as_ref().is_some_and(|detail| detail.has_definition)
    }

    /// Whether the chosen projection was rebuilt, so that a stored table can be compared with it.
    #[must_use]
    pub fn can_compare_table(&self) -> bool {
        let drift = &self.view.drift;
        drift.stage == view::DriftStage::Ready && drift.table.is_some()
    }

    /// Whether the chosen projection's read model can be published.
    #[must_use]
    pub fn can_publish(&self) -> bool {
        self.store().is_some_and(Opened::can_publish)
    }

    /// Whether the store is unlocked for writing.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.store().is_some_and(|store| store.publishing.is_unlocked())
    }

    /// Whether any projection can be rebuilt.
    #[must_use]
    pub fn can_rebuild_any(&self) -> bool {
        self.view.projections.lines.iter().any(|line| line.has_definition)
    }

    /// Whether any rebuild runs or waits.
    #[must_use]
    pub fn is_rebuilding(&self) -> bool {
        self.view.projections.is_any_running
    }

    /// Whether a read model is shown.
    #[must_use]
    pub fn has_read_model(&self) -> bool {
        self.view.projections.model.is_some()
    }

    /// Whether the history of a row is shown.
    #[must_use]
    pub fn has_row_history(&self) -> bool {
        self.view.projections.model.as_ref().is_some_and(|model| model.story.is_some())
    }

    /// Whether the place at the cursor can be kept.
    #[must_use]
    pub fn can_bookmark(&self) -> bool {
        self.view.bookmarks.can_add
    }

    /// Whether there are bookmarks.
    #[must_use]
    pub fn has_bookmarks(&self) -> bool {
        !self.view.bookmarks.rows.is_empty()
    }

    /// Whether a search of payloads found anything.
    #[must_use]
    pub fn has_payload_hits(&self) -> bool {
        !self.view.payloads.hits.is_empty()
    }

    /// Whether there is a place to go back to.
    #[must_use]
    pub fn can_go_back(&self) -> bool {
        self.store().is_some_and(|store| store.trail.can_go_back())
    }

    /// Whether there is a place to go forward to.
    #[must_use]
    pub fn can_go_forward(&self) -> bool {
        self.store().is_some_and(|store| store.trail.can_go_forward())
    }

    fn shows(&self, store: &Arc<dyn EventStore>) -> bool {
        self.store().is_some_and(|opened| Arc::ptr_eq(&opened.store, store))
    }

    fn store(&self) -> Option<&Opened> {
        match &self.place {
            Place::Store(store) => Some(store),
            Place::Welcome | Place::Opening(_) | Place::NoEvents(_) => None,
        }
    }
}
