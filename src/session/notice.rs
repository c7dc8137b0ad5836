//! Errors turned into what people read: what happened, and what to do. The one place that does so.

use std::{sync::Arc, time::Duration};

use crate::{
    project::{ProjectError, open::OpenError},
    publish::PublishError,
    replay::Fault,
    session::{
        action::Action,
        view::{Notice, Offer, Severity, grouped},
    },
    store::StoreError,
};

/// What people read of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One sentence without full stop.
    pub title: String,
    /// What exactly happened; may be empty.
    pub detail: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// The notices on screen.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: Vec<(Notice, Duration)>,
    next: u64,
}

impl Notices {
    /// A notice that is only good to know goes by itself after this time.
    const INFO_STAYS: Duration = Duration::from_secs(6);

    /// No more than these are shown; the oldest goes.
    const MOST: usize = 5;

    pub(crate) fn info(&mut self, title: impl Into<String>) {
        self.push(Severity::Info, Words { title: title.into(), detail: String::new(), hint: String::new() });
    }

    /// Something was done that can be taken back.
    pub(crate) fn undoable(&mut self, title: impl Into<String>, undo: Action) {
        self.info(title);
        if let Some((notice, _)) = self.shown.last_mut() {
            notice.offer = Some(Offer { label: "Undo", action: Box::new(undo) });
        }
    }

    pub(crate) fn warning(
        &mut self,
        title: impl Into<String>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Warning, Words { title: title.into(), detail: detail.into(), hint: hint.into() });
    }

    pub(crate) fn error(
        &mut self,
        title: impl Into<String>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Error, Words { title: title.into(), detail: detail.into(), hint: hint.into() });
    }

    pub(crate) fn store_error(&mut self, err: &StoreError) {
        if let Some(words) = store_words(err) {
            self.push(Severity::Error, words);
        }
    }

    pub(crate) fn open_error(&mut self, err: &OpenError) {
        if let Some(words) = open_words(err) {
            self.push(Severity::Error, words);
        }
    }

    pub(crate) fn project_error(&mut self, err: &ProjectError) {
        self.error(
            "The project file cannot be written",
            chain(err),
            "What you decided stays until you close the store; correct the file or its folder's permissions",
        );
    }

    pub(crate) fn crash(&mut self, doing: &str, text: &str) {
        self.error(
            format!("{doing} broke off"),
            text,
            "This is a fault of Timeglass; the store is untouched and the rest goes on working",
        );
    }

    pub(crate) fn dismiss(&mut self, id: u64) {
        self.shown.retain(|(notice, _)| notice.id != id);
    }

    pub(crate) fn age(&mut self, elapsed: Duration) {
        for (_, age) in &mut self.shown {
            *age += elapsed;
        }
        self.shown.retain(|(notice, age)| notice.severity != Severity::Info || *age < Self::INFO_STAYS);
    }

    /// Whether any goes by itself when time has passed.
    pub(crate) fn need_time(&self) -> bool {
        self.shown.iter().any(|(notice, _)| notice.severity == Severity::Info)
    }

    pub(crate) fn view(&self) -> Arc<[Notice]> {
        self.shown.iter().map(|(notice, _)| notice.clone()).collect()
    }

    fn push(&mut self, severity: Severity, Words { title, detail, hint }: Words) {
        // The same trouble again is the same notice: a broken file must not fill the window.
        self.shown.retain(|(notice, _)| notice.title != title || notice.detail != detail);
        self.next += 1;
        let notice = Notice { id: self.next, severity, title, detail, hint, offer: None };
        self.shown.push((notice, Duration::ZERO));
        if self.shown.len() > Self::MOST {
            self.shown.remove(0);
        }
    }
}

/// What people read of an expression that failed somewhere along a history: said once, with the
/// first event it happened at.
#[must_use]
pub fn fault_words(fault: &Fault) -> String {
    let place = if fault.count == 0 { "before the first event" } else { "at" };
    let event = if fault.count > 0 { format!(" {}", fault.event) } else { String::new() };
    let more = match fault.times {
        0 | 1 => String::new(),
        times => format!(" and {} more", grouped(times - 1)),
    };
    format!("{} ({place}{event}{more})", fault.failure)
}

