//! Facts by the names that Graph and registries give them, as an issuer and a what-if request write them.

use alloc::string::String;

use crate::state::record::RiskLevel;

/// SPEC: policy-semantics row 3: a level outside the enumeration is unknown.
pub(crate) fn risk_level(name: &str) -> Option<RiskLevel> {
    match name.to_ascii_lowercase().as_str() {
        "none" => Some(RiskLevel::None),
        "low" => Some(RiskLevel::Low),
        "medium" => Some(RiskLevel::Medium),
        "high" => Some(RiskLevel::High),
        _ => None,
    }
}

/// A country code (ISO 3166-1 alpha-2) in upper case; the empty string, also written `ZZ`, is an address that maps to
/// no country (row 2).
pub(crate) fn country(code: &str) -> String {
    let code = code.to_ascii_uppercase();
    if code == "ZZ" { String::new() } else { code }
}
