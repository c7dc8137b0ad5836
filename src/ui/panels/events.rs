//! The table of events: filters, columns, rows.

use std::sync::Arc;

use egui::{
    Align, Layout, RichText, TextEdit,
    containers::menu::{MenuButton, MenuConfig},
};

use crate::{
    model::{Timestamp, Zone},
    session::{
        action::{Action, BrowseAction, EventOrder, WhatIfAction},
        view::{ColumnPath, EventsView, Extra, RowHead, TypeView, grouped},
        what_if::Target,
    },
    ui::widgets::{
        empty,
        icon::Icon,
        table::{Cell, ColumnKind, ColumnSpec, Ink, RowLook, Table, TableState},
        whole::whole_label,
    },
};

/// What the panel keeps for itself.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct EventsLocal {
    /// Columns and scrolling.
    pub table: TableState,
    #[serde(skip)]
    shown: (u64, u64),
    #[serde(skip)]
    generation: u64,
    #[serde(skip)]
    cursor_row: Option<u64>,
    #[serde(skip)]
    from: String,
    #[serde(skip)]
    to: String,
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    type_filter: String,
}

const POSITION: &str = "position";
const TIME: &str = "time";
const STREAM: &str = "stream";
const VERSION: &str = "version";
const TYPE: &str = "type";
const DATA: &str = "data";
/// What the keys of the columns of what events carry beside their heads begin with.
const EXTRA: &str = "extra ";
/// What the keys of the columns of watches begin with.
const WATCH: &str = "watch ";

/// Filters and table.
pub fn events_ui(ui: &mut egui::Ui, view: &EventsView, local: &mut EventsLocal, actions: &mut Vec<Action>) {
    let mut asked = Vec::new();
    filter_bar_ui(ui, view, local, &mut asked);
    if view.total == 0 {
        let hint = if view.filters.is_empty() { "" } else { "Take a filter away to see more" };
        let title = if view.listing.is_some() { "No events" } else { "Reading the first events…" };
        empty::empty_panel(ui, Icon::Search, title, hint, None);
    } else {
        table_ui(ui, view, local, (&mut asked, actions));
    }
    actions.extend(asked.into_iter().map(Action::Browse));
}

fn filter_bar_ui(
    ui: &mut egui::Ui,
    view: &EventsView,
    local: &mut EventsLocal,
    asked: &mut Vec<BrowseAction>,
) {
    ui.horizontal_wrapped(|ui| {
        types_menu_ui(ui, view, local, asked);
        if view.has_times {
            times_menu_ui(ui, view, local, asked);
        }
        columns_menu_ui(ui, view, local, asked);
        order_ui(ui, view, asked);
        for filter in view.filters.iter() {
            let chip = egui::Button::new(format!("{}  ×", filter.text)).corner_radius(10.0);
            if ui.add(chip).on_hover_text("Take this filter away").clicked() {
                asked.push(filter.remove.clone());
            }
        }
        whole_label(ui, &view.summary);
    });
}

/// A menu that stays open while things in it are clicked and typed.
fn staying_menu(title: &str) -> MenuButton<'_> {
    let close = egui::PopupCloseBehavior::CloseOnClickOutside;
    MenuButton::new(title).config(MenuConfig::new().close_behavior(close))
}

fn types_menu_ui(
    ui: &mut egui::Ui,
    view: &EventsView,
    local: &mut EventsLocal,
    asked: &mut Vec<BrowseAction>,
) {
    staying_menu("Types ▾").ui(ui, |ui| {
        ui.set_min_width(280.0);
        let field = TextEdit::singleline(&mut local.type_filter).hint_text("Find a type");
        ui.add(field).widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Find a type"));
        if ui.button("Show all types").clicked() {
            asked.push(BrowseAction::ClearTypes);
        }
        let wanted = local.type_filter.to_lowercase();
        egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            for kind in view.types.iter().filter(|kind| kind.name.to_lowercase().contains(&wanted)) {
                type_ui(ui, kind, asked);
            }
        });
    });
}

