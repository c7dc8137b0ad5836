//! Users' scripts: the corpus of the projection dialect, and what hostile scripts try.

mod corpus;
mod event_object;
mod expressions;
mod hostile;
mod kept_states;
mod reducers;
