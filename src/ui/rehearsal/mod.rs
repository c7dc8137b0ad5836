//! A session in the real window, played from a table of steps, with our own work measured in every frame.
//!
//! Input goes in where the window library hands over what it got from the system, so everything behind that
//! is what a user's hand would set off. What is kept between runs is neither read nor written; what the session
//! keeps about the store goes into a folder of its own, with what the user keeps about it copied there.

mod asks;
mod report;
mod steps;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use egui::{Event, RawInput, Rect, ViewportCommand};

use crossbeam_channel::Receiver;

use crate::{
    jobs::{Wake, ask_aside},
    project::{ProjectError, ProjectFile, Sections, keep, save_layout_to},
    session::action::{Action, BrowseAction, ShellAction},
    ui::{
        App, Start, WindowError,
        dock::Panel,
        doings::{waited_by_thread, worked_by_process, worked_by_thread},
        early::Early,
        system_fonts::SystemFonts,
    },
    work::Work,
};

use asks::{Ask, How};
use report::{Frame, Slowest};
use steps::{Deed, Hold, STEPS, Step};

pub use report::{FrameLine, FrameReport, SlowFrame, Undelayed};

/// The part of the time of rest that work which is still open has to come to its end.
const PATIENCE: f32 = 0.3;

/// Until this part of the time of rest a frame begins the rest anew.
const STILL: f32 = 0.5;

/// Between two frames while something is done.
const PACE: Duration = Duration::from_millis(16);

/// So long after its last frame the program is at rest: what that frame left to the display is drawn.
const SETTLES: Duration = Duration::from_millis(400);

/// What is typed into the filter of the streams, a letter at a time.
const TYPED: &str = "device-1*7";

/// Opens a store in the window, plays the session over so many seconds, and closes the window.
///
/// # Errors
///
/// If there can be no window.
pub fn rehearse(store: PathBuf, project: Option<&Path>, lasts: Duration) -> Result<FrameReport, WindowError> {
    let told = Arc::new(Mutex::new(FrameReport::default()));
    let folder = tempfile::tempdir().map_err(|error| eframe::Error::AppCreation(Box::new(error)))?;
    let mut options = crate::ui::options()?;
    options.persistence_path = Some(folder.path().join("window.ron"));
    options.persist_window = false;
    let teller = Arc::clone(&told);
    let own_project = borrowed_project(&store, project, folder.path())
        .map_err(|error| eframe::Error::AppCreation(Box::new(error)))?;
    fs::write(folder.path().join(asks::DEFINITION), asks::DEFINITION_TEXT)?;
    let own_folder = folder.path().to_owned();
    let start = Start { store: Some(store), project: Some(own_project), ..Start::default() };
    let fonts = SystemFonts::begin()?;
    let early = Early::begin(start)?;
    let make = move |context: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        let created = Instant::now();
        fonts.install(&context.egui_ctx);
        let mut app = App::begun(context, early);
        app.note_doings();
        let app = app.with_first_rows();
        Ok(Box::new(Rehearsal { folder: own_folder, ..Rehearsal::new(app, created, lasts, teller) }))
    };
    eframe::run_native("timeglass", options, Box::new(make))?;
    let report = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(report)
}

/// A project file in `folder` that says what the user's own says, so that the session can keep what it does.
fn borrowed_project(store: &Path, project: Option<&Path>, folder: &Path) -> Result<PathBuf, ProjectError> {
    let own = folder.join(crate::project::FILE_NAME);
    let unwritable = |source| ProjectError::Unwritable { path: own.clone(), source };
    fs::write(&own, "").map_err(unwritable)?;
    let Some(theirs) = ProjectFile::find(store, project)? else { return Ok(own) };
    let beside = theirs.path().parent().unwrap_or_else(|| Path::new("."));
    let beside = std::path::absolute(beside).map_err(unwritable)?;
    let mut sections = theirs.sections().clone();
    sections.reducers.values_mut().for_each(|file| *file = beside.join(&*file));
    sections.projections.iter_mut().for_each(|entry| entry.file = beside.join(&entry.file));
    if let Some(layout) = theirs.layout_choice() {
        save_layout_to(&own, layout)?;
    }
    keep(store, Some(&own), &Sections::default(), &sections)
}

