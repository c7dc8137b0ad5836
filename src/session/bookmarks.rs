//! Bookmarks with notes, and the places gone to.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::StreamVersion,
    project::sections::{BookmarkEntry, PlaceEntry},
    session::{
        job::Job,
        notice::Notices,
        opened::Opened,
        trail::Spot,
        view::{BookmarksView, PlaceRow},
    },
};

/// Bookmarks and the places gone to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookmarkAction {
    /// Keeps the cursor's place, or lets it go if it is kept already.
    Toggle,
    /// Writes a note at a bookmark, by its place in the list.
    Note(usize, String),
    /// Goes to a bookmark.
    GoTo(usize),
    /// Lets a bookmark go.
    Remove(usize),
    /// Brings the one back that was let go last.
    Undo,
    /// Goes to a place of the trail, by its place in the list.
    Return(usize),
    /// Goes to the next bookmark of the stream, or to the one before.
    Turn(bool),
}

/// What is known.
#[derive(Default)]
pub(crate) struct Bookmarks {
    /// As they are kept.
    entries: Vec<BookmarkEntry>,
    /// Where each lies now, in the same order; nothing if that is nowhere.
    places: Vec<Option<Place>>,
    /// What is shown of them.
    rows: Arc<[PlaceRow]>,
    /// Those that were let go, with where they stood in the list.
    removed: Vec<(usize, BookmarkEntry)>,
}

/// A place that was found in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The stream; `None` is the whole store.
    pub(crate) stream: Option<u32>,
    /// How many of its events lie behind.
    pub(crate) count: usize,
}

/// Places of the trail that are listed.
const TRAIL_SHOWN: usize = 60;

impl Bookmarks {
    /// Which counts of a stream the timeline marks.
    pub(crate) fn ticks(&self, stream: Option<u32>) -> Vec<usize> {
        let of_stream = |place: &&Place| place.stream == stream;
        self.places.iter().flatten().filter(of_stream).map(|place| place.count).collect()
    }
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_bookmarks(&mut self, action: BookmarkAction, notices: &mut Notices) -> Vec<Job> {
        match action {
            BookmarkAction::Toggle => self.toggle_bookmark(),
            BookmarkAction::Note(place, note) => {
                let note = note.trim();
                match self.bookmarks.entries.get_mut(place) {
                    Some(entry) if *entry.note != *note => entry.note = note.into(),
                    _ => return Vec::new(),
                }
                self.keep_bookmarks()
            }
            BookmarkAction::GoTo(place) => {
                let found = self.bookmarks.places.get(place).copied().flatten();
                self.jump_to(found, notices)
            }
            BookmarkAction::Remove(place) => self.remove_bookmark(place),
            BookmarkAction::Undo => self.bring_back(),
            BookmarkAction::Return(place) => {
                let spot = self.trail.latest().nth(place);
                match spot {
                    Some(spot) => self.jump_to_spot(spot),
                    None => Vec::new(),
                }
            }
            BookmarkAction::Turn(is_forward) => self.turn_to_bookmark(is_forward, notices),
        }
    }

    /// Takes the bookmarks and the trail that the project file holds, once the streams are known.
    pub(crate) fn load_places(&mut self) {
        self.bookmarks.entries.clone_from(&self.kept.now.bookmarks);
        let names = self.kept.now.trail.iter().filter_map(|entry| entry.stream.as_ref());
        let streams = self.streams_called(names);
        let spots = self.kept.now.trail.iter().filter_map(|entry| {
            let Place { stream, count } = self.place_of_entry(entry, &streams)?;
            Some(self.spot_at(stream, count))
        });
        let spots = spots.collect();
        self.trail.load(spots);
        self.find_bookmarks();
    }

