//! Writes a script's value as JSON, by the dialect's own rules: hidden properties count, `toJSON` does
//! not, getters and symbols are refused.
//!
//! The tree that comes out shares every part with the previous tree that did not change.

use std::sync::Arc;

use rquickjs::{Object, Value};

use crate::{
    model::{Array, Json, Number},
    script::{
        dotnet_text::dotnet_text,
        engine_memory::{self as memory, Kind, Property},
        event_object::{MAX_DEPTH, read_all_late},
        host::Host,
        number_text::script_number,
        repaired_text::repaired,
        step::Fault,
    },
};

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It breaks a rule.
    Broken(Fault, Arc<str>),
    /// Reading it threw, or the call is a fault already: the exception is pending in the engine.
    Thrown,
}

impl From<rquickjs::Error> for Refusal {
    fn from(_: rquickjs::Error) -> Self {
        Self::Thrown
    }
}

type Encoded<T> = Result<T, Refusal>;

/// The value as JSON; nothing if it is undefined. `previous` is what it is compared with.
pub(crate) fn encode(host: &Host, value: &Value<'_>, previous: Option<&Json>) -> Encoded<Option<Json>> {
    let limit = host.options.limits.state;
    let mut encoder =
        Encoder { host, open: Vec::new(), least_size: 0, limit, scratch: String::new(), nodes: 0 };
    let json = encoder.value(value, previous)?;
    // Counted exactly only where it may matter: no character takes more than six bytes.
    if let Some(json) = &json
        && encoder.least_size.saturating_mul(6) > limit
        && dotnet_text(json).len() > limit
    {
        return Err(encoder.too_large());
    }
    Ok(json)
}

