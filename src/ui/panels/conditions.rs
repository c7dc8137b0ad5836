//! Conditions: running forward and backward to where something holds.

use std::sync::Arc;

use egui::{Align, ComboBox, Layout, RichText, TextEdit, Ui};

use crate::{
    model::{Json, Pointer},
    replay::{Condition, Which},
    session::{
        action::{Action, ConditionAction},
        conditions::{Direction, Reach},
        estimates::with_estimate,
        view::{ConditionView, ConditionsView, RowHead, SearchView, grouped, met_words},
    },
    ui::{
        theme::Palette,
        widgets::{
            empty::empty_panel,
            icon::{Icon, icon_button_sized, trouble_label},
            table::{Cell, ColumnKind, ColumnSpec, Ink, Table, TableState},
        },
    },
};

/// What the panel keeps for itself.
#[derive(Default)]
pub struct ConditionsLocal {
    kind: Kind,
    typed: String,
    from: String,
    to: String,
    /// Whether what was found in many streams is shown.
    shows_search: bool,
    /// The search that was seen last: a new one comes to the front, wherever it was asked for.
    seen: Option<u64>,
    hits: TableState,
    found: TableState,
    here: Option<usize>,
    /// The condition that was asked for last, until it is among the others.
    asked_for: Option<String>,
}

/// What a new condition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    State,
    Becomes,
    Changes,
    Event,
    Type,
}

impl Kind {
    const ALL: [Self; 5] = [Self::State, Self::Becomes, Self::Changes, Self::Event, Self::Type];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::State => ("State where", "state.total < 0"),
            Self::Becomes => ("State becomes", "state.total < 0"),
            Self::Changes => ("Value changes", "status"),
            Self::Event => ("Event where", "event.data.amount > 100"),
            Self::Type => ("Event type", "OrderPaid"),
        }
    }
}

/// The panel.
pub fn conditions_ui(
    ui: &mut Ui,
    view: &ConditionsView,
    local: &mut ConditionsLocal,
    actions: &mut Vec<Action>,
) {
    let mut asked = Vec::new();
    if view.stream.is_none() {
        category_ui(ui, view, &mut asked);
    }
    add_ui(ui, view, local, &mut asked);
    for row in view.rows.iter() {
        ui.push_id(row.place, |ui| condition_ui(ui, row, &mut asked));
    }
    if view.rows.is_empty() {
        let hint = "Say what to look for above, or use the menu of a value in the state";
        empty_panel(ui, Icon::Search, "No condition yet", hint, None);
    } else {
        let number = view.search.as_ref().map(|search| search.number);
        if std::mem::replace(&mut local.seen, number) != number {
            local.shows_search = number.is_some();
        }
        run_ui(ui, view, local, &mut asked);
        match &view.search {
            Some(search) if local.shows_search => search_ui(ui, view, search, local, &mut asked),
            _ => hits_ui(ui, view, local, &mut asked),
        }
    }
    actions.extend(asked.into_iter().map(Action::Conditions));
}

fn category_name(category: Option<&str>) -> &str {
    category.unwrap_or("(no category)")
}

fn category_ui(ui: &mut Ui, view: &ConditionsView, asked: &mut Vec<ConditionAction>) {
    let Some(chosen) = &view.category else { return };
    let name = category_name(chosen.as_deref());
    ui.horizontal(|ui| {
        ui.label("Category");
        let categories = ComboBox::from_id_salt("category").selected_text(name).show_ui(ui, |ui| {
            for category in view.categories.iter() {
                if ui.selectable_label(category == chosen, category_name(category.as_deref())).clicked() {
                    asked.push(ConditionAction::ChooseCategory(category.clone()));
                }
            }
        });
        categories.response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::ComboBox, true, format!("Category: {name}"))
        });
    });
}

fn add_ui(ui: &mut Ui, view: &ConditionsView, local: &mut ConditionsLocal, asked: &mut Vec<ConditionAction>) {
    let mut is_entered = false;
    ui.horizontal(|ui| {
        let (name, hint) = local.kind.words();
        let kinds = ComboBox::from_id_salt("kind").width(104.0).selected_text(name).show_ui(ui, |ui| {
            for kind in Kind::ALL {
                ui.selectable_value(&mut local.kind, kind, kind.words().0);
            }
        });
        kinds.response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::ComboBox, true, format!("Kind of condition: {name}"))
        });
        let width = (ui.available_width() - 56.0).max(80.0);
        is_entered = field_ui(ui, ("What to look for", hint), &mut local.typed, width);
        let is_possible = condition(local).is_some();
        is_entered |= ui.add_enabled(is_possible, egui::Button::new("Add")).clicked();
    });
    if local.kind == Kind::Type {
        types_ui(ui, view, local);
    }
    if local.kind == Kind::Changes {
        ui.horizontal(|ui| {
            ui.weak("from");
            is_entered |= field_ui(ui, ("Old value", "anything"), &mut local.from, 90.0);
            ui.weak("to");
            is_entered |= field_ui(ui, ("New value", "anything"), &mut local.to, 90.0);
        });
    }
    // What was refused stays, to be mended.
    if let Some(asked_for) = local.asked_for.take_if(|text| view.rows.iter().any(|row| row.text == *text))
        && condition(local).is_some_and(|condition| condition.to_string() == asked_for)
    {
        local.typed.clear();
        local.from.clear();
        local.to.clear();
    }
    if let Some(condition) = condition(local).filter(|_| is_entered) {
        local.asked_for = Some(condition.to_string());
        asked.push(ConditionAction::Add(condition));
    }
}

