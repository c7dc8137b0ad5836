//! A store read afresh: what was rebuilt of it stays, or is said to be gone.

use std::{collections::VecDeque, fs, path::PathBuf, time::Duration};

use timeglass::{
    session::{
        Input, Session,
        action::{Action, CursorAction, ProjectionAction, ShellAction},
        job::Job,
        projections::Extent,
        view::{ProjectionDetail, Stage},
        workspace::Workspace,
    },
    work::Work,
};

const NAME: &str = "order_summaries";

/// A session over a copy of the sample store, with a projection that was rebuilt.
struct Scene {
    session: Session,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::copy("sample-data/shop.sqlite", at("shop.sqlite")).unwrap();
        fs::copy("sample-data/projections/shop_orders.sql", at("shop_orders.sql")).unwrap();
        fs::write(at("timeglass.toml"), "[[projection]]\nfile = \"shop_orders.sql\"\n").unwrap();
        let session = Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite"));
        let store = at("shop.sqlite");
        let mut scene = Self { session, folder };
        scene.feed(Input::Action(Action::Shell(ShellAction::Open(store))));
        scene
    }

    fn feed(&mut self, input: Input) {
        let jobs = self.session.apply(input);
        self.run(jobs);
    }

    fn run(&mut self, jobs: Vec<Job>) {
        let mut jobs = VecDeque::from(jobs);
        while let Some(job) = jobs.pop_front() {
            let answer = job.question.run(&Work::default()).expect("nobody cancels");
            jobs.extend(self.session.apply(Input::Answer(job.slot, answer)));
        }
    }

    fn ask(&mut self, action: ProjectionAction) {
        self.feed(Input::Action(Action::Projections(action)));
    }

    fn rebuild(&mut self) {
        self.ask(ProjectionAction::Rebuild(NAME.into(), Extent::Whole));
    }

    fn reload(&mut self) {
        self.feed(Input::Action(Action::Shell(ShellAction::Reload)));
        self.feed(Input::Tick(Duration::from_secs(1)));
    }

    /// The same by a user who does not follow new events: they are not taken in by themselves.
    fn reload_standing(&mut self) {
        let opening = self.session.apply(Input::Action(Action::Shell(ShellAction::Reload)));
        let mut jobs = Vec::new();
        for job in opening {
            let answer = job.question.run(&Work::default()).unwrap();
            jobs.extend(self.session.apply(Input::Answer(job.slot, answer)));
        }
        jobs.extend(self.session.apply(Input::Action(Action::Cursor(CursorAction::ToggleFollow))));
        self.run(jobs);
        self.feed(Input::Tick(Duration::from_secs(1)));
    }

    fn sql(&self, sql: &str) {
        let store = rusqlite::Connection::open(self.folder.path().join("shop.sqlite")).unwrap();
        store.execute_batch(sql).unwrap();
    }

    fn detail(&self) -> &ProjectionDetail {
        self.session.view().projections.detail.as_ref().unwrap()
    }

    /// What the list says was rebuilt, and what the user is told.
    fn check(&self, rebuilt: &str, notices: &[&str]) {
        let lines = &self.session.view().projections.lines;
        let line = lines.iter().find(|line| &*line.name == NAME).unwrap();
        let told: Vec<&str> =
            self.session.view().notices.iter().map(|notice| notice.title.as_str()).collect();
        assert_eq!((line.rebuilt.replace('\u{2009}', " ").as_str(), told.as_slice()), (rebuilt, notices));
    }
}

const APPENDED: &str = "INSERT INTO events SELECT (SELECT max(position) + 1 FROM events), 'late-1', 1, type, data, \
                        metadata, recorded_at, 'late-event' FROM events WHERE position = 1";

#[test]
fn what_was_rebuilt_stays_while_the_store_only_grows() {
    let mut scene = Scene::new();
    scene.rebuild();
    scene.check("all 1 400 events", &[]);
    scene.reload();
    scene.check("all 1 400 events", &[]);
    let shown = scene.session.view().projections.model.as_ref().expect("its rows").rebuilt;
    assert_eq!(shown, 1400);

    scene.sql(APPENDED);
    scene.reload_standing();
    scene.check("1 400 of 1 401 events", &[]);
    assert_eq!(scene.detail().behind, 1);
    scene.ask(ProjectionAction::Continue(NAME.into()));
    scene.check("all 1 401 events", &[]);
    // Who follows new events has them taken in.
    scene.sql(&APPENDED.replace("late", "later"));
    scene.reload();
    scene.check("all 1 402 events", &[]);
}

#[test]
fn what_does_not_hold_any_more_is_gone_and_said_to_be() {
    let mut scene = Scene::new();
    scene.rebuild();
    scene.sql("DELETE FROM events WHERE rowid = 700");
    scene.reload();
    scene.check("never", &["What was rebuilt of order_summaries is gone"]);
    scene.rebuild();
    scene.check("all 1 399 events", &["What was rebuilt of order_summaries is gone"]);
}

#[test]
fn another_definition_outdates_it_and_does_not_throw_it_away() {
    let mut scene = Scene::new();
    scene.rebuild();
    let path = scene.folder.path().join("shop_orders.sql");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("total_cents = :data", "total_cents = 1 + :data", 1)).unwrap();
    scene.reload();
    scene.check("all 1 400 events", &[]);
    assert!(scene.detail().is_outdated);
}

#[test]
fn a_rebuild_under_way_is_gone_on_with_where_its_last_batch_ended() {
    let mut scene = Scene::new();
    let mut jobs = scene
        .session
        .apply(Input::Action(Action::Projections(ProjectionAction::Rebuild(NAME.into(), Extent::Whole))));
    let work = Work::default();
    let job = jobs.pop().unwrap();
    // It is withdrawn before its answer comes, as a reload withdraws it.
    let answer = job.question.run(&work).unwrap();
    let opening = scene.session.apply(Input::Action(Action::Shell(ShellAction::Reload)));
    scene.feed(Input::Answer(job.slot, answer));
    let after = opening.into_iter().flat_map(|job| {
        let answer = job.question.run(&Work::default()).unwrap();
        scene.session.apply(Input::Answer(job.slot, answer))
    });
    let after: Vec<Job> = after.collect();
    let lines = &scene.session.view().projections.lines;
    let stage = lines.iter().find(|line| &*line.name == NAME).map(|line| line.stage);
    assert!(stage.is_none_or(|stage| stage == Stage::Checking), "{stage:?}");
    scene.run(after);
    scene.feed(Input::Tick(Duration::from_secs(1)));
    scene.check("all 1 400 events", &[]);
}
