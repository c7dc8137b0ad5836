//! `timeglass find`: the events at which a condition is met, in one stream or in many.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::{
    cli::{
        Common, Exit,
        attend::attended,
        failure::Failure,
        open::{self, Opened},
        output::Output,
        reducer::{Chosen, ReducerArgument},
        table::{Side, Table, counted, printable},
        write_json,
    },
    model::{Json, Timestamp},
    replay::{
        Across, AcrossFindings, Condition, Fault, Findings, History, Need, Probe, StreamEvents, StreamHit,
        Which,
        search::{hits, next_hit, previous_hit},
    },
    work::Work,
};

/// Find the events at which a condition is met; exit status 1 if there is none
///
/// Looks at one stream, at the streams of a category, or at all of them. An event counts if it
/// meets any of the conditions.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Event store
    store: PathBuf,
    /// Only this stream: its name, `<category>-<id>` or its id
    #[arg(long)]
    stream: Option<String>,
    /// Only streams of this category
    #[arg(long, conflicts_with = "stream")]
    category: Option<String>,
    #[command(flatten)]
    wanted: Conditions,
    /// Begin at the event of this stream version
    #[arg(long, value_name = "VERSION", allow_negative_numbers = true)]
    from: Option<i64>,
    /// Look from the end of a stream, or from VERSION, to its start
    #[arg(long)]
    backward: bool,
    /// Only the first hit of each stream in that direction
    #[arg(long)]
    first: bool,
    #[command(flatten)]
    reducer: ReducerArgument,
}

/// What is looked for.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(required = true, multiple = true)]
struct Conditions {
    /// Events of this type
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Events for which this JavaScript is true, such as `event.data.amount > 100`
    #[arg(long, value_name = "EXPR")]
    event: Vec<String>,
    /// Events after which this JavaScript is true, such as `state.total < 0`
    #[arg(long, value_name = "EXPR")]
    state: Vec<String>,
    /// Events after which this JavaScript is true and before which it was not
    #[arg(long, value_name = "EXPR")]
    becomes: Vec<String>,
    /// Events that change the value at this path of the state, such as `/address/city`
    #[arg(long, value_name = "PATH")]
    changes: Vec<String>,
}

/// Memory for the keyframes of a history that is searched backward.
const KEYFRAME_BYTES: usize = 64 << 20;

/// What was found, whatever was looked at.
struct Found<'a> {
    opened: &'a Opened,
    conditions: Arc<[Condition]>,
    findings: AcrossFindings,
}

pub(crate) fn run(arguments: &Arguments, common: &Common, output: &mut Output<'_>) -> Result<Exit, Failure> {
    if let (Some(from), None) = (arguments.from, &arguments.stream) {
        return Err(Failure::trouble("`--from` is a version, and versions count in one stream")
            .given(from.to_string())
            .hint("name the stream with `--stream`"));
    }
    if arguments.reducer.reducer.is_some() && arguments.stream.is_none() && arguments.category.is_none() {
        return Err(Failure::trouble("a reducer makes the states of one category")
            .hint("name the category with `--category`, or the stream with `--stream`"));
    }
    let opened = open::open(&arguments.store, common, output)?;
    let conditions = arguments.wanted.read(&opened)?;
    let found = match &arguments.stream {
        Some(stream) => {
            let stream = opened.choice().stream(stream)?;
            let chosen = if Condition::needs(&conditions) == Need::State {
                arguments.reducer.choose(&opened, stream, output)?
            } else {
                Chosen::merge(None)
            };
            in_stream(&opened, stream, arguments, (conditions, chosen), output)?
        }
        None => in_streams(&opened, arguments, conditions, output)?,
    };
    if common.json {
        write_json(output, &found.to_json())?;
    } else {
        found.write(output)?;
    }
    Ok(if found.findings.hits.is_empty() { Exit::No } else { Exit::Done })
}

impl Conditions {
    fn read(&self, opened: &Opened) -> Result<Arc<[Condition]>, Failure> {
        let text = |text: &String| Arc::<str>::from(text.as_str());
        let types = opened.choice().types(&self.types)?.into_iter().map(Condition::Type);
        let changes = self.changes.iter().map(|typed| match Probe::typed(typed) {
            Some(Probe::State(path)) => Ok(Condition::Changes { path, from: None, to: None }),
            _ => Err(Failure::trouble(format!("`{typed}` is no path of the state"))
                .given(typed)
                .hint("write a path as /address/city or address.city")),
        });
        let changes = changes.collect::<Result<Vec<_>, Failure>>()?;
        let conditions: Vec<Condition> = types
            .chain(self.event.iter().map(|event| Condition::Event(text(event))))
            .chain(self.state.iter().map(|state| Condition::State(text(state))))
            .chain(self.becomes.iter().map(|state| Condition::Becomes(text(state))))
            .chain(changes)
            .collect();
        for condition in &conditions {
            condition.check().map_err(|failure| {
                Failure::trouble(format!("`{condition}` cannot be read: {failure}"))
                    .given(condition.to_string())
                    .hint("write JavaScript over `state` and `event`, such as `state.total < 0`")
            })?;
        }
        if conditions.len() > Which::MOST {
            return Err(Failure::trouble(format!(
                "{} conditions are too many: no more than {} are looked for at once",
                conditions.len(),
                Which::MOST
            )));
        }
        Ok(conditions.into())
    }
}

