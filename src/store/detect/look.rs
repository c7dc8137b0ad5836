//! One table with what was seen of it: the ground on which all judgements stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rusqlite::Connection;

use crate::{
    store::{
        detect::{
            DetectResult, names,
            sample::{self, Sample},
            schema::Table,
            values::Profile,
        },
        layout::Role,
    },
    work::Work,
};

/// A table, a sample of its rows, and the looks of its columns.
pub(super) struct Look<'a> {
    pub(super) table: &'a Table,
    pub(super) sample: Sample,
    profiles: Vec<Profile>,
    nothing: Profile,
}

impl<'a> Look<'a> {
    pub(super) fn at(connection: &Connection, table: &'a Table, work: &Work) -> DetectResult<Self> {
        let mut sample = sample::take(connection, table, work)?;
        let mut profiles: Vec<Profile> =
            (0..table.columns.len()).map(|column| Profile::of(&sample, column)).collect();
        // Events are documents, and what links them to streams is named after streams: no other
        // table is worth a closer look.
        let is_named = |role: Role| table.columns.iter().any(|column| names::rank(role, &column.name) > 0.4);
        let is_worth =
            profiles.iter().any(Profile::is_document) || (is_named(Role::Stream) && is_named(Role::Version));
        sample::narrow(connection, table, &mut sample, is_worth);
        for (column, profile) in profiles.iter_mut().enumerate() {
            profile.look_for_rise(&sample, column);
        }
        Ok(Self { table, sample, profiles, nothing: Profile::default() })
    }

    /// Whether there is no row to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.sample.rows.is_empty()
    }

    pub(super) fn columns(&self) -> std::ops::Range<usize> {
        0..self.table.columns.len()
    }

    pub(super) fn profile(&self, column: usize) -> &Profile {
        self.profiles.get(column).unwrap_or(&self.nothing)
    }

    pub(super) fn name(&self, column: usize) -> Arc<str> {
        self.table.name_of(column)
    }

    /// How strongly a column's name speaks for a role.
    pub(super) fn rank(&self, role: Role, column: usize) -> f64 {
        self.table.columns.get(column).map_or(0.0, |column| names::rank(role, &column.name))
    }

    /// The values of a column's first rows as small numbers.
    pub(super) fn ids(&self, column: usize) -> &[Option<u32>] {
        self.sample.ids.get(column).map(Vec::as_slice).unwrap_or_default()
    }

    /// Of the groups of `by` with two or more rows: how many there are, and in how many `column`
    /// has more than one value.
    pub(super) fn changes_within(&self, by: usize, column: usize) -> (usize, usize) {
        let mut groups: BTreeMap<u32, (usize, BTreeSet<Option<u32>>)> = BTreeMap::new();
        for (group, value) in self.ids(by).iter().zip(self.ids(column)) {
            if let Some(group) = group {
                let (rows, values) = groups.entry(*group).or_default();
                *rows += 1;
                values.insert(*value);
            }
        }
        let many = groups.values().filter(|(rows, _)| *rows > 1);
        many.fold((0, 0), |(all, changing), (_, values)| (all + 1, changing + usize::from(values.len() > 1)))
    }

    /// The different values of a column among its first rows.
    pub(super) fn distinct(&self, column: usize) -> usize {
        self.ids(column).iter().flatten().collect::<BTreeSet<_>>().len()
    }
}
