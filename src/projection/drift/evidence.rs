//! Which columns of a read model can come out the same twice, told from the SQL that fills them.
//!
//! A column whose value is taken from the clock or from chance is another at every run, and one that no
//! statement ever writes has no source in the events. Neither can be compared. Whatever cannot be told for
//! certain is taken as written from the event, so that a difference shows rather than hides.

use std::sync::Arc;

use crate::projection::{
    Definition, Kind,
    definition::{SqlSource, Statement},
};

/// Words that make a value another one at every run.
const UNSTEADY: [&str; 14] = [
    "current_timestamp",
    "current_time",
    "current_date",
    "now",
    "sysdate",
    "getdate",
    "localtimestamp",
    "random",
    "randomblob",
    "uuid",
    "newid",
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuidv7",
];

/// Functions of SQLite that tell the clock's time when called without arguments.
const CLOCKS: [&str; 6] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime"];

/// Why no replay can make this column of a definition again; `None` if it can, or if that cannot be told.
///
/// `stored_default` is the default that the stored table declares for it.
pub(super) fn not_reproducible(
    definition: &Definition,
    column: &str,
    stored_default: Option<&str>,
) -> Option<Arc<str>> {
    let Kind::Sql(source) = &definition.kind else { return None };
    match written(source, &definition.name, column) {
        Written::FromEvent => None,
        Written::Unsteady(text) => Some(format!("the definition writes {text}").into()),
        Written::Never => {
            if let Some(reason) = unsteady_default(stored_default) {
                return Some(reason);
            }
            match declared(source, &definition.name, column) {
                Declared::Plain => Some("no event writes it".into()),
                Declared::Default(tokens) => {
                    unsteady(&tokens).then(|| format!("DEFAULT {}", spelled(&tokens)).into())
                }
                Declared::Otherwise => None,
            }
        }
    }
}

/// Why a default is another value at every run, if it is.
pub(super) fn unsteady_default(default: Option<&str>) -> Option<Arc<str>> {
    let default = default?;
    unsteady(&tokens(default)).then(|| format!("DEFAULT {default}").into())
}

/// Where a column's values come from.
enum Written {
    Never,
    FromEvent,
    /// From the clock or from chance, with the words that say so.
    Unsteady(String),
}

