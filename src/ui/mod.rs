//! The window. Only here is egui named.

pub mod app;
mod closing;
mod debug_panel;
mod dialogs;
pub mod dock;
mod doings;
mod early;
mod file_dialog;
pub mod fonts;
pub mod keys;
mod menus;
pub mod pace;
pub mod panels;
pub mod rehearsal;
pub mod requirements;
mod settings;
mod system_fonts;
pub mod theme;
mod watch;
pub mod widgets;

pub use app::{App, Start};
pub use rehearsal::rehearse;
pub use requirements::NoWindow;

use system_fonts::SystemFonts;

/// Why the window ended before it was closed.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// It could not be opened.
    #[error(transparent)]
    NoWindow(#[from] NoWindow),
    /// The operating system refused a thread.
    #[error("no thread could be started: {0}")]
    NoThread(#[from] std::io::Error),
    /// The window library failed.
    #[error("the window could not be opened: {0}\nAsk without a window: timeglass info FILE")]
    Failed(#[from] eframe::Error),
}

/// Opens the window and returns when it is closed.
pub fn run(start: Start) -> Result<(), WindowError> {
    let options = options()?;
    let fonts = SystemFonts::begin()?;
    let early = early::Early::begin(start)?;
    let make = Box::new(move |context: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
        fonts.install(&context.egui_ctx);
        Ok(Box::new(App::begun(context, early).with_first_rows()))
    });
    eframe::run_native("timeglass", options, make)?;
    Ok(())
}

/// What the window is made with, where there can be one.
fn options() -> Result<eframe::NativeOptions, NoWindow> {
    requirements::check()?;
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).unwrap_or_default();
    let viewport = egui::ViewportBuilder::default()
        .with_app_id("timeglass")
        .with_title("Timeglass")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([640.0, 400.0])
        .with_drag_and_drop(true)
        .with_icon(icon);
    // Looked for by ourselves, so that no frame waits for it.
    let system_font_fallback = false;
    Ok(eframe::NativeOptions { viewport, system_font_fallback, ..eframe::NativeOptions::default() })
}
