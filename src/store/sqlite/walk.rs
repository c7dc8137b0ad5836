//! Going along the global order in batches, past archives and past damage.

use rusqlite::{Connection, ErrorCode, types::Value as Bound};

use crate::{
    model::{EventKey, KeyPart},
    store::{
        StoreResult,
        sqlite::{
            access::{Reader, Whole},
            direct::{Direct, Stretch, Way},
            filter::Filter,
            plan::{Plan, Select, quote},
            rows::{Cells, read_key},
        },
    },
};

/// After so many damaged places a walk ends.
const MOST_DAMAGE: usize = 100;

/// What becomes of the rows of a batch.
pub(super) trait Gather {
    /// A batch begins, perhaps again: forget what it had.
    fn restart(&mut self);

    /// A row of the batch.
    fn row(&mut self, key: &[KeyPart], row: Cells<'_>);

    /// Whether the batch ends here, however many rows it might still take.
    fn is_full(&self) -> bool {
        false
    }
}

/// A way along the global order.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    plan: &'a Plan,
    select: &'a Select,
    filter: Filter,
    forwards: bool,
    /// The part that is read now; beyond the parts, the walk is over.
    part: Option<usize>,
    /// The key within the part behind which the next batch begins.
    behind: Option<Vec<KeyPart>>,
    /// Whether it begins with that key instead: to look behind the last key of a damaged page,
    /// SQLite would have to read that page.
    begins_there: bool,
    /// The last event to read.
    until: Option<(usize, Vec<KeyPart>)>,
    /// Decodes pages where that is possible; nothing where SQLite shall do it all.
    direct: Option<Direct>,
    /// What could not be read.
    pub(super) troubles: Vec<String>,
}

/// A SELECT and what it is given.
type Statement = (String, Vec<Bound>);

/// What one batch came to.
struct Batch {
    rows: usize,
    /// The key of the last row; empty without one.
    last: Vec<KeyPart>,
    /// Whether it ended before its rows did.
    is_full: bool,
    damage: Option<rusqlite::Error>,
}

impl<'a> Walk<'a> {
    /// A walk from behind `from` (or from the end where it starts), as far as there are events.
    pub(super) fn new(plan: &'a Plan, select: &'a Select, forwards: bool, from: Option<&EventKey>) -> Self {
        let first = if forwards { 0 } else { plan.parts.len() - 1 };
        let (part, behind) = match from {
            Some(key) => {
                let (part, key) = plan.split(key);
                (part, Some(key))
            }
            None => (first, None),
        };
        let filter = Filter::default();
        let (until, troubles) = (None, Vec::new());
        Self {
            plan,
            select,
            filter,
            forwards,
            part: Some(part),
            behind,
            begins_there: false,
            until,
            direct: None,
            troubles,
        }
    }

