//! What is asked of the store, and how often.

use std::{hint::black_box, sync::Arc, time::Instant};

use crate::{
    cli::{
        Common,
        bench::{Arguments, figures::Figure, machine},
        failure::Failure,
        open::{self, Opened},
        output::Output,
        table::counted,
    },
    jobs::ThreadLanes,
    model::{EventKey, EventQuery, Timestamp},
    project,
    replay::{History, StreamEvents},
    store::{
        EventStore, PageFrom, StoreError,
        index::Index,
        search::{Newest, Sieve, Sought, search_ranges},
        sqlite::{Bare, BareResult, SqliteStore},
    },
    work::Work,
};

/// Everything that was found out.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) events: u64,
    pub(super) streams: u64,
    pub(super) bytes: u64,
    pub(super) figures: Vec<Figure>,
    /// The index in memory, and for each event.
    pub(super) index_bytes: Option<(u64, f64)>,
    /// What the history of the longest stream keeps.
    pub(super) keyframe_bytes: Option<u64>,
    pub(super) resident: Option<u64>,
}

/// Rows of a page, as the window asks for them.
const PAGE: usize = 200;

/// Places asked for in one round where a single answer takes less than a frame.
const PLACES: usize = 20;

/// Seeks in one round.
const SEEKS: usize = 200;

/// What the states and changes of one history may take, as in the window.
const HISTORY_BYTES: usize = 256 << 20;

/// Into so many ranges a store is cut for a search, as the search itself does it.
const RANGES: usize = 64;

/// A text that hardly any store holds: everything has to be looked at.
const NOWHERE: &str = "n0wh3re-t0-be-f0und";

