//! Running to where something holds, and looking for it everywhere.

use timeglass::{
    model::{Json, Pointer, StreamName},
    replay::Condition,
    session::{
        Input,
        action::{Action, BrowseAction, ConditionAction, CursorAction, ShellAction},
        conditions::{Direction, Reach},
        job::Slot,
        view::{Tick, met_words},
    },
    store::memory::event,
};

use super::{Script, shop};

impl Script {
    fn condition(&mut self, action: ConditionAction) {
        self.feed(Input::Action(Action::Conditions(action)));
    }

    fn place(&self) -> &str {
        &self.view().state.place
    }

    fn notice(&self) -> &str {
        self.view().notices.last().map_or("", |notice| notice.title.as_str())
    }

    fn hits(&self) -> Vec<(usize, String)> {
        let view = &self.view().conditions;
        view.hits.iter().map(|hit| (hit.count, met_words(&view.conditions, hit.which))).collect()
    }

    fn found(&self) -> Vec<String> {
        let view = &self.view().conditions;
        let search = view.search.as_ref().unwrap();
        let words = search.hits.iter().map(|hit| {
            let head = view.head_of(hit.ordinal).unwrap();
            format!("{} v{} {}", head.stream, head.version, met_words(&search.conditions, hit.hit.which))
        });
        words.collect()
    }
}

fn status_changes() -> Condition {
    Condition::Changes { path: Pointer::parse("/status").unwrap(), from: None, to: None }
}

fn order_1(conditions: &[Condition]) -> Script {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    for condition in conditions {
        script.condition(ConditionAction::Add(condition.clone()));
    }
    script
}

#[test]
fn what_cannot_be_read_is_refused_and_not_kept() {
    let mut script = order_1(&[]);
    script.condition(ConditionAction::Add(Condition::State("state.status ===".into())));
    assert_eq!(script.notice(), "state.status === cannot be read");
    let notice = script.view().notices.last().unwrap();
    assert!(notice.detail.contains("the expression is not finished"), "{}", notice.detail);
    assert!(script.view().conditions.rows.is_empty());
    script.condition(ConditionAction::Add(Condition::State("state.status === 'paid'".into())));
    assert_eq!(script.view().conditions.rows.len(), 1);
}

#[test]
fn a_name_that_is_nowhere_is_told() {
    let fault = |text: &str| {
        let script = order_1(&[Condition::State(text.into())]);
        script.view().conditions.rows[0].fault.clone()
    };
    assert_eq!(
        fault("state.cancelation").as_deref(),
        Some("No state of this stream has anything at /cancelation")
    );
    assert_eq!(fault("state.status"), None);
    assert_eq!(fault("state.cancelation == 1"), None);
}

#[test]
fn runs_go_from_hit_to_hit_and_say_when_there_is_none() {
    let mut script = order_1(&[Condition::Type("OrderPaid".into()), Condition::State("parcel".into())]);
    assert_eq!(script.hits(), [(2, "event type OrderPaid".to_owned()), (3, "parcel".to_owned())]);
    assert_eq!(script.view().conditions.summary, "2 hits in 3 events");
    script.cursor(CursorAction::Home);
    script.condition(ConditionAction::Run(Direction::Forward));
    assert_eq!(script.place(), "v2 of 3");
    assert_eq!(script.view().conditions.here, Some(0));
    script.condition(ConditionAction::Run(Direction::Forward));
    assert_eq!(script.place(), "v3 of 3");
    script.condition(ConditionAction::Run(Direction::Forward));
    assert_eq!(script.place(), "v3 of 3");
    assert_eq!(script.notice(), "No hit after v3; once more goes on from the start");
    script.condition(ConditionAction::Run(Direction::Forward));
    assert_eq!(script.place(), "v2 of 3");
    assert_eq!(script.notice(), "Went on from the start");
    script.condition(ConditionAction::Run(Direction::Backward));
    assert_eq!(script.notice(), "No hit before v2; once more goes on from the end");
    script.condition(ConditionAction::Run(Direction::Backward));
    assert_eq!(script.place(), "v3 of 3");
    script.shell(ShellAction::Back);
    assert_eq!(script.place(), "v2 of 3", "runs are in the trail");
}

