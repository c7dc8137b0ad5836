//! What panels are built of. Widgets know `model` and the theme, never the session: they take plain data and
//! return what the user asked for.

//diff
//empty
//hex
pub mod icon;
//json_tree
//notice
pub mod rows;
pub mod table;
pub mod timeline;
//transport
