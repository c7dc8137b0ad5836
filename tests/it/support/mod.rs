//! What several tests need: fixture stores unpacked into a folder of their own.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use timeglass::{
    model::{Json, StoredSnapshot, StreamName},
    store::{EventStore, StoreResult, read::Onward},
    work::Work,
};

/// A fixture store, unpacked; the folder goes when this is dropped.
pub(crate) struct Fixture {
    /// The folder it lies in, alone.
    pub(crate) folder: tempfile::TempDir,
    /// The database file.
    pub(crate) path: PathBuf,
}

/// Unpacks `tests/fixtures/stores/NAME.sqlite.gz`.
pub(crate) fn fixture(name: &str) -> Fixture {
    let packed =
        fs::File::open(fixtures().join(format!("stores/{name}.sqlite.gz"))).expect("a fixture of that name");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("a whole gzip file");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join(format!("{name}.sqlite"));
    fs::write(&path, bytes).expect("room for the fixture");
    Fixture { folder, path }
}

/// What is known of a fixture store: `NAME.expect.json`.
pub(crate) fn expectations(name: &str) -> Json {
    let text =
        fs::read(fixtures().join(format!("stores/{name}.expect.json"))).expect("expectations of that name");
    Json::parse(&text).expect("JSON")
}

/// The names of all fixture stores, in order.
pub(crate) fn all_fixtures() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(fixtures().join("stores"))
        .expect("the fixtures")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".sqlite.gz").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

/// The stored snapshots of one stream, or of all, with their states; in the order in which they are listed.
pub(crate) fn snapshots(
    store: &dyn EventStore,
    stream: Option<&StreamName>,
) -> StoreResult<Vec<StoredSnapshot>> {
    let mut found = Vec::new();
    store.visit_snapshots(&Work::default(), stream, &mut |visited| {
        found.push(visited.decoded());
        Onward::On
    })?;
    found.sort_by(|one, other| (&one.stream, one.version).cmp(&(&other.stream, other.version)));
    Ok(found)
}
