//! Histories of rows where SQLite makes it hard: rowids that move, keys that change, triggers and cascades of the
//! definition, values that are equal and not the same.

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use timeglass::{
    model::{RecordedEvent, Stored},
    projection::{Definition, OnFailure, ReadModel, RebuildOptions, RowKey, Scratch},
    store::memory::MemoryStore,
    work::Work,
};

use super::{
    resume::{check_history, check_resume},
    stage::{all_rows, definition, line, made, rebuilt, run, store, table},
};

/// The rowid is a column of its own beside the key; rows refer to each other and are changed by triggers.
const TANGLED: &str = "\
-- @projection w key: id
CREATE TABLE w (
  num INTEGER PRIMARY KEY, id ANY COLLATE NOCASE UNIQUE, v ANY,
  parent INTEGER REFERENCES w (num) ON UPDATE CASCADE ON DELETE SET NULL
) STRICT;
CREATE TRIGGER followed AFTER UPDATE OF num ON w WHEN NEW.num > 20 BEGIN
  UPDATE w SET v = NEW.num WHERE id = 'b';
END;
CREATE TRIGGER mourned AFTER DELETE ON w WHEN OLD.v = 1 BEGIN
  UPDATE w SET v = 2 WHERE id = 'a';
END;
INSERT INTO w (num, id, v) VALUES (7, 'c', 1), (3, 'seed', 1.5);
-- @on Put
INSERT INTO w VALUES (:position, :stream_id, 1, (SELECT max(num) FROM w))
  ON CONFLICT (id) DO UPDATE SET v = CASE typeof(v) WHEN 'integer' THEN 1.0 ELSE 1 END;
-- @on Replace
REPLACE INTO w (num, id, v) VALUES (:data, :stream_id, :data);
-- @on Many
UPDATE w SET num = num + :data, v = v;
-- @on Delete
DELETE FROM w WHERE id = :stream_id;
-- @on Clear
DELETE FROM w;
INSERT INTO w (id, v) VALUES ('a', 1), ('seed', 1.5);
-- @on Rename
UPDATE OR REPLACE w SET id = upper(id), num = 3 WHERE id = :stream_id;
";

/// The same row number for others all the time, and no key.
const NUMBERED: &str = "\
-- @projection n
CREATE TABLE n (what TEXT, times INTEGER DEFAULT 0);
CREATE TABLE side (times INTEGER);
CREATE TRIGGER counted AFTER INSERT ON side BEGIN UPDATE n SET times = NEW.times WHERE rowid = 1; END;
-- @on Put
INSERT OR REPLACE INTO n (rowid, what) VALUES (:data % 4, :stream_id);
-- @on Many, Rename
INSERT INTO side VALUES (:data);
UPDATE OR IGNORE n SET rowid = rowid + 1;
-- @on Replace
UPDATE OR REPLACE n SET rowid = 1 WHERE rowid = (SELECT max(rowid) FROM n);
-- @on Delete
DELETE FROM n WHERE rowid = 1;
-- @on Clear
DELETE FROM n;
INSERT INTO n (what) VALUES ('anew');
";

fn events() -> impl Strategy<Value = Vec<RecordedEvent>> {
    let kind = prop_oneof![
        4 => Just("Put"),
        2 => Just("Replace"),
        2 => Just("Many"),
        2 => Just("Delete"),
        1 => Just("Clear"),
        2 => Just("Rename"),
    ];
    let one = (kind, "[abc]", 0..12_u8);
    proptest::collection::vec(one, 0..20).prop_map(|drafts| {
        let made =
            |(position, (kind, id, n)): (i64, (&str, String, u8))| made(position, &id, kind, &n.to_string());
        (1..).zip(drafts).map(made).collect()
    })
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn histories_are_what_the_tables_were(events in events(), stop in 0..20_u64, after in 0..20_u64) {
        let store = MemoryStore::new(events);
        for sql in [TANGLED, NUMBERED] {
            let definition = definition(sql);
            check_history(&store, &definition);
            check_resume(&store, &definition, &[stop], after);
        }
    }
}

fn changes(model: &ReadModel, key: &str) -> Vec<(u64, Option<String>)> {
    let key = RowKey([Stored::Text(key.as_bytes().into())].into());
    let history = model.history(&Work::default(), &key).unwrap();
    history.iter().map(|change| (change.count, change.after.as_deref().map(line))).collect()
}

#[test]
fn any_value_of_a_strict_table_is_told_from_its_equal() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, v ANY) STRICT;\n\
         -- @on Put\nINSERT INTO t VALUES ('a', 1);\n-- @on Real\nUPDATE t SET v = 1.0;\n\
         -- @on Text\nUPDATE t SET v = '1';",
    );
    let store = store(&[("", "Put", "{}"), ("", "Real", "{}"), ("", "Text", "{}"), ("", "Real", "{}")]);
    let (_, model) = rebuilt(&store, &definition);
    let expected = [(1, "a 1"), (2, "a Real(1.0)"), (3, "a 1"), (4, "a Real(1.0)")];
    assert_eq!(changes(&model, "a"), expected.map(|(count, row)| (count, Some(row.to_owned()))));
}