/// A time, and how long the processor had worked by then.
type Moment = (Instant, Option<Duration>);

/// The window's application, with somebody at the controls who never tires.
struct Rehearsal {
    app: App,
    /// The session's own folder.
    folder: PathBuf,
    created: Instant,
    lasts: Duration,
    /// Our own work since the last frame was drawn.
    own: Duration,
    worked: Option<Duration>,
    waited: Option<Duration>,
    frames: Vec<Frame>,
    slowest: Slowest,
    /// The step that is played, and how many of its parts were done.
    playing: (usize, usize),
    /// How much was asked, and what could not be.
    asked: (usize, Vec<&'static str>),
    is_held: bool,
    first_rows: Option<Duration>,
    index: Option<Duration>,
    /// Tells when resting began, and the processor's time then.
    rest: Option<Receiver<Moment>>,
    idle: Option<f64>,
    teller: Arc<Mutex<FrameReport>>,
}

impl Rehearsal {
    fn new(app: App, created: Instant, lasts: Duration, teller: Arc<Mutex<FrameReport>>) -> Self {
        Self {
            app,
            folder: PathBuf::new(),
            created,
            lasts,
            own: Duration::ZERO,
            worked: None,
            waited: None,
            frames: Vec::new(),
            slowest: Slowest::default(),
            playing: (0, 0),
            asked: (0, Vec::new()),
            is_held: false,
            first_rows: None,
            index: None,
            rest: None,
            idle: None,
            teller,
        }
    }

    fn now(&self) -> Option<(usize, &'static Step, f32)> {
        steps::at(self.created.elapsed().as_secs_f32() / self.lasts.as_secs_f32())
    }

    /// What comes from the hand for this frame.
    fn play(&mut self, ctx: &egui::Context) -> Vec<Event> {
        let Some((number, step, progress)) = self.now() else { return Vec::new() };
        if number != self.playing.0 {
            self.playing = (number, 0);
            if std::mem::take(&mut self.is_held) {
                return steps::drag(ctx.content_rect().center(), Hold::End);
            }
        }
        let rect_of = |panel| self.app.panel_rect(panel).unwrap_or(Rect::ZERO);
        match step.deed {
            Deed::Scroll(panel) => steps::wheel(rect_of(panel), progress < 0.7),
            Deed::PullBar(panel) => {
                let to = steps::on_bar(rect_of(panel), steps::there_and_back(progress));
                steps::drag(to, self.hold())
            }
            Deed::DragTimeline => {
                let to = steps::on_timeline(ctx.content_rect(), steps::there_and_back(progress));
                steps::drag(to, self.hold())
            }
            Deed::Resize => {
                ctx.send_viewport_cmd(ViewportCommand::InnerSize(steps::size(progress)));
                Vec::new()
            }
            Deed::ChooseLongest | Deed::FilterTypes | Deed::FilterStreams => {
                self.browse(step.deed, progress);
                Vec::new()
            }
            Deed::ShowPanels => {
                if let Some(panel) = self.next_of(&Panel::ALL, progress) {
                    self.app.show_panel(*panel);
                }
                Vec::new()
            }
            Deed::Named(names) => {
                if let Some(name) = self.next_of(names, progress) {
                    self.app.do_by_name(name, ctx);
                }
                Vec::new()
            }
            Deed::Ask(asks) => self.ask(asks, progress, ctx),
            Deed::Rest => {
                // What is still open, such as the index on a slow machine, is no rest.
                // Notices that go by themselves would have the window drawn until they are gone.
                let notices: Vec<u64> =
                    self.app.session().view().notices.iter().map(|notice| notice.id).collect();
                let is_quiet = notices.is_empty();
                for id in notices {
                    self.app.ask(Action::Shell(ShellAction::Dismiss(id)));
                }
                // What moves to its place at the end of work is no rest either; a window that is drawn on and on is.
                let may_begin = self.rest.is_none() || progress < STILL;
                if is_quiet && self.app.is_idle() && may_begin {
                    self.rest = settled();
                }
                // Work that goes on and on is cancelled, so that there is some rest to measure; looks are part of it.
                if progress > PATIENCE && self.app.has_work() {
                    self.app.ask(Action::Shell(ShellAction::CancelWork));
                }
                Vec::new()
            }
        }
    }

