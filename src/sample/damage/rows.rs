//! Damage to rows, by one statement each.

use rusqlite::{OptionalExtension as _, params};

use crate::sample::{Damage, DamageKind, SampleError, damage::Vandal};

/// An event to damage.
struct Victim {
    position: i64,
    version: i64,
    time: String,
}

/// Streams by name, with the price of damaging their last event: it is nothing where no later
/// snapshot and no read model depends on that event.
const STREAMS: &str = "
SELECT stream,
       (stream LIKE 'order-%') + 2 * (coalesce((
         SELECT max(version) FROM snapshots WHERE snapshots.stream = events.stream), 0) >= max(version))
FROM events WHERE stream IS NOT NULL GROUP BY stream HAVING count(*) >= 3 AND min(position) > 1
ORDER BY stream";

const CAUSED_STREAMS: &str = "
SELECT stream, stream LIKE 'order-%'
FROM events AS event
WHERE metadata LIKE '%\"causation_id\"%' AND version >= 3
  AND version = (SELECT max(version) FROM events WHERE stream = event.stream)
ORDER BY stream";

const SNAPSHOTS: &str = "
SELECT stream || '@' || version, 0 FROM snapshots ORDER BY stream, version";

const LATEST_SNAPSHOTS: &str = "
SELECT stream || '@' || max(version), 0 FROM snapshots GROUP BY stream ORDER BY stream";

/// Leaves of the events table, not the first: there are whole pages before and after.
const PAGES: &str = "
SELECT CAST(pageno AS TEXT), 0 FROM dbstat WHERE name = 'events' AND pagetype = 'leaf'
ORDER BY pageno LIMIT -1 OFFSET 1";

const NO_STREAM: &str = "it has no stream of three events that is still whole";
const NO_SNAPSHOT: &str = "it has no snapshot that is still whole";
const NO_READ_MODEL: &str = "this shape has no read model";

/// Damages one place.
pub(super) fn damage(vandal: &mut Vandal<'_>, kind: DamageKind) -> Result<Damage, SampleError> {
    match kind {
        DamageKind::VersionGap
        | DamageKind::DuplicateVersion
        | DamageKind::DuplicatePosition
        | DamageKind::TimeBackwards
        | DamageKind::InvalidJson
        | DamageKind::InvalidUtf8
        | DamageKind::NullStream
        | DamageKind::UnknownType => {
            let stream = vandal.pick(kind, NO_STREAM, STREAMS)?;
            damage_event(vandal, kind, &stream)
        }
        DamageKind::DanglingCausation => {
            let lacks = "no event at the end of a stream of three was caused by another";
            let stream = vandal.pick(kind, lacks, CAUSED_STREAMS)?;
            damage_event(vandal, kind, &stream)
        }
        DamageKind::SnapshotMismatch | DamageKind::SnapshotAhead | DamageKind::SnapshotOrphan => {
            damage_snapshot(vandal, kind)
        }
        DamageKind::ReadModelMismatch | DamageKind::ReadModelMissingRow | DamageKind::CheckpointAhead => {
            damage_read_model(vandal, kind)
        }
        DamageKind::CorruptPage | DamageKind::TruncatedFile => {
            let key = vandal.pick(kind, "its events fit on one page", PAGES)?;
            let detail = format!("page {key}, a leaf of the events table, is filled with the byte a5");
            Ok(Damage { kind, table: "events", key, stream: None, version: None, detail })
        }
    }
}

/// Damages the last event of a stream.
fn damage_event(vandal: &Vandal<'_>, kind: DamageKind, stream: &str) -> Result<Damage, SampleError> {
    let Victim { position, version, time } = last_event(vandal, stream)?;
    let (change, detail) = match kind {
        DamageKind::VersionGap => (
            "version = version + 1",
            format!("version {version} became {}; nothing has {version}", version + 1),
        ),
        DamageKind::DuplicateVersion => {
            ("version = version - 1", format!("version {version} became {}, which there was", version - 1))
        }
        DamageKind::DuplicatePosition => (
            "position = position - 1",
            format!("position {position} became {}, which there was", position - 1),
        ),
        DamageKind::TimeBackwards => (
            "recorded_at = strftime('%Y-%m-%dT%H:%M:%f', recorded_at, '-400 days') || '000Z'",
            format!("recorded 400 days before {time}"),
        ),
        DamageKind::InvalidJson => {
            ("data = substr(data, 1, length(data) / 2)", "the second half of the data is missing".to_owned())
        }
        DamageKind::InvalidUtf8 => (
            "data = CAST(CAST(substr(data, 1, 2) AS BLOB) || x'ff' || CAST(substr(data, 3) AS BLOB) AS TEXT)",
            "the third byte of the data is ff".to_owned(),
        ),
        DamageKind::NullStream => ("stream = NULL", format!("the stream {stream} became NULL")),
        DamageKind::DanglingCausation => (
            "metadata = json_set(metadata, '$.causation_id', '00000000-0000-4000-8000-000000000000')",
            "caused by 00000000-0000-4000-8000-000000000000, which there is not".to_owned(),
        ),
        _ => ("type = 'UnheardOf'", "the type became UnheardOf".to_owned()),
    };
    let sql = format!("UPDATE events SET {change} WHERE position = ?1 AND stream = ?2");
    execute(vandal, &sql, params![position, stream])?;
    Ok(Damage {
        kind,
        table: "events",
        key: position.to_string(),
        stream: Some(stream.to_owned()),
        version: Some(version),
        detail,
    })
}

