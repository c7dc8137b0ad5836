//! Scrolling over rows of one height, as many as there are.
//!
//! egui's own scroll area counts in points of single precision: it jumps at ten million rows and stands still
//! at a hundred million. Here the place is a row number in double precision, exact to a thousandth of a row at
//! a million million rows.

use egui::{
    Event, EventFilter, Id, Key, Modifiers, Pos2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::ui::theme::Palette;

/// The width that a scroll bar takes, in points.
pub const BAR: f32 = 12.0;

/// No thumb is shorter, so that it can be grabbed among a billion rows. In points.
const SHORTEST_THUMB: f32 = 28.0;

/// Where a list of rows is scrolled to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scroll {
    /// The row at the upper edge, and how much of it is above the edge.
    at: f64,
}

/// The rows that are in view, and where they lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowView {
    /// Where rows are drawn.
    pub rect: Rect,
    /// The first row in view, perhaps in part.
    pub first: u64,
    /// One past the last row in view.
    pub end: u64,
    /// The height of a row, in points.
    pub row_height: f32,
    at: f64,
}

impl Scroll {
    /// The row at the upper edge.
    #[must_use]
    pub fn top(self) -> u64 {
        self.at as u64
    }

    /// Puts a row at the upper edge.
    pub fn set_top(&mut self, row: u64) {
        self.at = row as f64;
    }

    /// Moves down by so many rows; negative moves up.
    pub fn move_by(&mut self, rows: f64) {
        self.at = (self.at + rows).max(0.0);
    }

    /// Moves no more than needed for a row to be in view whole, where `shown` rows fit.
    pub fn reveal(&mut self, row: u64, shown: f64) {
        let row = row as f64;
        if row < self.at {
            self.at = row;
        } else if row + 1.0 > self.at + shown {
            self.at = (row + 1.0 - shown).max(0.0);
        }
    }

    /// Stays within `count` rows of which `shown` fit.
    pub fn clamp(&mut self, count: u64, shown: f64) {
        self.at = self.at.min(count as f64 - shown).max(0.0);
    }

    /// Where the thumb starts and how long it is on a track of `track` points.
    #[must_use]
    pub fn thumb(self, count: u64, shown: f64, track: f32) -> (f32, f32) {
        let count = (count as f64).max(1.0);
        let length = (track * (shown / count).min(1.0) as f32).max(SHORTEST_THUMB).min(track);
        let hidden = (count - shown).max(f64::EPSILON);
        (((self.at / hidden).min(1.0) as f32) * (track - length), length)
    }

    /// Goes where the thumb's start was dragged to.
    pub fn drag_thumb_to(&mut self, start: f32, count: u64, shown: f64, track: f32) {
        let (_, length) = self.thumb(count, shown, track);
        let share = f64::from(start / (track - length).max(1.0)).clamp(0.0, 1.0);
        self.at = share * (count as f64 - shown).max(0.0);
    }
}

impl RowView {
    /// Where a row lies.
    #[must_use]
    pub fn row_rect(&self, row: u64) -> Rect {
        let above = (row as f64 - self.at) as f32 * self.row_height;
        let top = (self.rect.top() + above).round();
        Rect::from_min_size(pos2(self.rect.left(), top), vec2(self.rect.width(), self.row_height))
    }

    /// The row at a place, if there is one.
    #[must_use]
    pub fn row_at(&self, pos: Pos2) -> Option<u64> {
        let row = self.at + f64::from((pos.y - self.rect.top()) / self.row_height);
        (self.rect.contains(pos) && row >= 0.0 && (row as u64) < self.end).then_some(row as u64)
    }

    /// How many rows fit, the last perhaps in part.
    #[must_use]
    pub fn shown(&self) -> f64 {
        f64::from(self.rect.height() / self.row_height)
    }
}

