//! Objects that are kept so that the engine need not learn the members of every event anew.
//!
//! Objects that got the same members in the same order share one description of these, their shape. The engine
//! makes it member by member, and forgets it with the last object that has it. What an event holds lives for one
//! call, so that would be done for each event. Therefore of each kind of object that events hold one is kept here,
//! and one for each beginning of its members. No script sees them.

use rquickjs::{Ctx, Error, Object, Persistent, Result};

use crate::script::{
    engine_memory::{Key, Maker, own_keys},
    spread::{mixed, place_of},
};

/// Objects of which each shape is the one of some kind of object, or of a beginning of its members.
#[derive(Default)]
pub(crate) struct Shapes {
    kept: Vec<Persistent<Object<'static>>>,
    /// So many are kept at most.
    most: usize,
    /// Those that were kept, each at its place; where two meet, the first one stays.
    kinds: Vec<Kind>,
}

/// The members of an object in their order, as a number. The default has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kind(u64);

/// So many objects are kept at most, and one for so much of the memory that an engine may take.
const MOST: usize = 2048;
const MEMORY_FOR_ONE: usize = 64 << 10;

/// Objects of more members are not.
const MOST_MEMBERS: usize = 32;

/// More than the kinds of objects that events of one store hold.
const PLACES: usize = 512;

impl Kind {
    /// The members before, and this one.
    #[inline]
    pub(crate) fn add(&mut self, key: Key) {
        self.0 = mixed(self.0, key.place() as u64);
    }
}

impl Shapes {
    /// For an engine that may take so many bytes.
    pub(crate) fn within(memory: usize) -> Self {
        let most = MOST.min(memory / MEMORY_FOR_ONE);
        Self { kept: Vec::new(), most, kinds: vec![Kind::default(); PLACES] }
    }

    /// Whether an object of the kind is to be [kept](Self::keep). Says so once.
    #[inline]
    pub(crate) fn wants(&mut self, kind: Kind) -> bool {
        let Some(known) = self.kinds.get_mut(place_of(kind.0, PLACES)) else { return false };
        let is_new = *known == Kind::default() && self.kept.len() < self.most;
        if is_new {
            *known = kind;
        }
        is_new
    }

    /// Keeps objects that got the members of this one. Fails if memory runs out.
    pub(crate) fn keep(&mut self, object: &Object<'_>) -> Result<()> {
        let keys = own_keys(object)?;
        // Whole numbers are not listed in the order in which they came.
        if keys.len() > MOST_MEMBERS || keys.iter().any(|key| key.key().index().is_some()) {
            return Ok(());
        }
        for count in 1..=keys.len() {
            let kept =
                beginning(object.ctx(), keys.iter().take(count).map(|key| key.with_name(<[u8]>::to_vec)))?;
            self.kept.push(Persistent::save(object.ctx(), kept));
        }
        Ok(())
    }
}

/// An object with these members.
fn beginning<'js>(ctx: &Ctx<'js>, names: impl Iterator<Item = Option<Vec<u8>>>) -> Result<Object<'js>> {
    let maker = Maker::of(ctx);
    let object = maker.object()?;
    for name in names {
        object.define(&maker.atom(&name.ok_or(Error::Allocation)?)?, maker.null())?;
    }
    object.into_value(ctx).into_object().ok_or(Error::Unknown)
}

#[cfg(test)]
mod tests {
    use rquickjs::Persistent;

    use crate::{
        script::{build_text::build_text, engine::Engine, options::Options},
        work::Work,
    };

    fn engine(memory: usize) -> Engine {
        let mut options = Options::default();
        options.limits.memory = memory;
        Engine::new("none.js", &options, &Work::default()).unwrap()
    }

    fn read(engine: &Engine, text: &str) {
        engine.with(|ctx| drop(build_text(ctx, &engine.host, text).unwrap().unwrap()));
    }

    /// How many shapes the engine makes for what a text says.
    fn made_for(engine: &Engine, text: &str) -> i64 {
        let shapes = || engine.runtime().memory_usage().shape_count;
        let before = shapes();
        let value = engine.with(|ctx| Persistent::save(ctx, ctx.json_parse(text).unwrap()));
        let made = shapes() - before;
        drop(value);
        made
    }

    #[test]
    fn no_shape_is_made_for_what_events_held_before() {
        let engine = engine(64 << 20);
        let order = r#"{"order":1,"lines":[{"sku":"a","count":2}],"total":3}"#;
        assert_eq!(made_for(&engine, order), 2);
        read(&engine, order);
        assert_eq!(made_for(&engine, order), 0);
        read(&engine, order);
        let other_order = r#"{"total":3,"order":1}"#;
        assert_eq!(made_for(&engine, other_order), 1);
    }

    #[test]
    fn an_engine_that_may_take_little_keeps_few() {
        let engine = engine(1 << 20);
        let most = (1 << 20) / super::MEMORY_FOR_ONE;
        for number in 0..100 {
            read(&engine, &format!("{{\"a{number}\":1,\"b\":2}}"));
        }
        let kept = engine.host.shapes.borrow().kept.len();
        assert!(kept > 0 && kept <= most + super::MOST_MEMBERS, "{kept} of {most}");
    }

    #[test]
    fn whole_numbers_and_many_members_are_left_alone() {
        let engine = engine(64 << 20);
        let many: Vec<String> = (0..40).map(|number| format!("\"m{number}\":{number}")).collect();
        for text in [r#"{"b":1,"7":2,"a":3}"#, &format!("{{{}}}", many.join(",")), "{}"] {
            read(&engine, text);
            assert!(engine.host.shapes.borrow().kept.is_empty(), "{text}");
        }
    }
}
