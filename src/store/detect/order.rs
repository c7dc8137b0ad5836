//! The global order of a table's rows, and the column that holds it.

use std::sync::Arc;

use crate::store::{
    detect::look::Look,
    layout::{Form, Mapping, Order, Role, Source},
};

/// The order, and what plays the global position if anything does.
pub(super) struct Ordering {
    pub(super) order: Order,
    pub(super) position: Option<Mapping>,
}

/// Finds the global order: a position column, a sortable id, SQLite's row number, or the time.
///
/// `taken` are columns that play another numeric role.
pub(super) fn find(look: &Look<'_>, taken: &[usize], time: Option<&Mapping>) -> Ordering {
    if let Some((column, evidence)) = position_column(look, taken) {
        return by_column(look, column, evidence);
    }
    let ids = look.columns().filter(|at| look.table.is_unique(*at) || look.profile(*at).is_distinct());
    let mut sortable = ids.filter(|at| {
        let profile = look.profile(*at);
        profile.filled == profile.rows && profile.mostly(profile.sortable_ids, 0.95)
    });
    if let Some(column) = sortable.next() {
        let evidence = "UUIDv7 or ULID: sorts by the time inside it".to_owned();
        return by_column(look, column, evidence);
    }
    let table = look.table;
    if table.has_rowid {
        let evidence = "SQLite's own row number: the table names no position, rows are taken in the order in which they were added";
        let position = Mapping {
            source: Source::RowId,
            form: Form::Plain,
            evidence: evidence.to_owned(),
            is_uncertain: true,
        };
        let order = Order { columns: vec!["rowid".into()], evidence: evidence.to_owned(), is_certain: false };
        return Ordering { order, position: Some(position) };
    }
    let mut columns: Vec<Arc<str>> = Vec::new();
    if let Some(Mapping { source: Source::Column { table: None, column }, .. }) = time {
        columns.push(Arc::clone(column));
    }
    for column in table.primary.iter().map(|at| table.name_of(*at)) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let evidence = "no position and no row number: by time and key, as far as they tell".to_owned();
    Ordering { order: Order { columns, evidence, is_certain: false }, position: None }
}

fn by_column(look: &Look<'_>, column: usize, evidence: String) -> Ordering {
    let name = look.name(column);
    let mut columns = vec![Arc::clone(&name)];
    let profile = look.profile(column);
    let is_key = look.table.is_unique(column) && profile.filled == profile.rows;
    if !is_key {
        // Missing and equal positions in a damaged file still need an order of their own.
        let ties = if look.table.has_rowid {
            vec!["rowid".into()]
        } else {
            look.table.primary.iter().map(|at| look.name(*at)).collect()
        };
        columns.extend(ties.into_iter().filter(|tie| *tie != name));
    }
    let order = Order { columns, evidence: evidence.clone(), is_certain: true };
    Ordering { order, position: Some(Mapping::column(&name, evidence)) }
}

/// A unique, rising integer that is not taken; the better its name, the better.
fn position_column(look: &Look<'_>, taken: &[usize]) -> Option<(usize, String)> {
    let mut best: Option<(f64, usize)> = None;
    for column in look.columns().filter(|at| !taken.contains(at)) {
        let profile = look.profile(column);
        let is_alias = look.table.rowid_alias() == Some(column);
        let is_key = look.table.is_unique(column);
        let rank = look.rank(Role::GlobalPosition, column);
        let is_number = (profile.filled > 0 && profile.integers == profile.filled) || look.is_empty();
        let is_generated = look.table.columns.get(column).is_some_and(|column| column.is_generated);
        let is_time = profile.time.is_some() && rank < 0.5;
        let rises = profile.is_distinct() && profile.rises;
        if !is_number
            || is_time
            || is_generated
            || !(is_alias || (is_key && (rank > 0.3 || rises)) || (rank > 0.6 && rises))
        {
            continue;
        }
        if look.is_empty() && !is_alias && rank < 0.5 {
            continue;
        }
        let score = rank + if is_alias { 0.6 } else { 0.0 } + if is_key { 0.3 } else { 0.0 };
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, column));
        }
    }
    let (_, column) = best?;
    let words = if look.table.rowid_alias() == Some(column) {
        "integer primary key, rises from row to row"
    } else if look.table.is_unique(column) {
        "unique integer, rises from row to row"
    } else {
        "integer, rises from row to row"
    };
    Some((column, words.to_owned()))
}
