//! A shop over months: customers, carts, orders, products and store credit, each with a life.
//!
//! What happens next is a heap of appointments. One event makes the appointments that follow from
//! it, so that causes and effects lie in different streams as they do in real stores.

mod cart;
mod customer;
mod order;
mod plan;
mod product;

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::sample::{
    calendar::{Calendar, DAY, HOUR, MINUTE, SECOND, START},
    draft::{Draft, Pen, Telling},
    rng::Rng,
    write::{Story, Summary},
};

use cart::Cart;
use customer::{Credit, Customer};
use order::Order;
use plan::Step;
use product::Product;

/// The number of the first customer, who moves and moves again.
const FIRST_CUSTOMER: u64 = 1001;
/// The number of the first product.
const FIRST_PRODUCT: u64 = 101;
const FIRST_CART: u64 = 8001;
const FIRST_ORDER: u64 = 4701;
/// An order that goes from placed to delivered without a hitch.
const PLAIN_ORDER: u64 = 4702;
/// An order to which nearly everything happens.
const EVENTFUL_ORDER: u64 = 4711;
/// An order that is cancelled and delivered all the same: the one to find in the tour of the README.
const IMPOSSIBLE_ORDER: u64 = 4744;

/// What somebody will do; the numbers are indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Appointment {
    Arrive,
    AddProduct(usize),
    ChangeProduct(usize),
    OpenCredit(usize),
    Live(usize),
    OpenCart { customer: usize },
    FillCart { cart: usize, left: u64 },
    CheckOut(usize),
    Abandon(usize),
    Place { cart: usize, order: usize },
    Reserve { order: usize, line: usize },
    Advance(usize),
    EnterCredit(usize),
}

/// The shop.
pub(crate) struct Shop {
    pen: Pen,
    rng: Rng,
    calendar: Calendar,
    due: BinaryHeap<Reverse<(i64, u64, Appointment)>>,
    made: u64,
    products: Vec<Product>,
    customers: Vec<Customer>,
    credits: Vec<Credit>,
    carts: Vec<Cart>,
    orders: Vec<Order>,
}

impl Shop {
    /// A shop of which so many events are told.
    pub(crate) fn new(telling: Telling) -> Self {
        let mut rng = Rng::new(telling.seed, 1);
        let calendar = Calendar::new(telling, 15);
        let mut shop = Self {
            pen: Pen::new(rng.next(), telling),
            rng,
            due: BinaryHeap::new(),
            made: 0,
            products: Vec::new(),
            customers: Vec::new(),
            credits: Vec::new(),
            carts: Vec::new(),
            orders: Vec::new(),
            calendar,
        };
        let products = (telling.events / 90).clamp(3, 400) as usize;
        for index in 0..products {
            shop.products.push(Product::new(index, &mut shop.rng));
            shop.meet(START + index as i64 * 95 * SECOND, Appointment::AddProduct(index));
        }
        shop.meet(START + HOUR * 5, Appointment::Arrive);
        shop
    }

    fn meet(&mut self, time: i64, appointment: Appointment) {
        self.made += 1;
        self.due.push(Reverse((time, self.made, appointment)));
    }

    fn meet_in(&mut self, least: i64, most: i64, appointment: Appointment) {
        let time = self.pen.now() + self.rng.between(least, most);
        let time = self.calendar.open(time, &mut self.rng);
        self.meet(time, appointment);
    }

    /// Keeps one appointment; false if nothing came of it.
    fn keep(&mut self, time: i64, appointment: Appointment, draft: &mut Draft) -> bool {
        match appointment {
            Appointment::Arrive => self.arrive(time, draft),
            Appointment::AddProduct(index) | Appointment::ChangeProduct(index) => {
                self.change_product(time, appointment, index, draft)
            }
            Appointment::OpenCredit(index) => self.open_credit(index, draft),
            Appointment::Live(index) => self.live(time, index, draft),
            Appointment::OpenCart { customer } => self.open_cart(time, customer, draft),
            Appointment::FillCart { cart, left } => self.fill_cart(time, cart, left, draft),
            Appointment::CheckOut(cart) => self.check_out(time, cart, draft),
            Appointment::Abandon(cart) => self.abandon(time, cart, draft),
            Appointment::Place { cart, order } => self.place(time, cart, order, draft),
            Appointment::Reserve { order, line } => self.reserve(order, line, draft),
            Appointment::Advance(order) => self.advance(time, order, draft),
            Appointment::EnterCredit(order) => self.enter_credit(order, draft),
        }
    }

