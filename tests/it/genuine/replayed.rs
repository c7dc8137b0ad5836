//! The states that a reducer makes of every stream of a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::Path,
    sync::Arc,
};

use timeglass::{
    model::{Json, RecordedEvent, Timestamp},
    project::open::{Opening, open},
    replay::{
        History, OnFailure, Outcome, Reducer, Scripted,
        sequence::{Sequence, StreamEvents},
    },
    script::{Options, Script},
    store::{
        EventStore,
        index::{FoundStream, Index},
    },
    work::Work,
};

/// A store whose streams are folded.
pub(super) struct Replayed {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) index: Arc<Index>,
    /// The streams whose categories have a reducer, by number.
    streams: BTreeMap<u32, Timeline>,
    /// What their states were made of.
    sources: BTreeMap<u32, Source>,
    /// The categories that have none.
    pub(super) left_out: BTreeSet<String>,
}

/// A reducer and the name of its file.
pub(super) type Named = (&'static str, Arc<dyn Reducer>);

/// The events of a stream and the reducer of its category.
pub(super) struct Source {
    events: Arc<dyn Sequence>,
    reducer: Arc<dyn Reducer>,
}

/// What became of one stream, event by event.
#[derive(Default)]
pub(super) struct Timeline {
    /// The stream's name.
    pub(super) name: String,
    /// The reducer's file.
    pub(super) file: &'static str,
    /// The states after so many events.
    pub(super) states: Vec<Json>,
    /// The stored versions of the events, the first at 0.
    versions: Vec<Option<i64>>,
    /// The times of the events, the first at 0.
    pub(super) times: Vec<Option<Timestamp>>,
    /// The events that the reducer could not apply, or did not know, each with the reason.
    pub(super) troubled: Vec<(String, String)>,
    /// Why data could not be decoded, one reason an event.
    pub(super) undecoded: Vec<String>,
}

/// The reducer in this file.
pub(super) fn reducer(path: &Path) -> Arc<dyn Reducer> {
    let text = fs::read_to_string(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let name = path.file_name().and_then(|name| name.to_str()).expect("a file name");
    loaded(name, &text)
}

/// The reducer of this source.
pub(super) fn loaded(name: &str, text: &str) -> Arc<dyn Reducer> {
    let script = Script::load_reducer(name, text, &Options::default(), &Work::default());
    Arc::new(Scripted::new(script.unwrap_or_else(|err| panic!("{name}: {err}"))))
}

/// Opens a store and folds every stream that has a reducer; `reducers` gives its file by category.
pub(super) fn replay(path: &Path, reducers: &dyn Fn(Option<&str>) -> Option<Named>) -> Replayed {
    let work = Work::default();
    let Ok(Opening::Store(opened)) = open(path, None, &work) else { panic!("{} is opened", path.display()) };
    let store: Arc<dyn EventStore> = opened.store;
    let index = Arc::new(Index::build(&*store, &work).unwrap());
    let (mut streams, mut sources, mut left_out) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for (number, info) in (0..).zip(index.streams()) {
        let category = info.name.category.as_deref();
        match reducers(category) {
            Some((file, reducer)) => {
                let events = StreamEvents::new(Arc::clone(&store), Arc::clone(&index), number);
                let events: Arc<dyn Sequence> = Arc::new(events);
                let history =
                    History::new(Arc::clone(&events), Arc::clone(&reducer), OnFailure::GoOn, 1 << 20);
                let name = info.name.full().to_string();
                streams.insert(number, Timeline { name, file, ..timeline(&history) });
                sources.insert(number, Source { events, reducer });
            }
            None => drop(left_out.insert(category.unwrap_or_default().to_owned())),
        }
    }
    Replayed { store, index, streams, sources, left_out }
}

fn timeline(history: &History) -> Timeline {
    let work = Work::default();
    let mut timeline =
        Timeline { states: vec![history.step_at(0, &work).unwrap().after], ..Timeline::default() };
    history
        .walk(0..history.len(), &work, &mut |step| {
            let event = step.event.as_ref().expect("no event is gone");
            let trouble = match &step.outcome {
                Outcome::Applied(applied) => applied.is_unhandled.then(|| "no handler".to_owned()),
                Outcome::Failed(failure) => Some(failure.message.to_string()),
                Outcome::Start | Outcome::Gone | Outcome::Stopped { .. } => panic!("{:?}", step.outcome),
            };
            timeline.troubled.extend(trouble.map(|trouble| (event.label(), trouble)));
            timeline.undecoded.extend(event.data.decoded.as_ref().err().map(ToString::to_string));
            timeline.versions.push(event.version.map(|version| version.0));
            timeline.times.push(event.time);
            timeline.states.push(step.after);
            ControlFlow::Continue(())
        })
        .unwrap();
    timeline
}

impl Replayed {
    /// The stream that answers to this name.
    pub(super) fn stream(&self, name: &str) -> Option<&Timeline> {
        match self.index.find_stream(name) {
            FoundStream::One(number) => self.streams.get(&number),
            FoundStream::None { .. } | FoundStream::Several(_) => None,
        }
    }

    /// What the states of the stream of this name were made of.
    pub(super) fn history(&self, name: &str) -> &Source {
        let FoundStream::One(number) = self.index.find_stream(name) else {
            panic!("there is a stream {name}")
        };
        &self.sources[&number]
    }

    /// All of them.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Timeline> {
        self.streams.values()
    }
}

impl Source {
    /// The state after the last event, if the one after so many events was this.
    pub(super) fn resumed(&self, state: &Json, count: usize) -> Json {
        let work = Work::default();
        let mut folding = self.reducer.start(&work).unwrap();
        folding.resume(state, count);
        let mut each = |_, event: Option<RecordedEvent>| {
            folding.apply(&event.expect("no event is gone")).unwrap();
            ControlFlow::Continue(())
        };
        self.events.visit(count..self.events.len(), &work, &mut each).unwrap();
        assert!(folding.is_resumable(), "{} keeps nothing outside the state", self.reducer.name());
        folding.state()
    }
}

impl Timeline {
    /// The state after the last event of this version.
    pub(super) fn at_version(&self, version: i64) -> Option<&Json> {
        let place = self.versions.iter().rposition(|known| *known == Some(version))?;
        self.states.get(place + 1)
    }

    /// The state after the last event.
    pub(super) fn last(&self) -> &Json {
        self.states.last().expect("there is a state before the first event")
    }
}
