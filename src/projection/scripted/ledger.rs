//! What a run of a script needs to go on, beside the record that every rebuild keeps.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{model::Json, projection::scripted::states::Chain};

/// Written at the end of each batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// Whether states are all that the next event depends on.
    pub(super) is_resumable: bool,
    /// The shared state, if there is one.
    pub(super) shared: Option<Chain>,
}

impl Ledger {
    /// What the last whole batch left.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let sql =
            "SELECT is_resumable, shared, whole, whole_bytes, deltas FROM timeglass_script WHERE id = 1";
        let ledger = connection.query_row(sql, [], |row| {
            let shared = row.get_ref(1)?.as_bytes_or_null()?.and_then(|text| Json::parse(text).ok());
            let (whole, bytes): (i64, i64) = (row.get(2)?, row.get(3)?);
            let deltas = row.get(4)?;
            let chain = |last| Chain { last, whole: whole as u64, whole_bytes: bytes as usize, deltas };
            Ok(Self { is_resumable: row.get(0)?, shared: shared.map(chain) })
        });
        Ok(ledger.optional()?.unwrap_or_default())
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let none = Chain::default();
        let chain = self.shared.as_ref().unwrap_or(&none);
        let text = self.shared.as_ref().map(|shared| shared.last.to_compact());
        let (whole, bytes) = (chain.whole as i64, chain.whole_bytes as i64);
        connection
            .prepare_cached("INSERT OR REPLACE INTO timeglass_script VALUES (1, ?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.is_resumable, text, whole, bytes, chain.deltas])
            .map(|_| ())
    }
}

/// Forgets the faults of events that do not lie behind yet: they are met again.
pub(super) fn forget_faults_ahead(connection: &Connection, count: u64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM timeglass_fault WHERE count >= ?1", [count as i64]).map(|_| ())
}
