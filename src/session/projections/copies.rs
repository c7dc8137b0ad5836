//! A read model at the cursor, copied or written into a new file, never over another.

use std::{
    fs::{self, OpenOptions},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
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

    pub(super) fn export_model(&self, format: Format, path: PathBuf, notices: &mut Notices) -> Vec<Job> {
        if path.as_os_str().is_empty() {
            notices.warning("A file needs a name", "", "");
            return Vec::new();
        }
        let Some((model, count, shape)) = self.model_to_write(format) else {
            notices.warning("There is no read model to write", "", "Rebuild the projection first");
            return Vec::new();
        };
        vec![job(Slot::ModelExport, ProjectionQuestion::Export(model, count, shape, path))]
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

/// The rows into a new file.
pub(super) fn exported(
    work: &Work,
    model: &ReadModel,
    count: u64,
    shape: &Shape,
    path: &Path,
) -> Result<ProjectionAnswer, ModelTrouble> {
    let failed = |err: &dyn std::error::Error| {
        ProjectionAnswer::Exported(Err((format!("{} cannot be written", path.display()), chain(err))))
    };
    // Never over another file: it may be the user's store.
    let file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(err) => return Ok(failed(&err)),
    };
    let mut out = BufWriter::new(file);
    let written = write_rows(work, model, count, shape, &mut out);
    drop(out);
    if written.is_err() {
        // A part of a table would be taken for the whole.
        fs::remove_file(path).ok();
    }
    match written {
        Ok(rows) => {
            let rows = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(rows)) };
            Ok(ProjectionAnswer::Exported(Ok(format!("{rows} written to {}", path.display()))))
        }
        Err(WriteError::Cancelled(cancelled)) => Err(cancelled.into()),
        Err(WriteError::Scratch(err)) => Err(err.into()),
        Err(WriteError::Out(err)) => Ok(failed(&err)),
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
