//! The timeline's scale: places from 0 to 1, and what they stand for.

use crate::model::{Timestamp, Zone};

/// What the places of a timeline stand for.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Each event is as wide as the next; so many events.
    Events {
        /// How many.
        total: usize,
    },
    /// Stretches of time, the long quiet ones cut short.
    Time {
        /// In order, without gaps between them; places rise from 0 to 1.
        stretches: Vec<Stretch>,
    },
}

/// A stretch of time and its place on the timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Its start, in nanoseconds since 1970.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// Where it starts, 0 to 1.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Whether it was cut short because nothing happened in it.
    pub is_gap: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Self::Events { total: 0 }
    }
}

/// A quiet time is cut short if it takes more than this share of the whole…
const GAP_SHARE: f64 = 0.04;

/// …and is so much longer than the usual one: where events follow each other evenly, the times
/// between them are no gaps.
const GAP_FACTOR: usize = 6;

/// Times between two events are quiet, and compared with each other, from this share of the whole on.
const QUIET_SHARE: f64 = 1.0 / 1920.0;

/// A quiet time that was cut short takes this share of the timeline; all of them no more than half.
const GAP_WIDTH: f64 = 0.04;

impl Scale {
    /// A scale over time, from the rising times of all events, in nanoseconds since 1970. Quiet times end
    /// exactly where events stand, but for some air around them.
    #[must_use]
    pub fn of_times(times: &[i64], collapse: bool) -> Self {
        let (start, end) = times.first().copied().zip(times.last().copied()).unwrap_or_default();
        let end = end.max(start.saturating_add(1));
        let stretch = |start: i64, end: i64, is_gap: bool| Stretch { start, end, from: 0.0, to: 0.0, is_gap };
        let span = end.abs_diff(start) as f64;
        let gaps = if collapse { gaps_of(times, span) } else { Vec::new() };
        let quiet: f64 = gaps.iter().map(|(left, right)| right.abs_diff(*left) as f64).sum();
        if gaps.is_empty() || quiet >= span {
            // Where nothing lies between the gaps, nothing would be left to be shown.
            return Self::Time { stretches: vec![Stretch { to: 1.0, ..stretch(start, end, false) }] };
        }
        // An event that stands alone between two gaps gets some room as well.
        let air = (span - quiet) / (2 * (gaps.len() + 1)) as f64;
        let (mut stretches, mut from) = (Vec::new(), start);
        for (left, right) in gaps {
            let air = (air as i64).min(right.saturating_sub(left) / 4).max(1);
            let (left, right) = (left.saturating_add(air), right.saturating_sub(air));
            stretches.extend([stretch(from, left, false), stretch(left, right, true)]);
            from = right;
        }
        stretches.push(stretch(from, end, false));
        Self::Time { stretches: placed(stretches) }
    }

    /// Whether one of so many parts of the timeline shows less than `nanos` somewhere.
    #[must_use]
    pub fn is_finer_than(&self, nanos: f64, parts: usize) -> bool {
        let Self::Time { stretches } = self else { return false };
        stretches.iter().filter(|stretch| !stretch.is_gap).any(|stretch| {
            let length = stretch.end.saturating_sub(stretch.start) as f64;
            length < nanos * (stretch.to - stretch.from) * parts as f64
        })
    }

    /// A scale over time, from evenly spaced counts between `start` and `end`.
    #[must_use]
    pub fn over_time(start: Timestamp, end: Timestamp, counts: &[u32], collapse: bool) -> Self {
        let (start, end) = (start.nanos(), end.nanos().max(start.nanos().saturating_add(1)));
        let whole = Stretch { start, end, from: 0.0, to: 1.0, is_gap: false };
        if !collapse || counts.len() < 2 {
            return Self::Time { stretches: vec![whole] };
        }
        let span = (end as f64) - (start as f64);
        let edge = |bin: usize| start + (span * bin as f64 / counts.len() as f64) as i64;
        let shortest_gap = shortest_gap(counts);
        let mut stretches = Vec::new();
        let mut at = 0;
        for run in counts.chunk_by(|left, right| (*left == 0) == (*right == 0)) {
            let next = at + run.len();
            let is_gap = run.first() == Some(&0) && run.len() >= shortest_gap;
            stretches.push(Stretch { start: edge(at), end: edge(next), from: 0.0, to: 0.0, is_gap });
            at = next;
        }
        if let Some(last) = stretches.last_mut() {
            last.end = end;
        }
        Self::Time { stretches: placed(joined(stretches)) }
    }

