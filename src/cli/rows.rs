//! Answers in rows, written one by one in any of the formats.

use crate::{
    cli::{
        failure::Failure,
        output::{Format, Output},
        table::{Side, Table, counted, csv_line},
    },
    model::Json,
};

/// Writes rows in one of the formats, as they come.
pub(crate) struct RowWriter {
    format: Format,
    /// The columns of the comma-separated form, which are members of each object.
    fields: &'static [&'static str],
    table: Table,
    written: usize,
}

/// How much there is beside what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Nothing.
    All,
    /// So many in all.
    Of(usize),
    /// More, nobody counted how many.
    More,
    /// Nobody looked whether there is more.
    PerhapsMore,
}

impl RowWriter {
    /// Begins an answer: `fields` are the columns of the comma-separated form, `columns` those for people.
    pub(crate) fn begin(
        format: Format,
        fields: &'static [&'static str],
        columns: &[(&str, Side)],
        output: &mut Output<'_>,
    ) -> Result<Self, Failure> {
        match format {
            Format::Json => output.text("[")?,
            Format::Csv => output.line(&csv_line(fields))?,
            Format::Ndjson | Format::Text => (),
        }
        Ok(Self { format, fields, table: Table::new(columns), written: 0 })
    }

    /// Writes a row: an object for machines, or the cells of a line for people.
    pub(crate) fn row(
        &mut self,
        output: &mut Output<'_>,
        object: impl FnOnce() -> Json,
        cells: impl FnOnce() -> Vec<String>,
    ) -> Result<(), Failure> {
        self.written += 1;
        match self.format {
            Format::Json => {
                output.text(if self.written == 1 { "\n  " } else { ",\n  " })?;
                output.text(&object().to_compact())
            }
            Format::Ndjson => output.line(&object().to_compact()),
            Format::Csv => {
                let object = object();
                output.line(&csv_line(self.fields.iter().map(|field| scalar(object.get(field)))))
            }
            Format::Text => self.table.row(output, &cells()),
        }
    }

    /// How many rows were written so far.
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// Ends the answer; people are told how many there were of what, and whether there are more.
    pub(crate) fn end(mut self, output: &mut Output<'_>, noun: &str, whole: Whole) -> Result<usize, Failure> {
        match self.format {
            Format::Json if self.written == 0 => output.line("]")?,
            Format::Json => output.line("\n]")?,
            Format::Text => {
                self.table.write(output)?;
                let written = counted(self.written, noun);
                output.remark(&match whole {
                    Whole::Of(all) if all > self.written => {
                        format!("{} of {}", self.written, counted(all, noun))
                    }
                    Whole::More => format!("the first {written}; there are more"),
                    Whole::PerhapsMore => format!("the first {written}; there may be more"),
                    Whole::All | Whole::Of(_) => written,
                });
            }
            Format::Ndjson | Format::Csv => (),
        }
        Ok(self.written)
    }
}

/// The columns of a line about an event, for people, with one of its own at the end.
pub(crate) fn event_columns(last: &str) -> [(&str, Side); 6] {
    [
        ("position", Side::Right),
        ("time", Side::Left),
        ("stream", Side::Left),
        ("version", Side::Right),
        ("type", Side::Left),
        (last, Side::Left),
    ]
}

/// A scalar as its text, null as nothing, the rest as JSON.
pub(crate) fn scalar(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => String::new(),
        Some(value) => value.as_scalar_text().map_or_else(|| value.to_compact(), |text| text.to_string()),
    }
}
