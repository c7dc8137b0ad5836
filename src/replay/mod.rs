//! State from events: a reducer folded over a history, with keyframes so that any point is near.
//!
//! It reads events through a [`Sequence`] and knows no window and no thread. What a user's reducer
//! does wrong is a value here, never an `Err`.

pub mod across;
pub mod alignment;
pub mod blame;
pub mod branch;
pub mod branch_events;
pub mod case;
pub mod changes;
pub mod compare;
pub mod compensation;
pub mod condition;
pub mod envelopes;
mod expressions;
pub mod failures;
pub mod fold;
pub mod history;
pub mod keyframes;
pub mod merge;
pub mod origin;
pub mod probe;
pub mod reducer;
mod run_up;
pub mod scripted;
pub mod search;
pub mod sequence;
pub mod sketch;
pub mod step;
pub mod watch;

pub use across::{Across, AcrossFindings, StreamHit};
pub use alignment::{Advance, Alignment};
pub use blame::Write;
pub use branch::{Branch, BranchReducer, Content, Edit, EditKind, EventHead, EventRef, MOVED, Misfit, Truth};
pub use branch_events::{BranchEvents, EventOrigin, Plan};
pub use case::test_case;
pub use changes::{ChangeFigures, ChangeIndex, StepNotes};
pub use compare::{Beside, Comparison, Pair};
pub use compensation::{compensation, siblings};
pub use condition::{Condition, Hit, Need, Which};
pub use fold::{Folded, OnFailure, ROUNDINGS_KEPT, fold, fold_by_rows};
pub use history::{History, HistoryFigures};
pub use keyframes::Keyframes;
pub use merge::Merge;
pub use origin::{Experiment, How, Origin, Origins};
pub use probe::{Fault, Probe, Prober};
pub use reducer::{Applied, Fed, Feed, Folding, Reducer, Rounding};
pub use scripted::Scripted;
pub use search::Findings;
pub use sequence::{HeldEvents, Sequence, StreamEvents};
pub use sketch::Sketch;
pub use step::{Outcome, Step};
pub use watch::{Reading, Series, Span};
