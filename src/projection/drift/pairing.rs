//! Which stored column is compared with which rebuilt one, and which are not compared and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{Json, Pointer, Stored, TableShape},
    project::sections::ProjectionEntry,
    projection::{
        Column, Definition, Kind, ReadModel, RowsQuery,
        drift::{
            DriftError,
            equality::Likeness,
            evidence::{not_reproducible, unsteady_default},
        },
    },
    store::{EventStore, index::nearest_names, layout::TableKind},
    work::Work,
};

/// A stored column and the rebuilt one that it is compared with.
pub type ColumnPair = (Arc<str>, Arc<str>);

/// How a stored table is compared with a rebuilt one.
///
/// A rebuilt column is called by its name or, where a projection in JavaScript keeps its state as one JSON
/// value, by a JSON Pointer into that state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairing {
    /// The stored table.
    pub table: Arc<str>,
    /// Key columns: stored, rebuilt. Empty: rows are compared as a bag.
    pub key: Vec<ColumnPair>,
    /// Other columns that are compared: stored, rebuilt.
    pub columns: Vec<ColumnPair>,
    /// Stored columns that are not compared, with the reason: ignored, not rebuilt.
    pub left_out: BTreeMap<Arc<str>, Arc<str>>,
    /// Stored columns that no replay can make again, with the reason: `DEFAULT CURRENT_TIMESTAMP`.
    pub not_reproducible: BTreeMap<Arc<str>, Arc<str>>,
    /// Those of them that the definition makes as well, so that their differences can be counted: stored,
    /// rebuilt.
    pub counted: Vec<ColumnPair>,
    /// What is known of each pair of columns, by the stored one.
    pub likeness: BTreeMap<Arc<str>, Likeness>,
}

/// What stored columns are called that hold the partition of a projection in JavaScript.
const PARTITIONS: [&str; 9] =
    ["partition", "partition_key", "stream", "stream_name", "stream_id", "aggregate_id", "id", "key", "name"];

/// What stored columns are called that hold its whole state.
const STATES: [&str; 8] = ["state", "data", "document", "doc", "body", "json", "value", "content"];

/// Pairs the table that belongs to a definition with what a rebuild made of it.
///
/// The table is the one that the project file names, or the one that is called as the projection.
pub fn pair_with(
    work: &Work,
    store: &dyn EventStore,
    definition: &Definition,
    model: &ReadModel,
    entry: Option<&ProjectionEntry>,
) -> Result<Pairing, DriftError> {
    let named = entry.and_then(|entry| entry.table.as_ref()).unwrap_or(&definition.name);
    let Some(shape) = store.table_shape(work, named)? else {
        return Err(DriftError::NoPair(format!(
            "there is no table `{named}` to compare `{}` with{}; `table = \"…\"` in its [[projection]] names another",
            definition.name,
            candidates(store, named)
        )));
    };
    let members = members(work, definition, model)?;
    pair(definition, model.columns(), &members, &shape, entry)
}

/// So many tables are named instead of one that is missing.
const CANDIDATES: usize = 5;

/// The tables that may be meant: those with a name that comes near, then the other read models, then the rest.
fn candidates(store: &dyn EventStore, named: &str) -> String {
    let layout = &store.describe().layout;
    let others = || layout.tables.iter().filter(|note| note.kind != TableKind::Events);
    let mut found = nearest_names(named, others().map(|note| Arc::clone(&note.table)), CANDIDATES);
    let read_models = others().filter(|note| note.kind == TableKind::ReadModel);
    for note in read_models.chain(others()) {
        if found.len() < CANDIDATES && !found.contains(&note.table) {
            found.push(Arc::clone(&note.table));
        }
    }
    let more = if others().count() > found.len() { " and more" } else { "" };
    if found.is_empty() { String::new() } else { format!("; the store has {}{more}", listing(found.iter())) }
}

/// The members that the first states of a projection in JavaScript have.
fn members(
    work: &Work,
    definition: &Definition,
    model: &ReadModel,
) -> Result<BTreeSet<Arc<str>>, DriftError> {
    let mut found = BTreeSet::new();
    let Kind::Script(_) = definition.kind else { return Ok(found) };
    let Some(place) = model.columns().iter().position(|column| &*column.name == "state") else {
        return Ok(found);
    };
    let query = RowsQuery { count: model.progress().count, limit: 100, ..RowsQuery::default() };
    for row in model.rows_at(work, &query)? {
        let Some(Stored::Text(text)) = row.values.get(place) else { continue };
        let Ok(Json::Object(state)) = Json::parse(text) else { continue };
        found.extend(state.iter().map(|(name, _)| Arc::clone(name)));
    }
    Ok(found)
}

