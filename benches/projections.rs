//! What a rebuild of an SQL projection costs, beside a loop of prepared statements that somebody wrote by hand.
//!
//! The loop reads the same store with the same SQLite, and runs the same statements with named parameters in one
//! transaction. The three take turns within one run; what counts is the quotient of the medians.
//! `README.md` beside this file says how to run it.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, Statement, named_params};
use timeglass::{
    projection::{Definition, ReadModel, RebuildOptions, RowsQuery, Scratch, rebuild},
    sample::{self, SampleOptions, Shape},
    script::Options,
    store::sqlite::{Opened, SqliteStore},
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TABLE: &str = "CREATE TABLE order_summaries (order_id TEXT PRIMARY KEY, status TEXT NOT NULL, \
                     item_count INTEGER NOT NULL, total INTEGER, placed_at TEXT NOT NULL, updated_at TEXT NOT NULL)";

/// What runs at an order that is placed, and at each of the later event types.
const PLACED: &str = "INSERT INTO order_summaries VALUES (:stream, 'placed', \
                      (SELECT count(*) FROM json_each(:data, '$.items')), :data ->> 'total_cents', :time, :time)";
const CHANGED: &str = "UPDATE order_summaries SET status = :type, total = coalesce(:data ->> 'total_cents', total), \
                       updated_at = :time WHERE order_id = :stream";
const CHANGES: [&str; 6] =
    ["OrderPaid", "OrderPacked", "OrderShipped", "OrderDelivered", "OrderRefunded", "OrderCancelled"];

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events = number("TIMEGLASS_BENCH_EVENTS", 1_000_000);
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 3);
    let path = generated(events)?;
    let sql = format!(
        "-- @projection order_summaries key: order_id\n{TABLE};\n-- @on OrderPlaced\n{PLACED};\n-- @on {}\n{CHANGED};",
        CHANGES.join(", ")
    );
    let definition = Definition::parse(Path::new("orders.sql"), &sql, &Options::default())?.remove(0);
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut pages = Vec::new();
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let (expected, by_hand) = by_hand(&path, &folder.path().join("by-hand.sqlite"))?;
        let [hand, plain, scrubbed] = &mut times;
        hand.push(by_hand);
        for (times, without_history) in [(plain, true), (scrubbed, false)] {
            let store = open(&path)?;
            let scratch = Scratch::temporary()?;
            let options = RebuildOptions { without_history, ..RebuildOptions::default() };
            let start = Instant::now();
            let progress = rebuild(&Work::default(), &*store, &definition, &scratch, &options)?;
            times.push(start.elapsed());
            let model = ReadModel::open(&scratch, &definition)?;
            let rows = model.len_at(&Work::default(), progress.count)?;
            assert_eq!((progress.handled, rows), expected, "both did the same work");
            if !without_history {
                pages.push(page(&model, progress.count, rows)?);
            }
        }
    }
    let [by_hand, plain, scrubbed] = times.map(median);
    println!("{events} events, medians of {rounds} rounds\n\n| What | Median | Events/s |\n|---|---|---|");
    for (name, time) in [
        ("prepared statements by hand", by_hand),
        ("rebuild", plain),
        ("rebuild with the history of rows", scrubbed),
    ] {
        println!("| {name} | {:.2} s | {:.0} |", time.as_secs_f64(), events as f64 / time.as_secs_f64());
    }
    println!(
        "| a page of 100 rows at half of the events | {:.2} ms | |",
        median(pages).as_secs_f64() * 1000.0
    );
    println!("\nrebuild / by hand: {:.2}", by_hand.as_secs_f64() / plain.as_secs_f64());
    println!("with history / without: {:.2}", plain.as_secs_f64() / scrubbed.as_secs_f64());
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// The sample store of this size, made once and kept among the build's files.
fn generated(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("bench-{}-{events}.sqlite", Shape::Shop.key()));
    if !path.exists() {
        // Under another name until it is whole.
        let half = path.with_extension("half");
        if half.exists() {
            std::fs::remove_file(&half)?;
        }
        sample::write(&half, &SampleOptions { events, ..SampleOptions::of(Shape::Shop) }, &Work::default())?;
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

/// What a developer would write: how many events were handled, how many rows there are, and how long it took.
fn by_hand(path: &Path, target: &Path) -> Outcome<((u64, u64), Duration)> {
    let start = Instant::now();
    // Without a mutex around each call, as rusqlite opens by default.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(path, flags)?;
    let target = Connection::open(target)?;
    target
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; PRAGMA cache_size = -65536")?;
    target.execute_batch(TABLE)?;
    target.execute_batch("BEGIN")?;
    let mut placed = target.prepare(PLACED)?;
    let mut changed = target.prepare(CHANGED)?;
    let mut handled = 0;
    let mut events = source
        .prepare("SELECT position, stream, version, type, recorded_at, data FROM events ORDER BY position")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let kind = row.get_ref(3)?.as_str()?;
        let run = |statement: &mut Statement<'_>, has_type: bool| -> Outcome<()> {
            let (stream, time, data) =
                (row.get_ref(1)?.as_str()?, row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_str()?);
            if has_type {
                let values = named_params! { ":stream": stream, ":time": time, ":data": data, ":type": kind };
                statement.execute(values)?;
            } else {
                statement.execute(named_params! { ":stream": stream, ":time": time, ":data": data })?;
            }
            Ok(())
        };
        if kind == "OrderPlaced" {
            run(&mut placed, false)?;
        } else if CHANGES.contains(&kind) {
            run(&mut changed, true)?;
        } else {
            continue;
        }
        handled += 1;
    }
    target.execute_batch("COMMIT")?;
    let time = start.elapsed();
    let rows: i64 = target.query_row("SELECT count(*) FROM order_summaries", [], |row| row.get(0))?;
    Ok(((handled, rows.unsigned_abs()), time))
}

/// A page in the middle of the list, as the window asks for it.
fn page(model: &ReadModel, count: u64, rows: u64) -> Outcome<Duration> {
    let start = Instant::now();
    let query = RowsQuery { count: count / 2, first: rows / 4, limit: 100, ..RowsQuery::default() };
    let page = model.rows_at(&Work::default(), &query)?;
    assert!(!page.is_empty(), "there are rows");
    Ok(start.elapsed())
}
