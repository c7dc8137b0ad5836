//! The window: feeds the session with inputs, starts its jobs, and shows its view.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use egui::ViewportCommand;
use egui_tiles::Tree;

use crate::{
    jobs::{Finished, Jobs, Outcome, Wake},
    model::Timestamp,
    project::new_file::Existing,
    session::{
        Input, Session,
        action::{
            Action, BlameAction, NAMED, ProjectionAction, ScriptAction, SettingsAction, ShellAction, Theme,
            What, WindowAction,
        },
        job::{Answer, Job, Question, Slot},
        view::Screen,
        workspace::Workspace,
    },
    store::cache::Cache,
    ui::{
        closing::Closing,
        debug_panel::{self, Frames},
        dialogs::{self, Dialog},
        dock::{self, Docked, Panel},
        doings::Doings,
        early::{Asked, Early},
        file_dialog::{FileDialog, Picked, Purpose},
        fonts,
        menus::{self, Turn},
        pace::{Pace, Paces},
        panels::{self, Local, projections::FileWish},
        settings::SettingsLocal,
        theme,
        watch::{Seen, watch},
    },
    work::Work,
};

/// What the window is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// A store to open at once.
    pub store: Option<PathBuf>,
    /// A project file other than the one beside the store.
    pub project: Option<PathBuf>,
    /// Where the sample store lies or is to be made.
    pub sample: PathBuf,
    /// The time of day, for what is written down.
    pub clock: Option<fn() -> Timestamp>,
    /// Where indexes are kept between runs, if anywhere.
    pub cache: Option<Cache>,
}

/// The window.
pub struct App {
    session: Session,
    jobs: Jobs<Slot, Answer>,
    tree: Tree<Panel>,
    local: Local,
    dialog: Option<Dialog>,
    actions: Vec<Action>,
    frames: Frames,
    recent_actions: VecDeque<String>,
    busy_since: Option<Instant>,
    paces: Paces,
    last_tick: Instant,
    file_dialog: Option<FileDialog>,
    wake: Wake,
    title: String,
    /// The store that was asked for before there was a window.
    early: Option<Asked>,
    /// What files looked like while nothing happened.
    seen: Seen,
    doings: Doings,
    closing: Closing,
}

/// Keys in the window's own store.
const WORKSPACE: &str = "workspace";
const PANELS: &str = "panels";

/// Actions that the debug panel remembers.
const REMEMBERED_ACTIONS: usize = 1000;

/// Of each so many letters: an edited text is no action to read.
const REMEMBERED_LETTERS: usize = 300;

/// The first picture waits so long at most for the first rows, rather than being drawn twice.
const FIRST_PICTURE: Duration = Duration::from_millis(60);

/// Work that takes longer is shown with its progress.
const SHOWN_AFTER: Duration = Duration::from_millis(250);

