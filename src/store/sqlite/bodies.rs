//! Events by their keys: whole, or what they hold beside their heads.

use rusqlite::{CachedStatement, Connection, Row, Rows};

use crate::{
    model::{EventKey, KeyPart, Payload, RecordedEvent},
    store::{
        StoreResult,
        bodies::{Bodies, BodyBatch, EventBody},
        layout::{Role, Unwrap},
        read::{Body, as_it_stands},
        sqlite::{
            access::Access,
            direct::Way,
            picked::{Chosen, Picked, Wish},
            plan::{Plan, Select, Take, quote},
            rows::{Cells, Fields, key_of},
            walk::{is_damage, to_bound},
        },
    },
    work::Work,
};

/// So many bodies are read at once, and so many whole events.
const AT_ONCE: usize = 2048;
const EVENTS_AT_ONCE: usize = 256;

/// Adds the bodies of these events to a batch.
pub(super) fn fetch(
    (access, work): (&Access, &Work),
    (plan, way): (&Plan, Way),
    (keys, bodies): (&[EventKey], Bodies),
    batch: &mut BodyBatch,
) -> StoreResult<()> {
    let select = plan.bodies(bodies);
    let chosen = match bodies {
        Bodies::Data => Chosen::Data,
        Bodies::All => Chosen::Body,
    };
    let mut reader = access.reader(work);
    for keys in keys.chunks(AT_ONCE) {
        let before = batch.len();
        reader.read_pages("reading events", |connection, whole| {
            batch.cut(before);
            let wish = Wish { plan, chosen, keys };
            let mut take = |_: &EventKey, row: Option<Cells<'_>>| match row {
                Some(row) => take_row(row, plan, select, batch),
                None => batch.push(None),
            };
            if let Some(whole) = whole.filter(|_| way != Way::Sql)
                && Picked::rows((connection, whole), &wish, &mut take)
            {
                return Ok(());
            }
            batch.cut(before);
            by_statements((connection, plan), select, keys, batch)
        })?;
        work.advance(keys.len() as u64)?;
    }
    Ok(())
}

/// Adds the bodies of these events, as SQLite hands them out.
fn by_statements(
    (connection, plan): (&Connection, &Plan),
    select: &Select,
    keys: &[EventKey],
    batch: &mut BodyBatch,
) -> rusqlite::Result<()> {
    let before = batch.len();
    if let Some(range) = dense(keys) {
        match in_a_row((connection, plan), select, (keys, range), batch) {
            // A damaged place costs the events in it and no others.
            Err(error) if is_damage(&error) => batch.cut(before),
            other => return other,
        }
    }
    let mut by_key = ByKey::new(connection, plan, select);
    for key in keys {
        let found = by_key.row(key, |row, _| take_row(row, plan, select, batch))?;
        if found.is_none() {
            batch.push(None);
        }
    }
    Ok(())
}

/// These events as a whole; nothing for those that are gone.
pub(super) fn fetch_events(
    (access, work): (&Access, &Work),
    (plan, way): (&Plan, Way),
    keys: &[EventKey],
) -> StoreResult<Vec<Option<RecordedEvent>>> {
    let mut reader = access.reader(work);
    let mut events = Vec::with_capacity(keys.len());
    for keys in keys.chunks(EVENTS_AT_ONCE) {
        let before = events.len();
        reader.read_pages("reading events", |connection, whole| {
            events.truncate(before);
            let wish = Wish { plan, chosen: Chosen::Event, keys };
            let mut take = |key: &EventKey, row: Option<Cells<'_>>| {
                events.push(row.map(|row| event_of(row, plan, key.clone())));
            };
            if let Some(whole) = whole.filter(|_| way != Way::Sql)
                && Picked::rows((connection, whole), &wish, &mut take)
            {
                return Ok(());
            }
            events.truncate(before);
            let mut by_key = ByKey::new(connection, plan, &plan.full);
            for key in keys {
                let columns = plan.key.len();
                events.push(
                    by_key.row(key, |row, part| event_of(row.into(), plan, key_of(row, columns, part)))?,
                );
            }
            Ok(())
        })?;
        work.advance(keys.len() as u64)?;
    }
    Ok(events)
}

fn event_of(row: Cells<'_>, plan: &Plan, key: EventKey) -> RecordedEvent {
    let fields = Fields::new(row, &plan.full);
    let mut event = fields.head(key);
    fields.fill(&mut event, &plan.events.unwrap);
    event
}

/// The first and the last of keys that rise and leave out few: these are met quicker by going along the table.
fn dense(keys: &[EventKey]) -> Option<(i64, i64)> {
    let (first, last) = (number(keys.first()?)?, number(keys.last()?)?);
    let rises = || {
        keys.windows(2).all(|pair| match pair {
            [left, right] => number(left).zip(number(right)).is_some_and(|(left, right)| left < right),
            _ => false,
        })
    };
    let is_dense = last.checked_sub(first).is_some_and(|span| span < 2 * keys.len() as i64);
    (keys.len() > 1 && is_dense && rises()).then_some((first, last))
}

fn number(key: &EventKey) -> Option<i64> {
    match &*key.0 {
        [KeyPart::Integer(number)] => Some(*number),
        _ => None,
    }
}

