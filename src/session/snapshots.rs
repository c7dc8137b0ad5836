//! The stored snapshots: which are listed, and the one that is shown in detail.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{StoredSnapshot, StreamName, StreamVersion, Zone},
    session::{
        event_rows::{PREVIEW, payload_preview},
        job::{Job, Question, Slot},
        opened::Opened,
        view::{SnapshotRow, SnapshotsView, grouped},
    },
    snapshot::{SnapshotKey, Verdict, look},
    store::{
        EventStore, StoreResult,
        index::{Index, SnapshotOwners},
        read::Onward,
        snapshots::{SnapshotPlace, VisitedSnapshot},
        unless_damaged,
    },
    work::Work,
};

/// Snapshots as rows, with what is asked of all of them: found by the job that reads them, since there may be a
/// great many.
#[derive(Debug, Default)]
pub struct SnapshotList {
    rows: Arc<Vec<SnapshotRow>>,
    /// The place of each.
    places: BTreeMap<SnapshotKey, usize>,
    /// Of each that is of a known stream and version, how many of the stream's events it holds.
    counts: Vec<Option<usize>>,
    /// The places of those of each stream.
    of_streams: BTreeMap<u32, Vec<usize>>,
    /// What can be said of each without a replay.
    looks: Arc<Vec<Option<Verdict>>>,
    /// How many events their streams have.
    events: u64,
    /// Why these are not all there are, if they are not.
    trouble: Option<Arc<str>>,
}

/// Which snapshot is asked for in detail.
pub struct SnapshotQuestion {
    store: Arc<dyn EventStore>,
    key: SnapshotKey,
    /// Where it was when it was listed.
    place: SnapshotPlace,
    /// Whose it is, or `None` where only all of the store's have it among them.
    stream: Option<Arc<StreamName>>,
}

impl SnapshotQuestion {
    /// The snapshot with this key, wherever it stands by now; `None` if it is gone.
    pub(crate) fn answer(self, work: &Work) -> StoreResult<Option<StoredSnapshot>> {
        let at_place = self.store.fetch_snapshots(work, std::slice::from_ref(&self.place))?;
        let is_it = |snapshot: &StoredSnapshot| SnapshotKey::of(snapshot) == self.key;
        if let Some(found) = at_place.into_iter().flatten().find(is_it) {
            return Ok(Some(found));
        }
        let mut found = None;
        self.store.visit_snapshots(work, self.stream.as_deref(), &mut |visited| {
            if SnapshotKey::of_visited(visited) != self.key {
                return Onward::On;
            }
            found = Some(visited.decoded());
            Onward::Enough
        })?;
        Ok(found)
    }
}

/// What a row is sorted by.
type Order = (Option<Arc<StreamName>>, Option<StreamVersion>);

impl SnapshotList {
    /// The snapshots of a stream, or of all, as rows of their table, each with the stream that it is a state of.
    pub(crate) fn read(
        (store, stream): (&dyn EventStore, Option<&StreamName>),
        index: &Index,
        zone: Zone,
        work: &Work,
    ) -> StoreResult<Self> {
        let owners = index.snapshot_owners();
        let mut sorted: Vec<(Order, SnapshotRow)> = Vec::new();
        let mut names = BTreeSet::new();
        let read = store.visit_snapshots(work, stream, &mut |visited| {
            let name = visited.head.stream.as_ref().map(|name| one_of(&mut names, name));
            let row = snapshot_row(visited, index, &owners, zone);
            sorted.push(((name, visited.head.version), row));
            Onward::On
        });
        // What stands before the damage is shown, and that there is damage.
        let mut trouble = None;
        unless_damaged(read, |words| trouble = Some(words.into()))?;
        work.advance(0)?;
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        let rows: Vec<SnapshotRow> = sorted.into_iter().map(|(_, row)| row).collect();
        let places = rows.iter().zip(0..).map(|(row, place)| (row.key.clone(), place)).collect();
        let count = |row: &SnapshotRow| index.count_of_version(row.stream_number?, row.version.parse().ok()?);
        let counts = rows.iter().map(count).collect();
        let mut of_streams = BTreeMap::<u32, Vec<usize>>::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(stream) = row.stream_number {
                of_streams.entry(stream).or_default().push(place);
            }
        }
        let events = of_streams.keys().map(|stream| index.stream_events(*stream).len() as u64).sum();
        let looks = rows.iter().map(|row| row.look.as_ref().map(|look| look.verdict)).collect();
        Ok(Self { rows: Arc::new(rows), places, counts, of_streams, looks: Arc::new(looks), events, trouble })
    }
}

