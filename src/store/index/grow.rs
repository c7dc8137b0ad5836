//! An index in the making: takes scanned parts in global order, and can be looked at any time.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{EventKey, GlobalPosition, StreamName, StreamVersion, Timestamp},
    store::index::{
        CategoryInfo, Index, TypeInfo,
        chunk::{CHUNK, Chunk},
        ints::MISSING,
        keys::Positions,
        names::Table,
        order,
        postings::Segment,
        rows::{Part, Rows},
        streams::{Gain, Known},
    },
};

/// So many troubles are listed, and no more.
pub(super) const TROUBLES_KEPT: usize = 100;

/// What a lane calls a stream or a type that was not yet met in global order.
const UNKNOWN: u32 = u32::MAX;

/// An index that is being built or extended.
pub(super) struct Growing {
    /// Everything but the open rows and what they add.
    index: Index,
    /// The rows behind the last whole chunk.
    open: Rows,
    /// Whether there was nothing before.
    is_anew: bool,
    /// The order by name of the streams that there were before, and those that came since, by hash.
    before: Arc<Vec<u32>>,
    fresh: Table,
    types: BTreeMap<Arc<str>, u32>,
    categories: BTreeMap<Option<Arc<str>>, u32>,
    /// What the events behind the last postings add to their streams.
    gains: Vec<Gain>,
    /// For each stream its place in `gains`, or [`UNKNOWN`].
    places: Vec<u32>,
    posted: usize,
    last_key: Option<EventKey>,
    last_position: Option<GlobalPosition>,
    is_full: bool,
}

/// What a lane calls its streams and types, and what they are called here.
#[derive(Default)]
pub(super) struct Numbers {
    stream_names: Vec<(Arc<StreamName>, u64)>,
    type_names: Vec<Arc<str>>,
    streams: Vec<u32>,
    types: Vec<u32>,
}

impl Numbers {
    /// Takes the names that a part brings, in the order in which its lane met them.
    pub(super) fn take(&mut self, part: &mut Part) {
        self.stream_names.append(&mut part.new_streams);
        self.type_names.append(&mut part.new_types);
        self.streams.resize(self.stream_names.len(), UNKNOWN);
        self.types.resize(self.type_names.len(), UNKNOWN);
    }
}

impl Growing {
    /// Goes on where an index ends; it stays what it is.
    pub(super) fn on(index: &Index) -> Self {
        let mut index = index.clone();
        if index.is_empty() {
            (index.keys_rise, index.positions_rise) = (true, true);
        }
        let last = index.len().checked_sub(1).map(|last| last as u32);
        let last_key = last.and_then(|last| index.key(last));
        let last_position = last.and_then(|last| index.row(last)).and_then(|row| row.position);
        let posted = index.len();
        let open = match index.chunks.pop_if(|chunk| chunk.len() < CHUNK) {
            Some(chunk) => chunk.unpack(),
            None => Rows::default(),
        };
        let types = index.types.iter().zip(0..).map(|(info, number)| (Arc::clone(&info.name), number));
        let categories =
            index.numbered_categories.iter().zip(0..).map(|(info, number)| (info.name.clone(), number));
        Self {
            open,
            fresh: Table::default(),
            is_anew: index.is_empty(),
            before: Arc::clone(&index.by_name),
            types: types.collect(),
            categories: categories.collect(),
            gains: Vec::new(),
            places: vec![UNKNOWN; index.streams.len()],
            posted,
            last_key,
            last_position,
            is_full: false,
            index,
        }
    }

    /// How many events there are by now.
    pub(super) fn len(&self) -> usize {
        self.index.chunks.len() * CHUNK + self.open.len()
    }

    /// Puts a part behind what is there.
    pub(super) fn absorb(&mut self, part: Part, numbers: &mut Numbers) {
        let Part { mut rows, ends, is_in_order, .. } = part;
        // Ordinals are 32 bits wide; no file of a machine of today comes near that many events.
        if self.is_full || self.len() + rows.len() > u32::MAX as usize {
            if !self.is_full {
                self.is_full = true;
                self.trouble("there are more events than can be shown");
            }
            return;
        }
        let Numbers { stream_names, type_names, streams, types } = numbers;
        renumber(&mut rows.streams, streams, |stream| {
            stream_names.get(stream).map(|name| self.stream_of(name))
        });
        renumber(&mut rows.types, types, |number| type_names.get(number).map(|name| self.type_of(name)));
        self.check_order(&rows, ends, is_in_order);
        self.count(&rows);
        self.append(rows);
    }

