//! Stored tables against rebuilt ones.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use rusqlite::{Connection, params_from_iter, types::Value};
use timeglass::{
    model::Stored,
    project::{
        open::{Opening, open},
        sections::ProjectionEntry,
    },
    projection::{
        Definition, ReadModel, RebuildOptions, RowAt, Scratch,
        drift::{
            Drift, DriftError, DriftRow, compare, compare_listing, pair_with,
            report::{ReportForm, report},
        },
        rebuild,
    },
    sample::{SampleOptions, Shape, write},
    script::Options,
    store::EventStore,
    work::Work,
};

/// A shop in a file of its own, which a test may write tables into.
struct Stage {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl Stage {
    fn new(events: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.sqlite");
        let options = SampleOptions { seed: 5, events, snapshot_every: 0, ..SampleOptions::of(Shape::Shop) };
        write(&path, &options, &Work::default()).unwrap();
        Self { _folder: folder, path }
    }

    fn sql(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }

    fn store(&self) -> Arc<dyn EventStore> {
        match open(&self.path, None, &Work::default()) {
            Ok(Opening::Store(opened)) => opened.store,
            _ => panic!("the shop opens"),
        }
    }

    /// Fills a stored table with rows as a rebuild made them.
    fn fill(&self, table: &str, rows: &[RowAt]) {
        let connection = Connection::open(&self.path).unwrap();
        for row in rows {
            let marks = vec!["?"; row.values.len()].join(", ");
            let values = row.values.iter().map(|value| match value {
                Stored::Null => Value::Null,
                Stored::Integer(number) => Value::Integer(*number),
                Stored::Real(number) => Value::Real(*number),
                Stored::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
                Stored::Blob(bytes) => Value::Blob(bytes.to_vec()),
            });
            let sql = format!("INSERT INTO {table} VALUES ({marks})");
            connection.execute(&sql, params_from_iter(values)).unwrap();
        }
    }
}

fn definition(file: &str, text: &str) -> Definition {
    Definition::parse(Path::new(file), text, &Options::default()).unwrap().remove(0)
}

fn rebuilt(store: &dyn EventStore, definition: &Definition) -> ReadModel {
    let scratch = Scratch::temporary().unwrap();
    rebuild(&Work::default(), store, definition, &scratch, &RebuildOptions::default()).unwrap();
    ReadModel::open(&scratch, definition).unwrap()
}

fn drift(
    store: &dyn EventStore,
    definition: &Definition,
    model: &ReadModel,
    entry: Option<&ProjectionEntry>,
) -> Result<Drift, DriftError> {
    let work = Work::default();
    let pairing = pair_with(&work, store, definition, model, entry)?;
    compare(&work, store, model, &definition.name, &pairing)
}

fn rows_at(model: &ReadModel, count: u64) -> Vec<RowAt> {
    let mut rows = Vec::new();
    model.each_at(&Work::default(), count, &mut |row| rows.push(row.clone())).unwrap();
    rows.retain(|row| !row.is_deleted);
    rows
}

/// Rows come, change with every event, go, and come again.
const SEEN: &str = "\
-- @projection seen key: stream
CREATE TABLE seen (stream TEXT PRIMARY KEY, last INTEGER, type TEXT);
-- @on OrderPlaced, OrderPaid, OrderPacked, OrderShipped, ReturnRequested, ReturnReceived, OrderRefunded, \
CartOpened, ItemAdded, CustomerRegistered, CustomerMoved, StockReserved
INSERT INTO seen VALUES (:stream, :position, :type)
ON CONFLICT (stream) DO UPDATE SET last = excluded.last, type = excluded.type;
-- @on OrderDelivered, CartAbandoned, CartCheckedOut, CustomerClosed
DELETE FROM seen WHERE stream = :stream;
";

/// A table that was right once and then forgotten differs from the first event on that it did not see.
#[test]
fn a_table_as_it_was_parts_at_the_next_change_of_each_row() {
    let stage = Stage::new(420);
    stage.sql("CREATE TABLE seen (stream TEXT PRIMARY KEY, last INTEGER, type TEXT)");
    let definition = definition("seen.sql", SEEN);
    let (store, work) = (stage.store(), Work::default());
    let model = rebuilt(&*store, &definition);
    let (mut changed, mut missing, mut extra) = (0, 0, 0);
    for count in [0, 1, 17, 60, 133, 200, 287, 350, 419, 420] {
        stage.sql("DELETE FROM seen");
        let stored = rows_at(&model, count);
        stage.fill("seen", &stored);
        let found = drift(&*stage.store(), &definition, &model, None).unwrap();
        let end: BTreeMap<_, _> = rows_at(&model, 420).iter().map(key_and_values).collect();
        let then: BTreeMap<_, _> = stored.iter().map(key_and_values).collect();
        let differing = |(key, values): &(&String, &String)| then.get(*key) != Some(*values);
        let gone = then.keys().filter(|key| !end.contains_key(*key)).count();
        assert_eq!(found.totals.sum() as usize, end.iter().filter(differing).count() + gone, "as of {count}");
        for row in found.missing.iter().chain(&found.extra).chain(&found.changed) {
            let history = model.history(&work, &row.key).unwrap();
            let first = history.iter().find(|change| change.count > count);
            // A row that is missing may have come and gone since: the stored table has seen it go.
            let born = history.iter().rfind(|change| change.before.is_none());
            let expected = if found.missing.contains(row) { born } else { first };
            let parted = row.first_divergent.as_ref().map(|parted| parted.count);
            assert_eq!(parted, expected.map(|change| change.count), "as of {count}: {row:?}");
            let event = &row.first_divergent.as_ref().unwrap().event;
            let Stored::Text(stream) = &row.key.0[0] else { panic!("a stream") };
            assert!(event.ends_with(&format!("@{}", String::from_utf8_lossy(stream))), "{event}");
        }
        changed += found.totals.changed;
        missing += found.totals.missing;
        extra += found.totals.extra;
        if count == 420 {
            assert!(found.is_none(), "{found:?}");
        }
    }
    assert!(changed > 20 && missing > 50 && extra > 5, "{changed} {missing} {extra}");
}

fn key_and_values(row: &RowAt) -> (String, String) {
    (format!("{:?}", row.key), format!("{:?}", row.values))
}

const PARITY: &str = "\
-- @projection parity
CREATE TABLE parity (stream TEXT PRIMARY KEY, n INTEGER, status TEXT);
-- @on OrderPlaced, OrderPaid, OrderPacked, OrderShipped, OrderDelivered
INSERT INTO parity VALUES (:stream, 0, :data ->> 'status')
ON CONFLICT (stream) DO UPDATE SET n = 1 - n, status = excluded.status;
";

const FLICKER: &str = "\
-- @projection parity
CREATE TABLE parity (stream TEXT PRIMARY KEY, n INTEGER, status TEXT);
-- @on OrderPlaced, OrderPacked, OrderDelivered
INSERT INTO parity VALUES (:stream, 0, :data ->> 'status');
-- @on OrderPaid, OrderShipped
DELETE FROM parity WHERE stream = :stream;
";

/// A stored row may look like several states of its row: the latest counts, and of several columns that parted,
/// the first.
#[test]
fn the_latest_state_that_is_alike_counts() {
    let stage = Stage::new(300);
    let sql = "SELECT group_concat(type) FROM (SELECT type FROM events WHERE stream = 'order-4701' ORDER BY version)";
    let types =
        Connection::open(&stage.path).unwrap().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(types, "OrderPlaced,OrderPaid,OrderPacked,OrderShipped,OrderDelivered");
    let parted = |text: &str, sql: &str| {
        stage.sql(&format!("DROP TABLE IF EXISTS parity; {sql}"));
        let (store, definition) = (stage.store(), definition("parity.sql", text));
        let model = rebuilt(&*store, &definition);
        let found = drift(&*store, &definition, &model, None).unwrap();
        let is_it = |row: &&DriftRow| row.key.0[0] == Stored::Text(b"order-4701".as_slice().into());
        let mut rows = found.missing.iter().chain(&found.changed).filter(is_it);
        rows.next().unwrap().first_divergent.as_ref().unwrap().event.to_string()
    };
    // `n` is 0 1 0 1 0: it was 1 as it was paid, and again as it was shipped.
    let number = "CREATE TABLE parity AS SELECT 'order-4701' AS stream, 1 AS n";
    assert_eq!(parted(PARITY, number), "OrderDelivered 5@order-4701");
    // Never both: `n` was 1 up to the last event, and paid was the status up to the third.
    let both = "CREATE TABLE parity AS SELECT 'order-4701' AS stream, 1 AS n, 'packed' AS status";
    assert_eq!(parted(PARITY, both), "OrderShipped 4@order-4701");
    // What the status never was counts from the first event on.
    let never = "CREATE TABLE parity AS SELECT 'order-4701' AS stream, 1 AS n, 'lost' AS status";
    assert_eq!(parted(PARITY, never), "OrderPlaced 1@order-4701");
    // Not there at first, once it was paid, and once it was shipped.
    let nothing = "CREATE TABLE parity (stream TEXT, n INTEGER)";
    assert_eq!(parted(FLICKER, nothing), "OrderDelivered 5@order-4701");
}

const KINDS: &str = "\
-- @projection kinds
CREATE TABLE kinds (type TEXT, day TEXT, at TIMESTAMP, amount NUMERIC);
-- @on OrderPlaced
INSERT INTO kinds VALUES (:type, substr(:time, 1, 10), :time, (:data ->> 'total_cents') / 100.0);
";

/// Without a key a row is the same as any other that holds the same, as often as it is there.
#[test]
fn rows_without_a_key_are_counted() {
    let stage = Stage::new(300);
    stage.sql(
        "CREATE TABLE kinds (type TEXT, day TEXT, at TIMESTAMP, amount TEXT);
         INSERT INTO kinds SELECT type, substr(recorded_at, 1, 10), replace(replace(recorded_at, 'T', ' '), 'Z', '+00'), \
         printf('%.2f', (data ->> 'total_cents') / 100.0) FROM events WHERE type = 'OrderPlaced' ORDER BY random();",
    );
    let (store, definition) = (stage.store(), definition("kinds.sql", KINDS));
    let model = rebuilt(&*store, &definition);
    let found = drift(&*store, &definition, &model, None).unwrap();
    assert!(found.is_none(), "{found:#?}");
    assert!(found.rows_compared > 5 && found.pairing.key.is_empty());

    // One twice, one not at all, one with another amount.
    stage.sql(
        "INSERT INTO kinds SELECT * FROM kinds WHERE rowid = 1; DELETE FROM kinds WHERE rowid = 2;
         UPDATE kinds SET amount = '0.01' WHERE rowid = 3",
    );
    let found = drift(&*stage.store(), &definition, &model, None).unwrap();
    assert_eq!((found.totals.missing, found.totals.extra, found.totals.changed), (2, 2, 0));
    assert!(found.missing.iter().all(|row| row.first_divergent.is_some()));
    assert!(found.extra.iter().all(|row| row.first_divergent.is_none()));
}

/// All rows sort together: nothing but their last digits and blanks tells the tables apart.
#[test]
fn a_large_group_without_a_key_is_settled_as_a_whole() {
    let stage = Stage::new(20);
    stage.sql(
        "CREATE TABLE log (note TEXT, rate REAL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6006)
         INSERT INTO log SELECT '{\"b\":  ' || (7 - i % 7) || ', \"a\": [1]}', 2.5 FROM n;",
    );
    let make = |rows: u32| {
        format!(
            "-- @projection log\nCREATE TABLE log (note TEXT, rate REAL);\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
             SELECT i + 1 FROM n WHERE i < {rows})\nINSERT INTO log SELECT '{{\"a\":[1],\"b\":' || (1 + i % 7) || \
             '}}', 2.5000000001 FROM n;\n-- @on CartOpened\nDELETE FROM log WHERE 0;"
        )
    };
    let store = stage.store();
    for (rows, missing, extra) in [(6_006, 0, 0), (6_010, 4, 0), (5_999, 0, 7)] {
        let definition = definition("log.sql", &make(rows));
        let model = rebuilt(&*store, &definition);
        let found = drift(&*store, &definition, &model, None).unwrap();
        assert_eq!((found.totals.missing, found.totals.extra), (missing, extra), "{rows}");
    }
}

