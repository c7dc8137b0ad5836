//! Cutting a tree into ranges of about the same size.

use std::sync::Arc;

use crate::store::pages::{Damage, PageFile, Tree, tree::Descent};

/// A part of a tree: leaves from one place up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRange {
    pub(super) root: u32,
    /// The child to begin with, level by level; the first where it does not say.
    pub(super) from: Vec<u16>,
    /// The child to end before, level by level; empty for the end of the tree.
    pub(super) until: Vec<u16>,
}

impl PageRange {
    /// All of the tree with this root.
    #[must_use]
    pub fn whole(root: u32) -> Self {
        Self { root, from: Vec::new(), until: Vec::new() }
    }
}

impl PageFile {
    /// Cuts the tree with this root into at most `parts` ranges that together hold all of it, in its order.
    ///
    /// Reads inner pages only, and no more of them than it takes to tell enough places apart.
    pub fn cut(self: &Arc<Self>, root: u32, tree: Tree, parts: usize) -> Result<Vec<PageRange>, Damage> {
        let places = Descent::places(self, tree, root, parts.saturating_mul(4))?;
        let parts = parts.clamp(1, places.len().max(1));
        let mut ranges = Vec::with_capacity(parts);
        let mut from: Vec<u16> = Vec::new();
        for part in 1..parts {
            let Some(place) = places.get(places.len() * part / parts) else { continue };
            ranges.push(PageRange {
                root,
                from: std::mem::replace(&mut from, place.clone()),
                until: place.clone(),
            });
        }
        ranges.push(PageRange { root, from, until: Vec::new() });
        Ok(ranges)
    }
}
