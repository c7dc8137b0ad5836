//! Where the columns of a table lie in its records, as its declaration says.

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    model::Stored,
    store::{
        pages::{Field, Missing},
        sqlite::facts::TableFacts,
    },
};

/// How the rows of a table with row numbers are written.
#[derive(Debug)]
pub(super) struct Records {
    /// The first page of its tree.
    pub(super) root: u32,
    facts: TableFacts,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Its place in the records; `None` for one that is made up from others.
    at: Option<usize>,
    affinity: Affinity,
    default: Option<String>,
}

/// What SQLite makes of values on their way into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Records {
    /// Reads the declaration; nothing for a view, a virtual table or one without row numbers.
    pub(super) fn read(connection: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let facts = TableFacts::read(connection, table)?;
        let sql = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        let root: Option<i64> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
        let Some(root) = root.and_then(|root| u32::try_from(root).ok()).filter(|root| *root > 1) else {
            return Ok(None);
        };
        if !facts.has_row_numbers() {
            return Ok(None);
        }
        let mut statement = connection
            .prepare("SELECT name, type, dflt_value, hidden FROM pragma_table_xinfo(?1) ORDER BY cid")?;
        let mut rows = statement.query([table])?;
        let mut columns = Vec::new();
        let mut next = 0;
        while let Some(row) = rows.next()? {
            let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
            let hidden: i64 = row.get(3)?;
            // 2 is generated when it is read, and has no place; 3 is generated and stored.
            let at = (hidden == 0).then_some(next);
            next += usize::from(hidden != 2);
            columns.push(Column { name, at, affinity: Affinity::of(&declared), default: row.get(2)? });
        }
        Ok(Some(Self { root, facts, columns }))
    }

    /// How a column is read; nothing for one that only SQLite can make.
    pub(super) fn field(&self, name: &str) -> Option<Field> {
        if self.facts.is_row_number(name) {
            return Some(Field::RowId);
        }
        let column = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
        Some(Field::Column {
            at: column.at?,
            is_real: column.affinity == Affinity::Real,
            missing: column.missing(),
        })
    }

    /// Whether a name means the row number.
    pub(super) fn is_row_number(&self, name: &str) -> bool {
        self.facts.is_row_number(name)
    }

    /// Whether a column's whole numbers come back as floating-point ones.
    pub(super) fn is_real(&self, name: &str) -> bool {
        let column = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        column.is_some_and(|column| column.affinity == Affinity::Real)
    }
}

impl Column {
    /// What older records hold that end before this column was added. Simple defaults only.
    fn missing(&self) -> Missing {
        let Some(default) = self.default.as_deref().map(str::trim) else {
            return Missing::Value(Stored::Null);
        };
        if default.eq_ignore_ascii_case("null") {
            return Missing::Value(Stored::Null);
        }
        let is_kept = |converting: &[Affinity]| !converting.contains(&self.affinity);
        if let Ok(number) = default.parse::<i64>()
            && is_kept(&[Affinity::Text, Affinity::Real])
        {
            return Missing::Value(Stored::Integer(number));
        }
        let inside = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        if let Some(inside) = inside
            && is_kept(&[Affinity::Integer, Affinity::Numeric, Affinity::Real])
            && !inside.replace("''", "").contains('\'')
        {
            return Missing::Value(Stored::Text(inside.replace("''", "'").into_bytes().into()));
        }
        Missing::Unknown
    }
}

impl Affinity {
    /// By the declared type, as SQLite's documentation has it.
    fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || has(&["BLOB"]) {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[(&str, Option<Field>)]) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let records = Records::read(&connection, "t").unwrap().unwrap();
        for (name, field) in expected {
            assert_eq!(records.field(name), *field, "{name} of {sql}");
        }
    }

    fn column(at: usize, is_real: bool, missing: Stored) -> Field {
        Field::Column { at, is_real, missing: Missing::Value(missing) }
    }

    fn unknown(at: usize) -> Field {
        Field::Column { at, is_real: false, missing: Missing::Unknown }
    }

    #[test]
    fn columns_are_found_in_records() {
        let null = || Stored::Null;
        check(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a REAL, b TEXT DEFAULT 'it''s', c INT DEFAULT -5)",
            &[
                ("ID", Some(Field::RowId)),
                ("rowid", Some(Field::RowId)),
                ("a", Some(column(1, true, null()))),
                ("b", Some(column(2, false, Stored::Text(b"it's".as_slice().into())))),
                ("c", Some(column(3, false, Stored::Integer(-5)))),
                ("d", None),
            ],
        );
        check(
            "CREATE TABLE t (a, v AS (a + 1), s AS (a + 2) STORED, b FLOATING POINT, c TEXT DEFAULT 5)",
            &[
                ("a", Some(column(0, false, null()))),
                ("v", None),
                ("s", None),
                // "POINT" contains "INT".
                ("b", Some(column(2, false, null()))),
                ("c", Some(unknown(3))),
            ],
        );
        check("CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a)", &[("id", Some(column(0, false, null())))]);
        check(
            "CREATE TABLE t (rowid TEXT, a)",
            &[("rowid", Some(column(0, false, null()))), ("oid", Some(Field::RowId))],
        );
        check(
            "CREATE TABLE t (a INT DEFAULT (1 + 1), b DEFAULT CURRENT_TIMESTAMP)",
            &[("a", Some(unknown(0))), ("b", Some(unknown(1)))],
        );
    }

    #[test]
    fn tables_without_row_numbers_and_views_are_left_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID; CREATE VIEW v AS SELECT 1 AS a")
            .unwrap();
        for table in ["w", "v", "missing"] {
            assert!(Records::read(&connection, table).unwrap().is_none(), "{table}");
        }
    }
}
