//! The timeline's bars: how densely the events stand, and the labels under them.
//!
//! Plain functions that run in a job.

use crate::{
    model::{Timestamp, Zone},
    session::{
        action::Axis,
        job::{BarsAnswer, BarsQuestion},
        scale::Scale,
        view::{TimelineBar, grouped},
    },
    work::{Cancelled, Work},
};

/// Bars of the timeline: about one for every four pixels of a wide window. A history with no more events than
/// that has a bar for each, where the event is.
const BARS: usize = 480;

/// Finer than the bars, so that the edges of quiet times are found well.
const FINE_BARS: usize = BARS * 4;

/// Of so many events the times themselves are read; of more they are counted in equal spans first.
const FEW: usize = 20_000;

/// Labels of whole events under the axis, about.
const LABELS_OF_EVENTS: usize = 6;

/// The timeline's density, scale and labels.
pub(crate) fn bars(question: &BarsQuestion, work: &Work) -> Result<BarsAnswer, Cancelled> {
    let recorded = question.events();
    let total = question.length.unwrap_or(recorded);
    if question.axis == Axis::Events {
        return event_bars(question, total, work);
    }
    let found = if recorded <= FEW { bars_of_few(question, work)? } else { bars_of_many(question, work)? };
    // Without times, or with all at one moment, there is no stretch of time to show.
    let Some((bars, scale)) = found else { return event_bars(question, total, work) };
    Ok(BarsAnswer { bars, labels: time_labels(&scale, question.zone), scale })
}

impl BarsQuestion {
    /// How many events were recorded.
    fn events(&self) -> usize {
        self.stream.map_or(self.index.len(), |stream| self.index.stream_events(stream).len())
    }

    /// The times of events by their places; nothing for one that has none.
    fn time_at(&self) -> impl Fn(usize) -> Option<i64> {
        let events = self.stream.map(|stream| self.index.stream_events(stream));
        move |place| {
            let ordinal = match &events {
                Some(events) => events.get(place).copied(),
                None => u32::try_from(place).ok(),
            };
            ordinal.and_then(|ordinal| self.index.time(ordinal)).map(Timestamp::nanos)
        }
    }

    /// Hands the time of each event that has one to `each`.
    fn each_time(&self, work: &Work, each: &mut dyn FnMut(i64)) -> Result<(), Cancelled> {
        const STEP: usize = 1 << 14;
        let time_at = self.time_at();
        for place in 0..self.events() {
            if place.is_multiple_of(STEP) {
                work.advance(0)?;
            }
            time_at(place).into_iter().for_each(&mut *each);
        }
        Ok(())
    }
}

/// Bars and scale from the times themselves.
fn bars_of_few(question: &BarsQuestion, work: &Work) -> Result<Option<(Vec<TimelineBar>, Scale)>, Cancelled> {
    let mut times = Vec::new();
    question.each_time(work, &mut |nanos| times.push(nanos))?;
    times.sort_unstable();
    if times.first() == times.last() {
        return Ok(None);
    }
    let scale = Scale::of_times(&times, question.collapse);
    if times.len() <= BARS {
        return Ok(Some((single_bars(&times, &scale), scale)));
    }
    let mut sums = vec![0_u64; BARS];
    for nanos in times {
        add(&mut sums, &scale, nanos, 1);
    }
    Ok(Some((even_bars(&sums), scale)))
}

/// Bars and scale from counts in equal spans of time.
fn bars_of_many(
    question: &BarsQuestion,
    work: &Work,
) -> Result<Option<(Vec<TimelineBar>, Scale)>, Cancelled> {
    let events = question.stream.map(|stream| question.index.stream_events(stream));
    let histogram = question.index.histogram(events.as_ref(), FINE_BARS, work)?;
    let (start, end) = match (histogram.start, histogram.end) {
        (Some(start), Some(end)) if start.nanos() < end.nanos() => (start, end),
        _ => return Ok(None),
    };
    let scale = Scale::over_time(start, end, &histogram.counts, question.collapse);
    let span = (end.nanos() as f64) - (start.nanos() as f64);
    let mut sums = vec![0_u64; BARS];
    if scale.is_finer_than(span / FINE_BARS as f64, BARS) {
        // What was counted as one would be drawn as many: only the times themselves tell where.
        question.each_time(work, &mut |nanos| add(&mut sums, &scale, nanos, 1))?;
    } else {
        for (bin, count) in histogram.counts.iter().enumerate() {
            let middle = start.nanos() + (span * (bin as f64 + 0.5) / FINE_BARS as f64) as i64;
            add(&mut sums, &scale, middle, u64::from(*count));
        }
    }
    Ok(Some((even_bars(&sums), scale)))
}

