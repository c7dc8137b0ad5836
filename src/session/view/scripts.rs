//! Reducers in JavaScript: which make the state, their source, what is wrong with it.

use std::sync::Arc;

use crate::{model::Failure, replay::OnFailure};

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptsView {
    /// All categories, and those that only the project file names.
    pub lines: Arc<[CategoryLine]>,
    /// The category that the editor shows.
    pub shown: Option<Arc<str>>,
    /// The category of the chosen stream.
    pub chosen: Option<Arc<str>>,
    /// The editor; `None` if the category has no reducer.
    pub editor: Option<EditorView>,
    /// The steps of the history that failed, the first of them.
    pub failures: Arc<[FailureLine]>,
    /// How many failed in all.
    pub failure_count: usize,
    /// What happens to the rest of a history when an event cannot be applied.
    pub on_failure: OnFailure,
    /// Whether the event types are still being counted.
    pub is_counting: bool,
    /// Whether a reducer is being written from the events.
    pub is_scaffolding: bool,
}

/// A category and its reducer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CategoryLine {
    /// The category; empty for streams without one.
    pub category: Arc<str>,
    /// The name of its reducer's file.
    pub file: Option<String>,
    /// What is wrong with the reducer, in a few words.
    pub trouble: Option<String>,
    /// How many event types the reducer does nothing with.
    pub unhandled: usize,
    /// Whether the editor holds text that is not in the file.
    pub is_unsaved: bool,
    /// Whether the store has such a category.
    pub is_known: bool,
}

/// The editor of one reducer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditorView {
    /// Whose reducer.
    pub category: Arc<str>,
    /// The name of the file.
    pub file: String,
    /// The whole path, for the pointer.
    pub path: String,
    /// The text that the editor starts from.
    pub text: Arc<str>,
    /// Rises whenever `text` is another than the one typed.
    pub revision: u64,
    /// Whether the text is not in the file.
    pub is_unsaved: bool,
    /// Whether it is being written.
    pub is_saving: bool,
    /// Whether the file was changed elsewhere while there was unsaved text.
    pub has_conflict: bool,
    /// Why the file cannot be read or written.
    pub problem: Option<Arc<str>>,
    /// Why the newest text does not load.
    pub failure: Option<Failure>,
    /// Whether an older text of it makes the states.
    pub is_older_in_use: bool,
    /// Event types that it does nothing with.
    pub unhandled: Arc<[Arc<str>]>,
    /// Handlers whose event types the category does not have.
    pub unseen: Arc<[Arc<str>]>,
    /// Where the editor is to go: a number that rises, line and column, from 1.
    pub target: Option<(u64, u32, u32)>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureLine {
    /// How many events lie behind, this one included.
    pub count: usize,
    /// `OrderPlaced 17@order-4`
    pub label: String,
    /// Why, and where.
    pub failure: Failure,
}

/// What there is to say about the step at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepNotes {
    /// `OrderPlaced 17@order-4`
    pub label: String,
    /// Why the step failed.
    pub failure: Option<Failure>,
    /// File, line and column, three lines of the source and a caret; empty if that is not known.
    pub excerpt: String,
    /// An earlier event failed, and the history stops there.
    pub stopped_at: Option<usize>,
    /// What the reducer logged.
    pub logs: Vec<Arc<str>>,
    /// `/total: 12345678901234567890 became 12345678901234567000`
    pub roundings: Vec<String>,
}
