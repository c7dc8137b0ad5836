//! The table of streams: shared between an index and those that grow out of it.

use std::sync::Arc;

use crate::{
    model::{StreamInfo, StreamName, StreamVersion, Timestamp},
    store::index::ints::MISSING,
};

/// Streams that are copied together when one of them has new events.
const SHELF: usize = 512;

/// All streams, in the order in which they first occur.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    shelves: Vec<Arc<Vec<Known>>>,
    len: usize,
    /// What the texts of all names take, in bytes.
    texts: usize,
}

/// A stream, and what the index knows of it for itself.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) info: StreamInfo,
    /// The number of its category.
    pub(crate) category: u32,
    /// Whether its versions never fall in global order, so that this is its order.
    pub(crate) is_in_order: bool,
    /// Whether its times never fall along its order, and none is missing, so that they may be halved.
    pub(crate) is_in_time_order: bool,
}

/// What some events, in global order, add to their stream. Counting goes to another one with nearly every event,
/// so that each is kept to a line of the processor's cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gain {
    pub(crate) stream: u32,
    pub(crate) events: u32,
    /// The least and the greatest; the first and the last as well, while they rise.
    versions: Option<(StreamVersion, StreamVersion)>,
    /// The earliest and the latest in nanoseconds, [`MISSING`] without any, and the digits of both; the first and
    /// the last as well, while they rise.
    times: (i64, i64),
    digits: (u8, u8),
    versions_rise: bool,
    /// And none is missing.
    times_rise: bool,
}

const _: () = assert!(size_of::<Gain>() <= 64, "a line of the processor's cache");

impl Streams {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One of them, by its number.
    #[must_use]
    pub fn get(&self, stream: usize) -> Option<&StreamInfo> {
        self.known(stream).map(|known| &known.info)
    }

    /// All of them; a stream's number is its place.
    pub fn iter(&self) -> StreamIter<'_> {
        StreamIter { streams: self, next: 0 }
    }

    pub(crate) fn known(&self, stream: usize) -> Option<&Known> {
        self.shelves.get(stream / SHELF)?.get(stream % SHELF)
    }

    pub(crate) fn all_known(&self) -> impl Iterator<Item = &Known> {
        self.shelves.iter().flat_map(|shelf| shelf.iter())
    }

    /// To change one; what older indexes know of it stays.
    pub(crate) fn change(&mut self, stream: usize) -> Option<&mut Known> {
        Arc::make_mut(self.shelves.get_mut(stream / SHELF)?).get_mut(stream % SHELF)
    }

    pub(crate) fn push(&mut self, known: Known) {
        self.texts += name_bytes(&known.info.name);
        match self.shelves.last_mut() {
            Some(shelf) if shelf.len() < SHELF => Arc::make_mut(shelf).push(known),
            _ => self.shelves.push(Arc::new(vec![known])),
        }
        self.len += 1;
    }

    pub(crate) fn bytes(&self) -> usize {
        let shelves: usize = self.shelves.iter().map(|shelf| shelf.capacity() * size_of::<Known>()).sum();
        shelves + self.texts
    }
}

/// Goes along all streams.
#[derive(Debug, Clone)]
pub struct StreamIter<'a> {
    streams: &'a Streams,
    next: usize,
}

impl<'a> Iterator for StreamIter<'a> {
    type Item = &'a StreamInfo;

    fn next(&mut self) -> Option<Self::Item> {
        let info = self.streams.get(self.next)?;
        self.next += 1;
        Some(info)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.streams.len.saturating_sub(self.next);
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for StreamIter<'_> {}

impl<'a> IntoIterator for &'a Streams {
    type Item = &'a StreamInfo;
    type IntoIter = StreamIter<'a>;

    fn into_iter(self) -> StreamIter<'a> {
        self.iter()
    }
}

impl Known {
    /// A stream of which no event is counted yet.
    pub(crate) fn new(name: Arc<StreamName>, category: u32) -> Self {
        let info = StreamInfo {
            name,
            events: 0,
            first_version: None,
            last_version: None,
            first_time: None,
            last_time: None,
        };
        Self { info, category, is_in_order: true, is_in_time_order: true }
    }

    /// Adds what further events said.
    pub(crate) fn add(&mut self, gain: &Gain) {
        let info = &mut self.info;
        let times = gain.times();
        let follows = info.last_version.zip(gain.versions).is_none_or(|(last, (first, _))| last <= first);
        self.is_in_order &= gain.versions_rise && follows;
        let follows = info.events == 0
            || info.last_time.zip(times).is_some_and(|(last, (first, _))| last.nanos() <= first.nanos());
        self.is_in_time_order &= self.is_in_order && gain.times_rise && follows;
        info.events += u64::from(gain.events);
        if let Some((first, last)) = gain.versions {
            info.first_version = Some(info.first_version.map_or(first, |own| own.min(first)));
            info.last_version = Some(info.last_version.map_or(last, |own| own.max(last)));
        }
        if let Some((first, last)) = times {
            info.first_time = Some(info.first_time.map_or(first, |own| own.min(first)));
            info.last_time = Some(info.last_time.map_or(last, |own| own.max(last)));
        }
    }
}

impl Gain {
    pub(crate) fn new(stream: u32) -> Self {
        Self {
            stream,
            events: 0,
            versions: None,
            times: (MISSING, MISSING),
            digits: (0, 0),
            versions_rise: true,
            times_rise: true,
        }
    }

    /// What all events of a stream say whose versions and times rise along its order.
    pub(crate) fn rising(
        (stream, events): (u32, u32),
        versions: Option<(StreamVersion, StreamVersion)>,
        (first, last): (Timestamp, Timestamp),
    ) -> Self {
        let (times, digits) = ((first.nanos(), last.nanos()), (first.digits(), last.digits()));
        Self { events, versions, times, digits, ..Self::new(stream) }
    }

    /// The earliest time and the latest.
    pub(crate) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.times.0, self.times.1);
        let time = Timestamp::from_nanos;
        (first != MISSING).then(|| (time(first, self.digits.0), time(last, self.digits.1)))
    }

    /// Counts the next event.
    #[inline]
    pub(crate) fn count(&mut self, version: Option<StreamVersion>, time: Option<Timestamp>) {
        if let Some(version) = version {
            let (least, most) = self.versions.unwrap_or((version, version));
            self.versions_rise &= most <= version;
            self.versions = Some((least.min(version), most.max(version)));
        }
        match time {
            None => self.times_rise = false,
            Some(time) => self.count_time((time.nanos(), time.digits())),
        }
        self.events += 1;
    }

    #[inline]
    fn count_time(&mut self, time: (i64, u8)) {
        if self.times.0 == MISSING {
            (self.times, self.digits) = ((time.0, time.0), (time.1, time.1));
        }
        self.times_rise &= self.times.1 <= time.0;
        if time < (self.times.0, self.digits.0) {
            (self.times.0, self.digits.0) = time;
        }
        if time > (self.times.1, self.digits.1) {
            (self.times.1, self.digits.1) = time;
        }
    }
}

/// What the texts of a name take, with the counts in front of shared texts.
fn name_bytes(name: &StreamName) -> usize {
    let counts = 2 * size_of::<usize>();
    let stored = match &name.stored {
        Some(stored) if !Arc::ptr_eq(stored, &name.id) => stored.len() + counts,
        Some(_) | None => 0,
    };
    size_of::<StreamName>() + counts + name.id.len() + counts + stored
}
