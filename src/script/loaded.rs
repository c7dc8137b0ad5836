//! A source that was loaded once and can be run any number of times.

use std::{collections::BTreeMap, fmt, sync::Arc};

use rquickjs::Ctx;

use crate::{
    model::Failure,
    script::{
        definition::Definition,
        engine::{Ended, Engine},
        loading::{Handlers, Loading},
        options::Options,
        output,
        source_scan::{bare_object, keeps_to_itself},
        step::Fault,
    },
    work::Work,
};

/// Why a source does not load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// It is not a projection, or not even JavaScript.
    InvalidProjection,
    /// It did not come to its end in time.
    CompilationTimeout,
}

/// A source that does not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The kind.
    pub kind: LoadErrorKind,
    /// What and where.
    pub failure: Failure,
}

impl LoadErrorKind {
    /// As conformance cases write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidProjection => "invalid-projection",
            Self::CompilationTimeout => "compilation-timeout",
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for LoadError {}

/// A source that loads: plain data, cheap to clone, to be run by any thread.
#[derive(Debug, Clone)]
pub struct Script {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    text: Arc<str>,
    options: Options,
    is_reducer: bool,
    keeps_to_itself: bool,
    definition: Definition,
    handler_sources: BTreeMap<Arc<str>, Arc<str>>,
}

impl Script {
    /// Loads a projection. `name` is how messages call the source: its file, most often.
    ///
    /// Fails if the source does not load, with the place of the mistake.
    pub fn load(name: &str, text: &str, options: &Options, work: &Work) -> Result<Self, LoadError> {
        Self::new(name, text, options, work, false)
    }

    /// Loads a reducer: a projection with a state for each stream, or a bare object of handlers.
    ///
    /// Fails if the source does not load, or if it is a projection of another kind.
    pub fn load_reducer(name: &str, text: &str, options: &Options, work: &Work) -> Result<Self, LoadError> {
        let script = Self::new(name, text, options, work, true)?;
        let definition = script.definition();
        let why = if definition.by_custom_partitions {
            "a reducer has a state for each stream; partitionBy belongs to a projection"
        } else if definition.bi_state {
            "a reducer has a state for each stream; a shared state belongs to a projection"
        } else if !definition.defines_handlers && definition.events.is_empty() {
            "there are no handlers: write ({ $init() { … }, EventType(state, event) { … } }) or a projection \
             with foreachStream"
        } else if !definition.by_streams {
            "this projection has one state for all streams; add .foreachStream() before .when(…)"
        } else {
            return Ok(script);
        };
        let failure = Failure { file: Some(Arc::clone(&script.inner.name)), ..Failure::new(why) };
        Err(LoadError { kind: LoadErrorKind::InvalidProjection, failure })
    }

    fn new(
        name: &str,
        text: &str,
        options: &Options,
        work: &Work,
        is_reducer: bool,
    ) -> Result<Self, LoadError> {
        let loaded = load(name, text, options, work, is_reducer)?;
        let handler_sources = loaded.handlers.sources.iter().cloned().collect();
        let inner = Inner {
            name: name.into(),
            text: text.into(),
            options: options.clone(),
            is_reducer,
            keeps_to_itself: keeps_to_itself(text),
            definition: loaded.definition,
            handler_sources,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How messages call it.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.inner.name
    }

    /// The source.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.inner.text
    }

    /// How it is run.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// What it declares.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.inner.definition
    }

    /// Whether it was loaded as a reducer.
    #[must_use]
    pub fn is_reducer(&self) -> bool {
        self.inner.is_reducer
    }

    /// Whether it leaves the built-in objects of the language as they are, as far as its text tells.
    #[must_use]
    pub fn keeps_to_itself(&self) -> bool {
        self.inner.keeps_to_itself
    }

    /// Whether both are one script, loaded once.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The event types with a handler of their own.
    #[must_use]
    pub fn handled_types(&self) -> &[Arc<str>] {
        &self.inner.definition.events
    }

