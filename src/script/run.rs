//! One event inside the engine: the state goes in, the handler runs, the state comes out.

use std::sync::Arc;

use rquickjs::{Ctx, Object, Persistent, Value};

use crate::{
    model::Json,
    script::{
        build::build,
        engine::{Ended, Engine},
        engine_memory::{Access, define},
        event_object::event_object,
        host::Host,
        image::Image,
        loading::Kept,
        plain_data::look,
        runner::{Course, Runner},
        step::Fault,
    },
};

/// A state as it is stored: as a tree, or as the engine has it, or both.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) json: Option<Json>,
    /// The text, if the script returned one that is JSON already.
    pub(super) text: Option<Arc<str>>,
    pub(super) live: Option<Live>,
}

/// A state inside the engine that nobody could tell from one that is read anew.
pub(super) struct Live {
    pub(super) value: Persistent<Value<'static>>,
    pub(super) image: Image,
}

impl Stored {
    pub(super) fn json(&mut self, host: &Host) -> &Json {
        if self.json.is_none()
            && let Some(live) = &mut self.live
        {
            self.json = Some(live.image.json(&host.names.borrow()));
        }
        self.json.get_or_insert_default()
    }
}

/// What one event left behind.
pub(super) struct Done {
    pub(super) own: Own,
    pub(super) shared: Option<Json>,
    pub(super) pair: Option<Persistent<Value<'static>>>,
    /// The state itself if nothing else was made of it. Its failure does not touch the states.
    pub(super) result: Option<Result<Json, Ended>>,
}

/// A state after an event.
pub(super) enum Own {
    /// As a tree, with its text if it was one.
    Written(Json, Option<Arc<str>>),
    /// As the engine has it; the image says what that is.
    Live(Persistent<Value<'static>>),
}

/// One event inside the engine.
pub(super) struct Run<'a> {
    pub(super) runner: &'a Runner,
    pub(super) course: &'a Course<'a>,
    pub(super) partition: &'a Arc<str>,
}

