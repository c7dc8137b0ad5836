//! Searching payloads: hits in order, going from one to the next, stopping.

use timeglass::{
    model::{Json, Pointer, StreamName},
    session::{
        Input,
        action::{Action, BrowseAction, CursorAction, PayloadAction, PayloadScope},
        job::Slot,
    },
    store::{memory::event, search::Sought},
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
}
