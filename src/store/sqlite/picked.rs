//! Rows by their keys from the table's own pages, where that gives exactly what SQLite would.

use rusqlite::Connection;

use crate::{
    model::{EventKey, KeyPart},
    store::{
        pages::{Columns, Field, RowPicker},
        sqlite::{
            access::Whole,
            direct::{Direct, plain_column},
            plan::{Plan, Select},
            records::Records,
            rows::Cells,
        },
    },
};

/// The pages of the events table, kept open beside a connection as long as that is.
#[derive(Debug, Default)]
pub(super) enum Picked {
    /// Nobody asked for a row yet.
    #[default]
    Unopened,
    /// SQLite has to be asked: they are of a kind that is left to it, or damaged.
    Refused,
    /// They are read.
    Open(Box<OpenRows>),
}

/// Which columns of a row are wanted: those of one of the plan's selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The data alone.
    Data,
    /// What an event has beside its head.
    Body,
    /// All.
    Event,
}

/// A table in which rows are found by number.
#[derive(Debug)]
pub(super) struct OpenRows {
    picker: RowPicker,
    /// By what is chosen; nothing where only SQLite can make a column.
    columns: [Option<Columns>; 3],
    rowids: Vec<i64>,
}

/// What to read: the rows of these keys.
pub(super) struct Wish<'a> {
    pub(super) plan: &'a Plan,
    pub(super) chosen: Chosen,
    pub(super) keys: &'a [EventKey],
}

impl Picked {
    /// Visits the rows of keys in their order, with nothing for those that are gone. If it says no, SQLite has to
    /// be asked, and what was visited is void.
    pub(super) fn rows(
        (connection, whole): (&Connection, Whole<'_>),
        wish: &Wish<'_>,
        visit: &mut impl FnMut(&EventKey, Option<Cells<'_>>),
    ) -> bool {
        let Ok(mut own) = whole.picked.try_borrow_mut() else { return false };
        if matches!(*own, Self::Unopened) {
            *own = OpenRows::open(connection, whole, wish.plan).map_or(Self::Refused, Self::Open);
        }
        let Self::Open(open) = &mut *own else { return false };
        let Some(is_sound) = open.rows(wish, visit) else { return false };
        if !is_sound {
            *own = Self::Refused;
        }
        is_sound
    }
}

impl OpenRows {
    fn open(connection: &Connection, whole: Whole<'_>, plan: &Plan) -> Option<Box<Self>> {
        let [table] = plan.parts.as_slice() else { return None };
        let key = plain_column(plan.key.first()?)?;
        let records = Records::read(connection, table).ok()??;
        if !plan.is_by_rowid || records.field(&key) != Some(Field::RowId) {
            return None;
        }
        let columns = [&plan.data, &plan.body, &plan.full].map(|select| columns_of(plan, select, &records));
        let picker = RowPicker::new(&whole.file()?, records.root);
        Some(Box::new(Self { picker, columns, rowids: Vec::new() }))
    }

    /// Whether all was as it should be; nothing if these columns or keys are none that can be looked for.
    fn rows(
        &mut self,
        wish: &Wish<'_>,
        visit: &mut impl FnMut(&EventKey, Option<Cells<'_>>),
    ) -> Option<bool> {
        let columns = self.columns.get(wish.chosen as usize)?.as_ref()?;
        self.rowids.clear();
        for key in wish.keys {
            let [KeyPart::Integer(rowid)] = *key.0 else { return None };
            self.rowids.push(rowid);
        }
        let mut keys = wish.keys.iter();
        let read = self.picker.rows(&self.rowids, columns, &mut |row| {
            if let Some(key) = keys.next() {
                visit(key, row.map(Cells::Page));
            }
        });
        Some(read.is_ok())
    }
}

fn columns_of(plan: &Plan, select: &Select, records: &Records) -> Option<Columns> {
    if !Direct::suits(plan, select) {
        return None;
    }
    let field = |expression: &String| records.field(&plain_column(expression)?);
    select.expressions.iter().map(field).collect::<Option<Vec<Field>>>().map(Columns::new)
}
