//! What an events table keeps in another table: the stream's name and kind, the links to streams.

use std::sync::Arc;

use crate::{
    model::Stored,
    store::{
        detect::{finish, look::Look, names, roles::Reading},
        layout::{Form, Join, Mapping, Role, Source},
    },
};

/// Completes a reading from the tables it refers to.
pub(super) fn apply(looks: &[Look<'_>], look: &Look<'_>, reading: &mut Reading, open: &dyn Fn(Role) -> bool) {
    if !reading.roles.contains_key(&Role::Stream) && open(Role::Stream) && open(Role::Version) {
        links(looks, look, reading);
    }
    streams(looks, look, reading, open);
    if open(Role::EventType) {
        type_table(looks, look, reading);
    }
}

/// The table that this column refers to, and the column over there.
fn referred<'l, 'a>(looks: &'l [Look<'a>], look: &Look<'_>, column: usize) -> Option<(&'l Look<'a>, usize)> {
    let declared = look.table.foreign.iter().find(|foreign| foreign.column == column).and_then(|foreign| {
        let other = looks.iter().find(|other| other.table.name.eq_ignore_ascii_case(&foreign.table))?;
        let to = match &foreign.to {
            Some(to) => other.table.column(to),
            None => other.table.primary.first().copied(),
        };
        Some((other, to?))
    });
    declared.or_else(|| {
        let name = look.name(column);
        looks.iter().filter(|other| is_streams_table(other) && other.table.name != look.table.name).find_map(
            |other| {
                let same = other.table.column(&name).filter(|at| other.table.is_unique(*at))?;
                contains_all(look, column, other, same).then_some((other, same))
            },
        )
    })
}

fn is_streams_table(look: &Look<'_>) -> bool {
    let name = names::normalised(&look.table.name);
    ["stream", "streams", "aggregates", "aggregate", "head", "heads"]
        .iter()
        .any(|word| name.split('_').any(|part| part == *word))
        && names::table_weight(&look.table.name) > -1.0
}

/// Whether the looked-at values of one column occur in the other, as far as it was looked at.
fn contains_all(look: &Look<'_>, column: usize, other: &Look<'_>, at: usize) -> bool {
    let cells = |look: &Look<'_>, at: usize| -> Vec<Stored> {
        look.sample
            .rows
            .iter()
            .filter_map(|row| row.get(at))
            .filter(|cell| **cell != Stored::Null)
            .cloned()
            .collect()
    };
    let (ours, theirs) = (cells(look, column), cells(other, at));
    let found = ours.iter().filter(|cell| theirs.contains(cell)).count();
    let is_whole = other.table.rows as usize <= other.sample.rows.len();
    !ours.is_empty() && (found * 10 >= ours.len() * 9 || (!is_whole && found * 3 > ours.len()))
}

