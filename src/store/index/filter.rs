//! Choosing events by a query, on the columns alone.

use crate::{
    model::EventQuery,
    store::index::{
        Index,
        chunk::{CHUNK, Chunk},
        ints::{Ints, MISSING},
        selection::{Chosen, Selection},
    },
    work::{Cancelled, Piece, Work},
};

/// Chunks that one lane looks through before the next asks for more.
const CHUNKS_A_PIECE: usize = 16;

/// A query, put in numbers.
struct Wanted {
    /// For each stream whether it is wanted; `None` if all are.
    streams: Option<Vec<bool>>,
    /// For each type whether it is wanted; `None` if all are.
    types: Option<Vec<bool>>,
    /// Nanoseconds, first and last; `None` if any time and none will do.
    times: Option<(i64, i64)>,
    /// The first ordinal that is wanted.
    start: usize,
}

impl Index {
    /// The events that answer a query; `None` if every event does. Looks through the columns on the lanes of
    /// `work`, and passes over chunks whose sums say that none of their events or all of them answer.
    pub fn filter(&self, query: &EventQuery, work: &Work) -> Result<Option<Selection>, Cancelled> {
        if *query == EventQuery::default() {
            return Ok(None);
        }
        let wanted = self.wanted(query);
        if let Some(stream) = &query.stream {
            let Some(stream) = self.stream_number(stream) else { return Ok(Some(Selection::default())) };
            let events = self.stream_events(stream);
            let answers = |ordinal: &u32| self.answers(&wanted, query, *ordinal);
            let mut found: Vec<u32> = events.iter().copied().filter(answers).collect();
            found.sort_unstable();
            return Ok(Some(Selection::of_ordinals(&found, self.len)));
        }
        let mut chosen = vec![Chosen::First(0); self.chunks.len()];
        let wanted = &wanted;
        let pieces = chosen.chunks_mut(CHUNKS_A_PIECE).enumerate().map(|(piece, chosen)| -> Piece<'_> {
            Box::new(move || {
                let first = piece * CHUNKS_A_PIECE;
                for (number, (chosen, chunk)) in
                    chosen.iter_mut().zip(self.chunks.iter().skip(first)).enumerate()
                {
                    if work.advance(0).is_err() {
                        return;
                    }
                    *chosen = self.choose(chunk, (first + number) * CHUNK, wanted, query);
                }
            })
        });
        work.run(pieces.collect());
        work.advance(0)?;
        Ok(Some(Selection::of_chunks(chosen)))
    }

    fn wanted(&self, query: &EventQuery) -> Wanted {
        let streams = query.category.as_ref().map(|category| {
            let number = self.numbered_categories.iter().position(|info| info.name == *category);
            let number = number.and_then(|number| u32::try_from(number).ok());
            self.streams.all_known().map(|known| Some(known.category) == number).collect()
        });
        let types = (!query.types.is_empty())
            .then(|| self.types.iter().map(|info| query.types.contains(&info.name)).collect());
        let times = (query.from.is_some() || query.to.is_some()).then(|| {
            let from = query.from.map_or(MISSING + 1, |from| from.nanos().max(MISSING + 1));
            (from, query.to.map_or(i64::MAX, |to| to.nanos()))
        });
        let start = query
            .after
            .as_ref()
            .filter(|_| self.positions_rise)
            .map_or(0, |after| self.ordinal_at_position(after).map_or(0, |ordinal| ordinal as usize + 1));
        Wanted { streams, types, times, start }
    }

    fn choose(&self, chunk: &Chunk, start: usize, wanted: &Wanted, query: &EventQuery) -> Chosen {
        let len = chunk.len();
        let mut bits = vec![u64::MAX; len.div_ceil(64)];
        if let Some(last) = bits.last_mut().filter(|_| !len.is_multiple_of(64)) {
            *last = (1 << (len % 64)) - 1;
        }
        if let Some(types) = &wanted.types {
            let is_wanted = |event_type: u32| types.get(event_type as usize).copied().unwrap_or_default();
            let counted = chunk.sums.types.as_deref().map(|sums| {
                let wanted = sums.iter().filter(|(event_type, _)| is_wanted(*event_type));
                wanted.map(|(_, count)| *count as usize).sum::<usize>()
            });
            match counted {
                Some(0) => return Chosen::First(0),
                Some(all) if all == len => (),
                _ => keep(&mut bits, &chunk.types, |number| is_wanted(number as u32)),
            }
        }
        if let Some((from, to)) = wanted.times {
            match chunk.sums.span {
                Some((first, last)) if first <= to && from <= last => {
                    let has_all = from <= first && last <= to && chunk.sums.times_rise;
                    if !has_all {
                        keep(&mut bits, &chunk.times, |nanos| from <= nanos && nanos <= to);
                    }
                }
                _ => return Chosen::First(0),
            }
        }
        if let Some(streams) = &wanted.streams {
            keep(&mut bits, &chunk.streams, |stream| {
                streams.get(stream as usize).copied().unwrap_or_default()
            });
        }
        if wanted.start > start {
            let skipped = wanted.start - start;
            let is_behind = |row: usize| row >= skipped;
            clear(&mut bits, is_behind);
        }
        if let Some(after) = query.after.as_ref().filter(|_| !self.positions_rise) {
            let has = |row: usize| chunk.positions.get(row, &chunk.keys).is_some_and(|own| own > *after);
            clear(&mut bits, has);
        }
        Chosen::of_bits(bits, len)
    }

    /// Whether one event answers.
    fn answers(&self, wanted: &Wanted, query: &EventQuery, ordinal: u32) -> bool {
        let Some((chunk, row)) = self.at(ordinal) else { return false };
        let allows = |allowed: &Option<Vec<bool>>, column: &Ints| {
            let own = |allowed: &Vec<bool>| allowed.get(column.get(row)? as usize).copied();
            allowed.as_ref().is_none_or(|allowed| own(allowed).unwrap_or_default())
        };
        let is_behind = match &query.after {
            Some(after) if !self.positions_rise => {
                chunk.positions.get(row, &chunk.keys).is_some_and(|own| own > *after)
            }
            Some(_) | None => ordinal as usize >= wanted.start,
        };
        is_behind
            && allows(&wanted.types, &chunk.types)
            && allows(&wanted.streams, &chunk.streams)
            && wanted.times.is_none_or(|(from, to)| (from..=to).contains(&self.nanos(ordinal)))
    }
}

/// Leaves the bits set whose numbers are wanted.
fn keep(bits: &mut [u64], column: &Ints, is_wanted: impl Fn(i64) -> bool) {
    let mut words = bits.iter_mut();
    let (mut word, mut filled) = (0_u64, 0_u32);
    column.each(|number| {
        word |= u64::from(is_wanted(number)) << filled;
        filled += 1;
        if filled == 64 {
            if let Some(own) = words.next() {
                *own &= word;
            }
            (word, filled) = (0, 0);
        }
    });
    if let Some(own) = words.next() {
        *own &= word;
    }
}

/// Leaves the bits set whose rows are wanted.
fn clear(bits: &mut [u64], is_wanted: impl Fn(usize) -> bool) {
    for (number, word) in bits.iter_mut().enumerate() {
        for bit in 0..64 {
            if *word >> bit & 1 == 1 && !is_wanted(number * 64 + bit) {
                *word &= !(1 << bit);
            }
        }
    }
}
