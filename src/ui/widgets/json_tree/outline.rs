//! Which nodes of a value are in the list, without listing them.
//!
//! Children that are closed lie in a row as one run, however many they are; only open nodes have entries of
//! their own. So the cost follows what is open, not how large the value is.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::model::{Json, Pointer, Segment};

/// How a node was changed by what is being looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It is new.
    Added,
    /// It had another value.
    Changed {
        /// The value before.
        old: Json,
    },
    /// It is gone; a ghost shows where it was.
    Removed {
        /// The value before.
        old: Json,
    },
}

/// The changed nodes by path.
pub type Marks = BTreeMap<Pointer, Mark>;

/// What the user opened and closed.
pub(super) type Folds = BTreeMap<Pointer, bool>;

/// Nodes above this depth are open from the start, if they are small.
const OPEN_DEPTH: usize = 2;
/// A node with more children is closed at the start.
const OPEN_CHILDREN: usize = 64;
/// From this many rows on, nothing more is opened by itself.
const OPEN_ROWS: u64 = 400;
/// A longer text can be opened, and is then shown in lines. In bytes.
const LONG_TEXT: usize = 120;
/// The rows of a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    open: Vec<Open>,
    places: BTreeMap<Pointer, usize>,
    runs: Vec<Run>,
    rows: u64,
    /// The length of the lines of long texts, in characters.
    line: usize,
    /// How many nodes were looked at to build it.
    pub(super) visited: u64,
}

/// A node that is open.
#[derive(Debug, Clone)]
struct Open {
    path: Pointer,
    value: Json,
    depth: usize,
    ghosts: Vec<Pointer>,
    lines: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
struct Run {
    first_row: u64,
    open: usize,
    part: Part,
    first: usize,
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Children,
    Ghosts,
    Lines,
}

/// One row, resolved.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) path: Pointer,
    pub(super) depth: usize,
    pub(super) key: Option<Segment>,
    pub(super) value: Json,
    pub(super) can_open: bool,
    pub(super) is_open: bool,
    /// No longer there.
    pub(super) is_ghost: bool,
    /// A later member of the same name counts instead.
    pub(super) is_shadowed: bool,
    /// A line of a long text.
    pub(super) line: Option<String>,
}

impl Outline {
    pub(super) fn build(value: &Json, folds: &Folds, marks: &Marks, line: usize) -> Self {
        let mut outline = Self { line, ..Self::default() };
        if !has_parts(value) || marks.contains_key(&Pointer::root()) {
            let root = Open {
                path: Pointer::root(),
                value: value.clone(),
                depth: 0,
                ghosts: Vec::new(),
                lines: Vec::new(),
            };
            outline.open.push(root);
            outline.push_run(0, Part::Whole, 0..1);
        }
        if can_open(value) || !marks.is_empty() {
            outline.add(&Pointer::root(), value, 0, (folds, marks));
        }
        outline
    }

    fn add(&mut self, path: &Pointer, value: &Json, depth: usize, (folds, marks): (&Folds, &Marks)) {
        let place = self.open.len();
        let ghosts = ghosts(path, marks);
        let lines = match value {
            Json::Text(text) => lines(text, self.line),
            _ => Vec::new(),
        };
        self.visited += lines.len() as u64;
        let (line_count, ghost_count) = (lines.len(), ghosts.len());
        self.open.push(Open { path: path.clone(), value: value.clone(), depth, ghosts, lines });
        self.places.insert(path.clone(), place);
        let count = value.len().unwrap_or(0);
        let mut next = 0;
        for index in self.open_children(path, value, depth, folds) {
            let Some((segment, child)) = child(value, index) else { continue };
            self.push_run(place, Part::Children, next..index + 1);
            next = index + 1;
            self.add(&path.child(segment), child, depth + 1, (folds, marks));
        }
        self.push_run(place, Part::Children, next..count);
        self.push_run(place, Part::Lines, 0..line_count);
        self.push_run(place, Part::Ghosts, 0..ghost_count);
    }

    fn push_run(&mut self, open: usize, part: Part, range: Range<usize>) {
        if !range.is_empty() {
            self.runs.push(Run { first_row: self.rows, open, part, first: range.start, count: range.len() });
            self.rows += range.len() as u64;
        }
    }

