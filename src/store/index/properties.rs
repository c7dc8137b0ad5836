//! Every answer of an index against the plain definition over a list of events, however it was made.

use std::{
    hint::black_box,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;

use crate::{
    model::{
        EventKey, EventQuery, GlobalPosition, Json, KeyPart, RecordedEvent, StreamName, StreamVersion,
        Timestamp,
    },
    store::{
        covered::{Covered, CoveredDigits, CoveredKeys, CoveredTimes},
        index::{Index, Section, Selection, Unfit, order::compare_names},
        memory::{MemoryStore, event},
    },
    work::{Lanes, Piece, Work},
};

/// One event of a made-up history: stream, type, version and seconds.
type Made = (u8, u8, Option<i64>, Option<i64>);

/// What kinds of histories there are.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Whether versions and times rise as they mostly do, or are as they were made.
    is_sound: bool,
    /// Keys of one rising number, of numbers with holes, of two numbers, or of texts.
    key: u8,
    /// Positions as in the key, none, others that rise, or others that fall.
    position: u8,
}

fn kind() -> impl Strategy<Value = Kind> {
    (any::<bool>(), 0_u8..4, 0_u8..4).prop_map(|(is_sound, key, position)| Kind { is_sound, key, position })
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let often = |most: i64| prop::option::weighted(0.9, 0..most);
    prop::collection::vec((0_u8..9, 0_u8..5, often(9), often(40)), 0..300)
}

fn history(made: &[Made], kind: Kind) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    for (number, (stream, event_type, version, seconds)) in (1_i64..).zip(made) {
        let name = match stream {
            0 => StreamName::plain("lonely"),
            _ => StreamName::of(["order", "user"][usize::from(stream % 2)], &stream.to_string()),
        };
        let mut event =
            event(number, &name, 0, ["A", "B", "C", "D", ""][usize::from(*event_type)], Json::Null);
        let (version, seconds) =
            if kind.is_sound { (Some(number), Some(number * 3)) } else { (*version, *seconds) };
        event.version = version.map(StreamVersion);
        let digits = if kind.is_sound { 3 } else { number as u8 % 7 };
        event.time = seconds.and_then(|seconds| Timestamp::from_epoch(seconds, 0));
        event.time = event.time.map(|time| Timestamp::from_nanos(time.nanos(), digits));
        let number = if kind.key == 0 { number } else { number * number };
        event.key = EventKey(match kind.key {
            0 | 1 => Arc::from([KeyPart::Integer(number)]),
            2 => Arc::from([KeyPart::Integer(number / 100), KeyPart::Integer(number)]),
            _ => Arc::from([KeyPart::Text(format!("{number:09}").into())]),
        });
        event.position = match (kind.position, event.key.0.first()) {
            (0, Some(KeyPart::Integer(number))) => Some(GlobalPosition::Number(*number)),
            (0, Some(KeyPart::Text(text))) => Some(GlobalPosition::Text(Arc::clone(text))),
            (2, _) => Some(GlobalPosition::Number(number / 2)),
            (3, _) => Some(GlobalPosition::Number(1000 - number)),
            _ => None,
        };
        events.push(event);
    }
    events
}

/// Three lanes that run their pieces in the worst order.
struct Backwards;

impl Lanes for Backwards {
    fn width(&self) -> usize {
        3
    }

    fn run(&self, pieces: Vec<Piece<'_>>) {
        pieces.into_iter().rev().for_each(|piece| piece());
    }
}

fn work() -> Work {
    Work::with_lanes(Arc::new(Backwards))
}

fn built(events: &[RecordedEvent]) -> Index {
    Index::build(&MemoryStore::new(events.to_vec()), &Work::default()).unwrap()
}

