//! `timeglass events`: events in global order, page by page.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        choose::position_like,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        rows::{RowWriter, Whole, event_columns},
        scope::{Scope, chosen},
    },
    model::{EventKey, EventQuery, GlobalPosition, Json, RecordedEvent, Timestamp},
    store::{EventStore, PageFrom, index::Selection},
    work::Work,
};

/// List events in global order
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    #[command(flatten)]
    scope: Scope,
    /// Only events after this global position
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    after: Option<String>,
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
    let listing = arguments.listing(common, output)?;
    let columns = event_columns("data");
    let work = output.work();
    let mut writer = RowWriter::begin(common.format(arguments.format), &FIELDS, &columns, output)?;
    let mut take = |event: &RecordedEvent| writer.row(output, || event.to_json(), || cells(event));
    let whole = listing.each(&work, arguments.limit.unwrap_or(usize::MAX), &mut take)?;
    writer.end(output, "event", whole)?;
    Ok(Exit::Done)
}

/// The events that are listed.
enum Listing {
    /// Those behind a position, page by page.
    Pages(Arc<dyn EventStore>, EventQuery),
    /// Those that an index chose, fetched by their keys: what SQLite would have to sort anew for each page.
    Chosen(Box<Opened>, Option<Selection>),
}

impl Arguments {
    /// Names can only be checked against all that there are, and where events of a kind lie only an index tells;
    /// without names and times no scan is needed.
    fn listing(&self, common: &Common, output: &mut Output<'_>) -> Result<Listing, Failure> {
        if !self.scope.has_names() && !self.scope.has_times() {
            let store = open::store(&self.store, common, output)?;
            let query =
                EventQuery { after: self.after_in(&*store, &output.work())?, ..EventQuery::default() };
            return Ok(Listing::Pages(store, query));
        }
        // A time that cannot be read is told before anything is.
        self.scope.times()?;
        let opened = open::open(&self.store, common, output)?;
        self.scope.check_times(&*opened.store)?;
        let query = EventQuery {
            after: self.after_in(&*opened.store, &opened.stop.work())?,
            ..self.scope.query(&opened)?
        };
        let chosen = chosen(&opened, &query)?;
        Ok(Listing::Chosen(Box::new(opened), chosen))
    }

    /// The position behind which events are listed, as this store writes them.
    fn after_in(&self, store: &dyn EventStore, work: &Work) -> Result<Option<GlobalPosition>, Failure> {
        let Some(after) = &self.after else { return Ok(None) };
        let first = store.page(work, &EventQuery::default(), &PageFrom::Start, 1)?;
        position_like(first.first().and_then(|event| event.position.as_ref()), after).map(Some)
    }
}

impl Listing {
    /// Hands up to `limit` events to `take`, in global order; says how much there is.
    fn each(
        &self,
        work: &Work,
        limit: usize,
        take: &mut dyn FnMut(&RecordedEvent) -> Result<(), Failure>,
    ) -> Result<Whole, Failure> {
        match self {
            Self::Pages(store, query) => each_page((&**store, work), query, limit, take),
            Self::Chosen(opened, Some(chosen)) => {
                each_of((opened, work), chosen.iter().take(limit), take)?;
                Ok(Whole::Of(chosen.len()))
            }
            Self::Chosen(opened, None) => {
                each_of((opened, work), (0..opened.index.len() as u32).take(limit), take)?;
                Ok(Whole::Of(opened.index.len()))
            }
        }
    }
}

fn each_page(
    (store, work): (&dyn EventStore, &Work),
    query: &EventQuery,
    limit: usize,
    take: &mut dyn FnMut(&RecordedEvent) -> Result<(), Failure>,
) -> Result<Whole, Failure> {
    let mut from = PageFrom::Start;
    let mut taken = 0;
    while taken < limit {
        let size = PAGE.min(limit - taken);
        let page = store.page(work, query, &from, size)?;
        page.iter().try_for_each(&mut *take)?;
        taken += page.len();
        match page.last() {
            Some(last) if page.len() == size => from = PageFrom::After(last.key.clone()),
            Some(_) | None => return Ok(Whole::All),
        }
    }
    let next = store.page(work, query, &from, 1)?;
    Ok(if next.is_empty() { Whole::All } else { Whole::More })
}

fn each_of(
    (opened, work): (&Opened, &Work),
    ordinals: impl Iterator<Item = u32>,
    take: &mut dyn FnMut(&RecordedEvent) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut keys = ordinals.filter_map(|ordinal| opened.index.key(ordinal));
    loop {
        let page: Vec<EventKey> = keys.by_ref().take(PAGE).collect();
        if page.is_empty() {
            return Ok(());
        }
        // One that is gone since is no event any more.
        for event in opened.store.fetch(work, &page)?.iter().flatten() {
            take(event)?;
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
