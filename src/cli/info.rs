//! `timeglass info`: the layout with its evidence, counts, times and problems.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit,
        failure::Failure,
        open::{self, Looked, NoEvents, Opened},
        output::Output,
        projections::checkpoint_json,
        table::{Side, Table, counted, printable},
        write_json,
    },
    model::{Json, Timestamp},
    projection::{CheckpointAt, stand},
    store::{
        Description, EventStore, StoreResult,
        index::Index,
        layout::{Mapping, Role},
        read::Onward,
        unless_damaged,
    },
    work::Work,
};

/// Show the layout with the evidence for each role, counts, times and problems
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
}

/// All that is told of a store.
struct Info<'a> {
    description: &'a Description,
    index: &'a Index,
    /// Rows of each table of the layout; `None` where unreadable.
    rows: Vec<Option<u64>>,
    /// Nothing where they cannot be counted.
    snapshots: Option<u64>,
    /// For the machine's form alone.
    checkpoints: Vec<CheckpointAt>,
    problems: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    match open::look(&arguments.store, common, output)? {
        Looked::Store(opened) => {
            let info = gather(&opened, common.json)?;
            if common.json {
                write_json(output, &info.to_json())?;
            } else {
                info.write(output)?;
            }
            Ok(Exit::Done)
        }
        Looked::NoEvents(none) => {
            if common.json {
                write_json(output, &none.to_json())?;
            } else {
                write_none(&none, output)?;
            }
            Ok(Exit::No)
        }
    }
}

/// Everything that is told; checkpoints, which may take a look at many rows, only `with_checkpoints`.
fn gather(opened: &Opened, with_checkpoints: bool) -> Result<Info<'_>, Failure> {
    let work = opened.stop.work();
    let rows = opened.store.table_counts(&work)?;
    let description = opened.store.describe();
    let layout = &description.layout;
    // A row of a table of snapshots is a snapshot. An event may carry one or none; there, and where rows cannot
    // be counted, they are met.
    let of = |table: &Arc<str>| layout.tables.iter().position(|note| note.table == *table);
    let is_apart = layout.snapshots.iter().all(|table| table.table != layout.events.table);
    let rows_counted: Option<u64> = layout.snapshots.iter().map(|table| *rows.get(of(&table.table)?)?).sum();
    let mut damage = Vec::new();
    // Damage in the way is one more problem to tell of.
    let mut note = |words| damage.push(words);
    let snapshots = match rows_counted.filter(|_| is_apart) {
        Some(count) => Some(count),
        None => unless_damaged(count_snapshots(&*opened.store, &work), &mut note)?,
    };
    let checkpoints =
        if with_checkpoints { unless_damaged(opened.store.checkpoints(&work), &mut note)? } else { None };
    let mut stands = Vec::new();
    for checkpoint in &checkpoints.unwrap_or_default() {
        let found = stand(&work, &*opened.store, &opened.index, checkpoint, None);
        stands.extend(unless_damaged(found, &mut note)?);
    }
    let mut problems = [&description.problems, &layout.problems, opened.index.troubles(), &damage].concat();
    if opened.index.has_more_troubles() {
        let listed = opened.index.troubles().len();
        problems.push(format!("more rows may have trouble: the first {listed} are listed"));
    }
    problems.extend(torn(&opened.index));
    Ok(Info { description, index: &opened.index, rows, snapshots, checkpoints: stands, problems })
}

fn count_snapshots(store: &dyn EventStore, work: &Work) -> StoreResult<u64> {
    let mut count = 0;
    store.visit_snapshots(work, None, &mut |_| {
        count += 1;
        Onward::On
    })?;
    Ok(count)
}

/// So many streams are told by name.
const NAMED: usize = 5;

