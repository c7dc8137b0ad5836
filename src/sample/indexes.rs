//! The indexes of a large sample: noted while it is told, laid down when it has ended.

use std::{collections::BTreeMap, io, path::Path};

use crate::sample::{
    calendar::push_time,
    doc::push_reference,
    draft::Draft,
    index_pages::{Entry, IndexPages},
};

/// What the indexes need to know of every event, in the order of positions.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    streams: Vec<u32>,
    types: Vec<u16>,
    /// Microseconds since 1970; they never fall.
    times: Vec<i64>,
    /// The streams of a kind with neighbouring numbers: for each its place in `names`, and one.
    places: BTreeMap<(u64, &'static str), Vec<u32>>,
    type_numbers: BTreeMap<&'static str, u16>,
    /// Kind and number of each stream, by its first event.
    names: Vec<(&'static str, u64)>,
}

/// So many streams are neighbours.
const NEIGHBOURS: u64 = 4096;

/// An index that was laid down.
pub(crate) struct Laid {
    pub(crate) name: &'static str,
    pub(crate) root: u32,
    pub(crate) sql: &'static str,
}

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
        }
        let types = self.type_numbers.len() as u16;
        self.types.push(*self.type_numbers.entry(draft.event_type).or_insert(types));
        self.times.push(draft.time);
    }

    /// Lays down all indexes behind the end of the database, which nobody may have open.
    pub(crate) fn lay_down(&self, path: &Path) -> io::Result<Vec<Laid>> {
        let mut pages = IndexPages::append_to(path)?;
        let laid = vec![self.by_stream(&mut pages)?, self.by_type(&mut pages)?, self.by_time(&mut pages)?];
        pages.finish()?;
        Ok(laid)
    }

    fn by_stream(&self, pages: &mut IndexPages) -> io::Result<Laid> {
        let name = |(kind, number): (&str, u64)| {
            let mut name = String::new();
            push_reference(&mut name, kind, number);
            name
        };
        let names: Vec<String> = self.names.iter().copied().map(name).collect();
        let (rows, ends) = gathered(&self.streams, &names);
        let (mut run, mut version) = (ends.iter(), 0);
        let mut current = run.next();
        let root = pages.write(rows.len(), |at, entry: &mut Entry| {
            while current.is_some_and(|(end, _)| *end <= at) {
                (current, version) = (run.next(), 0);
            }
            version += 1;
            entry.text(current.map_or("", |(_, name)| name)).number(version).number(row(&rows, at));
        })?;
        let sql = "CREATE UNIQUE INDEX events_stream_version ON events (stream, version)";
        Ok(Laid { name: "events_stream_version", root, sql })
    }

    fn by_type(&self, pages: &mut IndexPages) -> io::Result<Laid> {
        let mut names = vec![""; self.type_numbers.len()];
        for (name, number) in &self.type_numbers {
            if let Some(place) = names.get_mut(usize::from(*number)) {
                *place = name;
            }
        }
        let types: Vec<u32> = self.types.iter().copied().map(u32::from).collect();
        let (rows, ends) = gathered(&types, &names);
        let mut run = ends.iter();
        let mut current = run.next();
        let root = pages.write(rows.len(), |at, entry: &mut Entry| {
            while current.is_some_and(|(end, _)| *end <= at) {
                current = run.next();
            }
            entry.text(current.map_or("", |(_, name)| name)).number(row(&rows, at));
        })?;
        let sql = "CREATE INDEX events_type ON events (type)";
        Ok(Laid { name: "events_type", root, sql })
    }

    fn by_time(&self, pages: &mut IndexPages) -> io::Result<Laid> {
        let mut text = String::new();
        let root = pages.write(self.times.len(), |at, entry: &mut Entry| {
            text.clear();
            push_time(&mut text, self.times.get(at).copied().unwrap_or_default());
            entry.text(&text).number(at as u32 + 1);
        })?;
        let sql = "CREATE INDEX events_recorded_at ON events (recorded_at)";
        Ok(Laid { name: "events_recorded_at", root, sql })
    }
}

fn row(rows: &[u32], at: usize) -> u32 {
    rows.get(at).copied().unwrap_or_default()
}

/// The rows by what each is of, in the order of the names, and where the rows of each name end.
fn gathered<'a, T: AsRef<str>>(of: &[u32], names: &'a [T]) -> (Vec<u32>, Vec<(usize, &'a str)>) {
    let mut order: Vec<(&str, usize)> = names.iter().map(AsRef::as_ref).zip(0..).collect();
    order.sort_unstable();
    let mut places = vec![0_usize; names.len()];
    for number in of {
        if let Some(count) = places.get_mut(*number as usize) {
            *count += 1;
        }
    }
    let (mut end, mut ends) = (0, Vec::new());
    for (name, number) in order {
        if let Some(place) = places.get_mut(number) {
            let start = end;
            end += *place;
            *place = start;
            ends.push((end, name));
        }
    }
    let mut rows = vec![0; of.len()];
    for (row, number) in (1..).zip(of) {
        let Some(place) = places.get_mut(*number as usize) else { continue };
        if let Some(target) = rows.get_mut(*place) {
            *target = row;
        }
        *place += 1;
    }
    (rows, ends)
}
