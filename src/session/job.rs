//! The questions that a session asks, and their answers. Each question is a plain function.

use std::{path::PathBuf, sync::Arc};

use crate::{
    model::{Change, EventKey, EventQuery, RecordedEvent, StoredSnapshot, StreamName, Zone},
    project::{
        ProjectError,
        open::{OpenError, Opening, Preview},
    },
    replay::{History, Step},
    script::EngineFigures,
    session::{
        action::{Axis, EventOrder},
        blame::{BlameAnswer, BlameQuestion},
        cache::{CacheAnswer, CacheQuestion},
        compare::{CompareAnswer, CompareQuestion},
        conditions::{ConditionAnswer, ConditionQuestion},
        discards::Discarded,
        drift::{DriftAnswer, DriftQuestion},
        estimates::{Trial, TrialAnswer, TrialQuestion},
        keep::{KeepQuestion, Written},
        memory::Settling,
        payloads::{PayloadAnswer, PayloadQuestion},
        projections::{ProjectionAnswer, ProjectionQuestion},
        publish::{PublishAnswer, PublishQuestion},
        scale::Scale,
        scripts::{ScriptAnswer, ScriptQuestion},
        snapshots::{SnapshotList, SnapshotQuestion},
        stream_lines::StreamLines,
        verify::{VerifyAnswer, VerifyQuestion},
        view::{ColumnPath, Listed, LoadedRow, StreamLine, TimelineBar},
        watches::{WatchAnswer, WatchQuestion},
        what_if::{WhatIfAnswer, WhatIfQuestion},
    },
    store::{
        EventStore, Head, StoreError,
        index::Index,
        layout::{Role, Source},
    },
};

/// Where an answer belongs. One slot holds one question; a newer one withdraws the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Opening a file.
    Open,
    /// The first rows, before there is an index.
    FirstRows,
    /// Building or extending the index.
    Index,
    /// Finding the index that was kept.
    Cache,
    /// Holding it against the store.
    CacheCheck,
    /// Keeping an index.
    CacheSave,
    /// What is kept of all stores.
    CacheFolder,
    /// The rows on screen.
    Rows,
    /// The lines of the streams panel.
    Streams,
    /// Which events pass the filters.
    Listing,
    /// The counts of the streams at the cursor.
    AsOf,
    /// The timeline's density.
    Bars,
    /// Folding the chosen stream.
    Fold,
    /// Which events wrote a value.
    BlameWrites,
    /// What those on screen wrote.
    BlameRows,
    /// What the last of them wrote, and where it took it from.
    BlameLast,
    /// All of them, to be copied.
    BlameCopy,
    /// The step at the cursor.
    Step,
    /// The event at the cursor, while no stream is chosen.
    Event,
    /// The event that has an id.
    EventOfId,
    /// The comparison of the pins.
    Pins,
    /// The stored snapshots.
    Snapshots,
    /// One snapshot.
    Snapshot,
    /// How many rows each table has.
    Tables,
    /// The mapping dialog's first rows.
    Preview,
    /// Keeping a mapping.
    Save,
    /// Writing the project file.
    Keep,
    /// Whether the store has changed.
    Watch,
    /// Giving memory back.
    Memory,
    /// Letting go of what nobody needs any more.
    Discards,
    /// Where two histories differ.
    Compare,
    /// Both at one step.
    CompareBeside,
    /// Where a branch differs from the truth.
    WhatIf,
    /// Both at the cursor.
    WhatIfBeside,
    /// The reducer of a branch.
    BranchReducer,
    /// What an event says, to edit it.
    Draft,
    /// What is written down of a branch.
    Export,
    /// Making the sample store.
    Sample,
    /// What watches find along the history.
    WatchSeries,
    /// What they find at the cursor.
    WatchValues,
    /// What they find at the rows on screen.
    WatchCells,
    /// Which events meet the conditions.
    Hits,
    /// Running to the next or previous hit.
    Run,
    /// Looking for conditions in many streams.
    Across,
    /// Searching payloads.
    Payloads,
    /// Which event types the categories have.
    ScriptTypes,
    /// Whether the reducers' files have changed.
    ScriptLook,
    /// Loading reducers.
    ScriptLoad,
    /// Writing reducers.
    ScriptSave,
    /// Writing a reducer from events.
    Scaffold,
    /// What there is of projections, and their checkpoints.
    Projections,
    /// Loading the definitions that the project file names.
    Definitions,
    /// Writing the file of a definition.
    DefinitionSave,
    /// Rebuilding a projection, by its number.
    Rebuild(u16),
    /// The rows of a read model that are on screen.
    ModelRows,
    /// What happened to one row.
    RowHistory,
    /// The state of a partition.
    RowState,
    /// What a projection emitted and logged.
    Output,
    /// Writing a read model into a file.
    ModelExport,
    /// Comparing a stored table with the rebuilt one.
    Drift,
    /// Writing what differs into a file.
    DriftReport,
    /// Holding snapshots against the events.
    Verify,
    /// Where a snapshot parts from the replay.
    SnapshotParting,
    /// What loading costs with snapshots and without.
    SnapshotCost,
    /// What publishing would write.
    DryRun,
    /// Writing into the store.
    Publish,
    /// Trying out how fast something goes.
    Trial(Trial),
}

