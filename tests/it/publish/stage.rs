//! A store with a read model, and edits of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, types::Value};
use timeglass::{
    model::{Stored, Timestamp},
    publish::{
        BackupPlace, DryRun, Edits, Publication, PublishError, Published, RowEdit, RowPlace, Step,
        TableEdits, Unlock, dry_run, publish,
    },
    store::{EventStore as _, EventsHead, layout::Layout, sqlite::SqliteStore},
    work::{Cancelled, Work},
};

use crate::sqlite_store::open;

/// Rows that the read model has at first.
pub(super) const ROWS: i64 = 60;

/// Half past nine in the morning of 1 March 2024.
pub(super) fn morning() -> Timestamp {
    Timestamp::parse("2024-03-01T09:30:00Z").expect("a time")
}

/// A store in a folder of its own.
pub(super) struct Stage {
    pub(super) folder: tempfile::TempDir,
    pub(super) path: PathBuf,
}

pub(super) const SCHEMA: &str = "
    CREATE TABLE events (
        global_position INTEGER PRIMARY KEY,
        stream_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (stream_id, version)
    );
    CREATE TABLE orders (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        items INTEGER NOT NULL DEFAULT 0,
        created_at TEXT DEFAULT CURRENT_TIMESTAMP
    );
    CREATE TABLE projection_checkpoints (projection TEXT PRIMARY KEY, last_position INTEGER, status TEXT);
    INSERT INTO projection_checkpoints VALUES ('orders', 7, 'running'), ('other', 3, 'running');
";

/// Fills the events and the read model.
pub(super) fn fill(connection: &Connection) {
    connection.execute_batch(SCHEMA).expect("tables");
    connection.execute_batch("BEGIN").expect("a transaction");
    for number in 0..ROWS {
        connection
            .execute(
                "INSERT INTO events VALUES (?1, ?2, 1, 'OrderPlaced', ?3, '2024-03-01T09:00:00Z')",
                (number + 1, format!("order-{number}"), format!("{{\"items\":{number}}}")),
            )
            .expect("an event");
        connection
            .execute(
                "INSERT INTO orders VALUES (?1, 'placed', ?2, '2024-03-01 09:00:00')",
                (format!("order-{number}"), number),
            )
            .expect("a row");
    }
    connection.execute_batch("COMMIT").expect("a commit");
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with("delete", "")
    }

    /// A store in this journal mode, with more tables.
    pub(super) fn with(journal: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shop.sqlite");
        let connection = Connection::open(&path).expect("a new database");
        connection.pragma_update(None, "journal_mode", journal).expect("a journal mode");
        connection.pragma_update(None, "foreign_keys", false).expect("a setting");
        fill(&connection);
        connection.execute_batch(more).expect("more tables");
        drop(connection);
        Self { folder, path }
    }

    pub(super) fn store(&self) -> SqliteStore {
        open(&self.path)
    }

    pub(super) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.store().describe().layout)
    }

    pub(super) fn head(&self) -> EventsHead {
        self.store().events_head(&Work::default()).expect("a head")
    }

    pub(super) fn plan(&self, edits: &Edits) -> Result<DryRun, PublishError> {
        dry_run(&Work::default(), &self.store(), edits, self.head())
    }

    /// Dry run and publication, with nothing in between.
    pub(super) fn publish(&self, edits: &Edits) -> Result<Published, PublishError> {
        let plan = self.plan(edits)?;
        self.write(edits, &plan)
    }

    pub(super) fn write(&self, edits: &Edits, plan: &DryRun) -> Result<Published, PublishError> {
        write_watched(&self.path, edits, plan, &BackupPlace::Beside, &|_| Ok(()))
    }

    /// Every row of a table, in the order of its row numbers or key.
    pub(super) fn rows(&self, table: &str) -> Vec<Vec<Value>> {
        rows_of(&self.path, table)
    }

    /// The names of all files in the folder.
    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Publishes into a store, watched.
pub(super) fn write_watched(
    path: &Path,
    edits: &Edits,
    plan: &DryRun,
    backup: &BackupPlace,
    observe: &dyn Fn(Step) -> Result<(), Cancelled>,
) -> Result<Published, PublishError> {
    let layout = Arc::clone(&open(path).describe().layout);
    let publication = Publication {
        path,
        layout: &layout,
        edits,
        expected: &plan.expected,
        backup,
        at: morning(),
        patience: Duration::from_millis(50),
    };
    let unlock = Unlock::confirm(path, "shop.sqlite").expect("the store's name");
    publish(&Work::default(), &publication, &unlock, observe)
}

pub(super) fn rows_of(path: &Path, table: &str) -> Vec<Vec<Value>> {
    let connection = Connection::open(path).expect("a database");
    let mut statement =
        connection.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1, 2")).expect("a table");
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect()).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

pub(super) fn text(text: &str) -> Stored {
    Stored::Text(text.as_bytes().into())
}

/// `[("id", …), …]` with shared names.
pub(super) fn values<const N: usize>(values: [(&str, Stored); N]) -> Vec<(Arc<str>, Stored)> {
    values.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

pub(super) fn place<const N: usize>(is: [(&str, Stored); N]) -> RowPlace {
    RowPlace::one(values(is))
}

pub(super) fn of(table: TableEdits) -> Edits {
    Edits { subject: "orders".into(), tables: vec![table], ..Edits::default() }
}

/// What a drift of every kind would ask for: `rows` inserts and updates, some deletes, and the checkpoint.
pub(super) fn everything(rows: i64) -> Edits {
    let id = |number: i64| ("id", text(&format!("order-{number}")));
    let orders = TableEdits {
        stored: None,
        table: "orders".into(),
        inserts: (0..rows)
            .map(|number| {
                let new = format!("new-{number}");
                values([("id", text(&new)), ("status", text("paid")), ("items", Stored::Integer(number))])
            })
            .collect(),
        updates: (0..ROWS / 2)
            .map(|number| RowEdit {
                place: place([id(number), ("status", text("placed"))]),
                values: values([("status", text("shipped"))]),
            })
            .collect(),
        deletes: (ROWS / 2..ROWS / 2 + 10).map(|number| place([id(number)])).collect(),
    };
    let checkpoint = TableEdits {
        table: "projection_checkpoints".into(),
        updates: vec![RowEdit {
            place: place([("projection", text("orders")), ("last_position", Stored::Integer(7))]),
            values: values([("last_position", Stored::Integer(60))]),
        }],
        ..TableEdits::default()
    };
    Edits { subject: "orders".into(), tables: vec![orders, checkpoint], ..Edits::default() }
}
