//! A new snapshot as row edits: which columns of the owner's table get what.
//!
//! Everything is taken over from how the table is declared and from the snapshots that stand in it. Where a
//! value would have to be made up, there are no edits but a reason.

use std::sync::Arc;

use crate::{
    model::{
        ChangeKind, ColumnShape, Encoding, Json, Stored, StreamName, StreamVersion, TableForm, TableShape,
        Timestamp, diff,
    },
    publish::{Edits, RowEdit, RowPlace, TableEdits},
    snapshot::{
        Mapping,
        habits::Habits,
        jsonb,
        written::{text, time_value, uuid_bytes},
    },
    store::{
        EventStore, StoreResult,
        layout::{Form, Layout, Mapping as Played, Role, SnapshotsTable, Source},
        read::Onward,
    },
    work::Work,
};

/// A snapshot to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Whose state it is.
    pub stream: Arc<StreamName>,
    /// The version of the last event in it.
    pub version: StreamVersion,
    /// The replayed state.
    pub state: Json,
    /// When that event was recorded: what stands for the time where the table makes none itself.
    pub time: Option<Timestamp>,
}

/// The table that a snapshot is to be written into, and what is known of it.
#[derive(Debug, Clone, Copy)]
struct Room<'a> {
    /// The layout of the store.
    layout: &'a Layout,
    /// Which column plays which role.
    table: &'a SnapshotsTable,
    /// The table as it is declared.
    shape: &'a TableShape,
    /// What the snapshots in it are like.
    habits: &'a Habits,
    /// How stored states lie beside replayed ones.
    mapping: &'a Mapping,
    /// A time as it is written there.
    written_time: Option<&'a Stored>,
}

/// The edits that write a snapshot into every table of snapshots that the store has, or why there are none.
pub fn creation_in(
    store: &dyn EventStore,
    mapping: &Mapping,
    new: &NewSnapshot,
    work: &Work,
) -> StoreResult<Result<Edits, String>> {
    let layout = Arc::clone(&store.describe().layout);
    let mut tables = Vec::new();
    let habits = Habits::of_tables(store, new.stream.category.as_ref(), work)?;
    let none = Habits::default();
    for table in &layout.snapshots {
        let Some(shape) = store.table_shape(work, &table.table)? else {
            return Ok(Err(format!("the table {} cannot be looked at", table.table)));
        };
        let written_time = written_time(store, table, work)?;
        let room = Room {
            layout: &layout,
            table,
            shape: &shape,
            habits: habits.get(&table.table).unwrap_or(&none),
            mapping,
            written_time: written_time.as_ref(),
        };
        let own = |label: &Option<Arc<str>>| own(store, (table, new), label.as_ref(), work);
        match creation(&room, new, own)? {
            Ok(edits) => tables.push(edits),
            Err(why) => return Ok(Err(why)),
        }
    }
    if tables.is_empty() {
        return Ok(Err("the store has no table of snapshots".to_owned()));
    }
    let subject = format!("snapshot of {} at v{}", new.stream.full(), new.version).into();
    Ok(Ok(Edits { subject, tables, ..Edits::default() }))
}

/// The first time that stands in the table, as it is written.
fn written_time(store: &dyn EventStore, table: &SnapshotsTable, work: &Work) -> StoreResult<Option<Stored>> {
    let Some(column) = table.time.as_ref().and_then(plain_column) else { return Ok(None) };
    let mut found = None;
    store.table_rows(work, &table.table, std::slice::from_ref(column), &mut |row| {
        found = row.first().filter(|value| **value != Stored::Null).cloned();
        if found.is_none() { Onward::On } else { Onward::Enough }
    })?;
    Ok(found)
}

/// The snapshot of the stream that stands in the table: the one of the same version, or else the last. Without
/// a column for labels, those of all labels count.
fn own(
    store: &dyn EventStore,
    (table, new): (&SnapshotsTable, &NewSnapshot),
    label: Option<&Arc<str>>,
    work: &Work,
) -> StoreResult<Option<Own>> {
    let mut found: Option<Own> = None;
    let has_labels = table.label.as_ref().and_then(plain_column).is_some();
    let rank = |version| (version == Some(new.version), version);
    store.visit_snapshots(work, Some(&new.stream), &mut |visited| {
        let head = visited.head;
        if *head.table == *table.table
            && (!has_labels || head.label.as_ref() == label)
            && found.as_ref().is_none_or(|found| rank(found.version) <= rank(head.version))
        {
            found = Some(Own { version: head.version, state: visited.stored.clone() });
        }
        Onward::On
    })?;
    Ok(found)
}