/// What indexes of a store would cover of these events.
fn covered(events: &[RecordedEvent]) -> Covered {
    let index = built(events);
    let all = || events.iter().zip(0..).filter_map(|(event, ordinal)| Some((event, index.row(ordinal)?)));
    let key = |event: &RecordedEvent| match &*event.key.0 {
        [KeyPart::Integer(number)] => *number,
        other => panic!("{other:?}"),
    };
    let (first, count) = (events.first().map_or(0, key), events.len() as u32);
    let distances: Vec<u32> = events.iter().map(|event| (key(event) - first) as u32).collect();
    let is_dense = distances.last().map_or(0, |last| last + 1) == count;
    let keys =
        if is_dense { CoveredKeys::Dense { first, count } } else { CoveredKeys::Sparse { first, distances } };
    let digits: Vec<u8> = events.iter().map(|event| event.time.map_or(0, Timestamp::digits)).collect();
    let nanos =
        events.iter().map(|event| event.time.map_or(CoveredTimes::MISSING, Timestamp::nanos)).collect();
    let mut postings = Vec::new();
    let ends = (0..index.streams().len() as u32).map(|stream| {
        postings.extend(&index.stream_events(stream));
        postings.len() as u32
    });
    Covered {
        keys,
        has_positions: events.iter().all(|event| event.position.is_some()),
        streams: all().map(|(_, row)| row.stream).collect(),
        stream_names: index.streams().iter().map(|info| Arc::clone(&info.name)).collect(),
        versions: events.iter().map(|event| event.version.map(|version| version.0 as i32)).collect(),
        types: Some(all().map(|(_, row)| row.event_type as u16).collect()),
        type_names: index.types().iter().map(|info| Arc::clone(&info.name)).collect(),
        posting_ends: ends.collect(),
        times: Some(CoveredTimes { nanos, digits: CoveredDigits::Each(digits) }),
        postings,
    }
}

/// All that an index says, against a plain look at each event.
fn check(index: &Index, events: &[RecordedEvent], at: u32) {
    assert_eq!(index.len(), events.len());
    for (event, ordinal) in events.iter().zip(0..) {
        let row = index.row(ordinal).unwrap();
        assert_eq!(index.key(ordinal).as_ref(), Some(&event.key));
        assert_eq!(index.ordinal_of(&event.key), Some(ordinal));
        assert_eq!(index.stream(row.stream).unwrap().name, event.stream);
        assert_eq!(index.type_name(row.event_type), Some(&event.event_type));
        assert_eq!(
            (row.version, row.time, row.position),
            (event.version, event.time, event.position.clone())
        );
    }
    assert_eq!(index.row(events.len() as u32), None);
    check_streams(index, events, at);
    check_times(index, events, at);
    for query in queries(events, at) {
        let expected: Vec<u32> =
            (0..).zip(events).filter(|(_, event)| answers(event, &query)).map(|(at, _)| at).collect();
        let found = index.filter(&query, &work()).unwrap();
        let found = found.map_or_else(
            || (0..events.len() as u32).collect(),
            |found: Selection| found.iter().collect::<Vec<_>>(),
        );
        assert_eq!(found, expected, "{query:?}");
    }
}

