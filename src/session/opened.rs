//! An open store: what is known of it, and what the panels show of that.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    model::{Change, RecordedEvent, StreamName, Zone},
    project::open::OpenedStore,
    replay::Step,
    session::{
        blame::Blame,
        bookmarks::Bookmarks,
        browse::Browse,
        compare::Compare,
        conditions::Conditions,
        cursor::Cursor,
        discards::Discards,
        drift::Drifts,
        estimates::Estimates,
        job::{Answer, BarsAnswer, Job, Question, Slot},
        keep::Kept,
        memory::Histories,
        notice::Notices,
        origin::Origin,
        payloads::Payloads,
        projections::Projections,
        publish::Publishing,
        scripts::Scripts,
        shell::file_name,
        snapshots::SnapshotList,
        states::States,
        timeline::Timeline,
        trail::Trail,
        verify::Verified,
        view::{InfoView, View, grouped},
        watches::Watches,
        what_if::WhatIf,
        workspace::Workspace,
    },
    store::{EventStore, Head, index::Index, layout::Layout},
};

/// An open store.
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) store: Arc<dyn EventStore>,
    /// What is known of the events: of all of them, or while they are indexed of those so far.
    pub(crate) index: Option<Arc<Index>>,
    /// Whether the index is only the beginning of one.
    pub(crate) is_index_part: bool,
    pub(crate) origin: Origin,
    pub(crate) estimates: Estimates,
    pub(crate) browse: Browse,
    pub(crate) cursor: Cursor,
    pub(crate) timeline: Timeline,
    pub(crate) states: States,
    /// Every history that is open or was shown before.
    pub(crate) histories: Histories,
    /// What a job is to let go of.
    pub(crate) discards: Discards,
    pub(crate) trail: Trail,
    pub(crate) kept: Kept,
    pub(crate) scripts: Scripts,
    pub(crate) blame: Blame,
    pub(crate) watches: Watches,
    pub(crate) conditions: Conditions,
    pub(crate) payloads: Payloads,
    pub(crate) compare: Compare,
    pub(crate) what_if: WhatIf,
    pub(crate) bookmarks: Bookmarks,
    pub(crate) projections: Projections,
    pub(crate) drifts: Drifts,
    pub(crate) publishing: Publishing,
    pub(crate) verified: Verified,
    pub(crate) zone: Zone,
    /// The event at the cursor.
    pub(crate) event: Option<Arc<RecordedEvent>>,
    pub(crate) layout: Arc<Layout>,
    /// What the store looked like when the index was made, or last extended.
    head: Head,
    /// What it looked like when the index was last asked to follow, until that has ended.
    awaited_head: Option<Head>,
    /// Whether following broke off, and the user was told.
    is_behind: bool,
    since_look: Duration,
    is_out_of_sight: bool,
    pub(crate) table_counts: Vec<Option<u64>>,
    pub(crate) info: Arc<InfoView>,
}

/// What is looked at while nothing happens; the window has nothing to do until any of it looks otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// What the store looked like when it was last looked at.
    pub head: Head,
    /// The user's reducers and definitions.
    pub files: Vec<PathBuf>,
}

