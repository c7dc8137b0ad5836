//! What loading costs with the stored snapshots and without, and what another interval would cost.
//!
//! The question is what an application pays that loads each stream once as it is now: the events behind its
//! last snapshot, or all of them. Every stream counts once.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::SnapshotHead,
    snapshot::verify::count_of,
    store::{
        EventStore, KeyRange, StoreResult,
        index::Index,
        read::{Body, Onward, Wanted},
    },
    work::Work,
};

/// How many events loads take, each stream loaded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// Half of the loads take no more.
    pub median: usize,
    /// 95 of 100 loads take no more.
    pub p95: usize,
    /// None takes more.
    pub most: usize,
    /// All of them together.
    pub total: u64,
}

/// What loading the streams of a category costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CostLine {
    /// The category; `None` for streams without one, or for the whole store.
    pub category: Option<Arc<str>>,
    /// How many streams it has.
    pub streams: usize,
    /// How many events they have.
    pub events: u64,
    /// How many snapshots there are of them.
    pub snapshots: usize,
    /// How many of the streams have one.
    pub covered: usize,
    /// The usual distance between snapshots of a stream, in events; `None` if there are no two of one.
    pub interval: Option<usize>,
    /// Events to replay with the snapshots that are there.
    pub with: Loads,
    /// Events to replay without.
    pub without: Loads,
    /// Bytes to read, snapshots included.
    pub bytes_with: u64,
    /// Bytes of event data to read without snapshots.
    pub bytes_without: u64,
    /// How long a snapshot is on average, in bytes.
    pub snapshot_bytes: u64,
    /// What other intervals would cost, the shortest first.
    pub intervals: Vec<Interval>,
    /// Which of the intervals is advised; `None` if snapshots would save little.
    pub advised: Option<usize>,
    /// How many streams take so many events now: up to so many, in steps of [`STEPS`].
    pub spread: Vec<(usize, usize)>,
}

/// What an interval would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// A snapshot after every so many events.
    pub every: usize,
    /// Events to replay.
    pub loads: Loads,
    /// Snapshots to keep if all are kept.
    pub snapshots: u64,
}

/// What loading costs in a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// All streams.
    pub whole: CostLine,
    /// The categories, in the order of their names.
    pub categories: Vec<CostLine>,
    /// The streams that take the most events now: number, events to replay, events in all.
    pub longest: Vec<(u32, usize, usize)>,
}

