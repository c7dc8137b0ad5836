//! Random tables and indexes, page by page and through SQLite.

use std::{fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
};
use rusqlite::{Connection, types::ValueRef};
use timeglass::{
    model::Stored,
    store::{
        decode::Value,
        pages::{
            Columns, Field, IndexWalk, Missing, PageFile, PageRange, PageRow, RowPicker, TableWalk, Tree,
        },
        read::Onward,
    },
};

/// A database to make.
#[derive(Debug, Clone)]
struct Plan {
    page_size: usize,
    reserved: u8,
    auto_vacuum: u8,
    /// Declared types of the first columns.
    types: Vec<&'static str>,
    /// Declared types of columns that are added when half of the rows are there.
    added: Vec<(&'static str, &'static str)>,
    has_alias: bool,
    rows: Vec<(i64, Vec<Stored>)>,
    /// Every so many rows one is deleted at the end.
    deletes: usize,
    indexed: Vec<usize>,
}

fn value() -> impl Strategy<Value = Stored> {
    prop_oneof![
        2 => Just(Stored::Null),
        2 => Just(Stored::Integer(0)),
        2 => Just(Stored::Integer(1)),
        4 => any::<i64>().prop_map(Stored::Integer),
        4 => (any::<i64>(), 0..60_u32).prop_map(|(number, by)| Stored::Integer(number >> by)),
        2 => any::<f64>().prop_map(Stored::Real),
        2 => any::<i16>().prop_map(|number| Stored::Real(f64::from(number))),
        8 => "[a-zA-Zé日 ]{0,12}".prop_map(|text| Stored::Text(text.into_bytes().into())),
        2 => (1..9_000_usize).prop_map(|len| Stored::Text("long ".repeat(len / 5 + 1).into_bytes().into())),
        1 => Just(Stored::Text([b'a', 0xff, 0, b'b'].as_slice().into())),
        2 => vec(any::<u8>(), 0..20).prop_map(|bytes| Stored::Blob(bytes.into())),
        1 => (1..40_000_usize).prop_map(|len| Stored::Blob(vec![0xa5; len].into())),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let kinds = || select(vec!["", "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "DOUBLE PRECISION", "INT"]);
    let added = select(vec![
        ("", ""),
        ("", "DEFAULT 7"),
        ("TEXT", "DEFAULT 'it''s'"),
        ("REAL", ""),
        ("INT", "DEFAULT -3"),
    ]);
    let sizes = select(vec![512_usize, 1024, 4096, 4096, 8192, 65_536]);
    let reserved = select(vec![0_u8, 0, 0, 12, 32]);
    let types = vec(kinds(), 1..9);
    (sizes, reserved, 0..3_u8, types, vec(added, 0..3), any::<bool>(), 0..400_usize, any::<u64>(), 0..5_usize)
        .prop_flat_map(
            |(page_size, reserved, auto_vacuum, types, added, has_alias, count, spread, deletes)| {
                let width = types.len() + added.len();
                let step = move |at: usize| match spread % 4 {
                    0 | 1 => at as i64 + 1,
                    2 => (at as i64 - 50) * ((spread >> 2) % 1_000_003 + 1) as i64,
                    _ => i64::MIN + at as i64 * ((spread >> 3) & 0xffff_ffff) as i64 + at as i64,
                };
                let rows = vec(vec(value(), width), count..=count);
                let all: Vec<usize> = (0..types.len()).collect();
                let indexed = subsequence(all, 1..=types.len().min(4)).prop_shuffle();
                (rows, indexed).prop_map(move |(rows, indexed)| Plan {
                    page_size,
                    // The least page cannot spare as much.
                    reserved: if page_size == 512 { reserved.min(32) } else { reserved },
                    auto_vacuum,
                    types: types.clone(),
                    added: added.clone(),
                    has_alias,
                    rows: rows.into_iter().enumerate().map(|(at, row)| (step(at), row)).collect(),
                    deletes,
                    indexed,
                })
            },
        )
}

/// An empty database whose pages keep some bytes back, as some extensions want it.
fn reserve(path: &Path, plan: &Plan) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "page_size", plan.page_size as i64).unwrap();
    connection.pragma_update(None, "auto_vacuum", plan.auto_vacuum).unwrap();
    connection.execute_batch("PRAGMA user_version = 1").unwrap();
    connection.close().unwrap();
    if plan.reserved > 0 {
        let mut bytes = fs::read(path).unwrap();
        bytes[20] = plan.reserved;
        let usable = (plan.page_size - usize::from(plan.reserved)) as u16;
        bytes[105..107].copy_from_slice(&usable.to_be_bytes());
        fs::write(path, bytes).unwrap();
    }
}

fn make(path: &Path, plan: &Plan) -> Connection {
    reserve(path, plan);
    let connection = Connection::open(path).unwrap();
    let alias = if plan.has_alias { "id INTEGER PRIMARY KEY, " } else { "" };
    let columns: Vec<String> =
        plan.types.iter().enumerate().map(|(at, kind)| format!("c{at} {kind}")).collect();
    connection.execute_batch(&format!("CREATE TABLE t ({alias}{})", columns.join(", "))).unwrap();
    let indexed: Vec<String> = plan.indexed.iter().map(|at| format!("c{at}")).collect();
    connection.execute_batch(&format!("CREATE INDEX i ON t ({})", indexed.join(", "))).unwrap();
    let half = plan.rows.len() / 2;
    insert(&connection, &plan.rows[..half], plan.types.len());
    for (at, (kind, default)) in plan.added.iter().enumerate() {
        connection.execute_batch(&format!("ALTER TABLE t ADD COLUMN a{at} {kind} {default}")).unwrap();
    }
    insert(&connection, &plan.rows[half..], plan.types.len() + plan.added.len());
    if plan.deletes > 1 {
        connection.execute(&format!("DELETE FROM t WHERE abs(rowid % {}) = 1", plan.deletes), []).unwrap();
    }
    connection
}

fn insert(connection: &Connection, rows: &[(i64, Vec<Stored>)], width: usize) {
    connection.execute_batch("BEGIN").unwrap();
    let names: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_xinfo('t') WHERE pk = 0 ORDER BY cid")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let marks = vec!["?"; width + 1].join(", ");
    let sql = format!("INSERT INTO t (rowid, {}) VALUES ({marks})", names.join(", "));
    let mut statement = connection.prepare(&sql).unwrap();
    for (rowid, values) in rows {
        statement.raw_bind_parameter(1, rowid).unwrap();
        for (at, value) in values.iter().take(width).enumerate() {
            let at = at + 2;
            match value {
                Stored::Null => statement.raw_bind_parameter(at, rusqlite::types::Null).unwrap(),
                Stored::Integer(number) => statement.raw_bind_parameter(at, number).unwrap(),
                Stored::Real(number) => statement.raw_bind_parameter(at, number).unwrap(),
                Stored::Text(bytes) => {
                    let bound = rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Text(bytes));
                    statement.raw_bind_parameter(at, bound).unwrap();
                }
                Stored::Blob(bytes) => statement.raw_bind_parameter(at, &**bytes).unwrap(),
            }
        }
        statement.raw_execute().unwrap();
    }
    drop(statement);
    connection.execute_batch("COMMIT").unwrap();
}