fn add(sums: &mut [u64], scale: &Scale, nanos: i64, count: u64) {
    let place = scale.place_of_time(Timestamp::from_nanos(nanos, 0));
    if let Some(sum) = sums.get_mut(((place * BARS as f64) as usize).min(BARS - 1)) {
        *sum += count;
    }
}

/// A bar for each moment at which there are events, there where the cursor stands on them; as tall as there are
/// events about.
fn single_bars(times: &[i64], scale: &Scale) -> Vec<TimelineBar> {
    const NEAR: f32 = 0.5 / BARS as f32;
    let places: Vec<f32> =
        times.iter().map(|nanos| scale.place_of_time(Timestamp::from_nanos(*nanos, 0)) as f32).collect();
    let near = |at: f32| {
        let first = places.partition_point(|place| *place < at - NEAR);
        places.partition_point(|place| *place <= at + NEAR) - first
    };
    let counts: Vec<(f32, usize)> = places
        .chunk_by(|left, right| left.total_cmp(right).is_eq())
        .filter_map(<[f32]>::first)
        .map(|at| (*at, near(*at)))
        .collect();
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default() as u64;
    counts.iter().map(|(at, count)| TimelineBar::at(*at, height(*count as u64, most))).collect()
}

fn even_bars(sums: &[u64]) -> Vec<TimelineBar> {
    let most = sums.iter().copied().max().unwrap_or_default();
    let bars = sums.iter().enumerate().filter(|(_, sum)| **sum > 0);
    bars.map(|(number, sum)| TimelineBar::of_part(number, sums.len(), height(*sum, most))).collect()
}

/// A square root, so that a busy day does not flatten all others.
fn height(count: u64, most: u64) -> f32 {
    (count as f64 / most.max(1) as f64).sqrt() as f32
}

/// Over events each has the same width, so their density in time is shown: a tall bar stands where
/// the events around it followed each other quickly.
fn event_bars(question: &BarsQuestion, total: usize, work: &Work) -> Result<BarsAnswer, Cancelled> {
    let scale = Scale::Events { total };
    let bars = rhythm(question, &scale, total, work)?;
    Ok(BarsAnswer { bars, labels: event_labels(&scale, total), scale })
}

/// Numbers of whole events, each where the cursor stands behind so many.
fn event_labels(scale: &Scale, total: usize) -> Vec<(f32, String)> {
    let least = total.div_ceil(LABELS_OF_EVENTS).max(1);
    let tens = std::iter::successors(Some(1_usize), |power| power.checked_mul(10));
    let round = tens.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)));
    let stride = round.take(60).find(|stride| *stride >= least).unwrap_or(least);
    let mut counts: Vec<usize> = (0..total).step_by(stride).collect();
    // The end is always told, and what stands too near gives way.
    if counts.last().is_some_and(|last| *last > 0 && (total - last) * 2 <= stride) {
        counts.pop();
    }
    counts.push(total);
    let label = |count: usize| (scale.place_of_count(count) as f32, grouped(count as u64));
    counts.into_iter().map(label).collect()
}

/// Events a second around each bar, on a logarithmic scale; even bars where nothing has a time.
fn rhythm(
    question: &BarsQuestion,
    scale: &Scale,
    total: usize,
    work: &Work,
) -> Result<Vec<TimelineBar>, Cancelled> {
    let time_at = question.time_at();
    let rate_between = |first: usize, last: usize| {
        let span = time_at(last).zip(time_at(first)).map(|(last, first)| last.abs_diff(first) as f64 / 1e9);
        span.map(|span| ((last - first).max(1) as f64 / span.max(1e-3)).ln())
    };
    let count = total.min(BARS);
    let mut rates = Vec::with_capacity(count);
    for bar in 0..count {
        work.advance(0)?;
        rates.push(if total <= BARS {
            // How soon it followed the one before; the first has only the one behind it.
            let last = bar.max(1).min(total.saturating_sub(1));
            rate_between(last.saturating_sub(1), last)
        } else {
            let (first, end) = (bar * total / BARS, (bar + 1) * total / BARS);
            rate_between(first, end.min(total.saturating_sub(1)))
        });
    }
    let known = || rates.iter().flatten();
    let slowest = known().copied().fold(f64::INFINITY, f64::min);
    let spread = known().copied().fold(f64::NEG_INFINITY, f64::max) - slowest;
    let height = |rate: &Option<f64>| match rate {
        Some(rate) if spread > 0.0 => (0.15 + 0.85 * (rate - slowest) / spread) as f32,
        _ => 0.4,
    };
    let bar = |(number, rate): (usize, &Option<f64>)| {
        if total <= BARS {
            TimelineBar::at(scale.place_of_count(number + 1) as f32, height(rate))
        } else {
            TimelineBar::of_part(number, BARS, height(rate))
        }
    };
    Ok(rates.iter().enumerate().map(bar).collect())
}