fn check_streams(index: &Index, events: &[RecordedEvent], at: u32) {
    let mut names: Vec<Arc<StreamName>> = Vec::new();
    let mut types: Vec<Arc<str>> = Vec::new();
    for event in events {
        if !names.contains(&event.stream) {
            names.push(Arc::clone(&event.stream));
        }
        if !types.contains(&event.event_type) {
            types.push(Arc::clone(&event.event_type));
        }
    }
    let counts = index.counts_until(at);
    for (number, name) in (0..).zip(&names) {
        let info = index.stream(number).unwrap();
        let own = || (0_u32..).zip(events).filter(|(_, event)| event.stream == *name);
        let (versions, times) =
            (|| own().filter_map(|(_, event)| event.version), || own().filter_map(|(_, event)| event.time));
        assert_eq!(
            (&info.name, info.events, index.stream_number(name)),
            (name, own().count() as u64, Some(number))
        );
        assert_eq!((info.first_version, info.last_version), (versions().min(), versions().max()));
        assert_eq!((info.first_time, info.last_time), (times().min(), times().max()));
        let mut last = None;
        let keyed = own().map(|(ordinal, event)| {
            last = event.version.or(last);
            (last, ordinal)
        });
        let mut keyed: Vec<_> = keyed.collect();
        keyed.sort_unstable();
        let expected: Vec<u32> = keyed.into_iter().map(|(_, ordinal)| ordinal).collect();
        let found = index.stream_events(number);
        assert_eq!((found.to_vec(), found.len()), (expected.clone(), expected.len()));
        assert_eq!(
            found.iter().rev().copied().collect::<Vec<_>>(),
            expected.iter().rev().copied().collect::<Vec<_>>()
        );
        assert_eq!(
            found.count_until(at),
            expected.iter().rposition(|ordinal| *ordinal <= at).map_or(0, |place| place + 1)
        );
        for (place, ordinal) in expected.iter().enumerate() {
            assert_eq!((found.get(place), found.place_of(*ordinal)), (Some(ordinal), Some(place)));
        }
        assert_eq!((found.get(expected.len()), found.last()), (None, expected.last()));
        assert_eq!(counts[number as usize] as usize, own().filter(|(ordinal, _)| *ordinal <= at).count());
    }
    assert_eq!(index.streams().len(), names.len());
    let by_name: Vec<&StreamName> =
        index.streams_by_name().iter().map(|number| &*index.stream(*number).unwrap().name).collect();
    assert_eq!(by_name.len(), names.len());
    assert!(by_name.is_sorted_by(|left, right| compare_names(left, right).is_lt()));
    let found: Vec<(Arc<str>, u64)> =
        index.types().iter().map(|info| (Arc::clone(&info.name), info.events)).collect();
    let count = |name: &Arc<str>| events.iter().filter(|event| event.event_type == *name).count() as u64;
    assert_eq!(found, types.iter().map(|name| (Arc::clone(name), count(name))).collect::<Vec<_>>());
    assert!(index.categories().is_sorted_by(|left, right| left.name < right.name));
    for info in index.categories() {
        let own = |name: &&Arc<StreamName>| name.category == info.name;
        assert_eq!(info.streams, names.iter().filter(own).count() as u64);
        assert_eq!(info.events, events.iter().filter(|event| own(&&event.stream)).count() as u64);
    }
    let pairs: Vec<(u32, u32)> = index.streams_and_types().collect();
    let mut visited = Vec::new();
    index.visit_streams_and_types(at as usize, |streams, types| {
        visited.extend(streams.iter().copied().zip(types.iter().copied()));
    });
    assert_eq!(visited, pairs[pairs.len().min(at as usize)..]);
}

fn check_times(index: &Index, events: &[RecordedEvent], at: u32) {
    let time = Timestamp::from_epoch(i64::from(at), 0).unwrap();
    let reached = |event: &RecordedEvent| event.time.is_some_and(|own| own.nanos() <= time.nanos());
    assert_eq!(index.at_time(time), events.iter().rposition(reached).map(|row| row as u32));
    let times = || events.iter().filter_map(|event| event.time);
    assert_eq!(index.time_span(), times().min().zip(times().max()));
    for stream in 0..index.streams().len() as u32 {
        let own = index.stream_events(stream).to_vec();
        let expected = own.iter().rposition(|ordinal| reached(&events[*ordinal as usize]));
        assert_eq!(index.stream_at_time(stream, time), expected);
        let own = index.stream_events(stream);
        let of_stream = index.histogram(Some(&own), 3, &work()).unwrap();
        let counted: u64 = of_stream.counts.iter().map(|count| u64::from(*count)).sum();
        assert_eq!(counted + of_stream.undated, own.len() as u64);
    }
    let found = index.histogram(None, 7, &work()).unwrap();
    let mut counts = vec![0; found.counts.len()];
    if let Some((start, end)) = index.time_span() {
        let scale = 7.0 / ((end.nanos() - start.nanos()) as f64 + 1.0);
        for time in times() {
            counts[(((time.nanos() - start.nanos()) as f64 * scale) as usize).min(6)] += 1;
        }
    }
    assert_eq!((found.counts, found.undated), (counts, (events.len() - times().count()) as u64));
    let position = GlobalPosition::Number(i64::from(at));
    let reached = |event: &RecordedEvent| event.position.as_ref().is_some_and(|own| *own <= position);
    assert_eq!(index.ordinal_at_position(&position), events.iter().rposition(reached).map(|row| row as u32));
}

