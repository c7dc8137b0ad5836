//! Browsing: which stream and event are chosen.

use std::sync::Arc;

use crate::session::{
    action::BrowseAction, filters::Filters, job::Job, notice::Notices, opened::Opened, rows::Rows,
    snapshots::Snapshots, streams::Streams, view::ColumnPath, workspace::Workspace,
};

/// What the user browses.
pub(crate) struct Browse {
    /// The stream whose state is shown.
    pub(crate) focus: Option<u32>,
    /// Whether only its events are listed.
    pub(crate) only_focus: bool,
    /// Whether the index is still being built.
    pub(crate) is_counting: bool,
    pub(crate) streams: Streams,
    pub(crate) filters: Filters,
    pub(crate) rows: Rows,
    pub(crate) snapshots: Snapshots,
}

impl Browse {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        let columns = workspace.path_columns.iter().filter_map(|path| ColumnPath::parse(path)).collect();
        Self {
            focus: None,
            only_focus: false,
            is_counting: true,
            streams: Streams::sorted_by(workspace.stream_sort),
            filters: Filters::default(),
            rows: Rows::with_columns(columns),
            snapshots: Snapshots::default(),
        }
    }

    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        workspace.stream_sort = self.streams.sort();
        // Each action adds or removes one at most, so another length tells of any change.
        if workspace.path_columns.len() != self.rows.columns().len() {
            workspace.path_columns = self.rows.columns().iter().map(ToString::to_string).collect();
        }
    }
}

impl Opened {
    /// Answers what the user asked for of streams and events.
    pub(crate) fn browse(&mut self, action: BrowseAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            BrowseAction::ChooseStream(stream) => self.choose_stream(stream),
            BrowseAction::ClearStream => self.clear_stream(),
            BrowseAction::ChooseRow(row) => self.choose_row(row),
            BrowseAction::MoveRow(rows) => self.move_row(rows),
            BrowseAction::ChooseSnapshot(row) => self.choose_snapshot(row),
            BrowseAction::GoToId(id) => self.go_to_id(&id),
            BrowseAction::GoTo(text) => self.go_to_typed(&text, notices),

            BrowseAction::FilterStreams(text) => self.arrange_streams(|streams| streams.filter_by(text)),
            BrowseAction::SortStreams(sort) => self.arrange_streams(|streams| streams.sort_by(sort)),
            BrowseAction::ToggleCategory(name) => {
                self.arrange_streams(|streams| streams.toggle_category(name))
            }
            BrowseAction::OpenAllCategories(opened) => {
                self.arrange_streams(|streams| streams.open_all(opened))
            }

            BrowseAction::FilterCategory(category) => {
                self.filter_events(|filters| filters.category = category)
            }
            BrowseAction::ToggleType(name) => self.filter_events(|filters| filters.toggle_type(name)),
            BrowseAction::ClearTypes => self.filter_events(Filters::show_all_types),
            BrowseAction::OnlyType(name) => self.show_only_type(&name),
            BrowseAction::FilterFrom(time) => self.filter_events(|filters| filters.from = time),
            BrowseAction::FilterTo(time) => self.filter_events(|filters| filters.to = time),
            BrowseAction::ClearFilters => self.clear_filters(),
            BrowseAction::OrderEvents(order) => self.filter_events(|filters| filters.order = order),

            BrowseAction::ShowRows { first, count } => self.show_rows(first, count).into_iter().collect(),
            BrowseAction::AddColumn(path) => self.add_column(path),
            BrowseAction::RemoveColumn(path) => self.remove_column(&path),
            BrowseAction::SnapshotsOfStream(only) => self.list_snapshots(only),
        }
    }

    fn choose_stream(&mut self, stream: u32) -> Vec<Job> {
        let Some(index) = &self.index else { return Vec::new() };
        let events = index.stream_events(stream).len();
        let ordinal = self.cursor.ordinal;
        self.trail.leave(self.spot());
        let mut jobs = self.focus_on(Some(stream), true);
        // A cursor in the past stays in the past; if the stream had no event yet, it goes to its end.
        let count = self.count_at(ordinal);
        let events = self.what_if.shown_length().unwrap_or(events);
        self.cursor.count = if self.cursor.is_following || count == 0 { events } else { count };
        if count == 0 && !self.cursor.is_following {
            self.cursor.ordinal = self.ordinal_of_count(events);
        }
        jobs.extend(self.cursor_moved());
        jobs
    }

    fn clear_stream(&mut self) -> Vec<Job> {
        self.trail.leave(self.spot());
        let mut jobs = self.focus_on(None, false);
        jobs.extend(self.cursor_moved());
        jobs
    }

    /// Shows the state of a stream, and only its events if asked.
    pub(crate) fn focus_on(&mut self, focus: Option<u32>, only: bool) -> Vec<Job> {
        let mut jobs = Vec::new();
        let was_listed = (self.browse.only_focus, self.browse.focus);
        let has_changed = self.browse.focus != focus;
        self.browse.focus = focus;
        self.browse.only_focus = only && focus.is_some();
        if has_changed {
            jobs.extend(self.refold());
            jobs.extend(self.bars_job());
            if self.browse.snapshots.depend_on_stream() {
                jobs.extend(self.snapshots_job());
            }
            self.refresh_cost_along();
        }
        if was_listed != (self.browse.only_focus, focus) && (was_listed.0 || self.browse.only_focus) {
            jobs.extend(self.listing_job());
        }
        jobs
    }

    fn choose_row(&mut self, row: u64) -> Vec<Job> {
        let Some(listing) = self.listing() else { return Vec::new() };
        let Some(ordinal) = listing.ordinal(row) else { return Vec::new() };
        self.trail.leave(self.spot());
        self.stand_at(ordinal)
    }

    /// Puts the cursor on an event and shows the state of its stream.
    pub(crate) fn stand_at(&mut self, ordinal: u32) -> Vec<Job> {
        let Some(row) = self.index.as_ref().and_then(|index| index.row(ordinal)) else { return Vec::new() };
        let only = self.browse.only_focus && self.browse.focus == Some(row.stream);
        let mut jobs = self.focus_on(Some(row.stream), only);
        self.cursor.is_following = false;
        self.cursor.ordinal = Some(ordinal);
        let events = self.index.as_ref().map(|index| index.stream_events(row.stream)).unwrap_or_default();
        let count = events.place_of(ordinal).map_or(0, |place| place + 1);
        self.cursor.count = self.what_if.shown_count(count);
        jobs.extend(self.cursor_moved());
        jobs
    }

    fn move_row(&mut self, rows: i64) -> Vec<Job> {
        let Some(listing) = self.listing() else { return Vec::new() };
        let Some(last) = (listing.len() as u64).checked_sub(1) else { return Vec::new() };
        let here = self.standing().and_then(|ordinal| listing.row_of(ordinal));
        let target = here.map_or(0, |row| row.saturating_add_signed(rows)).min(last);
        let ordinal = listing.ordinal(target);
        ordinal.map(|ordinal| self.stand_at(ordinal)).unwrap_or_default()
    }

    /// The name of the stream whose state is shown.
    pub(crate) fn focus_name(&self) -> Option<Arc<str>> {
        let streams = self.index.as_ref()?.streams();
        Some(streams.get(self.browse.focus? as usize)?.name.full())
    }
}
