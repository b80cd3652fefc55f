//! What the whole-system tests share: where things lie, a small world, and conversations written down.

pub mod places;
pub mod transcript;
pub mod world;
