//! Which events could bring the recorded state to that of a branch.
//!
//! It is learnt from what happened: the steps of this stream and of others of its category show
//! which event types change which paths. Whether such an event may happen, only the domain knows,
//! so everything here is a suggestion.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use crate::{
    model::{Change, ChangeKind, Json, Pointer, RecordedEvent, Segment, StreamName, diff},
    replay::{branch::Branch, compare::Pair, history::History, sequence::StreamEvents},
    store::{EventStore, StoreResult, index::Index},
    work::Work,
};

/// Events of one stream that are looked at, from its start.
const MOST_EVENTS: usize = 2000;

/// So many other streams of the category are looked at.
const OTHERS: usize = 24;

/// What the reader must know.
const NOTE: &str = "Suggestions, learnt from which recorded events change which paths. Check each against your domain, and append it with your own application: Timeglass never writes events, and recorded decisions are not made again.";

/// An event type that was seen to change what differs.
struct Candidate {
    /// The paths that differ and that it was seen to change.
    touches: Vec<Pointer>,
    /// Those among them that it was seen to bring to the wanted value.
    sets: Vec<Pointer>,
    /// How often it was seen to.
    times: usize,
    /// An event of it, and the step's changes.
    sample: (RecordedEvent, Vec<Change>),
}

/// Other streams of the same category under the same reducer, to learn from what happened there.
#[must_use]
pub fn siblings(
    store: &Arc<dyn EventStore>,
    index: &Arc<Index>,
    stream: u32,
    truth: &History,
) -> Vec<Arc<History>> {
    let category = |stream: u32| index.stream(stream).map(|info| &info.name.category);
    let others = (0..index.streams().len() as u32).filter(|other| *other != stream);
    let history = |stream: u32| {
        let events = StreamEvents::new(Arc::clone(store), Arc::clone(index), stream);
        // Each is walked once, so that nothing need be kept of it.
        Arc::new(History::new(Arc::new(events), Arc::clone(truth.reducer()), truth.on_failure(), 0))
    };
    others.filter(|other| category(*other) == category(stream)).take(OTHERS).map(history).collect()
}

/// The suggestions as JSON: what differs at the end, and which event types could change it, each
/// with the data of one such event as a template.
pub fn compensation(branch: &Branch, pair: &Pair, others: &[Arc<History>], work: &Work) -> StoreResult<Json> {
    let end = pair.beside(usize::MAX, work)?;
    let mut candidates: BTreeMap<Arc<str>, Candidate> = BTreeMap::new();
    let [truth, _] = &pair.sides;
    let histories = || std::iter::once(truth).chain(others);
    work.expect_total(histories().map(|history| history.len().min(MOST_EVENTS) as u64).sum());
    for history in histories().filter(|_| !end.changes.is_empty()) {
        history.walk(0..history.len().min(MOST_EVENTS), work, &mut |step| {
            if let Some(event) = step.event {
                learn(&mut candidates, event, diff(&step.before, &step.after), &end.changes);
            }
            ControlFlow::Continue(())
        })?;
    }
    // What was left out brought the values about that are not wanted: it takes more than that to suggest it.
    let left_out = |event_type: &str| {
        let mut kinds = branch.edits.iter().filter(|edit| edit.is_on).map(|edit| edit.kind.to_json());
        kinds.any(|kind| {
            let own = kind.get("leave_out").and_then(|left| left.get("type")).and_then(Json::as_text);
            own.is_some_and(|own| *own == *event_type)
        })
    };
    candidates.retain(|event_type, candidate| !candidate.sets.is_empty() || !left_out(event_type));
    let mut found: Vec<(&Arc<str>, &Candidate)> = candidates.iter().collect();
    found.sort_by_key(|(_, candidate)| {
        std::cmp::Reverse((candidate.sets.len(), candidate.touches.len(), candidate.times))
    });
    let is_touched =
        |change: &&Change| candidates.values().any(|candidate| candidate.touches.contains(&change.path));
    let untouched = end.changes.iter().filter(|change| !is_touched(change));
    let edits = branch.edits.iter().filter(|edit| edit.is_on).map(|edit| edit.kind.to_json());
    let suggestions = found
        .iter()
        .map(|(event_type, candidate)| candidate.to_json(event_type, &end.changes, &branch.stream));
    Ok(Json::object([
        ("note", Json::from(NOTE)),
        ("stream", Json::from(Arc::clone(&branch.stream))),
        ("branch", Json::from(Arc::clone(&branch.name))),
        ("edits", Json::array(edits)),
        ("differs", Json::array(end.changes.iter().map(Change::to_json))),
        ("suggestions", Json::array(suggestions)),
        ("no_event_changes", Json::array(untouched.map(|change| Json::from(change.path.to_string())))),
    ]))
}

/// The value that a path is to have; nothing if it is not to be there.
fn wanted(change: &Change) -> Option<&Json> {
    match &change.kind {
        ChangeKind::Add(new) | ChangeKind::Replace(_, new) => Some(new),
        ChangeKind::Remove(_) => None,
    }
}