/// Goes along the table from the first key to the last.
fn in_a_row(
    (connection, plan): (&Connection, &Plan),
    select: &Select,
    (keys, (first, last)): (&[EventKey], (i64, i64)),
    batch: &mut BodyBatch,
) -> rusqlite::Result<()> {
    let table = plan.parts.first().map(|table| quote(table)).unwrap_or_default();
    let key = plan.key.first().map(String::as_str).unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM {table} AS e WHERE {key} >= ? AND {key} <= ? ORDER BY {key}",
        select.expressions.join(", ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([first, last])?;
    let mut wanted = keys.iter().filter_map(number).peekable();
    while let Some(row) = rows.next()? {
        let Ok(own) = row.get::<_, i64>(0) else { continue };
        while wanted.next_if(|next| *next < own).is_some() {
            batch.push(None);
        }
        if wanted.next_if_eq(&own).is_some() {
            take_row(row, plan, select, batch);
        }
    }
    wanted.for_each(|_| batch.push(None));
    Ok(())
}

/// A payload as a row holds it.
enum Taken<'r> {
    Plain(&'r str),
    Decoded(Payload),
}

fn take_row<'r>(row: impl Into<Cells<'r>>, plan: &Plan, select: &'r Select, batch: &mut BodyBatch) {
    let fields = Fields::new(row, select);
    let data = taken(&fields, select.of(Role::Data), &plan.events.unwrap);
    let metadata = taken(&fields, select.of(Role::Metadata), &[]);
    let (data, metadata) = (data.text(), metadata.text());
    let id = |role| fields.text(role);
    let (event_id, correlation_id, causation_id) =
        (id(Role::EventId), id(Role::CorrelationId), id(Role::CausationId));
    batch.push(Some(EventBody {
        event_id: event_id.as_deref(),
        correlation_id: correlation_id.as_deref(),
        causation_id: causation_id.as_deref(),
        data: Body::from(data.as_ref()),
        metadata: Body::from(metadata.as_ref()),
    }));
}

fn taken<'r>(fields: &'r Fields<'_>, take: Option<&Take>, unwrap: &[Unwrap]) -> Taken<'r> {
    if let Some(Take::Column { at, .. }) = take
        && unwrap.is_empty()
        && let Some(text) = as_it_stands(fields.column(*at))
    {
        return Taken::Plain(text);
    }
    Taken::Decoded(fields.payload(take, unwrap))
}

impl Taken<'_> {
    fn text(&self) -> Option<Result<std::borrow::Cow<'_, str>, &str>> {
        match self {
            Self::Plain(text) => Some(Ok((*text).into())),
            Self::Decoded(payload) => Body::text(payload),
        }
    }
}

/// Single rows by their keys, over the index that the order relies on.
pub(super) struct ByKey<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    select: &'a Select,
    /// For which table it is prepared, and which parts of the key are NULL.
    prepared: Option<(usize, Vec<bool>, CachedStatement<'a>)>,
    /// Whether none of them is.
    is_plain: bool,
}

/// What `take` makes of the first row; nothing if there is none or it lies in a damaged place.
fn met<T>(rows: rusqlite::Result<Rows<'_>>, take: impl FnOnce(&Row<'_>) -> T) -> rusqlite::Result<Option<T>> {
    match rows.and_then(|mut rows| Ok(rows.next()?.map(take))) {
        Err(error) if is_damage(&error) => Ok(None),
        other => other,
    }
}

impl<'a> ByKey<'a> {
    pub(super) fn new(connection: &'a Connection, plan: &'a Plan, select: &'a Select) -> Self {
        Self { connection, plan, select, prepared: None, is_plain: false }
    }

    /// What `take` makes of the row of a key and the number of its table, where there are several; nothing if
    /// it is gone or lies in a damaged place.
    pub(super) fn row<T>(
        &mut self,
        key: &EventKey,
        take: impl FnOnce(&Row<'_>, Option<usize>) -> T,
    ) -> rusqlite::Result<Option<T>> {
        // Most stores have one table and one number a key: then nothing is made to find a row.
        if let ([KeyPart::Integer(number)], [_], [_], Some((0, _, statement))) =
            (&*key.0, self.plan.key.as_slice(), self.plan.parts.as_slice(), &mut self.prepared)
            && self.is_plain
        {
            return met(statement.query([number]), |row| take(row, None));
        }
        let (part, own) = self.plan.split(key);
        let nulls: Vec<bool> = own.iter().map(|part| *part == KeyPart::Null).collect();
        if self.prepared.as_ref().is_none_or(|(table, other, _)| (*table, other) != (part, &nulls)) {
            let Some(table) = self.plan.parts.get(part) else { return Ok(None) };
            let sql = self.sql(table, &nulls);
            self.is_plain = !nulls.contains(&true);
            self.prepared = Some((part, nulls, self.connection.prepare_cached(&sql)?));
        }
        let Some((.., statement)) = &mut self.prepared else { return Ok(None) };
        let numbered = (self.plan.parts.len() > 1).then_some(part);
        let rows = statement.query(rusqlite::params_from_iter(own.iter().map(to_bound)));
        met(rows, |row| take(row, numbered))
    }

    fn sql(&self, table: &str, nulls: &[bool]) -> String {
        let equal =
            |(column, is_null): (&String, &bool)| format!("{column} {} ?", if *is_null { "IS" } else { "=" });
        let conditions: Vec<String> = self.plan.key.iter().zip(nulls).map(equal).collect();
        format!(
            "SELECT {} FROM {} AS e WHERE {} LIMIT 1",
            self.select.expressions.join(", "),
            quote(table),
            conditions.join(" AND ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[i64], expected: Option<(i64, i64)>) {
        let keys: Vec<EventKey> = keys.iter().map(|key| EventKey([KeyPart::Integer(*key)].into())).collect();
        assert_eq!(dense(&keys), expected, "{keys:?}");
    }

    #[test]
    fn keys_without_wide_gaps_are_dense() {
        check(&[], None);
        check(&[7], None);
        check(&[7, 8, 9], Some((7, 9)));
        check(&[7, 8, 12], Some((7, 12)));
        check(&[7, 8, 13], None);
        check(&[9, 8, 7], None);
        check(&[7, 7, 8], None);
        check(&[i64::MIN, i64::MAX], None);
    }
}
