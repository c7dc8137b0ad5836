//! `timeglass bench`: every question is asked, compared with SQL where there is such a thing, and nothing is
//! written. How long anything takes is no matter here.

use std::{collections::BTreeSet, fs, path::Path};

use timeglass::cli::{self, Exit, Output};

fn run(arguments: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["timeglass", "bench"].iter().chain(arguments);
    let exit = cli::run(arguments, &mut Output::new(&mut out, &mut err), |request| {
        panic!("the window was opened with {request:?}")
    });
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// A sample store in a folder of its own.
fn store() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/shop.sqlite"), &path).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn every_question_is_asked_and_nothing_is_written() {
    let (folder, path) = store();
    let before = fs::read(&path).unwrap();
    let (exit, out, err) = run(&[&path, "--json", "--rounds", "2", "--text", "teapot"]);
    assert_eq!((exit, &*err), (Exit::Done, ""), "{out}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["events"], 1400);
    let figures = answer["figures"].as_array().unwrap();
    let groups: BTreeSet<&str> = figures.iter().filter_map(|figure| figure["group"].as_str()).collect();
    assert_eq!(groups, BTreeSet::from(["open", "index", "browse", "seek", "fold", "search"]));
    for figure in figures {
        assert!(figure["samples"].as_u64() >= Some(2), "{figure}");
        assert!(figure["median_ms"].as_f64() > Some(0.0), "{figure}");
        let compared = figure["beside"]["samples"].as_u64();
        assert!(compared.is_none() || compared == figure["samples"].as_u64(), "{figure}");
        assert_eq!(compared.is_some(), figure["quotient"].is_number(), "{figure}");
    }
    let compared = figures.iter().filter(|figure| figure["quotient"].is_number()).count();
    assert!(compared >= 12, "{out}");
    let search = figures.iter().find(|figure| figure["group"] == "search").unwrap();
    assert!(search["note"].as_str().is_some_and(|note| note.ends_with(" hits")), "{search}");
    assert!(answer["index_bytes"].as_u64() > Some(0), "{answer}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn only_what_is_wanted_is_asked() {
    let (_folder, path) = store();
    let (exit, out, _) = run(&[&path, "--rounds", "1", "--only", "open,search"]);
    assert_eq!(exit, Exit::Done);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("1400 events in"), "{out}");
    assert!(out.contains("open, find the layout") && out.contains("SQL, LIKE"), "{out}");
    assert!(!out.contains("index of all events") && !out.contains("seek"), "{out}");
    let (exit, _, err) = run(&[&path, "--only", "everything"]);
    assert_eq!(exit, Exit::Failed);
    assert!(err.contains("browse"), "{err}");
}
