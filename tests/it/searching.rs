//! Searching payloads, on the command line and over many ranges at once.

use std::{path::Path, sync::Arc};

use timeglass::{
    jobs::ThreadLanes,
    model::{EventQuery, Json, Pointer},
    store::{
        EventStore, PageFrom,
        search::{Newest, Sieve, Sought, search_ranges},
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

use crate::cli::check;

const SHOP: &str = "sample-data/shop.sqlite";

fn shop() -> Arc<dyn EventStore> {
    let opened = SqliteStore::open(Path::new(SHOP), None, &Work::default()).unwrap();
    let Opened::Found { store, .. } = opened else { panic!("no events") };
    Arc::new(*store)
}

/// What searching `parts` ranges finds is what reading every payload finds, in the order that is asked for.
fn check_search(sought: &Sought, parts: usize, (newest, limit): (Newest, usize)) {
    let store = shop();
    let sieve = Sieve::new(sought).unwrap();
    let all = store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, usize::MAX).unwrap();
    let holds = |json: &Result<Json, Arc<str>>| {
        json.as_ref().is_ok_and(|json| match sought {
            Sought::Text { text, .. } => json.to_compact().to_lowercase().contains(&**text),
            Sought::Value { path, value } => path.resolve(json) == Some(value),
        })
    };
    let events = all.iter().filter(|event| holds(&event.data.decoded) || holds(&event.metadata.decoded));
    let mut plain: Vec<_> = events.map(|event| event.key.clone()).collect();
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    let mut ranges = store.ranges(&work, None, parts).unwrap();
    if newest == Newest::First {
        plain.reverse();
        ranges.reverse();
    }
    let query = Arc::new(EventQuery::default());
    let (hits, troubles) = search_ranges(&*store, &work, (&sieve, &query), &ranges, (newest, limit)).unwrap();
    let found: Vec<_> = hits.into_iter().map(|hit| hit.key).take(limit).collect();
    plain.truncate(limit);
    assert_eq!(found, plain, "{sought:?} in {parts} ranges, {newest:?}, {limit}");
    assert_eq!(troubles, Vec::<String>::new());
    assert!(!plain.is_empty(), "{sought:?} is nowhere");
}

#[test]
fn ranges_side_by_side_find_what_reading_finds() {
    let text = |text: &str| Sought::Text { text: text.into(), is_exact_case: false };
    let paid = Sought::Value { path: Pointer::parse("/status").unwrap(), value: Json::from("paid") };
    for sought in [text("paid"), text("gewürzspekulatius"), text("\"email\""), paid] {
        for parts in [1, 2, 7] {
            for newest in [Newest::First, Newest::Last] {
                check_search(&sought, parts, (newest, usize::MAX));
                check_search(&sought, parts, (newest, 3));
            }
        }
    }
}

#[test]
fn a_withdrawn_search_ends() {
    let work = Work::default();
    work.cancel();
    let sieve = Sieve::new(&Sought::Text { text: "a".into(), is_exact_case: true }).unwrap();
    let query = Arc::new(EventQuery::default());
    let store = shop();
    let ranges = store.ranges(&Work::default(), None, 3).unwrap();
    let wanted = (Newest::Last, usize::MAX);
    search_ranges(&*store, &work, (&sieve, &query), &ranges, wanted).expect_err("it was withdrawn");
}

#[test]
fn the_command_writes_hits_in_every_format() {
    check(
        "search",
        &[
            &["search", SHOP, "GEWÜRZ", "--limit", "3"],
            &["search", SHOP, "paid", "--path", "status", "--limit", "2", "--ndjson"],
            &["search", SHOP, "paid", "--path", "status", "--limit", "2", "--csv", "--newest"],
            &["search", SHOP, "GEWÜRZ", "--exact-case"],
            &["search", SHOP, "order", "--type", "NoSuch"],
            &["search", SHOP, "x", "--path", ""],
            &["search", SHOP, ""],
            &["search", "--help"],
        ],
    );
}