/// One event type: whether it is shown, how many events have it, and a way to show it alone.
fn type_ui(ui: &mut egui::Ui, kind: &TypeView, asked: &mut Vec<BrowseAction>) {
    ui.horizontal(|ui| {
        let mut is_shown = kind.is_shown;
        let name = if kind.name.is_empty() { "(no type)" } else { &*kind.name };
        if ui.checkbox(&mut is_shown, name).changed() {
            asked.push(BrowseAction::ToggleType(Arc::clone(&kind.name)));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.small_button("only").clicked() {
                asked.push(BrowseAction::OnlyType(Arc::clone(&kind.name)));
            }
            ui.label(RichText::new(grouped(kind.events)).monospace().weak());
        });
    });
}

fn times_menu_ui(
    ui: &mut egui::Ui,
    view: &EventsView,
    local: &mut EventsLocal,
    asked: &mut Vec<BrowseAction>,
) {
    staying_menu("Times ▾").ui(ui, |ui| {
        ui.set_min_width(260.0);
        ui.weak("2024-03-01 or 2024-03-01 09:51");
        let zone = view.zone;
        let from = time_field_ui(ui, "From", &mut local.from);
        let to = time_field_ui(ui, "To", &mut local.to);
        if from {
            asked.push(BrowseAction::FilterFrom(Timestamp::parse_in(&local.from, zone)));
        }
        if to {
            asked.push(BrowseAction::FilterTo(Timestamp::parse_until(&local.to, zone)));
        }
    });
}

/// A field for a time; true when what was typed is a time, or nothing any more.
fn time_field_ui(ui: &mut egui::Ui, name: &str, text: &mut String) -> bool {
    ui.horizontal(|ui| {
        let label = ui.label(name);
        let changed = ui.add(TextEdit::singleline(text).desired_width(170.0)).labelled_by(label.id).changed();
        let is_time = text.trim().is_empty() || Timestamp::parse(text).is_some();
        if !is_time {
            ui.weak("no time yet");
        }
        changed && is_time
    })
    .inner
}

fn columns_menu_ui(
    ui: &mut egui::Ui,
    view: &EventsView,
    local: &mut EventsLocal,
    asked: &mut Vec<BrowseAction>,
) {
    staying_menu("Columns ▾").ui(ui, |ui| {
        ui.set_min_width(260.0);
        let specs = columns(view);
        for place in &mut local.table.columns {
            let Some(spec) = specs.iter().find(|spec| spec.key == place.key) else { continue };
            ui.checkbox(&mut place.is_shown, &spec.title);
        }
        ui.separator();
        let label = ui.label("Add a column for a path of the data, or meta: and one of the metadata");
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut local.path).hint_text("address.city").desired_width(150.0);
            let entered = ui.add(field).labelled_by(label.id).lost_focus();
            let enter = entered && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let path = ColumnPath::typed(&local.path);
            if (ui.add_enabled(path.is_some(), egui::Button::new("Add")).clicked() || enter)
                && let Some(path) = path
            {
                asked.push(BrowseAction::AddColumn(path));
                local.path.clear();
            }
        });
        for path in view.paths.iter() {
            if ui.button(format!("Remove {path}")).clicked() {
                asked.push(BrowseAction::RemoveColumn(path.clone()));
            }
        }
    });
}

fn order_ui(ui: &mut egui::Ui, view: &EventsView, asked: &mut Vec<BrowseAction>) {
    for (order, name, help) in [
        (EventOrder::Global, "Global", "As the events were recorded"),
        (EventOrder::Stream, "By stream", "Stream by stream, each in version order"),
    ] {
        let response = ui.selectable_label(view.order == order, name).on_hover_text(help);
        if response.clicked() && view.order != order {
            asked.push(BrowseAction::OrderEvents(order));
        }
    }
}

fn columns(view: &EventsView) -> Vec<ColumnSpec> {
    let time = match view.zone {
        Zone::Utc => "Time (UTC)",
        Zone::Local => "Time (local)",
    };
    let mut columns = vec![
        ColumnSpec::new(POSITION, "Position", 80.0, ColumnKind::Number),
        ColumnSpec::new(TIME, time, 216.0, ColumnKind::Code),
        ColumnSpec::new(STREAM, "Stream", 120.0, ColumnKind::Text),
        ColumnSpec::new(VERSION, "Version", 70.0, ColumnKind::Number),
        ColumnSpec::new(TYPE, "Type", 140.0, ColumnKind::Text),
    ];
    columns.extend(view.extras.iter().map(|extra| extra_column(*extra).hidden()));
    columns.push(ColumnSpec::new(DATA, "Data", 300.0, ColumnKind::Code));
    if view.is_of_one_stream {
        // Every row would say the same; the room goes to the data.
        columns.retain(|column| column.key != STREAM);
    }
    columns.retain(|column| column.key != TIME || view.has_times);
    let path =
        |path: &ColumnPath| ColumnSpec::new(&path.to_string(), &path.to_string(), 120.0, ColumnKind::Code);
    columns.extend(view.paths.iter().map(path));
    let watch = |(watch, name): &(String, String)| {
        ColumnSpec::new(&format!("{WATCH}{watch}"), name, 120.0, ColumnKind::Code)
    };
    columns.extend(view.watches.iter().map(watch));
    columns
}

