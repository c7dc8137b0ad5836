//! How many events a second projections in JavaScript take, beside the runtime whose dialect they are written in.
//!
//! Both inputs and sources of that runtime's own benchmark are made here, event by event the same, and the
//! results are checked against what it ends with. Then a reducer is folded over one long stream, beside the
//! bare engine that is fed the same events. `../README.md` says how to run it and what the lines mean.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod accounts;
mod bare;
mod folding;
mod inputs;

use std::{
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use inputs::{Expected, Workload};
use timeglass::{
    model::Json,
    projection::{Definition, Outputs, ReadModel, RebuildOptions, Scratch, rebuild},
    script::{Envelope, Options, Runner, Script, Step},
    store::{
        EventStore,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs of each line; the median counts, and the least processor time.
const ROUNDS: usize = 3;

/// Events that another run is fed before, to warm up.
const WARM_UP: usize = 5000;

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    println!("| Projection | What | Events/s | Per second of processor | Times the peer | By processor |");
    println!("|---|---|---|---|---|---|");
    for workload in [inputs::counter(), inputs::orders()] {
        let envelopes: Vec<Arc<Envelope>> =
            workload.lines.iter().map(|line| envelope(line)).collect::<Outcome<_>>()?;
        let fed = measured(|events| in_memory(&workload, &envelopes, events))?;
        report(&workload, "fed from memory", &fed);
        let by_lines = measured(|events| line_by_line(&workload, events))?;
        report(&workload, "a line of JSON in, a line of JSON out", &by_lines);
        let store = stored(&workload)?;
        let plain = measured(|_| rebuilt(&workload, &*store, true))?;
        report(&workload, "rebuilt from a store", &plain);
        let kept = measured(|_| rebuilt(&workload, &*store, false))?;
        report(&workload, "rebuilt with every state kept", &kept);
    }
    folding::compare()?;
    against_the_peer()
}

/// The peer itself, where its package is installed; its recorded figures are in `README.md`.
fn against_the_peer() -> Outcome<()> {
    let Some(script) = std::env::var_os("PEER") else {
        println!(
            "\nThe peer is not run here: PEER names no script; the quotients are to its recorded figures."
        );
        return Ok(());
    };
    for name in ["counter", "orders"] {
        let ran = std::process::Command::new("node").arg(&script).args(["--one", name, "feed"]).output()?;
        println!(
            "\nThe peer, {name}: {}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    Ok(())
}

fn envelope(line: &str) -> Outcome<Arc<Envelope>> {
    Ok(Arc::new(Envelope::from_case(&Json::parse(line.as_bytes())?)?))
}

/// What one run took.
struct Taken {
    wall: Duration,
    processor: Option<Duration>,
}

/// The median by the clock, and the least of the processor.
fn measured(run: impl Fn(usize) -> Outcome<Taken>) -> Outcome<Taken> {
    run(WARM_UP)?;
    let mut runs: Vec<Taken> = (0..ROUNDS).map(|_| run(usize::MAX)).collect::<Outcome<_>>()?;
    runs.sort_by_key(|run| run.wall);
    let processor = runs.iter().filter_map(|run| run.processor).min();
    let middle = runs.get(ROUNDS / 2).ok_or("no run")?;
    Ok(Taken { wall: middle.wall, processor })
}

fn timed(run: impl FnOnce() -> Outcome<()>) -> Outcome<Taken> {
    let (started, before) = (Instant::now(), processor_time());
    run()?;
    let processor = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    Ok(Taken { wall: started.elapsed(), processor })
}

/// What the thread took of the processor, where the system says so.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn runner(workload: &Workload) -> Outcome<Runner> {
    let work = Work::default();
    let failed = |err: timeglass::script::LoadError| err.to_string();
    let script = Script::load(workload.name, workload.source, &Options::default(), &work).map_err(failed)?;
    Ok(Runner::start(&script, &work).map_err(failed)?)
}

/// What the steps of a run came to.
#[derive(Default)]
struct Tally {
    processed: usize,
    skipped: usize,
    emitted: usize,
    last: Json,
}

impl Tally {
    fn add(&mut self, step: Step) -> Outcome<()> {
        match step {
            Step::Processed(step) => {
                self.processed += 1;
                self.emitted += step.emitted.len();
                self.last = step.state;
            }
            Step::Skipped(_) => self.skipped += 1,
            Step::Faulted(fault) => return Err(fault.failure.to_string().into()),
        }
        Ok(())
    }

    /// Fails unless the run ended as the peer's does.
    fn check(&self, expected: &Expected) -> Outcome<()> {
        let counts = (self.processed, self.skipped, self.emitted);
        if counts != (expected.processed, expected.skipped, expected.emitted) {
            return Err(format!("processed, skipped, emitted: {counts:?}").into());
        }
        for (name, value) in expected.last {
            let found = self.last.get(name).map(Json::to_compact);
            if found.as_deref() != Some(*value) {
                return Err(format!("the last state has {name}: {found:?} and not {value}").into());
            }
        }
        Ok(())
    }
}

fn in_memory(workload: &Workload, envelopes: &[Arc<Envelope>], most: usize) -> Outcome<Taken> {
    let mut runner = runner(workload)?;
    let mut tally = Tally::default();
    let taken = timed(|| envelopes.iter().take(most).try_for_each(|event| tally.add(runner.feed(event))))?;
    if most >= envelopes.len() {
        tally.check(&workload.expected)?;
    }
    Ok(taken)
}

fn line_by_line(workload: &Workload, most: usize) -> Outcome<Taken> {
    let mut runner = runner(workload)?;
    let mut tally = Tally::default();
    let taken = timed(|| {
        workload.lines.iter().take(most).try_for_each(|line| {
            let step = runner.feed(&envelope(line)?);
            black_box(step.to_json().to_compact());
            tally.add(step)
        })
    })?;
    if most >= workload.lines.len() {
        tally.check(&workload.expected)?;
    }
    Ok(taken)
}

/// The same events in a store, made once and kept among the build's files.
fn stored(workload: &Workload) -> Outcome<Box<dyn EventStore>> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("javascript-{}.sqlite", workload.name));
    if !path.exists() {
        write_store(&path, workload)?;
    }
    match SqliteStore::open(&path, None, &Work::default())? {
        Opened::Found { store, .. } => Ok(store as Box<dyn EventStore>),
        Opened::NotFound { .. } => Err("the generated store has no events".into()),
    }
}

fn write_store(path: &Path, workload: &Workload) -> Outcome<()> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, \
         type TEXT NOT NULL, event_id TEXT NOT NULL, recorded_at TEXT NOT NULL, data TEXT NOT NULL, \
         metadata TEXT, UNIQUE (stream, version))",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert =
            transaction.prepare("INSERT INTO events VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for line in &workload.lines {
            let event = Json::parse(line.as_bytes())?;
            let text = |name: &str| event.get(name).and_then(Json::as_text);
            let version = match event.get("sequenceNumber") {
                Some(Json::Number(number)) => number.as_i64(),
                _ => None,
            };
            insert.execute(rusqlite::params![
                text("streamId"),
                version,
                text("eventType"),
                text("eventId"),
                text("created"),
                text("data"),
                text("metadata"),
            ])?;
        }
    }
    Ok(transaction.commit()?)
}

