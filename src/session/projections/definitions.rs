//! The files that define projections: watched, read, parsed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    project::{SavedScript, read_script, save_script},
    projection::{Definition, DefinitionError},
    script::Options,
    session::{
        job::{Job, Slot},
        opened::Opened,
        projections::{ProjectionQuestion, job},
        scripts::options,
    },
    work::{Cancelled, Work},
};

/// The files that define projections.
#[derive(Default)]
pub(super) struct Definitions {
    pub(super) files: Vec<DefinitionFile>,
    since_look: Duration,
    is_looking: bool,
}

/// A file that defines projections.
#[derive(Default)]
pub(super) struct DefinitionFile {
    /// As the project file names it.
    pub(super) file: PathBuf,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What it held when it was last read.
    pub(super) text: Option<Arc<str>>,
    /// Why it cannot be read.
    pub(super) problem: Option<Arc<str>>,
    /// Why its text defines nothing.
    pub(super) error: Option<DefinitionError>,
    /// What it defines; what an older text of it did, while there is an error.
    pub(super) definitions: Vec<Definition>,
    /// The options that it was loaded with.
    loaded_with: Option<Options>,
}

/// What is known of a file.
#[derive(Debug, Clone)]
pub struct Known {
    path: PathBuf,
    text: Option<Arc<str>>,
    problem: Option<Arc<str>>,
    is_loaded: bool,
}

/// A file that changed.
pub struct Looked {
    path: PathBuf,
    options: Options,
    found: Result<ReadFile, Arc<str>>,
}

/// A text, and what it defines.
type ReadFile = (Arc<str>, Result<Vec<Definition>, DefinitionError>);

/// How often the files are looked at for changes made in the user's own editor.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Definitions {
    /// Whether so much time has passed that the files are to be looked at.
    pub(super) fn is_due(&mut self, elapsed: Duration) -> bool {
        self.since_look += elapsed;
        let is_due = self.since_look >= LOOK_EVERY;
        if is_due {
            self.since_look = Duration::ZERO;
        }
        is_due
    }

    pub(super) fn stop_looking(&mut self) {
        self.is_looking = false;
    }

    pub(super) fn file(&self, file: &Path) -> Option<&DefinitionFile> {
        self.files.iter().find(|known| known.file == file)
    }

    /// Whether every file was read once.
    pub(super) fn are_read(&self) -> bool {
        self.files.iter().all(|file| file.text.is_some() || file.problem.is_some())
    }
}

impl Opened {
    /// Takes over which files the project file names; what is known of those that stay is kept.
    pub(super) fn name_definitions(&mut self) {
        let folder = self.definition_folder();
        let mut old = std::mem::take(&mut self.projections.definitions.files);
        let mut files: Vec<DefinitionFile> = Vec::new();
        for entry in &self.kept.now.projections {
            if files.iter().any(|known| known.file == entry.file) {
                continue;
            }
            let path = folder.join(&entry.file);
            let place = old.iter().position(|known| known.path == path);
            files.push(match place {
                Some(place) => old.swap_remove(place),
                None => DefinitionFile { file: entry.file.clone(), path, ..DefinitionFile::default() },
            });
        }
        self.projections.definitions.files = files;
    }

    /// Where paths in the project file start from.
    pub(super) fn definition_folder(&self) -> PathBuf {
        self.kept.folder().or_else(|| self.path.parent()).map(PathBuf::from).unwrap_or_default()
    }

    /// Looks at the files, unless that is being done.
    pub(super) fn definitions_job(&mut self) -> Option<Job> {
        let options = options(&self.kept.now.scripts);
        let definitions = &mut self.projections.definitions;
        if definitions.is_looking || definitions.files.is_empty() {
            return None;
        }
        definitions.is_looking = true;
        let known = |file: &DefinitionFile| Known {
            path: file.path.clone(),
            text: file.text.clone(),
            problem: file.problem.clone(),
            is_loaded: file.loaded_with.as_ref() == Some(&options),
        };
        let known = definitions.files.iter().map(known).collect();
        Some(job(Slot::Definitions, ProjectionQuestion::Look(known, Box::new(options))))
    }

    pub(super) fn take_definitions(&mut self, found: Vec<Looked>) -> Vec<Job> {
        self.projections.definitions.is_looking = false;
        let mut jobs = Vec::new();
        let is_new = !found.is_empty();
        for Looked { path, options, found } in found {
            let files = &mut self.projections.definitions.files;
            let Some(file) = files.iter_mut().find(|file| file.path == path) else { continue };
            match found {
                Err(problem) => file.problem = Some(problem),
                Ok((text, parsed)) => {
                    file.problem = None;
                    if file.text.as_ref() != Some(&text) {
                        self.projections.drafts.take_text(&path, &text);
                    }
                    file.text = Some(text);
                    file.loaded_with = Some(options);
                    match parsed {
                        Ok(definitions) => (file.error, file.definitions) = (None, definitions),
                        Err(error) => file.error = Some(error),
                    }
                }
            }
        }
        // Files that were named while others were looked at.
        if !self.projections.definitions.are_read() {
            jobs.extend(self.definitions_job());
        }
        if is_new {
            jobs.extend(self.overview_job());
        }
        jobs
    }
}

/// The files that hold something else than what is known of them, with what they define.
pub(super) fn looked(known: Vec<Known>, options: &Options, work: &Work) -> Result<Vec<Looked>, Cancelled> {
    let mut found = Vec::new();
    for file in known {
        work.advance(0)?;
        let looked = match read_script(&file.path) {
            Ok(text) => {
                let is_known = file.text.as_ref() == Some(&text) && file.problem.is_none() && file.is_loaded;
                if is_known {
                    continue;
                }
                let parsed = Definition::parse(&file.path, &text, options);
                Ok((text, parsed))
            }
            Err(err) => {
                let problem: Arc<str> = err.to_string().into();
                if file.problem.as_ref() == Some(&problem) {
                    continue;
                }
                Err(problem)
            }
        };
        found.push(Looked { path: file.path, options: options.clone(), found: looked });
    }
    Ok(found)
}

/// Writes a definition's file, unless it holds something else than what is known.
pub(super) fn saved(path: PathBuf, text: &str, known: &str) -> Result<(PathBuf, SavedScript), Arc<str>> {
    match save_script(&path, text, Some(known)) {
        Ok(saved) => Ok((path, saved)),
        Err(err) => Err(err.to_string().into()),
    }
}
