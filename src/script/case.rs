//! Conformance cases: a source with its events, in one JSON file.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    model::Json,
    script::{
        envelope::Envelope,
        options::{EngineVersion, Options, parse_quirks},
    },
};

/// What a conformance case says to run. Its expectations are no part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The projection.
    pub source: Arc<str>,
    /// Engine version, limits and oddities.
    pub options: Options,
    /// Stored texts of states to begin with, by partition.
    pub initial_state: BTreeMap<Arc<str>, Arc<str>>,
    /// The events, in order.
    pub events: Vec<Arc<Envelope>>,
}

impl Case {
    /// Reads a case.
    ///
    /// Fails with what is missing or of the wrong kind.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let source = json.get("source").and_then(Json::as_text).ok_or("there is no text `source`")?;
        let events = match json.get("events") {
            None | Some(Json::Null) => Default::default(),
            Some(events) => events.as_array().ok_or("`events` is not an array")?,
        };
        let events = events.iter().enumerate().map(|(index, event)| {
            Envelope::from_case(event).map(Arc::new).map_err(|why| format!("events[{index}]: {why}"))
        });
        Ok(Self {
            source: source.into(),
            options: options(json)?,
            initial_state: initial_state(json)?,
            events: events.collect::<Result<_, _>>()?,
        })
    }
}

fn options(json: &Json) -> Result<Options, String> {
    let mut options = Options { engine: engine(json.get("engineVersion"))?, ..Options::default() };
    let given = json.get("options");
    let number = |name: &str| match given.and_then(|given| given.get(name)) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Number(number)) if number.as_f64() >= 0.0 => Ok(Some(number.as_f64() as u64)),
        Some(_) => Err(format!("options.{name} is no number")),
    };
    if let Some(millis) = number("executionTimeoutMs")? {
        options.limits.call = Duration::from_millis(millis);
    }
    if let Some(millis) = number("compilationTimeoutMs")? {
        options.limits.loading = Duration::from_millis(millis);
    }
    if let Some(bytes) = number("maxStateSizeBytes")? {
        options.limits.state = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    if let Some(version) = given.and_then(|given| given.get("quirksVersion")).and_then(Json::as_text) {
        let parsed = parse_quirks(version);
        options.quirks =
            Some(parsed.ok_or_else(|| format!("options.quirksVersion: `{version}` is no version"))?);
    }
    Ok(options)
}

fn engine(json: Option<&Json>) -> Result<EngineVersion, String> {
    let number = match json {
        None | Some(Json::Null) => return Ok(EngineVersion::default()),
        Some(Json::Number(number)) => number.as_i64(),
        Some(_) => None,
    };
    let version = number.and_then(EngineVersion::from_number);
    version.ok_or_else(|| "engineVersion is neither 1 nor 2".to_owned())
}

fn initial_state(json: &Json) -> Result<BTreeMap<Arc<str>, Arc<str>>, String> {
    let Some(object) = json.get("initialState").and_then(Json::as_object) else { return Ok(BTreeMap::new()) };
    let entry = |(partition, text): (&Arc<str>, &Json)| match text {
        Json::Text(text) => Ok((Arc::clone(partition), Arc::clone(text))),
        _ => Err(format!("initialState: `{partition}` is not the text of a state")),
    };
    object.iter().map(entry).collect()
}
