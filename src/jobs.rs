//! Worker threads. One slot holds one question; a newer question in the slot stops the older one.
//!
//! All threads of the program are made here. A job is a plain function of [`Work`]; the same job
//! run in a test or from the command line needs none of this.

use std::{
    any::Any,
    collections::BTreeMap,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Select, Sender, bounded, unbounded};

use crate::work::{Cancelled, Lanes, Piece, Work};

/// How a job ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It has a part of its answer, which stands by itself, and goes on.
    Part(T),
    /// It has an answer.
    Done(T),
    /// It panicked: a bug in this program, which must not take the window down.
    Crashed(String),
}

/// An answer, with the slot it belongs to.
#[derive(Debug)]
pub struct Finished<S, T> {
    /// Where the answer belongs.
    pub slot: S,
    /// How the job ended.
    pub outcome: Outcome<T>,
    /// How many steps it did by then.
    pub steps: u64,
    /// How long it had run.
    pub time: Duration,
    ticket: u64,
}

/// Takes a part of an answer, on any thread.
pub type Report<'a, T> = &'a (dyn Fn(T) + Sync);

type Task<T> = Box<dyn FnOnce(&Work, Report<'_, T>) -> Result<T, Cancelled> + Send>;

struct Queued<S, T> {
    slot: S,
    ticket: u64,
    work: Work,
    task: Task<T>,
}

/// Called whenever there is something new to draw.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Runs tasks on worker threads and hands back what they found.
pub struct Jobs<S, T> {
    queue: Sender<Queued<S, T>>,
    finished: Receiver<Finished<S, T>>,
    running: BTreeMap<S, (u64, Work)>,
    next_ticket: u64,
    lanes: Arc<dyn Lanes>,
}

impl<S: Copy + Ord + Send + Sync + 'static, T: Send + 'static> Jobs<S, T> {
    /// Answers that nobody has taken yet; a worker that finds it full waits for the next frame.
    const UNTAKEN_ANSWERS: usize = 1024;

    /// Starts `threads` workers.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub fn new(threads: usize, wake: &Wake) -> std::io::Result<Self> {
        let (queue, tasks) = unbounded();
        let (answers, finished) = bounded(Self::UNTAKEN_ANSWERS);
        for number in 0..threads {
            let (tasks, answers, wake) = (tasks.clone(), answers.clone(), Arc::clone(wake));
            thread::Builder::new().name(format!("worker {number}")).spawn(move || {
                step_back();
                serve(&tasks, &answers, &wake);
            })?;
        }
        Ok(Self { queue, finished, running: BTreeMap::new(), next_ticket: 0, lanes: Arc::new(ThreadLanes) })
    }

    /// Asks a new question in `slot`, and withdraws the one before it.
    pub fn start(&mut self, slot: S, task: impl FnOnce(&Work) -> Result<T, Cancelled> + Send + 'static) {
        self.start_in_parts(slot, |work, _| task(work));
    }

    /// The same, of a question whose answer may come in parts.
    pub fn start_in_parts(
        &mut self,
        slot: S,
        task: impl FnOnce(&Work, Report<'_, T>) -> Result<T, Cancelled> + Send + 'static,
    ) {
        self.cancel(slot);
        self.next_ticket += 1;
        let (ticket, work) = (self.next_ticket, Work::with_lanes(Arc::clone(&self.lanes)));
        self.running.insert(slot, (ticket, work.clone()));
        // The queue only closes when all workers are gone, and then there is nobody left to tell.
        self.queue.send(Queued { slot, ticket, work, task: Box::new(task) }).ok();
    }

    /// Withdraws the question in `slot`, if there is one.
    pub fn cancel(&mut self, slot: S) {
        if let Some((_, work)) = self.running.remove(&slot) {
            work.cancel();
        }
    }

    /// The answers that came since the last call, without those nobody waits for any more.
    pub fn take_finished(&mut self) -> Vec<Finished<S, T>> {
        let mut answers = Vec::new();
        while let Ok(answer) = self.finished.try_recv() {
            let is_latest =
                self.running.get(&answer.slot).is_some_and(|(ticket, _)| *ticket == answer.ticket);
            if is_latest {
                if !matches!(answer.outcome, Outcome::Part(_)) {
                    self.running.remove(&answer.slot);
                }
                answers.push(answer);
            }
        }
        answers
    }

    /// Waits until there is an answer to take, and no longer than so long; tells whether there is one.
    #[must_use]
    pub fn wait(&self, longest: Duration) -> bool {
        let mut select = Select::new();
        select.recv(&self.finished);
        select.ready_timeout(longest).is_ok()
    }

    /// Every open question, with the steps done and the steps in all if known.
    pub fn open_questions(&self) -> impl Iterator<Item = (S, (u64, Option<u64>))> {
        self.running.iter().map(|(slot, (_, work))| (*slot, work.progress()))
    }
}

/// Withdraws everything: a worker must not go on for a window that is gone.
impl<S, T> Drop for Jobs<S, T> {
    fn drop(&mut self) {
        for (_, work) in self.running.values() {
            work.cancel();
        }
    }
}

/// Lets others go first who want the core that this thread is on: a frame is due sooner than an index. The
/// threads that it starts do the same.
fn step_back() {
    // Linux counts each thread for itself; elsewhere this would hold back the whole program.
    #[cfg(target_os = "linux")]
    {
        const BEHIND: i32 = 10;
        // Where it is refused all threads are alike, as they were.
        rustix::process::setpriority_process(None, BEHIND).ok();
    }
}

fn serve<S: Copy + Send + Sync, T: Send>(
    tasks: &Receiver<Queued<S, T>>,
    answers: &Sender<Finished<S, T>>,
    wake: &Wake,
) {
    for Queued { slot, ticket, work, task } in tasks {
        let start = Instant::now();
        let finished =
            |outcome| Finished { slot, outcome, steps: work.own_steps(), time: start.elapsed(), ticket };
        let report = |part| {
            // Whoever would take it may be gone.
            answers.send(finished(Outcome::Part(part))).ok();
            wake();
        };
        let outcome = match catch_unwind(AssertUnwindSafe(|| task(&work, &report))) {
            Ok(Ok(answer)) => Outcome::Done(answer),
            Ok(Err(Cancelled)) => continue,
            Err(panic) => Outcome::Crashed(panic_text(&*panic)),
        };
        if work.is_cancelled() {
            // Nobody waits for it: it is let go of here, and not by the thread that draws.
            continue;
        }
        if answers.send(finished(outcome)).is_err() {
            return;
        }
        wake();
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Runs pieces on threads of their own for as long as they take.
#[derive(Debug, Clone, Copy)]
pub struct ThreadLanes;

impl Lanes for ThreadLanes {
    fn width(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZeroUsize::get)
    }

    fn run<'a>(&self, pieces: Vec<Piece<'a>>) {
        // Pieces wait in one queue, so that a slow one does not hold up those behind it.
        let (sender, waiting) = unbounded();
        let threads = self.width().min(pieces.len());
        for piece in pieces {
            sender.send(piece).ok();
        }
        drop(sender);
        let fall = Fall::default();
        let lane = || waiting.iter().for_each(|piece: Piece<'a>| fall.guard(piece));
        thread::scope(|scope| {
            let mut started = 0;
            while started < threads && thread::Builder::new().spawn_scoped(scope, lane).is_ok() {
                started += 1;
            }
            if started == 0 {
                lane();
            }
        });
        fall.pass_on();
    }

    fn beside(&self, piece: Piece<'_>, own: &mut dyn FnMut()) {
        let fall = Fall::default();
        // Where the system refuses a thread the piece is still here, to be run on the caller's own.
        let waiting = Mutex::new(Some(piece));
        let run = || {
            let piece = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(piece) = piece {
                fall.guard(piece);
            }
        };
        thread::scope(|scope| {
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                run();
            }
            own();
        });
        fall.pass_on();
    }
}

/// What the first piece that panicked said. A scope would only tell that one of its threads did.
#[derive(Default)]
struct Fall(Mutex<Option<Box<dyn Any + Send>>>);

impl Fall {
    /// Runs a piece, and catches what it panics with.
    fn guard(&self, piece: Piece<'_>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(piece)) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    /// Goes on with the panic, if there was one, to be caught where the job was started.
    fn pass_on(self) {
        if let Some(panic) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
    }
}

/// Answers a question on a thread of its own, and calls `tell` again and again until the answer is there.
pub fn ask_and_tell<T: Send>(
    question: impl FnOnce() -> T + Send,
    every: Duration,
    tell: &mut dyn FnMut(),
) -> T {
    let (done, ended) = bounded::<()>(0);
    thread::scope(|scope| {
        let asked = scope.spawn(move || {
            // Dropped at the end, also at one by a panic.
            let _done = done;
            question()
        });
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            tell();
        }
        asked.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Asks a question that waits for a person, such as a file dialog, on a thread of its own: a
/// worker must stay free for work.
///
/// # Errors
///
/// If the operating system refuses a thread.
pub fn ask_aside<T: Send + 'static>(
    name: &str,
    wake: &Wake,
    question: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<Receiver<T>> {
    let (sender, answer) = bounded(1);
    let wake = Arc::clone(wake);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody may listen any more: then the answer is not wanted.
        sender.send(question()).ok();
        wake();
    })?;
    Ok(answer)
}
