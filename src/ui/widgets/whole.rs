//! Words that are never broken: thin gaps between thousands are gaps to the layout, too.

use egui::{Label, Response, RichText, Ui};

/// Weak words in one piece: where they do not fit, all of them stand on the next line.
pub fn whole_label(ui: &mut Ui, words: &str) -> Response {
    ui.add(Label::new(RichText::new(words).weak()).extend())
}
