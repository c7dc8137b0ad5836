//! `timeglass blame`: which events wrote a value of a stream's state.

use std::{collections::VecDeque, fmt::Write as _, ops::ControlFlow, path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit, RowFormat,
        attend::attended,
        failure::Failure,
        open,
        output::{Format, Output},
        reducer::ReducerArgument,
        rows::{RowWriter, Whole},
        state::Point,
        table::{Side, Table, counted, printable},
        write_json,
    },
    model::{Json, Pointer, Segment, StreamName},
    replay::{Experiment, History, Origins, Step, StreamEvents, Write},
    store::{StoreError, layout::Role},
    work::Work,
};

/// Show which events wrote a value of a stream's state; exit status 1 if it never existed
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// The stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: String,
    /// The value, as a JSON Pointer such as /status or /items/0/price; an empty text means the whole state
    #[arg(long, value_name = "POINTER", allow_hyphen_values = true)]
    path: String,
    /// The last so many writes only
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    point: Point,
    #[command(flatten)]
    reducer: ReducerArgument,
    #[command(flatten)]
    format: RowFormat,
}

/// The columns of the comma-separated form, the oldest write first.
const FIELDS: [&str; 10] =
    ["version", "position", "time", "type", "actor", "path", "op", "old", "new", "from"];

/// So many letters of a value are shown to people; machines get all of it.
const PREVIEW: usize = 60;

/// Steps held at once: each may hold a state of its own.
const AT_ONCE: usize = 256;

/// What was found of a path.
struct Found {
    /// The counts of the events that wrote it, in order.
    counts: Vec<usize>,
    /// What it holds at the end.
    value: Option<Json>,
    /// Whether it is there before the first event.
    is_from_start: bool,
    /// The names that there are in the whole state, for those who mistyped one.
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let path = Pointer::parse(&arguments.path).ok_or_else(|| {
        Failure::trouble(format!("`{}` is no path", arguments.path))
            .given(&arguments.path)
            .hint(format!("a path begins with a slash, such as `--path /{}`", arguments.path))
    })?;
    let opened = open::open(&arguments.store, common, output)?;
    let stream = opened.choice().stream(&arguments.stream)?;
    let end = arguments.point.count(&opened, stream)?;
    if let Some(caveat) = arguments.point.caveat(&opened, stream, end) {
        output.complain(&format!("warning: {caveat}"));
    }
    let Some(name) = opened.index.stream(stream).map(|info| Arc::clone(&info.name)) else {
        return Ok(Exit::No);
    };
    let chosen = arguments.reducer.choose(&opened, stream, output)?;
    let events = StreamEvents::new(Arc::clone(&opened.store), Arc::clone(&opened.index), stream);
    let history = History::new(Arc::new(events), Arc::clone(&chosen.reducer), chosen.on_failure, 256 << 20);
    let found = attended(output, ("following", "events"), |work| find(&history, &path, end, work))?;
    for (count, failure) in history.failures() {
        output.remark(&format!("event {count} was not applied: {}", chosen.shown(&failure)));
    }
    let kept = arguments.limit.unwrap_or(usize::MAX).min(found.counts.len());
    let shown = found.counts.get(found.counts.len() - kept..).unwrap_or_default();
    let (format, work) = (common.format(arguments.format), output.work());
    if matches!(format, Format::Csv | Format::Ndjson) {
        let mut writer = RowWriter::begin(format, &FIELDS, &[], output)?;
        each((&history, &work), shown, &path, &mut |step, write, origins| {
            writer.row(output, || to_json(step, write, &path, origins), Vec::new)
        })?;
        writer.end(output, "write", Whole::All)?;
    } else if common.json {
        let mut rows = Vec::new();
        each((&history, &work), shown, &path, &mut |step, write, origins| {
            rows.push(to_json(step, write, &path, origins));
            Ok(())
        })?;
        write_json(output, &Json::array(rows))?;
    } else {
        let has_actors = opened.store.describe().layout.events.role(Role::Actor).is_some();
        write_text(output, &history, (&found, shown), (&name, &path), has_actors)?;
    }
    if found.counts.is_empty() && !found.is_from_start {
        output.remark(&never(&found, &name, &path));
        return Ok(Exit::No);
    }
    Ok(Exit::Done)
}

