//! What a user does with the window, from start to end.

use std::{
    fs,
    path::{Path, PathBuf},
};

use egui::{
    Key, Modifiers,
    accesskit::{Node, Role},
    pos2,
};
use timeglass::model::Json;

use super::driver::{Look, Window, bounds, name, program};

/// A copy of the sample store in a folder of its own, where the program also keeps what it remembers.
struct Home {
    folder: tempfile::TempDir,
    store: PathBuf,
}

fn home() -> Home {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let store = folder.path().join("shop.sqlite");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/shop.sqlite");
    fs::copy(sample, &store).expect("room for a copy");
    Home { folder, store }
}

impl Home {
    fn window(&self) -> Window {
        Window::open(self.folder.path(), &[&self.store])
    }

    /// Where a reducer for orders is written.
    fn reducer(&self) -> PathBuf {
        self.folder.path().join("reducers/order.js")
    }

    /// The state that the command line gives.
    fn state(&self, stream: &str, version: u64) -> Json {
        let version = version.to_string();
        let answer = program(self.folder.path())
            .args(["state", "--stream", stream, "--version", &version, "--json"])
            .arg(&self.store)
            .stdout(std::process::Stdio::piped())
            .output()
            .expect("the program that was built");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        let answer = Json::parse(&answer.stdout).expect("JSON");
        answer.get("state").expect("a state").clone()
    }
}

/// Chooses order 4711 by its name and its row, and waits for its state.
fn choose_order(window: &mut Window) {
    window.click(Role::TextInput, "Filter streams");
    window.type_text("order-4711");
    window.click(Role::Row, "Stream:     4711,");
    window.wait_for("the last state", |look| version(look).filter(|version| *version == 12));
}

/// The version that the state panel shows: the number in "v8 of 12".
fn version(look: &Look) -> Option<u64> {
    let place = look.nodes().find(|node| node.role() == Role::Label && name(node).ends_with(" of 12"))?;
    name(place).strip_prefix('v')?.split(' ').next()?.parse().ok()
}

/// The members at the root of the state as the tree shows them, each as `name: value`.
fn shown(look: &Look) -> Vec<String> {
    let rows: Vec<&Node> = look.nodes().filter(|node| node.role() == Role::TreeItem).collect();
    let left = rows.iter().map(|row| row.level().unwrap_or(0)).min();
    let at_root = rows.into_iter().filter(|row| row.level() == left || left == Some(0));
    at_root.map(|row| name(row).to_owned()).collect()
}

/// Waits until the tree shows every text, number and truth of a state's root.
#[track_caller]
fn wait_for_state(window: &mut Window, expected: &Json) {
    let members = expected.as_object().expect("an object");
    let plain = members.iter().filter(|(_, value)| !matches!(value, Json::Object(_) | Json::Array(_)));
    let lines: Vec<String> = plain.map(|(key, value)| format!("{key}: {}", value.to_compact())).collect();
    assert!(lines.len() >= 5, "the state has members to compare");
    window.wait_for(&format!("{lines:#?}"), |look| {
        let shown = shown(look);
        let is_shown = |line: &String| {
            shown.iter().any(|row| {
                row.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
            })
        };
        lines.iter().all(is_shown).then_some(())
    });
}

