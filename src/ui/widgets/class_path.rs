//! Names with a class path or a category before them: where there is no room, that goes and the name stays.

use egui::{Color32, FontId, Ui, text::CCursor};

/// What stands between the parts of a path.
const SEPARATORS: [char; 7] = ['\\', '.', ':', '/', '+', '|', '$'];

/// So many letters of an id tell it from nearly all others.
const TELLING: usize = 6;

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
        // A dot would look like one more of the sign's own.
        let shown = format!("…{}", if sign == '.' { last } else { end });
        if width_of(ui, &shown, font) <= width {
            return Some(shown);
        }
    }
    let marked = format!("…{last}");
    let fits = width_of(ui, &marked, font) <= width;
    Some(if fits { marked } else { last.to_owned() }).filter(|_| !last.is_empty())
}

/// The name of a stream that does not fit into so many points, with as much of its category as leaves room for
/// the beginning of its id: `Bank…-e2057b0e-49a8` of `BankAccount-e2057b0e-49a8`. Its end may still be cut.
///
/// Nothing if that much of the id fits behind the whole category.
#[must_use]
pub fn with_short_category(ui: &Ui, name: &str, id_at: usize, font: &FontId, width: f32) -> Option<String> {
    let (category, id) = name.split_at_checked(id_at)?;
    let stem = category.trim_end_matches(|c: char| !c.is_alphanumeric());
    let sign = category.get(stem.len()..).unwrap_or_default();
    let [of_stem, of_category, of_id] = [stem, category, id].map(|text| text.chars().count());
    let galley = ui.painter().layout_no_wrap(name.to_owned(), font.clone(), Color32::PLACEHOLDER);
    let reach = |letters: usize| galley.pos_from_cursor(CCursor::new(letters)).left();
    let mark = width_of(ui, "…", font);
    let kept = reach(of_category + of_id.min(TELLING)) + if of_id > TELLING { mark } else { 0.0 };
    if kept <= width {
        return None;
    }
    let room = width - mark - (kept - reach(of_stem));
    let start = (1..=of_stem).rev().find(|letters| reach(*letters) <= room).unwrap_or(0);
    let start: String = stem.chars().take(start).collect();
    Some(format!("{start}…{sign}{id}"))
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
        check("shop:Cart.CartItemAdded", 16, Some("…CartItemAdded"));
        check("shop.MoneyDeposited", 16, Some("…MoneyDeposited"));
        check("OrderPlaced", 4, None);
        check("OrderPlaced.", 4, None);
        check("", 4, None);
    }

    #[test]
    fn of_a_stream_the_id_stays() {
        let check = |name: &str, id_at: usize, letters: usize, expected: Option<&str>| {
            egui::__run_test_ui(|ui| {
                let font = FontId::monospace(12.0);
                let width = width_of(ui, &"m".repeat(letters), &font) + 1.0;
                let shown = with_short_category(ui, name, id_at, &font, width);
                assert_eq!(shown.as_deref(), expected, "{name} in {letters}");
            });
        };
        let account = "BankAccount-e2057b0e-49a8";
        check(account, 12, 25, None);
        check(account, 12, 19, None);
        check(account, 12, 18, Some("BankAccou…-e2057b0e-49a8"));
        check(account, 12, 14, Some("BankA…-e2057b0e-49a8"));
        check(account, 12, 4, Some("…-e2057b0e-49a8"));
        check("BankAccount|17", 12, 14, None);
        check("BankAccount|17", 12, 8, Some("Bank…|17"));
        check("Bank", 9, 2, None);
    }
}
