//! A reducer over one long stream: the bare engine, our engine fed from memory, and the whole fold from a file.

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
};

use timeglass::{
    jobs::ThreadLanes,
    model::Json,
    replay::{History, OnFailure, Scripted, StreamEvents},
    script::{Envelope, Options, Runner, Script, Step},
    store::{
        EventStore,
        index::Index,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

use crate::{Outcome, Taken, accounts, bare, timed};

/// Events of the stream, if `TIMEGLASS_BENCH_EVENTS` does not say.
const EVENTS: usize = 200_000;

/// Runs of each side, in turns.
const ROUNDS: usize = 5;

/// Random seeks.
const SEEKS: usize = 1000;

/// What the window gives to one history.
const BUDGET: usize = 256 << 20;

/// The fold from the store is to have so many parts in a hundred of the bare engine's speed.
const GOAL: f64 = 80.0;

type Events = [(&'static str, String)];

/// Prints what each way takes, and the quotients to the bare engine of the same round.
pub(crate) fn compare() -> Outcome<()> {
    let count = std::env::var("TIMEGLASS_BENCH_EVENTS").ok().and_then(|text| text.parse().ok());
    let events = accounts::events(count.unwrap_or(EVENTS));
    let bytes = events.iter().map(|(_, data)| data.len()).sum::<usize>() / events.len().max(1);
    let work = Work::default();
    let script = Script::load_reducer("accounts.js", accounts::SOURCE, &Options::frozen(None), &work);
    let script = script.map_err(|err| err.to_string())?;
    let (store, index) = stored(&events)?;
    let sequence = Arc::new(StreamEvents::new(Arc::clone(&store), Arc::clone(&index), 0));
    let expected = bare::fold(accounts::SOURCE, accounts::STREAM, &events)?;
    let reducer = Arc::new(Scripted::new(script.clone()));
    let lanes = Work::with_lanes(Arc::new(ThreadLanes));
    let ways: [(&str, &dyn Fn() -> Outcome<String>); 4] = [
        ("the bare engine, objects streamed in", &|| {
            Ok(bare::fold(accounts::SOURCE, accounts::STREAM, &events)?)
        }),
        ("our engine, fed from memory", &|| fed(&script, &events)),
        ("folded from the store, one lane", &|| folded(&sequence, &reducer, &work)),
        ("folded from the store, all lanes", &|| folded(&sequence, &reducer, &lanes)),
    ];
    let mut taken: Vec<Vec<Taken>> = ways.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((name, way), taken) in ways.iter().zip(&mut taken) {
            let mut state = String::new();
            taken.push(timed(|| {
                state = way()?;
                Ok(())
            })?);
            if state != expected {
                return Err(format!("{name} came to {state} and not to {expected}").into());
            }
        }
    }
    println!(
        "\n{} events of {bytes} bytes in one stream; the state has {} bytes\n",
        events.len(),
        expected.len()
    );
    println!(
        "| What | Events/s | Of the bare engine | Per second of this thread's processor | Of the bare engine |"
    );
    println!("|---|---|---|---|---|");
    let mut best = 0.0_f64;
    for (number, ((name, _), own)) in ways.iter().zip(&taken).enumerate() {
        let share = report(name, events.len(), own, taken.first().map_or(&[], Vec::as_slice));
        // The first two read no store.
        best = if number < 2 { best } else { best.max(share) };
    }
    let verdict = if best >= GOAL { "reached" } else { "MISSED" };
    println!(
        "\nThe fold from the store has {best:.0} % of the bare engine's speed, {GOAL} is the goal: {verdict}"
    );
    seeks(sequence, reducer)
}

/// Medians, and the medians of the quotients of each round; the one by the clock is handed back.
fn report(name: &str, events: usize, own: &[Taken], bare: &[Taken]) -> f64 {
    let wall = |taken: &Taken| taken.wall.as_secs_f64();
    let processor = |taken: &Taken| taken.processor.map_or(f64::NAN, |time| time.as_secs_f64());
    let rate = |time: &dyn Fn(&Taken) -> f64| events as f64 / median(own.iter().map(time).collect());
    let share = |time: &dyn Fn(&Taken) -> f64| {
        100.0 * median(own.iter().zip(bare).map(|(own, bare)| time(bare) / time(own)).collect())
    };
    println!(
        "| {name} | {:.0} | {:.0} % | {:.0} | {:.0} % |",
        rate(&wall),
        share(&wall),
        rate(&processor),
        share(&processor)
    );
    share(&wall)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The state at the end of a history of which nothing is known, keyframes on the way included.
fn folded(sequence: &Arc<StreamEvents>, reducer: &Arc<Scripted>, work: &Work) -> Outcome<String> {
    let (sequence, reducer) = (Arc::clone(sequence), Arc::clone(reducer));
    let history = History::new(sequence, reducer, OnFailure::GoOn, BUDGET);
    Ok(history.step_at(history.len(), work)?.after.to_compact())
}

fn fed(script: &Script, events: &Events) -> Outcome<String> {
    let mut runner = Runner::start(script, &Work::default()).map_err(|err| err.to_string())?;
    let types: Vec<Arc<str>> = script.handled_types().to_vec();
    let first = format!("{{\"type\":\"\",\"stream\":\"{}\"}}", accounts::STREAM);
    let template = Envelope::from_listing(&Json::parse(first.as_bytes())?)?;
    for (number, (event_type, data)) in events.iter().enumerate() {
        let known = types.iter().find(|known| ***known == **event_type);
        let mut event = template.clone();
        event.event_type = known.map_or_else(|| (*event_type).into(), Arc::clone);
        event.sequence_number = number as i64;
        event.set_texts(Some(data), None);
        match runner.advance(&Arc::new(event)) {
            Step::Faulted(fault) => return Err(fault.failure.to_string().into()),
            step => drop(black_box(step)),
        }
    }
    Ok(runner.state("").map(|state| state.to_compact()).unwrap_or_default())
}

/// Random places of a history that was folded once.
fn seeks(sequence: Arc<StreamEvents>, reducer: Arc<Scripted>) -> Outcome<()> {
    let work = Work::default();
    let history = History::new(sequence, reducer, OnFailure::GoOn, BUDGET);
    let whole = timed(|| Ok(history.fold_all(&work)?))?;
    let length = history.len();
    let mut times = Vec::with_capacity(SEEKS);
    for number in 0..SEEKS {
        // Steps of a large prime visit places all over the history, and never the same twice.
        let place = number * 500_009 % (length + 1);
        let seek = || {
            black_box(history.step_at(place, &work)?);
            Ok(())
        };
        times.push(timed(seek)?.wall);
    }
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(SEEKS * share / 100)
            .or_else(|| times.last())
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "\nWith keyframes and the index of changes folded once in {:.0} ms; then {SEEKS} seeks anywhere: p50 {:.2} ms, p99 \
         {:.2} ms, longest {:.2} ms.",
        whole.wall.as_secs_f64() * 1000.0,
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

/// The stream in a store of its own, made once and kept among the build's files.
fn stored(events: &Events) -> Outcome<(Arc<dyn EventStore>, Arc<Index>)> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("javascript-accounts-{}.sqlite", events.len()));
    if !path.exists() {
        write_store(&path, events)?;
    }
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let store: Arc<dyn EventStore> = match SqliteStore::open(&path, None, &work)? {
        Opened::Found { store, .. } => Arc::from(store as Box<dyn EventStore>),
        Opened::NotFound { .. } => return Err("the generated store has no events".into()),
    };
    let index = Arc::new(Index::build(&*store, &work)?);
    Ok((store, index))
}

fn write_store(path: &Path, events: &Events) -> Outcome<()> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, \
         type TEXT NOT NULL, event_id TEXT NOT NULL, recorded_at TEXT NOT NULL, data TEXT NOT NULL, \
         metadata TEXT, UNIQUE (stream, version))",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert =
            transaction.prepare("INSERT INTO events VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, NULL)")?;
        for (number, (event_type, data)) in events.iter().enumerate() {
            let id = format!("00000000-0000-4000-8000-{number:012}");
            let version = i64::try_from(number)?;
            let row =
                rusqlite::params![accounts::STREAM, version, event_type, id, accounts::time(number), data];
            insert.execute(row)?;
        }
    }
    Ok(transaction.commit()?)
}