/// What people read of a failed opening; nothing if it was withdrawn.
#[must_use]
pub fn open_words(err: &OpenError) -> Option<Words> {
    match err {
        OpenError::Store(err) => store_words(err),
        OpenError::Project(err) => Some(Words {
            title: "The project file cannot be used".to_owned(),
            detail: err.to_string(),
            hint: "Correct it, or name another one with --project".to_owned(),
        }),
        OpenError::Mapping(reason) => Some(Words {
            title: "This layout cannot be read".to_owned(),
            detail: reason.clone(),
            hint: "Choose other columns in View › Change the layout…".to_owned(),
        }),
    }
}

/// What people read of a store's error; nothing if the work was withdrawn.
#[must_use]
pub fn store_words(err: &StoreError) -> Option<Words> {
    let (title, hint) = match err {
        StoreError::Cancelled(_) => return None,
        StoreError::Missing { .. } => {
            ("There is no such file", "Check the path; the file may have been moved")
        }
        StoreError::IsFolder { .. } => ("This is a folder, not a database", "Choose a database file in it"),
        StoreError::Unreadable { .. } => {
            ("The file cannot be read", "Check its permissions, or copy it to a folder of yours")
        }
        StoreError::NoCopy { .. } => (
            "There is no room for a copy of the store",
            "Its writer died, and what it left unfinished can only be taken back in a copy: start with TMPDIR set \
             to a folder with as much room as the file takes",
        ),
        StoreError::Empty { .. } => {
            ("The file is empty", "A database without tables has no bytes; check that the copy is complete")
        }
        StoreError::NotSqlite { .. } => (
            "This is not a SQLite database",
            "Timeglass reads SQLite files; unpack or decrypt it first if it is one",
        ),
        StoreError::Damaged { .. } => (
            "The database is damaged here",
            "What can be read is shown; `sqlite3 FILE .recover` may save more into a new file",
        ),
        StoreError::Sqlite { .. } => {
            ("The database did not answer", "Reload with F5; if it stays, copy the file and open the copy")
        }
        StoreError::TooLarge { .. } => {
            ("This is too large to be read at once", "Choose a table instead of a view")
        }
        StoreError::Busy { .. } => {
            ("The store changes faster than it can be read", "Try again in a moment, or open a copy")
        }
    };
    Some(Words { title: title.to_owned(), detail: chain(err), hint: hint.to_owned() })
}

/// What people read of a publication that did not happen; nothing if they stopped it.
#[must_use]
pub fn publish_words(err: &PublishError) -> Option<Words> {
    let (title, hint) = match err {
        PublishError::Cancelled(_) => return None,
        PublishError::Store(err) => return store_words(err),
        PublishError::Locked { .. } => ("The store is locked", "Unlock it by typing its name"),
        PublishError::ReadOnly { .. } => {
            ("The store cannot be written", "Check the permissions of the file and its folder")
        }
        PublishError::Busy { .. } => {
            ("Another program is using the store", "Try again when it has finished, or stop it for a moment")
        }
        PublishError::Moved { .. } => {
            ("The store has moved since the dry run", "Take in what is new, and look at the list again")
        }
        PublishError::RowMoved { .. } => {
            ("A row is not what it was", "Another program has changed it; look at the list again")
        }
        PublishError::Target { .. } => ("This table is not written", ""),
        PublishError::Refused { .. } | PublishError::Orphans { .. } => {
            ("The table does not take the rows", "The definition makes rows that the table was not made for")
        }
        PublishError::NotVerified { .. } => {
            ("What was written did not read back", "It was taken back; check the disk")
        }
        PublishError::BackupExists { .. } | PublishError::Backup { .. } => {
            ("The backup cannot be made", "Choose another place for it")
        }
        PublishError::Damaged { .. } => (
            "The database is damaged",
            "A damaged store is not written; `sqlite3 FILE .recover` may save what is left",
        ),
        PublishError::Sqlite { .. } => ("The database did not take it", "Try again; the store is as it was"),
    };
    let detail = format!("{}. Nothing was written", chain(err));
    Some(Words { title: title.to_owned(), detail, hint: hint.to_owned() })
}

/// An error and what caused it, on one line.
#[must_use]
pub fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