    /// The places of the children that are open. Large nodes are not walked: only what the user opened counts.
    fn open_children(&mut self, path: &Pointer, value: &Json, depth: usize, folds: &Folds) -> Vec<usize> {
        let count = value.len().unwrap_or(0);
        if count <= OPEN_CHILDREN {
            self.visited += count as u64;
            let may_open = depth < OPEN_DEPTH && self.rows + (count as u64) < OPEN_ROWS;
            let is_open = |index: &usize| {
                child(value, *index).is_some_and(|(segment, node)| {
                    let by_itself = may_open && has_parts(node) && node.len().unwrap_or(0) <= OPEN_CHILDREN;
                    can_open(node)
                        && folds.get(&path.child(segment)).copied().unwrap_or(by_itself)
                        && !is_shadowed(value, *index)
                })
            };
            return (0..count).filter(is_open).collect();
        }
        let below = folds.range(path.clone()..).take_while(|(fold, _)| path.contains(fold));
        let own = path.segments().len() + 1;
        let opened = below.filter(|(fold, is_open)| **is_open && fold.segments().len() == own);
        let mut places: Vec<usize> = opened
            .filter_map(|(fold, _)| child_place(value, fold.segments().last()?))
            .filter(|index| child(value, *index).is_some_and(|(_, node)| can_open(node)))
            .collect();
        self.visited += places.len() as u64;
        places.sort_unstable();
        places.dedup();
        places
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn item(&self, row: u64, marks: &Marks) -> Option<Item> {
        let run = self.runs.get(self.runs.partition_point(|run| run.first_row <= row).checked_sub(1)?)?;
        let at = usize::try_from(row - run.first_row).ok().filter(|at| *at < run.count)? + run.first;
        let open = self.open.get(run.open)?;
        let blank = Item {
            path: open.path.clone(),
            depth: open.depth,
            key: None,
            value: open.value.clone(),
            can_open: false,
            is_open: false,
            is_ghost: false,
            is_shadowed: false,
            line: None,
        };
        match run.part {
            Part::Whole => Some(blank),
            Part::Lines => {
                let text = open.value.as_text()?.get(open.lines.get(at)?.clone())?;
                Some(Item { line: Some(text.to_owned()), ..blank })
            }
            Part::Ghosts => {
                let path = open.ghosts.get(at)?.clone();
                let Some(Mark::Removed { old }) = marks.get(&path) else { return None };
                Some(Item {
                    key: path.segments().last().cloned(),
                    value: old.clone(),
                    is_ghost: true,
                    path,
                    ..blank
                })
            }
            Part::Children => {
                let (segment, value) = child(&open.value, at)?;
                let path = open.path.child(segment.clone());
                let is_shadowed = is_shadowed(&open.value, at);
                Some(Item {
                    key: Some(segment),
                    can_open: can_open(value) && !is_shadowed,
                    is_open: !is_shadowed && self.places.contains_key(&path),
                    value: value.clone(),
                    path,
                    is_shadowed,
                    ..blank
                })
            }
        }
    }

    /// The row of a node, if all above it are open.
    pub(super) fn row_of(&self, path: &Pointer) -> Option<u64> {
        let row = |run: &Run, at: usize| {
            (run.first..run.first + run.count).contains(&at).then(|| run.first_row + (at - run.first) as u64)
        };
        let Some(parent) = path.parent() else {
            return self.runs.iter().find(|run| run.part == Part::Whole).map(|run| run.first_row);
        };
        let place = *self.places.get(&parent)?;
        let open = self.open.get(place)?;
        let (part, at) = match open.ghosts.iter().position(|ghost| ghost == path) {
            Some(at) => (Part::Ghosts, at),
            None => (Part::Children, child_place(&open.value, path.segments().last()?)?),
        };
        self.runs.iter().filter(|run| run.open == place && run.part == part).find_map(|run| row(run, at))
    }
}

pub(super) fn can_open(value: &Json) -> bool {
    match value {
        Json::Text(text) => text.len() > LONG_TEXT || text.contains('\n'),
        _ => has_parts(value),
    }
}

fn has_parts(value: &Json) -> bool {
    value.len().is_some_and(|count| count > 0)
}

fn child(value: &Json, index: usize) -> Option<(Segment, &Json)> {
    match value {
        Json::Array(items) => Some((Segment::Index(index), items.get(index)?)),
        Json::Object(object) => {
            let (name, value) = object.member(index)?;
            Some((Segment::Name(Arc::clone(name)), value))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => None,
    }
}

fn child_place(value: &Json, segment: &Segment) -> Option<usize> {
    match (value, segment) {
        (Json::Array(items), Segment::Index(index)) => (*index < items.len()).then_some(*index),
        (Json::Object(object), segment) => {
            let text;
            let name = match segment {
                Segment::Name(name) => &**name,
                Segment::Index(index) => {
                    text = index.to_string();
                    text.as_str()
                }
            };
            let from_end = object.iter().rev().position(|(key, _)| **key == *name)?;
            object.len().checked_sub(from_end + 1)
        }
        _ => None,
    }
}

/// Whether a later member has the same name. Not asked of very large objects: it would cost too much.
fn is_shadowed(value: &Json, index: usize) -> bool {
    let Some(object) = value.as_object().filter(|object| object.len() <= 1000) else { return false };
    object
        .member(index)
        .is_some_and(|(name, own)| !object.get(name).is_some_and(|last| std::ptr::eq(last, own)))
}

fn ghosts(path: &Pointer, marks: &Marks) -> Vec<Pointer> {
    let own = path.segments().len() + 1;
    let below = marks.range(path.clone()..).take_while(|(place, _)| path.contains(place));
    below
        .filter(|(place, mark)| place.segments().len() == own && matches!(mark, Mark::Removed { .. }))
        .map(|(place, _)| place.clone())
        .collect()
}

/// A long text cut at its line ends and, after so many characters, at the last space.
fn lines(text: &str, longest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut length) = (0, 0);
    // Where the line may be cut, and how many characters of it come before.
    let mut space: Option<(usize, usize)> = None;
    for (at, c) in text.char_indices() {
        if c == '\n' {
            lines.push(start..at);
            (start, length, space) = (at + 1, 0, None);
            continue;
        }
        if length == longest {
            let (cut, before) =
                space.take().filter(|(_, before)| *before > longest / 2).unwrap_or((at, length));
            lines.push(start..cut);
            (start, length) = (cut, length - before);
        }
        length += 1;
        if c == ' ' {
            space = Some((at + 1, length));
        }
    }
    lines.push(start..text.len());
    lines
}

#[cfg(test)]
mod tests {
    use super::{Folds, Json, Mark, Marks, Outline, Pointer, lines};

