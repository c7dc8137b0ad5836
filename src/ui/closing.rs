//! Closing the window: what is being written into a file of the user's is written to its end first.

use egui::ViewportCommand;

/// Whether the window is to close once nothing is being written any more.
#[derive(Debug, Default)]
pub(super) struct Closing {
    is_wanted: bool,
}

impl Closing {
    /// What the system is told in this frame: whether the user just asked to close the window, and whether a job
    /// writes.
    pub(super) fn answer(&mut self, is_asked: bool, is_writing: bool) -> Option<ViewportCommand> {
        match (is_asked, is_writing) {
            (true, true) => {
                self.is_wanted = true;
                Some(ViewportCommand::CancelClose)
            }
            (false, false) => std::mem::take(&mut self.is_wanted).then_some(ViewportCommand::Close),
            (true, false) | (false, true) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::ViewportCommand;

    use super::Closing;

    /// Frames: whether closing is asked for, whether a job writes, and what is answered.
    fn check(frames: &[(bool, bool, Option<ViewportCommand>)]) {
        let mut closing = Closing::default();
        for (place, (is_asked, is_writing, expected)) in frames.iter().enumerate() {
            assert_eq!(closing.answer(*is_asked, *is_writing), *expected, "frame {place}");
        }
    }

    #[test]
    fn the_window_closes_once_nothing_is_written() {
        check(&[(false, false, None), (false, true, None), (false, false, None), (true, false, None)]);
        check(&[
            (true, true, Some(ViewportCommand::CancelClose)),
            (false, true, None),
            (true, true, Some(ViewportCommand::CancelClose)),
            (false, false, Some(ViewportCommand::Close)),
            (true, false, None),
        ]);
    }
}