/// The same name for all rows of a stream.
fn one_of(names: &mut BTreeSet<Arc<StreamName>>, name: &Arc<StreamName>) -> Arc<StreamName> {
    if let Some(known) = names.get(name) {
        return Arc::clone(known);
    }
    names.insert(Arc::clone(name));
    Arc::clone(name)
}

/// What the snapshots panel shows.
pub(crate) struct Snapshots {
    list: SnapshotList,
    /// Whose they are; `None` for those of the whole store.
    listed_of: Option<Arc<StreamName>>,
    /// Whether those of the chosen stream are wanted, and not of the whole store.
    is_of_stream: bool,
    is_reading: bool,
    /// Whether that was stopped, or failed.
    is_broken_off: bool,
    /// The row that is shown in detail.
    chosen: Option<usize>,
    detail: Option<Arc<StoredSnapshot>>,
    /// Whether that was found no more.
    is_gone: bool,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            list: SnapshotList::default(),
            listed_of: None,
            is_of_stream: true,
            is_reading: false,
            is_broken_off: false,
            chosen: None,
            detail: None,
            is_gone: false,
        }
    }
}

impl Snapshots {
    /// Takes the rows, and whose they are; gives back those before. The chosen one stays chosen if it is among
    /// them.
    #[must_use]
    pub(crate) fn take(&mut self, list: SnapshotList, of: Option<Arc<StreamName>>) -> SnapshotList {
        let chosen = self.chosen_row().map(|row| row.key.clone());
        self.chosen = chosen.and_then(|key| list.places.get(&key).copied());
        if self.chosen.is_none() {
            (self.detail, self.is_gone) = (None, false);
        }
        self.listed_of = of;
        (self.is_reading, self.is_broken_off) = (false, false);
        std::mem::replace(&mut self.list, list)
    }

    /// The place of a snapshot in the list.
    pub(crate) fn place(&self, key: &SnapshotKey) -> Option<usize> {
        self.list.places.get(key).copied()
    }

    /// The rows of a stream with their places, each with how many of the stream's events it holds, if that is
    /// known.
    pub(crate) fn of_stream(
        &self,
        stream: Option<u32>,
    ) -> impl Iterator<Item = (usize, &SnapshotRow, Option<usize>)> {
        let places = stream.and_then(|stream| self.list.of_streams.get(&stream));
        places.into_iter().flatten().filter_map(|place| {
            Some((*place, self.list.rows.get(*place)?, self.list.counts.get(*place).copied()?))
        })
    }

    /// What can be said of each row without a replay.
    pub(crate) fn looks(&self) -> Arc<Vec<Option<Verdict>>> {
        Arc::clone(&self.list.looks)
    }

    /// How many events the streams of the listed rows have.
    pub(crate) fn listed_events(&self) -> u64 {
        self.list.events
    }

    /// The row that is shown in detail.
    pub(crate) fn chosen_row(&self) -> Option<&SnapshotRow> {
        self.list.rows.get(self.chosen?)
    }

    /// Whose snapshots are listed; `None` for those of the whole store.
    pub(crate) fn listed_of(&self) -> Option<&Arc<StreamName>> {
        self.listed_of.as_ref()
    }

    /// Takes the snapshot of the chosen row. One that was asked for before another row was chosen is none of it.
    pub(crate) fn take_detail(&mut self, snapshot: Option<StoredSnapshot>) {
        let row = self.chosen_row();
        let is_chosen = |found: &StoredSnapshot| row.is_some_and(|row| row.key == SnapshotKey::of(found));
        let is_gone = snapshot.is_none() && row.is_some();
        let detail = snapshot.filter(is_chosen).map(Arc::new);
        (self.detail, self.is_gone) = (detail, is_gone);
    }

    /// Nobody reads them any more; those that are listed may be others.
    pub(crate) fn stop_waiting(&mut self) {
        self.is_broken_off |= self.is_reading;
        self.is_reading = false;
    }

    /// Whether others are being read, so that those in the list are not the ones that were asked for.
    pub(crate) fn is_reading(&self) -> bool {
        self.is_reading
    }

