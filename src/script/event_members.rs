//! The kind of object that an event is to a script: its members are made when somebody reads them.
//!
//! Most handlers read two or three of fifteen. So nothing is there at first but the promise of eleven
//! members, and of four that join them when they are read; what is asked about them is answered from what
//! the object keeps. As soon as a script does anything to the object's own properties, all that it has by
//! then become ordinary ones, in their order, and the engine goes on alone.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use rquickjs::{Ctx, Object, Result, Value};

use crate::script::{
    engine_memory::{
        Access, Anchor, Asks, Call, Class, Exotic, Key, MOST_MEMBERS, Maker, Property, class_of, define,
        own_property,
    },
    event_object::{self, EventCell, LATE, MEMBERS},
};

/// Members in all.
const ALL: usize = MEMBERS.len() + LATE.len();
const _: () = assert!(ALL <= MOST_MEMBERS);

/// The kind of object that an event is to a script, and the keys of its members, late ones last.
pub(crate) struct EventClass {
    class: Class<Event>,
    keys: [Key; ALL],
}

/// What an event object is made with.
struct Event {
    cell: EventCell,
    keys: [Key; ALL],
    /// Late members in the order in which they were first read.
    late: RefCell<Vec<usize>>,
    /// Whether the members are ordinary properties by now.
    is_settled: Cell<bool>,
}

impl EventClass {
    /// Makes the kind known to an engine. Once for each engine.
    pub(crate) fn register(ctx: &Ctx<'_>, anchor: &Rc<Anchor>) -> Result<Self> {
        let class = Class::register(ctx, anchor)?;
        let mut keys = [Key::default(); ALL];
        for (key, name) in keys.iter_mut().zip(MEMBERS.iter().chain(&LATE)) {
            *key = Maker::of(ctx).atom(name.as_bytes())?.keep();
        }
        Ok(Self { class, keys })
    }

    pub(crate) fn is_event(&self, value: &Value<'_>) -> bool {
        class_of(value) == self.class.id()
    }

    /// An event object of which nothing has been read yet.
    pub(crate) fn new_object<'js>(&self, prototype: &Object<'js>, cell: EventCell) -> Result<Object<'js>> {
        let event = Event { cell, keys: self.keys, late: RefCell::default(), is_settled: Cell::new(false) };
        self.class.new_object(prototype, event)
    }
}

impl Event {
    fn place_of(&self, key: Key) -> Option<usize> {
        self.keys.iter().position(|known| *known == key)
    }

    /// Whether that member is one of the object's own.
    fn is_own(&self, place: usize) -> bool {
        place < MEMBERS.len() || self.late.borrow().contains(&place)
    }

    /// The value of a member.
    fn value<'js>(&self, call: &Call<'_, 'js>, place: usize) -> Result<Value<'js>> {
        if let Some(made) = call.kept(place) {
            return Ok(made);
        }
        let late = place.checked_sub(MEMBERS.len());
        let value = match late {
            None => event_object::read_member(&self.cell, &call.ctx, place)?,
            Some(late) => match self.twin(call, late)? {
                Some(value) => value,
                None => {
                    let name = LATE.get(late).copied().unwrap_or_default();
                    event_object::read_late(&self.cell, &call.ctx, name)?
                }
            },
        };
        if late.is_none() || call.is_extensible() {
            if late.is_some() {
                self.late.borrow_mut().push(place);
            }
            call.keep(place, &value);
        }
        Ok(value)
    }

    /// `body` and `data` are one value: what was read under the one name is taken for the other.
    fn twin<'js>(&self, call: &Call<'_, 'js>, late: usize) -> Result<Option<Value<'js>>> {
        let other = match LATE.get(late).copied() {
            Some("body") => "data",
            Some("data") => "body",
            _ => return Ok(None),
        };
        if !self.is_settled.get() {
            let place = LATE.iter().position(|name| *name == other);
            return Ok(place.and_then(|place| call.kept(MEMBERS.len() + place)));
        }
        // By now it may be anything that the script has put there.
        Ok(match own_property(&call.object()?, other) {
            Ok(Some(Property::Data(value))) => Some(value),
            Ok(Some(Property::Accessor) | None) | Err(_) => None,
        })
    }

    /// Makes ordinary properties of all members that the object has. Nothing of the script runs.
    fn settle(&self, call: &Call<'_, '_>) -> Result<()> {
        if self.is_settled.get() {
            return Ok(());
        }
        let object = call.object()?;
        for name in self.names() {
            let place = MEMBERS.iter().chain(&LATE).position(|known| *known == name);
            let value = self.value(call, place.unwrap_or_default())?;
            define(&object, name, &value, Access::Settled)?;
        }
        self.is_settled.set(true);
        Ok(())
    }
}

impl Exotic for Event {
    fn get<'js>(&self, call: &Call<'_, 'js>, key: Key) -> Result<Option<Value<'js>>> {
        let Some(place) = self.place_of(key) else { return Ok(None) };
        let value = self.value(call, place)?;
        if self.is_settled.get()
            && self.is_own(place)
            && let Some(name) = MEMBERS.iter().chain(&LATE).nth(place)
        {
            // If it cannot be, the value is the same.
            define(&call.object()?, name, &value, Access::Settled).ok();
        }
        Ok(Some(value))
    }

    fn has(&self, key: Key) -> bool {
        !self.is_settled.get() && self.place_of(key).is_some_and(|place| self.is_own(place))
    }

    fn names(&self) -> Vec<&'static str> {
        if self.is_settled.get() {
            return Vec::new();
        }
        let late = self.late.borrow();
        let name = |place: &usize| LATE.get(place - MEMBERS.len()).copied();
        MEMBERS.iter().copied().chain(late.iter().filter_map(name)).collect()
    }

    fn define(&self, call: &Call<'_, '_>, key: Key, asks: Asks) -> Result<bool> {
        if call.is_extensible() {
            self.settle(call)?;
        }
        // Nothing else is asked of the members of an object that was sealed or frozen before they became
        // ordinary.
        Ok(self.has(key) && asks.for_what_is_shown())
    }
}
