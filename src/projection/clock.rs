//! The machine's clock, kept away from projections: the same events make the same rows whenever they are replayed.
//!
//! SQLite's date functions take the time from the clock when they are given `now`, or nothing at all, and that
//! may only come out when they are called. So functions of ours stand in their place, which refuse just that and
//! hand on everything else. A column's DEFAULT has the clock, and chance, under names of ours: stored read models
//! have such columns, and no comparison counts them.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::projection::{
    guard::OURS,
    sql_text::{Token, TokenKind, tokens},
};

/// What is said about it.
pub(super) const REFUSAL: &str = "the clock is another at each run; the event's time is `:time`";

/// SQLite's functions that may ask the clock.
const FUNCTIONS: [&str; 7] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"];

/// What is another at each run and may stand in a DEFAULT, too.
const CHANCE: [&str; 2] = ["random", "randomblob"];

/// Words for the present, and the functions that tell the same when they are given `now`.
const CURRENT: [(&str, &str); 3] =
    [("current_timestamp", "datetime"), ("current_time", "time"), ("current_date", "date")];

/// What they are given to make them do so.
const NOW: [&str; 3] = ["now", "subsec", "subsecond"];

#[derive(Debug, thiserror::Error)]
#[error("{REFUSAL}")]
struct Refused;

/// Puts functions in the place of SQLite's own.
pub(super) fn guard(connection: &Connection) -> rusqlite::Result<()> {
    // Where the functions that are replaced still are.
    let plain = Arc::new(Mutex::new(Connection::open_in_memory()?));
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    for name in FUNCTIONS {
        let own = Arc::clone(&plain);
        // Deterministic, as SQLite's own are in indexes and generated columns, where they get no clock either.
        connection.create_scalar_function(
            name,
            -1,
            flags | FunctionFlags::SQLITE_DETERMINISTIC,
            move |context| {
                if asks_clock(name, context) {
                    return Err(rusqlite::Error::UserFunctionError(Box::new(Refused)));
                }
                match as_it_stands(name, context) {
                    Some(date) => Ok(Value::Text(date.to_owned())),
                    None => call(&own, name, context),
                }
            },
        )?;
    }
    for name in FUNCTIONS.into_iter().chain(CHANCE) {
        let own = Arc::clone(&plain);
        let in_default = move |context: &Context<'_>| call(&own, name, context);
        connection.create_scalar_function(default_name(name).as_str(), -1, flags, in_default)?;
    }
    Ok(())
}

/// What a function is called in a DEFAULT.
fn default_name(name: &str) -> String {
    format!("{OURS}default_{name}")
}

/// Calls SQLite's own function.
fn call(plain: &Mutex<Connection>, name: &str, context: &Context<'_>) -> rusqlite::Result<Value> {
    let marks = vec!["?"; context.len()].join(", ");
    let plain = plain.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = plain.prepare_cached(&format!("SELECT {name}({marks})"))?;
    let values = (0..context.len()).map(|place| ToSqlOutput::Borrowed(context.get_raw(place)));
    statement.query_row(params_from_iter(values), |row| row.get(0))
}

fn asks_clock(name: &str, context: &Context<'_>) -> bool {
    asks(name, context.len(), &|place| is_now(context.get_raw(place)))
}

/// Whether a call with so many arguments asks the clock, if `is_now` tells which of them name it.
fn asks(name: &str, arguments: usize, is_now: &dyn Fn(usize) -> bool) -> bool {
    match (name, arguments) {
        ("timediff", 2) => is_now(0) || is_now(1),
        // A mistake, or without even a format nothing to tell.
        ("timediff", _) | ("strftime", 0) => false,
        ("strftime", 1) | (_, 0) => true,
        ("strftime", _) => is_now(1),
        _ => is_now(0),
    }
}

/// Whether SQLite takes a value for the present. A text ends for it at the first zero byte.
fn is_now(value: ValueRef<'_>) -> bool {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else { return false };
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    NOW.iter().any(|now| text.eq_ignore_ascii_case(now.as_bytes()))
}