/// Whether a change leaves nothing at a path.
fn takes_away(own: &Change, path: &Pointer) -> bool {
    let Some(new) = wanted(own) else { return true };
    let below: Option<Pointer> =
        path.segments().get(own.path.segments().len()..).map(|rest| rest.iter().cloned().collect());
    below.is_some_and(|below| below.resolve(new).is_none())
}

fn learn(
    candidates: &mut BTreeMap<Arc<str>, Candidate>,
    event: RecordedEvent,
    changes: Vec<Change>,
    differs: &[Change],
) {
    let meets = |change: &Change| {
        changes.iter().find(|own| own.path.contains(&change.path) || change.path.contains(&own.path))
    };
    let touched: Vec<(&Change, bool)> = differs
        .iter()
        .filter_map(|change| {
            let own = meets(change)?;
            // Whatever else it may give: what only ever put a value there takes none away.
            let can_give = wanted(change).is_some() || takes_away(own, &change.path);
            can_give.then(|| (change, own.path == change.path && wanted(own) == wanted(change)))
        })
        .collect();
    if touched.is_empty() {
        return;
    }
    let sets = |touched: &[(&Change, bool)]| touched.iter().filter(|(_, sets)| *sets).count();
    let now = sets(&touched);
    let touched: Vec<(Pointer, bool)> =
        touched.into_iter().map(|(change, sets)| (change.path.clone(), sets)).collect();
    let candidate = candidates.entry(Arc::clone(&event.event_type)).or_insert_with(|| Candidate {
        touches: Vec::new(),
        sets: Vec::new(),
        times: 0,
        sample: (event.clone(), changes.clone()),
    });
    candidate.times += 1;
    // The sample that comes nearest to what is wanted is the best template.
    let best =
        candidate.sample.1.iter().filter(|own| {
            differs.iter().any(|change| own.path == change.path && wanted(own) == wanted(change))
        });
    if now > best.count() {
        candidate.sample = (event, changes);
    }
    for (path, is_set) in touched {
        if is_set && !candidate.sets.contains(&path) {
            candidate.sets.push(path.clone());
        }
        if !candidate.touches.contains(&path) {
            candidate.touches.push(path);
        }
    }
}

impl Candidate {
    fn to_json(&self, event_type: &Arc<str>, differs: &[Change], stream: &str) -> Json {
        let (event, changes) = &self.sample;
        let paths = |paths: &[Pointer]| Json::array(paths.iter().map(|path| Json::from(path.to_string())));
        let mut swaps: Vec<Swap> = Vec::new();
        for change in differs {
            let own = changes.iter().find(|own| own.path == change.path).and_then(wanted);
            if let (Some(own), Some(new)) = (own, wanted(change)) {
                let name = change.path.segments().last().map(Segment::to_string);
                swaps.push(Swap { name, old: own.clone(), new: new.clone() });
            }
        }
        let own_stream = event.stream.full();
        if *own_stream != *stream {
            let id = id_like(&event.stream, stream);
            let whole = (Json::from(own_stream), Json::from(stream));
            let short = (Json::from(Arc::clone(&event.stream.id)), Json::from(id));
            swaps.extend([whole, short].map(|(old, new)| Swap { name: None, old, new }));
        }
        let data = event.data.json().cloned().unwrap_or_default();
        Json::object([
            ("type", Json::from(Arc::clone(event_type))),
            ("changes", paths(&self.touches)),
            ("seen_to_give_the_wanted_value", paths(&self.sets)),
            ("seen", Json::from(self.times)),
            (
                "template_from",
                Json::object([
                    ("stream", Json::from(event.stream.full())),
                    ("version", Json::from(event.version.map(|version| version.0))),
                ]),
            ),
            ("data", swapped(&data, None, &swaps)),
        ])
    }
}

/// The id of a stream of the same category as another's: what is left of its name.
fn id_like(other: &StreamName, stream: &str) -> String {
    let full = other.full();
    let prefix = full.strip_suffix(&*other.id).unwrap_or_default();
    stream.strip_prefix(prefix).unwrap_or(stream).to_owned()
}

/// A value of the sample, and what is wanted instead.
struct Swap {
    /// What the value is called in the state.
    name: Option<String>,
    old: Json,
    new: Json,
}

impl Swap {
    /// Whether a value of the data is the one: by its name, or because it stands out.
    fn is_of(&self, value: &Json, name: Option<&str>) -> bool {
        let stands_out = match value {
            Json::Text(text) => text.chars().count() > 2,
            Json::Number(number) => number.as_str().len() > 2,
            Json::Array(_) | Json::Object(_) => true,
            Json::Null | Json::Bool(_) => false,
        };
        self.old == *value && (stands_out || (name.is_some() && name == self.name.as_deref()))
    }
}

/// The data with every value that the sample wrote replaced by what is wanted instead.
fn swapped(value: &Json, name: Option<&str>, swaps: &[Swap]) -> Json {
    if let Some(swap) = swaps.iter().find(|swap| swap.is_of(value, name)) {
        return swap.new.clone();
    }
    match value {
        Json::Object(object) => Json::object(
            object.iter().map(|(name, member)| (Arc::clone(name), swapped(member, Some(name), swaps))),
        ),
        Json::Array(items) => Json::array(items.iter().map(|item| swapped(item, None, swaps))),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => value.clone(),
    }
}
