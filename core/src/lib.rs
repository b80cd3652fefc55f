//! Continuous access evaluation, pure: token, event state, Conditional Access policies and a request come in as
//! values; allow, claims challenge or deny goes out as one.
//!
//! No clock, no randomness, no I/O, no global state: what the engine needs it asks for (see [`engine`]).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod challenge;
pub mod configuration;
pub mod decision;
pub mod engine;
pub mod forwarded;
pub mod issuer;
pub mod json;
pub mod policy;
pub mod signal;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod state;
pub mod subject;
pub mod time;
pub mod token;
pub mod tools;

pub use engine::Engine;
pub use time::UnixTime;
