//! Check 4: scopes and authentication contexts that the route requires.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::findings::Findings;
use super::reason::ReasonCode;
use super::table::Situation;
use crate::configuration::{Issuer, Settings};
use crate::token::AccessToken;

pub(super) fn check(
    token: &AccessToken,
    issuer: &Issuer,
    settings: &Settings,
    path: Option<&str>,
    findings: &mut Findings,
) {
    if !settings.reads_path() {
        findings.note("route", "notApplicable", || {
            "no route requires anything".into()
        });
        return;
    }
    let Some(path) = path else {
        findings.missing(ReasonCode::MissingPath);
        return;
    };
    for scope in required(&settings.required_scopes, path) {
        let granted = token.scopes.iter().any(|granted| granted == scope);
        if !granted {
            findings.missing_scope(scope);
        }
        let result = if granted { "passed" } else { "deny" };
        findings.note("route.scope", result, || format!("{path} requires {scope}"));
    }
    for context in required(&settings.required_authentication_contexts, path) {
        let result = if token.shows_context(issuer, context) {
            "passed"
        } else {
            let situation = Situation::AuthenticationContext {
                context: context.clone(),
                acr_value: issuer.acr_values.get(context).cloned(),
            };
            findings.against(situation, ReasonCode::AuthenticationContextMissing, None)
        };
        findings.note("route.authentication_context", result, || {
            format!("{path} requires {context}")
        });
    }
}

/// What every prefix of `path` requires, together.
fn required<'a>(
    by_prefix: &'a BTreeMap<String, Vec<String>>,
    path: &str,
) -> impl Iterator<Item = &'a String> {
    by_prefix
        .iter()
        .filter(move |(prefix, _)| is_under(path, prefix))
        .flat_map(|(_, required)| required)
}

/// Whether `path` is `prefix` or lies under it: `/admin` covers `/admin/users` and not `/administration`.
///
/// Routers differ in what they make of case, escapes and doubled slashes; a prefix that could be missed that way
/// would widen access, so a path whose meaning is open counts as lying under every prefix.
fn is_under(path: &str, prefix: &str) -> bool {
    let Some(path) = plain(path) else { return true };
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    match path.split_at_checked(prefix.len()) {
        Some((head, rest)) => {
            head.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
        }
        None => false,
    }
}

/// The path without query and escapes; `None` if two routers could read it differently.
fn plain(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let escape = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(core::str::from_utf8(&escape).ok()?, 16).ok()?
        } else {
            byte
        };
        decoded.push(byte);
    }
    let decoded = String::from_utf8(decoded).ok()?;
    let odd = !decoded.starts_with('/')
        || decoded.contains("//")
        || decoded.contains(['%', '\\', ';', '\0'])
        || decoded
            .split('/')
            .any(|segment| matches!(segment, "." | ".."));
    // An escaped slash is one segment to some routers and two to others.
    let slashes = |text: &str| text.matches('/').count();
    (!odd && slashes(path) == slashes(&decoded)).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::is_under;

    #[test]
    fn prefixes_end_at_segments_and_odd_paths_are_under_everything() {
        for (path, prefix, expected) in [
            ("/admin", "/admin", true),
            ("/admin/users", "/admin", true),
            ("/admin?x=1", "/admin", true),
            ("/Admin/users", "/admin/", true),
            ("/administration", "/admin", false),
            ("/orders", "/admin", false),
            ("/orders", "/", true),
            ("/orders/../admin", "/admin", true),
            ("//admin", "/admin", true),
            ("/%61dmin", "/admin", true),
            ("/orders%2f..%2fadmin", "/admin", true),
            ("/orders%20open", "/admin", false),
            ("/orders%zz", "/admin", true),
            ("admin", "/admin", true),
        ] {
            assert_eq!(is_under(path, prefix), expected, "{path} under {prefix}");
        }
    }
}
