//! The engine alone, fed in the fastest way that is known: the texts are read straight into its objects by the
//! fastest parser, with the keys of members kept, and one small function of the engine's own language calls the handler. It keeps
//! no states but the last, looks at nothing, and trusts the script; what we add to it is what we cost.

use std::fmt;

use rquickjs::{Array, Atom, Context, Ctx, Function, Object, Runtime, Value};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Stands for the dialect, as far as one reducer needs it.
const DRIVER: &str = r"
var handlers, state;
function fromCategory() {
  return { foreachStream: () => ({ when(given) { handlers = given; state = given.$init(); } }) };
}
function step(eventType, sequenceNumber, streamId, data) {
  const handler = handlers[eventType];
  if (handler === undefined) return;
  const event = { eventType, sequenceNumber, streamId, data, body: data, isJson: true, metadata: null };
  const returned = handler(state, event);
  if (returned !== undefined) state = returned;
}
function ended() { return JSON.stringify(state); }
";

/// Folds all events; the state as text.
pub(crate) fn fold(source: &str, stream: &str, events: &[(&str, String)]) -> rquickjs::Result<String> {
    let runtime = Runtime::new()?;
    let context = Context::full(&runtime)?;
    context.with(|ctx| {
        ctx.eval::<(), _>(DRIVER)?;
        ctx.eval::<(), _>(source)?;
        let step: Function<'_> = ctx.globals().get("step")?;
        let mut keys = Keys { ctx: ctx.clone(), known: vec![None; DRAWERS] };
        for (number, (event_type, data)) in events.iter().enumerate() {
            let mut text = sonic_rs::Deserializer::from_str(data);
            let data = Build(&mut keys).deserialize(&mut text).map_err(|_unread| rquickjs::Error::Unknown)?;
            step.call::<_, ()>((*event_type, number as i32, stream, data))?;
        }
        ctx.globals().get::<_, Function<'_>>("ended")?.call(())
    })
}

/// Keys of members, each made once as long as no other falls into its drawer.
struct Keys<'js> {
    ctx: Ctx<'js>,
    known: Vec<Option<(Box<str>, Atom<'js>)>>,
}

/// More than an event has names.
const DRAWERS: usize = 256;

/// By the ends of a name and its length: no two of the names here share a drawer.
fn drawer(name: &str) -> usize {
    let bytes = name.as_bytes();
    let at = |place: usize| bytes.get(place).copied().map_or(0, usize::from);
    let ends = at(0) * 31 + at(bytes.len() / 2) * 7 + at(bytes.len().saturating_sub(1));
    (ends * 5 + bytes.len()) % DRAWERS
}

struct Build<'a, 'js>(&'a mut Keys<'js>);

struct Key<'a, 'js>(&'a mut Keys<'js>);

impl<'de, 'js> DeserializeSeed<'de> for Build<'_, 'js> {
    type Value = Value<'js>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value<'js>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, 'js> Visitor<'de> for Build<'_, 'js> {
    type Value = Value<'js>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'js>, E> {
        Ok(Value::new_null(self.0.ctx.clone()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'js>, E> {
        Ok(Value::new_bool(self.0.ctx.clone(), value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'js>, E> {
        Ok(Value::new_number(self.0.ctx.clone(), value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'js>, E> {
        let ctx = self.0.ctx.clone();
        Ok(match i32::try_from(value) {
            Ok(value) => Value::new_int(ctx, value),
            Err(_) => Value::new_number(ctx, value as f64),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'js>, E> {
        Ok(Value::new_float(self.0.ctx.clone(), value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value<'js>, E> {
        let made = rquickjs::String::from_str(self.0.ctx.clone(), text);
        made.map(rquickjs::String::into_value).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'js>, A::Error> {
        let array = Array::new(self.0.ctx.clone()).map_err(A::Error::custom)?;
        let mut index = 0;
        while let Some(item) = items.next_element_seed(Build(self.0))? {
            array.set(index, item).map_err(A::Error::custom)?;
            index += 1;
        }
        Ok(array.into_value())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'js>, A::Error> {
        let object = Object::new(self.0.ctx.clone()).map_err(A::Error::custom)?;
        while let Some(key) = members.next_key_seed(Key(self.0))? {
            let value = members.next_value_seed(Build(self.0))?;
            object.set(key, value).map_err(A::Error::custom)?;
        }
        Ok(object.into_value())
    }
}

impl<'de, 'js> DeserializeSeed<'de> for Key<'_, 'js> {
    type Value = Atom<'js>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Atom<'js>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'js> Visitor<'_> for Key<'_, 'js> {
    type Value = Atom<'js>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Atom<'js>, E> {
        let place = drawer(name);
        if let Some(Some((known, atom))) = self.0.known.get(place)
            && **known == *name
        {
            return Ok(atom.clone());
        }
        let made = Atom::from_str(self.0.ctx.clone(), name).map_err(E::custom)?;
        if let Some(known) = self.0.known.get_mut(place) {
            *known = Some((name.into(), made.clone()));
        }
        Ok(made)
    }
}