    /// Looks up where the bookmarks lie; the index may be another than before.
    pub(crate) fn find_bookmarks(&mut self) {
        let entries = &self.bookmarks.entries;
        let streams = self.streams_called(entries.iter().filter_map(|entry| entry.place.stream.as_ref()));
        let places: Vec<Option<Place>> =
            entries.iter().map(|entry| self.place_of_entry(&entry.place, &streams)).collect();
        let rows = entries.iter().zip(&places).map(|(entry, place)| {
            let trouble = match (place, &entry.place.stream) {
                (Some(_), _) => None,
                (None, Some(name)) if !streams.contains_key(name) => {
                    Some("This stream is not in the store any more".to_owned())
                }
                (None, _) => Some("This event is not in the store any more".to_owned()),
            };
            PlaceRow { trouble, ..self.place_row(&entry.place, *place, &entry.note) }
        });
        let rows: Arc<[PlaceRow]> = rows.collect();
        self.bookmarks.rows = rows;
        self.bookmarks.places = places;
    }

    /// Where a kept place lies now: by its version if it has one, else by its count.
    fn place_of_entry(&self, entry: &PlaceEntry, streams: &BTreeMap<Arc<str>, u32>) -> Option<Place> {
        let index = self.index.as_ref()?;
        let Some(name) = &entry.stream else {
            return (entry.count <= index.len()).then_some(Place { stream: None, count: entry.count });
        };
        let stream = *streams.get(name)?;
        let version_at = |count: usize| {
            self.truth(stream, |truth| truth.name(count)).flatten().and_then(|event| event.head.version)
        };
        let is_there = |count: &usize| version_at(*count).map(|version| version.0) == entry.version;
        let length = index.stream_events(stream).len();
        let by_version = || {
            let version = StreamVersion(entry.version?);
            self.truth(stream, |truth| truth.count_of_version(version)).flatten()
        };
        let count =
            Some(entry.count).filter(|count| *count <= length).filter(is_there).or_else(by_version)?;
        Some(Place { stream: Some(stream), count })
    }

    fn entry_of_place(&self, place: Place) -> PlaceEntry {
        let index = self.index.as_ref();
        let stream = place.stream.and_then(|stream| Some(index?.stream(stream)?.name.full()));
        let version = place
            .stream
            .and_then(|stream| self.truth(stream, |truth| truth.name(place.count)).flatten()?.head.version);
        PlaceEntry { stream, count: place.count, version: version.map(|version| version.0) }
    }

    /// Where the cursor stands, as a place of the truth.
    fn place_here(&self) -> Option<Place> {
        self.index.as_ref()?;
        Some(if self.is_on_stream() {
            let count = self.what_if.truth_count(self.cursor.count);
            Place { stream: self.browse.focus, count }
        } else {
            Place { stream: None, count: self.here() }
        })
    }

    fn bookmark_here(&self) -> Option<usize> {
        let here = self.place_here()?;
        self.bookmarks.places.iter().position(|place| *place == Some(here))
    }

    fn toggle_bookmark(&mut self) -> Vec<Job> {
        if let Some(place) = self.bookmark_here() {
            return self.remove_bookmark(place);
        }
        let Some(here) = self.place_here() else { return Vec::new() };
        let entry = BookmarkEntry { place: self.entry_of_place(here), note: "".into() };
        let key = |entry: &BookmarkEntry| (entry.place.stream.clone(), entry.place.count);
        let at = self.bookmarks.entries.partition_point(|other| key(other) <= key(&entry));
        self.bookmarks.entries.insert(at, entry);
        self.keep_bookmarks()
    }

    fn remove_bookmark(&mut self, place: usize) -> Vec<Job> {
        if place >= self.bookmarks.entries.len() {
            return Vec::new();
        }
        let entry = self.bookmarks.entries.remove(place);
        self.bookmarks.removed.push((place, entry));
        self.keep_bookmarks()
    }

    fn bring_back(&mut self) -> Vec<Job> {
        let Some((place, entry)) = self.bookmarks.removed.pop() else { return Vec::new() };
        let place = place.min(self.bookmarks.entries.len());
        self.bookmarks.entries.insert(place, entry);
        self.keep_bookmarks()
    }

    fn keep_bookmarks(&mut self) -> Vec<Job> {
        self.kept.now.bookmarks.clone_from(&self.bookmarks.entries);
        self.find_bookmarks();
        self.place_ticks();
        self.keep_trail();
        self.keep_job().into_iter().collect()
    }

