//! A store that is changed in its past, replaced or emptied while it is open: noticed when it is looked at next.

use std::{collections::VecDeque, fs, path::PathBuf, time::Duration};

use timeglass::{
    session::{
        Input, Session,
        action::{Action, ShellAction},
        job::Slot,
        workspace::Workspace,
    },
    store::index::Index,
    work::Work,
};

use super::{Stage, facts};

struct Script {
    session: Session,
    opened: usize,
}

impl Script {
    fn open(stage: &Stage) -> Self {
        let session = Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite"));
        let mut script = Self { session, opened: 0 };
        script.feed(Input::Action(Action::Shell(ShellAction::Open(stage.path.clone()))));
        script
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for job in self.session.apply(input) {
                self.opened += usize::from(job.slot == Slot::Open);
                inputs.push_back(Input::Answer(job.slot, job.question.run(&Work::default()).unwrap()));
            }
        }
    }

    fn notices(&self) -> Vec<String> {
        self.session.view().notices.iter().map(|notice| notice.title.clone()).collect()
    }
}

/// Does something to a store of so many events while it is open; says whether the window noticed that it is not
/// the same any more. What it shows then is the truth in any case.
fn check(events: i64, change: impl Fn(&Stage), is_noticed: bool) {
    let stage = Stage::new(events);
    let mut script = Script::open(&stage);
    change(&stage);
    for _ in 0..3 {
        script.feed(Input::Tick(Duration::from_secs(1)));
    }
    let shown = script.session.view().streams.index.clone().expect("an index");
    let anew = Index::build(&stage.store(), &Work::default()).unwrap();
    let count = |index: &Index| (index.len(), index.streams().len());
    assert_eq!(count(&shown), count(&anew));
    let expected: &[&str] = if is_noticed { &["shop.sqlite was changed in its past"] } else { &[] };
    assert_eq!(
        (script.notices(), script.opened),
        (expected.iter().map(|title| (*title).to_owned()).collect(), 1 + usize::from(is_noticed))
    );
    if is_noticed {
        assert_eq!(facts(&shown), facts(&anew));
    }
}

#[test]
fn what_is_only_appended_is_followed() {
    check(60, |stage| stage.append(5), false);
    check(1000, |stage| stage.append(1), false);
    check(1000, |stage| stage.execute("CREATE TABLE other (id); INSERT INTO other VALUES (1)"), false);
    check(60, |stage| stage.execute("UPDATE events SET data = '{}'"), false);
}

#[test]
fn a_store_that_was_changed_in_its_past_is_opened_anew() {
    check(60, |stage| stage.execute("UPDATE events SET type = 'Changed' WHERE position = 17"), true);
    check(60, |stage| stage.execute("DELETE FROM events WHERE stream_id = 'order-3'"), true);
    check(1000, |stage| stage.execute("DELETE FROM events WHERE position > 900"), true);
    check(1000, |stage| stage.execute("DELETE FROM events WHERE stream_id = 'order-3'"), true);
    check(60, |stage| stage.execute("UPDATE events SET stream_id = 'other-' || stream_id"), true);
    let replaced = |stage: &Stage| {
        let other = Stage::new(80);
        other.execute("UPDATE events SET created_at = '2025' || substr(created_at, 5)");
        fs::copy(&other.path, &stage.path).unwrap();
    };
    check(60, replaced, true);
}
