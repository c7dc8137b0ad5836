//! Expressions over `state` and `event`, asked one after the other.

use std::{sync::Arc, time::Duration};

use crate::{
    model::{Failure, Json, RecordedEvent},
    script::{Evaluator, Expression, Limits, Options},
    work::Work,
};

/// A call of an expression is stopped after this time: a whole history is to be looked at.
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// Expressions that are ready to be asked.
pub(crate) struct Expressions {
    /// Each, or why it cannot be asked.
    asked: Vec<Result<Expression, Failure>>,
    /// The engine, with those that can be asked: their places are counted without the others.
    /// Nothing until one is asked: an engine takes a moment to start.
    evaluator: Option<Evaluator>,
    work: Work,
}

impl Expressions {
    pub(crate) fn start(texts: &[Arc<str>], work: &Work) -> Self {
        let asked = texts.iter().map(|text| Expression::parse(text)).collect();
        Self { asked, evaluator: None, work: work.clone() }
    }

    /// What an expression gives; null if that is undefined.
    pub(crate) fn value(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<Json, Failure> {
        self.ask(which, |evaluator, place| evaluator.value(place, state, event))
    }

    /// Whether what an expression gives counts as true.
    pub(crate) fn holds(
        &mut self,
        which: usize,
        state: &Json,
        event: Option<&RecordedEvent>,
    ) -> Result<bool, Failure> {
        self.ask(which, |evaluator, place| evaluator.holds(place, state, event))
    }

    fn ask<T>(
        &mut self,
        which: usize,
        question: impl FnOnce(&mut Evaluator, usize) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(Err(failure)) = self.asked.get(which) {
            return Err(failure.clone());
        }
        let place = self.asked.iter().take(which).filter(|asked| asked.is_ok()).count();
        if self.evaluator.is_none() {
            self.evaluator = Some(self.engine()?);
        }
        let Some(evaluator) = &mut self.evaluator else { return Err(Failure::new("there is no engine")) };
        let answer = question(evaluator, place);
        if let Err(failure) = &answer
            && evaluator.is_spent()
            && let Some(asked) = self.asked.get_mut(which)
        {
            // Asked again and again it would take as long for each of a million events.
            *asked = Err(failure.clone());
            self.evaluator = None;
        }
        answer
    }

    fn engine(&self) -> Result<Evaluator, Failure> {
        let expressions: Vec<Expression> = self.asked.iter().flatten().cloned().collect();
        let limits = Limits { call: LONGEST_CALL, ..Limits::default() };
        // As the newest database has it: what is not a number is null, and data may be any JSON.
        let options = Options { limits, quirks: Some((26, 2, 0)), ..Options::frozen(None) };
        Evaluator::start(&expressions, &options, &self.work)
    }
}
