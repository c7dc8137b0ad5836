//! Drift as a report: for machines, for a terminal, and for people who were not there.

mod html;
mod text;

use std::sync::Arc;

use crate::{
    model::{GlobalPosition, Json, Stored},
    projection::drift::{Drift, DriftCell, DriftRow, NamedEvent, Pairing},
};

pub use html::to_html;
pub use text::to_text;

/// In which form a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportForm {
    /// For a terminal.
    #[default]
    Text,
    /// For machines: one object.
    Json,
    /// One file for a browser or a printer.
    Html,
}

impl ReportForm {
    /// The ending of a file of this form.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

/// Reports of one store: `store` is its name. JSON is the object itself for one projection, an array for several.
#[must_use]
pub fn report(store: &str, drifts: &[Drift], form: ReportForm) -> String {
    match form {
        ReportForm::Text => drifts.iter().map(to_text).collect::<Vec<_>>().join("\n"),
        ReportForm::Html => to_html(store, drifts),
        ReportForm::Json => match drifts {
            [drift] => to_json(drift).to_pretty(),
            drifts => Json::array(drifts.iter().map(to_json)).to_pretty(),
        },
    }
}

/// The object that `timeglass drift --json` writes.
#[must_use]
pub fn to_json(drift: &Drift) -> Json {
    let pairing = &drift.pairing;
    let rows = |rows: &[DriftRow]| Json::array(rows.iter().map(|row| row_json(pairing, row)));
    let reasons = |reasons: &std::collections::BTreeMap<Arc<str>, Arc<str>>| {
        Json::object(reasons.iter().map(|(name, why)| (Arc::clone(name), Json::from(Arc::clone(why)))))
    };
    let pairs = |pairs: &[(Arc<str>, Arc<str>)]| {
        Json::object(pairs.iter().map(|(stored, own)| (Arc::clone(stored), Json::from(Arc::clone(own)))))
    };
    let apart = pairing.not_reproducible.iter().map(|(name, why)| {
        let members = [
            ("reason", Json::from(Arc::clone(why))),
            ("rows", Json::from(drift.not_reproducible.get(name).copied())),
        ];
        (Arc::clone(name), Json::object(members))
    });
    let failures = drift.failures.iter().map(|failure| {
        Json::object([
            ("event", Json::from(Arc::clone(&failure.event))),
            ("count", Json::from(failure.count)),
            ("directive", Json::from(Arc::clone(&failure.directive))),
            ("line", Json::from(failure.line.map(u64::from))),
            ("message", Json::from(Arc::clone(&failure.message))),
        ])
    });
    Json::object([
        ("projection", Json::from(Arc::clone(&drift.projection))),
        ("table", Json::from(Arc::clone(&pairing.table))),
        ("events", Json::from(drift.count)),
        ("handled", Json::from(drift.handled)),
        ("remarks", Json::array(drift.remarks.iter().cloned().map(Json::from))),
        ("complete", Json::from(drift.is_complete)),
        ("rows_compared", Json::from(drift.rows_compared)),
        ("rows_rebuilt", Json::from(drift.rows_rebuilt)),
        ("missing_rows", Json::from(drift.totals.missing)),
        ("extra_rows", Json::from(drift.totals.extra)),
        ("changed_rows", Json::from(drift.totals.changed)),
        ("missing", rows(&drift.missing)),
        ("extra", rows(&drift.extra)),
        ("changed", rows(&drift.changed)),
        ("key", pairs(&pairing.key)),
        ("columns", pairs(&pairing.columns)),
        ("left_out", reasons(&pairing.left_out)),
        ("not_reproducible", Json::object(apart)),
        ("failed_events", Json::from(drift.failed)),
        ("failures", Json::array(failures)),
    ])
}

/// One row as an object of that report.
#[must_use]
pub fn row_json(pairing: &Pairing, row: &DriftRow) -> Json {
    let key =
        pairing.key.iter().zip(&*row.key.0).map(|((name, _), value)| (Arc::clone(name), stored_json(value)));
    let cell = |cell: &DriftCell| {
        let of = |value: &Option<Stored>| value.as_ref().map_or(Json::Null, stored_json);
        let values = [("stored", of(&cell.stored)), ("rebuilt", of(&cell.rebuilt))];
        let written = cell.written_by.as_ref();
        let told = [
            ("rebuilt_by_event", Json::from(written.map(|event| Arc::clone(&event.event)))),
            ("rebuilt_by_position", Json::from(written.and_then(|event| event.position.clone()))),
            ("stored_was_made", Json::from(!cell.is_unheard_of)),
        ];
        // Of a row that one side has there is nothing to tell.
        let is_in_both = cell.stored.is_some() && cell.rebuilt.is_some();
        Json::object(values.into_iter().chain(told.into_iter().filter(|_| is_in_both)))
    };
    let columns = row.columns.iter().map(|(name, own)| (Arc::clone(name), cell(own)));
    let parted = row.first_divergent.as_ref();
    Json::object([
        ("key", Json::object(key)),
        ("columns", Json::object(columns)),
        ("first_divergent_position", Json::from(parted.and_then(|parted| parted.position.clone()))),
        ("first_divergent_event", Json::from(parted.map(|parted| Arc::clone(&parted.event)))),
        ("first_divergent_count", Json::from(parted.map(|parted| parted.count))),
    ])
}

/// A stored value in JSON; what JSON has no word for becomes `{"hex": …}`.
fn stored_json(value: &Stored) -> Json {
    match value {
        Stored::Null => Json::Null,
        Stored::Integer(number) => Json::from(*number),
        Stored::Real(number) => Json::from(*number),
        Stored::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Json::from(text),
            Err(_) => Json::object([("hex", Json::from(value.to_hex()))]),
        },
        Stored::Blob(_) => Json::object([("hex", Json::from(value.to_hex()))]),
    }
}

