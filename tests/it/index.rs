//! The index: order, times, counts, growth and what it costs.

use std::sync::Arc;

use proptest::prelude::*;
use timeglass::{
    model::{
        EventKey, EventQuery, GlobalPosition, Json, RecordedEvent, StoredSnapshot, StreamName, StreamVersion,
        Timestamp,
    },
    sample::{self, SampleOptions, Shape},
    store::{
        Description, EventStore, Head, KeyRange, PageFrom, Scanner, StoreResult,
        index::{FoundStream, Index, Ordinals},
        memory::{MemoryStore, event},
        read::Onward,
        snapshots::{SnapshotPlace, VisitedSnapshot},
        sqlite::{Opened, SqliteStore},
    },
    work::{Lanes, Piece, Work},
};

/// One event of a made-up history: stream, version and seconds, each possibly missing.
type Made = (u8, Option<i64>, Option<i64>);

fn history(made: &[Made]) -> Vec<RecordedEvent> {
    let of = |(number, (stream, version, seconds)): (usize, &Made)| {
        let name = StreamName::of(["order", "user"][usize::from(stream % 2)], &stream.to_string());
        let mut event = event(number as i64 + 1, &name, 0, ["A", "B", "C"][number % 3], Json::Null);
        event.version = version.map(StreamVersion);
        event.time = seconds.and_then(|seconds| Timestamp::from_epoch(seconds, 0));
        event
    };
    made.iter().enumerate().map(of).collect()
}

fn built(events: &[RecordedEvent]) -> Index {
    Index::build(&MemoryStore::new(events.to_vec()), &Work::default()).unwrap()
}

fn seconds(time: i64) -> Timestamp {
    Timestamp::from_epoch(time, 0).unwrap()
}

/// Four lanes that run their pieces in the worst order.
struct Backwards;

impl Lanes for Backwards {
    fn width(&self) -> usize {
        4
    }

    fn run(&self, pieces: Vec<Piece<'_>>) {
        pieces.into_iter().rev().for_each(|piece| piece());
    }
}

/// All that an index says of a store, as text.
fn facts(index: &Index) -> String {
    let rows: Vec<_> = (0..index.len() as u32).map(|row| (index.key(row), index.row(row))).collect();
    let postings: Vec<_> =
        (0..index.streams().len() as u32).map(|stream| index.stream_events(stream).to_vec()).collect();
    let streams: Vec<_> = index.streams().iter().collect();
    let spans = (index.time_span(), index.categories(), index.types(), streams, index.streams_by_name());
    let histogram = index.histogram(None, 5, &Work::default());
    format!("{rows:?} {postings:?} {spans:?} {histogram:?}")
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let one = (0_u8..5, prop::option::weighted(0.9, 0_i64..6), prop::option::weighted(0.9, 0_i64..50));
    prop::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn growing_and_lanes_make_no_difference(made in made(), cut in 0_usize..60) {
        let events = history(&made);
        let whole = built(&events);
        let first = built(&events[..cut.min(events.len())]);
        let grown = first.extended(&MemoryStore::new(events.clone()), &Work::default()).unwrap();
        prop_assert_eq!(facts(&grown), facts(&whole));
        let lanes = Work::with_lanes(Arc::new(Backwards));
        let beside = Index::build(&MemoryStore::new(events), &lanes).unwrap();
        prop_assert_eq!(facts(&beside), facts(&whole));
    }

    #[test]
    fn times_are_found_as_by_looking_at_each(made in made(), at in -1_i64..51) {
        let events = history(&made);
        let index = built(&events);
        let reached = |event: &RecordedEvent| event.time.is_some_and(|time| time <= seconds(at));
        let expected = events.iter().rposition(reached).map(|row| row as u32);
        prop_assert_eq!(index.at_time(seconds(at)), expected);
        for stream in 0..index.streams().len() as u32 {
            let own = index.stream_events(stream);
            let expected = own.iter().rposition(|ordinal| reached(&events[*ordinal as usize]));
            prop_assert_eq!(index.stream_at_time(stream, seconds(at)), expected);
        }
    }

    #[test]
    fn counts_as_of_then_are_plain_counts(made in made(), at in 0_u32..60) {
        let index = built(&history(&made));
        let counts = index.counts_until(at);
        for stream in 0..index.streams().len() as u32 {
            let expected = index.stream_events(stream).iter().filter(|ordinal| **ordinal <= at).count();
            prop_assert_eq!(counts[stream as usize] as usize, expected);
        }
    }

    #[test]
    fn every_event_is_in_one_bin_or_undated(made in made(), bins in 1_usize..20) {
        let events = history(&made);
        let index = built(&events);
        let some = index.stream_events(0);
        for chosen in [None, Some(&some)] {
            let histogram = index.histogram(chosen, bins, &Work::default()).unwrap();
            let counted: u64 = histogram.counts.iter().map(|count| u64::from(*count)).sum();
            let all = chosen.map_or(events.len(), Ordinals::len) as u64;
            prop_assert_eq!(counted + histogram.undated, all);
            if let (Some(start), Some(end)) = (histogram.start, histogram.end) {
                prop_assert!(start <= end);
                prop_assert_eq!(histogram.counts.len(), bins);
                prop_assert!(histogram.counts[0] > 0 && (start == end || histogram.counts[bins - 1] > 0 || bins == 1));
            }
        }
    }
}

