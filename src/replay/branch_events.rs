//! The events of a branch: those of the truth, with its edits applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{ControlFlow, Range},
    sync::Arc,
};

use crate::{
    model::{EventKey, KeyPart, RecordedEvent, StreamName},
    replay::{
        alignment::{Advance, Alignment},
        branch::{Content, Edit, EditKind, EventHead, EventRef, Misfit, Truth, payload},
        sequence::Sequence,
    },
    store::StoreResult,
    work::Work,
};

/// In which order a branch takes its events from the truth and from its edits.
///
/// It knows runs of events, not events: a branch of a million events with three edits is a handful
/// of pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pieces: Vec<Piece>,
    len: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Events of the truth before it.
    truth: usize,
    /// Events of the branch before it.
    branch: usize,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// So many events as they are.
    Kept(usize),
    /// The next event, saying something else.
    Replaced(Arc<Content>),
    /// The next event is not here: left out, or elsewhere.
    Gone,
    /// An event that the truth does not have, by the place of its edit.
    Inserted(usize, Arc<Content>),
    /// An event that stands elsewhere in the truth, perhaps saying something else.
    MovedHere(usize, Option<Arc<Content>>),
}

/// Where an event of a branch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrigin {
    /// It is the truth's event with this count, as it is.
    Kept(usize),
    /// It is the truth's event with this count, saying something else.
    Replaced(usize),
    /// It is the truth's event with this count, at another place.
    Moved(usize),
    /// It was put in by the edit at this place.
    Inserted(usize),
}

impl What {
    /// How many events of the truth and of the branch it takes.
    fn lengths(&self) -> (usize, usize) {
        match self {
            Self::Kept(length) => (*length, *length),
            Self::Replaced(_) => (1, 1),
            Self::Gone => (1, 0),
            Self::Inserted(..) | Self::MovedHere(..) => (0, 1),
        }
    }
}

/// What edits say of each event of the truth.
#[derive(Default)]
struct Said {
    left_out: BTreeSet<usize>,
    replaced: BTreeMap<usize, Arc<Content>>,
    moved: BTreeSet<usize>,
    /// What stands after an event; 0 is the start.
    behind: BTreeMap<usize, Vec<What>>,
}

impl Said {
    fn take(&mut self, place: usize, kind: &EditKind, truth: &Truth<'_>) -> Result<(), Box<Misfit>> {
        let find =
            |event: &EventRef| truth.find(event).map_err(|found| Box::new(misfit(place, event, found)));
        let find_after = |after: &Option<EventRef>| match after {
            Some(event) => find(event),
            None => Ok(0),
        };
        match kind {
            EditKind::LeaveOut(event) => {
                self.left_out.insert(find(event)?);
            }
            EditKind::Replace { event, content } => {
                self.replaced.insert(find(event)?, Arc::new(content.clone()));
            }
            EditKind::Insert { after, content } => {
                let inserted = What::Inserted(place, Arc::new(content.clone()));
                self.behind.entry(find_after(after)?).or_default().push(inserted);
            }
            EditKind::Move { event, after } => {
                let (from, after) = (find(event)?, find_after(after)?);
                // It stands at one place only: the one said last.
                for others in self.behind.values_mut() {
                    others.retain(|other| !matches!(other, What::MovedHere(own, _) if *own == from));
                }
                self.moved.remove(&from);
                if after != from {
                    self.moved.insert(from);
                    self.behind.entry(after).or_default().push(What::MovedHere(from, None));
                }
            }
        }
        Ok(())
    }
}

fn misfit(edit: usize, event: &EventRef, found: Option<EventHead>) -> Misfit {
    Misfit { edit, event: event.clone(), found }
}

impl Plan {
    /// Applies the edits that are on to a truth. Those that do not fit it are not applied, but returned.
    #[must_use]
    pub fn of(edits: &[Edit], truth: &Truth<'_>) -> (Self, Vec<Misfit>) {
        let mut said = Said::default();
        let mut misfits = Vec::new();
        for (place, edit) in edits.iter().enumerate().filter(|(_, edit)| edit.is_on) {
            misfits.extend(said.take(place, &edit.kind, truth).err().map(|misfit| *misfit));
        }
        (Self::made(said, truth.len), misfits)
    }

