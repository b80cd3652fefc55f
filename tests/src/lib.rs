//! What the whole-system tests share: where things lie, a small world, and conversations written down.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "support of tests, which may fail loudly"
)]

pub mod artefacts;
pub mod generator;
pub mod graph;
pub mod histories;
pub mod oracle;
pub mod places;
pub mod population;
pub mod process;
pub mod reference;
pub mod server;
pub mod service;
pub mod transcript;
pub mod world;
