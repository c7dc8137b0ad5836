//! What happened to one row, and why a value of it is as it is.

use std::sync::Arc;

use crate::{
    model::{ChangeKind, EventKey, Json, diff},
    projection::{ReadModel, RowAt, RowChange, RowKey},
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{
            ProjectionQuestion, job,
            question::{FoundHistory, ModelTrouble, is_script},
            states::state_in,
        },
    },
    store::{EventStore, StoreResult, index::Index, layout::Role},
    work::Work,
};

/// Of a state so many changes by one event are told in a line.
const TOLD_CHANGES: usize = 6;

/// And so many letters of a value.
const TOLD_LETTERS: usize = 160;

/// The chosen row and its history.
#[derive(Default)]
pub(super) struct RowStory {
    pub(super) key: Option<RowKey>,
    pub(super) changes: Arc<Vec<RowChange>>,
    /// What each did to a partition's state, in words; empty for other rows.
    pub(super) words: Arc<[String]>,
    /// Who did each; empty where nothing says so.
    pub(super) actors: Arc<[Option<Arc<str>>]>,
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

/// Reads what happened to a row.
pub(super) fn found_history(
    work: &Work,
    model: &ReadModel,
    key: RowKey,
    is_partition: bool,
) -> Result<FoundHistory, ModelTrouble> {
    let changes = model.history(work, &key)?;
    let mut words = Vec::new();
    if is_partition {
        let mut before = Json::Null;
        for change in &changes {
            work.advance(1)?;
            let after = change.after.as_ref().map_or(Json::Null, |values| state_in(values));
            words.push(state_words(&before, &after));
            before = after;
        }
    }
    Ok(FoundHistory { key, changes, words, actors: Vec::new() })
}

/// Who made each of these changes; nothing of a history so long that its events would be read for minutes.
pub(super) fn actors(
    work: &Work,
    store: &dyn EventStore,
    index: &Index,
    changes: &[RowChange],
) -> StoreResult<Vec<Option<Arc<str>>>> {
    /// Events of which it is asked at most, and at once.
    const MOST: usize = 20_000;
    const AT_ONCE: usize = 200;
    if changes.len() > MOST {
        return Ok(Vec::new());
    }
    let mut actors = Vec::with_capacity(changes.len());
    for changes in changes.chunks(AT_ONCE) {
        let key = |change: &RowChange| index.key(u32::try_from(change.count.checked_sub(1)?).ok()?);
        let keys: Vec<Option<EventKey>> = changes.iter().map(key).collect();
        let known: Vec<EventKey> = keys.iter().flatten().cloned().collect();
        let mut events = store.fetch(work, &known)?.into_iter();
        let mut actor = |key: &Option<EventKey>| {
            key.as_ref().and_then(|_| events.next()).flatten().and_then(|event| event.actor)
        };
        actors.extend(keys.iter().map(&mut actor));
    }
    Ok(actors)
}

/// "items: 29 → 30, /products/prod-1: made 2"; of a first state all of it.
fn state_words(before: &Json, after: &Json) -> String {
    if *before == Json::Null {
        return format!("made: {}", after.to_preview(TOLD_LETTERS));
    }
    let short = |value: &Json| value.to_preview(TOLD_LETTERS / 4);
    let changes = diff(before, after);
    let each = changes.iter().take(TOLD_CHANGES).map(|change| {
        let path = change.path.to_string();
        let name = path.strip_prefix('/').filter(|name| !name.contains('/')).unwrap_or(&path);
        match &change.kind {
            ChangeKind::Add(new) => format!("{name}: made {}", short(new)),
            ChangeKind::Remove(old) => format!("{name}: gone, was {}", short(old)),
            ChangeKind::Replace(old, new) => format!("{name}: {} → {}", short(old), short(new)),
        }
    });
    let mut parts: Vec<String> = each.collect();
    if changes.len() > TOLD_CHANGES {
        parts.push(format!("and {} more", changes.len() - TOLD_CHANGES));
    }
    if parts.is_empty() { "handled, and nothing changed".to_owned() } else { parts.join(", ") }
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
            story.words = Arc::default();
            story.actors = Arc::default();
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
        story.words = found.words.into();
        story.actors = found.actors.into();
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
        let is_partition = self.projections.chosen_listed()?.definition.as_ref().is_some_and(is_script);
        self.projections.story.is_waiting = true;
        let has_actors = self.layout.events.role(Role::Actor).is_some();
        let index = self.index.as_ref().filter(|_| has_actors);
        let events = index.map(|index| (Arc::clone(&self.store), Arc::clone(index)));
        Some(job(Slot::RowHistory, ProjectionQuestion::History(model, key, is_partition, events)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{RecordedEvent, StreamName},
        store::memory::{MemoryStore, event},
    };

    #[test]
    fn the_actor_of_a_change_is_that_of_its_event() {
        let order = StreamName::of("order", "1");
        let told = |(number, actor): (i64, Option<&str>)| RecordedEvent {
            actor: actor.map(Arc::from),
            ..event(number, &order, number, "OrderPaid", Json::Null)
        };
        let events = [(1, Some("anna")), (2, None), (3, Some("bob")), (4, Some("cleo"))].map(told);
        let store = MemoryStore::new(events);
        let work = Work::default();
        let index = Index::build(&store, &work).unwrap();
        let change = |count| RowChange { count, before: None, after: None };
        let found = actors(&work, &store, &index, &[change(1), change(2), change(4), change(9)]).unwrap();
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some("anna"), None, Some("cleo"), None]);
    }
}
