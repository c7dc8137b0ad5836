//! The program is killed at every point: the store is as before or as after, and never in between.