/// Pairs the columns of a stored table with those of a rebuilt one.
///
/// Columns of the same name belong together, in any case of letters; `entry` renames and ignores. The key is
/// the definition's, or the stored primary key if the definition has none; without either, rows have no
/// identity and are compared as a bag. `members` are the names in the states of a projection in JavaScript.
pub fn pair(
    definition: &Definition,
    rebuilt: &[Column],
    members: &BTreeSet<Arc<str>>,
    stored: &TableShape,
    entry: Option<&ProjectionEntry>,
) -> Result<Pairing, DriftError> {
    let pairer = Pairer { definition, rebuilt, members, stored, entry };
    pairer.check_entry()?;
    let mut pairing = Pairing { table: Arc::clone(&stored.table), ..Pairing::default() };
    let mut pairs: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for column in &stored.columns {
        let name = &column.name;
        if entry.is_some_and(|entry| entry.ignore.iter().any(|own| own.eq_ignore_ascii_case(name))) {
            pairing.left_out.insert(Arc::clone(name), "ignored by the project file".into());
            continue;
        }
        match (pairer.counterpart(name), unsteady_default(column.default.as_deref())) {
            (Some(own), _) => {
                pairing.likeness.insert(Arc::clone(name), pairer.likeness(name, &column.declared, &own));
                pairs.push((Arc::clone(name), own));
            }
            (None, Some(reason)) => {
                pairing.not_reproducible.insert(Arc::clone(name), reason);
            }
            (None, None) => {
                pairing.left_out.insert(Arc::clone(name), "the definition does not make it".into());
            }
        }
    }
    pairing.key = pairer.key(&pairs)?;
    for pair in pairs {
        if pairing.key.contains(&pair) {
            continue;
        }
        match pairer.not_reproducible(&pair) {
            Some(reason) => {
                pairing.not_reproducible.insert(Arc::clone(&pair.0), reason);
                pairing.counted.push(pair);
            }
            None => pairing.columns.push(pair),
        }
    }
    if pairing.key.is_empty() && pairing.columns.is_empty() {
        return Err(pairer.refuse("have no column in common"));
    }
    Ok(pairing)
}

struct Pairer<'a> {
    definition: &'a Definition,
    rebuilt: &'a [Column],
    members: &'a BTreeSet<Arc<str>>,
    stored: &'a TableShape,
    entry: Option<&'a ProjectionEntry>,
}

