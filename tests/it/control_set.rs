//! Ordinary databases are not taken for event stores, and the reasons given are true.

use rusqlite::Connection;
use timeglass::{
    store::{detect::detect, layout::Detection},
    work::Work,
};

/// Makes a database and tells what detection says: the table found, or the shortfalls of the nearest.
fn verdict(sql: &str) -> Result<String, (Option<String>, Vec<String>)> {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch(sql).expect("the control database is SQL");
    match detect(&connection, &Work::default()).expect("can be looked at") {
        Detection::Found { layout, .. } => Ok(layout.events.table.to_string()),
        Detection::NotFound { nearest, .. } => Err(nearest
            .map_or((None, Vec::new()), |nearest| (Some(nearest.table.to_string()), nearest.shortfalls))),
    }
}

/// No events table is found, and the nearest candidate is `table` for these reasons among others.
fn check(name: &str, sql: &str, table: &str, reasons: &[&str]) {
    let (nearest, shortfalls) = verdict(sql).expect_err(name);
    assert_eq!(nearest.as_deref(), Some(table), "{name}");
    for reason in reasons {
        assert!(
            shortfalls.iter().any(|shortfall| shortfall.contains(reason)),
            "{name} lacks {reason}: {shortfalls:?}"
        );
    }
}

/// `n` numbered rows as a common table expression.
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399)";

#[test]
fn a_shop_application() {
    let sql = format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, settings TEXT, created_at TEXT, updated_at TEXT);
         CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, type TEXT, attributes TEXT, price INTEGER, version INTEGER);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), status TEXT, total INTEGER, created_at TEXT, updated_at TEXT);
         CREATE TABLE order_items (order_id INTEGER REFERENCES orders(id), line INTEGER, product_id INTEGER, quantity INTEGER, options TEXT, PRIMARY KEY (order_id, line));
         INSERT INTO users {NUMBERS} SELECT i, 'u' || i || '@example.com', 'Name ' || i, json_object('theme', 'dark'), datetime('2024-01-01', i || ' hours'), datetime('2024-02-01') FROM n;
         INSERT INTO products {NUMBERS} SELECT i, 'sku-' || i, CASE i % 3 WHEN 0 THEN 'book' WHEN 1 THEN 'toy' ELSE 'tool' END, json_object('weight', i), i * 10, 1 FROM n;
         INSERT INTO orders {NUMBERS} SELECT i, i % 40, CASE i % 3 WHEN 0 THEN 'paid' WHEN 1 THEN 'open' ELSE 'shipped' END, i, datetime('2024-01-01', i || ' hours'), datetime('2024-02-01') FROM n;
         INSERT INTO order_items {NUMBERS} SELECT i / 4, 1 + i % 4, i % 50, 1, json_object('gift', i % 2) FROM n;"
    );
    let (nearest, shortfalls) = verdict(&sql).expect_err("a shop");
    assert!(nearest.is_some() && !shortfalls.is_empty());
}

#[test]
fn audit_logs() {
    for (name, columns, verbs) in [
        (
            "audit_log",
            "table_name TEXT, row_id INTEGER, action TEXT, old_values TEXT, new_values TEXT",
            ["INSERT", "UPDATE", "DELETE"],
        ),
        (
            "audits",
            "entity_type TEXT, entity_id INTEGER, event TEXT, payload TEXT, changes TEXT",
            ["created", "updated", "deleted"],
        ),
        (
            "history",
            "entity_type TEXT, entity_id INTEGER, type TEXT, before TEXT, data TEXT",
            ["create", "update", "delete"],
        ),
    ] {
        let [first, second, third] = verbs;
        let sql = format!(
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, user_id INTEGER, created_at TEXT NOT NULL);
             INSERT INTO {name} {NUMBERS} SELECT i + 1, CASE i % 2 WHEN 0 THEN 'orders' ELSE 'users' END, i % 30,
               CASE WHEN i < 30 THEN '{first}' WHEN i % 7 = 0 THEN '{third}' ELSE '{second}' END,
               json_object('status', i), json_object('status', i + 1), i % 5, datetime('2024-01-01', i || ' hours') FROM n;"
        );
        check(name, &sql, name, &["audit log"]);
    }
}

#[test]
fn job_queues() {
    for (table, kind) in [("jobs", "job_type"), ("background_tasks", "name"), ("work_items", "type")] {
        let sql = format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT, {kind} TEXT, payload TEXT, status TEXT, attempts INTEGER, run_at TEXT, created_at TEXT);
             INSERT INTO {table} {NUMBERS} SELECT i + 1, CASE i % 3 WHEN 0 THEN 'mail' ELSE 'default' END,
               CASE i % 4 WHEN 0 THEN 'SendMail' WHEN 1 THEN 'ResizeImage' ELSE 'SyncAccount' END, json_object('id', i), 'done', 1,
               datetime('2024-01-01', i || ' hours'), datetime('2024-01-01', i || ' hours') FROM n;"
        );
        check(table, &sql, table, &["`attempts`"]);
    }
}

