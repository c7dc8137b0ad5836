//! The rows of a read model that are on screen, as of the cursor.

use std::sync::Arc;

use crate::{
    projection::{ReadModel, RowAt, RowsQuery},
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{ProjectionQuestion, job, question::ModelTrouble, runs::Run},
    },
    work::Work,
};

/// Rows are fetched for one screen before and after the one that is shown, at most so many in all.
const MOST_ROWS: u64 = 600;

/// Rows that pass a filter and are listed: nobody reads more of them, and each costs a look at those that do not.
const MOST_FILTERED: usize = 2000;

/// Rows up to which those that exist are counted one by one at each step of the cursor.
const COUNTED: u64 = 20_000;

/// The rows that are on screen.
#[derive(Default)]
pub(super) struct ModelRows {
    pub(super) found: FoundRows,
    pub(super) filter: Arc<str>,
    /// What was asked for and has not come.
    asked: Option<Asked>,
    /// What the rows answer.
    pub(super) shown: Option<Asked>,
    /// Raised when the rows are other rows.
    pub(super) generation: u64,
    wanted: (u64, usize),
}

/// Which rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    from: u64,
    to: u64,
    pub(super) count: u64,
    filter: Arc<str>,
    /// Which state of the read model.
    of: u64,
}

/// Rows of a read model.
#[derive(Debug, Default)]
pub struct FoundRows {
    /// Which row is the first.
    pub(super) first: u64,
    pub(super) rows: Arc<[RowAt]>,
    /// How many rows there are to list, deleted ones among them.
    pub(super) listed: u64,
    /// How many of them exist, if that was counted.
    pub(super) existing: Option<u64>,
    /// Whether more rows pass the filter than are listed.
    pub(super) is_cut: bool,
}

impl ModelRows {
    pub(super) fn take(&mut self, found: FoundRows) {
        self.found = found;
        self.shown = self.asked.take().or_else(|| self.shown.take());
    }

    pub(super) fn stop_waiting(&mut self) {
        self.asked = None;
    }

    /// The read model is another: what is shown stays until the new rows come.
    pub(super) fn outdate(&mut self) {
        self.asked = None;
        self.shown = None;
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }
}

impl Asked {
    fn covers(&self, other: &Self) -> bool {
        let is_same = self.count == other.count && self.filter == other.filter && self.of == other.of;
        is_same && self.from <= other.from && other.to <= self.to
    }
}

impl Opened {
    /// The rows on screen changed, or what they are to show: fetches them unless they are there or on their way.
    pub(super) fn show_model_rows(&mut self, first: u64, count: usize) -> Vec<Job> {
        self.projections.rows.wanted = (first, count);
        let cursor = self.model_count();
        let Some(run) = self.projections.chosen_run() else { return Vec::new() };
        let Some(model) = run.model().cloned() else { return Vec::new() };
        let of = run.generation;
        let rows = &mut self.projections.rows;
        let count = (count as u64).clamp(1, MOST_ROWS / 3);
        // Behind what was rebuilt nothing changes.
        let at = cursor.min(model.progress().count);
        let needed =
            Asked { from: first, to: first + count, count: at, filter: Arc::clone(&rows.filter), of };
        let has = |asked: &Option<Asked>| asked.as_ref().is_some_and(|asked| asked.covers(&needed));
        if has(&rows.asked) || (rows.asked.is_none() && has(&rows.shown)) {
            return Vec::new();
        }
        let asked = Asked { from: first.saturating_sub(count), to: first + 2 * count, ..needed };
        let query = RowsQuery {
            count: at,
            first: asked.from,
            limit: usize::try_from(asked.to - asked.from).unwrap_or(MOST_FILTERED),
            contains: Arc::clone(&asked.filter),
        };
        rows.asked = Some(asked);
        vec![job(Slot::ModelRows, ProjectionQuestion::Rows(model, query))]
    }

    pub(super) fn filter_model(&mut self, text: Arc<str>) -> Vec<Job> {
        let rows = &mut self.projections.rows;
        if rows.filter == text {
            return Vec::new();
        }
        rows.filter = text;
        rows.generation += 1;
        let count = rows.wanted.1;
        self.show_model_rows(0, count)
    }

    pub(super) fn forget_model_rows(&mut self) {
        let rows = &mut self.projections.rows;
        *rows = ModelRows {
            filter: Arc::clone(&rows.filter),
            generation: rows.generation + 1,
            wanted: (0, rows.wanted.1),
            ..ModelRows::default()
        };
        self.projections.story.forget();
    }

    /// The chosen projection's read model and the count that is to be seen of it.
    pub(super) fn model_at_cursor(&self) -> Option<(&Run, ReadModel, u64)> {
        let run = self.projections.chosen_run()?;
        let model = run.model()?.clone();
        let count = self.model_count().min(model.progress().count);
        Some((run, model, count))
    }
}

/// Fetches rows.
pub(super) fn found_rows(
    work: &Work,
    model: &ReadModel,
    query: &RowsQuery,
) -> Result<FoundRows, ModelTrouble> {
    if query.contains.is_empty() {
        let listed = model.len_at(work, query.count)?;
        let rows = model.rows_at(work, query)?;
        let mut existing = None;
        if listed <= COUNTED {
            let mut found = 0;
            model.each_at(work, query.count, &mut |_| found += 1)?;
            existing = Some(found);
        }
        return Ok(FoundRows { first: query.first, rows: rows.into(), listed, existing, is_cut: false });
    }
    // How many rows pass is known when they have been looked for; what is listed stays the same while scrolling.
    let all = RowsQuery { first: 0, limit: MOST_FILTERED + 1, ..query.clone() };
    let mut rows = model.rows_at(work, &all)?;
    let is_cut = rows.len() > MOST_FILTERED;
    rows.truncate(MOST_FILTERED);
    let existing = rows.iter().filter(|row| !row.is_deleted).count() as u64;
    Ok(FoundRows { first: 0, listed: rows.len() as u64, rows: rows.into(), existing: Some(existing), is_cut })
}
