//! A stage for widgets: our theme and fonts, our renderer, and what assistive technology sees as text.

use std::{fmt::Write as _, fs, path::Path};

use egui::{Theme, Ui, Vec2};
use egui_kittest::{Harness, Node, kittest::NodeT as _};
use timeglass::ui::{fonts, theme};

use super::renderer::SoftwareRenderer;

/// Puts a widget on the stage.
pub(super) fn stage<'a, S: 'static>(
    size: impl Into<Vec2>,
    theme: Theme,
    state: S,
    mut draw: impl FnMut(&mut Ui, &mut S) + 'a,
) -> Harness<'a, S> {
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .allow_missing_glyphs()
        .renderer(SoftwareRenderer::default())
        .with_context_setup(|ctx| {
            fonts::install(ctx);
            theme::apply(ctx);
        })
        .build_ui_state(
            move |ui, state| {
                let colours = theme::Palette::of(ui);
                ui.painter().rect_filled(ui.ctx().content_rect(), 0.0, colours.panel);
                draw(ui, state);
            },
            state,
        );
    harness.run();
    harness
}

/// Keeps a picture of the stage in both themes, if `UPDATE_PICTURES` is set, and checks in any case that it can
/// be drawn and is not blank.
pub(super) fn pictures<S: Clone + 'static>(
    name: &str,
    size: impl Into<Vec2>,
    state: &S,
    draw: fn(&mut Ui, &mut S),
) {
    let size = size.into();
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut harness = stage(size, theme, state.clone(), draw);
        let picture = harness.render().expect("a picture");
        let first = picture.get_pixel(0, 0);
        assert!(picture.pixels().any(|pixel| pixel != first), "{name} is blank in the {suffix} theme");
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
            fs::create_dir_all(&folder).expect("room for pictures");
            picture.save(folder.join(format!("{name}-{suffix}.png"))).expect("a PNG");
        }
    }
}

/// What assistive technology is told: a line for each node, indented, with role, label and value.
pub(super) fn accessible_tree<S>(harness: &Harness<'_, S>) -> String {
    let mut text = String::new();
    write_node(&harness.root(), 0, &mut text);
    text
}

fn write_node(node: &Node<'_>, depth: usize, text: &mut String) {
    let inner = node.accesskit_node();
    let role = format!("{:?}", inner.role());
    let is_shown = !matches!(role.as_str(), "GenericContainer" | "TextRun" | "Window" | "Pane");
    if is_shown {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&role);
        if let Some(label) = inner.label() {
            write!(text, " {label:?}").expect("room");
        }
        if let Some(value) = inner.value() {
            write!(text, " = {value:?}").expect("room");
        }
        if let Some(value) = inner.numeric_value() {
            write!(text, " = {value}").expect("room");
        }
        for (is_so, word) in [
            (inner.is_disabled(), "disabled"),
            (inner.is_selected() == Some(true), "selected"),
            (inner.is_focused(), "focused"),
            (inner.toggled() == Some(egui::accesskit::Toggled::True), "on"),
        ] {
            if is_so {
                write!(text, " ({word})").expect("room");
            }
        }
        text.push('\n');
    }
    for child in node.children() {
        write_node(&child, depth + usize::from(is_shown), text);
    }
}

/// Compares with `tests/golden/ui/NAME.snap`.
pub(super) fn check_tree<S>(name: &str, harness: &Harness<'_, S>) {
    insta::with_settings!({ snapshot_path => "../../golden/ui", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, accessible_tree(harness));
    });
}
