//! Opening, closing, settings: what concerns the window as a whole.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::open::{OpenError, Opening},
    session::{
        Place, Session,
        action::ShellAction,
        info::table_row,
        job::{Job, Question, Slot},
        mapping::Mapping,
        opened::Opened,
        origin::Origin,
        view::{NoEventsView, RecentView, Screen, View, grouped},
    },
};

impl Session {
    pub(crate) fn apply_shell(&mut self, action: ShellAction) -> Vec<Job> {
        match action {
            ShellAction::Open(path) => self.open(path),
            ShellAction::OpenSample => {
                vec![Job { slot: Slot::Sample, question: Question::Sample(self.sample.clone()) }]
            }
            ShellAction::Close => {
                let jobs = self.parting_jobs();
                self.leave_for(Place::Welcome);
                self.mapping = None;
                jobs
            }
            ShellAction::Reload => match &mut self.place {
                Place::Store(store) => {
                    let (path, carried) = (store.path.clone(), store.carry());
                    let jobs = self.open(path);
                    self.carried = Some(carried);
                    jobs
                }
                Place::NoEvents(view) => {
                    let path = view.path.clone();
                    self.open(path)
                }
                Place::Welcome | Place::Opening(_) => Vec::new(),
            },
            ShellAction::Forget(path) => {
                self.workspace.recent.retain(|other| *other != path);
                Vec::new()
            }
            ShellAction::SetZone(zone) => {
                self.workspace.zone = zone;
                self.with_store(|store, _| store.set_zone(zone))
            }
            ShellAction::SetTheme(theme) => {
                self.workspace.theme = theme;
                Vec::new()
            }
            ShellAction::Dismiss(id) => {
                self.notices.dismiss(id);
                Vec::new()
            }
            // The window stops the jobs; what they would have brought is simply not there.
            ShellAction::CancelWork => {
                if matches!(self.place, Place::Opening(_)) {
                    self.place = Place::Welcome;
                }
                self.with_store(|store, _| store.work_stopped())
            }
            ShellAction::GoOnIndexing => self.with_store(|store, _| store.go_on_indexing()),
            ShellAction::Back => self.with_store(|store, _| store.go_back()),
            ShellAction::Forward => self.with_store(|store, _| store.go_forward()),
        }
    }

    pub(crate) fn open(&mut self, path: PathBuf) -> Vec<Job> {
        let mut jobs = self.parting_jobs();
        self.leave_for(Place::Opening(path.clone()));
        self.mapping = None;
        self.carried = None;
        let question = Question::Open { path, project: self.project.clone() };
        jobs.push(Job { slot: Slot::Open, question });
        jobs
    }

    /// Goes elsewhere; what is known of a store is let go of by a job.
    fn leave_for(&mut self, place: Place) {
        let is_left = match (&self.place, &place) {
            (Place::Store(_), _) | (Place::Opening(_), Place::Opening(_) | Place::Welcome) => true,
            (Place::Opening(_) | Place::Welcome | Place::NoEvents(_), _) => false,
        };
        if is_left {
            self.asked.leave();
        }
        if let Place::Store(store) = std::mem::replace(&mut self.place, place) {
            self.discards.put(store);
        }
    }

    /// Opens the store again, since it does not hold what was indexed, or what the cache had of it.
    pub(crate) fn open_without_cache(&mut self, ordinal: u32) -> Vec<Job> {
        let Place::Store(store) = &self.place else { return Vec::new() };
        let path = store.path.clone();
        let event = grouped(u64::from(ordinal) + 1);
        self.notices.warning(
            format!("{} was changed in its past", file_name(&path)),
            format!("From event {event} on it holds other events than when Timeglass saw it last"),
            "It was read anew; what was shown before may have been wrong",
        );
        self.distrusted = Some(path.clone());
        self.open(path)
    }

    pub(crate) fn opened(&mut self, opening: Opening) -> Vec<Job> {
        let carried = self.carried.take();
        match opening {
            Opening::NoEvents { path, nearest, tables, warnings } => {
                for warning in warnings {
                    self.notices.warning(warning, "", "");
                }
                self.workspace.remember(&path);
                self.leave_for(Place::NoEvents(Arc::new(NoEventsView {
                    path,
                    nearest: nearest.as_ref().map(|candidate| Arc::clone(&candidate.table)),
                    shortfalls: nearest.map(|candidate| candidate.shortfalls).unwrap_or_default(),
                    tables: tables.iter().map(|table| table_row(table, None)).collect(),
                })));
                Vec::new()
            }
            Opening::Store(found) => {
                self.workspace.remember(&found.path);
                for warning in &found.warnings {
                    self.notices.warning(warning.clone(), "", "");
                }
                if let Some(saved) = &found.saved_to {
                    self.notices.info(format!("The layout is kept in {}", saved.display()));
                }
                let is_uncertain = found.is_uncertain;
                let path = found.path.clone();
                let is_distrusted = self.distrusted.take().is_some_and(|other| other == path);
                let origin = Origin::new(self.cache(), is_distrusted);
                let (mut store, mut jobs) =
                    Opened::new(*found, self.project.clone(), &self.workspace, origin);
                if let Some(carried) = carried.filter(|carried| carried.is_of(&path)) {
                    jobs.extend(store.take_up(carried, &mut self.notices));
                }
                self.leave_for(Place::Store(Box::new(store)));
                if is_uncertain {
                    self.mapping = Some(Mapping::of(path.clone()));
                    jobs.push(Job { slot: Slot::Preview, question: Question::Preview(path, None) });
                }
                jobs
            }
        }
    }

    pub(crate) fn open_failed(&mut self, path: &Path, err: &OpenError) -> Vec<Job> {
        if matches!(&self.place, Place::Opening(opening) if opening == path) {
            self.place = Place::Welcome;
        }
        self.notices.open_error(err);
        Vec::new()
    }

    /// Tells that the window closes later, since something is still being written.
    pub fn say_closing_waits(&mut self) {
        self.notices.info("The window closes once everything is written");
        self.refresh();
    }

    /// Rebuilds the view. Everything long in it is shared, so this costs a handful of pointers.
    pub(crate) fn refresh(&mut self) {
        if let Place::Store(store) = &mut self.place {
            store.share_memory(self.workspace.memory_mebibytes);
            store.remember_choices(&mut self.workspace);
        }
        let mut view = View {
            title: "Timeglass".to_owned(),
            notices: self.notices.view(),
            recent: self.workspace.recent.iter().map(|path| recent(path)).collect(),
            zone: self.workspace.zone,
            theme: self.workspace.theme,
            settings: self.settings_view(),
            mapping: self.mapping.as_ref().map(|mapping| Arc::new(mapping.view())),
            ..View::default()
        };
        match &self.place {
            Place::Welcome => view.screen = Screen::Welcome,
            Place::Opening(path) => view.screen = Screen::Opening(path.clone()),
            Place::NoEvents(found) => {
                view.title = format!("{} · Timeglass", file_name(&found.path));
                view.screen = Screen::NoEvents(Arc::clone(found));
            }
            Place::Store(store) => {
                view.screen = Screen::Store;
                store.fill(&mut view);
            }
        }
        self.view = view;
    }
}

fn recent(path: &Path) -> RecentView {
    RecentView {
        path: path.to_owned(),
        name: file_name(path),
        folder: path.parent().map(|folder| folder.display().to_string()).unwrap_or_default(),
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
