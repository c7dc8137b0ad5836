//! Copies of a store's file, made piece by piece: that of a large store takes long, and room.

use std::{
    fs::File,
    io::{ErrorKind, Read as _, Write as _},
    path::Path,
};

use crate::{
    store::{StoreError, StoreResult},
    work::Work,
};

/// Bytes between two looks whether the copy is still wanted.
const PIECE: usize = 4 << 20;

/// Copies a file.
pub(super) fn copy(from: &Path, to: &Path, work: &Work) -> StoreResult<()> {
    let unread = |source| StoreError::Unreadable { path: from.to_owned(), source };
    let unwritten = |source| StoreError::NoCopy {
        path: from.to_owned(),
        folder: to.parent().and_then(Path::parent).unwrap_or(to).to_owned(),
        source,
    };
    let mut original = File::open(from).map_err(unread)?;
    let mut copy = File::create(to).map_err(unwritten)?;
    let mut piece = vec![0; PIECE];
    loop {
        work.advance(0)?;
        let read = match original.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(unread)?,
        };
        if read == 0 {
            return Ok(());
        }
        copy.write_all(piece.get(..read).unwrap_or_default()).map_err(unwritten)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(work: &Work, to: &str, expected: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("store.sqlite");
        let bytes: Vec<u8> = (0..PIECE * 2 + 77).map(|at| (at % 251) as u8).collect();
        std::fs::write(&from, &bytes).expect("a file");
        let to = folder.path().join(to);
        let told = copy(&from, &to, work).map_or_else(|error| error.to_string(), |()| "copied".to_owned());
        assert!(told.contains(expected), "{told}");
        if expected == "copied" {
            assert!(std::fs::read(&to).expect("a copy") == bytes);
        }
    }

    #[test]
    fn a_copy_is_whole_or_says_why_not() {
        check(&Work::default(), "copy.sqlite", "copied");
        check(&Work::default(), "nowhere/copy.sqlite", "no room for a copy");
        let withdrawn = Work::default();
        withdrawn.cancel();
        check(&withdrawn, "copy.sqlite", &crate::work::Cancelled.to_string());
    }
}
