//! Feeds events to a script and keeps the states of its partitions.

use std::{collections::BTreeMap, sync::Arc};

use rquickjs::{Ctx, Object, Persistent, Value};

use crate::{
    model::{Failure, Json},
    script::{
        encode::encode,
        engine::{Ended, Engine},
        envelope::Envelope,
        event_object::{MAX_DEPTH, event_object, is_deeper_than},
        host::Host,
        loaded::{LoadError, Loaded, Script, load},
        loading::Kept,
        number_text::dotnet_number,
        options::{EngineVersion, World},
        raw::{self, Kind},
        raw_build::build,
        raw_image::{Image, look},
        step::{Fault, Faulted, Processed, Skip, Step},
    },
    work::Work,
};

/// A state as it is stored: as a tree, or as the engine has it, or both.
#[derive(Default)]
struct Stored {
    json: Option<Json>,
    /// The text, if the script returned one that is JSON already.
    text: Option<Arc<str>>,
    live: Option<Live>,
}

/// A state inside the engine that nobody could tell from one that is read anew.
struct Live {
    value: Persistent<Value<'static>>,
    image: Image,
}

impl Stored {
    fn json(&mut self, host: &Host) -> &Json {
        if self.json.is_none()
            && let Some(live) = &mut self.live
        {
            self.json = Some(live.image.json(&host.names.borrow()));
        }
        self.json.get_or_insert_default()
    }
}

/// So many states are kept inside the engine at most.
const MOST_LIVE: usize = 4096;

/// An engine that takes more memory than this without any state is not used again.
const MOST_KEPT: usize = 16 << 20;

/// And only while the engine takes less than one part in so many of what it may.
const LIVE_SHARE: usize = 8;

/// One run of a script: an engine with the source in it, and the states of all partitions. It stays in
/// the thread that made it.
pub struct Runner {
    script: Script,
    work: Work,
    /// What the last event left in the place of own and shared state, if the projection has a shared one.
    pair: Option<Persistent<Value<'static>>>,
    // Both before the engine, so that what belongs to it is let go first.
    states: BTreeMap<Arc<str>, Stored>,
    loaded: Loaded,
    /// How many states are inside the engine.
    live: usize,
    /// The partition of a reducer.
    only: Arc<str>,
    /// Nothing before it was asked for the first time; null is kept apart from that.
    shared: Option<Json>,
    initial_globals: Option<crate::script::carry::Globals>,
}

/// Why an event went no further.
enum Stop {
    Skip(Skip),
    Fault(Ended),
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Self::Fault(ended)
    }
}

/// An event on its way, with what is known of it so far.
struct Course<'a> {
    event: &'a Envelope,
    partition: Option<Arc<str>>,
    wants_state: bool,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("script", &self.script.name()).finish_non_exhaustive()
    }
}

impl Runner {
    /// Loads the script's source into an engine of its own. Its calls stop when `work` is cancelled.
    ///
    /// Fails if the source does not load this time.
    pub fn start(script: &Script, work: &Work) -> Result<Self, LoadError> {
        let loaded = load(script.name(), script.text(), script.options(), work, script.is_reducer())?;
        Ok(Self {
            script: script.clone(),
            work: work.clone(),
            pair: None,
            states: BTreeMap::new(),
            loaded,
            live: 0,
            only: "".into(),
            shared: None,
            initial_globals: None,
        })
    }

    /// The script that runs.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Puts a state in place, as if an earlier run had stored it.
    pub fn set_state(&mut self, partition: &str, state: Json) {
        self.put(partition, Stored { json: Some(state), ..Stored::default() });
    }

    /// Puts the text of a state in place, as if an earlier run had stored it.
    ///
    /// Fails if it is not JSON.
    pub fn set_state_text(&mut self, partition: &str, text: &str) -> Result<(), Failure> {
        let value =
            Json::parse(text.as_bytes()).map_err(|err| Failure::new(format!("the stored state: {err}")))?;
        self.put(partition, Stored { json: Some(value), text: Some(text.into()), live: None });
        Ok(())
    }

