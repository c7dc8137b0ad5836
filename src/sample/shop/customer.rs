//! Customers, who move, change their minds and leave, and their accounts of store credit.

use crate::sample::{
    calendar::MINUTE,
    doc::{Doc, push_digits, push_number},
    draft::{Chain, Draft, Pen, Subject, Thread},
    rng::Rng,
    words::{PEOPLE, PLACES, Person, Place},
};

/// Somebody who buys.
#[derive(Debug)]
pub(super) struct Customer {
    thread: Thread,
    person: Person,
    address: Address,
    phone: Option<u64>,
    newsletter: bool,
    tier: Option<&'static str>,
    is_closed: bool,
    chain: Chain,
    /// How many times something changed since they came.
    changes: u32,
}

/// Where somebody lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    place: Place,
    house: i64,
}

/// Store credit of one customer.
#[derive(Debug)]
pub(super) struct Credit {
    thread: Thread,
    balance_cents: i64,
    earned_cents: i64,
    last_entry: Option<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    order: u64,
    amount_cents: i64,
}

impl Address {
    pub(super) fn any(rng: &mut Rng) -> Self {
        Self { place: rng.pick(PLACES), house: rng.between(1, 180) }
    }

    /// The same street with another number: what people mistype.
    pub(super) fn corrected(self, rng: &mut Rng) -> Self {
        Self { house: self.house + rng.between(1, 9), ..self }
    }

    pub(super) fn write(&self, doc: &mut Doc) {
        self.write_street(doc);
        let (_, town, code, country) = self.place;
        doc.text("city", town).text("postal_code", code).text("country", country);
    }

    pub(super) fn write_street(&self, doc: &mut Doc) {
        doc.text_with("street", |out| {
            out.push_str(self.place.0);
            out.push(' ');
            push_number(out, self.house);
        });
    }
}

impl Customer {
    pub(super) fn new(number: u64, rng: &mut Rng) -> Self {
        Self {
            thread: Thread::new("customer", number),
            person: rng.pick(PEOPLE),
            address: Address::any(rng),
            phone: rng.chance(55).then(|| rng.below(10_000_000)),
            newsletter: rng.chance(40),
            tier: None,
            is_closed: false,
            chain: Chain::default(),
            changes: 0,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.thread.number
    }

    pub(super) fn name(&self) -> &'static str {
        self.person.0
    }

    pub(super) fn handle(&self) -> &'static str {
        self.person.1
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn chain(&self) -> Chain {
        self.chain
    }

    pub(super) fn register(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64) {
        pen.begin(draft, &mut self.thread, "CustomerRegistered", time);
        self.write_state(&mut draft.data);
        self.end(pen, draft, self.handle());
    }

    /// The next thing that happens in their life. The first customer moves, and moves again.
    pub(super) fn live(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        self.changes += 1;
        self.chain = Chain::default();
        let choice = match (self.number(), self.changes) {
            (super::FIRST_CUSTOMER, 1 | 3) => 0,
            (super::FIRST_CUSTOMER, 2) => 90,
            _ => rng.below(100),
        };
        match choice {
            0..30 => self.relocate(pen, draft, time, rng),
            30..55 => self.change_phone(pen, draft, time, rng),
            55..80 => {
                self.newsletter = !self.newsletter;
                let event_type =
                    if self.newsletter { "NewsletterSubscribed" } else { "NewsletterUnsubscribed" };
                pen.begin(draft, &mut self.thread, event_type, time);
                draft.data.truth("newsletter", self.newsletter);
                self.end(pen, draft, self.handle());
            }
            80..96 => {
                let tier = if self.tier.is_none() { "silver" } else { "gold" };
                self.tier = Some(tier);
                pen.begin(draft, &mut self.thread, "CustomerPromoted", time);
                draft.data.text("tier", tier);
                self.end(pen, draft, "loyalty-job");
            }
            _ => self.close(pen, draft, time),
        }
    }

    fn relocate(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        self.address = Address::any(rng);
        pen.begin(draft, &mut self.thread, "CustomerMoved", time);
        draft.data.object("address", |doc| self.address.write(doc));
        self.end(pen, draft, self.handle());
    }

