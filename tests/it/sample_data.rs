//! Sample stores: the same bytes every time, states that the events give, damage where it is said.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed; the lints' exception covers only test functions"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, types::Value};
use timeglass::{
    jobs::ThreadLanes,
    sample::{self, Damage, DamageKind, SampleError, SampleOptions, SampleReport, Shape},
    work::Work,
};

/// The stores in `sample-data/`, as its README says they are made.
fn committed() -> [(&'static str, SampleOptions); 3] {
    let shop = SampleOptions { seed: 7, events: 1400, ..SampleOptions::of(Shape::Shop) };
    let bank = SampleOptions { seed: 7, events: 400, ..SampleOptions::of(Shape::Bank) };
    let damage = [
        DamageKind::VersionGap,
        DamageKind::TimeBackwards,
        DamageKind::InvalidJson,
        DamageKind::UnknownType,
        DamageKind::DanglingCausation,
        DamageKind::SnapshotMismatch,
        DamageKind::SnapshotOrphan,
        DamageKind::ReadModelMismatch,
        DamageKind::ReadModelMissingRow,
        DamageKind::CheckpointAhead,
    ];
    let damaged =
        SampleOptions { seed: 11, events: 500, damage: damage.to_vec(), ..SampleOptions::of(Shape::Shop) };
    [("shop.sqlite", shop), ("bank.sqlite", bank), ("damaged.sqlite", damaged)]
}

/// A sample in a folder of its own.
struct Made {
    _folder: tempfile::TempDir,
    path: PathBuf,
    report: SampleReport,
}

fn make(options: &SampleOptions) -> Made {
    make_on(options, &Work::default())
}

fn make_on(options: &SampleOptions, work: &Work) -> Made {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("sample.sqlite");
    let report = sample::write(&path, options, work).expect("a sample");
    Made { _folder: folder, path, report }
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

#[test]
fn committed_samples_are_what_their_options_make() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let update = std::env::var_os("UPDATE_SAMPLES").is_some();
    for (name, options) in committed() {
        let made = make(&options);
        let stored = folder.join(name);
        if update {
            fs::copy(&made.path, &stored).expect("a place for the sample");
        }
        let same = fs::read(&stored).expect("a committed sample") == fs::read(&made.path).expect("a sample");
        assert!(same, "{name} differs from what its options make; UPDATE_SAMPLES=1 writes it anew");
        assert!(
            made.report.bytes < 1_200_000,
            "{name} is for a small clone, not {} bytes",
            made.report.bytes
        );
    }
}

#[test]
fn the_readme_gives_the_commands() {
    let text = include_str!("../../sample-data/README.md");
    for (name, options) in committed() {
        let SampleOptions { seed, events, .. } = options;
        let shape = options.shape.key();
        let mut line =
            format!("timeglass sample sample-data/{name} --seed {seed} --events {events} --shape {shape}");
        for kind in &options.damage {
            line.extend([" --damage ", kind.key()]);
        }
        let flat = text.replace(" \\\n    ", " ");
        assert!(flat.contains(&line), "{line}");
    }
}

#[test]
fn a_seed_decides_everything() {
    for shape in Shape::ALL {
        let options = SampleOptions { events: 700, ..SampleOptions::of(shape) };
        let (first, again) = (make(&options), make_on(&options, &Work::with_lanes(Arc::new(ThreadLanes))));
        assert_eq!(fs::read(&first.path).unwrap(), fs::read(&again.path).unwrap(), "{shape:?}");
        assert_eq!(first.report, again.report);
        let other = make(&SampleOptions { seed: 2, ..options });
        assert_ne!(fs::read(&first.path).unwrap(), fs::read(&other.path).unwrap(), "{shape:?}");
    }
}

#[test]
fn every_shape_has_its_events_in_order() {
    for shape in Shape::ALL {
        let made = make(&SampleOptions { events: 3000, ..SampleOptions::of(shape) });
        assert_eq!(made.report.events, 3000, "{shape:?}");
        let store = open(&made.path);
        let one = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(one("SELECT count(*) FROM events"), 3000);
        assert_eq!(one("SELECT count(DISTINCT stream) FROM events"), made.report.streams as i64);
        assert_eq!(one("SELECT count(*) FROM snapshots"), made.report.snapshots as i64);
        assert!(made.report.snapshots > 0, "{shape:?}");
        assert_eq!(
            one(
                "SELECT count(*) FROM (SELECT recorded_at <= lag(recorded_at, 1, '') OVER (ORDER BY position)
                 AS is_late FROM events) WHERE is_late"
            ),
            0
        );
        assert_eq!(
            one("SELECT count(*) FROM (SELECT 1 FROM events GROUP BY stream
                 HAVING min(version) <> 1 OR max(version) <> count(*))"),
            0
        );
        assert_eq!(one("SELECT count(*) - count(DISTINCT event_id) FROM events"), 0);
        assert_eq!(
            one("SELECT count(*) FROM events WHERE metadata ->> 'causation_id' NOT IN
                 (SELECT event_id FROM events)"),
            0
        );
        assert_eq!(
            store.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(),
            "ok"
        );
    }
}

#[test]
fn the_mixed_shape_is_what_the_large_benchmarks_want() {
    let made = make(&SampleOptions { events: 20_000, ..SampleOptions::of(Shape::Mixed) });
    let store = open(&made.path);
    let one = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(one("SELECT count(*) FROM events WHERE stream LIKE 'ledger-%'"), 2000);
    assert_eq!(one("SELECT count(*) FROM events WHERE type = 'AccountAudited'"), 10);
    assert_eq!(one("SELECT count(*) FROM pragma_index_list('events')"), 3);
    assert!((350..450).contains(&made.report.streams), "{:?}", made.report);
}

/// RFC 7396.
fn merge(target: &mut serde_json::Value, patch: &serde_json::Value) {
    let serde_json::Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = serde_json::json!({});
    }
    let members = target.as_object_mut().expect("an object");
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(serde_json::Value::Null), value);
        }
    }
}

