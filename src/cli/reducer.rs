//! Which reducer makes the states that a command is about: the file that was named, else the one
//! that the project file names for the category, else the merge.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::{failure::Failure, open::Opened, output::Output, table::printable},
    project::{read_script, sections::OnFailureEntry},
    replay::{Merge, OnFailure, Reducer, Scripted},
    script::{EngineVersion, Options, Script, excerpt},
    store::index::nearest_names,
    work::Work,
};

/// The argument that names a reducer.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ReducerArgument {
    /// Reducer in JavaScript [default: the one that the project file names for the category, or the merge of all data]
    #[arg(long, value_name = "FILE")]
    pub(crate) reducer: Option<PathBuf>,
}

/// A reducer, and what is to be known of it.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) reducer: Arc<dyn Reducer>,
    /// What happens to the rest of a history when an event cannot be applied.
    pub(crate) on_failure: OnFailure,
    /// The source, for showing where it failed.
    source: Option<Arc<str>>,
}

/// So many names of event types are listed.
const NAMES: usize = 8;

impl ReducerArgument {
    /// The reducer for a stream. Says on standard error which of the stream's event types it does
    /// nothing with, and what is odd about the project file's reducers.
    pub(crate) fn choose(
        &self,
        opened: &Opened,
        stream: u32,
        output: &mut Output<'_>,
    ) -> Result<Chosen, Failure> {
        let category = opened.index.stream(stream).and_then(|info| info.name.category.clone());
        let chosen = self.of_category(opened, category.as_deref(), output)?;
        if chosen.source.is_some() {
            let unhandled = unhandled_types(opened, stream, &*chosen.reducer);
            if !unhandled.is_empty() {
                output.remark(&unhandled_words(&unhandled, category.as_deref(), &chosen.reducer.name()));
            }
        }
        Ok(chosen)
    }

    /// The reducer for the streams of a category.
    pub(crate) fn of_category(
        &self,
        opened: &Opened,
        category: Option<&str>,
        output: &mut Output<'_>,
    ) -> Result<Chosen, Failure> {
        let scripts = &opened.sections.scripts;
        let on_failure = match scripts.on_failure {
            Some(OnFailureEntry::Stop) => OnFailure::Stop,
            Some(OnFailureEntry::GoOn) | None => OnFailure::GoOn,
        };
        let named = opened.sections.reducers.get(category.unwrap_or_default());
        let path = match (&self.reducer, named) {
            (Some(path), _) => path.clone(),
            (None, Some(named)) => opened.folder.join(named),
            (None, None) => {
                warn_of_unknown_categories(opened, output);
                return Ok(Chosen {
                    reducer: Arc::new(Merge::for_category(category)),
                    on_failure,
                    source: None,
                });
            }
        };
        let engine = match scripts.engine {
            Some(engine) => EngineVersion::from_number(i64::from(u32::from(engine))).unwrap_or_default(),
            None => EngineVersion::default(),
        };
        let options = Options { engine, ..Options::frozen(scripts.seed.map(u64::from)) };
        let (reducer, source) = load(&path, &options)?;
        Ok(Chosen { reducer: Arc::new(reducer), on_failure, source: Some(source) })
    }
}

impl Chosen {
    /// The merge, for questions that no state is needed for.
    pub(crate) fn merge(category: Option<&str>) -> Self {
        Self { reducer: Arc::new(Merge::for_category(category)), on_failure: OnFailure::GoOn, source: None }
    }

    /// A failure of the reducer at an event, with the lines of source around it.
    pub(crate) fn shown(&self, failure: &crate::model::Failure) -> String {
        let lines = match &self.source {
            Some(source) if failure.line.is_some() => excerpt(source, failure),
            Some(_) | None => failure.to_string(),
        };
        lines.lines().map(printable).collect::<Vec<_>>().join("\n")
    }
}

/// Loads a reducer from a file; its name in messages is the file's own.
fn load(path: &Path, options: &Options) -> Result<(Scripted, Arc<str>), Failure> {
    let given = path.display().to_string();
    let text = read_script(path).map_err(|err| {
        Failure::trouble(err.to_string())
            .given(&given)
            .hint("give a file with a reducer or projection in JavaScript")
    })?;
    let name = path.file_name().map_or_else(|| given.clone(), |name| name.to_string_lossy().into_owned());
    match Script::load_reducer(&name, &text, options, &Work::default()) {
        Ok(script) => Ok((Scripted::new(script), text)),
        Err(err) => {
            let shown = excerpt(&text, &err.failure);
            let mut lines = shown.lines().map(str::to_owned);
            let what = lines.next().unwrap_or_default();
            Err(Failure::trouble(format!("the reducer cannot be used: {what}"))
                .given(given)
                .lines(lines)
                .hint("a reducer is ({ $init() { … }, EventType(state, event) { … } }), or a projection with foreachStream"))
        }
    }
}

/// The types of a stream's events that a reducer does nothing with.
fn unhandled_types(opened: &Opened, stream: u32, reducer: &dyn Reducer) -> Vec<Arc<str>> {
    let mut unhandled: Vec<Arc<str>> = Vec::new();
    for ordinal in opened.index.stream_events(stream) {
        let row = opened.index.row(*ordinal);
        let Some(name) = row.and_then(|row| opened.index.type_name(row.event_type)) else { continue };
        if !unhandled.contains(name) && !reducer.handles(name) {
            unhandled.push(Arc::clone(name));
        }
    }
    unhandled
}

fn unhandled_words(unhandled: &[Arc<str>], category: Option<&str>, reducer: &str) -> String {
    let mut names: Vec<String> = unhandled.iter().take(NAMES).map(|name| printable(name)).collect();
    if unhandled.len() > NAMES {
        names.push("…".to_owned());
    }
    let of = category.map(|category| format!(" of `{}`", printable(category))).unwrap_or_default();
    let types = match unhandled.len() {
        1 => format!("1 event type{of} has"),
        count => format!("{count} event types{of} have"),
    };
    format!("{types} no handler in {}: {}", printable(reducer), names.join(", "))
}

/// Says which categories of the project file the store does not have.
fn warn_of_unknown_categories(opened: &Opened, output: &mut Output<'_>) {
    let names = || opened.index.categories().iter().filter_map(|info| info.name.clone());
    for category in opened.sections.reducers.keys().filter(|category| !category.is_empty()) {
        if names().any(|name| name == *category) {
            continue;
        }
        let near = nearest_names(category, names(), 3);
        let near: Vec<String> = near.iter().map(|name| format!("`{}`", printable(name))).collect();
        let hint = if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
        let category = printable(category);
        output.remark(&format!(
            "warning: the project file has a reducer for `{category}`, which is no category{hint}"
        ));
    }
}
