//! `timeglass snapshots`: the states that the store's owner stored.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        failure::Failure,
        open,
        output::{Format, Output},
        snapshot_check::{Check, Verdict, Verifier},
        streams::scalar,
        table::{Side, Table, counted, csv_line},
        write_json,
    },
    model::{Change, Json, StoredSnapshot, Timestamp},
    work::Work,
};

/// List the stored snapshots
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// Only snapshots of this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Compare each with the state that the events make at its version; exit status 1 if one differs
    #[arg(long)]
    verify: bool,
    /// Compare with what this reducer in JavaScript makes [default: the one that the project file names for the category]
    #[arg(long, value_name = "FILE")]
    reducer: Option<PathBuf>,
    #[command(flatten)]
    format: RowFormat,
}

/// The columns of the comma-separated form.
const FIELDS: [&str; 9] =
    ["stream", "version", "time", "table", "label", "verdict", "state", "state_problem", "state_hex"];

/// So many letters of a state are shown to people; machines get all of it.
const PREVIEW: usize = 60;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let stream = match &arguments.stream {
        Some(name) => {
            let stream = opened.choice().stream(name)?;
            opened.index.stream(stream).map(|info| Arc::clone(&info.name))
        }
        None => None,
    };
    let snapshots = opened.store.snapshots(&Work::default(), stream.as_deref())?;
    let mut verifier = Verifier::new(&opened, arguments.reducer.clone());
    let is_compared = arguments.verify || arguments.reducer.is_some();
    let checks = snapshots.iter().map(|snapshot| {
        if is_compared { verifier.check(snapshot, output) } else { Ok(verifier.look(snapshot)) }
    });
    let checks: Vec<Check> = checks.collect::<Result<_, _>>()?;
    let checked = || snapshots.iter().zip(&checks);
    let mut rows = checked().map(|(snapshot, check)| to_json(snapshot, check));
    match common.format(arguments.format) {
        Format::Json => write_json(output, &Json::array(rows))?,
        Format::Ndjson => rows.try_for_each(|row| output.line(&row.to_compact()))?,
        Format::Csv => {
            output.line(&csv_line(FIELDS))?;
            rows.try_for_each(|row| output.line(&csv_line(FIELDS.map(|field| scalar(row.get(field))))))?;
        }
        Format::Text => {
            write_table(checked(), output)?;
            output.remark(&counted(snapshots.len(), "snapshot"));
        }
    }
    let differs = checks.iter().any(|check| check.verdict == Verdict::Differs);
    Ok(if differs { Exit::No } else { Exit::Done })
}

fn to_json(snapshot: &StoredSnapshot, check: &Check) -> Json {
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
    let diff = Json::array(check.changes.iter().map(Change::to_json));
    members.extend([("verdict", Json::from(check.verdict.word())), ("diff", diff)]);
    Json::object(members)
}

fn write_table<'a>(
    snapshots: impl Iterator<Item = (&'a StoredSnapshot, &'a Check)>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("stream", Side::Left),
        ("version", Side::Right),
        ("time", Side::Left),
        ("verdict", Side::Left),
        ("state", Side::Left),
    ]);
    for (snapshot, check) in snapshots {
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
