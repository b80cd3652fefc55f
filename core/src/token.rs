//! Access tokens: strict reading, the signature question, typed claims.

pub mod access_token;
pub mod claims;
mod evidence;
pub mod jws;
pub mod keys;

pub use access_token::{AccessToken, Confirmation, Fact, Principal, SubjectKey, UserType};
