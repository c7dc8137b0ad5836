//! From a layout to the columns that a SELECT has to name, and where each role is found in a row.

use std::sync::Arc;

use rusqlite::Connection;

use crate::{
    model::Pointer,
    store::{
        bodies::Bodies,
        layout::{EventsTable, Form, Join, Mapping, Role, Source},
        sqlite::facts::TableFacts,
    },
};

/// How the events of a layout are read.
#[derive(Debug)]
pub(super) struct Plan {
    /// The tables of the log, oldest first.
    pub(super) parts: Vec<Arc<str>>,
    /// Expressions that together name an event and sort it.
    pub(super) key: Vec<String>,
    /// The columns that these are.
    pub(super) key_columns: Vec<Arc<str>>,
    /// Whether the table has a row number of SQLite's own, and under which name.
    pub(super) rowid: Option<&'static str>,
    /// Whether the key is the row number alone.
    pub(super) is_by_rowid: bool,
    /// Everything that an event has.
    pub(super) full: Select,
    /// What a scan needs.
    pub(super) lean: Select,
    /// The data of an event alone.
    pub(super) data: Select,
    /// What an event has beside its head.
    pub(super) body: Select,
    pub(super) events: EventsTable,
    /// What is uncertain about the order.
    pub(super) problems: Vec<String>,
}

/// The columns of one kind of SELECT; the key stands first.
#[derive(Debug, Default)]
pub(super) struct Select {
    pub(super) expressions: Vec<String>,
    /// By role: a scan asks several times a row.
    takes: [Option<Take>; Role::ALL.len()],
    /// Columns of the result whose JSON is looked into.
    pub(super) json: Vec<usize>,
}

/// Where a row holds a role's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Take {
    /// In this column of the result.
    Column { at: usize, form: Form },
    /// Inside the JSON of this column of the result.
    Json { at: usize, path: Pointer, form: Form },
    /// In the stream's name, before this character.
    Prefix(char),
    /// In the event type.
    Class,
    /// The name of the one member in the JSON of this column of the result.
    Tag(usize),
}

/// What a scan needs; the rest is read with the payload.
const LEAN: [Role; 6] =
    [Role::GlobalPosition, Role::Stream, Role::Category, Role::Version, Role::EventType, Role::Time];

/// What a read needs besides.
const REST: [Role; 5] = [Role::Data, Role::Metadata, Role::EventId, Role::CorrelationId, Role::CausationId];

/// So many types at most are told apart within SQLite.
const MOST_TYPES: usize = 200;

impl Plan {
    /// Looks at the tables and settles how to read them.
    pub(super) fn new(connection: &Connection, events: &EventsTable) -> rusqlite::Result<Self> {
        let facts = TableFacts::read(connection, &events.table)?;
        let mut problems = Vec::new();
        let columns = key_columns(connection, events, &facts, &mut problems)?;
        let key: Vec<String> = columns.iter().map(|column| own(column)).collect();
        let mut parts = events.archives.clone();
        parts.push(Arc::clone(&events.table));
        Ok(Self {
            full: Select::new(events, &key, &Role::ALL),
            lean: Select::new(events, &key, &LEAN),
            data: Select::new(events, &key, &[Role::Data]),
            body: Select::new(events, &key, &REST),
            rowid: facts.rowid(),
            is_by_rowid: columns.len() == 1 && columns.iter().all(|column| facts.is_row_number(column)),
            parts,
            key,
            key_columns: columns,
            events: events.clone(),
            problems,
        })
    }

    /// What a read needs. With `types`, SQLite does not even look for the payloads of others, as far as it can
    /// tell their type; that is asked for every row, and pays where payloads are large.
    pub(super) fn reading(&self, types: Option<&[Arc<str>]>) -> Select {
        let mut select = Select::new(&self.events, &self.key, &LEAN);
        let is_wanted = types.and_then(|types| self.is_of(types));
        let known = select.expressions.len();
        for role in REST {
            if let Some(mapping) = self.events.role(role) {
                let take = select.take(&self.events, mapping);
                select.put(role, take);
            }
        }
        if let Some(is_wanted) = is_wanted {
            for expression in select.expressions.iter_mut().skip(known) {
                *expression = format!("CASE WHEN {is_wanted} THEN {expression} END");
            }
        }
        select
    }

    /// What a search needs: the payloads, and no ids.
    pub(super) fn searching(&self) -> Select {
        let mut select = Select::new(&self.events, &self.key, &LEAN);
        for role in [Role::Data, Role::Metadata] {
            if let Some(mapping) = self.events.role(role) {
                let take = select.take(&self.events, mapping);
                select.put(role, take);
            }
        }
        select
    }

    /// What the body of an event needs.
    pub(super) fn bodies(&self, bodies: Bodies) -> &Select {
        match bodies {
            Bodies::Data => &self.data,
            Bodies::All => &self.body,
        }
    }

    /// A condition that holds for every event of these types, and for few others; nothing where SQLite cannot
    /// tell.
    fn is_of(&self, types: &[Arc<str>]) -> Option<String> {
        let (column, mapping) = self.column(Role::EventType)?;
        // Texts that SQLite holds otherwise than we show them.
        let is_odd = |name: &Arc<str>| name.contains(['\0', char::REPLACEMENT_CHARACTER]);
        if mapping.form != Form::Plain || types.len() > MOST_TYPES || types.iter().any(is_odd) {
            return None;
        }
        let names: Vec<String> = types.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
        // Numbers and bytes are left to us.
        Some(format!("typeof({column}) <> 'text' OR {column} COLLATE BINARY IN ({})", names.join(", ")))
    }

