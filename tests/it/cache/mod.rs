//! Indexes kept between runs: what is believed, what is not, and what is thrown away.

mod believed;
mod command;
mod files;
mod while_open;
mod window;

use std::{fs, path::Path, path::PathBuf};

use rusqlite::{Connection, params};
use timeglass::{
    model::Timestamp,
    store::{
        cache::{Cache, Found, Nothing},
        index::Index,
        sqlite::{Opened, SqliteStore},
    },
    work::Work,
};

/// A store of a few events and a cache, in a folder of their own.
pub(super) struct Stage {
    pub(super) folder: tempfile::TempDir,
    pub(super) path: PathBuf,
}

/// Long after every file of a test was written.
pub(super) fn much_later() -> Timestamp {
    Timestamp::parse("2100-01-01T00:00:00Z").unwrap()
}

impl Stage {
    /// A store whose events have a position that is theirs for good.
    pub(super) fn new(events: i64) -> Self {
        Self::of("position INTEGER PRIMARY KEY,", events)
    }

    /// A store whose events are ordered by SQLite's own row number, which moves when the file is vacuumed.
    pub(super) fn without_position(events: i64) -> Self {
        Self::of("", events)
    }

    fn of(key: &str, events: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.sqlite");
        let stage = Self { folder, path };
        let connection = stage.connection();
        connection
            .execute_batch(&format!(
                "CREATE TABLE events ({key} stream_id TEXT NOT NULL, version INTEGER NOT NULL, \
                 type TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (stream_id, version))"
            ))
            .unwrap();
        drop(connection);
        stage.append(events);
        stage
    }

    pub(super) fn connection(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// Adds events to five streams, as their owner would.
    pub(super) fn append(&self, events: i64) {
        let mut connection = self.connection();
        let before: i64 = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
        let transaction = connection.transaction().unwrap();
        for number in before..before + events {
            let (stream, kind) =
                (number % 5, ["OrderPlaced", "OrderPaid", "OrderShipped"][number as usize % 3]);
            let version: i64 = transaction
                .query_row(
                    "SELECT coalesce(max(version), 0) + 1 FROM events WHERE stream_id = ?",
                    [format!("order-{stream}")],
                    |row| row.get(0),
                )
                .unwrap();
            let (minute, hour) = (number % 60, number / 60 % 24);
            transaction
                .execute(
                    "INSERT INTO events (stream_id, version, type, data, created_at) VALUES (?, ?, ?, ?, ?)",
                    params![
                        format!("order-{stream}"),
                        version,
                        kind,
                        format!("{{\"number\":{number}}}"),
                        format!("2024-03-01T{hour:02}:{minute:02}:00Z"),
                    ],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
    }

    pub(super) fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    /// A cache that keeps even small indexes and takes every store to be at rest.
    pub(super) fn cache(&self) -> Cache {
        Cache::new(self.cache_folder(), Cache::BOUND).with_least_events(0).with_clock(much_later)
    }

    pub(super) fn cache_folder(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub(super) fn store(&self) -> SqliteStore {
        open(&self.path)
    }

    /// Scans the store and keeps its index.
    pub(super) fn keep(&self) {
        self.cache().make(&self.store(), &Work::default()).unwrap();
    }

    pub(super) fn find(&self) -> Found {
        self.cache().find(&self.store(), &Work::default()).unwrap()
    }

    /// The only file of the cache.
    pub(super) fn file(&self) -> PathBuf {
        let files = fs::read_dir(self.cache_folder()).unwrap().map(|file| file.unwrap().path());
        let mut files = files.filter(|path| !path.ends_with("bound"));
        let file = files.next().expect("a file");
        assert!(files.next().is_none(), "and no other");
        file
    }

    /// All that an index made now says.
    pub(super) fn truth(&self) -> String {
        facts(&Index::build(&self.store(), &Work::default()).unwrap())
    }
}

pub(super) fn open(path: &Path) -> SqliteStore {
    match SqliteStore::open(path, None, &Work::default()).unwrap() {
        Opened::Found { store, .. } => *store,
        Opened::NotFound { .. } => panic!("no events in {}", path.display()),
    }
}

/// All that an index says of a store, as text.
pub(super) fn facts(index: &Index) -> String {
    let rows: Vec<_> = (0..index.len() as u32).map(|row| (index.key(row), index.row(row))).collect();
    let of = |stream| format!("{:?}", index.stream_events(stream).to_vec());
    let postings: Vec<String> = (0..index.streams().len() as u32).map(of).collect();
    let spans = (index.time_span(), index.categories(), index.types(), index.streams(), index.troubles());
    format!("{rows:?} {postings:?} {spans:?}")
}

/// What was found, in a word or two.
pub(super) fn word(found: &Found) -> String {
    match found {
        Found::Proven { .. } => "proven".to_owned(),
        Found::Likely { caught_up, .. } => format!("likely, {caught_up} since"),
        Found::Nothing(Nothing::Damaged(_)) => "damaged".to_owned(),
        Found::Nothing(Nothing::Other(why)) => format!("nothing: {why}"),
        Found::Nothing(other) => format!("nothing: {other:?}"),
    }
}
