//! Expressions over `state` and `event`, asked one after the other.

use std::sync::Arc;

use crate::{
    model::{Failure, Json, RecordedEvent},
    script::{Evaluator, Expression},
    work::Work,
};

/// Expressions that are ready to be asked.
pub(crate) struct Expressions {
    /// Where each stands among those of the evaluator; or why it cannot be read.
    places: Vec<Result<usize, Failure>>,
    /// Nothing if there is none to evaluate; or why there is no engine.
    evaluator: Option<Result<Evaluator, Failure>>,
}

impl Expressions {
    pub(crate) fn start(texts: &[Arc<str>], work: &Work) -> Self {
        let mut read = Vec::new();
        let places = texts.iter().map(|text| {
            read.push(Expression::parse(text)?);
            Ok(read.len() - 1)
        });
        let places = places.collect();
        // An engine takes a moment to start, and paths need none.
        let evaluator = (!read.is_empty()).then(|| Evaluator::start(&read, work));
        Self { places, evaluator }
    }

    /// What an expression gives; `None` if that is undefined.
    pub(crate) fn value(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<Option<Json>, Failure> {
        let place = match self.places.get(which) {
            Some(place) => place.clone()?,
            None => return Ok(None),
        };
        match &mut self.evaluator {
            None => Ok(None),
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(evaluator)) => evaluator.value(place, state, event),
        }
    }
}

/// Whether what an expression gives may depend on the event.
pub(crate) fn reads_event(text: &str) -> bool {
    Expression::parse(text).is_ok_and(|expression| expression.reads_event())
}
