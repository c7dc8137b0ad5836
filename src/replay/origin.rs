//! Where a reducer took a value from: found by experiment.
//!
//! A reducer is a function that nobody can look into, so it is asked: with one value of the event
//! replaced by another of its kind, what would the state be? If the path then holds exactly the
//! replacement, the value was copied from there; if it holds anything else than it did, it was made
//! from there. That is exact for any reducer in any language, and it is what is said and no more:
//! one value is changed at a time, so a value that counts only together with another may be missed,
//! and a change that makes the reducer throw says nothing.

use std::{fmt, sync::Arc};

use crate::{
    model::{Json, Payload, Pointer, RecordedEvent, Segment, Timestamp},
    replay::{
        fold::start,
        history::History,
        reducer::{Folding, Reducer},
        step::{Outcome, Step},
    },
    work::{Cancelled, Work},
};

/// Where a value came from, as far as the event can tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    /// Where in the event, as in `timeglass events --ndjson`: `/data/amount`. Empty if no single
    /// value of the event matters: then it is a constant of the reducer, or comes from the state.
    pub from: Vec<Origin>,
    /// Whether the event has more values than were tried.
    pub is_cut: bool,
    /// Whether the reducer keeps things outside its state, or gave another answer when it was asked
    /// again: then nothing can be found out.
    pub is_unsteady: bool,
}

/// A place in the event that matters for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where: `/data/amount`, `/metadata/user`, `/time`.
    pub path: Pointer,
    /// How.
    pub how: How,
}

/// How a place in the event matters for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The value is exactly what stands there.
    Copied,
    /// The value would be another if something else stood there.
    Influences,
}

impl How {
    /// The word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Influences => "influences",
        }
    }
}

/// In words: "copied from /data/amount".
impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = |how: How| {
            let of_kind = self.from.iter().filter(|origin| origin.how == how);
            let mut places: Vec<String> = of_kind.map(|origin| origin.path.to_string()).collect();
            match places.pop() {
                Some(last) if places.is_empty() => last,
                Some(last) => format!("{} and {last}", places.join(", ")),
                None => String::new(),
            }
        };
        let (copied, made) = (places(How::Copied), places(How::Influences));
        match (copied.is_empty(), made.is_empty()) {
            _ if self.is_unsteady => {
                return f.write_str("unknown: the reducer keeps things outside its state");
            }
            (true, true) => f.write_str("set by the reducer; no single value of the event matters")?,
            (false, true) => write!(f, "copied from {copied}")?,
            (true, false) => write!(f, "made from {made}")?,
            (false, false) => write!(f, "copied from {copied}; {made} matters, too")?,
        }
        if self.is_cut { f.write_str(" (only the first values of the event were tried)") } else { Ok(()) }
    }
}

/// Values of an event that are tried at most; each takes two or three calls of the reducer.
const MOST_VALUES: usize = 64;

/// Asks a reducer where it takes values from.
pub struct Experiment<'w> {
    folding: Box<dyn Folding + 'w>,
    work: &'w Work,
}

/// One value of the event was replaced.
struct Trial {
    /// Where the value stands in the event.
    at: Pointer,
    /// The payload that it stands in, with the replacement.
    replaced: Json,
    /// What the path held then; outer `None` if the reducer threw.
    found: Option<Option<Json>>,
}

impl<'w> Experiment<'w> {
    /// Starts the reducer for any number of questions.
    #[must_use]
    pub fn start(reducer: &dyn Reducer, work: &'w Work) -> Self {
        Self { folding: start(reducer, work), work }
    }

