//! The README's pictures: the whole window on the sample store.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test it screenshots` draws them anew. Without it the pictures that are kept
//! are checked to be whole, of the right size and small.

use std::{fs, path::PathBuf};

use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use image::{ImageEncoder as _, RgbaImage};

use super::app_stage::{AppStage, SHOP, builder};

const SIZE: [f32; 2] = [1440.0, 900.0];

/// A picture that takes longer to load than to look at helps nobody.
const MOST_BYTES: u64 = 250_000;

fn window(theme: Theme) -> AppStage {
    let builder = builder(SIZE).with_theme(theme).with_render_cursor(false);
    let mut app = AppStage::open_with(builder, SHOP.as_ref());
    app.click("View");
    app.click_start(match theme {
        Theme::Light => "Light theme",
        Theme::Dark => "Dark theme",
    });
    app
}

/// Draws the picture and keeps it, if that is asked for; checks the one that is kept.
fn check(name: &str, draw: impl FnOnce() -> AppStage) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/screenshots/{name}.png"));
    if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
        let mut app = draw();
        app.harness.remove_cursor();
        app.settle();
        let picture = app.harness.render().expect("a picture");
        fs::create_dir_all(path.parent().expect("a folder")).expect("room for pictures");
        fs::write(&path, packed(&picture)).expect("room for a picture");
    }
    let bytes = fs::metadata(&path).expect("a picture of that name").len();
    assert!(bytes <= MOST_BYTES, "{name} has {bytes} bytes");
    let picture = image::open(&path).expect("a whole PNG");
    assert_eq!((picture.width(), picture.height()), (SIZE[0] as u32, SIZE[1] as u32));
}

/// A small PNG; nothing in the window shines through, so the fourth channel is left out.
fn packed(picture: &RgbaImage) -> Vec<u8> {
    let opaque = image::DynamicImage::ImageRgba8(picture.clone()).into_rgb8();
    let mut bytes = Vec::new();
    let (best, filter) =
        (image::codecs::png::CompressionType::Best, image::codecs::png::FilterType::NoFilter);
    image::codecs::png::PngEncoder::new_with_quality(&mut bytes, best, filter)
        .write_image(&opaque, opaque.width(), opaque.height(), image::ExtendedColorType::Rgb8)
        .expect("a PNG");
    bytes
}

/// Where the cursor is to stand.
fn go_to(app: &mut AppStage, place: &str) {
    app.press_with(Modifiers::COMMAND, Key::G);
    app.type_text(place);
    app.press(Key::Enter);
}

#[test]
fn screenshots_dark() {
    check("dark", || {
        let mut app = window(Theme::Dark);
        app.choose_stream("order-4711", "4711");
        app.type_over("Filter streams", "order");
        go_to(&mut app, "v8");
        app
    });
}

#[test]
fn screenshots_light() {
    check("light", || {
        let mut app = window(Theme::Light);
        app.choose_stream("product-111", "111");
        app.type_over("Filter streams", "");
        go_to(&mut app, "v17");
        app
    });
}

#[test]
fn screenshots_diff() {
    check("diff", || {
        let mut app = window(Theme::Dark);
        app.choose_stream("order-4711", "4711");
        go_to(&mut app, "v2");
        app.press_with(Modifiers::COMMAND, Key::Num1);
        go_to(&mut app, "v8");
        app.press_with(Modifiers::COMMAND, Key::Num2);
        app.click("Diff");
        app.harness.get_by_label("Changes");
        app
    });
}
