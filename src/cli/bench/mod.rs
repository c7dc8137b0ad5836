//! `timeglass bench`: what this machine does with this store, beside what plain SQL does with it.

mod figures;
mod machine;
mod questions;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use crate::{
    cli::{
        Common, Exit, Rehearsal, WindowRequest, failure::Failure, output::Output, reducer::ReducerArgument,
        write_json,
    },
    model::Json,
    store::StoreError,
};

use figures::{Figure, bytes_in_words, write};
use questions::Asked;

/// Measure what this machine does with a store: open, index, page, seek, fold, search
///
/// Each question is asked in turns with what plain SQL would be asked for the same over one connection, if
/// there is such a thing; `quotient` is our median as a part of the other's. `read` is how many bytes were read
/// from files when it was asked first. Nothing is written to the store.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// How often everything is asked
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these groups of questions, separated by commas
    #[arg(long, value_name = "GROUPS", value_delimiter = ',', value_parser = PossibleValuesParser::new(GROUPS))]
    only: Vec<String>,
    /// Have the system forget what it holds of the file before each opening and each index (Linux)
    #[arg(long)]
    cold: bool,
    /// The text that is searched for [default: one that occurs nowhere]
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Play a session in the window instead, and measure every frame: open, scroll, filter, drag, resize and
    /// switch panels while the store is indexed, then rest
    #[arg(long, conflicts_with_all = ["rounds", "only", "cold", "text", "reducer"])]
    window: bool,
    /// How long the session in the window lasts
    #[arg(long, value_name = "N", default_value_t = 60, requires = "window", value_parser = clap::value_parser!(u32).range(5..))]
    seconds: u32,
    #[command(flatten)]
    reducer: ReducerArgument,
}

/// What can be asked, in the order in which it is.
const GROUPS: [&str; 6] = ["open", "index", "browse", "seek", "fold", "search"];

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let asked = questions::ask_all(arguments, common, output)?;
    output.progress("");
    if common.json {
        write_json(output, &to_json(arguments, &asked))?;
        return Ok(Exit::Done);
    }
    output.line(&heading(arguments, &asked))?;
    output.line("")?;
    write(&asked.figures, output)?;
    output.line("")?;
    output.line(&memory(&asked))?;
    Ok(Exit::Done)
}

impl Arguments {
    /// Whether the window is to be measured.
    pub(crate) fn is_of_window(&self) -> bool {
        self.window
    }

    /// What the window is asked for.
    pub(crate) fn rehearsal(&self, common: &Common) -> Result<WindowRequest, Failure> {
        if !self.store.exists() {
            return Err(StoreError::Missing { path: self.store.clone() }.into());
        }
        let rehearsal = Some(Rehearsal { seconds: self.seconds, json: common.json });
        let (store, project) = (Some(self.store.clone()), common.project.clone());
        Ok(WindowRequest { store, project, no_cache: true, rehearsal })
    }

    fn wants(&self, group: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == group)
    }
}

fn heading(arguments: &Arguments, asked: &Asked) -> String {
    let cache = if arguments.cold && machine::CAN_FORGET {
        "the file forgotten by the system's cache before each opening and index, else warm"
    } else {
        "the file in the system's cache as far as it fits"
    };
    format!(
        "{}: {} events in {} streams, {}; medians of {} rounds, {cache}",
        arguments.store.display(),
        asked.events,
        asked.streams,
        bytes_in_words(asked.bytes),
        arguments.rounds
    )
}

fn memory(asked: &Asked) -> String {
    let mut parts = Vec::new();
    if let Some((bytes, each)) = asked.index_bytes {
        parts.push(format!("index {} in memory, {each:.1} bytes an event", bytes_in_words(bytes)));
    }
    if let Some(keyframes) = asked.keyframe_bytes {
        parts.push(format!("states and changes of the longest stream {}", bytes_in_words(keyframes)));
    }
    if let Some(resident) = asked.resident {
        parts.push(format!("resident {} at most", bytes_in_words(resident)));
    }
    parts.join("; ")
}

fn to_json(arguments: &Arguments, asked: &Asked) -> Json {
    let index = asked.index_bytes;
    Json::object([
        ("store", Json::from(arguments.store.display().to_string())),
        ("events", Json::from(asked.events)),
        ("streams", Json::from(asked.streams)),
        ("bytes", Json::from(asked.bytes)),
        ("rounds", Json::from(u64::from(arguments.rounds))),
        ("cold", Json::from(arguments.cold && machine::CAN_FORGET)),
        ("figures", Json::array(asked.figures.iter().map(Figure::to_json))),
        ("index_bytes", Json::from(index.map(|(bytes, _)| bytes))),
        ("index_bytes_per_event", Json::from(index.map(|(_, each)| each))),
        ("keyframe_bytes", Json::from(asked.keyframe_bytes)),
        ("resident_bytes", Json::from(asked.resident)),
    ])
}
