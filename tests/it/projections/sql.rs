//! SQL projections: what they make, at every count, however often they are stopped.

use std::path::Path;

use timeglass::{
    model::{Json, RecordedEvent, Stored, StreamName},
    projection::{Definition, Progress, ReadModel, RebuildOptions, RowsQuery, Scratch, rebuild},
    script::Options,
    store::memory::{MemoryStore, event},
    work::Work,
};

const ORDERS: &str = "\
-- @projection orders key: order_id
CREATE TABLE orders (order_id TEXT PRIMARY KEY, status TEXT, items INTEGER DEFAULT 0, updated_at TEXT);
-- @on Placed
INSERT OR REPLACE INTO orders (order_id, status, updated_at) VALUES (:stream_id, 'placed', :time);
-- @on Added
UPDATE orders SET items = items + (:data ->> 'n'), updated_at = :time WHERE order_id = :stream_id;
-- @on Cancelled
DELETE FROM orders WHERE order_id = :stream_id;
";

fn definition(sql: &str) -> Definition {
    let mut found =
        Definition::parse(Path::new("orders.sql"), sql, &Options::default()).expect("a definition");
    found.remove(0)
}

fn store(events: &[(&str, &str, &str)]) -> MemoryStore {
    MemoryStore::new((1..).zip(events).map(|(position, (id, kind, data))| made(position, id, kind, data)))
}

fn made(position: i64, id: &str, kind: &str, data: &str) -> RecordedEvent {
    event(position, &StreamName::of("order", id), position, kind, Json::parse(data.as_bytes()).expect("JSON"))
}

fn run(
    store: &MemoryStore,
    definition: &Definition,
    scratch: &Scratch,
    options: &RebuildOptions,
) -> Progress {
    rebuild(&Work::default(), store, definition, scratch, options).expect("a rebuild")
}

fn show(value: &Stored) -> String {
    match value {
        Stored::Null => "-".to_owned(),
        Stored::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

/// The live rows as of a count, sorted.
fn table(model: &ReadModel, count: u64) -> Vec<String> {
    let mut rows = Vec::new();
    let mut visit = |row: &timeglass::projection::RowAt| {
        rows.push(row.values.iter().map(show).collect::<Vec<_>>().join(" "));
    };
    model.each_at(&Work::default(), count, &mut visit).expect("rows");
    rows.sort();
    rows
}

#[test]
fn a_read_model_is_scrubbed() {
    let store = store(&[
        ("a", "Placed", "{}"),
        ("b", "Placed", "{}"),
        ("a", "Added", r#"{"n":2}"#),
        ("x", "Other", "{}"),
        ("b", "Cancelled", "{}"),
        ("a", "Added", r#"{"n":3}"#),
    ]);
    let definition = definition(ORDERS);
    let scratch = Scratch::temporary().unwrap();
    let progress = run(&store, &definition, &scratch, &RebuildOptions::default());
    assert_eq!((progress.count, progress.handled, progress.is_complete), (6, 5, true));
    let model = ReadModel::open(&scratch, &definition).unwrap();
    let columns: Vec<&str> = model.columns().iter().map(|column| &*column.name).collect();
    assert_eq!(columns, ["order_id", "status", "items", "updated_at"]);
    for count in 0..=6 {
        let scratch = Scratch::temporary().unwrap();
        let options = RebuildOptions { until: Some(count), ..RebuildOptions::default() };
        run(&store, &definition, &scratch, &options);
        let short = ReadModel::open(&scratch, &definition).unwrap();
        assert_eq!(table(&model, count), table(&short, count), "as of {count}");
        assert_eq!(table(&model, count), table(&short, 99), "as of {count}");
    }
    let query = RowsQuery { count: 6, limit: 10, ..RowsQuery::default() };
    let rows = model.rows_at(&Work::default(), &query).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(!rows[0].is_deleted && rows[1].is_deleted);
    assert_eq!((rows[0].since, rows[1].since), (6, 5));
    let history = model.history(&Work::default(), &rows[0].key).unwrap();
    assert_eq!(history.iter().map(|change| change.count).collect::<Vec<_>>(), [1, 3, 6]);
}
