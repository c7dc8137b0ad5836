//! stub
pub mod open;
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ProjectError;
