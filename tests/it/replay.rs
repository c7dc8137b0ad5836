//! Seeking in a history and asking who wrote what: whatever is kept or forgotten, it is as if
//! folded from the start.

use std::{ops::ControlFlow, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    proptest,
};
use timeglass::{
    jobs::ThreadLanes,
    model::{Encoding, Failure, Json, Payload, Pointer, RecordedEvent, Stored, StreamName, diff},
    replay::{
        Applied, Fed, Feed, Folding, HeldEvents, History, Merge, OnFailure, Outcome, Reducer, Scripted,
        StepNotes, StreamEvents, Write, fold, fold_by_rows,
    },
    script::{Options, Script},
    store::{
        EventStore,
        decode::decode,
        index::Index,
        memory::{MemoryStore, event},
        read::EventRow,
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

/// A reducer in Rust with a state that grows, fails now and then, and from an event on keeps things
/// that are no part of its state.
#[derive(Clone, Copy)]
struct Ledger {
    fails_every: usize,
    hides_from: usize,
}

struct Keeping {
    reducer: Ledger,
    state: Json,
    /// What `resume` cannot bring back.
    hidden: usize,
}

impl Reducer for Ledger {
    fn name(&self) -> Arc<str> {
        "ledger".into()
    }

    fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        let state = Json::object([("entries", Json::array([])), ("sum", Json::from(0_u64))]);
        Ok(Box::new(Keeping { reducer: *self, state, hidden: 0 }))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }
}

impl Folding for Keeping {
    fn state(&mut self) -> Json {
        self.state.clone()
    }

    fn resume(&mut self, state: &Json, _: usize) {
        self.state = state.clone();
    }

    fn is_resumable(&mut self) -> bool {
        self.hidden == 0
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        let number = usize::try_from(event.version.unwrap().0).unwrap();
        if number.is_multiple_of(self.reducer.fails_every) {
            return Err(Failure::new("out of order"));
        }
        if number >= self.reducer.hides_from {
            self.hidden += 1;
        }
        let mut entries = self.state.get("entries").and_then(Json::as_array).unwrap_or_default().to_vec();
        if number.is_multiple_of(5) && !entries.is_empty() {
            entries.remove(0);
        } else {
            entries.push(event.data.json().cloned().unwrap_or_default());
        }
        let sum = number / 3 + self.hidden;
        self.state = Json::object([("entries", Json::array(entries)), ("sum", Json::from(sum))]);
        Ok(Applied::default())
    }
}

/// The same in JavaScript; the second keeps what it counts outside the state, from an event on, and the third the
/// event before, of which it reads nothing until the next one.
const SCRIPTS: [&str; 3] = [
    r"({
        $init: () => ({ entries: [], sum: 0 }),
        Changed(state, event) {
            const number = Number(event.sequenceNumber);
            if (number % 11 === 0) throw new Error('out of order');
            if (number % 5 === 0 && state.entries.length > 0) state.entries.shift();
            else state.entries.push(event.data);
            state.sum = Math.floor(number / 3);
            return state;
        },
    })",
    r"let hidden = 0;
    fromCategory('order').foreachStream().when({
        $init: () => ({ sum: 0 }),
        Changed(state, event) {
            if (Number(event.sequenceNumber) > 150) hidden += 1;
            state.sum += hidden;
            state.last = event.data;
            return state;
        },
    })",
    r"let before;
    fromCategory('order').foreachStream().when({
        Changed(state, event) {
            if (before) state.before = [Number(before.sequenceNumber), before.created, before.bodyRaw, before.data];
            before = event;
            return state;
        },
    })",
];

fn scripted(which: usize) -> Arc<dyn Reducer> {
    let options = Options::frozen(None);
    let script = Script::load_reducer("ledger.js", SCRIPTS[which], &options, &Work::default());
    Arc::new(Scripted::new(script.expect("a script that loads")))
}

