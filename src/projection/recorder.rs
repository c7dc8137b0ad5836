//! Writes down what every event left of the rows that it touched: one line for each row and event.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, Statement as Prepared, params};

use crate::projection::{
    Definition,
    history::{DELETED, INSERTED, UPDATED, behind_commas, list, own_names},
    journal::{Journal, Step},
    often::{Look, Often},
    sql_text::quote,
    table_facts::TableFacts,
};

/// The lines of one table's history, as they are written.
pub(super) struct Recorder<'c> {
    connection: &'c Connection,
    journal: Journal,
    /// Emptied and used again for each event.
    steps: Vec<Step>,
    sql: Sql,
    keep: Prepared<'c>,
    birth: Prepared<'c>,
    values: Prepared<'c>,
    often: Often,
    is_keyed: bool,
    /// Whether some row has another number than its rowid.
    has_live: bool,
    /// Whether some row was deleted that may be made again.
    has_dead: bool,
}

/// What is asked only where rows come and go.
struct Sql {
    find_dead: String,
    bury: String,
}

impl<'c> Recorder<'c> {
    /// Over the connection that the statements of the events run on.
    pub(super) fn new(
        connection: &'c Connection,
        journal: &Journal,
        definition: &Definition,
        facts: &TableFacts,
    ) -> rusqlite::Result<Self> {
        let (table, rowid) = (quote(&definition.name), facts.rowid);
        let columns = behind_commas(facts.columns.iter().map(|(name, _)| quote(name)));
        let own = behind_commas((0..facts.columns.len()).map(|number| format!("c{number}")));
        let key = facts.spelled(&definition.key);
        let names = own_names(key.len());
        // The plus sign takes the column's affinity away: keys are kept and looked up as they are. None is NULL.
        let keys = list(&key, |name| format!("+t.{}", quote(name)));
        let is_same = (0..).zip(&key).map(|(number, name)| format!("d.k{number} = +t.{}", quote(name)));
        let is_same = is_same.collect::<Vec<_>>().join(" AND ");
        let keep = format!(
            "INSERT INTO timeglass_change (row, count, op{own}) SELECT ?1, ?2, ?3{columns} FROM {table} \
             WHERE {rowid} = ?4"
        );
        let birth = if key.is_empty() {
            "INSERT INTO timeglass_row (born) SELECT ?1 WHERE ?2 IS NOT NULL".to_owned()
        } else {
            format!(
                "INSERT INTO timeglass_row (born, {names}) SELECT ?1, {keys} FROM {table} AS t WHERE t.{rowid} = ?2"
            )
        };
        let mut recorder = Self {
            connection,
            journal: journal.clone(),
            steps: Vec::new(),
            keep: connection.prepare(&keep)?,
            birth: connection.prepare(&birth)?,
            values: connection.prepare(&format!("SELECT NULL{columns} FROM {table} WHERE {rowid} = ?1"))?,
            often: Often::default(),
            is_keyed: !key.is_empty(),
            has_live: false,
            has_dead: false,
            sql: Sql {
                find_dead: format!(
                    "SELECT d.row FROM {table} AS t JOIN timeglass_dead AS d ON {is_same} WHERE t.{rowid} = ?1"
                ),
                bury: format!(
                    "INSERT INTO timeglass_dead (row, {names}) SELECT row, {names} FROM timeglass_row WHERE row = ?1"
                ),
            },
        };
        recorder.look_again()?;
        Ok(recorder)
    }

    /// Forgets what it knows: the database went back to an earlier state.
    pub(super) fn look_again(&mut self) -> rusqlite::Result<()> {
        let is_any = |table: &str| {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
            self.connection.query_row(&sql, [], |row| row.get::<_, bool>(0))
        };
        self.has_live = is_any("timeglass_live")?;
        self.has_dead = self.is_keyed && is_any("timeglass_dead")?;
        self.often = Often::default();
        self.journal.forget();
        Ok(())
    }

    /// Forgets what the statements of an event did: it was undone.
    pub(super) fn forget(&self) {
        self.journal.forget();
    }

    /// The rows that the definition itself makes, before the first event.
    pub(super) fn keep_first_rows(
        &mut self,
        definition: &Definition,
        facts: &TableFacts,
    ) -> rusqlite::Result<()> {
        let (table, rowid) = (quote(&definition.name), facts.rowid);
        let mut statement =
            self.connection.prepare(&format!("SELECT {rowid} FROM {table} ORDER BY {rowid}"))?;
        let rowids: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for rowid in rowids {
            self.keep_birth(rowid, 0)?;
        }
        Ok(())
    }

