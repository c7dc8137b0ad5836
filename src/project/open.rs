//! Opening a store through its project file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::{LayoutChoice, ProjectError, ProjectFile, Sections, fingerprint, save_layout, save_layout_to},
    store::{
        EventStore, Head, StoreError,
        layout::{Candidate, Detection, Layout, Role, Source, TableNote},
        sqlite::{MappingError, Opened, SqliteFile, SqliteStore},
    },
    work::Work,
};

/// Rows that the mapping dialog shows.
const FIRST_ROWS: usize = 20;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The project file.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The chosen layout cannot be read.
    #[error("{0}")]
    Mapping(String),
}

/// What opening a file gave.
pub enum Opening {
    /// A store with events.
    Store(Box<OpenedStore>),
    /// A database without an events table.
    NoEvents {
        /// The file.
        path: PathBuf,
        /// What came nearest.
        nearest: Option<Box<Candidate>>,
        /// Every table.
        tables: Vec<TableNote>,
        /// What is odd about the file or its project file.
        warnings: Vec<String>,
    },
}

/// A store that was opened.
pub struct OpenedStore {
    /// The file.
    pub path: PathBuf,
    /// The store.
    pub store: Arc<dyn EventStore>,
    /// Its head when it was opened.
    pub head: Head,
    /// Whether another reading of the layout is nearly as good, and the user has not chosen.
    pub is_uncertain: bool,
    /// What the project file says that we do not understand.
    pub warnings: Vec<String>,
    /// The project file that was read, if there is one.
    pub project_file: Option<PathBuf>,
    /// What it keeps besides the layout.
    pub sections: Sections,
    /// The project file that was just written.
    pub saved_to: Option<PathBuf>,
}

/// What the mapping dialog shows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// Every table that could hold events.
    pub tables: Vec<Arc<str>>,
    /// The table.
    pub table: Arc<str>,
    /// Its columns, and the JSON paths found in them.
    pub sources: Vec<Source>,
    /// What we think plays each role.
    pub roles: Vec<(Role, Option<Source>)>,
    /// Column names of the first rows.
    pub columns: Vec<String>,
    /// Cells of the first rows.
    pub rows: Vec<Vec<String>>,
    /// What is odd.
    pub message: String,
}
/// Opens a file by the layout in its project file, or by what detection finds.
///
/// A layout that does not fit the file any more is not used, and a warning says so.
pub fn open(path: &Path, project: Option<&Path>, work: &Work) -> Result<Opening, OpenError> {
    // A file that is no database is the greater trouble, so it is found out first.
    let file = SqliteFile::open(path, work)?;
    let project = ProjectFile::find(path, project)?;
    let mut opening = open_by(path, &file, project.as_ref(), work)?;
    if let (Opening::Store(store), Some(project)) = (&mut opening, project) {
        store.project_file = Some(project.path().to_owned());
        store.sections = project.sections().clone();
    }
    Ok(opening)
}

/// The same, where a project file that was named and does not exist yet is to be made by what is kept first; a
/// warning says so.
pub fn open_to_keep(path: &Path, project: Option<&Path>, work: &Work) -> Result<Opening, OpenError> {
    let to_come = project.filter(|project| matches!(project.try_exists(), Ok(false)));
    // In a folder that is not there, nothing can be made.
    let to_come = to_come.filter(|project| {
        project.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
    });
    let Some(to_come) = to_come else { return open(path, project, work) };
    let mut opening = open_by(path, &SqliteFile::open(path, work)?, None, work)?;
    let words = format!(
        "There is no project file {} yet: it is made as soon as there is something to keep",
        to_come.display()
    );
    match &mut opening {
        Opening::Store(store) => store.warnings.push(words),
        Opening::NoEvents { warnings, .. } => warnings.push(words),
    }
    Ok(opening)
}

/// Opens a file by the layout in the project file that was found, or by detection.
fn open_by(
    path: &Path,
    file: &SqliteFile,
    project: Option<&ProjectFile>,
    work: &Work,
) -> Result<Opening, OpenError> {
    let mut warnings = Vec::new();
    if let Some(project) = project {
        warnings.extend(project.warnings().iter().cloned());
        if let Some(choice) = project.layout_choice() {
            match chosen_layout(file, choice, work) {
                Ok(layout) => {
                    let store = SqliteStore::with_layout(path, &layout, work)?;
                    return Ok(Opening::Store(Box::new(opened(path, store, warnings)?)));
                }
                Err(OpenError::Mapping(reason)) => {
                    warnings
                        .push(format!("The layout in {} is not used: {reason}", project.path().display()));
                }
                Err(err) => return Err(err),
            }
        }
    }
    match SqliteStore::open(path, None, work)? {
        Opened::Found { store, rivals } => {
            let is_uncertain = !rivals.is_empty();
            Ok(Opening::Store(Box::new(OpenedStore { is_uncertain, ..opened(path, *store, warnings)? })))
        }
        Opened::NotFound { nearest, tables, problems } => {
            warnings.extend(problems);
            Ok(Opening::NoEvents { path: path.to_owned(), nearest, tables, warnings })
        }
    }
}

