//! How far the owners' projections came, as the genuine stores say.

use std::sync::Arc;

use rusqlite::Connection;
use timeglass::{
    model::{Checkpoint, Stored, Timestamp},
    projection::{Handled, Standing, stand},
    store::{EventStore as _, index::Index, sqlite::SqliteStore},
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
                let roles = roles
                    .map(|role| role.as_ref().map_or_else(|| "-".into(), |role| role.source.to_string()));
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

/// Where a checkpoint stands, and how far behind, as `count of all` or in words.
fn stands(store: &SqliteStore, checkpoint: &Checkpoint, handled: Option<&Handled>) -> String {
    let index = Index::build(store, &Work::default()).unwrap();
    let found = stand(&Work::default(), store, &index, checkpoint, handled).unwrap();
    let lag = found.lag.map(|lag| {
        let handled = lag.handled.map(|handled| format!(" ({handled})")).unwrap_or_default();
        let time = lag.nanos.map_or_else(|| "-".to_owned(), |nanos| (nanos / 1_000_000_000).to_string());
        format!(", {}{handled} behind, {time} s", lag.events)
    });
    let lag = lag.unwrap_or_default();
    match found.standing {
        Standing::NotStarted => format!("not started{lag}"),
        Standing::At { count, is_exact } => format!("{count}{}{lag}", if is_exact { "" } else { "~" }),
        Standing::Ahead => format!("ahead{lag}"),
        Standing::NoSuchEvent => format!("no such event{lag}"),
        Standing::Marked(marks) => {
            let unknown: Vec<_> = marks.first_unknown.iter().map(Stored::bytes).collect();
            let unknown: Vec<_> = unknown.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
            format!(
                "{} of {} {} up to {}, {} unknown {unknown:?}",
                marks.events,
                marks.events + marks.unmarked,
                marks.types.join(" "),
                marks.last,
                marks.unknown,
            )
        }
    }
}

fn check(name: &str, expected: &[&str]) {
    let unpacked = fixture(name);
    let store = open(&unpacked.path);
    let found: Vec<String> = store
        .checkpoints(&Work::default())
        .unwrap()
        .iter()
        .map(|checkpoint| format!("{} {}", checkpoint.projection, stands(&store, checkpoint, None)))
        .collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn checkpoints_of_genuine_stores_stand_at_their_events() {
    check("aiq-runtime", &["order-list 1200, 26 behind, 2488429 s"]);
    check("blessql", &["account_list 1225, 0 behind, 0 s", "order_list 700, 525 behind, 9122374 s"]);
    check("ddl-marten", &["AccountProjection:All 1225, 0 behind, 0 s", "HighWaterMark 1225, 0 behind, 0 s"]);
    check(
        "eventsource-py",
        &["account_balances 1225, 0 behind, 0 s", "order_list 1186, 39 behind, 2839362 s"],
    );
    check("evtstore", &["order-list 1205, 20 behind, 2460938 s"]);
    check(
        "seed-001",
        &["customer_search 776, 775 behind, 10786112 s", "order_summaries 1551, 0 behind, 0 s"],
    );
    check("seed-002", &[" 70 of 70 OrderPlaced up to 2276, 0 unknown []"]);
    check("seed-002-defects", &[" 70 of 70 OrderPlaced up to 2276, 1 unknown [\"999999\"]"]);
}

fn check_position(store: &SqliteStore, position: &Stored, expected: &str) {
    let checkpoint = Checkpoint { position: position.clone(), ..Checkpoint::default() };
    assert_eq!(stands(store, &checkpoint, None), expected, "{position:?}");
}

fn text(text: &str) -> Stored {
    Stored::Text(text.as_bytes().into())
}

#[test]
fn any_position_says_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaps.sqlite");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
                 version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, event_id TEXT UNIQUE,
                 UNIQUE (stream_id, version));
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 60)
             INSERT INTO events SELECT 10 + i * 2, 'order-' || (i % 3), i / 3,
                 CASE i % 5 WHEN 0 THEN 'Placed' ELSE 'Paid' END, '{}',
                 printf('a0000000-0000-4000-8000-%012d', i) FROM n;
             CREATE TABLE handled (handler TEXT, event_id TEXT, PRIMARY KEY (handler, event_id)) WITHOUT ROWID;
             INSERT INTO handled SELECT 'mails', event_id FROM events WHERE event_type = 'Placed' AND rowid < 60;
             INSERT INTO handled VALUES ('mails', 'no such event'), ('mails', 'nor this');
             INSERT INTO handled SELECT 'bills', event_id FROM events WHERE event_type = 'Paid';",
        )
        .unwrap();
    let store = open(&path);
    check_position(&store, &Stored::Integer(10), "1, 59 behind, - s");
    check_position(&store, &Stored::Integer(11), "1~, 59 behind, - s");
    check_position(&store, &Stored::Integer(128), "60, 0 behind, - s");
    check_position(&store, &Stored::Integer(129), "ahead");
    check_position(&store, &Stored::Integer(i64::MAX), "ahead");
    check_position(&store, &Stored::Integer(0), "not started, 60 behind, - s");
    check_position(&store, &Stored::Integer(-1), "not started, 60 behind, - s");
    check_position(&store, &Stored::Real(12.0), "2, 58 behind, - s");
    check_position(&store, &Stored::Null, "not started, 60 behind, - s");
    check_position(&store, &text(""), "not started, 60 behind, - s");
    check_position(&store, &text("00000000000000000014"), "3, 57 behind, - s");
    check_position(&store, &text("a0000000-0000-4000-8000-000000000007"), "8, 52 behind, - s");
    check_position(&store, &text("a0000000-0000-4000-8000-000000000077"), "no such event");
    check_position(&store, &text("unheard of"), "no such event");
    check_position(&store, &Stored::Blob(Arc::from(*b"\xff\xfe")), "no such event");
    let marked: Vec<String> = store
        .checkpoints(&Work::default())
        .unwrap()
        .iter()
        .map(|checkpoint| format!("{} {}", checkpoint.projection, stands(&store, checkpoint, None)))
        .collect();
    let expected = [
        "bills 48 of 48 Paid up to 60, 0 unknown []",
        "mails 5 of 12 Placed up to 21, 2 unknown [\"no such event\", \"nor this\"]",
    ];
    assert_eq!(marked, expected);
    let handled = |category: Option<&str>| Handled {
        types: [Arc::from("Placed")].into(),
        category: category.map(Arc::from),
    };
    let checkpoint = Checkpoint { position: Stored::Integer(20), ..Checkpoint::default() };
    assert_eq!(stands(&store, &checkpoint, Some(&handled(None))), "6, 54 (10) behind, - s");
    assert_eq!(stands(&store, &checkpoint, Some(&handled(Some("order")))), "6, 54 (10) behind, - s");
    assert_eq!(stands(&store, &checkpoint, Some(&handled(Some("user")))), "6, 54 (0) behind, - s");
}

