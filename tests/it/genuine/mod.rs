//! Reducers of ours against states of others.
//!
//! A library knows what its aggregates were. Here, reducers written for its events make the same
//! states from the same file, through our store and our engine: after the last event of every
//! sample stream, and at every version of which the store keeps a state. `table.rs` says which
//! reducer is for which store, how the stored states keep the domain's, and what does not agree
//! and why.

mod created;
mod drift;
mod replayed;
mod sample;
mod snapshots;
mod table;
mod verdicts;

use std::{path::Path, sync::Arc};

use timeglass::model::{Change, Json, Timestamp, diff};

use crate::support::{all_fixtures, expectations, fixture};
use replayed::{Named, Replayed, Timeline, loaded, reducer, replay};
use snapshots::samples;
use table::{Category, Maker, ROWS, Row, Stored};

#[test]
fn every_one_of_the_42_stores_has_its_reducers() {
    let mut stores: Vec<&str> = ROWS.iter().map(|row| row.store).collect();
    stores.sort_unstable();
    let has_states = |name: &String| {
        let expected = expectations(name);
        samples(&expected).iter().any(|sample| sample.get("final_state").is_some())
    };
    let told: Vec<String> = all_fixtures().into_iter().filter(has_states).collect();
    assert_eq!(stores, told);
    assert_eq!(stores.len(), 42);
}

#[test]
fn the_states_that_14_libraries_reported_are_reproduced() {
    assert_eq!(check_all(Maker::Library), 14);
}

#[test]
fn so_are_those_of_19_tables_filled_by_hand() {
    assert_eq!(check_all(Maker::Tables), 19);
}

#[test]
fn so_are_those_of_9_seed_stores_defects_and_all() {
    assert_eq!(check_all(Maker::Seed), 9);
}

/// The library goes on from the states that it stored wrongly; so do we, and arrive where it does.
#[test]
fn a_library_that_starts_from_its_wrong_snapshots_is_reproduced_as_well() {
    let row = ROWS.iter().find(|row| row.stored == Stored::Wrong).unwrap();
    let (expected, unpacked) = (expectations(row.store), fixture(row.store));
    let replayed = replay_row(row, &unpacked.path);
    let mut compared = 0;
    for snapshot in crate::support::snapshots(&*replayed.store, None).unwrap() {
        let (stream, version) = (snapshot.stream.unwrap(), snapshot.version.unwrap().0);
        let is_it = |sample: &&Json| stream.answers_to(&(row.stream_of)(sample));
        let Some(sample) = samples(&expected).iter().find(is_it) else { continue };
        let history = replayed.history(&stream.full());
        // Versions of this library start at 1, so a version is a count.
        let end = history.resumed(snapshot.state.json().unwrap(), usize::try_from(version).unwrap());
        same(&end, sample.get("library_state_through_snapshot").unwrap()).unwrap();
        same(&end, sample.get("final_state").unwrap()).expect_err("the library's bug shows");
        compared += 1;
    }
    assert_eq!(compared, 2);
}

/// Also where the store holds a library's wrapping around the data.
#[test]
fn the_raw_text_of_an_event_says_what_its_data_says() {
    let source = "({
        $init: () => ({ events: 0, parted: [] }),
        $any(s, e) {
            s.events += 1;
            if (JSON.stringify(JSON.parse(e.bodyRaw)) !== JSON.stringify(e.data)) s.parted.push(e.eventType);
        },
    })";
    for row in ROWS.iter().filter(|row| row.opaque.is_empty() && row.maker == Maker::Library) {
        let (unpacked, reducer) = (fixture(row.store), loaded("raw-text.js", source));
        for timeline in replay(&unpacked.path, &|_| Some(("raw-text.js", Arc::clone(&reducer)))).streams() {
            let events = Json::from(timeline.states.len() - 1);
            let same = Json::object([("events", events), ("parted", Json::array([]))]);
            assert_eq!(*timeline.last(), same, "{}: {}", row.store, timeline.name);
        }
    }
}

/// What the engine keeps outside the state is nothing: going on from any state is going on.
#[test]
fn a_fold_goes_on_from_any_of_its_states() {
    for store in ["emmett-sqlite", "eventsourcing", "ddl-marten", "seed-001", "seed-002", "seed-004"] {
        let row = ROWS.iter().find(|row| row.store == store).unwrap();
        let unpacked = fixture(store);
        let replayed = replay_row(row, &unpacked.path);
        for timeline in replayed.streams() {
            let count = timeline.states.len() / 2;
            let end = replayed.history(&timeline.name).resumed(&timeline.states[count], count);
            same(&end, timeline.last())
                .unwrap_or_else(|trouble| panic!("{store}: {}: {trouble}", timeline.name));
        }
    }
}

/// How many stores were compared, if all is as it should be.
fn check_all(maker: Maker) -> usize {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.maker == maker).collect();
    let wrong: Vec<String> = rows.iter().flat_map(|row| check(row)).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    rows.len()
}

