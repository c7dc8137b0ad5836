//! What SQLite knows of a table: columns, keys, indexes, row number.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::sqlite::plan::quote;

/// A table as SQLite declares it.
#[derive(Debug, Default)]
pub(super) struct TableFacts {
    table: String,
    /// Columns with their place in the primary key, from 1; 0 outside.
    columns: Vec<(Arc<str>, i64)>,
    /// Whether the primary key is the row number itself.
    has_integer_key: bool,
    has_row_numbers: bool,
    /// Columns of each index in order, and whether it is unique for all rows.
    indexes: Vec<(Vec<Arc<str>>, bool)>,
    /// Whether there is an index for the primary key: `INTEGER PRIMARY KEY DESC` is not the row number.
    has_key_index: bool,
}

impl TableFacts {
    pub(super) fn read(connection: &Connection, table: &str) -> rusqlite::Result<Self> {
        let mut facts = Self { table: table.to_owned(), ..Self::default() };
        let mut types = Vec::new();
        let mut statement = connection.prepare("SELECT name, pk, type FROM pragma_table_xinfo(?1)")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            let (name, place) = (text(row, 0)?, row.get::<_, i64>(1)?);
            if place > 0 {
                types.push(text(row, 2)?.to_ascii_uppercase());
            }
            facts.columns.push((name, place));
        }
        let probe = format!("SELECT rowid FROM {} LIMIT 0", quote(table));
        let shadowed = facts.columns.iter().any(|(name, _)| name.eq_ignore_ascii_case("rowid"));
        facts.has_row_numbers = shadowed || connection.prepare(&probe).is_ok();
        facts.read_indexes(connection)?;
        facts.has_integer_key = facts.has_row_numbers && types == ["INTEGER"] && !facts.has_key_index;
        Ok(facts)
    }

    fn read_indexes(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut list = connection
            .prepare("SELECT name, \"unique\" AND NOT partial, origin = 'pk' FROM pragma_index_list(?1)")?;
        let mut columns =
            connection.prepare("SELECT coalesce(name, '') FROM pragma_index_info(?1) ORDER BY seqno")?;
        let mut rows = list.query([&self.table])?;
        while let Some(row) = rows.next()? {
            let name = text(row, 0)?;
            let names = columns.query_map([&*name], |row| text(row, 0))?;
            self.indexes.push((names.collect::<Result<_, _>>()?, row.get(1)?));
            self.has_key_index |= row.get::<_, bool>(2)?;
        }
        Ok(())
    }

    /// The name under which the row number can be asked for; columns may hide it.
    pub(super) fn rowid(&self) -> Option<&'static str> {
        let is_hidden =
            |name: &&str| self.columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        self.has_row_numbers.then(|| ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_hidden(name)))?
    }

    pub(super) fn knows(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name.eq_ignore_ascii_case(column)) || self.is_row_number(column)
    }

    /// Whether the column is the row number, under its own name or as an integer primary key.
    pub(super) fn is_row_number(&self, column: &str) -> bool {
        match self.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)) {
            Some((_, place)) => self.has_integer_key && *place == 1,
            None => {
                self.has_row_numbers
                    && ["rowid", "_rowid_", "oid"].iter().any(|name| name.eq_ignore_ascii_case(column))
            }
        }
    }

    /// Whether no two rows can have the same values in all these columns.
    pub(super) fn is_unique(&self, columns: &[Arc<str>]) -> bool {
        let within = |names: &[Arc<str>]| {
            !names.is_empty()
                && names.iter().all(|name| columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
        };
        columns.iter().any(|column| self.is_row_number(column))
            || self.indexes.iter().any(|(names, is_unique)| *is_unique && within(names))
    }

    pub(super) fn is_indexed(&self, column: &str) -> bool {
        self.is_row_number(column)
            || self
                .indexes
                .iter()
                .any(|(names, _)| names.first().is_some_and(|name| name.eq_ignore_ascii_case(column)))
    }

    /// The columns of the primary key, in no particular order.
    pub(super) fn primary_key(&self) -> impl Iterator<Item = Arc<str>> {
        self.columns.iter().filter(|(_, place)| *place > 0).map(|(name, _)| Arc::clone(name))
    }

    /// The columns of the primary key, in its order.
    pub(super) fn sorted_key(&self) -> Vec<Arc<str>> {
        let mut key: Vec<&(Arc<str>, i64)> = self.columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        key.into_iter().map(|(name, _)| Arc::clone(name)).collect()
    }

    /// Whether its rows have numbers, even if no name is left to ask for them.
    pub(super) fn has_row_numbers(&self) -> bool {
        self.has_row_numbers
    }

    /// Why a column cannot sort events: it holds nothing or fractions in some rows, which show at
    /// the ends of its order. Looked at only where that is cheap.
    pub(super) fn oddity(&self, connection: &Connection, column: &str) -> rusqlite::Result<Option<String>> {
        if self.is_row_number(column) || !(self.is_indexed(column) || self.is_small(connection)?) {
            return Ok(None);
        }
        for direction in ["ASC", "DESC"] {
            let (column, table) = (quote(column), quote(&self.table));
            let sql = format!("SELECT typeof({column}) FROM {table} ORDER BY {column} {direction} LIMIT 1");
            let kind: Option<String> = connection.query_row(&sql, [], |row| row.get(0)).optional()?;
            match kind.as_deref() {
                Some("null") => return Ok(Some(format!("has rows without {column}"))),
                Some("real") => return Ok(Some(format!("has fractions in {column}"))),
                _ => (),
            }
        }
        Ok(None)
    }

    fn is_small(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let Some(rowid) = self.rowid() else { return Ok(false) };
        let sql = format!("SELECT coalesce(max({rowid}), 0) FROM {}", quote(&self.table));
        Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))? < 200_000)
    }
}

/// A text, whatever its bytes are.
fn text(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Arc<str>> {
    Ok(match row.get_ref(at)? {
        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into()
        }
        _ => "".into(),
    })
}