#[test]
fn a_run_finds_the_same_before_the_list_is_there() {
    let mut script = order_1(&[]);
    script.cursor(CursorAction::Home);
    // The list is not made: only the run answers.
    drop(script.session.apply(Input::Action(Action::Conditions(ConditionAction::Add(status_changes())))));
    for place in ["v1 of 3", "v2 of 3", "v3 of 3", "v3 of 3"] {
        script.condition(ConditionAction::Run(Direction::Forward));
        assert_eq!(script.place(), place);
    }
    for place in ["v2 of 3", "v1 of 3", "v1 of 3"] {
        script.condition(ConditionAction::Run(Direction::Backward));
        assert_eq!(script.place(), place);
    }
    assert!(script.notice().starts_with("No hit before v1"));
}

#[test]
fn a_condition_can_be_left_out_taken_away_and_brought_back() {
    let mut script = order_1(&[status_changes(), Condition::Type("OrderPaid".into())]);
    assert_eq!(script.view().conditions.rows[0].hits, Some(3));
    script.condition(ConditionAction::Toggle(0));
    assert_eq!(script.hits().len(), 1);
    assert_eq!(script.view().conditions.rows[0].hits, None);
    script.condition(ConditionAction::Toggle(0));
    script.condition(ConditionAction::Remove(1));
    assert_eq!(script.view().conditions.rows.len(), 1);
    let offer = script.view().notices.last().unwrap().offer.clone().unwrap();
    script.feed(Input::Action(*offer.action));
    assert_eq!(script.view().conditions.rows[1].text, "event type OrderPaid");
    assert_eq!(script.hits()[1].1, "/status changes · event type OrderPaid");
    script.condition(ConditionAction::Add(status_changes()));
    assert_eq!(script.view().conditions.rows.len(), 2, "none is looked for twice");
    script.browse(BrowseAction::ChooseStream(script.stream("customer-7")));
    assert!(script.view().conditions.rows.is_empty(), "they are of the category");
    script.condition(ConditionAction::Run(Direction::Forward));
    assert_eq!(script.notice(), "There is no condition to run to");
}

#[test]
fn hits_are_ticks_of_the_timeline() {
    let script = order_1(&[Condition::Type("OrderPaid".into())]);
    let hits = script.view().timeline.ticks.iter().filter(|(_, tick)| *tick == Tick::Hit).count();
    assert_eq!(hits, 1);
}

#[test]
fn all_streams_of_the_category_are_searched() {
    let mut script = Script::open(shop());
    script.condition(ConditionAction::ChooseCategory(Some("order".into())));
    let cancelled = Condition::Changes {
        path: Pointer::parse("/status").unwrap(),
        from: None,
        to: Some("cancelled".into()),
    };
    script.condition(ConditionAction::Add(cancelled));
    script.condition(ConditionAction::Search(Reach::Category));
    assert_eq!(script.found(), ["order-2 v2 /status changes to \"cancelled\""]);
    let search = script.view().conditions.search.clone().unwrap();
    assert_eq!(
        (search.title.as_str(), search.summary.as_str()),
        ("All streams of `order`", "1 of 2 streams")
    );
    assert!(search.is_over);
    script.condition(ConditionAction::ChooseFound(0));
    assert_eq!((&*script.view().state.stream, script.place()), ("order-2", "v2 of 2"));

    script.condition(ConditionAction::Add(Condition::State("name".into())));
    script.condition(ConditionAction::Search(Reach::Store));
    let found = script.found();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "customer-7 v1 name");
    script.condition(ConditionAction::CloseSearch);
    assert!(script.view().conditions.search.is_none());
}

