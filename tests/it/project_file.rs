//! The project file: found, read with clear complaints, changed without losing what is the user's.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; the lints' exception covers only test functions"
)]

use std::{collections::BTreeMap, fs, path::Path};

use timeglass::{
    project::{
        LayoutChoice, Places, ProjectError, ProjectFile, Sections, keep,
        open::{Opening, open_to_keep},
        parse_source, save_layout_to,
        sections::{
            BookmarkEntry, BranchEntry, ConditionEntry, EditEntry, EditKind, EngineEntry, OnFailureEntry,
            PlaceEntry, ProjectionEntry, PublishedEntry, ScriptsEntry, SeenEntry, SnapshotEntry, WatchEntry,
        },
    },
    store::layout::{Role, Source},
    work::Work,
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

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeglass.toml");
    let change = |before: &Sections, after: &Sections| {
        keep(Path::new("shop.sqlite"), Some(&path), before, after).unwrap();
        ProjectFile::read(&path).unwrap().sections().clone()
    };
    let bookmark = |count: usize| Sections {
        bookmarks: vec![BookmarkEntry { place: PlaceEntry { count, ..Default::default() }, note: "".into() }],
        ..Default::default()
    };
    let reducer = |number: usize| Sections {
        reducers: [("order".into(), format!("order-{number}.js").into())].into(),
        ..Default::default()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..150 {
                let found = change(&bookmark(number - 1), &bookmark(number)).bookmarks;
                assert_eq!(found, bookmark(number).bookmarks);
            }
        });
        for number in 1..150 {
            let found = change(&reducer(number - 1), &reducer(number)).reducers;
            assert_eq!(found, reducer(number).reducers);
        }
    });
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
    let text = "# ours\nflags = [\"total\"] # later\n\n[layout] # by hand\ntable = 'old' # was right once\n\
                [layout.roles]\nstream = \"id\" # the order\nversion = \"v\"\nflavour = \"sweet\"\n\n[reducers]\norder = \"order.js\"\n";
    fs::write(&path, text).unwrap();
    save_layout_to(&path, &choice()).unwrap();
    let expected = "# ours\nflags = [\"total\"] # later\n\n[layout] # by hand\ntable = \"log\" # was right once\n\
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
        "[layout]\ntable = \"log\"\ncolour = 1\n[layout.roles]\nflavour = \"sweet\"\n[flags]\n",
        "3:10: `layout.colour` means nothing to this version\n\
         5:11: `layout.roles.flavour` means nothing to this version\n\
         6:1: `flags` means nothing to this version",
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

fn conditions() -> Vec<ConditionEntry> {
    vec![
        ConditionEntry {
            category: Some("order".into()),
            state: Some("state.total < 0".into()),
            ..Default::default()
        },
        ConditionEntry { becomes: Some("state.total < 0".into()), off: true, ..Default::default() },
        ConditionEntry {
            changes: Some("/status".into()),
            from: Some("null".into()),
            to: Some("\"paid\"".into()),
            ..Default::default()
        },
    ]
}

fn projections() -> Vec<ProjectionEntry> {
    vec![
        ProjectionEntry { file: "all.sql".into(), ..Default::default() },
        ProjectionEntry {
            file: "projections/orders.js".into(),
            name: Some("orders".into()),
            table: Some("order_states".into()),
            checkpoint: Some("orders-2".into()),
            columns: [("order_id".into(), "partition".into()), ("sum".into(), "/total".into())].into(),
            ignore: vec!["seen_at".into()],
            on_failure: Some(OnFailureEntry::GoOn),
        },
    ]
}