/// Scrolls by wheel and bar within `rect`, draws the bar, and tells which rows to draw.
pub fn scroll_rows(
    ui: &Ui,
    id: Id,
    rect: Rect,
    scroll: &mut Scroll,
    (count, row_height): (u64, f32),
) -> RowView {
    let shown = f64::from(rect.height() / row_height).max(1.0);
    if ui.rect_contains_pointer(rect) {
        let wheel = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
        scroll.move_by(-f64::from(wheel / row_height));
    }
    let mut content = rect;
    if count as f64 > shown {
        let track = Rect::from_min_max(pos2(rect.right() - BAR, rect.top()), rect.max);
        content.max.x = track.left();
        scroll.clamp(count, shown);
        bar(ui, id.with("scroll bar"), track, scroll, (count, shown));
    }
    scroll.clamp(count, shown);
    let first = scroll.top();
    let end = ((scroll.at + shown).ceil() as u64).min(count);
    RowView { rect: content, first, end, row_height, at: scroll.at }
}

fn bar(ui: &Ui, id: Id, track: Rect, scroll: &mut Scroll, (count, shown): (u64, f64)) {
    let response = ui.interact(track, id, Sense::CLICK | Sense::DRAG);
    let (start, length) = scroll.thumb(count, shown, track.height());
    if let Some(pos) = response.interact_pointer_pos() {
        let along = pos.y - track.top();
        if response.drag_started() || response.clicked() {
            let on_thumb = (start..=start + length).contains(&along);
            if !on_thumb {
                let page = if along < start { -shown } else { shown };
                scroll.move_by(page * 0.9);
            }
            let grab = if on_thumb { along - start } else { f32::NAN };
            ui.data_mut(|data| data.insert_temp(id, grab));
        } else if response.dragged() {
            let grab = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(f32::NAN);
            if grab.is_finite() {
                scroll.drag_thumb_to(along - grab, count, shown, track.height());
            }
        }
    }
    scroll.clamp(count, shown);
    response.widget_info(|| WidgetInfo {
        value: Some(scroll.top() as f64),
        ..WidgetInfo::labeled(Role::ScrollBar, true, "Scroll")
    });
    let (start, length) = scroll.thumb(count, shown, track.height());
    let colours = Palette::of(ui);
    let colour = if response.hovered() || response.dragged() { colours.faint } else { colours.strong_line };
    let thumb =
        Rect::from_min_size(track.min + vec2(3.0, start), vec2(BAR - 5.0, length)).shrink2(vec2(0.0, 2.0));
    ui.painter().rect_filled(thumb, 4.0, colour);
}

/// A part of the window that holds a list: one stop for the Tab key, named for assistive technology.
///
/// Draw its rows into what this returns; they become its children in the accessible tree.
pub fn list_ui(ui: &mut Ui, id: Id, rect: Rect, (role, name): (Role, &str)) -> Ui {
    let builder = UiBuilder::new()
        .scope_id(id)
        .max_rect(rect)
        .sense(Sense::CLICK | Sense::FOCUSABLE)
        .accessibility_role(role)
        .accessibility_label(name);
    let mut list = ui.new_child(builder);
    list.set_clip_rect(rect.intersect(ui.clip_rect()));
    list.expand_to_include_rect(rect);
    if list.response().clicked() {
        list.memory_mut(|memory| memory.request_focus(id));
    }
    if list.memory(|memory| memory.has_focus(id)) {
        // Escape takes the focus away before anybody could ask who had it.
        list.data_mut(|data| data.insert_temp(Id::unique(LIST_WITH_FOCUS), name.to_owned()));
    }
    list
}

const LIST_WITH_FOCUS: &str = "list that had the focus";

/// The name of the list that had the keyboard's focus when the frame before was drawn; ask once a frame.
pub fn take_focused_list(ctx: &egui::Context) -> Option<String> {
    ctx.data_mut(|data| data.remove_temp(Id::unique(LIST_WITH_FOCUS)))
}

