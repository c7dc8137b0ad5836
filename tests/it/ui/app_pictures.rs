//! The README's pictures: the whole window on the sample store.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test it screenshots` draws them anew. Without it the pictures that are kept
//! are checked to be whole, of the right size and small.

use std::{fs, path::PathBuf};

use egui::{Key, Modifiers, Theme, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use image::{ImageEncoder as _, RgbaImage};

use super::app_stage::{AppStage, DAMAGED, SHOP, builder};

const SIZE: [f32; 2] = [1440.0, 900.0];

/// A picture that takes longer to load than to look at helps nobody.
const MOST_BYTES: u64 = 300_000;

fn window(theme: Theme) -> AppStage {
    window_with(theme, SHOP, &[])
}

fn window_with(theme: Theme, file: &str, others: &[(&str, &str)]) -> AppStage {
    let builder = builder(SIZE).with_theme(theme).with_render_cursor(false);
    let mut app = AppStage::open_with(builder, file.as_ref(), others);
    app.click("View");
    app.click_start(match theme {
        Theme::Light => "Light theme",
        Theme::Dark => "Dark theme",
    });
    app
}

/// Draws the picture and keeps it, if that is asked for; checks the one that is kept.
fn check(name: &str, draw: impl FnOnce() -> AppStage) {
    if is_drawing() {
        check_shown(name, &mut draw());
    } else {
        check_kept(name);
    }
}

fn is_drawing() -> bool {
    std::env::var_os("UPDATE_SCREENSHOTS").is_some()
}

fn path_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/screenshots/{name}.png"))
}

/// The same for what the window shows now.
fn check_shown(name: &str, app: &mut AppStage) {
    if is_drawing() {
        app.harness.remove_cursor();
        app.settle();
        let picture = app.harness.render().expect("a picture");
        fs::write(path_of(name), packed(&picture)).expect("room for a picture");
    }
    check_kept(name);
}

fn check_kept(name: &str) {
    let path = path_of(name);
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

/// The tour of the README, from "an order is in a state that should be impossible" to the cause and to what would
/// have been without it.
#[test]
fn screenshots_of_a_debugging_story() {
    let mut app = window(Theme::Dark);

    // Which orders were delivered although they had been cancelled?
    app.click("Conditions");
    let categories = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        node.role() == Role::ComboBox && node.label().is_some_and(|label| label.starts_with("Category: "))
    };
    app.harness.get_by(categories).click();
    app.settle();
    app.click("order");
    app.type_over("What to look for", "state.cancellation && state.status === 'delivered'");
    app.press(Key::Enter);
    app.click("Search all of order");
    let search = app.view().conditions.search.clone().expect("a search");
    assert_eq!(search.hits.len(), 1, "{}", search.summary);
    app.click_row("Stream: order-4744");
    assert_eq!(app.view().state.stream.as_ref(), "order-4744");
    assert_eq!(app.view().state.event_type.as_ref(), "OrderDelivered");
    check_shown("story-find", &mut app);

    // Which events made the status so?
    app.click_tree_item("status:");
    app.press_with(Modifiers::COMMAND, Key::B);
    let writers: Vec<_> = app.view().blame.rows.iter().map(|row| row.event_type.to_string()).collect();
    assert_eq!(
        writers.get(..3),
        Some(&["OrderDelivered", "OrderShipped", "OrderCancelled"].map(str::to_owned)[..])
    );
    app.press_with(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(app.view().state.place, "v5 of 6");
    check_shown("story-why", &mut app);

    // What if the parcel had stayed?
    app.row("Position: 746").click_secondary();
    app.settle();
    app.click_start("Leave this event out");
    let outcome = app.view().what_if.outcome.clone().expect("an outcome");
    assert!(outcome.has_parted, "{outcome:?}");
    let at_end: Vec<_> =
        outcome.at_end.expect("a difference").iter().map(|change| change.path.to_string()).collect();
    assert!(
        at_end.contains(&"/shipment/carrier".to_owned()) || at_end.contains(&"/shipment".to_owned()),
        "{at_end:?}"
    );
    let is_marked = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        node.role() == Role::Label && node.value().is_some_and(|text| text.contains("what-if: branch 1"))
    };
    assert!(app.harness.query_all_by(is_marked).count() > 0, "{}", app.text());
    check_shown("story-what-if", &mut app);
}

/// A read model that no longer agrees with its events: rebuilt, gone back in, compared.
#[test]
fn screenshots_of_a_read_model() {
    let definition = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/projections/shop_orders.sql");
    let definition = fs::read_to_string(definition).expect("a sample");
    let others = [
        ("shop_orders.sql", &*definition),
        ("timeglass.toml", "[[projection]]\nfile = \"shop_orders.sql\"\n"),
    ];
    let mut app = window_with(Theme::Dark, DAMAGED, &others);
    app.click("Projections");
    app.press_with(Modifiers::COMMAND, Key::R);
    app.wait_until(|view| {
        view.projections.lines.first().is_some_and(|line| line.rebuilt.starts_with("all "))
    });

    app.wait_until(|view| view.projections.model.as_ref().is_some_and(|model| model.loaded_at.is_some()));
    go_to(&mut app, "330");
    app.wait_until(|view| view.projections.model.as_ref().is_some_and(|model| model.loaded_at == Some(330)));
    app.harness.get_by_label_contains("order_id · key: order-4718").click();
    app.settle();
    app.wait_until(|view| {
        let model = view.projections.model.as_ref();
        model.and_then(|model| model.story.as_ref()).is_some_and(|story| !story.changes.is_empty())
    });
    check_shown("read-model", &mut app);

    let drift_tab = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
        node.role() == Role::Button && node.label().is_some_and(|label| label == "Drift")
    };
    app.harness.get_by(drift_tab).click();
    app.settle();
    app.click("Compare with the stored table");
    app.wait_until(|view| view.drift.drift.is_some());
    let drift = app.view().drift.drift.clone().expect("a comparison");
    assert_eq!((drift.missing.len(), drift.extra.len(), drift.changed.len()), (1, 0, 1), "{drift:?}");
    app.click_row("order_id: order-4726");
    check_shown("drift", &mut app);
}
