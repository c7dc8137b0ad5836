//! Making lists out of an index: lines of streams, rows of events, bars of the timeline.
//!
//! Plain functions that run in a job: what they make is what a panel draws.

use std::{cmp::Ordering, collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    model::{
        EventQuery, Json, Payload, RecordedEvent, StoredSnapshot, StreamName, TextFilter, Timestamp, Zone,
    },
    sample::{SampleOptions, write},
    session::{
        action::{Axis, EventOrder, StreamSort},
        job::{Answer, BarsAnswer, BarsQuestion, RowShape},
        scale::Scale,
        view::{LoadedRow, RowHead, SnapshotRow, StreamLine, grouped},
    },
    store::index::Index,
    work::{Cancelled, Work},
};

/// The rows that are read before there is an index: two screens full.
pub(crate) const FIRST_ROWS: usize = 200;

/// Characters of a payload that a row shows at most.
const PREVIEW: usize = 300;

/// Bars of the timeline: about one for every four pixels of a wide window.
const BARS: usize = 480;

/// Finer than the bars, so that the edges of quiet times are found well.
const FINE_BARS: usize = BARS * 4;

/// What the lines of the streams panel are made of.
#[derive(Clone)]
pub struct StreamLines {
    /// Where the streams come from.
    pub index: Arc<Index>,
    /// Which streams are wanted.
    pub filter: TextFilter,
    /// Their order within a category.
    pub sort: StreamSort,
    /// Whether that order is turned round.
    pub is_descending: bool,
    /// Categories that are not as `opened_all` says.
    pub closed: Vec<Option<Arc<str>>>,
    /// Whether categories are open unless named in `closed`, or the other way round.
    pub opened_all: bool,
}

impl StreamLines {
    /// The lines, and how many streams pass the filter.
    pub fn make(&self, work: &Work) -> Result<(Vec<StreamLine>, usize), Cancelled> {
        let streams = self.index.streams();
        let mut groups: BTreeMap<Option<Arc<str>>, Vec<u32>> = BTreeMap::new();
        let mut passing = 0;
        for (number, stream) in streams.iter().enumerate() {
            if number.is_multiple_of(4096) {
                work.advance(0)?;
            }
            if self.accepts(&stream.name.full(), &stream.name.id) {
                passing += 1;
                groups.entry(stream.name.category.clone()).or_default().push(number as u32);
            }
        }
        let is_flat = groups.keys().all(Option::is_none);
        let mut lines = Vec::new();
        for (name, mut members) in groups {
            work.advance(0)?;
            let is_open = is_flat || self.opened_all != self.closed.contains(&name);
            if !is_flat {
                let events =
                    members.iter().filter_map(|number| streams.get(*number as usize)).map(|info| info.events);
                let (streams, events) = (members.len() as u64, events.sum());
                lines.push(StreamLine::Category { name, streams, events, is_open });
            }
            if is_open {
                members.sort_by(|left, right| self.compare(*left, *right));
                lines.extend(members.into_iter().map(StreamLine::Stream));
            }
        }
        Ok((lines, passing))
    }

    fn accepts(&self, full: &str, id: &str) -> bool {
        self.filter.accepts(full) || self.filter.accepts(id)
    }

    fn compare(&self, left: u32, right: u32) -> Ordering {
        let streams = self.index.streams();
        let (Some(left), Some(right)) = (streams.get(left as usize), streams.get(right as usize)) else {
            return Ordering::Equal;
        };
        let by_name = || natural(&left.name.id, &right.name.id);
        let order = match self.sort {
            StreamSort::Name => by_name(),
            StreamSort::Events => left.events.cmp(&right.events).then_with(by_name),
            StreamSort::First => left.first_time.cmp(&right.first_time).then_with(by_name),
            StreamSort::Last => left.last_time.cmp(&right.last_time).then_with(by_name),
        };
        if self.is_descending { order.reverse() } else { order }
    }
}