#[test]
fn a_stream_lies_in_version_order_and_what_has_no_version_stays_behind_its_neighbour() {
    let versions = [Some(3), None, Some(1), Some(2), Some(1), None];
    let made: Vec<Made> = versions.iter().map(|version| (0, *version, None)).collect();
    assert_eq!(built(&history(&made)).stream_events(0), [2, 4, 5, 3, 0, 1]);
    let none: Vec<Made> = vec![(0, None, None); 3];
    assert_eq!(built(&history(&none)).stream_events(0), [0, 1, 2]);
    assert!(built(&[]).stream_events(7).is_empty());
}

#[test]
fn a_position_stands_for_the_last_event_at_or_before_it() {
    let mut events = history(&[(0, None, None); 4]);
    for (event, position) in events.iter_mut().zip([10, 20, 20, 40]) {
        event.position = Some(GlobalPosition::Number(position));
    }
    let at = |events: &[RecordedEvent], position| {
        built(events).ordinal_at_position(&GlobalPosition::Number(position))
    };
    assert_eq!(
        [5, 10, 20, 39, 40, 99].map(|position| at(&events, position)),
        [None, Some(0), Some(2), Some(2), Some(3), Some(3)]
    );
    // Positions that fall: still the last event that is not behind.
    events[3].position = Some(GlobalPosition::Number(15));
    assert_eq!([10, 15, 20].map(|position| at(&events, position)), [Some(0), Some(3), Some(3)]);
    let after = EventQuery { after: Some(GlobalPosition::Number(15)), ..Default::default() };
    let found = built(&events).filter(&after, &Work::default()).unwrap().unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_stream_is_found_by_name_by_category_and_id_and_by_a_bare_id() {
    let names = [
        StreamName::of("order", "1"),
        StreamName::of("user", "1"),
        StreamName::of("user", "AE54D496-0000-4000-8000-000000000001"),
        StreamName { category: Some("cart".into()), id: "9".into(), stored: Some("cart|9".into()) },
    ];
    let events: Vec<RecordedEvent> =
        names.iter().zip(1..).map(|(name, number)| event(number, name, 1, "A", Json::Null)).collect();
    let index = built(&events);
    let found = |text: &str| index.find_stream(text);
    assert_eq!(found("user-1"), FoundStream::One(1));
    assert_eq!(found("1"), FoundStream::Several(vec![0, 1]));
    assert_eq!(found("warehouse"), FoundStream::None { nearest: vec![] });
    assert_eq!(found("ae54d496000040008000000000000001"), FoundStream::One(2));
    assert_eq!(["cart|9", "cart-9", "9"].map(found), [const { FoundStream::One(3) }; 3]);
    assert_eq!(
        ["user-1", "cart|9", "1", "cart-9"].map(|text| index.stream_called(text)),
        [Some(1), Some(3), None, None]
    );
    assert_eq!(
        ["user-1", "9", "1", "ordr-1"].map(|text| index.stream_meant(text)),
        [Some(1), Some(3), None, None]
    );
    assert_eq!([1, 2, 7].map(|version| index.count_of_version(1, version)), [Some(1), None, None]);
    let FoundStream::None { nearest } = found("ordr-1") else { panic!("found") };
    assert_eq!(nearest.first().map(|name| &**name), Some("order-1"));
}

#[test]
fn keys_out_of_order_are_reported_and_still_found() {
    /// A store that gives its events in the wrong order.
    struct Wrong(MemoryStore);
    impl EventStore for Wrong {
        fn describe(&self) -> &Description {
            self.0.describe()
        }
        fn head(&self) -> StoreResult<Head> {
            self.0.head()
        }
        fn page(
            &self,
            work: &Work,
            query: &EventQuery,
            from: &PageFrom,
            limit: usize,
        ) -> StoreResult<Vec<RecordedEvent>> {
            self.0.page(work, query, from, limit)
        }
        fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
            self.0.fetch(work, keys)
        }
        fn ranges(&self, work: &Work, after: Option<&EventKey>, _: usize) -> StoreResult<Vec<KeyRange>> {
            let mut ranges = self.0.ranges(work, after, 4)?;
            ranges.reverse();
            Ok(ranges)
        }
        fn scanner(&self) -> Box<dyn Scanner + '_> {
            self.0.scanner()
        }
        fn visit_snapshots(
            &self,
            work: &Work,
            stream: Option<&StreamName>,
            visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
        ) -> StoreResult<()> {
            self.0.visit_snapshots(work, stream, visit)
        }
        fn fetch_snapshots(
            &self,
            work: &Work,
            places: &[SnapshotPlace],
        ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
            self.0.fetch_snapshots(work, places)
        }
        fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
            self.0.table_counts(work)
        }
    }
    let events = history(&[(0, None, None); 12]);
    let index = Index::build(&Wrong(MemoryStore::new(events.clone())), &Work::default()).unwrap();
    assert_eq!(index.troubles().len(), 1, "said once, and not of each range");
    for event in &events {
        let ordinal = index.ordinal_of(&event.key).unwrap();
        assert_eq!(index.key(ordinal).as_ref(), Some(&event.key));
    }
}

