//! Detection finds every role of every fixture store, with no hint.

use rusqlite::{Connection, OpenFlags};
use timeglass::{
    store::{
        detect::detect,
        layout::{Detection, Layout},
    },
    work::Work,
};

use crate::support::{all_fixtures, fixture};

fn detected(name: &str) -> Detection {
    let fixture = fixture(name);
    let connection =
        Connection::open_with_flags(&fixture.path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    detect(&connection, &Work::default()).expect("can be looked at")
}

/// A layout in lines: table, roles, order, wrapping, snapshots, kinds of tables.
fn shown(layout: &Layout) -> String {
    let events = &layout.events;
    let mut lines = vec![format!("events {}", events.table)];
    for (role, mapping) in &events.roles {
        let form =
            if mapping.form == Default::default() { String::new() } else { format!(" ({})", mapping.form) };
        let doubt = if mapping.is_uncertain { "?" } else { "" };
        lines.push(format!("{}{doubt} = {}{form}", role.key(), mapping.source));
    }
    let sure = if events.order.is_certain { "" } else { "?" };
    lines.push(format!("order{sure} = {}", events.order.columns.join(", ")));
    for join in &events.joins {
        lines.push(format!(
            "join {} on {} = {}{}",
            join.table,
            join.on.0,
            join.on.1,
            if join.is_link { " link" } else { "" }
        ));
    }
    if !events.unwrap.is_empty() {
        lines.push(format!("unwrap {:?}", events.unwrap));
    }
    for snapshots in &layout.snapshots {
        let source = |mapping: &Option<timeglass::store::layout::Mapping>| {
            mapping.as_ref().map_or("-".to_owned(), |mapping| {
                format!(
                    "{}{}",
                    mapping.source,
                    if mapping.form == Default::default() {
                        String::new()
                    } else {
                        format!(" ({})", mapping.form)
                    }
                )
            })
        };
        lines.push(format!(
            "snapshots {}: stream {}, category {}, version {}, state {}, time {}, label {}",
            snapshots.table,
            source(&snapshots.stream),
            source(&snapshots.category),
            source(&snapshots.version),
            snapshots.state.source,
            source(&snapshots.time),
            source(&snapshots.label),
        ));
    }
    let kinds = layout.tables.iter().filter(|note| note.table != events.table);
    for note in kinds {
        lines.push(format!("table {}: {}", note.table, note.kind.label()));
    }
    lines.join("\n")
}

#[test]
fn print_all() {
    for name in all_fixtures() {
        match detected(&name) {
            Detection::Found { layout, rivals } => {
                println!("== {name}\n{}", shown(&layout));
                for problem in &layout.problems {
                    println!("! {problem}");
                }
                for (score, rival) in rivals {
                    println!("rival {score:.2} {}", rival.events.table);
                }
            }
            Detection::NotFound { nearest, .. } => {
                println!("== {name} NOT FOUND");
                if let Some(nearest) = nearest {
                    println!("{}\n{:?}", shown(&nearest.layout), nearest.shortfalls);
                }
            }
        }
    }
}

/// Detects in a database made here, and shows the layout.
fn made(sql: &str) -> String {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch(sql).expect("SQL");
    match detect(&connection, &Work::default()).expect("can be looked at") {
        Detection::Found { layout, .. } => shown(&layout),
        Detection::NotFound { nearest, .. } => {
            format!(
                "not found: {:?}",
                nearest.map(|nearest| (nearest.table, nearest.shortfalls, shown(&nearest.layout)))
            )
        }
    }
}

/// Rows `i` of 300 events in 20 streams: `s` the stream's number, `v` its version from 1, `t` the type.
const EVENTS: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299),
  e AS (SELECT i, i % 20 AS s, 1 + i / 20 AS v, CASE WHEN i < 20 THEN 'Opened' WHEN i % 3 = 0 THEN 'MoneyDeposited' ELSE 'MoneyWithdrawn' END AS t,
    printf('%08x-916d-424c-9fd6-93207219712b', (i % 20) * 7919) AS u, printf('%08x-77d5-4c82-8d69-76a2de689de5', i * 104729) AS id,
    json_object('amount', i) AS d, strftime('%Y-%m-%dT%H:%M:%S.000Z', '2024-01-01', i || ' minutes') AS at FROM n)";

fn check_made(name: &str, sql: &str, expected: &[&str]) {
    let found = made(sql);
    for line in expected {
        assert!(found.lines().any(|known| known == *line), "{name} lacks {line}:\n{found}");
    }
}

