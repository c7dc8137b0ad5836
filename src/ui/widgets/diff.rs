//! A list of changes: where, what it was, what it is.

use egui::{
    Id, Key, Modifiers, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, text::LayoutJob, text::TextFormat,
    text::TextWrapping, vec2,
};

use crate::{
    model::{Change, ChangeKind, Json, Pointer},
    ui::{
        theme::{self, Palette, Tone},
        widgets::{
            icon::Icon,
            rows::{Scroll, focus_frame, list_ui, row_by_key, scroll_rows},
        },
    },
};

/// Longer values are cut, in characters.
const LONGEST: usize = 160;

/// What a diff list remembers between frames.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiffState {
    /// The chosen change.
    pub selected: Option<usize>,
    scroll: Scroll,
}

/// Draws the changes into the space that is left; returns the path of the one that was chosen in this frame.
pub fn diff_list(ui: &mut Ui, name: &str, changes: &[Change], state: &mut DiffState) -> Option<Pointer> {
    diff_list_with_menu(ui, name, changes, state, None)
}

/// What a panel puts into the menu of a change.
pub type ChangeMenu<'a> = &'a mut dyn FnMut(&mut Ui, &Pointer);

/// As [`diff_list`], with a menu for each change.
pub fn diff_list_with_menu(
    ui: &mut Ui,
    name: &str,
    changes: &[Change],
    state: &mut DiffState,
    mut menu: Option<ChangeMenu<'_>>,
) -> Option<Pointer> {
    let id = Id::unique(("diff", name));
    let whole = ui.available_rect_before_wrap();
    ui.allocate_rect(whole, Sense::HOVER);
    let list = list_ui(ui, id, whole, (Role::ListBox, name));
    let count = changes.len() as u64;
    let mut view = scroll_rows(&list, id, whole, &mut state.scroll, (count, theme::ROW));
    let chosen = state.selected.map(|row| row as u64);
    let mut asked = row_by_key(&list, id, chosen, &view, count);
    if let Some(row) = asked {
        state.scroll.reveal(row, view.shown());
        view = scroll_rows(&list, id, whole, &mut state.scroll, (count, theme::ROW));
    }
    let mut clicked = None;
    for row in view.first..view.end {
        let Some(change) = usize::try_from(row).ok().and_then(|row| changes.get(row)) else { continue };
        let is_selected = asked.or(chosen) == Some(row);
        let response = change_ui(&list, id.with(row), view.row_rect(row), change, is_selected);
        if response.clicked() {
            clicked = Some(row);
        }
        if let Some(menu) = &mut menu {
            response.context_menu(|ui| menu(ui, &change.path));
        }
    }
    focus_frame(&list, id, whole);
    let has_focus = list.memory(|memory| memory.has_focus(id));
    let is_entered = has_focus && list.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    drop(list);
    if clicked.is_some() {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    asked = clicked.or(asked);
    if let Some(row) = asked {
        state.selected = usize::try_from(row).ok();
    }
    let shown = asked.or_else(|| chosen.filter(|_| is_entered));
    shown.and_then(|row| changes.get(usize::try_from(row).ok()?)).map(|change| change.path.clone())
}

/// Draws one change.
fn change_ui(ui: &Ui, id: Id, rect: Rect, change: &Change, is_selected: bool) -> Response {
    let colours = Palette::of(ui);
    let response = ui.interact(rect, id, Sense::CLICK);
    let (icon, word, tone, old, new) = match &change.kind {
        ChangeKind::Add(new) => (Icon::Plus, "added", colours.added, None, Some(new)),
        ChangeKind::Remove(old) => (Icon::Minus, "removed", colours.removed, Some(old), None),
        ChangeKind::Replace(old, new) => (Icon::Tilde, "changed", colours.changed, Some(old), Some(new)),
    };
    let path =
        if change.path.segments().is_empty() { "(whole value)".to_owned() } else { change.path.to_string() };
    response.widget_info(|| {
        let value = |value: Option<&Json>| value.map(|value| value.to_preview(80)).unwrap_or_default();
        let text = match (old, new) {
            (Some(_), Some(_)) => format!("{path} {word} from {} to {}", value(old), value(new)),
            _ => format!("{path} {word}: {}", value(old.or(new))),
        };
        WidgetInfo::labeled(Role::ListBoxOption, true, text)
    });
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(is_selected));
    let ground =
        if is_selected { Some(colours.selection) } else { response.hovered().then_some(colours.hover) };
    if let Some(ground) = ground {
        ui.painter().rect_filled(rect, 0.0, ground);
    }
    let sign = Rect::from_center_size(pos2(rect.left() + 16.0, rect.center().y), vec2(16.0, 16.0));
    ui.painter().rect_filled(sign, 3.0, tone.ground);
    icon.paint(ui.painter(), sign.shrink(1.0), tone.ink);
    let width = rect.width() - 40.0;
    let shown = shown_path(&path, old, new, width);
    let job = line(colours, tone, &shown, (old, new), width);
    let is_whole =
        |value: Option<&Json>| value.is_none_or(|value| job.text.contains(&value.to_preview(LONGEST)));
    let is_cut = shown != path || !is_whole(old) || !is_whole(new);
    let galley = ui.painter().layout_job(job);
    let is_long = |value: Option<&Json>| value.is_some_and(|value| value.to_preview(41).chars().count() > 40);
    let is_elided = galley.elided || is_cut || is_long(old) || is_long(new);
    ui.painter().galley(
        pos2(rect.left() + 32.0, rect.center().y - galley.size().y / 2.0),
        galley,
        colours.text,
    );
    if is_elided {
        return response.on_hover_ui_at_pointer(|ui| {
            ui.label(egui::RichText::new(&path).font(theme::strong()));
            for (title, value) in [("Before", old), ("After", new)] {
                if let Some(value) = value {
                    ui.label(egui::RichText::new(title).font(theme::small()));
                    ui.label(egui::RichText::new(value.to_preview(2000)).font(theme::mono()));
                }
            }
        });
    }
    response
}

