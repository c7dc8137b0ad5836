//! A second, real process appends while we read; or has died and left its files behind.
//!
//! The writer waits for nobody (`busy_timeout` 0): were it ever held up, it would fail. It is this
//! test binary once more, told by the environment to act as the writer.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rusqlite::Connection;
use timeglass::{
    model::{EventQuery, GlobalPosition, RecordedEvent},
    store::{EventStore as _, KeyRange, PageFrom, StoreError, sqlite::SqliteStore},
    work::Work,
};

use crate::sqlite_store::open;

/// Tells this binary that it is the writer, and where.
const STORE: &str = "TIMEGLASS_TEST_WRITES_TO";
/// Tells the writer how: `wal`, `delete`, `truncate`, `persist`, with `,dies` at the end or not.
const MANNER: &str = "TIMEGLASS_TEST_WRITES_IN";

/// Transactions between two signs that a read came through.
const BURST: i64 = 40;
const BURSTS: i64 = 6;
/// Events of one transaction: a read that sees a number not divisible by it saw half a commit.
const EVENTS: i64 = 3;

/// Transactions before the writer begins: two for each stream.
const FIRST: i64 = 14;
const STREAMS: i64 = 7;

/// Bytes of a payload: several transactions fill a page, so that trees grow while they are read.
fn payload(number: i64) -> String {
    format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(usize::try_from(number % 700).unwrap_or(0)))
}

fn create(path: &Path, journal: &str) -> Connection {
    let connection = Connection::open(path).expect("a new database");
    connection.pragma_update(None, "journal_mode", journal).expect("a journal mode");
    connection
        .execute_batch(
            "CREATE TABLE events (
                 global_position INTEGER PRIMARY KEY,
                 stream_id TEXT NOT NULL,
                 version INTEGER NOT NULL,
                 event_type TEXT NOT NULL,
                 data TEXT NOT NULL,
                 created_at TEXT NOT NULL,
                 UNIQUE (stream_id, version)
             );",
        )
        .expect("a table");
    (0..FIRST).for_each(|transaction| append(&connection, transaction));
    connection
}

/// One transaction.
fn append(connection: &Connection, transaction: i64) {
    connection.execute_batch("BEGIN").expect("nobody holds the writer up");
    insert(connection, transaction);
    connection.execute_batch("COMMIT").expect("nobody holds the writer up");
}

fn insert(connection: &Connection, transaction: i64) {
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO events (stream_id, version, event_type, data, created_at)
             VALUES (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%SZ', 1700000000 + ?5, 'unixepoch'))",
        )
        .expect("a statement");
    for event in 0..EVENTS {
        let number = transaction * EVENTS + event + 1;
        let stream = format!("account-{}", transaction % STREAMS);
        let version = transaction / STREAMS * EVENTS + event + 1;
        let event_type = ["Opened", "Deposited", "Withdrawn"][usize::try_from(event).unwrap_or(0)];
        statement
            .execute((stream, version, event_type, payload(number), number))
            .expect("nobody holds the writer up");
    }
}