#[test]
fn snapshots_are_the_merge_of_their_events() {
    for shape in Shape::ALL {
        // A state of the wide shape has 37 kB.
        let events = if shape == Shape::Wide { 300 } else { 4000 };
        let options = SampleOptions { events, snapshot_every: 1, ..SampleOptions::of(shape) };
        let made = make(&options);
        let store = open(&made.path);
        let mut statement = store
            .prepare(
                "SELECT events.stream, events.version, data, state FROM events
                 LEFT JOIN snapshots USING (stream, version) ORDER BY events.stream, events.version",
            )
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut states: BTreeMap<String, serde_json::Value> = BTreeMap::new();
        while let Some(row) = rows.next().unwrap() {
            let (stream, version): (String, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
            let read = |at| serde_json::from_str(&row.get::<_, String>(at).unwrap()).unwrap();
            let state = states.entry(stream.clone()).or_default();
            merge(state, &read(2));
            let stored: serde_json::Value = read(3);
            assert_eq!(*state, stored, "{shape:?} {stream} version {version}");
        }
    }
}

#[test]
fn the_read_model_is_what_the_orders_say() {
    let made = make(&committed()[0].1);
    let store = open(&made.path);
    let mut statement = store
        .prepare("SELECT stream, data FROM events WHERE stream LIKE 'order-%' ORDER BY position")
        .unwrap();
    let mut states: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (stream, data) in rows.map(Result::unwrap) {
        merge(states.entry(stream).or_default(), &serde_json::from_str(&data).unwrap());
    }
    assert_eq!(states.len() as u64, made.report.read_model_rows);
    for (order, state) in states {
        let (status, total): (String, i64) = store
            .query_row(
                "SELECT status, total_cents FROM order_summaries WHERE order_id = ?1",
                [&order],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!((state["status"].as_str(), state["total_cents"].as_i64()), (Some(&*status), Some(total)));
    }
}

#[test]
fn the_shop_has_stories_worth_showing() {
    let store = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/shop.sqlite"));
    let types = |stream: &str| -> Vec<String> {
        let mut statement =
            store.prepare("SELECT type FROM events WHERE stream = ?1 ORDER BY version").unwrap();
        statement.query_map([stream], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(
        types("order-4702"),
        ["OrderPlaced", "OrderPaid", "OrderPacked", "OrderShipped", "OrderDelivered"]
    );
    assert!(types("order-4711").ends_with(&["ReturnReceived".to_owned(), "OrderRefunded".to_owned()]));
    // Cancelled, and delivered all the same: what the tour finds.
    assert_eq!(
        types("order-4744").get(3..),
        Some(&["OrderCancelled", "OrderShipped", "OrderDelivered"].map(str::to_owned)[..])
    );
    assert!(types("customer-1001").iter().filter(|name| *name == "CustomerMoved").count() >= 2);
}

#[test]
fn a_file_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.sqlite");
    fs::write(&path, "mine").unwrap();
    let outcome = sample::write(&path, &SampleOptions::default(), &Work::default());
    let message = outcome.as_ref().unwrap_err().to_string();
    assert!(matches!(outcome, Err(SampleError::Exists { .. })), "{message}");
    assert!(message.contains("mine.sqlite exists already"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn nothing_is_left_of_a_sample_that_was_not_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.sqlite");
    let work = Work::default();
    work.cancel();
    let outcome = sample::write(&path, &SampleOptions::default(), &work);
    assert!(matches!(outcome, Err(SampleError::Cancelled(_))));
    let damage = vec![DamageKind::ReadModelMismatch];
    let options = SampleOptions { damage, ..SampleOptions::of(Shape::Bank) };
    let outcome = sample::write(&path, &options, &Work::default());
    let message = outcome.unwrap_err().to_string();
    assert_eq!(message, "nothing to damage by read-model-mismatch: this shape has no read model");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// All rows of all tables, each as its table and its values.
fn rows(path: &Path) -> BTreeSet<String> {
    let store = open(path);
    let mut all = BTreeSet::new();
    for table in ["events", "snapshots", "order_summaries", "projection_checkpoints"] {
        let mut statement = store.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns)
                .map(|at| match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    value => format!("{:?}", Value::try_from(value).unwrap()),
                })
                .collect();
            all.insert(format!("{table}|{}", values.join("|")));
        }
    }
    all
}

/// Checks that a damage changed one row of its table, the one it names, and nothing else.
fn check_rows(damage: &Damage, whole: &Path, damaged: &Path) {
    let (whole, damaged) = (rows(whole), rows(damaged));
    let lost: Vec<_> = whole.difference(&damaged).collect();
    let new: Vec<_> = damaged.difference(&whole).collect();
    let expected = match damage.kind {
        DamageKind::SnapshotOrphan => (0, 1),
        DamageKind::ReadModelMissingRow => (1, 0),
        _ => (1, 1),
    };
    assert_eq!((lost.len(), new.len()), expected, "{damage:?}: {lost:?} {new:?}");
    let names_it = |row: &&String| {
        let key = damage.key.split('@').next().unwrap_or_default();
        let key = if damage.table == "events" { format!("Integer({key})") } else { key.to_owned() };
        row.starts_with(&format!("{}|{key}|", damage.table))
    };
    assert!(lost.iter().chain(&new).any(names_it), "{damage:?}: {lost:?} {new:?}");
}

#[test]
fn each_damage_changes_what_it_says_and_nothing_else() {
    let options = SampleOptions { seed: 3, events: 1500, ..SampleOptions::of(Shape::Shop) };
    let whole = make(&options);
    for kind in DamageKind::ALL {
        let damaged = make(&SampleOptions { damage: vec![kind], ..options.clone() });
        let [damage] = &damaged.report.damage[..] else { panic!("one damage, not {:?}", damaged.report) };
        assert_eq!(damage.kind, kind);
        match kind {
            DamageKind::CorruptPage => {
                let (whole, damaged) = (fs::read(&whole.path).unwrap(), fs::read(&damaged.path).unwrap());
                let page: usize = damage.key.parse().unwrap();
                let range = (page - 1) * 4096..page * 4096;
                assert!(damaged[range.clone()].iter().all(|byte| *byte == 0xa5));
                let mut mended = damaged;
                mended[range.clone()].copy_from_slice(&whole[range]);
                // The header counts transactions, of which putting in damage is one.
                assert_eq!(mended[100..], whole[100..]);
            }
            DamageKind::TruncatedFile => {
                let (whole, damaged) = (fs::read(&whole.path).unwrap(), fs::read(&damaged.path).unwrap());
                assert!(damaged.len() < whole.len() && !damaged.len().is_multiple_of(4096));
                assert_eq!(damage.key, damaged.len().to_string());
                assert_eq!(damaged[100..], whole[100..damaged.len()]);
            }
            _ => check_rows(damage, &whole.path, &damaged.path),
        }
    }
}

#[test]
fn damages_of_all_kinds_go_together_and_stay_apart() {
    let options =
        SampleOptions { events: 3000, damage: DamageKind::ALL.to_vec(), ..SampleOptions::default() };
    let made = make(&options);
    let kinds: Vec<_> = made.report.damage.iter().map(|damage| damage.kind).collect();
    assert_eq!(kinds, DamageKind::ALL);
    let streams: Vec<_> = made.report.damage.iter().filter_map(|damage| damage.stream.clone()).collect();
    assert_eq!(streams.iter().collect::<BTreeSet<_>>().len(), streams.len(), "{streams:?}");
}

#[test]
fn names_on_the_command_line_read_back() {
    for shape in Shape::ALL {
        assert_eq!(Shape::from_key(shape.key()), Some(shape));
    }
    for kind in DamageKind::ALL {
        assert_eq!(DamageKind::from_key(kind.key()), Some(kind));
    }
    assert_eq!(DamageKind::from_key("nonsense"), None);
}