#[test]
fn the_project_file_says_what_belongs_together() {
    let stage = Stage::new(300);
    stage.sql(
        "CREATE TABLE \"odd \"\"name\"\"\" (\"order no.\" TEXT PRIMARY KEY, \"[state]\" TEXT, note BLOB);
         INSERT INTO \"odd \"\"name\"\"\" SELECT order_id, status, x'ff00' FROM order_summaries;
         UPDATE \"odd \"\"name\"\"\" SET \"[state]\" = CAST(x'fffe' AS TEXT) WHERE \"order no.\" = 'order-4701'",
    );
    let text = include_str!("../../../sample-data/projections/shop_orders.sql");
    let (store, definition) = (stage.store(), definition("shop_orders.sql", text));
    let model = rebuilt(&*store, &definition);
    let columns = [("order no.", "order_id"), ("[state]", "status")];
    let entry = ProjectionEntry {
        table: Some("odd \"name\"".into()),
        columns: columns.map(|(stored, own)| (stored.into(), own.into())).into(),
        ignore: vec!["note".into()],
        ..ProjectionEntry::default()
    };
    let found = drift(&*store, &definition, &model, Some(&entry)).unwrap();
    assert_eq!((found.totals.sum(), found.totals.changed), (1, 1), "{found:#?}");
    assert_eq!(found.pairing.left_out.keys().map(|name| &**name).collect::<Vec<_>>(), ["note"]);
    let missing = ProjectionEntry { table: Some("nowhere".into()), ..entry };
    let refused = drift(&*store, &definition, &model, Some(&missing)).unwrap_err().to_string();
    assert_eq!(
        refused,
        "there is no table `nowhere` to compare `order_summaries` with; the store has `odd \"name\"`, \
         `order_summaries`, `projection_checkpoints`, `snapshots`; `table = \"…\"` in its [[projection]] names another"
    );
}

