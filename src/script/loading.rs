//! The functions that a source calls while it is loaded, and what they leave behind.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use rquickjs::{Ctx, Function, Object, Persistent, Result, Value, function::Rest};

use crate::script::{
    definition::Definition,
    engine_memory::{self as memory, Access, Kind, Property},
    host::Host,
    repaired_text::repaired,
    source_scan::when_objects,
    step::Fault,
};

/// A function of the script.
pub(crate) type Kept = Persistent<Function<'static>>;

/// What makes the result of a state.
pub(crate) struct Transform {
    pub(crate) is_filter: bool,
    pub(crate) function: Kept,
}

/// The functions that a source registered.
#[derive(Default)]
pub(crate) struct Handlers {
    pub(crate) by_type: Vec<(Arc<str>, Kept)>,
    pub(crate) any: Option<Kept>,
    pub(crate) init: Option<Kept>,
    pub(crate) init_shared: Option<Kept>,
    pub(crate) created: Vec<Kept>,
    pub(crate) deleted: Option<Kept>,
    pub(crate) partition_by: Option<Kept>,
    pub(crate) transforms: Vec<Transform>,
    /// For an edit to be told from another: each handler with its name and its own text.
    pub(crate) sources: Vec<(Arc<str>, Arc<str>)>,
}

const AFTER_SOURCE: &[&str] = &["when", "foreachStream", "partitionBy", "outputState"];
const AFTER_STREAMS: &[&str] = &["when", "partitionBy", "outputState"];
const AFTER_PARTITION: &[&str] = &["when"];
const AFTER_WHEN: &[&str] =
    &["transformBy", "filterBy", "outputState", "outputTo", "$defines_state_transform"];
const AFTER_OUTPUT_STATE: &[&str] = &["transformBy", "filterBy", "outputTo"];
const AFTER_TRANSFORM: &[&str] = &["transformBy", "filterBy", "outputState", "outputTo"];
const CHAIN: &[&str] = &[
    "when",
    "foreachStream",
    "partitionBy",
    "outputState",
    "transformBy",
    "filterBy",
    "outputTo",
    "$defines_state_transform",
];

/// Functions that are there while the source is loaded, and not afterwards.
const SOURCES: &[&str] = &[
    "options",
    "fromAll",
    "fromStream",
    "fromStreams",
    "fromCategory",
    "fromCategories",
    "on_event",
    "on_any",
];

/// A load under way. Its functions live in the engine and share it, so what it has gathered is taken out
/// at the end: nothing of the engine may hang on the engine.
pub(crate) struct Loading {
    host: Rc<Host>,
    pub(crate) definition: RefCell<Definition>,
    pub(crate) handlers: RefCell<Handlers>,
    chain: RefCell<Option<Persistent<Object<'static>>>>,
    function_to_text: RefCell<Option<Kept>>,
    script_classes: Cell<[u32; 4]>,
    written: Vec<Vec<Arc<str>>>,
}

impl Loading {
    pub(crate) fn new(host: &Rc<Host>, text: &str) -> Rc<Self> {
        Rc::new(Self {
            host: Rc::clone(host),
            definition: RefCell::new(Definition::new(text)),
            handlers: RefCell::default(),
            chain: RefCell::default(),
            function_to_text: RefCell::default(),
            script_classes: Cell::default(),
            written: when_objects(text),
        })
    }

