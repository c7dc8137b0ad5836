//! Rows that change often, and what they held last.
//!
//! A statement that sets a row at every event to what it holds already would write line after line into its
//! history, and whoever asks since when the row is as it is would have to read them all. So rows that are met
//! often are compared with what they were; all others cost nothing.

use rusqlite::types::ValueRef;

/// So many rows are known at once.
const ROWS: usize = 1024;

/// From so many changes on, a row is looked at.
const OFTEN: u32 = 16;

/// After a look that found a change, so many changes pass without one.
const PATIENCE: u32 = 7;

/// Longer rows are not kept here.
const MOST_BYTES: usize = 1024;

/// What to do about a row that was updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Take it as changed.
    Trust,
    /// Compare it by [`Often::is_same`].
    Compare,
}

/// The rows that were met last, by the lower digits of their numbers.
#[derive(Debug, Default)]
pub(super) struct Often {
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    number: i64,
    met: u32,
    /// What the row held, exactly; nothing if that is not known.
    held: Option<Vec<u8>>,
}

impl Often {
    /// A row was updated.
    pub(super) fn meet(&mut self, number: i64) -> Look {
        let Some(slot) = self.slot(number) else { return Look::Trust };
        if slot.number != number {
            *slot = Slot { number, met: 1, held: None };
            return Look::Trust;
        }
        slot.met = slot.met.saturating_add(1);
        if slot.met > OFTEN {
            return Look::Compare;
        }
        slot.held = None;
        Look::Trust
    }

    /// A row was made or deleted: what it held counts no more.
    pub(super) fn forget(&mut self, number: i64) {
        if let Some(slot) = self.slot(number)
            && slot.number == number
        {
            *slot = Slot::default();
        }
    }

    /// Whether a row that was just met holds what it held before; keeps what it holds.
    pub(super) fn is_same<'v>(&mut self, number: i64, values: impl Iterator<Item = ValueRef<'v>>) -> bool {
        let mut bytes = Vec::new();
        for value in values {
            spell(&mut bytes, value);
        }
        let Some(slot) = self.slot(number) else { return false };
        if bytes.len() > MOST_BYTES {
            slot.held = None;
            return false;
        }
        match &slot.held {
            Some(held) if *held == bytes => true,
            Some(_) => {
                (slot.met, slot.held) = (OFTEN - PATIENCE, None);
                false
            }
            None => {
                slot.held = Some(bytes);
                false
            }
        }
    }

    fn slot(&mut self, number: i64) -> Option<&mut Slot> {
        if self.slots.is_empty() {
            self.slots.resize(ROWS, Slot::default());
        }
        self.slots.get_mut(number.unsigned_abs() as usize % ROWS)
    }
}

/// A value as bytes that no other value has.
fn spell(bytes: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut put = |tag: u8, own: &[u8]| {
        bytes.push(tag);
        bytes.extend_from_slice(&own.len().to_le_bytes());
        bytes.extend_from_slice(own);
    };
    match value {
        ValueRef::Null => put(0, &[]),
        ValueRef::Integer(number) => put(1, &number.to_le_bytes()),
        ValueRef::Real(number) => put(2, &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => put(3, text),
        ValueRef::Blob(blob) => put(4, blob),
    }
}
