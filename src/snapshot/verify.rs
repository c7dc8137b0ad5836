//! Snapshots compared with the states that the events make, stream by stream.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Change, ChangeKind, Json, Segment, StoredSnapshot, StreamVersion, diff},
    replay::{History, OnFailure, Reducer, StreamEvents},
    snapshot::{Check, Mapping, SnapshotKey, Verdict},
    store::{
        EventStore, StoreResult,
        index::{Index, SnapshotOwners},
        snapshots::{SnapshotPlace, VisitedSnapshot, each_fetched},
    },
    work::Work,
};

/// What the snapshots of a category are held against.
#[derive(Clone)]
pub struct Standard {
    /// What makes the states.
    pub reducer: Arc<dyn Reducer>,
    /// What happens to the rest of a history when an event cannot be applied.
    pub on_failure: OnFailure,
    /// How stored states lie beside replayed ones.
    pub mapping: Mapping,
}

/// By category; the empty name stands for streams without one.
pub type Standards = BTreeMap<Arc<str>, Standard>;

/// A comparison under way: it goes on portion by portion, and what was found so far stays found.
///
/// Only where the snapshots stand is kept; their states are fetched a few at a time.
pub struct Verification {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    standards: Arc<Standards>,
    /// What is still to be compared, those of one stream beside each other; the next at the end.
    waiting: Vec<Waiting>,
    /// How many events the streams have of all that was to be compared.
    events: u64,
    /// The history of the stream that was met last.
    history: Option<(u32, Arc<History>)>,
    /// For so many bytes more of states that differ, it is told how.
    room: u64,
}

/// A snapshot that waits to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// What whoever asks calls it by.
    pub number: usize,
    /// Whose state it is.
    pub stream: u32,
    /// The version that it is the state after.
    pub version: Option<StreamVersion>,
    /// Where it stands.
    pub place: SnapshotPlace,
    /// How long it is.
    pub bytes: u64,
}

/// A snapshot that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What whoever asked calls it by.
    pub number: usize,
    /// The stream that it is a state of.
    pub stream: u32,
    /// What was compared; `None` if nothing was there any more.
    pub key: Option<SnapshotKey>,
    /// What is said of it.
    pub check: Check,
}

/// For so many bytes of states that differ it is told how. Where a reducer is missing, all may differ.
const ROOM: u64 = 16 << 20;

/// Memory for the keyframes of the one history that is compared with, in bytes.
const KEYFRAME_BYTES: usize = 64 << 20;

/// What can be said of a snapshot without replaying its stream, or the stream that it can be compared with.
pub fn look(snapshot: &StoredSnapshot, index: &Index, owners: &SnapshotOwners<'_>) -> Result<u32, Check> {
    let unreadable = snapshot.state.decoded.as_ref().err();
    let named = snapshot.stream.as_ref().map(|name| (name, owners.of(name)));
    match (named, unreadable) {
        (Some((name, None)), _) => {
            Err(Check::of(Verdict::Orphan, format!("the store has no events of {}", name.full())))
        }
        (Some((_, Some(stream))), unreadable) => {
            let last = index.stream(stream).and_then(|info| info.last_version);
            if let (Some(version), Some(last)) = (snapshot.version, last)
                && version > last
            {
                let reason = format!("its version is {version}, and the last event of its stream has {last}");
                return Err(Check::of(Verdict::Ahead, reason));
            }
            unreadable.map_or(Ok(stream), |reason| Err(Check::of(Verdict::Unreadable, Arc::clone(reason))))
        }
        (None, Some(reason)) => Err(Check::of(Verdict::Unreadable, Arc::clone(reason))),
        (None, None) => {
            // Filed by content: equal states of several streams are one snapshot.
            let reason = "it is filed under a key of its own, such as a hash of its content, and nothing in the \
                          store says which stream it is a state of: there is no replay to hold it against";
            Err(Check::of(Verdict::NotChecked, reason))
        }
    }
}

