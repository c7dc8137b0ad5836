//! Dragging along the timeline: every frame shows a state, marked where it only stands in for the one that is
//! asked for, and in the end the exact one.

use std::path::Path;

use egui::{Pos2, Rect, pos2};
use egui_kittest::kittest::Queryable as _;
use timeglass::{
    sample::{self, SampleOptions, Shape},
    session::action::{Action, BrowseAction, CursorAction},
    work::Work,
};

use super::app_stage::{AppStage, SHOP};

const SIZE: [f32; 2] = [1200.0, 700.0];

/// Where the strip is, at a part of its width.
fn on(strip: Rect, part: f32) -> Pos2 {
    pos2(strip.left() + 10.0 + (strip.width() - 20.0) * part, strip.center().y)
}

/// Drags from place to place with a frame at each, and looks at every frame.
fn drag(app: &mut AppStage, parts: &[f32]) {
    let strip = app.harness.get_by_label("Timeline").rect();
    let first = on(strip, parts[0]);
    app.harness.hover_at(first);
    app.harness.step();
    app.harness.drag_at(first);
    for part in parts {
        app.harness.hover_at(on(strip, *part));
        app.harness.step();
        let (view, asked) = (app.view(), app.view().timeline.place.clone());
        assert!(view.state.state.is_some(), "no state at {asked}");
        let version = |words: &str| words.split(' ').next().unwrap_or_default().to_owned();
        let is_exact = version(&view.state.place) == version(&asked);
        assert!(is_exact || view.state.is_stale, "{} stands unmarked for {asked}", view.state.place);
    }
    app.harness.drop_at(on(strip, parts[parts.len() - 1]));
    app.settle();
    let asked = &app.view().timeline.place;
    assert!(asked.starts_with(&app.view().state.place), "{} is not {asked}", app.view().state.place);
}

#[test]
fn every_frame_of_a_drag_shows_a_state_and_the_last_the_exact_one() {
    let mut app = AppStage::open(SIZE, Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    let exact = |app: &AppStage| app.view().state.state.as_ref().map(|state| state.to_compact());
    let parts: Vec<f32> = (0..=24).map(|step| 1.0 - 0.5 * step as f32 / 24.0).collect();
    drag(&mut app, &parts);
    let (place, is_stale) = (app.view().state.place.clone(), app.view().state.is_stale);
    assert!(!is_stale && ["v8 of 12", "v9 of 12"].contains(&place.as_str()), "{place}");
    let dragged = exact(&app);
    app.press(egui::Key::End);
    while app.view().state.place != place {
        app.press(egui::Key::ArrowLeft);
    }
    assert_eq!(dragged, exact(&app), "a drag and steps come to one state");
}

#[test]
fn dragging_over_a_long_history_that_is_still_being_folded_shows_states_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("mixed.sqlite");
    let options = SampleOptions { events: 30_000, ..SampleOptions::of(Shape::Mixed) };
    sample::write(&store, &options, &Work::default()).expect("a sample store");
    let mut app = AppStage::open(SIZE, &store);
    let longest = {
        let index = app.view().streams.index.clone().expect("an index");
        let streams = (0_u32..).zip(index.streams().iter());
        streams.max_by_key(|(_, info)| info.events).map(|(stream, _)| stream).expect("a stream")
    };
    app.ask(Action::Browse(BrowseAction::ChooseStream(longest)));
    // Nobody waits for the fold: the first state comes, and then the hand is faster than it.
    while app.view().state.state.is_none() {
        app.harness.step();
    }
    let there = (0..=40).map(|step| 1.0 - step as f32 / 40.0);
    let parts: Vec<f32> = there.clone().chain(there.rev()).collect();
    drag(&mut app, &parts);
    let (place, is_stale) = (app.view().state.place.clone(), app.view().state.is_stale);
    assert!(place.starts_with("v3000 ") || place.ends_with(" of 3\u{2009}000"), "{place}");
    assert!(!is_stale);
    let dragged = app.view().state.state.clone();
    app.ask(Action::Cursor(CursorAction::Home));
    app.settle();
    app.ask(Action::Cursor(CursorAction::End));
    app.settle();
    assert_eq!(dragged, app.view().state.state);
}
