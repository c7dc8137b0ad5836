//! The fonts that the window uses, and how they fall back.
//!
//! The shipped ones cover Latin, Greek and Cyrillic. A character that they lack (Chinese, Arabic, an emoji) is
//! looked for among the fonts of the system.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

/// The font family of headings and of what is chosen.
pub const STRONG: &str = "strong";

/// Installs the shipped fonts as `Proportional`, `Monospace` and the family named [`STRONG`].
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(definitions());
}

fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let faces: [(&str, &'static [u8]); 3] = [
        ("Inter", include_bytes!("../../assets/fonts/Inter-Regular.ttf")),
        ("Inter SemiBold", include_bytes!("../../assets/fonts/Inter-SemiBold.ttf")),
        ("JetBrains Mono", include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")),
    ];
    for (name, bytes) in faces {
        let data = FontData::from_static(bytes);
        fonts.font_data.insert(name.to_owned(), Arc::new(data));
    }
    let chain = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    fonts.families.insert(FontFamily::Proportional, chain(&["Inter", "JetBrains Mono"]));
    fonts.families.insert(FontFamily::Monospace, chain(&["JetBrains Mono", "Inter"]));
    fonts.families.insert(FontFamily::Name(STRONG.into()), chain(&["Inter SemiBold", "JetBrains Mono"]));
    fonts
}
