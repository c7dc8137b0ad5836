//! The window's side: what is shown from the cache, how it is checked, what the settings do.

use std::{collections::VecDeque, path::PathBuf, time::Duration};

use timeglass::{
    session::{
        Input, Session,
        action::{Action, SettingsAction, ShellAction},
        job::{Job, Slot},
        workspace::Workspace,
    },
    store::cache::Cache,
    work::Work,
};

use super::Stage;

/// A session whose jobs run at once, but for those that wait.
struct Script {
    session: Session,
    /// What waits: the check, if nothing else is said.
    holds: Slot,
    checks: Vec<Job>,
    /// The slots of all jobs that ran.
    ran: Vec<Slot>,
}

impl Script {
    fn open(stage: &Stage) -> Self {
        Self::with(stage, stage.cache(), Workspace::default())
    }

    fn with(stage: &Stage, cache: Cache, workspace: Workspace) -> Self {
        let session = Session::new(workspace, None, PathBuf::from("sample.sqlite")).with_cache(Some(cache));
        let mut script = Self { session, holds: Slot::CacheCheck, checks: Vec::new(), ran: Vec::new() };
        script.shell(ShellAction::Open(stage.path.clone()));
        script
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for job in self.session.apply(input) {
                if job.slot == self.holds {
                    self.checks.push(job);
                    continue;
                }
                self.ran.push(job.slot);
                inputs.push_back(Input::Answer(job.slot, job.question.run(&Work::default()).unwrap()));
            }
        }
    }

    fn check_now(&mut self) {
        for job in std::mem::take(&mut self.checks) {
            let answer = job.question.run(&Work::default()).unwrap();
            self.feed(Input::Answer(job.slot, answer));
        }
    }

    /// So many seconds pass.
    fn wait(&mut self, seconds: u64) {
        self.feed(Input::Tick(Duration::from_secs(seconds)));
    }

    fn shell(&mut self, action: ShellAction) {
        self.feed(Input::Action(Action::Shell(action)));
    }

    fn set(&mut self, action: SettingsAction) {
        self.feed(Input::Action(Action::Settings(action)));
    }

    /// What the layout panel says of the index.
    fn origin(&self) -> String {
        let figures = &self.session.view().info.figures;
        figures.iter().find(|(name, _)| name == "Index").map(|(_, words)| words.clone()).unwrap_or_default()
    }

    fn title(&self) -> &str {
        &self.session.view().title
    }

    fn scans(&self) -> usize {
        self.ran.iter().filter(|slot| **slot == Slot::Index).count()
    }
}

#[test]
fn an_index_is_made_once_and_taken_from_the_cache_then() {
    let stage = Stage::new(60);
    let first = Script::open(&stage);
    assert_eq!(first.origin(), "made by a scan; kept in the cache");
    assert_eq!(first.scans(), 1);
    let second = Script::open(&stage);
    assert_eq!(second.origin(), "from the cache of 2100-01-01 00:00:00");
    assert_eq!((second.scans(), second.checks.len()), (0, 0), "nothing is scanned");
    assert_eq!(first.title(), second.title());
    assert!(!second.title().contains("checked"));
}

#[test]
fn a_grown_store_is_shown_at_once_and_said_to_be_unproven() {
    let stage = Stage::new(60);
    drop(Script::open(&stage));
    stage.append(3);
    let mut script = Script::open(&stage);
    assert_eq!(script.origin(), "from the cache of 2100-01-01 00:00:00, and 3 events since; being checked");
    assert!(script.title().contains("63 events · 5 streams · being checked"), "{}", script.title());
    assert_eq!(script.scans(), 0);
    script.check_now();
    assert_eq!(script.origin(), "from the cache of 2100-01-01 00:00:00, and 3 events since");
    assert!(!script.title().contains("being checked"));
    assert!(script.session.view().notices.is_empty());
    let again = Script::open(&stage);
    assert!(again.checks.is_empty(), "the check's own index was kept");
}