    /// Where the step's reducer took the value at `path` from.
    pub fn origins(&mut self, step: &Step, path: &Pointer) -> Result<Origins, Cancelled> {
        let (Some(event), Outcome::Applied(_)) = (&step.event, &step.outcome) else {
            return Ok(Origins::default());
        };
        let value = path.resolve(&step.after).cloned();
        let is_repeated = self.apply(step, event, path)?.as_ref() == Some(&value);
        if !is_repeated || !self.folding.is_resumable() {
            return Ok(Origins { is_unsteady: true, ..Origins::default() });
        }
        let mut origins = Origins::default();
        let mut tried = 0;
        let parts: [(&str, &Payload, Part); 2] = [
            ("data", &event.data, |event, payload| event.data = payload),
            ("metadata", &event.metadata, |event, payload| event.metadata = payload),
        ];
        for (name, payload, put) in parts {
            let Some(whole) = payload.json() else { continue };
            let root = Pointer::root().child(Segment::Name(name.into()));
            let mut leaves = Vec::new();
            collect_leaves(&Pointer::root(), whole, &mut leaves);
            origins.is_cut |= leaves.len() > MOST_VALUES - tried;
            leaves.truncate(MOST_VALUES - tried);
            tried += leaves.len();
            let trials = self.try_each(step, path, (whole, &leaves), (event, put))?;
            origins.from.extend(conclusions(&root, whole, value.as_ref(), &trials));
        }
        origins.from.extend(self.try_heads(step, event, path, value.as_ref())?);
        Ok(origins)
    }

    /// Replaces each of the leaves in turn.
    fn try_each(
        &mut self,
        step: &Step,
        path: &Pointer,
        (whole, leaves): (&Json, &[(Pointer, Json)]),
        (event, put): (&RecordedEvent, Part),
    ) -> Result<Vec<Trial>, Cancelled> {
        let mut trials = Vec::new();
        for (at, leaf) in leaves {
            for other in others(leaf) {
                let replaced = with(whole, at.segments(), &other);
                let mut changed = event.clone();
                put(&mut changed, Payload::from_json(replaced.clone()));
                let found = self.apply(step, &changed, path)?;
                trials.push(Trial { at: at.clone(), replaced, found });
            }
        }
        Ok(trials)
    }

    /// The event's own time and version, which a reducer may use, too.
    fn try_heads(
        &mut self,
        step: &Step,
        event: &RecordedEvent,
        path: &Pointer,
        value: Option<&Json>,
    ) -> Result<Vec<Origin>, Cancelled> {
        const LATER: i64 = 86_461_000_000_000;
        let later = |event: &mut RecordedEvent| {
            event.time = event
                .time
                .map(|time| Timestamp::from_nanos(time.nanos().saturating_add(LATER), time.digits()));
        };
        let higher = |event: &mut RecordedEvent| {
            if let Some(version) = &mut event.version {
                version.0 = version.0.saturating_add(7919);
            }
        };
        let mut others = [("time", event.clone()), ("version", event.clone())];
        let [(_, at_another_time), (_, at_another_version)] = &mut others;
        later(at_another_time);
        higher(at_another_version);
        let mut origins = Vec::new();
        for (name, changed) in others {
            let is_other = changed.time != event.time || changed.version != event.version;
            let found = if is_other { self.apply(step, &changed, path)? } else { None };
            if found.is_some_and(|found| found.as_ref() != value) {
                let path = Pointer::root().child(Segment::Name(name.into()));
                let is_copied = name == "version"
                    && value.is_some_and(|value| {
                        event.version.is_some_and(|version| *value == Json::from(version.0))
                    });
                origins.push(Origin { path, how: if is_copied { How::Copied } else { How::Influences } });
            }
        }
        Ok(origins)
    }

    /// What the path would hold after another event; outer `None` if the reducer throws.
    fn apply(
        &mut self,
        step: &Step,
        event: &RecordedEvent,
        path: &Pointer,
    ) -> Result<Option<Option<Json>>, Cancelled> {
        self.work.advance(0)?;
        self.folding.resume(&step.before, step.count.saturating_sub(1));
        let is_applied = self.folding.apply(event).is_ok();
        self.work.advance(0)?;
        Ok(is_applied.then(|| path.resolve(&self.folding.state()).cloned()))
    }
}

impl History {
    /// Where the reducer took the value at `path` from in this step.
    pub fn origins(&self, step: &Step, path: &Pointer, work: &Work) -> Result<Origins, Cancelled> {
        Experiment::start(&**self.reducer(), work).origins(step, path)
    }
}

/// Puts a payload into an event.
type Part = fn(&mut RecordedEvent, Payload);

