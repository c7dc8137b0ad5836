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
        write_json,
    },
    model::{Change, ChangeKind, Json, StoredSnapshot, StreamName, Timestamp},
    snapshot::{
        Check, Mapping, Parting, PathParting, Standard, Standards, Verdict, Verification, bounds, look,
        parting, summary,
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

/// A snapshot, what is said of it, and where it parts from the replay.
struct Found<'a> {
    snapshot: &'a StoredSnapshot,
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
    let snapshots: Arc<[StoredSnapshot]> =
        opened.store.snapshots(&Work::default(), stream.as_deref())?.into();
    let is_compared = arguments.verify || arguments.reducer.is_some();
    let all = if is_compared {
        let standards = standards(&opened, &snapshots, arguments.reducer.clone(), output)?;
        compared(&opened, &snapshots, Arc::new(standards), output)?
    } else {
        listed(&opened, &snapshots)
    };
    write(&all, is_compared, common.format(arguments.format), output)?;
    let disagrees = all.iter().any(|found| found.check.verdict.is_disagreement());
    Ok(if is_compared && disagrees { Exit::No } else { Exit::Done })
}

/// What can be said without replaying anything.
fn listed<'a>(opened: &Opened, snapshots: &'a [StoredSnapshot]) -> Vec<Found<'a>> {
    let owners = opened.index.snapshot_owners();
    let check = |snapshot| match look(snapshot, &opened.index, &owners) {
        Ok(_) => Check::of(Verdict::NotChecked, ""),
        Err(check) => check,
    };
    snapshots.iter().map(|snapshot| Found { snapshot, check: check(snapshot), parting: None }).collect()
}

/// What the snapshots of each category that has some are held against.
fn standards(
    opened: &Opened,
    snapshots: &[StoredSnapshot],
    reducer: Option<PathBuf>,
    output: &mut Output<'_>,
) -> Result<Standards, Failure> {
    let argument = ReducerArgument { reducer };
    let owners = opened.index.snapshot_owners();
    let mut standards = Standards::new();
    for snapshot in snapshots {
        let Ok(stream) = look(snapshot, &opened.index, &owners) else { continue };
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

/// Everything compared, and followed to where it parts.
fn compared<'a>(
    opened: &Opened,
    snapshots: &'a Arc<[StoredSnapshot]>,
    standards: Arc<Standards>,
    output: &mut Output<'_>,
) -> Result<Vec<Found<'a>>, Failure> {
    let work = Work::default();
    let (mut verification, mut known) = Verification::plan(
        Arc::clone(&opened.store),
        Arc::clone(&opened.index),
        Arc::clone(snapshots),
        standards,
    );
    known.extend(attended(output, ("replaying", "events"), |work| {
        work.expect_total(verification.remaining_events());
        verification.portion(usize::MAX, usize::MAX, work)
    })?);
    known.sort_by_key(|(place, _)| *place);
    let mut all: Vec<Found<'a>> = snapshots
        .iter()
        .zip(known)
        .map(|(snapshot, (_, check))| Found { snapshot, check, parting: None })
        .collect();
    let owners = opened.index.snapshot_owners();
    let mut known_of: BTreeMap<Option<&StreamName>, Vec<(usize, Verdict)>> = BTreeMap::new();
    for found in &all {
        let known = found.check.count.map(|count| (count, found.check.verdict));
        known_of.entry(found.snapshot.stream.as_deref()).or_default().extend(known);
    }
    let partings: Vec<Option<Parting>> = all
        .iter()
        .map(|found| {
            let (Verdict::Differs, Some(count)) = (found.check.verdict, found.check.count) else {
                return Ok(None);
            };
            let name = found.snapshot.stream.as_deref();
            let Some((history, _)) =
                name.and_then(|name| owners.of(name)).and_then(|stream| verification.history(stream))
            else {
                return Ok(None);
            };
            let others = known_of.get(&name).into_iter().flatten().copied();
            parting(&history, &found.check.changes, bounds(count, others), &work).map(Some)
        })
        .collect::<Result<_, crate::store::StoreError>>()?;
    for (found, parting) in all.iter_mut().zip(partings) {
        found.parting = parting;
    }
    Ok(all)
}

fn write(
    all: &[Found<'_>],
    is_compared: bool,
    format: Format,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut rows = all.iter().map(to_json);
    match format {
        Format::Json => write_json(output, &Json::array(rows))?,
        Format::Ndjson => rows.try_for_each(|row| output.line(&row.to_compact()))?,
        Format::Csv => {
            output.line(&csv_line(FIELDS))?;
            rows.try_for_each(|row| output.line(&csv_line(FIELDS.map(|field| scalar(row.get(field))))))?;
        }
        Format::Text => {
            write_table(all, output)?;
            explain(all, output)?;
            if is_compared {
                output.remark(&summary(all.iter().map(|found| found.check.verdict)));
            } else {
                output.remark(&counted(all.len(), "snapshot"));
            }
        }
    }
    Ok(())
}

fn to_json(found: &Found<'_>) -> Json {
    let Found { snapshot, check, parting } = found;
    let mut members = vec![
        ("stream", Json::from(snapshot.stream.as_ref().map(|stream| stream.full()))),
        ("version", Json::from(snapshot.version.map(|version| version.0))),
        ("time", Json::from(snapshot.time.map(Timestamp::to_rfc3339))),
        ("table", Json::from(Arc::clone(&snapshot.table))),
        ("label", Json::from(snapshot.label.clone())),
    ];
    match &snapshot.state.decoded {
        Ok(state) => members.push(("state", state.clone())),
        Err(problem) => members.extend([
            ("state", Json::Null),
            ("state_problem", Json::from(Arc::clone(problem))),
            ("state_hex", Json::from(snapshot.state.stored.to_hex())),
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

fn write_table(all: &[Found<'_>], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("stream", Side::Left),
        ("version", Side::Right),
        ("time", Side::Left),
        ("verdict", Side::Left),
        ("state", Side::Left),
    ]);
    for Found { snapshot, check, .. } in all {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let cells = vec![
            or_dash(snapshot.stream.as_ref().map(|stream| stream.full().to_string())),
            or_dash(snapshot.version.map(|version| version.to_string())),
            or_dash(snapshot.time.map(Timestamp::to_rfc3339)),
            check.words(),
            match &snapshot.state.decoded {
                Ok(state) => state.to_preview(PREVIEW),
                Err(problem) => format!("({problem})"),
            },
        ];
        table.row(output, &cells)?;
    }
    table.write(output)
}

/// What differs, why, and where it parts, for people.
fn explain(all: &[Found<'_>], output: &mut Output<'_>) -> Result<(), Failure> {
    let told = |found: &&Found<'_>| match found.check.verdict {
        Verdict::Agrees | Verdict::NotComparable | Verdict::NotChecked => found.check.reason.is_some(),
        // The state's column says already why it cannot be read.
        Verdict::Unreadable => false,
        Verdict::Differs | Verdict::Orphan | Verdict::Ahead => true,
    };
    let all: Vec<&Found<'_>> = all.iter().filter(told).collect();
    for found in all.iter().take(EXPLAINED) {
        let Found { snapshot, check, parting } = found;
        let stream = snapshot.stream.as_ref().map(|stream| stream.full()).unwrap_or_default();
        let version = snapshot.version.map(|version| format!(" v{version}")).unwrap_or_default();
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