    /// Whether events of that type reach a handler.
    #[must_use]
    pub fn handles(&self, event_type: &str) -> bool {
        let definition = self.definition();
        definition.all_events || definition.events.iter().any(|known| **known == *event_type)
    }

    /// The text of each handler, by event type; `$init` and its like among them.
    #[must_use]
    pub fn handler_sources(&self) -> &BTreeMap<Arc<str>, Arc<str>> {
        &self.inner.handler_sources
    }

    /// The source without the texts of its handlers: two scripts that agree in it differ at most in
    /// handlers.
    #[must_use]
    pub fn shared_source(&self) -> String {
        let mut rest = self.inner.text.to_string();
        for source in self.inner.handler_sources.values().filter(|source| !source.is_empty()) {
            rest = rest.replacen(&**source, "", 1);
        }
        rest
    }
}

/// An engine with a source in it.
pub(crate) struct Loaded {
    // Before the engine, so that what belongs to it is let go first.
    pub(crate) handlers: Handlers,
    pub(crate) definition: Definition,
    /// Whether a state may stay in the engine from one event to the next.
    pub(crate) keeps_states: bool,
    pub(crate) engine: Engine,
}

pub(crate) fn load(
    name: &str,
    text: &str,
    options: &Options,
    work: &Work,
    is_reducer: bool,
) -> Result<Loaded, LoadError> {
    let engine = Engine::new(name, options, work)
        .map_err(|failure| LoadError { kind: LoadErrorKind::InvalidProjection, failure })?;
    let loading = Loading::new(&engine.host, text);
    let answer = engine.with(|ctx| {
        engine.host.set_loading(true);
        let answer = run(&engine, ctx, &loading, text, is_reducer);
        let (definition, handlers) = loading.end(ctx);
        engine.host.set_loading(false);
        let checked = answer.and_then(|()| {
            output::define_outputs(&engine.host, ctx).map_err(|err| ended(&engine, &err.to_string()))?;
            definition.check(options.engine).map_err(|why| ended(&engine, why))
        });
        // Let go inside the engine if it failed.
        checked.map(|()| (definition, handlers))
    });
    match answer {
        Ok((definition, handlers)) => {
            // What refers to objects without being counted could tell old ones from new ones.
            let keeps_states = !["Weak", "Finalization", "globalThis"].iter().any(|word| text.contains(word));
            Ok(Loaded { handlers, definition, keeps_states, engine })
        }
        Err(Ended { fault, failure }) => {
            let kind = if fault == Fault::ExecutionTimeout {
                LoadErrorKind::CompilationTimeout
            } else {
                LoadErrorKind::InvalidProjection
            };
            Err(LoadError { kind, failure })
        }
    }
}

fn ended(engine: &Engine, why: &str) -> Ended {
    Ended { fault: Fault::HandlerError, failure: engine.failure(why) }
}

fn run(
    engine: &Engine,
    ctx: &Ctx<'_>,
    loading: &std::rc::Rc<Loading>,
    text: &str,
    is_reducer: bool,
) -> Result<(), Ended> {
    engine.guard(ctx, |ctx| loading.begin(ctx))?;
    let bare = bare_object(text).filter(|_| is_reducer);
    // On a line of its own: the places in messages stay true.
    let wrapped = (bare == Some(true)).then(|| format!("({text}\n)"));
    let value = engine.eval(ctx, wrapped.as_deref().unwrap_or(text), engine.host.options.limits.loading)?;
    let has_spoken = {
        let definition = loading.definition.borrow();
        definition.defines_handlers || !definition.events.is_empty()
    };
    if bare.is_some() && !has_spoken {
        {
            let mut definition = loading.definition.borrow_mut();
            definition.all_streams = true;
            definition.by_streams = true;
        }
        engine.guard(ctx, |ctx| loading.when(ctx, Some(&value)))?;
    }
    Ok(())
}