/// Every state of a history, made in the plainest way.
fn states(events: &[RecordedEvent], reducer: &dyn Reducer, on_failure: OnFailure) -> Vec<Json> {
    let work = Work::default();
    let mut folding = reducer.start(&work).expect("a start");
    let mut is_stopped = false;
    let mut states = vec![folding.state()];
    for event in events {
        if !is_stopped && folding.apply(event).is_err() {
            is_stopped = on_failure == OnFailure::Stop;
        }
        states.push(folding.state());
    }
    states
}

/// Every path in any of the states, and one that is in none.
fn paths(states: &[Json]) -> Vec<Pointer> {
    fn collect(path: &Pointer, value: &Json, paths: &mut std::collections::BTreeSet<Pointer>) {
        paths.insert(path.clone());
        let parts = diff(&Json::Null, value);
        assert!(parts.len() <= 1);
        if let Some(items) = value.as_array() {
            for (index, item) in items.iter().enumerate() {
                collect(&path.child(timeglass::model::Segment::Index(index)), item, paths);
            }
        }
        for (name, value) in value.as_object().iter().flat_map(|object| object.iter()) {
            collect(&path.child(timeglass::model::Segment::Name(Arc::clone(name))), value, paths);
        }
    }
    let mut paths = std::collections::BTreeSet::from([Pointer::parse("/nowhere/at/all").unwrap()]);
    for state in states {
        collect(&Pointer::root(), state, &mut paths);
    }
    paths.into_iter().collect()
}

