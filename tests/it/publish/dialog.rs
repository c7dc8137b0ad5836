//! Publishing from the window's session, without a window.

use std::{collections::VecDeque, fs, path::PathBuf, time::Duration};

use rusqlite::Connection;
use timeglass::{
    session::{
        Input, Session,
        action::{Action, ProjectionAction, PublishAction, ShellAction},
        view::{PublishStage, PublishView},
        workspace::Workspace,
    },
    work::Work,
};

use super::{
    command::{DEFINITION, drifted},
    stage::{Stage, morning},
};

/// A session over a real store, whose jobs run at once.
struct Script(Session);

impl Script {
    fn open(stage: &Stage) -> Self {
        let mut script = Self(Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite")));
        script.feed(Input::Action(Action::Shell(ShellAction::Open(stage.path.clone()))));
        script.0.apply(Input::Action(Action::Projections(ProjectionAction::Choose(0))));
        script
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for job in self.0.apply(input) {
                let answer = job.question.run(&Work::default()).expect("nobody cancels");
                inputs.push_back(Input::Answer(job.slot, answer));
            }
        }
    }

    fn publish(&mut self, action: PublishAction) {
        self.feed(Input::Action(Action::Publish(action)));
    }

    /// Half a second passes: the store is looked at.
    fn tick(&mut self) {
        self.feed(Input::Tick(Duration::from_millis(600)));
    }

    fn rebuild(&mut self) {
        self.feed(Input::Action(Action::Projections(ProjectionAction::RebuildAll)));
    }

    fn dialog(&self) -> &PublishView {
        self.0.view().publish.as_ref().expect("the dialog is open")
    }

