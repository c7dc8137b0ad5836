//! Which stored table a definition may be about, where names do not say: offered, never applied.

use std::{collections::BTreeSet, sync::Arc};

use crate::projection::{Definition, Kind};

/// A stored table that looks like what a definition makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The stored table.
    pub table: Arc<str>,
    /// The definition.
    pub definition: Arc<str>,
    /// Columns that both have, by name.
    pub common: usize,
    /// Columns that the definition makes.
    pub columns: usize,
}

/// Compares a stored table with a definition: alike are those with half of the columns in common, two at least.
pub(super) fn guess(table: &str, stored: &[Arc<str>], definition: &Definition) -> Option<Guess> {
    let own = columns(definition);
    let lower = |name: &Arc<str>| name.to_lowercase();
    let known: BTreeSet<String> = stored.iter().map(lower).collect();
    let common = own.iter().filter(|name| known.contains(&name.to_lowercase())).count();
    let is_alike = common >= 2 && common * 2 >= own.len().min(stored.len());
    is_alike.then(|| Guess {
        table: table.into(),
        definition: Arc::clone(&definition.name),
        common,
        columns: own.len(),
    })
}

/// The columns of the table that a definition in SQL makes, read out of its text. What is no plain
/// `CREATE TABLE name (…)` has none that we know.
fn columns(definition: &Definition) -> Vec<Arc<str>> {
    let Kind::Sql(source) = &definition.kind else { return Vec::new() };
    let made = source.setup.iter().map(|statement| created(&statement.sql, &definition.name));
    made.flatten().next().unwrap_or_default()
}

/// The columns of `CREATE TABLE table (…)`; nothing for any other statement.
fn created(sql: &str, table: &str) -> Option<Vec<Arc<str>>> {
    let words = words(sql);
    let mut words = words.iter().map(String::as_str);
    let mut expect = |known: &str| words.next().is_some_and(|word| word.eq_ignore_ascii_case(known));
    if !expect("CREATE") || !expect("TABLE") {
        return None;
    }
    let mut name = words.next()?;
    if name.eq_ignore_ascii_case("IF") {
        name = words.nth(2)?;
    }
    if !bare(name).eq_ignore_ascii_case(table) || words.next()? != "(" {
        return None;
    }
    let mut columns = Vec::new();
    let (mut depth, mut is_first) = (1, true);
    for word in words {
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => is_first = true,
            word if is_first => {
                is_first = false;
                const OTHER: [&str; 5] = ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT"];
                if !OTHER.iter().any(|other| other.eq_ignore_ascii_case(word)) {
                    columns.push(bare(word).into());
                }
            }
            _ => (),
        }
        if depth == 0 {
            break;
        }
    }
    Some(columns)
}

/// A name without its quotes.
fn bare(word: &str) -> String {
    for (open, close) in [('"', '"'), ('`', '`'), ('[', ']'), ('\'', '\'')] {
        if let Some(inside) = word.strip_prefix(open).and_then(|word| word.strip_suffix(close)) {
            return inside.replace(&format!("{close}{close}"), &close.to_string());
        }
    }
    word.to_owned()
}

/// Names, numbers, quoted names and single signs, without comments.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => (),
            '-' if chars.peek() == Some(&'-') => drop(chars.by_ref().find(|c| *c == '\n')),
            '/' if chars.peek() == Some(&'*') => {
                let mut before = ' ';
                chars.by_ref().skip(1).find(|c| std::mem::replace(&mut before, *c) == '*' && *c == '/');
            }
            '"' | '`' | '\'' | '[' => {
                let close = if c == '[' { ']' } else { c };
                let mut word = String::from(c);
                while let Some(inside) = chars.next() {
                    word.push(inside);
                    if inside == close && chars.next_if_eq(&close).is_none() {
                        break;
                    }
                    if inside == close {
                        word.push(close);
                    }
                }
                words.push(word);
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(next);
                }
                words.push(word);
            }
            sign => words.push(sign.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::created;

    fn check(sql: &str, expected: Option<&str>) {
        let found = created(sql, "order_list").map(|columns| columns.join(" "));
        assert_eq!(found.as_deref(), expected, "{sql}");
    }

    #[test]
    fn columns_are_read_out_of_the_statement() {
        check("CREATE TABLE order_list (id TEXT PRIMARY KEY, total INTEGER DEFAULT 0)", Some("id total"));
        check(
            "create table if not exists Order_List (\n  \"my id\" TEXT, -- the id, really\n  [b c] NUMERIC(10, 2) \
             CHECK (a IN (1, 2)), /* x, y */ `d`,\n PRIMARY KEY (\"my id\", d), UNIQUE (d)) WITHOUT ROWID;",
            Some("my id b c d"),
        );
        check("CREATE TABLE \"order_list\" (\"a\"\"b\")", Some("a\"b"));
        check("CREATE TABLE other (id TEXT)", None);
        check("CREATE TABLE order_list AS SELECT 1", None);
        check("CREATE INDEX i ON order_list (id)", None);
        check("CREATE TABLE order_list (id", Some("id"));
        check("CREATE TABLE \"order_list", None);
        check("", None);
    }
}