fn queries(events: &[RecordedEvent], at: u32) -> Vec<EventQuery> {
    let all = EventQuery::default;
    let time = |seconds: u32| Timestamp::from_epoch(i64::from(seconds), 0);
    let mut queries = vec![
        all(),
        EventQuery { category: Some(None), ..all() },
        EventQuery { category: Some(Some("order".into())), ..all() },
        EventQuery { category: Some(Some("nothing".into())), ..all() },
        EventQuery { types: vec!["A".into()], ..all() },
        EventQuery { types: vec!["B".into(), "".into()], from: time(3), ..all() },
        EventQuery { from: time(at), ..all() },
        EventQuery { to: time(at), ..all() },
        EventQuery { from: time(5), to: time(at), category: Some(Some("user".into())), ..all() },
        EventQuery { after: Some(GlobalPosition::Number(i64::from(at))), ..all() },
        EventQuery { stream: Some(Arc::new(StreamName::plain("nobody"))), ..all() },
    ];
    for event in events.iter().step_by(97) {
        queries.push(EventQuery { stream: Some(Arc::clone(&event.stream)), ..all() });
        let after = event.position.clone();
        queries.push(EventQuery { stream: Some(Arc::clone(&event.stream)), after: after.clone(), ..all() });
        queries.push(EventQuery { types: vec![Arc::clone(&event.event_type)], after, ..all() });
    }
    queries
}

fn answers(event: &RecordedEvent, query: &EventQuery) -> bool {
    let nanos = event.time.map(Timestamp::nanos);
    query.stream.as_ref().is_none_or(|stream| event.stream == *stream)
        && query.category.as_ref().is_none_or(|category| event.stream.category == *category)
        && (query.types.is_empty() || query.types.contains(&event.event_type))
        && query.after.as_ref().is_none_or(|after| event.position.as_ref().is_some_and(|own| own > after))
        && query.from.is_none_or(|from| nanos.is_some_and(|own| own >= from.nanos()))
        && query.to.is_none_or(|to| nanos.is_some_and(|own| own <= to.nanos()))
}

fn loaded(sections: &[Section]) -> Result<Index, Unfit> {
    let sections: Vec<(&str, &[u8])> =
        sections.iter().map(|section| (&*section.name, section.bytes.as_slice())).collect();
    Index::from_sections(&sections, &work())
}

fn reloaded(index: &Index) -> Index {
    let mut sections: Vec<Section> = index.to_sections().collect();
    sections.reverse();
    loaded(&sections).unwrap()
}

