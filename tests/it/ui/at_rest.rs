//! A window that nobody touches asks for no frame, and wakes when a file it looks at is another.

use std::{fs, path::Path, thread, time::Duration};

use super::app_stage::{AppStage, SHOP};

const SIZE: [f32; 2] = [1200.0, 400.0];

const REDUCER: &str = "({ $init() { return { events: 0 }; }, $any(s) { s.events += 1; return s; } })";
const PROJECT: &str = "[reducers]\norder = \"order.js\"\n\n[[projection]]\nfile = \"orders.sql\"\n";
const DEFINITION: &str = "-- @projection orders key: id\nCREATE TABLE orders (id TEXT PRIMARY KEY);\n\n-- @on OrderPlaced\nINSERT INTO orders (id) VALUES (:stream_id);\n";

#[test]
fn a_window_at_rest_asks_for_no_frame() {
    let mut app = AppStage::open(SIZE, Path::new(SHOP));
    app.choose_stream("order-4711", "4711");
    app.come_to_rest();
    // Longer than any look at the store takes to come round.
    pause(Duration::from_millis(1200));
    assert!(app.is_at_rest(), "somebody asked for a frame");
}

#[test]
fn files_of_the_user_are_looked_at_without_a_frame_and_wake_the_window_when_they_change() {
    let files = [("timeglass.toml", PROJECT), ("order.js", REDUCER), ("orders.sql", DEFINITION)];
    let mut app = AppStage::open_beside(SIZE, Path::new(SHOP), &files);
    app.choose_stream("order-4711", "4711");
    let events = |app: &AppStage| {
        let state = app.view().state.state.clone();
        state.and_then(|state| state.get("events").map(|events| events.to_compact()))
    };
    assert_eq!(events(&app).as_deref(), Some("12"));
    app.come_to_rest();
    pause(Duration::from_millis(1200));
    assert!(app.is_at_rest(), "looking at the files asks for frames");
    let other = REDUCER.replace("events: 0", "events: 1000");
    fs::write(app.folder().join("order.js"), other).expect("room for a file");
    app.wait_until(|view| {
        let state = view.state.state.as_ref();
        state.and_then(|state| state.get("events")).is_some_and(|events| events.to_compact() == "1012")
    });
    app.come_to_rest();
}

#[expect(clippy::disallowed_methods, reason = "a window that nobody touches only waits")]
fn pause(time: Duration) {
    thread::sleep(time);
}
