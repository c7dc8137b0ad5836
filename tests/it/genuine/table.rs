//! Which reducer makes the states of which store, and how the store keeps its own.

use timeglass::model::Json;

/// One fixture store and what is known of its states.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// `tests/fixtures/stores/NAME.sqlite.gz`.
    pub(super) store: &'static str,
    /// Where the final states come from.
    pub(super) maker: Maker,
    /// The reducers in `tests/fixtures/reducers/`, by category.
    pub(super) reducers: &'static [(Category, &'static str)],
    /// Categories without domain states.
    pub(super) left_out: &'static [&'static str],
    /// What a sample stream of the expectations is called in the store.
    pub(super) stream_of: fn(&Json) -> String,
    /// Where the domain's state stands in a stored one.
    pub(super) stored: Stored,
    /// How many stored states are the reducer's at their version, over all streams.
    pub(super) agreeing: usize,
    /// Stored states that are not.
    pub(super) exceptions: &'static [Exception],
    /// Events that the reducer cannot apply or does not know, by label: planted ones.
    pub(super) troubled: &'static [&'static str],
    /// How the reasons begin for which no event of this store can be decoded, and so none of its
    /// states can be made; empty for a store that can be read.
    pub(super) opaque: &'static [&'static str],
}

/// Who reported the final states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// A library, which also wrote every row.
    Library,
    /// A library's rules; the rows were filled into its published tables by hand.
    Tables,
    /// The code that this project started from.
    Seed,
}

/// The kind of a stream; `None` where a store has none.
pub(super) type Category = Option<&'static str>;

/// How a stored state keeps the domain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// It is the domain's state, member by member.
    Whole,
    /// As this member; beside it the library keeps its own things.
    Member(&'static str),
    /// Among members of the library's own, which are these.
    Beside(&'static [&'static str]),
    /// Without a stream or version, under a hash of itself: it must be the state of exactly one
    /// stream, after an event of the very time at which it was stored.
    ByHash,
    /// As a Python pickle, which is never run; the expectations hold the state of sample streams.
    Pickled,
    /// Wrongly, by a bug of the library; the expectations hold the stored and the right states.
    Wrong,
}

