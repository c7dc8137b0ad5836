//! Widgets and panels, driven and looked at without a window.

mod renderer;
mod stage;

mod table;
mod timeline;
