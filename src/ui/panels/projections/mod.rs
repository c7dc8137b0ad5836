//! The projections of a store: the list, and one of them in detail.

mod definition;
pub mod drift;
mod head;
mod list;
mod output;
mod rows;
mod states;
mod story;

use std::{collections::BTreeMap, sync::Arc};

use egui::Ui;

use crate::{
    projection::export::Format,
    session::{
        action::{Action, ProjectionAction},
        view::{ProjectionDetail, ProjectionsView, View},
    },
    ui::{
        pace::Pace,
        theme,
        widgets::{empty::empty_panel, icon::Icon},
    },
};

/// What the panel remembers.
#[derive(Default)]
pub struct ProjectionsLocal {
    /// What is shown of the chosen projection.
    pub detail: Detail,
    /// A file that is to be asked for.
    pub wish: Option<FileWish>,
    /// How fast rebuilds go on, by the number of their slot.
    pub paces: BTreeMap<u16, Pace>,
    list: list::ListLocal,
    rows: rows::RowsLocal,
    output: output::OutputLocal,
    drift: drift::DriftLocal,
    definition: definition::DefinitionLocal,
    /// The number of the text that was copied last.
    copied: u64,
}

/// A file that is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWish {
    /// One with a definition.
    Definition,
    /// A new one for the read model.
    Export(Format),
}

/// What is shown of the chosen projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Its read model at the cursor.
    #[default]
    Rows,
    /// Where the stored table is another.
    Drift,
    /// What it wrote, logged and could not handle.
    Output,
    /// Its source.
    Definition,
}

impl Detail {
    const ALL: [Self; 4] = [Self::Rows, Self::Drift, Self::Output, Self::Definition];

    fn title(self) -> &'static str {
        match self {
            Self::Rows => "Read model",
            Self::Drift => "Drift",
            Self::Output => "Output",
            Self::Definition => "Definition",
        }
    }
}

/// List and detail.
pub fn projections_ui(ui: &mut Ui, view: &View, local: &mut ProjectionsLocal, actions: &mut Vec<Action>) {
    let shown = &view.projections;
    copy(ui, shown, local);
    if shown.lines.is_empty() {
        empty_ui(ui, shown, local);
        return;
    }
    // Buttons, header, a bar for scrolling sideways, and the lines; the rest belongs to the chosen one.
    let wanted = 84.0 + theme::ROW * shown.lines.len().max(2) as f32;
    let height = wanted.min(ui.available_height() * 0.34).max(84.0 + theme::ROW);
    // A panel keeps the height it had at first; definitions that are read later make the list longer.
    let panel =
        egui::Panel::top(egui::Id::unique(("projection list", shown.lines.len()))).frame(egui::Frame::NONE);
    panel.resizable(true).default_size(height).show(ui, |ui| list::list_ui(ui, shown, local, actions));
    ui.add_space(theme::GAP);
    let Some(detail) = &shown.detail else { return };
    head::head_ui(ui, detail, local, actions);
    head::notes_ui(ui, detail, local, actions);
    match local.detail {
        Detail::Rows => match &shown.model {
            Some(model) => rows::rows_ui(ui, model, local, actions),
            None => no_model_ui(ui, detail, local, actions),
        },
        Detail::Drift => drift::drift_ui(ui, &view.drift, &mut local.drift, actions),
        Detail::Output => output::output_ui(ui, shown, &mut local.output, actions),
        Detail::Definition => definition::definition_ui(ui, detail, local, actions),
    }
}

/// Puts a text that was asked for on the clipboard, once.
fn copy(ui: &Ui, view: &ProjectionsView, local: &mut ProjectionsLocal) {
    if let Some((number, text)) = &view.copied
        && *number != local.copied
    {
        local.copied = *number;
        ui.ctx().copy_text(text.to_string());
    }
}

fn empty_ui(ui: &mut Ui, view: &ProjectionsView, local: &mut ProjectionsLocal) {
    if view.is_reading {
        empty_panel(ui, Icon::Hourglass, "Reading the definitions…", "", None);
        return;
    }
    let hint = "No table of this store looks like a read model, and the project file names no projection. \
                A definition in SQL or JavaScript makes a table of the events, to be seen at any point in time";
    if empty_panel(ui, Icon::Plus, "No projections", hint, Some("Add a definition…")) {
        local.wish = Some(FileWish::Definition);
    }
}

/// Why there is no read model to show, and what to do.
fn no_model_ui(
    ui: &mut Ui,
    detail: &ProjectionDetail,
    local: &mut ProjectionsLocal,
    actions: &mut Vec<Action>,
) {
    use crate::session::view::Stage;
    let mut asked = None;
    match detail.stage {
        Stage::Running | Stage::Stopping => {
            let pace = detail.slot.and_then(|slot| local.paces.get(&slot)).copied().unwrap_or_default();
            empty_panel(ui, Icon::Hourglass, "Rebuilding…", &pace.words(), None);
        }
        Stage::Checking => {
            let hint = "The store was read afresh; what was rebuilt before is shown if its events are still the same";
            empty_panel(ui, Icon::Hourglass, "Checking what was rebuilt…", hint, None);
        }
        Stage::Queued => {
            let hint = "Other rebuilds run; this one starts when one of them ends";
            empty_panel(ui, Icon::Hourglass, "Waiting", hint, None);
        }
        Stage::Idle if detail.has_definition => {
            let hint = "A rebuild runs the definition over all events into a database of ours; the store stays as it is";
            if empty_panel(ui, Icon::Play, "Not rebuilt yet", hint, Some("Rebuild")) {
                asked = Some(ProjectionAction::Rebuild(Arc::clone(&detail.name), Default::default()));
            }
        }
        Stage::Idle if !detail.file.is_empty() => {
            let title = format!("{} defines nothing yet", detail.file);
            let why = definition::error_words(detail).unwrap_or_default();
            if empty_panel(ui, Icon::Warning, &title, &why, Some("Show the definition")) {
                local.detail = Detail::Definition;
            }
        }
        Stage::Idle if detail.table.is_none() => {
            let hint = "The store keeps a checkpoint of it. With a definition in SQL or JavaScript it can be rebuilt \
                        from the events and seen at any point in time";
            let title = format!("Nothing says what {} makes", detail.name);
            if empty_panel(ui, Icon::Info, &title, hint, Some("Add a definition…")) {
                local.wish = Some(FileWish::Definition);
            }
        }
        Stage::Idle => {
            let hint = "The store holds this table. With a definition in SQL or JavaScript it can be rebuilt from the \
                        events, seen at any point in time, and compared with what is stored";
            let title = format!("Nothing says how {} is made", detail.name);
            if empty_panel(ui, Icon::Info, &title, hint, Some("Write a definition for it")) {
                asked = Some(ProjectionAction::Scaffold(Arc::clone(&detail.name)));
                local.detail = Detail::Definition;
            }
        }
    }
    actions.extend(asked.map(Action::Projections));
}
