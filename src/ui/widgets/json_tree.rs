//! stub
use crate::model::{Json, Pointer};
/// x
#[derive(Default)]
pub struct TreeState;
/// x
#[derive(Default)]
pub struct TreeResponse {
    /// x
    pub add_column: Option<Pointer>,
}
/// x
pub struct TreeView<'a>(&'a Json);
impl<'a> TreeView<'a> {
    /// x
    pub fn new(_: &str, v: &'a Json) -> Self {
        Self(v)
    }
    /// x
    pub fn with_columns(self, _: bool) -> Self {
        self
    }
    /// x
    pub fn show(self, ui: &mut egui::Ui, _: &mut TreeState) -> TreeResponse {
        egui::ScrollArea::vertical().show(ui, |ui| ui.monospace(self.0.to_pretty()));
        TreeResponse::default()
    }
}
