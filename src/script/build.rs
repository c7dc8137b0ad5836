//! Values of the engine, made of our trees. `build_text` makes them of texts at once.

use rquickjs::{Ctx, Result, Value};

use crate::{
    model::{Array, Json, Number, Object},
    script::{
        engine_memory::{Atoms, Made, Maker},
        number_text::small_number,
        rounding::is_exact,
    },
};

/// Builds the value that reading the text of `json` would give, with no keys kept.
pub(crate) fn build_once<'js>(ctx: &Ctx<'js>, json: &Json) -> Result<Value<'js>> {
    build(ctx, &mut Atoms::default(), json).map(|(value, _)| value)
}

/// Builds the value that reading the text of `json` would give.
/// Tells beside it whether some number lost digits.
pub(crate) fn build<'js>(ctx: &Ctx<'js>, atoms: &mut Atoms, json: &Json) -> Result<(Value<'js>, bool)> {
    let mut builder = Builder { maker: Maker::of(ctx), atoms, lost_digits: false };
    let made = builder.value(json)?;
    Ok((made.into_value(ctx), builder.lost_digits))
}

struct Builder<'a, 'js> {
    maker: Maker<'js>,
    atoms: &'a mut Atoms,
    lost_digits: bool,
}

impl<'js> Builder<'_, 'js> {
    fn value(&mut self, json: &Json) -> Result<Made<'js>> {
        match json {
            Json::Null => Ok(self.maker.null()),
            Json::Bool(value) => Ok(self.maker.bool(*value)),
            Json::Number(number) => Ok(self.number(number)),
            Json::Text(text) => self.maker.text(text.as_bytes()),
            Json::Array(items) => self.array(items),
            Json::Object(object) => self.object(object),
        }
    }

    fn number(&mut self, number: &Number) -> Made<'js> {
        let text = number.as_str();
        if let Some(small) = small_number(text) {
            return self.maker.int(small);
        }
        let value = number.as_f64();
        // Fifteen digits always fit.
        if text.len() > 15 && !is_exact(text, value) {
            self.lost_digits = true;
        }
        self.maker.float(value)
    }

    fn array(&mut self, items: &Array) -> Result<Made<'js>> {
        let array = self.maker.array()?;
        for (index, item) in (0_u32..).zip(items) {
            array.define_item(index, self.value(item)?)?;
        }
        Ok(array)
    }

    fn object(&mut self, members: &Object) -> Result<Made<'js>> {
        let object = self.maker.object()?;
        for (name, member) in members.iter() {
            let value = self.value(member)?;
            object.define(&self.atoms.atom(self.maker, name.as_bytes())?, value)?;
        }
        Ok(object)
    }
}
