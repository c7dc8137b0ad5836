//! One row of a tree.

use egui::{
    Color32, Id, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo,
    accesskit::Action,
    pos2,
    text::{LayoutJob, TextFormat, TextWrapping},
    vec2,
};

use crate::{
    model::{Json, Segment},
    ui::{
        theme::{self, Palette},
        widgets::{
            diff::{characters, cut_in_front},
            icon::Icon,
            json_tree::outline::{Item, Mark},
            table::on_one_line,
        },
    },
};

/// How far a level is set in, in points.
const INDENT: f32 = 16.0;
/// Deeper levels are not set in further, so that values stay in view.
const DEEPEST: usize = 20;
/// Left of everything, for the signs of change, in points.
const GUTTER: f32 = 18.0;
/// Longer texts are cut, in characters.
const LONGEST: usize = 240;
/// No tooltip is longer, in characters.
const LONGEST_TOOLTIP: usize = 2000;

/// What a row is drawn from.
pub(super) struct RowShape<'a> {
    pub(super) id: Id,
    pub(super) rect: Rect,
    pub(super) item: &'a Item,
    pub(super) mark: Option<&'a Mark>,
    pub(super) holds_change: bool,
    pub(super) is_selected: bool,
    pub(super) find: &'a str,
}

/// What was done to a row.
pub(super) struct RowAnswer {
    pub(super) response: Response,
    pub(super) set_open: Option<bool>,
}

pub(super) fn row_ui(ui: &Ui, shape: &RowShape<'_>) -> RowAnswer {
    let item = shape.item;
    let response = ui.interact(shape.rect, shape.id, Sense::CLICK);
    name_row(&response, shape);
    ground(ui, shape, &response);
    sign(ui, shape);
    let left = shape.rect.left() + GUTTER + INDENT * item.depth.min(DEEPEST) as f32;
    let arrow = Rect::from_min_size(pos2(left, shape.rect.top()), vec2(16.0, shape.rect.height()));
    let mut set_open = None;
    if item.can_open {
        let colours = Palette::of(ui);
        let icon = if item.is_open { Icon::Down } else { Icon::Right };
        icon.paint(ui.painter(), arrow.shrink(1.0), colours.soft);
        let is_on_arrow = response.interact_pointer_pos().is_some_and(|pos| arrow.expand(2.0).contains(pos));
        if (response.clicked() && is_on_arrow) || (response.double_clicked() && !is_on_arrow) {
            set_open = Some(!item.is_open);
        }
        ui.input(|input| {
            if input.has_accesskit_action_request(shape.id, Action::Expand) {
                set_open = Some(true);
            } else if input.has_accesskit_action_request(shape.id, Action::Collapse) {
                set_open = Some(false);
            }
        });
    }
    let response = text_ui(ui, shape, response, arrow.right() + 2.0);
    RowAnswer { response, set_open }
}

fn name_row(response: &Response, shape: &RowShape<'_>) {
    let item = shape.item;
    response.widget_info(|| {
        let value = match (&item.line, item.value.len()) {
            (Some(line), _) => line.clone(),
            (None, Some(count)) => count_text(&item.value, count),
            (None, None) => item.value.to_preview(80),
        };
        let mut name = match &item.key {
            Some(Segment::Name(name)) => format!("{name}: {value}"),
            Some(Segment::Index(index)) => format!("{index}: {value}"),
            None => value,
        };
        match shape.mark {
            Some(Mark::Added) => name.push_str(", added"),
            Some(Mark::Changed { old }) => {
                name.push_str(", changed from ");
                name.push_str(&old.to_preview(80));
            }
            Some(Mark::Removed { .. }) => name.push_str(", removed"),
            None if shape.holds_change => name.push_str(", holds changes"),
            None => (),
        }
        if item.is_shadowed {
            name.push_str(", replaced by a later member of the same name");
        }
        WidgetInfo::labeled(Role::TreeItem, true, name)
    });
    response.ctx.accesskit_node_builder(shape.id, |node| {
        node.set_level(item.depth + 1);
        node.set_selected(shape.is_selected);
        if item.can_open {
            node.set_expanded(item.is_open);
            node.add_action(if item.is_open { Action::Collapse } else { Action::Expand });
        }
    });
}

