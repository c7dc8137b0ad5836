//! The functions that handlers may call: `emit`, `linkTo`, `linkStreamTo`, `copyTo` and `log`.
//!
//! A mistake in their arguments ends the call: no `catch` sees it.

use std::{rc::Rc, sync::Arc};

use rquickjs::{Ctx, Function, Object, Result, Value, function::Rest};

use crate::script::{
    dotnet_text::dotnet_text,
    encode::{Refusal, bigint_digits, encode},
    engine_memory::{self as memory, Access, Kind, Property},
    host::Host,
    number_text::{dotnet_number, script_number},
    repaired_text::repaired,
    step::{Emitted, Fault, Metadata},
};

/// Defines `log`, which is there from the first line of the source on.
pub(crate) fn define_log(host: &Rc<Host>, ctx: &Ctx<'_>) -> Result<()> {
    define(host, ctx, "log", log, Access::Fixed)
}

/// Defines what is there once the source is loaded.
pub(crate) fn define_outputs(host: &Rc<Host>, ctx: &Ctx<'_>) -> Result<()> {
    define(host, ctx, "emit", emit, Access::Hidden)?;
    define(host, ctx, "linkTo", link_to, Access::Hidden)?;
    define(host, ctx, "linkStreamTo", link_stream_to, Access::Hidden)?;
    define(host, ctx, "copyTo", |_, _| Ok(()), Access::Hidden)
}

fn define<'js>(
    host: &Rc<Host>,
    ctx: &Ctx<'js>,
    name: &'static str,
    body: impl Fn(&Call<'_, 'js>, &[Value<'js>]) -> Result<()> + 'js,
    access: Access,
) -> Result<()> {
    let host = Rc::clone(host);
    let function = Function::new(ctx.clone(), move |ctx: Ctx<'js>, Rest(arguments): Rest<Value<'js>>| {
        host.check_poison(&ctx)?;
        body(&Call { host: &host, ctx: &ctx }, &arguments)
    })?
    .with_name(name)?;
    memory::define(&ctx.globals(), name, function.as_value(), access)
}

/// One call of one of our functions.
struct Call<'a, 'js> {
    host: &'a Rc<Host>,
    ctx: &'a Ctx<'js>,
}

impl<'js> Call<'_, 'js> {
    fn refuse(&self, message: &str) -> rquickjs::Error {
        self.host.refuse(self.ctx, Fault::HandlerError, message)
    }

    fn refused(&self, refusal: Refusal) -> rquickjs::Error {
        match refusal {
            Refusal::Broken(fault, message) => self.host.refuse(self.ctx, fault, &message),
            Refusal::Thrown => rquickjs::Error::Exception,
        }
    }

    /// A text that is not blank.
    fn name(&self, function: &str, what: &str, argument: Option<&Value<'js>>) -> Result<Arc<str>> {
        let text = argument.and_then(|value| memory::with_text(value, repaired));
        match text {
            Some(text) if !text.trim().is_empty() => Ok(text.into()),
            Some(_) => Err(self.refuse(&format!("{function}: the {what} is blank"))),
            None => Err(self.refuse(&format!("{function}: the {what} is not a text"))),
        }
    }

    fn object(&self, function: &str, what: &str, argument: Option<&Value<'js>>) -> Result<Object<'js>> {
        match argument.and_then(Value::as_object) {
            Some(object) => Ok(object.clone()),
            None => Err(self.refuse(&format!("{function}: the {what} is not an object"))),
        }
    }

    fn text(&self, value: &Value<'js>) -> Result<String> {
        let json = encode(self.host, value, None).map_err(|refusal| self.refused(refusal))?;
        Ok(dotnet_text(&json.unwrap_or_default()))
    }

    /// Names and texts of an object. What is undefined is left out, or null.
    fn metadata(&self, object: &Object<'js>, keeps_undefined: bool) -> Result<Metadata> {
        let keys = memory::own_keys(object)?;
        let mut entries = Metadata::new();
        for key in keys.iter() {
            let name = self.host.names.borrow_mut().name(key);
            let Some(name) = name else { return Err(self.refuse("metadata: a name is a symbol")) };
            let value = match keys.property(key)? {
                None => continue,
                Some(Property::Data(value)) => value,
                Some(Property::Accessor) => return Err(self.refuse("metadata: a value has a getter")),
            };
            let text = match memory::kind(&value) {
                Kind::Undefined if !keeps_undefined => continue,
                Kind::Undefined | Kind::Null => None,
                Kind::Text => memory::with_text(&value, repaired),
                Kind::Bool(value) => Some(value.to_string()),
                Kind::Int(number) => Some(number.to_string()),
                Kind::Float(number) => Some(dotnet_number(number)),
                Kind::BigInt | Kind::Symbol | Kind::Object | Kind::Other => Some(self.text(&value)?),
            };
            entries.push((name, text.map(Arc::from)));
        }
        Ok(entries)
    }
}

fn emit<'js>(call: &Call<'_, 'js>, arguments: &[Value<'js>]) -> Result<()> {
    if arguments.len() < 3 {
        return Err(call.refuse("emit needs a stream, an event type and a body"));
    }
    let stream = call.name("emit", "stream", arguments.first())?;
    let event_type = call.name("emit", "event type", arguments.get(1))?;
    let body = call.object("emit", "body", arguments.get(2))?;
    let data = call.text(body.as_value())?;
    let metadata = if arguments.len() == 4 {
        let object = call.object("emit", "metadata", arguments.get(3))?;
        Some(call.metadata(&object, false)?)
    } else {
        None
    };
    let event = Emitted { stream, event_type, data: data.into(), is_json: true, is_link: false, metadata };
    call.host.emit(event);
    Ok(())
}