/// A streams table that the stream column refers to: the name in it, and the kind.
fn streams(looks: &[Look<'_>], look: &Look<'_>, reading: &mut Reading, open: &dyn Fn(Role) -> bool) {
    let Some(stream) = reading.columns.get(&Role::Stream).copied() else {
        return;
    };
    // A reference to the customers or orders themselves is none to streams.
    let Some((other, to)) = referred(looks, look, stream).filter(|(other, _)| is_streams_table(other)) else {
        return;
    };
    let mut is_used = false;
    let is_number = look.profile(stream).integers > 0;
    if is_number
        && open(Role::Stream)
        && let Some(name) = name_column(other, to)
    {
        let evidence = format!(
            "`{}` refers to `{}`, whose `{}` names the stream",
            look.name(stream),
            other.table.name,
            other.name(name)
        );
        let source = Source::Column { table: Some(Arc::clone(&other.table.name)), column: other.name(name) };
        reading.roles.insert(
            Role::Stream,
            Mapping { source, form: other.profile(name).id_form(), evidence, is_uncertain: false },
        );
        if open(Role::Category)
            && let Some(prefix) =
                finish::prefix(&format!("stream {}", other.name(name)), &finish::texts(other, name))
        {
            reading.roles.insert(Role::Category, prefix);
        }
        is_used = true;
    }
    if !reading.roles.contains_key(&Role::Category) && open(Role::Category) {
        let kinds = other
            .columns()
            .filter(|at| *at != to && other.profile(*at).mostly(other.profile(*at).identifiers, 0.8));
        let ranked = kinds.map(|at| (other.rank(Role::Category, at) + kind_name(&other.name(at)), at));
        let best = ranked.filter(|(rank, _)| *rank > 0.4).max_by(|left, right| left.0.total_cmp(&right.0));
        if let Some((_, kind)) = best {
            let evidence = format!("`{}` tells the kind of each `{}`", other.table.name, look.name(stream));
            let source =
                Source::Column { table: Some(Arc::clone(&other.table.name)), column: other.name(kind) };
            reading
                .roles
                .insert(Role::Category, Mapping { source, form: Form::Plain, evidence, is_uncertain: false });
            is_used = true;
        }
    }
    if is_used {
        let on = (look.name(stream), other.name(to));
        reading.joins.push(Join { table: Arc::clone(&other.table.name), on, is_link: false });
    }
}

/// In a streams table, a plain `type` is the kind of stream.
fn kind_name(column: &str) -> f64 {
    if matches!(names::normalised(column).as_str(), "type" | "kind" | "category") { 0.6 } else { 0.0 }
}

/// The column that names a stream: text, one for each, readable rather than a hash.
fn name_column(look: &Look<'_>, key: usize) -> Option<usize> {
    let columns = look.columns().filter(|at| *at != key);
    let named = columns.filter_map(|at| {
        let profile = look.profile(at);
        let is_name = profile.mostly(profile.texts, 0.9) && profile.is_distinct() && profile.time.is_none();
        let name = names::normalised(&look.name(at));
        let has_word =
            ["name", "original", "uuid", "identifier", "key"].iter().any(|word| name.contains(word));
        let rank = look.rank(Role::Stream, at) + if has_word { 0.5 } else { 0.0 };
        is_name.then_some((rank, at))
    });
    named.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, at)| at)
}

