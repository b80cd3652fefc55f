//! `cae serve` with a tenant of Entra as its source: a stand-in for Graph that speaks its endpoints, a real process.
#![cfg(test)]

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