#[test]
fn a_check_that_is_stopped_says_so() {
    let stage = Stage::new(60);
    drop(Script::open(&stage));
    stage.append(1);
    let mut script = Script::open(&stage);
    script.shell(ShellAction::CancelWork);
    assert_eq!(
        script.origin(),
        "from the cache of 2100-01-01 00:00:00, and 1 event since; not checked: the check was stopped"
    );
}

#[test]
fn a_store_that_was_changed_in_its_past_is_opened_anew() {
    let stage = Stage::new(20_000);
    drop(Script::open(&stage));
    // One that the sample does not meet.
    let script = (5_000..5_100).find_map(|position| {
        stage.execute(&format!("UPDATE events SET type = 'Changed' WHERE position = {position}"));
        let script = Script::open(&stage);
        (!script.checks.is_empty()).then_some((script, position))
    });
    let (mut script, position) = script.expect("a sample leaves something out");
    let types = |script: &Script| {
        let index = script.session.view().streams.index.clone().expect("an index");
        index.types().iter().map(|info| info.name.to_string()).collect::<Vec<_>>()
    };
    script.check_now();
    assert_eq!(script.scans(), 1, "it is scanned once more, without the cache");
    assert!(types(&script).contains(&"Changed".to_owned()));
    let notice = script.session.view().notices.first().expect("a notice").clone();
    assert_eq!(notice.title, "shop.sqlite was changed in its past");
    let at = thin(position);
    assert!(notice.detail.starts_with(&format!("From event {at} on")), "{}", notice.detail);
    assert!(script.origin().starts_with("made by a scan"), "{}", script.origin());
    assert!(Script::open(&stage).checks.is_empty());
}

#[test]
fn a_store_that_was_written_to_while_open_is_read_anew_once_it_rests() {
    let stage = Stage::new(60);
    let mut script = Script::open(&stage);
    assert!(script.session.is_at_rest());
    stage.append(2);
    script.wait(1);
    assert!(script.title().contains("62 events"), "{}", script.title());
    assert!(script.origin().ends_with("and is read anew when it rests"), "{}", script.origin());
    script.wait(9);
    stage.append(1);
    script.wait(1);
    script.wait(9);
    assert!(script.checks.is_empty(), "it has to rest for ten seconds");
    assert!(!script.session.is_at_rest(), "the window has to let time pass");
    script.wait(2);
    assert_eq!(script.checks.len(), 1);
    assert!(script.title().ends_with("being checked · read-only"), "{}", script.title());
    stage.append(1);
    script.wait(1);
    script.check_now();
    assert!(script.origin().ends_with("and is read anew when it rests"), "{}", script.origin());
    script.wait(11);
    script.wait(1);
    script.check_now();
    assert_eq!(script.origin(), "made by a scan; kept in the cache");
    assert!(script.title().contains("64 events · 5 streams · read-only"), "{}", script.title());
    assert!(script.session.view().notices.is_empty() && script.session.is_at_rest());
}

#[test]
fn a_past_that_changed_while_the_store_was_open_is_found_once_it_rests() {
    let stage = Stage::new(20_000);
    // One that the sample does not meet.
    let script = (5_000..5_100).find_map(|position| {
        let mut script = Script::open(&stage);
        stage.execute(&format!("UPDATE events SET type = 'Changed' WHERE position = {position}"));
        stage.append(1);
        script.wait(1);
        script.session.view().notices.is_empty().then_some(script)
    });
    let mut script = script.expect("a sample leaves something out");
    script.wait(11);
    script.wait(1);
    script.check_now();
    let notice = script.session.view().notices.first().expect("a notice").clone();
    assert_eq!(notice.title, "shop.sqlite was changed in its past");
    let index = script.session.view().streams.index.clone().expect("an index");
    assert!(index.types().iter().any(|info| &*info.name == "Changed"));
}

/// With a thin gap between thousands.
fn thin(number: i64) -> String {
    format!("{}\u{2009}{:03}", number / 1000, number % 1000)
}

