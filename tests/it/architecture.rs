//! The rules of ARCHITECTURE.md, held against the code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// From the bottom up. A room may name rooms of earlier groups, none of its own group or a later.
const LAYERS: &[&[&str]] = &[
    &["model", "work"],
    &["store", "script"],
    &["replay", "publish"],
    &["project", "sample", "schema"],
    &["projection", "snapshot"],
    &["jobs"],
    &["session"],
    &["ui", "cli"],
];

/// Who alone may name a crate or a part of the standard library.
const OWNERS: &[(&str, &[&str])] = &[
    ("egui::", &["ui"]),
    ("egui_extras::", &["ui"]),
    ("egui_system_font_provider::", &["ui"]),
    ("egui_tiles::", &["ui"]),
    ("eframe::", &["ui"]),
    ("rfd::", &["ui"]),
    ("rusqlite::", &["store", "sample", "projection", "publish"]),
    ("rquickjs::", &["script"]),
    ("toml_edit::", &["project"]),
    ("clap::", &["cli"]),
    ("crossbeam_channel::", &["jobs", "ui"]),
    ("std::thread", &["jobs"]),
    ("thread::spawn", &["jobs"]),
    ("SystemTime::now", &[]),
    ("Instant::now", &["cli", "jobs", "script", "ui"]),
    ("Utc::now", &[]),
    ("Local::now", &[]),
];

/// A file longer than this is about more than one thing, most likely.
const LONGEST_FILE: usize = 700;

/// `#[expect(clippy::…)]` in `src`. It may fall; to raise it takes a reason in the commit.
const MOST_EXPECTED_LINTS: usize = 40;

/// Packages in `Cargo.lock`, all platforms. It may fall; to raise it takes a reason in the commit.
const MOST_PACKAGES: usize = 490;

struct Source {
    path: PathBuf,
    room: String,
    /// Without comments and without the file's unit tests.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project").map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&root, path));
            }
        }
    }
    assert!(found.len() > 50, "the sources are found");
    found
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("a source file");
    let own = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let code: Vec<&str> = own.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let inside = path.strip_prefix(root).expect("inside src").with_extension("");
    let room = inside.iter().next().expect("a name").to_string_lossy().into_owned();
    Source { room, code: code.join("\n"), lines: own.lines().count(), path }
}

