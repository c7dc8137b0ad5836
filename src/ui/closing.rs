//! Closing the window: what is being written into a file of the user's is written to its end first.

use egui::ViewportCommand;

/// Whether the window is to close once nothing is being written any more.
#[derive(Debug, Default)]
pub(super) struct Closing {
    is_wanted: bool,
}

impl Closing {
    /// What the system is told in this frame: whether the user just asked to close the window, and how many jobs
    /// write.
    pub(super) fn answer(&mut self, is_asked: bool, writing: usize) -> Option<ViewportCommand> {
        match (is_asked, writing) {
            (true, 0) | (false, 1..) => None,
            (false, 0) => std::mem::take(&mut self.is_wanted).then_some(ViewportCommand::Close),
            (true, 1..) => {
                self.is_wanted = true;
                Some(ViewportCommand::CancelClose)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::ViewportCommand;

    use super::Closing;

    /// Frames: whether closing is asked for, how many jobs write, and what is answered.
    fn check(frames: &[(bool, usize, Option<ViewportCommand>)]) {
        let mut closing = Closing::default();
        for (place, (is_asked, writing, expected)) in frames.iter().enumerate() {
            assert_eq!(closing.answer(*is_asked, *writing), *expected, "frame {place}");
        }
    }

    #[test]
    fn the_window_closes_once_nothing_is_written() {
        check(&[(false, 0, None), (false, 2, None), (false, 0, None), (true, 0, None)]);
        check(&[
            (true, 2, Some(ViewportCommand::CancelClose)),
            (false, 1, None),
            (true, 1, Some(ViewportCommand::CancelClose)),
            (false, 0, Some(ViewportCommand::Close)),
            (true, 0, None),
        ]);
    }
}
