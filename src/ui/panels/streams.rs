//! The tree of streams: categories, and the streams in them.

use std::sync::Arc;

use egui::TextEdit;

use crate::{
    session::{
        action::{Action, BrowseAction, ShellAction, StreamSort},
        view::{StreamLine, StreamText, StreamsView, grouped},
    },
    ui::widgets::{
        empty,
        icon::{Icon, trouble_label},
        table::{Cell, ColumnKind, ColumnSpec, Ink, RowLook, Sorting, Table, TableState},
    },
};

/// What the panel keeps for itself.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct StreamsLocal {
    /// Columns and scrolling.
    pub table: TableState,
    /// The stream that was chosen in the last frame, so that a new choice is scrolled to.
    #[serde(skip)]
    last_chosen: Option<u32>,
    #[serde(skip)]
    chosen: ChosenRow,
}

/// Where the chosen stream stands, looked for once for each choice and each arrangement of the lines.
#[derive(Default)]
struct ChosenRow {
    of: Option<(Arc<Vec<StreamLine>>, u32)>,
    row: Option<u64>,
}

impl ChosenRow {
    fn find(&mut self, view: &StreamsView) -> Option<u64> {
        let Some(chosen) = view.chosen else {
            *self = Self::default();
            return None;
        };
        let is_known =
            self.of.as_ref().is_some_and(|(lines, of)| Arc::ptr_eq(lines, &view.lines) && *of == chosen);
        if !is_known {
            let place = view.lines.iter().position(|line| *line == StreamLine::Stream(chosen));
            self.row = place.map(|place| place as u64);
            self.of = Some((Arc::clone(&view.lines), chosen));
        }
        self.row
    }
}

const NAME: &str = "name";
const EVENTS: &str = "events";
const FIRST: &str = "first";
const LAST: &str = "last";

/// Filter, summary and tree.
pub fn streams_ui(
    ui: &mut egui::Ui,
    view: &StreamsView,
    local: &mut StreamsLocal,
    actions: &mut Vec<Action>,
) {
    filter_ui(ui, view, actions);
    if view.lines.is_empty() {
        no_lines_ui(ui, view);
    } else {
        table_ui(ui, view, local, actions);
    }
}

fn no_lines_ui(ui: &mut egui::Ui, view: &StreamsView) {
    let (title, hint) = if view.is_counting {
        ("Counting streams…", "Events can be browsed meanwhile")
    } else if view.filter.is_empty() {
        ("No streams", "This store holds no events yet")
    } else {
        ("No stream passes the filter", "Plain text, a glob like order-1*, or /expression/")
    };
    empty::empty_panel(ui, Icon::Search, title, hint, None);
}

fn table_ui(ui: &mut egui::Ui, view: &StreamsView, local: &mut StreamsLocal, actions: &mut Vec<Action>) {
    let columns = [
        ColumnSpec::new(NAME, "Stream", 118.0, ColumnKind::Text).sortable(),
        ColumnSpec::new(EVENTS, "Events", 84.0, ColumnKind::Number).sortable(),
        ColumnSpec::new(LAST, "Last", 94.0, ColumnKind::Code).sortable(),
        ColumnSpec::new(FIRST, "First", 94.0, ColumnKind::Code).sortable(),
    ];
    let sorting = Sorting { key: sort_key(view.sort).to_owned(), is_descending: view.is_descending };
    let chosen_row = local.chosen.find(view);
    let is_new_choice = view.chosen != local.last_chosen;
    local.last_chosen = view.chosen;
    let look = |row: u64| match line(view, row) {
        Some(StreamLine::Stream(number)) if view.is_future(*number) => RowLook::Later,
        _ => RowLook::Plain,
    };
    let mut asked = Vec::new();
    let mut menu = |ui: &mut egui::Ui, row: u64| {
        asked.extend(line(view, row).and_then(|line| line_menu_ui(ui, view, line)));
    };
    let mut text = TextOf::default();
    let response = Table::new("Streams", &columns)
        .rows(view.lines.len() as u64)
        .selected(chosen_row)
        .sorted(Some(&sorting))
        .scroll_to(chosen_row.filter(|_| is_new_choice))
        .look(&look)
        .menu(&mut menu)
        .show(ui, &mut local.table, |row, column| cell(view, row, &columns, column, &mut text));
    if let Some(line) = response.select.and_then(|row| line(view, row)) {
        asked.push(match line {
            StreamLine::Stream(number) => BrowseAction::ChooseStream(*number),
            StreamLine::Category { name, .. } => BrowseAction::ToggleCategory(name.clone()),
        });
    }
    asked.extend(response.sort.as_deref().and_then(sort_of).map(BrowseAction::SortStreams));
    actions.extend(asked.into_iter().map(Action::Browse));
}

