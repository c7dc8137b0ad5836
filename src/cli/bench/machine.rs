//! What the system tells of this process, and what it is asked to forget; Linux only, nothing elsewhere.

use std::{fs, path::Path};

/// Whether [`forget`] does anything here.
pub(super) const CAN_FORGET: bool = cfg!(target_os = "linux");

/// Bytes that this process has read of files so far, from the cache or the disk.
pub(super) fn read_so_far() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/io").ok()?;
    number_after(&text, "rchar:")
}

/// The most memory that this process had at any time, in bytes.
pub(super) fn most_resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    Some(number_after(&text, "VmHWM:")? * 1024)
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Asks the system to drop what it holds of a file in its cache.
#[cfg(target_os = "linux")]
pub(super) fn forget(path: &Path) {
    // It is a wish: where it is not granted, the figures are those of a warm file.
    if let Ok(file) = fs::File::open(path) {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).ok();
    }
}

/// Asks the system to drop what it holds of a file in its cache.
#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_path: &Path) {}
