//! State over time: it stays as small as the retention rules say, and the order of delivery does not matter within
//! the age of tombstones (`enforcement.md` §3 and §4).
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the numbers of a test are chosen by it"
)]

mod churn;
mod order;