    /// Defines the functions. Before any line of the source has run.
    pub(crate) fn begin<'js>(self: &Rc<Self>, ctx: &Ctx<'js>) -> Result<()> {
        let samples: [Value<'js>; 4] = [
            ctx.eval("(function(){})")?,
            ctx.eval("(function*(){})")?,
            ctx.eval("(async function(){})")?,
            ctx.eval("(async function*(){})")?,
        ];
        self.script_classes.set(samples.each_ref().map(memory::class_of));
        self.function_to_text.replace(Some(ctx.eval("Function.prototype.toString")?));
        let chain = Object::new(ctx.clone())?;
        self.chain.replace(Some(Persistent::save(ctx, chain)));
        for name in SOURCES {
            let function = self.function(ctx, name)?;
            memory::define(&ctx.globals(), name, function.as_value(), Access::Hidden)?;
        }
        Ok(())
    }

    /// Takes the functions away, and lets go of what belongs to the engine.
    pub(crate) fn end(&self, ctx: &Ctx<'_>) -> (Definition, Handlers) {
        for name in SOURCES {
            memory::remove(&ctx.globals(), name);
        }
        self.chain.take();
        self.function_to_text.take();
        (self.definition.take(), self.handlers.take())
    }

    fn function<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, name: &'static str) -> Result<Function<'js>> {
        let loading = Rc::clone(self);
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, Rest(arguments): Rest<Value<'js>>| {
            loading.host.check_poison(&ctx)?;
            loading.call(&ctx, name, &arguments)
        })?
        .with_name(name)
    }

    /// What a source function or a link of the chain does.
    fn call<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        name: &str,
        arguments: &[Value<'js>],
    ) -> Result<Value<'js>> {
        let first = arguments.first();
        match name {
            "options" => self.options(ctx, first),
            "on_event" => self.on_event(ctx, arguments),
            "on_any" => self.on_any(ctx, arguments),
            "fromAll" => {
                self.definition.borrow_mut().all_streams = true;
                self.chain(ctx, Some(AFTER_SOURCE))
            }
            "fromStream" => {
                let stream = self.text(ctx, name, first)?;
                self.definition.borrow_mut().streams.push(stream);
                self.chain(ctx, Some(AFTER_STREAMS))
            }
            "fromStreams" => {
                let streams = self.texts(ctx, name, arguments)?;
                self.definition.borrow_mut().streams.extend(streams);
                self.chain(ctx, Some(AFTER_STREAMS))
            }
            "fromCategory" | "fromCategories" => self.from_categories(ctx, name, arguments),
            "when" => self.when(ctx, first),
            "foreachStream" => {
                self.definition.borrow_mut().by_streams = true;
                self.chain(ctx, Some(AFTER_PARTITION))
            }
            "partitionBy" => {
                let function = self.script_function(ctx, name, first)?;
                self.handlers.borrow_mut().partition_by = Some(function);
                self.definition.borrow_mut().by_custom_partitions = true;
                self.chain(ctx, Some(AFTER_PARTITION))
            }
            "outputState" => {
                self.definition.borrow_mut().produces_results = true;
                self.chain(ctx, Some(AFTER_OUTPUT_STATE))
            }
            "transformBy" | "filterBy" => {
                let function = self.script_function(ctx, name, first)?;
                let is_filter = name == "filterBy";
                self.handlers.borrow_mut().transforms.push(Transform { is_filter, function });
                self.transforms_state();
                self.chain(ctx, Some(AFTER_TRANSFORM))
            }
            "outputTo" => self.output_to(ctx, arguments),
            _ => {
                self.transforms_state();
                self.chain(ctx, Some(AFTER_WHEN))
            }
        }
    }

    fn transforms_state(&self) {
        let mut definition = self.definition.borrow_mut();
        definition.defines_state_transform = true;
        definition.produces_results = true;
    }

    /// The one chain object, with the methods allowed next; with those it has, if none are named.
    fn chain<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, allowed: Option<&[&'static str]>) -> Result<Value<'js>> {
        let kept = self.chain.borrow().clone().ok_or(rquickjs::Error::Unknown)?;
        let chain = kept.restore(ctx)?;
        if let Some(allowed) = allowed {
            for name in CHAIN {
                memory::remove(&chain, name);
            }
            for name in allowed {
                memory::define(&chain, name, self.function(ctx, name)?.as_value(), Access::Free)?;
            }
        }
        Ok(chain.into_value())
    }

    fn refuse(&self, ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
        self.host.refuse(ctx, Fault::HandlerError, message)
    }

    fn text<'js>(&self, ctx: &Ctx<'js>, function: &str, argument: Option<&Value<'js>>) -> Result<Arc<str>> {
        match argument.and_then(|value| memory::with_text(value, repaired)) {
            Some(text) => Ok(text.into()),
            None => Err(self.refuse(ctx, &format!("{function} takes names as texts"))),
        }
    }

    /// The texts of several arguments, or of one array.
    fn texts<'js>(&self, ctx: &Ctx<'js>, function: &str, arguments: &[Value<'js>]) -> Result<Vec<Arc<str>>> {
        match arguments.first().and_then(Value::as_array) {
            Some(array) => {
                let items: Result<Vec<Value<'js>>> = array.iter().collect();
                items?.iter().map(|item| self.text(ctx, function, Some(item))).collect()
            }
            None => arguments.iter().map(|item| self.text(ctx, function, Some(item))).collect(),
        }
    }

    fn from_categories<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        function: &str,
        arguments: &[Value<'js>],
    ) -> Result<Value<'js>> {
        match arguments {
            [] => self.chain(ctx, None),
            [only] if !only.is_array() => {
                let category = self.text(ctx, function, Some(only))?;
                self.definition.borrow_mut().categories.push(category);
                self.chain(ctx, Some(AFTER_SOURCE))
            }
            several => {
                let names = self.texts(ctx, function, several)?;
                let streams = names.iter().map(|name| format!("$ce-{name}").into());
                self.definition.borrow_mut().streams.extend(streams);
                self.chain(ctx, Some(AFTER_SOURCE))
            }
        }
    }

    fn output_to<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<Value<'js>> {
        if !matches!(arguments.len(), 1 | 2) {
            return Err(self.refuse(ctx, "outputTo takes a stream's name, and a pattern for partitions"));
        }
        let names = arguments.iter().map(|argument| self.text(ctx, "outputTo", Some(argument)));
        let mut names = names.collect::<Result<Vec<_>>>()?.into_iter().map(not_blank);
        let mut definition = self.definition.borrow_mut();
        definition.result_stream = names.next().flatten();
        if let Some(pattern) = names.next() {
            definition.result_pattern = pattern;
        }
        drop(definition);
        self.chain(ctx, Some(&[]))
    }

    /// A function that is written in the script; built-in ones are refused.
    fn script_function<'js>(&self, ctx: &Ctx<'js>, name: &str, given: Option<&Value<'js>>) -> Result<Kept> {
        match given.filter(|value| self.is_script_function(value)).and_then(Value::as_function) {
            Some(function) => Ok(Persistent::save(ctx, function.clone())),
            None => Err(self.refuse(ctx, &format!("{name} takes a function of the script"))),
        }
    }

    fn is_script_function(&self, value: &Value<'_>) -> bool {
        value.is_function() && self.script_classes.get().contains(&memory::class_of(value))
    }

    fn on_event<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<Value<'js>> {
        let [name, function] = arguments else {
            return Err(self.refuse(ctx, "on_event takes an event type and a function"));
        };
        let name = self.text(ctx, "on_event", Some(name))?;
        let kept = self.script_function(ctx, "on_event", Some(function))?;
        self.register(ctx, &name, kept)?;
        Ok(Value::new_undefined(ctx.clone()))
    }

    fn on_any<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<Value<'js>> {
        let [function] = arguments else { return Err(self.refuse(ctx, "on_any takes one function")) };
        let kept = self.script_function(ctx, "on_any", Some(function))?;
        self.register(ctx, "$any", kept)?;
        Ok(Value::new_undefined(ctx.clone()))
    }

    /// Registers every own property that is a function of the script.
    pub(crate) fn when<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        given: Option<&Value<'js>>,
    ) -> Result<Value<'js>> {
        self.definition.borrow_mut().defines_handlers = true;
        if let Some(object) = given.and_then(Value::as_object) {
            for (name, value) in self.in_written_order(self.own_values(object)?) {
                if let Some(function) = value.as_function().filter(|_| self.is_script_function(&value)) {
                    self.register(ctx, &name, Persistent::save(ctx, function.clone()))?;
                }
            }
        }
        self.chain(ctx, Some(AFTER_WHEN))
    }

    /// Names and values of own properties; getters and symbols left out.
    fn own_values<'js>(&self, object: &Object<'js>) -> Result<Vec<(Arc<str>, Value<'js>)>> {
        let keys = memory::own_keys(object)?;
        let mut found = Vec::new();
        for key in keys.iter() {
            let name = self.host.names.borrow_mut().name(key);
            if let (Some(name), Some(Property::Data(value))) = (name, keys.property(key)?) {
                found.push((name, value));
            }
        }
        Ok(found)
    }

    /// The language lists names like `1` first; the dialect goes by what was written.
    fn in_written_order<'js>(&self, mut found: Vec<(Arc<str>, Value<'js>)>) -> Vec<(Arc<str>, Value<'js>)> {
        let is_index = |name: &str| name.parse::<u32>().is_ok_and(|number| number.to_string() == name);
        if found.iter().any(|(name, _)| is_index(name)) {
            let has_all = |names: &&Vec<Arc<str>>| found.iter().all(|(name, _)| names.contains(name));
            if let Some(written) = self.written.iter().find(has_all) {
                // A name written twice keeps its first place, as the language does.
                found.sort_by_key(|(name, _)| written.iter().position(|known| known == name));
            }
        }
        found
    }

    fn register(&self, ctx: &Ctx<'_>, name: &str, function: Kept) -> Result<()> {
        let source = self.source(ctx, &function);
        let mut handlers = self.handlers.borrow_mut();
        let mut definition = self.definition.borrow_mut();
        match name {
            "$init" => handlers.init = Some(function),
            "$initShared" => {
                handlers.init_shared = Some(function);
                definition.bi_state = true;
            }
            "$any" => {
                handlers.any = Some(function);
                definition.all_events = true;
            }
            "$created" => handlers.created.push(function),
            "$deleted" if definition.bi_state => {
                return Err(self.refuse(ctx, "$deleted cannot be used together with a shared state"));
            }
            "$deleted" => {
                handlers.deleted = Some(function);
                definition.handles_deleted = true;
            }
            _ if definition.events.iter().any(|known| **known == *name) => {
                return Err(self.refuse(ctx, &format!("a handler for `{name}` is there already")));
            }
            _ => {
                let name: Arc<str> = name.into();
                definition.all_events = false;
                definition.events.push(Arc::clone(&name));
                handlers.by_type.push((name, function));
            }
        }
        handlers.sources.push((name.into(), source));
        Ok(())
    }

    /// The text of a function as it was written.
    fn source(&self, ctx: &Ctx<'_>, function: &Kept) -> Arc<str> {
        let to_text = self.function_to_text.borrow().clone();
        let text = to_text.and_then(|to_text| {
            let this = rquickjs::function::This(function.clone().restore(ctx).ok()?);
            let text: Value<'_> = to_text.restore(ctx).ok()?.call((this,)).ok()?;
            memory::with_text(&text, repaired)
        });
        text.unwrap_or_default().into()
    }

    fn options<'js>(&self, ctx: &Ctx<'js>, given: Option<&Value<'js>>) -> Result<Value<'js>> {
        if let Some(object) = given.and_then(Value::as_object) {
            let keys = memory::own_keys(object)?;
            for key in keys.iter() {
                let name = self.host.names.borrow_mut().name(key).unwrap_or_default();
                let value = match keys.property(key)? {
                    Some(Property::Data(value)) => value,
                    Some(Property::Accessor) => object.get(&*name)?,
                    None => continue,
                };
                self.option(ctx, &name, &value)?;
            }
        }
        Ok(Value::new_undefined(ctx.clone()))
    }

    fn option<'js>(&self, ctx: &Ctx<'js>, name: &str, value: &Value<'js>) -> Result<()> {
        let mut definition = self.definition.borrow_mut();
        let definition = &mut *definition;
        let kind = memory::kind(value);
        match (name.to_ascii_lowercase().as_str(), kind) {
            ("$includelinks", Kind::Bool(given)) => definition.include_links = given,
            ("reorderevents", Kind::Bool(given)) => definition.reorder_events = given,
            ("bistate", Kind::Bool(given)) => definition.bi_state = given,
            ("trackemittedstreams", Kind::Bool(_)) => {}
            ("processinglag", Kind::Int(given)) => definition.processing_lag = Some(given.into()),
            ("processinglag", Kind::Float(given)) => definition.processing_lag = Some(given as i64),
            ("resultstreamname", Kind::Text) => {
                let text = memory::with_text(value, repaired).unwrap_or_default();
                definition.result_stream = not_blank(text.into());
            }
            (
                "$includelinks"
                | "reorderevents"
                | "bistate"
                | "trackemittedstreams"
                | "processinglag"
                | "resultstreamname",
                _,
            ) => return Err(self.refuse(ctx, &format!("options: `{name}` is of the wrong kind"))),
            _ => return Err(self.refuse(ctx, &format!("options: there is no option `{name}`"))),
        }
        Ok(())
    }
}

fn not_blank(text: Arc<str>) -> Option<Arc<str>> {
    (!text.trim().is_empty()).then_some(text)
}
