//! Builds an index from a store, and extends one by what is new.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    model::{GlobalPosition, StreamName},
    store::{
        EventStore, KeyRange, StoreResult,
        index::{
            CategoryInfo, Index, TypeInfo,
            column::MISSING,
            names::{Seed, Table},
            rows,
            rows::{Lane, Scanned},
            time::BLOCK,
        },
    },
    work::{Cancelled, Piece, Work},
};

/// More troubles than this are counted, not listed.
const TROUBLES_KEPT: usize = 100;

impl Index {
    /// Scans a whole store, its ranges side by side on the lanes of `work`.
    ///
    /// Fails when the store fails or the work is withdrawn; trouble in rows ends up in
    /// [`Index::troubles`].
    pub fn build(store: &dyn EventStore, work: &Work) -> StoreResult<Self> {
        Self::default().grown(store, work, parts_for(work))
    }

    /// This index with the events that came after its last one. Numbers of streams and types, and
    /// the ordinals, stay what they were; names are shared.
    pub fn extended(&self, store: &dyn EventStore, work: &Work) -> StoreResult<Self> {
        self.grown(store, work, if self.is_empty() { parts_for(work) } else { 1 })
    }

    fn grown(&self, store: &dyn EventStore, work: &Work, parts: usize) -> StoreResult<Self> {
        let last = self.len().checked_sub(1).and_then(|last| self.rows.keys.get(last));
        let ranges = store.ranges(work, last.as_ref(), parts)?;
        let mut index = self.clone();
        index.keys_rise = self.keys_rise || self.is_empty();
        index.positions_rise = self.positions_rise || self.is_empty();
        let old_len = self.len();
        let (scans, lanes) = scan_all(store, work, &ranges);
        let mut numbers: Vec<Numbers> = lanes.iter().map(Numbers::new).collect();
        let mut fresh = Table::default();
        for scanned in scans {
            let scanned = scanned.unwrap_or(Err(Cancelled.into()))?;
            let of = scanned.lane;
            if let (Some(lane), Some(numbers)) = (lanes.get(of), numbers.get_mut(of)) {
                index.absorb(scanned, lane, numbers, &mut fresh);
            }
            work.advance(0)?;
        }
        for (lane, numbers) in lanes.iter().zip(&numbers) {
            index.add_counts(lane, numbers);
        }
        index.rows.shrink();
        index.derive(old_len);
        work.advance(0)?;
        index.sort_postings();
        Ok(index)
    }

    /// Puts what one range held behind what is there, and renumbers its streams and types.
    fn absorb(&mut self, mut scanned: Scanned, lane: &Lane, numbers: &mut Numbers, fresh: &mut Table) {
        // Ordinals are 32 bits wide; no file of a machine of today comes near that many events.
        if self.len() + scanned.rows.len() > u32::MAX as usize {
            self.troubles.push("there are more events than can be shown".into());
            return;
        }
        renumber(&mut scanned.rows.streams, &mut numbers.streams, |stream| {
            self.number_of(lane, stream, fresh)
        });
        let known = self.types.iter().zip(0..);
        let mut types: TypeNumbers = known.map(|(info, number)| (Arc::clone(&info.name), number)).collect();
        renumber(&mut scanned.rows.types, &mut numbers.types, |event_type| {
            self.type_number_of(lane, event_type, &mut types)
        });
        let last = self.len().checked_sub(1).and_then(|row| self.rows.keys.get(row));
        let follows = match (&last, &scanned.ends) {
            (Some(last), Some((first, _))) => last < first,
            (None, _) | (_, None) => true,
        };
        if !(follows && scanned.is_in_order) {
            self.keys_rise = false;
            self.troubles
                .push("events do not come in the order of their keys; looking one up is slow".into());
        }
        self.rows.append(scanned.rows);
        let room = TROUBLES_KEPT.saturating_sub(self.troubles.len());
        self.troubles.extend(scanned.troubles.into_iter().take(room));
    }

    /// The number of a lane's stream; one never seen gets the next. `fresh` knows the streams that
    /// came since the sorted list of all names was made.
    fn number_of(&mut self, lane: &Lane, stream: u32, fresh: &mut Table) -> Option<u32> {
        let name = lane.names.streams.get(stream as usize)?;
        let hash = *lane.names.known_streams.hashes().get(stream as usize)?;
        let sorted = self.streams_by_name.len() as u32;
        let is_same = |number| self.stream(sorted + number).is_some_and(|info| info.name == *name);
        let known = fresh.find(hash, is_same).map(|number| sorted + number);
        known.or_else(|| self.stream_number(name)).or_else(|| {
            Arc::make_mut(&mut self.streams).push(rows::unseen(Arc::clone(name)));
            Some(sorted + fresh.add(hash))
        })
    }

