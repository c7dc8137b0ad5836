//! What one engine shares with the functions that it offers to scripts.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use rquickjs::{Ctx, Error, Exception, Object, Persistent, Result, Value};

use crate::{
    model::Timestamp,
    script::{
        engine_memory::{Atoms, Layout, make_uncatchable},
        envelope::Envelope,
        event_members::EventClass,
        event_object::EventCell,
        meter::Meter,
        names::Names,
        options::{Options, World},
        rounding::Rounding,
        shapes::Shapes,
        step::{Emitted, Fault},
    },
    work::Work,
};

/// Why a call ends as a fault, whatever the script makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poison {
    pub(crate) fault: Fault,
    pub(crate) message: Arc<str>,
}

/// What plain data looks like in an engine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Plain {
    pub(crate) object_class: u32,
    pub(crate) array_class: u32,
    pub(crate) object_prototype: usize,
    pub(crate) array_prototype: usize,
    /// How it can be read where it lies, if it can.
    pub(crate) layout: Option<Layout>,
}

/// The state behind the functions of one engine.
///
/// Some errors must not be caught by user code. The engine can mark an error so, but its promises and
/// async functions swallow even these. So the first such error poisons the call: from then on every
/// function of ours refuses, the engine stops at its next look, and what the call returns is ignored.
pub(crate) struct Host {
    pub(crate) options: Options,
    pub(crate) meter: Rc<Meter>,
    pub(crate) names: RefCell<Names>,
    pub(crate) atoms: RefCell<Atoms>,
    pub(crate) shapes: RefCell<Shapes>,
    event_class: RefCell<Option<EventClass>>,
    pub(crate) plain: Cell<Plain>,
    work: RefCell<Work>,
    poison: RefCell<Option<Poison>>,
    is_poisoned: Cell<bool>,
    call_limit: Cell<Duration>,
    call_started: Cell<Option<Instant>>,
    run_started: Cell<Option<Instant>>,
    is_loading: Cell<bool>,
    logs: RefCell<Vec<Arc<str>>>,
    emitted: RefCell<Vec<Emitted>>,
    roundings: RefCell<Vec<Rounding>>,
    object_prototype: RefCell<Option<Persistent<Object<'static>>>>,
    /// The event's own time, for a frozen world.
    now: RefCell<(Option<Timestamp>, Arc<str>)>,
    chance: Cell<u64>,
}

impl Host {
    pub(crate) fn new(options: &Options, meter: Rc<Meter>, work: &Work) -> Rc<Self> {
        Rc::new(Self {
            options: options.clone(),
            meter,
            names: RefCell::default(),
            atoms: RefCell::default(),
            shapes: RefCell::new(Shapes::within(options.limits.memory)),
            event_class: RefCell::default(),
            plain: Cell::default(),
            work: RefCell::new(work.clone()),
            poison: RefCell::default(),
            is_poisoned: Cell::new(false),
            call_limit: Cell::new(options.limits.call),
            call_started: Cell::new(None),
            run_started: Cell::new(None),
            is_loading: Cell::new(false),
            logs: RefCell::default(),
            emitted: RefCell::default(),
            roundings: RefCell::default(),
            object_prototype: RefCell::default(),
            now: RefCell::default(),
            chance: Cell::new(first_chance(options)),
        })
    }

    /// Begins another run, as if the engine were new.
    pub(crate) fn begin_anew(&self, work: &Work) {
        self.work.replace(work.clone());
        self.poison.take();
        self.is_poisoned.set(false);
        self.call_started.set(None);
        self.run_started.set(None);
        self.now.take();
        self.chance.set(first_chance(&self.options));
        self.forget_output();
    }

    /// Begins a call into user code.
    pub(crate) fn begin_call(&self, limit: Duration) {
        self.call_limit.set(limit);
        // Set by the first look: asking the clock for every short call would cost more than the call.
        self.call_started.set(None);
        self.meter.begin_call();
        if self.options.limits.run.is_some() && self.run_started.get().is_none() {
            self.run_started.set(Some(Instant::now()));
        }
    }

    /// Whether the engine has to stop. The engine asks every few thousand steps.
    pub(crate) fn must_stop(&self) -> bool {
        if self.is_poisoned.get() {
            return true;
        }
        if self.work.borrow().is_cancelled() {
            self.poison(Fault::Cancelled, "cancelled");
        }
        self.look_at_meter();
        self.look_at_the_clock();
        self.is_poisoned.get()
    }

    fn look_at_the_clock(&self) {
        let limit = self.call_limit.get();
        match self.call_started.get() {
            None => self.call_started.set(Some(Instant::now())),
            Some(started) if started.elapsed() >= limit => {
                let what =
                    if self.is_loading.get() { "loading the script" } else { "a call into the script" };
                let message = format!("{what} took longer than {} ms", limit.as_millis());
                self.poison(Fault::ExecutionTimeout, &message);
            }
            Some(_) => {}
        }
        if let (Some(most), Some(started)) = (self.options.limits.run, self.run_started.get())
            && started.elapsed() >= most
        {
            let message = format!("the whole run took longer than {} ms", most.as_millis());
            self.poison(Fault::ExecutionTimeout, &message);
        }
    }