    /// The place of a time; 0 before the first, 1 after the last.
    #[must_use]
    pub fn place_of_time(&self, time: Timestamp) -> f64 {
        let Self::Time { stretches } = self else { return 0.0 };
        let nanos = time.nanos();
        let Some(stretch) = stretches.iter().find(|stretch| nanos <= stretch.end) else { return 1.0 };
        let share = (nanos.saturating_sub(stretch.start)).max(0) as f64
            / (stretch.end.saturating_sub(stretch.start)).max(1) as f64;
        stretch.from + share * (stretch.to - stretch.from)
    }

    /// The time at a place; nothing on a scale of events.
    #[must_use]
    pub fn time_at(&self, place: f64) -> Option<Timestamp> {
        let Self::Time { stretches } = self else { return None };
        let stretch = stretches.iter().find(|stretch| place <= stretch.to).or_else(|| stretches.last())?;
        let share =
            ((place - stretch.from) / (stretch.to - stretch.from).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let nanos = stretch.start + (share * (stretch.end.saturating_sub(stretch.start)) as f64) as i64;
        Some(Timestamp::from_nanos(nanos, 0))
    }

    /// How many events lie behind a place, on a scale of events.
    #[must_use]
    pub fn count_at(&self, place: f64) -> Option<usize> {
        match self {
            Self::Events { total } => Some((place.clamp(0.0, 1.0) * *total as f64).round() as usize),
            Self::Time { .. } => None,
        }
    }

    /// The place behind so many events, on a scale of events.
    #[must_use]
    pub fn place_of_count(&self, count: usize) -> f64 {
        match self {
            Self::Events { total } if *total > 0 => (count as f64 / *total as f64).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }

    /// A place in words, for the pointer.
    #[must_use]
    pub fn words_at(&self, place: f64, zone: Zone) -> String {
        match (self.time_at(place), self.count_at(place)) {
            (Some(time), _) => time.to_display(zone),
            (None, Some(count)) => format!("after {} events", crate::session::view::grouped(count as u64)),
            (None, None) => String::new(),
        }
    }

    /// The quiet times that were cut short: their place and length in words.
    #[must_use]
    pub fn gaps(&self) -> Vec<(f32, String)> {
        let Self::Time { stretches } = self else { return Vec::new() };
        let gaps = stretches.iter().filter(|stretch| stretch.is_gap);
        gaps.map(|gap| {
            ((f64::midpoint(gap.from, gap.to)) as f32, span_words(gap.end.saturating_sub(gap.start)))
        })
        .collect()
    }
}

/// How many empty counts in a row make a gap.
fn shortest_gap(counts: &[u32]) -> usize {
    let runs = counts.chunk_by(|left, right| (*left == 0) == (*right == 0));
    let quiet = runs.filter(|run| run.first() == Some(&0)).map(<[u32]>::len).collect();
    let usual = usual(quiet);
    let by_share = (counts.len() as f64 * GAP_SHARE) as usize + 1;
    usual.map_or(by_share, |usual| by_share.max(usual * GAP_FACTOR))
}

/// The quiet times that are cut short: the events before and after them.
fn gaps_of(times: &[i64], span: f64) -> Vec<(i64, i64)> {
    let pairs = || times.windows(2).filter_map(|pair| pair.first().copied().zip(pair.last().copied()));
    let length = |(left, right): (i64, i64)| right.abs_diff(left);
    let quiet = pairs().map(length).filter(|length| *length as f64 >= span * QUIET_SHARE).collect();
    let usual = usual(quiet);
    let is_gap = |pair: &(i64, i64)| {
        let length = length(*pair) as f64;
        length > span * GAP_SHARE && usual.is_none_or(|usual| length >= usual as f64 * GAP_FACTOR as f64)
    };
    pairs().filter(is_gap).collect()
}

/// How long a quiet time usually is; nothing if there is but one. Of two the shorter is the usual one.
fn usual<T: Ord + Copy>(mut quiet: Vec<T>) -> Option<T> {
    quiet.sort_unstable();
    quiet.get(quiet.len().saturating_sub(1) / 2).copied().filter(|_| quiet.len() > 1)
}

/// Neighbours that are both busy, or too short to be cut, become one stretch.
fn joined(stretches: Vec<Stretch>) -> Vec<Stretch> {
    let mut joined: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if !last.is_gap && !stretch.is_gap => last.end = stretch.end,
            _ => joined.push(stretch),
        }
    }
    joined
}

