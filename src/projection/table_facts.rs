//! What SQLite knows of the table that a projection makes.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

/// A table of the projection as SQLite knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableFacts {
    /// Its columns and their declared types, in order.
    pub(super) columns: Vec<(Arc<str>, Arc<str>)>,
    /// Its declared key.
    pub(super) primary_key: Vec<Arc<str>>,
    /// Columns that cannot be NULL.
    pub(super) filled: Vec<Arc<str>>,
    /// Columns that SQLite works out of others.
    pub(super) generated: Vec<Arc<str>>,
    /// The name under which its rowid is reached.
    pub(super) rowid: &'static str,
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
        let mut statement = connection.prepare(
            "SELECT name, type, \"notnull\", pk, hidden > 1 FROM pragma_table_xinfo(?1) WHERE hidden <> 1",
        )?;
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        let lines: Vec<(String, String, bool, i64, bool)> =
            statement.query_map([table], read)?.collect::<rusqlite::Result<_>>()?;
        let mut keys: Vec<(i64, Arc<str>)> =
            lines.iter().filter(|line| line.3 > 0).map(|line| (line.3, line.0.as_str().into())).collect();
        keys.sort();
        let is_rowid = |line: &(String, String, bool, i64, bool)| {
            line.3 > 0 && keys.len() == 1 && line.1.eq_ignore_ascii_case("INTEGER")
        };
        let is_free = |name: &&str| !lines.iter().any(|line| line.0.eq_ignore_ascii_case(name));
        let Some(rowid) = ["rowid", "_rowid_", "oid"].into_iter().find(is_free) else {
            return Ok(Err("the columns rowid, _rowid_ and oid hide the row's own number".to_owned()));
        };
        let filled = lines.iter().filter(|line| line.2 || is_rowid(line));
        let generated = lines.iter().filter(|line| line.4);
        Ok(Ok(Self {
            generated: generated.map(|line| line.0.as_str().into()).collect(),
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
