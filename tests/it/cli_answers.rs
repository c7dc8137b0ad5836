//! Answers that somebody signs: what they leave out or take in beside the question is said.

use std::{fs, path::Path};

use rusqlite::Connection;
use timeglass::cli::Exit;

use crate::cli::{Answer, run};

/// A store of its own with these rows: id, category, stream, type, data, version, time.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, i64, &'a str);

fn store(folder: &Path, rows: &[Row<'_>]) -> String {
    let path = folder.join("store.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE events (id INTEGER PRIMARY KEY, aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL,
               event_type TEXT NOT NULL, event_data TEXT NOT NULL, version INT NOT NULL, created_at TEXT NOT NULL);
             CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT);
             BEGIN;",
        )
        .unwrap();
    // Enough of the usual, so that nothing is in doubt.
    for number in 0..40 {
        let (id, data) = (format!("order_{number:03}"), format!("{{\"n\":{number}}}"));
        for (version, name) in [(1, "OrderPlaced"), (2, "OrderPaid")] {
            let time = format!("2024-01-01T{:02}:{:02}:00Z", number / 2, 10 * version);
            insert(&connection, ("Order", &id, name, &data, version, &time));
        }
        connection.execute("INSERT INTO orders VALUES (?1, 'paid')", [&id]).unwrap();
    }
    rows.iter().for_each(|row| insert(&connection, *row));
    connection.execute_batch("COMMIT").unwrap();
    path.to_str().unwrap().to_owned()
}

fn insert(connection: &Connection, row: Row<'_>) {
    let (category, id, event_type, data, version, time) = row;
    let sql = "INSERT INTO events (aggregate_type, aggregate_id, event_type, event_data, version, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.execute(sql, rusqlite::params![category, id, event_type, data, version, time]).unwrap();
}

/// Runs a command; all of these parts stand in what it printed or said, and none of those.
fn check(arguments: &[&str], exit: Exit, told: &[&str], untold: &[&str]) -> Answer {
    let answer = run(arguments);
    let text = format!("{}\n{}", answer.out, answer.err);
    assert_eq!(answer.exit, exit, "{arguments:?}: {text}");
    for part in told {
        assert!(text.contains(part), "{arguments:?} does not say {part:?}: {text}");
    }
    for part in untold {
        assert!(!text.contains(part), "{arguments:?} says {part:?}: {text}");
    }
    answer
}

const DEFINITION: &str = "-- @projection orders key: id category: CATEGORY
CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT);
-- @on OrderPlaced
INSERT INTO orders VALUES (:stream_id, 'placed');
-- @on PAID
UPDATE orders SET status = 'paid' WHERE id = :stream_id;
";

#[test]
fn a_definition_that_handles_nothing_empties_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[]);
    let definition = folder.path().join("orders.sql");
    let file = definition.to_str().unwrap();
    let write = |category: &str, paid: &str| {
        fs::write(&definition, DEFINITION.replace("CATEGORY", category).replace("PAID", paid)).unwrap();
    };
    let before = fs::read(&store).unwrap();
    let rebuild = |more: &[&'static str]| {
        [&["rebuild", &store, "--definition", file], more].concat().into_iter().map(str::to_owned).collect()
    };
    let ask = |more: &[&'static str], exit: Exit, told: &[&str]| {
        let arguments: Vec<String> = rebuild(more);
        check(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), exit, told, &[]);
    };
    let confirmed = ["--write", "--confirm", "store.sqlite"];

    write("order", "OrderPaid");
    let why = "orders handled none of 80 events; the store has no category `order`, but `Order`";
    ask(&["--dry-run"], Exit::Failed, &[why]);
    ask(&confirmed, Exit::Failed, &[why, "nothing was written"]);
    ask(&[], Exit::Done, &[why]);
    check(&["drift", &store, "--definition", file], Exit::No, &[why], &[]);
    assert_eq!(fs::read(&store).unwrap(), before);

    // Some were handled: what is unknown is said, and nothing refused for it.
    write("Order", "OrderPayed");
    let unknown = "he store has no event type `OrderPayed`, but";
    ask(&["--dry-run"], Exit::No, &[unknown, "40 to update"]);
    check(&["drift", &store, "--definition", file], Exit::No, &[unknown], &["handled none"]);
}

#[test]
fn deleting_most_of_a_table_is_asked_for_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        store(folder.path(), &[("Order", "order_900", "OrderMoved", "{}", 1, "2024-02-01T00:00:00Z")]);
    let file = folder.path().join("orders.sql");
    fs::write(&file, DEFINITION.replace("CATEGORY", "Order").replace("OrderPlaced", "OrderMoved")).unwrap();
    let rebuild = ["rebuild", &store, "--definition", file.to_str().unwrap()];
    let ask =
        |more: &[&str], exit: Exit, told: &[&str]| check(&[&rebuild[..], more].concat(), exit, told, &[]);
    ask(&["--dry-run"], Exit::No, &["40 of the 40 rows of orders would be deleted"]);
    let confirmed = ["--write", "--confirm", "store.sqlite"];
    let before = fs::read(&store).unwrap();
    ask(
        &confirmed,
        Exit::Failed,
        &["40 of the 40 rows of orders would be deleted; nothing was written", "--deletes 40"],
    );
    ask(&[&confirmed[..], &["--deletes", "39"]].concat(), Exit::Failed, &["--deletes 40"]);
    assert_eq!(fs::read(&store).unwrap(), before);
    ask(&[&confirmed[..], &["--deletes", "40"]].concat(), Exit::Done, &["1 inserted, 0 updated, 40 deleted"]);
}