    fn put(&mut self, partition: &str, stored: Stored) {
        match self.states.get_mut(partition) {
            Some(known) => {
                self.live -= usize::from(known.live.is_some());
                *known = stored;
            }
            None => drop(self.states.insert(partition.into(), stored)),
        }
    }

    /// Puts a shared state in place, as if an earlier run had stored it.
    pub fn set_shared_state(&mut self, state: Json) {
        self.shared = Some(state);
    }

    /// The partition that an event belongs to, if the script gives it one.
    ///
    /// Fails as a call into the script may.
    pub fn partition_of(&mut self, event: &Envelope) -> Result<Option<Arc<str>>, Failure> {
        self.revive().map_err(|err| err.failure)?;
        let partition = self.partition(event).map_err(|ended| ended.failure);
        self.loaded.engine.host.forget_output();
        partition
    }

    /// Forgets all states.
    pub fn forget_states(&mut self) {
        self.states.clear();
        self.live = 0;
        (self.pair, self.shared) = (None, None);
        self.loaded.engine.host.forget_output();
    }

    /// Begins a new run in the same engine, if that comes to the same as starting another: nothing that an
    /// earlier run did is left outside the states, which are forgotten. Tells whether it did;
    /// [`watch_globals`](Self::watch_globals) must have been called at the start.
    pub fn begin_anew(&mut self, work: &Work) -> bool {
        self.forget_states();
        let engine = &self.loaded.engine;
        let is_small = engine.host.meter.used() < MOST_KEPT;
        if !self.script.keeps_to_itself() || engine.is_spent() || !is_small || self.carries_over() {
            return false;
        }
        self.loaded.engine.host.begin_anew(work);
        self.work = work.clone();
        true
    }

    /// Whether the script has a chance of its own, which goes on from call to call.
    #[must_use]
    pub fn is_seeded(&self) -> bool {
        matches!(self.script.options().world, World::Frozen { seed: Some(_) })
    }

    /// Forgets the state of a partition, as if it had never been stored.
    pub fn clear_state(&mut self, partition: &str) {
        if let Some(stored) = self.states.remove(partition) {
            self.live -= usize::from(stored.live.is_some());
        }
    }

    /// Whether something runs when a partition gets its first event.
    #[must_use]
    pub fn has_created(&self) -> bool {
        !self.loaded.handlers.created.is_empty()
    }

    /// The stored state of a partition, if there is one.
    #[must_use]
    pub fn state(&mut self, partition: &str) -> Option<&Json> {
        let host = &self.loaded.engine.host;
        self.states.get_mut(partition).map(|stored| stored.json(host))
    }

    /// Whether there is a stored state of a partition.
    #[must_use]
    pub fn has_state(&self, partition: &str) -> bool {
        self.states.contains_key(partition)
    }

    /// The stored states of all partitions.
    pub fn states(&mut self) -> impl Iterator<Item = (&Arc<str>, &Json)> {
        let host = &self.loaded.engine.host;
        self.states.iter_mut().map(|(partition, stored)| (partition, stored.json(host)))
    }

    /// The shared state, if the projection has one and it was asked for.
    #[must_use]
    pub fn shared_state(&self) -> Option<&Json> {
        self.shared.as_ref().filter(|_| self.script.definition().bi_state)
    }

    /// The state before the first event: what `$init` gives, or an empty object.
    ///
    /// Fails as a call into the script may.
    pub fn initial_state(&mut self) -> Result<Json, Failure> {
        self.revive().map_err(|err| err.failure)?;
        let Some(init) = &self.loaded.handlers.init else { return Ok(Json::object::<Arc<str>>([])) };
        let engine = &self.loaded.engine;
        let answer = engine.with(|ctx| {
            let value = engine.call(ctx, init, &[])?;
            self.stored(ctx, &value, None)
        });
        self.loaded.engine.host.forget_output();
        answer.map(|stored| stored.json.unwrap_or_default()).map_err(|ended| ended.failure)
    }

    /// Whether the variables outside the handlers changed since the source was loaded, so that a run from
    /// a stored state might differ from a run from the start.
    pub fn carries_over(&self) -> bool {
        let Some(before) = &self.initial_globals else { return true };
        !before.still_hold(&self.loaded.engine)
    }

