//! Whole numbers of one chunk, in no more bytes than their spread needs.

/// What stands for a missing number.
pub(crate) const MISSING: i64 = i64::MIN;

/// Whole numbers, some of them [`MISSING`]: distances from the least, counted in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ints {
    base: i64,
    step: i64,
    packed: Packed,
}

/// The distances. Of each width the greatest number stands for a missing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packed {
    /// So many numbers that each follow the one before by a step; all the same where it is 0.
    Even(usize),
    /// So many numbers, all missing.
    Missing(usize),
    /// One byte each.
    One(Box<[u8]>),
    /// Two bytes.
    Two(Box<[u16]>),
    /// Four.
    Four(Box<[u32]>),
    /// Six: the low four, and the high two.
    Six(Box<[u32]>, Box<[u16]>),
    /// The numbers themselves.
    Eight(Box<[i64]>),
}

const NO_ONE: u8 = u8::MAX;
const NO_TWO: u16 = u16::MAX;
const NO_FOUR: u32 = u32::MAX;
const LEAST_TOO_FAR_FOR_SIX: u64 = (1 << 48) - 1;

impl Ints {
    /// Packs numbers that are likely all `step` apart or a multiple of it; 1 where nothing is known.
    pub(crate) fn pack<T: Copy + Into<i64>>(numbers: &[T], step: i64) -> Self {
        let all = || numbers.iter().map(|number| (*number).into());
        if let Some(step) = even_step(numbers) {
            return Self {
                base: all().next().unwrap_or_default(),
                step,
                packed: Packed::Even(numbers.len()),
            };
        }
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for number in all() {
            least = least.min(if number == MISSING { i64::MAX } else { number });
            most = most.max(number);
        }
        if most == MISSING {
            return Self { base: 0, step: 0, packed: Packed::Missing(numbers.len()) };
        }
        let distance = |number: i64| number.wrapping_sub(least) as u64;
        let fits = |number: i64| number == MISSING || distance(number).is_multiple_of(step as u64);
        let step = if step > 1 && all().all(fits) { step } else { 1 };
        let steps = |number: i64| match step {
            1 => distance(number),
            step => distance(number) / step as u64,
        };
        let spread = steps(most);
        let packed = if spread < u64::from(NO_ONE) {
            Packed::One(packed(numbers, NO_ONE, |number| steps(number) as u8))
        } else if spread < u64::from(NO_TWO) {
            Packed::Two(packed(numbers, NO_TWO, |number| steps(number) as u16))
        } else if spread < u64::from(NO_FOUR) {
            Packed::Four(packed(numbers, NO_FOUR, |number| steps(number) as u32))
        } else if spread < LEAST_TOO_FAR_FOR_SIX {
            let high = packed(numbers, NO_TWO, |number| (steps(number) >> 32) as u16);
            Packed::Six(packed(numbers, NO_FOUR, |number| steps(number) as u32), high)
        } else {
            return Self { base: 0, step: 1, packed: Packed::Eight(all().collect()) };
        };
        Self { base: least, step, packed }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.packed {
            Packed::Even(len) | Packed::Missing(len) => *len,
            Packed::One(steps) => steps.len(),
            Packed::Two(steps) => steps.len(),
            Packed::Four(steps) | Packed::Six(steps, _) => steps.len(),
            Packed::Eight(numbers) => numbers.len(),
        }
    }

    fn at(&self, steps: u64) -> i64 {
        self.base.wrapping_add(self.step.wrapping_mul(steps as i64))
    }

