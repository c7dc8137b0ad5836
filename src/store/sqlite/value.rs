//! A value of a database between SQLite and us, every byte kept.

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::model::Stored;

/// A value of a row, kept.
pub(crate) fn stored(value: ValueRef<'_>) -> Stored {
    match value {
        ValueRef::Null => Stored::Null,
        ValueRef::Integer(number) => Stored::Integer(number),
        ValueRef::Real(number) => Stored::Real(number),
        ValueRef::Text(bytes) => Stored::Text(bytes.into()),
        ValueRef::Blob(bytes) => Stored::Blob(bytes.into()),
    }
}

/// A kept value on its way into a statement.
pub(crate) struct Bound<'a>(pub(crate) &'a Stored);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Stored::Null => ValueRef::Null,
            Stored::Integer(number) => ValueRef::Integer(*number),
            Stored::Real(number) => ValueRef::Real(*number),
            Stored::Text(bytes) => ValueRef::Text(bytes),
            Stored::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
