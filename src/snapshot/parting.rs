//! Where a stored snapshot and the replay part: between which other snapshots, and by which event.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    model::{Change, ChangeKind, Json, Pointer, StreamVersion},
    replay::{History, Step, Write},
    snapshot::Verdict,
    store::StoreResult,
    work::Work,
};

/// Between which snapshots of its stream a fault came about; all in counts of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The last snapshot before it that agrees; `None` if none does.
    pub after: Option<usize>,
    /// Where this one stands.
    pub until: usize,
    /// The next snapshot behind it that agrees: what was stored in between alone is wrong.
    pub mended: Option<usize>,
    /// How many others of its stream were compared.
    pub others: usize,
}

/// Where a snapshot and the replay part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parting {
    /// Between which snapshots.
    pub bounds: Bounds,
    /// The version of the last one before it that agrees.
    pub after_version: Option<StreamVersion>,
    /// The version of the next one behind it that agrees.
    pub mended_version: Option<StreamVersion>,
    /// The differing paths, each with what happened to it.
    pub paths: Vec<PathParting>,
    /// How many differing paths were left out.
    pub left_out: usize,
}

/// What the events did to one path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParting {
    /// Where, in the replayed state.
    pub path: Pointer,
    /// The events within the bounds that wrote it, the last of them; in order.
    pub writes: Vec<Place>,
    /// How many wrote it within the bounds.
    pub total: usize,
    /// The last place up to the snapshot at which the replay held what is stored.
    pub held: Option<Place>,
    /// The event that ended that: the replay took it in, and what is stored did not.
    pub ended_by: Option<Place>,
    /// Whether nothing is stored there.
    pub is_absent: bool,
}

/// A place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// How many events lie behind.
    pub count: usize,
    /// The version of the last of them.
    pub version: Option<StreamVersion>,
    /// Its type; `None` before the first.
    pub event_type: Option<Arc<str>>,
}

/// So many paths of one snapshot are followed.
const PATHS: usize = 50;

/// So many writes of one path are told.
const WRITES: usize = 5;

/// The bounds of a snapshot that differs, by the counts and verdicts of the snapshots of its stream.
#[must_use]
pub fn bounds(until: usize, others: impl IntoIterator<Item = (usize, Verdict)>) -> Bounds {
    let mut bounds = Bounds { until, ..Bounds::default() };
    for (count, verdict) in others {
        bounds.others += usize::from(count != until);
        if verdict != Verdict::Agrees {
            continue;
        }
        if count < until {
            bounds.after = bounds.after.max(Some(count));
        } else if count > until {
            bounds.mended = Some(bounds.mended.map_or(count, |known| known.min(count)));
        }
    }
    bounds
}

/// Follows the differing paths of a snapshot through the history up to it, in one walk.
pub fn parting(history: &History, changes: &[Change], bounds: Bounds, work: &Work) -> StoreResult<Parting> {
    let start = history.step_at(0, work)?;
    let mut here = place_of(&start);
    let mut trails: Vec<Trail<'_>> =
        changes.iter().take(PATHS).map(|change| Trail::new(change, &start.after, &here)).collect();
    let versions = |count: Option<usize>, step: &Step, known: &mut Option<StreamVersion>| {
        if count == Some(step.count) {
            *known = step.event.as_ref().and_then(|event| event.version);
        }
    };
    let (mut after_version, mut mended_version) = (None, None);
    work.expect_total(bounds.until as u64);
    history.walk(0..bounds.until, work, &mut |step| {
        let next = place_of(&step);
        versions(bounds.after, &step, &mut after_version);
        for trail in &mut trails {
            trail.take(&step, (&here, &next), bounds.after.unwrap_or_default());
        }
        here = next;
        ControlFlow::Continue(())
    })?;
    if let Some(count) = bounds.mended {
        versions(Some(count), &history.step_at(count, work)?, &mut mended_version);
    }
    let paths: Vec<PathParting> = trails.into_iter().map(|trail| trail.found).collect();
    let left_out = changes.len() - paths.len();
    Ok(Parting { bounds, after_version, mended_version, paths, left_out })
}

