//! A branch as a case for tests: given these events, when those happen, then this is the state.

use std::{
    ops::{ControlFlow, Range},
    sync::Arc,
};

use crate::{
    model::{Failure, Json, RecordedEvent, Timestamp},
    replay::{
        branch::{Branch, Content},
        branch_events::Plan,
        compare::Pair,
        history::History,
        step::Outcome,
    },
    store::StoreResult,
    work::Work,
};

/// The branch as JSON: `given` are the events before its first edit, `when` those from there to its
/// last one, `then` what the reducer makes of it.
///
/// Where events are only left out, `when` is the event that follows: something must happen to see
/// what they did.
pub fn test_case(branch: &Branch, plan: &Plan, pair: &Pair, work: &Work) -> StoreResult<Json> {
    let [_, history] = &pair.sides;
    let first = plan.untouched().min(history.len());
    let last = match plan.last_touched() {
        Some((count, true)) if count == first => count + 1,
        Some((count, _)) => count,
        None => first,
    };
    let last = last.clamp(first, history.len());
    let when = first..last;
    let (then, failed) = outcome(history, when.clone(), work)?;
    let (end, _) = outcome(history, history.len()..history.len(), work)?;
    let edits = branch.edits.iter().filter(|edit| edit.is_on).map(|edit| edit.kind.to_json());
    Ok(Json::object([
        ("name", Json::from(Arc::clone(&branch.name))),
        ("stream", Json::from(Arc::clone(&branch.stream))),
        ("reducer", Json::from(history.reducer().name())),
        ("edits", Json::array(edits)),
        ("given", events(history, 0..first, work)?),
        ("when", events(history, when, work)?),
        ("then", Json::object([("state", then), ("failed", Json::array(failed))])),
        ("afterwards", Json::object([("events", Json::from(history.len() - last)), ("state", end)])),
    ]))
}

fn events(history: &History, range: Range<usize>, work: &Work) -> StoreResult<Json> {
    let mut found = Vec::new();
    history.events().visit(range, work, &mut |_, event| {
        found.extend(event.as_ref().map(event_json));
        ControlFlow::Continue(())
    })?;
    Ok(Json::array(found))
}

fn event_json(event: &RecordedEvent) -> Json {
    let version = event.version.map(|version| version.0);
    let content = Content::of(event).to_json();
    let own = content.as_object().into_iter().flat_map(|object| object.iter());
    let members = [("version".into(), Json::from(version))]
        .into_iter()
        .chain(own.map(|(name, value)| (Arc::clone(name), value.clone())))
        .chain([("time".into(), Json::from(event.time.map(Timestamp::to_rfc3339)))]);
    Json::object(members)
}

/// The state after a range, and which of its events failed.
fn outcome(history: &History, range: Range<usize>, work: &Work) -> StoreResult<(Json, Vec<Json>)> {
    let mut state = history.step_at(range.start, work)?.after;
    let mut failed = Vec::new();
    history.walk(range, work, &mut |step| {
        if let (Outcome::Failed(failure), Some(event)) = (&step.outcome, &step.event) {
            failed.push(failure_json(event, failure));
        }
        state = step.after;
        ControlFlow::Continue(())
    })?;
    Ok((state, failed))
}

fn failure_json(event: &RecordedEvent, failure: &Failure) -> Json {
    Json::object([
        ("version", Json::from(event.version.map(|version| version.0))),
        ("type", Json::from(Arc::clone(&event.event_type))),
        ("message", Json::from(Arc::clone(&failure.message))),
        ("line", Json::from(failure.line.map(i64::from))),
        ("column", Json::from(failure.column.map(i64::from))),
    ])
}
