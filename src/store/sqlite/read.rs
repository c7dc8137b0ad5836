//! Reading ranges with payloads, a batch at a time and without an allocation for each event.

use std::ops::Range;

use crate::{
    model::KeyPart,
    store::{
        KeyRange, StoreResult,
        layout::{Role, Unwrap},
        read::{Body, EventRow, Onward, Wanted, as_it_stands},
        sqlite::{
            access::Access,
            direct::Way,
            plan::{Plan, Select, Take},
            rows::{Cells, Fields},
            scan::{Batch, MOST_TROUBLES},
            walk::{Gather, Walk},
        },
    },
    work::Work,
};

/// Rows of the first batch and of the largest.
const BATCH: Range<usize> = 64..4096;

/// A batch whose payloads and ids are longer than this together ends there.
const MOST_TEXT: usize = 1 << 20;

/// Where payloads that nobody wants are longer than this on average, SQLite is told not to look for them.
const LARGE: u64 = 1024;

/// Meets the events of a range with the payloads that are wanted.
pub(super) fn read(
    (access, work): (&Access, &Work),
    (plan, way): (&Plan, Way),
    range: &KeyRange,
    wanted: Wanted<'_>,
    visit: &mut dyn FnMut(&EventRow<'_>) -> Onward,
) -> StoreResult<Vec<String>> {
    let (every, some);
    let (first, narrow) = match wanted {
        Wanted::Types([]) | Wanted::Data([]) => (&plan.lean, None),
        Wanted::Types(types) | Wanted::Data(types) => {
            (every, some) = (plan.reading(None), plan.reading(Some(types)));
            (&every, Some(&some))
        }
        Wanted::All => {
            every = plan.reading(None);
            (&every, None)
        }
    };
    let walk = Walk::new(plan, first, true, range.after.as_ref()).until(range.until.as_ref());
    let mut walk = walk.directly(way);
    let mut reader = access.reader(work);
    let mut copies = Copies::new(plan, first, wanted);
    let mut troubles = Vec::new();
    let mut size = BATCH.start;
    while !walk.is_over() {
        let rows = walk.step(&mut reader, size, &mut copies)?;
        let room = MOST_TROUBLES.saturating_sub(troubles.len());
        troubles.extend(copies.heads.troubles().take(room));
        let onward = copies.visit(visit);
        work.advance(rows as u64)?;
        if onward == Onward::Enough {
            break;
        }
        if let Some(narrow) = narrow.filter(|_| copies.passed_over.are_large()) {
            walk.select(narrow);
            copies.select(narrow);
        }
        size = (size * 2).min(BATCH.end);
    }
    walk.troubles.extend(troubles);
    walk.troubles.truncate(MOST_TROUBLES);
    Ok(walk.troubles)
}

/// Rows copied out of the database with their payloads, because their read may still prove void.
struct Copies<'a> {
    select: &'a Select,
    wanted: Wanted<'a>,
    /// What the store's library wraps around the data.
    unwrap: &'a [Unwrap],
    heads: Batch<'a>,
    /// Ids and payloads one behind the other, those of a row in the order of its [`Rest`].
    text: String,
    rests: Vec<Rest>,
    passed_over: PassedOver,
}

/// Where what a row holds beside its head ends in the text.
#[derive(Default)]
struct Rest {
    event_id: Option<usize>,
    correlation_id: Option<usize>,
    causation_id: Option<usize>,
    data: Copied,
    metadata: Copied,
}

/// A payload in the text, by where it ends.
#[derive(Clone, Copy, Default)]
enum Copied {
    #[default]
    Absent,
    Json(usize),
    Unreadable(usize),
}

/// Payloads that SQLite fetched in vain.
#[derive(Default)]
struct PassedOver {
    events: u64,
    bytes: u64,
}

impl PassedOver {
    fn are_large(&self) -> bool {
        self.events > 0 && self.bytes / self.events > LARGE
    }
}

impl<'a> Copies<'a> {
    fn new(plan: &'a Plan, select: &'a Select, wanted: Wanted<'a>) -> Self {
        Self {
            select,
            wanted,
            unwrap: &plan.events.unwrap,
            heads: Batch::new(select),
            text: String::new(),
            rests: Vec::new(),
            passed_over: PassedOver::default(),
        }
    }

