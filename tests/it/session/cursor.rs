//! Moving in time.

use std::time::Duration;

use timeglass::{
    model::{Json, Stored, StreamName},
    session::{
        Input,
        action::{Action, Axis, BrowseAction, CursorAction, Scope},
        view::Tick,
    },
    store::memory::event,
};

use super::{Script, shop};

#[test]
fn a_chosen_stream_shows_its_last_state_and_steps_show_what_changed() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    assert_eq!(script.state(), r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    assert_eq!(script.view().state.place, "v3 of 3");
    assert_eq!(&*script.view().state.reducer, "merged; no reducer for `order`");

    script.cursor(CursorAction::Step(-1));
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
    let changes: Vec<String> =
        script.view().state.changes.iter().map(|change| change.to_json().to_compact()).collect();
    assert_eq!(changes, [r#"{"path":"/status","op":"change","old":"placed","new":"paid"}"#]);
    assert_eq!(
        script.view().event.as_ref().map(|event| event.label()).as_deref(),
        Some("OrderPaid 2@order-1")
    );
}

#[test]
fn home_is_before_the_first_event_and_end_is_the_last() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    script.cursor(CursorAction::Home);
    assert_eq!(script.state(), "{}");
    assert_eq!(script.view().timeline.can_step, (false, true));
    script.cursor(CursorAction::Step(-1));
    assert_eq!(script.state(), "{}");
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"cancelled"}"#);
    assert_eq!(script.view().timeline.can_step, (true, false));
}

#[test]
fn dragging_over_events_and_over_time_finds_the_state() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::Seek(0.34));
    assert_eq!(script.state(), r#"{"status":"placed","total":10}"#);

    script.cursor(CursorAction::SetAxis(Axis::Time));
    // The events of the stream lie at seconds 1, 4 and 5.
    script.cursor(CursorAction::Seek(0.8));
    assert_eq!(script.view().state.place, "v2 of 3");
    script.cursor(CursorAction::Seek(1.0));
    assert_eq!(script.view().state.place, "v3 of 3");
}

#[test]
fn the_whole_store_moves_every_stream() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::SetScope(Scope::Store));
    script.cursor(CursorAction::ToCount(3));
    assert_eq!(script.view().state.place, "v1 of 3");
    assert_eq!(script.view().events.cursor_row, None, "event 3 is of another stream, which is not listed");
    let text = |name: &str| script.view().streams.text(script.stream(name)).unwrap();
    assert_eq!(text("order-1").events, "1 / 3");
    assert_eq!(text("order-2").events, "1 / 2");
    script.cursor(CursorAction::ToCount(0));
    assert!(script.view().streams.is_future(script.stream("order-1")));
}

#[test]
fn playing_moves_on_and_stops_at_the_end() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::Home);
    script.cursor(CursorAction::SetSpeed(2));
    script.cursor(CursorAction::TogglePlay);
    script.feed(Input::Tick(Duration::from_millis(400)));
    assert_eq!(script.state(), "{}");
    script.feed(Input::Tick(Duration::from_millis(200)));
    assert_eq!(script.view().state.place, "v1 of 3");
    script.feed(Input::Tick(Duration::from_secs(10)));
    assert_eq!(script.view().state.place, "v3 of 3");
    assert!(!script.view().timeline.is_playing);
}

#[test]
fn two_pinned_points_are_compared() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.cursor(CursorAction::ToCount(1));
    script.cursor(CursorAction::Pin(0));
    script.cursor(CursorAction::End);
    script.cursor(CursorAction::Pin(1));
    let diff = &script.view().diff;
    assert!(diff.is_between_pins);
    assert_eq!(diff.title, "order-1 v1 → order-1 v3");
    assert_eq!(diff.changes.len(), 2);
    script.cursor(CursorAction::Unpin(0));
    assert!(!script.view().diff.is_between_pins);
}

