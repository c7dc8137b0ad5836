//! What the window shows of reducers.

use std::sync::Arc;

use crate::{
    model::Failure,
    replay::{Outcome, Step},
    schema::CategoryTypes,
    script::excerpt,
    session::{
        opened::Opened,
        scripts::source::ReducerFile,
        view::{CategoryLine, EditorView, FailureLine, ScriptsView, StepNotes},
    },
};

/// So many failed steps are listed; more are counted.
const FAILURES_LISTED: usize = 1000;

impl Opened {
    /// Whose reducer the editor shows: the one asked for, else that of the chosen stream, else the first.
    pub(super) fn shown_category(&self) -> Option<Arc<str>> {
        let chosen = self.chosen_category();
        match &self.scripts.asked_for {
            Some((when, asked)) if *when == chosen => Some(Arc::clone(asked)),
            Some(_) | None => chosen.or_else(|| Some(Arc::clone(&self.scripts.lines.first()?.category))),
        }
    }

    pub(crate) fn scripts_view(&self) -> ScriptsView {
        let scripts = &self.scripts;
        let shown = self.shown_category();
        let editor = shown.as_ref().and_then(|category| {
            scripts.files.get(category).map(|file| self.editor_view(Arc::clone(category), file))
        });
        ScriptsView {
            lines: Arc::clone(&scripts.lines),
            chosen: self.chosen_category(),
            editor,
            shown,
            failures: Arc::clone(&scripts.failures),
            failure_count: scripts.failures_of.map_or(0, |(.., count)| count),
            on_failure: self.on_failure(),
            is_counting: scripts.types.is_none(),
            is_scaffolding: scripts.is_scaffolding,
        }
    }

    /// What there is to say about the step at the cursor.
    pub(crate) fn step_notes(&self) -> Arc<StepNotes> {
        Arc::clone(&self.scripts.notes)
    }

    /// What is wrong with the reducer of the chosen stream, while an older text of it makes the states.
    pub(crate) fn older_reducer_words(&self) -> Option<String> {
        let file = self.scripts.files.get(&self.chosen_category()?)?;
        let failure = file.failure.as_ref().map(ToString::to_string);
        let why = failure.or_else(|| file.problem.as_ref().map(|why| why.to_string()))?;
        Some(if file.reducer.is_some() {
            format!("Old result: {} is newer and cannot be used: {why}", file.name())
        } else {
            format!("{} cannot be used: {why}", file.name())
        })
    }

    /// Whether a reducer can be written for the chosen stream's category, since it has none.
    pub(crate) fn lacks_reducer(&self) -> Option<Arc<str>> {
        self.chosen_category().filter(|category| !self.scripts.files.contains_key(category))
    }

    /// Takes note of a step, once it is known.
    pub(crate) fn note_step(&mut self, step: &Step) {
        let mut notes = StepNotes {
            label: step.event.as_ref().map(|event| event.label()).unwrap_or_default(),
            ..StepNotes::default()
        };
        match &step.outcome {
            Outcome::Start | Outcome::Gone => (),
            Outcome::Applied(applied) => {
                notes.logs.clone_from(&applied.logs);
                let words = |rounding: &crate::replay::Rounding| {
                    format!("{}: {} became {}", rounding.path, rounding.stored, rounding.became)
                };
                notes.roundings = applied.roundings.iter().map(words).collect();
            }
            Outcome::Failed(failure) => {
                notes.excerpt = self.excerpt_of(failure);
                notes.failure = Some(failure.clone());
            }
            Outcome::Stopped { at } => notes.stopped_at = Some(*at),
        }
        self.scripts.notes = Arc::new(notes);
        self.refresh_failures();
    }

    fn excerpt_of(&self, failure: &Failure) -> String {
        let file = self.chosen_category().and_then(|category| self.scripts.files.get(&category));
        let script = file.and_then(|file| file.script.as_ref());
        script
            .filter(|_| failure.line.is_some())
            .map(|script| excerpt(script.text(), failure))
            .unwrap_or_default()
    }

    /// Another history is shown: its failed steps are listed when it is folded.
    pub(crate) fn forget_failures(&mut self) {
        self.scripts.failures_of = None;
    }

