//! What a projection in JavaScript wrote beside its states: events and links, lines of the log, failures, and
//! results.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::{
    model::{Failure, Json},
    projection::{EventFailure, Progress, ReadModel, Scratch, ScratchError, scripted::tables::exist},
    script::{Emitted, Metadata},
    work::Work,
};

/// What a run wrote beside the states. Every question opens its own connection.
#[derive(Debug, Clone)]
pub struct Outputs {
    scratch: Scratch,
    /// The failures of a projection that writes nothing else: one in SQL.
    progress: Option<Arc<Progress>>,
}

/// A kind of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum OutputKind {
    /// Events and links that the projection wrote.
    #[default]
    Emitted,
    /// Lines that it logged.
    Logs,
    /// Events that it could not handle.
    Failures,
    /// What its transforms made of the states, where that is not the state itself; each change of it.
    Results,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputCounts {
    /// Events and links.
    pub emitted: u64,
    /// Lines.
    pub logs: u64,
    /// Failures that are kept: the first ten thousand.
    pub failures: u64,
    /// Changes of results.
    pub results: u64,
}

/// Which outputs are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputQuery {
    /// Of which kind.
    pub kind: OutputKind,
    /// Only what was written while no more than so many events lay behind.
    pub until: Option<u64>,
    /// Only those of this partition.
    pub partition: Option<Arc<str>>,
    /// Only those that contain this text somewhere, the partition's name included, in any case of letters; empty
    /// means all.
    pub contains: Arc<str>,
    /// Behind the one of this number; 0 begins with the first.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its number among those of its kind, rising; the next page goes on behind it.
    pub number: u64,
    /// How many events lay behind after the one at which it was written.
    pub count: u64,
    /// The partition; empty for the one state of all, and where none was known.
    pub partition: Arc<str>,
    /// What it is.
    pub what: OutputItem,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputItem {
    /// An event or a link.
    Emitted(Emitted),
    /// A line of the log.
    Log(Arc<str>),
    /// An event that could not be handled.
    Failure(OutputFailure),
    /// A result.
    Result(Json),
}

/// An event that could not be handled, with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFailure {
    /// What it is: `OrderPlaced 1@order-17`.
    pub event: Arc<str>,
    /// The kind of fault, as the dialect calls it: `handler-error`; in SQL the directive: `@on OrderPlaced`.
    pub what: Arc<str>,
    /// What went wrong, and where in the source.
    pub failure: Failure,
}

impl OutputCounts {
    /// How much there is of one kind.
    #[must_use]
    pub fn of(self, kind: OutputKind) -> u64 {
        match kind {
            OutputKind::Emitted => self.emitted,
            OutputKind::Logs => self.logs,
            OutputKind::Failures => self.failures,
            OutputKind::Results => self.results,
        }
    }
}

impl OutputKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Emitted, Self::Logs, Self::Failures, Self::Results];

    /// Its table, with the columns that are read and the one expression that is searched.
    fn source(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Emitted => (
                "timeglass_emitted",
                "number, count, partition, stream, type, data, is_json, is_link, metadata",
                "stream || char(10) || type || char(10) || data || char(10) || coalesce(metadata, '') \
                 || char(10) || partition",
            ),
            Self::Logs => {
                ("timeglass_log", "number, count, partition, line", "line || char(10) || partition")
            }
            Self::Failures => (
                "timeglass_fault",
                "number, count + 1 AS count, partition, event, kind, message, file, line, col",
                "event || char(10) || kind || char(10) || message || char(10) || coalesce(partition, '')",
            ),
            Self::Results => (
                "(SELECT r.number, r.count, p.name AS partition, r.body FROM timeglass_result r \
                 JOIN timeglass_partition p ON p.partition = r.partition)",
                "number, count, partition, body",
                "body || char(10) || partition",
            ),
        }
    }
}

impl Outputs {
    /// Opens what a run wrote. A database without such a run has nothing.
    #[must_use]
    pub fn open(scratch: &Scratch) -> Self {
        Self { scratch: scratch.clone(), progress: None }
    }

    /// What was written beside a read model; of one in SQL its failures.
    #[must_use]
    pub fn of(model: &ReadModel) -> Self {
        let progress = (!model.is_script()).then(|| Arc::new(model.progress().clone()));
        Self { scratch: model.scratch().clone(), progress }
    }

    /// How much there is, of all time or until so many events lay behind.
    pub fn counts(&self, work: &Work, until: Option<u64>) -> Result<OutputCounts, ScratchError> {
        if let Some(progress) = &self.progress {
            let until = until.unwrap_or(u64::MAX);
            let failures = progress.failures.iter().filter(|failure| failure.count < until).count() as u64;
            return Ok(OutputCounts { failures, ..OutputCounts::default() });
        }
        let until = until.map_or(i64::MAX, |count| i64::try_from(count).unwrap_or(i64::MAX));
        self.asked(work, "counting what was written", |connection| {
            let number =
                |sql: &str| connection.query_row(sql, [until], |row| Ok(row.get::<_, i64>(0)?.max(0) as u64));
            // Numbers rise by one, and with the counts: the last number is how many there are.
            let last = |table: &str| {
                number(&format!(
                    "SELECT coalesce((SELECT number FROM {table} WHERE count <= ?1 \
                     ORDER BY count DESC, number DESC LIMIT 1), 0)"
                ))
            };
            Ok(OutputCounts {
                emitted: last("timeglass_emitted")?,
                logs: last("timeglass_log")?,
                failures: number("SELECT count(*) FROM timeglass_fault WHERE count < ?1")?,
                results: last("timeglass_result")?,
            })
        })
    }

