//! The keys and positions of events while they are scanned.

use std::sync::Arc;

use crate::{
    model::{EventKey, GlobalPosition, KeyPart},
    store::{ScanKey, index::ints::MISSING},
};

/// The keys of some events: numbers where all parts of all keys are numbers, else bytes.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// Every key has as many parts, and their numbers follow each other key by key.
    Numbers { parts: usize, numbers: Vec<i64> },
    /// The keys written one after the other, and where each ends.
    Packed { bytes: Vec<u8>, ends: Vec<u64> },
}

impl Default for Keys {
    fn default() -> Self {
        Self::Numbers { parts: 0, numbers: Vec::new() }
    }
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers { parts, numbers } => numbers.len() / (*parts).max(1),
            Self::Packed { ends, .. } => ends.len(),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<EventKey> {
        match self {
            Self::Numbers { parts: 0, .. } => None,
            Self::Numbers { parts, numbers } => {
                let key = numbers.get(row * parts..(row + 1) * parts)?;
                Some(EventKey(key.iter().copied().map(KeyPart::Integer).collect()))
            }
            Self::Packed { bytes, ends } => unpack_at(bytes, ends, row),
        }
    }

    pub(crate) fn push(&mut self, key: ScanKey<'_>) {
        if let (Self::Numbers { parts, numbers }, ScanKey::Integer(number)) = (&mut *self, key)
            && number != MISSING
            && (*parts == 1 || numbers.is_empty())
        {
            *parts = 1;
            return numbers.push(number);
        }
        key.with_parts(|parts| self.push_parts(parts));
    }

    fn push_parts(&mut self, key: &[KeyPart]) {
        if let Self::Numbers { parts, numbers } = self {
            if numbers.is_empty() {
                *parts = key.len();
            }
            let is_number = |part: &KeyPart| matches!(part, KeyPart::Integer(number) if *number != MISSING);
            if *parts == key.len() && !key.is_empty() && key.iter().all(is_number) {
                numbers.extend(key.iter().filter_map(|part| match part {
                    KeyPart::Integer(number) => Some(*number),
                    KeyPart::Null | KeyPart::Text(_) | KeyPart::Blob(_) => None,
                }));
                return;
            }
            self.pack();
        }
        if let Self::Packed { bytes, ends } = self {
            pack(key, bytes);
            ends.push(bytes.len() as u64);
        }
    }

    /// Gives up the numbers: a key came that is none.
    fn pack(&mut self) {
        let mut packed = (Vec::new(), Vec::new());
        for key in (0..self.len()).filter_map(|row| self.get(row)) {
            pack(&key.0, &mut packed.0);
            packed.1.push(packed.0.len() as u64);
        }
        *self = Self::Packed { bytes: packed.0, ends: packed.1 };
    }

    pub(crate) fn append(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
            return;
        }
        match (&mut *self, other) {
            (Self::Numbers { parts, numbers }, Self::Numbers { parts: others_parts, numbers: others })
                if *parts == others_parts =>
            {
                numbers.extend(others);
            }
            (_, other) => {
                for key in (0..other.len()).filter_map(|row| other.get(row)) {
                    self.push(ScanKey::of(&key.0));
                }
            }
        }
    }

    /// Cuts off the keys from `row` on.
    pub(crate) fn split_off(&mut self, row: usize) -> Self {
        match self {
            Self::Numbers { parts, numbers } => {
                let tail = numbers.split_off((row * *parts).min(numbers.len()));
                Self::Numbers { parts: *parts, numbers: tail }
            }
            Self::Packed { bytes, ends } => {
                let mut tail = ends.split_off(row.min(ends.len()));
                let cut = ends.last().copied().unwrap_or_default();
                for end in &mut tail {
                    *end = end.saturating_sub(cut);
                }
                let bytes = bytes.split_off((cut as usize).min(bytes.len()));
                Self::Packed { bytes, ends: tail }
            }
        }
    }
}

/// Tag and value, part after part; lengths before texts and bytes.
fn pack(key: &[KeyPart], bytes: &mut Vec<u8>) {
    for part in key {
        let (tag, value): (u8, &[u8]) = match part {
            KeyPart::Null => (0, &[]),
            KeyPart::Integer(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_le_bytes());
                continue;
            }
            KeyPart::Text(text) => (2, text.as_bytes()),
            KeyPart::Blob(blob) => (3, blob),
        };
        bytes.push(tag);
        if tag != 0 {
            bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
            bytes.extend_from_slice(value);
        }
    }
}

