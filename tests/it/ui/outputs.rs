//! What a projection wrote beside its read model, in the projections' panel.

use std::sync::Arc;

use egui::{Theme, Ui, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use timeglass::{
    model::Failure,
    projection::{Output, OutputCounts, OutputFailure, OutputItem, OutputKind},
    script::Emitted,
    session::{
        action::{Action, ProjectionAction},
        view::{
            ChosenOutput, ModelView, OutputView, ProjectionDetail, ProjectionLine, ProjectionsView, View,
        },
    },
    ui::panels::projections::{Detail, ProjectionsLocal, projections_ui},
};

use super::stage::{check_tree, pictures, stage};

#[derive(Default)]
struct Panel {
    view: View,
    local: ProjectionsLocal,
    actions: Vec<Action>,
}

impl Clone for Panel {
    fn clone(&self) -> Self {
        panel(self.view.projections.clone())
    }
}

fn panel(projections: ProjectionsView) -> Panel {
    let mut local = ProjectionsLocal::default();
    local.detail = Detail::Output;
    Panel { view: View { projections, ..View::default() }, local, actions: Vec::new() }
}

fn draw(ui: &mut Ui, panel: &mut Panel) {
    projections_ui(ui, &panel.view, &mut panel.local, &mut panel.actions);
}

fn projections(is_script: bool, output: OutputView) -> ProjectionsView {
    let line = ProjectionLine { name: "notices".into(), has_definition: true, ..ProjectionLine::default() };
    ProjectionsView {
        lines: Arc::new([line]),
        chosen: Some(0),
        detail: Some(ProjectionDetail {
            name: "notices".into(),
            is_script,
            has_definition: true,
            cursor: 4,
            total: 6,
            ..ProjectionDetail::default()
        }),
        model: Some(ModelView::default()),
        output,
        ..ProjectionsView::default()
    }
}

fn emitted(number: u64, count: u64, stream: &str, data: &str, is_link: bool) -> Output {
    let event_type = if is_link { "$>" } else { "Placed" };
    let what = OutputItem::Emitted(Emitted {
        stream: stream.into(),
        event_type: event_type.into(),
        data: data.into(),
        is_json: !is_link,
        is_link,
        metadata: None,
    });
    Output { number, count, partition: "order-1".into(), what }
}

fn listed(kind: OutputKind, rows: Vec<Output>) -> OutputView {
    OutputView {
        kind,
        counts: Some(OutputCounts { emitted: 12_300, logs: 2, failures: 1, results: 0 }),
        listed: rows.len() as u64,
        rows: rows.into(),
        revision: (1, Some(4)),
        ..OutputView::default()
    }
}

fn harness(view: ProjectionsView) -> Harness<'static, Panel> {
    stage(vec2(900.0, 560.0), Theme::Light, panel(view), draw)
}

#[test]
fn what_was_emitted_is_listed_and_shown_in_full() {
    let rows = vec![
        emitted(1, 1, "notices", r#"{"order":"order-1"}"#, false),
        emitted(2, 4, "paid", "2@order-1", true),
    ];
    let mut output = listed(OutputKind::Emitted, rows);
    let chosen = output.rows[0].clone();
    output.chosen = Some(ChosenOutput { output: chosen, text: "{\n  \"order\": \"order-1\"\n}".into() });
    let view = projections(true, output);
    pictures("projections-output", vec2(900.0, 560.0), &panel(view.clone()), draw);
    let mut harness = harness(view);
    check_tree("projections-output", &harness);
    let first = harness.state().actions.first().cloned();
    assert!(
        matches!(&first, Some(Action::Projections(ProjectionAction::ShowOutput(wish)))
            if wish.kind == OutputKind::Emitted && !wish.is_all),
        "{first:?}"
    );
    harness.get_by_label("Logs 2").click();
    harness.run();
    let last = harness.state().actions.last().cloned();
    assert!(
        matches!(&last, Some(Action::Projections(ProjectionAction::ShowOutput(wish)))
            if wish.kind == OutputKind::Logs),
        "{last:?}"
    );
}

#[test]
fn sql_has_failures_only() {
    let failure = OutputItem::Failure(OutputFailure {
        event: "OrderPlaced 1@order-1".into(),
        what: "@on OrderPlaced".into(),
        failure: Failure::new("NOT NULL constraint failed: names.name"),
    });
    let row = Output { number: 1, count: 1, partition: "".into(), what: failure };
    let harness = harness(projections(false, listed(OutputKind::Failures, vec![row])));
    check_tree("projections-output-sql", &harness);
    assert!(harness.query_by_label_contains("Emitted").is_none());
}

#[test]
fn an_empty_list_says_why() {
    let empty = |kind, title: &str| {
        let mut start = panel(projections(true, listed(kind, Vec::new())));
        start.view.projections.output.is_all = true;
        let mut harness = stage(vec2(900.0, 560.0), Theme::Light, start, draw);
        if kind != OutputKind::Emitted {
            let name = match kind {
                OutputKind::Emitted => "Emitted 12 300",
                OutputKind::Logs => "Logs 2",
                OutputKind::Failures => "Failures 1",
                OutputKind::Results => "Results 0",
            };
            harness.get_by_label(name).click();
            harness.run();
        }
        assert!(harness.query_by_label_contains(title).is_some(), "{title}");
    };
    empty(OutputKind::Emitted, "No events emitted");
    empty(OutputKind::Logs, "Nothing logged");
    empty(OutputKind::Failures, "No failures");
    empty(OutputKind::Results, "No results beside the states");
    let nothing = ProjectionsView { model: None, ..projections(true, OutputView::default()) };
    assert!(harness(nothing).query_by_label_contains("Nothing rebuilt yet").is_some());
}
