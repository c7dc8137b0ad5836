//! What proves later that the files of a database are still what they were.

use std::{
    fs::{self, Metadata},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::store::{
    Identity, StoreResult,
    cache::{FileMark, fingerprint},
    layout::EventsTable,
    sqlite::file::{beside, has_journal, header, start, unreadable},
};

/// File systems of one machine that number their files for good and move the time of change with every
/// write. Everything else, network file systems and those in user space first, is not relied upon.
const DEPENDABLE: [&str; 12] = [
    "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "reiserfs", "tmpfs", "xfs", "zfs",
];

/// Looks at the files of a database that is read through this layout.
pub(super) fn identity(path: &Path, events: &EventsTable) -> StoreResult<Identity> {
    let failed = |source| unreadable(path, source);
    header(path)?;
    let canonical = fs::canonicalize(path).map_err(failed)?;
    let metadata = fs::metadata(path).map_err(failed)?;
    // Beside the file itself, not beside a link that leads to it.
    let log_path = beside(&canonical, "-wal");
    let log = fs::metadata(&log_path).ok().filter(|metadata| metadata.len() > 0);
    let log = log.map(|metadata| (start(&log_path, 32).unwrap_or_default(), mark(&metadata)));
    Ok(Identity {
        layout: fingerprint(events),
        database: mark(&metadata),
        header: start(path, 100).map_err(failed)?,
        log,
        has_journal: has_journal(&canonical),
        is_dependable: is_dependable(&canonical),
        path: canonical.into_os_string().into_encoded_bytes(),
    })
}

#[cfg(unix)]
fn mark(metadata: &Metadata) -> FileMark {
    use std::os::unix::fs::MetadataExt as _;
    let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    FileMark {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: nanos(metadata),
        changed,
    }
}

#[cfg(not(unix))]
fn mark(metadata: &Metadata) -> FileMark {
    FileMark { size: metadata.len(), modified: nanos(metadata), ..FileMark::default() }
}

/// When a file was last written, in nanoseconds since 1970, or before it.
fn nanos(metadata: &Metadata) -> i64 {
    let time: SystemTime = metadata.modified().unwrap_or(UNIX_EPOCH);
    let whole = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -whole(before.duration()), whole)
}

/// Whether a file lies on a file system that can be relied upon; where the system keeps no list of what is
/// mounted, nobody knows.
fn is_dependable(canonical: &Path) -> bool {
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return false };
    file_system(&mounts, canonical).is_some_and(|name| DEPENDABLE.contains(&name))
}

/// The kind of file system that a path lies on, by the list of what is mounted: the longest place wins, and
/// of two mounted in one place the later.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounted = mounts.lines().filter_map(|line| {
        let place = unescaped(line.split(' ').nth(4)?);
        let kind = line.split_once(" - ")?.1.split(' ').next()?;
        path.starts_with(&place).then_some((place.len(), kind))
    });
    mounted.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// A path in that list: spaces and a few others are written as `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (code, part.get(3..)) {
            (Some(code), Some(rest)) => {
                whole.push(char::from(code));
                whole.push_str(rest);
            }
            (_, _) => {
                whole.push('\\');
                whole.push_str(part);
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::file_system;

    const MOUNTS: &str = "\
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 28 0:25 / /home rw - nfs4 server:/home rw
31 28 0:26 / /home/my\\040disk rw shared:7 master:2 - xfs /dev/sdb rw
32 28 0:27 / /mnt rw - ext4 /dev/sdc rw
33 32 0:28 / /mnt rw - fuse.sshfs far:/ rw
broken line
";

    fn check(path: &str, expected: &str) {
        assert_eq!(file_system(MOUNTS, Path::new(path)), Some(expected), "{path}");
    }

    #[test]
    fn the_file_system_of_a_path_is_the_one_mounted_nearest_and_last() {
        check("/var/shop.sqlite", "ext4");
        check("/home/me/shop.sqlite", "nfs4");
        check("/homes/shop.sqlite", "ext4");
        check("/home/my disk/shop.sqlite", "xfs");
        check("/mnt/shop.sqlite", "fuse.sshfs");
    }
}
