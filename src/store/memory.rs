//! The simplest correct store: a sorted list in memory, the oracle for all others.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{
        EventKey, EventQuery, GlobalPosition, Json, Payload, RecordedEvent, StoredSnapshot, StreamName,
        StreamVersion, Timestamp,
    },
    store::{
        Description, EventStore, Head, KeyRange, KnownNames, PageFrom, RowSink, ScanKey, ScanRow, Scanner,
        StoreResult,
        layout::{EventsTable, Layout, Order},
        read::Onward,
        snapshots::{SnapshotPlace, SnapshotRowKey, VisitedSnapshot},
    },
    work::Work,
};

/// Events and snapshots in memory.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    description: Description,
    events: Vec<RecordedEvent>,
    snapshots: Vec<StoredSnapshot>,
}

impl MemoryStore {
    /// A store of these events, in the order of their keys; of several with one key the last stays.
    #[must_use]
    pub fn new(events: impl IntoIterator<Item = RecordedEvent>) -> Self {
        let by_key: BTreeMap<EventKey, RecordedEvent> =
            events.into_iter().map(|event| (event.key.clone(), event)).collect();
        Self { description: description(), events: by_key.into_values().collect(), snapshots: Vec::new() }
    }

    /// The same store with these snapshots.
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: impl IntoIterator<Item = StoredSnapshot>) -> Self {
        self.snapshots = snapshots.into_iter().collect();
        self
    }

    /// All events in global order.
    #[must_use]
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// Adds an event, as another process would.
    pub fn append(&mut self, event: RecordedEvent) {
        let place = self.events.partition_point(|other| other.key < event.key);
        self.events.insert(place, event);
    }
}

/// An event of a store in memory, for tests: its key and position are `position`.
#[must_use]
pub fn event(
    position: i64,
    stream: &StreamName,
    version: i64,
    event_type: &str,
    data: Json,
) -> RecordedEvent {
    RecordedEvent {
        key: EventKey::integer(position),
        position: Some(GlobalPosition::Number(position)),
        stream: Arc::new(stream.clone()),
        version: Some(StreamVersion(version)),
        event_type: event_type.into(),
        schema_version: None,
        time: Timestamp::from_epoch(1_700_000_000_i64.saturating_add(position), 0),
        event_id: None,
        correlation_id: None,
        causation_id: None,
        actor: None,
        data: Payload::from_json(data),
        metadata: Payload::absent(),
        troubles: Vec::new(),
    }
}

/// Whether an event answers a query: what [`EventStore::page`] promises, as plainly as it can be said.
#[must_use]
pub fn answers(event: &RecordedEvent, query: &EventQuery) -> bool {
    query.stream.as_ref().is_none_or(|stream| event.stream == *stream)
        && query.category.as_ref().is_none_or(|category| event.stream.category == *category)
        && (query.types.is_empty() || query.types.contains(&event.event_type))
        && query.after.as_ref().is_none_or(|after| event.position.as_ref().is_some_and(|own| own > after))
        && query.from.is_none_or(|from| event.time.is_some_and(|time| time.nanos() >= from.nanos()))
        && query.to.is_none_or(|to| event.time.is_some_and(|time| time.nanos() <= to.nanos()))
}

impl Scanner for &MemoryStore {
    fn scan(&mut self, work: &Work, range: &KeyRange, sink: &mut dyn RowSink) -> StoreResult<Vec<String>> {
        let is_behind = |event: &&RecordedEvent| range.after.as_ref().is_none_or(|after| event.key > *after);
        let is_within = |event: &&RecordedEvent| range.until.as_ref().is_none_or(|until| event.key <= *until);
        let mut troubles = Vec::new();
        for event in self.events.iter().filter(is_behind).take_while(is_within) {
            work.advance(1)?;
            let row = ScanRow {
                key: ScanKey::of(&event.key.0),
                position: event.position.clone(),
                category: event.stream.category.as_deref(),
                id: &event.stream.id,
                stored: event.stream.stored.as_deref(),
                version: event.version,
                event_type: &event.event_type,
                time: event.time,
            };
            sink.push(&row, KnownNames::default());
            sink.settle();
            troubles.extend(event.troubles.iter().map(|trouble| format!("{}: {trouble}", event.label())));
        }
        troubles.truncate(100);
        Ok(troubles)
    }
}

