//! The command line: what the window finds, asked without one.
//!
//! Answers go to standard output, everything else to standard error. A command ends as [`Exit`]
//! says; no function here ends the process, so that tests run every command in their own.

mod attend;
mod bench;
mod blame;
mod cache;
mod choose;
mod diff;
mod drift;
mod events;
mod failure;
mod find;
mod info;
mod open;
mod output;
mod project;
mod project_rebuild;
mod projections;
mod rebuild;
mod rebuild_report;
mod reducer;
mod rows;
mod sample;
mod scope;
mod search;
mod snapshot_cost;
mod snapshots;
mod state;
mod streams;
mod table;
mod what_if;

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};

use crate::model::Json;

use failure::{Failure, Trouble};
use output::Format;

pub use output::Output;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// It is done, and the answer is "no": there is a difference, or no event table.
    No,
    /// It could not be done, or was not understood.
    Failed,
    /// It was stopped, as by Ctrl+C.
    Stopped,
}

impl Exit {
    /// The exit status of the process.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Failed => 2,
            // As shells tell it of a program that Ctrl+C ended.
            Self::Stopped => 130,
        }
    }
}

/// What the window is to open with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowRequest {
    /// The store to open at once.
    pub store: Option<PathBuf>,
    /// The project file to use instead of the one beside the store.
    pub project: Option<PathBuf>,
    /// Whether nothing is to be kept between runs, nor taken from what was kept.
    pub no_cache: bool,
    /// A session to be played and measured, after which the window closes.
    pub rehearsal: Option<Rehearsal>,
}

/// A session to be played and measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsal {
    /// How long it lasts.
    pub seconds: u32,
    /// Whether its figures are wanted in JSON.
    pub json: bool,
}

/// Explorer and time-travel debugger for event stores
///
/// Without a command the window opens: with STORE, or with a welcome screen.
#[derive(Debug, Parser)]
#[command(name = "timeglass", bin_name = "timeglass", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Event store to open in the window
    store: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the layout with the evidence for each role, counts, times and problems
    Info(info::Arguments),
    /// List the streams
    Streams(streams::Arguments),
    /// List events in global order
    Events(events::Arguments),
    /// Show a stream's state at a version, a time or a position
    State(state::Arguments),
    /// Show what changed in a stream's state between two versions; exit status 1 if anything did
    Diff(diff::Arguments),
    /// Find the events at which a condition is met; exit status 1 if there is none
    Find(find::Arguments),
    Search(search::Arguments),
    /// Show which events wrote a value of a stream's state; exit status 1 if it never existed
    ///
    /// A part of the state is written by whatever changes anything in it. Items of an array are places:
    /// when an item before them is removed, what follows moves up and is written. Where a value came
    /// from is found by experiment: each value of the event is replaced by another, one at a time, and
    /// the reducer is asked what the state would be. `copied` means that the value is exactly what
    /// stands there, `influences` that it would be another if something else stood there.
    Blame(blame::Arguments),
    /// List the stored snapshots, and hold them against the events
    Snapshots(snapshots::Arguments),
    /// List what the store has of projections and what the project file defines
    ///
    /// A projection has a definition in the project file, a stored table, a checkpoint, or several of these;
    /// they belong together if they have the same name or if the project file says so. How far a checkpoint is
    /// behind is counted in events and in time from the event it stands at to the last one.
    Projections(projections::Arguments),
    /// Run a projection over the events of a store or a file
    Project(project::Arguments),
    Rebuild(rebuild::Arguments),
    /// Show what a stream's state would be if its events were others; exit status 1 if it would be another
    WhatIf(what_if::Arguments),
    /// Compare stored read models with what the events make; exit status 1 if they differ
    ///
    /// Each projection is rebuilt into a database of ours and compared row by row with the stored table.
    /// For every row that differs, the event is named at which it parted from the events. Nothing is
    /// written to the store.
    ///
    /// Which table belongs to a projection, which columns are called otherwise and which are not to be
    /// compared stands in the project file: `table = "orders"`, `columns = { stored = "rebuilt" }` and
    /// `ignore = ["note"]` in its `[[projection]]`.
    Drift(drift::Arguments),
    Cache(cache::Arguments),
    /// Make a sample store; the same seed makes the same store
    Sample(sample::Arguments),
    /// Measure what this machine does with a store: open, index, page, seek, fold, search
    Bench(bench::Arguments),
}

/// What every command understands.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Common {
    /// Project file [default: timeglass.toml beside the store]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) project: Option<PathBuf>,
    /// Answer in JSON, errors included
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No remarks on standard error, answers and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Scan the store, and neither use nor keep an index
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
}

/// The machine formats of commands that answer in rows.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct RowFormat {
    /// Answer in JSON, one object a line
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    ndjson: bool,
    /// Answer in comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Common {
    /// The format wanted of a command that answers in rows.
    pub(crate) fn format(&self, rows: RowFormat) -> Format {
        match (self.json, rows.ndjson, rows.csv) {
            (true, _, _) => Format::Json,
            (_, true, _) => Format::Ndjson,
            (_, _, true) => Format::Csv,
            (false, false, false) => Format::Text,
        }
    }
}

