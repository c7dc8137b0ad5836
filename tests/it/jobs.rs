//! Worker threads: the newest question of a slot wins, and nothing takes the window down.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use timeglass::{
    jobs::{Finished, Jobs, Outcome, ThreadLanes, Wake},
    work::{Cancelled, Lanes as _, Piece, Work},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Left,
    Right,
}

struct Pool {
    jobs: Jobs<Slot, u32>,
    woken: mpsc::Receiver<()>,
}

impl Pool {
    fn new(threads: usize) -> Self {
        let (sender, woken) = mpsc::channel();
        let wake: Wake = Arc::new(move || sender.send(()).unwrap_or_default());
        Self { jobs: Jobs::new(threads, &wake).unwrap(), woken }
    }

    /// Waits for the next answers, and fails after a minute.
    fn answers(&mut self) -> Vec<Finished<Slot, u32>> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let found = self.jobs.take_finished();
            if !found.is_empty() {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.woken.recv_timeout(left).expect("an answer within a minute");
        }
    }
}

#[test]
fn a_newer_question_stops_the_older_one_of_its_slot_only() {
    let mut pool = Pool::new(2);
    let (started, has_started) = mpsc::channel();
    let (stopped, has_stopped) = mpsc::channel();
    pool.jobs.start(Slot::Left, move |work| {
        started.send(()).unwrap();
        while work.advance(1).is_ok() {}
        stopped.send(()).unwrap();
        Err(Cancelled)
    });
    has_started.recv_timeout(Duration::from_mins(1)).expect("it runs");
    pool.jobs.start(Slot::Right, |_| Ok(7));
    let found = pool.answers();
    assert_eq!((found[0].slot, &found[0].outcome), (Slot::Right, &Outcome::Done(7)));
    assert!(pool.jobs.open_questions().any(|(slot, _)| slot == Slot::Left), "the other slot goes on");

    pool.jobs.start(Slot::Left, |_| Ok(2));
    has_stopped.recv_timeout(Duration::from_mins(1)).expect("the older question was stopped");
    let found = pool.answers();
    assert_eq!((found.len(), &found[0].outcome), (1, &Outcome::Done(2)));
}

#[test]
fn an_answer_nobody_waits_for_is_dropped() {
    let mut pool = Pool::new(1);
    let (go, may_go) = mpsc::channel::<()>();
    // It does not look whether it was stopped, so it has an answer all the same.
    pool.jobs.start(Slot::Left, move |_| {
        may_go.recv().ok();
        Ok(1)
    });
    pool.jobs.cancel(Slot::Left);
    go.send(()).unwrap();
    pool.jobs.start(Slot::Right, |_| Ok(2));
    let found = pool.answers();
    assert_eq!((found.len(), found[0].slot), (1, Slot::Right));
}

#[test]
fn a_panic_on_a_lane_keeps_its_words() {
    let mut pool = Pool::new(1);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    pool.jobs.start(Slot::Left, move |work| {
        let piece = |number: usize| -> Piece<'_> {
            let counted = &counted;
            Box::new(move || {
                assert!(number != 3, "piece {number} has a bug");
                counted.fetch_add(1, Ordering::Relaxed);
            })
        };
        work.run((0..8).map(piece).collect());
        Ok(1)
    });
    assert_eq!(pool.answers()[0].outcome, Outcome::Crashed("piece 3 has a bug".to_owned()));
    assert_eq!(count.load(Ordering::Relaxed), 7, "the others ran to their end");
    let (beside, own) = ("beside it", "its own");
    for (panics, expected) in [(beside, beside), (own, own)] {
        pool.jobs.start(Slot::Left, move |_| {
            let say = |what: &str| assert!(what != panics, "{what}");
            ThreadLanes.beside(Box::new(move || say(beside)), &mut || say(own));
            Ok(1)
        });
        assert_eq!(pool.answers()[0].outcome, Outcome::Crashed(expected.to_owned()));
    }
}

#[test]
fn a_panic_is_an_outcome_and_the_worker_goes_on() {
    let mut pool = Pool::new(1);
    pool.jobs.start(Slot::Left, |_| panic!("a bug of ours"));
    assert_eq!(pool.answers()[0].outcome, Outcome::Crashed("a bug of ours".to_owned()));
    pool.jobs.start(Slot::Left, |_| Ok(3));
    assert_eq!(pool.answers()[0].outcome, Outcome::Done(3));
}

#[test]
fn progress_is_counted() {
    let mut pool = Pool::new(1);
    let (counted, has_counted) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    pool.jobs.start(Slot::Left, move |work| {
        work.expect_total(10);
        work.advance(4)?;
        counted.send(()).unwrap();
        may_go.recv().ok();
        Ok(0)
    });
    has_counted.recv_timeout(Duration::from_mins(1)).expect("it counts");
    let open: Vec<_> = pool.jobs.open_questions().collect();
    assert_eq!(open, [(Slot::Left, (4, Some(10)))]);
    go.send(()).unwrap();
    pool.answers();
    assert_eq!(pool.jobs.open_questions().count(), 0);
}

#[test]
fn lanes_run_every_piece_before_they_return() {
    let done = AtomicUsize::new(0);
    let add = |count: &AtomicUsize| {
        count.fetch_add(1, Ordering::SeqCst);
    };
    let pieces = |count: usize| -> Vec<Piece<'_>> {
        (0..count).map(|_| Box::new(|| add(&done)) as Piece<'_>).collect()
    };
    ThreadLanes.run(pieces(100));
    assert_eq!(done.load(Ordering::SeqCst), 100);
    Work::default().run(pieces(5));
    assert_eq!(done.load(Ordering::SeqCst), 105, "without lanes they run one after the other");
    assert!(ThreadLanes.width() >= 1);
}

#[test]
fn parts_of_an_answer_come_before_it_and_none_after_it_was_withdrawn() {
    let mut pool = Pool::new(1);
    pool.jobs.start_in_parts(Slot::Left, |_, report| {
        report(1);
        report(2);
        Ok(3)
    });
    let mut found = Vec::new();
    while !matches!(found.last(), Some(Outcome::Done(_))) {
        assert_eq!(pool.jobs.open_questions().count(), 1, "a part is no end");
        found.extend(pool.answers().into_iter().map(|answer| answer.outcome));
    }
    assert_eq!(found, [Outcome::Part(1), Outcome::Part(2), Outcome::Done(3)]);
    assert_eq!(pool.jobs.open_questions().count(), 0);

    let (reported, has_reported) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    pool.jobs.start_in_parts(Slot::Left, move |_, report| {
        report(4);
        reported.send(()).unwrap();
        may_go_on.recv_timeout(Duration::from_mins(1)).unwrap();
        report(5);
        Ok(6)
    });
    has_reported.recv_timeout(Duration::from_mins(1)).expect("a part");
    pool.jobs.cancel(Slot::Left);
    go_on.send(()).unwrap();
    pool.jobs.start(Slot::Right, |_| Ok(7));
    assert_eq!(
        pool.answers().into_iter().map(|answer| answer.outcome).collect::<Vec<_>>(),
        [Outcome::Done(7)]
    );
}
