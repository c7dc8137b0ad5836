//! The cursor: where the user stands in time, and the timeline that shows it.

use std::{sync::Arc, time::Duration};

use crate::{
    model::{GlobalPosition, Timestamp},
    session::{
        action::{Axis, CursorAction, Scope},
        job::{BarsAnswer, BarsQuestion, Job, Question, Slot},
        notice::Notices,
        opened::Opened,
        view::{Tick, TimelineView, grouped},
        workspace::Workspace,
    },
};

/// Where the user stands in time.
pub(crate) struct Cursor {
    /// Whether it moves on when events arrive.
    pub(crate) is_following: bool,
    /// The last event that counts; `None` before the first.
    pub(crate) ordinal: Option<u32>,
    /// How many events of the chosen stream count, in version order.
    pub(crate) count: usize,
    scope: Scope,
    axis: Axis,
    is_collapsed: bool,
    is_playing: bool,
    speed: u32,
    /// Part of the next step that has passed while playing.
    carry: f64,
    bars: BarsAnswer,
}

impl Cursor {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            is_following: true,
            ordinal: None,
            count: 0,
            scope: Scope::Stream,
            axis: workspace.axis,
            is_collapsed: workspace.is_collapsed,
            is_playing: false,
            speed: workspace.speed.max(1),
            carry: 0.0,
            bars: BarsAnswer::default(),
        }
    }

    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        workspace.axis = self.axis;
        workspace.is_collapsed = self.is_collapsed;
        workspace.speed = self.speed;
    }

    pub(crate) fn take_bars(&mut self, bars: BarsAnswer) {
        self.bars = bars;
    }

    /// Whether the timeline shows one stream.
    pub(crate) fn shows_stream(&self, has_stream: bool) -> bool {
        has_stream && self.scope == Scope::Stream
    }
}

impl Opened {
    /// Answers what the user asked for of the cursor.
    pub(crate) fn move_cursor(&mut self, action: &CursorAction) -> Vec<Job> {
        if !matches!(action, CursorAction::SetSpeed(_) | CursorAction::TogglePlay | CursorAction::Pin(_)) {
            self.cursor.is_playing = false;
        }
        match *action {
            CursorAction::Seek(place) => self.seek(place),
            CursorAction::Step(by) => self.step(by),
            CursorAction::Home => self.go_to_count(0),
            CursorAction::End => self.go_to_count(usize::MAX),
            CursorAction::ToCount(count) => self.go_to_count(count),
            CursorAction::ToggleFollow => {
                self.cursor.is_following = !self.cursor.is_following;
                if self.cursor.is_following { self.follow() } else { Vec::new() }
            }
            CursorAction::TogglePlay => {
                self.cursor.is_playing = !self.cursor.is_playing;
                // At the end there is nothing left to play, so it starts again.
                if self.cursor.is_playing && self.here() >= self.length() {
                    self.go_to(0)
                } else {
                    Vec::new()
                }
            }
            CursorAction::SetSpeed(speed) => {
                self.cursor.speed = speed.max(1);
                Vec::new()
            }
            CursorAction::SetAxis(axis) => {
                self.cursor.axis = axis;
                self.bars_job().into_iter().collect()
            }
            CursorAction::SetScope(scope) => {
                self.cursor.scope = scope;
                let mut jobs: Vec<Job> = self.bars_job().into_iter().collect();
                jobs.extend(self.cursor_moved());
                jobs
            }
            CursorAction::ToggleCollapse => {
                self.cursor.is_collapsed = !self.cursor.is_collapsed;
                self.bars_job().into_iter().collect()
            }
            CursorAction::Pin(which) => self.pin(which),
            CursorAction::Unpin(which) => self.unpin(which),
        }
    }

    fn is_on_stream(&self) -> bool {
        self.cursor.shows_stream(self.has_stream())
    }

    /// How many events the timeline spans.
    fn length(&self) -> usize {
        let Some(index) = &self.index else { return 0 };
        match self.browse.focus {
            Some(stream) if self.is_on_stream() => index.stream_events(stream).len(),
            _ => index.len(),
        }
    }

