//! Signs painted with lines: no icon font, sharp at every size, in the colour of the text beside them.

use egui::{Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::ui::theme::Palette;

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Start playing.
    Play,
    /// Stop playing.
    Pause,
    /// One event back.
    StepBack,
    /// One event on.
    StepForward,
    /// The first event.
    First,
    /// The last event.
    Last,
    /// Keep this point.
    Pin,
    /// Find.
    Search,
    /// Open a file.
    Folder,
    /// Dismiss.
    Close,
    /// Closed node.
    Right,
    /// Open node, descending order.
    Down,
    /// Ascending order.
    Up,
    /// To the clipboard.
    Copy,
    /// Something is not as it should be.
    Warning,
    /// Something could not be done.
    Trouble,
    /// Worth knowing.
    Info,
    /// Done.
    Check,
    /// Added.
    Plus,
    /// Removed.
    Minus,
    /// Changed.
    Tilde,
    /// The choice of columns.
    Columns,
    /// A store.
    Database,
    /// A point in time; the program itself.
    Hourglass,
    /// A stored state.
    Snapshot,
}

impl Icon {
    /// Paints the sign in the square around the middle of `rect`.
    pub fn paint(self, painter: &Painter, rect: Rect, colour: Color32) {
        let side = rect.width().min(rect.height());
        let square = Rect::from_center_size(rect.center(), vec2(side, side));
        let pen = Pen { painter, square, colour, width: (side / 11.0).clamp(1.2, 2.0) };
        match self {
            Self::Play | Self::Pause | Self::StepBack | Self::StepForward | Self::First | Self::Last => {
                self.transport(&pen);
            }
            Self::Warning
            | Self::Trouble
            | Self::Info
            | Self::Check
            | Self::Plus
            | Self::Minus
            | Self::Tilde => {
                self.mark(&pen);
            }
            Self::Right => pen.line(&[(0.38, 0.25), (0.64, 0.5), (0.38, 0.75)]),
            Self::Down => pen.line(&[(0.25, 0.38), (0.5, 0.64), (0.75, 0.38)]),
            Self::Up => pen.line(&[(0.25, 0.62), (0.5, 0.36), (0.75, 0.62)]),
            Self::Close => {
                pen.line(&[(0.27, 0.27), (0.73, 0.73)]);
                pen.line(&[(0.73, 0.27), (0.27, 0.73)]);
            }
            _ => self.object(&pen),
        }
    }

    fn transport(self, pen: &Pen<'_>) {
        match self {
            Self::Play => pen.fill(&[(0.3, 0.18), (0.82, 0.5), (0.3, 0.82)]),
            Self::Pause => {
                pen.fill(&[(0.26, 0.2), (0.43, 0.2), (0.43, 0.8), (0.26, 0.8)]);
                pen.fill(&[(0.57, 0.2), (0.74, 0.2), (0.74, 0.8), (0.57, 0.8)]);
            }
            Self::StepBack => pen.line(&[(0.62, 0.22), (0.34, 0.5), (0.62, 0.78)]),
            Self::StepForward => pen.line(&[(0.38, 0.22), (0.66, 0.5), (0.38, 0.78)]),
            Self::First => {
                pen.line(&[(0.74, 0.22), (0.46, 0.5), (0.74, 0.78)]);
                pen.line(&[(0.27, 0.22), (0.27, 0.78)]);
            }
            _ => {
                pen.line(&[(0.26, 0.22), (0.54, 0.5), (0.26, 0.78)]);
                pen.line(&[(0.73, 0.22), (0.73, 0.78)]);
            }
        }
    }

    fn mark(self, pen: &Pen<'_>) {
        match self {
            Self::Warning => {
                pen.ring(&[(0.5, 0.14), (0.92, 0.84), (0.08, 0.84)]);
                pen.line(&[(0.5, 0.38), (0.5, 0.58)]);
                pen.dot((0.5, 0.71), 0.055);
            }
            Self::Trouble => {
                pen.circle((0.5, 0.5), 0.4);
                pen.line(&[(0.5, 0.28), (0.5, 0.55)]);
                pen.dot((0.5, 0.7), 0.055);
            }
            Self::Info => {
                pen.circle((0.5, 0.5), 0.4);
                pen.line(&[(0.5, 0.46), (0.5, 0.72)]);
                pen.dot((0.5, 0.31), 0.055);
            }
            Self::Check => pen.line(&[(0.2, 0.52), (0.42, 0.74), (0.8, 0.28)]),
            Self::Plus => {
                pen.line(&[(0.5, 0.24), (0.5, 0.76)]);
                pen.line(&[(0.24, 0.5), (0.76, 0.5)]);
            }
            Self::Minus => pen.line(&[(0.24, 0.5), (0.76, 0.5)]),
            _ => {
                pen.line(&[(0.18, 0.56), (0.3, 0.43), (0.44, 0.46), (0.56, 0.54), (0.7, 0.57), (0.82, 0.44)]);
            }
        }
    }

