//! All events' columns at once, from the store's own indexes.
//!
//! An index over (stream, version) has every event's stream and version, sorted as we want them; an index over
//! the type has every type, one over the time every time; and each entry ends with the row number, which is
//! the event's key. Going through their pages is a fraction of going through the table's.
//!
//! `choice` finds the indexes, `gather` goes through them in lanes, `blocks` brings what the index of streams says
//! to its events, and `join` makes columns of it all.
//! What an index says is held against some rows of the table; apart from that it is believed, as SQLite
//! believes it.

mod blocks;
mod choice;
mod gather;
mod join;
mod probe;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use rusqlite::{Connection, OptionalExtension as _};

use crate::{
    store::{
        StoreResult,
        covered::Covered,
        pages::{PageFile, PageRange, Tree},
        sqlite::{
            access::{Access, OpenPages, Whole},
            plan::{Plan, quote},
            records::Records,
        },
    },
    work::{Cancelled, Piece, Work},
};

use choice::{Needs, Pass};
use gather::{Found, Slots, gather};
use join::join;
use probe::agrees;

/// Ranges for each lane: none waits long for another at the end.
const RANGES_A_LANE: usize = 8;

/// Attempts, if somebody writes meanwhile.
const TRIES: usize = 3;

/// Up to this distance between the first key and the last, holes do not matter.
const SMALL_SPAN: usize = 1 << 20;

/// All columns, if indexes hold them.
pub(super) fn covered(access: &Access, work: &Work, plan: &Plan) -> StoreResult<Option<Covered>> {
    let mut tries = 0;
    let covered = access.reader(work).read_pages("reading indexes", |connection, whole| {
        tries += 1;
        let Some(whole) = whole.filter(|_| tries <= TRIES) else { return Ok(Ok(None)) };
        // Whatever SQLite stumbles over here, a scan will tell.
        Ok(match Task::new(connection, whole, plan) {
            Ok(Some(task)) => task.run(work),
            Ok(None) | Err(_) => Ok(None),
        })
    })?;
    Ok(covered?)
}

/// What there is to do.
struct Task {
    needs: Needs,
    records: Records,
    file: Arc<PageFile>,
    ranges: Vec<(Pass, Vec<PageRange>)>,
    first: i64,
    span: usize,
    /// Dropped last, after the file was closed.
    _pages: OpenPages,
}

impl Task {
    fn new(connection: &Connection, whole: Whole<'_>, plan: &Plan) -> rusqlite::Result<Option<Self>> {
        let Some(table) = plan.parts.first() else { return Ok(None) };
        let Some(records) = Records::read(connection, table)? else { return Ok(None) };
        let Some(needs) = Needs::of(plan, &records) else { return Ok(None) };
        let Some(passes) = needs.passes(connection, plan, &records)? else { return Ok(None) };
        let Some(pages) = whole.open() else { return Ok(None) };
        let file = Arc::clone(&pages.file);
        let bytes = u64::from(file.pages()) * file.page_size() as u64;
        let Some((first, span)) = span(connection, plan, bytes)? else { return Ok(None) };
        Ok(Some(Self {
            needs,
            records,
            file,
            ranges: passes.into_iter().map(|pass| (pass, Vec::new())).collect(),
            first,
            span,
            _pages: pages,
        }))
    }

    fn run(mut self, work: &Work) -> Result<Option<Covered>, Cancelled> {
        let parts = if work.width() == 1 { 1 } else { work.width() * RANGES_A_LANE };
        for (pass, ranges) in &mut self.ranges {
            match self.file.cut(pass.root, Tree::Index, parts) {
                Ok(cut) => *ranges = cut,
                Err(_) => return Ok(None),
            }
        }
        let slots = Slots::new(self.first, self.span, &self.needs);
        let Some(found) = self.gather_all(&slots, work)? else { return Ok(None) };
        let covered = join(&found, slots, &self.needs, work);
        Ok(covered.filter(|covered| agrees(&self.file, &self.records, &self.needs, covered)))
    }

