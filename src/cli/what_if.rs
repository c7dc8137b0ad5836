//! `timeglass what-if`: a stream's history as it could have been, beside what was recorded.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{
        Common, Exit,
        attend::{attended, spaced},
        diff::line,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        reducer::{Chosen, ReducerArgument},
        table::{plural, printable},
        write_json,
    },
    model::{Change, Json, StreamName, StreamVersion},
    replay::{
        Branch, BranchEvents, BranchReducer, Comparison, Content, Edit, EditKind, EventHead, EventRef,
        History, MOVED, OnFailure, Pair, Plan, Reducer, StreamEvents, Truth, compensation, siblings,
        test_case,
    },
    work::Work,
};

/// Show what a stream's state would be if its events were others; exit status 1 if it would be another
///
/// Recorded decisions are not made again: the events after a change are those that were recorded.
/// Nothing is written to the store.
///
/// A FILE.json holds an event: `{"type": "OrderPaid", "data": {…}, "metadata": {…}}`. For `--edit`, what
/// it does not name stays as recorded; a line of `timeglass events --ndjson` will do as well.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: String,
    /// Leave out the event of this version
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    leave_out: Vec<i64>,
    /// Let the event of this version say what the file says
    #[arg(long, value_name = "VERSION=FILE.json", allow_hyphen_values = true)]
    edit: Vec<String>,
    /// Insert the event of the file after that of this version, or `start`
    #[arg(long, value_name = "VERSION=FILE.json", allow_hyphen_values = true)]
    insert_after: Vec<String>,
    /// Move the event of a version to after that of another, or `start`
    #[arg(long = "move", value_name = "VERSION:AFTER", allow_hyphen_values = true)]
    moves: Vec<String>,
    #[command(flatten)]
    reducer: ReducerArgument,
    /// Make the states of the branch with this reducer instead
    #[arg(long, value_name = "FILE")]
    with_reducer: Option<PathBuf>,
    /// Answer with suggestions for compensating events, or with the branch as a test case, in JSON
    #[arg(long, value_name = "WHAT", value_parser = ["compensate", "case"])]
    export: Option<String>,
}

/// Memory for the states of a history while it is compared.
const KEYFRAME_BYTES: usize = 64 << 20;

/// A branch, and the truth beside it.
struct Made {
    branch: Branch,
    plan: Plan,
    pair: Pair,
    truth: TruthOf,
    /// What makes the states of the branch.
    chosen: Chosen,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let stream = opened.choice().stream(&arguments.stream)?;
    if arguments.changes_nothing() {
        return Err(Failure::trouble("nothing is to be changed, so there is nothing to compare").hint(
            "give at least one of `--leave-out`, `--edit`, `--insert-after`, `--move` and `--with-reducer`",
        ));
    }
    let made = arguments.make(&opened, stream, output)?;
    let comparison = attended(output, ("comparing", "events"), |work| made.pair.compare(work))?;
    let work = output.work();
    match arguments.export.as_deref() {
        Some("case") => write_json(output, &test_case(&made.branch, &made.plan, &made.pair, &work)?)?,
        Some(_) => {
            let others = siblings(&opened.store, &opened.index, stream, made.pair.truth());
            write_json(output, &compensation(&made.branch, &made.pair, &others, &work)?)?;
        }
        None if common.json => write_json(output, &made.to_json(&comparison))?,
        None => made.write(&comparison, output)?,
    }
    Ok(if comparison.parts_at.is_none() { Exit::Done } else { Exit::No })
}

/// The heads of a stream's events, for naming them.
struct TruthOf {
    heads: Vec<EventHead>,
}

impl TruthOf {
    fn new(opened: &Opened, stream: u32) -> Self {
        let head = |ordinal: &u32| {
            let row = opened.index.row(*ordinal);
            row.map(|row| EventHead {
                version: row.version,
                event_type: opened.index.type_name(row.event_type).cloned().unwrap_or_default(),
                time: row.time,
            })
        };
        let ordinals = opened.index.stream_events(stream);
        Self { heads: ordinals.iter().map(|ordinal| head(ordinal).unwrap_or_default()).collect() }
    }

