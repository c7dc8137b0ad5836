//! What reducers ask of jobs: reading, loading, writing, and looking at events.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    model::Failure,
    project::{
        SavedScript, create_script, read_script, save_script,
        sections::{EngineEntry, ScriptsEntry},
    },
    replay::Scripted,
    schema::{Catalog, CategoryTypes, handlers, scaffold, types_by_category},
    script::{EngineVersion, Options, Script},
    session::{job::Answer, scripts::source::Newest},
    store::{EventStore, StoreError, index::Index},
    work::{Cancelled, Work},
};

/// What is asked of jobs.
pub enum ScriptQuestion {
    /// Which event types the categories have.
    Types(Arc<Index>),
    /// Whether the files changed.
    Look(Vec<Watched>),
    /// Load these texts.
    Load(Vec<Loading>, Box<Options>),
    /// Write these files.
    Save(Vec<Saving>),
    /// Write a reducer from a category's events; if types are named, handlers for these alone.
    Scaffold {
        /// The store.
        store: Arc<dyn EventStore>,
        /// Its index.
        index: Arc<Index>,
        /// The category; empty for streams without one.
        category: Arc<str>,
        /// The event types to write handlers for.
        only: Option<Arc<[Arc<str>]>>,
    },
}

/// A file that is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Whose reducer it is.
    pub category: Arc<str>,
    /// Where it lies.
    pub path: PathBuf,
    /// What it held.
    pub known: Option<Arc<str>>,
    /// Why it could not be read.
    pub problem: Option<Arc<str>>,
}

/// A text that is to be loaded.
#[derive(Debug, Clone)]
pub struct Loading {
    /// Whose reducer it is.
    pub category: Arc<str>,
    /// The name for messages: `order.js`.
    pub name: Arc<str>,
    /// The source.
    pub text: Arc<str>,
    /// Whether only its faults are wanted.
    pub is_check: bool,
}

/// A file that is to be written.
#[derive(Debug, Clone)]
pub struct Saving {
    /// Whose reducer it is.
    pub category: Arc<str>,
    /// Where it lies.
    pub path: PathBuf,
    /// What it is to hold.
    pub text: Arc<str>,
    /// What it held.
    pub known: Option<Arc<str>>,
    /// Whether it is to be made, under another name if that one is taken.
    pub is_new: bool,
}

/// What they found.
pub enum ScriptAnswer {
    /// The event types of the categories.
    Types(Vec<CategoryTypes>),
    /// What changed: category, path, and the text or why it cannot be read.
    Looked(Vec<Looked>),
    /// What loads, and what does not.
    Loaded(Vec<Loaded>),
    /// What became of the files.
    Saved(Vec<Saved>),
    /// A reducer for a category.
    Scaffolded(Arc<str>, String),
    /// Handlers for a category.
    Handlers(Arc<str>, String),
}

/// A file that changed.
pub struct Looked {
    pub(crate) category: Arc<str>,
    pub(crate) path: PathBuf,
    pub(crate) found: Result<Arc<str>, Arc<str>>,
}

/// A text that was loaded.
pub struct Loaded {
    pub(crate) of: Loading,
    pub(crate) found: Result<Newest, Failure>,
}

/// A file that was written, or was not.
pub struct Saved {
    pub(crate) of: Saving,
    pub(crate) found: Result<(PathBuf, SavedScript), Arc<str>>,
}

impl ScriptQuestion {
    /// Finds the answer.
    pub fn run(self, work: &Work) -> Result<Answer, Cancelled> {
        let answer = match self {
            Self::Types(index) => ScriptAnswer::Types(types_by_category(&index, work)?),
            Self::Look(watched) => ScriptAnswer::Looked(watched.into_iter().filter_map(look).collect()),
            Self::Load(loading, options) => {
                let loaded = loading.into_iter().map(|of| load(of, &options, work)).collect();
                work.advance(0)?;
                ScriptAnswer::Loaded(loaded)
            }
            Self::Save(saving) => ScriptAnswer::Saved(saving.into_iter().map(save).collect()),
            Self::Scaffold { store, index, category, only } => {
                let name = (!category.is_empty()).then_some(&*category);
                let catalog = match Catalog::read(&*store, &index, name, only.as_deref(), work) {
                    Ok(catalog) => catalog,
                    Err(StoreError::Cancelled(cancelled)) => return Err(cancelled),
                    Err(err) => return Ok(Answer::Failed(err)),
                };
                match only {
                    None => ScriptAnswer::Scaffolded(category, scaffold(&catalog)),
                    Some(_) => ScriptAnswer::Handlers(category, handlers(&catalog, "    ")),
                }
            }
        };
        Ok(Answer::Scripts(answer))
    }
}

/// How reducers are loaded, as the project file says.
#[must_use]
pub fn options(entry: &ScriptsEntry) -> Options {
    let engine = match entry.engine {
        Some(EngineEntry::V1) => EngineVersion::V1,
        Some(EngineEntry::V2) | None => EngineVersion::V2,
    };
    let mut options = Options { engine, ..Options::frozen(entry.seed.map(u64::from)) };
    let limits = &mut options.limits;
    if let Some(millis) = entry.call_limit_ms {
        limits.call = Duration::from_millis(millis.into());
    }
    if let Some(seconds) = entry.run_limit_s {
        limits.run = Some(Duration::from_secs(seconds.into()));
    }
    if let Some(mebibytes) = entry.memory_limit_mib {
        limits.memory = (mebibytes as usize) << 20;
    }
    options
}

fn look(watched: Watched) -> Option<Looked> {
    let found = read_script(&watched.path).map_err(|err| Arc::from(err.to_string()));
    let is_new = match &found {
        Ok(text) => watched.known.as_ref() != Some(text) || watched.problem.is_some(),
        Err(why) => watched.problem.as_ref() != Some(why),
    };
    is_new.then_some(Looked { category: watched.category, path: watched.path, found })
}

fn load(of: Loading, options: &Options, work: &Work) -> Loaded {
    let found = match Script::load_reducer(&of.name, &of.text, options, work) {
        Ok(script) => {
            let script = Arc::new(script);
            Ok(Newest { reducer: Arc::new(Scripted::new(Script::clone(&script))), script })
        }
        Err(err) => Err(err.failure),
    };
    Loaded { of, found }
}

fn save(of: Saving) -> Saved {
    let found = if of.is_new {
        let folder = of.path.parent().unwrap_or_else(|| Path::new(""));
        let name = of.path.file_name().unwrap_or_default().to_string_lossy();
        create_script(folder, &name, &of.text).map(|path| (path, SavedScript::Saved))
    } else {
        save_script(&of.path, &of.text, of.known.as_deref()).map(|saved| (of.path.clone(), saved))
    };
    Saved { found: found.map_err(|err| err.to_string().into()), of }
}
