//! Finds out which tables and columns of a database hold events.
//!
//! It works from roles and evidence, not from a list of libraries: what counts without gaps within
//! what, what looks like a document, what changes within a stream and what does not, and at last
//! what things are called. It looks at a bounded number of rows, however many there are.

mod checkpoints;
mod choose;
mod finish;
mod ids;
mod inside;
mod joins;
mod look;
mod names;
mod order;
mod pair;
mod preview;
mod roles;
mod sample;
mod schema;
mod score;
mod snapshots;
mod tables;
mod values;

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::Connection;

use crate::{
    store::layout::{Candidate, Detection, EventsTable, Layout, Role, Source},
    work::{Cancelled, Work},
};

use look::Look;
use roles::{Chosen, Reading};
use schema::Table;
use score::Verdict;

pub use choose::complete;
pub use finish::class_of;
pub use preview::{Preview, preview};

/// Why a database could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The work was withdrawn.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// SQLite did not answer.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The user's mapping names a table that is not there.
    #[error("there is no table `{table}`")]
    NoTable {
        /// Which.
        table: String,
    },
    /// The user's mapping names a column that is not there.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// Where it was looked for.
        table: String,
        /// Which.
        column: String,
    },
}

/// Every answer of this room.
pub type DetectResult<T> = Result<T, DetectError>;

/// Looks at a database and tells which of its tables holds events, and how to read it.
///
/// Reads a bounded number of rows from each table, and no long value whole. Damage in a table is
/// noted and does not end the search.
pub fn detect(connection: &Connection, work: &Work) -> DetectResult<Detection> {
    let tables = schema::read(connection)?;
    work.expect_total(2 * tables.len() as u64);
    let mut looks = look_at(connection, tables.iter().filter(|table| !table.is_view), work)?;
    let mut readings = judge(&looks);
    if !readings.iter().any(|(_, verdict)| verdict.is_enough) {
        let views = look_at(connection, views(&tables, &readings).into_iter(), work)?;
        looks.extend(views);
        readings = judge(&looks);
    }
    readings.sort_by(|left, right| better(right, left));
    let mut found = readings.iter().filter(|(_, verdict)| verdict.is_enough);
    let Some((best, verdict)) = found.next() else {
        let notes = tables::notes(&tables, &looks, None);
        let nearest = readings.first().map(|(reading, verdict)| Candidate {
            table: Arc::clone(&reading.table),
            layout: layout(&tables, &looks, reading),
            shortfalls: verdict.shortfalls.clone(),
        });
        return Ok(Detection::NotFound { nearest, tables: notes });
    };
    let mut layout = layout(&tables, &looks, best);
    let is_part = |reading: &Reading| layout.events.archives.contains(&reading.table);
    let rivals = found.filter(|(reading, other)| other.score >= 0.75 * verdict.score && !is_part(reading));
    let rivals: Vec<(f64, Layout)> = rivals
        .map(|(reading, other)| (other.score / verdict.score, self::layout(&tables, &looks, reading)))
        .collect();
    for (_, rival) in &rivals {
        layout.problems.push(format!("`{}` could be an events table, too", rival.events.table));
    }
    Ok(Detection::Found { layout, rivals })
}

/// An events table before none; of those that are none, the one with more of what it takes.
fn better(left: &(Reading, Verdict), right: &(Reading, Verdict)) -> std::cmp::Ordering {
    let parts = |(reading, verdict): &(Reading, Verdict)| {
        let roles = [Role::Stream, Role::Version, Role::EventType, Role::Data];
        let played = roles.iter().filter(|role| reading.roles.contains_key(role)).count();
        if verdict.is_enough { usize::MAX } else { played }
    };
    parts(left).cmp(&parts(right)).then(left.1.score.total_cmp(&right.1.score))
}

