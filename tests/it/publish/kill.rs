//! The program is killed at every point: the store is as before or as after, and never in between.
//!
//! The program that is killed is this test binary once more, told by the environment to publish.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use rusqlite::{Connection, types::Value};
use timeglass::{
    model::Stored,
    publish::{BackupPlace, Edits, Step},
    store::EventStore as _,
    work::Work,
};

use super::stage::{Stage, everything, rows_of, write_watched};
use crate::sqlite_store::open;

/// Tells this binary which store it is to publish into.
pub(super) const STORE: &str = "TIMEGLASS_TEST_PUBLISHES_INTO";
/// At which step it is to die.
const DIES_AT: &str = "TIMEGLASS_TEST_DIES_AT_STEP";

/// Rows that are inserted, of so many bytes: more than SQLite keeps in memory, so that pages of a transaction
/// that is not over yet are in the file when the program dies.
const NEW_ROWS: i64 = 100;
const BYTES: usize = 30_000;

/// Pages that the backup needs several steps for.
const BALLAST: &str = "CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast SELECT randomblob(4000) FROM events, (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9 UNION SELECT 10);";

/// Edits of every kind, too large for SQLite's memory.
fn large() -> Edits {
    let mut edits = everything(NEW_ROWS);
    for row in edits.tables.iter_mut().flat_map(|table| &mut table.inserts) {
        for (name, value) in row {
            if &**name == "status" {
                *value = Stored::Text("paid ".repeat(BYTES / 5).into_bytes().into());
            }
        }
    }
    edits
}

/// Publishes and says each step on standard output; dies at one if the environment says so.
#[test]
fn the_child_publishes_what_it_is_told_to() {
    let told = env::var_os(STORE).map(PathBuf::from);
    // Under a limit there may be no room for a store of its own.
    let own = told.is_none().then(|| Stage::with("delete", BALLAST));
    let path = told.or_else(|| own.as_ref().map(|stage| stage.path.clone())).expect("a store");
    let dies_at: Option<u64> = env::var(DIES_AT).ok().and_then(|step| step.parse().ok());
    let step = AtomicU64::new(0);
    let edits = large();
    let head = open(&path).events_head(&Work::default()).expect("a head");
    let plan = timeglass::publish::dry_run(&Work::default(), &open(&path), &edits, head).expect("a plan");
    let published = write_watched(&path, &edits, &plan, &BackupPlace::Beside, &|what| {
        let number = step.fetch_add(1, Ordering::Relaxed);
        // Nobody may listen any more.
        writeln!(std::io::stdout().lock(), "step {what:?}").ok();
        std::io::stdout().flush().ok();
        if dies_at == Some(number) {
            std::process::abort();
        }
        Ok(())
    });
    match published {
        Ok(published) => assert_eq!((published.inserted, published.is_confirmed), (NEW_ROWS as u64, true)),
        Err(err) if own.is_none() => {
            writeln!(std::io::stdout().lock(), "error {err}").expect("a reader");
        }
        Err(err) => panic!("{err}"),
    }
}

/// Starts the child.
pub(super) fn child(mut command: Command, store: &Path, dies_at: Option<u64>) -> Child {
    command
        .args(["--exact", "publish::kill::the_child_publishes_what_it_is_told_to", "--nocapture"])
        .env(STORE, store)
        .env_remove(DIES_AT)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(step) = dies_at {
        command.env(DIES_AT, step.to_string());
    }
    command.spawn().expect("this binary runs")
}

fn this_binary() -> Command {
    Command::new(env::current_exe().expect("this binary"))
}

/// The lines of the child that begin with this word, without it.
pub(super) fn said(child: Child, word: &str) -> Vec<String> {
    let output = child.wait_with_output().expect("a child");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_once(word).map(|(_, rest)| rest.to_owned())).collect()
}

/// What the read model and the checkpoint hold, without the time of insertion.
type Picture = (Vec<Vec<Value>>, Vec<Vec<Value>>);

fn picture(path: &Path) -> Picture {
    let mut orders = rows_of(path, "orders");
    for row in &mut orders {
        row.truncate(3);
    }
    (orders, rows_of(path, "projection_checkpoints"))
}

/// A store, what it holds before and after, and what the child says on the way.
struct Scene {
    stage: Stage,
    before: Picture,
    after: Picture,
    events: Vec<Vec<Value>>,
    steps: Vec<String>,
}

