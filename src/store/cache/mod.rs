//! Indexes kept between runs, so that a large store is ready at once when it is opened again.
//!
//! An index from here is believed only where it is proven that nothing was written since it was made; see
//! [`Identity`]. Where the store seems to have grown, the index is of use at once but unproven until a
//! whole scan has said the same ([`Cache::check`]); everywhere else it is made anew. So no answer depends on
//! the cache for longer than one scan, and none of the command line ever does.
//!
//! `container` is the file's form, `identity` what is believed and why, `probe` how events are compared with a sample,
//! `folder` where the files lie and which go when there are too many.

mod checksum;
mod container;
mod folder;
mod identity;
mod label;
mod probe;

use std::{borrow::Cow, path::PathBuf, sync::Arc};

use crate::{
    model::Timestamp,
    store::{EventStore, StoreError, StoreResult, index::Index},
    work::{Cancelled, Work},
};

use container::{Container, Draft, Unfit};
use label::Label;

pub use folder::{Cleared, Kept};
pub use identity::{FileMark, Identity, Likeness, fingerprint};

/// Stores with fewer events are scanned in less than 50 ms and not kept.
const LEAST_EVENTS: usize = 200_000;

/// A file that was changed so little before it was looked at may be changed again without its time of
/// change moving on: clocks of file systems tick in steps, of up to two seconds.
const SETTLING: i64 = 3_000_000_000;

/// What a store looked like before its index was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    identity: Identity,
    /// Whether nothing had been written to it for so long that any later write shows in its times.
    is_at_rest: bool,
}

/// Where indexes are kept, and how many.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    bound: u64,
    least_events: usize,
    clock: Option<fn() -> Timestamp>,
}

/// What the cache has for a store.
#[derive(Debug)]
pub enum Found {
    /// The index of exactly what the store holds now.
    Proven {
        /// The index.
        index: Index,
        /// When it was written, if anybody knew.
        written: Option<Timestamp>,
    },
    /// The index of a store that seems to have grown, caught up with it. It is to be shown as unproven until
    /// [`Cache::check`] has said the same.
    Likely {
        /// The index.
        index: Index,
        /// When the kept one was written, if anybody knew.
        written: Option<Timestamp>,
        /// How many events came since.
        caught_up: usize,
    },
    /// Nothing of use.
    Nothing(Nothing),
}

/// Why an index has to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nothing {
    /// Nothing was kept yet.
    NotKept,
    /// Of such a store nothing can be kept.
    NoIdentity,
    /// What was kept is of another state of the file; the reason, in words.
    Other(Cow<'static, str>),
    /// What was kept was damaged and thrown away; how, in words.
    Damaged(String),
}

/// What became of an index that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is kept, in so many bytes.
    Written(u64),
    /// The store is scanned so quickly that nothing is won.
    TooSmall,
    /// Nothing is to be kept.
    Unwanted,
    /// It would be larger than all that is to be kept.
    TooLarge,
    /// Of such a store nothing can be kept.
    NoIdentity,
    /// The system refused; what it said.
    Refused(String),
}

/// What a whole scan said of an index that was unproven.
#[derive(Debug)]
pub struct Checked {
    /// What the scan made.
    pub index: Arc<Index>,
    /// The first event in which the two differ, by its ordinal; `None` if the scan's index holds all of the
    /// other one as it was.
    pub differs_at: Option<u32>,
}

impl Checked {
    /// Holds an index that is shown against that of a scan.
    pub fn of(index: Index, shown: &Index, work: &Work) -> StoreResult<Self> {
        let differs_at = shown.parts_from(&index, work)?;
        Ok(Self { index: Arc::new(index), differs_at })
    }
}

impl Cache {
    /// The default of `bound`: 2 GB.
    pub const BOUND: u64 = 2 << 30;

    /// A cache in a folder, which is made when something is kept. It keeps at most `bound` bytes, unless
    /// [`Cache::set_bound`] said otherwise.
    #[must_use]
    pub fn new(folder: PathBuf, bound: u64) -> Self {
        Self { folder, bound, least_events: LEAST_EVENTS, clock: None }
    }

