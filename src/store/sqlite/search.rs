//! Looking through payloads where SQLite hands them out, and copying only what may hold what is looked for.

use crate::{
    model::KeyPart,
    store::{
        KeyRange, StoreResult,
        layout::{Role, Unwrap},
        read::{Body, Onward, as_it_stands},
        search::{Field, Found, Sieve},
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

/// Rows of one statement: few enough that a search ends soon after nobody wants it any more.
const BATCH: usize = 4096;

/// A batch whose copies are longer than this ends there.
const MOST_TEXT: usize = 4 << 20;

/// Meets the events of a range whose payloads hold what is looked for.
pub(super) fn search(
    (access, work): (&Access, &Work),
    (plan, way): (&Plan, Way),
    range: &KeyRange,
    sieve: &Sieve,
    visit: &mut dyn FnMut(&Found<'_>) -> Onward,
) -> StoreResult<Vec<String>> {
    let select = plan.searching();
    let walk = Walk::new(plan, &select, true, range.after.as_ref()).until(range.until.as_ref());
    let mut walk = walk.directly(way);
    let mut reader = access.reader(work);
    let mut likely = Likely::new(plan, &select, sieve);
    let mut troubles = Vec::new();
    while !walk.is_over() {
        let rows = walk.step(&mut reader, BATCH, &mut likely)?;
        let room = MOST_TROUBLES.saturating_sub(troubles.len());
        troubles.extend(likely.heads.troubles().take(room));
        let onward = likely.visit(visit);
        work.advance(rows as u64)?;
        if onward == Onward::Enough {
            break;
        }
    }
    walk.troubles.extend(troubles);
    walk.troubles.truncate(MOST_TROUBLES);
    Ok(walk.troubles)
}

/// The rows of a batch that may hold what is looked for, copied because their read may still prove void.
struct Likely<'a> {
    select: &'a Select,
    /// What the store's library wraps around the data.
    unwrap: &'a [Unwrap],
    sieve: &'a Sieve,
    heads: Batch<'a>,
    /// The payloads of each row, empty where there is nothing to look at.
    texts: Vec<[String; 2]>,
    bytes: usize,
}

impl<'a> Likely<'a> {
    fn new(plan: &'a Plan, select: &'a Select, sieve: &'a Sieve) -> Self {
        let unwrap = &plan.events.unwrap;
        Self { select, unwrap, sieve, heads: Batch::new(select), texts: Vec::new(), bytes: 0 }
    }

    /// The text of a payload that may hold what is looked for.
    fn text(&self, fields: &Fields<'_>, role: Role, unwrap: &[Unwrap]) -> Option<String> {
        let take = self.select.of(role)?;
        if let Take::Column { at, .. } = take
            && unwrap.is_empty()
            && let Some(text) = as_it_stands(fields.column(*at))
        {
            return self.sieve.may_hold(text.as_bytes()).then(|| text.to_owned());
        }
        let payload = fields.payload(Some(take), unwrap);
        match Body::text(&payload)? {
            Ok(text) if self.sieve.may_hold(text.as_bytes()) => Some(text.into_owned()),
            Ok(_) | Err(_) => None,
        }
    }

    fn visit(&mut self, visit: &mut dyn FnMut(&Found<'_>) -> Onward) -> Onward {
        for (head, texts) in self.heads.rows().zip(&self.texts) {
            let fields = [Field::Data, Field::Metadata].into_iter().zip(texts);
            let mut likely = fields.filter(|(_, text)| !text.is_empty());
            let found = likely.find_map(|(field, text)| Some((field, text, self.sieve.find(text)?)));
            let Some((field, text, at)) = found else { continue };
            if visit(&Found { head, field, text, at }) == Onward::Enough {
                return Onward::Enough;
            }
        }
        Onward::On
    }
}

impl Gather for Likely<'_> {
    fn restart(&mut self) {
        self.heads.restart();
        self.texts.clear();
        self.bytes = 0;
    }

    fn row(&mut self, key: &[KeyPart], row: Cells<'_>) {
        let fields = Fields::new(row, self.select);
        let data = self.text(&fields, Role::Data, self.unwrap);
        let metadata = self.text(&fields, Role::Metadata, &[]);
        if data.is_none() && metadata.is_none() {
            return;
        }
        let texts = [data, metadata].map(Option::unwrap_or_default);
        self.bytes += texts.iter().map(String::len).sum::<usize>();
        self.heads.push(key, &fields);
        self.texts.push(texts);
    }

    fn is_full(&self) -> bool {
        self.bytes > MOST_TEXT
    }
}
