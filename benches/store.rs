//! What reading a large store costs, beside what the `sqlite3` shell needs for the same file.
//!
//! A plain program and no benchmark framework: the shell and we have to take turns within one run,
//! on one machine and one file cache, and what counts is the quotient of the two medians.
//! `README.md` beside this file says how to run it and what the lines mean.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    collections::BTreeMap,
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use timeglass::{
    jobs::ThreadLanes,
    model::{EventKey, EventQuery},
    replay::{History, Merge, OnFailure, StreamEvents},
    sample::{self, SampleOptions, Shape},
    store::{
        EventStore, PageFrom,
        index::Index,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rows of the first page, as the window asks for them.
const FIRST_ROWS: usize = 200;

/// Rows of a page: about what a large window shows.
const PAGE: usize = 100;

/// Places asked for in one round where a single answer takes less than a millisecond.
const PLACES: usize = 50;

/// Events of the history that is sought in.
const HISTORY: u64 = 10_000;

/// What the shell is asked. Printing is the yardstick; the sums touch the same values and print
/// nothing.
const SHELL: [(&str, &str); 2] = [
    (PRINTED, "SELECT position, stream, version, type, recorded_at FROM events"),
    (
        SUMMED,
        "SELECT sum(position) + sum(length(stream)) + sum(version) + sum(length(type)) \
         + sum(length(recorded_at)) FROM events",
    ),
];
const PRINTED: &str = "sqlite3 shell, columns printed";
const SUMMED: &str = "sqlite3 shell, columns summed";
const INDEX: &str = "complete index, two lanes";

/// What was measured, in the order in which the table shows it.
#[derive(Default)]
struct Figures {
    names: Vec<&'static str>,
    times: BTreeMap<&'static str, Vec<Duration>>,
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
        println!("| What | Median | Least | Most |\n|---|---|---|---|");
        for name in &self.names {
            let times = self.times.get(name).into_iter().flatten();
            let (least, most) = (times.clone().min().copied(), times.max().copied());
            println!("| {name} | {} | {} | {} |", shown(self.median(name)), shown(least), shown(most));
        }
        for (shell, _) in SHELL {
            if let (Some(index), Some(shell_time)) = (self.median(INDEX), self.median(shell)) {
                let quotient = index.as_secs_f64() / shell_time.as_secs_f64();
                println!("\n{INDEX} / {shell}: {quotient:.2}");
            }
        }
    }
}

fn shown(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| format!("{:.2} ms", time.as_secs_f64() * 1000.0))
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events = number("TIMEGLASS_BENCH_EVENTS", 1_000_000);
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 7);
    let mixed = generated(Shape::Mixed, events)?;
    let long = generated(Shape::Long, HISTORY)?;
    println!("{} with {events} events, medians of {rounds} rounds\n", mixed.display());
    let mut figures = Figures::default();
    for round in 0..rounds {
        let index = opening(&mixed, &mut figures)?;
        shell(&mixed, &mut figures)?;
        pages(&mixed, &index, &mut figures)?;
        filters(&mixed, &index, &mut figures)?;
        seeks(&long, round, &mut figures)?;
    }
    figures.print();
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// The sample store of this shape and size, made once and kept among the build's files.
fn generated(shape: Shape, events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("bench-{}-{events}.sqlite", shape.key()));
    if !path.exists() {
        // Under another name until it is whole.
        let half = path.with_extension("half");
        if half.exists() {
            std::fs::remove_file(&half)?;
        }
        sample::write(&half, &SampleOptions { events, ..SampleOptions::of(shape) }, &Work::default())?;
        std::fs::rename(&half, &path)?;
    }
    Ok(path)
}

fn open(path: &Path) -> Outcome<Box<SqliteStore>> {
    match SqliteStore::open(path, None, &Work::default())? {
        Opened::Found { store, .. } => Ok(store),
        Opened::NotFound { .. } => Err(format!("no event table is found in {}", path.display()).into()),
    }
}

/// Takes the time of one call.
fn timed<T>(call: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Duration)> {
    let start = Instant::now();
    let answer = black_box(call()?);
    Ok((answer, start.elapsed()))
}