    /// Takes the time of day from here. Without it nothing is ever proven, since nobody knows how long ago a
    /// store was changed.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> Timestamp) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Keeps indexes of stores with fewer events, too.
    #[must_use]
    pub fn with_least_events(self, least_events: usize) -> Self {
        Self { least_events, ..self }
    }

    /// Looks for an index of a store, and catches up with what was added to the store since.
    pub fn find(&self, store: &dyn EventStore, work: &Work) -> Result<Found, Cancelled> {
        match self.look(store, work) {
            Ok(found) => Ok(found),
            Err(StoreError::Cancelled(cancelled)) => Err(cancelled),
            // Whoever scans the store now meets the same trouble, and says it.
            Err(err) => Ok(Found::Nothing(Nothing::Other(err.to_string().into()))),
        }
    }

    fn look(&self, store: &dyn EventStore, work: &Work) -> StoreResult<Found> {
        if self.bound() == 0 {
            return Ok(Found::Nothing(Nothing::NotKept));
        }
        let Some(now) = store.identity()? else { return Ok(Found::Nothing(Nothing::NoIdentity)) };
        let (label, index) = match self.read(&now, |_| true, work)? {
            Ok(read) => read,
            Err(why) => return Ok(Found::Nothing(why)),
        };
        let written = label.written();
        if label.proves(&now) {
            return Ok(Found::Proven { index, written });
        }
        if !probe::agrees(&index, store, work, label.identity.last_change().unsigned_abs())? {
            return Ok(Found::Nothing(Nothing::Other("its events are others".into())));
        }
        let grown = index.extended(store, work)?;
        Ok(Found::Likely { caught_up: grown.len() - index.len(), index: grown, written })
    }

    /// Reads what is kept of a store if its label is wanted; what is damaged is thrown away.
    fn read(
        &self,
        now: &Identity,
        is_wanted: impl Fn(&Label) -> bool,
        work: &Work,
    ) -> Result<Result<(Label, Index), Nothing>, Cancelled> {
        match self.try_read(now, is_wanted, work) {
            Ok(read) => Ok(read),
            Err(Unfit::Cancelled(cancelled)) => Err(cancelled),
            Err(Unfit::Unreadable(err)) => Ok(Err(Nothing::Damaged(err.to_string()))),
            Err(Unfit::Damaged(how)) => {
                self.throw_away(now);
                Ok(Err(Nothing::Damaged(how)))
            }
        }
    }

    fn try_read(
        &self,
        now: &Identity,
        is_wanted: impl Fn(&Label) -> bool,
        work: &Work,
    ) -> Result<Result<(Label, Index), Nothing>, Unfit> {
        let Some(container) = Container::open(&self.file_of(now))? else { return Ok(Err(Nothing::NotKept)) };
        let Some(label) = Label::read(container.label()) else {
            return Ok(Err(Nothing::Other("it was made by another version of Timeglass".into())));
        };
        if let Likeness::Other(why) = label.identity.likeness(now) {
            return Ok(Err(Nothing::Other(why.into())));
        }
        if !is_wanted(&label) {
            return Ok(Err(Nothing::Other("it was written to since".into())));
        }
        let sections = container.read(work)?;
        let sections: Vec<(&str, &[u8])> =
            sections.iter().map(|section| (&*section.name, &*section.bytes)).collect();
        let index = Index::from_sections(&sections, work);
        // What was withdrawn half-way says nothing about the file.
        work.advance(0)?;
        let index = index.map_err(|unfit| Unfit::Damaged(unfit.to_string()))?;
        if index.len() as u64 != label.events {
            return Err(Unfit::Damaged("it holds another number of events than it says".to_owned()));
        }
        self.mark_used(now);
        Ok(Ok((label, index)))
    }

