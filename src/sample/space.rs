//! Whether the disk has room for a sample, asked before any of it is written.

use std::path::Path;

use crate::sample::{SampleError, SampleOptions, Shape};

/// Refuses a sample that would not fit beside what is there.
pub(crate) fn check(path: &Path, options: &SampleOptions) -> Result<(), SampleError> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let needed = needed(options);
    match free(folder) {
        Some(free) if free < needed => Err(SampleError::NoRoom { path: path.to_owned(), needed, free }),
        Some(_) | None => Ok(()),
    }
}

/// About how many bytes a sample takes while it is made, rather more than less.
pub(crate) fn needed(options: &SampleOptions) -> u64 {
    let SampleOptions { events, shape, snapshot_every, damage: _, seed: _ } = options;
    let (event, state) = match shape {
        Shape::Shop => (420, 500),
        Shape::Bank | Shape::Long => (480, 300),
        Shape::Wide => (1_500, 38_000),
        Shape::Many => (680, 600),
        Shape::Mixed => (660, 700),
    };
    let states = if *snapshot_every == 0 { 0 } else { events / u64::from(*snapshot_every) };
    // Sorting an index writes it once more.
    let sorted = if shape.is_indexed() { 0 } else { 60 };
    let taken = events.saturating_mul(event + sorted).saturating_add(states.saturating_mul(state));
    taken.saturating_add(1 << 16)
}

/// How many bytes the disk of this folder has left; nothing where that cannot be told.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// How many bytes the disk of this folder has left; nothing where that cannot be told.
#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::{check, needed};
    use crate::{
        sample::{SampleError, SampleOptions, Shape, write},
        work::Work,
    };

    #[test]
    fn what_is_needed_is_a_little_more_than_what_is_taken() {
        for shape in Shape::ALL {
            let options = SampleOptions { events: 20_000, ..SampleOptions::of(shape) };
            let folder = tempfile::tempdir().unwrap();
            let report = write(&folder.path().join("sample.sqlite"), &options, &Work::default()).unwrap();
            let (least, most) = (report.bytes, report.bytes * 3 / 2);
            assert!(
                (least..most).contains(&needed(&options)),
                "{shape:?}: {} of {report:?}",
                needed(&options)
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_sample_larger_than_the_disk_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = SampleOptions { events: 1 << 50, ..SampleOptions::of(Shape::Mixed) };
        let refused = check(&folder.path().join("sample.sqlite"), &options).unwrap_err();
        assert!(matches!(refused, SampleError::NoRoom { needed, free, .. } if needed > free), "{refused}");
    }
}
