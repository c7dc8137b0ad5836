//! The whole window: what each screen tells, and that clicks and keys do what they say.

use std::path::Path;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::app_stage::{AppStage, SHOP};

const SIZE: [f32; 2] = [1200.0, 560.0];

fn shop() -> AppStage {
    AppStage::open(SIZE, Path::new(SHOP))
}

#[test]
fn the_welcome_screen_can_be_read() {
    AppStage::welcome(SIZE).check("app-welcome");
}

#[test]
fn an_opened_store_can_be_read() {
    shop().check("app-store");
}

#[test]
fn a_chosen_stream_can_be_read() {
    let mut app = shop();
    app.choose_stream("order-4711", "4711");
    app.press_with(Modifiers::NONE, Key::Escape);
    app.check("app-stream");
}
