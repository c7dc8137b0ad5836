//! The one room with unsafe code: what lies in the engine's memory, behind a small safe interface.
//!
//! # What it is for
//!
//! The engine is a C library. Its safe interface in Rust makes texts by copying, objects by one call a member,
//! and tells little about what a value is; a fold through it takes twice as long. Here is what it lacks, and
//! nothing else: what is made with it (events and states of JSON, images of states, events whose members are
//! made when they are read) stands in safe code beside this folder.
//!
//! | File | What it offers |
//! | --- | --- |
//! | `allocator` | memory for an engine, counted |
//! | `anchor` | what keeps an engine alive for whatever is held of it |
//! | `making` | objects, arrays, texts, numbers and keys made and put together |
//! | `values` | what a value is, its text, its own properties without running getters |
//! | `exotic` | kinds of objects of ours |
//! | `in_place` | plain data read where it lies |
//!
//! # Why it is sound
//!
//! - **One engine, one brand.** Whatever has a lifetime `'js` was made under a `Ctx<'js>`, which the safe interface
//!   hands out for one engine at a time and for any `'js`. So two values with one `'js` are of one engine, and
//!   that engine is alive and locked by this thread. A `Maker` is such a context without a count.
//! - **Every count has an owner.** `Made`, `Atom`, `Held` and `Value` give back their one count when they are dropped; a
//!   call that takes a value over is handed what `into_raw` let go of. The C functions used here take over values
//!   where their comments say so, also when they fail.
//! - **What outlives `'js` has an `Anchor`**: held texts, kept keys and kinds of objects. It keeps context and runtime
//!   alive, and its address says whose a context is, since no other can have it meanwhile. The host is reachable
//!   from inside the engine, so it lets go of what has an anchor before the engine is meant to end.
//! - **Keys are used only where they are alive**: an `Atom` counts, a `LiveKey` cannot outlive what it was read from, and
//!   a `Key` is a number to compare.
//! - **While memory is read in place nothing runs.** `in_place` takes a function that captures nothing, and one piece
//!   of data that leads to no context; what is seen has a lifetime that nothing else has. Names of keys are asked
//!   of the engine meanwhile, which runs no script and moves no object.
//! - **Kinds of objects of ours** keep a Rust value and some values of the engine. The engine calls with live arguments,
//!   says once when an object ends, and is told of what the object refers to. A panic inside such a call ends the
//!   process; no code behind them panics.
//!
//! # What it relies on
//!
//! `values`, `making` and `exotic` use exported functions, and one fact beside them: small integers are keys with the
//! highest bit set, which the engine's own headers do not promise but its bytecode depends on. `in_place` knows the
//! layout of objects, shapes and texts of one version. [`Layout::find`] looks for that version and its sizes, that
//! counts of references stand before objects, and that characters follow the head of a text; then
//! `plain_data` tries samples of every kind of data, plain and odd. Where any of it is not as known, nothing is read in
//! place: states are written and read anew after each event, slower and the same.
//!
//! # How it is tried
//!
//! `script/fuzz.rs` makes random texts, trees, events and states, runs each the quick way and the plain way, and refuses
//! memory at each allocation in turn; an engine must give back all that it took. `CONTRIBUTING.md` says how to run it
//! under a memory checker.

#![expect(unsafe_code, reason = "the engine's C interface and its memory; each block says why it is sound")]

mod allocator;
mod anchor;
mod exotic;
mod in_place;
mod making;
mod values;

pub(crate) use allocator::CountingAllocator;
pub(crate) use anchor::Anchor;
pub(crate) use exotic::{Asks, Call, Class, Exotic, MOST_MEMBERS};
pub(crate) use in_place::{
    Bits, Characters, FREE, Held, LENGTH_OF_ARRAY, Layout, Seen, SeenPart, SeenProperty, SeenText, SeenValue,
    Sight, in_place,
};
pub(crate) use making::{Atom, Atoms, Key, Made, Maker};
pub(crate) use values::{
    Access, Kind, LiveKey, Property, address, class_of, define, is_extensible, kind, make_uncatchable,
    own_item, own_keys, own_property, remove, take_back_trace, with_text,
};
