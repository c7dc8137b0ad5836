//! The reducer's panel and its editor, driven and looked at.

use std::{fs, path::Path, sync::Arc};

use egui::{Key, Modifiers, Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use timeglass::{
    model::Failure,
    session::{
        action::{Action, CursorAction, ScriptAction},
        view::{CategoryLine, EditorView, FailureLine, ScriptsView},
    },
    ui::panels::scripts::{ScriptsLocal, scripts_ui},
};

use super::{
    app_stage::{AppStage, SHOP},
    stage::{check_tree, pictures, stage},
};

const TEXT: &str = "// Orders\n({\n    $init() { return { total: 0 }; },\n    OrderPlaced(s, e) {\n        s.total += e.data.totl.cents;\n    },\n})\n";

/// The control key as it comes on most systems.
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };

fn failure() -> Failure {
    Failure {
        message: "TypeError: cannot read property 'cents' of undefined".into(),
        file: Some("order.js".into()),
        line: Some(5),
        column: Some(32),
    }
}

fn view() -> ScriptsView {
    let line = |category: &str, file: Option<&str>| CategoryLine {
        category: category.into(),
        file: file.map(str::to_owned),
        is_known: true,
        ..CategoryLine::default()
    };
    let types = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
    ScriptsView {
        lines: Arc::new([
            line("customer", None),
            CategoryLine { unhandled: 2, is_unsaved: true, ..line("order", Some("order.js")) },
            CategoryLine { is_known: false, ..line("odrer", Some("old.js")) },
            CategoryLine {
                trouble: Some("line 3: unexpected token".into()),
                ..line("product", Some("product.js"))
            },
        ]),
        shown: Some("order".into()),
        editor: Some(EditorView {
            category: "order".into(),
            file: "order.js".to_owned(),
            path: "/stores/reducers/order.js".to_owned(),
            text: TEXT.into(),
            is_unsaved: true,
            has_conflict: true,
            failure: Some(failure()),
            is_older_in_use: true,
            unhandled: types(&["OrderPaid", "OrderShipped"]),
            unseen: types(&["OrderPayed"]),
            ..EditorView::default()
        }),
        failures: Arc::new([FailureLine {
            count: 3,
            label: "OrderPlaced 17@order-4".to_owned(),
            failure: failure(),
        }]),
        failure_count: 1,
        ..ScriptsView::default()
    }
}

struct Panel {
    view: ScriptsView,
    local: ScriptsLocal,
    actions: Vec<Action>,
}

impl Clone for Panel {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), local: ScriptsLocal::default(), actions: Vec::new() }
    }
}

fn panel(view: ScriptsView) -> Panel {
    Panel { view, local: ScriptsLocal::default(), actions: Vec::new() }
}

fn draw(ui: &mut Ui, panel: &mut Panel) {
    scripts_ui(ui, &panel.view, &mut panel.local, &mut panel.actions);
}

#[test]
fn the_panel_names_reducers_faults_and_what_to_do() {
    pictures("reducer", vec2(760.0, 420.0), &panel(view()), draw);
    let mut harness = stage(vec2(760.0, 420.0), Theme::Light, panel(view()), draw);
    check_tree("reducer", &harness);
    for (label, action) in [
        ("Add handlers", ScriptAction::InsertHandlers("order".into())),
        ("Keep mine", ScriptAction::KeepMine("order".into())),
        ("Take theirs", ScriptAction::TakeTheirs("order".into())),
        ("Save", ScriptAction::Save),
        ("customer: merged", ScriptAction::Show("customer".into())),
    ] {
        harness.get_by_label(label).click();
        harness.run();
        assert_eq!(harness.state_mut().actions.pop(), Some(Action::Scripts(action)), "{label}");
    }
    harness.get_by_label_contains("OrderPlaced 17@order-4").click();
    harness.run();
    assert_eq!(harness.state_mut().actions.pop(), Some(Action::Cursor(CursorAction::ToCount(3))));
}

#[test]
fn a_category_without_a_reducer_offers_one() {
    let view = ScriptsView { shown: Some("customer".into()), editor: None, ..view() };
    let mut harness = stage(vec2(760.0, 420.0), Theme::Light, panel(view), draw);
    harness.get_by_label("New reducer from the events").click();
    harness.run();
    let asked = harness.state_mut().actions.pop();
    assert_eq!(asked, Some(Action::Scripts(ScriptAction::Scaffold("customer".into()))));
    harness.get_by_label("Use a file…").click();
    harness.run();
    assert_eq!(harness.state().local.wants_file.as_deref(), Some("customer"));
}

