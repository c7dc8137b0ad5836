//! The rows of a table.

use egui::{
    Align2, Color32, FontId, Key, Modifiers, Rect, Response, Role, Sense, TextFormat, Ui, WidgetInfo, pos2,
    text::LayoutJob, vec2,
};

use crate::ui::{
    theme::{self, Palette},
    widgets::{
        class_path::{fitting_end, width_of, with_short_category},
        icon::Icon,
        rows::RowView,
        table::{
            Cell, ColumnKind, Ink, RowLook, Table, TableResponse,
            header::{lane_rect, row_id},
            layout::Lane,
        },
    },
};

/// Longer texts are cut before they are laid out; no column shows more. In characters.
const LONGEST: usize = 500;

/// No letter of text is narrower, but for a few; in points. Longer texts than may fit are not laid out: most of
/// what a frame takes is that.
const NARROWEST: f32 = 2.6;

/// The same of code.
const NARROWEST_CODE: f32 = 4.0;

/// No tooltip is longer, in characters.
const LONGEST_TOOLTIP: usize = 2000;

type Cells<'a> = &'a mut dyn FnMut(u64, usize) -> Cell;

impl Table<'_> {
    pub(super) fn rows_ui(
        &mut self,
        ui: &mut Ui,
        view: &RowView,
        lanes: &[Lane],
        (cells, out): (Cells<'_>, &mut TableResponse),
    ) {
        let clip = ui.clip_rect();
        ui.set_clip_rect(view.rect.intersect(clip));
        for row in view.first..view.end {
            let rect = view.row_rect(row);
            let response = ui.interact(rect, row_id(self.id, row), Sense::CLICK);
            self.ground(ui, rect, row, &response);
            let shown: Vec<(&Lane, Cell)> =
                lanes.iter().map(|lane| (lane, cells(row, lane.column))).collect();
            self.name_row(&response, row, &shown);
            let is_later = (self.look)(row).is_faint();
            let mut elided = None;
            for (lane, cell) in &shown {
                let place = lane_rect(rect, lane);
                let is_elided = self.cell_ui(ui, place, (lane, cell), is_later);
                let is_pointed = response.hover_pos().is_some_and(|pos| place.contains(pos));
                if is_pointed && (is_elided || cell.tooltip.is_some()) {
                    elided =
                        Some(cell.tooltip.clone().unwrap_or_else(|| start_of(&cell.text, LONGEST_TOOLTIP)));
                }
            }
            self.strike(ui, rect, row, lanes);
            Self::answer(row, &response, out);
            if let Some(menu) = &mut self.menu {
                response.context_menu(|ui| menu(ui, row));
            }
            if let Some(menu) = &mut self.cell_menu {
                let column = menu_column(&response, rect, lanes);
                response.context_menu(|ui| menu(ui, row, column));
            }
            if let Some(text) = elided {
                response.on_hover_ui_at_pointer(|ui| {
                    ui.label(egui::RichText::new(text).font(theme::mono()));
                });
            }
        }
        ui.set_clip_rect(clip);
        let is_focused = ui.memory(|memory| memory.has_focus(self.id));
        if is_focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) {
            out.activate = self.selected;
        }
    }

    fn answer(row: u64, response: &Response, out: &mut TableResponse) {
        if response.clicked() || response.secondary_clicked() {
            out.select = Some(row);
        }
        if response.secondary_clicked() {
            out.context = Some(row);
        }
        if response.double_clicked() {
            out.activate = Some(row);
        }
    }

    fn ground(&self, ui: &Ui, rect: Rect, row: u64, response: &Response) {
        let colours = Palette::of(ui);
        let look = (self.look)(row);
        let ground = if self.selected == Some(row) {
            Some(colours.selection)
        } else if response.hovered() || response.context_menu_opened() {
            Some(colours.hover)
        } else {
            match look {
                RowLook::Trouble => Some(colours.trouble.ground),
                RowLook::Written => Some(colours.changed.ground),
                RowLook::GoneHere => Some(colours.removed.ground),
                RowLook::Plain | RowLook::Cursor | RowLook::Later | RowLook::Gone => None,
            }
        };
        if let Some(ground) = ground {
            ui.painter().rect_filled(rect, 0.0, ground);
        }
        let mark = match look {
            RowLook::Cursor => Some(colours.accent),
            RowLook::Trouble => Some(colours.trouble.ink),
            RowLook::Written => Some(colours.changed.ink),
            RowLook::GoneHere => Some(colours.removed.ink),
            RowLook::Plain | RowLook::Later | RowLook::Gone => None,
        };
        if let Some(mark) = mark {
            ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 0.0, mark);
        }
    }

    /// A line through a row that is there no more.
    fn strike(&self, ui: &Ui, rect: Rect, row: u64, lanes: &[Lane]) {
        if !(self.look)(row).is_struck() {
            return;
        }
        let end = lanes.iter().map(|lane| lane.left + lane.width).fold(0.0, f32::max);
        let right = (rect.left() + end).min(rect.right()) - 8.0;
        let line = egui::Rangef::new(rect.left() + 8.0, right);
        ui.painter().hline(line, rect.center().y, egui::Stroke::new(1.0, Palette::of(ui).faint));
    }

    /// A row is read as its cells with the titles of their columns.
    fn name_row(&self, response: &Response, row: u64, shown: &[(&Lane, Cell)]) {
        let is_selected = self.selected == Some(row);
        response.widget_info(|| {
            let parts = shown.iter().filter_map(|(lane, cell)| {
                let title = &self.columns.get(lane.column)?.title;
                let text = if cell.ink == Ink::Pending { "loading" } else { cell.text.as_str() };
                (!text.is_empty()).then(|| format!("{title}: {}", start_of(text, 80)))
            });
            let mut name = parts.collect::<Vec<_>>().join(", ");
            match (self.look)(row) {
                RowLook::Cursor => name.push_str(", at the cursor"),
                RowLook::Trouble => name.push_str(", has trouble"),
                RowLook::Written => name.push_str(", written at the cursor"),
                RowLook::Gone => name.push_str(", deleted"),
                RowLook::GoneHere => name.push_str(", deleted at the cursor"),
                RowLook::Plain | RowLook::Later => (),
            }
            WidgetInfo::labeled(Role::Row, true, name)
        });
        response.ctx.accesskit_node_builder(response.id, |node| {
            node.set_row_index(usize::try_from(row).unwrap_or(usize::MAX));
            node.set_selected(is_selected);
        });
    }

    /// Draws a cell; tells whether its text was elided.
    fn cell_ui(&self, ui: &Ui, rect: Rect, (lane, cell): (&Lane, &Cell), is_later: bool) -> bool {
        let colours = Palette::of(ui);
        let kind = self.columns.get(lane.column).map_or(ColumnKind::Text, |spec| spec.kind);
        let mut inner = rect.shrink2(vec2(8.0, 0.0));
        if inner.right() < ui.clip_rect().left() || inner.left() > ui.clip_rect().right() {
            return false;
        }
        if cell.ink == Ink::Pending {
            let width = inner.width() * 0.6;
            let align = if kind == ColumnKind::Number { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
            let bar = align.align_size_within_rect(vec2(width, 8.0), inner);
            ui.painter().rect_filled(bar, 3.0, colours.lifted);
            return false;
        }
        let ink = match cell.ink {
            Ink::Plain | Ink::Pending if !is_later => colours.text,
            Ink::Plain | Ink::Pending | Ink::Faint => colours.faint,
            Ink::Soft => {
                if is_later {
                    colours.faint
                } else {
                    colours.soft
                }
            }
            Ink::Name => colours.of_name(&cell.text),
            Ink::Trouble => colours.trouble.ink,
            Ink::Fine => colours.added.ink,
        };
        let sign = match cell.ink {
            Ink::Trouble => Some(Icon::Warning),
            Ink::Fine => Some(Icon::Check),
            Ink::Plain | Ink::Soft | Ink::Faint | Ink::Name | Ink::Pending => None,
        };
        if let Some(icon) = sign {
            let sign = Rect::from_center_size(pos2(inner.left() + 6.0, inner.center().y), vec2(13.0, 13.0));
            icon.paint(ui.painter(), sign, ink);
            inner.min.x += 18.0;
        }
        let (font, narrowest) = match kind {
            ColumnKind::Text => (theme::body(), NARROWEST),
            ColumnKind::Code | ColumnKind::Number => (theme::mono(), NARROWEST_CODE),
        };
        let width = inner.width().max(0.0);
        let laid_out = |cell: &Cell| {
            let most = (width / narrowest) as usize + 2;
            let mut job = cell_job(cell, font.clone(), most, colours.changed.ground);
            job.wrap = egui::text::TextWrapping::truncate_at_width(width);
            ui.painter().layout_job(job)
        };
        let mut galley = laid_out(cell);
        let is_elided = galley.elided;
        if let Some(shown) = is_elided.then(|| shortened(ui, cell, &font, width)).flatten() {
            galley = laid_out(&Cell::text(shown));
        }
        let x = if kind == ColumnKind::Number { inner.right() - galley.size().x } else { inner.left() };
        let place = pos2(x.max(inner.left()), inner.center().y - galley.size().y / 2.0);
        ui.painter().galley(place, galley, ink);
        is_elided
    }
}