/// Reads the arguments, the program's name among them, and does what they say.
///
/// `window` opens the window; it is called for no other command.
pub fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    output: &mut Output<'_>,
    window: impl FnOnce(WindowRequest) -> Exit,
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    // Looked for by hand, since arguments that are not understood are reported in it, too.
    let wants_json = arguments.iter().any(|argument| argument == "--json" || argument == "--ndjson");
    let answer = match Arguments::try_parse_from(&arguments) {
        Ok(Arguments { command: None, store, common }) => {
            match store.as_deref().filter(|path| !path.exists()) {
                Some(missing) => Err(failure::no_store(missing, &command_names())),
                None => {
                    return window(WindowRequest {
                        // A relative path would be another file when the window is opened elsewhere next time.
                        store: store.map(|path| std::path::absolute(&path).unwrap_or(path)),
                        project: common.project,
                        no_cache: common.no_cache,
                        rehearsal: None,
                    });
                }
            }
        }
        Ok(Arguments { command: Some(Command::Bench(bench)), common, .. }) if bench.is_of_window() => {
            match bench.rehearsal(&common) {
                Ok(request) => return window(request),
                Err(failure) => Err(failure),
            }
        }
        Ok(Arguments { command: Some(command), common, .. }) => answer(&command, &common, output),
        Err(error) => not_understood(&error, wants_json, output),
    };
    let answer = answer.and_then(|exit| output.flush().map(|()| exit));
    match answer {
        Ok(exit) => exit,
        Err(Failure::NobodyReads) => Exit::Done,
        Err(failure) => {
            failure.complain(wants_json, output);
            if output.stop().is_set() { Exit::Stopped } else { Exit::Failed }
        }
    }
}

fn answer(command: &Command, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    if common.quiet {
        output.be_quiet();
    }
    match command {
        Command::Info(arguments) => info::run(arguments, common, output),
        Command::Streams(arguments) => streams::run(arguments, common, output),
        Command::Events(arguments) => events::run(arguments, common, output),
        Command::State(arguments) => state::run(arguments, common, output),
        Command::Diff(arguments) => diff::run(arguments, common, output),
        Command::Search(arguments) => search::run(arguments, common, output),
        Command::Find(arguments) => find::run(arguments, common, output),
        Command::Blame(arguments) => blame::run(arguments, common, output),
        Command::Snapshots(arguments) => snapshots::run(arguments, common, output),
        Command::Project(arguments) => project::run(arguments, common, output),
        Command::Drift(arguments) => drift::run(arguments, common, output),
        Command::Projections(arguments) => projections::run(arguments, common, output),
        Command::Rebuild(arguments) => rebuild::run(arguments, common, output),
        Command::WhatIf(arguments) => what_if::run(arguments, common, output),
        Command::Cache(arguments) => cache::run(arguments, common, output),
        Command::Sample(arguments) => sample::run(arguments, common, output),
        Command::Bench(arguments) => bench::run(arguments, common, output),
    }
}

/// Help and version are answers; the rest is said as clap says it, or in JSON.
fn not_understood(error: &clap::Error, wants_json: bool, output: &mut Output<'_>) -> Result<Exit, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        output.text(&error.render().to_string())?;
        return Ok(Exit::Done);
    }
    let text = error.render().to_string();
    if !wants_json {
        output.complain(text.trim_end());
        return Ok(Exit::Failed);
    }
    Err(Failure::Trouble(Box::new(usage_trouble(error, &text))))
}

fn usage_trouble(error: &clap::Error, text: &str) -> Trouble {
    use clap::error::{ContextKind, ContextValue};
    let strings = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => Vec::new(),
    };
    let given = [ContextKind::InvalidValue, ContextKind::InvalidSubcommand, ContextKind::InvalidArg];
    let named = [
        ContextKind::ValidValue,
        ContextKind::ValidSubcommand,
        ContextKind::SuggestedValue,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
    ];
    let first: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let mut exists: Vec<String> = Vec::new();
    for name in named.into_iter().flat_map(strings) {
        if !exists.contains(&name) {
            exists.push(name);
        }
    }
    Trouble {
        what: first.join(" ").trim_start_matches("error: ").to_owned(),
        given: given.into_iter().flat_map(strings).next(),
        exists,
        hint: Some("`timeglass --help` lists the commands, `timeglass COMMAND --help` their options".into()),
        lines: Vec::new(),
    }
}

fn command_names() -> Vec<Arc<str>> {
    Arguments::command().get_subcommands().map(|command| command.get_name().into()).collect()
}

/// Writes one JSON document for machines.
pub(crate) fn write_json(output: &mut Output<'_>, value: &Json) -> Result<(), Failure> {
    output.line(&value.to_pretty())
}
