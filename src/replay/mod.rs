//! State from events: a reducer folded over a history, with keyframes so that any point is near.
//!
//! It reads events through a [`Sequence`] and knows no window and no thread. What a user's reducer
//! does wrong is a value here, never an `Err`.

pub mod blame;
pub mod changes;
pub mod fold;
pub mod history;
pub mod keyframes;
pub mod merge;
pub mod origin;
pub mod reducer;
pub mod scripted;
pub mod sequence;

pub use blame::Write;
pub use changes::{ChangeFigures, ChangeIndex};
pub use fold::{Folded, OnFailure, fold};
pub use history::{History, HistoryFigures, Outcome, Step};
pub use keyframes::Keyframes;
pub use merge::Merge;
pub use origin::{Experiment, How, Origin, Origins};
pub use reducer::{Applied, Folding, Reducer, Rounding};
pub use scripted::Scripted;
pub use sequence::{HeldEvents, Sequence, StreamEvents};