    /// How many of them lie behind the cursor.
    fn here(&self) -> usize {
        if self.is_on_stream() {
            self.cursor.count
        } else {
            self.cursor.ordinal.map_or(0, |ordinal| ordinal as usize + 1)
        }
    }

    fn go_to_count(&mut self, count: usize) -> Vec<Job> {
        self.cursor.is_following = false;
        self.go_to(count)
    }

    /// Puts the cursor behind so many events of what the timeline shows.
    fn go_to(&mut self, count: usize) -> Vec<Job> {
        let count = count.min(self.length());
        if self.is_on_stream() {
            self.cursor.count = count;
            self.cursor.ordinal = self.ordinal_of_count(count);
        } else {
            self.cursor.ordinal = count.checked_sub(1).and_then(|ordinal| u32::try_from(ordinal).ok());
            self.cursor.count = self.count_at(self.cursor.ordinal);
        }
        self.cursor_moved()
    }

    fn step(&mut self, by: i64) -> Vec<Job> {
        let by = isize::try_from(by).unwrap_or_default();
        self.go_to_count(self.here().saturating_add_signed(by))
    }

    fn follow(&mut self) -> Vec<Job> {
        let last = self.index.as_ref().and_then(|index| u32::try_from(index.len()).ok()?.checked_sub(1));
        self.cursor.ordinal = last;
        self.cursor_moved()
    }

    fn seek(&mut self, place: f64) -> Vec<Job> {
        let scale = &self.cursor.bars.scale;
        if let Some(count) = scale.count_at(place) {
            return self.go_to_count(count);
        }
        match scale.time_at(place) {
            // The very end is the last event, whatever its rounded time.
            Some(_) if place >= 1.0 => self.go_to_count(usize::MAX),
            Some(time) => self.go_to_time(time),
            None => Vec::new(),
        }
    }

    fn go_to_time(&mut self, time: Timestamp) -> Vec<Job> {
        let Some(index) = &self.index else { return Vec::new() };
        let count = match self.browse.focus {
            Some(stream) if self.is_on_stream() => {
                index.stream_at_time(stream, time).map_or(0, |place| place + 1)
            }
            _ => index.at_time(time).map_or(0, |ordinal| ordinal as usize + 1),
        };
        self.go_to_count(count)
    }

    /// Time has passed while playing.
    pub(crate) fn play_on(&mut self, elapsed: Duration) -> Vec<Job> {
        if !self.cursor.is_playing {
            return Vec::new();
        }
        self.cursor.carry += elapsed.as_secs_f64() * f64::from(self.cursor.speed);
        let steps = self.cursor.carry.floor();
        if steps < 1.0 {
            return Vec::new();
        }
        self.cursor.carry -= steps;
        let target = self.here().saturating_add(steps as usize);
        if target >= self.length() {
            self.cursor.is_playing = false;
        }
        self.go_to_count(target)
    }

    /// The last event that counts when so many of the chosen stream do.
    pub(crate) fn ordinal_of_count(&self, count: usize) -> Option<u32> {
        let events = self.index.as_ref()?.stream_events(self.browse.focus?);
        match count.checked_sub(1) {
            Some(place) => events.get(place).copied(),
            // Just before the stream's first event.
            None => events.first().and_then(|first| first.checked_sub(1)),
        }
    }

    /// The event at the cursor: the last that counts of what the timeline shows.
    pub(crate) fn standing(&self) -> Option<u32> {
        if self.is_on_stream() {
            self.ordinal_of_count(self.cursor.count).filter(|_| self.cursor.count > 0)
        } else {
            self.cursor.ordinal
        }
    }

    /// How many events of the chosen stream count when everything up to `ordinal` does.
    pub(crate) fn count_at(&self, ordinal: Option<u32>) -> usize {
        let (Some(index), Some(stream), Some(ordinal)) = (&self.index, self.browse.focus, ordinal) else {
            return 0;
        };
        let events = index.stream_events(stream);
        events.iter().rposition(|event| *event <= ordinal).map_or(0, |place| place + 1)
    }