fn last_event(vandal: &Vandal<'_>, stream: &str) -> Result<Victim, SampleError> {
    let sql = "SELECT position, version, recorded_at FROM events WHERE stream = ?1
               ORDER BY version DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Victim { position: row.get(0)?, version: row.get(1)?, time: row.get(2)? })
    };
    vandal.database.doing("reading an event", vandal.database.connection.query_row(sql, [stream], read))
}

fn damage_snapshot(vandal: &mut Vandal<'_>, kind: DamageKind) -> Result<Damage, SampleError> {
    let sql = if kind == DamageKind::SnapshotAhead { LATEST_SNAPSHOTS } else { SNAPSHOTS };
    let key = vandal.pick(kind, NO_SNAPSHOT, sql)?;
    let (stream, version) = key.rsplit_once('@').unwrap_or((&key, ""));
    let version: i64 = version.parse().unwrap_or_default();
    let (sql, damaged, detail) = match kind {
        DamageKind::SnapshotOrphan => {
            let kind_of_stream = stream.split('-').next().unwrap_or(stream);
            let orphan = format!("{kind_of_stream}-99999999");
            let detail = format!("a copy of the snapshot of {stream}, whose stream has no events");
            ("INSERT INTO snapshots SELECT ?3, version, state, created_at FROM snapshots", orphan, detail)
        }
        DamageKind::SnapshotAhead => (
            "UPDATE snapshots SET version = version + 1000",
            stream.to_owned(),
            format!("version {version} became {}, which the stream has not reached", version + 1000),
        ),
        _ => (
            "UPDATE snapshots SET state = CASE
               WHEN json_type(state, '$.balance_cents') IS NOT NULL
               THEN json_set(state, '$.balance_cents', json_extract(state, '$.balance_cents') + 1000)
               ELSE json_set(state, '$.status', 'tampered') END",
            stream.to_owned(),
            "one value of the state was changed: a thousand more in balance_cents, or the status".to_owned(),
        ),
    };
    // The third parameter is bound everywhere, so that one call fits all.
    let sql = format!("{sql} WHERE stream = ?1 AND version = ?2 AND ?3 IS NOT NULL");
    execute(vandal, &sql, params![stream, version, damaged])?;
    let key = format!("{damaged}@{version}");
    let stream = Some(damaged);
    Ok(Damage { kind, table: "snapshots", key, stream, version: Some(version), detail })
}

fn damage_read_model(vandal: &mut Vandal<'_>, kind: DamageKind) -> Result<Damage, SampleError> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'order_summaries'";
    let table = vandal.database.connection.query_row(sql, [], |_| Ok(())).optional();
    if vandal.database.doing("looking for the read model", table)?.is_none() {
        return Err(SampleError::NothingToDamage { kind, lacks: NO_READ_MODEL });
    }
    let (table, key_column) = match kind {
        DamageKind::CheckpointAhead => ("projection_checkpoints", "projection"),
        _ => ("order_summaries", "order_id"),
    };
    let sql = format!("SELECT {key_column}, 0 FROM {table} ORDER BY {key_column}");
    let key = vandal.pick(kind, "it has no row that is still whole", &sql)?;
    let (sql, stream, detail) = match kind {
        DamageKind::CheckpointAhead => (
            "UPDATE projection_checkpoints SET position = position + 1000 WHERE projection = ?1",
            None,
            "the checkpoint is a thousand positions beyond the last event",
        ),
        DamageKind::ReadModelMissingRow => (
            "DELETE FROM order_summaries WHERE order_id = ?1",
            Some(key.clone()),
            "the row of this order was deleted",
        ),
        _ => (
            "UPDATE order_summaries SET total_cents = total_cents + 1000 WHERE order_id = ?1",
            Some(key.clone()),
            "total_cents is a thousand too high",
        ),
    };
    execute(vandal, sql, params![key])?;
    Ok(Damage { kind, table, key, stream, version: None, detail: detail.to_owned() })
}

fn execute(vandal: &Vandal<'_>, sql: &str, values: impl rusqlite::Params) -> Result<(), SampleError> {
    vandal.database.doing("damaging it", vandal.database.connection.execute(sql, values)).map(drop)
}
