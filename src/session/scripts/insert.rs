//! Putting new handlers into a reducer's text.

use crate::script::{Token, TokenKind, text_of, tokens};

/// The text with handlers put in before the brace that closes its object of handlers; nothing if
/// there is no such object.
pub(super) fn with_handlers(text: &str, handlers: &str) -> Option<String> {
    let tokens: Vec<Token> =
        tokens(text).into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    let words: Vec<&str> = tokens.iter().map(|token| text_of(text, token)).collect();
    let open = handlers_start(&words)?;
    let close = matching_brace(&words, open)?;
    let before = tokens.get(close.checked_sub(1)?)?;
    let needs_comma = !matches!(words.get(close - 1), Some(&("," | "{")));
    let head = text.get(..before.range.end)?;
    let brace = tokens.get(close)?.range.start;
    let between = text.get(before.range.end..brace)?;
    let tail_after = text.get(brace..)?;
    // What stands between the last handler and the brace is comments, which stay where they are.
    let comma = if needs_comma { "," } else { "" };
    let between = between.trim_end();
    Some(format!("{head}{comma}{between}\n{handlers}{tail_after}"))
}

/// Where the brace of the handlers stands: behind `when(`, else behind the first `(`, else the first.
fn handlers_start(words: &[&str]) -> Option<usize> {
    let after = |first: &str, second: &str| {
        words.windows(3).position(|three| matches!(three, [a, b, "{"] if *a == first && *b == second))
    };
    let bare = || words.windows(2).position(|two| matches!(two, ["(", "{"]));
    let first = || words.iter().position(|word| *word == "{");
    after("when", "(").map(|at| at + 2).or_else(|| bare().map(|at| at + 1)).or_else(first)
}

fn matching_brace(words: &[&str], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        match *word {
            "{" => depth += 1,
            "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => (),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::with_handlers;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(with_handlers(text, "B() {},\n").as_deref(), expected, "{text}");
    }

    #[test]
    fn handlers_go_to_the_end_of_the_object() {
        check("({ A() {} })", Some("({ A() {},\nB() {},\n})"));
        check("({ A() {}, })", Some("({ A() {},\nB() {},\n})"));
        check("({})", Some("({\nB() {},\n})"));
        check(
            "options({});\nfromAll().foreachStream().when({ A() { return {}; } }).outputState()",
            Some(
                "options({});\nfromAll().foreachStream().when({ A() { return {}; },\nB() {},\n}).outputState()",
            ),
        );
        check("({ A() {} // the last }\n})", Some("({ A() {}, // the last }\nB() {},\n})"));
        check(
            "({ A() { return '}' + `${ {a: 1}.a }`; } })",
            Some("({ A() { return '}' + `${ {a: 1}.a }`; },\nB() {},\n})"),
        );
    }

    #[test]
    fn a_text_without_an_object_takes_none() {
        check("", None);
        check("({ A() {", None);
        check("17", None);
    }
}
