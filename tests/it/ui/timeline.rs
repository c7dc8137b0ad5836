//! The strip: seeking by click, drag, key and assistive technology.

use egui::{Key, Theme, Ui, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use timeglass::ui::widgets::timeline::{self, Bar, TickKind, TimelineShape};

use super::stage::{check_tree, pictures, stage};

#[derive(Clone, Default)]
struct Model {
    shape: TimelineShape,
    pin: Option<usize>,
    is_dragging: bool,
}

fn model() -> Model {
    let bar = |bar: u16| Bar {
        from: f32::from(bar) / 180.0,
        to: f32::from(bar + 1) / 180.0,
        height: f32::from(bar * 37 % 101 * (bar % 13)),
    };
    let bars = (0..180).map(bar).collect();
    let shape = TimelineShape {
        bars,
        cursor: Some(0.51),
        cursor_label: "v118 of 231".to_owned(),
        step: 1.0 / 230.0,
        ticks: vec![
            (0.1, TickKind::Snapshot),
            (0.3, TickKind::Snapshot),
            (0.42, TickKind::WrongSnapshot),
            (0.72, TickKind::Trouble),
            (0.9, TickKind::Hit),
        ],
        labels: (0..12).map(|month| (month as f32 / 11.0, format!("2024-{:02}", month + 1))).collect(),
        gaps: vec![(0.62, "3 weeks".to_owned())],
        pins: vec![(0.2, "A".to_owned()), (0.8, "B".to_owned())],
    };
    Model { shape, ..Model::default() }
}

fn draw(ui: &mut Ui, model: &mut Model) {
    let response = timeline::timeline(ui, "Timeline", &model.shape, |share| format!("at {share:.2}"));
    if let Some(seek) = response.seek {
        model.shape.cursor = Some(seek);
    }
    model.pin = response.pin.or(model.pin);
    model.is_dragging = response.is_dragging;
}

fn strip() -> Harness<'static, Model> {
    stage(vec2(816.0, 90.0), Theme::Light, model(), draw)
}

/// The track is inset by 8 points of the stage's margin and 10 of its own.
fn check(cursor: Option<f32>, expected: f32) {
    let cursor = cursor.expect("a cursor");
    assert!((cursor - expected).abs() < 0.004, "{cursor} instead of {expected}");
}

#[test]
fn pictures_of_the_timeline() {
    pictures("timeline", vec2(900.0, 90.0), &model(), draw);
    pictures("timeline-narrow", vec2(300.0, 90.0), &model(), draw);
}

#[test]
fn the_timeline_can_be_read() {
    check_tree("timeline", &strip());
}

#[test]
fn a_click_and_a_drag_seek() {
    let mut harness = strip();
    let track = harness.get_by_label("Timeline").rect().shrink2(vec2(10.0, 0.0));
    let at = |share: f32| pos2(track.left() + share * track.width(), track.center().y);
    harness.drag_at(at(0.25));
    harness.step();
    harness.hover_at(at(0.5));
    harness.step();
    harness.hover_at(at(0.75));
    harness.step();
    assert!(harness.state().is_dragging);
    check(harness.state().shape.cursor, 0.75);
    harness.hover_at(at(1.0) + vec2(200.0, 0.0));
    harness.step();
    check(harness.state().shape.cursor, 1.0);
    harness.drop_at(at(0.4));
    harness.run();
    harness.hover_at(at(0.1));
    harness.run();
    harness.drag_at(at(0.1));
    harness.drop_at(at(0.1));
    harness.run();
    check(harness.state().shape.cursor, 0.1);
}

#[test]
fn where_a_quick_hand_lets_go_counts() {
    let mut harness = strip();
    let track = harness.get_by_label("Timeline").rect().shrink2(vec2(10.0, 0.0));
    let at = |share: f32| pos2(track.left() + share * track.width(), track.center().y);
    harness.drag_at(at(0.25));
    harness.step();
    harness.hover_at(at(0.5));
    harness.step();
    // Both within one frame.
    let released = egui::Event::PointerButton {
        pos: at(0.75),
        button: egui::PointerButton::Primary,
        pressed: false,
        modifiers: egui::Modifiers::NONE,
    };
    harness.input_mut().events.extend([egui::Event::PointerMoved(at(0.75)), released]);
    harness.step();
    check(harness.state().shape.cursor, 0.75);
}

#[test]
fn keys_step() {
    let mut harness = strip();
    harness.get_by_label("Timeline").focus();
    harness.run();
    harness.key_press(Key::Home);
    harness.run();
    check(harness.state().shape.cursor, 0.0);
    harness.key_press(Key::ArrowRight);
    harness.run();
    harness.key_press(Key::ArrowRight);
    harness.run();
    check(harness.state().shape.cursor, 2.0 / 230.0);
    harness.key_press(Key::ArrowLeft);
    harness.run();
    check(harness.state().shape.cursor, 1.0 / 230.0);
    harness.key_press(Key::End);
    harness.run();
    check(harness.state().shape.cursor, 1.0);
}

#[test]
fn assistive_technology_seeks() {
    let mut harness = strip();
    harness.get_by_label("Timeline").set_value_accesskit(0.25);
    harness.run();
    check(harness.state().shape.cursor, 0.25);
    harness.get_by_label("Timeline").increment_accesskit();
    harness.run();
    check(harness.state().shape.cursor, 0.25 + 1.0 / 230.0);
}

#[test]
fn a_pin_is_chosen() {
    let mut harness = strip();
    harness.get_by_label("Pinned point B").click();
    harness.run();
    assert_eq!(harness.state().pin, Some(1));
}

#[test]
fn what_a_tick_stands_for_is_told_to_the_pointer() {
    let mut harness = strip();
    let track = harness.get_by_label("Timeline").rect().shrink2(vec2(10.0, 0.0));
    let at = |share: f32| pos2(track.left() + share * track.width(), track.center().y);
    harness.hover_at(at(0.42));
    harness.run();
    harness.get_by_label("A stored snapshot that is not what the events make");
    harness.hover_at(at(0.5));
    harness.run();
    assert!(harness.query_by_label_contains("A stored snapshot").is_none());
}