fn ground(ui: &Ui, shape: &RowShape<'_>, response: &Response) {
    let colours = Palette::of(ui);
    let tint = shape.mark.map(|mark| match mark {
        Mark::Added => colours.added.ground,
        Mark::Changed { .. } => colours.changed.ground,
        Mark::Removed { .. } => colours.removed.ground,
    });
    let is_pointed = response.hovered() || response.context_menu_opened();
    let ground = if shape.is_selected {
        Some(colours.selection)
    } else {
        tint.or_else(|| is_pointed.then_some(colours.hover))
    };
    if let Some(ground) = ground {
        ui.painter().rect_filled(shape.rect, 0.0, ground);
    }
}

/// The sign of change in the gutter; a dot where the change is below a closed node.
fn sign(ui: &Ui, shape: &RowShape<'_>) {
    let colours = Palette::of(ui);
    let place = Rect::from_center_size(
        pos2(shape.rect.left() + GUTTER / 2.0, shape.rect.center().y),
        vec2(13.0, 13.0),
    );
    match shape.mark {
        Some(Mark::Added) => Icon::Plus.paint(ui.painter(), place, colours.added.ink),
        Some(Mark::Changed { .. }) => Icon::Tilde.paint(ui.painter(), place, colours.changed.ink),
        Some(Mark::Removed { .. }) => Icon::Minus.paint(ui.painter(), place, colours.removed.ink),
        None if shape.holds_change => {
            ui.painter().circle_filled(place.center(), 2.5, colours.changed.ink);
        }
        None => (),
    }
}

fn text_ui(ui: &Ui, shape: &RowShape<'_>, response: Response, left: f32) -> Response {
    let colours = Palette::of(ui);
    let item = shape.item;
    let width = (shape.rect.right() - left - 8.0).max(0.0);
    let mut writer = Writer {
        job: LayoutJob {
            wrap: TextWrapping::truncate_at_width(width),
            break_on_newline: false,
            ..LayoutJob::default()
        },
        find: shape.find.to_ascii_lowercase(),
        found: colours.found,
        strike: if item.is_ghost || item.is_shadowed {
            Stroke::new(1.0, colours.faint)
        } else {
            Stroke::NONE
        },
    };
    let fitted = Fitted::of(item, shape.mark, width);
    match &item.key {
        Some(Segment::Name(name)) => {
            let name = on_one_line(name);
            writer.add(&fitted.name.map_or(name.to_string(), |room| cut_in_front(&name, room)), colours.key);
            writer.aside(": ", colours.faint);
        }
        Some(Segment::Index(index)) => {
            writer.aside(&index.to_string(), colours.faint);
            writer.aside(": ", colours.faint);
        }
        None => (),
    }
    match &item.line {
        Some(line) => writer.add(&on_one_line(line), colours.string),
        None => value_text(&mut writer, item, colours),
    }
    if let Some(Mark::Changed { old }) = shape.mark {
        writer.aside("  was ", colours.faint);
        if fitted.has_old {
            writer.strike = Stroke::new(1.0, colours.faint);
            writer.add(&old.to_preview(80), colours.faint);
        } else {
            writer.aside("…", colours.faint);
        }
    }
    let galley = ui.painter().layout_job(writer.job);
    let is_cut = fitted.name.is_some() || !fitted.has_old;
    let is_elided =
        galley.elided || is_cut || matches!(&item.value, Json::Text(text) if text.len() > LONGEST);
    ui.painter().galley(pos2(left, shape.rect.center().y - galley.size().y / 2.0), galley, colours.text);
    if !is_elided || item.value.len().is_some() {
        return response;
    }
    response.on_hover_ui_at_pointer(|ui| {
        let text = item.line.clone().unwrap_or_else(|| item.value.to_preview(LONGEST_TOOLTIP));
        if is_cut && let Some(Segment::Name(name)) = &item.key {
            ui.label(egui::RichText::new(&**name).font(theme::strong()));
        }
        ui.label(egui::RichText::new(text).font(theme::mono()));
        if let Some(Mark::Changed { old }) = shape.mark {
            ui.label(egui::RichText::new(format!("was {}", old.to_preview(80))).font(theme::mono()));
        }
    })
}

