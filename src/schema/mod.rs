//! What the events look like: an inferred catalog of types and fields, and reducers scaffolded from it.
//!
//! Everything here is read off the events themselves: no schema has to be registered anywhere.

pub mod catalog;
pub mod scaffold;
pub mod shape;

pub use catalog::{Catalog, CategoryTypes, TypeShape, types_by_category};
pub use scaffold::{file_name, handlers, scaffold};
pub use shape::{Kind, Shape};
