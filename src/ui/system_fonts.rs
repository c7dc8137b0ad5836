//! Fonts of the system, for what the shipped ones lack: Chinese, Arabic, an emoji.
//!
//! Which there are is found out on a thread of its own that begins before there is a window, since it takes as
//! long as several frames. Until that is known such a character is drawn as a box; then all is laid out anew.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use egui::{
    FontFamily,
    epaint::text::{FallbackRequest, FontInsert, FontProvider},
};
use egui_system_font_provider::SystemFontProvider;

use crate::jobs::{Wake, ask_aside};

/// One character of each of the scripts that data is likely to hold: fonts for them are looked for before
/// somebody needs them. The first of them takes the most.
const LIKELY: &str = "🎁抹り세أאกअ☕→";

/// The fonts of the system, as soon as they are known.
#[derive(Clone, Default)]
pub(super) struct SystemFonts(Arc<Known>);

#[derive(Default)]
struct Known {
    source: OnceLock<Box<dyn FontProvider>>,
    waiting: Mutex<Waiting>,
}

/// Who is to be told when the fonts are known.
#[derive(Default)]
struct Waiting {
    window: Option<egui::Context>,
    /// Whether a character was looked for in vain.
    is_owed: bool,
}

impl SystemFonts {
    /// Begins to find out which there are.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub(super) fn begin() -> std::io::Result<Self> {
        let fonts = Self::default();
        let known = fonts.clone();
        let wake: Wake = Arc::new(|| ());
        ask_aside("system fonts", &wake, move || known.take(Box::new(SystemFontProvider::new())))?;
        Ok(fonts)
    }

    /// Has a window look here for what its own fonts lack.
    pub(super) fn install(&self, window: &egui::Context) {
        self.waiting(|waiting| waiting.window = Some(window.clone()));
        window.add_font_provider(Arc::new(self.clone()));
    }

    /// The fonts are known, once the first questions are answered.
    fn take(&self, source: Box<dyn FontProvider>) {
        for family in [FontFamily::Proportional, FontFamily::Monospace] {
            for character in LIKELY.chars() {
                drop(source.font_for(&FallbackRequest { cluster: &character.to_string(), family: &family }));
            }
        }
        let owed = self.waiting(|waiting| {
            self.0.source.get_or_init(|| source);
            waiting.window.take().filter(|_| waiting.is_owed)
        });
        if let Some(window) = owed {
            window.set_font_providers(vec![Arc::new(self.clone())]);
        }
    }

    fn waiting<T>(&self, use_it: impl FnOnce(&mut Waiting) -> T) -> T {
        use_it(&mut self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl FontProvider for SystemFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let known = || self.0.source.get().map(|source| source.font_for(request));
        let found = known().or_else(|| {
            self.waiting(|waiting| {
                waiting.is_owed |= self.0.source.get().is_none();
            });
            known()
        });
        found.flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use egui::{
        FontFamily, FontId,
        epaint::text::{FallbackRequest, FontData, FontInsert},
    };

    use super::SystemFonts;
    use crate::ui::fonts;

    /// Draws a text and tells whether there was a font for it.
    fn has_font(window: &egui::Context, text: char) -> bool {
        let mut has_font = false;
        let mut drawn = window.run_ui(egui::RawInput::default(), |ui| {
            ui.label(text.to_string());
            has_font = ui.fonts_mut(|fonts| fonts.has_glyph(&FontId::proportional(13.0), text));
        });
        drawn.textures_delta.clear();
        has_font
    }

    /// A window with the shipped fonts, and what is looked for among those of the system.
    fn window(fonts: &SystemFonts) -> egui::Context {
        let window = egui::Context::default();
        window.set_missing_glyph_policy(egui::MissingGlyphPolicy::default());
        fonts::install(&window);
        fonts.install(&window);
        window
    }

    #[test]
    fn a_frame_does_not_wait_for_them_and_is_drawn_anew_when_they_are_known() {
        // Of the symbols that the shipped fonts share with no other of ours.
        const LACKING: char = '\u{16b15}';
        let system = SystemFonts::default();
        let window = window(&system);
        assert!(!has_font(&window, LACKING));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        system.take(Box::new(move |request: &FallbackRequest<'_>| -> Option<FontInsert> {
            seen.lock().unwrap().push(request.cluster.to_owned());
            None::<FontData>.map(|data| FontInsert::new("none", data, Vec::new()))
        }));
        assert!(
            asked.lock().unwrap().iter().any(|cluster| cluster == "抹"),
            "looked for before it is needed"
        );
        assert!(window.has_requested_repaint());
        let before = asked.lock().unwrap().len();
        assert!(!has_font(&window, LACKING));
        assert_eq!(asked.lock().unwrap().get(before).map(String::as_str), Some("\u{16b15}"), "asked again");
    }

    #[test]
    fn where_nothing_was_lacking_nothing_is_laid_out_anew() {
        let system = SystemFonts::default();
        let window = window(&system);
        assert!(has_font(&window, 'a'));
        system.take(Box::new(|_: &FallbackRequest<'_>| -> Option<FontInsert> { None }));
        assert!(window.fonts_mut(|fonts| fonts.has_glyph(&FontId::new(13.0, FontFamily::Monospace), 'a')));
        assert!(system.waiting(|waiting| !waiting.is_owed));
    }
}
