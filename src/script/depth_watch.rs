//! An object that looks at the stack whenever it is asked to become a number.
//!
//! The engine asks its `Error.stackTraceLimit` so, each time it makes an error: also when the stack is
//! used up, and before any user code could catch that.

use std::rc::Rc;

use rquickjs::{Object, Result, Value};

use crate::script::{
    engine_memory::{Anchor, Call, Class, Exotic, Key},
    meter::Meter,
};

struct DepthWatch(Rc<Meter>);

impl Exotic for DepthWatch {
    /// Own members are found first; only what is missing is asked for.
    fn get<'js>(&self, _: &Call<'_, 'js>, _: Key) -> Result<Option<Value<'js>>> {
        self.0.look_at_depth();
        Ok(None)
    }
}

/// Stands for the number that `valueOf` of the prototype gives.
pub(crate) fn depth_watch<'js>(
    prototype: &Object<'js>,
    anchor: &Rc<Anchor>,
    meter: Rc<Meter>,
) -> Result<Object<'js>> {
    Class::register(prototype.ctx(), anchor)?.new_object(prototype, DepthWatch(meter))
}
