//! Values of the engine, made of JSON texts at once.

use rquickjs::{Ctx, Error, Result, Value};

use crate::script::{
    engine_memory::{Atom, Atoms, Made, Maker},
    event_object::MAX_DEPTH,
    host::Host,
    json_scan::{EXACT, is_number, number_length, plain_length},
    number_text::small_number,
    shapes::{Kind, Shapes},
};

/// Builds the value that a JSON text says, without a tree in between.
///
/// Nothing for a text that needs a closer look: one that is not JSON, or too deep, or spells characters by
/// number, or has numbers of so many digits that some may be lost.
pub(crate) fn build_text<'js>(ctx: &Ctx<'js>, host: &Host, text: &str) -> Option<Result<Value<'js>>> {
    let mut reader = Reader {
        ctx,
        maker: Maker::of(ctx),
        atoms: &mut host.atoms.borrow_mut(),
        shapes: &mut host.shapes.borrow_mut(),
        text: text.as_bytes(),
        at: 0,
        depth: 0,
        scratch: Vec::new(),
    };
    let made = match reader.value() {
        Ok(made) => made,
        Err(Stop::Odd) => return None,
        Err(Stop::Thrown(err)) => return Some(Err(err)),
    };
    reader.spaces();
    (reader.at == text.len()).then(|| Ok(made.into_value(ctx)))
}

/// Why reading went no further.
enum Stop {
    /// Somebody else has to look.
    Odd,
    /// The engine threw.
    Thrown(Error),
}

impl From<Error> for Stop {
    fn from(err: Error) -> Self {
        Self::Thrown(err)
    }
}

type Read<T> = std::result::Result<T, Stop>;

struct Reader<'a, 'js> {
    ctx: &'a Ctx<'js>,
    maker: Maker<'js>,
    atoms: &'a mut Atoms,
    shapes: &'a mut Shapes,
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// A text that has to be put together.
    scratch: Vec<u8>,
}

impl<'js> Reader<'_, 'js> {
    fn value(&mut self) -> Read<Made<'js>> {
        self.spaces();
        match self.text.get(self.at) {
            Some(b'{') => self.nested(true),
            Some(b'[') => self.nested(false),
            Some(b'"') => self.text_value(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", self.maker.bool(true)),
            Some(b'f') => self.word(b"false", self.maker.bool(false)),
            Some(b'n') => self.word(b"null", self.maker.null()),
            _ => Err(Stop::Odd),
        }
    }

    fn nested(&mut self, is_object: bool) -> Read<Made<'js>> {
        if self.depth == MAX_DEPTH {
            return Err(Stop::Odd);
        }
        self.depth += 1;
        self.at += 1;
        let made = if is_object { self.object()? } else { self.array()? };
        self.depth -= 1;
        Ok(made)
    }

    fn object(&mut self) -> Read<Made<'js>> {
        let object = self.maker.object()?;
        self.spaces();
        if self.skip(b'}') {
            return Ok(object);
        }
        let mut kind = Kind::default();
        loop {
            self.spaces();
            let name = self.name()?;
            kind.add(name.key());
            self.spaces();
            if !self.skip(b':') {
                return Err(Stop::Odd);
            }
            object.define(&name, self.value()?)?;
            self.spaces();
            if self.skip(b'}') {
                return self.known(object, kind);
            }
            if !self.skip(b',') {
                return Err(Stop::Odd);
            }
        }
    }

    /// An object that is whole, after its shape was kept.
    fn known(&mut self, object: Made<'js>, kind: Kind) -> Read<Made<'js>> {
        if !self.shapes.wants(kind) {
            return Ok(object);
        }
        let object = object.into_value(self.ctx);
        if let Some(object) = object.as_object() {
            self.shapes.keep(object)?;
        }
        Ok(Made::of(&object))
    }

    fn array(&mut self) -> Read<Made<'js>> {
        let array = self.maker.array()?;
        self.spaces();
        if self.skip(b']') {
            return Ok(array);
        }
        let mut index = 0;
        loop {
            array.define_item(index, self.value()?)?;
            index += 1;
            self.spaces();
            if self.skip(b']') {
                return Ok(array);
            }
            if !self.skip(b',') {
                return Err(Stop::Odd);
            }
        }
    }

    fn name(&mut self) -> Read<Atom<'js>> {
        if self.text.get(self.at) != Some(&b'"') {
            return Err(Stop::Odd);
        }
        let (start, end) = self.run()?;
        let name = self.text.get(start..end).unwrap_or_default();
        if !self.skip(b'"') {
            return Err(Stop::Odd);
        }
        Ok(self.atoms.atom(self.maker, name)?)
    }

    fn text_value(&mut self) -> Read<Made<'js>> {
        let (start, end) = self.run()?;
        if !self.skip(b'"') {
            return self.escaped(start, end);
        }
        Ok(self.maker.text(self.text.get(start..end).unwrap_or_default())?)
    }

    /// A text in which something is escaped, after its first plain characters.
    fn escaped(&mut self, start: usize, end: usize) -> Read<Made<'js>> {
        self.scratch.clear();
        self.scratch.extend_from_slice(self.text.get(start..end).unwrap_or_default());
        loop {
            if !self.skip(b'\\') {
                return Err(Stop::Odd);
            }
            let escape = self.text.get(self.at).ok_or(Stop::Odd)?;
            self.scratch.push(match escape {
                b'"' | b'\\' | b'/' => *escape,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => return Err(Stop::Odd),
            });
            // What follows is read as if a text began here.
            let (start, end) = self.run()?;
            self.scratch.extend_from_slice(self.text.get(start..end).unwrap_or_default());
            if self.skip(b'"') {
                return Ok(self.maker.text(&self.scratch)?);
            }
        }
    }

    /// The plain characters behind the next one: where they begin and end.
    fn run(&mut self) -> Read<(usize, usize)> {
        let start = self.at + 1;
        let rest = self.text.get(start..).ok_or(Stop::Odd)?;
        let end = start + plain_length(rest).ok_or(Stop::Odd)?;
        self.at = end;
        Ok((start, end))
    }

    fn number(&mut self) -> Read<Made<'js>> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = number_length(rest);
        let text = rest.get(..length).and_then(|number| std::str::from_utf8(number).ok()).ok_or(Stop::Odd)?;
        if length > EXACT || !is_number(text.as_bytes()) {
            return Err(Stop::Odd);
        }
        self.at += length;
        if let Some(small) = small_number(text) {
            return Ok(self.maker.int(small));
        }
        Ok(self.maker.float(text.parse().ok().ok_or(Stop::Odd)?))
    }

    fn word(&mut self, word: &[u8], value: Made<'js>) -> Read<Made<'js>> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Stop::Odd);
        }
        self.at += word.len();
        Ok(value)
    }

    fn spaces(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn skip(&mut self, expected: u8) -> bool {
        let is_there = self.text.get(self.at) == Some(&expected);
        self.at += usize::from(is_there);
        is_there
    }
}
