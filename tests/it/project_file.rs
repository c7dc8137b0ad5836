//! The project file: found, read with clear complaints, changed without losing what is the user's.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; the lints' exception covers only test functions"
)]

use std::{collections::BTreeMap, fs, path::Path};

use timeglass::{
    project::{LayoutChoice, Places, ProjectError, ProjectFile, parse_source, save_layout_to},
    store::layout::{Role, Source},
};

fn choice() -> LayoutChoice {
    let column = |name: &str| Some(Source::Column { table: None, column: name.into() });
    let roles = BTreeMap::from([
        (Role::Stream, column("aggregate_id")),
        (Role::EventType, parse_source("event.type")),
        (Role::Category, None),
    ]);
    LayoutChoice { table: "log".into(), fingerprint: "00112233".into(), roles }
}

/// What reading the text says: nothing, or the complaint after the path.
fn check(text: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeglass.toml");
    fs::write(&path, text).unwrap();
    let found = match ProjectFile::read(&path) {
        Ok(file) => file.warnings().join("\n"),
        Err(err) => err.to_string(),
    };
    assert_eq!(found.replace(&format!("{}:", path.display()), ""), expected, "{text}");
}

#[test]
fn a_choice_reads_back_from_beside_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.sqlite");
    let places = Places::with_config(&store, Some(&folder.path().join("config")));
    assert_eq!(places.find(None).unwrap(), None);
    let path = places.save_layout(&choice()).unwrap();
    assert_eq!(path, folder.path().join("timeglass.toml"));
    let found = places.find(None).unwrap().expect("a project file");
    assert_eq!(found.layout_choice(), Some(&choice()));
    assert_eq!(found.path(), path);
    let expected = "[layout]\ntable = \"log\"\nfingerprint = \"00112233\"\n\n[layout.roles]\n\
                    stream = \"aggregate_id\"\ncategory = \"none\"\nevent_type = \"event.type\"\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["timeglass.toml"], "no temporary file is left");
}

#[test]
fn comments_and_unknown_keys_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeglass.toml");
    let text = "# ours\nwatch = [\"total\"] # later\n\n[layout] # by hand\ntable = 'old' # was right once\n\
                [layout.roles]\nstream = \"id\" # the order\nversion = \"v\"\nflavour = \"sweet\"\n\n[reducers]\norder = \"order.js\"\n";
    fs::write(&path, text).unwrap();
    save_layout_to(&path, &choice()).unwrap();
    let expected = "# ours\nwatch = [\"total\"] # later\n\n[layout] # by hand\ntable = \"log\" # was right once\n\
                    fingerprint = \"00112233\"\n[layout.roles]\nstream = \"aggregate_id\" # the order\n\
                    flavour = \"sweet\"\ncategory = \"none\"\nevent_type = \"event.type\"\n\n[reducers]\norder = \"order.js\"\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(ProjectFile::read(&path).unwrap().layout_choice(), Some(&choice()));
}

#[test]
fn every_way_to_write_a_table_is_kept_readable() {
    for text in [
        "",
        "layout = { table = \"old\" }\n",
        "layout.table = \"old\"\nlayout.roles.version = \"v\"\n",
        "[layout]\ntable = \"old\"\nroles = { version = \"v\" }\n",
        "[layout]\ntable = \"old\"\nroles.version = \"v\"\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeglass.toml");
        fs::write(&path, text).unwrap();
        save_layout_to(&path, &choice()).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let found = ProjectFile::read(&path).unwrap_or_else(|err| panic!("{err}: {written}"));
        assert_eq!(found.layout_choice(), Some(&choice()), "{written}");
    }
}

#[test]
fn unknown_keys_are_warnings_with_a_place() {
    check("", "");
    check("[layout]\ntable = \"log\"\n", "");
    check(
        "[layout]\ntable = \"log\"\ncolour = 1\n[layout.roles]\nflavour = \"sweet\"\n[reducers]\n",
        "3:10: `layout.colour` means nothing to this version\n\
         5:11: `layout.roles.flavour` means nothing to this version\n\
         6:1: `reducers` means nothing to this version",
    );
}

#[test]
fn errors_name_line_and_column() {
    check("[layout]\nfingerprint = \"1\"\n", "1:1: `layout` names no `table`");
    check("[layout]\ntable = 7\n", "2:9: `layout.table` is not a text in quotes");
    check("layout = 3\n", "1:10: `layout` is not a table");
    let complaint = "`order id` is no source for `stream`; write `column`, `column.member`, `column in table`, \
                     `rowid`, `stream before \"-\"`, `class in the event type`, `name of the one member of column` or `none`";
    let text = "# Größe\n[layout]\ntable = \"log\"\n[layout.roles]\nstream = \"order id\"\n";
    check(text, &format!("5:10: {complaint}"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeglass.toml");
    fs::write(&path, "[layout]\ntable = \"größer\" oder\n").unwrap();
    let err = ProjectFile::read(&path).unwrap_err();
    assert!(matches!(err, ProjectError::Invalid { line: 2, column: 18, .. }), "{err}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.sqlite");
    let path = folder.path().join("timeglass.toml");
    fs::write(&path, "[layout\n").unwrap();
    let places = Places::with_config(&store, Some(&folder.path().join("config")));
    assert!(matches!(places.save_layout(&choice()), Err(ProjectError::Invalid { .. })));
    assert!(matches!(places.find(None), Err(ProjectError::Invalid { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "[layout\n");
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(places.save_layout(&choice()), Err(ProjectError::Unreadable { .. })));
    assert_eq!(fs::read(&path).unwrap(), [0xff]);
}

#[test]
fn where_nothing_can_be_written_the_configuration_folder_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    // A file in the place of the store's folder cannot be written into by anybody, root included.
    let blocker = folder.path().join("archive.zip");
    fs::write(&blocker, "").unwrap();
    let config = folder.path().join("config");
    let places_of = |store: &str| Places::with_config(&blocker.join(store), Some(&config));
    let path = places_of("shop.sqlite").save_layout(&choice()).unwrap();
    assert!(path.starts_with(config.join("timeglass/projects")), "{}", path.display());
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("shop.sqlite-") && Path::new(name).extension().is_some_and(|end| end == "toml"));
    let found = places_of("shop.sqlite").find(None).unwrap().expect("a project file");
    assert_eq!(found.layout_choice(), Some(&choice()));
    assert_eq!(places_of("bank.sqlite").find(None).unwrap(), None, "each store has its own");
    let nowhere = Places::with_config(&blocker.join("shop.sqlite"), None);
    assert!(matches!(nowhere.save_layout(&choice()), Err(ProjectError::Unwritable { .. })));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("shop.sqlite");
    let named = folder.path().join("other.toml");
    let places = Places::with_config(&store, None);
    assert!(matches!(places.find(Some(&named)), Err(ProjectError::Missing { .. })));
    save_layout_to(&named, &choice()).unwrap();
    assert_eq!(places.find(None).unwrap(), None);
    assert_eq!(places.find(Some(&named)).unwrap().unwrap().layout_choice(), Some(&choice()));
}
