//! Stored snapshots, a batch at a time.

use std::sync::Arc;

use rusqlite::{Connection, types::Value as Spelled};

use crate::{
    model::{Encoding, Payload, SnapshotHead, Stored, StoredSnapshot, StreamName, StreamVersion},
    store::{
        StoreResult,
        decode::{self, Value, id_text},
        layout::{Form, Layout, Mapping, Role, SnapshotsTable, Source, Unwrap},
        read::Onward,
        snapshots::{MOST_BYTES, SnapshotPlace, SnapshotRowKey, VisitedSnapshot},
        sqlite::{
            access::{Access, Reader, is_damage},
            filter::spellings,
            plan::{Plan, Select, Take, own, quote},
            rows::{Fields, beside_category, prefixed},
            tables::{Wanted, key_of},
            value::{Bound, stored},
        },
    },
    work::Work,
};

/// So many rows at most are fetched in one read.
const MOST_ROWS: usize = 4096;

/// The tables of snapshots of a layout.
pub(super) struct Snapshots<'a> {
    access: &'a Access,
    work: &'a Work,
    plan: &'a Plan,
    layout: &'a Layout,
}

/// The rows of one of them.
struct SnapshotRows<'a> {
    access: &'a Access,
    work: &'a Work,
    plan: &'a Plan,
    table: &'a SnapshotsTable,
    /// Its place in the layout.
    number: usize,
    columns: Columns,
    /// Not every event carries a state.
    is_inside_events: bool,
    doing: String,
}

