//! What the tests of read models share: definitions, stores in memory, rows as text.

use std::{fmt::Write as _, path::Path};

use timeglass::{
    model::{EventKey, EventQuery, Json, RecordedEvent, Stored, StoredSnapshot, StreamName},
    projection::{
        Definition, Progress, ReadModel, RebuildError, RebuildOptions, RowAt, RowsQuery, Scratch, rebuild,
    },
    script::Options,
    store::{
        Description, EventStore, Head, KeyRange, PageFrom, Scanner, StoreResult,
        memory::{MemoryStore, event},
        read::{EventRow, Onward, Wanted},
        snapshots::{SnapshotPlace, VisitedSnapshot},
    },
    work::Work,
};

/// The first definition of an SQL file.
pub(super) fn definition(sql: &str) -> Definition {
    parse(sql).expect("a definition").remove(0)
}

/// Its definitions, or the mistake in words.
pub(super) fn parse(sql: &str) -> Result<Vec<Definition>, String> {
    Definition::parse(Path::new("folder/orders.sql"), sql, &Options::default()).map_err(|err| err.to_string())
}

/// Events of streams of the category `order`: id, type, data.
pub(super) fn store(events: &[(&str, &str, &str)]) -> MemoryStore {
    MemoryStore::new((1..).zip(events).map(|(position, (id, kind, data))| made(position, id, kind, data)))
}

/// One event of such a store.
pub(super) fn made(position: i64, id: &str, kind: &str, data: &str) -> RecordedEvent {
    event(position, &StreamName::of("order", id), position, kind, Json::parse(data.as_bytes()).expect("JSON"))
}

/// A rebuild that comes to an end.
pub(super) fn run(
    store: &dyn EventStore,
    definition: &Definition,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Progress {
    try_run(store, definition, scratch, options).expect("a rebuild")
}

/// A rebuild.
pub(super) fn try_run(
    store: &dyn EventStore,
    definition: &Definition,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Result<Progress, RebuildError> {
    rebuild(&Work::default(), store, definition, scratch, options)
}

/// A new scratch database with everything rebuilt, and its model.
pub(super) fn rebuilt(store: &dyn EventStore, definition: &Definition) -> (Progress, ReadModel) {
    let scratch = Scratch::temporary().unwrap();
    let progress = run(store, definition, &scratch, &RebuildOptions::default());
    (progress, ReadModel::open(&scratch, definition).unwrap())
}

/// A value as text.
pub(super) fn show(value: &Stored) -> String {
    match value {
        Stored::Null => "-".to_owned(),
        Stored::Integer(number) => number.to_string(),
        Stored::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

/// The values of a row in one line.
pub(super) fn line(values: &[Stored]) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(" ")
}

/// The live rows as of a count, in order of birth.
pub(super) fn table(model: &ReadModel, count: u64) -> Vec<String> {
    let mut rows = Vec::new();
    model.each_at(&Work::default(), count, &mut |row: &RowAt| rows.push(line(&row.values))).expect("rows");
    rows
}

/// The same, sorted.
pub(super) fn sorted(model: &ReadModel, count: u64) -> Vec<String> {
    let mut rows = table(model, count);
    rows.sort();
    rows
}

/// The whole list as of a count, deleted rows too.
pub(super) fn all_rows(model: &ReadModel, count: u64) -> Vec<RowAt> {
    let query = RowsQuery { count, limit: usize::MAX, ..RowsQuery::default() };
    model.rows_at(&Work::default(), &query).expect("rows")
}

/// Everything that can be asked of a model up to a count, as text.
pub(super) fn everything(model: &ReadModel, until: u64) -> String {
    let mut said = String::new();
    for count in 0..=until {
        writeln!(said, "{count}: {} rows", model.len_at(&Work::default(), count).unwrap()).unwrap();
        for row in all_rows(model, count) {
            let state = if row.is_deleted { "deleted" } else { "live" };
            writeln!(said, "  {} | {state} since {}", line(&row.values), row.since).unwrap();
        }
    }
    for row in all_rows(model, until) {
        writeln!(said, "{:?}", row.key).unwrap();
        for change in model.history(&Work::default(), &row.key).unwrap() {
            writeln!(said, "  {} {:?} {:?}", change.count, change.before, change.after).unwrap();
        }
    }
    said
}

/// A store that withdraws the work after so many events were met.
pub(super) struct Stopping {
    pub(super) store: MemoryStore,
    pub(super) after: u64,
}

impl EventStore for Stopping {
    fn describe(&self) -> &Description {
        self.store.describe()
    }

    fn head(&self) -> StoreResult<Head> {
        self.store.head()
    }

    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.store.page(work, query, from, limit)
    }

    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        self.store.fetch(work, keys)
    }

    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        self.store.ranges(work, after, parts)
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        self.store.scanner()
    }

    fn read(
        &self,
        work: &Work,
        range: &KeyRange,
        wanted: Wanted<'_>,
        visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
    ) -> StoreResult<Vec<String>> {
        let mut met = 0;
        self.store.read(work, range, wanted, &mut |row| {
            if met == self.after {
                work.cancel();
            }
            met += 1;
            visit(row)
        })
    }

    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        self.store.visit_snapshots(work, stream, visit)
    }
    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        self.store.fetch_snapshots(work, places)
    }

    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        self.store.table_counts(work)
    }
}
