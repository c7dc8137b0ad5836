//! Rows from the table's own pages, where that gives exactly what SQLite would.

use rusqlite::Connection;

use crate::{
    model::KeyPart,
    store::{
        pages::{Columns, Damage, Field, PageRow, TableWalk},
        read::Onward,
        sqlite::{
            access::{OpenPages, Whole},
            plan::{Plan, Select},
            records::Records,
            rows::Cells,
            walk::Gather,
        },
    },
};

/// How a store is read. For tests and benchmarks, which compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// By the pages of indexes or tables, wherever they can be decoded.
    #[default]
    Quickest,
    /// By the pages of tables, indexes left aside.
    Tables,
    /// Through SQLite alone.
    Sql,
}

/// Decodes the pages of tables, as long as nothing speaks against it.
#[derive(Debug, Default)]
pub(super) struct Direct {
    open: Option<OpenTable>,
    /// The look and the part of the log where it was given up: SQLite goes on from there.
    given_up: Option<(u64, usize)>,
}

/// A table on the way through it.
#[derive(Debug)]
struct OpenTable {
    look: u64,
    part: usize,
    walk: TableWalk,
    columns: Columns,
    /// The last row that was handed out; the walk stands behind it.
    behind: Option<i64>,
    /// Dropped last, after the file was closed.
    _pages: OpenPages,
}

/// What a batch reads: rows of one table by their numbers.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Which table of the log.
    pub(super) part: usize,
    /// Its number, where keys begin with it.
    pub(super) numbered: Option<usize>,
    pub(super) behind: Option<i64>,
    pub(super) until: Option<i64>,
    /// After so many rows the batch ends with the page.
    pub(super) limit: usize,
}

/// How many rows there were, the key of the last one, and whether the batch ended before its rows did.
type Read = (usize, Vec<KeyPart>, bool);

impl Direct {
    /// Whether rows with these columns can be decoded at all: keyed by row number, and every column plain.
    pub(super) fn suits(plan: &Plan, select: &Select) -> bool {
        plan.is_by_rowid && select.expressions.iter().all(|expression| plain_column(expression).is_some())
    }

    /// The rows of a batch; nothing where SQLite has to be asked.
    pub(super) fn rows(
        &mut self,
        (connection, whole): (&Connection, Whole<'_>),
        (plan, select): (&Plan, &Select),
        stretch: &Stretch,
        gather: &mut dyn Gather,
    ) -> Option<Read> {
        if self.given_up == Some((whole.look, stretch.part)) {
            return None;
        }
        let is_there = |open: &OpenTable| {
            open.look == whole.look && open.part == stretch.part && open.behind == stretch.behind
        };
        if !self.open.as_ref().is_some_and(is_there) {
            self.open = None;
            self.open = open(connection, whole, (plan, select), stretch);
        }
        let read = self.open.as_mut().and_then(|open| open.read(stretch, gather).ok());
        if read.is_none() {
            self.open = None;
            self.given_up = Some((whole.look, stretch.part));
        }
        read
    }
}

/// Opens the table of a stretch, and goes to its first row; nothing where SQLite has to do it.
fn open(
    connection: &Connection,
    whole: Whole<'_>,
    (plan, select): (&Plan, &Select),
    stretch: &Stretch,
) -> Option<OpenTable> {
    let table = plan.parts.get(stretch.part)?;
    let key = plain_column(plan.key.first()?)?;
    let columns: Option<Vec<String>> = select.expressions.iter().map(|own| plain_column(own)).collect();
    let records = Records::read(connection, table).ok()??;
    let fields: Option<Vec<Field>> = columns?.iter().map(|column| records.field(column)).collect();
    if records.field(&key) != Some(Field::RowId) {
        return None;
    }
    let pages = whole.open()?;
    let walk = TableWalk::behind(&pages.file, records.root, stretch.behind).ok()?;
    Some(OpenTable {
        look: whole.look,
        part: stretch.part,
        walk,
        columns: Columns::new(fields?),
        behind: stretch.behind,
        _pages: pages,
    })
}

impl OpenTable {
    /// Reads on until the batch is full, a page at a time.
    fn read(&mut self, stretch: &Stretch, gather: &mut dyn Gather) -> Result<Read, Damage> {
        let part = stretch.numbered.map(|part| KeyPart::Integer(part as i64));
        let mut taken = Taken {
            gather,
            until: stretch.until.unwrap_or(i64::MAX),
            key: part.into_iter().chain([KeyPart::Null]).collect(),
            rows: 0,
            last: None,
            is_over: false,
        };
        let mut is_full = false;
        while !taken.is_over && !is_full && taken.rows < stretch.limit {
            taken.is_over |= !self.walk.rows(&self.columns, &mut |row| taken.take(row))?;
            is_full = taken.gather.is_full();
        }
        let Taken { rows, last, key, is_over, .. } = taken;
        self.behind = last.or(self.behind);
        // A batch with fewer rows than asked for is the last one, unless it is full.
        Ok((rows, if rows > 0 { key } else { Vec::new() }, is_full && !is_over))
    }
}

/// What a batch took so far.
struct Taken<'g> {
    gather: &'g mut dyn Gather,
    until: i64,
    /// The key of the last row.
    key: Vec<KeyPart>,
    rows: usize,
    last: Option<i64>,
    is_over: bool,
}

impl Taken<'_> {
    fn take(&mut self, row: &PageRow<'_>) -> Onward {
        let rowid = row.rowid();
        if rowid > self.until {
            self.is_over = true;
            return Onward::Enough;
        }
        self.rows += 1;
        self.last = Some(rowid);
        if let Some(own) = self.key.last_mut() {
            *own = KeyPart::Integer(rowid);
        }
        self.gather.row(&self.key, Cells::Page(row));
        Onward::On
    }
}

/// The column of an expression that is nothing but a column of the events table.
pub(super) fn plain_column(expression: &str) -> Option<String> {
    let quoted = expression.strip_prefix("e.\"")?.strip_suffix('"')?;
    let name = quoted.replace("\"\"", "\"");
    // A name has its quotes doubled; another quote ends it, and more follows.
    (name.replace('"', "\"\"") == quoted).then_some(name)
}
