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

use rusqlite::{Connection, OpenFlags};
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

/// What the window gives to one history, when no other is in use, out of 512 MiB.
const BUDGET: usize = 384 << 20;

/// Enough for a keyframe every 100 events of a million, of a state of 200 KB.
const AMPLE: usize = 4 << 30;

/// Lines of a state of about 200 KB.
const LINES: u64 = 1000;

/// A fold is to be at least so fast, beside a loop that reads and parses alone.
const LEAST_SHARE: f64 = 0.75;

/// A statement in JavaScript, as a user would write it.
const ENTRIES: &str = r"
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

/// What lies on each of many shelves, in JavaScript.
const SHELVES: &str = r"
fromCategory('stock').foreachStream().when({
  $init: () => ({ lines: {}, counted: 0 }),
  StockCounted(state, event) {
    Object.assign(state.lines, event.data.lines);
    state.counted = event.data.counted;
    return state;
  },
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

/// A reducer over a stream, and what is hoped for.
struct Run {
    name: &'static str,
    stream: Stream,
    reducer: Arc<dyn Reducer>,
    budget: usize,
    /// Milliseconds of a seek that half of them take at most, and all but one in a hundred.
    goals: [Option<f64>; 2],
}

/// Which stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// An account of small events and a small merged state, or the longest stream of a store that is named.
    Ledger,
    /// A stock of many lines, each event about one of them.
    Stock,
    /// The same, a tenth as long.
    ShortStock,
}

fn runs() -> Outcome<Vec<Run>> {
    let merge = || -> Arc<dyn Reducer> { Arc::new(Merge::for_category(None)) };
    let run = |name, stream, reducer, goals| Run { name, stream, reducer, budget: BUDGET, goals };
    Ok(vec![
        run("merge", Stream::Ledger, merge(), [Some(0.4), Some(5.0)]),
        run("8 entries, Rust", Stream::Ledger, Arc::new(Statement(8)), [None; 2]),
        run("8 entries, JavaScript", Stream::Ledger, scripted(ENTRIES)?, [Some(1.0), Some(8.0)]),
        run("2 000 entries, Rust", Stream::Ledger, Arc::new(Statement(2000)), [None, Some(8.0)]),
        run("merge, 200 KB", Stream::Stock, merge(), [None, Some(8.0)]),
        Run { budget: AMPLE, ..run("merge, 200 KB, 4 GiB", Stream::Stock, merge(), [None, Some(2.0)]) },
        run("lines, 200 KB, JavaScript", Stream::ShortStock, scripted(SHELVES)?, [None, Some(30.0)]),
    ])
}

fn scripted(source: &str) -> Outcome<Arc<dyn Reducer>> {
    let script = Script::load_reducer("reducer.js", source, &Options::frozen(None), &Work::default());
    Ok(Arc::new(Scripted::new(script.map_err(|err| err.failure.to_string())?)))
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events =
        std::env::var("TIMEGLASS_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let only = std::env::var("TIMEGLASS_BENCH_REDUCER").unwrap_or_default();
    let mut goals = Vec::new();
    let mut opened: Option<(Stream, Ledger)> = None;
    for run in runs()?.iter().filter(|run| run.name.contains(&only)) {
        if opened.as_ref().is_none_or(|(stream, _)| *stream != run.stream) {
            let ledger = open_stream(run.stream, events)?;
            println!("\n{}: {}, {} events\n", ledger.path.display(), ledger.name(), ledger.sequence().len());
            println!("| Reducer | What | p50 | p99 | Longest |\n|---|---|---|---|---|");
            opened = Some((run.stream, ledger));
        }
        let Some((_, ledger)) = &opened else { continue };
        if run.reducer.is_merge() && run.budget == BUDGET {
            let share = beside_a_loop(run.name, ledger, &run.reducer)?;
            // For a state of 200 KB the share is told, and there is no goal.
            if run.stream == Stream::Ledger {
                goals.push(verdict(
                    run.name,
                    "fold beside the loop",
                    share,
                    LEAST_SHARE,
                    share >= LEAST_SHARE,
                ));
            }
        }
        let found = measure(run, ledger.sequence())?;
        let shares = ["p50 of a seek, ms", "p99 of a seek, ms"].into_iter().zip(found).zip(run.goals);
        for ((what, found), goal) in shares {
            goals.extend(goal.map(|goal| verdict(run.name, what, found, goal, found <= goal)));
        }
    }
    println!("\n{}", goals.join("\n"));
    Ok(())
}

fn verdict(name: &str, what: &str, found: f64, goal: f64, is_reached: bool) -> String {
    let verdict = if is_reached { "reached" } else { "MISSED" };
    format!("{name}: {what}: {found:.2}, {goal} is the goal: {verdict}")
}

fn open_stream(stream: Stream, events: u64) -> Outcome<Ledger> {
    match (stream, std::env::var_os("TIMEGLASS_BENCH_STORE")) {
        (Stream::Ledger, Some(path)) => opened(Path::new(&path)),
        (Stream::Ledger, None) => opened(&generated(events)?),
        (Stream::Stock, _) => opened(&stock(events)?),
        (Stream::ShortStock, _) => opened(&stock(events / 10)?),
    }
}

/// A store, and the longest stream in it.
struct Ledger {
    path: PathBuf,
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    stream: u32,
}

impl Ledger {
    fn sequence(&self) -> Arc<dyn Sequence> {
        Arc::new(StreamEvents::new(Arc::clone(&self.store), Arc::clone(&self.index), self.stream))
    }

    fn name(&self) -> String {
        self.index.stream(self.stream).map(|stream| stream.name.full().to_string()).unwrap_or_default()
    }
}

/// The whole fold, in turns with a loop that reads the same payloads, parses them with the fastest parser, and
/// does nothing else.
fn beside_a_loop(name: &str, ledger: &Ledger, reducer: &Arc<dyn Reducer>) -> Outcome<f64> {
    let rounds = std::env::var("TIMEGLASS_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let (mut loops, mut folds, mut quotients) = (Vec::new(), Vec::new(), Vec::new());
    let mut spent = (Duration::ZERO, Duration::ZERO);
    for _ in 0..rounds {
        let begun = (Instant::now(), process_time());
        read_and_parse(ledger)?;
        loops.push(begun.0.elapsed());
        spent.0 += process_time().saturating_sub(begun.1);
        let begun = (Instant::now(), process_time());
        let history = History::new(ledger.sequence(), Arc::clone(reducer), OnFailure::GoOn, BUDGET);
        history.fold_all(&work)?;
        folds.push(begun.0.elapsed());
        spent.1 += process_time().saturating_sub(begun.1);
        if let (Some(without), Some(with)) = (loops.last(), folds.last()) {
            quotients.push(without.as_secs_f64() / with.as_secs_f64());
        }
    }
    report(name, "read and parse alone, no fold", loops);
    report(name, "fold, two lanes", folds);
    quotients.sort_unstable_by(f64::total_cmp);
    let median = quotients.get(quotients.len() / 2).copied().unwrap_or_default();
    println!(
        "| {name} | the fold's speed is {median:.2} of the loop's; processor time {:.2} s and {:.2} s | | | |",
        spent.1.as_secs_f64() / f64::from(rounds),
        spent.0.as_secs_f64() / f64::from(rounds),
    );
    Ok(median)
}

fn read_and_parse(ledger: &Ledger) -> Outcome<()> {
    // Without a mutex around each call, as rusqlite opens by default.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&ledger.path, flags)?;
    let mut statement = connection.prepare("SELECT data FROM events WHERE stream = ? ORDER BY version")?;
    let mut rows = statement.query([ledger.name()])?;
    while let Some(row) = rows.next()? {
        keep(sonic_rs::from_str::<sonic_rs::Value>(row.get_ref(0)?.as_str()?)?);
    }
    Ok(())
}

/// Folds, seeks, steps and asks; says how many milliseconds a seek takes, for half of them and for all but one
/// in a hundred.
fn measure(run: &Run, sequence: Arc<dyn Sequence>) -> Outcome<[f64; 2]> {
    let (name, reducer) = (run.name, &run.reducer);
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let history = History::new(sequence, Arc::clone(reducer), OnFailure::GoOn, run.budget);
    let first = each(1, |_| Ok(history.step_ready(history.len() / 2, &work).map(keep)?))?;
    report(name, "something to show before the fold", first);
    report(name, "fold once", each(1, |_| Ok(history.fold_all(&work)?))?);
    let length = history.len();
    // Steps of a large prime visit places all over the history, and never the same twice.
    let place = |number: usize| number * 500_009 % (length + 1);
    report(name, "start the reducer", each(SEEKS, |_| Ok(history.step_at(0, &work).map(keep)?))?);
    let mut seeks = each(SEEKS, |number| Ok(history.step_at(place(number), &work).map(keep)?))?;
    seeks.sort_unstable();
    let at = |share: usize| seeks.get(SEEKS * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    let found = [at(50), at(99)];
    report(name, "seek anywhere", seeks);
    let steps = each(SEEKS, |number| Ok(history.step_at(length / 2 - number, &work).map(keep)?))?;
    report(name, "step back", steps);
    for text in [
        "/turnover",
        "/entries/3/purpose",
        "/balance_cents",
        "/last_entry",
        "/owner",
        "/lines/line-0007/quantity",
    ] {
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
    Ok(found)
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

/// What this process has spent on processors, in steps of ten milliseconds (Linux).
fn process_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn opened(path: &Path) -> Outcome<Ledger> {
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let store: Arc<dyn EventStore> = match SqliteStore::open(path, None, &work)? {
        Opened::Found { store, .. } => Arc::from(store as Box<dyn EventStore>),
        Opened::NotFound { .. } => return Err("the generated store has no events".into()),
    };
    let index = Arc::new(Index::build(&*store, &work)?);
    let longest = index.streams().iter().zip(0_u32..).max_by_key(|(stream, _)| stream.events);
    let stream = longest.map(|(_, number)| number).unwrap_or_default();
    Ok(Ledger { path: path.into(), store, index, stream })
}

/// A store of one stream whose merged state grows to 200 KB: each event sets one of a thousand lines.
fn stock(events: u64) -> Outcome<PathBuf> {
    let path = folder()?.join(format!("stock-{events}.sqlite"));
    if path.exists() {
        return Ok(path);
    }
    let made = path.with_extension("part");
    let mut connection = Connection::open(&made)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
           type TEXT NOT NULL, data TEXT NOT NULL, recorded_at TEXT NOT NULL);
         CREATE UNIQUE INDEX events_stream_version ON events (stream, version);",
    )?;
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare("INSERT INTO events VALUES (?1, 'stock-1', ?1, ?2, ?3, ?4)")?;
    for number in 1..=events {
        // Lines are met in no order that anybody would see.
        let line = number * 7919 % LINES;
        let data = format!(
            r#"{{"lines":{{"line-{line:04}":{{"article":"Article {} of the catalogue","shelf":"{}-{}","quantity":{},"price_cents":{},"counted_at":"2024-{:02}-{:02}T08:00:00Z","note":"counted by hand, nothing missing, nothing broken"}}}},"counted":{number}}}"#,
            line * 31,
            line % 26,
            line % 90,
            number % 500,
            line * 15 + 99,
            number % 12 + 1,
            number % 28 + 1,
        );
        let time =
            format!("2024-01-01T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60);
        insert.execute((number as i64, "StockCounted", data, time))?;
    }
    drop(insert);
    transaction.commit()?;
    drop(connection);
    std::fs::rename(made, &path)?;
    Ok(path)
}

fn folder() -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A store of one stream of this length, made once and kept among the build's files.
fn generated(events: u64) -> Outcome<PathBuf> {
    let path = folder()?.join(format!("long-{events}.sqlite"));
    if !path.exists() {
        sample::write(&path, &SampleOptions { events, ..SampleOptions::of(Shape::Long) }, &Work::default())?;
    }
    Ok(path)
}