/// A field; true once Enter was pressed in it.
fn field_ui(ui: &mut Ui, (name, hint): (&str, &str), text: &mut String, width: f32) -> bool {
    let field = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(width));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if is_entered {
        // Whatever is typed next is another condition, and not the keys of the window.
        field.request_focus();
    }
    is_entered
}

/// The event types whose names hold what was typed.
fn types_ui(ui: &mut Ui, view: &ConditionsView, local: &mut ConditionsLocal) {
    /// More are found by typing.
    const SHOWN: usize = 12;
    let wanted = local.typed.to_lowercase();
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        let matching = view.types.iter().filter(|name| name.to_lowercase().contains(&wanted));
        for name in matching.take(SHOWN) {
            let text = RichText::new(&**name).color(Palette::of(ui).of_name(name));
            if ui.selectable_label(**name == *local.typed, text).clicked() {
                chosen = Some(name.to_string());
            }
        }
    });
    if let Some(chosen) = chosen {
        local.typed = chosen;
    }
}

/// What was typed, as a condition.
fn condition(local: &ConditionsLocal) -> Option<Condition> {
    let typed = local.typed.trim();
    if typed.is_empty() {
        return None;
    }
    let text: Arc<str> = typed.into();
    let value = |text: &str| (!text.trim().is_empty()).then(|| Json::typed(text));
    Some(match local.kind {
        Kind::State => Condition::State(text),
        Kind::Becomes => Condition::Becomes(text),
        Kind::Event => Condition::Event(text),
        Kind::Type => Condition::Type(text),
        Kind::Changes => {
            let path = Pointer::typed(typed.strip_prefix("state.").unwrap_or(typed))?;
            Condition::Changes { path, from: value(&local.from), to: value(&local.to) }
        }
    })
}

fn condition_ui(ui: &mut Ui, row: &ConditionView, asked: &mut Vec<ConditionAction>) {
    ui.horizontal(|ui| {
        if icon_button_sized(ui, Icon::Close, &format!("Remove {}", row.text), 18.0).clicked() {
            asked.push(ConditionAction::Remove(row.place));
        }
        let mut is_on = row.is_on;
        let check = ui.checkbox(&mut is_on, "");
        check.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_on, &row.text));
        if check.changed() {
            asked.push(ConditionAction::Toggle(row.place));
        }
        // What does not fit is cut: a long condition must not push the rest out of the panel.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(hits) = row.hits {
                ui.weak(if hits == 1 { "1 hit".to_owned() } else { format!("{} hits", grouped(hits)) });
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(&row.text).monospace()).truncate());
            });
        });
    });
    if let Some(fault) = &row.fault {
        trouble_label(ui, fault);
    }
}

fn run_ui(ui: &mut Ui, view: &ConditionsView, local: &mut ConditionsLocal, asked: &mut Vec<ConditionAction>) {
    let has_any = view.rows.iter().any(|row| row.is_on);
    ui.horizontal_wrapped(|ui| {
        for (name, help, direction) in [
            ("◀ Hit before", "Run back to where a condition was met last (Shift+F9)", Direction::Backward),
            ("Next hit ▶", "Run to where a condition is met next (F9)", Direction::Forward),
        ] {
            let button = ui.add_enabled(has_any && view.stream.is_some(), egui::Button::new(name));
            let help = with_estimate(help, view.of_stream.as_ref());
            if button.on_hover_text(help).clicked() {
                asked.push(ConditionAction::Run(direction));
            }
        }
        let category = view.category.as_ref().and_then(|category| category.as_deref());
        let of_category = format!("Search all of {}", category_name(category));
        for (name, help, reach, words) in [
            (&*of_category, "Which streams ever met a condition", Reach::Category, &view.of_category),
            ("Whole store", "The same in the streams of every category", Reach::Store, &view.of_store),
        ] {
            let help = with_estimate(help, words.as_ref());
            if ui.add_enabled(has_any, egui::Button::new(name)).on_hover_text(help).clicked() {
                asked.push(ConditionAction::Search(reach));
            }
        }
    });
    if let Some(words) = view.of_store.as_ref().filter(|_| view.search.is_none() && has_any) {
        ui.weak(format!("Whole store: up to {words}"));
    }
    let Some(search) = &view.search else {
        ui.weak(&view.summary);
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(&mut local.shows_search, false, "This stream");
        ui.selectable_value(&mut local.shows_search, true, &search.title);
        ui.weak(if local.shows_search { &search.summary } else { &view.summary });
    });
}

