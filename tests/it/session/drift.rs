//! Drift from the window: compared, gone to, ignored, written down.

use std::{collections::VecDeque, fs, path::PathBuf, time::Duration};

use timeglass::{
    model::Json,
    projection::drift::report::ReportForm,
    session::{
        Input, Session,
        action::{Action, ShellAction},
        drift::{DriftAction, DriftKind},
        view::{DriftStage, DriftView},
        workspace::Workspace,
    },
    work::Work,
};

/// A session over a copy of the damaged sample, with its projection.
struct Scene {
    session: Session,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::copy("sample-data/damaged.sqlite", at("damaged.sqlite")).unwrap();
        fs::copy("sample-data/projections/shop_orders.sql", at("shop_orders.sql")).unwrap();
        fs::write(at("timeglass.toml"), "[[projection]]\nfile = \"shop_orders.sql\"\n").unwrap();
        let session = Session::new(Workspace::default(), None, PathBuf::from("sample.sqlite"));
        let store = at("damaged.sqlite");
        let mut scene = Self { session, folder };
        scene.feed(Input::Action(Action::Shell(ShellAction::Open(store))));
        scene
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for job in self.session.apply(input) {
                let answer = job.question.run(&Work::default()).expect("nobody cancels");
                inputs.push_back(Input::Answer(job.slot, answer));
            }
        }
    }

    fn ask(&mut self, action: DriftAction) {
        self.feed(Input::Action(Action::Drift(action)));
    }

    /// Rebuilds and compares.
    fn compare(&mut self) {
        self.ask(DriftAction::Rebuild);
        self.feed(Input::Tick(Duration::from_secs(1)));
        self.ask(DriftAction::Compare);
    }

    fn view(&self) -> &DriftView {
        &self.session.view().drift
    }

    fn totals(&self) -> (u64, u64, u64) {
        let totals = self.view().drift.as_ref().expect("something was compared").totals;
        (totals.missing, totals.extra, totals.changed)
    }

    fn badge(&self) -> Option<&str> {
        let lines = &self.session.view().projections.lines;
        lines.iter().find(|line| &*line.name == "order_summaries").unwrap().drift.as_deref()
    }

    fn project_file(&self) -> String {
        fs::read_to_string(self.folder.path().join("timeglass.toml")).unwrap()
    }
}

#[test]
fn a_rebuilt_projection_is_compared_with_its_table() {
    let mut scene = Scene::new();
    assert_eq!(scene.view().stage, DriftStage::NotRebuilt);
    scene.ask(DriftAction::Compare);
    assert_eq!((scene.view().drift.is_none(), scene.badge()), (true, None), "nothing to compare yet");
    scene.compare();
    assert_eq!(scene.view().stage, DriftStage::Ready);
    assert_eq!((scene.totals(), scene.badge()), ((1, 0, 1), Some("2 rows")));
    assert_eq!(scene.view().summary, "1 missing, 1 changed in 25 rows compared with what 500 events make");
    assert!(!scene.view().is_outdated && !scene.view().is_part);
}

#[test]
fn the_cursor_goes_to_the_event_at_which_a_row_parted() {
    let mut scene = Scene::new();
    scene.compare();
    scene.ask(DriftAction::GoTo(DriftKind::Changed, 0));
    let changed = &scene.view().drift.as_ref().unwrap().changed[0];
    let parted = changed.first_divergent.clone().unwrap();
    assert_eq!((&*parted.event, parted.count), ("OrderPlaced 1@order-4726", 478));
    let model = scene.session.view().projections.model.as_ref().unwrap();
    assert_eq!(model.cursor, parted.count);
    scene.ask(DriftAction::GoToEvent(400));
    assert_eq!(scene.session.view().projections.model.as_ref().unwrap().cursor, 400);
    scene.ask(DriftAction::GoToEvent(parted.count));
    scene.ask(DriftAction::GoTo(DriftKind::Extra, 7));
    assert_eq!(scene.session.view().projections.model.as_ref().unwrap().cursor, parted.count);
}

#[test]
fn a_column_can_be_left_out_and_taken_back() {
    let mut scene = Scene::new();
    scene.compare();
    scene.ask(DriftAction::Ignore("total_cents".into()));
    assert_eq!((scene.totals(), scene.badge()), ((1, 0, 0), Some("1 row")));
    assert!(scene.project_file().contains("ignore = [\"total_cents\"]"), "{}", scene.project_file());
    assert!(
        scene
            .view()
            .notes
            .iter()
            .any(|note| note == "Not compared: total_cents (ignored by the project file)")
    );
    let undo = scene.session.view().notices.iter().find_map(|notice| notice.offer.clone()).unwrap();
    scene.feed(Input::Action(*undo.action));
    assert!(!scene.project_file().contains("ignore"), "{}", scene.project_file());
    assert!(scene.view().is_outdated, "what is shown was compared otherwise");
    scene.ask(DriftAction::Compare);
    assert_eq!((scene.totals(), scene.view().is_outdated), ((1, 0, 1), false));
}

#[test]
fn a_report_is_written_into_a_new_file_only() {
    let mut scene = Scene::new();
    scene.compare();
    let path = PathBuf::from(format!("{}.html", scene.view().report_path));
    assert_eq!(path, scene.folder.path().join("damaged.sqlite-order_summaries-drift.html"));
    scene.ask(DriftAction::Export(ReportForm::Html, path.clone()));
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.contains("Drift of damaged.sqlite") && html.contains("order-4718"), "{html}");
    fs::write(&path, "mine").unwrap();
    scene.ask(DriftAction::Export(ReportForm::Html, path.clone()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let last = scene.session.view().notices.last().unwrap().clone();
    assert!(last.title.contains("cannot be written"), "{last:?}");
}

#[test]
fn rows_and_reports_are_copied_as_json() {
    let mut scene = Scene::new();
    scene.compare();
    scene.ask(DriftAction::CopyRow(DriftKind::Changed, 0));
    let copied = |scene: &Scene| scene.view().copied.clone().unwrap();
    let (first, text) = copied(&scene);
    let row = Json::parse(text.as_bytes()).unwrap();
    assert_eq!(
        row.get("key").and_then(|key| key.get("order_id")).and_then(Json::as_text),
        Some("order-4726")
    );
    scene.ask(DriftAction::Copy);
    let (second, text) = copied(&scene);
    assert!(second > first && Json::parse(text.as_bytes()).unwrap().get("missing").is_some());
}
