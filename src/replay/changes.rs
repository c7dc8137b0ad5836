//! Which events changed which path: made while a history is folded, asked by blame.
//!
//! A tree of paths, each with the counts of the events that changed what it leads to: itself or
//! anything in it. A path that was never written has no node. A budget bounds the tree: when it is
//! spent, the widest nodes are closed, which forgets what happened to which of their parts and
//! keeps that something did. What is below a closed node has to be looked for in the states.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{Json, Object, Pointer, Segment};

/// The events that changed each path, as far as the history was folded.
#[derive(Debug, Clone)]
pub struct ChangeIndex {
    root: Node,
    /// Every step up to the one with this count is noted.
    known_to: usize,
    bytes: usize,
    budget_bytes: usize,
    closed: usize,
    is_given_up: bool,
}

/// What the index knows of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// Exactly these events changed it, by their counts.
    Exactly(Vec<usize>),
    /// No others than these.
    Among(Vec<usize>),
    /// Nothing: the index was given up.
    Unknown,
}

/// How large the index is, for the debug panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeFigures {
    /// About how much memory it takes, in bytes.
    pub bytes: usize,
    /// How much it may take, in bytes.
    pub budget_bytes: usize,
    /// How many paths no longer tell their parts apart.
    pub closed: usize,
    /// Whether it was given up.
    pub is_given_up: bool,
}

#[derive(Debug, Clone, Default)]
struct Node {
    writes: Counts,
    parts: BTreeMap<Segment, Self>,
    is_closed: bool,
}

/// Rising numbers, each as its distance from the one before, in seven bits a byte.
#[derive(Debug, Clone, Default)]
struct Counts {
    bytes: Vec<u8>,
    last: usize,
}

impl ChangeIndex {
    /// An index of nothing. The budget is in bytes.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Self {
        Self { root: Node::default(), known_to: 0, bytes: 0, budget_bytes, closed: 0, is_given_up: false }
    }

    /// How many steps are noted, from the first.
    #[must_use]
    pub fn known_to(&self) -> usize {
        self.known_to
    }

    /// Notes what the step with this count changed, if it is the next.
    pub fn note(&mut self, count: usize, before: &Json, after: &Json) {
        if count != self.known_to + 1 {
            return;
        }
        self.known_to = count;
        if self.is_given_up {
            return;
        }
        let mut marking = Marking { count, grown: 0 };
        marking.mark(&mut self.root, Some(before), Some(after));
        self.bytes += marking.grown;
        while self.bytes > self.budget_bytes && !self.is_given_up {
            self.coarsen();
        }
    }

    /// The events that changed the path, among those noted.
    #[must_use]
    pub fn find(&self, path: &Pointer) -> Noted {
        if self.is_given_up {
            return Noted::Unknown;
        }
        let mut node = &self.root;
        for segment in path.segments() {
            if node.is_closed {
                return Noted::Among(node.writes.to_vec());
            }
            match node.parts.get(&canonical(segment)) {
                Some(part) => node = part,
                None => return Noted::Exactly(Vec::new()),
            }
        }
        Noted::Exactly(node.writes.to_vec())
    }

    /// Takes over what another index knows of the first `up_to` steps, if this one knows nothing.
    pub fn adopt(&mut self, old: &Self, up_to: usize) {
        if self.known_to > 0 {
            return;
        }
        self.known_to = old.known_to.min(up_to);
        self.is_given_up = old.is_given_up;
        self.closed = old.closed;
        self.root = old.root.clone();
        if self.known_to < old.known_to {
            self.root.cut(self.known_to);
        }
        self.bytes = self.root.bytes();
        while self.bytes > self.budget_bytes && !self.is_given_up {
            self.coarsen();
        }
    }

    /// How large it is.
    #[must_use]
    pub fn figures(&self) -> ChangeFigures {
        ChangeFigures {
            bytes: self.bytes,
            budget_bytes: self.budget_bytes,
            closed: self.closed,
            is_given_up: self.is_given_up,
        }
    }

    /// Closes the widest nodes: lists that grow and maps of many keys, while the fields of a record
    /// stay apart. If nothing is left to close, the index is given up.
    fn coarsen(&mut self) {
        let widest = self.root.widest();
        if widest == 0 {
            self.root = Node::default();
            self.is_given_up = true;
        } else {
            self.closed += self.root.close(widest.div_ceil(2));
        }
        self.bytes = self.root.bytes();
    }
}

/// Notes one step.
struct Marking {
    count: usize,
    /// Memory that it took, in bytes.
    grown: usize,
}

impl Marking {
    /// Notes the step at every path from `node` on that holds another value after it than before;
    /// tells whether `node` does.
    fn mark(&mut self, node: &mut Node, old: Option<&Json>, new: Option<&Json>) -> bool {
        let is_changed = if node.is_closed {
            old != new
        } else {
            match (old, new) {
                (Some(old), Some(new)) if old.is_same_node(new) => false,
                (Some(Json::Object(old)), Some(Json::Object(new))) => self.objects(node, old, new),
                (Some(Json::Array(old)), Some(Json::Array(new))) => self.arrays(node, old, new),
                _ if is_scalar(old) && is_scalar(new) => old != new,
                _ => {
                    self.parts(node, parts(old), parts(new));
                    true
                }
            }
        };
        if is_changed {
            self.grown += node.writes.push(self.count);
        }
        is_changed
    }

