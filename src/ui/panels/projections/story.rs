//! What happened to the chosen row.

use egui::{RichText, Ui};

use crate::{
    projection::RowChange,
    session::{
        action::ProjectionAction,
        view::{CellChange, ModelView, StoryView, grouped},
    },
    ui::{
        theme,
        widgets::{
            icon::{Icon, icon_button},
            table::{Cell, ColumnKind, ColumnSpec, Ink, RowLook, Table, TableState},
        },
    },
};

/// What this part of the panel remembers.
#[derive(Default)]
pub(super) struct StoryLocal {
    table: TableState,
    /// The change at the cursor, to be brought into view when it becomes another.
    current: Option<usize>,
}

/// Of a value in a line of changes, in characters.
const LONGEST: usize = 60;

const POSITION: &str = "position";
const TIME: &str = "time";
const TYPE: &str = "type";
const EVENT: &str = "event";
const ACTOR: &str = "actor";
const CHANGES: &str = "changes";

pub(super) fn story_ui(
    ui: &mut Ui,
    model: &ModelView,
    view: &StoryView,
    local: &mut StoryLocal,
    asked: &mut Vec<ProjectionAction>,
) {
    ui.horizontal_wrapped(|ui| head_ui(ui, model, view, asked));
    let mut columns = vec![
        ColumnSpec::new(POSITION, "Position", 74.0, ColumnKind::Number),
        ColumnSpec::new(TYPE, "Type", 120.0, ColumnKind::Text),
        ColumnSpec::new(CHANGES, "Changes", 300.0, ColumnKind::Code),
        ColumnSpec::new(TIME, "Time", 190.0, ColumnKind::Code),
        ColumnSpec::new(EVENT, "Event", 140.0, ColumnKind::Text),
    ];
    if !view.actors.is_empty() {
        // The room is taken from the changes, so that the event still stands in sight.
        columns.iter_mut().filter(|column| column.key == CHANGES).for_each(|column| column.width -= 40.0);
        columns.insert(2, ColumnSpec::new(ACTOR, "Actor", 90.0, ColumnKind::Text));
    }
    let current = view.current.map(|current| current as u64);
    let look = |row: u64| match current {
        Some(current) if row == current => RowLook::Cursor,
        Some(current) if row < current => RowLook::Plain,
        _ => RowLook::Later,
    };
    let has_moved = std::mem::replace(&mut local.current, view.current) != view.current;
    let response = Table::new("Row history", &columns)
        .rows(view.changes.len() as u64)
        .selected(current)
        .scroll_to(current.filter(|_| has_moved))
        .look(&look)
        .show(ui, &mut local.table, |row, column| {
            let change = usize::try_from(row).ok().and_then(|row| view.changes.get(row));
            let Some(change) = change else { return Cell::default() };
            let key = columns.get(column).map_or("", |column| &*column.key);
            if key == ACTOR {
                let actor = usize::try_from(row).ok().and_then(|row| view.actors.get(row)?.as_deref());
                return Cell::text(actor.unwrap_or_default().to_owned());
            }
            if !matches!(key, POSITION | TIME | TYPE | EVENT) {
                let told = usize::try_from(row).ok().and_then(|row| view.words.get(row));
                if let Some(told) = told {
                    return Cell::text(told.clone());
                }
                let changes = StoryView::differences(change, &model.columns);
                return Cell::text(words(change, &changes));
            }
            let head = view.event(change);
            match key {
                POSITION => Cell::inked(head.position, Ink::Soft),
                TIME => Cell::inked(head.time, Ink::Soft),
                TYPE => Cell::inked(head.event_type, Ink::Name),
                _ => Cell::text(head.event),
            }
        });
    let chosen = response.select.and_then(|row| usize::try_from(row).ok());
    asked.extend(chosen.map(ProjectionAction::GoToChange));
}

fn head_ui(ui: &mut Ui, model: &ModelView, view: &StoryView, asked: &mut Vec<ProjectionAction>) {
    let key: Vec<String> = view.key.0.iter().map(|value| short(&value.to_words())).collect();
    ui.label(RichText::new(key.join(", ")).font(theme::strong()));
    if view.is_waiting {
        crate::ui::widgets::busy::busy(ui);
    }
    let all = grouped(view.changes.len() as u64);
    let at = match view.current {
        Some(current) => format!("change {} of {all}", grouped(current as u64 + 1)),
        None => format!("before the first change of {all}"),
    };
    let column = view.column.and_then(|column| model.columns.get(column));
    ui.weak(match column {
        Some(column) => format!("{at} · why is {} as it is?", column.name),
        None => at,
    });
    ui.add_enabled_ui(view.current.is_some(), |ui| {
        if icon_button(ui, Icon::StepBack, "Previous change of this row").clicked() {
            asked.push(ProjectionAction::TurnChange(false));
        }
    });
    ui.add_enabled_ui(view.current.map_or(0, |current| current + 1) < view.changes.len(), |ui| {
        if icon_button(ui, Icon::StepForward, "Next change of this row").clicked() {
            asked.push(ProjectionAction::TurnChange(true));
        }
    });
    if icon_button(ui, Icon::Close, "Close the history of this row").clicked() {
        asked.push(ProjectionAction::ForgetRow);
    }
}

/// "status: created → paid, total: 1 → 2"; of a new row what it holds.
fn words(change: &RowChange, changes: &[CellChange]) -> String {
    if change.after.is_none() {
        return "deleted".to_owned();
    }
    let is_made = change.before.is_none();
    let value = |value: &Option<crate::model::Stored>| {
        short(&value.as_ref().map(crate::model::Stored::to_words).unwrap_or_default())
    };
    let each = changes.iter().map(|change| {
        let after = value(&change.after);
        if is_made {
            format!("{} = {after}", change.column)
        } else {
            format!("{}: {} → {after}", change.column, value(&change.before))
        }
    });
    let list = each.collect::<Vec<_>>().join(", ");
    if is_made { format!("made: {list}") } else { list }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}
