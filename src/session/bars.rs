//! The timeline's bars: how densely the events stand, and the labels under them.
//!
//! Plain functions that run in a job.

use crate::{
    model::{Timestamp, Zone},
    session::{
        action::Axis,
        job::{BarsAnswer, BarsQuestion},
        scale::Scale,
        view::grouped,
    },
    store::index::Ordinals,
    work::{Cancelled, Work},
};

/// Bars of the timeline: about one for every four pixels of a wide window.
const BARS: usize = 480;

/// Finer than the bars, so that the edges of quiet times are found well.
const FINE_BARS: usize = BARS * 4;

/// The timeline's density, scale and labels.
pub(crate) fn bars(question: &BarsQuestion, work: &Work) -> Result<BarsAnswer, Cancelled> {
    let events = question.stream.map(|stream| question.index.stream_events(stream));
    let recorded = events.as_ref().map_or(question.index.len(), Ordinals::len);
    let total = question.length.unwrap_or(recorded);
    if question.axis == Axis::Events {
        return event_bars(question, total, work);
    }
    let histogram = question.index.histogram(events.as_ref(), FINE_BARS, work)?;
    let (start, end) = match (histogram.start, histogram.end) {
        (Some(start), Some(end)) if start.nanos() < end.nanos() => (start, end),
        // Without times, or with all at one moment, there is no stretch of time to show.
        _ => return event_bars(question, total, work),
    };
    let scale = Scale::over_time(start, end, &histogram.counts, question.collapse);
    let span = (end.nanos() as f64) - (start.nanos() as f64);
    let mut sums = vec![0_u64; BARS];
    for (bin, count) in histogram.counts.iter().enumerate() {
        let middle = start.nanos() + (span * (bin as f64 + 0.5) / FINE_BARS as f64) as i64;
        let place = scale.place_of_time(Timestamp::from_nanos(middle, 0));
        if let Some(sum) = sums.get_mut(((place * BARS as f64) as usize).min(BARS - 1)) {
            *sum += u64::from(*count);
        }
    }
    Ok(BarsAnswer { bars: normalised(&sums), labels: time_labels(&scale, question.zone), scale })
}

/// Over events each has the same width, so their density in time is shown: a tall bar stands where
/// the events around it followed each other quickly.
fn event_bars(question: &BarsQuestion, total: usize, work: &Work) -> Result<BarsAnswer, Cancelled> {
    let scale = Scale::Events { total };
    // No number stands there twice, however few events there are.
    let steps = total.min(4);
    let places = (0..=steps).map(|step| step as f64 / steps.max(1) as f64);
    let label = |place: f64| (place as f32, grouped(scale.count_at(place).unwrap_or_default() as u64));
    let labels = places.map(label).collect();
    let bars = rhythm(question, total, work)?;
    Ok(BarsAnswer { bars, scale, labels })
}

/// Events a second around each bar, on a logarithmic scale; even bars where nothing has a time.
fn rhythm(question: &BarsQuestion, total: usize, work: &Work) -> Result<Vec<f32>, Cancelled> {
    let events = question.stream.map(|stream| question.index.stream_events(stream));
    let time_at = |place: usize| {
        let ordinal = match &events {
            Some(events) => events.get(place).copied(),
            None => u32::try_from(place).ok(),
        };
        ordinal.and_then(|ordinal| question.index.time(ordinal)).map(Timestamp::nanos)
    };
    let mut rates = Vec::with_capacity(BARS);
    for bar in 0..BARS {
        work.advance(0)?;
        let (first, end) = (bar * total / BARS, (bar + 1) * total / BARS);
        if first == end {
            // Fewer events than bars: where none ends, none is drawn.
            rates.push(None);
            continue;
        }
        let last = end.min(total.saturating_sub(1));
        let span = time_at(last).zip(time_at(first)).map(|(last, first)| last.abs_diff(first) as f64 / 1e9);
        rates.push(Some(span.map(|span| ((last - first).max(1) as f64 / span.max(1e-3)).ln())));
    }
    let known = || rates.iter().flatten().flatten();
    let slowest = known().copied().fold(f64::INFINITY, f64::min);
    let spread = known().copied().fold(f64::NEG_INFINITY, f64::max) - slowest;
    let height = |rate: &Option<Option<f64>>| match rate {
        Some(Some(rate)) if spread > 0.0 => (0.15 + 0.85 * (rate - slowest) / spread) as f32,
        Some(_) => 0.4,
        None => 0.0,
    };
    Ok(rates.iter().map(height).collect())
}

/// Square roots, so that a busy day does not flatten all others.
fn normalised(sums: &[u64]) -> Vec<f32> {
    let tallest = sums.iter().copied().max().unwrap_or_default().max(1) as f64;
    sums.iter().map(|sum| (*sum as f64 / tallest).sqrt() as f32).collect()
}

/// Dates under the axis; the time of day where two neighbours fall on one day, the seconds where
/// they fall into one minute.
fn time_labels(scale: &Scale, zone: Zone) -> Vec<(f32, String)> {
    const LABELS: usize = 8;
    const DAY: usize = 10;
    const MINUTE: usize = 16;
    let places = (0..=LABELS).map(|number| number as f64 / LABELS as f64);
    let texts: Vec<(f64, String)> =
        places.filter_map(|place| Some((place, scale.time_at(place)?.to_display(zone)))).collect();
    let share = |length: usize| {
        texts
            .windows(2)
            .any(|pair| matches!(pair, [(_, left), (_, right)] if left.get(..length) == right.get(..length)))
    };
    let shown = match (share(MINUTE), share(DAY)) {
        (true, _) => 11..19,
        (false, true) => 5..MINUTE,
        (false, false) => 0..DAY,
    };
    let label =
        |(place, text): &(f64, String)| (*place as f32, text.get(shown.clone()).unwrap_or(text).to_owned());
    texts.iter().map(label).collect()
}