    /// Whether the stored states, shared or not, are all that the next event depends on, so that a run that
    /// goes on from them comes to what this one comes to. Asks [`carries_over`](Self::carries_over), too.
    pub fn is_resumable(&self) -> bool {
        !self.carries_over() && self.is_pair_plain()
    }

    /// Whether what the last event left in the place of own and shared state is what the next run makes there.
    fn is_pair_plain(&self) -> bool {
        let (Some(pair), Some(shared)) = (&self.pair, &self.shared) else { return self.shared.is_none() };
        let plain = self.loaded.engine.host.plain.get();
        self.loaded.engine.with(|ctx| {
            let Ok(pair) = pair.clone().restore(ctx) else { return false };
            let Some(slots) = pair.as_object().filter(|slots| slots.is_array()) else { return false };
            // A shared null leaves the slot as it is; and the slots, `length`, and nothing else.
            !matches!(shared, Json::Null)
                && raw::class_of(slots.as_value()) == plain.array_class
                && raw::prototype_address(slots) == plain.array_prototype
                && raw::is_extensible(slots)
                && raw::own_keys(slots).is_ok_and(|keys| keys.len() == 3)
        })
    }

    /// Remembers the variables outside the handlers, for [`carries_over`](Self::carries_over). To be
    /// called before the first event.
    pub fn watch_globals(&mut self) {
        let text = Arc::clone(self.script.text());
        self.initial_globals = crate::script::carry::Globals::of(&self.loaded.engine, &text);
    }

    /// Feeds one event.
    pub fn feed(&mut self, event: &Envelope) -> Step {
        self.take(Course { event, partition: None, wants_state: true })
    }

    /// Feeds one event as [`feed`](Self::feed) does, but leaves state and result of the step null, for those
    /// who ask for the [`state`](Self::state) only now and then.
    pub fn advance(&mut self, event: &Envelope) -> Step {
        self.take(Course { event, partition: None, wants_state: false })
    }

    fn take(&mut self, mut course: Course<'_>) -> Step {
        let answer = self
            .revive()
            .map_err(|err| Stop::Fault(Ended { fault: Fault::HandlerError, failure: err.failure }));
        let answer = answer.and_then(|()| self.handle(&mut course));
        let host = &self.loaded.engine.host;
        let (logs, emitted, roundings) = (host.take_logs(), host.take_emitted(), host.take_roundings());
        match answer {
            Ok(mut step) => {
                (step.logs, step.emitted, step.roundings) = (logs, emitted, roundings);
                Step::Processed(Box::new(step))
            }
            Err(Stop::Skip(reason)) => Step::Skipped(reason),
            Err(Stop::Fault(Ended { fault, failure })) => {
                let definition = &self.loaded.definition;
                let has_partitions = definition.by_streams || definition.by_custom_partitions;
                let partition = course.partition.filter(|_| has_partitions);
                Step::Faulted(Box::new(Faulted { fault, failure, partition, emitted, logs }))
            }
        }
    }

    /// Starts anew in another engine, if this one ran out of memory. The states are kept.
    fn revive(&mut self) -> Result<(), LoadError> {
        if !self.loaded.engine.is_spent() {
            return Ok(());
        }
        self.pair = None;
        self.write_all();
        let script = &self.script;
        self.loaded = load(script.name(), script.text(), script.options(), &self.work, script.is_reducer())?;
        Ok(())
    }

    /// Makes trees of all states, and lets go of those inside the engine.
    fn write_all(&mut self) {
        let host = &self.loaded.engine.host;
        for stored in self.states.values_mut().filter(|stored| stored.live.is_some()) {
            stored.json(host);
            stored.live = None;
        }
        self.live = 0;
    }

