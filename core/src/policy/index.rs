//! Candidates.

/// Policies that the token's facts do not rule out.
#[derive(Clone, Debug, Default)]
pub struct Candidates {}
