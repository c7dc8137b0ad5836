//! Streams and events: choosing, filtering, sorting, and the rows on screen.

use std::sync::Arc;

use crate::{
    model::{EventQuery, Pointer, StoredSnapshot, StreamName, TextFilter, Timestamp},
    session::{
        action::{BrowseAction, EventOrder, StreamSort},
        job::{Job, Question, RowShape, Slot},
        listing::StreamLines,
        notice::Notices,
        opened::Opened,
        view::{
            EventsView, FilterView, Listing, LoadedRow, SnapshotRow, SnapshotsView, StreamLine, StreamsView,
            TypeView, grouped,
        },
        workspace::Workspace,
    },
};

/// What the user browses.
pub(crate) struct Browse {
    /// The stream whose state is shown.
    pub(crate) focus: Option<u32>,
    /// Whether only its events are listed.
    pub(crate) only_focus: bool,
    /// Whether the index is still being built.
    pub(crate) is_counting: bool,
    stream_filter: String,
    filter_error: Option<String>,
    sort: StreamSort,
    is_descending: bool,
    opened_all: bool,
    closed: Vec<Option<Arc<str>>>,
    lines: Arc<Vec<StreamLine>>,
    passing: usize,
    as_of: Option<Arc<Vec<u32>>>,
    paths: Arc<Vec<Pointer>>,
    category: Option<Option<Arc<str>>>,
    hidden_types: Vec<Arc<str>>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    order: EventOrder,
    ordinals: Option<Option<Arc<Vec<u32>>>>,
    loaded: Arc<Vec<Option<LoadedRow>>>,
    loaded_from: u64,
    asked: Option<(u64, u64)>,
    wanted: (u64, usize),
    generation: u64,
    snapshots: Arc<Vec<SnapshotRow>>,
    snapshots_of: Option<Arc<StreamName>>,
    snapshots_of_stream: bool,
    is_reading_snapshots: bool,
    chosen_snapshot: Option<usize>,
    snapshot: Option<Arc<StoredSnapshot>>,
}

/// Rows are fetched for one screen before and after the one that is shown, at most so many in all.
const MOST_ROWS: u64 = 600;

impl Browse {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            focus: None,
            only_focus: false,
            is_counting: true,
            stream_filter: String::new(),
            filter_error: None,
            sort: workspace.stream_sort,
            is_descending: false,
            opened_all: true,
            closed: Vec::new(),
            lines: Arc::default(),
            passing: 0,
            as_of: None,
            paths: Arc::new(workspace.path_columns.iter().filter_map(|path| Pointer::parse(path)).collect()),
            category: None,
            hidden_types: Vec::new(),
            from: None,
            to: None,
            order: EventOrder::Global,
            ordinals: None,
            loaded: Arc::default(),
            loaded_from: 0,
            asked: None,
            wanted: (0, 0),
            generation: 0,
            snapshots: Arc::default(),
            snapshots_of: None,
            snapshots_of_stream: true,
            is_reading_snapshots: false,
            chosen_snapshot: None,
            snapshot: None,
        }
    }

    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        workspace.stream_sort = self.sort;
        if workspace.path_columns.len() != self.paths.len() {
            workspace.path_columns = self.paths.iter().map(ToString::to_string).collect();
        }
    }

    pub(crate) fn take_first_rows(&mut self, rows: Vec<Option<LoadedRow>>) {
        if self.ordinals.is_none() {
            self.loaded = Arc::new(rows);
            self.loaded_from = 0;
        }
    }

    pub(crate) fn take_rows(&mut self, first: u64, rows: Vec<Option<LoadedRow>>) {
        self.loaded = Arc::new(rows);
        self.loaded_from = first;
        self.asked = None;
    }

    pub(crate) fn take_lines(&mut self, lines: Vec<StreamLine>, passing: usize) {
        self.lines = Arc::new(lines);
        self.passing = passing;
    }

    pub(crate) fn take_as_of(&mut self, counts: Option<Vec<u32>>) {
        self.as_of = counts.map(Arc::new);
    }

    pub(crate) fn take_snapshots(&mut self, rows: Vec<SnapshotRow>, of: Option<Arc<StreamName>>) {
        self.snapshots = Arc::new(rows);
        self.snapshots_of = of;
        self.is_reading_snapshots = false;
        self.chosen_snapshot = None;
        self.snapshot = None;
    }

    pub(crate) fn take_snapshot(&mut self, snapshot: Option<StoredSnapshot>) {
        self.snapshot = snapshot.map(Arc::new);
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.is_counting = false;
        self.asked = None;
        self.is_reading_snapshots = false;
    }

    /// The versions of the snapshots that are listed, with their streams.
    pub(crate) fn snapshots(&self) -> &[SnapshotRow] {
        &self.snapshots
    }

    pub(crate) fn snapshots_view(&self, has_no_table: bool) -> SnapshotsView {
        SnapshotsView {
            rows: Arc::clone(&self.snapshots),
            is_of_stream: self.snapshots_of_stream,
            is_reading: self.is_reading_snapshots,
            chosen: self.chosen_snapshot,
            detail: self.snapshot.clone(),
            has_table: !has_no_table,
        }
    }
}

