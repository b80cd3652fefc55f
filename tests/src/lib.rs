//! What the whole-system tests share: where things lie, a small world, and conversations written down.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "support of tests, which may fail loudly"
)]

pub mod artefacts;
pub mod histories;
pub mod places;
pub mod population;
pub mod reference;
pub mod transcript;
pub mod world;
