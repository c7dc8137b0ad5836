//! What a projection wrote beside its read model, as the session lists it.

use timeglass::{
    projection::{OutputItem, OutputKind},
    session::{
        Input,
        action::{Action, ProjectionAction},
        projections::{Extent, OutputWish},
        view::OutputView,
    },
};

use super::{Script, shop};

const NOTICES: &str = "fromCategory('order').foreachStream().when({
  $init: () => ({ seen: 0 }),
  OrderPlaced(s, e) { emit('notices', 'Placed', { order: e.streamId }); s.seen += 1; return s; },
  OrderPaid(s, e) { log('paid ' + e.streamId); linkTo('paid', e); return s; },
  OrderShipped(s) { return s.parcel.length; },
});
";

const BROKEN_SQL: &str = "-- @projection names key: name
CREATE TABLE names (name TEXT PRIMARY KEY NOT NULL);
-- @on OrderPlaced
INSERT INTO names VALUES (:data ->> 'nothing');
";

struct Scene {
    script: Script,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn with(file: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        let mut scene = Self { script: Script::open_in(folder.path(), shop()), _folder: folder };
        scene.ask(ProjectionAction::Add(path));
        let name = file.split('.').next().unwrap();
        scene.ask(ProjectionAction::SetOnFailure(name.into(), timeglass::projection::OnFailure::Skip));
        scene.ask(ProjectionAction::Rebuild(name.into(), Extent::Whole));
        scene
    }

    fn ask(&mut self, action: ProjectionAction) {
        self.script.feed(Input::Action(Action::Projections(action)));
    }

    fn wish(&mut self, kind: OutputKind, is_all: bool, filter: &str) -> &OutputView {
        self.ask(ProjectionAction::ShowOutput(OutputWish {
            kind,
            is_all,
            filter: filter.into(),
            partition: None,
            first: 0,
            count: 20,
        }));
        self.output()
    }

    fn output(&self) -> &OutputView {
        &self.script.view().projections.output
    }

    fn cursor(&self) -> u64 {
        self.script.view().projections.detail.as_ref().unwrap().cursor
    }
}

fn told(view: &OutputView) -> Vec<String> {
    assert_eq!(view.listed, view.rows.len() as u64);
    let each = view.rows.iter().map(|row| {
        let what = match &row.what {
            OutputItem::Emitted(event) => format!("{} {}", event.stream, event.data),
            OutputItem::Log(line) => line.to_string(),
            OutputItem::Failure(found) => format!("{} {}", found.event, found.failure.message),
            OutputItem::Result(result) => result.to_compact(),
        };
        format!("{}: {what}", row.count)
    });
    each.collect()
}

