//! A read model as of any point, written down: CSV, JSON, a JSON object a line, or SQL.

use std::{
    io::{self, Write},
    sync::Arc,
};

use crate::{
    model::{Json, Stored},
    projection::{Column, ReadModel, ScratchError},
    work::{Cancelled, Work},
};

/// How rows are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names; NULL is empty, bytes are hex.
    Csv,
    /// An array of objects.
    Json,
    /// An object a line.
    Ndjson,
    /// INSERT statements.
    Sql,
}

/// What is written, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// In which format.
    pub format: Format,
    /// The table's name, for SQL.
    pub table: Arc<str>,
    /// Whether text that is a JSON object or array is written as such in JSON: states of projections in
    /// JavaScript.
    pub has_states: bool,
}

/// Why rows could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The work was withdrawn.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Our own database failed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// What is written to did not take it.
    #[error(transparent)]
    Out(#[from] io::Error),
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::Ndjson, Self::Sql];

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Ndjson => "NDJSON",
            Self::Sql => "SQL inserts",
        }
    }

    /// How files of it end.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Sql => "sql",
        }
    }
}

/// Writes every row that existed after so many events, in order of birth; tells how many.
pub fn write_rows(
    work: &Work,
    model: &ReadModel,
    count: u64,
    shape: &Shape,
    out: &mut dyn Write,
) -> Result<u64, WriteError> {
    let columns = model.columns();
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    write_head(shape, &names, out)?;
    let mut rows: u64 = 0;
    let mut failed = None;
    model.each_at(work, count, &mut |row| {
        if failed.is_none() {
            failed = write_row(shape, columns, &row.values, rows == 0, out).err();
        }
        rows += 1;
    })?;
    if let Some(err) = failed {
        return Err(err.into());
    }
    work.advance(0)?;
    if shape.format == Format::Json {
        out.write_all(if rows == 0 { b"]\n" } else { b"\n]\n" })?;
    }
    out.flush()?;
    Ok(rows)
}

/// One row as a JSON object.
#[must_use]
pub fn row_json(columns: &[Column], values: &[Stored], has_states: bool) -> Json {
    let members = columns.iter().zip(values);
    Json::object(members.map(|(column, value)| (Arc::clone(&column.name), value_json(value, has_states))))
}

fn write_head(shape: &Shape, names: &[&str], out: &mut dyn Write) -> io::Result<()> {
    match shape.format {
        Format::Csv => {
            let fields: Vec<String> = names.iter().map(|name| csv_field(name)).collect();
            out.write_all(fields.join(",").as_bytes())?;
            out.write_all(b"\r\n")
        }
        Format::Json => out.write_all(b"["),
        Format::Ndjson | Format::Sql => Ok(()),
    }
}

fn write_row(
    shape: &Shape,
    columns: &[Column],
    values: &[Stored],
    is_first: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match shape.format {
        Format::Csv => {
            let fields: Vec<String> = values.iter().map(|value| csv_field(&plain_text(value))).collect();
            out.write_all(fields.join(",").as_bytes())?;
            out.write_all(b"\r\n")
        }
        Format::Json => {
            out.write_all(if is_first { b"\n  " } else { b",\n  " })?;
            out.write_all(row_json(columns, values, shape.has_states).to_compact().as_bytes())
        }
        Format::Ndjson => {
            out.write_all(row_json(columns, values, shape.has_states).to_compact().as_bytes())?;
            out.write_all(b"\n")
        }
        Format::Sql => {
            let names: Vec<String> = columns.iter().map(|column| sql_name(&column.name)).collect();
            let values: Vec<String> = values.iter().map(sql_value).collect();
            writeln!(
                out,
                "INSERT INTO {} ({}) VALUES ({});",
                sql_name(&shape.table),
                names.join(", "),
                values.join(", ")
            )
        }
    }
}

fn value_json(value: &Stored, has_states: bool) -> Json {
    match value {
        Stored::Null => Json::Null,
        Stored::Integer(number) => Json::from(*number),
        Stored::Real(number) if number.is_finite() => Json::from(*number),
        Stored::Text(bytes) if has_states && matches!(bytes.first(), Some(b'{' | b'[')) => {
            Json::parse(bytes).unwrap_or_else(|_| Json::from(plain_text(value)))
        }
        Stored::Real(_) | Stored::Text(_) | Stored::Blob(_) => Json::from(plain_text(value)),
    }
}