    pub(super) fn trouble(&mut self, text: &str) {
        if self.index.troubles.len() < TROUBLES_KEPT {
            Arc::make_mut(&mut self.index.troubles).push(text.into());
        }
    }

    /// The number of a stream; one never seen gets the next.
    fn stream_of(&mut self, (name, hash): &(Arc<StreamName>, u64)) -> u32 {
        let index = &self.index;
        let is_same = |number| index.stream(number).is_some_and(|info| info.name == *name);
        let known = self.fresh.find(*hash, is_same);
        if let Some(known) = known.or_else(|| order::find(&self.before, &index.streams, name)) {
            return known;
        }
        let category = match self.categories.get(&name.category) {
            Some(category) => *category,
            None => {
                let category = self.categories.len() as u32;
                self.categories.insert(name.category.clone(), category);
                let info = CategoryInfo { name: name.category.clone(), streams: 0, events: 0 };
                Arc::make_mut(&mut self.index.numbered_categories).push(info);
                category
            }
        };
        let number = self.index.streams.len() as u32;
        self.index.streams.push(Known::new(Arc::clone(name), category));
        self.places.push(UNKNOWN);
        if let Some(category) = Arc::make_mut(&mut self.index.numbered_categories).get_mut(category as usize)
        {
            category.streams += 1;
        }
        self.fresh.add(*hash, number);
        number
    }

    fn type_of(&mut self, name: &Arc<str>) -> u32 {
        let known = &mut self.index.types;
        *self.types.entry(Arc::clone(name)).or_insert_with(|| {
            let types = Arc::make_mut(known);
            types.push(TypeInfo { name: Arc::clone(name), events: 0 });
            (types.len() - 1) as u32
        })
    }

    fn check_order(&mut self, rows: &Rows, ends: Option<(EventKey, EventKey)>, is_in_order: bool) {
        let Some((first, last)) = ends else { return };
        let follows = self.last_key.as_ref().is_none_or(|last| *last < first);
        if !(follows && is_in_order) {
            // Of each part the same is to be said: once is enough.
            if std::mem::replace(&mut self.index.keys_rise, false) {
                self.trouble("events do not come in the order of their keys; looking one up is slow");
            }
        }
        self.last_key = Some(last);
        let position = |row: usize| rows.positions.get(row, &rows.keys);
        let last_row = rows.len().saturating_sub(1);
        // Positions that are the keys' first parts rise with the keys.
        let is_of_keys = self.index.keys_rise && matches!(rows.positions, Positions::OfKeys);
        if self.index.positions_rise {
            let mut last = self.last_position.take();
            for row in if is_of_keys { 0..1 } else { 0..rows.len() } {
                let own = position(row);
                if own.is_none() || last > own {
                    self.index.positions_rise = false;
                    break;
                }
                last = own;
            }
        }
        self.last_position = position(last_row);
    }

    /// Counts what the rows add to streams and types.
    fn count(&mut self, rows: &Rows) {
        let types = Arc::make_mut(&mut self.index.types);
        for event_type in &rows.types {
            if let Some(info) = types.get_mut(*event_type as usize) {
                info.events += 1;
            }
        }
        let facts = rows.versions.iter().zip(&rows.times).zip(&rows.digits);
        for (stream, ((version, nanos), digits)) in rows.streams.iter().zip(facts) {
            let Some(place) = self.places.get_mut(*stream as usize) else { continue };
            if *place == UNKNOWN {
                *place = self.gains.len() as u32;
                self.gains.push(Gain::new(*stream));
            }
            if let Some(gain) = self.gains.get_mut(*place as usize) {
                let version = (*version != MISSING).then_some(StreamVersion(*version));
                gain.count(version, (*nanos != MISSING).then(|| Timestamp::from_nanos(*nanos, *digits)));
            }
        }
    }

    fn append(&mut self, mut rows: Rows) {
        while rows.len() > 0 {
            let rest = rows.split_off(CHUNK - self.open.len());
            self.open.append(rows);
            if self.open.len() == CHUNK {
                let full = std::mem::take(&mut self.open);
                self.index.chunks.push(Arc::new(Chunk::pack(&full)));
            }
            rows = rest;
        }
    }