/// What is shown of a name that does not fit, behind what stands before the name; nothing where the cell is cut
/// at its end.
fn shortened(ui: &Ui, cell: &Cell, font: &FontId, width: f32) -> Option<String> {
    let is_name = cell.ink == Ink::Name || cell.is_name || cell.id_at > 0;
    if !is_name || cell.mark.is_some() || cell.text.len() > LONGEST || cell.text.contains(char::is_control) {
        return None;
    }
    if cell.id_at > 0 {
        return with_short_category(ui, &cell.text, cell.id_at, font, width);
    }
    let name = cell.text.trim_start_matches(['▾', '▸', ' ']);
    let lead = cell.text.strip_suffix(name).unwrap_or_default();
    let taken = if lead.is_empty() { 0.0 } else { width_of(ui, lead, font) };
    fitting_end(ui, name, font, width - taken).map(|end| format!("{lead}{end}"))
}

/// The text of a cell, with its mark: no more of it than may fit. Its colour is left to the painter, so that
/// what was laid out stands in any ink and theme.
fn cell_job(cell: &Cell, font: FontId, most: usize, ground: Color32) -> LayoutJob {
    let ink = Color32::PLACEHOLDER;
    let marked = cell.mark.as_ref().and_then(|mark| {
        let rest = cell.text.get(mark.end..)?;
        Some((cell.text.get(..mark.start)?, cell.text.get(mark.clone())?, rest))
    });
    let Some((before, marked, after)) = marked else {
        return LayoutJob::simple_singleline(cut_line(&cell.text, most.min(LONGEST)), font, ink);
    };
    let format = TextFormat::simple(font, ink);
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    job.append(&on_one_line(before), 0.0, format.clone());
    job.append(&on_one_line(marked), 0.0, TextFormat { background: ground, ..format.clone() });
    job.append(&cut_line(after, most.min(LONGEST)), 0.0, format);
    job
}

