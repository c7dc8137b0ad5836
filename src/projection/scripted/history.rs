//! The states of a script's partitions at any point in time.

use std::{collections::VecDeque, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    model::{Json, Stored},
    projection::{
        Column, RowAt, RowChange, RowKey, Scratch, ScratchError,
        scripted::{delta::apply, tables::exist},
    },
};

/// The history of one row is told as far back as so many bytes of states reach.
const HISTORY_BYTES: usize = 64 << 20;

/// What a run of a script made: a row for each partition, in the order of their birth.
#[derive(Debug)]
pub(crate) struct States {
    scratch: Scratch,
    connection: Connection,
}

/// A partition as its table has it.
struct Partition {
    id: i64,
    name: Arc<str>,
    since: u64,
    state: Arc<[u8]>,
}

/// The columns of every such read model.
pub(crate) fn columns() -> Arc<[Column]> {
    let column = |name: &str, is_key| Column { name: name.into(), declared: "TEXT".into(), is_key };
    Arc::from([column("partition", true), column("state", false)])
}

impl States {
    /// Over a connection that reads the scratch database.
    pub(crate) fn new(connection: Connection, scratch: &Scratch) -> Self {
        Self { scratch: scratch.clone(), connection }
    }

    /// How many partitions there were by then.
    pub(crate) fn len_at(&self, count: u64) -> Result<u64, ScratchError> {
        self.asked("counting partitions", |connection| {
            let sql = "SELECT partition FROM timeglass_partition WHERE born <= ?1 ORDER BY born DESC LIMIT 1";
            let last: Option<i64> = connection.query_row(sql, [limit(count)], |row| row.get(0)).optional()?;
            Ok(last.unwrap_or_default() as u64)
        })
    }

    /// One partition as it was.
    pub(crate) fn row_at(&self, key: &RowKey, count: u64) -> Result<Option<RowAt>, ScratchError> {
        let Some(name) = name_of(key) else { return Ok(None) };
        self.asked("reading a state", |connection| {
            let Some(partition) = named(connection, &name)? else { return Ok(None) };
            let found = state_of(connection, &partition, count)?;
            Ok(found
                .map(|(since, state)| row_of(&partition.name, state.to_compact().into_bytes().into(), since)))
        })
    }

    /// Everything that ever happened to a partition's state, oldest first; of a history of very large states the
    /// newest part.
    pub(crate) fn history(&self, key: &RowKey) -> Result<Vec<RowChange>, ScratchError> {
        let Some(name) = name_of(key) else { return Ok(Vec::new()) };
        let mut changes: VecDeque<RowChange> = VecDeque::new();
        let mut bytes = 0;
        let mut before: Option<Arc<[Stored]>> = None;
        self.each_step(&name, &mut |count, state| {
            let text = state.to_compact();
            bytes += text.len();
            let after = values(&name, text.into_bytes().into());
            let before = before.replace(Arc::clone(&after));
            changes.push_back(RowChange { count, before, after: Some(after) });
            while bytes > HISTORY_BYTES && changes.len() > 1 {
                let gone = changes.pop_front().and_then(|change| change.after);
                bytes -= gone.as_deref().map_or(0, size).min(bytes);
            }
        })?;
        Ok(changes.into())
    }

    /// The state that all partitions share, as it was; nothing if there was none.
    pub(crate) fn shared_at(&self, count: u64) -> Result<Option<(u64, Json)>, ScratchError> {
        self.asked("reading the shared state", |connection| {
            let sql =
                "SELECT count, whole FROM timeglass_shared WHERE count <= ?1 ORDER BY count DESC LIMIT 1";
            let place = connection.query_row(sql, [limit(count)], |row| Ok((row.get(0)?, row.get(1)?)));
            let place: Option<(i64, i64)> = place.optional()?;
            let Some((at, whole)) = place else { return Ok(None) };
            let sql = "SELECT body FROM timeglass_shared WHERE count BETWEEN ?1 AND ?2 ORDER BY count";
            let state = chained(connection, sql, params![whole, at])?;
            Ok(state.map(|state| (at as u64, state)))
        })
    }

    fn asked<T: Default>(
        &self,
        doing: &'static str,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ScratchError> {
        let connection = &self.connection;
        let answer =
            exist(connection).and_then(|exist| if exist { ask(connection) } else { Ok(T::default()) });
        answer.map_err(self.scratch.failed(doing))
    }