/// Asks whatever can be asked.
fn ask_everything(index: &Index) {
    for ordinal in 0..=index.len() as u32 {
        black_box(index.row(ordinal).map(|row| index.stream(row.stream).cloned()));
        black_box(index.key(ordinal).map(|key| index.ordinal_of(&key)));
        black_box(index.at_time(Timestamp::from_nanos(i64::from(ordinal) << 30, 0)));
    }
    for stream in 0..=index.streams().len() as u32 {
        let own = index.stream_events(stream);
        for ordinal in &own {
            black_box((own.place_of(*ordinal), own.count_until(*ordinal)));
        }
        black_box(index.stream_at_time(stream, Timestamp::from_nanos(7, 0)));
        black_box(index.histogram(Some(&own), 5, &work()).unwrap());
        black_box(index.stream(stream).map(|info| index.stream_number(&info.name)));
    }
    black_box(index.histogram(None, 5, &work()).unwrap());
    black_box((index.counts_until(index.len() as u32 / 3), index.counts_until(index.len() as u32)));
    black_box(index.ordinal_at_position(&GlobalPosition::Number(7)));
    for query in queries(&[], 7) {
        black_box(index.filter(&query, &work()).unwrap().map(|found| found.iter().count()));
    }
    black_box(index.extended(&MemoryStore::new([]), &Work::default()).unwrap());
    index.to_sections().for_each(drop);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_index_answers_as_a_list_does(made in made(), kind in kind(), at in 0_u32..320) {
        let events = history(&made, kind);
        check(&built(&events), &events, at);
    }

    #[test]
    fn an_index_made_on_lanes_and_each_of_its_beginnings_answer_so(made in made(), kind in kind(), at in 0_u32..320) {
        let events = history(&made, kind);
        let seen: Mutex<Vec<Index>> = Mutex::default();
        let report = |index| seen.lock().unwrap().push(index);
        let whole = Index::default().growing(&MemoryStore::new(events.clone()), &work(), Some(&report)).unwrap();
        check(&whole, &events, at);
        for index in seen.into_inner().unwrap() {
            check(&index, &events[..index.len()], at);
        }
    }

    #[test]
    fn an_index_of_covered_columns_answers_so(mut made in made(), kind in kind(), has_versions in any::<bool>(), at in 0_u32..320) {
        for made in &mut made {
            made.2 = has_versions.then(|| made.2.unwrap_or_default());
        }
        let kind = Kind { is_sound: kind.is_sound && has_versions, key: kind.key % 2, position: kind.position % 2 };
        let events = history(&made, kind);
        let index = Index::of_covered(&covered(&events), &work()).unwrap();
        prop_assert_eq!(index.is_none(), events.is_empty());
        let index = index.unwrap_or_default();
        check(&index, &events, at);
        check(&reloaded(&index), &events, at);
        let mut more = events.clone();
        more.extend(events.last().map(|last| RecordedEvent { key: EventKey::integer(1 << 40), ..last.clone() }));
        let position = |event: &mut RecordedEvent| event.position = event.position.is_some().then_some(GlobalPosition::Number(1 << 40));
        more.iter_mut().skip(events.len()).for_each(position);
        check(&index.extended(&MemoryStore::new(more.clone()), &Work::default()).unwrap(), &more, at);
    }

    #[test]
    fn an_index_that_grew_answers_so(made in made(), kind in kind(), at in 0_u32..320, cuts in prop::collection::vec(0_usize..300, 0..9)) {
        let events = history(&made, kind);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(events.len())).collect();
        cuts.sort_unstable();
        let mut index = Index::default();
        for cut in cuts.into_iter().chain([events.len()]) {
            let before = index.clone();
            let old = before.len();
            index = index.extended(&MemoryStore::new(events[..cut].to_vec()), &Work::default()).unwrap();
            check(&index, &events[..cut], at);
            check(&before, &events[..old], at);
            prop_assert!(index.shared_chunks(&before) >= old / super::CHUNK);
            check(&reloaded(&index), &events[..cut], at);
        }
        check(&reloaded(&index).extended(&MemoryStore::new(events.clone()), &Work::default()).unwrap(), &events, at);
    }

    /// A changed byte is no reason to panic, whatever is asked.
    #[test]
    fn a_damaged_index_is_refused_or_answers_somehow(made in made(), kind in kind(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let index = built(&history(&made, kind));
        let mut sections: Vec<Section> = index.to_sections().collect();
        let all: usize = sections.iter().map(|section| section.bytes.len()).sum();
        let mut place = place.index(all);
        for section in &mut sections {
            match section.bytes.get_mut(place) {
                Some(own) => {
                    *own ^= byte;
                    break;
                }
                None => place -= section.bytes.len(),
            }
        }
        if let Ok(index) = loaded(&sections) {
            ask_everything(&index);
        }
        let last = sections.last_mut().unwrap();
        last.bytes.truncate(last.bytes.len() / 2);
        prop_assert!(loaded(&sections).is_err());
        sections.pop();
        prop_assert!(loaded(&sections).is_err());
    }
}
