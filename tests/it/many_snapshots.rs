//! A great many snapshots with long states: whoever asks about all of them holds a few, and decodes no more than
//! it needs.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicU64, Ordering},
};

use timeglass::{
    model::{
        EventKey, EventQuery, Json, Payload, RecordedEvent, SnapshotHead, Stored, StoredSnapshot, StreamName,
        StreamVersion, TableShape, Zone,
    },
    project::sections::SnapshotEntry,
    replay::{Merge, OnFailure},
    session::job::{Answer, Question},
    snapshot::{
        Mapping, NewSnapshot, Standard, Standards, Verdict, Verification, Waiting, cost, creation_in,
    },
    store::{
        Description, EventStore, Head, KeyRange, PageFrom, Scanner, StoreResult, decode,
        index::Index,
        layout::{Form, Mapping as Played, SnapshotsTable, Source},
        memory::{MemoryStore, event},
        read::Onward,
        snapshots::{MOST_BYTES, SnapshotPlace, VisitedSnapshot},
    },
    work::Work,
};

/// Streams, and snapshots of each.
const STREAMS: u64 = 10;
const EACH: u64 = 100;

/// The length of a state, about.
const LONG: usize = 60_000;

/// A store that makes each snapshot when it is asked for, and looks who still holds it later.
struct Many {
    events: MemoryStore,
    description: Description,
    /// States that were handed over.
    handed: Mutex<Vec<Weak<[u8]>>>,
    /// The bytes of states that somebody held while the next was made, at most.
    held: AtomicU64,
    decoded: AtomicU64,
}

impl Many {
    fn new() -> Self {
        let mut events = Vec::new();
        for position in 0..STREAMS * EACH {
            let (stream, version) = (name(position % STREAMS), (position / STREAMS + 1) as i64);
            events.push(event(position as i64 + 1, &stream, version, "Changed", json(version)));
        }
        let events = MemoryStore::new(events);
        let mut description = events.describe().clone();
        let mut layout = (*description.layout).clone();
        layout.snapshots.push(SnapshotsTable {
            table: "snapshots".into(),
            stream: Some(played("stream")),
            category: None,
            version: Some(played("version")),
            state: played("state"),
            time: None,
            label: None,
        });
        description.layout = Arc::new(layout);
        let (handed, held, decoded) = (Mutex::default(), AtomicU64::default(), AtomicU64::default());
        Self { events, description, handed, held, decoded }
    }

    /// The snapshot in a place: those of all streams in turns, as they came.
    fn make(&self, number: u64) -> (SnapshotHead, Stored) {
        let mut handed = self.handed.lock().unwrap();
        handed.retain(|state| state.strong_count() > 0);
        let held = handed.iter().filter_map(Weak::upgrade).map(|state| state.len() as u64).sum();
        self.held.fetch_max(held, Ordering::Relaxed);
        let version = (number / STREAMS + 1) as i64;
        let state: Arc<[u8]> = json(version).to_compact().into_bytes().into();
        handed.push(Arc::downgrade(&state));
        let head = SnapshotHead {
            table: "snapshots".into(),
            stream: Some(Arc::new(name(number % STREAMS))),
            version: Some(StreamVersion(version)),
            time: None,
            label: None,
        };
        (head, Stored::Text(state))
    }

    fn decode(&self, stored: &Stored) -> Payload {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        decode::decode(stored.clone(), &[])
    }

    /// What was held at most in bytes, and how many were decoded, since the last time.
    fn counts(&self) -> (u64, u64) {
        (self.held.swap(0, Ordering::Relaxed), self.decoded.swap(0, Ordering::Relaxed))
    }
}

fn name(number: u64) -> StreamName {
    StreamName::plain(&format!("s{number}"))
}

fn json(version: i64) -> Json {
    Json::object([("version", Json::from(version)), ("text", Json::from("x".repeat(LONG)))])
}

fn played(column: &str) -> Played {
    Played {
        source: Source::Column { table: None, column: column.into() },
        form: Form::Plain,
        evidence: String::new(),
        is_uncertain: false,
    }
}

impl EventStore for Many {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn head(&self) -> StoreResult<Head> {
        self.events.head()
    }

    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.events.page(work, query, from, limit)
    }

    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        self.events.fetch(work, keys)
    }

    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        self.events.ranges(work, after, parts)
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        self.events.scanner()
    }

    fn table_shape(&self, _: &Work, table: &str) -> StoreResult<Option<TableShape>> {
        let column = |name: &str| timeglass::model::ColumnShape {
            name: name.into(),
            declared: "TEXT".into(),
            ..timeglass::model::ColumnShape::default()
        };
        let columns = ["stream", "version", "state"].map(column).into();
        Ok(Some(TableShape { table: table.into(), columns, ..TableShape::default() }))
    }

    fn visit_snapshots(
        &self,
        _: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        for number in 0..STREAMS * EACH {
            let (head, stored) = self.make(number);
            if stream.is_some_and(|stream| head.stream.as_deref() != Some(stream)) {
                continue;
            }
            let state = || self.decode(&stored);
            let visited = VisitedSnapshot::new(&head, &stored, SnapshotPlace::nth(number), &state);
            if visit(&visited) == Onward::Enough {
                break;
            }
        }
        Ok(())
    }

    fn fetch_snapshots(
        &self,
        _: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        let one = |place: &SnapshotPlace| {
            let number = (0..STREAMS * EACH).find(|number| SnapshotPlace::nth(*number) == *place)?;
            let (head, stored) = self.make(number);
            Some(StoredSnapshot::new(head, self.decode(&stored)))
        };
        Ok(places.iter().map(one).collect())
    }

    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        self.events.table_counts(work)
    }
}

