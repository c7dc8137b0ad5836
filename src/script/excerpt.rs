//! The lines around a mistake.

use std::fmt::Write as _;

use crate::model::Failure;

/// The place of a failure and up to three lines of source, with a caret under the column:
///
/// ```text
/// order.js:4:7: total is not defined
///   3 |   Paid(s, e) {
///   4 |     s.paid += total;
///     |               ^
/// ```
#[must_use]
pub fn excerpt(text: &str, failure: &Failure) -> String {
    let mut shown = failure.to_string();
    let Some(line) = failure.line.filter(|line| *line > 0) else { return shown };
    let width = (line + 1).to_string().len();
    let first = line.saturating_sub(1).max(1);
    for number in first..=line + 1 {
        let Some(source) = text.lines().nth(number as usize - 1) else { break };
        // Writing to a string cannot fail, here and below.
        write!(shown, "\n{number:>width$} | {}", source.replace('\t', " ")).ok();
        if let Some(column) = failure.column.filter(|_| number == line) {
            // A place beyond the line is shown at its end.
            let at = (column.saturating_sub(1) as usize).min(source.chars().count());
            write!(shown, "\n{:>width$} | {}^", "", " ".repeat(at)).ok();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::excerpt;
    use crate::model::Failure;

    fn check(line: u32, column: u32, expected: &str) {
        let failure = Failure {
            file: Some("a.js".into()),
            line: Some(line),
            column: Some(column),
            ..Failure::new("no")
        };
        assert_eq!(excerpt("one\n\ttwo\nthree", &failure), expected);
    }

    #[test]
    fn three_lines_and_a_caret() {
        check(2, 2, "a.js:2:2: no\n1 | one\n2 |  two\n  |  ^\n3 | three");
        check(1, 1, "a.js:1:1: no\n1 | one\n  | ^\n2 |  two");
        check(3, 99, "a.js:3:99: no\n2 |  two\n3 | three\n  |      ^");
        check(9, 1, "a.js:9:1: no");
    }
}