impl App {
    /// A window with what was kept from the last run.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub fn new(context: &eframe::CreationContext<'_>, start: Start) -> std::io::Result<Self> {
        Ok(Self::begun(context, Early::begin(start)?))
    }

    /// The same, of a store that may be open already.
    pub(super) fn begun(context: &eframe::CreationContext<'_>, early: Early) -> Self {
        let kept = |storage: &dyn eframe::Storage| {
            let text = storage.get_string(WORKSPACE)?;
            serde_json::from_str::<Workspace>(&text).ok()
        };
        let workspace = context.storage.and_then(kept).unwrap_or_default();
        let tree = context
            .storage
            .and_then(|storage| serde_json::from_str::<Tree<Panel>>(&storage.get_string(PANELS)?).ok());
        fonts::install(&context.egui_ctx);
        theme::apply(&context.egui_ctx);
        early.wakes(&context.egui_ctx);
        let Early { start, jobs, wake, asked, .. } = early;
        let store = start.store.map(ShellAction::Open).map(Action::Shell);
        let mut app = Self {
            session: Session::new(workspace, start.project, start.sample).with_cache(start.cache),
            jobs,
            tree: dock::checked(tree),
            local: Local {
                publish: panels::publish::PublishLocal { clock: start.clock },
                ..Local::default()
            },
            dialog: None,
            actions: Vec::new(),
            frames: Frames::default(),
            recent_actions: VecDeque::new(),
            busy_since: None,
            paces: Paces::default(),
            last_tick: Instant::now(),
            file_dialog: None,
            wake,
            title: String::new(),
            early: asked,
            seen: Seen::default(),
            doings: Doings::default(),
            closing: Closing::default(),
        };
        // Before any answer is taken: that to a question which nobody asked yet would be lost.
        if let Some(open) = store {
            app.apply(Input::Action(open));
        }
        app
    }

    /// With the first rows of the store, if they come soon: then the first picture shows them.
    pub(super) fn with_first_rows(mut self) -> Self {
        let until = Instant::now() + FIRST_PICTURE;
        while self.session.is_opening() || (self.session.has_store() && self.session.view().events.total == 0)
        {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.jobs.wait(left) {
                break;
            }
            self.take_answers();
        }
        self
    }

    /// What the window shows, for tests.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether something is under way that somebody waits for; looks at files are none.
    pub(crate) fn has_work(&self) -> bool {
        self.jobs.open_questions().any(|(slot, _)| !slot.is_look())
    }

    /// Whether every question is answered, for tests.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.jobs.open_questions().all(|(slot, _)| slot == Slot::Watch) && self.actions.is_empty()
    }

    /// Whether all events are in the index.
    pub(crate) fn is_indexed(&self) -> bool {
        self.session.view().streams.index.is_some()
    }

    /// Where a panel is on the screen, if it is in front of its tabs.
    pub(crate) fn panel_rect(&self, panel: Panel) -> Option<egui::Rect> {
        self.tree.tiles.rect(self.tree.tiles.find_pane(&panel)?)
    }

    /// Brings a panel to the front.
    pub(crate) fn show_panel(&mut self, panel: Panel) {
        dock::show(&mut self.tree, panel);
    }

    /// Asks for an action, as a panel would.
    pub fn ask(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks for an action by the name that it has in the menus, if it can be asked for now; tells whether it can.
    pub(crate) fn do_by_name(&mut self, name: &str, ctx: &egui::Context) -> bool {
        let named = NAMED.iter().find(|named| named.name == name);
        let named = named.filter(|named| (named.is_enabled)(&self.session));
        if let Some(named) = named {
            self.do_named(named.what.clone(), ctx);
        }
        named.is_some()
    }

    /// Notes from now on what each frame is spent on.
    pub(crate) fn note_doings(&mut self) {
        self.doings.begin();
    }

    /// What was done since the last call, and how long the processor worked on each, the longest first.
    pub(crate) fn take_doings(&mut self) -> Vec<(String, Duration)> {
        self.doings.take()
    }

    fn apply(&mut self, input: Input) {
        let start = self.doings.start();
        let words = start.map(|_| match &input {
            Input::Action(action) => shortened(&format!("{action:?}")),
            Input::Answer(slot, _) => format!("answer {slot:?}"),
            Input::Crash(slot, _) => format!("crash {slot:?}"),
            Input::Measured { slot, .. } => format!("measured {slot:?}"),
            Input::Tick(_) => "tick".to_owned(),
        });
        self.apply_one(input);
        self.doings.note(start, || words.unwrap_or_default());
    }

    fn apply_one(&mut self, input: Input) {
        if let Input::Action(action) = &input {
            if *action == Action::Shell(ShellAction::CancelWork) {
                self.withdraw(|slot| !slot.is_writing());
            }
            self.remember(action);
            if let Some(panel) = panels::panel_of(action) {
                dock::show(&mut self.tree, panel);
            }
        }
        let jobs = self.session.apply(input);
        if self.session.take_left() {
            self.withdraw(|slot| !slot.outlives_store());
        }
        for Job { slot, question } in jobs {
            match question {
                Question::Watch(store) => {
                    let (rest, seen) = (self.session.at_rest(), self.seen.clone());
                    self.jobs.start(slot, move |work| watch(store, rest.as_ref(), &seen, work));
                }
                // It is being opened already.
                question if self.early.take().is_some_and(|asked| asked.is(&question)) => (),
                question => {
                    self.jobs.start_in_parts(slot, move |work, report| question.run_in_parts(work, report));
                }
            }
        }
    }

    fn withdraw(&mut self, is_meant: impl Fn(Slot) -> bool) {
        let open: Vec<Slot> = self.jobs.open_questions().map(|(slot, _)| slot).collect();
        for slot in open.into_iter().filter(|slot| is_meant(*slot)) {
            self.jobs.cancel(slot);
        }
    }

    fn remember(&mut self, action: &Action) {
        self.recent_actions.push_back(shortened(&format!("{action:?}")));
        if self.recent_actions.len() > REMEMBERED_ACTIONS {
            self.recent_actions.pop_front();
        }
    }

    /// The window stays until what is being written is whole.
    fn answer_closing(&mut self, ctx: &egui::Context) {
        let is_asked = ctx.input(|input| input.viewport().close_requested());
        let writing = self.jobs.open_questions().filter(|(slot, _)| slot.is_writing()).count();
        let Some(command) = self.closing.answer(is_asked, writing) else { return };
        if command == ViewportCommand::CancelClose {
            self.session.say_closing_waits();
        }
        ctx.send_viewport_cmd(command);
    }

    fn take_answers(&mut self) {
        for Finished { slot, outcome, steps, time, .. } in self.jobs.take_finished() {
            let input = match outcome {
                Outcome::Part(answer) => Input::Answer(slot, answer),
                Outcome::Done(answer) => {
                    // Known before what is found, so that what is shown then tells of it.
                    self.apply(Input::Measured { slot, steps, time });
                    Input::Answer(slot, answer)
                }
                Outcome::Crashed(text) => Input::Crash(slot, text),
            };
            self.apply(input);
        }
    }

    fn apply_actions(&mut self) {
        for action in std::mem::take(&mut self.actions) {
            self.apply(Input::Action(action));
        }
    }

    fn take_picked_file(&mut self) {
        let Some(picked) = self.file_dialog.as_ref().and_then(FileDialog::picked) else { return };
        let Some(FileDialog { purpose, .. }) = self.file_dialog.take() else { return };
        match (picked, purpose) {
            (Picked::File(path), purpose) => {
                // The system's dialog asks whether a file is to be replaced.
                self.apply(Input::Action(dialogs::use_file(path, &purpose, Existing::Replaced)));
            }
            (Picked::NoDialog, purpose) => self.ask_for_path(purpose),
            (Picked::Nothing, _) => (),
        }
    }

    fn tick(&mut self, ctx: &egui::Context) {
        const EVERY: Duration = Duration::from_millis(50);
        let elapsed = self.last_tick.elapsed();
        if !self.session.has_store() && self.session.view().notices.is_empty() {
            return;
        }
        if elapsed >= EVERY {
            self.last_tick = Instant::now();
            self.apply(Input::Tick(elapsed));
        }
        let is_watched = self.jobs.open_questions().any(|(slot, _)| slot == Slot::Watch);
        if is_watched && self.session.is_at_rest() {
            // Whoever watches the store wakes the window when there is something new.
            return;
        }
        // Playing moves at each frame; otherwise a look now and then is enough, and idle is idle.
        let again = if self.session.view().timeline.is_playing { EVERY } else { Duration::from_millis(500) };
        ctx.request_repaint_after(again);
    }

    fn do_window_action(&mut self, action: WindowAction, ctx: &egui::Context) {
        match action {
            WindowAction::OpenDialog => {
                self.ask_for_file(Purpose::Store, self.store_folder());
            }
            WindowAction::Reducer => dock::show(&mut self.tree, Panel::Reducer),
            WindowAction::Projections => dock::show(&mut self.tree, Panel::Projections),
            WindowAction::ExportModel => {
                dock::show(&mut self.tree, Panel::Projections);
                self.dialog = Some(Dialog::ChooseFormat);
            }
            WindowAction::ExportAs(format) => self.ask_for_projection_file(FileWish::Export(format)),
            WindowAction::AddDefinition => self.ask_for_projection_file(FileWish::Definition),
            WindowAction::UseReducer => self.ask_for_reducer(self.session.view().scripts.shown.clone()),
            WindowAction::GoTo => self.dialog = Some(Dialog::GoTo { text: String::new() }),
            WindowAction::Find => {
                dock::show(&mut self.tree, Panel::State);
                self.local.find_wanted = true;
            }
            WindowAction::SearchPayloads => {
                dock::show(&mut self.tree, Panel::Search);
                self.local.payloads.takes_keyboard = true;
            }
            WindowAction::Palette => self.dialog = Some(Dialog::Palette { text: String::new(), chosen: 0 }),
            WindowAction::Shortcuts => self.dialog = Some(Dialog::Shortcuts),
            WindowAction::DebugPanel => self.local.shows_debug = !self.local.shows_debug,
            WindowAction::CopyEvent => {
                if let Some(event) = &self.session.view().event {
                    ctx.copy_text(event.to_json().to_pretty());
                }
            }
            WindowAction::CopyState => {
                if let Some(state) = &self.session.view().state.state {
                    ctx.copy_text(state.to_pretty());
                }
            }
            WindowAction::Why => {
                dock::show(&mut self.tree, Panel::Why);
                if let Some(path) = self.local.state.selected() {
                    self.actions.push(Action::Blame(BlameAction::Ask(path.clone())));
                }
            }
            WindowAction::Info => dock::show(&mut self.tree, Panel::Info),
            WindowAction::ResetPanels => self.tree = dock::default_tree(),
            WindowAction::Settings => {
                self.dialog = Some(Dialog::Settings(SettingsLocal::default()));
                self.actions.push(Action::Settings(SettingsAction::Look));
            }
            WindowAction::About => self.dialog = Some(Dialog::About),
            WindowAction::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    fn ask_for_file(&mut self, purpose: Purpose, folder: Option<PathBuf>) {
        match FileDialog::open(purpose.clone(), folder, &self.wake) {
            Ok(dialog) => self.file_dialog = Some(dialog),
            Err(_) => self.ask_for_path(purpose),
        }
    }

    fn ask_for_reducer(&mut self, category: Option<Arc<str>>) {
        let Some(category) = category else { return };
        dock::show(&mut self.tree, Panel::Reducer);
        self.ask_for_file(Purpose::Reducer(category), self.store_folder());
    }

    fn ask_for_projection_file(&mut self, wish: FileWish) {
        let purpose = match wish {
            FileWish::Definition => Purpose::Definition,
            FileWish::Export(format) => {
                let model = self.session.view().projections.model.as_ref();
                let name = model.map_or("read-model", |model| &model.table);
                Purpose::Export(format, format!("{name}.{}", format.ending()))
            }
        };
        dock::show(&mut self.tree, Panel::Projections);
        self.ask_for_file(purpose, self.store_folder());
    }

    /// The folder of the store that is open.
    fn store_folder(&self) -> Option<PathBuf> {
        self.session.workspace().recent.first().and_then(|path| path.parent()).map(PathBuf::from)
    }

    /// Where the system has no file dialog, a path can be typed.
    fn ask_for_path(&mut self, purpose: Purpose) {
        let text = match &purpose {
            Purpose::Export(_, name) => {
                let folder = self.store_folder().unwrap_or_default();
                folder.join(name).display().to_string()
            }
            Purpose::Store | Purpose::Reducer(_) | Purpose::Definition => String::new(),
        };
        self.dialog = Some(Dialog::TypePath { text, purpose });
    }

    fn take_dropped_files(&mut self, ctx: &egui::Context) {
        let dropped = ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        let Some(path) = dropped else { return };
        let is_script = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("js"));
        let category = self.session.view().scripts.shown.clone().filter(|_| is_script);
        let is_sql = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        let is_definition = is_sql && self.session.has_store();
        self.actions.push(match category {
            Some(category) => {
                dock::show(&mut self.tree, Panel::Reducer);
                Action::Scripts(ScriptAction::Use(category, path))
            }
            None if is_definition => {
                dock::show(&mut self.tree, Panel::Projections);
                Action::Projections(ProjectionAction::Add(path))
            }
            None => Action::Shell(ShellAction::Open(path)),
        });
    }

    fn do_named(&mut self, what: What, ctx: &egui::Context) {
        match what {
            What::Session(action) => self.actions.push(action),
            What::Window(action) => self.do_window_action(action, ctx),
        }
    }

    /// What the panels asked for beside the actions that they pushed.
    fn take_local_wishes(&mut self) {
        self.actions.append(&mut self.local.actions);
        let wanted = self.local.scripts.wants_file.take();
        self.ask_for_reducer(wanted);
        if let Some(wish) = self.local.projections.wish.take() {
            self.ask_for_projection_file(wish);
        }
        if let Some(panel) = self.local.show_panel.take() {
            dock::show(&mut self.tree, panel);
        }
    }

    fn status_ui(&mut self, ui: &mut egui::Ui) {
        let long_work = self.long_work();
        if panels::status::status_ui(ui, self.session.view(), &long_work, &mut self.actions) {
            dock::show(&mut self.tree, Panel::Info);
        }
    }

    /// What lies over the screen: the mapping dialog, notices, the debug panel.
    fn overlays_ui(&mut self, ctx: &egui::Context) {
        if let Some(mapping) = self.session.view().mapping.clone() {
            panels::mapping::mapping_ui(ctx, &mapping, &mut self.actions);
        }
        if let Some(publish) = self.session.view().publish.clone() {
            panels::publish::publish_ui(ctx, &publish, &self.local.publish, &mut self.actions);
        }
        panels::notices::notices_ui(ctx, &self.session.view().notices, &mut self.actions);
        if self.local.shows_debug {
            let open: Vec<_> = self.jobs.open_questions().collect();
            debug_panel::debug_ui(ctx, &self.frames, &open, &self.recent_actions, &self.session);
        }
        panels::welcome::drop_hint_ui(ctx);
    }

    fn panels_ui(&mut self, ui: &mut egui::Ui) {
        let Self { session, tree, local, actions, doings, .. } = self;
        let view = session.view();
        let mut draw = |ui: &mut egui::Ui, panel: Panel| {
            let start = doings.start();
            panels::panel_ui(ui, panel, view, local, actions);
            doings.note(start, || format!("panel {}", panel.title()));
        };
        tree.ui(&mut Docked { draw: &mut draw }, ui);
    }

    fn screen_ui(&mut self, ui: &mut egui::Ui) {
        let screen = self.session.view().screen.clone();
        match screen {
            Screen::Welcome => {
                let wants = panels::welcome::welcome_ui(ui, self.session.view(), &mut self.actions);
                if let Some(action) = wants {
                    self.do_window_action(action, ui.ctx());
                }
            }
            Screen::Opening(path) => panels::welcome::opening_ui(ui, &path, &mut self.actions),
            Screen::NoEvents(found) => panels::no_events::no_events_ui(ui, &found, &mut self.actions),
            Screen::Store => {
                let timeline = egui::Panel::bottom("timeline").resizable(true).default_size(118.0);
                let start = self.doings.start();
                timeline.show(ui, |ui| {
                    let Self { session, local, actions, .. } = self;
                    panels::timeline::timeline_ui(ui, &session.view().timeline, &mut local.timeline, actions);
                });
                self.doings.note(start, || "timeline".to_owned());
                egui::CentralPanel::no_frame().show(ui, |ui| self.panels_ui(ui));
            }
        }
    }

    /// Progress of work that takes long: what, how far, and a way to stop it.
    fn long_work(&mut self) -> Vec<(Slot, Pace)> {
        let open = self.jobs.open_questions().filter(|(slot, _)| !slot.is_look());
        let open = self.paces.note(open, Instant::now());
        let of_rebuild = |(slot, pace): &(Slot, Pace)| match slot {
            Slot::Rebuild(number) => Some((*number, *pace)),
            _ => None,
        };
        self.local.projections.paces = open.iter().filter_map(of_rebuild).collect();
        if open.is_empty() {
            self.busy_since = None;
            return open;
        }
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= SHOWN_AFTER { open } else { Vec::new() }
    }
}

/// As much of a text as somebody reads.
fn shortened(text: &str) -> String {
    text.chars().take(REMEMBERED_LETTERS).collect()
}

fn choose_theme(ctx: &egui::Context, theme: Theme) {
    let wanted = match theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Light => egui::ThemePreference::Light,
        Theme::Dark => egui::ThemePreference::Dark,
    };
    if ctx.options(|options| options.theme_preference) != wanted {
        ctx.set_theme(wanted);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.take_answers();
        self.take_picked_file();
        self.apply_actions();
        let looking = self.doings.start();
        self.tick(ctx);
        self.doings.note(looking, || "looking whether to rest".to_owned());
        let view = self.session.view();
        choose_theme(ctx, view.theme);
        if view.title != self.title {
            self.title.clone_from(&view.title);
            ctx.send_viewport_cmd(ViewportCommand::Title(self.title.clone()));
        }
        self.answer_closing(ctx);
        if self.has_work() {
            // Progress moves at ten times a second; answers wake the window by themselves.
            ctx.request_repaint_after(Duration::from_millis(100));
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let start = Instant::now();
        let ctx = ui.ctx().clone();
        self.take_dropped_files(&ctx);
        let has_dialog = self.dialog.is_some();
        let frame = self.doings.start();
        let mut wanted = menus::shortcuts(&ctx, &self.session, has_dialog, Turn::BeforePanels);
        egui::Panel::top("menu").show(ui, |ui| wanted.extend(menus::menu_bar_ui(ui, &self.session)));
        if self.session.has_store() {
            egui::Panel::bottom("status").show(ui, |ui| self.status_ui(ui));
        }
        self.doings.note(frame, || "menu and status".to_owned());
        let ground = egui::Frame::NONE.fill(theme::Palette::of(ui).window);
        egui::CentralPanel::default().frame(ground).show(ui, |ui| self.screen_ui(ui));
        wanted.extend(menus::shortcuts(&ctx, &self.session, has_dialog, Turn::AfterPanels));
        let dialogs = self.doings.start();
        wanted.extend(dialogs::dialog_ui(&ctx, &mut self.dialog, &self.session, &mut self.actions));
        self.overlays_ui(&ctx);
        self.doings.note(dialogs, || "dialogs and notices".to_owned());
        for what in wanted {
            self.do_named(what, &ctx);
        }
        self.take_local_wishes();
        if !self.actions.is_empty() {
            // They are applied before the next frame.
            ctx.request_repaint();
        }
        self.frames.push(start.elapsed());
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        for job in self.session.parting_jobs() {
            // Nobody is left to tell how it went.
            job.question.run(&Work::default()).ok();
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        if let Ok(text) = serde_json::to_string(self.session.workspace()) {
            storage.set_string(WORKSPACE, text);
        }
        if let Ok(text) = serde_json::to_string(&self.tree) {
            storage.set_string(PANELS, text);
        }
    }
}
