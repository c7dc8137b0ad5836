//! A payload or a state as a tree: open and close, find, see what changed, copy.
//!
//! However large the value, only the rows in view are drawn and only what is open is walked.

mod find;
mod outline;
mod row;

pub use find::MOST_HITS;
pub use outline::{Mark, Marks};

use egui::{Id, Key, Modifiers, Role, Sense, Ui};

use crate::{
    model::{Change, ChangeKind, Json, Pointer},
    ui::{
        theme::{self, Palette},
        widgets::{
            json_tree::{
                find::{Hits, is_unchanged},
                outline::{Folds, Item, Outline},
            },
            rows::{RowView, Scroll, copy_asked, focus_frame, list_ui, row_by_key, scroll_rows},
        },
    },
};

/// What a tree remembers between frames. Opened nodes stay open by path while the value changes under them.
#[derive(Debug, Clone, Default)]
pub struct TreeState {
    /// The chosen node.
    pub selected: Option<Pointer>,
    folds: Folds,
    scroll: Scroll,
    hits: Hits,
    reveal: Option<Pointer>,
    outline: Outline,
    /// What the outline was made of, to see whether it still holds.
    made_of: Option<(Json, Marks, usize)>,
}

/// What a panel adds to the menu of a node.
type NodeMenu<'a> = &'a mut dyn FnMut(&mut Ui, &Pointer);

/// A tree, to be shown once.
pub struct JsonTree<'a> {
    id: Id,
    name: String,
    value: &'a Json,
    marks: Option<&'a Marks>,
    find: &'a str,
    menu: Option<NodeMenu<'a>>,
}

/// What the user did to a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeResponse {
    /// This node was chosen.
    pub selected: Option<Pointer>,
    /// This scalar was entered: by a double click, or by Enter while it was chosen.
    pub entered: Option<Pointer>,
    /// This was copied; the widget has put it on the clipboard already.
    pub copied: Option<Copied>,
}

/// What was copied from a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// The value at this path, as JSON.
    Value(Pointer),
    /// The path itself.
    Path(Pointer),
}

/// The marks that a list of changes means, for a tree of the new value.
#[must_use]
pub fn marks_of(changes: &[Change]) -> Marks {
    let mark = |change: &Change| match &change.kind {
        ChangeKind::Add(_) => Mark::Added,
        ChangeKind::Remove(old) => Mark::Removed { old: old.clone() },
        ChangeKind::Replace(old, _) => Mark::Changed { old: old.clone() },
    };
    changes.iter().map(|change| (change.path.clone(), mark(change))).collect()
}

impl TreeState {
    /// How many nodes the search found, up to [`MOST_HITS`].
    #[must_use]
    pub fn hit_count(&self) -> usize {
        self.hits.paths.len()
    }

    /// Which of the hits is the current one, from 0.
    #[must_use]
    pub fn current_hit(&self) -> Option<usize> {
        self.hits.current
    }

    /// Chooses the next hit, or the one before, and opens the way to it.
    pub fn go_to_hit(&mut self, is_forward: bool) {
        if let Some(path) = self.hits.turn(is_forward).cloned() {
            self.reveal(path);
        }
    }

    /// Chooses a node, opens the way to it and scrolls there.
    pub fn reveal(&mut self, path: Pointer) {
        let mut above = path.parent();
        while let Some(node) = above {
            above = node.parent();
            self.folds.insert(node, true);
        }
        self.made_of = None;
        self.selected = Some(path.clone());
        self.reveal = Some(path);
    }

    /// Opens or closes a node.
    pub fn set_open(&mut self, path: Pointer, is_open: bool) {
        self.folds.insert(path, is_open);
        self.made_of = None;
    }

    /// How many nodes the last outline had to look at; for tests and the debug panel.
    #[must_use]
    pub fn visited(&self) -> u64 {
        self.outline.visited
    }

    fn update(&mut self, value: &Json, marks: &Marks, line: usize) {
        let holds = self.made_of.as_ref().is_some_and(|(known, known_marks, known_line)| {
            is_unchanged(known, value)
                && *known_line == line
                && known_marks.len() == marks.len()
                && known_marks == marks
        });
        if !holds {
            self.outline = Outline::build(value, &self.folds, marks, line);
            self.made_of = Some((value.clone(), marks.clone(), line));
        }
    }
}

impl<'a> JsonTree<'a> {
    /// A tree; `name` is what assistive technology calls it and tells it from others in the window.
    #[must_use]
    pub fn new(name: &str, value: &'a Json) -> Self {
        Self {
            id: Id::unique(("json tree", name)),
            name: name.to_owned(),
            value,
            marks: None,
            find: "",
            menu: None,
        }
    }

    /// What changed.
    #[must_use]
    pub fn marks(mut self, marks: &'a Marks) -> Self {
        self.marks = Some(marks);
        self
    }

    /// The text to find; empty for none.
    #[must_use]
    pub fn find(mut self, find: &'a str) -> Self {
        self.find = find;
        self
    }

    /// More entries for the menu of a node.
    #[must_use]
    pub fn menu(mut self, menu: &'a mut dyn FnMut(&mut Ui, &Pointer)) -> Self {
        self.menu = Some(menu);
        self
    }