const STATES: &str = "\
fromCategory('order').foreachStream().when({
    $init: () => ({}),
    $any(state, event) {
        for (const name of ['status', 'total_cents', 'customer_name'])
            if (event.data[name] !== undefined) state[name] = event.data[name];
        state.events = (state.events ?? 0) + 1;
        return state;
    },
})";

/// The key is the partition, the columns are members of the state.
#[test]
fn states_of_javascript_are_compared_with_columns() {
    let stage = Stage::new(300);
    let (store, definition) = (stage.store(), definition("order_summaries.js", STATES));
    let model = rebuilt(&*store, &definition);
    let entry = ProjectionEntry { table: Some("order_summaries".into()), ..ProjectionEntry::default() };
    let found = drift(&*store, &definition, &model, Some(&entry)).unwrap();
    assert!(found.is_none() && found.rows_compared > 5, "{found:#?}");
    let compared: Vec<&str> = found.pairing.columns.iter().map(|(name, _)| &**name).collect();
    assert_eq!(compared, ["customer_name", "status", "total_cents"]);
    assert_eq!(found.pairing.key, [("order_id".into(), "partition".into())]);

    stage.sql("UPDATE order_summaries SET status = 'placed' WHERE order_id = 'order-4701'");
    let found = drift(&*stage.store(), &definition, &model, Some(&entry)).unwrap();
    let [row] = &found.changed[..] else { panic!("one row: {found:#?}") };
    assert_eq!(row.columns.keys().map(|name| &**name).collect::<Vec<_>>(), ["status"]);
    // It was placed once, and the payment was not seen.
    assert_eq!(&*row.first_divergent.as_ref().unwrap().event, "OrderPaid 2@order-4701");

    stage.sql(
        "CREATE TABLE states AS SELECT order_id AS stream, json_object('customer_name', customer_name, 'events', \
         (SELECT count(*) FROM events WHERE events.stream = order_id), 'total_cents', total_cents * 1.0, \
         'status', iif(order_id = 'order-4701', 'paid', status)) AS state FROM order_summaries",
    );
    let entry = ProjectionEntry { table: Some("states".into()), ..ProjectionEntry::default() };
    let store = stage.store();
    let model = rebuilt(&*store, &definition);
    let found = drift(&*store, &definition, &model, Some(&entry)).unwrap();
    assert_eq!((found.totals.sum(), found.totals.changed), (1, 1), "{found:#?}");
}

