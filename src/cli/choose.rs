//! Turning what the user typed into streams, types, categories, positions and times of a store.

use std::{path::Path, sync::Arc};

use crate::{
    cli::failure::Failure,
    model::{GlobalPosition, StreamInfo, StreamVersion, Timestamp, Zone},
    store::index::{FoundStream, Index, nearest_names},
};

/// So many names help; more are a list to search through.
const NAMES_SHOWN: usize = 5;

/// Which forms of a time are understood.
const TIME_FORMS: &str =
    "write a time as 2024-03-01, 2024-03-01T09:51 or 2024-03-01T09:51:00.211Z; without an offset it is UTC";

/// What is asked, and of which store: enough to say what to type instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    pub(crate) index: &'a Index,
    pub(crate) path: &'a Path,
}

impl Choice<'_> {
    /// The one stream that is meant by a text.
    pub(crate) fn stream(self, text: &str) -> Result<u32, Failure> {
        let path = self.path.display();
        match self.index.find_stream(text) {
            FoundStream::One(stream) => Ok(stream),
            FoundStream::None { nearest } if nearest.is_empty() => {
                let some = self.index.streams().iter().take(NAMES_SHOWN).map(|info| info.name.full());
                let some: Vec<Arc<str>> = some.collect();
                Err(Failure::unknown(
                    "stream",
                    text,
                    &some,
                    format!("`timeglass streams {path}` lists the streams"),
                ))
            }
            FoundStream::None { nearest } => {
                let hint = match nearest.first() {
                    Some(first) => {
                        format!("try `--stream {first}`, or list the streams with `timeglass streams {path}`")
                    }
                    None => format!("`timeglass streams {path}` lists the streams"),
                };
                Err(Failure::unknown("stream", text, &nearest, hint))
            }
            FoundStream::Several(streams) => {
                let infos = streams.iter().filter_map(|stream| self.index.stream(*stream));
                // A name that is itself what was typed would not help.
                let name = |info: &StreamInfo| match info.name.full() {
                    name if *name == *text => info.name.with_category().to_string(),
                    name => name.to_string(),
                };
                let names: Vec<String> = infos.map(name).collect();
                let hint =
                    names.first().map(|first| format!("give the whole name, such as `--stream {first}`"));
                Err(Failure::trouble(format!("`{text}` may be any of {} streams", names.len()))
                    .given(text)
                    .hint(hint.unwrap_or_default())
                    .exists(names.into_iter().take(NAMES_SHOWN)))
            }
        }
    }

    /// Event types by name, as stored.
    pub(crate) fn types(self, names: &[String]) -> Result<Vec<Arc<str>>, Failure> {
        let all = || self.index.types().iter().map(|info| Arc::clone(&info.name));
        let find = |name: &String| {
            all().find(|own| **own == **name).ok_or_else(|| {
                let hint = format!("`timeglass info {}` lists the event types", self.path.display());
                Failure::unknown("event type", name, &nearest_or_some(name, all), hint)
            })
        };
        names.iter().map(find).collect()
    }

    /// A category by name; an empty name stands for streams without one.
    pub(crate) fn category(self, name: &str) -> Result<Option<Arc<str>>, Failure> {
        let mut all = self.index.categories().iter().map(|info| info.name.clone());
        let is_meant = |own: &Option<Arc<str>>| own.as_deref().unwrap_or_default() == name;
        all.find(is_meant).ok_or_else(|| {
            let names = || self.index.categories().iter().filter_map(|info| info.name.clone());
            let hint =
                format!("`timeglass streams {}` shows the category of each stream", self.path.display());
            Failure::unknown("category", name, &nearest_or_some(name, names), hint)
        })
    }

    /// How many of a stream's events, in version order, lie at or before a version.
    pub(crate) fn count_at_version(self, stream: u32, version: i64) -> Result<usize, Failure> {
        let Some(info) = self.index.stream(stream) else { return Ok(0) };
        let name = info.name.full();
        let (Some(first), Some(last)) = (info.first_version, info.last_version) else {
            return Err(Failure::trouble(format!("the events of `{name}` have no versions"))
                .given(version.to_string())
                .hint("choose the point by `--as-of TIME` or `--position POSITION`"));
        };
        if !(first.0..=last.0).contains(&version) {
            return Err(Failure::trouble(format!("`{name}` has no version {version}"))
                .given(version.to_string())
                .exists([format!("versions {first} to {last}")])
                .hint(format!("give a version from {first} to {last}")));
        }
        let events = self.index.stream_events(stream);
        let version_of = |ordinal: &u32| self.index.row(*ordinal)?.version;
        let is_within = |ordinal: &u32| version_of(ordinal).is_some_and(|own| own <= StreamVersion(version));
        let last = events.iter().rposition(is_within).map_or(0, |place| place + 1);
        let place_of = |place: Option<usize>| events.get(place?).and_then(version_of);
        let nearest = (place_of(last.checked_sub(1)), place_of(Some(last)));
        if let (Some(before), after) = nearest
            && before.0 != version
        {
            let after = after.map(|after| format!(" and version {after}")).unwrap_or_default();
            let failure = Failure::trouble(format!("`{name}` has no version {version}: it is missing"));
            return Err(failure
                .given(version.to_string())
                .exists([format!("version {before}{after}")])
                .hint(format!("for the state before the gap, give version {before}")));
        }
        // What follows without a version of its own belongs to the version before it.
        let rest = events.range(last..events.len());
        Ok(last + rest.take_while(|ordinal| version_of(ordinal).is_none()).count())
    }

    /// That several events have this version, if so; `count` lies behind the last of them.
    pub(crate) fn doubled_version(self, stream: u32, version: i64, count: usize) -> Option<String> {
        let events = self.index.stream_events(stream);
        /// So many events without a version may follow those of one.
        const FOLLOWING: usize = 1_000;
        let is_it = |ordinal: &&u32| {
            self.index.row(**ordinal).and_then(|row| row.version).is_some_and(|own| own.0 == version)
        };
        // Events stand in version order, so those of one version stand together.
        let mut same: Vec<u32> = Vec::new();
        for place in (0..count).rev() {
            match events.get(place) {
                Some(ordinal) if is_it(&ordinal) => same.push(*ordinal),
                // What has no version of its own may follow them.
                _ if same.is_empty() && place + FOLLOWING > count => (),
                _ => break,
            }
        }
        let positions = same.iter().rev().filter_map(|ordinal| self.index.row(*ordinal)?.position);
        let positions: Vec<String> = positions.map(|position| position.to_string()).collect();
        let at = if positions.is_empty() {
            String::new()
        } else {
            format!(", at positions {}", positions.join(", "))
        };
        (same.len() > 1).then(|| {
            let count = same.len();
            format!(
                "{count} events of this stream have version {version}{at}; this is after the last of them"
            )
        })
    }

    /// That some of a stream's first `count` events are later than the time they are asked for, if so.
    pub(crate) fn later_before(self, stream: u32, text: &str, count: usize) -> Option<String> {
        let time = time_until(text).ok()?;
        let (later, first) = self.index.stream_later(stream, count, time)?;
        let events = self.index.stream_events(stream);
        let words = |place: usize| {
            let row = self.index.row(*events.get(place)?)?;
            let version = row.version.map_or_else(|| format!("event {}", place + 1), |own| format!("v{own}"));
            Some(format!("{version} of {}", row.time?.to_rfc3339()))
        };
        let (first, last) = (words(first)?, words(count.checked_sub(1)?)?);
        let are = if later == 1 { "is" } else { "are" };
        Some(format!(
            "times do not rise in this stream: {last} stands after {first}; {later} of the {count} events that \
             are counted here {are} later than {text}"
        ))
    }

    /// How many of a stream's events lie at or before a time.
    pub(crate) fn count_at_time(self, stream: u32, text: &str) -> Result<usize, Failure> {
        let time = time_until(text)?;
        let name = self.index.stream(stream).map(|info| info.name.full()).unwrap_or_default();
        if let Some(place) = self.index.stream_at_time(stream, time) {
            return Ok(place + 1);
        }
        Err(match self.index.stream_time_span(stream) {
            Some((first, last)) => Failure::trouble(format!("`{name}` has no event at or before {text}"))
                .given(text)
                .exists([format!("events from {} to {}", first.to_rfc3339(), last.to_rfc3339())])
                .hint(format!("give a time from {} on", first.to_rfc3339())),
            None => Failure::trouble(format!("the events of `{name}` have no times"))
                .given(text)
                .hint("choose the point by `--version VERSION` or `--position POSITION`"),
        })
    }

    /// How many of a stream's events, in version order, there were when the log had come so far.
    pub(crate) fn count_at_position(self, stream: u32, text: &str) -> Result<usize, Failure> {
        let position = self.position(text)?;
        let events = self.index.stream_events(stream);
        let until = self.index.ordinal_at_position(&position);
        let reached = |ordinal: &u32| until.is_some_and(|until| *ordinal <= until);
        if let Some(place) = events.iter().rposition(reached) {
            return Ok(place + 1);
        }
        let name = self.index.stream(stream).map(|info| info.name.full()).unwrap_or_default();
        let positions = |ordinal: &u32| self.index.row(*ordinal)?.position;
        let (first, last) = (events.iter().min(), events.iter().max());
        let span = first.and_then(positions).zip(last.and_then(positions));
        let failure =
            Failure::trouble(format!("`{name}` has no event at or before position {position}")).given(text);
        Err(match span {
            Some((first, last)) => failure
                .exists([format!("positions {first} to {last}")])
                .hint(format!("give a position from {first} on")),
            None => failure,
        })
    }

    /// A position as this store writes them.
    pub(crate) fn position(self, text: &str) -> Result<GlobalPosition, Failure> {
        let first = self.index.row(0).and_then(|row| row.position);
        position_like(first.as_ref(), text)
    }
}

