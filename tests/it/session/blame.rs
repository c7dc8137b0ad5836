//! Asking why a value is as it is.

use std::{sync::Arc, time::Duration};

use timeglass::{
    model::{Json, Pointer, StreamName},
    session::{
        Input,
        action::{Action, Axis, BlameAction, BrowseAction, CursorAction, Scope, ShellAction, WhatIfAction},
        job::Slot,
        view::{Tick, WriteRow},
        what_if::{DraftTexts, Target},
    },
    store::memory::event,
};

use super::{Script, shop};

fn ask(script: &mut Script, action: BlameAction) {
    script.feed(Input::Action(Action::Blame(action)));
}

fn path(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

/// A script that stands on a stream and asks for a path, with the first rows on screen.
fn asking(stream: &str, asked: &str) -> Script {
    let mut script = Script::open(shop());
    script.cursor(CursorAction::SetAxis(Axis::Events));
    script.browse(BrowseAction::ChooseStream(script.stream(stream)));
    ask(&mut script, BlameAction::Ask(path(asked)));
    ask(&mut script, BlameAction::ShowRows { first: 0, count: 20 });
    script
}

fn words(row: &WriteRow) -> String {
    let value = |value: &Option<Json>| value.as_ref().map_or_else(|| "–".to_owned(), Json::to_compact);
    format!("{} {} {} → {}", row.version, row.event_type, value(&row.old), value(&row.new))
}

fn rows(script: &Script) -> Vec<String> {
    script.view().blame.rows.iter().map(words).collect()
}

fn last(script: &Script) -> Option<String> {
    script.view().blame.last.as_ref().map(|last| format!("{}: {}", words(&last.row), last.origin))
}

#[test]
fn every_write_of_a_path_is_listed_and_the_last_says_where_it_came_from() {
    let script = asking("order-1", "/status");
    assert_eq!(
        rows(&script),
        [
            r#"v3 OrderShipped "paid" → "shipped""#,
            r#"v2 OrderPaid "placed" → "paid""#,
            r#"v1 OrderPlaced – → "placed""#,
        ]
    );
    assert_eq!(
        last(&script).as_deref(),
        Some(r#"v3 OrderShipped "paid" → "shipped": copied from /data/status"#)
    );
    let view = &script.view().blame;
    assert_eq!((view.total, view.current, view.is_busy, view.is_partial), (3, Some(0), false, false));
    assert_eq!(view.value, Some(Json::from("shipped")));
}

#[test]
fn what_counts_at_the_cursor_follows_it_and_single_writes_are_gone_to() {
    let mut script = asking("order-1", "/status");
    ask(&mut script, BlameAction::Previous);
    assert_eq!(script.view().state.place, "v2 of 3");
    assert_eq!(last(&script).as_deref(), Some(r#"v2 OrderPaid "placed" → "paid": copied from /data/status"#));
    assert_eq!(script.view().blame.current, Some(1));
    ask(&mut script, BlameAction::Next);
    assert_eq!(script.view().state.place, "v3 of 3");
    ask(&mut script, BlameAction::Next);
    assert_eq!(script.view().state.place, "v3 of 3", "there is none after the last");
    ask(&mut script, BlameAction::GoTo(1));
    assert_eq!(script.view().state.place, "v1 of 3");
    script.shell(ShellAction::Back);
    assert_eq!(script.view().state.place, "v3 of 3", "going to a write is a step of the trail");
    script.cursor(CursorAction::Home);
    let view = &script.view().blame;
    assert_eq!((view.current, &view.last, &view.value), (None, &None, &None));
}

#[test]
fn with_the_whole_store_on_the_timeline_a_write_is_gone_to_all_the_same() {
    let mut script = asking("order-1", "/status");
    script.cursor(CursorAction::SetScope(Scope::Store));
    ask(&mut script, BlameAction::GoTo(2));
    assert_eq!(script.view().state.place, "v2 of 3");
    assert_eq!(&*script.view().event.as_ref().unwrap().event_type, "OrderPaid");
}

#[test]
fn the_path_stays_when_another_stream_is_chosen() {
    let mut script = asking("order-1", "/total");
    assert_eq!(rows(&script), ["v1 OrderPlaced – → 10"]);
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    assert_eq!(rows(&script), ["v2 OrderCancelled 20 → –", "v1 OrderPlaced – → 20"]);
    assert_eq!(last(&script).as_deref(), Some("v2 OrderCancelled 20 → –: copied from /data/total"));
    script.browse(BrowseAction::ChooseStream(script.stream("customer-7")));
    let view = &script.view().blame;
    assert_eq!((view.total, &*view.empty), (0, "/total does not exist at any point of customer-7"));
    script.browse(BrowseAction::ClearStream);
    assert!(script.view().blame.empty.starts_with("Choose a stream"));
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    assert_eq!(rows(&script), ["v1 OrderPlaced – → 10"]);
}

#[test]
fn the_timeline_marks_the_writes_until_the_path_is_forgotten() {
    let mut script = asking("order-1", "/parcel");
    let ticks = script.view().timeline.ticks.to_vec();
    assert!(matches!(ticks.as_slice(), [(place, Tick::Write)] if (place - 1.0).abs() < 1e-6), "{ticks:?}");
    ask(&mut script, BlameAction::Forget);
    assert!(script.view().timeline.ticks.is_empty());
    assert!(script.view().blame.empty.contains("Ctrl+B"));
}

#[test]
fn a_stream_that_grows_brings_its_new_writes() {
    let mut script = asking("order-1", "/status");
    let data = Json::parse(br#"{"status":"returned"}"#).unwrap();
    script.append(event(7, &StreamName::of("order", "1"), 4, "OrderReturned", data));
    script.feed(Input::Tick(Duration::from_secs(1)));
    assert_eq!(script.view().blame.total, 4);
    assert_eq!(rows(&script).first().map(String::as_str), Some(r#"v4 OrderReturned "shipped" → "returned""#));
    assert!(last(&script).unwrap().starts_with("v4 OrderReturned"), "the cursor follows");
}

#[test]
fn all_writes_are_copied_as_json() {
    let mut script = asking("order-1", "/parcel");
    ask(&mut script, BlameAction::Copy);
    let (number, text) = script.view().blame.copied.clone().expect("a text");
    assert_eq!(number, 1);
    let copied = Json::parse(text.as_bytes()).unwrap();
    assert_eq!(
        copied.to_compact(),
        r#"[{"version":3,"position":5,"time":"2023-11-14T22:13:25Z","type":"OrderShipped","actor":null,"path":"/parcel","op":"add","old":null,"new":"X1"}]"#
    );
}

#[test]
fn on_a_branch_blame_asks_the_branch() {
    let mut script = asking("order-1", "/status");
    let what_if = |action| Input::Action(Action::WhatIf(action));
    script.feed(what_if(WhatIfAction::Edit(Target::Row(1))));
    let data = r#"{"status":"refused"}"#.to_owned();
    let draft = DraftTexts { event_type: "OrderRefused".to_owned(), data, ..DraftTexts::default() };
    script.feed(what_if(WhatIfAction::ApplyDraft(draft)));
    assert!(script.view().what_if.is_standing);
    assert_eq!(
        rows(&script),
        [
            r#"v3 OrderShipped "refused" → "shipped""#,
            r#"v2 OrderRefused "placed" → "refused""#,
            r#"v1 OrderPlaced – → "placed""#,
        ]
    );
    assert_eq!(
        last(&script).as_deref(),
        Some(r#"v2 OrderRefused "placed" → "refused": copied from /data/status"#),
        "the window stands on what was edited"
    );
    ask(&mut script, BlameAction::Next);
    assert!(last(&script).unwrap().starts_with("v3 OrderShipped"));
}

/// A stream too long to be folded twice.
fn long() -> Vec<timeglass::model::RecordedEvent> {
    let stream = StreamName::of("counter", "1");
    (1..=20_000_i64)
        .map(|number| {
            event(number, &stream, number, "Counted", Json::object([("n", Json::from(number / 4000))]))
        })
        .collect()
}

#[test]
fn while_a_long_history_is_folded_the_nearest_state_stands_in() {
    let mut script = Script::open(long());
    let stream = script.stream("counter-1");
    let choose = Input::Action(Action::Browse(BrowseAction::ChooseStream(stream)));
    // The fold is held back; everything else is answered.
    let (fold, others): (Vec<_>, Vec<_>) =
        script.session.apply(choose).into_iter().partition(|job| job.slot == Slot::Fold);
    script.run(others);
    ask(&mut script, BlameAction::Ask(path("/n")));
    let (state, blame) = (&script.view().state, &script.view().blame);
    assert_eq!(state.place, "before its first event so far");
    assert!(state.is_stale && blame.is_partial);
    assert_eq!(script.view().event.as_ref().unwrap().label(), "Counted 20000@counter-1");

    script.cursor(CursorAction::ToCount(3000));
    assert_eq!(script.state(), r#"{"n":0}"#, "near the start it need not wait");
    assert!(!script.view().state.is_stale);
    script.cursor(CursorAction::End);
    script.run(fold);
    let (state, blame) = (&script.view().state, &script.view().blame);
    assert_eq!((&*state.place, state.is_stale), ("v20000 of 20\u{2009}000", false));
    assert_eq!((blame.total, blame.is_partial), (6, false));
    assert_eq!(last(&script).as_deref(), Some("v20000 Counted 4 → 5: copied from /data/n"));
}

#[test]
fn a_fold_that_the_user_stopped_leaves_everything_to_be_asked() {
    let mut script = Script::open(long());
    let stream = script.stream("counter-1");
    let choose = Input::Action(Action::Browse(BrowseAction::ChooseStream(stream)));
    let others: Vec<_> =
        script.session.apply(choose).into_iter().filter(|job| job.slot != Slot::Fold).collect();
    script.run(others);
    script.shell(ShellAction::CancelWork);
    assert!(!script.view().state.is_stale);
    script.cursor(CursorAction::ToCount(19_999));
    assert_eq!((script.state().as_str(), script.view().state.is_stale), (r#"{"n":4}"#, false));
    ask(&mut script, BlameAction::Ask(path("/n")));
    assert_eq!((script.view().blame.total, script.view().blame.is_partial), (6, false));
    let ticks: Arc<Vec<_>> = Arc::clone(&script.view().timeline.ticks);
    assert_eq!(ticks.len(), 6);
}