fn look_at<'a>(
    connection: &Connection,
    tables: impl Iterator<Item = &'a Table>,
    work: &Work,
) -> DetectResult<Vec<Look<'a>>> {
    tables.filter(|table| !table.columns.is_empty()).map(|table| Look::at(connection, table, work)).collect()
}

/// The views that may stand for events: not those that merely continue a table's name.
fn views<'a>(tables: &'a [Table], readings: &[(Reading, Verdict)]) -> Vec<&'a Table> {
    let nearest = readings.iter().max_by(|left, right| left.1.score.total_cmp(&right.1.score));
    let nearest = nearest.map(|(reading, _)| reading.table.to_lowercase()).unwrap_or_default();
    let continues = |table: &Table| !nearest.is_empty() && table.name.to_lowercase().starts_with(&nearest);
    tables.iter().filter(|table| table.is_view && !continues(table)).collect()
}

fn judge(looks: &[Look<'_>]) -> Vec<(Reading, Verdict)> {
    let none = Chosen::new();
    let readings = looks.iter().map(|look| {
        let reading = read(looks, look, &none);
        let verdict = score::weigh(look, &reading);
        (reading, verdict)
    });
    readings.collect()
}

/// Reads one table in every respect; what the user chose stands.
fn read(looks: &[Look<'_>], look: &Look<'_>, chosen: &Chosen) -> Reading {
    let open = |role: Role| !chosen.contains_key(&role);
    let mut reading = Reading::of(look, chosen);
    finish::finish(look, &mut reading, &open);
    joins::apply(looks, look, &mut reading, &open);
    for (role, source) in chosen {
        if source.is_none() {
            reading.roles.remove(role);
        }
    }
    reading
}

/// The whole layout around a reading.
fn layout(tables: &[Table], looks: &[Look<'_>], reading: &Reading) -> Layout {
    let mut events = EventsTable {
        table: Arc::clone(&reading.table),
        archives: Vec::new(),
        joins: reading.joins.clone(),
        roles: reading.roles.clone(),
        order: reading.order.clone(),
        unwrap: reading.unwrap.clone(),
    };
    let mut problems = reading.problems.clone();
    for table in archives(tables, reading) {
        problems.push(format!("`{table}` holds an older part of the events"));
        events.archives.push(table);
    }
    let notes = tables::notes(tables, looks, Some(&events));
    let snapshots = snapshots::find(looks, &notes, &events);
    problems.extend(snapshots::problems(looks, &snapshots));
    let checkpoints = checkpoints::find(looks, &notes);
    Layout { name: name(&events.roles).into(), events, snapshots, checkpoints, tables: notes, problems }
}

/// Tables named as archives that have every column of the events table that plays a role.
fn archives(tables: &[Table], reading: &Reading) -> Vec<Arc<str>> {
    let Some(events) = tables.iter().find(|table| table.name == reading.table) else {
        return Vec::new();
    };
    let is_archive = |table: &&Table| {
        let name = names::normalised(&table.name);
        let is_named =
            name.split('_').any(|word| matches!(word, "archive" | "archived" | "archives" | "old"));
        let has_all = reading.columns.values().all(|at| table.column(&events.name_of(*at)).is_some());
        is_named && has_all && !table.is_view && table.name != events.name
    };
    tables.iter().filter(is_archive).map(|table| Arc::clone(&table.name)).collect()
}

/// `aggregate_type + aggregate_id, event_version`.
fn name(roles: &BTreeMap<Role, crate::store::layout::Mapping>) -> String {
    let source = |role: Role| roles.get(&role).map(|mapping| &mapping.source);
    let mut parts = Vec::new();
    if let Some(category @ Source::Column { .. }) = source(Role::Category) {
        parts.push(category.to_string());
    }
    parts.extend(source(Role::Stream).map(ToString::to_string));
    let stream = parts.join(" + ");
    match source(Role::Version) {
        Some(version) => format!("{stream}, {version}"),
        None if stream.is_empty() => "no stream".to_owned(),
        None => format!("{stream}, no version"),
    }
}
