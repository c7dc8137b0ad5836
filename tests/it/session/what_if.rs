//! Branches: standing on them, editing, taking back, beside the truth.

use std::{path::Path, sync::Arc};

use timeglass::{
    model::{Change, Json, StreamName},
    replay::{BranchReducer, History},
    session::{
        Input,
        action::{
            Action, Axis, BookmarkAction, BrowseAction, CompareAction, CursorAction, ShellAction,
            WhatIfAction,
        },
        job::{Job, Question, Slot},
        what_if::{DraftTexts, ExportKind, Target},
    },
    store::memory::event,
};

use super::{Script, shop};

impl Script {
    fn what_if(&mut self, action: WhatIfAction) {
        self.feed(Input::Action(Action::WhatIf(action)));
    }

    fn compare(&mut self, action: CompareAction) {
        self.feed(Input::Action(Action::Compare(action)));
    }

    /// Types a draft's fields and applies them.
    fn draft(&mut self, event_type: &str, data: &str) {
        let texts =
            DraftTexts { event_type: event_type.to_owned(), data: data.to_owned(), ..DraftTexts::default() };
        self.what_if(WhatIfAction::ApplyDraft(texts));
    }

    fn parting(&self) -> String {
        self.view().what_if.outcome.as_ref().map(|outcome| outcome.parting.clone()).unwrap_or_default()
    }

    fn edits(&self) -> Vec<String> {
        self.view().what_if.edits.iter().map(|edit| edit.words.clone()).collect()
    }
}

/// A store in this folder, with order 1 chosen.
fn on_order_1_in(folder: &Path) -> Script {
    let mut script = Script::open_in(folder, shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script
}

fn on_order_1() -> Script {
    let mut script = Script::open(shop());
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script
}

/// A stream of so many events, chosen and folded.
fn on_long_stream(events: i64) -> Script {
    let stream = StreamName::of("order", "1");
    let data = |number: i64| Json::object([("total", Json::from(number))]);
    let mut script =
        Script::open((1..=events).map(|number| event(number, &stream, number, "Noted", data(number))));
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script
}

fn texts(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| change.to_json().to_compact()).collect()
}

#[test]
fn an_event_left_out_by_one_click_makes_a_branch_that_the_window_stands_on() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::LeaveOut(Target::Row(2)));
    assert!(script.view().what_if.is_standing);
    assert_eq!(script.view().state.branch.as_deref(), Some("branch 1"));
    assert_eq!(script.view().timeline.branch.as_deref(), Some("branch 1"));
    assert_eq!(script.edits(), ["leave out OrderShipped v3"]);
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
    assert_eq!(script.parting(), "Parts from the truth at v2 (truth: v3); 1 of 3 steps differ");
    let marks: Vec<_> = (0..3).map(|row| script.view().events.edit(row)).collect();
    assert_eq!(marks, [None, None, Some("left out")]);
    let outcome = script.view().what_if.outcome.clone().unwrap();
    let differs = [
        r#"{"path":"/parcel","op":"remove","old":"X1"}"#,
        r#"{"path":"/status","op":"change","old":"shipped","new":"paid"}"#,
    ];
    assert_eq!(texts(&outcome.at_end.unwrap()), differs);
    assert_eq!(texts(&outcome.at_cursor.unwrap()), differs, "the truth goes past what is left out");

    script.what_if(WhatIfAction::StandOnTruth);
    assert_eq!(script.view().state.branch, None);
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
    script.shell(ShellAction::Back);
    assert!(script.view().what_if.is_standing, "back to where the user stood: on the branch");
    assert_eq!(script.state(), r#"{"status":"paid","total":10}"#);
}

