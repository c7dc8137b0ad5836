//! What the events table holds at one moment, cheaply: how many rows, and the last of them.

use rusqlite::Connection;

use crate::{
    store::{
        EventsHead, PartHead,
        layout::EventsTable,
        sqlite::{
            plan::{Plan, quote},
            value::stored,
        },
    },
    work::Work,
};

/// Looks at the events through any connection, so that a writer sees in its transaction what a reader saw.
pub fn events_head(connection: &Connection, events: &EventsTable) -> rusqlite::Result<EventsHead> {
    let plan = Plan::new(connection, events)?;
    let parts = plan.parts.iter().map(|table| {
        let count = format!("SELECT count(*) FROM {}", quote(table));
        let rows: i64 = connection.query_row(&count, [], |row| row.get(0))?;
        let order: Vec<String> = plan.key.iter().map(|column| format!("{column} DESC")).collect();
        let newest = format!(
            "SELECT {} FROM {} AS e ORDER BY {} LIMIT 1",
            plan.key.join(", "),
            quote(table),
            order.join(", ")
        );
        let mut statement = connection.prepare(&newest)?;
        let mut found = statement.query([])?;
        let last = match found.next()? {
            Some(row) => {
                (0..plan.key.len()).map(|at| row.get_ref(at).map(stored)).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(PartHead { table: std::sync::Arc::clone(table), rows: rows.unsigned_abs(), last })
    });
    Ok(EventsHead { parts: parts.collect::<rusqlite::Result<_>>()? })
}

impl super::SqliteStore {
    pub(super) fn look_at_head(&self, work: &Work) -> crate::store::StoreResult<EventsHead> {
        let events = &self.description.layout.events;
        self.access.read(work, "looking at the last event", |connection| events_head(connection, events))
    }
}