/// What is wrong with a store's states: where, and the first place that differs.
fn check(row: &Row) -> Vec<String> {
    let expected = expectations(row.store);
    let unpacked = fixture(row.store);
    let replayed = replay_row(row, &unpacked.path);
    let mut wrong = Vec::new();
    let left_out: Vec<&str> = replayed.left_out.iter().map(String::as_str).collect();
    if left_out != row.left_out {
        wrong.push(format!("{}: without a reducer are {left_out:?}", row.store));
    }
    for sample in samples(&expected) {
        let name = (row.stream_of)(sample);
        let verdict = match replayed.stream(&name) {
            None => Err("there is no such stream".to_owned()),
            Some(timeline) if row.opaque.is_empty() => check_sample(timeline, sample),
            Some(timeline) => check_opaque(timeline, sample, row.opaque),
        };
        wrong.extend(verdict.err().map(|trouble| format!("{}: {name}: {trouble}", row.store)));
    }
    if row.opaque.is_empty() {
        wrong.extend(troubles(row, &replayed));
    }
    wrong.extend(snapshots::check(row, &replayed, &expected));
    wrong.extend(check_moment(row, &replayed, &expected));
    wrong
}

fn replay_row(row: &Row, path: &Path) -> Replayed {
    let load = |(category, file): &(Category, &'static str)| {
        let path = Path::new("tests/fixtures/reducers").join(file);
        (*category, (*file, reducer(&path)))
    };
    let reducers: Vec<(Category, Named)> = row.reducers.iter().map(load).collect();
    replay(path, &|category| {
        let (_, found) = reducers.iter().find(|(name, _)| *name == category)?;
        Some(found.clone())
    })
}

/// A sample stream ends in the state that was reported, and was in the states that were kept.
fn check_sample(timeline: &Timeline, sample: &Json) -> Result<(), String> {
    let told = |name: &str| sample.get(name).cloned().unwrap_or_default();
    let events = timeline.states.len() - 1;
    if told("events") != Json::from(events) {
        return Err(format!("it has {events} events, not {}", told("events").to_compact()));
    }
    let label = || format!("after its {events} events ({})", timeline.file);
    same(timeline.last(), &told("final_state")).map_err(|trouble| format!("{}: {trouble}", label()))?;
    let versions = sample.get("snapshot_versions").and_then(Json::as_array).unwrap_or_default();
    let version = |version: &Json| version.as_scalar_text()?.parse::<i64>().ok();
    if let (state @ Json::Object(_), Some(version)) =
        (told("snapshot_state"), versions.iter().next_back().and_then(version))
    {
        let made = timeline.at_version(version).ok_or_else(|| format!("it has no version {version}"))?;
        same(made, &state).map_err(|trouble| format!("at version {version}: {trouble}"))?;
    }
    Ok(())
}

/// No event of the stream can be decoded, each for a reason told, so its state is out of reach.
fn check_opaque(timeline: &Timeline, sample: &Json, reasons: &[&str]) -> Result<(), String> {
    let events = timeline.states.len() - 1;
    let is_told = |reason: &String| reasons.iter().any(|told| reason.starts_with(told));
    if timeline.undecoded.len() != events || !timeline.undecoded.iter().all(is_told) {
        return Err(format!("its {events} events say {:?}", timeline.undecoded));
    }
    match same(timeline.last(), sample.get("final_state").unwrap_or(&Json::Null)) {
        Ok(_) => Err("its final state is reproduced after all".to_owned()),
        Err(_) => Ok(()),
    }
}

/// Every event is applied by a handler of its own, but for those that were planted to be trouble.
fn troubles(row: &Row, replayed: &Replayed) -> Vec<String> {
    let all = || replayed.streams().flat_map(|timeline| &timeline.troubled);
    let is_known = |label: &str| row.troubled.contains(&label);
    let unknown = all().filter(|(label, _)| !is_known(label));
    let missing = row.troubled.iter().filter(|known| !all().any(|(label, _)| label == *known));
    unknown
        .map(|(label, reason)| format!("{}: {label}: {reason}", row.store))
        .chain(missing.map(|label| format!("{}: {label} is applied after all", row.store)))
        .collect()
}

/// The balances at a moment, where the expectations hold some.
fn check_moment(row: &Row, replayed: &Replayed, expected: &Json) -> Vec<String> {
    let Some(moment) = expected.get("point_in_time") else { return Vec::new() };
    let time = moment.get("at").and_then(Json::as_text).and_then(Timestamp::parse).expect("a time");
    let balances = moment.get("balances").and_then(Json::as_object).expect("balances");
    assert!(!balances.is_empty());
    let verdict = |name: &str, balance: &Json| {
        let timeline = replayed.stream(name).ok_or("there is no such stream")?;
        let reached = timeline.times.iter().rposition(|known| known.is_some_and(|known| known <= time));
        let state = &timeline.states[reached.map_or(0, |place| place + 1)];
        same(state.get("balance").unwrap_or(&Json::Null), balance)
    };
    let wrong = balances.iter().filter_map(|(name, balance)| {
        let trouble = verdict(name, balance).err()?;
        Some(format!("{}: {name} at {}: {trouble}", row.store, time.to_rfc3339()))
    });
    wrong.collect()
}

/// Whether a state is the reported one; the first place where they differ if it is not.
fn same(made: &Json, reported: &Json) -> Result<bool, String> {
    let changes = diff(made, reported);
    let Some(Change { path, .. }) = changes.first() else { return Ok(true) };
    let [ours, theirs] = [made, reported]
        .map(|value| path.resolve(value).map_or_else(|| "nothing".to_owned(), |value| value.to_preview(60)));
    let others = if changes.len() > 1 { format!(", and {} more", changes.len() - 1) } else { String::new() };
    Err(format!("`{path}` differs: {ours} was made, {theirs} was reported{others}"))
}
