//! What columns and tables are called in the field, as data.
//!
//! Names alone decide nothing: they are one voice beside keys and values.

use crate::store::layout::Role;

/// How strongly a column's name speaks for a role, from 0 to 1.
pub(super) fn rank(role: Role, column: &str) -> f64 {
    let name = normalised(column);
    let synonyms = || synonyms(role).split(' ');
    let at = |name: &str| synonyms().position(|synonym| synonym == name);
    let full = |place: usize| 1.0 - 0.5 * place as f64 / synonyms().count().max(1) as f64;
    if let Some(place) = at(&name) {
        return full(place);
    }
    let stem = if role == Role::Time { without_unit(&name) } else { &name };
    if let Some(place) = at(stem).or_else(|| without_prefix(stem).and_then(at)) {
        return full(place) * 0.95;
    }
    let has_ending = synonyms().any(|synonym| {
        synonym.len() >= 4 && name.strip_suffix(synonym).is_some_and(|before| before.ends_with('_'))
    });
    if has_ending { 0.35 } else { 0.0 }
}

/// `aggregateId`, `Aggregate-Id`, `__aggregate_id` and `$aggregateId` become `aggregate_id`.
pub(super) fn normalised(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && before_lower {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
            before_lower = c.is_lowercase() || c.is_numeric();
        } else {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            before_lower = false;
        }
    }
    snake.truncate(snake.trim_end_matches('_').len());
    snake
}

fn without_prefix(name: &str) -> Option<&str> {
    ["event_", "message_", "evt_", "domain_event_"].iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// `occurred_at_ns` says the unit behind the name.
fn without_unit(name: &str) -> &str {
    const UNITS: [&str; 12] = [
        "_ns", "_us", "_ms", "_s", "_sec", "_seconds", "_millis", "_micros", "_nanos", "_utc", "_unix",
        "_epoch",
    ];
    UNITS.iter().find_map(|unit| name.strip_suffix(unit)).unwrap_or(name)
}

/// The strongest first.
fn synonyms(role: Role) -> &'static str {
    match role {
        Role::Stream => STREAM,
        Role::Category => CATEGORY,
        Role::Version => VERSION,
        Role::GlobalPosition => GLOBAL_POSITION,
        Role::EventType => EVENT_TYPE,
        Role::Data => DATA,
        Role::Metadata => METADATA,
        Role::Time => TIME,
        Role::EventId => EVENT_ID,
        Role::CorrelationId => CORRELATION_ID,
        Role::CausationId => CAUSATION_ID,
        Role::SchemaVersion => SCHEMA_VERSION,
        Role::Actor => ACTOR,
    }
}

const STREAM: &str = "\
    stream_id stream_name stream_uuid stream_key aggregate_id aggregator_id aggregate_uuid \
    aggregate_root_id aggregate_root_uuid aggregate_identifier aggregate_key originator_id \
    persistence_id stream_id_internal stream_id_original aid stream aggregate entity_id entity_key \
    entity_uuid saga_id process_id run_id save_id workflow_id instance_id project_key partition_key \
    identifier uuid";

const CATEGORY: &str = "\
    aggregate_type stream_type aggregate_name stream_category category entity_type \
    aggregate_root_type aggregate_class aggregate_kind entity_name type_name stream_kind \
    originator_type domain aggregate entity stream bounded_context";

const VERSION: &str = "\
    stream_version aggregate_version stream_position sequence_number aggregate_sequence_number \
    aggregate_root_version originator_version stream_revision playhead seq_nr sequence version \
    revision sequence_no event_number event_sequence seq_no entity_version position seq \
    event_version number commit_sequence offset nr";

const GLOBAL_POSITION: &str = "\
    global_position global_index global_sequence_number global_sequence global_offset \
    commit_position checkpoint_number notification_id global_id log_position ordering seq_id position \
    sequence_number event_id seq no id offset sequence number";

const EVENT_TYPE: &str = "\
    event_type message_type event_name event_class payload_type event_kind type_name topic manifest \
    ser_manifest type kind name event reason action class dotnet_type clr_type body_type fact_type";

const DATA: &str = "\
    event_data message_data payload data event_payload event_properties json_data event_json \
    domain_event event_body body event state json document properties content items serialized_event \
    event_content fact";

const METADATA: &str = "\
    metadata meta_data headers meta event_metadata json_metadata event_context event_headers \
    meta_payload context header";

const TIME: &str = "\
    occurred_at occurred_on occurred event_time recorded_at recorded_on recorded_time timestamp \
    time_stamp event_timestamp time created_at created_on created_utc created commit_stamp \
    commit_timestamp write_timestamp written_at unixtime inserted_at stored_at appended_at \
    time_of_recording happened_at ts date event_date utc";