struct Encoder<'a> {
    host: &'a Host,
    /// The addresses of the objects that are being written.
    open: Vec<usize>,
    /// No fewer bytes than so many.
    least_size: usize,
    limit: usize,
    scratch: String,
    nodes: usize,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value<'_>, previous: Option<&Json>) -> Encoded<Option<Json>> {
        let json = match memory::kind(value) {
            Kind::Undefined => return Ok(None),
            Kind::Null | Kind::Other => {
                self.grow(4)?;
                Json::Null
            }
            Kind::Bool(value) => {
                self.grow(4)?;
                Json::Bool(value)
            }
            Kind::Int(number) => self.int(number, previous)?,
            Kind::Float(number) => self.float(number, previous)?,
            Kind::Text => self.text(value, previous)?,
            Kind::BigInt => {
                let digits = bigint_digits(value).ok_or(Refusal::Thrown)?;
                self.grow(digits.len())?;
                same_text(digits.as_bytes(), previous).unwrap_or_else(|| Json::from(digits))
            }
            Kind::Symbol => return Err(broken("a symbol cannot be written as JSON")),
            Kind::Object => {
                let Some(object) = value.as_object() else { return Ok(Some(Json::Null)) };
                self.nested(object, previous)?
            }
        };
        Ok(Some(json))
    }

    fn grow(&mut self, bytes: usize) -> Encoded<()> {
        self.least_size += bytes;
        self.nodes += 1;
        if self.nodes.is_multiple_of(4096) && self.host.must_stop() {
            return Err(Refusal::Thrown);
        }
        if self.least_size > self.limit { Err(self.too_large()) } else { Ok(()) }
    }

    fn too_large(&self) -> Refusal {
        broken(&format!("the value takes more than the {} bytes allowed", self.limit))
    }

    fn int(&mut self, number: i32, previous: Option<&Json>) -> Encoded<Json> {
        use std::fmt::Write as _;
        self.scratch.clear();
        // Writing to a string cannot fail.
        write!(self.scratch, "{number}").ok();
        self.grow(self.scratch.len())?;
        Ok(self.number(previous))
    }

    fn float(&mut self, number: f64, previous: Option<&Json>) -> Encoded<Json> {
        if !number.is_finite() {
            if self.host.options.is_mended() {
                return Ok(Json::Null);
            }
            return Err(broken(&format!("{} is not a JSON value", script_number(number))));
        }
        self.grow(1)?;
        self.scratch = script_number(number);
        Ok(self.number(previous))
    }

    /// The number whose text is in `scratch`.
    fn number(&self, previous: Option<&Json>) -> Json {
        match previous {
            Some(Json::Number(before)) if before.as_str() == self.scratch => Json::Number(before.clone()),
            _ => Json::Number(Number::from_valid(&self.scratch)),
        }
    }

    fn text(&mut self, value: &Value<'_>, previous: Option<&Json>) -> Encoded<Json> {
        let (json, size) = memory::with_text(value, |text| match same_text(text, previous) {
            Some(json) => (json, text.len()),
            None => (Json::from(repaired(text)), text.len()),
        })
        .ok_or(Refusal::Thrown)?;
        // Three bytes at most for what may come out as one replacement character of six.
        self.grow(size + 2)?;
        Ok(json)
    }

    fn nested(&mut self, object: &Object<'_>, previous: Option<&Json>) -> Encoded<Json> {
        let address = memory::address(object.as_value());
        if self.open.contains(&address) {
            return Err(broken("a value that contains itself cannot be written as JSON"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(broken(&format!("the value is nested deeper than {MAX_DEPTH} levels")));
        }
        if self.host.is_event(object.as_value()) {
            read_all_late(object)?;
        }
        self.grow(2)?;
        self.open.push(address);
        let json =
            if object.is_array() { self.array(object, previous)? } else { self.object(object, previous)? };
        self.open.pop();
        Ok(json)
    }

    fn array(&mut self, object: &Object<'_>, previous: Option<&Json>) -> Encoded<Json> {
        let before = match previous {
            Some(Json::Array(items)) => Some(items),
            _ => None,
        };
        let length: f64 = object.get("length")?;
        let length = length as u32;
        let mut items: Option<Vec<Json>> = None;
        for index in 0..length {
            let place = index as usize;
            let old = before.and_then(|items| items.get(place));
            let item = match memory::own_item(object, index)? {
                Some(Property::Data(value)) => self.value(&value, old)?,
                Some(Property::Accessor) => return Err(getter()),
                None => None,
            };
            let item = match item {
                Some(item) => item,
                None => {
                    self.grow(5)?;
                    Json::Null
                }
            };
            keep(&mut items, before, place, item);
        }
        Ok(match (items, before) {
            (Some(items), Some(before)) => Json::Array(Array::sharing(items, before)),
            (Some(items), None) => Json::Array(items.into()),
            (None, before) => {
                let mut items = before.cloned().unwrap_or_default();
                items.truncate(length as usize);
                Json::Array(items)
            }
        })
    }

    fn object(&mut self, object: &Object<'_>, previous: Option<&Json>) -> Encoded<Json> {
        let before = match previous {
            Some(Json::Object(before)) => Some(before),
            _ => None,
        };
        let keys = memory::own_keys(object)?;
        let mut members: Option<Vec<(Arc<str>, Json)>> = None;
        let mut count = 0;
        for key in keys.iter() {
            let name = self.host.names.borrow_mut().name(key);
            let Some(name) = name else {
                return Err(Refusal::Broken(
                    Fault::HandlerError,
                    "a symbol cannot be the name of a member".into(),
                ));
            };
            let Some(property) = keys.property(key)? else { continue };
            let Property::Data(value) = property else { return Err(getter()) };
            let old = before.and_then(|before| before.member(count)).filter(|(known, _)| **known == name);
            let Some(member) = self.value(&value, old.map(|(_, value)| value))? else { continue };
            self.grow(name.len() + 3)?;
            let is_same = old.is_some_and(|(_, value)| is_same(value, &member));
            match (&mut members, is_same) {
                (None, true) => {}
                (None, false) => {
                    let mut started: Vec<(Arc<str>, Json)> = Vec::with_capacity(keys.len());
                    let unchanged = before.into_iter().flat_map(|before| before.iter()).take(count);
                    started.extend(unchanged.map(|(name, value)| (Arc::clone(name), value.clone())));
                    started.push((old.map_or(name, |(known, _)| Arc::clone(known)), member));
                    members = Some(started);
                }
                (Some(members), _) => {
                    members.push((old.map_or(name, |(known, _)| Arc::clone(known)), member));
                }
            }
            count += 1;
        }
        Ok(match (members, before) {
            (Some(members), _) => Json::Object(Arc::new(members.into_iter().collect())),
            (None, Some(before)) if before.len() == count => Json::Object(Arc::clone(before)),
            (None, before) => {
                let all = before.into_iter().flat_map(|before| before.iter()).take(count);
                Json::object(all.map(|(name, value)| (Arc::clone(name), value.clone())))
            }
        })
    }
}

/// Adds an item, starting an own list only when it differs from what stood there before.
fn keep(items: &mut Option<Vec<Json>>, before: Option<&Array>, place: usize, item: Json) {
    let old = before.and_then(|before| before.get(place));
    if items.is_none() && old.is_some_and(|old| is_same(old, &item)) {
        return;
    }
    let start = || before.into_iter().flatten().take(place).cloned().collect();
    items.get_or_insert_with(start).push(item);
}

/// Whether the new value is the old one: it was shared wherever it was equal.
fn is_same(old: &Json, new: &Json) -> bool {
    match (old, new) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(old), Json::Bool(new)) => old == new,
        (Json::Number(old), Json::Number(new)) => old.as_str() == new.as_str(),
        (old, new) => old.is_same_node(new),
    }
}

fn same_text(text: &[u8], previous: Option<&Json>) -> Option<Json> {
    match previous {
        Some(Json::Text(before)) if before.as_bytes() == text => Some(Json::Text(Arc::clone(before))),
        _ => None,
    }
}

fn broken(message: &str) -> Refusal {
    Refusal::Broken(Fault::StateSerialization, message.into())
}

fn getter() -> Refusal {
    Refusal::Broken(Fault::HandlerError, "a getter cannot be written as JSON".into())
}

/// The decimal digits of a big integer.
pub(crate) fn bigint_digits(value: &Value<'_>) -> Option<String> {
    let text: rquickjs::Coerced<String> = value.get().ok()?;
    Some(text.0)
}
