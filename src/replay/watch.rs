//! Watches: what a probe finds along a whole history.

use std::{
    ops::{ControlFlow, Range},
    sync::Arc,
};

use crate::{
    model::{Failure, Json, RecordedEvent},
    replay::{
        history::History,
        probe::{Fault, Probe, Prober},
    },
    store::StoreResult,
    work::Work,
};

/// What a probe found at one place, small enough to be kept a hundred thousand times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading {
    /// There is nothing at its path.
    #[default]
    Nothing,
    /// A number, a truth value, null or a short text.
    Value(Json),
    /// The start of anything larger, on one line.
    Start(Arc<str>),
    /// The expression failed.
    Failed,
}

/// Characters of a text, array or object that a reading keeps.
const SHORT: usize = 60;

impl Reading {
    /// What is kept of a value.
    #[must_use]
    pub fn of(found: &Result<Option<Json>, Failure>) -> Self {
        match found {
            Err(_) => Self::Failed,
            Ok(None) => Self::Nothing,
            Ok(Some(value)) => match value {
                Json::Text(text) if text.len() > 4 * SHORT => Self::Start(value.to_preview(SHORT).into()),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => Self::Value(value.clone()),
                Json::Array(_) | Json::Object(_) => Self::Start(value.to_preview(SHORT).into()),
            },
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Value(Json::Number(number)) => Some(number.as_f64()).filter(|number| number.is_finite()),
            Self::Nothing | Self::Value(_) | Self::Start(_) | Self::Failed => None,
        }
    }

    /// In words, on one line; `—` where there is no value.
    #[must_use]
    pub fn words(&self) -> Arc<str> {
        match self {
            Self::Nothing | Self::Failed => "—".into(),
            Self::Value(value) => match value.as_scalar_text() {
                Some(text) => text,
                None => value.to_preview(SHORT).into(),
            },
            Self::Start(text) => Arc::clone(text),
        }
    }
}

/// A stretch of a history, by counts of events, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its first count.
    pub from: usize,
    /// Its last count.
    pub until: usize,
    /// What was found at its first count.
    pub first: Reading,
    /// What was found at its last count.
    pub last: Reading,
    /// The least and the greatest number found in it.
    pub range: Option<(f64, f64)>,
    /// Whether the same was found all along; if not, what lies between is forgotten.
    pub is_even: bool,
}

/// What a probe found along a history: a stretch for each value, or, where the value changed too
/// often to remember each, a stretch for each so many events.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    spans: Vec<Span>,
    /// Events that share one stretch; 0 and 1 mean that nothing is forgotten.
    width: usize,
    /// The counts from 0 up to before this one were looked at.
    len: usize,
    /// The value found last, to see at a glance that it did not change.
    last: Option<Json>,
    fault: Option<Fault>,
}

impl Series {
    /// No more stretches than this are kept.
    pub const MOST: usize = 65_536;

    /// The stretches, in order and without a gap.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many counts were looked at, from 0 on: one more than events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none was looked at yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where it failed first, and how often.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The stretch that a count lies in.
    #[must_use]
    pub fn at(&self, count: usize) -> Option<&Span> {
        let place = self.spans.partition_point(|span| span.until < count);
        self.spans.get(place).filter(|span| span.from <= count)
    }

    /// Takes what was found at the next count.
    fn push(&mut self, found: Result<Option<Json>, Failure>, event: Option<&RecordedEvent>) {
        let count = self.len;
        self.len += 1;
        let is_same = matches!((&found, &self.last), (Ok(Some(now)), Some(last)) if now.is_same_node(last));
        if is_same && let Some(span) = self.spans.last_mut().filter(|span| span.is_even) {
            span.until = count;
            return;
        }
        let reading = Reading::of(&found);
        match found {
            Ok(value) => self.last = value,
            Err(failure) => {
                self.last = None;
                Fault::add(&mut self.fault, count, event, failure);
            }
        }
        if let Some(span) = self.spans.last_mut().filter(|span| span.is_even && span.last == reading) {
            span.until = count;
            return;
        }
        let range = reading.number().map(|number| (number, number));
        let span =
            Span { from: count, until: count, first: reading.clone(), last: reading, range, is_even: true };
        match self.spans.last_mut().filter(|before| shares(before, count, self.width)) {
            Some(before) => before.append(span),
            None => self.spans.push(span),
        }
        if self.spans.len() > Self::MOST {
            self.coarsen();
        }
    }

    /// Puts neighbours together until half of the room is free again.
    fn coarsen(&mut self) {
        while self.spans.len() > Self::MOST / 2 {
            self.width = (self.width * 2).max(2);
            let width = self.width;
            let mut kept: Vec<Span> = Vec::with_capacity(Self::MOST);
            for span in std::mem::take(&mut self.spans) {
                match kept.last_mut().filter(|before| shares(before, span.from, width)) {
                    Some(before) => before.append(span),
                    None => kept.push(span),
                }
            }
            self.spans = kept;
        }
    }
}

