//! A small editor for JavaScript and SQL: colours, line numbers, a mark where something is wrong.

use egui::{
    Color32, Event, Id, Key, Margin, Modifiers, Pos2, Rect, Role, Shape, Stroke, TextBuffer, TextEdit, Ui,
    WidgetInfo,
    epaint::text::cursor::CCursor,
    pos2,
    text::{CCursorRange, LayoutJob, TextFormat},
    text_edit::{TextEditOutput, TextEditState},
    vec2,
};

use crate::{
    script::{Token, TokenKind, text_of, tokens},
    ui::{
        theme::{self, Palette},
        widgets::sql_tokens::sql_tokens,
    },
};

/// What an editor remembers between frames.
#[derive(Default)]
pub struct CodeState {
    /// The text that was coloured last, in which theme, and how it looks.
    coloured: Option<(String, bool, LayoutJob)>,
    /// The place that it went to last.
    target: u64,
    /// Where the caret stood in the last frame.
    caret: Option<CCursor>,
}

/// Something wrong at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

/// How the editor looks and where it goes.
#[derive(Debug, Clone, Default)]
pub struct CodeShape<'a> {
    /// For assistive technology.
    pub name: &'a str,
    /// Where something is wrong.
    pub mark: Option<&'a Mark>,
    /// A place to go to: a number that rises, line and column, from 1.
    pub target: Option<(u64, u32, u32)>,
    /// Whether the text is SQL and not JavaScript.
    pub is_sql: bool,
}

/// Room for line numbers, in points.
const GUTTER: f32 = 44.0;

/// A longer text is shown without colours: it was not written by hand.
const COLOURED_BYTES: usize = 100_000;

/// An indentation.
const INDENT: &str = "    ";

/// Draws the editor into the space that is left; tells whether the text was changed.
pub fn code_editor(
    ui: &mut Ui,
    id: Id,
    text: &mut String,
    shape: &CodeShape<'_>,
    state: &mut CodeState,
) -> bool {
    let colours = Palette::of(ui);
    let whole = ui.available_rect_before_wrap();
    ui.painter().rect_filled(whole, 0.0, colours.panel);
    type_indents(ui, id, text);
    let go_to = shape.target.filter(|(number, ..)| *number > state.target);
    if let Some((number, line, column)) = go_to {
        state.target = number;
        put_caret(ui, id, text, line, column);
    }
    let area = egui::ScrollArea::both().id_salt(id).auto_shrink(false);
    let mut caret_before = state.caret;
    let shown = area.show(ui, |ui| {
        let behind = ui.painter().add(Shape::Noop);
        let margin = Margin { left: GUTTER as i8 + 8, right: 12, top: 4, bottom: 12 };
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _: f32| {
            ui.painter().layout_job(coloured(ui, text.as_str(), shape.is_sql, state))
        };
        let edit = TextEdit::multiline(text)
            .id(id)
            .code_editor()
            .frame(egui::Frame::NONE.inner_margin(margin))
            .desired_width(f32::INFINITY)
            .min_size(whole.size() - vec2(2.0, 2.0))
            .layouter(&mut layouter);
        let output = edit.show(ui);
        let response = &output.response.response;
        // The name only: the text itself is told by the field.
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(shape.name));
        if let Some(mark) = shape.mark {
            paint_mark(ui, &output, mark, behind);
        }
        paint_line_numbers(ui, &output, shape.mark);
        let caret = output.cursor_range.map(|range| range.primary);
        if std::mem::replace(&mut caret_before, caret) != caret {
            show_caret(ui, &output, caret);
        }
        if let Some((_, line, _)) = go_to {
            let top = Rect::from_min_size(output.galley_pos, vec2(1.0, 1.0));
            ui.scroll_to_rect(row_rect(&output, line).unwrap_or(top), Some(egui::Align::Center));
        }
        response.changed()
    });
    state.caret = caret_before;
    shown.inner
}