    fn ask<T>(&self, ask: impl FnOnce(&Truth<'_>) -> T) -> T {
        let head = |count: usize| self.heads.get(count.checked_sub(1)?).cloned();
        ask(&Truth { len: self.heads.len(), head: &head })
    }

    /// The event of a version.
    fn event(&self, version: i64) -> Result<EventRef, Failure> {
        let count = self.ask(|truth| truth.count_of_version(StreamVersion(version)));
        if let Some(event) = count.and_then(|count| self.ask(|truth| truth.name(count))) {
            return Ok(event);
        }
        let versions = || self.heads.iter().filter_map(|head| head.version);
        let span = versions().min().zip(versions().max());
        let failure =
            Failure::trouble(format!("there is no event of version {version}")).given(version.to_string());
        Err(match span {
            Some((first, last)) => failure
                .exists([format!("versions {first} to {last}")])
                .hint(format!("give a version from {first} to {last}")),
            None => failure.hint("the events of this stream have no versions, so none can be named"),
        })
    }

    /// The event of a version as typed, or nothing for the start.
    fn event_or_start(&self, text: &str) -> Result<Option<EventRef>, Failure> {
        if text.trim() == "start" {
            return Ok(None);
        }
        self.event(number(text)?).map(Some)
    }

    /// What is said of a count, in the answer.
    fn place(&self, count: usize) -> Json {
        let head = count.checked_sub(1).and_then(|place| self.heads.get(place));
        Json::object([
            ("version", Json::from(head.and_then(|head| head.version).map(|version| version.0))),
            ("type", Json::from(head.map(|head| Arc::clone(&head.event_type)))),
        ])
    }
}

fn number(text: &str) -> Result<i64, Failure> {
    text.trim().parse().map_err(|error| {
        Failure::trouble(format!("`{text}` is no version: {error}"))
            .given(text)
            .hint("write `--edit 3=event.json`, `--insert-after 3=event.json` or `--move 3:1`; `start` stands before the first event")
    })
}

/// The two parts of `3=event.json` or `3:1`.
fn parts<'t>(text: &'t str, sign: char, example: &str) -> Result<(&'t str, &'t str), Failure> {
    text.split_once(sign).ok_or_else(|| {
        Failure::trouble(format!("`{text}` has no `{sign}`")).given(text).hint(format!("write `{example}`"))
    })
}

impl Arguments {
    fn changes_nothing(&self) -> bool {
        let edits = [&self.edit, &self.insert_after, &self.moves];
        self.leave_out.is_empty() && edits.iter().all(|edits| edits.is_empty()) && self.with_reducer.is_none()
    }

    fn make(&self, opened: &Opened, stream: u32, output: &mut Output<'_>) -> Result<Made, Failure> {
        let truth = TruthOf::new(opened, stream);
        let info = opened.index.stream(stream);
        let own = self.reducer.choose(opened, stream, output)?;
        let recorded = history_of(opened, stream, (&own.reducer, own.on_failure));
        let branch = Branch {
            name: "what-if".into(),
            stream: info.map(|info| info.name.full()).unwrap_or_default(),
            reducer: match &self.with_reducer {
                Some(path) => BranchReducer::File(path.display().to_string().into()),
                None => BranchReducer::Same,
            },
            edits: self.edits(&truth, &recorded, &output.work())?,
        };
        // Each edit was made of this very truth, so each fits.
        let (plan, _) = truth.ask(|truth| Plan::of(&branch.edits, truth));
        let chosen = match &self.with_reducer {
            Some(path) => {
                let other = ReducerArgument { reducer: Some(path.clone()) };
                other.choose(opened, stream, output)?
            }
            None => own.clone(),
        };
        let is_same = Arc::ptr_eq(&chosen.reducer, &own.reducer);
        let name = info
            .map(|info| Arc::clone(&info.name))
            .unwrap_or_else(|| Arc::new(StreamName::plain(&branch.stream)));
        let events = BranchEvents::new(Arc::clone(recorded.events()), name, Arc::new(plan.clone()));
        let reducer = Arc::clone(&chosen.reducer);
        let other = Arc::new(History::new(Arc::new(events), reducer, chosen.on_failure, KEYFRAME_BYTES));
        let pair = Pair {
            sides: [recorded, other],
            alignment: Arc::new(plan.alignment()),
            shared: if is_same { plan.untouched() } else { 0 },
        };
        Ok(Made { branch, plan, pair, truth, chosen })
    }

