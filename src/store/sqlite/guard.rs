//! What a connection of ours may do: read, and nothing else.

use rusqlite::{
    Connection,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::work::Work;

/// Steps of SQLite's machine between two looks at whether the work is still wanted: well below a
/// millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 5_000;

/// Pragmas that tell something as long as no value is given; a value would set it.
const TELLING: [&str; 11] = [
    "application_id",
    "collation_list",
    "database_list",
    "encoding",
    "freelist_count",
    "function_list",
    "journal_mode",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];

/// Pragmas whose value is the table or index that they tell about.
const TELLING_ABOUT: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Bounds what statements that we did not write may ask of SQLite, whether they come from a stranger's schema
/// or from a definition.
pub(crate) fn bound_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 4_000_000)?;
    connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 200)?;
    connection.set_limit(Limit::SQLITE_LIMIT_COLUMN, 2_000)?;
    connection.set_limit(Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    Ok(())
}

/// Makes a fresh connection harmless: the schema of a stranger's file may hold views, triggers,
/// generated columns and virtual tables, and none of them may do anything.
///
/// `lenient` reads what is left of a database whose header or schema is damaged. SQLite allows
/// that only where its defensive mode is off; the file is still open for reading alone.
pub(super) fn harden(connection: &mut Connection, work: &Work, lenient: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, !lenient)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A payload of 100 MB is a payload; the default length of a billion bytes stays.
    bound_statements(connection)?;
    connection.set_limit(Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1)?;
    if lenient {
        connection.pragma_update(None, "writable_schema", true)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Mapped memory gains 5 % and kills the process when another one shortens the file.
    connection.pragma_update(None, "mmap_size", 0)?;
    obey(connection, work)?;
    connection.authorizer(Some(|context: AuthContext<'_>| allowed(&context.action)))
}

/// From now on the connection stops when this work is withdrawn.
pub(super) fn obey(connection: &mut Connection, work: &Work) -> rusqlite::Result<()> {
    let work = work.clone();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || work.is_cancelled()))
}

fn allowed(action: &AuthAction<'_>) -> Authorization {
    let is_allowed = match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is_one_of = |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            is_one_of(&TELLING_ABOUT) || (pragma_value.is_none() && is_one_of(&TELLING))
        }
        _ => false,
    };
    if is_allowed { Authorization::Allow } else { Authorization::Deny }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(connection: &Connection, sql: &str, is_allowed: bool) {
        let answer =
            connection.prepare(sql).and_then(|mut statement| statement.query([])?.next().map(|_| ()));
        assert_eq!(answer.is_ok(), is_allowed, "{sql}: {answer:?}");
    }

    #[test]
    fn only_reading_is_allowed() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        harden(&mut connection, &Work::default(), false).unwrap();
        check(&connection, "SELECT max(a) FROM t", true);
        check(&connection, "SELECT * FROM pragma_table_xinfo('t')", true);
        check(&connection, "PRAGMA table_list", true);
        for sql in [
            "INSERT INTO t VALUES (2)",
            "DELETE FROM t",
            "CREATE TABLE u (a)",
            "CREATE TEMP TABLE u (a)",
            "ATTACH '/tmp/x' AS x",
            "PRAGMA query_only = 0",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA writable_schema = 1",
            "VACUUM INTO '/tmp/x'",
            "SELECT load_extension('x')",
        ] {
            check(&connection, sql, false);
        }
    }
}
