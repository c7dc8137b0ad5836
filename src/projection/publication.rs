//! From drift to row edits: what has to be written so that a stored read model is what the events make.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Checkpoint, GlobalPosition, RecordedEvent, Stored, TableShape},
    projection::{
        Definition, Handled, ReadModel, Standing,
        coverage::{nothing_handled, remarks},
        drift::{Difference, DriftError, Pairing, differences},
        stand,
    },
    publish::{CheckpointEdit, Edits, RowEdit, RowPlace, TableEdits},
    store::{
        EventStore,
        decode::{Value, id_text},
        index::Index,
        layout::{CheckpointsTable, Form, Mapping, Source},
        read::Onward,
    },
    work::Work,
};

/// What a publication is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// What defines the read model.
    pub definition: &'a Definition,
    /// What it made of all events of the store.
    pub model: &'a ReadModel,
    /// How it lies beside the stored table.
    pub pairing: &'a Pairing,
    /// The projection's name in the table of checkpoints.
    pub checkpoint: &'a str,
    /// The index of the store.
    pub index: &'a Index,
}

/// The edits that make the stored table what the events make, and bring its checkpoint up to the last event
/// that the projection handles.
///
/// Only columns that are compared are written. An inserted row takes a column that no replay can reproduce from
/// the rebuilt row if the table has no default for it. A checkpoint never moves back, unless it stands behind
/// the last event; status and error stay, and so do tables that mark every handled event, which
/// [`Edits::notes`] says where it matters. Fails with [`DriftError::NothingHandled`] where the definition handled
/// none of the events: what it made then is empty for want of a name, more likely than for want of rows.
pub fn publication(
    work: &Work,
    store: &dyn EventStore,
    material: &Material<'_>,
) -> Result<Edits, DriftError> {
    let Material { definition, model, pairing, index, .. } = material;
    if let Some(why) = nothing_handled(definition, model.progress(), index) {
        return Err(DriftError::NothingHandled(why));
    }
    let shape = store.table_shape(work, &pairing.table)?.unwrap_or_default();
    let mut maker = Maker { pairing, shape: &shape, edits: TableEdits::default(), alike: BTreeMap::new() };
    maker.edits.table = Arc::clone(&pairing.table);
    let compared = differences(work, store, model, pairing, &mut |difference| maker.take(difference))?;
    maker.edits.stored = Some(compared.stored);
    maker.count_alike(work, store)?;
    // The order of the comparison is none; an order that can be read is better.
    let mut edits = Edits { subject: Arc::clone(&definition.name), ..Edits::default() };
    edits.tables.extend(Some(maker.edits).filter(|table| table.rows() > 0));
    if let Some((edit, shown)) = checkpoint_edit(work, store, material)? {
        match edits.tables.iter_mut().find(|table| table.table == edit.table) {
            Some(table) => table.updates.extend(edit.updates),
            None => edits.tables.push(edit),
        }
        edits.checkpoint = Some(shown);
    }
    edits.notes = remarks(definition, model.progress(), index);
    edits.notes.extend(unmarked(work, store, material)?);
    Ok(edits)
}

