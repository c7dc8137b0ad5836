//! SQLite's pages as we decode them, against SQLite itself.

mod covered;
mod damage;
mod random;
mod scanners;
mod stores;

use std::path::Path;

use timeglass::{
    model::KeyPart,
    store::{
        EventStore as _, KeyRange, StoreError,
        layout::Layout,
        read::{Body, Onward, Wanted},
        sqlite::{Opened, SqliteStore, Way},
    },
    work::Work,
};

/// Everything that scans and reads of a store tell, a line for each event.
pub(crate) fn told(store: &SqliteStore, range: &KeyRange) -> Result<Vec<String>, StoreError> {
    let work = Work::default();
    let mut lines = Vec::new();
    let troubles = store.scan(&work, range, &mut |row| lines.push(format!("{row:?}")))?;
    lines.extend(troubles);
    let body = |body: Body<'_>| format!("{body:?}").chars().take(400).collect::<String>();
    let troubles = store.read(&work, range, Wanted::All, &mut |row| {
        lines.push(format!("{:?} {} {}", row.head, body(row.data), body(row.metadata)));
        lines.push(format!("{:?} {:?} {:?}", row.event_id, row.correlation_id, row.causation_id));
        Onward::On
    })?;
    lines.extend(troubles);
    Ok(lines)
}

/// Opens a store twice: to be read by pages and through SQLite.
pub(crate) fn both(path: &Path, layout: Option<&Layout>) -> Option<(SqliteStore, SqliteStore)> {
    let open = || match SqliteStore::open(path, layout, &Work::default()) {
        Ok(Opened::Found { store, .. }) => Some(*store),
        Ok(Opened::NotFound { .. }) | Err(_) => None,
    };
    Some((open()?.by(Way::Quickest), open()?.by(Way::Sql)))
}

/// Ranges that begin and end somewhere: some rows behind the first, the middle, and nothing at all.
pub(crate) fn ranges(store: &SqliteStore) -> Vec<KeyRange> {
    let work = Work::default();
    let mut ranges = store.ranges(&work, None, 3).expect("ranges");
    let mut keys = Vec::new();
    store.scan(&work, &KeyRange::default(), &mut |row| keys.push(row.key.to_key())).expect("a scan");
    let at = |place: usize| keys.get(place).cloned();
    ranges.push(KeyRange::default());
    ranges.push(KeyRange { after: at(keys.len() / 3), until: at(keys.len() / 2) });
    ranges.push(KeyRange { after: keys.last().cloned(), until: None });
    ranges.push(KeyRange { after: None, until: at(0) });
    let odd = timeglass::model::EventKey([KeyPart::Text("no number".into())].as_slice().into());
    ranges.push(KeyRange { after: Some(odd), until: None });
    ranges
}
