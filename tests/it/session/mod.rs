//! The session without a window: actions in, views out, jobs run inline.

mod blame;
mod bookmarks;
mod compare;
mod conditions;
mod cursor;
mod drift;
mod estimates;
mod filters;
mod follow;
mod growing;
mod leaving;
mod outputs;
mod payloads;
mod places;
mod projections;
mod reducers;
mod reload;
mod snapshots;
mod watches;
mod what_if;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use timeglass::{
    model::{EventKey, EventQuery, Json, RecordedEvent, StoredSnapshot, StreamName},
    project::{
        Places,
        open::{OpenedStore, Opening},
    },
    session::{
        Input, Session,
        action::{Action, BrowseAction, CursorAction, ShellAction},
        job::{Answer, Job, Slot},
        view::View,
        workspace::Workspace,
    },
    store::{
        Description, EventStore, Head, KeyRange, PageFrom, RowSink, Scanner, StoreResult,
        memory::{MemoryStore, event},
        read::Onward,
        snapshots::{SnapshotPlace, VisitedSnapshot},
    },
    work::Work,
};

/// A session whose jobs run at once.
pub(crate) struct Script {
    pub(crate) session: Session,
    store: Arc<Growing>,
    /// The jobs of this slot are held back.
    holds: Option<Slot>,
    held: Vec<Job>,
    /// Where the store is said to lie, so that its project file has a place.
    #[expect(dead_code, reason = "held so that it stays until the script ends")]
    folder: Option<tempfile::TempDir>,
}

impl Script {
    /// Opens a store of these events.
    pub(crate) fn open(events: impl IntoIterator<Item = RecordedEvent>) -> Self {
        // In a folder of its own, for what is kept beside the store.
        let folder = tempfile::tempdir().unwrap();
        let script = Self::opened(folder.path().join("shop.sqlite"), events, Workspace::default());
        Self { folder: Some(folder), ..script }
    }

    /// Opens a store of these events in a folder that can be written to, with the project file there.
    pub(crate) fn open_in(folder: &Path, events: impl IntoIterator<Item = RecordedEvent>) -> Self {
        Self::opened(folder.join("shop.sqlite"), events, Workspace::default())
    }

    /// The same, with what an earlier window kept.
    pub(crate) fn reopen(
        folder: &Path,
        events: impl IntoIterator<Item = RecordedEvent>,
        workspace: Workspace,
    ) -> Self {
        Self::opened(folder.join("shop.sqlite"), events, workspace)
    }

    /// Opens a store of these events, and holds the jobs of a slot back, then and later.
    pub(crate) fn open_holding(events: impl IntoIterator<Item = RecordedEvent>, slot: Slot) -> Self {
        Self::opened_holding(PathBuf::from("nowhere/shop.sqlite"), events, Workspace::default(), Some(slot))
    }

    /// The jobs that were held back since the last call.
    pub(crate) fn take_held(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.held)
    }

    /// Holds these back, too.
    pub(crate) fn hold(&mut self, jobs: impl IntoIterator<Item = Job>) {
        self.held.extend(jobs);
    }

    fn opened(path: PathBuf, events: impl IntoIterator<Item = RecordedEvent>, workspace: Workspace) -> Self {
        Self::opened_holding(path, events, workspace, None)
    }

    fn opened_holding(
        path: PathBuf,
        events: impl IntoIterator<Item = RecordedEvent>,
        workspace: Workspace,
        holds: Option<Slot>,
    ) -> Self {
        let store = Arc::new(Growing(RwLock::new(MemoryStore::new(events)), MemoryStore::new([])));
        let session = Session::new(workspace, None, PathBuf::from("sample.sqlite"));
        let mut script = Self { session, store: Arc::clone(&store), holds, held: Vec::new(), folder: None };
        let project = Places::with_config(&path, None).find(None).unwrap();
        let opening = Opening::Store(Box::new(OpenedStore {
            head: store.head().unwrap(),
            store,
            is_uncertain: false,
            project_file: project.as_ref().map(|project| project.path().to_owned()),
            sections: project.map(|project| project.sections().clone()).unwrap_or_default(),
            warnings: Vec::new(),
            saved_to: None,
            path,
        }));
        script.feed(Input::Answer(Slot::Open, Answer::Opened(Box::new(opening))));
        script
    }

    /// Applies an input, runs its jobs, and theirs, until none is left.
    pub(crate) fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for job in self.session.apply(input) {
                if self.holds == Some(job.slot) {
                    self.held.push(job);
                    continue;
                }
                let answer = job.question.run(&Work::default()).expect("nobody cancels");
                inputs.push_back(Input::Answer(job.slot, answer));
            }
        }
    }

    /// Runs jobs that were held back, and what follows from their answers.
    pub(crate) fn run(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let answer = job.question.run(&Work::default()).expect("nobody cancels");
            self.feed(Input::Answer(job.slot, answer));
        }
    }

    pub(crate) fn browse(&mut self, action: BrowseAction) {
        self.feed(Input::Action(Action::Browse(action)));
    }

    pub(crate) fn cursor(&mut self, action: CursorAction) {
        self.feed(Input::Action(Action::Cursor(action)));
    }

    pub(crate) fn shell(&mut self, action: ShellAction) {
        self.feed(Input::Action(Action::Shell(action)));
    }

    pub(crate) fn view(&self) -> &View {
        self.session.view()
    }

    /// The state that is shown, on one line.
    pub(crate) fn state(&self) -> String {
        self.view().state.state.as_ref().map(Json::to_compact).unwrap_or_default()
    }

    /// The number of the stream of this name.
    pub(crate) fn stream(&self, name: &str) -> u32 {
        let index = self.view().streams.index.as_ref().expect("an index");
        let place = index.streams().iter().position(|info| *info.name.full() == *name);
        u32::try_from(place.expect("a stream of that name")).unwrap()
    }

    /// Another process appends an event.
    pub(crate) fn append(&self, event: RecordedEvent) {
        self.store.0.write().unwrap().append(event);
    }
}

