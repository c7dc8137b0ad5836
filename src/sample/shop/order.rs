//! Orders, from placed to delivered, and the ways they go astray.

use crate::sample::{
    calendar::{DAY, push_date},
    doc::{Doc, push_hex, push_number},
    draft::{Chain, Draft, Pen, Subject, Thread},
    rng::Rng,
    shop::{
        customer::Address,
        plan::{Step, plan},
        product::{Line, total_cents, write_lines},
    },
    words::{CANCEL_REASONS, CARRIERS, NOTES, RETURN_REASONS},
    write::Summary,
};

/// An order.
#[derive(Debug)]
pub(super) struct Order {
    thread: Thread,
    pub(super) customer: usize,
    customer_number: u64,
    customer_name: &'static str,
    lines: Vec<Line>,
    address: Address,
    status: &'static str,
    placed_at: i64,
    updated_at: i64,
    payment: Payment,
    note: Option<&'static str>,
    /// Grams of the parcel.
    parcel: Option<i64>,
    shipment: Option<Shipment>,
    returned: Option<Return>,
    refund_cents: Option<i64>,
    cancellation: Option<&'static str>,
    pub(super) chain: Chain,
    /// What is still to come, the next last.
    plan: Vec<Step>,
}

#[derive(Debug)]
struct Payment {
    method: &'static str,
    status: &'static str,
    attempts: i64,
    failure: Option<&'static str>,
    reference: Option<u64>,
}

