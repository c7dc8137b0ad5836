//! Where the owner's projections stand among the events, and how far behind.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{Checkpoint, EventKey, GlobalPosition, KeyPart, Stored},
    store::{
        EventStore, KeyRange, StoreResult,
        decode::{Value, id_text},
        index::Index,
        layout::{CheckpointsTable, Form, Source},
        read::{Onward, Wanted},
    },
    work::Work,
};

/// A checkpoint, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointAt {
    /// What the store says.
    pub checkpoint: Checkpoint,
    /// What that means among the events.
    pub standing: Standing,
    /// How far behind the last event it is; `None` where that cannot be told.
    pub lag: Option<Lag>,
}

/// Where a checkpoint stands among the events.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Before the first event, or nowhere yet.
    NotStarted,
    /// So many events lie behind.
    At {
        /// How many, in global order.
        count: u64,
        /// Whether the position is that of an event, and not one between two events.
        is_exact: bool,
    },
    /// Behind the last event: a position that no event has yet, or has any more.
    Ahead,
    /// The store has no event with that id or position.
    NoSuchEvent,
    /// Each handled event is marked.
    Marked(Marks),
}

/// What a set of marks says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// Events that are marked.
    pub events: u64,
    /// The count behind the last of them.
    pub last: u64,
    /// Marks of events that the store does not have.
    pub unknown: u64,
    /// The first of these, as they are stored.
    pub first_unknown: Vec<Stored>,
    /// The types of the events that are marked, by name.
    pub types: Vec<Arc<str>>,
    /// Events of these types that are not marked.
    pub unmarked: u64,
}

/// How far behind the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// Events of the store that were not handled.
    pub events: u64,
    /// Those among them that the definition has a handler for, if a definition is known.
    pub handled: Option<u64>,
    /// Nanoseconds from the event it stands at to the last event, if both have times.
    pub nanos: Option<i64>,
}

/// The events that a projection handles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handled {
    /// Their types.
    pub types: BTreeSet<Arc<str>>,
    /// Their category, if only one is handled.
    pub category: Option<Arc<str>>,
}

/// So many unknown marks are told one by one.
const MOST_UNKNOWN: usize = 10;

/// So many marks in words are held in memory at once; of more, the rest is not looked up.
const MOST_MARKS: usize = 1_000_000;

/// Finds out where a checkpoint stands. `index` is that of the store, `handled` what its definition handles.
pub fn stand(
    work: &Work,
    store: &dyn EventStore,
    index: &Index,
    checkpoint: &Checkpoint,
    handled: Option<&Handled>,
) -> StoreResult<CheckpointAt> {
    let layout = &store.describe().layout;
    let table = layout.checkpoints.iter().find(|table| table.table == checkpoint.table);
    let places = Places { work, store, index };
    let standing = match table.filter(|table| table.is_set) {
        Some(table) => Standing::Marked(places.marks(table, checkpoint)?),
        None => {
            let form = table.map(|table| table.position.form).unwrap_or_default();
            places.of(&checkpoint.position, form)?
        }
    };
    let lag = lag(index, &standing, handled);
    Ok(CheckpointAt { checkpoint: checkpoint.clone(), standing, lag })
}

/// What is needed to look a position up.
struct Places<'a> {
    work: &'a Work,
    store: &'a dyn EventStore,
    index: &'a Index,
}

