//! What browsing a large store costs once it is indexed, beside the `sqlite3` shell where it answers the same.
//!
//! A plain program and no benchmark framework: the shell and we take turns within one run, on one machine and
//! one file cache. `README.md` beside this file says how to run it and what the lines mean.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    error::Error,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use timeglass::{
    jobs::ThreadLanes,
    model::{EventKey, EventQuery, RecordedEvent, StoredSnapshot, StreamName, TextFilter},
    sample::{self, SampleOptions, Shape},
    session::{action::StreamSort, stream_lines::StreamLines},
    store::{
        Description, EventStore, Head, KeyRange, PageFrom, Scanner, StoreResult,
        index::{Index, Section, Selection},
        read::Onward,
        snapshots::{SnapshotPlace, VisitedSnapshot},
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rows of a page: about what a large window shows.
const PAGE: usize = 100;

/// Places asked for in one round where a single answer takes less than a millisecond.
const PLACES: usize = 20;

/// Events by which an index grows.
const GROWTH: usize = 1000;

/// What was measured, in the order in which the table shows it.
#[derive(Default)]
struct Figures(Vec<(String, Vec<Duration>)>);

impl Figures {
    fn add(&mut self, name: &str, time: Duration) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, times)) => times.push(time),
            None => self.0.push((name.to_owned(), vec![time])),
        }
    }

    /// Takes the time of one call.
    fn time<T>(&mut self, name: &str, call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let start = Instant::now();
        let answer = black_box(call()?);
        self.add(name, start.elapsed());
        Ok(answer)
    }

    fn print(&self) {
        println!("| What | Median | Least | Most |\n|---|---|---|---|");
        let shown = |time: Option<&Duration>| {
            time.map_or_else(String::new, |time| format!("{:.3} ms", time.as_secs_f64() * 1000.0))
        };
        for (name, times) in &self.0 {
            let mut times = times.clone();
            times.sort_unstable();
            let median = shown(times.get(times.len() / 2));
            println!("| {name} | {median} | {} | {} |", shown(times.first()), shown(times.last()));
        }
    }
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 7);
    let path = store_path()?;
    let mut figures = Figures::default();
    for round in 0..rounds {
        let store = open(&path)?;
        let index = making(&*store, &mut figures)?;
        if round == 0 {
            println!("{} events in {}", index.len(), path.display());
            println!("{} streams, {} types", index.streams().len(), index.types().len());
            let bytes = index.memory_bytes();
            let each = bytes as f64 / index.len().max(1) as f64;
            println!("index: {} MiB, {each:.1} bytes an event in all\n", bytes >> 20);
        }
        keeping(&index, &mut figures)?;
        pages(&*store, &index, &mut figures)?;
        questions(&index, &mut figures)?;
        streams(&index, &mut figures)?;
        shell(&path, index.len(), &mut figures);
    }
    figures.print();
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// `TIMEGLASS_BENCH_STORE`, or a sample store of `TIMEGLASS_BENCH_EVENTS` events, made once and kept among the
/// build's files.
fn store_path() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("TIMEGLASS_BENCH_STORE") {
        return Ok(path.into());
    }
    let events = number("TIMEGLASS_BENCH_EVENTS", 1_000_000);
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("mixed-{events}.sqlite"));
    if !path.exists() {
        // Under another name until it is whole.
        let half = path.with_extension("half");
        if half.exists() {
            std::fs::remove_file(&half)?;
        }
        let options = SampleOptions { events, ..SampleOptions::of(Shape::Mixed) };
        sample::write(&half, &options, &Work::default())?;
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

fn on_lanes() -> Work {
    Work::with_lanes(Arc::new(ThreadLanes))
}

/// A store that is read by scans alone, up to a key.
struct Scanned<'a>(&'a dyn EventStore, Option<EventKey>);

