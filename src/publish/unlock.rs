//! The user's word that a store may be written.

use std::path::{Path, PathBuf};

/// Permission to write into one store, given by typing its name. Whoever opens the store again has to ask
/// again; it is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    path: PathBuf,
}

impl Unlock {
    /// What has to be typed for a store: its file's name.
    #[must_use]
    pub fn name_of(path: &Path) -> String {
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Unlocks a store if what was typed is its name to the letter.
    #[must_use]
    pub fn confirm(path: &Path, typed: &str) -> Option<Self> {
        (typed == Self::name_of(path)).then(|| Self { path: path.to_owned() })
    }

    /// Whether it was given for this store.
    #[must_use]
    pub fn is_for(&self, path: &Path) -> bool {
        self.path == path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, is_unlocked: bool) {
        let path = Path::new("/data/shop.sqlite");
        let unlock = Unlock::confirm(path, typed);
        assert_eq!(unlock.is_some(), is_unlocked, "{typed:?}");
        assert!(unlock.is_none_or(|unlock| unlock.is_for(path) && !unlock.is_for(Path::new("shop.sqlite"))));
    }

    #[test]
    fn only_the_name_itself_unlocks() {
        check("shop.sqlite", true);
        for typed in ["", "shop", "Shop.sqlite", " shop.sqlite", "shop.sqlite ", "/data/shop.sqlite"] {
            check(typed, false);
        }
    }
}
