//! The snapshots panel: verdicts, what differs, where it parts, what loading costs.

use egui::{Theme, accesskit::Role};
use egui_kittest::kittest::{AccessKitNode, Queryable as _};
use timeglass::{
    session::{action::Action, view::View},
    snapshot::Verdict,
    ui::panels::snapshots::{SnapshotsLocal, snapshots_ui},
};

use super::{
    app_stage::AppStage,
    stage::{check_tree, pictures, stage},
};
use crate::support::fixture;

/// The window with a fixture store open beside its reducers, and all of its snapshots listed.
fn listed(store: &str, reducers: &[(&str, &str)]) -> AppStage {
    let unpacked = fixture(store);
    let read = |file: &str| std::fs::read_to_string(format!("tests/fixtures/reducers/{file}")).unwrap();
    let named: Vec<String> =
        reducers.iter().map(|(category, file)| format!("{category} = \"{file}\"\n")).collect();
    let project = format!("[reducers]\n{}", named.concat());
    let texts: Vec<(&str, String)> = reducers.iter().map(|(_, file)| (*file, read(file))).collect();
    let mut files: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (*file, text.as_str())).collect();
    files.push(("timeglass.toml", &project));
    let mut app = AppStage::open_beside([1500.0, 1000.0], &unpacked.path, &files);
    app.click("Snapshots");
    // The timeline, below, has one of the same name.
    let names = app.harness.get_all_by_label("Whole store");
    names.min_by(|one, other| one.rect().top().total_cmp(&other.rect().top())).unwrap().click();
    app.settle();
    app
}

fn seed() -> AppStage {
    listed("seed-000-defects", &[("User", "seed-000-user.js")])
}

fn counts(app: &AppStage) -> Vec<(Verdict, usize)> {
    app.view().verify.counts.to_vec()
}

/// The panel's own text: what is said of the chosen snapshot.
fn told(app: &AppStage, expected: &[&str]) {
    let text = app.text();
    for words in expected {
        assert!(text.contains(words), "{words} in\n{text}");
    }
}

#[test]
fn what_was_planted_is_found_and_led_to() {
    use Verdict::{Agrees, Ahead, Differs, NotChecked, Orphan};
    let mut app = seed();
    assert_eq!(counts(&app), [(Orphan, 1), (Ahead, 1), (NotChecked, 32)], "told without a comparison");
    app.click("Verify");
    assert_eq!(counts(&app), [(Agrees, 31), (Differs, 1), (Orphan, 1), (Ahead, 1)]);
    assert_eq!(app.view().verify.progress, None);
    app.click("Differs 1");
    assert_eq!(app.view().verify.shown.as_ref().map(|shown| shown.len()), Some(1));
    app.click_row("Stream: User-ae54d496");
    told(
        &app,
        &[
            "Differs from what the events make",
            "1 difference v200",
            "/name changed from",
            "The snapshot at v100 still agrees, so the fault came after it",
            "what is stored was never so; UserUpdated v181 wrote it last",
        ],
    );
    assert!(app.view().state.place.starts_with("v200 "), "{}", app.view().state.place);
    app.click("Go to v181");
    assert!(app.view().state.place.starts_with("v181 "), "{}", app.view().state.place);
    app.press_with(egui::Modifiers::ALT, egui::Key::ArrowLeft);
    assert!(app.view().state.place.starts_with("v200 "), "the way there is a step of the trail");
    app.click("Differs 1");
    assert_eq!(app.view().verify.shown, None);
}

#[test]
fn a_field_is_compared_no_more_and_again() {
    let mut app = seed();
    app.click("Verify");
    app.click("Differs 1");
    app.click_row("Stream: User-ae54d496");
    let change = |node: &AccessKitNode<'_>| {
        node.role() == Role::ListBoxOption && node.label().is_some_and(|label| label.starts_with("/name"))
    };
    app.harness.get_by(change).click_secondary();
    app.settle();
    app.click("Do not compare this field");
    let differs = |app: &AppStage| counts(app).iter().any(|(verdict, _)| *verdict == Verdict::Differs);
    assert!(!differs(&app));
    let file = std::fs::read_to_string(app.folder().join("timeglass.toml")).unwrap();
    assert!(file.contains("[[snapshot]]") && file.contains("\"/name\""), "{file}");
    app.click("Undo");
    assert!(differs(&app));
    let file = std::fs::read_to_string(app.folder().join("timeglass.toml")).unwrap();
    assert!(!file.contains("[[snapshot]]"), "{file}");
}

