//! Columns of whole numbers that take no more room than their values need.

/// Whole numbers, some of them missing.
///
/// Four bytes a number while all of them lie within 2³¹ of the first, which keys and versions
/// nearly always do; eight bytes a number after that. `i64::MIN` counts as missing.
#[derive(Debug, Clone)]
pub(crate) enum IntColumn {
    /// Distances from the first number.
    Narrow { base: Option<i64>, distances: Vec<i32> },
    /// The numbers themselves.
    Wide(Vec<i64>),
}

/// What stands for a missing number in a wide column, and in a column of times.
pub(crate) const MISSING: i64 = i64::MIN;
const MISSING_DISTANCE: i32 = i32::MIN;

impl Default for IntColumn {
    fn default() -> Self {
        Self::Narrow { base: None, distances: Vec::new() }
    }
}

impl IntColumn {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Narrow { distances, .. } => distances.len(),
            Self::Wide(numbers) => numbers.len(),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Narrow { base, distances } => {
                let distance = *distances.get(row)?;
                (distance != MISSING_DISTANCE).then_some((*base)? + i64::from(distance))
            }
            Self::Wide(numbers) => numbers.get(row).copied().filter(|number| *number != MISSING),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<i64>> {
        (0..self.len()).map(|row| self.get(row))
    }

    pub(crate) fn push(&mut self, number: Option<i64>) {
        let number = number.filter(|number| *number != MISSING);
        if let Self::Narrow { base, distances } = self {
            let distance = match number {
                None => Some(MISSING_DISTANCE),
                Some(number) => distance(*base.get_or_insert(number), number),
            };
            if let Some(distance) = distance {
                distances.push(distance);
                return;
            }
            let wide = self.iter().map(|number| number.unwrap_or(MISSING)).collect();
            *self = Self::Wide(wide);
        }
        if let Self::Wide(numbers) = self {
            numbers.push(number.unwrap_or(MISSING));
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
            return;
        }
        if let (
            Self::Narrow { base: Some(base), distances },
            Self::Narrow { base: Some(other_base), distances: others },
        ) = (&mut *self, &other)
            && let Some(shift) = other_base.checked_sub(*base)
            && let Some((least, most)) = bounds(others)
            && let Ok(shift) = i32::try_from(shift)
            && least.checked_add(shift).is_some_and(|moved| moved != MISSING_DISTANCE)
            && most.checked_add(shift).is_some()
        {
            distances.extend(others.iter().map(|own| match *own {
                MISSING_DISTANCE => MISSING_DISTANCE,
                own => own.wrapping_add(shift),
            }));
            return;
        }
        for row in 0..other.len() {
            self.push(other.get(row));
        }
    }

    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Narrow { distances, .. } => distances.shrink_to_fit(),
            Self::Wide(numbers) => numbers.shrink_to_fit(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Narrow { distances, .. } => distances.capacity() * size_of::<i32>(),
            Self::Wide(numbers) => numbers.capacity() * size_of::<i64>(),
        }
    }
}

/// The least and the greatest distance, missing ones left out.
fn bounds(distances: &[i32]) -> Option<(i32, i32)> {
    let there = distances.iter().copied().filter(|distance| *distance != MISSING_DISTANCE);
    Some((there.clone().min()?, there.max()?))
}

fn distance(base: i64, number: i64) -> Option<i32> {
    i32::try_from(number.checked_sub(base)?).ok().filter(|distance| *distance != MISSING_DISTANCE)
}

/// How many digits after the second each time was stored with: one number while all agree.
#[derive(Debug, Clone, Default)]
pub(crate) enum Digits {
    /// No time yet.
    #[default]
    Unknown,
    /// The same everywhere.
    Same(u8),
    /// One for each row.
    Each(Vec<u8>),
}

impl Digits {
    pub(crate) fn get(&self, row: usize) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Same(digits) => *digits,
            Self::Each(digits) => digits.get(row).copied().unwrap_or_default(),
        }
    }

    /// Takes the digits of the row that follows `rows` earlier ones; `None` where it has no time.
    pub(crate) fn push(&mut self, digits: Option<u8>, rows: usize) {
        match (&mut *self, digits) {
            (Self::Each(each), digits) => each.push(digits.unwrap_or_default()),
            (_, None) => (),
            (Self::Unknown, Some(digits)) => *self = Self::Same(digits),
            (Self::Same(same), Some(digits)) if *same == digits => (),
            (Self::Same(same), Some(digits)) => {
                let mut each = vec![*same; rows];
                each.push(digits);
                *self = Self::Each(each);
            }
        }
    }

    /// Puts the digits of `other_rows` rows behind those of `rows` rows.
    pub(crate) fn append(&mut self, rows: usize, other: &Self, other_rows: usize) {
        match (&mut *self, other) {
            (Self::Unknown | Self::Same(_), Self::Unknown) => (),
            (Self::Unknown, Self::Same(digits)) => *self = Self::Same(*digits),
            (Self::Same(own), Self::Same(digits)) if own == digits => (),
            _ => {
                let mut each: Vec<u8> = (0..rows).map(|row| self.get(row)).collect();
                each.extend((0..other_rows).map(|row| other.get(row)));
                *self = Self::Each(each);
            }
        }
    }

    pub(crate) fn shrink(&mut self) {
        if let Self::Each(each) = self {
            each.shrink_to_fit();
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Unknown | Self::Same(_) => 0,
            Self::Each(each) => each.capacity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Digits, IntColumn};

    fn check(numbers: &[Option<i64>], is_narrow: bool) {
        for cut in 0..=numbers.len() {
            let (left, right) = numbers.split_at(cut);
            let mut column = IntColumn::default();
            for number in left {
                column.push(*number);
            }
            let mut tail = IntColumn::default();
            for number in right {
                tail.push(*number);
            }
            column.append(tail);
            assert_eq!(column.iter().collect::<Vec<_>>(), numbers, "cut at {cut}");
            assert_eq!(matches!(column, IntColumn::Narrow { .. }), is_narrow, "{numbers:?}");
        }
    }

    #[test]
    fn a_column_gives_back_what_it_was_given() {
        check(&[], true);
        check(&[None, None], true);
        check(&[None, Some(7), Some(-3), None, Some(2_000_000_000)], true);
        check(&[Some(1_700_000_000_000), Some(1_700_000_000_001)], true);
        check(&[Some(0), Some(2_147_483_647), None, Some(5)], true);
        check(&[Some(0), Some(-2_147_483_647), None, Some(5)], true);
        check(&[Some(5), Some(2_147_483_647), Some(-2_147_483_640)], true);
        check(&[Some(0), None, Some(1 << 40), Some(-5)], false);
        check(&[Some(i64::MAX), Some(-1), Some(i64::MIN + 1)], false);
    }

    #[test]
    fn digits_are_kept_row_by_row_once_they_differ() {
        let rows = [None, Some(6), Some(6), None, Some(0), Some(3)];
        for cut in 0..=rows.len() {
            let fill = |rows: &[Option<u8>]| {
                let mut digits = Digits::default();
                rows.iter().enumerate().for_each(|(row, value)| digits.push(*value, row));
                digits
            };
            let mut digits = fill(&rows[..cut]);
            digits.append(cut, &fill(&rows[cut..]), rows.len() - cut);
            for (row, expected) in rows.iter().enumerate() {
                if let Some(expected) = expected {
                    assert_eq!(digits.get(row), *expected, "row {row}, cut at {cut}");
                }
            }
        }
    }
}