/// How often a store is looked at for new events: soon enough to feel live, and a look is two
/// questions to the file system.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Opened {
    /// A store that was just opened, and the jobs that fill its panels.
    pub(crate) fn new(
        found: OpenedStore,
        project: Option<PathBuf>,
        workspace: &Workspace,
        origin: Origin,
    ) -> (Self, Vec<Job>) {
        let layout = Arc::clone(&found.store.describe().layout);
        let mut opened = Self {
            path: found.path,
            index: None,
            is_index_part: false,
            origin,
            estimates: Estimates::default(),
            browse: Browse::new(workspace),
            cursor: Cursor::new(workspace),
            timeline: Timeline::new(workspace),
            states: States::default(),
            histories: Histories::new(workspace.memory_mebibytes),
            discards: Discards::default(),
            trail: Trail::default(),
            kept: Kept::new(found.project_file, project, found.sections),
            scripts: Scripts::default(),
            blame: Blame::default(),
            watches: Watches::default(),
            conditions: Conditions::default(),
            payloads: Payloads::default(),
            compare: Compare::default(),
            what_if: WhatIf::default(),
            bookmarks: Bookmarks::default(),
            projections: Projections::default(),
            drifts: Drifts::default(),
            publishing: Publishing::default(),
            verified: Verified::default(),
            zone: workspace.zone,
            event: None,
            layout,
            head: found.head,
            awaited_head: None,
            is_behind: false,
            since_look: Duration::ZERO,
            is_out_of_sight: false,
            table_counts: Vec::new(),
            info: Arc::default(),
            store: found.store,
        };
        opened.refresh_info();
        let scripts = opened.start_scripts(workspace);
        let projections = opened.start_projections(workspace);
        let store = || Arc::clone(&opened.store);
        let jobs = vec![
            Job { slot: Slot::FirstRows, question: Question::FirstRows(store(), opened.row_shape()) },
            opened.origin.job(&opened.store),
        ];
        (opened, jobs.into_iter().chain(scripts).chain(projections).collect())
    }

    /// Takes what a job found.
    pub(crate) fn take(&mut self, answer: Answer, notices: &mut Notices) -> Vec<Job> {
        match answer {
            Answer::FirstRows(rows) => {
                self.browse.rows.take_first(rows);
                Vec::new()
            }
            Answer::IndexedSoFar(index) => self.take_index_part(&index),
            Answer::Indexed(index) => self.take_latest_index(&index, notices),
            Answer::Cache(answer) => self.take_cache(answer, notices),
            Answer::Rows(first, rows) => {
                self.browse.rows.take(first, rows);
                self.watch_cells_job().into_iter().collect()
            }
            Answer::Streams(lines, passing) => {
                self.browse.streams.take_lines(lines, passing);
                Vec::new()
            }
            Answer::Listing(listed) => self.take_listing(listed),
            Answer::AsOf(counts) => {
                self.browse.streams.take_as_of(counts);
                Vec::new()
            }
            Answer::Bars(bars) => self.take_bars(bars),
            Answer::Step(step, changes) => self.take_step(*step, changes),
            Answer::Event(event) => {
                self.event = event.map(|event| Arc::new(*event));
                Vec::new()
            }
            Answer::EventOfId(id, key) => self.go_to_found(&id, key.as_ref(), notices),
            Answer::Folded => self.fold_ended(),
            Answer::Pins(changes) => {
                self.states.take_pins(changes);
                Vec::new()
            }
            Answer::Snapshots(list, of) => self.take_snapshots(list, of),
            Answer::Snapshot(snapshot) => {
                self.browse.snapshots.take_detail(snapshot.map(|snapshot| *snapshot));
                Vec::new()
            }
            Answer::Tables(counts) => {
                self.table_counts = counts;
                self.refresh_info();
                self.arrange_projections();
                Vec::new()
            }
            Answer::Kept(written) => self.take_written(*written),
            Answer::KeepFailed(err) => self.keep_failed(&err, notices),
            Answer::Head(head) => self.take_head(head),
            Answer::Settled(engines) => self.histories.take_engines(engines).into_iter().collect(),
            Answer::Scripts(answer) => self.take_scripts(answer, notices),
            Answer::Blame(answer) => self.take_blame(answer, notices),
            Answer::Watches(answer) => self.take_watches(answer, notices),
            Answer::Conditions(answer) => self.take_conditions(answer, notices),
            Answer::Payloads(answer) => self.take_payloads(*answer),
            Answer::Compare(answer) => self.take_compare(answer, notices),
            Answer::WhatIf(answer) => self.take_what_if(answer, notices),
            Answer::Projections(answer) => self.take_projections(answer, notices),
            Answer::Drift(answer) => self.take_drift(answer, notices),
            Answer::Publish(answer) => self.take_publish(answer, notices),
            Answer::Verify(answer) => self.take_verify(answer, notices),
            Answer::Tried(answer) => self.take_trial(&answer),
            // The others concern the window as a whole and were taken there.
            Answer::Gone
            | Answer::Opened(_)
            | Answer::OpenFailed(..)
            | Answer::SampleMade(_)
            | Answer::SampleFailed(_)
            | Answer::Preview(_)
            | Answer::PastChanged(_)
            | Answer::Failed(_) => Vec::new(),
        }
    }

    fn take_bars(&mut self, bars: BarsAnswer) -> Vec<Job> {
        self.timeline.take_bars(bars);
        self.place_ticks();
        Vec::new()
    }

    fn take_snapshots(&mut self, list: SnapshotList, of: Option<Arc<StreamName>>) -> Vec<Job> {
        let before = self.browse.snapshots.take(list, of);
        self.discards.put(before);
        self.arrange_verdicts();
        self.place_ticks();
        Vec::new()
    }

    fn take_step(&mut self, step: Step, changes: Vec<Change>) -> Vec<Job> {
        // It may come after its stream was left.
        if self.states.history().is_none() {
            return Vec::new();
        }
        let mut jobs = Vec::new();
        if self.is_on_stream() && step.count == self.cursor.count {
            self.event = step.event.clone().map(Arc::new);
        } else if self.is_on_stream() {
            // A step that stands in for one that is far has another event.
            jobs.extend(self.event_job());
        }
        self.note_step(&step);
        self.states.take_step(step, changes);
        jobs.extend(self.watch_values_job());
        jobs
    }

    /// Time has passed: the cursor may play on, and the store may have grown.
    pub(crate) fn tick(&mut self, elapsed: Duration) -> Vec<Job> {
        let mut jobs = self.play_on(elapsed);
        jobs.extend(self.tick_origin(elapsed));
        jobs.extend(self.tick_scripts(elapsed));
        jobs.extend(self.tick_projections(elapsed));
        jobs.extend(self.tick_publishing());
        self.since_look += elapsed;
        if self.since_look >= LOOK_EVERY {
            self.since_look = Duration::ZERO;
            jobs.push(Job { slot: Slot::Watch, question: Question::Watch(Arc::clone(&self.store)) });
            if self.states.is_folding() {
                jobs.extend(self.ask_again());
            }
        }
        jobs
    }

    /// Whether time that passes changes nothing by itself.
    pub(crate) fn is_at_rest(&self) -> bool {
        !(self.cursor.is_playing
            || self.is_out_of_sight
            || self.origin.needs_time()
            || self.states.is_folding()
            || self.scripts_need_time()
            || self.projections_need_time()
            || self.is_publishing())
    }

    /// What to look at meanwhile.
    pub(crate) fn watched(&self) -> Rest {
        let files = self.script_files().chain(self.definition_files()).collect();
        Rest { head: self.head.clone(), files }
    }

    /// A job ended without an answer: nothing waits for it any more.
    pub(crate) fn job_failed(&mut self, slot: Slot) -> Vec<Job> {
        match slot {
            Slot::Index => {
                self.browse.is_counting = false;
                // The next look finds the store ahead of the index still, and asks again.
                self.awaited_head = None;
            }
            Slot::Rows => self.browse.rows.stop_waiting(),
            Slot::Snapshots => self.browse.snapshots.stop_waiting(),
            Slot::Verify | Slot::SnapshotParting | Slot::SnapshotCost => self.verified.stop_waiting(slot),
            Slot::Step => self.states.stop_waiting(),
            Slot::WatchSeries => self.watches.watched.stop(),
            Slot::Hits | Slot::Run | Slot::Across => self.conditions.stop(slot),
            Slot::Payloads => self.payloads.stop(),
            Slot::Compare => self.compare_failed(),
            Slot::Keep => self.stop_keeping(),
            Slot::Export | Slot::WhatIf | Slot::BranchReducer => self.what_if_failed(slot),
            Slot::BlameWrites | Slot::BlameRows | Slot::BlameLast => self.blame.stop_waiting(),
            Slot::Cache | Slot::CacheCheck => return self.cache_job_failed(slot),
            Slot::Fold => return self.fold_ended(),
            Slot::Projections
            | Slot::Definitions
            | Slot::DefinitionSave
            | Slot::Rebuild(_)
            | Slot::ModelRows
            | Slot::RowHistory
            | Slot::Output => self.projections_job_failed(slot),
            Slot::Drift => self.drift_job_failed(),
            Slot::DryRun | Slot::Publish => self.publish_job_failed(slot),
            slot => self.scripts_job_failed(slot),
        }
        Vec::new()
    }

    /// Every job was stopped, but for those that write files: nothing waits for the others any more.
    pub(crate) fn work_stopped(&mut self) -> Vec<Job> {
        for slot in [
            Slot::Index,
            Slot::Rows,
            Slot::Snapshots,
            Slot::Step,
            Slot::BlameWrites,
            Slot::Compare,
            Slot::WhatIf,
            Slot::WatchSeries,
            Slot::Hits,
            Slot::Run,
            Slot::Across,
            Slot::Payloads,
            Slot::DryRun,
            Slot::Verify,
            Slot::SnapshotParting,
            Slot::SnapshotCost,
            Slot::Drift,
            Slot::CacheCheck,
        ] {
            self.job_failed(slot);
        }
        for slot in [Slot::ScriptLoad, Slot::Scaffold] {
            self.job_failed(slot);
        }
        self.states.fold_stopped();
        self.projections_stopped()
    }

    pub(crate) fn set_zone(&mut self, zone: Zone) -> Vec<Job> {
        self.zone = zone;
        self.refresh_info();
        self.find_bookmarks();
        let mut jobs = self.reload_rows();
        jobs.extend(self.bars_job());
        jobs.extend(self.snapshots_job());
        jobs.extend(self.blame_anew());
        jobs
    }

    pub(crate) fn has_stream(&self) -> bool {
        self.browse.focus.is_some()
    }

    pub(crate) fn take_index(&mut self, index: &Arc<Index>, notices: &mut Notices) -> Vec<Job> {
        let (is_first, was_whole) = (self.index.is_none(), self.whole_index().is_some());
        if !was_whole && !index.troubles().is_empty() {
            let troubles = index.troubles();
            let detail = troubles.iter().take(3).cloned().collect::<Vec<_>>().join("\n");
            let count = grouped(troubles.len() as u64);
            let title = match troubles.len() {
                1 => "1 row has trouble".to_owned(),
                _ if index.has_more_troubles() => format!("At least {count} rows have trouble"),
                _ => format!("{count} rows have trouble"),
            };
            notices.warning(title, detail, "They are listed in View › Layout of the store");
        }
        self.discard_index(Some(Arc::clone(index)));
        (self.is_index_part, self.browse.is_counting) = (false, false);
        if self.cursor.is_following {
            self.cursor.ordinal = u32::try_from(index.len()).ok().and_then(|length| length.checked_sub(1));
        }
        self.refresh_info();
        if is_first {
            self.load_branches();
            self.load_places();
        } else {
            self.find_bookmarks();
        }
        self.find_branches();
        let mut jobs = vec![self.lines_job(), self.listing_job()].into_iter().flatten().collect::<Vec<_>>();
        jobs.extend(self.snapshots_job());
        jobs.extend(self.types_job());
        jobs.extend(self.refold());
        jobs.extend(self.bars_job());
        jobs.extend(self.cursor_moved());
        jobs.extend(self.projections_follow());
        if !was_whole {
            // Counting reads as much as indexing does, so it comes after what the user waits for.
            let question = Question::Tables(Arc::clone(&self.store));
            jobs.push(Job { slot: Slot::Tables, question });
        }
        jobs.extend(self.trial_jobs());
        jobs
    }

    /// Puts another index in the place of the one before.
    fn discard_index(&mut self, next: Option<Arc<Index>>) {
        if let Some(before) = std::mem::replace(&mut self.index, next) {
            self.discards.put(before);
        }
    }

    /// The index of all events; what is asked of the store as a whole waits for it.
    pub(crate) fn whole_index(&self) -> Option<&Arc<Index>> {
        self.index.as_ref().filter(|_| !self.is_index_part)
    }

    /// Takes the index of all events that there were when it was asked for.
    fn take_latest_index(&mut self, index: &Arc<Index>, notices: &mut Notices) -> Vec<Job> {
        self.is_behind = false;
        if let Some(head) = self.awaited_head.take() {
            self.head = head;
            self.origin.has_followed();
        }
        self.take_scanned_index(index, notices)
    }

    /// Takes the beginning of an index: streams and events can be browsed by it.
    fn take_index_part(&mut self, index: &Arc<Index>) -> Vec<Job> {
        // A job that was stopped may have had one more to say.
        if self.whole_index().is_some() || self.index.as_ref().is_some_and(|own| own.len() > index.len()) {
            return Vec::new();
        }
        let is_first = self.index.is_none();
        self.discard_index(Some(Arc::clone(index)));
        self.is_index_part = true;
        if self.cursor.is_following {
            self.cursor.ordinal = u32::try_from(index.len()).ok().and_then(|length| length.checked_sub(1));
        }
        self.refresh_info();
        if is_first {
            // What was kept has to be there before anything is kept anew; what it is about is found later.
            self.load_branches();
            self.load_places();
        }
        let mut jobs = vec![self.lines_job(), self.listing_job()].into_iter().flatten().collect::<Vec<_>>();
        jobs.extend(self.refold());
        jobs.extend(self.bars_job());
        jobs.extend(self.cursor_moved());
        jobs
    }

    /// Whether indexing was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        !self.browse.is_counting && self.whole_index().is_none()
    }

    /// Goes on with an index that was stopped.
    pub(crate) fn go_on_indexing(&mut self) -> Vec<Job> {
        if !self.is_stopped() {
            return Vec::new();
        }
        self.browse.is_counting = true;
        let store = Arc::clone(&self.store);
        let question = match &self.index {
            Some(index) => Question::GoOn(store, Arc::clone(index)),
            None => Question::Index(store),
        };
        vec![Job { slot: Slot::Index, question }]
    }

    /// A job failed; tells whether that is news. A store that is gone, or never at rest, is looked at again and
    /// again, and said to be so once.
    pub(crate) fn is_news(&mut self, slot: Slot) -> bool {
        match slot {
            Slot::Watch => !std::mem::replace(&mut self.is_out_of_sight, true),
            Slot::Index if self.awaited_head.is_some() => !std::mem::replace(&mut self.is_behind, true),
            _ => true,
        }
    }

    fn take_head(&mut self, head: Head) -> Vec<Job> {
        self.is_out_of_sight = false;
        // While the index follows it is not stopped for still newer events: they are asked for after that.
        if head == self.head || self.awaited_head.is_some() {
            return Vec::new();
        }
        // What came while the events are indexed is found once they are.
        let Some(index) = self.whole_index().cloned() else { return Vec::new() };
        self.awaited_head = Some(head);
        let question = Question::Extend(Arc::clone(&self.store), index);
        vec![Job { slot: Slot::Index, question }]
    }

    /// Copies into the workspace what the user chose here and wants again in the next store.
    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        self.browse.remember_choices(workspace);
        self.cursor.remember_choices(workspace);
        self.timeline.remember_choices(workspace);
        self.remember_drafts(workspace);
        self.remember_definitions(workspace);
    }

    /// Fills the view of this store.
    pub(crate) fn fill(&self, view: &mut View) {
        let name = file_name(&self.path);
        view.title = match &self.index {
            Some(index) => format!(
                "{name} · {} events · {} streams{} · {}",
                grouped(index.len() as u64),
                grouped(index.streams().len() as u64),
                match (self.is_index_part, self.origin.is_unproven()) {
                    (true, _) => " so far",
                    (false, true) => " · being checked",
                    (false, false) => "",
                },
                self.write_access()
            ),
            None => format!("{name} · {}", self.write_access()),
        };
        view.status = self.status();
        view.status_detail = self.status_detail();
        let problems = self.info.problems.len();
        view.status_warning = (problems > 0)
            .then(|| format!("{problems} thing{} to know", if problems == 1 { "" } else { "s" }));
        view.streams = self.streams_view();
        view.events = self.events_view();
        view.timeline = self.timeline_view();
        view.state = self.state_view();
        view.diff = self.states.diff_view();
        view.event.clone_from(&self.event);
        view.snapshots = self.snapshots_view();
        view.info = Arc::clone(&self.info);
        view.scripts = self.scripts_view();
        view.blame = self.blame_view();
        view.watches = self.watches_view();
        view.conditions = self.conditions_view();
        view.payloads = self.payloads_view();
        view.compare = self.compare_view();
        view.what_if = self.what_if_view();
        view.bookmarks = self.bookmarks_view();
        view.projections = self.projections_view();
        view.drift = self.drift_view();
        view.publish = self.publish_view();
        view.verify = self.verify_view();
    }
}
