//! What SQLite says of pages that it did not write.

use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Entry, FilePages, IndexEntries, TableRows};

/// No page at all.
const NONE: u32 = 0;

fn made(sql: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laid.sqlite");
    Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA page_size = 4096; {sql}")).unwrap();
    (folder, path)
}

fn check(path: &Path) -> String {
    let store = Connection::open(path).unwrap();
    store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// An index of so many rows that leaves out a page; what SQLite says of it.
fn index(rows: u32, left_out: u32) -> String {
    let (_folder, path) = made(&format!(
        "CREATE TABLE t (name TEXT, number INTEGER);
         WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n <= {rows})
         INSERT INTO t SELECT printf('name %08d ', n) || hex(zeroblob(n % 90)), n - 1 FROM n WHERE n <= {rows};"
    ));
    let mut pages = FilePages::leaving_out(&path, left_out).unwrap();
    let (mut index, mut entry) = (IndexEntries::new(), Entry::default());
    for number in 1..=rows {
        let name = format!("name {number:08} {}", "0".repeat(number as usize % 90 * 2));
        index.push(entry.clear().text(&name).number(number - 1).number(number));
        if number % 1000 == 0 {
            index.write(&mut pages).unwrap();
        }
    }
    let root = index.finish(&mut pages).unwrap();
    pages.finish().unwrap();
    let store = Connection::open(&path).unwrap();
    store
        .execute_batch(&format!(
            "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES
               ('index', 'i', 't', {root}, 'CREATE INDEX i ON t (name, number)');
             PRAGMA writable_schema = RESET;"
        ))
        .unwrap();
    let sql = "SELECT count(*) FROM t INDEXED BY i WHERE name >= 'name 00000003'";
    let found: u32 = store.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(found, rows.saturating_sub(2));
    drop(store);
    check(&path)
}

/// A table with rows of such lengths, and the index that SQLite made for it; what SQLite says of them.
fn table(lengths: &[usize], left_out: u32) -> String {
    let (_folder, path) = made("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, number INTEGER UNIQUE);");
    let (mut pages, mut entry) = (FilePages::leaving_out(&path, left_out).unwrap(), Entry::default());
    let (mut rows, mut numbers) = (TableRows::new(2), IndexEntries::at(3));
    let text = |length: usize, number: u32| {
        let beginning = format!("{number} of {length} ");
        let fill = length.saturating_sub(beginning.len());
        beginning + &"ü".repeat(fill / 2)
    };
    for (length, number) in lengths.iter().zip(1_u32..) {
        let row = entry.clear().null().text(&text(*length, number)).number(number * 1000);
        rows.push(row, &mut pages).unwrap();
        numbers.push(entry.clear().number(number * 1000).number(number));
    }
    rows.finish(&mut pages).unwrap();
    numbers.finish(&mut pages).unwrap();
    pages.finish().unwrap();
    let store = Connection::open(&path).unwrap();
    let mut statement = store.prepare("SELECT id, text, number FROM t ORDER BY id").unwrap();
    let stored: Vec<(u32, String, u32)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let expected: Vec<(u32, String, u32)> = lengths
        .iter()
        .zip(1..)
        .map(|(length, number)| (number, text(*length, number), number * 1000))
        .collect();
    assert_eq!(stored, expected);
    let sql = "SELECT count(*) FROM t WHERE number >= 2000";
    let found: i64 = store.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(found, lengths.len().saturating_sub(1) as i64);
    drop(statement);
    drop(store);
    check(&path)
}

#[test]
fn sqlite_finds_nothing_wrong_with_an_index_of_any_size() {
    // Around where a page and a level fill up, and where a page of a middle level does.
    for rows in (0..140).chain([1_000, 1_001, 1_002, 40_000, 70_000]) {
        assert_eq!(index(rows, NONE), "ok", "{rows} rows");
    }
}

#[test]
fn sqlite_finds_nothing_wrong_with_a_table_of_any_size() {
    for rows in (0..40).chain([1_000, 6_000, 6_001, 6_002, 30_000]) {
        let lengths: Vec<usize> = (0..rows).map(|row| row * 37 % 900).collect();
        assert_eq!(table(&lengths, NONE), "ok", "{rows} rows");
    }
}

#[test]
fn rows_longer_than_a_page_go_on_in_pages_of_their_own() {
    // Around where a row just fits, and where what stays of it or the last of its pages is full.
    let edges = [4_040, 4_092, 4_530, 8_100, 8_180, 8_640, 12_200, 12_740, 40_000];
    let near: Vec<usize> = edges.iter().flat_map(|edge| (edge - 40..edge + 40).step_by(2)).collect();
    assert_eq!(table(&near, NONE), "ok");
    for length in near {
        assert_eq!(table(&[10, length, 10], NONE), "ok", "{length} bytes");
    }
}

#[test]
fn the_page_in_which_sqlite_locks_is_left_out() {
    let long = vec![9_000; 700];
    let short = vec![300; 40_000];
    for said in [index(40_000, 1_500), table(&long, 1_500), table(&long, 1_501), table(&short, 1_500)] {
        assert!(said.contains("Page 150") && said.contains("never used"), "{said}");
        assert_eq!(said.matches("Page").count(), 1, "{said}");
    }
}
