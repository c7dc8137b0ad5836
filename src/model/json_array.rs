//! The items of an array. A long one is kept in chunks that copies share, so that adding an item at the
//! end, taking one from the front or changing one does not touch the others.

use std::{
    ops::Range,
    slice,
    sync::{Arc, LazyLock},
};

use crate::model::json::Json;

/// The items of a JSON array. A copy costs a pointer.
#[derive(Clone, Default)]
pub struct Array(Arc<Items>);

#[derive(Clone)]
enum Items {
    Flat(Vec<Json>),
    /// More than [`Array::FLAT`] items.
    Long(Long),
}

/// Chunks of [`Array::CHUNK`] items each, but for the last, which may be shorter.
#[derive(Clone)]
struct Long {
    chunks: Vec<Arc<Vec<Json>>>,
    /// Which of the items in the chunks are meant. What was taken from the front stays in the first chunk
    /// until all of it is gone.
    range: Range<usize>,
}

impl Array {
    /// Up to so many items lie side by side.
    const FLAT: usize = 96;

    /// Items in a chunk.
    const CHUNK: usize = 64;

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &*self.0 {
            Items::Flat(items) => items.len(),
            Items::Long(long) => long.range.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at a place.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Json> {
        match &*self.0 {
            Items::Flat(items) => items.get(index),
            Items::Long(long) if index < long.range.len() => {
                let at = long.range.start + index;
                long.chunks.get(at / Self::CHUNK)?.get(at % Self::CHUNK)
            }
            Items::Long(_) => None,
        }
    }

    /// The item at a place, to be changed: what others share is copied first, and no more than that.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Json> {
        if index >= self.len() {
            return None;
        }
        match Arc::make_mut(&mut self.0) {
            Items::Flat(items) => items.get_mut(index),
            Items::Long(long) => {
                let at = long.range.start + index;
                Arc::make_mut(long.chunks.get_mut(at / Self::CHUNK)?).get_mut(at % Self::CHUNK)
            }
        }
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: Json) {
        match Arc::make_mut(&mut self.0) {
            Items::Flat(items) if items.len() < Self::FLAT => items.push(item),
            Items::Flat(items) => {
                let items = std::mem::take(items);
                *self = items.into_iter().chain([item]).collect();
            }
            Items::Long(long) => long.push(item),
        }
    }

    /// Takes so many items from the front, or all there are.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        if count == 0 {
            return;
        }
        match Arc::make_mut(&mut self.0) {
            Items::Flat(items) => drop(items.drain(..count)),
            Items::Long(long) => long.narrow(long.range.start + count..long.range.end),
        }
        self.flatten();
    }

    /// Keeps no more than so many items.
    pub fn truncate(&mut self, length: usize) {
        if length >= self.len() {
            return;
        }
        match Arc::make_mut(&mut self.0) {
            Items::Flat(items) => items.truncate(length),
            Items::Long(long) => {
                long.narrow(long.range.start..long.range.start + length);
            }
        }
        self.flatten();
    }

    /// All items in order.
    #[must_use]
    pub fn iter(&self) -> ArrayIter<'_> {
        ArrayIter { array: self, range: 0..self.len(), here: [].iter() }
    }

    /// The items as a list of their own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Json> {
        self.iter().cloned().collect()
    }

    /// Whether both are one array in memory: equal without looking.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// These items, in memory shared with an array that held most of them, in this order: one from which
    /// some were taken at the front, some changed, and to which some were added at the end.
    #[must_use]
    pub fn sharing(items: Vec<Json>, before: &Self) -> Self {
        if items.len() <= Self::FLAT || !matches!(&*before.0, Items::Long(_)) {
            return items.into();
        }
        let first = items.first().cloned().unwrap_or_default();
        let gone = before.iter().position(|old| old.is_same_node(&first)).unwrap_or_default();
        let mut array = before.clone();
        array.drop_first(gone);
        array.truncate(items.len());
        let known = array.len();
        for (place, item) in items.into_iter().enumerate() {
            if place >= known {
                array.push(item);
            } else if array.get(place).is_none_or(|old| !old.is_same_value(&item))
                && let Some(old) = array.get_mut(place)
            {
                *old = item;
            }
        }
        array
    }

    /// The chunks of a long array, by where they lie in memory and with their items; nothing for a short one.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (*const Vec<Json>, &[Json])> {
        let chunks = match &*self.0 {
            Items::Flat(_) => &[],
            Items::Long(long) => long.chunks.as_slice(),
        };
        chunks.iter().map(|chunk| (Arc::as_ptr(chunk), chunk.as_slice()))
    }

    /// An array that became short is one again.
    fn flatten(&mut self) {
        if matches!(&*self.0, Items::Long(long) if long.range.len() <= Self::FLAT / 2) {
            *self = Self(Arc::new(Items::Flat(self.to_vec())));
        }
    }

    /// The items from a place on that lie side by side.
    fn run(&self, index: usize) -> &[Json] {
        match &*self.0 {
            Items::Flat(items) => items.get(index..),
            Items::Long(long) => {
                let at = long.range.start + index;
                long.chunks.get(at / Self::CHUNK).and_then(|chunk| chunk.get(at % Self::CHUNK..))
            }
        }
        .unwrap_or_default()
    }
}