/// Which steps wrote a path, by looking at every state.
fn brute_force(states: &[Json], path: &Pointer) -> Vec<Write> {
    let resolved: Vec<Option<&Json>> = states.iter().map(|state| path.resolve(state)).collect();
    let pairs = resolved.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
    pairs
        .map(|(place, pair)| Write { count: place + 1, old: pair[0].cloned(), new: pair[1].cloned() })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn blame_is_what_looking_at_every_state_finds(
        choices in vec(any::<(u8, u8)>(), 1..180),
        kind in 0..5_usize,
        budget in 0..4_usize,
        is_folded in any::<bool>(),
        stops in any::<bool>(),
    ) {
        let events = events(&choices);
        let reducer: Arc<dyn Reducer> = match kind {
            0 => Arc::new(Merge::for_category(None)),
            1 => Arc::new(Ledger { fails_every: 11, hides_from: usize::MAX }),
            2 => Arc::new(Ledger { fails_every: 90, hides_from: 120 }),
            _ => scripted(kind - 3),
        };
        let on_failure = if stops { OnFailure::Stop } else { OnFailure::GoOn };
        let states = states(&events, &*reducer, on_failure);
        let budget = [16, 4 << 10, 40 << 10, 1 << 20][budget];
        let history = History::new(Arc::new(HeldEvents(events)), reducer, on_failure, budget);
        let work = Work::default();
        if is_folded {
            history.fold_all(&work).unwrap();
        }
        let paths = paths(&states);
        for path in paths.iter().step_by(1 + paths.len() / if kind < 3 { 25 } else { 6 }) {
            let expected = brute_force(&states, path);
            let counts: Vec<usize> = expected.iter().map(|write| write.count).collect();
            assert_eq!(history.writes(path, &work).unwrap(), counts, "{path}");
            let steps = history.steps_at(&counts, &work).unwrap();
            let found: Vec<Write> = steps.iter().filter_map(|step| Write::of(step, path)).collect();
            assert_eq!(found, expected, "{path}");
            let mut walked = Vec::new();
            history.each_write(0..history.len(), path, &work, &mut |_, write| {
                walked.push(write);
                ControlFlow::Continue(())
            }).unwrap();
            assert_eq!(walked, expected, "{path}");
        }
    }

    #[test]
    fn seeking_equals_folding_for_reducers_that_fail_stop_and_hide_things(
        length in 1..900_usize,
        seeks in vec(any::<u16>(), 1..16),
        fails_every in 2..400_usize,
        hides_from in 1..1800_usize,
        budget in 0..3_usize,
        stops in any::<bool>(),
    ) {
        let choices: Vec<(u8, u8)> = (0..length).map(|number| (number as u8, (number / 3) as u8)).collect();
        let events = events(&choices);
        let reducer = Ledger { fails_every, hides_from };
        let on_failure = if stops { OnFailure::Stop } else { OnFailure::GoOn };
        let states = states(&events, &reducer, on_failure);
        let budget = [0, 20 << 10, 1 << 20][budget];
        let history = History::new(Arc::new(HeldEvents(events)), Arc::new(reducer), on_failure, budget);
        let work = Work::default();
        for seek in seeks {
            let count = usize::from(seek) % (length + 1);
            if count.is_multiple_of(7) {
                history.fold_all(&work).unwrap();
            }
            // Back and on in single steps, too, as a user does.
            for count in [count, count.saturating_sub(1), (count + 1).min(length)] {
                let step = history.step_at(count, &work).unwrap();
                assert_eq!(step.after, states[count]);
                assert_eq!(step.before, states[count.saturating_sub(1)]);
                let ready = history.step_ready(count, &work).unwrap();
                assert_eq!(ready.after, states[ready.count]);
            }
        }
    }

    #[test]
    fn seeking_equals_folding_for_scripts(
        length in 1..500_usize,
        seeks in vec(any::<u16>(), 1..8),
        which in 0..2_usize,
        budget in 0..3_usize,
        stops in any::<bool>(),
    ) {
        let choices: Vec<(u8, u8)> = (0..length).map(|number| (number as u8, (number / 3) as u8)).collect();
        let (events, reducer) = (events(&choices), scripted(which));
        let on_failure = if stops { OnFailure::Stop } else { OnFailure::GoOn };
        let states = states(&events, &*reducer, on_failure);
        let budget = [0, 20 << 10, 1 << 20][budget];
        let history = History::new(Arc::new(HeldEvents(events)), reducer, on_failure, budget);
        let (mut furthest, work) = (0, Work::default());
        for seek in seeks {
            let count = usize::from(seek) % (length + 1);
            if count.is_multiple_of(5) {
                history.fold_all(&work).unwrap();
            }
            furthest = furthest.max(count).max(history.folded());
            let step = history.step_at(count, &work).unwrap();
            assert_eq!(step.after, states[count]);
            assert_eq!(step.before, states[count.saturating_sub(1)]);
        }
        assert_eq!(history.unresumable_at().is_some(), which == 1 && furthest >= 200);
    }

    #[test]
    fn what_is_taken_over_from_an_old_history_is_as_if_folded_anew(
        choices in vec(any::<(u8, u8)>(), 2..500),
        kept in any::<u16>(),
        seek in any::<u16>(),
    ) {
        let (before, work) = (events(&choices), Work::default());
        let up_to = usize::from(kept) % choices.len();
        let mut changed = choices.clone();
        changed.iter_mut().skip(up_to).for_each(|(member, value)| {
            *member = member.wrapping_add(1);
            *value = value.wrapping_add(3);
        });
        let after = events(&changed);
        let merge = || -> Arc<dyn Reducer> { Arc::new(Merge::for_category(None)) };
        let old = Arc::new(History::new(Arc::new(HeldEvents(before)), merge(), OnFailure::GoOn, 1 << 20));
        old.fold_all(&work).unwrap();
        let new = History::new(Arc::new(HeldEvents(after.clone())), merge(), OnFailure::GoOn, 1 << 20);
        new.adopt(old, up_to);
        // Nothing is taken over before somebody asks for a step.
        assert_eq!((new.folded(), new.figures().keyframes), (0, 0));
        new.step_at(0, &work).unwrap();
        assert_eq!(new.folded(), up_to);
        let states = states(&after, &*merge(), OnFailure::GoOn);
        let count = usize::from(seek) % (choices.len() + 1);
        assert_eq!(new.step_at(count, &work).unwrap().after, states[count]);
        new.fold_all(&work).unwrap();
        for path in paths(&states) {
            let expected: Vec<usize> = brute_force(&states, &path).iter().map(|write| write.count).collect();
            assert_eq!(new.writes(&path, &work).unwrap(), expected, "{path}");
        }
    }

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
        let bytes = history.figures().bytes;
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
                let mut items = items.to_vec();
                let Segment::Index(index) = first else { panic!("an index") };
                match (rest, new) {
                    ([], None) => items.truncate(*index),
                    ([], Some(new)) if *index == items.len() => items.push(new.clone()),
                    _ => items[*index] = set(&items[*index], rest, new),
                }
                Json::array(items)
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

/// The same from the store and from memory, on one lane and on two.
fn check_rows(store: &Arc<dyn EventStore>, reducer: &dyn Reducer, on_failure: OnFailure, end: usize) {
    let index = Arc::new(Index::build(&**store, &Work::default()).unwrap());
    let events = StreamEvents::new(Arc::clone(store), index, 0);
    let expected = fold(&events, end, reducer, on_failure, &Work::default()).unwrap();
    for work in [Work::default(), Work::with_lanes(Arc::new(ThreadLanes))] {
        let found = fold_by_rows(&events, end, reducer, on_failure, &work).unwrap();
        assert_eq!(found, expected);
        assert_eq!(found.state.to_compact(), expected.state.to_compact());
    }
}

#[test]
fn a_fold_by_rows_comes_to_what_a_fold_of_whole_events_does() {
    let choices: Vec<(u8, u8)> = (0..2600).map(|number| (number as u8, (number / 3) as u8)).collect();
    let mut all = events(&choices);
    let texts = [
        r#"{"twin":1,"twin":{"a":2,"a":3}}"#,
        r#"{"\u0061":1.50,"a":[1,{"b":null}]}"#,
        r#"{"long":12345678901234567890123}"#,
        "{\"cut\":",
        "[1,2]",
        "plain",
        "null",
    ];
    for (number, text) in (0..all.len()).step_by(97).zip(texts.iter().cycle()) {
        all[number].data = decode(Stored::Text(text.as_bytes().into()), &[]);
    }
    all[2000].data = Payload::absent();
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(all));
    let merge = Merge::for_category(None);
    check_rows(&store, &*scripted(1), OnFailure::GoOn, 2600);
    for on_failure in [OnFailure::GoOn, OnFailure::Stop] {
        for end in [0, 1, 300, 2600] {
            check_rows(&store, &merge, on_failure, end);
        }
        check_rows(&store, &*scripted(0), on_failure, 300);
        check_rows(&store, &*scripted(2), on_failure, 300);
        check_rows(&store, &Ledger { fails_every: 97, hides_from: 100 }, on_failure, 300);
    }
}

