//! `cae serve` as a process, with a real issuer, real connections and a real disk.
#![cfg(test)]

mod authorization;
mod brake;
mod disk;
mod durability;
mod faults;
mod hostile;
mod keycloak;
mod limits;
mod operations;
mod own;
mod polls;
mod proofs;
mod records;
mod rotation;
mod simulator;
mod streams;