fn in_stream<'a>(
    opened: &'a Opened,
    stream: u32,
    arguments: &Arguments,
    (conditions, chosen): (Arc<[Condition]>, Chosen),
    output: &mut Output<'_>,
) -> Result<Found<'a>, Failure> {
    let events = StreamEvents::new(Arc::clone(&opened.store), Arc::clone(&opened.index), stream);
    let history = History::new(Arc::new(events), chosen.reducer, chosen.on_failure, KEYFRAME_BYTES);
    // How many events lie before the first that counts, and how many up to the last.
    let until =
        arguments.from.map(|version| opened.choice().count_at_version(stream, version)).transpose()?;
    let until = until.unwrap_or(history.len());
    let ordinals = opened.index.stream_events(stream);
    let version_of = |ordinal: &u32| Some(opened.index.row(*ordinal)?.version?.0);
    let is_reached = |ordinal: &u32| version_of(ordinal) >= arguments.from;
    let from = ordinals.iter().position(is_reached).unwrap_or_default();
    let search = |work: &Work| match (arguments.backward, arguments.first) {
        (false, false) => {
            work.expect_total((history.len() - from) as u64);
            hits(&history, &conditions, from..history.len(), work)
        }
        (false, true) => next_hit(&history, &conditions, from, work),
        (true, false) => {
            work.expect_total(until as u64);
            hits(&history, &conditions, 0..until, work)
        }
        (true, true) => previous_hit(&history, &conditions, until + 1, work),
    };
    let Findings { hits: mut found, faults, searched, present } =
        attended(output, ("searching", "events"), search)?;
    if arguments.backward {
        found.reverse();
    }
    let hits = found.into_iter().filter_map(|hit| {
        Some(StreamHit { stream, ordinal: *ordinals.get(hit.count.checked_sub(1)?)?, hit })
    });
    let faults = faults.into_iter().map(|(place, fault)| (place, stream, fault));
    let failures = history.failures();
    let unapplied = failures.first_key_value().map(|(count, failure)| {
        let event = label(opened, stream, *count).into();
        let times = failures.len() as u64;
        (stream, Fault { count: *count, event, failure: failure.clone(), times })
    });
    let findings =
        AcrossFindings { hits: hits.collect(), faults: faults.collect(), unapplied, searched, present };
    Ok(Found { opened, conditions, findings })
}

fn in_streams<'a>(
    opened: &'a Opened,
    arguments: &Arguments,
    conditions: Arc<[Condition]>,
    output: &mut Output<'_>,
) -> Result<Found<'a>, Failure> {
    let index = &opened.index;
    let wanted = arguments.category.as_deref().map(|name| opened.choice().category(name)).transpose()?;
    let categories = index.categories().iter().map(|info| info.name.clone());
    let mut findings = AcrossFindings::default();
    let mut streams_of: BTreeMap<&Option<Arc<str>>, Vec<u32>> = BTreeMap::new();
    for (number, info) in (0..).zip(index.streams()) {
        streams_of.entry(&info.name.category).or_default().push(number);
    }
    for category in categories.filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == name)) {
        let streams = streams_of.remove(&category).unwrap_or_default();
        let chosen = if Condition::needs(&conditions) == Need::State {
            arguments.reducer.of_category(opened, category.as_deref(), output)?
        } else {
            Chosen::merge(category.as_deref())
        };
        let across = Across {
            store: Arc::clone(&opened.store),
            index: Arc::clone(index),
            reducer: chosen.reducer,
            on_failure: chosen.on_failure,
            conditions: Arc::clone(&conditions),
            is_first_enough: arguments.first && !arguments.backward,
        };
        let events = streams.iter().map(|stream| index.stream_events(*stream).len() as u64).sum();
        findings.add(attended(output, ("searching", "events"), |work| {
            work.expect_total(events);
            across.search(&streams, work)
        })?);
    }
    let mut found = Found { opened, conditions, findings };
    if arguments.backward {
        found.turn_round(arguments.first);
    }
    Ok(found)
}

