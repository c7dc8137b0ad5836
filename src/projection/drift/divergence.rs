//! Which event a stored row parted from the events at.
//!
//! A stored row that followed the events up to some point and no further looks like the row did then. So the
//! history of the rebuilt row is searched for the **latest** state that the stored row equals in the columns
//! that are compared; "not there" is a state like any other. The **first divergent event** is the one that
//! ended that state: the stored row cannot have followed it.
//!
//! A changed row that never looked like the stored one parted earlier in one column than in another. Then each
//! column is searched alone, a column that never held the stored value counts from the row's birth, and the
//! earliest of these events is taken. A row that is missing parted when it was made, for the last time; a row
//! too many when it was deleted, and if the events never made one like it, no event tells.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{GlobalPosition, Stored},
    projection::{
        Histories, ReadModel, RowChange, RowKey,
        drift::{
            Difference, DriftError, DriftRow, Pairing,
            equality::{Likeness, same},
            rows::{Reader, likenesses},
        },
    },
    store::{EventStore, KeyRange},
    work::Work,
};

/// An event that a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEvent {
    /// How many events lie behind after it.
    pub count: u64,
    /// Its global position, if the store has one.
    pub position: Option<GlobalPosition>,
    /// What it is: `OrderShipped 4@order-17`.
    pub event: Arc<str>,
}

impl NamedEvent {
    /// The event after which so many lie behind, whose name is still to be looked up.
    pub(super) fn unnamed(count: u64) -> Self {
        Self { count, position: None, event: "".into() }
    }
}

/// Finds the first divergent event of rows.
pub(super) struct Finder {
    histories: Histories,
    reader: Reader,
    likenesses: Vec<Likeness>,
    key: usize,
    compared: usize,
}

impl Finder {
    pub(super) fn new(work: &Work, model: &ReadModel, pairing: &Pairing) -> Result<Self, DriftError> {
        let reader = Reader::new(model.columns(), pairing);
        let key = pairing.key.len();
        let compared = key + pairing.columns.len();
        let histories = model.histories(work)?;
        Ok(Self { histories, reader, likenesses: likenesses(pairing), key, compared })
    }

    /// What the history of a row tells.
    pub(super) fn find(&self, found: &Difference) -> Result<Told, DriftError> {
        let history = match (&found.row, &found.stored) {
            (Some(row), _) => self.histories.of(row)?,
            (None, Some(stored)) => self.deleted(stored)?,
            (None, None) => Vec::new(),
        };
        let states: Vec<State> = history.iter().map(|change| self.state(change)).collect();
        let stored = found.stored.as_deref();
        let columns = found.differing.iter().map(|place| (*place, self.column(&states, stored, *place)));
        let columns: BTreeMap<usize, Column> = columns.collect();
        Ok(Told { parted: self.parting(&states, stored, &columns), columns })
    }

    /// What the history tells of one column of a row that both sides have.
    fn column(&self, states: &[State], stored: Option<&[Stored]>, place: usize) -> Column {
        let value = |at: usize| states.get(at)?.values.as_ref()?.get(place);
        let before = |at: usize| at.checked_sub(1).and_then(value);
        let written = (0..states.len()).rfind(|at| value(*at).is_some() && value(*at) != before(*at));
        Column {
            written: written.and_then(|at| states.get(at)).map(|state| state.count),
            last_equal: states.iter().rposition(|state| self.is_same(state, stored, place..place + 1)),
        }
    }

