//! Events as rows of their table: which pass the filters, and what is shown of each.
//!
//! Plain functions that run in a job.

use std::sync::Arc;

use crate::{
    model::{EventKey, EventQuery, Json, Payload, RecordedEvent},
    session::{
        action::EventOrder,
        job::RowShape,
        view::{ByStream, ColumnPath, Extra, Listed, LoadedRow, RowHead},
    },
    store::{
        EventStore, PageFrom, StoreResult,
        index::{Index, Selection},
        search::Field,
    },
    work::{Cancelled, Work},
};

/// The rows that are read before there is an index: two screens full.
pub(crate) const FIRST_ROWS: usize = 200;

/// Characters of a payload that a row shows at most.
pub(crate) const PREVIEW: usize = 300;

/// The events that pass, in row order.
pub(crate) fn passing_events(
    index: &Index,
    query: &EventQuery,
    order: EventOrder,
    work: &Work,
) -> Result<Listed, Cancelled> {
    let passing = index.filter(query, work)?;
    if order == EventOrder::Global {
        return Ok(passing.map_or(Listed::All, |passing| Listed::Some(Arc::new(passing))));
    }
    // Stream by stream: walk the streams and keep what passes.
    let mut listed = ByStream::default();
    listed.ordinals.reserve_exact(passing.as_ref().map_or(index.len(), Selection::len));
    let only = query.stream.as_ref().map(|name| index.stream_number(name));
    for stream in 0..index.streams().len() as u32 {
        if only.is_none_or(|only| only == Some(stream)) {
            work.advance(0)?;
            let events = index.stream_events(stream).into_iter().copied();
            let passes = |ordinal: &u32| passing.as_ref().is_none_or(|passing| passing.contains(*ordinal));
            listed.ordinals.extend(events.filter(passes));
        }
        listed.ends.push(listed.ordinals.len() as u32);
    }
    Ok(Listed::ByStream(Arc::new(listed)))
}

/// How many whole events are held at once on their way to rows: few at first, since nobody knows how large they
/// are, then more while they prove small.
struct Portion(usize);

impl Portion {
    const FIRST: usize = 8;
    const MOST: usize = 128;

    /// Bytes of payloads as they are stored; beyond, events come one by one.
    const ROOMY: usize = 256 << 10;

    /// Settles the next portion by what the last one held.
    fn follow(&mut self, events: &[Option<RecordedEvent>]) {
        let bytes: usize = events.iter().flatten().map(|event| event.data.stored_len()).sum();
        self.0 = if bytes > Self::ROOMY { 1 } else { (self.0 * 2).min(Self::MOST) };
    }
}

/// The first events as rows of the table.
pub(crate) fn first_rows(
    store: &dyn EventStore,
    shape: &RowShape,
    work: &Work,
) -> StoreResult<Vec<Option<LoadedRow>>> {
    let (mut rows, mut from, mut portion) = (Vec::new(), PageFrom::Start, Portion(Portion::FIRST));
    while rows.len() < FIRST_ROWS {
        let wanted = portion.0.min(FIRST_ROWS - rows.len());
        let events: Vec<Option<RecordedEvent>> =
            store.page(work, &EventQuery::default(), &from, wanted)?.into_iter().map(Some).collect();
        portion.follow(&events);
        rows.extend(events.iter().map(|event| Some(event_row(event.as_ref()?, shape))));
        match events.into_iter().next_back().flatten() {
            Some(last) => from = PageFrom::After(last.key),
            None => break,
        }
    }
    Ok(rows)
}

/// The events of these keys as rows of the table; nothing for those that are gone.
pub(crate) fn event_rows(
    store: &dyn EventStore,
    keys: &[EventKey],
    shape: &RowShape,
    work: &Work,
) -> StoreResult<Vec<Option<LoadedRow>>> {
    let (mut rows, mut portion) = (Vec::with_capacity(keys.len()), Portion(Portion::FIRST));
    while let Some(keys) = keys.get(rows.len()..).filter(|keys| !keys.is_empty()) {
        let events = store.fetch(work, keys.get(..portion.0).unwrap_or(keys))?;
        portion.follow(&events);
        rows.extend(events.iter().map(|event| event.as_ref().map(|event| event_row(event, shape))));
    }
    Ok(rows)
}

fn event_row(event: &RecordedEvent, shape: &RowShape) -> LoadedRow {
    let (preview, is_problem) = payload_preview(&event.data, PREVIEW);
    let value_at = |column: &ColumnPath| {
        let payload = match column.field {
            Field::Data => &event.data,
            Field::Metadata => &event.metadata,
        };
        let found = payload.json().and_then(|json| column.path.resolve(json));
        found.map(|value| scalar_preview(value, PREVIEW)).unwrap_or_default()
    };
    LoadedRow {
        head: RowHead {
            position: event.position.as_ref().map(ToString::to_string).unwrap_or_default(),
            time: event.time.map(|time| time.to_display(shape.zone)).unwrap_or_default(),
            stream: event.stream.full(),
            id_at: event.stream.id_at(),
            version: event.version.map(|version| version.to_string()).unwrap_or_default(),
            event_type: Arc::clone(&event.event_type),
        },
        preview,
        is_problem,
        paths: shape.paths.iter().map(value_at).collect(),
        extras: Extra::ALL.map(|extra| extra.of(event)),
    }
}

/// A payload on one line, and whether it cannot be read.
pub(crate) fn payload_preview(payload: &Payload, limit: usize) -> (String, bool) {
    match &payload.decoded {
        Ok(value) => (value.to_preview(limit), false),
        Err(reason) => (reason.to_string(), true),
    }
}

/// A string without quotes, anything else as JSON.
fn scalar_preview(value: &Json, limit: usize) -> String {
    match value.as_text() {
        Some(text) => text.chars().take(limit).collect(),
        None => value.to_preview(limit),
    }
}
