//! The whole window: what each screen tells, and that clicks and keys do what they say.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{AccessKitNode, Queryable as _};
use timeglass::{
    model::Pointer,
    session::{
        action::{Action, BlameAction, BrowseAction},
        view::Screen,
    },
    ui::{App, Start},
};

use super::app_stage::{AppStage, SHOP};

const SIZE: [f32; 2] = [1200.0, 400.0];

fn shop() -> AppStage {
    AppStage::open(SIZE, Path::new(SHOP))
}

/// The window with order 4711 chosen, at its last version.
fn order() -> AppStage {
    let mut app = shop();
    app.choose_stream("order-4711", "4711");
    app
}

/// A database that holds no events.
fn contacts() -> AppStage {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("contacts.sqlite");
    let database = rusqlite::Connection::open(&path).expect("a new database");
    let made = "CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, phone TEXT);
        INSERT INTO contacts VALUES (1, 'Ada', '020 7946 0001');";
    database.execute_batch(made).expect("SQL");
    drop(database);
    AppStage::open(SIZE, &path)
}

#[track_caller]
fn check_place(app: &AppStage, expected: &str) {
    assert_eq!(app.view().state.place, expected);
}

#[test]
fn the_welcome_screen_can_be_read() {
    AppStage::welcome(SIZE).check("app-welcome");
}

/// The store is opened while the window is still made; what was found by then is not lost.
#[test]
#[expect(clippy::disallowed_methods, reason = "the worker is given time to answer before the first frame")]
fn a_store_that_was_open_before_the_window_is_shown() {
    let mut harness = egui_kittest::Harness::builder().build_eframe(|context| {
        let start = Start { store: Some(SHOP.into()), ..Start::default() };
        let app = App::new(context, start).expect("threads");
        thread::sleep(Duration::from_millis(200));
        app
    });
    let start = Instant::now();
    while !matches!(harness.state().session().view().screen, Screen::Store) {
        assert!(start.elapsed() < Duration::from_secs(20), "what was found is lost");
        harness.run_ok();
    }
}

#[test]
fn an_opened_store_can_be_read() {
    shop().check("app-store");
}

#[test]
fn a_chosen_stream_can_be_read() {
    order().check("app-stream");
}

#[test]
fn the_event_and_the_snapshots_can_be_read() {
    let mut app = order();
    app.click("Event");
    app.click("Snapshots");
    app.check("app-event");
}

#[test]
fn the_layout_can_be_read() {
    let mut app = shop();
    app.press_with(Modifiers::COMMAND, Key::I);
    app.check("app-layout");
}

#[test]
fn a_database_without_events_can_be_read() {
    contacts().check("app-no-events");
}

#[test]
fn the_mapping_dialog_can_be_read_and_left() {
    let mut app = contacts();
    app.click("Map the columns by hand…");
    app.check("app-mapping");
    app.press(Key::Escape);
    assert!(app.view().mapping.is_none());
    assert!(matches!(app.view().screen, Screen::NoEvents(_)));
}

#[test]
fn keys_do_not_reach_what_lies_behind_the_mapping_dialog() {
    let mut app = order();
    app.click("View");
    app.click_start("Change the layout…");
    assert!(app.view().mapping.is_some());
    app.press(Key::ArrowLeft);
    check_place(&app, "v12 of 12");
    app.press(Key::Escape);
    assert!(app.view().mapping.is_none());
    assert_eq!(&*app.view().state.stream, "order-4711");
}

#[test]
fn a_click_chooses_a_stream_and_keys_step() {
    let mut app = order();
    assert_eq!(&*app.view().state.stream, "order-4711");
    check_place(&app, "v12 of 12");
    assert!(app.view().timeline.place.starts_with("v12 of 12"), "{}", app.view().timeline.place);
    app.press(Key::ArrowLeft);
    check_place(&app, "v11 of 12");
    app.press(Key::Home);
    app.press(Key::ArrowRight);
    app.press(Key::ArrowRight);
    check_place(&app, "v2 of 12");
    app.press(Key::End);
    check_place(&app, "v12 of 12");
    app.press(Key::Escape);
    assert!(app.view().streams.chosen.is_none());
}

/// Escape leaves what was typed in, and only from a list of streams or events it leaves the stream.
#[test]
fn escape_elsewhere_keeps_the_stream() {
    let mut app = order();
    app.click("Filter streams");
    for _ in 0..3 {
        app.press(Key::Escape);
        assert!(app.view().streams.chosen.is_some());
    }
    let is_event = |node: &AccessKitNode<'_>| {
        node.role() == Role::Row && node.label().is_some_and(|label| label.starts_with("Position"))
    };
    app.harness.get_all_by(is_event).last().expect("a row of the events").click();
    app.settle();
    app.press(Key::Escape);
    assert!(app.view().streams.chosen.is_none());
}

#[test]
fn without_a_stream_nobody_says_that_a_value_is_missing() {
    let mut app = order();
    let path = Pointer::parse("/status").expect("a path");
    app.ask(Action::Blame(BlameAction::Ask(path)));
    app.ask(Action::Browse(BrowseAction::ClearStream));
    let text = app.text();
    assert!(text.contains("No stream is chosen"), "{text}");
    assert!(!text.contains("No event wrote this") && !text.contains("Does not exist"), "{text}");
}

