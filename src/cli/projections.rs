//! `timeglass projections`: what a store has of projections, and what its project file defines.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{
        Common, Exit,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        table::{Side, Table, counted, printable},
        write_json,
    },
    model::{Json, Stored, Timestamp},
    project::{read_script, sections::ProjectionEntry},
    projection::{
        CheckpointAt, Defined, Definition, Entry, Guess, Joined, Lag, LoadError, Loaded, Marks, Overview,
        Standing, load_definitions, overview,
    },
    session::{scale::span_words, scripts::options},
    store::{index::Index, layout::Form},
};

/// List what the store has of projections and what the project file defines
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
}

/// So many letters of a position are shown to people.
const POSITION: usize = 40;

/// So many types are named one by one.
const TYPES: usize = 3;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let found = overview(&output.work(), &*opened.store, &opened.index, &definitions(&opened))?;
    if let Some(damage) = &found.damage {
        output.complain(damage);
    }
    if common.json {
        let list = found.entries.iter().map(|entry| entry_json(entry, &opened.index));
        write_json(output, &Json::array(list))?;
    } else {
        write_table(&found, output)?;
        write_remarks(&found, output)?;
        output.remark(&counted(found.entries.len(), "projection"));
    }
    Ok(Exit::Done)
}

/// What the project file defines.
pub(crate) fn definitions(opened: &Opened) -> Vec<Loaded> {
    load_definitions(&opened.sections, &opened.folder, &options(&opened.sections.scripts))
}

/// What a file defines that the user named, with what the project file says of each.
pub(crate) fn definitions_in(opened: &Opened, file: &Path) -> Result<Vec<Loaded>, Failure> {
    let refused = |error: String| Failure::trouble(error).given(file.display().to_string());
    let text = read_script(file).map_err(|error| refused(error.to_string()))?;
    let definitions = Definition::parse(file, &text, &options(&opened.sections.scripts))
        .map_err(|error| refused(error.to_string()))?;
    let entries = &opened.sections.projections;
    let is_file = |entry: &ProjectionEntry| entry.file.file_name() == file.file_name();
    let entry = |definition: &Definition| {
        let is_it = |entry: &&ProjectionEntry| {
            entry.name.as_ref().map_or_else(|| is_file(entry), |name| *name == definition.name)
        };
        entries.iter().find(is_it).cloned().unwrap_or_default()
    };
    let loaded = definitions.into_iter().enumerate();
    Ok(loaded.map(|(place, one)| Loaded { entry: entry(&one), place, outcome: Ok(one) }).collect())
}

/// A definition that was asked for does not load.
pub(crate) fn does_not_load(loaded: &Loaded, error: &LoadError) -> Failure {
    let name = loaded.name();
    Failure::trouble(format!("the projection {name} does not load: {error}")).given(&*name)
}

/// No projection is called so. A file that does not load may define it all the same.
pub(crate) fn no_such(wanted: &str, near: &[Arc<str>], all: &[Loaded], hint: &str) -> Failure {
    let broken = all.iter().find_map(|loaded| {
        let error = loaded.outcome.as_ref().err().filter(|_| loaded.entry.name.is_none())?;
        Some(format!("; {} may define it, but does not load: {error}", loaded.entry.file.display()))
    });
    Failure::unknown("projection", wanted, near, format!("{hint}{}", broken.unwrap_or_default()))
}

