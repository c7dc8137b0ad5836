//! `timeglass state`: a stream's state at a version, a time or a position.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit,
        attend::attended,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        reducer::{Chosen, ReducerArgument},
        table::{counted, printable},
        write_json,
    },
    model::{Json, Timestamp},
    replay::{Folded, StreamEvents, fold_by_rows},
};

/// Show a stream's state at a version, a time or a position; without one of them, its last state
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: String,
    #[command(flatten)]
    point: Point,
    #[command(flatten)]
    reducer: ReducerArgument,
}

/// A point in a stream's history.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Point {
    /// After the event of this stream version
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    version: Option<i64>,
    /// As of this time; a date means the end of its day
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// As of this global position
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    position: Option<String>,
}

impl Point {
    /// How many of a stream's events lie behind the point; without a point, all.
    pub(crate) fn count(&self, opened: &Opened, stream: u32) -> Result<usize, Failure> {
        let choice = opened.choice();
        match self {
            Self { version: Some(version), .. } => choice.count_at_version(stream, *version),
            Self { as_of: Some(time), .. } => choice.count_at_time(stream, time),
            Self { position: Some(position), .. } => choice.count_at_position(stream, position),
            Self { .. } => Ok(opened.index.stream_events(stream).len()),
        }
    }

    /// What has to be said of the point, lest the answer be read as another: that events before it are later, or
    /// that there are several events of its version.
    pub(crate) fn caveat(&self, opened: &Opened, stream: u32, count: usize) -> Option<String> {
        let choice = opened.choice();
        match self {
            Self { version: Some(version), .. } => choice.doubled_version(stream, *version, count),
            Self { as_of: Some(time), .. } => choice.later_before(stream, time, count),
            Self { .. } => None,
        }
    }
}

/// So many failed steps, and so many rounded numbers, are shown; the rest is counted.
const REMARKS: usize = 10;

/// A state and how it came about.
pub(crate) struct State {
    /// What made it.
    pub(crate) chosen: Chosen,
    /// What the fold found.
    pub(crate) folded: Folded,
    /// The stream's events that lie behind, in version order.
    pub(crate) ordinals: Vec<u32>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let stream = opened.choice().stream(&arguments.stream)?;
    let count = arguments.point.count(&opened, stream)?;
    let chosen = arguments.reducer.choose(&opened, stream, output)?;
    let caveat = arguments.point.caveat(&opened, stream, count);
    let state = state_at(&opened, stream, count, chosen, output)?;
    if common.json {
        write_json(output, &state.to_json(&opened, stream, caveat))?;
    } else {
        if let Some(caveat) = caveat {
            output.complain(&format!("warning: {caveat}"));
        }
        state.write(&opened, stream, output)?;
    }
    Ok(Exit::Done)
}

/// The state of a stream after so many of its events.
pub(crate) fn state_at(
    opened: &Opened,
    stream: u32,
    count: usize,
    chosen: Chosen,
    output: &mut Output<'_>,
) -> Result<State, Failure> {
    let ordinals = opened.index.stream_events(stream).range(0..count).copied().collect();
    let events = StreamEvents::new(Arc::clone(&opened.store), Arc::clone(&opened.index), stream);
    let folded = attended(output, ("folding", "events"), |work| {
        work.expect_total(count as u64);
        fold_by_rows(&events, count, &*chosen.reducer, chosen.on_failure, work)
    })?;
    Ok(State { chosen, folded, ordinals })
}

impl State {
    fn to_json(&self, opened: &Opened, stream: u32, caveat: Option<String>) -> Json {
        let last = self.folded.last.as_ref();
        Json::object([
            ("stream", Json::from(opened.index.stream(stream).map(|info| info.name.full()))),
            ("version", Json::from(last.and_then(|event| event.version).map(|version| version.0))),
            ("position", Json::from(last.and_then(|event| event.position.clone()))),
            ("time", Json::from(last.and_then(|event| event.time).map(Timestamp::to_rfc3339))),
            ("reducer", Json::from(self.chosen.reducer.name())),
            ("applied", Json::from(self.folded.applied)),
            ("failed", self.failed_json(opened)),
            ("caveat", Json::from(caveat)),
            ("state", self.folded.state.clone()),
        ])
    }

