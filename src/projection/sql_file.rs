//! An SQL file cut into its sections by the directives in its comments.
//!
//! ```sql
//! -- @projection order_summaries   key: order_id   category: Order
//! CREATE TABLE order_summaries (order_id TEXT PRIMARY KEY, status TEXT);
//! -- @on OrderCreated, OrderReopened
//! INSERT INTO order_summaries VALUES (:stream_id, 'open') ON CONFLICT DO UPDATE SET status = 'open';
//! ```

use std::sync::Arc;

use crate::projection::{
    DefinitionError,
    definition::{Handler, SqlSource, Statement},
    sql_text::{Token, TokenKind, tokens},
};

/// One `@projection` of a file, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Section {
    /// Its name.
    pub(super) name: Arc<str>,
    /// Line of its directive.
    pub(super) line: u32,
    /// What `key:` says; nothing if it does not stand there.
    pub(super) key: Option<Vec<Arc<str>>>,
    /// Its statements.
    pub(super) source: SqlSource,
}

/// What a comment orders.
enum Directive {
    Projection(Section),
    On(Vec<Arc<str>>),
}

/// The sections of a file, in its order. Fails with the first mistake.
pub(super) fn sections(file: &str, text: &str) -> Result<Vec<Section>, DefinitionError> {
    let mut reading = Reading { file, text, sections: Vec::new(), open: Vec::new() };
    for token in tokens(text) {
        reading.take(token)?;
    }
    reading.end_statement(text.len())?;
    if reading.sections.is_empty() {
        return Err(reading.mistake(1, "there is no `-- @projection NAME` in the file".to_owned()));
    }
    Ok(reading.sections)
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    sections: Vec<Section>,
    /// The tokens of the statement that has begun; no comments.
    open: Vec<Token<'a>>,
}

impl<'a> Reading<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), DefinitionError> {
        match token.kind {
            TokenKind::Endless => {
                let what = if token.text.starts_with("/*") { "comment" } else { "text or name" };
                Err(self.mistake(token.line, format!("the {what} that begins here has no end")))
            }
            TokenKind::LineComment => self.comment(token),
            TokenKind::BlockComment => Ok(()),
            TokenKind::Semicolon if !self.is_in_trigger() => self.end_statement(token.start),
            TokenKind::Semicolon if self.open.is_empty() => Ok(()),
            _ => {
                self.open.push(token);
                Ok(())
            }
        }
    }

    /// A trigger holds statements of its own and ends with `; END;`.
    fn is_in_trigger(&self) -> bool {
        let mut words = self.open.iter();
        let is_create = words.next().is_some_and(|word| word.is_word("CREATE"));
        let second = words.next();
        let is_temporary = second.is_some_and(|word| word.is_word("TEMP") || word.is_word("TEMPORARY"));
        let subject = if is_temporary { words.next() } else { second };
        if !is_create || !subject.is_some_and(|word| word.is_word("TRIGGER")) {
            return false;
        }
        let mut last = self.open.iter().rev();
        let ends = last.next().is_some_and(|word| word.is_word("END"))
            && last.next().is_some_and(|token| token.kind == TokenKind::Semicolon);
        !ends
    }

    fn end_statement(&mut self, end: usize) -> Result<(), DefinitionError> {
        let open = std::mem::take(&mut self.open);
        let (Some(first), Some(last)) = (open.first(), open.last()) else { return Ok(()) };
        let sql = self.text.get(first.start..last.end().min(end)).unwrap_or_default();
        let statement = Statement { sql: sql.into(), line: first.line };
        let Some(section) = self.sections.last_mut() else {
            let message = "a statement stands before the first `-- @projection NAME`".to_owned();
            return Err(self.mistake(first.line, message));
        };
        match section.source.handlers.last_mut() {
            Some(handler) => handler.statements.push(statement),
            None => section.source.setup.push(statement),
        }
        Ok(())
    }

    fn comment(&mut self, token: Token<'a>) -> Result<(), DefinitionError> {
        let Some(directive) = token.text.trim_start_matches('-').trim().strip_prefix('@') else {
            return Ok(());
        };
        let parsed = parse_directive(directive, token.line);
        let directive = parsed.map_err(|message| self.mistake(token.line, message))?;
        // A directive ends the statement before it, with or without `;`.
        self.end_statement(token.start)?;
        match directive {
            Directive::Projection(section) => {
                if let Some(other) = self.sections.iter().find(|other| other.name == section.name) {
                    let message = format!("`{}` is defined in line {} already", other.name, other.line);
                    return Err(self.mistake(token.line, message));
                }
                self.sections.push(section);
            }
            Directive::On(types) => {
                let Some(section) = self.sections.last_mut() else {
                    let message = "`@on` stands before the first `-- @projection NAME`".to_owned();
                    return Err(self.mistake(token.line, message));
                };
                section.source.handlers.push(Handler { types, line: token.line, statements: Vec::new() });
            }
        }
        Ok(())
    }

    fn mistake(&self, line: u32, message: String) -> DefinitionError {
        let section = self.sections.last();
        let directive = section.map(|section| match section.source.handlers.last() {
            Some(handler) => handler.directive(),
            None => format!("@projection {}", section.name).into(),
        });
        DefinitionError { file: self.file.into(), line, message, directive }
    }
}

