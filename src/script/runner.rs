//! Feeds events to a script and keeps the states of its partitions.

use std::{collections::BTreeMap, sync::Arc};

use rquickjs::{Ctx, Persistent, Value};

use crate::{
    model::{Failure, Json},
    script::{
        encode::encode,
        engine::{Ended, prototype_address},
        engine_memory::{self as memory, Kind},
        envelope::Envelope,
        event_object::{MAX_DEPTH, event_object, is_deeper_than},
        loaded::{LoadError, Loaded, Script, load},
        number_text::dotnet_number,
        options::{EngineVersion, World},
        repaired_text::repaired,
        run::{Done, Live, Own, Run, Stored},
        step::{Fault, Faulted, Processed, Skip, Step},
    },
    work::Work,
};

/// So many states are kept inside the engine at most.
const MOST_LIVE: usize = 4096;

/// And only while the engine takes less than one part in so many of what it may.
const LIVE_SHARE: usize = 8;

/// An engine that takes more memory than this without any state is not used again.
const MOST_KEPT: usize = 16 << 20;

/// One run of a script: an engine with the source in it, and the states of all partitions. It stays in
/// the thread that made it.
pub struct Runner {
    pub(super) script: Script,
    work: Work,
    /// What the last event left in the place of own and shared state, if the projection has a shared one.
    pub(super) pair: Option<Persistent<Value<'static>>>,
    // Both before the engine, so that what belongs to it is let go first.
    pub(super) states: BTreeMap<Arc<str>, Stored>,
    pub(super) loaded: Loaded,
    /// How many states are inside the engine.
    live: usize,
    /// The partition of a reducer.
    only: Arc<str>,
    /// Nothing before it was asked for the first time; null is kept apart from that.
    pub(super) shared: Option<Json>,
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
pub(super) struct Course<'a> {
    pub(super) event: &'a Arc<Envelope>,
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
    pub fn partition_of(&mut self, event: &Arc<Envelope>) -> Result<Option<Arc<str>>, Failure> {
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
        let is_spent = self.loaded.engine.is_spent();
        if !self.script.keeps_to_itself() || is_spent || !self.is_small() || self.carries_over() {
            return false;
        }
        self.loaded.engine.host.begin_anew(work);
        self.work = work.clone();
        true
    }

    /// Whether the engine takes so little that it may be used again once its states are forgotten.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.loaded.engine.host.meter.used() < MOST_KEPT
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
                && memory::class_of(slots.as_value()) == plain.array_class
                && prototype_address(slots) == plain.array_prototype
                && memory::is_extensible(slots)
                && memory::own_keys(slots).is_ok_and(|keys| keys.len() == 3)
        })
    }

    /// Remembers the variables outside the handlers, for [`carries_over`](Self::carries_over). To be
    /// called before the first event.
    pub fn watch_globals(&mut self) {
        let text = Arc::clone(self.script.text());
        self.initial_globals = crate::script::carry::Globals::of(&self.loaded.engine, &text);
    }

    /// Feeds one event. A script that keeps it shares it.
    pub fn feed(&mut self, event: &Arc<Envelope>) -> Step {
        self.take(Course { event, partition: None, wants_state: true })
    }

    /// Feeds one event as [`feed`](Self::feed) does, but leaves state and result of the step null, for those
    /// who ask for the [`state`](Self::state) only now and then.
    pub fn advance(&mut self, event: &Arc<Envelope>) -> Step {
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

    /// Lets go of states inside the engine where they are too many, or memory gets short.
    fn bound_live(&mut self, last: &Arc<str>) {
        let host = &self.loaded.engine.host;
        let is_short = host.meter.used() > self.script.options().limits.memory / LIVE_SHARE;
        match self.live {
            0 => {}
            1 if is_short => {
                // None but that of the last event.
                if let Some(stored) = self.states.get_mut(last) {
                    stored.json(host);
                    self.live -= usize::from(stored.live.take().is_some());
                }
            }
            live if live > MOST_LIVE || is_short => self.write_all(),
            _ => {}
        }
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

    pub(super) fn is_version_1(&self) -> bool {
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

    fn partition(&self, event: &Arc<Envelope>) -> Result<Option<Arc<str>>, Ended> {
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
            Ok(match memory::kind(&key) {
                Kind::Text => memory::with_text(&key, repaired).map(Arc::from),
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
        self.bound_live(partition);
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
    pub(super) fn stored(
        &self,
        ctx: &Ctx<'_>,
        value: &Value<'_>,
        previous: Option<&Json>,
    ) -> Result<Stored, Ended> {
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
    pub(super) fn encoded(
        &self,
        ctx: &Ctx<'_>,
        value: &Value<'_>,
        previous: Option<&Json>,
    ) -> Result<Json, Ended> {
        let engine = &self.loaded.engine;
        engine.host.begin_call(self.script.options().limits.call);
        match encode(&engine.host, value, previous) {
            Ok(json) => self.unless_poisoned().map(|()| json.unwrap_or_default()),
            Err(refusal) => Err(engine.refused(ctx, refusal)),
        }
    }

    pub(super) fn unless_poisoned(&self) -> Result<(), Ended> {
        let engine = &self.loaded.engine;
        match engine.host.take_poison() {
            None => Ok(()),
            Some(poison) => Err(Ended { fault: poison.fault, failure: engine.failure(&poison.message) }),
        }
    }
}
