//! What the whole-system tests share: where things lie, and conversations written down.

pub mod places;
pub mod transcript;
