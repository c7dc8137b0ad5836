//! A large sample, laid down page by page instead of through SQLite.

use std::{io, path::Path};

use crate::{
    sample::{
        SampleReport,
        draft::Draft,
        indexes::{Laid, Noted},
        pages::{Entry, FilePages, IndexEntries, TableRows},
    },
    work::Work,
};

/// The pages that SQLite gave to the tables and their index, all of them empty.
pub(crate) struct Roots {
    pub(crate) events: u32,
    pub(crate) snapshots: u32,
    pub(crate) snapshots_index: u32,
}

/// The pages of events and snapshots as they are told, and what their indexes need.
pub(crate) struct Laying {
    pages: FilePages,
    events: TableRows,
    snapshots: TableRows,
    /// Events come in the order of time, so this index grows with them.
    times: IndexEntries,
    noted: Noted,
    snapshots_index: u32,
    /// Whether the position stands in its column, and not only for the number of the row.
    has_positions: bool,
    entry: Entry,
    pub(crate) report: SampleReport,
}

impl Laying {
    /// Goes on behind the tables that SQLite made; nobody else may have the file open.
    pub(crate) fn behind(path: &Path, roots: &Roots, has_positions: bool) -> io::Result<Self> {
        Ok(Self {
            pages: FilePages::append_to(path)?,
            events: TableRows::new(roots.events),
            snapshots: TableRows::new(roots.snapshots),
            times: IndexEntries::new(),
            noted: Noted::default(),
            snapshots_index: roots.snapshots_index,
            has_positions,
            entry: Entry::default(),
            report: SampleReport::default(),
        })
    }

    /// Writes the next event.
    pub(crate) fn push(&mut self, draft: &Draft) -> io::Result<()> {
        self.report.events += 1;
        self.report.streams += u64::from(draft.version == 1);
        let (position, version) = (self.report.events as u32, draft.version as u32);
        self.noted.note(draft);
        let event = self.entry.clear();
        if self.has_positions {
            event.number(position)
        } else {
            event.null()
        };
        event.text(&draft.stream).number(version).text(draft.event_type).text(draft.data.as_str());
        event.text(draft.metadata.as_str()).text(&draft.recorded_at).text(&draft.event_id);
        self.events.push(event, &mut self.pages)?;
        self.times.push(self.entry.clear().text(&draft.recorded_at).number(position));
        self.times.write(&mut self.pages)?;
        if draft.has_state {
            self.report.snapshots += 1;
            let snapshot = self.entry.clear().text(&draft.stream).number(version);
            snapshot.text(draft.state.as_str()).text(&draft.recorded_at);
            self.snapshots.push(snapshot, &mut self.pages)?;
        }
        Ok(())
    }

    /// Writes the rest of the tables, and the indexes, whose names the schema does not know yet.
    pub(crate) fn finish(mut self, work: &Work) -> io::Result<(SampleReport, Vec<Laid>)> {
        self.events.finish(&mut self.pages)?;
        self.snapshots.finish(&mut self.pages)?;
        let sql = "CREATE INDEX events_recorded_at ON events (recorded_at)";
        let root = self.times.finish(&mut self.pages)?;
        let mut laid = self.noted.lay_down(self.snapshots_index, &mut self.pages, work)?;
        laid.push(Laid { name: "events_recorded_at", root, sql });
        self.pages.finish()?;
        Ok((self.report, laid))
    }
}
