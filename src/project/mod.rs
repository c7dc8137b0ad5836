//! The project file `timeglass.toml`: what the user decided about one store.
//!
//! It lies beside the store, so that it travels with it, or in the user's configuration folder
//! where the store's folder cannot be written. The user's comments and keys that we do not know
//! stay as they are.

mod document;
pub mod new_file;
pub mod open;
mod place;
mod script_file;
pub mod sections;
mod source_text;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::store::layout::{Role, Source};

pub use place::{Places, keep, save_layout, save_layout_to};
pub use script_file::{SavedScript, ScriptFileError, create_script, read_script, save_script};
pub use sections::Sections;
pub use source_text::{parse_source, source_text};

/// The name of the file beside a store.
pub const FILE_NAME: &str = "timeglass.toml";

/// Which column plays which role, as the user chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutChoice {
    /// The events table.
    pub table: Arc<str>,
    /// [`fingerprint`] of that table when the choice was made; another means that the table changed
    /// or that the file belongs to another store.
    pub fingerprint: Arc<str>,
    /// The roles the user decided; `None` where nothing plays the role. Others are left to detection.
    pub roles: BTreeMap<Role, Option<Source>>,
}

/// A project file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    path: PathBuf,
    layout: Option<LayoutChoice>,
    sections: Sections,
    warnings: Vec<String>,
}

/// Why a project file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The file that was named does not exist.
    #[error("there is no project file {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the project file {} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or says something that cannot be meant.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What is wrong there, lower case.
        problem: String,
    },
    /// The file cannot be written, neither here nor in the configuration folder.
    #[error("the project file {} cannot be written", path.display())]
    Unwritable {
        /// Where it was tried last.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ProjectFile {
    /// The project file of a store: the one named, else the one beside the store, else the one in
    /// the user's configuration folder; none if there is none.
    pub fn find(store: &Path, explicit: Option<&Path>) -> Result<Option<Self>, ProjectError> {
        Places::of(store).find(explicit)
    }

    /// Reads one file.
    pub fn read(path: &Path) -> Result<Self, ProjectError> {
        let text = place::read_text(path)?.ok_or_else(|| ProjectError::Missing { path: path.to_owned() })?;
        document::read(path, &text)
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The layout that the user chose, if they did.
    #[must_use]
    pub fn layout_choice(&self) -> Option<&LayoutChoice> {
        self.layout.as_ref()
    }

    /// What is kept besides the layout.
    #[must_use]
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// What in it means nothing to us, in words; it is kept.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// A short text that stays the same as long as a table keeps its name and its columns' names and
/// declared types. It recognises, it does not protect.
#[must_use]
pub fn fingerprint(table: &str, columns: &[(Arc<str>, Arc<str>)]) -> Arc<str> {
    let mut hash = Fnv::default();
    hash.text(table);
    for (name, declared) in columns {
        hash.text(name);
        hash.text(declared);
    }
    hash.hex().into()
}

/// FNV-1a of 64 bits: the same in every release, which the standard library's hashes are not.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// A text and its end, so that `ab`, `c` is not `a`, `bc`; UTF-8 has no byte ff.
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }

    fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fnv, fingerprint};

    fn check(table: &str, columns: &[(&str, &str)]) -> String {
        let columns: Vec<_> =
            columns.iter().map(|(name, declared)| ((*name).into(), (*declared).into())).collect();
        fingerprint(table, &columns).to_string()
    }

    #[test]
    fn fnv_gives_the_published_numbers() {
        let mut hash = Fnv::default();
        assert_eq!(hash.hex(), "cbf29ce484222325");
        hash.bytes(b"foobar");
        assert_eq!(hash.hex(), "85944171f73967e8");
    }

    #[test]
    fn a_fingerprint_tells_tables_apart() {
        let events = check("events", &[("id", "INTEGER"), ("stream", "TEXT")]);
        assert_eq!(events, check("events", &[("id", "INTEGER"), ("stream", "TEXT")]));
        assert_ne!(events, check("event", &[("id", "INTEGER"), ("stream", "TEXT")]));
        assert_ne!(events, check("events", &[("stream", "TEXT"), ("id", "INTEGER")]));
        assert_ne!(events, check("events", &[("id", "INTEGER"), ("stream", "BLOB")]));
        assert_ne!(check("ab", &[("c", "")]), check("a", &[("bc", "")]));
    }
}