/// An event type that is a number of a table of types.
fn type_table(looks: &[Look<'_>], look: &Look<'_>, reading: &mut Reading) {
    if reading.roles.contains_key(&Role::EventType) {
        return;
    }
    let numbered = look.columns().filter(|at| reading.is_free(*at) && look.profile(*at).integers > 0);
    for column in numbered.filter(|at| names::normalised(&look.name(*at)).contains("type")) {
        let Some((other, to)) = referred(looks, look, column) else {
            continue;
        };
        let texts = other
            .columns()
            .filter(|at| *at != to && other.profile(*at).mostly(other.profile(*at).identifiers, 0.8));
        let Some(name) = texts.max_by(|left, right| {
            other.rank(Role::EventType, *left).total_cmp(&other.rank(Role::EventType, *right))
        }) else {
            continue;
        };
        let evidence =
            format!("`{}` refers to `{}`, which names the types", look.name(column), other.table.name);
        let source = Source::Column { table: Some(Arc::clone(&other.table.name)), column: other.name(name) };
        reading
            .roles
            .insert(Role::EventType, Mapping { source, form: Form::Plain, evidence, is_uncertain: false });
        reading.problems.retain(|problem| !problem.starts_with("nothing names the types"));
        let on = (look.name(column), other.name(to));
        reading.joins.push(Join { table: Arc::clone(&other.table.name), on, is_link: false });
        return;
    }
}

/// A table that links events to streams: it has the event's id, a stream and a place in it.
fn links(looks: &[Look<'_>], look: &Look<'_>, reading: &mut Reading) {
    for other in looks.iter().filter(|other| other.table.name != look.table.name && !other.is_empty()) {
        let Some((ours, theirs)) = link_key(look, other) else {
            continue;
        };
        let ranked = |role: Role| {
            let columns = other.columns().filter(|at| *at != theirs && other.rank(role, *at) > 0.3);
            columns.max_by(|left, right| other.rank(role, *left).total_cmp(&other.rank(role, *right)))
        };
        let (Some(stream), Some(version)) = (ranked(Role::Stream), ranked(Role::Version)) else {
            continue;
        };
        let counts = crate::store::detect::pair::count(other, stream, None, version);
        if counts.groups == 0 || counts.share() < 0.6 {
            continue;
        }
        let table = &other.table.name;
        let home = home(other, theirs, stream, version);
        let (stream, version) = home.unwrap_or((stream, version));
        let source = |at: usize| Source::Column { table: Some(Arc::clone(table)), column: other.name(at) };
        let from = counts.base().map(|base| format!("starts at {base} and ")).unwrap_or_default();
        let mut version_evidence = format!(
            "`{table}` links events to streams; {from}has no gap in {} of {} streams looked at",
            counts.gapless, counts.groups
        );
        let mut stream_evidence = format!(
            "`{table}` links each event to its streams; those without a position, or named with a $, are left out"
        );
        if home.is_some() {
            version_evidence = format!("the same in all links of an event in `{table}`");
            stream_evidence = format!("{version_evidence}: the stream it was written to");
        }
        reading.roles.insert(
            Role::Stream,
            Mapping {
                source: source(stream),
                form: Form::Plain,
                evidence: stream_evidence,
                is_uncertain: false,
            },
        );
        reading.roles.insert(
            Role::Version,
            Mapping {
                source: source(version),
                form: Form::Plain,
                evidence: version_evidence,
                is_uncertain: false,
            },
        );
        let names = finish::texts(other, stream);
        if let Some(prefix) = finish::prefix(&other.name(stream), &names) {
            reading.roles.insert(Role::Category, prefix);
        }
        reading.problems.retain(|problem| !problem.starts_with("there is no stream version"));
        reading.joins.push(Join {
            table: Arc::clone(table),
            on: (look.name(ours), other.name(theirs)),
            is_link: true,
        });
        return;
    }
}

/// Where events are linked to several streams: the stream and version that are the same in all
/// links of an event, which is where it was written. A stream of all events would hide the others.
fn home(look: &Look<'_>, event: usize, stream: usize, version: usize) -> Option<(usize, usize)> {
    let is_steady = |column: usize| {
        let (events, changing) = look.changes_within(event, column);
        events > 0 && changing == 0
    };
    if is_steady(stream) {
        return None;
    }
    let steady = |role: Role| {
        let columns = look.columns().filter(|at| ![event, stream, version].contains(at));
        let ranked = columns.filter(|at| look.rank(role, *at) > 0.3 && is_steady(*at));
        ranked.max_by(|left, right| look.rank(role, *left).total_cmp(&look.rank(role, *right)))
    };
    let (stream, version) = (steady(Role::Stream)?, steady(Role::Version)?);
    (stream != version && look.profile(version).integers > 0).then_some((stream, version))
}

/// The event's id here, and the column that refers to it there.
fn link_key(look: &Look<'_>, other: &Look<'_>) -> Option<(usize, usize)> {
    let declared =
        other.table.foreign.iter().find(|foreign| foreign.table.eq_ignore_ascii_case(&look.table.name));
    if let Some(foreign) = declared {
        let named = foreign.to.as_ref().and_then(|to| look.table.column(to));
        let ours = named.or_else(|| look.table.primary.first().copied())?;
        return Some((ours, foreign.column));
    }
    let theirs = other.columns().find(|at| names::normalised(&other.name(*at)) == "event_id")?;
    let ours = look.table.column("event_id").or_else(|| look.table.column("id"))?;
    let is_key = look.table.is_unique(ours) || look.profile(ours).is_distinct();
    (is_key && contains_all(other, theirs, look, ours)).then_some((ours, theirs))
}
