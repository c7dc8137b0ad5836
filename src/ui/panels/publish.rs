//! The publishing dialog: what would be written, unlocking, and what was written.

use crate::session::{action::Action, view::PublishView};

/// What the dialog remembers while it is open.
#[derive(Debug, Default)]
pub struct PublishLocal {}

/// The dialog.
pub fn publish_ui(_: &egui::Context, _: &PublishView, _: &mut PublishLocal, _: &mut Vec<Action>) {}
