//! A frozen question about events.

use std::sync::Arc;

use crate::model::{GlobalPosition, StreamName, Timestamp};

/// Which events are wanted. Everything given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// Only this stream.
    pub stream: Option<Arc<StreamName>>,
    /// Only streams of this category; `Some(None)` means streams without one.
    pub category: Option<Option<Arc<str>>>,
    /// Only these event types; empty means all.
    pub types: Vec<Arc<str>>,
    /// Only events after this position.
    pub after: Option<GlobalPosition>,
    /// Only events at this time or later.
    pub from: Option<Timestamp>,
    /// Only events at this time or earlier.
    pub to: Option<Timestamp>,
}

/// A filter over names that a user types.
#[derive(Debug, Clone)]
pub enum TextFilter {
    /// Everything passes.
    All,
    /// The name contains this text, in any case of letters.
    Contains(String),
    /// The name matches this expression (from a glob or a regular expression).
    Matches(regex::Regex),
}

impl TextFilter {
    /// Reads what the user typed: `/expression/` is a regular expression, a text with `*` or `?`
    /// is a glob over the whole name, anything else is looked for anywhere in the name.
    pub fn parse(text: &str) -> Result<Self, regex::Error> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::All);
        }
        if let Some(expression) = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))
            && !expression.is_empty()
        {
            return regex::RegexBuilder::new(expression).case_insensitive(true).build().map(Self::Matches);
        }
        if text.contains(['*', '?']) {
            return Self::glob(text);
        }
        Ok(Self::Contains(text.to_lowercase()))
    }

    /// A glob over the whole name: `*` is any text, `?` any character.
    pub fn glob(pattern: &str) -> Result<Self, regex::Error> {
        let mut expression = String::from("(?is)^");
        for c in pattern.chars() {
            match c {
                '*' => expression.push_str(".*"),
                '?' => expression.push('.'),
                _ => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        expression.push('$');
        regex::Regex::new(&expression).map(Self::Matches)
    }

    /// Whether a name passes.
    #[must_use]
    pub fn accepts(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Contains(part) => name.to_lowercase().contains(part),
            Self::Matches(expression) => expression.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TextFilter;

    fn check(filter: &str, name: &str, accepted: bool) {
        assert_eq!(TextFilter::parse(filter).unwrap().accepts(name), accepted, "{filter} on {name}");
    }

    #[test]
    fn a_filter_is_text_glob_or_expression() {
        check("", "anything", true);
        check("Ord", "order-1", true);
        check("order-?", "order-1", true);
        check("order-?", "order-12", false);
        check("*-1*", "order-12", true);
        check("a.c*", "abc", false);
        check("/^order-(1|2)$/", "order-2", true);
        check("/^order-(1|2)$/", "order-3", false);
        assert!(TextFilter::parse("/(/").is_err());
    }
}
