//! What a frame of the window costs while a large store is opened, indexed, scrolled and dragged.
//!
//! The whole window without a screen: everything that runs on its thread between two frames is
//! measured, drawing pixels is not. `README.md` beside this file says how to run it.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use eframe::App as _;
use egui::{
    Event, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, TouchPhase,
    Vec2, pos2, vec2,
};
use timeglass::{
    sample::{self, SampleOptions, Shape},
    ui::{App, Start},
    work::Work,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The window's size, in points.
const SIZE: Vec2 = vec2(1440.0, 900.0);

/// Time between two frames.
const PACE: Duration = Duration::from_millis(16);

/// In the middle of the events.
const TABLE: Pos2 = pos2(640.0, 400.0);

/// The height of the timeline's strip.
const STRIP: f32 = 830.0;

struct Window {
    app: App,
    ctx: egui::Context,
    frame: eframe::Frame,
    start: Instant,
    times: Vec<Duration>,
}

impl Window {
    fn open(store: &Path) -> Outcome<Self> {
        let ctx = egui::Context::default();
        let start = Instant::now();
        let what = Start { store: Some(store.to_owned()), ..Start::default() };
        let app = App::new(&eframe::CreationContext::_new_kittest(ctx.clone()), what)?;
        Ok(Self { app, ctx, frame: eframe::Frame::_new_kittest(), start, times: Vec::new() })
    }

    /// One frame with these events, then the rest of its time.
    #[expect(clippy::disallowed_methods, reason = "a screen waits between frames as well")]
    fn frame(&mut self, events: Vec<Event>) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            time: Some(self.start.elapsed().as_secs_f64()),
            focused: true,
            events,
            ..RawInput::default()
        };
        let begun = Instant::now();
        let (app, frame) = (&mut self.app, &mut self.frame);
        drop(self.ctx.run_ui(input, |ui| {
            app.logic(ui.ctx(), frame);
            app.ui(ui, frame);
        }));
        let time = begun.elapsed();
        self.times.push(time);
        thread::sleep(PACE.saturating_sub(time));
    }

    /// Scrolls the events while `goes_on`; a minute at most.
    fn scroll_while(&mut self, goes_on: impl Fn(&App) -> bool) -> Duration {
        let begun = Instant::now();
        while goes_on(&self.app) && begun.elapsed() < Duration::from_mins(1) {
            let wheel = Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, -120.0),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            };
            self.frame(vec![Event::PointerMoved(TABLE), wheel]);
        }
        self.start.elapsed()
    }

    /// Drags the timeline from end to end and back.
    fn drag(&mut self) {
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let at = |step: u16| pos2(100.0 + 6.0 * f32::from(step), STRIP);
        self.frame(vec![Event::PointerMoved(at(0)), button(at(0), true)]);
        for step in (0..200).chain((0..200).rev()) {
            self.frame(vec![Event::PointerMoved(at(step))]);
        }
        self.frame(vec![button(at(0), false)]);
    }

    /// Prints a line about the frames since the last one.
    fn report(&mut self, what: &str) {
        let mut times = std::mem::take(&mut self.times);
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).or_else(|| times.last()).copied();
        let shown = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1000.0;
        println!(
            "| {what} | {} | {:.2} ms | {:.2} ms | {:.2} ms |",
            times.len(),
            shown(at(50)),
            shown(at(99)),
            shown(times.last().copied())
        );
    }
}

fn main() -> Outcome<()> {
    // `cargo test --benches` runs this, too; it asks for no measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let events =
        std::env::var("TIMEGLASS_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let store = generated(events)?;
    let mut window = Window::open(&store)?;
    println!("| Frames | Count | Median | 99 of 100 | Longest |\n|---|---|---|---|---|");
    let rows = window.scroll_while(|app| app.session().view().events.total == 0);
    window.report("until the first rows are there");
    let index = window.scroll_while(|app| app.session().view().streams.index.is_none());
    window.report("scrolling while the index is built");
    let lines = window.scroll_while(|app| app.session().view().streams.lines.is_empty());
    window.report("until the streams are sorted");
    let begun = Instant::now();
    window.scroll_while(|_| begun.elapsed() < Duration::from_secs(3));
    window.report("scrolling all events");
    window.drag();
    window.report("dragging through the whole store");
    println!(
        "\nFrom the start to the first rows {} ms, to the complete index {} ms, to the sorted streams {} ms",
        rows.as_millis(),
        index.as_millis(),
        lines.as_millis()
    );
    Ok(())
}

/// The sample store of this size, made once and kept among the build's files.
fn generated(events: u64) -> Outcome<PathBuf> {
    let folder = PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("frames-{events}.sqlite"));
    if !path.exists() {
        sample::write(&path, &SampleOptions { events, ..SampleOptions::of(Shape::Mixed) }, &Work::default())?;
    }
    Ok(path)
}