/// The upper ends of the classes of a spread; more than the last is a class of its own.
pub const STEPS: [usize; 10] = [0, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/// The intervals that are tried.
const INTERVALS: [usize; 8] = [10, 25, 50, 100, 250, 500, 1000, 5000];

/// So many of the longest loads are named.
const LONGEST: usize = 10;

/// One stream as it is loaded.
struct Load {
    category: Option<Arc<str>>,
    events: usize,
    /// How many events lie behind each of its snapshots, in order.
    snapshots: Vec<usize>,
    /// How many lie behind the last one; none before there is one.
    last: usize,
    /// The bytes of its snapshots together, and of the last of them.
    snapshot_bytes: u64,
    last_bytes: u64,
    event_bytes: u64,
    /// Those of the events behind the last snapshot.
    rest_bytes: u64,
}

/// Counts what loading costs. Reads the data of all events once, for its bytes.
pub fn cost(store: &dyn EventStore, index: &Index, work: &Work) -> StoreResult<Cost> {
    let mut loads: Vec<Load> = (0..)
        .zip(index.streams())
        .map(|(stream, info)| load(index, stream, info.name.category.clone()))
        .collect();
    take_snapshots(store, index, &mut loads, work)?;
    take_bytes(store, index, &mut loads, work)?;
    let mut by_category: BTreeMap<Option<Arc<str>>, Vec<&Load>> = BTreeMap::new();
    for load in &loads {
        by_category.entry(load.category.clone()).or_default().push(load);
    }
    let mut longest: Vec<(u32, usize, usize)> =
        (0..).zip(&loads).map(|(stream, load)| (stream, load.events - load.last, load.events)).collect();
    longest.sort_by_key(|(stream, rest, _)| (std::cmp::Reverse(*rest), *stream));
    longest.truncate(LONGEST);
    Ok(Cost {
        whole: line(None, &loads.iter().collect::<Vec<_>>()),
        categories: by_category.into_iter().map(|(category, loads)| line(category, &loads)).collect(),
        longest,
    })
}

fn load(index: &Index, stream: u32, category: Option<Arc<str>>) -> Load {
    Load {
        category,
        events: index.stream_events(stream).len(),
        snapshots: Vec::new(),
        last: 0,
        snapshot_bytes: 0,
        last_bytes: 0,
        event_bytes: 0,
        rest_bytes: 0,
    }
}

/// Snapshots of no stream, ahead of it or without version help nobody who loads.
fn take_snapshots(store: &dyn EventStore, index: &Index, loads: &mut [Load], work: &Work) -> StoreResult<()> {
    let owners = index.snapshot_owners();
    let count = |head: &SnapshotHead| {
        let stream = owners.of(head.stream.as_ref()?)?;
        let last = index.stream(stream)?.last_version;
        let version = head.version.filter(|version| last.is_some_and(|last| *version <= last))?;
        let (count, _) = count_of(index, stream, version)?;
        Some((usize::try_from(stream).ok()?, count))
    };
    store.visit_snapshots(work, None, &mut |visited| {
        if let Some((stream, count)) = count(visited.head)
            && let Some(load) = loads.get_mut(stream)
        {
            let bytes = visited.len();
            load.snapshot_bytes += bytes;
            if count >= load.last {
                (load.last, load.last_bytes) = (count, bytes);
            }
            load.snapshots.push(count);
        }
        Onward::On
    })?;
    for load in loads {
        load.snapshots.sort_unstable();
        // A table of the newest beside one of all holds some of them twice.
        load.snapshots.dedup();
    }
    Ok(())
}

fn take_bytes(store: &dyn EventStore, index: &Index, loads: &mut [Load], work: &Work) -> StoreResult<()> {
    let mut met = vec![0_usize; loads.len()];
    let mut ordinal = 0_u32;
    work.expect_total(index.len() as u64);
    store.read(work, &KeyRange::default(), Wanted::All, &mut |event| {
        let stream = index.row(ordinal).and_then(|row| usize::try_from(row.stream).ok());
        ordinal += 1;
        let Some(stream) = stream else { return Onward::Enough };
        let bytes = match event.data {
            Body::Json(text) => text.len() as u64,
            Body::Absent | Body::Unreadable(_) => 0,
        };
        if let (Some(load), Some(met)) = (loads.get_mut(stream), met.get_mut(stream)) {
            *met += 1;
            load.event_bytes += bytes;
            if *met > load.last {
                load.rest_bytes += bytes;
            }
        }
        if work.is_cancelled() { Onward::Enough } else { Onward::On }
    })?;
    Ok(work.advance(0)?)
}

fn line(category: Option<Arc<str>>, loads: &[&Load]) -> CostLine {
    let sum = |of: &dyn Fn(&Load) -> u64| loads.iter().map(|load| of(load)).sum::<u64>();
    let snapshots: usize = loads.iter().map(|load| load.snapshots.len()).sum();
    let rest: Vec<usize> = loads.iter().map(|load| load.events - load.last).collect();
    let all: Vec<usize> = loads.iter().map(|load| load.events).collect();
    let without = Loads::of(all.clone());
    let intervals: Vec<Interval> = INTERVALS
        .into_iter()
        .map(|every| Interval {
            every,
            loads: Loads::of(all.iter().map(|events| events % every).collect()),
            snapshots: all.iter().map(|events| (events / every) as u64).sum(),
        })
        .collect();
    let bytes = sum(&|load| load.snapshot_bytes);
    let mut line = CostLine {
        category,
        streams: loads.len(),
        events: sum(&|load| load.events as u64),
        snapshots,
        covered: loads.iter().filter(|load| !load.snapshots.is_empty()).count(),
        interval: usual_interval(loads),
        with: Loads::of(rest.clone()),
        without,
        bytes_with: sum(&|load| load.rest_bytes + load.last_bytes),
        bytes_without: sum(&|load| load.event_bytes),
        snapshot_bytes: bytes.checked_div(snapshots as u64).unwrap_or_default(),
        intervals,
        advised: None,
        spread: spread(&rest),
    };
    line.advised = line.advice();
    line
}

/// The median of the distances between neighbours.
fn usual_interval(loads: &[&Load]) -> Option<usize> {
    let mut gaps: Vec<usize> = loads
        .iter()
        .flat_map(|load| load.snapshots.windows(2))
        .filter_map(|pair| match pair {
            [before, after] => Some(after - before),
            _ => None,
        })
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

fn spread(rest: &[usize]) -> Vec<(usize, usize)> {
    let mut classes: Vec<(usize, usize)> =
        STEPS.into_iter().chain([usize::MAX]).map(|most| (most, 0)).collect();
    for events in rest {
        let place = classes.partition_point(|(most, _)| most < events);
        if let Some((_, count)) = classes.get_mut(place) {
            *count += 1;
        }
    }
    while classes.last().is_some_and(|(_, count)| *count == 0) {
        classes.pop();
    }
    classes
}

impl Loads {
    fn of(mut events: Vec<usize>) -> Self {
        events.sort_unstable();
        let share = |percent: usize| {
            let place = (events.len() * percent).div_ceil(100).saturating_sub(1);
            events.get(place).copied().unwrap_or_default()
        };
        Self {
            median: share(50),
            p95: share(95),
            most: events.last().copied().unwrap_or_default(),
            total: events.iter().map(|count| *count as u64).sum(),
        }
    }
}

impl CostLine {
    /// Long enough that reading a snapshot costs little beside the events that are replayed behind it, and no
    /// longer; nothing if hardly a stream is that long.
    fn advice(&self) -> Option<usize> {
        let event_bytes = self.bytes_without.checked_div(self.events).unwrap_or_default().max(1);
        let worth = usize::try_from(self.snapshot_bytes * 4 / event_bytes).unwrap_or(usize::MAX).max(50);
        let every = INTERVALS.into_iter().find(|every| *every >= worth)?;
        (self.without.p95 > every).then_some(every)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Loads, cost};
    use crate::{
        model::{Json, Payload, StoredSnapshot, StreamName, StreamVersion},
        store::{
            index::Index,
            memory::{MemoryStore, event},
        },
        work::Work,
    };

    fn snapshot(stream: &str, version: i64) -> StoredSnapshot {
        StoredSnapshot {
            table: "snapshots".into(),
            stream: Some(Arc::new(StreamName::plain(stream))),
            version: Some(StreamVersion(version)),
            time: None,
            label: None,
            state: Payload::from_json(Json::from("0123456789")),
        }
    }

    /// Streams of so many events with snapshots at these versions; what loading them takes and what is advised.
    fn check(streams: &[(i64, &[i64])], expected: (Loads, &str)) {
        let mut position = 0;
        let (mut events, mut snapshots) = (Vec::new(), Vec::new());
        for (number, (length, versions)) in streams.iter().enumerate() {
            let name = format!("s{number}");
            for version in 1..=*length {
                position += 1;
                events.push(event(position, &StreamName::plain(&name), version, "E", Json::from("01234567")));
            }
            snapshots.extend(versions.iter().map(|version| snapshot(&name, *version)));
        }
        let store = MemoryStore::new(events).with_snapshots(snapshots);
        let index = Index::build(&store, &Work::default()).unwrap();
        let found = cost(&store, &index, &Work::default()).unwrap();
        assert_eq!((found.whole.with, found.whole.words().as_str()), expected);
        let replayed = found.whole.with.total;
        let states = found.longest.iter().filter(|(_, rest, all)| rest != all).count() as u64;
        assert_eq!(found.whole.bytes_with, replayed * 10 + states * 12, "ten bytes an event, twelve a state");
    }

    #[test]
    fn loads_start_at_the_last_snapshot() {
        let loads = |median, p95, most, total| Loads { median, p95, most, total };
        check(
            &[(120, &[50, 100]), (300, &[250, 999]), (10, &[])],
            (loads(20, 50, 50, 80), "As it should be: 95 % of loads take at most 50 events"),
        );
        check(
            &[(640, &[]), (30, &[])],
            (
                loads(30, 640, 640, 670),
                "A snapshot every 50 events keeps 95 % of loads at 40 events or fewer; now it is 640 events",
            ),
        );
        check(
            &[(3, &[]), (1, &[1])],
            (
                loads(0, 3, 3, 3),
                "Snapshots save little here: 95 % of loads take at most 3 events even without",
            ),
        );
    }
}
