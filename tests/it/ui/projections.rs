//! The projections' panel: the list, a read model at two cursors, the history of a row, failures, empty states.

use std::{fs, path::Path, sync::Arc, time::Duration};

use egui::{Key, Modifiers, Theme, Ui, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use timeglass::{
    model::{Stored, StreamName},
    projection::{Column, DefinitionError, EventFailure, OnFailure, Progress, RowAt, RowChange, RowKey},
    session::{
        action::{Action, ProjectionAction},
        projections::Extent,
        view::{
            Guess, LoadedRows, ModelView, ProjectionDetail, ProjectionLine, ProjectionsView, Stage,
            StoryView, View,
        },
    },
    store::{
        index::Index,
        memory::{MemoryStore, event},
    },
    ui::{
        pace::Pace,
        panels::projections::{Detail, FileWish, ProjectionsLocal, projections_ui},
    },
    work::Work,
};

use super::{
    app_stage::{AppStage, SHOP},
    stage::{check_tree, pictures, stage},
};

/// The control key as it comes on most systems.
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };

#[derive(Default)]
struct Panel {
    view: View,
    local: ProjectionsLocal,
    actions: Vec<Action>,
    tab: Detail,
}

impl Clone for Panel {
    fn clone(&self) -> Self {
        let mut local = ProjectionsLocal::default();
        local.detail = self.tab;
        Self { view: self.view.clone(), local, actions: Vec::new(), tab: self.tab }
    }
}

fn draw(ui: &mut Ui, panel: &mut Panel) {
    projections_ui(ui, &panel.view, &mut panel.local, &mut panel.actions);
}

fn panel(projections: ProjectionsView) -> Panel {
    Panel { view: View { projections, ..View::default() }, ..Panel::default() }
}

fn text(text: &str) -> Stored {
    Stored::Text(Arc::from(text.as_bytes()))
}

fn lines() -> Arc<[ProjectionLine]> {
    let line = |name: &str, kind| ProjectionLine { name: name.into(), kind, ..ProjectionLine::default() };
    Arc::new([
        ProjectionLine {
            table: Some("orders".into()),
            rows: Some(2),
            status: "running".to_owned(),
            lag: "2 events · 3 h".to_owned(),
            rebuilt: "all 6 events".to_owned(),
            drift: Some("1 row".to_owned()),
            has_definition: true,
            ..line("orders", "SQL")
        },
        ProjectionLine {
            status: "failed".to_owned(),
            is_trouble: true,
            status_detail: "division by zero\nstands at event 3".to_owned(),
            lag: "3 events · 1 d".to_owned(),
            rebuilt: "rebuilding…".to_owned(),
            stage: Stage::Running,
            slot: Some(2),
            has_definition: true,
            ..line("revenue", "JavaScript")
        },
        ProjectionLine {
            table: Some("customers".into()),
            rows: Some(1200),
            status: "ahead of the store".to_owned(),
            is_trouble: true,
            ..line("customers", "stored only")
        },
        line("broken.sql", "does not load"),
    ])
}

fn columns() -> Arc<[Column]> {
    let column =
        |name: &str, declared: &str, is_key| Column { name: name.into(), declared: declared.into(), is_key };
    Arc::new([
        column("order_id", "TEXT", true),
        column("status", "TEXT", false),
        column("total", "INTEGER", false),
    ])
}

fn row(id: &str, status: &str, total: Stored, since: u64, is_deleted: bool) -> RowAt {
    RowAt {
        key: RowKey(Arc::new([text(id)])),
        values: Arc::new([text(id), text(status), total]),
        is_deleted,
        since,
    }
}

fn change(count: u64, before: Option<(&str, i64)>, after: Option<(&str, i64)>) -> RowChange {
    let values =
        |of: (&str, i64)| -> Arc<[Stored]> { Arc::new([text("1"), text(of.0), Stored::Integer(of.1)]) };
    RowChange { count, before: before.map(values), after: after.map(values) }
}