/// Dates under the axis; the time of day where two neighbours fall on one day, the seconds where
/// they fall into one minute, and fractions of them where they fall into one second.
fn time_labels(scale: &Scale, zone: Zone) -> Vec<(f32, String)> {
    const LABELS: usize = 8;
    const YEAR: usize = 4;
    const DAY: usize = 10;
    const MINUTE: usize = 16;
    let places = (0..=LABELS).map(|number| number as f64 / LABELS as f64);
    let times: Vec<(f64, Timestamp)> =
        places.filter_map(|place| Some((place, scale.time_at(place)?))).collect();
    let texts_with = |digits: u8| -> Vec<String> {
        let text =
            |(_, time): &(f64, Timestamp)| Timestamp::from_nanos(time.nanos(), digits).to_display(zone);
        times.iter().map(text).collect()
    };
    let share = |pair: &[String], length: usize| matches!(pair, [left, right] if left.get(..length) == right.get(..length));
    let is_told_apart = |texts: &Vec<String>| texts.windows(2).all(|pair| pair.first() != pair.last());
    let texts = (0..9).map(texts_with).find(is_told_apart).unwrap_or_else(|| texts_with(9));
    let some_share = |length| texts.windows(2).any(|pair| share(pair, length));
    let all_share = |length| texts.windows(2).all(|pair| share(pair, length));
    let to = match (some_share(MINUTE), some_share(DAY)) {
        (true, _) => usize::MAX,
        (false, true) => MINUTE,
        (false, false) => DAY,
    };
    // What all have in common goes without saying, but a day or a year never changes unseen.
    let from = if to == DAY || !all_share(YEAR) {
        0
    } else if to == MINUTE || !all_share(DAY) {
        YEAR + 1
    } else {
        DAY + 1
    };
    let label = |((place, _), text): (&(f64, Timestamp), &String)| {
        (*place as f32, text.get(from..to.min(text.len())).unwrap_or(text).to_owned())
    };
    times.iter().zip(&texts).map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn check(seconds: &[f64], collapse: bool, bars: &[f32], labels: &[&str]) {
        let mut times: Vec<i64> = seconds.iter().map(|second| (second * SECOND as f64) as i64).collect();
        times.sort_unstable();
        let scale = Scale::of_times(&times, collapse);
        let shown = single_bars(&times, &scale);
        for (bar, nanos) in shown.iter().zip(&times) {
            // Where the cursor stands on the event.
            let cursor = scale.place_of_time(Timestamp::from_nanos(*nanos, 0)) as f32;
            assert_eq!([bar.from, bar.to].map(f32::to_bits), [cursor.to_bits(); 2]);
        }
        let places: Vec<f32> = shown.iter().map(|bar| (bar.from * 100.0).round() / 100.0).collect();
        assert_eq!(places, bars, "{seconds:?}");
        let texts: Vec<String> = time_labels(&scale, Zone::Utc).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts.iter().take(3).map(String::as_str).collect::<Vec<_>>(), labels, "{seconds:?}");
    }

    #[test]
    fn every_event_of_a_short_history_has_a_bar_at_its_own_place() {
        check(&[0.0, 90.0], true, &[0.0, 1.0], &["00:00:00", "00:00:11", "00:00:22"]);
        check(&[0.0, 0.2, 1000.0], true, &[0.0, 0.64, 1.0], &["00:00:00.00", "00:00:00.03", "00:00:00.07"]);
        check(
            &[0.0, 250.0, 1000.0],
            false,
            &[0.0, 0.25, 1.0],
            &["01-01 00:00", "01-01 00:02", "01-01 00:04"],
        );
    }

    #[test]
    fn a_day_never_changes_unseen() {
        check(
            &[0.0, 0.5, 8e7],
            true,
            &[0.0, 0.64, 1.0],
            &["1970-01-01 00:00:00.00", "1970-01-01 00:00:00.09", "1970-01-01 00:00:00.19"],
        );
    }

    #[test]
    fn labels_of_events_are_whole_and_stand_where_the_cursor_does() {
        let labels = |total: usize| event_labels(&Scale::Events { total }, total);
        let texts = |total: usize| labels(total).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(11), ["0", "2", "4", "6", "8", "11"]);
        assert_eq!(texts(2), ["0", "1", "2"]);
        assert_eq!(texts(0), ["0"]);
        assert_eq!(texts(231), ["0", "50", "100", "150", "200", "231"]);
        for (place, text) in labels(11) {
            assert!((place - text.parse::<f32>().unwrap() / 11.0).abs() < 1e-6, "{text} at {place}");
        }
    }
}
