//! Bytes as they are: offset, hexadecimal, ASCII. Only the rows in view are written.

use std::fmt::Write as _;

use egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2};

use crate::ui::{
    theme::{self, Palette},
    widgets::rows::{Scroll, focus_frame, list_ui, row_by_key, scroll_rows},
};

/// Bytes in a row.
const WIDE: usize = 16;

/// Draws the bytes into the space that is left; `name` is what assistive technology calls them.
pub fn hex_view(ui: &mut Ui, name: &str, bytes: &[u8], scroll: &mut Scroll) {
    let id = Id::unique(("hex", name));
    let whole = ui.available_rect_before_wrap();
    ui.allocate_rect(whole, Sense::HOVER);
    let count = bytes.len().div_ceil(WIDE) as u64;
    let row_height = 18.0;
    let list = list_ui(ui, id, whole, (Role::ListBox, name));
    let mut view = scroll_rows(&list, id, whole, scroll, (count, row_height));
    // There is no chosen row here: the keys move the view.
    let edge = Some(view.first);
    if let Some(row) = row_by_key(&list, id, edge, &view, count) {
        scroll.set_top(row);
        view = scroll_rows(&list, id, whole, scroll, (count, row_height));
    }
    let colours = Palette::of(&list);
    let digits = format!("{:x}", bytes.len().saturating_sub(1)).len().max(4);
    for row in view.first..view.end {
        let start = usize::try_from(row).unwrap_or(usize::MAX).saturating_mul(WIDE);
        let line: Vec<u8> = bytes.iter().skip(start).take(WIDE).copied().collect();
        let rect = view.row_rect(row);
        let response = list.interact(rect, id.with(row), Sense::HOVER);
        response.widget_info(|| {
            let text = format!("{start:x}: {} {}", hex_text(&line).trim_end(), ascii_text(&line));
            WidgetInfo::labeled(Role::ListBoxOption, true, text)
        });
        let mut x = rect.left() + 8.0;
        for (text, ink) in [
            (format!("{start:0digits$x}  "), colours.faint),
            (format!("{:<50}", hex_text(&line)), colours.text),
            (ascii_text(&line), colours.string),
        ] {
            let galley = list.painter().layout_no_wrap(text, theme::mono(), ink);
            let width = galley.size().x;
            list.painter().galley(pos2(x, rect.center().y - galley.size().y / 2.0), galley, ink);
            x += width;
        }
    }
    if bytes.is_empty() {
        let rect = Rect::from_min_size(whole.min, egui::vec2(whole.width(), 28.0));
        let text = "No bytes";
        list.painter().text(
            rect.left_center() + egui::vec2(8.0, 0.0),
            egui::Align2::LEFT_CENTER,
            text,
            theme::body(),
            colours.faint,
        );
    }
    focus_frame(&list, id, whole);
}

/// `48 65 6c 6c 6f`, with a wider space in the middle.
fn hex_text(line: &[u8]) -> String {
    let mut text = String::with_capacity(WIDE * 3 + 1);
    for (index, byte) in line.iter().enumerate() {
        if index == WIDE / 2 {
            text.push(' ');
        }
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x} ");
    }
    text
}

/// Printable ASCII as it is, all else as a dot.
fn ascii_text(line: &[u8]) -> String {
    line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '·' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{ascii_text, hex_text};

    fn check(bytes: &[u8], hex: &str, ascii: &str) {
        assert_eq!((hex_text(bytes).as_str(), ascii_text(bytes).as_str()), (hex, ascii));
    }

    #[test]
    fn bytes_are_written_twice() {
        check(b"Hi\x00\xff", "48 69 00 ff ", "Hi··");
        check(b"0123456789", "30 31 32 33 34 35 36 37  38 39 ", "0123456789");
        check(b"", "", "");
    }
}
