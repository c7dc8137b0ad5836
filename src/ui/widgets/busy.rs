//! The sign that something is under way: it turns in steps, so that whoever works has the processor.

use std::time::Duration;

use egui::{Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Between two steps. Every step is a frame of the whole window.
const STEP: Duration = Duration::from_millis(100);

/// Steps of a turn.
const STEPS: f64 = 10.0;

/// Draws the sign.
pub fn busy(ui: &mut Ui) -> Response {
    const SIZE: f32 = 12.0;
    let (rect, response) = ui.allocate_exact_size(vec2(SIZE, SIZE), Sense::hover());
    response.widget_info(|| WidgetInfo::new(Role::ProgressIndicator));
    if ui.is_rect_visible(rect) {
        ui.ctx().request_repaint_after(STEP);
        let turned = (ui.input(|input| input.time) / STEP.as_secs_f64()).floor() / STEPS;
        let start = (turned.fract() * std::f64::consts::TAU) as f32;
        let arc = (0..=12).map(|step| {
            let angle = start + step as f32 / 12.0 * 0.7 * std::f32::consts::TAU;
            pos2(rect.center().x + 4.0 * angle.cos(), rect.center().y + 4.0 * angle.sin())
        });
        let colour = ui.visuals().strong_text_color();
        ui.painter().add(Shape::line(arc.collect(), Stroke::new(2.0, colour)));
    }
    response
}