/// Brings a caret that moved into view, with some text before it: the line numbers lie over the left edge.
fn show_caret(ui: &Ui, output: &TextEditOutput, caret: Option<CCursor>) {
    const AROUND: f32 = 60.0;
    let Some(caret) = caret else { return };
    let mut rect = output.galley.pos_from_cursor(caret).translate(output.galley_pos.to_vec2());
    rect.min.x -= GUTTER + AROUND;
    rect.max.x += AROUND;
    ui.scroll_to_rect(rect, None);
}

/// Keeps a text that is about to be replaced by another than the user's typing, so that undo brings it
/// back.
pub fn keep_for_undo(ui: &Ui, id: Id, text: String) {
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let caret = state.cursor.char_range().unwrap_or_default();
    let mut undoer = state.undoer();
    undoer.add_undo(&(caret, text));
    state.set_undoer(undoer);
    state.store(ui.ctx(), id);
}

/// Tab and Enter as a code editor takes them: spaces, and the indentation of the line before.
fn type_indents(ui: &Ui, id: Id, text: &str) {
    if !ui.memory(|memory| memory.has_focus(id)) {
        return;
    }
    let caret = TextEditState::load(ui.ctx(), id).and_then(|state| state.cursor.char_range());
    let indent = caret.map(|range| indent_before(text, usize::from(range.primary.index))).unwrap_or_default();
    ui.input_mut(|input| indent_events(&mut input.events, &indent));
}

/// Puts what is typed in the place of each key, so that it keeps its place among the letters around it.
fn indent_events(events: &mut [Event], indent: &str) {
    for event in events {
        let Event::Key { key, pressed: true, modifiers, .. } = event else { continue };
        if !modifiers.matches_logically(Modifiers::NONE) {
            continue;
        }
        let typed = match key {
            Key::Tab => INDENT.to_owned(),
            Key::Enter => format!("\n{indent}"),
            _ => continue,
        };
        *event = Event::Text(typed);
    }
}

/// The white space before the line that ends at a character, deeper behind an opening bracket.
fn indent_before(text: &str, caret: usize) -> String {
    let end = text.char_indices().nth(caret).map_or(text.len(), |(at, _)| at);
    let before = text.get(..end).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    if line.trim_end().ends_with(['{', '[', '(']) {
        indent.push_str(INDENT);
    }
    indent
}

fn put_caret(ui: &Ui, id: Id, text: &str, line: u32, column: u32) {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(|line| line.chars().count())
        .sum();
    let caret = CCursor::new(start + column.saturating_sub(1) as usize);
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(caret)));
    state.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

/// Where a line stands on screen; nothing beyond the end.
fn row_rect(output: &TextEditOutput, line: u32) -> Option<Rect> {
    let row = output.galley.rows.get(line.checked_sub(1)? as usize)?;
    Some(Rect::from_min_size(output.galley_pos + row.pos.to_vec2(), row.row.size))
}

fn paint_mark(ui: &Ui, output: &TextEditOutput, mark: &Mark, behind: egui::layers::ShapeIdx) {
    let colours = Palette::of(ui);
    let Some(row) = row_rect(output, mark.line) else { return };
    let clip = ui.clip_rect();
    let ground = Rect::from_x_y_ranges(clip.x_range(), row.y_range());
    ui.painter().set(behind, Shape::rect_filled(ground, 0.0, colours.trouble.ground));
    let placed = output.galley.rows.get(mark.line.saturating_sub(1) as usize);
    let column = egui::text::CharIndex::from(mark.column.saturating_sub(1) as usize);
    let x = placed.map_or_else(|| row.left(), |placed| row.left() + placed.row.x_offset(column));
    let caret = [pos2(x, row.bottom()), pos2(x + 9.0, row.bottom())];
    ui.painter().line_segment(caret, Stroke::new(2.0, colours.trouble.ink));
    let at = pos2(row.right().max(x) + 24.0, row.center().y);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, &mark.message, theme::small(), colours.trouble.ink);
    let id = output.response.response.id.with("mark");
    let response = ui.interact(
        Rect::from_min_size(pos2(clip.left(), row.top()), vec2(GUTTER, row.height())),
        id,
        egui::Sense::HOVER,
    );
    let told = format!("Line {}, column {}: {}", mark.line, mark.column, mark.message);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &told));
    response.on_hover_text(told.as_str());
}

