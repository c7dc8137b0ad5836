//! Which points of two histories stand beside each other.

/// Which of two histories goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// Both.
    Both,
    /// The left one alone.
    Left,
    /// The right one alone.
    Right,
}

/// Pairs of points of two histories, in order: the *n*th is where both stand after *n* steps, in
/// each of which one of them or both go on by an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment {
    runs: Vec<Run>,
    end: Point,
}

/// So many steps of one kind, from a point on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    from: Point,
    advance: Advance,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Point {
    step: usize,
    left: usize,
    right: usize,
}

impl Run {
    fn after(&self, steps: usize) -> Point {
        let Point { step, left, right } = self.from;
        let (left, right) = match self.advance {
            Advance::Both => (left + steps, right + steps),
            Advance::Left => (left + steps, right),
            Advance::Right => (left, right + steps),
        };
        Point { step: step + steps, left, right }
    }
}

impl Alignment {
    /// Both go on together; the longer one goes on alone when the other has ended.
    #[must_use]
    pub fn by_count(left: usize, right: usize) -> Self {
        let mut alignment = Self::default();
        alignment.push(Advance::Both, left.min(right));
        alignment.push(Advance::Left, left.saturating_sub(right));
        alignment.push(Advance::Right, right.saturating_sub(left));
        alignment
    }

    /// What happened earlier comes first, what happened at one moment together. An event without a
    /// time, or with one that lies before its forerunner's, is as late as that.
    #[must_use]
    pub fn by_time<T: Ord + Copy>(
        left: impl IntoIterator<Item = Option<T>>,
        right: impl IntoIterator<Item = Option<T>>,
    ) -> Self {
        let rising = |latest: &mut Option<T>, time: Option<T>| {
            *latest = (*latest).max(time);
            Some(*latest)
        };
        let mut left = left.into_iter().scan(None, rising).peekable();
        let mut right = right.into_iter().scan(None, rising).peekable();
        let mut alignment = Self::default();
        loop {
            let advance = match (left.peek(), right.peek()) {
                (None, None) => return alignment,
                (Some(_), None) => Advance::Left,
                (None, Some(_)) => Advance::Right,
                (Some(first), Some(second)) if first < second => Advance::Left,
                (Some(first), Some(second)) if first > second => Advance::Right,
                (Some(_), Some(_)) => Advance::Both,
            };
            if advance != Advance::Right {
                left.next();
            }
            if advance != Advance::Left {
                right.next();
            }
            alignment.push(advance, 1);
        }
    }

