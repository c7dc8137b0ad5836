//! `timeglass project`: a projection run over the events of a store or a file, step by step if wanted.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{
        Common, Exit,
        attend::Attendant,
        choose::position_like,
        failure::Failure,
        open,
        output::Output,
        project_rebuild,
        table::{counted, printable},
        write_json,
    },
    model::{EventQuery, GlobalPosition, Json},
    script::{Case, EngineVersion, Envelope, LoadError, Options, Runner, Script, Step, excerpt},
    store::{EventStore, PageFrom},
};

/// Run a projection over the events of a store or a file
///
/// The projection is JavaScript in the dialect of `KurrentDB`, or SQL statements by event type in a file that
/// ends with `.sql`. A run ends at the first fault.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The projection's source, JavaScript or SQL
    #[arg(value_name = "FILE", required_unless_present = "case")]
    script: Option<PathBuf>,
    /// Event store
    #[arg(required_unless_present_any = ["case", "events"], conflicts_with = "events")]
    pub(crate) store: Option<PathBuf>,
    /// Take the events from this file instead, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Run a conformance case: source, events, engine, options and stored state in one file
    #[arg(long, value_name = "CASE", conflicts_with_all = ["script", "store", "events", "until", "engine"])]
    case: Option<PathBuf>,
    /// The engine version whose rules hold [default: 2; for a read model, what the project file says]
    #[arg(long, value_parser = engine)]
    pub(crate) engine: Option<EngineVersion>,
    /// Only events up to this global position
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,
    /// Print each step, one JSON object a line
    #[arg(long)]
    steps: bool,
    /// Write the read model and the history of its rows into this SQLite file; goes on with one made before
    #[arg(long, value_name = "SCRATCH", conflicts_with_all = ["case", "events", "steps"])]
    pub(crate) out: Option<PathBuf>,
    /// Which of the projections that an SQL file defines [default: all]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["case", "events", "steps"])]
    pub(crate) projection: Option<String>,
}

fn engine(text: &str) -> Result<EngineVersion, String> {
    let version = text.parse().ok().and_then(EngineVersion::from_number);
    version.ok_or_else(|| "there are engine versions 1 and 2".to_owned())
}

/// So many events are in memory at once, however many there are.
const PAGE: usize = 500;

/// So many letters of a state are shown to people; machines get all of it.
const PREVIEW: usize = 100;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let mut options = Options { engine: arguments.engine.unwrap_or_default(), ..Options::default() };
    let mut case = None;
    let path = arguments.case.as_deref().or(arguments.script.as_deref()).unwrap_or_else(|| Path::new(""));
    let mut source = read(path)?;
    if arguments.case.is_some() {
        let read = read_case(path, &source)?;
        options = read.options.clone();
        source = read.source.to_string();
        case = Some(read);
    }
    let is_sql = case.is_none() && project_rebuild::is_sql(path);
    if is_sql && (arguments.steps || arguments.events.is_some()) {
        return Err(Failure::trouble("a projection in SQL has no steps, and takes the events of a store")
            .given(path.to_string_lossy())
            .hint("name a store, and leave out `--steps` and `--events`"));
    }
    // A read model, in either language: what the project file says of engine and limits holds from the start.
    if is_sql || (case.is_none() && arguments.out.is_some()) {
        return project_rebuild::run((path, &source), arguments, common, output);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let work = output.work();
    let loaded = Script::load(&name, &source, &options, &work);
    let runner = loaded.and_then(|script| Runner::start(&script, &work));
    let runner = match runner {
        Ok(runner) => runner,
        Err(err) => return does_not_load(&err, &source, arguments, common, output),
    };
    let mut run = Run { runner, source: &source, prints_steps: arguments.steps, tally: Tally::default() };
    match (case, &arguments.events, &arguments.store) {
        (Some(case), _, _) => run.case(&case, output)?,
        (None, Some(events), _) => run.file(events, arguments.until.as_deref(), output)?,
        (None, None, Some(store)) => {
            let store = open::store(store, common, output)?;
            run.store(&*store, arguments.until.as_deref(), output)?;
        }
        (None, None, None) => {
            return Err(Failure::trouble("there are no events").hint("name a store, or use --events"));
        }
    }
    run.finish(common, output)
}

fn read(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|err| {
        Failure::trouble(format!("{} cannot be read: {err}", path.display())).given(path.to_string_lossy())
    })?;
    String::from_utf8(bytes).map_err(|err| {
        Failure::trouble(format!("{} is not UTF-8 text: {err}", path.display())).given(path.to_string_lossy())
    })
}

fn read_case(path: &Path, text: &str) -> Result<Case, Failure> {
    let json = Json::parse(text.as_bytes()).map_err(|err| err.to_string());
    json.and_then(|json| Case::from_json(&json)).map_err(|why| {
        Failure::trouble(format!("{} is no conformance case: {why}", path.display()))
            .given(path.to_string_lossy())
            .hint("a case has `source`, `events` and `engineVersion`")
    })
}

/// Machines get one line, as the contract says; people get the place with its lines.
pub(crate) fn does_not_load(
    err: &LoadError,
    source: &str,
    arguments: &Arguments,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    if arguments.steps || common.json {
        let failure = &err.failure;
        let line = Json::object([
            ("compile", Json::from(err.kind.name())),
            ("message", Json::from(std::sync::Arc::clone(&failure.message))),
            ("line", Json::from(failure.line.map(i64::from))),
            ("column", Json::from(failure.column.map(i64::from))),
        ]);
        output.line(&line.to_compact())?;
    } else {
        output.complain(&format!("error: {}", printable_lines(&excerpt(source, &err.failure))));
    }
    Ok(Exit::Failed)
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// What a run came to.
#[derive(Default)]
struct Tally {
    events: usize,
    emitted: usize,
    /// The fault that ended it, with the event.
    fault: Option<(String, Box<crate::script::Faulted>)>,
}

struct Run<'a> {
    runner: Runner,
    source: &'a str,
    prints_steps: bool,
    tally: Tally,
}