/// One path on its way through the history.
struct Trail<'a> {
    stored: Option<&'a Json>,
    holds: bool,
    found: PathParting,
}

impl<'a> Trail<'a> {
    fn new(change: &'a Change, start: &Json, here: &Place) -> Self {
        let stored = match &change.kind {
            ChangeKind::Add(stored) | ChangeKind::Replace(_, stored) => Some(stored),
            ChangeKind::Remove(_) => None,
        };
        let path = change.path.clone();
        // That a path does not exist yet before the first event says nothing.
        let holds = stored.is_some() && path.resolve(start) == stored;
        let held = holds.then(|| here.clone());
        let found = PathParting {
            path,
            writes: Vec::new(),
            total: 0,
            held,
            ended_by: None,
            is_absent: stored.is_none(),
        };
        Self { stored, holds, found }
    }

    fn take(&mut self, step: &Step, (before, here): (&Place, &Place), after: usize) {
        let Some(write) = Write::of(step, &self.found.path) else { return };
        if step.count > after {
            self.found.total += 1;
            if self.found.writes.len() == WRITES {
                self.found.writes.remove(0);
            }
            self.found.writes.push(here.clone());
        }
        let holds = write.new.as_ref() == self.stored;
        if self.holds || (self.stored.is_none() && write.old.is_none()) {
            self.found.held = Some(before.clone());
            self.found.ended_by = Some(here.clone());
        }
        self.holds = holds;
    }
}

fn place_of(step: &Step) -> Place {
    Place {
        count: step.count,
        version: step.event.as_ref().and_then(|event| event.version),
        event_type: step.event.as_ref().map(|event| Arc::clone(&event.event_type)),
    }
}

impl Place {
    /// `v73`, `event 73`, or the start.
    #[must_use]
    pub fn label(&self) -> String {
        match self.version {
            Some(version) => format!("v{version}"),
            None if self.count == 0 => "the start".to_owned(),
            None => format!("event {}", self.count),
        }
    }
}

impl Parting {
    /// Between which snapshots the fault came about, as a sentence without full stop.
    #[must_use]
    pub fn words(&self) -> String {
        let version = |version: Option<StreamVersion>, count: usize| {
            version.map_or_else(|| format!("event {count}"), |version| format!("v{version}"))
        };
        let mut words = match self.bounds.after {
            Some(count) => {
                let after = version(self.after_version, count);
                format!("The snapshot at {after} still agrees, so the fault came after it")
            }
            None if self.bounds.others == 0 => {
                "No other snapshot of the stream was compared that would tell since when".to_owned()
            }
            None => "No earlier snapshot of the stream agrees".to_owned(),
        };
        if let Some(count) = self.bounds.mended {
            let mended = version(self.mended_version, count);
            let mended = format!("; the one at {mended} agrees again, so what is stored here alone is wrong");
            words.push_str(&mended);
        }
        words
    }

    /// The event at which what is stored and what is replayed part, as far as one can be told: the first that
    /// the stored state did not take in.
    #[must_use]
    pub fn first_event(&self) -> Option<&Place> {
        self.paths.iter().filter_map(PathParting::event).min_by_key(|place| place.count)
    }
}

impl PathParting {
    /// The event to look at: the one that the stored value missed, else the last that wrote the path.
    #[must_use]
    pub fn event(&self) -> Option<&Place> {
        self.ended_by.as_ref().or_else(|| self.writes.last())
    }

    /// What happened to the path, as a sentence without full stop.
    #[must_use]
    pub fn words(&self) -> String {
        let name = |place: &Place| match &place.event_type {
            Some(event_type) => format!("{event_type} {}", place.label()),
            None => place.label(),
        };
        match (&self.held, &self.ended_by) {
            (Some(held), Some(ended)) if self.is_absent => {
                format!("nothing stood there up to {}; {} added it", held.label(), name(ended))
            }
            (Some(held), Some(ended)) => {
                format!("what is stored was so up to {}; {} changed it", held.label(), name(ended))
            }
            _ => match self.writes.last() {
                Some(write) => {
                    let others = match self.total - 1 {
                        0 => String::new(),
                        more => format!(", after {more} more"),
                    };
                    format!("what is stored was never so; {} wrote it last{others}", name(write))
                }
                None if self.total == 0 && self.held.is_none() => {
                    "what is stored was never so, and no event wrote it in that time".to_owned()
                }
                None => "no event wrote it".to_owned(),
            },
        }
    }