    pub(crate) fn rows(&self) -> &[SnapshotRow] {
        &self.list.rows
    }

    /// Whether they change when another stream is chosen.
    pub(crate) fn depend_on_stream(&self) -> bool {
        self.is_of_stream
    }
}

impl Opened {
    pub(crate) fn list_snapshots(&mut self, of_stream: bool) -> Vec<Job> {
        self.browse.snapshots.is_of_stream = of_stream;
        self.snapshots_job().into_iter().collect()
    }

    pub(crate) fn choose_snapshot(&mut self, place: usize) -> Vec<Job> {
        let Some(row) = self.browse.snapshots.rows().get(place) else { return Vec::new() };
        let stream = row.stream_number;
        let version = row.version.parse::<i64>().ok();
        let of_row = stream.and_then(|stream| Some(Arc::clone(&self.index.as_ref()?.stream(stream)?.name)));
        let question = SnapshotQuestion {
            store: Arc::clone(&self.store),
            key: row.key.clone(),
            place: row.place.clone(),
            stream: of_row.or_else(|| self.browse.snapshots.listed_of.clone()),
        };
        self.browse.snapshots.chosen = Some(place);
        (self.browse.snapshots.detail, self.browse.snapshots.is_gone) = (None, false);
        let question = Question::Snapshot(Box::new(question));
        let mut jobs = vec![Job { slot: Slot::Snapshot, question }];
        // The cursor goes to the version that the snapshot is a state of, so that both can be seen.
        if let (Some(stream), Some(version)) = (stream, version) {
            let found = self.event_of_version(stream, version);
            jobs.extend(found.map(|ordinal| self.stand_at(ordinal)).unwrap_or_default());
        }
        jobs.extend(self.verify_chosen());
        jobs
    }

    /// Asks for the snapshots of the chosen stream, or of the store.
    pub(crate) fn snapshots_job(&mut self) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        if self.layout.snapshots.is_empty() {
            return None;
        }
        let stream = if self.browse.snapshots.is_of_stream {
            // All snapshots of a store may be a great many, so they are read only when asked for.
            let Some(stream) = self.browse.focus else {
                let before = self.browse.snapshots.take(SnapshotList::default(), None);
                self.discards.put(before);
                return None;
            };
            Some(Arc::clone(&index.stream(stream)?.name))
        } else {
            None
        };
        self.browse.snapshots.is_reading = true;
        let question = Question::Snapshots { store: Arc::clone(&self.store), index, stream, zone: self.zone };
        Some(Job { slot: Slot::Snapshots, question })
    }

    pub(crate) fn snapshots_view(&self) -> SnapshotsView {
        let snapshots = &self.browse.snapshots;
        SnapshotsView {
            rows: Arc::clone(&snapshots.list.rows),
            is_of_stream: snapshots.is_of_stream,
            is_reading: snapshots.is_reading,
            is_broken_off: snapshots.is_broken_off,
            chosen: snapshots.chosen,
            detail: snapshots.detail.clone(),
            is_gone: snapshots.is_gone,
            trouble: snapshots.list.trouble.clone(),
            has_table: !self.layout.snapshots.is_empty(),
            has_stream: self.browse.focus.is_some(),
        }
    }
}

fn snapshot_row(
    visited: &VisitedSnapshot<'_>,
    index: &Index,
    owners: &SnapshotOwners<'_>,
    zone: Zone,
) -> SnapshotRow {
    let snapshot = visited.decoded();
    let key = SnapshotKey::of(&snapshot);
    let stream_number = snapshot.stream.as_ref().and_then(|name| owners.of(name));
    let (preview, is_problem) = payload_preview(&snapshot.state, PREVIEW);
    SnapshotRow {
        stream: Arc::clone(&key.stream),
        id_at: snapshot.stream.as_ref().map_or(0, |name| name.id_at()),
        stream_number,
        version: snapshot.version.map(|version| version.to_string()).unwrap_or_default(),
        time: snapshot.time.map(|time| time.to_display(zone)).unwrap_or_default(),
        label: snapshot.label.clone().unwrap_or_default(),
        size: grouped(visited.len()),
        encoding: snapshot.state.encoding.to_string(),
        preview,
        is_problem,
        place: visited.place.clone(),
        look: look(&snapshot, index, owners).err().map(Arc::new),
        key,
    }
}