/// How a line is cut so that its numbers stay whole: what is left of a number is another one.
struct Fitted {
    /// So many characters of the name, if not all.
    name: Option<usize>,
    /// Whether there is room for the old value.
    has_old: bool,
}

impl Fitted {
    fn of(item: &Item, mark: Option<&Mark>, width: f32) -> Self {
        /// `: `
        const COLON: usize = 2;
        /// `  was `
        const WAS: usize = 6;
        let whole = Self { name: None, has_old: true };
        let Json::Number(_) = &item.value else { return whole };
        let room = characters(width);
        let name = match &item.key {
            Some(Segment::Name(name)) => name.chars().count(),
            Some(Segment::Index(_)) | None => return whole,
        };
        let value = item.value.to_preview(LONGEST).chars().count();
        let old = match mark {
            Some(Mark::Changed { old: old @ Json::Number(_) }) => Some(old.to_preview(80).chars().count()),
            Some(Mark::Changed { .. } | Mark::Added | Mark::Removed { .. }) | None => None,
        };
        let has_old = old.is_none_or(|old| name + COLON + value + WAS + old <= room);
        let taken = COLON + value + if has_old { 0 } else { WAS + 1 };
        Self { name: (name + taken > room).then(|| room.saturating_sub(taken)), has_old }
    }
}

fn value_text(writer: &mut Writer, item: &Item, colours: &Palette) {
    let ink = match &item.value {
        Json::Bool(_) => colours.boolean,
        Json::Number(_) => colours.number,
        Json::Text(_) => colours.string,
        Json::Null | Json::Array(_) | Json::Object(_) => colours.faint,
    };
    match item.value.len() {
        Some(count) if item.is_open => writer.aside(&count_text(&item.value, count), ink),
        Some(count) if count > 0 => {
            writer.add(&item.value.to_preview(100), colours.soft);
            writer.aside(&format!("  {}", count_text(&item.value, count)), ink);
        }
        _ => writer.add(&item.value.to_preview(LONGEST), ink),
    }
}

fn count_text(value: &Json, count: usize) -> String {
    let word = match (value, count) {
        (Json::Array(_), 1) => "item",
        (Json::Array(_), _) => "items",
        (_, 1) => "member",
        _ => "members",
    };
    format!("{count} {word}")
}

/// Puts a line together, with what was found on a ground of its own.
struct Writer {
    job: LayoutJob,
    find: String,
    found: Color32,
    strike: Stroke,
}

impl Writer {
    /// Our own words, which no search looks at.
    fn aside(&mut self, text: &str, ink: Color32) {
        self.job.append(text, 0.0, TextFormat::simple(theme::mono(), ink));
    }

    fn add(&mut self, text: &str, ink: Color32) {
        let format = TextFormat { strikethrough: self.strike, ..TextFormat::simple(theme::mono(), ink) };
        // Lower case of ASCII alone keeps every letter in its place.
        let lower = text.to_ascii_lowercase();
        let mut from = 0;
        while !self.find.is_empty()
            && let Some(at) = lower.get(from..).and_then(|rest| rest.find(&self.find))
        {
            let (start, end) = (from + at, from + at + self.find.len());
            self.job.append(text.get(from..start).unwrap_or_default(), 0.0, format.clone());
            let found = TextFormat { background: self.found, ..format.clone() };
            self.job.append(text.get(start..end).unwrap_or_default(), 0.0, found);
            from = end;
        }
        self.job.append(text.get(from..).unwrap_or_default(), 0.0, format);
    }
}
