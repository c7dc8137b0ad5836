//! Read models that others wrote, against what our projections make of their events.
//!
//! The seeds' projections are written anew in our dialect (`sample-data/projections`). Rebuilt from the whole
//! stores they give every stored row. Of the stores with planted defects, they give exactly what was planted in
//! read models and checkpoints, and what follows from events that were damaged: those are listed here, each with
//! its reason.

use std::{collections::BTreeSet, path::Path};

use timeglass::{
    model::{GlobalPosition, Json},
    project::{
        open::{Opening, open},
        read_script,
    },
    projection::{
        Definition, OnFailure, ReadModel, RebuildOptions, Scratch,
        drift::{
            Drift, DriftRow, compare, pair_with,
            report::{row_json, summary},
        },
        rebuild,
    },
    script::Options,
    work::Work,
};

use crate::support::{expectations, fixture};

/// The drift of every projection of a file; events that cannot be handled are passed over.
fn drifts(store: &str, file: &str) -> Vec<Drift> {
    let unpacked = fixture(store);
    let work = Work::default();
    let Ok(Opening::Store(opened)) = open(&unpacked.path, None, &work) else { panic!("{store} opens") };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/projections").join(file);
    let text = read_script(&path).unwrap();
    let definitions = Definition::parse(&path, &text, &Options::default()).unwrap();
    assert!(!definitions.is_empty(), "{file}");
    let drift = |definition: &Definition| {
        let scratch = Scratch::temporary().unwrap();
        let options = RebuildOptions { on_failure: OnFailure::Skip, ..RebuildOptions::default() };
        rebuild(&work, &*opened.store, definition, &scratch, &options).unwrap();
        let model = ReadModel::open(&scratch, definition).unwrap();
        let pairing = pair_with(&work, &*opened.store, definition, &model, None).unwrap();
        compare(&work, &*opened.store, &model, &definition.name, &pairing).unwrap()
    };
    definitions.iter().map(drift).collect()
}

#[track_caller]
fn check_whole(store: &str, file: &str, tables: usize) {
    let counts = expectations(store);
    let counts = counts.get("counts").unwrap();
    let found = drifts(store, file);
    assert_eq!(found.len(), tables);
    for drift in found {
        assert!(drift.is_none(), "{store}: {} {}", drift.projection, summary(&drift));
        assert_eq!(drift.failed, 0, "{store}: {}", drift.projection);
        let rows = counts.get(&drift.pairing.table).map(Json::to_compact);
        assert_eq!(Some(drift.rows_compared.to_string()), rows, "{store}: {}", drift.projection);
        assert_eq!(drift.rows_rebuilt, drift.rows_compared);
    }
}

#[test]
fn the_stored_tables_are_what_the_events_make() {
    check_whole("seed-000", "users.sql", 2);
    check_whole("seed-001", "order_summaries.sql", 1);
    check_whole("seed-002", "accounts.sql", 5);
    check_whole("seed-002-jsonb", "accounts.sql", 5);
    check_whole("seed-003", "order_list.sql", 1);
    check_whole("seed-004", "daily_orders.sql", 2);
}

/// The ids are random, and no event says when somebody last logged in.
#[test]
fn columns_without_a_source_are_told_apart() {
    let found = drifts("seed-000", "users.sql");
    let profiles = found.last().unwrap();
    let apart: Vec<_> = profiles.not_reproducible.iter().map(|(name, rows)| (&**name, *rows)).collect();
    assert_eq!(apart, [("id", 48), ("last_login", 46)]);
    assert_eq!(profiles.pairing.columns.len(), 3);
}

/// A row that differs, as short as the expectations tell it: table, kind, key, and column by column.
fn told(drift: &Drift) -> BTreeSet<String> {
    let lists = [("missing", &drift.missing), ("extra", &drift.extra), ("changed", &drift.changed)];
    let line = |kind: &str, row: &DriftRow| {
        let json = row_json(&drift.pairing, row);
        let columns = json.get("columns").unwrap().as_object().unwrap();
        let value = |name: &str, side: &str| columns.get(name).unwrap().get(side).unwrap().to_compact();
        let columns = columns.iter().map(|(name, _)| match kind {
            "missing" => format!("{name} {}", value(name, "rebuilt")),
            "extra" => format!("{name} {}", value(name, "stored")),
            _ => format!("{name} {} for {}", value(name, "stored"), value(name, "rebuilt")),
        });
        let columns: Vec<String> = columns.collect();
        // What identifies a row is enough where the whole row is there or not.
        let has_key = !drift.pairing.key.is_empty() && kind != "changed";
        let columns = if has_key { String::new() } else { columns.join(", ") };
        format!("{} {kind} {} {columns}", drift.pairing.table, json.get("key").unwrap().to_compact())
    };
    lists.iter().flat_map(|(kind, rows)| rows.iter().map(|row| line(kind, row))).collect()
}

/// How many defects of read models and checkpoints the expectations list.
fn planted(store: &str) -> usize {
    let expected = expectations(store);
    let is_ours = |defect: &&Json| {
        let kind = defect.get("kind").and_then(Json::as_text).unwrap();
        kind.starts_with("read_model") || kind.starts_with("checkpoint")
    };
    expected.get("defects").and_then(Json::as_array).unwrap().iter().filter(is_ours).count()
}

