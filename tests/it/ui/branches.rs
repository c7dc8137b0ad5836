//! The panels of branches, comparisons and bookmarks.

use std::{path::Path, sync::Arc};

use egui::{Key, Modifiers, Theme, Ui, vec2};
use egui_kittest::kittest::Queryable as _;
use timeglass::{
    model::{Json, diff},
    session::{
        action::{Action, BookmarkAction, WhatIfAction},
        compare::CompareAlign,
        view::{
            BookmarksView, BranchRow, CompareSideView, CompareView, DraftView, EditRow, OutcomeView,
            PlaceRow, WhatIfView,
        },
        what_if::DraftTexts,
    },
    ui::panels::{
        bookmarks::{BookmarksLocal, bookmarks_ui},
        compare::{CompareLocal, compare_ui},
        what_if::{WhatIfLocal, what_if_ui},
    },
};

use super::{
    app_stage::{AppStage, SHOP},
    stage::{check_tree, stage},
};

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

fn row(stream: &str, place: &str, note: &str) -> PlaceRow {
    PlaceRow {
        stream: stream.into(),
        place: place.to_owned(),
        time: "2024-03-01 09:51:00".to_owned(),
        note: note.into(),
        trouble: None,
    }
}

fn branch_view() -> WhatIfView {
    let branch = |name: &str, stream: &str, trouble: Option<&str>| BranchRow {
        name: name.into(),
        stream: stream.into(),
        edits: 2,
        is_here: stream == "order-17",
        trouble: trouble.map(str::to_owned),
    };
    let changes = diff(&json(r#"{"status":"paid","total":10}"#), &json(r#"{"status":"placed"}"#));
    WhatIfView {
        stream: "order-17".into(),
        branches: Arc::from([
            branch("without the payment", "order-17", None),
            branch("branch 2", "order-99", Some("order-99 is not in this store")),
        ]),
        chosen: Some(0),
        is_standing: true,
        edits: Arc::from([
            EditRow {
                words: "leave out OrderPaid v3".to_owned(),
                is_on: true,
                misfit: None,
                can_revise: false,
            },
            EditRow {
                words: "edit OrderShipped v4".to_owned(),
                is_on: true,
                misfit: Some("OrderShipped v4 is not there any more".to_owned()),
                can_revise: true,
            },
        ]),
        outcome: Some(OutcomeView {
            parting: "Parts from the truth at v2 (truth: v3); 3 of 5 steps differ".to_owned(),
            is_stopped: false,
            has_parted: true,
            failed: [0, 1],
            places: ("v3".to_owned(), "v2".to_owned()),
            at_cursor: Some(Arc::new(changes)),
            at_end: Some(Arc::default()),
        }),
        can_undo: true,
        ..WhatIfView::default()
    }
}

/// A panel with what it keeps and what was asked of it.
struct Shown<V, L> {
    view: V,
    local: L,
    asked: Vec<Action>,
}

fn shown<V, L: Default>(view: V) -> Shown<V, L> {
    Shown { view, local: L::default(), asked: Vec::new() }
}

fn draw_what_if(ui: &mut Ui, shown: &mut Shown<WhatIfView, WhatIfLocal>) {
    what_if_ui(ui, &shown.view, &mut shown.local, &mut shown.asked);
}

#[test]
fn a_branch_is_shown_with_its_edits_and_what_comes_of_it() {
    let mut harness = stage(vec2(760.0, 420.0), Theme::Light, shown(branch_view()), draw_what_if);
    check_tree("what-if", &harness);
    harness.get_by_label("Leave out OrderPaid v3").click();
    harness.run();
    harness.get_by_label("Go where it parts").click();
    harness.run();
    harness.get_by_label("At the end").click();
    harness.run();
    harness.get_by_label("The truth and the branch hold the same state here");
    assert_eq!(
        harness.state().asked,
        [WhatIfAction::ToggleEdit(0), WhatIfAction::GoToParting].map(Action::WhatIf)
    );
}

#[test]
fn a_draft_is_checked_while_it_is_written() {
    let texts = DraftTexts {
        event_type: "OrderPaid".to_owned(),
        data: "{\n  \"amount\": 5\n}".to_owned(),
        ..DraftTexts::default()
    };
    let draft =
        DraftView { number: 1, title: "Edit OrderPaid v3".to_owned(), is_move: false, texts, trouble: None };
    let view = WhatIfView { draft: Some(Arc::new(draft)), ..branch_view() };
    let words = "1 000 000 events · about 4 s";
    let long = WhatIfView { estimate: Some(words.into()), ..view.clone() };
    stage(vec2(760.0, 520.0), Theme::Dark, shown(long), draw_what_if).get_by_label(words);
    let mut harness = stage(vec2(760.0, 520.0), Theme::Dark, shown(view), draw_what_if);
    harness.get_by_label("Data (JSON)").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::End);
    harness.event(egui::Event::Text("x".to_owned()));
    harness.run();
    check_tree("what-if-draft", &harness);
    harness.get_by_label_contains("The data is no JSON: unexpected text after the value (line 3, column 2)");
    harness.key_press(Key::Backspace);
    harness.run();
    harness.get_by_label("Apply to the branch").click();
    harness.run();
    let [Action::WhatIf(WhatIfAction::ApplyDraft(texts))] = harness.state().asked.as_slice() else {
        panic!("{:?}", harness.state().asked);
    };
    assert_eq!(texts.data, "{\n  \"amount\": 5\n}");
}

#[test]
fn two_histories_stand_side_by_side() {
    let side = |title: &str, place: &str, state: &str| CompareSideView {
        title: title.to_owned(),
        reducer: "order.js".into(),
        place: place.to_owned(),
        event: "OrderPaid 3@order-17".to_owned(),
        state: Some(json(state)),
    };
    let (left, right) = (r#"{"status":"paid","total":10}"#, r#"{"status":"placed","total":10}"#);
    let view = CompareView {
        sides: [
            Some(side("order-17", "v3 of 5", left)),
            Some(side("order-17, what-if: without the payment", "2 of 4", right)),
        ],
        align: CompareAlign::ByVersion,
        summary: "First difference at step 3; 3 of 5 steps differ".to_owned(),
        step: 3,
        steps: Some(5),
        changes: Some(Arc::new(diff(&json(left), &json(right)))),
        has_parted: true,
        turns: (false, true),
        has_stream: true,
        ..CompareView::default()
    };
    let draw = |ui: &mut Ui, shown: &mut Shown<CompareView, CompareLocal>| {
        compare_ui(ui, &shown.view, &mut shown.local, &mut shown.asked);
    };
    let mut harness = stage(vec2(900.0, 360.0), Theme::Light, shown(view), draw);
    check_tree("compare", &harness);
    harness.get_by_label("Both states").click();
    harness.run();
    harness.get_by_label("Left state");
    harness.get_by_label("Right state");
}

#[test]
fn bookmarks_are_listed_and_noted_in_place() {
    let gone = PlaceRow {
        trouble: Some("This stream is not in the store any more".to_owned()),
        ..row("order-99", "v1", "")
    };
    let view = BookmarksView {
        rows: Arc::from([row("order-17", "v3", "paid twice"), gone]),
        trail: Arc::from([row("", "event 6", "")]),
        here: Some(0),
        can_add: true,
        undo: Some("order-18".to_owned()),
    };
    let draw = |ui: &mut Ui, shown: &mut Shown<BookmarksView, BookmarksLocal>| {
        bookmarks_ui(ui, &shown.view, &mut shown.local, &mut shown.asked);
    };
    let mut harness = stage(vec2(420.0, 300.0), Theme::Light, shown(view), draw);
    check_tree("bookmarks", &harness);
    harness.get_by_label("Note at order-17 v3").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.event(egui::Event::Text("!".to_owned()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_label("Places gone to").click();
    harness.run();
    harness.get_by_label("Whole store  event 6").click();
    harness.run();
    let expected = [BookmarkAction::Note(0, "paid twice!".to_owned()), BookmarkAction::Return(0)];
    assert_eq!(harness.state().asked, expected.map(Action::Bookmarks));
}

#[test]
fn a_branch_is_one_click_away_from_an_event_and_is_kept_in_the_project_file() {
    let mut stage = AppStage::open(vec2(1500.0, 950.0), Path::new(SHOP));
    stage.choose_stream("order-4701", "4701");
    stage.row("Position: 26,").click_secondary();
    stage.settle();
    stage.click("Leave this event out (what-if)");
    assert_eq!(stage.view().state.branch.as_deref(), Some("branch 1"));
    stage.click("Side by side");
    assert!(stage.view().compare.has_parted);
    stage.press_with(Modifiers::COMMAND, Key::D);
    let kept = std::fs::read_to_string(stage.folder().join("timeglass.toml")).unwrap();
    assert!(kept.contains("[[branch]]") && kept.contains("[[bookmark]]"), "{kept}");
}