/// The date of a time as `:time` gives it, without asking SQLite: statistics by day ask for it at every event.
fn as_it_stands<'a>(name: &str, context: &'a Context<'_>) -> Option<&'a str> {
    const PATTERN: &[u8; 19] = b"0000-00-00T00:00:00";
    if name != "date" || context.len() != 1 {
        return None;
    }
    let ValueRef::Text(text) = context.get_raw(0) else { return None };
    let (head, tail) = text.split_at_checked(PATTERN.len())?;
    let is_like = |(byte, mark): (&u8, &u8)| if *mark == b'0' { byte.is_ascii_digit() } else { byte == mark };
    let is_tail = match tail {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let head = std::str::from_utf8(head).ok().filter(|_| is_tail)?;
    let is_within = |places: std::ops::Range<usize>, low: &str, high: &str| {
        head.get(places).is_some_and(|part| low <= part && part <= high)
    };
    // Later days may belong to the next month.
    let is_date = head.bytes().zip(PATTERN).all(|(byte, mark)| is_like((&byte, mark)))
        && is_within(5..7, "01", "12")
        && is_within(8..10, "01", "28")
        && is_within(11..13, "00", "23")
        && is_within(14..16, "00", "59")
        && is_within(17..19, "00", "59");
    head.get(..10).filter(|_| is_date)
}

/// Whether a statement calls the clock in so many words.
pub(super) fn is_called(sql: &str) -> bool {
    let code: Vec<Token<'_>> = tokens(sql).into_iter().filter(Token::is_code).collect();
    calls_clock(&code)
}

/// Whether the clock is called in so many words here.
pub(super) fn calls_clock(code: &[Token<'_>]) -> bool {
    code.iter().enumerate().any(|(place, token)| {
        let Some(name) = name_among(token, FUNCTIONS) else { return false };
        let behind = code.get(place + 1..).unwrap_or_default();
        let Some(arguments) = arguments(behind) else { return false };
        asks(name, arguments.len(), &|place| match arguments.get(place) {
            Some([token]) => {
                let text = token.text.trim_matches('\'');
                token.kind == TokenKind::Text && NOW.iter().any(|now| text.eq_ignore_ascii_case(now))
            }
            _ => false,
        })
    })
}

/// A statement in which every DEFAULT calls what is another at each run by the names that are let through.
pub(super) fn with_defaults(sql: &str) -> Cow<'_, str> {
    let code: Vec<Token<'_>> = tokens(sql).into_iter().filter(Token::is_code).collect();
    let is_table = matches!(code.as_slice(), [create, rest @ ..] if create.is_word("CREATE")
        && rest.iter().take(2).any(|token| token.is_word("TABLE")));
    if !is_table {
        return sql.into();
    }
    let (mut changed, mut end, mut depth) = (String::new(), 0, 0_usize);
    let mut before: Option<&Token<'_>> = None;
    for (place, token) in code.iter().enumerate() {
        let is_default = before.replace(token).is_some_and(|before| before.is_word("DEFAULT"));
        match token.text {
            "(" if depth > 0 || is_default => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_call = code.get(place + 1).is_some_and(|next| next.text == "(");
        let known = name_among(token, FUNCTIONS.into_iter().chain(CHANCE)).filter(|_| is_call && depth > 0);
        let current = CURRENT.iter().find(|(word, _)| (is_default || depth > 0) && token.is_word(word));
        let put = match (known, current) {
            (Some(name), _) => default_name(name),
            (None, Some((_, name))) => format!("({}('now'))", default_name(name)),
            (None, None) => continue,
        };
        changed += sql.get(end..token.start).unwrap_or_default();
        changed += &put;
        end = token.end();
    }
    changed += sql.get(end..).unwrap_or_default();
    changed.into()
}

/// Which of these functions a name is.
fn name_among(token: &Token<'_>, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    if !matches!(token.kind, TokenKind::Word | TokenKind::Quoted) {
        return None;
    }
    let text = token.text.trim_matches(['"', '`', '[', ']']);
    names.into_iter().find(|name| text.eq_ignore_ascii_case(name))
}

/// The arguments in the parentheses that begin here; nothing if none do.
fn arguments<'a, 't>(code: &'a [Token<'t>]) -> Option<Vec<&'a [Token<'t>]>> {
    let (open, code) = code.split_first()?;
    if open.text != "(" {
        return None;
    }
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (place, token) in code.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" if depth > 0 => depth -= 1,
            ")" => {
                found.extend(code.get(start..place).filter(|argument| !argument.is_empty()));
                return Some(found);
            }
            "," if depth == 0 => {
                found.extend(code.get(start..place));
                start = place + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        assert_eq!(is_called(&format!("UPDATE t SET a = {expression}")), expected, "in words: {expression}");
    }

    /// What it comes to, which has to be what SQLite makes of it.
    #[track_caller]
    fn check_call(expression: &str, expected: &str) {
        let (plain, guarded) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        guard(&guarded).unwrap();
        let sql = format!("SELECT quote({expression})");
        let ask = |connection: &Connection| {
            connection.query_row(&sql, [], |row| row.get::<_, String>(0)).map_err(|err| err.to_string())
        };
        assert_eq!(ask(&guarded).unwrap_or_else(|said| said), expected, "{expression}");
        if expected != REFUSAL {
            assert_eq!(ask(&plain).unwrap(), expected, "{expression}");
        }
    }

    #[test]
    fn the_clock_is_found_in_words() {
        for clock in [
            "datetime('now')",
            "date ( 'NOW' , '+1 day')",
            "time()",
            "strftime('%s')",
            "timediff(:time, 'now')",
        ] {
            check(clock, true);
        }
        for steady in
            ["date(:time), b = 'now'", "date(:time, 'now')", "strftime('now', :time)", "max(date, 'now')"]
        {
            check(steady, false);
        }
    }

    #[test]
    fn the_clock_is_refused_when_it_is_asked() {
        for clock in [
            "datetime('no' || 'w')",
            "date(x'6e6f77')",
            "time(printf('%s', 'Now'))",
            "julianday()",
            "unixepoch('subsec')",
            "strftime('%s')",
            "strftime('%Y', lower('NOW'))",
            "timediff('2024-01-01', trim(' now '))",
            "\"datetime\"('now')",
            "date('now' || char(0) || 'x')",
        ] {
            check_call(clock, REFUSAL);
        }
    }

    #[test]
    fn everything_else_is_what_sqlite_makes_of_it() {
        check_call("date('2024-02-28T10:11:12.5Z')", "'2024-02-28'");
        check_call("date('2024-02-31T10:11:12Z')", "'2024-03-02'");
        check_call("date('2024-02-10T24:11:12Z')", "NULL");
        check_call("date('2024-02-10T23:11:12x')", "NULL");
        check_call("date('2024-13-01')", "NULL");
        check_call("date(NULL)", "NULL");
        check_call("date(2460000.5, '+1 month')", "'2023-03-25'");
        check_call("strftime('%Y-%W', '2024-05-06 07:08:09', 'start of month')", "'2024-18'");
        check_call("unixepoch('2024-05-06')", "1714953600");
        check_call("julianday('2024-05-06 12:00:00')", "2460437.0");
        check_call("timediff('2024-05-06', '2023-05-06')", "'+0001-00-00 00:00:00.000'");
        check_call("strftime()", "NULL");
    }

    #[test]
    fn defaults_keep_the_clock() {
        #[track_caller]
        fn check_defaults(columns: &str, expected: &str) {
            assert_eq!(
                with_defaults(&format!("CREATE TABLE t ({columns})")),
                format!("CREATE TABLE t ({expected})")
            );
        }
        check_defaults(
            "a DEFAULT (datetime ('now')), time TEXT, date DEFAULT 'x', b DEFAULT (1 + (\"date\"()))",
            "a DEFAULT (timeglass_default_datetime ('now')), time TEXT, date DEFAULT 'x', b DEFAULT (1 + \
             (timeglass_default_date()))",
        );
        check_defaults(
            "a DEFAULT CURRENT_TIMESTAMP NOT NULL, b DEFAULT (coalesce(random(), current_date)), random, c AS (date(a))",
            "a DEFAULT (timeglass_default_datetime('now')) NOT NULL, b DEFAULT (coalesce(timeglass_default_random(), \
             (timeglass_default_date('now')))), random, c AS (date(a))",
        );
        let plain = "CREATE TABLE t AS SELECT datetime('now')";
        assert_eq!(with_defaults(plain), plain);
    }
}