impl Found<'_> {
    /// Lists the hits of each stream from its end, or only the last of each.
    fn turn_round(&mut self, is_first_enough: bool) {
        let by_stream: Vec<Vec<StreamHit>> = self
            .findings
            .hits
            .chunk_by(|left, right| left.stream == right.stream)
            .map(<[_]>::to_vec)
            .collect();
        let wanted = if is_first_enough { 1 } else { usize::MAX };
        self.findings.hits =
            by_stream.into_iter().flat_map(|hits| hits.into_iter().rev().take(wanted)).collect();
    }

    fn met(&self, which: Which) -> impl Iterator<Item = String> {
        which.places().filter_map(|place| Some(self.conditions.get(place)?.to_string()))
    }

    /// The places that conditions name and at which nothing was ever found: misspelt, perhaps.
    fn never_there(&self) -> impl Iterator<Item = Probe> {
        let AcrossFindings { present, searched, .. } = self.findings;
        let conditions = self.conditions.iter().enumerate();
        let absent = conditions.filter(move |(place, _)| searched > 0 && !present.has(*place));
        absent.filter_map(|(_, condition)| condition.place())
    }

    /// Stream, version, position, time and type of an event.
    fn head(&self, ordinal: u32) -> Option<[Json; 5]> {
        let index = &self.opened.index;
        let row = index.row(ordinal)?;
        Some([
            Json::from(index.stream(row.stream).map(|info| info.name.full())),
            Json::from(row.version.map(|version| version.0)),
            Json::from(row.position),
            Json::from(row.time.map(Timestamp::to_rfc3339)),
            Json::from(index.type_name(row.event_type).filter(|name| !name.is_empty()).cloned()),
        ])
    }

    fn to_json(&self) -> Json {
        let hit = |hit: &StreamHit| {
            let names = ["stream", "version", "position", "time", "type"];
            let head = names.into_iter().zip(self.head(hit.ordinal)?);
            let met: Vec<Json> = self.met(hit.hit.which).map(Json::from).collect();
            let condition = ("condition", met.first().cloned().unwrap_or_default());
            Some(Json::object(head.chain([condition, ("conditions", Json::array(met))])))
        };
        let failure = |condition: Option<&Condition>, stream: u32, fault: &Fault| {
            let place = fault.count.checked_sub(1)?;
            let ordinal = self.opened.index.stream_events(stream).get(place).copied()?;
            let [stream, version, position, _, event_type] = self.head(ordinal)?;
            let number = |place: Option<u32>| Json::from(place.map(i64::from));
            Some(Json::object([
                ("condition", Json::from(condition.map(ToString::to_string))),
                ("stream", stream),
                ("version", version),
                ("position", position),
                ("type", event_type),
                ("message", Json::from(Arc::clone(&fault.failure.message))),
                ("line", number(fault.failure.line)),
                ("column", number(fault.failure.column)),
                ("times", Json::from(fault.times)),
            ]))
        };
        let AcrossFindings { hits, faults, unapplied, searched, .. } = &self.findings;
        let of_conditions = faults
            .iter()
            .filter_map(|(place, stream, fault)| failure(self.conditions.get(*place), *stream, fault));
        // What the reducer could not apply belongs to no condition.
        let of_reducer = unapplied.iter().filter_map(|(stream, fault)| failure(None, *stream, fault));
        Json::object([
            ("hits", Json::array(hits.iter().filter_map(hit))),
            ("failures", Json::array(of_conditions.chain(of_reducer))),
            ("searched", Json::from(*searched)),
            ("never_there", Json::array(self.never_there().map(|probe| Json::from(probe.to_string())))),
        ])
    }

    fn write(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut table = Table::new(&[
            ("stream", Side::Left),
            ("version", Side::Right),
            ("position", Side::Right),
            ("time", Side::Left),
            ("type", Side::Left),
            ("meets", Side::Left),
        ]);
        for hit in &self.findings.hits {
            let Some(head) = self.head(hit.ordinal) else { continue };
            let text = |value: &Json| value.as_scalar_text().map(|text| text.to_string()).unwrap_or_default();
            let mut cells: Vec<String> = head.iter().map(text).collect();
            cells.push(self.met(hit.hit.which).collect::<Vec<_>>().join(", "));
            table.row(output, &cells)?;
        }
        table.write(output)?;
        for (place, _, fault) in &self.findings.faults {
            let Some(condition) = self.conditions.get(*place) else { continue };
            output.remark(&printable(&format!("{condition} failed: {}", words(fault))));
        }
        if let Some((_, fault)) = &self.findings.unapplied {
            output.remark(&printable(&format!("events were not applied: {}", words(fault))));
        }
        for probe in self.never_there() {
            let what = if probe.reads_event() { "event" } else { "state" };
            output.complain(&printable(&format!("no {what} that was looked at has anything at {probe}")));
        }
        let hits = counted(self.findings.hits.len(), "hit");
        output.remark(&format!("{hits} in {}", counted(self.findings.searched as usize, "event")));
        Ok(())
    }
}

/// An event of a stream, as messages name it.
fn label(opened: &Opened, stream: u32, count: usize) -> String {
    let index = &opened.index;
    let ordinal = count.checked_sub(1).and_then(|place| index.stream_events(stream).get(place));
    let row = ordinal.and_then(|ordinal| index.row(*ordinal));
    let name = index.stream(stream).map(|info| info.name.full()).unwrap_or_default();
    let event_type =
        row.as_ref().and_then(|row| index.type_name(row.event_type)).cloned().unwrap_or_default();
    match row.and_then(|row| row.version) {
        Some(version) => format!("{event_type} {version}@{name}"),
        None => format!("{event_type} @{name}"),
    }
}

/// What went wrong first, where, and how often.
fn words(fault: &Fault) -> String {
    let more = match fault.times {
        0 | 1 => String::new(),
        times => format!(", and {} more", times - 1),
    };
    format!("{} (at {}{more})", fault.failure, fault.event)
}