impl Slot {
    /// Whether it only looks now and then whether something changed: no work that a user waits for.
    #[must_use]
    pub fn is_look(self) -> bool {
        matches!(self, Self::Watch | Self::ScriptLook | Self::Definitions | Self::Discards | Self::Trial(_))
    }

    /// Whether it writes a file of the user's: stopped half-way, nobody would know what the file holds.
    #[must_use]
    pub fn is_writing(self) -> bool {
        matches!(self, Self::Keep | Self::ScriptSave | Self::DefinitionSave | Self::Publish)
    }

    /// Whether it goes on when its store is left: it writes, or is about no store.
    #[must_use]
    pub fn outlives_store(self) -> bool {
        self.is_writing() || matches!(self, Self::CacheSave | Self::CacheFolder | Self::Discards)
    }

    /// Whether what it goes through was never counted: its total is an estimate.
    #[must_use]
    pub fn is_of_uncounted(self) -> bool {
        matches!(self, Self::Index | Self::CacheCheck)
    }

    /// What the progress line says while it takes long.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Opening",
            Self::FirstRows | Self::Rows | Self::Event => "Reading events",
            Self::EventOfId => "Looking for the event with an id",
            Self::Index => "Indexing events",
            Self::Cache => "Reading the index",
            Self::CacheCheck => "Checking the index",
            Self::CacheSave => "Keeping the index",
            Self::CacheFolder => "Looking at the cache",
            Self::Streams => "Sorting streams",
            Self::AsOf => "Counting events",
            Self::Listing => "Filtering events",
            Self::Bars => "Drawing the timeline",
            Self::Fold => "Folding the history",
            Self::BlameWrites | Self::BlameRows => "Looking for what wrote the value",
            Self::BlameLast => "Asking the reducer where the value came from",
            Self::BlameCopy => "Listing what wrote the value",
            Self::Step => "Making the state",
            Self::Pins | Self::Compare | Self::CompareBeside => "Comparing",
            Self::WhatIf | Self::WhatIfBeside => "Comparing with the truth",
            Self::BranchReducer => "Reading the reducer",
            Self::Draft => "Reading the event",
            Self::Snapshots | Self::Snapshot => "Reading snapshots",
            Self::Tables => "Counting rows",
            Self::Preview => "Reading first rows",
            Self::Save => "Saving the layout",
            Self::Keep => "Writing the project file",
            Self::Watch => "Looking for new events",
            Self::Memory | Self::Discards => "Giving memory back",
            Self::Sample => "Making the sample store",
            Self::WatchSeries => "Following the watches",
            Self::WatchValues | Self::WatchCells => "Reading the watches",
            Self::Hits => "Looking for hits",
            Self::Run => "Running",
            Self::Across => "Searching all streams",
            Self::Payloads => "Searching payloads",
            Self::ScriptTypes => "Counting event types",
            Self::ScriptLook => "Looking for new text",
            Self::ScriptLoad => "Loading the reducer",
            Self::ScriptSave => "Saving the reducer",
            Self::Scaffold => "Looking at the events",
            Self::Projections => "Looking for projections",
            Self::Definitions => "Loading projections",
            Self::DefinitionSave => "Saving the definition",
            Self::Rebuild(_) => "Rebuilding",
            Self::ModelRows | Self::RowState => "Reading rows",
            Self::RowHistory => "Following the row",
            Self::Output => "Reading what was emitted",
            Self::Export | Self::ModelExport | Self::DriftReport => "Writing it down",
            Self::Drift => "Comparing tables",
            Self::Verify => "Verifying snapshots",
            Self::SnapshotParting => "Looking for where the snapshot went wrong",
            Self::SnapshotCost => "Counting what snapshots save",
            Self::DryRun => "Working out what would be written",
            Self::Publish => "Publishing",
            Self::Trial(_) => "Measuring how fast events are read",
        }
    }
}