fn index() -> Arc<Index> {
    let order = |id: &str| StreamName::of("order", id);
    let json = || timeglass::model::Json::Null;
    let events = [
        event(1, &order("1"), 1, "OrderPlaced", json()),
        event(2, &order("2"), 1, "OrderPlaced", json()),
        event(3, &order("3"), 1, "OrderPlaced", json()),
        event(4, &order("1"), 2, "OrderPaid", json()),
        event(5, &order("2"), 2, "OrderRemoved", json()),
        event(6, &order("1"), 3, "OrderShipped", json()),
    ];
    Arc::new(Index::build(&MemoryStore::new(events), &Work::default()).expect("an index"))
}

/// The read model after four or five of six events.
fn model(cursor: u64) -> ModelView {
    let rows = [
        row("1", "paid", Stored::Integer(10), 4, false),
        row("2", "placed", Stored::Integer(20), if cursor >= 5 { 5 } else { 2 }, cursor >= 5),
        row("3", "placed", Stored::Null, 3, false),
    ];
    ModelView {
        columns: columns(),
        listed: 3,
        existing: Some(if cursor >= 5 { 2 } else { 3 }),
        loaded: LoadedRows { first: 0, rows: Arc::new(rows) },
        loaded_at: Some(cursor),
        at: cursor,
        rebuilt: 6,
        cursor,
        place: format!("event {cursor} of 6"),
        table: "orders".into(),
        ..ModelView::default()
    }
}

fn story() -> StoryView {
    StoryView {
        key: RowKey(Arc::new([text("1")])),
        changes: Arc::new(vec![
            change(1, None, Some(("placed", 10))),
            change(4, Some(("placed", 10)), Some(("paid", 10))),
            change(6, Some(("paid", 10)), None),
        ]),
        current: Some(1),
        column: Some(1),
        words: Arc::default(),
        actors: [Some("anna".into()), None, Some("bob".into())].into(),
        is_waiting: false,
        index: Some(index()),
        zone: timeglass::model::Zone::Utc,
    }
}

fn detail() -> ProjectionDetail {
    ProjectionDetail {
        name: "orders".into(),
        has_definition: true,
        file: "orders.sql".to_owned(),
        path: "/stores/orders.sql".to_owned(),
        text: Some("-- @projection orders\nCREATE TABLE orders (order_id TEXT PRIMARY KEY, status TEXT, total INTEGER);\n-- @on OrderPaid\nUPDATE orders SET status = 'paid' WHERE order_id = :stream_id;\n".into()),
        progress: Some(Arc::new(Progress { count: 6, handled: 6, is_complete: true, ..Progress::default() })),
        table: Some("orders".into()),
        stream: Some("order-1".into()),
        cursor: 4,
        total: 6,
        ..ProjectionDetail::default()
    }
}

fn view() -> ProjectionsView {
    ProjectionsView {
        lines: lines(),
        chosen: Some(0),
        detail: Some(detail()),
        model: Some(model(4)),
        ..ProjectionsView::default()
    }
}

fn harness(view: ProjectionsView) -> Harness<'static, Panel> {
    stage(vec2(900.0, 560.0), Theme::Light, panel(view), draw)
}

fn last(harness: &mut Harness<'_, Panel>) -> Option<ProjectionAction> {
    let asked = harness.state_mut().actions.pop();
    match asked {
        Some(Action::Projections(action)) => Some(action),
        _ => None,
    }
}

#[test]
fn the_list_says_how_projections_stand_and_rows_are_those_at_the_cursor() {
    pictures("projections", vec2(900.0, 560.0), &panel(view()), draw);
    let mut harness = harness(view());
    harness.state_mut().local.paces.insert(
        2,
        Pace {
            done: 12_300,
            total: Some(1_376_000),
            is_about: false,
            rate: Some(95_000.0),
            left: Some(Duration::from_secs(14)),
        },
    );
    harness.run();
    check_tree("projections", &harness);
    for (label, action) in [
        ("Rebuild", ProjectionAction::Rebuild("orders".into(), Extent::Whole)),
        ("Rebuild all", ProjectionAction::RebuildAll),
    ] {
        harness.get_by_label(label).click();
        harness.run();
        assert_eq!(last(&mut harness), Some(action), "{label}");
    }
    harness.get_by_label_contains("Projection: customers").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::Choose(2)));
    harness.get_by_label_contains("order_id · key: 2").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::ChooseRow(1)));
}

