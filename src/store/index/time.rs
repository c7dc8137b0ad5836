//! Looking events up by time, and their density over it.

use crate::{
    model::Timestamp,
    store::index::{Index, column::MISSING, partition},
    work::{Cancelled, Work},
};

/// So many events share one earliest time: a block that starts too late is passed over at once.
pub(super) const BLOCK: usize = 4096;

/// After so many events a long loop looks whether it is still wanted.
const STEP: usize = 65_536;

/// How many events fall into each of some equal spans of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// The earliest time of the events; `None` if none of them has a time.
    pub start: Option<Timestamp>,
    /// The latest.
    pub end: Option<Timestamp>,
    /// Events in each span from `start` to `end`; empty if none has a time.
    pub counts: Vec<u32>,
    /// Events without a time.
    pub undated: u64,
}

impl Index {
    /// The last event in global order whose time is not after `time`.
    #[must_use]
    pub fn at_time(&self, time: Timestamp) -> Option<u32> {
        let wanted = time.nanos();
        let blocks = self.block_starts.iter().enumerate().rev();
        for (block, _) in blocks.filter(|(_, start)| **start <= wanted) {
            let first = block * BLOCK;
            let times = self.rows.times.get(first..self.len().min(first + BLOCK))?;
            let found = times.iter().rposition(|nanos| *nanos != MISSING && *nanos <= wanted);
            if let Some(row) = found {
                return Some((first + row) as u32);
            }
        }
        None
    }

    /// The place in [`Index::stream_events`] of the stream's last event whose time is not after
    /// `time`.
    #[must_use]
    pub fn stream_at_time(&self, stream: u32, time: Timestamp) -> Option<usize> {
        let events = self.stream_events(stream);
        let is_reached = |ordinal: u32| (MISSING + 1..=time.nanos()).contains(&self.nanos(ordinal));
        if self.streams_in_time_order.get(stream as usize).copied().unwrap_or_default() {
            let reached = |place: usize| events.get(place).is_some_and(|ordinal| is_reached(*ordinal));
            return partition(events.len(), reached).checked_sub(1);
        }
        events.iter().rposition(|ordinal| is_reached(*ordinal))
    }

    /// The earliest and the latest time of all events.
    #[must_use]
    pub fn time_span(&self) -> Option<(Timestamp, Timestamp)> {
        self.time_span
    }

    /// The earliest and the latest time of a stream's events.
    #[must_use]
    pub fn stream_time_span(&self, stream: u32) -> Option<(Timestamp, Timestamp)> {
        let info = self.stream(stream)?;
        info.first_time.zip(info.last_time)
    }

    /// Counts events in `bins` equal spans of time, from the earliest to the latest of them; all
    /// events if none are given.
    pub fn histogram(
        &self,
        events: Option<&[u32]>,
        bins: usize,
        work: &Work,
    ) -> Result<Histogram, Cancelled> {
        let Some(events) = events else {
            return fill(
                bins,
                self.time_span,
                || self.rows.times.chunks(STEP).map(<[i64]>::iter),
                |n| *n,
                work,
            );
        };
        let mut span: Option<(u32, u32)> = None;
        for chunk in events.chunks(STEP) {
            work.advance(0)?;
            for ordinal in chunk.iter().copied().filter(|ordinal| self.nanos(*ordinal) != MISSING) {
                let (first, last) = span.get_or_insert((ordinal, ordinal));
                if self.nanos(ordinal) < self.nanos(*first) {
                    *first = ordinal;
                }
                if self.nanos(ordinal) > self.nanos(*last) {
                    *last = ordinal;
                }
            }
        }
        let time = |ordinal: u32| self.rows.time(ordinal as usize);
        let span = span.and_then(|(first, last)| time(first).zip(time(last)));
        fill(bins, span, || events.chunks(STEP).map(<[u32]>::iter), |ordinal| self.nanos(*ordinal), work)
    }
}

/// Puts times into bins.
fn fill<'a, T: 'a, Chunks: Iterator<Item = std::slice::Iter<'a, T>>>(
    bins: usize,
    span: Option<(Timestamp, Timestamp)>,
    chunks: impl Fn() -> Chunks,
    nanos: impl Fn(&T) -> i64,
    work: &Work,
) -> Result<Histogram, Cancelled> {
    let (start, end) = span.map_or((0, 0), |(start, end)| (start.nanos(), end.nanos()));
    let width = end.abs_diff(start) as f64;
    let scale = bins as f64 / (width + 1.0);
    let mut histogram =
        Histogram { start: span.map(|span| span.0), end: span.map(|span| span.1), ..Default::default() };
    if span.is_some() {
        histogram.counts = vec![0; bins];
    }
    for chunk in chunks() {
        work.advance(0)?;
        for nanos in chunk.map(&nanos) {
            if nanos == MISSING {
                histogram.undated += 1;
                continue;
            }
            let bin = (nanos.abs_diff(start) as f64 * scale) as usize;
            if let Some(count) = histogram.counts.get_mut(bin.min(bins.saturating_sub(1))) {
                *count += 1;
            }
        }
    }
    Ok(histogram)
}