/// The column whose cell was clicked with the other button. Kept while the menu is open: the pointer leaves.
fn menu_column(response: &Response, row: Rect, lanes: &[Lane]) -> usize {
    let id = response.id.with("menu column");
    if response.secondary_clicked() {
        let at = response.interact_pointer_pos();
        let found = lanes.iter().find(|lane| at.is_some_and(|at| lane_rect(row, lane).contains(at)));
        let column = found.or_else(|| lanes.first()).map_or(0, |lane| lane.column);
        response.ctx.data_mut(|data| data.insert_temp(id, column));
    }
    response.ctx.data(|data| data.get_temp(id)).unwrap_or_default()
}

/// The first `limit` characters, with `…` if there are more.
pub(crate) fn start_of(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Line ends as signs, so that a text of many lines stays in its row.
pub(crate) fn on_one_line(text: &str) -> String {
    cut_line(text, LONGEST)
}

fn cut_line(text: &str, most: usize) -> String {
    let start = start_of(text, most);
    if !start.contains(char::is_control) {
        return start;
    }
    start
        .chars()
        .map(|c| match c {
            '\n' => '↵',
            '\t' | '\r' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_does_not_fit_the_telling_part_is_shown() {
        egui::__run_test_ui(|ui| {
            let font = FontId::monospace(12.0);
            let width = width_of(ui, &"m".repeat(14), &font) + 1.0;
            let check = |cell: &Cell, expected: Option<&str>| {
                assert_eq!(shortened(ui, cell, &font, width).as_deref(), expected, "{}", cell.text);
            };
            let stream = Cell::text("BankAccount-e2057b0e-49a8");
            check(&stream, None);
            check(&stream.with_id_at(12), Some("BankA…-e2057b0e-49a8"));
            check(&Cell::text("Bank-e2057b0e").with_id_at(5), None);
            check(&Cell::inked("bank.account.Opened", Ink::Name), Some("…Opened"));
            check(&Cell::text("▾ bank.account.Opened").naming(), Some("▾ …Opened"));
        });
    }
}
