//! Whether a script keeps anything outside its states.
//!
//! Variables outside the handlers live as long as a run. A run that goes on from a stored state does not
//! have them, so it is exact only if they are as they were when the source was loaded. What cannot be
//! known counts as changed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rquickjs::{Ctx, Object, Value};

use crate::{
    model::Json,
    script::{
        encode::encode,
        engine::Engine,
        engine_memory::{self as memory, Kind, Property},
        source_scan::{Makes, names_any, top_level_names},
    },
};

/// The variables outside the handlers at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Globals {
    /// Declared names with their values, and how they were made.
    declared: BTreeMap<Arc<str>, (Makes, Json)>,
    /// All names of the global object.
    names: Vec<Arc<str>>,
}

/// Names of things that keep what cannot be seen from outside.
const OPAQUE: &[&str] = &[
    "WeakMap",
    "WeakSet",
    "WeakRef",
    "Symbol",
    "Proxy",
    "Reflect",
    "defineProperty",
    "defineProperties",
    "Promise",
    "random",
];

/// Values nested deeper are not compared.
const MAX_DEPTH: usize = 16;

impl Globals {
    /// Nothing if they cannot be known.
    pub(crate) fn of(engine: &Engine, text: &str) -> Option<Self> {
        if names_any(text, OPAQUE) {
            return None;
        }
        Self::read(engine, top_level_names(text)?.into_iter())
    }

    /// Whether nothing changed.
    pub(crate) fn still_hold(&self, engine: &Engine) -> bool {
        let declared = self.declared.iter().map(|(name, (makes, _))| (Arc::clone(name), *makes));
        Self::read(engine, declared).is_some_and(|now| now == *self)
    }

    fn read(engine: &Engine, declared: impl Iterator<Item = (Arc<str>, Makes)>) -> Option<Self> {
        engine.with(|ctx| {
            let read = declared.map(|(name, makes)| {
                let value = engine.eval(ctx, &name, Duration::from_secs(1)).ok()?;
                let reader = Reader { engine, ctx, may_hold_functions: makes == Makes::WrittenOut };
                Some((name, (makes, reader.comparable(&value, 0)?)))
            });
            let declared: BTreeMap<_, _> = read.collect::<Option<_>>()?;
            Some(Self { declared, names: global_names(engine, ctx)? })
        })
    }
}

struct Reader<'a, 'js> {
    engine: &'a Engine,
    ctx: &'a Ctx<'js>,
    /// Whether every function was written out where it stands, so that it has no variables of its own.
    may_hold_functions: bool,
}

impl<'js> Reader<'_, 'js> {
    /// The value in a form that tells whether it changed; nothing if that cannot be told.
    fn comparable(&self, value: &Value<'js>, depth: usize) -> Option<Json> {
        match memory::kind(value) {
            Kind::Undefined => return Some(Json::from("undefined")),
            Kind::Float(number) if !number.is_finite() => return Some(Json::from(number.to_string())),
            Kind::Symbol => return None,
            _ => {}
        }
        let Some(object) = value.as_object() else { return encode(&self.engine.host, value, None).ok()? };
        if depth == MAX_DEPTH || (object.is_function() && !self.may_hold_functions) {
            return None;
        }
        let is_plain = object.is_array() || object.is_function() || self.engine.is_plain(object);
        match self.engine.contents(self.ctx, value)? {
            // A Map, a Set or a Date, which keep their contents elsewhere.
            contents if !contents.is_undefined() => self.comparable(&contents, depth + 1),
            _ if is_plain => self.members(object, depth),
            _ => None,
        }
    }

    fn members(&self, object: &Object<'js>, depth: usize) -> Option<Json> {
        let keys = memory::own_keys(object).ok()?;
        let mut members = Vec::new();
        for key in keys.iter() {
            let name = self.engine.host.names.borrow_mut().name(key)?;
            let Property::Data(value) = keys.property(key).ok()?? else { return None };
            // It refers back to its function.
            let is_back = object.is_function() && &*name == "prototype";
            let member = if is_back { Json::Null } else { self.comparable(&value, depth + 1)? };
            members.push((name, member));
        }
        Some(Json::object(members))
    }
}

fn global_names(engine: &Engine, ctx: &Ctx<'_>) -> Option<Vec<Arc<str>>> {
    let globals = ctx.globals();
    let keys = memory::own_keys(&globals).ok()?;
    Some(keys.iter().filter_map(|key| engine.host.names.borrow_mut().name(key)).collect())
}