    /// The expression of a role that is a plain column, and how it is written.
    pub(super) fn column(&self, role: Role) -> Option<(String, &Mapping)> {
        let mapping = self.events.role(role)?;
        match &mapping.source {
            Source::Column { table: None, column } => Some((own(column), mapping)),
            Source::RowId => Some((own("rowid"), mapping)),
            Source::Column { table: Some(_), .. }
            | Source::Json { .. }
            | Source::StreamPrefix { .. }
            | Source::TypeClass
            | Source::TypeTag { .. } => None,
        }
    }
}

impl Select {
    fn new(events: &EventsTable, key: &[String], roles: &[Role]) -> Self {
        let mut select = Self { expressions: key.to_vec(), ..Self::default() };
        for role in roles {
            if let Some(mapping) = events.role(*role) {
                let take = select.take(events, mapping);
                select.put(*role, take);
            }
        }
        select
    }

    /// Says where a role's value is found.
    pub(super) fn put(&mut self, role: Role, take: Take) {
        if let Take::Json { at, .. } | Take::Tag(at) = take
            && !self.json.contains(&at)
        {
            self.json.push(at);
        }
        if let Some(place) = self.takes.get_mut(role as usize) {
            *place = Some(take);
        }
    }

    /// Adds what a mapping needs.
    pub(super) fn take(&mut self, events: &EventsTable, mapping: &Mapping) -> Take {
        let form = mapping.form;
        match &mapping.source {
            Source::Column { table, column } => {
                let at = self.add(column_of(events, table.as_deref(), column));
                Take::Column { at, form }
            }
            Source::Json { column, path } => {
                let at = self.add(own(column));
                Take::Json { at, path: path.clone(), form }
            }
            Source::RowId => Take::Column { at: self.add(own("rowid")), form },
            Source::StreamPrefix { separator } => Take::Prefix(*separator),
            Source::TypeClass => Take::Class,
            Source::TypeTag { column } => Take::Tag(self.add(own(column))),
        }
    }

    fn add(&mut self, expression: String) -> usize {
        match self.expressions.iter().position(|known| *known == expression) {
            Some(at) => at,
            None => {
                self.expressions.push(expression);
                self.expressions.len() - 1
            }
        }
    }

    /// Where a role's value is found.
    #[inline]
    pub(super) fn of(&self, role: Role) -> Option<&Take> {
        self.takes.get(role as usize)?.as_ref()
    }
}

/// A name as SQL spells it whatever it is made of.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column of the events table.
pub(super) fn own(column: &str) -> String {
    format!("e.{}", quote(column))
}

/// A column of the events table or of a joined one.
///
/// A joined value is looked up row by row, by the other table's own key: a join could return an
/// event twice and would let the planner leave the order of the events' index.
fn column_of(events: &EventsTable, table: Option<&str>, column: &str) -> String {
    let join = table.and_then(|table| events.joins.iter().find(|join| &*join.table == table));
    let Some(join) = join else { return own(column) };
    let (here, there) = &join.on;
    format!(
        "(SELECT j.{} FROM {} AS j WHERE j.{} = {}{} LIMIT 1)",
        quote(column),
        quote(&join.table),
        quote(there),
        own(here),
        link_condition(events, join)
    )
}

/// Links to a real stream: those with a version, whose stream is none of the `$` ones.
pub(super) fn link_condition(events: &EventsTable, join: &Join) -> String {
    let column = |role| match &events.role(role)?.source {
        Source::Column { table: Some(table), column } if join.is_link && *table == join.table => {
            Some(format!("j.{}", quote(column)))
        }
        _ => None,
    };
    let version = column(Role::Version).map(|version| format!(" AND {version} IS NOT NULL"));
    let stream = column(Role::Stream).map(|stream| format!(" AND substr({stream}, 1, 1) <> '$'"));
    version.into_iter().chain(stream).collect()
}

/// The columns that sort and name events: the layout's order, made unique and without NULL.
fn key_columns(
    connection: &Connection,
    events: &EventsTable,
    facts: &TableFacts,
    problems: &mut Vec<String>,
) -> rusqlite::Result<Vec<Arc<str>>> {
    let table = &events.table;
    let mut columns = events.order.columns.clone();
    let missing = columns.iter().find(|column| !facts.knows(column));
    let odd = match columns.first() {
        Some(first) if missing.is_none() => facts.oddity(connection, first)?,
        _ => None,
    };
    if let (Some(reason), Some(rowid)) = (
        missing
            .map(|column| format!("has no column \"{column}\""))
            .or(odd)
            .or_else(|| columns.is_empty().then(|| "has no known order".to_owned())),
        facts.rowid(),
    ) {
        problems
            .push(format!("table \"{table}\" {reason}: events are shown in the order of their row numbers"));
        return Ok(vec![rowid.into()]);
    }
    if !facts.is_unique(&columns) {
        match facts.rowid() {
            Some(rowid) => columns.push(rowid.into()),
            None => {
                columns.extend(facts.primary_key().filter(|column| !events.order.columns.contains(column)));
            }
        }
    }
    if let Some(first) = columns.first()
        && !facts.is_indexed(first)
    {
        problems.push(format!(
            "no index of table \"{table}\" begins with \"{first}\", its order: every page sorts the whole table"
        ));
    }
    Ok(columns)
}
