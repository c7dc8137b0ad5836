//! The state of a partition at the cursor, and the one that all partitions share: for projections in JavaScript.

use std::sync::Arc;

use crate::{
    model::{Change, Json, Stored, diff},
    projection::{ReadModel, RowAt, RowKey},
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{ProjectionQuestion, job, question::ModelTrouble},
        view::PartitionState,
    },
    work::Work,
};

/// The states that are shown, and which were asked for.
#[derive(Default)]
pub(super) struct ShownStates {
    pub(super) found: Option<Arc<PartitionState>>,
}

impl Opened {
    /// Reads the state of the chosen partition at the cursor, and the shared one.
    pub(super) fn show_model_state(&self) -> Vec<Job> {
        let Some((_, model, count)) = self.model_at_cursor() else { return Vec::new() };
        let key = self.projections.story.key.clone();
        vec![job(Slot::RowState, ProjectionQuestion::State(model, key, count))]
    }
}

/// Reads states, and what the event at that count made of them.
pub(super) fn found_state(
    work: &Work,
    model: &ReadModel,
    key: Option<&RowKey>,
    count: u64,
) -> Result<PartitionState, ModelTrouble> {
    let mut found = PartitionState { key: key.cloned(), count, ..PartitionState::default() };
    if let Some(key) = key
        && let Some(row) = model.row_at(work, key, count)?
    {
        let state = state_of(&row);
        if row.since == count && count > 0 {
            let before = model.row_at(work, key, count - 1)?;
            let before = before.map_or(Json::Null, |row| state_of(&row));
            found.changes = changes(&before, &state);
        }
        found.state = Some(state);
    }
    if let Some((since, shared)) = model.shared_at(work, count)? {
        if since == count && count > 0 {
            let before = model.shared_at(work, count - 1)?;
            found.shared_changes = changes(&before.map_or(Json::Null, |(_, shared)| shared), &shared);
        }
        found.shared = Some(shared);
    }
    Ok(found)
}

/// A state that is made here has nothing to be marked against.
fn changes(before: &Json, after: &Json) -> Vec<Change> {
    if *before == Json::Null { Vec::new() } else { diff(before, after) }
}

/// The state in a row; text that is no JSON is shown as the text that it is.
fn state_of(row: &RowAt) -> Json {
    state_in(&row.values)
}

/// The same of a row's values.
pub(super) fn state_in(values: &[Stored]) -> Json {
    match values.get(1) {
        Some(Stored::Text(bytes)) => {
            Json::parse(bytes).unwrap_or_else(|_| Json::from(String::from_utf8_lossy(bytes).into_owned()))
        }
        _ => Json::Null,
    }
}