    /// The index of all that came by now; `is_last` if nothing more comes.
    pub(super) fn look(&mut self, is_last: bool) -> Index {
        self.gains.sort_unstable_by_key(|gain| gain.stream);
        self.note_gains();
        let mut index = self.index.clone();
        index.len = self.len();
        if self.open.len() > 0 {
            index.chunks.push(Arc::new(Chunk::pack(&self.open)));
        }
        let counts: Vec<(u32, u32)> = self.gains.iter().map(|gain| (gain.stream, gain.events)).collect();
        let first = self.posted / CHUNK;
        let columns = index.chunks.iter().skip(first).map(|chunk| &chunk.streams);
        let places = (index.streams.len(), self.posted as u32, (first * CHUNK) as u32);
        let segment = Segment::of_rows(&counts, places, columns);
        let reordered = self.reordered(&mut index, &segment);
        for gain in self.gains.drain(..) {
            if let Some(place) = self.places.get_mut(gain.stream as usize) {
                *place = UNKNOWN;
            }
        }
        self.posted = index.len;
        index.postings.add(segment, reordered);
        match (is_last, self.is_anew) {
            (true, true) => index.postings.settle_whole(index.streams.len()),
            (true, false) => index.postings.settle(index.streams.len()),
            (false, _) => (),
        }
        if index.by_name.len() < index.streams.len() {
            index.by_name =
                Arc::new(order::with_new(&index.by_name, &index.streams, &index.numbered_categories));
        }
        index.sort_categories();
        self.index.streams.clone_from(&index.streams);
        self.index.postings.clone_from(&index.postings);
        self.index.by_name = Arc::clone(&index.by_name);
        index
    }

    /// Adds what was counted to the streams, and what follows from it.
    fn note_gains(&mut self) {
        let categories = Arc::make_mut(&mut self.index.numbered_categories);
        for gain in &self.gains {
            let Some(known) = self.index.streams.change(gain.stream as usize) else { continue };
            known.add(gain);
            if let Some(category) = categories.get_mut(known.category as usize) {
                category.events += u64::from(gain.events);
            }
            if let Some((first, last)) = gain.times() {
                self.index.time_span = Some(match self.index.time_span {
                    Some((least, most)) => (least.min(first), most.max(last)),
                    None => (first, last),
                });
            }
        }
    }

    /// All events of the streams that have new ones and whose versions fall, sorted by version.
    fn reordered(&self, index: &mut Index, new: &Segment) -> BTreeMap<u32, Vec<u32>> {
        let mut reordered = BTreeMap::new();
        for gain in &self.gains {
            let stream = gain.stream;
            if index.streams.known(stream as usize).is_none_or(|known| known.is_in_order) {
                continue;
            }
            let mut ordinals = index.stream_events(stream).to_vec();
            ordinals.extend_from_slice(new.of(stream).unwrap_or_default());
            ordinals.sort_unstable();
            let sorted = sorted_by_version(index, ordinals);
            let nanos = || sorted.iter().map(|ordinal| index.nanos(*ordinal));
            let rises = nanos().all(|nanos| nanos != MISSING) && nanos().is_sorted();
            if let Some(known) = index.streams.change(stream as usize) {
                known.is_in_time_order = rises;
            }
            reordered.insert(stream, sorted);
        }
        reordered
    }
}

/// Sorts the ordinals of one stream, which come in global order, by version.
fn sorted_by_version(index: &Index, ordinals: Vec<u32>) -> Vec<u32> {
    // An event without a version keeps its place behind the one recorded before it.
    let mut last = None;
    let keyed = ordinals.into_iter().map(|ordinal| {
        last = index.version(ordinal).or(last);
        (last, ordinal)
    });
    let mut keyed: Vec<(Option<i64>, u32)> = keyed.collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, ordinal)| ordinal).collect()
}

/// Puts the index's numbers in the place of a lane's. Going along the rows gives new numbers in the order of
/// the events, whichever lane came first.
fn renumber(column: &mut [u32], numbers: &mut [u32], mut find: impl FnMut(usize) -> Option<u32>) {
    for number in column {
        let Some(known) = numbers.get_mut(*number as usize) else { continue };
        if *known == UNKNOWN {
            *known = find(*number as usize).unwrap_or(UNKNOWN);
        }
        *number = *known;
    }
}
