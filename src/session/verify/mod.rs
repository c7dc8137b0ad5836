//! Stored snapshots held against the events, and what they save.
//!
//! A comparison goes on in portions, each a job of its own, so that verdicts appear as they are found and stay
//! when the user stops it. A verdict holds as long as the reducer and the mapping that it was found with.

mod asked;
mod cost;
mod shown;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Pointer, Segment},
    project::sections::SnapshotEntry,
    session::{
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        view::{CostView, SnapshotRow},
    },
    snapshot::{Check, Cost, Mapping, Parting, SnapshotKey, Standard, Standards, Verdict},
};

pub use asked::{VerifyAnswer, VerifyQuestion};

use asked::{Found, job};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyAction {
    /// Compares every listed snapshot with what the events make.
    Listed,
    /// Compares the snapshot in a row.
    One(usize),
    /// Compares all snapshots of the stream of a row.
    Stream(usize),
    /// Compares no more; what was found stays.
    Stop,
    /// Shows only the snapshots with this verdict, or all again.
    Filter(Option<Verdict>),
    /// Counts what loading costs.
    ShowCost,
    /// Shows that no more.
    HideCost,
    /// Goes to the state of the chosen snapshot's stream after so many events.
    GoTo(usize),
    /// Puts the cursor behind so many events of the chosen stream.
    Stand(usize),
    /// Compares a place of the chosen snapshot's category no more; kept in the project file.
    Ignore(Pointer),
    /// Compares again as it was.
    Undo(Vec<SnapshotEntry>),
    /// Works out how the state at the cursor would be stored as a snapshot.
    Create,
}

/// What was verified of the open store's snapshots.
#[derive(Default)]
pub(crate) struct Verified {
    checks: BTreeMap<SnapshotKey, Known>,
    verdicts: Arc<Vec<Option<Verdict>>>,
    /// Whether what was compared of a category agrees with what the merge makes of its events.
    merges: BTreeMap<Arc<str>, Agreement>,
    shown: Option<Arc<Vec<usize>>>,
    counts: Arc<Vec<(Verdict, usize)>>,
    filter: Option<Verdict>,
    /// The comparison under way: answers of others are taken, and not followed.
    turn: u64,
    progress: Option<(usize, Option<usize>)>,
    /// What the comparison under way is done with, by category.
    stamps: BTreeMap<Arc<str>, Stamp>,
    /// Rises with every change of the mapping.
    mapping: u64,
    parting: Option<(SnapshotKey, Arc<Parting>)>,
    /// The snapshot whose parting is being looked for.
    looking: Option<SnapshotKey>,
    cost: Option<Arc<CostView>>,
    wants_cost: bool,
    is_counting: bool,
}

/// A verdict, and what it was found with.
struct Known {
    check: Arc<Check>,
    /// Of which stream.
    stream: u32,
    stamp: Stamp,
}

/// What comparing the snapshots of a category came to.
#[derive(Default)]
struct Agreement {
    agrees: bool,
    differs: bool,
}

/// The generations of the reducer and of the mapping.
type Stamp = (u64, u64);

impl Verified {
    /// What is known of the snapshot in a row.
    pub(crate) fn verdict(&self, place: usize) -> Option<Verdict> {
        self.verdicts.get(place).copied().flatten()
    }

    /// A job ended without an answer.
    pub(crate) fn stop_waiting(&mut self, slot: Slot) {
        match slot {
            Slot::Verify => {
                // What is on its way still brings what it found, and is not gone on with.
                self.turn += 1;
                self.progress = None;
            }
            Slot::SnapshotParting => self.looking = None,
            _ => self.is_counting = false,
        }
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_verify(&mut self, action: VerifyAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            // What is listed is not what was asked for yet.
            VerifyAction::Listed if self.browse.snapshots.is_reading() => Vec::new(),
            VerifyAction::Listed => {
                let of = self.browse.snapshots.listed_of().cloned();
                self.verify_job(of, None).into_iter().collect()
            }
            VerifyAction::One(place) | VerifyAction::Stream(place) => {
                let Some(row) = self.browse.snapshots.rows().get(place) else { return Vec::new() };
                let of = row.stream_number.and_then(|stream| self.index.as_ref()?.stream(stream));
                let Some(of) = of.map(|info| Arc::clone(&info.name)) else { return Vec::new() };
                let only = matches!(action, VerifyAction::One(_)).then(|| row.key.clone());
                self.verify_job(Some(of), only).into_iter().collect()
            }
            VerifyAction::Stop => {
                self.verified.turn += 1;
                self.verified.progress = None;
                Vec::new()
            }
            VerifyAction::Filter(verdict) => {
                self.verified.filter = verdict;
                self.filter_verdicts();
                Vec::new()
            }
            VerifyAction::ShowCost => {
                self.verified.wants_cost = true;
                self.cost_job().into_iter().collect()
            }
            VerifyAction::HideCost => {
                self.verified.wants_cost = false;
                Vec::new()
            }
            VerifyAction::GoTo(count) => self.go_to_missed(count),
            VerifyAction::Stand(count) => self.go_to_shown(count),
            VerifyAction::Ignore(path) => self.ignore(&path, notices),
            VerifyAction::Undo(entries) => {
                self.kept.now.snapshots = entries;
                self.mapping_changed()
            }
            VerifyAction::Create => self.creation_job(notices).into_iter().collect(),
        }
    }