    fn edits(&self, truth: &TruthOf, recorded: &History, work: &Work) -> Result<Vec<Edit>, Failure> {
        let mut kinds = Vec::new();
        for version in &self.leave_out {
            kinds.push(EditKind::LeaveOut(truth.event(*version)?));
        }
        for text in &self.edit {
            let (version, file) = parts(text, '=', "--edit 3=event.json")?;
            let event = truth.event(number(version)?)?;
            let before = recorded.step_at(event.count, work)?.event;
            let before = before.as_ref().map(Content::of).unwrap_or_default();
            kinds.push(EditKind::Replace { event, content: content(Path::new(file), before)? });
        }
        for text in &self.insert_after {
            let (version, file) = parts(text, '=', "--insert-after 3=event.json")?;
            let after = truth.event_or_start(version)?;
            let content = content(Path::new(file), Content::default())?;
            if content.event_type.is_empty() {
                return Err(Failure::trouble(format!("the event in {file} has no type"))
                    .given(file)
                    .hint(EVENT_FORM));
            }
            kinds.push(EditKind::Insert { after, content });
        }
        for text in &self.moves {
            let (version, after) = parts(text, ':', "--move 3:1")?;
            let (event, after) = (truth.event(number(version)?)?, truth.event_or_start(after)?);
            kinds.push(EditKind::Move { event, after });
        }
        Ok(kinds.into_iter().map(|kind| Edit { is_on: true, kind }).collect())
    }
}

const EVENT_FORM: &str = "write the event as {\"type\": \"OrderPaid\", \"data\": {…}, \"metadata\": {…}}";

/// Members of `timeglass events --ndjson` that say where an event is, and not what it says.
const KNOWN: [&str; 11] = [
    "position",
    "stream",
    "category",
    "id",
    "version",
    "schema_version",
    "time",
    "event_id",
    "correlation_id",
    "causation_id",
    "actor",
];

/// What the file says; what it does not name is as in `before`.
fn content(path: &Path, before: Content) -> Result<Content, Failure> {
    let shown = path.display().to_string();
    let wrong = |what: String| Failure::trouble(what).given(&shown).hint(EVENT_FORM);
    let text = std::fs::read(path).map_err(|error| wrong(format!("{shown} cannot be read: {error}")))?;
    let json = Json::parse(&text).map_err(|error| wrong(format!("{shown} is no JSON: {error}")))?;
    let Some(object) = json.as_object() else {
        return Err(wrong(format!("{shown} holds no event")));
    };
    let mut content = before;
    for (name, value) in object.iter() {
        match &**name {
            "type" => {
                let text = value.as_text().ok_or_else(|| wrong(format!("the type in {shown} is no text")))?;
                content.event_type = text.into();
            }
            "data" => content.data = value.clone(),
            "metadata" => content.metadata = value.clone(),
            other if KNOWN.contains(&other) => (),
            other => return Err(wrong(format!("`{other}` in {shown} is no part of an event"))),
        }
    }
    Ok(content)
}

fn history_of(
    opened: &Opened,
    stream: u32,
    (reducer, on_failure): (&Arc<dyn Reducer>, OnFailure),
) -> Arc<History> {
    let events = StreamEvents::new(Arc::clone(&opened.store), Arc::clone(&opened.index), stream);
    Arc::new(History::new(Arc::new(events), Arc::clone(reducer), on_failure, KEYFRAME_BYTES))
}

