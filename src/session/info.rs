//! The layout of the open store with its evidence, and figures about it.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    model::Timestamp,
    replay::{HistoryFigures, Keyframes},
    session::{
        Session,
        opened::Opened,
        view::{InfoView, RoleRow, TableRow, grouped},
    },
    store::layout::{Form, Layout, Mapping, Role, TableNote},
};

impl Opened {
    /// Which table and columns play the main roles: `events: stream = aggregate_id, version = …`.
    pub(crate) fn status(&self) -> String {
        let roles = [Role::Stream, Role::Category, Role::Version, Role::EventType, Role::Time, Role::Data];
        let events = &self.layout.events;
        let played = roles.into_iter().filter_map(|role| {
            Some(format!("{} = {}", role.label().to_lowercase(), events.role(role)?.source))
        });
        format!("{}: {}", events.table, played.collect::<Vec<_>>().join(", "))
    }

    /// Why each role is played by what, a line each.
    pub(crate) fn status_detail(&self) -> String {
        let roles = self.info.roles.iter().filter_map(|row| {
            Some(format!("{}: {} ({})", row.role.label(), row.source.as_ref()?, row.evidence))
        });
        roles.collect::<Vec<_>>().join("\n")
    }

    /// Prepares the layout panel again, after something in it changed.
    pub(crate) fn refresh_info(&mut self) {
        let description = self.store.describe();
        let Layout { name, events, tables, problems, .. } = &*self.layout;
        let columns: Vec<&str> = events.order.columns.iter().map(|column| &**column).collect();
        let counts = self.table_counts.iter().copied().chain(std::iter::repeat(None));
        let troubles = self.index.iter().flat_map(|index| index.troubles());
        self.info = Arc::new(InfoView {
            path: self.path.display().to_string(),
            layout: Arc::clone(name),
            events_table: Arc::clone(&events.table),
            roles: Role::ALL.into_iter().map(|role| role_row(role, events.role(role))).collect(),
            order: format!("{}: {}", columns.join(", "), events.order.evidence),
            tables: tables.iter().zip(counts).map(|(note, rows)| table_row(note, rows)).collect(),
            problems: description.problems.iter().chain(problems).chain(troubles).cloned().collect(),
            figures: self.figures(),
        });
    }

    fn figures(&self) -> Vec<(String, String)> {
        let Some(index) = &self.index else { return Vec::new() };
        let show = |time: Timestamp| time.to_display(self.zone);
        let (first, last) =
            index.time_span().map_or_else(Default::default, |(first, last)| (show(first), show(last)));
        let origin = self.origin.words().map(|words| ("Index", words));
        [
            ("Events", grouped(index.len() as u64)),
            ("Streams", grouped(index.streams().len() as u64)),
            ("Event types", grouped(index.types().len() as u64)),
            ("First event", first),
            ("Last event", last),
            ("Index memory", format!("{} KiB", grouped(index.memory_bytes() as u64 / 1024))),
        ]
        .into_iter()
        .chain(origin)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

impl Session {
    /// What the index and the keyframes take, for the debug panel: name and value.
    #[must_use]
    pub fn memory_figures(&self) -> Vec<(&'static str, String)> {
        let Some(store) = self.store() else { return Vec::new() };
        let mut figures = Vec::new();
        if let Some(index) = &store.index {
            let text = format!(
                "{} KiB, {:.1} bytes an event",
                grouped(index.memory_bytes() as u64 / 1024),
                index.bytes_per_event()
            );
            figures.push(("Index", text));
        }
        figures.push(("Histories", store.histories.words()));
        figures.extend(store.states.figures().iter().flat_map(history_figures));
        figures
    }
}

/// How a history is kept: each step in which it became slower to save memory is said.
fn history_figures(figures: &HistoryFigures) -> Vec<(&'static str, String)> {
    let count = |number: usize| grouped(number as u64);
    let kib = |bytes: usize| grouped(bytes as u64 / 1024);
    let folded = format!("{} of {} events", count(figures.folded), count(figures.events));
    let mut keyframes = format!(
        "{}, one every {} events, {} of {} KiB",
        count(figures.keyframes),
        count(figures.distance),
        kib(figures.bytes),
        kib(figures.budget_bytes)
    );
    if figures.distance > Keyframes::FIRST_DISTANCE {
        let times = count(figures.distance / Keyframes::FIRST_DISTANCE);
        write!(keyframes, "; {times} times as far apart as at first, to stay within memory").ok();
    }
    let changes = &figures.changes;
    let mut index = format!("{} of {} KiB", kib(changes.bytes), kib(changes.budget_bytes));
    if changes.is_given_up {
        index.push_str("; given up to stay within memory, blame walks the history instead");
    } else if changes.closed > 0 {
        let closed = count(changes.closed);
        write!(index, "; {closed} wide paths without their parts, blame walks the history there").ok();
    }
    let mut rows = vec![("Folded", folded), ("Keyframes", keyframes), ("Who changed what", index)];
    if let Some(at) = figures.unresumable_at {
        let text = format!(
            "The reducer holds things outside its state from event {} on: every seek beyond folds from there",
            count(at)
        );
        rows.push(("Not resumable", text));
    }
    rows
}

fn role_row(role: Role, mapping: Option<&Mapping>) -> RoleRow {
    let Some(mapping) = mapping else {
        return RoleRow {
            role,
            source: None,
            form: String::new(),
            evidence: String::new(),
            is_uncertain: false,
        };
    };
    RoleRow {
        role,
        source: Some(mapping.source.to_string()),
        form: if mapping.form == Form::Plain { String::new() } else { mapping.form.to_string() },
        evidence: mapping.evidence.clone(),
        is_uncertain: mapping.is_uncertain,
    }
}

/// A table of the database, as a row.
pub(crate) fn table_row(note: &TableNote, rows: Option<u64>) -> TableRow {
    let column = |(name, declared): &(Arc<str>, Arc<str>)| match &**declared {
        "" => name.to_string(),
        declared => format!("{name} {declared}"),
    };
    let columns: Vec<String> = note.columns.iter().map(column).collect();
    TableRow {
        name: Arc::clone(&note.table),
        kind: note.kind,
        rows,
        evidence: note.evidence.clone(),
        columns: columns.join(", "),
    }
}