/// A series of values that are known already, from the state before the first event on.
impl FromIterator<Option<Json>> for Series {
    fn from_iter<I: IntoIterator<Item = Option<Json>>>(values: I) -> Self {
        let mut series = Self::default();
        values.into_iter().for_each(|value| series.push(Ok(value), None));
        series
    }
}

/// Whether a count belongs to the stretch before it.
fn shares(before: &Span, count: usize, width: usize) -> bool {
    width > 1 && before.from / width == count / width
}

impl Span {
    fn append(&mut self, next: Self) {
        self.is_even &= next.is_even && self.last == next.first;
        self.until = next.until;
        self.last = next.last;
        self.range = match (self.range, next.range) {
            (Some((low, high)), Some((least, most))) => Some((low.min(least), high.max(most))),
            (one, other) => one.or(other),
        };
    }
}

/// Carries series on up to and including `until` events. All of them have come equally far.
///
/// Withdrawn work leaves them as far as they came.
pub fn extend(
    history: &History,
    probes: &[Probe],
    series: &mut [Series],
    until: usize,
    work: &Work,
) -> StoreResult<()> {
    let Some(from) = series.first().map(Series::len) else { return Ok(()) };
    let until = until.min(history.len());
    let mut prober = Prober::start(probes, work);
    let mut take = |state: &Json, event: Option<&RecordedEvent>| {
        // First all are asked, then all take the answers: so that none is ahead of the others.
        let found: Vec<_> = (0..series.len()).map(|which| prober.read(which, state, event)).collect();
        if work.is_cancelled() {
            return ControlFlow::Break(());
        }
        series.iter_mut().zip(found).for_each(|(series, found)| series.push(found, event));
        ControlFlow::Continue(())
    };
    if from == 0 {
        let start = history.step_at(0, work)?;
        if take(&start.after, None).is_break() {
            return Ok(work.advance(0)?);
        }
    }
    let walked = from.saturating_sub(1)..until;
    if !walked.is_empty() {
        history.walk(walked, work, &mut |step| take(&step.after, step.event.as_ref()))?;
    }
    Ok(())
}

/// What probes find at each count of a range: the answers in the order of the probes.
pub fn values(
    history: &History,
    probes: &[Probe],
    range: Range<usize>,
    work: &Work,
) -> StoreResult<Vec<(usize, Vec<Reading>)>> {
    let mut prober = Prober::start(probes, work);
    let mut found = Vec::new();
    history.walk(range, work, &mut |step| {
        let read = |which| Reading::of(&prober.read(which, &step.after, step.event.as_ref()));
        found.push((step.count, (0..probes.len()).map(read).collect()));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Reading, Series};
    use crate::model::{Failure, Json};

    fn series(values: impl IntoIterator<Item = i64>) -> Series {
        values.into_iter().map(|value| Some(Json::from(value))).collect()
    }

    /// The stretches of a series of these values: ends, and the range between them.
    fn check(values: &[i64], expected: &[(usize, usize, f64)]) {
        let series = series(values.iter().copied());
        let found: Vec<(usize, usize, f64)> =
            series.spans().iter().map(|span| (span.from, span.until, span.range.unwrap().0)).collect();
        assert_eq!(found, expected, "{values:?}");
    }

    #[test]
    fn equal_neighbours_are_one_stretch() {
        check(&[], &[]);
        check(&[1, 1, 2, 2, 2, 1], &[(0, 1, 1.0), (2, 4, 2.0), (5, 5, 1.0)]);
    }

    #[test]
    fn a_long_series_keeps_its_extremes_and_its_bounds() {
        let values = |count: i64| if count == 123_457 { -9 } else { count % 1000 };
        let series = series((0..300_000).map(values));
        assert!(series.spans().len() <= Series::MOST);
        assert_eq!(series.len(), 300_000);
        let mut next = 0;
        for span in series.spans() {
            assert_eq!(span.from, next, "no gap and no overlap");
            next = span.until + 1;
            let (low, high) = span.range.unwrap();
            let truth: Vec<i64> = (span.from..=span.until).map(|count| values(count as i64)).collect();
            assert_eq!(low as i64, *truth.iter().min().unwrap());
            assert_eq!(high as i64, *truth.iter().max().unwrap());
            assert_eq!(span.first.number(), Some(truth[0] as f64));
            assert_eq!(span.last.number(), Some(*truth.last().unwrap() as f64));
        }
        assert_eq!(next, 300_000);
        let lowest = series.at(123_457).unwrap();
        assert_eq!(lowest.range.unwrap().0 as i64, -9);
        assert!(series.at(300_000).is_none());
    }

    #[test]
    fn a_failure_is_told_once_and_nothing_is_no_failure() {
        let mut series = Series::default();
        series.push(Ok(None), None);
        for _ in 0..3 {
            series.push(Err(Failure::new("total is not defined")), None);
        }
        let fault = series.fault().unwrap();
        assert_eq!((fault.count, fault.times), (1, 3));
        let words: Vec<_> = series.spans().iter().map(|span| span.last.words().to_string()).collect();
        assert_eq!(words, ["—", "—"]);
        assert_eq!(series.at(0).unwrap().last, Reading::Nothing);
        assert_eq!(series.at(2).unwrap().last, Reading::Failed);
    }
}