    pub(super) fn filtered(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    pub(super) fn until(mut self, until: Option<&EventKey>) -> Self {
        self.until = until.map(|key| self.plan.split(key));
        self
    }

    /// Decodes pages instead of asking SQLite, as long as nothing speaks against it.
    pub(super) fn directly(mut self, way: Way) -> Self {
        self.direct = (way != Way::Sql && Direct::suits(self.plan, self.select)).then(Direct::default);
        self
    }

    /// From the next batch on, rows have these columns.
    pub(super) fn select(&mut self, select: &'a Select) {
        self.select = select;
        self.direct =
            self.direct.take().filter(|_| Direct::suits(self.plan, select)).map(|_| Direct::default());
    }

    pub(super) fn is_over(&self) -> bool {
        self.part.is_none_or(|part| part >= self.plan.parts.len())
    }

    /// Reads the next batch of at most `limit` rows; returns how many there were.
    pub(super) fn step(
        &mut self,
        reader: &mut Reader<'_>,
        limit: usize,
        gather: &mut dyn Gather,
    ) -> StoreResult<usize> {
        let Some(part) = self.part.filter(|_| !self.is_over()) else {
            gather.restart();
            return Ok(0);
        };
        let batch = match self.direct.take() {
            None => self.batch(reader, &self.statement(part, limit), part, gather)?,
            Some(mut direct) => {
                let batch = self.batch_of_pages(reader, &mut direct, (part, limit), gather)?;
                self.direct = Some(direct);
                batch
            }
        };
        if batch.rows > 0 {
            let numbered = usize::from(self.plan.parts.len() > 1);
            self.behind = batch.last.get(numbered..).map(<[KeyPart]>::to_vec);
            self.begins_there = false;
        }
        if let Some(error) = batch.damage {
            self.pass(reader, part, &error)?;
        } else if batch.rows < limit && !batch.is_full {
            self.leave(part);
        }
        Ok(batch.rows)
    }

    /// Goes on to the next part.
    fn leave(&mut self, part: usize) {
        self.behind = None;
        self.begins_there = false;
        let is_last = self.until.as_ref().is_some_and(|(last, _)| *last == part);
        self.part = if is_last {
            None
        } else if self.forwards {
            Some(part + 1)
        } else {
            part.checked_sub(1)
        };
    }

    fn batch(
        &self,
        reader: &mut Reader<'_>,
        statement: &Statement,
        part: usize,
        gather: &mut dyn Gather,
    ) -> StoreResult<Batch> {
        let numbered = (self.plan.parts.len() > 1).then_some(part);
        reader.read("reading events", |connection| {
            gather.restart();
            let mut batch = Batch { rows: 0, last: Vec::new(), is_full: false, damage: None };
            match self.rows(connection, statement, numbered, &mut batch, gather) {
                Err(error) if is_damage(&error) => batch.damage = Some(error),
                other => other?,
            }
            Ok(batch)
        })
    }

    /// A batch of pages; of SQLite where they cannot be decoded.
    fn batch_of_pages(
        &self,
        reader: &mut Reader<'_>,
        direct: &mut Direct,
        (part, limit): (usize, usize),
        gather: &mut dyn Gather,
    ) -> StoreResult<Batch> {
        let numbered = (self.plan.parts.len() > 1).then_some(part);
        let statement = self.statement(part, limit);
        let stretch = self.stretch(part, numbered, limit);
        reader.read_pages("reading events", |connection, whole: Option<Whole<'_>>| {
            if let (Some(whole), Some(stretch)) = (whole, &stretch) {
                gather.restart();
                if let Some((rows, last, is_full)) =
                    direct.rows((connection, whole), (self.plan, self.select), stretch, gather)
                {
                    return Ok(Batch { rows, last, is_full, damage: None });
                }
            }
            gather.restart();
            let mut batch = Batch { rows: 0, last: Vec::new(), is_full: false, damage: None };
            match self.rows(connection, &statement, numbered, &mut batch, gather) {
                Err(error) if is_damage(&error) => batch.damage = Some(error),
                other => other?,
            }
            Ok(batch)
        })
    }

    /// What the next batch has to read, in row numbers; nothing if it is not about row numbers alone.
    fn stretch(&self, part: usize, numbered: Option<usize>, limit: usize) -> Option<Stretch> {
        let number = |key: &[KeyPart]| match key {
            [KeyPart::Integer(number)] => Some(*number),
            _ => None,
        };
        let behind = match &self.behind {
            Some(_) if self.begins_there => return None,
            Some(key) => Some(number(key)?),
            None => None,
        };
        let until = match &self.until {
            Some((last, key)) if *last == part => Some(number(key)?),
            _ => None,
        };
        let is_all = self.forwards && self.filter.conditions.is_empty();
        is_all.then_some(Stretch { part, numbered, behind, until, limit })
    }

