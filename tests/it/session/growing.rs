//! An index that is still being made: what it knows is browsed, and what it does not know yet is not said.

use std::sync::Arc;

use timeglass::{
    session::{
        Input,
        action::{BrowseAction, CursorAction, ShellAction},
        job::{Answer, Slot},
    },
    store::{index::Index, memory::MemoryStore},
    work::Work,
};

use super::{Script, shop};

/// A window on the shop, whose index is being made.
fn opening() -> Script {
    let script = Script::open_holding(shop(), Slot::Index);
    assert!(script.view().streams.index.is_none() && script.view().streams.is_counting);
    script
}

/// The events up to this number are indexed.
fn come(script: &mut Script, events: usize) {
    let part = Index::build(&MemoryStore::new(shop().into_iter().take(events)), &Work::default()).unwrap();
    script.feed(Input::Answer(Slot::Index, Answer::IndexedSoFar(Arc::new(part))));
}

/// Everything is indexed.
fn end(script: &mut Script) {
    let jobs = script.take_held();
    assert_eq!(jobs.len(), 1, "one job indexes");
    script.run(jobs);
}

#[test]
fn what_is_indexed_so_far_is_browsed() {
    let mut script = opening();
    come(&mut script, 2);
    assert!(script.view().title.contains("2 events · 2 streams so far"), "{}", script.view().title);
    come(&mut script, 5);
    let view = script.view();
    assert!(view.title.contains("5 events · 3 streams so far"), "{}", view.title);
    assert_eq!(view.streams.summary, "3 streams so far");
    assert!(view.streams.is_counting && !view.streams.is_stopped);
    assert_eq!((view.events.total, &*view.events.summary), (5, "5 events so far, indexing…"));
    script.browse(BrowseAction::OnlyType("OrderPlaced".into()));
    assert_eq!(script.view().events.summary, "2 of 5 events so far");
    script.browse(BrowseAction::ClearFilters);
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    assert_eq!(script.state(), r#"{"status":"placed","total":20}"#);
    end(&mut script);
    let view = script.view();
    assert!(view.title.contains("6 events · 3 streams ·"), "{}", view.title);
    assert_eq!(view.events.summary, "2 of 6 events");
    assert_eq!(script.state(), r#"{"status":"cancelled"}"#, "the state follows what came");
}

#[test]
fn what_was_indexed_stays_after_it_was_stopped_and_goes_on_from_there() {
    let mut script = opening();
    come(&mut script, 4);
    script.take_held();
    script.shell(ShellAction::CancelWork);
    let view = script.view();
    assert!(view.streams.is_stopped && !view.streams.is_counting && script.session.can_index_rest());
    assert_eq!(view.streams.summary, "3 streams so far");
    assert_eq!(view.events.summary, "4 events so far, stopped");
    script.cursor(CursorAction::Step(-1));
    assert_eq!(script.view().event.as_ref().unwrap().event_type.as_ref(), "OrderPlaced");
    script.shell(ShellAction::GoOnIndexing);
    assert!(script.view().streams.is_counting && !script.session.can_index_rest());
    end(&mut script);
    let view = script.view();
    assert!(!view.streams.is_stopped && view.title.contains("6 events · 3 streams ·"), "{}", view.title);
    assert_eq!(view.events.summary, "6 events");
    script.shell(ShellAction::GoOnIndexing);
    assert!(script.take_held().is_empty(), "there is nothing left");
}

#[test]
fn what_is_asked_of_the_whole_store_waits_for_all_of_it() {
    let mut script = opening();
    come(&mut script, 4);
    assert!(script.view().projections.lines.is_empty() && script.view().snapshots.rows.is_empty());
    // A store that grows meanwhile is looked at again once it is indexed.
    script.feed(Input::Answer(Slot::Watch, Answer::Head(timeglass::store::Head(vec![99]))));
    assert_eq!(script.take_held().len(), 1, "the first job alone");
    // An older look that comes late is no step back.
    come(&mut script, 2);
    assert_eq!(script.view().events.total, 4);
}

#[test]
fn it_is_said_how_many_rows_have_trouble_and_where_not_all_were_counted() {
    let check = |rows: usize, expected: &[&str]| {
        let mut events: Vec<_> = shop().into_iter().cycle().take(rows).collect();
        for (event, position) in events.iter_mut().zip(1..) {
            let name = event.stream.clone();
            *event = timeglass::store::memory::event(
                position,
                &name,
                position,
                "Odd",
                event.data.json().cloned().unwrap(),
            );
            event.troubles.push("odd".into());
        }
        let script = Script::open(events);
        let titles: Vec<_> = script.view().notices.iter().map(|notice| notice.title.clone()).collect();
        assert_eq!(titles, expected);
    };
    check(0, &[]);
    check(1, &["1 row has trouble"]);
    check(99, &["99 rows have trouble"]);
    check(250, &["At least 100 rows have trouble"]);
}