/// Line numbers stay at the left edge when the text is scrolled sideways.
fn paint_line_numbers(ui: &Ui, output: &TextEditOutput, mark: Option<&Mark>) {
    let colours = Palette::of(ui);
    let clip = ui.clip_rect();
    let gutter = Rect::from_min_max(clip.min, pos2(clip.left() + GUTTER, clip.bottom()));
    ui.painter().rect_filled(gutter, 0.0, colours.raised);
    let top = clip.top() - output.galley_pos.y;
    let rows = &output.galley.rows;
    let first = rows.partition_point(|row| row.pos.y + row.row.size.y < top);
    for (number, row) in rows.iter().enumerate().skip(first) {
        let y = output.galley_pos.y + row.pos.y;
        if y > clip.bottom() {
            break;
        }
        let is_marked = mark.is_some_and(|mark| mark.line as usize == number + 1);
        let ink = if is_marked { colours.trouble.ink } else { colours.faint };
        paint_number(ui, pos2(gutter.right() - 8.0, y + row.row.size.y / 2.0), number + 1, ink);
    }
}

fn paint_number(ui: &Ui, at: Pos2, number: usize, ink: Color32) {
    ui.painter().text(at, egui::Align2::RIGHT_CENTER, number.to_string(), theme::mono(), ink);
}

/// The text in its colours; made once for each text.
fn coloured(ui: &Ui, text: &str, is_sql: bool, state: &mut CodeState) -> LayoutJob {
    let is_dark = ui.visuals().dark_mode;
    if let Some((known, was_dark, job)) = &state.coloured
        && known == text
        && *was_dark == is_dark
    {
        return job.clone();
    }
    let mut job = LayoutJob { break_on_newline: true, ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    let colours = Palette::of(ui);
    let mut add = |part: &str, ink| job.append(part, 0.0, TextFormat::simple(theme::mono(), ink));
    let found = match (text.len() > COLOURED_BYTES, is_sql) {
        (true, _) => Vec::new(),
        (false, true) => sql_tokens(text),
        (false, false) => tokens(text),
    };
    let mut at = 0;
    for token in &found {
        add(text.get(at..token.range.start).unwrap_or_default(), colours.text);
        add(text_of(text, token), ink_of(colours, text, token));
        at = token.range.end;
    }
    add(text.get(at..).unwrap_or_default(), colours.text);
    state.coloured = Some((text.to_owned(), is_dark, job.clone()));
    job
}

fn ink_of(colours: &Palette, text: &str, token: &Token) -> Color32 {
    match token.kind {
        TokenKind::Comment => colours.faint,
        TokenKind::Text | TokenKind::Template | TokenKind::Regex => colours.string,
        TokenKind::Number => colours.number,
        TokenKind::Keyword => colours.boolean,
        TokenKind::Name if text_of(text, token).starts_with(['$', ':']) => colours.accent,
        TokenKind::Name => colours.text,
        TokenKind::Punctuation => colours.soft,
        TokenKind::Unknown => colours.trouble.ink,
    }
}

#[cfg(test)]
mod tests {
    use egui::{Event, Key, Modifiers};

    use super::{indent_before, indent_events};

    fn check(text: &str, expected: &str) {
        assert_eq!(indent_before(text, text.chars().count()), expected, "{text}");
    }

    #[test]
    fn a_new_line_begins_where_the_last_one_did() {
        check("", "");
        check("a\n  b", "  ");
        check("  größe {", "      ");
        check("\tf(", "\t    ");
        check("  { }", "  ");
    }

    #[test]
    fn enter_keeps_its_place_among_letters_typed_since_the_last_frame() {
        let key = Event::Key {
            key: Key::Enter,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        let text = |text: &str| Event::Text(text.to_owned());
        let mut events = [text("a"), key, text("b")];
        indent_events(&mut events, "  ");
        assert_eq!(events, [text("a"), text("\n  "), text("b")]);
    }
}
