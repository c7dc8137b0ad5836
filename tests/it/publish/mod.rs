//! The only way in which anything is written into a store.

mod command;
mod dialog;
mod edits;
mod kill;
mod refused;
mod stage;
mod trouble;