/// The path, cut at its front where numbers behind it would have no room.
fn shown_path(path: &str, old: Option<&Json>, new: Option<&Json>, width: f32) -> String {
    let numbers = [old, new].into_iter().flatten().filter(|value| matches!(value, Json::Number(_)));
    let lengths: Vec<usize> = numbers.map(|value| value.to_preview(LONGEST).chars().count()).collect();
    if lengths.is_empty() {
        return path.to_owned();
    }
    let around = if old.is_some() && new.is_some() { AROUND } else { 2 };
    cut_in_front(path, characters(width).saturating_sub(lengths.iter().sum::<usize>() + around))
}

fn line(
    colours: &Palette,
    tone: Tone,
    path: &str,
    (old, new): (Option<&Json>, Option<&Json>),
    width: f32,
) -> LayoutJob {
    let mut job = LayoutJob {
        wrap: TextWrapping::truncate_at_width(width.max(0.0)),
        break_on_newline: false,
        ..LayoutJob::default()
    };
    let mut add = |text: &str, ink| job.append(text, 0.0, TextFormat::simple(theme::mono(), ink));
    add(path, colours.key);
    add("  ", colours.faint);
    match (old, new) {
        (Some(old), Some(new)) => {
            let (old, new) = side_by_side(&old.to_preview(LONGEST), &new.to_preview(LONGEST), path, width);
            add(&old, colours.faint);
            add("  →  ", colours.faint);
            add(&new, tone.ink);
        }
        (one, other) => {
            add(&one.or(other).map(|value| value.to_preview(LONGEST)).unwrap_or_default(), tone.ink);
        }
    }
    job
}

