//! The table of events, and its filters.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    model::{Pointer, RecordedEvent, Zone},
    session::{
        action::{BrowseAction, EventOrder},
        view::WatchCells,
    },
    store::{
        index::{Index, Selection},
        layout::Role,
        search::Field,
    },
};

/// The events panel.
#[derive(Debug, Clone, Default)]
pub struct EventsView {
    /// The paths into data and metadata that have a column of their own.
    pub paths: Arc<Vec<ColumnPath>>,
    /// What events of this store carry beside their heads.
    pub extras: Arc<[Extra]>,
    /// Whether the store says when its events happened.
    pub has_times: bool,
    /// How many rows there are.
    pub total: u64,
    /// How many events pass, and how many there are: "231 of 1 376 events".
    pub summary: String,
    /// Which events the rows are; `None` while there is no index and only the first are known.
    pub listing: Option<Listing>,
    /// The rows that are loaded, from `loaded_from` on.
    pub loaded: Arc<Vec<Option<LoadedRow>>>,
    /// The number of the first loaded row.
    pub loaded_from: u64,
    /// The row of the event at the cursor, if it is listed.
    pub cursor_row: Option<u64>,
    /// What the branch that is shown did to recorded events: "left out", "edited", "moved".
    pub edited: Arc<BTreeMap<u32, &'static str>>,
    /// Whether all of them are of one stream.
    pub is_of_one_stream: bool,
    /// How events are listed.
    pub order: EventOrder,
    /// The filters in force, each with a text to show and the action that takes it away.
    pub filters: Arc<[FilterView]>,
    /// The watches that have a column of their own: what they follow, and what they are called.
    pub watches: Arc<[(String, String)]>,
    /// What they found after the events of the chosen stream that are loaded.
    pub watched: Arc<WatchCells>,
    /// Event types with their counts and whether they are shown.
    pub types: Arc<[TypeView]>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// Raised when the rows became other rows, so that the table goes to its start.
    pub generation: u64,
}

impl EventsView {
    /// The head of the event in a row: from the index where there is one, else from what was loaded.
    #[must_use]
    pub fn head(&self, row: u64) -> Option<RowHead> {
        let Some(listing) = &self.listing else {
            return self.loaded(row).map(|loaded| loaded.head.clone());
        };
        RowHead::of(&listing.index, listing.ordinal(row)?, self.zone)
    }

    /// What a watch found after the event in a row; `None` if that is not known, or the event is of
    /// another stream than the chosen one.
    #[must_use]
    pub fn watched(&self, row: u64, watch: &str) -> Option<&Arc<str>> {
        self.watched.get(&self.listing.as_ref()?.ordinal(row)?)?.get(watch)
    }

    /// What the branch that is shown did to the event in a row.
    #[must_use]
    pub fn edit(&self, row: u64) -> Option<&'static str> {
        self.edited.get(&self.listing.as_ref()?.ordinal(row)?).copied()
    }

    /// What was fetched for a row, if it was.
    #[must_use]
    pub fn loaded(&self, row: u64) -> Option<&LoadedRow> {
        let place = usize::try_from(row.checked_sub(self.loaded_from)?).ok()?;
        self.loaded.get(place)?.as_ref()
    }
}

/// Which events the rows are.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The index.
    pub index: Arc<Index>,
    /// Which of its events, and in which order.
    pub listed: Listed,
}

/// Which events are listed, and in which order.
#[derive(Debug, Clone)]
pub enum Listed {
    /// Every event, in global order.
    All,
    /// These, in global order.
    Some(Arc<Selection>),
    /// Stream by stream.
    ByStream(Arc<ByStream>),
}

/// Events stream by stream, each stream's in version order.
#[derive(Debug, Clone, Default)]
pub struct ByStream {
    /// The events.
    pub ordinals: Vec<u32>,
    /// Where the events of each stream end, by its number; a stream whose number is too great has none.
    pub ends: Vec<u32>,
}

impl ByStream {
    /// The row of an event of this stream.
    fn row_of(&self, ordinal: u32, stream: usize) -> Option<usize> {
        let start = stream.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())? as usize;
        let own = self.ordinals.get(start..*self.ends.get(stream)? as usize)?;
        // Versions rise with positions in every sound store, and then it is found without a walk.
        let place = own.binary_search(&ordinal).ok();
        Some(start + place.or_else(|| own.iter().position(|other| *other == ordinal))?)
    }
}

impl Listed {
    /// Whether other events are listed than before; new ones at the end leave the rows what they are.
    #[must_use]
    pub fn has_other_rows(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::All, Self::All) => false,
            (Self::Some(before), Self::Some(now)) => !now.starts_with(before),
            (Self::ByStream(before), Self::ByStream(now)) => !now.ordinals.starts_with(&before.ordinals),
            _ => true,
        }
    }
}

