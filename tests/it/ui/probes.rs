//! The panels of watches and conditions, over a session whose jobs run at once.

use egui::{Key, Theme, Ui, accesskit::Role, pos2, vec2};
use egui_kittest::{
    Harness,
    kittest::{AccessKitNode, Queryable as _},
};
use timeglass::{
    session::{
        Input,
        action::{Action, BrowseAction, ConditionAction, CursorAction, WatchAction},
        conditions::Reach,
        view::WatchesView,
    },
    ui::panels::{
        conditions::{ConditionsLocal, conditions_ui},
        watches::{WatchesLocal, watches_ui},
    },
};

use super::stage::{check_tree, stage};
use crate::session::{Script, shop};

struct Model {
    script: Script,
    watches: WatchesLocal,
    conditions: ConditionsLocal,
}

type Panel = fn(&mut Ui, &mut Model, &mut Vec<Action>);

fn watches(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    watches_ui(ui, &model.script.view().watches, &mut model.watches, actions);
}

fn conditions(ui: &mut Ui, model: &mut Model, actions: &mut Vec<Action>) {
    conditions_ui(ui, &model.script.view().conditions, &mut model.conditions, actions);
}

/// A panel of the shop, after these actions.
fn panel(panel: Panel, theme: Theme, stream: Option<&str>, actions: &[Action]) -> Harness<'static, Model> {
    let mut script = Script::open(shop());
    if let Some(stream) = stream {
        script.browse(BrowseAction::ChooseStream(script.stream(stream)));
    }
    for action in actions {
        script.feed(Input::Action(action.clone()));
    }
    let model = Model { script, watches: WatchesLocal::default(), conditions: ConditionsLocal::default() };
    stage(vec2(460.0, 420.0), theme, model, move |ui, model: &mut Model| {
        let mut actions = Vec::new();
        panel(ui, model, &mut actions);
        for action in actions {
            model.script.feed(Input::Action(action));
        }
    })
}

fn type_into(harness: &mut Harness<'_, Model>, label: &str, text: &str) {
    harness.get_by_label(label).focus();
    harness.run();
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

fn click(harness: &mut Harness<'_, Model>, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

fn click_row(harness: &mut Harness<'_, Model>, start: &'static str) {
    let is_it = move |node: &AccessKitNode<'_>| {
        node.role() == Role::Row && node.label().is_some_and(|label| label.starts_with(start))
    };
    harness.get_by(is_it).click();
    harness.run();
}

fn watched(texts: &[&str]) -> Vec<Action> {
    texts.iter().map(|text| Action::Watches(WatchAction::AddTyped((*text).to_owned()))).collect()
}

/// Keeps a picture if `UPDATE_PICTURES` is set.
fn picture(name: &str, harness: &mut Harness<'_, Model>) {
    let picture = harness.render().expect("a picture");
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).expect("room for pictures");
        picture.save(folder.join(format!("{name}.png"))).expect("a PNG");
    }
}

#[test]
fn watches_can_be_read() {
    let actions = watched(&["status", "total", "missing"]);
    for (theme, name) in [(Theme::Light, "watches-light"), (Theme::Dark, "watches-dark")] {
        let mut harness = panel(watches, theme, Some("order-1"), &actions);
        picture(name, &mut harness);
        check_tree("watches", &harness);
    }
    check_tree("watches-no-stream", &panel(watches, Theme::Light, None, &[]));
    check_tree("watches-none", &panel(watches, Theme::Light, Some("order-1"), &[]));
}

#[test]
fn how_long_following_takes_is_said_while_something_is_typed() {
    let words = "1 000 000 events · about 4 s";
    let view =
        WatchesView { stream: "order-1".into(), estimate: Some(words.into()), ..WatchesView::default() };
    let state = (view, WatchesLocal::default());
    let mut harness = stage(vec2(460.0, 420.0), Theme::Light, state, |ui, (view, local)| {
        watches_ui(ui, view, local, &mut Vec::new());
    });
    assert!(harness.query_by_label(words).is_none());
    harness.get_by_label("Path or expression to watch").focus();
    harness.run();
    harness.event(egui::Event::Text("total".to_owned()));
    harness.run();
    harness.get_by_label(words);
}

#[test]
fn a_typed_watch_is_followed_and_a_click_on_its_plot_goes_there() {
    let mut harness = panel(watches, Theme::Light, Some("order-1"), &[]);
    type_into(&mut harness, "Path or expression to watch", "status");
    let strip = harness.get_by_label("/status over the history").rect();
    // Four slots: before the first event, and after each of three.
    let at = |slot: f32| pos2(strip.left() + strip.width() * (slot + 0.5) / 4.0, strip.center().y);
    harness.drag_at(at(1.0));
    harness.drop_at(at(1.0));
    harness.run();
    assert_eq!(harness.state().script.view().state.place, "v1 of 3");
    harness.get_by_label("/status over the history").set_value_accesskit(2.0);
    harness.run();
    assert_eq!(harness.state().script.view().state.place, "v2 of 3");
    let rows = &harness.state().script.view().watches.rows;
    assert_eq!((rows[0].before.as_deref(), &*rows[0].value), (Some("placed"), "paid"));
}

#[test]
fn the_menu_of_a_watch_renames_and_removes_it() {
    let mut harness = panel(watches, Theme::Light, Some("order-1"), &watched(&["status"]));
    click(&mut harness, "Menu of /status");
    click(&mut harness, "Column in the table of events");
    assert!(harness.state().script.view().watches.rows[0].is_column);
    harness.get_by_label("Name").focus();
    harness.run();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("State of the order".to_owned()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().script.view().watches.rows[0].name, "State of the order");
    click(&mut harness, "Remove");
    assert!(harness.state().script.view().watches.rows.is_empty());
}

#[test]
fn conditions_are_typed_run_to_and_chosen_from_the_list() {
    let mut harness = panel(conditions, Theme::Light, Some("order-1"), &[]);
    check_tree("conditions-none", &harness);
    type_into(&mut harness, "What to look for", "parcel");
    click(&mut harness, "Kind of condition: State where");
    click(&mut harness, "Value changes");
    type_into(&mut harness, "What to look for", "status");
    harness.state_mut().script.cursor(CursorAction::Home);
    harness.run();
    click(&mut harness, "Next hit ▶");
    assert_eq!(harness.state().script.view().state.place, "v1 of 3");
    check_tree("conditions", &harness);
    picture("conditions-light", &mut harness);
    click_row(&mut harness, "Version: 3");
    assert_eq!(harness.state().script.view().state.place, "v3 of 3");
    click(&mut harness, "◀ Hit before");
    assert_eq!(harness.state().script.view().state.place, "v2 of 3");
    click(&mut harness, "Remove parcel");
    assert_eq!(harness.state().script.view().conditions.rows.len(), 1);
}

#[test]
fn streams_that_met_a_condition_are_listed_and_gone_to() {
    let mut harness = panel(conditions, Theme::Dark, None, &[]);
    type_into(&mut harness, "What to look for", "total");
    click(&mut harness, "Search all of order");
    check_tree("conditions-search", &harness);
    picture("conditions-search-dark", &mut harness);
    click_row(&mut harness, "Stream: order-2");
    assert_eq!(&*harness.state().script.view().state.stream, "order-2");
    let search = Action::Conditions(ConditionAction::Search(Reach::Store));
    harness.state_mut().script.feed(Input::Action(search));
    harness.run();
    harness.get_by_label("The whole store");
}
