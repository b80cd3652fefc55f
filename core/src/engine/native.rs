//! The engine itself.

/// The engine.
#[derive(Debug)]
pub struct Engine {}
