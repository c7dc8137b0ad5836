//! What a projection emitted, logged and could not handle.

use std::sync::Arc;

use egui::{RichText, ScrollArea, TextEdit, Ui};

use crate::{
    projection::{Output, OutputKind},
    session::{
        action::{Action, ProjectionAction},
        projections::OutputWish,
        view::{OutputView, ProjectionsView, grouped, output_cells, output_title},
    },
    ui::{
        theme,
        widgets::{
            empty::empty_panel,
            icon::Icon,
            table::{Cell, ColumnKind, ColumnSpec, Table, TableState},
        },
    },
};

/// What this part of the panel remembers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct OutputLocal {
    kind: OutputPart,
    is_all: bool,
    #[serde(skip)]
    filter: String,
    /// Only what was written for this partition, and of which projection that is.
    #[serde(skip)]
    partition: Option<(Arc<str>, Arc<str>)>,
    #[serde(skip)]
    tables: [TableState; 4],
    /// What was asked for last, and of which read model.
    #[serde(skip)]
    asked: Option<(OutputWish, (u64, Option<u64>))>,
    #[serde(skip)]
    generation: u64,
}

/// The kind that is listed, as it is remembered.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
enum OutputPart {
    #[default]
    Emitted,
    Logs,
    Failures,
    Results,
}

impl OutputPart {
    fn kind(self) -> OutputKind {
        match self {
            Self::Emitted => OutputKind::Emitted,
            Self::Logs => OutputKind::Logs,
            Self::Failures => OutputKind::Failures,
            Self::Results => OutputKind::Results,
        }
    }

    fn of(kind: OutputKind) -> Self {
        match kind {
            OutputKind::Emitted => Self::Emitted,
            OutputKind::Logs => Self::Logs,
            OutputKind::Failures => Self::Failures,
            OutputKind::Results => Self::Results,
        }
    }
}

/// The kinds, the list of one of them, and the chosen one in full.
pub(super) fn output_ui(
    ui: &mut Ui,
    projections: &ProjectionsView,
    local: &mut OutputLocal,
    actions: &mut Vec<Action>,
) {
    let is_script = projections.detail.as_ref().is_some_and(|detail| detail.is_script);
    if projections.model.is_none() {
        let hint = "Rebuild the projection to see what it writes, logs and cannot handle";
        empty_panel(ui, Icon::Info, "Nothing rebuilt yet", hint, None);
        return;
    }
    if !is_script {
        local.kind = OutputPart::Failures;
    }
    let view = &projections.output;
    let name = projections.detail.as_ref().map(|detail| Arc::clone(&detail.name)).unwrap_or_default();
    local.partition.take_if(|(of, _)| *of != name);
    ui.horizontal_wrapped(|ui| head_ui(ui, view, local, is_script));
    let kind = local.kind.kind();
    let is_current = view.kind == kind && view.counts.is_some();
    if is_current && view.listed == 0 && !view.is_loading {
        empty_ui(ui, view);
    } else {
        chosen_ui(ui, view, (&name, is_script), local, actions);
    }
    let (first, visible) = if is_current && view.listed > 0 {
        list_ui(ui, view, (&name, is_script), local, actions)
    } else {
        (0, 20)
    };
    let wish = OutputWish {
        kind,
        is_all: local.is_all,
        filter: local.filter.trim().into(),
        partition: local.partition.as_ref().map(|(_, partition)| Arc::clone(partition)),
        first,
        count: usize::try_from(visible).unwrap_or(usize::MAX),
    };
    let asked = Some((wish, view.revision));
    if local.asked != asked {
        if let Some((wish, _)) = &asked {
            actions.push(Action::Projections(ProjectionAction::ShowOutput(wish.clone())));
        }
        local.asked = asked;
        ui.ctx().request_repaint();
    }
}

fn head_ui(ui: &mut Ui, view: &OutputView, local: &mut OutputLocal, is_script: bool) {
    for kind in OutputKind::ALL {
        // SQL writes nothing but its tables.
        if !is_script && kind != OutputKind::Failures {
            continue;
        }
        let title = match view.counts {
            Some(counts) => format!("{} {}", output_title(kind), grouped(counts.of(kind))),
            None => output_title(kind).to_owned(),
        };
        if ui.selectable_label(local.kind.kind() == kind, title).clicked() {
            local.kind = OutputPart::of(kind);
        }
    }
    ui.separator();
    ui.checkbox(&mut local.is_all, "After the cursor, too");
    if let Some((_, partition)) = local.partition.clone() {
        let chip = ui.button(format!("Only {partition} ✕"));
        if chip.on_hover_text("Show what was written for every partition").clicked() {
            local.partition = None;
        }
    }
    let name = "Find in output";
    let field = ui.add(TextEdit::singleline(&mut local.filter).hint_text(name).desired_width(150.0));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    if !view.filter.is_empty() || view.partition.is_some() {
        let more = if view.is_cut { ", and more" } else { "" };
        ui.weak(format!("{} found{more}", grouped(view.listed)));
    }
}

/// Why there is nothing, and what would make something.
fn empty_ui(ui: &mut Ui, view: &OutputView) {
    let (title, hint) = match view.kind {
        OutputKind::Emitted => {
            ("No events emitted", "Handlers write events by emit, linkTo and linkStreamTo")
        }
        OutputKind::Logs => ("Nothing logged", "Handlers write lines here by log"),
        OutputKind::Failures => ("No failures", "Every event that it took could be handled"),
        OutputKind::Results => {
            ("No results beside the states", "With engine 1, transformBy and filterBy make results of states")
        }
    };
    let is_filtered = !view.filter.is_empty() || view.partition.is_some();
    let title = if is_filtered { "Nothing found" } else { title };
    let hint = if view.is_all { hint.to_owned() } else { format!("{hint}; this is as of the cursor") };
    empty_panel(ui, Icon::Info, title, &hint, None);
}