    /// The cursor stands elsewhere: asks for what depends on it.
    pub(crate) fn cursor_moved(&mut self) -> Vec<Job> {
        if self.cursor.is_following {
            self.cursor.count = self.count_at(self.cursor.ordinal);
        }
        let mut jobs = Vec::new();
        jobs.extend(self.step_job());
        jobs.extend(self.as_of_job());
        if !self.is_on_stream() {
            jobs.extend(self.event_job());
        }
        jobs
    }

    fn event_job(&mut self) -> Option<Job> {
        let key = self.cursor.ordinal.and_then(|ordinal| self.index.as_ref()?.key(ordinal));
        if key.is_none() {
            self.event = None;
        }
        Some(Job { slot: Slot::Event, question: Question::Event(Arc::clone(&self.store), key?) })
    }

    fn as_of_job(&self) -> Option<Job> {
        let index = Arc::clone(self.index.as_ref()?);
        let ordinal = self.cursor.ordinal;
        let is_at_end = ordinal.map_or(0, |ordinal| ordinal as usize + 1) == index.len();
        Some(Job { slot: Slot::AsOf, question: Question::AsOf(index, ordinal, is_at_end) })
    }

    /// Asks for the timeline's density.
    pub(crate) fn bars_job(&self) -> Option<Job> {
        let question = BarsQuestion {
            index: Arc::clone(self.index.as_ref()?),
            stream: self.browse.focus.filter(|_| self.is_on_stream()),
            axis: self.cursor.axis,
            collapse: self.cursor.is_collapsed,
            zone: self.zone,
        };
        Some(Job { slot: Slot::Bars, question: Question::Bars(question) })
    }

    /// Goes where the user typed: a version, a position or a time.
    pub(crate) fn go_to_typed(&mut self, text: &str, notices: &mut Notices) -> Vec<Job> {
        let text = text.trim();
        let number = |text: &str| text.replace(['\u{2009}', ' ', '_'], "").parse::<i64>().ok();
        if let Some(version) = text.strip_prefix(['v', 'V']).and_then(number) {
            return self.go_to_version(version, notices);
        }
        if let Some(position) = text.strip_prefix(['p', 'P', '@']).and_then(number) {
            return self.go_to_position(&GlobalPosition::Number(position), notices);
        }
        if let Some(number) = number(text) {
            return if self.is_on_stream() {
                self.go_to_version(number, notices)
            } else {
                self.go_to_position(&GlobalPosition::Number(number), notices)
            };
        }
        if let Some(time) = Timestamp::parse_in(text, self.zone) {
            self.trail.leave(self.spot());
            return self.go_to_time(time);
        }
        notices.warning(
            format!("Nowhere to go for “{text}”"),
            "",
            "Type a version (v118), a position (p4711), a date (2024-03-01) or a time (2024-03-01 09:51)",
        );
        Vec::new()
    }

    fn go_to_version(&mut self, version: i64, notices: &mut Notices) -> Vec<Job> {
        let Some(stream) = self.browse.focus else {
            notices.warning("No stream is chosen", "A version counts in one stream", "Choose a stream first");
            return Vec::new();
        };
        let found = self.event_of_version(stream, version);
        match found {
            Some(ordinal) => {
                self.trail.leave(self.spot());
                self.stand_at(ordinal)
            }
            None => {
                let name = self.focus_name().unwrap_or_default();
                notices.warning(
                    format!("{name} has no version {version}"),
                    "",
                    "The timeline shows which there are",
                );
                Vec::new()
            }
        }
    }

