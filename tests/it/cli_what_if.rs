//! `timeglass what-if`: what it prints, and what it says of bad input.

use timeglass::model::Json;

use crate::cli::{check, json};

const SHOP: &str = "sample-data/shop.sqlite";
const NOTE: &str = "tests/fixtures/what-if/note.json";

/// `what-if` on one order.
fn order<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    ["what-if", SHOP, "--stream", "order-4701"].iter().chain(rest).copied().collect()
}

#[test]
fn a_branch_is_shown_beside_what_was_recorded() {
    let insert = format!("start={NOTE}");
    check(
        "what-if",
        &[
            &order(&["--leave-out", "2"]),
            &order(&["--leave-out", "2", "--json"]),
            &order(&["--insert-after", &insert, "--move", "3:1"]),
            &order(&["--edit", "2=tests/fixtures/what-if/paid.json", "--json"]),
            &order(&["--with-reducer", "tests/fixtures/what-if/count.js"]),
            &order(&["--quiet"]),
        ],
    );
}

#[test]
fn a_branch_is_written_down_for_others() {
    check(
        "what-if-export",
        &[
            &order(&["--leave-out", "3", "--export", "case"]),
            &order(&["--leave-out", "3", "--export", "compensate"]),
        ],
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_type() {
    check(
        "what-if-errors",
        &[
            &order(&[]),
            &order(&["--leave-out", "99"]),
            &order(&["--edit", "2"]),
            &order(&["--edit", "x=y.json"]),
            &order(&["--edit", "2=no-such-file.json"]),
            &order(&["--insert-after", "2=tests/fixtures/what-if/no-event.json"]),
            &order(&["--insert-after", "2=tests/fixtures/what-if/paid.json"]),
            &order(&["--move", "2-1"]),
            &order(&["--with-reducer", "tests/fixtures/what-if/broken.js", "--json"]),
            &order(&["--export", "sql"]),
        ],
    );
}

#[test]
fn a_branch_that_makes_the_same_is_what_was_recorded() {
    // What an edit does not name stays as recorded.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("event.json");
    std::fs::write(&file, "{}").expect("a file");
    let answer = json(&order(&["--edit", &format!("2={}", file.display()), "--json"]));
    assert_eq!(answer.get("parts_at"), Some(&Json::Null));
    assert_eq!(answer.get("steps_differing"), Some(&Json::from(0_usize)));
    assert_eq!(answer.get("truth"), answer.get("branch"));
}
