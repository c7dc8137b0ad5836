//! The tree: what changed, finding, keys, and states of any size.

use egui::{Key, Theme, Ui, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use timeglass::{
    model::{Json, Pointer, diff},
    ui::widgets::json_tree::{Copied, JsonTree, Marks, TreeResponse, TreeState, marks_of},
};

use super::stage::{accessible_tree, check_tree, pictures, stage};

#[derive(Clone, Default)]
struct Model {
    value: Json,
    marks: Marks,
    find: String,
    state: TreeState,
    copied: Option<Copied>,
}

const OLD: &str = r#"{"status":"open","total":12.50,"customer":{"name":"Μαρία","address":{"city":"Αθήνα","zip":"10431","lines":["a","b"]}},"items":[{"sku":"tea-1","quantity":1}],"note":"by phone"}"#;
const NEW: &str = r#"{"status":"paid","total":25.00,"customer":{"name":"Μαρία","address":{"city":"Москва","zip":"10431","lines":["a","b"]}},"items":[{"sku":"tea-1","quantity":1},{"sku":"cup-7","quantity":2}],"paid":true,"coupon":null,"comment":"A long text that goes on: JSON keeps != and -> as they are, 0x1F too, and so does this window, whatever its width may be.\nA second line."}"#;

fn model() -> Model {
    let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
    let (old, new) = (read(OLD), read(NEW));
    Model { marks: marks_of(&diff(&old, &new)), value: new, ..Model::default() }
}

fn draw(ui: &mut Ui, model: &mut Model) {
    let TreeResponse { copied, .. } =
        JsonTree::new("State", &model.value).marks(&model.marks).find(&model.find).show(ui, &mut model.state);
    model.copied = copied.or_else(|| model.copied.take());
}

fn tree(model: Model) -> Harness<'static, Model> {
    stage(vec2(560.0, 420.0), Theme::Light, model, draw)
}

fn path(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn check_selected(harness: &Harness<'_, Model>, expected: &str) {
    assert_eq!(harness.state().state.selected, Some(path(expected)));
}

#[test]
fn pictures_of_the_tree() {
    let mut model = model();
    model.state.selected = Some(path("/total"));
    pictures("json-tree", vec2(560.0, 420.0), &model, draw);
    model.find = "a".to_owned();
    model.state.set_open(path("/comment"), true);
    model.state.set_open(path("/customer/address"), false);
    pictures("json-tree-find", vec2(420.0, 420.0), &model, draw);
}

#[test]
fn the_tree_can_be_read() {
    check_tree("json-tree", &tree(model()));
}

#[test]
fn keys_walk_open_and_close() {
    let mut harness = tree(model());
    harness.get_by_label_contains("customer: ").click();
    harness.run();
    check_selected(&harness, "/customer");
    let rows = accessible_tree(&harness).lines().count();
    let mut press = |key, expected| {
        harness.key_press(key);
        harness.run();
        check_selected(&harness, expected);
        accessible_tree(&harness).lines().count()
    };
    assert!(press(Key::ArrowLeft, "/customer") < rows, "closed");
    assert_eq!(press(Key::ArrowRight, "/customer"), rows, "open again");
    press(Key::ArrowRight, "/customer/name");
    press(Key::ArrowDown, "/customer/address");
    press(Key::ArrowLeft, "/customer/address");
    press(Key::ArrowLeft, "/customer");
    press(Key::End, "/note");
    press(Key::Home, "/status");
}

#[test]
fn a_closed_node_tells_of_changes_below() {
    let mut harness = tree(model());
    assert!(harness.query_by_label_contains("holds changes").is_none());
    harness.get_by_label_contains("customer: ").click_accesskit();
    harness.state_mut().state.set_open(path("/customer"), false);
    harness.run();
    harness.get_by_label("customer: 2 members, holds changes");
}

#[test]
fn finding_opens_the_way() {
    let mut model = model();
    model.state.set_open(path("/customer"), false);
    model.find = "москва".to_owned();
    let mut harness = tree(model);
    assert_eq!(harness.state().state.hit_count(), 1);
    harness.state_mut().state.go_to_hit(true);
    harness.run();
    assert_eq!(harness.state().state.current_hit(), Some(0));
    check_selected(&harness, "/customer/address/city");
    harness.get_by_label_contains("city: \"Москва\", changed");
}

#[test]
fn values_and_paths_are_copied() {
    let mut harness = tree(model());
    harness.get_by_label_contains("city: ").click_secondary();
    harness.run();
    harness.get_by_label("Copy path").click();
    harness.run();
    assert_eq!(harness.state().copied, Some(Copied::Path(path("/customer/address/city"))));
}

#[test]
fn a_state_of_a_hundred_thousand_nodes_costs_what_is_open() {
    let items = Json::array((0..100_000_u64).map(|id| Json::object([("id", Json::from(id))])));
    let value = Json::object([("items", items), ("name", Json::from("x"))]);
    let mut harness = tree(Model { value, ..Model::default() });
    harness.state_mut().state.reveal(path("/items/99999/id"));
    harness.run();
    check_selected(&harness, "/items/99999/id");
    harness.get_by_label("id: 99999");
    let state = &harness.state().state;
    assert!(state.visited() < 10, "{} nodes looked at", state.visited());
    assert!(accessible_tree(&harness).lines().count() < 30);
}

#[test]
fn hostile_values_are_drawn() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for text in [
        deep.as_str(),
        r#"{"":"","a":1,"a":2,"\u0000\n":"\u0007\u202e"}"#,
        "\"x\"",
        "[]",
        "null",
        "\"one\\ntwo\"",
    ] {
        let mut harness = tree(Model { value: Json::parse(text.as_bytes()).unwrap(), ..Model::default() });
        harness.state_mut().state.reveal(
            "0/".repeat(499)
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|_| timeglass::model::Segment::Index(0))
                .collect(),
        );
        harness.run();
        harness.render().expect("a picture");
    }
}
