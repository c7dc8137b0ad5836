//! The panel in which payloads are searched: what is typed, what is found, and where a hit leads.

use std::path::Path;

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::app_stage::{AppStage, SHOP};

const SIZE: [f32; 2] = [1200.0, 700.0];

fn shop() -> AppStage {
    let mut app = AppStage::open(SIZE, Path::new(SHOP));
    app.press_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    app
}

/// The rows of the list of hits, as they are read aloud.
fn hits(app: &AppStage) -> Vec<String> {
    let rows = app.harness.query_all_by_role(Role::Row);
    let names = rows.filter_map(|row| row.accesskit_node().label());
    names.filter(|name| name.starts_with("Position: ") && name.contains("Found: ")).collect()
}

#[test]
fn a_text_is_typed_found_and_gone_to() {
    let mut app = shop();
    assert!(app.text().contains("Search all payloads"), "{}", app.text());
    app.type_text("order_id");
    app.press(Key::Enter);
    let found = app.view().payloads.hits.len();
    assert!(found > 5 && app.view().payloads.is_over, "{found} hits");
    let rows = hits(&app);
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("order_id")), "{rows:?}");

    let second = app.view().payloads.hits[1].clone();
    app.click_row(&rows[1]);
    assert_eq!(app.view().payloads.chosen, Some(1));
    assert_eq!(app.view().state.stream, second.stream.full());
    let version = second.version.map(|version| version.to_string()).unwrap_or_default();
    assert!(app.view().state.place.starts_with(&format!("v{version} of ")), "{}", app.view().state.place);
    app.press(Key::F3);
    assert_eq!(app.view().payloads.chosen, Some(2));
    app.press_with(Modifiers::SHIFT, Key::F3);
    assert_eq!(app.view().payloads.chosen, Some(1));
}

#[test]
fn what_is_nowhere_is_said_to_be_nowhere() {
    let mut app = shop();
    app.type_text("n0wh3re");
    app.press(Key::Enter);
    assert!(app.view().payloads.is_over && app.view().payloads.hits.is_empty());
    assert!(app.text().contains("No event holds this"), "{}", app.text());
}

#[test]
fn the_newest_hits_come_first_until_that_is_turned_round() {
    let mut app = shop();
    app.type_text("order_id");
    app.press(Key::Enter);
    let first = |app: &AppStage| app.view().payloads.hits[0].position.clone();
    let newest = first(&app);
    app.click("Newest first");
    let oldest = first(&app);
    assert_ne!(newest, oldest);
    app.click("Newest first");
    assert_eq!(newest, first(&app));
}

/// The window with an order chosen and its last event in front.
fn event_shown() -> AppStage {
    let mut app = AppStage::open([1400.0, 1300.0], Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    app.click("Event");
    app
}

#[test]
fn the_ids_of_an_event_are_followed() {
    let mut app = event_shown();
    let shown = |app: &AppStage| app.view().event.clone().expect("an event");
    let last = shown(&app);
    let (cause, correlation) = (last.causation_id.clone().unwrap(), last.correlation_id.clone().unwrap());
    app.click(&cause);
    assert!(app.text().contains("Find all events with this cause"), "{}", app.text());
    app.click("Go to the event that caused this");
    assert_eq!(shown(&app).event_id, Some(cause));
    app.click(&correlation);
    app.click("Find all events with this correlation id");
    let hits = app.view().payloads.hits.len();
    assert!(hits > 1 && app.view().payloads.is_over, "{hits} hits");
    assert!(app.text().contains(&format!("Events with the correlation id {correlation}")), "{}", app.text());
}

#[test]
fn who_did_it_has_a_column() {
    let mut app = event_shown();
    let who = app.view().event.as_ref().and_then(|event| event.actor.clone()).expect("an actor");
    assert!(!app.text().contains("Actor: "));
    app.click("Columns ▾");
    app.harness.get_by_role_and_label(Role::CheckBox, "Actor").click();
    app.settle();
    assert!(app.text().contains(&format!("Actor: {who}")), "{}", app.text());
}
