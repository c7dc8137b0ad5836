//! A store that grows while it is open.

use std::time::Duration;

use timeglass::{
    model::{Json, StreamName},
    session::{
        Input,
        action::{BrowseAction, CursorAction, ShellAction},
        job::{Answer, Slot},
    },
    store::{StoreError, memory::event},
};

use super::{Script, shop};

fn refund() -> timeglass::model::RecordedEvent {
    let data = Json::parse(br#"{"status":"refunded"}"#).unwrap();
    event(7, &StreamName::of("order", "1"), 4, "OrderRefunded", data)
}

#[test]
fn a_following_cursor_moves_with_new_events() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    assert!(script.view().timeline.is_following);
    script.append(refund());
    script.feed(Input::Tick(Duration::from_secs(1)));
    assert_eq!(script.view().state.place, "v4 of 4");
    assert!(script.state().contains("refunded"));
    assert_eq!(script.view().events.total, 4);
}

#[test]
fn a_stopped_cursor_stays_where_it_is() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::Step(-1));
    script.append(refund());
    script.feed(Input::Tick(Duration::from_secs(1)));
    assert_eq!(script.view().state.place, "v2 of 4");
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
    assert_eq!(script.view().events.total, 4, "the new event is listed all the same");
    script.cursor(CursorAction::ToggleFollow);
    assert_eq!(script.view().state.place, "v4 of 4");
}

#[test]
fn a_store_that_did_not_change_is_not_read_again() {
    let mut script = Script::open(shop());
    let before = script.view().streams.index.clone().unwrap();
    script.feed(Input::Tick(Duration::from_secs(1)));
    let after = script.view().streams.index.clone().unwrap();
    assert!(std::sync::Arc::ptr_eq(&before, &after));
}

/// A window on the shop whose looks at new events wait, and another event.
fn behind() -> Script {
    let mut script = Script::open_holding(shop(), Slot::Index);
    let jobs = script.take_held();
    script.run(jobs);
    script.append(refund());
    script
}

fn look(script: &mut Script) -> usize {
    let before = script.take_held();
    script.feed(Input::Tick(Duration::from_secs(1)));
    let after = script.take_held();
    let asked = after.len();
    script.hold(before.into_iter().chain(after));
    asked
}

#[test]
fn what_comes_while_new_events_are_read_is_read_after_them() {
    let mut script = behind();
    assert_eq!(look(&mut script), 1);
    let data = Json::parse(br#"{"status":"returned"}"#).unwrap();
    script.append(event(8, &StreamName::of("order", "1"), 5, "OrderReturned", data.clone()));
    assert_eq!(look(&mut script), 0, "the one that runs is not stopped");
    let jobs = script.take_held();
    script.append(event(9, &StreamName::of("order", "1"), 6, "OrderReturned", data));
    script.run(jobs);
    assert!(script.view().title.contains("9 events"), "{}", script.view().title);
    assert_eq!(look(&mut script), 1, "it may have missed some");
    let jobs = script.take_held();
    script.run(jobs);
    assert_eq!(look(&mut script), 0);
}

#[test]
fn new_events_that_could_not_be_read_are_asked_for_again() {
    let mut script = behind();
    assert_eq!(look(&mut script), 1);
    script.take_held();
    script.shell(ShellAction::CancelWork);
    for _ in 0..3 {
        assert_eq!(look(&mut script), 1);
        script.take_held();
        let busy = StoreError::Busy { path: "shop.sqlite".into(), doing: "following".to_owned() };
        script.feed(Input::Answer(Slot::Index, Answer::Failed(busy)));
        let notices = script.view().notices.clone();
        for notice in notices.iter() {
            script.shell(ShellAction::Dismiss(notice.id));
        }
    }
    assert_eq!(look(&mut script), 1);
    let jobs = script.take_held();
    script.run(jobs);
    assert!(script.view().title.contains("7 events"), "{}", script.view().title);
}

#[test]
fn a_store_that_never_rests_is_said_to_be_so_once() {
    let mut script = behind();
    let mut told = 0;
    for _ in 0..3 {
        assert_eq!(look(&mut script), 1);
        script.take_held();
        let busy = StoreError::Busy { path: "shop.sqlite".into(), doing: "following".to_owned() };
        script.feed(Input::Answer(Slot::Index, Answer::Failed(busy)));
        let notices = script.view().notices.clone();
        told += notices.len();
        for notice in notices.iter() {
            script.shell(ShellAction::Dismiss(notice.id));
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn a_state_that_comes_after_its_stream_was_left_is_not_shown() {
    let mut script = Script::open_holding(shop(), Slot::Step);
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    let late = script.take_held();
    assert!(!late.is_empty());
    script.browse(BrowseAction::ClearStream);
    script.run(late);
    assert!(script.view().diff.changes.is_empty() && !script.view().diff.is_ready);
}