impl Scene {
    fn new(journal: &str) -> Self {
        let stage = Stage::with(journal, BALLAST);
        let (before, events) = (picture(&stage.path), stage.rows("events"));
        let whole = stage.folder.path().join("whole");
        fs::create_dir(&whole).expect("a folder");
        let whole = whole.join("shop.sqlite");
        fs::copy(&stage.path, &whole).expect("a copy");
        let steps = said(child(this_binary(), &whole, None), "step ");
        let after = picture(&whole);
        assert_ne!(before, after);
        Self { stage, before, after, events, steps }
    }

    /// Lets a child publish into a copy, and looks at what is left of it.
    fn check(&self, how: &str, kill: impl FnOnce(&Path)) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shop.sqlite");
        fs::copy(&self.stage.path, &path).expect("a copy");
        kill(&path);
        // First as we read it, without a trace and beside whatever the dead left.
        let head = open(&path).events_head(&Work::default()).expect("a head");
        assert_eq!(head.events(), self.events.len() as u64, "{how}");
        // Then as any program opens it.
        let connection = Connection::open(&path).expect("the store");
        let verdict: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
        assert_eq!(verdict, "ok", "{how}");
        drop(connection);
        assert_eq!(rows_of(&path, "events"), self.events, "{how}: events");
        let now = picture(&path);
        assert!(now == self.before || now == self.after, "{how}: neither as before nor as after");
        now == self.after
    }
}

/// Kills at every step that is one of its kind, and at others spread over the whole run: by the program's own
/// abort at exactly that step, and from outside as soon as the step is heard of, wherever it is by then.
fn kill_everywhere(journal: &str) {
    let scene = Scene::new(journal);
    let (steps, all) = (&scene.steps, scene.steps.len());
    assert!(all > 150, "{all} steps");
    let is_single = |step: &&String| !step.starts_with("Located") && !step.starts_with("Applied");
    let single = steps.iter().enumerate().filter(|(_, step)| is_single(step)).map(|(at, _)| at);
    let mut places: Vec<usize> = single.chain((0..all).step_by(all / 9)).collect();
    places.sort_unstable();
    places.dedup();
    let committed = steps.iter().position(|step| step == "Committed").expect("a commit");
    let (mut kills, mut written) = (0, 0);
    for at in places {
        let step = &steps[at];
        let is_after = scene.check(&format!("{journal}: abort at {step}"), |path| {
            let heard = said(child(this_binary(), path, Some(at as u64)), "step ");
            assert_eq!(heard.len(), at + 1, "it died there");
        });
        assert_eq!(is_after, at >= committed, "{journal}: abort at {step}");
        let is_after = scene.check(&format!("{journal}: killed after {step}"), |path| {
            let mut child = child(this_binary(), path, None);
            let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
            let heard = lines.by_ref().map_while(Result::ok).filter(|line| line.contains("step ")).nth(at);
            assert!(heard.is_some());
            child.kill().expect("it can be killed");
            child.wait().expect("it is dead");
        });
        kills += 2;
        written += u32::from(is_after);
    }
    assert!(kills >= 30, "{kills} kills, and as many with the other journal");
    assert!(written >= 2, "some came too late: {written}");
}

#[test]
fn killed_anywhere_with_a_rollback_journal() {
    kill_everywhere("delete");
}

#[test]
fn killed_anywhere_with_a_write_ahead_log() {
    kill_everywhere("wal");
}

#[test]
fn stopped_anywhere_by_whoever_watches() {
    let stage = Stage::with("delete", BALLAST);
    let (before, events, files) = (picture(&stage.path), stage.rows("events"), stage.files());
    let edits = large();
    let plan = stage.plan(&edits).expect("a plan");
    for stop in
        [Step::Opened, Step::Copied(1), Step::BackedUp, Step::Begun, Step::Located(9), Step::Applied(77)]
    {
        let stopped = write_watched(&stage.path, &edits, &plan, &BackupPlace::Beside, &|step| {
            if step >= stop { Err(timeglass::work::Cancelled) } else { Ok(()) }
        });
        assert!(stopped.is_err(), "{stop:?}");
        assert_eq!(
            (picture(&stage.path), stage.rows("events")),
            (before.clone(), events.clone()),
            "{stop:?}"
        );
        assert_eq!(stage.files(), files, "{stop:?}");
    }
}