/// Walks the history once, up to a count.
fn find(history: &History, path: &Pointer, end: usize, work: &Work) -> Result<Found, Failure> {
    work.expect_total(end as u64);
    let start = history.step_at(0, work)?.after;
    let mut counts = Vec::new();
    history.each_write(0..end, path, work, &mut |step, _| {
        counts.push(step.count);
        ControlFlow::Continue(())
    })?;
    let last = history.step_at(end, work)?.after;
    let names = last.as_object().into_iter().flat_map(|object| object.iter());
    Ok(Found {
        counts,
        value: path.resolve(&last).cloned(),
        is_from_start: path.resolve(&start).is_some(),
        names: names.map(|(name, _)| format!("/{}", Segment::Name(Arc::clone(name)))).collect(),
    })
}

/// Hands each of these writes to `each`, with where the value came from.
fn each(
    (history, work): (&History, &Work),
    counts: &[usize],
    path: &Pointer,
    each: &mut dyn FnMut(&Step, &Write, &Origins) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut experiment = Experiment::start(&**history.reducer(), work);
    for counts in counts.chunks(AT_ONCE) {
        for step in history.steps_at(counts, work)? {
            let origins = experiment.origins(&step, path).map_err(StoreError::Cancelled)?;
            if let Some(write) = Write::of(&step, path) {
                each(&step, &write, &origins)?;
            }
        }
    }
    Ok(())
}

fn to_json(step: &Step, write: &Write, path: &Pointer, origins: &Origins) -> Json {
    let from = origins.from.iter().map(|origin| {
        let how = Json::from(origin.how.as_str());
        Json::object([("path", Json::from(origin.path.to_string())), ("how", how)])
    });
    let written = write.to_json(step, path);
    let members = written.as_object().into_iter().flat_map(|object| object.iter());
    let members = members.map(|(name, value)| (Arc::clone(name), value.clone()));
    Json::object(members.chain([("from".into(), Json::array(from))]))
}

/// The last write first, since that is what is asked most often.
fn write_text(
    output: &mut Output<'_>,
    history: &History,
    (found, shown): (&Found, &[usize]),
    (name, path): (&StreamName, &Pointer),
    has_actors: bool,
) -> Result<(), Failure> {
    let what = if path.segments().is_empty() { "the state".to_owned() } else { path.to_string() };
    let holds = match &found.value {
        Some(value) => format!("is {}", value.to_preview(10 * PREVIEW)),
        None => "is not there".to_owned(),
    };
    output.line(&printable(&format!("{what} of {} {holds}", name.full())))?;
    let mut rows = VecDeque::new();
    let work = output.work();
    each((history, &work), shown, path, &mut |step, write, origins| {
        rows.push_front(cells(step, write, origins, has_actors));
        Ok(())
    })?;
    let mut heads = vec!["version", "position", "time", "type", "before", "after", "from"];
    if has_actors {
        heads.insert(ACTOR, "actor");
    }
    let side = |head: &str| if matches!(head, "version" | "position") { Side::Right } else { Side::Left };
    let columns: Vec<(&str, Side)> = heads.into_iter().map(|head| (head, side(head))).collect();
    let mut table = Table::new(&columns);
    for row in &rows {
        table.row(output, row)?;
    }
    table.write(output)?;
    let all = counted(found.counts.len(), "write");
    match (found.counts.len(), found.is_from_start) {
        // A path that never existed is said to be so by the caller.
        (0, false) => (),
        (0, true) => output.remark("no event wrote it: the reducer starts with it"),
        (count, _) if rows.len() < count => output.remark(&format!("the last {} of {all}", rows.len())),
        _ => output.remark(&all),
    }
    Ok(())
}

/// The place of the column that only stores with actors have.
const ACTOR: usize = 4;

fn cells(step: &Step, write: &Write, origins: &Origins, has_actors: bool) -> Vec<String> {
    let event = step.event.as_ref();
    let show = |value: &Option<Json>| {
        value.as_ref().map_or_else(|| "–".to_owned(), |value| value.to_preview(PREVIEW))
    };
    let text = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let mut cells = vec![
        text(event.and_then(|event| event.version).map(|version| version.to_string())),
        text(event.and_then(|event| event.position.as_ref()).map(ToString::to_string)),
        text(event.and_then(|event| event.time).map(|time| time.to_rfc3339())),
        text(event.map(|event| event.event_type.to_string())),
        show(&write.old),
        show(&write.new),
        origins.to_string(),
    ];
    if has_actors {
        cells.insert(ACTOR, text(event.and_then(|event| event.actor.as_ref()).map(ToString::to_string)));
    }
    cells
}

/// What to say of a path that never existed.
fn never(found: &Found, name: &StreamName, path: &Pointer) -> String {
    let mut text = format!("{path} never existed in {}", name.full());
    if !found.names.is_empty() {
        let names: Vec<&str> = found.names.iter().take(12).map(String::as_str).collect();
        write!(text, "; its state has {}", names.join(", ")).ok();
    }
    printable(&text)
}