#[test]
fn going_to_a_version_position_or_time_that_is_not_there_says_so() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.browse(BrowseAction::GoTo("v2".to_owned()));
    assert_eq!(script.view().state.place, "v2 of 3");
    script.browse(BrowseAction::GoTo("p3".to_owned()));
    assert_eq!(script.view().state.place, "v1 of 3", "the chosen stream as of position 3");
    script.browse(BrowseAction::GoTo("v9".to_owned()));
    assert_eq!(script.view().notices.last().unwrap().title, "order-1 has no version 9");
    script.browse(BrowseAction::ClearStream);
    script.browse(BrowseAction::GoTo("p6".to_owned()));
    assert_eq!(&*script.view().state.stream, "order-2", "without a stream, the event at position 6");
    script.browse(BrowseAction::GoTo("noon".to_owned()));
    assert!(script.view().notices.last().unwrap().hint.contains("2024-03-01"));
    assert_eq!(script.view().state.place, "v2 of 2");
}

#[test]
fn the_timeline_of_a_stream_names_the_event_of_that_stream() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    assert!(
        script.view().timeline.place.starts_with("v3 of 3 · 2023-11-14 22:13:25"),
        "{}",
        script.view().timeline.place
    );
    assert_eq!(script.view().events.cursor_row, Some(2), "the row of its last event");
    let text = script.view().streams.text(script.stream("order-2")).unwrap();
    assert_eq!(text.events, "2", "while following, all other streams are shown whole");
}

#[test]
fn a_step_that_fails_has_a_tick_where_it_lies() {
    let mut events = shop();
    events[3].data.stored = Stored::Blob(b"\x80\x04".as_slice().into());
    events[3].data.decoded = Err("a pickle".into());
    let mut script = Script::open(events);
    script.cursor(CursorAction::SetAxis(Axis::Events));
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    let ticks = script.view().timeline.ticks.to_vec();
    assert!(
        matches!(ticks.as_slice(), [(place, Tick::Trouble)] if (place - 2.0 / 3.0).abs() < 1e-6),
        "{ticks:?}"
    );
    assert_eq!(script.view().state.failures, 1);
    script.browse(BrowseAction::ClearStream);
    assert!(script.view().timeline.ticks.is_empty(), "they are the stream's");
}

#[test]
fn a_cursor_that_is_faster_than_the_states_shows_the_nearest_kept_one() {
    let stream = StreamName::of("counter", "1");
    let counted = |number: i64| {
        let data = Json::object([("number", Json::from(number))]);
        event(number, &stream, number, "Counted", data)
    };
    let mut script = Script::open((1..=1000).map(counted));
    script.browse(BrowseAction::ChooseStream(script.stream("counter-1")));
    assert_eq!(script.view().state.place, "v1000 of 1\u{2009}000");

    // Two moves before any answer: what is shown is near, and said to be on its way.
    let mut to =
        |count: usize| script.session.apply(Input::Action(Action::Cursor(CursorAction::ToCount(count))));
    drop(to(440));
    let jobs = to(470);
    let view = script.view();
    assert_eq!((&*view.state.place, view.state.is_stale), ("v500 so far", true));
    assert_eq!(script.state(), r#"{"number":500}"#);
    assert_eq!(&*script.view().state.event_type, "Counted");
    script.run(jobs);
    let view = script.view();
    assert_eq!((&*view.state.place, view.state.is_stale), ("v470 of 1\u{2009}000", false));
    assert_eq!(script.state(), r#"{"number":470}"#);
}

#[test]
fn a_bar_of_a_short_stream_stands_where_the_cursor_does() {
    let cart = StreamName::of("cart", "8116");
    let at = |position: i64, version: i64| event(position, &cart, version, "ItemAdded", Json::Null);
    let mut script = Script::open([at(1, 1), at(5, 2), at(9, 3), at(2000, 4), at(90_000, 5)]);
    script.browse(BrowseAction::ChooseStream(script.stream("cart-8116")));
    for (axis, labels) in [(Axis::Time, None), (Axis::Events, Some(["0", "1", "2", "3", "4", "5"]))] {
        script.cursor(CursorAction::SetAxis(axis));
        let bars: Vec<f32> = script.view().timeline.bars.iter().map(|bar| bar.from).collect();
        script.cursor(CursorAction::Home);
        for bar in &bars {
            script.cursor(CursorAction::Step(1));
            assert_eq!(script.view().timeline.cursor, Some(*bar), "{axis:?} {bars:?}");
        }
        assert_eq!(bars.len(), 5);
        let shown: Vec<&str> = script.view().timeline.labels.iter().map(|(_, text)| &**text).collect();
        assert!(labels.is_none_or(|labels| shown == labels), "{shown:?}");
    }
}
