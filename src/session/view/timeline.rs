//! The timeline.

use std::sync::Arc;

use crate::{
    model::Zone,
    session::{
        action::{Axis, Scope},
        scale::Scale,
    },
};

/// The timeline.
#[derive(Debug, Clone, Default)]
pub struct TimelineView {
    /// Whether there is anything to show.
    pub is_ready: bool,
    /// Density, in order; the tallest is 1.
    pub bars: Arc<Vec<TimelineBar>>,
    /// The cursor's place, 0 to 1.
    pub cursor: Option<f32>,
    /// Snapshots and troubles, by place.
    pub ticks: Arc<Vec<(f32, Tick)>>,
    /// Texts under the axis, by place.
    pub labels: Arc<Vec<(f32, String)>>,
    /// Times that were left out: place and length in words.
    pub gaps: Arc<Vec<(f32, String)>>,
    /// The two pins, by place.
    pub pins: [Option<f32>; 2],
    /// Where the cursor stands, in words: "v118 of 231 · 2024-03-02 11:04:00".
    pub place: String,
    /// What the timeline shows: the stream's name or "whole store".
    pub subject: String,
    /// The branch that it shows, instead of what was recorded.
    pub branch: Option<Arc<str>>,
    /// What it counts.
    pub axis: Axis,
    /// What it shows.
    pub scope: Scope,
    /// Whether the chosen stream can be shown.
    pub has_stream: bool,
    /// Whether the store holds times.
    pub has_times: bool,
    /// Whether long gaps are left out.
    pub is_collapsed: bool,
    /// Whether the cursor moves on with new events.
    pub is_following: bool,
    /// Whether it moves on by itself.
    pub is_playing: bool,
    /// Events a second while playing.
    pub speed: u32,
    /// Whether it can step back, and forward.
    pub can_step: (bool, bool),
    /// Turns a place into words, for the pointer.
    pub scale: Arc<Scale>,
    /// In which zone times are shown.
    pub zone: Zone,
}

/// A bar of the timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelineBar {
    /// Where it begins, 0 to 1.
    pub from: f32,
    /// Where it ends; of a single event, where it begins.
    pub to: f32,
    /// Its height, 0 to 1.
    pub height: f32,
}

impl TimelineBar {
    /// A bar of one moment.
    #[must_use]
    pub fn at(place: f32, height: f32) -> Self {
        Self { from: place, to: place, height }
    }

    /// The bar of one of so many equal parts.
    #[must_use]
    pub fn of_part(number: usize, parts: usize, height: f32) -> Self {
        let edge = |number: usize| number as f32 / parts.max(1) as f32;
        Self { from: edge(number), to: edge(number + 1), height }
    }
}

/// What a tick marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// A stored snapshot.
    Snapshot,
    /// One that is not what the events make.
    WrongSnapshot,
    /// A step that failed.
    Trouble,
    /// A hit of the condition.
    Hit,
    /// An event that wrote the value whose blame is shown.
    Write,
    /// A bookmark.
    Bookmark,
}
