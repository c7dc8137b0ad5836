//! Reads the arguments, and opens the window or answers without one.

use std::{
    io::{self, BufWriter},
    process::ExitCode,
};

use timeglass::cli::{self, Exit, Output};

fn main() -> ExitCode {
    // Not locked: the window's libraries may write to the same streams while it is open.
    let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
    let exit = cli::run(std::env::args_os(), &mut Output::new(&mut out, &mut err), |_request| Exit::Failed);
    ExitCode::from(exit.code())
}
