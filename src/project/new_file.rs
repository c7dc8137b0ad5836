//! Files for what is written down: whole or not there at all, and never over a database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It stays, and nothing is written.
    #[default]
    Kept,
    /// It is replaced, as the user has confirmed; a database never is.
    Replaced,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum NewFileError {
    /// There is one of this name.
    #[error("there is a file of this name already, and it was left as it is")]
    Exists,
    /// There is a folder of this name.
    #[error("there is a folder of this name")]
    Folder,
    /// What would be replaced is a database, or belongs to one.
    #[error("there is a database of this name, and databases are never replaced")]
    Database,
    /// The folder that it is to lie in is not there.
    #[error("there is no such folder")]
    NoFolder,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What stands beside a SQLite database while it is in use.
const SATELLITES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Writes a file by the name of another first, so that it is never half there.
///
/// # Errors
///
/// Of `write`, and of this: then no file of the name was made or changed.
pub fn write_file<T, E: From<NewFileError>>(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    check(path, existing)?;
    let (draft, file) = draft(path)?;
    let written = fill(file, write).and_then(|done| {
        settle(&draft, path, existing)?;
        Ok(done)
    });
    // Where it became the file it is gone already.
    fs::remove_file(&draft).ok();
    written
}

fn fill<T, E: From<NewFileError>>(
    file: File,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let mut out = BufWriter::new(file);
    let done = write(&mut out)?;
    out.flush().map_err(NewFileError::from)?;
    Ok(done)
}

/// Whether a file of this name may be made.
fn check(path: &Path, existing: Existing) -> Result<(), NewFileError> {
    match (fs::symlink_metadata(path), existing) {
        (Err(err), _) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        (Err(err), _) => Err(err.into()),
        (Ok(found), _) if found.is_dir() => Err(NewFileError::Folder),
        (Ok(_), Existing::Kept) => Err(NewFileError::Exists),
        (Ok(_), Existing::Replaced) if is_of_database(path) => Err(NewFileError::Database),
        (Ok(_), Existing::Replaced) => Ok(()),
    }
}

/// Whether a file is a SQLite database, or stands beside one. One that cannot be read may be one.
fn is_of_database(path: &Path) -> bool {
    let is_database = |path: &Path| {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
        read.is_err() || head == b"SQLite format 3\0"
    };
    let name = path.to_string_lossy();
    let main = SATELLITES.iter().find_map(|ending| name.strip_suffix(ending));
    main.is_some_and(|main| Path::new(main).exists()) || is_database(path)
}

/// A new file beside the one that it is to become.
fn draft(path: &Path) -> Result<(PathBuf, File), NewFileError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for number in 1..100 {
        let draft = path.with_file_name(format!(".{name}.{number}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&draft) {
            Ok(file) => return Ok((draft, file)),
            // Of a run that was ended by force, or of one that goes on.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => (),
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Err(NewFileError::NoFolder),
            Err(err) => return Err(err.into()),
        }
    }
    Err(NewFileError::Exists)
}

fn settle(draft: &Path, path: &Path, existing: Existing) -> Result<(), NewFileError> {
    if existing == Existing::Replaced {
        return Ok(fs::rename(draft, path)?);
    }
    match fs::hard_link(draft, path) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Err(NewFileError::Exists),
        // Not every file system knows links; there nobody is likely to have made one since the look.
        Err(_) => {
            check(path, existing)?;
            Ok(fs::rename(draft, path)?)
        }
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Existing, NewFileError, write_file};

    /// Writes into a file that holds `before`, and says what it holds then, with what else is in the folder.
    fn check(before: Option<&[u8]>, existing: Existing, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        let written = write_file::<(), NewFileError>(&path, existing, |out| Ok(out.write_all(b"new")?));
        assert_eq!(written.map_err(|err| err.to_string()).is_ok(), expected.is_ok());
        let holds = match expected {
            Ok(text) => Some(text.as_bytes().to_vec()),
            Err(_) => before.map(<[u8]>::to_vec),
        };
        assert_eq!(fs::read(&path).ok(), holds);
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1, "nothing is left over");
    }

    #[test]
    fn a_file_is_replaced_only_where_the_user_said_so_and_a_database_never() {
        check(None, Existing::Kept, Ok("new"));
        check(None, Existing::Replaced, Ok("new"));
        check(Some(b"old"), Existing::Kept, Err("there is a file"));
        check(Some(b"old"), Existing::Replaced, Ok("new"));
        check(Some(b"SQLite format 3\0 and more"), Existing::Replaced, Err("database"));
    }

    #[test]
    fn what_was_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let stopped = write_file::<(), NewFileError>(&path, Existing::Kept, |out| {
            out.write_all(b"half")?;
            Err(NewFileError::NoFolder)
        });
        assert!(stopped.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = folder.path().join("none").join("rows.csv");
        let refused = write_file::<(), NewFileError>(&nowhere, Existing::Kept, |_| Ok(()));
        assert_eq!(refused.unwrap_err().to_string(), "there is no such folder");
    }

    #[test]
    fn what_stands_beside_a_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shop.sqlite"), b"SQLite format 3\0").unwrap();
        let log = folder.path().join("shop.sqlite-wal");
        fs::write(&log, b"frames").unwrap();
        let refused = write_file::<(), NewFileError>(&log, Existing::Replaced, |_| Ok(()));
        assert!(matches!(refused, Err(NewFileError::Database)));
        assert_eq!(fs::read(&log).unwrap(), b"frames");
    }
}