#[test]
fn long_lists_are_cut_and_counted() {
    let stage = Stage::new(320);
    stage.sql("CREATE TABLE log (position INTEGER PRIMARY KEY); INSERT INTO log VALUES (-1)");
    let types = {
        let connection = Connection::open(&stage.path).unwrap();
        let sql = "SELECT group_concat(type, ', ') FROM (SELECT DISTINCT type FROM events)";
        connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let text = format!(
        "-- @projection log\nCREATE TABLE log (position INTEGER PRIMARY KEY);\n-- @on {types}\n\
         INSERT INTO log VALUES (:position);\n"
    );
    let (store, definition) = (stage.store(), definition("log.sql", &text));
    let model = rebuilt(&*store, &definition);
    let work = Work::default();
    let pairing = pair_with(&work, &*store, &definition, &model, None).unwrap();
    let found = compare_listing(&work, &*store, &model, ("log", &pairing), 20).unwrap();
    assert_eq!((found.totals.missing, found.totals.extra), (320, 1));
    assert_eq!((found.missing.len(), found.extra.len(), found.unlisted()), (20, 1, 300));
    assert!(report("shop", &[found], ReportForm::Text).contains("300 rows more differ and are not listed"));
}

#[test]
fn a_comparison_that_is_withdrawn_stops() {
    let stage = Stage::new(300);
    let text = include_str!("../../../sample-data/projections/shop_orders.sql");
    let (store, definition) = (stage.store(), definition("shop_orders.sql", text));
    let model = rebuilt(&*store, &definition);
    let pairing = pair_with(&Work::default(), &*store, &definition, &model, None).unwrap();
    let work = Work::default();
    work.cancel();
    let found = compare(&work, &*store, &model, "order_summaries", &pairing);
    assert!(found.is_err(), "{found:?}");
}

/// What stands in the data is nothing but text in a report, however it is written.
#[test]
fn a_report_shows_hostile_values_as_text() {
    let stage = Stage::new(300);
    stage.sql(
        "UPDATE order_summaries SET customer_name = '<script>alert(\"1\")</script>' || char(27) || '[2J' \
         WHERE order_id = 'order-4701'; \
         INSERT INTO order_summaries VALUES ('</table>&amp;', '', x'00ff', 1e999, -1, 0, '', '')",
    );
    let text = include_str!("../../../sample-data/projections/shop_orders.sql");
    let (store, definition) = (stage.store(), definition("shop_orders.sql", text));
    let model = rebuilt(&*store, &definition);
    let found = [drift(&*store, &definition, &model, None).unwrap()];
    let html = report("a <b> shop", &found, ReportForm::Html);
    assert!(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\u{fffd}[2J"), "{html}");
    assert!(html.contains("order_id &lt;/table&gt;&amp;amp;"), "{html}");
    assert!(!html.contains("<script") && !html.contains('\u{1b}') && !html.contains("<b>"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("@media print"));
    assert!(!report("shop", &found, ReportForm::Text).contains('\u{1b}'));
    let json = timeglass::model::Json::parse(report("shop", &found, ReportForm::Json).as_bytes()).unwrap();
    assert_eq!(json.get("extra").and_then(|rows| rows.as_array()).map(timeglass::model::Array::len), Some(1));
}