/// Acts as the writer if the environment says so; else it is a test of what the writer writes.
#[test]
fn the_writer_writes_whole_transactions() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = env::var_os(STORE).map(PathBuf::from) else {
        let connection = create(&folder.path().join("alone.sqlite"), "delete");
        (FIRST..20).for_each(|transaction| append(&connection, transaction));
        let count: i64 =
            connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).expect("rows");
        assert_eq!(count, 20 * EVENTS);
        return;
    };
    let manner = env::var(MANNER).expect("a manner");
    let (journal, dies) = manner.strip_suffix(",dies").map_or((&*manner, false), |journal| (journal, true));
    let connection = Connection::open(&path).expect("the store");
    connection.busy_timeout(std::time::Duration::ZERO).expect("a setting");
    connection.pragma_update(None, "journal_mode", journal).expect("a journal mode");
    connection.pragma_update(None, "synchronous", "off").expect("a setting");
    connection.pragma_update(None, "wal_autocheckpoint", if dies { 0 } else { 15 }).expect("a setting");
    let mut signs = std::io::stdin().lock();
    for burst in 0..BURSTS {
        for transaction in 0..BURST {
            append(&connection, FIRST + burst * BURST + transaction);
        }
        if dies {
            break;
        }
        // Until a read came through; the reader's end ends this, too.
        signs.read_exact(&mut [0]).expect("a sign");
    }
    if dies {
        // An unfinished transaction, larger than the cache, so that it reaches the database file.
        connection.pragma_update(None, "cache_size", 3).expect("a setting");
        connection.execute_batch("BEGIN").expect("a transaction");
        (5000..5400).for_each(|transaction| insert(&connection, transaction));
        std::process::abort();
    }
    connection.close().expect("the last one to leave cleans up");
}

fn writer(path: &Path, manner: &str) -> Child {
    Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", "live::the_writer_writes_whole_transactions", "--nocapture"])
        .env(STORE, path)
        .env(MANNER, manner)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a second process")
}

/// All files of a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("its bytes"))
        })
        .collect()
}

fn everything(store: &SqliteStore) -> Result<Vec<RecordedEvent>, StoreError> {
    store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, 100_000)
}

fn scan(store: &SqliteStore) -> Result<i64, StoreError> {
    let mut count = 0;
    let troubles = store.scan(&Work::default(), &KeyRange::default(), &mut |_| count += 1)?;
    assert!(troubles.is_empty(), "{troubles:?}");
    Ok(count)
}

/// Whole commits in order, each row as it was written.
fn check_events(events: &[RecordedEvent]) {
    assert_eq!(events.len() as i64 % EVENTS, 0, "half a commit was seen");
    for (event, number) in events.iter().zip(1..) {
        assert_eq!(event.position, Some(GlobalPosition::Number(number)));
        let version = (number - 1) / EVENTS / STREAMS * EVENTS + (number - 1) % EVENTS + 1;
        assert_eq!(event.version.map(|version| version.0), Some(version));
        assert_eq!(event.data.stored.bytes(), payload(number).into_bytes().into());
        assert!(event.troubles.is_empty(), "{event:?}");
    }
}

/// Reads in a loop while the writer writes, and all of it at the end.
fn check(journal: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("live.sqlite");
    create(&path, journal).close().expect("a clean end");
    let alone = files(folder.path()).into_keys().collect::<Vec<_>>();
    let store = open(&path);
    let (mut seen, mut head, mut given) = (FIRST * EVENTS, store.head().expect("a head"), 0);
    let mut writer = writer(&path, journal);
    let mut signs = writer.stdin.take();
    while writer.try_wait().expect("the writer").is_none() {
        let before = store.head().expect("a head");
        match everything(&store) {
            Ok(events) => {
                check_events(&events);
                let count = events.len() as i64;
                assert!(count >= seen, "{journal}: {count} after {seen}");
                if count > seen {
                    // Since before the read that saw less.
                    let later = store.head().expect("a head");
                    assert_ne!(later, head, "{journal}: {seen} to {count} with the same head");
                }
                head = before;
                seen = count;
                assert!(scan(&store).map_or(true, |scanned| scanned >= seen), "{journal}");
            }
            // The writer leaves no gap; it will, once it waits for us.
            Err(StoreError::Busy { .. }) => (),
            Err(error) => panic!("{journal}: {error}"),
        }
        // A sign for every burst that was seen to its end; the writer waits there.
        let reached = (seen / EVENTS - FIRST) / BURST;
        while given < reached {
            given += 1;
            let sent = signs.as_mut().map(|signs| signs.write_all(b"."));
            sent.expect("a pipe").expect("a writer that listens");
        }
    }
    let output = writer.wait_with_output().expect("the writer");
    assert!(output.status.success(), "{journal}: {}", String::from_utf8_lossy(&output.stderr));
    let all = everything(&store).expect("a store at rest");
    check_events(&all);
    assert_eq!(all.len() as i64, EVENTS * (FIRST + BURST * BURSTS), "{journal}: every committed row");
    assert_eq!(scan(&store).expect("a scan"), all.len() as i64);
    let left = files(folder.path()).into_keys().collect::<Vec<_>>();
    // A journal of these modes stays where its writer leaves it.
    let expected = if matches!(journal, "truncate" | "persist") { 2 } else { alone.len() };
    assert_eq!(left.len(), expected, "{journal}: {left:?} where the writer alone leaves {alone:?}");
}