impl Listing {
    /// How many events are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.listed {
            Listed::All => self.index.len(),
            Listed::Some(chosen) => chosen.len(),
            Listed::ByStream(streams) => streams.ordinals.len(),
        }
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event in a row, as its number in global order.
    #[must_use]
    pub fn ordinal(&self, row: u64) -> Option<u32> {
        let place = usize::try_from(row).ok()?;
        match &self.listed {
            Listed::All => u32::try_from(row).ok().filter(|_| place < self.index.len()),
            Listed::Some(chosen) => chosen.get(place),
            Listed::ByStream(streams) => streams.ordinals.get(place).copied(),
        }
    }

    /// The row of an event, if it is listed.
    #[must_use]
    pub fn row_of(&self, ordinal: u32) -> Option<u64> {
        let place = match &self.listed {
            Listed::All => Some(ordinal as usize),
            Listed::Some(chosen) => chosen.place_of(ordinal),
            Listed::ByStream(streams) => streams.row_of(ordinal, self.index.row(ordinal)?.stream as usize),
        };
        place.map(|place| place as u64)
    }
}

/// A filter in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterView {
    /// "stream order-17", "from 2024-03-01".
    pub text: String,
    /// What takes it away.
    pub remove: BrowseAction,
}

/// An event type and whether it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeView {
    /// The type.
    pub name: Arc<str>,
    /// How many events have it.
    pub events: u64,
    /// Whether they are shown.
    pub is_shown: bool,
}

/// What an event may carry beside its head: a column that is hidden until the user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// Who did it.
    Actor,
    /// What it belongs together with.
    Correlation,
    /// What caused it.
    Causation,
    /// Its own id.
    EventId,
}

impl Extra {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Actor, Self::Correlation, Self::Causation, Self::EventId];

    /// The role that it plays in a layout.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Actor => Role::Actor,
            Self::Correlation => Role::CorrelationId,
            Self::Causation => Role::CausationId,
            Self::EventId => Role::EventId,
        }
    }

    /// What an event carries of it.
    #[must_use]
    pub fn of(self, event: &RecordedEvent) -> Option<Arc<str>> {
        match self {
            Self::Actor => event.actor.clone(),
            Self::Correlation => event.correlation_id.clone(),
            Self::Causation => event.causation_id.clone(),
            Self::EventId => event.event_id.clone(),
        }
    }
}

/// A place in the data or the metadata of events that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPath {
    /// In which payload.
    pub field: Field,
    /// Where in it.
    pub path: Pointer,
}

impl ColumnPath {
    /// What a path of the metadata begins with.
    const META: &'static str = "meta:";

    /// As it is written down: `/status`, `meta:/user`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, Pointer::parse)
    }

    /// Whether a text is one as [`Self::parse`] reads it, by how it begins.
    #[must_use]
    pub fn is_key(text: &str) -> bool {
        text.is_empty() || text.starts_with('/') || text.starts_with(Self::META)
    }

    /// As people type it: `address.city`, `meta:user.name`.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        Self::read(text.trim(), Pointer::typed)
    }

    fn read(text: &str, read: impl Fn(&str) -> Option<Pointer>) -> Option<Self> {
        let (field, path) = match text.strip_prefix(Self::META) {
            Some(path) => (Field::Metadata, path),
            None => (Field::Data, text),
        };
        Some(Self { field, path: read(path)? })
    }
}

impl From<Pointer> for ColumnPath {
    fn from(path: Pointer) -> Self {
        Self { field: Field::Data, path }
    }
}

impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Field::Data => self.path.fmt(f),
            Field::Metadata => write!(f, "{}{}", Self::META, self.path),
        }
    }
}

/// What is fetched for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedRow {
    /// The head of the event as the store gave it, for rows that no index knows yet.
    pub head: RowHead,
    /// The data on one line, cut.
    pub preview: String,
    /// Set where the data cannot be read; the preview then says why.
    pub is_problem: bool,
    /// The values of the path columns, in their order.
    pub paths: Vec<String>,
    /// What it carries beside its head, in the order of [`Extra::ALL`].
    pub extras: [Option<Arc<str>>; 4],
}

/// The head of an event, as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowHead {
    /// Global position.
    pub position: String,
    /// Recorded time.
    pub time: String,
    /// The stream's name.
    pub stream: Arc<str>,
    /// Where the id begins in it, in bytes.
    pub id_at: usize,
    /// Stream version.
    pub version: String,
    /// Event type.
    pub event_type: Arc<str>,
}

impl RowHead {
    /// What an index knows of an event, by its number in global order.
    pub(super) fn of(index: &Index, ordinal: u32, zone: Zone) -> Option<Self> {
        let row = index.row(ordinal)?;
        let stream = &index.stream(row.stream)?.name;
        Some(Self {
            position: row.position.map(|position| position.to_string()).unwrap_or_default(),
            time: row.time.map(|time| time.to_display(zone)).unwrap_or_default(),
            stream: stream.full(),
            id_at: stream.id_at(),
            version: row.version.map(|version| version.to_string()).unwrap_or_default(),
            event_type: index.type_name(row.event_type).cloned().unwrap_or_default(),
        })
    }
}
