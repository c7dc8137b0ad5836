//! `timeglass events`: events in global order, page by page.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        choose::{position_like, time_from, time_until},
        failure::Failure,
        open,
        output::{Format, Output},
        streams::scalar,
        table::{Side, Table, counted, csv_line},
    },
    model::{EventQuery, Json, RecordedEvent, Timestamp},
    store::{EventStore, PageFrom, layout::Role},
    work::Work,
};

/// List events in global order
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// Only events of this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events of streams of this category
    #[arg(long)]
    category: Option<String>,
    /// Only events after this global position
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    after: Option<String>,
    /// Only events at this time or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only events at this time or earlier; a date includes all of its day
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// No more than so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    format: RowFormat,
}

/// The columns of the comma-separated form.
const FIELDS: [&str; 18] = [
    "position",
    "stream",
    "category",
    "id",
    "version",
    "type",
    "schema_version",
    "time",
    "event_id",
    "correlation_id",
    "causation_id",
    "actor",
    "data",
    "data_problem",
    "data_hex",
    "metadata",
    "metadata_problem",
    "metadata_hex",
];

/// So many events are in memory at once, however many are listed.
const PAGE: usize = 500;

/// So many letters of an event's data are shown to people; machines get all of it.
const PREVIEW: usize = 60;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let (from, to) = (arguments.from.as_deref().map(time_from), arguments.to.as_deref().map(time_until));
    let (from, to) = (from.transpose()?, to.transpose()?);
    let needs_names =
        arguments.stream.is_some() || arguments.category.is_some() || !arguments.types.is_empty();
    let mut query = EventQuery { from, to, ..EventQuery::default() };
    // Names can only be checked against all that there are; without names no scan is needed.
    let store = if needs_names {
        let opened = open::open(&arguments.store, common, output)?;
        let choice = opened.choice();
        query.types = choice.types(&arguments.types)?;
        if let Some(name) = &arguments.category {
            query.category = Some(choice.category(name)?);
        }
        if let Some(name) = &arguments.stream {
            let stream = choice.stream(name)?;
            query.stream = opened.index.stream(stream).map(|info| Arc::clone(&info.name));
        }
        opened.store
    } else {
        open::store(&arguments.store, common, output)?
    };
    check_times(&*store, arguments)?;
    if let Some(after) = &arguments.after {
        let first = store.page(&Work::default(), &EventQuery::default(), &PageFrom::Start, 1)?;
        query.after = Some(position_like(first.first().and_then(|event| event.position.as_ref()), after)?);
    }
    let mut writer = Writer::new(common.format(arguments.format));
    writer.begin(output)?;
    let written =
        each(&*store, &query, arguments.limit.unwrap_or(usize::MAX), |event| writer.event(output, event))?;
    writer.end(output)?;
    if writer.format == Format::Text {
        output.remark(&counted(written, "event"));
    }
    Ok(Exit::Done)
}

/// A time is no use with a store that holds none: better said than answered with nothing.
fn check_times(store: &dyn EventStore, arguments: &Arguments) -> Result<(), Failure> {
    let roles = &store.describe().layout.events.roles;
    match arguments.from.as_ref().or(arguments.to.as_ref()) {
        Some(given) if !roles.is_empty() && !roles.contains_key(&Role::Time) => {
            Err(Failure::trouble("the events of this store have no times")
                .given(given)
                .hint("leave --from and --to out"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Hands up to `limit` answering events to `take`, in global order; tells how many there were.
fn each(
    store: &dyn EventStore,
    query: &EventQuery,
    limit: usize,
    mut take: impl FnMut(&RecordedEvent) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let mut from = PageFrom::Start;
    let mut taken = 0;
    while taken < limit {
        let size = PAGE.min(limit - taken);
        let page = store.page(&Work::default(), query, &from, size)?;
        page.iter().try_for_each(&mut take)?;
        taken += page.len();
        match page.last() {
            Some(last) if page.len() == size => from = PageFrom::After(last.key.clone()),
            Some(_) | None => break,
        }
    }
    Ok(taken)
}

/// Writes events in one of the formats.
struct Writer {
    format: Format,
    table: Table,
    is_first: bool,
}

impl Writer {
    fn new(format: Format) -> Self {
        let table = Table::new(&[
            ("position", Side::Right),
            ("time", Side::Left),
            ("stream", Side::Left),
            ("version", Side::Right),
            ("type", Side::Left),
            ("data", Side::Left),
        ]);
        Self { format, table, is_first: true }
    }

    fn begin(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        match self.format {
            Format::Json => output.text("["),
            Format::Csv => output.line(&csv_line(FIELDS)),
            Format::Ndjson | Format::Text => Ok(()),
        }
    }

    fn event(&mut self, output: &mut Output<'_>, event: &RecordedEvent) -> Result<(), Failure> {
        let is_first = std::mem::take(&mut self.is_first);
        match self.format {
            Format::Json => {
                output.text(if is_first { "\n  " } else { ",\n  " })?;
                output.text(&event.to_json().to_compact())
            }
            Format::Ndjson => output.line(&event.to_json().to_compact()),
            Format::Csv => {
                let json = event.to_json();
                output.line(&csv_line(FIELDS.map(|field| scalar(json.get(field)))))
            }
            Format::Text => self.table.row(output, &cells(event)),
        }
    }

    fn end(&mut self, output: &mut Output<'_>) -> Result<(), Failure> {
        match self.format {
            Format::Json if self.is_first => output.line("]"),
            Format::Json => output.line("\n]"),
            Format::Text => self.table.write(output),
            Format::Ndjson | Format::Csv => Ok(()),
        }
    }
}

fn cells(event: &RecordedEvent) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let data = match &event.data.decoded {
        Ok(Json::Null) => String::new(),
        Ok(data) => data.to_preview(PREVIEW),
        Err(problem) => format!("({problem})"),
    };
    vec![
        or_dash(event.position.as_ref().map(ToString::to_string)),
        or_dash(event.time.map(Timestamp::to_rfc3339)),
        event.stream.full().to_string(),
        or_dash(event.version.map(|version| version.to_string())),
        event.event_type.to_string(),
        data,
    ]
}