/// However low the window is, every action of a menu can be reached, and the event's data is seen.
#[test]
fn a_low_window_shows_what_there_is() {
    let mut app = AppStage::open([1000.0, 700.0], Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    app.click("Event");
    let is_item = |node: &AccessKitNode<'_>| node.role() == Role::TreeItem;
    let items: Vec<_> = app.harness.get_all_by(is_item).map(|item| item.rect()).collect();
    assert!(items.iter().filter(|item| item.bottom() < 400.0).count() >= 2, "{items:?}");
    app.click("Debug");
    let named = |name: &'static str| {
        move |node: &AccessKitNode<'_>| {
            node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with(name))
        }
    };
    app.harness.get_by(named("Pin as A")).hover();
    for _ in 0..60 {
        app.harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Line,
            delta: egui::vec2(0.0, -10.0),
            phase: egui::TouchPhase::Move,
            modifiers: Modifiers::NONE,
            source: egui::MouseWheelSource::Wheel,
        });
        app.harness.step();
    }
    let last = app.harness.get_by(named("Debug panel")).rect();
    assert!(last.bottom() <= 700.0, "{last:?}");
}

#[test]
fn a_typed_arrow_moves_the_caret_and_not_the_cursor() {
    let mut app = order();
    app.click("Filter streams");
    app.press(Key::ArrowLeft);
    check_place(&app, "v12 of 12");
}

#[test]
fn assistive_technology_steps_by_one_event() {
    let mut app = shop();
    app.press(Key::Home);
    app.harness.get_by_label("Timeline").increment_accesskit();
    app.settle();
    assert!(app.view().timeline.place.starts_with("1 of"), "{}", app.view().timeline.place);
}

#[test]
fn a_version_is_gone_to() {
    let mut app = order();
    app.press_with(Modifiers::COMMAND, Key::G);
    app.type_text("v2");
    app.press(Key::Enter);
    check_place(&app, "v2 of 12");
    assert!(app.harness.query_by_label("Go to").is_none(), "the dialog is closed");
}

#[test]
fn a_row_of_the_events_moves_the_cursor() {
    let mut app = order();
    app.click_row("Position: 326,");
    check_place(&app, "v11 of 12");
}

#[test]
fn the_types_menu_filters() {
    let mut app = order();
    app.click("Types ▾");
    app.harness.get_by_label("Find a type").click();
    app.settle();
    app.type_text("OrderPaid");
    app.click("only");
    app.press(Key::Escape);
    assert_eq!(&*app.view().state.stream, "order-4711", "Escape closed the menu and nothing else");
    assert_eq!(app.view().events.total, 1);
    app.row("Position: 166,");
}

#[test]
fn the_palette_finds_an_action_and_runs_it() {
    let mut app = order();
    app.press_with(Modifiers::COMMAND, Key::K);
    app.type_text("theme");
    app.check("app-palette");
    app.press_with(Modifiers::COMMAND, Key::A);
    app.type_text("start to");
    let names: Vec<String> = app.dialog_buttons();
    assert_eq!(names.len(), 1, "{names:?}");
    app.press(Key::Enter);
    assert_eq!(app.view().timeline.can_step, (false, true), "the cursor is before the first event");
    assert!(app.harness.query_by_label("All actions").is_none(), "the palette is closed");
}

#[test]
fn a_dropped_file_is_opened() {
    let mut app = AppStage::welcome(SIZE);
    let path = app.folder().join("dropped.sqlite");
    fs::copy(SHOP, &path).expect("room for a copy");
    app.drop_file(&path);
    assert_eq!(app.view().screen, Screen::Store);
    assert!(app.view().title.starts_with("dropped.sqlite"), "{}", app.view().title);
}

#[test]
fn what_is_no_database_gets_a_notice_and_the_window_goes_on() {
    let mut app = AppStage::welcome(SIZE);
    let path = app.folder().join("notes.sqlite");
    fs::write(&path, "Plain words, and enough of them to be read as a header. ".repeat(10)).expect("room");
    app.drop_file(&path);
    assert_eq!(app.view().screen, Screen::Welcome);
    assert_eq!(app.view().notices.len(), 1);
    assert!(app.text().contains("notes.sqlite"));
}

#[test]
fn the_sample_store_is_made_and_opened() {
    let mut app = AppStage::welcome(SIZE);
    app.click("Open the sample store");
    assert_eq!(app.view().screen, Screen::Store);
    assert!(app.folder().join("made/shop.sqlite").exists());
    app.press_with(Modifiers::COMMAND, Key::W);
    assert_eq!(app.view().screen, Screen::Welcome);
    app.harness.get_by_role_and_label(Role::Button, "shop.sqlite");
}

#[test]
fn arrows_in_the_state_open_and_close_its_nodes_and_do_not_step() {
    let mut app = AppStage::open([1200.0, 900.0], Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    let has = |app: &AppStage, start: &'static str| {
        let found = app.harness.query_all_by(move |node| {
            node.role() == Role::TreeItem && node.label().is_some_and(|label| label.starts_with(start))
        });
        found.count() > 0
    };
    assert!(has(&app, "TEA-004"), "the items are open");
    app.click_tree_item("items");
    app.press(Key::ArrowLeft);
    assert!(!has(&app, "TEA-004"), "they are closed");
    check_place(&app, "v12 of 12");
    app.press(Key::ArrowRight);
    assert!(has(&app, "TEA-004"), "and open again");
    check_place(&app, "v12 of 12");
}
