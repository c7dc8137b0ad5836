//! Back and forward: the places where the user has stood.

use crate::session::{job::Job, opened::Opened};

/// A place to come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The stream whose state is shown.
    pub focus: Option<u32>,
    /// Whether the events are those of that stream only.
    pub only_focus: bool,
    /// The event at the cursor.
    pub ordinal: Option<u32>,
    /// How many events of the stream, or of the branch, lie behind.
    pub count: usize,
    /// How many recorded events of the stream lie behind.
    pub truth: usize,
    /// The branch that was stood on, by its place.
    pub branch: Option<usize>,
}

/// The places behind and ahead.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    behind: Vec<Spot>,
    ahead: Vec<Spot>,
}

impl Trail {
    /// Places remembered; nobody goes back further by hand.
    const LENGTH: usize = 200;

    /// Remembers where the user stood before going elsewhere.
    pub(crate) fn leave(&mut self, spot: Spot) {
        if self.behind.last() == Some(&spot) {
            return;
        }
        self.ahead.clear();
        self.behind.push(spot);
        if self.behind.len() > Self::LENGTH {
            self.behind.remove(0);
        }
    }

    /// Takes the places of an earlier run, the oldest first, as lying behind all others.
    pub(crate) fn load(&mut self, mut spots: Vec<Spot>) {
        spots.append(&mut self.behind);
        self.behind = spots;
    }

    /// The places behind, the last first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = Spot> + '_ {
        self.behind.iter().rev().copied()
    }

    /// The place before `from`. An earlier run may have ended where this one began: that is no step back.
    pub(crate) fn back(&mut self, from: Spot) -> Option<Spot> {
        while self.behind.last() == Some(&from) {
            self.behind.pop();
        }
        let spot = self.behind.pop()?;
        self.ahead.push(from);
        Some(spot)
    }

    pub(crate) fn forward(&mut self, from: Spot) -> Option<Spot> {
        let spot = self.ahead.pop()?;
        self.behind.push(from);
        Some(spot)
    }

    pub(crate) fn can_go_back(&self) -> bool {
        !self.behind.is_empty()
    }

    pub(crate) fn can_go_forward(&self) -> bool {
        !self.ahead.is_empty()
    }
}

impl Opened {
    /// Where the user stands, to come back to.
    pub(crate) fn spot(&self) -> Spot {
        Spot {
            focus: self.browse.focus,
            only_focus: self.browse.only_focus,
            ordinal: self.cursor.ordinal,
            count: self.cursor.count,
            truth: self.what_if.truth_count(self.cursor.count),
            branch: self.standing_branch(),
        }
    }

    pub(crate) fn go_back(&mut self) -> Vec<Job> {
        let here = self.spot();
        let spot = self.trail.back(here);
        spot.map(|spot| self.return_to(spot)).unwrap_or_default()
    }

    pub(crate) fn go_forward(&mut self) -> Vec<Job> {
        let here = self.spot();
        let spot = self.trail.forward(here);
        spot.map(|spot| self.return_to(spot)).unwrap_or_default()
    }

    /// Goes to a place and remembers where the user stood.
    pub(crate) fn jump_to_spot(&mut self, spot: Spot) -> Vec<Job> {
        self.trail.leave(self.spot());
        self.return_to(spot)
    }

    fn return_to(&mut self, spot: Spot) -> Vec<Job> {
        let mut jobs = self.focus_on(spot.focus, spot.only_focus);
        jobs.extend(self.stand_as_in(spot));
        self.cursor.ordinal = spot.ordinal;
        self.cursor.count = spot.count.min(self.what_if.shown_length().unwrap_or(usize::MAX));
        self.cursor.is_following = false;
        jobs.extend(self.cursor_moved());
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::{Spot, Trail};

    fn spot(count: usize) -> Spot {
        Spot { focus: None, only_focus: false, ordinal: None, count, truth: count, branch: None }
    }

    #[test]
    fn one_step_back_leads_elsewhere_though_the_last_run_ended_here() {
        let mut trail = Trail::default();
        trail.load(vec![spot(3), spot(9), spot(9)]);
        assert_eq!(trail.back(spot(9)), Some(spot(3)));
        assert_eq!(trail.forward(spot(3)), Some(spot(9)));
    }
}