/// Reads the key of a row out of keys that [`Keys`] packed.
pub(super) fn unpack_at(bytes: &[u8], ends: &[u64], row: usize) -> Option<EventKey> {
    let start = match row.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    unpack(bytes.get(usize::try_from(start).ok()?..usize::try_from(*ends.get(row)?).ok()?)?)
}

/// Reads what [`pack`] wrote.
fn unpack(mut bytes: &[u8]) -> Option<EventKey> {
    let mut parts = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        bytes = rest;
        let part = match tag {
            0 => KeyPart::Null,
            1 => {
                let (number, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                KeyPart::Integer(i64::from_le_bytes(*number))
            }
            _ => {
                let (length, rest) = bytes.split_first_chunk()?;
                let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                bytes = rest;
                if *tag == 2 {
                    KeyPart::Text(std::str::from_utf8(value).ok()?.into())
                } else {
                    KeyPart::Blob(value.into())
                }
            }
        };
        parts.push(part);
    }
    Some(EventKey(parts.into()))
}

/// The first part of a key as a position: what most stores use for both.
pub(super) fn position_of(key: ScanKey<'_>) -> Option<GlobalPosition> {
    key.with_parts(|parts| match parts.first()? {
        KeyPart::Integer(number) => Some(GlobalPosition::Number(*number)),
        KeyPart::Text(text) => Some(GlobalPosition::Text(Arc::clone(text))),
        KeyPart::Null | KeyPart::Blob(_) => None,
    })
}

/// The positions of some events; nothing where the keys say them already.
#[derive(Debug, Clone, Default)]
pub(crate) enum Positions {
    /// No event has one.
    #[default]
    Absent,
    /// Every event's position is the first part of its key.
    OfKeys,
    /// Numbers, some of them missing.
    Numbers(Vec<i64>),
    /// Anything.
    Any(Vec<Option<GlobalPosition>>),
}

impl Positions {
    pub(crate) fn get(&self, row: usize, keys: &Keys) -> Option<GlobalPosition> {
        match self {
            Self::Absent => None,
            Self::OfKeys => position_of(ScanKey::of(&keys.get(row)?.0)),
            Self::Numbers(numbers) => known(*numbers.get(row)?).map(GlobalPosition::Number),
            Self::Any(positions) => positions.get(row)?.clone(),
        }
    }

    /// Takes the position of the row that follows those whose `keys` are known.
    pub(crate) fn push(&mut self, position: Option<GlobalPosition>, key: ScanKey<'_>, keys: &Keys) {
        if let (Self::OfKeys, Some(GlobalPosition::Number(own)), ScanKey::Integer(number)) =
            (&*self, &position, key)
            && *own == number
        {
            return;
        }
        if keys.len() == 0 && position.is_some() && position == position_of(key) {
            *self = Self::OfKeys;
            return;
        }
        match (&mut *self, position) {
            (Self::Absent, None) => (),
            (Self::OfKeys, Some(position)) if position_of(key).as_ref() == Some(&position) => (),
            (_, position) => {
                self.spell_out(keys.len(), keys);
                self.push_spelled_out(position);
            }
        }
    }

    fn push_spelled_out(&mut self, position: Option<GlobalPosition>) {
        if let Self::Numbers(numbers) = self {
            match position {
                None => return numbers.push(MISSING),
                Some(GlobalPosition::Number(number)) if number != MISSING => return numbers.push(number),
                Some(_) => (),
            }
            let any = numbers.iter().map(|number| known(*number).map(GlobalPosition::Number)).collect();
            *self = Self::Any(any);
        }
        if let Self::Any(positions) = self {
            positions.push(position);
        }
    }

    /// Writes down what was short: as numbers where they are numbers, else as they are.
    fn spell_out(&mut self, rows: usize, keys: &Keys) {
        if matches!(self, Self::Numbers(_) | Self::Any(_)) {
            return;
        }
        let all: Vec<Option<GlobalPosition>> = (0..rows).map(|row| self.get(row, keys)).collect();
        let number = |position: &Option<GlobalPosition>| match position {
            None => Some(MISSING),
            Some(GlobalPosition::Number(number)) => known(*number),
            Some(GlobalPosition::Text(_)) => None,
        };
        let numbers: Option<Vec<i64>> = all.iter().map(number).collect();
        *self = numbers.map_or(Self::Any(all), Self::Numbers);
    }

