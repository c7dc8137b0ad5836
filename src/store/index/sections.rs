//! An index as plain bytes, section by section, and back: what is kept in a file between two openings.
//!
//! Loading copies columns and computes nothing an event. Lengths and ranges are checked, so that whatever the
//! bytes are, no answer of the index fails; that they are the bytes that were written is for who keeps them
//! to prove.

use std::sync::Arc;

use crate::{
    model::{GlobalPosition, StreamInfo, StreamName, StreamVersion, Timestamp},
    store::index::{
        CategoryInfo, Index, TypeInfo,
        bytes::{Reader, What, Writer},
        chunk::{CHUNK, Chunk, ChunkKeys, ChunkPositions, Digits, Sums},
        ints::{Ints, MISSING, Packed},
        postings::{Postings, Segment},
        streams::{Known, Streams},
    },
    work::{Piece, Work},
};

/// Raised whenever the same index would be written otherwise.
const FORM: u64 = 1;

/// A part of an index, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is called; every section of an index has another name.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Why sections make no index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("section {section}: {what}")]
pub struct Unfit {
    /// The section.
    pub section: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// What the head says of the other sections.
struct Head {
    index: Index,
    chunks: usize,
    segments: usize,
    streams: usize,
}

impl Index {
    /// The index section by section, each made when it is its turn: a section a chunk, about a megabyte, and a few
    /// more. A chunk's section stays the same as long as its chunk is full.
    pub fn to_sections(&self) -> impl Iterator<Item = Section> {
        let section = |name: String, writer: Writer| Section { name, bytes: writer.0 };
        let first = [("head", self.head()), ("streams", self.stream_table())];
        let chunks = self.chunks.iter().enumerate();
        let segments = self.postings.segments().iter().enumerate();
        first
            .into_iter()
            .map(move |(name, writer)| section(name.to_owned(), writer))
            .chain(chunks.map(move |(number, chunk)| section(format!("chunk {number}"), write_chunk(chunk))))
            .chain(
                segments.map(move |(number, segment)| {
                    section(format!("postings {number}"), write_segment(segment))
                }),
            )
    }

    /// An index of the sections of one, in any order. Chunks are read side by side on the lanes of `work`.
    pub fn from_sections(sections: &[(&str, &[u8])], work: &Work) -> Result<Self, Unfit> {
        let find = |name: &str| {
            let found = sections.iter().find(|(own, _)| *own == name);
            found.map(|(_, bytes)| Reader(bytes)).ok_or_else(|| unfit(name, "it is missing"))
        };
        let head = read_head(find("head")?).map_err(|what| unfit("head", what))?;
        let Head { mut index, chunks, segments, streams } = head;
        if sections.len() != 2 + chunks + segments {
            return Err(unfit("head", "there are more or fewer sections than it says"));
        }
        let table = read_streams(find("streams")?, &index, streams).map_err(|what| unfit("streams", what))?;
        (index.streams, index.by_name) = (table.0, Arc::new(table.1));
        let mut loaded: Vec<Result<Option<Chunk>, Unfit>> = (0..chunks).map(|_| Ok(None)).collect();
        let (find, own) = (&find, &index);
        let pieces = loaded.iter_mut().enumerate().map(|(number, loaded)| -> Piece<'_> {
            Box::new(move || {
                let name = format!("chunk {number}");
                let len = CHUNK.min(own.len - number * CHUNK);
                let read = |bytes| read_chunk(bytes, len, own).map_err(|what| unfit(&name, what));
                *loaded = find(&name).and_then(read).map(Some);
            })
        });
        work.run(pieces.collect());
        let chunks: Result<Vec<_>, _> = loaded.into_iter().collect();
        let missing = || unfit("head", "the work was not done");
        let chunks = chunks?.into_iter().map(|chunk| chunk.map(Arc::new).ok_or_else(missing));
        let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::new();
        for number in 0..segments {
            let name = format!("postings {number}");
            let segment =
                read_segment(find(&name)?, &index, number == 0).map_err(|what| unfit(&name, what))?;
            parts.push(Arc::new(segment));
        }
        check_postings(&parts, index.len).map_err(|what| unfit("postings 0", what))?;
        (index.chunks, index.postings) = (chunks, Postings::of_segments(parts));
        index.sort_categories();
        Ok(index)
    }

