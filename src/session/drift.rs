//! Where stored read models no longer agree with the events.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::{
        new_file::{Existing, NewFileError, write_file},
        sections::ProjectionEntry,
    },
    projection::{
        Definition, ReadModel, ScratchError,
        coverage::remarks,
        drift::{
            Drift, DriftError, DriftRow, compare, pair_with,
            report::{ReportForm, notes, report, row_json, summary, to_json},
        },
    },
    session::{
        action::PublishAction,
        estimates::{event_words, row_words},
        job::{Answer, Job, Question, Slot},
        notice::{Notices, chain},
        opened::Opened,
        projections::{ChosenModel, ProjectionAction},
        shell::file_name,
        view::{DriftStage, DriftView, grouped},
    },
    store::{EventStore, StoreError, StoreResult, index::Index},
    work::{
        Cancelled, Work,
        estimate::{Estimate, Task},
    },
};

/// Which list of differing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum DriftKind {
    /// Both have them, with other values.
    #[default]
    Changed,
    /// The events make them, the table lacks them.
    Missing,
    /// The table has them, the events do not make them.
    Extra,
}

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftAction {
    /// Compares the chosen projection's table with what the events make.
    Compare,
    /// Rebuilds the chosen projection, to be compared.
    Rebuild,
    /// Goes to the event at which a row parted from the events, by its place in its list.
    GoTo(DriftKind, usize),
    /// Goes to the event after which so many lie behind.
    GoToEvent(u64),
    /// Copies a row as JSON.
    CopyRow(DriftKind, usize),
    /// Copies the whole report as JSON.
    Copy,
    /// Writes the report into a new file.
    Export(ReportForm, PathBuf),
    /// Lists what publishing would write.
    Publish,
    /// Takes a stored column out of the comparison, for good, and compares again.
    Ignore(Arc<str>),
}

/// What a job is to find out.
pub enum DriftQuestion {
    /// Where a stored table is another.
    Compare(Box<Comparing>),
    /// The report, into a new file.
    Write {
        /// The store's name.
        store: String,
        /// What came out.
        drift: Arc<Drift>,
        /// In which form.
        form: ReportForm,
        /// Where to.
        path: PathBuf,
    },
}

/// A comparison to be made.
pub struct Comparing {
    store: Arc<dyn EventStore>,
    definition: Definition,
    entry: Option<ProjectionEntry>,
    model: ReadModel,
    index: Option<Arc<Index>>,
}

/// What a job found out.
pub enum DriftAnswer {
    /// What a comparison said.
    Compared(Box<Compared>),
    /// What was written where, or a title and what went wrong.
    Written(Result<String, (String, String)>),
}

/// What a comparison said, and what it started from.
pub struct Compared {
    projection: Arc<str>,
    fingerprint: Arc<str>,
    entry: Option<ProjectionEntry>,
    count: u64,
    /// What differs, or why that cannot be told.
    found: Result<Arc<Drift>, Arc<str>>,
}

/// The comparisons of the open store.
#[derive(Default)]
pub(crate) struct Drifts {
    /// By projection.
    compared: BTreeMap<Arc<str>, Kept>,
    /// The projection that is being compared.
    under_way: Option<Arc<str>>,
    copied: Option<(u64, Arc<str>)>,
}

/// A comparison as it is shown.
struct Kept {
    compared: Compared,
    summary: String,
    notes: Arc<[String]>,
}

impl DriftQuestion {
    /// Finds the answer. `Err` if the work was withdrawn or the store could not be asked.
    pub fn run(self, work: &Work) -> StoreResult<Answer> {
        let answer = match self {
            Self::Compare(comparing) => DriftAnswer::Compared(Box::new(comparing.run(work)?)),
            Self::Write { store, drift, form, path } => {
                DriftAnswer::Written(written(&path, &report(&store, &[(*drift).clone()], form)))
            }
        };
        Ok(Answer::Drift(answer))
    }
}

impl Comparing {
    fn run(self, work: &Work) -> StoreResult<Compared> {
        let Self { store, definition, entry, model, index } = self;
        let found = pair_with(work, &*store, &definition, &model, entry.as_ref()).and_then(|pairing| {
            let mut drift = compare(work, &*store, &model, &definition.name, &pairing)?;
            if let Some(index) = &index {
                drift.remarks = remarks(&definition, model.progress(), index);
            }
            Ok(drift)
        });
        let found = match found {
            Ok(drift) => Ok(Arc::new(drift)),
            Err(DriftError::Cancelled(cancelled)) => return Err(StoreError::Cancelled(cancelled)),
            // A withdrawn question may come back as SQLite's word for an interruption.
            Err(DriftError::Scratch(ScratchError::Sqlite { .. })) if work.is_cancelled() => {
                return Err(StoreError::Cancelled(Cancelled));
            }
            Err(DriftError::Store(err)) => return Err(err),
            Err(err @ (DriftError::Scratch(_) | DriftError::NoPair(_) | DriftError::NothingHandled(_))) => {
                Err(chain(&err).into())
            }
        };
        Ok(Compared {
            projection: definition.name,
            fingerprint: definition.fingerprint,
            entry,
            count: model.progress().count,
            found,
        })
    }
}

