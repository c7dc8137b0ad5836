//! Expressions over `state` and `event`, evaluated one after the other.

use std::{marker::PhantomData, sync::Arc};

use crate::{
    model::{Failure, Json, RecordedEvent},
    work::Work,
};

/// Expressions that are ready to be asked.
pub(crate) struct Expressions<'w> {
    texts: Vec<Arc<str>>,
    work: PhantomData<&'w Work>,
}

impl<'w> Expressions<'w> {
    pub(crate) fn start(texts: &[Arc<str>], _: &'w Work) -> Self {
        Self { texts: texts.to_vec(), work: PhantomData }
    }

    /// What an expression gives.
    pub(crate) fn value(
        &mut self,
        which: usize,
        _: &Json,
        _: Option<&RecordedEvent>,
    ) -> Result<Option<Json>, Failure> {
        let text = self.texts.get(which).map(|text| &**text).unwrap_or_default();
        Err(Failure::new(format!("expressions cannot be evaluated yet: {text}")))
    }
}
