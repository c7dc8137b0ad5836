//! The tables that keep every state of every row, and the triggers that tell what SQLite's update hook does not.
//!
//! - `timeglass_row`: one line for each row that ever was, numbered from 1 in the order of birth, with the count
//!   at its birth and its key. A row that is deleted and made again under its key is the same row.
//! - `timeglass_change`: one line for each change, in order: the values that an event left in a row, or that it
//!   deleted the row. Only appended to.
//! - `timeglass_live`: which number the row under a rowid has, where the rowid itself is not that number.
//! - `timeglass_dead`: the numbers of deleted rows by their keys, for when they are made again.
//!
//! `recorder` writes the lines.

use std::{fmt::Write as _, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::projection::{
    definition::{SqlSource, Statement},
    sql_text::{quote, text_literal, tokens},
    table_facts::TableFacts,
};

/// What a change did.
pub(super) const INSERTED: i64 = 1;
/// The row has other values.
pub(super) const UPDATED: i64 = 2;
/// The row is gone.
pub(super) const DELETED: i64 = 3;

/// The index that finds the state of a row; made when a run ends, since that is quicker than keeping it.
pub(super) const INDEX: &str = "timeglass_change_of_row";

/// How a row without a key is kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyRule {
    /// By NOT NULL, which costs nothing.
    NotNull,
    /// By a trigger: where statements say IGNORE, NOT NULL would drop the row in silence.
    Trigger,
}

impl KeyRule {
    /// What the statements of a definition call for.
    pub(super) fn of(source: &SqlSource) -> Self {
        let handled = source.handlers.iter().flat_map(|handler| &handler.statements);
        let ignores =
            |statement: &Statement| tokens(&statement.sql).iter().any(|token| token.is_word("IGNORE"));
        if source.setup.iter().chain(handled).any(ignores) { Self::Trigger } else { Self::NotNull }
    }
}

/// What is said about a row without a key.
pub(super) fn no_key(column: &str) -> String {
    format!("the key column {column} is NULL")
}

/// Makes the key a key, and begins to write down what changes, if that is wanted.
pub(super) fn install(
    connection: &Connection,
    table: &str,
    facts: &TableFacts,
    key: &[Arc<str>],
    (rule, with_history): (KeyRule, bool),
) -> rusqlite::Result<()> {
    let mut sql = key_index(table, facts, key);
    for (number, name) in key.iter().enumerate() {
        if facts.filled.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            continue;
        }
        let not_null = format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", quote(table), quote(name));
        // SQLite looks at the whole schema before it changes a table, and may find fault with other parts of it.
        if rule == KeyRule::Trigger || connection.execute_batch(&not_null).is_err() {
            sql += &null_triggers(table, number, name);
        }
    }
    if with_history {
        sql += &tables_sql(facts, key);
        sql += &triggers_sql(table, facts, key);
    }
    connection.execute_batch(&sql)
}

/// Makes the indexes that reading needs, unless they are there.
pub(super) fn index(connection: &Connection, key: &[Arc<str>]) -> rusqlite::Result<()> {
    if !key.is_empty() {
        let names = own_names(key.len());
        connection.execute_batch(&format!(
            "CREATE INDEX IF NOT EXISTS timeglass_row_of_key ON timeglass_row ({names})"
        ))?;
    }
    // The last one: where it is, all are.
    connection.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {INDEX} ON timeglass_change (row, count)"))
}

/// Whether that index is there.
pub(super) fn is_indexed(connection: &Connection) -> rusqlite::Result<bool> {
    let found = connection.query_row("SELECT 1 FROM sqlite_master WHERE name = ?1", [INDEX], |_| Ok(()));
    found.optional().map(|found| found.is_some())
}