/// Fails with every file that breaks a rule, and how.
#[track_caller]
fn check(rule: impl Fn(&Source) -> Vec<String>) {
    let broken: Vec<String> = sources()
        .iter()
        .flat_map(|source| rule(source).into_iter().map(|how| format!("{}: {how}", source.path.display())))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn rooms_name_only_rooms_below_them() {
    let layer = |room: &str| LAYERS.iter().position(|group| group.contains(&room));
    check(|source| {
        if matches!(&*source.room, "main" | "lib") {
            return Vec::new();
        }
        let Some(here) = layer(&source.room) else { return vec!["it stands in no layer".to_owned()] };
        let others = named_rooms(&source.code).into_iter().filter(|room| *room != source.room);
        others
            .filter(|room| layer(room).is_none_or(|there| there >= here))
            .map(|room| format!("it names `{room}`"))
            .collect()
    });
}

#[test]
fn crates_stay_with_their_owners() {
    check(|source| {
        let is_owner = |owners: &[&str]| owners.contains(&&*source.room) || source.room == "main";
        let foreign = OWNERS.iter().filter(|(name, owners)| names(&source.code, name) && !is_owner(owners));
        foreign.map(|(name, owners)| format!("only {owners:?} may name `{name}`")).collect()
    });
}

/// The one room that may hold unsafe code: what lies in the engine's memory.
const UNSAFE: &str = "src/script/engine_memory";

/// Lines of code in that room, comments and attributes left out. It may fall; to raise it takes a reason in the commit.
const MOST_UNSAFE_LINES: usize = 1150;

#[test]
fn unsafe_code_stays_in_one_room_and_says_why() {
    check(|source| {
        let lines: Vec<&str> = source.code.lines().collect();
        let is_unsafe = |line: &str| line.contains("unsafe ") && !line.contains("unsafe_code");
        if !is_in_unsafe_room(source) {
            return lines
                .iter()
                .filter(|line| is_unsafe(line))
                .map(|line| format!("unsafe: {line}"))
                .collect();
        }
        let text = fs::read_to_string(&source.path).unwrap_or_default();
        let blocks = source.code.matches("unsafe {").count() + source.code.matches("unsafe impl").count();
        let reasons = text.matches("// SAFETY:").count();
        if reasons < blocks { vec![format!("{blocks} unsafe blocks, {reasons} reasons")] } else { Vec::new() }
    });
}

#[test]
fn the_room_of_unsafe_code_stays_small() {
    let all = sources();
    let room: Vec<&Source> = all.iter().filter(|source| is_in_unsafe_room(source)).collect();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("#[");
    let lines = |source: &&Source| source.code.lines().filter(is_code).count();
    let count: usize = room.iter().map(lines).sum();
    assert!(count > 100 && count <= MOST_UNSAFE_LINES, "{count} lines");
    let named: Vec<&str> =
        all.iter().filter(|source| source.code.contains("qjs::")).map(|source| &*source.room).collect();
    assert!(named.len() <= room.len(), "the engine's C interface is named outside of the room");
}

/// What the room has stand by while it reads the engine's memory leads to no context of the engine, so that nothing
/// can run meanwhile.
#[test]
fn whoever_stands_by_cannot_run_the_engine() {
    for file in ["image", "names", "plain_data"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/script").join(file).with_extension("rs");
        let text = fs::read_to_string(path).expect("a source file");
        let after = ["\nstruct ", "\npub(crate) struct "].map(|word| text.split(word).skip(1));
        for fields in after.into_iter().flatten().filter_map(|after| after.split("\n}").next()) {
            for name in
                ["Ctx", "Context", "Runtime", "Persistent", "Value<", "Object<", "Host", "Engine", "dyn "]
            {
                assert!(!fields.contains(name), "{file}.rs holds {name}");
            }
        }
    }
}

fn is_in_unsafe_room(source: &Source) -> bool {
    source.path.parent().is_some_and(|folder| folder.ends_with(UNSAFE))
}

#[test]
fn rooms_are_named_from_the_root() {
    check(|source| {
        let climbs = source.code.contains("super::super::");
        climbs.then(|| "it climbs with super::super".to_owned()).into_iter().collect()
    });
}

#[test]
fn files_are_short() {
    check(|source| {
        let is_long = source.lines > LONGEST_FILE;
        is_long.then(|| format!("{} lines, at most {LONGEST_FILE}", source.lines)).into_iter().collect()
    });
}

#[test]
fn exceptions_and_packages_do_not_grow_unseen() {
    let expected: usize = sources().iter().map(|source| source.code.matches("expect(clippy::").count()).sum();
    assert!(expected <= MOST_EXPECTED_LINTS, "{expected} expected lints");
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).expect("a lock file");
    let packages = lock.matches("[[package]]").count();
    assert!(packages <= MOST_PACKAGES, "{packages} packages");
}

#[test]
fn every_test_file_is_part_of_the_one_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).expect("the list of tests");
    for entry in fs::read_dir(folder).expect("the tests").map(Result::unwrap) {
        let name = entry.path().with_extension("").file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "main" || main.contains(&format!("mod {name};")),
            "tests/it/{name} is not listed in main.rs"
        );
    }
}

#[test]
fn todos_are_issues_and_not_comments() {
    check(|source| {
        let text = fs::read_to_string(&source.path).unwrap_or_default();
        // Spelled so that this file does not find itself.
        let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("under", " way)")];
        words.into_iter().filter(|word| text.contains(word)).map(|word| format!("it says {word}")).collect()
    });
}

/// The rooms that follow `crate::`, alone or in braces.
fn named_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            None => drop(rooms.insert(first_name(after))),
            Some(group) => rooms.extend(group_items(group).iter().map(|item| first_name(item))),
        }
    }
    rooms.remove("");
    rooms
}

/// The parts of `a::{b, c}, d}` up to the brace that closes the group.
fn group_items(group: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0_u32;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(String::new()),
            _ => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth - 1,
                    _ => depth,
                };
                items.last_mut().expect("at least one").push(c);
            }
        }
    }
    items
}

fn first_name(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Whether `code` names a path, and not only a longer name that ends like it.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[test]
fn the_rules_see_what_they_look_for() {
    let code = "use crate::{model::{A, B}, store,\n ui::x};\nfn f() { crate::jobs::go(); egui::Ui }";
    let expected = ["jobs", "model", "store", "ui"].map(str::to_owned);
    assert_eq!(named_rooms(code), BTreeSet::from(expected));
    assert!(names(code, "egui::"));
    assert!(!names("my_egui::x", "egui::"));
}