#[test]
fn outboxes() {
    for table in ["outbox", "messages", "integration_events"] {
        let sql = format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregate_type TEXT, aggregate_id TEXT, event_type TEXT, payload TEXT, created_at TEXT, published_at TEXT);
             INSERT INTO {table} {NUMBERS} SELECT i + 1, 'Order', 'order-' || (i % 30),
               CASE i % 4 WHEN 0 THEN 'OrderPlaced' WHEN 1 THEN 'OrderPaid' ELSE 'ItemAdded' END, json_object('id', i),
               datetime('2024-01-01', i || ' hours'), datetime('2024-01-01', i || ' hours') FROM n;"
        );
        check(table, &sql, table, &["`published_at`"]);
    }
    let wolverine = format!(
        "CREATE TABLE wolverine_outgoing_envelopes (id TEXT PRIMARY KEY, owner_id INTEGER, destination TEXT, deliver_by TEXT, body BLOB, attempts INTEGER, message_type TEXT);
         CREATE TABLE wolverine_incoming_envelopes (id TEXT PRIMARY KEY, status TEXT, owner_id INTEGER, execution_time TEXT, attempts INTEGER, body BLOB, message_type TEXT, received_at TEXT);
         INSERT INTO wolverine_incoming_envelopes {NUMBERS} SELECT printf('%032x', i * 7919), 'Handled', i % 3, NULL, 1,
           CAST(json_object('id', i) AS BLOB), CASE i % 4 WHEN 0 THEN 'Orders.PlaceOrder' ELSE 'Orders.OrderPlaced' END, 'local://orders' FROM n;"
    );
    check("wolverine", &wolverine, "wolverine_incoming_envelopes", &["seldom holds the events"]);
}

#[test]
fn a_browsers_history() {
    let sql = format!(
        "CREATE TABLE urls (id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT, title TEXT, visit_count INTEGER, typed_count INTEGER, last_visit_time INTEGER, hidden INTEGER);
         CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER REFERENCES urls(id), visit_time INTEGER, from_visit INTEGER, transition INTEGER, segment_id INTEGER);
         INSERT INTO urls {NUMBERS} SELECT i + 1, 'https://example.com/' || i, 'Page ' || i, 3, 1, 1704067200 + i, 0 FROM n;
         INSERT INTO visits {NUMBERS} SELECT i + 1, 1 + i % 50, 1704067200 + i, i, 805306368, NULL FROM n;"
    );
    let (_, shortfalls) = verdict(&sql).expect_err("history");
    assert!(
        shortfalls.iter().any(|shortfall| shortfall.contains("no column holds event data")),
        "{shortfalls:?}"
    );
}

#[test]
fn chats_with_a_sequence_for_each_room() {
    for (columns, body, reason) in [
        (
            "room_id INTEGER, seq INTEGER, sender TEXT, body TEXT",
            "'Hello, number ' || i",
            "no column holds event data",
        ),
        (
            "room_id INTEGER, seq INTEGER, type TEXT, body TEXT",
            "'Hello, number ' || i",
            "no column holds event data",
        ),
        ("room_id INTEGER, seq INTEGER, type TEXT, content TEXT", "json_object('text', i)", "`room_id`"),
        (
            "conversation_id INTEGER, seq INTEGER, type TEXT, content TEXT",
            "json_object('text', i)",
            "`conversation_id`",
        ),
    ] {
        let key = columns.split(' ').next().unwrap_or_default();
        let sql = format!(
            "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT);
             CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, sent_at TEXT, edited_at TEXT, UNIQUE ({key}, seq));
             INSERT INTO rooms {NUMBERS} SELECT i, 'room ' || i FROM n WHERE i < 10;
             INSERT INTO messages {NUMBERS} SELECT i + 1, i % 10, 1 + i / 10, CASE i % 3 WHEN 0 THEN 'ada' ELSE 'text' END, {body}, datetime('2024-01-01', i || ' minutes'), NULL FROM n;"
        );
        check("chat", &sql, "messages", &[reason]);
    }
}

#[test]
fn a_time_series() {
    let sql = format!(
        "CREATE TABLE metrics (time INTEGER, name TEXT, tags TEXT, value REAL);
         INSERT INTO metrics {NUMBERS} SELECT 1704067200 + i * 10, CASE i % 4 WHEN 0 THEN 'cpu' WHEN 1 THEN 'memory' ELSE 'disk' END, json_object('host', 'h' || (i % 5)), i * 0.5 FROM n;"
    );
    check("metrics", &sql, "metrics", &["nothing counts"]);
}

#[test]
fn a_wide_activity_log() {
    let sql = format!(
        "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT, session_id TEXT, event_type TEXT, agent_name TEXT, agent_role TEXT, task_id TEXT, task_description TEXT, status TEXT, duration_ms INTEGER, success INTEGER, error_type TEXT, files_modified TEXT, notes TEXT, metadata TEXT);
         INSERT INTO events {NUMBERS} SELECT i + 1, strftime('%Y-%m-%dT%H:%M:%SZ', '2024-01-01', i || ' minutes'), 's-' || (i % 12), CASE i % 3 WHEN 0 THEN 'task_started' WHEN 1 THEN 'task_done' ELSE 'error' END,
           'agent' || (i % 3), 'tester', 't-' || i, 'Does thing ' || i, 'ok', i, 1, NULL, json_array('a.txt'), NULL, json_object('k', i) FROM n;"
    );
    check("activity log", &sql, "events", &["nothing counts"]);
}

#[test]
fn revisions_of_documents() {
    let sql = format!(
        "CREATE TABLE page_revisions (id INTEGER PRIMARY KEY, page_id INTEGER, revision INTEGER, content TEXT, author TEXT, created_at TEXT, UNIQUE (page_id, revision));
         INSERT INTO page_revisions {NUMBERS} SELECT i + 1, i % 20, 1 + i / 20, json_object('title', 'Page', 'blocks', json_array(i)), 'ada', datetime('2024-01-01', i || ' hours') FROM n;"
    );
    check("revisions", &sql, "page_revisions", &["nothing names the type"]);
}

#[test]
fn an_empty_database_has_no_candidate() {
    assert_eq!(verdict(""), Err((None, Vec::new())));
    let (nearest, shortfalls) = verdict("CREATE TABLE t (x)").expect_err("one column");
    assert_eq!(nearest.as_deref(), Some("t"));
    assert!(shortfalls.iter().any(|shortfall| shortfall.contains("`t` is empty")), "{shortfalls:?}");
}
