//! The keys and positions of all events, packed.

use std::sync::Arc;

use crate::{
    model::{EventKey, GlobalPosition, KeyPart},
    store::{
        ScanKey,
        index::column::{IntColumn, MISSING},
    },
};

/// The key of every event: one column of numbers a part where all parts are numbers, else bytes.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// One column for each part; every key has as many parts.
    Integers(Vec<IntColumn>),
    /// The keys written one after the other, and where each ends.
    Packed { bytes: Vec<u8>, ends: Vec<u64> },
}

impl Default for Keys {
    fn default() -> Self {
        Self::Integers(Vec::new())
    }
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Integers(columns) => columns.first().map_or(0, IntColumn::len),
            Self::Packed { ends, .. } => ends.len(),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<EventKey> {
        match self {
            Self::Integers(columns) => {
                let parts: Option<Arc<[KeyPart]>> =
                    columns.iter().map(|column| column.get(row).map(KeyPart::Integer)).collect();
                parts.filter(|parts| !parts.is_empty()).map(EventKey)
            }
            Self::Packed { bytes, ends } => {
                let start = match row.checked_sub(1) {
                    Some(before) => *ends.get(before)?,
                    None => 0,
                };
                let end = *ends.get(row)?;
                unpack(bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?)
            }
        }
    }

    /// The first part of a key as a position: what most stores use for both.
    fn first_part(&self, row: usize) -> Option<GlobalPosition> {
        match self {
            Self::Integers(columns) => columns.first()?.get(row).map(GlobalPosition::Number),
            Self::Packed { .. } => position_of(ScanKey::of(&self.get(row)?.0)),
        }
    }

    pub(crate) fn push(&mut self, key: ScanKey<'_>) {
        match (&mut *self, key) {
            (Self::Integers(columns), ScanKey::Integer(number)) if number != MISSING => {
                if let [column] = columns.as_mut_slice() {
                    return column.push(Some(number));
                }
            }
            _ => (),
        }
        key.with_parts(|parts| self.push_parts(parts));
    }

    fn push_parts(&mut self, key: &[KeyPart]) {
        if let Self::Integers(columns) = self {
            if columns.is_empty() {
                columns.resize_with(key.len(), IntColumn::default);
            }
            let fits = !key.is_empty()
                && columns.len() == key.len()
                && key.iter().all(|part| matches!(part, KeyPart::Integer(number) if *number != MISSING));
            if fits {
                for (column, part) in columns.iter_mut().zip(key) {
                    if let KeyPart::Integer(number) = part {
                        column.push(Some(*number));
                    }
                }
                return;
            }
            self.pack();
        }
        if let Self::Packed { bytes, ends } = self {
            pack(key, bytes);
            ends.push(bytes.len() as u64);
        }
    }

