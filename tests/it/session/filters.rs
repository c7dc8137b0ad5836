//! Streams and events: filters, sorting, columns.

use timeglass::{
    model::RecordedEvent,
    session::{
        Input,
        action::{Action, BrowseAction, EventOrder, StreamSort},
        job::Slot,
        view::{ColumnPath, StreamLine},
    },
};

use super::{Script, shop};

/// The rows of the events table: position and type.
fn rows(script: &Script) -> Vec<String> {
    let events = &script.view().events;
    (0..events.total)
        .filter_map(|row| events.head(row))
        .map(|head| format!("{} {}", head.position, head.event_type))
        .collect()
}

/// The lines of the streams panel.
fn lines(script: &Script) -> Vec<String> {
    let streams = &script.view().streams;
    let line = |line: &StreamLine| match line {
        StreamLine::Category { name, streams, events, .. } => {
            format!("{} {streams} {events}", name.as_deref().unwrap_or("-"))
        }
        StreamLine::Stream(number) => {
            streams.text(*number).map(|text| format!("  {} {}", text.label, text.events)).unwrap_or_default()
        }
    };
    streams.lines.iter().map(line).collect()
}

#[test]
fn streams_stand_below_their_categories_and_are_filtered_and_sorted() {
    let mut script = Script::open(shop());
    assert_eq!(lines(&script), ["customer 1 1", "  7 1", "order 2 5", "  1 3", "  2 2"]);
    script.browse(BrowseAction::SortStreams(StreamSort::Events));
    assert_eq!(lines(&script), ["customer 1 1", "  7 1", "order 2 5", "  2 2", "  1 3"]);
    script.browse(BrowseAction::FilterStreams("order-?".to_owned()));
    assert_eq!(lines(&script), ["order 2 5", "  2 2", "  1 3"]);
    assert_eq!(script.view().streams.summary, "2 of 3 streams");
    script.browse(BrowseAction::ToggleCategory(Some("order".into())));
    assert_eq!(lines(&script), ["order 2 5"]);
    script.browse(BrowseAction::FilterStreams("/(/".to_owned()));
    assert!(script.view().streams.filter_error.is_some());
    assert_eq!(lines(&script), ["order 2 5"], "a broken filter leaves what is shown");
}

#[test]
fn events_are_filtered_by_stream_type_category_and_time() {
    let mut script = Script::open(shop());
    assert_eq!(rows(&script).len(), 6);
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    assert_eq!(rows(&script), ["3 OrderPlaced", "6 OrderCancelled"]);
    script.browse(BrowseAction::OnlyType("OrderPlaced".into()));
    assert_eq!(rows(&script), ["3 OrderPlaced"]);
    let filters: Vec<&str> = script.view().events.filters.iter().map(|filter| &*filter.text).collect();
    assert_eq!(filters, ["stream order-2", "1 of 5 types"]);
    script.browse(BrowseAction::ClearFilters);
    assert_eq!(rows(&script).len(), 6);
    script.browse(BrowseAction::FilterCategory(Some(Some("customer".into()))));
    assert_eq!(rows(&script), ["2 Registered"]);
    script.browse(BrowseAction::ClearFilters);
    let time = script.view().streams.index.as_ref().unwrap().row(4).unwrap().time;
    script.browse(BrowseAction::FilterFrom(time));
    assert_eq!(rows(&script), ["5 OrderShipped", "6 OrderCancelled"]);
}

#[test]
fn stream_order_lists_stream_by_stream() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::OrderEvents(EventOrder::Stream));
    let types: Vec<String> = rows(&script);
    let place = |text: &str| types.iter().position(|row| row == text).unwrap();
    assert_eq!(place("4 OrderPaid"), place("1 OrderPlaced") + 1);
    assert_eq!(place("6 OrderCancelled"), place("3 OrderPlaced") + 1);
}

#[test]
fn rows_on_screen_are_fetched_with_their_path_columns() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::AddColumn(ColumnPath::parse("/status").unwrap()));
    script.browse(BrowseAction::ShowRows { first: 0, count: 10 });
    let loaded = script.view().events.loaded(3).expect("row 3 is loaded");
    assert_eq!(loaded.preview, r#"{"status":"paid"}"#);
    assert_eq!(loaded.paths, ["paid"]);
    script.browse(BrowseAction::RemoveColumn(ColumnPath::parse("/status").unwrap()));
    assert!(script.view().events.paths.is_empty());
    assert!(script.view().events.loaded(3).expect("still loaded").paths.is_empty());
}

#[test]
fn a_row_says_where_the_id_of_its_stream_begins() {
    let event = |category| {
        let stream = timeglass::model::StreamName::of(category, "17");
        timeglass::store::memory::event(1, &stream, 1, "Opened", timeglass::model::Json::Null)
    };
    let script = Script::open([event("BankAccount")]);
    let events = &script.view().events;
    let from_index = events.head(0).expect("the index knows it");
    let loaded = &events.loaded(0).expect("it is on screen").head;
    for head in [&from_index, loaded] {
        assert_eq!(head.stream.split_at(head.id_at), ("BankAccount-", "17"));
    }
}

#[test]
fn a_row_far_away_is_fetched_when_it_is_shown() {
    let stream = timeglass::model::StreamName::of("order", "1");
    let many = (1..=5000).map(|number| {
        let data = timeglass::model::Json::object([("n", timeglass::model::Json::from(number))]);
        timeglass::store::memory::event(number, &stream, number, "Counted", data)
    });
    let mut script = Script::open(many);
    assert!(script.view().events.loaded(4000).is_none());
    assert_eq!(script.view().events.head(4000).unwrap().position, "4001", "the index knows every head");
    script.browse(BrowseAction::ShowRows { first: 3990, count: 40 });
    assert_eq!(script.view().events.loaded(4000).unwrap().preview, r#"{"n":4001}"#);
    assert!(script.view().events.loaded.len() < 200, "only what is on screen and its neighbours");
}

/// Whether rows are fetched when those from `first` on come on screen.
fn asks(script: &mut Script, first: u64) -> bool {
    let shown = BrowseAction::ShowRows { first, count: 40 };
    !script.session.apply(Input::Action(Action::Browse(shown))).is_empty()
}

#[test]
fn rows_elsewhere_are_asked_for_while_others_are_on_their_way() {
    let stream = timeglass::model::StreamName::of("order", "1");
    let data = timeglass::model::Json::object([("n", timeglass::model::Json::from(1_i64))]);
    let many = (1..=5000)
        .map(|number| timeglass::store::memory::event(number, &stream, number, "Counted", data.clone()));
    let mut script = Script::open(many);
    assert!(asks(&mut script, 1000));
    assert!(!asks(&mut script, 1010), "neighbours come along");
    assert!(asks(&mut script, 4000), "rows far below do not");
    assert!(asks(&mut script, 4980));
    assert!(!asks(&mut script, 4980), "the last rows are on their way, though they do not fill the screen");
    script.session.apply(Input::Crash(Slot::Rows, "out of luck".to_owned()));
    assert!(asks(&mut script, 4980), "a job that crashed brings nothing");
}

#[test]
fn times_are_shown_and_filtered_by_where_the_store_has_some() {
    let script = Script::open(shop());
    assert!(script.view().events.has_times);
    let script = Script::open(shop().into_iter().map(|event| RecordedEvent { time: None, ..event }));
    assert_eq!(script.view().events.total, 6);
    assert!(!script.view().events.has_times);
}
