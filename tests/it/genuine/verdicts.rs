//! What verification says of every stored snapshot, store by store: what the table of reducers says.

use std::{path::Path, sync::Arc};

use timeglass::{
    model::{Change, StoredSnapshot},
    project::{
        open::{Opening, open},
        sections::SnapshotEntry,
    },
    replay::OnFailure,
    snapshot::{Check, Mapping, SnapshotKey, Standard, Standards, Verdict, Verification, Waiting},
    store::{EventStore, index::Index, read::Onward},
    work::Work,
};

use super::{
    replayed::reducer,
    table::{Exception, ROWS, Row, Stored},
};
use crate::support::fixture;

/// How the stored states of a row lie beside the replayed ones, as a project file would say it.
pub(super) fn mapping(row: &Row) -> Mapping {
    let (root, ignore) = match row.stored {
        Stored::Member(name) => (Some(name.into()), Vec::new()),
        Stored::Beside(names) => (None, names.iter().map(|name| (*name).into()).collect()),
        Stored::Whole | Stored::ByHash | Stored::Pickled | Stored::Wrong => (None, Vec::new()),
    };
    Mapping::of(&SnapshotEntry { root, ignore, ..SnapshotEntry::default() })
}

pub(super) fn standards(row: &Row) -> Standards {
    let standard = |file: &str| Standard {
        reducer: reducer(&Path::new("tests/fixtures/reducers").join(file)),
        on_failure: OnFailure::GoOn,
        mapping: mapping(row),
    };
    row.reducers
        .iter()
        .map(|(category, file)| (category.unwrap_or_default().into(), standard(file)))
        .collect()
}

/// A store and its index.
pub(super) type Indexed = (Arc<dyn EventStore>, Arc<Index>);

pub(super) fn indexed(path: &Path) -> Indexed {
    let work = Work::default();
    let Ok(Opening::Store(opened)) = open(path, None, &work) else { panic!("{} is opened", path.display()) };
    let store: Arc<dyn EventStore> = opened.store;
    let index = Arc::new(Index::build(&*store, &work).unwrap());
    (store, index)
}

/// Every verdict, in the order of the snapshots; compared in portions of this size.
pub(super) fn verify(
    row: &Row,
    (store, index): &Indexed,
    portion: usize,
) -> (Arc<[StoredSnapshot]>, Vec<Check>) {
    let work = Work::default();
    let mut all = Vec::new();
    let owners = index.snapshot_owners();
    let survey = store.visit_snapshots(&work, None, &mut |visited| {
        all.push((visited.decoded(), Waiting::of(visited, 0, index, &owners)));
        Onward::On
    });
    survey.unwrap();
    all.sort_by(|(one, _), (other, _)| (&one.stream, one.version).cmp(&(&other.stream, other.version)));
    let (mut waiting, mut found) = (Vec::new(), Vec::new());
    let mut snapshots = Vec::new();
    for (number, (snapshot, looked)) in all.into_iter().enumerate() {
        snapshots.push(snapshot);
        match looked {
            Ok(one) => waiting.push(Waiting { number, ..one }),
            Err(check) => found.push((number, check)),
        }
    }
    let (store, index) = (Arc::clone(store), Arc::clone(index));
    let mut verification = Verification::plan(store, index, waiting, Arc::new(standards(row)));
    while verification.remaining() > 0 {
        let before = verification.remaining();
        let more = verification.portion(portion, usize::MAX, &work).unwrap();
        assert_eq!(before - verification.remaining(), more.len());
        assert!((1..=portion).contains(&more.len()));
        for one in more {
            assert_eq!(one.key, Some(SnapshotKey::of(&snapshots[one.number])));
            found.push((one.number, one.check));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    assert!(found.iter().map(|(place, _)| *place).eq(0..snapshots.len()), "each is told of once");
    (snapshots.into(), found.into_iter().map(|(_, check)| check).collect())
}

/// What is to be said of a snapshot: the verdict, and where it differs if that is known.
fn expected(row: &Row, snapshot: &StoredSnapshot) -> (Verdict, Option<&'static str>) {
    let name = snapshot.stream.as_ref().map(|stream| stream.full()).unwrap_or_default();
    let at = snapshot.version.map(|version| version.0);
    let is_it = |stream: &str, version: i64| at == Some(version) && name.ends_with(stream);
    for exception in row.exceptions {
        match exception {
            Exception::Differs(stream, version, path) if is_it(stream, *version) => {
                return (Verdict::Differs, Some(path));
            }
            Exception::NoEvents(stream, version) if is_it(stream, *version) => {
                return (Verdict::Orphan, None);
            }
            Exception::Beyond(stream, version) if is_it(stream, *version) => return (Verdict::Ahead, None),
            Exception::Differs(..) | Exception::NoEvents(..) | Exception::Beyond(..) => (),
        }
    }
    match row.stored {
        Stored::Whole | Stored::Member(_) | Stored::Beside(_) => (Verdict::Agrees, None),
        Stored::ByHash => (Verdict::NotChecked, None),
        Stored::Pickled => (Verdict::Unreadable, None),
        Stored::Wrong => (Verdict::Differs, None),
    }
}

#[test]
fn every_snapshot_of_every_store_gets_the_verdict_that_is_known_of_it() {
    let (mut agreeing, mut disagreeing) = (0, 0);
    for row in &ROWS {
        let unpacked = fixture(row.store);
        let (snapshots, checks) = verify(row, &indexed(&unpacked.path), 7);
        for (snapshot, check) in snapshots.iter().zip(&checks) {
            let label = format!("{}: {:?} {:?}", row.store, snapshot.stream, snapshot.version);
            let (verdict, path) = expected(row, snapshot);
            assert_eq!(check.verdict, verdict, "{label}: {:?} {:?}", check.reason, check.changes);
            if let Some(path) = path {
                let paths: Vec<String> =
                    check.changes.iter().map(|change: &Change| change.path.to_string()).collect();
                assert_eq!(paths, [path], "{label}");
            }
            assert_eq!(check.changes.is_empty(), verdict != Verdict::Differs, "{label}");
            if !matches!(verdict, Verdict::Agrees | Verdict::Differs) {
                assert!(check.reason.is_some(), "{label} has no reason");
            }
            agreeing += usize::from(verdict == Verdict::Agrees);
            disagreeing += usize::from(verdict.is_disagreement());
        }
        let planted = checks.iter().filter(|check| check.verdict.is_disagreement()).count();
        let known = if row.stored == Stored::Wrong { snapshots.len() } else { row.exceptions.len() };
        assert_eq!(planted, known, "{}", row.store);
    }
    assert!(agreeing > 1000, "{agreeing}");
    assert_eq!(disagreeing, 9 + 3 + 2 + 2 + 1);
}

/// However many are compared at once, the verdicts are the same.
#[test]
fn portions_change_no_verdict() {
    for store in ["seed-000-defects", "evtstore", "sqlite-es"] {
        let row = ROWS.iter().find(|row| row.store == store).unwrap();
        let unpacked = fixture(store);
        let opened = indexed(&unpacked.path);
        let (_, whole) = verify(row, &opened, usize::MAX);
        for portion in [1, 10] {
            assert_eq!(verify(row, &opened, portion).1, whole, "{store} in portions of {portion}");
        }
    }
}
