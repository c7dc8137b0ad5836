//! The settings, as the dialog shows them.

use std::{path::PathBuf, sync::Arc};

use crate::session::memory::MemoryPart;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsView {
    /// Where indexes are kept; `None` where nothing is ever kept.
    pub folder: Option<PathBuf>,
    /// Whether they are kept.
    pub is_caching: bool,
    /// How many MiB they may take.
    pub cache_mebibytes: u64,
    /// How many files there are and how many bytes they take, or why nobody knows; `None` until counted.
    pub cache_size: Option<Result<(usize, u64), Arc<str>>>,
    /// How many MiB of memory may be taken beside the index.
    pub memory_mebibytes: u64,
    /// What each part takes, as far as it is measured.
    pub memory: Vec<MemoryPart>,
}

/// Bytes as people read them: `0 bytes`, `23 KB`, `1.2 MB`, in steps of 1024.
#[must_use]
pub fn size_words(bytes: u64) -> String {
    const STEP: u64 = 1024;
    let (unit, whole) = match bytes {
        0 => return "nothing".to_owned(),
        bytes if bytes < STEP => return format!("{bytes} bytes"),
        bytes if bytes < STEP * STEP => ("KB", STEP),
        bytes if bytes < STEP * STEP * STEP => ("MB", STEP * STEP),
        _ => ("GB", STEP * STEP * STEP),
    };
    let size = bytes as f64 / whole as f64;
    if size < 10.0 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::size_words;

    fn check(bytes: u64, expected: &str) {
        assert_eq!(size_words(bytes), expected);
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        check(0, "nothing");
        check(999, "999 bytes");
        check(1536, "1.5 KB");
        check(250 << 20, "250 MB");
        check(2 << 30, "2.0 GB");
        check(u64::MAX, "17179869184 GB");
    }
}