/// Two rows with the same key could not be told apart.
fn key_index(table: &str, facts: &TableFacts, key: &[Arc<str>]) -> String {
    let is_same = |name: &Arc<str>| facts.primary_key.iter().any(|own| own.eq_ignore_ascii_case(name));
    if key.is_empty() || (key.len() == facts.primary_key.len() && key.iter().all(is_same)) {
        return String::new();
    }
    format!("CREATE UNIQUE INDEX timeglass_key ON {} ({});", quote(table), list(key, quote))
}

fn null_triggers(table: &str, number: usize, name: &str) -> String {
    let (table, name_sql, message) = (quote(table), quote(name), text_literal(&no_key(name)));
    let mut sql = String::new();
    for (word, moment) in [("insert", "INSERT".to_owned()), ("update", format!("UPDATE OF {name_sql}"))] {
        write!(
            sql,
            "CREATE TRIGGER timeglass_null_{word}_{number} AFTER {moment} ON {table} \
             WHEN NEW.{name_sql} IS NULL BEGIN SELECT RAISE(ABORT, {message}); END;"
        )
        .ok();
    }
    sql
}

fn tables_sql(facts: &TableFacts, key: &[Arc<str>]) -> String {
    let values = behind_commas((0..facts.columns.len()).map(|number| format!("c{number}")));
    let names = own_names(key.len());
    let keys = behind_commas((!key.is_empty()).then_some(&names).into_iter());
    let mut sql = format!(
        "CREATE TABLE timeglass_row (row INTEGER PRIMARY KEY, born INTEGER{keys});\
         CREATE TABLE timeglass_change (change INTEGER PRIMARY KEY, row INTEGER, count INTEGER, op INTEGER{values});\
         CREATE TABLE timeglass_live (id INTEGER PRIMARY KEY, row INTEGER);"
    );
    if !key.is_empty() {
        write!(
            sql,
            "CREATE TABLE timeglass_dead (row INTEGER PRIMARY KEY, {names});\
             CREATE INDEX timeglass_dead_by_key ON timeglass_dead ({names});"
        )
        .ok();
    }
    sql
}

fn triggers_sql(table: &str, facts: &TableFacts, key: &[Arc<str>]) -> String {
    let (table, rowid) = (quote(table), facts.rowid);
    let spelled = facts.spelled(key);
    let mut moved = vec![format!("OLD.{rowid} IS NOT NEW.{rowid}")];
    moved.extend(
        spelled.iter().map(quote_of).map(|name| format!("OLD.{name} IS NOT NEW.{name} COLLATE BINARY")),
    );
    // An UPDATE of other columns knows nothing of this trigger, and costs nothing more than without it.
    let names = ["rowid", "_rowid_", "oid"].map(str::to_owned).into_iter();
    let names = names.chain(spelled.iter().chain(&facts.primary_key).map(quote_of));
    let of = if spelled.iter().any(|name| facts.generated.contains(name)) {
        String::new()
    } else {
        format!(" OF {}", names.collect::<Vec<_>>().join(", "))
    };
    format!(
        "CREATE TRIGGER timeglass_delete AFTER DELETE ON {table} \
         BEGIN SELECT timeglass_gone(OLD.{rowid}); END;\
         CREATE TRIGGER timeglass_move AFTER UPDATE{of} ON {table} WHEN {moved} \
         BEGIN SELECT timeglass_moved(OLD.{rowid}, NEW.{rowid}); END;",
        moved = moved.join(" OR ")
    )
}

fn quote_of(name: &Arc<str>) -> String {
    quote(name)
}

/// The key's columns in our own tables: `k0, k1`.
pub(super) fn own_names(keys: usize) -> String {
    (0..keys).map(|number| format!("k{number}")).collect::<Vec<_>>().join(", ")
}

/// `, a, b`: each with a comma before it.
pub(super) fn behind_commas(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for name in names {
        text.push_str(", ");
        text.push_str(name.as_ref());
    }
    text
}

pub(super) fn list(names: &[Arc<str>], write: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| write(name)).collect::<Vec<_>>().join(", ")
}
