//! What the store itself has of projections: tables, and checkpoints with how far they lie behind.

use std::{sync::Arc, time::Duration};

use crate::{
    projection::{CheckpointAt, Entry, Lag, LoadError, Loaded, Overview, Standing, of_entry},
    session::{
        job::{Job, Slot},
        notice::Notices,
        opened::Opened,
        projections::{ProjectionQuestion, definitions::DefinitionFile, job},
        scale::span_words,
        view::{Guess, ProjectionLine, grouped},
    },
};

/// What the store has, and when it is to be looked at again.
#[derive(Default)]
pub(super) struct StoreSide {
    pub(super) overview: Overview,
    is_wanted: bool,
    is_asking: bool,
    since_answer: Duration,
}

/// Rows are counted and checkpoints read no more often than this while the store grows.
const LOOK_AFTER: Duration = Duration::from_secs(3);

/// Words of an owner that mean trouble.
const TROUBLE_WORDS: [&str; 5] = ["fail", "fault", "error", "stopped", "dead"];

impl StoreSide {
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.overview.entries.iter().find(|entry| *entry.name == *name)
    }

    pub(super) fn stop_waiting(&mut self) {
        self.is_asking = false;
    }

    /// Whether it will be looked at when time has passed.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_wanted
    }
}

impl Opened {
    /// Definitions, or the store, are others than they were.
    pub(super) fn overview_job(&mut self) -> Option<Job> {
        let index = Arc::clone(self.whole_index()?);
        let loaded = self.loaded();
        let stored = &mut self.projections.stored;
        stored.is_wanted = false;
        stored.is_asking = true;
        let question = ProjectionQuestion::Overview { store: Arc::clone(&self.store), index, loaded };
        Some(job(Slot::Projections, question))
    }

    /// The store has grown.
    pub(super) fn overview_is_old(&mut self) -> Option<Job> {
        let stored = &mut self.projections.stored;
        stored.is_wanted = true;
        let is_first = stored.overview.entries.is_empty() && !stored.is_asking;
        is_first.then(|| self.overview_job()).flatten()
    }

    pub(super) fn tick_overview(&mut self, elapsed: Duration) -> Option<Job> {
        let stored = &mut self.projections.stored;
        stored.since_answer += elapsed;
        let is_due = stored.is_wanted && !stored.is_asking && stored.since_answer >= LOOK_AFTER;
        is_due.then(|| self.overview_job()).flatten()
    }

    pub(super) fn take_overview(&mut self, overview: Overview, notices: &mut Notices) {
        let stored = &mut self.projections.stored;
        if let Some(damage) = overview.damage.as_ref().filter(|_| stored.overview.damage.is_none()) {
            notices.warning(
                "Checkpoints cannot be read",
                &**damage,
                "Those that are missing are not told of; check the file with the tools of its owner",
            );
        }
        stored.overview = overview;
        stored.is_asking = false;
        stored.since_answer = Duration::ZERO;
    }

    /// The definitions as the overview joins them.
    fn loaded(&self) -> Vec<Loaded> {
        let mut found = Vec::new();
        for (place, entry) in self.kept.now.projections.iter().enumerate() {
            let Some(file) = self.projections.definitions.file(&entry.file) else { continue };
            let of = |outcome| Loaded { entry: entry.clone(), place, outcome };
            match of_entry(entry, &file.path, file.definitions.clone()) {
                Ok(definitions) => {
                    found.extend(definitions.into_iter().map(|definition| of(Ok(definition))));
                }
                Err(error) => found.push(of(Err(load_error(file).unwrap_or(error)))),
            }
        }
        found
    }

    /// What the owner says of a projection, put into its line.
    pub(super) fn say_standing(&self, line: &mut ProjectionLine) {
        let Some(entry) = self.projections.stored.entry(&line.name) else { return };
        if let Some(table) = &entry.table {
            line.rows = table.rows.or(line.rows);
        }
        let mut details: Vec<String> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        for found in &entry.checkpoints {
            let (status, is_trouble) = status_words(found);
            words.push(status);
            line.is_trouble |= is_trouble;
            details.extend(detail_words(found, self.zone));
            if line.lag.is_empty() {
                line.lag = lag_words(found);
            }
        }
        words.retain(|words| !words.is_empty());
        line.status = words.join(", ");
        line.status_detail = details.join("\n");
    }

    /// What may belong to a projection.
    pub(super) fn guess_for(&self, name: &str) -> Option<Guess> {
        let guess = self.projections.stored.entry(name)?.guesses.first()?;
        Some(Guess {
            projection: Arc::clone(&guess.definition),
            table: Arc::clone(&guess.table),
            why: format!("{} of {} columns in common", guess.common, guess.columns),
        })
    }
}

/// Why the file itself cannot be used, if it cannot.
fn load_error(file: &DefinitionFile) -> Option<LoadError> {
    match (&file.problem, &file.error) {
        (Some(problem), _) => Some(LoadError::File(problem.to_string())),
        (None, Some(error)) => Some(LoadError::Definition(error.clone())),
        (None, None) => None,
    }
}