/// What the trials with one payload say.
fn conclusions(root: &Pointer, whole: &Json, value: Option<&Json>, trials: &[Trial]) -> Vec<Origin> {
    let matters = |trial: &Trial| trial.found.as_ref().is_some_and(|found| found.as_ref() != value);
    let mut left: Vec<&Pointer> = Vec::new();
    for trial in trials.iter().filter(|trial| matters(trial)) {
        if left.last() != Some(&&trial.at) {
            left.push(&trial.at);
        }
    }
    let mut origins = Vec::new();
    while let Some(at) = left.first().copied() {
        // The largest part of the event that the value is a copy of, or just this place.
        let above = (0..=at.segments().len())
            .filter_map(|depth| Some(at.segments().get(..depth)?.iter().cloned().collect::<Pointer>()));
        let copied = above.into_iter().find(|place| is_copied(place, whole, value, trials));
        let how = if copied.is_some() { How::Copied } else { How::Influences };
        let place = copied.unwrap_or_else(|| at.clone());
        left.retain(|other| !place.contains(other));
        let path = root.segments().iter().chain(place.segments()).cloned().collect();
        origins.push(Origin { path, how });
    }
    origins
}

/// Whether the value is what stands at a place of the event, and follows every change of it.
fn is_copied(place: &Pointer, whole: &Json, value: Option<&Json>, trials: &[Trial]) -> bool {
    let there = place.resolve(whole);
    // A merge takes null for "there is none".
    let is_same = there == value || (value.is_none() && there == Some(&Json::Null));
    let inside = || trials.iter().filter(|trial| place.contains(&trial.at));
    let mut answers = inside().filter_map(|trial| Some((trial.found.as_ref()?, &trial.replaced))).peekable();
    is_same
        && answers.peek().is_some()
        && answers.all(|(found, replaced)| found.as_ref() == place.resolve(replaced))
}

/// The scalars of a payload, with their paths, in order.
fn collect_leaves(path: &Pointer, value: &Json, leaves: &mut Vec<(Pointer, Json)>) {
    if leaves.len() > MOST_VALUES {
        return;
    }
    match value {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_leaves(&path.child(Segment::Index(index)), item, leaves);
            }
        }
        Json::Object(object) => {
            for (name, value) in object.iter() {
                collect_leaves(&path.child(Segment::Name(Arc::clone(name))), value, leaves);
            }
        }
        scalar => leaves.push((path.clone(), scalar.clone())),
    }
}

/// Other values of the same kind: one near it, so that it stays a date or an id of the same form,
/// and one that is far from it, so that whatever part of it matters, it shows.
fn others(value: &Json) -> Vec<Json> {
    match value {
        Json::Null => vec![Json::from("timeglass")],
        Json::Bool(value) => vec![Json::from(!value)],
        Json::Number(number) => match number.as_i64() {
            // Sums of halves and quarters are exact in every language.
            Some(integer) => [1, 7919].map(|more| Json::from(integer.wrapping_add(more))).to_vec(),
            None => {
                [0.25, 7919.5].map(|more| Json::from((number.as_f64() + more * 2.0).round() + 0.25)).to_vec()
            }
        },
        Json::Text(text) => vec![Json::from(last_turned(text)), Json::from(all_turned(text))],
        Json::Array(_) | Json::Object(_) => Vec::new(),
    }
}

/// The text with its last letter or digit turned into the next.
fn last_turned(text: &str) -> String {
    let at = text.char_indices().rev().find(|(_, c)| turned(*c) != *c).map(|(at, _)| at);
    match at {
        Some(at) => text.char_indices().map(|(place, c)| if place == at { turned(c) } else { c }).collect(),
        None => format!("{text}x"),
    }
}

/// The text with every letter and digit turned into the next.
fn all_turned(text: &str) -> String {
    let other: String = text.chars().map(turned).collect();
    if other == *text { format!("{text}xx") } else { other }
}

fn turned(c: char) -> char {
    match c {
        '9' => '0',
        'z' => 'a',
        'Z' => 'A',
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
        other => other,
    }
}