    fn head(&self) -> Writer {
        let mut writer = Writer::default();
        for number in [FORM, CHUNK as u64, self.len as u64] {
            writer.number(number);
        }
        for count in [self.chunks.len(), self.postings.segments().len(), self.streams.len()] {
            writer.number(count as u64);
        }
        writer.byte(u8::from(self.keys_rise));
        writer.byte(u8::from(self.positions_rise));
        write_times(
            &mut writer,
            &self.time_span.map_or([None; 2], |(first, last)| [Some(first), Some(last)]),
        );
        writer.number(self.numbered_categories.len() as u64);
        for info in self.numbered_categories.iter() {
            writer.byte(u8::from(info.name.is_some()));
            writer.text(info.name.as_deref().unwrap_or_default());
            writer.number(info.streams);
            writer.number(info.events);
        }
        writer.number(self.types.len() as u64);
        for info in self.types.iter() {
            writer.text(&info.name);
            writer.number(info.events);
        }
        writer.number(self.troubles.len() as u64);
        self.troubles.iter().for_each(|trouble| writer.text(trouble));
        writer
    }

    fn stream_table(&self) -> Writer {
        let known = || self.streams.all_known();
        let mut writer = Writer::default();
        writer.all(&known().map(|known| known.category).collect::<Vec<_>>());
        let flags = |known: &Known| u8::from(known.is_in_order) | (u8::from(known.is_in_time_order) << 1);
        writer.all(&known().map(flags).collect::<Vec<_>>());
        writer.all(&known().map(|known| known.info.events).collect::<Vec<_>>());
        let version = |version: Option<StreamVersion>| version.map_or(MISSING, |version| version.0);
        writer.all(&known().map(|known| version(known.info.first_version)).collect::<Vec<_>>());
        writer.all(&known().map(|known| version(known.info.last_version)).collect::<Vec<_>>());
        write_times(&mut writer, &known().map(|known| known.info.first_time).collect::<Vec<_>>());
        write_times(&mut writer, &known().map(|known| known.info.last_time).collect::<Vec<_>>());
        let names = || known().map(|known| &known.info.name);
        writer.all(&names().map(|name| name.id.len() as u32).collect::<Vec<_>>());
        let own = |name: &StreamName| name.stored.clone().filter(|stored| *stored != name.id);
        let kind = |name: &Arc<StreamName>| u8::from(name.stored.is_some()) + u8::from(own(name).is_some());
        writer.all(&names().map(kind).collect::<Vec<_>>());
        let length = |name: &Arc<StreamName>| own(name).map_or(0, |stored| stored.len() as u32);
        writer.all(&names().map(length).collect::<Vec<_>>());
        let mut texts = String::new();
        for name in names() {
            texts.push_str(&name.id);
            texts.push_str(&own(name).unwrap_or_default());
        }
        writer.text(&texts);
        writer.all(&self.by_name);
        writer
    }
}

fn unfit(section: &str, what: What) -> Unfit {
    Unfit { section: section.to_owned(), what }
}

fn check(holds: bool, what: What) -> Result<(), What> {
    if holds { Ok(()) } else { Err(what) }
}

fn read_head(mut reader: Reader<'_>) -> Result<Head, What> {
    check(reader.number()? == FORM, "it is of another version")?;
    check(reader.number()? == CHUNK as u64, "chunks have another length")?;
    let mut index = Index { len: reader.len()?, ..Index::default() };
    let (chunks, segments, streams) = (reader.len()?, reader.len()?, reader.len()?);
    check(
        u32::try_from(index.len).is_ok() && chunks == index.len.div_ceil(CHUNK),
        "its numbers do not agree",
    )?;
    check(segments <= 1024 && streams <= index.len, "its numbers do not agree")?;
    index.keys_rise = reader.byte()? == 1;
    index.positions_rise = reader.byte()? == 1;
    index.time_span = match read_times(&mut reader)?.as_slice() {
        [first, last] => first.zip(*last),
        _ => return Err("it has no span of time"),
    };
    let (mut of_streams, mut of_events) = (0_u64, 0_u64);
    let mut categories = Vec::new();
    for _ in 0..reader.len()? {
        let (has_name, name) = (reader.byte()? == 1, reader.text()?);
        let (streams, events) = (reader.number()?, reader.number()?);
        (of_streams, of_events) = (of_streams.wrapping_add(streams), of_events.wrapping_add(events));
        categories.push(CategoryInfo { name: has_name.then(|| name.into()), streams, events });
    }
    check((of_streams, of_events) == (streams as u64, index.len as u64), "categories do not add up")?;
    let (mut of_types, mut types) = (0_u64, Vec::new());
    for _ in 0..reader.len()? {
        let (name, events) = (reader.text()?.into(), reader.number()?);
        of_types = of_types.wrapping_add(events);
        types.push(TypeInfo { name, events });
    }
    check(of_types == index.len as u64, "types do not add up")?;
    let mut troubles = Vec::new();
    for _ in 0..reader.len()? {
        troubles.push(reader.text()?.to_owned());
    }
    (index.numbered_categories, index.types) = (Arc::new(categories), Arc::new(types));
    index.troubles = Arc::new(troubles);
    reader.end()?;
    Ok(Head { index, chunks, segments, streams })
}