impl Opened {
    /// Answers what the user asked for of streams and events.
    pub(crate) fn browse(&mut self, action: BrowseAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            BrowseAction::ChooseStream(stream) => self.choose_stream(stream),
            BrowseAction::ClearStream => {
                self.trail.leave(self.spot());
                let mut jobs = self.focus_on(None, false);
                jobs.extend(self.cursor_moved());
                jobs
            }
            BrowseAction::FilterStreams(text) => {
                match TextFilter::parse(&text) {
                    Ok(_) => self.browse.filter_error = None,
                    Err(err) => self.browse.filter_error = Some(err.to_string()),
                }
                self.browse.stream_filter = text;
                self.lines_job().into_iter().collect()
            }
            BrowseAction::SortStreams(sort) => {
                self.browse.is_descending = self.browse.sort == sort && !self.browse.is_descending;
                self.browse.sort = sort;
                self.lines_job().into_iter().collect()
            }
            BrowseAction::ToggleCategory(name) => {
                match self.browse.closed.iter().position(|other| *other == name) {
                    Some(place) => drop(self.browse.closed.swap_remove(place)),
                    None => self.browse.closed.push(name),
                }
                self.lines_job().into_iter().collect()
            }
            BrowseAction::OpenAllCategories(opened) => {
                self.browse.opened_all = opened;
                self.browse.closed.clear();
                self.lines_job().into_iter().collect()
            }
            BrowseAction::ShowRows { first, count } => self.show_rows(first, count).into_iter().collect(),
            BrowseAction::ChooseRow(row) => self.choose_row(row),
            BrowseAction::MoveRow(rows) => self.move_row(rows),
            BrowseAction::GoTo(text) => self.go_to_typed(&text, notices),
            BrowseAction::ChooseSnapshot(row) => self.choose_snapshot(row),
            BrowseAction::SnapshotsOfStream(only) => {
                self.browse.snapshots_of_stream = only;
                self.snapshots_job().into_iter().collect()
            }
            BrowseAction::AddColumn(path) => {
                if !self.browse.paths.contains(&path) {
                    Arc::make_mut(&mut self.browse.paths).push(path);
                }
                self.reload_rows()
            }
            BrowseAction::RemoveColumn(path) => {
                Arc::make_mut(&mut self.browse.paths).retain(|other| *other != path);
                self.reload_rows()
            }
            filter => self.change_filters(filter),
        }
    }

    fn change_filters(&mut self, action: BrowseAction) -> Vec<Job> {
        let browse = &mut self.browse;
        match action {
            BrowseAction::FilterCategory(category) => browse.category = category,
            BrowseAction::ToggleType(name) => {
                match browse.hidden_types.iter().position(|other| *other == name) {
                    Some(place) => drop(browse.hidden_types.swap_remove(place)),
                    None => browse.hidden_types.push(name),
                }
            }
            BrowseAction::ClearTypes => browse.hidden_types.clear(),
            BrowseAction::OnlyType(name) => {
                let types = self.index.iter().flat_map(|index| index.types());
                browse.hidden_types =
                    types.filter(|other| other.name != name).map(|other| Arc::clone(&other.name)).collect();
            }
            BrowseAction::FilterFrom(time) => browse.from = time,
            BrowseAction::FilterTo(time) => browse.to = time,
            BrowseAction::OrderEvents(order) => browse.order = order,
            BrowseAction::ClearFilters => {
                browse.category = None;
                browse.hidden_types.clear();
                browse.from = None;
                browse.to = None;
                browse.only_focus = false;
            }
            _ => return Vec::new(),
        }
        self.listing_job().into_iter().collect()
    }

    fn choose_stream(&mut self, stream: u32) -> Vec<Job> {
        let Some(index) = &self.index else { return Vec::new() };
        let events = index.stream_events(stream).len();
        let ordinal = self.cursor.ordinal;
        self.trail.leave(self.spot());
        let mut jobs = self.focus_on(Some(stream), true);
        // A cursor in the past stays in the past; if the stream had no event yet, it goes to its end.
        let count = self.count_at(ordinal);
        self.cursor.count = if self.cursor.is_following || count == 0 { events } else { count };
        if count == 0 && !self.cursor.is_following {
            self.cursor.ordinal = self.ordinal_of_count(events);
        }
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
            if self.browse.snapshots_of_stream {
                jobs.extend(self.snapshots_job());
            }
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
        self.cursor.count = events.iter().position(|other| *other == ordinal).map_or(0, |place| place + 1);
        jobs.extend(self.cursor_moved());
        jobs
    }

    fn move_row(&mut self, rows: i64) -> Vec<Job> {
        let Some(listing) = self.listing() else { return Vec::new() };
        let Some(last) = (listing.len() as u64).checked_sub(1) else { return Vec::new() };
        let here = self.standing().and_then(|ordinal| listing.row_of(ordinal, self.browse.order));
        let target = here.map_or(0, |row| row.saturating_add_signed(rows)).min(last);
        let ordinal = listing.ordinal(target);
        ordinal.map(|ordinal| self.stand_at(ordinal)).unwrap_or_default()
    }

    fn choose_snapshot(&mut self, place: usize) -> Vec<Job> {
        let Some(row) = self.browse.snapshots.get(place) else { return Vec::new() };
        let stream = row.stream_number;
        let version = row.version.parse::<i64>().ok();
        self.browse.chosen_snapshot = Some(place);
        self.browse.snapshot = None;
        let of = self.browse.snapshots_of.clone();
        let mut jobs = vec![Job {
            slot: Slot::Snapshot,
            question: Question::Snapshot(Arc::clone(&self.store), of, place),
        }];
        // The cursor goes to the version that the snapshot is a state of, so that both can be seen.
        if let (Some(stream), Some(version)) = (stream, version) {
            let found = self.event_of_version(stream, version);
            jobs.extend(found.map(|ordinal| self.stand_at(ordinal)).unwrap_or_default());
        }
        jobs
    }

    pub(crate) fn event_of_version(&self, stream: u32, version: i64) -> Option<u32> {
        let index = self.index.as_ref()?;
        let has_version = |ordinal: &u32| {
            index.row(*ordinal).and_then(|row| row.version).is_some_and(|found| found.0 == version)
        };
        index.stream_events(stream).iter().copied().find(has_version)
    }

    /// The rows on screen changed: fetches them unless they are there.
    fn show_rows(&mut self, first: u64, count: usize) -> Option<Job> {
        self.browse.wanted = (first, count);
        let count = (count as u64).min(MOST_ROWS / 3);
        let end = first + count;
        let have = self.browse.loaded_from..self.browse.loaded_from + self.browse.loaded.len() as u64;
        let covers = |from: u64, to: u64| from <= first && end <= to;
        let total = self.listing()?.len() as u64;
        let end = end.min(total);
        if (have.start <= first && end <= have.end)
            || self.browse.asked.is_some_and(|(from, to)| covers(from, to.max(end)))
        {
            return None;
        }
        let (from, to) = (first.saturating_sub(count), (end + count).min(total));
        self.browse.asked = Some((from, to));
        self.rows_job(from, to)
    }

    fn rows_job(&self, from: u64, to: u64) -> Option<Job> {
        let listing = self.listing()?;
        let keys = (from..to).filter_map(|row| listing.index.key(listing.ordinal(row)?)).collect();
        let question =
            Question::Rows { store: Arc::clone(&self.store), first: from, keys, shape: self.row_shape() };
        Some(Job { slot: Slot::Rows, question })
    }

    /// Fetches the rows on screen again, in another shape.
    pub(crate) fn reload_rows(&mut self) -> Vec<Job> {
        self.browse.asked = None;
        let (first, count) = self.browse.wanted;
        let Some(listing) = self.listing() else {
            let question = Question::FirstRows(Arc::clone(&self.store), self.row_shape());
            return vec![Job { slot: Slot::FirstRows, question }];
        };
        let count = (count as u64).clamp(1, MOST_ROWS / 3);
        let total = listing.len() as u64;
        let (from, to) = (first.saturating_sub(count).min(total), (first + 2 * count).min(total));
        self.rows_job(from, to).into_iter().collect()
    }

    pub(crate) fn row_shape(&self) -> RowShape {
        RowShape { paths: self.browse.paths.to_vec(), zone: self.zone }
    }

    pub(crate) fn listing(&self) -> Option<Listing> {
        let ordinals = self.browse.ordinals.clone()?;
        Some(Listing { index: Arc::clone(self.index.as_ref()?), ordinals })
    }

    /// Asks which events pass the filters.
    pub(crate) fn listing_job(&self) -> Option<Job> {
        let index = Arc::clone(self.index.as_ref()?);
        let query = self.query(&index);
        Some(Job {
            slot: Slot::Listing,
            question: Question::Listing { index, query, order: self.browse.order },
        })
    }

    fn query(&self, index: &crate::store::index::Index) -> EventQuery {
        let browse = &self.browse;
        let shown = index.types().iter().filter(|kind| !browse.hidden_types.contains(&kind.name));
        EventQuery {
            stream: browse
                .focus
                .filter(|_| browse.only_focus)
                .and_then(|stream| index.streams().get(stream as usize))
                .map(|stream| Arc::clone(&stream.name)),
            category: browse.category.clone(),
            types: if browse.hidden_types.is_empty() {
                Vec::new()
            } else {
                shown.map(|kind| Arc::clone(&kind.name)).collect()
            },
            after: None,
            from: browse.from,
            to: browse.to,
        }
    }

    pub(crate) fn take_listing(&mut self, ordinals: Option<Vec<u32>>) -> Vec<Job> {
        let was_other = match (&self.browse.ordinals, &ordinals) {
            (Some(None), None) => false,
            (Some(Some(before)), Some(now)) => !now.starts_with(before),
            _ => true,
        };
        self.browse.ordinals = Some(ordinals.map(Arc::new));
        if was_other {
            self.browse.generation += 1;
            self.browse.loaded = Arc::default();
        }
        self.reload_rows()
    }

    /// Asks for the lines of the streams panel.
    pub(crate) fn lines_job(&self) -> Option<Job> {
        let index = Arc::clone(self.index.as_ref()?);
        let browse = &self.browse;
        let filter = TextFilter::parse(&browse.stream_filter).ok()?;
        let lines = StreamLines {
            index,
            filter,
            sort: browse.sort,
            is_descending: browse.is_descending,
            closed: browse.closed.clone(),
            opened_all: browse.opened_all,
        };
        Some(Job { slot: Slot::Streams, question: Question::Streams(lines) })
    }

    /// Asks for the snapshots of the chosen stream, or of the store.
    pub(crate) fn snapshots_job(&mut self) -> Option<Job> {
        let index = Arc::clone(self.index.as_ref()?);
        if !self.has_snapshot_tables() {
            return None;
        }
        let focus = self.browse.focus.filter(|_| self.browse.snapshots_of_stream);
        let stream =
            focus.and_then(|stream| index.streams().get(stream as usize)).map(|info| Arc::clone(&info.name));
        self.browse.is_reading_snapshots = true;
        let question = Question::Snapshots { store: Arc::clone(&self.store), index, stream, zone: self.zone };
        Some(Job { slot: Slot::Snapshots, question })
    }

    pub(crate) fn streams_view(&self) -> StreamsView {
        let browse = &self.browse;
        let total = self.index.as_ref().map_or(0, |index| index.streams().len());
        let summary = match (self.index.is_none(), browse.passing == total) {
            (true, _) if browse.is_counting => "Counting…".to_owned(),
            (true, _) => "Not counted; F5 reads the store afresh".to_owned(),
            (false, true) => format!("{} streams", grouped(total as u64)),
            (false, false) => {
                format!("{} of {} streams", grouped(browse.passing as u64), grouped(total as u64))
            }
        };
        StreamsView {
            lines: Arc::clone(&browse.lines),
            filter: browse.stream_filter.clone(),
            filter_error: browse.filter_error.clone(),
            sort: browse.sort,
            is_descending: browse.is_descending,
            chosen: browse.focus,
            summary,
            is_counting: browse.is_counting,
            as_of: browse.as_of.clone(),
            index: self.index.clone(),
            zone: self.zone,
        }
    }

    pub(crate) fn events_view(&self) -> EventsView {
        let browse = &self.browse;
        let listing = self.listing();
        let all = self.index.as_ref().map_or(0, |index| index.len()) as u64;
        let total = listing.as_ref().map_or(browse.loaded.len(), Listing::len) as u64;
        let summary = match (&listing, total == all) {
            (None, _) if browse.is_counting => format!("First {} events, indexing…", grouped(total)),
            (None, _) => format!("First {} events; F5 reads the store afresh", grouped(total)),
            (Some(_), true) => format!("{} events", grouped(all)),
            (Some(_), false) => format!("{} of {} events", grouped(total), grouped(all)),
        };
        EventsView {
            paths: Arc::clone(&browse.paths),
            total,
            summary,
            cursor_row: self.standing().and_then(|ordinal| listing.as_ref()?.row_of(ordinal, browse.order)),
            listing,
            loaded: Arc::clone(&browse.loaded),
            loaded_from: browse.loaded_from,
            order: browse.order,
            filters: self.filters().into(),
            types: self.type_views().into(),
            zone: self.zone,
            generation: browse.generation,
        }
    }

    fn type_views(&self) -> Vec<TypeView> {
        let types = self.index.iter().flat_map(|index| index.types());
        let view = |kind: &crate::store::index::TypeInfo| TypeView {
            name: Arc::clone(&kind.name),
            events: kind.events,
            is_shown: !self.browse.hidden_types.contains(&kind.name),
        };
        types.map(view).collect()
    }

    fn filters(&self) -> Vec<FilterView> {
        let browse = &self.browse;
        let mut filters = Vec::new();
        let mut add = |text: String, remove: BrowseAction| filters.push(FilterView { text, remove });
        if browse.only_focus
            && let Some(name) = self.focus_name()
        {
            add(format!("stream {name}"), BrowseAction::ClearStream);
        }
        if let Some(category) = &browse.category {
            let name = category.as_deref().unwrap_or("(none)");
            add(format!("category {name}"), BrowseAction::FilterCategory(None));
        }
        if !browse.hidden_types.is_empty() {
            let all = self.index.as_ref().map_or(0, |index| index.types().len());
            let shown = all.saturating_sub(browse.hidden_types.len());
            add(format!("{shown} of {all} types"), BrowseAction::ClearTypes);
        }
        if let Some(from) = browse.from {
            add(format!("from {}", from.to_display(self.zone)), BrowseAction::FilterFrom(None));
        }
        if let Some(to) = browse.to {
            add(format!("to {}", to.to_display(self.zone)), BrowseAction::FilterTo(None));
        }
        filters
    }

    /// The name of the stream whose state is shown.
    pub(crate) fn focus_name(&self) -> Option<Arc<str>> {
        let streams = self.index.as_ref()?.streams();
        Some(streams.get(self.browse.focus? as usize)?.name.full())
    }
}
