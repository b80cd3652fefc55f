//! Claims challenges: what a resource server answers when a token no longer serves, and how a client reads it.

pub mod claims_request;
pub mod header;
pub mod parse;

pub use claims_request::{ClaimsRequest, ClaimsRequestError};
pub use header::{Challenge, Description, www_authenticate};
pub use parse::{Parsed, Status, parse, parse_json};

#[cfg(test)]
mod tests;
