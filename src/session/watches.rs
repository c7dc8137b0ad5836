//! Watches: paths and expressions followed over the whole history.
//!
//! The list itself is a part of the project file; what was found along the history of the chosen
//! stream is in [`crate::session::watched`].

use std::sync::Arc;

use crate::{
    model::Pointer,
    project::sections::WatchEntry,
    replay::Probe,
    session::{
        action::Action,
        job::Job,
        notice::{Notices, fault_words},
        opened::Opened,
        view::{WatchView, WatchesView},
        watched::Watched,
    },
    work::estimate::Task,
};

pub use crate::session::watched::{WatchAnswer, WatchQuestion};

/// Watched paths and expressions. Places are those of [`WatchView::place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchAction {
    /// Follows this.
    Add(Probe),
    /// Follows what was typed: a path or an expression.
    AddTyped(String),
    /// Gives the watch at this place a name; an empty one takes it away.
    Rename(usize, String),
    /// Takes the watch at this place away.
    Remove(usize),
    /// Brings back what was taken away last.
    Restore,
    /// Moves the watch at this place by so many watches, negative up.
    Move(usize, isize),
    /// Gives the watch at this place a column of the event table, or takes it away.
    ToggleColumn(usize),
    /// Goes on with what was stopped.
    GoOn,
    /// Stands behind so many events of the chosen stream.
    GoTo(usize),
}

/// What is known.
#[derive(Default)]
pub(crate) struct Watches {
    pub(crate) watched: Watched,
    removed: Option<(usize, WatchEntry)>,
}

/// What an entry asks; nothing if it cannot be read.
pub(crate) fn probe_of(entry: &WatchEntry) -> Option<Probe> {
    match entry {
        WatchEntry { path: Some(path), .. } => Pointer::parse(path).map(Probe::State),
        WatchEntry { data: Some(path), .. } => Pointer::parse(path).map(Probe::Event),
        WatchEntry { expression: Some(text), .. } => Some(Probe::Expression(Arc::clone(text))),
        WatchEntry { path: None, data: None, expression: None, .. } => None,
    }
}

fn entry_of(probe: &Probe, category: Option<Arc<str>>) -> WatchEntry {
    let entry = WatchEntry { category, ..WatchEntry::default() };
    match probe {
        Probe::State(path) => WatchEntry { path: Some(path.to_string().into()), ..entry },
        Probe::Event(path) => WatchEntry { data: Some(path.to_string().into()), ..entry },
        Probe::Expression(text) => WatchEntry { expression: Some(Arc::clone(text)), ..entry },
    }
}

/// What an entry follows, as it is shown.
fn text_of(entry: &WatchEntry) -> String {
    match (probe_of(entry), entry) {
        (Some(probe), _) => probe.to_string(),
        (None, WatchEntry { path: Some(path), .. }) => path.to_string(),
        (None, WatchEntry { data: Some(path), .. }) => format!("event:{path}"),
        (None, _) => String::new(),
    }
}

fn name_of(entry: &WatchEntry) -> String {
    if entry.name.is_empty() { text_of(entry) } else { entry.name.to_string() }
}

/// Whether what is kept for one category, or for all, concerns the category that is looked at, if
/// one is; the empty name stands for streams without one.
pub(crate) fn is_for(own: Option<&str>, category: Option<&Option<Arc<str>>>) -> bool {
    let is_own =
        |category: &Option<Arc<str>>| own.is_none_or(|own| own == category.as_deref().unwrap_or_default());
    category.is_none_or(is_own)
}

impl Opened {
    /// Answers what the user asked for.
    pub(crate) fn apply_watches(&mut self, action: WatchAction, notices: &mut Notices) -> Vec<Job> {
        let mut jobs = match action {
            WatchAction::Add(probe) => {
                // Asked for in another panel; this one may lie behind others.
                notices.info(format!("{probe} is followed in the panel Watches"));
                self.add_watch(&probe, notices)
            }
            WatchAction::AddTyped(text) => match Probe::typed(&text) {
                Some(probe) => self.add_watch(&probe, notices),
                None => Vec::new(),
            },
            WatchAction::Rename(place, name) => {
                if let Some(entry) = self.kept.now.watches.get_mut(place) {
                    entry.name = name.trim().into();
                }
                Vec::new()
            }
            WatchAction::Remove(place) => self.remove_watch(place, notices),
            WatchAction::Restore => self.restore_watch(),
            WatchAction::Move(place, by) => {
                self.move_watch(place, by);
                Vec::new()
            }
            WatchAction::ToggleColumn(place) => {
                if let Some(entry) = self.kept.now.watches.get_mut(place) {
                    entry.column = !entry.column;
                }
                self.watch_cells_job().into_iter().collect()
            }
            WatchAction::GoOn => self.go_on_watching(),
            WatchAction::GoTo(count) => self.stand_behind(count),
        };
        jobs.extend(self.keep_job());
        jobs
    }

