//! A table of any number of rows: only what is in view is asked for and drawn.
//!
//! The first row in view is kept as a number, so a billion rows scroll as smoothly as a hundred, and rows that
//! are not loaded yet keep their place.

mod body;
mod header;
mod layout;

pub(crate) use body::on_one_line;
pub use header::columns_ui;
pub use layout::{ColumnPlace, TableState};

use std::ops::Range;

use egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::{
    theme::{self, Palette},
    widgets::rows::{BAR, focus_frame, list_ui, row_by_key, scroll_rows},
};

/// A column that a table may show.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSpec {
    /// What tells it from the others, also between runs.
    pub key: String,
    /// What its header says.
    pub title: String,
    /// Its width before the user changes it, in points.
    pub width: f32,
    /// What stands in it.
    pub kind: ColumnKind,
    /// Whether a click on the header asks for an order.
    pub can_sort: bool,
    /// Whether it is shown before the user chooses.
    pub is_shown: bool,
}

/// What stands in a column: how it is aligned and in which type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words, left.
    Text,
    /// Values, ids, payloads: fixed width, left.
    Code,
    /// Numbers: fixed width, right.
    Number,
}

impl ColumnSpec {
    /// A column that is shown and not sortable.
    #[must_use]
    pub fn new(key: &str, title: &str, width: f32, kind: ColumnKind) -> Self {
        Self { key: key.to_owned(), title: title.to_owned(), width, kind, can_sort: false, is_shown: true }
    }

    /// The same, and a click on its header asks for an order.
    #[must_use]
    pub fn sortable(mut self) -> Self {
        self.can_sort = true;
        self
    }

    /// The same, and hidden until the user chooses it.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.is_shown = false;
        self
    }
}

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// Its text; what does not fit is elided and shown whole as a tooltip.
    pub text: String,
    /// How it is drawn.
    pub ink: Ink,
    /// A tooltip instead of the whole text.
    pub tooltip: Option<String>,
    /// The part of the text that was looked for, in bytes.
    pub mark: Option<Range<usize>>,
    /// Whether it is a name whose path goes first where there is no room, as in every cell of [`Ink::Name`].
    pub is_name: bool,
    /// Where the id begins in the name of a stream, in bytes: the category before it goes first where there is no
    /// room.
    pub id_at: usize,
}

/// How a cell is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ink {
    /// As text.
    #[default]
    Plain,
    /// With less weight.
    Soft,
    /// As what the store does not hold: null, nothing.
    Faint,
    /// In the colour of its own name: categories, event types.
    Name,
    /// As trouble, with a sign before it.
    Trouble,
    /// As being all right, with a sign before it.
    Fine,
    /// Not loaded yet: a grey bar keeps the place.
    Pending,
}

impl Cell {
    /// A cell of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A cell of text, drawn so.
    #[must_use]
    pub fn inked(text: impl Into<String>, ink: Ink) -> Self {
        Self { text: text.into(), ink, ..Self::default() }
    }

    /// A cell that is not loaded yet.
    #[must_use]
    pub fn pending() -> Self {
        Self::inked("", Ink::Pending)
    }

    /// The same, with a part of the text marked.
    #[must_use]
    pub fn with_mark(mut self, mark: Range<usize>) -> Self {
        self.mark = Some(mark);
        self
    }

    /// The same, as a name: where there is no room, a path before it goes, and what it is called stays.
    #[must_use]
    pub fn naming(mut self) -> Self {
        self.is_name = true;
        self
    }

    /// The same, as a stream's name whose id begins at so many bytes.
    #[must_use]
    pub fn with_id_at(mut self, id_at: usize) -> Self {
        self.id_at = id_at;
        self
    }

    /// The same, with a tooltip.
    #[must_use]
    pub fn with_tooltip(mut self, tooltip: impl Into<String>) -> Self {
        self.tooltip = Some(tooltip.into());
        self
    }
}

