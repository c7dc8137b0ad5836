//! How long things would take, said beside them: from made-up measurements, so that no clock matters.

use std::time::Duration;

use timeglass::{
    model::{Json, Pointer, RecordedEvent, StreamName},
    session::{
        Input,
        action::{Action, BlameAction, BrowseAction},
        estimates::Trial,
        job::{Answer, Slot},
    },
    store::memory::event,
    work::Work,
};

use super::{Script, shop};

/// So many events of two streams.
fn open(count: i64) -> Script {
    Script::open(events(count))
}

fn events(count: i64) -> impl Iterator<Item = RecordedEvent> {
    let streams = [StreamName::of("order", "1"), StreamName::of("user", "1")];
    let data = || Json::object([("note", Json::from("a payload of some bytes"))]);
    (0..count).map(move |number| {
        let stream = streams.get(usize::from(number % 10 == 0)).expect("one of two");
        event(number, stream, number / 2, "Noted", data())
    })
}

fn measured(script: &mut Script, slot: Slot, steps: u64, millis: u64) {
    script.feed(Input::Measured { slot, steps, time: Duration::from_millis(millis) });
}

/// What is said of searching all payloads, with plain spaces.
fn of_search(script: &Script) -> Option<String> {
    script.view().payloads.estimate.as_ref().map(|words| words.replace('\u{2009}', " "))
}

#[test]
fn before_anything_was_measured_the_bytes_are_told_and_then_the_time() {
    let mut script = open(60_000);
    let words = of_search(&script).expect("a trial told the bytes");
    assert!(words.starts_with("60 000 events · up to ") && words.ends_with(" MB to read"), "{words}");
    measured(&mut script, Slot::Trial(Trial::Search), 10_000, 1_000);
    assert_eq!(of_search(&script).as_deref(), Some("60 000 events · about 6 s"));
    // What really ran is measured, too.
    measured(&mut script, Slot::Payloads, 30_000, 9_000);
    assert_eq!(of_search(&script).as_deref(), Some("60 000 events · 6 to 18 s"));
    // Too little to tell anything.
    measured(&mut script, Slot::Payloads, 10, 9_000);
    assert_eq!(of_search(&script).as_deref(), Some("60 000 events · 6 to 18 s"));
}

#[test]
fn looking_through_streams_takes_at_least_as_long_as_reading_them() {
    let mut script = open(60_000);
    let of_store = |script: &Script| {
        script.view().conditions.of_store.as_ref().map(|words| words.replace('\u{2009}', " "))
    };
    measured(&mut script, Slot::Trial(Trial::Read), 10_000, 500);
    assert_eq!(of_store(&script).as_deref(), Some("60 000 events · at least 2 s"));
    measured(&mut script, Slot::Across, 10_000, 2_000);
    assert_eq!(of_store(&script).as_deref(), Some("60 000 events · about 12 s"));
}

#[test]
fn events_are_read_once_before_reading_them_is_measured() {
    let mut script = Script::open_holding(events(60_000), Slot::Trial(Trial::WarmUp));
    let warm_up = script.take_held().pop().expect("a job");
    assert_eq!(warm_up.slot, Slot::Trial(Trial::WarmUp));
    let answer = warm_up.question.run(&Work::default()).expect("an answer");
    let next = script.session.apply(Input::Answer(warm_up.slot, answer));
    let slots: Vec<Slot> = next.iter().map(|job| job.slot).collect();
    assert_eq!(slots, [Slot::Trial(Trial::Read), Slot::Trial(Trial::Search)]);
}

#[test]
fn what_is_soon_done_has_no_words() {
    let mut script = open(60_000);
    measured(&mut script, Slot::Trial(Trial::Search), 10_000, 10);
    assert_eq!(of_search(&script), None);
    let mut small = Script::open(shop());
    measured(&mut small, Slot::Payloads, 1_000, 60_000);
    assert_eq!(of_search(&small), None);
}

#[test]
fn only_large_stores_are_tried_out_and_only_once() {
    let is_trial = |job: &timeglass::session::job::Job| matches!(job.slot, Slot::Trial(_));
    let mut script = Script::open_holding(shop(), Slot::Trial(Trial::WarmUp));
    assert!(script.take_held().is_empty());
    let mut script = open(60_000);
    measured(&mut script, Slot::Trial(Trial::Read), 10_000, 10);
    let index = script.view().conditions.index.clone().expect("an index");
    let jobs = script.session.apply(Input::Answer(Slot::Index, Answer::Indexed(index)));
    assert!(!jobs.iter().any(is_trial));
}

#[test]
fn what_walks_along_a_stream_says_so_before_it_starts() {
    let mut script = open(60_000);
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    let words = |script: &Script| {
        let view = script.view();
        let [watches, what_if, case] =
            [&view.watches.estimate, &view.what_if.estimate, &view.what_if.case_estimate]
                .map(|words| words.as_ref().map(|words| words.replace('\u{2009}', " ")));
        [watches, what_if, case]
    };
    for (slot, millis) in [(Slot::WatchSeries, 500), (Slot::WhatIf, 1_000), (Slot::Export, 2_000)] {
        // As if nothing else had been measured: these are slower than the fold.
        measured(&mut script, slot, 10_000, millis);
    }
    let expected = ["54 000 events · about 3 s", "54 000 events · about 5 s", "54 000 events · about 11 s"];
    assert_eq!(words(&script), expected.map(|words| Some(words.to_owned())));
    // What is soon done is not talked about.
    for _ in 0..3 {
        measured(&mut script, Slot::WatchSeries, 10_000, 10);
    }
    assert_eq!(words(&script)[0], None);
    script.feed(Input::Action(Action::Blame(BlameAction::Ask(Pointer::parse("/note").unwrap()))));
    assert_eq!(script.view().blame.copy_estimate, None, "one write is soon copied");
}
