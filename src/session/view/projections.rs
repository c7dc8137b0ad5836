//! Projections, their rebuilds, and read models at the cursor.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProjectionsView {
    /// The projection that is shown in detail, by its place in the list.
    pub chosen: Option<usize>,
}