    /// Gives up the columns of numbers: a key came that is none.
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
            (Self::Integers(columns), Self::Integers(others)) if columns.len() == others.len() => {
                columns.iter_mut().zip(others).for_each(|(column, other)| column.append(other));
            }
            (_, other) => {
                for key in (0..other.len()).filter_map(|row| other.get(row)) {
                    self.push(ScanKey::of(&key.0));
                }
            }
        }
    }

    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Integers(columns) => columns.iter_mut().for_each(IntColumn::shrink),
            Self::Packed { bytes, ends } => {
                bytes.shrink_to_fit();
                ends.shrink_to_fit();
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Integers(columns) => columns.iter().map(IntColumn::bytes).sum(),
            Self::Packed { bytes, ends } => bytes.capacity() + ends.capacity() * size_of::<u64>(),
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

fn position_of(key: ScanKey<'_>) -> Option<GlobalPosition> {
    key.with_parts(|parts| match parts.first()? {
        KeyPart::Integer(number) => Some(GlobalPosition::Number(*number)),
        KeyPart::Text(text) => Some(GlobalPosition::Text(Arc::clone(text))),
        KeyPart::Null | KeyPart::Blob(_) => None,
    })
}

/// The position of every event; nothing where the key says it already.
#[derive(Debug, Clone, Default)]
pub(crate) enum Positions {
    /// No event has one.
    #[default]
    Absent,
    /// Every event's position is the first part of its key.
    FirstKeyPart,
    /// Numbers.
    Numbers(IntColumn),
    /// Anything.
    Any(Vec<Option<GlobalPosition>>),
}

impl Positions {
    pub(crate) fn get(&self, row: usize, keys: &Keys) -> Option<GlobalPosition> {
        match self {
            Self::Absent => None,
            Self::FirstKeyPart => keys.first_part(row),
            Self::Numbers(numbers) => numbers.get(row).map(GlobalPosition::Number),
            Self::Any(positions) => positions.get(row)?.clone(),
        }
    }

    /// Whether each is the first part of its event's key.
    pub(crate) fn are_of_keys(&self) -> bool {
        matches!(self, Self::FirstKeyPart)
    }

    /// Takes the position of the row that follows `rows` earlier ones; its key is not yet in `keys`.
    pub(crate) fn push(&mut self, position: Option<GlobalPosition>, key: ScanKey<'_>, keys: &Keys) {
        if let (Self::FirstKeyPart, Some(GlobalPosition::Number(own)), ScanKey::Integer(number)) =
            (&*self, &position, key)
            && *own == number
        {
            return;
        }
        let rows = keys.len();
        if rows == 0 && position.is_some() && position == position_of(key) {
            *self = Self::FirstKeyPart;
            return;
        }
        match (&mut *self, position) {
            (Self::Absent, None) => (),
            (Self::FirstKeyPart, Some(position)) if position_of(key).as_ref() == Some(&position) => (),
            (Self::Numbers(numbers), None) => numbers.push(None),
            (Self::Numbers(numbers), Some(GlobalPosition::Number(number))) => numbers.push(Some(number)),
            (Self::Any(positions), position) => positions.push(position),
            (_, position) => {
                self.spell_out(rows, keys);
                self.push_spelled_out(position);
            }
        }
    }

    fn push_spelled_out(&mut self, position: Option<GlobalPosition>) {
        if let Self::Numbers(numbers) = self {
            match position {
                None => return numbers.push(None),
                Some(GlobalPosition::Number(number)) => return numbers.push(Some(number)),
                Some(GlobalPosition::Text(_)) => (),
            }
            let any = numbers.iter().map(|number| number.map(GlobalPosition::Number)).collect();
            *self = Self::Any(any);
        }
        if let Self::Any(positions) = self {
            positions.push(position);
        }
    }

    /// Writes down what was short: as numbers where they are numbers, else as they are.
    fn spell_out(&mut self, rows: usize, keys: &Keys) {
        let all = (0..rows).map(|row| self.get(row, keys));
        if all.clone().any(|position| matches!(position, Some(GlobalPosition::Text(_)))) {
            *self = Self::Any(all.collect());
            return;
        }
        let mut numbers = IntColumn::default();
        for position in all {
            numbers.push(match position {
                Some(GlobalPosition::Number(number)) => Some(number),
                Some(GlobalPosition::Text(_)) | None => None,
            });
        }
        *self = Self::Numbers(numbers);
    }

    /// Puts the positions of `other` behind these; both with the keys they belong to.
    pub(crate) fn append(&mut self, keys: &Keys, other: Self, other_keys: &Keys) {
        if keys.len() == 0 {
            *self = other;
            return;
        }
        match (&mut *self, other) {
            (_, _) if other_keys.len() == 0 => (),
            (Self::Absent, Self::Absent) | (Self::FirstKeyPart, Self::FirstKeyPart) => (),
            (Self::Numbers(numbers), Self::Numbers(others)) => numbers.append(others),
            (_, other) => {
                if matches!(self, Self::Absent | Self::FirstKeyPart) {
                    self.spell_out(keys.len(), keys);
                }
                for row in 0..other_keys.len() {
                    self.push_spelled_out(other.get(row, other_keys));
                }
            }
        }
    }

    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Absent | Self::FirstKeyPart => (),
            Self::Numbers(numbers) => numbers.shrink(),
            Self::Any(positions) => positions.shrink_to_fit(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Absent | Self::FirstKeyPart => 0,
            Self::Numbers(numbers) => numbers.bytes(),
            Self::Any(positions) => positions.capacity() * size_of::<Option<GlobalPosition>>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, Positions};
    use crate::{
        model::{EventKey, GlobalPosition, KeyPart},
        store::ScanKey,
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

    fn check(rows: &[(EventKey, Option<GlobalPosition>)]) {
        for cut in 0..=rows.len() {
            let (mut keys, mut positions) = fill(&rows[..cut]);
            let (tail_keys, tail_positions) = fill(&rows[cut..]);
            positions.append(&keys, tail_positions, &tail_keys);
            keys.append(tail_keys);
            for (row, (key, position)) in rows.iter().enumerate() {
                assert_eq!(keys.get(row).as_ref(), Some(key), "row {row}, cut at {cut}");
                assert_eq!(positions.get(row, &keys), *position, "row {row}, cut at {cut}");
            }
            assert_eq!(keys.len(), rows.len());
            assert_eq!(keys.get(rows.len()), None);
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