/// What is to be said of tables that mark every handled event: what a mark holds besides the event is the
/// owner's to know, so none is written.
fn unmarked(
    work: &Work,
    store: &dyn EventStore,
    material: &Material<'_>,
) -> Result<Vec<Arc<str>>, DriftError> {
    let layout = &store.describe().layout;
    let handled = Handled::by(material.definition);
    let mut notes = Vec::new();
    for checkpoint in store.checkpoints(work)? {
        let table = layout.checkpoints.iter().find(|table| table.table == checkpoint.table);
        let is_own = table.is_some_and(|table| table.name.is_none())
            || checkpoint.projection.eq_ignore_ascii_case(material.checkpoint);
        let Some(table) = table.filter(|table| is_own && table.is_set) else { continue };
        let at = stand(work, store, material.index, &checkpoint, handled.as_ref())?;
        let Standing::Marked(marks) = at.standing else { continue };
        // A table that names no projection may be another's: what it marks tells.
        let concerns = |own: &Handled| marks.types.iter().any(|name| own.types.contains(name));
        if marks.unmarked > 0 && handled.as_ref().is_none_or(concerns) {
            let events = if marks.unmarked == 1 { "1 event" } else { &format!("{} events", marks.unmarked) };
            notes.push(Arc::from(format!(
                "{} marks each event that was handled, and {events} of the types that it marks ({}) are not \
                 marked there: they stay so, and the application may handle them again",
                table.table,
                marks.types.iter().map(|name| &**name).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(notes)
}

/// Makes edits of differences.
struct Maker<'a> {
    pairing: &'a Pairing,
    shape: &'a TableShape,
    edits: TableEdits,
    /// How many rows look like each of those that are deleted.
    alike: BTreeMap<Vec<u8>, u64>,
}

impl Maker<'_> {
    /// Every stored column whose values a difference has, in the same order.
    fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let pairing = self.pairing;
        pairing.key.iter().chain(&pairing.columns).chain(&pairing.counted).map(|(name, _)| name)
    }

    fn take(&mut self, difference: Difference) {
        let keys = self.pairing.key.len();
        match (difference.stored, difference.rebuilt) {
            (None, Some(rebuilt)) => {
                let compared = keys + self.pairing.columns.len();
                let named = self.names().zip(rebuilt).enumerate();
                let kept = named.filter(|(at, (name, _))| *at < compared || self.has_no_default(name));
                let row = kept.map(|(_, (name, value))| (Arc::clone(name), value)).collect();
                self.edits.inserts.push(row);
            }
            (Some(stored), Some(rebuilt)) => {
                let is_named = |at: usize| at < keys || difference.differing.contains(&at);
                let is = self.names().zip(stored).enumerate().filter(|(at, _)| is_named(*at));
                let is = is.map(|(_, (name, value))| (Arc::clone(name), value)).collect();
                let new = self.names().zip(rebuilt).enumerate();
                let new = new.filter(|(at, _)| difference.differing.contains(at));
                let values = new.map(|(_, (name, value))| (Arc::clone(name), value)).collect();
                self.edits.updates.push(RowEdit { place: RowPlace::one(is), values });
            }
            (Some(stored), None) => {
                let is: Vec<(Arc<str>, Stored)> =
                    self.names().zip(stored).map(|(name, value)| (Arc::clone(name), value)).collect();
                self.alike.insert(Stored::row_bytes(is.iter().map(|(_, value)| value)), 0);
                self.edits.deletes.push(RowPlace::one(is));
            }
            (None, None) => {}
        }
    }

    fn has_no_default(&self, name: &str) -> bool {
        let mut columns = self.shape.columns.iter();
        columns.any(|column| column.name.eq_ignore_ascii_case(name) && column.default.is_none())
    }

    /// Rows without a key may occur several times: one of so many is deleted, and no other number will do.
    fn count_alike(&mut self, work: &Work, store: &dyn EventStore) -> Result<(), DriftError> {
        if self.edits.deletes.is_empty() {
            return Ok(());
        }
        let names: Vec<Arc<str>> = self.names().cloned().collect();
        let alike = &mut self.alike;
        store.table_rows(work, &self.pairing.table, &names, &mut |row| {
            if let Some(count) = alike.get_mut(&Stored::row_bytes(row.iter())) {
                *count += 1;
            }
            Onward::On
        })?;
        let mut deletes: Vec<(Vec<u8>, RowPlace)> = Vec::new();
        for mut place in std::mem::take(&mut self.edits.deletes) {
            let bytes = Stored::row_bytes(place.is.iter().map(|(_, value)| value));
            place.alike = self.alike.get(&bytes).copied().unwrap_or_default().max(1);
            deletes.push((bytes, place));
        }
        // Rows that are alike stand together, so that whoever looks for them looks once.
        deletes.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.edits.deletes = deletes.into_iter().map(|(_, place)| place).collect();
        Ok(())
    }
}

/// The edit of the checkpoint, if there is one and it is not where it should be.
fn checkpoint_edit(
    work: &Work,
    store: &dyn EventStore,
    material: &Material<'_>,
) -> Result<Option<(TableEdits, CheckpointEdit)>, DriftError> {
    let layout = &store.describe().layout;
    let handled = Handled::by(material.definition);
    let target = last_handled(material.index, material.model.progress().count, handled.as_ref());
    let Some(event) = target.and_then(|ordinal| material.index.key(ordinal)) else { return Ok(None) };
    for checkpoint in store.checkpoints(work)? {
        let table = layout.checkpoints.iter().find(|table| table.table == checkpoint.table);
        let is_own = checkpoint.projection.eq_ignore_ascii_case(material.checkpoint);
        let Some(table) = table.filter(|table| is_own && !table.is_set) else { continue };
        let at = stand(work, store, material.index, &checkpoint, handled.as_ref())?;
        let is_there = match at.standing {
            Standing::At { count, .. } => target.is_some_and(|target| count > u64::from(target)),
            Standing::NotStarted | Standing::Ahead | Standing::NoSuchEvent | Standing::Marked(_) => false,
        };
        let event = store.fetch(work, std::slice::from_ref(&event))?.into_iter().next().flatten();
        let (Some(event), false) = (event, is_there) else { continue };
        let Some(column) = own_column(&table.position) else { continue };
        let shape = store.table_shape(work, &table.table)?.unwrap_or_default();
        let Some(to) = position_of(&event, &checkpoint, table.position.form, &shape, &column) else {
            continue;
        };
        return Ok(edit(table, &checkpoint, column, to));
    }
    Ok(None)
}

fn edit(
    table: &CheckpointsTable,
    checkpoint: &Checkpoint,
    column: Arc<str>,
    to: Stored,
) -> Option<(TableEdits, CheckpointEdit)> {
    let mut is = Vec::new();
    if let Some(name) = &table.name {
        let text = Stored::Text(checkpoint.projection.as_bytes().into());
        is.push((own_column(name).filter(|_| name.form == Form::Plain)?, text));
    }
    is.push((Arc::clone(&column), checkpoint.position.clone()));
    let update = RowEdit { place: RowPlace::one(is), values: vec![(Arc::clone(&column), to.clone())] };
    let edits =
        TableEdits { table: Arc::clone(&table.table), updates: vec![update], ..TableEdits::default() };
    let shown =
        CheckpointEdit { table: Arc::clone(&table.table), column, from: checkpoint.position.clone(), to };
    Some((edits, shown))
}

/// The last event up to a count that a definition has a handler for.
fn last_handled(index: &Index, count: u64, handled: Option<&Handled>) -> Option<u32> {
    let end = u32::try_from(count.min(index.len() as u64)).ok()?;
    let Some(handled) = handled else { return end.checked_sub(1) };
    (0..end).rev().find(|ordinal| {
        index.row(*ordinal).is_some_and(|row| {
            let event_type = index.type_name(row.event_type);
            let stream = index.stream(row.stream);
            event_type.is_some_and(|event_type| handled.types.contains(event_type))
                && handled.category.as_ref().is_none_or(|category| {
                    stream.is_some_and(|stream| stream.name.category.as_ref() == Some(category))
                })
        })
    })
}

/// How the table writes that an event was handled: its position or its id, as the value that stands there
/// does. Nothing if that cannot be told.
fn position_of(
    event: &RecordedEvent,
    now: &Checkpoint,
    form: Form,
    shape: &TableShape,
    column: &str,
) -> Option<Stored> {
    let declared = shape.columns.iter().find(|own| own.name.eq_ignore_ascii_case(column));
    let is_number = declared.is_some_and(|own| own.declared.to_ascii_uppercase().contains("INT"));
    let text = |text: &str| Stored::Text(text.as_bytes().into());
    let number = match &event.position {
        Some(GlobalPosition::Number(number)) => Some(*number),
        _ => None,
    };
    match (&now.position, form) {
        (Stored::Integer(_), _) => number.map(Stored::Integer),
        (Stored::Null, _) if is_number => number.map(Stored::Integer),
        (Stored::Text(_) | Stored::Null, _) => {
            let stood = id_text(Value::from(&now.position), form).unwrap_or_default();
            if stood.trim().parse::<i64>().is_ok() {
                // Digits with zeros in front keep their length, since such texts are sorted.
                let width = if stood.starts_with('0') { stood.len() } else { 0 };
                return number.map(|number| text(&format!("{number:0width$}")));
            }
            match (&event.event_id, &event.position) {
                (Some(id), _) | (None, Some(GlobalPosition::Text(id))) => Some(text(id)),
                (None, _) => None,
            }
        }
        (Stored::Blob(bytes), Form::UuidBytes) if bytes.len() == 16 => {
            Some(Stored::Blob(uuid_bytes(event.event_id.as_ref()?)?.into()))
        }
        (Stored::Real(_) | Stored::Blob(_), _) => None,
    }
}

/// The 16 bytes of a UUID's text.
fn uuid_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> =
        text.chars().filter(|sign| *sign != '-').map(|sign| sign.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() == 16)
}

/// The column of the table itself that a mapping reads.
fn own_column(mapping: &Mapping) -> Option<Arc<str>> {
    match &mapping.source {
        Source::Column { table: None, column } => Some(Arc::clone(column)),
        _ => None,
    }
}
