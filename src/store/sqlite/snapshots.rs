//! Stored snapshots, and how many rows each table has.

use rusqlite::{Connection, types::Value as Bound};

use crate::{
    model::{Encoding, StoredSnapshot, StreamName, StreamVersion},
    store::{
        StoreError, StoreResult,
        decode::{self, id_text},
        layout::{Form, Layout, Mapping, Role, SnapshotsTable, Source, TableKind, Unwrap},
        sqlite::{
            access::Access,
            filter::spellings,
            plan::{Plan, Select, Take, own, quote},
            rows::{Fields, beside_category, prefixed},
        },
    },
    work::Work,
};

/// Where the columns of a snapshots table stand in its SELECT.
struct Columns {
    select: Select,
    stream: Option<Take>,
    category: Option<Take>,
    version: Option<Take>,
    state: Take,
    time: Option<Take>,
    label: Option<Take>,
    /// What holds for states as well as for events.
    unwrap: Vec<Unwrap>,
}

/// All stored snapshots of one stream, or of all streams.
pub(super) fn read(
    access: &Access,
    work: &Work,
    plan: &Plan,
    layout: &Layout,
    stream: Option<&StreamName>,
) -> StoreResult<Vec<StoredSnapshot>> {
    let mut found = Vec::new();
    for table in &layout.snapshots {
        let columns = Columns::new(plan, table);
        let is_inside_events = table.table == layout.events.table;
        let from = quote(&table.table);
        let (condition, values) = wanted(plan, table, stream);
        let sql = format!("SELECT {} FROM {from} AS e{condition}", columns.select.expressions.join(", "));
        let doing = format!("reading snapshots of \"{}\"", table.table);
        let rows = access.read(work, &doing, |connection| {
            let mut snapshots = Vec::new();
            collect(connection, &sql, &values, |row| {
                let snapshot = columns.snapshot(plan, table, &Fields::new(row, &columns.select));
                if is_inside_events && snapshot.state.encoding == Encoding::Absent {
                    // Not every event carries a state.
                    return;
                }
                if stream.is_none_or(|stream| is_of(&snapshot, stream)) {
                    snapshots.push(snapshot);
                }
            })?;
            Ok(snapshots)
        })?;
        found.extend(rows);
    }
    found.sort_by(|left, right| (&left.stream, left.version).cmp(&(&right.stream, right.version)));
    Ok(found)
}

/// The rows of one stream; relies on an index over the stream's column, if there is one.
fn wanted(plan: &Plan, table: &SnapshotsTable, stream: Option<&StreamName>) -> (String, Vec<Bound>) {
    let column = table.stream.as_ref().map(|mapping| (&mapping.source, mapping.form));
    let (Some(stream), Some((Source::Column { table: None, column }, form))) = (stream, column) else {
        return (String::new(), Vec::new());
    };
    // An id may be written with or without dashes in one table and not in the other.
    if plan.events.role(Role::Stream).is_none_or(|events| events.form != form && form != Form::Plain) {
        return (String::new(), Vec::new());
    }
    let full = stream.full();
    let values = spellings(&[&stream.id, &full], form);
    (format!(" WHERE {} IN ({})", own(column), vec!["?"; values.len()].join(", ")), values)
}

fn collect(
    connection: &Connection,
    sql: &str,
    values: &[Bound],
    mut take: impl FnMut(&rusqlite::Row<'_>),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        take(row);
    }
    Ok(())
}

impl Columns {
    fn new(plan: &Plan, table: &SnapshotsTable) -> Self {
        let mut select = Select::default();
        let mut take = |mapping: &Mapping| {
            let take = select.take(&plan.events, mapping);
            // Registered, so that JSON around it is parsed.
            select.put(Role::Data, take.clone());
            take
        };
        let state = take(&table.state);
        let mut optional = |mapping: &Option<Mapping>| mapping.as_ref().map(&mut take);
        let (stream, category) = (optional(&table.stream), optional(&table.category));
        let (version, time) = (optional(&table.version), optional(&table.time));
        let label = optional(&table.label);
        let unwrap =
            plan.events.unwrap.iter().filter(|unwrap| **unwrap == Unwrap::TypedValues).cloned().collect();
        Self { select, stream, category, version, state, time, label, unwrap }
    }

    fn snapshot(&self, plan: &Plan, table: &SnapshotsTable, fields: &Fields<'_>) -> StoredSnapshot {
        let value = |take: &Option<Take>| fields.taken(take.as_ref()?);
        let text = |take: &Option<Take>| {
            let (value, form) = value(take)?;
            id_text(value, form)
        };
        let stream = text(&self.stream).map(|id| {
            let separator = match plan.events.role(Role::Category).map(|mapping| &mapping.source) {
                Some(Source::StreamPrefix { separator }) => Some(*separator),
                _ => None,
            };
            let named = match (&self.category, separator) {
                (Some(Take::Prefix(separator)), _) => prefixed(id, *separator),
                (None, Some(separator)) => prefixed(id, separator),
                (Some(_), _) => beside_category(text(&self.category), id),
                (None, None) => prefixed(id, '\0'),
            };
            named.to_name().into()
        });
        StoredSnapshot {
            table: table.table.as_ref().into(),
            stream,
            version: value(&self.version).and_then(|(value, _)| value.as_i64()).map(StreamVersion),
            time: value(&self.time).and_then(|(value, form)| decode::time(value, form)),
            label: text(&self.label).map(Into::into),
            state: fields.payload(Some(&self.state), &self.unwrap),
        }
    }
}

/// Whether a snapshot is a state of this stream; its table may know the id alone.
fn is_of(snapshot: &StoredSnapshot, stream: &StreamName) -> bool {
    snapshot.stream.as_ref().is_some_and(|own| {
        **own == *stream
            || own.full() == stream.full()
            || (own.category.is_none() && (own.id == stream.id || own.id == stream.full()))
    })
}

/// How many rows each table of the layout has; views are not run, and damage is no number.
pub(super) fn count(access: &Access, work: &Work, layout: &Layout) -> StoreResult<Vec<Option<u64>>> {
    let mut reader = access.reader(work);
    let mut counts = Vec::new();
    for note in &layout.tables {
        if note.kind == TableKind::View {
            counts.push(None);
            continue;
        }
        let sql = format!("SELECT count(*) FROM {}", quote(&note.table));
        let doing = format!("counting \"{}\"", note.table);
        counts.push(
            match reader.read(&doing, |connection| connection.query_row(&sql, [], |row| row.get::<_, i64>(0)))
            {
                Ok(count) => u64::try_from(count).ok(),
                Err(error @ StoreError::Cancelled(_)) => return Err(error),
                // Damage, or a virtual table whose module is not here.
                Err(_) => None,
            },
        );
        work.advance(1)?;
    }
    Ok(counts)
}
