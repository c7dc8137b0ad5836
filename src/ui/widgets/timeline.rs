//! The strip along the history: how dense it is, what lies where, and the cursor.
//!
//! It knows only shares of its own width, 0 to 1; what they mean (times, versions, positions) is the caller's.

use egui::{
    Align2, CursorIcon, EventFilter, Id, Key, Modifiers, Painter, Pos2, Rangef, Rect, Response, Role, Sense,
    Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::ui::{
    theme::{self, Palette},
    widgets::icon::Icon,
};

/// What the strip shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimelineShape {
    /// How densely events stand, in order.
    pub bars: Vec<Bar>,
    /// Where the cursor stands.
    pub cursor: Option<f32>,
    /// The cursor in words, for assistive technology and the label at the handle: `v118 of 231`.
    pub cursor_label: String,
    /// How far one press of an arrow key goes.
    pub step: f32,
    /// What lies where.
    pub ticks: Vec<(f32, TickKind)>,
    /// The axis: place and text, in order. If not all fit, only every second or third and so on is drawn.
    pub labels: Vec<(f32, String)>,
    /// Stretches that are left out, and how long they are: `3 weeks`.
    pub gaps: Vec<(f32, String)>,
    /// Points that the user keeps, with their names.
    pub pins: Vec<(f32, String)>,
}

/// A bar of the strip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Where it begins.
    pub from: f32,
    /// Where it ends; a bar of no width is drawn as a thin one about its place.
    pub to: f32,
    /// How tall it is beside the others.
    pub height: f32,
}

/// What a tick stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TickKind {
    /// A stored snapshot.
    Snapshot,
    /// A stored snapshot that is not what the events make.
    WrongSnapshot,
    /// Trouble.
    Trouble,
    /// A hit of a search.
    Hit,
    /// An event that wrote a value.
    Write,
    /// A bookmark.
    Bookmark,
}

impl TickKind {
    /// What it stands for, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Snapshot => "A stored snapshot",
            Self::WrongSnapshot => "A stored snapshot that is not what the events make",
            Self::Trouble => "An event that could not be applied",
            Self::Hit => "A hit of the condition",
            Self::Write => "An event that wrote the value",
            Self::Bookmark => "A bookmark",
        }
    }
}

/// What the user did to the strip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimelineResponse {
    /// Go there.
    pub seek: Option<f32>,
    /// The cursor is being dragged; more will come.
    pub is_dragging: bool,
    /// The pointer is there.
    pub hovered: Option<f32>,
    /// This pin was clicked.
    pub pin: Option<usize>,
    /// The number of steps that the arrow keys ask for, negative backwards.
    pub steps: i64,
}

/// The height of the strip with its axis, in points.
pub const HEIGHT: f32 = 74.0;

const AXIS: f32 = 18.0;
const MARGIN: f32 = 10.0;
const PIN: f32 = 14.0;

