//! SQL projections: what they make, what they make of failures, and what the table was at every count.

use std::path::Path;

use timeglass::{
    model::{Encoding, Json, Payload, Stored, StreamName},
    projection::{Definition, Kind, OnFailure, ReadModel, RebuildOptions, RowKey, RowsQuery, Scratch},
    script::Options,
    store::{EventStore as _, memory::MemoryStore},
    work::Work,
};

use super::stage::{all_rows, definition, line, made, rebuilt, run, sorted, store, table};

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

#[test]
fn rows_keep_their_place_and_their_history() {
    let store = store(&[
        ("a", "Placed", "{}"),
        ("b", "Placed", "{}"),
        ("a", "Added", r#"{"n":2}"#),
        ("x", "Other", "{}"),
        ("b", "Cancelled", "{}"),
        ("a", "Added", r#"{"n":3}"#),
        ("b", "Placed", "{}"),
    ]);
    let (progress, model) = rebuilt(&store, &definition(ORDERS));
    assert_eq!((progress.count, progress.handled, progress.is_complete), (7, 6, true));
    let columns: Vec<(&str, bool)> =
        model.columns().iter().map(|column| (&*column.name, column.is_key)).collect();
    assert_eq!(columns, [("order_id", true), ("status", false), ("items", false), ("updated_at", false)]);
    let lengths: Vec<u64> = (0..8).map(|count| model.len_at(&Work::default(), count).unwrap()).collect();
    assert_eq!(lengths, [0, 1, 2, 2, 2, 2, 2, 2]);
    let rows = all_rows(&model, 6);
    assert_eq!(line(&rows[0].values), "a placed 5 2023-11-14T22:13:26Z");
    assert_eq!(line(&rows[1].values), "b placed 0 2023-11-14T22:13:22Z");
    assert_eq!((rows[0].is_deleted, rows[0].since), (false, 6));
    assert_eq!((rows[1].is_deleted, rows[1].since), (true, 5));
    let b = RowKey([Stored::Text(b"b"[..].into())].into());
    let history = model.history(&Work::default(), &b).unwrap();
    let shown: Vec<(u64, bool, bool)> = history
        .iter()
        .map(|change| (change.count, change.before.is_some(), change.after.is_some()))
        .collect();
    assert_eq!(shown, [(2, false, true), (5, true, false), (7, false, true)]);
    let at =
        |count| model.row_at(&Work::default(), &b, count).unwrap().map(|row| (row.is_deleted, row.since));
    assert_eq!([at(1), at(4), at(6), at(99)], [None, Some((false, 2)), Some((true, 5)), Some((false, 7))]);
    let nobody = RowKey([Stored::Integer(1)].into());
    assert_eq!(model.history(&Work::default(), &nobody).unwrap(), []);
}

#[test]
fn every_parameter_has_its_value() {
    let definition = definition(
        "-- @projection seen\nCREATE TABLE seen (position, stream, category, id, version, type, time, day, data, \
         metadata, event_id, correlation_id, causation_id);\n-- @on A\nINSERT INTO seen VALUES (:position, \
         :stream, :category, :stream_id, :version, :type, :time, date(:time), :data, :metadata, :event_id, \
         :correlation_id, :causation_id)",
    );
    let mut full = made(3, "1", "A", r#"{"x": [1.50]}"#);
    full.metadata = Payload::from_json(Json::parse(b"{\"by\":7}").unwrap());
    full.event_id = Some("e1".into());
    full.correlation_id = Some("c1".into());
    full.causation_id = Some("c0".into());
    let mut bare = made(4, "2", "A", "null");
    bare.stream = StreamName::plain("lonely").into();
    bare.data = Payload::absent();
    (bare.position, bare.version, bare.time) = (None, None, None);
    let (_, model) = rebuilt(&MemoryStore::new([full, bare]), &definition);
    assert_eq!(
        table(&model, 2),
        [
            "3 order-1 order 1 3 A 2023-11-14T22:13:23Z 2023-11-14 {\"x\":[1.50]} {\"by\":7} e1 c1 c0",
            "- lonely - lonely - A - - - - - - -",
        ]
    );
}

#[test]
fn events_of_other_categories_and_streams_pass_by() {
    let sql = "-- @projection n key: id category: order\nCREATE TABLE n (id TEXT);\n-- @on A\nINSERT INTO n \
               VALUES (:stream)";
    let mut events = store(&[("1", "A", "{}"), ("2", "A", "{}")]).events().to_vec();
    let mut other = made(3, "3", "A", "{}");
    other.stream = StreamName::of("cart", "3").into();
    events.push(other);
    let store = MemoryStore::new(events);
    let definition = definition(sql);
    let (progress, model) = rebuilt(&store, &definition);
    assert_eq!((progress.count, progress.handled), (3, 2));
    assert_eq!(table(&model, 3), ["order-1", "order-2"]);
    let scratch = Scratch::temporary().unwrap();
    let only = Some(StreamName::of("order", "2").into());
    run(&store, &definition, &scratch, &RebuildOptions { only, ..RebuildOptions::default() });
    assert_eq!(table(&ReadModel::open(&scratch, &definition).unwrap(), 3), ["order-2"]);
    let options = RebuildOptions { from: 1, ..RebuildOptions::default() };
    assert_eq!(run(&store, &definition, &scratch, &options).count, 3);
    assert_eq!(table(&ReadModel::open(&scratch, &definition).unwrap(), 3), ["order-2"]);
}

#[test]
fn what_one_event_does_counts_as_one_change() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, n, u UNIQUE);\n\
         -- @on Made\nINSERT INTO t VALUES (:stream_id, 1, :stream_id);\n\
         UPDATE t SET n = 2 WHERE id = :stream_id; UPDATE t SET n = 3 WHERE id = :stream_id;\n\
         -- @on Nothing\nUPDATE t SET n = 9; UPDATE t SET n = 3; UPDATE t SET n = n;\n\
         -- @on Blink\nINSERT INTO t VALUES ('blink', 1, 'blink'); DELETE FROM t WHERE id = 'blink';\n\
         -- @on Again\nDELETE FROM t WHERE id = 'a'; INSERT INTO t VALUES ('a', 3, 'a');\n\
         -- @on Real\nUPDATE t SET n = 3.0 WHERE id = 'a';\n\
         -- @on Renamed\nUPDATE t SET id = 'z' WHERE id = 'a';\n\
         -- @on Ousted\nINSERT OR REPLACE INTO t VALUES ('new', 1, 'a');\n",
    );
    let store = store(&[
        ("a", "Made", "{}"),
        ("b", "Made", "{}"),
        ("", "Nothing", "{}"),
        ("", "Blink", "{}"),
        ("", "Again", "{}"),
        ("", "Real", "{}"),
        ("", "Renamed", "{}"),
        ("", "Ousted", "{}"),
    ]);
    let (_, model) = rebuilt(&store, &definition);
    let since = |count| -> Vec<(String, bool, u64)> {
        let rows = all_rows(&model, count).into_iter();
        rows.map(|row| (line(&row.values), row.is_deleted, row.since)).collect()
    };
    let expected = [("a 3 a".to_owned(), false, 1), ("b 3 b".to_owned(), false, 2)];
    assert_eq!(since(3), expected);
    assert_eq!(since(5)[..2], expected, "the event did nothing in the end");
    assert_eq!(since(6)[0], ("a Real(3.0) a".to_owned(), false, 6));
    assert_eq!(sorted(&model, 7), ["b 3 b", "z Real(3.0) a"]);
    assert_eq!(sorted(&model, 8), ["b 3 b", "new 1 a"], "REPLACE took the row with the same u");
    let changes = |key: &str| -> Vec<u64> {
        let key = RowKey([Stored::Text(key.as_bytes().into())].into());
        model.history(&Work::default(), &key).unwrap().iter().map(|change| change.count).collect()
    };
    assert_eq!(
        [changes("a"), changes("blink"), changes("z"), changes("new")],
        [vec![1, 6, 7], vec![], vec![7, 8], vec![8]]
    );
}

