//! The window. Only here and in `main` is egui named.

pub mod fonts;
pub mod theme;
pub mod widgets;
