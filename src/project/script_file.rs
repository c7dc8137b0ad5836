//! Files with the user's scripts: read whole, written whole or not at all, never written over unseen.

use std::{
    fs,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::project::place::replace;

/// A script is a text that a person wrote; a larger file was named by mistake.
const MOST_BYTES: u64 = 4 << 20;

/// Names tried for a new file: `order.js`, `order-2.js`, and so on.
const NAMES_TRIED: usize = 100;

/// Why a script's file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ScriptFileError {
    /// There is no such file.
    #[error("there is no file {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no text.
    #[error("{} is no JavaScript: it holds bytes that are no UTF-8 text", path.display())]
    NoText {
        /// Which.
        path: PathBuf,
    },
    /// The file is far larger than a script is.
    #[error("{} is no JavaScript that a person wrote: it is larger than 4 MiB", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What became of a file that was to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedScript {
    /// It holds the new text.
    Saved,
    /// It was left as it is, since it holds another text than the one that was known.
    Changed(Arc<str>),
}

/// Reads a script.
pub fn read_script(path: &Path) -> Result<Arc<str>, ScriptFileError> {
    let path_buf = || path.to_owned();
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ScriptFileError::Missing { path: path_buf() },
        _ => ScriptFileError::Unreadable { path: path_buf(), source },
    };
    // Looked at before it is opened: a pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        let source = io::Error::new(ErrorKind::InvalidInput, "it is no plain file");
        return Err(ScriptFileError::Unreadable { path: path_buf(), source });
    }
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ScriptFileError::TooLarge { path: path_buf() });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(ScriptFileError::NoText { path: path_buf() }),
    }
}

/// Writes a script, unless the file holds something else than `known` by now; `None` means that there
/// was no file.
pub fn save_script(path: &Path, text: &str, known: Option<&str>) -> Result<SavedScript, ScriptFileError> {
    match read_script(path) {
        Ok(held) if *held == *text => return Ok(SavedScript::Saved),
        Ok(held) if Some(&*held) != known => return Ok(SavedScript::Changed(held)),
        Ok(_) | Err(ScriptFileError::Missing { .. }) => (),
        Err(err) => return Err(err),
    }
    write(path, text)?;
    Ok(SavedScript::Saved)
}

/// Writes a new script into a folder, which is made if need be, under the first name that is free:
/// `order.js`, `order-2.js`, and so on.
pub fn create_script(folder: &Path, name: &str, text: &str) -> Result<PathBuf, ScriptFileError> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "js"));
    let mut path = folder.join(name);
    for number in 2..NAMES_TRIED {
        if fs::symlink_metadata(&path).is_err() {
            break;
        }
        path = folder.join(format!("{stem}-{number}.{ending}"));
    }
    if fs::symlink_metadata(&path).is_ok() {
        let source = io::Error::from(ErrorKind::AlreadyExists);
        return Err(ScriptFileError::Unwritable { path, source });
    }
    write(&path, text)?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> Result<(), ScriptFileError> {
    let unwritable = |source| ScriptFileError::Unwritable { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    replace(path, text).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SavedScript, create_script, read_script, save_script};

    fn check(bytes: &[u8], expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("order.js");
        fs::write(&path, bytes).unwrap();
        let said = match read_script(&path) {
            Ok(text) => text.to_string(),
            Err(err) => err.to_string().replace(&path.display().to_string(), "FILE"),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_no_script_says_so() {
        check(b"({})", "({})");
        check(b"", "");
        check(&[0xff, 0xfe], "FILE is no JavaScript: it holds bytes that are no UTF-8 text");
        check(
            &vec![b' '; (4 << 20) + 1],
            "FILE is no JavaScript that a person wrote: it is larger than 4 MiB",
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(read_script(folder.path()).is_err());
        assert!(
            read_script(&folder.path().join("none.js"))
                .unwrap_err()
                .to_string()
                .starts_with("there is no file")
        );
    }

    #[test]
    fn a_file_that_somebody_else_changed_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reducers/order.js");
        assert_eq!(save_script(&path, "one", None).unwrap(), SavedScript::Saved);
        assert_eq!(save_script(&path, "two", Some("one")).unwrap(), SavedScript::Saved);
        fs::write(&path, "theirs").unwrap();
        assert_eq!(save_script(&path, "three", Some("two")).unwrap(), SavedScript::Changed("theirs".into()));
        assert_eq!(save_script(&path, "three", None).unwrap(), SavedScript::Changed("theirs".into()));
        assert_eq!(save_script(&path, "theirs", Some("two")).unwrap(), SavedScript::Saved);
        assert_eq!(save_script(&path, "three", Some("theirs")).unwrap(), SavedScript::Saved);
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
    }

    #[test]
    fn a_new_file_takes_a_free_name() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["order.js", "order-2.js", "order-3.js"];
        for name in names {
            assert_eq!(create_script(folder.path(), "order.js", name).unwrap(), folder.path().join(name));
        }
        assert_eq!(fs::read_to_string(folder.path().join("order.js")).unwrap(), "order.js");
    }
}
