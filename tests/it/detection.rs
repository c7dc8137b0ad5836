//! Detection finds every role of every fixture store, with no hint.

use rusqlite::{Connection, OpenFlags};
use timeglass::{
    model::Json,
    store::{
        detect::detect,
        layout::{Detection, Form, Layout, Mapping, Role, Source},
    },
    work::Work,
};

use crate::support::{all_fixtures, expectations, fixture};

fn detected(name: &str) -> Detection {
    let fixture = fixture(name);
    let connection =
        Connection::open_with_flags(&fixture.path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    detect(&connection, &Work::default()).expect("can be looked at")
}

/// A source with its form, where it has one of note.
fn sourced(mapping: &Mapping) -> String {
    if mapping.form == Form::Plain {
        return mapping.source.to_string();
    }
    format!("{} ({})", mapping.source, mapping.form)
}

/// A layout in lines: table, roles, order, joins, wrapping, snapshots, kinds of tables.
fn shown(layout: &Layout) -> String {
    let events = &layout.events;
    let mut lines = vec![format!("events {}", events.table)];
    for (role, mapping) in &events.roles {
        let doubt = if mapping.is_uncertain { "?" } else { "" };
        lines.push(format!("{}{doubt} = {}", role.key(), sourced(mapping)));
        assert!(!mapping.evidence.is_empty(), "{} has no evidence", role.key());
    }
    let doubt = if events.order.is_certain { "" } else { "?" };
    lines.push(format!("order{doubt} = {}", events.order.columns.join(", ")));
    for join in &events.joins {
        let link = if join.is_link { " link" } else { "" };
        lines.push(format!("join {} on {} = {}{link}", join.table, join.on.0, join.on.1));
    }
    if !events.unwrap.is_empty() {
        lines.push(format!("unwrap {:?}", events.unwrap));
    }
    for archive in &events.archives {
        lines.push(format!("archive {archive}"));
    }
    for snapshots in &layout.snapshots {
        let source = |mapping: &Option<Mapping>| mapping.as_ref().map_or_else(|| "-".to_owned(), sourced);
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
    for note in layout.tables.iter().filter(|note| note.table != events.table) {
        lines.push(format!("table {}: {}", note.table, note.kind.label()));
    }
    lines.join("\n")
}

/// Every fixture's layout, role by role, as `tests/golden/layouts.txt` has it.
#[test]
fn every_fixture_is_read_as_written_down() {
    let golden = include_str!("../golden/layouts.txt");
    let mut expected: std::collections::BTreeMap<&str, &str> = golden
        .split("== ")
        .filter_map(|part| part.split_once('\n').map(|(name, lines)| (name, lines.trim_end())))
        .collect();
    for name in all_fixtures() {
        let found = match detected(&name) {
            Detection::Found { layout, rivals } => {
                let problems = layout.problems.iter().map(|problem| format!("\n! {problem}"));
                let rivals = rivals.iter().map(|(_, rival)| format!("\nrival {}", rival.events.table));
                format!("{}{}{}", shown(&layout), problems.collect::<String>(), rivals.collect::<String>())
            }
            Detection::NotFound { nearest, .. } => format!("not found: {nearest:#?}"),
        };
        assert_eq!(found, expected.remove(&*name).unwrap_or_default(), "{name}");
    }
    assert!(expected.is_empty(), "fixtures that are gone: {expected:?}");
}

/// What the expectations of a fixture say of a role.
enum Said {
    /// Nothing that a program can compare.
    Words,
    /// That there is none.
    None,
    /// A column, or a place in the JSON of one.
    Place(String),
}

fn said(layout: &Json, key: &str) -> Said {
    let text = match layout.get(key) {
        Some(Json::Null) => return Said::None,
        Some(Json::Text(text)) => text.to_string(),
        Some(said) => match said.get("column").or_else(|| said.get("where")) {
            Some(Json::Text(text)) => text.to_string(),
            Some(Json::Null) => return Said::None,
            _ => return Said::Words,
        },
        None => return Said::Words,
    };
    match text.split([' ', ';', ',', '(']).next().unwrap_or_default().trim_end_matches(':') {
        "none" => Said::None,
        place => Said::Place(place.to_owned()),
    }
}

/// Places where the expectations speak of something else than what is read.
const OTHER_WORDS: &[(&str, &str)] = &[
    // A sortable id is a position, SQLite's row number stands in for one.
    ("schemeless-typeorm", "global_position"),
    ("event-store-adapter-rs", "global_position"),
    ("ddl-ocoda-postgres", "global_position"),
    ("ddl-schemeless-expo", "global_position"),
    ("ddl-wolkenkit", "global_position"),
    // There is no column; these stand inside the payload.
    ("ddl-eventsauce-default", "event_type"),
    ("ddl-eventsauce-default", "metadata"),
    ("ddl-eventsauce-default", "time"),
    ("ddl-eventsauce-default", "category"),
    ("ddl-eventsauce-legacy", "metadata"),
    ("ddl-eventually-rs", "event_type"),
    ("ddl-wolkenkit", "event_type"),
    ("event-store-adapter-rs", "event_id"),
    // Taken from the stream's name.
    ("ddl-ocoda-postgres", "category"),
    // The application's key in the metadata, while the library's column holds no schema version.
    ("emmett-sqlite", "schema_version"),
    ("eventsourcing-aes", "time"),
    ("eventsourcing-aes", "correlation_id"),
    ("eventsourcing-aes", "causation_id"),
    ("eventsourcing-aes", "schema_version"),
    // Registered elsewhere, or part of the event type's name.
    ("seed-000", "schema_version"),
    ("seed-000-defects", "schema_version"),
    ("seed-004", "schema_version"),
    ("event-store-adapter-rs", "schema_version"),
    ("activegraph", "schema_version"),
    // A link or streams table; the golden file has them.
    ("ddl-rails-event-store", "version"),
    ("ddl-marten", "category"),
    ("emmett-sqlite", "category"),
];

/// The roles, as the expectations call them.
const SAID: [(Role, &str); 12] = [
    (Role::Category, "stream_type"),
    (Role::Version, "version"),
    (Role::GlobalPosition, "global_position"),
    (Role::EventType, "event_type"),
    (Role::Data, "payload"),
    (Role::Metadata, "metadata"),
    (Role::Time, "timestamp"),
    (Role::EventId, "event_id"),
    (Role::CorrelationId, "correlation"),
    (Role::CausationId, "causation"),
    (Role::SchemaVersion, "schema_version"),
    (Role::Actor, "actor"),
];

/// The expectations that came with the fixtures agree with what is detected, role by role.
#[test]
fn expectations_of_the_fixtures_hold() {
    let mut wrong = Vec::new();
    for name in all_fixtures() {
        let expected = expectations(&name);
        let expected = expected.get("layout").expect("a layout");
        let Detection::Found { layout, .. } = detected(&name) else {
            panic!("{name} is not found");
        };
        assert_eq!(
            Some(&*layout.events.table),
            expected.get("events_table").and_then(Json::as_text),
            "{name}"
        );
        for (role, key) in SAID {
            let found = layout.events.role(role).map(|mapping| mapping.source.to_string());
            let agrees = match said(expected, key) {
                Said::Words => true,
                Said::None => found.is_none(),
                Said::Place(place) => {
                    let place = place.replace("payload.", &format!("{}.", data_column(&layout)));
                    found.as_ref().is_some_and(|found| {
                        found.eq_ignore_ascii_case(&place) || found.starts_with(&format!("{place}."))
                    })
                }
            };
            if !agrees && !OTHER_WORDS.contains(&(&*name, role.key())) {
                wrong.push(format!("{name}: {} is {found:?}", role.key()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn data_column(layout: &Layout) -> String {
    let source = layout.events.role(Role::Data).map(|mapping| mapping.source.to_string()).unwrap_or_default();
    source.split('.').next().unwrap_or_default().to_owned()
}

/// The number of streams that the mapping sees is the number that was written.
#[test]
fn the_mapping_sees_every_stream_and_event() {
    for name in all_fixtures() {
        let fixture = fixture(&name);
        let connection = Connection::open(&fixture.path).expect("opens");
        let Ok(Detection::Found { layout, .. }) = detect(&connection, &Work::default()) else {
            panic!("{name} is not found");
        };
        let events = &layout.events;
        let column = |role: Role| match &events.role(role)?.source {
            Source::Column { table: None, column } => Some(format!("\"{column}\"")),
            _ => None,
        };
        let Some(stream) = column(Role::Stream) else { continue };
        let category = column(Role::Category).unwrap_or_else(|| "0".to_owned());
        let (count, streams): (i64, i64) = connection
            .query_row(
                &format!(
                    "SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT {stream}, {category} FROM \"{0}\")) FROM \"{0}\"",
                    events.table
                ),
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("counts");
        let expected = expectations(&name);
        let said = |key: &str| match expected.get("counts").and_then(|counts| counts.get(key)) {
            Some(Json::Number(number)) => number.as_i64(),
            _ => None,
        };
        assert_eq!(Some(count), said("events").or_else(|| said(&events.table)), "{name}");
        if !name.ends_with("-defects") {
            assert_eq!(Some(streams), said("streams"), "{name}");
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
}

/// A stream of all events stands beside the streams in which the events were written.
#[test]
fn events_are_read_from_the_stream_they_were_written_to() {
    check_made(
        "links to a stream of all",
        &format!("CREATE TABLE streams (stream_id INTEGER PRIMARY KEY, stream_uuid TEXT UNIQUE, stream_version INTEGER);
          CREATE TABLE events (event_id TEXT PRIMARY KEY, event_type TEXT, data BLOB, metadata BLOB, created_at TEXT);
          CREATE TABLE stream_events (event_id TEXT REFERENCES events (event_id), stream_id INTEGER REFERENCES streams (stream_id), stream_version INTEGER, original_stream_id INTEGER REFERENCES streams (stream_id), original_stream_version INTEGER, PRIMARY KEY (event_id, stream_id));
          INSERT INTO streams VALUES (0, '$all', 300);
          INSERT INTO streams {EVENTS} SELECT s + 1, u, 15 FROM e WHERE i < 20;
          INSERT INTO events {EVENTS} SELECT id, t, CAST(d AS BLOB), NULL, at FROM e;
          INSERT INTO stream_events {EVENTS} SELECT id, s + 1, v, s + 1, v FROM e UNION ALL SELECT id, 0, i + 1, s + 1, v FROM e ORDER BY 1, 2 DESC;"),
        &["stream = stream_events.original_stream_id", "version = stream_events.original_stream_version"],
    );
}

/// Classes made inside a function, generic ones, and .NET's names with assembly and version.
#[test]
fn types_are_written_as_languages_write_them() {
    for (name, before, after) in [
        ("class of the program that was run", "__main__:Cart.", ""),
        ("class of a function", "shop:make.<locals>.Cart.", ""),
        ("generic", "Changed<", ">"),
        ("assembly", "Shop.Events.", ", Shop.Events, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"),
        (
            "generic of an assembly",
            "Shop.Changed`1[[Shop.",
            ", Shop, Version=1.0.0.0, Culture=neutral]], Shop",
        ),
        ("address", "https://example.com/events#", ""),
        ("arrow", "cart->", ""),
    ] {
        check_made(
            name,
            &format!("CREATE TABLE stored_events (stream_id TEXT, version INTEGER, type TEXT, data TEXT, PRIMARY KEY (stream_id, version));
              INSERT INTO stored_events {EVENTS} SELECT u, v, '{before}' || t || '{after}', d FROM e;"),
            &["stream = stream_id", "version = version", "event_type = type", "data = data"],
        );
    }
}

/// Each of 5 000 streams takes its turn: in any look of bounded length each is seen once.
#[test]
fn many_streams_that_grow_side_by_side() {
    check_made(
        "no key, all first versions in front",
        "CREATE TABLE events (id INTEGER PRIMARY KEY, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT, created_at TEXT);
          WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
          INSERT INTO events SELECT i + 1, 'account-' || (i % 5000), 1 + i / 5000, CASE WHEN i < 5000 THEN 'Opened' ELSE 'Deposited' END, json_object('amount', i), strftime('%Y-%m-%dT%H:%M:%fZ', '2024-01-01', i || ' minutes') FROM n;",
        &["stream = stream_id", "version = version", "event_type = event_type", "global_position = id", "time = created_at (ISO 8601)"],
    );
}

/// Rows that are changed carry a number, too, but each of them is there once and for all.
#[test]
fn rows_with_a_lock_number_are_no_streams() {
    let found = made(
        "CREATE TABLE documents (id INTEGER PRIMARY KEY, account_id TEXT, version INTEGER, title TEXT, body TEXT, updated_at TEXT);
          WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
          INSERT INTO documents SELECT i + 1, 'account-' || i, CASE WHEN i < 5000 THEN 1 ELSE 3 END, 'Title ' || i, json_object('text', i), strftime('%Y-%m-%dT%H:%M:%fZ', '2024-01-01', i || ' minutes') FROM n;",
    );
    assert!(found.starts_with("not found"), "{found}");
}

#[test]
fn layouts_with_odd_columns() {
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
        "the time inside the id, states beside",
        &format!("CREATE TABLE account_events (id TEXT PRIMARY KEY, account BLOB, n INTEGER, kind TEXT, payload BLOB, UNIQUE (account, n));
          CREATE TABLE account_states (account BLOB PRIMARY KEY, version INTEGER, state TEXT);
          CREATE TABLE order_events (id TEXT PRIMARY KEY, account BLOB, n INTEGER, kind TEXT, payload BLOB, UNIQUE (account, n));
          INSERT INTO account_events {EVENTS} SELECT printf('018cd8cb-%04x-7655-bdf3-bc693aa88d00', i), unhex(printf('%08x6d910c429fd693207219712b', s * 7919)), v, t, CAST(d AS BLOB) FROM e;
          INSERT INTO account_states SELECT DISTINCT account, 15, '{{\"a\":1}}' FROM account_events;
          INSERT INTO order_events SELECT * FROM account_events LIMIT 100;"),
        &["events account_events", "stream = account (GUID in 16 bytes, little-endian)", "time? = id (time in the UUID)", "global_position = id", "table account_states: snapshots", "version = n"],
    );
    check_made(
        "numbered streams that refer to a table of the application, data of PHP",
        &format!("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
          CREATE TABLE account_events (id INTEGER PRIMARY KEY, aggregate_id INTEGER REFERENCES accounts (id), aggregate_version INTEGER, event_name TEXT, payload TEXT, recorded_at REAL);
          INSERT INTO accounts {EVENTS} SELECT s + 1, 'Name ' || s, s || '@example.com' FROM e WHERE i < 20;
          INSERT INTO account_events {EVENTS} SELECT i + 1, s + 1, v, 'App\\Event\\' || t, 'O:8:\"stdClass\":1:{{s:6:\"amount\";i:' || i || ';}}', 1704067200.25 + i FROM e;"),
        &["stream = aggregate_id", "version = aggregate_version", "event_type = event_name", "data = payload", "time = recorded_at (seconds since 1970)"],
    );
    check_made(
        "no rows yet",
        "CREATE TABLE events (id INTEGER PRIMARY KEY, stream_id TEXT, version INTEGER, event_type TEXT, data TEXT, created_at TEXT, UNIQUE (stream_id, version));",
        &["stream? = stream_id", "version? = version", "event_type? = event_type", "data? = data"],
    );
}
