//! Publishing: unlocking, the dry run, and what was written.
//!
//! The dialog is about one subject: the chosen projection's read model, or edits that were made elsewhere, such
//! as a new snapshot. It lists what would be written, asks for the store's name, writes, and says what became
//! of it. Once unlocked, the store stays so until it is locked again or closed.

mod question;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    model::Timestamp,
    project::sections::PublishedEntry,
    projection::ReadModel,
    publish::{BackupPlace, DryRun, Edits, Published, Unlock},
    session::{
        action::DriftAction,
        job::{Job, Question, Slot},
        notice::{Notices, Words, publish_words},
        opened::Opened,
        projections::ProjectionAction,
        view::{PublishStage, PublishView},
    },
    work::Work,
};

pub use question::{PublishAnswer, PublishQuestion};

use question::{Drifting, Found, Planning, Writing};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishAction {
    /// Lists what publishing the chosen projection's read model would write.
    Prepare,
    /// Takes in what is new, and lists again.
    Again,
    /// What was typed as the store's name.
    TypeName(String),
    /// Unlocks the store, if its name was typed.
    Unlock,
    /// Locks it again.
    Lock,
    /// Whether all or most rows of a table may be deleted, where that was listed.
    MeanDeletes(bool),
    /// Where the backup goes; nothing means beside the store.
    PlaceBackup(String),
    /// Writes what was listed; with the time of day.
    Write(Timestamp),
    /// Stops before the end of the transaction; then nothing is written.
    Stop,
    /// Closes the dialog and forgets the dry run.
    Close,
}

/// Publishing into the open store.
#[derive(Default)]
pub(crate) struct Publishing {
    unlock: Option<Unlock>,
    dialog: Option<Dialog>,
    /// Which dialog a job's answer belongs to.
    turn: u64,
}

/// The dialog while it is open.
struct Dialog {
    /// What is published, as a user calls it.
    subject: Arc<str>,
    source: Source,
    stage: Stage,
    typed: String,
    backup: String,
    /// So many rows may be deleted; what is listed anew is asked for anew.
    deletes: Option<u64>,
}

/// Where the edits come from.
enum Source {
    /// A projection's drift.
    Projection(Arc<str>),
    /// They were made already.
    Made(Arc<Edits>),
}

enum Stage {
    /// The rebuild takes in what is new; asked for so often.
    CatchingUp(u32),
    /// A job lists what would be written.
    Planning,
    /// It is listed.
    Planned(Plan),
    /// A job writes; cancelling this work stops it.
    Writing(Plan, Work, Timestamp),
    /// It is written.
    Written(Published),
    /// It could not be listed or written; whether it may be tried again.
    Refused(Words, bool),
}

/// What would be written.
#[derive(Clone)]
struct Plan {
    edits: Arc<Edits>,
    dry_run: Arc<DryRun>,
}

/// So often a store may grow while its edits are made.
const TRIES: u32 = 4;

impl Publishing {
    /// Whether the user has unlocked the store.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.unlock.is_some()
    }

    fn open(&mut self, subject: Arc<str>, source: Source, stage: Stage) {
        self.turn += 1;
        let (typed, backup) = (String::new(), String::new());
        self.dialog = Some(Dialog { subject, source, stage, typed, backup, deletes: None });
    }

    fn set(&mut self, stage: Stage) {
        if let Some(dialog) = &mut self.dialog {
            dialog.stage = stage;
        }
    }

    fn is_writing(&self) -> bool {
        self.dialog.as_ref().is_some_and(|dialog| matches!(dialog.stage, Stage::Writing(..)))
    }
}

fn job(slot: Slot, question: PublishQuestion) -> Job {
    Job { slot, question: Question::Publish(question) }
}

