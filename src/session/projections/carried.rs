//! A store that is read afresh: what was rebuilt before stays, if the store still has the events it was made of.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    session::{job::Job, notice::Notices, opened::Opened, projections::runs::Run, view::Stage},
    store::layout::{EventsTable, Layout},
};

/// What was rebuilt of a store, while the store is opened again.
pub(crate) struct Carried {
    path: PathBuf,
    layout: Arc<Layout>,
    runs: BTreeMap<Arc<str>, Run>,
    next_number: u16,
    chosen: Option<Arc<str>>,
}

impl Carried {
    /// Whether it belongs to the store in this file.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        self.path == path
    }
}

impl Opened {
    /// Hands over what was rebuilt; this store is about to be closed.
    pub(crate) fn carry(&mut self) -> Carried {
        Carried {
            path: self.path.clone(),
            layout: Arc::clone(&self.layout),
            runs: std::mem::take(&mut self.projections.runs),
            next_number: self.projections.next_number,
            chosen: self.projections.chosen.clone(),
        }
    }

    /// Takes over what was rebuilt before this store was read afresh, and has it checked.
    pub(crate) fn take_up(&mut self, carried: Carried, notices: &mut Notices) -> Vec<Job> {
        // Answers to the store before must find no run of this one.
        self.projections.next_number = carried.next_number;
        self.projections.asked_for = carried.chosen;
        if !are_read_alike(&carried.layout.events, &self.layout.events) {
            if !carried.runs.is_empty() {
                let why = "The store is read in another way than before";
                notices.warning("What was rebuilt is gone", why, "Rebuild it");
            }
            return Vec::new();
        }
        let was_begun = |run: &Run| run.stage != Stage::Queued || run.model().is_some();
        self.projections.runs = carried.runs.into_iter().filter(|(_, run)| was_begun(run)).collect();
        for run in self.projections.runs.values_mut() {
            run.stage = Stage::Checking;
        }
        let jobs = self.check_jobs();
        self.arrange_projections();
        jobs
    }

    /// What was made of other events than the store has now is thrown away.
    pub(super) fn drop_void(&mut self, number: u16, notices: &mut Notices) -> Vec<Job> {
        let found = self.projections.runs.iter().find(|(_, run)| run.number == number);
        if let Some(name) = found.map(|(name, _)| Arc::clone(name)) {
            self.projections.runs.remove(&name);
            if self.projections.chosen.as_ref() == Some(&name) {
                self.forget_model_rows();
            }
            let why = "The events that it was made of are others in the store now";
            notices.warning(format!("What was rebuilt of {name} is gone"), why, "Rebuild it");
        }
        self.start_queued()
    }
}

/// Whether the same events come of both readings, whatever speaks for them.
fn are_read_alike(one: &EventsTable, other: &EventsTable) -> bool {
    let from =
        |events: &EventsTable| (Arc::clone(&events.table), events.archives.clone(), events.joins.clone());
    let roles = one.roles.len() == other.roles.len()
        && one.roles.iter().all(|(role, mapping)| {
            let other = other.roles.get(role);
            other.is_some_and(|other| other.source == mapping.source && other.form == mapping.form)
        });
    roles
        && from(one) == from(other)
        && one.order.columns == other.order.columns
        && one.unwrap == other.unwrap
}
