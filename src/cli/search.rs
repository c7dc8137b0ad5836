//! `timeglass search`: the events whose payloads hold a text, or a value at a path.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        attend::Attendant,
        choose::{time_from, time_until},
        failure::Failure,
        open,
        output::Output,
        rows::{RowWriter, scalar},
        table::Side,
    },
    jobs::ThreadLanes,
    model::{EventQuery, Json, Pointer, Timestamp},
    store::{
        EventStore, KeyRange,
        search::{Field, Newest, SearchHit, Sieve, Sought, search_ranges},
    },
    work::Work,
};

/// Search the payloads of all events; exit status 1 if nothing was found
///
/// Looks for TEXT in the data and metadata of events, in any case of letters, or with `--path` for a value
/// at a path. Hits are written as they are found.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// What to look for; with `--path` a value: JSON, and any other text is a text
    text: String,
    /// Where the value stands, as `/items/0/sku` or `items.*.sku`; `*` is any member or item
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// `a` is another letter than `A`
    #[arg(long, conflicts_with = "path")]
    exact_case: bool,
    /// The newest events first
    #[arg(long)]
    newest: bool,
    /// Only events of this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Only events of streams of this category
    #[arg(long)]
    category: Option<String>,
    /// Only events of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
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
const FIELDS: [&str; 9] =
    ["position", "stream", "category", "id", "version", "type", "time", "field", "excerpt"];

/// Into so many ranges a store is cut: the first hits come after a small part of it.
const RANGES: usize = 64;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let sieve = Sieve::new(&arguments.sought()?)
        .map_err(|reason| Failure::trouble(reason).given(&arguments.text).hint("look for a part of it"))?;
    let (store, query) = arguments.scope(common, output)?;
    let newest = if arguments.newest { Newest::First } else { Newest::Last };
    let columns = [
        ("position", Side::Right),
        ("time", Side::Left),
        ("stream", Side::Left),
        ("version", Side::Right),
        ("type", Side::Left),
        ("found", Side::Left),
    ];
    let mut writer = RowWriter::begin(common.format(arguments.format), &FIELDS, &columns, output)?;
    let limit = arguments.limit.unwrap_or(usize::MAX);
    let mut take =
        |hit: &SearchHit, output: &mut Output<'_>| writer.row(output, || to_json(hit), || cells(hit));
    let troubles = search(&*store, (&sieve, &Arc::new(query)), (newest, limit), output, &mut take)?;
    let written = writer.end(output, "hit")?;
    for trouble in troubles {
        output.complain(&trouble);
    }
    Ok(if written == 0 { Exit::No } else { Exit::Done })
}

impl Arguments {
    fn sought(&self) -> Result<Sought, Failure> {
        let Some(typed) = &self.path else {
            let (text, is_exact_case) = (Arc::from(self.text.as_str()), self.exact_case);
            if self.text.is_empty() {
                return Err(Failure::trouble("there is nothing to look for").hint("say a text"));
            }
            return Ok(Sought::Text { text, is_exact_case });
        };
        let path = Pointer::typed(typed).ok_or_else(|| {
            Failure::trouble(format!("`{typed}` is no path"))
                .given(typed)
                .hint("write a path as /items/0/sku or items.*.sku")
        })?;
        Ok(Sought::Value { path, value: Json::typed(&self.text) })
    }

    /// The store, and which events are looked at. Names can only be checked against all that there are; without
    /// names no scan is needed.
    fn scope(
        &self,
        common: &Common,
        output: &mut Output<'_>,
    ) -> Result<(Arc<dyn EventStore>, EventQuery), Failure> {
        let from = self.from.as_deref().map(time_from).transpose()?;
        let to = self.to.as_deref().map(time_until).transpose()?;
        let mut query = EventQuery { from, to, ..EventQuery::default() };
        if self.stream.is_none() && self.category.is_none() && self.types.is_empty() {
            return Ok((open::store(&self.store, common, output)?, query));
        }
        let opened = open::open(&self.store, common, output)?;
        let choice = opened.choice();
        query.types = choice.types(&self.types)?;
        query.category = self.category.as_deref().map(|name| choice.category(name)).transpose()?;
        if let Some(name) = &self.stream {
            let stream = choice.stream(name)?;
            query.stream = opened.index.stream(stream).map(|info| Arc::clone(&info.name));
        }
        Ok((opened.store, query))
    }
}

/// Hands the hits to `take`, in order; returns the troubles met.
fn search(
    store: &dyn EventStore,
    wanted: (&Sieve, &Arc<EventQuery>),
    (newest, limit): (Newest, usize),
    output: &mut Output<'_>,
    take: &mut dyn FnMut(&SearchHit, &mut Output<'_>) -> Result<(), Failure>,
) -> Result<Vec<String>, Failure> {
    let work = Work::with_lanes(Arc::new(ThreadLanes));
    work.expect_total(store.about_how_many(&work, None)?.unwrap_or_default());
    let mut attendant = Attendant::new(("searching about", "events"));
    let mut ranges: Vec<KeyRange> = store.ranges(&work, None, RANGES)?;
    if newest == Newest::First {
        ranges.reverse();
    }
    let (mut taken, mut troubles) = (0, Vec::new());
    for group in ranges.chunks(work.width()) {
        let (hits, told) = search_ranges(store, &work, wanted, group, (newest, limit - taken))?;
        troubles.extend(told);
        for hit in hits.iter().take(limit - taken) {
            take(hit, output)?;
            taken += 1;
        }
        attendant.announce(&work, output);
        if taken >= limit {
            break;
        }
    }
    Ok(troubles)
}

/// A line for people.
fn cells(hit: &SearchHit) -> Vec<String> {
    let json = to_json(hit);
    ["position", "time", "stream", "version", "type", "excerpt"].map(|name| scalar(json.get(name))).into()
}

fn to_json(hit: &SearchHit) -> Json {
    let field = match hit.field {
        Field::Data => "data",
        Field::Metadata => "metadata",
    };
    Json::object([
        ("stream", Json::from(hit.stream.full())),
        ("category", Json::from(hit.stream.category.clone())),
        ("id", Json::from(Arc::clone(&hit.stream.id))),
        ("position", Json::from(hit.position.clone())),
        ("version", Json::from(hit.version.map(|version| version.0))),
        ("type", Json::from(Arc::clone(&hit.event_type))),
        ("time", Json::from(hit.time.map(Timestamp::to_rfc3339))),
        ("field", Json::from(field)),
        ("excerpt", Json::from(Arc::clone(&hit.excerpt))),
        ("at", Json::array([hit.at.start, hit.at.end].map(Json::from))),
    ])
}
