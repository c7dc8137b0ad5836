//! What loading costs, as it is shown.

use std::sync::Arc;

use crate::{
    replay::{
        Sketch,
        sketch::{Drawing, Ends},
    },
    session::{opened::Opened, view::CostView},
    snapshot::{Cost, verify::count_of},
};

/// Columns that can be told apart in the plot.
const COLUMNS: usize = 600;

impl Opened {
    pub(super) fn cost_view(&self, cost: Cost) -> CostView {
        let Cost { whole, categories, longest } = cost;
        let name = |stream| {
            let info = self.index.as_ref().and_then(|index| index.stream(stream));
            info.map(|info| info.name.full()).unwrap_or_default()
        };
        let longest = longest.into_iter().filter(|(_, rest, _)| *rest > 0);
        CostView {
            lines: if categories.len() == 1 {
                categories
            } else {
                categories.into_iter().chain([whole]).collect()
            },
            longest: longest.map(|(stream, rest, events)| (name(stream), rest, events, stream)).collect(),
            along: self.along(),
        }
    }

    /// Other snapshots are listed, or another stream is chosen.
    pub(crate) fn refresh_cost_along(&mut self) {
        if let Some(view) = &self.verified.cost {
            let view = CostView { along: self.along(), ..CostView::clone(view) };
            self.verified.cost = Some(Arc::new(view));
        }
    }

    /// The events since the last snapshot, along the chosen stream.
    fn along(&self) -> Option<(Arc<str>, Arc<Sketch>)> {
        let (index, stream) = (self.index.as_ref()?, self.browse.focus?);
        let rows = self.browse.snapshots.of_stream(Some(stream)).map(|(_, row, _)| row);
        let helpful = rows.filter(|row| row.look.is_none()).filter_map(|row| row.key.version);
        let mut counts: Vec<usize> =
            helpful.filter_map(|version| count_of(index, stream, version)).map(|(count, _)| count).collect();
        counts.sort_unstable();
        counts.dedup();
        let events = index.stream_events(stream).len();
        Some((index.stream(stream)?.name.full(), Arc::new(since_last(&counts, events))))
    }
}

/// How many events lie between each place of a history and the last snapshot before it, as a curve.
fn since_last(snapshots: &[usize], events: usize) -> Sketch {
    let counts = events + 1;
    let columns = COLUMNS.min(counts);
    let mut sketch = Sketch { counts, columns, drawing: Drawing::Nothing };
    let last_until = |count: usize| {
        let behind = snapshots.partition_point(|at| *at <= count);
        behind.checked_sub(1).and_then(|place| snapshots.get(place)).copied().unwrap_or_default()
    };
    let since = |count: usize| count - last_until(count);
    let mut ends = Vec::with_capacity(columns);
    for column in 0..columns {
        let (first, end) = (sketch.first_count(column), sketch.first_count(column + 1).saturating_sub(1));
        let from = snapshots.partition_point(|at| *at <= first);
        let until = snapshots.partition_point(|at| *at <= end);
        let inside = snapshots.get(from..until).unwrap_or_default();
        let before = inside.iter().map(|at| since(at - 1)).max().unwrap_or_default();
        let least = if inside.is_empty() { since(first) } else { 0 };
        let most = before.max(since(end)).max(since(first));
        ends.push(Some(Ends { least: least as f64, most: most as f64, last: since(end) as f64 }));
    }
    let most = ends.iter().flatten().map(|ends| ends.most).fold(0.0, f64::max);
    sketch.drawing = Drawing::Curve { least: 0.0, most, columns: ends };
    sketch
}

#[cfg(test)]
mod tests {
    use super::since_last;
    use crate::replay::sketch::Drawing;

    fn check(snapshots: &[usize], events: usize, expected: &[f64]) {
        let Drawing::Curve { columns, .. } = since_last(snapshots, events).drawing else { panic!("a curve") };
        let last: Vec<f64> = columns.into_iter().flatten().map(|ends| ends.last).collect();
        assert_eq!(last, expected);
    }

    #[test]
    fn the_curve_falls_at_each_snapshot() {
        check(&[2, 4], 5, &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        check(&[], 2, &[0.0, 1.0, 2.0]);
        let Drawing::Curve { most, columns, .. } = since_last(&[1000, 2500], 3000).drawing else {
            panic!("a curve")
        };
        assert!((1499.0..1500.0).contains(&most), "{most}");
        assert!(columns.iter().flatten().all(|ends| ends.least <= ends.last && ends.last <= ends.most));
    }
}
