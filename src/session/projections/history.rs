//! What happened to one row, and why a value of it is as it is.

use std::sync::Arc;

use crate::{
    projection::{RowAt, RowChange, RowKey},
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{ProjectionQuestion, job, question::FoundHistory},
    },
};

/// The chosen row and its history.
#[derive(Default)]
pub(super) struct RowStory {
    pub(super) key: Option<RowKey>,
    pub(super) changes: Arc<Vec<RowChange>>,
    /// The column that was asked about.
    pub(super) column: Option<usize>,
    /// Whether the cursor is to go to the change that set that column.
    wants_blame: bool,
    pub(super) is_waiting: bool,
    is_old: bool,
}

impl RowStory {
    pub(super) fn stop_waiting(&mut self) {
        self.is_waiting = false;
    }

    /// The read model is another.
    pub(super) fn outdate(&mut self) {
        self.is_old = true;
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The last change up to a count.
    pub(super) fn current(&self, count: u64) -> Option<usize> {
        self.changes.partition_point(|change| change.count <= count).checked_sub(1)
    }

    /// The change that last set a column up to a count.
    fn set_by(&self, column: usize, count: u64) -> Option<&RowChange> {
        let end = self.changes.partition_point(|change| change.count <= count);
        self.changes.get(..end)?.iter().rev().find(|change| is_set_by(change, column))
    }
}

/// Whether a change made a column what it is after it.
fn is_set_by(change: &RowChange, column: usize) -> bool {
    let Some(after) = &change.after else { return true };
    change.before.as_ref().is_none_or(|before| before.get(column) != after.get(column))
}

impl Opened {
    pub(super) fn choose_model_row(&mut self, row: u64, column: Option<usize>) -> Vec<Job> {
        let found = &self.projections.rows.found;
        let place = row.checked_sub(found.first).and_then(|place| usize::try_from(place).ok());
        let Some(RowAt { key, .. }) = place.and_then(|place| found.rows.get(place)) else {
            return Vec::new();
        };
        let key = key.clone();
        let story = &mut self.projections.story;
        let is_known = story.key.as_ref() == Some(&key) && !story.is_waiting && !story.is_old;
        if !is_known && story.key.as_ref() != Some(&key) {
            story.changes = Arc::default();
        }
        story.key = Some(key);
        story.column = column;
        story.wants_blame = column.is_some();
        if is_known {
            return self.blame_column();
        }
        self.history_job().into_iter().collect()
    }

    pub(super) fn forget_model_row(&mut self) -> Vec<Job> {
        self.projections.story.forget();
        Vec::new()
    }

    pub(super) fn take_history(&mut self, found: FoundHistory) -> Vec<Job> {
        let story = &mut self.projections.story;
        if story.key.as_ref() != Some(&found.key) {
            return Vec::new();
        }
        story.changes = Arc::new(found.changes);
        story.is_waiting = false;
        story.is_old = false;
        self.blame_column()
    }

    /// The read model grew: so may have the history of the chosen row.
    pub(super) fn history_again(&mut self) -> Vec<Job> {
        let story = &self.projections.story;
        if story.key.is_none() || !story.is_old || story.is_waiting {
            return Vec::new();
        }
        self.history_job().into_iter().collect()
    }

    pub(super) fn go_to_change(&mut self, place: usize) -> Vec<Job> {
        let count = self.projections.story.changes.get(place).map(|change| change.count);
        count.map(|count| self.go_to_model_count(count)).unwrap_or_default()
    }

    pub(super) fn turn_change(&mut self, is_forward: bool) -> Vec<Job> {
        let here = self.model_count();
        let changes = &self.projections.story.changes;
        let place = if is_forward {
            changes.partition_point(|change| change.count <= here)
        } else {
            let before = changes.partition_point(|change| change.count < here);
            let Some(place) = before.checked_sub(1) else { return Vec::new() };
            place
        };
        self.go_to_change(place)
    }

    fn history_job(&mut self) -> Option<Job> {
        let key = self.projections.story.key.clone()?;
        let model = self.projections.chosen_run()?.model()?.clone();
        self.projections.story.is_waiting = true;
        Some(job(Slot::RowHistory, ProjectionQuestion::History(model, key)))
    }

    /// Goes to the change that last set the column in question.
    fn blame_column(&mut self) -> Vec<Job> {
        let count = self.model_count();
        let story = &mut self.projections.story;
        let Some(column) = story.column.filter(|_| std::mem::take(&mut story.wants_blame)) else {
            return Vec::new();
        };
        let set_by = story.set_by(column, count).map(|change| change.count);
        set_by.map(|count| self.go_to_model_count(count)).unwrap_or_default()
    }
}