/// Streams that were written with several categories, in a sentence.
fn torn(index: &Index) -> Option<String> {
    let torn = index.torn_streams(usize::MAX);
    let names = torn.iter().take(NAMED).map(|(id, parts)| {
        let parts = parts.iter().filter_map(|part| Some(index.stream(*part)?.name.with_category()));
        format!("{id} ({})", parts.collect::<Vec<_>>().join(", "))
    });
    let names: Vec<String> = names.collect();
    let has = if torn.len() == 1 { "has" } else { "have" };
    let more = if torn.len() > NAMED { ", …" } else { "" };
    let streams = counted(torn.len(), "stream");
    (!torn.is_empty()).then(|| {
        format!(
            "{streams} {has} events of several categories, listed as streams of their own: {}{more}",
            names.join(", ")
        )
    })
}

impl Info<'_> {
    fn to_json(&self) -> Json {
        let layout = &self.description.layout;
        let roles = layout.events.roles.iter().map(|(role, mapping)| (role.key(), role_json(mapping)));
        let order = Json::object([
            ("columns", Json::array(layout.events.order.columns.iter().cloned().map(Json::from))),
            ("evidence", Json::from(layout.events.order.evidence.clone())),
            ("certain", Json::from(layout.events.order.is_certain)),
        ]);
        let layout_json = Json::object([
            ("name", Json::from(Arc::clone(&layout.name))),
            ("events_table", Json::from(Arc::clone(&layout.events.table))),
            ("archives", Json::array(layout.events.archives.iter().cloned().map(Json::from))),
            ("order", order),
            ("roles", Json::object(roles)),
        ]);
        let types: BTreeMap<&Arc<str>, u64> =
            self.index.types().iter().map(|info| (&info.name, info.events)).collect();
        let tables = layout.tables.iter().zip(self.rows.iter().copied().chain(std::iter::repeat(None)));
        let time = |pick: fn((Timestamp, Timestamp)) -> Timestamp| {
            Json::from(self.index.time_span().map(pick).map(Timestamp::to_rfc3339))
        };
        Json::object([
            ("store", Json::from(self.description.name.clone())),
            ("layout", layout_json),
            ("events", Json::from(self.index.len())),
            ("streams", Json::from(self.index.streams().len())),
            (
                "event_types",
                Json::object(types.into_iter().map(|(name, n)| (Arc::clone(name), Json::from(n)))),
            ),
            ("categories", self.categories_json()),
            ("snapshots", Json::from(self.snapshots)),
            (
                "checkpoints",
                Json::array(self.checkpoints.iter().map(|found| checkpoint_json(found, self.index))),
            ),
            ("first_time", time(|span| span.0)),
            ("last_time", time(|span| span.1)),
            ("tables", Json::array(tables.map(|(note, rows)| open::table_json(note, rows)))),
            ("problems", Json::array(self.problems.iter().cloned().map(Json::from))),
        ])
    }

    fn categories_json(&self) -> Json {
        Json::array(self.index.categories().iter().map(|info| {
            Json::object([
                ("category", Json::from(info.name.clone())),
                ("streams", Json::from(info.streams)),
                ("events", Json::from(info.events)),
            ])
        }))
    }

    fn write(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let layout = &self.description.layout;
        let mut facts = Table::new(&[("", Side::Left), ("", Side::Left)]);
        let mut fact = |name: &str, value: String| facts.plain_row(&[name.to_owned(), value]);
        fact("store", self.description.name.clone());
        fact("layout", layout.name.to_string());
        fact("events", format!("{} in table {}", self.index.len(), layout.events.table));
        fact("streams", self.index.streams().len().to_string());
        fact(
            "snapshots",
            self.snapshots.map_or_else(|| "cannot be read".to_owned(), |found| found.to_string()),
        );
        if let Some((first, last)) = self.index.time_span() {
            fact("times", format!("{} to {}", first.to_rfc3339(), last.to_rfc3339()));
        }
        let doubt = if layout.events.order.is_certain { "" } else { " (uncertain)" };
        fact(
            "order",
            format!("{}{doubt}: {}", layout.events.order.columns.join(", "), layout.events.order.evidence),
        );
        facts.write_rows(output)?;
        self.write_roles(output)?;
        self.write_types(output)?;
        self.write_tables(output)?;
        if !self.problems.is_empty() {
            output.line("\nProblems")?;
        }
        self.problems.iter().try_for_each(|problem| output.line(&format!("  {}", printable(problem))))
    }

    fn write_roles(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.description.layout.events.roles.is_empty() {
            return Ok(());
        }
        output.line("")?;
        let mut table = Table::new(&[("role", Side::Left), ("source", Side::Left), ("evidence", Side::Left)]);
        for (role, mapping) in &self.description.layout.events.roles {
            let doubt = if mapping.is_uncertain { " (uncertain)" } else { "" };
            let cells =
                vec![role.label().to_owned(), source(mapping), format!("{}{doubt}", mapping.evidence)];
            table.row(output, &cells)?;
        }
        table.write(output)
    }

    fn write_types(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.index.is_empty() {
            return Ok(());
        }
        output.line("")?;
        let mut table = Table::new(&[("event type", Side::Left), ("events", Side::Right)]);
        let mut types: Vec<_> = self.index.types().iter().collect();
        types.sort_by(|left, right| right.events.cmp(&left.events).then_with(|| left.name.cmp(&right.name)));
        for info in types {
            let name = if info.name.is_empty() { "(none)".to_owned() } else { info.name.to_string() };
            table.row(output, &[name, info.events.to_string()])?;
        }
        table.write(output)
    }

    fn write_tables(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let notes = &self.description.layout.tables;
        if notes.is_empty() {
            return Ok(());
        }
        output.line("")?;
        let columns =
            [("table", Side::Left), ("rows", Side::Right), ("kind", Side::Left), ("evidence", Side::Left)];
        let mut table = Table::new(&columns);
        for (note, rows) in notes.iter().zip(self.rows.iter().copied().chain(std::iter::repeat(None))) {
            let rows = rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
            let cells =
                vec![note.table.to_string(), rows, note.kind.label().to_owned(), note.evidence.clone()];
            table.row(output, &cells)?;
        }
        table.write(output)
    }
}