/// `defects` were planted in the tables; `consequences` come from events that were damaged, with the reason.
#[track_caller]
fn check_defects(store: &str, file: &str, defects: &[&str], consequences: &[(&str, &str)]) -> Vec<Drift> {
    let found = drifts(store, file);
    let told: BTreeSet<String> = found.iter().flat_map(told).collect();
    let expected = defects.iter().chain(consequences.iter().map(|(line, _)| line));
    assert_eq!(told, expected.map(|line| (*line).to_owned()).collect());
    assert_eq!(defects.len(), planted(store), "all that the expectations list, and no more");
    found
}

/// Where a row parted: event and global position.
fn parted(drifts: &[Drift], key: &str) -> (String, Option<GlobalPosition>) {
    let rows = drifts
        .iter()
        .flat_map(|drift| drift.changed.iter().chain(&drift.missing).map(move |row| (drift, row)));
    let mut rows = rows.filter(|(drift, row)| row_json(&drift.pairing, row).to_compact().contains(key));
    let (_, row) = rows.next().expect("a row of that key");
    let parted = row.first_divergent.as_ref().expect("an event");
    (parted.event.to_string(), parted.position.clone())
}

#[test]
fn planted_defects_of_users_are_found_and_nothing_else() {
    let found = check_defects(
        "seed-000-defects",
        "users.sql",
        &[
            "user_read_model changed {\"id\":\"c2a7af9e-ab79-4005-add1-77d2c700d84c\"} email \"stale@example.com\" for \"user0.7@example.org\"",
            "user_read_model changed {\"id\":\"8b65edca-fbab-4e12-b7d9-599af21248b3\"} status \"active\" for \"deleted\"",
            "user_read_model missing {\"id\":\"c55f009f-cfbd-4409-b775-537d77ef456c\"} ",
            "user_read_model extra {\"id\":\"a855d240-c1bc-4f97-87a1-542be139cc33\"} ",
        ],
        &[],
    );
    // The event that was cut in the middle was superseded by later ones.
    assert_eq!(found.iter().map(|drift| drift.failed).collect::<Vec<_>>(), [0, 1]);
    // The stored row is as it was before the user was deleted.
    let deleted = parted(&found, "8b65edca");
    let event = "UserDeleted 32@User-8b65edca-fbab-4e12-b7d9-599af21248b3";
    assert_eq!(deleted, (event.to_owned(), Some(GlobalPosition::Number(751))));
    // Nobody but the table says the one value, while the other was true once.
    let cell = |key: &str, column: &str| {
        let rows = found.iter().flat_map(|drift| drift.changed.iter().map(move |row| (drift, row)));
        let mut rows = rows.filter(|(drift, row)| row_json(&drift.pairing, row).to_compact().contains(key));
        let cell = rows.next().expect("a row of that key").1.columns[column].clone();
        (cell.is_unheard_of, cell.written_by.expect("an event").event.to_string())
    };
    let updated = "UserUpdated 9@User-c2a7af9e-ab79-4005-add1-77d2c700d84c".to_owned();
    assert_eq!(cell("c2a7af9e", "email"), (true, updated));
    assert_eq!(cell("8b65edca", "status"), (false, deleted.0));
    let missing = parted(&found, "c55f009f");
    let event = "UserCreated 1@User-c55f009f-cfbd-4409-b775-537d77ef456c";
    assert_eq!(missing, (event.to_owned(), Some(GlobalPosition::Number(446))));
}

#[test]
fn planted_defects_of_accounts_are_found_and_nothing_else() {
    let moved = "event 71 was dated far into the future after its row was written";
    check_defects(
        "seed-002-defects",
        "accounts.sql",
        &[
            "users_balance changed {\"user_id\":\"user_100\"} balance 1113.06 for 1013.0599999999997",
            "user_activity missing {} activity_type \"withdrawal\", amount 123.57, timestamp \"2024-01-23T07:38:29Z\", user_id \"user_117\"",
            "user_stats changed {\"user_id\":\"user_133\"} total_orders 4 for 3",
            "processed_events extra {\"event_id\":999999} ",
        ],
        &[
            (
                "user_activity missing {} activity_type \"withdrawal\", amount 10.69, timestamp \"2031-01-01T00:00:00Z\", user_id \"user_103\"",
                moved,
            ),
            (
                "user_activity extra {} activity_type \"withdrawal\", amount 10.69, timestamp \"2024-01-08 15:55:26\", user_id \"user_103\"",
                moved,
            ),
        ],
    );
}

#[test]
fn planted_defects_of_orders_are_found_and_nothing_else() {
    let found = check_defects(
        "seed-003-defects",
        "order_list.sql",
        &[
            // The projection sets both columns at the event that was not projected.
            "order_list changed {\"order_id\":\"order_b0652c58\"} shipped_at null for \"2025-03-14T19:50:06.788957Z\", status \"placed\" for \"shipped\"",
            "order_list changed {\"order_id\":\"order_8a0cb201\"} total_cents 6547 for 6546",
        ],
        &[(
            "order_list changed {\"order_id\":\"order_94d4553f\"} shipped_at \"2025-04-04 21:09:01.974413+00\" for null, status \"shipped\" for \"placed\"",
            "its OrderShipped was misspelt after the row was written",
        )],
    );
    let shipped = parted(&found, "order_b0652c58");
    assert_eq!(
        shipped,
        ("OrderShipped 15@Order-order_b0652c58".to_owned(), Some(GlobalPosition::Number(482)))
    );
}
