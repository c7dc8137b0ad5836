//! What a source declares.

use std::sync::Arc;

use crate::{
    model::Json,
    script::{options::EngineVersion, source_scan::calls_any},
};

/// What a projection declares about itself by being loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definition {
    /// It asked for all streams by `fromAll`.
    pub all_streams: bool,
    /// Events of types without a handler of their own reach it, too.
    pub all_events: bool,
    /// Categories whose streams it reads.
    pub categories: Vec<Arc<str>>,
    /// Streams that it reads; `$ce-` names stand for categories.
    pub streams: Vec<Arc<str>>,
    /// Event types with a handler, in the order written.
    pub events: Vec<Arc<str>>,
    /// It keeps one state for each stream.
    pub by_streams: bool,
    /// It computes the partition of each event.
    pub by_custom_partitions: bool,
    /// It keeps a state that all partitions share.
    pub bi_state: bool,
    /// It called `when`.
    pub defines_handlers: bool,
    /// It transforms its state into a result.
    pub defines_state_transform: bool,
    /// It asked for results.
    pub produces_results: bool,
    /// It calls a function that writes events.
    pub emits_events: bool,
    /// It handles the deletion of streams.
    pub handles_deleted: bool,
    /// It wants links, too.
    pub include_links: bool,
    /// The stream for its results.
    pub result_stream: Option<Arc<str>>,
    /// The pattern for the streams of the partitions' results.
    pub result_pattern: Option<Arc<str>>,
    /// Events of several streams are to be sorted.
    pub reorder_events: bool,
    /// How long sorting may wait, in milliseconds.
    pub processing_lag: Option<i64>,
}

/// The streams of a category.
const CATEGORY_STREAM: &str = "$ce-";

impl Definition {
    /// What is there before the source has said anything.
    pub(crate) fn new(text: &str) -> Self {
        let emits_events = calls_any(text, &["emit", "linkTo", "linkStreamTo", "copyTo"]);
        Self { all_events: true, emits_events, ..Self::default() }
    }

    /// Whether the source reads that stream.
    #[must_use]
    pub fn reads(&self, stream: &str) -> bool {
        let is_in = |category: &str| stream.strip_prefix(category).is_some_and(|rest| rest.starts_with('-'));
        if self.all_streams {
            return true;
        }
        if !self.categories.is_empty() {
            return self.categories.iter().any(|category| is_in(category));
        }
        if self.streams.is_empty() {
            return true;
        }
        let categories: Vec<&str> =
            self.streams.iter().filter_map(|name| name.strip_prefix(CATEGORY_STREAM)).collect();
        if categories.len() == self.streams.len() {
            return categories.into_iter().any(is_in);
        }
        self.streams.iter().any(|name| **name == *stream)
    }

    /// Why it cannot run, if so.
    pub(crate) fn check(&self, engine: EngineVersion) -> Result<(), &'static str> {
        if self.handles_deleted && !self.by_streams {
            return Err("$deleted needs foreachStream");
        }
        if self.reorder_events && engine == EngineVersion::V1 {
            if self.all_streams || self.streams.len() < 2 {
                return Err("reorderEvents needs fromStreams with two or more streams");
            }
            if self.processing_lag.is_none_or(|lag| lag < 50) {
                return Err("reorderEvents needs a processingLag of 50 or more");
            }
        }
        Ok(())
    }

    /// The definition as conformance cases write it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let list = |names: &[Arc<str>]| {
            if names.is_empty() { Json::Null } else { Json::array(names.iter().cloned().map(Json::from)) }
        };
        Json::object([
            ("allStreams", Json::from(self.all_streams)),
            ("allEvents", Json::from(self.all_events)),
            ("categories", list(&self.categories)),
            ("streams", list(&self.streams)),
            ("events", list(&self.events)),
            ("byStreams", Json::from(self.by_streams)),
            ("byCustomPartitions", Json::from(self.by_custom_partitions)),
            ("biState", Json::from(self.bi_state)),
            ("definesHandlers", Json::from(self.defines_handlers)),
            ("definesStateTransform", Json::from(self.defines_state_transform)),
            ("producesResults", Json::from(self.produces_results)),
            ("emitsEvents", Json::from(self.emits_events)),
            ("handlesDeletedNotifications", Json::from(self.handles_deleted)),
            ("includeLinks", Json::from(self.include_links)),
            ("resultStreamName", Json::from(self.result_stream.clone())),
            ("partitionResultStreamNamePattern", Json::from(self.result_pattern.clone())),
            ("reorderEvents", Json::from(self.reorder_events)),
            ("processingLag", Json::from(self.processing_lag)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::Definition;

    fn check(categories: &[&str], streams: &[&str], stream: &str, expected: bool) {
        let list = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let definition =
            Definition { categories: list(categories), streams: list(streams), ..Definition::new("") };
        assert_eq!(definition.reads(stream), expected, "{categories:?} {streams:?} {stream}");
    }

    #[test]
    fn streams_are_matched_by_category_or_name() {
        check(&[], &[], "any", true);
        check(&["van"], &[], "van-1", true);
        check(&["van"], &[], "vans-1", false);
        check(&["van"], &["left"], "left", false);
        check(&[], &["$ce-van", "$ce-car"], "car-1", true);
        check(&[], &["$ce-van", "car"], "van-1", false);
        check(&[], &["$ce-van", "car"], "car", true);
    }
}
