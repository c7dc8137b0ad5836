//! Back and forward, choosing rows, closing.

use std::{sync::Arc, time::Duration};

use timeglass::{
    model::Zone,
    session::{
        Input,
        action::{Action, BrowseAction, MappingAction, ShellAction},
        job::{Answer, Slot},
        view::Screen,
    },
    store::StoreError,
};

use super::{Script, shop};

#[test]
fn choosing_an_event_shows_the_state_of_its_stream_without_filtering() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseRow(3));
    assert_eq!(&*script.view().state.stream, "order-1");
    assert_eq!(script.view().state.place, "v2 of 3");
    assert_eq!(script.view().events.total, 6);
    assert_eq!(script.view().events.cursor_row, Some(3));
    script.browse(BrowseAction::MoveRow(2));
    assert_eq!(&*script.view().state.stream, "order-2");
    assert_eq!(script.view().events.cursor_row, Some(5));
    script.browse(BrowseAction::MoveRow(100));
    assert_eq!(script.view().events.cursor_row, Some(5));
}

#[test]
fn back_returns_to_the_place_before_and_forward_undoes_it() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseRow(3));
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    assert_eq!(script.view().events.total, 2);
    assert!(script.session.can_go_back());
    script.shell(ShellAction::Back);
    assert_eq!(&*script.view().state.stream, "order-1");
    assert_eq!(script.view().state.place, "v2 of 3");
    assert_eq!(script.view().events.total, 6);
    script.shell(ShellAction::Forward);
    assert_eq!(&*script.view().state.stream, "order-2");
    assert_eq!(script.view().events.total, 2);
}

#[test]
fn the_past_is_kept_when_another_stream_is_chosen() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseRow(2));
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    assert_eq!(script.view().state.place, "v1 of 3", "as of event 3, order 1 had one event");
}

#[test]
fn closing_forgets_the_store_and_keeps_the_file_on_the_list() {
    let mut script = Script::open(shop());
    assert_eq!(script.view().screen, Screen::Store);
    script.shell(ShellAction::Close);
    assert_eq!(script.view().screen, Screen::Welcome);
    assert_eq!(script.view().recent[0].name, "shop.sqlite");
    assert!(script.view().streams.index.is_none());
    script.shell(ShellAction::Forget(script.view().recent[0].path.clone()));
    assert!(script.view().recent.is_empty());
}

#[test]
fn a_file_that_is_not_there_leaves_the_welcome_screen_with_a_notice() {
    let mut script = Script::open(shop());
    script.shell(ShellAction::Close);
    script.shell(ShellAction::Open("/nowhere/at/all.sqlite".into()));
    assert_eq!(script.view().screen, Screen::Welcome);
    let notice = script.view().notices.last().expect("a notice");
    assert_eq!(notice.title, "There is no such file");
    assert!(notice.detail.contains("/nowhere/at/all.sqlite"));
}

#[test]
fn the_mapping_dialog_can_be_left_without_a_trace() {
    let mut script = Script::open(shop());
    script.session.apply(Input::Action(Action::Mapping(MappingAction::Edit)));
    assert!(script.view().mapping.is_some());
    script.session.apply(Input::Action(Action::Mapping(MappingAction::Cancel)));
    assert!(script.view().mapping.is_none());
    assert_eq!(script.view().screen, Screen::Store);
}

#[test]
fn a_store_that_is_gone_is_said_to_be_gone_once() {
    let mut script = Script::open(shop());
    let gone = || Answer::Failed(StoreError::Missing { path: "/stores/shop.sqlite".into() });
    script.feed(Input::Answer(Slot::Watch, gone()));
    let id = script.view().notices.last().expect("a notice").id;
    script.shell(ShellAction::Dismiss(id));
    script.feed(Input::Answer(Slot::Watch, gone()));
    assert!(script.view().notices.is_empty(), "it was read already");
    script.feed(Input::Tick(Duration::from_secs(1)));
    script.feed(Input::Answer(Slot::Watch, gone()));
    assert_eq!(script.view().notices.len(), 1, "it came back and went again");
}

#[test]
fn work_that_is_stopped_says_how_to_go_on() {
    let mut script = Script::open(shop());
    script.shell(ShellAction::CancelWork);
    assert_eq!(script.view().screen, Screen::Store);
    assert_eq!(script.view().streams.summary, "3 streams", "what is known stays");
}

#[test]
fn an_opening_that_crashes_ends_on_the_welcome_screen() {
    let mut script = Script::open(shop());
    script.session.apply(Input::Action(Action::Shell(ShellAction::Open("other.sqlite".into()))));
    assert!(matches!(script.view().screen, Screen::Opening(_)));
    script.feed(Input::Crash(Slot::Open, "out of luck".to_owned()));
    assert_eq!(script.view().screen, Screen::Welcome);
}

#[test]
fn another_zone_writes_every_panel_anew() {
    let mut script = Script::open(shop());
    let before = Arc::clone(&script.view().info);
    script.shell(ShellAction::SetZone(Zone::Local));
    assert_eq!(script.view().events.zone, Zone::Local);
    // The text may be the same where local time is UTC, so that it is another one has to do.
    assert!(!Arc::ptr_eq(&before, &script.view().info), "first and last time of the store");
}
