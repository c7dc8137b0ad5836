//! `timeglass rebuild`, from a dry run to what stands in the store.

use std::fs;

use rusqlite::Connection;
use timeglass::{
    cli::{self, Exit, Output},
    model::Timestamp,
};

use super::stage::{Stage, morning, rows_of};

/// The projection that makes the stage's read model.
pub(super) const DEFINITION: &str = "-- @projection orders   key: id
CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT, items INTEGER);
-- @on OrderPlaced
INSERT INTO orders VALUES (:stream, 'placed', :data ->> 'items');
";

/// Three rows drift from the events.
pub(super) fn drifted() -> Stage {
    let stage = Stage::with(
        "delete",
        "UPDATE orders SET status = 'lost' WHERE id = 'order-3';
         DELETE FROM orders WHERE id = 'order-4';
         INSERT INTO orders VALUES ('ghost', 'placed', 1, NULL);",
    );
    let project = "# mine\n[[projection]]\nfile = \"orders.sql\"\n";
    fs::write(stage.folder.path().join("timeglass.toml"), project).expect("a project file");
    fs::write(stage.folder.path().join("orders.sql"), DEFINITION).expect("a definition");
    stage
}

/// Asks; gives the exit, the answer and what was said beside it, with the folder's name taken out.
fn ask(stage: &Stage, arguments: &[&str]) -> (Exit, String, String) {
    let store = stage.path.to_string_lossy().into_owned();
    let arguments = ["timeglass", "rebuild", &store, "orders"].into_iter().chain(arguments.iter().copied());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let clock: fn() -> Timestamp = morning;
    let exit = cli::run(arguments, &mut Output::new(&mut out, &mut err).with_clock(clock), |_| {
        panic!("no window was asked for")
    });
    let folder = format!("{}/", stage.folder.path().display());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").replace(&folder, "");
    (exit, text(out), text(err))
}

#[test]
fn a_dry_run_lists_and_only_a_confirmed_write_writes() {
    let stage = drifted();
    let before = fs::read(&stage.path).expect("the store");
    let (exit, answer, _) = ask(&stage, &["--dry-run"]);
    assert_eq!(exit, Exit::No);
    assert_eq!(
        answer,
        "orders: 60 rows from 60 of 60 events
orders: 1 to insert, 1 to update, 1 to delete
  first insert: id = \"order-4\", status = \"placed\", items = 4
  first update: id = \"order-3\", status = \"lost\" becomes status = \"placed\"
  first delete: id = \"ghost\", status = \"placed\", items = 1
projection_checkpoints: 0 to insert, 1 to update, 0 to delete
  first update: projection = \"orders\", last_position = 7 becomes last_position = 60
checkpoint projection_checkpoints.last_position: 7 → 60
nobody else could write for about 30 ms (reckoned for 4 rows and 60 events)
nothing was written; `--write --confirm NAME` does, after a backup
"
    );
    for wrong in [
        &["--write"][..],
        &["--write", "--confirm", "shop"],
        &["--write", "--confirm", "Shop.sqlite"],
        &["--confirm", "shop.sqlite"],
        &["--write", "--confirm", "shop.sqlite", "--dry-run"],
        &["--write", "--confirm", "shop.sqlite", "--until", "9"],
    ] {
        let (exit, answer, error) = ask(&stage, wrong);
        assert_eq!((exit, answer.as_str()), (Exit::Failed, ""), "{wrong:?}: {error}");
        assert_eq!(fs::read(&stage.path).expect("the store"), before, "{wrong:?}");
    }

    let (exit, answer, error) = ask(&stage, &["--write", "--confirm", "shop.sqlite"]);
    assert_eq!(exit, Exit::Done, "{error}");
    assert_eq!(
        answer,
        "orders: 60 rows from 60 of 60 events
written: 1 inserted, 2 updated, 1 deleted
backup: shop.sqlite.backup-20240301-093000
noted in timeglass.toml
"
    );
    let backup = stage.folder.path().join("shop.sqlite.backup-20240301-093000");
    assert_eq!(rows_of(&backup, "orders").len(), 60);
    let noted = fs::read_to_string(stage.folder.path().join("timeglass.toml")).expect("the project file");
    assert!(noted.starts_with("# mine\n[[projection]]\nfile = \"orders.sql\"\n"), "{noted}");
    for line in
        ["[[published]]", "2024-03-01T09:30:00Z", "subject = \"orders\"", "inserted = 1", "updated = 2"]
    {
        assert!(noted.contains(line), "{line}: {noted}");
    }
    let (exit, answer, _) = ask(&stage, &["--dry-run"]);
    assert_eq!(exit, Exit::Done);
    assert!(answer.contains("there is nothing to write"), "{answer}");
    let connection = Connection::open(&stage.path).expect("the store");
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM orders WHERE created_at = '2024-03-01 09:00:00'", [], |row| {
            row.get(0)
        })
        .expect("rows");
    assert_eq!(kept, 59, "a column that no replay makes stays");
}