impl Run<'_> {
    fn engine(&self) -> &Engine {
        &self.runner.loaded.engine
    }

    pub(super) fn run(
        &self,
        ctx: &Ctx<'_>,
        deleted: Option<&Arc<str>>,
        live: Option<Persistent<Value<'static>>>,
        image: &mut Option<Image>,
    ) -> Result<Done, Ended> {
        let before = self.runner.states.get(self.partition);
        let state = match live {
            Some(live) => self.engine().guard(ctx, |ctx| live.restore(ctx))?,
            None => self.load(ctx, before)?,
        };
        let value = match deleted {
            Some(stream) => {
                self.delete(ctx, &state, stream)?;
                state
            }
            None => self.apply(ctx, state, before.is_none())?,
        };
        self.store(ctx, &value, before.and_then(|before| before.json.as_ref()), image)
    }

    /// The state that handlers get: the own one, or the pair of own and shared.
    fn load<'js>(&self, ctx: &Ctx<'js>, before: Option<&Stored>) -> Result<Value<'js>, Ended> {
        let json = before.and_then(|before| before.json.as_ref());
        let own = match json {
            Some(json) if !(self.runner.is_version_1() && matches!(json, Json::Null)) => {
                self.build(ctx, json)?
            }
            _ => self.init(ctx, self.runner.loaded.handlers.init.as_ref())?,
        };
        if !self.runner.loaded.definition.bi_state {
            return Ok(own);
        }
        let pair = match &self.runner.pair {
            Some(kept) => self.engine().guard(ctx, |ctx| kept.clone().restore(ctx))?,
            None => self.engine().guard(ctx, |ctx| ctx.eval("[undefined, undefined]"))?,
        };
        let Some(slots) = pair.as_object().filter(|slots| slots.is_array()) else {
            let failure =
                self.engine().failure("the state left by the last event is no pair of own and shared state");
            return Err(Ended { fault: Fault::HandlerError, failure });
        };
        self.put(ctx, slots, "0", &own)?;
        match &self.runner.shared {
            None => {
                let shared = self.init(ctx, self.runner.loaded.handlers.init_shared.as_ref())?;
                self.put(ctx, slots, "1", &shared)?;
            }
            // It stays what the last event left there.
            Some(Json::Null) => {}
            Some(shared) => {
                let shared = self.build(ctx, shared)?;
                self.put(ctx, slots, "1", &shared)?;
            }
        }
        Ok(pair)
    }

    fn put<'js>(
        &self,
        ctx: &Ctx<'js>,
        slots: &Object<'js>,
        slot: &str,
        value: &Value<'js>,
    ) -> Result<(), Ended> {
        self.engine().guard(ctx, |_| define(slots, slot, value, Access::Free))
    }

    fn build<'js>(&self, ctx: &Ctx<'js>, json: &Json) -> Result<Value<'js>, Ended> {
        let engine = self.engine();
        engine.guard(ctx, |ctx| build(ctx, &mut engine.host.atoms.borrow_mut(), json).map(|(value, _)| value))
    }

    fn init<'js>(&self, ctx: &Ctx<'js>, init: Option<&Kept>) -> Result<Value<'js>, Ended> {
        match init {
            Some(init) => self.engine().call(ctx, init, &[]),
            None => self.engine().guard(ctx, |ctx| Object::new(ctx.clone()).map(Object::into_value)),
        }
    }

    fn event<'js>(&self, ctx: &Ctx<'js>, has_category: bool) -> Result<Value<'js>, Ended> {
        let engine = self.engine();
        let partition = match (self.runner.script.is_reducer(), self.has_partitions()) {
            (true, _) => Some(&self.course.event.stream),
            (false, true) => Some(self.partition),
            (false, false) => None,
        };
        engine.guard(ctx, |ctx| event_object(&engine.host, ctx, self.course.event, partition, has_category))
    }

    fn has_partitions(&self) -> bool {
        let definition = &self.runner.loaded.definition;
        definition.by_streams || definition.by_custom_partitions
    }

    fn delete<'js>(&self, ctx: &Ctx<'js>, state: &Value<'js>, stream: &str) -> Result<(), Ended> {
        let Some(deleted) = &self.runner.loaded.handlers.deleted else { return Ok(()) };
        let name = self.engine().guard(ctx, |ctx| {
            rquickjs::String::from_str(ctx.clone(), stream).map(rquickjs::String::into_value)
        })?;
        let (none, flag) = (Value::new_null(ctx.clone()), Value::new_bool(ctx.clone(), false));
        self.engine().call(ctx, deleted, &[state.clone(), none, name, flag])?;
        Ok(())
    }

    /// Runs `$created` for a new partition, then the handler; gives the state that comes of it.
    fn apply<'js>(&self, ctx: &Ctx<'js>, state: Value<'js>, is_new: bool) -> Result<Value<'js>, Ended> {
        let handlers = &self.runner.loaded.handlers;
        let event = self.course.event;
        if is_new && !handlers.created.is_empty() {
            let object = self.event(ctx, false)?;
            for created in &handlers.created {
                self.engine().call(ctx, created, &[state.clone(), object.clone()])?;
            }
        }
        if event.is_json && event.is_blank() && !self.runner.script.is_reducer() {
            return Ok(state);
        }
        let own = handlers.by_type.iter().find(|(name, _)| *name == event.event_type);
        let Some(handler) = own.map(|(_, handler)| handler).or(handlers.any.as_ref()) else {
            return self.engine().guard(ctx, |ctx| match &event.data.text {
                Some(text) => rquickjs::String::from_str(ctx.clone(), text).map(rquickjs::String::into_value),
                None => Ok(Value::new_null(ctx.clone())),
            });
        };
        let object = self.event(ctx, true)?;
        let returned = self.engine().call(ctx, handler, &[state.clone(), object])?;
        Ok(if returned.is_undefined() { state } else { returned })
    }

    fn store<'js>(
        &self,
        ctx: &Ctx<'js>,
        value: &Value<'js>,
        previous: Option<&Json>,
        image: &mut Option<Image>,
    ) -> Result<Done, Ended> {
        let runner = self.runner;
        if runner.loaded.definition.bi_state {
            return self.store_pair(ctx, value, previous);
        }
        runner.unless_poisoned()?;
        let host = &self.engine().host;
        let is_new = image.is_none();
        let may_stay = runner.loaded.keeps_states && !self.has_transforms();
        let look = |object: &Object<'js>| look(host, &self.engine().anchor, object, image);
        if may_stay && value.as_object().is_some_and(look) {
            if is_new && let (Some(image), Some(previous)) = (image, previous) {
                image.share(previous, &host.names.borrow());
            }
            let own = Own::Live(Persistent::save(ctx, value.clone()));
            return Ok(Done { own, shared: None, pair: None, result: None });
        }
        let image_json = image.as_mut().map(|image| image.json(&host.names.borrow()));
        let own = runner.stored(ctx, value, previous.or(image_json.as_ref()))?;
        let result = self.result(ctx, value, &own);
        let own = Own::Written(own.json.unwrap_or_default(), own.text);
        Ok(Done { own, shared: None, pair: None, result })
    }

    /// Stores what a projection with a shared state left.
    fn store_pair<'js>(
        &self,
        ctx: &Ctx<'js>,
        value: &Value<'js>,
        previous: Option<&Json>,
    ) -> Result<Done, Ended> {
        let runner = self.runner;
        let (own, shared) = match value.as_object().filter(|slots| slots.is_array()) {
            Some(slots) => {
                let slot = |name: &str| self.engine().guard(ctx, |_| slots.get::<_, Value<'_>>(name));
                let own = runner.encoded(ctx, &slot("0")?, previous)?;
                let shared = runner.encoded(ctx, &slot("1")?, runner.shared.as_ref())?;
                (Stored { json: Some(own), ..Stored::default() }, Some(shared))
            }
            None => (runner.stored(ctx, value, previous)?, None),
        };
        let pair = Some(Persistent::save(ctx, value.clone()));
        let result = self.result(ctx, value, &own);
        Ok(Done { own: Own::Written(own.json.unwrap_or_default(), own.text), shared, pair, result })
    }

    /// Whether transforms see the live state, and may change it.
    fn has_transforms(&self) -> bool {
        self.runner.is_version_1() && !self.runner.loaded.handlers.transforms.is_empty()
    }

    /// What version 1 makes of the live state; version 2 gives the stored state, and nothing else.
    fn result<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>, own: &Stored) -> Option<Result<Json, Ended>> {
        let transforms = &self.runner.loaded.handlers.transforms;
        let is_plain = own.text.is_none() && !self.runner.loaded.definition.bi_state && transforms.is_empty();
        (self.runner.is_version_1() && !is_plain).then(|| self.transformed(ctx, value))
    }

    fn transformed<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Json, Ended> {
        let runner = self.runner;
        let transforms = &runner.loaded.handlers.transforms;
        let as_transform = |ended: Ended| match ended.fault {
            Fault::Cancelled => ended,
            _ => Ended { fault: Fault::ProjectionTransform, ..ended },
        };
        let mut value = value.clone();
        for transform in transforms {
            let returned =
                self.engine().call(ctx, &transform.function, &[value.clone()]).map_err(as_transform)?;
            if !transform.is_filter {
                value = returned;
            } else if returned.as_bool() != Some(true) {
                return Ok(Json::Null);
            }
            if value.is_null() || value.is_undefined() {
                return Ok(Json::Null);
            }
        }
        runner.encoded(ctx, &value, None).map_err(as_transform)
    }
}
