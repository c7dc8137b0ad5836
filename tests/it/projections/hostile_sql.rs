//! SQL that does what a projection must not, or that is wrong: what is said about it.

use timeglass::projection::{OnFailure, ReadModel, RebuildOptions, Scratch};

use super::stage::{definition, parse, run, store, table};

/// The message about one statement under `@on A`, without its place.
fn at_event(statement: &str) -> String {
    let sql = format!("-- @projection t key: a\nCREATE TABLE t (a INTEGER, b TEXT);\n-- @on A\n{statement};");
    parse(&sql).map_or_else(|said| said, |_| "allowed".to_owned())
}

fn golden(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../golden/projections", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

fn in_setup(statement: &str) -> String {
    let sql =
        format!("-- @projection t key: a\nCREATE TABLE t (a INTEGER, b TEXT);\n{statement};\n-- @on A\n");
    parse(&sql).map_or_else(|said| said, |_| "allowed".to_owned())
}

/// Statements under `@on A`, most of them refused.
const AT_EVENT: &[&str] = &[
    "ATTACH '/etc/passwd' AS x",
    "DETACH main",
    "PRAGMA writable_schema = 1",
    "INSERT INTO t (b) SELECT name FROM pragma_table_info('t')",
    "INSERT INTO t (b) VALUES (load_extension('x'))",
    "INSERT INTO t (a) VALUES (random())",
    "INSERT INTO t (b) VALUES (randomblob(9))",
    "INSERT INTO t (b) VALUES (CURRENT_TIMESTAMP)",
    "INSERT INTO t (b) VALUES (datetime('NOW', '+1 day'))",
    "INSERT INTO t (b) VALUES (date())",
    "INSERT INTO t (b) VALUES (strftime('%s', 'now'))",
    "INSERT INTO t (b) VALUES (strftime('%s'))",
    "INSERT INTO t (b) VALUES (strftime('%s', :time))",
    "INSERT INTO t VALUES (date(:time), 'now')",
    "INSERT INTO t (b) SELECT current_date FROM t",
    "INSERT INTO t (a) VALUES (total_changes())",
    "CREATE TABLE u (a)",
    "CREATE TEMP TABLE u (a)",
    "CREATE VIRTUAL TABLE u USING fts5(a)",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN c",
    "VACUUM INTO '/tmp/x'",
    "ANALYZE",
    "REINDEX",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT x",
    "DELETE FROM timeglass_change",
    "UPDATE timeglass_live SET row = 0",
    "INSERT INTO t (a) SELECT row FROM Timeglass_Live",
    "WITH timeglass_x AS (SELECT row FROM timeglass_live) INSERT INTO t (a) SELECT row FROM timeglass_x",
    "INSERT INTO t (a) SELECT r FROM (SELECT random() AS r) AS \"Timeglass_insert\"",
    "WITH 'timeglass_x' AS (SELECT random() AS r) INSERT INTO t (a) SELECT r FROM 'timeglass_x'",
    "INSERT INTO t (a) VALUES (timeglass_gone(1))",
    "INSERT INTO t (b) VALUES (timeglass_default_date('now'))",
    "DELETE FROM sqlite_master",
    "INSERT OR ROLLBACK INTO t VALUES (1, 2)",
    "INSERT OR FAIL INTO t VALUES (1, 2)",
    "SELECT * FROM t",
    "INSERT INTO t VALUES (1, 2) RETURNING a",
    "EXPLAIN DELETE FROM t",
    "INSERT INTO t (a) VALUES (:amount)",
    "INSERT INTO t (a) VALUES (?)",
    "INSERT INTO t (a) VALUES ($data)",
    "INSERT INTO u VALUES (1)",
    "INSERT INTO t (c) VALUES (1)",
    "INSERT INTO t (b)\nVALUES\n('x',,)",
    "INSERT INTO t (b) VALUES (\"x\")",
];

#[test]
fn what_a_projection_must_not_do_is_said() {
    let at_event_said: Vec<String> =
        AT_EVENT.iter().map(|statement| format!("{statement}\n    {}\n", at_event(statement))).collect();
    golden("sql-at-an-event", &at_event_said.concat());
    let in_setup_said: Vec<String> = [
        "CREATE TABLE timeglass_run (a)",
        "CREATE TABLE u AS SELECT 1 AS a",
        "CREATE INDEX timeglass_i ON t (b)",
        "CREATE TRIGGER timeglass_insert AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'x'); END",
        "CREATE TABLE u (a DEFAULT (random()))",
        "CREATE VIRTUAL TABLE u USING rtree(a, b, c)",
        "INSERT INTO t (b) VALUES (:data)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) INSERT INTO t (a) SELECT n FROM r",
        "CREATE TABLE u (a TEXT DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE u (a TEXT DEFAULT (datetime('now')))",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET b = CURRENT_TIMESTAMP; END",
        "CREATE TABLE u AS SELECT datetime('now') AS a",
        "CREATE TABLE u AS SELECT CURRENT_TIMESTAMP AS a",
        "CREATE TABLE u AS SELECT\n  time('no' || 'w') AS a",
        "CREATE TABLE u (a TEXT DEFAULT (date('no' || 'w')), b DEFAULT (strftime('%s')), c DEFAULT (unixepoch()))",
        "CREATE TABLE u (a, b AS (date(a)) STORED)",
        "CREATE UNIQUE INDEX i ON t (b)",
        "DROP TABLE t",
    ]
    .iter()
    .map(|statement| format!("{statement}\n    {}\n", in_setup(statement)))
    .collect();
    golden("sql-before-the-first-event", &in_setup_said.concat());
}

#[test]
fn a_table_that_does_not_serve_is_named() {
    let said: Vec<String> = [
        "-- @projection t\nCREATE TABLE other (a);",
        "-- @projection t\nCREATE VIEW t AS SELECT 1 AS a;",
        "-- @projection t\nCREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID;",
        "-- @projection t key: id\nCREATE TABLE t (a, b);",
        "-- @projection t\nCREATE TABLE t (rowid, _rowid_, oid);",
        "\n-- @projection t\n\nCREATE TABEL t (a);",
        "-- @projection t\nCREATE TABLE t (a);\n-- @on A\n\nUPDATE t\nSET a = 1\nWHERE nothing = 2;",
    ]
    .iter()
    .map(|sql| format!("{}\n", parse(sql).map_or_else(|said| said, |_| "allowed".to_owned())))
    .collect();
    golden("sql-tables", &said.concat());
}

#[test]
fn an_event_that_never_ends_is_one_failure() {
    let definition = definition(
        "-- @projection t key: a\nCREATE TABLE t (a INTEGER PRIMARY KEY);\n-- @on A\nINSERT INTO t VALUES \
         (:position);\n-- @on Endless\nINSERT INTO t WITH RECURSIVE r(n) AS (SELECT 100 UNION ALL SELECT n + 0 \
         FROM r) SELECT n FROM r WHERE n > 100;",
    );
    let store = store(&[("", "A", "{}"), ("", "A", "{}"), ("", "Endless", "{}"), ("", "A", "{}")]);
    let options = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
    let scratch = Scratch::temporary().unwrap();
    let progress = run(&store, &definition, &scratch, &options);
    assert_eq!((progress.count, progress.handled, progress.failed, progress.is_complete), (4, 3, 1, true));
    let failure = &progress.failures[0];
    assert_eq!((failure.count, failure.line), (2, Some(6)));
    assert_eq!(&*failure.message, "it takes too long: more than 100 million steps of SQLite");
    let model = ReadModel::open(&scratch, &definition).unwrap();
    assert_eq!(table(&model, 4), ["1", "2", "4"], "what SQLite undid with it was done again");
}

#[test]
fn a_deep_trigger_and_a_huge_value_are_failures() {
    let definition = definition(
        "-- @projection t\nCREATE TABLE t (a);\nCREATE TRIGGER again AFTER INSERT ON t BEGIN INSERT INTO t VALUES \
         (NEW.a + 1); END;\n-- @on Deep\nINSERT INTO t VALUES (1);\n-- @on Huge\nUPDATE t SET a = \
         zeroblob(1000000000);\nINSERT INTO t VALUES (hex(zeroblob(1000000000)));",
    );
    let store = store(&[("", "Deep", "{}"), ("", "Huge", "{}")]);
    let options = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
    let progress = run(&store, &definition, &Scratch::temporary().unwrap(), &options);
    let messages: Vec<&str> = progress.failures.iter().map(|failure| &*failure.message).collect();
    assert_eq!(messages, ["triggers nested too deep", "string or blob too big"]);
}

#[test]
fn the_clock_is_refused_wherever_it_is_asked() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id INTEGER PRIMARY KEY, day TEXT, made TEXT DEFAULT \
         (datetime('now')), at TEXT DEFAULT CURRENT_TIMESTAMP, n DEFAULT (random() % 2 * 0));\n-- @on A\nINSERT INTO t (id, day)\nVALUES \
         (:position, date(:data ->> 'day'));\n-- @on B\nUPDATE t SET day = strftime('%s', 'n' || 'ow');",
    );
    let store = store(&[
        ("", "A", r#"{"day":"2024-02-30"}"#),
        ("", "A", r#"{"day":"now"}"#),
        ("x", "B", "{}"),
        ("", "A", "{}"),
    ]);
    let options = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
    let scratch = Scratch::temporary().unwrap();
    let progress = run(&store, &definition, &scratch, &options);
    let said: Vec<String> = progress
        .failures
        .iter()
        .map(|failure| {
            format!("{} {} {:?} {}", failure.event, failure.directive, failure.line, failure.message)
        })
        .collect();
    let clock = "the clock is another at each run; the event's time is `:time`";
    let at = |event: &str, directive: &str, line| format!("{event} {directive} Some({line}) {clock}");
    assert_eq!(said, [at("A 2@order-", "@on A", 4), at("B 3@order-x", "@on B", 7)]);
    let model = ReadModel::open(&scratch, &definition).unwrap();
    let rows = table(&model, 4);
    let days: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').nth(1)).collect();
    assert_eq!(days, ["2024-03-01", "-"], "and the defaults had the clock: {rows:?}");
    assert!(rows.iter().all(|row| row.matches("20").count() > 1), "{rows:?}");
}