    /// A page of outputs, in the order in which they were written.
    pub fn page(&self, work: &Work, query: &OutputQuery) -> Result<Vec<Output>, ScratchError> {
        if let Some(progress) = &self.progress {
            return Ok(failures_of(progress, query));
        }
        let (table, columns, searched) = query.kind.source();
        let sql = format!(
            "SELECT {columns}, {searched} AS searched FROM {table} WHERE number > ?1 \
             AND (?2 IS NULL OR partition = ?2) ORDER BY number"
        );
        let until = query.until.unwrap_or(u64::MAX);
        let contains = query.contains.to_lowercase();
        self.asked(work, "reading what was written", |connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut found = Vec::new();
            let mut rows =
                statement.query(params![i64::try_from(query.after).unwrap_or(i64::MAX), query.partition])?;
            while found.len() < query.limit
                && let Some(row) = rows.next()?
            {
                if row.get::<_, i64>("count")? as u64 > until {
                    break;
                }
                let is_wanted = contains.is_empty()
                    || row.get_ref("searched")?.as_str()?.to_lowercase().contains(&contains);
                if is_wanted {
                    found.push(output(query.kind, row)?);
                }
            }
            Ok(found)
        })
    }

    fn asked<T: Default>(
        &self,
        work: &Work,
        doing: &str,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ScratchError> {
        if !self.scratch.path().exists() {
            return Ok(T::default());
        }
        let connection = self.scratch.reader(work)?;
        let answer =
            exist(&connection).and_then(|exist| if exist { ask(&connection) } else { Ok(T::default()) });
        answer.map_err(self.scratch.failed(doing))
    }
}

/// The failures of a projection in SQL, numbered from 1.
fn failures_of(progress: &Progress, query: &OutputQuery) -> Vec<Output> {
    let contains = query.contains.to_lowercase();
    let is_wanted = |failure: &EventFailure| {
        let texts = [&failure.event, &failure.directive, &failure.message];
        query.until.is_none_or(|until| failure.count < until)
            && texts.iter().any(|text| text.to_lowercase().contains(&contains))
    };
    let numbered = (1..).zip(&progress.failures).filter(|(number, _)| *number > query.after);
    let numbered = numbered.filter(|_| query.kind == OutputKind::Failures && query.partition.is_none());
    let found = numbered.filter(|(_, failure)| is_wanted(failure)).map(|(number, failure)| Output {
        number,
        count: failure.count + 1,
        partition: "".into(),
        what: OutputItem::Failure(OutputFailure {
            event: Arc::clone(&failure.event),
            what: Arc::clone(&failure.directive),
            failure: Failure { line: failure.line, ..Failure::new(Arc::clone(&failure.message)) },
        }),
    });
    found.take(query.limit).collect()
}

fn output(kind: OutputKind, row: &Row<'_>) -> rusqlite::Result<Output> {
    let what = match kind {
        OutputKind::Emitted => OutputItem::Emitted(Emitted {
            stream: row.get(3)?,
            event_type: row.get(4)?,
            data: row.get(5)?,
            is_json: row.get(6)?,
            is_link: row.get(7)?,
            metadata: row.get_ref(8)?.as_str_or_null()?.map(metadata),
        }),
        OutputKind::Logs => OutputItem::Log(row.get(3)?),
        OutputKind::Failures => OutputItem::Failure(OutputFailure {
            event: row.get(3)?,
            what: row.get(4)?,
            failure: Failure {
                message: row.get(5)?,
                file: row.get(6)?,
                line: row.get(7)?,
                column: row.get(8)?,
            },
        }),
        OutputKind::Results => {
            OutputItem::Result(Json::parse(row.get_ref(3)?.as_str()?.as_bytes()).unwrap_or_default())
        }
    };
    let (number, count) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64);
    Ok(Output { number, count, partition: row.get(2)?, what })
}

/// Names and texts as they were kept.
fn metadata(text: &str) -> Metadata {
    let json = Json::parse(text.as_bytes()).unwrap_or_default();
    let members = json.as_object().into_iter().flat_map(|object| object.iter());
    members.map(|(name, value)| (Arc::clone(name), value.as_text().map(Arc::from))).collect()
}

impl Output {
    /// The output in the shape of machine formats.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members =
            vec![("count", Json::from(self.count)), ("partition", Json::Text(Arc::clone(&self.partition)))];
        match &self.what {
            OutputItem::Emitted(event) => {
                let data = Json::parse(event.data.as_bytes()).ok().filter(|_| event.is_json);
                let metadata = event.metadata.as_ref().map(super::tables::metadata_json);
                members.extend([
                    ("stream", Json::Text(Arc::clone(&event.stream))),
                    ("type", Json::Text(Arc::clone(&event.event_type))),
                    ("data", data.unwrap_or_else(|| Json::Text(Arc::clone(&event.data)))),
                    ("isLink", Json::from(event.is_link)),
                    ("metadata", metadata.unwrap_or_default()),
                ]);
            }
            OutputItem::Log(line) => members.push(("line", Json::Text(Arc::clone(line)))),
            OutputItem::Failure(found) => members.extend([
                ("event", Json::Text(Arc::clone(&found.event))),
                ("fault", Json::Text(Arc::clone(&found.what))),
                ("message", Json::Text(Arc::clone(&found.failure.message))),
                ("line", Json::from(found.failure.line.map(i64::from))),
                ("column", Json::from(found.failure.column.map(i64::from))),
            ]),
            OutputItem::Result(result) => members.push(("result", result.clone())),
        }
        Json::object(members)
    }
}