impl Pairer<'_> {
    /// Names in the project file that nothing bears would silently compare less than the user thinks.
    fn check_entry(&self) -> Result<(), DriftError> {
        let Some(entry) = self.entry else { return Ok(()) };
        for name in entry.ignore.iter().chain(entry.columns.keys()) {
            if !self.stored.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                return Err(DriftError::NoPair(format!(
                    "the project file names a column `{name}` of `{}`, which has {}",
                    self.stored.table,
                    listing(self.stored.columns.iter().map(|column| &column.name))
                )));
            }
        }
        for own in entry.columns.values() {
            let is_pointer = self.is_script() && Pointer::parse(own).is_some();
            if !is_pointer && self.rebuilt_name(own).is_none() {
                return Err(DriftError::NoPair(format!(
                    "the project file names a column `{own}` of the projection `{}`, which makes {}",
                    self.definition.name,
                    listing(self.rebuilt.iter().map(|column| &column.name))
                )));
            }
        }
        Ok(())
    }

    fn is_script(&self) -> bool {
        matches!(self.definition.kind, Kind::Script(_))
    }

    fn rebuilt_name(&self, name: &str) -> Option<Arc<str>> {
        let found = self.rebuilt.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
        Some(Arc::clone(&found.name))
    }

    /// The rebuilt column that belongs to a stored one.
    fn counterpart(&self, name: &str) -> Option<Arc<str>> {
        let renames = self.entry.map(|entry| &entry.columns);
        let renamed =
            renames.and_then(|renames| renames.iter().find(|(stored, _)| stored.eq_ignore_ascii_case(name)));
        if let Some((_, own)) = renamed {
            return self.rebuilt_name(own).or_else(|| Some(Arc::clone(own)));
        }
        let is_taken = |own: &Arc<str>| {
            renames.is_some_and(|renames| renames.values().any(|taken| taken.eq_ignore_ascii_case(own)))
        };
        let found = self.rebuilt_name(name).or_else(|| self.guess(name));
        found.filter(|own| !is_taken(own))
    }

    /// For a projection in JavaScript: the partition, the state, or a member of the state.
    fn guess(&self, name: &str) -> Option<Arc<str>> {
        if !self.is_script() {
            return None;
        }
        if let Some(member) = self.members.iter().find(|member| member.eq_ignore_ascii_case(name)) {
            return Some(format!("/{}", member.replace('~', "~0").replace('/', "~1")).into());
        }
        let is_first_of = |names: &[&str]| {
            let first = names.iter().find(|own| self.has(own));
            first.is_some_and(|first| first.eq_ignore_ascii_case(name))
        };
        let sole_key = match self.stored_key().as_slice() {
            [sole] => Some(Arc::clone(sole)),
            _ => None,
        };
        let is_partition = match &sole_key {
            Some(sole) => sole.eq_ignore_ascii_case(name),
            None => is_first_of(&PARTITIONS),
        };
        match (is_partition, is_first_of(&STATES)) {
            (true, _) if !self.has("partition") => self.rebuilt_name("partition"),
            (false, true) if !self.has("state") => self.rebuilt_name("state"),
            _ => None,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.stored.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
    }

    fn stored_key(&self) -> Vec<Arc<str>> {
        let mut key: Vec<_> = self.stored.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        key.into_iter().map(|column| Arc::clone(&column.name)).collect()
    }

    fn likeness(&self, name: &str, declared: &str, own: &str) -> Likeness {
        let column = self.rebuilt.iter().find(|column| &*column.name == own);
        Likeness::of([name, own], [declared, column.map_or("", |column| &column.declared)])
    }

    fn not_reproducible(&self, (stored, own): &(Arc<str>, Arc<str>)) -> Option<Arc<str>> {
        let column = self.stored.columns.iter().find(|column| column.name == *stored)?;
        not_reproducible(self.definition, own, column.default.as_deref())
    }

    /// The key: the definition's, or the stored one.
    fn key(&self, pairs: &[ColumnPair]) -> Result<Vec<ColumnPair>, DriftError> {
        let own: Vec<&Column> = self.rebuilt.iter().filter(|column| column.is_key).collect();
        let paired = own.iter().map(|column| pairs.iter().find(|(_, name)| *name == column.name).cloned());
        if let Some(key) = paired.collect::<Option<Vec<_>>>()
            && !key.is_empty()
        {
            return Ok(key);
        }
        let stored = self.stored_key();
        let paired = stored.iter().map(|name| pairs.iter().find(|(own, _)| own == name).cloned());
        let key = paired.collect::<Option<Vec<_>>>().unwrap_or_default();
        let is_made = key.iter().all(|pair| self.not_reproducible(pair).is_none());
        if !key.is_empty() && is_made {
            return Ok(key);
        }
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let names = listing(own.iter().map(|column| &column.name));
        Err(self.refuse(&format!("have no key in common: the projection's is {names}")))
    }

    fn refuse(&self, why: &str) -> DriftError {
        DriftError::NoPair(format!(
            "the table `{}` and the projection `{}` {why}; `columns = {{ stored = \"rebuilt\" }}` in its \
             [[projection]] says which belong together (the table has {}, the projection makes {})",
            self.stored.table,
            self.definition.name,
            listing(self.stored.columns.iter().map(|column| &column.name)),
            listing(self.rebuilt.iter().map(|column| &column.name)),
        ))
    }
}

