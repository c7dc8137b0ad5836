//! Looking events up by time, and their density over it.

use crate::{
    model::Timestamp,
    store::index::{
        Index,
        chunk::{CHUNK, Chunk},
        ints::MISSING,
        partition,
        postings::Ordinals,
    },
    work::{Cancelled, Piece, Work},
};

/// After so many events a long loop looks whether it is still wanted.
const STEP: usize = 65_536;

/// Chunks that one lane counts before the next asks for more.
const CHUNKS_A_PIECE: usize = 16;

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
        // The first chunk from the end that begins early enough has such an event.
        let reaches = |chunk: &Chunk| chunk.sums.span.is_some_and(|(first, _)| first <= wanted);
        let number = self.chunks.iter().rposition(|chunk| reaches(chunk))?;
        let chunk = self.chunks.get(number)?;
        if chunk.sums.times_rise {
            let is_reached = |row: usize| chunk.times.get(row).is_some_and(|nanos| nanos <= wanted);
            return Some((number * CHUNK + partition(chunk.len(), is_reached).checked_sub(1)?) as u32);
        }
        let (mut row, mut found) = (0, None);
        chunk.times.each(|nanos| {
            if nanos != MISSING && nanos <= wanted {
                found = Some(row);
            }
            row += 1;
        });
        Some((number * CHUNK + found?) as u32)
    }

    /// The place in [`Index::stream_events`] of the stream's last event whose time is not after
    /// `time`.
    #[must_use]
    pub fn stream_at_time(&self, stream: u32, time: Timestamp) -> Option<usize> {
        let events = self.stream_events(stream);
        let is_reached = |ordinal: u32| (MISSING + 1..=time.nanos()).contains(&self.nanos(ordinal));
        if self.streams.known(stream as usize).is_some_and(|known| known.is_in_time_order) {
            return events.partition_point(|ordinal| is_reached(*ordinal)).checked_sub(1);
        }
        events.iter().rposition(|ordinal| is_reached(*ordinal))
    }

    /// How many of a stream's first `count` events are later than `time`, and the place of the first of these in
    /// [`Index::stream_events`]: events of a clock that went back, or of several clocks.
    #[must_use]
    pub fn stream_later(&self, stream: u32, count: usize, time: Timestamp) -> Option<(usize, usize)> {
        if self.streams.known(stream as usize).is_some_and(|known| known.is_in_time_order) {
            return None;
        }
        let events = self.stream_events(stream);
        let is_later = |ordinal: u32| {
            let nanos = self.nanos(ordinal);
            nanos != MISSING && nanos > time.nanos()
        };
        let mut first = None;
        let mut later = 0;
        for (place, ordinal) in events.iter().take(count).enumerate() {
            if is_later(*ordinal) {
                later += 1;
                first = first.or(Some(place));
            }
        }
        first.map(|first| (later, first))
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
        events: Option<&Ordinals<'_>>,
        bins: usize,
        work: &Work,
    ) -> Result<Histogram, Cancelled> {
        let Some(events) = events else { return self.histogram_of_all(bins, work) };
        let mut nanos = Vec::with_capacity(events.len());
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for (place, ordinal) in events.iter().enumerate() {
            if place.is_multiple_of(STEP) {
                work.advance(0)?;
            }
            let time = self.at(*ordinal).and_then(|(chunk, row)| chunk.time(row));
            nanos.push(time.map_or(MISSING, Timestamp::nanos));
            if let Some(time) = time {
                let (first, last) = span.get_or_insert((time, time));
                *first = if time.nanos() < first.nanos() { time } else { *first };
                *last = if time.nanos() > last.nanos() { time } else { *last };
            }
        }
        let mut counting = Counting::new(span, bins);
        for nanos in nanos {
            counting.count(nanos);
        }
        Ok(counting.histogram(span))
    }

    fn histogram_of_all(&self, bins: usize, work: &Work) -> Result<Histogram, Cancelled> {
        let empty = Counting::new(self.time_span, bins);
        let mut parts = vec![empty.clone(); self.chunks.len().div_ceil(CHUNKS_A_PIECE)];
        let pieces = parts.iter_mut().zip(self.chunks.chunks(CHUNKS_A_PIECE)).map(|(part, chunks)| {
            let piece: Piece<'_> = Box::new(move || {
                for chunk in chunks {
                    if work.advance(0).is_err() {
                        return;
                    }
                    part.count_chunk(chunk);
                }
            });
            piece
        });
        work.run(pieces.collect());
        work.advance(0)?;
        Ok(parts.iter().fold(empty, Counting::with).histogram(self.time_span))
    }
}

/// A histogram in the making.
#[derive(Debug, Clone)]
struct Counting {
    start: i64,
    scale: f64,
    counts: Vec<u32>,
    undated: u64,
}

impl Counting {
    fn new(span: Option<(Timestamp, Timestamp)>, bins: usize) -> Self {
        let (start, end) = span.map_or((0, 0), |(start, end)| (start.nanos(), end.nanos()));
        let scale = bins as f64 / (end.abs_diff(start) as f64 + 1.0);
        Self { start, scale, counts: vec![0; if span.is_some() { bins } else { 0 }], undated: 0 }
    }

    fn bin(&self, nanos: i64) -> usize {
        let bin = (nanos.abs_diff(self.start) as f64 * self.scale) as usize;
        bin.min(self.counts.len().saturating_sub(1))
    }

    fn count(&mut self, nanos: i64) {
        if nanos == MISSING {
            self.undated += 1;
            return;
        }
        let bin = self.bin(nanos);
        if let Some(count) = self.counts.get_mut(bin) {
            *count += 1;
        }
    }

    fn count_chunk(&mut self, chunk: &Chunk) {
        if !chunk.sums.times_rise {
            return chunk.times.each(|nanos| self.count(nanos));
        }
        // Where times rise, each bin is found where it ends.
        let bin_of = |row: usize| self.bin(chunk.times.get(row).unwrap_or(MISSING));
        let (mut row, mut ends) = (0, Vec::new());
        while row < chunk.len() {
            let bin = bin_of(row);
            let end = row + partition(chunk.len() - row, |behind| bin_of(row + behind) <= bin);
            ends.push((bin, (end - row) as u32));
            row = end.max(row + 1);
        }
        for (bin, events) in ends {
            if let Some(count) = self.counts.get_mut(bin) {
                *count += events;
            }
        }
    }

    fn with(mut self, other: &Self) -> Self {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.undated += other.undated;
        self
    }

    fn histogram(self, span: Option<(Timestamp, Timestamp)>) -> Histogram {
        let (start, end) = (span.map(|span| span.0), span.map(|span| span.1));
        Histogram { start, end, counts: self.counts, undated: self.undated }
    }
}
