//! `cae serve` with a tenant of Entra as its source: a stand-in for Graph that speaks its endpoints, a real process.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts and times of tests, which stay small"
)]

mod applications;
mod commands;
mod directory;
mod faults;
mod notifications;
mod own;
mod policies;
mod reloads;
mod risk;
mod users;
