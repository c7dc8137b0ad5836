//! From leaf to leaf of a tree, a run of neighbouring pages at a time.

use std::{ops::Range, sync::Arc};

use crate::store::pages::{
    Damage, PageFile, PageRange, Tree,
    leaf::{Cells, is_leaf},
    number::{four, two, varint},
};

/// No tree of SQLite is deeper.
pub(super) const MOST_LEVELS: usize = 20;

/// Bytes read at once where leaves lie side by side. They stay in the processor's cache until they are looked
/// at.
const RUN: usize = 128 << 10;

/// So many pages of others between two leaves are read along with them: that costs less than another call.
const GAP: u32 = 2;

/// Header of an interior page.
const HEADER: usize = 12;

/// A way along the leaves of a tree, in its order.
#[derive(Debug)]
pub(super) struct Descent {
    file: Arc<PageFile>,
    tree: Tree,
    root: u32,
    /// Where it ends: a child of each level, the last of them not visited. Empty for the end of the tree.
    until: Vec<u16>,
    /// From the root down to the parents of the leaves.
    levels: Vec<Level>,
    /// Interior levels of the tree; each leaf must lie below as many.
    depth: usize,
    /// A root that is the only page.
    single: Option<u32>,
    run: Run,
    /// Leaves that may still come: no sound tree has more than the file has pages.
    left: u64,
}

/// An interior page on the way.
#[derive(Debug)]
struct Level {
    number: u32,
    bytes: Vec<u8>,
    children: Vec<u32>,
    /// In a table, the greatest row number below each child but the last.
    keys: Vec<i64>,
    /// Row numbers below this page lie within; the low end excluded.
    bounds: (Option<i64>, i64),
    next: usize,
    end: usize,
    /// Whether the last child before `end` is only gone through in part.
    is_partial: bool,
    /// Whether the child before `next` was gone through, and the entry behind it is due.
    is_due: bool,
}

/// Neighbouring pages, read at once.
#[derive(Debug, Default)]
struct Run {
    first: u32,
    bytes: Vec<u8>,
    pages: Range<u32>,
}

