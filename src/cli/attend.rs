//! Long work of a command: how long it will take, and how far it is.

use std::time::{Duration, Instant};

use crate::{
    cli::output::Output,
    jobs::ask_and_tell,
    work::{
        Work,
        estimate::{Estimate, Speeds, Task, lasting},
    },
};

/// How often is looked how far the work is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Of work that takes less than this nothing is said.
const WORTH_SAYING: Duration = Duration::from_secs(3);

/// Answers a question, with as many lanes as there are processors.
///
/// Work that will take some seconds is announced on standard error: what is done with how many `things`, and
/// about how long it will take. Its first quarter of a second is the measure, and is no time lost. At a terminal
/// its progress is shown as well.
pub(crate) fn attended<T: Send>(
    output: &mut Output<'_>,
    (doing, things): (&str, &str),
    question: impl FnOnce(&Work) -> T + Send,
) -> T {
    let work = output.wide_work();
    let mut attendant = Attendant::new((doing, things));
    let answer = ask_and_tell(|| question(&work), LOOK_EVERY, &mut || {
        attendant.announce(&work, output);
        let look = attendant.look(&work);
        output.progress(&attendant.announcement.progress(&look));
    });
    output.progress("");
    answer
}

/// Announces work whose answer is written as it goes on.
pub(crate) struct Attendant<'a> {
    announcement: Announcement<'a>,
    start: Instant,
}

impl<'a> Attendant<'a> {
    /// Work that begins now: what is done with which things.
    pub(crate) fn new((doing, things): (&'a str, &'a str)) -> Self {
        let announcement = Announcement { doing, things, is_over: false };
        Self { announcement, start: Instant::now() }
    }

    /// Says once how long it will take, as soon as that can be told.
    pub(crate) fn announce(&mut self, work: &Work, output: &mut Output<'_>) {
        let look = self.look(work);
        if self.announcement.is_over || look.time < LOOK_EVERY {
            return;
        }
        if let Some(words) = self.announcement.after(&look) {
            output.progress("");
            output.remark(&words);
        }
    }

    fn look(&self, work: &Work) -> Look {
        Look { own: work.own_steps(), progress: work.progress(), time: self.start.elapsed() }
    }
}

/// How far work is after some time.
struct Look {
    /// Steps that it did itself.
    own: u64,
    /// Steps done, and in all.
    progress: (u64, Option<u64>),
    time: Duration,
}

/// What is said of work, once.
struct Announcement<'a> {
    doing: &'a str,
    things: &'a str,
    is_over: bool,
}

impl Announcement<'_> {
    /// What is to be said now, if anything.
    fn after(&mut self, look: &Look) -> Option<String> {
        let rest = rest(look)?;
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let expected = rest.time?;
        if expected.most? < WORTH_SAYING || !rest.is_worth_saying() {
            return None;
        }
        let (total, things) = (spaced(look.progress.1?), self.things);
        Some(format!("{} {total} {things}, {}; Ctrl+C stops", self.doing, expected.words()))
    }

    /// The line that says how far it is.
    fn progress(&self, look: &Look) -> String {
        let done = spaced(look.progress.0);
        let Some(total) = look.progress.1.filter(|total| *total >= look.progress.0) else {
            return if look.progress.0 > 0 { format!("{}: {done}", self.doing) } else { String::new() };
        };
        let left =
            rest(look).and_then(|rest| rest.time?.most).map(|left| format!(", {} left", lasting(left)));
        format!("{}: {done} of {}{}", self.doing, spaced(total), left.unwrap_or_default())
    }
}

/// What is still to be done, at the speed so far.
fn rest(look: &Look) -> Option<Estimate> {
    let (done, total) = look.progress;
    let mut speeds = Speeds::default();
    speeds.note(Task::Read, look.own, look.time);
    speeds
        .knows(Task::Read)
        .then(|| speeds.estimate(Task::Read, total.unwrap_or_default().saturating_sub(done), None))
}

/// A number with its digits in groups of three.
pub(crate) fn spaced(number: u64) -> String {
    crate::session::view::grouped(number).replace('\u{2009}', " ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Announcement, Look};

    /// What is said after each look at (own steps, done, total, milliseconds).
    fn check(looks: &[(u64, u64, Option<u64>, u64)], expected: &[Option<&str>]) {
        let mut announcement = Announcement { doing: "folding", things: "events", is_over: false };
        let said: Vec<Option<String>> = looks
            .iter()
            .map(|(own, done, total, millis)| {
                let time = Duration::from_millis(*millis);
                announcement.after(&Look { own: *own, progress: (*done, *total), time })
            })
            .collect();
        assert_eq!(said.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn work_that_lasts_is_announced_once() {
        let words = Some("folding 1 000 000 events, about 12 s; Ctrl+C stops");
        check(&[(20_000, 20_000, Some(1_000_000), 250)], &[words]);
        // Before anything is done nobody can tell.
        check(
            &[
                (0, 0, Some(1_000_000), 250),
                (20_000, 20_000, Some(1_000_000), 250),
                (40_000, 40_000, Some(1_000_000), 500),
            ],
            &[None, words, None],
        );
    }

    #[test]
    fn what_was_done_before_takes_no_time() {
        let words = Some("folding 1 000 000 events, about 6 s; Ctrl+C stops");
        check(&[(20_000, 520_000, Some(1_000_000), 250)], &[words]);
    }

    #[test]
    fn nothing_is_said_of_what_is_soon_done_or_cannot_be_told() {
        check(&[(200_000, 200_000, Some(1_000_000), 250)], &[None]);
        check(&[(1_000, 1_000, Some(9_000), 800)], &[None]);
        check(&[(20_000, 20_000, None, 250)], &[None]);
    }
}