    fn read(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn check(value: &Json, folds: &[(&str, bool)], marks: &Marks, expected: &str) {
        let folds: Folds = folds.iter().map(|(path, open)| (Pointer::parse(path).unwrap(), *open)).collect();
        let outline = Outline::build(value, &folds, marks, 96);
        let rows: Vec<String> = (0..outline.rows())
            .map(|row| {
                let item = outline.item(row, marks).expect("every row has an item");
                if item.line.is_none() && !item.is_shadowed {
                    assert_eq!(outline.row_of(&item.path), Some(row), "{}", item.path);
                }
                format!(
                    "{}{}{}",
                    item.path,
                    if item.is_open { "▾" } else { "" },
                    if item.is_ghost { "†" } else { "" }
                )
            })
            .collect();
        assert_eq!(rows.join(" "), expected);
        assert!(outline.item(outline.rows(), marks).is_none());
    }

    #[test]
    fn nodes_open_and_close() {
        let value = read(r#"{"a":1,"b":{"c":{"d":{"e":2}}},"f":[3,4]}"#);
        let none = Marks::new();
        check(&value, &[], &none, "/a /b▾ /b/c▾ /b/c/d /f▾ /f/0 /f/1");
        check(&value, &[("/b", false), ("/f", false)], &none, "/a /b /f");
        check(&value, &[("/b/c/d", true), ("/f", false)], &none, "/a /b▾ /b/c▾ /b/c/d▾ /b/c/d/e /f");
    }

    #[test]
    fn roots_without_parts_are_one_row() {
        let none = Marks::new();
        check(&read("7"), &[], &none, "");
        check(&read("{}"), &[], &none, "");
        assert_eq!(Outline::build(&read("null"), &Folds::new(), &none, 96).rows(), 1);
    }

    #[test]
    fn what_is_gone_is_a_ghost_at_the_end_of_its_parent() {
        let gone = |path: &str| (Pointer::parse(path).unwrap(), Mark::Removed { old: Json::Null });
        let marks = Marks::from([gone("/note"), gone("/f/2")]);
        check(&read(r#"{"a":1,"f":[3,4]}"#), &[], &marks, "/a /f▾ /f/0 /f/1 /f/2† /note†");
    }

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        let outline = Outline::build(&read(r#"{"a":{"b":1},"a":{"b":2}}"#), &Folds::new(), &Marks::new(), 96);
        let shadowed: Vec<bool> = (0..outline.rows())
            .filter_map(|row| outline.item(row, &Marks::new()))
            .map(|item| item.is_shadowed)
            .collect();
        assert_eq!(shadowed, [true, false, false]);
    }

    #[test]
    fn a_large_value_costs_what_is_open() {
        let items = Json::array((0..100_000_u64).map(|id| Json::object([("id", Json::from(id))])));
        let value = Json::object([("items", items), ("name", Json::from("x"))]);
        let folds: Folds = [("/items", true), ("/items/70000", true)]
            .into_iter()
            .map(|(path, open)| (Pointer::parse(path).unwrap(), open))
            .collect();
        let outline = Outline::build(&value, &folds, &Marks::new(), 96);
        assert_eq!(outline.rows(), 100_003);
        assert!(outline.visited < 10, "{} nodes looked at", outline.visited);
        let item = outline.item(70_002, &Marks::new()).expect("an item");
        assert_eq!(item.path.to_string(), "/items/70000/id");
        assert_eq!(outline.row_of(&Pointer::parse("/name").unwrap()), Some(100_002));
    }

    #[test]
    fn long_texts_are_cut_into_lines() {
        let text = format!("one\n\n{}ж{}", "a".repeat(95), "b".repeat(10));
        let parts: Vec<&str> = lines(&text, 96).into_iter().filter_map(|range| text.get(range)).collect();
        assert_eq!(parts, ["one", "", &format!("{}ж", "a".repeat(95)), &"b".repeat(10)]);
        let text = "no word is cut if there is a space to cut at";
        let parts: Vec<&str> = lines(text, 16).into_iter().filter_map(|range| text.get(range)).collect();
        assert_eq!(parts, ["no word is cut ", "if there is a ", "space to cut at"]);
    }
}