impl Waiting {
    /// A snapshot that can be compared, or what can be said of it at once.
    pub fn of(
        visited: &VisitedSnapshot<'_>,
        number: usize,
        index: &Index,
        owners: &SnapshotOwners<'_>,
    ) -> Result<Self, Check> {
        let stream = look(&visited.decoded(), index, owners)?;
        let (version, place) = (visited.head.version, visited.place.clone());
        Ok(Self { number, stream, version, place, bytes: visited.len() })
    }
}

impl Verification {
    /// Everything that is to be compared.
    #[must_use]
    pub fn plan(
        store: Arc<dyn EventStore>,
        index: Arc<Index>,
        mut waiting: Vec<Waiting>,
        standards: Arc<Standards>,
    ) -> Self {
        waiting.sort_by_key(|one| std::cmp::Reverse((one.stream, one.version, one.number)));
        let mut verification =
            Self { store, index, standards, waiting, events: 0, history: None, room: ROOM };
        verification.events = verification.remaining_events();
        verification
    }

    /// The same, but of all that differ it is told how.
    #[must_use]
    pub fn in_full(self) -> Self {
        Self { room: u64::MAX, ..self }
    }

    /// How many are still to be compared.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.waiting.len()
    }

    /// How many events the streams have whose snapshots are still to be compared.
    #[must_use]
    pub fn remaining_events(&self) -> u64 {
        let of_streams = self.waiting.chunk_by(|left, right| left.stream == right.stream);
        let events = |stream| self.index.stream_events(stream).len() as u64;
        of_streams.filter_map(<[Waiting]>::first).map(|one| events(one.stream)).sum()
    }

    /// Tells `work` how far the whole comparison is: what a portion counts goes on from there.
    pub fn tell(&self, work: &Work) {
        work.goes_on_from(self.events.saturating_sub(self.remaining_events()));
        work.expect_total(self.events);
    }

    /// The history of a stream, the same one for all its snapshots as long as they come one after the other.
    pub fn history(&mut self, stream: u32) -> Option<(Arc<History>, Standard)> {
        let standard = standard_of(&self.index, &self.standards, stream)?;
        if let Some((known, history)) = &self.history
            && *known == stream
        {
            return Some((Arc::clone(history), standard));
        }
        let history = Arc::new(history(&self.store, &self.index, stream, &standard));
        self.history = Some((stream, Arc::clone(&history)));
        Some((history, standard))
    }

    /// Compares some more: `most` snapshots, fewer where their streams have more than `events` events. Nothing
    /// when all are compared.
    pub fn portion(&mut self, most: usize, events: usize, work: &Work) -> StoreResult<Vec<Compared>> {
        let mut found = Vec::new();
        let mut replayed = 0;
        while let Some(stream) = self.waiting.last().map(|one| one.stream) {
            let of_stream = self.waiting.iter().rev().take_while(|one| one.stream == stream).count();
            let take = of_stream.min(most.saturating_sub(found.len()));
            let mut batch = self.waiting.split_off(self.waiting.len() - take);
            batch.reverse();
            self.of_stream(stream, &batch, &mut found, work)?;
            replayed += self.index.stream_events(stream).len();
            if found.len() >= most || replayed >= events {
                break;
            }
        }
        Ok(found)
    }

    fn of_stream(
        &mut self,
        stream: u32,
        batch: &[Waiting],
        found: &mut Vec<Compared>,
        work: &Work,
    ) -> StoreResult<()> {
        let Some((history, standard)) = self.history(stream) else {
            let check = Check::of(Verdict::NotChecked, "nothing makes the states of its category");
            let told =
                |one: &Waiting| Compared { number: one.number, stream, key: None, check: check.clone() };
            found.extend(batch.iter().map(told));
            return Ok(());
        };
        let judge = Judge { index: &self.index, stream, history: &history, standard: &standard };
        let states = judge.states(batch.iter().filter_map(|one| one.version), work)?;
        let owners = self.index.snapshot_owners();
        let room = &mut self.room;
        each_fetched(
            &*self.store,
            work,
            batch,
            |one| (&one.place, one.bytes),
            |one, snapshot| {
                let key = snapshot.as_ref().map(SnapshotKey::of);
                let mut check = match &snapshot {
                    None => Check::of(Verdict::NotChecked, "it was removed while others were compared"),
                    Some(snapshot) => match look(snapshot, &self.index, &owners) {
                        Err(check) => check,
                        Ok(now) if now != stream || snapshot.version != one.version => Check::of(
                            Verdict::NotChecked,
                            "another was stored in its place while others were compared",
                        ),
                        Ok(_) => judge.check(snapshot, &states, work)?,
                    },
                };
                if !check.changes.is_empty() {
                    (check.is_brief, *room) = (*room == 0, room.saturating_sub(one.bytes));
                }
                if check.is_brief {
                    check.changes = Vec::new();
                }
                found.push(Compared { number: one.number, stream, key, check });
                Ok(())
            },
        )
    }
}