/// A snapshot that stands in the table already.
struct Own {
    version: Option<StreamVersion>,
    state: Stored,
}

/// The edits that write a snapshot into one table, or why there are none, as a sentence without full stop. What
/// stands there of the same stream under a label is asked of `own`.
fn creation(
    room: &Room<'_>,
    new: &NewSnapshot,
    own: impl FnOnce(&Option<Arc<str>>) -> StoreResult<Option<Own>>,
) -> StoreResult<Result<TableEdits, String>> {
    match Row::of(room, new) {
        Ok(row) => {
            let old = own(&row.label)?;
            Ok(row.edits(room, new, old))
        }
        Err(why) => Ok(Err(why)),
    }
}

/// The row of a new snapshot.
struct Row<'a> {
    columns: Columns<'a>,
    /// What tells it from the others, but its version.
    key: Vec<(Arc<str>, Stored)>,
    label: Option<Arc<str>>,
    state: Stored,
}

impl<'a> Row<'a> {
    fn of(room: &Room<'a>, new: &NewSnapshot) -> Result<Self, String> {
        let columns = Columns::of(room)?;
        let state = state_value(room, new)?;
        let (stream, category) = (columns.stream_value(room, &new.stream)?, &new.stream.category);
        let mut key = vec![(Arc::clone(&columns.stream.name), stream)];
        if let Some(column) = &columns.category {
            let category =
                category.clone().ok_or("the stream has no category, and the table has a column for it")?;
            key.push((Arc::clone(&column.name), text(&category)));
        }
        let label = columns.label_value(room)?;
        if let (Some(column), Some(label)) = (&columns.label, &label) {
            key.push((Arc::clone(&column.name), text(label)));
        }
        Ok(Self { columns, key, label, state })
    }

    fn edits(self, room: &Room<'_>, new: &NewSnapshot, old: Option<Own>) -> Result<TableEdits, String> {
        let Self { columns, mut key, state, .. } = self;
        let is_single = columns.is_one_a_stream(room.shape);
        let time = columns.time_value(room, new);
        let version = (Arc::clone(&columns.version.name), Stored::Integer(new.version.0));
        let mut edits = TableEdits { table: Arc::clone(&room.shape.table), ..TableEdits::default() };
        match old.filter(|old| is_single || old.version == Some(new.version)) {
            Some(old) => {
                let old_version = old.version.map_or(Stored::Null, |version| Stored::Integer(version.0));
                let was = [
                    (Arc::clone(&columns.version.name), old_version),
                    (Arc::clone(&columns.state.name), old.state),
                ];
                key.extend(was);
                let mut values = vec![version, (Arc::clone(&columns.state.name), state)];
                values.extend(time);
                edits.updates.push(RowEdit { place: RowPlace::one(key), values });
            }
            None => {
                let mut row = key;
                row.extend([version, (Arc::clone(&columns.state.name), state)]);
                row.extend(time);
                nothing_is_lacking(room.shape, &row)?;
                edits.inserts.push(row);
            }
        }
        Ok(edits)
    }
}

/// The columns that play a role.
struct Columns<'a> {
    stream: &'a ColumnShape,
    category: Option<&'a ColumnShape>,
    version: &'a ColumnShape,
    state: &'a ColumnShape,
    time: Option<&'a ColumnShape>,
    label: Option<&'a ColumnShape>,
}

impl<'a> Columns<'a> {
    fn of(room: &Room<'a>) -> Result<Self, String> {
        let table = room.table;
        if table.table == room.layout.events.table {
            return Err("the store keeps states inside its events, which are never written".to_owned());
        }
        if room.shape.form != TableForm::Table {
            return Err(format!("{} is no table that holds its own rows", table.table));
        }
        if matches!(table.state.source, Source::Json { .. }) {
            return Err("states are wrapped in a form of the library's own".to_owned());
        }
        let shape = |played: &Played| {
            let name = plain_column(played)?;
            room.shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        };
        let needed = |played: Option<&Played>, what: &str| {
            let played = played.ok_or_else(|| format!("{} has no column for the {what}", table.table))?;
            shape(played)
                .ok_or_else(|| format!("the {what} stands in no column of {} of its own", table.table))
        };
        let optional = |played: &Option<Played>| played.as_ref().and_then(shape);
        Ok(Self {
            stream: needed(table.stream.as_ref(), "stream")?,
            category: optional(&table.category),
            version: needed(table.version.as_ref(), "version")?,
            state: needed(Some(&table.state), "state")?,
            time: optional(&table.time),
            label: optional(&table.label),
        })
    }