/// The table of streams and their order by name.
fn read_streams(mut reader: Reader<'_>, index: &Index, count: usize) -> Result<(Streams, Vec<u32>), What> {
    let (categories, flags) = (reader.all::<u32>()?, reader.all::<u8>()?);
    let events = reader.all::<u64>()?;
    let (first_versions, last_versions) = (reader.all::<i64>()?, reader.all::<i64>()?);
    let (first_times, last_times) = (read_times(&mut reader)?, read_times(&mut reader)?);
    let (ids, kinds, stored) = (reader.all::<u32>()?, reader.all::<u8>()?, reader.all::<u32>()?);
    let mut texts = reader.text()?;
    let by_name = reader.all::<u32>()?;
    reader.end()?;
    let lengths = [categories.len(), flags.len(), events.len(), first_versions.len(), last_versions.len()];
    let others = [first_times.len(), last_times.len(), ids.len(), kinds.len(), stored.len(), by_name.len()];
    check(lengths.iter().chain(&others).all(|len| *len == count), "its columns do not agree")?;
    let all = events.iter().fold(0_u64, |sum, events| sum.wrapping_add(*events));
    check(all == index.len as u64 && !events.contains(&0), "its streams do not add up")?;
    let mut is_listed = vec![false; count];
    for number in &by_name {
        let is_listed = is_listed.get_mut(*number as usize).ok_or("its order has strange numbers")?;
        check(!std::mem::replace(is_listed, true), "its order has a number twice")?;
    }
    let mut take = |len: u32| {
        let (taken, rest) = texts.split_at_checked(len as usize).ok_or("its names end too early")?;
        texts = rest;
        Ok::<_, What>(taken)
    };
    let mut streams = Streams::default();
    let version = |version: i64| (version != MISSING).then_some(StreamVersion(version));
    let facts = categories.into_iter().zip(flags).zip(events).zip(ids).zip(kinds).zip(stored);
    let spans = first_versions.into_iter().zip(last_versions).zip(first_times).zip(last_times);
    for ((((((category, flags), events), id), kind), stored), span) in facts.zip(spans) {
        let name = index.numbered_categories.get(category as usize).ok_or("a stream has no such category")?;
        let id: Arc<str> = take(id)?.into();
        let stored = match kind {
            0 => None,
            1 => Some(Arc::clone(&id)),
            _ => Some(take(stored)?.into()),
        };
        let (((first_version, last_version), first_time), last_time) = span;
        let info = StreamInfo {
            name: Arc::new(StreamName { category: name.name.clone(), id, stored }),
            events,
            first_version: version(first_version),
            last_version: version(last_version),
            first_time,
            last_time,
        };
        let (is_in_order, is_in_time_order) = (flags & 1 == 1, flags & 2 == 2);
        streams.push(Known { info, category, is_in_order, is_in_time_order });
    }
    check(texts.is_empty(), "names are left over")?;
    Ok((streams, by_name))
}

fn write_times(writer: &mut Writer, times: &[Option<Timestamp>]) {
    writer.all(&times.iter().map(|time| time.map_or(MISSING, Timestamp::nanos)).collect::<Vec<_>>());
    writer.all(&times.iter().map(|time| time.map_or(0, Timestamp::digits)).collect::<Vec<_>>());
}

fn read_times(reader: &mut Reader<'_>) -> Result<Vec<Option<Timestamp>>, What> {
    let (nanos, digits) = (reader.all::<i64>()?, reader.all::<u8>()?);
    check(nanos.len() == digits.len(), "its times do not agree")?;
    let time = |(nanos, digits)| (nanos != MISSING).then(|| Timestamp::from_nanos(nanos, digits));
    Ok(nanos.into_iter().zip(digits).map(time).collect())
}

