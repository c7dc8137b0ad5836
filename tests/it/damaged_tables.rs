//! Damage in the tables beside the events: what cannot be read is said, and never taken for nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use timeglass::{
    cli::{self, Exit, Output},
    store::{EventStore as _, StoreError},
    work::Work,
};

use crate::{sqlite_store::open, support::snapshots};

/// The sample store with small pages, one of which, of this table, says nothing any more.
pub(crate) fn damaged(folder: &Path, table: &str) -> PathBuf {
    const PAGE: usize = 512;
    let path = folder.join("shop.sqlite");
    fs::copy("sample-data/shop.sqlite", &path).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(&format!("PRAGMA page_size = {PAGE}; VACUUM;")).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
    let root: i64 = connection.query_row(sql, [table], |row| row.get(0)).unwrap();
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    let start = |page: usize| (page - 1) * PAGE;
    let number = |at: usize| usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()));
    let mut page = usize::try_from(root).unwrap();
    // Down to a leaf that is not the first, where there is one.
    while bytes[start(page)] == 5 {
        let (cells, within) = (number(start(page) + 3), start(page) + 12);
        let cell = start(page) + number(within + 2 * (cells / 2));
        page = u32::from_be_bytes(bytes[cell..cell + 4].try_into().unwrap()) as usize;
    }
    bytes[start(page)] = 0xff;
    fs::write(&path, bytes).unwrap();
    path
}

/// How a command ended, and what it wrote in all.
fn run(arguments: &[&str]) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = ["timeglass"].iter().chain(arguments);
    let exit =
        cli::run(arguments, &mut Output::new(&mut out, &mut err), |_| panic!("no window was asked for"));
    (exit, format!("{}{}", String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap()))
}

/// A command goes wrong, or goes on and says what could not be read.
fn check(arguments: &[&str], expected: Exit, words: &str) {
    let (exit, said) = run(arguments);
    assert_eq!(exit, expected, "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?}: {said}");
}

#[test]
fn half_a_table_of_snapshots_is_not_taken_for_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = damaged(folder.path(), "snapshots");
    let found = snapshots(&open(&path), None);
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
    let path = path.to_str().unwrap();
    for arguments in
        [&["snapshots", path][..], &["snapshots", "--verify", path], &["snapshots", "--cost", path]]
    {
        check(arguments, Exit::Failed, "is damaged while reading snapshots");
    }
    check(&["info", path], Exit::Done, "snapshots");
}

/// A list is of use as far as it goes; whether all agree can only be told of all.
#[test]
fn snapshots_before_the_damage_are_listed_and_the_command_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = damaged(folder.path(), "snapshots");
    let whole = Path::new("sample-data/shop.sqlite").to_str().unwrap();
    let path = path.to_str().unwrap();
    let states = |path: &str| {
        let (_, said) = run(&["snapshots", path, "--ndjson", "--quiet"]);
        said.lines().filter(|line| line.contains("\"verdict\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, rest) = (states(whole), states(path));
    assert!(!rest.is_empty() && rest.len() < all.len(), "{} of {}", rest.len(), all.len());
    let other: Vec<&String> = rest.iter().filter(|row| !all.contains(row)).collect();
    assert!(other.is_empty(), "as they are in the whole store, but for {other:?}");
    check(&["snapshots", path], Exit::Failed, &format!("{} snapshots before the damage", rest.len()));
    let (_, said) = run(&["snapshots", path, "--verify", "--ndjson"]);
    assert!(!said.contains("\"verdict\""), "{said}");
}

#[test]
fn checkpoints_that_cannot_be_read_are_said_to_be_so_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = damaged(folder.path(), "projection_checkpoints");
    let found = open(&path).checkpoints(&Work::default());
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
    let path = path.to_str().unwrap();
    check(&["info", path, "--json"], Exit::Done, "is damaged while reading checkpoints");
    check(&["projections", path], Exit::Done, "is damaged while reading checkpoints");
    check(&["projections", path], Exit::Done, "order_summaries");
}
