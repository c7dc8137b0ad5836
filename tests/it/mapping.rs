//! A layout that the user chose: kept beside the store, used the next time, and never by mistake.

use std::path::{Path, PathBuf};

use timeglass::{
    model::{EventQuery, RecordedEvent},
    project::open::{OpenError, Opening, open, preview, save_mapping},
    store::{
        PageFrom,
        layout::{Role, Source},
    },
    work::Work,
};

/// A table that nobody would take for events.
fn odd_store(folder: &Path) -> PathBuf {
    let path = folder.join("odd.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let made = "CREATE TABLE things (n INTEGER PRIMARY KEY, what TEXT, who TEXT, doc TEXT);
        INSERT INTO things (what, who, doc) VALUES ('Made', 'a1', '{\"x\":1}'), ('Bent', 'a1', '{\"x\":2}'),
          ('Made', 'a2', '{\"x\":1}');";
    database.execute_batch(made).unwrap();
    path
}

fn column(name: &str) -> Source {
    Source::Column { table: None, column: name.into() }
}

fn chosen() -> Vec<(Role, Option<Source>)> {
    vec![
        (Role::Stream, Some(column("who"))),
        (Role::EventType, Some(column("what"))),
        (Role::Data, Some(column("doc"))),
        (Role::GlobalPosition, Some(column("n"))),
        (Role::Version, None),
    ]
}

fn events(opening: Opening) -> Vec<RecordedEvent> {
    let Opening::Store(opened) = opening else { panic!("it is a store now") };
    opened.store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, 10).unwrap()
}

#[test]
fn a_mapping_by_hand_opens_the_store_and_is_kept_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = odd_store(folder.path());
    let work = Work::default();
    assert!(matches!(open(&path, None, &work).unwrap(), Opening::NoEvents { .. }), "nothing is guessed");

    let saved = save_mapping(&path, None, "things", &chosen(), &work).unwrap();
    let Opening::Store(saved) = saved else { panic!("it is a store now") };
    assert_eq!(saved.saved_to.as_deref(), Some(&*folder.path().join("timeglass.toml")));

    let found = events(open(&path, None, &work).unwrap());
    let labels: Vec<String> = found.iter().map(RecordedEvent::label).collect();
    assert_eq!(labels, ["Made @a1", "Bent @a1", "Made @a2"]);
    assert_eq!(found[1].data.json().unwrap().to_compact(), r#"{"x":2}"#);
}

#[test]
fn a_mapping_of_another_table_is_not_used_and_a_warning_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = odd_store(folder.path());
    let work = Work::default();
    save_mapping(&path, None, "things", &chosen(), &work).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("ALTER TABLE things ADD COLUMN extra TEXT").unwrap();
    drop(database);
    let Opening::NoEvents { warnings, .. } = open(&path, None, &work).unwrap() else {
        panic!("not by guessing")
    };
    assert!(matches!(warnings.as_slice(), [one] if one.contains("is not used") && one.contains("`things`")));
}

#[test]
fn a_mapping_to_a_column_that_is_not_there_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = odd_store(folder.path());
    let work = Work::default();
    let mut roles = chosen();
    roles[0].1 = Some(column("whom"));
    match save_mapping(&path, None, "things", &roles, &work) {
        Err(OpenError::Mapping(reason)) => assert!(reason.contains("whom"), "{reason}"),
        _ => panic!("it cannot be read so"),
    }
    assert!(!folder.path().join("timeglass.toml").exists());
}

#[test]
fn the_dialog_sees_tables_columns_and_first_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = odd_store(folder.path());
    let shown = preview(&path, None, &Work::default()).unwrap();
    assert_eq!(&*shown.table, "things");
    assert_eq!(shown.columns, ["n", "what", "who", "doc"]);
    assert_eq!(shown.rows[1], ["2", "Bent", "a1", "{\"x\":2}"]);
    let sources: Vec<String> = shown.sources.iter().map(ToString::to_string).collect();
    assert!(["n", "what", "who", "doc"].iter().all(|name| sources.contains(&(*name).to_owned())));
    assert_eq!(shown.roles.len(), Role::ALL.len());
}
