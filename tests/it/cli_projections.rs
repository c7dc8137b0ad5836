//! `timeglass projections`: what it lists of genuine stores and of project files.

use std::fs;

use timeglass::model::Json;

use crate::{
    cli::{check, check_in, json},
    support::fixture,
};

#[test]
fn read_models_and_checkpoints_are_listed() {
    let seed = fixture("seed-001");
    let path = seed.path.to_str().unwrap();
    check_in(
        Some(seed.folder.path()),
        "projections",
        &[&["projections", path], &["projections", path, "--json"], &["projections", "--help"]],
    );
    check("projections-shop", &[&["projections", "sample-data/shop.sqlite"]]);
}

#[test]
fn marks_of_events_that_do_not_exist_are_told() {
    let seed = fixture("seed-002-defects");
    let path = seed.path.to_str().unwrap();
    check_in(
        Some(seed.folder.path()),
        "projections-defects",
        &[&["projections", path], &["projections", path, "--json", "--quiet"]],
    );
}

const DEFINITIONS: &str = "
-- @projection order_list key: order_id
CREATE TABLE order_list (order_id TEXT PRIMARY KEY, user_id TEXT, total REAL, state TEXT, created_at TEXT, note TEXT);
-- @on OrderCreated
INSERT INTO order_list (order_id) VALUES (:stream_id);

-- @projection Daily-Order-Stats key: date
CREATE TABLE \"Daily-Order-Stats\" (date TEXT PRIMARY KEY);
-- @on OrderCreated
INSERT INTO \"Daily-Order-Stats\" VALUES (date(:time)) ON CONFLICT DO NOTHING;
";

#[test]
fn what_the_project_file_names_is_listed_whatever_it_is() {
    let seed = fixture("seed-004");
    let folder = seed.folder.path();
    let project = "
        [[projection]]
        file = \"none.sql\"
        [[projection]]
        file = \"bytes.sql\"
        name = \"bytes\"
        [[projection]]
        file = \"orders.sql\"
        name = \"order_list\"
        [[projection]]
        file = \"orders.sql\"
        name = \"Daily-Order-Stats\"
        table = \"daily_order_stats\"
        [[projection]]
        file = \"orders.sql\"
        name = \"customers\"
        [[projection]]
        file = \"totals.js\"
        name = \"totals\"
        [[projection]]
        file = \"mistake.sql\"
        [[projection]]
        file = \"empty.sql\"
    ";
    fs::write(folder.join("timeglass.toml"), project).unwrap();
    fs::write(folder.join("bytes.sql"), [0xff, 0xfe]).unwrap();
    fs::write(folder.join("orders.sql"), DEFINITIONS).unwrap();
    fs::write(folder.join("totals.js"), "fromAll().when({ $any(s, e) { return s; } })").unwrap();
    fs::write(folder.join("mistake.sql"), "-- @projection m\nCREATE TABEL m (a);").unwrap();
    fs::write(folder.join("empty.sql"), "").unwrap();
    let path = seed.path.to_str().unwrap();
    check_in(
        Some(folder),
        "projections-project",
        &[&["projections", path], &["projections", path, "--json", "-q"]],
    );
}

/// A handler's types narrow what it is behind.
#[test]
fn how_far_behind_is_counted_in_what_the_definition_handles() {
    let seed = fixture("blessql");
    let definition = "-- @projection order_list key: id\nCREATE TABLE order_list (id TEXT PRIMARY KEY);
                      -- @on OrderPlaced, OrderShipped\nINSERT OR IGNORE INTO order_list VALUES (:stream_id);";
    fs::write(seed.folder.path().join("orders.sql"), definition).unwrap();
    fs::write(seed.folder.path().join("timeglass.toml"), "[[projection]]\nfile = \"orders.sql\"").unwrap();
    let found = json(&["projections", seed.path.to_str().unwrap(), "--json", "-q"]);
    let orders = found
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry.get("name").and_then(Json::as_text) == Some("order_list"));
    let checkpoint = orders.unwrap().get("checkpoints").and_then(Json::as_array).unwrap().get(0).unwrap();
    let events = crate::cli::json(&[
        "events",
        seed.path.to_str().unwrap(),
        "--after",
        "700",
        "--type",
        "OrderPlaced",
        "--type",
        "OrderShipped",
        "--json",
        "-q",
    ]);
    let handled = events.as_array().unwrap().len();
    assert!(handled > 0);
    assert_eq!(checkpoint.get("lag_handled_events"), Some(&Json::from(handled)));
    assert_eq!(checkpoint.get("lag_events"), Some(&Json::from(525_u64)));
}

#[test]
fn info_tells_checkpoints_to_machines() {
    let seed = fixture("seed-001");
    let info = json(&["info", seed.path.to_str().unwrap(), "--json"]);
    let checkpoints = info.get("checkpoints").and_then(Json::as_array).unwrap();
    let told: Vec<(Option<&str>, Option<&str>)> = checkpoints
        .iter()
        .map(|checkpoint| {
            let text = |name: &str| checkpoint.get(name).and_then(Json::as_text);
            (text("name"), text("standing"))
        })
        .collect();
    let expected =
        [(Some("customer_search"), Some("at an event")), (Some("order_summaries"), Some("at an event"))];
    assert_eq!(told, expected);
}
