//! What-if: branches of a history, beside the truth.

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WhatIfView {}