    fn handle(&mut self, course: &mut Course<'_>) -> Result<Processed, Stop> {
        let event = course.event;
        let is_reducer = self.script.is_reducer();
        if !is_reducer && !self.loaded.definition.reads(&event.stream) {
            return Err(Stop::Skip(Skip::WrongStream));
        }
        if let World::Frozen { .. } = self.script.options().world {
            self.loaded.engine.host.set_now(event);
        }
        if !is_reducer && let Some(deleted) = self.deleted_stream(event)? {
            if self.loaded.handlers.deleted.is_none() {
                return Err(Stop::Skip(Skip::NoDeleteHandler));
            }
            course.partition = Some(Arc::clone(&deleted));
            return self.with_state(course, &deleted, Some(&deleted));
        }
        if !self.loaded.definition.include_links && event.is_link() && !is_reducer {
            return Err(Stop::Skip(Skip::Link));
        }
        if self.is_version_1() && !event.is_json {
            return Err(Stop::Skip(Skip::NonJson));
        }
        let partition = self.partition(event)?.ok_or(Stop::Skip(Skip::NoPartition))?;
        course.partition = Some(Arc::clone(&partition));
        if !self.script.handles(&event.event_type) {
            return Err(Stop::Skip(Skip::Unhandled));
        }
        self.with_state(course, &partition, None)
    }

    fn is_version_1(&self) -> bool {
        self.script.options().engine == EngineVersion::V1
    }

    /// The stream whose deletion this event tells of.
    fn deleted_stream(&self, event: &Envelope) -> Result<Option<Arc<str>>, Ended> {
        match &*event.event_type {
            "$streamDeleted" => return Ok(Some(Arc::clone(&event.stream))),
            "$metadata" => {}
            _ => return Ok(None),
        }
        let (Some(stream), Some(text)) = (event.stream.strip_prefix("$$"), &event.data.text) else {
            return Ok(None);
        };
        let metadata = Json::parse(text.as_bytes()).map_err(|err| Ended {
            fault: Fault::MalformedEvent,
            failure: self.loaded.engine.failure(&format!("the stream metadata is not JSON: {err}")),
        })?;
        let before = match metadata.get("$tb") {
            Some(Json::Number(number)) => number.as_i64(),
            _ => None,
        };
        Ok((before == Some(i64::MAX)).then(|| stream.into()))
    }

    fn partition(&self, event: &Envelope) -> Result<Option<Arc<str>>, Ended> {
        if self.script.is_reducer() {
            return Ok(Some(Arc::clone(&self.only)));
        }
        if self.loaded.definition.by_streams {
            return Ok(Some(Arc::clone(&event.stream)));
        }
        let Some(partition_by) = &self.loaded.handlers.partition_by else {
            return Ok(Some(Arc::clone(&self.only)));
        };
        let engine = &self.loaded.engine;
        engine.with(|ctx| {
            let object = engine.guard(ctx, |ctx| event_object(&engine.host, ctx, event, None, true))?;
            let key = engine.call(ctx, partition_by, &[object])?;
            Ok(match raw::kind(&key) {
                Kind::Text => raw::with_text(&key, raw::repaired).map(Arc::from),
                Kind::Int(number) => Some(number.to_string().into()),
                Kind::Float(number) => Some(dotnet_number(number).into()),
                _ => None,
            })
        })
    }