    /// With a stream chosen its state as of that position is meant; without, the event there.
    fn go_to_position(&mut self, position: &GlobalPosition, notices: &mut Notices) -> Vec<Job> {
        let found = self.index.as_ref().and_then(|index| index.ordinal_at_position(position));
        let Some(ordinal) = found else {
            notices.warning(format!("There is no event at or before position {position}"), "", "");
            return Vec::new();
        };
        self.trail.leave(self.spot());
        if !self.has_stream() {
            return self.stand_at(ordinal);
        }
        self.cursor.is_following = false;
        self.cursor.ordinal = Some(ordinal);
        self.cursor.count = self.count_at(Some(ordinal));
        self.cursor_moved()
    }

    pub(crate) fn timeline_view(&self) -> TimelineView {
        let cursor = &self.cursor;
        let on_stream = self.is_on_stream();
        let length = self.length();
        TimelineView {
            is_ready: self.index.is_some() && length > 0,
            bars: Arc::new(cursor.bars.bars.clone()),
            cursor: self.index.is_some().then(|| self.place_of(self.here()) as f32),
            ticks: Arc::new(self.ticks()),
            labels: Arc::new(cursor.bars.labels.clone()),
            gaps: Arc::new(cursor.bars.scale.gaps()),
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
            axis: cursor.axis,
            scope: cursor.scope,
            has_stream: self.has_stream(),
            has_times: self.index.as_ref().is_some_and(|index| index.time_span().is_some()),
            is_collapsed: cursor.is_collapsed,
            is_following: cursor.is_following,
            is_playing: cursor.is_playing,
            speed: cursor.speed,
            can_step: (self.here() > 0, self.here() < length),
            scale: Arc::new(cursor.bars.scale.clone()),
            zone: self.zone,
        }
    }

    /// The place on the timeline behind so many events.
    fn place_of(&self, count: usize) -> f64 {
        let scale = &self.cursor.bars.scale;
        if scale.count_at(0.0).is_some() {
            return scale.place_of_count(count);
        }
        let Some(index) = &self.index else { return 0.0 };
        let ordinal = count.checked_sub(1).and_then(|place| match self.browse.focus {
            Some(stream) if self.is_on_stream() => index.stream_events(stream).get(place).copied(),
            _ => u32::try_from(place).ok(),
        });
        let time = ordinal.and_then(|ordinal| index.row(ordinal)?.time);
        time.map_or(0.0, |time| scale.place_of_time(time))
    }

    /// Snapshots and failed steps of the chosen stream.
    fn ticks(&self) -> Vec<(f32, Tick)> {
        if !self.is_on_stream() {
            return Vec::new();
        }
        let of_stream = self.browse.snapshots().iter().filter(|row| row.stream_number == self.browse.focus);
        let snapshots = of_stream.filter_map(|row| {
            let count = self.count_of_version(row.version.parse().ok()?)?;
            Some((self.place_of(count) as f32, Tick::Snapshot))
        });
        let failures = self.states.failures().into_iter();
        snapshots.chain(failures.map(|count| (self.place_of(count) as f32, Tick::Trouble))).collect()
    }

    fn count_of_version(&self, version: i64) -> Option<usize> {
        let index = self.index.as_ref()?;
        let events = index.stream_events(self.browse.focus?);
        let version_of =
            |ordinal: &u32| index.row(*ordinal).and_then(|row| row.version).map(|version| version.0);
        // Events stand in version order, so the place is found without a walk.
        let place =
            events.partition_point(|ordinal| version_of(ordinal).is_some_and(|found| found < version));
        (version_of(events.get(place)?) == Some(version)).then_some(place + 1)
    }

    /// "v118 of 231 · 2024-03-02 11:04:00".
    fn place_words(&self) -> String {
        let Some(index) = &self.index else { return String::new() };
        // Following the store's end, the cursor may stand on an event of another stream.
        let standing =
            if self.is_on_stream() { self.ordinal_of_count(self.cursor.count) } else { self.standing() };
        let row = standing.and_then(|ordinal| index.row(ordinal));
        let total = grouped(self.length() as u64);
        let here = match &row {
            _ if self.here() == 0 => format!("before the first of {total}"),
            Some(row) if self.is_on_stream() => match row.version {
                Some(version) => format!("v{version} of {total}"),
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
