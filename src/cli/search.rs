//! `timeglass search`: the events whose payloads hold a text, or a value at a path.

use std::{path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        attend::Attendant,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        rows::{RowWriter, Whole, event_columns, scalar},
        scope::{Scope, chosen},
    },
    model::{EventKey, EventQuery, Json, Pointer, Timestamp},
    store::{
        EventStore, KeyRange,
        index::Selection,
        search::{Field, Newest, SearchHit, Sieve, Sought, search_events, search_ranges},
    },
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
    #[command(flatten)]
    scope: Scope,
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

/// Events that are fewer than the whole by this factor are looked up one by one.
const FEW: usize = 20;

/// So many of them before the hits are written.
const AT_ONCE: usize = 2_000;

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let sieve = Sieve::new(&arguments.sought()?)
        .map_err(|reason| Failure::trouble(reason).given(&arguments.text).hint("look for a part of it"))?;
    let wanted = arguments.wanted(common, output)?;
    let newest = if arguments.newest { Newest::First } else { Newest::Last };
    let columns = event_columns("found");
    let mut writer = RowWriter::begin(common.format(arguments.format), &FIELDS, &columns, output)?;
    let limit = arguments.limit.unwrap_or(usize::MAX);
    let mut take =
        |hit: &SearchHit, output: &mut Output<'_>| writer.row(output, || to_json(hit), || cells(hit));
    let troubles = wanted.search(&sieve, (newest, limit), output, &mut take)?;
    // A search ends at the last hit that is wanted, and does not look for another.
    let whole = if writer.written() >= limit { Whole::PerhapsMore } else { Whole::All };
    let written = writer.end(output, "hit", whole)?;
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

    /// The store, and which events are looked at; without names no scan is needed.
    fn wanted(&self, common: &Common, output: &mut Output<'_>) -> Result<Wanted, Failure> {
        let query = self.scope.times()?;
        if !self.scope.has_names() {
            return Ok(Wanted::Ranges(open::store(&self.store, common, output)?, query));
        }
        let opened = open::open(&self.store, common, output)?;
        let query = self.scope.query(&opened)?;
        let few = chosen(&opened, &query)?.filter(|chosen| chosen.len() < opened.index.len() / FEW);
        Ok(match few {
            Some(few) => Wanted::Events(Box::new(opened), few),
            None => Wanted::Ranges(opened.store, query),
        })
    }
}

/// What is searched.
enum Wanted {
    /// The whole store, of which only what answers the query counts.
    Ranges(Arc<dyn EventStore>, EventQuery),
    /// These events, which are so few that they are looked up one by one.
    Events(Box<Opened>, Selection),
}

impl Wanted {
    fn search(
        &self,
        sieve: &Sieve,
        (newest, limit): (Newest, usize),
        output: &mut Output<'_>,
        take: Take<'_>,
    ) -> Result<Vec<String>, Failure> {
        match self {
            Self::Ranges(store, query) => {
                search((&**store, sieve), &Arc::new(query.clone()), (newest, limit), output, take)
            }
            Self::Events(opened, chosen) => {
                search_chosen((opened, sieve), chosen, (newest, limit), output, take)?;
                Ok(Vec::new())
            }
        }
    }
}

/// Takes a hit.
type Take<'a> = &'a mut dyn FnMut(&SearchHit, &mut Output<'_>) -> Result<(), Failure>;

/// Looks at these events.
fn search_chosen(
    (opened, sieve): (&Opened, &Sieve),
    chosen: &Selection,
    (newest, limit): (Newest, usize),
    output: &mut Output<'_>,
    take: Take<'_>,
) -> Result<(), Failure> {
    let work = output.wide_work();
    work.expect_total(chosen.len() as u64);
    let mut attendant = Attendant::new(("searching", "events"));
    let (mut behind, mut taken) = (0, 0);
    while behind < chosen.len() && taken < limit {
        let places = behind..chosen.len().min(behind + AT_ONCE);
        behind = places.end;
        let place = |place: usize| if newest == Newest::First { chosen.len() - 1 - place } else { place };
        let ordinals = places.filter_map(|at| chosen.get(place(at)));
        let keys: Vec<EventKey> = ordinals.filter_map(|ordinal| opened.index.key(ordinal)).collect();
        let hits = search_events(&*opened.store, &work, sieve, &keys)?;
        for hit in hits.iter().take(limit - taken) {
            take(hit, output)?;
            taken += 1;
        }
        attendant.announce(&work, output);
    }
    Ok(())
}

/// Hands the hits to `take`, in order; returns the troubles met.
fn search(
    (store, sieve): (&dyn EventStore, &Sieve),
    query: &Arc<EventQuery>,
    (newest, limit): (Newest, usize),
    output: &mut Output<'_>,
    take: Take<'_>,
) -> Result<Vec<String>, Failure> {
    let work = output.wide_work();
    work.expect_total(store.about_how_many(&work, None)?.unwrap_or_default());
    let mut attendant = Attendant::new(("searching about", "events"));
    let mut ranges: Vec<KeyRange> = store.ranges(&work, None, RANGES)?;
    if newest == Newest::First {
        ranges.reverse();
    }
    let (mut taken, mut troubles) = (0, Vec::new());
    for group in ranges.chunks(work.width()) {
        let (hits, told) = search_ranges(store, &work, (sieve, query), group, (newest, limit - taken))?;
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