    /// The next of a list, when its turn has come.
    fn next_of<'t, T>(&mut self, list: &'t [T], progress: f32) -> Option<&'t T> {
        let due = (progress * list.len() as f32) as usize;
        let next = list.get(self.playing.1).filter(|_| self.playing.1 <= due)?;
        self.playing.1 += 1;
        Some(next)
    }

    /// Asks the next of a list when its turn has come; what cannot be asked yet has some turns more.
    fn ask(&mut self, asks: &[Ask], progress: f32, ctx: &egui::Context) -> Vec<Event> {
        const PATIENCE: usize = 6;
        let due = (progress * asks.len() as f32) as usize;
        let Some(ask) = asks.get(self.playing.1).filter(|_| self.playing.1 <= due) else { return Vec::new() };
        self.app.show_panel(ask.panel);
        let (is_asked, events) = match ask.how {
            How::Named(name) => (self.app.do_by_name(name, ctx), Vec::new()),
            How::Key(key) => (true, steps::press(key)),
            How::Made(make) => {
                let action = make(self.app.session(), &self.folder);
                let is_asked = action.is_some();
                if let Some(action) = action {
                    self.app.ask(action);
                }
                (is_asked, Vec::new())
            }
        };
        if is_asked || due > self.playing.1 + PATIENCE {
            self.playing.1 += 1;
            self.asked.0 += usize::from(is_asked);
            self.asked.1.extend((!is_asked).then_some(ask.words));
        }
        events
    }

    fn browse(&mut self, deed: Deed, progress: f32) {
        let view = self.app.session().view();
        let action = match deed {
            Deed::ChooseLongest => {
                let index = view.streams.index.clone().filter(|_| self.playing.1 == 0);
                let longest = index.and_then(|index| {
                    let streams = (0_u32..).zip(index.streams().iter());
                    streams.max_by_key(|(_, info)| info.events).map(|(stream, _)| stream)
                });
                longest.map(BrowseAction::ChooseStream)
            }
            Deed::FilterTypes => {
                let mut types: Vec<_> = view.events.types.iter().map(|info| Arc::clone(&info.name)).collect();
                types.truncate(8);
                let name = self.next_of(&types, progress).cloned();
                name.map(BrowseAction::OnlyType)
            }
            _ => {
                let steps: Vec<usize> = (1..=TYPED.len()).chain((0..TYPED.len()).rev()).collect();
                let len = self.next_of(&steps, progress).copied();
                len.map(|len| BrowseAction::FilterStreams(TYPED.chars().take(len).collect()))
            }
        };
        if let Some(action) = action {
            if deed == Deed::ChooseLongest {
                self.playing.1 = 1;
            }
            self.app.ask(Action::Browse(action));
        }
    }

    /// Lets our own code run, and adds up what it takes.
    fn measured(&mut self, run: impl FnOnce(&mut App)) {
        let start = Instant::now();
        let (worked, waited) = (worked_by_thread(), waited_by_thread());
        run(&mut self.app);
        self.worked = added(self.worked, worked, worked_by_thread());
        self.waited = added(self.waited, waited, waited_by_thread());
        self.own += start.elapsed();
    }

    fn note_frame(&mut self, frame: &eframe::Frame) {
        let step = self.now().map_or(STEPS.len(), |(number, ..)| number);
        let before_in_all = frame.info().cpu_usage.map(Duration::from_secs_f32);
        let (own, worked, waited) = (std::mem::take(&mut self.own), self.worked.take(), self.waited.take());
        let frame = Frame { step, own, worked, waited, before_in_all };
        self.slowest.note(frame, self.created.elapsed(), self.app.take_doings());
        self.frames.push(frame);
        let view = self.app.session().view();
        if self.first_rows.is_none() && view.events.total > 0 && !view.events.loaded.is_empty() {
            self.first_rows = Some(self.created.elapsed());
        }
        if self.index.is_none() && self.app.is_indexed() {
            self.index = Some(self.created.elapsed());
        }
    }

    /// Presses the button, or keeps it pressed.
    fn hold(&mut self) -> Hold {
        if std::mem::replace(&mut self.is_held, true) { Hold::Keep } else { Hold::Begin }
    }

    /// How much of a processor was used since resting began.
    fn idle(&self) -> Option<f64> {
        let (since, before) = self.rest.as_ref()?.try_recv().ok()?;
        let used = worked_by_process()?.saturating_sub(before?);
        Some(used.as_secs_f64() / since.elapsed().as_secs_f64())
    }

    /// Tells what was found, and closes the window.
    fn end(&self, ctx: &egui::Context) {
        let mut report = FrameReport::of(&self.frames, STEPS.iter().map(|step| step.name));
        report.lasted = self.created.elapsed();
        (report.first_rows, report.index) = (self.first_rows, self.index);
        report.idle = self.idle;
        report.asked = self.asked.clone();
        report.slowest = self.slowest.told(STEPS.iter().map(|step| step.name));
        report.resident = resident();
        *self.teller.lock().unwrap_or_else(PoisonError::into_inner) = report;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }
}

