//! Position, stream, type, time and version of every event, as columns in memory.
//!
//! Built once in the background by scanning ranges side by side, and extended when the store
//! grows. An *ordinal* is an event's number in global order, from 0.