    fn object(self, pen: &Pen<'_>) {
        match self {
            Self::Search => {
                pen.circle((0.44, 0.44), 0.25);
                pen.line(&[(0.62, 0.62), (0.82, 0.82)]);
            }
            Self::Folder => {
                pen.ring(&[(0.12, 0.24), (0.4, 0.24), (0.5, 0.35), (0.88, 0.35), (0.88, 0.78), (0.12, 0.78)]);
            }
            Self::Pin => {
                pen.fill(&[(0.3, 0.16), (0.7, 0.16), (0.7, 0.6), (0.5, 0.84), (0.3, 0.6)]);
            }
            Self::Copy => {
                pen.ring(&[(0.38, 0.36), (0.82, 0.36), (0.82, 0.84), (0.38, 0.84)]);
                pen.line(&[(0.28, 0.66), (0.18, 0.66), (0.18, 0.16), (0.64, 0.16), (0.64, 0.26)]);
            }
            Self::Columns => {
                pen.ring(&[(0.14, 0.2), (0.86, 0.2), (0.86, 0.8), (0.14, 0.8)]);
                pen.line(&[(0.38, 0.2), (0.38, 0.8)]);
                pen.line(&[(0.62, 0.2), (0.62, 0.8)]);
            }
            Self::Database => {
                let arc = |y: f32| {
                    (0..=12).map(move |step| {
                        let turn = std::f32::consts::PI * step as f32 / 12.0;
                        (0.5 - 0.32 * turn.cos(), y + 0.12 * turn.sin())
                    })
                };
                let top = arc(0.26).chain((0..=12).rev().map(|step| {
                    let turn = std::f32::consts::PI * step as f32 / 12.0;
                    (0.5 - 0.32 * turn.cos(), 0.26 - 0.12 * turn.sin())
                }));
                pen.ring(&top.collect::<Vec<_>>());
                pen.line(&arc(0.5).collect::<Vec<_>>());
                pen.line(&arc(0.75).collect::<Vec<_>>());
                pen.line(&[(0.18, 0.26), (0.18, 0.75)]);
                pen.line(&[(0.82, 0.26), (0.82, 0.75)]);
            }
            Self::Snapshot => pen.ring(&[(0.5, 0.14), (0.86, 0.5), (0.5, 0.86), (0.14, 0.5)]),
            _ => {
                pen.line(&[(0.2, 0.12), (0.8, 0.12)]);
                pen.line(&[(0.2, 0.88), (0.8, 0.88)]);
                pen.ring(&[(0.27, 0.12), (0.73, 0.12), (0.54, 0.5), (0.73, 0.88), (0.27, 0.88), (0.46, 0.5)]);
                pen.fill(&[(0.5, 0.62), (0.66, 0.84), (0.34, 0.84)]);
            }
        }
    }
}

/// Draws in a square whose sides are 1.
struct Pen<'a> {
    painter: &'a Painter,
    square: Rect,
    colour: Color32,
    width: f32,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        pos2(self.square.left() + x * self.square.width(), self.square.top() + y * self.square.height())
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|point| self.at(*point)).collect()
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.line(self.points(points), Stroke::new(self.width, self.colour));
    }

    fn ring(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::closed_line(self.points(points), Stroke::new(self.width, self.colour)));
    }

    fn fill(&self, points: &[(f32, f32)]) {
        self.painter.add(Shape::convex_polygon(self.points(points), self.colour, Stroke::NONE));
    }

    fn circle(&self, centre: (f32, f32), radius: f32) {
        let radius = radius * self.square.width();
        self.painter.circle_stroke(self.at(centre), radius, Stroke::new(self.width, self.colour));
    }

    fn dot(&self, centre: (f32, f32), radius: f32) {
        self.painter.circle_filled(self.at(centre), radius * self.square.width(), self.colour);
    }
}

/// A button of a sign alone; `name` is its tooltip and what assistive technology says.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_button_sized(ui, icon, name, 24.0)
}

/// An [`icon_button`] of another size, in points.
pub fn icon_button_sized(ui: &mut Ui, icon: Icon, name: &str, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    if ui.is_rect_visible(rect) {
        let colours = Palette::of(ui);
        if response.has_focus() {
            let stroke = Stroke::new(1.0, colours.accent);
            ui.painter().rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
        }
        if response.is_pointer_button_down_on() {
            ui.painter().rect_filled(rect, 4.0, colours.selection);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 4.0, colours.lifted);
        }
        let ink = if response.hovered() { colours.text } else { colours.soft };
        icon.paint(ui.painter(), rect.shrink(side * 0.17), ink);
    }
    response.on_hover_text(name)
}

/// What is wrong, with a sign before it; painted, since few fonts have one.
pub fn trouble_label(ui: &mut Ui, text: impl Into<String>) -> Response {
    let ink = Palette::of(ui).trouble.ink;
    let line = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        icon_label(ui, Icon::Warning, ink);
        ui.colored_label(ink, text.into())
    });
    line.inner
}

/// A sign in a line of text, of the height of the text.
pub fn icon_label(ui: &mut Ui, icon: Icon, colour: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(16.0, 16.0), Sense::HOVER);
    icon.paint(ui.painter(), rect, colour);
    response
}
