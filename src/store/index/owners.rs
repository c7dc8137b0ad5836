//! Finding the stream that a stored snapshot is a state of.

use std::{cell::OnceCell, collections::BTreeMap};

use crate::{model::StreamName, store::index::Index};

/// The streams that snapshots are states of.
///
/// A table of snapshots may lack what makes the category of a stream: events that are named after
/// classes have one, their snapshots only an id. A bare id that one stream alone has will do then.
pub struct SnapshotOwners<'a> {
    index: &'a Index,
    /// Made when first needed; `None` for an id that several streams have.
    by_id: OnceCell<BTreeMap<&'a str, Option<u32>>>,
}

impl Index {
    /// Looks for the streams of snapshots; for many of them, ask once.
    #[must_use]
    pub fn snapshot_owners(&self) -> SnapshotOwners<'_> {
        SnapshotOwners { index: self, by_id: OnceCell::new() }
    }
}

impl SnapshotOwners<'_> {
    /// The stream that a snapshot names.
    #[must_use]
    pub fn of(&self, name: &StreamName) -> Option<u32> {
        let exact = self.index.stream_number(name);
        exact.or_else(|| if name.category.is_none() { self.by_id(name) } else { None })
    }

    fn by_id(&self, name: &StreamName) -> Option<u32> {
        let by_id = self.by_id.get_or_init(|| {
            let mut by_id = BTreeMap::new();
            for (info, number) in self.index.streams().iter().zip(0..) {
                by_id.entry(&*info.name.id).and_modify(|known| *known = None).or_insert(Some(number));
            }
            by_id
        });
        by_id.get(&*name.id).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        model::{Json, StreamName},
        store::{
            index::Index,
            memory::{MemoryStore, event},
        },
        work::Work,
    };

    fn check(snapshot: &StreamName, owner: Option<&str>) {
        let streams = [("order", "1"), ("user", "1"), ("user", "2")];
        let events = (1..).zip(streams).map(|(number, (category, id))| {
            event(number, &StreamName::of(category, id), 1, "Made", Json::Null)
        });
        let index = Index::build(&MemoryStore::new(events), &Work::default()).unwrap();
        let found =
            index.snapshot_owners().of(snapshot).map(|number| index.stream(number).unwrap().name.full());
        assert_eq!(found.as_deref(), owner, "{snapshot:?}");
    }

    #[test]
    fn a_bare_id_will_do_where_one_stream_alone_has_it() {
        check(&StreamName::of("user", "1"), Some("user-1"));
        check(&StreamName::plain("2"), Some("user-2"));
        check(&StreamName::plain("1"), None);
        check(&StreamName::plain("3"), None);
        check(&StreamName::of("order", "2"), None);
    }
}