/// Asks everything that is wanted.
pub(super) fn ask_all(
    arguments: &Arguments,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Asked, Failure> {
    let opened = open::open(&arguments.store, common, output)?;
    let description = opened.store.describe();
    let path = description.path.clone().unwrap_or_else(|| arguments.store.clone());
    let bare = SqliteStore::with_layout(&path, &description.layout, &Work::default())?;
    let mut bench = Bench { arguments, common, opened, bare, asked: Asked::default(), output };
    bench.asked.events = bench.opened.index.len() as u64;
    bench.asked.streams = bench.opened.index.streams().len() as u64;
    bench.asked.bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    bench.ask()?;
    bench.asked.resident = machine::most_resident();
    Ok(bench.asked)
}

struct Bench<'a, 'b> {
    arguments: &'a Arguments,
    common: &'a Common,
    opened: Opened,
    bare: SqliteStore,
    asked: Asked,
    output: &'a mut Output<'b>,
}

/// A question of ours: it is asked once for each of `places`.
type Own<'a> = &'a mut dyn FnMut(usize) -> Result<(), Failure>;

/// The same in plain SQL; it says whether SQL can tell.
type Beside<'a> = &'a dyn Fn(&Bare<'_>, usize) -> BareResult<Option<u64>>;

impl Bench<'_, '_> {
    fn ask(&mut self) -> Result<(), Failure> {
        type Group<'a, 'b> = fn(&mut Bench<'a, 'b>) -> Result<(), Failure>;
        let groups: [(&str, Group<'_, '_>); 5] = [
            ("open", Bench::open),
            ("index", Bench::index),
            ("browse", Bench::browse),
            ("seek", Bench::seek),
            ("search", Bench::search),
        ];
        for (group, ask) in groups {
            let with_fold = group == "seek" && self.arguments.wants("fold");
            if self.arguments.wants(group) || with_fold {
                ask(self)?;
            }
        }
        Ok(())
    }

    /// Asks in turns with SQL, in rounds; each round visits `places`, and every visit counts.
    fn figure(
        &mut self,
        (group, what): (&'static str, &str),
        places: usize,
        own: Own<'_>,
        beside: Option<(&str, Beside<'_>)>,
    ) -> Result<&mut Figure, Failure> {
        self.output.progress(&format!("{group}: {what}"));
        let mut figure = Figure { group, what: what.to_owned(), ..Figure::default() };
        for round in 0..self.arguments.rounds as usize {
            for place in round * places..(round + 1) * places {
                let before = machine::read_so_far();
                let start = Instant::now();
                own(place)?;
                figure.times.push(start.elapsed());
                let read = || Some(machine::read_so_far()?.saturating_sub(before?));
                figure.read = figure.read.or_else(read);
            }
            let Some((name, ask)) = beside else { continue };
            // SQL keeps its connection, which a program of somebody's own would do as well.
            let times = self.bare.bare(&Work::default(), |bare| {
                let mut times = Vec::new();
                for place in round * places..(round + 1) * places {
                    let start = Instant::now();
                    let answer = black_box(ask(bare, place)?);
                    times.extend(answer.map(|_| start.elapsed()));
                }
                Ok(times)
            })?;
            figure.beside_times.extend(times);
            if !figure.beside_times.is_empty() {
                name.clone_into(&mut figure.beside);
            }
        }
        self.asked.figures.push(figure);
        self.asked.figures.last_mut().ok_or_else(|| Failure::trouble("nothing was measured"))
    }

    fn open(&mut self) -> Result<(), Failure> {
        let (path, project) = (self.arguments.store.clone(), self.common.project.clone());
        let is_cold = self.arguments.cold;
        let own = |_: usize| -> Result<(), Failure> {
            let opened = project::open::open(&path, project.as_deref(), &Work::default())?;
            if let project::open::Opening::Store(opened) = opened {
                first_page(&*opened.store, &EventQuery::default())?;
            }
            Ok(())
        };
        let mut cold = |place: usize| {
            if is_cold {
                machine::forget(&path);
            }
            own(place)
        };
        let what = format!("open, find the layout, first {PAGE} events");
        self.figure(("open", &what), 1, &mut cold, None)?;
        let (store, query) = (Arc::clone(&self.opened.store), EventQuery::default());
        let what = format!("first {PAGE} events of an open store");
        let sql = |bare: &Bare<'_>, _: usize| bare.page_at(0, PAGE).map(Some);
        let mut own = |_: usize| first_page(&*store, &query);
        self.figure(("open", &what), PLACES, &mut own, Some(("SQL, the same rows", &sql)))?;
        Ok(())
    }

    fn index(&mut self) -> Result<(), Failure> {
        let (store, path) = (Arc::clone(&self.opened.store), self.arguments.store.clone());
        let is_cold = self.arguments.cold;
        let mut latest = None;
        let mut own = |_: usize| -> Result<(), Failure> {
            if is_cold {
                machine::forget(&path);
            }
            latest = Some(Index::build(&*store, &lanes())?);
            Ok(())
        };
        let sql = |bare: &Bare<'_>, _: usize| bare.columns().map(Some);
        let beside: (&str, Beside<'_>) = ("loop over the same columns, one connection", &sql);
        let figure = self.figure(("index", "index of all events"), 1, &mut own, Some(beside))?;
        let seconds = figure.median().unwrap_or_default().as_secs_f64();
        if let Some(index) = latest {
            figure.note = format!("{:.0} events a second", index.len() as f64 / seconds);
            self.asked.index_bytes = Some((index.memory_bytes() as u64, index.bytes_per_event()));
        }
        Ok(())
    }

    fn browse(&mut self) -> Result<(), Failure> {
        let (store, index) = (Arc::clone(&self.opened.store), Arc::clone(&self.opened.index));
        let last = index.len().saturating_sub(PAGE * PLACES * 2);
        for (place, first) in [("start", 0), ("middle", last / 2), ("end", last)] {
            let at = |place: usize| first + place % PLACES * PAGE;
            let mut own =
                |place: usize| fetch(&*store, &index, (at(place)..).take(PAGE).map(|row| row as u32));
            let sql = |bare: &Bare<'_>, place: usize| bare.page_at(at(place) as u64, PAGE).map(Some);
            let what = format!("page of {PAGE} at the {place}");
            self.figure(("browse", &what), PLACES, &mut own, Some(("SQL with OFFSET", &sql)))?;
        }
        self.filters(&store, &index)?;
        let mut own = |_: usize| {
            let mut streams: Vec<(u64, u32)> =
                index.streams().iter().map(|info| info.events).zip(0..).collect();
            streams.sort_unstable();
            black_box(streams);
            Ok(())
        };
        let sql = |bare: &Bare<'_>, _: usize| bare.streams();
        self.figure(("browse", "streams by number of events"), 1, &mut own, Some(("SQL, GROUP BY", &sql)))?;
        let mut own = |_: usize| {
            black_box(index.histogram(None, 1000, &Work::default()).map_err(StoreError::from)?);
            Ok(())
        };
        self.figure(("browse", "density over time, 1 000 bars"), 1, &mut own, None)?;
        Ok(())
    }

    /// What a filter costs until its first page is there, and what it finds.
    fn filters(&mut self, store: &Arc<dyn EventStore>, index: &Arc<Index>) -> Result<(), Failure> {
        let mut queries = Vec::new();
        if let Some(rarest) = index.types().iter().min_by_key(|info| info.events) {
            queries.push((
                "the rarest type",
                EventQuery { types: vec![Arc::clone(&rarest.name)], ..EventQuery::default() },
            ));
        }
        if let Some(usual) = index.types().iter().max_by_key(|info| info.events) {
            queries.push((
                "the usual type",
                EventQuery { types: vec![Arc::clone(&usual.name)], ..EventQuery::default() },
            ));
        }
        if let Some(largest) = index.categories().iter().max_by_key(|info| info.events) {
            let category = Some(largest.name.clone());
            queries.push(("the largest category", EventQuery { category, ..EventQuery::default() }));
        }
        if let Some((first, last)) = index.time_span() {
            let at = |share: i64| {
                let span = (last.nanos() - first.nanos()) / 10;
                Some(Timestamp::from_nanos(first.nanos() + span * share, 9))
            };
            queries.push((
                "a tenth of the time",
                EventQuery { from: at(6), to: at(7), ..EventQuery::default() },
            ));
        }
        for (name, query) in queries {
            let mut found = 0;
            let mut own = |_: usize| -> Result<(), Failure> {
                let rows =
                    index.filter(&query, &Work::default()).map_err(StoreError::from)?.unwrap_or_default();
                found = rows.len();
                Ok(())
            };
            let sql = |bare: &Bare<'_>, _: usize| bare.count_of(&query);
            let what = format!("all events of {name}");
            let figure = self.figure(("browse", &what), 3, &mut own, Some(("SQL, count(*)", &sql)))?;
            figure.note = counted(found, "event");
            let rows = index.filter(&query, &Work::default()).map_err(StoreError::from)?.unwrap_or_default();
            let firsts: Vec<u32> = rows.iter().take(PAGE).collect();
            let mut own = |_: usize| fetch(&**store, index, firsts.iter().copied());
            let sql = |bare: &Bare<'_>, _: usize| bare.first_of(&query, PAGE).map(Some);
            let what = format!("first page of {name}");
            self.figure(("browse", &what), 3, &mut own, Some(("SQL with LIMIT", &sql)))?.note =
                counted(firsts.len(), "event");
        }
        Ok(())
    }

    /// Folds the longest stream once and seeks in it.
    fn seek(&mut self) -> Result<(), Failure> {
        let (store, index) = (Arc::clone(&self.opened.store), Arc::clone(&self.opened.index));
        let longest = (0_u32..).zip(index.streams().iter()).max_by_key(|(_, info)| info.events);
        let Some((stream, info)) = longest else { return Ok(()) };
        let query = EventQuery { stream: Some(Arc::clone(&info.name)), ..EventQuery::default() };
        let chosen = self.arguments.reducer.choose(&self.opened, stream, self.output)?;
        let name = chosen.reducer.name().to_string();
        let mut latest = None;
        let mut own = |_: usize| -> Result<(), Failure> {
            let events = Arc::new(StreamEvents::new(Arc::clone(&store), Arc::clone(&index), stream));
            let history = History::new(events, Arc::clone(&chosen.reducer), chosen.on_failure, HISTORY_BYTES);
            history.fold_all(&lanes())?;
            latest = Some(history);
            Ok(())
        };
        let sql = |bare: &Bare<'_>, _: usize| bare.parse_stream(&query);
        let beside: (&str, Beside<'_>) = ("SQL, and serde_json for each payload", &sql);
        let what = format!("fold the longest stream, {name}");
        let figure = self.figure(("fold", &what), 1, &mut own, Some(beside))?;
        let seconds = figure.median().unwrap_or_default().as_secs_f64();
        let Some(history) = latest else { return Ok(()) };
        figure.note = format!("{} events, {:.0} a second", history.len(), history.len() as f64 / seconds);
        self.asked.keyframe_bytes = Some(history.figures().bytes as u64);
        if !self.arguments.wants("seek") {
            return Ok(());
        }
        let mut own = |place: usize| -> Result<(), Failure> {
            // Steps of a large odd number visit places all over the history.
            black_box(history.step_at(place * 7919 % history.len().max(1) + 1, &Work::default())?);
            Ok(())
        };
        let what = format!("seek anywhere in it, {name}");
        self.figure(("seek", &what), SEEKS, &mut own, None)?;
        let mut own = |place: usize| -> Result<(), Failure> {
            black_box(history.step_at(history.len().saturating_sub(place), &Work::default())?);
            Ok(())
        };
        self.figure(("seek", &format!("step back in it, {name}")), SEEKS, &mut own, None)?;
        Ok(())
    }

    fn search(&mut self) -> Result<(), Failure> {
        let store = Arc::clone(&self.opened.store);
        let text = self.arguments.text.as_deref().unwrap_or(NOWHERE);
        let sought = Sought::Text { text: text.into(), is_exact_case: false };
        let sieve = Sieve::new(&sought).map_err(|reason| Failure::trouble(reason).given(text))?;
        let query = Arc::new(EventQuery::default());
        let mut hits = 0;
        let mut own = |_: usize| -> Result<(), Failure> {
            let work = lanes();
            let ranges = store.ranges(&work, None, RANGES)?;
            let order = (Newest::Last, usize::MAX);
            hits = search_ranges(&*store, &work, (&sieve, &query), &ranges, order)?.0.len();
            Ok(())
        };
        let sql = |bare: &Bare<'_>, _: usize| bare.like(text);
        let beside: (&str, Beside<'_>) = ("SQL, LIKE over the same columns", &sql);
        let figure = self.figure(("search", "search all payloads for a text"), 1, &mut own, Some(beside))?;
        figure.note = counted(hits, "hit");
        Ok(())
    }
}

fn lanes() -> Work {
    Work::with_lanes(Arc::new(ThreadLanes))
}

fn first_page(store: &dyn EventStore, query: &EventQuery) -> Result<(), Failure> {
    black_box(store.page(&Work::default(), query, &PageFrom::Start, PAGE)?);
    Ok(())
}

fn fetch(store: &dyn EventStore, index: &Index, rows: impl Iterator<Item = u32>) -> Result<(), Failure> {
    let keys: Vec<EventKey> = rows.filter_map(|ordinal| index.key(ordinal)).collect();
    black_box(store.fetch(&Work::default(), &keys)?);
    Ok(())
}