#[test]
fn a_deleted_row_keeps_its_place() {
    let view = ProjectionsView { model: Some(model(5)), ..view() };
    pictures("projections-later", vec2(900.0, 560.0), &panel(view.clone()), draw);
    let harness = harness(view);
    let rows: Vec<String> = harness
        .get_all_by_label_contains("order_id · key:")
        .filter_map(|row| row.accesskit_node().label())
        .collect();
    assert_eq!(
        rows,
        [
            "order_id · key: 1, status: paid, total: 10",
            "order_id · key: 2, status: placed, total: 20, deleted at the cursor",
            "order_id · key: 3, status: placed, total: NULL",
        ]
    );
    harness.get_by_label_contains("as of event 5 of 6 · 2 rows, 1 deleted");
}

#[test]
fn the_history_of_a_row_leads_to_its_events() {
    let view = ProjectionsView { model: Some(ModelView { story: Some(story()), ..model(4) }), ..view() };
    pictures("projections-row", vec2(900.0, 560.0), &panel(view.clone()), draw);
    let mut harness = harness(view);
    check_tree("projections-row", &harness);
    harness.get_by_label_contains("Changes: deleted").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::GoToChange(2)));
    harness.get_by_label("Previous change of this row").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::TurnChange(false)));
}

#[test]
fn a_cell_says_why_it_is_so_by_its_menu() {
    let mut harness = harness(view());
    harness.get_by_label_contains("order_id · key: 1").click_secondary();
    harness.run();
    let why = harness.get_by_label_contains("Why is this ");
    let asked = why.accesskit_node().label().unwrap_or_default();
    why.click();
    harness.run();
    let column =
        ["order_id", "status", "total"].iter().position(|name| asked.contains(name)).expect("a column");
    assert_eq!(last(&mut harness), Some(ProjectionAction::Why { row: 0, column }));
}

#[test]
fn failures_name_event_and_statement_and_leave_a_choice() {
    let failure = EventFailure {
        count: 3,
        event: "OrderPaid 2@order-1".into(),
        directive: "@on OrderPaid".into(),
        line: Some(4),
        message: "NOT NULL constraint failed: orders.status".into(),
    };
    let progress = Progress { count: 3, handled: 3, failures: vec![failure], failed: 1, is_complete: false };
    let view = ProjectionsView {
        detail: Some(ProjectionDetail {
            progress: Some(Arc::new(progress)),
            is_outdated: true,
            guess: Some(Guess {
                projection: "orders".into(),
                table: "order_list".into(),
                why: "3 of 4 columns in common".to_owned(),
            }),
            ..detail()
        }),
        ..view()
    };
    pictures("projections-failure", vec2(900.0, 560.0), &panel(view.clone()), draw);
    let mut harness = harness(view);
    check_tree("projections-failure", &harness);
    for (label, action) in [
        ("skip it", ProjectionAction::SetOnFailure("orders".into(), OnFailure::Skip)),
        ("Continue", ProjectionAction::Continue("orders".into())),
        ("Rebuild it", ProjectionAction::Rebuild("orders".into(), Extent::Whole)),
        (
            "Compare with order_list",
            ProjectionAction::Pair { projection: "orders".into(), table: "order_list".into() },
        ),
    ] {
        harness.get_by_label(label).click();
        harness.run();
        assert_eq!(last(&mut harness), Some(action), "{label}");
    }
    harness.get_by_label_contains("OrderPaid 2@order-1   @on OrderPaid line 4").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::GoToFailure(3)));
}