#[test]
fn dragging_and_stepping_show_the_states_that_the_command_line_gives() {
    let home = home();
    let mut window = home.window();
    choose_order(&mut window);
    wait_for_state(&mut window, &home.state("order-4711", 12));

    window.click_lowest(Role::Button, "Events");
    let strip = bounds(&window.node(Role::Slider, "Timeline"));
    let middle = strip.y0.midpoint(strip.y1) as f32;
    let at = |share: f64| pos2((strip.x0 + share * (strip.x1 - strip.x0)) as f32, middle);
    window.pointer(at(0.9), Some(true));
    for share in [0.8, 0.7, 0.6, 0.5] {
        window.pointer(at(share), None);
    }
    window.wait_for("the version under the pointer", |look| version(look).filter(|version| *version == 6));
    wait_for_state(&mut window, &home.state("order-4711", 6));
    window.pointer(at(0.67), Some(false));
    window.wait_for("the version where it was dropped", |look| version(look).filter(|version| *version == 8));
    wait_for_state(&mut window, &home.state("order-4711", 8));
    let marked = window
        .wait_for("marks", |look| look.find(Role::TreeItem, "status: ").map(|row| name(row).to_owned()));
    assert_eq!(marked, r#"status: "shipped", changed from "packed""#);

    window.press(Modifiers::NONE, Key::ArrowRight);
    window.wait_for("the next version", |look| version(look).filter(|version| *version == 9));
    wait_for_state(&mut window, &home.state("order-4711", 9));
    assert!(window.quit().success());
}

#[test]
fn files_and_panels_are_remembered() {
    let home = home();
    let mut first = home.window();
    first.click(Role::Button, "Layout");
    first.wait_for("the layout panel", |look| look.says("Events are read from").then_some(()));
    assert!(first.quit().success());

    let mut second = Window::open::<&str>(home.folder.path(), &[]);
    second.click(Role::Button, "shop.sqlite");
    second.wait_for("the same panel in front", |look| look.says("Events are read from").then_some(()));
}

#[test]
fn without_an_argument_there_is_a_welcome() {
    let home = home();
    let mut window = Window::open::<&str>(home.folder.path(), &[]);
    for button in ["Open…", "Open the sample store"] {
        window.node(Role::Button, button);
    }
    assert!(window.look().says("Files that you open appear here"));
    window.click(Role::Button, "Open the sample store");
    window.wait_for("the sample's streams", |look| look.says("▾ account").then_some(()));
}

#[test]
fn a_file_that_cannot_be_read_gets_a_notice() {
    let home = home();
    let broken = home.folder.path().join("notes.sqlite");
    fs::write(&broken, "This is no database, and long enough to be sure of it.".repeat(20)).expect("room");
    let mut window = Window::open(home.folder.path(), &[&broken]);
    window.wait_for("the notice", |look| look.says("notes.sqlite").then_some(()));
    window.node(Role::Button, "Open…");
}

#[test]
fn a_database_without_events_is_said_to_be_one() {
    let home = home();
    let other = home.folder.path().join("contacts.sqlite");
    let database = rusqlite::Connection::open(&other).expect("a new database");
    database
        .execute_batch("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, phone TEXT)")
        .expect("SQL");
    drop(database);
    let mut window = Window::open(home.folder.path(), &[&other]);
    window.wait_for("the plain word", |look| look.says("No event table found").then_some(()));
    assert!(window.look().says("contacts"));
}

#[test]
fn a_value_is_asked_about_a_reducer_is_written_and_a_place_is_kept() {
    let home = home();
    let mut window = home.window();
    choose_order(&mut window);
    window.click(Role::TreeItem, "status: ");
    window.press(Modifiers::COMMAND, Key::B);
    window.wait_for("who wrote it", |look| look.says("copied from /data/status").then_some(()));

    window.press(Modifiers::COMMAND, Key::D);
    window.wait_for("the project file", |_| home.folder.path().join("timeglass.toml").exists().then_some(()));
    window.click(Role::Button, "New reducer from the events");
    window.wait_for("the reducer's file", |_| home.reducer().exists().then_some(()));
    window.wait_for("states made by it", |look| look.find(Role::Label, "order.js").map(|_| ()));
    let status = home.state("order-4711", 12).get("status").expect("a status").to_compact();
    window.wait_for("the state", |look| look.find(Role::TreeItem, &format!("status: {status}")).map(|_| ()));
    assert!(window.quit().success());

    let mut again = home.window();
    again.click(Role::Button, "Bookmarks");
    again.wait_for("the bookmark", |look| look.says("order-4711").then_some(()));
}
