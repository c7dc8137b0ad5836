//! A rebuilt table at any point in time, and the history of its rows.

use std::sync::Arc;

use crate::{
    model::{Json, Stored},
    projection::{
        Definition, Kind, Progress, Scratch, ScratchError, history, record,
        row_states::{self, RowStates},
        scripted::{self, States},
        table_facts::TableFacts,
    },
    work::Work,
};

/// A rebuilt table with the history of its rows.
///
/// Rows are listed in the order of their birth, so that the first rows of the table at one time are the first
/// rows at every later time and nothing jumps while the cursor moves. A row that was deleted keeps its place.
#[derive(Debug, Clone)]
pub struct ReadModel {
    scratch: Scratch,
    table: Arc<str>,
    columns: Arc<[Column]>,
    /// Which columns are the key, in its order.
    key: Arc<[usize]>,
    progress: Arc<Progress>,
    has_history: bool,
    /// Whether a script made it.
    is_script: bool,
}

/// A column of a rebuilt table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Its declared type; empty without one.
    pub declared: Arc<str>,
    /// Whether it is part of the key.
    pub is_key: bool,
}

/// What tells a row from others: the values of the key columns; its number in the order of birth, from 1, where
/// there is no key.
#[derive(Debug, Clone, PartialEq)]
pub struct RowKey(pub Arc<[Stored]>);

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsQuery {
    /// How many events lie behind.
    pub count: u64,
    /// The first row, in order of birth; of those that contain the text, if one is asked for.
    pub first: u64,
    /// At most so many.
    pub limit: usize,
    /// Only rows in which a column contains this text, in any case of letters; empty means all.
    pub contains: Arc<str>,
}

/// A row as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct RowAt {
    /// Its key.
    pub key: RowKey,
    /// Its values; those it had last, if it was deleted.
    pub values: Arc<[Stored]>,
    /// Whether it had been deleted.
    pub is_deleted: bool,
    /// How many events lay behind after the event that made it so.
    pub since: u64,
}

/// One change of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// How many events lay behind after the event that made it.
    pub count: u64,
    /// The values before; `None` if the row was made here.
    pub before: Option<Arc<[Stored]>>,
    /// The values after; `None` if it was deleted here.
    pub after: Option<Arc<[Stored]>>,
}

/// The histories of rows.
pub(super) enum Histories {
    /// None was kept.
    None,
    /// Of a table.
    Rows(RowStates),
    /// Of a script's partitions.
    Partitions(States),
}

impl Histories {
    /// What happened to a row, oldest first; nothing if there never was one with this key.
    pub(super) fn of(&self, key: &RowKey) -> Result<Vec<RowChange>, ScratchError> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Partitions(states) => states.history(key),
            Self::Rows(states) => match states.row_of(key)? {
                Some(row) => states.history(row),
                None => Ok(Vec::new()),
            },
        }
    }
}

impl ReadModel {
    /// Opens what a rebuild made, whether it came to its end or not. Before any rebuild it has no columns.
    ///
    /// Fails if the scratch database cannot be read.
    pub fn open(scratch: &Scratch, definition: &Definition) -> Result<Self, ScratchError> {
        let failed = || scratch.failed("the read model was opened");
        let work = Work::default();
        let mut model = Self {
            scratch: scratch.clone(),
            table: Arc::clone(&definition.name),
            columns: Arc::from([]),
            key: Arc::from([]),
            progress: Arc::default(),
            has_history: false,
            is_script: matches!(definition.kind, Kind::Script(_)),
        };
        if !scratch.path().exists() {
            return Ok(model);
        }
        let connection = scratch.reader(&work)?;
        let Some(record) = record::load(&connection).map_err(failed())? else { return Ok(model) };
        if model.is_script {
            model.has_history = !record.options.without_history;
            (model.columns, model.key) = (scripted::columns(), Arc::from([0]));
            model.progress = Arc::new(record.progress);
            return Ok(model);
        }
        let Ok(facts) = TableFacts::read(&connection, &definition.name).map_err(failed())? else {
            return Ok(model);
        };
        model.has_history = !record.options.without_history;
        if model.has_history && !history::is_indexed(&connection).map_err(failed())? {
            drop(connection);
            let (writer, _guard) = scratch.writer(&work)?;
            history::index(&writer, &definition.key).map_err(failed())?;
        }
        let place =
            |name: &Arc<str>| facts.columns.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
        model.key = definition.key.iter().filter_map(place).collect();
        let columns = facts.columns.iter().enumerate().map(|(number, (name, declared))| Column {
            name: Arc::clone(name),
            declared: Arc::clone(declared),
            is_key: model.key.contains(&number),
        });
        model.columns = columns.collect();
        model.progress = Arc::new(record.progress);
        Ok(model)
    }

    /// The database it lies in.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Its columns in order.
    #[must_use]
    pub fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    /// How far the rebuild came when this was opened.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether a script made it: its rows are partitions with their states.
    #[must_use]
    pub fn is_script(&self) -> bool {
        self.is_script
    }

