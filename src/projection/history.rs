//! Triggers that write down every change of a table's rows, and the tables they write into.
//!
//! - `timeglass_row`: one line for each row that ever was, numbered from 1 in the order of birth, with the count
//!   at its birth and its key. A row that is deleted and made again under its key is the same row.
//! - `timeglass_live`: which number the row under a rowid has now.
//! - `timeglass_change`: one line for each change, in order, with the values after it (before it, if it was
//!   a deletion). Only appended to.
//! - `timeglass_now`: the count that lies behind the event that is being handled.

use std::{fmt::Write as _, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::projection::sql_text::{quote, text_literal};

/// What a change did.
pub(super) const INSERTED: i64 = 1;
/// The row has other values.
pub(super) const UPDATED: i64 = 2;
/// The row is gone.
pub(super) const DELETED: i64 = 3;

/// The index that finds the state of a row; made when a run ends, since that is quicker than keeping it.
pub(super) const INDEX: &str = "timeglass_change_of_row";

/// A table of the projection as SQLite knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableFacts {
    /// Its columns and their declared types, in order.
    pub(super) columns: Vec<(Arc<str>, Arc<str>)>,
    /// Its declared key.
    pub(super) primary_key: Vec<Arc<str>>,
    /// Columns that cannot be NULL.
    filled: Vec<Arc<str>>,
    /// The name under which its rowid is reached.
    rowid: &'static str,
}

impl TableFacts {
    /// Reads them; the inner error says in words why the table does not serve.
    pub(super) fn read(connection: &Connection, table: &str) -> rusqlite::Result<Result<Self, String>> {
        let found: Option<(String, bool)> = connection
            .query_row(
                "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE",
                [table],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        match found {
            None => {
                return Ok(Err(format!(
                    "no table `{table}` is made: the table of a projection is called as the projection"
                )));
            }
            Some((kind, _)) if kind != "table" => {
                return Ok(Err(format!("`{table}` is a {kind}; a projection needs a table")));
            }
            Some((_, true)) => {
                return Ok(Err(format!("`{table}` is made WITHOUT ROWID; leave that out")));
            }
            Some(_) => (),
        }
        let mut statement = connection
            .prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
        let lines: Vec<(String, String, bool, i64)> = statement
            .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut keys: Vec<(i64, Arc<str>)> =
            lines.iter().filter(|line| line.3 > 0).map(|line| (line.3, line.0.as_str().into())).collect();
        keys.sort();
        let is_rowid = |line: &(String, String, bool, i64)| {
            line.3 > 0 && keys.len() == 1 && line.1.eq_ignore_ascii_case("INTEGER")
        };
        let is_free = |name: &&str| !lines.iter().any(|line| line.0.eq_ignore_ascii_case(name));
        let Some(rowid) = ["rowid", "_rowid_", "oid"].into_iter().find(is_free) else {
            return Ok(Err("the columns rowid, _rowid_ and oid hide the row's own number".to_owned()));
        };
        let filled = lines.iter().filter(|line| line.2 || is_rowid(line));
        Ok(Ok(Self {
            filled: filled.map(|line| line.0.as_str().into()).collect(),
            columns: lines.iter().map(|line| (line.0.as_str().into(), line.1.as_str().into())).collect(),
            primary_key: keys.into_iter().map(|(_, name)| name).collect(),
            rowid,
        }))
    }

    /// The columns as the table spells them.
    pub(super) fn spelled(&self, names: &[Arc<str>]) -> Vec<Arc<str>> {
        let spelled = |name: &Arc<str>| self.columns.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        names.iter().filter_map(spelled).map(|(own, _)| Arc::clone(own)).collect()
    }
}

/// Whether these columns can be the key; why not, in words.
pub(super) fn check_key(facts: &TableFacts, key: &[Arc<str>]) -> Result<(), String> {
    let is_column = |name: &&Arc<str>| facts.columns.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    match key.iter().find(|name| !is_column(name)) {
        None => Ok(()),
        Some(name) => {
            let columns: Vec<&str> = facts.columns.iter().map(|(own, _)| &**own).collect();
            Err(format!("`key: {name}` is no column of the table; it has {}", columns.join(", ")))
        }
    }
}

/// Makes the key a key, and begins to write down what changes, if that is wanted.
pub(super) fn install(
    connection: &Connection,
    table: &str,
    facts: &TableFacts,
    key: &[Arc<str>],
    with_history: bool,
) -> rusqlite::Result<()> {
    let mut sql = key_rules(table, facts, key);
    if with_history {
        sql += &tables_sql(facts, key);
        sql += &triggers_sql(table, facts, key);
    }
    connection.execute_batch(&sql)
}

/// Makes the index that reading needs, unless it is there.
pub(super) fn index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {INDEX} ON timeglass_change (row, count)"))
}

/// Whether that index is there.
pub(super) fn is_indexed(connection: &Connection) -> rusqlite::Result<bool> {
    let found = connection.query_row("SELECT 1 FROM sqlite_master WHERE name = ?1", [INDEX], |_| Ok(()));
    found.optional().map(|found| found.is_some())
}

/// A row without a key, or two with the same, could not be told apart.
fn key_rules(table: &str, facts: &TableFacts, key: &[Arc<str>]) -> String {
    if key.is_empty() {
        return String::new();
    }
    let table = quote(table);
    let mut sql = String::new();
    let is_same = |name: &Arc<str>| facts.primary_key.iter().any(|own| own.eq_ignore_ascii_case(name));
    if key.len() != facts.primary_key.len() || !key.iter().all(is_same) {
        write!(sql, "CREATE UNIQUE INDEX timeglass_key ON {table} ({});", list(key, quote)).ok();
    }
    for (number, name) in key.iter().enumerate() {
        if facts.filled.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            continue;
        }
        let name_sql = quote(name);
        let message = text_literal(&format!("the key column {name} is NULL"));
        for (word, moment) in [("insert", "INSERT".to_owned()), ("update", format!("UPDATE OF {name_sql}"))] {
            write!(
                sql,
                "CREATE TRIGGER timeglass_null_{word}_{number} AFTER {moment} ON {table} \
                 WHEN NEW.{name_sql} IS NULL BEGIN SELECT RAISE(ABORT, {message}); END;"
            )
            .ok();
        }
    }
    sql
}