/// Two orders and a customer, their events mixed.
pub(crate) fn shop() -> Vec<RecordedEvent> {
    let order = |id: &str| StreamName::of("order", id);
    let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
    vec![
        event(1, &order("1"), 1, "OrderPlaced", json(r#"{"status":"placed","total":10}"#)),
        event(2, &StreamName::of("customer", "7"), 1, "Registered", json(r#"{"name":"Ada"}"#)),
        event(3, &order("2"), 1, "OrderPlaced", json(r#"{"status":"placed","total":20}"#)),
        event(4, &order("1"), 2, "OrderPaid", json(r#"{"status":"paid"}"#)),
        event(5, &order("1"), 3, "OrderShipped", json(r#"{"status":"shipped","parcel":"X1"}"#)),
        event(6, &order("2"), 2, "OrderCancelled", json(r#"{"status":"cancelled","total":null}"#)),
    ]
}

/// A memory store that another process may append to while it is open.
struct Growing(RwLock<MemoryStore>, MemoryStore);

impl Scanner for &Growing {
    fn scan(&mut self, work: &Work, range: &KeyRange, sink: &mut dyn RowSink) -> StoreResult<Vec<String>> {
        self.0.read().unwrap().scanner().scan(work, range, sink)
    }
}

impl EventStore for Growing {
    fn describe(&self) -> &Description {
        self.1.describe()
    }

    fn head(&self) -> StoreResult<Head> {
        self.0.read().unwrap().head()
    }

    fn page(
        &self,
        work: &Work,
        query: &EventQuery,
        from: &PageFrom,
        limit: usize,
    ) -> StoreResult<Vec<RecordedEvent>> {
        self.0.read().unwrap().page(work, query, from, limit)
    }

    fn fetch(&self, work: &Work, keys: &[EventKey]) -> StoreResult<Vec<Option<RecordedEvent>>> {
        self.0.read().unwrap().fetch(work, keys)
    }

    fn ranges(&self, work: &Work, after: Option<&EventKey>, parts: usize) -> StoreResult<Vec<KeyRange>> {
        self.0.read().unwrap().ranges(work, after, parts)
    }

    fn scanner(&self) -> Box<dyn Scanner + '_> {
        Box::new(self)
    }

    fn visit_snapshots(
        &self,
        work: &Work,
        stream: Option<&StreamName>,
        visit: &mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward,
    ) -> StoreResult<()> {
        self.0.read().unwrap().visit_snapshots(work, stream, visit)
    }
    fn fetch_snapshots(
        &self,
        work: &Work,
        places: &[SnapshotPlace],
    ) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        self.0.read().unwrap().fetch_snapshots(work, places)
    }

    fn table_counts(&self, work: &Work) -> StoreResult<Vec<Option<u64>>> {
        self.0.read().unwrap().table_counts(work)
    }
}
