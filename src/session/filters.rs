//! Which events are listed, and in which order.

use std::sync::Arc;

use crate::{
    model::{EventQuery, StreamName, Timestamp, Zone},
    session::{
        action::{BrowseAction, EventOrder},
        job::{Job, Question, Slot},
        opened::Opened,
        view::{FilterView, TypeView},
    },
    store::index::{Index, TypeInfo},
};

/// The filters of the events panel, other than the chosen stream, and the order.
#[derive(Default)]
pub(crate) struct Filters {
    /// `Some(None)` wants the events of streams that have no category.
    pub(crate) category: Option<Option<Arc<str>>>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) order: EventOrder,
    hidden_types: Vec<Arc<str>>,
}

impl Filters {
    pub(crate) fn toggle_type(&mut self, name: Arc<str>) {
        match self.hidden_types.iter().position(|other| *other == name) {
            Some(place) => drop(self.hidden_types.swap_remove(place)),
            None => self.hidden_types.push(name),
        }
    }

    pub(crate) fn show_all_types(&mut self) {
        self.hidden_types.clear();
    }

    fn show_only_type(&mut self, name: &str, types: &[TypeInfo]) {
        let others = types.iter().filter(|other| &*other.name != name);
        self.hidden_types = others.map(|other| Arc::clone(&other.name)).collect();
    }

    /// Takes every filter off; the order stays.
    fn clear(&mut self) {
        *self = Self { order: self.order, ..Self::default() };
    }

    fn query(&self, stream: Option<Arc<StreamName>>, types: &[TypeInfo]) -> EventQuery {
        let shown = types.iter().filter(|kind| self.shows(kind)).map(|kind| Arc::clone(&kind.name));
        EventQuery {
            stream,
            category: self.category.clone(),
            // An empty list wants all types, also those that are still to come.
            types: if self.hidden_types.is_empty() { Vec::new() } else { shown.collect() },
            after: None,
            from: self.from,
            to: self.to,
        }
    }

    fn shows(&self, kind: &TypeInfo) -> bool {
        !self.hidden_types.contains(&kind.name)
    }

    /// The filters in force, for events of `stream` only where it is set, in a store of so many types.
    fn views(&self, stream: Option<&str>, types: usize, zone: Zone) -> Vec<FilterView> {
        let mut views = Vec::new();
        let mut add = |text: String, remove: BrowseAction| views.push(FilterView { text, remove });
        if let Some(name) = stream {
            add(format!("stream {name}"), BrowseAction::ClearStream);
        }
        if let Some(category) = &self.category {
            let name = category.as_deref().unwrap_or("(none)");
            add(format!("category {name}"), BrowseAction::FilterCategory(None));
        }
        if !self.hidden_types.is_empty() {
            let shown = types.saturating_sub(self.hidden_types.len());
            add(format!("{shown} of {types} types"), BrowseAction::ClearTypes);
        }
        if let Some(from) = self.from {
            add(format!("from {}", from.to_display(zone)), BrowseAction::FilterFrom(None));
        }
        if let Some(to) = self.to {
            add(format!("to {}", to.to_display(zone)), BrowseAction::FilterTo(None));
        }
        views
    }
}

impl Opened {
    /// Changes the filters, and asks which events pass.
    pub(crate) fn filter_events(&mut self, change: impl FnOnce(&mut Filters)) -> Vec<Job> {
        change(&mut self.browse.filters);
        self.listing_job().into_iter().collect()
    }

    pub(crate) fn show_only_type(&mut self, name: &str) -> Vec<Job> {
        let index = self.index.clone();
        let types = index.as_ref().map(|index| index.types()).unwrap_or_default();
        self.filter_events(|filters| filters.show_only_type(name, types))
    }

    /// The chosen stream stays chosen, but the events of all streams are listed.
    pub(crate) fn clear_filters(&mut self) -> Vec<Job> {
        self.browse.only_focus = false;
        self.filter_events(Filters::clear)
    }

    /// What the filters in force ask for.
    pub(crate) fn filter_query(&self, index: &Index) -> EventQuery {
        self.browse.filters.query(self.only_stream(index), index.types())
    }

    /// Asks which events pass the filters.
    pub(crate) fn listing_job(&self) -> Option<Job> {
        let index = Arc::clone(self.index.as_ref()?);
        let Filters { order, .. } = self.browse.filters;
        let query = self.filter_query(&index);
        Some(Job { slot: Slot::Listing, question: Question::Listing { index, query, order } })
    }

    /// The stream whose events alone are listed.
    fn only_stream(&self, index: &Index) -> Option<Arc<StreamName>> {
        let stream = self.browse.focus.filter(|_| self.browse.only_focus)?;
        index.streams().get(stream as usize).map(|info| Arc::clone(&info.name))
    }

    pub(crate) fn filter_views(&self) -> Vec<FilterView> {
        let stream = self.focus_name().filter(|_| self.browse.only_focus);
        let types = self.index.as_ref().map_or(0, |index| index.types().len());
        self.browse.filters.views(stream.as_deref(), types, self.zone)
    }

    pub(crate) fn type_views(&self) -> Vec<TypeView> {
        let types = self.index.iter().flat_map(|index| index.types());
        let view = |kind: &TypeInfo| TypeView {
            name: Arc::clone(&kind.name),
            events: kind.events,
            is_shown: self.browse.filters.shows(kind),
        };
        types.map(view).collect()
    }
}