    /// In the shape of `timeglass snapshots --verify --json`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let version = |place: Option<&Place>| Json::from(place.and_then(|place| place.version).map(|v| v.0));
        let event = self.event();
        Json::object([
            ("path", Json::from(self.path.to_string())),
            ("held_until_version", version(self.held.as_ref())),
            ("event_version", version(event)),
            ("event_type", Json::from(event.and_then(|place| place.event_type.clone()))),
            ("writes", Json::from(self.total)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Bounds, bounds, parting};
    use crate::{
        model::{Json, StreamName, diff},
        replay::{HeldEvents, History, Merge, OnFailure},
        snapshot::Verdict,
        store::memory::event,
        work::Work,
    };

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    /// What is told of a state that was stored at the end of four events, the first agreeing up to `after`.
    fn check(stored: &str, after: Option<usize>, expected: &[(&str, Option<usize>)]) {
        let data = [r#"{"a":1,"b":1}"#, r#"{"a":2}"#, r#"{"a":3}"#, r#"{"b":null}"#];
        let events = (1..).zip(data).map(|(number, data)| {
            event(number, &StreamName::plain("s"), number, &format!("E{number}"), json(data))
        });
        let events = Arc::new(HeldEvents(events.collect()));
        let history = History::new(events, Arc::new(Merge::named("merged")), OnFailure::GoOn, 1 << 20);
        let work = Work::default();
        let changes = diff(&history.step_at(4, &work).unwrap().after, &json(stored));
        let found =
            parting(&history, &changes, Bounds { after, until: 4, mended: None, others: 0 }, &work).unwrap();
        let told: Vec<(String, Option<usize>)> = found
            .paths
            .iter()
            .map(|path| {
                let event = path.event().map(|place| place.count);
                (format!("{}: {}", path.path, path.words()), event)
            })
            .collect();
        let told: Vec<(&str, Option<usize>)> = told.iter().map(|(text, at)| (text.as_str(), *at)).collect();
        assert_eq!(told, expected, "{stored}");
    }

    #[test]
    fn an_old_value_leads_to_the_event_that_it_missed() {
        check(r#"{"a":2}"#, None, &[("/a: what is stored was so up to v2; E3 v3 changed it", Some(3))]);
        check(r#"{"a":1}"#, Some(1), &[("/a: what is stored was so up to v1; E2 v2 changed it", Some(2))]);
        check(r#"{"a":3,"b":1}"#, None, &[("/b: what is stored was so up to v3; E4 v4 changed it", Some(4))]);
    }

    #[test]
    fn a_value_that_never_was_leads_to_the_last_write() {
        check(
            r#"{"a":9}"#,
            None,
            &[("/a: what is stored was never so; E3 v3 wrote it last, after 2 more", Some(3))],
        );
        check(
            r#"{"a":9}"#,
            Some(3),
            &[("/a: what is stored was never so, and no event wrote it in that time", None)],
        );
        check("{}", None, &[("/a: nothing stood there up to the start; E1 v1 added it", Some(1))]);
        check(
            r#"{"a":3,"c":0}"#,
            None,
            &[("/c: what is stored was never so, and no event wrote it in that time", None)],
        );
    }

    #[test]
    fn neighbours_that_agree_are_the_bounds() {
        use Verdict::{Agrees, Differs};
        let all = [(10, Agrees), (20, Agrees), (30, Differs), (40, Differs), (50, Agrees), (60, Agrees)];
        assert_eq!(bounds(30, all), Bounds { after: Some(20), until: 30, mended: Some(50), others: 5 });
        assert_eq!(bounds(40, all), Bounds { after: Some(20), until: 40, mended: Some(50), others: 5 });
        assert_eq!(bounds(5, [(5, Differs)]), Bounds { after: None, until: 5, mended: None, others: 0 });
    }
}
