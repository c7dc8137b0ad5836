//! Completes a mapping that the user made by hand.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::{
    store::{
        detect::{DetectError, DetectResult, Look, layout, look_at, read, schema},
        layout::{Layout, Role, Source},
    },
    work::Work,
};

/// A whole layout for `table` in which the user's choices stand and the rest is found as usual:
/// forms, order, wrapping, the other tables.
///
/// `Some(source)` is the user's choice, `None` means that there is nothing of the kind; a role
/// that is not in the map is found. Fails if a named table or column is not there.
pub fn complete(
    connection: &Connection,
    table: &str,
    chosen: &BTreeMap<Role, Option<Source>>,
    work: &Work,
) -> DetectResult<Layout> {
    let tables = schema::read(connection)?;
    let at = tables.iter().find(|known| *known.name == *table);
    let events = at.ok_or_else(|| DetectError::NoTable { table: table.to_owned() })?;
    for source in chosen.values().flatten() {
        let (place, column) = match source {
            Source::Column { table: Some(other), column } => {
                let other = tables.iter().find(|known| known.name == *other);
                (other.ok_or_else(|| DetectError::NoTable { table: source.to_string() })?, column)
            }
            Source::Column { table: None, column }
            | Source::Json { column, .. }
            | Source::TypeTag { column } => (events, column),
            Source::RowId | Source::StreamPrefix { .. } | Source::TypeClass => continue,
        };
        if place.column(column).is_none() {
            let (table, column) = (place.name.to_string(), column.to_string());
            return Err(DetectError::NoColumn { table, column });
        }
    }
    let wanted = tables.iter().filter(|known| !known.is_view || known.name == events.name);
    let looks: Vec<Look<'_>> = look_at(connection, wanted, work)?;
    let look = looks.iter().find(|look| look.table.name == events.name);
    let look = look.ok_or_else(|| DetectError::NoTable { table: table.to_owned() })?;
    Ok(layout(&tables, &looks, &read(&looks, look, chosen)))
}
