//! `cae serve` with a tenant of Entra as its source: a stand-in for Graph that speaks its endpoints, a real process.
#![cfg(test)]

mod own;
mod users;