impl eframe::App for Rehearsal {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.measured(|app| app.logic(ctx, frame));
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.measured(|app| app.ui(ui, frame));
        self.note_frame(frame);
        let ctx = ui.ctx();
        match self.now() {
            None => self.end(ctx),
            Some((_, step, _)) if step.deed == Deed::Rest && self.rest.is_none() => {
                ctx.request_repaint_after(PACE);
            }
            // Somebody has to wake up when the rest is over.
            Some((_, step, progress)) if step.deed == Deed::Rest => {
                let left = self.lasts.mul_f32(step.share * (1.0 - progress));
                ctx.request_repaint_after(left + PACE);
            }
            Some(_) => ctx.request_repaint_after(PACE),
        }
    }

    fn raw_input_hook(&mut self, ctx: &egui::Context, input: &mut RawInput) {
        // A real pointer that lies over the window would play along.
        input.events.retain(|event| {
            !matches!(event, Event::PointerMoved(_) | Event::PointerGone | Event::PointerButton { .. })
        });
        input.focused = true;
        if self.now().is_none() && self.idle.is_none() {
            self.idle = self.idle();
        }
        let events = self.play(ctx);
        input.events.extend(events);
    }

    fn on_exit(&mut self, gl: Option<&eframe::glow::Context>) {
        self.app.on_exit(gl);
    }
}

/// Tells the time once the program is at rest.
fn settled() -> Option<Receiver<Moment>> {
    let nobody: Wake = Arc::new(|| ());
    let question = || {
        // Nobody withdraws it.
        Work::default().wait(SETTLES).ok();
        (Instant::now(), worked_by_process())
    };
    ask_aside("rest", &nobody, question).ok()
}

/// A sum with what passed since `before`; nothing where the system does not tell.
fn added(sum: Option<Duration>, before: Option<Duration>, after: Option<Duration>) -> Option<Duration> {
    Some(sum.unwrap_or_default() + after?.saturating_sub(before?))
}

/// How much memory this process has now, in bytes (Linux).
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