/// A rebuild into a database of its own, with all that the projection writes.
fn rebuilt(workload: &Workload, store: &dyn EventStore, without_history: bool) -> Outcome<Taken> {
    let (work, scratch) = (Work::default(), Scratch::temporary()?);
    let file = format!("{}.js", workload.name);
    let definitions = Definition::parse(Path::new(&file), workload.source, &Options::default())?;
    let definition = definitions.first().ok_or("no definition")?;
    let options = RebuildOptions { without_history, ..RebuildOptions::default() };
    let taken = timed(|| Ok(rebuild(&work, store, definition, &scratch, &options).map(drop)?))?;
    let model = ReadModel::open(&scratch, definition)?;
    let emitted = Outputs::of(&model).counts(&work, None)?.emitted;
    let found = (model.progress().handled, emitted);
    let expected = (workload.expected.processed as u64, workload.expected.emitted as u64);
    if found != expected {
        return Err(format!("handled, emitted: {found:?} and not {expected:?}").into());
    }
    Ok(taken)
}

fn report(workload: &Workload, what: &str, taken: &Taken) {
    let events = workload.lines.len() as f64;
    let wall = events / taken.wall.as_secs_f64();
    let by_processor = taken.processor.map(|time| events / time.as_secs_f64());
    let shown = |number: Option<f64>| number.map_or_else(String::new, |number| format!("{number:.0}"));
    let times = |number: Option<f64>| number.map_or_else(String::new, |number| format!("{number:.2}"));
    println!(
        "| {} | {what} | {wall:.0} | {} | {:.2} | {} |",
        workload.name,
        shown(by_processor),
        wall / workload.peer.wall,
        times(by_processor.map(|rate| rate / workload.peer.processor)),
    );
}