/// Compares names as people do: `order-9` before `order-10`. The digits of a UUID count nothing.
fn natural(left: &str, right: &str) -> Ordering {
    let is_hexadecimal =
        |name: &str| name.len() >= 16 && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if is_hexadecimal(left) && is_hexadecimal(right) {
        return left.cmp(right);
    }
    let (mut left_rest, mut right_rest) = (left, right);
    loop {
        let (left_part, right_part) = (leading_run(left_rest), leading_run(right_rest));
        if left_part.is_empty() || right_part.is_empty() {
            return left_part.len().cmp(&right_part.len()).then_with(|| left.cmp(right));
        }
        let order = match (digits(left_part), digits(right_part)) {
            (Some(left), Some(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            _ => left_part.cmp(right_part),
        };
        if order != Ordering::Equal {
            return order;
        }
        left_rest = left_rest.get(left_part.len()..).unwrap_or_default();
        right_rest = right_rest.get(right_part.len()..).unwrap_or_default();
    }
}

/// The digits at the start of a text, or the characters before the first digit.
fn leading_run(text: &str) -> &str {
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != starts_with_digit).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// A run of digits without leading zeros; nothing for other runs.
fn digits(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

/// The events that pass, in row order; `None` means every event in global order.
pub(crate) fn events(
    index: &Index,
    query: &EventQuery,
    order: EventOrder,
    work: &Work,
) -> Result<Option<Vec<u32>>, Cancelled> {
    let passing = index.filter(query, work)?;
    if order == EventOrder::Global {
        return Ok(passing);
    }
    // Stream by stream: walk the streams and keep what passes.
    let mut ordinals = Vec::with_capacity(passing.as_ref().map_or(index.len(), Vec::len));
    for stream in 0..index.streams().len() as u32 {
        work.advance(0)?;
        let of_stream = index.stream_events(stream).iter().copied();
        ordinals.extend(
            of_stream.filter(|ordinal| {
                passing.as_ref().is_none_or(|passing| passing.binary_search(ordinal).is_ok())
            }),
        );
    }
    Ok(Some(ordinals))
}

/// Events as rows of the table.
pub(crate) fn rows(
    events: impl Iterator<Item = Option<RecordedEvent>>,
    shape: &RowShape,
) -> Vec<Option<LoadedRow>> {
    events.map(|event| event.map(|event| row(&event, shape))).collect()
}

fn row(event: &RecordedEvent, shape: &RowShape) -> LoadedRow {
    let (preview, is_problem) = payload_preview(&event.data, PREVIEW);
    let value_at = |path: &crate::model::Pointer| {
        let found = event.data.json().and_then(|data| path.resolve(data));
        found.map(|value| scalar_preview(value, PREVIEW)).unwrap_or_default()
    };
    LoadedRow {
        head: RowHead {
            position: event.position.as_ref().map(ToString::to_string).unwrap_or_default(),
            time: event.time.map(|time| time.to_display(shape.zone)).unwrap_or_default(),
            stream: event.stream.full(),
            version: event.version.map(|version| version.to_string()).unwrap_or_default(),
            event_type: Arc::clone(&event.event_type),
        },
        preview,
        is_problem,
        paths: shape.paths.iter().map(value_at).collect(),
    }
}

/// A payload on one line, and whether it cannot be read.
pub(crate) fn payload_preview(payload: &Payload, limit: usize) -> (String, bool) {
    match &payload.decoded {
        Ok(value) => (value.to_preview(limit), false),
        Err(reason) => (format!("⚠ {reason}"), true),
    }
}

/// A string without quotes, anything else as JSON.
fn scalar_preview(value: &Json, limit: usize) -> String {
    match value.as_text() {
        Some(text) => text.chars().take(limit).collect(),
        None => value.to_preview(limit),
    }
}

/// Snapshots as rows of their table, each with the stream that it is a state of.
pub(crate) fn snapshot_rows(snapshots: &[StoredSnapshot], index: &Index, zone: Zone) -> Vec<SnapshotRow> {
    // A table of snapshots may lack what makes the category, so a bare id has to do then.
    let by_id: BTreeMap<&str, u32> =
        index.streams().iter().zip(0..).map(|(info, number)| (&*info.name.id, number)).collect();
    let number_of = |name: &StreamName| index.stream_number(name).or_else(|| by_id.get(&*name.id).copied());
    let number = |snapshot: &StoredSnapshot| snapshot.stream.as_ref().and_then(|name| number_of(name));
    snapshots.iter().map(|snapshot| snapshot_row(snapshot, number(snapshot), zone)).collect()
}

fn snapshot_row(snapshot: &StoredSnapshot, stream_number: Option<u32>, zone: Zone) -> SnapshotRow {
    let (preview, is_problem) = payload_preview(&snapshot.state, PREVIEW);
    SnapshotRow {
        stream: snapshot.stream.as_ref().map(|name| name.full()).unwrap_or_default(),
        stream_number,
        version: snapshot.version.map(|version| version.to_string()).unwrap_or_default(),
        time: snapshot.time.map(|time| time.to_display(zone)).unwrap_or_default(),
        label: snapshot.label.clone().unwrap_or_default(),
        size: grouped(snapshot.state.stored.bytes().len() as u64),
        encoding: snapshot.state.encoding.to_string(),
        preview,
        is_problem,
    }
}

/// The timeline's density, scale and labels.
pub(crate) fn bars(question: &BarsQuestion, work: &Work) -> Result<BarsAnswer, Cancelled> {
    let events = question.stream.map(|stream| question.index.stream_events(stream));
    let total = events.map_or(question.index.len(), <[u32]>::len);
    if question.axis == Axis::Events {
        return event_bars(question, total, work);
    }
    let histogram = question.index.histogram(events, FINE_BARS, work)?;
    let (Some(start), Some(end)) = (histogram.start, histogram.end) else {
        return event_bars(question, total, work);
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
    let labels = [0.0, 0.25, 0.5, 0.75, 1.0]
        .map(|place: f64| (place as f32, grouped(scale.count_at(place).unwrap_or_default() as u64)));
    let bars = rhythm(question, total, work)?;
    Ok(BarsAnswer { bars, labels: labels.into_iter().collect(), scale })
}

/// Events a second around each bar, on a logarithmic scale; even bars where nothing has a time.
fn rhythm(question: &BarsQuestion, total: usize, work: &Work) -> Result<Vec<f32>, Cancelled> {
    let events = question.stream.map(|stream| question.index.stream_events(stream));
    let time_at = |place: usize| {
        let ordinal = match events {
            Some(events) => events.get(place).copied(),
            None => u32::try_from(place).ok(),
        };
        ordinal.and_then(|ordinal| question.index.row(ordinal)?.time).map(Timestamp::nanos)
    };
    let count = BARS.min(total);
    let mut rates = Vec::with_capacity(count);
    for bar in 0..count {
        work.advance(0)?;
        let (first, last) = (bar * total / count, ((bar + 1) * total / count).min(total.saturating_sub(1)));
        let span = time_at(last).zip(time_at(first)).map(|(last, first)| last.abs_diff(first) as f64 / 1e9);
        rates.push(span.map(|span| ((last - first).max(1) as f64 / span.max(1e-3)).ln()));
    }
    let known = || rates.iter().flatten();
    let slowest = known().copied().fold(f64::INFINITY, f64::min);
    let spread = known().copied().fold(f64::NEG_INFINITY, f64::max) - slowest;
    let height = |rate: &Option<f64>| match rate {
        Some(rate) if spread > 0.0 => (0.15 + 0.85 * (rate - slowest) / spread) as f32,
        _ => 0.4,
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

/// Makes the sample store, unless it is there already.
pub(crate) fn make_sample(path: PathBuf, work: &Work) -> Answer {
    if path.exists() {
        return Answer::SampleMade(path);
    }
    if let Some(Err(err)) = path.parent().map(std::fs::create_dir_all) {
        return Answer::SampleFailed(format!("{} cannot be made: {err}", path.display()));
    }
    let options = SampleOptions { seed: 7, events: 1400, ..SampleOptions::default() };
    match write(&path, &options, work) {
        Ok(_) => Answer::SampleMade(path),
        Err(err) => Answer::SampleFailed(err.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::natural;

    #[test]
    fn names_sort_as_people_count() {
        for (left, right) in [
            ("order-9", "order-10"),
            ("a", "b"),
            ("a1b", "a1c"),
            ("x", "x1"),
            ("7", "08"),
            ("00eb095b-3d12-4a", "0aa5b0b9-60e9-4b"),
        ] {
            assert_eq!(natural(left, right), Ordering::Less, "{left} before {right}");
        }
    }
}
