//! What is done in the session, and when.

use egui::{
    Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, Rect, TouchPhase, Vec2,
    pos2, vec2,
};

use crate::ui::{
    dock::Panel,
    rehearsal::asks::{self, Ask},
};

/// Something that is done for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// What the report calls it.
    pub(super) name: &'static str,
    /// How long it goes on, in parts of the whole session.
    pub(super) share: f32,
    pub(super) deed: Deed,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Deed {
    /// Turns the wheel over a panel, a part of the time downwards and the rest upwards.
    Scroll(Panel),
    /// Pulls the scroll bar of a panel from its upper end to the lower one and back.
    PullBar(Panel),
    /// Drags along the timeline from end to end and back.
    DragTimeline,
    /// Chooses the longest stream.
    ChooseLongest,
    /// Shows the events of the rarest type, then of the next one, and so on.
    FilterTypes,
    /// Types into the filter of the streams.
    FilterStreams,
    /// Brings one panel after the other to the front.
    ShowPanels,
    /// Makes the window wider and narrower.
    Resize,
    /// Asks for these actions one after the other, by the names that the menus have.
    Named(&'static [&'static str]),
    /// Asks these one after the other, as panels, menus and keys do.
    Ask(&'static [Ask]),
    /// Nothing: what the program does by itself is measured.
    Rest,
}

/// The session: opened, scrolled, filtered, dragged and resized while the index is built, then every panel.
pub(super) const STEPS: &[Step] = &[
    step("scrolling from the first rows on", 7, Deed::Scroll(Panel::Events)),
    step("pulling the events' scroll bar", 5, Deed::PullBar(Panel::Events)),
    step("filtering streams by name", 4, Deed::FilterStreams),
    step("scrolling the streams", 3, Deed::Scroll(Panel::Streams)),
    step("filtering by event type", 5, Deed::FilterTypes),
    step("resizing the window", 4, Deed::Resize),
    step("choosing the longest stream", 2, Deed::ChooseLongest),
    step("dragging the timeline of the stream", 8, Deed::DragTimeline),
    step("switching to each panel", 6, Deed::ShowPanels),
    step("stepping, pinning, playing", 4, Deed::Named(STEPPING)),
    step("asking in each panel", 16, Deed::Ask(asks::OF_THE_STREAM)),
    step("dragging the timeline again", 5, Deed::DragTimeline),
    step("all streams again", 2, Deed::Named(&["All streams", "Clear filters", "Reset panels"])),
    step("dragging through the whole store", 6, Deed::DragTimeline),
    step("asking of the whole store", 10, Deed::Ask(asks::OF_THE_STORE)),
    step("palette, settings, themes", 4, Deed::Ask(asks::OVER_THE_PANELS)),
    step("resting", 9, Deed::Rest),
];

const STEPPING: &[&str] = &[
    "To the start",
    "Step forward",
    "Step forward",
    "Pin as A",
    "To the end",
    "Step back",
    "Pin as B",
    "Play or pause",
    "Step forward",
    "Play or pause",
    "Debug panel",
    "Debug panel",
];

const fn step(name: &'static str, percent: u8, deed: Deed) -> Step {
    Step { name, share: percent as f32 / 100.0, deed }
}

/// The step at this part of the session, its number, and how far it is.
pub(super) fn at(part: f32) -> Option<(usize, &'static Step, f32)> {
    let mut start = 0.0;
    for (number, step) in STEPS.iter().enumerate() {
        if part < start + step.share {
            return Some((number, step, (part - start) / step.share));
        }
        start += step.share;
    }
    None
}

/// From 0 to 1 and back again, while `progress` goes from 0 to 1.
pub(super) fn there_and_back(progress: f32) -> f32 {
    1.0 - (progress * 2.0 - 1.0).abs()
}

/// A turn of the wheel over the middle of a panel.
pub(super) fn wheel(rect: Rect, is_down: bool) -> Vec<Event> {
    let delta = vec2(0.0, if is_down { -240.0 } else { 240.0 });
    vec![
        Event::PointerMoved(rect.center()),
        Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta,
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        },
    ]
}

/// Where the scroll bar of a table is, at a part of its height.
pub(super) fn on_bar(rect: Rect, part: f32) -> Pos2 {
    let (top, bottom) = (rect.top() + 90.0, rect.bottom() - 24.0);
    pos2(rect.right() - 7.0, top + (bottom - top).max(1.0) * part)
}

/// Where the strip of the timeline is, at a part of its width.
pub(super) fn on_timeline(screen: Rect, part: f32) -> Pos2 {
    let (left, right) = (screen.left() + 40.0, screen.right() - 40.0);
    pos2(left + (right - left) * part, screen.bottom() - 70.0)
}

/// What becomes of the button of a pointer that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is pressed.
    Begin,
    /// It stays as it is.
    Keep,
    /// It is let go.
    End,
}

/// Moves a pointer whose button is held.
pub(super) fn drag(to: Pos2, hold: Hold) -> Vec<Event> {
    let button = |pressed| Event::PointerButton {
        pos: to,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let mut events = vec![Event::PointerMoved(to)];
    match hold {
        Hold::Begin => events.push(button(true)),
        Hold::Keep => (),
        Hold::End => events.push(button(false)),
    }
    events
}

/// A key that is pressed and let go.
pub(super) fn press(key: Key) -> Vec<Event> {
    let event =
        |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
    vec![event(true), event(false)]
}

/// The window's size while it is pulled wider and narrower.
pub(super) fn size(progress: f32) -> Vec2 {
    let part = 1.0 - there_and_back(progress * 2.0 % 1.0);
    vec2(1000.0 + 440.0 * part, 700.0 + 200.0 * part)
}

#[cfg(test)]
mod tests {
    use super::{STEPS, at, there_and_back};
    use crate::session::action::NAMED;

    #[test]
    fn the_steps_fill_the_session() {
        let sum: f32 = STEPS.iter().map(|step| step.share).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        assert_eq!(at(0.0).map(|(number, ..)| number), Some(0));
        assert_eq!(at(0.999).map(|(number, ..)| number), Some(STEPS.len() - 1));
        assert!(at(1.01).is_none());
        assert!((there_and_back(0.25) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn every_named_action_exists() {
        for name in super::STEPPING.iter().chain(&["All streams", "Clear filters", "Reset panels"]) {
            assert!(NAMED.iter().any(|named| named.name == *name), "{name}");
        }
    }
}
