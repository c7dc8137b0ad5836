//! Drift for a terminal.

use std::fmt::Write as _;

use crate::projection::drift::{
    Drift, DriftRow,
    report::{event_text, key_text, notes, shown, summary},
};

/// So many letters of a value are shown.
const WIDTH: usize = 60;

/// The report of one projection; ends with a line break.
#[must_use]
pub fn to_text(drift: &Drift) -> String {
    let mut text = format!("{}: {}\n", printable(&drift.projection), summary(drift).to_lowercase());
    for note in notes(drift) {
        writeln!(text, "  {}", printable(&note)).ok();
    }
    for failure in &drift.failures {
        let place = failure.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let words = format!("{} ({}{place}): {}", failure.event, failure.directive, failure.message);
        writeln!(text, "  Not handled: {}", printable(&words)).ok();
    }
    for (word, rows) in [("missing", &drift.missing), ("extra", &drift.extra), ("changed", &drift.changed)] {
        for row in rows {
            write_row(&mut text, drift, word, row);
        }
    }
    text
}

fn write_row(text: &mut String, drift: &Drift, word: &str, row: &DriftRow) {
    writeln!(text, "\n  {word} {}", printable(&key_text(&drift.pairing, row))).ok();
    let names = row.columns.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    for (name, cell) in &row.columns {
        let (stored, rebuilt) = (brief(&shown(cell.stored.as_ref())), brief(&shown(cell.rebuilt.as_ref())));
        let name = printable(name);
        match (&cell.stored, &cell.rebuilt) {
            (Some(_), Some(_)) => {
                let unheard_of = if cell.is_unheard_of { ", never made in the rebuild" } else { "" };
                let written =
                    cell.written_by.as_ref().map(|event| format!(", by {}", printable(&event_text(event))));
                let written = written.unwrap_or_default();
                writeln!(text, "    {name:names$}  stored {stored}{unheard_of}  rebuilt {rebuilt}{written}")
                    .ok()
            }
            (Some(_), None) => writeln!(text, "    {name:names$}  {stored}").ok(),
            _ => writeln!(text, "    {name:names$}  {rebuilt}").ok(),
        };
    }
    match &row.first_divergent {
        Some(parted) => writeln!(text, "    parted at {}", printable(&event_text(parted))).ok(),
        None => writeln!(text, "    no event makes such a row").ok(),
    };
}

fn brief(value: &str) -> String {
    let mut letters = value.chars();
    let start: String = letters.by_ref().take(WIDTH).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("{}{more}", printable(&start))
}

/// Control characters would move the terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
