//! What a definition asks for that a store does not hold: a slip in a name makes an empty read model.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    projection::{Definition, Handled, Kind, Progress},
    store::index::{Index, nearest_names},
};

/// So many names help; more are a list to search through.
const NAMES: usize = 3;

/// So many names of a definition that the store does not know are told one by one.
const MOST: usize = 5;

/// Why no event was handled although there are some, in a sentence; nothing if one was.
#[must_use]
pub fn nothing_handled(definition: &Definition, progress: &Progress, index: &Index) -> Option<String> {
    if progress.handled > 0 || progress.failed > 0 || progress.count == 0 {
        return None;
    }
    let mut why = format!("{} handled none of {} events", definition.name, progress.count);
    for sentence in unknown_names(definition, index) {
        why.push_str("; ");
        why.push_str(&sentence);
    }
    Some(why)
}

/// What is to be said of a rebuild beside what it made: that nothing was handled, or which event types of the
/// definition the store does not have.
#[must_use]
pub fn remarks(definition: &Definition, progress: &Progress, index: &Index) -> Vec<Arc<str>> {
    if let Some(why) = nothing_handled(definition, progress, index) {
        return vec![why.into()];
    }
    if progress.count == 0 {
        return Vec::new();
    }
    // Where events were handled their category is known.
    unknown_types(&names(definition).1, index).into_iter().map(Arc::from).collect()
}

/// At most so many events of a store reach a definition's handlers, as far as their names tell.
#[must_use]
pub fn most_handled(definition: &Definition, index: &Index) -> u64 {
    let all = index.len() as u64;
    let (categories, types) = names(definition);
    let takes_all = match &definition.kind {
        Kind::Sql(_) => false,
        Kind::Script(script) => script.definition().all_events,
    };
    let of_types = || {
        let infos = index.types().iter().filter(|info| types.contains(&info.name));
        infos.map(|info| info.events).sum()
    };
    let of_categories = || {
        let is_one = |name: &Option<Arc<str>>| name.as_ref().is_some_and(|name| categories.contains(name));
        index.categories().iter().filter(|info| is_one(&info.name)).map(|info| info.events).sum()
    };
    let by_types = if takes_all { all } else { of_types() };
    if categories.is_empty() { by_types } else { by_types.min(of_categories()) }
}

/// The category and the event types that a definition asks for and the store does not have, each in a sentence
/// with the names that come near.
fn unknown_names(definition: &Definition, index: &Index) -> Vec<String> {
    let known: Vec<Arc<str>> = index.categories().iter().filter_map(|info| info.name.clone()).collect();
    let (categories, types) = names(definition);
    let mut sentences = unknown("category", &categories, &known);
    sentences.extend(unknown_types(&types, index));
    sentences
}

fn unknown_types(own: &BTreeSet<Arc<str>>, index: &Index) -> Vec<String> {
    let known: Vec<Arc<str>> = index.types().iter().map(|info| Arc::clone(&info.name)).collect();
    unknown("event type", own, &known)
}

/// Those names of one kind that are not known, in sentences.
fn unknown(kind: &str, own: &BTreeSet<Arc<str>>, known: &[Arc<str>]) -> Vec<String> {
    let unknown: Vec<&Arc<str>> = own.iter().filter(|name| !known.contains(name)).collect();
    let sentence = |name: &&Arc<str>| {
        let mut near = nearest_names(name, known.iter().cloned(), NAMES);
        if near.is_empty() && known.len() <= NAMES {
            near = known.to_vec();
        }
        let near = near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let near = if near.is_empty() { String::new() } else { format!(", but {near}") };
        format!("the store has no {kind} `{name}`{near}")
    };
    let mut sentences: Vec<String> = unknown.iter().take(MOST).map(sentence).collect();
    if let Some(more) = unknown.len().checked_sub(MOST).filter(|more| *more > 0) {
        sentences.push(format!("{more} more of its names are unknown here"));
    }
    sentences
}

/// The categories and the event types that a definition names.
fn names(definition: &Definition) -> (BTreeSet<Arc<str>>, BTreeSet<Arc<str>>) {
    match &definition.kind {
        Kind::Sql(_) => {
            let handled = Handled::by(definition).unwrap_or_default();
            (handled.category.into_iter().collect(), handled.types)
        }
        Kind::Script(script) => {
            let own = script.definition();
            let of_streams = own.streams.iter().filter_map(|name| name.strip_prefix("$ce-")).map(Arc::from);
            let categories = own.categories.iter().cloned().chain(of_streams).collect();
            let types = script.handled_types().iter().filter(|name| !name.starts_with('$')).cloned();
            (categories, types.collect())
        }
    }
}
