//! The words of the field as plain data: events, streams, positions, payloads, differences.
//!
//! It knows no database, no clock, no thread and no window, so nothing here can wait or fail for
//! a reason outside its arguments.

pub mod checkpoint;
pub mod decimal;
pub mod diff;
pub mod event;
pub mod failure;
pub mod json;
mod json_array;
mod json_number;
mod json_parse;
mod json_places;
mod json_tape;
mod json_write;
pub mod payload;
pub mod pointer;
pub mod query;
pub mod snapshot;
pub mod stream;
pub mod time;

pub use checkpoint::{Checkpoint, ColumnShape, TableForm, TableShape};
pub use diff::{Change, ChangeKind, diff};
pub use event::{EventKey, GlobalPosition, KeyPart, RecordedEvent, StreamVersion};
pub use failure::Failure;
pub use json::{Array, Json, Number, Object};
pub use payload::{Encoding, Payload, Stored};
pub use pointer::{Pointer, Segment};
pub use query::{EventQuery, TextFilter};
pub use snapshot::{SnapshotHead, StoredSnapshot};
pub use stream::{StreamInfo, StreamName};
pub use time::{LastDay, Timestamp, Zone};

pub(crate) use json_parse::Names;
pub(crate) use json_tape::{Inside, Part, Tape, Taped};
