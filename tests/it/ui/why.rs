//! The Why panel in the whole window: asking, reading, going from write to write.

use std::path::Path;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use timeglass::model::Json;

use super::app_stage::{AppStage, SHOP};

/// The window with order 4711 chosen, and one of its values asked about.
fn asked(item: &'static str) -> AppStage {
    let mut app = AppStage::open([1200.0, 1300.0], Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    app.click_tree_item(item);
    app.press_with(Modifiers::COMMAND, Key::B);
    app
}

/// What the panel tells of the writes: their rows.
fn writes(app: &AppStage) -> Vec<String> {
    let text = app.text();
    let rows = text.lines().filter(|line| line.trim_start().starts_with("ListBoxOption"));
    rows.map(|line| line.trim().trim_start_matches("ListBoxOption ").to_owned()).collect()
}

#[test]
fn the_writes_of_a_value_are_read_and_gone_to() {
    let mut app = asked("status: \"partly");
    assert_eq!(
        writes(&app).first().map(String::as_str),
        Some(
            r#""v12 OrderRefunded changed from \"delivered\" to \"partly_refunded\", by payments" (selected)"#
        )
    );
    let text = app.text();
    for told in ["6 writes", "OrderRefunded v12", "copied from /data/status"] {
        assert!(text.contains(told), "{told} in\n{text}");
    }
    let second = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        node.role() == Role::ListBoxOption && node.label().is_some_and(|label| label.starts_with("v9 "))
    };
    app.harness.get_by(second).click();
    app.settle();
    assert_eq!(app.view().state.place, "v9 of 12");
    assert_eq!(app.view().blame.current, Some(1));
    // The row has the keyboard now: down to the one below, Enter goes there.
    app.press(Key::ArrowDown);
    assert_eq!(app.view().state.place, "v9 of 12");
    app.press(Key::Enter);
    assert_eq!(app.view().state.place, "v8 of 12");
    app.press_with(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(app.view().state.place, "v7 of 12");
    app.press_with(Modifiers::ALT, Key::ArrowDown);
    assert_eq!(app.view().state.place, "v8 of 12");
    app.press_with(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(app.view().state.place, "v7 of 12", "each is a step of the trail");
}

#[test]
fn crumbs_ask_about_what_holds_the_value() {
    let mut app = asked("city:");
    assert_eq!(
        app.view().blame.path.as_ref().map(ToString::to_string).as_deref(),
        Some("/shipping_address/city")
    );
    app.click("shipping_address");
    assert_eq!(app.view().blame.path.as_ref().map(ToString::to_string).as_deref(), Some("/shipping_address"));
    app.click("state");
    assert_eq!(app.view().blame.total, 12);
    app.click("Forget this path");
    assert_eq!(app.view().blame.path, None);
    assert!(app.text().contains("Why is a value as it is?"));
}

#[test]
fn the_menu_of_a_value_asks_and_enter_does() {
    let mut app = AppStage::open([1200.0, 1300.0], Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    app.click("Bookmarks");
    let currency = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        node.role() == Role::TreeItem && node.label().is_some_and(|label| label.starts_with("currency:"))
    };
    app.harness.get_by(currency).click_secondary();
    app.settle();
    app.click("Why is this value so?");
    assert_eq!(app.view().blame.total, 1);
    assert!(app.text().contains("1 write"), "the panel came to the front");
    app.click_tree_item("total_cents:");
    app.press(Key::Enter);
    assert_eq!(app.view().blame.path.as_ref().map(ToString::to_string).as_deref(), Some("/total_cents"));
}

#[test]
fn all_writes_are_copied_once() {
    let mut app = asked("currency:");
    app.click("Copy all writes as JSON");
    let (number, text) = app.view().blame.copied.clone().expect("a text");
    assert_eq!(number, 1);
    assert_eq!(Json::parse(text.as_bytes()).unwrap().len(), Some(1));
}