    fn failed_json(&self, opened: &Opened) -> Json {
        Json::array(self.folded.failed.iter().map(|(count, failure)| {
            let number = |place: Option<u32>| Json::from(place.map(i64::from));
            Json::object([
                ("version", Json::from(self.version_of(opened, *count))),
                ("message", Json::from(Arc::clone(&failure.message))),
                ("line", number(failure.line)),
                ("column", number(failure.column)),
            ])
        }))
    }

    /// The version of the event that is the `count`th.
    fn version_of(&self, opened: &Opened, count: usize) -> Option<i64> {
        let ordinal = self.ordinals.get(count.checked_sub(1)?)?;
        Some(opened.index.row(*ordinal)?.version?.0)
    }

    fn write(&self, opened: &Opened, stream: u32, output: &mut Output<'_>) -> Result<(), Failure> {
        let name = opened.index.stream(stream).map(|info| info.name.full()).unwrap_or_default();
        let mut head = printable(&name);
        if let Some(last) = &self.folded.last {
            let version = last.version.map(|version| format!(" at version {version}"));
            let position = last.position.as_ref().map(|position| format!(", position {position}"));
            let time = last.time.map(|time| format!(", {}", time.to_rfc3339()));
            head.extend([version, position, time].into_iter().flatten());
        }
        output.line(&head)?;
        let applied = counted(self.folded.applied as usize, "event");
        output.line(&format!("{applied} applied; {}", printable(&self.chosen.reducer.name())))?;
        self.complain_of_failed(opened, output);
        self.tell_of_rounded(opened, output);
        self.folded.state.to_pretty().lines().try_for_each(|line| output.line(&printable(line)))
    }

    /// Says on standard error which events could not be applied, and where in the reducer.
    pub(crate) fn complain_of_failed(&self, opened: &Opened, output: &mut Output<'_>) {
        for (count, failure) in self.folded.failed.iter().take(REMARKS) {
            let event = self.event_words(opened, *count);
            output.remark(&format!("{event} was not applied: {}", self.chosen.shown(failure)));
        }
        let more = self.folded.failed.len().saturating_sub(REMARKS);
        if more > 0 {
            output.remark(&format!("{} more not applied; `--json` lists them all", counted(more, "event")));
        }
    }

    /// Says on standard error which numbers the reducer saw otherwise than they were stored.
    pub(crate) fn tell_of_rounded(&self, opened: &Opened, output: &mut Output<'_>) {
        for (count, rounding) in self.folded.rounded.iter().take(REMARKS) {
            let event = self.event_words(opened, *count);
            let path = printable(&rounding.path.to_string());
            output.remark(&format!("{event} {path}: {} became {}", rounding.stored, rounding.became));
        }
        let more = self.folded.rounded_count.saturating_sub(REMARKS);
        if more > 0 {
            output.remark(&format!("{} more rounded", counted(more, "number")));
        }
    }

    /// `version 3 (OrderPaid)`.
    fn event_words(&self, opened: &Opened, count: usize) -> String {
        let place = match self.version_of(opened, count) {
            Some(version) => format!("version {version}"),
            None => format!("event {count}"),
        };
        match self.type_of(opened, count) {
            Some(name) => format!("{place} ({})", printable(&name)),
            None => place,
        }
    }

    fn type_of(&self, opened: &Opened, count: usize) -> Option<Arc<str>> {
        let ordinal = self.ordinals.get(count.checked_sub(1)?)?;
        opened.index.type_name(opened.index.row(*ordinal)?.event_type).cloned()
    }
}
