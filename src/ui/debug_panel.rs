//! Behind F12: frame times, open questions, memory, the last actions.

use std::{collections::VecDeque, time::Duration};

use crate::session::{Session, job::Slot};

/// The times that our own work took in the last frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    times: VecDeque<Duration>,
}

impl Frames {
    /// Frames remembered.
    const KEPT: usize = 300;

    /// Remembers one more.
    pub(crate) fn push(&mut self, time: Duration) {
        self.times.push_back(time);
        if self.times.len() > Self::KEPT {
            self.times.pop_front();
        }
    }

    /// The median and the longest.
    #[must_use]
    pub(crate) fn figures(&self) -> (Duration, Duration) {
        let mut sorted: Vec<Duration> = self.times.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        (median, sorted.last().copied().unwrap_or_default())
    }
}

/// The panel.
pub(crate) fn debug_ui(
    ctx: &egui::Context,
    frames: &Frames,
    open: &[(Slot, (u64, Option<u64>))],
    actions: &VecDeque<String>,
    session: &Session,
) {
    egui::Window::new("Debug").default_width(420.0).show(ctx, |ui| {
        let (median, longest) = frames.figures();
        ui.label(format!(
            "Own work a frame: median {:.1} ms, longest of {} {:.1} ms",
            median.as_secs_f64() * 1e3,
            frames.times.len(),
            longest.as_secs_f64() * 1e3
        ));
        ui.separator();
        ui.strong("Open questions");
        for (slot, (done, total)) in open {
            match total {
                Some(total) => ui.label(format!("{}: {done} of {total}", slot.label())),
                None => ui.label(format!("{}: {done}", slot.label())),
            };
        }
        if open.is_empty() {
            ui.weak("None");
        }
        ui.separator();
        ui.strong("Memory");
        for (name, value) in session.memory_figures() {
            ui.label(format!("{name}: {value}"));
        }
        ui.separator();
        ui.horizontal(|ui| {
            ui.strong("Last actions");
            if ui.small_button("Copy steps").clicked() {
                let steps: Vec<&str> = actions.iter().map(String::as_str).collect();
                ctx.copy_text(steps.join("\n"));
            }
        });
        egui::ScrollArea::vertical().max_height(200.0).show(ui, |ui| {
            for action in actions.iter().rev().take(50) {
                ui.monospace(action);
            }
        });
    });
}
