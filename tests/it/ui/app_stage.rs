//! The whole window on a stage: the real `App` with its worker threads, without a window.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use egui::{Key, Modifiers, Vec2, accesskit::Role};
use egui_kittest::{
    Harness, HarnessBuilder, Node,
    kittest::{AccessKitNode, Queryable as _},
};
use timeglass::{
    session::{action::Action, view::View},
    store::cache::Cache,
    ui::{App, Start},
};

use super::{renderer::SoftwareRenderer, stage::accessible_tree};

/// Answers come from threads; this is far more than they need, so that a slow machine fails no test.
const PATIENCE: Duration = Duration::from_mins(1);

/// The sample store.
/// The same kind of shop, with planted damage.
pub(super) const DAMAGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/damaged.sqlite");

pub(super) const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/shop.sqlite");

/// The window, and the folder that its store lies in.
pub(super) struct AppStage {
    pub(super) harness: Harness<'static, App>,
    folder: tempfile::TempDir,
}

impl AppStage {
    /// The window with nothing open.
    pub(super) fn welcome(size: impl Into<Vec2>) -> Self {
        Self::start(builder(size), folder(), None)
    }

    /// The window with a copy of a file open.
    pub(super) fn open(size: impl Into<Vec2>, file: &Path) -> Self {
        Self::open_with(builder(size), file, &[])
    }

    /// The same, with choices for the stage.
    pub(super) fn open_with(builder: HarnessBuilder<App>, file: &Path, others: &[(&str, &str)]) -> Self {
        let folder = folder();
        let store = folder.path().join(file.file_name().expect("a file's name"));
        fs::copy(file, &store).expect("room for a copy");
        for (name, text) in others {
            fs::write(folder.path().join(name), text).expect("room for a file");
        }
        Self::start(builder, folder, Some(store))
    }

    /// The window with a copy of a file open that lies beside these files: names and texts.
    pub(super) fn open_beside(size: impl Into<Vec2>, file: &Path, others: &[(&str, &str)]) -> Self {
        Self::open_with(builder(size), file, others)
    }

    /// The window with a copy of a file open, keeping its index, however small.
    pub(super) fn open_caching(size: impl Into<Vec2>, file: &Path) -> Self {
        let folder = folder();
        let store = folder.path().join(file.file_name().expect("a file's name"));
        fs::copy(file, &store).expect("room for a copy");
        let cache = Cache::new(folder.path().join("cache"), Cache::BOUND).with_least_events(0);
        let start = Start { store: Some(store), cache: Some(cache), ..Start::default() };
        Self::start_with(builder(size), folder, start)
    }

    fn start(builder: HarnessBuilder<App>, folder: tempfile::TempDir, store: Option<PathBuf>) -> Self {
        Self::start_with(builder, folder, Start { store, ..Start::default() })
    }

    fn start_with(builder: HarnessBuilder<App>, folder: tempfile::TempDir, start: Start) -> Self {
        let start = Start { sample: folder.path().join("made/shop.sqlite"), ..start };
        let harness = builder.build_eframe(|context| App::new(context, start).expect("threads"));
        let mut stage = Self { harness, folder };
        stage.settle();
        stage
    }