/// A value with another in one place; shares every other node.
fn with(value: &Json, path: &[Segment], new: &Json) -> Json {
    let Some((first, rest)) = path.split_first() else { return new.clone() };
    match (value, first) {
        (Json::Array(items), Segment::Index(index)) => Json::array(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| if at == *index { with(item, rest, new) } else { item.clone() }),
        ),
        (Json::Object(object), Segment::Name(name)) => Json::object(object.iter().map(|(own, value)| {
            (Arc::clone(own), if own == name { with(value, rest, new) } else { value.clone() })
        })),
        (value, _) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Experiment;
    use crate::{
        model::{Failure, Json, Pointer, RecordedEvent, StreamName},
        replay::{Applied, Folding, HeldEvents, History, OnFailure, Reducer},
        store::memory::event,
        work::Work,
    };

    /// A till, with most ways in which a reducer may use an event.
    struct Till;

    impl Reducer for Till {
        fn name(&self) -> Arc<str> {
            "till".into()
        }

        fn start<'w>(&self, _: &'w Work) -> Result<Box<dyn Folding + 'w>, Failure> {
            Ok(Box::new(Tilling(Json::object([("total", Json::from(0_u64))]))))
        }

        fn handles(&self, _: &str) -> bool {
            true
        }
    }

    struct Tilling(Json);

    impl Folding for Tilling {
        fn state(&mut self) -> Json {
            self.0.clone()
        }

        fn resume(&mut self, state: &Json, _: usize) {
            self.0 = state.clone();
        }

        fn apply(&mut self, event: &RecordedEvent) -> Result<Applied, Failure> {
            let data = event.data.json().unwrap();
            let number = |name: &str| match data.get(name) {
                Some(Json::Number(number)) => number.as_f64(),
                _ => 0.0,
            };
            let total = match self.0.get("total") {
                Some(Json::Number(number)) => number.as_f64(),
                _ => 0.0,
            };
            if data.get("currency").and_then(Json::as_text) != Some("EUR") {
                return Err(Failure::new("another currency"));
            }
            let day = data.get("at").and_then(Json::as_text).and_then(|at| at.get(..4)).unwrap_or("");
            self.0 = Json::object([
                ("total", Json::from(total + number("amount") - number("fee"))),
                ("last", data.get("amount").cloned().unwrap_or_default()),
                ("status", Json::from("open")),
                ("buyer", data.get("buyer").cloned().unwrap_or_default()),
                ("year", Json::from(day)),
                (
                    "clerk",
                    event.metadata.json().and_then(|meta| meta.get("user")).cloned().unwrap_or_default(),
                ),
                ("at_version", Json::from(event.version.map(|version| version.0))),
                ("seen", Json::from(event.time.map(|time| time.to_rfc3339()))),
                ("is_large", Json::from(number("amount") > 1000.0)),
            ]);
            Ok(Applied::default())
        }
    }

    /// Asks where the state's value after one event came from.
    fn check(path: &str, expected: &str) {
        let data = r#"{"amount":12,"fee":2.5,"currency":"EUR","buyer":{"name":"Ada","zip":"11111"},"at":"2024-03-01","unused":"x"}"#;
        let data = Json::parse(data.as_bytes()).unwrap();
        let mut taken = event(1, &StreamName::of("till", "1"), 7, "Taken", data);
        taken.metadata = crate::model::Payload::from_json(Json::object([("user", Json::from("ben"))]));
        let history =
            History::new(Arc::new(HeldEvents(vec![taken])), Arc::new(Till), OnFailure::GoOn, 1 << 20);
        let work = Work::default();
        let step = history.step_at(1, &work).unwrap();
        let origins = Experiment::start(&Till, &work).origins(&step, &Pointer::parse(path).unwrap()).unwrap();
        assert!(!origins.is_unsteady && !origins.is_cut);
        let found: Vec<String> =
            origins.from.iter().map(|origin| format!("{} {}", origin.how.as_str(), origin.path)).collect();
        assert_eq!(found.join(", "), expected, "{path}");
    }

    #[test]
    fn a_copy_is_told_from_what_was_made_of_something() {
        check("/last", "copied /data/amount");
        check("/total", "influences /data/amount, influences /data/fee");
        check("/clerk", "copied /metadata/user");
        check("/at_version", "copied /version");
        check("/seen", "influences /time");
    }

    #[test]
    fn whole_parts_are_one_origin() {
        check("/buyer", "copied /data/buyer");
        check("/buyer/name", "copied /data/buyer/name");
    }

    #[test]
    fn parts_of_texts_and_thresholds_show() {
        check("/year", "influences /data/at");
        check("/is_large", "influences /data/amount");
    }

    #[test]
    fn a_constant_comes_from_nowhere_and_a_throw_says_nothing() {
        check("/status", "");
    }
}
