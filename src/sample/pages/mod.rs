//! Writes the pages of tables and indexes straight into a database file.
//!
//! SQLite asks of each row where it belongs and copies it three times on its way to the file, and
//! `CREATE INDEX` reads the whole table again and sorts what it finds. The story knows every order already,
//! so the b-trees are laid down from left to right, full page by full page. SQLite's own check of the file is
//! what the tests hold them against.

mod entry;
mod file;
mod index;
mod page;
mod table;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use entry::Entry;
pub(crate) use file::FilePages;
pub(crate) use index::IndexEntries;
pub(crate) use table::TableRows;

/// Bytes of a page, as the samples have them.
const PAGE: usize = 4096;

/// Copies `part` to a place in `bytes`, which has room for it.
fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}
