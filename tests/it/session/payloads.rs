//! Searching payloads: hits in order, going from one to the next, stopping.

use timeglass::{
    model::{Json, Payload, Pointer, RecordedEvent, StreamName},
    session::{
        Input,
        action::{Action, BlameAction, BrowseAction, CursorAction, PayloadAction, PayloadScope},
        job::Slot,
        view::ColumnPath,
    },
    store::{
        memory::event,
        search::{IdKind, Sought, SoughtId},
    },
};

use super::{Script, shop};

impl Script {
    fn payloads(&mut self, action: PayloadAction) {
        self.feed(Input::Action(Action::Payloads(action)));
    }

    fn payload_hits(&self) -> Vec<String> {
        let hits = self.view().payloads.hits.iter();
        hits.map(|hit| {
            let version = hit.version.map(|version| version.to_string()).unwrap_or_default();
            format!("{} v{version} {}", hit.stream.full(), hit.excerpt.get(hit.at.clone()).unwrap())
        })
        .collect()
    }
}

fn text(text: &str) -> Sought {
    Sought::Text { text: text.into(), is_exact_case: false }
}

fn status(value: &str) -> Sought {
    Sought::Value { path: Pointer::typed("status").unwrap(), value: Json::typed(value) }
}

#[test]
fn hits_come_newest_first_and_turned_round() {
    let mut script = Script::open(shop());
    script.payloads(PayloadAction::Search(text("PLACED"), PayloadScope::Store));
    assert_eq!(script.payload_hits(), ["order-2 v1 placed", "order-1 v1 placed"]);
    assert_eq!(script.view().payloads.summary, "2 hits in 6 events");
    script.payloads(PayloadAction::TurnRound);
    assert_eq!(script.payload_hits(), ["order-1 v1 placed", "order-2 v1 placed"]);
    script.payloads(PayloadAction::Search(status("paid"), PayloadScope::Store));
    assert_eq!(script.payload_hits(), ["order-1 v2 paid"]);
    script.payloads(PayloadAction::Search(text("nowhere"), PayloadScope::Store));
    assert_eq!((script.payload_hits().len(), script.view().payloads.is_over), (0, true));
    script.payloads(PayloadAction::Clear);
    assert_eq!(script.view().payloads.number, None);
}

#[test]
fn a_hit_is_gone_to_and_the_next_one() {
    let mut script = Script::open(shop());
    script.payloads(PayloadAction::Search(text("status"), PayloadScope::Store));
    script.payloads(PayloadAction::Turn(true));
    assert_eq!(script.view().state.place, "v2 of 2");
    assert_eq!(script.view().payloads.chosen, Some(0));
    script.payloads(PayloadAction::Turn(true));
    assert_eq!(script.view().state.place, "v3 of 3");
    script.payloads(PayloadAction::Turn(false));
    script.payloads(PayloadAction::Turn(false));
    assert_eq!(script.view().payloads.chosen, Some(0), "there is none before the first");
    script.payloads(PayloadAction::Choose(4));
    assert_eq!(script.view().payloads.chosen, Some(4));
    assert_eq!(script.state(), r#"{"status":"placed","total":10}"#);
}

#[test]
fn only_what_is_chosen_is_searched() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.payloads(PayloadAction::Search(text("status"), PayloadScope::Stream));
    assert_eq!(script.payload_hits(), ["order-1 v3 status", "order-1 v2 status", "order-1 v1 status"]);
    script.browse(BrowseAction::ClearStream);
    script.browse(BrowseAction::FilterCategory(Some(Some("order".into()))));
    script.browse(BrowseAction::OnlyType("OrderPlaced".into()));
    script.payloads(PayloadAction::Search(text("a"), PayloadScope::Filtered));
    assert_eq!(script.payload_hits(), ["order-2 v1 a", "order-1 v1 a"]);
}

#[test]
fn a_search_that_was_stopped_goes_on() {
    let one = |number: i64| {
        let data = Json::object([("n", Json::from(number))]);
        event(number, &StreamName::of("order", "1"), number, "Counted", data)
    };
    let mut script = Script::open((1..=5_000).map(one));
    script.browse(BrowseAction::ChooseStream(0));
    script.cursor(CursorAction::Home);
    let search = PayloadAction::Search(text("99"), PayloadScope::Stream);
    let jobs = script.session.apply(Input::Action(Action::Payloads(search)));
    assert_eq!(jobs.iter().map(|job| job.slot).collect::<Vec<_>>(), [Slot::Payloads]);
    script.session.apply(Input::Action(Action::Payloads(PayloadAction::Stop)));
    script.run(jobs);
    let view = &script.view().payloads;
    assert_eq!(
        (view.is_stopped, view.is_over, &*view.summary),
        (true, false, "38 hits; 2\u{2009}000 of 5\u{2009}000 events")
    );
    script.payloads(PayloadAction::GoOn);
    let expected = (1..=5_000).filter(|number| number.to_string().contains("99")).count();
    assert_eq!(script.view().payloads.hits.len(), expected);
    assert!(script.view().payloads.is_over);
    let newest_first = script.payload_hits();
    script.payloads(PayloadAction::TurnRound);
    assert!(script.payload_hits().into_iter().eq(newest_first.into_iter().rev()));
}