/// The column of what events carry beside their heads.
fn extra_column(extra: Extra) -> ColumnSpec {
    let (title, width) = match extra {
        Extra::Actor => ("Actor", 120.0),
        Extra::Correlation => ("Correlation", 160.0),
        Extra::Causation => ("Causation", 160.0),
        Extra::EventId => ("Event id", 160.0),
    };
    ColumnSpec::new(extra_key(extra), title, width, ColumnKind::Code)
}

fn extra_key(extra: Extra) -> &'static str {
    match extra {
        Extra::Actor => "extra actor",
        Extra::Correlation => "extra correlation",
        Extra::Causation => "extra causation",
        Extra::EventId => "extra event id",
    }
}

fn table_ui(
    ui: &mut egui::Ui,
    view: &EventsView,
    local: &mut EventsLocal,
    (asked, actions): (&mut Vec<BrowseAction>, &mut Vec<Action>),
) {
    let columns = columns(view);
    let is_other = std::mem::replace(&mut local.generation, view.generation) != view.generation;
    let has_moved = std::mem::replace(&mut local.cursor_row, view.cursor_row) != view.cursor_row;
    let scroll_to =
        if has_moved || is_other { view.cursor_row.or_else(|| is_other.then_some(0)) } else { None };
    let look = |row: u64| match view.cursor_row {
        Some(cursor) if row == cursor => RowLook::Cursor,
        Some(cursor) if row > cursor && view.order == EventOrder::Global => RowLook::Later,
        _ => RowLook::Plain,
    };
    let mut from_menu = Vec::new();
    let mut menu = |ui: &mut egui::Ui, row: u64| {
        row_menu_ui(ui, view, row, &mut from_menu);
        if view.listing.is_some() {
            ui.separator();
            what_if_menu_ui(ui, row, actions);
        }
    };
    let mut head = HeadOf::default();
    let response = Table::new("Events", &columns)
        .rows(view.total)
        .selected(view.cursor_row)
        .scroll_to(scroll_to)
        .look(&look)
        .menu(&mut menu)
        .show(ui, &mut local.table, |row, column| cell(view, row, &columns, column, &mut head));
    asked.extend(from_menu);
    asked.extend(response.select.map(BrowseAction::ChooseRow));
    let shown = (response.first_visible, response.visible_rows);
    if shown != local.shown || is_other || !is_loaded(view, shown) {
        local.shown = shown;
        let count = usize::try_from(response.visible_rows).unwrap_or(usize::MAX);
        asked.push(BrowseAction::ShowRows { first: response.first_visible, count });
    }
}

/// Whether the rows on screen were fetched. An event that is gone counts: asking again brings nothing.
fn is_loaded(view: &EventsView, (first, count): (u64, u64)) -> bool {
    let end = (first + count).min(view.total);
    view.loaded_from <= first && end <= view.loaded_from + view.loaded.len() as u64
}

/// The head of the row that is drawn, made once for all its cells.
#[derive(Default)]
struct HeadOf(Option<(u64, Option<RowHead>)>);

impl HeadOf {
    fn get(&mut self, view: &EventsView, row: u64) -> Option<RowHead> {
        match &self.0 {
            Some((known, head)) if *known == row => head.clone(),
            _ => self.0.insert((row, view.head(row))).1.clone(),
        }
    }
}

