//! What nobody needs any more is let go of by a job: giving back the memory of millions of events takes longer
//! than a frame.

use std::any::Any;

use crate::session::job::{Answer, Job, Question, Slot};

/// Things that nobody needs any more.
#[derive(Default)]
pub(crate) struct Discards(Vec<Box<dyn Any + Send>>);

/// The same, on their way to a job.
pub struct Discarded(Vec<Box<dyn Any + Send>>);

impl Discards {
    /// Lets go of something, or of a share in it.
    pub(crate) fn put(&mut self, thing: impl Any + Send) {
        self.0.push(Box::new(thing));
    }

    /// The same, if there is something.
    pub(crate) fn put_some(&mut self, thing: Option<impl Any + Send>) {
        if let Some(thing) = thing {
            self.put(thing);
        }
    }

    /// The job that drops them, if there are any.
    pub(crate) fn job(&mut self) -> Option<Job> {
        let things = std::mem::take(&mut self.0);
        (!things.is_empty())
            .then(|| Job { slot: Slot::Discards, question: Question::LetGo(Discarded(things)) })
    }
}

impl Discarded {
    /// Drops them.
    pub(crate) fn run(self) -> Answer {
        drop(self.0);
        Answer::Gone
    }
}
