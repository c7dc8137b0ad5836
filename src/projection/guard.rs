//! What the SQL of a projection may do: make and change tables of its own scratch database, and nothing else.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use rusqlite::{
    Connection,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::{projection::clock, store::sqlite::bound_statements, work::Work};

/// What our own tables, indexes and triggers are called like.
pub(super) const OURS: &str = "timeglass_";

/// Steps of SQLite's machine between two looks.
const STEPS_BETWEEN_LOOKS: u64 = 10_000;

/// What is said about an event that takes more.
pub(super) const TOO_LONG: &str = "it takes too long: more than 100 million steps of SQLite";

/// Steps that the statements of one event may take: a second or so.
const MOST_STEPS: u64 = 100_000_000;

/// From so many steps of one event on, a withdrawn work stops it in the middle: about a tenth of a second.
/// Below that it ends first, and nothing of the batch is lost.
const STEPS_TO_WAIT_FOR: u64 = 10_000_000;

/// The longest text or blob, in bytes.
const MOST_BYTES: i32 = 256 << 20;

/// Whose statements are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Ours: everything is allowed.
    Ours = 0,
    /// The user's, before the first event: tables, indexes, views and triggers may be made.
    Setup = 1,
    /// The user's, at an event: rows may be changed.
    Event = 2,
}

/// Holds a connection's SQL within its bounds, and knows what it asked for.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    phase: AtomicU8,
    /// Steps since the current event began.
    steps: AtomicU64,
    /// Steps since the batch began.
    batch: AtomicU64,
    /// Why something was not allowed, in words.
    refusal: Mutex<Option<Cow<'static, str>>>,
}

impl Guard {
    /// Bounds a fresh connection; it stays in [`Phase::Ours`] until told otherwise.
    pub(super) fn set_up(connection: &mut Connection, work: &Work) -> rusqlite::Result<Self> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES)?;
        bound_statements(connection)?;
        connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 50)?;
        // REPLACE deletes the row in its way, and our triggers have to see that.
        connection.pragma_update(None, "recursive_triggers", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "mmap_size", 0)?;
        let guard = Self { shared: Arc::default() };
        let (shared, work) = (Arc::clone(&guard.shared), work.clone());
        connection.progress_handler(STEPS_BETWEEN_LOOKS as i32, Some(move || shared.is_enough(&work)))?;
        let shared = Arc::clone(&guard.shared);
        connection.authorizer(Some(move |context: AuthContext<'_>| shared.authorize(&context)))?;
        clock::guard(connection)?;
        Ok(guard)
    }

    /// Whose statements are prepared from now on.
    pub(super) fn enter(&self, phase: Phase) {
        self.shared.phase.store(phase as u8, Ordering::Relaxed);
        self.refusal();
    }

    /// Runs statements of ours in the middle of an event. They are stopped only if the work is withdrawn.
    pub(super) fn as_ours<T>(&self, run: impl FnOnce() -> T) -> T {
        let before = self.shared.phase.swap(Phase::Ours as u8, Ordering::Relaxed);
        self.begin_event();
        let outcome = run();
        self.shared.phase.store(before, Ordering::Relaxed);
        outcome
    }

    /// Why the last statement was not allowed, if it was not; asked once.
    pub(super) fn refusal(&self) -> Option<Cow<'static, str>> {
        self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An event begins; its steps are counted from here.
    pub(super) fn begin_event(&self) {
        self.shared.steps.store(0, Ordering::Relaxed);
    }

    /// A batch begins.
    pub(super) fn begin_batch(&self) {
        self.shared.batch.store(0, Ordering::Relaxed);
    }

    /// About how many steps the batch has taken.
    pub(super) fn batch_steps(&self) -> u64 {
        self.shared.batch.load(Ordering::Relaxed)
    }

    /// Whether the event was stopped since it took too long.
    pub(super) fn is_too_long(&self) -> bool {
        self.shared.steps.load(Ordering::Relaxed) > MOST_STEPS
    }
}

impl Shared {
    fn is_enough(&self, work: &Work) -> bool {
        self.batch.fetch_add(STEPS_BETWEEN_LOOKS, Ordering::Relaxed);
        let steps = self.steps.fetch_add(STEPS_BETWEEN_LOOKS, Ordering::Relaxed) + STEPS_BETWEEN_LOOKS;
        if self.phase.load(Ordering::Relaxed) == Phase::Ours as u8 {
            return work.is_cancelled() && steps > STEPS_TO_WAIT_FOR;
        }
        steps > MOST_STEPS || (steps > STEPS_TO_WAIT_FOR && work.is_cancelled())
    }

    fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        let phase = self.phase.load(Ordering::Relaxed);
        // SQLite names a common table expression here as it names a trigger; `compile` lets none be called so.
        let is_our_trigger = context.accessor.is_some_and(is_ours);
        if phase == Phase::Ours as u8 || is_our_trigger {
            return Authorization::Allow;
        }
        match refuse(&context.action, phase == Phase::Setup as u8) {
            None => Authorization::Allow,
            Some(reason) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                Authorization::Deny
            }
        }
    }
}

/// Whether a name is one of ours.
pub(super) fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

/// Why an action is not allowed; nothing if it is.
fn refuse(action: &AuthAction<'_>, is_setup: bool) -> Option<Cow<'static, str>> {
    let no_files = "a projection reaches its own scratch database only";
    let table = |name: &str| {
        if name.starts_with("pragma_") || name == "dbstat" {
            let reason = format!("`{name}` tells about the database; a projection knows its own tables only");
            return Some(Cow::from(reason));
        }
        is_ours(name)
            .then(|| Cow::from(format!("`{name}` is one of our own tables: a projection cannot use it")))
    };
    let made = |name: &str| {
        if !is_setup {
            return Some("tables, indexes, views and triggers are made before the first `@on`".into());
        }
        is_ours(name).then(|| Cow::from(format!("`{name}`: names that start with `{OURS}` are ours")))
    };
    match action {
        AuthAction::Select | AuthAction::Recursive => None,
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => table(table_name),
        AuthAction::Function { function_name } => refuse_function(function_name),
        AuthAction::CreateTable { table_name } => made(table_name),
        AuthAction::CreateIndex { index_name, table_name } => made(index_name).or_else(|| table(table_name)),
        AuthAction::CreateTrigger { trigger_name, table_name } => {
            made(trigger_name).or_else(|| table(table_name))
        }
        AuthAction::CreateView { view_name } => made(view_name),
        AuthAction::Reindex { .. } if is_setup => None,
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some(no_files.into()),
        AuthAction::Pragma { pragma_name, .. } => {
            Some(format!("a projection cannot use pragmas; this is `{pragma_name}`").into())
        }
        AuthAction::CreateVtable { module_name, .. } => {
            Some(format!("a projection cannot make virtual tables; this is `{module_name}`").into())
        }
        AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempIndex { .. } => {
            Some("nothing temporary: a rebuild that is continued would miss it".into())
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("transactions are ours: each event takes effect wholly or not at all".into())
        }
        _ => Some("a projection makes tables, and inserts, updates and deletes rows; nothing else".into()),
    }
}

fn refuse_function(name: &str) -> Option<Cow<'static, str>> {
    let is_one_of = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    if is_one_of(&["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"]) {
        return Some(
            format!("`{name}` reaches files: a projection has its own scratch database only").into(),
        );
    }
    if is_one_of(&["current_timestamp", "current_time", "current_date"]) {
        return Some(clock::REFUSAL.into());
    }
    if is_one_of(&["random", "randomblob", "total_changes"]) {
        return Some(format!("`{name}` is another at each run: the same events make the same rows").into());
    }
    None
}