/// A store of the mixed shape, as the benchmarks have it.
fn mixed(events: u64) -> (tempfile::TempDir, Box<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.sqlite");
    let options = SampleOptions { events, ..SampleOptions::of(Shape::Mixed) };
    sample::write(&path, &options, &Work::default()).unwrap();
    match SqliteStore::open(&path, None, &Work::default()).unwrap() {
        Opened::Found { store, .. } => (folder, store),
        Opened::NotFound { .. } => panic!("no events"),
    }
}

#[test]
fn an_event_costs_no_more_than_twenty_six_bytes_in_all() {
    let (_folder, store) = mixed(40_000);
    let index = Index::build(&*store, &Work::default()).unwrap();
    let bytes = index.memory_bytes() as f64 / index.len() as f64;
    assert!(bytes <= 26.0 && bytes > 8.0, "{bytes} bytes");
    assert!(index.bytes_per_event() < bytes);
}

#[test]
fn growing_by_some_events_costs_the_last_chunk_and_not_the_store() {
    const CHUNK: usize = 65_536;
    let made: Vec<Made> =
        (0..150_000).map(|number| ((number % 97) as u8, Some(number / 97), Some(number))).collect();
    let events = history(&made);
    let index = built(&events[..149_000]);
    let grown = index.extended(&MemoryStore::new(events.clone()), &Work::default()).unwrap();
    assert_eq!((grown.len(), grown.shared_chunks(&index)), (150_000, 149_000 / CHUNK));
    // Only what is new is sorted: the lists of streams begin in the same memory as before.
    for stream in 0..97 {
        let first = |index: &Index| index.stream_events(stream).first().map(std::ptr::from_ref);
        assert_eq!(first(&grown), first(&index));
        assert!(grown.stream_events(stream).len() > index.stream_events(stream).len());
    }
    let whole = built(&events);
    assert_eq!(facts(&grown), facts(&whole));
    assert!(grown.memory_bytes() < whole.memory_bytes() + 64 * 1024);
}
