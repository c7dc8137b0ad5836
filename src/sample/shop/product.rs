//! Products, whose price and stock change.

use crate::sample::{
    doc::{Doc, push_number},
    draft::{Chain, Draft, Pen, Subject, Thread},
    rng::Rng,
    words::{WARES, Ware},
};

/// Something that is sold.
#[derive(Debug)]
pub(super) struct Product {
    thread: Thread,
    ware: Ware,
    price_cents: i64,
    stock: i64,
    last_order: Option<u64>,
    is_listed: bool,
}

/// So many of a product, at the price of the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) product: usize,
    pub(super) ware: Ware,
    /// Tells products apart that differ in size only; the first have none.
    pub(super) edition: u64,
    pub(super) quantity: i64,
    pub(super) price_cents: i64,
}

/// What all lines cost together, in cents.
pub(super) fn total_cents(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.quantity * line.price_cents).sum()
}

/// The lines as an object by stock number.
pub(super) fn write_lines(doc: &mut Doc, lines: &[Line]) {
    doc.object("items", |doc| lines.iter().for_each(|line| line.write(doc)));
}

impl Line {
    pub(super) fn write(&self, doc: &mut Doc) {
        self.keyed(|sku| {
            doc.object(sku, |doc| {
                doc.text("name", self.ware.1).number("quantity", self.quantity);
                doc.number("price_cents", self.price_cents);
            });
        });
    }

    /// Only how many there are now.
    pub(super) fn write_quantity(&self, doc: &mut Doc) {
        self.keyed(|sku| {
            doc.object(sku, |doc| {
                doc.number("quantity", self.quantity);
            });
        });
    }

    /// That it is gone.
    pub(super) fn write_removed(&self, doc: &mut Doc) {
        self.keyed(|sku| {
            doc.null(sku);
        });
    }

    /// How many of it, by stock number.
    pub(super) fn write_count(&self, doc: &mut Doc, count: i64) {
        self.keyed(|sku| {
            doc.number(sku, count);
        });
    }

    fn keyed(&self, write: impl FnOnce(&str)) {
        with_sku(self.ware, self.edition, write);
    }
}

/// `TEA-001`, or `TEA-001.2` for the second product of that kind.
fn with_sku<T>(ware: Ware, edition: u64, use_it: impl FnOnce(&str) -> T) -> T {
    if edition == 0 {
        return use_it(ware.0);
    }
    let mut sku = String::with_capacity(16);
    sku.push_str(ware.0);
    sku.push('.');
    push_number(&mut sku, edition as i64 + 1);
    use_it(&sku)
}

impl Product {
    /// The product with this index.
    pub(super) fn new(index: usize, rng: &mut Rng) -> Self {
        let ware = WARES.get(index % WARES.len()).copied().unwrap_or_default();
        Self {
            thread: Thread::new("product", super::FIRST_PRODUCT + index as u64),
            ware,
            price_cents: ware.3,
            stock: rng.between(40, 200),
            last_order: None,
            is_listed: true,
        }
    }

    pub(super) fn line(&self, product: usize, quantity: i64) -> Line {
        let edition = (product / WARES.len()) as u64;
        Line { product, ware: self.ware, edition, quantity, price_cents: self.price_cents }
    }

    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    pub(super) fn add(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64) {
        pen.begin(draft, &mut self.thread, "ProductAdded", time);
        self.write_state(&mut draft.data);
        pen.end(draft, &mut Chain::default(), "catalogue", self);
    }

    /// A new price, a delivery, or the end of it.
    pub(super) fn change(&mut self, pen: &mut Pen, draft: &mut Draft, time: i64, rng: &mut Rng) {
        match rng.below(20) {
            0 if self.thread.version > 4 => {
                self.is_listed = false;
                pen.begin(draft, &mut self.thread, "ProductDiscontinued", time);
                draft.data.text("status", "discontinued").null("price_cents");
            }
            1..8 => {
                self.price_cents = (self.price_cents * rng.between(88, 115) / 100).max(50) / 10 * 10;
                pen.begin(draft, &mut self.thread, "PriceChanged", time);
                draft.data.number("price_cents", self.price_cents);
            }
            _ => {
                let delivered = rng.between(2, 12) * 12;
                self.stock += delivered;
                pen.begin(draft, &mut self.thread, "StockReceived", time);
                draft.data.number("stock", self.stock);
            }
        }
        pen.end(draft, &mut Chain::default(), "warehouse", self);
    }

    /// Sets aside what an order takes.
    pub(super) fn reserve(&mut self, pen: &mut Pen, draft: &mut Draft, mut chain: Chain, sale: (u64, i64)) {
        let (order, quantity) = sale;
        self.stock -= quantity;
        self.last_order = Some(order);
        pen.begin(draft, &mut self.thread, "StockReserved", pen.now() + 40_000);
        draft.data.number("stock", self.stock).reference("last_order", "order", order);
        pen.end(draft, &mut chain, "warehouse", self);
    }
}

impl Subject for Product {
    fn write_state(&self, doc: &mut Doc) {
        let edition = (self.thread.number - super::FIRST_PRODUCT) / WARES.len() as u64;
        with_sku(self.ware, edition, |sku| {
            doc.text("sku", sku);
        });
        doc.text("name", self.ware.1).text("department", self.ware.2);
        doc.text("status", if self.is_listed { "listed" } else { "discontinued" });
        if self.is_listed {
            doc.number("price_cents", self.price_cents);
        }
        doc.number("stock", self.stock);
        if let Some(order) = self.last_order {
            doc.reference("last_order", "order", order);
        }
    }
}
