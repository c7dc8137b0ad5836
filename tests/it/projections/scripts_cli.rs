//! `timeglass project` with read models: SQL definitions, and a file that keeps what was rebuilt.

use timeglass::model::Json;

use crate::cli::{check_in, json};

const SHOP: &str = "sample-data/shop.sqlite";
const SCRIPT: &str = "tests/fixtures/projections/orders.js";
const SQL: &str = "tests/fixtures/projections/orders.sql";

#[test]
fn definitions_in_sql_print_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("outcomes.sqlite");
    let out = out.to_str().unwrap();
    check_in(
        Some(folder.path()),
        "project-sql",
        &[
            &["project", SQL, SHOP, "--until", "60"],
            &["project", SQL, SHOP, "--until", "60", "--projection", "outcomes", "--json"],
            &["project", SQL, SHOP, "--out", out],
            &["project", SQL, SHOP, "--out", out, "--projection", "outcome_counts"],
            &["project", SQL, SHOP, "--projection", "outcome"],
            &["project", SQL, SHOP, "--steps"],
            &["project", SCRIPT, SHOP, "--until", "60", "--out", "sample-data/shop.sqlite"],
        ],
    );
}

#[test]
fn a_file_keeps_the_read_model_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("orders.sqlite");
    let out = out.to_str().unwrap();
    let plain = |until: Option<&str>| {
        let mut arguments = vec!["project", SCRIPT, SHOP, "--json"];
        arguments.extend(until.into_iter().flat_map(|until| ["--until", until]));
        json(&arguments).to_compact()
    };
    let part = json(&["project", SCRIPT, SHOP, "--json", "--until", "60", "--out", out, "--quiet"]);
    assert_eq!(sorted(&part), sorted(&Json::parse(plain(Some("60")).as_bytes()).unwrap()));
    let whole = json(&["project", SCRIPT, SHOP, "--json", "--out", out, "--quiet"]);
    assert_eq!(sorted(&whole), sorted(&Json::parse(plain(None).as_bytes()).unwrap()));
}

fn sorted(json: &Json) -> String {
    let members = ["partitions", "shared", "emitted", "faults", "events"];
    members.map(|name| format!("{name}: {}\n", json.get(name).unwrap().to_compact())).concat()
}

#[test]
fn a_read_model_is_made_with_the_seed_of_the_project_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let script = file(
        "dice.js",
        "fromAll().when({ $init: () => ({}), $any: (state) => { state.dice = Math.random(); return state; } });\n",
    );
    let thrown = |name: &str, seed: u32| {
        let project = file(&format!("{name}.toml"), &format!("[scripts]\nseed = {seed}\n"));
        let out = folder.path().join(format!("{name}.sqlite"));
        let out = out.to_str().unwrap();
        sorted(&json(&["project", &script, SHOP, "--json", "--quiet", "--out", out, "--project", &project]))
    };
    assert_eq!(thrown("first", 7), thrown("again", 7));
    assert_ne!(thrown("first-of-all", 7), thrown("other", 8));
}

#[test]
fn a_script_is_loaded_with_the_engine_of_the_project_file_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // The older engine puts events of several streams into order, and of nothing else.
    let script = file(
        "late.js",
        "options({ reorderEvents: true, processingLag: 100 });\n\
         fromAll().when({ $init: () => ({ n: 0 }), $any: (s) => { s.n++; return s; } });\n",
    );
    let old = file("old.toml", "[scripts]\nengine = 1\n");
    let out = folder.path().join("late.sqlite");
    let out = out.to_str().unwrap();
    let refused = ["project", &script, SHOP, "--out", out, "--project", &old];
    let to_machines = ["project", &script, SHOP, "--out", out, "--project", &old, "--json"];
    check_in(Some(folder.path()), "project-engine", &[&refused, &to_machines]);
    let overridden =
        ["project", &script, SHOP, "--out", out, "--project", &old, "--engine", "2", "--json", "--quiet"];
    assert!(json(&overridden).get("partitions").is_some());
}
