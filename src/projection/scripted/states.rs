//! The states of a run as they are kept: whole ones now and then, and what changed between them.

use std::sync::Arc;

use rusqlite::Connection;

use crate::{
    model::Json,
    projection::scripted::{
        delta::{Delta, alike, delta},
        tables::{PartitionRow, Writer},
    },
    script::{EngineVersion, Processed, Runner},
};

/// No more deltas follow a whole state, so that reading one takes a bounded number of rows.
const MOST_DELTAS: u32 = 63;

/// States of fewer bytes are always kept whole: a delta would hardly be smaller.
const SMALL: usize = 160;

/// The states of one partition, or the shared ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Chain {
    /// The last of them.
    pub(super) last: Json,
    /// The count of the last whole state, its bytes, and how many deltas followed.
    pub(super) whole: u64,
    pub(super) whole_bytes: usize,
    pub(super) deltas: u32,
}

struct Partition {
    id: i64,
    born: u64,
    since: u64,
    chain: Chain,
    /// What the transforms made last, if that was ever anything but the state.
    result: Option<Json>,
    /// Whether it changed in this batch.
    is_touched: bool,
}

/// Partitions by name: looked up for every event, and never listed.
#[expect(clippy::disallowed_types, reason = "one look-up an event among up to millions of names")]
type Partitions = std::collections::HashMap<Arc<str>, Partition>;

/// All states of a run.
pub(super) struct States {
    keeps_history: bool,
    /// Whether results may be other than states.
    has_results: bool,
    partitions: Partitions,
    shared: Option<Chain>,
    touched: Vec<Arc<str>>,
    body: String,
    pending_bytes: usize,
}

impl Chain {
    /// Takes the next state, and writes into `body` what is kept of it; tells the count of the whole state that
    /// it is read from.
    fn next(&mut self, state: &Json, count: u64, body: &mut String) -> Option<u64> {
        body.clear();
        if self.whole > 0 && alike(&self.last, state) {
            return None;
        }
        if self.whole_bytes > SMALL && self.deltas < MOST_DELTAS {
            match delta(&self.last, state, self.whole_bytes / 2) {
                Delta::Same => return None,
                Delta::Text(text) => {
                    *body = text;
                    self.last = state.clone();
                    self.deltas += 1;
                    return Some(self.whole);
                }
                Delta::TooLong => {}
            }
        }
        state.write_compact(body);
        *self = Self { last: state.clone(), whole: count, whole_bytes: body.len(), deltas: 0 };
        Some(count)
    }
}

impl States {
    pub(super) fn new(keeps_history: bool, engine: EngineVersion) -> Self {
        Self {
            keeps_history,
            has_results: engine == EngineVersion::V1,
            partitions: Partitions::default(),
            shared: None,
            touched: Vec::new(),
            body: String::new(),
            pending_bytes: 0,
        }
    }

