//! Builds an index from a store, and extends one by what is new.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    store::{
        EventStore, KeyRange, StoreResult,
        index::{
            Index,
            chunk::CHUNK,
            grow::{Growing, Numbers},
            names::Seed,
            rows::{Lane, Part},
        },
    },
    work::{Cancelled, Piece, Work},
};

/// Takes an index of the events so far, while the others are still scanned.
pub type Report<'a> = &'a (dyn Fn(Index) + Sync);

/// The first look is taken at so many events: soon enough to be there at once.
const FIRST_LOOK: usize = CHUNK;

/// Looks are taken when twice as many events are there as at the last, or so many more.
const LOOK_EVERY: usize = 1 << 20;

impl Index {
    /// Takes what the store's own indexes hold, or scans the whole store, its ranges side by side on the lanes
    /// of `work`.
    ///
    /// Fails when the store fails or the work is withdrawn; trouble in rows ends up in
    /// [`Index::troubles`].
    pub fn build(store: &dyn EventStore, work: &Work) -> StoreResult<Self> {
        Self::default().extended(store, work)
    }

    /// This index with the events that came after its last one. Numbers of streams and types, and
    /// the ordinals, stay what they were; what did not change is shared.
    pub fn extended(&self, store: &dyn EventStore, work: &Work) -> StoreResult<Self> {
        self.growing(store, work, None)
    }

    /// The same, and while the scan goes on `report` is handed an index of the events so far from time
    /// to time, on any lane. Each is the beginning of the next, and whole in itself.
    pub fn growing(
        &self,
        store: &dyn EventStore,
        work: &Work,
        report: Option<Report<'_>>,
    ) -> StoreResult<Self> {
        let last = self.len().checked_sub(1).and_then(|last| self.key(last as u32));
        if let Some(rest) = store.about_how_many(work, last.as_ref())? {
            work.expect_total(self.len() as u64 + rest);
        }
        work.goes_on_from(self.len() as u64);
        if self.is_empty()
            && let Some(covered) = store.covered(work)?
            && let Some(index) = Self::of_covered(&covered, work)?
        {
            return Ok(index);
        }
        // Several ranges a lane, so that none waits long for another at the end; one without lanes.
        let parts =
            if work.width() == 1 || (!self.is_empty() && report.is_none()) { 1 } else { work.width() * 6 };
        let ranges = store.ranges(work, last.as_ref(), parts)?;
        let desk = Desk {
            growing: Mutex::new((Growing::on(self), BTreeMap::new(), self.len())),
            inbox: Mutex::default(),
            report,
        };
        scan_all(store, work, &ranges, &desk)?;
        work.advance(0)?;
        desk.absorb();
        let mut growing = desk.growing.into_inner().unwrap_or_else(PoisonError::into_inner).0;
        let troubles = desk.inbox.into_inner().unwrap_or_else(PoisonError::into_inner).troubles;
        troubles.into_values().flatten().for_each(|trouble| growing.trouble(&trouble));
        Ok(growing.look(true))
    }
}

/// Where lanes put what they scanned, and one of them at a time puts it in order.
struct Desk<'a> {
    /// The index in the making, what the lanes call their streams and types, and where the last look was.
    growing: Mutex<(Growing, BTreeMap<usize, Numbers>, usize)>,
    inbox: Mutex<Inbox>,
    report: Option<Report<'a>>,
}

/// Parts that wait for those before them.
#[derive(Default)]
struct Inbox {
    /// By range and place within it, with the number of the lane.
    parts: BTreeMap<(usize, usize), (usize, Part)>,
    /// The names that parts bring have to be taken lane by lane as they came: they wait here.
    names: Vec<(usize, Part)>,
    /// The part that is next.
    next: (usize, usize),
    /// How many parts each range has, once it has ended.
    ended: BTreeMap<usize, usize>,
    troubles: BTreeMap<usize, Vec<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk<'_> {
    fn deliver(&self, range: usize, place: usize, lane: usize, mut part: Part) {
        let mut inbox = locked(&self.inbox);
        let names = Part {
            new_streams: std::mem::take(&mut part.new_streams),
            new_types: std::mem::take(&mut part.new_types),
            ..Part::default()
        };
        inbox.names.push((lane, names));
        inbox.parts.insert((range, place), (lane, part));
        drop(inbox);
        // If another lane is at it, it goes on with this.
        if let Ok(growing) = self.growing.try_lock() {
            self.absorb_with(growing);
        }
    }

    fn end(&self, range: usize, parts: usize, troubles: Vec<String>) {
        let mut inbox = locked(&self.inbox);
        inbox.ended.insert(range, parts);
        inbox.troubles.insert(range, troubles);
    }

    /// Takes the names that came, and the part that is next in global order.
    fn next(&self, numbers: &mut BTreeMap<usize, Numbers>) -> Option<(usize, Part)> {
        let mut inbox = locked(&self.inbox);
        for (lane, mut names) in inbox.names.drain(..) {
            numbers.entry(lane).or_default().take(&mut names);
        }
        while inbox.ended.get(&inbox.next.0) == Some(&inbox.next.1) {
            inbox.next = (inbox.next.0 + 1, 0);
        }
        let next = inbox.next;
        let part = inbox.parts.remove(&next)?;
        inbox.next.1 += 1;
        Some(part)
    }

    fn absorb(&self) {
        self.absorb_with(locked(&self.growing));
    }

    fn absorb_with(&self, mut growing: MutexGuard<'_, (Growing, BTreeMap<usize, Numbers>, usize)>) {
        let (growing, numbers, looked) = &mut *growing;
        while let Some((lane, part)) = self.next(numbers) {
            growing.absorb(part, numbers.entry(lane).or_default());
            let len = growing.len();
            let is_due = len >= (*looked * 2).min(*looked + LOOK_EVERY).max(FIRST_LOOK);
            if let Some(report) = self.report.filter(|_| is_due) {
                *looked = len;
                report(growing.look(false));
            }
        }
    }
}

/// Scans all ranges, side by side where there are lanes.
fn scan_all(store: &dyn EventStore, work: &Work, ranges: &[KeyRange], desk: &Desk<'_>) -> StoreResult<()> {
    let seed = Seed::random();
    let mut results: Vec<StoreResult<()>> = Vec::new();
    // One that never ran was not wanted any more.
    results.resize_with(ranges.len(), || Err(Cancelled.into()));
    // Lanes that no piece uses at the moment, and how many were made.
    let idle: Mutex<(Vec<Lane<'_>>, usize)> = Mutex::default();
    let take = || {
        let (lanes, made) = &mut *locked(&idle);
        lanes.pop().unwrap_or_else(|| {
            *made += 1;
            Lane::new(*made - 1, store, seed)
        })
    };
    let pieces = results
        .iter_mut()
        .zip(ranges)
        .enumerate()
        .map(|(number, (result, range))| -> Piece<'_> {
            let (take, idle) = (&take, &idle);
            Box::new(move || {
                let mut lane = take();
                let (mut places, of) = (0, lane.number);
                let scanned = lane.scan(work, range, &mut |part| {
                    desk.deliver(number, places, of, part);
                    places += 1;
                });
                *result = scanned.map(|troubles| desk.end(number, places, troubles));
                locked(idle).0.push(lane);
            })
        })
        .collect();
    work.run(pieces);
    results.into_iter().collect()
}
