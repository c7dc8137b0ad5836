//! What every question costs in stores of ten thousand events and more, each ten times as large as the last.
//!
//! Makes the stores, asks `timeglass bench` of each, plays the session in the window where there is a display
//! (`TIMEGLASS_BENCH_SECONDS`, 60), and writes one table into `README.md` between its marks and one plot into
//! `growth.svg`, both beside this file's folder. `README.md` says how to run it.
#![expect(clippy::print_stdout, reason = "it says what it is doing")]

mod plot;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use serde_json::Value;
use timeglass::{
    cli::{self, Exit, Output},
    jobs::ThreadLanes,
    sample::{self, SampleOptions, Shape},
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The smallest store, and the largest unless `TIMEGLASS_BENCH_LARGEST` says otherwise.
const SIZES: (u64, u64) = (10_000, 1_000_000);

const BEGIN: &str = "<!-- growth begins: written by `cargo bench --bench growth` -->";
const END: &str = "<!-- growth ends -->";

/// One question: its name without what differs from store to store, and its median by the number of events.
type Lines = Vec<(String, BTreeMap<u64, f64>)>;

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let largest = number("TIMEGLASS_BENCH_LARGEST", SIZES.1);
    let rounds = number("TIMEGLASS_BENCH_ROUNDS", 3);
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let session = has_display.then(|| number("TIMEGLASS_BENCH_SECONDS", 60));
    if session.is_none() {
        println!("there is no display: frames are not measured");
    }
    let mut lines = Lines::new();
    let mut size = SIZES.0;
    while size <= largest {
        let store = generated(size)?;
        println!("{size} events: {}", store.display());
        add(&mut lines, size, &asked(&store, rounds)?);
        if let Some(seconds) = session {
            add_frames(&mut lines, size, &played(&store, seconds)?);
        }
        size *= 10;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    fs::write(folder.join("growth.svg"), plot::svg(&lines))?;
    put_between(&folder.join("README.md"), &table(&lines))?;
    println!("{}", table(&lines));
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// The mixed sample of this size, made once and kept among the build's files.
fn generated(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("mixed-{events}.sqlite"));
    if !path.exists() {
        // Under another name until it is whole.
        let part = path.with_extension("part");
        if part.exists() {
            fs::remove_file(&part)?;
        }
        let options = SampleOptions { events, ..SampleOptions::of(Shape::Mixed) };
        sample::write(&part, &options, &Work::with_lanes(Arc::new(ThreadLanes)))?;
        fs::rename(&part, &path)?;
    }
    Ok(path)
}

/// The answer of `timeglass bench`.
fn asked(store: &Path, rounds: u64) -> Outcome<Value> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let path = store.display().to_string();
    let rounds = rounds.to_string();
    let arguments = ["timeglass", "bench", &path, "--json", "--quiet", "--rounds", &rounds];
    let exit = cli::run(arguments, &mut Output::new(&mut out, &mut err), |_| Exit::Failed);
    if exit != Exit::Done {
        return Err(String::from_utf8_lossy(&err).into_owned().into());
    }
    Ok(serde_json::from_slice(&out)?)
}

/// The answer of `timeglass bench --window`, while the store is indexed anew.
fn played(store: &Path, seconds: u64) -> Outcome<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_timeglass"))
        .args(["bench", "--window", "--json", "--quiet", "--no-cache", "--seconds", &seconds.to_string()])
        .arg(store)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn add_frames(lines: &mut Lines, size: u64, answer: &Value) {
    let whole = answer.get("own_work").and_then(|steps| steps.get(0));
    let own = |name: &str| whole.and_then(|whole| whole.get(name)).and_then(Value::as_f64);
    let rows = answer.get("first_rows_ms").and_then(Value::as_f64);
    for (what, time) in [
        ("window, from its creation to the first rows", rows),
        ("window, own work of a frame", own("median_ms")),
        ("window, own work of 99 of 100 frames", own("p99_ms")),
    ] {
        if let Some(time) = time {
            add_one(lines, size, (what, time));
        }
    }
}

fn add(lines: &mut Lines, size: u64, answer: &Value) {
    for figure in answer.get("figures").and_then(Value::as_array).into_iter().flatten() {
        let (Some(what), Some(median)) =
            (figure.get("what").and_then(Value::as_str), figure.get("median_ms").and_then(Value::as_f64))
        else {
            continue;
        };
        add_one(lines, size, (what, median));
    }
}

fn add_one(lines: &mut Lines, size: u64, (what, median): (&str, f64)) {
    let place = lines.iter().position(|(name, _)| name == what);
    let place = place.unwrap_or_else(|| {
        lines.push((what.to_owned(), BTreeMap::new()));
        lines.len() - 1
    });
    if let Some((_, medians)) = lines.get_mut(place) {
        medians.insert(size, median);
    }
}

/// A column for each size, and how much more the largest costs than the smallest.
fn table(lines: &Lines) -> String {
    let sizes: Vec<u64> =
        lines.first().map(|(_, medians)| medians.keys().copied().collect()).unwrap_or_default();
    let heads: Vec<String> = sizes.iter().map(|size| format!(" {} |", plot::grouped(*size))).collect();
    let heads = heads.concat();
    let rules: String = sizes.iter().map(|_| "--:|").collect();
    let mut text = format!("| Milliseconds, medians, by events |{heads} Last / first |\n|---|{rules}--:|\n");
    for (name, medians) in lines {
        let cells: Vec<String> = medians.values().map(|median| format!(" {} |", shown(*median))).collect();
        let cells = cells.concat();
        let growth = medians.values().next().zip(medians.values().last());
        let growth = growth.map(|(first, last)| shown(last / first.max(1e-6))).unwrap_or_default();
        text.extend(["| ", name, " |", &cells, " ", &growth, " |\n"]);
    }
    text
}

/// Three digits that count.
fn shown(number: f64) -> String {
    match number {
        0.0..0.1 => format!("{number:.3}"),
        0.1..10.0 => format!("{number:.2}"),
        10.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// Replaces what stands between the marks; they are put at the end of a text that lacks them.
fn put_between(path: &Path, table: &str) -> Outcome<()> {
    let text = fs::read_to_string(path)?;
    let part = format!("{BEGIN}\n\n{table}\n![Growth](growth.svg)\n\n{END}");
    let new = match (text.split_once(BEGIN), text.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{part}{after}"),
        _ => format!("{}\n\n## Growth\n\n{part}\n", text.trim_end()),
    };
    Ok(fs::write(path, new)?)
}