fn write_chunk(chunk: &Chunk) -> Writer {
    let mut writer = Writer::default();
    match &chunk.keys {
        ChunkKeys::Numbers(parts) => {
            writer.byte(0);
            writer.number(parts.len() as u64);
            parts.iter().for_each(|part| write_ints(&mut writer, part));
        }
        ChunkKeys::Packed { bytes, ends } => {
            writer.byte(1);
            writer.bytes(bytes);
            writer.all(ends);
        }
    }
    match &chunk.positions {
        ChunkPositions::Absent => writer.byte(0),
        ChunkPositions::OfKeys => writer.byte(1),
        ChunkPositions::Numbers(numbers) => {
            writer.byte(2);
            write_ints(&mut writer, numbers);
        }
        ChunkPositions::Any(positions) => {
            writer.byte(3);
            for position in positions {
                match position {
                    None => writer.byte(0),
                    Some(GlobalPosition::Number(number)) => {
                        writer.byte(1);
                        writer.signed(*number);
                    }
                    Some(GlobalPosition::Text(text)) => {
                        writer.byte(2);
                        writer.text(text);
                    }
                }
            }
        }
    }
    for ints in [&chunk.streams, &chunk.versions, &chunk.types, &chunk.times] {
        write_ints(&mut writer, ints);
    }
    match &chunk.digits {
        Digits::Same(digits) => writer.all(&[*digits]),
        Digits::Each(digits) => writer.all(digits),
    }
    let Sums { types, span, times_rise } = &chunk.sums;
    writer.byte(u8::from(types.is_some()));
    let (numbers, counts): (Vec<u32>, Vec<u32>) = types.iter().flatten().copied().unzip();
    writer.all(&numbers);
    writer.all(&counts);
    writer.byte(u8::from(span.is_some()));
    writer.signed(span.map_or(0, |(first, _)| first));
    writer.signed(span.map_or(0, |(_, last)| last));
    writer.byte(u8::from(*times_rise));
    writer
}

fn read_chunk(mut reader: Reader<'_>, len: usize, index: &Index) -> Result<Chunk, What> {
    let keys = match reader.byte()? {
        0 => {
            let parts = (0..reader.len()?).map(|_| read_ints(&mut reader, len)).collect::<Result<_, _>>()?;
            ChunkKeys::Numbers(parts)
        }
        _ => {
            let (bytes, ends) = (reader.bytes()?, reader.all::<u64>()?);
            check(ends.len() == len && ends.is_sorted(), "its keys do not agree")?;
            check(ends.last() == Some(&(bytes.len() as u64)), "its keys do not agree")?;
            ChunkKeys::Packed { bytes: bytes.into(), ends: ends.into() }
        }
    };
    let positions = match reader.byte()? {
        0 => ChunkPositions::Absent,
        1 => ChunkPositions::OfKeys,
        2 => ChunkPositions::Numbers(read_ints(&mut reader, len)?),
        _ => ChunkPositions::Any((0..len).map(|_| read_position(&mut reader)).collect::<Result<_, _>>()?),
    };
    let streams = read_ints(&mut reader, len)?;
    let versions = read_ints(&mut reader, len)?;
    let types = read_ints(&mut reader, len)?;
    let times = read_ints(&mut reader, len)?;
    check(streams.are_below(index.streams.len()), "a stream has no such number")?;
    check(types.are_below(index.types.len()), "a type has no such number")?;
    let digits = reader.all::<u8>()?;
    let digits = match digits.as_slice() {
        [digits] => Digits::Same(*digits),
        each if each.len() == len => Digits::Each(each.into()),
        _ => return Err("its times do not agree"),
    };
    let has_types = reader.byte()? == 1;
    let (numbers, counts) = (reader.all::<u32>()?, reader.all::<u32>()?);
    let counted: u64 = counts.iter().copied().map(u64::from).sum();
    check(numbers.len() == counts.len() && (!has_types || counted == len as u64), "its types do not add up")?;
    let types_counted = has_types.then(|| numbers.into_iter().zip(counts).collect());
    let (has_span, first, last) = (reader.byte()? == 1, reader.signed()?, reader.signed()?);
    let times_rise = reader.byte()? == 1;
    reader.end()?;
    let sums = Sums { types: types_counted, span: has_span.then_some((first, last)), times_rise };
    Ok(Chunk { keys, positions, streams, versions, types, times, digits, sums })
}

