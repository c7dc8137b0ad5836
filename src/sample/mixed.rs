//! All shapes in one store, in the proportions that the large benchmarks want.

use crate::sample::{
    bank::Bank,
    draft::{Draft, Telling},
    many::Many,
    shop::Shop,
    wide::Wide,
    write::{Story, Summary},
};

/// Several stories told as one, in the order of time.
pub(crate) struct Mixed {
    shop: Part<Shop>,
    bank: Part<Bank>,
    ledger: Part<Bank>,
    many: Part<Many>,
    wide: Part<Wide>,
}

/// A story, and its next event if there is one.
struct Part<S> {
    story: S,
    next: Draft,
    has_next: bool,
}

impl Mixed {
    /// So many events: a tenth in one stream, a fiftieth as many streams as events.
    pub(crate) fn new(telling: Telling) -> Self {
        let events = telling.events;
        let (ledger, shop, bank, wide) = (events / 10, events * 3 / 100, events / 20, events / 400);
        let many = events - ledger - shop - bank - wide;
        // A shop has a stream for every six of its events, a bank one for every sixty.
        let streams = (events / 50).saturating_sub(shop / 6 + bank / 60).max(1);
        Self {
            shop: Part::new(Shop::new(telling.with_events(shop))),
            bank: Part::new(Bank::new(telling.with_events(bank))),
            ledger: Part::new(Bank::audited_long_stream(telling.with_events(ledger))),
            many: Part::new(Many::new(telling.with_events(many), streams)),
            wide: Part::new(Wide::new(telling.with_events(wide))),
        }
    }
}

impl<S: Story> Part<S> {
    fn new(mut story: S) -> Self {
        let mut next = Draft::default();
        let has_next = story.tell(&mut next);
        Self { story, next, has_next }
    }

    fn time(&self) -> i64 {
        if self.has_next { self.next.time } else { i64::MAX }
    }

    fn take(&mut self, draft: &mut Draft) -> bool {
        if !self.has_next {
            return false;
        }
        std::mem::swap(&mut self.next, draft);
        self.has_next = self.story.tell(&mut self.next);
        true
    }
}

impl Story for Mixed {
    fn tell(&mut self, draft: &mut Draft) -> bool {
        let times =
            [self.shop.time(), self.bank.time(), self.ledger.time(), self.many.time(), self.wide.time()];
        let first = times.into_iter().min().unwrap_or(i64::MAX);
        match times.into_iter().position(|time| time == first) {
            Some(0) => self.shop.take(draft) || self.many.take(draft),
            Some(1) => self.bank.take(draft),
            Some(2) => self.ledger.take(draft),
            Some(3) => self.many.take(draft),
            _ => self.wide.take(draft),
        }
    }

    fn has_read_model(&self) -> bool {
        true
    }

    fn summaries(&self, visit: &mut dyn FnMut(&Summary<'_>) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.shop.story.summaries(visit)
    }
}
