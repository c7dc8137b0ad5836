//! Tables of stored snapshots.

use std::sync::Arc;

use crate::{
    model::{Json, Pointer, Segment},
    store::{
        detect::{look::Look, names},
        layout::{EventsTable, Form, Mapping, Role, SnapshotsTable, Source, TableKind, TableNote, Unwrap},
    },
};

/// Reads every table that is noted as one of snapshots and has a state.
pub(super) fn find(looks: &[Look<'_>], notes: &[TableNote], events: &EventsTable) -> Vec<SnapshotsTable> {
    let tables = notes.iter().filter(|note| note.kind == TableKind::Snapshots);
    let looks = tables.filter_map(|note| looks.iter().find(|look| look.table.name == note.table));
    looks.filter_map(|look| read(look, events)).chain(inside_events(events)).collect()
}

/// States that a library keeps inside the events themselves: each event with the state after it.
fn inside_events(events: &EventsTable) -> Option<SnapshotsTable> {
    const MEMBER: &str = "__persisted";
    let is_kept = events.unwrap.iter().any(
        |unwrap| matches!(unwrap, Unwrap::Without(members) if members.iter().any(|member| **member == *MEMBER)),
    );
    let Source::Column { table: None, column } = &events.role(Role::Data).filter(|_| is_kept)?.source else {
        return None;
    };
    let path = Pointer::root().child(Segment::Name(MEMBER.into()));
    let evidence = format!("`{column}` of `{}` holds the state after each event", events.table);
    let source = Source::Json { column: Arc::clone(column), path };
    let role = |role: Role| events.role(role).cloned();
    Some(SnapshotsTable {
        table: Arc::clone(&events.table),
        stream: role(Role::Stream),
        category: role(Role::Category),
        version: role(Role::Version),
        state: Mapping { source, form: Form::Plain, evidence, is_uncertain: false },
        time: role(Role::Time),
        label: None,
    })
}

/// What cannot be shown of these snapshots, in words.
pub(super) fn problems(looks: &[Look<'_>], snapshots: &[SnapshotsTable]) -> Vec<String> {
    let unread = snapshots.iter().filter_map(|table| {
        let look = looks.iter().find(|look| look.table.name == table.table)?;
        let Source::Column { column, .. } = &table.state.source else {
            return None;
        };
        let profile = look.profile(look.table.column(column)?);
        let is_unread = profile.filled > 0 && profile.opaque > profile.objects;
        is_unread.then(|| format!("`{column}` of `{}` is {}: shown as bytes", table.table, profile.encoding))
    });
    unread.collect()
}

fn read(look: &Look<'_>, events: &EventsTable) -> Option<SnapshotsTable> {
    let state = state(look)?;
    let mut taken = vec![state];
    let mut pick = |rank: &dyn Fn(usize) -> f64| {
        let free = look.columns().filter(|at| !taken.contains(at));
        let ranked = free.map(|at| (rank(at), at)).filter(|(rank, _)| *rank > 0.3);
        let best = ranked.max_by(|left, right| left.0.total_cmp(&right.0))?.1;
        taken.push(best);
        Some(best)
    };
    // The same name as in the events table says most.
    let same = |role: Role, at: usize| match events.role(role).map(|mapping| &mapping.source) {
        Some(Source::Column { column, .. }) if column.eq_ignore_ascii_case(&look.name(at)) => 1.0,
        _ => 0.0,
    };
    let stream = pick(&|at| same(Role::Stream, at) + look.rank(Role::Stream, at));
    let category = pick(&|at| same(Role::Category, at) + look.rank(Role::Category, at));
    let version = pick(&|at| same(Role::Version, at) + version_rank(look, at));
    let time =
        pick(&|at| if is_time(look, at) { same(Role::Time, at) + look.rank(Role::Time, at) } else { 0.0 });
    let label = pick(&|at| label_rank(look, at));
    let mapping = |at: usize, form: Form| {
        let evidence = format!("`{}` of `{}`", look.name(at), look.table.name);
        Mapping { form, ..Mapping::column(&look.name(at), evidence) }
    };
    let (state, time_inside) = whole_state(look, state);
    Some(SnapshotsTable {
        table: Arc::clone(&look.table.name),
        stream: stream.map(|at| mapping(at, stream_form(look, at, events))),
        category: category.map(|at| mapping(at, Form::Plain)),
        version: version.map(|at| mapping(at, Form::Plain)),
        state,
        time: time.map(|at| mapping(at, time_form(look, at, events))).or(time_inside),
        label: label.map(|at| mapping(at, Form::Plain)),
    })
}

/// The column with the state: a document, by name where several are.
fn state(look: &Look<'_>) -> Option<usize> {
    const NAMES: &[&str] =
        &["state", "snapshot_data", "snapshot", "snapshot_payload", "payload", "data", "body", "blob"];
    let ranked = look.columns().map(|at| {
        let name = names::normalised(&look.name(at));
        let rank =
            NAMES.iter().position(|known| *known == name).map_or(0.0, |place| 2.0 - 0.1 * place as f64);
        let is_document = look.profile(at).is_document();
        let is_number = look.profile(at).integers > 0;
        (if is_number { 0.0 } else { rank + if is_document { 1.0 } else { 0.0 } }, at)
    });
    let (rank, at) = ranked.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (rank > 0.5).then_some(at)
}

fn version_rank(look: &Look<'_>, at: usize) -> f64 {
    let name = names::normalised(&look.name(at));
    let profile = look.profile(at);
    let is_number = profile.filled == 0 || profile.integers * 10 >= profile.filled * 9;
    if !is_number
        || look.table.rowid_alias() == Some(at)
        || name.contains("schema")
        || name == "current_snapshot"
    {
        return 0.0;
    }
    let named = match name.as_str() {
        "snapshot_version" | "last_sequence" | "last_version" | "last_event_version" => 1.0,
        _ => 0.0,
    };
    named + look.rank(Role::Version, at)
}

fn is_time(look: &Look<'_>, at: usize) -> bool {
    look.profile(at).time.is_some() || look.profile(at).filled == 0
}

fn label_rank(look: &Look<'_>, at: usize) -> f64 {
    match names::normalised(&look.name(at)).as_str() {
        "projection_name" | "projection" | "snapshot_type" | "label" | "name" => 1.0,
        "state_hash" | "hash" | "query" | "tag" => 0.8,
        _ => 0.0,
    }
}

/// Of an empty table, the declared type tells whether times are numbers, and the events which.
fn time_form(look: &Look<'_>, at: usize, events: &EventsTable) -> Form {
    if let Some(form) = look.profile(at).time {
        return form;
    }
    let declared =
        look.table.columns.get(at).map(|column| column.declared.to_uppercase()).unwrap_or_default();
    match events.role(Role::Time).map(|mapping| mapping.form) {
        Some(Form::Iso) | None if declared.contains("INT") => Form::EpochMillis,
        Some(form) if declared.contains("INT") => form,
        _ => Form::Iso,
    }
}

/// Empty tables say nothing of their own: then the form is that of the events' stream.
fn stream_form(look: &Look<'_>, at: usize, events: &EventsTable) -> Form {
    if look.profile(at).filled > 0 {
        return look.profile(at).id_form();
    }
    events.role(Role::Stream).map_or(Form::Plain, |mapping| mapping.form)
}

/// The state itself, out of `{"topic": …, "state": {…}, "timestamp": …}`, and the time beside it.
fn whole_state(look: &Look<'_>, column: usize) -> (Mapping, Option<Mapping>) {
    let name = look.name(column);
    let docs: Vec<&Json> = look.profile(column).docs.iter().flatten().collect();
    let is_wrapped = |doc: &&Json| {
        doc.get("topic").is_some() && doc.get("state").is_some_and(|state| state.len().is_some())
    };
    let inside = |path: &[&str]| {
        let path: Pointer = path.iter().map(|name| Segment::Name(Arc::from(*name))).collect();
        Source::Json { column: Arc::clone(&name), path }
    };
    if docs.is_empty() || !docs.iter().all(is_wrapped) {
        let evidence = match look.profile(column).filled {
            0 => "named so; no rows yet".to_owned(),
            filled => format!("{} in {filled} rows looked at", look.profile(column).encoding),
        };
        return (Mapping::column(&name, evidence), None);
    }
    let evidence = format!("the member `state` of `{name}`, which also names its class and time");
    let state = Mapping { source: inside(&["state"]), form: Form::Plain, evidence, is_uncertain: false };
    let has_time =
        docs.iter().all(|doc| doc.get("timestamp").is_some_and(|time| time.get("_data_").is_some()));
    let time = has_time.then(|| Mapping {
        source: inside(&["timestamp", "_data_"]),
        form: Form::Iso,
        evidence: format!("inside `{name}`"),
        is_uncertain: false,
    });
    (state, time)
}