impl Places<'_> {
    fn of(&self, position: &Stored, form: Form) -> StoreResult<Standing> {
        let value = Value::from(position);
        let Some(text) = id_text(value, form) else { return Ok(Standing::NotStarted) };
        if text.trim().is_empty() {
            return Ok(Standing::NotStarted);
        }
        let is_text = matches!(value, Value::Text(_) | Value::Blob(_));
        if is_text && let Some(key) = self.store.event_of_id(self.work, &text)? {
            // An event that came after the index was built lies behind all that it knows.
            return Ok(self.index.ordinal_of(&key).map_or(Standing::Ahead, |ordinal| at(ordinal, true)));
        }
        if let Some(number) = number(value) {
            return Ok(self.of_number(number));
        }
        Ok(self.of_text(&text))
    }

    fn of_number(&self, number: i64) -> Standing {
        let Some(last) = self.index.len().checked_sub(1).and_then(|last| self.index.row(last as u32)) else {
            return if number > 0 { Standing::Ahead } else { Standing::NotStarted };
        };
        let position = GlobalPosition::Number(number);
        match last.position {
            Some(GlobalPosition::Number(_)) => match self.index.ordinal_at_position(&position) {
                None => Standing::NotStarted,
                Some(ordinal) => {
                    let is_exact = self.index.row(ordinal).is_some_and(|row| row.position == Some(position));
                    if is_exact || ordinal < last.ordinal { at(ordinal, is_exact) } else { Standing::Ahead }
                }
            },
            Some(GlobalPosition::Text(_)) => Standing::NoSuchEvent,
            None => match self.index.ordinal_of(&EventKey::integer(number)) {
                Some(ordinal) => at(ordinal, true),
                None if number <= 0 => Standing::NotStarted,
                None => match self.index.key(last.ordinal).as_ref().map(|key| &*key.0) {
                    Some([KeyPart::Integer(last)]) if number > *last => Standing::Ahead,
                    _ => Standing::NoSuchEvent,
                },
            },
        }
    }

    /// Texts that sort as positions do, such as UUIDs with the time in front.
    fn of_text(&self, text: &str) -> Standing {
        let position = GlobalPosition::Text(text.into());
        let last = self.index.len().checked_sub(1).and_then(|last| self.index.row(last as u32));
        let Some(GlobalPosition::Text(last)) = last.and_then(|last| last.position) else {
            return Standing::NoSuchEvent;
        };
        let found = self.index.ordinal_at_position(&position).and_then(|ordinal| self.index.row(ordinal));
        match found {
            Some(row) if row.position == Some(position) => at(row.ordinal, true),
            _ if last.len() == text.len() && *text > *last => Standing::Ahead,
            _ => Standing::NoSuchEvent,
        }
    }

    /// The event of exactly this number.
    fn event_of_number(&self, number: i64) -> Option<u32> {
        match self.of_number(number) {
            Standing::At { count, is_exact: true } => u32::try_from(count.checked_sub(1)?).ok(),
            _ => None,
        }
    }

    /// Looks every mark of a set up.
    fn marks(&self, table: &CheckpointsTable, checkpoint: &Checkpoint) -> StoreResult<Marks> {
        let Some(position) = column(&table.position.source) else { return Ok(Marks::default()) };
        let mut columns = vec![position];
        columns.extend(table.name.as_ref().and_then(|name| column(&name.source)));
        let mut marked = vec![false; self.index.len()];
        let mut marks = Marks::default();
        let mut texts: BTreeSet<Arc<str>> = BTreeSet::new();
        let name_form = table.name.as_ref().map(|name| name.form).unwrap_or_default();
        let mut take = |row: &[Stored]| {
            let name = row.get(1).and_then(|name| id_text(Value::from(name), name_form)).unwrap_or_default();
            let Some(mark) = row.first().filter(|_| *name == *checkpoint.projection) else {
                return Onward::On;
            };
            let value = Value::from(mark);
            match (number(value), id_text(value, table.position.form)) {
                (Some(number), _) => match self.event_of_number(number) {
                    Some(ordinal) => set(&mut marked, ordinal),
                    None => marks.miss(mark.clone()),
                },
                (None, Some(text)) if texts.len() < MOST_MARKS => drop(texts.insert(text.into())),
                (None, _) => (),
            }
            Onward::On
        };
        self.store.table_rows(self.work, &table.table, &columns, &mut take)?;
        self.look_up(texts, &mut marked, &mut marks)?;
        self.count(&marked, &mut marks);
        Ok(marks)
    }

    /// Marks in words are ids of events: one read over all events finds them.
    fn look_up(
        &self,
        mut texts: BTreeSet<Arc<str>>,
        marked: &mut [bool],
        marks: &mut Marks,
    ) -> StoreResult<()> {
        if texts.is_empty() {
            return Ok(());
        }
        let mut ordinal = 0;
        self.store.read(self.work, &KeyRange::default(), Wanted::All, &mut |row| {
            if row.event_id.is_some_and(|id| texts.remove(id)) {
                set(marked, ordinal);
            }
            ordinal += 1;
            if texts.is_empty() { Onward::Enough } else { Onward::On }
        })?;
        for text in texts {
            let key = EventKey(Arc::from([KeyPart::Text(Arc::clone(&text))]));
            match self.index.ordinal_of(&key) {
                Some(ordinal) => set(marked, ordinal),
                None => marks.miss(Stored::Text(text.as_bytes().into())),
            }
        }
        Ok(())
    }

    fn count(&self, marked: &[bool], marks: &mut Marks) {
        let mut of_type: Vec<(u64, u64)> = vec![(0, 0); self.index.types().len()];
        for ((_, event_type), is_marked) in self.index.streams_and_types().zip(marked) {
            if let Some((with, without)) = of_type.get_mut(event_type as usize) {
                *(if *is_marked { with } else { without }) += 1;
            }
        }
        for (info, (with, without)) in self.index.types().iter().zip(of_type) {
            if with > 0 {
                marks.events += with;
                marks.unmarked += without;
                marks.types.push(Arc::clone(&info.name));
            }
        }
        marks.types.sort();
        marks.last = marked.iter().rposition(|is_marked| *is_marked).map_or(0, |last| last as u64 + 1);
    }
}

