//! Conditions: what a step may meet, so that a run stops there.

use std::{fmt, sync::Arc};

use crate::{
    model::{Failure, Json, Pointer, RecordedEvent, Segment},
    replay::{
        probe::{Fault, Probe, Prober},
        step::Step,
    },
    script::Expression,
    work::Work,
};

/// What a step may meet. Each is a question about one step alone, so that runs in either
/// direction, and from anywhere, find the same steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The event is of this type.
    Type(Arc<str>),
    /// An expression over `event` is true.
    Event(Arc<str>),
    /// An expression over the state after the event (and over `event`) is true.
    State(Arc<str>),
    /// The same, and it was not true of the state before.
    Becomes(Arc<str>),
    /// The value at a path of the state is another than before.
    Changes {
        /// Where.
        path: Pointer,
        /// The old value, if only that counts.
        from: Option<Json>,
        /// The new value, if only that counts.
        to: Option<Json>,
    },
}

/// What has to be known of a step to tell whether it meets conditions; each includes those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The type of its event, which an index knows.
    Type,
    /// Its event.
    Event,
    /// The states before and after it.
    State,
}

impl Condition {
    /// What has to be known of a step.
    #[must_use]
    pub fn need(&self) -> Need {
        match self {
            Self::Type(_) => Need::Type,
            Self::Event(_) => Need::Event,
            Self::State(_) | Self::Becomes(_) | Self::Changes { .. } => Need::State,
        }
    }

    /// Whether its expression can be read, if it has one.
    ///
    /// Fails with the mistake, and its place in the expression.
    pub fn check(&self) -> Result<(), Failure> {
        let (Self::Event(text) | Self::State(text) | Self::Becomes(text)) = self else { return Ok(()) };
        match Probe::typed(text) {
            Some(Probe::Expression(text)) => Expression::parse(&text).map(drop),
            Some(Probe::State(_) | Probe::Event(_)) => self.refused().map_or(Ok(()), Err),
            None => Err(Failure::new("there is no expression")),
        }
    }

    /// Why no step can meet it, and what to write instead: the event has no path of the state.
    fn refused(&self) -> Option<Failure> {
        let Self::Event(text) = self else { return None };
        let Some(Probe::State(path)) = Probe::typed(text) else { return None };
        let is_data = |segment: &Segment| *segment == Segment::Name("data".into());
        let has_data = path.segments().first().is_some_and(is_data);
        let of_data = path.segments().iter().skip(usize::from(has_data)).cloned().collect();
        let instead = Probe::Event(of_data);
        Some(Failure::new(format!(
            "that is a path of the state, and only the event is looked at: write {instead}"
        )))
    }

    /// The place that it looks at, if it names one and is no expression.
    #[must_use]
    pub fn place(&self) -> Option<Probe> {
        match self {
            Self::Type(_) => None,
            Self::Event(text) | Self::State(text) | Self::Becomes(text) => {
                Probe::typed(text).filter(|probe| !matches!(probe, Probe::Expression(_)))
            }
            Self::Changes { path, .. } => Some(Probe::State(path.clone())),
        }
    }

    /// What has to be known for all of these together.
    #[must_use]
    pub fn needs(conditions: &[Self]) -> Need {
        conditions.iter().map(Self::need).max().unwrap_or(Need::Type)
    }
}

/// As it is read aloud: `event type OrderPaid`, `state.total < 0`, `/status changes to "paid"`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) if name.is_empty() => f.write_str("event without a type"),
            Self::Type(name) => write!(f, "event type {name}"),
            Self::Event(text) | Self::State(text) => f.write_str(text),
            Self::Becomes(text) => write!(f, "{text} becomes true"),
            Self::Changes { path, from, to } => {
                write!(f, "{} changes", Probe::State(path.clone()))?;
                if let Some(from) = from {
                    write!(f, " from {}", from.to_preview(40))?;
                }
                if let Some(to) = to {
                    write!(f, " to {}", to.to_preview(40))?;
                }
                Ok(())
            }
        }
    }
}

/// Which of several conditions a step meets, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Which(u64);

impl Which {
    /// No more conditions than this are looked for at once.
    pub const MOST: usize = 64;

    /// Whether none is met.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the condition at this place is met.
    #[must_use]
    pub fn has(self, place: usize) -> bool {
        place < Self::MOST && self.0 >> place & 1 == 1
    }

    /// The places of those that are met, rising.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST).filter(move |place| self.has(*place))
    }

    /// Those that either has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn add(&mut self, place: usize) {
        if place < Self::MOST {
            self.0 |= 1 << place;
        }
    }
}

/// A step that meets at least one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// How many events lie behind, the one that was met included.
    pub count: usize,
    /// Which conditions it meets.
    pub which: Which,
}