    /// Whether a key of the table lets a stream have one row only.
    fn is_one_a_stream(&self, shape: &TableShape) -> bool {
        let is = |name: &str, column: Option<&ColumnShape>| {
            column.is_some_and(|column| column.name.eq_ignore_ascii_case(name))
        };
        unique_groups(shape).iter().any(|group| {
            group.iter().any(|name| is(name, Some(self.stream)))
                && group.iter().all(|name| {
                    is(name, Some(self.stream)) || is(name, self.category) || is(name, self.label)
                })
        })
    }

    fn stream_value(&self, room: &Room<'_>, name: &StreamName) -> Result<Stored, String> {
        let is_prefixed = matches!(
            room.layout.events.role(Role::Category).map(|played| &played.source),
            Some(Source::StreamPrefix { .. })
        );
        let whole = if self.category.is_none() && is_prefixed && room.habits.hold_ids() {
            Arc::clone(&name.id)
        } else {
            name.stored.clone().unwrap_or_else(|| Arc::clone(&name.id))
        };
        let form = room.table.stream.as_ref().map(|played| played.form).unwrap_or_default();
        match form {
            Form::UuidBytes | Form::GuidBytes => uuid_bytes(&whole, form == Form::GuidBytes)
                .map(|bytes| Stored::Blob(bytes.into()))
                .ok_or_else(|| format!("{whole} is no UUID, and the table holds UUIDs in bytes")),
            _ if self.stream.declared.to_ascii_uppercase().contains("INT") => whole
                .parse()
                .map(Stored::Integer)
                .map_err(|err| format!("{whole} is no number, and the table holds numbers: {err}")),
            _ => Ok(text(&whole)),
        }
    }

    /// What tells the snapshot from others of the stream, if all snapshots of the category have the same.
    fn label_value(&self, room: &Room<'_>) -> Result<Option<Arc<str>>, String> {
        let Some(column) = self.label else { return Ok(None) };
        let alike = room.habits.alike();
        if alike.label.is_some() && !alike.has_several_labels {
            return Ok(alike.label.clone());
        }
        if alike.is_empty() && !column.is_not_null { Ok(None) } else { Err(made_up(&column.name)) }
    }

    /// When it is stored, where the table does not tell that by itself.
    fn time_value(&self, room: &Room<'_>, new: &NewSnapshot) -> Option<(Arc<str>, Stored)> {
        let column = self.time.filter(|column| column.default.is_none())?;
        let form = room.table.time.as_ref().map(|played| played.form).unwrap_or_default();
        Some((Arc::clone(&column.name), time_value(form, room.written_time, new.time?)?))
    }
}

/// The column that a role stands in, if it is one of the table itself.
fn plain_column(played: &Played) -> Option<&Arc<str>> {
    match &played.source {
        Source::Column { table: None, column } => Some(column),
        Source::Column { .. }
        | Source::Json { .. }
        | Source::RowId
        | Source::StreamPrefix { .. }
        | Source::TypeClass
        | Source::TypeTag { .. } => None,
    }
}

/// The state as the snapshots beside it are written.
fn state_value(room: &Room<'_>, new: &NewSnapshot) -> Result<Stored, String> {
    let state = room.mapping.to_stored(&new.state);
    let encoding = match (room.habits.alike().pattern(), room.habits.all.pattern()) {
        (Some(pattern), _) => {
            if pattern.is_unwrapped {
                return Err("states are wrapped in a form of the library's own".to_owned());
            }
            if let Ok(stored) = &pattern.decoded {
                nothing_is_lost(room.mapping, stored)?;
            }
            pattern.encoding
        }
        (None, Some(any)) => any.encoding,
        (None, None) => declared_encoding(room)?,
    };
    match encoding {
        Encoding::JsonText => Ok(Stored::Text(state.to_compact().into_bytes().into())),
        Encoding::JsonBytes => Ok(Stored::Blob(state.to_compact().into_bytes().into())),
        Encoding::SqliteJsonb => Ok(Stored::Blob(jsonb::write(&state).into())),
        other => Err(format!("states are stored as {other}, which is read and never written")),
    }
}