fn read_position(reader: &mut Reader<'_>) -> Result<Option<GlobalPosition>, What> {
    Ok(match reader.byte()? {
        0 => None,
        1 => Some(GlobalPosition::Number(reader.signed()?)),
        _ => Some(GlobalPosition::Text(reader.text()?.into())),
    })
}

fn write_ints(writer: &mut Writer, ints: &Ints) {
    let (base, step, packed) = ints.parts();
    writer.signed(base);
    writer.signed(step);
    match packed {
        Packed::Even(_) => writer.byte(0),
        Packed::Missing(_) => writer.byte(1),
        Packed::One(steps) => {
            writer.byte(2);
            writer.all(steps);
        }
        Packed::Two(steps) => {
            writer.byte(3);
            writer.all(steps);
        }
        Packed::Four(steps) => {
            writer.byte(4);
            writer.all(steps);
        }
        Packed::Six(low, high) => {
            writer.byte(5);
            writer.all(low);
            writer.all(high);
        }
        Packed::Eight(numbers) => {
            writer.byte(6);
            writer.all(numbers);
        }
    }
}

fn read_ints(reader: &mut Reader<'_>, len: usize) -> Result<Ints, What> {
    let (base, step) = (reader.signed()?, reader.signed()?);
    let packed = match reader.byte()? {
        0 => Packed::Even(len),
        1 => Packed::Missing(len),
        2 => Packed::One(reader.all()?.into()),
        3 => Packed::Two(reader.all()?.into()),
        4 => Packed::Four(reader.all()?.into()),
        5 => {
            let (low, high) = (reader.all()?, reader.all()?);
            check(low.len() == high.len(), "a column has another length")?;
            Packed::Six(low.into(), high.into())
        }
        _ => Packed::Eight(reader.all()?.into()),
    };
    let ints = Ints::of_parts(base, step, packed);
    check(ints.len() == len, "a column has another length")?;
    Ok(ints)
}

fn write_segment(segment: &Segment) -> Writer {
    let mut writer = Writer::default();
    writer.byte(u8::from(segment.streams.is_some()));
    writer.all(segment.streams.as_deref().unwrap_or_default());
    writer.all(&segment.ends);
    writer.all(&segment.ordinals);
    writer.all(&segment.whole);
    writer
}

fn read_segment(mut reader: Reader<'_>, index: &Index, is_first: bool) -> Result<Segment, What> {
    let has_streams = reader.byte()? == 1;
    let (streams, ends) = (reader.all::<u32>()?, reader.all::<u32>()?);
    let (ordinals, whole) = (reader.all::<u32>()?, reader.all::<u32>()?);
    reader.end()?;
    let rises = |numbers: &[u32]| numbers.is_sorted_by(|left, right| left < right);
    let known = |numbers: &[u32]| numbers.last().is_none_or(|last| (*last as usize) < index.streams.len());
    check(
        [&streams, &whole].iter().all(|numbers| rises(numbers) && known(numbers)),
        "its streams are strange",
    )?;
    let count = if has_streams { streams.len() } else { ends.len() };
    check(ends.len() == count && ends.len() <= index.streams.len(), "its streams do not agree")?;
    check(has_streams || is_first, "its streams do not agree")?;
    let last = ends.last().copied().unwrap_or_default();
    check(ends.is_sorted() && last as usize == ordinals.len(), "its ends do not agree")?;
    let most = ordinals.iter().copied().max();
    check(most.is_none_or(|most| (most as usize) < index.len), "an event has no such number")?;
    Ok(Segment { streams: has_streams.then_some(streams), ends, ordinals, whole })
}

/// Every event is listed once, unless streams were listed anew.
fn check_postings(segments: &[Arc<Segment>], len: usize) -> Result<(), What> {
    if segments.iter().any(|segment| !segment.whole.is_empty()) {
        return Ok(());
    }
    let all = || segments.iter().flat_map(|segment| segment.ordinals.iter().copied().map(u64::from));
    let count: usize = segments.iter().map(|segment| segment.ordinals.len()).sum();
    let expected = (len as u64 * (len as u64).saturating_sub(1)) / 2;
    check(count == len && all().sum::<u64>() == expected, "its events do not add up")
}