#[test]
fn a_definition_is_read_edited_and_saved_with_its_mistake_marked() {
    let error = DefinitionError {
        file: "orders.sql".into(),
        line: 3,
        message: "an event type is missing: `-- @on OrderPlaced`".to_owned(),
        directive: Some("@on".into()),
    };
    let view = ProjectionsView {
        detail: Some(ProjectionDetail { error: Some(error), revision: 7, ..detail() }),
        ..view()
    };
    let mut shown = Panel { tab: Detail::Definition, ..panel(view) };
    shown.local.detail = Detail::Definition;
    pictures("projections-definition", vec2(900.0, 560.0), &shown, draw);
    let mut harness = stage(vec2(900.0, 560.0), Theme::Light, shown, draw);
    check_tree("projections-definition", &harness);
    harness.get_by_label("Text of the definition").focus();
    harness.run();
    harness.event(egui::Event::Text("-- mine\n".to_owned()));
    harness.run();
    let Some(ProjectionAction::EditText { text, revision: 7, .. }) = last(&mut harness) else {
        panic!("nothing typed")
    };
    assert!(text.contains("-- mine"), "{text}");
    // The session keeps what was typed, and shows it.
    let detail_of = |harness: &mut Harness<'static, Panel>, change: &dyn Fn(&mut ProjectionDetail)| {
        change(harness.state_mut().view.projections.detail.as_mut().expect("a detail"));
        harness.run();
    };
    let typed = text;
    detail_of(&mut harness, &|detail| detail.draft = Some(Arc::clone(&typed)));
    harness.get_by_label("Save definition").click();
    harness.run();
    let Some(ProjectionAction::SaveText { text, known, .. }) = last(&mut harness) else {
        panic!("nothing saved")
    };
    assert_eq!(text, typed);
    assert_eq!(*known, **detail().text.as_ref().expect("a text"));
    // The file changes elsewhere while this is not saved: nothing is written over unseen.
    detail_of(&mut harness, &|detail| (detail.text, detail.has_conflict) = (Some("-- theirs".into()), true));
    assert!(harness.get_by_label("Save definition").accesskit_node().is_disabled());
    harness.get_by_label("Take theirs").click();
    harness.run();
    assert_eq!(last(&mut harness), Some(ProjectionAction::RevertText("orders".into())));
    detail_of(&mut harness, &|detail| {
        (detail.draft, detail.has_conflict, detail.revision) = (None, false, 8);
    });
    assert!(harness.query_by_label("● unsaved").is_none());
    assert!(harness.get_by_label("Text of the definition").value().is_some_and(|text| text == "-- theirs"));
}

#[test]
fn what_is_not_there_yet_says_what_to_do() {
    let mut none = harness(ProjectionsView::default());
    none.get_by_label("Add a definition…").click();
    none.run();
    assert_eq!(none.state().local.wish, Some(FileWish::Definition));

    let without = |detail: ProjectionDetail| ProjectionsView { detail: Some(detail), model: None, ..view() };
    let empty = ProjectionDetail { progress: None, ..detail() };
    let mut new = harness(without(empty.clone()));
    check_tree("projections-not-rebuilt", &new);
    new.get_all_by_label("Rebuild").last().expect("a button").click();
    new.run();
    assert_eq!(last(&mut new), Some(ProjectionAction::Rebuild("orders".into(), Extent::Whole)));

    let stored = ProjectionDetail {
        name: "customers".into(),
        table: Some("customers".into()),
        ..ProjectionDetail::default()
    };
    let mut stored = harness(without(stored));
    stored.get_by_label("Write a definition for it").click();
    stored.run();
    assert_eq!(last(&mut stored), Some(ProjectionAction::Scaffold("customers".into())));

    let checkpoint = ProjectionDetail { name: "customer_search".into(), ..ProjectionDetail::default() };
    let mut checkpoint = harness(without(checkpoint));
    checkpoint.get_by_label_contains("Nothing says what customer_search makes");
    checkpoint.get_all_by_label("Add a definition…").last().expect("a button").click();
    checkpoint.run();
    assert_eq!(checkpoint.state().local.wish, Some(FileWish::Definition));

    let error = DefinitionError {
        file: "orders.sql".into(),
        line: 3,
        message: "near \"CREAT\": syntax error".to_owned(),
        directive: Some("@projection orders".into()),
    };
    let broken = ProjectionDetail { has_definition: false, error: Some(error), ..empty.clone() };
    let mut broken = harness(without(broken));
    broken.get_by_label_contains("orders.sql:3, @projection orders: near \"CREAT\": syntax error");
    broken.get_by_label("Show the definition").click();
    broken.run();
    assert_eq!(broken.state().local.detail, Detail::Definition);

    let running = ProjectionDetail { stage: Stage::Running, slot: Some(2), ..empty };
    let mut running = harness(without(running));
    running.get_by_label("Stop").click();
    running.run();
    assert_eq!(last(&mut running), Some(ProjectionAction::Stop("orders".into())));
}

