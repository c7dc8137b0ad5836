//! Which events changed which path: made while a history is folded, asked by blame.
//!
//! A tree of paths, each with the counts of the events that changed what it leads to: itself or
//! anything in it. A path that was never written has no counts. A budget bounds the tree: when it is
//! spent, the widest nodes are closed, which forgets what happened to which of their parts and
//! keeps that something did. What is below a closed node has to be looked for in the states.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{Array, Json, Object, Pointer, Segment};

/// The events that changed each path, as far as the history was folded.
#[derive(Debug, Clone)]
pub struct ChangeIndex {
    /// The first is the root.
    nodes: Vec<Node>,
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

/// A path in the index, while a step is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u32);

/// Notes what one step changed: what a reducer knows of it, or what two states tell. After it the step is
/// [passed](ChangeIndex::pass).
#[derive(Debug)]
pub struct StepNotes<'n> {
    index: &'n mut ChangeIndex,
    count: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    writes: Counts,
    parts: Parts,
    is_closed: bool,
}

/// The paths below a path, in the order in which they were first written.
#[derive(Debug, Clone, Default)]
struct Parts {
    /// Names, and where their nodes are.
    named: Vec<(Arc<str>, u32)>,
    /// What few nodes have, so that the others lie close together.
    rare: Option<Box<RareParts>>,
}

