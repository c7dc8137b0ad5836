//! What the snapshots of a table are like, so that a new one is written as they are.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::Payload,
    store::{
        EventStore, StoreResult,
        read::Onward,
        snapshots::{SnapshotPlace, VisitedSnapshot},
    },
    work::Work,
};

/// What the snapshots of one table are like. However many there are, two states are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Habits {
    /// All of them.
    pub(super) all: Alike,
    /// Those of the category that is asked about.
    of_category: Alike,
    /// Whether the table tells categories.
    knows_categories: bool,
}

/// What snapshots have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Alike {
    /// The label of the first.
    pub(super) label: Option<Arc<str>>,
    /// Whether others have others.
    pub(super) has_several_labels: bool,
    /// The first whose state can be read.
    readable: Option<Payload>,
    /// The last, and where it stands.
    place: Option<SnapshotPlace>,
    last: Option<Payload>,
}

impl Habits {
    /// What the tables of a store are like, by name; with an eye on the snapshots of one category.
    pub(super) fn of_tables(
        store: &dyn EventStore,
        category: Option<&Arc<str>>,
        work: &Work,
    ) -> StoreResult<BTreeMap<Arc<str>, Self>> {
        let mut tables: BTreeMap<Arc<str>, Self> = BTreeMap::new();
        store.visit_snapshots(work, None, &mut |visited| {
            let of_table = tables.entry(Arc::clone(&visited.head.table)).or_default();
            let own = visited.head.stream.as_ref().and_then(|name| name.category.as_ref());
            of_table.knows_categories |= own.is_some();
            of_table.all.take(visited);
            if own == category {
                of_table.of_category.take(visited);
            }
            Onward::On
        })?;
        for of_table in tables.values_mut() {
            of_table.all.look_at_last(store, work)?;
            of_table.of_category.look_at_last(store, work)?;
        }
        Ok(tables)
    }

    /// The snapshots of the same category; all, where the table does not tell categories.
    pub(super) fn alike(&self) -> &Alike {
        if self.knows_categories { &self.of_category } else { &self.all }
    }

    /// Whether streams are named by their ids alone.
    pub(super) fn hold_ids(&self) -> bool {
        !self.all.is_empty() && !self.knows_categories
    }
}

impl Alike {
    fn take(&mut self, visited: &VisitedSnapshot<'_>) {
        let label = &visited.head.label;
        if self.is_empty() {
            self.label.clone_from(label);
        }
        self.has_several_labels |= self.label != *label;
        self.place = Some(visited.place.clone());
        if self.readable.is_none() {
            self.readable = Some(visited.decoded().state).filter(|state| state.decoded.is_ok());
        }
    }

    /// The newest shows best how states are written today.
    fn look_at_last(&mut self, store: &dyn EventStore, work: &Work) -> StoreResult<()> {
        if let Some(place) = &self.place {
            let found = store.fetch_snapshots(work, std::slice::from_ref(place))?;
            self.last = found.into_iter().next().flatten().map(|snapshot| snapshot.state);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.place.is_none()
    }

    /// The state that a new one is written like: the last if it can be read, or else the first that can.
    pub(super) fn pattern(&self) -> Option<&Payload> {
        let last = self.last.as_ref();
        last.filter(|state| state.decoded.is_ok()).or(self.readable.as_ref()).or(last)
    }
}
