//! The definitions that a project file names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::{ScriptFileError, Sections, read_script, sections::ProjectionEntry},
    projection::{Definition, DefinitionError, Kind},
    script::Options,
    store::index::nearest_names,
};

/// A projection of the project file, and what became of its definition.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the project file says.
    pub entry: ProjectionEntry,
    /// Its place among the project file's projections; several may come of one entry.
    pub place: usize,
    /// What it defines.
    pub outcome: Result<Definition, LoadError>,
}

/// Why a projection of the project file cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read; why, with its path.
    #[error("{0}")]
    File(String),
    /// The file has a mistake in it.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The file defines nothing.
    #[error("{} defines no projection", path.display())]
    Nothing {
        /// Which.
        path: PathBuf,
    },
    /// The file does not define the projection that the project file names.
    #[error("{} defines no projection `{name}`; it defines {}", path.display(), listed(known))]
    NoSuchName {
        /// Which.
        path: PathBuf,
        /// The name in the project file.
        name: Arc<str>,
        /// What it does define.
        known: Vec<Arc<str>>,
    },
}

impl Loaded {
    /// What to call it: by its definition, else by what the project file says of it.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        let stem = || self.entry.file.file_stem().unwrap_or_default().to_string_lossy().into();
        match &self.outcome {
            Ok(definition) => Arc::clone(&definition.name),
            Err(_) => self.entry.name.clone().unwrap_or_else(stem),
        }
    }
}

/// Reads every projection that the project file names, in its order. Paths start at `folder`; `options` are for
/// those in JavaScript.
#[must_use]
pub fn load_definitions(sections: &Sections, folder: &Path, options: &Options) -> Vec<Loaded> {
    let mut found = Vec::new();
    for (place, entry) in sections.projections.iter().enumerate() {
        let loaded = |outcome| Loaded { entry: entry.clone(), place, outcome };
        match load(entry, &folder.join(&entry.file), options) {
            Ok(definitions) => found.extend(definitions.into_iter().map(|definition| loaded(Ok(definition)))),
            Err(error) => found.push(loaded(Err(error))),
        }
    }
    found
}

fn load(entry: &ProjectionEntry, path: &Path, options: &Options) -> Result<Vec<Definition>, LoadError> {
    let text = read_script(path).map_err(|error| LoadError::File(words(&error)))?;
    of_entry(entry, path, Definition::parse(path, &text, options)?)
}

/// Those of a file's definitions that an entry of the project file means, called as the entry says.
pub fn of_entry(
    entry: &ProjectionEntry,
    path: &Path,
    mut definitions: Vec<Definition>,
) -> Result<Vec<Definition>, LoadError> {
    if definitions.is_empty() {
        return Err(LoadError::Nothing { path: path.to_owned() });
    }
    let Some(name) = &entry.name else { return Ok(definitions) };
    if let Some(place) = definitions.iter().position(|definition| definition.name == *name) {
        return Ok(vec![definitions.swap_remove(place)]);
    }
    // A file in JavaScript defines one projection, which may be called anything.
    if let [definition] = definitions.as_mut_slice()
        && matches!(definition.kind, Kind::Script(_))
    {
        definition.name = Arc::clone(name);
        return Ok(definitions);
    }
    let known = definitions.into_iter().map(|definition| definition.name).collect();
    Err(LoadError::NoSuchName { path: path.to_owned(), name: Arc::clone(name), known })
}

/// What is wrong with a file that may hold SQL as well as JavaScript.
fn words(error: &ScriptFileError) -> String {
    match error {
        ScriptFileError::NoText { path } => {
            format!("{} is no text: it holds bytes that are not UTF-8", path.display())
        }
        ScriptFileError::TooLarge { path } => {
            format!("{} is larger than 4 MiB, more than a person writes", path.display())
        }
        other => other.to_string(),
    }
}

fn listed(names: &[Arc<str>]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The loaded projection that a user means by its name; if there is none, the names that come near.
pub fn find_loaded<'a>(loaded: &'a [Loaded], name: &str) -> Result<&'a Loaded, Vec<Arc<str>>> {
    const NEAREST: usize = 5;
    match loaded.iter().find(|loaded| *loaded.name() == *name) {
        Some(found) => Ok(found),
        None => {
            let near = nearest_names(name, loaded.iter().map(Loaded::name), NEAREST);
            Err(if near.is_empty() { loaded.iter().map(Loaded::name).take(NEAREST).collect() } else { near })
        }
    }
}
