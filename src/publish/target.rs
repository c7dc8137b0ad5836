//! Which tables and columns can be written, and why others cannot.

use std::sync::Arc;

use crate::{
    model::{ColumnShape, TableForm, TableShape},
    publish::{PublishError, RowPlace, TableEdits, guard::protected},
    store::layout::Layout,
};

/// Refuses edits of what is not the edits' to change. `shape` is `None` where there is no such table.
pub(super) fn check(
    layout: &Layout,
    edits: &TableEdits,
    shape: Option<&TableShape>,
) -> Result<(), PublishError> {
    let refuse = |reason: &str| {
        Err(PublishError::Target { table: Arc::clone(&edits.table), reason: reason.to_owned() })
    };
    // Asked before the shape, so that the answer is the same whether or not the table can be read.
    if protected(layout).any(|table| table.eq_ignore_ascii_case(&edits.table)) {
        return refuse("it belongs to the events, and events are never changed");
    }
    if edits.table.to_ascii_lowercase().starts_with("sqlite_") {
        return refuse("it belongs to SQLite itself");
    }
    let Some(shape) = shape else { return refuse("there is no such table") };
    match shape.form {
        TableForm::Table => {}
        TableForm::View => return refuse("it is a view of other tables"),
        TableForm::Virtual => return refuse("it is a virtual table, which a module makes up"),
        TableForm::Shadow => return refuse("a virtual table keeps its rows there"),
    }
    match check_columns(edits, shape) {
        Some(reason) => refuse(&reason),
        None => Ok(()),
    }
}

/// The first column that is not there or cannot be written, in words.
fn check_columns(edits: &TableEdits, shape: &TableShape) -> Option<String> {
    let column = |name: &Arc<str>| shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let missing = |name: &Arc<str>| column(name).is_none().then(|| format!("it has no column \"{name}\""));
    let computed = |name: &Arc<str>| {
        let is_computed = |column: &&ColumnShape| column.is_generated;
        column(name).filter(is_computed).map(|_| format!("column \"{name}\" is computed from others"))
    };
    let in_key = |name: &Arc<str>| {
        let is_key = |column: &&ColumnShape| column.key > 0;
        column(name).filter(is_key).map(|_| format!("column \"{name}\" is part of the key"))
    };
    let twice = |names: Vec<&Arc<str>>| {
        let repeated = |(place, name): (usize, &&Arc<str>)| {
            names.iter().take(place).any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut places = names.iter().enumerate();
        places.find(|pair| repeated(*pair)).map(|(_, name)| format!("column \"{name}\" is named twice"))
    };
    let vague = |place: &RowPlace| {
        (place.is.is_empty() || place.alike == 0).then(|| "a row is not described".to_owned())
    };
    let names = |row: &'_ [(Arc<str>, crate::model::Stored)]| -> Vec<Arc<str>> {
        row.iter().map(|(name, _)| Arc::clone(name)).collect()
    };
    for row in &edits.inserts {
        let named = names(row);
        let found = named.iter().find_map(|name| missing(name).or_else(|| computed(name)));
        let found = found.or_else(|| twice(named.iter().collect())).or_else(|| lacking(&named, shape));
        if found.is_some() {
            return found;
        }
    }
    for edit in &edits.updates {
        let named = names(&edit.values);
        let wrong = |name| missing(name).or_else(|| computed(name)).or_else(|| in_key(name));
        let found = named.iter().find_map(wrong).or_else(|| twice(named.iter().collect()));
        let found = found.or_else(|| named.is_empty().then(|| "an update changes nothing".to_owned()));
        if found.is_some() {
            return found;
        }
    }
    let places = edits.updates.iter().map(|edit| &edit.place).chain(&edits.deletes);
    places.into_iter().find_map(|place| vague(place).or_else(|| names(&place.is).iter().find_map(missing)))
}

/// A column that needs a value which an insert does not give.
fn lacking(named: &[Arc<str>], shape: &TableShape) -> Option<String> {
    let keys = shape.columns.iter().filter(|column| column.key > 0).count();
    let is_given = |column: &ColumnShape| named.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
    // SQLite numbers the rows of such a column itself.
    let numbers_itself = |column: &ColumnShape| {
        keys == 1 && column.key == 1 && column.declared.eq_ignore_ascii_case("integer")
    };
    let needs = |column: &&ColumnShape| {
        column.is_not_null
            && column.default.is_none()
            && !column.is_generated
            && !is_given(column)
            && !numbers_itself(column)
    };
    let column = shape.columns.iter().find(needs)?;
    Some(format!("a row needs a value for \"{}\", which cannot be rebuilt and has no default", column.name))
}
