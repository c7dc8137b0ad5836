//! Bank accounts: money comes, goes, and moves between them. One account alone is a long stream.

use crate::sample::{
    calendar::{Calendar, START},
    doc::{Doc, push_hex},
    draft::{Chain, Draft, Pen, Subject, Telling, Thread},
    rng::Rng,
    words::{PEOPLE, PURPOSES},
    write::Story,
};

/// Accounts are numbered from here, clear of the shop's.
const FIRST_ACCOUNT: u64 = 5_000_001;

/// A bank.
pub(crate) struct Bank {
    pen: Pen,
    rng: Rng,
    calendar: Calendar,
    kind: &'static str,
    accounts: Vec<Account>,
    most_accounts: usize,
    /// The other half of a transfer, told next.
    arriving: Option<Arrival>,
    /// How many events lie from one audit to the next; 0 where there are none.
    audit_every: u64,
}

#[derive(Debug)]
struct Arrival {
    from: u64,
    to: usize,
    amount_cents: i64,
    chain: Chain,
}

#[derive(Debug)]
struct Account {
    thread: Thread,
    owner: &'static str,
    balance_cents: i64,
    entries: i64,
    overdraft_cents: i64,
    is_frozen: bool,
    last_entry: Option<Entry>,
    audited_entries: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: &'static str,
    amount_cents: i64,
    purpose: &'static str,
    reference: u64,
    /// The other account of a transfer.
    counterpart: Option<u64>,
}

impl Bank {
    /// A bank of which so many events are told.
    pub(crate) fn new(telling: Telling) -> Self {
        Self::of("account", 2, (telling.events / 60).clamp(2, 100_000) as usize, telling)
    }

    /// One account with all the events.
    pub(crate) fn one_long_stream(telling: Telling) -> Self {
        Self::of("ledger", 3, 1, telling)
    }

    /// The same, audited ten times: a type of event that is rare in a store of any size.
    pub(crate) fn audited_long_stream(telling: Telling) -> Self {
        let audit_every = if telling.events < 100 { 0 } else { telling.events / 10 };
        Self { audit_every, ..Self::one_long_stream(telling) }
    }

    fn of(kind: &'static str, purpose: u64, most_accounts: usize, telling: Telling) -> Self {
        let mut rng = Rng::new(telling.seed, purpose);
        Self {
            pen: Pen::new(rng.next(), telling),
            rng,
            calendar: Calendar::new(telling, 1),
            kind,
            accounts: Vec::new(),
            most_accounts,
            arriving: None,
            audit_every: 0,
        }
    }

    fn open_account(&mut self, time: i64, draft: &mut Draft) {
        let mut account = Account {
            thread: Thread::new(self.kind, FIRST_ACCOUNT + self.accounts.len() as u64),
            owner: self.rng.pick(PEOPLE).0,
            balance_cents: 0,
            entries: 0,
            overdraft_cents: 0,
            is_frozen: false,
            last_entry: None,
            audited_entries: None,
        };
        self.pen.begin(draft, &mut account.thread, "AccountOpened", time);
        account.write_state(&mut draft.data);
        self.pen.end(draft, &mut Chain::default(), "branch", &account);
        self.accounts.push(account);
    }

    fn receive(&mut self, arrival: &Arrival, draft: &mut Draft) -> bool {
        let Some(account) = self.accounts.get_mut(arrival.to) else { return false };
        let entry = Entry {
            kind: "transfer_in",
            amount_cents: arrival.amount_cents,
            purpose: self.rng.pick(PURPOSES),
            reference: self.rng.next(),
            counterpart: Some(arrival.from),
        };
        let (time, mut chain) = (self.pen.now() + 400_000, arrival.chain);
        account.enter(&mut self.pen, draft, ("TransferReceived", time), entry);
        self.pen.end(draft, &mut chain, "clearing", account);
        true
    }

    fn audit(&mut self, time: i64, draft: &mut Draft) -> bool {
        let Some(account) = self.accounts.first_mut() else { return false };
        account.audited_entries = Some(account.entries);
        self.pen.begin(draft, &mut account.thread, "AccountAudited", time);
        draft.data.number("audited_entries", account.entries);
        self.pen.end(draft, &mut Chain::default(), "auditor", account);
        true
    }

