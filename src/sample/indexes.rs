//! The indexes of a large sample: noted while it is told, laid down when it has ended.

use std::{collections::BTreeMap, io};

use crate::{
    sample::{
        doc::push_reference,
        draft::Draft,
        pages::{Entry, FilePages, IndexEntries},
    },
    work::{Piece, Work},
};

/// What the indexes need to know of every event, in the order of positions.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    streams: Vec<u32>,
    types: Vec<u16>,
    /// Stream and version of each snapshot.
    snapshots: Vec<(u32, u32)>,
    /// The streams of a kind with neighbouring numbers: for each its place in `names`, and one.
    places: BTreeMap<(u64, &'static str), Vec<u32>>,
    type_numbers: BTreeMap<&'static str, u16>,
    /// Kind and number of each stream, by its first event.
    names: Vec<(&'static str, u64)>,
}

/// So many streams are neighbours.
const NEIGHBOURS: u64 = 4096;

/// So many pages of each index are made before they are written.
const PAGES_AT_ONCE: usize = 1024;

/// An index that was laid down.
pub(crate) struct Laid {
    pub(crate) name: &'static str,
    pub(crate) root: u32,
    pub(crate) sql: &'static str,
}

/// One entry: a stream or type, a version, a row.
type Place<'a> = (&'a str, u32, u32);

/// Writes an entry.
type Fill = fn(&mut Entry, Place<'_>);

impl Noted {
    /// Notes the next event.
    pub(crate) fn note(&mut self, draft: &Draft) {
        let (block, at) = (draft.number / NEIGHBOURS, draft.number % NEIGHBOURS);
        let places = self.places.entry((block, draft.kind)).or_insert_with(|| vec![0; NEIGHBOURS as usize]);
        if let Some(place) = places.get_mut(at as usize) {
            if *place == 0 {
                self.names.push((draft.kind, draft.number));
                *place = self.names.len() as u32;
            }
            self.streams.push(*place - 1);
            if draft.has_state {
                self.snapshots.push((*place - 1, draft.version as u32));
            }
        }
        let types = self.type_numbers.len() as u16;
        self.types.push(*self.type_numbers.entry(draft.event_type).or_insert(types));
    }

    /// Lays down the indexes by stream and by type, and the one that SQLite made for the snapshots.
    pub(crate) fn lay_down(
        &self,
        of_snapshots: u32,
        pages: &mut FilePages,
        work: &Work,
    ) -> io::Result<Vec<Laid>> {
        let name = |(kind, number): &(&str, u64)| {
            let mut name = String::new();
            push_reference(&mut name, kind, *number);
            name
        };
        let names: Vec<String> = self.names.iter().map(name).collect();
        let type_names = self.type_names();
        let (mut streams, mut types) = (Gathered::default(), Gathered::default());
        let by_stream: Piece<'_> =
            Box::new(|| streams = Gathered::of(self.streams.iter().copied(), &sorted(&names)));
        let by_type: Piece<'_> = Box::new(|| {
            let kinds = self.types.iter().copied().map(u32::from);
            types = Gathered::of(kinds, &sorted(&type_names));
        });
        work.run(vec![by_stream, by_type]);
        let roots = side_by_side(
            [(&mut streams.places(), by_name_and_version), (&mut types.places(), by_name)],
            pages,
            work,
        )?;
        self.lay_down_snapshots(&names, of_snapshots, pages)?;
        let indexes = [
            (
                "events_stream_version",
                "CREATE UNIQUE INDEX events_stream_version ON events (stream, version)",
            ),
            ("events_type", "CREATE INDEX events_type ON events (type)"),
        ];
        Ok(roots.into_iter().zip(indexes).map(|(root, (name, sql))| Laid { name, root, sql }).collect())
    }

    fn type_names(&self) -> Vec<&'static str> {
        let mut names = vec![""; self.type_numbers.len()];
        for (name, number) in &self.type_numbers {
            if let Some(place) = names.get_mut(usize::from(*number)) {
                *place = name;
            }
        }
        names
    }

    fn lay_down_snapshots(&self, names: &[String], root: u32, pages: &mut FilePages) -> io::Result<()> {
        let streams = self.snapshots.iter().map(|(stream, _)| *stream);
        let (mut index, mut entry) = (IndexEntries::at(root), Entry::default());
        for (name, _, row) in Gathered::of(streams, &sorted(names)).places() {
            let version = self.snapshots.get(row as usize - 1).map_or(0, |(_, version)| *version);
            by_name_and_version(&mut entry, (name, version, row));
            index.push(&entry);
            index.write(pages)?;
        }
        index.finish(pages).map(drop)
    }
}

