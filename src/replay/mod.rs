//! State from events: a reducer folded over a history, with keyframes so that any point is near.
//!
//! It reads events through [`EventStore`](crate::store::EventStore) and knows no window and no
//! thread. What a user's reducer does wrong is a value here, never an `Err`.

pub mod fold;
pub mod history;
pub mod keyframes;
pub mod merge;
pub mod reducer;

pub use fold::{Folded, fold};
pub use history::{History, StepView};
pub use keyframes::Keyframes;
pub use merge::Merge;
pub use reducer::{Failure, Reducer};
