//! What is kept between runs.
//!
//! The window's own layout (panels, sizes) is kept beside it by the window. A newer program reads
//! what an older one wrote: fields that are missing take their default, unknown ones are ignored.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    model::Zone,
    session::{
        action::{Axis, StreamSort, Theme},
        view::{ColumnKind, ColumnView},
    },
};

/// What is kept between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workspace {
    /// Files opened before, the newest first.
    pub recent: Vec<PathBuf>,
    /// In which zone times are shown.
    pub zone: Zone,
    /// The colours.
    pub theme: Theme,
    /// The columns of the events table.
    pub columns: Vec<ColumnView>,
    /// How streams are sorted.
    pub stream_sort: StreamSort,
    /// What the timeline counts.
    pub axis: Axis,
    /// Whether long quiet times are cut short.
    pub is_collapsed: bool,
    /// Events a second while playing.
    pub speed: u32,
}

impl Default for Workspace {
    fn default() -> Self {
        let shown = |kind| ColumnView { kind, is_shown: true };
        Self {
            recent: Vec::new(),
            zone: Zone::Utc,
            theme: Theme::System,
            columns: [
                ColumnKind::Position,
                ColumnKind::Time,
                ColumnKind::Stream,
                ColumnKind::Version,
                ColumnKind::Type,
                ColumnKind::Data,
            ]
            .map(shown)
            .to_vec(),
            stream_sort: StreamSort::Name,
            axis: Axis::Events,
            is_collapsed: true,
            speed: 4,
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