    /// Somebody comes, for the first time or again, and will open a cart.
    fn arrive(&mut self, time: i64, draft: &mut Draft) -> bool {
        let next = self.calendar.next(time, &mut self.rng);
        self.meet(next, Appointment::Arrive);
        if !self.customers.is_empty() && self.rng.chance(75) {
            let customer = self.rng.index(self.customers.len());
            return self.open_cart(time, customer, draft);
        }
        let index = self.customers.len();
        let number = FIRST_CUSTOMER + index as u64;
        let mut customer = Customer::new(number, &mut self.rng);
        customer.register(&mut self.pen, draft, time);
        self.customers.push(customer);
        self.credits.push(Credit::new(number));
        self.meet(self.pen.now() + SECOND / 5, Appointment::OpenCredit(index));
        self.meet_in(2 * MINUTE, HOUR, Appointment::OpenCart { customer: index });
        self.meet_in(6 * DAY, 40 * DAY, Appointment::Live(index));
        true
    }

    fn change_product(
        &mut self,
        time: i64,
        appointment: Appointment,
        index: usize,
        draft: &mut Draft,
    ) -> bool {
        let Some(product) = self.products.get_mut(index) else { return false };
        if matches!(appointment, Appointment::AddProduct(_)) {
            product.add(&mut self.pen, draft, time);
        } else {
            product.change(&mut self.pen, draft, time, &mut self.rng);
        }
        if product.is_listed() {
            self.meet_in(5 * DAY, 45 * DAY, Appointment::ChangeProduct(index));
        }
        true
    }

    fn open_credit(&mut self, index: usize, draft: &mut Draft) -> bool {
        let (Some(customer), Some(credit)) = (self.customers.get(index), self.credits.get_mut(index)) else {
            return false;
        };
        credit.open(&mut self.pen, draft, customer.chain());
        true
    }

    fn live(&mut self, time: i64, index: usize, draft: &mut Draft) -> bool {
        let Some(customer) = self.customers.get_mut(index) else { return false };
        customer.live(&mut self.pen, draft, time, &mut self.rng);
        if !customer.is_closed() {
            self.meet_in(9 * DAY, 60 * DAY, Appointment::Live(index));
        }
        true
    }

    fn open_cart(&mut self, time: i64, customer: usize, draft: &mut Draft) -> bool {
        let Some(buyer) = self.customers.get(customer).filter(|buyer| !buyer.is_closed()) else {
            return false;
        };
        let index = self.carts.len();
        let mut cart = Cart::new(FIRST_CART + index as u64, customer, buyer.number());
        cart.open(&mut self.pen, draft, time, buyer.handle());
        self.carts.push(cart);
        let left = 1 + self.rng.below(4);
        self.meet_in(10 * SECOND, 4 * MINUTE, Appointment::FillCart { cart: index, left });
        true
    }

    fn fill_cart(&mut self, time: i64, index: usize, left: u64, draft: &mut Draft) -> bool {
        let Some(cart) = self.carts.get_mut(index) else { return false };
        let user = self.customers.get(cart.customer).map_or("", Customer::handle);
        if cart.lines.len() > 1 && self.rng.chance(15) {
            cart.remove(&mut self.pen, draft, (time, user), &mut self.rng);
        } else {
            let choice = self.rng.index(self.products.len());
            let listed = (choice..self.products.len()).chain(0..choice).find_map(|product| {
                Some((product, self.products.get(product).filter(|product| product.is_listed())?))
            });
            let Some((choice, product)) = listed else { return false };
            let quantity = 1 + self.rng.below(3) as i64;
            cart.add(&mut self.pen, draft, (time, user), product.line(choice, quantity));
        }
        if left > 1 {
            let next = Appointment::FillCart { cart: index, left: left - 1 };
            self.meet_in(8 * SECOND, 6 * MINUTE, next);
        } else if self.rng.chance(72) {
            self.meet_in(30 * SECOND, 12 * MINUTE, Appointment::CheckOut(index));
        } else {
            self.meet_in(2 * DAY, 2 * DAY + HOUR, Appointment::Abandon(index));
        }
        true
    }

