//! Watches and conditions: whatever the shortcut, the same as looking at every step.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any},
    proptest,
};
use timeglass::{
    model::{Failure, Json, Pointer, RecordedEvent, StreamName},
    replay::{
        Across, Applied, Condition, Folding, HeldEvents, History, Hit, Merge, OnFailure, Probe, Reading,
        Reducer, Series, Step,
        search::{hits, next_hit, previous_hit},
        watch::{extend, values},
    },
    store::{
        EventStore,
        index::Index,
        memory::{MemoryStore, event},
    },
    work::Work,
};

/// Adds up the amounts of events, and fails at every event without one. Where it is stubborn it
/// keeps its sum outside the state, so that no keyframe serves.
#[derive(Clone, Copy)]
struct Sum {
    is_stubborn: bool,
}

struct Summing {
    is_stubborn: bool,
    sum: AtomicI64,
}

impl Reducer for Sum {
    fn name(&self) -> Arc<str> {
        "sum".into()
    }

    fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
        Ok(Box::new(Summing { is_stubborn: self.is_stubborn, sum: AtomicI64::new(0) }))
    }

    fn handles(&self, _: &str) -> bool {
        true
    }
}

impl Folding for Summing {
    fn state(&mut self) -> Json {
        let sum = self.sum.load(Ordering::Relaxed);
        Json::object([
            ("sum", Json::from(sum)),
            ("is_low", Json::from(sum < 0)),
            ("word", Json::from(["a", "b", "c"][sum.rem_euclid(3) as usize])),
        ])
    }

    fn resume(&mut self, state: &Json, count: usize) {
        assert!(!self.is_stubborn || count == 0, "nobody may resume what cannot be resumed");
        let sum = state.get("sum").and_then(Json::as_scalar_text).unwrap();
        self.sum.store(sum.parse().unwrap(), Ordering::Relaxed);
    }

    fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
        let amount = event.data.json().and_then(|data| data.get("amount")?.as_scalar_text());
        let amount = amount.ok_or_else(|| Failure::new("there is no amount"))?;
        self.sum.fetch_add(amount.parse().unwrap(), Ordering::Relaxed);
        Ok(Applied::default())
    }

    fn is_resumable(&mut self) -> bool {
        !self.is_stubborn
    }
}

fn events(stream: &StreamName, amounts: &[i8], first_position: i64) -> Vec<RecordedEvent> {
    let data = |amount: i8| match amount {
        i8::MAX => Json::object([("note", Json::from("no amount"))]),
        amount => Json::object([("amount", Json::from(i64::from(amount)))]),
    };
    let kind = |amount: i8| if amount < 0 { "Withdrawn" } else { "Deposited" };
    amounts
        .iter()
        .zip(1_i64..)
        .map(|(amount, version)| {
            event(first_position + version, stream, version, kind(*amount), data(*amount))
        })
        .collect()
}

fn history(amounts: &[i8], reducer: impl Reducer + 'static, budget: usize) -> History {
    let events = HeldEvents(events(&StreamName::of("account", "1"), amounts, 0));
    History::new(Arc::new(events), Arc::new(reducer), OnFailure::GoOn, budget)
}

/// Every step, from a history of its own.
fn steps(amounts: &[i8]) -> Vec<Step> {
    let history = history(amounts, Sum { is_stubborn: false }, 1 << 20);
    (0..=amounts.len()).map(|count| history.step_at(count, &Work::default()).unwrap()).collect()
}