    /// Draws the tree into the space that is left.
    pub fn show(mut self, ui: &mut Ui, state: &mut TreeState) -> TreeResponse {
        let none = Marks::new();
        let marks = self.marks.unwrap_or(&none);
        let mut out = TreeResponse::default();
        let whole = ui.available_rect_before_wrap();
        ui.allocate_rect(whole, Sense::HOVER);
        ui.painter().rect_filled(whole, 0.0, Palette::of(ui).panel);
        // In steps, so that long texts are not cut anew at every point of a resize.
        let line = ((whole.width() - 80.0) / 7.5 / 8.0).clamp(3.0, 30.0) as usize * 8;
        state.hits.update(self.find, self.value);
        state.update(self.value, marks, line);

        let mut list = list_ui(ui, self.id, whole, (Role::Tree, &self.name));
        let shown = f64::from(whole.height() / theme::ROW);
        self.keys(&list, state, marks, &mut out);
        state.update(self.value, marks, line);
        if let Some(row) = state.reveal.take().and_then(|path| state.outline.row_of(&path)) {
            state.scroll.reveal(row, shown);
        }
        let count = state.outline.rows();
        let mut view = scroll_rows(&list, self.id, whole, &mut state.scroll, (count, theme::ROW));
        let current = state.selected.as_ref().and_then(|path| state.outline.row_of(path));
        if let Some(row) = row_by_key(&list, self.id, current, &view, count) {
            state.scroll.reveal(row, view.shown());
            view = scroll_rows(&list, self.id, whole, &mut state.scroll, (count, theme::ROW));
            Self::choose(state.outline.item(row, marks), state, &mut out);
        }
        let is_clicked = self.rows_ui(&mut list, &view, marks, (state, &mut out));
        focus_frame(&list, self.id, whole);
        drop(list);
        if is_clicked {
            ui.memory_mut(|memory| memory.request_focus(self.id));
        }
        out
    }

    fn choose(item: Option<Item>, state: &mut TreeState, out: &mut TreeResponse) {
        if let Some(item) = item {
            state.selected = Some(item.path.clone());
            out.selected = Some(item.path);
        }
    }

    /// Left closes or goes to the parent, right opens or goes to the first child, Enter turns.
    fn keys(&self, ui: &Ui, state: &mut TreeState, marks: &Marks, out: &mut TreeResponse) {
        let Some(path) = state.selected.clone() else { return };
        if !ui.memory(|memory| memory.has_focus(self.id)) {
            return;
        }
        let row = state.outline.row_of(&path);
        let Some(item) = row.and_then(|row| state.outline.item(row, marks)) else { return };
        let [left, right, enter] = [Key::ArrowLeft, Key::ArrowRight, Key::Enter]
            .map(|key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)));
        if (left || enter) && item.is_open {
            state.set_open(path.clone(), false);
        } else if (right || enter) && item.can_open && !item.is_open {
            state.set_open(path.clone(), true);
        } else if enter && !item.can_open {
            out.entered = Some(path.clone());
        } else if left {
            let parent = path.parent().filter(|parent| state.outline.row_of(parent).is_some());
            if let Some(parent) = parent {
                out.selected = Some(parent.clone());
                state.reveal = Some(parent.clone());
                state.selected = Some(parent);
            }
        } else if right && item.is_open {
            let first =
                row.and_then(|row| state.outline.item(row + 1, marks)).filter(|child| child.line.is_none());
            state.reveal = first.as_ref().map(|child| child.path.clone());
            Self::choose(first, state, out);
        }
        if copy_asked(ui, self.id) {
            ui.copy_text(item.value.to_pretty());
            out.copied = Some(Copied::Value(path));
        }
    }

    fn rows_ui(
        &mut self,
        ui: &mut Ui,
        view: &RowView,
        marks: &Marks,
        (state, out): (&mut TreeState, &mut TreeResponse),
    ) -> bool {
        let clip = ui.clip_rect();
        ui.set_clip_rect(view.rect.intersect(clip));
        let mut is_clicked = false;
        for row in view.first..view.end {
            let Some(item) = state.outline.item(row, marks) else { continue };
            let is_selected = state.selected.as_ref() == Some(&item.path);
            let shape = row::RowShape {
                id: self.id.with(row),
                rect: view.row_rect(row),
                mark: if item.line.is_some() { None } else { marks.get(&item.path) },
                holds_change: !item.is_open && holds_change(&item.path, marks),
                is_selected,
                find: self.find,
                item: &item,
            };
            let answer = row::row_ui(ui, &shape);
            if let Some(is_open) = answer.set_open {
                state.set_open(item.path.clone(), is_open);
            }
            answer.response.context_menu(|ui| {
                out.copied = menu_ui(ui, &item).or_else(|| out.copied.take());
                if let Some(menu) = &mut self.menu {
                    menu(ui, &item.path);
                }
            });
            if answer.response.double_clicked() && !item.can_open {
                out.entered = Some(item.path.clone());
            }
            if answer.response.clicked() || answer.response.secondary_clicked() {
                is_clicked = true;
                Self::choose(Some(item), state, out);
            }
        }
        ui.set_clip_rect(clip);
        is_clicked
    }
}

fn menu_ui(ui: &mut Ui, item: &Item) -> Option<Copied> {
    let mut copied = None;
    if ui.button("Copy value as JSON").clicked() {
        ui.copy_text(item.value.to_pretty());
        copied = Some(Copied::Value(item.path.clone()));
        ui.close();
    }
    if let Some(text) = item.value.as_text()
        && ui.button("Copy text").clicked()
    {
        ui.copy_text(text.to_owned());
        copied = Some(Copied::Value(item.path.clone()));
        ui.close();
    }
    if ui.button("Copy path").clicked() {
        ui.copy_text(item.path.to_string());
        copied = Some(Copied::Path(item.path.clone()));
        ui.close();
    }
    copied
}

/// Whether something below the path changed.
fn holds_change(path: &Pointer, marks: &Marks) -> bool {
    marks
        .range(path.clone()..)
        .find(|(place, _)| *place != path)
        .is_some_and(|(place, _)| path.contains(place))
}
