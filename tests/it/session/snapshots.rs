//! Snapshots verified portion by portion, in a session whose jobs are run one at a time.

use std::{collections::VecDeque, fs, path::Path, sync::Arc, time::Duration};

use timeglass::{
    model::Timestamp,
    project::open::{Opening, open},
    session::{
        Input, Session,
        action::{Action, BrowseAction, CursorAction, PublishAction, ShellAction, VerifyAction},
        job::{Answer, Job, Slot},
        view::{PublishStage, VerifyView},
        workspace::Workspace,
    },
    snapshot::Verdict,
    work::Work,
};

use crate::support::fixture;

/// A session over a store on disk; its jobs wait until they are run.
struct Held {
    session: Session,
    waiting: VecDeque<Job>,
}

impl Held {
    fn open(path: &Path) -> Self {
        let session = Session::new(Workspace::default(), None, "sample.sqlite".into());
        let mut held = Self { session, waiting: VecDeque::new() };
        let Ok(opening @ Opening::Store(_)) = open(path, None, &Work::default()) else { panic!("a store") };
        held.feed(Input::Answer(Slot::Open, Answer::Opened(Box::new(opening))));
        held.run_all();
        held.action(Action::Browse(BrowseAction::SnapshotsOfStream(false)));
        held.run_all();
        held
    }

    fn feed(&mut self, input: Input) {
        self.waiting.extend(self.session.apply(input));
    }

    fn action(&mut self, action: Action) {
        self.feed(Input::Action(action));
    }

    fn run_one(&mut self) -> bool {
        let Some(job) = self.waiting.pop_front() else { return false };
        let answer = job.question.run(&Work::default()).expect("nobody cancels");
        self.feed(Input::Answer(job.slot, answer));
        true
    }

    fn run_all(&mut self) {
        while self.run_one() {}
    }

    fn verify(&mut self, action: VerifyAction) {
        self.action(Action::Verify(action));
    }

    fn view(&self) -> &VerifyView {
        &self.session.view().verify
    }

    /// How many of the listed snapshots were compared.
    fn compared(&self) -> usize {
        self.view().verdicts.iter().flatten().count()
    }
}

/// The text of the chosen snapshot.
fn chosen(held: &Held) -> Option<String> {
    let detail = held.session.view().snapshots.detail.clone()?;
    Some(String::from_utf8(detail.state.stored.bytes().to_vec()).unwrap())
}

#[test]
fn the_snapshot_that_was_clicked_is_shown_wherever_it_stands_by_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    fs::copy("sample-data/shop.sqlite", &path).unwrap();
    let mut held = Held::open(&path);
    let row = held.session.view().snapshots.rows[7].clone();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let state: String = connection
        .query_row(
            "SELECT state FROM snapshots WHERE stream = ? AND version = ?",
            [&*row.stream, &row.version],
            |row| row.get(0),
        )
        .unwrap();
    // Ten that come before it in the list; and it is written anew, at the end of the table.
    connection
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10)
             INSERT INTO snapshots SELECT 'aaa-' || i, i, '{}', '2024-05-01T10:00:00Z' FROM n",
        )
        .unwrap();
    let anew = "UPDATE snapshots SET rowid = 100000 WHERE stream = ? AND version = ?";
    assert_eq!(connection.execute(anew, [&*row.stream, &row.version]).unwrap(), 1);
    held.action(Action::Browse(BrowseAction::ChooseSnapshot(7)));
    held.run_all();
    assert_eq!(chosen(&held).as_ref(), Some(&state));
    assert!(!held.session.view().snapshots.is_gone);

    // Another state under the same name is not the one that was clicked, moved or not.
    let other = held.session.view().snapshots.rows[9].clone();
    let change = "UPDATE snapshots SET state = '{\"other\":2}' WHERE stream = ? AND version = ?";
    assert_eq!(connection.execute(change, [&*other.stream, &other.version]).unwrap(), 1);
    held.action(Action::Browse(BrowseAction::ChooseSnapshot(9)));
    held.run_all();
    assert_eq!((chosen(&held), held.session.view().snapshots.is_gone), (None, true));
    let change = "UPDATE snapshots SET state = '{\"other\":1}' WHERE stream = ? AND version = ?";
    connection.execute(change, [&*row.stream, &row.version]).unwrap();
    held.action(Action::Browse(BrowseAction::ChooseSnapshot(7)));
    held.run_all();
    assert_eq!((chosen(&held), held.session.view().snapshots.is_gone), (None, true));
    held.action(Action::Browse(BrowseAction::ChooseSnapshot(8)));
    held.run_all();
    assert!(chosen(&held).is_some() && !held.session.view().snapshots.is_gone);
}