    /// Lists the failed steps again, if there are others than before.
    pub(crate) fn refresh_failures(&mut self) {
        let Some((stream, generation, history)) = self.states.history_of() else {
            self.scripts.failures = Arc::default();
            self.scripts.failures_of = None;
            return;
        };
        let now = (stream, generation, history.failure_count());
        if self.scripts.failures_of == Some(now) {
            return;
        }
        let found = history.first_failures(FAILURES_LISTED);
        let lines = found.into_iter().map(|(count, failure)| FailureLine {
            count,
            label: self.label_of_count(count),
            failure,
        });
        self.scripts.failures = lines.collect();
        self.scripts.failures_of = Some(now);
    }

    /// `OrderPlaced 17@order-4`, from the index alone.
    fn label_of_count(&self, count: usize) -> String {
        let row = self.ordinal_of_count(count).and_then(|ordinal| self.index.as_ref()?.row(ordinal));
        let event_type = row.as_ref().and_then(|row| self.index.as_ref()?.type_name(row.event_type).cloned());
        let stream = self.focus_name().unwrap_or_default();
        match row.and_then(|row| row.version) {
            Some(version) => format!("{} {version}@{stream}", event_type.unwrap_or_default()),
            None => format!("{} @{stream}", event_type.unwrap_or_default()),
        }
    }

    /// Writes the list of categories anew.
    pub(super) fn arrange_lines(&mut self) {
        self.compare_types();
        let index = self.index.as_ref();
        let known = index.iter().flat_map(|index| index.categories());
        let mut lines: Vec<CategoryLine> =
            known.map(|info| self.category_line(info.name.clone().unwrap_or_default(), true)).collect();
        for category in self.scripts.files.keys() {
            if !self.knows_category(category) {
                lines.push(self.category_line(Arc::clone(category), false));
            }
        }
        self.scripts.lines = lines.into();
    }

    /// Finds out which event types have no handler, and which handlers no event type.
    fn compare_types(&mut self) {
        let types = self.scripts.types.clone().unwrap_or_default();
        for (category, file) in &mut self.scripts.files {
            let Some(newest) = &file.newest else { continue };
            let is_own =
                |types: &&CategoryTypes| types.category.as_deref().unwrap_or_default() == &**category;
            let Some(own) = types.iter().find(is_own) else { continue };
            let names = || own.types.iter().map(|(name, _)| name);
            file.unhandled = names().filter(|name| !newest.reducer.handles(name)).cloned().collect();
            let handled = newest.script.handled_types().iter();
            file.unseen = handled.filter(|name| !names().any(|other| other == *name)).cloned().collect();
        }
    }

    fn category_line(&self, category: Arc<str>, is_known: bool) -> CategoryLine {
        let file = self.scripts.files.get(&category);
        CategoryLine {
            file: file.map(ReducerFile::name),
            trouble: file.and_then(trouble),
            unhandled: file.map_or(0, |file| file.unhandled.len()),
            is_unsaved: file.is_some_and(|file| file.draft.is_some()),
            is_known,
            category,
        }
    }

    fn editor_view(&self, category: Arc<str>, file: &ReducerFile) -> EditorView {
        let is_of_step = file.draft.is_none() && self.chosen_category().as_ref() == Some(&category);
        EditorView {
            file: file.name(),
            path: file.path.display().to_string(),
            text: file.text(),
            revision: file.revision,
            is_unsaved: file.draft.is_some(),
            is_saving: file.is_saving(),
            has_conflict: file.has_conflict,
            problem: file.problem.clone(),
            failure: file.editor_failure().cloned(),
            step_failure: self.scripts.notes.failure.clone().filter(|_| is_of_step),
            is_older_in_use: file.is_older_in_use(),
            unhandled: Arc::clone(&file.unhandled),
            unseen: Arc::clone(&file.unseen),
            target: self.scripts.target,
            category,
        }
    }
}

/// What is wrong with a reducer, in a few words.
fn trouble(file: &ReducerFile) -> Option<String> {
    let words = |failure: &Failure| match failure.line {
        Some(line) => format!("line {line}: {}", failure.message),
        None => failure.message.to_string(),
    };
    file.editor_failure().map(words).or_else(|| file.problem.as_ref().map(|why| why.to_string()))
}
