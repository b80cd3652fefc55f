//! An in-memory store.

/// Records by key.
#[derive(Clone, Debug, Default)]
pub struct StateTable {}