#[test]
fn a_state_as_of_a_time_tells_of_later_events_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |version, time| ("User", "u1", "OrderPaid", "{\"a\":1}", version, time);
    let rows = [
        at(1, "2023-12-29T10:00:00Z"),
        at(2, "2023-12-30T10:00:00Z"),
        at(3, "2022-01-01T00:00:00Z"),
        at(4, "2024-05-01T00:00:00Z"),
    ];
    let store = store(folder.path(), &rows);
    let ask = |time: &str, told: &[&str], untold: &[&str]| {
        check(&["state", &store, "--stream", "u1", "--as-of", time], Exit::Done, told, untold);
    };
    let caveat = "times do not rise in this stream: v3 of 2022-01-01T00:00:00Z stands after v1 of \
                  2023-12-29T10:00:00Z; 2 of the 3 events that are counted here are later than 2022-06-01";
    ask("2022-06-01", &["3 events applied", caveat], &[]);
    ask("2023-12-31", &["3 events applied"], &["times do not rise"]);
    let json = crate::cli::json(&["state", &store, "--stream", "u1", "--as-of", "2022-06-01", "--json"]);
    assert_eq!(json.get("caveat").and_then(|caveat| caveat.as_text()), Some(caveat));
    let quiet = ["state", &store, "--stream", "u1", "--as-of", "2022-06-01", "--quiet"];
    check(&quiet, Exit::Done, &[caveat], &[]);
}

#[test]
fn a_version_that_is_missing_or_doubled_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |version| ("User", "u1", "OrderPaid", "{\"a\":1}", version, "2024-02-01T00:00:00Z");
    let store = store(folder.path(), &[at(1), at(2), at(2), at(4)]);
    let ask = |version: &str, exit: Exit, told: &[&str], untold: &[&str]| {
        check(&["state", &store, "--stream", "u1", "--version", version], exit, told, untold);
    };
    ask("1", Exit::Done, &["1 event applied"], &["have version"]);
    ask(
        "2",
        Exit::Done,
        &["3 events applied", "2 events of this stream have version 2, at positions 82, 83"],
        &[],
    );
    ask("3", Exit::Failed, &["`User-u1` has no version 3: it is missing", "version 2 and version 4"], &[]);
    ask("4", Exit::Done, &["4 events applied"], &["have version"]);
    check(
        &["diff", &store, "--stream", "u1", "--from", "3", "--to", "4"],
        Exit::Failed,
        &["no version 3"],
        &[],
    );
}

#[test]
fn a_stream_with_two_categories_is_told_and_not_answered_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let at = |category, version| {
        (category, "order_8a6e", "OrderPaid", "{\"a\":1}", version, "2024-02-01T00:00:00Z")
    };
    let store = store(folder.path(), &[at("Order", 1), at("order", 2), at("Order", 3)]);
    let ambiguous = "`order_8a6e` may be any of 2 streams";
    check(
        &["state", &store, "--stream", "order_8a6e"],
        Exit::Failed,
        &[ambiguous, "Order-order_8a6e", "order-8a6e"],
        &[],
    );
    check(&["state", &store, "--stream", "order-8a6e"], Exit::Done, &["1 event applied"], &[]);
    check(&["state", &store, "--stream", "Order-order_8a6e"], Exit::Done, &["2 events applied"], &[]);
    check(&["state", &store, "--stream", "order_001"], Exit::Done, &["2 events applied"], &[]);
    check(
        &["info", &store],
        Exit::Done,
        &[
            "1 stream has events of several categories, listed as streams of their own: order_8a6e \
             (Order-order_8a6e, order-8a6e)",
            "the same within 40 of 41 `aggregate_id` looked at",
        ],
        &["the same within each"],
    );
}

#[test]
fn a_list_that_is_cut_says_of_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[]);
    let ask = |arguments: &[&str], told: &str| {
        let arguments = [&arguments[..1], &[store.as_str()], &arguments[1..]].concat();
        let answer = check(&arguments, Exit::Done, &[], &[]);
        assert_eq!(answer.err.trim_end(), told, "{arguments:?}");
    };
    ask(&["events", "--type", "OrderPaid", "--limit", "2"], "2 of 40 events");
    ask(&["events", "--type", "OrderPaid", "--limit", "40"], "40 events");
    ask(&["events", "--limit", "2"], "the first 2 events; there are more");
    ask(&["events", "--limit", "80"], "80 events");
    ask(&["events"], "80 events");
    ask(&["search", "n", "--limit", "3"], "the first 3 hits; there may be more");
}

#[test]
fn a_name_that_is_nowhere_is_told_beside_no_hits() {
    let shop = "sample-data/shop.sqlite";
    let find = |arguments: &[&str], exit: Exit, told: &[&str], untold: &[&str]| {
        check(&[&["find", shop], arguments].concat(), exit, told, untold);
    };
    let nowhere = "no state that was looked at has anything at /cancelation";
    find(&["--category", "order", "--state", "state.cancelation"], Exit::No, &[nowhere, "0 hits"], &[]);
    find(&["--stream", "order-4711", "--changes", "/cancelation"], Exit::No, &[nowhere, "0 hits"], &[]);
    find(
        &["--stream", "order-4711", "--event", "event.data.nowhere"],
        Exit::No,
        &["no event", "at event:/nowhere"],
        &[],
    );
    // What is there and never true is no misspelling.
    find(&["--stream", "order-4711", "--state", "state.status"], Exit::Done, &["12 hits"], &["no state"]);
    find(
        &["--stream", "order-4711", "--state", "status ==="],
        Exit::Failed,
        &["the expression is not finished"],
        &["')'"],
    );
}