/// What the snapshots of a stream are held against.
pub(crate) fn standard_of(index: &Index, standards: &Standards, stream: u32) -> Option<Standard> {
    let category = index.stream(stream)?.name.category.clone().unwrap_or_default();
    standards.get(&category).cloned()
}

/// The history that the snapshots of a stream are held against.
pub(crate) fn history(
    store: &Arc<dyn EventStore>,
    index: &Arc<Index>,
    stream: u32,
    standard: &Standard,
) -> History {
    let events = StreamEvents::new(Arc::clone(store), Arc::clone(index), stream);
    History::new(Arc::new(events), Arc::clone(&standard.reducer), standard.on_failure, KEYFRAME_BYTES)
}

/// How many events of a stream lie behind when this version does, and whether the last of them has it;
/// nothing if its events have no versions.
#[must_use]
pub fn count_of(index: &Index, stream: u32, version: StreamVersion) -> Option<(usize, bool)> {
    let events = index.stream_events(stream);
    let version_of = |ordinal: &u32| index.row(*ordinal).and_then(|row| row.version);
    events.first().and_then(version_of)?;
    let count = events.partition_point(|ordinal| version_of(ordinal).is_some_and(|own| own <= version));
    let last = count.checked_sub(1).and_then(|place| events.get(place)).and_then(version_of);
    Some((count, last == Some(version)))
}

/// Compares the snapshots of one stream.
struct Judge<'a> {
    index: &'a Index,
    stream: u32,
    history: &'a History,
    standard: &'a Standard,
}

