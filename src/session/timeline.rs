//! The timeline: what it counts and shows, and where things stand on it.

use std::sync::Arc;

use crate::{
    replay::failures::end_of_part,
    session::{
        action::{Axis, Scope},
        job::{BarsAnswer, BarsQuestion, Job, Question, Slot},
        opened::Opened,
        scale::Scale,
        view::{Tick, TimelineBar, TimelineView, grouped},
        workspace::Workspace,
    },
    snapshot::Verdict,
};

/// Ticks that can be told apart along the timeline.
pub(crate) const FINEST_TICKS: usize = 4000;

/// What the timeline counts and shows.
pub(crate) struct Timeline {
    pub(crate) axis: Axis,
    pub(crate) scope: Scope,
    pub(crate) is_collapsed: bool,
    /// What the places stand for.
    pub(crate) scale: Arc<Scale>,
    bars: Arc<Vec<TimelineBar>>,
    labels: Arc<Vec<(f32, String)>>,
    gaps: Arc<Vec<(f32, String)>>,
    ticks: Arc<Vec<(f32, Tick)>>,
    /// Whether something that ticks mark has changed since they were placed.
    are_ticks_old: bool,
}

impl Timeline {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            axis: workspace.axis,
            scope: Scope::Stream,
            is_collapsed: workspace.is_collapsed,
            scale: Arc::default(),
            bars: Arc::default(),
            labels: Arc::default(),
            gaps: Arc::default(),
            ticks: Arc::default(),
            are_ticks_old: false,
        }
    }

    pub(crate) fn take_bars(&mut self, BarsAnswer { bars, scale, labels }: BarsAnswer) {
        self.gaps = Arc::new(scale.gaps());
        self.scale = Arc::new(scale);
        self.bars = Arc::new(bars);
        self.labels = Arc::new(labels);
    }

    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        workspace.axis = self.axis;
        workspace.is_collapsed = self.is_collapsed;
    }
}

impl Opened {
    /// Changes what the timeline counts or shows, and asks for its density.
    pub(crate) fn arrange_timeline(&mut self, change: impl FnOnce(&mut Timeline)) -> Vec<Job> {
        change(&mut self.timeline);
        self.bars_job().into_iter().collect()
    }

    /// Whether the timeline shows the chosen stream, and not the whole store.
    pub(crate) fn is_on_stream(&self) -> bool {
        self.has_stream() && self.timeline.scope == Scope::Stream
    }

    /// How many events the timeline spans.
    pub(crate) fn length(&self) -> usize {
        let Some(index) = &self.index else { return 0 };
        match self.browse.focus {
            Some(stream) if self.is_on_stream() => {
                self.what_if.shown_length().unwrap_or_else(|| index.stream_events(stream).len())
            }
            _ => index.len(),
        }
    }

    /// How many of them lie behind the cursor.
    pub(crate) fn here(&self) -> usize {
        if self.is_on_stream() {
            self.cursor.count
        } else {
            self.cursor.ordinal.map_or(0, |ordinal| ordinal as usize + 1)
        }
    }

    /// Asks for the timeline's density.
    pub(crate) fn bars_job(&self) -> Option<Job> {
        let question = BarsQuestion {
            index: Arc::clone(self.index.as_ref()?),
            stream: self.browse.focus.filter(|_| self.is_on_stream()),
            length: self.what_if.shown_length().filter(|_| self.is_on_stream()),
            axis: self.timeline.axis,
            collapse: self.timeline.is_collapsed,
            zone: self.zone,
        };
        Some(Job { slot: Slot::Bars, question: Question::Bars(question) })
    }

    pub(crate) fn timeline_view(&self) -> TimelineView {
        let Self { cursor, timeline, .. } = self;
        let on_stream = self.is_on_stream();
        let length = self.length();
        let has_times = self.index.as_ref().is_some_and(|index| index.time_span().is_some());
        TimelineView {
            is_ready: self.index.is_some() && length > 0,
            bars: Arc::clone(&timeline.bars),
            cursor: self.index.is_some().then(|| self.place_of(self.here()) as f32),
            ticks: if on_stream { Arc::clone(&timeline.ticks) } else { Arc::default() },
            labels: Arc::clone(&timeline.labels),
            gaps: Arc::clone(&timeline.gaps),
            pins: self
                .states
                .pin_counts(self.browse.focus)
                .map(|count| count.filter(|_| on_stream).map(|count| self.place_of(count) as f32)),
            place: self.place_words(),
            subject: if on_stream {
                self.focus_name().map(|name| name.to_string()).unwrap_or_default()
            } else {
                "Whole store".to_owned()
            },
            branch: self.what_if.standing_name().filter(|_| on_stream),
            axis: if has_times { timeline.axis } else { Axis::Events },
            scope: timeline.scope,
            has_stream: self.has_stream(),
            has_times,
            is_collapsed: timeline.is_collapsed,
            is_following: cursor.is_following,
            is_playing: cursor.is_playing,
            speed: cursor.speed,
            can_step: (self.here() > 0, self.here() < length),
            scale: Arc::clone(&timeline.scale),
            zone: self.zone,
        }
    }

