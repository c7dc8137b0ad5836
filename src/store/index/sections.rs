//! An index as bytes, to be kept between runs.

use std::sync::Arc;

use crate::{
    model::{EventKey, GlobalPosition, Json, KeyPart, StreamName, Timestamp},
    store::{
        cache::Section,
        index::Index,
        memory::{MemoryStore, event},
    },
    work::Work,
};

/// Sections do not make an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its section “{section}” does not fit the others")]
pub struct Unfit {
    /// The section.
    pub section: String,
}

type Line = (
    i64,
    Option<i64>,
    Option<Arc<str>>,
    Arc<str>,
    Option<Arc<str>>,
    Option<i64>,
    Arc<str>,
    Option<(i64, u8)>,
);

impl Index {
    /// The index as bytes.
    #[must_use]
    pub fn to_sections(&self) -> Vec<Section> {
        let line = |ordinal| -> Option<Line> {
            let key = self.key(ordinal)?;
            let [KeyPart::Integer(key)] = *key.0 else { return None };
            let row = self.row(ordinal)?;
            let position = match row.position {
                Some(GlobalPosition::Number(number)) => Some(number),
                Some(GlobalPosition::Text(_)) | None => None,
            };
            let name = &self.stream(row.stream)?.name;
            let time = row.time.map(|time| (time.nanos(), time.digits()));
            let (category, id, stored) = (name.category.clone(), Arc::clone(&name.id), name.stored.clone());
            let version = row.version.map(|version| version.0);
            Some((
                key,
                position,
                category,
                id,
                stored,
                version,
                Arc::clone(self.type_name(row.event_type)?),
                time,
            ))
        };
        let lines: Option<Vec<Line>> = (0..self.len() as u32).map(line).collect();
        let bytes = lines.and_then(|lines| serde_json::to_vec(&lines).ok()).unwrap_or_default();
        vec![Section { name: "events".into(), bytes }]
    }

    /// The index that these bytes are.
    pub fn from_sections(sections: Vec<Section>) -> Result<Self, Unfit> {
        let unfit = || Unfit { section: "events".to_owned() };
        let section = sections.first().ok_or_else(unfit)?;
        let lines: Vec<Line> = serde_json::from_slice(&section.bytes).map_err(|_| unfit())?;
        let events = lines.into_iter().map(|(key, position, category, id, stored, version, kind, time)| {
            let name = StreamName { category, id, stored };
            let mut event = event(key, &name, 0, &kind, Json::Null);
            event.key = EventKey::integer(key);
            event.position = position.map(GlobalPosition::Number);
            event.version = version.map(crate::model::StreamVersion);
            event.time = time.map(|(nanos, digits)| Timestamp::from_nanos(nanos, digits));
            event
        });
        Self::build(&MemoryStore::new(events), &Work::default()).map_err(|_| unfit())
    }
}
