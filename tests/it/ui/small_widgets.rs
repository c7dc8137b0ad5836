//! Bytes, changes, transport buttons, notices, empty panels.

use egui::{Key, Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use timeglass::{
    model::{Change, Json, Pointer, diff},
    ui::widgets::{
        diff::{DiffState, diff_list},
        empty::empty_panel,
        hex::hex_view,
        icon::Icon,
        notice::{NoticeRequest, NoticeText, Severity, notice},
        rows::Scroll,
        transport::{TransportRequest, TransportShape, transport},
    },
};

use super::stage::{accessible_tree, check_tree, pictures, stage};

fn bytes() -> Vec<u8> {
    (0..2000_u32)
        .map(|index| {
            if index < 40 {
                b"{\"amount\":\"12.50\",\"currency\":\"EUR\",  }  "[index as usize]
            } else {
                (index * 7 % 256) as u8
            }
        })
        .collect()
}

#[test]
fn bytes_are_shown_whole_and_cost_what_is_in_view() {
    let draw = |ui: &mut Ui, scroll: &mut Scroll| hex_view(ui, "Stored bytes", &bytes(), scroll);
    pictures("hex", vec2(640.0, 220.0), &Scroll::default(), draw);
    let hundred_megabytes = vec![0_u8; 100_000_000];
    let draw =
        move |ui: &mut Ui, scroll: &mut Scroll| hex_view(ui, "Stored bytes", &hundred_megabytes, scroll);
    let mut harness = stage(vec2(640.0, 220.0), Theme::Light, Scroll::default(), draw);
    harness.get_by_label("Stored bytes").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    harness.get_by_label_contains("5f5e0f0: 00 00");
    assert!(accessible_tree(&harness).lines().count() < 20);
}

#[derive(Clone)]
struct Diff {
    changes: Vec<Change>,
    state: DiffState,
    chosen: Option<Pointer>,
}

fn changes() -> Diff {
    let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
    let old = read(
        r#"{"status":"open","total":"12.50","items":[{"sku":"a"}],"note":"by phone","address":{"city":"Αθήνα"}}"#,
    );
    let new = read(
        r#"{"status":"paid","total":"25.00","items":[{"sku":"a"},{"sku":"b","quantity":2}],"address":{"city":"Москва"},"paid_at":"2024-03-01T09:51:00Z"}"#,
    );
    Diff { changes: diff(&old, &new), state: DiffState::default(), chosen: None }
}

fn draw_diff(ui: &mut Ui, model: &mut Diff) {
    let chosen = diff_list(ui, "Changes", &model.changes, &mut model.state);
    model.chosen = chosen.or_else(|| model.chosen.take());
}

#[test]
fn changes_are_listed_and_chosen() {
    pictures("diff", vec2(520.0, 170.0), &changes(), draw_diff);
    let mut harness = stage(vec2(520.0, 170.0), Theme::Light, changes(), draw_diff);
    check_tree("diff", &harness);
    harness.get_by_label_contains("/status changed").click();
    harness.run();
    assert_eq!(harness.state().chosen.as_ref().map(ToString::to_string).as_deref(), Some("/status"));
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert_eq!(harness.state().chosen.as_ref().map(ToString::to_string).as_deref(), Some("/total"));
}

#[derive(Clone, Default)]
struct Controls {
    asked: Option<TransportRequest>,
    notice: Option<NoticeRequest>,
    is_clicked: bool,
}

fn draw_transport(ui: &mut Ui, controls: &mut Controls) {
    let shape = TransportShape { is_playing: false, can_go_back: false, can_go_on: true, speed: 10.0 };
    controls.asked = transport(ui, shape).or(controls.asked);
}

#[test]
fn the_transport_moves_through_time() {
    pictures("transport", vec2(260.0, 46.0), &Controls::default(), draw_transport);
    let mut harness = stage(vec2(300.0, 300.0), Theme::Light, Controls::default(), draw_transport);
    check_tree("transport", &harness);
    harness.get_by_label("Step forward (→)").click();
    harness.run();
    assert_eq!(harness.state().asked, Some(TransportRequest::StepForward));
    harness.get_by_label("Speed").click();
    harness.run();
    harness.get_by_label("50 /s").click();
    harness.run();
    assert_eq!(harness.state().asked, Some(TransportRequest::Speed(50.0)));
}

fn draw_notices(ui: &mut Ui, controls: &mut Controls) {
    for (severity, title, detail, hint) in [
        (
            Severity::Trouble,
            "The file is not a database",
            "shop.sqlite begins with \"PK\", as a zip archive does.",
            "Unpack it first, then open the file inside.",
        ),
        (Severity::Warning, "3 events could not be read", "", "They are listed under Problems."),
        (Severity::Done, "Copied 12 events", "", ""),
        (Severity::Info, "State is the merge of all event data", "There is no reducer for Order.", ""),
    ] {
        let text = NoticeText { severity, title: title.into(), detail: detail.into(), hint: hint.into() };
        controls.notice = ui.push_id(title, |ui| notice(ui, &text)).inner.or(controls.notice);
    }
}

#[test]
fn notices_are_read_copied_and_dismissed() {
    pictures("notice", vec2(520.0, 260.0), &Controls::default(), draw_notices);
    let mut harness = stage(vec2(520.0, 260.0), Theme::Light, Controls::default(), draw_notices);
    check_tree("notice", &harness);
    harness.get_all_by_label("Copy this notice").next().unwrap().click();
    harness.run();
    assert_eq!(harness.state().notice, Some(NoticeRequest::Copy));
    harness.get_all_by_label("Dismiss").next().unwrap().click();
    harness.run();
    assert_eq!(harness.state().notice, Some(NoticeRequest::Dismiss));
}

fn draw_empty(ui: &mut Ui, controls: &mut Controls) {
    let hint = "Choose a stream on the left, or press Ctrl+F to find one";
    controls.is_clicked |= empty_panel(ui, Icon::Database, "No stream chosen", hint, Some("Show all events"));
}

#[test]
fn an_empty_panel_says_what_to_do() {
    pictures("empty", vec2(480.0, 260.0), &Controls::default(), draw_empty);
    let mut harness = stage(vec2(480.0, 260.0), Theme::Light, Controls::default(), draw_empty);
    check_tree("empty", &harness);
    harness.get_by_label("Show all events").click();
    harness.run();
    assert!(harness.state().is_clicked);
}

const ICONS: [Icon; 25] = [
    Icon::First,
    Icon::StepBack,
    Icon::Play,
    Icon::Pause,
    Icon::StepForward,
    Icon::Last,
    Icon::Pin,
    Icon::Search,
    Icon::Folder,
    Icon::Close,
    Icon::Right,
    Icon::Down,
    Icon::Up,
    Icon::Copy,
    Icon::Warning,
    Icon::Trouble,
    Icon::Info,
    Icon::Check,
    Icon::Plus,
    Icon::Minus,
    Icon::Tilde,
    Icon::Columns,
    Icon::Database,
    Icon::Hourglass,
    Icon::Snapshot,
];

#[test]
fn pictures_of_the_icons() {
    pictures("icons", vec2(520.0, 110.0), &(), |ui, ()| {
        for side in [32.0, 16.0] {
            ui.horizontal_wrapped(|ui| {
                for icon in ICONS {
                    let (rect, _) = ui.allocate_exact_size(vec2(side, side), egui::Sense::HOVER);
                    icon.paint(ui.painter(), rect, ui.visuals().text_color());
                }
            });
        }
    });
}