/// How a whole row stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowLook {
    /// Not at all.
    #[default]
    Plain,
    /// The cursor in time stands here: a bar of the accent at its left.
    Cursor,
    /// After the cursor: drawn faintly.
    Later,
    /// Has trouble: tinted, a mark at its left.
    Trouble,
    /// What happened at the cursor made it so: tinted, a mark at its left.
    Written,
    /// Is there no more: struck through and faint.
    Gone,
    /// The same, and it went at the cursor.
    GoneHere,
}

impl RowLook {
    /// Whether what stands in the row is faint.
    fn is_faint(self) -> bool {
        matches!(self, Self::Later | Self::Gone | Self::GoneHere)
    }

    /// Whether a line goes through the row.
    fn is_struck(self) -> bool {
        matches!(self, Self::Gone | Self::GoneHere)
    }
}

/// The order that a table is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting {
    /// The key of the column.
    pub key: String,
    /// Whether large comes first.
    pub is_descending: bool,
}

/// What a panel puts into the menu of a row.
type RowMenu<'a> = &'a mut dyn FnMut(&mut Ui, u64);

/// The same for a cell: the row, and the column's place among the given columns.
type CellMenu<'a> = &'a mut dyn FnMut(&mut Ui, u64, usize);

/// A table, to be shown once.
pub struct Table<'a> {
    id: Id,
    name: String,
    columns: &'a [ColumnSpec],
    rows: u64,
    selected: Option<u64>,
    sorting: Option<&'a Sorting>,
    scroll_to: Option<u64>,
    look: &'a dyn Fn(u64) -> RowLook,
    menu: Option<RowMenu<'a>>,
    cell_menu: Option<CellMenu<'a>>,
}

/// What the user did to a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableResponse {
    /// The first row in view.
    pub first_visible: u64,
    /// How many rows are in view, those in part counted.
    pub visible_rows: u64,
    /// A row was chosen by click or key.
    pub select: Option<u64>,
    /// A row was double-clicked, or Enter pressed on it.
    pub activate: Option<u64>,
    /// A row was clicked with the other button; its menu is open.
    pub context: Option<u64>,
    /// The header of the column with this key was clicked.
    pub sort: Option<String>,
    /// Columns were moved, resized, hidden or shown.
    pub is_layout_changed: bool,
    /// The user scrolled in this frame.
    pub is_scrolled: bool,
}