/// Of many long ones it is not kept how they differ; the one that is chosen is compared again.
#[test]
fn the_chosen_snapshot_is_told_in_full_however_many_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    fs::copy("sample-data/shop.sqlite", &path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let longer = "UPDATE snapshots SET state = json_set(state, '$.more', printf('%.*c', 1500000, 'x'))
                  WHERE rowid IN (SELECT rowid FROM snapshots ORDER BY rowid LIMIT 16)";
    assert_eq!(connection.execute(longer, []).unwrap(), 16);
    let mut held = Held::open(&path);
    held.verify(VerifyAction::Listed);
    held.run_all();
    let rows = Arc::clone(&held.session.view().snapshots.rows);
    let long = rows.iter().enumerate().filter(|(_, row)| row.size.len() > 8).map(|(place, _)| place);
    let long: Vec<usize> = long.collect();
    assert_eq!(long.len(), 16);
    for place in long {
        held.action(Action::Browse(BrowseAction::ChooseSnapshot(place)));
        held.run_all();
        let chosen = held.view().chosen.clone().unwrap();
        assert!(!chosen.check.is_brief && !chosen.check.changes.is_empty(), "{place}");
    }
}

#[test]
fn what_stands_before_damage_is_listed_and_verified_and_the_damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::damaged_tables::damaged(folder.path(), "snapshots");
    let mut held = Held::open(&path);
    let view = &held.session.view().snapshots;
    let listed = view.rows.len();
    assert!(listed > 10, "{listed}");
    assert!(!view.is_reading && !view.is_broken_off);
    let trouble = view.trouble.clone().unwrap();
    assert!(trouble.contains("is damaged while reading snapshots of \"snapshots\""), "{trouble}");
    held.verify(VerifyAction::Listed);
    held.run_all();
    assert_eq!((held.compared(), held.view().progress), (listed, None));
    held.verify(VerifyAction::ShowCost);
    held.run_all();
    assert!(held.view().cost.is_none() && !held.view().is_counting, "that would be wrong");
}

#[test]
fn verdicts_come_in_portions_and_stay_when_it_is_stopped() {
    let unpacked = fixture("evtstore");
    let mut held = Held::open(&unpacked.path);
    let all = held.session.view().snapshots.rows.len();
    assert_eq!((all, held.compared()), (883, 0));
    held.verify(VerifyAction::Listed);
    assert_eq!(held.view().progress, Some((0, None)));
    assert!(held.run_one());
    assert_eq!((held.view().progress, held.compared()), (Some((200, Some(all))), 200));
    held.verify(VerifyAction::Stop);
    assert_eq!(held.view().progress, None);
    // The portion under way still brings what it found, and no more follow.
    held.run_all();
    assert_eq!((held.view().progress, held.compared()), (None, 400));
    held.verify(VerifyAction::Listed);
    held.run_all();
    assert_eq!((held.view().progress, held.compared()), (None, all));
}

#[test]
fn work_that_is_withdrawn_leaves_what_was_found() {
    let unpacked = fixture("evtstore");
    let mut held = Held::open(&unpacked.path);
    held.verify(VerifyAction::Listed);
    assert!(held.run_one());
    held.waiting.clear();
    held.action(Action::Shell(ShellAction::CancelWork));
    held.run_all();
    assert_eq!((held.view().progress, held.compared()), (None, 200));
}

/// Between two portions there may be nothing to stop but the intention.
#[test]
fn work_that_is_stopped_between_two_portions_is_not_gone_on_with() {
    let unpacked = fixture("evtstore");
    let mut held = Held::open(&unpacked.path);
    held.verify(VerifyAction::Listed);
    assert!(held.run_one());
    held.action(Action::Shell(ShellAction::CancelWork));
    held.run_all();
    assert_eq!((held.view().progress, held.compared()), (None, 400));
}

#[test]
fn each_portion_tells_how_far_the_whole_is() {
    let unpacked = fixture("evtstore");
    let mut held = Held::open(&unpacked.path);
    held.verify(VerifyAction::Listed);
    let mut told = Vec::new();
    while let Some(job) = held.waiting.pop_front() {
        let work = Work::default();
        let (slot, answer) = (job.slot, job.question.run(&work).expect("nobody cancels"));
        told.push(work.progress());
        held.feed(Input::Answer(slot, answer));
    }
    let totals: Vec<Option<u64>> = told.iter().map(|(_, total)| *total).collect();
    assert!(
        totals.len() > 3 && totals.iter().all(|total| total.is_some() && *total == totals[0]),
        "{told:?}"
    );
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
    assert!(told.iter().all(|(done, total)| Some(*done) <= *total), "{told:?}");
}

