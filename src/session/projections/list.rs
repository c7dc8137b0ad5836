//! The list: definitions of the project file and tables of the store, joined by name.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::{create_script, sections::ProjectionEntry},
    projection::{Definition, OnFailure, of_entry},
    schema::types_by_category,
    session::{
        job::{Job, Slot},
        notice::{Notices, chain},
        opened::Opened,
        projections::{ProjectionQuestion, definitions::DefinitionFile, job, question::is_script},
        view::{Guess, ProjectionLine, Stage, grouped},
    },
    store::{EventStore, StoreResult, index::Index, layout::TableKind},
    work::Work,
};

/// A projection in the list.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) name: Arc<str>,
    /// What runs.
    pub(super) definition: Option<Definition>,
    /// What the project file says of it.
    pub(super) entry: Option<ProjectionEntry>,
    /// The stored table that it is joined with.
    pub(super) table: Option<Arc<str>>,
    /// How many rows that has.
    pub(super) rows: Option<u64>,
    /// What may belong to it.
    pub(super) guess: Option<Guess>,
}

/// What a definition for a stored table is written from.
pub struct Wanted {
    store: Arc<dyn EventStore>,
    index: Arc<Index>,
    table: Arc<str>,
    folder: PathBuf,
}

impl Opened {
    /// Joins what there is, and prepares the lines. What was chosen stays chosen.
    pub(crate) fn arrange_projections(&mut self) {
        let mut list = self.defined();
        self.join_tables(&mut list);
        self.projections.list = list;
        let chosen = self.projections.chosen.take();
        let list = &self.projections.list;
        let is_there = |name: &Arc<str>| list.iter().any(|listed| listed.name == *name);
        let asked_for = self.projections.asked_for.take_if(|name| is_there(name));
        let chosen = asked_for.or(chosen);
        let first = || list.first().map(|listed| Arc::clone(&listed.name));
        self.projections.chosen = chosen.filter(is_there).or_else(first);
        self.projections.lines = self.projections.list.iter().map(|listed| self.line_of(listed)).collect();
    }

    /// What the project file defines, in its order. A file that does not load is listed by its own name.
    fn defined(&self) -> Vec<Listed> {
        let mut list: Vec<Listed> = Vec::new();
        for entry in &self.kept.now.projections {
            let Some(file) = self.projections.definitions.file(&entry.file) else { continue };
            let wanted = of_entry(entry, &file.path, file.definitions.clone()).unwrap_or_default();
            let mut found: Vec<Listed> = wanted
                .into_iter()
                .map(|definition| Listed {
                    name: Arc::clone(&definition.name),
                    definition: Some(definition),
                    entry: Some(entry.clone()),
                    ..Listed::default()
                })
                .collect();
            if found.is_empty() {
                let name = entry.name.clone().unwrap_or_else(|| file_stem(&entry.file).into());
                found.push(Listed { name, entry: Some(entry.clone()), ..Listed::default() });
            }
            // Of two with one name the first counts; the other would never be reached.
            found.retain(|new| !list.iter().any(|listed| listed.name == new.name));
            list.extend(found);
        }
        list
    }

    /// How many rows a table of the store has, once they were counted.
    pub(crate) fn rows_of_table(&self, table: &str) -> Option<u64> {
        let place = self.layout.tables.iter().position(|note| *note.table == *table)?;
        self.table_counts.get(place).copied().flatten()
    }

    fn join_tables(&self, list: &mut Vec<Listed>) {
        for listed in list.iter_mut() {
            let named = listed.entry.as_ref().and_then(|entry| entry.table.as_ref());
            let wanted = named.unwrap_or(&listed.name);
            let note = self.layout.tables.iter().find(|note| note.table.eq_ignore_ascii_case(wanted));
            listed.table = note.map(|note| Arc::clone(&note.table));
            listed.rows = listed.table.as_ref().and_then(|table| self.rows_of_table(table));
        }
        let read_models = self.layout.tables.iter().filter(|note| note.kind == TableKind::ReadModel);
        for note in read_models {
            if list.iter().any(|listed| listed.table.as_ref() == Some(&note.table)) {
                continue;
            }
            list.push(Listed {
                name: Arc::clone(&note.table),
                table: Some(Arc::clone(&note.table)),
                rows: self.rows_of_table(&note.table),
                ..Listed::default()
            });
        }
        // Checkpoints of what has neither table nor definition.
        for entry in &self.projections.stored.overview.entries {
            if entry.definition.is_none() && !list.iter().any(|listed| listed.name == entry.name) {
                list.push(Listed { name: Arc::clone(&entry.name), ..Listed::default() });
            }
        }
        for listed in list.iter_mut() {
            listed.guess = self.guess_for(&listed.name);
        }
    }

