//! A series made small enough to draw: as many columns as a plot has pixels.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::Json,
    replay::watch::{Reading, Series, Span},
};

/// A series as it is drawn. Column `c` of `n` stands for the counts from `c / n` of the history on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sketch {
    /// How many counts the whole history has: one more than events.
    pub counts: usize,
    /// How many columns there are.
    pub columns: usize,
    /// What is drawn.
    pub drawing: Drawing,
}

/// What is drawn of a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Drawing {
    /// Nothing was found anywhere.
    #[default]
    Nothing,
    /// Numbers: a curve.
    Curve {
        /// The least number of all.
        least: f64,
        /// The greatest.
        most: f64,
        /// For each column that has been looked at: the least and greatest number, and the last.
        columns: Vec<Option<Ends>>,
    },
    /// Texts, truth values, anything else: bands of colour.
    Bands(Vec<Band>),
}

/// The numbers of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// The least number.
    pub least: f64,
    /// The greatest number.
    pub most: f64,
    /// The number at the column's end.
    pub last: f64,
}

/// Neighbouring columns that are drawn alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The first column.
    pub from: usize,
    /// One past the last column.
    pub until: usize,
    /// What they have in common: the value; nothing where there is none.
    pub label: Option<Arc<str>>,
    /// The label's place among the different labels of the series, in the order in which they first
    /// appear: what is drawn alike is the same, and neighbours differ.
    pub rank: usize,
    /// Whether there are several values within one column; the label is the last of them.
    pub is_mixed: bool,
}

impl Sketch {
    /// Draws a series of a history of `counts` counts in at most `columns` columns.
    #[must_use]
    pub fn of(series: &Series, counts: usize, columns: usize) -> Self {
        let columns = columns.min(counts).max(1);
        let sketch = Self { counts, columns, drawing: Drawing::Nothing };
        let spans = series.spans();
        let numbers = spans.iter().filter_map(|span| span.range);
        let range = numbers.reduce(|(low, high), (least, most)| (low.min(least), high.max(most)));
        let has_words = spans.iter().any(|span| is_word(&span.first) || is_word(&span.last));
        let drawing = match range {
            None if !has_words => Drawing::Nothing,
            Some((least, most)) if !has_words => {
                Drawing::Curve { least, most, columns: sketch.curve(series) }
            }
            _ => Drawing::Bands(sketch.bands(series)),
        };
        Self { drawing, ..sketch }
    }

    /// The first count of a column; that of the one past the last is the end of the history.
    #[must_use]
    pub fn first_count(&self, column: usize) -> usize {
        // Wide enough for any history that fits into memory.
        (column as u128 * self.counts as u128 / self.columns.max(1) as u128) as usize
    }

    /// The column that a count lies in.
    #[must_use]
    pub fn column_of(&self, count: usize) -> usize {
        let column = (count as u128 * self.columns as u128 / self.counts.max(1) as u128) as usize;
        // Rounding down twice may end one short.
        if self.first_count(column + 1) <= count { column + 1 } else { column }
    }

    /// The stretches of each column that has been looked at.
    fn spans_of<'a>(&self, series: &'a Series) -> impl Iterator<Item = &'a [Span]> {
        let spans = series.spans();
        let looked_at = (0..self.columns).take_while(|column| self.first_count(*column) < series.len());
        let ends: Vec<(usize, usize)> =
            looked_at.map(|column| (self.first_count(column), self.first_count(column + 1))).collect();
        let mut first = 0;
        ends.into_iter().map(move |(from, until)| {
            let rest = spans.get(first..).unwrap_or_default();
            first += rest.iter().take_while(|span| span.until < from).count();
            let rest = spans.get(first..).unwrap_or_default();
            let end = rest.iter().take_while(|span| span.from < until).count();
            rest.get(..end).unwrap_or_default()
        })
    }

    fn curve(&self, series: &Series) -> Vec<Option<Ends>> {
        let ends = |spans: &[Span]| {
            let ranges = spans.iter().filter_map(|span| span.range);
            let (least, most) =
                ranges.reduce(|(low, high), (least, most)| (low.min(least), high.max(most)))?;
            let last = spans.iter().rev().find_map(|span| span.last.number()).unwrap_or(most);
            Some(Ends { least, most, last })
        };
        self.spans_of(series).map(ends).collect()
    }

    fn bands(&self, series: &Series) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        let mut ranks = BTreeMap::<Arc<str>, usize>::new();
        for (column, spans) in self.spans_of(series).enumerate() {
            let last = spans.last().map(|span| &span.last);
            let label = last.filter(|last| has_value(last)).map(Reading::words);
            let is_mixed = spans.iter().any(|span| !span.is_even || Some(&span.first) != last);
            match bands.last_mut() {
                Some(band) if band.label == label && band.is_mixed == is_mixed => band.until = column + 1,
                _ => {
                    let next = ranks.len();
                    let rank =
                        label.as_ref().map_or(0, |label| *ranks.entry(Arc::clone(label)).or_insert(next));
                    bands.push(Band { from: column, until: column + 1, label, rank, is_mixed });
                }
            }
        }
        bands
    }
}

fn has_value(reading: &Reading) -> bool {
    matches!(reading, Reading::Value(_) | Reading::Start(_))
}

/// Whether it is a value that no curve can show; null is a gap in a curve.
fn is_word(reading: &Reading) -> bool {
    has_value(reading) && reading.number().is_none() && !matches!(reading, Reading::Value(Json::Null))
}
