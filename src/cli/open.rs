//! Opening the store that a command is about.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{
        Common,
        attend::attended,
        choose::Choice,
        failure::Failure,
        output::{Output, Stop},
        table::printable,
    },
    model::Json,
    project::{
        Sections,
        open::{self as project, OpenedStore, Opening},
    },
    store::{
        EventStore, StoreError,
        cache::Nothing,
        index::Index,
        layout::{Candidate, TableNote},
    },
};

/// A store and its index.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) index: Arc<Index>,
    pub(crate) path: PathBuf,
    /// What the project file keeps besides the layout.
    pub(crate) sections: Sections,
    /// Where paths in the project file start from.
    pub(crate) folder: PathBuf,
    /// What stops the command that opened it.
    pub(crate) stop: Stop,
}

/// What a database turned out to be.
pub(crate) enum Looked {
    /// An event store.
    Store(Box<Opened>),
    /// Something else.
    NoEvents(NoEvents),
}

/// A database without events.
pub(crate) struct NoEvents {
    pub(crate) path: PathBuf,
    /// What came nearest, and why it fell short.
    pub(crate) nearest: Option<Box<Candidate>>,
    pub(crate) tables: Vec<TableNote>,
}

/// Opens a store and scans it into an index; for commands that need an event store.
pub(crate) fn open(path: &Path, common: &Common, output: &mut Output<'_>) -> Result<Opened, Failure> {
    match look(path, common, output)? {
        Looked::Store(opened) => Ok(*opened),
        Looked::NoEvents(none) => Err(none.into_failure()),
    }
}

/// Opens a database, whatever it holds.
pub(crate) fn look(path: &Path, common: &Common, output: &mut Output<'_>) -> Result<Looked, Failure> {
    match database(path, common, output)? {
        Ok(found) => {
            let store = found.store;
            let index = Arc::new(index_of(&*store, common, output)?);
            let folder = found.project_file.as_deref().unwrap_or(path).parent().map(PathBuf::from);
            Ok(Looked::Store(Box::new(Opened {
                store,
                index,
                path: path.to_owned(),
                sections: found.sections,
                folder: folder.unwrap_or_default(),
                stop: output.stop(),
            })))
        }
        Err(none) => Ok(Looked::NoEvents(none)),
    }
}

/// The index of a store: the one that was kept where it is proven, else one made now.
fn index_of(store: &dyn EventStore, common: &Common, output: &mut Output<'_>) -> Result<Index, Failure> {
    let indexing = ("indexing about", "events");
    let Some(cache) = output.cache().filter(|_| !common.no_cache) else {
        return Ok(attended(output, indexing, |work| Index::build(store, work))?);
    };
    match cache.kept_proven(store, &output.wide_work())? {
        Ok(index) => return Ok(index),
        Err(Nothing::Damaged(how)) => {
            output.remark(&format!("warning: the index in the cache was thrown away: {how}"));
        }
        Err(_) => (),
    }
    let (index, _) = attended(output, indexing, |work| cache.make(store, work))?;
    Ok(index)
}

/// Opens a store without scanning it.
pub(crate) fn store(
    path: &Path,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Arc<dyn EventStore>, Failure> {
    with_sections(path, common, output).map(|(store, _)| store)
}

/// Opens a store without scanning it, with what its project file keeps besides the layout.
pub(crate) fn with_sections(
    path: &Path,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<(Arc<dyn EventStore>, Sections), Failure> {
    let found = database(path, common, output)?.map_err(NoEvents::into_failure)?;
    Ok((found.store, found.sections))
}

impl Opened {
    /// For turning what the user typed into what is here.
    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice { index: &self.index, path: &self.path }
    }
}

impl NoEvents {
    fn into_failure(self) -> Failure {
        Failure::trouble(format!("no event table found in {}", self.path.display()))
            .given(self.path.display().to_string())
            .exists(self.tables.iter().map(|note| format!("table {}", note.table)))
            .hint(format!(
                "`timeglass info {}` says what came nearest and why it fell short",
                self.path.display()
            ))
    }

    pub(crate) fn to_json(&self) -> Json {
        let nearest = self.nearest.as_ref().map(|nearest| {
            let shortfalls = nearest.shortfalls.iter().cloned().map(Json::from);
            let table = Json::from(Arc::clone(&nearest.table));
            Json::object([("table", table), ("shortfalls", Json::array(shortfalls))])
        });
        Json::object([
            ("layout", Json::Null),
            ("what", Json::from("no event table found")),
            ("nearest", Json::from(nearest)),
            ("tables", Json::array(self.tables.iter().map(|note| table_json(note, None)))),
        ])
    }
}

/// One table of a database; `rows` is null where they were not or could not be counted.
pub(crate) fn table_json(note: &TableNote, rows: Option<u64>) -> Json {
    let columns = note.columns.iter().map(|(name, _)| Json::from(Arc::clone(name)));
    Json::object([
        ("table", Json::from(Arc::clone(&note.table))),
        ("kind", Json::from(note.kind.label())),
        ("rows", Json::from(rows)),
        ("evidence", Json::from(note.evidence.clone())),
        ("columns", Json::array(columns)),
    ])
}

/// Opens a file through its project file, and passes on what that file warns of.
fn database(
    path: &Path,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Result<Box<OpenedStore>, NoEvents>, Failure> {
    // Asked here, so that the answer names the file as the user wrote it.
    if matches!(path.try_exists(), Ok(false)) {
        return Err(StoreError::Missing { path: path.to_owned() }.into());
    }
    match project::open(path, common.project.as_deref(), &output.work())? {
        Opening::Store(opened) => {
            for warning in &opened.warnings {
                output.remark(&format!("warning: {}", printable(warning)));
            }
            if opened.is_uncertain {
                let path = path.display();
                output.remark(&format!(
                    "warning: another reading of the layout is nearly as good; `timeglass info {path}` gives the evidence"
                ));
            }
            Ok(Ok(opened))
        }
        Opening::NoEvents { path, nearest, tables, warnings } => {
            for warning in &warnings {
                output.remark(&format!("warning: {}", printable(warning)));
            }
            Ok(Err(NoEvents { path, nearest, tables }))
        }
    }
}
