//! Reads the arguments, and opens the window or answers without one.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use etcetera::BaseStrategy as _;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag::{register, register_conditional_shutdown},
};
use timeglass::{
    cli::{self, Exit, Output, Rehearsal, WindowRequest},
    model::Timestamp,
    store::cache::Cache,
    ui::{self, Start, WindowError},
};

fn main() -> ExitCode {
    // Not locked: the window's libraries may write to the same streams while it is open.
    let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
    let is_terminal = err.is_terminal();
    let mut output = Output::new(&mut out, &mut err).with_clock(now).with_progress(is_terminal);
    if let Some(cache) = cache() {
        output = output.with_cache(cache);
    }
    let stop = stopped_by_signals();
    output = output.with_stop(Arc::clone(&stop));
    let exit = cli::run(std::env::args_os(), &mut output, |request| {
        // A window has nothing to put in order; the first Ctrl+C ends it.
        stop.store(true, Relaxed);
        open_window(request)
    });
    ExitCode::from(exit.code())
}

/// Set by the first Ctrl+C, so that a command removes what it has not finished; the second ends the process.
fn stopped_by_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Asked before the flag is set, or the first would be the second. Where the system refuses, a signal ends
        // the process at once, as without us.
        if register_conditional_shutdown(signal, Exit::Stopped.code().into(), Arc::clone(&stop)).is_ok() {
            register(signal, Arc::clone(&stop)).ok();
        }
    }
    stop
}

/// The time of day, to the second. The only place that reads it.
fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "here it is handed in")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_epoch(i64::try_from(since.as_secs()).unwrap_or_default(), 0)
        .unwrap_or_else(|| Timestamp::from_nanos(0, 0))
}

fn open_window(request: WindowRequest) -> Exit {
    let WindowRequest { store, project, no_cache, rehearsal } = request;
    let ended = match (rehearsal, store) {
        (Some(rehearsal), Some(store)) => rehearse(rehearsal, store, project.as_deref()),
        (_, store) => ui::run(Start {
            store,
            project,
            sample: sample_path(),
            clock: Some(now),
            cache: cache().filter(|_| !no_cache),
        }),
    };
    match ended {
        Ok(()) => Exit::Done,
        Err(err) => {
            // Nobody is left to tell if standard error is closed.
            writeln!(io::stderr(), "{err}").ok();
            Exit::Failed
        }
    }
}

/// Where indexes are kept between runs: with the user's other caches; nowhere without a home.
fn cache() -> Option<Cache> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(Cache::new(base.cache_dir().join("timeglass").join("index"), Cache::BOUND).with_clock(now))
}

/// Plays the session and says what its frames took.
fn rehearse(rehearsal: Rehearsal, store: PathBuf, project: Option<&Path>) -> Result<(), WindowError> {
    let report = ui::rehearse(store, project, Duration::from_secs(rehearsal.seconds.into()))?;
    let text = if rehearsal.json { report.to_json().to_pretty() + "\n" } else { report.to_text() };
    // Nobody is left to tell if standard output is closed.
    io::stdout().write_all(text.as_bytes()).ok();
    Ok(())
}

/// Where the sample store lies, or is made when it is opened first: with the user's other data.
fn sample_path() -> PathBuf {
    let folder = etcetera::choose_base_strategy().map_or_else(|_| PathBuf::from("."), |base| base.data_dir());
    folder.join("timeglass").join("shop.sqlite")
}