fn many() -> (Arc<Many>, Arc<Index>) {
    let store = Arc::new(Many::new());
    let index = Arc::new(Index::build(&*store, &Work::default()).unwrap());
    (store, index)
}

const ALL: u64 = STREAMS * EACH;

#[test]
fn a_list_holds_no_state() {
    let (store, index) = many();
    let asked = Arc::clone(&store) as Arc<dyn EventStore>;
    let question = Question::Snapshots { store: asked, index, stream: None, zone: Zone::Utc };
    let answer = question.run(&Work::default()).unwrap();
    assert!(matches!(answer, Answer::Snapshots(..)));
    let kept: usize = store.handed.lock().unwrap().iter().filter(|state| state.strong_count() > 0).count();
    assert_eq!((store.counts(), kept), ((0, ALL), 0));
}

#[test]
fn what_loading_costs_is_counted_without_a_look_into_the_states() {
    let (store, index) = many();
    let found = cost(&*store, &index, &Work::default()).unwrap();
    assert_eq!((found.whole.snapshots as u64, found.whole.with.most), (ALL, 0));
    assert!(found.whole.snapshot_bytes > LONG as u64);
    assert_eq!(store.counts(), (0, 0));
}

#[test]
fn a_comparison_holds_few_states_at_a_time() {
    let (store, index) = many();
    let mut waiting = Vec::new();
    let owners = index.snapshot_owners();
    let read = store.visit_snapshots(&Work::default(), None, &mut |visited| {
        waiting.push(Waiting::of(visited, waiting.len(), &index, &owners).unwrap());
        Onward::On
    });
    read.unwrap();
    drop(owners);
    assert_eq!(store.counts(), (0, ALL));
    let standard = Standard {
        reducer: Arc::new(Merge::named("merged")),
        on_failure: OnFailure::GoOn,
        mapping: Mapping::default(),
    };
    let standards: Standards = [("".into(), standard)].into();
    let asked = Arc::clone(&store) as Arc<dyn EventStore>;
    let mut verification = Verification::plan(asked, index, waiting, Arc::new(standards));
    let found = verification.portion(usize::MAX, usize::MAX, &Work::default()).unwrap();
    assert!(found.iter().all(|one| one.check.verdict == Verdict::Agrees), "{:?}", found.first());
    let (held, decoded) = store.counts();
    assert_eq!((found.len() as u64, decoded), (ALL, ALL));
    assert!(EACH * LONG as u64 > MOST_BYTES, "those of one stream are longer together");
    assert!(held > 0 && held <= MOST_BYTES, "{held} bytes");
}

#[test]
fn of_many_that_differ_it_is_told_of_a_few_how() {
    let (store, index) = many();
    let verified = |in_full: bool| {
        let mut waiting = Vec::new();
        let owners = index.snapshot_owners();
        let read = store.visit_snapshots(&Work::default(), None, &mut |visited| {
            waiting.push(Waiting::of(visited, waiting.len(), &index, &owners).unwrap());
            Onward::On
        });
        read.unwrap();
        // Every event writes one member; what is stored beside it is another.
        let standard = Standard {
            reducer: Arc::new(Merge::named("merged")),
            on_failure: OnFailure::GoOn,
            mapping: Mapping::of(&SnapshotEntry {
                fields: [("text".into(), "other".into())].into(),
                ..SnapshotEntry::default()
            }),
        };
        let standards: Arc<Standards> = Arc::new([("".into(), standard)].into());
        let asked = Arc::clone(&store) as Arc<dyn EventStore>;
        let plan = Verification::plan(asked, Arc::clone(&index), waiting, standards);
        let mut verification = if in_full { plan.in_full() } else { plan };
        let found = verification.portion(usize::MAX, usize::MAX, &Work::default()).unwrap();
        assert!(found.iter().all(|one| one.check.verdict != Verdict::Agrees), "{:?}", found.first());
        assert!(found.iter().all(|one| one.check.is_brief == one.check.changes.is_empty()));
        found.iter().filter(|one| !one.check.is_brief).count()
    };
    let told = verified(false);
    assert!((100..400).contains(&told), "{told} are told in full: sixteen MB of them");
    assert_eq!(verified(true) as u64, ALL);
}

#[test]
fn a_new_snapshot_is_written_like_others_of_which_a_few_are_looked_at() {
    let (store, _) = many();
    let new = NewSnapshot {
        stream: Arc::new(name(3)),
        version: StreamVersion(EACH as i64 / 2),
        state: json(1),
        time: None,
    };
    let edits = creation_in(&*store, &Mapping::default(), &new, &Work::default()).unwrap().unwrap();
    let (held, decoded) = store.counts();
    assert!(decoded <= 4, "{decoded} decoded");
    assert!(held <= 5 * (LONG as u64 + 100), "{held} bytes");
    let [table] = edits.tables.as_slice() else { panic!("{edits:?}") };
    let [update] = table.updates.as_slice() else { panic!("the one of this version: {edits:?}") };
    assert!(update.place.is.contains(&("version".into(), Stored::Integer(new.version.0))), "{update:?}");
}