type Visit<'v> = &'v mut dyn FnMut(&VisitedSnapshot<'_>) -> Onward;

impl<'a> Snapshots<'a> {
    pub(super) fn new((access, work): (&'a Access, &'a Work), plan: &'a Plan, layout: &'a Layout) -> Self {
        Self { access, work, plan, layout }
    }

    fn table(&self, number: usize, table: &'a SnapshotsTable) -> SnapshotRows<'a> {
        SnapshotRows {
            access: self.access,
            work: self.work,
            plan: self.plan,
            table,
            number,
            columns: Columns::new(self.plan, table),
            is_inside_events: table.table == self.layout.events.table,
            doing: format!("reading snapshots of \"{}\"", table.table),
        }
    }

    /// Meets the snapshots of one stream, or of all. Damage in one table does not hide the next one, and is the
    /// error in the end.
    pub(super) fn visit(&self, stream: Option<&StreamName>, visit: Visit<'_>) -> StoreResult<()> {
        let mut damage = None;
        for (number, table) in self.layout.snapshots.iter().enumerate() {
            match self.table(number, table).visit(stream, visit) {
                Ok(Onward::On) => (),
                Ok(Onward::Enough) => return Ok(()),
                Err(err) if is_damage(&err) => drop(damage.get_or_insert(err)),
                Err(err) => return Err(err),
            }
        }
        damage.map_or(Ok(()), Err)
    }

    /// The snapshots that stand at these places.
    pub(super) fn fetch(&self, places: &[SnapshotPlace]) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        let mut found = Vec::with_capacity(places.len());
        for of_table in places.chunk_by(|one, next| one.table == next.table) {
            let number = of_table.first().map_or(0, |place| place.table);
            match self.layout.snapshots.get(number) {
                Some(table) => found.extend(self.table(number, table).fetch(of_table)?),
                None => found.extend(of_table.iter().map(|_| None)),
            }
        }
        Ok(found)
    }
}

impl SnapshotRows<'_> {
    fn visit(&self, stream: Option<&StreamName>, visit: Visit<'_>) -> StoreResult<Onward> {
        if let Some(stream) = stream
            && let Some(condition) = self.condition(stream)
            && let Some(onward) = self.visit_some(stream, &condition, visit)?
        {
            return Ok(onward);
        }
        let mut onward = Onward::On;
        self.wanted().rows((self.access, self.work), &mut |batch, row| {
            self.work.advance(0)?;
            let place = self.place(batch.key(row), row as u64);
            onward = self.row(stream, place, batch.values(row), visit);
            Ok(onward)
        })?;
        Ok(onward)
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted { table: &self.table.table, expressions: &self.columns.select.expressions, doing: &self.doing }
    }

    fn place(&self, key: &[Stored], nth: u64) -> SnapshotPlace {
        let row = match key {
            [] => SnapshotRowKey::Nth(nth),
            [Stored::Integer(number)] => SnapshotRowKey::Number(*number),
            key => SnapshotRowKey::Key(key.into()),
        };
        SnapshotPlace { table: self.number, row }
    }

    /// Hands a row on, if it is a snapshot and of the stream that is wanted.
    fn row(
        &self,
        stream: Option<&StreamName>,
        place: SnapshotPlace,
        cells: &[Stored],
        visit: Visit<'_>,
    ) -> Onward {
        let fields = Fields::new(cells, &self.columns.select);
        let head = self.columns.head(self.plan, self.table, &fields);
        if stream.is_some_and(|stream| !is_of(&head, stream)) {
            return Onward::On;
        }
        let decode = || self.columns.state(&fields);
        if let Take::Column { at, .. } = &self.columns.state
            && let Some(stored) = cells.get(*at)
        {
            if self.is_inside_events && *stored == Stored::Null {
                return Onward::On;
            }
            return visit(&VisitedSnapshot::new(&head, stored, place, &decode));
        }
        // A part of something larger has no bytes of its own before it is found.
        let state = decode();
        if self.is_inside_events && state.encoding == Encoding::Absent {
            return Onward::On;
        }
        visit(&VisitedSnapshot::new(&head, &state.stored, place, &|| state.clone()))
    }

    /// Meets the rows that answer a condition: their keys first, which an index may hold, and then themselves.
    /// Nothing where rows have no keys.
    fn visit_some(
        &self,
        stream: &StreamName,
        (condition, values): &(String, Vec<Spelled>),
        visit: Visit<'_>,
    ) -> StoreResult<Option<Onward>> {
        let mut reader = self.access.reader(self.work);
        let key = reader.read(&self.doing, |connection| key_of(connection, &self.table.table))?;
        if key.is_empty() {
            return Ok(None);
        }
        let (names, table) = (key.join(", "), quote(&self.table.table));
        let sql = format!("SELECT {names} FROM {table} AS e{condition} ORDER BY {names}");
        let keys = reader.read(&self.doing, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let keys = statement.query_map(rusqlite::params_from_iter(values), |row| {
                (0..key.len()).map(|at| row.get_ref(at).map(stored)).collect::<Result<Vec<Stored>, _>>()
            })?;
            keys.collect::<Result<Vec<_>, _>>()
        })?;
        let mut rest = keys.as_slice();
        while !rest.is_empty() {
            self.work.advance(0)?;
            let mut rows = Vec::new();
            let read = self.by_keys(&mut reader, &key, rest, &mut rows);
            if read.as_ref().is_err_and(|err| !is_damage(err)) {
                return read.map(|()| None);
            }
            for (key, cells) in rest.iter().zip(&rows) {
                let Some(cells) = cells else { continue };
                if self.row(Some(stream), self.place(key, 0), cells, visit) == Onward::Enough {
                    return Ok(Some(Onward::Enough));
                }
            }
            read?;
            rest = rest.get(rows.len()..).unwrap_or_default();
        }
        Ok(Some(Onward::On))
    }

    /// The rows of the first of these keys, until they are long enough together; one at least, if there is one.
    fn by_keys(
        &self,
        reader: &mut Reader<'_>,
        key: &[String],
        keys: &[Vec<Stored>],
        rows: &mut Vec<Option<Vec<Stored>>>,
    ) -> StoreResult<()> {
        let is = key.iter().map(|name| format!("{name} = ?")).collect::<Vec<_>>().join(" AND ");
        let expressions = self.columns.select.expressions.join(", ");
        let sql = format!("SELECT {expressions} FROM {} AS e WHERE {is}", quote(&self.table.table));
        reader.read(&self.doing, |connection| {
            rows.clear();
            let mut bytes = 0;
            for key in keys.iter().take(MOST_ROWS) {
                let cells = self.one(connection, &sql, key)?;
                bytes += cells.iter().flatten().map(|cell| Value::from(cell).len() as u64).sum::<u64>();
                rows.push(cells);
                if bytes > MOST_BYTES {
                    break;
                }
            }
            Ok(())
        })
    }

    fn one(
        &self,
        connection: &Connection,
        sql: &str,
        key: &[Stored],
    ) -> rusqlite::Result<Option<Vec<Stored>>> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(key.iter().map(Bound)))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let width = self.columns.select.expressions.len();
        (0..width).map(|at| row.get_ref(at).map(stored)).collect::<Result<_, _>>().map(Some)
    }

    fn fetch(&self, places: &[SnapshotPlace]) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        let mut reader = self.access.reader(self.work);
        let key = reader.read(&self.doing, |connection| key_of(connection, &self.table.table))?;
        if key.is_empty() {
            return self.nth(places);
        }
        let key_at = |place: &SnapshotPlace| match &place.row {
            SnapshotRowKey::Number(number) => vec![Stored::Integer(*number)],
            SnapshotRowKey::Key(key) => key.to_vec(),
            SnapshotRowKey::Nth(_) => Vec::new(),
        };
        let keys: Vec<Vec<Stored>> = places.iter().map(key_at).collect();
        let mut found = Vec::with_capacity(keys.len());
        while let Some(rest) = keys.get(found.len()..).filter(|rest| !rest.is_empty()) {
            self.work.advance(0)?;
            let mut rows = Vec::new();
            self.by_keys(&mut reader, &key, rest, &mut rows)?;
            found.extend(rest.iter().zip(rows).map(|(key, cells)| {
                let mut snapshot = None;
                self.row(None, self.place(key, 0), &cells?, &mut |visited| {
                    snapshot = Some(visited.decoded());
                    Onward::Enough
                });
                snapshot
            }));
        }
        Ok(found)
    }

    /// Rows that nothing tells from others, by how many stand before them.
    fn nth(&self, places: &[SnapshotPlace]) -> StoreResult<Vec<Option<StoredSnapshot>>> {
        let mut found: Vec<Option<StoredSnapshot>> = places.iter().map(|_| None).collect();
        self.visit(None, &mut |visited| {
            if let Some(at) = places.iter().position(|place| *place == visited.place)
                && let Some(snapshot) = found.get_mut(at)
            {
                *snapshot = Some(visited.decoded());
            }
            Onward::On
        })?;
        Ok(found)
    }

    /// What rows of one stream answer to, if its column tells; an index over it is made use of.
    fn condition(&self, stream: &StreamName) -> Option<(String, Vec<Spelled>)> {
        let mapping = self.table.stream.as_ref()?;
        let Source::Column { table: None, column } = &mapping.source else { return None };
        let form = mapping.form;
        // An id may be written with or without dashes in one table and not in the other.
        if self.plan.events.role(Role::Stream).is_none_or(|events| events.form != form && form != Form::Plain)
        {
            return None;
        }
        let full = stream.full();
        let values = spellings(&[&stream.id, &full], form);
        Some((format!(" WHERE {} IN ({})", own(column), vec!["?"; values.len()].join(", ")), values))
    }
}

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

    fn head(&self, plan: &Plan, table: &SnapshotsTable, fields: &Fields<'_>) -> SnapshotHead {
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
        SnapshotHead {
            table: Arc::clone(&table.table),
            stream,
            version: value(&self.version).and_then(|(value, _)| value.as_i64()).map(StreamVersion),
            time: value(&self.time).and_then(|(value, form)| decode::time(value, form)),
            label: text(&self.label).map(Into::into),
        }
    }

    fn state(&self, fields: &Fields<'_>) -> Payload {
        fields.payload(Some(&self.state), &self.unwrap)
    }
}

/// Whether a snapshot is a state of this stream; its table may know the id alone.
fn is_of(snapshot: &SnapshotHead, stream: &StreamName) -> bool {
    snapshot.stream.as_ref().is_some_and(|own| {
        **own == *stream
            || own.full() == stream.full()
            || (own.category.is_none() && (own.id == stream.id || own.id == stream.full()))
    })
}
