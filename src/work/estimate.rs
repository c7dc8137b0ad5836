//! How long work will take, said before it starts: what there is to read, at the speed measured so far.
//!
//! Nothing here looks at a clock: whoever ran something tells how many steps it did in which time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A kind of work, with a speed of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Indexing all events.
    Index,
    /// Reading events with their payloads, and nothing else.
    Read,
    /// Searching payloads.
    Search,
    /// Folding a history.
    Fold,
    /// Running a projection.
    Rebuild,
    /// Holding a stored table against a rebuilt one, row by row.
    Table,
    /// Holding snapshots against replays.
    Verify,
    /// Measuring what snapshots save.
    Cost,
    /// Looking for conditions along a history.
    Find,
    /// Looking for conditions in many streams.
    Across,
    /// Following watches along a history.
    Follow,
    /// Holding two histories against each other.
    Compare,
    /// Looking for what wrote a value.
    Blame,
    /// Writing down the events of a history, or its steps.
    Copy,
    /// Writing the rows of a read model into a file.
    Export,
}

impl Task {
    /// What is a part of it, so that it cannot be faster.
    fn part(self) -> Option<Self> {
        match self {
            Self::Index | Self::Read | Self::Search | Self::Table | Self::Cost | Self::Export => None,
            Self::Fold | Self::Rebuild | Self::Verify | Self::Across | Self::Copy => Some(Self::Read),
            Self::Find | Self::Follow | Self::Compare | Self::Blame => Some(Self::Fold),
        }
    }
}

/// What is known of some work before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// How many events are read, or rows.
    pub events: u64,
    /// How many bytes are read, if that can be told.
    pub bytes: Option<u64>,
    /// How long it will take, if that can be told.
    pub time: Option<Expected>,
}

/// How long something will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// No less than this.
    pub least: Duration,
    /// Most likely no more than this; `None` if only a part of the work was measured.
    pub most: Option<Duration>,
}

/// How fast each kind of work went on this store, in this run of the program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Speeds {
    /// Seconds a step; the latest measurement last.
    measured: BTreeMap<Task, VecDeque<f64>>,
}

/// So many measurements of a kind are kept: what was measured long ago may have been a colder machine.
const KEPT: usize = 3;

/// Fewer steps tell more of how work starts than of how it goes on.
const LEAST_STEPS: u64 = 500;

/// Of fewer events or rows nothing is said.
const WORTH_SAYING: u64 = 10_000;

/// Of less time nothing is said.
const SOON: Duration = Duration::from_secs(1);

/// Ends of a range that lie nearer than this to each other are one number.
const ABOUT: f64 = 1.6;

impl Speeds {
    /// Takes a measurement. One of too few steps says nothing.
    pub fn note(&mut self, task: Task, steps: u64, time: Duration) {
        if steps < LEAST_STEPS || time.is_zero() {
            return;
        }
        let measured = self.measured.entry(task).or_default();
        measured.push_back(time.as_secs_f64() / steps as f64);
        while measured.len() > KEPT {
            measured.pop_front();
        }
    }

    /// Whether anything is known of a kind of work.
    #[must_use]
    pub fn knows(&self, task: Task) -> bool {
        self.measured.contains_key(&task)
    }

    /// What is known of so many events or rows.
    #[must_use]
    pub fn estimate(&self, task: Task, events: u64, bytes: Option<u64>) -> Estimate {
        Estimate { events, bytes, time: self.expected(task, events) }
    }

    fn expected(&self, task: Task, steps: u64) -> Option<Expected> {
        let within = |task| self.range(task).map(|(quick, slow)| (lasts(quick, steps), lasts(slow, steps)));
        match within(task) {
            Some((least, most)) => Some(Expected { least: least?, most }),
            None => {
                let mut part = task.part()?;
                while !self.knows(part) {
                    part = part.part()?;
                }
                let (least, _) = within(part)?;
                // Two lanes may share what was measured on one.
                Some(Expected { least: least? / 2, most: None })
            }
        }
    }

    /// Seconds a step, at best and at worst.
    fn range(&self, task: Task) -> Option<(f64, f64)> {
        let measured = self.measured.get(&task)?;
        let quick = measured.iter().copied().reduce(f64::min)?;
        let slow = measured.iter().copied().reduce(f64::max)?;
        Some((quick, slow))
    }
}

fn lasts(step: f64, steps: u64) -> Option<Duration> {
    Duration::try_from_secs_f64(step * steps as f64).ok()
}

impl Estimate {
    /// This with something done before or after it, of which the same is known.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let time = match (self.time, other.time) {
            (Some(own), Some(other)) => Some(Expected {
                least: own.least.saturating_add(other.least),
                most: own.most.zip(other.most).map(|(own, other)| own.saturating_add(other)),
            }),
            (Some(part), None) | (None, Some(part)) => Some(Expected { most: None, ..part }),
            (None, None) => None,
        };
        let bytes = self.bytes.zip(other.bytes).map(|(own, other)| own.saturating_add(other));
        Self { events: self.events.saturating_add(other.events), bytes, time }
    }

    /// Whether it takes so long that a user wants to know before.
    #[must_use]
    pub fn is_worth_saying(&self) -> bool {
        let is_long = match self.time {
            Some(Expected { most: Some(most), .. }) => most >= SOON,
            Some(Expected { most: None, .. }) | None => true,
        };
        is_long && self.events >= WORTH_SAYING
    }

    /// "1 000 000 events · about 12 s", or with bytes where no time can be told; nothing if it is done at once.
    /// `number` writes a count with what is counted.
    #[must_use]
    pub fn words(&self, number: impl Fn(u64) -> String) -> Option<String> {
        if !self.is_worth_saying() {
            return None;
        }
        let counted = number(self.events);
        // That it takes at least a moment is no news.
        let time = self.time.filter(|time| time.most.is_some() || time.least >= SOON);
        Some(match (time, self.bytes) {
            (Some(time), _) => format!("{counted} · {}", time.words()),
            (None, Some(bytes)) => format!("{counted} · up to {} to read", sized(bytes)),
            (None, None) => counted,
        })
    }
}

