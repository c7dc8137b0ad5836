//! How far the owners' projections came, as the genuine stores say.

use timeglass::{
    model::{Checkpoint, Stored, Timestamp},
    store::EventStore as _,
    work::Work,
};

use crate::{
    sqlite_store::open,
    support::{all_fixtures, fixture},
};

/// Tables with their columns (name, position, status, error, time), and the checkpoints in them.
const KNOWN: &[(&str, &[&str], &[&str])] = &[
    (
        "aiq-runtime",
        &["subscription_checkpoints: subscription_name, global_position, -, -, updated_at"],
        &["order-list at 1200, 2024-09-21T02:11:01.996254Z"],
    ),
    (
        "blessql",
        &["ledger_records: name, position, status, -, -"],
        &["account_list at 1225 OK", "order_list at 700 BROKEN"],
    ),
    (
        "ddl-marten",
        &["mt_event_progression: name, last_seq_id, -, -, last_updated"],
        &[
            "AccountProjection:All at 1225, 2024-09-21T02:11:01.996254Z",
            "HighWaterMark at 1225, 2024-09-21T02:11:01.996254Z",
        ],
    ),
    ("emmett-sqlite", &["emt_processors: processor_id, last_processed_checkpoint, status, -, -"], &[]),
    (
        "eventsource-py",
        &["projection_checkpoints: projection_name, last_event_id, -, -, last_processed_at"],
        &[
            "account_balances at d90842f1-559b-468f-86dc-183c69e18831, 2024-09-21T02:11:01.996254Z",
            "order_list at 402dcd89-c3b1-44af-8949-b944f8c7a0c7, 2024-09-21T02:11:01.996254Z",
        ],
    ),
    ("evtstore", &["bookmarks: bookmark, position, -, -, -"], &["order-list at 1205"]),
    (
        "seed-001",
        &["projection_checkpoints: projection_name, last_event_id, status, error_message, last_processed"],
        &[
            "customer_search at 018e6bec-8345-7022-bd76-cbbfa4bb00ff failed: connection to server lost: “timeout”, \
             2024-06-16T11:35:58.836946Z",
            "order_summaries at 0190eed3-8874-751a-8729-70f0d3126185 running, 2024-07-26T11:36:03.836946Z",
        ],
    ),
    ("seed-002", &["processed_events: -, event_id, -, -, - (set)"], &["70 marks up to 2276"]),
    ("seed-002-defects", &["processed_events: -, event_id, -, -, - (set)"], &["71 marks up to 999999"]),
    ("seed-002-jsonb", &["processed_events: -, event_id, -, -, - (set)"], &["70 marks up to 2276"]),
];

fn shown(checkpoint: &Checkpoint) -> String {
    let position = match &checkpoint.position {
        Stored::Integer(number) => number.to_string(),
        Stored::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    if let Some(marks) = checkpoint.marks {
        return format!("{marks} marks up to {position}");
    }
    let mut text = format!("{} at {position}", checkpoint.projection);
    text.extend(checkpoint.status.iter().map(|status| format!(" {status}")));
    text.extend(checkpoint.error.iter().map(|error| format!(": {error}")));
    text.extend(checkpoint.time.map(Timestamp::to_rfc3339).map(|time| format!(", {time}")));
    text
}

#[test]
fn every_genuine_store_is_read_as_its_library_wrote_it() {
    for name in all_fixtures() {
        let unpacked = fixture(&name);
        let store = open(&unpacked.path);
        let layout = &store.describe().layout;
        let tables: Vec<String> = layout
            .checkpoints
            .iter()
            .map(|table| {
                let roles =
                    [&table.name, &Some(table.position.clone()), &table.status, &table.error, &table.time];
                let roles =
                    roles.map(|role| role.as_ref().map_or("-".into(), |role| role.source.to_string()));
                let set = if table.is_set { " (set)" } else { "" };
                format!("{}: {}{set}", table.table, roles.join(", "))
            })
            .collect();
        let found: Vec<String> = store.checkpoints(&Work::default()).unwrap().iter().map(shown).collect();
        let (_, known_tables, known) =
            KNOWN.iter().find(|(known, _, _)| *known == name).copied().unwrap_or_default();
        assert_eq!(tables, known_tables, "{name}");
        assert_eq!(found, known, "{name}");
    }
}
