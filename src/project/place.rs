//! Where a project file lies, and how it gets there.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use etcetera::BaseStrategy as _;

use crate::project::{FILE_NAME, Fnv, LayoutChoice, ProjectError, ProjectFile, Sections, document};

/// The two places where the project file of a store may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    beside: PathBuf,
    /// Nothing where the system names no home folder.
    in_config: Option<PathBuf>,
}

/// Keeps the choice beside the store, or in the configuration folder where that is not possible,
/// and says where.
pub fn save_layout(store: &Path, choice: &LayoutChoice) -> Result<PathBuf, ProjectError> {
    Places::of(store).save_layout(choice)
}

/// Keeps the choice in this file; all else that stands in it stays.
pub fn save_layout_to(path: &Path, choice: &LayoutChoice) -> Result<(), ProjectError> {
    change_file(path, |path, text| document::with_layout(path, text, choice))
}

/// Keeps what differs between `before` and `after`, in the file named or else in the one that
/// [`ProjectFile::find`] finds or would find, and says where. All else that stands in it stays.
pub fn keep(
    store: &Path,
    explicit: Option<&Path>,
    before: &Sections,
    after: &Sections,
) -> Result<PathBuf, ProjectError> {
    let change = |path: &Path, text: &str| document::with_sections(path, text, before, after);
    match explicit {
        Some(path) => change_file(path, change).map(|()| path.to_owned()),
        None => Places::of(store).keep(before, after),
    }
}

/// Held while a file is changed, from reading it until it is replaced: two changes at once would both start from
/// the text before them, and one would be lost.
static CHANGING: Mutex<()> = Mutex::new(());

/// Replaces a file's text by what `change` makes of it.
fn change_file(
    path: &Path,
    change: impl FnOnce(&Path, &str) -> Result<String, ProjectError>,
) -> Result<(), ProjectError> {
    let _one_at_a_time = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = change(path, &read_text(path)?.unwrap_or_default())?;
    replace(path, &text).map_err(|source| ProjectError::Unwritable { path: path.to_owned(), source })
}

impl Places {
    /// The places for a store of this user.
    #[must_use]
    pub fn of(store: &Path) -> Self {
        let config = etcetera::choose_base_strategy().ok();
        Self::with_config(store, config.map(|strategy| strategy.config_dir()).as_deref())
    }

    /// The places for a store, with the user's configuration folder given.
    #[must_use]
    pub fn with_config(store: &Path, config: Option<&Path>) -> Self {
        let beside = store.parent().unwrap_or_else(|| Path::new("")).join(FILE_NAME);
        let in_config = config.map(|config| config.join("timeglass").join("projects").join(own_name(store)));
        Self { beside, in_config }
    }

    /// The file named, else the one beside the store, else the one in the configuration folder.
    pub fn find(&self, explicit: Option<&Path>) -> Result<Option<ProjectFile>, ProjectError> {
        if let Some(path) = explicit {
            return ProjectFile::read(path).map(Some);
        }
        for path in std::iter::once(&self.beside).chain(&self.in_config) {
            if let Some(text) = read_text(path)? {
                return document::read(path, &text).map(Some);
            }
        }
        Ok(None)
    }

    /// Keeps the choice beside the store or, if nothing can be written there, in the configuration
    /// folder, and says where.
    pub fn save_layout(&self, choice: &LayoutChoice) -> Result<PathBuf, ProjectError> {
        self.change(|path, text| document::with_layout(path, text, choice))
    }

    /// Keeps what differs between `before` and `after`, and says where.
    pub fn keep(&self, before: &Sections, after: &Sections) -> Result<PathBuf, ProjectError> {
        self.change(|path, text| document::with_sections(path, text, before, after))
    }

    /// Changes the file beside the store, or the one in the configuration folder where the other
    /// neither exists nor can be made.
    fn change(
        &self,
        change: impl Fn(&Path, &str) -> Result<String, ProjectError>,
    ) -> Result<PathBuf, ProjectError> {
        match change_file(&self.beside, &change) {
            Ok(()) => Ok(self.beside.clone()),
            // What the user wrote beside the store is found first, so it must be mended first.
            Err(err @ (ProjectError::Invalid { .. } | ProjectError::Missing { .. })) => Err(err),
            Err(err @ (ProjectError::Unreadable { .. } | ProjectError::Unwritable { .. })) => {
                // A file that lies there already would be found instead of the new one.
                let Some(path) = self.in_config.as_deref().filter(|_| !self.beside.exists()) else {
                    return Err(err);
                };
                if let Some(folder) = path.parent() {
                    let unwritable = |source| ProjectError::Unwritable { path: path.to_owned(), source };
                    fs::create_dir_all(folder).map_err(unwritable)?;
                }
                change_file(path, &change)?;
                Ok(path.to_owned())
            }
        }
    }
}

/// `shop.sqlite-0123456789abcdef.toml`: the store's name to be recognised, its path to be unique.
fn own_name(store: &Path) -> String {
    let whole =
        fs::canonicalize(store).or_else(|_| std::path::absolute(store)).unwrap_or_else(|_| store.to_owned());
    let mut hash = Fnv::default();
    hash.bytes(whole.as_os_str().as_encoded_bytes());
    let name = store.file_name().unwrap_or_default().to_string_lossy();
    // A file name has 255 bytes on most systems.
    let name: String = name.chars().take(40).collect();
    format!("{name}-{}.toml", hash.hex())
}

/// The text of a file; none if there is none.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, ProjectError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ProjectError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Writes a whole file or nothing: readers see the old text or the new one.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays a link; what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".timeglass-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As other programs make files; the user's mask takes away what it will.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(known) = fs::metadata(&path) {
        file.as_file().set_permissions(known.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