    fn type_number_of(&mut self, lane: &Lane, event_type: u32, types: &mut TypeNumbers) -> Option<u32> {
        let name = lane.names.types.get(event_type as usize)?;
        Some(*types.entry(Arc::clone(name)).or_insert_with(|| {
            self.types.push(TypeInfo { name: Arc::clone(name), events: 0 });
            (self.types.len() - 1) as u32
        }))
    }

    /// Adds what a lane counted.
    fn add_counts(&mut self, lane: &Lane, numbers: &Numbers) {
        let streams = Arc::make_mut(&mut self.streams);
        for (found, number) in lane.streams.iter().zip(&numbers.streams) {
            if let Some(info) = streams.get_mut(*number as usize) {
                rows::add(info, found);
            }
        }
        for (events, number) in lane.types.iter().zip(&numbers.types) {
            if let Some(info) = self.types.get_mut(*number as usize) {
                info.events += events;
            }
        }
    }

    /// Brings all that follows from the columns up to date, for the rows from `start` on.
    fn derive(&mut self, start: usize) {
        self.derive_times(start);
        self.check_positions(start);
        if self.streams_by_name.len() < self.streams.len() {
            let mut order: Vec<u32> = (0..self.streams.len() as u32).collect();
            let name = |number: &u32| self.streams.get(*number as usize).map(|info| &*info.name);
            order.sort_by(|left, right| name(left).cmp(&name(right)));
            self.streams_by_name = Arc::new(order);
        }
        let mut categories: BTreeMap<Option<&Arc<str>>, (u64, u64)> = BTreeMap::new();
        for info in self.streams.iter() {
            let category = categories.entry(info.name.category.as_ref()).or_default();
            *category = (category.0 + 1, category.1 + info.events);
        }
        self.categories = categories
            .into_iter()
            .map(|(name, (streams, events))| CategoryInfo { name: name.cloned(), streams, events })
            .collect();
    }

    fn derive_times(&mut self, start: usize) {
        self.block_starts.truncate(start / BLOCK);
        for block in self.rows.times.chunks(BLOCK).skip(start / BLOCK) {
            let dated = block.iter().copied().filter(|nanos| *nanos != MISSING);
            self.block_starts.push(dated.min().unwrap_or(i64::MAX));
        }
        for time in (start..self.rows.len()).filter_map(|row| self.rows.time(row)) {
            self.time_span = Some(match self.time_span {
                Some((first, last)) => (first.min(time), last.max(time)),
                None => (time, time),
            });
        }
    }

    fn check_positions(&mut self, start: usize) {
        // Positions that are the keys' first parts rise with the keys.
        if !self.positions_rise || (self.keys_rise && self.rows.positions.are_of_keys()) {
            return;
        }
        let position = |row: usize| self.rows.positions.get(row, &self.rows.keys);
        let mut last: Option<GlobalPosition> = start.checked_sub(1).and_then(position);
        for row in start..self.rows.len() {
            let own = position(row);
            if own.is_none() || last > own {
                self.positions_rise = false;
                return;
            }
            last = own;
        }
    }

    /// Sorts all ordinals by stream, and by version within a stream.
    fn sort_postings(&mut self) {
        let mut next: Vec<u32> = Vec::with_capacity(self.streams.len());
        let mut end = 0_u32;
        self.posting_ends.clear();
        for info in self.streams.iter() {
            next.push(end);
            end += info.events as u32;
            self.posting_ends.push(end);
        }
        let mut postings = vec![0_u32; self.rows.len()];
        for (ordinal, stream) in self.rows.streams.iter().enumerate() {
            if let Some(place) = next.get_mut(*stream as usize) {
                if let Some(posting) = postings.get_mut(*place as usize) {
                    *posting = ordinal as u32;
                }
                *place += 1;
            }
        }
        self.streams_in_time_order.clear();
        let mut rest = postings.as_mut_slice();
        for info in self.streams.iter() {
            let Some((own, others)) = rest.split_at_mut_checked(info.events as usize) else { break };
            rest = others;
            self.sort_by_version(own);
            let is_dated = own.iter().all(|ordinal| self.nanos(*ordinal) != MISSING);
            self.streams_in_time_order.push(is_dated && own.is_sorted_by_key(|ordinal| self.nanos(*ordinal)));
        }
        self.posting_ends.shrink_to_fit();
        self.streams_in_time_order.shrink_to_fit();
        self.postings = postings;
    }