impl<'a> Table<'a> {
    /// A table; `name` is what assistive technology calls it and tells it from others in the window.
    #[must_use]
    pub fn new(name: &str, columns: &'a [ColumnSpec]) -> Self {
        Self {
            id: Id::unique(("table", name)),
            name: name.to_owned(),
            columns,
            rows: 0,
            selected: None,
            sorting: None,
            scroll_to: None,
            look: &|_| RowLook::Plain,
            menu: None,
            cell_menu: None,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// Which row is chosen.
    #[must_use]
    pub fn selected(mut self, row: Option<u64>) -> Self {
        self.selected = row;
        self
    }

    /// Which order the header shows.
    #[must_use]
    pub fn sorted(mut self, sorting: Option<&'a Sorting>) -> Self {
        self.sorting = sorting;
        self
    }

    /// Scrolls this row into view, no further than needed. Give it only in the frame that asks for it.
    #[must_use]
    pub fn scroll_to(mut self, row: Option<u64>) -> Self {
        self.scroll_to = row;
        self
    }

    /// How rows stand out.
    #[must_use]
    pub fn look(mut self, look: &'a dyn Fn(u64) -> RowLook) -> Self {
        self.look = look;
        self
    }

    /// The menu of a row, opened by the other mouse button.
    #[must_use]
    pub fn menu(mut self, menu: &'a mut dyn FnMut(&mut Ui, u64)) -> Self {
        self.menu = Some(menu);
        self
    }

    /// The menu of a cell, opened by the other mouse button.
    #[must_use]
    pub fn cell_menu(mut self, menu: &'a mut dyn FnMut(&mut Ui, u64, usize)) -> Self {
        self.cell_menu = Some(menu);
        self
    }

    /// Draws the table into the space that is left. `cell` is asked for the cells in view only: the row, and
    /// the column's place among the given columns.
    pub fn show(
        mut self,
        ui: &mut Ui,
        state: &mut TableState,
        mut cell: impl FnMut(u64, usize) -> Cell,
    ) -> TableResponse {
        let mut out = TableResponse::default();
        let whole = ui.available_rect_before_wrap();
        ui.allocate_rect(whole, Sense::HOVER);
        state.adopt(self.columns);
        let width = whole.width() - BAR;
        let lanes = state.lanes(self.columns, width);
        let head = Rect::from_min_size(whole.min, vec2(whole.width(), theme::HEADER));
        let mut body = Rect::from_min_max(pos2(whole.left(), head.bottom()), whole.max);
        if state.total_width(self.columns) > width {
            body.max.y -= BAR;
        }
        ui.painter().rect_filled(whole, 0.0, Palette::of(ui).panel);
        self.scroll_sideways(ui, whole, state, width);

        let mut list = list_ui(ui, self.id, whole, (Role::Grid, &self.name));
        list.ctx().accesskit_node_builder(self.id, |node| {
            node.set_row_count(usize::try_from(self.rows).unwrap_or(usize::MAX));
            node.set_column_count(lanes.len());
        });
        let before = state.scroll;
        let view = scroll_rows(&list, self.id, body, &mut state.scroll, (self.rows, theme::ROW));
        out.is_scrolled = before != state.scroll;
        let by_key = row_by_key(&list, self.id, self.selected, &view, self.rows);
        out.select = by_key;
        if let Some(row) = by_key.or(self.scroll_to).filter(|row| *row < self.rows) {
            state.scroll.reveal(row, view.shown());
        }
        let view = if by_key.or(self.scroll_to).is_some() {
            scroll_rows(&list, self.id, body, &mut state.scroll, (self.rows, theme::ROW))
        } else {
            view
        };
        self.rows_ui(&mut list, &view, &lanes, (&mut cell, &mut out));
        self.sideways_bar(&list, Rect::from_min_max(body.left_bottom(), whole.max), state, width);
        self.header_ui(&list, head, &lanes, (state, &mut out));
        focus_frame(&list, self.id, whole);
        // The list gives the focus up when it ends if the click was on a row of it, so it is given back after.
        drop(list);
        if out.select.is_some() {
            ui.memory_mut(|memory| memory.request_focus(self.id));
        }
        out.first_visible = view.first;
        out.visible_rows = view.end.saturating_sub(view.first);
        out
    }

    /// Columns that do not fit are reached by the wheel's other axis, or the wheel with Shift.
    fn scroll_sideways(&self, ui: &Ui, rect: Rect, state: &mut TableState, width: f32) {
        if ui.rect_contains_pointer(rect) {
            state.sideways -= ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.x));
        }
        let hidden = (state.total_width(self.columns) - width).max(0.0);
        state.sideways = state.sideways.clamp(0.0, hidden);
    }

    /// The bar under the rows, there only if the columns do not fit.
    fn sideways_bar(&self, ui: &Ui, rect: Rect, state: &mut TableState, width: f32) {
        let total = state.total_width(self.columns);
        if total <= width {
            return;
        }
        let track = rect.shrink2(vec2(0.0, 3.0));
        let response = ui.interact(rect, self.id.with("sideways"), Sense::DRAG);
        let share = track.width() / total;
        if response.dragged() {
            state.sideways = (state.sideways + response.drag_delta().x / share).clamp(0.0, total - width);
        }
        response.widget_info(|| WidgetInfo {
            value: Some(f64::from(state.sideways)),
            ..WidgetInfo::labeled(Role::ScrollBar, true, "Scroll sideways")
        });
        let left = track.left() + state.sideways * share;
        let thumb = Rect::from_min_size(pos2(left, track.top()), vec2(width * share, track.height()));
        let colours = Palette::of(ui);
        let is_held = response.hovered() || response.dragged();
        let colour = if is_held { colours.faint } else { colours.strong_line };
        ui.painter().rect_filled(thumb, 4.0, colour);
    }
}
