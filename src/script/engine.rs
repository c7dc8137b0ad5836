//! One engine: memory, world, limits, and calls into the script.

use std::{
    rc::Rc,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rquickjs::{
    Context, Ctx, Function, Object, Persistent, Runtime, Value,
    context::{EvalOptions, intrinsic},
    function::Args,
};

use crate::{
    model::Failure,
    script::{
        depth_watch::depth_watch,
        encode::Refusal,
        engine_memory::{self as memory, Anchor, Atoms, CountingAllocator, Layout},
        event_members::EventClass,
        host::{Host, Plain},
        loading::Kept,
        meter::Meter,
        options::{Options, World},
        output,
        plain_data::readable,
        repaired_text::repaired,
        step::Fault,
    },
    work::Work,
};

/// What scripts have of the language, as the engine groups it.
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// The engine's own look at the stack, and ours, which comes first.
const STACK: usize = 768 << 10;
const STACK_ROOM: usize = 640 << 10;

/// How plain data can be read where it lies: the same for every engine of this build.
static LAYOUT: OnceLock<Option<Layout>> = OnceLock::new();

/// What positions in the engine's messages refer to; the script's own name is put there later.
const FILE: &str = "timeglass-source.js";

/// Why a call gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) fault: Fault,
    pub(crate) failure: Failure,
}

/// One engine with its world.
pub(crate) struct Engine {
    /// Tells what a Map, a Set or a Date holds. Before the context, which must go last.
    contents: Option<Kept>,
    pub(crate) anchor: Rc<Anchor>,
    context: Context,
    pub(crate) host: Rc<Host>,
    /// How the script is named in messages.
    name: Arc<str>,
    plain_class: u32,
}

impl Engine {
    /// Fails only if memory is so short that no engine can be made.
    pub(crate) fn new(name: &str, options: &Options, work: &Work) -> Result<Self, Failure> {
        let meter = Meter::new(options.limits.memory, STACK_ROOM);
        let host = Host::new(options, Rc::clone(&meter), work);
        let failed = |err: rquickjs::Error| Failure::new(format!("no script engine can be made: {err}"));
        let runtime = Runtime::new_with_alloc(CountingAllocator::new(meter)).map_err(failed)?;
        runtime.set_max_stack_size(STACK);
        let context = Context::builder().with::<Intrinsics>().build(&runtime).map_err(failed)?;
        let asked = Rc::clone(&host);
        runtime.set_interrupt_handler(Some(Box::new(move || asked.must_stop())));
        let plain_class =
            context.with(|ctx| Object::new(ctx).map(|object| memory::class_of(object.as_value())));
        let plain_class = plain_class.map_err(failed)?;
        let anchor = Anchor::new(&context);
        host.keep(Atoms::kept(&anchor));
        let mut engine = Self { contents: None, anchor, context, host, name: name.into(), plain_class };
        engine.host.begin_call(Duration::from_mins(1));
        engine.contents = Some(engine.with(|ctx| engine.furnish(ctx)).map_err(failed)?);
        Ok(engine)
    }

    fn furnish(&self, ctx: &Ctx<'_>) -> rquickjs::Result<Kept> {
        self.host.set_event_class(Some(EventClass::register(ctx, &self.anchor)?));
        let prototype: Object<'_> = ctx.eval("Object.prototype")?;
        let array: Object<'_> = ctx.eval("[]")?;
        let plain = Plain {
            object_class: self.plain_class,
            array_class: memory::class_of(array.as_value()),
            object_prototype: memory::address(prototype.as_value()),
            array_prototype: prototype_address(&array),
            layout: None,
        };
        self.host.plain.set(plain);
        let layout = *LAYOUT.get_or_init(|| readable(ctx, &self.anchor, &self.host));
        self.host.plain.set(Plain { layout, ..plain });
        self.host.set_object_prototype(Some(Persistent::save(ctx, prototype)));
        let ten: Object<'_> = ctx.eval("({ __proto__: null, valueOf() { return 10; } })")?;
        let watch = depth_watch(&ten, &self.anchor, Rc::clone(&self.host.meter))?;
        let error: Object<'_> = ctx.globals().get("Error")?;
        error.set("stackTraceLimit", watch)?;
        // Out of reach for scripts, and no part of the language.
        memory::remove(&error, "stackTraceLimit");
        memory::remove(&error, "prepareStackTrace");
        let prelude: Function<'_> = ctx.eval(include_str!("prelude.js"))?;
        let nothing = Value::new_null(ctx.clone());
        let (chance, now) = match self.host.options.world {
            World::Live => (nothing.clone(), nothing.clone()),
            World::Frozen { seed } => (self.chance(ctx, seed)?, self.clock(ctx, seed)?),
        };
        let contents: Function<'_> = prelude.call((nothing, chance, now))?;
        output::define_log(&self.host, ctx)?;
        Ok(Persistent::save(ctx, contents))
    }