impl Opened {
    pub(crate) fn apply_publish(&mut self, action: PublishAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            PublishAction::Prepare => {
                let chosen = self.projections.chosen_model().map(|chosen| Arc::clone(chosen.name));
                let Some(name) = chosen.filter(|_| !self.publishing.is_writing()) else { return Vec::new() };
                let source = Source::Projection(Arc::clone(&name));
                self.publishing.open(name, source, Stage::Planning);
                self.plan_job(0)
            }
            PublishAction::Again if self.publishing.is_writing() => Vec::new(),
            PublishAction::Again => {
                self.publishing.turn += 1;
                self.catch_up_to_publish(0, notices)
            }
            PublishAction::TypeName(typed) => {
                if let Some(dialog) = &mut self.publishing.dialog {
                    dialog.typed = typed;
                }
                Vec::new()
            }
            PublishAction::Unlock => {
                let typed = self.publishing.dialog.as_ref().map(|dialog| dialog.typed.as_str());
                if let Some(unlock) = typed.and_then(|typed| Unlock::confirm(&self.path, typed)) {
                    self.publishing.unlock = Some(unlock);
                }
                Vec::new()
            }
            PublishAction::Lock => {
                if !self.publishing.is_writing() && self.publishing.unlock.take().is_some() {
                    notices.info("The store is read-only again");
                }
                Vec::new()
            }
            PublishAction::MeanDeletes(is_meant) => {
                if let Some(dialog) = &mut self.publishing.dialog
                    && let Stage::Planned(plan) = &dialog.stage
                {
                    dialog.deletes = plan.dry_run.sweep().filter(|_| is_meant).map(|(deleted, _)| deleted);
                }
                Vec::new()
            }
            PublishAction::PlaceBackup(path) => {
                if let Some(dialog) = &mut self.publishing.dialog {
                    dialog.backup = path;
                }
                Vec::new()
            }
            PublishAction::Write(at) => self.write_job(at).into_iter().collect(),
            PublishAction::Stop => {
                if let Some(Dialog { stage: Stage::Writing(_, stop, _), .. }) = &self.publishing.dialog {
                    stop.cancel();
                }
                Vec::new()
            }
            PublishAction::Close => {
                if !self.publishing.is_writing() {
                    self.publishing.dialog = None;
                    self.publishing.turn += 1;
                }
                Vec::new()
            }
        }
    }

    /// Lists what edits that were made elsewhere would write.
    pub(crate) fn prepare_edits(&mut self, edits: Edits) -> Vec<Job> {
        if self.publishing.is_writing() {
            return Vec::new();
        }
        let subject = Arc::clone(&edits.subject);
        self.publishing.open(subject, Source::Made(Arc::new(edits)), Stage::Planning);
        self.plan_job(0)
    }

    /// The rebuild first takes in what is new, so that everything is compared with all events.
    fn catch_up_to_publish(&mut self, tries: u32, notices: &mut Notices) -> Vec<Job> {
        let Some(dialog) = &mut self.publishing.dialog else { return Vec::new() };
        let Source::Projection(name) = &dialog.source else {
            dialog.stage = Stage::Planning;
            return self.plan_job(tries);
        };
        let name = Arc::clone(name);
        dialog.stage = Stage::CatchingUp(tries);
        self.apply_projections(ProjectionAction::Continue(name), notices)
    }

    /// Whether the dialog is open.
    pub(crate) fn is_publishing(&self) -> bool {
        self.publishing.dialog.is_some()
    }

    /// Time has passed: the rebuild may have caught up.
    pub(crate) fn tick_publishing(&mut self) -> Vec<Job> {
        let Some(Dialog { source: Source::Projection(name), stage: Stage::CatchingUp(tries), .. }) =
            &self.publishing.dialog
        else {
            return Vec::new();
        };
        let tries = *tries;
        let chosen = self.projections.model_of(name);
        // The index follows the store, too; what it does not hold yet cannot be compared.
        let known = self.index.as_ref().map_or(0, |index| index.len() as u64);
        let is_ahead = |model: &ReadModel| model.progress().count > known;
        if chosen.is_some_and(|chosen| chosen.is_rebuilding || chosen.model.is_some_and(is_ahead)) {
            return Vec::new();
        }
        self.publishing.set(Stage::Planning);
        self.plan_job(tries)
    }

    fn plan_job(&mut self, tries: u32) -> Vec<Job> {
        let Some(dialog) = &self.publishing.dialog else { return Vec::new() };
        let turn = self.publishing.turn;
        let planning = match &dialog.source {
            Source::Made(edits) => Ok(Planning::Made(Arc::clone(edits))),
            Source::Projection(name) => self.planning(name),
        };
        match planning {
            Ok(planning) => {
                let store = Arc::clone(&self.store);
                let question = PublishQuestion::Plan { turn, tries, store, planning };
                vec![job(Slot::DryRun, question)]
            }
            Err((title, hint)) => {
                let words = Words { title: title.to_owned(), detail: String::new(), hint: hint.to_owned() };
                self.publishing.set(Stage::Refused(words, false));
                Vec::new()
            }
        }
    }

    /// What the edits of a projection are made of, or why there can be none and what to do.
    fn planning(&self, name: &str) -> Result<Planning, (&'static str, &'static str)> {
        let chosen = self.projections.model_of(name).ok_or(("There is no such projection any more", ""))?;
        let definition = chosen.definition.ok_or((
            "The projection has no definition",
            "Add one: what cannot be rebuilt cannot be published",
        ))?;
        let model = chosen.model.filter(|_| !chosen.is_rebuilding);
        let model = model.ok_or(("The projection is not rebuilt", "Rebuild it first"))?;
        if chosen.is_part {
            return Err(("Only a part of the events was rebuilt", "Rebuild the projection from all events"));
        }
        if !model.progress().is_complete {
            return Err((
                "The rebuild did not come to its end",
                "Go on with it, or say that failures are skipped",
            ));
        }
        let index =
            self.whole_index().cloned().ok_or(("The events are not indexed yet", "Try again in a moment"))?;
        let (definition, entry, model) = (definition.clone(), chosen.entry.cloned(), model.clone());
        Ok(Planning::Drift(Box::new(Drifting { definition, entry, model, index })))
    }

    fn write_job(&mut self, at: Timestamp) -> Option<Job> {
        let unlock = self.publishing.unlock.clone()?;
        let dialog = self.publishing.dialog.as_mut()?;
        let Stage::Planned(plan) = &dialog.stage else { return None };
        if plan.dry_run.sweep().is_some_and(|(deleted, _)| dialog.deletes != Some(deleted)) {
            return None;
        }
        let plan = plan.clone();
        let stop = Work::default();
        let backup = match dialog.backup.trim() {
            "" => BackupPlace::Beside,
            path => BackupPlace::At(PathBuf::from(path)),
        };
        let writing = Writing {
            path: self.path.clone(),
            layout: Arc::clone(&self.layout),
            edits: Arc::clone(&plan.edits),
            dry_run: Arc::clone(&plan.dry_run),
            unlock,
            backup,
            at,
            stop: stop.clone(),
        };
        dialog.stage = Stage::Writing(plan, stop, at);
        Some(job(Slot::Publish, PublishQuestion::Write(Box::new(writing))))
    }

    pub(crate) fn take_publish(&mut self, answer: PublishAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer.0 {
            Found::Plan { turn, .. } if turn != self.publishing.turn => Vec::new(),
            Found::Plan { outcome: Ok((edits, dry_run)), .. } => {
                self.publishing.set(Stage::Planned(Plan { edits, dry_run }));
                Vec::new()
            }
            Found::Plan { outcome: Err(err), .. } => {
                if let Some(words) = publish_words(&err) {
                    self.publishing.set(Stage::Refused(words, true));
                }
                Vec::new()
            }
            Found::Behind { turn, tries } if turn == self.publishing.turn && tries < TRIES => {
                self.catch_up_to_publish(tries + 1, notices)
            }
            Found::Behind { turn, .. } => {
                if turn == self.publishing.turn {
                    let words = Words {
                        title: "The store grows faster than it can be rebuilt".to_owned(),
                        detail: String::new(),
                        hint: "Try again when fewer events come in".to_owned(),
                    };
                    self.publishing.set(Stage::Refused(words, true));
                }
                Vec::new()
            }
            Found::Refused(words) => {
                self.publishing.set(Stage::Refused(words, false));
                Vec::new()
            }
            Found::Written(Ok(published)) => self.take_published(published, notices),
            Found::Written(Err(err)) => {
                match publish_words(&err) {
                    Some(words) => self.publishing.set(Stage::Refused(words, true)),
                    None => self.publishing_stopped(),
                }
                Vec::new()
            }
        }
    }

    /// The user stopped it in time: what was listed is still true.
    fn publishing_stopped(&mut self) {
        if let Some(dialog) = &mut self.publishing.dialog
            && let Stage::Writing(plan, _, _) = &dialog.stage
        {
            dialog.stage = Stage::Planned(plan.clone());
        }
    }

    fn take_published(&mut self, published: Published, notices: &mut Notices) -> Vec<Job> {
        let Some(dialog) = &mut self.publishing.dialog else {
            // The store was opened anew meanwhile; that it was written must be said all the same.
            notices
                .info(format!("It is written; the store from before is in {}", published.backup.display()));
            return Vec::new();
        };
        if let Stage::Writing(plan, _, at) = &dialog.stage {
            self.kept.now.published.push(PublishedEntry {
                time: at.to_rfc3339().into(),
                subject: Arc::clone(&plan.edits.subject),
                inserted: published.inserted,
                updated: published.updated,
                deleted: published.deleted,
                backup: published.backup.clone(),
            });
        }
        if !published.is_confirmed {
            notices.warning(
                "What was written has changed again",
                "Read again after the transaction, the rows are others than those that were written",
                "Another program has written since; compare again to see what",
            );
        }
        dialog.stage = Stage::Written(published);
        // Everything that shows stored rows looks again; the events are the same.
        let mut jobs: Vec<Job> = self.keep_job().into_iter().collect();
        jobs.push(Job { slot: Slot::Tables, question: Question::Tables(Arc::clone(&self.store)) });
        jobs.extend(self.snapshots_job());
        jobs.extend(self.apply_drift(DriftAction::Compare, notices));
        jobs
    }

    /// A job ended without an answer.
    pub(crate) fn publish_job_failed(&mut self, slot: Slot) {
        let is_writing = slot == Slot::Publish;
        let waits = |stage: &Stage| match stage {
            Stage::CatchingUp(_) | Stage::Planning => !is_writing,
            Stage::Writing(..) => is_writing,
            Stage::Planned(_) | Stage::Written(_) | Stage::Refused(..) => false,
        };
        if !self.publishing.dialog.as_ref().is_some_and(|dialog| waits(&dialog.stage)) {
            return;
        }
        let title = match slot {
            Slot::DryRun => "The dry run broke off",
            // SQLite ends a transaction that nobody finished, as if it had not begun.
            _ => "Writing broke off",
        };
        let hint = "Nothing is lost: a transaction that is not finished counts as not begun; try again";
        let words = Words { title: title.to_owned(), detail: String::new(), hint: hint.to_owned() };
        self.publishing.set(Stage::Refused(words, true));
    }

    /// What is to be said in the title of the window.
    pub(crate) fn write_access(&self) -> &'static str {
        if self.publishing.is_unlocked() { "unlocked for writing" } else { "read-only" }
    }

    /// Whether the chosen projection can be published.
    pub(crate) fn can_publish(&self) -> bool {
        let chosen = self.projections.chosen_model();
        chosen.is_some_and(|chosen| chosen.definition.is_some() && chosen.model.is_some())
    }

    pub(crate) fn publish_view(&self) -> Option<PublishView> {
        let dialog = self.publishing.dialog.as_ref()?;
        let name = Unlock::name_of(&self.path);
        let stage = match &dialog.stage {
            Stage::CatchingUp(_) => PublishStage::CatchingUp,
            Stage::Planning => PublishStage::Planning,
            Stage::Planned(plan) => PublishStage::Planned(Arc::clone(&plan.dry_run)),
            Stage::Writing(plan, _, _) => PublishStage::Writing(Arc::clone(&plan.dry_run)),
            Stage::Written(published) => PublishStage::Written {
                published: published.clone(),
                restore: restore(&self.path, &published.backup),
            },
            Stage::Refused(words, can_try) => {
                PublishStage::Refused { words: words.clone(), can_try: *can_try }
            }
        };
        Some(PublishView {
            is_confirmed: dialog.typed == name,
            is_unlocked: self.publishing.is_unlocked(),
            is_sweep_meant: match &dialog.stage {
                Stage::Planned(plan) | Stage::Writing(plan, _, _) => {
                    plan.dry_run.sweep().is_none_or(|(deleted, _)| dialog.deletes == Some(deleted))
                }
                Stage::CatchingUp(_) | Stage::Planning | Stage::Written(_) | Stage::Refused(..) => false,
            },
            store: name,
            subject: Arc::clone(&dialog.subject),
            typed: dialog.typed.clone(),
            backup: dialog.backup.clone(),
            stage,
        })
    }
}

/// How to go back to what was before.
fn restore(store: &Path, backup: &Path) -> String {
    let name = Unlock::name_of(store);
    format!(
        "To go back, close every program that uses the store, copy {} over {name}, and remove {name}-wal and \
         {name}-shm if they are there",
        Unlock::name_of(backup)
    )
}