    /// Reads what an earlier run left, and puts it in place in the script's engine.
    pub(super) fn take_up(&mut self, connection: &Connection, runner: &mut Runner) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "SELECT partition, name, born, since, whole, whole_bytes, deltas, state, (SELECT body FROM \
             timeglass_result r WHERE r.partition = p.partition ORDER BY count DESC LIMIT 1) \
             FROM timeglass_partition p",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let parsed = |text: &str| Json::parse(text.as_bytes()).unwrap_or_default();
            let number = |column: usize| row.get::<_, i64>(column).map(|number| number as u64);
            let state = parsed(row.get_ref(7)?.as_str()?);
            let result = row.get_ref(8)?.as_str_or_null()?.map(parsed);
            let name: Arc<str> = row.get(1)?;
            runner.set_state(&name, state.clone());
            let chain = Chain {
                last: state,
                whole: number(4)?,
                whole_bytes: number(5)? as usize,
                deltas: row.get(6)?,
            };
            let (born, since) = (number(2)?, number(3)?);
            let partition = Partition { id: row.get(0)?, born, since, chain, result, is_touched: false };
            self.partitions.insert(name, partition);
        }
        Ok(())
    }

    pub(super) fn take_up_shared(&mut self, shared: Chain) {
        self.shared = Some(shared);
    }

    /// The shared state.
    pub(super) fn shared(&self) -> Option<&Chain> {
        self.shared.as_ref()
    }

    /// About how much was written since the last batch ended.
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Keeps what a step made.
    pub(super) fn keep(
        &mut self,
        writer: &mut Writer<'_>,
        step: &Processed,
        count: u64,
    ) -> rusqlite::Result<()> {
        let id = self.keep_state(writer, &step.partition, &step.state, count)?;
        if let Some(shared) = &step.shared {
            self.keep_shared(writer, shared, count)?;
        }
        if self.has_results { self.keep_result(writer, step, id, count) } else { Ok(()) }
    }

    /// Keeps the state that a fault left, if it is another than before.
    pub(super) fn keep_after_fault(
        &mut self,
        writer: &mut Writer<'_>,
        partition: &str,
        runner: &mut Runner,
        count: u64,
    ) -> rusqlite::Result<()> {
        if let Some(state) = runner.state(partition) {
            self.keep_state(writer, &partition.into(), state, count)?;
        }
        match runner.shared_state() {
            Some(shared) => self.keep_shared(writer, shared, count),
            None => Ok(()),
        }
    }

    fn keep_state(
        &mut self,
        writer: &mut Writer<'_>,
        name: &Arc<str>,
        state: &Json,
        count: u64,
    ) -> rusqlite::Result<i64> {
        let next_id = self.partitions.len() as i64 + 1;
        if !self.partitions.contains_key(name) {
            let chain = Chain::default();
            let fresh =
                Partition { id: next_id, born: count, since: count, chain, result: None, is_touched: false };
            self.partitions.insert(Arc::clone(name), fresh);
        }
        let Some(partition) = self.partitions.get_mut(name) else { return Ok(next_id) };
        let Some(whole) = partition.chain.next(state, count, &mut self.body) else { return Ok(partition.id) };
        partition.since = count;
        if !partition.is_touched {
            partition.is_touched = true;
            self.touched.push(Arc::clone(name));
        }
        if self.keeps_history {
            writer.step(count, partition.id, whole, &self.body)?;
        }
        self.pending_bytes += self.body.len();
        Ok(partition.id)
    }

    fn keep_shared(&mut self, writer: &mut Writer<'_>, state: &Json, count: u64) -> rusqlite::Result<()> {
        let chain = self.shared.get_or_insert_default();
        let Some(whole) = chain.next(state, count, &mut self.body) else { return Ok(()) };
        self.pending_bytes += self.body.len();
        if self.keeps_history { writer.shared(count, whole, &self.body) } else { Ok(()) }
    }

    /// The first result that is not the state itself begins a list of its own.
    fn keep_result(
        &mut self,
        writer: &mut Writer<'_>,
        step: &Processed,
        id: i64,
        count: u64,
    ) -> rusqlite::Result<()> {
        let Some(partition) = self.partitions.get_mut(&step.partition) else { return Ok(()) };
        let known = partition.result.as_ref().unwrap_or(&step.state);
        if alike(known, &step.result) {
            return Ok(());
        }
        partition.result = Some(step.result.clone());
        writer.result(count, id, &step.result)
    }

    /// Writes the last states of all partitions that this batch touched.
    pub(super) fn write(&mut self, writer: &mut Writer<'_>) -> rusqlite::Result<()> {
        self.pending_bytes = 0;
        for name in self.touched.drain(..) {
            let Some(partition) = self.partitions.get_mut(&name) else { continue };
            partition.is_touched = false;
            self.body.clear();
            partition.chain.last.write_compact(&mut self.body);
            writer.partition(&PartitionRow {
                id: partition.id,
                name: &name,
                born: partition.born,
                since: partition.since,
                whole: partition.chain.whole,
                whole_bytes: partition.chain.whole_bytes,
                deltas: partition.chain.deltas,
                state: &self.body,
            })?;
        }
        Ok(())
    }
}
