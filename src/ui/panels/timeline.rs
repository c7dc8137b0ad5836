//! The timeline: buttons, density strip, cursor.

use egui::{Align, Layout, RichText};

use crate::{
    session::{
        action::{Action, Axis, CursorAction, Scope},
        view::{Tick, TimelineView},
    },
    ui::widgets::{
        band::branch_chip,
        timeline::{Bar, TickKind, TimelineShape, timeline},
        transport::{TransportRequest, TransportShape, transport},
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct TimelineLocal {
    last_seek: Option<f32>,
}

/// Buttons and strip.
pub fn timeline_ui(
    ui: &mut egui::Ui,
    view: &TimelineView,
    local: &mut TimelineLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.add_enabled_ui(view.is_ready, |ui| buttons_ui(ui, view, &mut asked));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(&view.place).monospace());
            ui.separator();
            ui.add(egui::Label::new(RichText::new(&view.subject).strong()).truncate());
            if let Some(branch) = &view.branch {
                branch_chip(ui, branch);
            }
        });
    });
    ui.add_space(2.0);
    let shape = shape(view);
    let response = timeline(ui, "Timeline", &shape, |place| view.scale.words_at(f64::from(place), view.zone));
    // A step also moves the strip's own cursor; only the step itself knows where the next event lies.
    if let Some(place) = response.seek.filter(|_| view.is_ready && response.steps == 0) {
        // A held pointer asks for the same place at every frame; one question is enough.
        if local.last_seek != Some(place) {
            asked.push(CursorAction::Seek(f64::from(place)));
        }
    }
    local.last_seek = response.seek;
    if response.steps != 0 {
        asked.push(CursorAction::Step(response.steps));
    }
    actions.extend(asked.into_iter().map(Action::Cursor));
}

fn shape(view: &TimelineView) -> TimelineShape {
    let tick = |(place, tick): &(f32, Tick)| {
        let kind = match tick {
            Tick::Snapshot => TickKind::Snapshot,
            Tick::WrongSnapshot => TickKind::WrongSnapshot,
            Tick::Trouble => TickKind::Trouble,
            Tick::Hit => TickKind::Hit,
            Tick::Write => TickKind::Write,
            Tick::Bookmark => TickKind::Bookmark,
        };
        (*place, kind)
    };
    let pins = view.pins.iter().zip(["A", "B"]);
    TimelineShape {
        bars: view.bars.iter().map(|bar| Bar { from: bar.from, to: bar.to, height: bar.height }).collect(),
        cursor: view.cursor,
        cursor_label: view.place.clone(),
        step: 0.01,
        ticks: view.ticks.iter().map(tick).collect(),
        labels: view.labels.to_vec(),
        gaps: view.gaps.to_vec(),
        pins: pins.filter_map(|(place, name)| Some(((*place)?, name.to_owned()))).collect(),
    }
}

fn buttons_ui(ui: &mut egui::Ui, view: &TimelineView, asked: &mut Vec<CursorAction>) {
    let shape = TransportShape {
        is_playing: view.is_playing,
        can_go_back: view.can_step.0,
        can_go_on: view.can_step.1,
        speed: view.speed as f32,
    };
    asked.extend(transport(ui, shape).map(|request| match request {
        TransportRequest::First => CursorAction::Home,
        TransportRequest::StepBack => CursorAction::Step(-1),
        TransportRequest::Play | TransportRequest::Pause => CursorAction::TogglePlay,
        TransportRequest::StepForward => CursorAction::Step(1),
        TransportRequest::Last => CursorAction::End,
        TransportRequest::Speed(speed) => CursorAction::SetSpeed(speed.max(1.0) as u32),
    }));
    let toggle = |ui: &mut egui::Ui, is_on: bool, name: &str, help: &str| {
        ui.selectable_label(is_on, name).on_hover_text(help).clicked()
    };
    if toggle(ui, view.is_following, "Follow", "Stay at the end while events arrive (Ctrl+L)") {
        asked.push(CursorAction::ToggleFollow);
    }
    ui.separator();
    for (axis, name, help) in [
        (
            Axis::Events,
            "Events",
            "Each event is as wide as the next; a bar is tall where events followed each other quickly",
        ),
        (Axis::Time, "Time", "Each second is as wide as the next"),
    ] {
        let is_possible = axis == Axis::Events || view.has_times;
        ui.add_enabled_ui(is_possible, |ui| {
            if toggle(ui, view.axis == axis, name, help) {
                asked.push(CursorAction::SetAxis(axis));
            }
        });
    }
    if view.axis == Axis::Time
        && toggle(ui, view.is_collapsed, "Collapse gaps", "Leave out long times without events")
    {
        asked.push(CursorAction::ToggleCollapse);
    }
    if view.has_stream {
        ui.separator();
        for (scope, name, help) in [
            (Scope::Stream, "This stream", "The timeline shows the chosen stream"),
            (Scope::Store, "Whole store", "The timeline shows every event; all panels follow the cursor"),
        ] {
            if toggle(ui, view.scope == scope, name, help) {
                asked.push(CursorAction::SetScope(scope));
            }
        }
    }
}
