//! The rows of the events panel: which events they are, and what of them is loaded.

use std::sync::Arc;

use crate::{
    session::{
        job::{Job, Question, RowShape, Slot},
        opened::Opened,
        view::{ColumnPath, EventsView, Extra, Listed, Listing, LoadedRow, grouped},
    },
    store::{index::Index, layout::Role},
};

/// Rows are fetched for one screen before and after the one that is shown, at most so many in all.
const MOST_ROWS: u64 = 600;

/// The rows of the events panel.
#[derive(Default)]
pub(crate) struct Rows {
    /// The paths into the data that have a column of their own.
    paths: Arc<Vec<ColumnPath>>,
    /// Which events are listed: nothing until an index says so.
    listed: Option<Listed>,
    loaded: Arc<Vec<Option<LoadedRow>>>,
    loaded_from: u64,
    /// The rows that are being fetched: from one up to before another.
    asked: Option<(u64, u64)>,
    /// The rows on screen: the first, and how many.
    wanted: (u64, usize),
    /// Raised when the rows became other rows.
    generation: u64,
}

impl Rows {
    pub(crate) fn with_columns(paths: Vec<ColumnPath>) -> Self {
        Self { paths: Arc::new(paths), ..Self::default() }
    }

    pub(crate) fn columns(&self) -> &[ColumnPath] {
        &self.paths
    }

    fn add_column(&mut self, path: ColumnPath) {
        if !self.paths.contains(&path) {
            Arc::make_mut(&mut self.paths).push(path);
        }
    }

    fn remove_column(&mut self, path: &ColumnPath) {
        Arc::make_mut(&mut self.paths).retain(|other| other != path);
    }

    /// The rows that are loaded or on their way.
    pub(crate) fn loaded_rows(&self) -> std::ops::Range<u64> {
        self.loaded_from..self.loaded_from + self.loaded.len() as u64
    }

    /// Takes the first rows of the store, unless an index knows better by now.
    pub(crate) fn take_first(&mut self, rows: Vec<Option<LoadedRow>>) {
        if self.listed.is_none() {
            self.loaded = Arc::new(rows);
            self.loaded_from = 0;
        }
    }

    pub(crate) fn take(&mut self, first: u64, rows: Vec<Option<LoadedRow>>) {
        self.loaded = Arc::new(rows);
        self.loaded_from = first;
        self.asked = None;
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.asked = None;
    }

    /// New events at the end leave the rows what they are; any other change makes them other rows. Gives back
    /// what was listed before.
    #[must_use]
    fn take_listing(&mut self, listed: Listed) -> Option<Listed> {
        let was_other = self.listed.as_ref().is_none_or(|before| listed.has_other_rows(before));
        if was_other {
            self.generation += 1;
            self.loaded = Arc::default();
        }
        self.listed.replace(listed)
    }

    /// Whether the rows from `first` up to before `end` are loaded, or on their way.
    fn has_or_awaits(&self, first: u64, end: u64) -> bool {
        let covers = |(from, to): (u64, u64)| from <= first && end <= to;
        covers((self.loaded_from, self.loaded_from + self.loaded.len() as u64))
            || self.asked.is_some_and(covers)
    }

    fn listing(&self, index: &Arc<Index>) -> Option<Listing> {
        Some(Listing { index: Arc::clone(index), listed: self.listed.clone()? })
    }
}

impl Opened {
    /// Takes which events are listed, and fetches the rows on screen.
    pub(crate) fn take_listing(&mut self, listed: Listed) -> Vec<Job> {
        let before = self.browse.rows.take_listing(listed);
        self.discards.put(before);
        self.reload_rows()
    }

    pub(crate) fn add_column(&mut self, path: ColumnPath) -> Vec<Job> {
        self.browse.rows.add_column(path);
        self.reload_rows()
    }

    pub(crate) fn remove_column(&mut self, path: &ColumnPath) -> Vec<Job> {
        self.browse.rows.remove_column(path);
        self.reload_rows()
    }

