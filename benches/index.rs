//! What reading every event's position, stream, version, type and time costs, beside a bare loop over the same
//! columns that does nothing with them.
//!
//! A plain program: all ways take turns within one run, on one machine and one file cache, and what counts is
//! the quotient of the medians. `README.md` beside this file says how to run it and what the lines mean.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    collections::BTreeMap,
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use timeglass::{
    jobs::ThreadLanes,
    sample::{self, SampleOptions, Shape},
    store::{
        EventStore as _, KeyRange,
        index::Index,
        sqlite::{Opened, SqliteStore, Way},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const BARE: &str = "bare rusqlite loop, one connection";

/// What is measured against the bare loop, and how far below it each is meant to stay.
const OURS: [(&str, f64); 3] = [(INDEXES, 0.35), (TABLES, 0.7), (SQL, 1.25)];
const INDEXES: &str = "complete index by the pages of covering indexes, two lanes";
const TABLES: &str = "complete index by the pages of the table, two lanes";
const SQL: &str = "complete index through SQL, two lanes";

/// What was measured, in the order in which the table shows it.
#[derive(Default)]
struct Figures {
    names: Vec<&'static str>,
    times: BTreeMap<&'static str, Vec<Duration>>,
    pages: BTreeMap<&'static str, u64>,
}

impl Figures {
    fn add(&mut self, name: &'static str, time: Duration) {
        let times = self.times.entry(name).or_default();
        if times.is_empty() {
            self.names.push(name);
        }
        times.push(time);
    }

    fn median(&self, name: &str) -> Option<Duration> {
        let mut times = self.times.get(name)?.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }

    fn print(&self) {
        println!(
            "| What | Median | Least | Most | Beside the bare loop | Pages |\n|---|---|---|---|---|---|"
        );
        let bare = self.median(BARE);
        for name in &self.names {
            let times = self.times.get(name).into_iter().flatten();
            let (least, most) = (times.clone().min().copied(), times.max().copied());
            let quotient =
                self.median(name).zip(bare).map(|(own, bare)| own.as_secs_f64() / bare.as_secs_f64());
            println!(
                "| {name} | {} | {} | {} | {} | {} |",
                shown(self.median(name)),
                shown(least),
                shown(most),
                quotient.map_or_else(String::new, |quotient| format!("{quotient:.2}")),
                self.pages.get(name).map_or_else(String::new, u64::to_string),
            );
        }
        println!();
        for (name, goal) in OURS {
            if let (Some(own), Some(bare)) = (self.median(name), bare) {
                let quotient = own.as_secs_f64() / bare.as_secs_f64();
                let verdict = if quotient <= goal { "reached" } else { "MISSED" };
                println!("{name}: {quotient:.2}, at most {goal} is the goal: {verdict}");
            }
        }
    }
}

fn shown(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| format!("{:.1} ms", time.as_secs_f64() * 1000.0))
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events = number("TIMEGLASS_BENCH_EVENTS", 1_000_000);
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 7);
    let path = indexed(events)?;
    println!("{} with {events} events, medians of {rounds} rounds\n", path.display());
    let mut figures = Figures::default();
    for _ in 0..rounds {
        let ((), time) = timed(|| bare(&path, events))?;
        figures.add(BARE, time);
        for (name, way) in [(INDEXES, Way::Quickest), (TABLES, Way::Tables), (SQL, Way::Sql)] {
            let store = open(&path)?.by(way);
            let work = Work::with_lanes(Arc::new(ThreadLanes));
            let (index, time) = timed(|| Ok(Index::build(&store, &work)?))?;
            figures.add(name, time);
            figures.pages.insert(name, store.pages_read());
            if index.len() as u64 != events {
                return Err(format!("{name}: {} events", index.len()).into());
            }
        }
        let store = open(&path)?;
        let work = Work::with_lanes(Arc::new(ThreadLanes));
        let (covered, time) = timed(|| Ok(store.covered(&work)?))?;
        figures.add("only the columns of covering indexes, two lanes", time);
        if covered.is_none_or(|covered| covered.len() as u64 != events) {
            return Err("the store's indexes do not cover the columns".into());
        }
        for (name, way) in [
            ("only a scan by the pages of the table, one lane", Way::Tables),
            ("only a scan through SQL, one lane", Way::Sql),
        ] {
            let store = open(&path)?.by(way);
            let ((), time) = timed(|| scan(&store))?;
            figures.add(name, time);
        }
    }
    figures.print();
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// The sample store of this size with indexes over all columns, made once and kept among the build's files.
fn indexed(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("bench-indexed-{events}.sqlite"));
    if !path.exists() {
        // Under another name until it is whole.
        let half = path.with_extension("half");
        if half.exists() {
            std::fs::remove_file(&half)?;
        }
        let options = SampleOptions { events, ..SampleOptions::of(Shape::Mixed) };
        sample::write(&half, &options, &Work::default())?;
        let connection = Connection::open(&half)?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             CREATE INDEX IF NOT EXISTS bench_stream ON events (stream, version);
             CREATE INDEX IF NOT EXISTS bench_type ON events (type);
             CREATE INDEX IF NOT EXISTS bench_time ON events (recorded_at);",
        )?;
        connection.close().map_err(|(_, error)| error)?;
        std::fs::rename(&half, &path)?;
    }
    Ok(path)
}

fn open(path: &Path) -> Outcome<SqliteStore> {
    match SqliteStore::open(path, None, &Work::default())? {
        Opened::Found { store, .. } => Ok(*store),
        Opened::NotFound { .. } => Err(format!("no event table is found in {}", path.display()).into()),
    }
}

/// Takes the time of one call.
fn timed<T>(call: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Duration)> {
    let start = Instant::now();
    let answer = black_box(call()?);
    Ok((answer, start.elapsed()))
}

/// What anybody would write who wants to see each row once.
fn bare(path: &Path, events: u64) -> Outcome<()> {
    // Without a mutex around each call, as rusqlite opens by default.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let mut statement = connection
        .prepare("SELECT position, stream, version, type, recorded_at FROM events ORDER BY position")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..5 {
            black_box(row.get_ref(column)?);
        }
        count += 1;
    }
    if count == events { Ok(()) } else { Err(format!("{count} rows").into()) }
}

fn scan(store: &SqliteStore) -> Outcome<()> {
    let mut count = 0_u64;
    store.scan(&Work::default(), &KeyRange::default(), &mut |row| count += black_box(row).id.len() as u64)?;
    black_box(count);
    Ok(())
}