    /// Writes down what an event did, of which all statements took effect. `count` events lie behind after it.
    pub(super) fn keep_event(&mut self, count: i64) -> rusqlite::Result<()> {
        let mut steps = std::mem::take(&mut self.steps);
        self.journal.take(&mut steps);
        let kept = match steps.as_slice() {
            [] => Ok(()),
            [Step::Updated(rowid)] => {
                self.number_of(*rowid).and_then(|number| self.keep_update(number, count, *rowid))
            }
            [Step::Inserted(rowid)] if !self.has_dead => self.keep_birth(*rowid, count),
            steps => self.keep_all(steps, count),
        };
        self.steps = steps;
        kept
    }

    /// The line of a row that never was before.
    fn keep_birth(&mut self, rowid: i64, count: i64) -> rusqlite::Result<()> {
        let number = self.bear(rowid, count)?;
        self.give_number(rowid, None, Some(number))?;
        self.keep(number, count, INSERTED, rowid)
    }

    fn keep_all(&mut self, steps: &[Step], count: i64) -> rusqlite::Result<()> {
        let places = settle(steps, self.is_keyed, &mut |rowid| self.number_of(rowid))?;
        let still: BTreeSet<i64> = places.iter().filter_map(Place::known).collect();
        let mut deleted: BTreeSet<i64> =
            places.iter().filter_map(|place| place.before).filter(|number| !still.contains(number)).collect();
        if self.is_keyed {
            for number in &deleted {
                self.connection.prepare_cached(&self.sql.bury)?.execute([number])?;
                self.has_dead = true;
            }
        }
        // All old numbers first: a rowid may go from one row to another.
        for place in places.iter().filter(|place| place.before.is_some() && place.before != place.known()) {
            self.give_number(place.rowid, place.before, None)?;
        }
        for place in &places {
            let (number, op) = match place.now {
                None => continue,
                Some(Who::Row(number)) => (number, UPDATED),
                Some(Who::Fresh) => match self.rise(place.rowid)? {
                    Some(number) => {
                        deleted.remove(&number);
                        (number, INSERTED)
                    }
                    None => (self.bear(place.rowid, count)?, INSERTED),
                },
            };
            if place.before != Some(number) || op == INSERTED {
                self.give_number(place.rowid, None, Some(number))?;
            }
            if op == UPDATED {
                self.keep_update(number, count, place.rowid)?;
            } else {
                self.keep(number, count, op, place.rowid)?;
            }
        }
        let sql = "INSERT INTO timeglass_change (row, count, op) VALUES (?1, ?2, ?3)";
        for number in deleted {
            self.often.forget(number);
            self.connection.prepare_cached(sql)?.execute([number, count, DELETED])?;
        }
        Ok(())
    }

    /// The line of a row that was there before. One that changes often is looked at first, since statements that
    /// set what is set already would make histories long without a change in them.
    fn keep_update(&mut self, number: i64, count: i64, rowid: i64) -> rusqlite::Result<()> {
        if self.often.meet(number) == Look::Compare {
            let mut rows = self.values.query([rowid])?;
            if let Some(row) = rows.next()? {
                let mut at = 0;
                let values = std::iter::from_fn(|| {
                    at += 1;
                    row.get_ref(at).ok()
                });
                if self.often.is_same(number, values) {
                    return Ok(());
                }
            }
        }
        self.write(number, count, UPDATED, rowid)
    }

    fn keep(&mut self, number: i64, count: i64, op: i64, rowid: i64) -> rusqlite::Result<()> {
        self.often.forget(number);
        self.write(number, count, op, rowid)
    }

    fn write(&mut self, number: i64, count: i64, op: i64, rowid: i64) -> rusqlite::Result<()> {
        for (place, value) in (1..).zip([number, count, op, rowid]) {
            self.keep.raw_bind_parameter(place, value)?;
        }
        self.keep.raw_execute().map(|_| ())
    }

