//! What is never written, whoever asks.

use std::path::Path;

use rusqlite::Connection;
use timeglass::{
    model::Stored,
    publish::{Edits, Publication, PublishError, RowEdit, TableEdits, Unlock, keep_going, publish},
    work::Work,
};

use super::stage::{Stage, everything, of, place, text, values};

/// Tables of every kind, and triggers that would do harm.
const MORE: &str = "
    CREATE TABLE archived_events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
        version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL);
    CREATE VIEW few AS SELECT * FROM orders;
    CREATE TRIGGER few_in INSTEAD OF INSERT ON few BEGIN DELETE FROM events; END;
    CREATE TRIGGER few_out INSTEAD OF DELETE ON few BEGIN DELETE FROM events; END;
    CREATE VIRTUAL TABLE words USING fts5(word);
    CREATE TRIGGER harm_in AFTER INSERT ON orders BEGIN UPDATE events SET data = 'gone'; END;
    CREATE TRIGGER harm_up BEFORE UPDATE ON orders BEGIN DELETE FROM events; END;
    CREATE TRIGGER harm_out AFTER DELETE ON orders BEGIN INSERT OR REPLACE INTO events VALUES (1, 'x', 1, 'x', 'x', 'x'); END;
    CREATE TABLE made (id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2) STORED, n TEXT NOT NULL);
    INSERT INTO made (id, a, n) VALUES (1, 1, 'n');
    CREATE TABLE grumpy (id INTEGER PRIMARY KEY, n INTEGER CHECK (n < 10), u TEXT UNIQUE ON CONFLICT REPLACE);
    INSERT INTO grumpy VALUES (1, 1, 'a'), (2, 2, 'b');
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    INSERT INTO parents VALUES (1), (2);
    CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents ON DELETE CASCADE);
    INSERT INTO children VALUES (1, 1), (2, 99);
";

fn insert<const N: usize>(table: &str, row: [(&str, Stored); N]) -> TableEdits {
    TableEdits { table: table.into(), inserts: vec![values(row)], ..TableEdits::default() }
}

fn delete<const N: usize>(table: &str, row: [(&str, Stored); N]) -> TableEdits {
    TableEdits { table: table.into(), deletes: vec![place(row)], ..TableEdits::default() }
}

fn update<const N: usize, const M: usize>(
    table: &str,
    is: [(&str, Stored); N],
    set: [(&str, Stored); M],
) -> TableEdits {
    let edit = RowEdit { place: place(is), values: values(set) };
    TableEdits { table: table.into(), updates: vec![edit], ..TableEdits::default() }
}

/// The answer names the reason, and not a byte has changed nor a file appeared.
#[track_caller]
fn check(stage: &Stage, edits: TableEdits, reason: &str) {
    let before = std::fs::read(&stage.path).expect("the store");
    let files = stage.files();
    // What comes before it must not be written either.
    let mut tables = everything(2).tables;
    if tables.iter().all(|other| !other.table.eq_ignore_ascii_case(&edits.table)) {
        tables.push(edits);
    } else {
        tables = vec![edits];
    }
    let error = stage.publish(&Edits { subject: "x".into(), tables, ..Edits::default() }).expect_err(reason);
    let words = error.to_string();
    assert!(words.contains(reason), "{words}");
    assert_eq!(std::fs::read(&stage.path).expect("the store"), before, "{words}");
    assert_eq!(stage.files(), files, "{words}");
}

#[test]
fn events_are_never_a_target() {
    let stage = Stage::with("delete", MORE);
    let never = "events are never changed";
    for table in ["events", "EVENTS", "Events"] {
        check(&stage, insert(table, [("global_position", Stored::Integer(99))]), never);
        check(&stage, delete(table, [("global_position", Stored::Integer(1))]), never);
        check(
            &stage,
            update(table, [("global_position", Stored::Integer(1))], [("data", text("{}"))]),
            never,
        );
    }
}

#[test]
fn only_tables_with_rows_of_their_own_are_targets() {
    let stage = Stage::with("delete", MORE);
    check(&stage, insert("few", [("id", text("x"))]), "it is a view");
    check(&stage, delete("few", [("id", text("order-1"))]), "it is a view");
    check(&stage, insert("words", [("word", text("x"))]), "it is a virtual table");
    check(&stage, insert("words_content", [("id", Stored::Integer(1))]), "keeps its rows there");
    check(&stage, insert("sqlite_schema", [("sql", text("x"))]), "it belongs to SQLite");
    check(&stage, insert("sqlite_sequence", [("seq", Stored::Integer(1))]), "it belongs to SQLite");
    check(&stage, insert("nothing", [("id", text("x"))]), "there is no such table");
    check(&stage, insert("orders\"; DROP TABLE events; --", [("id", text("x"))]), "there is no such table");
}

#[test]
fn columns_must_be_there_and_be_the_rows_own() {
    let stage = Stage::with("delete", MORE);
    let one = || [("id", Stored::Integer(1))];
    check(&stage, update("made", one(), [("twice", Stored::Integer(3))]), "\"twice\" is computed");
    check(&stage, update("made", one(), [("id", Stored::Integer(3))]), "\"id\" is part of the key");
    check(&stage, update("made", one(), [("zzz", Stored::Integer(3))]), "no column \"zzz\"");
    check(
        &stage,
        update("made", [("rowid", Stored::Integer(1))], [("a", Stored::Null)]),
        "no column \"rowid\"",
    );
    check(&stage, update("made", [], [("a", Stored::Null)]), "a row is not described");
    check(&stage, insert("made", [("a", Stored::Integer(1))]), "a row needs a value for \"n\"");
    check(&stage, insert("made", [("n", text("x")), ("N", text("y"))]), "named twice");
}