#[derive(Debug)]
struct Shipment {
    carrier: &'static str,
    tracking: u64,
    /// Until it is delivered.
    expected: i64,
    delivered: Option<(i64, &'static str)>,
}

#[derive(Debug, Clone, Copy)]
struct Return {
    line: Line,
    count: i64,
    reason: &'static str,
    status: &'static str,
}

impl Order {
    pub(super) fn new(number: u64, buyer: (usize, u64, &'static str), address: Address) -> Self {
        let (customer, customer_number, customer_name) = buyer;
        Self {
            thread: Thread::new("order", number),
            customer,
            customer_number,
            customer_name,
            lines: Vec::new(),
            address,
            status: "placed",
            placed_at: 0,
            updated_at: 0,
            payment: Payment {
                method: "card",
                status: "pending",
                attempts: 0,
                failure: None,
                reference: None,
            },
            note: None,
            parcel: None,
            shipment: None,
            returned: None,
            refund_cents: None,
            cancellation: None,
            chain: Chain::default(),
            plan: Vec::new(),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.thread.number
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether its first event was told before the story ended.
    pub(super) fn is_placed(&self) -> bool {
        self.thread.version > 0
    }

    pub(super) fn total_cents(&self) -> i64 {
        total_cents(&self.lines)
    }

    pub(super) fn place(
        &mut self,
        pen: &mut Pen,
        draft: &mut Draft,
        now: (i64, &str),
        cart: (Chain, Vec<Line>),
        rng: &mut Rng,
    ) {
        (self.chain, self.lines) = cart;
        self.plan = plan(self.number(), rng);
        self.payment.method = rng.pick(&["card", "card", "invoice", "bank_transfer", "gift_card"]);
        pen.begin(draft, &mut self.thread, "OrderPlaced", now.0);
        self.placed_at = draft.time;
        self.updated_at = draft.time;
        self.write_state(&mut draft.data);
        self.end(pen, draft, now.1);
    }

    /// How long until the next step; nothing if there is none.
    pub(super) fn next_in(&self, rng: &mut Rng) -> Option<i64> {
        self.plan.last().map(|step| step.lasts(rng))
    }

    /// Takes the next step, and says which it was.
    pub(super) fn advance(
        &mut self,
        pen: &mut Pen,
        draft: &mut Draft,
        time: i64,
        rng: &mut Rng,
        user: &str,
    ) -> Option<Step> {
        let step = self.plan.pop()?;
        pen.begin(draft, &mut self.thread, step.event_type(), time);
        self.updated_at = draft.time;
        let doc = &mut draft.data;
        let user = match step {
            Step::PaymentFails | Step::Pay => {
                self.settle(step, doc, rng);
                "payments"
            }
            Step::CorrectAddress => {
                self.address = self.address.corrected(rng);
                doc.object("shipping_address", |doc| self.address.write_street(doc));
                user
            }
            Step::AddNote => {
                let note = rng.pick(NOTES);
                self.note = Some(note);
                doc.text("gift_note", note);
                user
            }
            Step::RemoveNote => {
                self.note = None;
                doc.null("gift_note");
                user
            }
            Step::Pack | Step::Ship | Step::Deliver => {
                self.dispatch(step, doc, draft.time, rng);
                "warehouse"
            }
            Step::RequestReturn => {
                self.request_return(doc, rng);
                user
            }
            Step::ReceiveReturn => {
                self.receive_return(doc);
                "warehouse"
            }
            Step::Refund => {
                self.refund(doc);
                "payments"
            }
            Step::Cancel => {
                self.cancel(doc, rng);
                "support"
            }
        };
        self.end(pen, draft, user);
        Some(step)
    }

    fn settle(&mut self, step: Step, doc: &mut Doc, rng: &mut Rng) {
        self.payment.attempts += 1;
        if step == Step::PaymentFails {
            let failure = rng.pick(&["insufficient funds", "declined", "bank did not answer"]);
            self.payment.status = "failed";
            self.payment.failure = Some(failure);
            doc.object("payment", |doc| {
                doc.text("status", "failed").number("attempts", self.payment.attempts);
                doc.text("failure", failure);
            });
            return;
        }
        let had_failed = self.payment.failure.take().is_some();
        self.status = "paid";
        self.payment.status = "captured";
        self.payment.reference = Some(rng.next());
        doc.text("status", "paid").object("payment", |doc| {
            doc.text("status", "captured").number("attempts", self.payment.attempts);
            if had_failed {
                doc.null("failure");
            }
            self.payment.write_reference(doc);
        });
    }

    fn dispatch(&mut self, step: Step, doc: &mut Doc, now: i64, rng: &mut Rng) {
        if step == Step::Pack {
            let grams = 250 + self.lines.iter().map(|line| line.quantity * 330).sum::<i64>();
            self.status = "packed";
            self.parcel = Some(grams);
            doc.text("status", "packed");
            write_parcel(doc, grams);
        } else if step == Step::Ship {
            let carrier = rng.pick(CARRIERS);
            let shipment =
                Shipment { carrier, tracking: rng.next(), expected: now + 3 * DAY, delivered: None };
            self.status = "shipped";
            doc.text("status", "shipped");
            shipment.write(doc);
            self.shipment = Some(shipment);
        } else {
            let signed_by = rng.pick(&["recipient", "neighbour", "front desk", "parcel locker 📦"]);
            self.status = "delivered";
            if let Some(shipment) = &mut self.shipment {
                shipment.delivered = Some((now, signed_by));
            }
            doc.text("status", "delivered").object("shipment", |doc| {
                doc.null("expected_on").time("delivered_at", now).text("signed_by", signed_by);
            });
        }
    }

    fn request_return(&mut self, doc: &mut Doc, rng: &mut Rng) {
        let Some(line) = self.lines.get(rng.index(self.lines.len())).copied() else { return };
        let count = rng.between(1, line.quantity);
        let returned = Return { line, count, reason: rng.pick(RETURN_REASONS), status: "requested" };
        returned.write(doc);
        self.returned = Some(returned);
    }

    fn receive_return(&mut self, doc: &mut Doc) {
        let Some(returned) = &mut self.returned else { return };
        returned.status = "received";
        let (product, count) = (returned.line.product, returned.count);
        doc.object("return", |doc| {
            doc.text("status", "received");
        });
        let Some(line) = self.lines.iter_mut().find(|line| line.product == product) else { return };
        line.quantity -= count;
        let line = *line;
        doc.object("items", |doc| {
            if line.quantity == 0 { line.write_removed(doc) } else { line.write_quantity(doc) }
        });
        self.lines.retain(|line| line.quantity > 0);
        doc.number("total_cents", self.total_cents());
    }

    fn refund(&mut self, doc: &mut Doc) {
        let Some(returned) = &mut self.returned else { return };
        returned.status = "closed";
        let amount_cents = returned.count * returned.line.price_cents;
        self.status = if self.lines.is_empty() { "refunded" } else { "partly_refunded" };
        self.refund_cents = Some(amount_cents);
        doc.text("status", self.status);
        write_refund(doc, amount_cents);
        doc.object("return", |doc| {
            doc.text("status", "closed");
        });
    }

    fn cancel(&mut self, doc: &mut Doc, rng: &mut Rng) {
        let reason = rng.pick(CANCEL_REASONS);
        self.status = "cancelled";
        self.cancellation = Some(reason);
        self.payment.status = "voided";
        doc.text("status", "cancelled");
        write_cancellation(doc, reason);
        doc.object("payment", |doc| {
            doc.text("status", "voided");
        });
    }

    fn end(&mut self, pen: &Pen, draft: &mut Draft, user: &str) {
        let mut chain = self.chain;
        pen.end(draft, &mut chain, user, self);
        self.chain = chain;
    }

    /// The row of `order_summaries`.
    pub(super) fn summary(&self) -> Summary<'_> {
        Summary {
            order: self.number(),
            customer: self.customer_number,
            customer_name: self.customer_name,
            status: self.status,
            item_count: self.lines.iter().map(|line| line.quantity).sum(),
            total_cents: self.total_cents(),
            placed_at: self.placed_at,
            updated_at: self.updated_at,
        }
    }
}

impl Payment {
    fn write_reference(&self, doc: &mut Doc) {
        if let Some(reference) = self.reference {
            doc.text_with("reference", |out| {
                out.push_str("pay_");
                push_hex(out, reference, 12);
            });
        }
    }
}

impl Shipment {
    fn write(&self, doc: &mut Doc) {
        doc.object("shipment", |doc| {
            doc.text("carrier", self.carrier);
            doc.text_with("tracking_number", |out| push_number(out, (self.tracking >> 16) as i64));
            if let Some((time, signed_by)) = self.delivered {
                doc.time("delivered_at", time).text("signed_by", signed_by);
            } else {
                doc.text_with("expected_on", |out| push_date(out, self.expected));
            }
        });
    }
}

impl Return {
    fn write(&self, doc: &mut Doc) {
        doc.object("return", |doc| {
            doc.text("status", self.status).text("reason", self.reason);
            doc.object("items", |doc| self.line.write_count(doc, self.count));
        });
    }
}

fn write_parcel(doc: &mut Doc, grams: i64) {
    doc.array("parcels", |doc| {
        doc.item(|doc| {
            doc.number("weight_grams", grams);
        });
    });
}

fn write_refund(doc: &mut Doc, amount_cents: i64) {
    doc.object("refund", |doc| {
        doc.number("amount_cents", amount_cents);
    });
}

fn write_cancellation(doc: &mut Doc, reason: &str) {
    doc.object("cancellation", |doc| {
        doc.text("reason", reason);
    });
}

impl Subject for Order {
    fn write_state(&self, doc: &mut Doc) {
        doc.reference("customer_id", "customer", self.customer_number);
        doc.text("customer_name", self.customer_name).text("status", self.status);
        doc.time("placed_at", self.placed_at).text("currency", "EUR");
        write_lines(doc, &self.lines);
        doc.number("total_cents", self.total_cents());
        doc.object("shipping_address", |doc| self.address.write(doc));
        doc.object("payment", |doc| {
            doc.text("method", self.payment.method).text("status", self.payment.status);
            doc.number("attempts", self.payment.attempts);
            if let Some(failure) = self.payment.failure {
                doc.text("failure", failure);
            }
            self.payment.write_reference(doc);
        });
        if let Some(note) = self.note {
            doc.text("gift_note", note);
        }
        if let Some(grams) = self.parcel {
            write_parcel(doc, grams);
        }
        if let Some(shipment) = &self.shipment {
            shipment.write(doc);
        }
        if let Some(returned) = &self.returned {
            returned.write(doc);
        }
        if let Some(amount_cents) = self.refund_cents {
            write_refund(doc, amount_cents);
        }
        if let Some(reason) = self.cancellation {
            write_cancellation(doc, reason);
        }
    }
}
