//! What a definition's names say of a store.

use std::path::Path;

use timeglass::{
    model::{Json, StreamName},
    projection::{Definition, coverage::most_handled},
    script::Options,
    store::{
        index::Index,
        memory::{MemoryStore, event},
    },
    work::Work,
};

/// Three events of an order, two of them `Paid`, and two of an invoice, one of them `Paid`.
fn index() -> Index {
    let events = [
        ("order", "Placed"),
        ("order", "Paid"),
        ("order", "Paid"),
        ("invoice", "Written"),
        ("invoice", "Paid"),
    ];
    let made = (1..).zip(events).map(|(position, (category, kind))| {
        event(position, &StreamName::of(category, "1"), position, kind, Json::default())
    });
    Index::build(&MemoryStore::new(made), &Work::default()).expect("an index")
}

fn check(file: &str, text: &str, expected: u64) {
    let definitions = Definition::parse(Path::new(file), text, &Options::default()).expect("a definition");
    let [definition] = definitions.as_slice() else { panic!("{} definitions", definitions.len()) };
    assert_eq!(most_handled(definition, &index()), expected, "{text}");
}

#[test]
fn at_most_so_many_events_are_handled_as_bear_the_names() {
    let sql = |category: &str, types: &str| {
        format!(
            "-- @projection paid {category}\nCREATE TABLE paid (n);\n-- @on {types}\nINSERT INTO paid VALUES (1);\n"
        )
    };
    check("paid.sql", &sql("", "Paid"), 3);
    check("paid.sql", &sql("", "Paid, Placed"), 4);
    check("paid.sql", &sql("category: invoice", "Paid, Written, Placed"), 2);
    check("paid.sql", &sql("category: order", "Written"), 1);
    check("paid.sql", &sql("category: refund", "Paid"), 0);
    check("paid.js", "fromAll().when({ Paid: (s, e) => s })", 3);
    check("paid.js", "fromAll().when({ $any: (s, e) => s })", 5);
    check("paid.js", "fromCategory('order').when({ $any: (s, e) => s })", 3);
}
