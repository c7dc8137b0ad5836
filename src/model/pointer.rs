//! Paths into a JSON value, written as JSON Pointers (RFC 6901).

use std::{fmt, sync::Arc};

use crate::model::Json;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// An item of an array, counted from 0.
    Index(usize),
    /// A member of an object.
    Name(Arc<str>),
}

/// A path from the root of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pointer(Vec<Segment>);

impl Pointer {
    /// The path to the whole value.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path one step further.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The path one step back; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The steps from the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether `self` leads to `other` or to something that contains it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Reads `/items/0/name`. Digits are a member name where the value has an object there, which
    /// only [`Pointer::resolve`] can know, so they are kept as an index and match both.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let segments = text.strip_prefix('/')?.split('/').map(|part| {
            let name = part.replace("~1", "/").replace("~0", "~");
            match name.parse::<usize>() {
                Ok(index) if index.to_string() == name => Segment::Index(index),
                _ => Segment::Name(name.into()),
            }
        });
        Some(Self(segments.collect()))
    }

    /// Reads a path as a user types it: `/items/0`, `items.0`, `$.items.0` or `status`.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.starts_with('/') {
            return Self::parse(text);
        }
        Self::parse(&format!("/{}", text.trim_start_matches("$.").replace('.', "/")))
    }

    /// The value it leads to.
    #[must_use]
    pub fn resolve<'a>(&self, value: &'a Json) -> Option<&'a Json> {
        self.0.iter().try_fold(value, |value, segment| match (value, segment) {
            (Json::Array(items), Segment::Index(index)) => items.get(*index),
            (Json::Object(object), Segment::Name(name)) => object.get(name),
            (Json::Object(object), Segment::Index(index)) => object.get(&index.to_string()),
            _ => None,
        })
    }
}

impl FromIterator<Segment> for Pointer {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => index.fmt(f),
            Self::Name(name) => f.write_str(&name.replace('~', "~0").replace('/', "~1")),
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}
