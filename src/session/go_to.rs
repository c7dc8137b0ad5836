//! Going where the user typed: a version, a position or a time.

use std::sync::Arc;

use crate::{
    model::{EventKey, GlobalPosition, Timestamp},
    session::{
        job::{Job, Question, Slot},
        notice::Notices,
        opened::Opened,
    },
};

/// So many events are looked through within a frame.
const LOOKED_THROUGH: usize = 20_000;

impl Opened {
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
            let jobs = self.go_to_time(time);
            self.tell_of_later(time, notices);
            return jobs;
        }
        notices.warning(
            format!("Nowhere to go for “{text}”"),
            "",
            "Type a version (v118), a position (p4711), a date (2024-03-01) or a time (2024-03-01 09:51)",
        );
        Vec::new()
    }

    /// Says so if events behind the cursor are later than the time that was asked for.
    fn tell_of_later(&self, time: Timestamp, notices: &mut Notices) {
        let (Some(stream), Some(index), true) = (self.browse.focus, &self.index, self.is_on_stream()) else {
            return;
        };
        let count = index.stream_at_time(stream, time).map_or(0, |place| place + 1);
        if let Some((later, _)) = index.stream_later(stream, count, time) {
            notices.warning(
                "Times do not rise in this stream",
                format!(
                    "{later} of the {count} events up to the cursor are later than {}",
                    time.to_rfc3339()
                ),
                "The cursor stands at the last event that is not later; go by version to choose another",
            );
        }
    }

    /// Says so if several events have the version that was asked for.
    fn tell_of_doubled(&self, stream: u32, version: i64, ordinal: u32, notices: &mut Notices) {
        let Some(index) = &self.index else { return };
        let events = index.stream_events(stream);
        let Some(place) = events.iter().position(|own| *own == ordinal) else { return };
        let same = events.iter().skip(place).take_while(|own| {
            index.row(**own).and_then(|row| row.version).is_some_and(|found| found.0 == version)
        });
        let same = same.count();
        if same > 1 {
            notices.warning(
                format!("{same} events have version {version}"),
                "",
                "The cursor stands at the first of them; the others follow it",
            );
        }
    }

    /// Looks for the event that has this id of its own, to go there.
    pub(crate) fn go_to_id(&self, id: &Arc<str>) -> Vec<Job> {
        let Some(index) = &self.index else { return Vec::new() };
        let question = Question::EventOfId(Arc::clone(&self.store), Arc::clone(id), index.len() as u64);
        vec![Job { slot: Slot::EventOfId, question }]
    }

    /// The event with an id was found, or there is none.
    pub(crate) fn go_to_found(
        &mut self,
        id: &str,
        key: Option<&EventKey>,
        notices: &mut Notices,
    ) -> Vec<Job> {
        let Some(key) = key else {
            let hint = "It may be the id of a command, or of an event in another store";
            notices.warning(format!("No event here has the id {id}"), "", hint);
            return Vec::new();
        };
        let Some(ordinal) = self.index.as_ref().and_then(|index| index.ordinal_of(key)) else {
            notices.warning("This event is not indexed yet", "", "Go there again when all are");
            return Vec::new();
        };
        self.trail.leave(self.spot());
        self.cursor.is_playing = false;
        self.stand_at(ordinal)
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
                self.tell_of_doubled(stream, version, ordinal, notices);
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

    pub(crate) fn event_of_version(&self, stream: u32, version: i64) -> Option<u32> {
        let index = self.index.as_ref()?;
        let events = index.stream_events(stream);
        if let Some(count) = index.count_of_version(stream, version) {
            return events.get(count - 1).copied();
        }
        // Only where some events have no version it can stand elsewhere than their order says.
        let has_version = |ordinal: &u32| {
            index.row(*ordinal).and_then(|row| row.version).is_some_and(|found| found.0 == version)
        };
        events.iter().take(LOOKED_THROUGH).copied().find(has_version)
    }
}
