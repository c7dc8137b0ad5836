//! The suite that every store passes: what [`EventStore`] promises, tried out. For tests only.
//!
//! A disagreement comes back as a sentence, so that the suite may live beside the trait that it
//! defines and still never panic.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use crate::{
    model::{EventKey, EventQuery, KeyPart, Pointer, RecordedEvent, Segment, StreamName},
    store::{
        EventStore, KeyRange, PageFrom, StoreError,
        index::Index,
        memory::answers,
        read::{Onward, Wanted, read_by_pages},
        search::{Sieve, Sought, search_by_reading},
    },
    work::Work,
};

/// What does not hold, in words.
type Verdict = Result<(), String>;

/// Tries all promises of a store that holds exactly `expected`, given in global order.
pub fn check_store(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Result<(), String> {
    let head = store.head().map_err(said)?;
    check_pages(store, expected, work)?;
    check_filters(store, expected, work)?;
    check_fetch(store, expected, work)?;
    check_ranges(store, expected, work)?;
    check_read(store, expected, work)?;
    check_search(store, expected, work)?;
    check_index(store, expected, work)?;
    check_stopping(store)?;
    agree("the head after only reading", &store.head().map_err(said)?, &head)
}

/// Pages of every size, joined, are one read, in both directions.
fn check_pages(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let all = EventQuery::default();
    for size in page_sizes(expected.len()) {
        let what = format!("pages of {size}");
        let forwards = joined(store, &all, size, work, Direction::Forwards)?;
        same_events(&format!("{what} from the start"), &forwards, expected)?;
        let backwards = joined(store, &all, size, work, Direction::Backwards)?;
        same_events(&format!("{what} from the end"), &backwards, expected)?;
    }
    let none = store.page(work, &all, &PageFrom::Start, 0).map_err(said)?;
    same_events("a page of no events", &none, &[])?;
    for place in places(expected.len()) {
        let Some(middle) = expected.get(place) else { continue };
        let after = store.page(work, &all, &PageFrom::After(middle.key.clone()), 3).map_err(said)?;
        let following = expected.get(place + 1..expected.len().min(place + 4)).unwrap_or_default();
        same_events(&format!("three after event {place}"), &after, following)?;
        let before = store.page(work, &all, &PageFrom::Before(middle.key.clone()), 3).map_err(said)?;
        let preceding = expected.get(place.saturating_sub(3)..place).unwrap_or_default();
        same_events(&format!("three before event {place}"), &before, preceding)?;
    }
    Ok(())
}

/// Every kind of query, by pages in both directions, against a plain look at each event; and the
/// index's answer to the same query.
fn check_filters(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let index = Index::build(store, work).map_err(said)?;
    for query in queries(expected) {
        let answering: Vec<RecordedEvent> =
            expected.iter().filter(|event| answers(event, &query)).cloned().collect();
        // Small pages are tried without a query; here a few show what joining gets wrong.
        let size = 7.max(expected.len() / 4);
        let forwards = joined(store, &query, size, work, Direction::Forwards)?;
        same_events(&format!("forwards {query:?}"), &forwards, &answering)?;
        let backwards = joined(store, &query, size + 1, work, Direction::Backwards)?;
        same_events(&format!("backwards {query:?}"), &backwards, &answering)?;
        let filtered = index.filter(&query, work).map_err(|cancelled| cancelled.to_string())?;
        let ordinals: Vec<u32> =
            filtered.map_or_else(|| (0..index.len() as u32).collect(), |chosen| chosen.iter().collect());
        let keys: Vec<Option<EventKey>> = ordinals.iter().map(|ordinal| index.key(*ordinal)).collect();
        let wanted: Vec<Option<EventKey>> = answering.iter().map(|event| Some(event.key.clone())).collect();
        agree(&format!("the index's answer to {query:?}"), &keys, &wanted)?;
    }
    Ok(())
}

fn check_fetch(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let chosen: Vec<&RecordedEvent> =
        places(expected.len()).into_iter().rev().filter_map(|place| expected.get(place)).collect();
    for event in &chosen {
        let Some(id) = &event.event_id else { continue };
        let first = expected.iter().find(|other| other.event_id.as_ref() == Some(id));
        let wanted = first.map(|first| first.key.clone());
        agree("an event by its id", &store.event_of_id(work, id).map_err(said)?, &wanted)?;
    }
    agree("no event by its id", &store.event_of_id(work, "no such event").map_err(said)?, &None)?;
    let missing = EventKey(Arc::from([KeyPart::Text("no such event".into())]));
    let mut keys: Vec<EventKey> = chosen.iter().map(|event| event.key.clone()).collect();
    keys.push(missing);
    keys.extend(chosen.first().map(|event| event.key.clone()));
    let mut wanted: Vec<Option<RecordedEvent>> = chosen.iter().map(|event| Some((*event).clone())).collect();
    wanted.push(None);
    wanted.extend(chosen.first().map(|event| Some((*event).clone())));
    let fetched = store.fetch(work, &keys).map_err(said)?;
    agree("events fetched in the order asked for", &fetched, &wanted)?;
    agree("nothing fetched", &store.fetch(work, &[]).map_err(said)?, &Vec::new())
}

/// However a store cuts its order, each event is in exactly one range, and a scan says of it what a
/// page says.
fn check_ranges(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let starts = [None, expected.get(expected.len() * 2 / 3), expected.last()];
    for after in starts.map(|event| event.map(|event| &event.key)) {
        let wanted: Vec<&RecordedEvent> =
            expected.iter().filter(|event| after.is_none_or(|after| event.key > *after)).collect();
        for parts in [1, 3, 16] {
            let what = format!("{parts} ranges after {after:?}");
            let ranges = store.ranges(work, after, parts).map_err(said)?;
            let found = scanned(store, &ranges, work)?;
            agree(&format!("number of events in {what}"), &found.len(), &wanted.len())?;
            let wanted: Vec<String> = wanted.iter().map(|event| summary(event)).collect();
            agree(&format!("the events in {what}"), &found, &wanted)?;
        }
    }
    Ok(())
}

/// Reading on by whatever way the store has is reading page after page; and it ends where the visitor has
/// enough.
fn check_read(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let types: BTreeSet<Arc<str>> = expected.iter().map(|event| Arc::clone(&event.event_type)).collect();
    let mut some: Vec<Arc<str>> = types.into_iter().step_by(2).collect();
    some.push("no such 'type'".into());
    let key = |place: usize| expected.get(place).map(|event| event.key.clone());
    let middle = KeyRange { after: key(expected.len() / 3), until: key(expected.len() * 2 / 3) };
    for wanted in [Wanted::All, Wanted::Types(&some), Wanted::Data(&some), Wanted::Types(&[])] {
        for range in [&KeyRange::default(), &middle] {
            let mut plain = Vec::new();
            read_by_pages(store, work, range, wanted, &mut |row| {
                plain.push(format!("{row:?}"));
                Onward::On
            })
            .map_err(said)?;
            for enough in [usize::MAX, plain.len() / 2 + 1] {
                let mut found = Vec::new();
                let read = store.read(work, range, wanted, &mut |row| {
                    found.push(format!("{row:?}"));
                    if found.len() < enough { Onward::On } else { Onward::Enough }
                });
                read.map_err(said)?;
                let what = format!("reading up to {enough} events of {range:?} with {wanted:?}");
                let plain = plain.get(..enough.min(plain.len())).unwrap_or_default();
                agree(&format!("the number of events in {what}"), &found.len(), &plain.len())?;
                for (found, plain) in found.iter().zip(plain) {
                    agree(&what, found, plain)?;
                }
            }
        }
    }
    Ok(())
}

/// Searching by whatever way the store has finds what reading every payload finds.
fn check_search(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let key = |place: usize| expected.get(place).map(|event| event.key.clone());
    let middle = KeyRange { after: key(expected.len() / 3), until: key(expected.len() * 2 / 3) };
    for sought in things_to_look_for(expected) {
        let sieve = Sieve::new(&sought)?;
        for (range, is_cut) in [(&KeyRange::default(), false), (&middle, true)] {
            let (mut plain, mut found) = (Vec::new(), Vec::new());
            search_by_reading(store, work, range, &sieve, &mut |hit| {
                plain.push(hit.to_hit());
                Onward::On
            })
            .map_err(said)?;
            let enough = if is_cut { plain.len() / 2 + 1 } else { usize::MAX };
            store
                .search(work, range, &sieve, &mut |hit| {
                    found.push(hit.to_hit());
                    if found.len() < enough { Onward::On } else { Onward::Enough }
                })
                .map_err(said)?;
            plain.truncate(enough);
            agree(&format!("what a search for {sought:?} finds in {range:?}"), &found, &plain)?;
        }
    }
    Ok(())
}

/// Texts and values that some events hold, and some that none does.
fn things_to_look_for(expected: &[RecordedEvent]) -> Vec<Sought> {
    let text = |text: &str| Sought::Text { text: text.into(), is_exact_case: false };
    let mut things = vec![text("\":"), text("no payload says this")];
    for event in expected.iter().step_by(expected.len() / 2 + 1) {
        let Ok(data) = &event.data.decoded else { continue };
        let whole = data.to_compact();
        let piece: String = whole.chars().skip(whole.len() / 2).take(6).collect();
        things.extend((!piece.is_empty()).then(|| text(&piece)));
        for (name, value) in data.as_object().into_iter().flat_map(|members| members.iter()).take(1) {
            let path = Pointer::root().child(Segment::Name(Arc::clone(name)));
            things.push(Sought::Value { path, value: value.clone() });
        }
    }
    things
}

/// The index against counts made the plain way.
fn check_index(store: &dyn EventStore, expected: &[RecordedEvent], work: &Work) -> Verdict {
    let index = Index::build(store, work).map_err(said)?;
    agree("the index's length", &index.len(), &expected.len())?;
    for (event, ordinal) in expected.iter().zip(0_u32..) {
        let row = index.row(ordinal).ok_or_else(|| format!("the index lacks event {ordinal}"))?;
        let stream = index.stream(row.stream).map(|info| Arc::clone(&info.name));
        agree("a key of the index", &index.key(ordinal), &Some(event.key.clone()))?;
        agree("an ordinal by key", &index.ordinal_of(&event.key), &Some(ordinal))?;
        agree("a stream of the index", &stream, &Some(Arc::clone(&event.stream)))?;
        agree("a version of the index", &row.version, &event.version)?;
        agree("a time of the index", &row.time, &event.time)?;
        agree("a position of the index", &row.position, &event.position)?;
        agree("a type of the index", &index.type_name(row.event_type), &Some(&event.event_type))?;
    }
    let names: BTreeSet<&StreamName> = expected.iter().map(|event| &*event.stream).collect();
    agree("the number of streams", &index.streams().len(), &names.len())?;
    for (info, number) in index.streams().iter().zip(0_u32..) {
        let own: Vec<&RecordedEvent> = expected.iter().filter(|event| event.stream == info.name).collect();
        agree("events of a stream", &info.events, &(own.len() as u64))?;
        agree("events listed of a stream", &index.stream_events(number).len(), &own.len())?;
        agree("its first version", &info.first_version, &own.iter().filter_map(|event| event.version).min())?;
        agree("its last version", &info.last_version, &own.iter().filter_map(|event| event.version).max())?;
        agree("its first time", &info.first_time, &own.iter().filter_map(|event| event.time).min())?;
        agree("its last time", &info.last_time, &own.iter().filter_map(|event| event.time).max())?;
    }
    let counted: u64 = index.types().iter().map(|info| info.events).sum();
    agree("events of all types", &counted, &(expected.len() as u64))?;
    let counted: u64 = index.categories().iter().map(|info| info.events).sum();
    agree("events of all categories", &counted, &(expected.len() as u64))
}

/// Work that is not wanted any more ends as cancelled, whatever was asked.
fn check_stopping(store: &dyn EventStore) -> Verdict {
    let work = Work::default();
    work.cancel();
    let page = store.page(&work, &EventQuery::default(), &PageFrom::Start, 10).map(|_| ());
    let fetch = store.fetch(&work, &[EventKey::integer(1)]).map(|_| ());
    let index = Index::build(store, &work).map(|_| ());
    let read = store.read(&work, &KeyRange::default(), Wanted::All, &mut |_| Onward::On).map(|_| ());
    for (what, answer) in [("a page", page), ("a fetch", fetch), ("an index", index), ("reading", read)] {
        if !matches!(answer, Err(StoreError::Cancelled(_))) {
            return Err(format!("{what} of withdrawn work ended as {answer:?}"));
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Direction {
    Forwards,
    Backwards,
}

/// All answers to a query, read page by page.
fn joined(
    store: &dyn EventStore,
    query: &EventQuery,
    size: usize,
    work: &Work,
    direction: Direction,
) -> Result<Vec<RecordedEvent>, String> {
    let mut all: Vec<RecordedEvent> = Vec::new();
    loop {
        let from = match direction {
            Direction::Forwards => {
                all.last().map_or(PageFrom::Start, |event| PageFrom::After(event.key.clone()))
            }
            Direction::Backwards => {
                all.first().map_or(PageFrom::End, |event| PageFrom::Before(event.key.clone()))
            }
        };
        let page = store.page(work, query, &from, size).map_err(said)?;
        if page.len() > size {
            return Err(format!("a page of {} events where {size} were asked for", page.len()));
        }
        let is_last = page.len() < size;
        match direction {
            Direction::Forwards => all.extend(page),
            Direction::Backwards => drop(all.splice(0..0, page)),
        }
        if is_last {
            return Ok(all);
        }
    }
}

/// What a scan says of an event, as one comparable text.
fn scanned(store: &dyn EventStore, ranges: &[KeyRange], work: &Work) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for range in ranges {
        let troubles = store
            .scan(work, range, &mut |row| {
                let stored = row.stored.map(str::to_owned);
                let name = (row.category.map(str::to_owned), row.id.to_owned(), stored);
                let facts = (row.key.to_key(), &row.position, name, row.version, row.event_type, row.time);
                found.push(format!("{facts:?}"));
            })
            .map_err(said)?;
        if troubles.len() > 100 {
            return Err(format!("a scan reported {} troubles", troubles.len()));
        }
    }
    Ok(found)
}

fn summary(event: &RecordedEvent) -> String {
    let text = |text: &Arc<str>| text.to_string();
    let stream = &event.stream;
    let name = (stream.category.as_ref().map(text), text(&stream.id), stream.stored.as_ref().map(text));
    format!("{:?}", (&event.key, &event.position, name, event.version, &*event.event_type, event.time))
}

/// Queries of every kind that these events can answer, and some that none can.
fn queries(events: &[RecordedEvent]) -> Vec<EventQuery> {
    let mut queries = vec![
        EventQuery { stream: Some(Arc::new(StreamName::plain("no such stream"))), ..Default::default() },
        EventQuery { category: Some(Some("no such category".into())), ..Default::default() },
        EventQuery { category: Some(None), ..Default::default() },
        EventQuery { types: vec!["no such type".into()], ..Default::default() },
    ];
    let types: BTreeSet<Arc<str>> = events.iter().map(|event| Arc::clone(&event.event_type)).collect();
    queries.push(EventQuery { types: types.iter().take(2).cloned().collect(), ..Default::default() });
    for event in [events.get(events.len() / 3), events.last()].into_iter().flatten() {
        let stream = Some(Arc::clone(&event.stream));
        let types = vec![Arc::clone(&event.event_type)];
        let after = event.position.clone();
        queries.extend([
            EventQuery { stream: stream.clone(), ..Default::default() },
            EventQuery { category: Some(event.stream.category.clone()), ..Default::default() },
            EventQuery { types: types.clone(), ..Default::default() },
            EventQuery { after: after.clone(), ..Default::default() },
            EventQuery { stream, types: types.clone(), ..Default::default() },
            EventQuery { types, after, to: events.last().and_then(|last| last.time), ..Default::default() },
        ]);
        if event.time.is_some() {
            queries.extend([
                EventQuery { from: event.time, ..Default::default() },
                EventQuery { to: event.time, ..Default::default() },
                EventQuery { from: event.time, to: event.time, ..Default::default() },
            ]);
        }
    }
    queries
}

/// First, last and some between.
fn places(len: usize) -> Vec<usize> {
    let last = len.saturating_sub(1);
    BTreeSet::from([0, 1, len / 3, len / 2, last.saturating_sub(1), last])
        .into_iter()
        .filter(|place| *place < len)
        .collect()
}

/// All sizes for a small store; for a larger one those where an error would show.
fn page_sizes(len: usize) -> Vec<usize> {
    if len <= 40 {
        return (1..=len + 1).collect();
    }
    vec![len / 20 + 1, len, len + 1]
}

fn same_events(what: &str, found: &[RecordedEvent], expected: &[RecordedEvent]) -> Verdict {
    agree(&format!("the number of events in {what}"), &found.len(), &expected.len())?;
    for (found, expected) in found.iter().zip(expected) {
        agree(what, found, expected)?;
    }
    Ok(())
}

fn agree<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn said(error: StoreError) -> String {
    format!("the store failed: {error:?}")
}
