//! A small tokenizer for SQL, for its colours. It never fails: what is not closed reaches to the end.

use crate::script::{Token, TokenKind};

const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "BEGIN",
    "BETWEEN",
    "BLOB",
    "BY",
    "CASE",
    "CAST",
    "CHECK",
    "CONFLICT",
    "CREATE",
    "DEFAULT",
    "DELETE",
    "DISTINCT",
    "DO",
    "ELSE",
    "END",
    "EXISTS",
    "FROM",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INDEX",
    "INSERT",
    "INTEGER",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NOTHING",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRIMARY",
    "REAL",
    "REFERENCES",
    "REPLACE",
    "SELECT",
    "SET",
    "TABLE",
    "TEXT",
    "THEN",
    "TRIGGER",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
    "WITHOUT",
];

/// The tokens of a text, in order; white space lies between them.
pub(super) fn sql_tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token_at(rest, first);
        found.push(Token { kind, range: at..at + length });
        at += length;
    }
    found
}

fn token_at(rest: &str, first: char) -> (TokenKind, usize) {
    let up_to = |end: &str, from: usize| {
        rest.get(from..).and_then(|tail| tail.find(end)).map_or(rest.len(), |place| place + from)
    };
    let word = |is_part: fn(char) -> bool| {
        rest.char_indices().skip(1).find(|(_, c)| !is_part(*c)).map_or(rest.len(), |(place, _)| place)
    };
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    match first {
        '-' if rest.starts_with("--") => (TokenKind::Comment, up_to("\n", 0)),
        '/' if rest.starts_with("/*") => (TokenKind::Comment, (up_to("*/", 2) + 2).min(rest.len())),
        '\'' => (TokenKind::Text, (up_to("'", 1) + 1).min(rest.len())),
        '"' => (TokenKind::Name, (up_to("\"", 1) + 1).min(rest.len())),
        ':' | '@' => (TokenKind::Name, word(is_part)),
        first if first.is_ascii_digit() => {
            (TokenKind::Number, word(|c| c.is_ascii_alphanumeric() || c == '.'))
        }
        first if is_part(first) => {
            let length = word(is_part);
            let name = rest.get(..length).unwrap_or_default().to_ascii_uppercase();
            let is_keyword = KEYWORDS.binary_search(&name.as_str()).is_ok();
            (if is_keyword { TokenKind::Keyword } else { TokenKind::Name }, length)
        }
        first => (TokenKind::Punctuation, first.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEYWORDS, sql_tokens};
    use crate::script::text_of;

    fn check(text: &str, expected: &str) {
        let each = sql_tokens(text);
        let each: Vec<String> =
            each.iter().map(|token| format!("{:?} {}", token.kind, text_of(text, token))).collect();
        assert_eq!(each.join(" | "), expected);
    }

    #[test]
    fn pieces_of_sql_are_told_apart() {
        check("-- @on it's\nUPDATE t", "Comment -- @on it's | Keyword UPDATE | Name t");
        check(
            "set n = n + (:data ->> 'a''b')",
            "Keyword set | Name n | Punctuation = | Name n | Punctuation + | Punctuation ( | Name :data | \
             Punctuation - | Punctuation > | Punctuation > | Text 'a' | Text 'b' | Punctuation )",
        );
        check("1.5e3 \"größe\" /* x */ ä", "Number 1.5e3 | Name \"größe\" | Comment /* x */ | Name ä");
        check("'open", "Text 'open");
        check("/* open", "Comment /* open");
        check("/*", "Comment /*");
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }
}
