//! The checkpoints of the owner's projections, and which event an id belongs to.

use rusqlite::{Connection, OptionalExtension as _, types::Value as Bound};

use crate::{
    model::{Checkpoint, EventKey, Stored},
    store::{
        StoreResult,
        decode::{self, id_text},
        layout::{CheckpointsTable, Layout, Mapping, Role},
        sqlite::{
            access::Access,
            filter::spellings,
            plan::{Plan, Select, Take, quote},
            rows::{Fields, key_of},
        },
    },
    work::Work,
};

/// So many checkpoints are read of a table; no application has as many projections.
const MOST: usize = 10_000;

/// The checkpoints of all tables of the layout that hold some, by table and name.
pub(super) fn read(
    access: &Access,
    work: &Work,
    plan: &Plan,
    layout: &Layout,
) -> StoreResult<Vec<Checkpoint>> {
    let mut found = Vec::new();
    for table in &layout.checkpoints {
        let columns = Columns::new(plan, table);
        let sql = columns.sql(table);
        let doing = format!("reading checkpoints of \"{}\"", table.table);
        let mut rows = access.read(work, &doing, |connection| {
            let mut rows = Vec::new();
            columns.collect(connection, &sql, table, &mut rows)?;
            Ok(rows)
        })?;
        rows.sort_by(|left, right| left.projection.cmp(&right.projection));
        work.advance(rows.len() as u64)?;
        found.append(&mut rows);
    }
    Ok(found)
}

/// Where the columns of a checkpoints table stand in its SELECT.
struct Columns {
    select: Select,
    name: Option<Take>,
    position: Take,
    status: Option<Take>,
    error: Option<Take>,
    time: Option<Take>,
}

impl Columns {
    fn new(plan: &Plan, table: &CheckpointsTable) -> Self {
        let mut select = Select::default();
        let mut take = |mapping: &Mapping| select.take(&plan.events, mapping);
        let position = take(&table.position);
        let mut optional = |mapping: &Option<Mapping>| mapping.as_ref().map(&mut take);
        let (name, status) = (optional(&table.name), optional(&table.status));
        let (error, time) = (optional(&table.error), optional(&table.time));
        Self { select, name, position, status, error, time }
    }

    /// Of a set, the highest mark and how many there are.
    fn sql(&self, table: &CheckpointsTable) -> String {
        let mut expressions = self.select.expressions.clone();
        let from = quote(&table.table);
        if !table.is_set {
            return format!("SELECT {} FROM {from} AS e LIMIT {MOST}", expressions.join(", "));
        }
        let grouped = match &self.name {
            Some(Take::Column { at, .. }) => expressions.get(*at).map(|name| format!(" GROUP BY {name}")),
            _ => None,
        };
        for (at, expression) in expressions.iter_mut().enumerate() {
            let is_name = matches!(self.name, Some(Take::Column { at: name, .. }) if name == at);
            if !is_name {
                *expression = format!("max({expression})");
            }
        }
        let columns = expressions.join(", ");
        format!("SELECT {columns}, count(*) FROM {from} AS e{} LIMIT {MOST}", grouped.unwrap_or_default())
    }

    fn collect(
        &self,
        connection: &Connection,
        sql: &str,
        table: &CheckpointsTable,
        into: &mut Vec<Checkpoint>,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let fields = Fields::new(row, &self.select);
            let value = |take: &Option<Take>| fields.taken(take.as_ref()?);
            let text = |take: &Option<Take>| value(take).and_then(|(value, form)| id_text(value, form));
            let marks = if table.is_set {
                u64::try_from(row.get::<_, i64>(self.select.expressions.len())?).ok()
            } else {
                None
            };
            let position = fields.taken(&self.position).map_or(Stored::Null, |(value, _)| value.to_stored());
            into.push(Checkpoint {
                table: table.table.as_ref().into(),
                projection: text(&self.name).unwrap_or_default().into(),
                position,
                status: text(&self.status).map(Into::into),
                error: text(&self.error).map(Into::into),
                time: value(&self.time).and_then(|(value, form)| decode::time(value, form)),
                marks,
            });
        }
        Ok(())
    }
}

/// The first event with this id, looked up by its column; nothing where ids are no column of the events table.
pub(super) fn event_of_id(
    access: &Access,
    work: &Work,
    plan: &Plan,
    id: &str,
) -> Option<StoreResult<Option<EventKey>>> {
    let (column, mapping) = plan.column(Role::EventId)?;
    let values: Vec<Bound> = spellings(&[&id.into()], mapping.form);
    let marks = vec!["?"; values.len()].join(", ");
    let mut reader = access.reader(work);
    let keys = plan.key.join(", ");
    for (part, table) in plan.parts.iter().enumerate() {
        let numbered = (plan.parts.len() > 1).then_some(part);
        let sql = format!(
            "SELECT {keys} FROM {} AS e WHERE {column} IN ({marks}) ORDER BY {keys} LIMIT 1",
            quote(table)
        );
        let found = reader.read("looking for an event by its id", |connection| {
            let key = connection.query_row(&sql, rusqlite::params_from_iter(&values), |row| {
                Ok(key_of(row, plan.key.len(), numbered))
            });
            key.optional()
        });
        match found {
            Ok(None) => (),
            other => return Some(other),
        }
    }
    Some(Ok(None))
}