#[test]
fn typing_is_told_with_indents_and_can_be_undone() {
    let mut quiet = view();
    let editor = quiet.editor.as_mut().unwrap();
    editor.text = "({\n    A(s) {".into();
    let mut harness = stage(vec2(760.0, 420.0), Theme::Light, panel(quiet), draw);
    harness.get_by_label("Reducer text").focus();
    harness.run();
    harness.key_press_modifiers(CTRL, Key::End);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.event(egui::Event::Text("s.n".to_owned()));
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    let typed = |harness: &mut egui_kittest::Harness<'_, Panel>| match harness.state_mut().actions.pop() {
        Some(Action::Scripts(ScriptAction::Edit { text, .. })) => text.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(typed(&mut harness), "({\n    A(s) {\n        s.n    ");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run();
    assert_ne!(typed(&mut harness), "({\n    A(s) {\n        s.n    ");
}

#[test]
fn a_text_that_was_replaced_comes_back_by_undo() {
    let mut harness = stage(vec2(760.0, 420.0), Theme::Light, panel(view()), draw);
    harness.get_by_label("Reducer text").focus();
    harness.run();
    harness.key_press_modifiers(CTRL, Key::End);
    harness.run();
    harness.event(egui::Event::Text("// mine".to_owned()));
    harness.run();
    let editor = harness.state_mut().view.editor.as_mut().unwrap();
    (editor.text, editor.revision) = ("({ theirs() {} })".into(), 1);
    harness.run();
    harness.state_mut().actions.clear();
    harness.get_by_label("Reducer text").focus();
    harness.run();
    harness.key_press_modifiers(CTRL, Key::Z);
    harness.run();
    let asked = harness.state_mut().actions.pop();
    let Some(Action::Scripts(ScriptAction::Edit { text, revision: 1, .. })) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(&*text, format!("{TEXT}// mine"));
}

#[test]
fn a_reducer_is_written_edited_saved_broken_and_mended_in_the_window() {
    let mut stage = AppStage::open(vec2(1500.0, 900.0), Path::new(SHOP));
    stage.choose_stream("order-4701", "4701");
    let merged = stage.view().state.state.clone().unwrap();
    stage.harness.get_all_by_label("New reducer from the events").last().unwrap().click();
    stage.settle();
    let file = stage.folder().join("reducers/order.js");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("OrderPlaced(s, e) {"), "{text}");
    assert_eq!(&*stage.view().state.reducer, "order.js");
    let state = stage.view().state.state.clone().unwrap();
    assert_eq!(state.get("customer_id"), merged.get("customer_id"));

    // The panel came to the front, and typing goes to its text.
    stage.harness.get_by_label("Reducer text").focus();
    stage.press_with(CTRL, Key::Home);
    stage.type_text("oops(");
    let failure = stage.view().scripts.editor.as_ref().unwrap().failure.clone().unwrap();
    assert_eq!(failure.file.as_deref(), Some("order.js"));
    stage.harness.get_by_label_contains("● unsaved");
    stage.harness.get_by_label_contains(&format!("order.js:{}:", failure.line.unwrap()));
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "nothing is written before it is saved");
    stage.press_with(Modifiers::COMMAND, Key::S);
    let saved = fs::read_to_string(&file).unwrap();
    assert!(saved.starts_with("oops("), "{saved}");
    stage.harness.get_by_label_contains("Old result: order.js is newer");
    assert_eq!(stage.view().state.state.as_ref(), Some(&state), "the old result stays");

    stage.harness.get_by_label("Reducer text").focus();
    stage.press_with(CTRL, Key::Home);
    (0..5).for_each(|_| stage.press(Key::Delete));
    stage.press_with(Modifiers::COMMAND, Key::S);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(stage.view().state.old, None);

    // A fault at one event is shown with its place, and a click leads to it.
    let broken = text.replace("OrderPaid(s, e) {", "OrderPaid(s, e) { s.paid = totl;");
    fs::write(&file, &broken).unwrap();
    stage.wait_until(|view| view.scripts.failure_count == 1);
    stage.harness.get_by_label_contains("OrderPaid 3@order-4701").click();
    stage.settle();
    stage.harness.get_by_label_contains("OrderPaid 3@order-4701 was not applied: order.js:");
    assert!(
        stage.view().state.notes.excerpt.contains("s.paid = totl;"),
        "{}",
        stage.view().state.notes.excerpt
    );
}
