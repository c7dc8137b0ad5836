//! Damages a finished store, each time in one place, and says where.

mod file;
mod rows;

use std::{collections::BTreeSet, path::Path};

use crate::sample::{Damage, DamageKind, SampleError, SampleOptions, rng::Rng, write::Database};

const DAMAGING: &str = "damaging it";

/// Does all damage that SQL can do, in the order asked for.
pub(crate) fn in_tables(database: &Database, options: &SampleOptions) -> Result<Vec<Damage>, SampleError> {
    if options.damage.is_empty() {
        return Ok(Vec::new());
    }
    let mut vandal = Vandal { database, rng: Rng::new(options.seed, 6), spoilt: BTreeSet::new() };
    database.doing(DAMAGING, database.connection.execute_batch("BEGIN"))?;
    let mut damage = Vec::new();
    for kind in &options.damage {
        if matches!(kind, DamageKind::TruncatedFile) {
            continue;
        }
        damage.push(rows::damage(&mut vandal, *kind)?);
    }
    database.doing(DAMAGING, database.connection.execute_batch("COMMIT"))?;
    Ok(damage)
}

/// Does the damage that must wait until the file is closed; damaged pages were chosen before.
pub(crate) fn in_file(
    path: &Path,
    options: &SampleOptions,
    damage: &mut Vec<Damage>,
) -> Result<(), SampleError> {
    let unwritable = |source| SampleError::Unwritable { path: path.to_owned(), source };
    for found in damage.iter().filter(|found| found.kind == DamageKind::CorruptPage) {
        file::corrupt_page(path, &found.key).map_err(unwritable)?;
    }
    for (at, kind) in options.damage.iter().enumerate() {
        if *kind == DamageKind::TruncatedFile {
            damage.insert(at.min(damage.len()), file::truncate(path).map_err(unwritable)?);
        }
    }
    Ok(())
}

/// Picks what to damage, never the same stream twice.
struct Vandal<'a> {
    database: &'a Database,
    rng: Rng,
    spoilt: BTreeSet<String>,
}

impl Vandal<'_> {
    /// One of the keys that a query finds and whose stream is not damaged yet.
    ///
    /// The query's second column is 0 for a good choice and more for one that would show in other
    /// places too; the best there are count.
    fn pick(&mut self, kind: DamageKind, lacks: &'static str, sql: &str) -> Result<String, SampleError> {
        let connection = &self.database.connection;
        let query = || -> rusqlite::Result<Vec<(String, i64)>> {
            let mut statement = connection.prepare(sql)?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let mut found = self.database.doing("looking for something to damage", query())?;
        found.retain(|(key, _)| !self.spoilt.contains(stream_of(key)));
        let best = found.iter().map(|(_, price)| *price).min();
        found.retain(|(_, price)| Some(*price) == best);
        let choice = self.rng.index(found.len());
        match found.into_iter().nth(choice) {
            Some((key, _)) => {
                self.spoilt.insert(stream_of(&key).to_owned());
                Ok(key)
            }
            None => Err(SampleError::NothingToDamage { kind, lacks }),
        }
    }
}

/// The stream of a key: an event is picked by its stream, a snapshot by `stream@version`, an order
/// by its id, which names its stream as well.
fn stream_of(key: &str) -> &str {
    key.split_once('@').map_or(key, |(stream, _)| stream)
}
