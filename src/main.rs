//! Reads the arguments, and opens the window or answers without one.

use std::{
    io::{self, BufWriter, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use etcetera::BaseStrategy as _;
use timeglass::{
    cli::{self, Exit, Output, WindowRequest},
    ui::{self, Start},
};

fn main() -> ExitCode {
    // Not locked: the window's libraries may write to the same streams while it is open.
    let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
    let exit = cli::run(std::env::args_os(), &mut Output::new(&mut out, &mut err), open_window);
    ExitCode::from(exit.code())
}

fn open_window(request: WindowRequest) -> Exit {
    let start = Start { store: request.store, project: request.project, sample: sample_path() };
    match ui::run(start) {
        Ok(()) => Exit::Done,
        Err(err) => {
            // Nobody is left to tell if standard error is closed.
            writeln!(io::stderr(), "{err}").ok();
            Exit::Failed
        }
    }
}

/// Where the sample store lies, or is made when it is opened first: with the user's other data.
fn sample_path() -> PathBuf {
    let folder = etcetera::choose_base_strategy().map_or_else(|_| PathBuf::from("."), |base| base.data_dir());
    folder.join("timeglass").join("shop.sqlite")
}