fn sections() -> Sections {
    let place = PlaceEntry { stream: Some("order-17".into()), count: 4, version: Some(3) };
    let watch = WatchEntry { path: Some("/total".into()), column: true, ..WatchEntry::default() };
    let expression = WatchEntry {
        expression: Some("state.items.length".into()),
        name: "items".into(),
        ..Default::default()
    };
    let edit = EditEntry {
        what: EditKind::Change,
        event: 2,
        seen: Some(SeenEntry {
            event_type: "OrderPaid".into(),
            version: Some(2),
            time: Some("2024-03-01T09:51:00.211Z".into()),
        }),
        after: None,
        after_seen: None,
        event_type: None,
        data: Some("{\"amount\": 12345678901234567890}".into()),
        metadata: None,
        off: true,
    };
    Sections {
        reducers: [("order".into(), "reducers/order.js".into()), ("".into(), "rest.js".into())].into(),
        scripts: ScriptsEntry {
            engine: Some(EngineEntry::V1),
            on_failure: Some(OnFailureEntry::Stop),
            seed: Some(7),
            call_limit_ms: Some(250),
            run_limit_s: Some(600),
            memory_limit_mib: Some(64),
        },
        watches: vec![watch, expression],
        conditions: conditions(),
        bookmarks: vec![BookmarkEntry { place: place.clone(), note: "paid \"twice\"\nand more".into() }],
        trail: vec![place],
        branches: vec![BranchEntry {
            name: "without the refund".into(),
            stream: "order-17".into(),
            reducer: None,
            edits: vec![edit],
        }],
        projections: projections(),
        snapshots: vec![SnapshotEntry {
            category: Some("order".into()),
            root: Some("/payload".into()),
            fields: [("full_name".into(), "name".into())].into(),
            ignore: vec!["/version".into()],
        }],
        published: vec![PublishedEntry {
            time: "2026-11-21T12:00:00Z".into(),
            subject: "orders".into(),
            inserted: 1,
            updated: 2,
            deleted: 3,
            backup: "shop.backup.sqlite".into(),
        }],
    }
}

#[test]
fn what_is_kept_reads_back_and_the_rest_of_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeglass.toml");
    let text =
        "# ours\nflags = 1\n\n[reducers]\n# the old shop\norder = \"old.js\" # soon\nuser = \"user.js\"\n";
    fs::write(&path, text).unwrap();
    let before = ProjectFile::read(&path).unwrap().sections().clone();
    keep(Path::new("shop.sqlite"), Some(&path), &before, &sections()).unwrap();
    assert_eq!(ProjectFile::read(&path).unwrap().sections(), &sections());
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept.starts_with("# ours\nflags = 1\n"), "{kept}");
    assert!(kept.contains("[[bookmark]]\nstream = \"order-17\"\ncount = 4\n"), "{kept}");

    let with_note = kept.replace("[[watch]]", "# the sum\n[[watch]]");
    fs::write(&path, &with_note).unwrap();
    let after = Sections { bookmarks: Vec::new(), ..sections() };
    keep(Path::new("shop.sqlite"), Some(&path), &sections(), &after).unwrap();
    let kept = fs::read_to_string(&path).unwrap();
    assert!(!kept.contains("bookmark") && kept.contains("# the sum"), "{kept}");
    keep(Path::new("shop.sqlite"), Some(&path), &after, &Sections::default()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), "# ours\nflags = 1");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (text, place, part) in [
        ("[scripts]\nengine = 3\n", "2:10", "there is no engine version 3; it is 1 or 2"),
        ("[scripts]\non_failure = 'explode'\n", "2:14", "explode"),
        ("[[bookmark]]\nnote = 'no place'\n", "1:1", "count"),
        ("[[watch]]\npaht = '/total'\n", "2:1", "paht"),
        ("reducers = 'order.js'\n", "1:12", "order.js"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timeglass.toml");
        fs::write(&path, text).unwrap();
        let err = ProjectFile::read(&path).unwrap_err().to_string();
        assert!(err.contains(&format!("timeglass.toml:{place}: ")) && err.contains(part), "{err}");
        assert!(keep(Path::new("s"), Some(&path), &Sections::default(), &sections()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing is written over it");
    }
}

#[test]
fn a_file_that_is_named_for_a_window_is_made_by_what_is_kept_first() {
    let folder = tempfile::tempdir().unwrap();
    let (store, named) = (folder.path().join("shop.sqlite"), folder.path().join("elsewhere.toml"));
    std::fs::copy("sample-data/shop.sqlite", &store).unwrap();
    let open = |named: &std::path::Path| open_to_keep(&store, Some(named), &Work::default());
    let Ok(Opening::Store(found)) = open(&named) else { panic!("a store") };
    assert!(
        found.warnings.iter().any(|warning| warning.contains("There is no project file")),
        "{:?}",
        found.warnings
    );
    assert_eq!(found.project_file, None);
    keep(&store, Some(&named), &Sections::default(), &sections()).unwrap();
    let Ok(Opening::Store(found)) = open(&named) else { panic!("a store") };
    assert_eq!((found.warnings.len(), found.project_file.as_deref()), (0, Some(&*named)));
    assert!(open(&folder.path().join("no such folder").join("elsewhere.toml")).is_err());
}