fn by_name_and_version(entry: &mut Entry, (name, version, row): Place<'_>) {
    entry.clear().text(name).number(version).number(row);
}

fn by_name(entry: &mut Entry, (name, _, row): Place<'_>) {
    entry.clear().text(name).number(row);
}

/// Lays down two indexes on two lanes, by turns of so many pages, so that they always come out the same.
fn side_by_side(
    [(first, fill_first), (second, fill_second)]: [(&mut (dyn Iterator<Item = Place<'_>> + Send), Fill); 2],
    pages: &mut FilePages,
    work: &Work,
) -> io::Result<[u32; 2]> {
    let (mut one, mut other) = (IndexEntries::new(), IndexEntries::new());
    loop {
        let lay_one: Piece<'_> = Box::new(|| lay(&mut *first, fill_first, &mut one));
        let lay_other: Piece<'_> = Box::new(|| lay(&mut *second, fill_second, &mut other));
        work.run(vec![lay_one, lay_other]);
        if work.is_cancelled() || one.full_pages() + other.full_pages() == 0 {
            return Ok([one.finish(pages)?, other.finish(pages)?]);
        }
        one.write(pages)?;
        other.write(pages)?;
    }
}

fn lay(places: &mut dyn Iterator<Item = Place<'_>>, fill: Fill, index: &mut IndexEntries) {
    let mut entry = Entry::default();
    while index.full_pages() < PAGES_AT_ONCE {
        let Some(place) = places.next() else { return };
        fill(&mut entry, place);
        index.push(&entry);
    }
}

/// The numbers of names in the order of the names.
fn sorted<T: AsRef<str>>(names: &[T]) -> Vec<(&str, usize)> {
    let mut order: Vec<(&str, usize)> = names.iter().map(AsRef::as_ref).zip(0..).collect();
    order.sort_unstable();
    order
}

/// The rows by what each is of.
#[derive(Default)]
struct Gathered<'a> {
    rows: Vec<u32>,
    /// Each name in order, and where its rows end.
    ends: Vec<(&'a str, usize)>,
}

impl<'a> Gathered<'a> {
    fn of(of: impl ExactSizeIterator<Item = u32> + Clone, order: &[(&'a str, usize)]) -> Self {
        let mut places = vec![0_usize; order.len()];
        for number in of.clone() {
            if let Some(count) = places.get_mut(number as usize) {
                *count += 1;
            }
        }
        let (mut end, mut ends) = (0, Vec::new());
        for (name, number) in order {
            if let Some(place) = places.get_mut(*number) {
                let start = end;
                end += *place;
                *place = start;
                ends.push((*name, end));
            }
        }
        let mut rows = vec![0; of.len()];
        for (row, number) in (1..).zip(of) {
            let Some(place) = places.get_mut(number as usize) else { continue };
            if let Some(target) = rows.get_mut(*place) {
                *target = row;
            }
            *place += 1;
        }
        Self { rows, ends }
    }

    /// All rows in the order of their names, numbered within each.
    fn places(&self) -> impl Iterator<Item = Place<'_>> + Send {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).flat_map(|(start, (name, end))| {
            let rows = self.rows.get(start..*end).unwrap_or_default();
            (1..).zip(rows).map(move |(version, row)| (*name, version, *row))
        })
    }
}