impl Run<'_> {
    /// Feeds one event; tells whether the run goes on.
    fn feed(&mut self, event: &Arc<Envelope>, output: &mut Output<'_>) -> Result<bool, Failure> {
        let step = self.runner.feed(event);
        self.tally.events += 1;
        if self.prints_steps {
            output.line(&step.to_json().to_compact())?;
        }
        match step {
            Step::Processed(step) => self.tally.emitted += step.emitted.len(),
            Step::Skipped(_) => {}
            Step::Faulted(fault) => {
                self.tally.emitted += fault.emitted.len();
                self.tally.fault = Some((event.label(), fault));
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn case(&mut self, case: &Case, output: &mut Output<'_>) -> Result<(), Failure> {
        for (partition, text) in &case.initial_state {
            self.runner
                .set_state_text(partition, text)
                .map_err(|err| Failure::trouble(format!("initialState of `{partition}`: {err}")))?;
        }
        for event in &case.events {
            if !self.feed(event, output)? {
                break;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, until: Option<&str>, output: &mut Output<'_>) -> Result<(), Failure> {
        let failed = |line: usize, why: &dyn std::fmt::Display| {
            Failure::trouble(format!("{}, line {line}: {why}", path.display())).given(path.to_string_lossy())
        };
        let file = File::open(path).map_err(|err| {
            Failure::trouble(format!("{} cannot be read: {err}", path.display()))
                .given(path.to_string_lossy())
        })?;
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            let line = line.map_err(|err| failed(number, &err))?;
            if line.trim().is_empty() {
                continue;
            }
            let json = Json::parse(line.as_bytes()).map_err(|err| failed(number, &err))?;
            if until.is_some_and(|until| is_beyond(&json, until)) {
                break;
            }
            let event = if json.get("eventType").is_some() {
                Envelope::from_case(&json)
            } else {
                Envelope::from_listing(&json)
            };
            let event = Arc::new(event.map_err(|why| failed(number, &why))?);
            if !self.feed(&event, output)? {
                break;
            }
        }
        Ok(())
    }

    fn store(
        &mut self,
        store: &dyn EventStore,
        until: Option<&str>,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let work = output.work();
        work.expect_total(store.about_how_many(&work, None)?.unwrap_or_default());
        let mut attendant = Attendant::new(("running over about", "events"));
        let mut from = PageFrom::Start;
        let mut last_wanted: Option<GlobalPosition> = None;
        loop {
            let page = store.page(&work, &EventQuery::default(), &from, PAGE)?;
            if let (None, Some(until)) = (&last_wanted, until) {
                let example = page.first().and_then(|event| event.position.as_ref());
                last_wanted = Some(position_like(example, until)?);
            }
            for event in &page {
                let is_beyond =
                    last_wanted.as_ref().zip(event.position.as_ref()).is_some_and(|(last, at)| at > last);
                if is_beyond || !self.feed(&Arc::new(Envelope::from(event)), output)? {
                    return Ok(());
                }
            }
            if until.is_none() {
                attendant.announce(&work, output);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => from = PageFrom::After(last.key.clone()),
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn finish(mut self, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
        if self.prints_steps {
            return Ok(Exit::Done);
        }
        let exit = if self.tally.fault.is_some() { Exit::No } else { Exit::Done };
        if common.json {
            write_json(output, &self.summary())?;
            return Ok(exit);
        }
        for (partition, state) in self.runner.states() {
            let name = if partition.is_empty() { "(all)" } else { &**partition };
            output.line(&format!("{}  {}", printable(name), printable(&state.to_preview(PREVIEW))))?;
        }
        if let Some(shared) = self.runner.shared_state() {
            output.line(&format!("(shared)  {}", printable(&shared.to_preview(PREVIEW))))?;
        }
        if let Some((event, fault)) = &self.tally.fault {
            let shown = excerpt(self.source, &fault.failure);
            output.complain(&printable_lines(&format!("{}: {event}\n{shown}", fault.fault.name())));
        }
        output.remark(&format!(
            "{}, {} written",
            counted(self.tally.events, "event"),
            counted(self.tally.emitted, "event")
        ));
        Ok(exit)
    }

    fn summary(&mut self) -> Json {
        let states =
            self.runner.states().map(|(partition, state)| (std::sync::Arc::clone(partition), state.clone()));
        let fault = self.tally.fault.iter().map(|(event, fault)| {
            let mut members = vec![("event", Json::from(event.clone()))];
            members.push(("fault", Json::from(fault.fault.name())));
            members.push(("partition", Json::from(fault.partition.clone())));
            members.push(("message", Json::from(std::sync::Arc::clone(&fault.failure.message))));
            members.push(("line", Json::from(fault.failure.line.map(i64::from))));
            members.push(("column", Json::from(fault.failure.column.map(i64::from))));
            Json::object(members)
        });
        Json::object([
            ("partitions", Json::object(states)),
            ("shared", self.runner.shared_state().cloned().unwrap_or_default()),
            ("emitted", Json::from(self.tally.emitted)),
            ("faults", Json::array(fault)),
            ("events", Json::from(self.tally.events)),
        ])
    }
}

/// Whether the event stands after that position; one without a position does not.
fn is_beyond(event: &Json, until: &str) -> bool {
    match event.get("position") {
        Some(Json::Number(number)) => {
            number.as_i64().zip(until.trim().parse::<i64>().ok()).is_some_and(|(at, last)| at > last)
        }
        Some(Json::Text(text)) => &**text > until,
        _ => false,
    }
}
