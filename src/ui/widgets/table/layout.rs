//! Which columns a table shows, in which order and how wide.

use crate::ui::widgets::{rows::Scroll, table::ColumnSpec};

/// No column is narrower, in points.
const NARROWEST: f32 = 36.0;

/// What a table remembers between frames; its columns also between runs.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct TableState {
    /// The columns in the user's order.
    pub columns: Vec<ColumnPlace>,
    /// Which row is at the upper edge.
    #[serde(skip)]
    pub scroll: Scroll,
    /// How many points of the columns are left of the view.
    #[serde(skip)]
    pub(super) sideways: f32,
}

/// The user's choice for one column.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ColumnPlace {
    /// The key of the column.
    pub key: String,
    /// Its width, in points.
    pub width: f32,
    /// Whether it is shown.
    pub is_shown: bool,
}

/// A column that is shown, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lane {
    /// Its place in the user's order.
    pub(super) place: usize,
    /// Its place among the given columns.
    pub(super) column: usize,
    /// Its left edge from the left edge of the table, in points.
    pub(super) left: f32,
    /// Its width, in points.
    pub(super) width: f32,
}

impl TableState {
    /// Takes up columns that are new, each behind the one that it follows: a column that comes late has the place
    /// that it would have had. Those that are gone are kept: they may come back with another store.
    pub(super) fn adopt(&mut self, columns: &[ColumnSpec]) {
        let mut before: Option<&str> = None;
        for column in columns {
            let place_of = |key: &str| self.columns.iter().position(|place| place.key == key);
            if place_of(&column.key).is_none() {
                let at = before
                    .map_or(Some(0), place_of)
                    .map_or(self.columns.len(), |place| place + usize::from(before.is_some()));
                let new =
                    ColumnPlace { key: column.key.clone(), width: column.width, is_shown: column.is_shown };
                self.columns.insert(at, new);
            }
            before = Some(&column.key);
        }
    }

    /// Forgets the user's choice.
    pub fn reset(&mut self, columns: &[ColumnSpec]) {
        self.columns.clear();
        self.adopt(columns);
    }

    /// The columns that are shown; the last takes what is left of `width`.
    pub(super) fn lanes(&self, columns: &[ColumnSpec], width: f32) -> Vec<Lane> {
        let mut lanes = Vec::new();
        let mut left = 0.0 - self.sideways;
        for (place, chosen) in self.columns.iter().enumerate().filter(|(_, chosen)| chosen.is_shown) {
            if let Some(column) = columns.iter().position(|column| column.key == chosen.key) {
                let width = chosen.width.max(NARROWEST);
                lanes.push(Lane { place, column, left, width });
                left += width;
            }
        }
        if let Some(last) = lanes.last_mut() {
            last.width = last.width.max(width - last.left);
        }
        lanes
    }

    pub(super) fn total_width(&self, columns: &[ColumnSpec]) -> f32 {
        let is_given = |key: &str| columns.iter().any(|column| column.key == key);
        let shown = self.columns.iter().filter(|place| place.is_shown && is_given(&place.key));
        shown.map(|place| place.width.max(NARROWEST)).sum()
    }

    /// Moves the column at a place before that at another.
    pub(super) fn move_column(&mut self, from: usize, before: usize) {
        if from < self.columns.len() && before <= self.columns.len() {
            let column = self.columns.remove(from);
            self.columns.insert(if before > from { before - 1 } else { before }, column);
        }
    }

    pub(super) fn resize(&mut self, place: usize, width: f32) {
        if let Some(column) = self.columns.get_mut(place) {
            column.width = width.clamp(NARROWEST, 4000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TableState;
    use crate::ui::widgets::table::{ColumnKind, ColumnSpec};

    fn check(change: impl FnOnce(&mut TableState), expected: &str) {
        let columns = ["a", "b", "c"].map(|key| ColumnSpec::new(key, key, 100.0, ColumnKind::Text));
        let mut state = TableState::default();
        state.adopt(&columns);
        change(&mut state);
        let lanes = state.lanes(&columns, 500.0);
        let show = |lane: &super::Lane| format!("{}@{}+{}", columns[lane.column].key, lane.left, lane.width);
        assert_eq!(lanes.iter().map(show).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn columns_are_moved_resized_and_hidden() {
        check(|_| (), "a@0+100 b@100+100 c@200+300");
        check(|state| state.move_column(0, 3), "b@0+100 c@100+100 a@200+300");
        check(|state| state.move_column(2, 0), "c@0+100 a@100+100 b@200+300");
        check(|state| state.move_column(0, 1), "a@0+100 b@100+100 c@200+300");
        check(|state| state.resize(0, 1.0), "a@0+36 b@36+100 c@136+364");
        check(|state| state.columns[1].is_shown = false, "a@0+100 c@100+400");
        check(|state| state.move_column(7, 9), "a@0+100 b@100+100 c@200+300");
    }

    fn check_adopted(first: &[&str], moved: Option<(usize, usize)>, then: &[&str], expected: &[&str]) {
        let specs = |keys: &[&str]| -> Vec<ColumnSpec> {
            keys.iter().map(|key| ColumnSpec::new(key, key, 100.0, ColumnKind::Text)).collect()
        };
        let mut state = TableState::default();
        state.adopt(&specs(first));
        if let Some((from, before)) = moved {
            state.move_column(from, before);
        }
        state.adopt(&specs(then));
        let keys: Vec<&str> = state.columns.iter().map(|place| place.key.as_str()).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_column_that_comes_late_has_its_place() {
        let (some, all) = (["time", "version", "data"], ["time", "stream", "version", "data", "/a"]);
        check_adopted(&some, None, &all, &all);
        check_adopted(&some, Some((0, 3)), &all, &["version", "data", "/a", "time", "stream"]);
        check_adopted(&["version"], None, &["time", "version"], &["time", "version"]);
        check_adopted(&[], None, &all, &all);
        check_adopted(&all, None, &some, &all);
    }
}