impl EventStore for Scanned<'_> {
    fn describe(&self) -> &Description {
        self.0.describe()
    }
    fn head(&self) -> StoreResult<Head> {
        self.0.head()
    }
    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.0.page(work, query, from, limit)
    }
    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        self.0.fetch(work, keys)
    }
    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        let mut ranges = self.0.ranges(work, after, parts)?;
        if let Some(end) = &self.1 {
            ranges.retain(|range| range.after.as_ref().is_none_or(|after| after < end));
            for range in &mut ranges {
                range.until =
                    Some(range.until.take().map_or_else(|| end.clone(), |until| until.min(end.clone())));
            }
        }
        Ok(ranges)
    }
    fn scanner(&self) -> Box<dyn Scanner + '_> {
        self.0.scanner()
    }
    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        self.0.visit_snapshots(work, stream, visit)
    }
    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        self.0.fetch_snapshots(work, places)
    }
    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        self.0.table_counts(work)
    }
}

/// Making the index, in each way, and growing it.
fn making(store: &dyn EventStore, figures: &mut Figures) -> Outcome<Index> {
    let index = figures.time("index, as the window makes it", || Ok(Index::build(store, &on_lanes())?))?;
    let (looks, first) = (AtomicUsize::new(0), Mutex::new(None));
    let start = Instant::now();
    let report = |_| {
        looks.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = first.lock() {
            first.get_or_insert_with(|| start.elapsed());
        }
    };
    let scanned = figures.time("index by a scan, with looks at it meanwhile", || {
        Ok(Index::default().growing(&Scanned(store, None), &on_lanes(), Some(&report))?)
    })?;
    if let Some(first) = first.into_inner().ok().flatten() {
        figures.add("the first of these looks", first);
    }
    figures
        .time("index by a scan, without looks", || Ok(Index::build(&Scanned(store, None), &on_lanes())?))?;
    let end = index.key(index.len().saturating_sub(GROWTH + 1) as u32);
    let before = Index::build(&Scanned(store, end), &on_lanes())?;
    let grown = figures.time("an index grown by 1 000 events", || {
        Ok(before.extended(&Scanned(store, None), &on_lanes())?)
    })?;
    if grown.len() != scanned.len() || scanned.len() != index.len() {
        return Err("the ways to make an index differ".into());
    }
    Ok(index)
}

/// Writing it down and loading it.
fn keeping(index: &Index, figures: &mut Figures) -> Outcome<()> {
    let sections: Vec<Section> = figures.time("written as sections", || Ok(index.to_sections().collect()))?;
    let borrowed: Vec<(&str, &[u8])> =
        sections.iter().map(|section| (&*section.name, section.bytes.as_slice())).collect();
    figures.time("loaded from sections", || Ok(Index::from_sections(&borrowed, &on_lanes())?))?;
    Ok(())
}

/// Pages as the window asks for them: the events from the index, the rows from the store.
fn pages(store: &dyn EventStore, index: &Index, figures: &mut Figures) -> Outcome<()> {
    let mut page = |name: &str, ordinals: &dyn Fn(usize) -> Vec<u32>, total: usize| -> Outcome<()> {
        let last = total.saturating_sub(PAGE);
        for place in 0..PLACES {
            let first = last * place / (PLACES - 1).max(1);
            figures.time(name, || {
                let keys: Vec<EventKey> =
                    ordinals(first).into_iter().filter_map(|ordinal| index.key(ordinal)).collect();
                Ok(store.fetch(&Work::default(), &keys)?)
            })?;
        }
        Ok(())
    };
    let from = |first: usize| (first as u32..index.len() as u32).take(PAGE).collect();
    page("page of all events, from start to end", &from, index.len())?;
    if let Some((first, last)) = index.time_span() {
        let at_share = |place: usize| {
            let share = place as f64 / index.len() as f64;
            let nanos = first.nanos() as f64 + share * (last.nanos() - first.nanos()) as f64;
            let at = index.at_time(timeglass::model::Timestamp::from_nanos(nanos as i64, 9));
            from(at.unwrap_or_default() as usize)
        };
        page("page by time", &at_share, index.len())?;
    }
    let by_events = |least: bool| {
        let types = index.types().iter();
        if least { types.min_by_key(|info| info.events) } else { types.max_by_key(|info| info.events) }
    };
    for (name, least) in [("page of the commonest type", false), ("page of the rarest type", true)] {
        let types = by_events(least).map(|info| vec![Arc::clone(&info.name)]).unwrap_or_default();
        let found = index.filter(&EventQuery { types, ..EventQuery::default() }, &on_lanes())?;
        let found = found.unwrap_or_default();
        page(
            name,
            &|first| (first..first + PAGE).filter_map(|place| found.get(place)).collect(),
            found.len(),
        )?;
    }
    let longest = index.streams().iter().zip(0_u32..).max_by_key(|(info, _)| info.events);
    let events = index.stream_events(longest.map_or(0, |(_, number)| number));
    page(
        "page of the longest stream",
        &|first| events.range(first..first + PAGE).copied().collect(),
        events.len(),
    )
}

