//! A store that grows while it is open.

use std::time::Duration;

use timeglass::{
    model::{Json, StreamName},
    session::{
        Input,
        action::{BrowseAction, CursorAction},
    },
    store::memory::event,
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
