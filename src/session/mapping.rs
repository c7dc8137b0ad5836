//! The mapping dialog: the user says which column plays which role.

use std::{path::PathBuf, sync::Arc};

use crate::{
    project::open::Preview,
    session::{
        Place, Session,
        action::MappingAction,
        job::{Job, Question, Slot},
        view::MappingView,
    },
    store::layout::{Role, Source},
};

/// The dialog while it is open.
pub(crate) struct Mapping {
    path: PathBuf,
    preview: Option<Preview>,
    roles: Vec<(Role, Option<Source>)>,
}

impl Mapping {
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path, preview: None, roles: Vec::new() }
    }

    pub(crate) fn with_preview(self, preview: Preview) -> Self {
        Self { path: self.path, roles: preview.roles.clone(), preview: Some(preview) }
    }

    pub(crate) fn view(&self) -> MappingView {
        let Some(preview) = &self.preview else { return MappingView::default() };
        let lacking: Vec<&str> = [Role::Stream, Role::Data]
            .into_iter()
            .filter(|role| !self.roles.iter().any(|(other, source)| other == role && source.is_some()))
            .map(Role::label)
            .collect();
        MappingView {
            tables: preview.tables.clone(),
            table: Arc::clone(&preview.table),
            sources: preview.sources.clone(),
            roles: self.roles.clone(),
            preview_columns: preview.columns.clone(),
            preview_rows: preview.rows.clone(),
            message: if lacking.is_empty() {
                preview.message.clone()
            } else {
                format!("Choose a column for: {}", lacking.join(", "))
            },
            can_save: lacking.is_empty(),
        }
    }
}

impl Session {
    pub(crate) fn apply_mapping(&mut self, action: MappingAction) -> Vec<Job> {
        match action {
            MappingAction::Edit => self.edit_mapping(),
            MappingAction::Cancel => {
                self.mapping = None;
                Vec::new()
            }
            MappingAction::ChooseTable(table) => {
                let Some(mapping) = &self.mapping else { return Vec::new() };
                vec![preview_job(mapping.path.clone(), Some(table))]
            }
            MappingAction::ChooseSource(role, source) => {
                if let Some(mapping) = &mut self.mapping {
                    mapping.roles.retain(|(other, _)| *other != role);
                    mapping.roles.push((role, source));
                }
                Vec::new()
            }
            MappingAction::Save => {
                let Some(mapping) = self.mapping.take() else { return Vec::new() };
                let Some(preview) = mapping.preview else { return Vec::new() };
                let question = Question::Save {
                    path: mapping.path,
                    project: self.project.clone(),
                    table: preview.table,
                    roles: mapping.roles,
                };
                vec![Job { slot: Slot::Save, question }]
            }
        }
    }

    pub(crate) fn edit_mapping(&mut self) -> Vec<Job> {
        let path = match &self.place {
            Place::Store(store) => store.path.clone(),
            Place::NoEvents(view) => view.path.clone(),
            Place::Welcome | Place::Opening(_) => return Vec::new(),
        };
        self.mapping = Some(Mapping::of(path.clone()));
        vec![preview_job(path, None)]
    }
}

fn preview_job(path: PathBuf, table: Option<Arc<str>>) -> Job {
    Job { slot: Slot::Preview, question: Question::Preview(path, table) }
}
