//! A store is left while questions about it are open: nothing that is found says anything about the next one.

use std::{fs, path::PathBuf};

use timeglass::{
    projection::drift::Drift,
    session::{
        Input, Session,
        action::{Action, BrowseAction, ShellAction},
        drift::DriftAction,
        job::{Answer, Job, Slot},
        workspace::Workspace,
    },
    work::Work,
};

/// A session over copies of the two samples, whose jobs wait where a test wants it.
struct Scene {
    session: Session,
    folder: tempfile::TempDir,
    held: Vec<Job>,
}

/// What is asked of an open store.
const ASKED: [Slot; 8] = [
    Slot::Index,
    Slot::Snapshots,
    Slot::Step,
    Slot::Rows,
    Slot::Streams,
    Slot::Listing,
    Slot::Bars,
    Slot::Drift,
];

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["shop.sqlite", "damaged.sqlite", "projections/shop_orders.sql"] {
            let from = PathBuf::from("sample-data").join(name);
            fs::copy(&from, at(&from.file_name().unwrap().to_string_lossy())).unwrap();
        }
        fs::write(at("timeglass.toml"), "[[projection]]\nfile = \"shop_orders.sql\"\n").unwrap();
        let session = Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite"));
        Self { session, folder, held: Vec::new() }
    }

    /// Applies an input and runs its jobs and theirs, but for those that are to be held back.
    fn feed(&mut self, input: Input, holds: &dyn Fn(Slot) -> bool) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for job in self.session.apply(input) {
                if holds(job.slot) {
                    self.held.push(job);
                } else {
                    inputs.insert(0, Input::Answer(job.slot, job.question.run(&Work::default()).unwrap()));
                }
            }
        }
    }

    fn open(&mut self, name: &str, holds: &dyn Fn(Slot) -> bool) {
        let path = self.folder.path().join(name);
        self.feed(Input::Action(Action::Shell(ShellAction::Open(path))), holds);
    }

    /// Some of what is shown of the store.
    fn shown(&self) -> impl std::fmt::Debug + PartialEq + use<> {
        let view = self.session.view();
        let drift = view.drift.drift.as_ref().map(|drift: &std::sync::Arc<Drift>| drift.totals.missing);
        (
            (view.title.clone(), view.streams.summary.clone(), view.events.total),
            (view.snapshots.rows.len(), view.timeline.bars.clone(), view.state.state.clone(), drift),
        )
    }
}

#[test]
fn what_is_found_of_a_store_that_was_left_is_shown_of_no_other() {
    let mut scene = Scene::new();
    scene.open("damaged.sqlite", &|_| false);
    for action in [
        Action::Browse(BrowseAction::ChooseStream(0)),
        Action::Drift(DriftAction::Rebuild),
        Action::Drift(DriftAction::Compare),
        Action::Browse(BrowseAction::SnapshotsOfStream(false)),
        Action::Shell(ShellAction::Reload),
        Action::Browse(BrowseAction::ChooseStream(1)),
    ] {
        let is_asked = |slot: Slot| ASKED.contains(&slot) && action != Action::Drift(DriftAction::Rebuild);
        scene.feed(Input::Action(action.clone()), &is_asked);
    }
    let found: Vec<(Slot, Answer)> = std::mem::take(&mut scene.held)
        .into_iter()
        .map(|job| (job.slot, job.question.run(&Work::default()).unwrap()))
        .collect();
    assert!(found.iter().any(|(slot, _)| *slot == Slot::Drift), "much was asked");
    // The next store is open, and nothing is known of it.
    scene.open("shop.sqlite", &|slot| slot != Slot::Open);
    let asked: Vec<Slot> = scene.held.iter().map(|job| job.slot).collect();
    let before = scene.shown();
    for (slot, answer) in found {
        // The same slot asked again stops the job before.
        if !asked.contains(&slot) {
            scene.feed(Input::Answer(slot, answer), &|_| false);
            assert_eq!(scene.shown(), before, "after {slot:?}");
        }
    }
}