fn parse_directive(text: &str, line: u32) -> Result<Directive, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    if word.eq_ignore_ascii_case("projection") {
        return parse_projection(rest, line).map(Directive::Projection);
    }
    if !word.eq_ignore_ascii_case("on") {
        return Err(format!(
            "`@{word}` is no directive; there are `@projection NAME key: column category: Category` and \
             `@on EventType`"
        ));
    }
    let types: Vec<Arc<str>> =
        rest.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect();
    if types.is_empty() {
        return Err("`@on` names no event type: write `-- @on OrderPlaced` or `-- @on OrderPlaced, \
                    OrderReopened`"
            .to_owned());
    }
    Ok(Directive::On(types))
}

fn parse_projection(text: &str, line: u32) -> Result<Section, String> {
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if name.is_empty() || name.contains(':') {
        return Err(
            "`@projection` has no name: write `-- @projection order_summaries key: order_id`".to_owned()
        );
    }
    if name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("timeglass_")) {
        return Err(format!("`{name}` cannot be the name: those that start with `timeglass_` are ours"));
    }
    let mut section = Section { name: name.into(), line, ..Section::default() };
    loop {
        rest = rest.trim_start();
        let Some((option, after)) = rest.split_once(':') else { break };
        let (value, next) = option_value(after);
        match option.trim() {
            "key" => {
                let columns = value.split(',').map(str::trim).filter(|column| !column.is_empty());
                section.key = Some(columns.map(Into::into).collect());
            }
            "category" if !value.is_empty() => section.source.category = Some(value.into()),
            "category" => return Err("`category:` says no category: write `category: Order`".to_owned()),
            other => return Err(format!("`{other}:` is unknown; there are `key:` and `category:`")),
        }
        rest = next;
    }
    if !rest.trim().is_empty() {
        let rest = rest.trim();
        return Err(format!("`{rest}` is unknown; there are `key: a, b` and `category: Order`"));
    }
    Ok(section)
}

