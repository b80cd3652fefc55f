//! Which claim plays which part.

/// Claim names by part.
#[derive(Clone, Debug, Default)]
pub struct ClaimMap {}
