//! Two streams side by side.

use timeglass::session::{
    Input,
    action::{Action, BrowseAction, CompareAction, CursorAction},
    compare::CompareAlign,
};

use super::{Script, shop};

impl Script {
    fn side_by_side(&mut self, action: CompareAction) {
        self.feed(Input::Action(Action::Compare(action)));
    }

    fn states(&self) -> [String; 2] {
        self.view().compare.sides.each_ref().map(|side| {
            side.as_ref()
                .and_then(|side| side.state.as_ref())
                .map(|state| state.to_compact())
                .unwrap_or_default()
        })
    }
}

fn two_orders() -> Script {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.side_by_side(CompareAction::Take(0));
    assert_eq!(script.view().compare.steps, None, "one side is not two");
    script.side_by_side(CompareAction::TakeStream(1, "order-2".to_owned()));
    script
}

#[test]
fn two_streams_go_together_by_version() {
    let mut script = two_orders();
    assert_eq!(script.view().compare.summary, "First difference at step 1; 3 of 3 steps differ");
    assert_eq!(script.states(), [r#"{"status":"placed","total":10}"#, r#"{"status":"placed","total":20}"#]);
    script.side_by_side(CompareAction::Next);
    assert_eq!(script.states(), [r#"{"status":"paid","total":10}"#, r#"{"status":"cancelled"}"#]);
    assert_eq!(script.view().compare.sides[1].as_ref().unwrap().place, "v2 of 2");
    script.cursor(CursorAction::End);
    assert_eq!(script.view().compare.step, 3, "the left one is shown, so the cursor moves both");
    script.side_by_side(CompareAction::Step(-2));
    assert_eq!(script.view().state.place, "v1 of 3");
    script.side_by_side(CompareAction::Previous);
    assert_eq!(script.view().compare.step, 1, "there is none before");
    assert_eq!(script.view().compare.turns, (false, true));
}

#[test]
fn two_streams_go_together_by_time() {
    let mut script = two_orders();
    script.side_by_side(CompareAction::Align(CompareAlign::ByTime));
    assert_eq!(script.view().compare.steps, Some(5), "no two happened at one moment");
    assert_eq!(script.states(), [r#"{"status":"placed","total":10}"#, "{}"]);
    script.side_by_side(CompareAction::GoTo(5));
    assert_eq!(
        script.states(),
        [r#"{"status":"shipped","total":10,"parcel":"X1"}"#, r#"{"status":"cancelled"}"#]
    );
    script.side_by_side(CompareAction::Swap);
    assert_eq!(script.view().compare.sides[0].as_ref().unwrap().title, "order-2");
}

#[test]
fn one_stream_under_two_reducers_and_a_name_that_is_none() {
    let mut script = two_orders();
    script.side_by_side(CompareAction::TakeMerged(1));
    assert_eq!(script.view().compare.summary, "The states are the same at all 3 steps");
    script.side_by_side(CompareAction::TakeStream(1, "order-9".to_owned()));
    assert_eq!(script.view().notices.last().unwrap().title, "No stream is called “order-9”");
    script.side_by_side(CompareAction::Clear(1));
    assert_eq!(script.view().compare.steps, None);
}

#[test]
fn what_is_found_of_a_side_that_was_taken_away_is_not_shown() {
    let mut script = two_orders();
    let clear = || Input::Action(Action::Compare(CompareAction::Clear(1)));
    let late = script.session.apply(Input::Action(Action::Compare(CompareAction::Swap)));
    script.feed(clear());
    script.run(late);
    assert_eq!((script.view().compare.steps, &*script.view().compare.summary), (None, ""));
    script.side_by_side(CompareAction::TakeStream(1, "order-2".to_owned()));
    let late = script.session.apply(Input::Action(Action::Compare(CompareAction::Step(-1))));
    script.feed(clear());
    script.run(late);
    assert_eq!(script.view().compare.changes, None);
}