    fn turn_to_bookmark(&mut self, is_forward: bool, notices: &mut Notices) -> Vec<Job> {
        let Some(here) = self.place_here() else { return Vec::new() };
        let counts = self.bookmarks.ticks(here.stream).into_iter();
        let found = if is_forward {
            counts.filter(|count| *count > here.count).min()
        } else {
            counts.filter(|count| *count < here.count).max()
        };
        match found {
            Some(count) => self.jump_to(Some(Place { count, ..here }), notices),
            None => {
                let (way, other) = if is_forward { ("after", "before") } else { ("before", "after") };
                notices.warning(
                    format!("There is no bookmark {way} this place"),
                    "",
                    format!("There may be one {other} it; Ctrl+D keeps a place"),
                );
                Vec::new()
            }
        }
    }

    fn jump_to(&mut self, place: Option<Place>, notices: &mut Notices) -> Vec<Job> {
        let Some(Place { stream, count }) = place else {
            notices.warning("This place is not in the store any more", "", "");
            return Vec::new();
        };
        self.jump_to_spot(Spot { focus: stream, only_focus: stream.is_some(), ..self.spot_at(stream, count) })
    }

    /// The place of a spot in the recorded events.
    fn spot_at(&self, stream: Option<u32>, count: usize) -> Spot {
        let ordinal = match stream {
            Some(stream) => self.ordinal_in_stream(stream, count),
            None => count.checked_sub(1).and_then(|ordinal| u32::try_from(ordinal).ok()),
        };
        Spot { focus: stream, only_focus: stream.is_some(), ordinal, count, branch: None }
    }

    /// The place of a spot among the recorded events.
    fn place_of_spot(&self, spot: &Spot) -> Place {
        let count = match spot.focus {
            // On a branch the count is the branch's; the event is the recorded one beside it.
            Some(stream) => spot.ordinal.map_or(0, |ordinal| self.count_in_stream(stream, ordinal)),
            None => spot.ordinal.map_or(0, |ordinal| ordinal as usize + 1),
        };
        Place { stream: spot.focus, count }
    }

    /// Keeps the trail, if there is a file for it already: mere looking leaves none behind.
    pub(crate) fn keep_trail(&mut self) {
        if !self.kept.has_file() || self.index.is_none() {
            return;
        }
        let mut spots: Vec<Spot> = self.trail.latest().take(TRAIL_KEPT).collect();
        spots.reverse();
        self.kept.now.trail =
            spots.iter().map(|spot| self.entry_of_place(self.place_of_spot(spot))).collect();
    }

    pub(crate) fn bookmarks_view(&self) -> BookmarksView {
        let trail = self.trail.latest().take(TRAIL_SHOWN).map(|spot| {
            let place = self.place_of_spot(&spot);
            let branch = spot.branch.and_then(|branch| self.what_if.name_of(branch));
            let note = branch.map(|name| format!("what-if: {name}").into()).unwrap_or_default();
            self.place_row(&self.entry_of_place(place), Some(place), &note)
        });
        BookmarksView {
            rows: Arc::clone(&self.bookmarks.rows),
            trail: trail.collect(),
            here: self.bookmark_here(),
            can_add: self.index.is_some(),
            undo: self.bookmarks.removed.last().map(|(_, entry)| {
                let stream = entry.place.stream.clone().unwrap_or_else(|| "the whole store".into());
                if entry.note.is_empty() { stream.to_string() } else { entry.note.to_string() }
            }),
        }
    }

    fn place_row(&self, entry: &PlaceEntry, place: Option<Place>, note: &Arc<str>) -> PlaceRow {
        let row = place.filter(|place| place.count > 0).and_then(|place| {
            let ordinal = match place.stream {
                Some(stream) => self.ordinal_in_stream(stream, place.count),
                None => u32::try_from(place.count - 1).ok(),
            };
            self.index.as_ref()?.row(ordinal?)
        });
        PlaceRow {
            place: match (entry.version, entry.count) {
                (_, 0) => "the start".to_owned(),
                (Some(version), _) => format!("v{version}"),
                (None, count) => format!("event {count}"),
            },
            stream: entry.stream.clone().unwrap_or_default(),
            time: row.and_then(|row| row.time).map(|time| time.to_display(self.zone)).unwrap_or_default(),
            note: Arc::clone(note),
            trouble: None,
        }
    }
}

/// Places of the trail that are kept between runs.
const TRAIL_KEPT: usize = 50;