/// What a stored state has and no replay makes cannot be written.
fn nothing_is_lost(mapping: &Mapping, stored: &Json) -> Result<(), String> {
    let Some(own) = mapping.of_stored(stored) else { return Ok(()) };
    let lost = diff(stored, &mapping.to_stored(&own));
    match lost.iter().find(|change| !matches!(change.kind, ChangeKind::Add(_))) {
        Some(change) => Err(format!("stored states hold {}, which no replay makes", change.path)),
        None => Ok(()),
    }
}

/// The encoding of the first snapshot of all, by the declared type of its column.
fn declared_encoding(room: &Room<'_>) -> Result<Encoding, String> {
    let column = plain_column(&room.table.state);
    let declared = room.shape.columns.iter().find(|shape| Some(&shape.name) == column);
    let declared = declared.map(|shape| shape.declared.to_ascii_uppercase()).unwrap_or_default();
    if ["TEXT", "CHAR", "CLOB", "JSON"].iter().any(|name| declared.contains(name)) {
        Ok(Encoding::JsonText)
    } else {
        Err("no snapshot is stored yet that would show how states are written".to_owned())
    }
}

/// Refuses a row that leaves out what SQLite does not fill in by itself.
fn nothing_is_lacking(shape: &TableShape, row: &[(Arc<str>, Stored)]) -> Result<(), String> {
    let keys = shape.columns.iter().filter(|column| column.key > 0).count();
    for column in &shape.columns {
        let is_row_id = keys == 1 && column.key > 0 && column.declared.eq_ignore_ascii_case("INTEGER");
        let is_needed = (column.is_not_null || column.key > 0)
            && column.default.is_none()
            && !is_row_id
            && !column.is_generated;
        if is_needed && !row.iter().any(|(name, _)| *name == column.name) {
            return Err(made_up(&column.name));
        }
    }
    Ok(())
}

fn made_up(column: &str) -> String {
    format!("the column {column} needs a value that would have to be made up")
}

/// The groups of columns that are unique together, by the declaration: the primary key, and UNIQUE.
fn unique_groups(shape: &TableShape) -> Vec<Vec<String>> {
    let mut keys: Vec<&ColumnShape> = shape.columns.iter().filter(|column| column.key > 0).collect();
    keys.sort_by_key(|column| column.key);
    let mut groups = vec![keys.into_iter().map(|column| column.name.to_string()).collect()];
    let upper = shape.sql.to_ascii_uppercase();
    for (at, word) in upper.match_indices("UNIQUE") {
        let after = shape.sql.get(at + word.len()..).unwrap_or_default().trim_start();
        let names = after.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let bare = |name: &str| name.trim().trim_matches(['"', '`', '[', ']', '\'']).to_owned();
        match names {
            Some((names, _)) => groups.push(names.split(',').map(bare).collect()),
            None => {
                // Behind a column: its name stands after the last comma or bracket.
                let before = shape.sql.get(..at).unwrap_or_default();
                let own = before.rsplit([',', '(']).next().unwrap_or_default();
                groups.extend(own.split_whitespace().next().map(|name| vec![bare(name)]));
            }
        }
    }
    groups.retain(|group: &Vec<String>| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::{TableShape, unique_groups};
    use crate::model::ColumnShape;

    #[test]
    fn keys_are_found_in_the_declaration() {
        let column = |name: &str, key| ColumnShape { name: name.into(), key, ..ColumnShape::default() };
        let shape = |sql: &str| TableShape {
            columns: vec![column("b", 2), column("a", 1), column("c", 0)],
            sql: sql.into(),
            ..TableShape::default()
        };
        let check =
            |sql: &str, expected: &[&[&str]]| assert_eq!(unique_groups(&shape(sql)), expected, "{sql}");
        check("CREATE TABLE t (b, a, c, PRIMARY KEY (a, b))", &[&["a", "b"]]);
        check(r#"CREATE TABLE t (b, a, c, UNIQUE ("c", b))"#, &[&["a", "b"], &["c", "b"]]);
        check("CREATE TABLE t (b TEXT, c TEXT NOT NULL unique, a)", &[&["a", "b"], &["c"]]);
    }
}