    /// Takes what a job found.
    pub(crate) fn take_verify(&mut self, answer: VerifyAnswer, notices: &mut Notices) -> Vec<Job> {
        match answer.0 {
            Found::Portion { turn, found, rest, total } => {
                let mut jobs = Vec::new();
                self.note_checks(found);
                if turn == self.verified.turn {
                    let done = rest.as_ref().map_or(total, |rest| total - rest.remaining());
                    self.verified.progress = rest.is_some().then_some((done, Some(total)));
                    match rest {
                        Some(rest) => jobs.push(asked::more(turn, rest, total)),
                        // One alone is always told in full, if it is still there.
                        None if total > 1 => jobs.extend(self.explain_chosen()),
                        None => (),
                    }
                }
                jobs.extend(self.parting_job());
                jobs
            }
            Found::Parting(key, parting) => {
                if self.verified.looking.as_ref() == Some(&key) {
                    self.verified.looking = None;
                }
                self.verified.parting = Some((key, Arc::new(*parting)));
                Vec::new()
            }
            Found::Cost(cost) => {
                self.verified.is_counting = false;
                self.take_cost(*cost);
                Vec::new()
            }
            Found::Creation(Ok(edits)) => self.prepare_edits(*edits),
            Found::Creation(Err(why)) => {
                notices.warning("No snapshot can be stored here", why, "");
                Vec::new()
            }
        }
    }

    /// The chosen snapshot is compared, if nothing else is, and the others of its stream with it: they tell
    /// since when it differs.
    pub(crate) fn verify_chosen(&mut self) -> Vec<Job> {
        let Some(row) = self.browse.snapshots.chosen_row() else { return Vec::new() };
        if row.look.is_some() || self.check_of(row).is_some() {
            let more = if self.verified.progress.is_none() { self.explain_chosen() } else { None };
            return more.or_else(|| self.parting_job()).into_iter().collect();
        }
        if self.verified.progress.is_some() {
            return Vec::new();
        }
        let place = self.browse.snapshots.place(&row.key);
        let asked = place.and_then(|place| {
            let row = self.browse.snapshots.rows().get(place)?;
            let name = Arc::clone(&self.index.as_ref()?.stream(row.stream_number?)?.name);
            Some(name)
        });
        asked.and_then(|name| self.verify_job(Some(name), None)).into_iter().collect()
    }

    /// The chosen snapshot is compared once more, alone, if it was not told how it differs.
    fn explain_chosen(&mut self) -> Option<Job> {
        let row = self.browse.snapshots.chosen_row()?;
        if !self.check_of(row)?.is_brief {
            return None;
        }
        let (key, stream) = (row.key.clone(), row.stream_number?);
        let name = Arc::clone(&self.index.as_ref()?.stream(stream)?.name);
        self.verify_job(Some(name), Some(key))
    }

    /// What is known of a row, as long as it holds.
    fn check_of(&self, row: &SnapshotRow) -> Option<&Arc<Check>> {
        let known = self.verified.checks.get(&row.key)?;
        (known.stamp == self.stamp_of(row.stream_number?)?).then_some(&known.check)
    }

    fn stamp_of(&self, stream: u32) -> Option<Stamp> {
        let category = &self.index.as_ref()?.stream(stream)?.name.category;
        Some((self.reducer_for(category.as_deref()).1, self.verified.mapping))
    }

    /// What the snapshots of each category are held against.
    fn standards(&self) -> Option<Standards> {
        let categories = self.index.as_ref()?.categories();
        let standard = |category: Option<&str>| Standard {
            reducer: self.reducer_for(category).0,
            on_failure: self.on_failure(),
            mapping: Mapping::of_category(&self.kept.now.snapshots, category),
        };
        Some(
            categories
                .iter()
                .map(|info| (info.name.clone().unwrap_or_default(), standard(info.name.as_deref())))
                .collect(),
        )
    }

