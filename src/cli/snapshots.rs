//! `timeglass snapshots`: the states that the store's owner stored, held against the events.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        attend::attended,
        failure::Failure,
        open::{self, Opened},
        output::{Format, Output},
        reducer::ReducerArgument,
        rows::scalar,
        snapshot_cost,
        table::{Side, Table, counted, csv_line, printable},
    },
    model::{Change, ChangeKind, Json, Payload, SnapshotHead, StreamName, Timestamp},
    snapshot::{
        Check, Mapping, Parting, PathParting, Standard, Standards, Verdict, Verification, Waiting, bounds,
        look, parting, summary,
    },
    store::{
        EventStore, StoreError, StoreResult,
        read::Onward,
        snapshots::{SnapshotPlace, each_fetched},
    },
    work::Work,
};

/// List the stored snapshots, and hold them against the events
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// Only snapshots of this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Compare each with the state that the events make at its version; exit status 1 if one differs, has no
    /// stream (orphan) or a version behind its stream's last (ahead). What is unreadable or cannot be compared
    /// does not count. How states are compared is set by [[snapshot]] in the project file
    #[arg(long)]
    verify: bool,
    /// Compare with what this reducer in JavaScript makes [default: the one that the project file names for the category]
    #[arg(long, value_name = "FILE")]
    reducer: Option<PathBuf>,
    /// Show what loading costs with the snapshots and without, and which interval is advised
    #[arg(long, conflicts_with_all = ["verify", "reducer", "stream", "csv"])]
    cost: bool,
    #[command(flatten)]
    format: RowFormat,
}

/// The columns of the comma-separated form.
const FIELDS: [&str; 10] = [
    "stream",
    "version",
    "time",
    "table",
    "label",
    "verdict",
    "reason",
    "state",
    "state_problem",
    "state_hex",
];

/// So many letters of a state are shown to people; machines get all of it.
const PREVIEW: usize = 60;

/// So many differences are explained to people; machines get all of them.
const EXPLAINED: usize = 20;

/// So many differing paths of one snapshot are shown to people.
const PATHS: usize = 10;

/// So many snapshots are compared at a time.
const PORTION: usize = 200;

/// A snapshot, what is said of it, and where it parts from the replay. Its state is fetched when it is written.
struct Found {
    head: SnapshotHead,
    place: SnapshotPlace,
    bytes: u64,
    /// Whose state it is, if it can be compared.
    stream: Option<u32>,
    check: Check,
    parting: Option<Parting>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    if arguments.cost {
        return snapshot_cost::run(&opened, common.format(arguments.format), output);
    }
    let stream = match &arguments.stream {
        Some(name) => {
            let stream = opened.choice().stream(name)?;
            opened.index.stream(stream).map(|info| Arc::clone(&info.name))
        }
        None => None,
    };
    let is_compared = arguments.verify || arguments.reducer.is_some();
    let mut all = Vec::new();
    let read = survey(&opened, stream.as_deref(), &mut all);
    let damage = match read {
        // What stands before the damage can be listed, and is no answer to whether all agree.
        Err(err @ StoreError::Damaged { .. }) if !is_compared => Some(err),
        read => read.map(|()| None)?,
    };
    if is_compared {
        let standards = standards(&opened, &all, arguments.reducer.clone(), output)?;
        compare(&opened, &mut all, Arc::new(standards), output)?;
    }
    write(&all, &*opened.store, common.format(arguments.format), output)?;
    if let Some(damage) = damage {
        output.remark(&format!("{} before the damage", counted(all.len(), "snapshot")));
        return Err(damage.into());
    }
    if common.format(arguments.format) == Format::Text {
        output.remark(&if is_compared {
            summary(all.iter().map(|found| found.check.verdict))
        } else {
            counted(all.len(), "snapshot")
        });
    }
    let disagrees = all.iter().any(|found| found.check.verdict.is_disagreement());
    Ok(if is_compared && disagrees { Exit::No } else { Exit::Done })
}

/// All snapshots in order, with what can be said without replaying anything.
fn survey(opened: &Opened, stream: Option<&StreamName>, all: &mut Vec<Found>) -> StoreResult<()> {
    let owners = opened.index.snapshot_owners();
    let read = opened.store.visit_snapshots(&opened.stop.work(), stream, &mut |visited| {
        let (stream, check) = match look(&visited.decoded(), &opened.index, &owners) {
            Ok(stream) => (Some(stream), Check::of(Verdict::NotChecked, "")),
            Err(check) => (None, check),
        };
        let (head, place) = (visited.head.clone(), visited.place.clone());
        all.push(Found { head, place, bytes: visited.len(), stream, check, parting: None });
        Onward::On
    });
    all.sort_by(|one, other| {
        (&one.head.stream, one.head.version).cmp(&(&other.head.stream, other.head.version))
    });
    read
}

