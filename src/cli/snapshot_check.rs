//! Whether a stored snapshot is what the events make at its version.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        failure::Failure,
        open::Opened,
        output::Output,
        reducer::{Chosen, ReducerArgument},
    },
    model::{Change, StoredSnapshot, diff},
    replay::{History, StreamEvents},
    store::index::SnapshotOwners,
    work::Work,
};

/// What can be said of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The events make the same state.
    Agrees,
    /// They make another.
    Differs,
    /// It cannot be read.
    Unreadable,
    /// There is no stream that it could be a state of.
    Orphan,
    /// It was not compared.
    NotChecked,
}

/// A verdict, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) verdict: Verdict,
    /// From what the events make to what is stored.
    pub(crate) changes: Vec<Change>,
}

/// Memory for the keyframes of the one history that is compared with.
const KEYFRAME_BYTES: usize = 64 << 20;

impl Verdict {
    /// As machines read it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::Unreadable => "unreadable",
            Self::Orphan => "orphan",
            Self::NotChecked => "not checked",
        }
    }
}

impl Check {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, changes: Vec::new() }
    }

    /// For people: the verdict, and at how many paths it differs.
    pub(crate) fn words(&self) -> String {
        match self.changes.len() {
            0 => self.verdict.word().to_owned(),
            1 => format!("{} in 1 place", self.verdict.word()),
            count => format!("{} in {count} places", self.verdict.word()),
        }
    }
}

/// Compares snapshots, one after the other; those of one stream share its history.
pub(crate) struct Verifier<'a> {
    opened: &'a Opened,
    owners: SnapshotOwners<'a>,
    reducer: ReducerArgument,
    last: Option<(u32, History)>,
    /// The reducer of the category that was met last.
    chosen: Option<(Option<Arc<str>>, Chosen)>,
}

impl<'a> Verifier<'a> {
    pub(crate) fn new(opened: &'a Opened, reducer: Option<PathBuf>) -> Self {
        let owners = opened.index.snapshot_owners();
        Self { opened, owners, reducer: ReducerArgument { reducer }, last: None, chosen: None }
    }

    /// What can be said of a snapshot without replaying its stream.
    pub(crate) fn look(&self, snapshot: &StoredSnapshot) -> Check {
        Check::of(match (&snapshot.state.decoded, &snapshot.stream) {
            (Err(_), _) => Verdict::Unreadable,
            (Ok(_), Some(stream)) if self.owners.of(stream).is_none() => Verdict::Orphan,
            (Ok(_), _) => Verdict::NotChecked,
        })
    }

    /// Compares one.
    pub(crate) fn check(
        &mut self,
        snapshot: &StoredSnapshot,
        output: &mut Output<'_>,
    ) -> Result<Check, Failure> {
        let first = self.look(snapshot);
        let (Verdict::NotChecked, Ok(stored), Some(version)) =
            (first.verdict, &snapshot.state.decoded, snapshot.version)
        else {
            return Ok(first);
        };
        let index = &self.opened.index;
        let Some(stream) = snapshot.stream.as_deref().and_then(|name| self.owners.of(name)) else {
            return Ok(first);
        };
        // How many events lie behind when that version does.
        let is_behind = |ordinal: &&u32| {
            index.row(**ordinal).and_then(|row| row.version).is_some_and(|own| own <= version)
        };
        let count = index.stream_events(stream).iter().take_while(is_behind).count();
        let made = self.history(stream, output)?.step_at(count, &Work::default())?.after;
        let changes = diff(&made, stored);
        let verdict = if changes.is_empty() { Verdict::Agrees } else { Verdict::Differs };
        Ok(Check { verdict, changes })
    }

    fn history(&mut self, stream: u32, output: &mut Output<'_>) -> Result<&History, Failure> {
        let known = self.last.take().filter(|(last, _)| *last == stream);
        let history = match known {
            Some((_, history)) => history,
            None => {
                let chosen = self.chosen_for(stream, output)?;
                let opened = self.opened;
                let events = StreamEvents::new(Arc::clone(&opened.store), Arc::clone(&opened.index), stream);
                History::new(Arc::new(events), chosen.reducer, chosen.on_failure, KEYFRAME_BYTES)
            }
        };
        Ok(&self.last.insert((stream, history)).1)
    }

    fn chosen_for(&mut self, stream: u32, output: &mut Output<'_>) -> Result<Chosen, Failure> {
        let category = self.opened.index.stream(stream).and_then(|info| info.name.category.clone());
        if let Some((known, chosen)) = &self.chosen
            && *known == category
        {
            return Ok(chosen.clone());
        }
        let chosen = self.reducer.of_category(self.opened, category.as_deref(), output)?;
        self.chosen = Some((category, chosen.clone()));
        Ok(chosen)
    }
}