    /// Most steps change members in place: then both sides line up and no look-up is needed.
    fn objects(&mut self, node: &mut Node, old: &Arc<Object>, new: &Arc<Object>) -> bool {
        let line_up =
            old.len() == new.len() && old.iter().zip(new.iter()).all(|((left, _), (right, _))| left == right);
        if !line_up {
            let both = |object: &Arc<Object>| parts(Some(&Json::Object(Arc::clone(object))));
            return self.parts(node, both(old), both(new));
        }
        let mut is_changed = false;
        for ((name, before), (_, after)) in old.iter().zip(new.iter()) {
            // Of members with one name the last counts.
            let counts = || new.get(name).is_some_and(|counting| std::ptr::eq(counting, after));
            if is_equal_at_a_glance(before, after) || !counts() {
                continue;
            }
            is_changed |= self.mark_part(node, segment_of(name), Some(before), Some(after));
        }
        is_changed
    }

    fn arrays(&mut self, node: &mut Node, old: &[Json], new: &[Json]) -> bool {
        let mut is_changed = false;
        for index in 0..old.len().max(new.len()) {
            let (before, after) = (old.get(index), new.get(index));
            if before.zip(after).is_some_and(|(before, after)| is_equal_at_a_glance(before, after)) {
                continue;
            }
            is_changed |= self.mark_part(node, Segment::Index(index), before, after);
        }
        is_changed
    }

    fn parts(
        &mut self,
        node: &mut Node,
        old: BTreeMap<Segment, Json>,
        mut new: BTreeMap<Segment, Json>,
    ) -> bool {
        let mut is_changed = false;
        for (segment, before) in old {
            let after = new.remove(&segment);
            if after.as_ref().is_some_and(|after| is_equal_at_a_glance(&before, after)) {
                continue;
            }
            is_changed |= self.mark_part(node, segment, Some(&before), after.as_ref());
        }
        for (segment, after) in new {
            is_changed |= self.mark_part(node, segment, None, Some(&after));
        }
        is_changed
    }

    fn mark_part(
        &mut self,
        node: &mut Node,
        segment: Segment,
        old: Option<&Json>,
        new: Option<&Json>,
    ) -> bool {
        let grown = &mut self.grown;
        let part = node.parts.entry(segment).or_insert_with(|| {
            *grown += Node::BYTES;
            Node::default()
        });
        self.mark(part, old, new)
    }
}

impl Node {
    /// About what a node takes among its siblings, in bytes.
    const BYTES: usize = 160;

    fn bytes(&self) -> usize {
        Self::BYTES + self.writes.bytes.len() + self.parts.values().map(Self::bytes).sum::<usize>()
    }

    /// The most parts that any node has.
    fn widest(&self) -> usize {
        self.parts.values().map(Self::widest).max().unwrap_or(0).max(self.parts.len())
    }

    /// Closes every node of at least so many parts; tells how many were closed.
    fn close(&mut self, width: usize) -> usize {
        if self.parts.len() >= width {
            self.parts.clear();
            self.is_closed = true;
            return 1;
        }
        self.parts.values_mut().map(|part| part.close(width)).sum()
    }

    /// Forgets what came after the step with this count.
    fn cut(&mut self, up_to: usize) {
        self.writes.cut(up_to);
        self.parts.values_mut().for_each(|part| part.cut(up_to));
        self.parts.retain(|_, part| part.is_closed || !part.writes.bytes.is_empty());
    }
}

impl Counts {
    /// Adds a number above all others; tells how many bytes it took.
    fn push(&mut self, count: usize) -> usize {
        let before = self.bytes.len();
        let mut rest = count.saturating_sub(self.last);
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
        self.last = count;
        self.bytes.len() - before
    }

    fn to_vec(&self) -> Vec<usize> {
        let (mut counts, mut last, mut distance, mut shift) = (Vec::new(), 0, 0, 0);
        for byte in &self.bytes {
            distance |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                last += distance;
                counts.push(last);
                (distance, shift) = (0, 0);
            }
        }
        counts
    }

    fn cut(&mut self, up_to: usize) {
        if self.last <= up_to {
            return;
        }
        let counts = self.to_vec();
        *self = Self::default();
        for count in counts.into_iter().take_while(|count| *count <= up_to) {
            self.push(count);
        }
    }
}

/// Equal without a walk: the same node, or two equal scalars.
fn is_equal_at_a_glance(old: &Json, new: &Json) -> bool {
    old.is_same_node(new) || (is_scalar(Some(old)) && is_scalar(Some(new)) && old == new)
}

