//! Following values over a history.

use timeglass::{
    model::Pointer,
    replay::{Condition, Probe, Reading, sketch::Drawing},
    session::{
        Input,
        action::{Action, BrowseAction, ConditionAction, CursorAction, ShellAction, WatchAction},
        job::Slot,
        view::WatchView,
    },
};

use super::{Script, shop};

fn watching(typed: &[&str]) -> Script {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    for typed in typed {
        script.watch(WatchAction::AddTyped((*typed).to_owned()));
    }
    script
}

impl Script {
    fn watch(&mut self, action: WatchAction) {
        self.feed(Input::Action(Action::Watches(action)));
    }

    fn watches(&self) -> Vec<String> {
        let value = |watch: &WatchView| match &watch.before {
            Some(before) => format!("{} {before} → {}", watch.name, watch.value),
            None => format!("{} {}", watch.name, watch.value),
        };
        self.view().watches.rows.iter().map(value).collect()
    }

    fn readings(&self, row: usize) -> Vec<Reading> {
        let series = &self.view().watches.rows[row].series;
        (0..series.len()).map(|count| series.at(count).unwrap().last.clone()).collect()
    }
}

#[test]
fn a_watch_shows_its_value_at_the_cursor_and_what_the_step_made_of_it() {
    let mut script = watching(&["status", "state.total", "parcel", "event.data.status"]);
    assert_eq!(
        script.watches(),
        ["/status paid → shipped", "/total 10", "/parcel — → X1", "event:/status shipped"]
    );
    script.cursor(CursorAction::Step(-1));
    assert_eq!(script.watches(), ["/status placed → paid", "/total 10", "/parcel —", "event:/status paid"]);
    script.cursor(CursorAction::Home);
    assert_eq!(script.watches(), ["/status —", "/total —", "/parcel —", "event:/status —"]);
}

#[test]
fn a_watch_is_followed_over_the_whole_history() {
    let mut script = watching(&["status", "total"]);
    let words: Vec<String> = script.readings(0).iter().map(|reading| reading.words().to_string()).collect();
    assert_eq!(words, ["—", "placed", "paid", "shipped"]);
    let rows = &script.view().watches.rows;
    assert!(matches!(&rows[0].sketch.drawing, Drawing::Bands(bands) if bands.len() == 4));
    let Drawing::Curve { least, most, columns } = &rows[1].sketch.drawing else { panic!("{rows:?}") };
    assert_eq!((*least, *most, columns.len()), (10.0, 10.0, 4));
    assert_eq!(columns[0], None, "there is no total before the first event");
    assert_eq!(script.view().watches.progress, None);

    script.watch(WatchAction::GoTo(2));
    assert_eq!(script.view().state.place, "v2 of 3");
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    let words: Vec<String> = script.readings(0).iter().map(|reading| reading.words().to_string()).collect();
    assert_eq!(words, ["—", "placed", "cancelled"], "watches are of the category");
    script.browse(BrowseAction::ChooseStream(script.stream("customer-7")));
    assert!(script.view().watches.rows.is_empty(), "and of no other");
}

#[test]
fn watches_are_named_moved_taken_away_and_brought_back() {
    let mut script = watching(&["status", "total"]);
    script.watch(WatchAction::Rename(1, " Sum ".to_owned()));
    script.watch(WatchAction::Move(1, -1));
    assert_eq!(script.watches(), ["Sum 10", "/status paid → shipped"]);
    script.watch(WatchAction::Remove(0));
    assert_eq!(script.watches(), ["/status paid → shipped"]);
    let notice = script.view().notices.last().unwrap().clone();
    assert_eq!(notice.title, "/total is not watched any more");
    script.feed(Input::Action(*notice.offer.unwrap().action));
    assert_eq!(script.watches(), ["Sum 10", "/status paid → shipped"]);
    script.watch(WatchAction::Add(Probe::State(Pointer::parse("/status").unwrap())));
    assert_eq!(script.watches().len(), 2, "nothing is watched twice");
    script.watch(WatchAction::Rename(0, String::new()));
    assert_eq!(script.watches()[0], "/total 10");
    script.watch(WatchAction::Remove(9));
    script.watch(WatchAction::AddTyped("  ".to_owned()));
    assert_eq!(script.watches().len(), 2);
}