/// What the snapshots of each category that has some are held against.
fn standards(
    opened: &Opened,
    all: &[Found],
    reducer: Option<PathBuf>,
    output: &mut Output<'_>,
) -> Result<Standards, Failure> {
    let argument = ReducerArgument { reducer };
    let mut standards = Standards::new();
    for stream in all.iter().filter_map(|found| found.stream) {
        let category = opened.index.stream(stream).and_then(|info| info.name.category.clone());
        let key = category.clone().unwrap_or_default();
        if standards.contains_key(&key) {
            continue;
        }
        let chosen = argument.of_category(opened, category.as_deref(), output)?;
        let mapping = Mapping::of_category(&opened.sections.snapshots, category.as_deref());
        standards.insert(key, Standard { reducer: chosen.reducer, on_failure: chosen.on_failure, mapping });
    }
    let is_merged = |standard: &Standard| standard.reducer.is_merge();
    let merged = standards.iter().filter(|(_, standard)| is_merged(standard));
    let merged: Vec<String> = merged.map(|(category, _)| format!("`{}`", printable(category))).collect();
    if !merged.is_empty() {
        let names = merged.join(", ").replace("``", "streams without a category");
        output.remark(&format!("no reducer for {names}: compared with the merge of all event data"));
    }
    Ok(standards)
}

/// Compares everything, and follows it to where it parts.
fn compare(
    opened: &Opened,
    all: &mut [Found],
    standards: Arc<Standards>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let waiting = |(number, found): (usize, &Found)| {
        let (version, place, bytes) = (found.head.version, found.place.clone(), found.bytes);
        Some(Waiting { number, stream: found.stream?, version, place, bytes })
    };
    let waiting = all.iter().enumerate().filter_map(waiting).collect();
    let (store, index) = (Arc::clone(&opened.store), Arc::clone(&opened.index));
    let mut verification = Verification::plan(store, index, waiting, standards).in_full();
    let compared = attended(output, ("replaying", "events"), |work| {
        work.expect_total(verification.remaining_events());
        let mut compared = Vec::new();
        while verification.remaining() > 0 {
            compared.extend(verification.portion(PORTION, usize::MAX, work)?);
        }
        StoreResult::Ok(compared)
    })?;
    for one in compared {
        if let Some(found) = all.get_mut(one.number) {
            found.check = one.check;
        }
    }
    let mut known_of: BTreeMap<Option<Arc<StreamName>>, Vec<(usize, Verdict)>> = BTreeMap::new();
    for found in all.iter() {
        let known = found.check.count.map(|count| (count, found.check.verdict));
        known_of.entry(found.head.stream.clone()).or_default().extend(known);
    }
    for found in all {
        let (Verdict::Differs, Some(count)) = (found.check.verdict, found.check.count) else { continue };
        let Some((history, _)) = found.stream.and_then(|stream| verification.history(stream)) else {
            continue;
        };
        let others = known_of.get(&found.head.stream).into_iter().flatten().copied();
        let bounds = bounds(count, others);
        found.parting = Some(parting(&history, &found.check.changes, bounds, &output.work())?);
    }
    Ok(())
}

fn write(
    all: &[Found],
    store: &dyn EventStore,
    format: Format,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let mut before = "[\n  ";
            with_states(all, (store, &output.work()), |found, state| {
                output.text(before)?;
                before = ",\n  ";
                output.text(&to_json(found, state).to_pretty().replace('\n', "\n  "))
            })?;
            output.line(if all.is_empty() { "[]" } else { "\n]" })
        }
        Format::Ndjson => with_states(all, (store, &output.work()), |found, state| {
            output.line(&to_json(found, state).to_compact())
        }),
        Format::Csv => {
            output.line(&csv_line(FIELDS))?;
            with_states(all, (store, &output.work()), |found, state| {
                let row = to_json(found, state);
                output.line(&csv_line(FIELDS.map(|field| scalar(row.get(field)))))
            })
        }
        Format::Text => {
            write_table(all, store, output)?;
            explain(all, output)
        }
    }
}

/// Hands each snapshot on with its state, a few of which are in memory at once.
fn with_states(
    all: &[Found],
    (store, work): (&dyn EventStore, &Work),
    mut each: impl FnMut(&Found, &Payload) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each_fetched(
        store,
        work,
        all,
        |found| (&found.place, found.bytes),
        |found, snapshot| each(found, &snapshot.map_or_else(removed, |snapshot| snapshot.state)),
    )
}

/// What stands for a state that went between the list and its row.
fn removed() -> Payload {
    Payload { decoded: Err("it was removed while others were read".into()), ..Payload::absent() }
}

