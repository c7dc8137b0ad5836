//! `timeglass snapshots`: the states that the store's owner stored.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        failure::Failure,
        open,
        output::{Format, Output},
        streams::scalar,
        table::{Side, Table, counted, csv_line},
        write_json,
    },
    model::{Json, StoredSnapshot, Timestamp},
    store::index::SnapshotOwners,
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
    let owners = opened.index.snapshot_owners();
    let mut rows = snapshots.iter().map(|snapshot| to_json(&owners, snapshot));
    match common.format(arguments.format) {
        Format::Json => write_json(output, &Json::array(rows))?,
        Format::Ndjson => rows.try_for_each(|row| output.line(&row.to_compact()))?,
        Format::Csv => {
            output.line(&csv_line(FIELDS))?;
            rows.try_for_each(|row| output.line(&csv_line(FIELDS.map(|field| scalar(row.get(field))))))?;
        }
        Format::Text => {
            write_table(&owners, &snapshots, output)?;
            output.remark(&counted(snapshots.len(), "snapshot"));
        }
    }
    Ok(Exit::Done)
}

fn to_json(owners: &SnapshotOwners<'_>, snapshot: &StoredSnapshot) -> Json {
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
    members.extend([("verdict", Json::from(verdict(owners, snapshot))), ("diff", Json::array([]))]);
    Json::object(members)
}

/// What can be said of a snapshot without replaying its stream.
fn verdict(owners: &SnapshotOwners<'_>, snapshot: &StoredSnapshot) -> &'static str {
    if snapshot.state.decoded.is_err() {
        return "unreadable";
    }
    if snapshot.stream.as_deref().is_some_and(|stream| owners.of(stream).is_none()) {
        return "orphan";
    }
    "not checked"
}

fn write_table(
    owners: &SnapshotOwners<'_>,
    snapshots: &[StoredSnapshot],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("stream", Side::Left),
        ("version", Side::Right),
        ("time", Side::Left),
        ("verdict", Side::Left),
        ("state", Side::Left),
    ]);
    for snapshot in snapshots {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let cells = vec![
            or_dash(snapshot.stream.as_ref().map(|stream| stream.full().to_string())),
            or_dash(snapshot.version.map(|version| version.to_string())),
            or_dash(snapshot.time.map(Timestamp::to_rfc3339)),
            verdict(owners, snapshot).to_owned(),
            match &snapshot.state.decoded {
                Ok(state) => state.to_preview(PREVIEW),
                Err(problem) => format!("({problem})"),
            },
        ];
        table.row(output, &cells)?;
    }
    table.write(output)
}
