//! Where two indexes of the same store part.

use std::sync::Arc;

use crate::{
    store::index::{CHUNK, Index},
    work::{Cancelled, Work},
};

impl Index {
    /// The ordinal of the first event of this index that `other` has otherwise or has not; `None` if `other`
    /// begins with all events of this one.
    pub fn parts_from(&self, other: &Self, work: &Work) -> Result<Option<u32>, Cancelled> {
        let same_streams: Vec<bool> = self
            .streams
            .iter()
            .enumerate()
            .map(|(place, info)| other.streams.get(place).is_some_and(|theirs| theirs.name == info.name))
            .collect();
        let has_same_names = same_streams.iter().all(|same| *same)
            && (0..self.types.len() as u32).all(|number| self.type_name(number) == other.type_name(number));
        let is_same_stream = |stream: u32| same_streams.get(stream as usize).copied().unwrap_or_default();
        for (number, chunk) in self.chunks.iter().enumerate() {
            work.advance(0)?;
            // Numbers mean the same names, and chunks that were packed from the same rows are equal.
            let theirs = other.chunks.get(number);
            if has_same_names && theirs.is_some_and(|theirs| Arc::ptr_eq(theirs, chunk) || theirs == chunk) {
                continue;
            }
            let first = number * CHUNK;
            let parted = (first..self.len.min(first + CHUNK)).map(|row| row as u32).find(|row| {
                let (own, theirs) = (self.row(*row), other.row(*row));
                let is_same_name = own.as_ref().is_some_and(|own| {
                    is_same_stream(own.stream)
                        && self.type_name(own.event_type) == other.type_name(own.event_type)
                });
                !is_same_name || own != theirs || self.key(*row) != other.key(*row)
            });
            if parted.is_some() {
                return Ok(parted);
            }
        }
        Ok(None)
    }
}