    fn change_phone(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        let is_removed = self.phone.is_some() && rng.chance(40);
        let event_type = if is_removed { "PhoneRemoved" } else { "PhoneChanged" };
        pen.begin(draft, &mut self.thread, event_type, time);
        if is_removed {
            self.phone = None;
            draft.data.null("phone");
        } else {
            self.phone = Some(rng.below(10_000_000));
            self.write_phone(&mut draft.data);
        }
        self.end(pen, draft, self.handle());
    }

    /// Leaves, and has everything forgotten that names the person.
    fn close(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64) {
        self.is_closed = true;
        self.newsletter = false;
        self.phone = None;
        pen.begin(draft, &mut self.thread, "CustomerClosed", time);
        draft.data.text("status", "closed").truth("newsletter", false);
        draft.data.null("email").null("phone").null("address");
        self.end(pen, draft, "privacy-desk");
    }

    fn end(&mut self, pen: &Pen, draft: &mut Draft, user: &str) {
        let mut chain = self.chain;
        pen.end(draft, &mut chain, user, self);
        self.chain = chain;
    }

    fn write_phone(&self, doc: &mut Doc) {
        if let Some(phone) = self.phone {
            doc.text_with("phone", |out| {
                out.push_str("+00 555 ");
                push_digits(out, phone, 7);
            });
        }
    }
}

impl Subject for Customer {
    fn write_state(&self, doc: &mut Doc) {
        doc.text("name", self.name());
        if !self.is_closed {
            doc.text_with("email", |out| {
                out.push_str(self.handle());
                push_number(out, self.number() as i64);
                out.push_str("@example.org");
            });
        }
        doc.text("status", if self.is_closed { "closed" } else { "active" });
        if !self.is_closed {
            doc.object("address", |doc| self.address.write(doc));
        }
        self.write_phone(doc);
        doc.truth("newsletter", self.newsletter);
        if let Some(tier) = self.tier {
            doc.text("tier", tier);
        }
    }
}

impl Credit {
    pub(super) fn new(number: u64) -> Self {
        Self { thread: Thread::new("account", number), balance_cents: 0, earned_cents: 0, last_entry: None }
    }

    pub(super) fn open(&mut self, pen: &mut Pen, draft: &mut Draft, mut chain: Chain) {
        pen.begin(draft, &mut self.thread, "AccountOpened", pen.now() + MINUTE / 300);
        self.write_state(&mut draft.data);
        pen.end(draft, &mut chain, "accounts", self);
    }

    /// Credits two per cent of an order, or pays with all there is.
    pub(super) fn enter(&mut self, pen: &mut Pen, draft: &mut Draft, mut chain: Chain, sale: (u64, i64)) {
        let (order, total_cents) = sale;
        let is_spent = self.balance_cents > 500;
        let amount_cents = if is_spent { -self.balance_cents } else { (total_cents / 50).max(1) };
        let event_type = if is_spent { "CreditSpent" } else { "CreditEarned" };
        self.balance_cents += amount_cents;
        self.earned_cents += amount_cents.max(0);
        let entry = Entry { order, amount_cents };
        self.last_entry = Some(entry);
        pen.begin(draft, &mut self.thread, event_type, pen.now() + MINUTE / 500);
        draft.data.number("balance_cents", self.balance_cents);
        if !is_spent {
            draft.data.number("earned_cents", self.earned_cents);
        }
        entry.write(&mut draft.data);
        pen.end(draft, &mut chain, "accounts", self);
    }
}

impl Entry {
    fn write(&self, doc: &mut Doc) {
        doc.object("last_entry", |doc| {
            doc.reference("order_id", "order", self.order).number("amount_cents", self.amount_cents);
        });
    }
}

impl Subject for Credit {
    fn write_state(&self, doc: &mut Doc) {
        doc.reference("customer_id", "customer", self.thread.number).text("status", "open");
        doc.text("currency", "EUR").number("balance_cents", self.balance_cents);
        doc.number("earned_cents", self.earned_cents);
        if let Some(entry) = self.last_entry {
            entry.write(doc);
        }
    }
}