fn tables_sql(facts: &TableFacts, key: &[Arc<str>]) -> String {
    let values: Vec<String> = (0..facts.columns.len()).map(|number| format!("c{number}")).collect();
    let keys: Vec<String> = (0..key.len()).map(|number| format!("k{number}")).collect();
    let mut sql = String::from(
        "CREATE TABLE timeglass_now (id INTEGER PRIMARY KEY, count INTEGER);\
         INSERT INTO timeglass_now VALUES (1, 0);\
         CREATE TABLE timeglass_live (id INTEGER PRIMARY KEY, row INTEGER);",
    );
    let commas = |names: &[String]| behind_commas(names.iter().map(String::as_str));
    write!(
        sql,
        "CREATE TABLE timeglass_row (row INTEGER PRIMARY KEY, born INTEGER{});\
         CREATE TABLE timeglass_change (change INTEGER PRIMARY KEY, row INTEGER, count INTEGER, op INTEGER{});",
        commas(&keys),
        commas(&values)
    )
    .ok();
    if !keys.is_empty() {
        write!(sql, "CREATE UNIQUE INDEX timeglass_row_of_key ON timeglass_row ({});", keys.join(", ")).ok();
    }
    sql
}

fn triggers_sql(table: &str, facts: &TableFacts, key: &[Arc<str>]) -> String {
    let (table, rowid) = (quote(table), facts.rowid);
    let change = |which: &str, op: i64| {
        let values = facts.columns.iter().map(|(name, _)| format!("{which}.{}", quote(name)));
        let values = behind_commas(values);
        format!(
            "INSERT INTO timeglass_change SELECT NULL, l.row, n.count, {op}{values} \
             FROM timeglass_live AS l, timeglass_now AS n WHERE l.id = {which}.{rowid};"
        )
    };
    let birth = birth_sql(key, rowid);
    let forget = format!("DELETE FROM timeglass_live WHERE id = OLD.{rowid};");
    // Exactly the same, not merely equal by the column's own rules.
    let differs = |name: &Arc<str>, is_typed: bool| {
        let name = quote(name);
        let kind = if is_typed { "" } else { &format!(" OR typeof(OLD.{name}) <> typeof(NEW.{name})") };
        format!("OLD.{name} IS NOT NEW.{name} COLLATE BINARY{kind}")
    };
    let changed = facts.columns.iter().map(|(name, declared)| differs(name, is_strict(declared)));
    let changed = changed.collect::<Vec<_>>().join(" OR ");
    let mut moved: Vec<String> = vec![format!("OLD.{rowid} IS NOT NEW.{rowid}")];
    moved.extend(facts.spelled(key).iter().map(|name| differs(name, true)));
    let moved = moved.join(" OR ");
    let inserted = change("NEW", INSERTED);
    let move_sql = if key.is_empty() {
        let follow = format!("UPDATE timeglass_live SET id = NEW.{rowid} WHERE id = OLD.{rowid};");
        follow + &change("NEW", UPDATED)
    } else {
        format!("{}{forget}{birth}{inserted}", change("OLD", DELETED))
    };
    format!(
        "CREATE TRIGGER timeglass_insert AFTER INSERT ON {table} BEGIN {birth}{inserted} END;\
         CREATE TRIGGER timeglass_delete AFTER DELETE ON {table} BEGIN {}{forget} END;\
         CREATE TRIGGER timeglass_update AFTER UPDATE ON {table} WHEN NOT ({moved}) AND ({changed}) \
         BEGIN {} END;\
         CREATE TRIGGER timeglass_move AFTER UPDATE ON {table} WHEN {moved} BEGIN {move_sql} END;",
        change("OLD", DELETED),
        change("NEW", UPDATED),
    )
}

/// Finds the row's number by its key, or gives it the next one.
fn birth_sql(key: &[Arc<str>], rowid: &str) -> String {
    let now = "(SELECT count FROM timeglass_now)";
    if key.is_empty() {
        return format!(
            "INSERT INTO timeglass_row (born) VALUES ({now});\
             INSERT INTO timeglass_live VALUES (NEW.{rowid}, last_insert_rowid());"
        );
    }
    let names: Vec<String> = (0..key.len()).map(|number| format!("k{number}")).collect();
    // The plus sign takes the column's affinity away: keys are looked up as they are. None is NULL.
    let values = list(key, |name| format!("+NEW.{}", quote(name)));
    let is_same: Vec<String> =
        names.iter().zip(key).map(|(own, name)| format!("{own} = +NEW.{}", quote(name))).collect();
    let is_same = is_same.join(" AND ");
    format!(
        "INSERT INTO timeglass_row (born, {names}) SELECT {now}, {values} \
         WHERE NOT EXISTS (SELECT 1 FROM timeglass_row WHERE {is_same});\
         INSERT INTO timeglass_live SELECT NEW.{rowid}, row FROM timeglass_row WHERE {is_same};",
        names = names.join(", ")
    )
}

/// Whether a column of this declared type never holds two values that are equal and of different types.
fn is_strict(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    !declared.is_empty() && !declared.contains("BLOB")
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

fn list(names: &[Arc<str>], write: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| write(name)).collect::<Vec<_>>().join(", ")
}