#[test]
fn rows_without_a_key_are_told_apart_by_birth() {
    let definition = definition(
        "-- @projection log\nCREATE TABLE log (id, what);\n-- @on A\nINSERT INTO log VALUES (:stream_id, 'a');\n\
         -- @on Drop\nDELETE FROM log WHERE rowid = (SELECT max(rowid) FROM log);\n\
         -- @on Move\nUPDATE log SET rowid = rowid + 100;",
    );
    let types = ["A", "A", "Drop", "A", "Move", "A"];
    let store = store(&types.map(|kind| ("x", kind, "{}")));
    let (_, model) = rebuilt(&store, &definition);
    assert_eq!(table(&model, 2), ["x a", "x a"]);
    assert_eq!(table(&model, 3), ["x a"]);
    let rows = all_rows(&model, 6);
    let keys: Vec<&[Stored]> = rows.iter().map(|row| &*row.key.0).collect();
    let number = |number| [Stored::Integer(number)];
    assert_eq!(keys, [&number(1)[..], &number(2)[..], &number(3)[..], &number(4)[..]]);
    assert_eq!(rows.iter().filter(|row| row.is_deleted).count(), 1);
    let history = model.history(&Work::default(), &rows[1].key).unwrap();
    assert_eq!(history.iter().map(|change| change.count).collect::<Vec<_>>(), [2, 3]);
}