    fn add_watch(&mut self, probe: &Probe, notices: &mut Notices) -> Vec<Job> {
        if self.watched_entries().any(|(_, entry)| probe_of(entry).as_ref() == Some(probe)) {
            notices.info(format!("{probe} is watched already"));
            return Vec::new();
        }
        let category = self.focus_category().map(Option::unwrap_or_default);
        self.kept.now.watches.push(entry_of(probe, category));
        self.follow_watches()
    }

    fn remove_watch(&mut self, place: usize, notices: &mut Notices) -> Vec<Job> {
        if place >= self.kept.now.watches.len() {
            return Vec::new();
        }
        let entry = self.kept.now.watches.remove(place);
        let title = format!("{} is not watched any more", text_of(&entry));
        notices.undoable(title, Action::Watches(WatchAction::Restore));
        self.watches.removed = Some((place, entry));
        self.follow_watches()
    }

    fn restore_watch(&mut self) -> Vec<Job> {
        let Some((place, entry)) = self.watches.removed.take() else { return Vec::new() };
        let place = place.min(self.kept.now.watches.len());
        self.kept.now.watches.insert(place, entry);
        self.follow_watches()
    }

    /// Watches of other categories lie between those that are seen, and keep their order.
    fn move_watch(&mut self, place: usize, by: isize) {
        let seen: Vec<usize> = self.watched_entries().map(|(place, _)| place).collect();
        let target = seen.iter().position(|other| *other == place).and_then(|own| {
            let target = own.saturating_add_signed(by).min(seen.len() - 1);
            seen.get(target).copied()
        });
        if let Some(target) = target {
            let entry = self.kept.now.watches.remove(place);
            self.kept.now.watches.insert(target, entry);
        }
    }

    /// The category of the chosen stream: `Some(None)` if it has none.
    pub(crate) fn focus_category(&self) -> Option<Option<Arc<str>>> {
        let info = self.index.as_ref()?.stream(self.browse.focus?)?;
        Some(info.name.category.clone())
    }

    /// The watches for the chosen stream's category, each with its place in the whole list.
    pub(crate) fn watched_entries(&self) -> impl Iterator<Item = (usize, &WatchEntry)> {
        let category = self.focus_category();
        let entries = self.kept.now.watches.iter().enumerate();
        entries.filter(move |(_, entry)| is_for(entry.category.as_deref(), category.as_ref()))
    }

    /// The watches that have a column of the event table: what they follow, and their names.
    pub(crate) fn watch_columns(&self) -> Vec<(String, String)> {
        if !self.has_stream() {
            return Vec::new();
        }
        let columns = self.watched_entries().filter(|(_, entry)| entry.column);
        columns.map(|(_, entry)| (text_of(entry), name_of(entry))).collect()
    }

    pub(crate) fn watches_view(&self) -> WatchesView {
        let watched = &self.watches.watched;
        WatchesView {
            stream: self.focus_name().unwrap_or_default(),
            rows: self.watched_entries().map(|(place, entry)| self.watch_view(place, entry)).collect(),
            events: watched.events(),
            here: self.cursor.count,
            progress: watched.progress_words(),
            is_stopped: watched.is_stopped(),
            estimate: self.words_of_stream(Task::Follow),
        }
    }

    fn watch_view(&self, place: usize, entry: &WatchEntry) -> WatchView {
        let probe = probe_of(entry);
        let text = text_of(entry);
        let name = name_of(entry);
        let mut view = WatchView { place, name, text, is_column: entry.column, ..WatchView::default() };
        let Some(probe) = probe else {
            view.reason = Some("this is no path: it has to start with /".into());
            return view;
        };
        if let Some(value) = self.watches.watched.value(&probe) {
            view.before.clone_from(&value.before);
            view.value = Arc::clone(&value.after);
            view.reason.clone_from(&value.reason);
        }
        if let Some((series, sketch, is_old)) = self.watches.watched.series(&probe) {
            view.fault = series.fault().map(fault_words);
            view.series = Arc::clone(series);
            view.sketch = Arc::clone(sketch);
            view.is_old = is_old;
        }
        view
    }
}
