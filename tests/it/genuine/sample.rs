//! The reducers beside our own sample stores.

use std::{fs, path::Path, sync::Arc};

use timeglass::model::Json;

use super::{
    replayed::{Replayed, reducer, replay},
    same,
};

const FOLDER: &str = "sample-data/reducers";

/// Each category of the shop, and the file that makes its states.
const REDUCERS: [(&str, &str); 5] = [
    ("account", "account.js"),
    ("cart", "cart.js"),
    ("customer", "customer.js"),
    ("order", "order.js"),
    ("product", "product.js"),
];

fn replayed() -> Replayed {
    let reducers = REDUCERS.map(|(category, file)| (category, file, reducer(&Path::new(FOLDER).join(file))));
    replay(Path::new("sample-data/shop.sqlite"), &|category| {
        let (_, file, reducer) = reducers.iter().find(|(name, _, _)| Some(*name) == category)?;
        Some((*file, Arc::clone(reducer)))
    })
}

#[test]
fn every_reducer_of_the_sample_is_for_a_category_of_it() {
    let mut files: Vec<String> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(files, REDUCERS.map(|(_, file)| file));
    assert!(replayed().left_out.is_empty());
}

#[test]
fn they_handle_every_event_and_make_all_196_snapshots() {
    let replayed = replayed();
    let troubled: Vec<_> = replayed.streams().flat_map(|timeline| &timeline.troubled).collect();
    assert!(troubled.is_empty(), "{troubled:?}");
    let snapshots = crate::support::snapshots(&*replayed.store, None).unwrap();
    for snapshot in &snapshots {
        let (stream, version) = (snapshot.stream.as_ref().unwrap(), snapshot.version.unwrap());
        let timeline = replayed.stream(&stream.full()).unwrap();
        let stored: &Json = snapshot.state.json().unwrap();
        same(timeline.at_version(version.0).unwrap(), stored).unwrap_or_else(|trouble| {
            panic!("{} at version {version} ({}): {trouble}", timeline.name, timeline.file)
        });
    }
    assert_eq!(snapshots.len(), 196);
}