/// Draws the strip over the whole width. `describe` says what is at a place, for the tooltip.
pub fn timeline(
    ui: &mut Ui,
    name: &str,
    shape: &TimelineShape,
    describe: impl Fn(f32) -> String,
) -> TimelineResponse {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    let track = Rect::from_min_max(
        pos2(rect.left() + MARGIN, rect.top() + PIN),
        pos2(rect.right() - MARGIN, rect.bottom() - AXIS),
    );
    let mut out = TimelineResponse::default();
    let place = |x: f32| ((x - track.left()) / track.width().max(1.0)).clamp(0.0, 1.0);
    out.hovered = response.hover_pos().map(|pos| place(pos.x));
    out.is_dragging = response.dragged();
    // A quick hand moves and lets go within one frame: where it let go counts.
    let is_asked = response.clicked() || response.dragged() || response.drag_stopped();
    if let Some(pos) = response.interact_pointer_pos().filter(|_| is_asked) {
        out.seek = Some(place(pos.x));
        response.request_focus();
    }
    keys(ui, &response, shape, &mut out);
    response.widget_info(|| WidgetInfo::slider(true, f64::from(shape.cursor.unwrap_or(0.0)), name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_value(shape.cursor_label.as_str());
        node.add_action(egui::accesskit::Action::Increment);
        node.add_action(egui::accesskit::Action::Decrement);
        node.add_action(egui::accesskit::Action::SetValue);
    });

    let strip = Strip { painter: ui.painter_at(rect), track, colours: Palette::of(ui) };
    strip.ground(response.has_focus());
    strip.bars(&shape.bars, shape.cursor);
    strip.gaps(&shape.gaps);
    strip.ticks(&shape.ticks);
    strip.axis(rect, &shape.labels);
    out.pin = pins(ui, &strip, rect, &shape.pins, response.id);
    if let Some(hovered) = out.hovered.filter(|_| !response.dragged()) {
        let x = strip.x(hovered);
        strip.painter.vline(x, track.y_range(), Stroke::new(1.0, strip.colours.faint));
    }
    if let Some(cursor) = shape.cursor {
        strip.cursor(cursor, response.hovered() || response.dragged());
    }
    if let Some(hovered) = out.hovered {
        response.on_hover_cursor(CursorIcon::PointingHand).on_hover_ui_at_pointer(|ui| {
            ui.label(describe(hovered));
            for words in strip.ticks_near(hovered, &shape.ticks) {
                ui.label(words);
            }
        });
    }
    out
}

/// Arrow keys while the strip has the focus, and what assistive technology asks for.
fn keys(ui: &Ui, response: &Response, shape: &TimelineShape, out: &mut TimelineResponse) {
    use egui::accesskit::{Action, ActionData};

    let id = response.id;
    ui.input(|input| {
        out.steps += input.num_accesskit_action_requests(id, Action::Increment) as i64;
        out.steps -= input.num_accesskit_action_requests(id, Action::Decrement) as i64;
        for request in input.accesskit_action_requests(id, Action::SetValue) {
            if let Some(ActionData::NumericValue(value)) = request.data {
                out.seek = Some((value as f32).clamp(0.0, 1.0));
            }
        }
    });
    if response.has_focus() {
        let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        ui.input_mut(|input| {
            out.steps += input.count_and_consume_key(Modifiers::NONE, Key::ArrowRight) as i64;
            out.steps -= input.count_and_consume_key(Modifiers::NONE, Key::ArrowLeft) as i64;
            if input.consume_key(Modifiers::NONE, Key::Home) {
                out.seek = Some(0.0);
            }
            if input.consume_key(Modifiers::NONE, Key::End) {
                out.seek = Some(1.0);
            }
        });
    }
    if out.steps != 0 && shape.step > 0.0 {
        let from = shape.cursor.unwrap_or(0.0);
        out.seek = Some((from + out.steps as f32 * shape.step).clamp(0.0, 1.0));
    }
}

/// Where and in which colours a strip is drawn.
struct Strip {
    painter: Painter,
    track: Rect,
    colours: &'static Palette,
}

impl Strip {
    fn x(&self, share: f32) -> f32 {
        // A place that is no number must not reach the painter.
        let share = if share.is_finite() { share } else { 0.0 };
        (self.track.left() + share * self.track.width()).round() + 0.5
    }

    fn ground(&self, is_focused: bool) {
        let frame = self.track.expand2(vec2(3.0, 0.0));
        let line = if is_focused { self.colours.accent } else { self.colours.line };
        self.painter.rect(frame, 3.0, self.colours.raised, Stroke::new(1.0, line), egui::StrokeKind::Outside);
    }

