//! The settings dialog: what it tells, and that its controls do what they say.

use std::{fs, path::Path};

use egui::{Key, Modifiers};
use timeglass::session::action::Theme;

use super::app_stage::{AppStage, SHOP};

fn settings() -> AppStage {
    let mut app = AppStage::open_caching([1000.0, 620.0], Path::new(SHOP));
    app.press_with(Modifiers::COMMAND, Key::Comma);
    app
}

/// What the dialog tells, without what lies under it and without sizes, which differ.
fn dialog(app: &AppStage) -> String {
    let text = app.text();
    let (_, inside) = text.split_once("\nDialog").expect("a dialog");
    let steady = inside.lines().map(|line| line.split(" KB in ").last().unwrap_or(line));
    steady.collect::<Vec<_>>().join("\n")
}

/// How many indexes are kept.
fn kept(app: &AppStage) -> usize {
    let files = fs::read_dir(app.folder().join("cache")).into_iter().flatten();
    files.filter(|file| file.as_ref().is_ok_and(|file| file.path().extension().is_some())).count()
}

#[test]
fn the_settings_can_be_read() {
    let mut app = settings();
    app.check_picture("settings");
    insta::with_settings!({ snapshot_path => "../../golden/ui", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("settings-dialog", dialog(&app));
    });
}

#[test]
fn what_is_chosen_holds() {
    let mut app = settings();
    assert_eq!(kept(&app), 1, "the store's index is kept");
    app.click("Clear cache");
    assert_eq!(kept(&app), 0);
    assert!(dialog(&app).contains("empty"), "{}", dialog(&app));
    app.click("Keep the index of large stores, so that they open at once the next time");
    app.click("Dark");
    app.click("Local time");
    app.click("At most");
    assert!(!app.harness.state().session().workspace().is_caching);
    assert_eq!(app.view().theme, Theme::Dark);
    app.click("Close");
    assert!(!app.text().contains("\nDialog"));
    app.press(Key::F5);
    assert_eq!(kept(&app), 0, "nothing is kept any more");
}