/// What the columns answer by themselves.
fn questions(index: &Index, figures: &mut Figures) -> Outcome<()> {
    let all = EventQuery::default;
    let rarest = index.types().iter().min_by_key(|info| info.events).map(|info| Arc::clone(&info.name));
    let commonest = index.types().iter().max_by_key(|info| info.events).map(|info| Arc::clone(&info.name));
    let largest = index.categories().iter().max_by_key(|info| info.streams).map(|info| info.name.clone());
    let middle = index.row(index.len() as u32 / 3).and_then(|row| row.time);
    let queries = [
        ("filter by the commonest type", EventQuery { types: commonest.into_iter().collect(), ..all() }),
        ("filter by the rarest type", EventQuery { types: rarest.into_iter().collect(), ..all() }),
        ("filter by category", EventQuery { category: largest, ..all() }),
        ("filter by time", EventQuery { from: middle, ..all() }),
    ];
    for (name, query) in queries {
        let found = figures.time(name, || Ok(index.filter(&query, &on_lanes())?))?;
        let found: Selection = found.unwrap_or_default();
        figures.time("an event of a filter by its place", || Ok(found.get(found.len() / 2)))?;
    }
    figures.time("histogram of 1 000 bins", || Ok(index.histogram(None, 1000, &on_lanes())?))?;
    let middle = index.len() as u32 / 2;
    figures.time("counts of all streams in the middle", || Ok(index.counts_until(middle)))?;
    Ok(())
}

/// The lines of the streams panel.
fn streams(index: &Index, figures: &mut Figures) -> Outcome<()> {
    let index = Arc::new(index.clone());
    for (name, sort) in [
        ("streams by name", StreamSort::Name),
        ("streams by number of events", StreamSort::Events),
        ("streams by last time", StreamSort::Last),
    ] {
        let lines = StreamLines {
            index: Arc::clone(&index),
            filter: TextFilter::All,
            sort,
            is_descending: false,
            toggled: Vec::new(),
            opened_all: true,
        };
        figures.time(name, || Ok(lines.make(&on_lanes())?))?;
    }
    Ok(())
}

/// The shell's time for the like; nothing where there is no shell. The table is that of the sample.
fn shell(path: &Path, events: usize, figures: &mut Figures) {
    let last = events.saturating_sub(PAGE);
    let questions = [
        (
            "sqlite3: a page at the end by OFFSET",
            format!("SELECT * FROM events ORDER BY position LIMIT {PAGE} OFFSET {last}"),
        ),
        ("sqlite3: events by type", "SELECT type, count(*) FROM events GROUP BY type".to_owned()),
        (
            "sqlite3: events by stream",
            "SELECT stream, count(*) FROM events GROUP BY stream ORDER BY 2 DESC LIMIT 10".to_owned(),
        ),
    ];
    for (name, sql) in questions {
        let mut command = Command::new("sqlite3");
        command.arg("-readonly").arg(path).arg(sql).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        match command.status() {
            Ok(status) if status.success() => figures.add(name, start.elapsed()),
            Ok(_) | Err(_) => (),
        }
    }
}