#[test]
fn layouts_of_other_makers() {
    check_made(
        "id is the aggregate's, reason the type",
        &format!("CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, id VARCHAR NOT NULL, version INTEGER, reason VARCHAR, type VARCHAR, timestamp VARCHAR, data BLOB, metadata BLOB, UNIQUE (id, type, version));
          INSERT INTO events {EVENTS} SELECT i + 1, u, v, t, CASE s % 2 WHEN 0 THEN 'Account' ELSE 'Wallet' END, at, CAST(d AS BLOB), NULL FROM e;"),
        &["stream = id", "category = type", "event_type = reason", "version = version", "global_position = seq", "data = data"],
    );
    check_made(
        "streams by number, names in another table",
        &format!("CREATE TABLE streams (stream_id INTEGER PRIMARY KEY, stream_name TEXT NOT NULL UNIQUE, version INTEGER);
          CREATE TABLE messages (message_id TEXT, message_type TEXT, stream_id INTEGER REFERENCES streams (stream_id), stream_position INTEGER, global_position INTEGER PRIMARY KEY AUTOINCREMENT, json_data TEXT, json_metadata TEXT, created TEXT, UNIQUE (stream_id, stream_position));
          CREATE TABLE checkpoints (id TEXT PRIMARY KEY, position INTEGER);
          INSERT INTO streams {EVENTS} SELECT s + 1, 'Account-' || u, 15 FROM e WHERE i < 20;
          INSERT INTO messages {EVENTS} SELECT id, t, s + 1, v - 1, i + 1, d, json_object('correlationId', id), at FROM e;"),
        &["stream = streams.stream_name", "category = stream before \"-\"", "version = stream_position", "global_position = global_position", "correlation_id = json_metadata.correlationId", "table checkpoints: checkpoints"],
    );
    check_made(
        "types by number",
        &format!("CREATE TABLE event_types (id INTEGER PRIMARY KEY, type TEXT);
          CREATE TABLE events (aggregate_id TEXT, partition_key TEXT, sequence_number INTEGER, created_at TEXT, command_id INTEGER, event_type_id INTEGER REFERENCES event_types (id), event_json TEXT, PRIMARY KEY (aggregate_id, sequence_number));
          INSERT INTO event_types VALUES (1, 'Opened'), (2, 'MoneyDeposited'), (3, 'MoneyWithdrawn');
          INSERT INTO events {EVENTS} SELECT u, '', v, at, i, CASE t WHEN 'Opened' THEN 1 WHEN 'MoneyDeposited' THEN 2 ELSE 3 END, d FROM e;"),
        &["stream = aggregate_id", "version = sequence_number", "event_type = event_types.type", "data = event_json", "join event_types on event_type_id = id"],
    );
    check_made(
        "stream and version in the metadata",
        &format!("CREATE TABLE _4228e4a00331b5d5e751db0481828e22a2c3c8ef (no INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE, event_name TEXT, payload TEXT, metadata TEXT, created_at TEXT);
          INSERT INTO _4228e4a00331b5d5e751db0481828e22a2c3c8ef {EVENTS} SELECT i + 1, id, t, d, json_object('_aggregate_id', u, '_aggregate_type', 'Account', '_aggregate_version', v), at FROM e;"),
        &["stream = metadata._aggregate_id", "version = metadata._aggregate_version", "category = metadata._aggregate_type", "event_type = event_name", "global_position = no"],
    );
    check_made(
        "commits",
        &format!("CREATE TABLE Commits (BucketId TEXT, StreamId TEXT, StreamIdOriginal TEXT, StreamRevision INTEGER, Items INTEGER, CommitId TEXT, CommitSequence INTEGER, CommitStamp TEXT, CheckpointNumber INTEGER PRIMARY KEY AUTOINCREMENT, Headers BLOB, Payload BLOB, UNIQUE (BucketId, StreamId, CommitSequence));
          INSERT INTO Commits {EVENTS} SELECT 'default', u, 'account-' || s, v * 2, 2, id, v, at, i + 1, NULL, CAST(json_array(json_object('Headers', json_object(), 'Body', json(d))) AS BLOB) FROM e;"),
        &["stream = StreamId", "version = CommitSequence", "global_position = CheckpointNumber", "data = Payload", "time = CommitStamp (ISO 8601)"],
    );
    check_made(
        "XML of a serialiser, two types",
        &format!("CREATE TABLE domain_event_entry (global_index INTEGER PRIMARY KEY, event_identifier TEXT UNIQUE, meta_data BLOB, payload BLOB, payload_revision TEXT, payload_type TEXT, time_stamp TEXT, aggregate_identifier TEXT, sequence_number INTEGER, type TEXT, UNIQUE (aggregate_identifier, sequence_number));
          INSERT INTO domain_event_entry {EVENTS} SELECT i + 1, id, CAST('<meta-data/>' AS BLOB), CAST('<a><b>' || i || '</b></a>' AS BLOB), NULL, 'com.shop.' || t, at, u, v - 1, CASE s % 2 WHEN 0 THEN 'Account' ELSE 'Wallet' END FROM e;"),
        &["stream = aggregate_identifier", "category = type", "event_type = payload_type", "version = sequence_number", "event_id = event_identifier"],
    );
    check_made(
        "aggregate and event as plain words",
        &format!("CREATE TABLE eventstore (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregate TEXT, aggregate_id TEXT, playhead INTEGER, event TEXT, payload TEXT, recorded_on TEXT, new_stream_start INTEGER, archived INTEGER, custom_headers TEXT, UNIQUE (aggregate, aggregate_id, playhead));
          INSERT INTO eventstore {EVENTS} SELECT i + 1, 'account', u, v, 'account.' || lower(t), d, at, 0, 0, '[]' FROM e;"),
        &["stream = aggregate_id", "category = aggregate", "event_type = event", "version = playhead", "data = payload"],
    );
    check_made(
        "WITHOUT ROWID, ids told apart by their kind",
        &format!("CREATE TABLE \"my \"\"events\" (\"entity type\" TEXT, entity_id INTEGER, revision INTEGER, \"event-type\" TEXT, body TEXT, ts INTEGER, PRIMARY KEY (\"entity type\", entity_id, revision)) WITHOUT ROWID;
          INSERT INTO \"my \"\"events\" {EVENTS} SELECT CASE s % 2 WHEN 0 THEN 'Account' ELSE 'Wallet' END, s / 2, v, t, d, 1704067200 + i FROM e;"),
        &["stream = entity_id", "category = entity type", "version = revision", "event_type = event-type", "data = body", "time = ts (seconds since 1970)", "order? = ts, entity type, entity_id, revision"],
    );
    check_made(
        "no rows yet",
        "CREATE TABLE events (id INTEGER PRIMARY KEY, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT, created_at TEXT, UNIQUE (stream_id, version));",
        &["stream? = stream_id", "version? = version", "event_type? = event_type", "data? = data"],
    );
}
