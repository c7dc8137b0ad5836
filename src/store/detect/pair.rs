//! The strongest sign of an event store: a column that counts without gaps within another.

use std::collections::BTreeMap;

use crate::store::{
    decode::Value,
    detect::{look::Look, names, values::Profile},
    layout::Role,
};

/// A stream column, perhaps its category, and the version that counts in it.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) stream: usize,
    /// Set where the stream's id alone does not tell streams apart.
    pub(super) category: Option<usize>,
    pub(super) version: usize,
    /// How well it fits; see [`ENOUGH`].
    pub(super) score: f64,
    /// Whether a unique key consists of just these columns.
    pub(super) is_key: bool,
    /// How the counting goes.
    pub(super) counts: Counts,
}

/// What was counted within the groups of a column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Groups of two or more rows.
    pub(super) groups: usize,
    /// Those of them that count up by one, without gap or repetition.
    pub(super) gapless: usize,
    /// Groups of any size that begin with 0.
    pub(super) from_zero: usize,
    /// Groups of any size that begin with 1.
    pub(super) from_one: usize,
    /// All groups.
    pub(super) all: usize,
}

/// Below this, a pair is not believed: a perfect count between columns whose names and keys say
/// nothing reaches 55.
pub(super) const ENOUGH: f64 = 62.0;

impl Counts {
    fn of(groups: &BTreeMap<(u32, u32), Vec<i64>>) -> Self {
        let mut counts = Self { all: groups.len(), ..Self::default() };
        for versions in groups.values() {
            let mut versions = versions.clone();
            versions.sort_unstable();
            counts.from_zero += usize::from(versions.first() == Some(&0));
            counts.from_one += usize::from(versions.first() == Some(&1));
            if versions.len() > 1 {
                counts.groups += 1;
                let steps = versions.windows(2);
                counts.gapless += usize::from(steps.into_iter().all(|pair| {
                    pair.first().zip(pair.last()).is_some_and(|(a, b)| a.checked_add(1) == Some(*b))
                }));
            }
        }
        counts
    }

    /// The share of groups that count without gaps.
    pub(super) fn share(self) -> f64 {
        if self.groups == 0 { 0.0 } else { self.gapless as f64 / self.groups as f64 }
    }

    /// The number that most groups begin with, if it is 0 or 1.
    pub(super) fn base(self) -> Option<i64> {
        let most = |count: usize| count * 10 >= self.all * 6 && count > 0;
        if most(self.from_one) { Some(1) } else { most(self.from_zero).then_some(0) }
    }
}

/// All pairs that are believable, best first.
pub(super) fn find(look: &Look<'_>) -> Vec<Pair> {
    let columns = 0..look.table.columns.len();
    let streams = best_named(look, Role::Stream, columns.clone().filter(|at| may_be_stream(look, *at)));
    let versions = best_named(look, Role::Version, columns.clone().filter(|at| may_be_version(look, *at)));
    let mut pairs = Vec::new();
    for stream in &streams {
        let with_category = columns.clone().filter(|at| at != stream && may_split(look, *at)).take(TRIED);
        let categories: Vec<Option<usize>> = std::iter::once(None).chain(with_category.map(Some)).collect();
        for version in versions.iter().filter(|version| *version != stream) {
            let found = categories.iter().filter(|category| **category != Some(*version));
            pairs.extend(found.filter_map(|category| judge(look, *stream, *category, *version)));
        }
    }
    pairs.sort_by(|left, right| right.score.total_cmp(&left.score));
    pairs
}

/// A table with hundreds of columns is not tried in all pairs, only in those best named.
const TRIED: usize = 16;

fn best_named(look: &Look<'_>, role: Role, columns: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut columns: Vec<usize> = columns.collect();
    columns.sort_by(|left, right| look.rank(role, *right).total_cmp(&look.rank(role, *left)));
    columns.truncate(TRIED);
    columns
}

/// Counts `version` within `stream`, and `category` if given.
pub(super) fn count(look: &Look<'_>, stream: usize, category: Option<usize>, version: usize) -> Counts {
    let mut groups: BTreeMap<(u32, u32), Vec<i64>> = BTreeMap::new();
    let ids = look.ids(stream);
    for (row, id) in ids.iter().enumerate() {
        let kind = category.map_or(Some(0), |at| look.ids(at).get(row).copied().flatten());
        let value = look.sample.integers.get(version).and_then(|values| values.get(row).copied().flatten());
        if let (Some(id), Some(kind), Some(value)) = (id, kind, value) {
            groups.entry((*id, kind)).or_default().push(value);
        }
    }
    Counts::of(&groups)
}

