//! Access tokens: strict reading, the signature question, typed claims.
//!
//! ```text
//! text ── jws ──► header, claims ── issuer_match ──► issuer ── interpret (claim map) ──► AccessToken
//!                                                      └────── keys.select ───────────► key for the host
//! ```
//!
//! [`read()`] walks this path and refuses at the first fault; [`inspect()`] walks it for people.

pub mod access_token;
pub mod claims;
mod evidence;
pub mod inspect;
mod interpret;
pub mod issuer_match;
pub mod jws;
pub mod keys;
pub mod numeric_date;
pub mod preset;
pub mod read;
pub mod subject_keys;
#[cfg(test)]
mod testing;
pub mod validity;

pub use access_token::{AccessToken, Confirmation, Fact, Principal, SubjectKey, UserType};
pub use inspect::inspect;
pub use read::{KeyChoice, Reading, Refusal, read};
