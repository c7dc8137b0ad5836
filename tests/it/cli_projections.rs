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

#[test]
fn what_the_project_file_names_is_listed_whatever_it_is() {
    let seed = fixture("seed-004");
    let folder = seed.folder.path();
    let project =
        "[[projection]]\nfile = \"none.sql\"\n\n[[projection]]\nfile = \"bytes.sql\"\nname = \"bytes\"\n";
    fs::write(folder.join("timeglass.toml"), project).unwrap();
    fs::write(folder.join("bytes.sql"), [0xff, 0xfe]).unwrap();
    check_in(Some(folder), "projections-project", &[&["projections", seed.path.to_str().unwrap()]]);
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