fn listing<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::ColumnShape,
        projection::definition::SqlSource,
        script::{Options, Script},
    };

    /// `name type default key`, one column each; `-` for nothing.
    fn shape(columns: &[&str]) -> TableShape {
        let column = |text: &&str| {
            let mut words = text.split(' ').map(|word| if word == "-" { "" } else { word });
            let mut next = || words.next().unwrap_or_default();
            let (name, declared, default, key) = (next(), next(), next(), next());
            ColumnShape {
                name: name.into(),
                declared: declared.into(),
                default: (!default.is_empty()).then(|| default.into()),
                key: key.parse().unwrap_or_default(),
                ..ColumnShape::default()
            }
        };
        TableShape {
            table: "stored".into(),
            columns: columns.iter().map(column).collect(),
            ..TableShape::default()
        }
    }

    /// A star marks a key column.
    fn rebuilt(columns: &[&str]) -> Vec<Column> {
        let column = |text: &&str| Column {
            name: text.trim_end_matches('*').into(),
            declared: "".into(),
            is_key: text.ends_with('*'),
        };
        columns.iter().map(column).collect()
    }

    fn definition(is_script: bool) -> Definition {
        let script =
            || Script::load("p.js", "fromAll().when({})", &Options::default(), &Work::default()).unwrap();
        let kind = if is_script { Kind::Script(script()) } else { Kind::Sql(Arc::new(SqlSource::default())) };
        Definition { name: "p".into(), file: "p".into(), key: Vec::new(), kind, fingerprint: "".into() }
    }

    fn told(found: Result<Pairing, DriftError>) -> String {
        let found = match found {
            Ok(found) => found,
            Err(refused) => return refused.to_string(),
        };
        let pairs = |pairs: &[(Arc<str>, Arc<str>)]| {
            pairs.iter().map(|(stored, own)| format!("{stored}={own}")).collect::<Vec<_>>().join(" ")
        };
        let reasons = |reasons: &BTreeMap<Arc<str>, Arc<str>>| {
            reasons.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join(", ")
        };
        let (key, columns) = (pairs(&found.key), pairs(&found.columns));
        let (out, apart) = (reasons(&found.left_out), reasons(&found.not_reproducible));
        format!("key {key} | {columns} | out {out} | apart {apart}")
    }

    #[track_caller]
    fn check(own: &[&str], stored: &[&str], entry: &str, expected: &str) {
        let is_script = own.first() == Some(&"partition*");
        let entry: Option<ProjectionEntry> = (!entry.is_empty()).then(|| {
            let mut found = ProjectionEntry::default();
            for word in entry.split(' ') {
                match word.split_once('=') {
                    Some((name, own)) => {
                        found.columns.insert(name.into(), own.into());
                    }
                    None => found.ignore.push(word.into()),
                }
            }
            found
        });
        let members = ["total", "owner"].map(Arc::from).into();
        let found = pair(&definition(is_script), &rebuilt(own), &members, &shape(stored), entry.as_ref());
        assert_eq!(told(found), expected);
    }

    #[test]
    fn columns_of_one_name_belong_together() {
        check(
            &["id*", "status", "total"],
            &["ID TEXT - 1", "Status TEXT", "note TEXT", "seen TIMESTAMP now()"],
            "",
            "key ID=id | Status=status | out note: the definition does not make it | apart seen: DEFAULT now()",
        );
    }

    #[test]
    fn the_project_file_renames_and_ignores() {
        check(
            &["id*", "total"],
            &["number TEXT - 1", "amount NUMERIC", "note TEXT", "total TEXT"],
            "number=id amount=total note",
            "key number=id | amount=total | out note: ignored by the project file, total: the definition does \
             not make it | apart ",
        );
        check(
            &["id*", "total"],
            &["id TEXT - 1", "total TEXT"],
            "nothing",
            "the project file names a column `nothing` of `stored`, which has `id`, `total`",
        );
        check(
            &["id*", "total"],
            &["id TEXT - 1", "total TEXT"],
            "total=sum",
            "the project file names a column `sum` of the projection `p`, which makes `id`, `total`",
        );
    }

    #[test]
    fn the_key_is_the_definitions_or_the_stored_one() {
        check(
            &["user*", "n"],
            &["id TEXT - 1", "user TEXT", "n INT"],
            "",
            "key user=user | n=n | out id: the definition does not make it | apart ",
        );
        check(&["user", "n"], &["user TEXT - 1", "n INT"], "", "key user=user | n=n | out  | apart ");
        check(&["b", "a", "n"], &["a - - 2", "b - - 1", "n"], "", "key b=b a=a | n=n | out  | apart ");
        check(&["user", "n"], &["user TEXT", "n INT"], "", "key  | user=user n=n | out  | apart ");
    }

    #[test]
    fn tables_without_a_key_or_column_in_common_are_refused() {
        check(
            &["id*", "n"],
            &["number TEXT - 1", "n INT"],
            "",
            "the table `stored` and the projection `p` have no key in common: the projection's is `id`; `columns = \
             { stored = \"rebuilt\" }` in its [[projection]] says which belong together (the table has `number`, \
             `n`, the projection makes `id`, `n`)",
        );
        check(
            &["a", "b"],
            &["c", "d"],
            "",
            "the table `stored` and the projection `p` have no column in common; `columns = { stored = \"rebuilt\" }` \
             in its [[projection]] says which belong together (the table has `c`, `d`, the projection makes `a`, `b`)",
        );
    }

    #[test]
    fn states_are_read_by_partition_and_member() {
        let own = ["partition*", "state"];
        check(
            &own,
            &["order_id TEXT - 1", "total NUMERIC", "note TEXT"],
            "",
            "key order_id=partition | total=/total | out note: the definition does not make it | apart ",
        );
        check(&own, &["stream TEXT", "data JSON"], "", "key stream=partition | data=state | out  | apart ");
        check(
            &own,
            &["id TEXT - 1", "name TEXT"],
            "id=/id name=/owner",
            "key id=/id | name=/owner | out  | apart ",
        );
    }
}