#[test]
fn what_is_shown_is_verified_and_not_what_was_shown_before() {
    let unpacked = fixture("evtstore");
    let mut held = Held::open(&unpacked.path);
    held.action(Action::Browse(BrowseAction::ChooseStream(0)));
    held.action(Action::Browse(BrowseAction::SnapshotsOfStream(true)));
    held.run_all();
    let of_stream = held.session.view().snapshots.rows.len();
    assert!((1..100).contains(&of_stream), "{of_stream}");
    held.action(Action::Browse(BrowseAction::SnapshotsOfStream(false)));
    held.verify(VerifyAction::Listed);
    assert_eq!(held.view().progress, None, "those of the whole store are still being read");
    held.run_all();
    held.verify(VerifyAction::Listed);
    held.run_all();
    assert_eq!(held.compared(), 883);
}

#[test]
fn one_snapshot_or_those_of_its_stream_are_verified() {
    let unpacked = fixture("sqlite-es");
    let mut held = Held::open(&unpacked.path);
    held.verify(VerifyAction::One(3));
    held.run_all();
    assert_eq!(held.compared(), 1);
    assert!(held.view().verdicts[3].is_some());
    held.verify(VerifyAction::Stream(3));
    held.run_all();
    let rows = Arc::clone(&held.session.view().snapshots.rows);
    let of_stream = rows.iter().filter(|row| row.stream == rows[3].stream).count();
    assert_eq!(held.compared(), of_stream);
    held.verify(VerifyAction::Filter(Some(Verdict::NotChecked)));
    assert_eq!(held.view().shown.as_ref().map(|shown| shown.len()), Some(rows.len() - of_stream));
}

/// From the state at the cursor to the row in the store, and back: a wrong snapshot is put right, and a new one
/// agrees.
#[test]
fn a_snapshot_is_made_at_the_cursor_and_published() {
    let unpacked = fixture("seed-000-defects");
    let folder = unpacked.path.parent().unwrap();
    fs::copy("tests/fixtures/reducers/seed-000-user.js", folder.join("user.js")).unwrap();
    fs::write(folder.join("timeglass.toml"), "[reducers]\nUser = \"user.js\"\n").unwrap();
    let mut held = Held::open(&unpacked.path);
    let tick = |held: &mut Held| {
        (0..3).for_each(|_| {
            held.feed(Input::Tick(Duration::from_millis(600)));
            held.run_all();
        });
    };
    tick(&mut held);
    assert!(!held.view().can_create, "no stream is chosen");
    held.verify(VerifyAction::Listed);
    held.run_all();
    let wrong = held.view().verdicts.iter().position(|verdict| *verdict == Some(Verdict::Differs)).unwrap();
    held.action(Action::Browse(BrowseAction::ChooseSnapshot(wrong)));
    held.run_all();

    // The wrong one stands at the cursor: its row is updated. One behind it is new.
    for (step, counts) in [(0, (0, 1)), (25, (1, 0))] {
        held.action(Action::Cursor(CursorAction::Step(step)));
        held.run_all();
        assert!(held.view().can_create);
        held.verify(VerifyAction::Create);
        held.run_all();
        let dialog = held.session.view().publish.as_ref().expect("the dialog is open");
        let PublishStage::Planned(plan) = &dialog.stage else { panic!("{:?}", dialog.stage) };
        assert_eq!(
            plan.tables.iter().map(|table| (table.inserted, table.updated)).collect::<Vec<_>>(),
            [counts]
        );
        for action in [
            PublishAction::TypeName("seed-000-defects.sqlite".to_owned()),
            PublishAction::Unlock,
            PublishAction::Write(Timestamp::parse("2024-07-01T12:00:00Z").unwrap()),
        ] {
            held.action(Action::Publish(action));
            held.run_all();
        }
        let stage = &held.session.view().publish.as_ref().unwrap().stage;
        assert!(matches!(stage, PublishStage::Written { .. }), "{stage:?}");
        held.action(Action::Publish(PublishAction::Close));
        tick(&mut held);
    }
    held.verify(VerifyAction::Listed);
    held.run_all();
    assert_eq!(*held.view().counts, [(Verdict::Agrees, 33), (Verdict::Orphan, 1), (Verdict::Ahead, 1)]);
}