/// The columns that are asked for, in another order than they lie, with the row number among them.
fn columns(plan: &Plan) -> (Columns, Vec<String>) {
    let first = usize::from(plan.has_alias);
    let real = |kind: &str| matches!(kind, "REAL" | "DOUBLE PRECISION");
    let mut fields = vec![(Field::RowId, "rowid".to_owned())];
    for (at, kind) in plan.types.iter().enumerate() {
        let missing = Missing::Value(Stored::Null);
        fields.push((Field::Column { at: first + at, is_real: real(kind), missing }, format!("c{at}")));
    }
    for (at, (kind, default)) in plan.added.iter().enumerate() {
        let missing = Missing::Value(match *default {
            "DEFAULT 7" => Stored::Integer(7),
            "DEFAULT -3" => Stored::Integer(-3),
            "DEFAULT 'it''s'" => Stored::Text(b"it's".as_slice().into()),
            _ => Stored::Null,
        });
        let at_record = first + plan.types.len() + at;
        fields.push((Field::Column { at: at_record, is_real: real(kind), missing }, format!("a{at}")));
    }
    fields.reverse();
    let (fields, names) = fields.into_iter().unzip();
    (Columns::new(fields), names)
}

fn stored(value: ValueRef<'_>) -> Stored {
    Value::from(value).to_stored()
}

