//! The header of a table: titles, order, widths, and the choice of columns.

use egui::{
    CursorIcon, Id, Popup, PopupCloseBehavior, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::ui::{
    theme::{self, Palette},
    widgets::{
        icon::Icon,
        table::{ColumnKind, ColumnSpec, Table, TableResponse, TableState, layout::Lane},
    },
};

/// How far from its edge a column can be grabbed, in points.
const GRIP: f32 = 4.0;

impl Table<'_> {
    pub(super) fn header_ui(
        &self,
        ui: &Ui,
        head: Rect,
        lanes: &[Lane],
        (state, out): (&mut TableState, &mut TableResponse),
    ) {
        let colours = Palette::of(ui);
        ui.painter().rect_filled(head, 0.0, colours.raised);
        ui.painter().hline(head.x_range(), head.bottom() - 0.5, Stroke::new(1.0, colours.line));
        let background = ui.interact(head, self.id.with("header"), Sense::CLICK);
        self.columns_menu(&background, state, out);
        for lane in lanes {
            let Some(spec) = self.columns.get(lane.column) else { continue };
            let rect = lane_rect(head, lane);
            let id = self.id.with(("column", &spec.key));
            let response = ui.interact(rect, id, Sense::CLICK | Sense::DRAG);
            self.title_ui(ui, rect, spec, &response);
            if response.clicked() && spec.can_sort {
                out.sort = Some(spec.key.clone());
            }
            self.columns_menu(&response, state, out);
            Self::reorder(ui, (head, lanes), (lane, &response), (state, out));
        }
        for lane in lanes {
            self.edge_ui(ui, head, lane, (state, out));
        }
    }

    fn title_ui(&self, ui: &Ui, rect: Rect, spec: &ColumnSpec, response: &Response) {
        let colours = Palette::of(ui);
        let sorting = self.sorting.filter(|sorting| sorting.key == spec.key);
        response.widget_info(|| {
            let order = match sorting {
                Some(sorting) if sorting.is_descending => ", descending",
                Some(_) => ", ascending",
                None => "",
            };
            WidgetInfo::labeled(Role::ColumnHeader, true, format!("{}{order}", spec.title))
        });
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        if response.hovered() && spec.can_sort {
            painter.rect_filled(rect.shrink2(vec2(0.5, 1.0)), 0.0, colours.lifted);
        }
        let ink = if sorting.is_some() { colours.text } else { colours.soft };
        let mut inner = rect.shrink2(vec2(8.0, 0.0));
        if let Some(sorting) = sorting {
            let place = pos2(inner.right() - 5.0, inner.center().y);
            let icon = if sorting.is_descending { Icon::Down } else { Icon::Up };
            icon.paint(&painter, Rect::from_center_size(place, vec2(12.0, 12.0)), colours.accent);
            inner.max.x -= 14.0;
        }
        let galley = painter.layout_no_wrap(spec.title.clone(), theme::small(), ink);
        let x = match spec.kind {
            ColumnKind::Number => (inner.right() - galley.size().x).max(inner.left()),
            ColumnKind::Text | ColumnKind::Code => inner.left(),
        };
        painter.galley(pos2(x, inner.center().y - galley.size().y / 2.0), galley, ink);
    }

    /// Dragging a title shows where it would go, and dropping it moves it there.
    fn reorder(
        ui: &Ui,
        (head, lanes): (Rect, &[Lane]),
        (lane, response): (&Lane, &Response),
        (state, out): (&mut TableState, &mut TableResponse),
    ) {
        if !(response.dragged() || response.drag_stopped()) {
            return;
        }
        let Some(pos) = response.interact_pointer_pos() else { return };
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        let target = lanes.iter().find(|other| pos.x < head.left() + other.left + other.width / 2.0);
        let x = target.map_or_else(|| head.right(), |other| head.left() + other.left);
        if response.drag_stopped() {
            let before = target.map_or(state.columns.len(), |other| other.place);
            if before != lane.place && before != lane.place + 1 {
                state.move_column(lane.place, before);
                out.is_layout_changed = true;
            }
        } else {
            let stroke = Stroke::new(2.0, Palette::of(ui).accent);
            ui.painter().vline(x, head.y_range(), stroke);
        }
    }

    fn edge_ui(&self, ui: &Ui, head: Rect, lane: &Lane, (state, out): (&mut TableState, &mut TableResponse)) {
        let Some(spec) = self.columns.get(lane.column) else { return };
        let right = lane_rect(head, lane).right();
        let grip = Rect::from_x_y_ranges(right - GRIP..=right + GRIP, head.y_range());
        let response = ui.interact(grip, self.id.with(("edge", &spec.key)), Sense::CLICK | Sense::DRAG);
        let response = response.on_hover_and_drag_cursor(CursorIcon::ResizeColumn);
        response.widget_info(|| WidgetInfo {
            value: Some(f64::from(lane.width)),
            ..WidgetInfo::labeled(Role::Splitter, true, format!("Width of {}", spec.title))
        });
        if response.dragged() {
            state.resize(lane.place, lane.width + response.drag_delta().x);
            out.is_layout_changed = true;
        }
        if response.double_clicked() {
            state.resize(lane.place, spec.width);
            out.is_layout_changed = true;
        }
        let colours = Palette::of(ui);
        let is_held = response.hovered() || response.dragged();
        let stroke = Stroke::new(1.0, if is_held { colours.accent } else { colours.line });
        ui.painter().vline(right - 0.5, head.shrink(if is_held { 0.0 } else { 6.0 }).y_range(), stroke);
    }

    fn columns_menu(&self, response: &Response, state: &mut TableState, out: &mut TableResponse) {
        Popup::context_menu(response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            out.is_layout_changed |= columns_ui(ui, self.columns, state);
        });
    }
}

/// The choice of columns, for a menu of the panel as well; tells whether it was changed.
pub fn columns_ui(ui: &mut Ui, columns: &[ColumnSpec], state: &mut TableState) -> bool {
    state.adopt(columns);
    let mut is_changed = false;
    for spec in columns {
        let others = state.columns.iter().filter(|place| place.is_shown && place.key != spec.key).count();
        let Some(place) = state.columns.iter_mut().find(|place| place.key == spec.key) else { continue };
        let may_change = !place.is_shown || others > 0;
        let checkbox = egui::Checkbox::new(&mut place.is_shown, spec.title.as_str());
        is_changed |= ui.add_enabled(may_change, checkbox).changed();
    }
    ui.separator();
    if ui.button("Reset columns").clicked() {
        state.reset(columns);
        is_changed = true;
        ui.close();
    }
    is_changed
}

/// Where the part of a column in a strip of the table lies.
pub(super) fn lane_rect(strip: Rect, lane: &Lane) -> Rect {
    Rect::from_min_size(pos2(strip.left() + lane.left, strip.top()), vec2(lane.width, strip.height()))
}

/// The id of a row, from which its parts derive theirs.
pub(super) fn row_id(table: Id, row: u64) -> Id {
    table.with(("row", row))
}
