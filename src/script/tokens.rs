//! A small tokenizer for JavaScript: for highlighting, and for what can be told without running a source.
//!
//! It never fails: what it does not understand is [`TokenKind::Unknown`], and an unclosed string,
//! comment or template reaches to the end of its line or of the text.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `// …` or `/* … */`
    Comment,
    /// `'…'` or `"…"`
    Text,
    /// A part of a template: from a backtick or `}` to `${` or the closing backtick.
    Template,
    /// A number.
    Number,
    /// A regular expression with its flags.
    Regex,
    /// A reserved word.
    Keyword,
    /// Any other name; private names with their `#`.
    Name,
    /// An operator or bracket.
    Punctuation,
    /// A character that stands nowhere in JavaScript.
    Unknown,
}

/// A piece of the source. White space lies between tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
}

const KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Words after which a `/` starts a regular expression, although they look like names.
const BEFORE_REGEX: &[&str] = &[
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

const OPERATORS: &[&str] = &[
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "=>", "==", "!=", "<=",
    ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>",
    "**",
];

/// The tokens of a source, in order.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { text, at: 0, braces: Vec::new(), found: Vec::new() };
    while scanner.step() {}
    scanner.found
}

/// What a token says in its source.
#[must_use]
pub fn text_of<'a>(text: &'a str, token: &Token) -> &'a str {
    text.get(token.range.clone()).unwrap_or_default()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// For each open brace whether it opened a hole in a template.
    braces: Vec<bool>,
    found: Vec<Token>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) -> bool {
        let Some(c) = self.rest().chars().next() else { return false };
        let (kind, length) = match c {
            _ if c.is_whitespace() || c == '\u{feff}' => {
                self.at += c.len_utf8();
                return true;
            }
            '/' if self.rest().starts_with("//") => (TokenKind::Comment, self.up_to_line_end()),
            '#' if self.at == 0 && self.rest().starts_with("#!") => {
                (TokenKind::Comment, self.up_to_line_end())
            }
            '/' if self.rest().starts_with("/*") => (TokenKind::Comment, self.block_comment()),
            '"' | '\'' => (TokenKind::Text, self.string(c)),
            '`' => (TokenKind::Template, self.template(1)),
            '}' if self.braces.last() == Some(&true) => {
                self.braces.pop();
                (TokenKind::Template, self.template(1))
            }
            '0'..='9' => (TokenKind::Number, self.number()),
            '.' if self.rest().chars().nth(1).is_some_and(|next| next.is_ascii_digit()) => {
                (TokenKind::Number, self.number())
            }
            '/' if self.regex_may_stand_here() => match self.regex() {
                Some(length) => (TokenKind::Regex, length),
                None => (TokenKind::Punctuation, 1),
            },
            _ if is_name_start(c) || c == '#' => self.name(),
            _ => self.punctuation(c),
        };
        let range = self.at..self.at + length.max(1);
        self.at = range.end;
        self.found.push(Token { kind, range });
        true
    }

    fn up_to_line_end(&self) -> usize {
        let rest = self.rest();
        rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len())
    }

    fn block_comment(&self) -> usize {
        let rest = self.rest();
        rest.get(2..).and_then(|inner| inner.find("*/")).map_or(rest.len(), |end| end + 4)
    }

    fn string(&self, quote: char) -> usize {
        let rest = self.rest();
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' | '\r' => return at,
                _ if c == quote => return at + 1,
                _ => {}
            }
        }
        rest.len()
    }

    /// A template's text up to its end or its next hole; `start` bytes are its opening.
    fn template(&mut self, start: usize) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut escaped = false;
        let mut before = ' ';
        for (at, c) in rest.char_indices().skip(start) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '`' => return at + 1,
                '{' if before == '$' => {
                    self.braces.push(true);
                    return at + 1;
                }
                _ => {}
            }
            before = c;
        }
        rest.len()
    }

    fn number(&self) -> usize {
        let rest = self.rest();
        let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
        let mut before = ' ';
        for (at, c) in rest.char_indices() {
            let is_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !is_hex;
            if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || is_sign) {
                return at;
            }
            before = c;
        }
        rest.len()
    }

    fn regex_may_stand_here(&self) -> bool {
        let before = self.found.iter().rev().find(|token| token.kind != TokenKind::Comment);
        let Some(before) = before else { return true };
        let word = text_of(self.text, before);
        match before.kind {
            TokenKind::Keyword => BEFORE_REGEX.contains(&word),
            TokenKind::Punctuation => !matches!(word, ")" | "]" | "}" | "++" | "--"),
            TokenKind::Template => word.ends_with("${"),
            TokenKind::Comment
            | TokenKind::Text
            | TokenKind::Number
            | TokenKind::Regex
            | TokenKind::Name
            | TokenKind::Unknown => false,
        }
    }

    fn regex(&self) -> Option<usize> {
        let rest = self.rest();
        let (mut escaped, mut in_class) = (false, false);
        let mut chars = rest.char_indices().skip(1);
        let end = chars.find_map(|(at, c)| {
            match c {
                '\n' | '\r' => return Some(None),
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => return Some(Some(at + 1)),
                _ => {}
            }
            None
        })??;
        let flags =
            rest.get(end..).unwrap_or_default().chars().take_while(|c| c.is_ascii_alphabetic()).count();
        Some(end + flags)
    }

    fn name(&self) -> (TokenKind, usize) {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| !is_name_start(*c) && !c.is_numeric())
            .map_or(rest.len(), |(at, _)| at);
        let word = rest.get(..end).unwrap_or_default();
        let follows_dot =
            self.found.last().is_some_and(|token| matches!(text_of(self.text, token), "." | "?."));
        let is_keyword = !follows_dot && KEYWORDS.contains(&word);
        (if is_keyword { TokenKind::Keyword } else { TokenKind::Name }, end)
    }

    fn punctuation(&mut self, c: char) -> (TokenKind, usize) {
        match c {
            '{' => self.braces.push(false),
            '}' => drop(self.braces.pop()),
            _ => {}
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
            return (TokenKind::Punctuation, operator.len());
        }
        let is_known = "{}()[];,<>+-*/%&|^!~?:=.@".contains(c);
        (if is_known { TokenKind::Punctuation } else { TokenKind::Unknown }, c.len_utf8())
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '$' | '_' | '\\' | '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::{TokenKind, text_of, tokens};

    /// Writes each token as its kind's first letter and its text.
    fn check(text: &str, expected: &str) {
        let found: Vec<String> = tokens(text)
            .iter()
            .map(|token| {
                let kind = match token.kind {
                    TokenKind::Comment => 'c',
                    TokenKind::Text => 's',
                    TokenKind::Template => 't',
                    TokenKind::Number => 'n',
                    TokenKind::Regex => 'r',
                    TokenKind::Keyword => 'k',
                    TokenKind::Name => 'i',
                    TokenKind::Punctuation => 'p',
                    TokenKind::Unknown => 'u',
                };
                format!("{kind}{}", text_of(text, token))
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }

    #[test]
    fn words_numbers_and_operators() {
        check("let a1 = 0x1F + 1.5e-3n;", "klet ia1 p= n0x1F p+ n1.5e-3n p;");
        check("s?.of >>>= $x ?? #p", "is p?. iof p>>>= i$x p?? i#p");
        check("..5", "p. n.5");
    }

    #[test]
    fn texts_and_comments_may_be_unclosed() {
        check("'a\\'b' // c\n\"open\nx /* y", "s'a\\'b' c// c s\"open ix c/* y");
    }

    #[test]
    fn a_slash_is_a_regex_or_a_division() {
        check("a / b / c", "ia p/ ib p/ ic");
        check("x = /[/]\\//gi.test(y)", "ix p= r/[/]\\//gi p. itest p( iy p)");
        check("return /a/", "kreturn r/a/");
        check("(1) / 2", "p( n1 p) p/ n2");
    }

    #[test]
    fn templates_nest() {
        check("`a${ {b: `c${1}`} }d` e", "t`a${ p{ ib p: t`c${ n1 t}` p} t}d` ie");
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        check("\u{0}é☂", "u\u{0} ié u☂");
        check("`${", "t`${");
        check("\\", "i\\");
    }
}
