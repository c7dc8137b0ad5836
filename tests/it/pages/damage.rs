//! Damaged files: never a panic, never without end, and what SQLite would tell or nothing.

use std::{fs, path::Path, sync::Arc};

use timeglass::{
    sample::{self, SampleOptions, Shape},
    store::{
        EventStore as _, KeyRange,
        pages::{
            Columns, Damage, Field, IndexWalk, Missing, PageFile, PageRange, PageRow, RowPicker, TableWalk,
            Tree,
        },
        read::Onward,
    },
    work::Work,
};

use super::{both, told};

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

/// A small store of small pages, so that its trees are deep and some payloads spill.
fn store(path: &Path) -> Vec<u8> {
    let options = SampleOptions { events: 250, ..SampleOptions::of(Shape::Shop) };
    sample::write(path, &options, &Work::default()).expect("a sample store");
    let connection = rusqlite::Connection::open(path).expect("the store");
    connection
        .execute_batch(
            "PRAGMA page_size = 512; CREATE INDEX IF NOT EXISTS by_type ON events (type);
             CREATE INDEX IF NOT EXISTS by_stream ON events (stream, version); UPDATE events SET data = json_set(data, '$.note', printf('%900s', 'x'))
             WHERE position % 17 = 0; CREATE INDEX IF NOT EXISTS by_time ON events (recorded_at); VACUUM;",
        )
        .expect("smaller pages");
    connection.close().expect("a file at rest");
    fs::read(path).expect("its bytes")
}

/// Changes some bytes, mostly where pages describe themselves.
fn damaged(sound: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=dice.below(4) {
        let page = dice.below(bytes.len() / 512);
        let within = match dice.below(4) {
            0 => dice.below(12),
            1 => dice.below(60),
            _ => dice.below(512),
        };
        // The first page has the schema, about which SQLite alone has to say something.
        let at = (page * 512 + within).max(512);
        let change = match dice.below(3) {
            0 => bytes[at] ^ (1 << dice.below(8)),
            1 => dice.below(256) as u8,
            _ => [0, 0xff, 0x7f, 0x80][dice.below(4)],
        };
        bytes[at] = change;
    }
    if dice.below(12) == 0 {
        let end = 512 + dice.below(bytes.len() - 512);
        bytes.truncate(end);
    }
    bytes
}

fn all_fields() -> Columns {
    let missing = || Missing::Unknown;
    Columns::new((0..9).map(|at| Field::Column { at, is_real: false, missing: missing() }).collect())
}

/// Goes through every page as if it were the root of a tree; only that it ends matters.
fn walk_everything(file: &Arc<PageFile>) {
    let columns = all_fields();
    let mut bytes = 0;
    let mut visit = |row: &PageRow<'_>| {
        bytes += (0..columns.len()).map(|at| row.column(at).len()).sum::<usize>();
        Onward::On
    };
    for root in 0..=file.pages() + 1 {
        let table = || -> Result<TableWalk, Damage> { TableWalk::new(file, &PageRange::whole(root)) };
        if let Ok(mut walk) = table() {
            while walk.rows(&columns, &mut visit).unwrap_or(false) {}
        }
        if let Ok(mut walk) = IndexWalk::new(file, &PageRange::whole(root)) {
            while walk.entries(&columns, &mut visit).unwrap_or(false) {}
        }
        let mut picker = RowPicker::new(file, root);
        for rowid in [i64::MIN, -1, 0, 1, 100, 250, i64::MAX] {
            picker.rows(&[rowid], &columns, &mut |_| ()).ok();
        }
        for rowids in [&[1, 2, 3, 100, 250, i64::MAX][..], &[i64::MIN, 250, -1, 250, 0]] {
            picker
                .rows(rowids, &columns, &mut |row| {
                    if let Some(row) = row {
                        let _onward = visit(row);
                    }
                })
                .ok();
        }
        for tree in [Tree::Table, Tree::Index] {
            file.cut(root, tree, 9).ok();
        }
    }
}

#[test]
fn damaged_files_end_and_tell_what_sqlite_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.sqlite");
    let sound = store(&path);
    let (pages, _) = both(&path, None).expect("a store");
    let layout = Arc::clone(&pages.describe().layout);
    let (mut decoded, mut columns, mut differed) = (0, 0, Vec::new());
    for seed in 0..400 {
        let mut dice = Dice(seed * 7919 + 1);
        fs::write(&path, damaged(&sound, &mut dice)).expect("a damaged file");
        if let Ok(file) = PageFile::open(&path) {
            walk_everything(&file);
        }
        let Some((pages, sql)) = both(&path, Some(&layout)) else { continue };
        let expected = told(&sql, &KeyRange::default());
        let found = told(&pages, &KeyRange::default());
        decoded += usize::from(pages.pages_read() > 0);
        // What an index says is believed; only that it ends, and fits together, is asked here.
        if let Ok(Some(covered)) = pages.covered(&Work::default()) {
            assert_eq!(covered.postings.len(), covered.len());
            columns += 1;
        }
        match (expected, found) {
            (Ok(expected), Ok(found)) if expected == found => (),
            (Err(_), Err(_)) => (),
            (expected, found) => differed.push((seed, difference(&expected, &found))),
        }
    }
    assert!(differed.is_empty(), "{}: {differed:#?}", differed.len());
    assert!(decoded > 300, "pages were decoded in {decoded} cases");
    assert!(columns > 100, "indexes covered {columns} cases");
}

type Told = Result<Vec<String>, timeglass::store::StoreError>;

fn difference(expected: &Told, found: &Told) -> String {
    match (expected, found) {
        (Ok(expected), Ok(found)) => {
            let differ = |(at, line): &(usize, &String)| found.get(*at) != Some(*line);
            let first = expected.iter().enumerate().find(differ);
            let (at, line) = first.map_or((expected.len(), None), |(at, line)| (at, Some(line)));
            format!(
                "{} and {} lines, first at {at}:\n{line:?}\n{:?}",
                expected.len(),
                found.len(),
                found.get(at)
            )
        }
        (expected, found) => format!("{:?} and {:?}", expected.as_ref().err(), found.as_ref().err()),
    }
}