/// Writes a report into a new file, never over another.
fn written(path: &Path, text: &str) -> Result<String, (String, String)> {
    let write = |out: &mut dyn Write| Ok::<_, NewFileError>(out.write_all(text.as_bytes())?);
    match write_file(path, Existing::Kept, write) {
        Ok(()) => Ok(format!("The report is in {}", path.display())),
        Err(err) => Err((format!("{} cannot be written", path.display()), chain(&err))),
    }
}

impl Drifts {
    /// What the list of projections says: "none", "3 rows".
    pub(crate) fn badge(&self, projection: &str) -> Option<String> {
        let found = self.compared.get(projection)?.compared.found.as_ref();
        Some(match found.map(|drift| drift.totals.sum()) {
            Ok(0) => "none".to_owned(),
            Ok(1) => "1 row".to_owned(),
            Ok(rows) => format!("{} rows", grouped(rows)),
            Err(_) => "cannot be told".to_owned(),
        })
    }

    /// What differs between a projection's table and the events, if that was compared.
    pub(crate) fn found(&self, projection: &str) -> Option<&Arc<Drift>> {
        self.compared.get(projection)?.compared.found.as_ref().ok()
    }

    fn row(&self, projection: &str, kind: DriftKind, place: usize) -> Option<(&Arc<Drift>, &DriftRow)> {
        let drift = self.found(projection)?;
        Some((drift, rows(drift, kind).get(place)?))
    }

    fn copy(&mut self, text: Option<String>) {
        let Some(text) = text else { return };
        let number = self.copied.as_ref().map_or(1, |(number, _)| number + 1);
        self.copied = Some((number, text.into()));
    }
}

/// The rows of one list.
#[must_use]
pub fn rows(drift: &Drift, kind: DriftKind) -> &[DriftRow] {
    match kind {
        DriftKind::Changed => &drift.changed,
        DriftKind::Missing => &drift.missing,
        DriftKind::Extra => &drift.extra,
    }
}

impl Opened {
    pub(crate) fn apply_drift(&mut self, action: DriftAction, notices: &mut Notices) -> Vec<Job> {
        let Some(name) = self.projections.chosen_model().map(|chosen| Arc::clone(chosen.name)) else {
            return Vec::new();
        };
        match action {
            DriftAction::Compare => self.compare_table(),
            DriftAction::Rebuild => self.apply_projections(ProjectionAction::RebuildChosen, notices),
            DriftAction::GoTo(kind, place) => {
                let row = self.drifts.row(&name, kind, place);
                let parted = row.and_then(|(_, row)| row.first_divergent.as_ref());
                let Some(count) = parted.map(|parted| parted.count) else { return Vec::new() };
                self.apply_drift(DriftAction::GoToEvent(count), notices)
            }
            DriftAction::GoToEvent(count) => {
                let ordinal = count.checked_sub(1).and_then(|ordinal| u32::try_from(ordinal).ok());
                let Some(ordinal) = ordinal else { return Vec::new() };
                self.trail.leave(self.spot());
                self.stand_at(ordinal)
            }
            DriftAction::CopyRow(kind, place) => {
                let text = self.drifts.row(&name, kind, place);
                let text = text.map(|(drift, row)| row_json(&drift.pairing, row).to_pretty());
                self.drifts.copy(text);
                Vec::new()
            }
            DriftAction::Copy => {
                let text = self.drifts.found(&name).map(|drift| to_json(drift).to_pretty());
                self.drifts.copy(text);
                Vec::new()
            }
            DriftAction::Export(form, path) => self.export_drift(&name, form, path, notices),
            DriftAction::Publish => self.apply_publish(PublishAction::Prepare, notices),
            DriftAction::Ignore(column) => {
                let words = format!("{column} of {name} is not compared any more");
                let mut jobs = self.change_entry(&name, Some((words, notices)), |entry| {
                    if !entry.ignore.contains(&column) {
                        entry.ignore.push(column);
                    }
                });
                // The comparison starts from what the list says now.
                self.arrange_projections();
                jobs.extend(self.compare_table());
                jobs
            }
        }
    }

