//! What the whole-system tests share: where things lie, a small world, and conversations written down.
#![expect(
    clippy::indexing_slicing,
    reason = "support of tests, which may fail loudly"
)]

pub mod places;
pub mod transcript;
pub mod world;