    /// Something happens to an account that exists.
    fn use_account(&mut self, time: i64, draft: &mut Draft) -> bool {
        let index = self.rng.index(self.accounts.len());
        let other = self.rng.index(self.accounts.len());
        let other_number = FIRST_ACCOUNT + other as u64;
        let rng = &mut self.rng;
        let Some(account) = self.accounts.get_mut(index) else { return false };
        let mut chain = Chain::default();
        let amount_cents = rng.between(1, 400) * 125;
        let has_cover = account.balance_cents + account.overdraft_cents >= amount_cents;
        let mut entry = Entry {
            kind: "deposit",
            amount_cents,
            purpose: rng.pick(PURPOSES),
            reference: rng.next(),
            counterpart: None,
        };
        if account.is_frozen || rng.below(200) == 0 {
            account.freeze_or_release(&mut self.pen, draft, time);
            self.pen.end(draft, &mut chain, "compliance", account);
        } else if rng.below(150) == 0 {
            account.change_overdraft(&mut self.pen, draft, time, rng);
            self.pen.end(draft, &mut chain, "branch", account);
        } else if !has_cover || rng.chance(40) {
            account.enter(&mut self.pen, draft, ("MoneyDeposited", time), entry);
            self.pen.end(draft, &mut chain, "counter", account);
        } else if index == other || rng.chance(55) {
            (entry.kind, entry.amount_cents) = ("withdrawal", -amount_cents);
            account.enter(&mut self.pen, draft, ("MoneyWithdrawn", time), entry);
            self.pen.end(draft, &mut chain, "machine-7", account);
        } else {
            (entry.kind, entry.amount_cents) = ("transfer_out", -amount_cents);
            entry.counterpart = Some(other_number);
            account.enter(&mut self.pen, draft, ("TransferSent", time), entry);
            self.pen.end(draft, &mut chain, "online", account);
            self.arriving = Some(Arrival { from: account.thread.number, to: other, amount_cents, chain });
        }
        true
    }
}

impl Story for Bank {
    fn tell(&mut self, draft: &mut Draft) -> bool {
        if self.pen.is_done() {
            return false;
        }
        if let Some(arrival) = self.arriving.take() {
            return self.receive(&arrival, draft);
        }
        let now = if self.pen.written() == 0 { START } else { self.pen.now() };
        let time = self.calendar.next(now, &mut self.rng);
        let is_early = self.accounts.len() < self.most_accounts;
        if self.accounts.is_empty() || (is_early && self.rng.below(30) == 0) {
            self.open_account(time, draft);
            return true;
        }
        if self.audit_every > 0 && (self.pen.written() + 1).is_multiple_of(self.audit_every) {
            return self.audit(time, draft);
        }
        self.use_account(time, draft)
    }
}

impl Account {
    /// Books an entry; the caller ends the event.
    fn enter(&mut self, pen: &mut Pen, draft: &mut Draft, what: (&'static str, i64), entry: Entry) {
        let (event_type, time) = what;
        self.balance_cents += entry.amount_cents;
        self.entries += 1;
        self.last_entry = Some(entry);
        pen.begin(draft, &mut self.thread, event_type, time);
        draft.data.number("balance_cents", self.balance_cents).number("entries", self.entries);
        // The merge would keep the counterpart of the transfer before.
        entry.write(&mut draft.data, true);
    }

    fn freeze_or_release(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64) {
        self.is_frozen = !self.is_frozen;
        let event_type = if self.is_frozen { "AccountFrozen" } else { "AccountReleased" };
        pen.begin(draft, &mut self.thread, event_type, time);
        draft.data.text("status", self.status());
    }

    fn change_overdraft(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        self.overdraft_cents = rng.between(0, 20) * 10_000;
        pen.begin(draft, &mut self.thread, "OverdraftChanged", time);
        draft.data.number("overdraft_cents", self.overdraft_cents);
    }

    fn status(&self) -> &'static str {
        if self.is_frozen { "frozen" } else { "open" }
    }
}

impl Entry {
    fn write(&self, doc: &mut Doc, says_no_counterpart: bool) {
        doc.object("last_entry", |doc| {
            doc.text("kind", self.kind).number("amount_cents", self.amount_cents);
            doc.text("purpose", self.purpose).text_with("reference", |out| push_hex(out, self.reference, 12));
            match self.counterpart {
                Some(number) => {
                    doc.reference("counterpart", "account", number);
                }
                None if says_no_counterpart => {
                    doc.null("counterpart");
                }
                None => (),
            }
        });
    }
}

impl Subject for Account {
    fn write_state(&self, doc: &mut Doc) {
        doc.text("owner", self.owner).text("status", self.status()).text("currency", "EUR");
        doc.number("balance_cents", self.balance_cents).number("entries", self.entries);
        doc.number("overdraft_cents", self.overdraft_cents);
        if let Some(entry) = &self.last_entry {
            entry.write(doc, false);
        }
        if let Some(entries) = self.audited_entries {
            doc.number("audited_entries", entries);
        }
    }
}
