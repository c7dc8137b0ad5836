//! SQL as text: where its words, texts and comments begin and end, by the rules of SQLite.

/// What a stretch of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword without quotes.
    Word,
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted,
    /// A text in `'…'`.
    Text,
    /// `:name`, `@name`, `$name`, `?` or `?7`.
    Parameter,
    /// From `--` to the end of the line.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// `;`.
    Semicolon,
    /// A digit, a sign, a parenthesis.
    Other,
    /// A text, name or comment without an end.
    Endless,
}

/// A stretch of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Its text, quotes included.
    pub(super) text: &'a str,
    /// Where it starts, in bytes.
    pub(super) start: usize,
    /// Its line, from 1.
    pub(super) line: u32,
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Where it ends, in bytes.
    pub(super) fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }

    /// Whether it is neither a comment nor a statement's end.
    pub(super) fn is_code(&self) -> bool {
        !matches!(self.kind, TokenKind::LineComment | TokenKind::BlockComment | TokenKind::Semicolon)
    }
}

/// Cuts SQL into its tokens; blanks are left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut start, mut line) = (text, 0_usize, 1_u32);
    while let Some(first) = rest.chars().next() {
        let (kind, length) = if first.is_whitespace() || first == '\u{feff}' {
            (None, first.len_utf8())
        } else {
            let (kind, length) = measure(rest, first);
            (Some(kind), length)
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if let Some(kind) = kind {
            found.push(Token { kind, text: token, start, line });
        }
        line = line.saturating_add(token.bytes().filter(|byte| *byte == b'\n').count() as u32);
        start = start.saturating_add(token.len());
        rest = after;
    }
    found
}

/// What begins here, and how many bytes it takes.
fn measure(rest: &str, first: char) -> (TokenKind, usize) {
    let run = |is_part: &dyn Fn(char) -> bool| {
        rest.char_indices().skip(1).find(|(_, c)| !is_part(*c)).map_or(rest.len(), |(at, _)| at)
    };
    match first {
        ';' => (TokenKind::Semicolon, 1),
        '\'' => quoted(rest, '\'', TokenKind::Text),
        '"' | '`' => quoted(rest, first, TokenKind::Quoted),
        '[' => ended(rest, rest.find(']').map(|at| at.saturating_add(1)), TokenKind::Quoted),
        '-' if rest.starts_with("--") => (TokenKind::LineComment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => {
            let end = rest.get(2..).and_then(|inner| inner.find("*/")).map(|at| at.saturating_add(4));
            ended(rest, end, TokenKind::BlockComment)
        }
        ':' | '@' | '$' | '?' => {
            let length = run(&is_word_part);
            (if length > 1 || first == '?' { TokenKind::Parameter } else { TokenKind::Other }, length)
        }
        _ if first.is_ascii_digit() => (TokenKind::Other, run(&is_word_part)),
        _ if is_word_part(first) => (TokenKind::Word, run(&is_word_part)),
        _ => (TokenKind::Other, first.len_utf8()),
    }
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// Up to the closing quote; a doubled one belongs to the text.
fn quoted(rest: &str, quote: char, kind: TokenKind) -> (TokenKind, usize) {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return (kind, at.saturating_add(1));
        }
    }
    (TokenKind::Endless, rest.len())
}

fn ended(rest: &str, end: Option<usize>, kind: TokenKind) -> (TokenKind, usize) {
    end.map_or((TokenKind::Endless, rest.len()), |end| (kind, end))
}

/// A name in double quotes, for our own statements.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes, for our own statements.
pub(super) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{TokenKind, tokens};

    fn check(text: &str, expected: &[(TokenKind, &str, u32)]) {
        let found: Vec<_> =
            tokens(text).iter().map(|token| (token.kind, token.text.to_owned(), token.line)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(kind, text, line)| (*kind, (*text).to_owned(), *line)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn sql_is_cut_as_sqlite_cuts_it() {
        use TokenKind::{
            BlockComment, Endless, LineComment, Other, Parameter, Quoted, Semicolon, Text, Word,
        };
        check("a_1 + :x;", &[(Word, "a_1", 1), (Other, "+", 1), (Parameter, ":x", 1), (Semicolon, ";", 1)]);
        check("'it''s;\n' b", &[(Text, "'it''s;\n'", 1), (Word, "b", 2)]);
        check("-- a; 'b\n[x;y]", &[(LineComment, "-- a; 'b", 1), (Quoted, "[x;y]", 2)]);
        check("/* ; \n*/ \"q\"\"r\"", &[(BlockComment, "/* ; \n*/", 1), (Quoted, "\"q\"\"r\"", 2)]);
        check(
            "? ?12 $a 3e4",
            &[(Parameter, "?", 1), (Parameter, "?12", 1), (Parameter, "$a", 1), (Other, "3e4", 1)],
        );
        check("é 'open", &[(Word, "é", 1), (Endless, "'open", 1)]);
        check("/* open", &[(Endless, "/* open", 1)]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_cut(text in any::<String>()) {
            for token in tokens(&text) {
                proptest::prop_assert_eq!(text.get(token.start..token.end()), Some(token.text));
            }
        }
    }
}