/// What is known of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) count: usize,
    pub(crate) event_type: &'a str,
    /// Nothing where the type alone is needed.
    pub(crate) event: Option<&'a RecordedEvent>,
    /// The states before and after; null where they are not needed.
    pub(crate) states: [&'a Json; 2],
}

impl<'a> Seen<'a> {
    /// A step of a history; nothing if its event is gone.
    pub(crate) fn of(step: &'a Step) -> Option<Self> {
        let event = step.event.as_ref()?;
        let states = [&step.before, &step.after];
        Some(Self { count: step.count, event_type: &event.event_type, event: Some(event), states })
    }

    /// An event whose states are not needed.
    pub(crate) fn event(count: usize, event: &'a RecordedEvent) -> Self {
        let states = [&Json::Null, &Json::Null];
        Self { count, event_type: &event.event_type, event: Some(event), states }
    }
}

/// Tells of one step after the other which conditions it meets.
pub(crate) struct Matcher {
    conditions: Vec<Condition>,
    /// A probe for each condition that has one, and again for the state before where that is needed.
    prober: Prober,
    places: Vec<[usize; 2]>,
    /// Why a condition cannot be met by any step.
    refused: Vec<Option<Failure>>,
    faults: Vec<Option<Fault>>,
    /// The places that conditions look at.
    looked_at: Vec<Option<Probe>>,
    /// Conditions at whose places something was found, whatever it was.
    present: Which,
}

impl Matcher {
    pub(crate) fn start(conditions: &[Condition], work: &Work) -> Self {
        let mut probes = Vec::new();
        let (mut places, mut refused) = (Vec::new(), Vec::new());
        for condition in conditions.iter().take(Which::MOST) {
            let place = probes.len();
            refused.push(condition.refused());
            match condition {
                Condition::Event(text) | Condition::State(text) => probes.extend(Probe::typed(text)),
                Condition::Becomes(text) => {
                    probes.extend(std::iter::repeat_n(Probe::typed(text), 2).flatten());
                }
                Condition::Type(_) | Condition::Changes { .. } => (),
            }
            places.push([place, place + 1]);
        }
        Self {
            conditions: conditions.iter().take(Which::MOST).cloned().collect(),
            prober: Prober::start(&probes, work),
            faults: vec![None; places.len()],
            looked_at: conditions.iter().take(Which::MOST).map(Condition::place).collect(),
            present: Which::default(),
            places,
            refused,
        }
    }

    /// Which conditions a step meets. One that fails is remembered, and not met.
    pub(crate) fn meets(&mut self, seen: &Seen<'_>) -> Which {
        let mut which = Which::default();
        self.look_for_places(seen);
        for place in 0..self.conditions.len() {
            match self.is_met(place, seen) {
                Ok(true) => which.add(place),
                Ok(false) => (),
                Err(failure) => {
                    if let Some(fault) = self.faults.get_mut(place) {
                        Fault::add(fault, seen.count, seen.event, failure);
                    }
                }
            }
        }
        which
    }

    /// Notes which conditions look at something that is there: a name that never is may be misspelt.
    fn look_for_places(&mut self, seen: &Seen<'_>) {
        for (place, probe) in self.looked_at.iter().enumerate() {
            if self.present.has(place) {
                continue;
            }
            let [before, after] = seen.states;
            let is_there = match probe {
                Some(Probe::State(path)) => path.resolve(after).is_some() || path.resolve(before).is_some(),
                Some(Probe::Event(path)) => {
                    let data = seen.event.and_then(|event| event.data.json());
                    data.and_then(|data| path.resolve(data)).is_some()
                }
                Some(Probe::Expression(_)) | None => continue,
            };
            if is_there {
                self.present.add(place);
            }
        }
    }

    /// The conditions at whose places something was found.
    pub(crate) fn present(&self) -> Which {
        self.present
    }

    fn is_met(&mut self, place: usize, seen: &Seen<'_>) -> Result<bool, Failure> {
        let Some((condition, [now, earlier])) =
            self.conditions.get(place).zip(self.places.get(place).copied())
        else {
            return Ok(false);
        };
        if let Some(failure) = self.refused.get(place).and_then(Option::as_ref) {
            return Err(failure.clone());
        }
        let [before, after] = seen.states;
        let prober = &mut self.prober;
        let mut holds = |probe: usize, state: &Json| prober.holds(probe, state, seen.event);
        match condition {
            Condition::Type(name) => Ok(**name == *seen.event_type),
            Condition::Event(_) => holds(now, &Json::Null),
            Condition::State(_) => holds(now, after),
            // What cannot be said of the state before was not true of it.
            Condition::Becomes(_) => Ok(holds(now, after)? && !holds(earlier, before).unwrap_or_default()),
            Condition::Changes { path, from, to } => {
                Ok(changes(path, before, after).is_some_and(|[old, new]| {
                    let is_wanted = |wanted: &Option<Json>, found: Option<&Json>| {
                        wanted.as_ref().is_none_or(|wanted| found == Some(wanted))
                    };
                    is_wanted(from, old) && is_wanted(to, new)
                }))
            }
        }
    }