/// The shop, with who did what, and what caused it.
fn told() -> Vec<RecordedEvent> {
    let told = |(place, event): (usize, RecordedEvent)| RecordedEvent {
        event_id: Some(format!("e{}", place + 1).into()),
        causation_id: place.checked_sub(1).map(|before| format!("e{}", before + 1).into()),
        correlation_id: Some(if place % 2 == 0 { "even" } else { "odd" }.into()),
        actor: Some(if place < 3 { "anna" } else { "bob" }.into()),
        metadata: Payload::from_json(Json::object([("ip", Json::from("10.0.0.1"))])),
        ..event
    };
    shop().into_iter().enumerate().map(told).collect()
}

fn places(script: &Script) -> Vec<String> {
    let hits = script.view().payloads.hits.iter();
    hits.map(|hit| hit.position.as_ref().map(ToString::to_string).unwrap_or_default()).collect()
}

#[test]
fn events_that_belong_together_are_found_by_their_id() {
    let mut script = Script::open(told());
    let even = SoughtId { kind: IdKind::Correlation, id: "even".into() };
    script.payloads(PayloadAction::SearchId(even));
    assert_eq!(places(&script), ["5", "3", "1"]);
    assert_eq!(script.view().payloads.summary, "3 hits in 6 events");
    assert_eq!(script.view().payloads.sought_id.as_deref(), Some("correlation id even"));
    script.payloads(PayloadAction::TurnRound);
    assert_eq!(places(&script), ["1", "3", "5"]);
    script.payloads(PayloadAction::Turn(true));
    assert_eq!(script.view().state.place, "v1 of 3");
    script.payloads(PayloadAction::SearchId(SoughtId { kind: IdKind::Causation, id: "e2".into() }));
    assert_eq!(places(&script), ["3"]);
    script.payloads(PayloadAction::SearchId(SoughtId { kind: IdKind::Causation, id: "even".into() }));
    assert!(places(&script).is_empty() && script.view().payloads.is_over);
    script.payloads(PayloadAction::Search(text("placed"), PayloadScope::Store));
    assert_eq!(script.view().payloads.sought_id, None);
}

#[test]
fn the_cause_of_an_event_is_gone_to() {
    let mut script = Script::open(told());
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    script.browse(BrowseAction::GoToId("e4".into()));
    let there = |script: &Script| script.view().event.as_ref().map(|event| event.label());
    assert_eq!(there(&script).as_deref(), Some("OrderPaid 2@order-1"));
    let notices = script.view().notices.len();
    script.browse(BrowseAction::GoToId("e99".into()));
    assert_eq!(there(&script).as_deref(), Some("OrderPaid 2@order-1"), "nowhere to go");
    let told = script.view().notices.last().map(|notice| notice.title.clone());
    assert_eq!(script.view().notices.len(), notices + 1);
    assert_eq!(told.as_deref(), Some("No event here has the id e99"));
}

#[test]
fn who_did_it_stands_beside_what_was_written() {
    let mut script = Script::open(told());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.feed(Input::Action(Action::Blame(BlameAction::Ask(Pointer::parse("/status").unwrap()))));
    script.feed(Input::Action(Action::Blame(BlameAction::ShowRows { first: 0, count: 20 })));
    let rows = script.view().blame.rows.iter();
    let actors: Vec<String> =
        rows.filter_map(|row| row.actor.clone()).map(|actor| actor.to_string()).collect();
    assert_eq!(actors, ["bob", "bob", "anna"]);
    let last = script.view().blame.last.as_ref().and_then(|last| last.row.actor.clone());
    assert_eq!(last.as_deref(), Some("bob"));
}

#[test]
fn a_path_of_the_metadata_has_a_column_and_so_has_what_stands_beside_it() {
    let mut script = Script::open(told());
    for path in ["meta:ip", "status"] {
        script.browse(BrowseAction::AddColumn(ColumnPath::typed(path).unwrap()));
    }
    let written: Vec<String> = script.view().events.paths.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["meta:/ip", "/status"]);
    assert!(written.iter().all(|path| ColumnPath::parse(path).is_some_and(|read| read.to_string() == *path)));
    script.browse(BrowseAction::ShowRows { first: 0, count: 6 });
    let row = script.view().events.loaded(3).expect("a row");
    assert_eq!(row.paths, ["10.0.0.1", "paid"]);
    let extras: Vec<&str> = row.extras.iter().flatten().map(|text| &**text).collect();
    assert_eq!(extras, ["bob", "odd", "e3", "e4"]);
}
