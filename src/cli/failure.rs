//! The one place of the command line where what went wrong becomes words.
//!
//! Whatever it is, the user reads what failed, what was given, what exists instead, and what to
//! type next.

use std::{fmt::Write as _, path::Path, sync::Arc};

use crate::{
    cli::{output::Output, table::printable},
    model::Json,
    project::open::OpenError,
    publish::PublishError,
    sample::SampleError,
    store::StoreError,
};

/// Why a command could not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The reader of our output has gone, as `head` does; nothing to tell anybody.
    NobodyReads,
    /// Something to tell, boxed since it is rare and large.
    Trouble(Box<Trouble>),
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Trouble {
    /// What went wrong, as a sentence without full stop.
    pub(crate) what: String,
    /// What the user gave.
    pub(crate) given: Option<String>,
    /// What exists: the nearest names, or the range that is allowed.
    pub(crate) exists: Vec<String>,
    /// What to type or do.
    pub(crate) hint: Option<String>,
    /// Lines of a source that show where; for people only.
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn trouble(what: impl Into<String>) -> Self {
        Self::Trouble(Box::new(Trouble { what: what.into(), ..Trouble::default() }))
    }

    /// A name that nothing bears.
    pub(crate) fn unknown(kind: &str, given: &str, nearest: &[Arc<str>], hint: impl Into<String>) -> Self {
        Self::trouble(format!("no {kind} is called `{given}`"))
            .given(given)
            .exists(nearest.iter().map(|name| name.to_string()))
            .hint(hint)
    }

    /// An error of ours and what caused it.
    pub(crate) fn caused(error: &dyn std::error::Error) -> Self {
        Self::trouble(with_sources(error))
    }

    pub(crate) fn given(self, given: impl Into<String>) -> Self {
        self.with(|trouble| trouble.given = Some(given.into()))
    }

    pub(crate) fn exists(self, exists: impl IntoIterator<Item = String>) -> Self {
        self.with(|trouble| trouble.exists = exists.into_iter().collect())
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.with(|trouble| trouble.hint = Some(hint.into()))
    }

    pub(crate) fn lines(self, lines: impl IntoIterator<Item = String>) -> Self {
        self.with(|trouble| trouble.lines = lines.into_iter().collect())
    }

    /// Tells of it while the command goes on: for people, or for machines on one line.
    pub(crate) fn complain(&self, wants_json: bool, output: &mut Output<'_>) {
        if let Self::Trouble(trouble) = self {
            output.complain(&if wants_json { trouble.to_json().to_compact() } else { trouble.to_text() });
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Trouble)) -> Self {
        if let Self::Trouble(trouble) = &mut self {
            change(trouble);
        }
        self
    }
}