fn role_json(mapping: &Mapping) -> Json {
    Json::object([
        ("source", Json::from(mapping.source.to_string())),
        ("form", Json::from(mapping.form.to_string())),
        ("evidence", Json::from(mapping.evidence.clone())),
        ("uncertain", Json::from(mapping.is_uncertain)),
    ])
}

fn source(mapping: &Mapping) -> String {
    match mapping.form {
        crate::store::layout::Form::Plain => mapping.source.to_string(),
        form => format!("{} ({form})", mapping.source),
    }
}

fn write_none(none: &NoEvents, output: &mut Output<'_>) -> Result<(), Failure> {
    output.line(&format!("No event table found in {}", none.path.display()))?;
    if let Some(nearest) = &none.nearest {
        output.line(&format!("\nThe best candidate is {}, which falls short:", printable(&nearest.table)))?;
        for shortfall in &nearest.shortfalls {
            output.line(&format!("  {}", printable(shortfall)))?;
        }
        let roles = &nearest.layout.events.roles;
        for role in Role::ALL {
            if let Some(mapping) = roles.get(&role) {
                output.line(&format!("  {}: {}", role.label(), printable(&source(mapping))))?;
            }
        }
    }
    if none.tables.is_empty() {
        return output.line("\nThe database has no tables");
    }
    output.line("")?;
    let mut table = Table::new(&[("table", Side::Left), ("kind", Side::Left), ("columns", Side::Left)]);
    for note in &none.tables {
        let columns: Vec<&str> = note.columns.iter().map(|(name, _)| &**name).collect();
        table.row(output, &[note.table.to_string(), note.kind.label().to_owned(), columns.join(", ")])?;
    }
    table.write(output)
}
