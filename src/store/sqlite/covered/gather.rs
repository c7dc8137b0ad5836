//! Going through ranges of indexes, side by side, and writing down what each entry says of its event.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU16, Ordering::Relaxed},
    },
};

use crate::{
    model::{LastDay, Stored, StreamName},
    store::{
        covered::CoveredTimes,
        decode::{self, Value, id_text},
        layout::Form,
        pages::{Columns, IndexWalk, PageFile, PageRange, PageRow},
        read::Onward,
        sqlite::{
            covered::{
                blocks::Blocks,
                choice::{CategoryFrom, Head, Needs, Pass, StreamsAt},
            },
            rows::{Named, beside_category, prefixed},
        },
    },
    work::{Cancelled, Work},
};

const NO_TYPE: u16 = u16::MAX;
pub(super) const NO_TIME_YET: i64 = i64::MIN + 1;

/// What is known of each event so far, by its key's distance from the first key. Every lane writes into it
/// wherever its index leads.
pub(super) struct Slots {
    pub(super) first: i64,
    /// How many keys lie from the first to the last.
    pub(super) span: usize,
    pub(super) types: Vec<AtomicU16>,
    pub(super) times: Vec<AtomicI64>,
    pub(super) digits: Vec<AtomicU8>,
    pub(super) type_names: Mutex<TypeNames>,
    /// Something is not as it has to be; a scan will tell what.
    pub(super) is_odd: AtomicBool,
}

/// Types in the order in which lanes met them.
#[derive(Default)]
pub(super) struct TypeNames {
    pub(super) names: Vec<Arc<str>>,
    numbers: BTreeMap<Arc<str>, u16>,
}

/// What a range of an index of streams holds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: u64,
    pub(super) streams: Vec<FoundStream>,
    /// Distances of keys, in the order of the index.
    pub(super) postings: Vec<u32>,
    /// What the entries say of their events, on its way there.
    pub(super) blocks: Blocks,
    /// The first stream and version, and the last.
    pub(super) ends: Option<[End; 2]>,
}

/// A stream of a range of an index.
pub(super) struct FoundStream {
    pub(super) name: Arc<StreamName>,
    /// Where its entries end in `postings`.
    pub(super) end: u32,
    /// The least distance of them.
    pub(super) first: u32,
}

/// A stream as an index spells it, and a version.
#[derive(Clone, PartialEq)]
pub(super) struct End {
    pub(super) head: Vec<Stored>,
    pub(super) version: i32,
}

impl Slots {
    pub(super) fn new(first: i64, span: usize, needs: &Needs) -> Self {
        let some = |is_needed: bool| if is_needed { span } else { 0 };
        let (types, times) = (some(needs.event_type.is_some()), some(needs.time.is_some()));
        Self {
            first,
            span,
            types: std::iter::repeat_with(|| AtomicU16::new(NO_TYPE)).take(types).collect(),
            times: std::iter::repeat_with(|| AtomicI64::new(NO_TIME_YET)).take(times).collect(),
            digits: std::iter::repeat_with(AtomicU8::default).take(times).collect(),
            type_names: Mutex::default(),
            is_odd: AtomicBool::new(false),
        }
    }

    fn type_number(&self, name: &str) -> Option<u16> {
        let mut types = self.type_names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = types.numbers.get(name) {
            return Some(*known);
        }
        let number = u16::try_from(types.names.len()).ok().filter(|number| *number != NO_TYPE)?;
        let name: Arc<str> = name.into();
        types.names.push(Arc::clone(&name));
        types.numbers.insert(name, number);
        Some(number)
    }
}

/// Goes through one range of an index. What is odd is noted in the slots, and ends it.
pub(super) fn gather(
    (file, range): (&Arc<PageFile>, &PageRange),
    (needs, pass): (&Needs, &Pass),
    slots: &Slots,
    (work, share): (&Work, u64),
) -> Result<Found, Cancelled> {
    let mut lane = Lane {
        needs,
        pass,
        slots,
        rowid_at: pass.is_real.len() - 1,
        found: Found::default(),
        head: Vec::new(),
        last: (0, 0),
        versions: Vec::new(),
        event_type: (Vec::new(), NO_TYPE),
        time: (Vec::new(), CoveredTimes::MISSING, 0),
        day: LastDay::default(),
        is_odd: false,
    };
    let columns = Columns::of_index(&pass.is_real);
    let mut told = 0;
    let mut is_read = IndexWalk::new(file, range);
    while let Ok(walk) = &mut is_read {
        match walk.entries(&columns, &mut |entry| lane.take(entry)) {
            Ok(true) if !lane.is_odd => (),
            Ok(true) | Err(_) => lane.is_odd = true,
            Ok(false) => break,
        }
        if lane.is_odd || slots.is_odd.load(Relaxed) {
            break;
        }
        let done = lane.found.entries / share;
        work.advance(done - told)?;
        told = done;
    }
    if lane.is_odd || is_read.is_err() {
        slots.is_odd.store(true, Relaxed);
    }
    Ok(lane.finish())
}