#[test]
fn a_column_shows_the_value_after_each_event_of_the_stream() {
    let mut script = watching(&["status"]);
    script.watch(WatchAction::ToggleColumn(0));
    script.browse(BrowseAction::ShowRows { first: 0, count: 3 });
    let events = &script.view().events;
    assert_eq!(*events.watches, [("/status".to_owned(), "/status".to_owned())]);
    let column: Vec<&str> = (0..3).map(|row| &**events.watched(row, "/status").unwrap()).collect();
    assert_eq!(column, ["placed", "paid", "shipped"]);
    script.watch(WatchAction::ToggleColumn(0));
    assert!(script.view().events.watches.is_empty());
}

#[test]
fn new_events_are_followed_and_the_old_are_shown_until_then() {
    let mut script = watching(&["status"]);
    let mut event = shop()[4].clone();
    event.key = timeglass::model::EventKey::integer(7);
    event.position = Some(timeglass::model::GlobalPosition::Number(7));
    event.version = Some(timeglass::model::StreamVersion(4));
    event.data = timeglass::model::Payload::from_json(
        timeglass::model::Json::parse(br#"{"status":"returned"}"#).unwrap(),
    );
    script.append(event);
    script.feed(Input::Tick(std::time::Duration::from_secs(1)));
    let words: Vec<String> = script.readings(0).iter().map(|reading| reading.words().to_string()).collect();
    assert_eq!(words, ["—", "placed", "paid", "shipped", "returned"]);
}

#[test]
fn stopping_leaves_the_panel_consistent_and_it_can_go_on() {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    // The jobs of this one are not run: they are stopped.
    let jobs =
        script.session.apply(Input::Action(Action::Watches(WatchAction::AddTyped("status".to_owned()))));
    assert!(jobs.iter().any(|job| job.slot == Slot::WatchSeries));
    assert_eq!(script.view().watches.progress.as_deref(), Some("0 of 3 events"));
    script.shell(ShellAction::CancelWork);
    assert!(script.view().watches.is_stopped);
    script.watch(WatchAction::GoOn);
    assert!(!script.view().watches.is_stopped);
    assert_eq!(script.view().watches.progress, None);
    assert_eq!(script.readings(0).len(), 4);
}

#[test]
fn an_expression_is_watched_and_one_that_fails_says_so_once() {
    let mut script = watching(&["state.total * 2", "totl + 1"]);
    assert_eq!(script.watches(), ["state.total * 2 20", "totl + 1 —"]);
    let rows = &script.view().watches.rows;
    assert_eq!(rows[1].reason.as_deref(), Some("1:1: ReferenceError: totl is not defined"));
    assert_eq!(
        rows[1].fault.as_deref(),
        Some("1:1: ReferenceError: totl is not defined (before the first event and 3 more)")
    );
    script.cursor(CursorAction::Home);
    assert_eq!(script.watches()[0], "state.total * 2 null", "not a number");
}

#[test]
fn watches_and_conditions_are_kept_in_the_project_file() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let mut script = Script::open_in(folder.path(), shop());
        script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
        script
    };
    let mut script = open();
    for typed in ["status", "event.data.total", "state.total + 1"] {
        script.watch(WatchAction::AddTyped(typed.to_owned()));
    }
    script.watch(WatchAction::Rename(0, "Where it is".to_owned()));
    script.watch(WatchAction::ToggleColumn(2));
    let paid = Condition::Changes {
        path: Pointer::parse("/status").unwrap(),
        from: Some("placed".into()),
        to: Some("paid".into()),
    };
    for condition in [paid, Condition::Becomes("state.parcel".into()), Condition::Type("OrderPaid".into())] {
        script.feed(Input::Action(Action::Conditions(ConditionAction::Add(condition))));
    }
    script.feed(Input::Action(Action::Conditions(ConditionAction::Toggle(2))));
    let (before, again) = (script.view().clone(), open());
    let view = again.view();
    assert_eq!(view.watches.rows.len(), 3);
    assert_eq!(view.watches.rows, before.watches.rows);
    assert_eq!(view.conditions.rows.len(), 3);
    assert_eq!(view.conditions.rows, before.conditions.rows);
    assert_eq!(view.events.watches, before.events.watches);
}
