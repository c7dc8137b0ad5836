//! What keeps an engine alive for whatever is held of it from outside.

use std::{ptr::NonNull, rc::Rc};

use rquickjs::{Context, qjs};

/// An engine and its world, which stay as long as anybody has this.
///
/// To be let go by everything that lies inside the engine itself before the engine is meant to end.
pub(crate) struct Anchor {
    runtime: *mut qjs::JSRuntime,
    // Last: whoever holds an anchor may give things back as long as it is there.
    context: Context,
}

impl Anchor {
    pub(crate) fn new(context: &Context) -> Rc<Self> {
        Rc::new(Self { runtime: context.get_runtime_ptr(), context: context.clone() })
    }

    /// Live, as long as the anchor is.
    #[inline]
    pub(super) fn runtime(&self) -> *mut qjs::JSRuntime {
        self.runtime
    }

    /// Whether it is that context: an address names one only, as long as the context is alive.
    #[inline]
    pub(super) fn is_of(&self, context: NonNull<qjs::JSContext>) -> bool {
        self.context.as_raw() == context
    }
}