#[test]
fn a_writer_with_a_write_ahead_log_is_never_held_up() {
    check("wal");
}

#[test]
fn a_writer_with_a_rollback_journal_is_never_held_up() {
    check("delete");
    check("truncate");
    check("persist");
}

/// A store whose writer died, with everything that it left.
fn abandoned(journal: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("abandoned.sqlite");
    create(&path, journal).close().expect("a clean end");
    let mut writer = writer(&path, &format!("{journal},dies"));
    assert!(!writer.wait().expect("the writer").success());
    (folder, path)
}

/// Reads a store at rest; the folder is the same afterwards, byte for byte.
fn check_at_rest(folder: &Path, path: &Path, transactions: i64) -> Vec<String> {
    let before = files(folder);
    let store = open(path);
    let events = everything(&store).expect("what was committed");
    check_events(&events);
    assert_eq!(events.len() as i64, EVENTS * transactions);
    assert_eq!(scan(&store).expect("a scan"), events.len() as i64);
    store.table_counts(&Work::default()).expect("counts");
    let after = files(folder);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "reading changed a file");
    store.describe().problems.clone()
}

#[test]
fn a_dead_writers_log_is_read_where_it_lies() {
    let (folder, path) = abandoned("wal");
    let names: Vec<String> = files(folder.path()).into_keys().collect();
    assert_eq!(names, ["abandoned.sqlite", "abandoned.sqlite-shm", "abandoned.sqlite-wal"]);
    check_at_rest(folder.path(), &path, FIRST + BURST);
    // The same pair as somebody copies it, without the shared memory.
    fs::remove_file(folder.path().join("abandoned.sqlite-shm")).expect("a file to remove");
    let problems = check_at_rest(folder.path(), &path, FIRST + BURST);
    assert!(problems.iter().any(|problem| problem.contains("write-ahead log")), "{problems:?}");
    // Without the log, what had reached the database.
    fs::remove_file(folder.path().join("abandoned.sqlite-wal")).expect("a file to remove");
    check_at_rest(folder.path(), &path, FIRST);
}

#[test]
fn a_dead_writers_transaction_is_taken_back_in_a_copy() {
    let (folder, path) = abandoned("delete");
    let names: Vec<String> = files(folder.path()).into_keys().collect();
    assert_eq!(names, ["abandoned.sqlite", "abandoned.sqlite-journal"]);
    let problems = check_at_rest(folder.path(), &path, FIRST + BURST);
    assert!(problems.iter().any(|problem| problem.contains("unfinished")), "{problems:?}");
}

#[test]
fn a_store_in_a_folder_without_write_permission_is_read() {
    for journal in ["wal", "delete"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fixed.sqlite");
        create(&path, journal).close().expect("a clean end");
        let set = |path: &Path, is_fixed: bool| {
            let mut permissions = fs::metadata(path).expect("the file").permissions();
            permissions.set_readonly(is_fixed);
            fs::set_permissions(path, permissions).expect("permissions");
        };
        set(&path, true);
        set(folder.path(), true);
        check_at_rest(folder.path(), &path, FIRST);
        set(folder.path(), false);
        set(&path, false);
    }
}