/// The list; tells what of it is on screen.
fn list_ui(
    ui: &mut Ui,
    view: &OutputView,
    of: (&Arc<str>, bool),
    local: &mut OutputLocal,
    actions: &mut Vec<Action>,
) -> (u64, u64) {
    let columns = columns(view.kind);
    let is_other = std::mem::replace(&mut local.generation, view.generation) != view.generation;
    let (mut copied, mut wish) = (None, None);
    let is_only = local.partition.is_some();
    let mut menu = |ui: &mut Ui, place: u64| {
        let Some(output) = view.get(place) else { return };
        if of.1
            && let Some(found) = partition_ui(ui, output, is_only)
        {
            wish = Some((found, Arc::clone(&output.partition)));
            ui.close();
        }
        if ui.button("Copy as JSON").clicked() {
            copied = Some(output.to_json().to_pretty());
            ui.close();
        }
    };
    let place = OutputKind::ALL.iter().position(|kind| *kind == view.kind).unwrap_or_default();
    let mut none = TableState::default();
    let response = Table::new(output_title(view.kind), &columns)
        .rows(view.listed)
        .selected(view.chosen_place())
        .scroll_to(is_other.then_some(0))
        .menu(&mut menu)
        .show(ui, local.tables.get_mut(place).unwrap_or(&mut none), |place, column| {
            let Some(output) = view.get(place) else { return Cell::pending() };
            match column.checked_sub(1) {
                None => Cell::text(grouped(output.count)),
                Some(column) => {
                    output_cells(output).into_iter().nth(column).map(Cell::text).unwrap_or_default()
                }
            }
        });
    if let Some(text) = copied {
        ui.ctx().copy_text(text);
    }
    if let Some((wish, partition)) = wish {
        follow(wish, of.0, partition, local, actions);
    }
    let is_menu = response.context.is_some();
    if let Some(output) = response.select.filter(|_| !is_menu).and_then(|place| view.get(place)) {
        actions.push(Action::Projections(ProjectionAction::ChooseOutput(output.number)));
    }
    (response.first_visible, response.visible_rows.max(20))
}

/// What can be asked of the partition that something was written for.
#[derive(Debug, Clone, Copy)]
enum PartitionWish {
    /// Show nothing else.
    Only,
    /// Make it anew.
    Rebuild,
}

/// Buttons for the partition of an output; those of projections with one state for all have none.
fn partition_ui(ui: &mut Ui, output: &Output, is_filtered: bool) -> Option<PartitionWish> {
    if output.partition.is_empty() {
        return None;
    }
    let mut wish = None;
    let name = &output.partition;
    if !is_filtered {
        let only = ui.button("Only this partition").on_hover_text(format!("What was written for {name}"));
        if only.clicked() {
            wish = Some(PartitionWish::Only);
        }
    }
    let help = format!("Run the definition over the events of {name} alone; what is shown now is replaced");
    if ui.button("Rebuild only this partition").on_hover_text(help).clicked() {
        wish = Some(PartitionWish::Rebuild);
    }
    wish
}

fn follow(
    wish: PartitionWish,
    name: &Arc<str>,
    partition: Arc<str>,
    local: &mut OutputLocal,
    actions: &mut Vec<Action>,
) {
    match wish {
        PartitionWish::Only => local.partition = Some((Arc::clone(name), partition)),
        PartitionWish::Rebuild => {
            let asked = ProjectionAction::RebuildPartition(Arc::clone(name), partition);
            actions.push(Action::Projections(asked));
        }
    }
}

fn columns(kind: OutputKind) -> Vec<ColumnSpec> {
    let code = |key: &str, title: &str, width| ColumnSpec::new(key, title, width, ColumnKind::Code);
    let event = ColumnSpec::new("event", "Event", 80.0, ColumnKind::Number);
    match kind {
        OutputKind::Emitted => vec![
            event,
            code("stream", "To stream", 190.0),
            code("type", "Type", 160.0),
            code("data", "Data", 320.0),
            code("partition", "Partition", 150.0),
        ],
        OutputKind::Logs => vec![event, code("line", "Line", 480.0), code("partition", "Partition", 150.0)],
        OutputKind::Failures => vec![
            event,
            code("failed", "Could not be handled", 230.0),
            code("message", "What went wrong", 380.0),
            code("what", "Kind", 150.0),
        ],
        OutputKind::Results => {
            vec![event, code("partition", "Partition", 190.0), code("result", "Result", 420.0)]
        }
    }
}

/// The chosen output in full, below the list.
fn chosen_ui(
    ui: &mut Ui,
    view: &OutputView,
    of: (&Arc<str>, bool),
    local: &mut OutputLocal,
    actions: &mut Vec<Action>,
) {
    let Some(chosen) = view.chosen.as_ref().filter(|_| view.counts.is_some()) else { return };
    let height = ui.available_height() * 0.42;
    egui::Panel::bottom("chosen output").resizable(true).default_size(height).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.strong(format!("At event {}", grouped(chosen.output.count)));
            if ui.button("Go to the event").clicked() {
                actions.push(Action::Projections(ProjectionAction::ChooseOutput(chosen.output.number)));
            }
            if ui.button("Copy as JSON").clicked() {
                ui.ctx().copy_text(chosen.output.to_json().to_pretty());
            }
            if of.1
                && let Some(wish) = partition_ui(ui, &chosen.output, local.partition.is_some())
            {
                follow(wish, of.0, Arc::clone(&chosen.output.partition), local, actions);
            }
        });
        ScrollArea::both().id_salt("chosen output text").auto_shrink(false).show(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(&*chosen.text).font(theme::mono())).selectable(true));
        });
    });
}