/// How a table declares a column.
enum Declared {
    /// Without a default.
    Plain,
    Default(Vec<Token>),
    /// As something that SQLite itself fills, or so that it cannot be told.
    Otherwise,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare or quoted name, in lower case.
    Word(String),
    /// A text in single quotes.
    Text(String),
    /// Anything else, one character each.
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

fn written(source: &SqlSource, table: &str, column: &str) -> Written {
    let (table, column) = (table.to_lowercase(), column.to_lowercase());
    let mut found = Written::Never;
    let triggers = source.setup.iter().map(|statement| tokens(&statement.sql));
    let mentions = |tokens: &Vec<Token>| tokens.iter().any(|token| token.is(&column));
    if triggers
        .filter(|tokens| tokens.iter().any(|token| token.is("trigger")))
        .any(|tokens| mentions(&tokens))
    {
        found = Written::FromEvent;
    }
    for statement in source.handlers.iter().flat_map(|handler| &handler.statements) {
        match writes(statement, &table, &column) {
            Written::Never => {}
            Written::FromEvent => found = Written::FromEvent,
            unsteady @ Written::Unsteady(_) => return unsteady,
        }
    }
    found
}

/// What one statement writes into the column.
fn writes(statement: &Statement, table: &str, column: &str) -> Written {
    let tokens = tokens(&statement.sql);
    let verb =
        tokens.iter().position(|token| ["insert", "replace", "update"].iter().any(|verb| token.is(verb)));
    let Some(verb) = verb else { return Written::Never };
    let is_update = tokens.get(verb).is_some_and(|token| token.is("update"));
    let target =
        if is_update { verb } else { tokens.iter().position(|token| token.is("into")).unwrap_or(verb) };
    let after = |place: usize| tokens.get(place..).unwrap_or_default();
    let Some(named) = after(target + 1).iter().position(|token| token.is(table)) else {
        return Written::Never;
    };
    let rest = after(target + 1 + named + 1);
    let assigned = assignments(rest, column);
    if is_update {
        return assigned;
    }
    match (inserted(rest, column), assigned) {
        (unsteady @ Written::Unsteady(_), _) | (_, unsteady @ Written::Unsteady(_)) => unsteady,
        (Written::Never, Written::Never) => Written::Never,
        _ => Written::FromEvent,
    }
}

/// What the columns and values of an INSERT, behind the table's name, write into the column.
fn inserted(rest: &[Token], column: &str) -> Written {
    if rest.first() != Some(&Token::Sign('(')) {
        // Without a list of columns, or with an alias: all of them.
        return Written::FromEvent;
    }
    let (columns, behind) = listed(rest);
    let Some(place) = columns.iter().position(|tokens| tokens.first().is_some_and(|token| token.is(column)))
    else {
        return Written::Never;
    };
    if !behind.first().is_some_and(|token| token.is("values")) {
        return Written::FromEvent;
    }
    let (values, _) = listed(behind.get(1..).unwrap_or_default());
    values.get(place).map_or(Written::FromEvent, |value| judged(value))
}

/// What `SET column = …` writes into the column, if there is such an assignment.
fn assignments(rest: &[Token], column: &str) -> Written {
    let Some(set) = rest.iter().position(|token| token.is("set")) else { return Written::Never };
    let mut found = Written::Never;
    for assignment in parts(rest.get(set + 1..).unwrap_or_default()) {
        match assignment {
            [name, Token::Sign('='), value @ ..] if name.is(column) => {
                found = judged(value);
            }
            // `SET (a, b) = (…)`
            [Token::Sign('('), ..] if assignment.iter().any(|token| token.is(column)) => {
                found = Written::FromEvent;
            }
            _ => {}
        }
        if matches!(found, Written::Unsteady(_)) {
            break;
        }
    }
    found
}

fn judged(value: &[Token]) -> Written {
    if unsteady(value) { Written::Unsteady(spelled(value)) } else { Written::FromEvent }
}

fn declared(source: &SqlSource, table: &str, column: &str) -> Declared {
    let (table, column) = (table.to_lowercase(), column.to_lowercase());
    for statement in &source.setup {
        let tokens = tokens(&statement.sql);
        let is_table = tokens.first().is_some_and(|token| token.is("create"))
            && tokens.iter().take(4).any(|token| token.is("table"));
        let open = tokens.iter().position(|token| *token == Token::Sign('('));
        let Some((head, body)) = open.and_then(|open| tokens.split_at_checked(open)) else { continue };
        if !is_table || !head.last().is_some_and(|token| token.is(&table)) {
            continue;
        }
        for declaration in listed(body).0 {
            if !declaration.first().is_some_and(|token| token.is(&column)) {
                continue;
            }
            if declaration.iter().any(|token| token.is("generated") || token.is("as") || token.is("primary"))
            {
                return Declared::Otherwise;
            }
            return match declaration.iter().position(|token| token.is("default")) {
                Some(place) => Declared::Default(declaration.get(place + 1..).unwrap_or_default().to_vec()),
                None => Declared::Plain,
            };
        }
    }
    Declared::Otherwise
}

/// Whether the clock or chance has a part in an expression.
fn unsteady(tokens: &[Token]) -> bool {
    let is_clock = |pair: &[Token]| match pair {
        [Token::Word(name), Token::Sign('('), Token::Sign(')')] => CLOCKS.contains(&name.as_str()),
        _ => false,
    };
    tokens.windows(3).any(is_clock)
        || tokens.iter().any(|token| match token {
            Token::Word(word) => UNSTEADY.contains(&word.as_str()),
            Token::Text(text) => text.eq_ignore_ascii_case("now"),
            Token::Sign(_) => false,
        })
}

/// The items of a list in parentheses that opens here, and what follows it.
fn listed(tokens: &[Token]) -> (Vec<&[Token]>, &[Token]) {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Word(_) | Token::Text(_) | Token::Sign(_) => {}
        }
        if depth == 0 {
            let inside = tokens.get(1..place).unwrap_or_default();
            return (parts(inside), tokens.get(place + 1..).unwrap_or_default());
        }
    }
    (parts(tokens.get(1..).unwrap_or_default()), &[])
}

/// What stands between the commas that are in no parentheses, up to the end of a SET clause.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut depth, mut start, mut end) = (Vec::new(), 0_usize, 0, tokens.len());
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Sign(',') if depth == 0 => {
                found.extend(tokens.get(start..place));
                start = place + 1;
            }
            Token::Word(word) if depth == 0 && matches!(word.as_str(), "where" | "returning" | "from") => {
                end = place;
                break;
            }
            Token::Word(_) | Token::Text(_) | Token::Sign(_) => {}
        }
    }
    found.extend(tokens.get(start..end));
    found
}

