//! Whether a script keeps anything outside its states.
//!
//! Variables outside the handlers live as long as a run. A run that goes on from a stored state does not
//! have them, so it is exact only if they are as they were when the source was loaded. What cannot be
//! known counts as changed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rquickjs::{Ctx, Value};

use crate::{
    model::Json,
    script::{
        encode::encode,
        engine::Engine,
        raw::{self, Kind},
        source_scan::{names_any, top_level_names},
    },
};

/// The variables outside the handlers at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Globals {
    /// Declared names with their values.
    declared: BTreeMap<Arc<str>, Json>,
    /// All names of the global object.
    names: Vec<Arc<str>>,
}

/// Names of things that keep what cannot be compared from outside.
const OPAQUE: &[&str] =
    &["WeakMap", "WeakSet", "WeakRef", "Symbol", "Proxy", "Reflect", "defineProperty", "Promise"];

impl Globals {
    /// Nothing if they cannot be known.
    pub(crate) fn of(engine: &Engine, text: &str) -> Option<Self> {
        if names_any(text, OPAQUE) || names_any(text, &["random"]) {
            return None;
        }
        let names = top_level_names(text)?;
        Self::read(engine, names.into_iter())
    }

    /// Whether nothing changed.
    pub(crate) fn still_hold(&self, engine: &Engine) -> bool {
        Self::read(engine, self.declared.keys().cloned()).is_some_and(|now| now == *self)
    }

    fn read(engine: &Engine, declared: impl Iterator<Item = Arc<str>>) -> Option<Self> {
        engine.with(|ctx| {
            let read = declared.map(|name| {
                let value = engine.eval(ctx, &name, Duration::from_secs(1)).ok()?;
                Some((name, comparable(engine, &value)?))
            });
            let declared: BTreeMap<_, _> = read.collect::<Option<_>>()?;
            Some(Self { declared, names: global_names(engine, ctx)? })
        })
    }
}

/// The value in a form that tells whether it changed.
fn comparable(engine: &Engine, value: &Value<'_>) -> Option<Json> {
    match raw::kind(value) {
        Kind::Undefined => return Some(Json::from("undefined")),
        Kind::Float(number) if !number.is_finite() => return Some(Json::from(number.to_string())),
        Kind::Symbol => return None,
        _ => {}
    }
    let Some(object) = value.as_object() else { return encode(&engine.host, value, None).ok()? };
    if object.is_function() {
        // What it keeps inside cannot be seen; that it was written out, and not made by a call, the
        // scan has seen. What it was given from outside can be counted.
        return Some(Json::from(raw::own_keys(object).ok()?.len()));
    }
    let is_plain = object.is_array() || raw::class_of(value) == engine.plain_class();
    if !is_plain {
        return None;
    }
    encode(&engine.host, value, None).ok()?
}

fn global_names(engine: &Engine, ctx: &Ctx<'_>) -> Option<Vec<Arc<str>>> {
    let globals = ctx.globals();
    let keys = raw::own_keys(&globals).ok()?;
    let names = (0..keys.len()).filter_map(|index| keys.key(index));
    Some(names.filter_map(|key| engine.host.names.borrow_mut().name(ctx, key)).collect())
}
