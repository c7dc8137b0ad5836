//! The table: a billion rows, keys, clicks, columns.

use std::{cell::Cell as Counter, rc::Rc};

use egui::{Key, Theme, Ui, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use timeglass::ui::widgets::table::{
    Cell, ColumnKind, ColumnSpec, Ink, RowLook, Sorting, Table, TableResponse, TableState,
};

use super::stage::{check_tree, pictures, stage};

#[derive(Clone, Default)]
struct Model {
    state: TableState,
    rows: u64,
    selected: Option<u64>,
    scroll_to: Option<u64>,
    asked: Rc<Counter<u64>>,
    last: TableResponse,
    activated: Option<u64>,
    sort: Option<String>,
}

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("position", "Position", 90.0, ColumnKind::Number).sortable(),
        ColumnSpec::new("time", "Time (UTC)", 195.0, ColumnKind::Code).sortable(),
        ColumnSpec::new("stream", "Stream", 150.0, ColumnKind::Code),
        ColumnSpec::new("version", "Ver", 52.0, ColumnKind::Number),
        ColumnSpec::new("type", "Type", 140.0, ColumnKind::Text),
        ColumnSpec::new("data", "Data", 200.0, ColumnKind::Code),
        ColumnSpec::new("actor", "Actor", 80.0, ColumnKind::Text).hidden(),
    ]
}

fn cell(row: u64, column: usize) -> Cell {
    if (9..12).contains(&row) {
        return Cell::pending();
    }
    let kind = ["OrderCreated", "ItemAdded", "PaymentReceived", "OrderShipped"][(row % 4) as usize];
    match column {
        0 => Cell::text((row + 1).to_string()),
        1 => Cell::inked(format!("2024-03-01 09:{:02}:00.211", row % 60), Ink::Soft),
        2 => Cell::text(format!("order-{}", 4711 + row % 7)),
        3 => Cell::text((row / 7).to_string()),
        4 => Cell::inked(kind, Ink::Name),
        5 if row == 6 => Cell::inked("not JSON: expected a value at byte 0", Ink::Trouble),
        5 => Cell::text(format!(
            "{{\"order\":{row},\"item\":\"Καφές Ελληνικός\",\"price\":\"12.50\",\"note\":\"a != b → c\"}}"
        )),
        _ => Cell::text("maria"),
    }
}

fn draw(ui: &mut Ui, model: &mut Model) {
    let sorting = Sorting { key: "position".into(), is_descending: false };
    let look = |row| match row {
        4 => RowLook::Cursor,
        5 | 7.. => RowLook::Later,
        6 => RowLook::Trouble,
        _ => RowLook::Plain,
    };
    let asked = Rc::clone(&model.asked);
    let response = Table::new("Events", &columns())
        .rows(model.rows)
        .selected(model.selected)
        .sorted(Some(&sorting))
        .scroll_to(model.scroll_to.take())
        .look(&look)
        .menu(&mut |ui, row| drop(ui.button(format!("Copy event {row}"))))
        .show(ui, &mut model.state, |row, column| {
            asked.set(asked.get() + 1);
            cell(row, column)
        });
    model.selected = response.select.or(model.selected);
    model.activated = response.activate.or(model.activated);
    if response.sort.is_some() {
        model.sort.clone_from(&response.sort);
    }
    model.last = response;
}

fn table(rows: u64) -> Harness<'static, Model> {
    stage(vec2(860.0, 360.0), Theme::Light, Model { rows, ..Model::default() }, draw)
}

#[test]
fn pictures_of_the_table() {
    pictures("table", vec2(860.0, 360.0), &Model { rows: 1376, selected: Some(2), ..Model::default() }, draw);
    pictures("table-narrow", vec2(420.0, 160.0), &Model { rows: 1376, ..Model::default() }, draw);
    pictures("table-empty", vec2(500.0, 120.0), &Model::default(), draw);
}

#[test]
fn the_table_can_be_read() {
    let harness = stage(
        vec2(860.0, 160.0),
        Theme::Light,
        Model { rows: 9, selected: Some(1), ..Model::default() },
        draw,
    );
    check_tree("table", &harness);
}

