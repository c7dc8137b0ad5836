//! What every table of a database is for.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::Stored,
    store::{
        detect::{checkpoints, look::Look, names, schema::Table},
        layout::{EventsTable, Role, Source, TableKind, TableNote},
    },
};

/// Notes on all tables; `events` is the events table, if there is one.
pub(super) fn notes(tables: &[Table], looks: &[Look<'_>], events: Option<&EventsTable>) -> Vec<TableNote> {
    let streams = events.map(|events| stream_ids(looks, events)).unwrap_or_default();
    let notes = tables.iter().map(|table| {
        let look = looks.iter().find(|look| look.table.name == table.name);
        let (kind, evidence) = kind(table, look, events, &streams);
        let columns =
            table.columns.iter().map(|column| (Arc::clone(&column.name), Arc::clone(&column.declared)));
        TableNote { table: Arc::clone(&table.name), kind, evidence, columns: columns.collect() }
    });
    notes.collect()
}

/// The stream ids that were looked at.
fn stream_ids(looks: &[Look<'_>], events: &EventsTable) -> BTreeSet<Arc<[u8]>> {
    let Some(Source::Column { table, column }) = events.role(Role::Stream).map(|mapping| &mapping.source)
    else {
        return BTreeSet::new();
    };
    let name = table.as_ref().unwrap_or(&events.table);
    let Some(look) = looks.iter().find(|look| look.table.name == *name) else {
        return BTreeSet::new();
    };
    look.table.column(column).map(|at| values(look, at)).unwrap_or_default()
}

fn values(look: &Look<'_>, column: usize) -> BTreeSet<Arc<[u8]>> {
    let cells =
        look.sample.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Stored::Null);
    cells.map(Stored::bytes).collect()
}

type Kind = (TableKind, String);

fn kind(
    table: &Table,
    look: Option<&Look<'_>>,
    events: Option<&EventsTable>,
    streams: &BTreeSet<Arc<[u8]>>,
) -> Kind {
    if let Some(events) = events
        && let Some(kind) = part_of_events(table, events)
    {
        return kind;
    }
    if table.is_view {
        return (TableKind::View, "a view".to_owned());
    }
    if let Some(kind) = by_name(table) {
        return (kind, "named so".to_owned());
    }
    let Some(events) = events else {
        return (TableKind::Other, String::new());
    };
    if let Some(kind) = is_checkpoints(table, look) {
        return kind;
    }
    let Some(look) = look else {
        return (TableKind::Other, String::new());
    };
    if is_states(look, events) {
        return (TableKind::Snapshots, "a state and a version for streams".to_owned());
    }
    if let Some(column) = key_of_streams(look, events).filter(|_| !has_word(table, &["state", "states"])) {
        return (TableKind::Streams, format!("one row for each `{column}`"));
    }
    let keyed = look.columns().find(|at| shares(&values(look, *at), streams));
    if let Some(column) = keyed {
        return (TableKind::ReadModel, format!("`{}` holds ids of streams", look.name(column)));
    }
    if has_word(table, READ_MODEL_WORDS) {
        return (TableKind::ReadModel, "named so".to_owned());
    }
    (TableKind::Other, String::new())
}

const READ_MODEL_WORDS: &[&str] = &[
    "view",
    "views",
    "projection",
    "projections",
    "summary",
    "summaries",
    "list",
    "stats",
    "statistics",
    "balance",
    "balances",
    "report",
    "reports",
    "lookup",
    "daily",
    "totals",
];

fn has_word(table: &Table, words: &[&str]) -> bool {
    names::normalised(&table.name).split('_').any(|word| words.contains(&word))
}

fn part_of_events(table: &Table, events: &EventsTable) -> Option<Kind> {
    if table.name == events.table {
        return Some((TableKind::Events, "the events".to_owned()));
    }
    if events.archives.contains(&table.name) {
        return Some((TableKind::Archive, format!("the columns of `{}`, and named so", events.table)));
    }
    let join = events.joins.iter().find(|join| join.table == table.name)?;
    if join.is_link {
        return Some((TableKind::Links, format!("links `{}` to streams", events.table)));
    }
    let is_types = matches!(
        events.role(Role::EventType).map(|mapping| &mapping.source),
        Some(Source::Column { table: Some(types), .. }) if *types == table.name
    );
    let (kind, words) = if is_types {
        (TableKind::Other, "names the event types")
    } else {
        (TableKind::Streams, "one row for each stream")
    };
    Some((kind, words.to_owned()))
}

fn by_name(table: &Table) -> Option<TableKind> {
    let name = names::normalised(&table.name);
    let has = |words: &[&str]| has_word(table, words);
    Some(if has(&["snapshot", "snapshots"]) {
        TableKind::Snapshots
    } else if has(&["outbox", "outgoing"]) {
        TableKind::Outbox
    } else if name.contains("dead_letter") || has(&["dlq", "deadletters"]) {
        TableKind::DeadLetters
    } else if name.contains("read_model") || name.contains("readmodel") {
        TableKind::ReadModel
    } else if has(&["archive", "archived"]) {
        TableKind::Archive
    } else if has(&["checkpoint", "checkpoints", "progression", "bookmarks", "bookmark", "processors"]) {
        TableKind::Checkpoints
    } else if has(&["schema", "schemas"]) {
        TableKind::Schemas
    } else if has(&["migration", "migrations"]) {
        TableKind::Migrations
    } else if has(&["command", "commands"]) {
        TableKind::Commands
    } else if has(&["processed", "idempotency", "inbox", "handled"]) {
        TableKind::Processed
    } else if has(&["tag", "tags", "lease", "leases"]) {
        TableKind::Other
    } else if has(&["stream", "streams", "head", "heads", "aggregates"]) {
        TableKind::Streams
    } else {
        return None;
    })
}

/// More rows are things that have a place, and not projections.
const MOST_CHECKPOINTS: u64 = 1000;

/// A table keyed by a name, with a position beside it. Numbers are no names.
fn is_checkpoints(table: &Table, look: Option<&Look<'_>>) -> Option<Kind> {
    let first = *table.primary.first()?;
    if table.rows > MOST_CHECKPOINTS || look.is_some_and(|look| look.profile(first).integers > 0) {
        return None;
    }
    let key = names::normalised(&table.name_of(first));
    let has = |list: &[&str]| {
        table
            .columns
            .iter()
            .find(|column| list.contains(&names::normalised(&column.name).as_str()))
            .map(|column| &column.name)
    };
    if !checkpoints::NAMES.contains(&key.as_str()) {
        return None;
    }
    if let Some(position) = has(checkpoints::POSITIONS) {
        return Some((TableKind::Checkpoints, format!("keyed by `{key}`, with `{position}`")));
    }
    (has_word(table, &["projection", "projections", "subscriptions"]) && key != "id")
        .then(|| (TableKind::Checkpoints, format!("projections by `{key}`")))
}

/// Whether a table named after states holds documents by stream and version.
fn is_states(look: &Look<'_>, events: &EventsTable) -> bool {
    let column = |role: Role| match events.role(role).map(|mapping| &mapping.source) {
        Some(Source::Column { column, .. }) => look.table.column(column).is_some(),
        _ => false,
    };
    has_word(look.table, &["state", "states", "memento", "mementos"])
        && column(Role::Stream)
        && (column(Role::Version) || look.columns().any(|at| look.rank(Role::Version, at) > 0.6))
        && look.columns().any(|at| look.profile(at).is_document())
}

/// The stream column, if the table has it as its whole key.
fn key_of_streams(look: &Look<'_>, events: &EventsTable) -> Option<Arc<str>> {
    let Source::Column { table: None, column } = &events.role(Role::Stream)?.source else {
        return None;
    };
    let at = look.table.column(column)?;
    look.table.is_unique(at).then(|| Arc::clone(column))
}

/// Whether most of these values are ids of streams.
fn shares(values: &BTreeSet<Arc<[u8]>>, streams: &BTreeSet<Arc<[u8]>>) -> bool {
    let found = values.iter().filter(|value| streams.contains(*value)).count();
    values.iter().any(|value| value.len() >= 3) && found * 2 > values.len()
}