    /// Loads the state, runs what is to run, stores the state and computes the result.
    fn with_state(
        &mut self,
        course: &Course<'_>,
        partition: &Arc<str>,
        deleted: Option<&Arc<str>>,
    ) -> Result<Processed, Stop> {
        let live = self.states.get_mut(partition).and_then(|stored| stored.live.take());
        let (value, mut image) = live.map(|live| (live.value, live.image)).unzip();
        self.live -= usize::from(value.is_some());
        let run = Run { runner: self, course, partition };
        let engine = &self.loaded.engine;
        let done = engine.with(|ctx| run.run(ctx, deleted, value, &mut image));
        let done = match done {
            Ok(done) => done,
            Err(ended) => {
                // The state is what it was before; what the handler did to it inside the engine is gone.
                if let (Some(stored), Some(image)) = (self.states.get_mut(partition), &mut image) {
                    stored.json.get_or_insert_with(|| image.json(&engine.host.names.borrow()));
                }
                return Err(ended.into());
            }
        };
        let Done { own, shared, pair, result } = done;
        let (stored, state, state_text) = match own {
            Own::Written(json, text) => {
                let stored = Stored { json: Some(json.clone()), text: text.clone(), live: None };
                (stored, json, text)
            }
            Own::Live(value) => {
                let mut image = image;
                let json = match &mut image {
                    Some(image) if course.wants_state => Some(image.json(&engine.host.names.borrow())),
                    _ => None,
                };
                let live = image.map(|image| Live { value, image });
                self.live += usize::from(live.is_some());
                (Stored { json: json.clone(), text: None, live }, json.unwrap_or_default(), None)
            }
        };
        match self.states.get_mut(partition) {
            Some(known) => *known = stored,
            None => drop(self.states.insert(Arc::clone(partition), stored)),
        }
        let limit = self.script.options().limits.memory;
        if self.live > MOST_LIVE || self.loaded.engine.host.meter.used() > limit / LIVE_SHARE {
            self.write_all();
        }
        if self.loaded.definition.bi_state {
            self.shared = Some(shared.clone().unwrap_or_default());
            self.pair = pair;
        }
        let result = match result {
            Some(result) => result?,
            None => state.clone(),
        };
        let shared = self.loaded.definition.bi_state.then(|| shared.unwrap_or_default());
        Ok(Processed {
            partition: Arc::clone(partition),
            state,
            state_text,
            result,
            shared,
            emitted: Vec::new(),
            logs: Vec::new(),
            roundings: Vec::new(),
        })
    }

    /// A value as it is stored: a text that is JSON already stays that text.
    fn stored(&self, ctx: &Ctx<'_>, value: &Value<'_>, previous: Option<&Json>) -> Result<Stored, Ended> {
        let json = self.encoded(ctx, value, previous)?;
        if let Json::Text(text) = &json
            && !text.starts_with('\u{feff}')
            && let Ok(inner) = Json::parse(text.as_bytes())
            && !is_deeper_than(&inner, MAX_DEPTH)
        {
            return Ok(Stored { text: Some(Arc::clone(text)), json: Some(inner), live: None });
        }
        Ok(Stored { json: Some(json), text: None, live: None })
    }

    /// A value as JSON; null if it is undefined.
    fn encoded(&self, ctx: &Ctx<'_>, value: &Value<'_>, previous: Option<&Json>) -> Result<Json, Ended> {
        let engine = &self.loaded.engine;
        engine.host.begin_call(self.script.options().limits.call);
        match encode(&engine.host, value, previous) {
            Ok(json) => self.unless_poisoned().map(|()| json.unwrap_or_default()),
            Err(refusal) => Err(engine.refused(ctx, refusal)),
        }
    }

    fn unless_poisoned(&self) -> Result<(), Ended> {
        let engine = &self.loaded.engine;
        match engine.host.take_poison() {
            None => Ok(()),
            Some(poison) => Err(Ended { fault: poison.fault, failure: engine.failure(&poison.message) }),
        }
    }
}

/// What one event left behind.
struct Done {
    own: Own,
    shared: Option<Json>,
    pair: Option<Persistent<Value<'static>>>,
    /// The state itself if nothing else was made of it. Its failure does not touch the states.
    result: Option<Result<Json, Ended>>,
}

/// A state after an event.
enum Own {
    /// As a tree, with its text if it was one.
    Written(Json, Option<Arc<str>>),
    /// As the engine has it; the image says what that is.
    Live(Persistent<Value<'static>>),
}

/// One event inside the engine.
struct Run<'a> {
    runner: &'a Runner,
    course: &'a Course<'a>,
    partition: &'a Arc<str>,
}

impl Run<'_> {
    fn engine(&self) -> &Engine {
        &self.runner.loaded.engine
    }

    fn run(
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
        self.engine().guard(ctx, |_| raw::define(slots, slot, value, raw::Access::Free))
    }

    fn build<'js>(&self, ctx: &Ctx<'js>, json: &Json) -> Result<Value<'js>, Ended> {
        let engine = self.engine();
        engine.guard(ctx, |ctx| build(ctx, &mut engine.host.keys.borrow_mut(), json).map(|(value, _)| value))
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
        if runner.loaded.keeps_states && !self.has_transforms() && look(host, value, image) {
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
