//! A read model at the cursor, copied or written into a file.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    project::new_file::{Existing, NewFileError, write_file},
    projection::{
        ReadModel,
        export::{Format, Shape, WriteError, write_rows},
    },
    session::{
        job::{Job, Slot},
        notice::{Notices, chain},
        opened::Opened,
        projections::{
            ProjectionAnswer, ProjectionQuestion, job,
            question::{ModelTrouble, is_script},
        },
        view::grouped,
    },
    work::Work,
};

/// A clipboard is no place for more, in bytes.
const MOST_COPIED: usize = 32 << 20;

impl Opened {
    pub(super) fn copy_model(&self, format: Format) -> Vec<Job> {
        let Some((model, count, shape)) = self.model_to_write(format) else { return Vec::new() };
        vec![job(Slot::ModelExport, ProjectionQuestion::Copy(model, count, shape))]
    }

    pub(super) fn export_model(
        &self,
        format: Format,
        (path, existing): (PathBuf, Existing),
        notices: &mut Notices,
    ) -> Vec<Job> {
        if path.as_os_str().is_empty() {
            notices.warning("A file needs a name", "", "");
            return Vec::new();
        }
        let Some((model, count, shape)) = self.model_to_write(format) else {
            notices.warning("There is no read model to write", "", "Rebuild the projection first");
            return Vec::new();
        };
        vec![job(Slot::ModelExport, ProjectionQuestion::Export(model, count, shape, (path, existing)))]
    }

    fn model_to_write(&self, format: Format) -> Option<(ReadModel, u64, Shape)> {
        let (_, model, count) = self.model_at_cursor()?;
        let listed = self.projections.chosen_listed()?;
        let table = Arc::clone(listed.table.as_ref().unwrap_or(&listed.name));
        let has_states = listed.definition.as_ref().is_some_and(is_script);
        Some((model, count, Shape { format, table, has_states }))
    }
}

/// The rows as text.
pub(super) fn copied(
    work: &Work,
    model: &ReadModel,
    count: u64,
    shape: &Shape,
) -> Result<ProjectionAnswer, ModelTrouble> {
    let mut text = Bounded(Vec::new());
    match write_rows(work, model, count, shape, &mut text) {
        Ok(_) => Ok(ProjectionAnswer::Copied(String::from_utf8_lossy(&text.0).into())),
        Err(WriteError::Cancelled(cancelled)) => Err(cancelled.into()),
        Err(WriteError::Scratch(err)) => Err(err.into()),
        Err(WriteError::Out(_)) => Ok(ProjectionAnswer::Exported(Err((
            "The table is too large for the clipboard".to_owned(),
            "More than 32 MiB; export it into a file instead".to_owned(),
        )))),
    }
}

/// The rows into a file, whole or not at all.
pub(super) fn exported(
    work: &Work,
    model: &ReadModel,
    count: u64,
    shape: &Shape,
    (path, existing): &(PathBuf, Existing),
) -> Result<ProjectionAnswer, ModelTrouble> {
    match write_file(path, *existing, |out| Ok(write_rows(work, model, count, shape, out)?)) {
        Ok(rows) => {
            let rows = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(rows)) };
            Ok(ProjectionAnswer::Exported(Ok(format!("{rows} written to {}", path.display()))))
        }
        Err(ExportError::Write(WriteError::Cancelled(cancelled))) => Err(cancelled.into()),
        Err(ExportError::Write(WriteError::Scratch(err))) => Err(err.into()),
        Err(ExportError::Write(WriteError::Out(err))) => Ok(unwritten(path, &err)),
        Err(ExportError::File(err)) => Ok(unwritten(path, &err)),
    }
}

fn unwritten(path: &Path, err: &dyn std::error::Error) -> ProjectionAnswer {
    ProjectionAnswer::Exported(Err((format!("{} cannot be written", path.display()), chain(err))))
}

/// Why rows are not in a file.
enum ExportError {
    Write(WriteError),
    File(NewFileError),
}

impl From<WriteError> for ExportError {
    fn from(err: WriteError) -> Self {
        Self::Write(err)
    }
}

impl From<NewFileError> for ExportError {
    fn from(err: NewFileError) -> Self {
        Self::File(err)
    }
}

/// A text that refuses to grow without end.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_COPIED {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
