//! Aligned columns for people, and comma-separated values for spreadsheets.

use crate::cli::{failure::Failure, output::Output};

/// A table that is written row by row; columns grow where they must and never shrink.
#[derive(Debug)]
pub(crate) struct Table {
    heads: Vec<String>,
    sides: Vec<Side>,
    widths: Vec<usize>,
    waiting: Vec<Vec<String>>,
    is_begun: bool,
}

/// To which side the values of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// So many rows are looked at before the widths of the columns are settled.
const LOOK_AHEAD: usize = 1000;

impl Table {
    pub(crate) fn new(columns: &[(&str, Side)]) -> Self {
        Self {
            heads: columns.iter().map(|(head, _)| (*head).to_owned()).collect(),
            sides: columns.iter().map(|(_, side)| *side).collect(),
            widths: columns.iter().map(|(head, _)| width(head)).collect(),
            waiting: Vec::new(),
            is_begun: false,
        }
    }

    /// Takes a row, and writes what waits when enough of it is there.
    pub(crate) fn row(&mut self, output: &mut Output<'_>, cells: &[String]) -> Result<(), Failure> {
        let cells: Vec<String> = cells.iter().map(|cell| printable(cell)).collect();
        for (own, cell) in self.widths.iter_mut().zip(&cells) {
            *own = (*own).max(width(cell));
        }
        self.waiting.push(cells);
        if self.waiting.len() >= LOOK_AHEAD { self.write(output) } else { Ok(()) }
    }

    /// Writes what waits.
    pub(crate) fn write(&mut self, output: &mut Output<'_>) -> Result<(), Failure> {
        if !self.is_begun && !self.waiting.is_empty() {
            self.is_begun = true;
            output.line(&self.aligned(&self.heads))?;
        }
        for cells in std::mem::take(&mut self.waiting) {
            output.line(&self.aligned(&cells))?;
        }
        Ok(())
    }

    /// Takes a row of a table that has no heads.
    pub(crate) fn plain_row(&mut self, cells: &[String]) {
        for (own, cell) in self.widths.iter_mut().zip(cells) {
            *own = (*own).max(width(cell));
        }
        self.waiting.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    /// Writes what waits, without heads.
    pub(crate) fn write_rows(&mut self, output: &mut Output<'_>) -> Result<(), Failure> {
        self.is_begun = true;
        self.write(output)
    }

    fn aligned(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for ((cell, side), column) in cells.iter().zip(&self.sides).zip(&self.widths) {
            let gap = " ".repeat(column.saturating_sub(width(cell)));
            if !line.is_empty() {
                line.push_str("  ");
            }
            match side {
                Side::Left => line.extend([cell.as_str(), &gap]),
                Side::Right => line.extend([gap.as_str(), cell]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// The text with nothing in it that moves a terminal's cursor or colours its lines: names come from
/// strangers' databases.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// How many places a terminal gives a text; East Asian letters and emoji take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}

/// `1 event`, `2 events`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {}", plural(count, noun))
}

/// `event` of one, `events` of any other number.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// One line of comma-separated values.
pub(crate) fn csv_line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        let cell = cell.as_ref();
        if index > 0 {
            line.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            line.extend(["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            line.push_str(cell);
        }
    }
    // RFC 4180 ends lines so; the writer adds the rest.
    line.push('\r');
    line
}

#[cfg(test)]
mod tests {
    use super::{csv_line, printable, width};

    #[test]
    fn a_strangers_name_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n\u{202e}é"), "a\\u{1b}[31mb\\u{a}\\u{202e}é");
    }

    #[test]
    fn letters_are_as_wide_as_a_terminal_draws_them() {
        for (text, expected) in [("order-1", 7), ("李小龙", 6), ("e\u{301}", 1), ("", 0)] {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn values_with_commas_are_quoted() {
        assert_eq!(csv_line(["a", "b,c", "d\"e", ""]), "a,\"b,c\",\"d\"\"e\",\r");
    }
}
