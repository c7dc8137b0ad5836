//! What concerns the window as a whole: its screens and notices.

use std::{path::PathBuf, sync::Arc};

use crate::session::{action::Action, view::TableRow};

/// Which screen the window shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Screen {
    /// Nothing is open.
    #[default]
    Welcome,
    /// A file is being opened.
    Opening(PathBuf),
    /// A database without events.
    NoEvents(Arc<NoEventsView>),
    /// A store.
    Store,
}

/// A file opened before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentView {
    /// The file.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The folder it is in.
    pub folder: String,
}

/// A database in which no events table was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEventsView {
    /// The file.
    pub path: PathBuf,
    /// The best candidate.
    pub nearest: Option<Arc<str>>,
    /// Why it fell short.
    pub shortfalls: Vec<String>,
    /// Every table: name, kind, columns.
    pub tables: Vec<TableRow>,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; goes by itself.
    Info,
    /// Something is off, and the work goes on.
    Warning,
    /// What was asked could not be done.
    Error,
}

/// What a notice offers to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What the button says.
    pub label: &'static str,
    /// What it does.
    pub action: Box<Action>,
}

/// What the user should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its number, for dismissing.
    pub id: u64,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence without full stop.
    pub title: String,
    /// What exactly happened; may be empty.
    pub detail: String,
    /// What to do; may be empty.
    pub hint: String,
    /// What can be done about it right here.
    pub offer: Option<Offer>,
}