fn is_scalar(value: Option<&Json>) -> bool {
    value.is_none_or(|value| value.len().is_none())
}

/// What is in a value, by the last step of its path.
fn parts(value: Option<&Json>) -> BTreeMap<Segment, Json> {
    match value {
        Some(Json::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| (Segment::Index(index), item.clone())).collect()
        }
        Some(Json::Object(object)) => {
            object.iter().map(|(name, value)| (segment_of(name), value.clone())).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// A pointer cannot tell the member `0` from the first item, so the index does not either.
fn segment_of(name: &Arc<str>) -> Segment {
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    match name.parse::<usize>() {
        Ok(index) if is_number && index.to_string() == **name => Segment::Index(index),
        _ => Segment::Name(Arc::clone(name)),
    }
}

fn canonical(segment: &Segment) -> Segment {
    match segment {
        Segment::Index(index) => Segment::Index(*index),
        Segment::Name(name) => segment_of(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{ChangeIndex, Counts, Noted};
    use crate::model::{Json, Pointer};

    /// Notes the steps between these states and asks for a path.
    fn check(states: &[&str], budget: usize, path: &str, expected: &Noted) {
        let states: Vec<Json> = states.iter().map(|text| Json::parse(text.as_bytes()).unwrap()).collect();
        let mut index = ChangeIndex::new(budget);
        for (count, pair) in states.windows(2).enumerate() {
            index.note(count + 1, &pair[0], &pair[1]);
        }
        assert_eq!(&index.find(&Pointer::parse(path).unwrap()), expected, "{path}");
    }

    fn exactly(counts: &[usize]) -> Noted {
        Noted::Exactly(counts.to_vec())
    }

    #[test]
    fn a_path_knows_who_changed_it_or_anything_in_it() {
        let states = ["{}", r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":3,"c":2}}"#, r#"{"a":7}"#, r#"{"a":7.0}"#];
        for (path, counts) in [("", &[1, 2, 3][..]), ("/a", &[1, 2, 3]), ("/a/b", &[1, 2, 3])] {
            check(&states, 1 << 20, path, &exactly(counts));
        }
        check(&states, 1 << 20, "/a/c", &exactly(&[1, 3]));
        check(&states, 1 << 20, "/x", &exactly(&[]));
    }

    #[test]
    fn items_are_places() {
        let states = ["[1,2,3]", "[2,3]", "[2,3,9]", r#"{"0":2,"1":4}"#];
        check(&states, 1 << 20, "/0", &exactly(&[1]));
        check(&states, 1 << 20, "/1", &exactly(&[1, 3]));
        check(&states, 1 << 20, "/2", &exactly(&[1, 2, 3]));
    }

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        let states = [r#"{"a":1,"a":2}"#, r#"{"a":3,"a":2}"#, r#"{"a":3,"a":4}"#];
        check(&states, 1 << 20, "/a", &exactly(&[2]));
    }

    #[test]
    fn a_spent_budget_closes_what_is_wide_first() {
        let mut index = ChangeIndex::new(6000);
        let state = |count: usize| {
            let items = (0..count).map(Json::from);
            Json::object([("status", Json::from(count / 10)), ("items", Json::array(items))])
        };
        for count in 1..=100 {
            index.note(count, &state(count - 1), &state(count));
        }
        let find = |path: &str| index.find(&Pointer::parse(path).unwrap());
        assert_eq!(find("/status"), exactly(&(1..=10).map(|ten| ten * 10).collect::<Vec<_>>()));
        assert!(matches!(find("/items/3"), Noted::Among(counts) if counts.len() == 100));
        assert!(index.figures().bytes <= 6000);
        assert_eq!(index.figures().closed, 1);
    }

    #[test]
    fn no_budget_at_all_gives_up() {
        check(&["{}", r#"{"a":1}"#, r#"{"a":2}"#], 1, "/a", &Noted::Unknown);
    }

    #[test]
    fn what_is_taken_over_ends_where_it_should() {
        let mut old = ChangeIndex::new(1 << 20);
        let state = |count: usize| Json::object([("n", Json::from(count / 3)), ("last", Json::from(count))]);
        (1..=300).for_each(|count| old.note(count, &state(count - 1), &state(count)));
        let mut new = ChangeIndex::new(1 << 20);
        new.adopt(&old, 10);
        assert_eq!(new.known_to(), 10);
        assert_eq!(new.find(&Pointer::parse("/n").unwrap()), exactly(&[3, 6, 9]));
        new.note(11, &state(10), &state(12));
        assert_eq!(new.find(&Pointer::parse("/n").unwrap()), exactly(&[3, 6, 9, 11]));
    }

    #[test]
    fn numbers_come_back_as_they_went_in() {
        let numbers = [1, 2, 129, 130, 20_000, 5_000_000];
        let mut counts = Counts::default();
        for number in numbers {
            counts.push(number);
        }
        assert_eq!(counts.to_vec(), numbers);
        counts.cut(129);
        assert_eq!(counts.to_vec(), [1, 2, 129]);
    }
}