    /// The counts of the table that is listed first.
    fn listed(&self) -> (u64, u64, u64) {
        match &self.dialog().stage {
            PublishStage::Planned(plan) => {
                let table = plan.tables.first().expect("a table");
                (table.inserted, table.updated, table.deleted)
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn it_is_listed_unlocked_by_name_and_written() {
    let stage = drifted();
    let mut script = Script::open(&stage);
    assert!(script.0.view().title.ends_with("· read-only"), "{}", script.0.view().title);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    assert_eq!(script.listed(), (1, 1, 1));
    let before = fs::read(&stage.path).expect("the store");

    // Neither without the name nor with another one.
    script.publish(PublishAction::Write(morning()));
    for typed in ["shop", "shop.sqlite "] {
        script.publish(PublishAction::TypeName(typed.to_owned()));
        assert!(!script.dialog().is_confirmed);
        script.publish(PublishAction::Unlock);
        script.publish(PublishAction::Write(morning()));
    }
    assert_eq!(fs::read(&stage.path).expect("the store"), before);
    assert!(!script.0.is_unlocked());

    script.publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    assert!(script.dialog().is_confirmed);
    script.publish(PublishAction::Unlock);
    assert!(script.0.view().title.ends_with("· unlocked for writing"), "{}", script.0.view().title);
    assert_eq!(fs::read(&stage.path).expect("the store"), before);
    script.publish(PublishAction::Write(morning()));
    let PublishStage::Written { published, restore } = &script.dialog().stage else {
        panic!("{:?}", script.dialog().stage)
    };
    assert_eq!((published.inserted, published.updated, published.deleted), (1, 2, 1));
    assert!(restore.contains("copy shop.sqlite.backup-20240301-093000 over shop.sqlite,"), "{restore}");
    assert_eq!(stage.rows("orders").len(), 60);

    // It is noted, and the next dry run has nothing to say; locking takes the permission back.
    let noted = fs::read_to_string(stage.folder.path().join("timeglass.toml")).expect("the project file");
    assert!(noted.contains("[[published]]") && noted.starts_with("# mine"), "{noted}");
    script.publish(PublishAction::Prepare);
    assert!(matches!(&script.dialog().stage, PublishStage::Planned(plan) if plan.tables.is_empty()));
    script.publish(PublishAction::Lock);
    assert!(script.0.view().title.ends_with("· read-only"));
    script.publish(PublishAction::Close);
    assert!(script.0.view().publish.is_none());
}

#[test]
fn stopping_other_work_says_nothing_about_what_is_planned_or_written() {
    let stage = drifted();
    let mut script = Script::open(&stage);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    let stop = |script: &mut Script| script.feed(Input::Action(Action::Shell(ShellAction::CancelWork)));
    stop(&mut script);
    assert_eq!(script.listed(), (1, 1, 1));
    script.publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    script.publish(PublishAction::Unlock);
    let writing = script.0.apply(Input::Action(Action::Publish(PublishAction::Write(morning()))));
    stop(&mut script);
    assert!(matches!(script.dialog().stage, PublishStage::Writing(_)), "{:?}", script.dialog().stage);
    for job in writing {
        let answer = job.question.run(&Work::default()).expect("nobody cancels");
        script.feed(Input::Answer(job.slot, answer));
    }
    stop(&mut script);
    assert!(matches!(script.dialog().stage, PublishStage::Written { .. }), "{:?}", script.dialog().stage);
    let noted = fs::read_to_string(stage.folder.path().join("timeglass.toml")).expect("the project file");
    assert!(noted.contains("[[published]]"), "{noted}");
}

#[test]
fn what_has_come_since_the_dry_run_is_taken_in_and_listed_again() {
    let stage = drifted();
    let mut script = Script::open(&stage);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    assert_eq!(script.listed(), (1, 1, 1));
    let owner = Connection::open(&stage.path).expect("the store");
    owner
        .execute(
            "INSERT INTO events VALUES (61, 'order-60', 1, 'OrderPlaced', '{\"items\":60}', '2024-03-01T09:00:00Z')",
            [],
        )
        .expect("an event");
    drop(owner);
    script.publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    script.publish(PublishAction::Unlock);
    let rows = stage.rows("orders");
    script.publish(PublishAction::Write(morning()));
    let PublishStage::Refused { words, can_try: true } = &script.dialog().stage else {
        panic!("{:?}", script.dialog().stage)
    };
    assert!(words.detail.contains("1 more event. Nothing was written"), "{words:?}");
    assert_eq!(stage.rows("orders"), rows);
    script.publish(PublishAction::Again);
    (0..5).for_each(|_| script.tick());
    assert_eq!(script.listed(), (2, 1, 1));
    script.publish(PublishAction::Write(morning()));
    assert!(matches!(script.dialog().stage, PublishStage::Written { .. }), "{:?}", script.dialog().stage);
    assert_eq!(stage.rows("orders").len(), 61);
}

#[test]
fn what_was_not_rebuilt_whole_is_not_published() {
    let stage = drifted();
    let mut script = Script::open(&stage);
    script.publish(PublishAction::Prepare);
    let PublishStage::Refused { words, .. } = &script.dialog().stage else {
        panic!("{:?}", script.dialog().stage)
    };
    assert_eq!(words.title, "The projection is not rebuilt");
}

/// An unlocked store is locked again when it is opened anew.
#[test]
fn the_permission_ends_with_the_opening() {
    let stage = drifted();
    let mut script = Script::open(&stage);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    script.publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    script.publish(PublishAction::Unlock);
    assert!(script.0.is_unlocked());
    script.feed(Input::Action(Action::Shell(ShellAction::Reload)));
    assert!(!script.0.is_unlocked());
    assert!(script.0.view().publish.is_none());
}

#[test]
fn a_definition_that_handles_nothing_is_not_published() {
    let stage = drifted();
    let elsewhere = DEFINITION.replace("key: id", "key: id category: Order");
    fs::write(stage.folder.path().join("orders.sql"), elsewhere).expect("a definition");
    let mut script = Script::open(&stage);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    let PublishStage::Refused { words, .. } = &script.dialog().stage else {
        panic!("{:?}", script.dialog().stage)
    };
    assert_eq!(words.title, "The definition handled no event");
    assert!(words.detail.contains("no category `Order`, but `order`"), "{}", words.detail);
}

#[test]
fn deleting_most_rows_takes_a_word_of_its_own() {
    let stage = Stage::with(
        "delete",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
         INSERT INTO orders SELECT 'ghost-' || i, 'placed', 1, NULL FROM n;",
    );
    let project = "[[projection]]\nfile = \"orders.sql\"\n";
    fs::write(stage.folder.path().join("timeglass.toml"), project).expect("a project file");
    fs::write(stage.folder.path().join("orders.sql"), DEFINITION).expect("a definition");
    let mut script = Script::open(&stage);
    script.rebuild();
    script.publish(PublishAction::Prepare);
    assert_eq!(script.listed(), (0, 0, 200));
    script.publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    script.publish(PublishAction::Unlock);
    assert!(!script.dialog().is_sweep_meant);
    script.publish(PublishAction::Write(morning()));
    assert_eq!(stage.rows("orders").len(), 260, "nobody said that they may go");
    script.publish(PublishAction::MeanDeletes(true));
    assert!(script.dialog().is_sweep_meant);
    script.publish(PublishAction::Write(morning()));
    assert!(matches!(&script.dialog().stage, PublishStage::Written { .. }), "{:?}", script.dialog().stage);
    assert_eq!(stage.rows("orders").len(), 60);
}