    fn rows(
        &self,
        connection: &Connection,
        (sql, values): &Statement,
        part: Option<usize>,
        batch: &mut Batch,
        gather: &mut dyn Gather,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut key = Vec::new();
        while let Some(row) = rows.next()? {
            read_key(row, self.plan.key.len(), part, &mut key);
            let before = (batch.rows > 0).then(|| within(&batch.last, part));
            if !self.is_ahead(within(&key, part), before.or(self.behind.as_deref())) {
                let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                return Err(rusqlite::Error::SqliteFailure(corrupt, Some("rows out of order".to_owned())));
            }
            batch.rows += 1;
            gather.row(&key, row.into());
            std::mem::swap(&mut batch.last, &mut key);
            if gather.is_full() {
                batch.is_full = true;
                break;
            }
        }
        Ok(())
    }

    /// Whether a row's number lies ahead of the one before it. In a damaged tree it may not, and a
    /// walk that believed it would go round for ever.
    fn is_ahead(&self, key: &[KeyPart], before: Option<&[KeyPart]>) -> bool {
        match (key.first(), before.and_then(<[KeyPart]>::first)) {
            (Some(KeyPart::Integer(own)), Some(KeyPart::Integer(other))) => {
                let is_single = key.len() == 1 && !self.begins_there;
                let order = if self.forwards { own.cmp(other) } else { other.cmp(own) };
                if is_single { order.is_gt() } else { order.is_ge() }
            }
            _ => before != Some(key) || self.begins_there,
        }
    }

    /// One page by key. Relies on an index that begins with the order's columns, or on the row
    /// number; the layout's problems say so where there is none.
    fn statement(&self, part: usize, limit: usize) -> Statement {
        let sign = match (self.forwards, self.begins_there) {
            (true, false) => ">",
            (true, true) => ">=",
            (false, false) => "<",
            (false, true) => "<=",
        };
        self.statement_from(part, self.behind.as_deref(), sign, limit)
    }

    fn statement_from(&self, part: usize, behind: Option<&[KeyPart]>, sign: &str, limit: usize) -> Statement {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut bound = |sign: &str, key: &[KeyPart]| {
            conditions.push(compare(&self.plan.key, sign));
            values.extend(key.iter().map(to_bound));
        };
        if let Some(behind) = behind {
            bound(sign, behind);
        }
        if let Some((last, key)) = &self.until
            && *last == part
        {
            bound("<=", key);
        }
        conditions.extend(self.filter.conditions.iter().cloned());
        values.extend(self.filter.values.iter().cloned());
        let table = self.plan.parts.get(part).map(|table| quote(table)).unwrap_or_default();
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let direction = if self.forwards { "" } else { " DESC" };
        let order: Vec<String> = self.plan.key.iter().map(|column| format!("{column}{direction}")).collect();
        let sql = format!(
            "SELECT {} FROM {table} AS e{condition} ORDER BY {} LIMIT {limit}",
            self.select.expressions.join(", "),
            order.join(", ")
        );
        (sql, values)
    }

    /// Finds where the rows can be read again after a damaged place: by steps that double from the
    /// last readable key, then halving between the last that failed and the first that did not.
    fn pass(&mut self, reader: &mut Reader<'_>, part: usize, error: &rusqlite::Error) -> StoreResult<()> {
        let table = self.plan.parts.get(part).cloned().unwrap_or_default();
        let start = self.behind.as_deref().and_then(|key| key.first().cloned());
        let side = if self.forwards { "after" } else { "before" };
        let shown = start.as_ref().map_or_else(|| "the first".to_owned(), show);
        let base = match start {
            Some(KeyPart::Integer(base)) => Some(base),
            None if self.forwards => Some(-1),
            None => Some(i64::MAX),
            Some(_) => None,
        };
        let found = match base {
            Some(base) if self.troubles.len() < MOST_DAMAGE => self.readable(reader, part, base)?,
            _ => None,
        };
        let trouble = match found {
            Some(next) => {
                self.behind = Some(self.filled(next));
                self.begins_there = true;
                format!("rows of \"{table}\" between key {shown} and {next} cannot be read: {error}")
            }
            None => {
                self.leave(part);
                format!("rows of \"{table}\" {side} key {shown} cannot be read: {error}")
            }
        };
        self.troubles.push(trouble);
        Ok(())
    }

