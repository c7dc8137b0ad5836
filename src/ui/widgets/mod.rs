//! What panels are built of. Widgets know `model` and the theme, never the session: they take plain data and
//! return what the user asked for.

pub mod band;
pub mod busy;
pub mod class_path;
pub mod code_editor;
pub mod diff;
pub mod empty;
pub mod hex;
pub mod icon;
pub mod json_tree;
pub mod notice;
pub mod plot;
pub mod rows;
mod sql_tokens;
pub mod table;
pub mod timeline;
pub mod transport;
pub mod whole;
