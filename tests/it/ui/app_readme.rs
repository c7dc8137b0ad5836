//! The README says what the program does: its table of actions, its commands and what they print.

use std::{fmt::Write as _, fs, path::PathBuf};

use timeglass::{
    cli::{self, Exit, Output},
    session::action::{Menu, NAMED},
};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn readme() -> String {
    fs::read_to_string(path()).expect("the README")
}

/// What a command prints to standard output.
fn run(arguments: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("timeglass").chain(arguments.iter().copied());
    let exit =
        cli::run(arguments, &mut Output::new(&mut out, &mut err), |_| panic!("no window was asked for"));
    assert_ne!(exit, Exit::Failed, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).expect("UTF-8")
}

fn table() -> String {
    let mut table = "| Menu | Action | Keys | What it does |\n| --- | --- | --- | --- |\n".to_owned();
    for menu in Menu::ALL {
        for action in NAMED.iter().filter(|action| action.menu == menu) {
            let shown = timeglass::ui::keys::shown(action.shortcut);
            let keys = if shown.is_empty() { String::new() } else { format!("`{shown}`") };
            writeln!(table, "| {} | {} | {keys} | {} |", menu.title(), action.name, action.help)
                .expect("room");
        }
    }
    table
}

#[test]
fn the_readme_lists_every_action() {
    let (start, end) = ("<!-- actions -->\n", "<!-- end of actions -->");
    let text = readme();
    let (head, rest) = text.split_once(start).expect("a place for the table");
    let (kept, tail) = rest.split_once(end).expect("its end");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(path(), format!("{head}{start}{}{end}{tail}", table())).expect("room for the README");
        return;
    }
    assert_eq!(kept, table(), "UPDATE_README=1 cargo test --test it readme writes it anew");
}

#[test]
fn the_readme_names_every_command() {
    let text = readme();
    let help = run(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("their end");
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(text.contains(&format!("timeglass {name} ")), "{name} is not in the README");
    }
}

/// The words of a command line; what stands in single quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

/// A line `…` says that the rest is left out.
#[test]
fn what_the_readme_shows_is_what_is_printed() {
    let text = readme();
    let mut compared = 0;
    for block in text.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("its end");
        let (command, shown) = block.split_once('\n').expect("a command and its answer");
        let command = command.strip_prefix("$ timeglass ").expect("a command of ours");
        let arguments = words(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let printed = run(&arguments);
        match shown.split_once("…\n").filter(|(kept, _)| kept.is_empty() || kept.ends_with('\n')) {
            Some((kept, _)) => assert!(printed.starts_with(kept), "{command} prints\n{printed}"),
            None => assert_eq!(shown, printed, "{command}"),
        }
        compared += 1;
    }
    assert!(compared >= 4, "the README shows commands");
}
