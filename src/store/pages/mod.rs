//! SQLite's b-tree pages, decoded by ourselves: several times as fast as stepping a statement, and on all cores.
//!
//! Only what a scan needs is here: tables with row numbers and plain indexes of a database in UTF-8 whose file
//! is whole, with nothing pending in a log. For everything else there is SQL, and a [`Refusal`] or a [`Damage`]
//! says when that is so.
//!
//! A page is read with one call into a buffer of ours, never mapped, so that a file which another process
//! shortens is an error and not the end of ours. Nothing here knows whether somebody writes meanwhile: whoever
//! walks looks at the files before and after, as for every read, and throws away what was read in between.
//!
//! Damage is expected everywhere. Pointers, lengths and orders are checked before they are followed; a walk
//! ends after as many leaves as the file has pages, whatever the pages say.
//!
//! `file` reads pages, `number` and `record` say what bytes mean, `tree` goes from leaf to leaf, `table` and
//! `index` hand out rows in their order, `picked` those that are asked for by number.

mod cut;
mod file;
mod index;
mod leaf;
mod number;
mod picked;
mod record;
mod shape;
mod table;
mod tree;

pub use cut::PageRange;
pub use file::{PageFile, Refusal};
pub use index::IndexWalk;
pub use picked::RowPicker;
pub use record::{Columns, Field, Missing, PageRow};
pub use table::TableWalk;

/// Something in a file that is not as SQLite writes it. Not always a fault of the file: what we do not know
/// ends here, too, and SQLite has to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("page {page}: {what}")]
pub struct Damage {
    /// On which page.
    pub page: u32,
    /// What is wrong with it, in words.
    pub what: &'static str,
}

impl Damage {
    pub(crate) fn at(page: u32, what: &'static str) -> Self {
        Self { page, what }
    }
}

/// The two kinds of trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Rows by row number.
    Table,
    /// Entries in the order of an index.
    Index,
}