/// Opens with detection, reads the first rows, and then builds the index.
fn opening(path: &Path, figures: &mut Figures) -> Outcome<Index> {
    let work = Work::default();
    let (store, time) = timed(|| {
        let store = open(path)?;
        black_box(store.page(&work, &EventQuery::default(), &PageFrom::Start, FIRST_ROWS)?);
        Ok(store)
    })?;
    figures.add("open, detect the layout, first 200 rows", time);
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let (index, time) = timed(|| Ok(Index::build(&*store, &work)?))?;
    figures.add(INDEX, time);
    Ok(index)
}

/// The shell's time for the same columns; nothing where there is no shell.
fn shell(path: &Path, figures: &mut Figures) -> Outcome<()> {
    for (name, sql) in SHELL {
        let mut command = Command::new("sqlite3");
        command.arg("-readonly").arg(path).arg(sql).stdout(Stdio::null());
        match timed(|| Ok(command.status()?)) {
            Ok((status, time)) if status.success() => figures.add(name, time),
            Ok((status, _)) => return Err(format!("the sqlite3 shell failed: {status}").into()),
            Err(error) => println!("no sqlite3 shell to compare with: {error}"),
        }
    }
    Ok(())
}

/// Pages as the window asks for them: the keys come from the index, the rows from the store.
fn pages(path: &Path, index: &Index, figures: &mut Figures) -> Outcome<()> {
    let store = open(path)?;
    let work = Work::default();
    let last = index.len().saturating_sub(PAGE * PLACES);
    let starts = [
        ("page of 100 rows near the start", 0),
        ("page of 100 rows near the middle", last / 2),
        ("page of 100 rows near the end", last),
    ];
    for (name, start) in starts {
        let ((), time) = timed(|| {
            for place in 0..PLACES {
                let first = (start + place * PAGE) as u32;
                let keys: Vec<EventKey> =
                    (first..first + PAGE as u32).filter_map(|ordinal| index.key(ordinal)).collect();
                black_box(store.fetch(&work, &keys)?);
            }
            Ok(())
        })?;
        figures.add(name, time / PLACES as u32);
    }
    for (name, start) in [("page by key after the first row", 0), ("page by key before the last", last)] {
        let from = index.key(start as u32).map_or(PageFrom::Start, PageFrom::After);
        let ((), time) = timed(|| {
            for _ in 0..PLACES {
                black_box(store.page(&work, &EventQuery::default(), &from, PAGE)?);
            }
            Ok(())
        })?;
        figures.add(name, time / PLACES as u32);
    }
    Ok(())
}

/// One event type of the whole store: by the index, as the window does it, and by the store alone.
fn filters(path: &Path, index: &Index, figures: &mut Figures) -> Outcome<()> {
    let work = Work::default();
    let rarest = index.types().iter().min_by_key(|info| info.events);
    let types = rarest.map(|info| vec![Arc::clone(&info.name)]).unwrap_or_default();
    let query = EventQuery { types, ..Default::default() };
    let (_, time) = timed(|| Ok(index.filter(&query, &work)?))?;
    figures.add("all events of one type, by the index", time);
    let store = open(path)?;
    let (_, time) = timed(|| Ok(store.page(&work, &query, &PageFrom::Start, PAGE)?))?;
    figures.add("first 100 events of the rarest type, by the store", time);
    Ok(())
}

/// Seeks in one stream of 10 000 events, after it was folded once.
fn seeks(path: &Path, round: u64, figures: &mut Figures) -> Outcome<()> {
    let work = Work::default();
    let store: Arc<dyn EventStore> = Arc::from(open(path)? as Box<dyn EventStore>);
    let index = Arc::new(Index::build(&*store, &work)?);
    let longest = index.streams().iter().zip(0_u32..).max_by_key(|(info, _)| info.events);
    let stream = longest.map_or(0, |(_, number)| number);
    let events = Arc::new(StreamEvents::new(store, index, stream));
    let history = History::new(events, Arc::new(Merge::for_category(None)), OnFailure::GoOn, 64 << 20);
    let ((), time) = timed(|| Ok(history.fold_all(&work)?))?;
    figures.add("fold a history of 10 000 events", time);
    let count = history.len();
    let ((), time) = timed(|| {
        for place in 0..PLACES {
            // Steps of a large odd number visit places all over the history.
            let at = (place + round as usize * PLACES) * 7919 % count.max(1);
            black_box(history.step_at(at, &work)?);
        }
        Ok(())
    })?;
    figures.add("seek in it", time / PLACES as u32);
    Ok(())
}