fn asked(connection: &Connection, sql: &str) -> Vec<Vec<Stored>> {
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        all.push((0..width).map(|at| stored(row.get_ref(at).unwrap())).collect());
    }
    all
}

fn values(row: &PageRow<'_>, width: usize) -> Vec<Stored> {
    (0..width).map(|at| row.column(at).to_stored()).collect()
}

fn rows_of(file: &std::sync::Arc<PageFile>, range: &PageRange, columns: &Columns) -> Vec<Vec<Stored>> {
    let mut walk = TableWalk::new(file, range).unwrap();
    let mut rows = Vec::new();
    let mut visit = |row: &PageRow<'_>| {
        rows.push(values(row, columns.len()));
        Onward::On
    };
    while walk.rows(columns, &mut visit).unwrap() {}
    rows
}

/// Compares rows, and shows no more than the first that differs.
#[track_caller]
fn same(found: &[Vec<Stored>], expected: &[Vec<Stored>], what: &str) {
    for (at, (row, expected)) in found.iter().zip(expected).enumerate() {
        if row != expected {
            let brief = |row: &[Stored]| format!("{row:?}").chars().take(500).collect::<String>();
            panic!("{what}, row {at}: {}\nnot {}", brief(row), brief(expected));
        }
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

fn root(connection: &Connection, name: &str) -> u32 {
    connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name], |row| row.get(0))
        .unwrap()
}

fn check(plan: &Plan) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.sqlite");
    let connection = make(&path, plan);
    let file = PageFile::open(&path).unwrap();
    assert_eq!(file.page_size() - file.usable(), usize::from(plan.reserved));
    check_table(plan, &connection, &file);
    check_index(plan, &connection, &file);
}

