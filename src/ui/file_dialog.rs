//! The system's file dialog, which waits for a person on a thread of its own.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;

use crate::{
    jobs::{Wake, ask_aside},
    projection::export::Format,
};

/// What a file is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To open it as a store.
    Store,
    /// As the reducer of this category.
    Reducer(Arc<str>),
    /// As the definition of projections.
    Definition,
    /// As a new file for a read model, with a name to start from.
    Export(Format, String),
}

/// A file dialog that is open.
pub(crate) struct FileDialog {
    pub(crate) purpose: Purpose,
    opened: Instant,
    answer: Receiver<Option<PathBuf>>,
}

/// How a file dialog ended.
pub(crate) enum Picked {
    /// With a file.
    File(PathBuf),
    /// Without one.
    Nothing,
    /// So soon that no person can have seen it: this system has no file dialog.
    NoDialog,
}

/// Nobody cancels a dialog sooner than this after asking for it.
const AT_ONCE: Duration = Duration::from_millis(300);

impl FileDialog {
    /// Opens the dialog, in a folder if one is given.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub(crate) fn open(purpose: Purpose, folder: Option<PathBuf>, wake: &Wake) -> io::Result<Self> {
        let (title, kind, endings): (_, _, Vec<&'static str>) = match &purpose {
            Purpose::Store => (
                "Open an event store",
                "SQLite databases",
                vec!["sqlite", "sqlite3", "db", "db3", "sdb", "s3db"],
            ),
            Purpose::Reducer(_) => ("Use a reducer", "JavaScript", vec!["js", "mjs", "cjs"]),
            Purpose::Definition => ("Add a definition", "Projections", vec!["sql", "js", "mjs", "cjs"]),
            Purpose::Export(format, _) => ("Export the read model", format.name(), vec![format.ending()]),
        };
        let new = match &purpose {
            Purpose::Export(_, name) => Some(name.clone()),
            Purpose::Store | Purpose::Reducer(_) | Purpose::Definition => None,
        };
        let question = move || {
            let dialog = rfd::FileDialog::new()
                .set_title(title)
                .add_filter(kind, &endings)
                .add_filter("All files", &["*"]);
            let dialog = folder.into_iter().fold(dialog, |dialog, folder| dialog.set_directory(folder));
            match new {
                Some(name) => dialog.set_file_name(name).save_file(),
                None => dialog.pick_file(),
            }
        };
        let opened = Instant::now();
        Ok(Self { purpose, opened, answer: ask_aside("file dialog", wake, question)? })
    }

    /// How it ended; nothing while it is open.
    pub(crate) fn picked(&self) -> Option<Picked> {
        let picked = match self.answer.try_recv().ok()? {
            Some(path) => Picked::File(path),
            // Without a portal the dialog answers at once, like a cancel.
            None if self.opened.elapsed() < AT_ONCE => Picked::NoDialog,
            None => Picked::Nothing,
        };
        Some(picked)
    }
}