#[test]
fn an_event_is_edited_and_what_is_no_json_is_told_and_kept() {
    let mut script = on_order_1();
    script.cursor(CursorAction::ToCount(2));
    script.what_if(WhatIfAction::Edit(Target::Cursor));
    let draft = script.view().what_if.draft.clone().unwrap();
    assert_eq!(draft.title, "Edit OrderPaid v2");
    assert_eq!(draft.texts.data, "{\n  \"status\": \"paid\"\n}");
    script.draft("OrderPaid", "{\n  \"status\": paid\n}");
    let draft = script.view().what_if.draft.clone().unwrap();
    assert_eq!(
        draft.trouble.as_deref(),
        Some("The data is no JSON: expected a JSON value (line 2, column 13)")
    );
    assert!(script.view().what_if.branches.is_empty(), "nothing happened yet");
    script.draft("OrderPaid", r#"{"status":"paid","total":99}"#);
    assert_eq!(script.view().what_if.draft, None);
    assert_eq!(script.view().state.place, "v2 (edited) · event 2 of 3");
    assert_eq!(script.state(), r#"{"status":"paid","total":99}"#);
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"shipped","total":99,"parcel":"X1"}"#);
    let shown = script.view().event.as_ref().map(|event| event.label());
    assert_eq!(shown.as_deref(), Some("OrderShipped 3@order-1"));
}

#[test]
fn events_are_put_in_and_moved_and_every_change_is_taken_back() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::InsertBefore(Target::Row(0)));
    assert_eq!(script.view().what_if.draft.as_ref().unwrap().title, "Insert an event before the first");
    script.draft("Drafted", r#"{"note":"first"}"#);
    assert_eq!(script.state(), r#"{"note":"first"}"#, "the window stands on what was put in");
    assert_eq!(script.view().state.place, "event 1 (inserted) of 4");
    script.what_if(WhatIfAction::Move(Target::Row(2)));
    script.what_if(WhatIfAction::ApplyDraft(DraftTexts { after: "v1".to_owned(), ..DraftTexts::default() }));
    assert_eq!(
        script.edits(),
        ["insert Drafted before the first event", "move OrderShipped v3 after OrderPlaced v1"]
    );
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"note":"first","status":"paid","total":10,"parcel":"X1"}"#);

    script.what_if(WhatIfAction::ToggleEdit(0));
    assert_eq!(script.state(), r#"{"status":"paid","total":10,"parcel":"X1"}"#);
    script.what_if(WhatIfAction::Undo);
    script.what_if(WhatIfAction::Undo);
    assert_eq!(script.edits(), ["insert Drafted before the first event"]);
    script.what_if(WhatIfAction::Redo);
    assert_eq!(script.edits().len(), 2);
    script.what_if(WhatIfAction::Undo);
    script.what_if(WhatIfAction::Undo);
    assert!(script.view().what_if.branches.is_empty());
    assert!(!script.view().what_if.is_standing);
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"shipped","total":10,"parcel":"X1"}"#);
}

#[test]
fn a_move_to_where_nothing_is_says_what_to_type() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::Move(Target::Row(2)));
    assert_eq!(script.view().what_if.draft.as_ref().unwrap().texts.after, "v2");
    script.what_if(WhatIfAction::ApplyDraft(DraftTexts { after: "v9".to_owned(), ..DraftTexts::default() }));
    let trouble = script.view().what_if.draft.as_ref().unwrap().trouble.clone();
    assert_eq!(
        trouble.as_deref(),
        Some("There is no version “v9”; versions are 1 to 3; type a version, or start")
    );
}

