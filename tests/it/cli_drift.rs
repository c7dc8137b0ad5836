//! `timeglass drift`: what it says, and how it ends.

use std::fs;

use timeglass::model::Json;

use crate::cli::{check, check_in, json};

const SHOP: &str = "sample-data/shop.sqlite";
const DAMAGED: &str = "sample-data/damaged.sqlite";
const ORDERS: &str = "sample-data/projections/shop_orders.sql";

#[test]
fn rows_that_differ_are_told_with_the_event_at_which_they_parted() {
    check(
        "drift",
        &[
            &["drift", SHOP, "--definition", ORDERS],
            &["drift", DAMAGED, "--definition", ORDERS],
            &["drift", DAMAGED, "order_summaries", "--definition", ORDERS, "--json"],
            &["drift", "--help"],
        ],
    );
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let failing = file(
        "failing.sql",
        "-- @projection order_summaries\nCREATE TABLE order_summaries (order_id TEXT PRIMARY KEY);\n\
         -- @on OrderPlaced\nINSERT INTO order_summaries VALUES (:data ->> 'customer_id');\n",
    );
    let other = file(
        "other.sql",
        "-- @projection order_summaries\nCREATE TABLE order_summaries (number TEXT PRIMARY KEY);\n\
         -- @projection elsewhere\nCREATE TABLE elsewhere (id TEXT);\n",
    );
    check_in(
        Some(folder.path()),
        "drift-errors",
        &[
            &["drift", SHOP],
            &["drift", SHOP, "order_summary", "--definition", ORDERS],
            &["drift", SHOP, "--definition", &failing],
            &["drift", SHOP, "elsewhere", "--definition", &other],
            &["drift", SHOP, "--definition", &other, "--json"],
            &["drift", SHOP, "--definition", "sample-data/nowhere.sql"],
        ],
    );
}

#[test]
fn the_project_file_names_what_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::copy(DAMAGED, at("damaged.sqlite")).unwrap();
    fs::copy(ORDERS, at("shop_orders.sql")).unwrap();
    let project = "[[projection]]\nfile = \"shop_orders.sql\"\nignore = [\"total_cents\"]\n";
    fs::write(at("timeglass.toml"), project).unwrap();
    let store = at("damaged.sqlite");
    let found = json(&["drift", store.to_str().unwrap(), "--json"]);
    assert_eq!(found.len(), Some(1), "one projection: {found:?}");
    let drift = found.as_array().and_then(|found| found.get(0)).unwrap();
    let rows = |name: &str| drift.get(name).and_then(Json::as_array).unwrap().len();
    assert_eq!((rows("missing"), rows("extra"), rows("changed")), (1, 0, 0));
    let left_out = drift.get("left_out").and_then(|columns| columns.get("total_cents")).unwrap();
    assert_eq!(left_out.as_text(), Some("ignored by the project file"));

    let report = at("report.html");
    let arguments = ["drift", store.to_str().unwrap(), "--format", "html", "--out", report.to_str().unwrap()];
    check_in(Some(folder.path()), "drift-out", &[&arguments, &arguments]);
    let html = fs::read_to_string(report).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("order-4718"), "{html}");
}

#[test]
fn a_definition_that_does_not_load_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (from, to) in [(DAMAGED, "damaged.sqlite"), (SHOP, "shop.sqlite"), (ORDERS, "shop_orders.sql")] {
        fs::copy(from, at(to)).unwrap();
    }
    fs::write(at("mistake.sql"), "-- @projection totals\nCREATE TABEL totals (a);\n").unwrap();
    let project = ["mistake.sql", "shop_orders.sql", "none.js"]
        .map(|file| format!("[[projection]]\nfile = \"{file}\"\n"));
    fs::write(at("timeglass.toml"), project.concat()).unwrap();
    let (damaged, shop) = (at("damaged.sqlite"), at("shop.sqlite"));
    let (damaged, shop) = (damaged.to_str().unwrap(), shop.to_str().unwrap());
    check_in(
        Some(folder.path()),
        "drift-broken",
        &[
            &["drift", shop],
            &["drift", shop, "order_summaries"],
            &["drift", shop, "order_summaries", "mistake"],
            &["drift", shop, "totals"],
            &["rebuild", shop, "order_summaries"],
            &["rebuild", shop, "mistake"],
            &["rebuild", shop, "totals"],
            &["rebuild", shop, "order_summaries", "--write"],
            &["projections", shop],
        ],
    );
    // Drift is told although others could not be compared, to machines as well.
    let found = json(&["drift", damaged, "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1);
}