/// A question, with the slot that its answer belongs to.
pub struct Job {
    /// Where the answer belongs.
    pub slot: Slot,
    /// What is asked.
    pub question: Question,
}

/// What a session asks.
pub enum Question {
    /// Open a file.
    Open {
        /// Which.
        path: PathBuf,
        /// A project file other than the one beside the store.
        project: Option<PathBuf>,
    },
    /// Make the sample store in this file, unless it is there.
    Sample(PathBuf),
    /// The first events.
    FirstRows(Arc<dyn EventStore>, RowShape),
    /// Index every event.
    Index(Arc<dyn EventStore>),
    /// Go on with an index that was stopped.
    GoOn(Arc<dyn EventStore>, Arc<Index>),
    /// Add what is new to the index.
    Extend(Arc<dyn EventStore>, Arc<Index>),
    /// These events, as rows.
    Rows {
        /// The store.
        store: Arc<dyn EventStore>,
        /// The number of the first row.
        first: u64,
        /// Which.
        keys: Vec<EventKey>,
        /// What is shown of them.
        shape: RowShape,
    },
    /// The lines of the streams panel.
    Streams(StreamLines),
    /// Which events pass.
    Listing {
        /// The index.
        index: Arc<Index>,
        /// The filters.
        query: EventQuery,
        /// The order.
        order: EventOrder,
    },
    /// Events of each stream up to and including this ordinal; nothing to say at the end.
    AsOf(Arc<Index>, Option<u32>, bool),
    /// The timeline's density.
    Bars(BarsQuestion),
    /// Fold a history.
    Fold(Arc<History>),
    /// The step after so many events; while the history is being folded, the last one that is near.
    Step {
        /// The history.
        history: Arc<History>,
        /// How many events lie behind.
        count: usize,
        /// Whether another job folds the history.
        is_folding: bool,
    },
    /// One event.
    Event(Arc<dyn EventStore>, EventKey),
    /// The event with this id of its own, in a store of about so many.
    EventOfId(Arc<dyn EventStore>, Arc<str>, u64),
    /// What differs between two points: history and number of events, each.
    Pins([(Arc<History>, usize); 2]),
    /// The stored snapshots, of one stream or all.
    Snapshots {
        /// The store.
        store: Arc<dyn EventStore>,
        /// The index, to find the streams.
        index: Arc<Index>,
        /// Whose; `None` means all.
        stream: Option<Arc<StreamName>>,
        /// In which zone times are shown.
        zone: Zone,
    },
    /// One snapshot.
    Snapshot(Box<SnapshotQuestion>),
    /// How many rows each table has.
    Tables(Arc<dyn EventStore>),
    /// The first rows of a table, and what could play which role in it.
    Preview(PathBuf, Option<Arc<str>>),
    /// Keep a mapping and open the store with it.
    Save {
        /// The store.
        path: PathBuf,
        /// A project file other than the one beside the store.
        project: Option<PathBuf>,
        /// The events table.
        table: Arc<str>,
        /// What plays which role.
        roles: Vec<(Role, Option<Source>)>,
    },
    /// Write the project file.
    Keep(Box<KeepQuestion>),
    /// Whether the store has changed.
    Watch(Arc<dyn EventStore>),
    /// Give memory back.
    Settle(Settling),
    /// Let go of what nobody needs any more.
    LetGo(Discarded),
    /// Reducers: choosing, editing, scaffolding.
    Scripts(ScriptQuestion),
    /// Asking why a value is as it is.
    Blame(BlameQuestion),
    /// Watched paths and expressions.
    Watches(WatchQuestion),
    /// Running to the next or previous hit of a condition.
    Conditions(ConditionQuestion),
    /// Searching payloads.
    Payloads(Box<PayloadQuestion>),
    /// Two histories side by side.
    Compare(CompareQuestion),
    /// Branches of a history.
    WhatIf(WhatIfQuestion),
    /// Read models: rebuilds and rows.
    Projections(ProjectionQuestion),
    /// Where stored read models no longer agree with the events.
    Drift(DriftQuestion),
    /// Writing into the store.
    Publish(PublishQuestion),
    /// Snapshots held against the events.
    Verify(VerifyQuestion),
    /// Indexes kept between runs.
    Cache(CacheQuestion),
    /// Try out how fast something goes.
    Trial(TrialQuestion),
}