    /// The number of a row; nothing where it is missing.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        let steps = match &self.packed {
            Packed::Even(len) => (row < *len).then_some(row as u64)?,
            Packed::Missing(_) => return None,
            Packed::One(steps) => u64::from(*steps.get(row).filter(|steps| **steps != NO_ONE)?),
            Packed::Two(steps) => u64::from(*steps.get(row).filter(|steps| **steps != NO_TWO)?),
            Packed::Four(steps) => u64::from(*steps.get(row).filter(|steps| **steps != NO_FOUR)?),
            Packed::Six(low, high) => six(*low.get(row)?, *high.get(row)?)?,
            Packed::Eight(numbers) => return numbers.get(row).copied().filter(|number| *number != MISSING),
        };
        Some(self.at(steps))
    }

    /// Hands every number to `visit`, in order; [`MISSING`] where there is none.
    pub(crate) fn each(&self, mut visit: impl FnMut(i64)) {
        match &self.packed {
            Packed::Even(len) => (0..*len).for_each(|row| visit(self.at(row as u64))),
            Packed::Missing(len) => (0..*len).for_each(|_| visit(MISSING)),
            Packed::One(steps) => steps.iter().for_each(|steps| {
                visit(if *steps == NO_ONE { MISSING } else { self.at(u64::from(*steps)) });
            }),
            Packed::Two(steps) => steps.iter().for_each(|steps| {
                visit(if *steps == NO_TWO { MISSING } else { self.at(u64::from(*steps)) });
            }),
            Packed::Four(steps) => steps.iter().for_each(|steps| {
                visit(if *steps == NO_FOUR { MISSING } else { self.at(u64::from(*steps)) });
            }),
            Packed::Six(low, high) => low.iter().zip(high).for_each(|(low, high)| {
                visit(six(*low, *high).map_or(MISSING, |steps| self.at(steps)));
            }),
            Packed::Eight(numbers) => numbers.iter().for_each(|number| visit(*number)),
        }
    }

    /// The numbers as they went in.
    pub(crate) fn unpack(&self) -> Vec<i64> {
        let mut numbers = Vec::with_capacity(self.len());
        self.each(|number| numbers.push(number));
        numbers
    }

    /// Whether none is missing or negative, and all are less than `end`.
    pub(crate) fn are_below(&self, end: usize) -> bool {
        let end = end as u64;
        let is_below = |steps: Option<u64>, none: u64| {
            steps.is_none_or(|steps| {
                let most =
                    (self.step as u64).checked_mul(steps).and_then(|most| most.checked_add(self.base as u64));
                steps != none && self.base >= 0 && self.step >= 0 && most.is_some_and(|most| most < end)
            })
        };
        match &self.packed {
            Packed::Even(0) | Packed::Missing(0) => true,
            Packed::Even(len) => {
                let ends = [self.get(0), self.get(*len - 1)].into_iter().flatten();
                let steps = i64::try_from(*len - 1).ok().and_then(|last| self.step.checked_mul(last));
                steps.and_then(|steps| self.base.checked_add(steps)).is_some()
                    && ends.into_iter().all(|number| u64::try_from(number).is_ok_and(|number| number < end))
            }
            Packed::Missing(_) => false,
            Packed::One(steps) => is_below(steps.iter().copied().max().map(u64::from), NO_ONE.into()),
            Packed::Two(steps) => is_below(steps.iter().copied().max().map(u64::from), NO_TWO.into()),
            Packed::Four(steps) => is_below(steps.iter().copied().max().map(u64::from), NO_FOUR.into()),
            Packed::Six(..) | Packed::Eight(_) => {
                let mut are_below = true;
                self.each(|number| are_below &= u64::try_from(number).is_ok_and(|number| number < end));
                are_below
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.packed {
            Packed::Even(_) | Packed::Missing(_) => 0,
            Packed::One(steps) => steps.len(),
            Packed::Two(steps) => steps.len() * 2,
            Packed::Four(steps) => steps.len() * 4,
            Packed::Six(low, _) => low.len() * 6,
            Packed::Eight(numbers) => numbers.len() * 8,
        }
    }

    /// What they are made of: base, step and distances.
    pub(super) fn parts(&self) -> (i64, i64, &Packed) {
        (self.base, self.step, &self.packed)
    }

    /// Of what [`Self::parts`] gave.
    pub(super) fn of_parts(base: i64, step: i64, packed: Packed) -> Self {
        Self { base, step, packed }
    }
}

fn packed<T: Copy, N: Copy + Into<i64>>(numbers: &[N], missing: T, pack: impl Fn(i64) -> T) -> Box<[T]> {
    let packed = |number: i64| if number == MISSING { missing } else { pack(number) };
    numbers.iter().map(|number| packed((*number).into())).collect()
}

fn six(low: u32, high: u16) -> Option<u64> {
    (low != NO_FOUR || high != NO_TWO).then_some((u64::from(high) << 32) | u64::from(low))
}

/// How far each number lies behind the one before, where that is always the same and nothing is missing.
fn even_step<T: Copy + Into<i64>>(numbers: &[T]) -> Option<i64> {
    let first: i64 = (*numbers.first()?).into();
    if first == MISSING {
        return None;
    }
    let step = numbers.get(1).map_or(Some(0), |second| (*second).into().checked_sub(first))?;
    let is_even = numbers.array_windows().all(|[left, right]| {
        let (left, right): (i64, i64) = ((*left).into(), (*right).into());
        right != MISSING && right.checked_sub(left) == Some(step)
    });
    is_even.then_some(step)
}

#[cfg(test)]
mod tests {
    use super::{Ints, MISSING};

    fn check(numbers: &[i64], step: i64, bytes: usize) {
        let ints = Ints::pack(numbers, step);
        assert_eq!(ints.unpack(), numbers);
        let got: Vec<i64> = (0..numbers.len()).map(|row| ints.get(row).unwrap_or(MISSING)).collect();
        assert_eq!(got, numbers);
        assert_eq!((ints.len(), ints.get(numbers.len())), (numbers.len(), None));
        assert_eq!(ints.bytes(), bytes * numbers.len(), "{numbers:?}");
    }

    #[test]
    fn numbers_come_back_and_take_no_more_than_they_need() {
        check(&[], 1, 0);
        check(&[7], 1, 0);
        check(&[MISSING, MISSING], 1, 0);
        check(&[5, 6, 7, 8], 1, 0);
        check(&[5, 5, 5], 1, 0);
        check(&[9, 7, 5], 1, 0);
        check(&[5, 6, MISSING, 8], 1, 1);
        check(&[MISSING, 0, 254], 1, 1);
        check(&[0, 3, 255], 1, 2);
        check(&[-1, 3, 65_533, MISSING], 1, 2);
        check(&[-1, 3, 65_534], 1, 4);
        check(&[1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_009], 1, 1);
        check(&[0, 1, i64::from(u32::MAX) - 1, MISSING], 1, 4);
        check(&[0, 1, i64::from(u32::MAX), MISSING], 1, 6);
        check(&[0, 1, (1 << 48) - 2, i64::from(u32::MAX), MISSING], 1, 6);
        check(&[0, 1, (1 << 48) - 1, MISSING], 1, 8);
        check(&[i64::MAX, -1, i64::MIN + 1], 1, 8);
        check(&[i64::MAX, i64::MAX - 1, MISSING], 1, 1);
        check(&[i64::MIN + 1, i64::MAX], 1, 8);
        // Times in whole milliseconds, and one that is not.
        check(&[3_000_000, 9_000_000, 250_000_000, MISSING], 1_000_000, 1);
        check(&[3_000_000, 9_000_000, 250_000_001, MISSING], 1_000_000, 4);
    }

    #[test]
    fn numbers_of_things_are_seen_to_be_in_range() {
        for numbers in
            [vec![0, 1, 2], vec![7; 3], vec![2, 0, 1], vec![0, 300, 9], vec![70_000, 1, 2], vec![5, 4, 3]]
        {
            let most = *numbers.iter().max().unwrap() as usize;
            let ints = Ints::pack(&numbers, 1);
            assert!(ints.are_below(most + 1) && !ints.are_below(most), "{numbers:?}");
        }
        assert!(!Ints::pack(&[0, MISSING, 1], 1).are_below(99) && !Ints::pack(&[-1, 4, 9], 1).are_below(99));
        assert!(!Ints::pack(&[MISSING], 1).are_below(99) && Ints::pack::<i64>(&[], 1).are_below(0));
        assert!(!Ints::pack(&[i64::MIN + 1, 0, 7, i64::MAX], 1).are_below(99));
    }
}
