//! What the panel shows of verdicts.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::StreamVersion,
    session::{
        estimates::event_words,
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        verify::{
            Agreement, Known, Stamp,
            asked::{Asks, job},
        },
        view::{ChosenCheck, VerifyView},
    },
    snapshot::{Check, Mapping, NewSnapshot, SnapshotKey, Verdict},
    work::estimate::Task,
};

impl Agreement {
    fn note(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Agrees => self.agrees = true,
            Verdict::Differs => self.differs = true,
            Verdict::Unreadable
            | Verdict::Orphan
            | Verdict::Ahead
            | Verdict::NotComparable
            | Verdict::NotChecked => (),
        }
    }
}

impl Opened {
    /// The rows, the reducers or the mapping changed: what holds is shown, and the rest is not.
    pub(crate) fn arrange_verdicts(&mut self) {
        // What was compared may be far less than what is listed.
        let snapshots = &self.browse.snapshots;
        let mut verdicts = snapshots.looks();
        let mut merges = BTreeMap::<Arc<str>, Agreement>::new();
        let mut found = Vec::new();
        let stamps = self.stamps_now();
        for (key, known) in &self.verified.checks {
            let category = self.category_name(known.stream).unwrap_or_default();
            if stamps.get(&category) != Some(&known.stamp) {
                continue;
            }
            found.extend(snapshots.place(key).map(|place| (place, known.check.verdict)));
            merges.entry(category).or_default().note(known.check.verdict);
        }
        if !found.is_empty() {
            let verdicts = Arc::make_mut(&mut verdicts);
            for (place, verdict) in found {
                // What can be said without a replay goes first.
                if let Some(own) = verdicts.get_mut(place) {
                    own.get_or_insert(verdict);
                }
            }
        }
        self.verified.verdicts = verdicts;
        self.verified.merges = merges;
        self.filter_verdicts();
        self.refresh_cost_along();
    }

    /// Takes what was found, as far as it still holds.
    pub(super) fn note_checks(&mut self, found: Vec<(SnapshotKey, Option<u32>, Check)>) {
        let stamps = self.stamps_now();
        let verified = &self.verified;
        let known: Vec<(SnapshotKey, Known, bool)> = found
            .into_iter()
            .filter_map(|(key, stream, check)| {
                let stream = stream?;
                let category = self.category_name(stream)?;
                let stamp = *verified.stamps.get(&category)?;
                let holds = stamps.get(&category) == Some(&stamp);
                Some((key, Known { check: Arc::new(check), stream, stamp }, holds))
            })
            .collect();
        for (_, known, _) in known.iter().filter(|(.., holds)| *holds) {
            let name = self.category_name(known.stream).unwrap_or_default();
            self.verified.merges.entry(name).or_default().note(known.check.verdict);
        }
        let verdicts = Arc::make_mut(&mut self.verified.verdicts);
        for (key, known, holds) in known {
            let place = self.browse.snapshots.place(&key).and_then(|place| verdicts.get_mut(place));
            if let Some(place) = place.filter(|_| holds) {
                *place = Some(known.check.verdict);
            }
            self.verified.checks.insert(key, known);
        }
        self.filter_verdicts();
        self.place_ticks();
    }

    /// Counts the verdicts, and picks the rows that pass.
    pub(super) fn filter_verdicts(&mut self) {
        let verified = &mut self.verified;
        let mut counts = Verdict::ALL.map(|verdict| (verdict, 0_usize));
        for verdict in verified.verdicts.iter() {
            let verdict = verdict.unwrap_or(Verdict::NotChecked);
            if let Some((_, count)) = counts.iter_mut().find(|(wanted, _)| *wanted == verdict) {
                *count += 1;
            }
        }
        let counts = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        let passing = |wanted: Verdict| {
            let rows = verified.verdicts.iter().enumerate();
            let passing = rows.filter(|(_, verdict)| verdict.unwrap_or(Verdict::NotChecked) == wanted);
            Arc::new(passing.map(|(place, _)| place).collect())
        };
        verified.shown = verified.filter.map(passing);
        verified.counts = Arc::new(counts);
    }

