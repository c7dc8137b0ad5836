//! Projections: taken in, rebuilt, stopped and gone on with, read at the cursor, written down, mended.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use timeglass::{
    model::StreamName,
    project::{new_file::Existing, sections::ProjectionEntry},
    projection::{OnFailure, export::Format},
    session::{
        Input,
        action::{Action, BrowseAction, CursorAction, ProjectionAction, ShellAction},
        job::{Job, Slot},
        projections::Extent,
        view::{ModelView, ProjectionDetail, ProjectionsView, Stage, StoryView},
    },
    store::memory::event,
};

use super::{Script, shop};

const ORDERS: &str = "-- @projection orders   key: order_id
CREATE TABLE orders (order_id TEXT PRIMARY KEY, status TEXT, total INTEGER);
-- @on OrderPlaced
INSERT INTO orders VALUES (:stream_id, 'placed', :data ->> 'total');
-- @on OrderPaid
UPDATE orders SET status = 'paid' WHERE order_id = :stream_id;
-- @on OrderCancelled
DELETE FROM orders WHERE order_id = :stream_id;
";

/// A session in a folder of its own.
struct Scene {
    script: Script,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Script::open_in(folder.path(), shop());
        Self { script, folder }
    }

    /// With this definition taken in.
    fn with(text: &str) -> Self {
        let mut scene = Self::new();
        let path = scene.write("orders.sql", text);
        scene.ask(ProjectionAction::Add(path));
        scene
    }

    fn ask(&mut self, action: ProjectionAction) {
        self.script.feed(Input::Action(Action::Projections(action)));
    }

    /// Applies an action and holds its jobs back.
    fn hold(&mut self, action: ProjectionAction) -> Vec<Job> {
        self.script.session.apply(Input::Action(Action::Projections(action)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn rebuild(&mut self, extent: Extent) {
        self.ask(ProjectionAction::Rebuild("orders".into(), extent));
    }

    fn wait(&mut self) {
        self.script.feed(Input::Tick(Duration::from_millis(500)));
    }

    fn view(&self) -> &ProjectionsView {
        &self.script.view().projections
    }

    fn detail(&self) -> &ProjectionDetail {
        self.view().detail.as_ref().expect("a chosen projection")
    }

    fn model(&self) -> &ModelView {
        self.view().model.as_ref().expect("a read model")
    }

    fn story(&self) -> &StoryView {
        self.model().story.as_ref().expect("a chosen row")
    }

    fn stage(&self, name: &str) -> Stage {
        let line = self.view().lines.iter().find(|line| *line.name == *name);
        line.expect("a line of that name").stage
    }

    fn rebuilt(&self) -> &str {
        &self.view().lines[0].rebuilt
    }

    /// The rows as the panel asks for them, one a line.
    fn rows(&mut self) -> Vec<String> {
        self.ask(ProjectionAction::ShowRows { first: 0, count: 20 });
        let model = self.model();
        let each = model.loaded.rows.iter().map(|row| {
            let values: Vec<String> = row.values.iter().map(timeglass::model::Stored::to_words).collect();
            let sign = match (row.is_deleted, model.is_written_here(row)) {
                (true, true) => " gone here",
                (true, false) => " gone",
                (false, true) => " written here",
                (false, false) => "",
            };
            format!("{}{sign}", values.join(" "))
        });
        each.collect()
    }

    /// Puts the cursor behind so many events of the store.
    fn go_to(&mut self, count: u64) {
        if count == 0 {
            self.script.cursor(CursorAction::Home);
        } else {
            self.script.browse(BrowseAction::GoTo(format!("p{count}")));
        }
    }

    fn notice(&self) -> String {
        self.script.view().notices.last().map(|notice| notice.title.clone()).unwrap_or_default()
    }

    fn detail_of_notice(&self) -> String {
        self.script.view().notices.last().map(|notice| notice.detail.clone()).unwrap_or_default()
    }

    fn undo(&mut self) {
        let notices = &self.script.view().notices;
        let offer = notices.iter().rev().find_map(|notice| notice.offer.as_ref()).expect("an offer");
        let action = Action::clone(&offer.action);
        self.script.feed(Input::Action(action));
    }
}

#[test]
fn a_definition_is_taken_in_and_its_table_follows_the_cursor() {
    let mut scene = Scene::with(ORDERS);
    assert_eq!(scene.read("timeglass.toml").trim(), "[[projection]]\nfile = \"orders.sql\"");
    assert_eq!((&*scene.detail().name, scene.rebuilt()), ("orders", "never"));
    assert!(scene.view().model.is_none());
    scene.rebuild(Extent::Whole);
    assert_eq!(scene.rebuilt(), "all 6 events");
    assert_eq!(scene.rows(), ["1 paid 10", "2 placed 20 gone here"]);
    for (count, expected) in [
        (0, &[][..]),
        (1, &["1 placed 10 written here"]),
        (2, &["1 placed 10"]),
        (3, &["1 placed 10", "2 placed 20 written here"]),
        (4, &["1 paid 10 written here", "2 placed 20"]),
        (5, &["1 paid 10", "2 placed 20"]),
    ] {
        scene.go_to(count);
        assert_eq!(scene.rows(), expected, "after {count}");
    }
    assert_eq!(scene.model().place, "event 5 of 6");
    assert_eq!((scene.model().listed, scene.model().existing), (2, Some(2)));
    // What is asked again is not fetched again.
    assert!(scene.hold(ProjectionAction::ShowRows { first: 0, count: 20 }).is_empty());

    scene.ask(ProjectionAction::Filter("PAID".into()));
    assert_eq!(scene.rows(), ["1 paid 10"]);
    scene.ask(ProjectionAction::Filter("nobody".into()));
    assert_eq!(scene.rows(), [""; 0]);
}

#[test]
fn a_row_tells_its_history_and_who_set_a_value() {
    let mut scene = Scene::with(ORDERS);
    scene.rebuild(Extent::Whole);
    scene.go_to(5);
    scene.rows();
    scene.ask(ProjectionAction::ChooseRow(0));
    let counts: Vec<u64> = scene.story().changes.iter().map(|change| change.count).collect();
    assert_eq!((counts.as_slice(), scene.story().current), (&[1, 4][..], Some(1)));
    let head = scene.story().event(&scene.story().changes[1]);
    assert_eq!((head.event_type.as_str(), head.event.as_str()), ("OrderPaid", "2@order-1"));

    // Status was set by the fourth event, the total by the first.
    scene.ask(ProjectionAction::Why { row: 0, column: 1 });
    assert_eq!(scene.detail().cursor, 4);
    scene.go_to(5);
    scene.ask(ProjectionAction::Why { row: 0, column: 2 });
    assert_eq!((scene.detail().cursor, scene.story().current), (1, Some(0)));
    scene.ask(ProjectionAction::TurnChange(true));
    assert_eq!(scene.detail().cursor, 4);
    scene.ask(ProjectionAction::TurnChange(true));
    assert_eq!(scene.detail().cursor, 4, "there is no later change");
    scene.ask(ProjectionAction::TurnChange(false));
    assert_eq!(scene.detail().cursor, 1);
    scene.script.shell(ShellAction::Back);
    assert_eq!(scene.detail().cursor, 4);
    scene.ask(ProjectionAction::ForgetRow);
    assert!(scene.model().story.is_none());
}

#[test]
fn a_rebuild_is_stopped_and_gone_on_with() {
    let mut scene = Scene::with(ORDERS);
    let running = scene.hold(ProjectionAction::Rebuild("orders".into(), Extent::Whole));
    assert_eq!(running.len(), 1);
    assert_eq!(scene.stage("orders"), Stage::Running);
    let stopping = scene.hold(ProjectionAction::Stop("orders".into()));
    assert_eq!(stopping.iter().map(|job| job.slot).collect::<Vec<_>>(), [running[0].slot]);
    assert_eq!(scene.stage("orders"), Stage::Stopping);
    scene.script.run(stopping);
    assert_eq!((scene.stage("orders"), scene.rebuilt()), (Stage::Idle, "never"));
    scene.ask(ProjectionAction::Continue("orders".into()));
    assert_eq!(scene.rows(), ["1 paid 10", "2 placed 20 gone here"]);

    // Cancelling all work stops rebuilds, too.
    let running = scene.hold(ProjectionAction::Rebuild("orders".into(), Extent::Whole));
    assert_eq!((running.len(), scene.stage("orders")), (1, Stage::Running));
    scene.script.shell(ShellAction::CancelWork);
    assert_eq!(scene.stage("orders"), Stage::Idle);
}

#[test]
fn several_run_at_once_and_the_rest_wait() {
    let section = |number| {
        format!(
            "-- @projection p{number}\nCREATE TABLE p{number} (n);\n-- @on OrderPlaced\nINSERT INTO p{number} VALUES (1);\n"
        )
    };
    let text = (1..=5).map(section).collect::<Vec<String>>().concat();
    let mut scene = Scene::with(&text);
    let jobs = scene.hold(ProjectionAction::RebuildAll);
    let stages = |scene: &Scene| scene.view().lines.iter().map(|line| line.stage).collect::<Vec<_>>();
    let (running, queued) = (Stage::Running, Stage::Queued);
    assert_eq!(jobs.len(), 3);
    assert_eq!(stages(&scene), [running, running, running, queued, queued]);
    scene.ask(ProjectionAction::Stop("p5".into()));
    assert_eq!(scene.stage("p5"), Stage::Idle);
    scene.script.run(jobs);
    assert_eq!(stages(&scene), [Stage::Idle; 5]);
    let rebuilt: Vec<&str> = scene.view().lines.iter().map(|line| &*line.rebuilt).collect();
    assert_eq!(rebuilt, ["all 6 events", "all 6 events", "all 6 events", "all 6 events", "never"]);
}

#[test]
fn a_rebuild_may_take_in_a_part() {
    let mut scene = Scene::with(ORDERS);
    scene.go_to(3);
    scene.rebuild(Extent::UntilCursor);
    assert_eq!(scene.detail().extent.as_deref(), Some("up to event 3"));
    scene.script.cursor(CursorAction::End);
    assert_eq!(scene.rows(), ["1 placed 10", "2 placed 20"]);
    assert_eq!((scene.model().rebuilt, scene.model().cursor), (3, 6));
    scene.ask(ProjectionAction::Continue("orders".into()));
    assert_eq!(scene.rows(), ["1 paid 10", "2 placed 20 gone here"]);
    assert_eq!(scene.detail().extent, None);

    scene.script.browse(BrowseAction::ChooseStream(scene.script.stream("order-2")));
    scene.rebuild(Extent::ChosenStream);
    assert_eq!(scene.detail().extent.as_deref(), Some("only order-2"));
    scene.script.cursor(CursorAction::End);
    assert_eq!(scene.rows(), ["2 placed 20 gone here"]);

    scene.go_to(3);
    scene.rebuild(Extent::FromCursor);
    assert_eq!(scene.detail().extent.as_deref(), Some("from event 3 on"));
    scene.script.browse(BrowseAction::ClearStream);
    scene.script.cursor(CursorAction::End);
    assert_eq!(scene.rows(), ["2 placed 20 gone here"]);
}

#[test]
fn a_failure_stops_or_is_skipped_as_the_project_file_says() {
    let text = ORDERS.replace("SET status = 'paid'", "SET order_id = '2'");
    let mut scene = Scene::with(&text);
    scene.rebuild(Extent::Whole);
    let progress = scene.detail().progress.clone().unwrap();
    let failure = &progress.failures[0];
    assert_eq!(
        (failure.count, &*failure.event, &*failure.directive),
        (3, "OrderPaid 2@order-1", "@on OrderPaid")
    );
    assert_eq!(scene.rebuilt(), "fails at 4");
    scene.ask(ProjectionAction::GoToFailure(failure.count));
    assert_eq!(scene.detail().cursor, 4);

    scene.ask(ProjectionAction::SetOnFailure("orders".into(), OnFailure::Skip));
    assert!(
        scene.read("timeglass.toml").contains("on_failure = \"go on\""),
        "{}",
        scene.read("timeglass.toml")
    );
    assert_eq!(scene.rebuilt(), "all 6 events, 1 failure");
    scene.script.browse(BrowseAction::ClearStream);
    scene.script.cursor(CursorAction::End);
    assert_eq!(scene.rows(), ["1 placed 10", "2 placed 20 gone here"]);
}

#[test]
fn a_definition_that_does_not_load_says_where_and_is_taken_when_it_is_mended() {
    let mut scene = Scene::with(&ORDERS.replace("-- @on OrderPaid", "-- @on"));
    assert_eq!((&*scene.detail().name, scene.detail().has_definition), ("orders", false));
    let error = scene.detail().error.clone().expect("an error");
    assert_eq!((&*error.file, error.line), ("orders.sql", 5));
    scene.write("orders.sql", ORDERS);
    scene.wait();
    assert!(scene.detail().has_definition);
    scene.rebuild(Extent::Whole);

    // A broken text leaves the one before in use, and a changed one says that the rows are old.
    scene.write("orders.sql", "-- @projection");
    scene.wait();
    assert!(scene.detail().has_definition && scene.detail().error.is_some());
    scene.write("orders.sql", &ORDERS.replace("'paid'", "'PAID'"));
    scene.wait();
    assert!(scene.detail().is_outdated && scene.detail().error.is_none());
    scene.ask(ProjectionAction::RebuildChosen);
    assert!(!scene.detail().is_outdated);
    assert_eq!(scene.rows(), ["1 PAID 10", "2 placed 20 gone here"]);

    // The editor writes the same file, and never over what somebody else wrote.
    let known: Arc<str> = scene.detail().text.clone().expect("a text");
    let save = |text: &str, known: &Arc<str>| ProjectionAction::SaveText {
        projection: "orders".into(),
        text: text.into(),
        known: Arc::clone(known),
    };
    scene.ask(save(ORDERS, &known));
    assert_eq!((scene.read("orders.sql").as_str(), scene.notice().as_str()), (ORDERS, "orders.sql is saved"));
    scene.ask(save("mine", &known));
    assert_eq!(scene.read("orders.sql"), ORDERS);
    assert_eq!(scene.notice(), "orders.sql was changed elsewhere");
    fs::remove_file(scene.path("orders.sql")).unwrap();
    scene.wait();
    assert!(scene.detail().problem.as_ref().is_some_and(|why| why.starts_with("there is no file")));
}

#[test]
fn a_store_that_grows_is_followed() {
    let mut scene = Scene::with(ORDERS);
    scene.rebuild(Extent::Whole);
    scene.rows();
    scene.ask(ProjectionAction::ChooseRow(0));
    let order = |id: &str| StreamName::of("order", id);
    let json = |text: &str| timeglass::model::Json::parse(text.as_bytes()).unwrap();
    scene.script.append(event(7, &order("3"), 1, "OrderPlaced", json(r#"{"total":30}"#)));
    scene.script.append(event(8, &order("1"), 4, "OrderCancelled", json("{}")));
    scene.wait();
    assert_eq!(scene.rebuilt(), "all 8 events");
    assert_eq!(scene.rows(), ["1 paid 10 gone here", "2 placed 20 gone", "3 placed 30"]);
    assert_eq!(scene.story().changes.len(), 3, "the history of the chosen row grew, too");

    // Whoever stands in the past is not followed; what is missing is offered.
    scene.go_to(2);
    scene.script.append(event(9, &order("4"), 1, "OrderPlaced", json(r#"{"total":40}"#)));
    scene.wait();
    assert_eq!(scene.detail().behind, 1);
    scene.ask(ProjectionAction::Continue("orders".into()));
    assert_eq!((scene.detail().behind, scene.rebuilt()), (0, "all 9 events"));
}

#[test]
fn what_is_decided_goes_into_the_project_file_and_comes_back_by_undo() {
    let two = format!(
        "{ORDERS}-- @projection other\nCREATE TABLE other (n);\n-- @on OrderPaid\nINSERT INTO other VALUES (1);\n"
    );
    let mut scene = Scene::with(&two);
    scene.ask(ProjectionAction::Pair { projection: "other".into(), table: "others".into() });
    let kept = scene.read("timeglass.toml");
    assert!(
        kept.contains("name = \"orders\"") && kept.contains("name = \"other\"\ntable = \"others\""),
        "{kept}"
    );
    scene.undo();
    assert_eq!(scene.read("timeglass.toml").trim(), "[[projection]]\nfile = \"orders.sql\"");

    scene.ask(ProjectionAction::Remove("orders".into()));
    let names =
        |scene: &Scene| scene.view().lines.iter().map(|line| line.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&scene), ["other"]);
    assert!(scene.path("orders.sql").exists());
    scene.undo();
    assert_eq!(names(&scene), ["orders", "other"]);
    scene.ask(ProjectionAction::Choose(1));
    assert_eq!(&*scene.detail().name, "other");
}

#[test]
fn a_projection_in_javascript_shows_partitions_and_their_states() {
    let mut scene = Scene::new();
    let path = scene.write(
        "totals.js",
        "fromCategory('order').foreachStream().when({\n    $init() { return { n: 0 }; },\n    $initShared() { return { all: 0 }; },\n    \
         $any(s, e) { s[0].n += 1; s[0].last = e.eventType; s[1].all += 1; return s; },\n});\n",
    );
    scene.ask(ProjectionAction::Add(path));
    assert_eq!((scene.view().lines[0].kind, &*scene.detail().name), ("JavaScript", "totals"));
    scene.ask(ProjectionAction::RebuildChosen);
    scene.go_to(4);
    assert_eq!(
        scene.rows(),
        [
            "order-1 {\"n\":2,\"last\":\"OrderPaid\"} written here",
            "order-2 {\"n\":1,\"last\":\"OrderPlaced\"}"
        ]
    );
    scene.ask(ProjectionAction::ChooseRow(0));
    scene.ask(ProjectionAction::ShowState);
    let check = |scene: &Scene, state: &str, changes: usize, shared: &str| {
        let found = scene.model().state.clone().expect("a state");
        assert_eq!(found.state.as_ref().expect("a state").to_compact(), state);
        assert_eq!(found.changes.len(), changes);
        assert_eq!(found.shared.as_ref().expect("a shared state").to_compact(), shared);
    };
    check(&scene, r#"{"n":2,"last":"OrderPaid"}"#, 2, r#"{"all":3}"#);
    scene.go_to(3);
    scene.ask(ProjectionAction::ShowState);
    check(&scene, r#"{"n":1,"last":"OrderPlaced"}"#, 0, r#"{"all":2}"#);
    assert_eq!(
        scene.story().words[..],
        [
            r#"made: {"n":1,"last":"OrderPlaced"}"#,
            r#"n: 1 → 2, last: "OrderPlaced" → "OrderPaid""#,
            r#"n: 2 → 3, last: "OrderPaid" → "OrderShipped""#
        ]
    );
    scene.go_to(5);
    let path = scene.path("states.ndjson");
    scene.ask(ProjectionAction::Export(Format::Ndjson, path.clone(), Existing::Kept));
    let first = fs::read_to_string(path).unwrap().lines().next().unwrap_or_default().to_owned();
    assert_eq!(first, r#"{"partition":"order-1","state":{"n":3,"last":"OrderShipped"}}"#);
}

fn check_export(format: Format, expected: &str) {
    let mut scene = Scene::with(ORDERS);
    scene.rebuild(Extent::Whole);
    scene.go_to(5);
    let path = scene.path("out.txt");
    scene.ask(ProjectionAction::Export(format, path.clone(), Existing::Kept));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    // Over another file only where the user said so, and over a database never.
    scene.ask(ProjectionAction::Export(Format::Csv, path.clone(), Existing::Kept));
    assert!(scene.notice().ends_with("cannot be written"), "{}", scene.notice());
    assert_eq!(scene.detail_of_notice(), "there is a file of this name already, and it was left as it is");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    fs::write(&path, "theirs").unwrap();
    scene.ask(ProjectionAction::Export(format, path.clone(), Existing::Replaced));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let store = scene.write("theirs.sqlite", "SQLite format 3\0 and more");
    let before = fs::read(&store).unwrap();
    scene.ask(ProjectionAction::Export(format, store.clone(), Existing::Replaced));
    assert!(scene.detail_of_notice().contains("databases are never replaced"));
    assert!(fs::read(&store).unwrap() == before);
    scene.ask(ProjectionAction::Copy(format));
    assert_eq!(scene.view().copied.as_ref().map(|(_, text)| &**text), Some(expected));
}

#[test]
fn rows_at_the_cursor_are_written_down() {
    check_export(Format::Csv, "order_id,status,total\r\n1,paid,10\r\n2,placed,20\r\n");
    check_export(
        Format::Json,
        "[\n  {\"order_id\":\"1\",\"status\":\"paid\",\"total\":10},\n  {\"order_id\":\"2\",\"status\":\"placed\",\"total\":20}\n]\n",
    );
    check_export(
        Format::Ndjson,
        "{\"order_id\":\"1\",\"status\":\"paid\",\"total\":10}\n{\"order_id\":\"2\",\"status\":\"placed\",\"total\":20}\n",
    );
    check_export(
        Format::Sql,
        "INSERT INTO \"orders\" (\"order_id\", \"status\", \"total\") VALUES ('1', 'paid', 10);\n\
         INSERT INTO \"orders\" (\"order_id\", \"status\", \"total\") VALUES ('2', 'placed', 20);\n",
    );
}

#[test]
fn a_rebuild_that_crashes_leaves_a_word_and_a_way_on() {
    let mut scene = Scene::with(ORDERS);
    let running = scene.hold(ProjectionAction::RebuildChosen);
    let slot = running[0].slot;
    assert!(matches!(slot, Slot::Rebuild(_)));
    scene.script.feed(Input::Crash(slot, "oops".to_owned()));
    assert!(scene.detail().trouble.is_some());
    scene.ask(ProjectionAction::Continue("orders".into()));
    assert_eq!((scene.rebuilt(), &scene.detail().trouble), ("all 6 events", &None));
}

#[test]
fn a_file_elsewhere_is_named_by_its_whole_path() {
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("orders.sql");
    fs::write(&path, ORDERS).unwrap();
    let mut scene = Scene::new();
    scene.ask(ProjectionAction::Add(path.clone()));
    assert!(scene.read("timeglass.toml").contains(&path.display().to_string()));
    assert!(Path::new(&scene.detail().path) == path);
}

#[test]
fn a_script_is_called_as_the_project_file_says() {
    let mut scene = Scene::new();
    scene.write(
        "states.js",
        "fromAll().when({ $init: () => ({ n: 0 }), $any: (s) => { s.n += 1; return s; } });\n",
    );
    let entry = ProjectionEntry {
        file: "states.js".into(),
        name: Some("orders".into()),
        ..ProjectionEntry::default()
    };
    scene.ask(ProjectionAction::Restore(vec![entry]));
    let kinds: Vec<(&str, &str)> = scene.view().lines.iter().map(|line| (&*line.name, line.kind)).collect();
    assert!(kinds.contains(&("orders", "JavaScript")), "{kinds:?}");
    scene.rebuild(Extent::Whole);
    assert!(scene.rebuilt().starts_with("all "), "{}", scene.rebuilt());
}

#[test]
fn what_was_typed_into_a_definition_outlives_the_window_and_is_lost_to_no_other_editor() {
    let mut scene = Scene::with(ORDERS);
    let revision = scene.detail().revision;
    let typed = format!("{ORDERS}-- mine\n");
    let edit = |text: &str, revision: u64| ProjectionAction::EditText {
        projection: "orders".into(),
        revision,
        text: text.into(),
    };
    scene.ask(edit(&typed, revision));
    assert_eq!(scene.detail().draft.as_deref(), Some(&*typed));
    let workspace = scene.script.session.workspace().clone();
    assert_eq!(workspace.definition_drafts.len(), 1);
    scene.script.shell(ShellAction::Close);

    // Another store is open in between, and passes it on.
    let elsewhere = tempfile::tempdir().unwrap();
    let between = Script::reopen(elsewhere.path(), shop(), workspace);
    let workspace = between.session.workspace().clone();
    let Scene { folder, .. } = scene;
    let mut scene = Scene { script: Script::reopen(folder.path(), shop(), workspace), folder };
    scene.wait();
    assert_eq!(scene.detail().draft.as_deref(), Some(&*typed));
    assert!(!scene.detail().has_conflict);

    // The file is written elsewhere: both texts are there until the user chooses.
    let theirs = format!("{ORDERS}-- theirs\n");
    scene.write("orders.sql", &theirs);
    scene.wait();
    assert_eq!((scene.detail().has_conflict, scene.detail().draft.as_deref()), (true, Some(&*typed)));
    scene.ask(ProjectionAction::KeepText("orders".into()));
    assert!(!scene.detail().has_conflict);
    scene.ask(ProjectionAction::SaveText {
        projection: "orders".into(),
        text: typed.as_str().into(),
        known: theirs.as_str().into(),
    });
    scene.wait();
    assert_eq!((scene.read("orders.sql"), scene.detail().draft.clone()), (typed, None));
    assert!(scene.script.session.workspace().definition_drafts.is_empty());

    let revision = scene.detail().revision;
    scene.ask(edit("half", revision));
    scene.ask(ProjectionAction::RevertText("orders".into()));
    assert!(scene.detail().draft.is_none() && scene.detail().revision > revision);
    // What was typed over a text that is not there any more is in conflict, and lost neither.
    scene.ask(edit("late", revision));
    assert!(scene.detail().has_conflict);
}