    /// The rows on screen changed: fetches them unless they are there or on their way.
    pub(crate) fn show_rows(&mut self, first: u64, count: usize) -> Option<Job> {
        self.browse.rows.wanted = (first, count);
        let count = (count as u64).min(MOST_ROWS / 3);
        let total = self.listing()?.len() as u64;
        let end = (first + count).min(total);
        if self.browse.rows.has_or_awaits(first, end) {
            return None;
        }
        let (from, to) = (first.saturating_sub(count), (end + count).min(total));
        self.browse.rows.asked = Some((from, to));
        self.rows_job(from, to)
    }

    /// Fetches the rows on screen again, in another shape.
    pub(crate) fn reload_rows(&mut self) -> Vec<Job> {
        self.browse.rows.asked = None;
        let (first, count) = self.browse.rows.wanted;
        let Some(listing) = self.listing() else {
            let question = Question::FirstRows(Arc::clone(&self.store), self.row_shape());
            return vec![Job { slot: Slot::FirstRows, question }];
        };
        let count = (count as u64).clamp(1, MOST_ROWS / 3);
        let total = listing.len() as u64;
        let (from, to) = (first.saturating_sub(count).min(total), (first + 2 * count).min(total));
        self.browse.rows.asked = Some((from, to));
        self.rows_job(from, to).into_iter().collect()
    }

    fn rows_job(&self, from: u64, to: u64) -> Option<Job> {
        let listing = self.listing()?;
        let keys = (from..to).filter_map(|row| listing.index.key(listing.ordinal(row)?)).collect();
        let question =
            Question::Rows { store: Arc::clone(&self.store), first: from, keys, shape: self.row_shape() };
        Some(Job { slot: Slot::Rows, question })
    }

    pub(crate) fn row_shape(&self) -> RowShape {
        RowShape { paths: self.browse.rows.paths.to_vec(), zone: self.zone }
    }

    pub(crate) fn listing(&self) -> Option<Listing> {
        self.browse.rows.listing(self.index.as_ref()?)
    }

    pub(crate) fn events_view(&self) -> EventsView {
        let rows = &self.browse.rows;
        let order = self.browse.filters.order;
        let listing = self.listing();
        let total = listing.as_ref().map_or(rows.loaded.len(), Listing::len) as u64;
        EventsView {
            paths: Arc::clone(&rows.paths),
            has_times: self.layout.events.role(Role::Time).is_some()
                || self.index.as_ref().is_some_and(|index| index.time_span().is_some()),
            extras: Extra::ALL
                .into_iter()
                .filter(|extra| self.layout.events.role(extra.role()).is_some())
                .collect(),
            total,
            edited: Arc::new(self.edited_events()),
            is_of_one_stream: self.browse.only_focus,
            summary: self.events_summary(total),
            cursor_row: self.standing().and_then(|ordinal| listing.as_ref()?.row_of(ordinal)),
            listing,
            loaded: Arc::clone(&rows.loaded),
            loaded_from: rows.loaded_from,
            order,
            filters: self.filter_views().into(),
            types: self.type_views().into(),
            watches: self.watch_columns().into(),
            watched: Arc::clone(&self.watches.watched.cells),
            zone: self.zone,
            generation: rows.generation,
        }
    }

    /// "231 of 1 376 events", where so many are listed.
    fn events_summary(&self, listed: u64) -> String {
        let all = self.index.as_ref().map_or(0, |index| index.len()) as u64;
        match (self.listing(), listed == all) {
            (None, _) if self.browse.is_counting => format!("First {} events, indexing…", grouped(listed)),
            (None, _) => format!("First {} events, not indexed", grouped(listed)),
            (Some(_), true) if self.is_index_part && self.browse.is_counting => {
                format!("{} events so far, indexing…", grouped(all))
            }
            (Some(_), true) if self.is_index_part => format!("{} events so far, stopped", grouped(all)),
            (Some(_), false) if self.is_index_part => {
                format!("{} of {} events so far", grouped(listed), grouped(all))
            }
            (Some(_), true) => format!("{} events", grouped(all)),
            (Some(_), false) => format!("{} of {} events", grouped(listed), grouped(all)),
        }
    }
}
