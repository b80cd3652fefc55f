//! Stub.
use alloc::string::{String, ToString as _};

use crate::time::UnixTime;

/// Stub.
#[must_use]
pub fn parse_challenge(_header: &str) -> String {
    r#"{"ok":false}"#.to_string()
}
/// Stub.
#[must_use]
pub fn check_policies(_policies: &[(&str, &str)], _named_locations: Option<&str>) -> String {
    r#"{"ok":false}"#.to_string()
}
/// Stub.
#[must_use]
pub fn match_locations(_named_locations: &str, _addresses: &[&str]) -> String {
    r#"{"ok":false}"#.to_string()
}
/// Stub.
#[must_use]
pub fn decode_event(_text: &str, _unsigned: bool, _received_at: UnixTime) -> String {
    r#"{"ok":false}"#.to_string()
}
/// Stub.
#[must_use]
pub fn inspect_token(_token: &str, _now: UnixTime) -> String {
    r#"{"ok":false}"#.to_string()
}
/// Stub.
#[must_use]
pub fn configuration_schema() -> &'static str {
    "{}"
}
/// Stub.
#[must_use]
pub fn scenario_schema() -> &'static str {
    "{}"
}