    fn compare_table(&mut self) -> Vec<Job> {
        let Some(chosen) = self.projections.chosen_model() else { return Vec::new() };
        let (Some(definition), Some(model)) = (chosen.definition, chosen.model) else { return Vec::new() };
        let comparing = Comparing {
            store: Arc::clone(&self.store),
            definition: definition.clone(),
            entry: paired(&chosen),
            model: model.clone(),
            index: self.whole_index().cloned(),
        };
        self.drifts.under_way = Some(Arc::clone(chosen.name));
        vec![Job {
            slot: Slot::Drift,
            question: Question::Drift(DriftQuestion::Compare(Box::new(comparing))),
        }]
    }

    fn export_drift(&self, name: &str, form: ReportForm, path: PathBuf, notices: &mut Notices) -> Vec<Job> {
        let Some(drift) = self.drifts.found(name) else { return Vec::new() };
        if path.as_os_str().is_empty() {
            notices.warning("A file needs a name", "", "");
            return Vec::new();
        }
        let (store, drift) = (file_name(&self.path), Arc::clone(drift));
        let question = DriftQuestion::Write { store, drift, form, path };
        vec![Job { slot: Slot::DriftReport, question: Question::Drift(question) }]
    }

    pub(crate) fn take_drift(&mut self, answer: DriftAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer {
            DriftAnswer::Compared(compared) => {
                self.drifts.under_way = None;
                let (summary, notes) = match &compared.found {
                    Ok(drift) => (summary(drift), notes(drift).into()),
                    Err(_) => (String::new(), Arc::default()),
                };
                let name = Arc::clone(&compared.projection);
                self.drifts.compared.insert(name, Kept { compared: *compared, summary, notes });
                self.arrange_projections();
            }
            DriftAnswer::Written(Ok(words)) => notices.info(words),
            DriftAnswer::Written(Err((title, detail))) => {
                notices.error(title, detail, "Give a name that does not exist yet");
            }
        }
        Vec::new()
    }

    /// A job ended without an answer: nothing waits for it any more.
    pub(crate) fn drift_job_failed(&mut self) {
        self.drifts.under_way = None;
    }

    pub(crate) fn drift_view(&self) -> DriftView {
        let Some(chosen) = self.projections.chosen_model() else { return DriftView::default() };
        let kept = self.drifts.compared.get(chosen.name);
        let is_here = self.drifts.under_way.as_ref() == Some(chosen.name);
        let stage = match (chosen.definition, chosen.model) {
            (None, _) => DriftStage::NoDefinition,
            (Some(_), None) if chosen.is_rebuilding => DriftStage::Rebuilding,
            (Some(_), None) => DriftStage::NotRebuilt,
            (Some(_), Some(_)) if is_here => DriftStage::Comparing,
            (Some(_), Some(_)) => DriftStage::Ready,
        };
        let found = kept.map(|kept| &kept.compared);
        let is_outdated = found.is_some_and(|found| {
            chosen.model.is_some_and(|model| model.progress().count != found.count)
                || chosen.definition.is_some_and(|definition| definition.fingerprint != found.fingerprint)
                || paired(&chosen) != found.entry
        });
        let name = format!("{}-{}-drift", file_name(&self.path), chosen.name);
        DriftView {
            projection: Arc::clone(chosen.name),
            stage,
            table: chosen.table.cloned(),
            drift: found.and_then(|found| found.found.as_ref().ok()).cloned(),
            summary: kept.map(|kept| kept.summary.clone()).unwrap_or_default(),
            notes: kept.map(|kept| Arc::clone(&kept.notes)).unwrap_or_default(),
            refused: found.and_then(|found| found.found.as_ref().err()).cloned(),
            is_outdated,
            is_part: chosen.is_part,
            report_path: self.path.with_file_name(name).display().to_string(),
            copied: self.drifts.copied.clone(),
            estimate: self.drift_estimate(stage, (chosen.definition, chosen.table)),
        }
    }
}

impl Opened {
    fn drift_estimate(
        &self,
        stage: DriftStage,
        (definition, table): (Option<&Definition>, Option<&Arc<str>>),
    ) -> Option<Arc<str>> {
        match stage {
            DriftStage::NotRebuilt => event_words(self.estimate_of_rebuild(definition?)),
            DriftStage::Ready => {
                let rows = self.rows_of_table(table?)?;
                // Each row is read, and then met on either side.
                let steps = self.estimate(Task::Table, 3 * rows);
                row_words(Estimate { events: rows, ..steps })
            }
            DriftStage::Nothing
            | DriftStage::NoDefinition
            | DriftStage::Rebuilding
            | DriftStage::Comparing => None,
        }
    }
}

/// What the project file says of how the projection is compared; what does not concern that left out.
fn paired(chosen: &ChosenModel<'_>) -> Option<ProjectionEntry> {
    let entry = chosen.entry?;
    Some(ProjectionEntry {
        table: entry.table.clone(),
        columns: entry.columns.clone(),
        ignore: entry.ignore.clone(),
        ..ProjectionEntry::default()
    })
}