fn to_json(found: &Found, state: &Payload) -> Json {
    let Found { head, check, parting, .. } = found;
    let mut members = vec![
        ("stream", Json::from(head.stream.as_ref().map(|stream| stream.full()))),
        ("version", Json::from(head.version.map(|version| version.0))),
        ("time", Json::from(head.time.map(Timestamp::to_rfc3339))),
        ("table", Json::from(Arc::clone(&head.table))),
        ("label", Json::from(head.label.clone())),
    ];
    match &state.decoded {
        Ok(json) => members.push(("state", json.clone())),
        Err(problem) => members.extend([
            ("state", Json::Null),
            ("state_problem", Json::from(Arc::clone(problem))),
            ("state_hex", Json::from(state.stored.to_hex())),
        ]),
    }
    members.extend([
        ("verdict", Json::from(check.verdict.word())),
        ("reason", Json::from(check.reason.clone())),
        ("reducer", Json::from(check.made_by.clone())),
        ("diff", Json::array(check.changes.iter().map(Change::to_json))),
        ("parting", parting.as_ref().map_or(Json::Null, parting_json)),
    ]);
    Json::object(members)
}

fn parting_json(parting: &Parting) -> Json {
    let version = |version: Option<crate::model::StreamVersion>| Json::from(version.map(|version| version.0));
    Json::object([
        ("agrees_at_version", version(parting.after_version)),
        ("agrees_again_at_version", version(parting.mended_version)),
        ("paths", Json::array(parting.paths.iter().map(PathParting::to_json))),
    ])
}

fn write_table(all: &[Found], store: &dyn EventStore, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("stream", Side::Left),
        ("version", Side::Right),
        ("time", Side::Left),
        ("verdict", Side::Left),
        ("state", Side::Left),
    ]);
    with_states(all, (store, &output.work()), |Found { head, check, .. }, state| {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let cells = vec![
            or_dash(head.stream.as_ref().map(|stream| stream.full().to_string())),
            or_dash(head.version.map(|version| version.to_string())),
            or_dash(head.time.map(Timestamp::to_rfc3339)),
            check.words(),
            match &state.decoded {
                Ok(json) => json.to_preview(PREVIEW),
                Err(problem) => format!("({problem})"),
            },
        ];
        table.row(output, &cells)
    })?;
    table.write(output)
}

/// What differs, why, and where it parts, for people.
fn explain(all: &[Found], output: &mut Output<'_>) -> Result<(), Failure> {
    let told = |found: &&Found| match found.check.verdict {
        Verdict::Agrees | Verdict::NotComparable | Verdict::NotChecked => found.check.reason.is_some(),
        // The state's column says already why it cannot be read.
        Verdict::Unreadable => false,
        Verdict::Differs | Verdict::Orphan | Verdict::Ahead => true,
    };
    let all: Vec<&Found> = all.iter().filter(told).collect();
    for found in all.iter().take(EXPLAINED) {
        let Found { head, check, parting, .. } = found;
        let stream = head.stream.as_ref().map(|stream| stream.full()).unwrap_or_default();
        let version = head.version.map(|version| format!(" v{version}")).unwrap_or_default();
        output.line(&format!("\n{}{version} {}", printable(&stream), check.words()))?;
        let is_told = check.verdict != Verdict::NotComparable;
        for change in check.changes.iter().take(PATHS).filter(|_| is_told) {
            output.line(&format!("  {}", printable(&change_words(change))))?;
        }
        if is_told && check.changes.len() > PATHS {
            output.line(&format!("  … and {} more", check.changes.len() - PATHS))?;
        }
        if let Some(reason) = &check.reason {
            output.line(&format!("  {}", printable(reason)))?;
        }
        if let Some(parting) = parting {
            output.line(&format!("  {}", parting.words()))?;
            let told = parting.paths.iter().filter(|path| path.event().is_some());
            for path in told.take(PATHS) {
                output.line(&format!(
                    "  {}: {}",
                    printable(&path.path.to_string()),
                    printable(&path.words())
                ))?;
            }
        }
    }
    if all.len() > EXPLAINED {
        output.remark(&format!("{} more are explained with --json", all.len() - EXPLAINED));
    }
    Ok(())
}

/// `/status: replayed "placed", stored "shipped"`.
fn change_words(change: &Change) -> String {
    let path =
        if change.path.segments().is_empty() { "the state".to_owned() } else { change.path.to_string() };
    let shown = |value: &Json| value.to_preview(PREVIEW);
    match &change.kind {
        ChangeKind::Add(stored) => format!("{path}: only stored, {}", shown(stored)),
        ChangeKind::Remove(made) => format!("{path}: only replayed, {}", shown(made)),
        ChangeKind::Replace(made, stored) => {
            format!("{path}: replayed {}, stored {}", shown(made), shown(stored))
        }
    }
}