#[test]
fn rows_that_the_definition_makes_are_there_from_the_start() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER);\nINSERT INTO t VALUES \
         ('all', 0), ('none', 0);\n-- @on A\nUPDATE t SET n = n + 1 WHERE id = 'all';",
    );
    let (_, model) = rebuilt(&store(&[("x", "A", "{}"), ("x", "A", "{}")]), &definition);
    let at = |count| table(&model, count);
    assert_eq!([at(0), at(1), at(2)], [["all 0", "none 0"], ["all 1", "none 0"], ["all 2", "none 0"]]);
    let row = |count, row: &str| (count, Some(row.to_owned()));
    assert_eq!(changes(&model, "all"), [row(0, "all 0"), row(1, "all 1"), row(2, "all 2")]);
}

/// How many lines of history a rebuild wrote.
fn lines(definition: &Definition, kinds: &[&'static str]) -> (i64, Vec<(u64, Option<String>)>) {
    let events: Vec<_> = kinds.iter().map(|kind| ("x", *kind, "{}")).collect();
    let scratch = Scratch::temporary().unwrap();
    run(&store(&events), definition, &scratch, &RebuildOptions::default());
    let connection = rusqlite::Connection::open(scratch.path()).unwrap();
    let lines = connection.query_row("SELECT count(*) FROM timeglass_change", [], |row| row.get(0)).unwrap();
    (lines, changes(&ReadModel::open(&scratch, definition).unwrap(), "x"))
}

#[test]
fn setting_what_is_set_already_makes_no_long_history() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, v);\n-- @on One\nINSERT INTO t VALUES \
         (:stream_id, 1) ON CONFLICT (id) DO UPDATE SET v = 1;\n-- @on Two\nUPDATE t SET v = 2;\n\
         -- @on Real\nUPDATE t SET v = 2.0;\n-- @on Drop\nDELETE FROM t;",
    );
    let mut kinds = vec!["One"; 1_000];
    kinds.extend(["Two", "Real", "Real", "Drop"]);
    kinds.extend(["Real"; 10]);
    kinds.extend(["One"; 1_000]);
    let (lines, changes) = lines(&definition, &kinds);
    assert!(lines < 60, "{lines} lines");
    let row = |count, row: &str| (count, Some(row.to_owned()));
    let expected =
        [row(1, "x 1"), row(1001, "x 2"), row(1002, "x Real(2.0)"), (1004, None), row(1015, "x 1")];
    assert_eq!(changes, expected);
}

#[test]
fn a_row_that_flickers_is_followed() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, v);\n-- @on One\nINSERT INTO t VALUES \
         (:stream_id, 1) ON CONFLICT (id) DO UPDATE SET v = 1;\n-- @on Two\nUPDATE t SET v = 2;",
    );
    // Every pattern of changes and none, long enough to be looked at.
    for step in 1..12 {
        let kinds: Vec<&str> = (0..200).map(|n| if n / step % 2 == 0 { "One" } else { "Two" }).collect();
        let expected: Vec<(u64, Option<String>)> = (0..200)
            .filter(|n| n % step == 0)
            .map(|n| (n as u64 + 1, Some(format!("x {}", if n / step % 2 == 0 { 1 } else { 2 }))))
            .collect();
        assert_eq!(lines(&definition, &kinds).1, expected, "every {step}");
    }
}

#[test]
fn a_row_made_and_deleted_by_one_event_never_was() {
    let definition = definition(
        "-- @projection t key: id\nCREATE TABLE t (id TEXT PRIMARY KEY, v);\n-- @on Blink\nINSERT INTO t VALUES \
         ('b', 1); DELETE FROM t WHERE id = 'b'; INSERT INTO t VALUES ('b', 2); DELETE FROM t WHERE id = 'b';\n\
         -- @on Put\nINSERT INTO t VALUES (:stream_id, 1);",
    );
    let (_, model) =
        rebuilt(&store(&[("", "Blink", "{}"), ("a", "Put", "{}"), ("", "Blink", "{}")]), &definition);
    assert_eq!(all_rows(&model, 3).len(), 1);
    assert_eq!(changes(&model, "b"), []);
}

#[test]
fn a_row_without_a_key_is_an_error_even_where_conflicts_are_ignored() {
    for (sql, verb) in [("INSERT", "plain"), ("INSERT OR IGNORE", "ignoring")] {
        let definition = definition(&format!(
            "-- @projection t key: k\nCREATE TABLE t (k TEXT PRIMARY KEY, n);\n-- @on A\n{sql} INTO t VALUES \
             (:data ->> 'k', 1);\n-- @on B\nUPDATE t SET k = NULL;"
        ));
        let store = store(&[("", "A", "{}"), ("", "A", r#"{"k":"x"}"#), ("", "B", "{}")]);
        let options = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
        let progress = run(&store, &definition, &Scratch::temporary().unwrap(), &options);
        let messages: Vec<&str> = progress.failures.iter().map(|failure| &*failure.message).collect();
        assert_eq!(messages, ["the key column k is NULL"; 2], "{verb}");
    }
}