fn path(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn conditions() -> Vec<Condition> {
    vec![
        Condition::Type("Withdrawn".into()),
        Condition::Event("event.data.note !== undefined && event.type == 'Deposited'".into()),
        Condition::State("state.sum < 0 && event.version > 0".into()),
        Condition::Becomes("is_low".into()),
        Condition::Changes { path: path("/word"), from: Some(Json::from("a")), to: None },
        Condition::Changes { path: path("/sum"), from: None, to: Some(Json::from(7_i64)) },
    ]
}

/// Whether a step meets a condition, said once more and plainly.
fn is_met(condition: &Condition, step: &Step) -> bool {
    let event = step.event.as_ref().unwrap();
    let is_low = |state: &Json| state.get("is_low") == Some(&Json::from(true));
    match condition {
        Condition::Type(name) => event.event_type == *name,
        Condition::Event(_) => event.data.json().unwrap().get("note").is_some(),
        Condition::State(_) => is_low(&step.after),
        Condition::Becomes(_) => is_low(&step.after) && !is_low(&step.before),
        Condition::Changes { path, from, to } => {
            let [old, new] = [path.resolve(&step.before), path.resolve(&step.after)];
            old != new
                && from.as_ref().is_none_or(|from| old == Some(from))
                && to.as_ref().is_none_or(|to| new == Some(to))
        }
    }
}

/// The counts of the steps that meet any of the conditions, with those that they meet.
fn brute_force(conditions: &[Condition], steps: &[Step]) -> Vec<(usize, Vec<usize>)> {
    let met = |step: &Step| -> Vec<usize> {
        (0..conditions.len()).filter(|place| is_met(&conditions[*place], step)).collect()
    };
    let all = steps.iter().skip(1).map(|step| (step.count, met(step)));
    all.filter(|(_, met)| !met.is_empty()).collect()
}

fn plain(hits: &[Hit]) -> Vec<(usize, Vec<usize>)> {
    hits.iter().map(|hit| (hit.count, hit.which.places().collect())).collect()
}

proptest! {
    // Each case starts several engines.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_list_of_hits_is_what_every_step_says(
        amounts in vec(any::<i8>(), 0..200),
        chosen in 0_usize..64,
        is_stubborn in any::<bool>(),
    ) {
        let conditions: Vec<Condition> =
            conditions().into_iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, c)| c).collect();
        let expected = brute_force(&conditions, &steps(&amounts));
        let history = history(&amounts, Sum { is_stubborn }, 1 << 20);
        let work = Work::default();
        let whole = hits(&history, &conditions, 0..amounts.len(), &work).unwrap();
        assert_eq!(plain(&whole.hits), expected);
        assert_eq!(whole.searched, amounts.len() as u64);
        let middle = amounts.len() / 2;
        let mut parts = hits(&history, &conditions, 0..middle, &work).unwrap().hits;
        parts.extend(hits(&history, &conditions, middle..amounts.len(), &work).unwrap().hits);
        assert_eq!(parts, whole.hits);
    }

    #[test]
    fn running_backward_mirrors_running_forward(
        amounts in vec(any::<i8>(), 0..400),
        is_tight in any::<bool>(),
        is_stubborn in any::<bool>(),
        is_folded in any::<bool>(),
    ) {
        let conditions = [Condition::Becomes("is_low".into()), Condition::Event("event.data.note".into())];
        let expected: Vec<usize> =
            brute_force(&conditions, &steps(&amounts)).into_iter().map(|(count, _)| count).collect();
        let history = history(&amounts, Sum { is_stubborn }, if is_tight { 1 } else { 1 << 20 });
        let work = Work::default();
        if is_folded {
            history.fold_all(&work).unwrap();
        }
        let (mut forward, mut at) = (Vec::new(), 0);
        while let Some(hit) = next_hit(&history, &conditions, at, &work).unwrap().hits.last().copied() {
            at = hit.count;
            forward.push(at);
        }
        let (mut backward, mut at) = (Vec::new(), amounts.len() + 1);
        while let Some(hit) = previous_hit(&history, &conditions, at, &work).unwrap().hits.last().copied() {
            at = hit.count;
            backward.push(at);
        }
        backward.reverse();
        assert_eq!(forward, expected);
        assert_eq!(backward, expected);
    }

    #[test]
    fn a_watch_is_what_every_step_says(
        amounts in vec(any::<i8>(), 0..500),
        is_stubborn in any::<bool>(),
        stretch in 1_usize..200,
    ) {
        let probes = [
            Probe::State(path("/sum")),
            Probe::State(path("/word")),
            Probe::Event(path("/amount")),
            Probe::State(path("/nothing/here")),
            Probe::Expression("state.sum + event.version".into()),
            Probe::Expression("state['word']".into()),
        ];
        let history = history(&amounts, Sum { is_stubborn }, 1 << 20);
        let work = Work::default();
        let mut series = vec![Series::default(); probes.len()];
        while series[0].len() <= amounts.len() {
            let until = series[0].len() + stretch;
            extend(&history, &probes, &mut series, until, &work).unwrap();
        }
        let read = |probe: &Probe, step: &Step| match probe {
            Probe::State(path) => path.resolve(&step.after).cloned(),
            Probe::Event(path) => path.resolve(step.event.as_ref()?.data.json()?).cloned(),
            Probe::Expression(text) if text.contains("event") => {
                let version = step.event.as_ref().map(|event| event.version.unwrap().0);
                let sum: i64 = step.after.get("sum")?.as_scalar_text()?.parse().unwrap();
                // Before the first event there is none to ask.
                version.map(|version| Json::from(sum + version))
            }
            Probe::Expression(_) => step.after.get("word").cloned(),
        };
        let steps = steps(&amounts);
        for (probe, series) in probes.iter().zip(&series) {
            for step in &steps {
                let found = series.at(step.count).unwrap();
                assert!(found.is_even);
                assert_eq!(found.last, Reading::of(&Ok(read(probe, step))), "{probe} at {}", step.count);
            }
            assert_eq!(series.len(), steps.len());
        }
        let cells = values(&history, &probes, 0..amounts.len(), &work).unwrap();
        for (count, readings) in cells {
            let expected: Vec<Reading> =
                probes.iter().map(|probe| Reading::of(&Ok(read(probe, &steps[count])))).collect();
            assert_eq!(readings, expected);
        }
    }

    #[test]
    fn a_search_in_all_streams_is_a_search_in_each(
        first in vec(any::<i8>(), 0..150),
        second in vec(any::<i8>(), 1..150),
        third in vec(any::<i8>(), 0..30),
        chosen in 1_usize..64,
        is_stubborn in any::<bool>(),
        is_first_enough in any::<bool>(),
    ) {
        let conditions: Vec<Condition> =
            conditions().into_iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, c)| c).collect();
        let all = [&first, &second, &third];
        let mut held = Vec::new();
        let mut expected = Vec::new();
        for (amounts, number) in all.into_iter().zip(1_i64..) {
            let name = StreamName::of("account", &number.to_string());
            held.extend(events(&name, amounts, 1000 * number));
            let mut hits = brute_force(&conditions, &steps(amounts));
            if is_first_enough {
                hits.truncate(1);
            }
            expected.extend(hits.into_iter().map(|(count, met)| (name.full(), count, met)));
        }
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(held));
        let index = Arc::new(Index::build(&*store, &Work::default()).unwrap());
        let across = Across {
            store,
            index: Arc::clone(&index),
            reducer: Arc::new(Sum { is_stubborn }),
            on_failure: OnFailure::GoOn,
            conditions: conditions.into(),
            is_first_enough,
        };
        let streams: Vec<u32> = (0..index.streams().len() as u32).collect();
        let found = across.search(&streams, &Work::default()).unwrap();
        let found: Vec<(Arc<str>, usize, Vec<usize>)> = found
            .hits
            .iter()
            .map(|hit| {
                assert_eq!(index.stream_events(hit.stream).get(hit.hit.count - 1), Some(&hit.ordinal));
                (index.stream(hit.stream).unwrap().name.full(), hit.hit.count, hit.hit.which.places().collect())
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_long_run_back_looks_no_further_than_it_must() {
    let mut amounts = vec![1_i8; 100_000];
    amounts[99_500] = i8::MAX;
    let conditions = [Condition::Event("event.data.note".into())];
    let history = history(&amounts, Merge::for_category(None), 1 << 20);
    let found = previous_hit(&history, &conditions, amounts.len() + 1, &Work::default()).unwrap();
    assert_eq!(found.hits.last().map(|hit| hit.count), Some(99_501));
    assert!(found.searched < 2000, "{} events were looked at", found.searched);
}

#[test]
fn what_is_withdrawn_leaves_what_was_found_before() {
    let amounts = vec![1_i8; 3000];
    let history = history(&amounts, Sum { is_stubborn: false }, 1 << 20);
    let probes = [Probe::State(path("/sum")), Probe::State(path("/word"))];
    let mut series = vec![Series::default(); 2];
    extend(&history, &probes, &mut series, 1000, &Work::default()).unwrap();
    let work = Work::default();
    work.cancel();
    assert!(extend(&history, &probes, &mut series, 2000, &work).is_err());
    assert!(series.iter().all(|series| series.len() == 1001), "both as far as they were");
    assert!(hits(&history, &conditions(), 0..3000, &work).is_err());
    assert!(previous_hit(&history, &conditions(), 3000, &work).is_err());
    extend(&history, &probes, &mut series, 3000, &Work::default()).unwrap();
    assert!(series.iter().all(|series| series.len() == 3001));
    assert_eq!(series[0].at(3000).unwrap().last.number(), Some(3000.0));
}
