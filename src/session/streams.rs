//! The tree of streams: its filter and order, which categories are open, and how many events each
//! stream has at the cursor.

use std::sync::Arc;

use crate::{
    model::TextFilter,
    session::{
        action::StreamSort,
        job::{Job, Question, Slot},
        opened::Opened,
        stream_lines::StreamLines,
        view::{StreamLine, StreamsView, grouped},
    },
    store::index::Index,
};

/// What the streams panel shows.
pub(crate) struct Streams {
    filter: String,
    filter_error: Option<String>,
    sort: StreamSort,
    is_descending: bool,
    opened_all: bool,
    /// Categories that are not as `opened_all` says.
    toggled: Vec<Option<Arc<str>>>,
    lines: Arc<Vec<StreamLine>>,
    /// How many streams pass the filter.
    /// How many pass the filter; `None` until the first lines are made.
    passing: Option<usize>,
    /// Events of each stream up to the cursor; `None` while it stands at the end.
    as_of: Option<Arc<Vec<u32>>>,
}

impl Streams {
    pub(crate) fn sorted_by(sort: StreamSort) -> Self {
        Self {
            filter: String::new(),
            filter_error: None,
            sort,
            is_descending: false,
            opened_all: true,
            toggled: Vec::new(),
            lines: Arc::default(),
            passing: None,
            as_of: None,
        }
    }

    pub(crate) fn sort(&self) -> StreamSort {
        self.sort
    }

    /// A filter that cannot be read is kept as typed, with what is wrong, until it can be.
    pub(crate) fn filter_by(&mut self, text: String) {
        self.filter_error = TextFilter::parse(&text).err().map(|err| err.to_string());
        self.filter = text;
    }

    /// The same order again turns it round.
    pub(crate) fn sort_by(&mut self, sort: StreamSort) {
        self.is_descending = self.sort == sort && !self.is_descending;
        self.sort = sort;
    }

    pub(crate) fn toggle_category(&mut self, name: Option<Arc<str>>) {
        match self.toggled.iter().position(|other| *other == name) {
            Some(place) => drop(self.toggled.swap_remove(place)),
            None => self.toggled.push(name),
        }
    }

    pub(crate) fn open_all(&mut self, opened: bool) {
        self.opened_all = opened;
        self.toggled.clear();
    }

    pub(crate) fn take_lines(&mut self, lines: Vec<StreamLine>, passing: usize) {
        self.lines = Arc::new(lines);
        self.passing = Some(passing);
    }

    pub(crate) fn take_as_of(&mut self, counts: Option<Vec<u32>>) {
        self.as_of = counts.map(Arc::new);
    }

    /// What the lines are made of; nothing while the filter cannot be read, so that the last good lines stay.
    fn wanted_lines(&self, index: &Arc<Index>) -> Option<StreamLines> {
        Some(StreamLines {
            index: Arc::clone(index),
            filter: TextFilter::parse(&self.filter).ok()?,
            sort: self.sort,
            is_descending: self.is_descending,
            toggled: self.toggled.clone(),
            opened_all: self.opened_all,
        })
    }
}

impl Opened {
    /// Changes how the streams are listed, and asks for their lines.
    pub(crate) fn arrange_streams(&mut self, change: impl FnOnce(&mut Streams)) -> Vec<Job> {
        change(&mut self.browse.streams);
        self.lines_job().into_iter().collect()
    }

    /// Asks for the lines of the streams panel.
    pub(crate) fn lines_job(&self) -> Option<Job> {
        let lines = self.browse.streams.wanted_lines(self.index.as_ref()?)?;
        Some(Job { slot: Slot::Streams, question: Question::Streams(lines) })
    }

    pub(crate) fn streams_view(&self) -> StreamsView {
        let streams = &self.browse.streams;
        StreamsView {
            lines: Arc::clone(&streams.lines),
            filter: streams.filter.clone(),
            filter_error: streams.filter_error.clone(),
            sort: streams.sort,
            is_descending: streams.is_descending,
            chosen: self.browse.focus,
            summary: self.streams_summary(),
            is_stopped: self.is_stopped(),
            is_counting: self.browse.is_counting
                || (self.index.is_some() && self.browse.streams.passing.is_none()),
            as_of: streams.as_of.clone(),
            index: self.index.clone(),
            zone: self.zone,
        }
    }

    /// "12 of 48 streams".
    fn streams_summary(&self) -> String {
        let Some(index) = &self.index else {
            let words = if self.browse.is_counting { "Counting…" } else { "Not counted" };
            return words.to_owned();
        };
        let total = index.streams().len();
        let words = match self.browse.streams.passing {
            Some(passing) if passing != total => {
                format!("{} of {} streams", grouped(passing as u64), grouped(total as u64))
            }
            Some(_) | None => format!("{} streams", grouped(total as u64)),
        };
        if self.is_index_part { format!("{words} so far") } else { words }
    }
}