#[test]
fn the_cursor_counts_the_events_of_the_branch() {
    let mut script = on_order_1();
    script.cursor(CursorAction::SetAxis(Axis::Events));
    script.what_if(WhatIfAction::LeaveOut(Target::Row(1)));
    script.cursor(CursorAction::End);
    assert_eq!(script.view().state.place, "v3 · event 2 of 2");
    assert_eq!(script.view().timeline.can_step, (true, false));
    script.cursor(CursorAction::Step(-1));
    assert_eq!(script.view().state.place, "v1 · event 1 of 2");
    script.cursor(CursorAction::Seek(1.0));
    assert_eq!(script.view().state.place, "v3 · event 2 of 2");
    script.browse(BrowseAction::ChooseRow(1));
    assert_eq!(script.state(), r#"{"status":"placed","total":10}"#, "it did not happen");
    script.what_if(WhatIfAction::GoToParting);
    assert_eq!(script.view().state.place, "v1 · event 1 of 2");
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    assert!(!script.view().what_if.is_standing, "another stream shows what was recorded");
    assert_eq!(script.view().state.branch, None);
    script.what_if(WhatIfAction::Choose(0));
    assert_eq!(script.view().state.branch.as_deref(), Some("branch 1"));
    assert_eq!(&*script.view().state.stream, "order-1");
}

#[test]
fn the_branch_and_the_truth_are_compared_and_the_cursor_moves_both() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::LeaveOut(Target::Row(1)));
    script.compare(CompareAction::TakeBranch);
    let view = script.view().compare.clone();
    assert_eq!(
        view.sides.each_ref().map(|side| side.as_ref().unwrap().title.clone()),
        ["order-1", "order-1, what-if: branch 1"]
    );
    assert_eq!(view.summary, "First difference at step 2; 1 of 3 steps differ");
    assert_eq!((view.step, view.turns), (2, (false, true)));
    script.compare(CompareAction::Next);
    assert_eq!(script.view().compare.step, 3, "where they meet again");
    assert_eq!(texts(script.view().compare.changes.as_ref().unwrap()), [""; 0]);
    assert_eq!(script.view().state.place, "v3 · event 2 of 2", "the cursor went along, on the branch");
    script.cursor(CursorAction::Home);
    assert_eq!(script.view().compare.step, 0);
    script.compare(CompareAction::First);
    assert_eq!(script.view().compare.step, 2);
}

#[test]
fn a_branch_follows_the_store_when_it_grows() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::LeaveOut(Target::Row(2)));
    let order = timeglass::model::StreamName::of("order", "1");
    let json = timeglass::model::Json::parse(br#"{"rating":5}"#).unwrap();
    script.append(event(7, &order, 4, "OrderRated", json));
    script.feed(Input::Tick(std::time::Duration::from_secs(1)));
    assert!(script.view().what_if.is_standing);
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"paid","total":10,"rating":5}"#);
    assert_eq!(script.view().what_if.edits[0].misfit, None);
    assert_eq!(script.parting(), "Parts from the truth at v2 (truth: v3); 2 of 4 steps differ");
}

#[test]
fn branches_are_called_otherwise_and_taken_away() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::New);
    assert_eq!(script.parting(), "The states are the same at every step");
    script.what_if(WhatIfAction::Rename(0, " unpaid ".to_owned()));
    script.what_if(WhatIfAction::New);
    script.what_if(WhatIfAction::Rename(1, "unpaid".to_owned()));
    let names = |script: &Script| {
        script.view().what_if.branches.iter().map(|branch| branch.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&script), ["unpaid", "branch 1"], "a name is given once");
    script.what_if(WhatIfAction::Remove(1));
    assert_eq!(names(&script), ["unpaid"]);
    assert!(!script.view().what_if.is_standing);
    script.what_if(WhatIfAction::Undo);
    assert_eq!(names(&script), ["unpaid", "branch 1"]);
}