/// The row that the keyboard asks for while the widget `id` has the focus: arrows, page keys, Home and End.
pub fn row_by_key(ui: &Ui, id: Id, current: Option<u64>, view: &RowView, count: u64) -> Option<u64> {
    let last = count.checked_sub(1)?;
    if !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    ui.memory_mut(|memory| {
        let filter = EventFilter { vertical_arrows: true, horizontal_arrows: true, ..EventFilter::default() };
        memory.set_focus_lock_filter(id, filter);
    });
    let page = (view.shown() as u64).saturating_sub(1).max(1);
    let from = current.filter(|row| *row <= last);
    ui.input_mut(|input| {
        let mut asked = |key| input.consume_key(Modifiers::NONE, key);
        let row = if asked(Key::ArrowDown) {
            from.map_or(view.first, |row| row.saturating_add(1))
        } else if asked(Key::ArrowUp) {
            from.map_or(view.first, |row| row.saturating_sub(1))
        } else if asked(Key::PageDown) {
            from.unwrap_or(view.first).saturating_add(page)
        } else if asked(Key::PageUp) {
            from.unwrap_or(view.first).saturating_sub(page)
        } else if asked(Key::Home) {
            0
        } else if asked(Key::End) {
            last
        } else {
            return None;
        };
        Some(row.min(last))
    })
}

/// Whether the user asked to copy while the widget `id` has the focus.
pub fn copy_asked(ui: &Ui, id: Id) -> bool {
    ui.memory(|memory| memory.has_focus(id))
        && ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Copy)))
}

/// Draws the frame that shows the keyboard's focus on a list.
pub fn focus_frame(ui: &Ui, id: Id, rect: Rect) {
    if ui.memory(|memory| memory.has_focus(id)) {
        let stroke = egui::Stroke::new(1.0, Palette::of(ui).accent);
        ui.painter().rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Inside);
    }
}

#[cfg(test)]
mod tests {
    use super::Scroll;

    const BILLION: u64 = 1_000_000_000;

    fn check(before: f64, row: u64, after: f64) {
        let mut scroll = Scroll { at: before };
        scroll.reveal(row, 20.0);
        assert!(
            (scroll.at - after).abs() < 1e-6,
            "row {row} from {before}: {} instead of {after}",
            scroll.at
        );
    }

    #[test]
    fn revealing_a_row_moves_no_more_than_needed() {
        check(100.0, 110, 100.0);
        check(100.0, 100, 100.0);
        check(100.0, 119, 100.0);
        check(100.0, 120, 101.0);
        check(100.0, 99, 99.0);
        check(100.5, 100, 100.0);
        check(0.0, BILLION - 1, BILLION as f64 - 20.0);
    }

    #[test]
    fn a_billion_rows_scroll_by_one_row() {
        let mut scroll = Scroll::default();
        scroll.set_top(BILLION - 100);
        scroll.move_by(1.0);
        assert_eq!(scroll.top(), BILLION - 99);
        scroll.move_by(0.25);
        scroll.move_by(-0.25);
        assert_eq!(scroll.top(), BILLION - 99);
        scroll.move_by(1e12);
        scroll.clamp(BILLION, 20.0);
        assert_eq!(scroll.top(), BILLION - 20);
    }

    #[test]
    fn the_thumb_reaches_both_ends() {
        let mut scroll = Scroll::default();
        scroll.drag_thumb_to(1e6, BILLION, 20.0, 400.0);
        assert_eq!(scroll.top(), BILLION - 20);
        let (start, length) = scroll.thumb(BILLION, 20.0, 400.0);
        assert!((start + length - 400.0).abs() < 0.01, "{start} {length}");
        scroll.drag_thumb_to(-5.0, BILLION, 20.0, 400.0);
        assert_eq!(scroll.top(), 0);
        let (start, length) = Scroll::default().thumb(10, 20.0, 400.0);
        assert!(start.abs() < 0.01 && (length - 400.0).abs() < 0.01);
    }
}