    /// Goes through all ranges of all indexes, side by side where there are lanes; returns what the index of
    /// streams held.
    fn gather_all(&self, slots: &Slots, work: &Work) -> Result<Option<Vec<Found>>, Cancelled> {
        let share = self.ranges.len() as u64;
        let is_cancelled = AtomicBool::new(false);
        let mut results: Vec<Vec<Found>> = Vec::new();
        for (_, ranges) in &self.ranges {
            results.push(ranges.iter().map(|_| Found::default()).collect());
        }
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for ((pass, ranges), results) in self.ranges.iter().zip(&mut results) {
            for (range, result) in ranges.iter().zip(results) {
                let is_cancelled = &is_cancelled;
                pieces.push(Box::new(move || {
                    match gather((&self.file, range), (&self.needs, pass), slots, (work, share)) {
                        Ok(found) => *result = found,
                        Err(Cancelled) => is_cancelled.store(true, Relaxed),
                    }
                }));
            }
        }
        work.run(pieces);
        work.advance(0)?;
        if is_cancelled.load(Relaxed) {
            return Err(Cancelled);
        }
        let mut counts = results.iter().map(|found| found.iter().map(|found| found.entries).sum::<u64>());
        let first = counts.next().unwrap_or_default();
        let is_sound = !slots.is_odd.load(Relaxed) && counts.all(|count| count == first);
        let streams = self.ranges.iter().zip(results).find(|((pass, _), _)| pass.streams.is_some());
        Ok(streams.filter(|_| is_sound).map(|(_, found)| found))
    }
}

/// A row takes at least so many bytes of the file: in the table the places of the row and of its five columns, and
/// its number; in an index over the streams these again.
const LEAST_BYTES: u64 = 16;

/// Of so many keys that are looked up at least so many have to be there.
const PROBES: [u64; 2] = [64, 24];

/// The first key and how many keys lie from it to the last; nothing for a table without rows, or one with so
/// many holes that columns by key would be mostly empty. The file has so many bytes.
fn span(connection: &Connection, plan: &Plan, bytes: u64) -> rusqlite::Result<Option<(i64, usize)>> {
    let (Some(table), Some(rowid)) = (plan.parts.first(), plan.rowid) else { return Ok(None) };
    let table = quote(table);
    let end = |direction: &str| -> rusqlite::Result<Option<i64>> {
        let sql = format!("SELECT {rowid} FROM {table} ORDER BY {rowid} {direction} LIMIT 1");
        connection.query_row(&sql, [], |row| row.get(0)).optional()
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(None) };
    let span = last.checked_sub(first).and_then(|span| usize::try_from(span).ok());
    let Some(span) = span.map(|span| span + 1).filter(|span| *span < u32::MAX as usize) else {
        return Ok(None);
    };
    if span > SMALL_SPAN {
        let [probes, least] = PROBES;
        // Keys may lie just where they are looked up; but as many as there should be take their room.
        if span as u64 / probes * least > bytes / LEAST_BYTES {
            return Ok(None);
        }
        let sql = format!("SELECT count(*) FROM {table} WHERE {rowid} = ?");
        let mut statement = connection.prepare(&sql)?;
        let mut hits = 0;
        for probe in 0..probes {
            let key = first + place(span as u64, probe, probes) as i64;
            hits += statement.query_row([key], |row| row.get::<_, i64>(0))?;
        }
        if hits < least as i64 {
            return Ok(None);
        }
    }
    Ok(Some((first, span)))
}

/// Somewhere in one of so many equal parts of the span, in each somewhere else: keys at even distances are met no
/// more often than others.
fn place(span: u64, part: u64, parts: u64) -> u64 {
    let width = span / parts;
    let spread = (part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    part * width + spread % width.max(1)
}