#[test]
fn what_was_found_is_written_down() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::LeaveOut(Target::Row(2)));
    script.what_if(WhatIfAction::Export(ExportKind::Case));
    let (kind, text) = script.view().what_if.export.clone().unwrap();
    assert_eq!(kind, ExportKind::Case);
    insta::with_settings!({ snapshot_path => "../../golden/what-if", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("case", &*text);
    });
    script.what_if(WhatIfAction::Export(ExportKind::Compensation));
    let (_, text) = script.view().what_if.export.clone().unwrap();
    insta::with_settings!({ snapshot_path => "../../golden/what-if", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("compensation", &*text);
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.json");
    script.what_if(WhatIfAction::SaveExport(file.clone()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), *text);
    script.what_if(WhatIfAction::Export(ExportKind::Case));
    script.what_if(WhatIfAction::SaveExport(file.clone()));
    assert!(script.view().notices.last().unwrap().title.contains("cannot be written"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), *text, "no file is written over");
}

#[test]
fn branches_bookmarks_and_the_trail_outlive_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = on_order_1_in(folder.path());
    script.browse(BrowseAction::ChooseRow(1));
    script.feed(Input::Action(Action::Bookmarks(BookmarkAction::Toggle)));
    script.what_if(WhatIfAction::LeaveOut(Target::Row(1)));
    script.what_if(WhatIfAction::InsertAfter(Target::Row(2)));
    script.draft("OrderRated", r#"{"rating":12345678901234567890}"#);
    script.what_if(WhatIfAction::Move(Target::Row(2)));
    script
        .what_if(WhatIfAction::ApplyDraft(DraftTexts { after: "start".to_owned(), ..DraftTexts::default() }));
    script.what_if(WhatIfAction::ToggleEdit(0));
    script.what_if(WhatIfAction::UseReducer(BranchReducer::Merge));
    let (edits, reducer) = (script.edits(), script.view().what_if.reducer.clone());
    let jobs = script.session.parting_jobs();
    script.run(jobs);
    let mut again = Script::open_in(folder.path(), shop());
    assert_eq!(again.view().bookmarks.rows.len(), 1);
    assert!(again.view().bookmarks.trail.iter().any(|row| &*row.stream == "order-1"));
    again.what_if(WhatIfAction::Choose(0));
    assert_eq!(again.edits(), edits);
    assert_eq!(again.view().what_if.reducer, reducer);
    let is_on: Vec<bool> = again.view().what_if.edits.iter().map(|edit| edit.is_on).collect();
    assert_eq!(is_on, [false, true, true]);
    assert!(again.view().what_if.edits.iter().all(|edit| edit.misfit.is_none()));
    again.cursor(CursorAction::End);
    assert_eq!(again.state(), script_end(&mut script));
    assert!(again.state().contains("12345678901234567890"));
}

fn script_end(script: &mut Script) -> String {
    script.cursor(CursorAction::End);
    script.state()
}

#[test]
fn what_is_kept_of_another_store_is_shown_with_the_reason_and_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = on_order_1_in(folder.path());
    script.feed(Input::Action(Action::Bookmarks(BookmarkAction::Toggle)));
    script.what_if(WhatIfAction::LeaveOut(Target::Row(2)));
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    script.what_if(WhatIfAction::LeaveOut(Target::Row(1)));
    script.browse(BrowseAction::ChooseRow(0));
    let jobs = script.session.parting_jobs();
    script.run(jobs);
    let mut events = shop();
    events.retain(|event| &*event.stream.full() != "order-1");
    events.last_mut().unwrap().event_type = "OrderRefused".into();
    let mut again = Script::open_in(folder.path(), events);
    let trouble = |place: usize| again.view().bookmarks.rows[place].trouble.clone();
    assert_eq!(trouble(0).as_deref(), Some("This stream is not in the store any more"));
    let mut lost = again.view().bookmarks.trail.iter().filter(|row| row.trouble.is_some());
    assert!(lost.any(|row| &*row.stream == "order-1"), "a place of the trail, too");
    let branches = again.view().what_if.branches.to_vec();
    assert_eq!(branches[0].trouble.as_deref(), Some("order-1 is not in this store"));
    again.what_if(WhatIfAction::Choose(0));
    assert_eq!(again.view().notices.last().unwrap().title, "order-1 is not in this store");
    again.what_if(WhatIfAction::Choose(1));
    assert_eq!(
        again.view().what_if.edits[0].misfit.as_deref(),
        Some("OrderCancelled v2 is not there any more; OrderRefused v2 stands in its place")
    );
    assert_eq!(again.parting(), "The states are the same at every step");
}

