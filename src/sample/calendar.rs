//! Time in the samples: working days, nights, busy days, and a few weeks in which nothing happens.
//!
//! All times are microseconds since 1970, UTC.

use crate::sample::{
    doc::{push_ascii, push_digits, push_number, write_digits},
    draft::Telling,
    rng::Rng,
};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// When every store begins: Monday 8 January 2024, 06:00.
pub(crate) const START: i64 = 1_704_693_600 * SECOND;

/// When things happen, over a span that grows with the number of events.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    span: i64,
    /// The mean time between two arrivals on an ordinary day.
    pause: i64,
}

impl Calendar {
    /// A calendar for a story of which each arrival brings about `each` events.
    pub(crate) fn new(telling: Telling, each: u64) -> Self {
        let days = telling.days;
        let arrivals = (telling.events / each.max(1)).max(1) as i64;
        // A quarter of the span is lost to gaps and quiet hours.
        Self { span: days * DAY, pause: (days * DAY / arrivals * 3 / 4).max(2) }
    }

    /// When the next arrival comes.
    pub(crate) fn next(&self, now: i64, rng: &mut Rng) -> i64 {
        let pause = self.pause * 100 / Self::pace(now);
        self.open(now + rng.between(1, pause * 2), rng)
    }

    /// The time itself, or the first hours after the gap in which it lies.
    pub(crate) fn open(&self, time: i64, rng: &mut Rng) -> i64 {
        let gaps = [(28, 3), (58, 9), (83, 2)];
        let into = (time - START) * 100 / self.span;
        let gap = gaps.into_iter().find(|(from, length)| (*from..from + length).contains(&into));
        let time = match gap {
            Some((from, length)) => START + self.span * (from + length) / 100 + rng.between(1, 5 * HOUR),
            None => time,
        };
        let hour = time.rem_euclid(DAY) / HOUR;
        // Most of what would happen at night waits for the morning.
        if hour < 6 && rng.chance(80) { time + (6 - hour) * HOUR + rng.between(0, 2 * HOUR) } else { time }
    }

    /// How many arrivals come on this day, 100 on an ordinary one.
    fn pace(time: i64) -> i64 {
        let day = (time - START) / DAY;
        match (day % 7, day % 41) {
            (_, 17 | 18) => 600,
            (5 | 6, _) => 45,
            (3, _) => 150,
            _ => 100,
        }
    }
}

/// `2024-01-08T06:00:00.000000Z`.
pub(crate) fn push_time(out: &mut String, micros: i64) {
    push_date(out, micros);
    let time = micros.rem_euclid(DAY) as u64;
    let seconds = time / SECOND as u64;
    let mut text = *b"T00:00:00.000000Z";
    let parts = [
        (1..3, seconds / 3600),
        (4..6, seconds / 60 % 60),
        (7..9, seconds % 60),
        (10..16, time % SECOND as u64),
    ];
    for (range, value) in parts {
        if let Some(places) = text.get_mut(range) {
            write_digits(places, value);
        }
    }
    push_ascii(out, &text);
}

/// `2024-01-08`.
pub(crate) fn push_date(out: &mut String, micros: i64) {
    // Days since 1 March of the year 0, in eras of 400 years, so that leap days come last.
    let days = micros.div_euclid(DAY) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    push_number(out, era * 400 + year_of_era + i64::from(month <= 2));
    out.push('-');
    push_digits(out, month as u64, 2);
    out.push('-');
    push_digits(out, (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u64, 2);
}

#[cfg(test)]
mod tests {
    use super::{Calendar, DAY, HOUR, START, push_time};
    use crate::{
        model::Timestamp,
        sample::{draft::Telling, rng::Rng},
    };

    fn check(micros: i64) {
        let mut text = String::new();
        push_time(&mut text, micros);
        assert_eq!(Some(text), Timestamp::from_epoch(micros, 6).map(Timestamp::to_rfc3339));
    }

    #[test]
    fn times_are_written_as_the_model_writes_them() {
        check(START);
        check(START + 52 * DAY + 1);
        for day in 0..3000 {
            check(START + day * DAY + day * HOUR + day);
        }
    }

    #[test]
    fn time_goes_forward_and_leaves_gaps() {
        let calendar = Calendar::new(Telling { seed: 1, events: 2_000, days: 120, snapshot_every: 0 }, 2);
        let mut rng = Rng::new(1, 1);
        let (mut now, mut longest) = (START, 0);
        for _ in 0..1000 {
            let next = calendar.next(now, &mut rng);
            assert!(next > now);
            longest = longest.max(next - now);
            now = next;
        }
        assert!(longest > 8 * DAY, "{longest}");
        assert!((80..160).contains(&((now - START) / DAY)), "{}", (now - START) / DAY);
    }
}
