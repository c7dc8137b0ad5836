//! Colours, spacing and type sizes of the window: one table for the light and the dark theme.
//!
//! No other file makes a colour. What a colour says is always said by a sign or a word as well.

use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Theme, Visuals,
    epaint::FontColorTransferFunction, vec2,
};

use crate::ui::fonts::STRONG;

/// Between things that belong together, in points.
pub const GAP: f32 = 4.0;
/// Between groups, in points.
pub const GROUP: f32 = 8.0;
/// Around the content of a panel, in points.
pub const PANEL: f32 = 12.0;
/// The height of a row of a table or tree, in points.
pub const ROW: f32 = 22.0;
/// The height of a table's header, in points.
pub const HEADER: f32 = 26.0;
/// The rounding of buttons and fields, in points.
pub const ROUND: u8 = 4;

/// How dark the edges of letters are. The same in both themes, between what suits dark text and what suits light
/// text best: with one for each, every letter would be drawn anew when the theme changes, longer than a frame.
const EDGES: FontColorTransferFunction = FontColorTransferFunction::Gamma(0.7);

/// A colour of meaning: for text and marks, and for the ground behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    /// Text and marks.
    pub ink: Color32,
    /// The ground of a row or a badge.
    pub ground: Color32,
}

/// The colours of one theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Behind the panels.
    pub window: Color32,
    /// The ground of panels, tables and trees.
    pub panel: Color32,
    /// Headers, buttons at rest.
    pub raised: Color32,
    /// Buttons under the pointer.
    pub lifted: Color32,
    /// Separators and frames.
    pub line: Color32,
    /// Frames of controls, marks that must be seen.
    pub strong_line: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight: titles of columns, labels.
    pub soft: Color32,
    /// Text that may be overlooked: units, counts, null.
    pub faint: Color32,
    /// The one accent: what is chosen, the cursor in time.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// The ground of a chosen row.
    pub selection: Color32,
    /// The ground of a row under the pointer.
    pub hover: Color32,
    /// The ground of a found text.
    pub found: Color32,
    /// Bars of the density strip.
    pub bar: Color32,
    /// Added by a step.
    pub added: Tone,
    /// Changed by a step; also warnings.
    pub changed: Tone,
    /// Removed by a step.
    pub removed: Tone,
    /// Trouble: what failed, what disagrees.
    pub trouble: Tone,
    /// Names of members in a payload.
    pub key: Color32,
    /// Strings in a payload.
    pub string: Color32,
    /// Numbers in a payload.
    pub number: Color32,
    /// Truth values in a payload.
    pub boolean: Color32,
    /// For categories and event types, by [`Palette::of_name`].
    pub names: [Color32; 10],
    /// The shadow under menus and windows.
    pub shadow: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const fn tone(ink: u32, ground: u32) -> Tone {
    Tone { ink: rgb(ink), ground: rgb(ground) }
}

/// The light theme.
pub static LIGHT: Palette = Palette {
    window: rgb(0xeef0f2),
    panel: rgb(0xffffff),
    raised: rgb(0xf4f6f7),
    lifted: rgb(0xe6eaed),
    line: rgb(0xdfe3e7),
    strong_line: rgb(0xb4bdc6),
    text: rgb(0x1c2329),
    soft: rgb(0x4d5863),
    faint: rgb(0x59636d),
    accent: rgb(0x0b7285),
    on_accent: rgb(0xffffff),
    selection: rgb(0xd5edf1),
    hover: rgb(0xf0f4f6),
    found: rgb(0xffe69a),
    bar: rgb(0x9fb6c0),
    added: tone(0x17703a, 0xe4f5e9),
    changed: tone(0x8a5800, 0xfdf2d8),
    removed: tone(0xb3261e, 0xfce9e7),
    trouble: tone(0xb3261e, 0xfce9e7),
    key: rgb(0x1c4e80),
    string: rgb(0x1f6f43),
    number: rgb(0x9a4a10),
    boolean: rgb(0x7a3e9d),
    names: [
        rgb(0x0b7285),
        rgb(0x3b5bdb),
        rgb(0x7048b6),
        rgb(0xa8327d),
        rgb(0xb5432a),
        rgb(0x8f5b00),
        rgb(0x56711a),
        rgb(0x1f7a4d),
        rgb(0x4c6273),
        rgb(0x96473f),
    ],
    shadow: Color32::from_black_alpha(28),
};