const EVENT_ID: &str = "\
    event_id message_id event_uuid event_guid event_identifier id uuid guid identifier \
    idempotency_key commit_id idem_key";

const CORRELATION_ID: &str = "correlation_id correlation correlation_uuid conversation_id trace_id";

const CAUSATION_ID: &str = "\
    causation_id causation causation_uuid caused_by cause_id causing_event_id";

const SCHEMA_VERSION: &str = "\
    schema_version event_schema_version event_version payload_version payload_revision type_version \
    class_version event_type_version version revision schema";

const ACTOR: &str = "\
    actor actor_id user_id user username user_name created_by performed_by principal author \
    issued_by initiator initiated_by";

/// Whether one of the words separated by blanks is this one.
fn has_word(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// How a table's name speaks for it being the events table; below zero, against it.
pub(super) fn table_weight(table: &str) -> f64 {
    let name = normalised(table);
    let words: Vec<&str> = name.split('_').collect();
    let has = |list: &str| words.iter().any(|word| has_word(list, word));
    if has(AGAINST) || AGAINST_PARTS.split(' ').any(|part| name.contains(part)) {
        return -40.0;
    }
    if has(AGAINST_ALONE) {
        return if name.ends_with("_events") || name.ends_with("_journal") { 2.0 } else { -40.0 };
    }
    if ["event_store", "stored_event", "domain_event", "event_journal", "event_log"]
        .iter()
        .any(|part| name.contains(part))
    {
        return 12.0;
    }
    if has("events event journal commits eventstore eventflow eventlog") {
        return 10.0;
    }
    if has("messages message log history facts ledger stream") { 4.0 } else { 0.0 }
}

/// Words of tables that look like events and are something else.
const AGAINST: &str = "\
    snapshot snapshots outbox inbox checkpoint checkpoints projection projections archive archived \
    schema schemas migration migrations dlq head heads envelope envelopes bookmark bookmarks \
    processed attempts observations deliveries backup deleted";

/// Words that speak against a table unless it says that it holds events: `task_events`.
const AGAINST_ALONE: &str = "\
    audit audits job jobs queue queues task tasks webhook webhooks notification notifications \
    subscription subscriptions view views command commands token tokens tag tags lease leases chat \
    activity activities";

const AGAINST_PARTS: &str = "dead_letter read_model durable_state materialized";

/// Columns that belong to messages under way, to audits or to rows that change, never to events.
pub(super) fn is_foreign_column(column: &str) -> bool {
    has_word(FOREIGN, &normalised(column))
}

/// Event types that only say what was done to a row: an audit log's.
pub(super) fn is_row_verb(event_type: &str) -> bool {
    has_word(ROW_VERBS, &event_type.to_lowercase())
}

const FOREIGN: &str = "\
    status attempts attempt retry_count retries max_attempts published_at published processed_at \
    processed dispatched_at dispatched delivered_at sent_at locked_at locked_by locked_until run_at \
    scheduled_at execute_at next_attempt_at last_error owner_id destination queue priority \
    finished_at started_at completed_at old_values new_values old_value new_value changed_fields \
    changes before after updated_at deleted_at deliver_by execution_time received_at read_at \
    edited_at table_name record_id row_id sender sender_id recipient recipient_id room_id channel_id \
    chat_id conversation_id role reply_to url title";

const ROW_VERBS: &str = "\
    insert inserted update updated delete deleted create created destroy destroyed add edit remove \
    read view login logout i u d";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count() {
        for (name, expected) in [
            ("aggregateId", "aggregate_id"),
            ("AggregateSequenceNumber", "aggregate_sequence_number"),
            ("__event_type", "event_type"),
            ("$correlationId", "correlation_id"),
            ("aggregate-root-uuid", "aggregate_root_uuid"),
            ("EventFlow", "event_flow"),
            ("", ""),
            ("___", ""),
        ] {
            assert_eq!(normalised(name), expected);
        }
    }

    #[test]
    fn stronger_names_rank_higher() {
        assert!(rank(Role::Time, "occurred_at") > rank(Role::Time, "created_at"));
        assert!(rank(Role::EventType, "type") > rank(Role::EventType, "mt_dotnet_type"));
        assert!(rank(Role::Version, "aggregate_version") > rank(Role::Version, "event_version"));
        assert!(rank(Role::Stream, "room") < f64::EPSILON);
        assert!(table_weight("event_outbox") < 0.0 && table_weight("event_store") > 0.0);
    }
}