    fn line_of(&self, listed: &Listed) -> ProjectionLine {
        let run = self.projections.runs.get(&listed.name);
        let (rebuilt, is_rebuilt_trouble) = self.rebuilt_words(listed);
        let mut line = ProjectionLine {
            name: Arc::clone(&listed.name),
            kind: match (&listed.definition, &listed.entry) {
                (Some(definition), _) if is_script(definition) => "JavaScript",
                (Some(_), _) => "SQL",
                (None, Some(_)) => "does not load",
                (None, None) if listed.table.is_some() => "stored only",
                (None, None) => "checkpoint",
            },
            table: listed.table.clone(),
            rows: listed.rows,
            rebuilt,
            is_rebuilt_trouble,
            stage: run.map_or(Stage::Idle, |run| run.stage),
            slot: run.map(|run| run.number),
            drift: self.drifts.badge(&listed.name),
            has_definition: listed.definition.is_some(),
            ..ProjectionLine::default()
        };
        self.say_standing(&mut line);
        line
    }

    /// What was rebuilt, and whether that is trouble.
    fn rebuilt_words(&self, listed: &Listed) -> (String, bool) {
        let Some(run) = self.projections.runs.get(&listed.name) else {
            let words = if listed.definition.is_some() { "never" } else { "" };
            return (words.to_owned(), false);
        };
        match run.stage {
            Stage::Queued => return ("waiting".to_owned(), false),
            Stage::Running => return ("rebuilding…".to_owned(), false),
            Stage::Stopping => return ("stopping…".to_owned(), false),
            Stage::Checking => return ("checking…".to_owned(), false),
            Stage::Idle => (),
        }
        let Some(progress) = &run.progress else {
            return match &run.trouble {
                Some(_) => ("failed".to_owned(), true),
                None => ("never".to_owned(), false),
            };
        };
        let total = self.index.as_ref().map_or(progress.count, |index| index.len() as u64);
        let skipped = |words: String| match progress.failed {
            0 => (words, false),
            1 => (format!("{words}, 1 failure"), true),
            many => (format!("{words}, {} failures", grouped(many)), true),
        };
        if run.trouble.is_some() {
            return (format!("failed at {}", grouped(progress.count)), true);
        }
        let has_stopped = run.options.on_failure == OnFailure::Stop && progress.failed > 0;
        match (progress.is_complete, has_stopped) {
            (true, _) if progress.count >= total => skipped(format!("all {} events", grouped(total))),
            (true, _) => skipped(format!("{} of {} events", grouped(progress.count), grouped(total))),
            (false, true) => (format!("fails at {}", grouped(progress.count + 1)), true),
            (false, false) => {
                (format!("stopped at {} of {}", grouped(progress.count), grouped(total)), false)
            }
        }
    }

    /// The file that a listed projection comes from.
    pub(super) fn file_of(&self, listed: &Listed) -> Option<&DefinitionFile> {
        self.projections.definitions.file(&listed.entry.as_ref()?.file)
    }

    pub(super) fn scaffold_projection(&mut self, table: Arc<str>) -> Vec<Job> {
        let Some(index) = self.whole_index().cloned() else { return Vec::new() };
        self.projections.is_writing = true;
        let folder = self.definition_folder().join("projections");
        let wanted = Wanted { store: Arc::clone(&self.store), index, table, folder };
        vec![job(Slot::DefinitionSave, ProjectionQuestion::Scaffold(Box::new(wanted)))]
    }

    pub(super) fn take_definition_scaffold(
        &mut self,
        found: Result<PathBuf, Arc<str>>,
        notices: &mut Notices,
    ) -> Vec<Job> {
        self.projections.is_writing = false;
        match found {
            Ok(path) => self.add_definition(&path, notices),
            Err(why) => {
                notices.error("No definition could be written", why.to_string(), "");
                Vec::new()
            }
        }
    }
}

/// What a file that does not load is called.
pub(super) fn file_stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes a definition for a stored table: as it is declared, and a place for each event type.
pub(super) fn scaffolded(wanted: &Wanted, work: &Work) -> StoreResult<Result<PathBuf, Arc<str>>> {
    let Some(shape) = wanted.store.table_shape(work, &wanted.table)? else {
        return Ok(Err(format!("there is no table {}", wanted.table).into()));
    };
    let key: Vec<&str> =
        shape.columns.iter().filter(|column| column.key > 0).map(|column| &*column.name).collect();
    let of_key = if key.is_empty() { String::new() } else { format!("   key: {}", key.join(", ")) };
    let table = &shape.table;
    let mut text = format!(
        "-- What makes `{table}` of the events: statements under each event type that matters to it.\n\
         -- Parameters: :position :stream :category :stream_id :version :type :time :data :metadata\n\
         --             :event_id :correlation_id :causation_id\n\
         -- @projection {table}{of_key}\n{};\n",
        shape.sql.trim().trim_end_matches(';')
    );
    let place = key.first().map_or_else(String::new, |key| format!(" WHERE {key} = :stream_id"));
    for category in types_by_category(&wanted.index, work)? {
        let name = category.category.as_deref().unwrap_or("streams without a category");
        writeln!(text, "\n-- Events of {name}").ok();
        for (event_type, _) in &category.types {
            writeln!(text, "-- @on {event_type}\n-- UPDATE {table} SET …{place};").ok();
        }
    }
    let name = format!("{}.sql", wanted.table.replace(['/', '\\', ':'], "-"));
    Ok(create_script(&wanted.folder, &name, &text).map_err(|err| chain(&err).into()))
}
