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

#[cfg(test)]
mod tests {
    use super::{Drawing, Sketch};
    use crate::{
        model::Json,
        replay::{Reading, Series},
    };

    /// The drawing of these values in so many columns: `least..most` of each column, or bands.
    fn check(values: &str, columns: usize, expected: &str) {
        let values = Json::parse(values.as_bytes()).unwrap();
        let values = values.as_array().unwrap();
        let series: Series = values.iter().map(|value| Some(value.clone())).collect();
        let sketch = Sketch::of(&series, values.len(), columns);
        let found = match &sketch.drawing {
            Drawing::Nothing => "nothing".to_owned(),
            Drawing::Curve { columns, .. } => {
                let shown = columns.iter().map(|ends| match ends {
                    Some(ends) => format!("{}..{}", ends.least, ends.most),
                    None => "-".to_owned(),
                });
                shown.collect::<Vec<_>>().join(" ")
            }
            Drawing::Bands(bands) => {
                let shown = bands.iter().map(|band| {
                    let label = band.label.as_deref().unwrap_or("-");
                    format!(
                        "{label}#{}:{}-{}{}",
                        band.rank,
                        band.from,
                        band.until,
                        if band.is_mixed { "*" } else { "" }
                    )
                });
                shown.collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(found, expected, "{values:?}");
    }

    #[test]
    fn numbers_are_a_curve_and_words_are_bands() {
        check("[null,null]", 10, "nothing");
        check("[1,5,3]", 10, "1..1 5..5 3..3");
        check("[1,5,3,-2,null,null,7,7]", 4, "1..5 -2..3 - 7..7");
        check(r#"["a","a","b","a"]"#, 10, "a#0:0-2 b#1:2-3 a#0:3-4");
        check(r#"["a","b","b","b","c","c"]"#, 3, "b#0:0-1* b#0:1-2 c#1:2-3");
        check("[true,false,1]", 3, "true#0:0-1 false#1:1-2 1#2:2-3");
    }

    #[test]
    fn every_count_has_its_column() {
        for (counts, columns) in [(1, 1), (4, 4), (1001, 480), (480, 480), (7, 3), (1_000_001, 480)] {
            let sketch = Sketch { counts, columns, drawing: Drawing::Nothing };
            assert_eq!(sketch.first_count(columns), counts);
            for count in (0..counts).step_by(1 + counts / 5000) {
                let column = sketch.column_of(count);
                assert!(sketch.first_count(column) <= count && count < sketch.first_count(column + 1));
            }
        }
    }

    #[test]
    fn what_was_not_looked_at_is_not_drawn() {
        let series: Series = (0..10).map(|number| Some(Json::from(i64::from(number)))).collect();
        let Drawing::Curve { columns, .. } = Sketch::of(&series, 100, 50).drawing else { panic!("a curve") };
        assert_eq!(columns.len(), 5);
        assert_eq!(series.at(9).unwrap().last, Reading::Value(Json::from(9_i64)));
    }
}