fn judge(look: &Look<'_>, stream: usize, category: Option<usize>, version: usize) -> Option<Pair> {
    let counts = count(look, stream, category, version);
    let is_key = is_key(look, &[Some(stream), category, Some(version)]);
    let (stream_name, version_name) = (look.rank(Role::Stream, stream), look.rank(Role::Version, version));
    if look.is_empty() {
        let names = if category.is_some() { 0.0 } else { 20.0 * (stream_name + version_name) };
        let score = names + if is_key { 45.0 } else { 20.0 };
        let is_named = stream_name > 0.3 && version_name > 0.3;
        return is_named.then_some(Pair { stream, category, version, score, is_key, counts });
    }
    let counts_later = || stream_name > 0.3 && version_name > 0.3 && rises_later(look, &counts, version);
    if counts.groups == 0 && !(counts.base().is_some() && (is_key || counts_later())) {
        return None;
    }
    let share = if counts.groups == 0 { 0.6 } else { counts.share() };
    if share < 0.6 {
        return None;
    }
    let mut score = 40.0 * share + if counts.groups > 1 { 5.0 } else { 0.0 };
    score += if counts.base().is_some() { 10.0 } else { 0.0 };
    score += if is_key { 20.0 } else { 0.0 };
    score += 20.0 * stream_name + 20.0 * version_name;
    // One more column to tell streams apart has to earn its place.
    score += category.map_or(0.0, |at| 8.0 * look.rank(Role::Category, at) - 9.0);
    score -= if names::normalised(&look.table.name_of(version)).ends_with("_id") { 30.0 } else { 0.0 };
    let profile = look.profile(version);
    score -= if profile.mostly(profile.texts, 0.5) { 12.0 } else { 0.0 };
    (score >= ENOUGH).then_some(Pair { stream, category, version, score, is_key, counts })
}

/// Whether a number that is the first one in all streams looked at is higher in the table's last
/// rows: thousands of streams that grow side by side show each of them only once in any short look.
fn rises_later(look: &Look<'_>, counts: &Counts, version: usize) -> bool {
    let Some(base) = counts.base().filter(|_| counts.all >= 100) else { return false };
    let late: Vec<i64> =
        look.sample.last_rows().filter_map(|row| Value::from(row.get(version)?).as_i64()).collect();
    let higher = late.iter().filter(|value| **value > base).count();
    higher * 2 > late.len() && late.iter().all(|value| *value >= base)
}

/// Whether a unique key consists of these columns, and otherwise only of ones that stay the same
/// within a stream: its kind, a tenant, a mark.
fn is_key(look: &Look<'_>, columns: &[Option<usize>]) -> bool {
    let wanted: Vec<usize> = columns.iter().flatten().copied().collect();
    let is_steady = |column: usize| {
        let (groups, changing) = wanted.first().map_or((0, 0), |stream| look.changes_within(*stream, column));
        look.rank(Role::Category, column) > 0.4 || (!look.is_empty() && changing * 20 <= groups)
    };
    look.table.uniques.iter().any(|key| {
        wanted.iter().all(|column| key.contains(column))
            && key.iter().all(|column| wanted.contains(column) || is_steady(*column))
    })
}

fn may_be_stream(look: &Look<'_>, column: usize) -> bool {
    let profile = look.profile(column);
    if look.is_empty() {
        return look.rank(Role::Stream, column) > 0.3;
    }
    let is_alone = look.table.rowid_alias() == Some(column) || look.table.is_unique(column);
    !is_alone && profile.is_name_like() && profile.time.is_none() && !look.ids(column).is_empty()
}

fn may_be_version(look: &Look<'_>, column: usize) -> bool {
    let profile = look.profile(column);
    if look.is_empty() {
        return look.rank(Role::Version, column) > 0.3 && look.table.rowid_alias() != Some(column);
    }
    let is_alone = look.table.rowid_alias() == Some(column) || look.table.is_unique(column);
    !is_alone && profile.time.is_none() && is_count(look, profile, column)
}

fn is_count(look: &Look<'_>, profile: &Profile, column: usize) -> bool {
    let values = look.sample.integers.get(column).map(Vec::as_slice).unwrap_or_default();
    let counted = values.iter().flatten().count();
    profile.blobs == 0 && counted > 0 && counted * 10 >= look.ids(column).iter().flatten().count() * 8
}

/// Whether a column may tell apart what shares an id: a kind of stream or a tenant.
fn may_split(look: &Look<'_>, column: usize) -> bool {
    let profile = look.profile(column);
    look.rank(Role::Category, column) > 0.3
        && (look.is_empty() || (profile.is_name_like() && profile.distinct * 3 <= profile.filled.max(9)))
}