#[test]
fn machines_are_told_the_same() {
    let stage = drifted();
    let (exit, answer, _) =
        ask(&stage, &["--write", "--confirm", "shop.sqlite", "--json", "--backup", "/nowhere/at/all"]);
    assert_eq!((exit, answer.as_str()), (Exit::Failed, ""));
    let kept = stage.folder.path().join("kept.sqlite");
    let (exit, answer, error) =
        ask(&stage, &["--write", "--confirm", "shop.sqlite", "--json", "--backup", &kept.to_string_lossy()]);
    assert_eq!(exit, Exit::Done, "{error}");
    let answer = timeglass::model::Json::parse(answer.as_bytes()).expect("JSON");
    let published = answer.get("published").expect("what was written").to_compact();
    assert_eq!(
        published,
        r#"{"inserted":1,"updated":2,"deleted":1,"backup":"kept.sqlite","confirmed":true,"noted_in":"timeglass.toml"}"#
    );
    let tables = answer.get("changes").and_then(|changes| changes.get("tables")).expect("tables");
    assert!(tables.to_compact().contains(r#""triggers_not_run":[]"#));
    assert_eq!(rows_of(&kept, "orders").len(), 60);
}

#[test]
fn a_rebuild_by_itself_writes_no_more_than_a_scratch_database() {
    let stage = drifted();
    let before = fs::read(&stage.path).expect("the store");
    let scratch = stage.folder.path().join("scratch.sqlite");
    let (exit, answer, error) = ask(&stage, &["--out", &scratch.to_string_lossy(), "--until", "9"]);
    assert_eq!(exit, Exit::Done, "{error}");
    assert_eq!(answer, "orders: 9 rows from 9 of 9 events\nmade in scratch.sqlite\n");
    // It goes on where it was.
    let (_, answer, _) = ask(&stage, &["--out", &scratch.to_string_lossy()]);
    assert!(answer.starts_with("orders: 60 rows from 60 of 60 events\nmade in scratch.sqlite\n"), "{answer}");
    assert_eq!(fs::read(&stage.path).expect("the store"), before);
    let (exit, _, error) = ask(&stage, &["--definition", "/nowhere.sql"]);
    assert_eq!(exit, Exit::Failed);
    assert!(error.contains("/nowhere.sql"), "{error}");
}

#[test]
fn a_table_that_marks_every_handled_event_is_said_to_stay_behind() {
    let seed = crate::support::fixture("seed-002");
    let store = Connection::open(&seed.path).unwrap();
    let told = || {
        let path = seed.path.to_str().unwrap();
        let definition = ["--definition", "sample-data/projections/accounts.sql"];
        let arguments =
            ["timeglass", "rebuild", path, "orders_view", "--dry-run"].into_iter().chain(definition);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        cli::run(arguments, &mut Output::new(&mut out, &mut err), |_| panic!("no window was asked for"));
        String::from_utf8([out, err].concat()).unwrap()
    };
    store
        .execute_batch("DELETE FROM orders_view WHERE rowid = (SELECT min(rowid) FROM orders_view)")
        .unwrap();
    let whole = told();
    assert!(whole.contains("1 to insert") && !whole.contains("processed_events"), "{whole}");
    let gone = "DELETE FROM processed_events WHERE rowid IN (SELECT rowid FROM processed_events LIMIT 2)";
    store.execute_batch(gone).unwrap();
    let behind = told();
    assert!(
        behind.contains("processed_events marks each event that was handled, and 2 events of"),
        "{behind}"
    );
}
