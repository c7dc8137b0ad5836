//! Which columns of a read model can come out the same twice, told from the SQL that fills them.
//!
//! A column whose value is taken from the clock or from chance is another at every run, and one that no
//! statement ever writes has no source in the events. Neither can be compared. Whatever cannot be told for
//! certain is taken as written from the event, so that a difference shows rather than hides.

use std::sync::Arc;

use crate::projection::{
    Definition, Kind, clock,
    definition::{SqlSource, Statement},
    sql_text::{self, Token, TokenKind},
};

/// Words for the present in every dialect of SQL.
const CURRENT: [&str; 3] = ["current_timestamp", "current_time", "current_date"];

/// Functions whose value is another one at every run. Columns may be called so, too.
const UNSTEADY: [&str; 11] = [
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
                Declared::Default(text) => unsteady_default(Some(&text)),
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
    /// With this one, and whatever stands behind it.
    Default(String),
    /// As something that SQLite itself fills, or so that it cannot be told.
    Otherwise,
}

fn written(source: &SqlSource, table: &str, column: &str) -> Written {
    let mut found = Written::Never;
    let mut triggers = source.setup.iter().map(|statement| tokens(&statement.sql));
    let writes_it = |tokens: Vec<Token<'_>>| {
        tokens.iter().any(|token| token.is_word("trigger")) && tokens.iter().any(|token| is(token, column))
    };
    if triggers.any(writes_it) {
        found = Written::FromEvent;
    }
    let is_making =
        |statement: &&Statement| !tokens(&statement.sql).first().is_some_and(|token| token.is_word("create"));
    let handled = source.handlers.iter().flat_map(|handler| &handler.statements);
    for statement in source.setup.iter().filter(is_making).chain(handled) {
        match writes(statement, table, column) {
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
    let verb = tokens
        .iter()
        .position(|token| ["insert", "replace", "update"].iter().any(|verb| token.is_word(verb)));
    let Some(verb) = verb else { return Written::Never };
    let is_update = tokens.get(verb).is_some_and(|token| token.is_word("update"));
    let target =
        if is_update { verb } else { tokens.iter().position(|token| token.is_word("into")).unwrap_or(verb) };
    let after = |place: usize| tokens.get(place..).unwrap_or_default();
    let Some(named) = after(target + 1).iter().position(|token| is(token, table)) else {
        return Written::Never;
    };
    let rest = after(target + 1 + named + 1);
    let assigned = assignments(&statement.sql, rest, column);
    if is_update {
        return assigned;
    }
    match (inserted(&statement.sql, rest, column), assigned) {
        (unsteady @ Written::Unsteady(_), _) | (_, unsteady @ Written::Unsteady(_)) => unsteady,
        (Written::Never, Written::Never) => Written::Never,
        _ => Written::FromEvent,
    }
}

/// What the columns and values of an INSERT, behind the table's name, write into the column.
fn inserted(sql: &str, rest: &[Token<'_>], column: &str) -> Written {
    if rest.first().is_none_or(|token| token.text != "(") {
        // Without a list of columns, or with an alias: all of them.
        return Written::FromEvent;
    }
    let (columns, behind) = listed(rest);
    let Some(place) = columns.iter().position(|tokens| tokens.first().is_some_and(|token| is(token, column)))
    else {
        return Written::Never;
    };
    if !behind.first().is_some_and(|token| token.is_word("values")) {
        return Written::FromEvent;
    }
    let (values, _) = listed(behind.get(1..).unwrap_or_default());
    values.get(place).map_or(Written::FromEvent, |value| judged(sql, value))
}

/// What `SET column = …` writes into the column, if there is such an assignment.
fn assignments(sql: &str, rest: &[Token<'_>], column: &str) -> Written {
    let Some(set) = rest.iter().position(|token| token.is_word("set")) else { return Written::Never };
    let mut found = Written::Never;
    for assignment in parts(rest.get(set + 1..).unwrap_or_default()) {
        match assignment {
            [name, sign, value @ ..] if is(name, column) && sign.text == "=" => found = judged(sql, value),
            // `SET (a, b) = (…)`
            [open, ..] if open.text == "(" && assignment.iter().any(|token| is(token, column)) => {
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

fn judged(sql: &str, value: &[Token<'_>]) -> Written {
    match (unsteady(value), value) {
        (true, [first, .., last] | [first @ last]) => {
            let text = sql.get(first.start..last.end()).unwrap_or_default();
            Written::Unsteady(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        _ => Written::FromEvent,
    }
}

fn declared(source: &SqlSource, table: &str, column: &str) -> Declared {
    for statement in &source.setup {
        let tokens = tokens(&statement.sql);
        let is_table = tokens.first().is_some_and(|token| token.is_word("create"))
            && tokens.iter().take(4).any(|token| token.is_word("table"));
        let open = tokens.iter().position(|token| token.text == "(");
        let Some((head, body)) = open.and_then(|open| tokens.split_at_checked(open)) else { continue };
        if !is_table || !head.last().is_some_and(|token| is(token, table)) {
            continue;
        }
        for declaration in listed(body).0 {
            if !declaration.first().is_some_and(|token| is(token, column)) {
                continue;
            }
            let has = |word: &str| declaration.iter().position(|token| token.is_word(word));
            if has("generated").or_else(|| has("as")).or_else(|| has("primary")).is_some() {
                return Declared::Otherwise;
            }
            let default = has("default").and_then(|place| declaration.get(place + 1..));
            return match default {
                Some([first, .., last] | [first @ last]) => {
                    let text = statement.sql.get(first.start..last.end()).unwrap_or_default();
                    Declared::Default(text.to_owned())
                }
                Some([]) | None => Declared::Plain,
            };
        }
    }
    Declared::Otherwise
}

/// Whether the clock or chance has a part in an expression.
fn unsteady(code: &[Token<'_>]) -> bool {
    let is_current = |token: &Token<'_>| CURRENT.iter().any(|word| token.is_word(word));
    let is_unsteady_call = |pair: &[Token<'_>]| match pair {
        [name, open] => open.text == "(" && UNSTEADY.iter().any(|own| is(name, own)),
        _ => false,
    };
    code.iter().any(is_current) || code.windows(2).any(is_unsteady_call) || clock::calls_clock(code)
}

/// Whether a token is this name, quoted or not.
fn is(token: &Token<'_>, name: &str) -> bool {
    match token.kind {
        TokenKind::Word => token.text.eq_ignore_ascii_case(name),
        TokenKind::Quoted => token.text.trim_matches(['"', '`', '[', ']']).eq_ignore_ascii_case(name),
        _ => false,
    }
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    sql_text::tokens(sql).into_iter().filter(Token::is_code).collect()
}

/// The items of a list in parentheses that opens here, and what follows it.
fn listed<'a, 't>(tokens: &'a [Token<'t>]) -> (Vec<&'a [Token<'t>]>, &'a [Token<'t>]) {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let inside = tokens.get(1..place).unwrap_or_default();
            return (parts(inside), tokens.get(place + 1..).unwrap_or_default());
        }
    }
    (parts(tokens.get(1..).unwrap_or_default()), &[])
}

/// What stands between the commas that are in no parentheses, up to the end of a SET clause.
fn parts<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let (mut found, mut depth, mut start, mut end) = (Vec::new(), 0_usize, 0, tokens.len());
    for (place, token) in tokens.iter().enumerate() {
        let ends = || ["where", "returning", "from"].iter().any(|word| token.is_word(word));
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                found.extend(tokens.get(start..place));
                start = place + 1;
            }
            _ if depth == 0 && ends() => {
                end = place;
                break;
            }
            _ => {}
        }
    }
    found.extend(tokens.get(start..end));
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
    fn what_the_definition_itself_writes_can_be_compared() {
        let source = SqlSource {
            setup: [TABLE, "WITH one AS (SELECT 1) INSERT INTO t (id, plain) SELECT 1, 2 FROM one"]
                .map(|sql| Statement { sql: sql.into(), line: 1 })
                .into(),
            ..SqlSource::default()
        };
        assert!(matches!(written(&source, "t", "plain"), Written::FromEvent));
        assert!(matches!(written(&source, "t", "made"), Written::Never));
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
        check(
            "UPDATE t SET made = strftime(  '%s' )",
            "made",
            Some("the definition writes strftime( '%s' )"),
        );
        check("INSERT INTO t (id, made) VALUES (1, strftime('%s', :time))", "made", None);
    }

    #[test]
    fn a_name_alone_is_neither_clock_nor_chance() {
        check("UPDATE t SET made = uuid, plain = \"random\"", "made", None);
        check("UPDATE t SET made = now + 1", "made", None);
        check("UPDATE t SET made = \"current_timestamp\"", "made", None);
        check("UPDATE t SET made = coalesce(:data ->> 'at', 'now')", "made", None);
        check("UPDATE t SET made = t.random", "made", None);
        check("UPDATE t SET made = 'it''s random()'", "made", None);
        check("UPDATE t SET made = random ()", "made", Some("the definition writes random ()"));
    }

    #[test]
    fn defaults_of_other_databases_are_known() {
        for default in [
            "now()",
            "NOW()",
            "gen_random_uuid()",
            "(datetime('now'))",
            "strftime('%s','now')",
            "(strftime('%s'))",
            "(unixepoch())",
            "CURRENT_TIMESTAMP",
            "(julianday(\"now\", 'subsec') + random())",
        ] {
            assert!(unsteady_default(Some(default)).is_some(), "{default}");
        }
        for default in ["0", "'active'", "NULL", "'nowhere'", "date('2024-01-01')", "now", "'now'", "uuid"] {
            assert_eq!(unsteady_default(Some(default)), None, "{default}");
        }
    }
}