    /// Past events in the accent, later ones grey: the same bars tell where the cursor is.
    fn bars(&self, bars: &[Bar], cursor: Option<f32>) {
        /// The width of a bar that stands for one moment, in points.
        const THIN: f32 = 3.0;
        let most = bars.iter().map(|bar| bar.height).fold(0.0_f32, f32::max);
        if most <= 0.0 {
            return;
        }
        for bar in bars.iter().filter(|bar| bar.height > 0.0) {
            // Square root: one event among thousands still shows.
            let height = ((bar.height / most).sqrt() * (self.track.height() - 6.0)).max(2.0);
            let (left, right) = if bar.from < bar.to {
                let [left, right] =
                    [bar.from, bar.to].map(|share| self.track.left() + share * self.track.width());
                let inset = if right - left > 4.0 { 0.5 } else { 0.0 };
                (left + inset, right - inset)
            } else {
                // Where the cursor is drawn when it stands on this event.
                let middle = self.x(bar.from);
                (middle - THIN / 2.0, middle + THIN / 2.0)
            };
            let area =
                Rect::from_x_y_ranges(left..=right, self.track.bottom() - height..=self.track.bottom());
            let is_past = cursor.is_some_and(|cursor| f32::midpoint(bar.from, bar.to) <= cursor);
            let colour = if is_past { self.colours.accent.gamma_multiply(0.75) } else { self.colours.bar };
            self.painter.rect_filled(area, 0.0, colour);
        }
    }

    fn gaps(&self, gaps: &[(f32, String)]) {
        let places: Vec<f32> = gaps.iter().map(|(share, _)| self.x(*share)).collect();
        for (number, (_, length)) in gaps.iter().enumerate() {
            let x = places.get(number).copied().unwrap_or_default();
            let next = places.get(number + 1).copied().unwrap_or_else(|| self.track.right() + 60.0);
            let zigzag = (0..=6).map(|step| {
                let y = self.track.top() + self.track.height() * step as f32 / 6.0;
                pos2(x + if step % 2 == 0 { -2.0 } else { 2.0 }, y)
            });
            let zigzag: Vec<Pos2> = zigzag.collect();
            self.painter.line(zigzag.clone(), Stroke::new(5.0, self.colours.panel));
            self.painter.line(zigzag, Stroke::new(1.0, self.colours.soft));
            let text = format!("… {length}");
            let galley = self.painter.layout_no_wrap(text, theme::small(), self.colours.soft);
            if x + galley.size().x + 14.0 > next {
                // The next gap is too near; the length stands in the tooltip of the place.
                continue;
            }
            let left = (x + 6.0).min(self.track.right() - galley.size().x - 2.0);
            let label = Rect::from_min_size(pos2(left, self.track.top() + 2.0), galley.size());
            self.painter.rect_filled(
                label.expand2(vec2(2.0, 0.0)),
                2.0,
                self.colours.raised.gamma_multiply(0.85),
            );
            self.painter.galley(label.min, galley, self.colours.soft);
        }
    }