    fn abandon(&mut self, time: i64, index: usize, draft: &mut Draft) -> bool {
        let Some(cart) = self.carts.get_mut(index) else { return false };
        cart.abandon(&mut self.pen, draft, time);
        true
    }

    fn check_out(&mut self, time: i64, index: usize, draft: &mut Draft) -> bool {
        let Some(cart) = self.carts.get_mut(index) else { return false };
        let Some(buyer) = self.customers.get(cart.customer) else { return false };
        let order = self.orders.len();
        let number = FIRST_ORDER + order as u64;
        cart.check_out(&mut self.pen, draft, (time, buyer.handle()), number);
        self.orders.push(Order::new(number, (cart.customer, buyer.number(), buyer.name()), buyer.address()));
        self.meet(self.pen.now() + 120_000, Appointment::Place { cart: index, order });
        true
    }

    fn place(&mut self, time: i64, cart: usize, index: usize, draft: &mut Draft) -> bool {
        let Some(order) = self.orders.get_mut(index) else { return false };
        let Some(cart) = self.carts.get(cart) else { return false };
        let user = self.customers.get(order.customer).map_or("", Customer::handle);
        let content = (cart.chain, cart.lines.clone());
        order.place(&mut self.pen, draft, (time, user), content, &mut self.rng);
        let (lines, next_in) = (order.lines().len(), order.next_in(&mut self.rng));
        for line in 0..lines {
            self.meet(self.pen.now() + 60_000 + line as i64, Appointment::Reserve { order: index, line });
        }
        if let Some(next_in) = next_in {
            self.meet_in(next_in, next_in, Appointment::Advance(index));
        }
        true
    }

    fn reserve(&mut self, index: usize, line: usize, draft: &mut Draft) -> bool {
        let Some(order) = self.orders.get(index) else { return false };
        let Some(line) = order.lines().get(line) else { return false };
        let Some(product) = self.products.get_mut(line.product) else { return false };
        product.reserve(&mut self.pen, draft, order.chain, (order.number(), line.quantity));
        true
    }

    fn advance(&mut self, time: i64, index: usize, draft: &mut Draft) -> bool {
        let Some(order) = self.orders.get_mut(index) else { return false };
        let user = self.customers.get(order.customer).map_or("", Customer::handle);
        let Some(step) = order.advance(&mut self.pen, draft, time, &mut self.rng, user) else {
            return false;
        };
        let next_in = order.next_in(&mut self.rng);
        if step == Step::Pay {
            self.meet(self.pen.now() + 250_000, Appointment::EnterCredit(index));
        }
        if let Some(next_in) = next_in {
            self.meet_in(next_in, next_in, Appointment::Advance(index));
        }
        true
    }

    fn enter_credit(&mut self, index: usize, draft: &mut Draft) -> bool {
        let Some(order) = self.orders.get(index) else { return false };
        let Some(credit) = self.credits.get_mut(order.customer) else { return false };
        credit.enter(&mut self.pen, draft, order.chain, (order.number(), order.total_cents()));
        true
    }
}

impl Story for Shop {
    fn tell(&mut self, draft: &mut Draft) -> bool {
        while !self.pen.is_done() {
            let Some(Reverse((time, _, appointment))) = self.due.pop() else { return false };
            if self.keep(time, appointment, draft) {
                return true;
            }
        }
        false
    }

    fn has_read_model(&self) -> bool {
        true
    }

    fn summaries(&self, visit: &mut dyn FnMut(&Summary<'_>) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.orders.iter().filter(|order| order.is_placed()).try_for_each(|order| visit(&order.summary()))
    }
}