    /// Sorts the ordinals of one stream, which come in global order.
    fn sort_by_version(&self, ordinals: &mut [u32]) {
        let version = |ordinal: u32| self.rows.versions.get(ordinal as usize);
        let all = ordinals.iter().map(|ordinal| version(*ordinal));
        if all.flatten().is_sorted() {
            return;
        }
        // An event without a version keeps its place behind the one recorded before it.
        let mut last = None;
        let mut keyed: Vec<(Option<i64>, u32)> = ordinals
            .iter()
            .map(|ordinal| {
                last = version(*ordinal).or(last);
                (last, *ordinal)
            })
            .collect();
        keyed.sort_unstable();
        for (place, (_, ordinal)) in ordinals.iter_mut().zip(keyed) {
            *place = ordinal;
        }
    }

    pub(super) fn nanos(&self, ordinal: u32) -> i64 {
        self.rows.times.get(ordinal as usize).copied().unwrap_or(MISSING)
    }
}

/// Several ranges a lane, so that none waits long for another at the end; one without lanes.
fn parts_for(work: &Work) -> usize {
    match work.width() {
        1 => 1,
        width => width * 6,
    }
}

/// Scans all ranges, side by side where there are lanes; `None` for one that never ran.
fn scan_all(
    store: &dyn EventStore,
    work: &Work,
    ranges: &[KeyRange],
) -> (Vec<Option<StoreResult<Scanned>>>, Vec<Lane>) {
    let seed = Seed::random();
    let mut slots: Vec<Option<StoreResult<Scanned>>> = Vec::new();
    slots.resize_with(ranges.len(), || None);
    // Lanes that no piece uses at the moment, and how many were made.
    let idle: Mutex<(Vec<Lane>, usize)> = Mutex::default();
    let locked = || idle.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let (lanes, made) = &mut *locked();
        lanes.pop().unwrap_or_else(|| {
            *made += 1;
            Lane::new(*made - 1, seed)
        })
    };
    let pieces = slots
        .iter_mut()
        .zip(ranges)
        .map(|(slot, range)| -> Piece<'_> {
            let (take, locked) = (&take, &locked);
            Box::new(move || {
                let mut lane = take();
                *slot = Some(rows::scan(store, work, range, &mut lane));
                locked().0.push(lane);
            })
        })
        .collect();
    work.run(pieces);
    let mut lanes = idle.into_inner().unwrap_or_else(PoisonError::into_inner).0;
    lanes.sort_by_key(Lane::number);
    (slots, lanes)
}

/// Types by name.
type TypeNumbers = BTreeMap<Arc<str>, u32>;

/// The index's numbers of a lane's streams and types; [`UNKNOWN`] until one is met.
struct Numbers {
    streams: Vec<u32>,
    types: Vec<u32>,
}

const UNKNOWN: u32 = u32::MAX;

impl Numbers {
    fn new(lane: &Lane) -> Self {
        Self {
            streams: vec![UNKNOWN; lane.names.streams.len()],
            types: vec![UNKNOWN; lane.names.types.len()],
        }
    }
}

/// Puts the index's numbers in the place of a lane's. Going along the rows gives new numbers in
/// the order of the events, whichever lane came first.
fn renumber(column: &mut [u32], numbers: &mut [u32], mut find: impl FnMut(u32) -> Option<u32>) {
    for number in column {
        let Some(known) = numbers.get_mut(*number as usize) else { continue };
        if *known == UNKNOWN {
            *known = find(*number).unwrap_or(UNKNOWN);
        }
        *number = *known;
    }
}

/// What the texts of a name take, with the counts in front of shared texts.
pub(super) fn name_bytes(name: &StreamName) -> usize {
    let counts = 2 * size_of::<usize>();
    let stored = match &name.stored {
        Some(stored) if !Arc::ptr_eq(stored, &name.id) => stored.len() + counts,
        Some(_) | None => 0,
    };
    size_of::<StreamName>() + counts + name.id.len() + counts + stored
}