/// What stands behind `option:`, up to the next option.
fn option_value(after: &str) -> (&str, &str) {
    let next = ["key:", "category:"]
        .iter()
        .filter_map(|option| {
            let found = after.match_indices(option);
            let mut starts = found.filter(|(at, _)| {
                after
                    .get(..*at)
                    .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
            });
            starts.next().map(|(at, _)| at)
        })
        .min()
        .unwrap_or(after.len());
    let (value, rest) = after.split_at_checked(next).unwrap_or((after, ""));
    (value.trim(), rest)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::sections;

    fn check(text: &str, expected: &str) {
        let said = match sections("f.sql", text) {
            Err(err) => format!(
                "{}:{}: {} [{}]",
                err.file,
                err.line,
                err.message,
                err.directive.as_deref().unwrap_or("-")
            ),
            Ok(sections) => {
                let mut said = String::new();
                for section in sections {
                    write!(said, "{}:{} key {:?}", section.line, section.name, section.key).unwrap();
                    writeln!(said, " category {:?}", section.source.category).unwrap();
                    for statement in &section.source.setup {
                        writeln!(said, "  {}: {}", statement.line, statement.sql).unwrap();
                    }
                    for handler in &section.source.handlers {
                        writeln!(said, "  {}: {}", handler.line, handler.directive()).unwrap();
                        for statement in &handler.statements {
                            writeln!(said, "    {}: {}", statement.line, statement.sql).unwrap();
                        }
                    }
                }
                said
            }
        };
        assert_eq!(said.trim_end(), expected.trim_end(), "{text}");
    }

    #[test]
    fn directives_cut_a_file() {
        check(
            "-- about\n-- @projection a key: x, y category: Order line\nCREATE TABLE a (x, y);\n\
             -- @on One, Two\nINSERT INTO a\n  VALUES (';', 1); -- @on Three\nDELETE FROM a;\n\
             -- @projection b\n-- @on One\nDELETE FROM b",
            "2:a key Some([\"x\", \"y\"]) category Some(\"Order line\")\n  3: CREATE TABLE a (x, y)\n  \
             4: @on One, Two\n    5: INSERT INTO a\n  VALUES (';', 1)\n  6: @on Three\n    \
             7: DELETE FROM a\n8:b key None category None\n  9: @on One\n    10: DELETE FROM b",
        );
    }

    #[test]
    fn a_trigger_is_one_statement() {
        check(
            "-- @projection a\nCREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET x = CASE WHEN 1 THEN 2 \
             END;\n  DELETE FROM a; END;\nSELECT 1",
            "1:a key None category None\n  2: CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET x = \
             CASE WHEN 1 THEN 2 END;\n  DELETE FROM a; END\n  5: SELECT 1",
        );
    }

    #[test]
    fn mistakes_say_where_and_what_would_be_right() {
        check("", "f.sql:1: there is no `-- @projection NAME` in the file [-]");
        check(
            "\nCREATE TABLE a (x);\n-- @projection a",
            "f.sql:2: a statement stands before the first `-- @projection NAME` [-]",
        );
        check("-- @on A", "f.sql:1: `@on` stands before the first `-- @projection NAME` [-]");
        check(
            "-- @projection key: a",
            "f.sql:1: `@projection` has no name: write `-- @projection order_summaries key: order_id` [-]",
        );
        check(
            "-- @projection a keys: b",
            "f.sql:1: `keys:` is unknown; there are `key:` and `category:` [-]",
        );
        check(
            "-- @projection a b",
            "f.sql:1: `b` is unknown; there are `key: a, b` and `category: Order` [-]",
        );
        check(
            "-- @projection a\n-- @when A",
            "f.sql:2: `@when` is no directive; there are `@projection NAME key: column category: Category` and \
             `@on EventType` [@projection a]",
        );
        check(
            "-- @projection a\n-- @on A\n-- @on ,",
            "f.sql:3: `@on` names no event type: write `-- @on OrderPlaced` or `-- @on OrderPlaced, \
             OrderReopened` [@on A]",
        );
        check(
            "-- @projection a\n-- @projection a",
            "f.sql:2: `a` is defined in line 1 already [@projection a]",
        );
        check(
            "-- @projection a\n-- @on A\nDELETE FROM a WHERE x = 'b;\n",
            "f.sql:3: the text or name that begins here has no end [@on A]",
        );
        check(
            "-- @projection timeglass_x",
            "f.sql:1: `timeglass_x` cannot be the name: those that start with `timeglass_` are ours [-]",
        );
    }
}
