//! Conditional Access policies: the Graph JSON model, compiled to a bitmap index, evaluated three-valued.

pub mod address;
pub mod compile;
pub mod conditions;
pub mod controls;
pub mod document;
pub mod facts;
pub mod index;
pub mod location;
pub mod logic;

pub use compile::{CompiledPolicy, PolicySet, PolicySource};
pub use facts::{Facts, Identity, Target};
pub use index::Candidates;
pub use logic::Truth;