impl Trouble {
    /// For people, on several lines.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}", printable(&self.what));
        for line in &self.lines {
            write!(text, "\n{}", printable(line)).ok();
        }
        if !self.exists.is_empty() {
            let names: Vec<String> = self.exists.iter().map(|name| printable(name)).collect();
            write!(text, "\nexists: {}", names.join(", ")).ok();
        }
        if let Some(hint) = &self.hint {
            write!(text, "\nhint: {}", printable(hint)).ok();
        }
        text
    }

    /// For machines, on one line.
    pub(crate) fn to_json(&self) -> Json {
        let members = [
            ("what", Json::from(self.what.clone())),
            ("given", Json::from(self.given.clone())),
            ("exists", Json::array(self.exists.iter().cloned().map(Json::from))),
            ("hint", Json::from(self.hint.clone())),
        ];
        Json::object([("error", Json::object(members))])
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let what = with_sources(&error);
        let show = |path: &Path| path.display().to_string();
        match &error {
            StoreError::Cancelled(_) => Self::trouble("the work was stopped"),
            StoreError::Missing { path } => Self::trouble(what)
                .given(show(path))
                .exists(neighbours(path))
                .hint("give the path of a SQLite database file"),
            StoreError::IsFolder { path } => Self::trouble(what)
                .given(show(path))
                .exists(neighbours(&path.join("*")))
                .hint("give a file in it"),
            StoreError::Unreadable { path, .. } => Self::trouble(what)
                .given(show(path))
                .hint("check that you may read the file, and its folder"),
            StoreError::NoCopy { path, .. } => Self::trouble(what)
                .given(show(path))
                .hint("set TMPDIR to a folder with as much room as the file takes: its writer died, and what it left unfinished can only be taken back in a copy"),
            StoreError::Empty { path } => Self::trouble(what)
                .given(show(path))
                .hint("check whether the copy of the database is complete"),
            StoreError::NotSqlite { path, .. } => Self::trouble(what)
                .given(show(path))
                .hint("give a SQLite database file; a compressed one has to be unpacked, an encrypted one decrypted first"),
            StoreError::Damaged { path, .. } => Self::trouble(what)
                .given(show(path))
                .hint("`sqlite3 FILE .recover` may save what is left into a new file"),
            StoreError::Sqlite { path, .. } => Self::trouble(what).given(show(path)),
            StoreError::TooLarge { path, .. } => {
                Self::trouble(what).given(show(path)).hint("give a table instead of a view")
            }
            StoreError::Busy { path, .. } => {
                Self::trouble(what).given(show(path)).hint("try again, or give a copy of the file")
            }
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        let what = format!("{}; nothing was written", with_sources(&error));
        match error {
            PublishError::Cancelled(_) => Self::trouble("the work was stopped; nothing was written"),
            PublishError::Store(error) => error.into(),
            PublishError::Locked { .. } => {
                Self::trouble(what).hint("give the store's file name to --confirm")
            }
            PublishError::ReadOnly { path, .. } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("check that you may write the file, and its folder"),
            PublishError::Busy { path, .. } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("try again when the other program has finished, or stop it for a moment"),
            PublishError::Moved { .. } | PublishError::RowMoved { .. } => {
                Self::trouble(what).hint("run it again: it starts from what the store holds now")
            }
            PublishError::Target { table, .. } => Self::trouble(what)
                .given(&*table)
                .hint("`table = \"…\"` in the projection's [[projection]] names another table"),
            PublishError::Refused { .. } | PublishError::Orphans { .. } => {
                Self::trouble(what).hint("the definition makes rows that the table does not take")
            }
            PublishError::BackupExists { path } | PublishError::Backup { path, .. } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("give another place with `--backup FILE`"),
            PublishError::Damaged { .. } => {
                Self::trouble(what).hint("`sqlite3 FILE .recover` may save what is left into a new file")
            }
            PublishError::NotVerified { .. } | PublishError::Sqlite { .. } => Self::trouble(what),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => error.into(),
            OpenError::Project(_) | OpenError::Mapping(_) => Self::trouble(with_sources(&error))
                .hint("correct the project file, or move it away to have the layout detected anew"),
        }
    }
}

impl From<SampleError> for Failure {
    fn from(error: SampleError) -> Self {
        let what = with_sources(&error);
        match &error {
            SampleError::Cancelled(_) => Self::trouble("the work was stopped"),
            SampleError::Exists { path } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("give another name, or delete the file first"),
            SampleError::Unwritable { path, .. } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("give a path in a folder that exists and that you may write to"),
            SampleError::NoRoom { path, .. } => Self::trouble(what)
                .given(path.display().to_string())
                .hint("make fewer events, or give a path on a larger disk"),
            SampleError::Sqlite { path, .. } => Self::trouble(what).given(path.display().to_string()),
            SampleError::NothingToDamage { kind, .. } => {
                Self::trouble(what).given(kind.key()).hint("make more events, or choose another shape")
            }
        }
    }
}

/// The window was asked to open something that is neither a file nor a command.
pub(crate) fn no_store(path: &Path, commands: &[Arc<str>]) -> Failure {
    let given = path.display().to_string();
    let nearest = crate::store::index::nearest_names(&given, commands.iter().cloned(), 3);
    let meant = nearest.iter().map(|name| format!("command {name}"));
    Failure::trouble(format!("there is no file {given}"))
        .given(&given)
        .exists(meant.chain(neighbours(path)))
        .hint("give the path of a SQLite database file; `timeglass --help` lists the commands")
}

/// An error and what caused it, on one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, ": {cause}").ok();
        source = cause.source();
    }
    text
}

/// Files of the same folder that may be meant: databases, and names that come near.
fn neighbours(path: &Path) -> Vec<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or_else(|| Path::new("."))) else { return Vec::new() };
    let files = entries.filter_map(Result::ok).filter(|entry| entry.path().is_file());
    let mut names: Vec<Arc<str>> =
        files.filter_map(|entry| entry.file_name().to_str().map(Arc::from)).collect();
    names.sort();
    let wanted = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut nearest = crate::store::index::nearest_names(wanted, names.iter().cloned(), 5);
    let is_database = |name: &&Arc<str>| {
        [".sqlite", ".sqlite3", ".db", ".db3"].iter().any(|ending| name.to_lowercase().ends_with(ending))
    };
    for name in names.iter().filter(is_database) {
        if nearest.len() < 5 && !nearest.contains(name) {
            nearest.push(Arc::clone(name));
        }
    }
    nearest.iter().map(|name| name.to_string()).collect()
}