#[test]
fn an_event_that_cannot_be_merged_is_a_failed_step_and_the_rest_goes_on() {
    let mut all = events(&[(1, 3), (2, 3), (3, 3)]);
    all[1].data = Payload {
        stored: Stored::Blob(Arc::from(*b"\x80\x04.")),
        encoding: Encoding::Pickle,
        decoded: Err("a pickle".into()),
        is_unwrapped: false,
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
fn a_script_is_asked_where_it_took_values_from() {
    let text = r"fromCategory('order').foreachStream().when({
        $init: () => ({ total: 0, lines: [] }),
        LineAdded(state, event) {
            const { sku, price, quantity } = event.data.line;
            if (quantity <= 0) throw new Error('nothing to add');
            state.total += price * quantity;
            state.lines.push({ sku, cost: price * quantity, kind: sku.startsWith('TEA') ? 'tea' : 'other' });
            state.last = event.data.line;
            state.by = event.metadata.user;
            state.status = 'open';
            return state;
        },
    })";
    let work = Work::default();
    let script = Script::load_reducer("order.js", text, &Options::frozen(None), &work).unwrap();
    let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
    let added = |number: i64, data: &str| {
        let mut event = event(number, &StreamName::of("order", "1"), number, "LineAdded", json(data));
        event.metadata = Payload::from_json(json(r#"{"user":"ada","machine":"till-3"}"#));
        event
    };
    let events = vec![
        added(1, r#"{"line":{"sku":"CUP-1","price":7,"quantity":1}}"#),
        added(2, r#"{"line":{"sku":"TEA-4","price":12.5,"quantity":2},"note":"gift"}"#),
    ];
    let reducer = Arc::new(Scripted::new(script));
    let history = History::new(Arc::new(HeldEvents(events)), reducer, OnFailure::GoOn, 1 << 20);
    let step = history.step_at(2, &work).unwrap();
    for (path, expected) in [
        ("/total", "made from /data/line/price and /data/line/quantity"),
        ("/lines/1/sku", "copied from /data/line/sku"),
        ("/lines/1/kind", "made from /data/line/sku"),
        ("/last", "copied from /data/line"),
        ("/last/sku", "copied from /data/line/sku"),
        ("/by", "copied from /metadata/user"),
        ("/status", "set by the reducer; no single value of the event matters"),
        ("/lines/0/sku", "set by the reducer; no single value of the event matters"),
    ] {
        let origins = history.origins(&step, &Pointer::parse(path).unwrap(), &work).unwrap();
        assert_eq!(origins.to_string(), expected, "{path}");
    }
}

#[test]
fn a_fold_that_was_withdrawn_goes_on_where_it_stopped() {
    struct CancelAt(usize, Work);
    impl Reducer for CancelAt {
        fn name(&self) -> Arc<str> {
            "cancels".into()
        }
        fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
            Ok(Box::new(Cancelling(self.0, self.1.clone(), Json::Null)))
        }
        fn handles(&self, _: &str) -> bool {
            true
        }
    }
    struct Cancelling(usize, Work, Json);
    impl Folding for Cancelling {
        fn state(&mut self) -> Json {
            self.2.clone()
        }
        fn resume(&mut self, state: &Json, _: usize) {
            self.2 = state.clone();
        }
        fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
            let version = event.version.unwrap().0;
            if usize::try_from(version) == Ok(self.0) {
                self.1.cancel();
            }
            self.2 = Json::object([("version", Json::from(version))]);
            Ok(Applied::default())
        }
    }
    let withdrawn = Work::default();
    let events = events(&[(1, 3); 600]);
    let reducer = Arc::new(CancelAt(350, withdrawn.clone()));
    let history = History::new(Arc::new(HeldEvents(events)), reducer, OnFailure::GoOn, 1 << 20);
    assert!(history.fold_all(&withdrawn).is_err());
    assert_eq!(history.folded(), 349);
    let again = Work::default();
    history.fold_all(&again).unwrap();
    assert_eq!(history.folded(), 600);
    let version = Pointer::parse("/version").unwrap();
    assert_eq!(history.writes(&version, &again).unwrap(), (1..=600).collect::<Vec<_>>());
    assert!(matches!(history.step_at(350, &again).unwrap().outcome, Outcome::Applied(_)));
}

/// Takes rows, and says that it failed when it is interrupted within one, as a script does; or is interrupted
/// before it has begun.
struct Interrupted {
    at: usize,
    work: Work,
}

struct Interrupting<'w> {
    reducer: (usize, Work),
    work: &'w Work,
    count: usize,
}

impl Reducer for Interrupted {
    fn name(&self) -> Arc<str> {
        "interrupted".into()
    }

    fn start<'w>(&self, work: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        if self.at == 0 {
            self.work.cancel();
        }
        if work.is_cancelled() {
            return Err(Failure::new("cancelled"));
        }
        Ok(Box::new(Interrupting { reducer: (self.at, self.work.clone()), work, count: 0 }))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }
}