    /// A new row's number.
    fn bear(&mut self, rowid: i64, count: i64) -> rusqlite::Result<i64> {
        self.birth.execute(params![count, rowid])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The number that a row had before it was deleted, if it is made again.
    fn rise(&self, rowid: i64) -> rusqlite::Result<Option<i64>> {
        if !self.has_dead {
            return Ok(None);
        }
        let mut find = self.connection.prepare_cached(&self.sql.find_dead)?;
        let found: Option<i64> = find.query_row([rowid], |row| row.get(0)).optional()?;
        if let Some(number) = found {
            self.connection.prepare_cached("DELETE FROM timeglass_dead WHERE row = ?1")?.execute([number])?;
        }
        Ok(found)
    }

    /// The number of the row that was under a rowid when the event began.
    fn number_of(&self, rowid: i64) -> rusqlite::Result<i64> {
        if !self.has_live {
            return Ok(rowid);
        }
        let mut find = self.connection.prepare_cached("SELECT row FROM timeglass_live WHERE id = ?1")?;
        let found: Option<i64> = find.query_row([rowid], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(rowid))
    }

    /// Another row, or none, is under a rowid from now on.
    fn give_number(&mut self, rowid: i64, before: Option<i64>, now: Option<i64>) -> rusqlite::Result<()> {
        if before.is_some_and(|before| before != rowid) {
            self.connection.prepare_cached("DELETE FROM timeglass_live WHERE id = ?1")?.execute([rowid])?;
        }
        if let Some(number) = now.filter(|number| *number != rowid) {
            let sql = "INSERT OR REPLACE INTO timeglass_live VALUES (?1, ?2)";
            self.connection.prepare_cached(sql)?.execute([rowid, number])?;
            self.has_live = true;
        }
        Ok(())
    }
}

/// Who is under a rowid after the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The row of this number, which was there before.
    Row(i64),
    /// A row made by this event, or one whose key is another now.
    Fresh,
}

/// A rowid that the event touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    rowid: i64,
    /// The number of the row that was there before the event.
    before: Option<i64>,
    now: Option<Who>,
    /// Whether a row went away from here.
    was_left: bool,
}

impl Place {
    /// The number of the row that is here after the event, if it was somewhere before.
    fn known(&self) -> Option<i64> {
        match self.now {
            Some(Who::Row(number)) => Some(number),
            Some(Who::Fresh) | None => None,
        }
    }
}

/// Every rowid that these steps name, in the order of their first mention, with who was and who is there.
///
/// A row with another key is another row; without keys a row stays what it is under any rowid.
fn settle(
    steps: &[Step],
    is_keyed: bool,
    number_of: &mut dyn FnMut(i64) -> rusqlite::Result<i64>,
) -> rusqlite::Result<Vec<Place>> {
    let mut places = Places::default();
    for step in steps {
        match *step {
            Step::Inserted(rowid) => places.at(rowid, None).now = Some(Who::Fresh),
            Step::Updated(rowid) => {
                places.meet(rowid, number_of)?;
            }
            Step::Gone(rowid) => {
                let place = places.meet(rowid, number_of)?;
                (place.now, place.was_left) = (None, true);
            }
            Step::Moved { from, to } => {
                let place = places.meet(from, number_of)?;
                let who = if is_keyed { Some(Who::Fresh) } else { place.now };
                if from == to {
                    place.now = who;
                    continue;
                }
                (place.now, place.was_left) = (None, true);
                let place = places.at(to, None);
                // It was named as updated when the row came to it. Had there been one before, it would have left.
                if !place.was_left {
                    place.before = None;
                }
                place.now = who;
            }
        }
    }
    Ok(places.list)
}

#[derive(Default)]
struct Places {
    list: Vec<Place>,
    of: BTreeMap<i64, usize>,
}

impl Places {
    /// The place of a rowid; if it is new, with this row before.
    #[expect(clippy::indexing_slicing, reason = "the map holds places of the list, which never shrinks")]
    fn at(&mut self, rowid: i64, before: Option<i64>) -> &mut Place {
        let list = &mut self.list;
        let place = *self.of.entry(rowid).or_insert_with(|| {
            list.push(Place { rowid, before, now: before.map(Who::Row), was_left: false });
            list.len() - 1
        });
        &mut list[place]
    }

    /// The place of a rowid at which a row is.
    fn meet(
        &mut self,
        rowid: i64,
        number_of: &mut dyn FnMut(i64) -> rusqlite::Result<i64>,
    ) -> rusqlite::Result<&mut Place> {
        let before = if self.of.contains_key(&rowid) { None } else { Some(number_of(rowid)?) };
        Ok(self.at(rowid, before))
    }
}
