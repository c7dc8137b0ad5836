//! Names with a class path before them: where there is no room, the path goes and the name stays.

use egui::{Color32, FontId, Ui};

/// What stands between the parts of a path.
const SEPARATORS: [char; 7] = ['\\', '.', ':', '/', '+', '|', '$'];

/// As much of a name's end as fits into so many points: `…\MoneyAdded` of `App\Domain\Events\MoneyAdded`.
///
/// Nothing if all of it fits, or if it has no path. Where not even the last part fits, that part alone: its own
/// beginning tells it from others.
#[must_use]
pub fn fitting_end(ui: &Ui, name: &str, font: &FontId, width: f32) -> Option<String> {
    let has_path = name.chars().rev().skip(1).any(|c| SEPARATORS.contains(&c));
    if !has_path || width_of(ui, name, font) <= width {
        return None;
    }
    let ends = name.char_indices().skip(1).filter(|(_, c)| SEPARATORS.contains(c));
    let ends = ends
        .filter_map(|(place, c)| Some((name.get(place..)?, c)))
        .filter(|(end, c)| end.len() > c.len_utf8());
    let mut last = "";
    for (end, sign) in ends {
        last = end.get(sign.len_utf8()..).unwrap_or(end);
        let shown = format!("…{end}");
        if width_of(ui, &shown, font) <= width {
            return Some(shown);
        }
    }
    let marked = format!("…{last}");
    let fits = width_of(ui, &marked, font) <= width;
    Some(if fits { marked } else { last.to_owned() }).filter(|_| !last.is_empty())
}

/// How wide a text is on one line, in points.
pub(super) fn width_of(ui: &Ui, text: &str, font: &FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, letters: usize, expected: Option<&str>) {
        egui::__run_test_ui(|ui| {
            // All of its letters are equally wide.
            let font = FontId::monospace(12.0);
            let width = width_of(ui, &"m".repeat(letters), &font) + 1.0;
            assert_eq!(fitting_end(ui, name, &font, width).as_deref(), expected, "{name} in {letters}");
        });
    }

    #[test]
    fn the_end_of_a_name_stays() {
        let php = "App\\Domain\\Bank\\MoneyAdded";
        check(php, 26, None);
        check(php, 20, Some("…\\Bank\\MoneyAdded"));
        check(php, 12, Some("…\\MoneyAdded"));
        check(php, 11, Some("…MoneyAdded"));
        check(php, 8, Some("MoneyAdded"));
        check("shop:Cart.CartItemAdded", 16, Some("….CartItemAdded"));
        check("OrderPlaced", 4, None);
        check("OrderPlaced.", 4, None);
        check("", 4, None);
    }
}
