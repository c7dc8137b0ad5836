//! What it costs to open a large store again: with the index that was kept, after events were added, and
//! beside making the index anew.
//!
//! A plain program, since the three have to take turns within one run; what counts is their quotient.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use timeglass::{
    jobs::ThreadLanes,
    model::Timestamp,
    sample::{self, SampleOptions, Shape},
    store::{
        cache::{Cache, Found},
        index::Index,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// So many events are added before the store is opened once more.
const ADDED: usize = 1000;

/// Copies the last events under new versions, as their owner would add others.
const ADD: &str = "INSERT INTO events (stream, version, type, data, metadata, recorded_at, event_id)
    SELECT stream || '-again', version, type, data, metadata, recorded_at, lower(hex(randomblob(16)))
    FROM (SELECT * FROM events ORDER BY position DESC LIMIT 1000) ORDER BY position";

/// What was measured.
#[derive(Default)]
struct Figures(Vec<(&'static str, Vec<Duration>)>);

impl Figures {
    /// Takes the time of one call.
    fn time<T>(&mut self, name: &'static str, call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let start = Instant::now();
        let answer = call()?;
        let took = start.elapsed();
        match self.0.iter_mut().find(|(own, _)| *own == name) {
            Some((_, times)) => times.push(took),
            None => self.0.push((name, vec![took])),
        }
        Ok(answer)
    }

    fn median(&self, name: &str) -> Duration {
        let times = self.0.iter().find(|(own, _)| *own == name).map(|(_, times)| times.clone());
        let mut times = times.unwrap_or_default();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    fn print(&self) {
        println!("| What | Median | Least | Most | Of making it anew |\n|---|---|---|---|---|");
        let whole = self.median(ANEW).as_secs_f64();
        for (name, times) in &self.0 {
            let (least, most) = (times.iter().min(), times.iter().max());
            let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
            println!(
                "| {name} | {} | {} | {} | {:.2} |",
                shown(self.median(name)),
                least.copied().map(shown).unwrap_or_default(),
                most.copied().map(shown).unwrap_or_default(),
                self.median(name).as_secs_f64() / whole,
            );
        }
    }
}

const ANEW: &str = "index made anew, all lanes";
const KEPT: &str = "index written to the cache";
const OPENED: &str = "opened again: layout found, index proven and read";
const FOUND: &str = "of that, the index";
const GROWN: &str = "opened again after 1000 events more: read and caught up, unproven";
const CHECKED: &str = "after that, the check in the background";

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events = number("TIMEGLASS_BENCH_EVENTS", 1_000_000);
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 7);
    let path = generated(events)?;
    // In the folder of the store, so that both lie on the same disk.
    let folder = tempfile::tempdir_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    let cache = Cache::new(folder.path().to_owned(), u64::MAX).with_least_events(0).with_clock(much_later);
    println!("{} with {events} events, medians of {rounds} rounds\n", path.display());
    let mut figures = Figures::default();
    for _ in 0..rounds {
        round(&path, &cache, &mut figures)?;
    }
    figures.print();
    let (_, bytes) = cache.size()?;
    println!("\nThe file takes {bytes} bytes, {:.1} an event", bytes as f64 / events as f64);
    Ok(())
}

fn round(path: &Path, cache: &Cache, figures: &mut Figures) -> Outcome<()> {
    let store = open(path)?;
    let before = cache.before(&*store)?.ok_or("a file has an identity")?;
    let index = figures.time(ANEW, || Ok(Index::build(&*store, &work())?))?;
    figures.time(KEPT, || Ok(cache.save(&*store, &index, &before, &work())?))?;
    drop((index, store));
    let found = figures.time(OPENED, || Ok(cache.find(&*open(path)?, &work())?))?;
    let Found::Proven { index, .. } = found else { return Err("it should be proven".into()) };
    drop(index);
    let store = open(path)?;
    drop(figures.time(FOUND, || Ok(cache.find(&*store, &work())?))?);
    drop(store);
    Connection::open(path)?.execute_batch(ADD)?;
    let found = figures.time(GROWN, || Ok(cache.find(&*open(path)?, &work())?))?;
    let Found::Likely { index, caught_up: ADDED, .. } = found else {
        return Err("it should be likely".into());
    };
    let store = open(path)?;
    let checked = figures.time(CHECKED, || Ok(cache.check(&*store, &index, &work())?))?;
    if checked.differs_at.is_some() {
        return Err("nothing was changed in its past".into());
    }
    drop((checked, index, store));
    let remove = format!("DELETE FROM events WHERE position > (SELECT max(position) - {ADDED} FROM events)");
    Connection::open(path)?.execute_batch(&remove)?;
    Ok(())
}

fn work() -> Work {
    Work::with_lanes(Arc::new(ThreadLanes))
}

/// Long after the store was written, so that it counts as being at rest.
fn much_later() -> Timestamp {
    Timestamp::from_nanos(4_102_444_800_000_000_000, 0)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A store of its own for this benchmark, which adds to it and takes away again.
fn generated(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("bench-reopen-{events}.sqlite"));
    if !path.exists() {
        // Under another name until it is whole.
        let half = path.with_extension("half");
        if half.exists() {
            std::fs::remove_file(&half)?;
        }
        sample::write(&half, &SampleOptions { events, ..SampleOptions::of(Shape::Mixed) }, &Work::default())?;
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