impl Long {
    fn push(&mut self, item: Json) {
        match self.chunks.last_mut() {
            // What lies behind the end is no part of this array any more.
            Some(last) if !self.range.end.is_multiple_of(Array::CHUNK) => {
                let last = Arc::make_mut(last);
                last.truncate(self.range.end % Array::CHUNK);
                last.push(item);
            }
            Some(_) | None => {
                let mut chunk = Vec::with_capacity(Array::CHUNK);
                chunk.push(item);
                self.chunks.push(Arc::new(chunk));
            }
        }
        self.range.end += 1;
    }

    /// Keeps the items of a range, and the chunks that they lie in.
    fn narrow(&mut self, range: Range<usize>) {
        let gone = range.start / Array::CHUNK;
        self.chunks.truncate(range.end.div_ceil(Array::CHUNK));
        self.chunks.drain(..gone.min(self.chunks.len()));
        let gone = gone * Array::CHUNK;
        self.range = range.start - gone..range.end - gone;
    }
}

impl Default for Items {
    fn default() -> Self {
        Self::Flat(Vec::new())
    }
}

impl From<Vec<Json>> for Array {
    fn from(items: Vec<Json>) -> Self {
        if items.len() <= Self::FLAT {
            return Self(Arc::new(Items::Flat(items)));
        }
        let range = 0..items.len();
        let mut items = items.into_iter();
        let mut chunks = Vec::with_capacity(range.len().div_ceil(Self::CHUNK));
        while items.len() > 0 {
            let mut chunk = Vec::with_capacity(Self::CHUNK);
            chunk.extend(items.by_ref().take(Self::CHUNK));
            chunks.push(Arc::new(chunk));
        }
        Self(Arc::new(Items::Long(Long { chunks, range })))
    }
}

impl FromIterator<Json> for Array {
    fn from_iter<I: IntoIterator<Item = Json>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Json;
    type IntoIter = ArrayIter<'a>;

    fn into_iter(self) -> ArrayIter<'a> {
        self.iter()
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.len() == other.len() && self.iter().eq(other))
    }
}

impl Eq for Array {}

/// No items at all.
impl Default for &Array {
    fn default() -> Self {
        static NONE: LazyLock<Array> = LazyLock::new(Array::default);
        &NONE
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// The items of an [`Array`] in order.
#[derive(Debug, Clone)]
pub struct ArrayIter<'a> {
    array: &'a Array,
    /// Places that are not handed out yet.
    range: Range<usize>,
    /// What lies side by side from the first of them on.
    here: slice::Iter<'a, Json>,
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = &'a Json;

    fn next(&mut self) -> Option<&'a Json> {
        if self.range.is_empty() {
            return None;
        }
        if self.here.len() == 0 {
            self.here = self.array.run(self.range.start).iter();
        }
        self.range.start += 1;
        self.here.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.range.len(), Some(self.range.len()))
    }

    fn nth(&mut self, count: usize) -> Option<&'a Json> {
        self.range.start = self.range.start.saturating_add(count).min(self.range.end);
        self.here = [].iter();
        self.next()
    }
}

impl<'a> DoubleEndedIterator for ArrayIter<'a> {
    fn next_back(&mut self) -> Option<&'a Json> {
        let last = self.range.next_back()?;
        self.array.get(last)
    }
}

impl ExactSizeIterator for ArrayIter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a plain list would hold after the same edits.
    fn check(array: &Array, plain: &[usize]) {
        let plain: Vec<Json> = plain.iter().map(|number| Json::from(*number)).collect();
        assert_eq!(array.to_vec(), plain);
        assert_eq!(array.len(), plain.len());
        assert!(array.iter().rev().eq(plain.iter().rev()));
        assert_eq!(array.iter().nth(70), plain.get(70));
        assert_eq!(array.get(plain.len()), None);
        assert_eq!(*array, Array::from(plain));
    }

    #[test]
    fn it_is_a_list() {
        let (mut array, mut plain) = (Array::default(), Vec::new());
        for number in 0..1000 {
            array.push(Json::from(number));
            plain.push(number);
            if number % 3 == 0 {
                array.drop_first(2);
                plain.drain(..plain.len().min(2));
            }
            if number % 97 == 0 {
                let kept = plain.len() * 7 / 8;
                array.truncate(kept);
                plain.truncate(kept);
            }
            if let (Some(item), Some(twin)) = (array.get_mut(number / 9), plain.get_mut(number / 9)) {
                *item = Json::from(5000 + number);
                *twin = 5000 + number;
            }
            check(&array, &plain);
        }
        array.drop_first(10_000);
        check(&array, &[]);
    }

    #[test]
    fn a_moving_window_shares_its_middle() {
        let mut window: Array = (0..2000_usize).map(Json::from).collect();
        let first = window.clone();
        let items: Vec<Json> = window.iter().skip(1).cloned().chain([Json::from(2000_usize)]).collect();
        window.push(Json::from(2000_usize));
        window.drop_first(1);
        let shared = |other: &Array| {
            let known: Vec<_> = first.chunks().map(|(chunk, _)| chunk).collect();
            (other.chunks().count(), other.chunks().filter(|(chunk, _)| known.contains(chunk)).count())
        };
        assert_eq!(shared(&window), (32, 31));
        assert_eq!(shared(&Array::sharing(items, &first)), (32, 31));
        assert_eq!(first.len(), 2000);
    }
}