    /// Puts the positions of `other` behind these; both with the keys they belong to.
    pub(crate) fn append(&mut self, keys: &Keys, other: Self, other_keys: &Keys) {
        if keys.len() == 0 {
            *self = other;
            return;
        }
        match (&mut *self, other) {
            (_, _) if other_keys.len() == 0 => (),
            (Self::Absent, Self::Absent) | (Self::OfKeys, Self::OfKeys) => (),
            (Self::Numbers(numbers), Self::Numbers(others)) => numbers.extend(others),
            (_, other) => {
                self.spell_out(keys.len(), keys);
                for row in 0..other_keys.len() {
                    self.push_spelled_out(other.get(row, other_keys));
                }
            }
        }
    }

    /// Cuts off the positions from `row` on.
    pub(crate) fn split_off(&mut self, row: usize) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::OfKeys => Self::OfKeys,
            Self::Numbers(numbers) => Self::Numbers(numbers.split_off(row.min(numbers.len()))),
            Self::Any(positions) => Self::Any(positions.split_off(row.min(positions.len()))),
        }
    }
}

fn known(number: i64) -> Option<i64> {
    (number != MISSING).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Keys, Positions};
    use crate::{
        model::{EventKey, GlobalPosition, KeyPart},
        store::{
            ScanKey,
            index::chunk::{ChunkKeys, ChunkPositions},
        },
    };

    fn key(parts: &[KeyPart]) -> EventKey {
        EventKey(parts.into())
    }

    fn fill(rows: &[(EventKey, Option<GlobalPosition>)]) -> (Keys, Positions) {
        let (mut keys, mut positions) = (Keys::default(), Positions::default());
        for (key, position) in rows {
            positions.push(position.clone(), ScanKey::of(&key.0), &keys);
            keys.push(ScanKey::of(&key.0));
        }
        (keys, positions)
    }

    fn same(keys: &Keys, positions: &Positions, rows: &[(EventKey, Option<GlobalPosition>)]) {
        let packed = (ChunkKeys::pack(keys), ChunkPositions::pack(positions));
        for (row, (key, position)) in rows.iter().enumerate() {
            assert_eq!(keys.get(row).as_ref(), Some(key), "row {row}");
            assert_eq!(positions.get(row, keys), *position, "row {row}");
            assert_eq!(packed.0.get(row).as_ref(), Some(key), "packed row {row}");
            assert_eq!(packed.1.get(row, &packed.0), *position, "packed row {row}");
        }
        assert_eq!((keys.len(), keys.get(rows.len())), (rows.len(), None));
    }

    fn check(rows: &[(EventKey, Option<GlobalPosition>)]) {
        for cut in 0..=rows.len() {
            let (mut keys, mut positions) = fill(&rows[..cut]);
            let (tail_keys, tail_positions) = fill(&rows[cut..]);
            positions.append(&keys, tail_positions, &tail_keys);
            keys.append(tail_keys);
            same(&keys, &positions, rows);
            let (tail_keys, tail_positions) = (keys.split_off(cut), positions.split_off(cut));
            same(&keys, &positions, &rows[..cut]);
            same(&tail_keys, &tail_positions, &rows[cut..]);
        }
    }

    #[test]
    fn keys_and_positions_come_back_as_they_went_in() {
        let number = |number: i64| Some(GlobalPosition::Number(number));
        let text = |text: &str| Some(GlobalPosition::Text(text.into()));
        check(&[(EventKey::integer(1), number(1)), (EventKey::integer(5), number(5))]);
        check(&[(EventKey::integer(1), None), (EventKey::integer(2), None)]);
        check(&[
            (EventKey::integer(1), None),
            (EventKey::integer(2), number(2)),
            (EventKey::integer(3), None),
        ]);
        check(&[(EventKey::integer(1), number(1)), (EventKey::integer(2), number(9))]);
        check(&[(EventKey::integer(1), number(1)), (EventKey::integer(2), text("2"))]);
        check(&[(EventKey::integer(i64::MIN), number(i64::MIN)), (EventKey::integer(2), number(2))]);
        check(&[(EventKey::integer(1), number(3)), (EventKey::integer(2), number(i64::MIN))]);
        let pair = |left: i64, right: i64| key(&[KeyPart::Integer(left), KeyPart::Integer(right)]);
        check(&[(pair(1, 9), number(1)), (pair(1, 10), number(1)), (pair(1 << 40, 2), number(1 << 40))]);
        check(&[
            (key(&[KeyPart::Null, KeyPart::Integer(3)]), None),
            (key(&[KeyPart::Integer(1), KeyPart::Integer(1)]), number(1)),
            (key(&[KeyPart::Text("0190é".into())]), text("0190é")),
            (key(&[KeyPart::Blob([0, 255].as_slice().into()), KeyPart::Text("".into())]), None),
        ]);
    }
}