    /// Looks at a store whose index is to be made and kept; `None` if nothing can be kept of it.
    pub fn before(&self, store: &dyn EventStore) -> StoreResult<Option<Before>> {
        // The clock first: whatever is written from here on is later than this.
        let now = self.clock.map(|clock| clock().nanos());
        let is_quiet = |identity: &Identity| {
            now.is_some_and(|now| identity.last_change().saturating_add(SETTLING) < now)
        };
        let identity = store.identity()?;
        Ok(identity.map(|identity| Before { is_at_rest: is_quiet(&identity), identity }))
    }

    /// Keeps an index. If the store was being written when the index was made, the index is kept as one that
    /// has to be checked.
    pub fn save(
        &self,
        store: &dyn EventStore,
        index: &Index,
        before: &Before,
        work: &Work,
    ) -> Result<Saved, Cancelled> {
        if index.len() < self.least_events {
            return Ok(Saved::TooSmall);
        }
        let Ok(Some(after)) = store.identity() else { return Ok(Saved::NoIdentity) };
        let is_settled = before.is_at_rest && before.identity == after;
        let written = self.clock.map(|clock| clock().nanos());
        let label = Label::of(before.identity.clone(), is_settled, written, index.len() as u64);
        match self.write(&label, index, work) {
            Ok(saved) => Ok(saved),
            Err(Unfit::Cancelled(cancelled)) => Err(cancelled),
            Err(Unfit::Unreadable(err)) => Ok(Saved::Refused(err.to_string())),
            Err(Unfit::Damaged(what)) => Ok(Saved::Refused(what)),
        }
    }

    fn write(&self, label: &Label, index: &Index, work: &Work) -> Result<Saved, Unfit> {
        let bound = self.bound();
        if bound == 0 {
            return Ok(Saved::Unwanted);
        }
        std::fs::create_dir_all(&self.folder)?;
        let mut draft = Draft::begin(&self.folder)?;
        for section in index.to_sections() {
            work.advance(0)?;
            draft.add(&section)?;
            if draft.bytes() > bound {
                return Ok(Saved::TooLarge);
            }
        }
        let path = self.file_of(&label.identity);
        let bytes = draft.finish(&label.to_bytes(), &path)?;
        self.mark_used(&label.identity);
        self.keep_within_bound(Some(&path))?;
        Ok(if bytes > bound { Saved::TooLarge } else { Saved::Written(bytes) })
    }

    /// Scans a store anew and holds against it what is shown; the scan's index is kept.
    pub fn check(&self, store: &dyn EventStore, shown: &Index, work: &Work) -> StoreResult<Checked> {
        let (index, _) = self.make(store, work)?;
        Checked::of(index, shown, work)
    }

    /// Makes an index by a scan and keeps it.
    pub fn make(&self, store: &dyn EventStore, work: &Work) -> StoreResult<(Index, Saved)> {
        let before = self.before(store)?;
        let index = Index::build(store, work)?;
        let saved = match &before {
            Some(before) => self.save(store, &index, before, work)?,
            None => Saved::NoIdentity,
        };
        Ok((index, saved))
    }

    /// The index of what a store holds now: the kept one where it is proven, else one made and kept. For
    /// whoever answers once and cannot correct itself later.
    pub fn proven(&self, store: &dyn EventStore, work: &Work) -> StoreResult<(Index, Option<Nothing>)> {
        match self.kept_proven(store, work)? {
            Ok(index) => Ok((index, None)),
            Err(why) => Ok((self.make(store, work)?.0, Some(why))),
        }
    }

    /// The kept index of a store, if it is proven that nothing was written since; else why one has to be made.
    pub fn kept_proven(&self, store: &dyn EventStore, work: &Work) -> StoreResult<Result<Index, Nothing>> {
        // What has to be checked is not even caught up with: the scan is needed anyway.
        let kept = match store.identity()? {
            Some(now) if self.bound() > 0 => self.read(&now, |label| label.proves(&now), work)?,
            Some(_) => Err(Nothing::NotKept),
            None => Err(Nothing::NoIdentity),
        };
        Ok(kept.map(|(_, index)| index))
    }
}