    /// What the panel shows.
    pub(crate) fn verify_view(&self) -> VerifyView {
        let verified = &self.verified;
        VerifyView {
            verdicts: Arc::clone(&verified.verdicts),
            shown: verified.shown.clone(),
            filter: verified.filter,
            counts: Arc::clone(&verified.counts),
            merged: self.compared_with_a_merge(),
            progress: verified.progress,
            chosen: self.chosen_check(),
            cost: verified.cost.clone().filter(|_| verified.wants_cost),
            is_counting: verified.is_counting,
            here: self.cursor.count,
            can_create: self.new_snapshot().is_ok(),
            estimate: event_words(self.estimate(Task::Verify, self.browse.snapshots.listed_events())),
            cost_estimate: event_words(self.estimate_of_all(Task::Cost)),
        }
    }

    /// The categories last compared that have no reducer, as long as anything differs.
    fn compared_with_a_merge(&self) -> Arc<[Arc<str>]> {
        let verified = &self.verified;
        let is_in_doubt = |verdict| matches!(verdict, Verdict::Differs | Verdict::NotComparable);
        if !verified.counts.iter().any(|(verdict, _)| is_in_doubt(*verdict)) {
            return Arc::default();
        }
        let is_merged = |category: &&Arc<str>| {
            let name = Some(&***category).filter(|name| !name.is_empty());
            self.reducer_for(name).0.is_merge()
        };
        verified.stamps.keys().filter(is_merged).cloned().collect()
    }

    fn chosen_check(&self) -> Option<ChosenCheck> {
        let row = self.browse.snapshots.chosen_row()?;
        let check = Arc::clone(row.look.as_ref().or_else(|| self.check_of(row))?);
        let parting = self.verified.parting.as_ref().filter(|(key, _)| *key == row.key);
        Some(ChosenCheck {
            check,
            parting: parting.map(|(_, parting)| Arc::clone(parting)),
            is_looking: self.verified.looking.as_ref() == Some(&row.key),
        })
    }

    /// The state at the cursor as a snapshot, or why it is none.
    fn new_snapshot(&self) -> Result<(Mapping, NewSnapshot), &'static str> {
        if self.layout.snapshots.is_empty() {
            return Err("The store has no table of snapshots");
        }
        let stream = self.browse.focus.and_then(|stream| self.index.as_ref()?.stream(stream));
        let stream = stream.ok_or("Choose a stream first")?;
        if self.what_if.standing_name().is_some() {
            return Err("This is a branch: only what was recorded can be stored");
        }
        let step = self.states.step().filter(|step| step.count == self.cursor.count);
        let event = step.and_then(|step| Some((step, step.event.as_ref()?)));
        let (step, event) = event.ok_or("There is no state at the cursor yet")?;
        let version: StreamVersion = event.version.ok_or("The event at the cursor has no version")?;
        let category = stream.name.category.as_deref();
        if self.reducer_for(category).0.is_merge() && !self.merge_agrees(category) {
            return Err("There is no reducer for this category: a merge is no state to store");
        }
        let mapping = Mapping::of_category(&self.kept.now.snapshots, category);
        let new = NewSnapshot {
            stream: Arc::clone(&stream.name),
            version,
            state: step.after.clone(),
            time: event.time,
        };
        Ok((mapping, new))
    }

    /// Whether stored snapshots of the category are what the merge makes.
    fn merge_agrees(&self, category: Option<&str>) -> bool {
        let found = self.verified.merges.get(category.unwrap_or_default());
        found.is_some_and(|found| found.agrees && !found.differs)
    }

    /// The category of a stream; empty for one without.
    fn category_name(&self, stream: u32) -> Option<Arc<str>> {
        let info = self.index.as_ref()?.stream(stream)?;
        Some(info.name.category.clone().unwrap_or_default())
    }

    /// What the snapshots of each category would be compared with now.
    fn stamps_now(&self) -> BTreeMap<Arc<str>, Stamp> {
        let categories = self.index.iter().flat_map(|index| index.categories());
        let stamp = |name: &Option<Arc<str>>| (self.reducer_for(name.as_deref()).1, self.verified.mapping);
        categories.map(|info| (info.name.clone().unwrap_or_default(), stamp(&info.name))).collect()
    }

    pub(super) fn creation_job(&self, notices: &mut Notices) -> Option<Job> {
        match self.new_snapshot() {
            Ok((mapping, new)) => {
                let asks = Asks::Creation(Arc::clone(&self.store), Box::new(mapping), Box::new(new));
                Some(job(Slot::SnapshotCost, asks))
            }
            Err(why) => {
                notices.warning("No snapshot can be made here", why, "");
                None
            }
        }
    }
}
