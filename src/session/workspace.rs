//! What is kept between runs.
//!
//! The window's own layout (panels, sizes) is kept beside it by the window. A newer program reads
//! what an older one wrote: fields that are missing take their default, unknown ones are ignored.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    model::Zone,
    session::action::{Axis, StreamSort, Theme},
};

/// What is kept between runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workspace {
    /// Files opened before, the newest first.
    pub recent: Vec<PathBuf>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// The colours.
    pub theme: Theme,
    /// The paths into the data that have a column of their own, as JSON Pointers.
    pub path_columns: Vec<String>,
    /// How streams are sorted.
    pub stream_sort: StreamSort,
    /// What the timeline counts.
    pub axis: Axis,
    /// Whether long quiet times are cut short.
    pub is_collapsed: bool,
    /// Events a second while playing.
    pub speed: u32,
    /// Texts of scripts that are not in their files yet.
    pub drafts: Vec<Draft>,
    /// Texts of projections' definitions that are not in their files yet.
    pub definition_drafts: Vec<Draft>,
    /// Whether indexes of large stores are kept between runs.
    pub is_caching: bool,
    /// How many MiB they may take together.
    pub cache_mebibytes: u64,
    /// How many MiB of memory may be taken beside the index.
    pub memory_mebibytes: u64,
}

/// A script's text that is not in its file yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The file.
    pub path: PathBuf,
    /// What the user made of it.
    pub text: Arc<str>,
    /// What the file held when the user began.
    pub based_on: Option<Arc<str>>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            recent: Vec::new(),
            zone: Zone::Utc,
            theme: Theme::System,
            path_columns: Vec::new(),
            stream_sort: StreamSort::Name,
            axis: Axis::Time,
            is_collapsed: true,
            speed: 4,
            drafts: Vec::new(),
            definition_drafts: Vec::new(),
            is_caching: true,
            cache_mebibytes: 2048,
            memory_mebibytes: 512,
        }
    }
}

impl Workspace {
    /// Files remembered.
    const RECENT: usize = 12;

    /// Puts a file first on the list of recent ones.
    pub fn remember(&mut self, path: &Path) {
        self.recent.retain(|other| other != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(Self::RECENT);
    }
}