/// What is shown of an event in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowShape {
    /// The path columns.
    pub paths: Vec<ColumnPath>,
    /// In which zone times are shown.
    pub zone: Zone,
}

/// What the timeline's density is asked of.
#[derive(Clone)]
pub struct BarsQuestion {
    /// The index.
    pub index: Arc<Index>,
    /// One stream, or the whole store.
    pub stream: Option<u32>,
    /// How many events there are, if not as many as were recorded: on a branch.
    pub length: Option<usize>,
    /// What is counted.
    pub axis: Axis,
    /// Whether quiet times are cut short.
    pub collapse: bool,
    /// In which zone times are shown.
    pub zone: Zone,
}

/// What the timeline draws.
#[derive(Debug, Clone, Default)]
pub struct BarsAnswer {
    /// Density; the tallest is 1.
    pub bars: Vec<TimelineBar>,
    /// What the places stand for.
    pub scale: Scale,
    /// Texts under the axis.
    pub labels: Vec<(f32, String)>,
}

/// What a question found out.
pub enum Answer {
    /// A file is open, or has no events.
    Opened(Box<Opening>),
    /// It could not be opened.
    OpenFailed(PathBuf, OpenError),
    /// The sample store is there.
    SampleMade(PathBuf),
    /// It could not be made.
    SampleFailed(String),
    /// The first rows.
    FirstRows(Vec<Option<LoadedRow>>),
    /// An index of the events so far: more come.
    IndexedSoFar(Arc<Index>),
    /// An index.
    Indexed(Arc<Index>),
    /// The store has another event than was indexed, in the place of the one with this ordinal or before it.
    PastChanged(u32),
    /// Rows, from a row number on.
    Rows(u64, Vec<Option<LoadedRow>>),
    /// The lines of the streams panel, with the number of streams that pass.
    Streams(Vec<StreamLine>, usize),
    /// The events that pass.
    Listing(Listed),
    /// Events of each stream at the cursor; `None` means all of them.
    AsOf(Option<Vec<u32>>),
    /// The timeline.
    Bars(BarsAnswer),
    /// A history is folded.
    Folded,
    /// A step.
    Step(Box<Step>, Vec<Change>),
    /// One event; `None` if it is gone.
    Event(Option<Box<RecordedEvent>>),
    /// The event with this id; `None` if there is none.
    EventOfId(Arc<str>, Option<EventKey>),
    /// What differs between the pins.
    Pins(Vec<Change>),
    /// Snapshots, and whose they are.
    Snapshots(SnapshotList, Option<Arc<StreamName>>),
    /// One snapshot; `None` if it is gone.
    Snapshot(Option<Box<StoredSnapshot>>),
    /// Rows of each table.
    Tables(Vec<Option<u64>>),
    /// First rows for the mapping dialog.
    Preview(Box<Preview>),
    /// The project file is written.
    Kept(Box<Written>),
    /// It could not be written.
    KeepFailed(ProjectError),
    /// The head of the store.
    Head(Head),
    /// Memory was given back; what engines take.
    Settled(EngineFigures),
    /// What nobody needs any more is gone.
    Gone,
    /// Reducers: choosing, editing, scaffolding.
    Scripts(ScriptAnswer),
    /// Asking why a value is as it is.
    Blame(BlameAnswer),
    /// Watched paths and expressions.
    Watches(WatchAnswer),
    /// Running to the next or previous hit of a condition.
    Conditions(ConditionAnswer),
    /// What was found in payloads.
    Payloads(Box<PayloadAnswer>),
    /// Two histories side by side.
    Compare(CompareAnswer),
    /// Branches of a history.
    WhatIf(WhatIfAnswer),
    /// Read models: rebuilds and rows.
    Projections(ProjectionAnswer),
    /// Where stored read models no longer agree with the events.
    Drift(DriftAnswer),
    /// Writing into the store.
    Publish(PublishAnswer),
    /// Snapshots held against the events.
    Verify(VerifyAnswer),
    /// Indexes kept between runs.
    Cache(CacheAnswer),
    /// Something was tried out.
    Tried(TrialAnswer),
    /// The store could not be asked.
    Failed(StoreError),
}
