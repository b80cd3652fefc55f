//! Answers that need no engine: one function per command for people, each with canonical JSON text as its answer,
//! the same bytes from every build.

use alloc::string::String;

use crate::policy::what_if::Export;
use crate::time::UnixTime;
use crate::{challenge, configuration, policy, signal, token};

/// `cae challenge parse`: decodes a `WWW-Authenticate` value.
#[must_use]
pub fn parse_challenge(header: &str) -> String {
    challenge::parse_json(header)
}

/// `cae policy check`: what of these Graph policies is enforced where, and what is not understood.
///
#[must_use]
pub fn check_policies(export: &Export<'_>) -> String {
    policy::check::check(export)
}

/// `cae location match`: the named locations of each address.
#[must_use]
pub fn match_locations(named_locations: &str, addresses: &[&str]) -> String {
    policy::check::match_locations(named_locations, addresses)
}

/// `cae event decode` without configuration: a compact SET, or its payload if `unsigned`.
#[must_use]
pub fn decode_event(text: &str, unsigned: bool, received_at: UnixTime) -> String {
    signal::decode(text, unsigned, received_at, None)
}

/// `cae token inspect` without configuration.
#[must_use]
pub fn inspect_token(token: &str, now: UnixTime) -> String {
    token::inspect(token, None, now)
}

/// JSON Schema of the engine configuration.
#[must_use]
pub const fn configuration_schema() -> &'static str {
    configuration::schema()
}