const STRICT: &str = "\
-- @projection t key: id
CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER CHECK (n < 10));
CREATE TABLE log (id);
-- @on Add
INSERT INTO log VALUES (:stream_id);
INSERT INTO t VALUES (:stream_id, :data ->> 'n')
  ON CONFLICT (id) DO UPDATE SET n = n + excluded.n;
";

#[test]
fn a_failing_event_changes_nothing() {
    let store = store(&[
        ("a", "Add", r#"{"n":5}"#),
        ("a", "Add", r#"{"n":7}"#),
        ("a", "Add", r#"{"n":1}"#),
        ("b", "Add", r#"{"n":70}"#),
    ]);
    let definition = definition(STRICT);
    let scratch = Scratch::temporary().unwrap();
    let stopped = run(&store, &definition, &scratch, &RebuildOptions::default());
    assert_eq!((stopped.count, stopped.handled, stopped.failed, stopped.is_complete), (1, 1, 1, false));
    let failure = &stopped.failures[0];
    assert_eq!(
        format!(
            "{} {} {} {:?} {}",
            failure.count, failure.event, failure.directive, failure.line, failure.message
        ),
        "1 Add 2@order-a @on Add Some(6) CHECK constraint failed: n < 10"
    );
    assert_eq!(
        run(&store, &definition, &scratch, &RebuildOptions::default()),
        stopped,
        "it stops there again"
    );
    let skip = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
    let skipped = run(&store, &definition, &scratch, &skip);
    assert_eq!((skipped.count, skipped.handled, skipped.failed, skipped.is_complete), (4, 2, 2, true));
    assert_eq!(skipped.failures.iter().map(|failure| failure.count).collect::<Vec<_>>(), [1, 3]);
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!(table(&model, 4), ["a 6"]);
    assert_eq!(model.progress(), &skipped);
    let once = run(&store, &definition, &Scratch::temporary().unwrap(), &skip);
    assert_eq!(once, skipped, "stopping first made no difference");
    let again = run(&store, &definition, &scratch, &RebuildOptions::default());
    assert_eq!(again, stopped, "what was skipped stops it now");
}

#[test]
fn a_row_needs_its_key() {
    let definition = definition(
        "-- @projection t key: k\nCREATE TABLE t (k TEXT, n);\n-- @on A\nINSERT INTO t VALUES (:data ->> 'k', 1);",
    );
    let store = store(&[("a", "A", r#"{"k":"x"}"#), ("a", "A", r#"{"k":"x"}"#), ("a", "A", "{}")]);
    let scratch = Scratch::temporary().unwrap();
    for without_history in [false, true] {
        let options =
            RebuildOptions { on_failure: OnFailure::Skip, without_history, ..RebuildOptions::default() };
        let progress = run(&store, &definition, &scratch, &options);
        let messages: Vec<&str> = progress.failures.iter().map(|failure| &*failure.message).collect();
        assert_eq!(messages, ["UNIQUE constraint failed: t.k", "the key column k is NULL"]);
        let model = ReadModel::open(&scratch, &definition).unwrap();
        assert_eq!((table(&model, 3), model.has_history()), (vec!["x 1".to_owned()], !without_history));
    }
}

#[test]
fn what_cannot_be_read_is_a_failure() {
    let definition = definition(ORDERS);
    let mut bad = made(2, "a", "Added", "{}");
    bad.data.stored = Stored::Blob([0x9f, 0x03, 0x81][..].into());
    bad.data.encoding = Encoding::Encrypted;
    bad.data.decoded = Err("it is encrypted".into());
    let mut broken = made(3, "a", "Added", "{}");
    broken.data.stored = Stored::Text(b"{\"n\": 1"[..].into());
    let store = MemoryStore::new([made(1, "a", "Placed", "{}"), bad, broken]);
    let skip = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
    let progress = run(&store, &definition, &Scratch::temporary().unwrap(), &skip);
    let messages: Vec<&str> = progress.failures.iter().map(|failure| &*failure.message).collect();
    assert_eq!(messages, ["its data cannot be read: it is encrypted", "malformed JSON"]);
}

#[test]
fn pages_and_filters_are_parts_of_the_list() {
    let names: Vec<String> = (0..60).map(|number| format!("id{number:02}")).collect();
    let events: Vec<(&str, &str, &str)> = names.iter().map(|name| (&**name, "Placed", "{}")).collect();
    let (_, model) = rebuilt(&store(&events), &definition(ORDERS));
    let ids = |first, limit, contains: &str| -> Vec<String> {
        let query = RowsQuery { count: 40, first, limit, contains: contains.into() };
        let rows = model.rows_at(&Work::default(), &query).unwrap();
        rows.iter().map(|row| super::stage::show(&row.values[0])).collect()
    };
    assert_eq!(ids(7, 3, ""), ["id07", "id08", "id09"]);
    assert_eq!(ids(38, 9, ""), ["id38", "id39"]);
    assert_eq!(ids(1, 2, "D2"), ["id21", "id22"]);
    let query = |contains: &str| RowsQuery { count: 40, contains: contains.into(), ..RowsQuery::default() };
    assert_eq!(model.len_of(&Work::default(), &query("D2")).unwrap(), 10);
    assert_eq!(model.len_of(&Work::default(), &query("")).unwrap(), 40);
}

#[test]
fn triggers_views_and_helper_tables_belong_to_the_section() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, upper TEXT, \
         made TEXT DEFAULT CURRENT_TIMESTAMP);\nCREATE TABLE totals (n);\nINSERT INTO totals VALUES (0);\n\
         CREATE VIEW v AS SELECT max(n) AS top FROM totals;\n\
         CREATE TRIGGER up AFTER INSERT ON t BEGIN UPDATE t SET upper = upper(NEW.name) WHERE id = NEW.id; END;\n\
         CREATE TRIGGER gone AFTER UPDATE ON t WHEN NEW.name = 'del' BEGIN DELETE FROM t WHERE id = NEW.id; END;\n\
         -- @on A\nUPDATE totals SET n = n + 1;\nINSERT INTO t (name) VALUES (:stream_id || (SELECT top FROM v));\n\
         -- @on D\nUPDATE t SET name = 'del' WHERE id = 1;",
    );
    let store = store(&[("a", "A", "{}"), ("b", "A", "{}"), ("", "D", "{}")]);
    let (progress, model) = rebuilt(&store, &definition);
    assert_eq!(progress.failures, []);
    let names = |count| -> Vec<String> {
        let rows = table(&model, count).into_iter();
        rows.map(|row| row.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(names(1), ["1 a1 A1"], "the state after all triggers");
    assert_eq!(names(2), ["1 a1 A1", "2 b2 B2"]);
    assert_eq!(names(3), ["2 b2 B2"]);
}

#[test]
fn keys_are_compared_as_they_are() {
    let definition = definition(
        "-- @projection t key: a, b\nCREATE TABLE t (a TEXT COLLATE NOCASE, b INTEGER, n, PRIMARY KEY (a, b));\n\
         -- @on A\nINSERT OR REPLACE INTO t VALUES (:stream_id, 1, :position);",
    );
    let store = store(&[("x", "A", "{}"), ("X", "A", "{}"), ("x", "A", "{}")]);
    let (_, model) = rebuilt(&store, &definition);
    assert_eq!(table(&model, 1), ["x 1 1"]);
    assert_eq!(table(&model, 2), ["X 1 2"]);
    assert_eq!(table(&model, 3), ["x 1 3"]);
    assert_eq!(all_rows(&model, 3).len(), 2);
}

#[test]
fn a_script_is_a_definition_of_its_own() {
    let text = "fromAll().when({ $init() { return {}; }, A(s, e) { return s; } })";
    let found = Definition::parse(Path::new("x/totals.js"), text, &Options::default()).unwrap();
    assert_eq!((found.len(), &*found[0].name, &*found[0].key[0]), (1, "totals", "partition"));
    assert!(matches!(found[0].kind, Kind::Script(_)));
    let err = Definition::parse(Path::new("x/totals.js"), "fromAll(", &Options::default()).unwrap_err();
    assert!(err.to_string().starts_with("totals.js:1: "), "{err}");
}

#[test]
fn a_fingerprint_follows_what_is_done() {
    let print = |sql: &str| definition(sql).fingerprint;
    assert_eq!(print(ORDERS), print(&format!("-- a comment\n{ORDERS}")));
    assert_ne!(print(ORDERS), print(&ORDERS.replace("'placed'", "'open'")));
    assert_ne!(print(ORDERS), print(&ORDERS.replace("@on Added", "@on Added, More")));
    assert_ne!(print(ORDERS), print(&ORDERS.replace("key: order_id", "key: order_id category: order")));
}

#[test]
fn a_store_that_is_asked_nothing_is_no_trouble() {
    let definition = definition(ORDERS);
    let scratch = Scratch::temporary().unwrap();
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!((model.columns().len(), model.len_at(&Work::default(), 5).unwrap()), (0, 0));
    let empty = store(&[]);
    assert_eq!(empty.head().unwrap().0, [0]);
    let (progress, model) = rebuilt(&empty, &definition);
    assert!(progress.is_complete && progress.count == 0);
    assert_eq!((model.columns().len(), all_rows(&model, 0).len()), (4, 0));
}