    /// The folder that the store lies in.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs frames until every question is answered and nothing moves any more.
    #[expect(clippy::disallowed_methods, reason = "worker threads answer when they do; the wait is bounded")]
    pub(super) fn settle(&mut self) {
        let start = Instant::now();
        let mut quiet = 0;
        // Twice, since the frame that takes the last answer may ask again.
        while quiet < 2 {
            let is_still = self.harness.run_ok().is_some();
            quiet = if is_still && self.harness.state().is_idle() { quiet + 1 } else { 0 };
            assert!(start.elapsed() < PATIENCE, "the window does not come to rest");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Runs the frames that the window asks for, until it asks for none.
    #[expect(clippy::disallowed_methods, reason = "a frame comes when it is due; the wait is bounded")]
    pub(super) fn come_to_rest(&mut self) {
        let start = Instant::now();
        while !self.is_at_rest() {
            assert!(start.elapsed() < PATIENCE, "the window does not come to rest");
            self.harness.step();
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether no frame is asked for, at once or later, by the last frame or by a worker since.
    pub(super) fn is_at_rest(&self) -> bool {
        let asked = |output: &egui::ViewportOutput| output.repaint_delay < Duration::from_hours(1);
        !self.harness.output().viewport_output.values().any(asked)
            && !self.harness.ctx.has_requested_repaint()
    }

    /// Runs frames until the window shows something that came by itself, such as a file that changed.
    #[expect(clippy::disallowed_methods, reason = "the window looks now and then; the wait is bounded")]
    pub(super) fn wait_until(&mut self, is_there: impl Fn(&View) -> bool) {
        let start = Instant::now();
        while !is_there(self.view()) {
            assert!(start.elapsed() < PATIENCE, "it does not come");
            self.settle();
            thread::sleep(Duration::from_millis(20));
        }
        self.settle();
    }

    /// Asks for an action, as a panel would, and runs the frame that takes it.
    pub(super) fn ask(&mut self, action: Action) {
        self.harness.state_mut().ask(action);
        self.harness.step();
    }

    /// What is shown.
    pub(super) fn view(&self) -> &View {
        self.harness.state().session().view()
    }

    /// Clicks what has this name.
    pub(super) fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    /// Clicks the button whose name begins so: in menus the keys follow the name.
    pub(super) fn click_start(&mut self, start: &'static str) {
        let is_it = move |node: &AccessKitNode<'_>| {
            node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with(start))
        };
        self.harness.get_by(is_it).click();
        self.settle();
    }

    /// Clicks the node of a tree whose name begins so.
    pub(super) fn click_tree_item(&mut self, start: &'static str) {
        let is_it = move |node: &AccessKitNode<'_>| {
            node.role() == Role::TreeItem && node.label().is_some_and(|label| label.starts_with(start))
        };
        self.harness.get_by(is_it).click();
        self.settle();
    }

    /// Clicks the row whose name begins so.
    pub(super) fn click_row(&mut self, start: &str) {
        self.row(start).click();
        self.settle();
    }

    /// The row whose name begins so.
    pub(super) fn row<'a>(&'a self, start: &'a str) -> Node<'a> {
        self.harness.get_by(move |node| {
            node.role() == Role::Row && node.label().is_some_and(|label| label.starts_with(start))
        })
    }

    /// Presses a key.
    pub(super) fn press(&mut self, key: Key) {
        self.press_with(Modifiers::NONE, key);
    }

    /// Presses a key with others held.
    pub(super) fn press_with(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    /// Types a text into what has the keyboard.
    pub(super) fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.settle();
    }

    /// Puts a text in the place of what stands in a field.
    pub(super) fn type_over(&mut self, label: &str, text: &str) {
        self.click(label);
        self.press_with(Modifiers::COMMAND, Key::A);
        if text.is_empty() {
            self.press(Key::Delete);
        } else {
            self.type_text(text);
        }
    }

    /// Chooses a stream by typing its name into the filter and clicking its row.
    pub(super) fn choose_stream(&mut self, name: &str, id: &str) {
        self.harness.get_by_label("Filter streams").click();
        self.settle();
        self.type_text(name);
        self.click_row(&format!("Stream:     {id},"));
    }

    /// A file is let go over the window.
    pub(super) fn drop_file(&mut self, path: &Path) {
        self.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.to_owned())));
        self.settle();
    }

    /// The names of the buttons in the dialog that is open.
    pub(super) fn dialog_buttons(&self) -> Vec<String> {
        let text = self.text();
        let inside = text.split("\nDialog").nth(1).unwrap_or(&text);
        inside.lines().filter(|line| line.trim_start().starts_with("Button")).map(str::to_owned).collect()
    }

    /// Everything that can be read, shortened: without what only sizes and scrolls, without the memory in use, and
    /// without the folder's name, which differs in each run.
    pub(super) fn text(&self) -> String {
        let folder = self.folder.path().display().to_string();
        let whole = accessible_tree(&self.harness).replace(&folder, "FOLDER");
        let is_told = |line: &&str| {
            let line = line.trim_start();
            !["Unknown", "Splitter", "ScrollBar"].iter().any(|role| line.starts_with(role))
                && !line.contains(" KiB")
        };
        whole.lines().filter(is_told).map(|line| cut(line, 110) + "\n").collect()
    }

    /// Keeps a picture if `UPDATE_PICTURES` is set.
    pub(super) fn check_picture(&mut self, name: &str) {
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
            fs::create_dir_all(&folder).expect("room for pictures");
            let picture = self.harness.render().expect("a picture");
            picture.save(folder.join(format!("{name}.png"))).expect("a PNG");
        }
    }

    /// Compares what can be read with `tests/golden/ui/NAME.snap`; keeps a picture if `UPDATE_PICTURES` is set.
    pub(super) fn check(&mut self, name: &str) {
        self.check_picture(name);
        insta::with_settings!({ snapshot_path => "../../golden/ui", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, self.text());
        });
    }
}

/// A file that is let go over the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("a store is opened by its path, never read whole".to_owned())
    }
}

/// A stage of this size with our renderer.
pub(super) fn builder(size: impl Into<Vec2>) -> HarnessBuilder<App> {
    Harness::builder()
        .with_size(size)
        .with_max_steps(8)
        .allow_missing_glyphs()
        .renderer(SoftwareRenderer::default())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

/// The start of a long line.
fn cut(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        line.to_owned()
    } else {
        line.chars().take(most).chain(['…']).collect()
    }
}
