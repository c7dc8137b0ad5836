//! What a store has of projections and what its project file defines, joined by name.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use crate::{
    model::Checkpoint,
    projection::{
        Definition, Kind, Loaded,
        guess::{Guess, guess},
        standing::{CheckpointAt, Handled, stand},
    },
    store::{
        EventStore, StoreResult,
        index::Index,
        layout::{TableKind, TableNote},
        unless_damaged,
    },
    work::Work,
};

/// Everything that is known of projections.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// By name.
    pub entries: Vec<Entry>,
    /// What was said when checkpoints, or events that they name, could not be read for damage: they are missing.
    pub damage: Option<Arc<str>>,
}

/// One projection: a definition, a stored table, a checkpoint, or several of these.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    /// Its name: that of the definition, else of the table, else of the checkpoint.
    pub name: Arc<str>,
    /// What the project file says of it.
    pub definition: Option<Defined>,
    /// The stored read model.
    pub table: Option<StoredTable>,
    /// How far the owner's projection came.
    pub checkpoints: Vec<CheckpointAt>,
    /// Why table and definition belong together; `None` where one is missing.
    pub joined: Option<Joined>,
    /// Tables that the definition may be about, or definitions that the table may come of, the likeliest first.
    pub guesses: Vec<Guess>,
}

/// A definition in the project file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    /// Its place in the list that was loaded.
    pub loaded: usize,
    /// Its place among the project file's projections.
    pub place: usize,
    /// Its file, as the project file says.
    pub file: PathBuf,
    /// Whether it is JavaScript.
    pub is_script: bool,
    /// Why it cannot be run.
    pub error: Option<Arc<str>>,
}

/// A table of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTable {
    /// Its name.
    pub name: Arc<str>,
    /// How many rows it has, if that is known.
    pub rows: Option<u64>,
    /// What it is for, and why we think so.
    pub evidence: Arc<str>,
}

/// Why a table belongs to a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// They have the same name.
    SameName,
    /// The project file says so.
    ByProjectFile,
}

/// So many guesses are offered.
const MOST_GUESSES: usize = 3;

/// Everything that is known of the projections of a store. `index` is that of the store, `loaded` what
/// [`load_definitions`](crate::projection::load_definitions) found.
///
/// Counts rows, reads checkpoints and looks every marked event up: a question that may take a while.
pub fn overview(
    work: &Work,
    store: &dyn EventStore,
    index: &Index,
    loaded: &[Loaded],
) -> StoreResult<Overview> {
    let layout = Arc::clone(&store.describe().layout);
    let counts = store.table_counts(work)?;
    let mut damage: Option<Arc<str>> = None;
    let mut note = |words: String| {
        damage.get_or_insert_with(|| words.into());
    };
    let checkpoints = unless_damaged(store.checkpoints(work), &mut note)?;
    let mut joining = Joining {
        tables: layout.tables.iter().zip(counts).collect(),
        checkpoints: checkpoints.unwrap_or_default(),
        used: BTreeSet::new(),
        entries: Vec::new(),
    };
    for (at, loaded) in loaded.iter().enumerate() {
        joining.add_defined(at, loaded);
    }
    joining.add_tables();
    joining.add_checkpoints();
    joining.guess(loaded);
    let mut entries = Vec::new();
    for (mut entry, found) in joining.entries {
        let definition = entry.definition.as_ref().and_then(|defined| loaded.get(defined.loaded));
        let handled = definition.and_then(|loaded| loaded.outcome.as_ref().ok()).and_then(Handled::by);
        for checkpoint in &found {
            let found = stand(work, store, index, checkpoint, handled.as_ref());
            entry.checkpoints.extend(unless_damaged(found, &mut note)?);
        }
        entries.push(entry);
    }
    entries.sort_by_cached_key(|entry| (entry.name.to_lowercase(), Arc::clone(&entry.name)));
    Ok(Overview { entries, damage })
}

/// Tables and checkpoints while they are given out.
struct Joining<'a> {
    tables: Vec<(&'a TableNote, Option<u64>)>,
    /// Those that belong to no entry yet.
    checkpoints: Vec<Checkpoint>,
    /// Tables that belong to a definition.
    used: BTreeSet<Arc<str>>,
    entries: Vec<(Entry, Vec<Checkpoint>)>,
}

