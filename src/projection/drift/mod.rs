//! Where a stored read model is another than the one that the events make.
//!
//! [`pair_with`] says which columns are compared, [`compare`] compares them row by row and finds the event at
//! which each row parted. What counts as equal stands in `equality.rs`, what "parted" means in `divergence.rs`.

mod divergence;
mod equality;
mod evidence;
mod pairing;
pub mod report;
mod rows;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::Stored,
    projection::{EventFailure, ReadModel, RowKey, ScratchError},
    store::{EventStore, StoreError},
    work::{Cancelled, Work},
};

use divergence::Told;

pub use divergence::NamedEvent;
pub use equality::{Likeness, same};
pub use pairing::{ColumnPair, Pairing, pair, pair_with};
pub use rows::{Compared, Difference, differences};

/// So many rows of each kind are kept in a [`Drift`]; beyond that they are counted.
pub const MOST_ROWS: usize = 10_000;

/// What differs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drift {
    /// The projection.
    pub projection: Arc<str>,
    /// How the tables were compared.
    pub pairing: Pairing,
    /// The count up to which the read model was rebuilt.
    pub count: u64,
    /// How many of these events the definition handled.
    pub handled: u64,
    /// What is to be said of the rebuild before anything is believed: [`coverage::remarks`].
    ///
    /// [`coverage::remarks`]: crate::projection::coverage::remarks
    pub remarks: Vec<Arc<str>>,
    /// Whether that is all that was asked of the rebuild: a failure may have stopped it before.
    pub is_complete: bool,
    /// Events that the definition could not handle, the first ones; what they should have written differs, most
    /// likely.
    pub failures: Vec<EventFailure>,
    /// How many there were in all.
    pub failed: u64,
    /// Rows of the stored table that were compared.
    pub rows_compared: u64,
    /// Rows that the events make.
    pub rows_rebuilt: u64,
    /// Rows that the events make and the table lacks, at most [`MOST_ROWS`].
    pub missing: Vec<DriftRow>,
    /// Rows that the table has and the events do not make, at most [`MOST_ROWS`].
    pub extra: Vec<DriftRow>,
    /// Rows that both have, with other values, at most [`MOST_ROWS`].
    pub changed: Vec<DriftRow>,
    /// How many there are in all.
    pub totals: Totals,
    /// In how many rows each column that cannot be reproduced differs; no drift.
    pub not_reproducible: BTreeMap<Arc<str>, u64>,
}

/// How many rows differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Made by the events, not in the table.
    pub missing: u64,
    /// In the table, not made by the events.
    pub extra: u64,
    /// In both, with other values.
    pub changed: u64,
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftRow {
    /// The values of [`Pairing::key`], as the table holds them where it has the row; empty without a key.
    pub key: RowKey,
    /// The row's key in the rebuilt table, for its history; `None` for a row that the events do not make.
    pub row: Option<RowKey>,
    /// What differs, by the stored column's name; for a missing or extra row everything it holds.
    pub columns: BTreeMap<Arc<str>, DriftCell>,
    /// The first event after which the stored row cannot have followed the events any more, if it can be told.
    pub first_divergent: Option<NamedEvent>,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftCell {
    /// What the table holds; `None` in a missing row.
    pub stored: Option<Stored>,
    /// What the events make; `None` in an extra row.
    pub rebuilt: Option<Stored>,
    /// In a changed row the event that wrote what the events make, if it can be told.
    pub written_by: Option<NamedEvent>,
    /// In a changed row whether the rebuild never made the stored value: no event is late then. Something else wrote
    /// it, or an event that the definition does not handle or failed at.
    pub is_unheard_of: bool,
}

impl DriftRow {
    /// All events that it names.
    fn events_mut(&mut self) -> impl Iterator<Item = &mut NamedEvent> {
        let written = self.columns.values_mut().filter_map(|cell| cell.written_by.as_mut());
        self.first_divergent.iter_mut().chain(written)
    }
}

/// Why tables could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// The work was withdrawn.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own database failed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The tables cannot be paired; in words, with what to write into the project file.
    #[error("{0}")]
    NoPair(String),
    /// The definition handled no event, so that what it made says nothing; in words, with what comes near.
    #[error("{0}")]
    NothingHandled(String),
}