impl Folding for Interrupting<'_> {
    fn state(&mut self) -> Json {
        Json::object([("count", Json::from(self.count))])
    }

    fn resume(&mut self, _: &Json, count: usize) {
        self.count = count;
    }

    fn apply(&mut self, _: &RecordedEvent) -> Result<Applied, Failure> {
        if self.count + 1 == self.reducer.0 {
            self.reducer.1.cancel();
        }
        if self.work.is_cancelled() {
            return Err(Failure::new("cancelled"));
        }
        self.count += 1;
        Ok(Applied::default())
    }

    fn feed(&self) -> Feed {
        Feed::Rows
    }

    fn apply_row(&mut self, row: &EventRow<'_>, _: Option<&mut StepNotes<'_>>) -> Fed {
        if row.head.version.is_some_and(|version| version.0 % 97 == 0) {
            return Fed::WantsEvent;
        }
        let known = event(1, &StreamName::of("order", "1"), 1, "Changed", Json::Null);
        self.apply(&known).map_or_else(Fed::Failed, Fed::Applied)
    }
}

#[test]
fn what_a_reducer_says_when_it_is_interrupted_says_nothing_about_the_event() {
    let events = events(&[(1, 3); 600]);
    // 256 is on the grid of keyframes, 388 is taken whole.
    for at in [0, 1, 5, 256, 350, 388, 512, 600] {
        for is_seek in [true, false] {
            let withdrawn = Work::default();
            let reducer = Arc::new(Interrupted { at, work: withdrawn.clone() });
            let held = Arc::new(HeldEvents(events.clone()));
            let history = Arc::new(History::new(held, reducer, OnFailure::Stop, 1 << 20));
            let found = if is_seek {
                history.step_at(600, &withdrawn).map(drop)
            } else {
                history.fold_all(&withdrawn)
            };
            assert!(found.is_err(), "{at}");
            assert!(history.failures().is_empty(), "{at}");
            assert!(is_seek || history.folded() < at.max(1), "{at}: {}", history.folded());
            for count in (0..=600).rev().step_by(5) {
                if let Some((at, state)) = history.glance(count) {
                    assert_eq!(state.get("count"), Some(&Json::from(at)), "{at}");
                }
            }
            let again = Work::default();
            let reducer = Arc::new(Interrupted { at: 1000, work: Work::default() });
            let other = History::new(Arc::new(HeldEvents(events.clone())), reducer, OnFailure::Stop, 1 << 20);
            other.adopt(history, 600);
            other.fold_all(&again).unwrap();
            assert_eq!(other.step_at(600, &again).unwrap().after.get("count"), Some(&Json::from(600_usize)));
        }
    }
}

#[test]
fn while_a_long_history_is_folded_the_nearest_state_is_shown() {
    let (_, history) = history(events(&vec![(1, 3); 12_000]), 1 << 20);
    let work = Work::default();
    let count = |at: usize| history.step_ready(at, &work).unwrap().count;
    assert_eq!(count(12_000), 0, "nothing is folded yet, and the end is far");
    assert_eq!(count(3_000), 3_000, "near the start it need not wait");
    assert_eq!(count(7_900), 7_900, "and what was folded on the way is near as well");
    history.fold_all(&work).unwrap();
    assert_eq!(count(12_000), 12_000);
}

#[test]
fn a_seek_that_is_withdrawn_stops() {
    let (_, history) = history(events(&[(1, 3); 600]), 1 << 20);
    let work = Work::default();
    work.cancel();
    assert!(history.step_at(600, &work).is_err());
    assert!(history.step_at(600, &Work::default()).is_ok(), "and the next one works");
}
