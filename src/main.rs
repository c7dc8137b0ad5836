//! Reads the arguments, and opens the window or answers without one.

fn main() {}