    /// The place on the timeline behind so many events.
    fn place_of(&self, count: usize) -> f64 {
        let scale = &self.timeline.scale;
        if scale.count_at(0.0).is_some() {
            return scale.place_of_count(count);
        }
        let Some(index) = &self.index else { return 0.0 };
        let ordinal = count.checked_sub(1).and_then(|place| match self.browse.focus {
            Some(_) if self.is_on_stream() => self.ordinal_of_count(count),
            _ => u32::try_from(place).ok(),
        });
        let time = ordinal.and_then(|ordinal| index.time(ordinal));
        time.map_or(0.0, |time| scale.place_of_time(time))
    }

    /// What ticks mark has changed: they are placed anew before they are shown.
    pub(crate) fn place_ticks(&mut self) {
        self.timeline.are_ticks_old = true;
    }

    /// Places the ticks anew, if they are not where they belong. There may be thousands, so this is done once
    /// for all that an input changed, and not for every view.
    pub(crate) fn settle_ticks(&mut self) {
        if !std::mem::take(&mut self.timeline.are_ticks_old) {
            return;
        }
        let mut ticks = self.ticks();
        // Ticks nearer than half a pixel of a wide window are one.
        ticks.dedup_by_key(|(place, tick)| ((*place * FINEST_TICKS as f32) as u32, *tick));
        self.timeline.ticks = Arc::new(ticks);
    }

    /// What lies where in the chosen stream.
    fn ticks(&self) -> Vec<(f32, Tick)> {
        if !self.is_on_stream() {
            return Vec::new();
        }
        let length = self.length();
        let of_stream = self.browse.snapshots.of_stream(self.browse.focus);
        let mut snapshots: Vec<(usize, Tick)> = of_stream
            .filter_map(|(place, _, count)| {
                let is_wrong = self.verified.verdict(place).is_some_and(Verdict::is_disagreement);
                Some((count?, if is_wrong { Tick::WrongSnapshot } else { Tick::Snapshot }))
            })
            .collect();
        // What cannot be told apart need not be placed.
        snapshots.dedup_by_key(|(count, tick)| (end_of_part(*count, FINEST_TICKS, length), *tick));
        let placed = |(count, tick)| (self.place_of(self.what_if.shown_count(count)) as f32, tick);
        let snapshots = snapshots.into_iter().map(placed);
        let marked = [
            (Tick::Trouble, self.states.failures()),
            (Tick::Hit, self.conditions.ticks()),
            (Tick::Write, self.blame.ticks()),
            (Tick::Bookmark, self.bookmark_ticks()),
        ];
        let marked = marked
            .into_iter()
            .flat_map(|(tick, counts)| counts.into_iter().map(move |count| (count, tick)))
            .map(|(count, tick)| (self.place_of(count) as f32, tick));
        snapshots.chain(marked).collect()
    }

    /// Whether the cursor stands behind an event that a branch put in, changed or moved.
    fn is_off_the_record(&self) -> bool {
        self.what_if.place_words(self, self.here()).is_some()
    }

    /// Bookmarks are places of the recorded history.
    fn bookmark_ticks(&self) -> Vec<usize> {
        let counts = self.bookmarks.ticks(self.browse.focus).into_iter();
        counts.map(|count| self.what_if.shown_count(count)).collect()
    }

    /// "v118 of 231 · 2024-03-02 11:04:00".
    fn place_words(&self) -> String {
        let Some(index) = &self.index else { return String::new() };
        let row = self.standing().and_then(|ordinal| index.row(ordinal));
        let total = grouped(self.length() as u64);
        let counted = |words: &str| self.what_if.counted_words(words, self.here(), self.length());
        let here = match &row {
            _ if self.here() == 0 => format!("before the first of {total}"),
            _ if self.is_on_stream() && self.is_off_the_record() => {
                counted(&self.what_if.place_words(self, self.here()).unwrap_or_default())
            }
            Some(row) if self.is_on_stream() => match row.version {
                Some(version) => counted(&format!("v{version}")),
                None => format!("{} of {total}", grouped(self.here() as u64)),
            },
            _ => format!("{} of {total}", grouped(self.here() as u64)),
        };
        match row.and_then(|row| row.time) {
            Some(time) => format!("{here} · {}", time.to_display(self.zone)),
            None => here,
        }
    }
}