    fn made(mut said: Said, length: usize) -> Self {
        let mut plan = Self::default();
        let own = said.left_out.iter().chain(said.replaced.keys()).chain(&said.moved);
        let touched: BTreeSet<usize> = own.chain(said.behind.keys()).copied().collect();
        let mut done = 0;
        for count in touched {
            if count > 0 {
                plan.push(done, What::Kept(count - 1 - done));
                let what = if said.left_out.contains(&count) || said.moved.contains(&count) {
                    What::Gone
                } else if let Some(content) = said.replaced.get(&count) {
                    What::Replaced(Arc::clone(content))
                } else {
                    What::Kept(1)
                };
                plan.push(count - 1, what);
                done = count;
            }
            for what in said.behind.remove(&count).unwrap_or_default() {
                match what {
                    What::MovedHere(from, _) if said.left_out.contains(&from) => (),
                    What::MovedHere(from, _) => {
                        plan.push(done, What::MovedHere(from, said.replaced.get(&from).cloned()));
                    }
                    what => plan.push(done, what),
                }
            }
        }
        plan.push(done, What::Kept(length - done));
        plan
    }

    fn push(&mut self, truth: usize, what: What) {
        if what == What::Kept(0) {
            return;
        }
        let branch = self.len;
        self.len += what.lengths().1;
        match (self.pieces.last_mut(), what) {
            (Some(Piece { what: What::Kept(length), .. }), What::Kept(more)) => *length += more,
            (_, what) => self.pieces.push(Piece { truth, branch, what }),
        }
    }

    /// How many events the branch has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The piece that holds the event of the branch with this count.
    fn piece(&self, count: usize) -> Option<&Piece> {
        let place = self.pieces.partition_point(|piece| piece.branch < count);
        // Pieces that take no event of the branch stand where the next one starts.
        let before = self.pieces.get(..place)?.iter().rev();
        before
            .into_iter()
            .find(|piece| piece.what.lengths().1 > 0)
            .filter(|_| (1..=self.len).contains(&count))
    }

    /// Where the event of the branch with this count comes from.
    #[must_use]
    pub fn origin(&self, count: usize) -> Option<EventOrigin> {
        let piece = self.piece(count)?;
        Some(match &piece.what {
            What::Kept(_) | What::Gone => EventOrigin::Kept(piece.truth + count - piece.branch),
            What::Replaced(_) => EventOrigin::Replaced(piece.truth + 1),
            What::MovedHere(from, _) => EventOrigin::Moved(*from),
            What::Inserted(edit, _) => EventOrigin::Inserted(*edit),
        })
    }

    /// The count of the event that the edit at a place put in.
    #[must_use]
    pub fn count_of_inserted(&self, edit: usize) -> Option<usize> {
        self.count_where(|what| matches!(what, What::Inserted(own, _) if *own == edit))
    }

    /// The count of the truth's event with this count, where it was moved to.
    #[must_use]
    pub fn count_of_moved(&self, count: usize) -> Option<usize> {
        self.count_where(|what| matches!(what, What::MovedHere(from, _) if *from == count))
    }

    fn count_where(&self, is_it: impl Fn(&What) -> bool) -> Option<usize> {
        self.pieces.iter().find(|piece| is_it(&piece.what)).map(|piece| piece.branch + 1)
    }

    /// Which points of the truth, left, and of the branch, right, stand beside each other.
    #[must_use]
    pub fn alignment(&self) -> Alignment {
        let mut alignment = Alignment::default();
        for piece in &self.pieces {
            match piece.what {
                What::Kept(length) => alignment.push(Advance::Both, length),
                What::Replaced(_) => alignment.push(Advance::Both, 1),
                What::Gone => alignment.push(Advance::Left, 1),
                What::Inserted(..) | What::MovedHere(..) => alignment.push(Advance::Right, 1),
            }
        }
        alignment
    }

    /// How many events of the truth stand at the beginning as they are.
    #[must_use]
    pub fn untouched(&self) -> usize {
        match self.pieces.first() {
            Some(Piece { what: What::Kept(length), .. }) => *length,
            _ => 0,
        }
    }

