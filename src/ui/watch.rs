//! Looking at the store and at the user's files while nothing happens, so that the window need not.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    session::{
        Rest,
        job::{Answer, Question},
    },
    store::EventStore,
    work::{Cancelled, Work},
};

/// How often a store at rest is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the files looked like when they were looked at last; handed on from look to look.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<Looks>>>);

/// A file, how long it is and when it was written last; nothing of one that is not there.
type Looks = (PathBuf, Option<(u64, SystemTime)>);

impl Seen {
    /// Whether the files look as they did at the last look; from now on this look is the last.
    fn is_same(&self, files: &[PathBuf]) -> bool {
        let now: Vec<Looks> = files.iter().map(|file| (file.clone(), looks(file))).collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = *seen == now;
        *seen = now;
        is_same
    }
}

fn looks(file: &Path) -> Option<(u64, SystemTime)> {
    let found = fs::metadata(file).ok()?;
    Some((found.len(), found.modified().ok()?))
}

/// Looks at a store and files again and again until they are not what is known of them: a window that nobody
/// touches draws no frame for that.
pub(super) fn watch(
    store: Arc<dyn EventStore>,
    rest: Option<&Rest>,
    seen: &Seen,
    work: &Work,
) -> Result<Answer, Cancelled> {
    while let Some(Rest { head, files }) = rest
        && seen.is_same(files)
        && store.head().is_ok_and(|found| found == *head)
    {
        work.wait(LOOK_EVERY)?;
    }
    Question::Watch(store).run(work)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Seen;

    #[test]
    fn what_changed_between_two_looks_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("order.js"), folder.path().join("none.js")];
        let seen = Seen::default();
        let check = |expected: bool| assert_eq!(seen.is_same(&files), expected);
        check(false);
        check(true);
        fs::write(&files[0], "({})").unwrap();
        check(false);
        check(true);
        fs::remove_file(&files[0]).unwrap();
        check(false);
        check(true);
    }
}