/// Both values of a change, cut so that each has its part of the line: a long old value must not
/// hide the new one. Numbers are never cut, since what is left of one is another number; texts that begin alike
/// are cut where they do.
pub(crate) fn side_by_side(old: &str, new: &str, path: &str, width: f32) -> (String, String) {
    let room = characters(width).saturating_sub(path.chars().count() + AROUND);
    let (old_length, new_length) = (old.chars().count(), new.chars().count());
    if old_length + new_length <= room || (is_number(old) && is_number(new)) {
        return (old.to_owned(), new.to_owned());
    }
    let (old, new) = without_common_start(old, new, room);
    let (old_length, new_length) = (old.chars().count(), new.chars().count());
    let half = room / 2;
    let old_room = half.max(room.saturating_sub(new_length)).min(old_length);
    let cut = |text: &str, length: usize| match text.char_indices().nth(length.max(4)) {
        Some((end, _)) if !is_number(text) => format!("{}…", text.get(..end).unwrap_or(text)),
        Some(_) | None => text.to_owned(),
    };
    (cut(&old, old_room), cut(&new, room.saturating_sub(old_room)))
}

/// What stands around both values of a change, in characters.
const AROUND: usize = 8;

/// How many characters of fixed width fit.
pub(crate) fn characters(width: f32) -> usize {
    /// The width of a character, in points.
    const CHARACTER: f32 = 7.6;
    (width.max(0.0) / CHARACTER) as usize
}

/// Whether a value is a number as it is written.
pub(crate) fn is_number(text: &str) -> bool {
    text.strip_prefix('-').unwrap_or(text).starts_with(|first: char| first.is_ascii_digit())
}

/// A name cut at its front to so many characters, so that what tells it from others stays; at least a few.
pub(crate) fn cut_in_front(name: &str, room: usize) -> String {
    const LEAST: usize = 6;
    let room = room.max(LEAST);
    match name.chars().count().checked_sub(room) {
        None | Some(0) => name.to_owned(),
        Some(more) => format!("…{}", name.chars().skip(more + 1).collect::<String>()),
    }
}

/// Both texts without what they begin with alike, as far as they are too long with it: a little of it stays.
fn without_common_start(old: &str, new: &str, room: usize) -> (String, String) {
    /// So much of what is alike stays in sight.
    const KEPT: usize = 3;
    let alike = old.chars().zip(new.chars()).take_while(|(left, right)| left == right).count();
    let needed = (old.chars().count() + new.chars().count()).saturating_sub(room).div_ceil(2);
    let away = alike.saturating_sub(KEPT).min(needed + 1);
    // Nothing is gained by a sign in the place of one or two letters.
    if away < 3 || is_number(old) || is_number(new) {
        return (old.to_owned(), new.to_owned());
    }
    let without = |text: &str| {
        let quote = if text.starts_with('"') { "\"" } else { "" };
        format!("{quote}…{}", text.chars().skip(away + quote.len()).collect::<String>())
    };
    (without(old), without(new))
}

#[cfg(test)]
mod tests {
    use super::{cut_in_front, side_by_side};

    /// `room` is in characters, beside the path.
    fn check(old: &str, new: &str, room: u16, expected: (&str, &str)) {
        let width = (f32::from(room) + 8.0 + 2.0) * 7.6 + 1.0;
        let (left, right) = side_by_side(old, new, "/a", width);
        assert_eq!((left.as_str(), right.as_str()), expected, "{old} {new} in {room}");
    }

    #[test]
    fn values_are_cut_where_they_are_alike_and_numbers_never() {
        check("69936", "88848", 20, ("69936", "88848"));
        check("69936", "88848", 4, ("69936", "88848"));
        check("-69936.25", "null", 6, ("-69936.25", "null"));
        check("\"order-4711\"", "\"order-4712\"", 24, ("\"order-4711\"", "\"order-4712\""));
        check("\"order-4711\"", "\"order-4712\"", 16, ("\"…-4711\"", "\"…-4712\""));
        check("\"a long text without\"", "\"another one\"", 16, ("\"a long …", "\"another…"));
    }

    #[test]
    fn names_are_cut_in_front() {
        for (room, expected) in
            [(20, "/amount_cents"), (13, "/amount_cents"), (9, "…nt_cents"), (2, "…cents")]
        {
            assert_eq!(cut_in_front("/amount_cents", room), expected);
        }
    }
}
