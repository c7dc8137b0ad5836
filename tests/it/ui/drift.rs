//! The panel of drift: nothing compared, no drift, rows that differ and one of them in detail.

use std::{path::Path, sync::Arc};

use egui::{Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use timeglass::{
    project::open::{Opening, open},
    projection::{
        Definition, ReadModel, RebuildOptions, Scratch,
        drift::{
            Drift, compare, pair_with,
            report::{ReportForm, notes, summary},
        },
        rebuild,
    },
    script::Options,
    session::{
        action::Action,
        drift::{DriftAction, DriftKind},
        view::{DriftStage, DriftView},
    },
    ui::panels::projections::drift::{DriftLocal, drift_ui},
    work::Work,
};

use super::stage::{check_tree, pictures, stage};

#[derive(Default)]
struct Panel {
    view: DriftView,
    local: DriftLocal,
    actions: Vec<Action>,
}

impl Clone for Panel {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), ..Self::default() }
    }
}

fn draw(ui: &mut Ui, panel: &mut Panel) {
    drift_ui(ui, &panel.view, &mut panel.local, &mut panel.actions);
}

fn panel(view: DriftView) -> Panel {
    Panel { view, ..Panel::default() }
}

/// What the sample's own projection says of one of the sample stores.
fn drift_of(store: &str) -> Drift {
    let work = Work::default();
    let Ok(Opening::Store(opened)) = open(Path::new(store), None, &work) else { panic!("{store} opens") };
    let text = include_str!("../../../sample-data/projections/shop_orders.sql");
    let definitions = Definition::parse(Path::new("shop_orders.sql"), text, &Options::default()).unwrap();
    let scratch = Scratch::temporary().unwrap();
    rebuild(&work, &*opened.store, &definitions[0], &scratch, &RebuildOptions::default()).unwrap();
    let model = ReadModel::open(&scratch, &definitions[0]).unwrap();
    let mut pairing = pair_with(&work, &*opened.store, &definitions[0], &model, None).unwrap();
    pairing.not_reproducible.insert("last_login".into(), "no event writes it".into());
    let mut drift = compare(&work, &*opened.store, &model, "order_summaries", &pairing).unwrap();
    drift.not_reproducible.insert("last_login".into(), 7);
    drift
}

fn compared(store: &str) -> DriftView {
    let drift = drift_of(store);
    DriftView {
        projection: "order_summaries".into(),
        stage: DriftStage::Ready,
        table: Some("order_summaries".into()),
        summary: summary(&drift),
        notes: notes(&drift).into(),
        drift: Some(Arc::new(drift)),
        report_path: "/tmp/shop.sqlite-order_summaries-drift".to_owned(),
        ..DriftView::default()
    }
}

const SIZE: egui::Vec2 = vec2(760.0, 460.0);

#[test]
fn rows_that_differ_lead_to_their_events() {
    let mut harness = stage(SIZE, Theme::Light, panel(compared("sample-data/damaged.sqlite")), draw);
    check_tree("drift", &harness);
    harness.get_by_label("Changed 1");
    harness.get_by_label_contains("order-4726").click();
    harness.run();
    assert_eq!(harness.state().actions, [Action::Drift(DriftAction::GoTo(DriftKind::Changed, 0))]);
    check_tree("drift-row", &harness);
    harness.state_mut().actions.clear();
    harness.get_by_label_contains("by OrderPlaced 1@order-4726").click();
    harness.run();
    assert_eq!(harness.state().actions, [Action::Drift(DriftAction::GoToEvent(478))]);
    harness.state_mut().actions.clear();
    harness.get_by_label("Missing 1").click();
    harness.run();
    harness.get_by_label_contains("order-4718").click();
    harness.run();
    assert_eq!(harness.state().actions, [Action::Drift(DriftAction::GoTo(DriftKind::Missing, 0))]);
    pictures("drift", SIZE, harness.state(), draw);
}

#[test]
fn a_column_is_taken_out_of_the_comparison_from_its_row() {
    let mut harness = stage(SIZE, Theme::Light, panel(compared("sample-data/damaged.sqlite")), draw);
    harness.get_by_label_contains("order-4726").click();
    harness.run();
    harness.state_mut().actions.clear();
    harness.get_by_label("total_cents").click_secondary();
    harness.run();
    harness.get_by_label("Do not compare total_cents any more").click();
    harness.run();
    assert_eq!(harness.state().actions, [Action::Drift(DriftAction::Ignore("total_cents".into()))]);
}

#[test]
fn a_report_asks_where_to() {
    let mut harness = stage(SIZE, Theme::Light, panel(compared("sample-data/damaged.sqlite")), draw);
    harness.get_by_label("Export report ▾").click();
    harness.run();
    harness.get_by_label("HTML, to read and to print").click();
    harness.run();
    harness.get_by_label("Write").click();
    harness.run();
    let path = "/tmp/shop.sqlite-order_summaries-drift.html".into();
    assert_eq!(harness.state().actions, [Action::Drift(DriftAction::Export(ReportForm::Html, path))]);
}

#[test]
fn a_table_without_drift_says_so() {
    let harness = stage(SIZE, Theme::Light, panel(compared("sample-data/shop.sqlite")), draw);
    check_tree("drift-none", &harness);
}

#[test]
fn before_anything_is_compared_the_panel_says_what_to_do() {
    let check = |stage_of: DriftStage, title: &str, button: Option<(&str, DriftAction)>| {
        let view = DriftView { stage: stage_of, table: Some("orders".into()), ..DriftView::default() };
        let mut harness = stage(SIZE, Theme::Dark, panel(view), draw);
        harness.get_by_label(title);
        if let Some((words, action)) = button {
            harness.get_by_label(words).click();
            harness.run();
            assert_eq!(harness.state().actions, [Action::Drift(action)]);
        }
    };
    check(DriftStage::Nothing, "No projection is chosen", None);
    check(DriftStage::NoDefinition, "Nothing says what makes this table", None);
    check(DriftStage::NotRebuilt, "Not compared yet", Some(("Rebuild the projection", DriftAction::Rebuild)));
    check(DriftStage::Rebuilding, "Being rebuilt", None);
    check(DriftStage::Comparing, "Comparing", None);
    check(
        DriftStage::Ready,
        "Not compared yet",
        Some(("Compare with the stored table", DriftAction::Compare)),
    );
}