    fn verify_job(
        &mut self,
        of: Option<Arc<crate::model::StreamName>>,
        only: Option<SnapshotKey>,
    ) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        let standards = Arc::new(self.standards()?);
        let stamp = |category: &Arc<str>| {
            let name = Some(&**category).filter(|name| !name.is_empty());
            (self.reducer_for(name).1, self.verified.mapping)
        };
        let stamps = standards.keys().map(|category| (Arc::clone(category), stamp(category))).collect();
        self.verified.stamps = stamps;
        self.verified.turn += 1;
        self.verified.progress = Some((0, None));
        Some(asked::start(
            self.verified.turn,
            asked::Start { store: Arc::clone(&self.store), index, of, only, standards },
        ))
    }

    /// Where the chosen snapshot parts from the replay, if it differs and nobody asked yet.
    fn parting_job(&mut self) -> Option<Job> {
        let row = self.browse.snapshots.chosen_row()?;
        let check = Arc::clone(self.check_of(row)?);
        let (Verdict::Differs, Some(until), Some(stream)) = (check.verdict, check.count, row.stream_number)
        else {
            return None;
        };
        if check.is_brief {
            return None;
        }
        let known = self.verified.parting.as_ref().map(|(key, _)| key);
        if self.verified.looking.as_ref() == Some(&row.key) {
            return None;
        }
        let neighbours = self.neighbours(stream);
        let bounds = crate::snapshot::bounds(until, neighbours);
        if known == Some(&row.key)
            && self.verified.parting.as_ref().is_some_and(|(_, parting)| parting.bounds == bounds)
        {
            return None;
        }
        let key = row.key.clone();
        let standards = self.standards()?;
        let category = self.index.as_ref()?.stream(stream)?.name.category.clone().unwrap_or_default();
        let standard = standards.get(&category)?.clone();
        self.verified.looking = Some(key.clone());
        let asked = asked::Asks::Parting {
            store: Arc::clone(&self.store),
            index: Arc::clone(self.whole_index()?),
            stream,
            standard: Box::new(standard),
            check,
            bounds,
            key,
        };
        Some(job(Slot::SnapshotParting, asked))
    }

    /// What is known of the snapshots of a stream: counts and verdicts.
    fn neighbours(&self, stream: u32) -> Vec<(usize, Verdict)> {
        let of_stream = self.browse.snapshots.of_stream(Some(stream));
        of_stream
            .filter_map(|(_, row, _)| self.check_of(row))
            .filter_map(|check| Some((check.count?, check.verdict)))
            .collect()
    }

    fn go_to_missed(&mut self, count: usize) -> Vec<Job> {
        let row = self.browse.snapshots.chosen_row();
        let Some(stream) = row.and_then(|row| row.stream_number) else { return Vec::new() };
        let Some(ordinal) = self.ordinal_in_stream(stream, count).filter(|_| count > 0) else {
            return Vec::new();
        };
        self.trail.leave(self.spot());
        self.stand_at(ordinal)
    }

    /// Leaves a place out of the comparison. Items of an array are left out all alike: which of them a place
    /// in the file meant would change with the next event.
    fn ignore(&mut self, path: &Pointer, notices: &mut Notices) -> Vec<Job> {
        let stream = self.browse.snapshots.chosen_row().and_then(|row| row.stream_number);
        let info = stream.and_then(|stream| self.index.as_ref()?.stream(stream));
        let Some(category) = info.map(|info| info.name.category.clone()) else { return Vec::new() };
        let every = |segment: &Segment| match segment {
            Segment::Index(_) => Segment::Name("*".into()),
            Segment::Name(_) => segment.clone(),
        };
        let text: Arc<str> = path.segments().iter().map(every).collect::<Pointer>().to_string().into();
        if text.is_empty() {
            return Vec::new();
        }
        let before = self.kept.now.snapshots.clone();
        let entries = &mut self.kept.now.snapshots;
        let place = entries.iter().position(|entry| entry.category == category);
        let place = place.unwrap_or_else(|| {
            // The entry for all others counts no more once a category has its own.
            let all = entries.iter().find(|entry| entry.category.is_none()).cloned();
            entries.push(SnapshotEntry { category, ..all.unwrap_or_default() });
            entries.len() - 1
        });
        if let Some(entry) = entries.get_mut(place)
            && !entry.ignore.contains(&text)
        {
            entry.ignore.push(Arc::clone(&text));
        }
        notices.undoable(
            format!("{text} is not compared any more"),
            crate::session::action::Action::Verify(VerifyAction::Undo(before)),
        );
        self.mapping_changed()
    }

    fn mapping_changed(&mut self) -> Vec<Job> {
        self.verified.mapping += 1;
        self.verified.parting = None;
        self.arrange_verdicts();
        let of = self.browse.snapshots.listed_of().cloned();
        let mut jobs: Vec<Job> = self.keep_job().into_iter().collect();
        jobs.extend(self.verify_job(of, None));
        jobs
    }

    fn cost_job(&mut self) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        self.verified.is_counting = true;
        Some(job(Slot::SnapshotCost, asked::Asks::Cost(Arc::clone(&self.store), index)))
    }

    fn take_cost(&mut self, cost: Cost) {
        self.verified.cost = Some(Arc::new(self.cost_view(cost)));
    }
}