fn chosen_layout(file: &SqliteFile, choice: &LayoutChoice, work: &Work) -> Result<Layout, OpenError> {
    let layout = file.complete(work, &choice.table, &choice.roles).map_err(mapping_error)?;
    if *choice.fingerprint == *fingerprint_of(&layout) {
        return Ok(layout);
    }
    Err(OpenError::Mapping(format!("table `{}` has other columns than when it was made", choice.table)))
}

/// The fingerprint of a layout's events table.
fn fingerprint_of(layout: &Layout) -> Arc<str> {
    let table = &layout.events.table;
    let note = layout.tables.iter().find(|note| note.table == *table);
    fingerprint(table, note.map(|note| &*note.columns).unwrap_or_default())
}

fn opened(path: &Path, store: SqliteStore, warnings: Vec<String>) -> Result<OpenedStore, OpenError> {
    let head = store.head()?;
    let store = Arc::new(store);
    Ok(OpenedStore {
        path: path.to_owned(),
        store,
        head,
        is_uncertain: false,
        warnings,
        project_file: None,
        sections: Sections::default(),
        saved_to: None,
    })
}

/// The first rows of a table and what could play which role in it; `None` means the likeliest table.
pub fn preview(path: &Path, table: Option<&str>, work: &Work) -> Result<Preview, OpenError> {
    let file = SqliteFile::open(path, work)?;
    let (found, tables, message) = match file.detect(work)? {
        Detection::Found { layout, rivals } => {
            let message = match rivals.first() {
                Some((_, rival)) => format!("“{}” could hold the events as well", rival.events.table),
                None => String::new(),
            };
            let tables = layout.tables.clone();
            (Some(layout), tables, message)
        }
        Detection::NotFound { nearest, tables } => {
            let message = nearest.iter().filter_map(|nearest| nearest.shortfalls.first()).cloned().collect();
            (nearest.map(|nearest| nearest.layout), tables, message)
        }
    };
    let first = || tables.first().map(|table| Arc::clone(&table.table));
    let table: Option<Arc<str>> = match (table, &found) {
        (Some(table), _) => Some(table.into()),
        (None, Some(layout)) => Some(Arc::clone(&layout.events.table)),
        (None, None) => first(),
    };
    let Some(table) = table else { return Ok(Preview::default()) };
    let layout = match found.filter(|layout| layout.events.table == table) {
        Some(layout) => layout,
        None => file.complete(work, &table, &BTreeMap::new()).map_err(mapping_error)?,
    };
    let rows = file.preview(work, &table, FIRST_ROWS).map_err(mapping_error)?;
    let source = |role: Role| layout.events.role(role).map(|mapping| mapping.source.clone());
    let roles: Vec<(Role, Option<Source>)> = Role::ALL.into_iter().map(|role| (role, source(role))).collect();
    Ok(Preview {
        sources: sources(&rows.columns, &roles),
        tables: tables.iter().map(|table| Arc::clone(&table.table)).collect(),
        table,
        roles,
        columns: rows.columns.iter().map(ToString::to_string).collect(),
        rows: rows
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| cell_text(cell.as_deref())).collect())
            .collect(),
        message,
    })
}

/// Every column, and whatever else plays a role already, such as a path into a payload.
fn sources(columns: &[Arc<str>], roles: &[(Role, Option<Source>)]) -> Vec<Source> {
    let mut sources: Vec<Source> =
        columns.iter().map(|column| Source::Column { table: None, column: Arc::clone(column) }).collect();
    for source in roles.iter().filter_map(|(_, source)| source.as_ref()) {
        if !sources.contains(source) {
            sources.push(source.clone());
        }
    }
    sources
}

/// A cell of the preview; NULL is said, since an empty text is something else.
fn cell_text(cell: Option<&str>) -> String {
    cell.unwrap_or("NULL").to_owned()
}

/// Opens a store by a mapping that the user made, and keeps it in the project file.
pub fn save_mapping(
    path: &Path,
    project: Option<&Path>,
    table: &str,
    roles: &[(Role, Option<Source>)],
    work: &Work,
) -> Result<Opening, OpenError> {
    let chosen: BTreeMap<Role, Option<Source>> = roles.iter().cloned().collect();
    let layout = SqliteFile::open(path, work)?.complete(work, table, &chosen).map_err(mapping_error)?;
    let store = SqliteStore::with_layout(path, &layout, work)?;
    let choice = LayoutChoice { table: table.into(), fingerprint: fingerprint_of(&layout), roles: chosen };
    let saved_to = match project {
        Some(project) => save_layout_to(project, &choice).map(|()| project.to_owned())?,
        None => save_layout(path, &choice)?,
    };
    let sections = ProjectFile::read(&saved_to)?.sections().clone();
    Ok(Opening::Store(Box::new(OpenedStore {
        project_file: Some(saved_to.clone()),
        sections,
        saved_to: Some(saved_to),
        ..opened(path, store, Vec::new())?
    })))
}

fn mapping_error(err: MappingError) -> OpenError {
    match err {
        MappingError::Store(err) => OpenError::Store(err),
        MappingError::Unknown(what) => OpenError::Mapping(what),
    }
}