impl Marks {
    fn miss(&mut self, mark: Stored) {
        self.unknown += 1;
        if self.first_unknown.len() < MOST_UNKNOWN {
            self.first_unknown.push(mark);
        }
    }
}

impl Standing {
    /// How many events lie behind, where that can be told.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::NotStarted => Some(0),
            Self::At { count, .. } => Some(*count),
            Self::Marked(marks) => Some(marks.last),
            Self::Ahead | Self::NoSuchEvent => None,
        }
    }
}

fn at(ordinal: u32, is_exact: bool) -> Standing {
    Standing::At { count: u64::from(ordinal) + 1, is_exact }
}

fn set(marked: &mut [bool], ordinal: u32) {
    if let Some(mark) = marked.get_mut(ordinal as usize) {
        *mark = true;
    }
}

/// A number, or the digits of one with zeros in front.
fn number(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Blob(_) => value.as_str()?.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// The column of the table that a mapping reads.
fn column(source: &Source) -> Option<Arc<str>> {
    match source {
        Source::Column { table: None, column } => Some(Arc::clone(column)),
        _ => None,
    }
}

/// How far behind a checkpoint is; of a set, how many events of its types are not marked.
fn lag(index: &Index, standing: &Standing, handled: Option<&Handled>) -> Option<Lag> {
    let count = standing.count()?;
    let events = (index.len() as u64).saturating_sub(count);
    let time = |ordinal: u64| index.row(u32::try_from(ordinal).ok()?)?.time;
    let last = (index.len() as u64).checked_sub(1).and_then(time);
    let own = count.checked_sub(1).and_then(time);
    let nanos = last.zip(own).map(|(last, own)| last.nanos().saturating_sub(own.nanos()));
    if let Standing::Marked(marks) = standing {
        return Some(Lag { events, handled: Some(marks.unmarked), nanos });
    }
    let handled = handled.map(|handled| handled.behind(index, count));
    Some(Lag { events, handled, nanos })
}

impl Handled {
    /// How many of the events after a count are handled.
    fn behind(&self, index: &Index, count: u64) -> u64 {
        let is_type: Vec<bool> = index.types().iter().map(|info| self.types.contains(&info.name)).collect();
        let is_handled = |(stream, event_type): &(&u32, &u32)| {
            is_type.get(**event_type as usize).is_some_and(|is_type| *is_type)
                && self.category.as_ref().is_none_or(|category| {
                    index.stream(**stream).is_some_and(|info| info.name.category.as_ref() == Some(category))
                })
        };
        let mut behind = 0;
        index.visit_streams_and_types(usize::try_from(count).unwrap_or(usize::MAX), |streams, types| {
            behind += streams.iter().zip(types).filter(is_handled).count() as u64;
        });
        behind
    }
}