/// Reads a position, a number or a text as the positions of the store are.
pub(crate) fn position_like(example: Option<&GlobalPosition>, text: &str) -> Result<GlobalPosition, Failure> {
    match example {
        Some(GlobalPosition::Text(_)) => Ok(GlobalPosition::Text(text.into())),
        Some(GlobalPosition::Number(example)) => {
            text.trim().parse().map(GlobalPosition::Number).map_err(|error| {
                Failure::trouble(format!("`{text}` is no position: {error}"))
                    .given(text)
                    .exists([format!("positions like {example}")])
                    .hint("positions of this store are whole numbers")
            })
        }
        None => Err(Failure::trouble("this store has no global positions")
            .given(text)
            .hint("choose by version or time instead")),
    }
}

/// Reads a time as a start: a date means its first instant.
pub(crate) fn time_from(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).ok_or_else(|| no_time(text))
}

/// Reads a time as an end: a date means its last instant.
pub(crate) fn time_until(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse_until(text, Zone::Utc).ok_or_else(|| no_time(text))
}

fn no_time(text: &str) -> Failure {
    Failure::trouble(format!("`{text}` is no time")).given(text).hint(TIME_FORMS)
}

fn nearest_or_some<Names: Iterator<Item = Arc<str>>>(text: &str, names: impl Fn() -> Names) -> Vec<Arc<str>> {
    let nearest = nearest_names(text, names(), NAMES_SHOWN);
    if nearest.is_empty() { names().take(NAMES_SHOWN).collect() } else { nearest }
}

/// `versions 1 to 9`, `version 1`, or a dash where there are none.
pub(crate) fn version_span(info: &StreamInfo) -> String {
    match (info.first_version, info.last_version) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first}–{last}"),
        (_, _) => "–".to_owned(),
    }
}