/// The checkpoints of a store in the shape of `timeglass info --json`.
pub(crate) fn checkpoint_json(found: &CheckpointAt, index: &Index) -> Json {
    let checkpoint = &found.checkpoint;
    let count = found.standing.count();
    let at = count.and_then(|count| index.row(u32::try_from(count.checked_sub(1)?).ok()?));
    let lag = found.lag;
    let mut members = vec![
        ("table", Json::from(Arc::clone(&checkpoint.table))),
        ("name", Json::from(Some(Arc::clone(&checkpoint.projection)).filter(|name| !name.is_empty()))),
        ("position", stored_json(&checkpoint.position)),
        ("status", Json::from(checkpoint.status.clone())),
        ("error", Json::from(checkpoint.error.clone())),
        ("time", Json::from(checkpoint.time.map(Timestamp::to_rfc3339))),
        ("standing", Json::from(word(&found.standing))),
        ("count", Json::from(count)),
        ("event_time", Json::from(at.and_then(|row| row.time).map(Timestamp::to_rfc3339))),
        ("lag_events", Json::from(lag.map(|lag| lag.events))),
        ("lag_handled_events", Json::from(lag.and_then(|lag| lag.handled))),
        ("lag_seconds", Json::from(lag.and_then(|lag| lag.nanos).map(|nanos| nanos as f64 / 1e9))),
    ];
    if let Standing::Marked(marks) = &found.standing {
        members.extend([
            ("marks", Json::from(checkpoint.marks)),
            ("marked_events", Json::from(marks.events)),
            ("marked_types", Json::array(marks.types.iter().cloned().map(Json::from))),
            ("unmarked_events", Json::from(marks.unmarked)),
            ("marks_of_no_event", Json::from(marks.unknown)),
            ("first_marks_of_no_event", Json::array(marks.first_unknown.iter().map(stored_json))),
        ]);
    }
    Json::object(members)
}

fn entry_json(entry: &Entry, index: &Index) -> Json {
    let definition = |defined: &Defined| {
        Json::object([
            ("file", Json::from(defined.file.display().to_string())),
            ("kind", Json::from(kind(defined))),
            ("error", Json::from(defined.error.clone())),
        ])
    };
    let table = entry.table.as_ref().map(|table| {
        Json::object([
            ("table", Json::from(Arc::clone(&table.name))),
            ("rows", Json::from(table.rows)),
            ("evidence", Json::from(Arc::clone(&table.evidence))),
        ])
    });
    let guess = |guess: &Guess| {
        Json::object([
            ("table", Json::from(Arc::clone(&guess.table))),
            ("definition", Json::from(Arc::clone(&guess.definition))),
            ("columns_in_common", Json::from(guess.common)),
            ("columns", Json::from(guess.columns)),
        ])
    };
    Json::object([
        ("name", Json::from(Arc::clone(&entry.name))),
        ("definition", Json::from(entry.definition.as_ref().map(definition))),
        ("table", Json::from(table)),
        ("joined", Json::from(entry.joined.map(joined))),
        ("checkpoints", Json::array(entry.checkpoints.iter().map(|found| checkpoint_json(found, index)))),
        ("guesses", Json::array(entry.guesses.iter().map(guess))),
    ])
}

fn write_table(found: &Overview, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("projection", Side::Left),
        ("definition", Side::Left),
        ("table", Side::Left),
        ("rows", Side::Right),
        ("checkpoint", Side::Left),
        ("status", Side::Left),
        ("behind", Side::Left),
    ]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    for entry in &found.entries {
        let head = [
            entry.name.to_string(),
            or_dash(entry.definition.as_ref().map(|defined| defined.file.display().to_string())),
            or_dash(entry.table.as_ref().map(|table| table.name.to_string())),
            or_dash(entry.table.as_ref().and_then(|table| table.rows).map(|rows| rows.to_string())),
        ];
        if entry.checkpoints.is_empty() {
            table.row(output, &[&head[..], &["–", "–", "–"].map(str::to_owned)].concat())?;
        }
        for (number, found) in entry.checkpoints.iter().enumerate() {
            let head = if number == 0 { head.clone() } else { Default::default() };
            let tail = [
                position_words(found),
                or_dash(found.checkpoint.status.as_ref().map(ToString::to_string)),
                behind(found),
            ];
            table.row(output, &[&head[..], &tail].concat())?;
        }
    }
    table.write(output)
}

/// What is wrong or offered, a line each.
fn write_remarks(found: &Overview, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for entry in &found.entries {
        let name = &entry.name;
        if let Some(error) = entry.definition.as_ref().and_then(|defined| defined.error.as_ref()) {
            lines.push(format!("{name} cannot be run: {error}"));
        }
        for found in &entry.checkpoints {
            lines.extend(found.checkpoint.error.iter().map(|error| format!("{name} reports: {error}")));
            lines.extend(trouble(name, found));
        }
        if entry.definition.is_some() {
            lines.extend(entry.guesses.iter().map(|guess| {
                format!(
                    "{name} may be the table {}: {} of {} columns in common; write `table = \"{}\"` into its \
                     `[[projection]]` if it is",
                    guess.table, guess.common, guess.columns, guess.table
                )
            }));
        }
    }
    if !lines.is_empty() {
        output.line("")?;
    }
    lines.iter().try_for_each(|line| output.line(&printable(line)))
}

