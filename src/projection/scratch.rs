//! The database that read models are rebuilt into: ours, and none of the user's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A database of ours with one rebuilt read model, its history, and how far it came.
///
/// Shared freely; every question opens its own connection. A temporary one goes away with its last owner.
#[derive(Debug, Clone)]
pub struct Scratch {
    path: PathBuf,
    _folder: Option<Arc<tempfile::TempDir>>,
}

/// Why the scratch database did not serve.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The file or its folder cannot be made or read.
    #[error("the scratch database {} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the scratch database {} failed while {doing}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What we were doing.
        doing: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl Scratch {
    /// One in the folder for temporary files.
    pub fn temporary() -> Result<Self, ScratchError> {
        let failed = |source| ScratchError::File { path: std::env::temp_dir(), source };
        let folder = tempfile::Builder::new().prefix("timeglass").tempdir().map_err(failed)?;
        Ok(Self { path: folder.path().join("read-model.sqlite"), _folder: Some(Arc::new(folder)) })
    }

    /// One in a file that stays, so that a rebuild can go on later.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _folder: None }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