#[test]
fn constraints_hold_and_replace_nothing() {
    let stage = Stage::with("delete", MORE);
    let two = || [("id", Stored::Integer(2))];
    check(&stage, update("grumpy", two(), [("n", Stored::Integer(11))]), "CHECK constraint failed");
    check(&stage, insert("grumpy", [("n", Stored::Integer(11))]), "CHECK constraint failed");
    // By its own words the table would replace row 1.
    check(&stage, insert("grumpy", [("u", text("a"))]), "UNIQUE constraint failed");
    check(&stage, update("grumpy", two(), [("u", text("a"))]), "UNIQUE constraint failed");
    check(&stage, insert("children", [("parent", Stored::Integer(7))]), "would refer to rows of \"parents\"");
    // Nothing cascades: the child would stay and refer to nothing.
    check(&stage, delete("parents", [("id", Stored::Integer(1))]), "1 rows of \"children\" would refer");
    // What refers to nothing already is no reason.
    stage.publish(&of(delete("parents", [("id", Stored::Integer(2))]))).expect("a publication");
    assert_eq!(stage.rows("children").len(), 2);
}

#[test]
fn a_row_that_is_not_as_described_stops_everything() {
    let stage = Stage::with("delete", MORE);
    let was = "is not what it was";
    check(&stage, delete("grumpy", [("id", Stored::Integer(3))]), was);
    check(&stage, delete("grumpy", [("id", Stored::Integer(2)), ("u", text("B"))]), was);
    check(&stage, delete("grumpy", [("id", Stored::Real(2.0))]), was);
    check(&stage, delete("grumpy", [("id", text("2"))]), was);
    check(&stage, delete("grumpy", [("u", Stored::Blob((*b"b").into()))]), was);
    let twice = TableEdits {
        table: "grumpy".into(),
        updates: update("grumpy", [("u", text("b"))], [("n", Stored::Integer(5))]).updates,
        deletes: vec![place([("id", Stored::Integer(2))])],
        ..TableEdits::default()
    };
    check(&stage, twice, was);
}

#[test]
fn triggers_of_the_store_do_not_run_and_the_dry_run_says_so() {
    let stage = Stage::with("delete", MORE);
    let events = stage.rows("events");
    let plan = stage.plan(&everything(5)).expect("a plan");
    let names: Vec<&str> = plan.tables[0].triggers.iter().map(|name| &**name).collect();
    assert_eq!(names, ["harm_in", "harm_out", "harm_up"]);
    assert!(stage.write(&everything(5), &plan).expect("a publication").is_confirmed);
    assert_eq!(stage.rows("events"), events);
}

#[test]
fn a_store_that_is_not_unlocked_is_not_even_opened() {
    let stage = Stage::new();
    let edits = everything(1);
    let plan = stage.plan(&edits).expect("a plan");
    let layout = stage.layout();
    let publication = Publication {
        path: &stage.path,
        layout: &layout,
        edits: &edits,
        expected: &plan.expected,
        backup: &Default::default(),
        at: super::stage::morning(),
        patience: Default::default(),
    };
    let other = Unlock::confirm(Path::new("/elsewhere/shop.sqlite"), "shop.sqlite").expect("its name");
    let refused = publish(&Work::default(), &publication, &other, &keep_going);
    assert!(matches!(refused, Err(PublishError::Locked { .. })), "{refused:?}");
    assert_eq!(stage.files(), ["shop.sqlite"]);
}

#[test]
fn what_has_moved_since_the_dry_run_is_not_written() {
    let moved = |change: &str, what: &str| {
        let stage = Stage::new();
        let plan = stage.plan(&everything(3)).expect("a plan");
        Connection::open(&stage.path).expect("the store").execute_batch(change).expect("a change");
        let rows = stage.rows("orders");
        match stage.write(&everything(3), &plan) {
            Err(PublishError::Moved { what: words }) => assert_eq!(words, what),
            other => panic!("{change}: {other:?}"),
        }
        assert_eq!(stage.rows("orders"), rows);
        assert_eq!(stage.files(), ["shop.sqlite"]);
    };
    let event =
        |n: u32| format!("INSERT INTO events VALUES ({n}, 's-{n}', 1, 'X', '{{}}', '2024-03-02T09:00:00Z');");
    moved(&event(100), "1 more event");
    moved(&(event(100) + &event(101)), "2 more events");
    moved("DELETE FROM events WHERE global_position = 5", "1 event fewer");
    moved(
        &("DELETE FROM events WHERE global_position = 60;".to_owned() + &event(61)),
        "the last event is another",
    );
    moved("ALTER TABLE orders ADD COLUMN more TEXT", "table \"orders\" was altered");
    // A column of the projection's table without a say in the edits may have changed; the row itself may not.
    let stage = Stage::new();
    let plan = stage.plan(&everything(3)).expect("a plan");
    Connection::open(&stage.path)
        .expect("the store")
        .execute_batch("UPDATE orders SET status = 'lost' WHERE id = 'order-3'")
        .expect("a change");
    let refused = stage.write(&everything(3), &plan);
    assert!(
        matches!(&refused, Err(PublishError::RowMoved { row, .. }) if row.contains("order-3")),
        "{refused:?}"
    );
}
