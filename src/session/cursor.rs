//! The cursor: where the user stands in time.

use std::{sync::Arc, time::Duration};

use crate::{
    model::Timestamp,
    session::{
        action::{CursorAction, Scope},
        job::{Job, Question, Slot},
        opened::Opened,
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
    /// Whether it moves on by itself.
    pub(crate) is_playing: bool,
    /// Events a second while playing.
    pub(crate) speed: u32,
    /// Part of the next step that has passed while playing.
    carry: f64,
}

impl Cursor {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            is_following: true,
            ordinal: None,
            count: 0,
            is_playing: false,
            speed: workspace.speed.max(1),
            carry: 0.0,
        }
    }

    pub(crate) fn remember_choices(&self, workspace: &mut Workspace) {
        workspace.speed = self.speed;
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
            CursorAction::ToggleFollow => self.toggle_follow(),
            CursorAction::TogglePlay => self.toggle_play(),
            CursorAction::SetSpeed(speed) => {
                self.cursor.speed = speed.max(1);
                Vec::new()
            }
            CursorAction::SetAxis(axis) => self.arrange_timeline(|timeline| timeline.axis = axis),
            CursorAction::SetScope(scope) => {
                let mut jobs = self.arrange_timeline(|timeline| timeline.scope = scope);
                jobs.extend(self.cursor_moved());
                jobs
            }
            CursorAction::ToggleCollapse => {
                self.arrange_timeline(|timeline| timeline.is_collapsed = !timeline.is_collapsed)
            }
            CursorAction::Pin(which) => self.pin(which),
            CursorAction::Unpin(which) => self.unpin(which),
        }
    }

    fn toggle_follow(&mut self) -> Vec<Job> {
        self.cursor.is_following = !self.cursor.is_following;
        if self.cursor.is_following { self.follow() } else { Vec::new() }
    }

    fn toggle_play(&mut self) -> Vec<Job> {
        self.cursor.is_playing = !self.cursor.is_playing;
        // At the end there is nothing left to play, so it starts again.
        let is_at_end = self.here() >= self.length();
        if self.cursor.is_playing && is_at_end { self.go_to(0) } else { Vec::new() }
    }

    /// The state after so many events of the history that is shown.
    pub(crate) fn go_to_shown(&mut self, count: usize) -> Vec<Job> {
        if self.is_on_stream() {
            return self.go_to_count(count);
        }
        let truth = self.what_if.truth_count(count);
        let mut jobs = self.arrange_timeline(|timeline| timeline.scope = Scope::Stream);
        jobs.extend(self.go_to_count(self.what_if.shown_count(truth).max(count.min(self.length()))));
        jobs
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

    /// Puts the cursor behind so many events of the chosen stream, whatever the timeline shows.
    pub(crate) fn stand_behind(&mut self, count: usize) -> Vec<Job> {
        self.cursor.is_following = false;
        self.cursor.is_playing = false;
        self.cursor.count = count.min(self.states.history().map_or(0, |history| history.len()));
        self.cursor.ordinal = self.ordinal_of_count(self.cursor.count);
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
        let scale = &self.timeline.scale;
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

    pub(crate) fn go_to_time(&mut self, time: Timestamp) -> Vec<Job> {
        let Some(index) = &self.index else { return Vec::new() };
        let count = match self.browse.focus {
            Some(stream) if self.is_on_stream() => {
                let truth = index.stream_at_time(stream, time).map_or(0, |place| place + 1);
                self.what_if.shown_count(truth)
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
        self.ordinal_in_stream(self.browse.focus?, self.what_if.truth_count(count))
    }

    /// The last event that counts when so many recorded ones of a stream do.
    pub(crate) fn ordinal_in_stream(&self, stream: u32, count: usize) -> Option<u32> {
        let events = self.index.as_ref()?.stream_events(stream);
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
        let (Some(stream), Some(ordinal)) = (self.browse.focus, ordinal) else { return 0 };
        self.what_if.shown_count(self.count_in_stream(stream, ordinal))
    }

    /// How many recorded events of a stream count when everything up to `ordinal` does.
    pub(crate) fn count_in_stream(&self, stream: u32, ordinal: u32) -> usize {
        let Some(index) = &self.index else { return 0 };
        index.stream_events(stream).count_until(ordinal)
    }

    /// The cursor stands elsewhere: asks for what depends on it.
    pub(crate) fn cursor_moved(&mut self) -> Vec<Job> {
        if self.cursor.is_following {
            let at_end = self.count_at(self.cursor.ordinal);
            self.cursor.count = self.what_if.shown_length().unwrap_or(at_end);
        }
        let mut jobs = Vec::new();
        jobs.extend(self.step_job());
        jobs.extend(self.as_of_job());
        jobs.extend(self.blame_at_cursor());
        if !self.is_on_stream() {
            jobs.extend(self.event_job());
        }
        jobs.extend(self.what_if_beside_job());
        jobs.extend(self.compare_follows());
        jobs
    }

    pub(crate) fn event_job(&mut self) -> Option<Job> {
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
}