fn cell(view: &EventsView, row: u64, columns: &[ColumnSpec], column: usize, heads: &mut HeadOf) -> Cell {
    let Some(spec) = columns.get(column) else { return Cell::default() };
    let loaded = view.loaded(row);
    match &*spec.key {
        DATA => match loaded {
            Some(loaded) if loaded.is_problem => Cell::inked(loaded.preview.clone(), Ink::Trouble),
            Some(loaded) => Cell::text(loaded.preview.clone()),
            None => Cell::pending(),
        },
        key if key.starts_with(WATCH) => {
            let watch = key.strip_prefix(WATCH).unwrap_or_default();
            view.watched(row, watch).map(|value| Cell::text(value.to_string())).unwrap_or_default()
        }
        key if key.starts_with(EXTRA) => {
            match (loaded, Extra::ALL.iter().position(|extra| extra_key(*extra) == key)) {
                (Some(loaded), Some(place)) => {
                    let text = loaded.extras.get(place).and_then(Option::as_deref);
                    Cell::text(text.unwrap_or_default().to_owned())
                }
                _ => Cell::pending(),
            }
        }
        key if ColumnPath::is_key(key) => {
            let place = view.paths.iter().position(|path| path.to_string() == key);
            match (loaded, place) {
                (Some(loaded), Some(place)) => {
                    Cell::text(loaded.paths.get(place).cloned().unwrap_or_default())
                }
                _ => Cell::pending(),
            }
        }
        key => {
            let Some(head) = heads.get(view, row) else { return Cell::pending() };
            match key {
                POSITION => Cell::inked(head.position, Ink::Soft),
                TIME => Cell::inked(head.time, Ink::Soft),
                STREAM => Cell::text(head.stream.to_string()).with_id_at(head.id_at),
                VERSION => Cell::text(head.version),
                _ => match view.edit(row) {
                    Some(edit) => Cell::inked(format!("{edit}: {}", head.event_type), Ink::Soft)
                        .with_tooltip(format!("{} is {edit} in this branch", head.event_type)),
                    None => Cell::inked(head.event_type.to_string(), Ink::Name),
                },
            }
        }
    }
}

/// One click to a branch in which this event went otherwise.
fn what_if_menu_ui(ui: &mut egui::Ui, row: u64, actions: &mut Vec<Action>) {
    let target = Target::Row(row);
    for (name, action) in [
        ("Leave this event out (what-if)", WhatIfAction::LeaveOut(target)),
        ("Edit this event… (what-if)", WhatIfAction::Edit(target)),
        ("Insert before… (what-if)", WhatIfAction::InsertBefore(target)),
        ("Insert after… (what-if)", WhatIfAction::InsertAfter(target)),
        ("Move… (what-if)", WhatIfAction::Move(target)),
    ] {
        if ui.button(name).clicked() {
            actions.push(Action::WhatIf(action));
            ui.close();
        }
    }
}

fn row_menu_ui(ui: &mut egui::Ui, view: &EventsView, row: u64, asked: &mut Vec<BrowseAction>) {
    let Some(head) = view.head(row) else { return };
    ui.label(RichText::new(format!("{} {}", head.event_type, head.version)).strong());
    let mut item = |ui: &mut egui::Ui, text: String, action: Option<BrowseAction>, copy: Option<&str>| {
        if ui.button(text).clicked() {
            asked.extend(action);
            if let Some(copy) = copy {
                ui.ctx().copy_text(copy.to_owned());
            }
            ui.close();
        }
    };
    item(ui, "Go there".to_owned(), Some(BrowseAction::ChooseRow(row)), None);
    let listing = view.listing.as_ref();
    let stream = listing.and_then(|listing| listing.index.row(listing.ordinal(row)?)).map(|row| row.stream);
    if let Some(stream) = stream {
        item(ui, format!("Only {}", head.stream), Some(BrowseAction::ChooseStream(stream)), None);
    }
    item(
        ui,
        format!("Only {}", head.event_type),
        Some(BrowseAction::OnlyType(Arc::clone(&head.event_type))),
        None,
    );
    item(
        ui,
        format!("Hide {}", head.event_type),
        Some(BrowseAction::ToggleType(Arc::clone(&head.event_type))),
        None,
    );
    item(ui, "Copy position".to_owned(), None, Some(&head.position));
    item(ui, "Copy stream".to_owned(), None, Some(&head.stream));
    if let Some(loaded) = view.loaded(row) {
        item(ui, "Copy shown data".to_owned(), None, Some(&loaded.preview));
    }
}