const STREAM: &str = "stream";
const VERSION: &str = "version";
const TIME: &str = "time";
const TYPE: &str = "type";

fn columns(has_stream: bool) -> Vec<ColumnSpec> {
    let mut columns = vec![
        ColumnSpec::new(STREAM, "Stream", 110.0, ColumnKind::Text),
        ColumnSpec::new(VERSION, "Version", 64.0, ColumnKind::Number),
        ColumnSpec::new(TYPE, "Type", 120.0, ColumnKind::Text),
        ColumnSpec::new("condition", "Meets", 150.0, ColumnKind::Code),
        ColumnSpec::new(TIME, "Time", 216.0, ColumnKind::Code),
    ];
    columns.retain(|column| has_stream || column.key != STREAM);
    columns
}

fn cell(head: &RowHead, key: &str, (conditions, which): (&[Condition], Which)) -> Cell {
    match key {
        STREAM => Cell::text(head.stream.to_string()).with_id_at(head.id_at),
        VERSION => Cell::text(head.version.clone()),
        TIME => Cell::inked(head.time.clone(), Ink::Soft),
        TYPE => Cell::inked(head.event_type.to_string(), Ink::Name),
        _ => Cell::text(met_words(conditions, which)),
    }
}

fn hits_ui(
    ui: &mut Ui,
    view: &ConditionsView,
    local: &mut ConditionsLocal,
    asked: &mut Vec<ConditionAction>,
) {
    if view.is_stopped {
        ui.horizontal(|ui| {
            ui.label("Stopped before the end");
            if ui.button("Go on").clicked() {
                asked.push(ConditionAction::GoOn);
            }
        });
    }
    if view.hits.is_empty() {
        return;
    }
    let columns = columns(false);
    let has_moved = std::mem::replace(&mut local.here, view.here) != view.here;
    let here = view.here.map(|row| row as u64);
    let response = Table::new("Hits", &columns)
        .rows(view.hits.len() as u64)
        .selected(here)
        .scroll_to(here.filter(|_| has_moved))
        .show(ui, &mut local.hits, |row, column| {
            let hit = usize::try_from(row).ok().and_then(|row| view.hits.get(row)).copied();
            let found = hit.and_then(|hit| Some((hit, view.head(hit)?)));
            let Some((hit, head)) = found else { return Cell::default() };
            let key = columns.get(column).map_or("", |column| &*column.key);
            cell(&head, key, (&view.conditions, hit.which))
        });
    let row = response.select.and_then(|row| usize::try_from(row).ok());
    asked.extend(row.map(ConditionAction::ChooseHit));
}

fn search_ui(
    ui: &mut Ui,
    view: &ConditionsView,
    search: &SearchView,
    local: &mut ConditionsLocal,
    asked: &mut Vec<ConditionAction>,
) {
    for fault in &search.faults {
        trouble_label(ui, fault);
    }
    if search.is_stopped {
        ui.horizontal(|ui| {
            ui.label("Stopped before the end");
            if ui.button("Go on").clicked() {
                asked.push(ConditionAction::SearchOn);
            }
        });
    } else if !search.is_over {
        crate::ui::widgets::busy::busy(ui);
    }
    if search.hits.is_empty() {
        if search.is_over {
            ui.label("No stream ever met a condition");
        }
        return;
    }
    let columns = columns(true);
    let response = Table::new("Streams with a hit", &columns)
        .rows(search.hits.len() as u64)
        .selected(search.chosen.map(|row| row as u64))
        .show(ui, &mut local.found, |row, column| {
            let hit = usize::try_from(row).ok().and_then(|row| search.hits.get(row)).copied();
            let found = hit.and_then(|hit| Some((hit, view.head_of(hit.ordinal)?)));
            let Some((hit, head)) = found else { return Cell::default() };
            let key = columns.get(column).map_or("", |column| &*column.key);
            cell(&head, key, (&search.conditions, hit.hit.which))
        });
    let row = response.select.and_then(|row| usize::try_from(row).ok());
    asked.extend(row.map(ConditionAction::ChooseFound));
}
