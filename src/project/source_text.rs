//! Sources as people write them: `version`, `event.type`, `id_original in streams`, `rowid`.
//!
//! Unlike the form for display this one reads back to the same source without a look at the
//! database: a joined column says `in`, and names that could be mistaken stand in double quotes.

use crate::{
    model::{Pointer, Segment},
    store::layout::Source,
};

/// What a text may look like, for messages.
pub(super) const FORMS: &str = "`column`, `column.member`, `column in table`, `rowid`, \
                                `stream before \"-\"`, `class in the event type`, \
                                `name of the one member of column` or `none`";

const ROW_ID: &str = "rowid";
const TYPE_CLASS: &str = "class in the event type";
const TYPE_TAG: &str = "name of the one member of ";
const PREFIX: &str = "stream before \"";

/// The word for a role that nothing plays.
pub(super) const ABSENT: &str = "none";

/// Writes a source so that [`parse_source`] reads it back.
#[must_use]
pub fn source_text(source: &Source) -> String {
    match source {
        Source::Column { table: None, column } => name_text(column),
        Source::Column { table: Some(table), column } => {
            format!("{} in {}", name_text(column), name_text(table))
        }
        Source::Json { column, path } => {
            let mut text = name_text(column);
            for segment in path.segments() {
                text.push('.');
                match segment {
                    Segment::Index(index) => text.push_str(&index.to_string()),
                    Segment::Name(name) => text.push_str(&name_text(name)),
                }
            }
            // A column whose whole value is meant still is JSON.
            if path.segments().is_empty() {
                text.push('.');
            }
            text
        }
        Source::RowId => ROW_ID.to_owned(),
        Source::StreamPrefix { separator } => format!("{PREFIX}{separator}\""),
        Source::TypeClass => TYPE_CLASS.to_owned(),
        Source::TypeTag { column } => format!("{TYPE_TAG}{}", name_text(column)),
    }
}

/// Reads a source; nothing if the text has none of its forms.
#[must_use]
pub fn parse_source(text: &str) -> Option<Source> {
    if text == ROW_ID {
        return Some(Source::RowId);
    }
    if text == TYPE_CLASS {
        return Some(Source::TypeClass);
    }
    if let Some(separator) = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix('"')) {
        let mut characters = separator.chars();
        return match (characters.next(), characters.next()) {
            (Some(separator), None) => Some(Source::StreamPrefix { separator }),
            _ => None,
        };
    }
    if let Some(column) = text.strip_prefix(TYPE_TAG) {
        let (column, rest) = take_name(column)?;
        return rest.is_empty().then(|| Source::TypeTag { column: column.text.into() });
    }
    let (name, mut rest) = take_name(text)?;
    if let Some(table) = rest.strip_prefix(" in ") {
        let (table, rest) = take_name(table)?;
        let source = Source::Column { table: Some(table.text.into()), column: name.text.into() };
        return rest.is_empty().then_some(source);
    }
    if rest.is_empty() {
        let is_plain = name.is_quoted || !name.text.eq_ignore_ascii_case(ABSENT);
        return is_plain.then(|| Source::Column { table: None, column: name.text.into() });
    }
    if rest == "." {
        return Some(Source::Json { column: name.text.into(), path: Pointer::root() });
    }
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let (segment, after) = take_name(rest.strip_prefix('.')?)?;
        segments.push(segment.into_segment());
        rest = after;
    }
    Some(Source::Json { column: name.text.into(), path: segments.into_iter().collect() })
}

/// A name, in quotes unless it can only be meant as a name.
fn name_text(name: &str) -> String {
    let is_plain = is_bare(name)
        && !name.eq_ignore_ascii_case(ROW_ID)
        && !name.eq_ignore_ascii_case(ABSENT)
        && name.parse::<usize>().is_err();
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn is_bare(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == '.' || c == '"' || c.is_whitespace() || c.is_control())
}

struct Name {
    text: String,
    is_quoted: bool,
}

impl Name {
    fn into_segment(self) -> Segment {
        match self.text.parse::<usize>() {
            Ok(index) if !self.is_quoted && index.to_string() == self.text => Segment::Index(index),
            _ => Segment::Name(self.text.into()),
        }
    }
}

/// The name at the start of a text, and what follows it.
fn take_name(text: &str) -> Option<(Name, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == '.' || c.is_whitespace()).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        return is_bare(name).then(|| (Name { text: name.to_owned(), is_quoted: false }, rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((Name { text: name, is_quoted: true }, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{parse_source, source_text};
    use crate::{model::Segment, store::layout::Source};

    fn check(text: &str, expected: Option<&str>) {
        let source = parse_source(text);
        assert_eq!(source.as_ref().map(ToString::to_string).as_deref(), expected, "{text}");
        if let Some(source) = source {
            assert_eq!(parse_source(&source_text(&source)), Some(source), "{text}");
        }
    }

    #[test]
    fn sources_read_as_people_write_them() {
        check("aggregate_id", Some("aggregate_id"));
        check("event.type", Some("event.type"));
        check("event.items.0.name", Some("event.items.0.name"));
        check("id_original in streams", Some("streams.id_original"));
        check("rowid", Some("rowid"));
        check("\"rowid\"", Some("rowid"));
        check("\"order id\"", Some("order id"));
        check("\"a\"\"b.c\"", Some("a\"b.c"));
        check("stream before \"-\"", Some("stream before \"-\""));
        check("class in the event type", Some("class in the event type"));
        check("name of the one member of payload", Some("name of the one member of payload"));
        check("κωδικός", Some("κωδικός"));
    }

    #[test]
    fn other_texts_are_no_sources() {
        for text in ["", " ", ".", "a..b", "order id", "a in", "a in b c", "\"a", "none", "None", "a\"b"] {
            check(text, None);
        }
        check("stream before \"--\"", None);
        check("stream before \"\"", None);
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z_]{1,8}",
            "[a-z. \"'/~0-9\t]{0,6}",
            any::<String>(),
            Just("rowid".to_owned()),
            Just("none".to_owned()),
            Just("17".to_owned()),
        ]
    }

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            any::<usize>().prop_map(Segment::Index),
            name().prop_map(|name| Segment::Name(name.into())),
        ]
    }

    fn source() -> impl Strategy<Value = Source> {
        let table = proptest::option::of(name());
        let path = proptest::collection::vec(segment(), 0..4);
        prop_oneof![
            (table, name()).prop_map(|(table, column)| Source::Column {
                table: table.map(Into::into),
                column: column.into()
            }),
            (name(), path).prop_map(|(column, path)| Source::Json {
                column: column.into(),
                path: path.into_iter().collect()
            }),
            Just(Source::RowId),
            any::<char>().prop_map(|separator| Source::StreamPrefix { separator }),
            Just(Source::TypeClass),
            name().prop_map(|column| Source::TypeTag { column: column.into() }),
        ]
    }

    proptest! {
        #[test]
        fn every_source_reads_back(source in source()) {
            let text = source_text(&source);
            proptest::prop_assert_eq!(parse_source(&text), Some(source), "{}", text);
        }

        #[test]
        fn no_text_is_too_strange_to_read(text in any::<String>()) {
            if let Some(source) = parse_source(&text) {
                proptest::prop_assert_eq!(parse_source(&source_text(&source)), Some(source));
            }
        }
    }
}
