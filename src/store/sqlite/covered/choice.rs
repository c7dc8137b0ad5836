//! Which indexes hold what a complete index of ours needs.

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::{
    layout::{Form, Mapping, Role, Source},
    sqlite::{direct::plain_column, plan::Plan, records::Records},
};

/// Where an event's category comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CategoryFrom {
    Nothing,
    /// The part of the stream's name before this character.
    Prefix(char),
    /// A column of its own, written so.
    Column(Form),
}

/// What plays a part at the head of an index of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Stream,
    Category,
}

/// The columns that are needed, by name.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) stream: (String, Form),
    pub(super) category: CategoryFrom,
    pub(super) category_column: Option<String>,
    pub(super) version: Option<String>,
    pub(super) event_type: Option<(String, Form)>,
    pub(super) time: Option<(String, Form)>,
    pub(super) has_positions: bool,
}

/// An index to go through, and what is taken from it.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) root: u32,
    /// For each of its columns whether whole numbers come back as floating-point ones; the row number last.
    pub(super) is_real: Vec<bool>,
    pub(super) streams: Option<StreamsAt>,
    /// The column with the event type.
    pub(super) type_at: Option<usize>,
    /// The column with the time.
    pub(super) time_at: Option<usize>,
}

/// Streams at the head of an index.
#[derive(Debug, Clone)]
pub(super) struct StreamsAt {
    /// What the first columns are.
    pub(super) heads: Vec<Head>,
    /// The column behind them, if versions are needed.
    pub(super) version_at: Option<usize>,
}

/// An index as the database declares it.
struct Declared {
    root: u32,
    columns: Vec<String>,
}

impl Needs {
    /// What a layout needs; nothing where a role comes from elsewhere than a column of the events table.
    pub(super) fn of(plan: &Plan, records: &Records) -> Option<Self> {
        if plan.parts.len() != 1 || !plan.is_by_rowid {
            return None;
        }
        let events = &plan.events;
        let column = |mapping: &Mapping| match &mapping.source {
            Source::Column { table: None, column } => Some((column.to_string(), mapping.form)),
            _ => None,
        };
        // A role that nothing plays is no hindrance; one that is played otherwise is.
        let optional = |role| match events.role(role) {
            None => Some(None),
            Some(mapping) => column(mapping).map(Some),
        };
        let has_positions = match events.role(Role::GlobalPosition) {
            None => false,
            Some(Mapping { source: Source::RowId, .. }) => true,
            Some(mapping) if records.is_row_number(&column(mapping)?.0) => true,
            Some(_) => return None,
        };
        let (category, category_column) = match events.role(Role::Category) {
            None => (CategoryFrom::Nothing, None),
            Some(Mapping { source: Source::StreamPrefix { separator }, .. }) => {
                (CategoryFrom::Prefix(*separator), None)
            }
            Some(mapping) => {
                let (name, form) = column(mapping)?;
                (CategoryFrom::Column(form), Some(name))
            }
        };
        Some(Self {
            stream: column(events.role(Role::Stream)?)?,
            category,
            category_column,
            version: optional(Role::Version)?.map(|(name, _)| name),
            event_type: optional(Role::EventType)?,
            time: optional(Role::Time)?,
            has_positions,
        })
    }

    /// The indexes to go through; nothing if they do not hold everything.
    pub(super) fn passes(
        &self,
        connection: &Connection,
        plan: &Plan,
        records: &Records,
    ) -> rusqlite::Result<Option<Vec<Pass>>> {
        debug_assert!(plan.key.first().is_some_and(|key| plain_column(key).is_some()), "keyed by row number");
        let Some(table) = plan.parts.first() else { return Ok(None) };
        let declared = declared(connection, table)?;
        let streams = declared.iter().filter_map(|index| self.streams(index).map(|streams| (index, streams)));
        let Some((index, streams)) = streams.min_by_key(|(index, _)| index.columns.len()) else {
            return Ok(None);
        };
        let pass = |index: &Declared| {
            let real = index.columns.iter().map(|column| records.is_real(column));
            let is_real = real.chain([false]).collect();
            Pass { root: index.root, is_real, streams: None, type_at: None, time_at: None }
        };
        let mut passes = vec![Pass { streams: Some(streams), ..pass(index) }];
        for (need, is_type) in [(&self.event_type, true), (&self.time, false)] {
            let Some((column, _)) = need else { continue };
            let at = |index: &Declared| place(index, column);
            // The one that is read anyway, else the smallest, best with the column in front.
            let best = declared.iter().filter_map(|index| at(index).map(|at| (index, at))).min_by_key(
                |(index, at)| {
                    let is_read = passes.iter().any(|pass| pass.root == index.root);
                    (!is_read, index.columns.len(), *at)
                },
            );
            let Some((index, at)) = best else { return Ok(None) };
            if !passes.iter().any(|pass| pass.root == index.root) {
                passes.push(pass(index));
            }
            if let Some(pass) = passes.iter_mut().find(|pass| pass.root == index.root) {
                *(if is_type { &mut pass.type_at } else { &mut pass.time_at }) = Some(at);
            }
        }
        Ok(Some(passes))
    }

    /// Whether an index begins with what names a stream, and goes on with the version.
    fn streams(&self, index: &Declared) -> Option<StreamsAt> {
        let head = |column: &String| {
            if column.eq_ignore_ascii_case(&self.stream.0) {
                Some(Head::Stream)
            } else {
                let own = self.category_column.as_ref()?;
                column.eq_ignore_ascii_case(own).then_some(Head::Category)
            }
        };
        let count = 1 + usize::from(self.category_column.is_some());
        let heads: Option<Vec<Head>> = index.columns.iter().take(count).map(head).collect();
        let heads = heads.filter(|heads| heads.len() == count && heads.first() != heads.get(1))?;
        let version_at = match &self.version {
            None => None,
            Some(version) => Some(place(index, version).filter(|at| *at == count)?),
        };
        Some(StreamsAt { heads, version_at })
    }
}

fn place(index: &Declared, column: &str) -> Option<usize> {
    index.columns.iter().position(|own| own.eq_ignore_ascii_case(column))
}

/// The table's indexes over all rows, of plain columns that all rise in the order of their bytes.
fn declared(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Declared>> {
    let mut list = connection.prepare("SELECT name FROM pragma_index_list(?1) WHERE NOT partial")?;
    let mut columns = connection.prepare(
        "SELECT name, \"desc\" = 0 AND coll = 'BINARY' AND cid >= 0 FROM pragma_index_xinfo(?1)
         WHERE \"key\" ORDER BY seqno",
    )?;
    let mut root =
        connection.prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND name = ?1")?;
    let names: Vec<String> = list.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut declared = Vec::new();
    for name in names {
        let mut rows = columns.query([&name])?;
        let mut own = Vec::new();
        let mut is_plain = true;
        while let Some(row) = rows.next()? {
            is_plain &= row.get::<_, Option<bool>>(1)?.unwrap_or_default();
            own.push(row.get::<_, Option<String>>(0)?.unwrap_or_default());
        }
        let root: Option<i64> = root.query_row([&name], |row| row.get(0)).optional()?;
        if let Some(root) =
            root.and_then(|root| u32::try_from(root).ok()).filter(|root| is_plain && *root > 1)
        {
            declared.push(Declared { root, columns: own });
        }
    }
    Ok(declared)
}
