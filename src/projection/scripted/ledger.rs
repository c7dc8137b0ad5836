//! How far a run of a script came, kept beside what it made.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, params};

use crate::{
    model::{EventKey, Failure, Json, KeyPart},
    projection::{EventFailure, Progress},
};

/// So many failures are named in a [`Progress`].
const NAMED: i64 = 100;

/// What is written at the end of each batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// Which definition ran, and over what.
    pub(super) identity: Arc<str>,
    pub(super) progress: Progress,
    /// The last event that lies behind.
    pub(super) last: Option<EventKey>,
    /// What it is, so that no other is taken for it.
    pub(super) last_label: Arc<str>,
    /// Whether states are all that the next event depends on.
    pub(super) is_resumable: bool,
    /// The shared state with the place of its last whole one, its bytes, and the deltas since.
    pub(super) shared: Option<(Json, u64, usize, u32)>,
}

impl Ledger {
    /// What the last whole batch left; nothing if there was none.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut statement = connection.prepare("SELECT name, value FROM timeglass_run")?;
        let entries = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let entries: BTreeMap<String, String> = entries.collect::<rusqlite::Result<_>>()?;
        let Some(identity) = entries.get("identity") else { return Ok(None) };
        let text = |name: &str| entries.get(name).map(String::as_str).unwrap_or_default();
        let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
        let shared = entries.get("shared").and_then(|state| Json::parse(state.as_bytes()).ok());
        let shared = shared.map(|state| {
            let bytes = usize::try_from(number("shared_bytes")).unwrap_or(usize::MAX);
            (state, number("shared_whole"), bytes, number("shared_deltas") as u32)
        });
        Ok(Some(Self {
            identity: identity.as_str().into(),
            progress: Progress {
                count: number("count"),
                handled: number("handled"),
                failures: failures(connection, NAMED)?,
                failed: number("failed"),
                is_complete: text("is_complete") == "yes",
            },
            last: entries.get("last").and_then(|text| read_key(text)),
            last_label: text("last_label").into(),
            is_resumable: text("is_resumable") == "yes",
            shared,
        }))
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO timeglass_run VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?;
        let mut put = |name: &str, value: &str| statement.execute(params![name, value]).map(|_| ());
        let yes = |is: bool| if is { "yes" } else { "no" };
        put("identity", &self.identity)?;
        put("count", &self.progress.count.to_string())?;
        put("handled", &self.progress.handled.to_string())?;
        put("failed", &self.progress.failed.to_string())?;
        put("is_complete", yes(self.progress.is_complete))?;
        put("is_resumable", yes(self.is_resumable))?;
        if let Some(last) = &self.last {
            put("last", &key_text(last))?;
            put("last_label", &self.last_label)?;
        }
        if let Some((state, whole, bytes, deltas)) = &self.shared {
            put("shared", &state.to_compact())?;
            put("shared_whole", &whole.to_string())?;
            put("shared_bytes", &bytes.to_string())?;
            put("shared_deltas", &deltas.to_string())?;
        }
        Ok(())
    }
}

/// Forgets the failures of events that do not lie behind yet: they are met again.
pub(super) fn forget_failures_ahead(connection: &Connection, count: u64) -> rusqlite::Result<u64> {
    let gone = connection.execute("DELETE FROM timeglass_fault WHERE count >= ?1", [count as i64])?;
    Ok(gone as u64)
}

fn failures(connection: &Connection, most: i64) -> rusqlite::Result<Vec<EventFailure>> {
    let mut statement = connection.prepare(
        "SELECT count, event, handler, message, file, line, col FROM timeglass_fault ORDER BY number LIMIT ?1",
    )?;
    let found = statement.query_map([most], |row| {
        let (file, line) = (row.get::<_, Option<Arc<str>>>(4)?, row.get(5)?);
        let failure = Failure { message: row.get(3)?, file, line, column: row.get(6)? };
        Ok(event_failure(row.get::<_, i64>(0)? as u64, &row.get::<_, String>(1)?, row.get(2)?, &failure))
    })?;
    found.collect()
}

/// A failure as the progress names it.
pub(super) fn event_failure(count: u64, event: &str, handler: Arc<str>, failure: &Failure) -> EventFailure {
    EventFailure {
        count,
        event: event.into(),
        directive: handler,
        line: failure.line,
        message: Arc::clone(&failure.message),
    }
}

/// How many failures a [`Progress`] names.
pub(super) fn names_another(progress: &Progress) -> bool {
    progress.failures.len() < NAMED as usize
}

fn key_text(key: &EventKey) -> String {
    let part = |part: &KeyPart| match part {
        KeyPart::Null => Json::Null,
        KeyPart::Integer(number) => Json::from(*number),
        KeyPart::Text(text) => Json::Text(Arc::clone(text)),
        KeyPart::Blob(bytes) => Json::array(bytes.iter().map(|byte| Json::from(i64::from(*byte)))),
    };
    Json::array(key.0.iter().map(part)).to_compact()
}

fn read_key(text: &str) -> Option<EventKey> {
    let json = Json::parse(text.as_bytes()).ok()?;
    let byte = |json: &Json| match json {
        Json::Number(number) => u8::try_from(number.as_i64()?).ok(),
        _ => None,
    };
    let part = |json: &Json| match json {
        Json::Null => Some(KeyPart::Null),
        Json::Number(number) => number.as_i64().map(KeyPart::Integer),
        Json::Text(text) => Some(KeyPart::Text(Arc::clone(text))),
        Json::Array(bytes) => bytes.iter().map(byte).collect::<Option<Arc<[u8]>>>().map(KeyPart::Blob),
        Json::Bool(_) | Json::Object(_) => None,
    };
    json.as_array()?.iter().map(part).collect::<Option<Arc<[_]>>>().map(EventKey)
}

#[cfg(test)]
mod tests {
    use super::{key_text, read_key};
    use crate::model::{EventKey, KeyPart};

    fn check(parts: &[KeyPart], text: &str) {
        let key = EventKey(parts.into());
        assert_eq!(key_text(&key), text);
        assert_eq!(read_key(text), Some(key));
    }

    #[test]
    fn keys_are_kept_as_text() {
        check(&[KeyPart::Integer(-7)], "[-7]");
        let parts = [KeyPart::Null, KeyPart::Text("a\"b".into()), KeyPart::Blob(Vec::from([0, 255]).into())];
        check(&parts, r#"[null,"a\"b",[0,255]]"#);
        assert_eq!(read_key("[true]"), None);
        assert_eq!(read_key("[[256]]"), None);
    }
}