    /// The same with left and right the other way round.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let mut flipped = Self::default();
        for run in &self.runs {
            let advance = match run.advance {
                Advance::Both => Advance::Both,
                Advance::Left => Advance::Right,
                Advance::Right => Advance::Left,
            };
            flipped.push(advance, run.length);
        }
        flipped
    }

    /// Goes on by so many steps of one kind.
    pub(crate) fn push(&mut self, advance: Advance, length: usize) {
        if length == 0 {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if run.advance == advance => run.length += length,
            _ => self.runs.push(Run { from: self.end, advance, length }),
        }
        if let Some(run) = self.runs.last() {
            self.end = run.after(run.length);
        }
    }

    /// How many steps there are; the pairs are one more, since they begin before the first event.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.step
    }

    /// Whether both histories are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which of the two go on in the step with this number, from 1.
    #[must_use]
    pub fn advance(&self, step: usize) -> Option<Advance> {
        let run = self.run(|point| point.step < step)?;
        (step > 0 && step <= self.end.step).then_some(run.advance)
    }

    /// How many events lie behind each of the two after so many steps.
    #[must_use]
    pub fn at(&self, step: usize) -> (usize, usize) {
        let step = step.min(self.end.step);
        let point = self.run(|point| point.step <= step).map(|run| run.after(step - run.from.step));
        let Point { left, right, .. } = point.unwrap_or_default();
        (left, right)
    }

    /// The first step after which so many events of the left history lie behind.
    #[must_use]
    pub fn step_of_left(&self, count: usize) -> usize {
        self.first(count, |point| point.left)
    }

    /// The first step after which so many events of the right history lie behind.
    #[must_use]
    pub fn step_of_right(&self, count: usize) -> usize {
        self.first(count, |point| point.right)
    }

    /// The last step after which so many events of the left history lie behind.
    #[must_use]
    pub fn last_step_of_left(&self, count: usize) -> usize {
        if count < self.end.left { self.step_of_left(count + 1) - 1 } else { self.end.step }
    }

    /// The last step after which so many events of the right history lie behind.
    #[must_use]
    pub fn last_step_of_right(&self, count: usize) -> usize {
        if count < self.end.right { self.step_of_right(count + 1) - 1 } else { self.end.step }
    }

    fn first(&self, count: usize, of: fn(&Point) -> usize) -> usize {
        let count = count.min(of(&self.end));
        // The last run that starts before the wanted count reaches it, or one that is passed by.
        let Some(run) = self.run(|point| of(point) < count) else { return 0 };
        run.from.step + (count - of(&run.from))
    }

    /// The last run whose start answers; starts that answer come before those that do not.
    fn run(&self, answers: impl Fn(&Point) -> bool) -> Option<&Run> {
        let place = self.runs.partition_point(|run| answers(&run.from));
        self.runs.get(place.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Advance, Alignment};

    /// Every pair, as text.
    #[track_caller]
    fn check(alignment: &Alignment, pairs: &str) {
        let found: Vec<String> = (0..=alignment.len())
            .map(|step| {
                let (left, right) = alignment.at(step);
                format!("{left}-{right}")
            })
            .collect();
        assert_eq!(found.join(" "), pairs);
        for step in 1..=alignment.len() {
            let ((a, b), (c, d)) = (alignment.at(step - 1), alignment.at(step));
            let advance = match (c - a, d - b) {
                (1, 1) => Advance::Both,
                (1, 0) => Advance::Left,
                (0, 1) => Advance::Right,
                other => panic!("a step of {other:?}"),
            };
            assert_eq!(alignment.advance(step), Some(advance));
        }
        let (left, right) = alignment.at(alignment.len());
        for count in 0..=left {
            let first = (0..=alignment.len()).find(|step| alignment.at(*step).0 == count);
            assert_eq!(Some(alignment.step_of_left(count)), first, "left {count}");
            let last = (0..=alignment.len()).rfind(|step| alignment.at(*step).0 == count);
            assert_eq!(Some(alignment.last_step_of_left(count)), last, "left {count}");
        }
        for count in 0..=right {
            let first = (0..=alignment.len()).find(|step| alignment.at(*step).1 == count);
            assert_eq!(Some(alignment.step_of_right(count)), first, "right {count}");
            let last = (0..=alignment.len()).rfind(|step| alignment.at(*step).1 == count);
            assert_eq!(Some(alignment.last_step_of_right(count)), last, "right {count}");
        }
    }

    #[test]
    fn versions_go_together_until_one_ends() {
        check(&Alignment::by_count(2, 4), "0-0 1-1 2-2 2-3 2-4");
        check(&Alignment::by_count(3, 0), "0-0 1-0 2-0 3-0");
        check(&Alignment::by_count(0, 0), "0-0");
    }

    #[test]
    fn times_are_merged_and_no_event_goes_back() {
        let some = |times: &[i64]| times.iter().map(|time| Some(*time)).collect::<Vec<_>>();
        check(&Alignment::by_time(some(&[1, 4, 5]), some(&[2, 4, 6])), "0-0 1-0 1-1 2-2 3-2 3-3");
        check(&Alignment::by_time(some(&[5, 1]), some(&[3])), "0-0 0-1 1-1 2-1");
        check(&Alignment::by_time(vec![Some(1), None], some(&[2])), "0-0 1-0 2-0 2-1");
    }

    #[test]
    fn runs_of_any_kind_follow_each_other() {
        let mut alignment = Alignment::default();
        for (advance, length) in [
            (Advance::Both, 2),
            (Advance::Left, 1),
            (Advance::Right, 2),
            (Advance::Right, 1),
            (Advance::Both, 1),
        ] {
            alignment.push(advance, length);
        }
        check(&alignment, "0-0 1-1 2-2 3-2 3-3 3-4 3-5 4-6");
        check(&alignment.flipped(), "0-0 1-1 2-2 2-3 3-3 4-3 5-3 6-4");
    }
}