#[test]
fn a_billion_rows_cost_what_is_in_view() {
    let mut harness = table(1_000_000_000);
    harness.state_mut().scroll_to = Some(500_000_000);
    harness.run();
    let before = harness.state().asked.get();
    harness.step();
    let asked = harness.state().asked.get() - before;
    assert!(asked <= 18 * 6, "{asked} cells for one frame");
    let last = &harness.state().last;
    assert_eq!(last.first_visible + last.visible_rows, 500_000_001, "moved just far enough");
    let row = harness.state().last.first_visible + 1;
    harness.get_by_label_contains(&format!("Position: {},", row + 1)).click();
    harness.run();
    assert_eq!(harness.state().selected, Some(row));
    harness.key_press(Key::End);
    harness.run();
    assert_eq!(harness.state().selected, Some(999_999_999));
    harness.key_press(Key::ArrowUp);
    harness.run();
    assert_eq!(harness.state().selected, Some(999_999_998));
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().activated, Some(999_999_998));
    harness.key_press(Key::Home);
    harness.key_press(Key::PageDown);
    harness.run();
    assert!((10..20).contains(&harness.state().selected.unwrap()), "{:?}", harness.state().selected);
}

#[test]
fn the_wheel_moves_by_rows() {
    let mut harness = table(1_000_000_000);
    harness.hover_at(egui::pos2(300.0, 200.0));
    harness.run();
    let wheel = egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, -440.0),
        phase: egui::TouchPhase::Move,
        modifiers: egui::Modifiers::NONE,
        source: egui::MouseWheelSource::Wheel,
    };
    harness.event(wheel);
    harness.run();
    assert_eq!(harness.state().last.first_visible, 20);
}

#[test]
fn headers_sort_and_columns_are_chosen() {
    let mut harness = table(100);
    harness.get_by_label("Time (UTC)").click();
    harness.run();
    assert_eq!(harness.state().sort.as_deref(), Some("time"));
    harness.get_by_label("Data").click_secondary();
    harness.run();
    harness.get_by_role_and_label(egui::accesskit::Role::CheckBox, "Stream").click();
    harness.run();
    let stream = harness.state().state.columns.iter().find(|place| place.key == "stream").unwrap();
    assert!(!stream.is_shown);
    assert!(harness.query_by_role_and_label(egui::accesskit::Role::ColumnHeader, "Stream").is_none());
}

#[test]
fn a_header_is_dragged_to_another_place() {
    let mut harness = table(100);
    let from = harness.get_by_label("Type").rect().center();
    let to = harness.get_by_label("Time (UTC)").rect().left_center() + vec2(10.0, 0.0);
    harness.drag_at(from);
    harness.step();
    for share in [0.2, 0.5, 0.8, 1.0] {
        harness.hover_at(from.lerp(to, share));
        harness.step();
    }
    harness.drop_at(to);
    harness.run();
    let keys: Vec<&str> = harness.state().state.columns.iter().map(|place| place.key.as_str()).collect();
    assert_eq!(keys, ["position", "type", "time", "stream", "version", "data", "actor"]);
}

#[test]
fn a_click_with_the_other_button_opens_the_menu_of_the_row() {
    let mut harness = table(100);
    harness.get_by_label_contains("Position: 3,").click_secondary();
    harness.run();
    assert_eq!(harness.state().selected, Some(2));
    harness.get_by_label("Copy event 2");
}

#[test]
fn columns_that_do_not_fit_are_reached_sideways() {
    let mut harness = stage(vec2(420.0, 160.0), Theme::Light, Model { rows: 20, ..Model::default() }, draw);
    let before = harness.get_by_label("Data").rect().left();
    let bar = harness.get_by_label("Scroll sideways").rect();
    harness.drag_at(bar.left_center() + vec2(20.0, 0.0));
    harness.step();
    harness.hover_at(bar.right_center());
    harness.step();
    harness.drop_at(bar.right_center());
    harness.run();
    let after = harness.get_by_label("Data").rect();
    assert!(after.left() < before && after.right() <= 420.0, "{after} after {before}");
}