#[test]
fn outputs_are_listed_up_to_the_cursor_or_all() {
    let mut scene = Scene::with("notices.js", NOTICES);
    let all = [r#"1: notices {"order":"order-1"}"#, r#"3: notices {"order":"order-2"}"#, "4: paid 2@order-1"];
    assert_eq!(told(scene.wish(OutputKind::Emitted, true, "")), all);
    assert_eq!(told(scene.wish(OutputKind::Emitted, true, "ORDER-2")), [all[1]]);
    assert_eq!(told(scene.wish(OutputKind::Logs, true, "")), ["4: paid order-1"]);
    let counts = scene.output().counts.unwrap();
    assert_eq!((counts.emitted, counts.logs, counts.failures), (3, 1, 1));

    scene.wish(OutputKind::Emitted, true, "");
    scene.ask(ProjectionAction::ChooseOutput(2));
    assert_eq!(scene.cursor(), 3);
    let chosen = scene.output().chosen.as_ref().unwrap();
    assert_eq!(&*chosen.text, "{\n  \"order\": \"order-2\"\n}");
    assert_eq!(scene.output().chosen_place(), Some(1));
    assert_eq!(told(scene.wish(OutputKind::Emitted, false, "")), all[..2]);
    assert_eq!(scene.output().counts.unwrap().logs, 0);
}

#[test]
fn a_failure_shows_its_lines_of_source() {
    let mut scene = Scene::with("notices.js", NOTICES);
    let message = "TypeError: cannot read property 'length' of undefined";
    assert_eq!(
        told(scene.wish(OutputKind::Failures, true, "")),
        [format!("5: OrderShipped 3@order-1 {message}")]
    );
    scene.ask(ProjectionAction::ChooseOutput(1));
    assert_eq!(scene.cursor(), 5);
    let text = scene.output().chosen.as_ref().unwrap().text.to_string();
    assert!(text.contains("5 |   OrderShipped(s) { return s.parcel.length; },"), "{text}");
}

#[test]
fn failures_of_sql_are_listed_too() {
    let mut scene = Scene::with("names.sql", BROKEN_SQL);
    let expected = [
        "1: OrderPlaced 1@order-1 the key column name is NULL",
        "3: OrderPlaced 1@order-2 the key column name is NULL",
    ];
    assert_eq!(told(scene.wish(OutputKind::Failures, true, "")), expected);
    assert_eq!(told(scene.wish(OutputKind::Failures, true, "order-2")), [expected[1]]);
    assert!(told(scene.wish(OutputKind::Emitted, true, "")).is_empty());
    scene.wish(OutputKind::Failures, true, "");
    scene.ask(ProjectionAction::ChooseOutput(2));
    assert_eq!(scene.cursor(), 3);
    let text = scene.output().chosen.as_ref().unwrap().text.to_string();
    assert!(text.contains("4 | INSERT INTO names"), "{text}");
}

#[test]
fn outputs_of_one_partition_are_listed_and_found_by_its_name() {
    let mut scene = Scene::with("notices.js", NOTICES);
    let all = [r#"1: notices {"order":"order-1"}"#, r#"3: notices {"order":"order-2"}"#, "4: paid 2@order-1"];
    scene.ask(ProjectionAction::ShowOutput(OutputWish {
        is_all: true,
        partition: Some("order-1".into()),
        count: 20,
        ..OutputWish::default()
    }));
    assert_eq!(told(scene.output()), [all[0], all[2]]);
    assert_eq!(scene.output().counts.unwrap().emitted, 3, "the head counts all");
    assert_eq!(told(scene.wish(OutputKind::Logs, true, "order-1")), ["4: paid order-1"]);
    // A line that does not name its partition is found by it.
    assert_eq!(told(scene.wish(OutputKind::Logs, true, "RDER-1")).len(), 1);
    assert!(told(scene.wish(OutputKind::Logs, true, "order-2")).is_empty());
}

const BY_TOTAL: &str =
    "fromCategory('order').partitionBy(e => e.data && e.data.total ? 'over-' + e.data.total : '').when({
  $init: () => ({ seen: 0 }),
  $any(s, e) { s.seen += 1; return s; },
});
";

#[test]
fn one_partition_is_rebuilt_alone() {
    let mut scene = Scene::with("notices.js", NOTICES);
    let rows = |scene: &mut Scene| {
        scene.ask(ProjectionAction::ShowRows { first: 0, count: 20 });
        let model = scene.script.view().projections.model.as_ref().unwrap();
        let rows = model.loaded.rows.iter();
        rows.map(|row| row.values.iter().map(|value| value.to_words()).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&mut scene).len(), 2);
    scene.ask(ProjectionAction::RebuildPartition("notices".into(), "order-2".into()));
    assert_eq!(rows(&mut scene), [r#"order-2 {"seen":1}"#]);
    let extent = |scene: &Scene| scene.script.view().projections.detail.as_ref().unwrap().extent.clone();
    assert_eq!(extent(&scene).as_deref(), Some("only order-2"));

    // One that the definition makes of events of any stream.
    let mut scene = Scene::with("sizes.js", BY_TOTAL);
    let all = rows(&mut scene);
    assert!(all.len() > 1, "{all:?}");
    scene.ask(ProjectionAction::RebuildPartition("sizes".into(), "over-20".into()));
    assert_eq!(rows(&mut scene), [r#"over-20 {"seen":1}"#]);
    scene.ask(ProjectionAction::Rebuild("sizes".into(), Extent::Whole));
    assert_eq!(rows(&mut scene), all);
}