#[test]
fn the_shops_read_model_is_defined_rebuilt_scrubbed_and_asked_in_the_window() {
    let mut stage = AppStage::open(vec2(1500.0, 900.0), Path::new(SHOP));
    stage.press_with(CTRL, Key::K);
    stage.type_text("Projections");
    stage.press(Key::Enter);
    stage.wait_until(|view| view.projections.lines.first().is_some_and(|line| line.status == "running"));
    let lines = &stage.view().projections.lines;
    assert_eq!((lines.len(), &*lines[0].name, lines[0].kind), (1, "order_summaries", "stored only"));
    stage.click("Write a definition for it");
    let file = stage.folder().join("projections/order_summaries.sql");
    let text = fs::read_to_string(&file).expect("a definition");
    assert!(text.contains("-- @projection order_summaries   key: order_id"), "{text}");
    assert!(text.contains("-- @on OrderPlaced"), "{text}");
    stage.wait_until(|view| view.projections.lines[0].has_definition);

    // What the user writes in an editor of their own is taken at once.
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/projections/shop_orders.sql"), &file)
        .expect("room");
    stage.wait_until(|view| {
        let detail = view.projections.detail.as_ref();
        detail.and_then(|detail| detail.text.as_ref()).is_some_and(|text| text.contains("json_patch(items"))
    });
    stage.press_with(CTRL, Key::R);
    stage.wait_until(|view| view.projections.lines[0].rebuilt.starts_with("all "));
    stage.click("Read model");
    stage.wait_until(|view| view.projections.model.as_ref().is_some_and(|model| model.loaded_at.is_some()));
    let existing =
        |stage: &AppStage| stage.view().projections.model.as_ref().and_then(|model| model.existing);
    assert_eq!(existing(&stage), stage.view().projections.lines[0].rows, "as many rows as are stored");

    // In the past there were fewer, and what is on screen follows the cursor.
    stage.press(Key::Home);
    stage.wait_until(|view| view.projections.model.as_ref().is_some_and(|model| model.loaded_at == Some(0)));
    assert_eq!(existing(&stage), Some(0));
    stage.press(Key::End);
    stage.wait_until(|view| view.projections.model.as_ref().is_some_and(|model| model.loaded_at > Some(0)));

    // A cell says which event set it.
    stage
        .harness
        .get_all_by_label_contains("order_id · key: order-")
        .next()
        .expect("a row")
        .click_secondary();
    stage.settle();
    stage.click_start("Why is this ");
    stage.wait_until(|view| {
        let story = view.projections.model.as_ref().and_then(|model| model.story.as_ref());
        story.is_some_and(|story| !story.changes.is_empty() && story.current.is_some())
    });
    let model = stage.view().projections.model.as_ref().expect("a read model");
    let story = model.story.as_ref().expect("a story");
    let set_by = &story.changes[story.current.expect("a change")];
    assert_eq!(set_by.count, model.cursor);
    let column = story.column.expect("a column");
    let of = |values: &Option<Arc<[Stored]>>| values.as_ref().and_then(|values| values.get(column)).cloned();
    assert_ne!(of(&set_by.before), of(&set_by.after));
}
