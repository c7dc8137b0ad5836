//! Widgets and panels, driven and looked at without a window.

mod renderer;
mod stage;

mod json_tree;
mod small_widgets;
mod table;
mod timeline;
