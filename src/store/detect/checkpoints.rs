//! Tables of checkpoints: how far the owner's projections came, and which events were marked as handled.

use std::sync::Arc;

use crate::store::{
    detect::{look::Look, names},
    layout::{CheckpointsTable, Form, Mapping, TableKind, TableNote},
};

/// What a projection is called by, the most telling first.
pub(super) const NAMES: &[&str] = &[
    "projection_name",
    "projection",
    "subscription_name",
    "subscription",
    "projection_id",
    "subscription_id",
    "processor_name",
    "processor_id",
    "processor",
    "bookmark",
    "application_name",
    "consumer_name",
    "consumer",
    "listener",
    "handler_name",
    "handler",
    "name",
    "id",
];

/// What the last event handled is told by, the most telling first.
pub(super) const POSITIONS: &[&str] = &[
    "global_position",
    "last_position",
    "position",
    "checkpoint",
    "last_processed_checkpoint",
    "last_processed_position",
    "last_global_position",
    "last_event_position",
    "current_position",
    "last_seq_id",
    "notification_id",
    "last_event_number",
    "last_sequence",
    "last_sequence_number",
    "current_offset",
    "last_offset",
    "last_event_id",
    "last_processed_event_id",
    "last_processed",
    "token",
];

const STATUSES: &[&str] = &["status", "state", "health"];

const ERRORS: &[&str] =
    &["error", "error_message", "last_error", "error_text", "failure", "failure_reason", "exception"];

const TIMES: &[&str] = &[
    "last_processed",
    "last_processed_at",
    "processed_at",
    "updated_at",
    "last_updated",
    "last_updated_at",
    "updated",
    "modified_at",
    "handled_at",
    "timestamp",
    "created_at",
];

/// What tells a handled event in a table of such marks.
const MARKS: &[&str] =
    &["event_id", "message_id", "notification_id", "global_position", "event_position", "position", "id"];

/// Reads every table that is noted as one of checkpoints or of handled events, and says so of one thing at least:
/// which event.
pub(super) fn find(looks: &[Look<'_>], notes: &[TableNote]) -> Vec<CheckpointsTable> {
    let noted = notes.iter().filter_map(|note| {
        let look = looks.iter().find(|look| look.table.name == note.table)?;
        match note.kind {
            TableKind::Checkpoints => read(look, POSITIONS, false),
            TableKind::Processed => read(look, MARKS, true),
            _ => None,
        }
    });
    noted.collect()
}

fn read(look: &Look<'_>, positions: &[&str], is_set: bool) -> Option<CheckpointsTable> {
    let mut taken = Vec::new();
    let mut pick = |known: &[&str], fits: &dyn Fn(usize) -> bool| {
        let free = look.columns().filter(|at| !taken.contains(at) && fits(*at));
        let best = free
            .filter_map(|at| {
                let name = names::normalised(&look.name(at));
                let place = known.iter().position(|known| *known == name)?;
                // A column that holds nothing says less than one that is called less well.
                Some((look.profile(at).filled == 0, place, at))
            })
            .min()?
            .2;
        taken.push(best);
        Some(best)
    };
    let position = pick(positions, &|at| !is_clock(look, at))?;
    // The names of a set's marks are told by the same word as other ids.
    let names =
        if is_set { NAMES.iter().copied().filter(|name| *name != "id").collect() } else { NAMES.to_vec() };
    let name = pick(&names, &|_| true);
    let time = pick(TIMES, &|at| is_clock(look, at) || look.profile(at).filled == 0);
    let status = pick(STATUSES, &|at| !is_clock(look, at));
    let error = pick(ERRORS, &|at| !is_clock(look, at));
    let mapping = |at: usize, form: Form| {
        let evidence = match look.profile(at).filled {
            0 => format!("`{}` of `{}`, named so", look.name(at), look.table.name),
            filled => {
                format!("`{}` of `{}`, named so, filled in {filled} rows", look.name(at), look.table.name)
            }
        };
        Mapping { form, ..Mapping::column(&look.name(at), evidence) }
    };
    let plain = |at: usize| mapping(at, look.profile(at).id_form());
    Some(CheckpointsTable {
        table: Arc::clone(&look.table.name),
        name: name.map(plain),
        position: plain(position),
        status: status.map(plain),
        error: error.map(plain),
        time: time.map(|at| mapping(at, look.profile(at).time.unwrap_or(Form::Iso))),
        is_set,
    })
}

/// Whether a column tells the time of day: by its values, or by its type where there are none. Ids that sort by
/// time tell events.
fn is_clock(look: &Look<'_>, at: usize) -> bool {
    let profile = look.profile(at);
    if profile.filled > 0 {
        return profile.time.is_some_and(|form| !matches!(form, Form::UuidV7 | Form::Ulid));
    }
    let declared =
        look.table.columns.get(at).map(|column| column.declared.to_uppercase()).unwrap_or_default();
    declared.contains("TIME") || declared.contains("DATE")
}