/// The dark theme.
pub static DARK: Palette = Palette {
    window: rgb(0x13171b),
    panel: rgb(0x1a1f25),
    raised: rgb(0x222930),
    lifted: rgb(0x2d363f),
    line: rgb(0x2d353e),
    strong_line: rgb(0x4d5964),
    text: rgb(0xe2e8ed),
    soft: rgb(0xaab5c0),
    faint: rgb(0x9ba6b1),
    accent: rgb(0x4fc3d4),
    on_accent: rgb(0x0b2126),
    selection: rgb(0x153a42),
    hover: rgb(0x232b33),
    found: rgb(0x6b5412),
    bar: rgb(0x4f6a76),
    added: tone(0x6fcf8e, 0x17301f),
    changed: tone(0xe5b964, 0x352b15),
    removed: tone(0xf2938a, 0x3b2120),
    trouble: tone(0xf2938a, 0x3b2120),
    key: rgb(0x8ec1f0),
    string: rgb(0x8fd3a4),
    number: rgb(0xf0b182),
    boolean: rgb(0xcfa6e8),
    names: [
        rgb(0x4fc3d4),
        rgb(0x8fa7f5),
        rgb(0xb79af0),
        rgb(0xe793c6),
        rgb(0xf0987f),
        rgb(0xe0b45c),
        rgb(0xaecb6b),
        rgb(0x71cda0),
        rgb(0xa3b7c7),
        rgb(0xe3a39b),
    ],
    shadow: Color32::from_black_alpha(110),
};

impl Palette {
    /// The colours of the theme that `ui` is drawn in.
    #[must_use]
    pub fn of(ui: &egui::Ui) -> &'static Self {
        Self::of_mode(ui.visuals().dark_mode)
    }

    /// The colours of the dark theme or of the light one.
    #[must_use]
    pub fn of_mode(is_dark: bool) -> &'static Self {
        if is_dark { &DARK } else { &LIGHT }
    }

    /// The colour of a category or event type: the same for a name on every day and machine.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Color32 {
        // FNV-1a: the standard library's hashers may change with its version.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let place = (hash ^ (hash >> 29)) % self.names.len() as u64;
        usize::try_from(place).ok().and_then(|place| self.names.get(place)).copied().unwrap_or(self.accent)
    }
}

/// Text of the window.
#[must_use]
pub fn body() -> FontId {
    FontId::new(13.0, FontFamily::Proportional)
}

/// Column titles, units, axis labels.
#[must_use]
pub fn small() -> FontId {
    FontId::new(11.5, FontFamily::Proportional)
}

/// Values, payloads, numbers in columns.
#[must_use]
pub fn mono() -> FontId {
    FontId::new(12.5, FontFamily::Monospace)
}

/// What stands out in running text.
#[must_use]
pub fn strong() -> FontId {
    FontId::new(13.0, FontFamily::Name(STRONG.into()))
}

/// Titles of dialogs and empty panels.
#[must_use]
pub fn heading() -> FontId {
    FontId::new(17.0, FontFamily::Name(STRONG.into()))
}

/// Gives both themes of `ctx` our colours, spacing and type sizes; needs the fonts of [`crate::ui::fonts`].
pub fn apply(ctx: &egui::Context) {
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| {
            style.visuals = visuals(theme == Theme::Dark);
            style.text_styles = [
                (TextStyle::Body, body()),
                (TextStyle::Button, body()),
                (TextStyle::Small, small()),
                (TextStyle::Monospace, mono()),
                (TextStyle::Heading, heading()),
            ]
            .into();
            style.spacing.item_spacing = vec2(GROUP, GAP + 1.0);
            style.spacing.button_padding = vec2(8.0, 3.0);
            style.spacing.interact_size.y = 24.0;
            style.spacing.menu_margin = Margin::same(5);
            style.spacing.window_margin = Margin::same(12);
            style.animation_time = 0.08;
        });
    }
}