fn filter_ui(ui: &mut egui::Ui, view: &StreamsView, actions: &mut Vec<Action>) {
    let mut filter = view.filter.clone();
    let field = TextEdit::singleline(&mut filter)
        .hint_text("Filter: text, glob* or /regex/")
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Filter streams"));
    if response.changed() {
        actions.push(Action::Browse(BrowseAction::FilterStreams(filter)));
    }
    ui.horizontal(|ui| match &view.filter_error {
        Some(err) => {
            let first_line = err.lines().last().unwrap_or(err);
            trouble_label(ui, first_line).on_hover_text(err);
        }
        None => {
            ui.weak(&view.summary);
            let go_on = egui::Button::new("Go on").small();
            if view.is_stopped && ui.add(go_on).on_hover_text("Index the rest of the events").clicked() {
                actions.push(Action::Shell(ShellAction::GoOnIndexing));
            }
        }
    });
}

fn line(view: &StreamsView, row: u64) -> Option<&StreamLine> {
    view.lines.get(usize::try_from(row).ok()?)
}

/// The texts of the line that is drawn, made once for all its cells.
#[derive(Default)]
struct TextOf(Option<(u32, StreamText)>);

impl TextOf {
    fn get(&mut self, view: &StreamsView, stream: u32) -> Option<&StreamText> {
        if self.0.as_ref().is_none_or(|(known, _)| *known != stream) {
            self.0 = view.text(stream).map(|text| (stream, text));
        }
        self.0.as_ref().map(|(_, text)| text)
    }
}

fn cell(view: &StreamsView, row: u64, columns: &[ColumnSpec], column: usize, texts: &mut TextOf) -> Cell {
    let key = columns.get(column).map_or("", |column| &*column.key);
    match line(view, row) {
        None => Cell::default(),
        Some(StreamLine::Category { name, streams, events, is_open }) => {
            match key {
                NAME => {
                    let arrow = if *is_open { "▾" } else { "▸" };
                    let name = name.as_deref().unwrap_or("(no category)");
                    Cell::text(format!("{arrow} {name}  {}", grouped(*streams))).naming().with_tooltip(
                        format!("{name}: {} streams, {} events", grouped(*streams), grouped(*events)),
                    )
                }
                EVENTS => Cell::inked(grouped(*events), Ink::Soft),
                _ => Cell::default(),
            }
        }
        Some(StreamLine::Stream(number)) => {
            let Some(text) = texts.get(view, *number) else { return Cell::pending() };
            match key {
                NAME if has_categories(view) => {
                    Cell::text(format!("    {}", text.label)).naming().with_tooltip(text.full.to_string())
                }
                NAME => Cell::text(text.label.to_string()).naming().with_tooltip(text.full.to_string()),
                EVENTS => Cell::text(text.events.clone()),
                FIRST => time_cell(text.first.clone()),
                _ => time_cell(text.last.clone()),
            }
        }
    }
}

/// The day is enough to find a stream; the time of day stands in the tooltip.
fn time_cell(time: String) -> Cell {
    let day = time.get(..10).unwrap_or(&time).to_owned();
    Cell::inked(day, Ink::Soft).with_tooltip(time)
}

/// Without categories the streams are no tree, and stand at the edge.
fn has_categories(view: &StreamsView) -> bool {
    matches!(view.lines.first(), Some(StreamLine::Category { .. }))
}

fn line_menu_ui(ui: &mut egui::Ui, view: &StreamsView, line: &StreamLine) -> Option<BrowseAction> {
    match line {
        StreamLine::Category { name, .. } => category_menu_ui(ui, name.clone()),
        StreamLine::Stream(number) => {
            let text = view.text(*number)?;
            if ui.button("Copy name").clicked() {
                ui.ctx().copy_text(text.full.to_string());
                ui.close();
            }
            if ui.button("Copy id").clicked() {
                ui.ctx().copy_text(text.label.to_string());
                ui.close();
            }
            let chosen = ui.button("Show its events").clicked();
            chosen.then_some(BrowseAction::ChooseStream(*number))
        }
    }
}

fn category_menu_ui(ui: &mut egui::Ui, name: Option<Arc<str>>) -> Option<BrowseAction> {
    let mut asked = None;
    let mut item = |ui: &mut egui::Ui, text: &str, action: BrowseAction| {
        if ui.button(text).clicked() {
            asked = Some(action);
            ui.close();
        }
    };
    item(ui, "Show only its events", BrowseAction::FilterCategory(Some(name)));
    item(ui, "Open all categories", BrowseAction::OpenAllCategories(true));
    item(ui, "Close all categories", BrowseAction::OpenAllCategories(false));
    asked
}

fn sort_key(sort: StreamSort) -> &'static str {
    match sort {
        StreamSort::Name => NAME,
        StreamSort::Events => EVENTS,
        StreamSort::First => FIRST,
        StreamSort::Last => LAST,
    }
}

fn sort_of(key: &str) -> Option<StreamSort> {
    [StreamSort::Name, StreamSort::Events, StreamSort::First, StreamSort::Last]
        .into_iter()
        .find(|sort| sort_key(*sort) == key)
}