    /// From the next row on, rows have these columns.
    fn select(&mut self, select: &'a Select) {
        self.select = select;
        self.heads.select(select);
    }

    /// Copies a text; returns where it ends.
    fn keep(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.text.len()
    }

    fn body(&mut self, fields: &Fields<'_>, role: Role, unwrap: &[Unwrap]) -> Copied {
        let take = self.select.of(role);
        if let Some(Take::Column { at, .. }) = take
            && unwrap.is_empty()
            && let Some(text) = as_it_stands(fields.column(*at))
        {
            return Copied::Json(self.keep(text));
        }
        match Body::text(&fields.payload(take, unwrap)) {
            None => Copied::Absent,
            Some(Ok(json)) => Copied::Json(self.keep(&json)),
            Some(Err(reason)) => Copied::Unreadable(self.keep(reason)),
        }
    }

    fn pass_over(&mut self, fields: &Fields<'_>) {
        self.passed_over.events += 1;
        for role in [Role::Data, Role::Metadata] {
            if let Some(Take::Column { at, .. } | Take::Json { at, .. }) = self.select.of(role) {
                self.passed_over.bytes += fields.column(*at).len() as u64;
            }
        }
    }

    fn visit(&mut self, visit: &mut dyn FnMut(&EventRow<'_>) -> Onward) -> Onward {
        let text = &self.text;
        let mut start = 0;
        let mut next = |end: usize| {
            let text = text.get(start..end).unwrap_or_default();
            start = end;
            text
        };
        for (head, rest) in self.heads.rows().zip(&self.rests) {
            let row = EventRow {
                head,
                event_id: rest.event_id.map(&mut next),
                correlation_id: rest.correlation_id.map(&mut next),
                causation_id: rest.causation_id.map(&mut next),
                data: rest.data.body(&mut next),
                metadata: rest.metadata.body(&mut next),
                taped: None,
                is_plain: false,
            };
            if visit(&row) == Onward::Enough {
                return Onward::Enough;
            }
        }
        Onward::On
    }
}

impl Copied {
    fn body<'t>(self, next: &mut impl FnMut(usize) -> &'t str) -> Body<'t> {
        match self {
            Self::Absent => Body::Absent,
            Self::Json(end) => Body::Json(next(end)),
            Self::Unreadable(end) => Body::Unreadable(next(end)),
        }
    }
}

impl Gather for Copies<'_> {
    fn restart(&mut self) {
        self.heads.restart();
        self.text.clear();
        self.rests.clear();
    }

    fn row(&mut self, key: &[KeyPart], row: Cells<'_>) {
        let fields = Fields::new(row, self.select);
        if !self.wanted.has_rest() {
            let event_type = fields.event_type(&mut Vec::new());
            if !self.wanted.includes(&event_type) {
                self.heads.push_type(key, &event_type);
                self.pass_over(&fields);
                self.rests.push(Rest::default());
                return;
            }
        }
        self.heads.push(key, &fields);
        if self.heads.last_type().is_none_or(|name| !self.wanted.includes(name)) {
            if !fields.is_lazy() {
                self.pass_over(&fields);
            }
            self.rests.push(Rest::default());
            return;
        }
        if !self.wanted.has_rest() {
            let data = self.body(&fields, Role::Data, self.unwrap);
            self.rests.push(Rest { data, ..Rest::default() });
            return;
        }
        let mut id = |role| fields.text(role).map(|id| self.keep(&id));
        let (event_id, correlation_id, causation_id) =
            (id(Role::EventId), id(Role::CorrelationId), id(Role::CausationId));
        let unwrap = self.unwrap;
        let data = self.body(&fields, Role::Data, unwrap);
        let metadata = self.body(&fields, Role::Metadata, &[]);
        self.rests.push(Rest { event_id, correlation_id, causation_id, data, metadata });
    }

    fn is_full(&self) -> bool {
        self.text.len() > MOST_TEXT
    }
}
