//! Whether a reading is an event store: points for and against, with their reasons.

use crate::{
    model::Stored,
    store::{
        decode::Value,
        detect::{look::Look, names, roles::Reading},
        layout::{Role, Source},
    },
};

/// What a reading is worth.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    /// Points; a typical event store has 100.
    pub(super) score: f64,
    /// Why it is none, as sentences without full stop; empty if it is one.
    pub(super) shortfalls: Vec<String>,
    /// Whether it can be taken for an events table.
    pub(super) is_enough: bool,
}

/// The points below which nothing is taken for an events table that counts within its streams.
/// The stores that are known have 92 and more; a chat of JSON messages with a number in each room
/// comes to about 60.
const ENOUGH: f64 = 72.0;

/// The same where nothing counts: known stores have 74 and more, an activity log 50.
const ENOUGH_UNCOUNTED: f64 = 64.0;

/// Weighs a reading.
pub(super) fn weigh(look: &Look<'_>, reading: &Reading) -> Verdict {
    let mut verdict = Verdict::default();
    let data = data(look, reading, &mut verdict);
    let kind = event_type(look, reading, &mut verdict);
    let stream = stream(look, reading, &mut verdict);
    let has_version = version(look, reading, &mut verdict);
    for (role, points) in
        [(Role::Time, 4.0), (Role::Metadata, 3.0), (Role::EventId, 3.0), (Role::CorrelationId, 3.0)]
    {
        verdict.score += if reading.roles.contains_key(&role) { points } else { 0.0 };
    }
    verdict.score += if reading.order.is_certain { 3.0 } else { 0.0 };
    let weight = names::table_weight(&look.table.name);
    verdict.score += weight + if look.table.is_append_only { 8.0 } else { 0.0 };
    // Of two alike, the one with more rows.
    verdict.score += 0.5 * (look.table.rows as f64 + 1.0).log10();
    if weight < 0.0 {
        verdict
            .shortfalls
            .push(format!("a table called `{}` seldom holds the events themselves", look.table.name));
    }
    let foreign = foreign(look, &mut verdict);
    // A log of commits may name types only deep inside; then all else has to be beyond doubt.
    let is_beyond_doubt =
        reading.pair.as_ref().is_some_and(|pair| pair.is_key) && weight >= 8.0 && foreign == 0;
    let has_all = data.is_some() && (kind.is_some() || is_beyond_doubt) && stream.is_some();
    // Where nothing counts within a stream, names have to speak the louder.
    let is_named = [data, kind, stream].iter().all(|rank| rank.is_some_and(|rank| rank >= 0.4));
    let is_plain_log = is_named && weight >= 4.0 && foreign == 0;
    let needs_names = look.is_empty() && !(is_named && weight >= 0.0 && has_version);
    let enough = if has_version { ENOUGH } else { ENOUGH_UNCOUNTED };
    verdict.is_enough = has_all && verdict.score >= enough && (has_version || is_plain_log) && !needs_names;
    if look.is_empty() && !verdict.is_enough {
        verdict.score -= 15.0;
        verdict.shortfalls.push(format!("`{}` is empty, and its names do not tell enough", look.table.name));
    }
    if !verdict.is_enough && verdict.shortfalls.is_empty() {
        verdict.shortfalls.push("too little speaks for it".to_owned());
    }
    verdict
}

/// How strongly the name of what plays a role speaks for it; a place inside JSON was found by name.
fn rank(look: &Look<'_>, reading: &Reading, role: Role) -> Option<f64> {
    let mapping = reading.roles.get(&role)?;
    Some(match (&mapping.source, reading.columns.get(&role)) {
        (_, Some(column)) => look.rank(role, *column),
        (Source::Column { table: Some(_), .. }, None) => 0.8,
        _ => 0.6,
    })
}

fn data(look: &Look<'_>, reading: &Reading, verdict: &mut Verdict) -> Option<f64> {
    let Some(rank) = rank(look, reading, Role::Data) else {
        verdict.shortfalls.push("no column holds event data: JSON or another kind of document".to_owned());
        return None;
    };
    let profile = reading.columns.get(&Role::Data).map(|at| look.profile(*at));
    let is_readable = look.is_empty() || profile.is_some_and(|profile| profile.objects >= profile.opaque);
    verdict.score += if is_readable { 20.0 } else { 12.0 } + 8.0 * rank;
    if rank < 0.3
        && let Some(column) = reading.columns.get(&Role::Data)
    {
        verdict.score -= 4.0;
        verdict.shortfalls.push(format!("`{}` is not a name for event data", look.name(*column)));
    }
    Some(rank)
}

fn event_type(look: &Look<'_>, reading: &Reading, verdict: &mut Verdict) -> Option<f64> {
    let Some(rank) = rank(look, reading, Role::EventType) else {
        verdict.shortfalls.push("nothing names the type of each row's event".to_owned());
        return None;
    };
    verdict.score += 10.0 + 8.0 * rank;
    if let Some(column) = reading.columns.get(&Role::EventType) {
        let cells =
            look.sample.rows.iter().filter_map(|row| row.get(*column)).filter(|cell| **cell != Stored::Null);
        let kinds: Vec<&str> = cells.filter_map(|cell| Value::from(cell).as_str()).collect();
        let verbs = kinds.iter().filter(|kind| names::is_row_verb(kind)).count();
        if verbs * 10 > kinds.len() * 7 {
            verdict.score -= 30.0;
            let name = look.name(*column);
            verdict
                .shortfalls
                .push(format!("`{name}` only says that rows were created, updated or deleted: an audit log"));
        }
    }
    Some(rank)
}

fn stream(look: &Look<'_>, reading: &Reading, verdict: &mut Verdict) -> Option<f64> {
    let Some(rank) = rank(look, reading, Role::Stream) else {
        verdict.shortfalls.push("no column tells which stream a row belongs to".to_owned());
        return None;
    };
    verdict.score += 6.0 + 8.0 * rank;
    if rank < 0.3
        && let Some(column) = reading.columns.get(&Role::Stream)
    {
        verdict.score -= 14.0;
        verdict.shortfalls.push(format!("`{}` is not a name for a stream", look.name(*column)));
    }
    Some(rank)
}

fn version(look: &Look<'_>, reading: &Reading, verdict: &mut Verdict) -> bool {
    let Some(rank) = rank(look, reading, Role::Version) else {
        verdict.shortfalls.push("nothing counts the events of a stream".to_owned());
        return false;
    };
    let share = match &reading.pair {
        Some(pair) if pair.counts.groups > 0 => pair.counts.share(),
        Some(_) => 0.7,
        None => 0.8,
    };
    let is_key = reading.pair.as_ref().is_some_and(|pair| pair.is_key);
    verdict.score += 20.0 * share + 6.0 * rank + if is_key { 8.0 } else { 0.0 };
    true
}

/// Counts the columns of messages under way and of rows that change.
fn foreign(look: &Look<'_>, verdict: &mut Verdict) -> usize {
    let names = look.columns().map(|at| look.name(at)).filter(|name| names::is_foreign_column(name));
    let foreign: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if !foreign.is_empty() {
        verdict.score -= 8.0 * foreign.len().min(4) as f64;
        let list = foreign.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        let has = if foreign.len() == 1 { "has a column" } else { "has columns" };
        verdict.shortfalls.push(format!("{has} that events do not have: {list}"));
    }
    foreign.len()
}