/// What cannot be about a checkpoint.
fn trouble(name: &str, found: &CheckpointAt) -> Option<String> {
    match &found.standing {
        Standing::Ahead => {
            Some(format!("{name} is ahead of the store: no event has its position {}", position(found)))
        }
        Standing::NoSuchEvent => Some(format!("{name} stands at {}, which is no event", position(found))),
        Standing::Marked(marks) if marks.unknown > 0 => {
            let shown: Vec<String> = marks.first_unknown.iter().map(stored_words).collect();
            let more = if marks.unknown as usize > shown.len() { ", …" } else { "" };
            let marks = counted(usize::try_from(marks.unknown).unwrap_or(usize::MAX), "event");
            Some(format!("{name} marks {marks} that the store does not have: {}{more}", shown.join(", ")))
        }
        Standing::Marked(_) | Standing::NotStarted | Standing::At { .. } => None,
    }
}

fn position(found: &CheckpointAt) -> String {
    stored_words(&found.checkpoint.position)
}

fn position_words(found: &CheckpointAt) -> String {
    let text = match found.checkpoint.marks {
        Some(marks) => counted(usize::try_from(marks).unwrap_or(usize::MAX), "mark"),
        None => position(found),
    };
    let is_long = text.chars().nth(POSITION).is_some();
    if is_long { text.chars().take(POSITION - 1).chain(['…']).collect() } else { text }
}

fn behind(found: &CheckpointAt) -> String {
    match (&found.standing, found.lag) {
        (Standing::Ahead | Standing::NoSuchEvent, _) | (_, None) => word(&found.standing).to_owned(),
        (Standing::Marked(marks), Some(_)) => marked(marks),
        (Standing::NotStarted | Standing::At { .. }, Some(lag)) => lag_words(lag),
    }
}

/// `70 of 72 OrderPlaced`
fn marked(marks: &Marks) -> String {
    if marks.types.is_empty() {
        return "no event".to_owned();
    }
    let mut types: Vec<&str> = marks.types.iter().map(|name| &**name).take(TYPES).collect();
    if marks.types.len() > TYPES {
        types.push("…");
    }
    format!("{} of {} {}", marks.events, marks.events + marks.unmarked, types.join(", "))
}

fn lag_words(lag: Lag) -> String {
    if lag.events == 0 {
        return "up to date".to_owned();
    }
    let events = counted(usize::try_from(lag.events).unwrap_or(usize::MAX), "event");
    let handled = lag.handled.map(|handled| format!(" ({handled} that it handles)")).unwrap_or_default();
    let time = lag.nanos.map(|nanos| format!(", {}", span_words(nanos))).unwrap_or_default();
    format!("{events}{handled}{time}")
}

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::NotStarted => "not started",
        Standing::At { is_exact: true, .. } => "at an event",
        Standing::At { is_exact: false, .. } => "between events",
        Standing::Ahead => "ahead of the store",
        Standing::NoSuchEvent => "no such event",
        Standing::Marked(_) => "marks",
    }
}

fn kind(defined: &Defined) -> &'static str {
    match (&defined.error, defined.is_script) {
        (Some(_), _) => "does not load",
        (None, true) => "JavaScript",
        (None, false) => "SQL",
    }
}

fn joined(joined: Joined) -> &'static str {
    match joined {
        Joined::SameName => "same name",
        Joined::ByProjectFile => "the project file says so",
    }
}

fn stored_words(stored: &Stored) -> String {
    use crate::store::decode::{Value, id_text};
    id_text(Value::from(stored), Form::UuidBytes).map_or_else(|| "nothing".to_owned(), Into::into)
}

pub(crate) fn stored_json(stored: &Stored) -> Json {
    match stored {
        Stored::Null => Json::Null,
        Stored::Integer(number) => Json::from(*number),
        Stored::Real(number) => Json::from(*number),
        Stored::Text(_) | Stored::Blob(_) => Json::from(stored_words(stored)),
    }
}