impl Made {
    fn to_json(&self, found: &Comparison) -> Json {
        let [truth, branch] = &found.end;
        let edits = self.branch.edits.iter().map(|edit| edit.kind.to_json());
        Json::object([
            ("stream", Json::from(Arc::clone(&self.branch.stream))),
            ("reducer", Json::from(self.pair.branch().reducer().name())),
            ("edits", Json::array(edits)),
            ("parts_at", Json::from(found.parts_at.map(|step| self.parting(found, step)))),
            ("steps", Json::from(found.alignment.len())),
            ("steps_differing", Json::from(found.differing)),
            ("truth", truth.clone()),
            ("branch", branch.clone()),
            ("diff", Json::array(found.at_end.iter().map(Change::to_json))),
            ("failed", Json::array(self.failed(found))),
        ])
    }

    /// The event of the truth at which they part, and how many of each lie behind.
    fn parting(&self, found: &Comparison, step: usize) -> Json {
        let (truth, branch) = found.alignment.at(step);
        let place = self.truth.place(truth);
        let own = place.as_object().into_iter().flat_map(|object| object.iter());
        let counts = [("truth_events", truth), ("branch_events", branch)];
        Json::object(
            own.map(|(name, value)| (Arc::clone(name), value.clone()))
                .chain(counts.map(|(name, count)| (Arc::from(name), Json::from(count)))),
        )
    }

    /// The events of the branch that could not be applied.
    fn failed(&self, found: &Comparison) -> Vec<Json> {
        let [_, failed] = &found.failed;
        let failed = failed.iter().map(|(count, failure)| {
            let step = self.pair.branch().step_at(*count, &Work::default()).ok();
            let event = step.and_then(|step| step.event);
            let version = event.as_ref().and_then(|event| event.version).map(|version| version.0);
            Json::object([
                ("version", Json::from(version)),
                ("type", Json::from(event.map(|event| event.event_type))),
                ("message", Json::from(Arc::clone(&failure.message))),
                ("line", Json::from(failure.line.map(i64::from))),
                ("column", Json::from(failure.column.map(i64::from))),
            ])
        });
        failed.collect()
    }

    fn write(&self, found: &Comparison, output: &mut Output<'_>) -> Result<(), Failure> {
        output.line(&printable(&format!(
            "{}: {}",
            self.branch.stream,
            self.pair.branch().reducer().name()
        )))?;
        for edit in &self.branch.edits {
            output.line(&printable(&format!("  {}", edit.kind)))?;
        }
        match found.parts_at {
            None => output.line("the same state at every step")?,
            Some(step) => {
                let (truth, _) = found.alignment.at(step);
                let place = match self.truth.ask(|of| of.name(truth)) {
                    Some(event) => format!("at {event}"),
                    None => "at the start".to_owned(),
                };
                let steps = plural(found.differing, "step");
                let [differing, all] =
                    [found.differing, found.alignment.len()].map(|count| spaced(count as u64));
                let moved = if self.branch.has_moves() { MOVED } else { "" };
                output.line(&printable(&format!(
                    "parts from what was recorded {place}; {differing} {steps} of {all} differ{moved}"
                )))?;
            }
        }
        if found.at_end.is_empty() {
            output.line("at the end, no difference")?;
        } else {
            output.line("at the end, recorded → what-if:")?;
            found.at_end.iter().try_for_each(|change| output.line(&format!("  {}", line(change))))?;
        }
        let [_, failed] = &found.failed;
        for (count, failure) in failed {
            let shown = self.chosen.shown(failure);
            output.remark(&format!("event {count} of the branch was not applied: {shown}"));
        }
        output.remark(
            "recorded decisions are not made again: events after a change are those that were recorded",
        );
        Ok(())
    }
}