impl Expected {
    /// "about 12 s", "8 to 20 s", "at least 5 min".
    #[must_use]
    pub fn words(&self) -> String {
        let Some(most) = self.most else { return format!("at least {}", told(self.least)) };
        let (least, most) = (self.least.min(most), self.least.max(most));
        let (low, high) = (told(least), told(most));
        if least.as_secs_f64() * ABOUT >= most.as_secs_f64() || low == high {
            return format!("about {high}");
        }
        match (low.split_once(' '), high.split_once(' ')) {
            (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {high}"),
            _ => format!("{low} to {high}"),
        }
    }
}

/// A time rounded to what can be known before: "3 s", "45 s", "4 min", "2 h 10 min".
fn told(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let rounded = match seconds {
        ..20.0 => seconds.round().max(1.0),
        20.0..90.0 => (seconds / 5.0).round() * 5.0,
        90.0..5400.0 => (seconds / 60.0).round() * 60.0,
        _ => (seconds / 600.0).round() * 600.0,
    };
    lasting(Duration::try_from_secs_f64(rounded).unwrap_or(Duration::MAX))
}

/// A time in whole seconds, minutes or hours: "14 s", "3 min", "2 h 10 min".
#[must_use]
pub fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// "5.9 GB".
fn sized(bytes: u64) -> String {
    const UNITS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let bytes = bytes as f64;
    let unit = UNITS.into_iter().find(|(_, size)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(name, size)| {
            let number = bytes / size;
            if number < 10.0 { format!("{number:.1} {name}") } else { format!("{number:.0} {name}") }
        },
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Estimate, Speeds, Task};

    /// Measurements as (task, steps, milliseconds), then what is said of so many events.
    fn check(measured: &[(Task, u64, u64)], task: Task, events: u64, expected: Option<&str>) {
        let mut speeds = Speeds::default();
        for (task, steps, millis) in measured {
            speeds.note(*task, *steps, Duration::from_millis(*millis));
        }
        let words =
            speeds.estimate(task, events, Some(5_900_000_000)).words(|events| format!("{events} events"));
        assert_eq!(words.as_deref(), expected);
    }

    #[test]
    fn what_was_measured_tells_how_long_it_takes() {
        use Task::{Fold, Index, Read, Rebuild};
        let million = 1_000_000;
        check(&[(Rebuild, 100_000, 1200)], Rebuild, million, Some("1000000 events · about 12 s"));
        check(
            &[(Rebuild, 100_000, 800), (Rebuild, 50_000, 1000)],
            Rebuild,
            million,
            Some("1000000 events · 8 to 20 s"),
        );
        check(
            &[(Rebuild, 1000, 40), (Rebuild, 1000, 100)],
            Rebuild,
            million,
            Some("1000000 events · 40 s to 2 min"),
        );
        // A part of the work was measured on one lane, and is no more than that.
        check(&[(Read, 10_000, 50)], Fold, million, Some("1000000 events · at least 3 s"));
        check(&[(Read, 10_000, 50)], Task::Blame, million, Some("1000000 events · at least 3 s"));
        check(&[(Read, 10_000, 50)], Index, million, Some("1000000 events · up to 5.9 GB to read"));
        check(&[(Read, 10_000, 1)], Fold, million, Some("1000000 events · up to 5.9 GB to read"));
        check(&[(Rebuild, 1000, 2000)], Rebuild, 10_000_000, Some("10000000 events · about 5 h 30 min"));
    }

    #[test]
    fn what_is_soon_done_is_not_worth_saying() {
        use Task::{Read, Rebuild};
        check(&[(Rebuild, 100_000, 80)], Rebuild, 1_000_000, None);
        check(&[], Rebuild, 9_999, None);
        check(&[(Read, 1000, 900)], Rebuild, 5_000, None);
    }

    #[test]
    fn a_few_steps_say_nothing_and_the_oldest_measurements_are_forgotten() {
        use Task::Search;
        check(&[(Search, 100, 800)], Search, 1_000_000, Some("1000000 events · up to 5.9 GB to read"));
        let cold = (Search, 1000, 1000);
        let warm = (Search, 1000, 10);
        check(&[cold, warm, warm, warm], Search, 1_000_000, Some("1000000 events · about 10 s"));
    }

    #[test]
    fn work_of_two_parts_takes_both_times() {
        let mut speeds = Speeds::default();
        speeds.note(Task::Rebuild, 1000, Duration::from_millis(10));
        let rebuild = speeds.estimate(Task::Rebuild, 1_000_000, None);
        let words = |estimate: Estimate| estimate.words(|events| events.to_string());
        let both = rebuild.and(speeds.estimate(Task::Table, 1_000_000, None));
        assert_eq!(words(both).as_deref(), Some("2000000 · at least 10 s"));
        speeds.note(Task::Table, 1000, Duration::from_millis(5));
        let both = rebuild.and(speeds.estimate(Task::Table, 1_000_000, None));
        assert_eq!(words(both).as_deref(), Some("2000000 · about 15 s"));
    }
}