fn spelled(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Word(word) => {
                if text.ends_with(|last: char| last.is_alphanumeric()) {
                    text.push(' ');
                }
                text.push_str(&if UNSTEADY.iter().take(3).any(|own| own == word) {
                    word.to_uppercase()
                } else {
                    word.clone()
                });
            }
            Token::Text(own) => text.extend(["'", own, "'"]),
            Token::Sign(sign) => text.push(*sign),
        }
    }
    text
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let behind = rest.get(first.len_utf8()..).unwrap_or_default();
        let until = |end: &str| behind.split_once(end).unwrap_or((behind, ""));
        rest = match first {
            '-' if behind.starts_with('-') => until("\n").1,
            '/' if behind.starts_with('*') => until("*/").1,
            '\'' => {
                let (text, after) = until("'");
                found.push(Token::Text(text.to_owned()));
                after
            }
            '"' | '`' | '[' => {
                let (name, after) = until(if first == '[' {
                    "]"
                } else if first == '"' {
                    "\""
                } else {
                    "`"
                });
                found.push(Token::Word(name.to_lowercase()));
                after
            }
            letter if letter.is_alphanumeric() || matches!(letter, '_' | ':' | '@' | '$') => {
                let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
                let length = behind.find(|letter| !is_part(letter)).unwrap_or(behind.len());
                let (name, after) = behind.split_at_checked(length).unwrap_or((behind, ""));
                found.push(Token::Word(format!("{first}{name}").to_lowercase()));
                after
            }
            blank if blank.is_whitespace() => behind,
            sign => {
                found.push(Token::Sign(sign));
                behind
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::definition::Handler;

    const TABLE: &str = "CREATE TABLE IF NOT EXISTS t (id TEXT PRIMARY KEY, plain TEXT, \
        total NUMERIC(5, 2) DEFAULT 0, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, code TEXT DEFAULT \
        (lower(hex(randomblob(16)))))";

    /// Why a column of that table cannot be made again by a definition with one handler.
    #[track_caller]
    fn check(handled: &str, column: &str, expected: Option<&str>) {
        let statement = |sql: &str| Statement { sql: sql.into(), line: 1 };
        let handler = |sql| Handler { statements: vec![statement(sql)], ..Handler::default() };
        let source =
            SqlSource { setup: vec![statement(TABLE)], handlers: vec![handler(handled)], category: None };
        let definition = Definition {
            name: "t".into(),
            file: "t.sql".into(),
            key: Vec::new(),
            kind: Kind::Sql(Arc::new(source)),
            fingerprint: "".into(),
        };
        assert_eq!(not_reproducible(&definition, column, None).as_deref(), expected, "{column}");
    }

    #[test]
    fn what_no_statement_writes_has_no_source() {
        let insert = "INSERT INTO t (id) VALUES (:stream_id)";
        check(insert, "plain", Some("no event writes it"));
        check(insert, "total", None);
        check(insert, "made", Some("DEFAULT CURRENT_TIMESTAMP"));
        check(insert, "code", Some("DEFAULT (lower(hex(randomblob(16))))"));
        check(insert, "id", None);
        check("INSERT INTO other (plain) VALUES (1)", "plain", Some("no event writes it"));
        check("DELETE FROM t WHERE plain = 1", "plain", Some("no event writes it"));
    }

    #[test]
    fn what_an_event_writes_can_be_compared() {
        check("INSERT INTO t (id, \"Plain\") VALUES (:stream_id, :data ->> 'plain')", "plain", None);
        check("INSERT INTO t VALUES (1, 2, 3, 4, 5)", "made", None);
        check("INSERT INTO t (id, made) SELECT :id, :time", "made", None);
        check("UPDATE t SET total = total + 1, made = :time WHERE id = 1", "made", None);
        check("UPDATE OR IGNORE t SET (plain, made) = (1, 2)", "made", None);
        check(
            "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET plain = 'now then'",
            "plain",
            None,
        );
    }

    #[test]
    fn what_the_clock_writes_cannot() {
        let now = "UPDATE t SET total = max(total, 1), made = datetime('now') WHERE id = 1";
        check(now, "made", Some("the definition writes datetime('now')"));
        check(now, "total", None);
        check(
            "INSERT INTO t (id, made) VALUES (coalesce(:id, 1), CURRENT_TIMESTAMP)",
            "made",
            Some("the definition writes CURRENT_TIMESTAMP"),
        );
        check("UPDATE t SET made = unixepoch()", "made", Some("the definition writes unixepoch()"));
        check("UPDATE t SET made = unixepoch(:time)", "made", None);
    }

    #[test]
    fn defaults_of_other_databases_are_known() {
        for default in ["now()", "NOW()", "gen_random_uuid()", "(datetime('now'))", "strftime('%s','now')"] {
            assert!(unsteady_default(Some(default)).is_some(), "{default}");
        }
        for default in ["0", "'active'", "NULL", "'nowhere'", "date('2024-01-01')"] {
            assert_eq!(unsteady_default(Some(default)), None, "{default}");
        }
    }
}