/// One range on the way.
struct Lane<'a> {
    needs: &'a Needs,
    pass: &'a Pass,
    slots: &'a Slots,
    rowid_at: usize,
    found: Found,
    /// The stream of the entry before, as the index spells it.
    head: Vec<Stored>,
    /// Version and distance of the entry before.
    last: (i32, u32),
    /// The versions of all entries, beside the postings.
    versions: Vec<i32>,
    /// The type of the entry before: its bytes with a mark of their kind, and its number.
    event_type: (Vec<u8>, u16),
    /// The time of the entry before: its bytes where it was a text, in nanoseconds, and its digits.
    time: (Vec<u8>, i64, u8),
    day: LastDay,
    is_odd: bool,
}

impl Lane<'_> {
    fn take(&mut self, entry: &PageRow<'_>) -> Onward {
        if self.note(entry).is_none() {
            self.is_odd = true;
            return Onward::Enough;
        }
        self.found.entries += 1;
        Onward::On
    }

    /// Writes down one entry; nothing if it is odd.
    #[inline]
    fn note(&mut self, entry: &PageRow<'_>) -> Option<()> {
        let Value::Integer(rowid) = entry.column(self.rowid_at) else { return None };
        let slot = usize::try_from(rowid.checked_sub(self.slots.first)?).ok()?;
        if let Some(streams) = &self.pass.streams {
            self.note_stream(streams, entry, slot)?;
        }
        if let Some(at) = self.pass.type_at {
            self.note_type(entry.column(at), slot)?;
        }
        if let Some(at) = self.pass.time_at {
            self.note_time(entry.column(at), slot)?;
        }
        Some(())
    }

    #[inline]
    fn note_stream(&mut self, streams: &StreamsAt, entry: &PageRow<'_>, slot: usize) -> Option<()> {
        let slot = u32::try_from(slot).ok().filter(|_| slot < self.slots.span)?;
        let mut heads = self.head.iter();
        let is_same = (0..streams.heads.len()).all(|at| is_equal(heads.next(), entry.column(at)));
        let version = match streams.version_at {
            None => 0,
            Some(at) => match entry.column(at) {
                Value::Integer(number) => i32::try_from(number).ok()?,
                _ => return None,
            },
        };
        if !is_same {
            self.begin(entry)?;
        } else if (version, slot) < self.last {
            // Of equal versions the earlier event comes first; another column may have sorted them otherwise.
            return None;
        }
        if self.found.ends.is_none() {
            let end = End { head: self.head.clone(), version };
            self.found.ends = Some([end.clone(), end]);
        }
        self.last = (version, slot);
        self.found.postings.push(slot);
        self.versions.push(version);
        Some(())
    }

    /// A stream begins. Streams have to rise, as their index wants it.
    #[cold]
    fn begin(&mut self, entry: &PageRow<'_>) -> Option<()> {
        let streams = self.pass.streams.as_ref()?;
        let head: Vec<Stored> = (0..streams.heads.len()).map(|at| entry.column(at).to_stored()).collect();
        if !self.head.is_empty() && !rises(&self.head, &head) {
            return None;
        }
        self.end_stream();
        let name = name(self.needs, &streams.heads, &head)?;
        self.found.streams.push(FoundStream { name: Arc::new(name), end: 0, first: 0 });
        self.head = head;
        Some(())
    }

    fn end_stream(&mut self) {
        let Found { streams, postings, .. } = &mut self.found;
        let start = streams.iter().rev().nth(1).map_or(0, |before| before.end);
        if let Some(stream) = streams.last_mut() {
            stream.end = postings.len() as u32;
            let own = postings.get(start as usize..).unwrap_or_default();
            stream.first = own.iter().copied().min().unwrap_or_default();
        }
    }

    fn finish(mut self) -> Found {
        self.end_stream();
        if let Some([_, last]) = &mut self.found.ends {
            *last = End { head: self.head, version: self.last.0 };
        }
        if self.pass.streams.is_none() {
            return self.found;
        }
        let ends = self.found.streams.iter().map(|stream| stream.end);
        self.found.blocks = Blocks::of((&self.found.postings, &self.versions), ends, self.slots.span);
        self.found
    }

    fn note_type(&mut self, value: Value<'_>, slot: usize) -> Option<()> {
        let (known, number) = &mut self.event_type;
        let is_same = *number != NO_TYPE && matches!(value, Value::Text(bytes) if bytes == known.as_slice());
        if !is_same {
            let (_, form) = self.needs.event_type.as_ref()?;
            let name = text(value, *form)?.unwrap_or_default();
            *number = self.slots.type_number(&name)?;
            known.clear();
            match value {
                Value::Text(bytes) => known.extend_from_slice(bytes),
                // Looked at anew each time.
                _ => {
                    self.slots.types.get(slot)?.store(*number, Relaxed);
                    *number = NO_TYPE;
                    return Some(());
                }
            }
        }
        self.slots.types.get(slot)?.store(*number, Relaxed);
        Some(())
    }

    fn note_time(&mut self, value: Value<'_>, slot: usize) -> Option<()> {
        let (known, nanos, digits) = &mut self.time;
        if !matches!(value, Value::Text(bytes) if bytes == known.as_slice()) {
            let (_, form) = self.needs.time.as_ref()?;
            (*nanos, *digits) = time(value, *form, &mut self.day)?;
            if *nanos == NO_TIME_YET {
                return None;
            }
            known.clear();
            if let Value::Text(bytes) = value {
                known.extend_from_slice(bytes);
            }
        }
        self.slots.times.get(slot)?.store(*nanos, Relaxed);
        self.slots.digits.get(slot)?.store(*digits, Relaxed);
        Some(())
    }
}

