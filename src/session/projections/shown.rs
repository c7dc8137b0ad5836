//! What the panel shows of projections.

use std::sync::Arc;

use crate::{
    projection::OnFailure,
    session::{
        estimates::{event_words, row_words},
        opened::Opened,
        projections::{Extent, question::is_script, runs::Run},
        view::{LoadedRows, ModelView, ProjectionDetail, ProjectionsView, Stage, StoryView, grouped},
    },
    work::estimate::{Estimate, Task},
};

impl Opened {
    pub(crate) fn projections_view(&self) -> ProjectionsView {
        let projections = &self.projections;
        let place = |name: &Arc<str>| projections.list.iter().position(|listed| listed.name == *name);
        ProjectionsView {
            lines: Arc::clone(&projections.lines),
            chosen: projections.chosen.as_ref().and_then(place),
            detail: self.projection_detail(),
            model: self.model_view(),
            output: self.output_view(),
            is_reading: !projections.definitions.are_read(),
            is_any_running: projections.runs.values().any(|run| run.stage != Stage::Idle),
            estimate: self.estimate_of_rebuilds(),
            copied: projections.copied.clone(),
        }
    }

    /// How long rebuilding all takes, one after the other.
    fn estimate_of_rebuilds(&self) -> Option<Arc<str>> {
        let defined = self.projections.list.iter().filter_map(|listed| listed.definition.as_ref());
        event_words(defined.map(|definition| self.estimate_of_rebuild(definition)).reduce(Estimate::and)?)
    }

    fn projection_detail(&self) -> Option<ProjectionDetail> {
        let listed = self.projections.chosen_listed()?;
        let run = self.projections.runs.get(&listed.name);
        let total = self.index.as_ref().map_or(0, |index| index.len() as u64);
        let mut detail = ProjectionDetail {
            name: Arc::clone(&listed.name),
            is_script: listed.definition.as_ref().is_some_and(is_script),
            has_definition: listed.definition.is_some(),
            on_failure: self.failure_choice(&listed.name).unwrap_or(OnFailure::Stop),
            table: listed.table.clone(),
            guess: listed.guess.clone(),
            stream: self.focus_name(),
            cursor: self.model_count(),
            total,
            is_writing: self.projections.is_writing,
            estimate: listed.definition.as_ref().and_then(|own| event_words(self.estimate_of_rebuild(own))),
            ..ProjectionDetail::default()
        };
        if let Some(file) = self.file_of(listed) {
            detail.file = crate::session::shell::file_name(&file.path);
            detail.path = file.path.display().to_string();
            detail.text.clone_from(&file.text);
            let draft = self.projections.drafts.of(&file.path);
            detail.draft = draft.map(|draft| Arc::clone(&draft.text));
            detail.has_conflict = draft.is_some_and(|draft| draft.based_on != file.text);
            detail.revision = self.projections.drafts.revision();
            detail.problem.clone_from(&file.problem);
            detail.error.clone_from(&file.error);
        }
        if let Some(run) = run {
            detail.stage = run.stage;
            detail.slot = Some(run.number);
            detail.progress.clone_from(&run.progress);
            detail.trouble.clone_from(&run.trouble);
            let definition = listed.definition.as_ref().map(|definition| &definition.fingerprint);
            detail.is_outdated =
                definition.is_some() && run.fingerprint.is_some() && run.fingerprint.as_ref() != definition;
            detail.extent = extent_words(run);
            let is_at_end = run.options.until.is_none()
                && run.progress.as_ref().is_some_and(|progress| progress.is_complete);
            detail.behind = if is_at_end { total.saturating_sub(run.count().unwrap_or(total)) } else { 0 };
        }
        Some(detail)
    }

    fn model_view(&self) -> Option<ModelView> {
        let run = self.projections.chosen_run()?;
        let model = run.model()?;
        let listed = self.projections.chosen_listed()?;
        let rows = &self.projections.rows;
        let (cursor, rebuilt) = (self.model_count(), model.progress().count);
        let total = self.index.as_ref().map_or(rebuilt, |index| index.len() as u64);
        Some(ModelView {
            projection: Arc::clone(&listed.name),
            columns: Arc::clone(model.columns()),
            listed: rows.found.listed,
            existing: rows.found.existing,
            is_cut: rows.found.is_cut,
            loaded: LoadedRows { first: rows.found.first, rows: Arc::clone(&rows.found.rows) },
            loaded_at: rows.shown.as_ref().map(|shown| shown.count),
            is_loading: rows.is_waiting(),
            at: cursor.min(rebuilt),
            rebuilt,
            cursor,
            place: match cursor {
                0 => format!("before the first of {} events", grouped(total)),
                _ => format!("event {} of {}", grouped(cursor), grouped(total)),
            },
            export_estimate: row_words(Estimate {
                bytes: None,
                ..self.estimate(Task::Export, rows.found.listed)
            }),
            filter: Arc::clone(&rows.filter),
            generation: rows.generation,
            revision: run.generation,
            story: self.story_view(cursor),
            state: self.projections.states.found.clone(),
            is_script: listed.definition.as_ref().is_some_and(is_script),
            table: Arc::clone(listed.table.as_ref().unwrap_or(&listed.name)),
        })
    }

    fn story_view(&self, cursor: u64) -> Option<StoryView> {
        let story = &self.projections.story;
        Some(StoryView {
            key: story.key.clone()?,
            changes: Arc::clone(&story.changes),
            words: Arc::clone(&story.words),
            actors: Arc::clone(&story.actors),
            current: story.current(cursor),
            column: story.column,
            is_waiting: story.is_waiting,
            index: self.index.clone(),
            zone: self.zone,
        })
    }
}

/// What of the events was left out on purpose.
fn extent_words(run: &Run) -> Option<String> {
    match run.extent {
        Extent::Whole => None,
        Extent::FromCursor => Some(format!("from event {} on", grouped(run.options.from + 1))),
        Extent::UntilCursor => run.options.until.map(|until| format!("up to event {}", grouped(until))),
        Extent::ChosenStream | Extent::Partition => {
            let only = run.options.only.as_ref()?;
            Some(format!("only {}", only.full()))
        }
    }
}