/// Gives each gap a small place, and the rest to the others by their length.
fn placed(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    let length = |stretch: &Stretch| (stretch.end.saturating_sub(stretch.start)).max(1) as f64;
    let busy: f64 = stretches.iter().filter(|stretch| !stretch.is_gap).map(length).sum();
    let count = stretches.iter().filter(|stretch| stretch.is_gap).count() as f64;
    let gap_width = GAP_WIDTH.min(0.5 / count.max(1.0));
    let gaps = count * gap_width;
    let mut at = 0.0;
    for stretch in &mut stretches {
        let width = if stretch.is_gap { gap_width } else { length(stretch) / busy.max(1.0) * (1.0 - gaps) };
        stretch.from = at;
        at += width;
        stretch.to = at;
    }
    if let Some(last) = stretches.last_mut() {
        last.to = 1.0;
    }
    stretches
}

/// A length of time in words: "3 weeks", "2 hours".
#[must_use]
pub fn span_words(nanos: i64) -> String {
    const UNITS: [(i64, &str); 6] = [
        (31_557_600, "year"),
        (604_800, "week"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let seconds = nanos / 1_000_000_000;
    for (length, name) in UNITS {
        let count = seconds / length;
        if count >= 1 {
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    "less than a second".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000, 0)
    }

    #[test]
    fn a_long_quiet_time_is_cut_short_and_places_go_both_ways() {
        let mut counts = vec![0; 100];
        for bin in (0..10).chain(90..100) {
            counts[bin] = 5;
        }
        let scale = Scale::over_time(time(0), time(1000), &counts, true);
        let Scale::Time { stretches } = &scale else { panic!("over time") };
        assert_eq!(stretches.len(), 3);
        assert!(stretches[1].is_gap && (stretches[1].to - stretches[1].from - GAP_WIDTH).abs() < 1e-9);
        for seconds in [0, 50, 100, 500, 900, 950, 1000] {
            let place = scale.place_of_time(time(seconds));
            let back = scale.time_at(place).unwrap().nanos();
            assert!((back - time(seconds).nanos()).abs() < 1_000_000, "{seconds} at {place} gives {back}");
        }
        assert_eq!(scale.gaps(), vec![(0.5, "13 minutes".to_owned())]);
    }

    #[test]
    fn gaps_end_where_events_stand() {
        let seconds =
            |seconds: &[i64]| seconds.iter().map(|second| second * 1_000_000_000).collect::<Vec<_>>();
        let times = seconds(&[0, 100, 200, 300, 50_000, 50_100, 100_000]);
        let scale = Scale::of_times(&times, true);
        assert_eq!(scale.gaps().len(), 2);
        for nanos in times {
            let place = scale.place_of_time(Timestamp::from_nanos(nanos, 0));
            let back = scale.time_at(place).unwrap().nanos();
            assert!((back - nanos).abs() < 1000, "{nanos} at {place} gives {back}");
        }
        for (times, collapse) in [(&[0, 90][..], true), (&[0, 1, 1000], false), (&[], true), (&[7], true)] {
            assert!(Scale::of_times(&seconds(times), collapse).gaps().is_empty(), "{times:?}");
        }
    }

    #[test]
    fn evenly_spaced_events_have_no_gaps_between_them() {
        let counts: Vec<u32> = (0..100).map(|bin| u32::from(bin % 10 == 0)).collect();
        assert!(Scale::over_time(time(0), time(1000), &counts, true).gaps().is_empty());
    }

    #[test]
    fn without_collapsing_time_is_even() {
        let scale = Scale::over_time(time(0), time(100), &[1, 0, 0, 0, 0, 0, 0, 0, 0, 1], false);
        assert!((scale.place_of_time(time(25)) - 0.25).abs() < 1e-9);
        assert!(scale.gaps().is_empty());
    }

    #[test]
    fn events_are_evenly_wide() {
        let scale = Scale::Events { total: 231 };
        assert_eq!(scale.count_at(scale.place_of_count(118)), Some(118));
        assert_eq!(scale.count_at(2.0), Some(231));
    }
}