    /// Meets every partition that existed then, in order of birth, from that number on; `meet` says whether to
    /// go on.
    pub(crate) fn each(
        &self,
        after: u64,
        count: u64,
        meet: &mut dyn FnMut(RowAt) -> bool,
    ) -> Result<(), ScratchError> {
        self.asked("reading states", |connection| {
            let mut statement = connection.prepare(
                "SELECT partition, name, since, state FROM timeglass_partition \
                 WHERE partition > ?1 AND born <= ?2 ORDER BY partition",
            )?;
            let mut rows = statement.query(params![limit(after), limit(count)])?;
            while let Some(row) = rows.next()? {
                let partition = partition(row)?;
                let (since, state) = if partition.since <= count {
                    (partition.since, Arc::clone(&partition.state))
                } else {
                    let found = state_of(connection, &partition, count)?;
                    let (since, state) = found.unwrap_or_default();
                    (since, state.to_compact().into_bytes().into())
                };
                if !meet(row_of(&partition.name, state, since)) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn each_step(&self, name: &str, visit: &mut dyn FnMut(u64, &Json)) -> Result<(), ScratchError> {
        self.asked("reading a history", |connection| {
            let Some(partition) = named(connection, name)? else { return Ok(()) };
            let mut statement = connection.prepare(
                "SELECT count, whole, body FROM timeglass_step WHERE partition = ?1 ORDER BY count",
            )?;
            let mut rows = statement.query([partition.id])?;
            let mut state = Json::Null;
            while let Some(row) = rows.next()? {
                let (count, whole): (i64, i64) = (row.get(0)?, row.get(1)?);
                state = next(&state, row.get_ref(2)?.as_str()?, count == whole).unwrap_or_default();
                visit(count as u64, &state);
            }
            Ok(())
        })
    }
}

/// A count as SQLite can hold it.
fn limit(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn partition(row: &rusqlite::Row<'_>) -> rusqlite::Result<Partition> {
    let state = row.get_ref(3)?.as_str()?.as_bytes().into();
    Ok(Partition { id: row.get(0)?, name: row.get(1)?, since: row.get::<_, i64>(2)? as u64, state })
}

fn named(connection: &Connection, name: &str) -> rusqlite::Result<Option<Partition>> {
    let sql = "SELECT partition, name, since, state FROM timeglass_partition WHERE name = ?1";
    connection.query_row(sql, [name], partition).optional()
}

fn state_of(
    connection: &Connection,
    partition: &Partition,
    count: u64,
) -> rusqlite::Result<Option<(u64, Json)>> {
    if partition.since <= count {
        return Ok(Json::parse(&partition.state).ok().map(|state| (partition.since, state)));
    }
    let mut statement = connection.prepare_cached(
        "SELECT count, whole FROM timeglass_step WHERE partition = ?1 AND count <= ?2 \
         ORDER BY count DESC LIMIT 1",
    )?;
    let place =
        statement.query_row(params![partition.id, limit(count)], |row| Ok((row.get(0)?, row.get(1)?)));
    let place: Option<(i64, i64)> = place.optional()?;
    let Some((at, whole)) = place else { return Ok(None) };
    let sql =
        "SELECT body FROM timeglass_step WHERE partition = ?1 AND count BETWEEN ?2 AND ?3 ORDER BY count";
    let state = chained(connection, sql, params![partition.id, whole, at])?;
    Ok(state.map(|state| (at as u64, state)))
}

/// A whole state and the deltas behind it.
fn chained(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Option<Json>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut state = None;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str()?;
        state = match &state {
            None => next(&Json::Null, body, true),
            Some(before) => next(before, body, false),
        };
        if state.is_none() {
            break;
        }
    }
    Ok(state)
}

/// The state that a row tells; nothing if the database was tampered with.
fn next(before: &Json, body: &str, is_whole: bool) -> Option<Json> {
    let json = Json::parse(body.as_bytes()).ok()?;
    if is_whole { Some(json) } else { apply(before, &json) }
}

fn row_of(name: &str, state: Arc<[u8]>, since: u64) -> RowAt {
    let key = RowKey(Arc::from([Stored::Text(name.as_bytes().into())]));
    RowAt { key, values: values(name, state), is_deleted: false, since }
}

fn values(name: &str, state: Arc<[u8]>) -> Arc<[Stored]> {
    Arc::from([Stored::Text(name.as_bytes().into()), Stored::Text(state)])
}

fn size(values: &[Stored]) -> usize {
    match values.last() {
        Some(Stored::Text(bytes)) => bytes.len(),
        _ => 0,
    }
}

fn name_of(key: &RowKey) -> Option<String> {
    match &*key.0 {
        [Stored::Text(bytes)] => String::from_utf8(bytes.to_vec()).ok(),
        _ => None,
    }
}
