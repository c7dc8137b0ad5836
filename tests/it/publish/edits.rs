//! What is asked for is what is written, and nothing else.

use std::{collections::BTreeMap, fs, sync::Arc};

use proptest::prelude::*;
use rusqlite::Connection;
use timeglass::{
    model::Stored,
    publish::{BackupPlace, Edits, PublishError, RowEdit, RowPlace, Step, TableEdits},
};

use super::stage::{ROWS, Stage, everything, of, place, rows_of, text, values, write_watched};

#[test]
fn every_kind_of_edit_is_written_once_and_the_backup_is_the_store_before() {
    let stage = Stage::new();
    let events = stage.rows("events");
    let (before, checkpoints) = (stage.rows("orders"), stage.rows("projection_checkpoints"));
    let edits = everything(20);
    let plan = stage.plan(&edits).expect("a plan");
    assert_eq!((plan.tables[0].inserted, plan.tables[0].updated, plan.tables[0].deleted), (20, 30, 10));
    assert_eq!(plan.tables[0].first_delete, Some(place([("id", text("order-30"))])));
    assert_eq!(plan.lock.to_string(), "about 40 ms (reckoned for 61 rows and 60 events)");
    assert_eq!(stage.rows("orders"), before, "a dry run writes nothing");

    let published = stage.write(&edits, &plan).expect("a publication");
    assert_eq!((published.inserted, published.updated, published.deleted), (20, 31, 10));
    assert!(published.is_confirmed);
    let backup = stage.folder.path().join("shop.sqlite.backup-20240301-093000");
    assert_eq!(published.backup, backup);
    assert_eq!(stage.files(), ["shop.sqlite", "shop.sqlite.backup-20240301-093000"]);
    assert_eq!(rows_of(&backup, "orders"), before);
    assert_eq!(rows_of(&backup, "projection_checkpoints"), checkpoints);
    assert_eq!(rows_of(&backup, "events"), events);

    assert_eq!(stage.rows("events"), events);
    let count = |sql: &str| -> i64 {
        Connection::open(&stage.path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM orders"), ROWS + 20 - 10);
    assert_eq!(count("SELECT count(*) FROM orders WHERE status = 'shipped' AND items < 30"), 30);
    assert_eq!(count("SELECT count(*) FROM orders WHERE id BETWEEN 'order-30' AND 'order-39'"), 0);
    assert_eq!(count("SELECT count(*) FROM orders WHERE id LIKE 'new-%' AND status = 'paid'"), 20);
    // A column that was left out takes its default.
    assert_eq!(count("SELECT count(*) FROM orders WHERE created_at > '2024-03-01 09:00:00'"), 20);
    assert_eq!(count("SELECT last_position FROM projection_checkpoints WHERE projection = 'orders'"), 60);
    assert_eq!(count("SELECT last_position FROM projection_checkpoints WHERE projection = 'other'"), 3);
    assert_eq!(count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

#[test]
fn a_backup_overwrites_nothing() {
    let stage = Stage::new();
    let first = stage.folder.path().join("shop.sqlite.backup-20240301-093000");
    fs::write(&first, "mine").expect("a file");
    let published = stage.publish(&everything(1)).expect("a publication");
    assert_eq!(published.backup, stage.folder.path().join("shop.sqlite.backup-20240301-093000-2"));
    assert_eq!(fs::read(&first).expect("the file"), b"mine");

    let edits = of(TableEdits {
        table: "orders".into(),
        deletes: vec![place([("id", text("order-59"))])],
        ..TableEdits::default()
    });
    let plan = stage.plan(&edits).expect("a plan");
    let refused = write_watched(&stage.path, &edits, &plan, &BackupPlace::At(first.clone()), &|_| Ok(()));
    assert!(matches!(&refused, Err(PublishError::BackupExists { path }) if *path == first), "{refused:?}");
    let other = stage.folder.path().join("kept here");
    let published = write_watched(&stage.path, &edits, &plan, &BackupPlace::At(other.clone()), &|_| Ok(()));
    assert_eq!(published.expect("a publication").backup, other);
}

/// In both journal modes, no file stays beside the store that was not there, and the mode stays.
#[test]
fn a_log_that_was_not_there_is_not_left_behind() {
    for journal in ["wal", "delete"] {
        let stage = Stage::with(journal, "");
        let files = stage.files();
        assert_eq!(files, ["shop.sqlite"], "{journal}");
        let header = fs::read(&stage.path).expect("the store")[18..20].to_vec();
        let published = stage.publish(&everything(3)).expect("a publication");
        assert!(published.is_confirmed);
        assert_eq!(stage.files(), ["shop.sqlite", "shop.sqlite.backup-20240301-093000"], "{journal}");
        assert_eq!(fs::read(&stage.path).expect("the store")[18..20], header, "{journal}");
    }
}

#[test]
fn another_program_with_the_store_open_sees_all_of_it_at_once() {
    let stage = Stage::with("wal", "");
    let owner = Connection::open(&stage.path).expect("the store");
    let count = || -> i64 { owner.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap() };
    assert_eq!(count(), ROWS);
    let edits = everything(20);
    let plan = stage.plan(&edits).expect("a plan");
    write_watched(&stage.path, &edits, &plan, &BackupPlace::Beside, &|step| {
        let expected = if step < Step::Committed { ROWS } else { ROWS + 10 };
        assert_eq!(count(), expected, "{step:?}");
        Ok(())
    })
    .expect("a publication");
    assert_eq!(count(), ROWS + 10);
    owner.execute("DELETE FROM orders WHERE id = 'new-0'", []).expect("its owner goes on");
}

#[test]
fn rows_that_are_alike_are_told_apart_by_number() {
    let more = "CREATE TABLE log (line TEXT, n);
                INSERT INTO log VALUES ('a', 1), ('a', 1), ('a', 1), ('b', 2), ('a', 1.0), ('A', 1);";
    let like = || values([("line", text("a")), ("n", Stored::Integer(1))]);
    let check = |deletes: usize, alike: u64, left: Option<usize>| {
        let stage = Stage::with("delete", more);
        let places = vec![RowPlace { is: like(), alike }; deletes];
        let edits = of(TableEdits { table: "log".into(), deletes: places, ..TableEdits::default() });
        let published = stage.publish(&edits);
        match left {
            Some(left) => assert!(published.is_ok(), "{left}: {published:?}"),
            None => assert!(matches!(published, Err(PublishError::RowMoved { .. })), "{published:?}"),
        }
        assert_eq!(stage.rows("log").len(), left.unwrap_or(6), "{deletes} of {alike}");
    };
    check(1, 3, Some(5));
    check(3, 3, Some(3));
    check(4, 3, None);
    check(1, 1, None);
    check(2, 4, None);
}

#[test]
fn values_that_rows_take_from_each_other_are_exchanged() {
    let more = "CREATE TABLE seats (id INTEGER PRIMARY KEY, seat TEXT UNIQUE ON CONFLICT REPLACE, who TEXT);
                INSERT INTO seats VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z'), (4, 'd', 'w');
                CREATE TABLE desks (who TEXT PRIMARY KEY, desk INTEGER UNIQUE) WITHOUT ROWID;
                INSERT INTO desks VALUES ('x', 1), ('y', 2);";
    let stage = Stage::with("delete", more);
    let seat = |id: i64, from: &str, to: &str| RowEdit {
        place: place([("id", Stored::Integer(id)), ("seat", text(from))]),
        values: values([("seat", text(to))]),
    };
    let desk = |who: &str, from: i64, to: i64| RowEdit {
        place: place([("who", text(who)), ("desk", Stored::Integer(from))]),
        values: values([("desk", Stored::Integer(to))]),
    };
    // 1 → 2 → 3 → 1 is a ring, 4 takes a seat that 3 leaves only in the ring's way.
    let seats = TableEdits {
        table: "seats".into(),
        updates: vec![seat(1, "a", "b"), seat(2, "b", "c"), seat(3, "c", "a"), seat(4, "d", "e")],
        ..TableEdits::default()
    };
    let desks = TableEdits {
        table: "desks".into(),
        updates: vec![desk("x", 1, 2), desk("y", 2, 1)],
        ..TableEdits::default()
    };
    let edits = Edits { subject: "seats".into(), tables: vec![seats, desks], ..Edits::default() };
    assert!(stage.publish(&edits).expect("a publication").is_confirmed);
    let seats: Vec<String> = stage.rows("seats").iter().map(|row| format!("{row:?}")).collect();
    assert!(
        seats[0].contains("\"b\"") && seats[1].contains("\"c\"") && seats[2].contains("\"a\""),
        "{seats:?}"
    );
    assert!(seats[2].contains("\"z\"") && seats[3].contains("\"e\""), "{seats:?}");
    assert!(format!("{:?}", stage.rows("desks")[0]).contains("Integer(2)"));
}

/// A row of a table with a key and one without: its values.
type Row = (i64, String, Option<i64>);

fn arb_rows() -> impl Strategy<Value = BTreeMap<String, (Option<i64>, Option<i64>)>> {
    proptest::collection::btree_map(
        "[a-cA-C]{1,2}",
        (proptest::option::of(0..4i64), proptest::option::of(0..3i64)),
        0..12,
    )
}

fn integer(value: Option<i64>) -> Stored {
    value.map_or(Stored::Null, Stored::Integer)
}

/// The edits that turn one table into another; `alike` rows as a bag where there is no key.
fn between(
    table: &str,
    from: &BTreeMap<String, (Option<i64>, Option<i64>)>,
    to: &BTreeMap<String, (Option<i64>, Option<i64>)>,
) -> TableEdits {
    let mut edits = TableEdits { table: table.into(), ..TableEdits::default() };
    for (key, (a, b)) in from {
        let is = values([("k", text(key)), ("a", integer(*a)), ("b", integer(*b))]);
        match to.get(key) {
            None => edits.deletes.push(RowPlace::one(is)),
            Some(new) if new == &(*a, *b) => {}
            Some((a, b)) => edits.updates.push(RowEdit {
                place: RowPlace::one(is),
                values: values([("a", integer(*a)), ("b", integer(*b))]),
            }),
        }
    }
    let missing = to.iter().filter(|(key, _)| !from.contains_key(*key));
    edits.inserts = missing
        .map(|(key, (a, b))| values([("k", text(key)), ("a", integer(*a)), ("b", integer(*b))]))
        .collect();
    edits
}

/// No value of `a` twice, as the unique column demands.
fn unique(
    rows: BTreeMap<String, (Option<i64>, Option<i64>)>,
) -> BTreeMap<String, (Option<i64>, Option<i64>)> {
    let mut seen = std::collections::BTreeSet::new();
    let once = |value: Option<i64>, seen: &mut std::collections::BTreeSet<i64>| {
        value.filter(|value| seen.insert(*value))
    };
    rows.into_iter().map(|(key, (a, b))| (key, (once(a, &mut seen), b))).collect()
}

fn bag(rows: &[Row]) -> BTreeMap<Row, u64> {
    let mut bag = BTreeMap::new();
    for row in rows {
        *bag.entry(row.clone()).or_default() += 1;
    }
    bag
}

fn bag_edits(from: &BTreeMap<Row, u64>, to: &BTreeMap<Row, u64>) -> TableEdits {
    let mut edits = TableEdits { table: "bag".into(), ..TableEdits::default() };
    let row = |(n, t, m): &Row| values([("n", Stored::Integer(*n)), ("t", text(t)), ("m", integer(*m))]);
    for (values, alike) in from {
        let wanted = to.get(values).copied().unwrap_or_default();
        let place = RowPlace { is: row(values), alike: *alike };
        edits.deletes.extend((wanted..*alike).map(|_| place.clone()));
    }
    for (values, wanted) in to {
        let there = from.get(values).copied().unwrap_or_default();
        edits.inserts.extend((there..*wanted).map(|_| row(values)));
    }
    edits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn edits_from_one_table_to_another_make_the_other(
        from in arb_rows().prop_map(unique),
        to in arb_rows().prop_map(unique),
        bag_from in proptest::collection::vec((0..2i64, "[ab]", proptest::option::of(0..2i64)), 0..10),
        bag_to in proptest::collection::vec((0..2i64, "[ab]", proptest::option::of(0..2i64)), 0..10),
    ) {
        let stage = Stage::with("delete",
            "CREATE TABLE keyed (k TEXT PRIMARY KEY, a INTEGER UNIQUE, b INTEGER);
             CREATE TABLE own (k TEXT PRIMARY KEY, a INTEGER UNIQUE, b INTEGER) WITHOUT ROWID;
             CREATE TABLE bag (n INTEGER, t TEXT COLLATE NOCASE, m INTEGER);");
        let connection = Connection::open(&stage.path).unwrap();
        for (key, (a, b)) in &from {
            for table in ["keyed", "own"] {
                connection.execute(&format!("INSERT INTO {table} VALUES (?1, ?2, ?3)"), (key, a, b)).unwrap();
            }
        }
        for row in &bag_from {
            connection.execute("INSERT INTO bag VALUES (?1, ?2, ?3)", (row.0, &row.1, row.2)).unwrap();
        }
        drop(connection);
        let tables = vec![
            between("keyed", &from, &to),
            between("own", &from, &to),
            bag_edits(&bag(&bag_from), &bag(&bag_to)),
        ];
        let edits = Edits { subject: Arc::from("random"), tables, ..Edits::default() };
        let events = stage.rows("events");
        let published = stage.publish(&edits);
        prop_assert!(published.as_ref().is_ok_and(|published| published.is_confirmed), "{published:?}");
        let connection = Connection::open(&stage.path).unwrap();
        for table in ["keyed", "own"] {
            let mut statement = connection.prepare(&format!("SELECT k, a, b FROM {table}")).unwrap();
            let rows: BTreeMap<String, (Option<i64>, Option<i64>)> = statement
                .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap()
                .map(Result::unwrap).collect();
            prop_assert_eq!(&rows, &to, "{}", table);
        }
        let mut statement = connection.prepare("SELECT n, t, m FROM bag").unwrap();
        let rows: Vec<Row> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
            .map(Result::unwrap).collect();
        prop_assert_eq!(bag(&rows), bag(&bag_to));
        drop(statement);
        drop(connection);
        prop_assert_eq!(stage.rows("events"), events);
    }
}

/// A read that closes the file would drop the locks of the transaction: it waits until that is over.
#[test]
fn our_own_reads_wait_while_we_write() {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };
    use timeglass::{store::EventStore as _, work::Work};

    let stage = Stage::new();
    let edits = everything(20);
    let plan = stage.plan(&edits).expect("a plan");
    let store = Arc::new(stage.store());
    let (has_read, reader) = (Arc::new(AtomicBool::new(false)), Mutex::new(None));
    let published = write_watched(&stage.path, &edits, &plan, &BackupPlace::Beside, &|step| {
        if step == Step::Opened {
            let (store, has_read) = (Arc::clone(&store), Arc::clone(&has_read));
            let read = move || {
                let head = store.head().expect("a head");
                has_read.store(true, Ordering::SeqCst);
                let events = store.events_head(&Work::default()).expect("events").events();
                (head, events)
            };
            *reader.lock().expect("a thread") =
                Some(std::thread::Builder::new().name("reader".to_owned()).spawn(read).expect("a thread"));
        }
        assert!(!has_read.load(Ordering::SeqCst), "{step:?}");
        Ok(())
    });
    published.expect("a publication");
    let reader = reader.into_inner().expect("a thread").expect("it was started");
    let (_, events) = reader.join().expect("it has read");
    assert_eq!(events, ROWS as u64);
}

#[test]
fn rows_of_a_table_without_key_or_index_are_found_all_at_once() {
    let stage = Stage::new();
    let store = Connection::open(&stage.path).unwrap();
    store
        .execute_batch(
            "CREATE TABLE notes (order_id TEXT, note TEXT, number INTEGER);
             WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 999)
             INSERT INTO notes SELECT 'order-' || (n / 2), iif(n % 7 = 0, NULL, 'hello'), n / 4 FROM n",
        )
        .unwrap();
    let row = |number: i64| {
        let note = |n: i64| if n % 7 == 0 { Stored::Null } else { text("hello") };
        values([
            ("order_id", text(&format!("order-{}", number / 2))),
            ("note", note(number)),
            ("number", Stored::Integer(number / 4)),
        ])
    };
    // Of two rows that are alike both go; of others, each by all that it holds.
    let alike = |number: i64| if (number ^ 1) % 7 == 0 || number % 7 == 0 { 1 } else { 2 };
    let deletes = (0..200).map(|number| RowPlace { is: row(number), alike: alike(number) });
    let updates = (600..700).filter(|number| alike(*number) == 1).map(|number| RowEdit {
        place: RowPlace::one(row(number)),
        values: values([("note", text("mended"))]),
    });
    let (deletes, updates): (Vec<_>, Vec<_>) = (deletes.collect(), updates.collect());
    let mended = updates.len();
    let notes = TableEdits { table: "notes".into(), deletes, updates, ..TableEdits::default() };
    let edits = of(notes.clone());
    let plan = stage.plan(&edits).expect("a plan");
    stage.write(&edits, &plan).expect("a publication");
    let count = |sql: &str| -> i64 { store.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM notes"), 800);
    assert_eq!(count("SELECT min(number) FROM notes"), 50);
    assert_eq!(count("SELECT count(*) FROM notes WHERE note = 'mended'"), mended as i64);

    // They are gone now, and one of them twice too many: nothing is written.
    let before = stage.rows("notes");
    let error = stage.write(&edits, &stage.plan(&edits).unwrap()).unwrap_err();
    assert!(matches!(error, PublishError::RowMoved { found: 0, .. }), "{error}");
    store.execute_batch("INSERT INTO notes SELECT * FROM notes WHERE number = 200").unwrap();
    let twice = (800..820).map(|number| RowPlace { is: row(number), alike: alike(number) }).collect();
    let edits = of(TableEdits { deletes: twice, updates: Vec::new(), ..notes });
    let error = stage.write(&edits, &stage.plan(&edits).unwrap()).unwrap_err();
    assert!(matches!(error, PublishError::RowMoved { found: 2 | 3, .. }), "{error}");
    store.execute_batch("DELETE FROM notes WHERE rowid > 1000").unwrap();
    assert_eq!(stage.rows("notes"), before);
}