    fn look_at_meter(&self) {
        if self.meter.is_exhausted() {
            let limit = self.options.limits.memory >> 20;
            self.poison(Fault::HandlerError, &format!("the script needs more than {limit} MiB of memory"));
        } else if self.meter.is_too_deep() {
            self.poison(Fault::HandlerError, "the script calls itself too deep");
        }
    }

    /// Makes the call end as a fault, whatever the script does from now on. The first reason counts.
    pub(crate) fn poison(&self, fault: Fault, message: &str) {
        let mut place = self.poison.borrow_mut();
        if place.is_none() {
            *place = Some(Poison { fault, message: message.into() });
            self.is_poisoned.set(true);
        }
    }

    /// Why the call that just ended is a fault, if it is; the next call starts clean.
    pub(crate) fn take_poison(&self) -> Option<Poison> {
        self.look_at_meter();
        self.is_poisoned.set(false);
        self.poison.take()
    }

    /// Ends the call as a fault; the error to return to the engine.
    pub(crate) fn refuse(&self, ctx: &Ctx<'_>, fault: Fault, message: &str) -> Error {
        self.poison(fault, message);
        match Exception::from_message(ctx.clone(), message) {
            Ok(exception) => {
                make_uncatchable(exception.as_object().as_value());
                exception.throw()
            }
            Err(err) => err,
        }
    }

    /// Fails if the call is a fault already: no function of ours does anything then.
    pub(crate) fn check_poison(&self, ctx: &Ctx<'_>) -> Result<()> {
        self.look_at_meter();
        if !self.is_poisoned.get() {
            return Ok(());
        }
        Err(self.refuse(ctx, Fault::HandlerError, "stopped"))
    }

    pub(crate) fn set_loading(&self, is_loading: bool) {
        self.is_loading.set(is_loading);
    }

    pub(crate) fn log(&self, line: impl Into<Arc<str>>) {
        if !self.is_loading.get() {
            self.logs.borrow_mut().push(line.into());
        }
    }

    pub(crate) fn emit(&self, event: Emitted) {
        self.emitted.borrow_mut().push(event);
    }

    pub(crate) fn note_roundings(&self, mut found: Vec<Rounding>) {
        let mut known = self.roundings.borrow_mut();
        found.retain(|rounding| !known.contains(rounding));
        known.append(&mut found);
    }

    pub(crate) fn take_logs(&self) -> Vec<Arc<str>> {
        self.logs.take()
    }

    pub(crate) fn take_emitted(&self) -> Vec<Emitted> {
        self.emitted.take()
    }

    pub(crate) fn take_roundings(&self) -> Vec<Rounding> {
        self.roundings.take()
    }

    /// From now on keys of names are kept there.
    pub(crate) fn keep(&self, atoms: Atoms) {
        self.atoms.replace(atoms);
    }

    pub(crate) fn set_event_class(&self, class: Option<EventClass>) {
        self.event_class.replace(class);
    }

    pub(crate) fn is_event(&self, value: &Value<'_>) -> bool {
        self.event_class.borrow().as_ref().is_some_and(|class| class.is_event(value))
    }

    /// An object for an event.
    pub(crate) fn event_object<'js>(&self, ctx: &Ctx<'js>, cell: EventCell) -> Result<Object<'js>> {
        let prototype = self.object_prototype(ctx)?;
        self.event_class.borrow().as_ref().ok_or(Error::Unknown)?.new_object(&prototype, cell)
    }

    /// Lets go of all that keeps the engine, which may keep this.
    pub(crate) fn let_go(&self) {
        self.set_object_prototype(None);
        self.set_event_class(None);
        self.keep(Atoms::default());
        self.shapes.take();
    }

    pub(crate) fn set_object_prototype(&self, prototype: Option<Persistent<Object<'static>>>) {
        self.object_prototype.replace(prototype);
    }

    pub(crate) fn object_prototype<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        self.object_prototype.borrow().clone().ok_or(Error::Unknown)?.restore(ctx)
    }

    /// Lets go of what a call wrote that belongs to no step.
    pub(crate) fn forget_output(&self) {
        self.logs.take();
        self.emitted.take();
        self.roundings.take();
    }

    /// The event whose time a frozen world shows.
    pub(crate) fn set_now(&self, event: &Envelope) {
        self.now.replace((event.time, Arc::clone(&event.created)));
    }

    /// In milliseconds.
    pub(crate) fn now(&self) -> f64 {
        let (time, created) = self.now.borrow().clone();
        Envelope { created, time, ..Envelope::default() }.created_millis()
    }

    /// The next number of a frozen world, at least 0 and below 1: the mixer is splitmix64.
    pub(crate) fn next_chance(&self) -> f64 {
        let state = self.chance.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.chance.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What chance starts from.
fn first_chance(options: &Options) -> u64 {
    match options.world {
        World::Frozen { seed } => seed.unwrap_or(0),
        World::Live => 0,
    }
}