#[test]
fn a_check_of_a_store_that_was_closed_says_nothing_about_another() {
    let (stage, other) = (Stage::new(60), Stage::new(10));
    drop(Script::open(&stage));
    stage.append(1);
    let mut script = Script::open(&stage);
    stage.execute("UPDATE events SET type = 'Changed'");
    script.shell(ShellAction::Open(other.path));
    script.check_now();
    assert!(script.title().contains("10 events"), "{}", script.title());
    assert!(script.session.view().notices.is_empty());
}

#[test]
fn an_index_of_a_store_that_was_closed_is_not_taken_for_that_of_another() {
    let (stage, other) = (Stage::new(60), Stage::new(10));
    drop(Script::open(&other));
    let session = Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite"));
    let session = session.with_cache(Some(other.cache()));
    let mut script = Script { session, holds: Slot::Index, checks: Vec::new(), ran: Vec::new() };
    script.shell(ShellAction::Open(stage.path));
    assert_eq!(script.checks.len(), 1, "it is being scanned");
    script.shell(ShellAction::Open(other.path));
    assert!(script.session.take_left(), "what is still done for the other can be stopped");
    script.check_now();
    assert!(script.title().contains("10 events"), "{}", script.title());
    assert!(script.origin().starts_with("from the cache"), "{}", script.origin());
    assert!(!script.session.take_left());
}

#[test]
fn a_damaged_file_is_told_of_where_the_index_is() {
    let stage = Stage::new(60);
    drop(Script::open(&stage));
    let mut bytes = std::fs::read(stage.file()).unwrap();
    bytes[40] ^= 1;
    std::fs::write(stage.file(), bytes).unwrap();
    let script = Script::open(&stage);
    assert!(
        script.origin().starts_with("made by a scan; the cache's file was thrown away: its section"),
        "{}",
        script.origin()
    );
}

#[test]
fn without_a_cache_nothing_is_said_of_it() {
    let stage = Stage::new(60);
    let off = Workspace { is_caching: false, ..Workspace::default() };
    let script = Script::with(&stage, stage.cache(), off);
    assert_eq!(script.origin(), "");
    assert!(!stage.cache_folder().exists());
    assert!(script.session.view().settings.folder.is_some());
}

#[test]
fn the_settings_show_and_change_what_is_kept() {
    let (stage, other) = (Stage::new(60), Stage::new(60));
    let mut script = Script::open(&stage);
    script.shell(ShellAction::Open(other.path));
    assert_eq!(script.session.view().settings.cache_size, None, "not counted yet");
    script.set(SettingsAction::Look);
    let settings = script.session.view().settings.clone();
    assert_eq!(settings.folder, Some(stage.cache_folder()));
    let Some(Ok((2, bytes))) = settings.cache_size else { panic!("{settings:?}") };
    assert_eq!(bytes, stage.cache().size().unwrap().1);
    script.set(SettingsAction::SetCacheBound(0));
    assert_eq!(script.session.view().settings.cache_size, Some(Ok((0, 0))), "it keeps to the bound at once");
    assert_eq!(script.session.workspace().cache_mebibytes, 0);
    script.set(SettingsAction::SetCacheBound(100));
    script.shell(ShellAction::Reload);
    script.set(SettingsAction::ClearCache);
    assert_eq!(script.session.view().settings.cache_size, Some(Ok((0, 0))));
    script.shell(ShellAction::Reload);
    assert_eq!(stage.cache().size().unwrap().0, 1);
    script.set(SettingsAction::SetCaching(false));
    script.shell(ShellAction::Reload);
    assert_eq!(stage.cache().size().unwrap(), (0, 0), "nothing is kept any more");
    assert_eq!(stage.cache().bound(), 0, "by nobody else either");
    script.set(SettingsAction::SetCaching(true));
    assert_eq!(stage.cache().bound(), 100 << 20);
    script.set(SettingsAction::SetMemory(256));
    assert_eq!(script.session.workspace().memory_mebibytes, 256);
}