/// What comes next on the way.
#[derive(Debug)]
pub(super) enum Step<'d> {
    /// A leaf: its bytes, its number and between which row numbers its own must lie.
    Leaf(&'d [u8], u32, (Option<i64>, i64)),
    /// An entry of an index that lies between two leaves: the cell behind the child's number, and its page.
    Between(&'d [u8], u32),
    /// No more.
    End,
}

impl Level {
    /// Reads and checks an interior page.
    fn read(file: &PageFile, tree: Tree, number: u32, bounds: (Option<i64>, i64)) -> Result<Self, Damage> {
        let mut bytes = Vec::new();
        file.read(number, 1, &mut bytes)?;
        if is_leaf(&bytes, number, tree)? {
            return Err(Damage::at(number, "a leaf among inner pages"));
        }
        let cells = Cells::of(&bytes, number, file.usable(), HEADER)?;
        let count = cells.len();
        if count == 0 {
            return Err(Damage::at(number, "an inner page without a cell"));
        }
        let mut children = Vec::with_capacity(count + 1);
        let mut keys = Vec::new();
        let mut low = bounds.0;
        for at in 0..count {
            let cell = cells.cell(at)?;
            children.push(four(cell, 0).unwrap_or_default());
            if tree == Tree::Table {
                let key = cell.get(4..).and_then(varint).map(|(key, _)| key as i64);
                let key = key.filter(|key| low.is_none_or(|low| *key > low) && *key <= bounds.1);
                let key = key.ok_or_else(|| Damage::at(number, "row numbers out of order"))?;
                low = Some(key);
                keys.push(key);
            }
        }
        children.push(cells.right());
        if children.iter().any(|child| *child < 2 || *child > file.pages()) {
            return Err(Damage::at(number, "a child that the file does not have"));
        }
        let end = children.len();
        Ok(Self { number, bytes, children, keys, bounds, next: 0, end, is_partial: false, is_due: false })
    }

    /// Between which row numbers a child lies.
    fn bounds_of(&self, child: usize) -> (Option<i64>, i64) {
        let low = child.checked_sub(1).and_then(|before| self.keys.get(before)).copied();
        (low.or(self.bounds.0), self.keys.get(child).copied().unwrap_or(self.bounds.1))
    }

    fn child(&self, at: usize) -> u32 {
        self.children.get(at).copied().unwrap_or_default()
    }
}

impl Descent {
    /// A way through a range of a tree. Nothing is read yet but the way down to its first leaf.
    pub(super) fn new(file: Arc<PageFile>, tree: Tree, range: &PageRange) -> Result<Self, Damage> {
        let mut descent = Self::at_root(file, tree, range.root)?;
        descent.until.clone_from(&range.until);
        descent.go_down(|_, depth| range.from.get(depth).map_or(0, |at| usize::from(*at)))?;
        Ok(descent)
    }

    /// A way through a table from behind a row number on.
    pub(super) fn behind(file: Arc<PageFile>, root: u32, rowid: Option<i64>) -> Result<Self, Damage> {
        let mut descent = Self::at_root(file, Tree::Table, root)?;
        let least = |level: &Level, _| match rowid {
            Some(rowid) => level.keys.partition_point(|key| *key <= rowid),
            None => 0,
        };
        descent.go_down(least)?;
        Ok(descent)
    }

    /// Finds out how deep the tree is, along its left edge.
    fn at_root(file: Arc<PageFile>, tree: Tree, root: u32) -> Result<Self, Damage> {
        let mut bytes = Vec::new();
        let (mut number, mut depth) = (root, 0);
        loop {
            file.read(number, 1, &mut bytes)?;
            if is_leaf(&bytes, number, tree)? {
                break;
            }
            depth += 1;
            if depth > MOST_LEVELS {
                return Err(Damage::at(root, "a tree without leaves"));
            }
            let cells = Cells::of(&bytes, number, file.usable(), HEADER)?;
            number = four(cells.cell(0)?, 0).unwrap_or_default();
        }
        let left = u64::from(file.pages());
        Ok(Self {
            file,
            tree,
            root,
            until: Vec::new(),
            levels: Vec::new(),
            depth,
            single: (depth == 0).then_some(root),
            run: Run::default(),
            left,
        })
    }

    /// The ways to at least `wanted` places of a tree, if it has as many, in its order.
    pub(super) fn places(
        file: &Arc<PageFile>,
        tree: Tree,
        root: u32,
        wanted: usize,
    ) -> Result<Vec<Vec<u16>>, Damage> {
        let depth = Self::at_root(Arc::clone(file), tree, root)?.depth;
        let mut places = vec![(Vec::new(), root)];
        for _ in 0..depth {
            if places.len() >= wanted {
                break;
            }
            let mut below = Vec::new();
            for (path, number) in places {
                let level = Level::read(file, tree, number, (None, i64::MAX))?;
                below.extend((0_u16..).zip(&level.children).map(|(at, child)| {
                    let path: Vec<u16> = path.iter().copied().chain([at]).collect();
                    (path, *child)
                }));
            }
            places = below;
        }
        Ok(places.into_iter().map(|(path, _)| path).collect())
    }

    /// Goes down to the parents of the leaves, at each level to the child that `choose` says.
    fn go_down(&mut self, choose: impl Fn(&Level, usize) -> usize) -> Result<(), Damage> {
        while self.levels.len() < self.depth {
            let depth = self.levels.len();
            let (number, bounds) = match self.levels.last_mut() {
                None => (self.root, (None, i64::MAX)),
                Some(level) => {
                    let at = level.next;
                    level.next += 1;
                    level.is_due = true;
                    (level.child(at), level.bounds_of(at))
                }
            };
            let mut level = self.level(number, bounds)?;
            level.next = choose(&level, depth).min(level.children.len() - 1);
            self.levels.push(level);
        }
        Ok(())
    }

    /// The level below the last one, cut off where the way ends.
    fn level(&self, number: u32, bounds: (Option<i64>, i64)) -> Result<Level, Damage> {
        let mut level = Level::read(&self.file, self.tree, number, bounds)?;
        let depth = self.levels.len();
        // The page lies on the way's end if every level above it has come to its own.
        let is_edge = self.levels.iter().all(|above| above.is_partial && above.next == above.end);
        if let Some(until) = self.until.get(depth).filter(|_| is_edge) {
            level.is_partial = depth + 1 < self.until.len();
            level.end = level.end.min(usize::from(*until) + usize::from(level.is_partial));
        }
        Ok(level)
    }

    /// Goes on to what comes next.
    pub(super) fn step(&mut self) -> Result<Step<'_>, Damage> {
        if let Some(number) = self.single.take() {
            return self.leaf(number, 1, (None, i64::MAX));
        }
        loop {
            let Some(level) = self.levels.last_mut() else { return Ok(Step::End) };
            if std::mem::take(&mut level.is_due)
                && self.tree == Tree::Index
                && level.next < level.children.len()
                && !(level.is_partial && level.next == level.end)
            {
                return self.between();
            }
            if level.next >= level.end {
                self.levels.pop();
                continue;
            }
            let at = level.next;
            level.next += 1;
            level.is_due = true;
            let (number, bounds) = (level.child(at), level.bounds_of(at));
            if self.levels.len() == self.depth {
                let wanted = self.neighbours(at);
                return self.leaf(number, wanted, bounds);
            }
            let level = self.level(number, bounds)?;
            self.levels.push(level);
        }
    }

    /// The entry behind the child that was gone through last.
    fn between(&self) -> Result<Step<'_>, Damage> {
        let Some(level) = self.levels.last() else { return Ok(Step::End) };
        let cells = Cells::of(&level.bytes, level.number, self.file.usable(), HEADER)?;
        let cell = cells.cell(level.next - 1)?;
        Ok(Step::Between(cell.get(4..).unwrap_or_default(), level.number))
    }

    /// How many pages to read at once, beginning with this child of the last level.
    fn neighbours(&self, at: usize) -> u32 {
        let Some(level) = self.levels.last() else { return 1 };
        let first = level.child(at);
        if self.run.pages.contains(&first) {
            return 1;
        }
        let following = level.children.get(at + 1..level.end).unwrap_or_default();
        neighbours(first, following.iter().copied(), self.file.page_size())
    }

    fn leaf(&mut self, number: u32, pages: u32, bounds: (Option<i64>, i64)) -> Result<Step<'_>, Damage> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Damage::at(number, "more leaves than the file has pages"))?;
        if !self.run.pages.contains(&number) {
            self.run.pages = 0..0;
            self.file.read(number, pages as usize, &mut self.run.bytes)?;
            self.run.first = number;
            self.run.pages = number..number + pages;
        }
        let size = self.file.page_size();
        let start = (number - self.run.first) as usize * size;
        let page = self.run.bytes.get(start..start + size).unwrap_or_default();
        if !is_leaf(page, number, self.tree)? {
            return Err(Damage::at(number, "an inner page among leaves"));
        }
        if !self.levels.is_empty() && two(page, 3) == Some(0) {
            return Err(Damage::at(number, "an empty page in a tree"));
        }
        Ok(Step::Leaf(page, number, bounds))
    }
}

/// How many pages to read at once from the first of some leaves on, so that those which follow it closely are
/// read with it.
pub(super) fn neighbours(first: u32, following: impl Iterator<Item = u32>, page_size: usize) -> u32 {
    let most = (RUN / page_size).max(1) as u32;
    let mut last = first;
    for next in following {
        let is_near = next > last && next - last <= GAP + 1 && next - first < most;
        if !is_near {
            break;
        }
        last = next;
    }
    last - first + 1
}