    /// Whether rows can be read as they were before the end; without it every count shows the end.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.has_history
    }

    /// How many rows had ever been made by then, deleted ones among them: the length of the list.
    pub fn len_at(&self, work: &Work, count: u64) -> Result<u64, ScratchError> {
        if self.columns.is_empty() {
            return Ok(0);
        }
        if self.is_script {
            return self.partitions(work)?.len_at(self.seen_from(count));
        }
        if self.has_history {
            return self.states(work)?.born_by(count);
        }
        let mut rows = 0;
        self.each_without_history(work, &mut |_| {
            rows += 1;
            true
        })?;
        Ok(rows)
    }

    /// How many rows answer a query, whatever its `first` and `limit` say: the length of the filtered list.
    pub fn len_of(&self, work: &Work, query: &RowsQuery) -> Result<u64, ScratchError> {
        if query.contains.is_empty() {
            return self.len_at(work, query.count);
        }
        let (mut rows, needle) = (0, query.contains.to_lowercase());
        self.each(work, query.count, 0, &mut |row| {
            rows += u64::from(contains(&row.values, &needle));
            true
        })?;
        Ok(rows)
    }

    /// Rows as they were.
    pub fn rows_at(&self, work: &Work, query: &RowsQuery) -> Result<Vec<RowAt>, ScratchError> {
        let mut found = Vec::new();
        if query.limit == 0 {
            return Ok(found);
        }
        let needle = query.contains.to_lowercase();
        let (start, mut to_skip) = if needle.is_empty() { (query.first, 0) } else { (0, query.first) };
        self.each(work, query.count, start, &mut |row| {
            if !needle.is_empty() && !contains(&row.values, &needle) {
                return true;
            }
            if to_skip > 0 {
                to_skip -= 1;
                return true;
            }
            found.push(row);
            found.len() < query.limit
        })?;
        Ok(found)
    }

    /// Meets every row that existed then, in order of birth.
    pub fn each_at(
        &self,
        work: &Work,
        count: u64,
        visit: &mut dyn FnMut(&RowAt),
    ) -> Result<(), ScratchError> {
        self.each(work, count, 0, &mut |row| {
            if !row.is_deleted {
                visit(&row);
            }
            true
        })
    }

    /// One row as it was; `None` if none with this key had been made by then.
    pub fn row_at(&self, work: &Work, key: &RowKey, count: u64) -> Result<Option<RowAt>, ScratchError> {
        if self.is_script && !self.columns.is_empty() {
            return self.partitions(work)?.row_at(key, self.seen_from(count));
        }
        let mut found = None;
        if self.has_history {
            let states = self.states(work)?;
            let row = states.row_of(key)?;
            states.each_of(row, count, &mut |_, row| {
                found = Some(row);
                false
            })?;
        } else {
            self.each(work, count, 0, &mut |row| {
                if row.key == *key {
                    found = Some(row);
                }
                found.is_none()
            })?;
        }
        Ok(found)
    }

    /// Everything that ever happened to a row, oldest first. What one event did to it counts as one change,
    /// and as none if it left the row as it was.
    pub fn history(&self, work: &Work, key: &RowKey) -> Result<Vec<RowChange>, ScratchError> {
        self.histories(work)?.of(key)
    }

    /// What happened to many rows, asked one after the other: the database is opened once for all of them.
    pub(super) fn histories(&self, work: &Work) -> Result<Histories, ScratchError> {
        Ok(match (self.has_history, self.is_script) {
            (false, _) => Histories::None,
            (true, true) => Histories::Partitions(self.partitions(work)?),
            (true, false) => Histories::Rows(self.states(work)?),
        })
    }

    /// The state that all partitions of a script share, as it was, with the count of the event that made it so;
    /// nothing if it has none.
    pub fn shared_at(&self, work: &Work, count: u64) -> Result<Option<(u64, Json)>, ScratchError> {
        if !self.is_script || self.columns.is_empty() {
            return Ok(None);
        }
        self.partitions(work)?.shared_at(self.seen_from(count))
    }

    /// The partitions of a script.
    fn partitions(&self, work: &Work) -> Result<States, ScratchError> {
        Ok(States::new(self.scratch.reader(work)?, &self.scratch))
    }

    /// Without a history every moment shows the end.
    fn seen_from(&self, count: u64) -> u64 {
        if self.has_history { count } else { u64::MAX }
    }

    /// Every row born by then from number `first`, counted from 0; `meet` says whether to go on.
    fn each(
        &self,
        work: &Work,
        count: u64,
        first: u64,
        meet: &mut dyn FnMut(RowAt) -> bool,
    ) -> Result<(), ScratchError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        if self.is_script {
            return self.partitions(work)?.each(first, self.seen_from(count), meet);
        }
        if self.has_history {
            let states = self.states(work)?;
            let born = states.born_by(count)?;
            return states.each_of(first.saturating_add(1)..=born, count, &mut |_, row| meet(row));
        }
        let mut number = 0_u64;
        self.each_without_history(work, &mut |row| {
            number += 1;
            number <= first || meet(row)
        })
    }

    fn each_without_history(
        &self,
        work: &Work,
        meet: &mut dyn FnMut(RowAt) -> bool,
    ) -> Result<(), ScratchError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let connection = self.scratch.reader(work)?;
        let mut number = 0_i64;
        row_states::each_row(&connection, &self.table, self.columns.len(), &mut |values| {
            number += 1;
            let key: Vec<Stored> = if self.key.is_empty() {
                vec![Stored::Integer(number)]
            } else {
                self.key.iter().filter_map(|column| values.get(*column).cloned()).collect()
            };
            let (key, since) = (RowKey(key.into()), self.progress.count);
            meet(RowAt { key, values: values.into(), is_deleted: false, since })
        })
        .map_err(self.scratch.failed("rows were read"))
    }

    fn states(&self, work: &Work) -> Result<RowStates, ScratchError> {
        let connection = self.scratch.reader(work)?;
        Ok(RowStates::new(connection, &self.scratch, self.columns.len(), &self.key))
    }
}

/// Whether a value contains a text that is in lower case already.
fn contains(values: &[Stored], needle: &str) -> bool {
    values.iter().any(|value| match value {
        Stored::Null => false,
        Stored::Blob(_) => value.to_hex().contains(needle),
        _ => String::from_utf8_lossy(&value.bytes()).to_lowercase().contains(needle),
    })
}
