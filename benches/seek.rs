//! What seeking in a long history costs, and asking it who wrote a value.
//!
//! One stream in a file of its own, folded once as the window folds it, then sought in at random,
//! stepped through, and asked. `README.md` beside this file says how to run it and what the lines
//! mean.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use timeglass::{
    jobs::ThreadLanes,
    model::{Failure, Json, Number, Pointer, RecordedEvent},
    replay::{Applied, Folding, History, Merge, OnFailure, Reducer, Scripted, Sequence, StreamEvents},
    sample::{self, SampleOptions, Shape},
    script::{Options, Script},
    store::{
        EventStore,
        index::Index,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Random seeks, single steps, and screens of rows measured a history.
const SEEKS: usize = 1000;

/// What the window gives to one history.
const BUDGET: usize = 256 << 20;

/// The same in JavaScript, as a user would write it.
const IN_JAVASCRIPT: &str = r"
function enter(state, event) {
  const entry = event.data.last_entry;
  state.balance = event.data.balance_cents;
  state.turnover += Math.abs(entry.amount_cents);
  state.entries.push(entry);
  if (state.entries.length > 8) state.entries.shift();
  return state;
}
fromCategory('ledger').foreachStream().when({
  $init: () => ({ turnover: 0, balance: 0, status: 'new', entries: [] }),
  AccountOpened: (state) => ({ ...state, status: 'open' }),
  MoneyDeposited: enter,
  MoneyWithdrawn: enter,
  TransferSent: enter,
  TransferReceived: enter,
})";

/// Keeps the last entries of an account: a state of about a kilobyte with eight, of more than 200
/// kilobytes with two thousand.
struct Statement(usize);

struct Keeping {
    most: usize,
    state: Json,
}

impl Reducer for Statement {
    fn name(&self) -> Arc<str> {
        format!("the last {} entries", self.0).into()
    }

    fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        let state = Json::object([("entries", Json::array([])), ("turnover", Json::from(0_u64))]);
        Ok(Box::new(Keeping { most: self.0, state }))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }
}

impl Folding for Keeping {
    fn state(&mut self) -> Json {
        self.state.clone()
    }