/// A time in nanoseconds with its digits; nothing for one that cannot be read.
pub(super) fn time(value: Value<'_>, form: Form, last: &mut LastDay) -> Option<(i64, u8)> {
    if value == Value::Null {
        return Some((CoveredTimes::MISSING, 0));
    }
    decode::time_after(value, form, last).map(|time| (time.nanos(), time.digits()))
}

/// The text of a name; nothing if it holds what a scan would have to tell of.
pub(super) fn text(value: Value<'_>, form: Form) -> Option<Option<Cow<'_, str>>> {
    if let Value::Text(bytes) = value
        && std::str::from_utf8(bytes).is_err()
    {
        return None;
    }
    Some(id_text(value, form))
}

/// The name of a stream from the columns that an index begins with; nothing where different columns might
/// make the same name.
pub(super) fn name(needs: &Needs, heads: &[Head], values: &[Stored]) -> Option<StreamName> {
    let of = |head: Head| heads.iter().position(|own| *own == head).and_then(|at| values.get(at));
    let stored = Value::from(of(Head::Stream)?);
    let (_, form) = &needs.stream;
    let is_whole_id = |bytes: &[u8]| bytes.len() == 16 && matches!(form, Form::UuidBytes | Form::GuidBytes);
    let is_plain = match stored {
        Value::Text(_) | Value::Integer(_) => true,
        Value::Blob(bytes) => is_whole_id(bytes),
        Value::Null | Value::Real(_) => false,
    };
    if !is_plain {
        return None;
    }
    let id = text(stored, *form)??;
    let named = match needs.category {
        CategoryFrom::Nothing => Named { category: None, id: id.clone(), stored: Some(id) },
        CategoryFrom::Prefix(separator) => prefixed(id, separator),
        CategoryFrom::Column(form) => {
            let category = Value::from(of(Head::Category)?);
            if !matches!(category, Value::Null | Value::Text(_)) {
                return None;
            }
            beside_category(text(category, form)?, id)
        }
    };
    Some(named.to_name())
}

/// Whether a kept value is the same as one on a page.
#[inline]
fn is_equal(kept: Option<&Stored>, value: Value<'_>) -> bool {
    match (kept, value) {
        (Some(Stored::Text(bytes)), Value::Text(own)) | (Some(Stored::Blob(bytes)), Value::Blob(own)) => {
            **bytes == *own
        }
        (Some(Stored::Integer(number)), Value::Integer(own)) => *number == own,
        (Some(Stored::Real(number)), Value::Real(own)) => number.to_bits() == own.to_bits(),
        (Some(Stored::Null), Value::Null) => true,
        _ => false,
    }
}

/// Whether streams come in the order of an index. All ids have to be of one kind: a number and a text may
/// look the same.
pub(super) fn rises(before: &[Stored], after: &[Stored]) -> bool {
    for (before, after) in before.iter().zip(after) {
        let order = match (before, after) {
            (Stored::Null, Stored::Null) => Ordering::Equal,
            (Stored::Null, Stored::Text(_)) => Ordering::Less,
            (Stored::Integer(before), Stored::Integer(after)) => before.cmp(after),
            (Stored::Text(before), Stored::Text(after)) | (Stored::Blob(before), Stored::Blob(after)) => {
                before.cmp(after)
            }
            _ => return false,
        };
        match order {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => (),
        }
    }
    false
}
