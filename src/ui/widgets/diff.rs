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
    let job = line(colours, tone, &path, (old, new), rect.width() - 40.0);
    let galley = ui.painter().layout_job(job);
    let is_long = |value: Option<&Json>| value.is_some_and(|value| value.to_preview(41).chars().count() > 40);
    let is_elided = galley.elided || is_long(old) || is_long(new);
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
/// hide the new one.
pub(crate) fn side_by_side(old: &str, new: &str, path: &str, width: f32) -> (String, String) {
    /// The width of a character, and what stands around the values, in characters.
    const CHARACTER: f32 = 7.6;
    const AROUND: usize = 8;
    let room = ((width / CHARACTER) as usize).saturating_sub(path.chars().count() + AROUND);
    let (old_length, new_length) = (old.chars().count(), new.chars().count());
    if old_length + new_length <= room {
        return (old.to_owned(), new.to_owned());
    }
    let half = room / 2;
    let old_room = half.max(room.saturating_sub(new_length)).min(old_length);
    let cut = |text: &str, length: usize| match text.char_indices().nth(length.max(4)) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    };
    (cut(old, old_room), cut(new, room.saturating_sub(old_room)))
}
