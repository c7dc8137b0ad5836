//! Reducers: written from events, edited, broken, mended, changed from outside.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use timeglass::{
    model::{Json, StreamName},
    replay::OnFailure,
    session::{
        Input,
        action::{Action, BrowseAction, CursorAction, ScriptAction, ShellAction},
        job::Slot,
        view::ScriptsView,
    },
    store::memory::event,
};

use super::{Script, shop};

/// A session in a folder of its own, with `order-1` chosen.
struct Scene {
    script: Script,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Script::open_in(folder.path(), shop());
        let mut scene = Self { script, folder };
        scene.choose("order-1");
        scene
    }

    /// A session that starts with this reducer for orders.
    fn with(text: &str) -> Self {
        let mut scene = Self::new();
        let path = scene.write("reducers/order.js", text);
        scene.ask(ScriptAction::Use("order".into(), path));
        scene
    }

    fn choose(&mut self, stream: &str) {
        self.script.browse(BrowseAction::ChooseStream(self.script.stream(stream)));
    }

    fn ask(&mut self, action: ScriptAction) {
        self.script.feed(Input::Action(Action::Scripts(action)));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn type_text(&mut self, text: &str) {
        let editor = self.view().editor.as_ref().expect("an editor");
        let (category, revision) = (Arc::clone(&editor.category), editor.revision);
        self.ask(ScriptAction::Edit { category, revision, text: text.into() });
    }

    /// Half a second passes.
    fn wait(&mut self) {
        self.script.feed(Input::Tick(Duration::from_millis(500)));
    }

    fn view(&self) -> &ScriptsView {
        &self.script.view().scripts
    }

    fn text(&self) -> String {
        self.view().editor.as_ref().map(|editor| editor.text.to_string()).unwrap_or_default()
    }

    #[track_caller]
    fn check(&self, reducer: &str, state: &str) {
        assert_eq!(&*self.script.view().state.reducer, reducer);
        assert_eq!(self.script.state(), state);
    }

    fn failure(&self) -> String {
        let editor = self.view().editor.as_ref().expect("an editor");
        editor.failure.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

const COUNTING: &str = "({\n    $init() { return { n: 0 }; },\n    OrderPlaced(s, e) { s.n += 1; },\n    OrderPaid(s, e) { s.n += 10; },\n})\n";

#[test]
fn a_story_from_the_scaffold_to_a_mended_fault() {
    let mut scene = Scene::new();
    scene.check("merged; no reducer for `order`", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    assert_eq!(scene.script.view().state.lacks_reducer.as_deref(), Some("order"));

    scene.ask(ScriptAction::Scaffold("order".into()));
    scene.check("order.js", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    assert_eq!(scene.read("timeglass.toml").trim_start(), "[reducers]\norder = \"reducers/order.js\"\n");
    assert_eq!(scene.read("reducers/order.js"), scene.text());
    assert_eq!(scene.script.view().state.lacks_reducer, None);

    let edited = scene.text().replace("s.total = e.data.total;", "s.total = e.data.total * 2;");
    scene.type_text(&edited);
    assert!(scene.view().editor.as_ref().unwrap().is_unsaved);
    scene.check("order.js", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    scene.ask(ScriptAction::Save);
    scene.check("order.js", r#"{"status":"shipped","total":20,"parcel":"X1"}"#);
    assert_eq!(scene.read("reducers/order.js"), edited);

    let broken = edited.replace("OrderPaid(s, e) {", "OrderPaid(s, e) { s.paid = totl;");
    scene.type_text(&broken);
    scene.ask(ScriptAction::Save);
    let line = broken.lines().position(|line| line.contains("totl")).unwrap() + 1;
    assert_eq!(scene.view().failure_count, 1);
    assert_eq!(scene.view().failures[0].label, "OrderPaid 2@order-1");
    assert_eq!(scene.view().failures[0].failure.line, u32::try_from(line).ok());
    scene.script.cursor(CursorAction::ToCount(2));
    let notes = Arc::clone(&scene.script.view().state.notes);
    assert_eq!(notes.label, "OrderPaid 2@order-1");
    assert!(notes.excerpt.starts_with(&format!("order.js:{line}:")), "{}", notes.excerpt);
    assert!(notes.excerpt.contains("totl;"), "{}", notes.excerpt);
    let marked = scene.view().editor.as_ref().unwrap().step_failure.clone();
    assert_eq!(marked.unwrap().line, u32::try_from(line).ok());
    scene.ask(ScriptAction::ShowFailure);
    assert_eq!(scene.view().editor.as_ref().unwrap().target.unwrap().1 as usize, line);

    scene.type_text(&edited);
    scene.ask(ScriptAction::Save);
    assert_eq!(scene.view().failure_count, 0);
    scene.script.cursor(CursorAction::End);
    scene.check("order.js", r#"{"status":"shipped","total":20,"parcel":"X1"}"#);
}

#[test]
fn a_text_that_does_not_load_leaves_the_old_result_marked_as_old() {
    let mut scene = Scene::with(COUNTING);
    scene.check("order.js", r#"{"n":11}"#);
    scene.type_text(&COUNTING.replace("s.n += 10;", "s.n += ;"));
    assert!(scene.failure().starts_with("order.js:4:"), "{}", scene.failure());
    assert_eq!(scene.script.view().state.old, None, "the draft is not in use, so the state is not old");
    scene.ask(ScriptAction::Save);
    scene.check("order.js", r#"{"n":11}"#);
    let old = scene.script.view().state.old.clone().unwrap();
    assert!(old.starts_with("Old result: order.js is newer and cannot be used: order.js:4:"), "{old}");
    assert!(scene.view().editor.as_ref().unwrap().is_older_in_use);
    scene.type_text(COUNTING);
    scene.ask(ScriptAction::Save);
    assert_eq!(scene.failure(), "");
    assert_eq!(scene.script.view().state.old, None);
}

#[test]
fn a_change_in_another_editor_is_taken_and_never_at_the_cost_of_a_draft() {
    let mut scene = Scene::with(COUNTING);
    let theirs = COUNTING.replace("+= 10", "+= 100");
    scene.write("reducers/order.js", &theirs);
    scene.wait();
    scene.check("order.js", r#"{"n":101}"#);
    assert_eq!(scene.text(), theirs);

    let mine = theirs.replace("+= 100", "+= 2");
    scene.type_text(&mine);
    let later = theirs.replace("+= 100", "+= 3");
    scene.write("reducers/order.js", &later);
    scene.wait();
    assert!(scene.view().editor.as_ref().unwrap().has_conflict);
    assert_eq!(scene.text(), mine);
    scene.check("order.js", r#"{"n":4}"#);

    // Saving without a choice must not write over what somebody else wrote since.
    let latest = theirs.replace("+= 100", "+= 5");
    scene.write("reducers/order.js", &latest);
    scene.ask(ScriptAction::Save);
    assert_eq!(scene.read("reducers/order.js"), latest);
    scene.ask(ScriptAction::KeepMine("order".into()));
    scene.ask(ScriptAction::Save);
    assert_eq!(scene.read("reducers/order.js"), mine);
    scene.check("order.js", r#"{"n":3}"#);

    scene.type_text("draft");
    scene.write("reducers/order.js", &latest);
    scene.wait();
    scene.ask(ScriptAction::TakeTheirs("order".into()));
    assert_eq!(scene.text(), latest);
    scene.check("order.js", r#"{"n":6}"#);
}

#[test]
fn a_draft_outlives_other_streams_and_the_window() {
    let mut scene = Scene::with(COUNTING);
    scene.type_text("({ half");
    scene.choose("customer-7");
    assert_eq!(scene.view().shown.as_deref(), Some("customer"));
    assert_eq!(scene.view().editor, None);
    scene.choose("order-2");
    assert_eq!(scene.text(), "({ half");

    let workspace = scene.script.session.workspace().clone();
    assert_eq!(workspace.drafts.len(), 1);
    scene.script.shell(ShellAction::Close);
    let mut script = Script::reopen(scene.folder.path(), shop(), workspace);
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    let editor = script.view().scripts.editor.as_ref().expect("an editor");
    assert_eq!((&*editor.text, editor.is_unsaved), ("({ half", true));
    assert_eq!(script.state(), r#"{"n":11}"#, "the file is in use, not the draft");
    assert!(!editor.has_conflict);
}

#[test]
fn types_without_a_handler_are_named_and_get_one_by_a_click() {
    let mut scene = Scene::with(COUNTING);
    let names = |scene: &Scene| scene.view().editor.as_ref().unwrap().unhandled.join(", ");
    assert_eq!(names(&scene), "OrderShipped, OrderCancelled");
    scene.ask(ScriptAction::InsertHandlers("order".into()));
    assert_eq!(names(&scene), "");
    assert!(scene.text().contains("s.parcel = e.data.parcel;"), "{}", scene.text());
    assert!(scene.text().starts_with(COUNTING.trim_end().trim_end_matches("})").trim_end()));
    scene.ask(ScriptAction::Save);
    scene.check("order.js", r#"{"n":11,"status":"shipped","parcel":"X1"}"#);
    let never = COUNTING.replace("OrderPaid", "OrderPayed");
    scene.type_text(&never);
    assert_eq!(scene.view().editor.as_ref().unwrap().unseen.join(", "), "OrderPayed");
}

#[test]
fn a_history_goes_on_or_stops_at_the_first_failure_as_the_user_chooses() {
    let mut scene = Scene::with(&COUNTING.replace("s.n += 10;", "throw new Error('no');"));
    scene.type_text(&scene.text().replace("})\n", "    OrderShipped(s) { s.n += 100; },\n})\n"));
    scene.ask(ScriptAction::Save);
    scene.check("order.js", r#"{"n":101}"#);
    scene.ask(ScriptAction::SetOnFailure(OnFailure::Stop));
    scene.check("order.js", r#"{"n":1}"#);
    assert_eq!(scene.script.view().state.notes.stopped_at, Some(2));
    assert!(
        scene.read("timeglass.toml").contains("on_failure = \"stop\""),
        "{}",
        scene.read("timeglass.toml")
    );
    scene.ask(ScriptAction::SetOnFailure(OnFailure::GoOn));
    scene.check("order.js", r#"{"n":101}"#);
}

#[test]
fn what_is_no_reducer_says_why_where_the_user_looks() {
    let said = |text: &str| {
        let scene = Scene::with(text);
        (scene.script.view().state.reducer.to_string(), scene.failure())
    };
    let (reducer, failure) = said("fromAll().when({ $init() { return {}; }, OrderPlaced(s, e) {} })");
    assert_eq!(reducer, "merged; `order.js` does not load");
    assert!(failure.contains("one state for all streams"), "{failure}");
    assert!(said("17").1.contains("there are no handlers"));
    assert!(said("({ A() {").1.starts_with("order.js:"));

    let mut scene = Scene::new();
    scene.ask(ScriptAction::Use("order".into(), PathBuf::from("reducers/none.js")));
    let problem = scene.view().editor.as_ref().unwrap().problem.clone().unwrap();
    assert!(problem.starts_with("there is no file"), "{problem}");
    assert!(
        scene.script.view().notices.iter().any(|notice| notice.title == "The reducer none.js cannot be read")
    );
    // It appears, and is used.
    scene.write("reducers/none.js", COUNTING);
    scene.wait();
    scene.check("none.js", r#"{"n":11}"#);
    assert_eq!(scene.view().editor.as_ref().unwrap().problem, None);
}

#[test]
fn a_reducer_for_a_category_that_is_not_there_is_told_with_the_near_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("odrer.js"), COUNTING).unwrap();
    fs::write(folder.path().join("timeglass.toml"), "[reducers]\nodrer = \"odrer.js\"\n").unwrap();
    let script = Script::open_in(folder.path(), shop());
    let notice = script.view().notices.iter().find(|notice| notice.title.contains("odrer")).unwrap().clone();
    assert_eq!(notice.title, "There is no category `odrer` for its reducer");
    assert_eq!(notice.hint, "There is `order`");
    let line = script.view().scripts.lines.iter().find(|line| &*line.category == "odrer").unwrap();
    assert!(!line.is_known);
}

#[test]
fn a_reducer_is_used_and_put_away_again() {
    let mut scene = Scene::with(COUNTING);
    assert_eq!(scene.read("timeglass.toml").trim_start(), "[reducers]\norder = \"reducers/order.js\"\n");
    let lines = Arc::clone(&scene.view().lines);
    let order = lines.iter().find(|line| &*line.category == "order").unwrap();
    assert_eq!((order.file.as_deref(), order.unhandled, order.is_known), (Some("order.js"), 2, true));
    scene.type_text("draft");
    scene.ask(ScriptAction::StopUsing("order".into()));
    scene.check("merged; no reducer for `order`", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    assert!(!scene.read("timeglass.toml").contains("order.js"));
    assert_eq!(scene.read("reducers/order.js"), COUNTING);
    scene.ask(ScriptAction::Use("order".into(), scene.path("reducers/order.js")));
    assert_eq!(scene.text(), "draft", "the draft waited");
}

#[test]
fn a_scaffold_never_writes_over_a_file() {
    let mut scene = Scene::new();
    scene.write("reducers/order.js", "theirs");
    scene.ask(ScriptAction::Scaffold("order".into()));
    assert_eq!(scene.read("reducers/order.js"), "theirs");
    assert!(scene.read("timeglass.toml").contains("order = \"reducers/order-2.js\""));
    scene.check("order-2.js", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
}

#[test]
fn where_nothing_can_be_written_the_text_is_used_all_the_same() {
    let mut scene = Scene::new();
    // A file in the place of the folder cannot be written into by anybody, root included.
    scene.write("reducers", "");
    scene.ask(ScriptAction::Scaffold("order".into()));
    scene.check("order.js", r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    let editor = scene.view().editor.clone().unwrap();
    assert!(editor.is_unsaved && editor.problem.is_some());
    assert!(scene.script.view().notices.iter().any(|notice| notice.title == "order.js cannot be written"));
    assert!(!Path::new(&scene.path("timeglass.toml")).exists());
}

#[test]
fn logs_and_numbers_that_lost_digits_are_told_beside_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let stream = StreamName::of("account", "1");
    let data = Json::parse(br#"{"balance":12345678901234567890}"#).unwrap();
    let script = Script::open_in(folder.path(), [event(1, &stream, 1, "Opened", data)]);
    let mut scene = Scene { script, folder };
    scene.choose("account-1");
    let path = scene.write("a.js", "({ Opened(s, e) { log('opened'); s.balance = e.data.balance; } })");
    scene.ask(ScriptAction::Use("account".into(), path));
    let notes = Arc::clone(&scene.script.view().state.notes);
    assert_eq!(notes.logs.iter().map(|line| &**line).collect::<Vec<_>>(), ["opened"]);
    assert_eq!(notes.roundings.len(), 1);
    assert!(notes.roundings[0].contains("/balance"), "{:?}", notes.roundings);
    assert!(
        notes.roundings[0].contains("12345678901234567890 became 1234567890123456"),
        "{:?}",
        notes.roundings
    );
}

#[test]
fn stopping_the_work_leaves_everything_as_it_was_and_it_can_be_asked_again() {
    let mut scene = Scene::with(COUNTING);
    // Asked, and withdrawn before there is an answer.
    for action in [ScriptAction::Scaffold("customer".into()), ScriptAction::InsertHandlers("order".into())] {
        drop(scene.script.session.apply(Input::Action(Action::Scripts(action))));
        assert!(scene.view().is_scaffolding);
        scene.script.shell(ShellAction::CancelWork);
        assert!(!scene.view().is_scaffolding);
    }
    assert_eq!(scene.text(), COUNTING);
    let text = COUNTING.replace("+= 10", "+= 20");
    scene.type_text(&text);
    // What is being written is written: nobody is to wonder what the file holds.
    let saving = scene.script.session.apply(Input::Action(Action::Scripts(ScriptAction::Save)));
    assert!(scene.view().editor.as_ref().unwrap().is_saving);
    scene.script.shell(ShellAction::CancelWork);
    assert!(scene.view().editor.as_ref().unwrap().is_saving);
    assert_eq!(scene.read("reducers/order.js"), COUNTING);
    scene.script.run(saving);
    let editor = scene.view().editor.clone().unwrap();
    assert!(!editor.is_saving && !editor.is_unsaved);
    assert_eq!(scene.read("reducers/order.js"), text);
    scene.check("order.js", r#"{"n":21}"#);
}

#[test]
fn an_edit_of_one_handler_gives_the_state_that_folding_anew_gives() {
    let stream = StreamName::of("order", "1");
    let name = |version: i64| if version == 900 { "Late" } else { "Counted" };
    let data = || Json::parse(b"{}").unwrap();
    let events: Vec<_> =
        (1..=1000).map(|version| event(version, &stream, version, name(version), data())).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene { script: Script::open_in(folder.path(), events), folder };
    scene.choose("order-1");
    let text = |late: &str, counted: &str| {
        format!(
            "({{ $init() {{ return {{ n: 0 }}; }}, Counted(s) {{ s.n += {counted}; }}, Late(s) {{ s.n {late}; }} }})"
        )
    };
    let path = scene.write("o.js", &text("+= 1000", "1"));
    scene.ask(ScriptAction::Use("order".into(), path));
    scene.check("o.js", r#"{"n":1999}"#);
    let shown = scene.script.view().state.state.clone();
    for (late, counted, expected) in
        [("= 0", "1", 100), ("+= 5", "1", 1004), ("+= 5", "2", 2003), ("*= 2", "2", 3796)]
    {
        scene.type_text(&text(late, counted));
        scene.ask(ScriptAction::Save);
        scene.check("o.js", &format!("{{\"n\":{expected}}}"));
    }
    assert_ne!(scene.script.view().state.state, shown);
    scene.script.cursor(CursorAction::ToCount(899));
    scene.check("o.js", r#"{"n":1798}"#);
}

#[test]
fn a_reducer_saved_twice_at_once_is_one_file_without_a_conflict() {
    let mut scene = Scene::new();
    scene.ask(ScriptAction::Scaffold("order".into()));
    let save = || Input::Action(Action::Scripts(ScriptAction::Save));
    let first = format!("{}// 1\n", scene.text());
    let second = format!("{first}// 2\n");
    scene.type_text(&first);
    let slow = scene.script.session.apply(save());
    scene.type_text(&second);
    let at_once = scene.script.session.apply(save());
    assert!(at_once.iter().all(|job| job.slot != Slot::ScriptSave), "one after the other");
    scene.script.run(slow);
    assert_eq!(scene.read("reducers/order.js"), second);
    let editor = scene.view().editor.clone().unwrap();
    assert!(!editor.has_conflict && !editor.is_unsaved && !editor.is_saving);
}

#[test]
fn limits_come_from_the_project_file() {
    for (limits, expected) in
        [("call_limit_ms = 40", "longer than 40 ms"), ("memory_limit_mib = 16", "16 MiB")]
    {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[reducers]\norder = 'order.js'\n[scripts]\n{limits}\n");
        fs::write(folder.path().join("timeglass.toml"), text).unwrap();
        let reducer = if limits.starts_with("call") {
            "({ $any(s) { for (;;); } })"
        } else {
            "({ $any(s) { const a = []; for (;;) a.push({ x: [1, 2, 3] }); } })"
        };
        fs::write(folder.path().join("order.js"), reducer).unwrap();
        let mut script = Script::open_in(folder.path(), shop());
        script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
        let state = format!("{:?}", script.view().state);
        assert!(state.contains(expected), "{limits}: {state}");
    }
}