/// A stored value for people: texts as they are, bytes in hexadecimal, NULL by name.
#[must_use]
pub fn shown(value: Option<&Stored>) -> String {
    value.map_or_else(|| "–".to_owned(), Stored::to_words)
}

/// `order_id order-17`, the values alone where there are several: what a row is called.
#[must_use]
pub fn key_text(pairing: &Pairing, row: &DriftRow) -> String {
    let parts = pairing
        .key
        .iter()
        .zip(&*row.key.0)
        .map(|((name, _), value)| format!("{name} {}", shown(Some(value))));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "row".to_owned() } else { parts.join(", ") }
}

/// `OrderShipped 4@order-17, position 812`.
#[must_use]
pub fn event_text(parted: &NamedEvent) -> String {
    match &parted.position {
        Some(GlobalPosition::Number(number)) => format!("{}, position {number}", parted.event),
        Some(GlobalPosition::Text(_)) | None => {
            format!("{}, event {} of the store", parted.event, parted.count)
        }
    }
}

/// What came out, in one sentence.
#[must_use]
pub fn summary(drift: &Drift) -> String {
    let verb = if drift.count == 1 { "makes" } else { "make" };
    let (rows, events) = (counted(drift.rows_compared, "row"), counted(drift.count, "event"));
    let compared = format!("in {rows} compared with what {events} {verb}");
    let totals = drift.totals;
    let parts = [(totals.missing, "missing"), (totals.extra, "extra"), (totals.changed, "changed")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { format!("No drift {compared}") } else { format!("{} {compared}", parts.join(", ")) }
}

/// How the tables were compared, and what was left out, one sentence a line.
#[must_use]
pub fn notes(drift: &Drift) -> Vec<String> {
    let pairing = &drift.pairing;
    let names = |pairs: &[(Arc<str>, Arc<str>)]| {
        let pairs = pairs.iter().map(|(stored, own)| {
            if stored.eq_ignore_ascii_case(own) { stored.to_string() } else { format!("{stored} = {own}") }
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    let by = if pairing.key.is_empty() {
        "row by row without a key".to_owned()
    } else {
        format!("by {}", names(&pairing.key))
    };
    let mut lines: Vec<String> = drift.remarks.iter().map(|remark| sentence(remark)).collect();
    lines.push(format!("Table {} compared {by}", pairing.table));
    if !pairing.columns.is_empty() {
        lines.push(format!("Columns compared: {}", names(&pairing.columns)));
    }
    for (name, why) in &pairing.left_out {
        lines.push(format!("Not compared: {name} ({why})"));
    }
    for (name, why) in &pairing.not_reproducible {
        lines.push(match drift.not_reproducible.get(name) {
            Some(rows) => format!(
                "Cannot be made again: {name} ({why}); differs in {}, no drift",
                counted(*rows, "row")
            ),
            None => format!("Cannot be made again: {name} ({why})"),
        });
    }
    if drift.unlisted() > 0 {
        lines.push(format!("{} more differ and are not listed", counted(drift.unlisted(), "row")));
    }
    if drift.failed > 0 {
        lines.push(format!(
            "{} could not be handled; rows that they should have written may differ for that reason",
            counted(drift.failed, "event")
        ));
    }
    if !drift.is_complete {
        lines.push("The rebuild did not come to its end: later events are not in it".to_owned());
    }
    lines
}

/// With a capital letter at its start, unless it starts with a name.
fn sentence(text: &str) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text.to_owned(),
    }
}

fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