#[derive(Debug, Clone, Default)]
struct RareParts {
    /// Which name is where, if there are many.
    lookup: BTreeMap<Arc<str>, u32>,
    items: BTreeMap<usize, u32>,
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
        Self {
            nodes: vec![Node::default()],
            known_to: 0,
            bytes: 0,
            budget_bytes,
            closed: 0,
            is_given_up: false,
        }
    }

    /// How many steps are noted, from the first.
    #[must_use]
    pub fn known_to(&self) -> usize {
        self.known_to
    }

    /// Notes what the step with this count changed, if it is the next.
    pub fn note(&mut self, count: usize, before: &Json, after: &Json) {
        if let Some(mut notes) = self.step(count) {
            notes.mark(Place::ROOT, Some(before), Some(after));
        }
        self.pass(count);
    }

    /// Begins to note the step with this count, if it is the next and anything can be noted still.
    pub(crate) fn step(&mut self, count: usize) -> Option<StepNotes<'_>> {
        let is_next = count == self.known_to + 1 && !self.is_given_up;
        is_next.then_some(StepNotes { index: self, count })
    }

    /// All that the step with this count changed is noted, if it is the next.
    pub(crate) fn pass(&mut self, count: usize) {
        if count == self.known_to + 1 {
            self.known_to = count;
            self.keep_within_budget();
        }
    }

    /// The events that changed the path, among those noted.
    #[must_use]
    pub fn find(&self, path: &Pointer) -> Noted {
        if self.is_given_up {
            return Noted::Unknown;
        }
        let Some(mut node) = self.nodes.first() else { return Noted::Unknown };
        for segment in path.segments() {
            if node.is_closed {
                return Noted::Among(node.writes.to_vec());
            }
            let part = match canonical(segment) {
                Segment::Index(index) => node.parts.item(index),
                Segment::Name(name) => node.parts.find(&name, 0),
            };
            match part.and_then(|at| self.nodes.get(at as usize)) {
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
        self.nodes.clone_from(&old.nodes);
        if self.known_to < old.known_to {
            for node in &mut self.nodes {
                node.writes.cut(self.known_to);
            }
        }
        self.bytes = self.counted_bytes();
        self.keep_within_budget();
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

    /// From now on it may take so much, in bytes.
    pub fn set_budget(&mut self, budget_bytes: usize) {
        self.budget_bytes = budget_bytes;
        self.keep_within_budget();
    }

    fn keep_within_budget(&mut self) {
        while self.bytes > self.budget_bytes && !self.is_given_up {
            self.coarsen();
        }
    }

    /// Closes the widest nodes: lists that grow and maps of many keys, while the fields of a record
    /// stay apart. If nothing is left to close, the index is given up.
    fn coarsen(&mut self) {
        let widest = self.nodes.iter().map(|node| node.parts.len()).max().unwrap_or(0);
        if widest == 0 {
            self.nodes = vec![Node::default()];
            self.is_given_up = true;
        } else {
            let mut kept = Vec::new();
            self.closed += self.keep_narrow(0, widest.div_ceil(2), &mut kept);
            self.nodes = kept;
        }
        self.bytes = self.counted_bytes();
    }

    /// Moves a node and what is below it to `kept`, closing those of at least so many parts; tells how many
    /// were closed.
    fn keep_narrow(&mut self, at: u32, width: usize, kept: &mut Vec<Node>) -> usize {
        let Some(mut node) = self.nodes.get_mut(at as usize).map(std::mem::take) else { return 0 };
        let mut parts = std::mem::take(&mut node.parts);
        let is_wide = parts.len() >= width;
        node.is_closed |= is_wide;
        let place = kept.len();
        kept.push(node);
        if is_wide {
            return 1;
        }
        let mut closed = 0;
        let items = parts.rare.iter_mut().flat_map(|rare| rare.items.values_mut());
        for part in parts.named.iter_mut().map(|(_, part)| part).chain(items) {
            let moved = kept.len() as u32;
            closed += self.keep_narrow(*part, width, kept);
            *part = moved;
        }
        if let Some(node) = kept.get_mut(place) {
            node.parts = parts;
            node.parts.index();
        }
        closed
    }

    fn counted_bytes(&self) -> usize {
        self.nodes.iter().map(|node| Node::BYTES + node.writes.bytes.len()).sum()
    }
}

impl Place {
    /// Nothing is noted there: what is above is closed.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    /// The path of the whole state.
    pub(crate) const ROOT: Self = Self(0);
}

impl StepNotes<'_> {
    /// The path of a member. The hint is about where among its siblings it was first written.
    pub(crate) fn part(&mut self, of: Place, name: &Arc<str>, hint: usize) -> Place {
        match number_of(name) {
            Some(index) => self.item(of, index),
            None => {
                let Some(node) = self.open(of) else { return Place::NOWHERE };
                match node.parts.find(name, hint) {
                    Some(found) => Place(found),
                    None => self.grow(of, |parts, new| parts.add(Arc::clone(name), new)),
                }
            }
        }
    }

    fn item(&mut self, of: Place, index: usize) -> Place {
        let Some(node) = self.open(of) else { return Place::NOWHERE };
        match node.parts.item(index) {
            Some(found) => Place(found),
            None => self.grow(of, |parts, new| {
                parts.rare.get_or_insert_default().items.insert(index, new);
            }),
        }
    }

    /// A step changed a place from one value to another, which differ.
    pub(crate) fn wrote(&mut self, at: Place, old: Option<&Json>, new: Option<&Json>) {
        if is_scalar(old) && is_scalar(new) {
            self.wrote_inside(at);
        } else {
            self.mark(at, old, new);
        }
    }

    /// A step changed something in a place, and what is noted already.
    pub(crate) fn wrote_inside(&mut self, at: Place) {
        if let Some(node) = self.index.nodes.get_mut(at.0 as usize) {
            self.index.bytes += node.writes.push(self.count);
        }
    }

    fn open(&self, at: Place) -> Option<&Node> {
        self.index.nodes.get(at.0 as usize).filter(|node| !node.is_closed)
    }

    fn grow(&mut self, of: Place, add: impl FnOnce(&mut Parts, u32)) -> Place {
        let new = self.index.nodes.len() as u32;
        if let Some(node) = self.index.nodes.get_mut(of.0 as usize) {
            add(&mut node.parts, new);
        }
        self.index.nodes.push(Node::default());
        self.index.bytes += Node::BYTES;
        Place(new)
    }

    /// Notes the step at every path from `at` on that holds another value after it than before;
    /// tells whether `at` does.
    fn mark(&mut self, at: Place, old: Option<&Json>, new: Option<&Json>) -> bool {
        let is_changed = if self.open(at).is_none() {
            old != new
        } else {
            match (old, new) {
                (Some(old), Some(new)) if old.is_same_node(new) => false,
                (Some(Json::Object(old)), Some(Json::Object(new))) => self.objects(at, old, new),
                (Some(Json::Array(old)), Some(Json::Array(new))) => self.arrays(at, old, new),
                _ if is_scalar(old) && is_scalar(new) => old != new,
                _ => {
                    self.parts(at, parts(old), parts(new));
                    true
                }
            }
        };
        if is_changed {
            self.wrote_inside(at);
        }
        is_changed
    }

    /// Most steps change members in place: then both sides line up and no look-up is needed.
    fn objects(&mut self, at: Place, old: &Arc<Object>, new: &Arc<Object>) -> bool {
        let line_up =
            old.len() == new.len() && old.iter().zip(new.iter()).all(|((left, _), (right, _))| left == right);
        if !line_up {
            let both = |object: &Arc<Object>| parts(Some(&Json::Object(Arc::clone(object))));
            return self.parts(at, both(old), both(new));
        }
        let mut is_changed = false;
        for (place, ((name, before), (_, after))) in old.iter().zip(new.iter()).enumerate() {
            // Of members with one name the last counts.
            let counts = || new.get(name).is_some_and(|counting| std::ptr::eq(counting, after));
            if is_equal_at_a_glance(before, after) || !counts() {
                continue;
            }
            let part = self.part(at, name, place);
            is_changed |= self.mark(part, Some(before), Some(after));
        }
        is_changed
    }

    fn arrays(&mut self, at: Place, old: &Array, new: &Array) -> bool {
        let mut is_changed = false;
        let (mut before, mut after) = (old.iter(), new.iter());
        for index in 0..old.len().max(new.len()) {
            let (before, after) = (before.next(), after.next());
            if before.zip(after).is_some_and(|(before, after)| is_equal_at_a_glance(before, after)) {
                continue;
            }
            let part = self.item(at, index);
            is_changed |= self.mark(part, before, after);
        }
        is_changed
    }

    fn parts(&mut self, at: Place, old: BTreeMap<Segment, Json>, mut new: BTreeMap<Segment, Json>) -> bool {
        let mut is_changed = false;
        for (segment, before) in old {
            let after = new.remove(&segment);
            if after.as_ref().is_some_and(|after| is_equal_at_a_glance(&before, after)) {
                continue;
            }
            let part = self.segment(at, &segment);
            is_changed |= self.mark(part, Some(&before), after.as_ref());
        }
        for (segment, after) in new {
            let part = self.segment(at, &segment);
            is_changed |= self.mark(part, None, Some(&after));
        }
        is_changed
    }

    fn segment(&mut self, at: Place, segment: &Segment) -> Place {
        match segment {
            Segment::Index(index) => self.item(at, *index),
            Segment::Name(name) => self.part(at, name, 0),
        }
    }
}

impl Node {
    /// About what a node takes among its siblings, in bytes.
    const BYTES: usize = 160;
}

impl Parts {
    /// More names than this are looked up and not tried one after the other.
    const FEW: usize = 12;

    fn len(&self) -> usize {
        self.named.len() + self.rare.as_ref().map_or(0, |rare| rare.items.len())
    }

    fn item(&self, index: usize) -> Option<u32> {
        self.rare.as_ref()?.items.get(&index).copied()
    }

    fn find(&self, name: &Arc<str>, hint: usize) -> Option<u32> {
        if let Some((_, node)) = self.named.get(hint).filter(|(other, _)| Arc::ptr_eq(other, name)) {
            return Some(*node);
        }
        if self.named.len() > Self::FEW {
            return self.rare.as_ref()?.lookup.get(name).copied();
        }
        self.named.iter().find(|(other, _)| other == name).map(|(_, node)| *node)
    }

    fn add(&mut self, name: Arc<str>, node: u32) {
        if self.named.len() > Self::FEW {
            self.rare.get_or_insert_default().lookup.insert(Arc::clone(&name), node);
        }
        self.named.push((name, node));
        if self.named.len() == Self::FEW + 1 {
            self.index();
        }
    }

    /// Makes the look-up, if there are many names.
    fn index(&mut self) {
        if self.named.len() > Self::FEW {
            self.rare.get_or_insert_default().lookup = self.named.iter().cloned().collect();
        }
    }
}

impl Counts {
    /// Adds a number above all others, or the last one again; tells how many bytes it took.
    fn push(&mut self, count: usize) -> usize {
        if self.last == count {
            return 0;
        }
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
    number_of(name).map_or_else(|| Segment::Name(Arc::clone(name)), Segment::Index)
}

fn number_of(name: &str) -> Option<usize> {
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    name.parse::<usize>().ok().filter(|index| index.to_string() == *name)
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