    fn chance<'js>(&self, ctx: &Ctx<'js>, seed: Option<u64>) -> rquickjs::Result<Value<'js>> {
        let host = Rc::clone(&self.host);
        let function = Function::new(ctx.clone(), move |ctx: Ctx<'js>| match seed {
            Some(_) => Ok(host.next_chance()),
            None => {
                let message = "Math.random: a reducer has no chance, so that the same events make the same \
                               state; set a seed to give it one";
                Err(host.refuse(&ctx, Fault::HandlerError, message))
            }
        })?;
        Ok(function.into_value())
    }

    fn clock<'js>(&self, ctx: &Ctx<'js>, seed: Option<u64>) -> rquickjs::Result<Value<'js>> {
        let host = Rc::clone(&self.host);
        let function = Function::new(ctx.clone(), move |ctx: Ctx<'js>| match seed {
            Some(_) => Ok(host.now()),
            None => {
                let message = "Date: a reducer has no clock, so that the same events make the same state; \
                               use event.created";
                Err(host.refuse(&ctx, Fault::HandlerError, message))
            }
        })?;
        Ok(function.into_value())
    }

    #[cfg(test)]
    pub(crate) fn runtime(&self) -> &Runtime {
        self.context.runtime()
    }

    /// Runs `f` inside the engine.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&Ctx<'_>) -> R) -> R {
        self.context.with(|ctx| f(&ctx))
    }

    /// Runs a source as a script; its value is that of its last expression.
    pub(crate) fn eval<'js>(
        &self,
        ctx: &Ctx<'js>,
        source: &str,
        limit: Duration,
    ) -> Result<Value<'js>, Ended> {
        let mut options = EvalOptions::default();
        options.strict = false;
        options.filename = Some(FILE.to_owned());
        self.host.begin_call(limit);
        let value = ctx.eval_with_options(source, options);
        self.settle(ctx, value)
    }

    /// Calls a function of the script, under the limit for calls.
    pub(crate) fn call<'js>(
        &self,
        ctx: &Ctx<'js>,
        function: &Kept,
        arguments: &[Value<'js>],
    ) -> Result<Value<'js>, Ended> {
        self.host.begin_call(self.host.options.limits.call);
        let value = function.clone().restore(ctx).and_then(|function| {
            let mut given = Args::new(ctx.clone(), arguments.len());
            arguments.iter().try_for_each(|argument| given.push_arg(argument.clone()))?;
            function.call_arg(given)
        });
        self.settle(ctx, value)
    }

    /// Runs what is not user code but may fail as user code does: making values, reading them.
    pub(crate) fn guard<'js, T>(
        &self,
        ctx: &Ctx<'js>,
        f: impl FnOnce(&Ctx<'js>) -> rquickjs::Result<T>,
    ) -> Result<T, Ended> {
        self.host.begin_call(self.host.options.limits.call);
        let value = f(ctx);
        self.settle(ctx, value)
    }

    /// What a call came to: a poisoned call is a fault, whatever it returned.
    fn settle<T>(&self, ctx: &Ctx<'_>, value: rquickjs::Result<T>) -> Result<T, Ended> {
        let poison = self.host.take_poison();
        let thrown = match value {
            Ok(value) if poison.is_none() => return Ok(value),
            Ok(_) => None,
            Err(rquickjs::Error::Exception) => Some(ctx.catch()),
            Err(err) => {
                let failure = Failure { file: Some(Arc::clone(&self.name)), ..Failure::new(err.to_string()) };
                return Err(Ended {
                    fault: poison.map_or(Fault::HandlerError, |poison| poison.fault),
                    failure,
                });
            }
        };
        // Reading the error may run user code once more; what comes of that is of no interest.
        self.host.begin_call(Duration::from_millis(100));
        let trace = memory::take_back_trace(ctx);
        let known = thrown.as_ref().and_then(place).or_else(|| place_in(&trace));
        let (line, column) = known.unzip();
        let (fault, message) = match poison {
            Some(poison) => (poison.fault, poison.message),
            None => (Fault::HandlerError, thrown.as_ref().map(message).unwrap_or_default()),
        };
        drop(ctx.catch());
        self.host.take_poison();
        Err(Ended { fault, failure: Failure { message, file: Some(Arc::clone(&self.name)), line, column } })
    }

    /// What a value that cannot be written comes to.
    pub(crate) fn refused(&self, ctx: &Ctx<'_>, refusal: Refusal) -> Ended {
        match refusal {
            Refusal::Broken(fault, message) => {
                self.host.take_poison();
                Ended { fault, failure: self.failure(&message) }
            }
            Refusal::Thrown => match self.settle::<()>(ctx, Err(rquickjs::Error::Exception)) {
                Ok(()) => {
                    Ended { fault: Fault::HandlerError, failure: self.failure("the value cannot be read") }
                }
                Err(ended) => ended,
            },
        }
    }

    /// A failure of this script without a place in it.
    pub(crate) fn failure(&self, message: &str) -> Failure {
        Failure { file: Some(Arc::clone(&self.name)), ..Failure::new(message) }
    }

    /// What a Map, a Set or a Date holds; undefined for everything else.
    pub(crate) fn contents<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Value<'js>> {
        self.call(ctx, self.contents.as_ref()?, std::slice::from_ref(value)).ok()
    }

    /// Whether an object is nothing special: no class of its own, and `Object.prototype` or
    /// nothing behind it.
    pub(crate) fn is_plain(&self, object: &Object<'_>) -> bool {
        memory::class_of(object.as_value()) == self.plain_class
            && object.get_prototype().is_none_or(|prototype| {
                let known = self.host.object_prototype(object.ctx());
                known.is_ok_and(|known| {
                    memory::address(known.as_value()) == memory::address(prototype.as_value())
                })
            })
    }

    /// Whether the engine should not be used any more.
    pub(crate) fn is_spent(&self) -> bool {
        self.host.meter.is_exhausted()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It is kept inside the engine as well, and must not keep the engine.
        self.host.let_go();
    }
}