    /// What the ticks under the pointer stand for, each kind once.
    fn ticks_near(&self, place: f32, ticks: &[(f32, TickKind)]) -> Vec<&'static str> {
        /// As far as a hand misses, in points.
        const NEAR: f32 = 4.0;
        let mut found: Vec<TickKind> = Vec::new();
        for (share, kind) in ticks {
            let is_near = (share - place).abs() * self.track.width() <= NEAR;
            if is_near && !found.contains(kind) {
                found.push(*kind);
            }
        }
        found.into_iter().map(TickKind::words).collect()
    }

    fn ticks(&self, ticks: &[(f32, TickKind)]) {
        // Those that are wrong must not disappear among the others.
        let wrong = ticks.iter().filter(|(_, kind)| *kind == TickKind::WrongSnapshot);
        let wrong: Vec<f32> = wrong.map(|(share, _)| self.x(*share)).collect();
        let mut taken = [f32::NEG_INFINITY; 6];
        for (share, kind) in ticks {
            let x = self.x(*share);
            let (lane, icon, colour, length) = match kind {
                TickKind::Snapshot => (0, Icon::Snapshot, self.colours.accent, 7.0),
                TickKind::Trouble => (1, Icon::Warning, self.colours.trouble.ink, 7.0),
                TickKind::Hit => (2, Icon::Search, self.colours.changed.ink, 7.0),
                TickKind::Write => (3, Icon::Right, self.colours.added.ink, 7.0),
                TickKind::Bookmark => (4, Icon::Pin, self.colours.accent, 7.0),
                TickKind::WrongSnapshot => (5, Icon::Close, self.colours.trouble.ink, 14.0),
            };
            // Thousands of ticks on one pixel are one tick.
            if let Some(last) = taken.get_mut(lane).filter(|last| x - **last >= 3.0) {
                let is_covered = *kind == TickKind::Snapshot && wrong.iter().any(|at| (at - x).abs() < 9.0);
                let has_room = x - *last >= 10.0 && !is_covered;
                *last = x;
                self.painter.vline(
                    x,
                    Rangef::new(self.track.top(), self.track.top() + length),
                    Stroke::new(1.5, colour),
                );
                if has_room {
                    let side = if lane == 0 { 8.0 } else { 10.0 };
                    let sign = Rect::from_center_size(pos2(x, self.track.top() - 5.5), vec2(side, side));
                    icon.paint(&self.painter, sign, colour);
                }
            }
        }
    }

    /// Every label, or every second, third and so on: as many as fit without touching.
    fn axis(&self, rect: Rect, labels: &[(f32, String)]) {
        let placed: Vec<_> = labels
            .iter()
            .map(|(share, label)| {
                let galley = self.painter.layout_no_wrap(label.clone(), theme::small(), self.colours.faint);
                let width = galley.size().x;
                let middle = self.x(*share);
                let left = (middle - width / 2.0).clamp(rect.left(), (rect.right() - width).max(rect.left()));
                (middle, left, galley)
            })
            .collect();
        let fits = |stride: &usize| {
            let mut free_from = f32::NEG_INFINITY;
            placed.iter().step_by(*stride).all(|(_, left, galley)| {
                let has_room = *left >= free_from;
                free_from = left + galley.size().x + 12.0;
                has_room
            })
        };
        let stride = (1..=placed.len().max(1)).find(fits).unwrap_or(1);
        for (middle, left, galley) in placed.into_iter().step_by(stride) {
            let tick = Rangef::new(self.track.bottom(), self.track.bottom() + 4.0);
            self.painter.vline(middle, tick, Stroke::new(1.0, self.colours.strong_line));
            self.painter.galley(pos2(left, self.track.bottom() + 4.0), galley, self.colours.faint);
        }
    }

    fn cursor(&self, share: f32, is_held: bool) {
        let x = self.x(share);
        let line = Rangef::new(self.track.top() - 6.0, self.track.bottom());
        self.painter.vline(x, line, Stroke::new(2.0, self.colours.accent));
        let half = if is_held { 7.0 } else { 6.0 };
        let top = self.track.top() - 12.0;
        let handle = vec![
            pos2(x - half, top),
            pos2(x + half, top),
            pos2(x + half, top + 6.0),
            pos2(x, top + 13.0),
            pos2(x - half, top + 6.0),
        ];
        let rim = Stroke::new(1.5, self.colours.panel);
        self.painter.add(Shape::convex_polygon(handle, self.colours.accent, rim));
    }
}

fn pins(ui: &Ui, strip: &Strip, rect: Rect, pins: &[(f32, String)], id: Id) -> Option<usize> {
    let mut clicked = None;
    for (index, (share, name)) in pins.iter().enumerate() {
        let x = strip.x(*share);
        let badge = Rect::from_center_size(pos2(x, rect.top() + 7.0), vec2(14.0, 14.0));
        let response = ui.interact(badge, id.with(("pin", index)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Pinned point {name}")));
        let colour = if response.hovered() { strip.colours.accent } else { strip.colours.changed.ink };
        strip.painter.vline(x, strip.track.y_range(), Stroke::new(1.0, colour));
        strip.painter.rect_filled(badge, 3.0, colour);
        let ink = strip.colours.panel;
        strip.painter.text(
            badge.center(),
            Align2::CENTER_CENTER,
            name.chars().take(1).collect::<String>(),
            theme::small(),
            ink,
        );
        if response.on_hover_text(name.as_str()).clicked() {
            clicked = Some(index);
        }
    }
    clicked
}
