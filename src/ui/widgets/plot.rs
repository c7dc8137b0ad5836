//! A value along a whole history: a curve of numbers, or bands of anything else.

use egui::{Align2, Color32, CursorIcon, Painter, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::{
    model::Json,
    replay::{
        Sketch,
        sketch::{Band, Drawing, Ends},
    },
    ui::theme::{self, Palette},
};

/// The height of a plot, in points.
pub const HEIGHT: f32 = 40.0;

/// Draws a value over the whole width, with the cursor behind `here` events; tells behind how many
/// events the user wants to stand. `describe` says what is at a place, for the tooltip.
pub fn plot(
    ui: &mut Ui,
    name: &str,
    sketch: &Sketch,
    here: usize,
    describe: impl Fn(usize) -> String,
) -> Option<usize> {
    let size = vec2(ui.available_width(), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let area = Area { painter: ui.painter_at(rect), rect, colours: Palette::of(ui), sketch };
    response.widget_info(|| WidgetInfo::slider(true, here as f64, name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(sketch.counts.saturating_sub(1) as f64);
        node.set_value(describe(here));
        node.add_action(egui::accesskit::Action::SetValue);
    });
    area.painter.rect_filled(rect, 3.0, area.colours.raised);
    match &sketch.drawing {
        Drawing::Nothing => (),
        Drawing::Curve { least, most, columns } => area.curve((*least, *most), columns),
        Drawing::Bands(bands) => bands.iter().for_each(|band| area.band(band)),
    }
    if sketch.counts > 0 {
        let x = area.x_of(here);
        area.painter.vline(x, rect.y_range(), Stroke::new(2.0, area.colours.accent));
    }
    let mut wanted = asked_for(ui, response.id);
    let is_asked = response.clicked() || response.dragged() || response.drag_stopped();
    if let Some(pos) = response.interact_pointer_pos().filter(|_| is_asked) {
        wanted = Some(area.count_at(pos));
    }
    if let Some(pos) = response.hover_pos() {
        let count = area.count_at(pos);
        area.painter.vline(area.x_of(count), rect.y_range(), Stroke::new(1.0, area.colours.faint));
        response.on_hover_cursor(CursorIcon::PointingHand).on_hover_ui_at_pointer(|ui| {
            ui.label(egui::RichText::new(describe(count)).font(theme::mono()));
        });
    }
    wanted.filter(|count| *count < sketch.counts && *count != here)
}

/// What assistive technology asks for.
fn asked_for(ui: &Ui, id: egui::Id) -> Option<usize> {
    use egui::accesskit::{Action, ActionData};
    ui.input(|input| {
        let mut requests = input.accesskit_action_requests(id, Action::SetValue);
        requests.find_map(|request| match request.data {
            Some(ActionData::NumericValue(value)) if value >= 0.0 => Some(value as usize),
            _ => None,
        })
    })
}

struct Area<'a> {
    painter: Painter,
    rect: Rect,
    colours: &'static Palette,
    sketch: &'a Sketch,
}

impl Area<'_> {
    /// Each count has a slot of the same width, from 0 on.
    fn x_of(&self, count: usize) -> f32 {
        let share = (count as f64 + 0.5) / self.sketch.counts.max(1) as f64;
        self.rect.left() + share as f32 * self.rect.width()
    }

    fn count_at(&self, pos: Pos2) -> usize {
        let share = f64::from((pos.x - self.rect.left()) / self.rect.width().max(1.0)).clamp(0.0, 1.0);
        let count = (share * self.sketch.counts as f64) as usize;
        count.min(self.sketch.counts.saturating_sub(1))
    }

    fn x_of_column(&self, column: usize) -> f32 {
        self.rect.left() + self.rect.width() * (column as f32 / self.sketch.columns.max(1) as f32)
    }

    fn curve(&self, (least, most): (f64, f64), columns: &[Option<Ends>]) {
        let ink = self.colours.accent;
        let inner = self.rect.shrink2(vec2(0.0, 5.0));
        let y_of = |number: f64| {
            let share = if most > least { (number - least) / (most - least) } else { 0.5 };
            inner.bottom() - share as f32 * inner.height()
        };
        if least < 0.0 && most > 0.0 {
            self.painter.hline(self.rect.x_range(), y_of(0.0), Stroke::new(1.0, self.colours.line));
        }
        let mut line: Vec<Pos2> = Vec::new();
        let draw = |line: &mut Vec<Pos2>| {
            if line.len() > 1 {
                self.painter.line(std::mem::take(line), Stroke::new(1.5, ink));
            }
            line.clear();
        };
        for (column, ends) in columns.iter().enumerate() {
            let (left, right) = (self.x_of_column(column), self.x_of_column(column + 1));
            let Some(ends) = ends else {
                draw(&mut line);
                continue;
            };
            if ends.least < ends.most {
                let span = egui::Rangef::new(y_of(ends.most), y_of(ends.least));
                self.painter.vline(
                    f32::midpoint(left, right),
                    span,
                    Stroke::new(1.0, ink.gamma_multiply(0.6)),
                );
            }
            line.extend([pos2(left, y_of(ends.last)), pos2(right, y_of(ends.last))]);
        }
        draw(&mut line);
        self.scale(Align2::RIGHT_TOP, most);
        if most > least {
            self.scale(Align2::RIGHT_BOTTOM, least);
        }
    }

    /// The number at the upper or lower edge.
    fn scale(&self, align: Align2, number: f64) {
        let text = Json::from(number).to_compact();
        let text = text.strip_suffix(".0").unwrap_or(&text).to_owned();
        let galley = self.painter.layout_no_wrap(text, theme::small(), self.colours.soft);
        let place = align.align_size_within_rect(galley.size(), self.rect.shrink2(vec2(4.0, 0.0)));
        self.painter.rect_filled(place.expand2(vec2(2.0, 0.0)), 2.0, self.colours.raised.gamma_multiply(0.8));
        self.painter.galley(place.min, galley, self.colours.soft);
    }

    fn band(&self, band: &Band) {
        let Some(label) = &band.label else { return };
        let left = self.x_of_column(band.from);
        let right = self.x_of_column(band.until).max(left + 1.0);
        let place =
            Rect::from_min_max(pos2(left, self.rect.top() + 8.0), pos2(right, self.rect.bottom() - 8.0));
        let names = self.colours.names;
        let colour = names.get(band.rank % names.len()).copied().unwrap_or(self.colours.accent);
        // Several values within one pixel: drawn lighter, since its colour is only the last one's.
        let fill: Color32 = if band.is_mixed { colour.gamma_multiply(0.5) } else { colour };
        self.painter.rect_filled(place, 0.0, fill);
        if place.width() < 24.0 || band.is_mixed {
            return;
        }
        let text: String = label.chars().take(24).collect();
        let galley = self.painter.layout_no_wrap(text, theme::small(), self.colours.panel);
        if galley.size().x + 8.0 <= place.width() {
            let at = pos2(left + 4.0, place.center().y - galley.size().y / 2.0);
            self.painter.galley(at, galley, self.colours.panel);
        }
    }
}
