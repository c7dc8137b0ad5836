//! The buttons that move through time.

use egui::{ComboBox, Ui};

use crate::ui::widgets::icon::{Icon, icon_button};

/// What the buttons need to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransportShape {
    /// Whether time runs.
    pub is_playing: bool,
    /// Whether there is something before the cursor.
    pub can_go_back: bool,
    /// Whether there is something after the cursor.
    pub can_go_on: bool,
    /// Events a second.
    pub speed: f32,
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TransportRequest {
    /// Go to the first event.
    First,
    /// Go one event back.
    StepBack,
    /// Start playing.
    Play,
    /// Stop playing.
    Pause,
    /// Go one event on.
    StepForward,
    /// Go to the last event.
    Last,
    /// Play so many events a second.
    Speed(f32),
}

/// The speeds that are offered, in events a second.
pub const SPEEDS: [f32; 6] = [1.0, 2.0, 5.0, 10.0, 50.0, 200.0];

/// Draws the buttons in a row.
pub fn transport(ui: &mut Ui, shape: TransportShape) -> Option<TransportRequest> {
    let mut asked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let play = if shape.is_playing {
            (Icon::Pause, "Pause (Space)", true, TransportRequest::Pause)
        } else {
            (Icon::Play, "Play (Space)", shape.can_go_on, TransportRequest::Play)
        };
        for (icon, name, is_enabled, request) in [
            (Icon::First, "First event (Home)", shape.can_go_back, TransportRequest::First),
            (Icon::StepBack, "Step back (←)", shape.can_go_back, TransportRequest::StepBack),
            play,
            (Icon::StepForward, "Step forward (→)", shape.can_go_on, TransportRequest::StepForward),
            (Icon::Last, "Last event (End)", shape.can_go_on, TransportRequest::Last),
        ] {
            let response = ui.add_enabled_ui(is_enabled, |ui| icon_button(ui, icon, name)).inner;
            if response.clicked() {
                asked = Some(request);
            }
        }
        let menu = ComboBox::from_id_salt("speed").selected_text(speed_text(shape.speed)).width(64.0);
        let response = menu.show_ui(ui, |ui| {
            for speed in SPEEDS {
                let is_chosen = (speed - shape.speed).abs() < 0.01;
                if ui.selectable_label(is_chosen, speed_text(speed)).clicked() {
                    asked = Some(TransportRequest::Speed(speed));
                }
            }
        });
        response.response.accessible_name("Speed").on_hover_text("Events a second");
    });
    asked
}

fn speed_text(speed: f32) -> String {
    format!("{speed} /s")
}
