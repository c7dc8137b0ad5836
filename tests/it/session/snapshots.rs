//! Snapshots verified portion by portion, in a session whose jobs are run one at a time.

use std::{collections::VecDeque, path::Path, sync::Arc};

use timeglass::{
    project::open::{Opening, open},
    session::{
        Input, Session,
        action::{Action, BrowseAction, ShellAction, VerifyAction},
        job::{Answer, Job, Slot},
        view::VerifyView,
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
