//! A scanner remembers names from range to range, and says no name twice to who knows its stream.

use std::collections::{BTreeMap, BTreeSet};

use timeglass::{
    sample::{self, SampleOptions, Shape},
    store::{
        EventStore as _, KnownNames, RowSink, ScanRow,
        sqlite::{SqliteStore, Way},
    },
    work::Work,
};

use crate::sqlite_store::open;

/// Learns what numbers mean from the rows that say it, and wants no name twice.
#[derive(Default)]
struct Learning {
    names: BTreeMap<u32, String>,
    numbered: BTreeMap<u32, String>,
    /// The stream of each row.
    streams: Vec<String>,
    /// How many rows came without their stream's name.
    unsaid: usize,
    settled: usize,
}

impl RowSink for Learning {
    fn push(&mut self, row: &ScanRow<'_>, known: KnownNames) {
        let stream = match known.stream.and_then(|number| self.names.get(&number)) {
            Some(name) if row.id.is_empty() => {
                self.unsaid += 1;
                name.clone()
            }
            _ => row.full_name().into_owned(),
        };
        if let Some(number) = known.stream {
            assert_eq!(self.names.entry(number).or_insert_with(|| stream.clone()), &stream);
        }
        if let Some(number) = known.event_type {
            let own = self.numbered.entry(number).or_insert_with(|| row.event_type.to_owned());
            assert_eq!(own, row.event_type);
        }
        self.streams.push(stream);
    }

    fn knows_stream(&self, number: u32) -> bool {
        self.names.contains_key(&number)
    }

    fn take_back(&mut self) {
        assert_eq!(self.settled, self.streams.len(), "nobody writes");
    }

    fn settle(&mut self) {
        self.settled = self.streams.len();
    }
}

fn check(store: &SqliteStore, way: &str) {
    let work = Work::default();
    let mut expected = Vec::new();
    let ranges = store.ranges(&work, None, 5).expect("ranges");
    assert!(ranges.len() > 3, "{way}: {} ranges", ranges.len());
    let (mut scanner, mut sink) = (store.scanner(), Learning::default());
    for range in &ranges {
        scanner.scan(&work, range, &mut sink).expect("a scan");
        store.scan(&work, range, &mut |row| expected.push(row.full_name().into_owned())).expect("a scan");
    }
    assert_eq!(sink.streams, expected, "{way}");
    let streams: BTreeSet<&String> = expected.iter().collect();
    // A row with a new type is read in full, also where its stream is known.
    let told = streams.len() + sink.numbered.len();
    assert!(sink.unsaid + told >= expected.len(), "{way}: {} of {} unsaid", sink.unsaid, expected.len());
}

#[test]
fn a_scanner_remembers_names_from_range_to_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mixed.sqlite");
    let options = SampleOptions { events: 5_000, ..SampleOptions::of(Shape::Mixed) };
    sample::write(&path, &options, &Work::default()).expect("a sample store");
    let [pages, sql] = [Way::Quickest, Way::Sql].map(|way| open(&path).by(way));
    check(&pages, "by pages");
    check(&sql, "through SQL");
}