fn link_to<'js>(call: &Call<'_, 'js>, arguments: &[Value<'js>]) -> Result<()> {
    if !matches!(arguments.len(), 2 | 3) {
        return Err(call.refuse("linkTo needs a stream and an event, and takes metadata"));
    }
    let stream = call.name("linkTo", "stream", arguments.first())?;
    let event = call.object("linkTo", "event", arguments.get(1))?;
    let source: Value<'js> = event.get("streamId")?;
    let number: Value<'js> = event.get("sequenceNumber")?;
    let (Some(source), Some(number)) = (memory::with_text(&source, repaired), number.as_number()) else {
        return Err(call.refuse("linkTo: the event has no text `streamId` and number `sequenceNumber`"));
    };
    let metadata = match arguments.get(2) {
        None => None,
        Some(given) => Some(call.metadata(&call.object("linkTo", "metadata", Some(given))?, true)?),
    };
    call.host.emit(Emitted {
        stream,
        event_type: "$>".into(),
        data: format!("{}@{source}", number as i64).into(),
        is_json: false,
        is_link: true,
        metadata,
    });
    Ok(())
}

fn link_stream_to<'js>(call: &Call<'_, 'js>, arguments: &[Value<'js>]) -> Result<()> {
    let stream = call.name("linkStreamTo", "stream", arguments.first())?;
    let target = call.name("linkStreamTo", "target stream", arguments.get(1))?;
    // Metadata was meant to be the third, but no value works there.
    if arguments.len() == 3 {
        return Err(call.refuse("linkStreamTo takes no third argument"));
    }
    call.host.emit(Emitted {
        stream,
        event_type: "$@".into(),
        data: target,
        is_json: false,
        is_link: false,
        metadata: None,
    });
    Ok(())
}

/// One value is one line. Of several each primitive is a line of its own at once, and all objects
/// together are one last line.
fn log<'js>(call: &Call<'_, 'js>, arguments: &[Value<'js>]) -> Result<()> {
    if let [only] = arguments {
        let line = match primitive_text(call.ctx, only)? {
            Some(line) => line,
            None => call.text(only)?,
        };
        call.host.log(line);
        return Ok(());
    }
    if arguments.is_empty() {
        return Ok(());
    }
    let mut joined = String::new();
    for (index, argument) in arguments.iter().enumerate() {
        if index > 1 {
            joined.push_str(" ,");
        }
        match primitive_text(call.ctx, argument)? {
            Some(line) => call.host.log(line),
            None => joined.push_str(&call.text(argument)?),
        }
    }
    call.host.log(joined);
    Ok(())
}

/// `String(value)` of what is no object.
fn primitive_text<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Option<String>> {
    Ok(match memory::kind(value) {
        Kind::Undefined => Some("undefined".to_owned()),
        Kind::Null | Kind::Other => Some("null".to_owned()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Int(number) => Some(number.to_string()),
        Kind::Float(number) => Some(if number == 0.0 { "0".to_owned() } else { script_number(number) }),
        Kind::Text => Some(memory::with_text(value, repaired).unwrap_or_default()),
        Kind::BigInt => bigint_digits(value),
        Kind::Symbol => Some(symbol_text(ctx, value)?),
        Kind::Object => None,
    })
}

fn symbol_text<'js>(_ctx: &Ctx<'js>, value: &Value<'js>) -> Result<String> {
    let Some(symbol) = value.as_symbol() else { return Ok(String::new()) };
    let description = symbol.description()?;
    let text = memory::with_text(&description, repaired).unwrap_or_default();
    Ok(format!("Symbol({text})"))
}