    /// The key nearest to `base` from which a row, or the end of the table, can be read.
    fn readable(&self, reader: &mut Reader<'_>, part: usize, base: i64) -> StoreResult<Option<i64>> {
        let sign = if self.forwards { 1 } else { -1 };
        let (mut bad, mut good) = (base, None);
        for doubling in 0..63 {
            let Some(next) = base.checked_add(sign * (1_i64 << doubling)) else { break };
            if self.can_read(reader, part, next)? {
                good = Some(next);
                break;
            }
            bad = next;
        }
        let Some(mut good) = good else { return Ok(None) };
        while good.abs_diff(bad) > 1 {
            let middle = bad + (good - bad) / 2;
            if self.can_read(reader, part, middle)? {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Ok(Some(good))
    }

    fn can_read(&self, reader: &mut Reader<'_>, part: usize, from: i64) -> StoreResult<bool> {
        let sign = if self.forwards { ">=" } else { "<=" };
        let statement = self.statement_from(part, Some(&self.filled(from)), sign, 1);
        let batch = self.batch(reader, &statement, part, &mut Nothing)?;
        Ok(batch.damage.is_none())
    }

    /// The first key that begins with this number, in the direction of the walk.
    fn filled(&self, number: i64) -> Vec<KeyPart> {
        let rest = if self.forwards { i64::MIN } else { i64::MAX };
        let mut key = vec![KeyPart::Integer(number)];
        key.resize(self.plan.key.len(), KeyPart::Integer(rest));
        key
    }
}

impl Plan {
    /// The part that an event is in, and its key there. A key of another store finds nothing.
    pub(super) fn split(&self, key: &EventKey) -> (usize, Vec<KeyPart>) {
        let parts = self.parts.len();
        let (part, own) = match key.0.split_first() {
            Some((KeyPart::Integer(part), own)) if parts > 1 => {
                (usize::try_from(*part).unwrap_or(parts), own)
            }
            _ => (0, &*key.0),
        };
        let mut own = own.to_vec();
        own.resize(self.key.len(), KeyPart::Null);
        (part, own)
    }
}

/// The key within its part.
fn within(key: &[KeyPart], part: Option<usize>) -> &[KeyPart] {
    key.get(usize::from(part.is_some())..).unwrap_or_default()
}

/// Takes no rows: only whether they can be read matters.
struct Nothing;

impl Gather for Nothing {
    fn restart(&mut self) {}

    fn row(&mut self, _key: &[KeyPart], _row: Cells<'_>) {}
}

/// `e."id" > ?` or `(e."time", e."id") > (?, ?)`.
fn compare(key: &[String], sign: &str) -> String {
    match key {
        [column] => format!("{column} {sign} ?"),
        columns => {
            format!("({}) {sign} ({})", columns.join(", "), vec!["?"; columns.len()].join(", "))
        }
    }
}

/// A part of a key as SQLite takes it.
pub(super) fn to_bound(part: &KeyPart) -> Bound {
    match part {
        KeyPart::Null => Bound::Null,
        KeyPart::Integer(number) => Bound::Integer(*number),
        KeyPart::Text(text) => Bound::Text(text.to_string()),
        KeyPart::Blob(bytes) => Bound::Blob(bytes.to_vec()),
    }
}

fn show(part: &KeyPart) -> String {
    match part {
        KeyPart::Null => "NULL".into(),
        KeyPart::Integer(number) => number.to_string(),
        KeyPart::Text(text) => text.to_string(),
        KeyPart::Blob(bytes) => format!("of {} bytes", bytes.len()),
    }
}

/// Whether SQLite stumbled over damage, rather than over our question.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
