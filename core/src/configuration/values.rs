//! The kinds of text that a configuration holds.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use super::read::{BAD_VALUE, Node};
use crate::policy::date;
use crate::time::UnixTime;

/// What a fault says where [`guid`] refuses.
pub(super) const GUID: &str = "a GUID such as `72f988bf-86f1-41af-91ab-2d7cd011db47`";

/// What a fault says where [`issuer`] refuses.
pub(super) const ISSUER: &str =
    "an issuer URL such as `https://login.example/v2.0`, without blanks, query or fragment";

/// What a fault says where [`https`] refuses.
pub(super) const HTTPS: &str = "an https URL in printable ASCII without blanks or quotes";

/// Where the tenant stands in the URL of an issuer of many tenants.
pub(super) const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// Digits in groups of 8-4-4-4-12, in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    is_guid(text).then(|| text.to_ascii_lowercase())
}

pub(super) fn is_guid(text: &str) -> bool {
    let groups = [8, 4, 4, 4, 12];
    let hexadecimal = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(groups) && text.split('-').all(hexadecimal)
}

/// A name that is compared as it stands.
pub(super) fn identifier(text: &str) -> Option<String> {
    let sound = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
    sound.then(|| text.to_owned())
}

/// The URL of an issuer, or another name for one: compared byte by byte with `iss`, so only what could not be one
/// is refused. At most one `{tenantid}`.
pub(super) fn issuer(text: &str) -> Option<String> {
    let without = text.replacen(TENANT_PLACEHOLDER, "", 1);
    let plain = is_plain(&without) && !without.contains(['{', '}', '?', '#']);
    plain.then(|| text.to_owned())
}

/// The URL of an issuer of access tokens or events. `http` is for development on one machine.
pub(super) fn issuer_url(text: &str) -> Option<String> {
    let authority = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let has_host = !authority.is_empty() && !authority.starts_with('/');
    issuer(text).filter(|_| has_host)
}

/// What a fault says where [`fetched`] refuses.
pub(super) const FETCHED: &str =
    "an https URL in printable ASCII without blanks or quotes (http on this machine only)";

/// A URL that the host fetches from: https, or http to this machine, where nobody else listens on the wire.
pub(super) fn fetched(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix("http://") else {
        return https(text);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let local = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    (local && is_plain(text)).then(|| text.to_owned())
}

/// A URL that stands in a challenge header.
pub(super) fn https(text: &str) -> Option<String> {
    let authority = text.strip_prefix("https://")?;
    let has_host = !authority.is_empty() && !authority.starts_with('/');
    (has_host && is_plain(text)).then(|| text.to_owned())
}

/// Text that stands in a quoted string of a challenge header, where nothing is escaped (`measurements.md`).
pub(super) fn header_text(text: &str) -> Option<String> {
    let safe = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    text.bytes().all(safe).then(|| text.to_owned())
}

/// A scope token (RFC 6749 §3.3).
pub(super) fn scope(text: &str) -> Option<String> {
    is_plain(text).then(|| text.to_owned())
}

/// Whether a path can start so, once it is normalised.
pub(super) fn is_path_prefix(text: &str) -> bool {
    let Some(segments) = text.strip_prefix('/') else {
        return false;
    };
    let count = segments.split('/').count();
    let reachable = |(index, segment): (usize, &str)| {
        let last = index.saturating_add(1) == count;
        !matches!(segment, "." | "..") && (last || !segment.is_empty())
    };
    text.bytes().all(|byte| (b'!'..=b'~').contains(&byte))
        && !text.contains(['?', '#', '%', '\\', ';'])
        && segments.split('/').enumerate().all(reachable)
}

/// Seconds since 1970, or an RFC 3339 date and time.
pub(super) fn instant(mut node: Node<'_, '_>) -> Option<UnixTime> {
    let Some(text) = node.value().as_str() else {
        return node.integer(0..=LAST_SECOND).map(UnixTime::from_secs);
    };
    let found = date::parse(text);
    if found.is_none() {
        let message = "is no date and time such as `2024-05-01T12:00:00Z`, nor seconds since 1970";
        node.fault(BAD_VALUE, message);
    }
    found
}

/// 9999-12-31T23:59:59Z. What is larger was meant in milliseconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// Printable ASCII without blank, `"` and `\`; not empty, not endless.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    (1..=2_048).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        type Test = fn(&str) -> bool;
        let cases: [(&str, Test, &[&str], &[&str]); 7] = [
            (
                "guid",
                is_guid,
                &["72F988BF-86f1-41af-91ab-2d7cd011db47"],
                &[
                    "",
                    "72f988bf86f141af91ab2d7cd011db47",
                    "{72f988bf-86f1-41af-91ab-2d7cd011db47}",
                    "72f988bf-86f1-41af-91ab-2d7cd011db4g",
                    "72f988bf-86f1-41af-91ab-2d7cd011db47-",
                ],
            ),
            (
                "issuer",
                |text| issuer_url(text).is_some(),
                &[
                    "https://a",
                    "http://localhost:8080/realms/x",
                    "https://a/{tenantid}/v2.0",
                ],
                &[
                    "",
                    "https://",
                    "https:///x",
                    "ftp://a",
                    "a.example",
                    "https://a b",
                    "https://a/{tenant}",
                    "https://a/{tenantid}/{tenantid}",
                    "https://a?x",
                    "https://a#x",
                    " https://a",
                    "https://a\"b",
                ],
            ),
            (
                "https",
                |text| https(text).is_some(),
                &["https://login.example/authorize?x=1"],
                &[
                    "http://login.example",
                    "https://",
                    "https://a\n",
                    "https://ä",
                    "https://a\\b",
                ],
            ),
            (
                "header text",
                |text| header_text(text).is_some(),
                &["", "my realm"],
                &["a\"b", "a\\b", "a\r\nb", "ä", "\u{7f}"],
            ),
            (
                "scope",
                |text| scope(text).is_some(),
                &["orders.read"],
                &["", "a b", "a\"", "ä"],
            ),
            (
                "identifier",
                |text| identifier(text).is_some(),
                &["ä", "a b"],
                &["", " a", "a ", "a\nb"],
            ),
            (
                "path",
                is_path_prefix,
                &["/", "/orders", "/orders/", "/a/b", "/a-b"],
                &[
                    "", "orders", "//", "/a//b", "/a/../b", "/..", "/./a", "/a?b", "/a#b", "/a b",
                    "/a%20b", "/a;b", "/a\\b", "/ä",
                ],
            ),
        ];
        for (what, test, accepted, refused) in cases {
            for text in accepted {
                assert!(test(text), "{what} should accept {text:?}");
            }
            for text in refused {
                assert!(!test(text), "{what} should refuse {text:?}");
            }
        }
    }
}
