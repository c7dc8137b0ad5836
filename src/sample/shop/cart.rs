//! Carts, which are filled and then paid for or forgotten.

use crate::sample::{
    doc::Doc,
    draft::{Chain, Draft, Pen, Subject, Thread},
    rng::Rng,
    shop::product::{Line, total_cents, write_lines},
};

/// A cart.
#[derive(Debug)]
pub(super) struct Cart {
    thread: Thread,
    pub(super) customer: usize,
    customer_number: u64,
    pub(super) lines: Vec<Line>,
    pub(super) chain: Chain,
    status: &'static str,
    order: Option<u64>,
}

impl Cart {
    pub(super) fn new(number: u64, customer: usize, customer_number: u64) -> Self {
        Self {
            thread: Thread::new("cart", number),
            customer,
            customer_number,
            lines: Vec::new(),
            chain: Chain::default(),
            status: "open",
            order: None,
        }
    }

    pub(super) fn open(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, user: &str) {
        pen.begin(draft, &mut self.thread, "CartOpened", time);
        self.write_state(&mut draft.data);
        self.end(pen, draft, user);
    }

    /// Puts something in, or more of what is in it already.
    pub(super) fn add(&mut self, pen: &mut Pen, draft: &mut Draft, now: (i64, &str), line: Line) {
        let (time, user) = now;
        let known = self.lines.iter_mut().find(|known| known.product == line.product);
        if let Some(known) = known {
            known.quantity += line.quantity;
            let known = *known;
            pen.begin(draft, &mut self.thread, "QuantityChanged", time);
            draft.data.object("items", |doc| known.write_quantity(doc));
        } else {
            self.lines.push(line);
            pen.begin(draft, &mut self.thread, "ItemAdded", time);
            draft.data.object("items", |doc| line.write(doc));
        }
        draft.data.number("total_cents", total_cents(&self.lines));
        self.end(pen, draft, user);
    }

    /// Takes one thing out again.
    pub(super) fn remove(&mut self, pen: &mut Pen, draft: &mut Draft, now: (i64, &str), rng: &mut Rng) {
        let (time, user) = now;
        let line = self.lines.remove(rng.index(self.lines.len()));
        pen.begin(draft, &mut self.thread, "ItemRemoved", time);
        draft.data.object("items", |doc| line.write_removed(doc));
        draft.data.number("total_cents", total_cents(&self.lines));
        self.end(pen, draft, user);
    }

    pub(super) fn check_out(&mut self, pen: &mut Pen, draft: &mut Draft, now: (i64, &str), order: u64) {
        let (time, user) = now;
        self.status = "checked_out";
        self.order = Some(order);
        pen.begin(draft, &mut self.thread, "CartCheckedOut", time);
        draft.data.text("status", self.status).reference("order_id", "order", order);
        self.end(pen, draft, user);
    }

    pub(super) fn abandon(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64) {
        self.status = "abandoned";
        pen.begin(draft, &mut self.thread, "CartAbandoned", time);
        draft.data.text("status", self.status);
        self.end(pen, draft, "cart-job");
    }

    fn end(&mut self, pen: &Pen, draft: &mut Draft, user: &str) {
        let mut chain = self.chain;
        pen.end(draft, &mut chain, user, self);
        self.chain = chain;
    }
}

impl Subject for Cart {
    fn write_state(&self, doc: &mut Doc) {
        doc.reference("customer_id", "customer", self.customer_number).text("status", self.status);
        write_lines(doc, &self.lines);
        doc.number("total_cents", total_cents(&self.lines));
        if let Some(order) = self.order {
            doc.reference("order_id", "order", order);
        }
    }
}
