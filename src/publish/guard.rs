//! What the one connection that writes may do: change rows of the tables in the edits, and nothing else.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::store::{layout::Layout, layout::TableKind, sqlite::uri};

/// Pragmas that tell something; with a value, only about a table.
const TELLING: [&str; 12] = [
    "data_version",
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "page_count",
    "page_size",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Opens a database for writing. It must be there; SQLite opens one that may not be written for reading.
///
/// `tables` are the tables whose rows may change, as the database spells them. Triggers of the database do
/// not fire and its foreign keys do not act, since either could change other tables behind our back.
pub(super) fn open(path: &Path, patience: Duration, tables: &[Arc<str>]) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(uri(path, "mode=rw"), flags)?;
    settle(&connection, patience)?;
    confine(&mut connection, tables)?;
    Ok(connection)
}

/// Takes from a connection whatever could act by itself.
pub(super) fn settle(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(patience)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1)?;
    connection.set_prepared_statement_cache_capacity(64);
    // The strictest that there is: a commit that was reported is on the disk.
    connection.pragma_update(None, "synchronous", "extra")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)
}

/// Denies everything but reading, and changes of rows of these tables.
fn confine(connection: &mut Connection, tables: &[Arc<str>]) -> rusqlite::Result<()> {
    let tables: BTreeSet<String> = tables.iter().map(|table| table.to_lowercase()).collect();
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if is_allowed(&context, &tables) { Authorization::Allow } else { Authorization::Deny }
    }))
}

fn is_allowed(context: &AuthContext<'_>, tables: &BTreeSet<String>) -> bool {
    let is_open = |table: &str| {
        tables.contains(&table.to_lowercase())
            && context.database_name == Some("main")
            // A trigger or view is at work, where none should be.
            && context.accessor.is_none()
    };
    match &context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Recursive
        | AuthAction::Transaction { .. } => true,
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => is_open(table_name),
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, .. } => {
            TELLING.iter().any(|name| pragma_name.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

/// The tables that hold events or say what they belong to: never written, whatever the edits say.
pub(super) fn protected(layout: &Layout) -> impl Iterator<Item = &Arc<str>> {
    let events = &layout.events;
    let kinds = layout.tables.iter().filter(|note| {
        matches!(note.kind, TableKind::Events | TableKind::Archive | TableKind::Links | TableKind::Streams)
    });
    std::iter::once(&events.table)
        .chain(&events.archives)
        .chain(events.joins.iter().map(|join| &join.table))
        .chain(kinds.map(|note| &note.table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(connection: &Connection, sql: &str, is_allowed: bool) {
        let answer =
            connection.prepare(sql).and_then(|mut statement| statement.query([])?.next().map(|_| ()));
        assert_eq!(answer.is_ok(), is_allowed, "{sql}: {answer:?}");
    }

    #[test]
    fn only_rows_of_the_named_tables_can_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("what? it's a 100% store#1.sqlite");
        let owner = Connection::open(&path).unwrap();
        owner
            .execute_batch(
                "CREATE TABLE events (id INTEGER PRIMARY KEY, data TEXT);
                 INSERT INTO events VALUES (1, 'a');
                 CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER,
                                      event INTEGER REFERENCES events ON DELETE CASCADE);
                 CREATE INDEX orders_n ON orders (n);
                 CREATE TABLE child (of INTEGER REFERENCES orders ON DELETE CASCADE);
                 CREATE VIEW few AS SELECT * FROM orders;
                 CREATE TRIGGER harm AFTER INSERT ON orders BEGIN DELETE FROM events; END;
                 CREATE TRIGGER few_in INSTEAD OF INSERT ON few BEGIN DELETE FROM events; END;",
            )
            .unwrap();
        drop(owner);
        let connection = open(&path, Duration::ZERO, &["orders".into()]).unwrap();
        check(&connection, "INSERT INTO orders (n) VALUES (1)", true);
        check(&connection, "UPDATE ORDERS SET n = 2", true);
        check(&connection, "SELECT count(*) FROM events", true);
        check(&connection, "PRAGMA foreign_key_check(orders)", true);
        for sql in [
            "INSERT INTO events (data) VALUES ('x')",
            "INSERT OR REPLACE INTO \"EVENTS\" VALUES (1, 'x')",
            "UPDATE events SET data = ''",
            "UPDATE Events SET data = data",
            "UPDATE main.events SET data = ''",
            "DELETE FROM events",
            "DELETE FROM events WHERE 0",
            "WITH x AS (SELECT 1) DELETE FROM events",
            "INSERT INTO events SELECT 9, 'x' FROM orders ON CONFLICT DO UPDATE SET data = ''",
            "INSERT INTO child VALUES (1)",
            "INSERT INTO few VALUES (1, 2, 3)",
            "DROP TABLE events",
            "DROP TABLE orders",
            "ALTER TABLE events RENAME TO gone",
            "ALTER TABLE orders ADD COLUMN x",
            "CREATE TABLE x (a)",
            "CREATE TEMP TABLE x (a)",
            "CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM events; END",
            "CREATE TEMP TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM events; END",
            "CREATE INDEX i ON events (data)",
            "CREATE VIEW v AS SELECT 1",
            "DROP TRIGGER harm",
            "REINDEX",
            "ANALYZE",
            "VACUUM",
            "VACUUM INTO '/tmp/x'",
            "ATTACH '/tmp/x' AS x",
            "PRAGMA writable_schema = 1",
            "PRAGMA journal_mode = off",
            "PRAGMA foreign_keys = 1",
            "PRAGMA recursive_triggers = 1",
            "PRAGMA user_version = 1",
            "UPDATE sqlite_schema SET sql = ''",
            "DELETE FROM sqlite_sequence",
            "SELECT load_extension('x')",
            "SAVEPOINT s",
        ] {
            check(&connection, sql, false);
        }
        check(&connection, "DELETE FROM orders", true);
        let events: i64 = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(events, 1, "no trigger and no cascade has run");
    }
}
