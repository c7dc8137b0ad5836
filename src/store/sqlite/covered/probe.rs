//! Holding columns that came from indexes against some rows of the table.

use std::sync::Arc;

use crate::{
    model::{LastDay, Stored},
    store::{
        covered::{Covered, CoveredTimes},
        decode::Value,
        pages::{Columns, Field, PageFile, PageRow, RowPicker},
        sqlite::{
            covered::{
                choice::{Head, Needs},
                gather::{name, text, time},
            },
            records::Records,
        },
    },
};

/// So many rows are looked at.
const PROBES: usize = 32;

/// Whether rows all over the table say what the columns say.
pub(super) fn agrees(file: &Arc<PageFile>, records: &Records, needs: &Needs, covered: &Covered) -> bool {
    let name_of = |need: &Option<(String, _)>| need.as_ref().map(|(column, _)| column.clone());
    let names = [
        Some(needs.stream.0.clone()),
        needs.category_column.clone(),
        needs.version.clone(),
        name_of(&needs.event_type),
        name_of(&needs.time),
    ];
    // A role that nothing plays takes the row number's place, and nobody looks at it.
    let field = |name: &Option<String>| name.as_ref().map_or(Some(Field::RowId), |name| records.field(name));
    let fields: Option<Vec<Field>> = names.iter().map(field).collect();
    let Some(columns) = fields.map(Columns::new) else { return false };
    let mut picker = RowPicker::new(file, records.root);
    (0..=PROBES).all(|probe| {
        let ordinal = covered.len().saturating_sub(1) * probe / PROBES;
        let Some(key) = covered.keys.get(ordinal as u32) else { return false };
        let mut verdict = None;
        let mut visit = |row: Option<&PageRow<'_>>| {
            verdict = row.and_then(|row| is_same(needs, covered, ordinal, row));
        };
        picker.rows(&[key], &columns, &mut visit).is_ok() && verdict == Some(true)
    })
}

/// Whether a row, with its columns in the order of [`agrees`], says what the columns say; nothing where it
/// cannot be told.
fn is_same(needs: &Needs, covered: &Covered, ordinal: usize, row: &PageRow<'_>) -> Option<bool> {
    let values: [Stored; 2] = [row.column(0).to_stored(), row.column(1).to_stored()];
    let known = covered.stream_names.get(*covered.streams.get(ordinal)? as usize)?;
    let mut is_same = name(needs, &[Head::Stream, Head::Category], &values)? == **known;
    if let Some(versions) = &covered.versions {
        is_same &= row.column(2) == Value::Integer(i64::from(*versions.get(ordinal)?));
    }
    if let (Some(types), Some((_, form))) = (&covered.types, &needs.event_type) {
        let known = covered.type_names.get(usize::from(*types.get(ordinal)?))?;
        is_same &= text(row.column(3), *form)?.unwrap_or_default() == **known;
    }
    if let (Some(times), Some((_, form))) = (&covered.times, &needs.time) {
        let (nanos, _) = time(row.column(4), *form, &mut LastDay::default())?;
        is_same &= nanos == times.nanos.get(ordinal).copied().unwrap_or(CoveredTimes::MISSING);
    }
    Some(is_same)
}
