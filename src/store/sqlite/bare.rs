//! The same questions in plain SQL over one connection: what somebody would write who has no index.
//!
//! Measured beside ours by `timeglass bench`; no answer comes from here.

use std::hint::black_box;

use rusqlite::{Connection, params_from_iter, types::Value as Bound};

use crate::{
    model::EventQuery,
    store::{
        StoreResult,
        layout::Role,
        sqlite::{
            SqliteStore,
            filter::Filter,
            plan::{Plan, quote},
        },
    },
    work::Work,
};

/// An answer in plain SQL.
pub type BareResult<T> = rusqlite::Result<T>;

/// A connection to the store that stays open for as many questions as there are.
pub struct Bare<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
}

impl SqliteStore {
    /// Lends one connection to `ask`, which may be called again if the file changed meanwhile.
    pub fn bare<T>(&self, work: &Work, mut ask: impl FnMut(&Bare<'_>) -> BareResult<T>) -> StoreResult<T> {
        self.access
            .read(work, "asking it in plain SQL", |connection| ask(&Bare { connection, plan: &self.plan }))
    }
}

impl Bare<'_> {
    /// Reads what an index holds of every event, and does nothing with it; how many there are.
    pub fn columns(&self) -> BareResult<u64> {
        let select = self.plan.lean.expressions.join(", ");
        let mut events = 0;
        for part in &self.plan.parts {
            events += self.rows(&format!("SELECT {select} FROM {} AS e", quote(part)), Vec::new())?;
        }
        Ok(events)
    }

    /// A page by the number of events before it.
    pub fn page_at(&self, offset: u64, limit: usize) -> BareResult<u64> {
        let (select, order) = (self.plan.full.expressions.join(", "), self.plan.key.join(", "));
        let sql = format!(
            "SELECT {select} FROM {} AS e ORDER BY {order} LIMIT {limit} OFFSET {offset}",
            self.last()
        );
        self.rows(&sql, Vec::new())
    }

    /// The first events that answer a query, in global order, as far as SQL can tell them.
    pub fn first_of(&self, query: &EventQuery, limit: usize) -> BareResult<u64> {
        let (select, order) = (self.plan.full.expressions.join(", "), self.plan.key.join(", "));
        let Filter { conditions, values } = Filter::new(self.plan, query);
        let sql = format!(
            "SELECT {select} FROM {} AS e{} ORDER BY {order} LIMIT {limit}",
            self.last(),
            condition(&conditions)
        );
        self.rows(&sql, values)
    }

    /// How many events answer a query, as far as SQL can tell; nothing where it can tell nothing.
    pub fn count_of(&self, query: &EventQuery) -> BareResult<Option<u64>> {
        let Filter { conditions, values } = Filter::new(self.plan, query);
        if conditions.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT count(*) FROM {} AS e{}", self.last(), condition(&conditions));
        self.connection
            .query_row(&sql, params_from_iter(values), |row| row.get::<_, i64>(0))
            .map(|count| Some(count as u64))
    }

    /// How many events hold a text in a payload, by `LIKE`; nothing where payloads are no plain columns.
    pub fn like(&self, text: &str) -> BareResult<Option<u64>> {
        let columns = [Role::Data, Role::Metadata].map(|role| self.plan.column(role));
        let conditions: Vec<String> =
            columns.into_iter().flatten().map(|(column, _)| format!("{column} LIKE ?1")).collect();
        if conditions.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT count(*) FROM {} AS e WHERE {}", self.last(), conditions.join(" OR "));
        let pattern = format!("%{text}%");
        self.connection.query_row(&sql, [pattern], |row| row.get::<_, i64>(0)).map(|count| Some(count as u64))
    }

    /// How many streams there are, by grouping; nothing where the stream is no plain column.
    pub fn streams(&self) -> BareResult<Option<u64>> {
        let columns = [Role::Category, Role::Stream].map(|role| self.plan.column(role));
        if columns.iter().flatten().next().is_none() {
            return Ok(None);
        }
        let columns: Vec<String> = columns.into_iter().flatten().map(|(column, _)| column).collect();
        let columns = columns.join(", ");
        let sql = format!(
            "SELECT {columns}, count(*) AS n FROM {} AS e GROUP BY {columns} ORDER BY n",
            self.last()
        );
        self.rows(&sql, Vec::new()).map(Some)
    }

    /// Reads a stream's events in the order of their versions and parses the data of each; how many there are.
    pub fn parse_stream(&self, query: &EventQuery) -> BareResult<Option<u64>> {
        let (Some((data, _)), Some((version, _))) =
            (self.plan.column(Role::Data), self.plan.column(Role::Version))
        else {
            return Ok(None);
        };
        let Filter { conditions, values } = Filter::new(self.plan, query);
        let sql =
            format!("SELECT {data} FROM {} AS e{} ORDER BY {version}", self.last(), condition(&conditions));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut events = 0;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(0)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
            black_box(serde_json::from_slice::<serde_json::Value>(bytes).ok());
            events += 1;
        }
        Ok(Some(events))
    }

    /// The newest of the tables: where a log has archives, most events are asked for there.
    fn last(&self) -> String {
        self.plan.parts.last().map(|part| quote(part)).unwrap_or_default()
    }

    fn rows(&self, sql: &str, values: Vec<Bound>) -> BareResult<u64> {
        let mut statement = self.connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                black_box(row.get_ref(column)?);
            }
            count += 1;
        }
        Ok(count)
    }
}

impl std::fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bare").field("plan", &self.plan).finish_non_exhaustive()
    }
}

fn condition(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}
