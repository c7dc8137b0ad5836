//! Where the files of the cache lie, and which of them go when there are too many.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    model::Timestamp,
    store::{
        Identity,
        cache::{
            Cache,
            container::{Container, DRAFT_PREFIX, DRAFT_SUFFIX},
            label::Label,
        },
    },
};

/// What our files end in.
const ENDING: &str = "tgx";

/// The file that says how many bytes may be kept.
const BOUND: &str = "bound";

/// A draft that nobody has written to for so long was left by a program that ended half-way: an hour.
const DRAFT_LIFE: i64 = 3_600_000_000_000;

/// A file of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last of use.
    pub used: Option<Timestamp>,
    /// The store that it is of; `None` for a file that cannot be read.
    pub store: Option<PathBuf>,
    /// How many events the index has.
    pub events: Option<u64>,
}

/// What clearing the cache took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// Files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
}

impl Cache {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes may be kept: what was set last, by whichever program, or else the default of this one.
    /// 0 means that nothing is kept, and nothing that was kept is used.
    #[must_use]
    pub fn bound(&self) -> u64 {
        let set = fs::read_to_string(self.folder.join(BOUND)).ok();
        set.and_then(|text| text.trim().parse().ok()).unwrap_or(self.bound)
    }

    /// Sets how many bytes may be kept, from now on and for all who use this folder, and takes away what is
    /// beyond.
    pub fn set_bound(&self, bytes: u64) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join(BOUND), format!("{bytes}\n"))?;
        self.tidy()
    }

    /// Where the index of a store lies.
    pub(super) fn file_of(&self, identity: &Identity) -> PathBuf {
        self.folder.join(format!("{:016x}.{ENDING}", identity.path_number()))
    }

    /// How many files there are and how many bytes they take together; a folder that is not there is empty.
    pub fn size(&self) -> io::Result<(usize, u64)> {
        let files = self.files()?;
        Ok((files.len(), files.iter().map(|(_, metadata)| metadata.len()).sum()))
    }

    /// What is kept, the last used first.
    pub fn kept(&self) -> io::Result<Vec<Kept>> {
        let mut kept: Vec<Kept> = self.files()?.into_iter().filter_map(kept).collect();
        kept.sort_by(|left, right| (right.used, &right.file).cmp(&(left.used, &left.file)));
        Ok(kept)
    }

    /// Takes everything away that we made, and nothing else.
    pub fn clear(&self) -> io::Result<Cleared> {
        let mut cleared = Cleared::default();
        for (path, metadata) in self.files()? {
            remove(&path)?;
            cleared.files += 1;
            cleared.bytes += metadata.len();
        }
        Ok(cleared)
    }

    /// Takes away what was used longest ago until the rest is within the bound.
    pub fn tidy(&self) -> io::Result<()> {
        self.keep_within_bound(None)
    }

    /// Takes away what was used longest ago until the rest is within the bound; `spared` last of all.
    pub(super) fn keep_within_bound(&self, spared: Option<&Path>) -> io::Result<()> {
        let (bound, now) = (self.bound(), self.clock.map(|clock| clock().nanos()));
        let is_left_behind = |path: &Path, metadata: &Metadata| {
            is_draft(path) && now.is_some_and(|now| nanos(metadata).saturating_add(DRAFT_LIFE) < now)
        };
        let (left, mut files): (Vec<_>, Vec<_>) =
            self.files()?.into_iter().partition(|(path, metadata)| is_left_behind(path, metadata));
        left.iter().try_for_each(|(path, _)| remove(path))?;
        files.retain(|(path, _)| !is_draft(path));
        let mut bytes: u64 = files.iter().map(|(_, metadata)| metadata.len()).sum();
        files.sort_by_key(|(path, metadata)| (spared == Some(path), nanos(metadata), path.clone()));
        for (path, metadata) in files {
            if bytes <= bound {
                break;
            }
            remove(&path)?;
            bytes -= metadata.len();
        }
        Ok(())
    }

    /// Notes that the index of a store was of use.
    pub(super) fn mark_used(&self, identity: &Identity) {
        let Some(now) = self.clock.map(|clock| clock().nanos()) else { return };
        let time = UNIX_EPOCH + Duration::from_nanos(now.unsigned_abs());
        // A folder that cannot be written to is of use all the same.
        let file = File::options().append(true).open(self.file_of(identity));
        file.and_then(|file| file.set_modified(time)).ok();
    }

    /// Takes away the index of a store.
    pub(super) fn throw_away(&self, identity: &Identity) {
        // If it cannot be, it is found to be damaged again next time.
        remove(&self.file_of(identity)).ok();
    }

    /// All files that we made.
    fn files(&self) -> io::Result<Vec<(PathBuf, Metadata)>> {
        let listed = match fs::read_dir(&self.folder) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let ours = listed.filter_map(|file| {
            let file = file.ok()?;
            let path = file.path();
            let metadata = file.metadata().ok()?;
            (metadata.is_file() && (is_index(&path) || is_draft(&path))).then_some((path, metadata))
        });
        Ok(ours.collect())
    }
}

fn is_index(path: &Path) -> bool {
    let is_number = |stem: &str| stem.len() == 16 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.extension().is_some_and(|ending| ending == ENDING)
        && path.file_stem().and_then(|stem| stem.to_str()).is_some_and(is_number)
}

fn is_draft(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(DRAFT_PREFIX) && name.ends_with(DRAFT_SUFFIX)
}

/// Takes a file away; one that somebody else took away is gone as well.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn nanos(metadata: &Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}

fn kept((path, metadata): (PathBuf, Metadata)) -> Option<Kept> {
    if is_draft(&path) {
        return None;
    }
    let container = Container::open(&path).ok().flatten();
    let label = container.and_then(|container| Label::read_any(container.label()));
    Some(Kept {
        bytes: metadata.len(),
        used: Some(Timestamp::from_nanos(nanos(&metadata), 0)),
        store: label.as_ref().map(|label| label.identity.path()),
        events: label.map(|label| label.events),
        file: path,
    })
}