impl EventStore for MemoryStore {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn head(&self) -> StoreResult<Head> {
        Ok(Head(vec![self.events.len() as u64]))
    }

    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        work.advance(0)?;
        let answering = |event: &&RecordedEvent| answers(event, query);
        let forwards = |after: &dyn Fn(&EventKey) -> bool| -> Vec<RecordedEvent> {
            self.events
                .iter()
                .filter(|event| after(&event.key))
                .filter(answering)
                .take(limit)
                .cloned()
                .collect()
        };
        let backwards = |before: &dyn Fn(&EventKey) -> bool| -> Vec<RecordedEvent> {
            let found = self.events.iter().rev().filter(|event| before(&event.key)).filter(answering);
            let mut page: Vec<RecordedEvent> = found.take(limit).cloned().collect();
            page.reverse();
            page
        };
        Ok(match from {
            PageFrom::Start => forwards(&|_| true),
            PageFrom::After(key) => forwards(&|own| own > key),
            PageFrom::End => backwards(&|_| true),
            PageFrom::Before(key) => backwards(&|own| own < key),
        })
    }

    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        work.advance(keys.len() as u64)?;
        let place = |key: &EventKey| self.events.binary_search_by(|event| event.key.cmp(key)).ok();
        Ok(keys.iter().map(|key| self.events.get(place(key)?).cloned()).collect())
    }

    fn about_how_many(&self, _: &Work, after: Option<&EventKey>) -> StoreResult<Option<u64>> {
        let first = after.map_or(0, |after| self.events.partition_point(|event| event.key <= *after));
        Ok(Some((self.events.len() - first) as u64))
    }

    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        work.advance(0)?;
        let first = after.map_or(0, |after| self.events.partition_point(|event| event.key <= *after));
        let rest = self.events.get(first..).unwrap_or_default();
        let size = rest.len().div_ceil(parts.max(1)).max(1);
        let mut ranges = Vec::new();
        let mut start = after.cloned();
        for part in rest.chunks(size) {
            let until = part.last().map(|event| event.key.clone());
            ranges.push(KeyRange { after: start, until: until.clone() });
            start = until;
        }
        Ok(ranges)
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(self)
    }

    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        for (number, snapshot) in (0..).zip(&self.snapshots) {
            work.advance(0)?;
            if stream.is_some_and(|wanted| snapshot.stream.as_deref() != Some(wanted)) {
                continue;
            }
            let (head, place) = (snapshot.head(), SnapshotPlace::nth(number));
            let state = || snapshot.state.clone();
            let visited = VisitedSnapshot::new(&head, &snapshot.state.stored, place, &state);
            if visit(&visited) == Onward::Enough {
                break;
            }
        }
        Ok(())
    }

    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        work.advance(0)?;
        let one = |place: &SnapshotPlace| match place.row {
            SnapshotRowKey::Nth(number) => self.snapshots.get(usize::try_from(number).ok()?).cloned(),
            SnapshotRowKey::Number(_) | SnapshotRowKey::Key(_) => None,
        };
        Ok(places.iter().map(one).collect())
    }

    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        work.advance(0)?;
        Ok(vec![Some(self.events.len() as u64); self.description.layout.tables.len()])
    }
}

fn description() -> Description {
    Description {
        name: "memory".into(),
        path: None,
        layout: Arc::new(Layout {
            name: "memory".into(),
            events: EventsTable {
                table: "events".into(),
                archives: Vec::new(),
                joins: Vec::new(),
                roles: BTreeMap::new(),
                order: Order {
                    columns: vec!["key".into()],
                    evidence: "events are kept in the order of their keys".into(),
                    is_certain: true,
                },
                unwrap: Vec::new(),
            },
            snapshots: Vec::new(),
            checkpoints: Vec::new(),
            tables: Vec::new(),
            problems: Vec::new(),
        }),
        problems: Vec::new(),
    }
}
