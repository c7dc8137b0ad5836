//! Which stored table a definition may be about, where names do not say: offered, never applied.

use std::{collections::BTreeSet, sync::Arc};

use crate::projection::{Definition, Kind, sql_text::tokens};

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

/// What a constraint of a table begins with.
const NO_COLUMN: [&str; 5] = ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT"];

/// The columns of `CREATE TABLE table (…)`; nothing for any other statement.
fn created(sql: &str, table: &str) -> Option<Vec<Arc<str>>> {
    let tokens = tokens(sql);
    let mut tokens = tokens.iter().filter(|token| token.is_code());
    let mut expect = |word: &str| tokens.next().is_some_and(|token| token.is_word(word));
    if !expect("CREATE") || !expect("TABLE") {
        return None;
    }
    let mut name = tokens.next()?;
    if name.is_word("IF") {
        name = tokens.nth(2)?;
    }
    if !bare(name.text).eq_ignore_ascii_case(table) || tokens.next()?.text != "(" {
        return None;
    }
    let mut columns = Vec::new();
    let (mut depth, mut is_first) = (1, true);
    for token in tokens {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => is_first = true,
            text if is_first => {
                is_first = false;
                if !NO_COLUMN.iter().any(|other| token.is_word(other)) {
                    columns.push(bare(text).into());
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