/// A stored state that is not the reducer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exception {
    /// The member at this path was tampered with; the expectations' defects hold both values.
    Differs(&'static str, i64, &'static str),
    /// No event was ever written to this stream.
    NoEvents(&'static str, i64),
    /// The stream ends before this version.
    Beyond(&'static str, i64),
}

impl Row {
    const fn new(store: &'static str, maker: Maker, reducers: &'static [(Category, &'static str)]) -> Self {
        Self {
            store,
            maker,
            reducers,
            left_out: &[],
            stream_of: by_id,
            stored: Stored::Whole,
            agreeing: 0,
            exceptions: &[],
            troubled: &[],
            opaque: &[],
        }
    }

    const fn library(store: &'static str, reducers: &'static [(Category, &'static str)]) -> Self {
        Self::new(store, Maker::Library, reducers)
    }

    const fn tables(store: &'static str, reducers: &'static [(Category, &'static str)]) -> Self {
        Self::new(store, Maker::Tables, reducers)
    }

    const fn seed(store: &'static str, reducers: &'static [(Category, &'static str)]) -> Self {
        Self::new(store, Maker::Seed, reducers)
    }

    const fn states(self, stored: Stored, agreeing: usize) -> Self {
        Self { stored, agreeing, ..self }
    }

    const fn except(self, exceptions: &'static [Exception]) -> Self {
        Self { exceptions, ..self }
    }

    const fn troubled(self, troubled: &'static [&'static str]) -> Self {
        Self { troubled, ..self }
    }

    const fn named(self, stream_of: fn(&Json) -> String) -> Self {
        Self { stream_of, ..self }
    }

    const fn opaque(self, opaque: &'static [&'static str]) -> Self {
        Self { opaque, ..self }
    }
}

/// The stream's id, in the store's own spelling where the expectations have it.
fn by_id(sample: &Json) -> String {
    let id = ["stored_id", "id", "domain_id"].into_iter().find_map(|name| sample.get(name)?.as_text());
    id.expect("a sample stream has an id").to_owned()
}

/// The beginning of the id, after a prefix: `save-ce73`.
fn by_beginning(sample: &Json, prefix: &str, letters: usize) -> String {
    let id = by_id(sample);
    format!("{prefix}{}", id.get(..letters).expect("an id of so many letters"))
}

/// The type in small letters, a dash and the id: `bankaccount-ce73ac10-…`.
fn by_type_and_id(sample: &Json) -> String {
    let kind = sample.get("type").and_then(Json::as_text).expect("a sample stream has a type");
    format!("{}-{}", kind.to_lowercase(), by_id(sample))
}

const ACCOUNT: &str = "bank-account.js";
const ORDER: &str = "order.js";
const CART: &str = "cart.js";

/// Categories named after the classes; most stores have these.
const CLASSES: &[(Category, &str)] =
    &[(Some("BankAccount"), ACCOUNT), (Some("Order"), ORDER), (Some("Cart"), CART)];
/// The same in small letters.
const SMALL: &[(Category, &str)] =
    &[(Some("bankaccount"), ACCOUNT), (Some("order"), ORDER), (Some("cart"), CART)];
const ANY: &str = "by-any-name.js";
/// Event types that are not named plainly, in streams of these categories.
const ANY_CLASSES: &[(Category, &str)] =
    &[(Some("BankAccount"), ANY), (Some("Order"), ANY), (Some("Cart"), ANY)];
const ANY_SMALL: &[(Category, &str)] =
    &[(Some("bankaccount"), ANY), (Some("order"), ANY), (Some("cart"), ANY)];
/// Streams of no category: one reducer for all three kinds.
const ANY_STREAM: &[(Category, &str)] = &[(None, ANY)];
const TOPICS: &str = "eventsourcing.js";
const TOPIC_CLASSES: &[(Category, &str)] =
    &[(Some("BankAccount"), TOPICS), (Some("Order"), TOPICS), (Some("Cart"), TOPICS)];
/// The stores with compressed and encrypted events have no accounts.
const TOPIC_ORDERS: &[(Category, &str)] = &[(Some("Order"), TOPICS), (Some("Cart"), TOPICS)];

/// `_created_on` and `_modified_on` are the library's; the domain never sees them.
const STAMPED: Stored = Stored::Beside(&["_created_on", "_modified_on"]);

const USER: &[(Category, &str)] = &[(Some("User"), "seed-000-user.js")];
const SHOPPING: &[(Category, &str)] =
    &[(Some("Order"), "seed-001-order.js"), (Some("Customer"), "seed-001-customer.js")];
const BANKING: &[(Category, &str)] =
    &[(Some("User"), "seed-002-user.js"), (Some("Order"), "seed-002-order.js")];
const ORDERING: &[(Category, &str)] = &[(Some("Order"), "seed-003-order.js")];

/// Encrypted: what short random bytes look like differs.
const CIPHERTEXT: &[&str] =
    &["looks random: encrypted, most likely", "not JSON: invalid UTF-8", "bytes of no known form"];

/// Every store whose expectations hold final states.
pub(super) const ROWS: [Row; 42] = [
    // Libraries that ran and wrote every row themselves.
    Row::library("activegraph", ANY_STREAM).states(Stored::ByHash, 6),
    Row {
        left_out: &["projection"],
        ..Row::library(
            "aiq-runtime",
            &[(Some("account"), ACCOUNT), (Some("order"), ORDER), (Some("cart"), CART)],
        )
    },
    Row::library("blessql", ANY_STREAM),
    Row::library(
        "emmett-sqlite",
        &[(Some("bank_account"), ACCOUNT), (Some("order"), ORDER), (Some("shopping_cart"), CART)],
    ),
    // The newest snapshots stand in two tables.
    Row::library("event-store-adapter-rs", ANY_CLASSES).states(Stored::Whole, 30),
    Row::library("eventsource-py", CLASSES).states(Stored::Whole, 9),
    Row::library("eventsourcing", TOPIC_CLASSES).states(STAMPED, 9),
    Row::library("eventsourcing-aes", TOPIC_ORDERS).opaque(CIPHERTEXT),
    Row::library("eventsourcing-sqlalchemy", TOPIC_CLASSES).states(STAMPED, 9),
    Row::library("eventsourcing-zlib", TOPIC_ORDERS),
    // Each event of an account carries the state after it.
    Row::library(
        "evtstore",
        &[(Some("bank-accounts"), ACCOUNT), (Some("orders"), ORDER), (Some("carts"), CART)],
    )
    .states(Stored::Member("s"), 883),
    // `@all` is no stream but the library's name for the whole log, of which it counted the events.
    Row::library("py-event-sourcing", SMALL)
        .states(Stored::Whole, 6)
        .except(&[Exception::NoEvents("@all", 1225)]),
    Row::library("schemeless-typeorm", SMALL),
    Row::library("sqlite-es", CLASSES).states(Stored::Wrong, 0),
    // Tables as libraries publish them, filled by hand.
    Row::tables("ddl-akka-persistence-jdbc", ANY_CLASSES),
    Row::tables("ddl-axiomai-engine", ANY_STREAM).named(|sample| by_beginning(sample, "save-", 4)),
    Row::tables("ddl-axon5-jpa", ANY_CLASSES),
    Row::tables("ddl-broadway", ANY_STREAM),
    Row::tables("ddl-canongraph", ANY_CLASSES),
    Row::tables(
        "ddl-castore-postgres",
        &[(Some("BANKACCOUNT"), ANY), (Some("ORDER"), ANY), (Some("CART"), ANY)],
    ),
    Row::tables(
        "ddl-eventflow-sqlite",
        &[
            (Some("BankAccountAggregate"), ACCOUNT),
            (Some("OrderAggregate"), ORDER),
            (Some("CartAggregate"), CART),
        ],
    )
    .named(by_type_and_id),
    Row::tables("ddl-eventsauce-default", CLASSES),
    Row::tables("ddl-eventsauce-legacy", ANY_STREAM),
    Row::tables("ddl-eventually-rs", CLASSES),
    Row::tables("ddl-marten", ANY_SMALL),
    Row::tables(
        "ddl-message-db",
        &[(Some("bankAccount"), ACCOUNT), (Some("order"), ORDER), (Some("cart"), CART)],
    ),
    Row::tables("ddl-ocoda-postgres", SMALL),
    Row::tables("ddl-rails-event-store", ANY_CLASSES).opaque(&["YAML, shown as text"]),
    Row::tables("ddl-schemeless-expo", SMALL),
    Row::tables("ddl-spatie-laravel", ANY_STREAM),
    Row::tables("ddl-sqlstreamstore-sqlite", SMALL),
    Row::tables("ddl-swarm-mail", ANY_STREAM).named(|sample| by_beginning(sample, "/home/ada/", 8)),
    Row::tables("ddl-wolkenkit", ANY_STREAM),
    // The five schemas that this project started from, and copies with planted defects.
    Row::seed("seed-000", USER).states(Stored::Whole, 32),
    Row::seed("seed-000-defects", USER).states(Stored::Whole, 31).except(&[
        Exception::Differs("ae54d496-33f8-4baf-bb05-a81d7d24563a", 200, "/name"),
        Exception::Beyond("892a486a-d560-4aa5-83d6-543d05f68f2f", 900),
        Exception::NoEvents("ef201b65-aab2-495f-87f9-40bd5cbe4fbc", 100),
    ]),
    Row::seed("seed-001", SHOPPING).states(Stored::Whole, 41),
    Row::seed("seed-002", BANKING).states(Stored::Whole, 13),
    // A deposit in single quotes is no JSON, so it has no amount; another's amount is a text, which
    // JavaScript puts behind the balance instead of adding it.
    Row::seed("seed-002-defects", BANKING)
        .states(Stored::Whole, 12)
        .except(&[Exception::Differs("user_123", 700, "/balance"), Exception::NoEvents("user_999", 50)])
        .troubled(&["FundsDeposited 3@User-user_107", "FundsDeposited 3@User-user_108"]),
    Row::seed("seed-002-jsonb", BANKING).states(Stored::Whole, 13),
    Row::seed("seed-003", ORDERING).states(Stored::Whole, 51),
    // One event says `order` where all others say `Order`, and one type is misspelt.
    Row { left_out: &["order"], ..Row::seed("seed-003-defects", ORDERING) }
        .states(Stored::Whole, 50)
        .except(&[
            Exception::Differs("order_af4282a6", 100, "/status"),
            Exception::NoEvents("order_deadbeef", 10),
        ])
        .troubled(&["OrderShiped 7@Order-order_94d4553f"]),
    Row::seed("seed-004", &[(None, "seed-004-order.js")]).states(Stored::Pickled, 3),
];
