//! Seeking in a history: whatever the order of seeks, it is as if folded from the start.

use std::sync::Arc;

use proptest::{collection::vec, prelude::any, proptest};
use timeglass::{
    model::{Encoding, Json, Payload, RecordedEvent, Stored, StreamName, diff},
    replay::{History, Merge, OnFailure, StreamEvents, fold},
    store::{
        EventStore,
        index::Index,
        memory::{MemoryStore, event},
    },
    work::Work,
};

/// A history of one stream, and the store it is read from.
fn history(events: Vec<RecordedEvent>, budget: usize) -> (Arc<dyn EventStore>, History) {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(events));
    let index = Arc::new(Index::build(&*store, &Work::default()).unwrap());
    let reducer = Arc::new(Merge::for_category(Some("order")));
    let events = StreamEvents::new(Arc::clone(&store), index, 0);
    (store, History::new(Arc::new(events), reducer, OnFailure::GoOn, budget))
}

/// Events that set, change and remove a handful of members.
fn events(choices: &[(u8, u8)]) -> Vec<RecordedEvent> {
    let stream = StreamName::of("order", "1");
    let data = |(member, value): (u8, u8)| {
        let name = format!("m{}", member % 7);
        match value % 5 {
            0 => Json::object([(name, Json::Null)]),
            1 => Json::object([(name, Json::object([("deep", Json::from(i64::from(value)))]))]),
            2 => Json::object([(name, Json::array([Json::from(i64::from(value)), Json::from("x")]))]),
            _ => Json::object([(name, Json::from(i64::from(value)))]),
        }
    };
    choices
        .iter()
        .zip(1..)
        .map(|(choice, number)| event(number, &stream, number, "Changed", data(*choice)))
        .collect()
}

fn folded(store: &Arc<dyn EventStore>, count: usize) -> Json {
    let index = Arc::new(Index::build(&**store, &Work::default()).unwrap());
    let events = StreamEvents::new(Arc::clone(store), index, 0);
    fold(&events, count, &Merge::for_category(None), OnFailure::GoOn, &Work::default()).unwrap().state
}

proptest! {
    #[test]
    fn seeking_equals_folding_from_the_start(
        choices in vec(any::<(u8, u8)>(), 1..700),
        seeks in vec(any::<u16>(), 1..20),
        is_tight in any::<bool>(),
    ) {
        let budget = if is_tight { 2000 } else { 1 << 20 };
        let (store, history) = history(events(&choices), budget);
        for seek in seeks {
            let count = usize::from(seek) % (choices.len() + 1);
            let step = history.step_at(count, &Work::default()).unwrap();
            assert_eq!(step.after, folded(&store, count));
            assert_eq!(step.before, folded(&store, count.saturating_sub(1)));
            assert_eq!(step.count, count);
        }
        let (_, _, bytes) = history.keyframe_figures();
        assert!(!is_tight || bytes <= budget, "{bytes} bytes of keyframes");
    }

    #[test]
    fn a_difference_applied_gives_the_target(left in vec(any::<(u8, u8)>(), 0..30), right in vec(any::<(u8, u8)>(), 0..30)) {
        let state = |choices: &[(u8, u8)]| {
            let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(events(choices)));
            folded(&store, choices.len())
        };
        let (old, new) = (state(&left), state(&right));
        assert_eq!(applied(&old, &diff(&old, &new)), new);
        assert!(diff(&new, &new.clone()).is_empty());
    }
}

/// Applies a difference in the plainest way.
fn applied(old: &Json, changes: &[timeglass::model::Change]) -> Json {
    use timeglass::model::{ChangeKind, Segment};
    fn set(value: &Json, path: &[Segment], new: Option<&Json>) -> Json {
        let Some((first, rest)) = path.split_first() else { return new.cloned().unwrap_or_default() };
        match value {
            Json::Object(object) => {
                let mut object = (**object).clone();
                let name: Arc<str> = match first {
                    Segment::Name(name) => Arc::clone(name),
                    Segment::Index(index) => index.to_string().into(),
                };
                match (rest, new) {
                    ([], None) => drop(object.remove(&name)),
                    _ => {
                        let inside = object.get(&name).cloned().unwrap_or_default();
                        object.insert(name, set(&inside, rest, new));
                    }
                }
                Json::Object(Arc::new(object))
            }
            Json::Array(items) => {
                let mut items = (**items).clone();
                let Segment::Index(index) = first else { panic!("an index") };
                match (rest, new) {
                    ([], None) => items.truncate(*index),
                    ([], Some(new)) if *index == items.len() => items.push(new.clone()),
                    _ => items[*index] = set(&items[*index], rest, new),
                }
                Json::Array(Arc::new(items))
            }
            _ => panic!("nothing inside a scalar"),
        }
    }
    // Removals from the end of an array come last first, so that the places before them stay.
    let (removals, others): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| matches!(change.kind, ChangeKind::Remove(_)));
    others.into_iter().chain(removals.into_iter().rev()).fold(old.clone(), |value, change| {
        let new = match &change.kind {
            ChangeKind::Add(new) | ChangeKind::Replace(_, new) => Some(new),
            ChangeKind::Remove(_) => None,
        };
        set(&value, change.path.segments(), new)
    })
}

#[test]
fn an_event_that_cannot_be_merged_is_a_failed_step_and_the_rest_goes_on() {
    let mut all = events(&[(1, 3), (2, 3), (3, 3)]);
    all[1].data = Payload {
        stored: Stored::Blob(Arc::from(*b"\x80\x04.")),
        encoding: Encoding::Pickle,
        decoded: Err("a pickle".into()),
    };
    let (_, history) = history(all, 1 << 20);
    history.fold_all(&Work::default()).unwrap();
    assert_eq!(history.failures().keys().copied().collect::<Vec<_>>(), [2]);
    let step = history.step_at(2, &Work::default()).unwrap();
    assert_eq!(step.before, step.after);
    assert_eq!(&*step.outcome.failure().unwrap().message, "the data cannot be merged: a pickle");
    let last = history.step_at(3, &Work::default()).unwrap();
    assert_eq!(last.after.to_compact(), r#"{"m1":3,"m3":3}"#);
}

#[test]
fn a_seek_that_is_withdrawn_stops() {
    let (_, history) = history(events(&[(1, 3); 600]), 1 << 20);
    let work = Work::default();
    work.cancel();
    assert!(history.step_at(600, &work).is_err());
    assert!(history.step_at(600, &Work::default()).is_ok(), "and the next one works");
}
