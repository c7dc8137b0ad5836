//! `timeglass diff`: what changed in a stream's state between two versions.

use std::path::PathBuf;

use crate::{
    cli::{
        Common, Exit,
        failure::Failure,
        open,
        output::Output,
        reducer::ReducerArgument,
        state,
        table::{counted, printable},
        write_json,
    },
    model::{Change, ChangeKind, Json, diff},
};

/// Show what changed in a stream's state between two versions; exit status 1 if anything did
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: String,
    /// The version before
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    from: i64,
    /// The version after
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    to: i64,
    #[command(flatten)]
    reducer: ReducerArgument,
}

/// So many letters of a value are shown to people; machines get all of it.
const PREVIEW: usize = 200;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let choice = opened.choice();
    let stream = choice.stream(&arguments.stream)?;
    let from = choice.count_at_version(stream, arguments.from)?;
    let to = choice.count_at_version(stream, arguments.to)?;
    let chosen = arguments.reducer.choose(&opened, stream, output)?;
    let before = state::state_at(&opened, stream, from, chosen.clone(), output)?;
    let after = state::state_at(&opened, stream, to, chosen, output)?;
    let changes = diff(&before.folded.state, &after.folded.state);
    let longer = if from > to { &before } else { &after };
    longer.complain_of_failed(&opened, output);
    longer.tell_of_rounded(&opened, output);
    if common.json {
        write_json(output, &Json::array(changes.iter().map(Change::to_json)))?;
    } else {
        changes.iter().try_for_each(|change| output.line(&line(change)))?;
        output.remark(&if changes.is_empty() {
            "no difference".to_owned()
        } else {
            counted(changes.len(), "difference")
        });
    }
    Ok(if changes.is_empty() { Exit::Done } else { Exit::No })
}

/// One change, for people.
pub(crate) fn line(change: &Change) -> String {
    let show = |value: &Json| value.to_preview(PREVIEW);
    let path = change.path.to_string();
    let path = if path.is_empty() { "(all)" } else { &path };
    printable(&match &change.kind {
        ChangeKind::Add(new) => format!("+ {path}: {}", show(new)),
        ChangeKind::Remove(old) => format!("- {path}: {}", show(old)),
        ChangeKind::Replace(old, new) => format!("~ {path}: {} → {}", show(old), show(new)),
    })
}
