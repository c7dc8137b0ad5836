//! How fast open questions go on, measured over their time so far.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    session::{job::Slot, view::grouped},
    work::estimate::lasting,
};

/// How fast open questions go on.
#[derive(Default)]
pub(crate) struct Paces {
    started: BTreeMap<Slot, (Instant, u64)>,
}

/// How far a question is, and how fast it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Steps done.
    pub done: u64,
    /// Steps in all, if known.
    pub total: Option<u64>,
    /// Whether that is no more than an estimate.
    pub is_about: bool,
    /// Steps a second, once that can be told.
    pub rate: Option<f64>,
    /// How long it takes yet, once that can be told.
    pub left: Option<Duration>,
}

/// Sooner than this nobody can tell a rate.
const TOLD_AFTER: Duration = Duration::from_millis(500);

impl Paces {
    /// The pace of each open question; the others are forgotten.
    pub(crate) fn note(
        &mut self,
        open: impl Iterator<Item = (Slot, (u64, Option<u64>))>,
        now: Instant,
    ) -> Vec<(Slot, Pace)> {
        let before = std::mem::take(&mut self.started);
        let paces = open.map(|(slot, (done, total))| {
            // A question that did fewer steps than before is another one.
            let known = before.get(&slot).filter(|(_, from)| *from <= done);
            let (since, from) = known.copied().unwrap_or((now, done));
            self.started.insert(slot, (since, from));
            let pace = Pace::of((done, total), done - from, now.saturating_duration_since(since));
            (slot, Pace { is_about: slot.is_of_uncounted(), ..pace })
        });
        paces.collect()
    }
}

impl Pace {
    fn of((done, total): (u64, Option<u64>), steps: u64, elapsed: Duration) -> Self {
        let can_tell = elapsed >= TOLD_AFTER && steps > 0;
        let rate = can_tell.then(|| steps as f64 / elapsed.as_secs_f64());
        let left = rate.zip(total).and_then(|(rate, total)| {
            Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate).ok()
        });
        Self { done, total, is_about: false, rate, left }
    }

    /// "12 300 of 1 376 000 · 95 000/s · 14 s left"; nothing while nothing is known.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        match self.total {
            Some(total) if self.is_about => parts.push(about(self.done, total)),
            Some(total) => parts.push(format!("{} of {}", grouped(self.done), grouped(total))),
            None if self.done > 0 => parts.push(grouped(self.done)),
            None => (),
        }
        parts.extend(self.rate.map(|rate| format!("{}/s", grouped(rounded(rate)))));
        parts.extend(self.left.map(|left| format!("{} left", lasting(left + Duration::from_secs(1)))));
        parts.join(" · ")
    }
}

/// "3.1 of about 10 million", "123 000 of about 456 000": as exactly as it is known.
fn about(done: u64, total: u64) -> String {
    if total < 1_000_000 {
        return format!("{} of about {}", grouped(done), grouped(rounded(total as f64)));
    }
    let millions = |number: u64| number as f64 / 1e6;
    let total = match millions(total) {
        total if total < 9.95 => format!("{total:.1}"),
        total => format!("{total:.0}"),
    };
    format!("{:.1} of about {} million", millions(done), total.trim_end_matches(".0"))
}

/// Two digits that count: more would flicker.
fn rounded(rate: f64) -> u64 {
    let scale = 10_f64.powf((rate.max(1.0).log10().floor() - 1.0).max(0.0));
    ((rate / scale).round() * scale) as u64
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Pace, Paces};
    use crate::session::job::Slot;

    fn check((done, total): (u64, Option<u64>), steps: u64, millis: u64, expected: &str) {
        let pace = Pace::of((done, total), steps, Duration::from_millis(millis));
        assert_eq!(pace.words().replace('\u{2009}', " "), expected);
    }

    #[test]
    fn a_pace_says_what_can_be_told() {
        check((0, None), 0, 0, "");
        check((7, None), 7, 100, "7");
        check((12_300, Some(1_376_000)), 12_300, 100, "12 300 of 1 376 000");
        check((12_300, Some(1_376_000)), 12_300, 1000, "12 300 of 1 376 000 · 12 000/s · 2 min left");
        check((500, Some(1000)), 100, 1000, "500 of 1 000 · 100/s · 6 s left");
        check((500, Some(1_000_000)), 100, 1000, "500 of 1 000 000 · 100/s · 2 h 46 min left");
        check((500, Some(1000)), 0, 1000, "500 of 1 000");
    }

    #[test]
    fn a_total_that_nobody_counted_is_said_so() {
        let words = |done, total| {
            let pace = Pace { done, total: Some(total), is_about: true, ..Pace::default() };
            pace.words().replace('\u{2009}', " ")
        };
        assert_eq!(words(3_120_000, 10_003_000), "3.1 of about 10 million");
        assert_eq!(words(120_000, 1_480_000), "0.1 of about 1.5 million");
        assert_eq!(words(500_000, 1_000_007), "0.5 of about 1 million");
        assert_eq!(words(12_345, 456_789), "12 345 of about 460 000");
    }

    #[test]
    fn another_question_in_a_slot_starts_anew() {
        let (mut paces, start) = (Paces::default(), Instant::now());
        let mut note = |done, millis| {
            let open = [(Slot::Index, (done, None))];
            let now = start + Duration::from_millis(millis);
            paces.note(open.into_iter(), now).first().map(|(_, pace)| pace.rate)
        };
        assert_eq!(note(100, 0), Some(None));
        assert_eq!(note(300, 1000), Some(Some(200.0)));
        assert_eq!(note(50, 1100), Some(None));
        assert_eq!(note(150, 2100), Some(Some(100.0)));
    }
}