#[test]
fn damage_is_told_above_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = crate::damaged_tables::damaged(folder.path(), "snapshots");
    let mut app = AppStage::open_beside([1500.0, 1000.0], &path, &[]);
    app.click("Snapshots");
    let names = app.harness.get_all_by_label("Whole store");
    names.min_by(|one, other| one.rect().top().total_cmp(&other.rect().top())).unwrap().click();
    app.settle();
    told(&app, &["These are not all snapshots: ", "is damaged while reading snapshots of", "Stream: "]);
}

#[test]
fn another_reducer_takes_the_verdicts_away() {
    let mut app = seed();
    app.click("Verify");
    std::fs::write(app.folder().join("seed-000-user.js"), "({ $any(s) { s.events = 1; } })").unwrap();
    app.wait_until(|view| view.verify.counts.iter().all(|(verdict, _)| *verdict != Verdict::Agrees));
    app.click("Verify");
    assert!(counts(&app).contains(&(Verdict::Differs, 32)), "{:?}", counts(&app));
}

#[test]
fn without_a_reducer_the_merge_is_told_of() {
    let mut app = listed("seed-000-defects", &[]);
    app.click("Verify");
    let row = app.view().snapshots.rows.iter().position(|row| row.look.is_none()).unwrap();
    let start = format!("Stream: {},", app.view().snapshots.rows[row].stream);
    app.click_row(&start);
    told(&app, &["not comparable without a reducer: no event carries /id, /status"]);
    // The one whose name is wrong is told from the others.
    let of = |verdict: Verdict| counts(&app).iter().find(|(one, _)| *one == verdict).map(|(_, count)| *count);
    assert_eq!((of(Verdict::Differs), of(Verdict::NotComparable)), (Some(1), Some(31)));
    assert!(!app.view().verify.can_create, "a merge is no state to store");
}

#[test]
fn what_loading_costs_is_counted_and_drawn() {
    let mut app = seed();
    app.choose_stream("ae54d496", "ae54d496-33f8-4baf-bb05-a81d7d24563a");
    app.click("Loading cost");
    let cost = app.view().verify.cost.clone().unwrap();
    assert_eq!(cost.lines.len(), 1);
    assert_eq!((cost.lines[0].streams, cost.lines[0].with.most), (48, 31));
    let (name, sketch) = cost.along.clone().unwrap();
    assert_eq!((&*name, sketch.counts), ("User-ae54d496-33f8-4baf-bb05-a81d7d24563a", 232));
    told(
        &app,
        &["95 % take", "Longest loads", "Events since the last snapshot", "Streams by events to replay"],
    );
    app.click("Loading cost");
    assert_eq!(app.view().verify.cost, None);
}

/// The panel alone.
fn draw(ui: &mut egui::Ui, view: &View) {
    let (mut local, mut actions): (SnapshotsLocal, Vec<Action>) = Default::default();
    snapshots_ui(ui, &view.snapshots, &view.verify, &mut local, &mut actions);
}

#[test]
fn the_panel_can_be_read() {
    let mut app = seed();
    app.click("Verify");
    app.click("Differs 1");
    app.click_row("Stream: User-ae54d496");
    let view = app.view().clone();
    let harness = stage([900.0, 560.0], Theme::Light, view.clone(), |ui, view| draw(ui, view));
    check_tree("snapshots-differs", &harness);
    pictures("snapshots-differs", [900.0, 560.0], &view, |ui, view| draw(ui, view));
    app.click("Differs 1");
    app.click("Loading cost");
    let view = app.view().clone();
    let harness = stage([900.0, 800.0], Theme::Light, view.clone(), |ui, view| draw(ui, view));
    check_tree("snapshots-cost", &harness);
    pictures("snapshots-cost", [900.0, 800.0], &view, |ui, view| draw(ui, view));
}