impl Judge<'_> {
    /// The states that the events make at these versions, by how many events lie behind.
    fn states(
        &self,
        versions: impl Iterator<Item = StreamVersion>,
        work: &Work,
    ) -> StoreResult<BTreeMap<usize, Json>> {
        let counts = versions.filter_map(|version| count_of(self.index, self.stream, version));
        let mut counts: Vec<usize> = counts.map(|(count, _)| count).collect();
        counts.sort_unstable();
        counts.dedup();
        let mut states: BTreeMap<usize, Json> = BTreeMap::new();
        if counts.first() == Some(&0) {
            states.insert(0, self.history.step_at(0, work)?.after);
            counts.remove(0);
        }
        for step in self.history.steps_at(&counts, work)? {
            states.insert(step.count, step.after);
        }
        Ok(states)
    }

    /// What is to be said of a snapshot whose version is among those of the states.
    fn check(
        &self,
        snapshot: &StoredSnapshot,
        states: &BTreeMap<usize, Json>,
        work: &Work,
    ) -> StoreResult<Check> {
        let Some(version) = snapshot.version else { return self.without_version(snapshot, work) };
        let Some((count, is_exact)) = count_of(self.index, self.stream, version) else {
            return Ok(Check::of(Verdict::NotChecked, "the events of its stream have no versions"));
        };
        let made = states.get(&count).cloned().unwrap_or_default();
        let check = self.one(snapshot, count, &made);
        Ok(if is_exact { check } else { with_gap(check, version) })
    }

    /// Compares a snapshot with the state after so many events.
    fn one(&self, snapshot: &StoredSnapshot, count: usize, made: &Json) -> Check {
        let mapping = &self.standard.mapping;
        let stored = match &snapshot.state.decoded {
            Ok(stored) => stored,
            Err(reason) => return Check::of(Verdict::Unreadable, Arc::clone(reason)),
        };
        let Some(stored) = mapping.of_stored(stored) else {
            let reason = format!("it has nothing at {}, where its state should stand", mapping.root());
            return Check::of(Verdict::Unreadable, reason);
        };
        let changes = diff(&mapping.of_replayed(made), &stored);
        let (verdict, reason) = match changes.as_slice() {
            [] => (Verdict::Agrees, None),
            changes if self.is_guess() && is_of_another_kind(changes) => {
                (Verdict::NotComparable, Some(another_kind(changes)))
            }
            _ => (Verdict::Differs, self.doubt(count)),
        };
        let made_by = Some(self.history.reducer().name());
        Check { verdict, reason, changes, count: Some(count), made_by, is_brief: false }
    }

    /// Whether nobody said what the stored state should be like.
    fn is_guess(&self) -> bool {
        self.history.reducer().is_merge() && !self.standard.mapping.says_where()
    }

    /// Why a difference may say less than it seems to.
    fn doubt(&self, count: usize) -> Option<Arc<str>> {
        let reducer = self.history.reducer();
        if reducer.is_merge() {
            return Some(
                "merged, no reducer: what events do not carry as the state has it cannot agree".into(),
            );
        }
        let failed = self.history.failures().range(..=count).count();
        let events = if failed == 1 { "1 event".to_owned() } else { format!("{failed} events") };
        (failed > 0).then(|| format!("{} could not apply {events} up to it", reducer.name()).into())
    }

    /// A snapshot that does not say its version: the last state that is like it will do.
    fn without_version(&self, snapshot: &StoredSnapshot, work: &Work) -> StoreResult<Check> {
        let start = self.history.step_at(0, work)?.after;
        let mut found = (self.one(snapshot, 0, &start).verdict == Verdict::Agrees).then_some(0);
        let mut last = start;
        self.history.walk(0..self.history.len(), work, &mut |step| {
            let is_new = !step.after.is_same_node(&last);
            last = step.after;
            if (is_new && self.one(snapshot, step.count, &last).verdict == Verdict::Agrees)
                || (!is_new && found == Some(step.count - 1))
            {
                found = Some(step.count);
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(match found {
            Some(count) => Check {
                reason: Some(format!("it has no version; it is the state after {count} events").into()),
                count: Some(count),
                made_by: Some(self.history.reducer().name()),
                ..Check::of(Verdict::Agrees, "")
            },
            None => {
                Check::of(Verdict::NotChecked, "it has no version, and no state of its stream is like it")
            }
        })
    }
}

/// Whether a stored state is of another kind than a merge of events: it has members that no event carries, and all
/// that both have is the same. Which of the two is wrong, only a reducer could say.
fn is_of_another_kind(changes: &[Change]) -> bool {
    let is_item = |change: &Change| matches!(change.path.segments().last(), Some(Segment::Index(_)) | None);
    let is_value = |change: &Change| matches!(change.kind, ChangeKind::Replace(..)) || is_item(change);
    let is_only_stored = |change: &Change| matches!(change.kind, ChangeKind::Add(_));
    changes.iter().any(is_only_stored) && !changes.iter().any(is_value)
}

fn another_kind(changes: &[Change]) -> Arc<str> {
    /// So many members are named.
    const NAMED: usize = 4;
    let stored = changes.iter().filter(|change| matches!(change.kind, ChangeKind::Add(_)));
    let names: Vec<String> = stored.map(|change| change.path.to_string()).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    format!("not comparable without a reducer: no event carries {}{more}", named.join(", ")).into()
}

/// The same, of a snapshot whose own version no event has.
fn with_gap(check: Check, version: StreamVersion) -> Check {
    let gap = format!("its stream has no event of version {version}: compared with the state before");
    let reason = match &check.reason {
        Some(reason) => format!("{gap}; {reason}"),
        None => gap,
    };
    Check { reason: Some(reason.into()), ..check }
}