    /// What went wrong since this was asked last, with the place of the condition it went wrong in.
    pub(crate) fn take_faults(&mut self) -> Vec<(usize, Fault)> {
        let faults = self.faults.iter_mut().enumerate();
        faults.filter_map(|(place, fault)| Some((place, fault.take()?))).collect()
    }
}

/// The values at a path on either side of a step, if they differ.
fn changes<'a>(path: &Pointer, before: &'a Json, after: &'a Json) -> Option<[Option<&'a Json>; 2]> {
    if before.is_same_node(after) {
        return None;
    }
    let (old, new) = (path.resolve(before), path.resolve(after));
    let is_same = match (old, new) {
        (Some(old), Some(new)) => old.is_same_node(new) || old == new,
        (None, None) => true,
        _ => false,
    };
    (!is_same).then_some([old, new])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Condition, Matcher, Seen};
    use crate::{
        model::{Json, Pointer, StreamName},
        store::memory::event,
        work::Work,
    };

    /// What `condition` says of the step from `before` to `after` by an event `Paid` of `{"amount":5}`.
    fn check(condition: Condition, before: &str, after: &str, expected: bool) {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
        let event = event(1, &StreamName::of("order", "1"), 1, "Paid", read(r#"{"amount":5}"#));
        let (before, after) = (read(before), read(after));
        let seen = Seen { states: [&before, &after], ..Seen::event(1, &event) };
        let work = Work::default();
        let mut matcher = Matcher::start(&[condition], &work);
        assert_eq!(matcher.meets(&seen).has(0), expected, "{}", matcher.conditions[0]);
    }

    fn changes(from: Option<i64>, to: Option<i64>) -> Condition {
        let path = Pointer::parse("/total").unwrap();
        Condition::Changes { path, from: from.map(Json::from), to: to.map(Json::from) }
    }

    #[test]
    fn a_condition_is_a_question_about_one_step() {
        check(Condition::Type("Paid".into()), "{}", "{}", true);
        check(Condition::Type("Paid2".into()), "{}", "{}", false);
        check(Condition::Event("event.data.amount".into()), "{}", "{}", true);
        check(Condition::Event("event.data.other".into()), "{}", "{}", false);
        check(Condition::State("open".into()), r#"{"open":true}"#, r#"{"open":1}"#, true);
        check(Condition::State("open".into()), r#"{"open":true}"#, r#"{"open":0}"#, false);
        check(Condition::Becomes("open".into()), r#"{"open":true}"#, r#"{"open":1}"#, false);
        check(Condition::Becomes("open".into()), "{}", r#"{"open":1}"#, true);
        check(changes(None, None), r#"{"total":1}"#, r#"{"total":1.0}"#, false);
        check(changes(None, None), r#"{"total":1}"#, r#"{"total":2}"#, true);
        check(changes(None, None), r#"{"total":1}"#, "{}", true);
        check(changes(Some(1), Some(2)), r#"{"total":1}"#, r#"{"total":2}"#, true);
        check(changes(Some(1), Some(3)), r#"{"total":1}"#, r#"{"total":2}"#, false);
        check(changes(None, Some(2)), "{}", r#"{"total":2}"#, true);
    }

    #[test]
    fn a_path_of_the_state_is_no_condition_on_an_event() {
        for text in ["amount", "data.amount", "state.amount", "/amount"] {
            let condition = Condition::Event(text.into());
            let expected =
                "that is a path of the state, and only the event is looked at: write event:/amount";
            assert_eq!(condition.check().map_err(|failure| failure.to_string()), Err(expected.to_owned()));
            let work = Work::default();
            let mut matcher = Matcher::start(&[condition], &work);
            let event = event(1, &StreamName::of("order", "1"), 1, "Paid", Json::Null);
            assert!(matcher.meets(&Seen::event(1, &event)).is_none());
            let faults = matcher.take_faults();
            assert_eq!(faults.first().map(|(_, fault)| fault.failure.to_string()).as_deref(), Some(expected));
        }
        for condition in [Condition::Event("event:/amount".into()), Condition::State("amount".into())] {
            assert!(condition.check().is_ok(), "{condition}");
        }
    }

    #[test]
    fn a_condition_is_read_aloud() {
        assert_eq!(changes(Some(1), None).to_string(), "/total changes from 1");
        assert_eq!(Condition::Becomes("state.total < 0".into()).to_string(), "state.total < 0 becomes true");
        assert_eq!(Condition::Type(Arc::from("Paid")).to_string(), "event type Paid");
    }
}
