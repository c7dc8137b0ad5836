//! The files of the cache: damaged ones, too many of them, several writers.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use timeglass::{
    jobs::ThreadLanes,
    model::Timestamp,
    store::cache::{Cache, Found, Saved},
    work::{Piece, Work},
};

use super::{Stage, facts, open, word};

#[test]
fn every_damaged_file_is_thrown_away() {
    let stage = Stage::new(12);
    stage.keep();
    let (file, truth) = (stage.file(), stage.truth());
    let whole = fs::read(&file).unwrap();
    let store = stage.store();
    let check = |bytes: &[u8], how: &str| {
        fs::write(&file, bytes).unwrap();
        match stage.cache().find(&store, &Work::default()).unwrap() {
            Found::Proven { index, .. } | Found::Likely { index, .. } => {
                assert_eq!(facts(&index), truth, "{how}");
            }
            found @ Found::Nothing(_) => {
                assert_eq!(word(&found), "damaged", "{how}");
                assert!(!file.exists(), "{how}: it is thrown away");
            }
        }
    };
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        check(&damaged, &format!("byte {at}"));
        check(&whole[..at], &format!("cut off at {at}"));
    }
    check(&[whole.as_slice(), b"more"].concat(), "longer");
    fs::write(&file, &whole).unwrap();
    assert_eq!(word(&stage.find()), "proven", "whole again");
}

#[test]
fn a_file_of_another_version_is_of_no_use() {
    let stage = Stage::new(12);
    stage.keep();
    // Under the name of another store, whose file is not known by its name alone.
    let other = Stage::new(12);
    other.keep();
    fs::copy(stage.file(), other.file()).unwrap();
    assert_eq!(word(&other.find()), "nothing: it is of another store");
}

fn first_day() -> Timestamp {
    Timestamp::parse("2100-01-01T00:00:00Z").unwrap()
}

fn second_day() -> Timestamp {
    Timestamp::parse("2100-01-02T00:00:00Z").unwrap()
}

fn third_day() -> Timestamp {
    Timestamp::parse("2100-01-03T00:00:00Z").unwrap()
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let stages: Vec<Stage> = (0..3).map(|_| Stage::new(200)).collect();
    let folder = stages[0].cache_folder();
    let cache = |bound, clock| Cache::new(folder.clone(), bound).with_least_events(0).with_clock(clock);
    let make = |stage: &Stage, bound, clock: fn() -> Timestamp| {
        cache(bound, clock).make(&stage.store(), &Work::default()).unwrap().1
    };
    let Saved::Written(bytes) = make(&stages[0], Cache::BOUND, first_day) else { panic!("not kept") };
    make(&stages[1], Cache::BOUND, second_day);
    // Its use, not its age counts.
    let found = cache(Cache::BOUND, third_day).find(&stages[0].store(), &Work::default()).unwrap();
    assert_eq!(word(&found), "proven");
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    assert_eq!(
        cache(0, first_day).size().unwrap(),
        (2, cache(0, first_day).kept().unwrap().iter().map(|kept| kept.bytes).sum())
    );
    let two = bytes * 5 / 2;
    make(&stages[2], two, third_day);
    let stores = || {
        let kept = cache(two, third_day).kept().unwrap();
        kept.iter().filter_map(|kept| kept.store.clone()).collect::<Vec<_>>()
    };
    let canonical = |stage: &Stage| fs::canonicalize(&stage.path).unwrap();
    let mut expected = vec![canonical(&stages[0]), canonical(&stages[2])];
    expected.sort();
    let mut left = stores();
    left.sort();
    assert_eq!(left, expected, "the second was used longest ago");
    assert_eq!(make(&stages[1], bytes / 2, third_day), Saved::TooLarge);
    assert_eq!(stores().len(), 2, "nothing is thrown away for what does not fit");
    cache(two, third_day).set_bound(0).unwrap();
    assert!(stores().is_empty());
    assert!(folder.join("notes.txt").exists(), "what is not ours stays");
}

#[test]
fn what_was_set_holds_for_all_who_use_the_folder() {
    let stage = Stage::new(30);
    stage.keep();
    stage.cache().set_bound(0).unwrap();
    assert_eq!(stage.cache().size().unwrap(), (0, 0));
    let (index, _) = stage.cache().proven(&stage.store(), &Work::default()).unwrap();
    assert_eq!(facts(&index), stage.truth());
    assert_eq!(word(&stage.find()), "nothing: NotKept");
    assert_eq!(stage.cache().size().unwrap(), (0, 0), "nothing is kept");
    stage.cache().set_bound(1 << 20).unwrap();
    assert_eq!(stage.cache().bound(), 1 << 20);
    stage.keep();
    assert_eq!(word(&stage.find()), "proven");
}

#[test]
fn clearing_takes_what_is_ours_and_nothing_else() {
    let stage = Stage::new(30);
    stage.keep();
    let draft = stage.cache_folder().join("timeglass-abc.part");
    fs::write(&draft, "half a file").unwrap();
    let other = stage.cache_folder().join("0123.tgx.bak");
    fs::write(&other, "somebody's").unwrap();
    let cleared = stage.cache().clear().unwrap();
    assert_eq!(cleared.files, 2);
    assert!(!draft.exists() && other.exists());
    assert_eq!(word(&stage.find()), "nothing: NotKept");
    assert_eq!(stage.cache().size().unwrap(), (0, 0));
}

#[test]
fn drafts_that_nobody_finishes_go_when_something_is_kept() {
    let stage = Stage::new(30);
    fs::create_dir(stage.cache_folder()).unwrap();
    let draft = stage.cache_folder().join("timeglass-abc.part");
    fs::write(&draft, "half a file").unwrap();
    stage.keep();
    assert!(!draft.exists(), "the test's clock is far ahead");
}

#[test]
fn a_folder_that_cannot_be_written_to_costs_nothing_but_the_cache() {
    let stage = Stage::new(30);
    fs::write(stage.cache_folder(), "a file where the folder should be").unwrap();
    let (index, saved) = stage.cache().make(&stage.store(), &Work::default()).unwrap();
    assert!(matches!(saved, Saved::Refused(_)), "{saved:?}");
    assert_eq!(facts(&index), stage.truth());
    let (index, _) = stage.cache().proven(&stage.store(), &Work::default()).unwrap();
    assert_eq!(facts(&index), stage.truth());
}

/// Whoever reads while others write gets a whole file or none.
#[test]
fn several_writers_do_not_get_in_each_others_way() {
    let stage = Stage::new(400);
    stage.keep();
    let truth = stage.truth();
    let proven = AtomicUsize::new(0);
    let (write, read) = (
        || stage.keep(),
        || {
            for _ in 0..20 {
                let Found::Proven { index, .. } =
                    stage.cache().find(&open(&stage.path), &Work::default()).unwrap()
                else {
                    panic!("neither this nor that file")
                };
                assert_eq!(facts(&index), truth);
                proven.fetch_add(1, Ordering::Relaxed);
            }
        },
    );
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for _ in 0..4 {
        pieces.push(Box::new(|| (0..10).for_each(|_| write())));
        pieces.push(Box::new(read));
    }
    Work::with_lanes(std::sync::Arc::new(ThreadLanes)).run(pieces);
    assert_eq!(proven.load(Ordering::Relaxed), 80);
    assert!(stage.file().exists(), "one file, and no draft");
}