#[test]
fn a_position_that_sorts_by_time_may_be_ahead() {
    let unpacked = fixture("seed-001");
    let store = open(&unpacked.path);
    check_position(&store, &text("0190eed3-8874-751a-8729-70f0d3126186"), "ahead");
    check_position(&store, &text("018e6bec-8345-7022-bd76-cbbfa4bb00fe"), "no such event");
    check_position(&store, &Stored::Integer(17), "no such event");
}

#[test]
fn things_that_have_a_place_are_no_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("places.sqlite");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE events (global_position INTEGER PRIMARY KEY, stream_id TEXT NOT NULL,
                 version INTEGER NOT NULL, event_type TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (stream_id, version));
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 60)
             INSERT INTO events SELECT i + 1, 'order-' || (i % 3), i / 3, 'Placed', '{}' FROM n;
             CREATE TABLE seats (id INTEGER PRIMARY KEY, position INTEGER);
             INSERT INTO seats SELECT global_position, version FROM events;
             CREATE TABLE offsets (consumer TEXT PRIMARY KEY, last_offset INTEGER, state TEXT);
             INSERT INTO offsets VALUES ('mails', 17, 'paused');",
        )
        .unwrap();
    let store = open(&path);
    let found: Vec<String> = store
        .checkpoints(&Work::default())
        .unwrap()
        .iter()
        .map(|checkpoint| format!("{}: {}", checkpoint.table, shown(checkpoint)))
        .collect();
    assert_eq!(found, ["offsets: mails at 17 paused"]);
}