#[test]
fn a_branch_under_a_reducer_of_a_file_is_told_from_one_that_does_not_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = on_order_1_in(folder.path());
    script.what_if(WhatIfAction::New);
    let write = |text: &str| std::fs::write(folder.path().join("count.js"), text).unwrap();
    write("({ $init() { return { n: 0 }; }, OrderPaid(s) { s.n += 1; return s; } })");
    let file = || WhatIfAction::UseReducer(BranchReducer::File("count.js".into()));
    script.what_if(file());
    assert_eq!(script.view().what_if.reducer_trouble, None);
    assert_eq!(script.state(), r#"{"n":1}"#);
    let write = |text: &str| std::fs::write(folder.path().join("count.js"), text).unwrap();
    write("({ OrderPaid(s) { return s. } })");
    script.what_if(file());
    let trouble = script.view().what_if.reducer_trouble.clone().unwrap();
    assert_eq!((trouble.file.as_deref(), trouble.line), (Some("count.js"), Some(1)));
    assert_eq!(script.state(), r#"{"status":"shipped","total":10,"parcel":"X1"}"#, "that of the truth");
}

#[test]
fn blame_looks_at_the_branch() {
    use timeglass::{model::Pointer, session::action::BlameAction};
    let mut script = on_order_1();
    script.what_if(WhatIfAction::LeaveOut(Target::Row(1)));
    script.cursor(CursorAction::End);
    let path = Pointer::parse("/status").unwrap();
    script.feed(Input::Action(Action::Blame(BlameAction::Ask(path))));
    assert_eq!(script.view().blame.total, 2, "the payment wrote it in the truth only");
    let last = script.view().blame.last.clone().unwrap().row;
    assert_eq!((last.count, &*last.version, last.old), (2, "v3", Some("placed".into())));
    script.feed(Input::Action(Action::Blame(BlameAction::Previous)));
    assert_eq!(script.view().state.place, "v1 · event 1 of 2");
}

#[test]
fn a_comparison_that_is_stopped_says_so_and_can_be_asked_again() {
    let mut script = on_order_1();
    // What the actions ask is never answered: the user stops it.
    script.session.apply(Input::Action(Action::WhatIf(WhatIfAction::LeaveOut(Target::Row(1)))));
    assert_eq!(script.parting(), "Comparing with the truth…");
    script.session.apply(Input::Action(Action::Compare(CompareAction::TakeBranch)));
    assert!(script.view().compare.is_comparing);
    script.shell(ShellAction::CancelWork);
    assert_eq!(script.parting(), "The comparison with the truth was stopped");
    assert!(!script.view().compare.is_comparing);
    script.what_if(WhatIfAction::Choose(0));
    assert_eq!(script.parting(), "Parts from the truth at v1 (truth: v2); 1 of 3 steps differ");
    script.compare(CompareAction::Align(script.view().compare.align));
    assert!(script.view().compare.has_parted);
}

#[test]
fn a_draft_goes_to_the_stream_and_the_edit_that_it_is_about_or_nowhere() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::Edit(Target::Row(1)));
    script.browse(BrowseAction::ChooseStream(script.stream("order-2")));
    script.draft("OrderPaid", r#"{"total":99}"#);
    assert!(script.view().what_if.branches.is_empty());
    assert!(script.view().what_if.draft.is_some(), "what was written stays");
    script.browse(BrowseAction::ChooseStream(script.stream("order-1")));
    script.draft("OrderPaid", r#"{"total":99}"#);
    assert_eq!(script.edits(), ["edit OrderPaid v2"]);

    script.what_if(WhatIfAction::New);
    script.what_if(WhatIfAction::LeaveOut(Target::Row(2)));
    script.what_if(WhatIfAction::Choose(0));
    script.what_if(WhatIfAction::Revise(0));
    script.what_if(WhatIfAction::Choose(1));
    script.draft("OrderPaid", r#"{"total":7}"#);
    assert_eq!(script.edits(), ["leave out OrderShipped v3"], "that of the other branch");
    script.what_if(WhatIfAction::Choose(0));
    script.draft("OrderPaid", r#"{"total":7}"#);
    script.cursor(CursorAction::End);
    assert_eq!(script.state(), r#"{"status":"shipped","total":7,"parcel":"X1"}"#);
}

#[test]
fn a_project_file_is_left_alone_by_a_look_at_its_branches() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[branch]]\nname = \"mine\"\nstream = \"order-1\"\nreducer = \"count.js\"\n\n[[branch.edit]]\nwhat = \"leave-out\"\nevent = 2 # by hand\n";
    let file = folder.path().join("timeglass.toml");
    std::fs::write(&file, text).unwrap();
    let reducer = "({ $init() { return { n: 0 }; }, $any(s) { s.n += 1; return s; } })";
    std::fs::write(folder.path().join("count.js"), reducer).unwrap();
    let mut script = on_order_1_in(folder.path());
    script.what_if(WhatIfAction::Choose(0));
    assert_eq!(script.edits(), ["leave out OrderPaid v2"]);
    assert_eq!(script.state(), r#"{"n":2}"#);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_branch_whose_reducer_was_not_read_says_that_it_was_stopped() {
    let mut script = on_order_1();
    script.what_if(WhatIfAction::New);
    let file = WhatIfAction::UseReducer(BranchReducer::File("count.js".into()));
    script.session.apply(Input::Action(Action::WhatIf(file)));
    script.feed(Input::Crash(Slot::BranchReducer, "a bug".to_owned()));
    assert_eq!(script.parting(), "The comparison with the truth was stopped");
}

#[test]
fn data_written_by_hand_that_is_no_json_is_not_lost_by_the_next_change() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[branch]]\nname = \"mine\"\nstream = \"order-1\"\n\n[[branch.edit]]\nwhat = \"insert\"\nevent = 2\ntype = \"Noted\"\ndata = \"{ total: 1\"\n";
    let file = folder.path().join("timeglass.toml");
    std::fs::write(&file, text).unwrap();
    let mut script = on_order_1_in(folder.path());
    script.what_if(WhatIfAction::Choose(0));
    script.what_if(WhatIfAction::ToggleEdit(0));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("{ total: 1"), "{kept}");
    script.what_if(WhatIfAction::Revise(0));
    assert_eq!(script.view().what_if.draft.as_ref().unwrap().texts.data, r#""{ total: 1""#);
}

/// What a change of a branch hands to jobs: the history that is folded, and whether something is let go of.
fn asked(script: &mut Script, action: WhatIfAction) -> (Arc<History>, bool, Vec<Job>) {
    let jobs = script.session.apply(Input::Action(Action::WhatIf(action)));
    let folded = jobs.iter().find_map(|job| match &job.question {
        Question::Fold(history) => Some(Arc::clone(history)),
        _ => None,
    });
    let lets_go = jobs.iter().any(|job| matches!(job.question, Question::LetGo(_)));
    (folded.expect("a history is folded"), lets_go, jobs)
}

#[test]
fn what_a_branch_takes_over_from_the_truth_is_taken_over_by_a_job() {
    let mut script = on_long_stream(1_000);
    let (branch, lets_go, jobs) = asked(&mut script, WhatIfAction::LeaveOut(Target::Row(899)));
    assert_eq!((branch.figures().keyframes, branch.folded(), lets_go), (0, 0, false));
    // Until there is the step of the branch, what was shown stays.
    assert!(script.view().what_if.is_standing && script.view().state.is_stale);
    assert_eq!(script.state(), r#"{"total":1000}"#);
    script.run(jobs);
    assert_eq!((branch.len(), branch.folded()), (999, 999));
    assert_eq!(
        script.parting().replace('\u{2009}', " "),
        "Parts from the truth at v899 (truth: v900); 1 of 1 000 steps differ"
    );
    // The branch as it was before is let go of by a job.
    let weak = Arc::downgrade(&branch);
    drop(branch);
    let (next, lets_go, mut jobs) = asked(&mut script, WhatIfAction::LeaveOut(Target::Row(499)));
    assert!(lets_go && weak.upgrade().is_some());
    drop(next);
    // It has nothing to wait for; what shares the memory finds it gone when the fold has ended.
    jobs.sort_by_key(|job| !matches!(job.question, Question::LetGo(_)));
    script.run(jobs);
    assert!(weak.upgrade().is_none(), "nobody else holds it");
    assert_eq!(script.state(), r#"{"total":499}"#);
}
