//! What loading costs with the stored snapshots and without.

use egui::{Align, Layout, Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::{
    session::{
        action::{Action, BrowseAction, VerifyAction},
        view::{CostView, grouped},
    },
    snapshot::CostLine,
    ui::{
        theme::{self, Palette},
        widgets::plot::plot,
    },
};

/// The height of the bars of a spread, in points.
const BARS: f32 = 36.0;

/// Figures, advice, and the plot along the chosen stream.
pub(super) fn cost_ui(
    ui: &mut Ui,
    cost: &CostView,
    here: usize,
    asked: &mut Vec<VerifyAction>,
    actions: &mut Vec<Action>,
) {
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.weak("Events to replay when each stream is loaded once, as it is now");
        if let Some((stream, sketch)) = &cost.along {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(&**stream).font(theme::strong()));
                ui.weak("events since its last snapshot, along its history");
            });
            let describe = |count: usize| format!("after {} events", grouped(count as u64));
            if let Some(count) = plot(ui, "Events since the last snapshot", sketch, here, describe) {
                asked.push(VerifyAction::Stand(count));
            }
        }
        for line in &cost.lines {
            ui.add_space(theme::GROUP);
            line_ui(ui, line, cost.lines.len() > 1);
        }
        if !cost.longest.is_empty() {
            ui.add_space(theme::GROUP);
            ui.strong("Longest loads");
            for (name, rest, events, stream) in &cost.longest {
                ui.horizontal_wrapped(|ui| {
                    if ui.link(&**name).on_hover_text("Show this stream").clicked() {
                        actions.push(Action::Browse(BrowseAction::ChooseStream(*stream)));
                    }
                    let (rest, events) = (grouped(*rest as u64), grouped(*events as u64));
                    ui.weak(format!("{rest} of {events} events"));
                });
            }
        }
    });
}

fn line_ui(ui: &mut Ui, line: &CostLine, is_one_of_many: bool) {
    let name = match &line.category {
        Some(category) => category.to_string(),
        None if is_one_of_many && line.streams > 0 => "Whole store".to_owned(),
        None => "Streams".to_owned(),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(name).font(theme::strong()));
        let every = line.interval.map(|every| format!(", about every {every} events")).unwrap_or_default();
        ui.weak(format!(
            "{} streams, {} events, {} snapshots{every}",
            grouped(line.streams as u64),
            grouped(line.events),
            grouped(line.snapshots as u64)
        ));
    });
    egui::Grid::new(ui.scope_id().with(("cost", &line.category, line.streams))).spacing([16.0, 2.0]).show(
        ui,
        |ui| {
            for head in ["", "half take", "95 % take", "most", "to read"] {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.weak(head));
            }
            ui.end_row();
            for (name, loads, bytes) in [
                ("with snapshots", line.with, line.bytes_with),
                ("without", line.without, line.bytes_without),
            ] {
                ui.label(name);
                for number in [loads.median, loads.p95, loads.most] {
                    number_ui(ui, &grouped(number as u64));
                }
                number_ui(ui, &format!("{} kB", grouped(bytes.div_ceil(1000))));
                ui.end_row();
            }
        },
    );
    ui.add(egui::Label::new(line.words()).wrap());
    spread_ui(ui, line);
}

fn number_ui(ui: &mut Ui, text: &str) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(text).font(theme::mono()));
    });
}

/// How many streams take so many events: a bar for each class.
fn spread_ui(ui: &mut Ui, line: &CostLine) {
    let most = line.spread.iter().map(|(_, streams)| *streams).max().unwrap_or_default();
    if most == 0 {
        return;
    }
    let width = (ui.available_width() / line.spread.len() as f32).min(64.0);
    let (rect, response) =
        ui.allocate_exact_size(vec2(width * line.spread.len() as f32, BARS + 16.0), Sense::HOVER);
    let name = |up_to: usize| match up_to {
        0 => "0".to_owned(),
        usize::MAX => "more".to_owned(),
        up_to => format!("≤ {up_to}"),
    };
    response.widget_info(|| {
        let classes: Vec<String> =
            line.spread.iter().map(|(up_to, streams)| format!("{} {streams}", name(*up_to))).collect();
        let text = format!("Streams by events to replay: {}", classes.join(", "));
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    let colours = Palette::of(ui);
    for (place, (up_to, streams)) in line.spread.iter().enumerate() {
        let left = rect.left() + place as f32 * width;
        let height = (*streams as f32 / most as f32) * (BARS - 12.0);
        let bar = Rect::from_min_max(
            pos2(left + 2.0, rect.top() + BARS - height),
            pos2(left + width - 2.0, rect.top() + BARS),
        );
        ui.painter().rect_filled(bar, 2.0, colours.bar);
        if *streams > 0 {
            let count = ui.painter().layout_no_wrap(grouped(*streams as u64), theme::small(), colours.soft);
            let at = pos2(bar.center().x - count.size().x / 2.0, bar.top() - count.size().y);
            ui.painter().galley(at, count, colours.soft);
        }
        let label = ui.painter().layout_no_wrap(name(*up_to), theme::small(), colours.faint);
        let at = pos2(bar.center().x - label.size().x / 2.0, rect.top() + BARS + 1.0);
        ui.painter().galley(at, label, colours.faint);
    }
}
