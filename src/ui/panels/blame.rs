//! Why a value is as it is: which events wrote it, and where they took it from.

use egui::{
    Id, Key, Modifiers, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2,
    text::{LayoutJob, TextFormat, TextWrapping},
    vec2,
};

use crate::{
    model::{Json, Pointer},
    session::{
        action::{Action, BlameAction},
        view::{BlameView, LastWrite, WriteRow, grouped},
    },
    ui::{
        theme::{self, Palette, Tone},
        widgets::{
            class_path::fitting_end,
            diff::side_by_side,
            empty::empty_panel,
            icon::{Icon, icon_button},
            rows::{RowView, Scroll, focus_frame, list_ui, row_by_key, scroll_rows},
            whole::whole_label,
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct BlameLocal {
    scroll: Scroll,
    /// The row that the keyboard stands on.
    chosen: Option<u64>,
    /// What was asked for: which rows of how many writes of which path.
    shown: Option<(u64, u64, usize, Option<Pointer>)>,
    /// The row at the cursor, to be brought into view when it becomes another.
    current: Option<usize>,
    /// The number of the text that was copied last.
    copied: u64,
}

/// Path, value, last write, and all writes.
pub fn blame_ui(ui: &mut Ui, view: &BlameView, local: &mut BlameLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    copy(ui, view, local);
    let Some(path) = &view.path else {
        empty_panel(ui, Icon::Search, "Why is a value as it is?", &view.empty, None);
        return;
    };
    ui.horizontal_wrapped(|ui| head_ui(ui, path, view, &mut asked));
    let height = std::mem::replace(&mut ui.spacing_mut().interact_size.y, 16.0);
    value_ui(ui, view);
    if let Some(last) = view.last.as_ref().filter(|_| view.current.is_some()) {
        last_ui(ui, last, &mut asked);
    }
    ui.spacing_mut().interact_size.y = height;
    if view.total == 0 {
        let title = if view.stream.is_empty() { "No stream is chosen" } else { "No event wrote this" };
        empty_panel(ui, Icon::Search, title, &view.empty, None);
    } else {
        count_ui(ui, view);
        list(ui, view, local, &mut asked);
    }
    actions.extend(asked.into_iter().map(Action::Blame));
}

/// Puts a text that was asked for on the clipboard, once.
fn copy(ui: &Ui, view: &BlameView, local: &mut BlameLocal) {
    if let Some((number, text)) = &view.copied
        && *number != local.copied
    {
        local.copied = *number;
        ui.ctx().copy_text(text.to_string());
    }
}

/// The path as crumbs, each of which asks about itself, and the buttons.
fn head_ui(ui: &mut Ui, path: &Pointer, view: &BlameView, asked: &mut Vec<BlameAction>) {
    let segments = path.segments();
    for depth in 0..=segments.len() {
        let crumb: Pointer = segments.iter().take(depth).cloned().collect();
        let name = match segments.get(..depth).and_then(<[_]>::last) {
            Some(segment) => segment.to_string(),
            None => "state".to_owned(),
        };
        if depth > 0 {
            ui.weak("›");
        }
        let is_whole = depth == segments.len();
        let text = RichText::new(name).font(if is_whole { theme::strong() } else { theme::body() });
        if ui.add(egui::Button::new(text).frame(false)).on_hover_text("Ask about this part").clicked()
            && !is_whole
        {
            asked.push(BlameAction::Ask(crumb));
        }
    }
    ui.add_space(theme::GROUP);
    let at = view.current;
    ui.add_enabled_ui(at.map_or(view.total > 0, |row| row > 0), |ui| {
        if icon_button(ui, Icon::Up, "Next write (Alt+↓)").clicked() {
            asked.push(BlameAction::Next);
        }
    });
    ui.add_enabled_ui(at.is_some(), |ui| {
        if icon_button(ui, Icon::Down, "Previous write (Alt+↑)").clicked() {
            asked.push(BlameAction::Previous);
        }
    });
    if view.total > 0 {
        let mut button = icon_button(ui, Icon::Copy, "Copy all writes as JSON");
        if let Some(words) = &view.copy_estimate {
            button = button.on_hover_text(format!("Up to {words}"));
        }
        if button.clicked() {
            asked.push(BlameAction::Copy);
        }
    }
    if icon_button(ui, Icon::Close, "Forget this path").clicked() {
        asked.push(BlameAction::Forget);
    }
    if view.is_busy {
        crate::ui::widgets::busy::busy(ui);
    }
}

fn value_ui(ui: &mut Ui, view: &BlameView) {
    let colours = Palette::of(ui);
    match &view.value {
        Some(value) => {
            let text = RichText::new(value.to_preview(400)).font(theme::mono()).color(colours.text);
            ui.add(egui::Label::new(text).truncate()).on_hover_ui(|ui| {
                ui.label(RichText::new(value.to_preview(2000)).font(theme::mono()));
            });
        }
        // Without a stream nothing exists and nothing is missing.
        None if view.stream.is_empty() => (),
        None => {
            ui.weak("Does not exist at the cursor");
        }
    }
}

/// The event that wrote what the path holds now, and where it took it from.
fn last_ui(ui: &mut Ui, last: &LastWrite, asked: &mut Vec<BlameAction>) {
    let row = &last.row;
    ui.horizontal_wrapped(|ui| {
        ui.weak(if row.new.is_some() { "written by" } else { "removed by" });
        let ink = Palette::of(ui).of_name(&row.event_type);
        let event = RichText::new(format!("{} {}", row.event_type, row.version)).color(ink);
        if ui.link(event).on_hover_text("Go to this event").clicked() {
            asked.push(BlameAction::GoTo(row.count));
        }
        // Whole, on the next line where there is no room beside the event.
        whole_label(ui, &row.time);
        if let Some(actor) = &row.actor {
            ui.add(egui::Label::new(format!("by {actor}")).truncate())
                .on_hover_text("The actor of this event");
        }
    });
    if !last.origin.is_empty() {
        ui.add(egui::Label::new(RichText::new(&last.origin).color(Palette::of(ui).soft)).wrap());
    }
}

fn count_ui(ui: &mut Ui, view: &BlameView) {
    ui.add_space(theme::GAP);
    ui.horizontal_wrapped(|ui| {
        let plural = if view.total == 1 { "" } else { "s" };
        ui.strong(format!("{} write{plural}", grouped(view.total as u64)));
        if view.is_partial {
            ui.weak("so far; the history is still being folded");
        }
    });
}

/// Every write, the newest first.
fn list(ui: &mut Ui, view: &BlameView, local: &mut BlameLocal, asked: &mut Vec<BlameAction>) {
    let id = Id::unique("writes");
    let whole = ui.available_rect_before_wrap();
    ui.allocate_rect(whole, Sense::HOVER);
    let list = list_ui(ui, id, whole, (Role::ListBox, "Writes"));
    let count = view.total as u64;
    let shown = f64::from(whole.height() / theme::ROW);
    if view.current != local.current {
        local.current = view.current;
        local.chosen = None;
        if let Some(row) = view.current {
            local.scroll.reveal(row as u64, shown);
        }
    }
    let mut rows = scroll_rows(&list, id, whole, &mut local.scroll, (count, theme::ROW));
    let from = local.chosen.or_else(|| view.current.map(|row| row as u64));
    if let Some(row) = row_by_key(&list, id, from, &rows, count) {
        local.chosen = Some(row);
        local.scroll.reveal(row, shown);
        rows = scroll_rows(&list, id, whole, &mut local.scroll, (count, theme::ROW));
    }
    let has_focus = list.memory(|memory| memory.has_focus(id));
    let is_entered = has_focus && list.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    let mut clicked = None;
    for place in rows.first..rows.end {
        let look = Look {
            is_current: view.current.is_some_and(|row| row as u64 == place),
            is_chosen: local.chosen == Some(place),
        };
        if row_ui(&list, id.with(place), rows.row_rect(place), loaded(view, place), look) {
            clicked = Some(place);
        }
    }
    focus_frame(&list, id, whole);
    drop(list);
    if clicked.is_some() {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let gone_to =
        clicked.or_else(|| local.chosen.filter(|_| is_entered)).and_then(|place| loaded(view, place));
    asked.extend(gone_to.map(|row| BlameAction::GoTo(row.count)));
    ask_for_rows(view, local, &rows, asked);
}

/// Asks for the rows on screen unless they are there, once for each place and list.
fn ask_for_rows(view: &BlameView, local: &mut BlameLocal, rows: &RowView, asked: &mut Vec<BlameAction>) {
    let is_loaded = |place: u64| loaded(view, place).is_some();
    let shown = Some((rows.first, rows.end, view.total, view.path.clone()));
    if shown != local.shown && !(is_loaded(rows.first) && is_loaded(rows.end.saturating_sub(1))) {
        let count = usize::try_from(rows.end - rows.first).unwrap_or_default();
        asked.push(BlameAction::ShowRows { first: usize::try_from(rows.first).unwrap_or_default(), count });
        local.shown = shown;
    }
}

fn loaded(view: &BlameView, place: u64) -> Option<&WriteRow> {
    view.rows.get(usize::try_from(place).ok()?.checked_sub(view.rows_from)?)
}

/// A type with a class path takes no more than this share of a row.
const TYPE: f32 = 0.4;

/// Of a row's width the actor takes at most so much, in points…
const ACTOR: f32 = 96.0;

/// …and nothing where the row is narrower than this: the values come first, and the tooltip tells it.
const ACTOR_FROM: f32 = 440.0;

/// How a row stands out.
#[derive(Clone, Copy)]
struct Look {
    /// It is the last write at the cursor.
    is_current: bool,
    /// The keyboard stands on it.
    is_chosen: bool,
}

/// Draws one write; tells whether it was clicked.
fn row_ui(ui: &Ui, id: Id, rect: Rect, row: Option<&WriteRow>, look: Look) -> bool {
    let colours = Palette::of(ui);
    let response = ui.interact(rect, id, Sense::CLICK);
    response.widget_info(|| {
        let text = row.map_or_else(|| "Loading".to_owned(), spoken);
        WidgetInfo::labeled(Role::ListBoxOption, true, text)
    });
    ui.ctx().accesskit_node_builder(id, |node| node.set_selected(look.is_current));
    let ground = if look.is_current {
        Some(colours.selection)
    } else {
        (response.hovered() || look.is_chosen).then_some(colours.hover)
    };
    if let Some(ground) = ground {
        ui.painter().rect_filled(rect, 0.0, ground);
    }
    let Some(row) = row else { return false };
    let (icon, tone) = sign(row, colours);
    let place = Rect::from_center_size(pos2(rect.left() + 14.0, rect.center().y), vec2(16.0, 16.0));
    ui.painter().rect_filled(place, 3.0, tone.ground);
    icon.paint(ui.painter(), place.shrink(1.0), tone.ink);
    let actor = row.actor.as_ref().filter(|_| rect.width() >= ACTOR_FROM).map(|actor| {
        let mut job = LayoutJob {
            wrap: TextWrapping::truncate_at_width(ACTOR),
            break_on_newline: false,
            ..LayoutJob::default()
        };
        job.append(actor, 0.0, TextFormat::simple(theme::small(), colours.soft));
        ui.painter().layout_job(job)
    });
    let taken = actor.as_ref().map_or(0.0, |actor| actor.size().x + 8.0);
    let width = rect.width() - 36.0 - taken;
    // The values are what the row is about: the type leaves them room.
    let shortened = fitting_end(ui, &row.event_type, &theme::mono(), width * TYPE);
    let name = shortened.as_deref().unwrap_or(&row.event_type);
    let galley = ui.painter().layout_job(line(colours, (tone, name), row, width));
    if let Some(actor) = actor {
        let at = pos2(rect.right() - 8.0 - actor.size().x, rect.center().y - actor.size().y / 2.0);
        ui.painter().galley(at, actor, colours.soft);
    }
    let at = pos2(rect.left() + 28.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, colours.text);
    let is_clicked = response.clicked();
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(RichText::new(format!("{} {}", row.event_type, row.version)).font(theme::strong()));
        let by = row.actor.as_ref().map(|actor| format!(" · by {actor}")).unwrap_or_default();
        ui.label(RichText::new(format!("{}{by}", row.time)).font(theme::small()));
        for (title, value) in [("Before", &row.old), ("After", &row.new)] {
            if let Some(value) = value {
                ui.label(RichText::new(title).font(theme::small()));
                ui.label(RichText::new(value.to_preview(2000)).font(theme::mono()));
            }
        }
    });
    is_clicked
}

fn sign(row: &WriteRow, colours: &'static Palette) -> (Icon, Tone) {
    match (&row.old, &row.new) {
        (None, _) => (Icon::Plus, colours.added),
        (Some(_), None) => (Icon::Minus, colours.removed),
        (Some(_), Some(_)) => (Icon::Tilde, colours.changed),
    }
}

/// A row in words, for assistive technology.
fn spoken(row: &WriteRow) -> String {
    let value = |value: &Json| value.to_preview(80);
    let what = match (&row.old, &row.new) {
        (Some(old), Some(new)) => format!("changed from {} to {}", value(old), value(new)),
        (None, Some(new)) => format!("added {}", value(new)),
        (Some(old), None) => format!("removed {}", value(old)),
        (None, None) => "left it as it was".to_owned(),
    };
    let by = row.actor.as_ref().map(|actor| format!(", by {actor}")).unwrap_or_default();
    format!("{} {} {what}{by}", row.version, row.event_type)
}

fn line(colours: &Palette, (tone, name): (Tone, &str), row: &WriteRow, width: f32) -> LayoutJob {
    /// Longer values are cut, in characters.
    const LONGEST: usize = 160;
    let mut job = LayoutJob {
        wrap: TextWrapping::truncate_at_width(width.max(0.0)),
        break_on_newline: false,
        ..LayoutJob::default()
    };
    let mut add = |text: &str, ink| job.append(text, 0.0, TextFormat::simple(theme::mono(), ink));
    let head = format!("{} {name}", row.version);
    add(&row.version, colours.soft);
    add(" ", colours.faint);
    add(name, colours.of_name(&row.event_type));
    add("  ", colours.faint);
    let shown = |value: &Json| value.to_preview(LONGEST);
    match (&row.old, &row.new) {
        (Some(old), Some(new)) => {
            let (old, new) = side_by_side(&shown(old), &shown(new), &head, width);
            add(&old, colours.faint);
            add("  →  ", colours.faint);
            add(&new, tone.ink);
        }
        (one, other) => {
            add(&one.as_ref().or(other.as_ref()).map(shown).unwrap_or_default(), tone.ink);
        }
    }
    job
}