impl Joining<'_> {
    /// What the project file names, with the table and the checkpoint that are called so.
    fn add_defined(&mut self, at: usize, loaded: &Loaded) {
        let name = loaded.name();
        let said = loaded.entry.table.as_ref();
        let table = self.table(said.unwrap_or(&name));
        let checkpoints = self.take_checkpoints(loaded.entry.checkpoint.as_ref().unwrap_or(&name));
        self.used.extend(table.iter().map(|table| Arc::clone(&table.name)));
        let why = if said.is_some() { Joined::ByProjectFile } else { Joined::SameName };
        let definition = Defined {
            loaded: at,
            place: loaded.place,
            file: loaded.entry.file.clone(),
            is_script: loaded.outcome.as_ref().is_ok_and(|found| matches!(found.kind, Kind::Script(_))),
            error: loaded.outcome.as_ref().err().map(|error| error.to_string().into()),
        };
        let joined = table.is_some().then_some(why);
        let entry = Entry { name, definition: Some(definition), table, joined, ..Entry::default() };
        self.entries.push((entry, checkpoints));
    }

    /// Read models that no definition names, with the checkpoint that is called so.
    fn add_tables(&mut self) {
        let names: Vec<Arc<str>> = self
            .tables
            .iter()
            .filter(|(note, _)| note.kind == TableKind::ReadModel && !self.used.contains(&note.table))
            .map(|(note, _)| Arc::clone(&note.table))
            .collect();
        for name in names {
            let checkpoints = self.take_checkpoints(&name);
            let entry = Entry { table: self.table(&name), name, ..Entry::default() };
            self.entries.push((entry, checkpoints));
        }
    }

    /// Checkpoints of what has neither; one without a name is called as its table.
    fn add_checkpoints(&mut self) {
        for checkpoint in std::mem::take(&mut self.checkpoints) {
            let name = match &*checkpoint.projection {
                "" => Arc::clone(&checkpoint.table),
                _ => Arc::clone(&checkpoint.projection),
            };
            self.entries.push((Entry { name, ..Entry::default() }, vec![checkpoint]));
        }
    }

    /// Which definitions without a table look like which tables without a definition.
    fn guess(&mut self, loaded: &[Loaded]) {
        let mut guesses: Vec<Guess> = Vec::new();
        let of = |definition: &Defined| loaded.get(definition.loaded)?.outcome.as_ref().ok();
        for (entry, _) in self.entries.iter().filter(|(entry, _)| entry.table.is_none()) {
            let Some(definition) = entry.definition.as_ref().and_then(of) else { continue };
            for (note, _) in self.tables.iter().filter(|(note, _)| self.is_free(note)) {
                let columns: Vec<Arc<str>> = note.columns.iter().map(|(name, _)| Arc::clone(name)).collect();
                guesses.extend(guess(&note.table, &columns, definition));
            }
        }
        guesses.sort_by_key(|guess| std::cmp::Reverse(guess.common));
        for (entry, _) in &mut self.entries {
            let is_its = |guess: &&Guess| match (&entry.definition, &entry.table) {
                (Some(_), None) => guess.definition == entry.name,
                (None, Some(table)) => guess.table == table.name,
                _ => false,
            };
            entry.guesses = guesses.iter().filter(is_its).take(MOST_GUESSES).cloned().collect();
        }
    }

    /// Whether a table may be a read model that no definition names.
    fn is_free(&self, note: &TableNote) -> bool {
        matches!(note.kind, TableKind::ReadModel | TableKind::Other | TableKind::View | TableKind::Streams)
            && !self.used.contains(&note.table)
    }

    fn table(&self, name: &str) -> Option<StoredTable> {
        let (note, rows) = self.tables.iter().find(|(note, _)| note.table.eq_ignore_ascii_case(name))?;
        let evidence = match note.evidence.as_str() {
            "" => note.kind.label().to_owned(),
            evidence => format!("{}: {evidence}", note.kind.label()),
        };
        Some(StoredTable { name: Arc::clone(&note.table), rows: *rows, evidence: evidence.into() })
    }

    fn take_checkpoints(&mut self, name: &str) -> Vec<Checkpoint> {
        let is_its = |checkpoint: &mut Checkpoint| is_same(&checkpoint.projection, name);
        self.checkpoints.extract_if(.., is_its).collect()
    }
}

impl Handled {
    /// What a definition handles; `None` where its text does not say.
    #[must_use]
    pub fn by(definition: &Definition) -> Option<Self> {
        let Kind::Sql(source) = &definition.kind else { return None };
        let types = source.handlers.iter().flat_map(|handler| handler.types.iter().cloned()).collect();
        Some(Self { types, category: source.category.clone() })
    }
}

/// Whether two names are the same but for the case of letters and the sign between words: `order-list`,
/// `OrderList`, `order_list`.
fn is_same(left: &str, right: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let plain_left = plain(left);
    !plain_left.is_empty() && plain_left == plain(right)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    fn check(left: &str, right: &str, expected: bool) {
        assert_eq!(is_same(left, right), expected, "{left} {right}");
    }

    #[test]
    fn names_are_the_same_however_they_are_written() {
        check("order-list", "order_list", true);
        check("OrderList", "order_list", true);
        check("order_list", "order_lists", false);
        check("", "", false);
        check("--", "__", false);
    }
}