/// The owner's word and where the checkpoint stands; whether that is trouble.
fn status_words(found: &CheckpointAt) -> (String, bool) {
    let checkpoint = &found.checkpoint;
    let mut words: Vec<String> = checkpoint.status.iter().map(ToString::to_string).collect();
    let is_bad = |word: &str| {
        let word = word.to_lowercase();
        TROUBLE_WORDS.iter().any(|bad| word.contains(bad))
    };
    let mut is_trouble = checkpoint.status.as_deref().is_some_and(is_bad)
        || checkpoint.error.as_ref().is_some_and(|error| !error.is_empty());
    match &found.standing {
        Standing::NotStarted => words.push("not started".to_owned()),
        Standing::At { .. } => {
            if words.is_empty() {
                words.push(format!("at {}", checkpoint.position.to_words()));
            }
        }
        Standing::Ahead => {
            is_trouble = true;
            // First, since a narrow column cuts off the end.
            words.insert(0, "ahead of the store".to_owned());
        }
        Standing::NoSuchEvent => {
            is_trouble = true;
            words.insert(0, "no such event".to_owned());
        }
        Standing::Marked(marks) if marks.unknown > 0 => {
            is_trouble = true;
            words.insert(0, format!("marks of no event: {}", grouped(marks.unknown)));
        }
        Standing::Marked(marks) => words.push(format!("{} events marked", grouped(marks.events))),
    }
    (words.join(" · "), is_trouble)
}

/// What is known of a checkpoint, a line each.
fn detail_words(found: &CheckpointAt, zone: crate::model::Zone) -> Vec<String> {
    let checkpoint = &found.checkpoint;
    let mut lines = vec![match &found.standing {
        Standing::At { count, .. } => {
            format!(
                "{} in {}: after event {}",
                checkpoint.position.to_words(),
                checkpoint.table,
                grouped(*count)
            )
        }
        Standing::Marked(marks) => {
            format!("{}: the last event marked is {}", checkpoint.table, grouped(marks.last))
        }
        Standing::NotStarted | Standing::Ahead | Standing::NoSuchEvent => {
            format!("{} in {}", checkpoint.position.to_words(), checkpoint.table)
        }
    }];
    lines.extend(checkpoint.error.iter().filter(|error| !error.is_empty()).map(ToString::to_string));
    lines.extend(checkpoint.time.map(|time| format!("written {}", time.to_display(zone))));
    let handled = found.lag.and_then(|lag| lag.handled);
    lines.extend(handled.map(|handled| format!("{} events it handles are not taken in", grouped(handled))));
    lines
}

/// "12 events · 3 hours".
fn lag_words(found: &CheckpointAt) -> String {
    let Some(Lag { events, nanos, .. }) = found.lag else { return String::new() };
    match (events, nanos.filter(|nanos| *nanos > 0)) {
        (0, _) => "none".to_owned(),
        (1, None) => "1 event".to_owned(),
        (1, Some(nanos)) => format!("1 event · {}", span_words(nanos)),
        (many, None) => format!("{} events", grouped(many)),
        (many, Some(nanos)) => format!("{} events · {}", grouped(many), span_words(nanos)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{lag_words, status_words};
    use crate::{
        model::{Checkpoint, Stored},
        projection::{CheckpointAt, Lag, Marks, Standing},
    };

    fn check(status: Option<&str>, standing: Standing, lag: Option<Lag>, expected: (&str, bool, &str)) {
        let checkpoint = Checkpoint {
            table: "checkpoints".into(),
            projection: "orders".into(),
            position: Stored::Integer(12),
            status: status.map(Arc::from),
            error: None,
            time: None,
            marks: None,
        };
        let found = CheckpointAt { checkpoint, standing, lag };
        let (words, is_trouble) = status_words(&found);
        let lag = lag_words(&found).replace('\u{2009}', " ");
        assert_eq!((words.as_str(), is_trouble, lag.as_str()), expected);
    }

    #[test]
    fn a_checkpoint_says_how_it_stands() {
        let at = || Standing::At { count: 12, is_exact: true };
        let lag = |events, nanos| Some(Lag { events, handled: None, nanos });
        check(None, at(), lag(0, None), ("at 12", false, "none"));
        check(
            Some("running"),
            at(),
            lag(1, Some(7_200_000_000_000)),
            ("running", false, "1 event · 2 hours"),
        );
        check(
            Some("FAILED"),
            at(),
            lag(1200, Some(90_000_000_000_000)),
            ("FAILED", true, "1 200 events · 1 day"),
        );
        check(Some("running"), Standing::Ahead, None, ("ahead of the store · running", true, ""));
        check(None, Standing::NoSuchEvent, None, ("no such event", true, ""));
        check(None, Standing::NotStarted, lag(3, Some(0)), ("not started", false, "3 events"));
        let marks = Marks { events: 70, unknown: 1, ..Marks::default() };
        check(None, Standing::Marked(marks), None, ("marks of no event: 1", true, ""));
    }
}