    fn resume(&mut self, state: &Json, _: usize) {
        self.state = state.clone();
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        let entry = event.data.json().and_then(|data| data.get("last_entry")).cloned().unwrap_or_default();
        let whole = |value: Option<&Json>| match value {
            Some(Json::Number(number)) => Number::as_i64(number).unwrap_or_default(),
            _ => 0,
        };
        let turnover = whole(self.state.get("turnover")) + whole(entry.get("amount_cents")).abs();
        let mut entries = self.state.get("entries").and_then(Json::as_array).cloned().unwrap_or_default();
        entries.push(entry);
        entries.drop_first(entries.len().saturating_sub(self.most));
        self.state = Json::object([("entries", Json::Array(entries)), ("turnover", Json::from(turnover))]);
        Ok(Applied::default())
    }
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events =
        std::env::var("TIMEGLASS_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let path = generated(events)?;
    println!("{}, one stream of {events} events\n", path.display());
    let (store, index) = opened(&path)?;
    let script = Script::load_reducer("ledger.js", IN_JAVASCRIPT, &Options::frozen(None), &Work::default())
        .map_err(|err| err.failure.to_string());
    let reducers: Vec<(&str, Arc<dyn Reducer>)> = vec![
        ("merge", Arc::new(Merge::for_category(None))),
        ("8 entries kept", Arc::new(Statement(8))),
        ("8 entries kept, JavaScript", Arc::new(Scripted::new(script?))),
        ("2 000 entries kept", Arc::new(Statement(2000))),
    ];
    let only = std::env::var("TIMEGLASS_BENCH_REDUCER").unwrap_or_default();
    println!("| Reducer | What | p50 | p99 | Longest |\n|---|---|---|---|---|");
    for (name, reducer) in reducers.into_iter().filter(|(name, _)| name.contains(&only)) {
        let sequence = StreamEvents::new(Arc::clone(&store), Arc::clone(&index), 0);
        measure(name, &reducer, Arc::new(sequence))?;
    }
    Ok(())
}

/// Folds, seeks, steps and asks.
fn measure(name: &str, reducer: &Arc<dyn Reducer>, sequence: Arc<dyn Sequence>) -> Outcome<()> {
    let work = Work::default();
    let history = History::new(sequence, Arc::clone(reducer), OnFailure::GoOn, BUDGET);
    let first = each(1, |_| Ok(history.step_ready(history.len() / 2, &work).map(keep)?))?;
    report(name, "something to show before the fold", first);
    report(name, "fold once", each(1, |_| Ok(history.fold_all(&work)?))?);
    let length = history.len();
    // Steps of a large prime visit places all over the history, and never the same twice.
    let place = |number: usize| number * 500_009 % (length + 1);
    report(name, "start the reducer", each(SEEKS, |_| Ok(history.step_at(0, &work).map(keep)?))?);
    let seeks = each(SEEKS, |number| Ok(history.step_at(place(number), &work).map(keep)?))?;
    report(name, "seek anywhere", seeks);
    let steps = each(SEEKS, |number| Ok(history.step_at(length / 2 - number, &work).map(keep)?))?;
    report(name, "step back", steps);
    for text in ["/turnover", "/entries/3/purpose", "/balance_cents", "/last_entry", "/owner"] {
        let path = Pointer::parse(text).unwrap_or_default();
        let mut counts = Vec::new();
        let times = each(1, |_| {
            counts = history.writes(&path, &work)?;
            Ok(())
        })?;
        if counts.is_empty() {
            continue;
        }
        report(name, &format!("who wrote {text}: {} events", counts.len()), times);
        let screens = each(20, |number| {
            let from = counts.len() * number / 20;
            let screen: Vec<usize> = counts.iter().skip(from).take(50).copied().collect();
            Ok(history.steps_at(&screen, &work).map(keep)?)
        })?;
        report(name, "what 50 of them wrote", screens);
    }
    let state = history.step_at(length, &work)?.after;
    let figures = history.figures();
    println!(
        "| {name} | state of {} bytes; {} keyframes, one every {} events, {} of {} KiB; changes {} of {} KiB, {} closed | | | |",
        state.to_compact().len(),
        figures.keyframes,
        figures.distance,
        figures.bytes >> 10,
        figures.budget_bytes >> 10,
        figures.changes.bytes >> 10,
        figures.changes.budget_bytes >> 10,
        figures.changes.closed,
    );
    Ok(())
}

/// What was found is used, as far as the compiler can tell.
fn keep<T>(found: T) {
    black_box(found);
}

/// The time of each of so many runs.
fn each(runs: usize, mut run: impl FnMut(usize) -> Outcome<()>) -> Outcome<Vec<Duration>> {
    let mut times = Vec::with_capacity(runs);
    for number in 0..runs {
        let begun = (Instant::now(), processor_time());
        run(number)?;
        times.push(match (begun.1, processor_time()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => begun.0.elapsed(),
        });
    }
    Ok(times)
}

/// What this thread has spent on a processor, if that is asked for: on a machine that others use it
/// is what can be compared.
fn processor_time() -> Option<Duration> {
    std::env::var_os("TIMEGLASS_BENCH_PROCESSOR_TIME")?;
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn report(name: &str, what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).or_else(|| times.last());
    let shown = |time: Option<&Duration>| {
        time.map_or_else(String::new, |time| format!("{:.2} ms", time.as_secs_f64() * 1000.0))
    };
    if processor_time().is_some() {
        // The system counts it in steps of milliseconds, so only the mean says something.
        let mean = times.iter().sum::<Duration>() / times.len().max(1) as u32;
        println!("| {name} | {what} | mean {} | | |", shown(Some(&mean)));
        return;
    }
    match times.len() {
        1 => println!("| {name} | {what} | {} | | |", shown(times.last())),
        _ => {
            println!("| {name} | {what} | {} | {} | {} |", shown(at(50)), shown(at(99)), shown(times.last()));
        }
    }
}

fn opened(path: &Path) -> Outcome<(Arc<dyn EventStore>, Arc<Index>)> {
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let store: Arc<dyn EventStore> = match SqliteStore::open(path, None, &work)? {
        Opened::Found { store, .. } => Arc::from(store as Box<dyn EventStore>),
        Opened::NotFound { .. } => return Err("the generated store has no events".into()),
    };
    let index = Arc::new(Index::build(&*store, &work)?);
    Ok((store, index))
}

/// A store of one stream of this length, made once and kept among the build's files.
fn generated(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("long-{events}.sqlite"));
    if !path.exists() {
        sample::write(&path, &SampleOptions { events, ..SampleOptions::of(Shape::Long) }, &Work::default())?;
    }
    Ok(path)
}