impl Drift {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.totals == Totals::default()
    }

    /// Rows that differ but are not listed, since there are too many.
    #[must_use]
    pub fn unlisted(&self) -> u64 {
        let listed = self.missing.len() + self.extra.len() + self.changed.len();
        self.totals.sum().saturating_sub(listed.try_into().unwrap_or(u64::MAX))
    }

    fn rows_mut(&mut self) -> Vec<&mut DriftRow> {
        self.missing.iter_mut().chain(&mut self.extra).chain(&mut self.changed).collect()
    }
}

impl Totals {
    /// All rows that differ.
    #[must_use]
    pub fn sum(self) -> u64 {
        self.missing + self.extra + self.changed
    }
}

/// Compares the stored table with the read model at its end.
///
/// `work` counts rows read, compared and looked up, and the events walked over to name the divergent ones.
pub fn compare(
    work: &Work,
    store: &dyn EventStore,
    model: &ReadModel,
    projection: &str,
    pairing: &Pairing,
) -> Result<Drift, DriftError> {
    compare_listing(work, store, model, (projection, pairing), MOST_ROWS)
}

/// The same, and lists at most so many rows of each kind.
pub fn compare_listing(
    work: &Work,
    store: &dyn EventStore,
    model: &ReadModel,
    (projection, pairing): (&str, &Pairing),
    most: usize,
) -> Result<Drift, DriftError> {
    let progress = model.progress();
    let mut drift = Drift {
        projection: projection.into(),
        pairing: pairing.clone(),
        count: progress.count,
        handled: progress.handled,
        is_complete: progress.is_complete,
        failures: progress.failures.clone(),
        failed: progress.failed,
        ..Drift::default()
    };
    let mut found: Vec<Difference> = Vec::new();
    let compared = differences(work, store, model, pairing, &mut |difference| {
        let total = match (&difference.stored, &difference.rebuilt) {
            (None, _) => &mut drift.totals.missing,
            (Some(_), None) => &mut drift.totals.extra,
            (Some(_), Some(_)) => &mut drift.totals.changed,
        };
        *total += 1;
        if usize::try_from(*total).is_ok_and(|total| total <= most) {
            found.push(difference);
        }
    })?;
    drift.rows_compared = compared.stored;
    drift.rows_rebuilt = compared.rebuilt;
    let counted = pairing.counted.iter().map(|(name, _)| Arc::clone(name));
    drift.not_reproducible = counted.zip(compared.counted).collect();
    let finder = divergence::Finder::new(work, model, pairing)?;
    for difference in found {
        let told = finder.find(&difference)?;
        work.advance(1)?;
        let rows = match (&difference.stored, &difference.rebuilt) {
            (None, _) => &mut drift.missing,
            (Some(_), None) => &mut drift.extra,
            (Some(_), Some(_)) => &mut drift.changed,
        };
        rows.push(row(pairing, difference, &told));
    }
    divergence::name_events(work, store, &mut drift.rows_mut())?;
    Ok(drift)
}

fn row(pairing: &Pairing, found: Difference, told: &Told) -> DriftRow {
    let Difference { stored, rebuilt, row, differing } = found;
    let keys = pairing.key.len();
    let one = stored.as_ref().or(rebuilt.as_ref());
    let key = one.and_then(|values| values.get(..keys)).unwrap_or_default();
    let value = |values: &Option<Vec<Stored>>, place: usize| values.as_ref()?.get(place).cloned();
    let is_shown = |place: &usize| differing.is_empty() || differing.contains(place);
    let columns = pairing.columns.iter().enumerate().map(|(place, (name, _))| (place + keys, name));
    let columns = columns.filter(|(place, _)| is_shown(place)).map(|(place, name)| {
        let column = told.columns.get(&place);
        let cell = DriftCell {
            stored: value(&stored, place),
            rebuilt: value(&rebuilt, place),
            written_by: column.and_then(|column| column.written).map(NamedEvent::unnamed),
            is_unheard_of: column.is_some_and(|column| column.last_equal.is_none()),
        };
        (Arc::clone(name), cell)
    });
    DriftRow {
        key: RowKey(key.into()),
        row,
        columns: columns.collect(),
        first_divergent: told.parted.map(NamedEvent::unnamed),
    }
}