fn visuals(is_dark: bool) -> Visuals {
    let colours = Palette::of_mode(is_dark);
    let mut visuals = if is_dark { Visuals::dark() } else { Visuals::light() };
    let round = CornerRadius::same(ROUND);
    let shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: colours.shadow };

    visuals.text_options.color_transfer_function = EDGES;
    // Each blink is a frame of the whole window while nobody does anything.
    visuals.text_cursor.blink = false;
    visuals.panel_fill = colours.panel;
    visuals.window_fill = colours.panel;
    visuals.window_stroke = Stroke::new(1.0, colours.line);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.faint_bg_color = colours.raised;
    visuals.extreme_bg_color = colours.panel;
    visuals.text_edit_bg_color = Some(if is_dark { colours.window } else { colours.panel });
    visuals.code_bg_color = colours.raised;
    visuals.hyperlink_color = colours.accent;
    visuals.warn_fg_color = colours.changed.ink;
    visuals.error_fg_color = colours.trouble.ink;
    visuals.weak_text_color = Some(colours.faint);
    visuals.selection.bg_fill = colours.selection;
    visuals.selection.stroke = Stroke::new(1.0, colours.accent);

    let widgets = &mut visuals.widgets;
    for (widget, fill, line, ink) in [
        (&mut widgets.noninteractive, colours.panel, colours.line, colours.text),
        (&mut widgets.inactive, colours.raised, colours.line, colours.text),
        (&mut widgets.hovered, colours.lifted, colours.strong_line, colours.text),
        (&mut widgets.active, colours.selection, colours.accent, colours.text),
        (&mut widgets.open, colours.lifted, colours.strong_line, colours.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, ink);
        widget.corner_radius = round;
        widget.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::{DARK, LIGHT, Palette};

    /// The contrast of WCAG 2, 1 to 21.
    fn contrast(left: Color32, right: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let linear = |channel: u8| {
                let value = f32::from(channel) / 255.0;
                if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
        };
        let (left, right) = (luminance(left) + 0.05, luminance(right) + 0.05);
        left.max(right) / left.min(right)
    }

    fn check(name: &str, palette: &Palette) {
        let inks = [
            palette.text,
            palette.soft,
            palette.faint,
            palette.key,
            palette.string,
            palette.number,
            palette.boolean,
        ];
        let grounds = [palette.panel, palette.raised, palette.hover, palette.selection];
        for (ink, ground) in inks.iter().flat_map(|ink| grounds.iter().map(move |ground| (*ink, *ground))) {
            let found = contrast(ink, ground);
            assert!(found >= 4.5, "{name}: {ink:?} on {ground:?} has {found}");
        }
        for ink in inks.iter().chain(&palette.names) {
            assert!(contrast(*ink, palette.panel) >= 4.5, "{name}: {ink:?} on the panel");
        }
        for tone in [palette.added, palette.changed, palette.removed, palette.trouble] {
            assert!(contrast(tone.ink, tone.ground) >= 4.5, "{name}: {tone:?}");
            assert!(contrast(palette.text, tone.ground) >= 4.5, "{name}: text on {tone:?}");
        }
        assert!(contrast(palette.on_accent, palette.accent) >= 4.5, "{name}: text on the accent");
        assert!(contrast(palette.text, palette.found) >= 4.5, "{name}: text that was found");
    }

    #[test]
    fn text_can_be_read_in_both_themes() {
        check("light", &LIGHT);
        check("dark", &DARK);
    }

    #[test]
    fn a_change_of_theme_draws_no_letter_anew() {
        let window = egui::Context::default();
        crate::ui::fonts::install(&window);
        super::apply(&window);
        let drawn = || {
            let mut output = window.run_ui(egui::RawInput::default(), |ui| {
                ui.label("Order placed");
                ui.monospace("{\"total\": 5}");
            });
            let drawn = output.textures_delta.set.len();
            output.textures_delta.clear();
            drawn
        };
        window.set_theme(egui::Theme::Light);
        assert!(drawn() > 0);
        assert_eq!(drawn(), 0);
        window.set_theme(egui::Theme::Dark);
        assert_eq!(drawn(), 0);
        assert!(window.global_style().visuals.dark_mode);
    }

    #[test]
    fn a_name_keeps_its_colour() {
        let place = |name: &str| LIGHT.names.iter().position(|colour| *colour == LIGHT.of_name(name));
        assert_eq!(place("Order"), DARK.names.iter().position(|colour| *colour == DARK.of_name("Order")));
        let used: std::collections::BTreeSet<_> =
            ["Order", "User", "Cart", "Payment", "Invoice", "Account", "Shipment", "Ticket"]
                .into_iter()
                .filter_map(place)
                .collect();
        assert!(used.len() >= 4, "common names share too few colours: {used:?}");
    }
}