    /// The history of a row that the events made and deleted again. Its key may be stored as another type.
    fn deleted(&self, stored: &[Stored]) -> Result<Vec<RowChange>, DriftError> {
        let key = stored.get(..self.key).unwrap_or_default();
        if key.is_empty() {
            return Ok(Vec::new());
        }
        let other_type = |value: &Stored| match value {
            Stored::Integer(number) => Stored::Text(number.to_string().into_bytes().into()),
            Stored::Text(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .map_or_else(|| value.clone(), Stored::Integer),
            Stored::Null | Stored::Real(_) | Stored::Blob(_) => value.clone(),
        };
        let history = self.histories.of(&RowKey(key.into()))?;
        if !history.is_empty() {
            return Ok(history);
        }
        Ok(self.histories.of(&RowKey(key.iter().map(other_type).collect()))?)
    }

    fn state(&self, change: &RowChange) -> State {
        let values = change.after.as_ref().map(|after| self.reader.values(after));
        State { count: change.count, values, is_birth: change.before.is_none() }
    }

    /// `columns` are those that differ: none for a row that only one side has.
    fn parting(
        &self,
        states: &[State],
        stored: Option<&[Stored]>,
        columns: &BTreeMap<usize, Column>,
    ) -> Option<u64> {
        let whole = self.key..self.compared;
        let last_equal = states.iter().rposition(|state| self.is_same(state, stored, whole.clone()));
        let after = |place: usize| states.get(place + 1).map(|state| state.count);
        match (stored, last_equal) {
            (_, Some(place)) => after(place),
            // Before its first change a row is not there either.
            (None, None) => states.first().map(|state| state.count),
            (Some(_), None) if columns.is_empty() => {
                states.iter().rfind(|state| state.values.is_none()).map(|state| state.count)
            }
            (Some(_), None) => {
                let born = states.iter().rfind(|state| state.is_birth).or_else(|| states.first());
                let parted = columns.values().filter_map(|column| {
                    let of_column = column.last_equal.and_then(after);
                    of_column.or_else(|| born.map(|state| state.count))
                });
                parted.min()
            }
        }
    }

    fn is_same(&self, state: &State, stored: Option<&[Stored]>, places: std::ops::Range<usize>) -> bool {
        let (Some(values), Some(stored)) = (&state.values, stored) else {
            return state.values.is_none() && stored.is_none();
        };
        places.into_iter().all(|place| match (stored.get(place), values.get(place)) {
            (Some(stored), Some(rebuilt)) => {
                same(stored, rebuilt, self.likenesses.get(place).copied().unwrap_or_default())
            }
            _ => false,
        })
    }
}

/// What the history of a row tells of its difference. Events are told by how many lie behind after them.
pub(super) struct Told {
    /// The first divergent event; `None` if no event tells.
    pub(super) parted: Option<u64>,
    /// The columns that differ in a row that both sides have.
    pub(super) columns: BTreeMap<usize, Column>,
}

/// What the history of a row tells of one column.
pub(super) struct Column {
    /// The event that wrote what it holds in the end.
    pub(super) written: Option<u64>,
    /// The latest state that holds the stored value; `None` if it was never made.
    pub(super) last_equal: Option<usize>,
}

/// One state of a row, in the values that are compared.
struct State {
    count: u64,
    /// `None` while it is not there.
    values: Option<Vec<Stored>>,
    is_birth: bool,
}

/// Says of every event that the rows name which it is, in one walk over the store.
pub(super) fn name_events(
    work: &Work,
    store: &dyn EventStore,
    rows: &mut [&mut DriftRow],
) -> Result<(), DriftError> {
    let mut named: Vec<&mut NamedEvent> = rows.iter_mut().flat_map(|row| row.events_mut()).collect();
    let mut wanted: BTreeMap<u64, Option<NamedEvent>> =
        named.iter().map(|event| (event.count, None)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut count = 0;
    store.scan(work, &KeyRange::default(), &mut |row| {
        count += 1;
        if let Some(event) = wanted.get_mut(&count) {
            let stream = match (row.stored, row.category) {
                (Some(stored), _) => stored.to_owned(),
                (None, Some(category)) => format!("{category}-{}", row.id),
                (None, None) => row.id.to_owned(),
            };
            let label = match row.version {
                Some(version) => format!("{} {version}@{stream}", row.event_type),
                None => format!("{} @{stream}", row.event_type),
            };
            *event = Some(NamedEvent { count, position: row.position.clone(), event: label.into() });
        }
    })?;
    for event in &mut named {
        if let Some(Some(found)) = wanted.get(&event.count) {
            (**event).clone_from(found);
        }
    }
    Ok(())
}