/// Where an object's prototype lies. Not for proxies.
pub(crate) fn prototype_address(object: &Object<'_>) -> usize {
    object.get_prototype().map_or(0, |prototype| memory::address(prototype.as_value()))
}

/// `TypeError: not a function`, or just the message of a plain `Error`, or the text of whatever was thrown.
fn message(thrown: &Value<'_>) -> Arc<str> {
    let text = |value: Value<'_>| memory::with_text(&value, repaired);
    let Some(error) = thrown.as_object().filter(|_| thrown.is_error()) else {
        let shown: Option<rquickjs::Coerced<String>> = thrown.get().ok();
        return shown.map_or_else(|| "something that has no text was thrown".into(), |text| text.0.into());
    };
    let name = error.get("name").ok().and_then(text).unwrap_or_default();
    let message = error.get("message").ok().and_then(text).unwrap_or_default();
    match (&*name, &*message) {
        ("" | "Error", _) => message.into(),
        (_, "") => name.into(),
        _ => format!("{name}: {message}").into(),
    }
}

/// Line and column from 1: the first place in the script that the error's stack names.
fn place(thrown: &Value<'_>) -> Option<(u32, u32)> {
    let error = thrown.as_object()?;
    place_in(&error.get("stack").ok()?)
}

fn place_in(stack: &Value<'_>) -> Option<(u32, u32)> {
    let stack = memory::with_text(stack, repaired)?;
    let after = stack.split(FILE).nth(1)?.strip_prefix(':')?;
    let mut numbers = after.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}
