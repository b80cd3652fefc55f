//! Runs the engine: the WebAssembly component in wasmtime, the host's answers to its needs, and the command `cae`.
//!
//! Everything that touches the world is here; no decision is. [`component`] and [`engine`] reach the engine,
//! [`signature`] and [`signing`] are the cryptography, [`session`] is the conversation of one worker, [`state_file`] keeps
//! what it knows, [`directory`] knows users whose tokens do not say enough, [`cli`] is the command.

pub mod cli;
pub mod clock;
pub mod component;
mod development;
pub mod digest;
pub mod directory;
mod encoding;
pub mod engine;
mod entra;
mod folder;
mod request_line;
mod serve;
pub mod session;
pub mod signature;
pub mod signing;
pub mod state_file;
mod text;
mod timeline;
pub mod what_if;