    /// The last count of the branch at which something is other than in the truth, and whether it is
    /// that events are missing after it.
    #[must_use]
    pub fn last_touched(&self) -> Option<(usize, bool)> {
        let piece = self.pieces.iter().rev().find(|piece| !matches!(piece.what, What::Kept(_)))?;
        Some((piece.branch + piece.what.lengths().1, piece.what == What::Gone))
    }
}

/// The events of a branch.
pub struct BranchEvents {
    truth: Arc<dyn Sequence>,
    stream: Arc<StreamName>,
    plan: Arc<Plan>,
}

impl BranchEvents {
    /// The events of the truth, taken in the order of the plan.
    #[must_use]
    pub fn new(truth: Arc<dyn Sequence>, stream: Arc<StreamName>, plan: Arc<Plan>) -> Self {
        Self { truth, stream, plan }
    }

    /// One event of the truth.
    fn recorded(&self, count: usize, work: &Work) -> StoreResult<Option<RecordedEvent>> {
        let mut found = None;
        if let Some(before) = count.checked_sub(1) {
            self.truth.visit(before..count, work, &mut |_, event| {
                found = event;
                ControlFlow::Break(())
            })?;
        }
        Ok(found)
    }

    /// An event that the truth does not have. It has no version and no position; its time is that of
    /// the event before it, since reducers count with one.
    fn inserted(
        &self,
        edit: usize,
        content: &Content,
        behind: usize,
        work: &Work,
    ) -> StoreResult<RecordedEvent> {
        let time = self.recorded(behind, work)?.and_then(|event| event.time);
        Ok(RecordedEvent {
            key: EventKey(Arc::from([KeyPart::Null, KeyPart::Integer(edit as i64)])),
            position: None,
            stream: Arc::clone(&self.stream),
            version: None,
            event_type: Arc::clone(&content.event_type),
            schema_version: None,
            time,
            event_id: None,
            correlation_id: None,
            causation_id: None,
            actor: None,
            data: payload(&content.data),
            metadata: payload(&content.metadata),
            troubles: Vec::new(),
        })
    }

    /// The one event of a piece that takes one.
    fn single(&self, piece: &Piece, work: &Work) -> StoreResult<Option<RecordedEvent>> {
        let changed = |event: Option<RecordedEvent>, content: Option<&Arc<Content>>| match content {
            Some(content) => event.map(|event| content.replacing(event)),
            None => event,
        };
        Ok(match &piece.what {
            What::Replaced(content) => changed(self.recorded(piece.truth + 1, work)?, Some(content)),
            What::MovedHere(from, content) => changed(self.recorded(*from, work)?, content.as_ref()),
            What::Inserted(edit, content) => Some(self.inserted(*edit, content, piece.truth, work)?),
            What::Kept(_) | What::Gone => None,
        })
    }
}

impl Sequence for BranchEvents {
    fn len(&self) -> usize {
        self.plan.len()
    }

    fn event_type(&self, count: usize) -> Option<Arc<str>> {
        let piece = self.plan.piece(count)?;
        match &piece.what {
            What::Kept(_) => self.truth.event_type(piece.truth + count - piece.branch),
            What::Replaced(content) | What::MovedHere(_, Some(content)) | What::Inserted(_, content) => {
                Some(Arc::clone(&content.event_type))
            }
            What::MovedHere(from, None) => self.truth.event_type(*from),
            What::Gone => None,
        }
    }

    fn visit(
        &self,
        range: Range<usize>,
        work: &Work,
        each: &mut dyn FnMut(usize, Option<RecordedEvent>) -> ControlFlow<()>,
    ) -> StoreResult<()> {
        let first = self.plan.pieces.partition_point(|piece| {
            let (_, length) = piece.what.lengths();
            piece.branch + length <= range.start
        });
        for piece in self.plan.pieces.get(first..).unwrap_or_default() {
            if piece.branch >= range.end {
                break;
            }
            let mut flow = ControlFlow::Continue(());
            match piece.what {
                What::Kept(length) => {
                    let end = range.end.min(piece.branch + length);
                    let from = range.start.max(piece.branch);
                    let truth = piece.truth + from - piece.branch..piece.truth + end - piece.branch;
                    self.truth.visit(truth, work, &mut |count, event| {
                        flow = each(count - piece.truth + piece.branch, event);
                        flow
                    })?;
                }
                What::Gone => (),
                _ => flow = each(piece.branch + 1, self.single(piece, work)?),
            }
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }
}