#[test]
fn stopping_leaves_the_panel_consistent_and_it_can_go_on() {
    let mut script = order_1(&[]);
    let jobs =
        script.session.apply(Input::Action(Action::Conditions(ConditionAction::Add(status_changes()))));
    assert!(jobs.iter().any(|job| job.slot == Slot::Hits));
    drop(script.session.apply(Input::Action(Action::Conditions(ConditionAction::Search(Reach::Category)))));
    script.shell(ShellAction::CancelWork);
    let view = &script.view().conditions;
    assert!(view.is_stopped && view.search.as_ref().unwrap().is_stopped);
    assert_eq!(view.summary, "0 hits in 0 of 3 events");
    script.condition(ConditionAction::GoOn);
    script.condition(ConditionAction::SearchOn);
    assert_eq!(script.hits().len(), 3);
    assert_eq!(script.found().len(), 2);
    let view = &script.view().conditions;
    assert!(!view.is_stopped && view.search.as_ref().unwrap().is_over);
}

#[test]
fn a_condition_that_fails_says_so_once_and_counts_as_not_met() {
    let mut script =
        order_1(&[Condition::State("totl < 0".into()), Condition::State("state.total > 9".into())]);
    assert_eq!(script.hits().len(), 3, "the other is looked for all the same");
    let rows = &script.view().conditions.rows;
    let fault = "1:1: ReferenceError: totl is not defined (at OrderPlaced 1@order-1 and 2 more)";
    assert_eq!(rows[0].fault.as_deref(), Some(fault));
    assert_eq!((rows[0].hits, rows[1].hits), (Some(0), Some(3)));
    let notices: Vec<&str> = script.view().notices.iter().map(|notice| notice.detail.as_str()).collect();
    assert_eq!(notices.iter().filter(|detail| **detail == fault).count(), 1);
    script.condition(ConditionAction::Search(Reach::Category));
    assert_eq!(script.found().len(), 2);
    let search = script.view().conditions.search.clone().unwrap();
    assert_eq!(
        search.faults,
        ["totl < 0: 1:1: ReferenceError: totl is not defined (at OrderPlaced 1@order-1 and 1 more)"]
    );
}

#[test]
fn which_streams_a_search_looks_at_is_found_out_by_a_job() {
    let mut script = order_1(&[status_changes()]);
    let search = Action::Conditions(ConditionAction::Search(Reach::Store));
    let jobs = script.session.apply(Input::Action(search));
    assert_eq!(jobs.iter().filter(|job| job.slot == Slot::Across).count(), 1);
    let search = script.view().conditions.search.clone().unwrap();
    assert_eq!(
        (search.title.as_str(), search.summary.as_str(), search.is_over),
        ("The whole store", "Looking which streams there are", false)
    );
    // Stopped before that, it goes on with that.
    script.shell(ShellAction::CancelWork);
    assert!(script.view().conditions.search.as_ref().unwrap().is_stopped);
    script.condition(ConditionAction::SearchOn);
    let search = script.view().conditions.search.as_ref().unwrap();
    assert_eq!((search.summary.as_str(), search.is_over, search.is_stopped), ("2 of 3 streams", true, false));
}

#[test]
fn very_many_hits_are_no_more_ticks_than_can_be_told_apart() {
    let stream = StreamName::of("order", "1");
    let events = 20_000;
    let mut script =
        Script::open((1..=events).map(|number| {
            event(number, &stream, number, "Noted", Json::object([("n", Json::from(number))]))
        }));
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    let before = script.view().timeline.ticks.len();
    script.condition(ConditionAction::Add(Condition::Type("Noted".into())));
    assert_eq!(script.view().conditions.hits.len(), 20_000);
    let ticks: Vec<f32> = script
        .view()
        .timeline
        .ticks
        .iter()
        .filter(|(_, tick)| *tick == Tick::Hit)
        .map(|(place, _)| *place)
        .collect();
    assert!((3_900..=4_001).contains(&ticks.len()) && before == 0, "{} ticks", ticks.len());
    assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] < 1.0 / 1_900.0), "no gap that can be seen");
    assert_eq!(script.view().conditions.hits.get(12_345).map(|hit| hit.count), Some(12_346));
}