fn check_table(plan: &Plan, connection: &Connection, file: &std::sync::Arc<PageFile>) {
    let root = root(connection, "t");
    let (columns, names) = columns(plan);
    let expected = asked(connection, &format!("SELECT {} FROM t ORDER BY rowid", names.join(", ")));
    same(&rows_of(file, &PageRange::whole(root), &columns), &expected, "the whole table");
    for parts in [1, 2, 3, 7, 50] {
        let ranges = file.cut(root, Tree::Table, parts).unwrap();
        assert!(ranges.len() <= parts);
        let joined: Vec<_> = ranges.iter().flat_map(|range| rows_of(file, range, &columns)).collect();
        same(&joined, &expected, &format!("{parts} parts"));
    }
    let rowid = columns.len() - 1;
    let number = |row: &[Stored]| if let Stored::Integer(number) = row[rowid] { number } else { 0 };
    let mut picker = RowPicker::new(file, root);
    for (at, row) in expected.iter().enumerate().step_by(1 + expected.len() / 20) {
        let mut found = None;
        let mut visit = |row: Option<&PageRow<'_>>| found = row.map(|row| values(row, columns.len()));
        picker.rows(&[number(row)], &columns, &mut visit).unwrap();
        assert_eq!(found.as_ref(), Some(row));
        let mut walk = TableWalk::behind(file, root, Some(number(row))).unwrap();
        let mut behind = Vec::new();
        let mut visit = |row: &PageRow<'_>| {
            behind.push(row.rowid());
            Onward::On
        };
        while walk.rows(&columns, &mut visit).unwrap() {}
        assert!(
            behind.iter().eq(expected[at + 1..].iter().map(|row| number(row)).collect::<Vec<_>>().iter())
        );
    }
    let missing = expected.iter().map(|row| number(row)).max().unwrap_or(0).wrapping_add(1);
    if !expected.iter().any(|row| number(row) == missing) {
        let mut is_there = true;
        picker.rows(&[missing], &columns, &mut |row| is_there = row.is_some()).unwrap();
        assert!(!is_there);
    }
    // All of them, some of them, backwards, twice, and with numbers between that are not there.
    let all: Vec<i64> = expected.iter().map(|row| number(row)).collect();
    for wanted in [
        all.clone(),
        all.iter().copied().step_by(7).collect(),
        all.iter().rev().copied().collect(),
        all.iter().flat_map(|own| [*own, *own, own.wrapping_add(1), own.wrapping_sub(1)]).collect(),
        vec![i64::MIN, missing, i64::MAX],
    ] {
        let mut found = Vec::new();
        let mut visit = |row: Option<&PageRow<'_>>| {
            found.push(row.map_or_else(Vec::new, |row| values(row, columns.len())));
        };
        picker.rows(&wanted, &columns, &mut visit).unwrap();
        let picked: Vec<Vec<Stored>> = wanted
            .iter()
            .map(|own| expected.iter().find(|row| number(row) == *own).cloned().unwrap_or_default())
            .collect();
        same(&found, &picked, "rows by their numbers");
    }
}

fn check_index(plan: &Plan, connection: &Connection, file: &std::sync::Arc<PageFile>) {
    let indexed: Vec<String> = plan.indexed.iter().map(|at| format!("c{at}")).collect();
    let names = indexed.join(", ");
    let expected =
        asked(connection, &format!("SELECT {names}, rowid FROM t INDEXED BY i ORDER BY {names}, rowid"));
    let is_real = |at: &usize| matches!(plan.types[*at], "REAL" | "DOUBLE PRECISION");
    let real: Vec<bool> = plan.indexed.iter().map(is_real).chain([false]).collect();
    let columns = Columns::of_index(&real);
    let root = root(connection, "i");
    for parts in [1, 2, 5, 30] {
        let mut joined = Vec::new();
        for range in file.cut(root, Tree::Index, parts).unwrap() {
            let mut walk = IndexWalk::new(file, &range).unwrap();
            let mut visit = |row: &PageRow<'_>| {
                joined.push(values(row, columns.len()));
                Onward::On
            };
            while walk.entries(&columns, &mut visit).unwrap() {}
        }
        same(&joined, &expected, &format!("{parts} parts of the index"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn random_tables_and_indexes_are_read_as_sqlite_reads_them(plan in plan()) {
        check(&plan);
    }
}

#[test]
fn columns_that_nobody_wants_cost_no_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (a TEXT, large TEXT, b TEXT);
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 50)
             INSERT INTO t SELECT 'a' || i, printf('%100000s', i), 'b' || i FROM n;",
        )
        .unwrap();
    let file = PageFile::open(&path).unwrap();
    let root = root(&connection, "t");
    let column = |at| Field::Column { at, is_real: false, missing: Missing::Unknown };
    let before = file.pages_read();
    let names = rows_of(&file, &PageRange::whole(root), &Columns::new(vec![column(0)]));
    assert_eq!(names.len(), 50);
    let few = file.pages_read() - before;
    assert!(few < 60, "{few} pages for 50 short texts");
    let behind = rows_of(&file, &PageRange::whole(root), &Columns::new(vec![column(2)]));
    assert_eq!(behind[49], [Stored::Text(b"b50".as_slice().into())]);
    assert!(file.pages_read() - before > 1_000, "the chain leads to what lies behind");
}