/// Nothing for NULL, hex for bytes.
fn plain_text(value: &Stored) -> String {
    match value {
        Stored::Null => String::new(),
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) => format!("{number:?}"),
        Stored::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Stored::Blob(_) => value.to_hex(),
    }
}

/// Quoted where it must be, as RFC 4180 says.
fn csv_field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sql_value(value: &Stored) -> String {
    match value {
        Stored::Null => "NULL".to_owned(),
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) if number.is_infinite() => {
            if *number > 0.0 {
                "9e999".to_owned()
            } else {
                "-9e999".to_owned()
            }
        }
        Stored::Real(number) => format!("{number:?}"),
        // Text with a zero byte, or that is no UTF-8, has no literal.
        Stored::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => format!("'{}'", text.replace('\'', "''")),
            _ => format!("CAST(x'{}' AS TEXT)", value.to_hex()),
        },
        Stored::Blob(_) => format!("x'{}'", value.to_hex()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{
        model::Stored,
        projection::{
            Column,
            export::{Format, Shape, write_head, write_row},
        },
    };

    fn check(format: Format, has_states: bool, values: &[Stored], expected: &str) {
        let columns: Vec<Column> = (0..values.len())
            .map(|place| Column {
                name: ["id", "a \"b\"", "c"].get(place).copied().unwrap_or("d").into(),
                declared: "".into(),
                is_key: place == 0,
            })
            .collect();
        let shape = Shape { format, table: "t".into(), has_states };
        let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
        let mut out = Vec::new();
        write_head(&shape, &names, &mut out).unwrap();
        write_row(&shape, &columns, values, true, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn text(text: &str) -> Stored {
        Stored::Text(Arc::from(text.as_bytes()))
    }

    #[test]
    fn values_come_out_as_each_format_writes_them() {
        let values = [text("o'1"), text("x, \"y\"\nz"), Stored::Null];
        check(Format::Csv, false, &values, "id,\"a \"\"b\"\"\",c\r\no'1,\"x, \"\"y\"\"\nz\",\r\n");
        check(
            Format::Json,
            false,
            &values,
            "[\n  {\"id\":\"o'1\",\"a \\\"b\\\"\":\"x, \\\"y\\\"\\nz\",\"c\":null}",
        );
        check(
            Format::Sql,
            false,
            &values,
            "INSERT INTO \"t\" (\"id\", \"a \"\"b\"\"\", \"c\") VALUES ('o''1', 'x, \"y\"\nz', NULL);\n",
        );
        let values = [Stored::Integer(-1), Stored::Real(1.0), Stored::Blob(Arc::from([0xab_u8, 1]))];
        check(Format::Ndjson, false, &values, "{\"id\":-1,\"a \\\"b\\\"\":1.0,\"c\":\"ab01\"}\n");
        check(
            Format::Sql,
            false,
            &values,
            "INSERT INTO \"t\" (\"id\", \"a \"\"b\"\"\", \"c\") VALUES (-1, 1.0, x'ab01');\n",
        );
        check(Format::Csv, false, &values, "id,\"a \"\"b\"\"\",c\r\n-1,1.0,ab01\r\n");
    }

    #[test]
    fn states_are_json_inside_json() {
        check(
            Format::Ndjson,
            true,
            &[text("order-1"), text("{\"n\":1}")],
            "{\"id\":\"order-1\",\"a \\\"b\\\"\":{\"n\":1}}\n",
        );
        check(Format::Ndjson, false, &[text("{\"n\":1}")], "{\"id\":\"{\\\"n\\\":1}\"}\n");
    }

    #[test]
    fn sql_keeps_texts_that_have_no_literal() {
        let odd = Stored::Text(Arc::from([b'a', 0, 0xff]));
        check(Format::Sql, false, &[odd], "INSERT INTO \"t\" (\"id\") VALUES (CAST(x'6100ff' AS TEXT));\n");
    }
}
