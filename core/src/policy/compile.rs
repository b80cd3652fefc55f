//! From documents to a set that cannot fail.

/// A compiled set of policies.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {}
/// One compiled policy.
#[derive(Clone, Debug)]
pub struct CompiledPolicy {}
/// Where policies come from.
#[derive(Clone, Debug)]
pub struct PolicySource {}
