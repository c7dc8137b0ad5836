//! The publishing dialog, driven and looked at.

use std::sync::Arc;

use egui::{Theme, Ui, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use timeglass::{
    model::{Stored, Timestamp},
    publish::{CheckpointEdit, DryRun, LockTime, Published, RowEdit, RowPlace, TableDryRun},
    session::{
        action::{Action, PublishAction},
        notice::Words,
        view::{PublishStage, PublishView},
    },
    ui::panels::publish::{PublishLocal, publish_ui},
};

use super::stage::{check_tree, pictures, stage};

#[derive(Clone)]
struct Dialog {
    view: PublishView,
    actions: Vec<Action>,
}

fn nine() -> Timestamp {
    Timestamp::parse("2024-03-01T09:00:00Z").expect("a time")
}

fn draw(ui: &mut Ui, dialog: &mut Dialog) {
    let local = PublishLocal { clock: Some(nine) };
    publish_ui(ui.ctx(), &dialog.view, &local, &mut dialog.actions);
}

fn text(text: &str) -> Stored {
    Stored::Text(text.as_bytes().into())
}

fn row<const N: usize>(values: [(&str, Stored); N]) -> Vec<(Arc<str>, Stored)> {
    values.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

fn plan() -> Arc<DryRun> {
    let orders = TableDryRun {
        table: "orders".into(),
        inserted: 1200,
        updated: 1,
        deleted: 0,
        first_insert: Some(row([
            ("id", text("order-4")),
            ("status", text("placed")),
            ("note", Stored::Null),
        ])),
        first_update: Some(RowEdit {
            place: RowPlace::one(row([("id", text("order-3")), ("status", text("lost"))])),
            values: row([("status", text("placed"))]),
        }),
        triggers: vec!["orders_changed".into()],
        ..TableDryRun::default()
    };
    Arc::new(DryRun {
        subject: "orders".into(),
        tables: vec![orders],
        checkpoint: Some(CheckpointEdit {
            table: "checkpoints".into(),
            column: "position".into(),
            from: Stored::Integer(7),
            to: Stored::Integer(60),
        }),
        notes: vec!["processed_events marks each event that order_summaries handled".into()],
        lock: LockTime { millis: 102, rows: 1202, events: 1400 },
        expected: Default::default(),
    })
}

fn view(stage: PublishStage) -> PublishView {
    PublishView {
        store: "shop.sqlite".to_owned(),
        subject: "orders".into(),
        stage,
        typed: String::new(),
        is_confirmed: false,
        is_unlocked: false,
        is_sweep_meant: true,
        backup: String::new(),
    }
}

fn harness(view: PublishView) -> Harness<'static, Dialog> {
    stage(vec2(900.0, 620.0), Theme::Light, Dialog { view, actions: Vec::new() }, draw)
}

/// Clicks a button and gives what it asked for.
fn click(harness: &mut Harness<'_, Dialog>, label: &str) -> Vec<PublishAction> {
    harness.state_mut().actions.clear();
    harness.get_by_label(label).click();
    harness.run();
    let asked = harness.state().actions.iter().filter_map(|action| match action {
        Action::Publish(action) => Some(action.clone()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn nothing_can_be_written_before_the_store_is_unlocked() {
    let listed = view(PublishStage::Planned(plan()));
    pictures("publish", vec2(900.0, 620.0), &Dialog { view: listed.clone(), actions: Vec::new() }, draw);
    let mut harness = harness(listed);
    check_tree("publish-listed", &harness);
    assert_eq!(click(&mut harness, "Write"), []);
    assert_eq!(click(&mut harness, "Unlock"), []);
    harness.get_by_label("Name of the store").focus();
    harness.run();
    harness.get_by_label("Name of the store").type_text("shop.sqlite");
    harness.run();
    let typed = Action::Publish(PublishAction::TypeName("shop.sqlite".to_owned()));
    assert!(harness.state().actions.contains(&typed), "{:?}", harness.state().actions);
    harness.state_mut().view.typed = "shop.sqlite".to_owned();
    harness.state_mut().view.is_confirmed = true;
    harness.run();
    assert_eq!(click(&mut harness, "Unlock"), [PublishAction::Unlock]);
    harness.state_mut().view.is_unlocked = true;
    harness.run();
    assert_eq!(click(&mut harness, "Write"), [PublishAction::Write(nine())]);
    assert_eq!(click(&mut harness, "Lock again"), [PublishAction::Lock]);
    assert_eq!(click(&mut harness, "Close"), [PublishAction::Close]);
}

#[test]
fn what_was_written_comes_with_the_way_back() {
    let published = Published {
        inserted: 1200,
        updated: 2,
        deleted: 0,
        backup: "/stores/shop.sqlite.backup-20240301-090000".into(),
        is_confirmed: true,
    };
    let written = view(PublishStage::Written { published, restore: "To go back, copy it".to_owned() });
    let mut harness = harness(PublishView { is_unlocked: true, ..written });
    check_tree("publish-written", &harness);
    harness.get_by_label("Copy path").click();
    harness.run();
    assert_eq!(click(&mut harness, "Lock again"), [PublishAction::Lock]);
}

#[test]
fn while_it_writes_it_can_only_be_stopped() {
    let mut harness = stage(
        vec2(900.0, 620.0),
        Theme::Light,
        Dialog { view: view(PublishStage::Refused { words: words(), can_try: true }), actions: Vec::new() },
        draw,
    );
    check_tree("publish-refused", &harness);
    assert_eq!(click(&mut harness, "List again"), [PublishAction::Again]);
    harness.state_mut().view = view(PublishStage::Writing(plan()));
    harness.run_steps(3);
    assert!(harness.query_by_label("Write").is_none());
    assert!(harness.query_by_label("Close").is_none());
    harness.state_mut().actions.clear();
    harness.get_by_label("Stop").click();
    harness.run_steps(3);
    assert_eq!(harness.state().actions, [Action::Publish(PublishAction::Stop)]);
}

fn words() -> Words {
    Words {
        title: "The store has moved since the dry run".to_owned(),
        detail: "1 more event. Nothing was written".to_owned(),
        hint: "Take in what is new, and look at the list again".to_owned(),
    }
}

#[test]
fn headings_are_never_broken() {
    let harness = harness(view(PublishStage::Planned(plan())));
    for heading in ["first insert", "first update"] {
        let height = harness.get_by_label(heading).rect().height();
        assert!(height < 24.0, "{heading} is {height} points high");
    }
}
